r"""The coordinates a sampler walks in, chosen so that the posterior is easy to walk.

Hierarchical posteriors are hard to walk: many group effects, each correlated with its sd
(Neal's funnel); coefficients that trade with the mean of a few large groups' effects and with
one another; sds near 0. Each is removed by an exact change of variables.

Integration. Given everything else, the levels of one scalar group term are independent. The
    one with the most levels is integrated out of the density by adaptive quadrature, level by
    level (`quadrature`), and drawn afterwards from its conditional distribution (`effects`).
Whitening. Near a reference fit the log-likelihood of coefficients and effects v is quadratic,
    ``-v'Hv / 2 + r'v``. Given covariances, v is then normal with precision
    ``P = H + blockdiag(0, inv(Sigma), ...)`` and mean inv(P) r, so the coordinates
    ``xi = C' (v - inv(P) r)``, P = CC', are close to N(0, I) whatever the covariances: neither
    centred nor non-centred, but what the data call for (Papaspiliopoulos, Roberts & Sköld
    2007, Stat. Sci. 22(1), sections 2-4, for one effect at a time). Beyond `JOINT_LIMIT`
    numbers P is cut into one block of coefficients and one for each level.

Bent tails. A posterior has exponential tails in log sd (an sd may be 0, half-t priors reach far)
    and in the partial correlations' inverse tanh; both coordinates are bent so that these
    become normal (`kernels`).

Each is a bijection with its Jacobian in the density: the reference fit changes how fast the
sampler is, never what it converges to.

The several-countries model (4 chains, 10,000 draws after 4,000 of tuning, seed 1; seconds of
processor time on a shared machine, 18 coordinates): smallest bulk and tail effective sample
size over coefficients, sds and correlation, and divergences:

    ======================================================  ======  ====  ====  ====  =======
    coordinates                                             target  bulk  tail  div.  seconds
    ======================================================  ======  ====  ====  ====  =======
    integrated, whitened, sds of slopes centred at the mean   .95   1460  1516     0      190
    the same, sds bent                                        .85   1263   466     1       74
    the same, correlation bent too                            .90    698   732     3      173
    integrated, whitened, sds of the original columns, bent   .85   2771  3158    40       39
    the same                                                  .95   3710  3894     3       78
    the same (the default)                                    .98   2275  2700     0       95
    ======================================================  ======  ====  ====  ====  =======

Centring the columns of a piece helps plain non-centred effects. Once effects are whitened it
only bends the prior of the sds into a ridge, and the original columns are better.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from hierwidgets.base.arrays import Array, Index
from hierwidgets.errors import FitError
from hierwidgets.likelihood import estimate, gaussian
from hierwidgets.likelihood.quadrature import nodes
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from . import kernels
from .priors import KINDS, Prior, Resolved

__all__ = ["JOINT_LIMIT", "Chart", "Piece", "chart", "pieces"]


JOINT_LIMIT = 60
N_NODES = 7


@dataclass(frozen=True, slots=True)
class Piece:
    """Correlated effects over one group: a block of a term.

    Attributes
    ----------
    term : int
    columns : tuple of int
        Its columns of that term.
    """

    term: int
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A quadratic approximation of the log-likelihood at a fit: all in the order of rows.

    Attributes
    ----------
    weight, response : (n,)
        Information of the linear predictor and the working response, offset taken off.
    sds : list of (k,)
        Sds of the effects, per term.
    sigma : float
        Residual sd of a Gaussian model, else 1.
    modes : list of (J, k)
        Standardised effects, per term.
    """

    weight: Array
    response: Array
    sds: list[Array]
    sigma: float
    modes: list[Array]


@dataclass(frozen=True, slots=True)
class Chart:
    """A problem for the compiled density, and the way back.

    Attributes
    ----------
    problem : kernels.Problem
    pieces : tuple of Piece
        Those sampled, in the order of `problem`.
    integrated : Piece or None
    R : (p, p)
        ``X = Q R``.
    start : (d,)
        Where chains start around.
    order : (n,) int
        The rows of the design in the order of `problem`.
    """

    problem: kernels.Problem
    pieces: tuple[Piece, ...]
    integrated: Piece | None
    R: Array
    start: Array
    order: Index


