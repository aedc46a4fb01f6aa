"""The page's numbers and ours in one picture.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hierwidgets.base.palette import BAND, GRID, VERDICTS
from hierwidgets.course.figures.base import blank_figure, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["distances", "distances_drawn"]

# by verdict; the order is that of the legend
_MARKERS: Mapping[str, str] = {
    "agrees": "o", "stopped early": "D", "at the edge": "v", "rounded twice": "s", "misprint": "X",
    "not converged": "^", "another machine": "*", "unexplained": "P",
}  # fmt: skip
_ENDS = 1000.0  # what is farther off is drawn at the edge


def distances(table: pd.DataFrame) -> pd.DataFrame:
    """How far ours lies from the page's number, in units of the last digit printed.

    Parameters
    ----------
    table
        ``item page ours tolerance verdict``, as `page.check` gives it. Half a unit of the last
        digit is the tolerance.

    Returns
    -------
    DataFrame
        The table with the column ``units``: (ours - page) / (2 tolerance).

    Examples
    --------
    >>> from hierwidgets.course import page
    >>> from hierwidgets.course.page.figures import distances
    >>> distances(page.check("S28", mu=-1.3717, dic=1069.47))["units"].round(2).to_list()
    [-0.17, -0.53]
    """
    require_columns(table, "item", "page", "ours", "tolerance", "verdict")
    printed = table["page"].str.removesuffix("…").astype(float)
    return table.assign(units=(table["ours"] - printed) / (2 * table["tolerance"]))


def distances_drawn(table: pd.DataFrame, titles: Mapping[str, str] | None = None) -> "Figure":
    """A row of dots for each item: how far each number of ours lies from the page's.

    The axis is linear within one unit of the last digit and logarithmic beyond; the band shows
    half a unit to either side. Dots are moved up or down a little, so that none hides another.

    Parameters
    ----------
    table
        As for `distances`.
    titles
        What stands in each item, to be written beside its name.

    Examples
    --------
    >>> from hierwidgets.course import page
    >>> from hierwidgets.course.page.figures import distances_drawn
    >>> figure = distances_drawn(page.check("S28", mu=-1.3717, dic=1069.47))
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['S28']
    """
    found = distances(table)
    items = list(dict.fromkeys(found["item"]))
    figure = blank_figure(8, 1.4 + 0.24 * len(items))
    axes: Axes = figure.add_subplot()
    place = {item: i for i, item in enumerate(items)}
    shift = np.random.default_rng(1).uniform(-0.28, 0.28, len(found))
    found = found.assign(y=found["item"].map(place) + shift)
    axes.axvspan(-0.5, 0.5, color=BAND, zorder=0)
    for verdict, marker in _MARKERS.items():
        rows = found[found["verdict"] == verdict]
        if len(rows):
            x = rows["units"].clip(-_ENDS, _ENDS)
            size = 12 if verdict == "agrees" else 34
            name = f"{verdict} ({len(rows)})"
            color = VERDICTS[verdict]
            axes.scatter(x, rows["y"], s=size, marker=marker, color=color, label=name, lw=0)
    said = titles or {}
    _furnish(axes, [f"{said[i]}  {i}" if i in said else i for i in items])
    return figure


def _furnish(axes: "Axes", items: list[str]) -> None:
    axes.set_xscale("symlog", linthresh=1.0, linscale=1.2)
    axes.set_xlim(-1.4 * _ENDS, 1.4 * _ENDS)
    ticks = [-1000, -100, -10, -1, 0, 1, 10, 100, 1000]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(range(len(items)), items, fontsize=8)
    axes.set_ylim(len(items) - 0.4, -0.6)
    axes.set_xlabel("ours minus the page's, in units of the last digit the page prints")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)
