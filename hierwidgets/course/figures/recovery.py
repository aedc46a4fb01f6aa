"""Pictures of simulate-and-recover: one draw, recovered parameters, judged estimators, errors.

Estimators keep the colour, marker and line style of `palette.STYLES`. matplotlib is imported when
a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, normal_quantile
from hierwidgets.base.palette import BARS, FADED, INK, LIGHT_GREY, ORANGE, STYLES, TRUTHS
from hierwidgets.errors import DataError
from hierwidgets.recovery import Recovery

from .base import blank_figure, legend_above, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "error_lines", "fixed_districts", "judged", "one_draw", "recovered", "shape_histograms",
]  # fmt: skip


KINDS = {kind.replace(" ", "_"): kind for kind in STYLES}
_MEASURES = {
    "rmse": "RMSE",
    "bias": "bias",
    "coverage": "coverage",
    "bias_of_largest": "error in the\nlargest raw estimate",
}
_Z90 = normal_quantile(0.9)  # half the width of a 90 % interval, in standard errors


def one_draw(frame: pd.DataFrame, label: str = "probability") -> "Figure":
    """Truth and estimates of every group in one made-up data set, a row per group.

    Parameters
    ----------
    frame
        ``n truth`` and any of ``no_pooling partial_pooling complete_pooling``, as
        `hierwidgets.widgets.truth_frame` gives it. Rows are drawn by increasing truth.
    label
        Of the horizontal axis.

    Raises
    ------
    DataError
        If ``n``, ``truth`` or every estimate is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.recovery import one_draw
    >>> frame = pd.DataFrame({"n": [9, 5], "truth": [0.6, 0.2], "no_pooling": [0.7, 0.4]})
    >>> [text.get_text() for text in one_draw(frame).axes[0].get_yticklabels()]
    ['5', '9']
    """
    require_columns(frame, "n", "truth")
    shown = [name for name in KINDS if name in frame.columns]
    if not shown:
        raise DataError(f"there is no estimate to draw; the columns are {list(frame.columns)}")
    frame = frame.sort_values("truth", kind="stable").reset_index(drop=True)
    rows = np.arange(len(frame))
    figure = blank_figure(8, 1.3 + 0.24 * len(frame))
    axes = figure.add_subplot(xlabel=label, ylabel="n of the group")
    for name in shown:
        _arrows(axes, KINDS[name], frame["truth"], frame[name], rows)
    axes.scatter(
        frame["truth"], rows, marker="|", s=170, color=INK, linewidths=2.4, zorder=4,
        label="truth",
    )  # fmt: skip
    axes.set_yticks(rows, [f"{n:g}" for n in frame["n"]])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    legend_above(axes, ncols=4)
    return figure


def _arrows(axes: "Axes", kind: str, truth: Any, estimate: Any, rows: Any) -> None:
    style = STYLES[kind]
    shift = {"no pooling": 0.2, "complete pooling": -0.2}.get(kind, 0.0)
    faint: dict[str, Any] = {"color": style.color, "linewidth": 1, "alpha": 0.6}
    if kind != "complete pooling":
        axes.hlines(rows + shift, truth, estimate, **faint)
    axes.scatter(
        estimate, rows + shift, s=26, color=style.color, marker=style.marker, zorder=3, label=kind
    )


def recovered(
    estimates: pd.DataFrame,
    truth: Mapping[str, float],
    labels: Mapping[str, str] | None = None,
    *,
    share: bool = False,
) -> "Figure":
    """How often each value of a parameter was estimated, with its true value.

    Parameters
    ----------
    estimates
        A row per repetition, a column per parameter.
    truth
        The true value of each parameter that is shown.
    labels
        What to write for a parameter in place of its name.
    share
        Give all panels one scale: for several estimates of the same parameter.

    Raises
    ------
    DataError
        If a parameter of `truth` is not a column.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.recovery import recovered
    >>> found = pd.DataFrame({"mu": [0.9, 1.1, 1.3], "sigma": [0.4, 0.5, 0.3]})
    >>> [axes.get_xlabel() for axes in recovered(found, {"mu": 1.0}).axes]
    ['mu']
    """
    require_columns(estimates, *truth)
    figure = blank_figure(8, 2.6)
    panels = figure.subplots(1, len(truth), squeeze=False, sharex=share)[0]
    for axes, (name, value) in zip(panels, truth.items(), strict=True):
        axes.hist(estimates[name], bins=20, color=BARS, edgecolor=LIGHT_GREY, linewidth=0.5)
        mean = float(estimates[name].mean())
        axes.axvline(value, color=INK, linewidth=2, label="truth")
        axes.axvline(mean, color=ORANGE, linewidth=2, linestyle="--", label="mean estimate")
        axes.set_xlabel((labels or {}).get(name, name))
        axes.set_yticks([])
        axes.spines[["top", "right", "left"]].set_visible(False)
    legend_above(panels[0], ncols=2)
    return figure


def judged(result: Recovery) -> "Figure":
    """Error, bias, coverage and the curse of the largest: a row of panels per design.

    Bars are 90 % Monte Carlo intervals, 1.645 `mc_error` to either side. Vertical lines mark
    what one would wish for: no bias, and the coverage the intervals claim.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.course.figures.recovery import judged
    >>> small = hw.recovery.Setup(n=20, J=8, name="small")
    >>> result = hw.simulate_and_recover(small, reps=5, seed=1, progress=False)
    >>> [axes.get_xlabel() for axes in judged(result).axes][:3]
    ['RMSE', 'bias', 'coverage']
    """
    designs = list(result.setups)
    cells = result.table.set_index(["design", "estimator", "measure"])[["estimate", "mc_error"]]
    figure = blank_figure(8, 0.6 + 1.25 * len(designs))
    grid = figure.subplots(len(designs), len(_MEASURES), squeeze=False)
    for row, design in zip(grid, designs, strict=True):
        mine = cells[cells.index.get_level_values("design") == design].droplevel("design")
        for axes, measure in zip(row, _MEASURES, strict=True):
            _judged_panel(axes, mine, measure, result.level)
        row[0].set_yticks(range(len(KINDS)), list(KINDS.values()))
        row[0].set_title(design, loc="left", fontsize=10, fontweight="bold")
    for axes, measure in zip(grid[-1], _MEASURES, strict=True):
        axes.set_xlabel(_MEASURES[measure])
    return figure


def _judged_panel(axes: "Axes", cells: pd.DataFrame, measure: str, level: float) -> None:
    wishes = {"bias": 0.0, "bias_of_largest": 0.0, "coverage": level}
    if measure in wishes:
        axes.axvline(wishes[measure], color=FADED, linestyle=":", linewidth=1.2, zorder=0)
    for place, (name, kind) in enumerate(KINDS.items()):
        style = STYLES[kind]
        cell = np.asarray(cells.loc[(name, measure)], dtype=np.float64)
        value, error = np.nan_to_num(cell)
        axes.errorbar(
            value, place, xerr=_Z90 * error, fmt=style.marker, color=style.color, capsize=3,
            markersize=6,
        )  # fmt: skip
    if measure in ("rmse", "coverage"):
        axes.set_xlim(0, 1 if measure == "coverage" else None)
    axes.margins(x=0.15)
    axes.set_ylim(len(KINDS) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.locator_params(axis="x", nbins=2 if measure == "bias" else 3)


def error_lines(
    frame: pd.DataFrame, x: str, panel: str | None = None, *, xlabel: str = "", log: bool = False
) -> "Figure":
    """RMSE of each estimator along x, with Monte Carlo intervals; a panel for each design.

    Parameters
    ----------
    frame
        ``estimator rmse mc_error``, the column `x` and, for several panels, the column `panel`;
        `Recovery.by_size` has these columns.
    x
        What runs along the horizontal axis.
    panel
        A column whose values get a panel each.
    xlabel
        Of the horizontal axis; the name of `x` if empty.
    log
        Whether x is drawn on a log scale.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.course.figures.recovery import error_lines
    >>> uneven = hw.recovery.Setup(n=[5, 9, 20, 40], name="uneven")
    >>> result = hw.simulate_and_recover(uneven, reps=5, seed=1, progress=False)
    >>> len(error_lines(result.by_size, "n").axes[0].lines) >= 3
    True
    """
    require_columns(frame, "estimator", "rmse", "mc_error", x, *([panel] if panel else []))
    parts = list(frame.groupby(panel, sort=False)) if panel else [("", frame)]
    figure = blank_figure(8, 3.4)
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    for axes, (title, part) in zip(panels, parts, strict=True):
        for name, kind in KINDS.items():
            _error_line(axes, kind, part[part["estimator"] == name].sort_values(x), x)
        axes.set(title=str(title), xlabel=xlabel or x)
        axes.title.set_fontsize(10)
        axes.spines[["top", "right"]].set_visible(False)
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
    panels[0].set_ylabel("RMSE")
    panels[0].set_ylim(bottom=0)
    legend_above(panels[0], ncols=3)
    return figure


def _error_line(axes: "Axes", kind: str, part: pd.DataFrame, x: str) -> None:
    style = STYLES[kind]
    axes.errorbar(
        part[x], part["rmse"], yerr=_Z90 * part["mc_error"].fillna(0), color=style.color,
        marker=style.marker, linestyle=style.linestyle, markersize=5, capsize=2, label=kind,
    )  # fmt: skip


def fixed_districts(frame: pd.DataFrame) -> "Figure":
    """Bias and RMSE of no and partial pooling in groups whose true rates are held fixed.

    Parameters
    ----------
    frame
        ``truth``, then for no pooling ``raw`` (the mean of its estimates) and ``rmse raw``, for
        partial pooling ``pooled`` and ``rmse pooled``; one row per group.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.recovery import fixed_districts
    >>> frame = pd.DataFrame({"truth": [0.1], "raw": [0.1], "pooled": [0.15],
    ...                       "rmse raw": [0.06], "rmse pooled": [0.05]})
    >>> [axes.get_ylabel() for axes in fixed_districts(frame).axes]
    ['bias', 'RMSE']
    """
    require_columns(frame, "truth", "raw", "pooled", "rmse raw", "rmse pooled")
    figure = blank_figure(8, 3.4)
    bias, rmse = figure.subplots(1, 2)
    for column, kind in [("raw", "no pooling"), ("pooled", "partial pooling")]:
        style: dict[str, Any] = {"color": STYLES[kind].color, "marker": STYLES[kind].marker}
        bias.scatter(frame["truth"], frame[column] - frame["truth"], label=kind, **style)
        rmse.scatter(frame["truth"], frame[f"rmse {column}"], **style)
    bias.axhline(0, color=FADED, linestyle=":")
    bias.set(xlabel="true rate of the district", ylabel="bias")
    rmse.set(xlabel="true rate of the district", ylabel="RMSE", ylim=(0, None))
    for axes in (bias, rmse):
        axes.spines[["top", "right"]].set_visible(False)
    legend_above(bias, ncols=2)
    return figure


def shape_histograms(draws: pd.DataFrame, bins: Array) -> "Figure":
    """The true values of the groups and what no and partial pooling make of them.

    Parameters
    ----------
    draws
        ``design estimator truth estimate``, as `Recovery.draws`; a panel for each design.
    bins
        Edges of the bars, in increasing order.

    Raises
    ------
    DataError
        If one of these columns is missing.

    Examples
    --------
    >>> import numpy as np
    >>> import hierwidgets as hw
    >>> from hierwidgets.course.figures.recovery import shape_histograms
    >>> two = hw.recovery.Setup(n=20, J=30, shape="two clusters", name="two")
    >>> result = hw.simulate_and_recover(two, reps=1, seed=1, progress=False)
    >>> shape_histograms(result.draws, np.linspace(0, 1, 11)).axes[0].get_title()
    'two'
    """
    require_columns(draws, "design", "estimator", "truth", "estimate")
    parts = list(draws.groupby("design", sort=False))
    figure = blank_figure(8, 3.2)
    panels = figure.subplots(1, len(parts), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, part) in zip(panels, parts, strict=True):
        own = part[part["estimator"] == "no_pooling"]
        share = np.full(len(own), 1 / len(own))
        axes.hist(own["truth"], bins, weights=share, color=TRUTHS, label="truth")
        for name in ("no_pooling", "partial_pooling"):
            style = STYLES[KINDS[name]]
            values = part.loc[part["estimator"] == name, "estimate"]
            axes.hist(
                values, bins, weights=share, histtype="step", color=style.color, linewidth=1.8,
                linestyle=style.linestyle, label=KINDS[name],
            )  # fmt: skip
        axes.set(title=title, xlabel="probability")
        axes.locator_params(axis="x", nbins=3)
        axes.title.set_fontsize(10)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of the groups")
    legend_above(panels[0], ncols=3)
    return figure
