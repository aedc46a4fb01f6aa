"""Pictures of the overview: three kinds of model, indices as lines, sizes, the course as a map.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.palette import DATA_SETS, INK, LIGHT_GREY, STYLES
from hierwidgets.course.plan import BRITAIN, COUNTRIES, COURSE, FINLAND, Stop
from hierwidgets.errors import DataError

from .base import blank_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["course_map", "index_lines", "model_graphs", "sizes_of_groups"]

_GROUPS, _ANSWERS = 3, 3  # of the model graphs


def model_graphs() -> "Figure":
    """Three ways to give answers their parameters: one for all, one each, one each from a common f.

    Examples
    --------
    >>> from hierwidgets.course.figures.overview import model_graphs
    >>> [axes.get_title().split(":")[0] for axes in model_graphs().axes]
    ['one for all', 'one for each', 'one for each, related']
    """
    figure = blank_figure(9, 3.4)
    panels: Sequence[Axes] = figure.subplots(1, 3)
    titles = {
        "complete pooling": "one for all:\ndistricts are alike",
        "no pooling": "one for each:\ndistricts are strangers",
        "partial pooling": "one for each, related:\ndistricts are relatives",
    }
    for axes, (kind, title) in zip(panels, titles.items(), strict=True):
        _graph(axes, kind)
        axes.set_title(title, fontsize=10)
    return figure


def _graph(axes: "Axes", kind: str) -> None:
    """Circles for parameters, squares for answers, an arrow from each to what it shapes."""
    _blank(axes, (-0.75, 2.75), (-0.45, 2.4))
    color = STYLES[kind].color
    places = [1.0] if kind == "complete pooling" else [0.0, 1.0, 2.0]
    names = [r"$\theta$"] if len(places) == 1 else [rf"$\theta_{j + 1}$" for j in range(_GROUPS)]
    if kind == "partial pooling":
        for x in places:
            _arrow(axes, (1, 2.05), (x, 1.25))
        _node(axes, (1, 2.05), r"$\phi$", color, "h", 620)
    for j in range(_GROUPS):
        for step in np.linspace(-0.27, 0.27, _ANSWERS):
            top = places[min(j, len(places) - 1)]
            _arrow(axes, (top, 1.15), (j + step, 0.17))
            axes.plot(j + step, 0.05, "s", color=LIGHT_GREY, markersize=7)
        axes.text(j, -0.3, f"district {j + 1}", ha="center", fontsize=8)
    for x, name in zip(places, names, strict=True):
        _node(axes, (x, 1.15), name, color, "o", 520)


def _node(
    axes: "Axes", at: tuple[float, float], text: str, color: str, marker: str, size: float
) -> None:
    axes.scatter(*at, s=size, marker=marker, facecolor="white", edgecolor=color, lw=2, zorder=3)
    axes.text(*at, text, ha="center", va="center", fontsize=11, zorder=4)


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float]) -> None:
    style: dict[str, Any] = {"arrowstyle": "->", "color": LIGHT_GREY, "lw": 0.9, "shrinkA": 11}
    axes.annotate("", end, start, arrowprops=style)


def index_lines(j: Sequence[int], k: Sequence[int]) -> "Figure":
    """Persons, their districts and the districts' elections as three rows joined by lines.

    Parameters
    ----------
    j
        The district of each person, counted from 1: ``j[i - 1]`` is that of person i.
    k
        The election of each district, counted from 1.

    Raises
    ------
    DataError
        If a person's district has no election.

    Examples
    --------
    >>> from hierwidgets.course.figures.overview import index_lines
    >>> [text.get_text() for text in index_lines([1, 1, 2], [1, 1]).axes[0].texts][:2]
    ['persons i', 'districts j']
    """
    if not set(j) <= set(range(1, len(k) + 1)):
        raise DataError(f"k has the elections of districts 1 to {len(k)}; j has {sorted(set(j))}")
    figure = blank_figure(8, 3.2)
    axes: Axes = figure.add_subplot()
    _blank(axes, (-0.19, 1.03), (-0.3, 2.35))
    for height, name in enumerate(["persons i", "districts j", "elections k"]):
        axes.text(-0.18, height, name, va="center", fontsize=10)
    rows = [_spread(len(j)), _spread(len(k)), _spread(max(k))]
    for low, parents in enumerate([j, k]):
        for child, parent in enumerate(parents):
            ends = [rows[low][child], rows[low + 1][parent - 1]]
            axes.plot(ends, [low, low + 1], color=LIGHT_GREY, lw=1.1, zorder=1)
    colors = [LIGHT_GREY, DATA_SETS[1], DATA_SETS[2]]
    for height, (places, color) in enumerate(zip(rows, colors, strict=True)):
        for number, x in enumerate(places, start=1):
            _node(axes, (x, height), str(number), color, "so^"[height], (330, 430, 760)[height])
    return figure


def _spread(count: int) -> list[float]:
    return [(place + 0.5) / count for place in range(count)]


def sizes_of_groups(counts: "Mapping[str, pd.Series[int]]") -> "Figure":
    """How many persons were asked in each district: one dot per district, a row per data set.

    Dots are moved a little to both sides, so that equal numbers can be seen; a bar marks the
    median.

    Parameters
    ----------
    counts
        Persons per district, by data set.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.overview import sizes_of_groups
    >>> figure = sizes_of_groups({"here": pd.Series([3, 5, 5])})
    >>> figure.axes[0].get_xlabel()
    'persons asked in a district'
    """
    figure = blank_figure(8, 1 + 0.72 * len(counts))
    axes: Axes = figure.add_subplot(xlabel="persons asked in a district", xscale="log")
    for height, name in enumerate(reversed(list(counts))):
        sizes = counts[name]
        shift = np.random.default_rng(height).uniform(-1, 1, (2, len(sizes)))
        x, y = sizes * np.exp(0.07 * shift[0]), height + 0.36 * shift[1]
        axes.scatter(x, y, s=12, facecolors="none", edgecolors=INK, alpha=0.5)
        middle = float(np.median(sizes))
        axes.plot([middle, middle], [height - 0.42, height + 0.42], color=DATA_SETS[1], lw=2.5)
    axes.set_yticks(range(len(counts)), list(counts)[::-1])
    axes.set_xticks(
        [1, 2, 5, 10, 20, 50, 100, 200], ["1", "2", "5", "10", "20", "50", "100", "200"]
    )
    axes.minorticks_off()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def course_map() -> "Figure":
    """The lectures as stops on a road that runs through three sets of data.

    Examples
    --------
    >>> from hierwidgets.course.figures.overview import course_map
    >>> len(course_map().axes)
    1
    """
    figure = blank_figure(9, 5.2)
    axes: Axes = figure.add_subplot()
    _blank(axes, (-1.8, 5.25), (-0.45, 3.7))
    places = _places()
    for a, b in pairwise(COURSE):
        _road(axes, places[a.name], places[b.name])
    for stop in COURSE:
        _stop(axes, stop, places[stop.name])
    for height, (name, note) in zip((2, 1, 0), _ROWS.items(), strict=True):
        axes.text(-1.78, height + 0.1, name, fontsize=10, weight="bold", va="center")
        axes.text(-1.78, height - 0.1, note, fontsize=8, va="top", color=INK)
    return figure


_ROWS = {
    FINLAND: "14 districts,\nmany people in each",
    BRITAIN: "253 districts,\nfew people in each",
    COUNTRIES: "567 districts,\nfive elections",
}
_EDGES = dict(zip(("", FINLAND, BRITAIN, COUNTRIES), (INK, *DATA_SETS), strict=True))


def _places() -> dict[str, tuple[float, float]]:
    """Where each stop lies: a row per data set, from left to right."""
    heights = {"": 3.3, FINLAND: 2.0, BRITAIN: 1.0, COUNTRIES: 0.0}
    seen: dict[str, int] = {}
    places = {}
    for stop in COURSE:
        places[stop.name] = (float(seen.setdefault(stop.data, 0)), heights[stop.data])
        seen[stop.data] += 1
    return {name: (1.18 * x, y) for name, (x, y) in places.items()}


def _stop(axes: "Axes", stop: Stop, at: tuple[float, float]) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner, style = (at[0] - 0.48, at[1] - 0.33), "round,pad=0.02,rounding_size=0.08"
    edge = _EDGES[stop.data]
    axes.add_patch(
        FancyBboxPatch(corner, 0.96, 0.66, boxstyle=style, fc="white", ec=edge, lw=2, zorder=3)
    )
    axes.text(at[0], at[1] + 0.2, stop.name[:2], ha="center", va="center", weight="bold", zorder=4)
    axes.text(at[0], at[1] - 0.1, stop.title, ha="center", va="center", fontsize=8.5, zorder=4)
    if stop.assignment:
        box = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": INK}
        corner = (at[0] + 0.44, at[1] - 0.33)
        axes.text(*corner, stop.assignment, ha="center", fontsize=8, zorder=5, bbox=box)


def _road(axes: "Axes", start: tuple[float, float], end: tuple[float, float]) -> None:
    style: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "lw": 1.2, "shrinkB": 2}
    if start[1] == end[1]:
        axes.annotate("", (end[0] - 0.5, end[1]), (start[0] + 0.5, start[1]), arrowprops=style)
        return
    low, high = end[1] + 0.35, start[1] - 0.35
    if start[0] == end[0]:
        axes.annotate("", (end[0], low), (start[0], high), arrowprops=style | {"shrinkA": 0})
        return
    turn = (low + high) / 2
    axes.plot([start[0], start[0], end[0]], [high, turn, turn], color=INK, lw=1.2, zorder=1)
    axes.annotate("", (end[0], low), (end[0], turn), arrowprops=style | {"shrinkA": 0})


def _blank(axes: "Axes", x: tuple[float, float], y: tuple[float, float]) -> None:
    axes.set(xlim=x, ylim=y)
    axes.set_axis_off()