def pieces(design: Design, integrate: bool = True) -> tuple[Piece | None, list[Piece]]:
    """The piece to integrate out, the scalar one with the most levels, and the others."""
    every = [Piece(t, block) for t, term in enumerate(design.terms) for block in term.blocks]
    scalar = [piece for piece in every if len(piece.columns) == 1]
    if not scalar or not integrate:
        return None, every
    most = max(scalar, key=lambda piece: design.terms[piece.term].J)
    return most, [piece for piece in every if piece is not most]


def chart(
    design: Design,
    family: Family,
    priors: Resolved,
    *,
    integrate: bool = True,
    n_nodes: int = N_NODES,
    joint_limit: int = JOINT_LIMIT,
) -> Chart:
    """The coordinates of a model's posterior.

    Parameters
    ----------
    integrate :
        Whether to integrate a scalar group term out.
    n_nodes :
        Quadrature points per level.
    joint_limit :
        The largest number of coefficients and effects that are whitened together.
    """
    lead, others = pieces(design, integrate)
    order = np.arange(len(design.y))
    if lead is not None:
        order = np.argsort(design.terms[lead.term].codes, kind="stable")
    known = reference(design, family)
    Q, R = _orthonormal(design)
    Z = _columns(design, others, order)
    W = _Rows(design, lead, others, order, known, Q[order], Z)
    block, slot, slot_piece, slot_at, H, H_at, r = _blocks(W, joint_limit)
    bent_at, centre, bent_by = _bent_coordinates(design, known, priors, lead, others)
    sd_kind, sd_par = _sd_priors(priors, lead, others)
    kind, par, combinations = _coefficient_priors(priors, R)
    x, log_weight = nodes(n_nodes)
    sigma = _coded(priors.sigma) if priors.sigma is not None else (0, np.zeros(3))
    problem = kernels.Problem(
        family=_FAMILIES[family.name, family.link.name],
        y=np.ascontiguousarray(design.y[order]),
        trials=np.ascontiguousarray(design.trials[order]),
        offset=np.ascontiguousarray(design.offset[order]),
        Q=np.ascontiguousarray(Q[order]),
        integrated=int(lead is not None),
        z0=W.z0,
        starts=W.starts,
        u_start=known.modes[lead.term][:, lead.columns[0]].copy() if lead else np.zeros(0),
        node=x,
        log_weight=log_weight,
        sizes=np.array([len(o.columns) for o in others], np.int64),
        levels=np.array([design.terms[o.term].J for o in others], np.int64),
        codes=W.codes,
        Z=Z,
        widest=max([len(o.columns) for o in others], default=1),
        block=block,
        slot=slot,
        slot_piece=slot_piece,
        slot_at=slot_at,
        H=H,
        H_at=H_at,
        r=r,
        eta=np.array([_eta(priors, design, o) for o in others]),
        bent_at=bent_at,
        bent_centre=centre,
        bent_by=bent_by,
        sd_kind=sd_kind,
        sd_par=sd_par,
        map=combinations,
        map_kind=kind,
        map_par=par,
        sigma_kind=sigma[0],
        sigma_par=sigma[1],
    )
    start = _start(problem, known)
    problem = problem._replace(bent_centre=_centres(problem, start))
    return Chart(problem, tuple(others), lead, R, start, order)


_FAMILIES = {
    ("binomial", "logit"): 0,
    ("binomial", "probit"): 1,
    ("binomial", "cloglog"): 2,
    ("poisson", "log"): 3,
    ("gaussian", "identity"): 4,
}


# --- the reference ------------------------------------------------------------------------


