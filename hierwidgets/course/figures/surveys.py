"""Pictures of single estimates and of many surveys: a likelihood, levels, a promise, sorted luck.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import GREY, INK, NO

from .base import blank_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["interval_levels", "likelihood", "promise", "sorted_luck"]


def _axes(height: float, xlabel: str, ylabel: str) -> "tuple[Figure, Axes]":
    figure = blank_figure(8, height)
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def likelihood(grid: Array, log_likelihood: Array) -> "Figure":
    """A likelihood over its maximum, with its top marked and named.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.surveys import likelihood
    >>> grid = np.array([0.2, 0.4, 0.6])
    >>> likelihood(grid, np.array([-3.0, -1, -2])).axes[0].texts[0].get_text()
    ' 0.400'
    """
    figure, axes = _axes(3.0, "π, the probability of contact", "likelihood / its maximum")
    best = float(grid[log_likelihood.argmax()])
    axes.plot(grid, np.exp(log_likelihood - log_likelihood.max()), color=NO)
    axes.axvline(best, color=NO, linestyle=":")
    axes.annotate(f" {best:.3f}", (best, 0.08))
    return figure


def interval_levels(frames: Mapping[str, pd.DataFrame]) -> "Figure":
    """The same estimates with intervals of several levels, from thick to thin.

    Parameters
    ----------
    frames
        Frames with ``level estimate conf_low conf_high``, by name, the shortest intervals first.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.surveys import interval_levels
    >>> own = pd.DataFrame({"level": ["a"], "estimate": [0.4]}).assign(conf_low=0.2, conf_high=0.6)
    >>> interval_levels({"80 %": own}).axes[0].get_xlabel()
    'district'
    """
    figure, axes = _axes(3.2, "district", "share contacted")
    names = list(frames)
    widths = np.linspace(6, 1.2, len(names)).tolist()
    for wide, name in zip(widths, names, strict=True):
        frame = frames[name]
        axes.vlines(frame["level"], frame["conf_low"], frame["conf_high"], color=NO, linewidth=wide)
        axes.plot([], [], color=NO, linewidth=wide, label=name)
    axes.plot(frame["level"], frame["estimate"], "o", color="black", markersize=3)
    axes.legend(title="interval", frameon=False, loc="upper left", ncols=len(names))
    return figure


def promise(truth: Array, wald: Array, wilson: Array) -> "Figure":
    """How often two kinds of 90 % interval contain the truth, by the truth.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.surveys import promise
    >>> flat = np.full(3, 0.9)
    >>> len(promise(np.array([0.1, 0.5, 0.9]), flat, flat).axes[0].lines)
    3
    """
    figure, axes = _axes(3.6, "true π", "chance that the interval contains π")
    axes.plot(truth, wilson, color=GREY, linestyle="--", linewidth=1, label="Wilson")
    axes.plot(truth, wald, color=NO, label="Wald")
    axes.axhline(0.9, color="black", linestyle=":", label="the promise: 0.90")
    axes.set_ylim(0.15, 1.03)
    axes.legend(loc="lower center", ncols=3, frameon=False)
    return figure


def sorted_luck(real: Array, pretended: Array) -> "Figure":
    """Sorted estimates, and those of surveys of a country whose districts are all alike.

    Parameters
    ----------
    real, pretended
        Estimates, (J,), and the same by survey, (S, J), in any order.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.surveys import sorted_luck
    >>> len(sorted_luck(np.array([0.3, 0.1]), np.array([[0.2, 0.1]])).axes[0].lines)
    3
    """
    figure, axes = _axes(3.4, "rank of the district, lowest to highest", "estimated rate")
    rank = np.arange(1, len(real) + 1)
    axes.plot(rank, np.sort(pretended, axis=1).T, color=GREY, alpha=0.25, linewidth=0.8)
    axes.plot(rank, np.sort(real), color=NO, marker="o", label="the real estimates")
    name = f"{len(pretended)} pretended Finlands without any differences"
    axes.plot([], [], color=INK, alpha=0.4, label=name)
    axes.legend(loc="upper left", frameon=False)
    return figure
