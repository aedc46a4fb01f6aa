r"""How flat a likelihood is around a fit, and the maximum under a prior that keeps off its edge.

A fit is *singular* where an estimated sd is 0 or a correlation is -1 or 1 (`Fit.singular`). This
module draws the likelihood around such a point, along one parameter (`profile_curve`) or over two
(`surface`), and pulls the maximum off the boundary (`penalised`).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FitError
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.coordinates import Coordinates, working
from hierwidgets.likelihood.estimate import WarmStart, coefficient_units, objective
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.likelihood.optimum import covariance, minimize
from hierwidgets.spec.parameters import Parameter, parameters, value

from .fit import Fit
from .held import held
from .intervals import estimates
from .profiles import profile

__all__ = [
    "coefficient_scale", "correlated_term", "factor_positions", "penalised", "profile_curve",
    "surface",
]  # fmt: skip


# --- how flat it is -----------------------------------------------------------------------


def profile_curve(fit: Fit, parameter: str, values: Sequence[float]) -> pd.DataFrame:
    """The log-likelihood with one parameter held, maximised over all others, less the maximum.

    A profile over a correlation can have two tops. The values are visited from the estimate
    outwards and back again, and the higher of the two ends counts.

    Parameters
    ----------
    parameter
        A name as in `Fit.confint`: a coefficient, "sd x | g" or "corr x, y | g".
    values
        Where to hold it.

    Returns
    -------
    DataFrame
        ``value drop``, in the order of `values`; `drop` is 0 at the estimate, negative elsewhere.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.fit.boundary import profile_curve
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                event="Contacted")
    >>> profile_curve(fit, "sd Intercept | district_id", [0.0, 0.31]).round(2)["drop"].to_list()
    [-1.81, -0.0]
    """
    chosen = _parameter(fit, parameter)
    at = estimates(fit)
    problem = held(chosen, fit.design, fit.family, fit.n_agq, at)
    points = np.asarray(values, dtype=np.float64)
    outwards = np.argsort(np.abs(points - value(chosen, at)), kind="stable")
    drop = np.full(len(points), -np.inf)
    for order in (outwards, outwards[::-1]):
        minimum = profile(problem)
        for i in order:  # each search starts from its neighbour's end
            drop[i] = max(drop[i], -0.5 * minimum(float(points[i])) - fit.loglik)
    return pd.DataFrame({"value": points, "drop": drop})


def _parameter(fit: Fit, name: str) -> Parameter:
    known = {p.name: p for p in parameters(fit.design, fit.family)}
    if name not in known:
        raise DataError(f"{name!r} is not a parameter of this fit; it has {list(known)}")
    return known[name]


def surface(fit: Fit, group: str, sds: Sequence[float], corrs: Sequence[float]) -> pd.DataFrame:
    """The log-likelihood over (sd of the second coefficient, correlation), less the maximum.

    All other parameters are at their best for each pair: the first sd, other terms, coefficients.

    Parameters
    ----------
    group
        A grouping factor with two correlated coefficients, such as ``(1 + x | group)``.
    sds, corrs
        The grid; sds above 0.

    Returns
    -------
    DataFrame
        ``sd corr drop``, sds within corrs.
    """
    positions = factor_positions(fit, correlated_term(fit, group))
    rows = []
    for corr in corrs:
        x: Array | None = None
        for sd in sds:
            neg2loglik, x = _best_of_pair(fit, positions, float(sd), float(corr), x)
            drop = -0.5 * neg2loglik + fit.design.constant - fit.loglik
            rows.append((float(sd), float(corr), drop))
    return pd.DataFrame(rows, columns=["sd", "corr", "drop"])


def correlated_term(fit: Fit, group: str) -> int:
    """The place among the terms of the design of the one with two correlated coefficients.

    Raises
    ------
    DataError
        If the grouping factor has no such term.
    """
    for i, term in enumerate(fit.design.terms):
        if term.group == group and term.blocks == ((0, 1),):
            return i
    raise DataError(
        f"{group!r} does not have two correlated coefficients in this fit; write "
        f"(1 + x | {group}) in the formula"
    )


def factor_positions(fit: Fit, term: int) -> list[int]:
    """Where theta has the three elements of a term's factor: (0, 0), (1, 0), (1, 1)."""
    template = fit.design.template
    own = template.term == term
    return [
        int(np.flatnonzero(own & (template.rows == r) & (template.cols == c))[0])
        for r, c in [(0, 0), (1, 0), (1, 1)]
    ]