def reference(design: Design, family: Family) -> Reference:
    """The quadratic approximation at the maximum likelihood fit; where there is none, at
    smoothed outcomes."""
    try:
        if family.name == "gaussian":
            g = gaussian.maximize(design, reml=True)
            factors = design.template.factors(g.theta)
            return Reference(
                design.trials / g.sigma**2,
                design.y - design.offset,
                [g.sigma * np.sqrt((L**2).sum(axis=1)) for L in factors],
                g.sigma,
                g.modes.u,
            )
        m = estimate.maximize(design, family)
        eta, factors = m.modes.eta, design.template.factors(m.theta)
        sds, u = [np.sqrt((L**2).sum(axis=1)) for L in factors], m.modes.u
    except FitError:
        eta = _smoothed(design, family)
        sds = [np.full(t.k, 0.5) for t in design.terms]
        u = [np.zeros((t.J, t.k)) for t in design.terms]
        if family.name == "gaussian":
            sigma = max(float(np.std(design.y)), 1e-8)
            return Reference(design.trials / sigma**2, design.y - design.offset, sds, sigma, u)
    d = family.derivatives(design.y, design.trials, eta)
    weight = np.maximum(d.weight, 1e-8)
    return Reference(weight, eta + d.score / weight - design.offset, sds, 1.0, u)


def _smoothed(design: Design, family: Family) -> Array:
    if family.name == "binomial":
        return family.link.forward((design.y + 0.5) / (design.trials + 1.0))
    if family.name == "poisson":
        return family.link.forward((design.y + 0.5) / np.maximum(design.trials, 1e-8))
    return design.y.copy()


def _orthonormal(design: Design) -> tuple[Array, Array]:
    """Q with columns of mean square 1, and R: ``X = Q R``."""
    if not design.X.shape[1]:
        return design.X, np.zeros((0, 0))
    Q, R = np.linalg.qr(design.X)
    scale = np.sqrt(len(design.X))
    return Q * scale, R / scale


def _columns(design: Design, others: list[Piece], order: Index) -> Array:
    """Columns of the sampled pieces (n, sum of k), side by side."""
    parts = [design.terms[piece.term].Z[:, piece.columns] for piece in others]
    return np.ascontiguousarray(np.hstack([np.zeros((len(design.y), 0)), *parts])[order])


class _Rows:
    """Rows in the order of the problem, and their information once the lead is integrated."""

    def __init__(
        self,
        design: Design,
        lead: Piece | None,
        others: list[Piece],
        order: Index,
        known: Reference,
        Q: Array,
        Z: Array,
    ) -> None:
        n = len(order)
        self.Q, self.Z, self.others = Q, Z, others
        self.design, self.weight = design, known.weight[order]
        self.response = known.response[order]
        self.codes = np.zeros((len(others), n), np.int64)
        for t, piece in enumerate(others):
            self.codes[t] = design.terms[piece.term].codes[order]
        self.z0, self.starts = np.zeros(0), np.zeros(1, np.int64)
        self.variance, self.lead_codes = 0.0, np.zeros(0, np.intp)
        if lead is not None:
            term = design.terms[lead.term]
            self.lead_codes = term.codes[order]
            self.z0 = np.ascontiguousarray(term.Z[order, lead.columns[0]])
            self.starts = np.searchsorted(self.lead_codes, np.arange(term.J + 1)).astype(np.int64)
            self.variance = max(float(known.sds[lead.term][lead.columns[0]]), 0.05) ** 2

    def weigh(self, columns: Array) -> Array:
        """``inv(V) columns``, V the variance of the working response given later effects."""
        W = self.weight[:, None] * columns
        if not self.z0.size:
            return W
        J = len(self.starts) - 1
        gain = self.variance / (
            1.0
            + self.variance * np.bincount(self.lead_codes, self.weight * self.z0**2, minlength=J)
        )
        pulled = np.add.reduceat(W * self.z0[:, None], self.starts[:-1], axis=0)
        back = (gain[:, None] * pulled)[self.lead_codes] * self.z0[:, None]
        return W - self.weight[:, None] * back


