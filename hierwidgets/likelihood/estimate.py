"""Maximum likelihood for a design: start, search, modes at the optimum.

The only place that knows which integral belongs to which design; everything it returns is
an array in a frozen record.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError, FormulaError
from hierwidgets.spec.design import Design, Term, level_sums
from hierwidgets.spec.families import Derivatives, Family

from .blocks import Layout, factorize, layout, scale
from .coordinates import Coordinates, starting_factors, working
from .existence import LARGEST_SD, check_levels, check_outcome, no_finite_sd
from .laplace import Modes, Value, conditional_modes, laplace
from .nested import is_nested, nested
from .optimum import Optimum, covariance, lowest_minimum, minimize, search_unit
from .quadrature import adaptive
from .schur import SMALL
from .separation import check_separation
from .threads import blas_threads

__all__ = [
    "Estimate",
    "WarmStart",
    "coefficient_units",
    "fixed_only",
    "maximize",
    "objective",
    "profile_loglik",
]

Evaluate = Callable[[Array, Array, tuple[Array, Array] | None], Value]

_QUADRATURE = 0.2  # of -2 log L: what other nodes may change
_FEWEST_JUDGED = 5  # nodes: fewer are a coarse integral by choice


@dataclass(frozen=True, slots=True)
class Estimate:
    """Maximum likelihood estimates of a generalised model.

    Attributes
    ----------
    theta, beta : (m,), (p,)
    neg2loglik : float
        ``-2 log L``, counting constant included.
    covariance : (m + p, m + p)
        Of (theta, beta): twice the inverse Hessian of ``-2 log L``.
    gradient : (m + p,)
    modes : Modes
    converged, message : bool, str
    trace : (evaluations, m + p + 1)
        Every (theta, beta) tried and ``-2 log L`` there.
    """

    theta: Array
    beta: Array
    neg2loglik: float
    covariance: Array
    gradient: Array
    modes: Modes
    converged: bool
    message: str
    trace: Array


def objective(lay: Layout, family: Family, n_agq: int) -> Evaluate:
    """``(theta, beta, start) -> Value`` for `n_agq` quadrature points (1: Laplace)."""
    _check_nodes(lay, n_agq)
    if n_agq == 1:
        return lambda theta, beta, start: laplace(lay, family, theta, beta, start)
    if len(lay.design.terms) == 1:
        return lambda theta, beta, start: adaptive(lay, family, theta, beta, n_agq, start)
    return lambda theta, beta, start: nested(lay, family, theta, beta, n_agq, start)


class WarmStart:
    """An objective in its course through a search: each evaluation starts at the last modes.

    Attributes
    ----------
    modes : (J, k) and (q2,), or None
        Where the next evaluation starts; None before the first.
    """

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self.modes: tuple[Array, Array] | None = None

    def __call__(self, theta: Array, beta: Array) -> Value:
        value = self._evaluate(theta, beta, self.modes)
        self.modes = value.u0, value.u2
        return value


def _check_nodes(lay: Layout, n_agq: int) -> None:
    if isinstance(n_agq, bool) or not isinstance(n_agq, int) or not 1 <= n_agq <= 100:
        raise FitError(f"n_agq={n_agq!r} is not a number of quadrature points from 1 to 100")
    terms = lay.design.terms
    scalar = len(terms) == 1 and terms[0].k == 1
    if n_agq > 1 and not scalar and not is_nested(lay):
        found = ", ".join(f"({' + '.join(t.names)} | {t.group})" for t in terms)
        raise FormulaError(
            f"n_agq={n_agq} needs one coefficient that varies over the innermost group, and "
            f"every other group to contain whole levels of it; the model has {found}. Use n_agq=1"
        )


def fixed_only(design: Design, family: Family) -> Array:
    """Coefficients (p,) of the model without group effects, by Newton's method."""
    beta = np.zeros(design.X.shape[1])
    if not beta.size:
        return beta
    d = family.derivatives(design.y, design.trials, design.X @ beta + design.offset)
    for _ in range(25):
        information = (design.X * d.weight[:, None]).T @ design.X
        if not np.trace(information) > 0:
            low, high = np.min(design.offset), np.max(design.offset)
            raise FitError(
                "at the start every fitted mean is at its bound, so that no coefficient can be "
                f"told; offsets go from {low:.3g} to {high:.3g} on "
                "the link scale: is it a logarithm?"
            )
        ridge = 1e-10 * np.trace(information) / len(beta) * np.eye(len(beta))
        step = np.linalg.solve(information + ridge, design.X.T @ d.score)
        size, old = 1.0, d.loglik.sum()
        while True:
            d = family.derivatives(
                design.y, design.trials, design.X @ (beta + size * step) + design.offset
            )
            if d.loglik.sum() >= old - 1e-9 * abs(old) or size < 1e-6:
                break
            size *= 0.5
        beta = beta + size * step
        if abs(d.loglik.sum() - old) < 1e-6 * (abs(old) + 1e-3):
            break
    return beta


