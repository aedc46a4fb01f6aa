r"""The log-likelihood over (sd of the slopes, correlation), with a penalty put on and turned.

A penalty is the logarithm of a prior of the pair's spreads, times its strength s:

    "Wishart"  s (log sd_0 + log sd_1 + log(1 - rho^2) / 2)    the limit of a Wishart prior
    "gamma"    s (log sd_0 + log sd_1)                         gamma(1 + s, 0) for each sd
    "LKJ"      s log(1 - rho^2)                                LKJ(1 + s) for the correlation

With a strength of 1 the first is what Chung, Gelman, Rabe-Hesketh, Liu & Dorie (2015, J. Educ.
Behav. Stat. 40(2)) recommend, and `hierwidgets.fit.boundary.penalised` maximises; the second is
that of Chung, Rabe-Hesketh, Dorie, Gelman & Liu (2013, Psychometrika 78(4)) for each sd.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from contourpy import FillType, contour_generator
from scipy.interpolate import RectBivariateSpline

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.boundary import correlated_term
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.spreads import Spreads, paired_groups, spread_profile
from hierwidgets.spec.covariance import sd_corr

__all__ = [
    "LEVELS",
    "PENALTIES",
    "STRENGTHS",
    "Hill",
    "Look",
    "Place",
    "best_height",
    "cost",
    "drop_at",
    "hill",
    "look",
    "penalised_frame",
    "reach_of",
]  # fmt: skip

LEVELS = (0.5, 0.9, 0.95)  # of the regions
PENALTIES: Mapping[str, tuple[float, float]] = {  # of log sd_0 + log sd_1, of log(1 - rho^2)
    "none": (0.0, 0.0), "Wishart": (1.0, 0.5), "gamma": (1.0, 0.0), "LKJ": (0.0, 1.0),
}  # fmt: skip
STRENGTHS = (0.0, 3.0)
SHOWN = (65, 81)  # points of the map
LOWEST = -30.0  # of what a map shows
SOUND = 0.25  # by which a map may miss the maximum of the likelihood
_ZOOMS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A point of the map."""

    sd: float
    corr: float


@dataclass(frozen=True, slots=True)
class Hill:
    """The log-likelihood around a fit, prepared for penalties.

    Attributes
    ----------
    group : str
        The grouping factor.
    slope : str
        The predictor whose coefficient varies.
    levels : int
        How many groups there are.
    spreads : Spreads
    top : Place
        The maximum of the likelihood.
    height : float
        The sd of the heights there.
    """

    group: str
    slope: str
    levels: int
    spreads: Spreads
    top: Place
    height: float

    def __repr__(self) -> str:
        return f"Hill({self.group!r}, sds to {self.largest:g})"

    @property
    def largest(self) -> float:
        """The largest sd of the slopes on the map."""
        return float(self.spreads.sds[-1])

    @property
    def highest(self) -> float:
        """The largest sd of the heights, where slopes do not differ, with two digits."""
        return float(f"{self.spreads.first[0, 0, -1]:.2g}")


@dataclass(frozen=True, slots=True)
class Look:
    """The hill under a penalty.

    Attributes
    ----------
    sds, corrs : (SHOWN)
        The grid of the map.
    height : (len(corrs), len(sds))
        Log-likelihood plus penalty, less the maximum of the sum.
    best : float
        That maximum, less the one of the likelihood.
    top : Place
        Where that maximum is.
    regions : tuple of (x, y)
        For each of `LEVELS` the outlines of what lies less deep than half of chi-squared's
        quantile with 2 degrees of freedom, ``-log(1 - level)``; gaps between the pieces.
    """

    sds: Array
    corrs: Array
    height: Array
    best: float
    top: Place
    regions: tuple[tuple[Array, Array], ...]


def hill(fit: Fit, group: str | None = None) -> Hill:
    """The hill of a fit, for the grouping factor given or the first that has a pair.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 + district_competitiveness | election_id)",
    ...                hw.load("rainey2015"), event="Contacted")
    >>> found = hill(fit)
    >>> found.group, found.levels, round(look(found, "none", 1.0).top.corr, 2)
    ('election_id', 5, -0.94)
    """
    groups = paired_groups(fit)
    if group is not None and group not in groups:
        raise DataError(
            f"group={group!r} has no intercept and slope that are correlated; "
            f"it must be one of {groups}"
        )
    name = groups[0] if group is None else group
    at = correlated_term(fit, name)
    term = fit.design.terms[at]
    sd, corr = sd_corr(fit.design.template.factors(fit.theta)[at])
    top = Place(float(sd[1]), float(np.nan_to_num(corr[1, 0])))
    found = Hill(name, term.names[1], term.J, spread_profile(fit, name), top, float(sd[0]))
    if top.sd <= found.largest and drop_at(found, top.sd, top.corr) > -SOUND:
        return found
    raise DataError(
        f"{found.slope!r} lies so far from 0 that all that happens is within a hair of a "
        f"correlation of {np.sign(top.corr):g}, which a map does not show; measure it from the "
        "middle of the data and fit again"
    )


def look(of: Hill, penalty: str, strength: float) -> Look:
    """The hill under a penalty."""
    on_sds, on_corr = (strength * part for part in PENALTIES[penalty])
    spreads, even = of.spreads, _even(of)
    logs = np.log(np.maximum(spreads.first, 1e-12))  # of the first sd, which is at its best
    surface = RectBivariateSpline(*even, np.max(spreads.drop + on_sds * logs, axis=2))

    def height(x: Array, y: Array) -> Array:
        """(len(y), len(x)) at even places."""
        sd, corr = _from_even(of, x, y)
        with np.errstate(divide="ignore"):
            logs = on_sds * np.log(sd) if on_sds else np.zeros(len(sd))
            room = on_corr * np.log1p(-(corr**2)) if on_corr else np.zeros(len(corr))
        whole: Array = surface(x, y).T + logs + room[:, None]
        return whole

    x, y = (np.linspace(0, 1, count) for count in SHOWN)
    whole = height(x, y)
    if on_sds or on_corr:
        best, top = _highest(of, height, whole, (x, y))
    else:
        best, top = max(float(surface(*_to_even(of, of.top))[0, 0]), float(whole.max())), of.top
    shown = np.maximum(whole - best, LOWEST)
    sds, corrs = _from_even(of, x, y)
    return Look(sds, corrs, shown, best, top, _regions(sds, corrs, shown))


