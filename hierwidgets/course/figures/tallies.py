"""Pictures of many small groups: groups with the same result stand for each other.

A group of n answers with y events is known to the model by y and n alone, so that hundreds of
tiny groups fall into a few dozen patterns. matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import (
    BARS,
    DARK_GREEN,
    DARK_ORANGE,
    DARK_PURPLE,
    FADED,
    GREY,
    INK,
    LIGHT_GREEN,
    LIGHT_GREY,
    ORANGE,
    STYLES,
)
from hierwidgets.errors import DataError

from .base import blank_figure, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["patterns", "patterns_moved", "patterns_tallied", "profiles", "ranked_intervals"]

_INTERVALS: dict[str, tuple[Any, str, str]] = {
    "no pooling": (LIGHT_GREEN, DARK_GREEN, "o"),
    "partial pooling": ((ORANGE, 0.45), DARK_ORANGE, "D"),
}


def patterns(no: pd.DataFrame, partial: pd.DataFrame) -> pd.DataFrame:
    """Each combination of n and y that occurs, how often, and its two estimates.

    Parameters
    ----------
    no, partial
        Frames of `hierwidgets.no_pooling` (``level n estimate``) and of
        `hierwidgets.partial_pooling` (``level estimate``), matched by label.

    Returns
    -------
    DataFrame
        ``n y groups raw estimate``, one row per pattern, sorted by n and y. Groups with the same
        n and y have the same partial pooling estimate unless a predictor tells them apart; then
        ``estimate`` is their mean.

    Raises
    ------
    DataError
        If a column, or a level of `no` in `partial`, is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.tallies import patterns
    >>> no = pd.DataFrame({"level": ["a", "b", "c"], "n": [1, 2, 1], "estimate": [0.0, 0.5, 0.0]})
    >>> partial = pd.DataFrame({"level": ["c", "b", "a"], "estimate": [0.3, 0.4, 0.3]})
    >>> patterns(no, partial)
       n  y  groups  raw  estimate
    0  1  0       2  0.0       0.3
    1  2  1       1  0.5       0.4
    """
    require_columns(no, "level", "n", "estimate")
    require_columns(partial, "level", "estimate")
    by_level = partial.set_index(partial["level"].astype(object))["estimate"]
    pooled = no["level"].astype(object).map(by_level)
    if pooled.isna().any():
        level = no.loc[pooled.isna(), "level"].iloc[0]
        raise DataError(f"partial pooling has no row for the level {level!r}")
    y = (no["n"] * no["estimate"]).round().astype(int)
    frame = pd.DataFrame({"n": no["n"], "y": y, "raw": no["estimate"], "estimate": pooled})
    by_pattern = frame.astype({"estimate": float}).groupby(["n", "y"])
    found = by_pattern.agg(
        groups=("raw", "size"), raw=("raw", "first"), estimate=("estimate", "mean")
    )
    return found.reset_index()


def patterns_tallied(frame: pd.DataFrame) -> "Figure":
    """How many groups have n answers of which y are events: a disc with its number.

    Parameters
    ----------
    frame
        ``n y groups``, as `patterns` gives it.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.tallies import patterns_tallied
    >>> frame = pd.DataFrame({"n": [1, 1, 2], "y": [0, 1, 1], "groups": [39, 18, 23]})
    >>> [text.get_text() for text in patterns_tallied(frame).axes[0].texts]
    ['39', '18', '23']
    """
    require_columns(frame, "n", "y", "groups")
    figure = blank_figure(8, 4.2)
    axes = figure.add_subplot(xlabel="n, people asked", ylabel="y, people contacted")
    area = 70 + 17 * frame["groups"].to_numpy(dtype=float)
    certain = (frame["y"] == 0) | (frame["y"] == frame["n"])
    for chosen, color, edge in [(~certain, BARS, LIGHT_GREY), (certain, "white", INK)]:
        style: dict[str, Any] = {"color": color, "edgecolors": edge, "linewidths": 1.4}
        axes.scatter(frame["n"][chosen], frame["y"][chosen], s=area[chosen.to_numpy()], **style)
    for row in frame.itertuples():
        axes.text(row.n, row.y, str(row.groups), ha="center", va="center", fontsize=9)  # type: ignore[arg-type]
    axes.set_xticks(range(1, int(frame["n"].max()) + 1))
    axes.margins(0.07, 0.12)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def patterns_moved(
    frame: pd.DataFrame, target: float | None = None, label: str = "contact rate"
) -> "Figure":
    """From each pattern's raw rate an arrow to its partial pooling estimate, along n.

    Patterns of one n stand side by side, the lowest rate leftmost, so that no arrow hides another.

    Parameters
    ----------
    frame
        ``n y groups raw estimate``, as `patterns` gives it.
    target
        Where a horizontal line marks what partial pooling pulls toward.
    label
        Of the vertical axis.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.tallies import patterns_moved
    >>> frame = pd.DataFrame({"n": [1, 1], "y": [0, 1], "groups": [39, 18],
    ...                       "raw": [0.0, 1.0], "estimate": [0.27, 0.37]})
    >>> len(patterns_moved(frame, 0.3).axes[0].texts)
    3
    """
    require_columns(frame, "n", "raw", "estimate", "groups")
    figure = blank_figure(8, 4.2)
    axes = figure.add_subplot(xlabel="n, people asked", ylabel=label)
    places = _side_by_side(frame)
    for x, start, end in zip(places, frame["raw"], frame["estimate"], strict=True):
        axes.annotate(
            "", (x, float(end)), (x, float(start)),
            arrowprops={"arrowstyle": "-|>", "color": FADED, "linewidth": 1}, zorder=1,
        )  # fmt: skip
    for kind, column in [("no pooling", "raw"), ("partial pooling", "estimate")]:
        style = STYLES[kind]
        axes.scatter(
            places, frame[column], s=18 + 2.2 * frame["groups"], color=style.color,
            marker=style.marker, alpha=0.8, zorder=3, label=kind,
        )  # fmt: skip
    if target is not None:
        axes.axhline(target, color=STYLES["complete pooling"].color, linestyle=":", zorder=0)
        place = (float(frame["n"].max()) + 0.4, target)
        axes.annotate("target", place, va="bottom", ha="right", color=DARK_PURPLE, fontsize=9)
    axes.set_xticks(range(1, int(frame["n"].max()) + 1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    for handle in axes.get_legend().legend_handles:  # type: ignore[union-attr]
        handle.set_sizes([36])  # type: ignore[union-attr]
    return figure


def _side_by_side(frame: pd.DataFrame) -> Array:
    by_n = frame.groupby("n")["raw"]
    size = by_n.transform("size")
    step = 0.7 / max(int(size.max()) - 1, 1)
    rank = by_n.rank(method="first")
    return np.asarray(frame["n"] + step * (rank - (size + 1) / 2), np.float64)


def profiles(curves: Mapping[str, pd.DataFrame]) -> "Figure":
    """Profile log-likelihoods of sigma by how exactly they are computed, each top marked.

    Parameters
    ----------
    curves
        ``sigma loglik``, as `hierwidgets.widgets.profile_frame` gives it, by the name of the
        approximation: the first is drawn grey and dashed, the second dark and solid.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.tallies import profiles
    >>> curve = pd.DataFrame({"sigma": [0.5, 0.7, 0.9], "loglik": [-3.0, -2.0, -2.5]})
    >>> float(profiles({"Laplace": curve}).axes[0].lines[1].get_xdata()[0])
    0.7
    """
    figure = blank_figure(8, 3.4)
    axes = figure.add_subplot(xlabel="σ", ylabel="log-likelihood")
    floor = min(float(curve["loglik"].min()) for curve in curves.values())
    looks = ((GREY, "--"), (INK, "-"))
    for (color, line), (name, curve) in zip(looks, curves.items(), strict=False):
        require_columns(curve, "sigma", "loglik", of=name)
        axes.plot(curve["sigma"], curve["loglik"], color=color, linestyle=line, label=name)
        top = curve.iloc[int(curve["loglik"].to_numpy().argmax())]
        axes.plot([top["sigma"]] * 2, [floor, top["loglik"]], color=color, linewidth=0.8)
    axes.set_ylim(bottom=floor)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def ranked_intervals(frames: Mapping[str, pd.DataFrame], label: str = "contact rate") -> "Figure":
    """Every group's interval as a thin line, groups in the order of the estimate, by kind.

    Intervals without width are drawn as a cross, since a line would not be seen.

    Parameters
    ----------
    frames
        ``level estimate conf_low conf_high`` by the title of their panel. What stands before a
        comma may name a kind of pooling, whose colour and mark it gets; others have those of no
        pooling.
    label
        Of the vertical axis.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.tallies import ranked_intervals
    >>> frame = pd.DataFrame({"level": ["a", "b"], "estimate": [0.5, 0.0],
    ...                       "conf_low": [0.1, 0.0], "conf_high": [0.9, 0.0]})
    >>> [axes.get_title() for axes in ranked_intervals({"Wald": frame}).axes]
    ['Wald']
    """
    figure = blank_figure(8, 3.4)
    panels = figure.subplots(1, len(frames), sharey=True, squeeze=False)[0]
    for axes, (title, frame) in zip(panels, frames.items(), strict=True):
        require_columns(frame, "estimate", "conf_low", "conf_high")
        kind = title.partition(",")[0]
        _ranked(axes, frame.sort_values(["estimate", "conf_high"], kind="stable"), kind)
        axes.set_title(title, fontsize=10)
    panels[0].set_ylabel(label)
    figure.supxlabel("groups, lowest estimate first", fontsize=10)
    return figure


def _ranked(axes: "Axes", frame: pd.DataFrame, kind: str) -> None:
    light, dark, marker = _INTERVALS.get(kind, _INTERVALS["no pooling"])
    place = np.arange(len(frame))
    low, high, estimate = (
        frame[name].to_numpy(dtype=float) for name in ("conf_low", "conf_high", "estimate")
    )
    flat = high - low <= 0
    axes.vlines(place[~flat], low[~flat], high[~flat], color=light, linewidth=0.8)
    axes.scatter(place[~flat], estimate[~flat], s=5, color=dark, marker=marker, zorder=3)
    axes.scatter(place[flat], estimate[flat], s=16, marker="x", color=INK, linewidths=0.8)
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
