"""Profile likelihoods: one parameter held, ``-2 log L`` minimised over all others.

The parameters are those a reader of a fit sees: coefficients, sds, correlations and the
residual sd. The signed root of the rise in ``-2 log L``,

    zeta(c) = sign(c - estimate) * sqrt(-2 log L(c) + 2 log L(estimate)),

is close to a line even where the likelihood is skewed, and an interval of level a ends where
|zeta| reaches the normal quantile of (1 + a) / 2 (Bates & Watts 1988, Nonlinear Regression
Analysis and Its Applications, section 6.1; lme4's `profile` does the same; Venzon &
Moolgavkar 1988, Appl. Stat. 37(1)). The limits of an sd end at 0 and those of a correlation
at -1 and 1 when the likelihood does not fall far enough before.

To hold an sd or a correlation, the columns of its term are put in an order in which it is an
element (or a simple function of three) of the Cholesky factor; the likelihood does not depend
on that order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective
from hierwidgets.likelihood.gaussian import evaluate, products
from hierwidgets.likelihood.optimum import minimize, search_unit
from hierwidgets.spec.covariance import cholesky_from_sd_corr, sd_corr
from hierwidgets.spec.design import Design, Term
from hierwidgets.spec.families import Family

__all__ = ["Parameter", "Point", "interval", "limits", "parameters", "value"]

Deviance = Callable[[Array], tuple[float, Array]]

_EXPANSIONS = 15


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter a reader of a fit sees.

    Attributes
    ----------
    name : str
        "x", "sd x | g", "corr Intercept, x | g" or "sigma".
    kind : str
        "coefficient", "sd", "corr" or "sigma".
    term : int
        The group term of an sd or correlation.
    i, j : int
        Its columns; a coefficient's position is `i`.
    """

    name: str
    kind: str
    term: int = -1
    i: int = -1
    j: int = -1


@dataclass(frozen=True, slots=True)
class Point:
    """Parameters of a model, the covariance factors in absolute units.

    Attributes
    ----------
    factors : tuple of (k, k)
        ``sigma Lambda``, one per term.
    sigma : float
        Residual sd of a Gaussian model, else 1.
    beta : (p,)
    neg2loglik : float
        By maximum likelihood, also where a fit is by REML.
    """

    factors: tuple[Array, ...]
    sigma: float
    beta: Array
    neg2loglik: float


def parameters(design: Design, family: Family) -> tuple[Parameter, ...]:
    """All parameters in the order of a summary: coefficients, sds, correlations, sigma.

    Examples
    --------
    >>> from hierwidgets.data import datasets
    >>> from hierwidgets.spec import design, families, formula
    >>> binomial = families.family("binomial")
    >>> d = design.build(formula.parse("contacted ~ (1 | district_id)"),
    ...                  datasets.load("finland"), binomial, event="Contacted")
    >>> [p.name for p in parameters(d, binomial)]
    ['Intercept', 'sd Intercept | district_id']
    """
    out = [Parameter(name, "coefficient", i=i) for i, name in enumerate(design.names)]
    for t, term in enumerate(design.terms):
        out += [
            Parameter(f"sd {name} | {term.group}", "sd", t, i) for i, name in enumerate(term.names)
        ]
        out += [
            Parameter(f"corr {term.names[i]}, {term.names[j]} | {term.group}", "corr", t, i, j)
            for block in term.blocks
            for n, i in enumerate(block)
            for j in block[n + 1 :]
        ]
    if family.name == "gaussian":
        out.append(Parameter("sigma", "sigma"))
    return tuple(out)


def value(parameter: Parameter, at: Point) -> float:
    """The parameter's value; nan for a correlation with an sd of 0."""
    if parameter.kind == "coefficient":
        return float(at.beta[parameter.i])
    if parameter.kind == "sigma":
        return at.sigma
    sd, corr = sd_corr(at.factors[parameter.term])
    if parameter.kind == "sd":
        return float(sd[parameter.i])
    return float(corr[parameter.i, parameter.j])