def _best_of_pair(
    fit: Fit, positions: list[int], sd: float, corr: float, x: Array | None
) -> tuple[float, Array]:
    """The best over the first sd; with a negative correlation it may have two tops.

    With a correlation of -1 all lines meet at x = sd_0 / sd_1, which the data want to the left or
    to the right of where they are.
    """
    starts = [0.05 + 0.3 * sd] if corr >= 0 else [0.05 + 0.2 * sd, 0.05 + 1.3 * sd]
    found = [_held_pair(fit, positions, sd, corr, first, x) for first in starts]
    return min(found, key=lambda pair: pair[0])


def _held_pair(
    fit: Fit, positions: list[int], sd: float, corr: float, sd0: float, x: Array | None
) -> tuple[float, Array]:
    """-2 log L (no constant) with the second sd and the correlation held.

    The first sd is searched on the log scale from `sd0`: a negative one would be the correlation
    of the other sign.
    """
    own = working(fit.design)
    m, inward = len(own.M), own.inward
    evaluate = WarmStart(objective(layout(own.design), fit.family, fit.n_agq))
    free = np.delete(np.arange(m + len(fit.beta)), positions[1:])
    first = int(np.flatnonzero(free == positions[0])[0])
    whole = np.concatenate([fit.theta, fit.beta])
    whole[positions[1:]] = [corr * sd, np.sqrt(max(1 - corr**2, 0.0)) * sd]
    start = whole[free] if x is None else x.copy()
    start[first] = np.log(sd0)

    def deviance(y: Array) -> tuple[float, Array]:
        full = whole.copy()
        full[free] = y
        full[positions[0]] = np.exp(y[first])
        found = evaluate(*np.split(inward @ full, [m]))
        gradient = (inward.T @ found.gradient)[free]
        gradient[first] *= full[positions[0]]
        return found.neg2loglik, gradient

    scale = np.diag(np.full(len(free), 0.1))
    scale[first, first] = 0.3
    scale[-len(fit.beta) :, -len(fit.beta) :] = coefficient_scale(fit, own)
    found = minimize(deviance, start, scale)
    return found.value, found.x


def coefficient_scale(fit: Fit, own: Coordinates) -> Array:
    """The scale (p, p) of a search over the coefficients of a fit."""
    weight = fit.family.derivatives(fit.design.y, fit.design.trials, fit.modes.eta).weight
    theta = own.inward[: len(own.M), : len(own.M)] @ fit.theta
    m = len(own.M)
    units = coefficient_units(layout(own.design), theta, weight)
    scale: Array = own.outward[m:, m:] @ units
    return scale


# --- off the boundary ---------------------------------------------------------------------


def penalised(fit: Fit, groups: Sequence[str] | None = None, rate: float = 0.0) -> Fit:
    r"""The maximum of likelihood times a prior that vanishes on the boundary.

    For each grouping factor's covariance ``Sigma`` the prior is proportional to
    ``|Sigma|^(1/2) exp(-rate * sum of sds)``. For one sd this is gamma(2, rate), which is
    proportional to the sd for a small rate (Chung, Rabe-Hesketh, Dorie, Gelman & Liu 2013,
    Psychometrika 78(4)); for several coefficients it is the limit of a Wishart prior that Chung,
    Gelman, Rabe-Hesketh, Liu & Dorie (2015, J. Educ. Behav. Stat. 40(2)) recommend. With
    ``Sigma = Lambda Lambda'`` the logarithm of ``|Sigma|^(1/2)`` is the sum of the logs of
    theta's diagonal elements.

    Parameters
    ----------
    fit
        A binomial or Poisson fit: the design and where to start.
    groups
        Grouping factors with the prior; None for all.
    rate
        Of the gamma distribution; 0 or larger.

    Returns
    -------
    Fit
        With theta, beta and effects at the penalised maximum, `loglik` the log-likelihood there
        (without the prior) and `covariance` from the penalised curvature.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.fit.boundary import penalised
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                event="Contacted")
    >>> round(float(fit.theta[0]), 3), round(float(penalised(fit).theta[0]), 3)
    (0.31, 0.368)
    """
    if fit.family.name == "gaussian":
        raise DataError("penalised is for binomial and Poisson fits")
    known = [term.group for term in fit.design.terms]
    chosen = known if groups is None else list(groups)
    strange = [group for group in chosen if group not in known]
    if strange:
        raise DataError(f"{strange[0]!r} is not a grouping factor of this fit; it has {known}")
    if not (np.isfinite(rate) and rate >= 0):
        raise DataError(f"rate={rate!r} must be a number, 0 or larger")
    return _penalised(fit, [i for i, group in enumerate(known) if group in chosen], float(rate))


