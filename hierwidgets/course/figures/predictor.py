"""Pictures of a predictor: scatter with lines, what each model pulls toward, people in groups.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hierwidgets.base.palette import (
    BROWN,
    GREEN,
    INK,
    ORANGE,
    PINK,
    PURPLE,
    SCORE,
    SECOND_OTHER,
    STYLES,
    THREAD,
)
from hierwidgets.errors import DataError

from .base import blank_figure, legend_above, require_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["people_within", "pulled_toward", "scatter_with_lines"]

_OF_GROUPS = ((SCORE, "-"), (BROWN, "--"), (SECOND_OTHER, ":"))
_LOOKS = ((PURPLE, "-"), (GREEN, "--"), (PINK, "-."), (INK, ":"))


def scatter_with_lines(
    frame: pd.DataFrame,
    x: str,
    y: str,
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    *,
    size: str | None = None,
    band: pd.DataFrame | None = None,
    labels: tuple[str, str] | None = None,
    top: float | None = None,
) -> "Figure":
    """Groups as points over a predictor, with named lines.

    Parameters
    ----------
    frame
        One row per group.
    x, y
        Its columns on the two axes.
    lines
        Pairs of coordinates by name; up to four look different from each other.
    size
        A column to which the area of the points is proportional.
    band
        An interval around the first line, ``conf_low conf_high`` at each of its points.
    labels
        Of the two axes, in place of the columns' names.
    top
        Upper end of the vertical axis, which then begins at 0.05.

    Raises
    ------
    DataError
        If a column is missing, or there are more than four lines.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.predictor import scatter_with_lines
    >>> frame = pd.DataFrame({"x": [0.0, 1.0], "rate": [0.2, 0.4]})
    >>> figure = scatter_with_lines(frame, "x", "rate", {"line": ([0, 1], [0.1, 0.5])})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['line']
    """
    require_columns(frame, x, y, *([size] if size else []))
    lines = lines or {}
    if len(lines) > len(_LOOKS):
        raise DataError(f"{len(lines)} lines are too many to tell apart; give up to {len(_LOOKS)}")
    figure = blank_figure(8, 4)
    across_label, up_label = labels or (x.replace("_", " "), y.replace("_", " "))
    axes = figure.add_subplot(xlabel=across_label, ylabel=up_label)
    area = 10 + 9 * frame[size].to_numpy(dtype=float) if size else 26.0
    axes.scatter(
        frame[x],
        frame[y],
        s=area,
        facecolors="none",
        edgecolors=ORANGE,
        alpha=0.75,
        linewidths=1,
    )
    for (name, (across, up)), (color, style) in zip(lines.items(), _LOOKS, strict=False):
        axes.plot(across, up, color=color, linestyle=style, linewidth=2.2, label=name)
    if band is not None:
        across, _ = next(iter(lines.values()))
        axes.fill_between(across, band["conf_low"], band["conf_high"], color=PURPLE, alpha=0.2)
    if top is not None:
        axes.set_ylim(0.05, top)
    axes.spines[["top", "right"]].set_visible(False)
    if lines:
        axes.legend(loc="upper left", frameon=False)
    return figure


def pulled_toward(
    models: Mapping[str, pd.DataFrame], x: str, label: str = "contact rate", pulled: int = 25
) -> "Figure":
    """From a group's raw rate to its estimate, and the target, for one model beside another.

    All estimates are drawn; raw rates and the way from them for some groups only, evenly spaced
    in the order of the predictor, since hundreds of them cannot be followed.

    Parameters
    ----------
    models
        By title, frames with the column `x` and ``raw estimate target``, one row per group.
    x
        The column with the predictor.
    label
        Of the vertical axis.
    pulled
        For how many groups the way from the raw rate is drawn.

    Raises
    ------
    DataError
        If there is no model, or a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.predictor import pulled_toward
    >>> frame = pd.DataFrame({"x": [0.0, 1.0], "raw": [0.0, 1.0], "estimate": [0.2, 0.5],
    ...                       "target": [0.3, 0.4]})
    >>> [axes.get_title() for axes in pulled_toward({"flat": frame}, "x").axes]
    ['flat']
    """
    if not models:
        raise DataError("no model was given; give frames by title")
    figure = blank_figure(8, 4.2)
    panels = figure.subplots(1, len(models), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, frame) in zip(panels, models.items(), strict=True):
        require_columns(frame, x, "raw", "estimate", "target")
        frame = frame.sort_values(x, kind="stable")
        few = np.unique(np.linspace(0, len(frame) - 1, min(pulled, len(frame))).round().astype(int))
        some = frame.iloc[few]
        axes.vlines(some[x], some["raw"], some["estimate"], color=THREAD, linewidth=1.1)
        pale = {"s": 9, "alpha": 0.3, "linewidths": 0}
        clear = {"s": 26, "alpha": 0.9, "linewidths": 0}
        for kind, part, column, look in [
            ("partial pooling", frame, "estimate", pale),
            ("no pooling", some, "raw", clear),
            ("partial pooling", some, "estimate", clear),
        ]:
            style = STYLES[kind]
            options: dict[str, Any] = {"color": style.color, "marker": style.marker, **look}
            named = {"label": kind} if look is clear else {}
            axes.scatter(part[x], part[column], **options, **named)
        axes.plot(
            frame[x], frame["target"], color=STYLES["complete pooling"].color, linewidth=2.2,
            label="target", zorder=4,
        )  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(x.replace("_", " "))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel(label)
    legend_above(panels[0], ncols=3)
    return figure


def people_within(
    people: pd.DataFrame, x: str, y: str, group: str, *, shown: int = 12, label: str = ""
) -> "Figure":
    """People of some groups with a line for each, and the means of all groups as diamonds.

    Parameters
    ----------
    people
        One row per person.
    x, y, group
        Its columns: a predictor of persons, the response, the group.
    shown
        How many groups are drawn with their people.
    label
        Of the horizontal axis.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.predictor import people_within
    >>> people = pd.DataFrame({"g": [1, 1, 2, 2], "x": [0.0, 1, 1, 2], "y": [1.0, 0, 3, 2]})
    >>> len(people_within(people, "x", "y", "g").axes[0].lines)
    2
    """
    require_columns(people, x, y, group)
    figure = blank_figure(8, 3.8)
    axes = figure.add_subplot(xlabel=label or x, ylabel=y)
    for place, (_, mine) in enumerate(list(people.groupby(group))[:shown]):
        color, dashes = _OF_GROUPS[place % 3]
        name = None if place else f"people of a {group}, and their line"
        axes.scatter(mine[x], mine[y], s=10, color=color, alpha=0.6)
        ends = np.array([mine[x].min(), mine[x].max()])
        axes.plot(ends, np.polyval(np.polyfit(mine[x], mine[y], 1), ends), color=color, lw=1.5,
                  linestyle=dashes, label=name)  # fmt: skip
    middle = people.groupby(group)[[x, y]].mean()
    axes.scatter(middle[x], middle[y], s=34, color=ORANGE, marker="D", zorder=3,
                 label=f"mean of every {group}")  # fmt: skip
    legend_above(axes, ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
