"""Joint uncertainty of coefficients and group effects, for linear functionals of both.

With ``T = d(beta, b) / d(theta, beta)`` taken through the conditional modes and C the
covariance of (theta, beta),

    Var(beta, b) = T C T' + blockdiag(0, sigma^2 Lambda inv(A) Lambda')

(Kass & Steffey 1989, J. Am. Stat. Assoc. 84(407), eq. 3.5): the effects are uncertain given
the parameters, and the parameters move the modes. In a Gaussian model with theta known this
is the inverse of the mixed-model equations (Henderson 1975, Biometrics 31(2), eq. 3).

The matrix is never formed for rows of data; a functional ``f'beta + g'b`` costs what the
effects it touches cost.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from hierwidgets.base.arrays import Array, Index
from hierwidgets.spec.design import Design, NewRows
from hierwidgets.spec.families import Family

from .blocks import Blocks, block_diagonal, factorize, layout
from .density import split
from .laplace import State, solve_modes

__all__ = ["Functionals", "JointCovariance", "effect_rows", "joint_covariance", "spread"]


_CHUNK = 2_000_000  # numbers of a dense intermediate


@dataclass(frozen=True, slots=True)
class Functionals:
    """Linear functionals ``f'beta + sum of g_t'b_t`` of coefficients and effects, one a row.

    Attributes
    ----------
    fixed : (r, p)
    effects : tuple of sparse (r, J * k), one per group term
    """

    fixed: Array
    effects: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class JointCovariance:
    """The joint Gaussian approximation to coefficients and group effects.

    Attributes
    ----------
    covariance : (m + p, m + p)
        Of (theta, beta).
    slopes : tuple of (J * k, m + p)
        Derivative of each term's conditional modes b with respect to (theta, beta).
    factors : tuple of (k, k)
        Lambda of each term, in units of sigma.
    blocks : Blocks
        A, factorised.
    sigma : float
        Residual sd of a Gaussian model, else 1.
    """

    covariance: Array
    slopes: tuple[Array, ...]
    factors: tuple[Array, ...]
    blocks: Blocks
    sigma: float

    def variance(self, given: Functionals) -> Array:
        """Variances (r,) of the functionals."""
        pull = self._pull(given)
        out = np.einsum("ij,jk,ik->i", pull, self.covariance, pull)
        lead, later = self._scaled(given)
        own = np.asarray((lead @ self._diagonal()).multiply(lead).sum(axis=1)).reshape(-1)
        if later is not None:
            step = max(1, _CHUNK // self.blocks.lay.q2)
            for a in range(0, len(own), step):
                part = slice(a, a + step)
                rest = self._rest(lead[part], later[part])
                own[part] += np.einsum("ij,ji->i", rest, self._solve(rest))
        result: Array = out + self.sigma**2 * own
        return result

    def matrix(self, given: Functionals) -> Array:
        """Covariance matrix (r, r) of the functionals; for few of them."""
        pull = self._pull(given)
        lead, later = self._scaled(given)
        inner: Any = lead @ self._diagonal() @ lead.T
        own = inner.toarray()
        if later is not None:
            rest = self._rest(lead, later)
            own += rest @ self._solve(rest)
        result: Array = pull @ self.covariance @ pull.T + self.sigma**2 * own
        return result

    def _pull(self, given: Functionals) -> Array:
        """Derivatives (r, m + p) of the functionals with respect to (theta, beta)."""
        m = len(self.covariance) - given.fixed.shape[1]
        out = np.hstack([np.zeros((len(given.fixed), m)), given.fixed])
        for effects, slope in zip(given.effects, self.slopes, strict=True):
            out += effects @ slope
        return out

    def _scaled(self, given: Functionals) -> tuple[Any, Any]:
        """The functionals of u: leading term and the later ones side by side, sparse."""
        lead, *later = [
            (g @ block_diagonal(np.broadcast_to(L, (g.shape[1] // len(L), *L.shape)))).tocsr()
            for g, L in zip(given.effects, self.factors, strict=True)
        ]
        return lead, scipy.sparse.hstack(later, format="csr") if later else None

    def _diagonal(self) -> Any:
        """inv(D) of the leading term, (J k, J k) sparse."""
        return block_diagonal(self.blocks.Dinv)

    def _rest(self, lead: Any, later: Any) -> Array:
        """What the functionals of the later terms are once the leading term is eliminated."""
        through: Any = lead @ self.blocks.M
        dense = through if isinstance(through, np.ndarray) else through.toarray()
        return np.asarray(later.toarray() - dense)

    def _solve(self, rest: Array) -> Array:
        assert self.blocks.S is not None
        return self.blocks.S.solve(rest.T)


def joint_covariance(
    design: Design,
    family: Family,
    theta: Array,
    beta: Array,
    covariance: Array,
    sigma: float = 1.0,
) -> JointCovariance:
    """The joint approximation at the estimates.

    Parameters
    ----------
    theta, beta : (m,), (p,)
    covariance : (m + p, m + p)
        Of (theta, beta).
    sigma :
        Residual sd of a Gaussian model, in whose units Lambda is.
    """
    state = solve_modes(layout(design), family, theta, beta)
    blocks = state.blocks
    if not family.canonical:
        blocks = factorize(blocks.scaled, state.d.weight)
    return JointCovariance(
        covariance=covariance,
        slopes=_mode_slopes(design, state),
        factors=tuple(design.template.factors(theta)),
        blocks=blocks,
        sigma=sigma,
    )


def _mode_slopes(design: Design, state: State) -> tuple[Array, ...]:
    """d b / d (theta, beta) at the mode, (J * k, m + p) per term.

    The mode solves ``Lambda' Z' score = u``; differentiated (implicit function theorem),

        A du/dbeta   = -Lambda' Z' W X
        A du/dtheta  = E' Z' score - Lambda' Z' W Z E u,    E = dLambda / dtheta

    and ``db = Lambda du + E u``, with W and A from the observed information.
    """
    scaled, template = state.blocks.scaled, design.template
    u = [state.u0, *split(design.terms[1:], state.u2)]
    columns = []
    for t, r, c in zip(template.term, template.rows, template.cols, strict=True):
        term = design.terms[t]
        bend = state.d.information * term.Z[:, r] * u[t][term.codes, c]
        g = [np.zeros_like(part) for part in u]
        g[t][:, c] = np.bincount(term.codes, term.Z[:, r] * state.d.score, minlength=term.J)
        g0, g2 = scaled.pull(bend)
        du = _solved(design, state, g[0] - g0, _flat(g[1:]) - g2)
        db = [part @ L.T for part, L in zip(du, scaled.factors, strict=True)]
        db[t][:, r] += u[t][:, c]
        columns.append(db)
    for x in design.X.T:
        g0, g2 = scaled.pull(state.d.information * x)
        du = _solved(design, state, -g0, -g2)
        columns.append([part @ L.T for part, L in zip(du, scaled.factors, strict=True)])
    return tuple(
        np.stack([db[i].reshape(-1) for db in columns], axis=1) for i in range(len(design.terms))
    )


def _solved(design: Design, state: State, g0: Array, g2: Array) -> list[Array]:
    u0, u2 = state.blocks.solve(g0, g2)
    return [u0, *split(design.terms[1:], u2)]


def _flat(parts: list[Array]) -> Array:
    return np.concatenate([p.reshape(-1) for p in parts]) if parts else np.zeros(0)


def effect_rows(design: Design, new: NewRows) -> tuple[Any, ...]:
    """Rows of Z over the seen levels, sparse (n, J * k) per term; an unseen level is a zero row."""
    return tuple(
        spread(np.where(codes < 0, 0, codes), np.where((codes >= 0)[:, None], Z, 0.0), term.J)
        for term, codes, Z in zip(design.terms, new.codes, new.Z, strict=True)
    )


def spread(codes: Index, Z: Array, J: int) -> Any:
    """Rows of Z (n, k) in the columns of their level: sparse (n, J * k)."""
    n, k = Z.shape
    columns = codes[:, None] * k + np.arange(k)
    return scipy.sparse.csr_array(
        (Z.ravel(), columns.ravel(), np.arange(0, n * k + 1, k)), shape=(n, J * k)
    )