def _penalised(fit: Fit, terms: list[int], rate: float) -> Fit:
    own, template = working(fit.design), fit.design.template
    m, outward = template.m, own.outward
    evaluate = WarmStart(objective(layout(own.design), fit.family, fit.n_agq))
    chosen = np.isin(template.term, terms)
    diagonal = np.flatnonzero(chosen & template.diagonal)

    def criterion(x: Array) -> tuple[float, Array]:
        """In working coordinates: (log of the penalised diagonal, the rest of theta, beta).

        There the logarithm of ``|Sigma|`` is another by a constant.
        """
        whole = x.copy()
        whole[diagonal] = np.exp(x[diagonal])
        found = evaluate(whole[:m], whole[m:])
        size, slope = _sum_of_sds(fit, own.M @ whole[:m], chosen)
        gradient = found.gradient.copy()
        gradient[:m] += 2.0 * rate * (own.M.T @ slope)
        gradient[diagonal] = gradient[diagonal] * whole[diagonal] - 2.0
        return found.neg2loglik - 2.0 * float(x[diagonal].sum()) + 2.0 * rate * size, gradient

    x = own.inward @ np.concatenate([fit.theta, fit.beta])
    x[diagonal] = np.log(np.maximum(x[diagonal], 0.1))
    scale = np.diag(np.full(len(x), 0.3))
    scale[m:, m:] = own.R @ coefficient_scale(fit, own)
    found = minimize(criterion, x, scale)
    if not found.converged:
        raise FitError(f"the penalised maximum was not reached: {found.message}")
    whole, back = found.x.copy(), np.ones(len(x))
    whole[diagonal] = back[diagonal] = np.exp(found.x[diagonal])
    outer = outward * back
    return _as_fit(fit, outward @ whole, outer @ covariance(found.hessian) @ outer.T)


def _sum_of_sds(fit: Fit, theta: Array, chosen: NDArray[np.bool_]) -> tuple[float, Array]:
    """The sum of the sds of the chosen terms, and its slope in theta."""
    template, slope, total = fit.design.template, np.zeros(len(theta)), 0.0
    for t in sorted(set(template.term[chosen].tolist())):
        factor = template.factors(theta)[t]
        sds = np.sqrt((factor**2).sum(axis=1))
        total += float(sds.sum())
        for i in np.flatnonzero(template.term == t):
            row = template.rows[i]
            slope[i] = theta[i] / max(sds[row], 1e-12)
    return total, slope


def _as_fit(fit: Fit, x: Array, spread: Array) -> Fit:
    """The fit at the penalised maximum."""
    theta, beta = np.split(x, [fit.design.template.m])
    top = objective(layout(fit.design), fit.family, fit.n_agq)(theta, beta, None)
    return replace(
        fit,
        theta=theta,
        beta=beta,
        covariance=spread,
        gradient=top.gradient,
        modes=conditional_modes(fit.design, fit.family, beta, theta),
        loglik=-0.5 * top.neg2loglik + fit.design.constant,
        message="maximum of likelihood times a prior that keeps off the boundary",
    )
