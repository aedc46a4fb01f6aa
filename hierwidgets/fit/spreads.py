r"""The likelihood over all three spreads of a pair: two sds and the correlation between them.

`spread_profile` has it on a grid, everything else at its best, so that a prior on the spreads can
be put in, turned and taken out without another search. For each pair of the second sd and the
correlation the first sd runs along a line of points, with the slope of the log-likelihood in it:
cubics through values and slopes (Hermite's) then give it in between.

The points of a line are close where the likelihood bends. With a correlation near -1 that is a
trench between two tops: at x = c, where the data are, the height of a group has variance

    sd_0^2 + 2 c rho sd_0 sd_1 + c^2 sd_1^2,

which is smallest at ``sd_0 = -c rho sd_1``, and next to nothing there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FitError
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.coordinates import working
from hierwidgets.likelihood.estimate import WarmStart, objective
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.likelihood.optimum import bfgs_update, difference
from hierwidgets.spec.design import level_sums

from .boundary import coefficient_scale, correlated_term, factor_positions
from .fit import Fit

__all__ = ["Spreads", "paired_groups", "spread_profile", "with_spreads"]

POINTS, FINE = 9, 121  # of a line along the first sd: computed, and in between
ENOUGH = 4.5  # by which the log-likelihood has fallen at the end of the grid
_NEAR, _CLOSE = 3e-3, 1e-8  # what is left of -2 log L at the end of a search
_STEPS, _DOUBLINGS = 60, 12


@dataclass(frozen=True, slots=True)
class Spreads:
    """The log-likelihood over (second sd, correlation, first sd), less its maximum.

    Attributes
    ----------
    sds : (n,)
        Of the second coefficient, from 0.
    corrs : (r,)
        From -1 to 1.
    first : (n, r, FINE)
        Sds of the first coefficient, from 0 along each line.
    drop : (n, r, FINE)
        The log-likelihood, less the maximum.
    """

    sds: Array
    corrs: Array
    first: Array
    drop: Array


def paired_groups(fit: Fit) -> list[str]:
    """Grouping factors with an intercept and a slope that are correlated, ``(1 + x | group)``."""
    return [
        term.group
        for term in fit.design.terms
        if term.blocks == ((0, 1),) and np.all(term.Z[:, 0] == 1)
    ]


class _Rest:
    """``-2 log L`` over all parameters but the spreads of a term, which are held."""

    def __init__(self, fit: Fit, term: int) -> None:
        own = working(fit.design)
        self._evaluate = WarmStart(objective(layout(own.design), fit.family, fit.n_agq))
        self._inward, self._m = own.inward, len(own.M)
        self.held = factor_positions(fit, term)
        self.whole = np.concatenate([fit.theta, fit.beta])
        self._free = np.delete(np.arange(len(self.whole)), self.held)
        self._scale = np.diag(np.full(len(self._free), 0.1))
        p = len(fit.beta)
        self._scale[-p:, -p:] = coefficient_scale(fit, own)
        self._top = fit.loglik - fit.design.constant
        self.z = np.linalg.solve(self._scale, self.whole[self._free])
        self._inverse: Array = _inverse(difference(lambda z: self._value(z)[1], self.z))
        self.slope = 0.0

    def _value(self, z: Array) -> tuple[float, Array]:
        self.whole[self._free] = self._scale @ z
        found = self._evaluate(*np.split(self._inward @ self.whole, [self._m]))
        gradient = self._inward.T @ found.gradient
        self.slope = -0.5 * float(gradient[self.held[0]])
        return found.neg2loglik, self._scale.T @ gradient[self._free]

    def drop(self, first: float, sd: float, corr: float, close: float = _NEAR) -> float:
        """The log-likelihood at these spreads, less the maximum; from the last place onwards."""
        self.whole[self.held] = first, corr * sd, np.sqrt(max(1 - corr**2, 0.0)) * sd
        value, gradient = self._value(self.z)
        for _ in range(_STEPS):
            step = -self._inverse @ gradient
            slope = float(step @ gradient)
            if -0.5 * slope < close:
                return -0.5 * (value + 0.5 * slope) - self._top
            size, (new, turned) = 1.0, self._value(self.z + step)
            while not new <= value + 1e-4 * size * slope and size > 1e-6:
                size *= 0.4
                new, turned = self._value(self.z + size * step)
            self._inverse = bfgs_update(self._inverse, size * step, turned - gradient)
            self.z, value, gradient = self.z + size * step, new, turned
        raise FitError(
            f"the likelihood could not be followed to sds {first:.3g} and {sd:.3g} with a "
            f"correlation of {corr:.2g}; measure the predictor from the middle of the data"
        )


def _inverse(hessian: Array) -> Array:
    inverse: Array = np.linalg.inv(hessian).astype(np.float64, copy=False)
    return inverse


@dataclass(frozen=True, slots=True)
class _Lines:
    """How the points of a line lie: from 0 to `reach` beyond the trench, close on it.

    They are hyperbolic sines of even places.
    """

    centre: float
    reach: float

    def trench(self, sd: float, corr: float) -> float:
        """Where the trench is, or a little above 0 where it would be below."""
        at, soft = -self.centre * corr * sd, self.reach / 12
        return 0.5 * (at + float(np.hypot(at, soft)))

    def points(self, sd: float, corr: float, count: int = POINTS) -> tuple[Array, Array]:
        """Points (count,) and their places."""
        at, width = self.trench(sd, corr), self.reach / 6
        places = np.linspace(np.arcsinh(-at / width), np.arcsinh(self.reach / width), count)
        return np.maximum(at + width * np.sinh(places), 0.0), places

    def follow(self, rest: _Rest, sd: float, corr: float, turn: int) -> tuple[Array, Array]:
        """First sds (FINE,), and the log-likelihood there less the maximum.

        The line is walked upwards or, with a `turn` of -1, downwards: a search begins where its
        neighbour ended.
        """
        points, places = self.points(sd, corr)
        drop, slope = np.empty(POINTS), np.empty(POINTS)
        for k in range(POINTS)[::turn]:
            drop[k], slope[k] = rest.drop(points[k], sd, corr), rest.slope
        per_place = slope * np.hypot(self.reach / 6, points - self.trench(sd, corr))
        fine, at = self.points(sd, corr, FINE)
        return fine, CubicHermiteSpline(places, drop, per_place)(at)


def spread_profile(fit: Fit, group: str, n_sds: int = 17, n_corrs: int = 13) -> Spreads:
    """The log-likelihood over the three spreads of a pair, all else at its best.

    The grid of the second sd ends where the log-likelihood has fallen by `ENOUGH` whatever the
    other two are; it is closest near 0, that of the correlation near -1 and 1.

    Parameters
    ----------
    group
        A grouping factor of `paired_groups`.
    n_sds, n_corrs
        Points of the grid.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 + district_competitiveness | election_id)",
    ...                hw.load("rainey2015"), event="Contacted")
    >>> found = spread_profile(fit, "election_id", 5, 5)
    >>> found.drop.shape, bool(found.drop.max() < 0.01)
    ((5, 5, 121), True)
    """
    if group not in paired_groups(fit):
        raise DataError(
            f"{group!r} has no intercept and slope that are correlated; this fit has them for "
            f"{paired_groups(fit)}"
        )
    rest = _Rest(fit, correlated_term(fit, group))
    lines, largest = _grid(fit, group, rest)
    sds = largest / 8 * np.sinh(np.linspace(0, np.arcsinh(8.0), n_sds))
    sds[-1] = largest
    corrs = np.sin(np.pi / 2 * np.linspace(-1, 1, n_corrs))
    first, drop = (np.empty((n_sds, n_corrs, FINE)) for _ in range(2))
    turn = 1
    for i, sd in enumerate(sds):
        for j in range(n_corrs)[:: 1 if i % 2 else -1] if i else [0]:
            first[i, j], drop[i, j] = lines.follow(rest, sd, corrs[j], turn)
            turn = -turn
    first[0], drop[0] = first[0, 0], drop[0, 0]  # without a second sd there is no correlation
    return Spreads(sds, corrs, first, drop)


def _grid(fit: Fit, group: str, rest: _Rest) -> tuple[_Lines, float]:
    """Lines along the first sd, and the largest second sd."""
    term = fit.design.terms[correlated_term(fit, group)]
    weight = fit.family.derivatives(fit.design.y, fit.design.trials, fit.modes.eta).weight
    x = term.Z[:, 1]
    centre = float(weight @ x / weight.sum())
    noise = [  # of a level's own height and slope, about
        1 / np.sqrt(np.median(level_sums(term, weight * column**2)) + 1e-12)
        for column in (np.ones_like(x), x - centre)
    ]
    factor = fit.design.template.factors(fit.theta)[correlated_term(fit, group)]
    height = float(np.hypot(*(np.array([1.0, centre]) @ factor)))
    slope = float(np.hypot(*factor[1]))

    def fallen(sd: float) -> float:
        ends = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
        return -max(rest.drop(s0, sd, r) for r in ends for s0 in lines.points(sd, r)[0][::2])

    reach = 4 * max(height, noise[0])
    reach *= 2 ** _doublings(lambda times: -rest.drop(reach * times, 0.0, 0.0))
    lines = _Lines(centre, reach)
    largest = 3 * max(slope, noise[1])
    largest *= 2 ** _doublings(lambda times: fallen(largest * times))
    for share in (0.6, 0.75):
        if fallen(share * largest) > ENOUGH:
            largest *= share
            break
    digits = 1 - int(np.floor(np.log10(largest)))  # two that count
    return lines, round(float(np.ceil(largest * 10.0**digits)) * 10.0**-digits, max(digits, 0))


def _doublings(fallen: Callable[[float], float]) -> int:
    return next((i for i in range(_DOUBLINGS) if fallen(2.0**i) > ENOUGH), _DOUBLINGS)


def with_spreads(fit: Fit, group: str, first: float, sd: float, corr: float) -> Fit:
    """The fit with three spreads of a group held there, all else at its best."""
    rest = _Rest(fit, correlated_term(fit, group))
    near = fit.design.template.factors(fit.theta)[correlated_term(fit, group)]
    start = np.array([near[0, 0], *near[1]])
    goal = np.array([first, corr * sd, np.sqrt(max(1 - corr**2, 0.0)) * sd])
    for share in (0.25, 0.5, 0.75, 1.0):  # in steps, as a far one may overshoot
        s0, b, c = start + share * (goal - start)
        there = float(np.hypot(b, c))
        drop = rest.drop(s0, there, b / there if there else 0.0, _CLOSE)
    theta, beta = np.split(rest.whole.copy(), [fit.design.template.m])
    return replace(
        fit,
        theta=theta,
        beta=beta,
        modes=conditional_modes(fit.design, fit.family, beta, theta),
        loglik=fit.loglik + drop,
        message="three spreads held",
    )
