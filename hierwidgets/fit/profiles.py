"""Profile likelihoods: one parameter held, ``-2 log L`` minimised over all others.

The parameters are those a reader of a fit sees: coefficients, sds, correlations and the
residual sd. The signed root of the rise in ``-2 log L``,

    zeta(c) = sign(c - estimate) * sqrt(-2 log L(c) + 2 log L(estimate)),

is close to a line even where the likelihood is skewed, and an interval of level a ends where
|zeta| reaches the normal quantile of (1 + a) / 2 (Bates & Watts 1988, Nonlinear Regression
Analysis and Its Applications, section 6.1; lme4's `profile` does the same; Venzon &
Moolgavkar 1988, Appl. Stat. 37(1)). The limits of an sd end at 0 and those of a correlation
at -1 and 1 when the likelihood does not fall far enough before.
"""

from collections.abc import Callable

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.likelihood.optimum import minimize
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family
from hierwidgets.spec.parameters import Parameter, Point, value

from .held import Held, held

__all__ = ["interval", "limits", "profile"]

_EXPANSIONS = 15


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
    problem = held(parameter, design, family, n_agq, at)
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
        unit = at.sigma / design.terms[parameter.term].size(parameter.i)
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
            c = estimate + 0.1 * (c - estimate)
            continue
        if reached > z:
            return c
        grow = 3.0 if reached < z / 3 else 1.1 * z / reached
        c = estimate + grow * (c - estimate)
    return None


class HigherElsewhere(FitError):
    """A profile found a better fit than the one it started from."""