# --- a parameter held ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What is minimised when a parameter is held.

    Attributes
    ----------
    deviance : c -> (x (d,) -> (neg2loglik, gradient (d,)))
    start : (d,)
        x at the estimate.
    scale : (d, d)
        The scale of a search over x.
    """

    deviance: Callable[[float], Deviance]
    start: Array
    scale: Array


def held(
    parameter: Parameter, design: Design, family: Family, n_agq: int, at: Point, spread: Array
) -> Held:
    """The problem with `parameter` held.

    Parameters
    ----------
    spread : (p, p)
        Covariance of the coefficients: the scale of a search over them.
    """
    gaussian = family.name == "gaussian"
    if gaussian and parameter.kind == "coefficient":
        return _held_gaussian_coefficient(parameter, design, family, at)
    if parameter.kind in ("sd", "corr"):
        design, at, parameter = _put_first(parameter, design, at)
    template = design.template
    absolute = np.array(
        [
            at.factors[t][r, c]
            for t, r, c in zip(template.term, template.rows, template.cols, strict=True)
        ]
    )
    rest = [np.log(at.sigma)] if gaussian else at.beta
    psi = np.concatenate([absolute, rest])
    scale = np.zeros((len(psi), len(psi)))
    m = template.m
    scale[:m, :m] = np.diag(_theta_scale(design, family, at))
    if gaussian:
        scale[m, m] = 0.5 / np.sqrt(design.nobs)
    elif len(spread):
        scale[m:, m:] = np.linalg.cholesky(spread + 1e-12 * np.diag(np.diag(spread)))
    full = _gaussian(design) if gaussian else _generalised(design, family, n_agq)
    if parameter.kind == "corr":
        return _hold_correlation(full, parameter, design, psi, scale)
    return _hold_element(full, _position(parameter, design), psi, scale)


def _theta_scale(design: Design, family: Family, at: Point) -> Array:
    """A unit for each factor element, from the information its levels have."""
    if family.name == "gaussian":
        weight = design.trials / at.sigma**2
    else:
        eta = design.X @ at.beta + design.offset
        weight = family.derivatives(design.y, design.trials, eta).weight
    template, out = design.template, []
    for t, r in zip(template.term, template.rows, strict=True):
        term = design.terms[t]
        z2 = term.Z[:, r] ** 2
        sd = max(float(np.linalg.norm(at.factors[t][r])), 0.2 * at.sigma / _size(z2))
        information = np.bincount(term.codes, weight * z2, minlength=term.J).astype(np.float64)
        out.append(search_unit(sd, information))
    return np.array(out)


def _size(squares: Array) -> float:
    return float(np.sqrt(np.mean(squares))) or 1.0


def _position(parameter: Parameter, design: Design) -> int:
    """Where a held sd, coefficient or sigma stands in psi."""
    template = design.template
    if parameter.kind == "sigma":
        return template.m
    if parameter.kind == "coefficient":
        return template.m + parameter.i
    hit = (template.term == parameter.term) & (template.rows == parameter.i) & template.diagonal
    return int(np.flatnonzero(hit)[0])


def _put_first(parameter: Parameter, design: Design, at: Point) -> tuple[Design, Point, Parameter]:
    """The same model with the parameter's columns first in their block."""
    t, term = parameter.term, design.terms[parameter.term]
    block = next(b for b in term.blocks if parameter.i in b)
    lead = [parameter.i] + ([parameter.j] if parameter.kind == "corr" else [])
    order = np.arange(term.k)
    order[list(block)] = lead + [i for i in block if i not in lead]
    moved: Term = replace(
        term, Z=np.ascontiguousarray(term.Z[:, order]), names=tuple(term.names[i] for i in order)
    )
    terms, factors = list(design.terms), list(at.factors)
    terms[t] = moved
    sd, corr = sd_corr(factors[t][order])
    factors[t] = cholesky_from_sd_corr(sd, np.nan_to_num(corr))
    first = replace(parameter, i=block[0], j=block[1] if parameter.kind == "corr" else -1)
    return replace(design, terms=tuple(terms)), replace(at, factors=tuple(factors)), first


def _generalised(design: Design, family: Family, n_agq: int) -> Deviance:
    """``psi = (factor elements, beta) -> -2 log L`` by Laplace or quadrature."""
    lay, m = layout(design), design.template.m
    evaluate_at = objective(lay, family, n_agq)
    warm: list[tuple[Array, Array] | None] = [None]

    def deviance(psi: Array) -> tuple[float, Array]:
        found = evaluate_at(psi[:m], psi[m:], warm[0])
        warm[0] = (found.u0, found.u2)
        return found.neg2loglik - 2.0 * design.constant, found.gradient

    return deviance


