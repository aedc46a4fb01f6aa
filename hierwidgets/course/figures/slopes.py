"""Pictures of lines that differ: curves by age, points of intercept and slope, correlations.

Kinds of pooling keep the colour, marker and line style of `palette.STYLES`. matplotlib is
imported when a figure is drawn.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import COMPLETE, INK, LIGHT_GREY, STYLES, TRUTHS
from hierwidgets.errors import DataError

from .base import blank_figure, legend_above, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["corr_by_size", "curves", "pairs", "zeros"]

AGES = np.linspace(18, 82, 65)
EDGE = 1 - 1e-4  # a correlation beyond it is estimated at the edge
_DASHES = {0.5: "-", 0.9: "--"}
_COLUMNS = ("own_intercept", "own_slope", "intercept", "slope")


def curves(lines: pd.DataFrame, centre: Sequence[float], age: float = 50.0) -> "Figure":
    """The curve of every region against age: from its own rows, and partially pooled.

    Parameters
    ----------
    lines
        As `hierwidgets.widgets.slope_frame` gives them, with the slope by decades.
    centre
        The mean intercept and slope, drawn over them.
    age
        Where the predictor is 0.
    """
    require_columns(lines, *_COLUMNS, of="the lines")
    figure = blank_figure(8.4, 3.9)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    x = (AGES - age) / 10
    middle = expit(np.asarray(centre)[0] + np.asarray(centre)[1] * x)
    for axes, (kind, first) in zip(panels, (("no", "own_"), ("partial", "")), strict=True):
        style = STYLES[f"{kind} pooling"]
        pairs = lines[[f"{first}intercept", f"{first}slope"]].dropna().to_numpy()
        axes.plot(AGES, expit(pairs[:, :1] + pairs[:, 1:] * x).T, color=style.color, lw=0.7,
                  alpha=0.55)  # fmt: skip
        axes.plot(AGES, middle, color=INK, lw=2.5, ls="--",
                  label="centre of the lines")  # fmt: skip
        axes.set(title=f"{kind} pooling: {len(pairs)} regions", xlabel="age", ylim=(0, 1))
        axes.title.set_fontsize(11)
        _bare(axes)
    panels[0].set_ylabel("probability of contact")
    legend_above(panels[0], 1)
    return figure


def pairs(
    lines: pd.DataFrame,
    spread: Sequence[float],
    centre: Sequence[float],
    marked: object = None,
) -> "Figure":
    """Intercept across, slope upwards: a line from each group's own pair to the pooled one.

    Parameters
    ----------
    lines
        As `hierwidgets.widgets.slope_frame` gives them.
    spread
        The sd of intercepts, the sd of slopes and their correlation, for the ellipses.
    centre
        Of the distribution.
    marked
        A level to name in the picture.
    """
    require_columns(lines, "level", *_COLUMNS, of="the lines")
    figure = blank_figure(7.6, 5.2)
    axes = figure.add_subplot(xlabel="intercept: log-odds at age 50", ylabel="slope: per decade")
    own = lines[["own_intercept", "own_slope"]].to_numpy(dtype=float)
    now = lines[["intercept", "slope"]].to_numpy(dtype=float)
    for share, dash in _DASHES.items():
        axes.plot(*_ellipse(spread, centre, share), color=COMPLETE, ls=dash, lw=1.8,
                  label=f"holds {100 * share:.0f} % of regions")  # fmt: skip
    axes.plot(*np.stack([own, now], axis=1).T, color=LIGHT_GREY, lw=0.8, zorder=1)
    for points, kind in ((own, "no pooling"), (now, "partial pooling")):
        style = STYLES[kind]
        face = "none" if kind == "no pooling" else style.color
        axes.scatter(points[:, 0], points[:, 1], s=22, marker=style.marker, facecolors=face,
                     edgecolors=style.color, linewidths=1.1, label=kind, zorder=3)  # fmt: skip
    at = np.asarray(centre)[:, None]
    axes.scatter(at[0], at[1], s=80, marker=STYLES["complete pooling"].marker, color=COMPLETE,
                 edgecolors="white", label="centre", zorder=4)  # fmt: skip
    if marked is not None:
        row = _row(lines, marked)
        axes.annotate(str(marked), own[row], (8, 2), textcoords="offset points", fontsize=10)
    ends = np.nanquantile(own, [0.02, 0.98], axis=0)
    air = 0.08 * (ends[1] - ends[0])
    axes.set(xlim=(ends[0, 0] - air[0], ends[1, 0] + air[0]),
             ylim=(ends[0, 1] - air[1], ends[1, 1] + air[1]))  # fmt: skip
    _bare(axes)
    legend_above(axes, 3)
    return figure


def zeros(lines: pd.DataFrame, corrs: Mapping[float, float]) -> "Figure":
    """The same regions with height measured at other ages: a panel for each.

    Parameters
    ----------
    lines
        As `hierwidgets.widgets.slope_frame` gives them, with the slope by decades from 50.
    corrs
        The model's correlation of heights and slopes, by the age at which a height is measured.
    """
    require_columns(lines, *_COLUMNS, of="the lines")
    figure = blank_figure(8.4, 3.3)
    panels = figure.subplots(1, len(corrs), sharey=True, squeeze=False)[0]
    style = STYLES["partial pooling"]
    for axes, (age, corr) in zip(panels, corrs.items(), strict=True):
        height = lines["intercept"] + (age - 50) / 10 * lines["slope"]
        axes.scatter(height, lines["slope"], s=16, marker=style.marker, color=style.color)
        axes.set(xlabel=f"log-odds at age {age:g}")
        axes.set_title(f"correlation {corr:.2f}".replace("-", "\N{MINUS SIGN}"), fontsize=11)
        _bare(axes)
    panels[0].set_ylabel("slope: per decade")
    return figure


def corr_by_size(table: pd.DataFrame, truth: float) -> "Figure":
    """Estimated correlations of many surveys, a row for each number of regions.

    Parameters
    ----------
    table
        ``regions corr``, a row for each survey; a correlation that is not defined is nan.
    truth
        The correlation that all were drawn with.
    """
    require_columns(table, "regions", "corr", of="the table")
    sizes = list(dict.fromkeys(table["regions"]))
    figure = blank_figure(7.6, 1.35 * len(sizes) + 0.9)
    rows = figure.subplots(len(sizes), 1, sharex=True, squeeze=False)[:, 0]
    edges = np.linspace(-1, 1, 41)
    for axes, size in zip(rows, sizes, strict=True):
        corr = table.loc[table["regions"] == size, "corr"].dropna().to_numpy()
        inside = np.abs(corr) < EDGE
        axes.hist(corr[inside], edges, color=TRUTHS, edgecolor="white")
        ends = [(corr <= -EDGE).sum(), (corr >= EDGE).sum()]
        axes.bar([-1.04, 1.04], ends, width=0.05, color="white", edgecolor=INK, hatch="////",
                 label="at the edge, −1 or 1")  # fmt: skip
        axes.axvline(truth, color=INK, ls="--", lw=1.6, label="truth")
        axes.set_ylabel(f"{size} regions")
        axes.set_yticks([])
        _bare(axes)
    rows[-1].set_xlabel("estimated correlation, one for each survey")
    legend_above(rows[0], 2)
    return figure


def _ellipse(spread: Sequence[float], centre: Sequence[float], share: float) -> Array:
    """An outline inside which that share of a normal distribution lies: (2, 121)."""
    sd0, sd1, corr = spread
    turn = np.linspace(0, 2 * np.pi, 121)
    circle = np.sqrt(-2 * np.log1p(-share)) * np.array([np.cos(turn), np.sin(turn)])
    factor = np.array([[sd0, 0.0], [corr * sd1, np.sqrt(1 - corr**2) * sd1]])
    outline: Array = np.asarray(centre)[:, None] + factor @ circle
    return outline


def _row(lines: pd.DataFrame, level: object) -> int:
    places = np.flatnonzero(lines["level"] == level)
    if not len(places):
        raise DataError(f"{level!r} is not one of the {len(lines)} levels")
    return int(places[0])


def _bare(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