def cost(of: Hill, penalty: str, strength: float) -> float:
    """By how much the log-likelihood at the maximum under a penalty is below its own maximum.

    Of the height, log-likelihood plus strength times log prior, the second part is the strength
    times the slope of the highest value in the strength, as all else is at its best.
    """
    if penalty == "none" or strength == 0:
        return 0.0
    ends = [strength - (by := min(0.01, strength)), strength + by]
    low, high = (look(of, penalty, one).best for one in ends)
    of_prior = strength * (high - low) / (ends[1] - ends[0])
    return max(of_prior - look(of, penalty, strength).best, 0.0)


def drop_at(of: Hill, sd: float, corr: float) -> float:
    """The log-likelihood at a point of the map less the maximum, no penalty in it."""
    surface = RectBivariateSpline(*_even(of), np.max(of.spreads.drop, axis=2))
    return min(float(surface(*_to_even(of, Place(sd, corr)))[0, 0]), 0.0)


def best_height(of: Hill, at: Place, penalty: str, strength: float) -> float:
    """The best sd of the heights at a place: that of the nearest line, or of the fit at the top."""
    if at == of.top:
        return of.height
    x, y = _to_even(of, at)
    n, r = of.spreads.drop.shape[:2]
    line = round(x * (n - 1)), round(y * (r - 1))
    first, on_sds = of.spreads.first[line], strength * PENALTIES[penalty][0]
    best = np.argmax(of.spreads.drop[line] + on_sds * np.log(np.maximum(first, 1e-12)))
    return float(first[best])


# Even places: the grid of the spreads has steps of equal size in them, from 0 to 1.


def _even(of: Hill) -> tuple[Array, Array]:
    return np.linspace(0, 1, len(of.spreads.sds)), np.linspace(0, 1, len(of.spreads.corrs))


def _from_even(of: Hill, x: Array, y: Array) -> tuple[Array, Array]:
    sds: Array = of.largest / 8 * np.sinh(x * np.arcsinh(8.0))
    return sds, np.sin(np.pi * (y - 0.5))


def _to_even(of: Hill, at: Place) -> tuple[float, float]:
    x = np.arcsinh(8 * at.sd / of.largest) / np.arcsinh(8.0)
    return float(x), float(0.5 + np.arcsin(at.corr) / np.pi)


def _highest(
    of: Hill, height: Callable[[Array, Array], Array], whole: Array, at: tuple[Array, Array]
) -> tuple[float, Place]:
    """The maximum, looked for ever closer around the highest point of a grid."""
    x, y = at
    for _ in range(_ZOOMS):
        row, column = np.unravel_index(np.argmax(whole), whole.shape)
        x, y = _closer(x, int(column)), _closer(y, int(row))
        whole = height(x, y)
    row, column = np.unravel_index(np.argmax(whole), whole.shape)
    sds, corrs = _from_even(of, x, y)
    sd, corr = float(sds[column]), float(corrs[row])
    return float(whole.max()), Place(sd, corr)


def _closer(places: Array, best: int) -> Array:
    """Nine places between the neighbours of one."""
    return np.linspace(places[max(best - 1, 0)], places[min(best + 1, len(places) - 1)], 9)


def _regions(sds: Array, corrs: Array, height: Array) -> tuple[tuple[Array, Array], ...]:
    maker = contour_generator(sds, corrs, height, fill_type=FillType.OuterOffset)
    return tuple(_outlines(*maker.filled(np.log(1 - level), np.inf)) for level in LEVELS)


def _outlines(points: Sequence[Array], offsets: Sequence[Array]) -> tuple[Array, Array]:
    """All outlines as one line, each closed, with gaps between; holes run the other way."""
    gap = np.full((1, 2), np.nan)
    parts = [
        part
        for whole, ends in zip(points, offsets, strict=True)
        for a, b in pairwise(ends.tolist())
        for part in (whole[a:b], gap)
    ]
    line = np.concatenate(parts[:-1]) if parts else np.empty((0, 2))
    return line[:, 0], line[:, 1]


def reach_of(found: Look, level: float) -> tuple[float, float, float, float]:
    """The smallest and largest sd of a region, then correlation."""
    inside = found.height > np.log(1 - level)
    sds, corrs = found.sds[inside.any(axis=0)], found.corrs[inside.any(axis=1)]
    return float(sds[0]), float(sds[-1]), float(corrs[0]), float(corrs[-1])


def penalised_frame(of: Hill, penalty: str, strength: float) -> pd.DataFrame:
    """The hill under a penalty, ``sd corr drop``, less the maximum of the sum.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 + district_competitiveness | election_id)",
    ...                hw.load("rainey2015"), event="Contacted")
    >>> frame = penalised_frame(hill(fit), "Wishart", 1.0)
    >>> len(frame), bool(frame["drop"].max() > -0.1)
    (5265, True)
    """
    found = look(of, penalty, strength)
    return pd.DataFrame(
        {
            "sd": np.tile(found.sds, len(found.corrs)),
            "corr": np.repeat(found.corrs, len(found.sds)),
            "drop": found.height.ravel(),
        }
    )
