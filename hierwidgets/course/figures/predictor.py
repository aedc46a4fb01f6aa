"""Pictures of a predictor of groups: scatter with lines, and what each model pulls toward.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from numpy.typing import ArrayLike

from hierwidgets.base.palette import GREEN, INK, ORANGE, PINK, PURPLE, STYLES, THREAD
from hierwidgets.errors import DataError

from .base import blank_figure, legend_above, require_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["pulled_toward", "scatter_with_lines"]

_LOOKS = ((PURPLE, "-"), (GREEN, "--"), (PINK, "-."), (INK, ":"))


def scatter_with_lines(
    frame: pd.DataFrame,
    x: str,
    y: str,
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    *,
    size: str | None = None,
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
    axes = figure.add_subplot(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
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
    axes.spines[["top", "right"]].set_visible(False)
    if lines:
        axes.legend(loc="upper left", frameon=False)
    return figure


def pulled_toward(
    models: Mapping[str, pd.DataFrame], x: str, label: str = "contact rate"
) -> "Figure":
    """From each group's raw rate to its estimate, and the target, for one model beside another.

    Parameters
    ----------
    models
        By title, frames with the column `x` and ``raw estimate target``, one row per group.
    x
        The column with the predictor.
    label
        Of the vertical axis.

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
        axes.vlines(frame[x], frame["raw"], frame["estimate"], color=THREAD, linewidth=0.6)
        for kind, column in [("no pooling", "raw"), ("partial pooling", "estimate")]:
            style = STYLES[kind]
            options: dict[str, Any] = {"color": style.color, "marker": style.marker, "label": kind}
            axes.scatter(frame[x], frame[column], s=14, alpha=0.6, linewidths=0, **options)
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