def _blocks(rows: _Rows, limit: int) -> tuple[Index, Index, Index, Index, Array, Index, Array]:
    """Bounds of the blocks, slots, and the information H and right side r of each."""
    p, design = rows.Q.shape[1], rows.design
    slot, slot_piece, at = [], [], p
    for t, piece in enumerate(rows.others):
        for _ in range(design.terms[piece.term].J):
            slot.append(at)
            slot_piece.append(t)
            at += len(piece.columns)
    if at <= limit or not slot:
        G = _all_columns(rows, at)
        V = rows.weigh(G)
        block, slot_at = [0, at], [0, len(slot)]
        H, r = [G.T @ V], V.T @ rows.response
        if not at:
            block, slot_at, H = [0], [0], []
    else:
        block = [0, p, *list(slot[1:]), at] if p else [*slot, at]
        slot_at = [0, 0, *range(1, len(slot) + 1)] if p else list(range(len(slot) + 1))
        H, r = _by_level(rows, p, at)
    sizes = np.diff(block)
    return (
        np.array(block, np.int64),
        np.array(slot, np.int64),
        np.array(slot_piece, np.int64),
        np.array(slot_at, np.int64),
        np.concatenate([np.zeros(0), *[h.ravel() for h in H]]),
        np.concatenate([[0], np.cumsum(sizes**2)]).astype(np.int64),
        r,
    )


def _all_columns(rows: _Rows, size: int) -> Array:
    G = np.zeros((len(rows.response), size))
    at, column = rows.Q.shape[1], 0
    G[:, :at] = rows.Q
    line = np.arange(len(G))
    for t, piece in enumerate(rows.others):
        k = len(piece.columns)
        for m in range(k):
            G[line, at + rows.codes[t] * k + m] = rows.Z[:, column + m]
        at += rows.design.terms[piece.term].J * k
        column += k
    return G


def _by_level(rows: _Rows, p: int, size: int) -> tuple[list[Array], Array]:
    """H and r of the coefficients, and of every level given the coefficients."""
    VQ = rows.weigh(rows.Q)
    H, r = [rows.Q.T @ VQ] if p else [], np.zeros(size)
    rest = rows.response
    if p:
        r[:p] = VQ.T @ rows.response
        rest = rest - rows.Q @ np.linalg.solve(H[0], r[:p])
    at, column = p, 0
    for t, piece in enumerate(rows.others):
        k, J = len(piece.columns), rows.design.terms[piece.term].J
        Z = rows.Z[:, column : column + k]
        V = Z * rows.weight[:, None] / _inflation(rows)[:, None]
        every = np.zeros((J, k, k))
        np.add.at(every, rows.codes[t], Z[:, :, None] * V[:, None, :])
        pulled = np.zeros((J, k))
        np.add.at(pulled, rows.codes[t], V * rest[:, None])
        H += list(every)
        r[at : at + J * k] = pulled.ravel()
        at, column = at + J * k, column + k
    return H, r


def _inflation(rows: _Rows) -> Array:
    """By how much the integrated effects blur a row."""
    if not rows.z0.size:
        return np.ones(len(rows.response))
    info = np.bincount(rows.lead_codes, rows.weight * rows.z0**2)
    return np.asarray(1.0 + rows.variance * info[rows.lead_codes], dtype=np.float64)


# --- priors and start ---------------------------------------------------------------------


def _coded(prior: Prior) -> tuple[int, Array]:
    par = np.zeros(3)
    par[: len(prior.parameters)] = prior.parameters
    return KINDS.index(prior.kind), par


def _sd_priors(
    priors: Resolved, lead: Piece | None, others: list[Piece]
) -> tuple[NDArray[np.int64], Array]:
    widest = max([len(o.columns) for o in others], default=1)
    kind = np.zeros((1 + len(others), widest), np.int64)
    par = np.zeros((1 + len(others), widest, 3))
    for row, piece in enumerate([lead, *others]):
        if piece is not None:
            for i, column in enumerate(piece.columns):
                kind[row, i], par[row, i] = _coded(priors.sds[piece.term][column])
    return kind, par