def _start(design: Design, family: Family, lay: Layout) -> tuple[Array, Array]:
    """Where to start (m + p,), and the scale of the search (m + p, m + p).

    The design is in working coordinates: columns of size 1.
    """
    template = design.template
    beta = fixed_only(design, family)
    m, p = template.m, len(beta)
    d = family.derivatives(design.y, design.trials, design.X @ beta + design.offset)
    moments = [_first_sd(term, d) for term in design.terms]
    sd = np.array([sd for sd, _ in moments])[template.term]
    theta = template.start() * sd
    unit = np.zeros((m + p, m + p))
    unit[:m, :m] = np.diag(np.array([unit for _, unit in moments])[template.term])
    unit[m:, m:] = coefficient_units(lay, theta, d.weight)
    return np.concatenate([theta, beta]), unit


def coefficient_units(lay: Layout, theta: Array, weight: Array) -> Array:
    """The scale (p, p) of a search over the coefficients, for the rows' information (n,)."""
    p = lay.design.X.shape[1]
    if not p:
        return np.zeros((0, 0))
    information = _information(lay, theta, np.maximum(weight, 1e-8))
    norm = np.sqrt(np.diag(information))
    chol = np.linalg.cholesky(information / np.outer(norm, norm) + 1e-12 * np.eye(p))
    units: Array = np.linalg.inv(chol).T / norm[:, None]
    return units


def _information(lay: Layout, theta: Array, weight: Array) -> Array:
    """Of the coefficients (p, p), group effects integrated out: ``X'WX - X'WU inv(A) U'WX``.

    ``U = Z Lambda``. Without the second part many trials a row make a search unit that is far
    too small: rows tell the outcome within their level, levels tell the coefficients.
    """
    X = lay.design.X
    blocks = factorize(scale(lay, lay.template.factors(theta)), weight)
    pulled = [blocks.scaled.pull(weight * x) for x in X.T]
    solved = [blocks.solve(*g) for g in pulled]
    taken = [[np.vdot(g0, u0) + g2 @ u2 for u0, u2 in solved] for g0, g2 in pulled]
    result: Array = (X * weight[:, None]).T @ X - np.array(taken)
    return result


def _first_sd(term: Term, d: Derivatives) -> tuple[float, float]:
    """A moment estimate of the sd between levels, and the unit to search it in.

    The estimate is DerSimonian & Laird's (1986, Controlled Clinical Trials 7(3)), applied to
    the working residuals of the fit without group effects. The unit gives -2 log L a
    curvature of about 2: the information on an sd theta is ``2 sum(r_j^2) / theta^2``, with
    ``r_j = theta^2 W_j / (1 + theta^2 W_j)``.
    """
    weight, score = level_sums(term, d.weight), level_sums(term, d.score)
    total = weight.sum()
    excess = float(np.sum(score**2 / np.maximum(weight, 1e-8))) - (term.J - 1)
    variance = excess / max(total - float(weight @ weight) / total, 1e-8)
    sd = float(np.clip(np.sqrt(max(variance, 0.0)), 0.2, 3.0))
    return sd, search_unit(sd, weight)


def maximize(design: Design, family: Family, n_agq: int = 1, threads: int = 1) -> Estimate:
    """Maximum likelihood estimates of a binomial or Poisson model.

    `threads` of the BLAS for large ones.

    Raises
    ------
    FitError
        The outcome is the same in every row, or within every level of a group; predictors
        separate 0 from 1.
    FormulaError
        `n_agq` above 1 for a model that is not one scalar group term.
    """
    check_outcome(design, family)
    check_levels(design, family)
    own = working(design)
    lay = layout(own.design)
    evaluate = WarmStart(objective(lay, family, n_agq))
    m = design.template.m

    def value_and_gradient(x: Array) -> tuple[float, Array]:
        value = evaluate(x[:m], x[m:])
        return value.neg2loglik, value.gradient

    x, unit = _start(own.design, family, lay)
    rough = n_agq > 1 and len(design.terms) > 1
    # small: one Newton step then brings the modes along, and the Hessian does not see their lag
    step = 3e-3 if rough else 1e-5
    with blas_threads(lay.q2, threads):
        starts = [np.concatenate([theta, x[m:]]) for theta in starting_factors(design, x[:m])]
        found = lowest_minimum(value_and_gradient, starts, unit, step=step, dear=lay.q2 >= SMALL)
    check_separation(own, design, family, found)
    _check_sds(own, found)
    if n_agq >= _FEWEST_JUDGED:
        found = _quadrature_judged(lay, family, n_agq, found, evaluate.modes)
    with blas_threads(lay.q2, threads):
        return _assemble(design, family, own, lay, found, evaluate.modes)


