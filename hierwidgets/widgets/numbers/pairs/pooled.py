r"""Heights and slopes of groups under any spread, and the ellipse of that spread.

A group's pair (b0, b1) is drawn from a normal distribution with the fit's fixed coefficients as
its centre and the covariance

    [[ sd_0^2,           corr sd_0 sd_1 ],
     [ corr sd_0 sd_1,   sd_1^2         ]].

Partial pooling is the conditional mode of the pair given the group's answers and that covariance,
the fixed coefficients held at those of the fit.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.spreads import paired_groups
from hierwidgets.likelihood.blocks import Layout, layout
from hierwidgets.likelihood.laplace import solve_modes
from hierwidgets.spec.covariance import sd_corr
from hierwidgets.spec.design import level_sums

from .own import own_lines

__all__ = [
    "LEVELS", "Groups", "Kept", "Spread", "ellipse", "kept", "moved", "pooled", "prepare",
    "slope_frame",
]  # fmt: skip

LEVELS = (0.5, 0.9)  # of the distribution of groups, inside an ellipse
_CORNERS = np.linspace(0.0, 2 * np.pi, 73)


class Spread(NamedTuple):
    """How groups differ: the sd of intercepts, the sd of slopes, their correlation."""

    sd_intercept: float
    sd_slope: float
    corr: float


@dataclass(slots=True)
class Groups:
    """What depends on the fit alone.

    Attributes
    ----------
    fit : Fit
    group, slope : str
        The grouping factor, and the predictor whose coefficient varies.
    levels : list
        The groups.
    n : (J,)
        Rows, or trials, of each.
    centre : (2,)
        The fixed intercept and slope.
    own : (J, 2)
        Intercept and slope from each group's own rows; nan where they do not exist.
    fitted : Spread
        That of the fit; a correlation that is not defined is 0.
    start : tuple of arrays
        Where the last search ended: the next one begins there.
    """

    fit: Fit
    group: str
    slope: str
    levels: list[object]
    n: Array
    centre: Array
    own: Array
    fitted: Spread
    lay: Layout
    start: tuple[Array, Array] | None = None

    @property
    def without(self) -> int:
        """How many groups have no line of their own."""
        return int(np.isnan(self.own[:, 0]).sum())


class Kept(NamedTuple):
    """What is left of the distances from the centre, along the ellipse and across it.

    Distances are in sds. `along` is the direction in which both coefficients differ together (or
    against each other where the correlation is negative), `across` the other diagonal. Each is
    the median of the partially pooled over that of the own; nan where it is not defined.
    """

    along: float
    across: float


def prepare(fit: Fit) -> Groups:
    """The groups of a fit with one ``(1 + x | group)``.

    Raises
    ------
    DataError
        For another kind of fit.

    Examples
    --------
    >>> import numpy as np, pandas as pd, hierwidgets as hw
    >>> x = np.tile([-1.0, 0.0, 1.0, 2.0], 4)
    >>> y = x * np.repeat([1.0, 2.0, 0.0, 3.0], 4) + np.tile([0.2, -0.3, 0.4, -0.1], 4)
    >>> data = pd.DataFrame({"y": y, "x": x, "school": np.repeat(list("abcd"), 4)})
    >>> groups = prepare(hw.lmer("y ~ x + (1 + x | school)", data))
    >>> groups.own[:, 1].round(2).tolist()
    [0.98, 1.98, -0.02, 2.98]
    """
    _check(fit)
    design, term = fit.design, fit.design.terms[0]
    at = [design.names.index(name) for name in term.names]
    others = np.delete(np.arange(len(design.names)), at)
    base = design.offset + design.X[:, others] @ fit.beta[others]
    centre = fit.beta[at]
    return Groups(
        fit, term.group, term.names[1], list(term.levels), _sizes(fit), centre,
        own_lines(fit, base, centre), _fitted(fit), layout(design),
    )  # fmt: skip


def _fitted(fit: Fit) -> Spread:
    sd, corr = sd_corr(fit.design.template.factors(fit.theta)[0])
    known = float(corr[1, 0]) if np.isfinite(corr[1, 0]) else 0.0
    return Spread(fit.sigma * float(sd[0]), fit.sigma * float(sd[1]), known)


def _sizes(fit: Fit) -> Array:
    design, term = fit.design, fit.design.terms[0]
    if fit.family.name == "binomial":
        return level_sums(term, design.trials)
    return np.bincount(term.codes[design.rows], minlength=term.J).astype(np.float64)


def pooled(groups: Groups, spread: Spread) -> Array:
    """Partially pooled intercept and slope of each group under a spread: (J, 2).

    For a Gaussian fit the mode is the posterior mean given the fit's residual sd s,

        centre + L inv(L'Z'Z L / s^2 + I) L'Z' (y - Z centre) / s^2,    L L' the covariance

    (Bates, Maechler, Bolker & Walker 2015, J. Stat. Softw. 67(1), section 3); for other families
    Newton's method finds it, as for `Fit.ranef`.
    """
    fit = groups.fit
    sds = np.array(spread[:2]) / fit.sigma
    low, rest = spread.corr * sds[1], np.sqrt(max(1.0 - spread.corr**2, 0.0)) * sds[1]
    theta = np.array([sds[0], low, rest])
    found = solve_modes(groups.lay, fit.family, theta, fit.beta, groups.start)
    groups.start = found.u0, found.u2
    factor = np.array([[sds[0], 0.0], [low, rest]])
    lines: Array = groups.centre + found.u0 @ factor.T
    return lines


def ellipse(groups: Groups, spread: Spread, level: float) -> tuple[Array, Array]:
    """The outline inside which a share `level` of such groups lies: x and y, (73,) each.

    The points c with squared distance ``-2 log(1 - level)``, the quantile of chi-squared with 2
    degrees of freedom. At a correlation of 1 or -1 it is a line there and back.
    """
    radius = np.sqrt(-2.0 * np.log1p(-level))
    across, up = np.cos(_CORNERS), np.sin(_CORNERS)
    turned = spread.corr * across + np.sqrt(max(1.0 - spread.corr**2, 0.0)) * up
    x: Array = groups.centre[0] + radius * spread.sd_intercept * across
    y: Array = groups.centre[1] + radius * spread.sd_slope * turned
    return x, y


def moved(groups: Groups, lines: Array) -> Array:
    """The median distance between own and pooled, of intercepts and of slopes: (2,)."""
    away = np.abs(lines - groups.own)[~np.isnan(groups.own[:, 0])]
    return np.median(away, axis=0) if len(away) else np.full(2, np.nan)


def kept(groups: Groups, lines: Array, spread: Spread) -> Kept:
    """What is left of distances from the centre, along the ellipse and across it."""
    has = ~np.isnan(groups.own[:, 0])
    sds = np.array(spread[:2])
    if not has.any() or sds.min() <= 0:
        return Kept(np.nan, np.nan)
    sign = -1.0 if spread.corr < 0 else 1.0
    turn = np.array([[1.0, 1.0], [sign, -sign]]) / np.sqrt(2.0)
    own, now = (
        np.median(np.abs((points[has] - groups.centre) / sds @ turn), axis=0)
        for points in (groups.own, lines)
    )
    shares = np.divide(now, own, out=np.full(2, np.nan), where=own > 0)
    return Kept(float(shares[0]), float(shares[1]))


def slope_frame(
    fit: Fit,
    sd_intercept: float | None = None,
    sd_slope: float | None = None,
    corr: float | None = None,
) -> pd.DataFrame:
    """The lines of groups, on their own and partially pooled under a spread.

    Parameters
    ----------
    fit
        A fit with one ``(1 + x | group)``.
    sd_intercept, sd_slope, corr
        The spread of groups; the fit's own where not given. The fixed coefficients are the fit's.

    Returns
    -------
    DataFrame
        ``level n own_intercept own_slope intercept slope``, a row for each group; nan where a
        group has no line of its own.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.widgets import slope_frame
    >>> fit = hw.glmer("contacted ~ 1 + district_competitiveness"
    ...                " + (1 + district_competitiveness | election_id)",
    ...                hw.load("rainey2015"), event="Contacted")
    >>> slope_frame(fit)[["level", "own_slope", "slope"]].round(2).head(2)
         level  own_slope  slope
    0   Canada       4.64   4.61
    1  Finland       0.47   0.42
    """
    groups = prepare(fit)
    given = Spread(
        *(
            old if new is None else float(new)
            for old, new in zip(groups.fitted, (sd_intercept, sd_slope, corr), strict=True)
        )
    )
    if min(given[:2]) < 0 or not -1 <= given.corr <= 1:
        raise DataError(
            f"sds are 0 or more and a correlation from -1 to 1; {tuple(given)} was given"
        )
    lines = pooled(groups, given)
    return pd.DataFrame(
        {
            "level": groups.levels, "n": groups.n,
            "own_intercept": groups.own[:, 0], "own_slope": groups.own[:, 1],
            "intercept": lines[:, 0], "slope": lines[:, 1],
        }
    )  # fmt: skip


def _check(fit: object) -> None:
    wanted = "a fit with one (1 + x | group), as hw.glmer('y ~ x + (1 + x | group)', data) gives"
    if not isinstance(fit, Fit):
        raise DataError(f"this widget takes {wanted}; a {type(fit).__name__} was given")
    if len(fit.design.terms) != 1 or not paired_groups(fit):
        has = " + ".join(f"({' + '.join(one.names)} | {one.group})" for one in fit.design.terms)
        raise DataError(f"this widget takes {wanted}; this one has {has}")
    absent = [name for name in fit.design.terms[0].names if name not in fit.design.names]
    if absent:
        raise DataError(
            f"{absent[0]} varies over {fit.design.terms[0].group} and has no fixed coefficient, "
            f"which is the centre; the fixed coefficients are {list(fit.design.names)}"
        )