def _eta(priors: Resolved, design: Design, piece: Piece) -> float:
    return priors.corrs[piece.term][design.terms[piece.term].blocks.index(piece.columns)]


def _coefficient_priors(priors: Resolved, R: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """Kinds, parameters and combinations of the coefficients of Q, of priors not flat."""
    p = len(R)
    kind, par, rows = [], [], []
    inverse = np.linalg.inv(R) if p else R
    for i, prior in enumerate(priors.coefficients):
        if prior.kind == "flat":
            continue
        own = priors.centre if i == priors.intercept else np.eye(p)[i]
        code, numbers = _coded(prior)
        kind.append(code)
        par.append(numbers)
        rows.append(own @ inverse)
    m = len(kind)
    return (
        np.array(kind, np.int64),
        np.array(par).reshape(m, 3),
        np.ascontiguousarray(np.array(rows).reshape(m, p)),
    )


def _bent_coordinates(
    design: Design, known: Reference, priors: Resolved, lead: Piece | None, others: list[Piece]
) -> tuple[NDArray[np.int64], Array, Array]:
    """Which coordinates are bent; where their centres are looked for: log sds of the reference
    (none too small), and 0 for partial correlations; and by how much they are bent.

    A tail exp(-rate |log sd|) becomes normal with variance 1/2 where the bend is rate^-2: below,
    ``d sd`` has rate 1; above, J effects' densities have rate J and a half-t prior some more.
    Tails in z have the rate of LKJ's density, ``2 (eta - 1) + k - j`` in column j (`kernels`).
    """
    index: list[int] = []
    centre: list[float] = []
    by: list[tuple[float, float]] = []
    at = 0
    for piece in [lead, *others] if lead is not None else others:
        k, J = len(piece.columns), design.terms[piece.term].J
        index += range(at, at + k * (k + 1) // 2)
        sds = known.sds[piece.term][list(piece.columns)]
        centre += list(np.log(np.maximum(sds, 0.1 * known.sigma)))
        centre += [0.0] * (k * (k - 1) // 2)
        by += [(1.0, (J + 3.0) ** -2)] * k
        power = 2.0 * (_eta(priors, design, piece) - 1.0) + k
        by += [(max(power - j, 1.0) ** -2,) * 2 for i in range(1, k) for j in range(i)]
        at += k * (k + 1) // 2
    return np.array(index, np.int64), np.array(centre), np.array(by).reshape(-1, 2)


def _centres(problem: kernels.Problem, start: Array) -> Array:
    """Log sds at the mode of the density of unbent coordinates, near which their two tails meet.

    Rounded, so that the last bits of a search do not change the draws. Partial correlations are
    bent about 0.
    """
    straight = problem._replace(bent_by=np.zeros_like(problem.bent_by))

    def value(x: Array) -> tuple[float, Array]:
        gradient = np.empty_like(x)
        found = kernels.log_density(straight, x, gradient)
        return (-found, -gradient) if np.isfinite(found) else (np.inf, np.zeros_like(x))

    best = optimize.minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 50})
    moved = np.clip(best.x[problem.bent_at], -4.0, 4.0)
    is_sd = problem.bent_by[:, 0] != problem.bent_by[:, 1]
    usable = is_sd & np.isfinite(moved) & np.isfinite(best.fun)
    return problem.bent_centre + np.where(usable, np.round(moved, 1), 0.0)


def _start(problem: kernels.Problem, known: Reference) -> Array:
    """Sds of the reference fit, no correlation, xi = 0."""
    k = problem.sizes
    covariances = problem.integrated + int((k * (k + 1) // 2).sum())
    sigma = [np.log(known.sigma)] if problem.family == 4 else []
    return np.concatenate([np.zeros(covariances), sigma, np.zeros(len(problem.r))])
