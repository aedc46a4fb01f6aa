"""Pictures of fits on the boundary: flat likelihoods, noisy pairs, and what remedies change.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import BAND, FADED, GREEN, INK, LIGHT_ORANGE, ORANGE, PURPLE, RULES
from hierwidgets.errors import DataError

from .base import blank_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "answer_rows",
    "correlation_histograms",
    "ellipse",
    "extended_lines",
    "likelihood_map",
    "marked_histograms",
    "pair_ellipses",
    "profile_panels",
]


_STYLES = ((ORANGE, "-"), (PURPLE, "--"), (GREEN, ":"), (INK, "-."))


# --- the likelihood -----------------------------------------------------------------------


def profile_panels(
    panels: Mapping[str, Mapping[str, pd.DataFrame]], fall: float | None = None
) -> "Figure":
    """Curves of ``value drop`` side by side, one panel per parameter.

    Parameters
    ----------
    panels
        Per axis label the curves by name; a single curve needs no legend.
    fall
        Where a horizontal line marks how far a log-likelihood may fall, such as 1.353 for 90 %.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.boundary import profile_panels
    >>> curve = pd.DataFrame({"value": [0, 1, 2], "drop": [-1.0, 0.0, -1.0]})
    >>> [axes.get_xlabel() for axes in profile_panels({"sd": {"ml": curve}}, 1.353).axes]
    ['sd']
    """
    if not panels:
        raise DataError("no curves were given; give frames by panel and by name")
    figure = blank_figure(4.1 * len(panels) if len(panels) > 1 else 5.6, 3.3)
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (label, curves) in zip(row, panels.items(), strict=True):
        for (name, curve), (color, dashes) in zip(curves.items(), _STYLES, strict=False):
            axes.plot(curve["value"], curve["drop"], dashes, color=color, lw=2.2, label=name)
            best = int(curve["drop"].to_numpy().argmax())
            top = curve.iloc[best]
            axes.plot(top["value"], top["drop"], "D", color=color, clip_on=False, zorder=4)
        if fall is not None:
            axes.axhline(-fall, color=FADED, lw=1)
            axes.annotate(
                f"\N{MINUS SIGN}{fall:.2f}", (1, -fall), xycoords=("axes fraction", "data"),
                color=INK, ha="right", va="bottom", size=9,
            )  # fmt: skip
        if len(curves) > 1:
            axes.legend(frameon=False, fontsize=9)
        _plain(axes, label)
    row[0].set_ylabel("log-likelihood, less the maximum")
    return figure


def likelihood_map(table: pd.DataFrame, estimate: tuple[float, float], level: float) -> "Figure":
    """A map of ``sd corr drop``: contours, a shaded confidence region, a mark at the estimate.

    Parameters
    ----------
    level
        Of the region, which holds the pairs whose drop is less than half the chi-squared quantile
        with 2 degrees of freedom: ``-log(1 - level)``.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.boundary import likelihood_map
    >>> grid = [(s, r, -s * (1 - r)) for r in (-1, 0, 1) for s in (0.1, 1.0, 3.0)]
    >>> table = pd.DataFrame(grid, columns=["sd", "corr", "drop"])
    >>> likelihood_map(table, (0.1, 1.0), 0.9).axes[0].get_ylabel()
    'correlation ρ'
    """
    wide = table.pivot(index="corr", columns="sd", values="drop")
    x, y = wide.columns.to_numpy(float), wide.index.to_numpy(float)
    figure = blank_figure(6.6, 4.4)
    axes = figure.add_subplot()
    far = float(-np.log(1 - level))
    shown = wide.to_numpy(float)
    axes.contourf(x, y, shown, levels=[-far, 1.0], colors=[LIGHT_ORANGE])
    axes.contour(x, y, shown, levels=[-far], colors=[ORANGE], linewidths=2)
    steps = [-s for s in (4.0, 3.0, 1.5, 1.0, 0.5, 0.1) if abs(s - far) > 0.2]
    lines = axes.contour(x, y, shown, levels=steps, colors=INK, linewidths=0.8, linestyles="-")
    axes.clabel(lines, fmt=lambda value: f"\N{MINUS SIGN}{-value:g}", fontsize=8)
    axes.plot(*estimate, "D", color=ORANGE, ms=9, clip_on=False, zorder=5)
    axes.set(xlabel="sd of the slopes", ylabel="correlation ρ", ylim=(y.min(), y.max()))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


# --- five noisy pairs ---------------------------------------------------------------------


def ellipse(centre: Array, covariance: Array, level: float = 0.9, points: int = 121) -> Array:
    """(points, 2): the ellipse that holds `level` of a bivariate normal distribution.

    ``(x - m)' inv(V) (x - m) = -2 log(1 - level)``.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.boundary import ellipse
    >>> ellipse(np.zeros(2), np.eye(2), level=1 - np.exp(-0.5), points=2).round(3) + 0.0
    array([[1., 0.],
           [1., 0.]])
    """
    angle = np.linspace(0, 2 * np.pi, points)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    radius = np.sqrt(-2 * np.log(1 - level))
    return centre + radius * circle @ np.linalg.cholesky(covariance).T


def pair_ellipses(panels: Mapping[str, pd.DataFrame], labels: Sequence[str]) -> "Figure":
    """Estimated pairs (height, slope) with 90 % ellipses, one panel per origin of x.

    Parameters
    ----------
    panels
        Per title a frame ``name rules height slope var_height cov var_slope``.
    labels
        Of the horizontal axis of each panel.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.boundary import pair_ellipses
    >>> frame = pd.DataFrame({"name": ["A"], "rules": ["PR"], "height": [0.0], "slope": [1.0],
    ...                       "var_height": [1.0], "cov": [-0.5], "var_slope": [1.0]})
    >>> [axes.get_title() for axes in pair_ellipses({"at 0": frame}, ["height"]).axes]
    ['at 0']
    """
    figure = blank_figure(4.6 * len(panels), 3.9)
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (title, frame), label in zip(row, panels.items(), labels, strict=True):
        places = _apart(frame["slope"].to_list(), 0.07 * _reach(frame))
        for one, place in zip(frame.itertuples(index=False), places, strict=True):
            _one_pair(axes, one, float(place))
        axes.set_title(title, size=10)
        axes.margins(0.08)
        _plain(axes, label)
    row[0].set_ylabel("slope")
    return figure


def _reach(frame: pd.DataFrame) -> float:
    """About the height of the picture in units of the slope."""
    half = 2.2 * np.sqrt(frame["var_slope"])
    return float((frame["slope"] + half).max() - (frame["slope"] - half).min())


def _one_pair(axes: "Axes", one: Any, place: float) -> None:
    color, marker, dashes = RULES[one.rules]
    centre = np.array([one.height, one.slope])
    cov = np.array([[one.var_height, one.cov], [one.cov, one.var_slope]])
    axes.plot(*ellipse(centre, cov).T, dashes, color=color, lw=1.3)
    axes.plot(*centre, marker, color=color, ms=6)
    axes.annotate(
        one.name, (one.height, one.slope), (22, place), size=9, color=INK, va="center",
        textcoords=("offset points", "data"),
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8}, zorder=4,
        arrowprops={"arrowstyle": "-", "color": FADED, "lw": 0.8, "shrinkA": 0, "shrinkB": 3},
    )  # fmt: skip


def extended_lines(
    lines: pd.DataFrame, meeting: float | None, observed: tuple[float, float]
) -> "Figure":
    """Elections' lines on the log-odds scale, drawn on to where they meet.

    Parameters
    ----------
    lines
        ``name rules intercept slope``.
    meeting
        The x at which lines of one rule meet, or None.
    observed
        The range of x in the data, shaded.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.boundary import extended_lines
    >>> lines = pd.DataFrame({"name": ["A", "B"], "rules": ["PR", "PR"],
    ...                       "intercept": [0.0, 1.0], "slope": [1.0, 2.0]})
    >>> len(extended_lines(lines, -1.0, (0.2, 0.9)).axes[0].lines)
    3
    """
    figure = blank_figure(7.2, 3.9)
    axes = figure.add_subplot()
    left = min(0.0, meeting if meeting is not None else 0.0) - 0.12
    x = np.array([left, 1.0])
    axes.axvspan(*observed, color=BAND, zorder=0)
    axes.annotate("data", (sum(observed) / 2, 0.97), xycoords=("data", "axes fraction"),
                  ha="center", va="top", size=9, color=INK)  # fmt: skip
    ends = []
    for one in lines.itertuples(index=False):
        color, _, dashes = RULES[str(one.rules)]
        intercept, slope = float(one.intercept), float(one.slope)  # type: ignore[arg-type]
        axes.plot(x, intercept + slope * x, dashes, color=color, lw=1.7)
        ends.append((intercept + slope, str(one.name), color))
    for place, (_, name, color) in zip(_apart([end[0] for end in ends], 0.38), ends, strict=True):
        axes.text(1.02, place, name, color=color, va="center", size=9)
    if meeting is not None:
        axes.axvline(meeting, color=INK, lw=0.9, linestyle=":")
    axes.set_xlim(left, 1.32)
    axes.set_xticks(np.arange(np.ceil(left * 4) / 4, 1.01, 0.25))
    _plain(axes, "district competitiveness")
    axes.set_ylabel("log-odds of being contacted")
    return figure


def _apart(heights: Sequence[float], least: float) -> Array:
    """Heights moved up where needed so that they lie `least` apart, in the order given."""
    order = np.argsort(heights, kind="stable")
    out = np.array(heights, dtype=float)
    for below, above in pairwise(order):
        out[above] = max(out[above], out[below] + least)
    return out


# --- answers side by side -----------------------------------------------------------------


def answer_rows(frame: pd.DataFrame, label: str, at: float | None = 0.0) -> "Figure":
    """Estimates with intervals, a row each: ``name estimate conf_low conf_high``.

    Parameters
    ----------
    at
        Where a vertical line stands, or None.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.boundary import answer_rows
    >>> frame = pd.DataFrame({"name": ["a", "b"], "estimate": [1.0, 2.0],
    ...                       "conf_low": [0.0, 1.0], "conf_high": [2.0, 3.0]})
    >>> [t.get_text() for t in answer_rows(frame, "effect").axes[0].get_yticklabels()]
    ['a', 'b']
    """
    figure = blank_figure(7.4, 0.8 + 0.42 * len(frame))
    axes = figure.add_subplot()
    places = np.arange(len(frame))
    axes.hlines(places, frame["conf_low"], frame["conf_high"], color=PURPLE, lw=2)
    axes.plot(frame["estimate"], places, "D", color=ORANGE)
    for place, one in zip(places, frame.itertuples(index=False), strict=True):
        axes.annotate(f"{float(one.estimate):.2f}", (float(one.estimate), place), (0, 5),  # type: ignore[arg-type]
                      textcoords="offset points", ha="center", size=8)  # fmt: skip
    if at is not None:
        axes.axvline(at, color=FADED, lw=1)
    axes.set_yticks(places, list(frame["name"]))
    axes.set_ylim(len(frame) - 0.5, -0.6)
    _plain(axes, label)
    return figure


def correlation_histograms(frame: pd.DataFrame, by: str, value: str = "corr") -> "Figure":
    """Histograms of estimated correlations, one panel per value of `by`; -1 and 1 stand out.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.boundary import correlation_histograms
    >>> frame = pd.DataFrame({"K": [5, 5, 20], "corr": [1.0, -1.0, 0.2]})
    >>> [axes.get_title() for axes in correlation_histograms(frame, "K").axes]
    ['K = 5', 'K = 20']
    """
    groups = list(frame.groupby(by))
    figure = blank_figure(2.3 * max(len(groups), 2), 2.8)
    row = figure.subplots(1, len(groups), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (k, part) in zip(row, groups, strict=True):
        corr = part[value].dropna().to_numpy(dtype=float)
        edge = np.abs(corr) > 1 - 1e-3
        weight = 1 / len(part)
        bins = np.linspace(-1, 1, 17)
        inner = corr[~edge]
        axes.hist(inner, bins=bins, weights=np.full(len(inner), weight), color=PURPLE)
        for side in (-1.0, 1.0):
            share = float((edge & (np.sign(corr) == side)).sum() * weight)
            axes.bar(side * 1.09, share, width=0.14, color=ORANGE, hatch="//", edgecolor="white")
        axes.set_title(f"K = {k}", size=10)
        axes.set_xticks([-1, 0, 1])
        _plain(axes, "")
    row[0].set_ylabel("share of surveys")
    figure.supxlabel("estimated correlation", size=10)
    return figure


def marked_histograms(draws: Mapping[str, Array], marks: Mapping[str, float]) -> "Figure":
    """Histograms of draws, one panel per parameter, with a line where another method stands.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.boundary import marked_histograms
    >>> figure = marked_histograms({"sd": np.array([0.1, 0.4, 0.5])}, {"sd": 0.2})
    >>> len(figure.axes[0].lines)
    1
    """
    figure = blank_figure(3.3 * len(draws) if len(draws) > 1 else 5, 2.9)
    row = figure.subplots(1, len(draws), squeeze=False)[0]
    for axes, (label, values) in zip(row, draws.items(), strict=True):
        upper = float(np.quantile(values, 0.995))
        axes.hist(values, bins=40, range=(float(values.min()), upper), density=True, color=PURPLE,
                  alpha=0.8)  # fmt: skip
        if label in marks:
            axes.axvline(marks[label], color=ORANGE, lw=2.5, linestyle="--")
        axes.set_yticks([])
        _plain(axes, label)
    row[0].set_ylabel("density of the draws")
    return figure


# --- parts --------------------------------------------------------------------------------


def _plain(axes: "Axes", label: str) -> None:
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
