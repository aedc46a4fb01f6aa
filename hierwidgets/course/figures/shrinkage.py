"""Pictures of one level between its own answers and the others: curves, weights, three rates.

Kinds of pooling keep the colour, marker and line style of `palette.STYLES`. matplotlib is
imported when a figure is drawn.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import COMPLETE, DARK_ORANGE, FADED, INK, NO, PARTIAL, STYLES
from hierwidgets.errors import DataError

from .base import blank_figure, legend_above
from .integrals import DistrictIntegral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["levels_under_prior", "prior_times_likelihood", "three_rates", "weight_by_size"]


_PRIOR, _DATA, _BOTH = COMPLETE, NO, PARTIAL  # the others, the level's own answers, both
_RATES = (0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 0.99, 0.999)


def prior_times_likelihood(districts: Mapping[str, DistrictIntegral]) -> "Figure":
    r"""Prior, likelihood and their product, one panel for each district, on one axis of log-odds.

    .. math:: h(\alpha) = \underbrace{p^y (1 - p)^{n - y}}_{\text{likelihood}}
              \; \underbrace{N(\alpha \mid \mu, \sigma^2)}_{\text{prior}},
              \qquad p = \text{logit}^{-1}(\alpha)

    (Gelman & Hill 2007, section 12.2). Each curve is divided by its height at its own top, so
    that shapes and places can be compared; a second axis above gives the rates.

    Examples
    --------
    >>> from hierwidgets.course.figures.integrals import DistrictIntegral
    >>> from hierwidgets.course.figures.shrinkage import prior_times_likelihood
    >>> figure = prior_times_likelihood({"309": DistrictIntegral(10, 23, -1.37, 0.31)})
    >>> [line.get_label() for line in figure.axes[0].lines][:3]
    ['prior', 'likelihood', 'prior × likelihood']
    """
    if not districts:
        raise DataError("no districts were given; give them by title, {'309': DistrictIntegral}")
    figure = blank_figure(max(3.1 * len(districts), 8.0), 3.9)
    panels = figure.subplots(1, len(districts), sharex=True, sharey=True, squeeze=False)[0]
    ends = [_shown(district) for district in districts.values()]
    alpha = np.linspace(min(low for low, _ in ends), max(high for _, high in ends), 801)
    for axes, (title, district) in zip(panels, districts.items(), strict=True):
        _three_curves(axes, district, alpha)
        axes.set_title(title, fontsize=11)
        axes.set_xlabel("α, log-odds")
    panels[0].set_ylabel("height / height of the top")
    legend_above(panels[0], ncols=3)
    return figure


def _shown(district: DistrictIntegral) -> tuple[float, float]:
    """Where the prior, and the likelihood near its top, can be seen."""
    rate = (district.y + 0.5) / (district.n + 1)
    own, sd = float(_logit(rate)), 1 / np.sqrt((district.n + 1) * rate * (1 - rate))
    low = min(district.mu - 3.3 * district.sigma, own - 2.5 * sd)
    return low, max(district.mu + 3.3 * district.sigma, own + 2.5 * sd)


def _three_curves(axes: "Axes", district: DistrictIntegral, alpha: Array) -> None:
    prior = -0.5 * ((alpha - district.mu) / district.sigma) ** 2
    product = district.log_h(alpha)
    looks: dict[str, tuple[Array, dict[str, Any]]] = {
        "prior": (prior, {"color": _PRIOR, "linestyle": "--"}),
        "likelihood": (product - prior, {"color": _DATA, "linestyle": ":", "linewidth": 2.4}),
        "prior × likelihood": (product, {"color": _BOTH, "linewidth": 2.2}),
    }
    for name, (log, look) in looks.items():
        axes.plot(alpha, np.exp(log - log.max()), label=name, **look)
    axes.fill_between(alpha, np.exp(product - product.max()), color=_BOTH, alpha=0.12, linewidth=0)
    top = district.mode
    axes.plot([top, top], [0, 1], color=_BOTH, linewidth=0.8)
    name = f"peak {expit(top):.3f} "
    axes.annotate(name, (top, 1.02), ha="center", va="bottom", fontsize=9, color=DARK_ORANGE)
    axes.set_ylim(0, 1.14)
    axes.spines[["right"]].set_visible(False)
    _rates_above(axes, alpha)


def _rates_above(axes: "Axes", alpha: Array) -> None:
    """A second axis with rates, as many as there is room for."""
    inside = [rate for rate in _RATES if alpha[0] < _logit(rate) < alpha[-1]]
    least = 0.11 * float(alpha[-1] - alpha[0])
    kept: list[float] = []
    for rate in inside:
        if not kept or _logit(rate) - _logit(kept[-1]) > least:
            kept.append(rate)
    above = axes.secondary_xaxis("top")
    above.set_xticks([float(_logit(rate)) for rate in kept], [f"{rate:g}" for rate in kept])
    above.tick_params(labelsize=8)
    above.set_xlabel("π, rate", fontsize=8)


def levels_under_prior(frame: pd.DataFrame, mu: float, sigma: float) -> "Figure":
    """The normal curve the levels are drawn from, and the log-odds of their raw rates below it.

    Parameters
    ----------
    frame
        ``level n estimate``; no estimate may be 0 or 1. A point's area grows with n.
    mu, sigma
        Mean and sd of the curve, on the log-odds scale.

    Raises
    ------
    DataError
        If a raw rate has no log-odds, or sigma is not above 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.shrinkage import levels_under_prior
    >>> frame = pd.DataFrame({"level": ["a", "b"], "n": [9, 20], "estimate": [0.2, 0.3]})
    >>> levels_under_prior(frame, -1, 0.5).axes[0].get_xlabel()
    'α, log-odds'
    """
    if not sigma > 0:
        raise DataError(f"sigma={sigma}; it must be above 0")
    extreme = frame.loc[frame["estimate"].isin([0, 1]), "level"]
    if len(extreme):
        raise DataError(f"the rate of level {extreme.iloc[0]!r} is 0 or 1: it has no log-odds")
    own = _logit(frame["estimate"].to_numpy(dtype=float))
    low, high = min(mu - 3.4 * sigma, own.min() - 0.2), max(mu + 3.4 * sigma, own.max() + 0.2)
    figure = blank_figure(8, 3.9)
    axes = figure.add_subplot(xlabel="α, log-odds", yticks=[], ylim=(-0.5, 1.22), xlim=(low, high))
    alpha = np.linspace(low, high, 601)
    height = np.exp(-0.5 * ((alpha - mu) / sigma) ** 2)
    axes.fill_between(alpha, height, color=_PRIOR, alpha=0.12, linewidth=0)
    axes.plot(alpha, height, color=_PRIOR, linestyle="--")
    _give_or_take(axes, mu, sigma)
    sizes = 1.2 * frame["n"].to_numpy(dtype=float) + 6
    axes.scatter(own, np.full(len(own), -0.12), s=sizes, color=_DATA, alpha=0.55, linewidths=0)
    _names_below(axes, frame["level"], own)
    axes.spines[["right", "left"]].set_visible(False)
    _rates_above(axes, alpha)
    return figure


def _give_or_take(axes: "Axes", mu: float, sigma: float) -> None:
    """The centre, and one sd to either side."""
    axes.plot([mu, mu], [0, 1], color=_PRIOR, linewidth=1)
    axes.annotate("μ", (mu, 1.01), ha="center", va="bottom", color=_PRIOR)
    at = float(np.exp(-0.5))
    for end in (mu - sigma, mu + sigma):
        style: dict[str, Any] = {"arrowstyle": "->", "color": INK, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (end, at), xytext=(mu, at), arrowprops=style)
        axes.annotate("σ", ((mu + end) / 2, at + 0.02), ha="center", va="bottom", color=INK)


def _names_below(axes: "Axes", levels: "pd.Series[Any]", own: Array) -> None:
    """Turned labels under the points, moved to a free place where points are close."""
    order = np.argsort(own, kind="stable")
    low, high = axes.get_xlim()
    places, least = own[order].copy(), 0.027 * (high - low)
    for _ in range(200):  # neighbours that are too close push each other away
        short = np.clip(least - np.diff(places), 0, None) / 2
        places[:-1] -= short
        places[1:] += short
    for place, k in zip(places, order, strict=True):
        axes.plot([own[k], place], [-0.17, -0.24], color=FADED, linewidth=0.6)
        name = str(levels.iloc[k])
        axes.text(place, -0.26, name, rotation=90, ha="center", va="top", fontsize=8)


def weight_by_size(
    frame: pd.DataFrame, half: Mapping[str, float], *, highlight: Sequence[object] = ()
) -> "Figure":
    r"""The weight of each level's own data against its size, and curves of the rule of thumb.

    .. math:: \lambda(n) = \frac{n}{n + n_0}

    (Gelman & Hill 2007, section 12.2, with :math:`n_0` the ratio of the variance within to that
    between levels).

    Parameters
    ----------
    frame
        ``level n weight``, weights from 0 to 1.
    half
        The size :math:`n_0` at which the weight is one half, by the name of a curve; above 0.
        The first curve is drawn solid.
    highlight
        Levels whose points are named.

    Raises
    ------
    DataError
        If there is no curve, a level to name is not in the frame, or an :math:`n_0` is not above 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.shrinkage import weight_by_size
    >>> frame = pd.DataFrame({"level": ["a", "b"], "n": [9, 20], "weight": [0.1, 0.25]})
    >>> [line.get_label() for line in weight_by_size(frame, {"σ = 0.3": 64}).axes[0].lines][:1]
    ['σ = 0.3']
    """
    if not half:
        raise DataError("no curve was given; give half-weight sizes by name, {'σ = 0.3': 64}")
    absent = [level for level in highlight if level not in set(frame["level"])]
    if absent:
        raise DataError(f"{absent[0]!r} is not among the levels {list(frame['level'])[:5]} ...")
    figure = blank_figure(8, 4.2)
    most = 1.12 * float(frame["n"].max())
    axes = figure.add_subplot(xlabel="n, answers", ylabel="weight of the district's own answers")
    n = np.linspace(0, most, 301)
    for (name, size), line in zip(half.items(), ["-", "--", ":", "-."], strict=False):
        if not size > 0:
            raise DataError(f"half the weight at n = {size} in {name!r}; it must be above 0")
        axes.plot(n, n / (n + size), linestyle=line, color=INK, linewidth=1.2, label=name)
    marks: dict[str, Any] = {"color": _BOTH, "marker": STYLES["partial pooling"].marker}
    axes.scatter(frame["n"], frame["weight"], zorder=3, **marks)
    _name_points(axes, frame[frame["level"].isin(list(highlight))], next(iter(half.values())))
    axes.set(xlim=(0, most), ylim=(0, 1))
    axes.axhline(0.5, color=FADED, linewidth=0.8, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper center", ncols=len(half), bbox_to_anchor=(0.5, 1.13), frameon=False)
    return figure


def _name_points(axes: "Axes", frame: pd.DataFrame, half: float) -> None:
    """Names of points above the curve to their upper left, the others to their lower right."""
    sizes, weights = (frame[name].to_numpy(dtype=float) for name in ("n", "weight"))
    for level, n, weight in zip(frame["level"], sizes, weights, strict=True):
        above = weight > n / (n + half)
        options: dict[str, Any] = {"textcoords": "offset points", "fontweight": "bold"}
        options |= {"xytext": (-5, 5), "ha": "right"} if above else {"xytext": (6, -12)}
        axes.annotate(str(level), (n, weight), **options)


def three_rates(
    frames: Mapping[str, pd.DataFrame], level: object, *, label: str = "rate"
) -> "Figure":
    """One level's estimates by kind, each with its interval, and the other levels as strokes.

    Parameters
    ----------
    frames
        Frames with ``level estimate conf_low conf_high`` by kind, the first at the top.
    level
        The level to show.
    label
        Of the horizontal axis.

    Raises
    ------
    DataError
        If a frame has no such level.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.shrinkage import three_rates
    >>> own = pd.DataFrame({"level": ["a"], "estimate": [0.4]}).assign(conf_low=0.2, conf_high=0.6)
    >>> [text.get_text() for text in three_rates({"no pooling": own}, "a").axes[0].texts]
    ['0.400']
    """
    figure = blank_figure(8, 0.9 + 0.75 * len(frames))
    axes = figure.add_subplot(xlabel=label)
    for height, (kind, frame) in enumerate(list(frames.items())[::-1]):
        levels = list(frame["level"])
        if level not in levels:
            raise DataError(f"the estimates {kind!r} have no row for the level {level!r}")
        place = levels.index(level)
        _one_rate(axes, kind, frame.iloc[place], height)
        others = np.delete(frame["estimate"].to_numpy(dtype=float), place)
        axes.vlines(others, height - 0.13, height + 0.13, color=FADED, linewidth=1, zorder=1)
    axes.set_yticks(range(len(frames)), list(frames)[::-1])
    axes.set_ylim(-0.5, len(frames) - 0.35)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def _one_rate(axes: "Axes", kind: str, row: "pd.Series[Any]", height: int) -> None:
    style = STYLES.get(kind, STYLES["no pooling"])
    value, ends = float(row["estimate"]), [float(row["conf_low"]), float(row["conf_high"])]
    look: dict[str, Any] = {"color": style.color, "linestyle": style.linestyle}
    axes.plot(ends, [height, height], linewidth=2, zorder=2, **look)
    axes.scatter([value], [height], s=70, color=style.color, marker=style.marker, zorder=3)
    axes.annotate(f"{value:.3f}", (value, height + 0.17), ha="center", va="bottom", fontsize=9)


def _logit(rate: ArrayLike) -> Array:
    rate = np.asarray(rate, dtype=np.float64)
    return np.asarray(np.log(rate) - np.log1p(-rate))
