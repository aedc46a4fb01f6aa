"""Pictures of the likelihood of mu and sigma: the hill, its ridge, what nodes and averages do.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import BROWN, DARK_ORANGE, FADED, GREY, INK, NO, PARTIAL, SCORE

from .base import blank_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["by_nodes", "curves_of_rate", "from_above", "peak_and_mean", "ridge"]


def from_above(mus: Array, sigmas: Array, drop: Array) -> "Figure":
    """Lines of equal height of the log-likelihood, named by how far below the top they lie.

    Parameters
    ----------
    mus, sigmas, drop
        The grid, (M,) and (S,), and the distance below the top, (S, M).

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.hill import from_above
    >>> a = np.linspace(-1, 1, 9)
    >>> from_above(a, a + 2, 9 * (a**2 + a[:, None] ** 2)).axes[0].get_xlabel()
    'μ'
    """
    figure = blank_figure(8, 4.2)
    axes = figure.add_subplot(xlabel="μ", ylabel="σ")
    lines = axes.contour(mus, sigmas, drop, levels=[0.1, 0.5, 1, 2, 4, 8], colors=GREY)
    axes.clabel(lines, fmt=lambda value: f"\N{MINUS SIGN}{value:g}")
    row, column = np.unravel_index(drop.argmin(), drop.shape)
    axes.plot(mus[column], sigmas[row], "D", color=PARTIAL)
    return figure


def by_nodes(estimates: pd.DataFrame) -> "Figure":
    """Each column's estimate against the number of nodes, which is the index.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.hill import by_nodes
    >>> frame = pd.DataFrame({"μ": [-1.0, -1.1], "σ": [0.3, 0.4]}, index=[1, 5])
    >>> [axes.get_ylabel() for axes in by_nodes(frame).axes]
    ['μ', 'σ']
    """
    figure = blank_figure(8, 3.2)
    panels = figure.subplots(1, estimates.shape[1])
    for axes, name in zip(panels, estimates, strict=True):
        values = estimates[name]
        axes.axhline(values.iloc[-1], color=GREY, linestyle=":")
        axes.plot(values.index, values, color=PARTIAL, marker="D")
        axes.set(xlabel="nodes per district", ylabel=name)
        axes.locator_params(axis="y", nbins=5)
        axes.yaxis.set_major_formatter("{x:.5f}")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def ridge(height: "pd.Series[float]") -> "Figure":
    """The profile log-likelihood of sigma below its top, with the lines of 90 % and 95 %.

    Parameters
    ----------
    height
        By sigma, the index; 0 at the top.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.hill import ridge
    >>> ridge(pd.Series([-1.0, 0.0], index=[0.1, 0.3])).axes[0].get_xlabel()
    'σ'
    """
    figure = blank_figure(8, 3.4)
    axes = figure.add_subplot(xlabel="σ", ylabel="log-likelihood below its top", ylim=(-4, 0.2))
    axes.plot(height.index, height, color=PARTIAL)
    axes.axhline(-(1.64**2) / 2, color=INK, linestyle=":", label="90 %")
    axes.axhline(-(1.96**2) / 2, color=GREY, linestyle="--", label="95 %")
    axes.legend(title="compatible at", loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def peak_and_mean(
    alpha: Array, weights: Mapping[str, Array], peaks: Mapping[str, float]
) -> "Figure":
    """Curves of the rate of two levels, and beside them the rate at the peak and the mean rate.

    Parameters
    ----------
    alpha
        An even grid of log-odds, (A,).
    weights
        By level, weights on the grid that add up to 1.
    peaks
        By level, the rate at the peak of the weights.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.hill import peak_and_mean
    >>> alpha, flat = np.linspace(-2, 0, 5), np.full(5, 0.2)
    >>> figure = peak_and_mean(alpha, {"a": flat, "b": flat}, {"a": 0.3, "b": 0.3})
    >>> len(figure.axes)
    2
    """
    figure = blank_figure(8, 3.6)
    curves, summary = figure.subplots(1, 2)
    rate, step = expit(alpha), alpha[1] - alpha[0]
    looks: tuple[dict[str, Any], ...] = (
        {"color": SCORE, "ls": "-"},
        {"color": DARK_ORANGE, "ls": "--"},
    )
    for (level, weight), look in zip(weights.items(), looks, strict=True):
        curves.plot(rate, weight / step / (rate * (1 - rate)), label=level, **look)
        summary.plot([peaks[level], float(weight @ rate)], [1, 0], marker="o", **look)
    curves.set(xlabel="contact rate π", ylabel="density", xlim=(0.05, 0.55))
    curves.legend(title="district", frameon=False)
    summary.set(xlabel="contact rate π", ylim=(-0.3, 1.3))
    summary.set_yticks([0, 1], ["mean", "at the peak"])
    summary.locator_params(axis="x", nbins=4)
    for axes in (curves, summary):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def curves_of_rate(alpha: Array, curves: Mapping[str, Array], raw: float) -> "Figure":
    """Densities of one level's rate, the last one solid, and its raw rate.

    Parameters
    ----------
    alpha, curves
        An even grid of log-odds, (A,), and weights on it by name, each adding up to 1.
    raw
        The raw rate.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.hill import curves_of_rate
    >>> alpha, flat = np.linspace(-2, 0, 5), np.full(5, 0.2)
    >>> len(curves_of_rate(alpha, {"one": flat, "two": flat}, 0.4).axes[0].lines)
    4
    """
    figure = blank_figure(8, 3.4)
    axes = figure.add_subplot(xlabel="contact rate", ylabel="density", xlim=(0.05, 0.7))
    rate, step = expit(alpha), alpha[1] - alpha[0]
    for k, (name, curve) in enumerate(curves.items(), start=1):
        solid = k == len(curves)
        look: dict[str, Any] = {"color": PARTIAL if solid else BROWN, "ls": "-" if solid else "--"}
        axes.plot(rate, curve / step / (rate * (1 - rate)), label=name, **look)
    axes.axvline(raw, color=NO, linestyle=":", label="raw rate")
    axes.axhline(0, color=FADED, linewidth=0.6)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
