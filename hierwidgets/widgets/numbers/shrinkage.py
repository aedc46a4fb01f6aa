"""Prior, likelihood and posterior of one level, as pure functions of a fit and its settings.

Everything is computed on the link scale, on a grid that finds the curve by itself, and carried
to the probability scale with the derivative of the inverse link.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.spec.families import Family

from .averaged import AveragedPrior, averaged_prior
from .curves import TINY, Curve, LogDensity, curve_of, describe, on_one_axis, top
from .pooling import check_fit, finite_number, link_ends, moved_furthest, on_link, pooling_columns
from .words import place_of

__all__ = [
    "Level",
    "Settings",
    "first_level",
    "link_axis",
    "link_limits",
    "one_level",
    "shrinkage",
    "shrinkage_curves",
    "shrinkage_frame",
]


@dataclass(frozen=True, slots=True)
class Level:
    """The data of one level, and where the model without its effect puts it.

    Attributes
    ----------
    name : object
    index : int
        Its place among the fit's levels.
    y, trials : (n,) float
        Its rows.
    shift : (n,) float
        Linear predictor of each row less the target: 0 unless a predictor varies in the level.
    offset : float
        Target less the intercept: what the predictors add, as a mean over the trials.
    """

    name: Any
    index: int
    y: Array
    trials: Array
    shift: Array
    offset: float


class Settings(NamedTuple):
    """What a student can turn; `y` and `n` before the multiplier."""

    mu: float
    sigma: float
    y: float
    n: float
    multiplier: float = 1.0
    scale: str = "probability"


class Shrinkage(NamedTuple):
    """The numbers of one picture, as columns: `summary` by curve, `curves` by place."""

    summary: dict[str, list[Any]]
    curves: dict[str, Array]


def shrinkage_frame(
    fit: Fit, level: object = None, *, mu: float | None = None, sigma: float | None = None,
    y: float | None = None, n: float | None = None, multiplier: float = 1.0,
    scale: str = "probability", full_bayes: bool | AveragedPrior = False,
) -> pd.DataFrame:  # fmt: skip
    r"""Mode, mean and 90 % interval of one level's prior and posterior.

    With linear predictor :math:`\alpha_j` of the level (the mean over its trials) and target
    :math:`t_j = \mu` plus what predictors add,

    .. math:: p(\alpha_j \mid y_j) \propto
              \prod_i p(y_i \mid \alpha_j) \; N(\alpha_j \mid t_j, \sigma^2),
              \qquad p(\pi) = p(\alpha) \Big/ \frac{d\pi}{d\alpha}.

    So the mode depends on the scale, and the interval does not: its ends are 5 % and 95 %
    quantiles. With `full_bayes` the prior is the average of :math:`N(t_j, \sigma^2)` over the
    posterior of mu and sigma given all other levels; see `averaged_prior`.
    Source: Gelman & Hill (2007), section 12.2; Gelman et al. (2013), Bayesian Data Analysis,
    section 5.3; for the change of variable, section 1.8.

    Parameters
    ----------
    fit
        A binomial fit with one grouping factor whose intercept varies, ``(1 | group)``.
    level
        One of its levels; `first_level` if None.
    mu, sigma
        Intercept and standard deviation of the prior; the fit's own if None.
    y, n
        Events and trials of the level, if other than its own; predictors are then at the target.
    multiplier
        Both are multiplied by it, so that the rate stays; above 0.
    scale
        ``"probability"``, or the name of the fit's link.
    full_bayes
        False, True, or what `averaged_prior` returned for this fit.

    Returns
    -------
    DataFrame
        A row for the ``prior``, ``likelihood`` and ``posterior``; with `full_bayes` the first
        and the last are the averaged ones, and a row ``plug-in posterior`` follows. Columns
        ``mode mean conf_low conf_high`` on `scale` (the likelihood, which is no density, has a
        mode alone); ``weight``, the share lambda that the level's own data carry at the plug-in
        mode (see `pooling_frame`), and ``pseudo_n``, the number of trials the plug-in prior is
        worth, :math:`1 / (\sigma^2 p (1 - p))` for a logit, at the target's p.

    Raises
    ------
    DataError
        Another kind of fit, an unknown level or scale, sigma or multiplier not above 0, counts
        that are not 0 <= y <= n with n above 0.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.widgets import shrinkage_frame
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> shrinkage_frame(fit, "District 309").round(3)[["curve", "mode", "conf_low", "conf_high"]]
            curve   mode  conf_low  conf_high
    0       prior  0.193     0.132      0.297
    1  likelihood  0.435       NaN        NaN
    2   posterior  0.262     0.192      0.358
    """
    found = _checked(fit, level, (mu, sigma, y, n), multiplier, scale, full_bayes)
    return pd.DataFrame(found.summary)


def shrinkage_curves(
    fit: Fit, level: object = None, *, mu: float | None = None, sigma: float | None = None,
    y: float | None = None, n: float | None = None, multiplier: float = 1.0,
    scale: str = "probability", full_bayes: bool | AveragedPrior = False,
) -> pd.DataFrame:  # fmt: skip
    """The curves that `shrinkage_frame` sums up, with an area of 1 each.

    The likelihood is no density: it is scaled to an area of 1 over the axis shown, so that the
    three can be compared. On the probability scale that axis is 0 to 1.

    Parameters
    ----------
    fit, level, mu, sigma, y, n, multiplier, scale, full_bayes
        As for `shrinkage_frame`.

    Returns
    -------
    DataFrame
        ``at``, the place on the axis, closer together where a curve is narrow; ``prior``,
        ``likelihood``, ``posterior``, and with `full_bayes` ``plug-in posterior``.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.widgets import shrinkage_curves
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> curves = shrinkage_curves(fit, "District 309")
    >>> float(np.round(np.trapezoid(curves["posterior"], curves["at"]), 3))
    1.0
    """
    found = _checked(fit, level, (mu, sigma, y, n), multiplier, scale, full_bayes)
    return pd.DataFrame(found.curves)


def first_level(fit: Fit) -> Any:
    """The level that partial pooling moves furthest on the probability scale.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> first_level(fit)
    'District 309'
    """
    columns = pooling_columns(fit)
    return columns["level"][moved_furthest(columns["raw"], columns["estimate"])]


def one_level(fit: Fit, level: object) -> Level:
    """The rows of a level and its offset, for `shrinkage`."""
    check_fit(fit)
    term = fit.design.terms[0]
    design, index = fit.design, place_of(level, list(term.levels), f" of {term.group}")
    rows = term.codes == index
    added = (design.X @ fit.beta + design.offset - fit.fixef["Intercept"])[rows]
    y, trials = design.y[rows], design.trials[rows]
    offset = float(trials @ added / trials.sum())
    shift = added - offset
    if np.allclose(shift, 0.0, atol=1e-9):
        y, trials, shift = y.sum(keepdims=True), trials.sum(keepdims=True), np.zeros(1)
    return Level(term.levels[index], index, y, trials, shift, offset)


def shrinkage(
    family: Family,
    level: Level,
    settings: Settings,
    shown: tuple[float, float],
    averaged: LogDensity | None = None,
) -> Shrinkage:
    """All numbers of one picture; `shown` are the limits of the link axis."""
    mu, sigma, *_, scale = settings
    target = mu + level.offset
    likelihood = _likelihood(family, level, settings)

    def normal(alpha: Array) -> Array:
        return np.asarray(-0.5 * ((alpha - target) / sigma) ** 2, dtype=np.float64)

    def times(prior: LogDensity) -> LogDensity:
        return lambda alpha: prior(alpha) + likelihood(alpha)

    near = target - 12 * sigma, target + 12 * sigma
    far = min(near[0], -100.0), max(near[1], 100.0)  # many data pull far out of a narrow prior
    plain = curve_of(times(normal), *far)
    if averaged is None:
        found = {"prior": curve_of(normal, *near), "posterior": plain}
    else:
        found = {"prior": curve_of(averaged, *far), "posterior": curve_of(times(averaged), *far)}
        found["plug-in posterior"] = plain
    rate = settings.y / settings.n
    summary = _summary(family, found, rate, scale)
    mode = top(plain.at, np.log(np.maximum(plain.height, TINY)))
    weight, pseudo_n = _worth(family, level, settings, mode)
    count = len(summary["curve"])
    summary |= {"weight": [weight] * count, "pseudo_n": [pseudo_n] * count}
    whole = (-40.0, 40.0) if scale == "probability" else shown
    found = {"prior": found.pop("prior"), "likelihood": curve_of(likelihood, *whole)} | found
    return Shrinkage(summary, on_one_axis(family, found, scale, shown))


# --- the pieces ---


def _rows(level: Level, settings: Settings) -> tuple[Array, Array, Array]:
    """Its own rows (y, trials, shift); one row at the target if its counts were changed."""
    if (settings.y, settings.n) == (float(level.y.sum()), float(level.trials.sum())):
        return level.y, level.trials, level.shift
    return np.array([settings.y]), np.array([settings.n]), np.zeros(1)


def _likelihood(family: Family, level: Level, settings: Settings) -> LogDensity:
    y, trials, shift = _rows(level, settings)
    y, trials = settings.multiplier * y[:, None], settings.multiplier * trials[:, None]
    return lambda alpha: family.loglik(y, trials, alpha + shift[:, None]).sum(axis=0)


def _summary(
    family: Family, found: dict[str, Curve], rate: float, scale: str
) -> dict[str, list[Any]]:
    rows = {name: describe(family, curve, scale) for name, curve in found.items()}
    at = rate if scale == "probability" else float(on_link(family, rate))
    rows = {"prior": rows.pop("prior"), "likelihood": (at, np.nan, np.nan, np.nan)} | rows
    columns = zip(*rows.values(), strict=True)
    names = ("mode", "mean", "conf_low", "conf_high")
    return {"curve": list(rows)} | dict(zip(names, map(list, columns), strict=True))


def _worth(family: Family, level: Level, settings: Settings, mode: float) -> tuple[float, float]:
    """The weight lambda of the level's own data, and the trials the prior is worth."""
    _, trials, shift = _rows(level, settings)
    variance = settings.sigma**2
    own = settings.multiplier * _information(family, trials, mode + shift).sum()
    one = _information(family, np.ones(1), np.array([settings.mu + level.offset]))[0]
    return float(variance * own / (1 + variance * own)), float(1 / (variance * one))


