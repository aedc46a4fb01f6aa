"""Pictures of why an estimate may be moved: luck, scales, districts kept, errors in total.

matplotlib is imported when a figure is drawn.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import (
    COMPLETE,
    DARK_ORANGE,
    DARK_PURPLE,
    FADED,
    INK,
    NO,
    PARTIAL,
    STYLES,
)
from hierwidgets.errors import DataError

from .base import blank_figure, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["districts_kept", "logit_bridge", "row_and_column", "total_error"]


_SHOWN = 4000  # dots that can still be told apart
_HALF_ROW = 0.008


def row_and_column(
    truth: Array, estimate: Array, *, row: float, column: float, seed: int = 1
) -> "Figure":
    """Truths against estimates, with the surveys of one truth and those of one estimate marked.

    Parameters
    ----------
    truth, estimate
        One pair a survey, (S,) each. The first 4,000 are drawn, moved a little sideways.
    row
        The truth whose surveys are marked, give or take 0.008.
    column
        The estimate whose surveys are marked.
    seed
        Of the small moves.

    Raises
    ------
    DataError
        If no survey is in the row or in the column.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.bets import row_and_column
    >>> figure = row_and_column(np.array([0.2, 0.3]), np.array([0.3, 0.4]), row=0.2, column=0.4)
    >>> figure.axes[0].get_ylabel()
    'true rate'
    """
    in_row, in_column = np.abs(truth - row) < _HALF_ROW, np.isclose(estimate, column)
    if not (in_row.any() and in_column.any()):
        raise DataError(f"no survey has the truth {row} or the estimate {column}; choose others")
    figure = blank_figure(8, 4.6)
    axes = figure.add_subplot(xlabel="estimate from 23 people", ylabel="true rate")
    nudge = np.random.default_rng(seed).uniform(-0.012, 0.012, size=_SHOWN)
    looks = {"#c4c4c4": (~in_row & ~in_column, 5), COMPLETE: (in_row, 12), PARTIAL: (in_column, 12)}
    for color, (which, size) in looks.items():
        k = np.flatnonzero(which[:_SHOWN])
        axes.scatter(estimate[k] + nudge[k], truth[k], s=size, color=color)
    axes.axline((row, row), slope=1, color=INK, linestyle="--")
    bar: dict[str, Any] = {"color": INK, "markersize": 34, "mew": 3}
    axes.plot(estimate[in_row].mean(), row, "|", **bar)
    axes.plot(column, truth[in_column].mean(), "_", **bar)
    axes.set(xlim=(-0.03, 0.65), ylim=(0, 0.55))
    axes.text(0.49, 0.51, "estimate = truth", ha="right", color=INK)
    axes.text(0.5, row, f"a row: true rate {row:g}", va="center", color=DARK_PURPLE)
    axes.text(column, 0.13, "a column:\n10 of 23", ha="center", color=DARK_ORANGE)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def logit_bridge(rates: Array) -> "Figure":
    r"""The curve from log-odds to rates, with equal steps below and what becomes of them.

    .. math:: \pi = \text{logit}^{-1}(\alpha) = 1 / (1 + e^{-\alpha})

    Parameters
    ----------
    rates
        Raw rates to mark on the curve, (J,), none of them 0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.bets import logit_bridge
    >>> logit_bridge(np.array([0.2, 0.4])).axes[0].get_ylabel()
    'π, rate'
    """
    figure = blank_figure(8, 3.8)
    axes = figure.add_subplot(xlabel="α, log-odds", ylabel="π, rate", ylim=(0, 1), xlim=(-4, 4))
    alpha = np.linspace(-4, 4, 401)
    for step in range(-3, 4):
        rate = float(expit(step))
        axes.vlines(step, 0, rate, color=FADED, linewidth=0.8)
        axes.hlines(rate, -4, step, color=FADED, linewidth=0.8, linestyle=":")
    axes.plot(alpha, expit(alpha), color=INK)
    style, own = STYLES["no pooling"], np.log(rates / (1 - rates))
    axes.plot(own, rates, style.marker, color=style.color, label="the districts, raw rates")
    # between two dotted lines
    axes.legend(loc="center left", bbox_to_anchor=(0, 0.805), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def districts_kept(drawn: Array, kept: Array, alpha: Array, product: Array) -> "Figure":
    """Districts drawn from the prior, those kept, and prior times likelihood over their bars.

    Parameters
    ----------
    drawn, kept
        Log-odds of all districts drawn and of those whose survey is like ours.
    alpha, product
        An even grid, (A,), and prior times likelihood on it, (A,), up to a factor.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.bets import districts_kept
    >>> alpha = np.linspace(-2, 0, 5)
    >>> figure = districts_kept(np.array([-1.0, -2]), np.array([-1.0]), alpha, np.ones(5))
    >>> figure.axes[0].get_xlabel()
    'α, log-odds'
    """
    figure = blank_figure(8, 3.6)
    axes = figure.add_subplot(xlabel="α, log-odds", ylabel="density", xlim=(-2.8, 0.2))
    edges = np.linspace(-2.8, 0.2, 76).tolist()
    bars: dict[str, Any] = {"bins": edges, "density": True}
    axes.hist(drawn, color=COMPLETE, alpha=0.3, label="all districts drawn", **bars)
    axes.hist(kept, color=PARTIAL, alpha=0.45, label="those with 10 of 23", **bars)
    density = product / product.sum() / (alpha[1] - alpha[0])
    axes.plot(alpha, density, color=INK, label="prior × likelihood, area 1")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def total_error(table: pd.DataFrame, *, raw: str, shrunken: str) -> "Figure":
    """Mean total squared errors against how far apart the truths lie: raw, and shrunken.

    Parameters
    ----------
    table
        One row a distance, which is the index; columns `raw` and `shrunken` among them.
    raw, shrunken
        The columns of the two estimators.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.bets import total_error
    >>> table = pd.DataFrame({"raw": [3.0, 3.0], "shrunken": [2.0, 2.5]}, index=[0, 1])
    >>> len(total_error(table, raw="raw", shrunken="shrunken").axes[0].lines)
    2
    """
    require_columns(table, raw, shrunken)
    figure = blank_figure(8, 3.4)
    axes = figure.add_subplot(xlabel="distance of the truths from 0", ylabel="total squared error")
    _error_line(axes, table[raw], "no pooling", NO)
    _error_line(axes, table[shrunken], "partial pooling", PARTIAL)
    axes.set_ylim(0, 1.12 * float(table[raw].max()))
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _error_line(axes: "Axes", values: "pd.Series[float]", kind: str, color: str) -> None:
    style = STYLES[kind]
    look: dict[str, Any] = {"marker": style.marker, "linestyle": style.linestyle}
    axes.plot(values.index, values, color=color, label=str(values.name), **look)
