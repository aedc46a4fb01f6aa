"""Pictures of chains: traces, ranks, a funnel, and statistics against their thresholds.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import BAND, BROWN, GREEN, GREY, INK, ORANGE, PURPLE
from hierwidgets.errors import DataError

from .base import blank_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "against_exact", "funnel_panels", "ranks", "statistic_rows", "traces", "weighted_proposals",
]  # fmt: skip


_COLORS = (ORANGE, PURPLE, GREEN, BROWN)


def _panels(many: int, width: float, height: float, **options: Any) -> "tuple[Figure, list[Axes]]":
    figure = blank_figure(width, height)
    row = list(figure.subplots(1, many, squeeze=False, **options)[0])
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, row


def _two_way(name: str, values: Array) -> Array:
    if values.ndim != 2:
        raise DataError(f"{name!r}: draws have the shape (chains, draws); {values.shape} was given")
    return values


def traces(runs: Mapping[str, Array], label: str) -> "Figure":
    """Draws in their order, a panel per run, its chains in rows below each other.

    Parameters
    ----------
    runs
        (chains, draws) by name.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.chains import traces
    >>> figure = traces({"a run": np.zeros((4, 30))}, "x")
    >>> len(figure.axes[0].lines)
    4
    """
    arrays = {name: _two_way(name, values) for name, values in runs.items()}
    figure, row = _panels(len(arrays), 7.0 if len(arrays) == 1 else 4.4 * len(arrays), 3.6)
    low = min(float(values.min()) for values in arrays.values())
    high = max(float(values.max()) for values in arrays.values())
    span = high - low or 1.0  # chains that never moved are lines
    for axes, (name, values) in zip(row, arrays.items(), strict=True):
        for c, chain in enumerate(values):
            axes.plot((chain - low) / span - c, color=_COLORS[c % 4], lw=0.5)
        axes.set_yticks(
            [0.5 - c for c in range(len(values))], [str(c + 1) for c in range(len(values))]
        )
        axes.set_title(name, size=10)
        axes.set_xlabel("draw")
    row[0].set_ylabel(f"{label}, by chain")
    return figure


def ranks(runs: Mapping[str, Array], bins: int = 20) -> "Figure":
    """Histograms of each chain's ranks among all draws, a panel per run, chains below each other.

    Chains that draw from one distribution have flat histograms: each bar near the dashed line
    (Vehtari et al. 2021, Bayesian Anal. 16(2), section 4.1).

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.chains import ranks
    >>> figure = ranks({"a run": np.arange(80.0).reshape(4, 20)}, bins=4)
    >>> len(figure.axes[0].patches)
    16
    """
    figure, row = _panels(len(runs), 4.4 * len(runs), 3.6, sharey=True)
    for axes, (name, values) in zip(row, runs.items(), strict=True):
        C, D = _two_way(name, values).shape
        rank = pd.Series(values.ravel()).rank().to_numpy().reshape(C, D) / (C * D + 1)
        for c in range(C):
            counts, edges = np.histogram(rank[c], bins=bins, range=(0, 1))
            bottom, expected = -float(c), D / bins
            axes.bar(
                edges[:-1], 0.3 * counts / expected, 0.9 / bins, bottom=bottom, align="edge",
                color=_COLORS[c % 4],
            )  # fmt: skip
            axes.plot([0, 1], [bottom + 0.3] * 2, "--", color=INK, lw=0.9)
        axes.set_yticks([0.3 - c for c in range(C)], [str(c + 1) for c in range(C)])
        axes.set_title(name, size=10)
        axes.set_xlabel("rank among all draws, low to high")
    row[0].set_ylabel("chain")
    return figure


def funnel_panels(runs: Mapping[str, pd.DataFrame], x: str, y: str) -> "Figure":
    """Scatters of two quantities; draws whose path diverged as crosses.

    Parameters
    ----------
    runs
        Frames with the columns `x`, `y` and ``divergent``, by name.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.chains import funnel_panels
    >>> run = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 2.0], "divergent": [0, 1]})
    >>> len(funnel_panels({"run": run}, "a", "b").axes[0].collections)
    2
    """
    figure, row = _panels(len(runs), 4.4 * len(runs), 3.7, sharex=True, sharey=True)
    for axes, (name, frame) in zip(row, runs.items(), strict=True):
        bad = frame["divergent"].to_numpy(dtype=bool)
        good = frame[~bad]
        axes.scatter(good[x], good[y], s=5, color=PURPLE, alpha=0.35, linewidths=0)
        axes.scatter(
            frame[x][bad], frame[y][bad], s=26, marker="x", color=ORANGE, linewidths=1.2,
            label=f"diverged: {int(bad.sum())}",
        )  # fmt: skip
        axes.legend(frameon=False, fontsize=9, loc="lower right")
        axes.set_title(name, size=10)
        axes.set_xlabel(x.replace("_", " "))
    row[0].set_ylabel(y.replace("_", " "))
    return figure


def against_exact(runs: Mapping[str, Array], grid: Array, density: Array, label: str) -> "Figure":
    """Histograms of draws, a panel per run, under the exact density on a grid.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.chains import against_exact
    >>> figure = against_exact({"a run": np.zeros(9)}, np.linspace(-1, 1, 5), np.ones(5), "x")
    >>> len(figure.axes[0].lines)
    1
    """
    figure, row = _panels(len(runs), 4.4 * len(runs), 3.1, sharex=True, sharey=True)
    for axes, (name, values) in zip(row, runs.items(), strict=True):
        axes.hist(
            np.ravel(values), bins=60, range=(float(grid[0]), float(grid[-1])), density=True,
            color=PURPLE, alpha=0.75, label="draws",
        )  # fmt: skip
        axes.plot(grid, density, color=ORANGE, lw=2, label="exact")
        axes.set_title(name, size=10)
        axes.set_xlabel(label)
        axes.set_yticks([])
    row[0].legend(frameon=False, fontsize=9, loc="upper left")
    row[0].set_ylabel("density")
    return figure


def weighted_proposals(
    runs: Mapping[str, tuple[Array, Array]], grid: Array, density: Array, label: str
) -> "Figure":
    """Proposals with weights, a column per run: what the weights make of them, and each weight.

    Above, the proposals as an outline, the same weighted as bars, the exact density as a line.
    Below, every weight over its proposal, in multiples of their mean, on a log scale.

    Parameters
    ----------
    runs
        By title: proposals and weights (n,), some of which may be 0.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.figures.chains import weighted_proposals
    >>> run = np.linspace(-1, 1, 9), np.ones(9)
    >>> figure = weighted_proposals({"even": run}, np.linspace(-1, 1, 5), np.ones(5), "x")
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['density', 'weight, mean 1']
    """
    figure = blank_figure(4.4 * len(runs), 4.6)
    panels = figure.subplots(2, len(runs), squeeze=False, sharex=True, sharey="row")
    ends = float(grid[0]), float(grid[-1])
    for (above, below), (name, (x, weight)) in zip(panels.T, runs.items(), strict=True):
        above.hist(
            x, bins=60, range=ends, density=True, histtype="step", color=GREY, label="proposals"
        )
        above.hist(
            x, bins=60, range=ends, density=True, weights=weight, color=PURPLE, alpha=0.75,
            label="weighted",
        )  # fmt: skip
        above.plot(grid, density, color=ORANGE, lw=2, label="exact")
        above.set_title(name, size=10)
        there = weight > 0
        below.semilogy(x[there], weight[there] / weight.mean(), ".", color=PURPLE, ms=3)
        below.axhline(1.0, color=INK, lw=0.8)
        below.set_xlabel(label)
        below.set_xlim(ends)
        inner = np.arange(np.ceil(ends[0]), ends[1])[1:]  # none where the panels meet
        below.set_xticks(inner[inner % 2 == 0] if len(inner) > 4 else inner)
        for axes in (above, below):
            axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_yticks([])
    panels[0, 0].legend(frameon=False, fontsize=9, loc="upper left")
    panels[0, 0].set_ylabel("density")
    panels[1, 0].set_ylabel("weight, mean 1")
    return figure


def statistic_rows(
    table: pd.DataFrame, limits: Mapping[str, Sequence[float]], names: Mapping[str, str]
) -> "Figure":
    """Statistics of parameters as dots, a panel per statistic, with lines at thresholds.

    Parameters
    ----------
    table
        One row per parameter.
    limits
        Thresholds by column; effective sample sizes get a logarithmic axis.
    names
        Column titles.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.chains import statistic_rows
    >>> table = pd.DataFrame({"rhat": [1.0, 1.05], "ess": [900, 40]}, index=["a", "b"])
    >>> figure = statistic_rows(table, {"rhat": [1.01], "ess": [400, 2000]}, {"ess": "ESS"})
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['rhat', 'ESS']
    """
    figure, row = _panels(len(limits), 9.2, 0.9 + 0.34 * len(table), sharey=True)
    places = np.arange(len(table))
    for axes, (column, lines) in zip(row, limits.items(), strict=True):
        values = table[column].to_numpy(dtype=float)
        first = lines[0]
        fails = values > first + 1e-9 if column == "rhat" else values < first
        axes.plot(values[~fails], places[~fails], "o", color=PURPLE)
        axes.plot(values[fails], places[fails], "X", color=ORANGE, ms=9)
        for line, dashes in zip(lines, ("-", ":"), strict=False):
            axes.axvline(line, color=INK, lw=1, linestyle=dashes)
        if column != "rhat":
            axes.set_xscale("log")
            ticks = [10, 100, 400, 2000, 10000]
            shown = [t for t in ticks if 0.5 * values.min() < t < 1.5 * max(*values, *lines)]
            axes.set_xticks(shown, [f"{t:,}" for t in shown])
            axes.minorticks_off()
        axes.set_xlabel(names.get(column, column))
        axes.grid(axis="y", color=BAND)
    row[0].set_yticks(places, list(table.index))
    row[0].set_ylim(len(table) - 0.5, -0.5)
    return figure