def _gaussian(design: Design) -> Deviance:
    """``psi = (factor elements, log sigma) -> -2 log L``, beta profiled out."""
    P, m = products(design), design.template.m

    def deviance(psi: Array) -> tuple[float, Array]:
        sigma = float(np.exp(psi[m]))
        theta = psi[:m] / sigma
        found = evaluate(P, theta, False, sigma)
        by_sigma = 2.0 * P.n - 2.0 * found.pwrss / sigma**2 - found.gradient @ theta
        return found.value, np.append(found.gradient / sigma, by_sigma)

    return deviance


def _held_gaussian_coefficient(
    parameter: Parameter, design: Design, family: Family, at: Point
) -> Held:
    """beta_i held: its column becomes part of the offset; sigma and the rest profile out."""
    template = design.template
    column, X = design.X[:, parameter.i], np.delete(design.X, parameter.i, axis=1)

    def deviance(c: float) -> Deviance:
        P = products(replace(design, X=X, offset=design.offset + c * column))

        def at_theta(theta: Array) -> tuple[float, Array]:
            found = evaluate(P, theta, False)
            return found.value, found.gradient

        return at_theta

    theta = np.array(
        [
            at.factors[t][r, c] / at.sigma
            for t, r, c in zip(template.term, template.rows, template.cols, strict=True)
        ]
    )
    return Held(deviance, theta, np.diag(_theta_scale(design, family, at) / at.sigma))


def _hold_element(full: Deviance, position: int, psi: Array, scale: Array) -> Held:
    """One element of psi held; sigma is held as its logarithm."""
    free = np.delete(np.arange(len(psi)), position)

    def deviance(c: float) -> Deviance:
        def at_free(x: Array) -> tuple[float, Array]:
            whole = np.empty(len(psi))
            whole[free], whole[position] = x, c
            neg2loglik, gradient = full(whole)
            return neg2loglik, gradient[free]

        return at_free

    return Held(deviance, psi[free], scale[np.ix_(free, free)])


def _hold_correlation(
    full: Deviance, parameter: Parameter, design: Design, psi: Array, scale: Array
) -> Held:
    """The correlation r of the first two columns held; their sds s are searched as log s.

    The three elements of the factor are ``s_1, r s_2, sqrt(1 - r^2) s_2``.
    """
    template = design.template
    own = template.term == parameter.term
    at = [
        int(np.flatnonzero(own & (template.rows == r) & (template.cols == c))[0])
        for r, c in [
            (parameter.i, parameter.i), (parameter.j, parameter.i), (parameter.j, parameter.j)
        ]
    ]  # fmt: skip
    free = np.delete(np.arange(len(psi)), at)
    sds = np.array([abs(psi[at[0]]), np.hypot(psi[at[1]], psi[at[2]])])

    def deviance(c: float) -> Deviance:
        root = np.sqrt(max(1.0 - c**2, 0.0))

        def at_free(x: Array) -> tuple[float, Array]:
            s = np.exp(x[:2])
            whole = np.empty(len(psi))
            whole[free], whole[at] = x[2:], [s[0], c * s[1], root * s[1]]
            neg2loglik, gradient = full(whole)
            g = gradient[at]
            by_log = [g[0] * s[0], (g[1] * c + g[2] * root) * s[1]]
            return neg2loglik, np.concatenate([by_log, gradient[free]])

        return at_free

    inner = np.zeros((len(free) + 2, len(free) + 2))
    inner[:2, :2] = 0.3 * np.eye(2)
    inner[2:, 2:] = scale[np.ix_(free, free)]
    return Held(deviance, np.concatenate([np.log(np.maximum(sds, 1e-3)), psi[free]]), inner)


# --- limits -------------------------------------------------------------------------------