def _information(family: Family, trials: Array, eta: Array) -> Array:
    return family.derivatives(np.zeros_like(trials), trials, eta).weight


def _checked(
    fit: Fit,
    name: object,
    turned: tuple[float | None, ...],
    multiplier: float,
    scale: str,
    full_bayes: bool | AveragedPrior,
) -> Shrinkage:
    """The picture that was asked for; mu, sigma, y and n are `turned`, or None."""
    check_fit(fit)
    level = one_level(fit, first_level(fit) if name is None else name)
    mu, sigma, y, n = turned
    settings = Settings(
        finite_number("mu", float(fit.fixef["Intercept"]) if mu is None else mu),
        finite_number("sigma", float(fit.theta[0]) if sigma is None else sigma, above=0.0),
        finite_number("y", float(level.y.sum()) if y is None else y, least=0.0),
        finite_number("n", float(level.trials.sum()) if n is None else n, above=0.0),
        finite_number("multiplier", multiplier, above=0.0),
        scale,
    )
    if settings.y > settings.n:
        raise DataError(f"y must not be above n; y = {settings.y:g}, n = {settings.n:g} was given")
    if scale not in ("probability", fit.family.link.name):
        raise DataError(
            f"scale must be 'probability' or {fit.family.link.name!r}; {scale!r} was given"
        )
    prior = averaged_prior(fit) if full_bayes is True else full_bayes
    without = None
    if isinstance(prior, AveragedPrior):
        without = prior.without(level.index, level.offset)
    axis = link_axis(fit.family, link_limits(fit), settings)
    return shrinkage(fit.family, level, settings, axis, without)


def link_limits(fit: Fit) -> tuple[float, float]:
    """Limits of the link axis: where any level is, raw or pooled, and some air."""
    low, high = link_ends(pooling_columns(fit))
    return float(np.floor(low - 1.0)), float(np.ceil(high + 1.0))


def link_axis(
    family: Family, limits: tuple[float, float], settings: Settings
) -> tuple[float, float]:
    """The limits, further out where a rate that was edited lies beyond them."""
    raw = float(on_link(family, settings.y / settings.n))
    if not np.isfinite(raw):
        return limits
    return min(limits[0], float(np.floor(raw - 1))), max(limits[1], float(np.ceil(raw + 1)))