def _assemble(
    design: Design,
    family: Family,
    own: Coordinates,
    lay: Layout,
    found: Optimum,
    modes: tuple[Array, Array] | None,
) -> Estimate:
    m, outward = design.template.m, own.outward
    theta, beta = np.split(outward @ found.x, [m])
    canonical = design.template.canonical(theta)
    sign = np.concatenate([np.where(canonical == theta, 1.0, -1.0), np.ones(len(beta))])
    shift = -2.0 * design.constant
    trace = np.column_stack([found.trace[:, :-1] @ outward.T, found.trace[:, -1] + shift])
    outward = sign[:, None] * outward
    return Estimate(
        theta=canonical,
        beta=beta,
        neg2loglik=found.value + shift,
        covariance=outward @ covariance(found.hessian) @ outward.T,
        gradient=sign * (own.inward.T @ found.gradient),
        modes=conditional_modes(
            design,
            family,
            beta,
            canonical,
            lay=layout(design, like=lay),
            start=modes if (sign > 0).all() else None,
        ),
        converged=found.converged,
        message=found.message,
        trace=trace,
    )


def _check_sds(own: Coordinates, found: Optimum) -> None:
    """Refuse an sd that the search has followed out of sight."""
    template = own.design.template
    for term, L in zip(own.design.terms, template.factors(found.x[: template.m]), strict=True):
        sd = float(np.sqrt((L**2).sum(axis=1)).max())
        if sd > LARGEST_SD:
            raise no_finite_sd(
                term,
                f"the effects of {term.group!r} tell the outcomes of nearly every level without "
                f"exception (their sd is {sd:.0f} on the link scale, and growing)",
            )


def _quadrature_judged(
    lay: Layout,
    family: Family,
    n_agq: int,
    found: Optimum,
    modes: tuple[Array, Array] | None,
) -> Optimum:
    """Not converged where other nodes give another likelihood: the integral itself is off."""
    others = min(2 * n_agq + 1, 100) if n_agq < 100 else 99
    m = lay.template.m
    again = objective(lay, family, others)(found.x[:m], found.x[m:], modes).neg2loglik
    if abs(again - found.value) < _QUADRATURE:
        return found
    return replace(
        found,
        converged=False,
        message=f"not converged: with effects this large, {n_agq} and {others} quadrature points "
        f"give log-likelihoods {0.5 * abs(again - found.value):.2g} apart",
    )


def profile_loglik(
    design: Design,
    family: Family,
    theta: Array,
    n_agq: int = 1,
    beta0: Array | None = None,
    fixed: dict[int, float] | None = None,
) -> tuple[float, Array]:
    """The log-likelihood maximised over beta at a given theta.

    Parameters
    ----------
    theta : (m,)
    beta0 : (p,)
        Where to start.
    fixed :
        Coefficients held at a value, by position.

    Returns
    -------
    loglik, beta
        The maximum (counting constant included) and where it is.
    """
    held = {} if fixed is None else fixed
    free = [i for i in range(design.X.shape[1]) if i not in held]
    beta = fixed_only(design, family) if beta0 is None else beta0.astype(np.float64).copy()
    order, f = [*free, *held], len(free)
    own = working(replace(design, X=design.X[:, order]))  # those held last, R being triangular
    gamma = (own.R @ beta[order])[:f]  # the others take over what they can
    beta[list(held)] = list(held.values())
    Q, given = own.design.X, own.R[:, f:] @ beta[list(held)]
    rest = replace(own.design, X=Q[:, :f], offset=design.offset + Q[:, f:] @ given[f:])
    m, lay = len(own.M), layout(rest)
    evaluate = WarmStart(objective(lay, family, n_agq))
    inner: Array = np.linalg.solve(own.M, theta).astype(np.float64, copy=False)

    def value_and_gradient(gamma: Array) -> tuple[float, Array]:
        value = evaluate(inner, gamma)
        return value.neg2loglik, value.gradient[m:]

    if not free:
        return -0.5 * value_and_gradient(gamma)[0] + design.constant, beta
    _, unit = _start(rest, family, lay)
    found = minimize(value_and_gradient, gamma, unit[m:, m:])
    beta[free] = np.linalg.solve(own.R[:f, :f], found.x - given[:f])
    return -0.5 * found.value + design.constant, beta