def interval(
    parameter: Parameter,
    design: Design,
    family: Family,
    n_agq: int,
    at: Point,
    spread: Array,
    z: float,
) -> tuple[float, float]:
    """The profile limits of one parameter: where |zeta| = z.

    Parameters
    ----------
    at :
        The maximum likelihood estimates.
    spread : (p, p)
        Covariance of the coefficients.

    Raises
    ------
    FitError
        The likelihood is higher elsewhere than at `at`.
    """
    estimate = value(parameter, at)
    if np.isnan(estimate):  # a correlation with an sd of 0: every value is as likely
        return -1.0, 1.0
    problem = held(parameter, design, family, n_agq, at, spread)
    minimum = profile(problem)
    if parameter.kind == "coefficient":
        step = z * float(np.sqrt(spread[parameter.i, parameter.i]))
        return limits(minimum, estimate, at.neg2loglik, step, z, (-np.inf, np.inf))
    if parameter.kind == "sigma":
        step = z / np.sqrt(2.0 * design.nobs)
        found = limits(minimum, np.log(estimate), at.neg2loglik, step, z, (-np.inf, np.inf))
        return float(np.exp(found[0])), float(np.exp(found[1]))
    J = design.terms[parameter.term].J
    if parameter.kind == "sd":
        unit = at.sigma / _size(design.terms[parameter.term].Z[:, parameter.i] ** 2)
        step = max(z * estimate / np.sqrt(2.0 * J), 0.2 * unit)
        return limits(minimum, estimate, at.neg2loglik, step, z, (0.0, np.inf))
    step = max(z * (1.0 - estimate**2) / np.sqrt(J), 0.05)
    return limits(minimum, estimate, at.neg2loglik, step, z, (-1.0, 1.0))


def profile(problem: Held) -> Callable[[float], float]:
    """``c -> -2 log L`` minimised with the parameter held at c; searches start nearby."""
    seen: dict[float, Array] = {}

    def minimum(c: float) -> float:
        start = problem.start if not seen else seen[min(seen, key=lambda other: abs(other - c))]
        deviance = problem.deviance(c)
        if not len(start):
            return deviance(start)[0]
        found = minimize(deviance, start, problem.scale)
        seen[c] = found.x
        return found.value

    return minimum


def limits(
    minimum: Callable[[float], float],
    estimate: float,
    lowest: float,
    step: float,
    z: float,
    bounds: tuple[float, float],
) -> tuple[float, float]:
    """Where the rise of ``-2 log L`` above `lowest` reaches ``z^2``, on either side.

    Parameters
    ----------
    minimum :
        ``c -> -2 log L`` with the parameter held at c.
    step :
        A first guess of the distance to a limit.
    bounds :
        The ends of the parameter's range; a side that does not rise far enough ends there.

    Examples
    --------
    >>> limits(lambda c: (c - 1) ** 2, 1.0, 0.0, 0.7, 2.0, (-1e9, 2.0))
    (-1.0, 2.0)
    """
    from scipy.optimize import brentq

    known = {estimate: -z}

    def excess(c: float) -> float:
        if c not in known:
            found = minimum(c)
            if found < lowest - 1e-3:
                raise HigherElsewhere(
                    f"the profile found a likelihood higher than the fit's (-2 log L is "
                    f"{found:.4f} there, {lowest:.4f} at the estimates); the fit had not reached "
                    "the maximum"
                )
            known[c] = float(np.sqrt(max(found - lowest, 0.0))) - z
        return known[c]

    ends = []
    for side, bound in zip((-1.0, 1.0), bounds, strict=True):
        outside = _beyond(excess, estimate, side * step, bound, z)
        if outside is None:
            ends.append(bound)
            continue
        below = [c for c, e in known.items() if e < 0 and (c - estimate) * side >= 0]
        inside = max(below, key=lambda c: (c - estimate) * side)
        ends.append(float(brentq(excess, inside, outside, xtol=1e-6 * step, rtol=1e-10)))
    return ends[0], ends[1]


def _beyond(
    excess: Callable[[float], float], estimate: float, step: float, bound: float, z: float
) -> float | None:
    """A value of the parameter beyond its limit; None when there is none before `bound`."""
    if estimate == bound:
        return None
    c = estimate + step
    for _ in range(_EXPANSIONS):
        if (c - bound) * step >= 0:
            return bound if excess(bound) > 0 else None
        try:
            reached = excess(c) + z
        except HigherElsewhere:
            raise
        except FitError:  # so far out that the likelihood cannot be computed
            return None
        if reached > z:
            return c
        grow = 3.0 if reached < z / 3 else 1.1 * z / reached
        c = estimate + grow * (c - estimate)
    return None


class HigherElsewhere(FitError):
    """A profile found a better fit than the one it started from."""
