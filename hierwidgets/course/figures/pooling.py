"""Pictures of the three kinds of pooling: slopegraph, paths over sigma, parallel lines, the bend.

Kinds keep the colour, marker and line style of `palette.STYLES`. matplotlib is imported when a
figure is drawn.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import BLUES, DARK_ORANGE, FADED, GREY, INK, RIM, STYLES
from hierwidgets.errors import DataError

from .base import blank_figure, legend_above, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "bend", "least_squares_lines", "parallel_lines", "pooling_paths", "slopegraph", "stacked",
]  # fmt: skip


_MOST_LABELS = 40  # more level labels than this cannot be read
_LABEL_WIDTH = 0.021  # share of the axis a turned label needs


def stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Estimates of several kinds in one long frame, kinds ordered by how far they spread.

    Parameters
    ----------
    frames
        Frames with ``level`` and ``estimate``, by kind.

    Returns
    -------
    DataFrame
        ``kind`` first, then the columns of the frames; a column that a frame lacks is missing
        in its rows. ``kind`` is an ordered category, smallest variance of the estimates first.

    Raises
    ------
    DataError
        If there is no frame, or a frame lacks a column or a level that another has.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.pooling import stacked
    >>> own = pd.DataFrame({"level": ["a", "b"], "n": [5, 9], "estimate": [0.2, 0.6]})
    >>> same = pd.DataFrame({"level": ["a", "b"], "estimate": [0.4, 0.4]})
    >>> stacked({"no pooling": own, "complete pooling": same})
                   kind level  estimate    n
    0  complete pooling     a       0.4  NaN
    1  complete pooling     b       0.4  NaN
    2        no pooling     a       0.2  5.0
    3        no pooling     b       0.6  9.0
    """
    if not frames:
        raise DataError("no estimates were given; give frames by kind, {'no pooling': frame}")
    _check_levels(frames)
    kinds = sorted(frames, key=lambda kind: float(frames[kind]["estimate"].var(ddof=0)))
    long = pd.concat([frames[kind] for kind in kinds], keys=kinds, names=["kind"])
    long = long.reset_index("kind").reset_index(drop=True)
    long["kind"] = pd.Categorical(long["kind"], categories=kinds, ordered=True)
    return long


def _check_levels(frames: Mapping[str, pd.DataFrame]) -> None:
    for kind, frame in frames.items():
        absent = {"level", "estimate"} - set(frame.columns)
        if absent:
            raise DataError(f"the estimates {kind!r} have no column {sorted(absent)[0]!r}")
    every = set().union(*(frame["level"] for frame in frames.values()))
    for kind, frame in frames.items():
        missing = every - set(frame["level"])
        if missing:
            level = min(missing, key=str)
            raise DataError(f"the estimates {kind!r} have no row for the level {level!r}")


def slopegraph(
    frames: Mapping[str, pd.DataFrame], *, highlight: Sequence[object] = (), label: str = "estimate"
) -> "Figure":
    """One row of points per kind of estimate, and a line per level from row to row.

    Rows stand in the order of their spread, the narrowest at the bottom; lines join each row to
    the next. Levels are named above the top row.

    Parameters
    ----------
    frames
        As for `stacked`.
    highlight
        Levels whose lines are drawn strong; without any, all look alike.
    label
        Of the horizontal axis.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.pooling import slopegraph
    >>> own = pd.DataFrame({"level": ["a", "b"], "estimate": [0.2, 0.6]})
    >>> same = pd.DataFrame({"level": ["a", "b"], "estimate": [0.4, 0.4]})
    >>> figure = slopegraph({"no pooling": own, "complete pooling": same})
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['complete pooling', 'no pooling']
    """
    long = stacked(frames)
    wide = long.pivot(index="level", columns="kind", values="estimate").sort_index(axis=1)
    absent = [level for level in highlight if level not in wide.index]
    if absent:
        raise DataError(f"{absent[0]!r} is not among the levels {list(wide.index)[:5]} ...")
    figure = blank_figure(8, 1.4 + 1.05 * wide.shape[1])
    axes = figure.add_subplot(xlabel=label)
    for level, values in wide.iterrows():
        _level_line(axes, values.to_numpy(), level in highlight, bool(highlight))
    for height, kind in enumerate(wide.columns):
        _row_of_points(axes, kind, wide[kind].to_numpy(), height)
    axes.set_yticks(range(wide.shape[1]), list(wide.columns))
    axes.set_ylim(-0.25, wide.shape[1] - 1 + 0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    _name_levels(axes, wide.iloc[:, -1], highlight)
    return figure


def _level_line(axes: "Axes", values: Array, strong: bool, any_strong: bool) -> None:
    style: dict[str, Any] = {"color": FADED, "linewidth": 0.9, "zorder": 1}
    if strong:
        style = {"color": INK, "linewidth": 1.8, "zorder": 2}
    elif any_strong:
        style["alpha"] = 0.55
    axes.plot(values, np.arange(len(values)), **style)


def _row_of_points(axes: "Axes", kind: str, values: Array, height: int) -> None:
    style = STYLES.get(kind)
    color, marker = (style.color, style.marker) if style else (INK, "o")
    axes.scatter(
        values, np.full(len(values), height), s=34, color=color, marker=marker, alpha=0.75, zorder=3
    )


def _name_levels(axes: "Axes", top: "pd.Series[float]", highlight: Sequence[object]) -> None:
    """Turned labels above the top row, moved apart where points are close."""
    named = top[top.index.isin(list(highlight))] if len(top) > _MOST_LABELS else top
    if named.empty:
        return
    named = named.sort_values(kind="stable")
    low, high = axes.get_xlim()
    places = _apart(np.asarray(named, np.float64), _LABEL_WIDTH * (high - low))
    height = axes.get_yticks()[-1]
    for place, value, level in zip(places, named, named.index, strict=True):
        axes.plot([value, place], [height + 0.07, height + 0.17], color=FADED, linewidth=0.6)
        weight = "bold" if level in highlight else "normal"
        options: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 8}
        axes.text(place, height + 0.18, str(level), rotation=90, fontweight=weight, **options)


def _apart(places: Array, least: float) -> Array:
    """Sorted places moved as little as needed to lie `least` apart.

    Least squares under that condition: isotonic regression of what is left after the steps
    are taken off, by pooling neighbours that are out of order.
    """
    steps = least * np.arange(len(places))
    blocks: list[tuple[float, int]] = []
    for value in places - steps:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return np.repeat([mean for mean, _ in blocks], [count for _, count in blocks]) + steps


def pooling_paths(
    paths: pd.DataFrame,
    ends: Mapping[str, pd.DataFrame],
    sigma: float | None = None,
    label: str = "estimate",
) -> "Figure":
    """Each level's estimate as sigma grows from complete pooling to none.

    Parameters
    ----------
    paths
        ``level sigma estimate``, the same values of sigma for each level.
    ends
        The frames of "complete pooling" and "no pooling" (``level estimate``), drawn as points
        at the left and the right edge.
    sigma
        Where a vertical line marks the fitted value.
    label
        Of the vertical axis.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.pooling import pooling_paths
    >>> paths = pd.DataFrame({"level": ["a"] * 3, "sigma": [0.1, 1, 10], "estimate": [4, 5, 6]})
    >>> pooling_paths(paths, {}).axes[0].get_xscale()
    'log'
    """
    wide = paths.pivot(index="sigma", columns="level", values="estimate").sort_index()
    low, high = float(wide.index[0]), float(wide.index[-1])
    figure = blank_figure(8, 5)
    axes = figure.add_subplot(xscale="log", xlabel="σ, sd of the log-odds", ylabel=label)
    axes.plot(wide.index, wide.to_numpy(), color=FADED, linewidth=1, zorder=1)
    for kind, place in (("complete pooling", low / 1.25), ("no pooling", high * 1.25)):
        if kind in ends:
            _end_points(axes, kind, ends[kind], place)
    if sigma is not None:
        axes.axvline(sigma, color=STYLES["partial pooling"].color, linestyle="--", zorder=0)
        axes.annotate(
            f"fitted σ = {sigma:.2f} ",
            (sigma, 1),
            xycoords=("data", "axes fraction"),
            ha="right",
            va="top",
            color=DARK_ORANGE,
        )
    axes.set_xlim(low / 1.6, high * 2.9)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.spines[["top", "right"]].set_visible(False)
    _name_ends(axes, wide.iloc[-1], (high * 1.34, high * 1.75))
    if ends:
        axes.legend(loc="upper left", frameon=False)
    return figure


def _end_points(axes: "Axes", kind: str, frame: pd.DataFrame, place: float) -> None:
    style = STYLES[kind]
    values = frame["estimate"].to_numpy(dtype=float)
    options: dict[str, Any] = {"color": style.color, "marker": style.marker, "zorder": 3}
    axes.scatter(np.full(len(values), place), values, s=30, label=kind, **options)


def _name_ends(axes: "Axes", last: "pd.Series[float]", places: tuple[float, float]) -> None:
    """Names at the right edge, moved apart, each with a thread to its own point."""
    if len(last) > _MOST_LABELS:
        return
    last = last.sort_values(kind="stable")
    low, high = axes.get_ylim()
    heights = _apart(np.asarray(last, np.float64), 0.034 * (high - low))
    for height, (level, value) in zip(heights, last.items(), strict=True):
        axes.plot(places, [value, height], color=FADED, linewidth=0.6)
        axes.text(places[1] * 1.05, height, str(level), va="center", fontsize=8)


def bend(mu: float, sigma: float, label: str = "rate") -> "Figure":
    r"""How equal steps from mu on the log-odds scale become unequal steps in rates.

    The inverse logit is convex below zero, so that :math:`E[\text{logit}^{-1}(\alpha)]` lies above
    :math:`\text{logit}^{-1}(\mu)` for a spread that stays there (Jensen's inequality). Drawn are
    the curve, its tangent at mu, and the rates at mu and one sigma either side.

    Parameters
    ----------
    mu, sigma
        Centre and sd of the log-odds.
    label
        Of the vertical axis.

    Examples
    --------
    >>> from hierwidgets.course.figures.pooling import bend
    >>> [text.get_text() for text in bend(-1.4, 0.3).axes[0].texts]
    ['μ − σ', 'μ', 'μ + σ']
    """
    alpha = np.linspace(mu - 4 * sigma, mu + 4 * sigma, 200)
    typical = float(expit(mu))
    tangent = typical + typical * (1 - typical) * (alpha - mu)
    figure = blank_figure(8, 3.8)
    axes = figure.add_subplot(xlabel="α, log-odds", ylabel=label)
    axes.plot(alpha, expit(alpha), color=INK, label="inverse logit")
    axes.plot(alpha, tangent, color=GREY, linestyle=":", label="tangent")
    for point, name in [(mu - sigma, "μ − σ"), (mu, "μ"), (mu + sigma, "μ + σ")]:
        rate = float(expit(point))
        axes.plot([point, point, alpha[0]], [0, rate, rate], color=BLUES[1], linewidth=1)
        axes.annotate(name, (point, 0), xytext=(4, 6), textcoords="offset points")
    axes.set(xlim=(alpha[0], alpha[-1]), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False)
    return figure


def least_squares_lines(data: pd.DataFrame, x: str, outcome: str, group: str) -> pd.DataFrame:
    r"""An intercept for each level and one slope for all, by least squares.

    .. math:: \min_{\alpha, \beta} \sum_i (y_i - \alpha_{j[i]} - \beta x_i)^2

    The slope is the pooled within-level slope; then the intercept is what is left of the level's
    mean (Gelman & Hill 2007, section 12.2, calls this no pooling).

    Returns
    -------
    DataFrame
        ``level intercept slope``, one row per level.

    Raises
    ------
    DataError
        If a column is missing, or x does not vary within any level.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.pooling import least_squares_lines
    >>> data = pd.DataFrame({"g": list("aabb"), "x": [0, 1, 0, 2], "y": [1, 3, 5, 9]})
    >>> least_squares_lines(data, "x", "y", "g")
      level  intercept  slope
    0     a        1.0    2.0
    1     b        5.0    2.0
    """
    require_columns(data, x, outcome, group)
    by_level = data.groupby(group, observed=True, sort=True)[[x, outcome]]
    within = data[[x, outcome]] - by_level.transform("mean")
    spread = float((within[x] ** 2).sum())
    if not spread > 0:
        raise DataError(f"{x!r} does not vary within any level of {group!r}: no slope can be told")
    slope = float((within[x] * within[outcome]).sum()) / spread
    means = by_level.mean()
    lines = {"level": means.index, "intercept": means[outcome] - slope * means[x], "slope": slope}
    return pd.DataFrame(lines).reset_index(drop=True)


def parallel_lines(
    data: pd.DataFrame, x: str, outcome: str, group: str, lines: Mapping[str, pd.DataFrame]
) -> "Figure":
    """A panel per level: its points, and the line each kind of pooling gives it.

    Parameters
    ----------
    data, x, outcome, group
        One row per observation, and the names of its columns.
    lines
        Frames with ``level intercept slope``, by kind.

    Raises
    ------
    DataError
        If a column of the data, or a level in one of the frames, is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.pooling import least_squares_lines, parallel_lines
    >>> data = pd.DataFrame({"g": list("aabb"), "x": [0, 1, 0, 2], "y": [1, 3, 5, 9]})
    >>> lines = {"no pooling": least_squares_lines(data, "x", "y", "g")}
    >>> [axes.get_title() for axes in parallel_lines(data, "x", "y", "g", lines).axes]
    ['a (n = 2)', 'b (n = 2)']
    """
    require_columns(data, x, outcome, group)
    groups = list(data.groupby(group, observed=True, sort=True))
    frames = {kind: frame.set_index("level") for kind, frame in lines.items()}
    for kind, frame in frames.items():
        absent = [level for level, _ in groups if level not in frame.index]
        if absent:
            raise DataError(f"the lines {kind!r} have no row for the level {absent[0]!r}")
    columns = min(len(groups), 3)
    rows = -(-len(groups) // columns)
    figure = blank_figure(8, 0.7 + 2.3 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    ends = np.array([data[x].min(), data[x].max()], dtype=float)
    for axes, (level, mine) in zip(panels, groups, strict=False):
        axes.set_title(f"{level} (n = {len(mine)})", fontsize=10)
        axes.scatter(mine[x], mine[outcome], s=14, facecolors="none", edgecolors=RIM)
        for kind, frame in frames.items():
            _one_line(axes, kind, frame, level, ends)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(groups) :]:
        axes.remove()
    figure.supxlabel(x)
    figure.supylabel(outcome)
    legend_above(panels[0], ncols=3)
    return figure


def _one_line(axes: "Axes", kind: str, frame: pd.DataFrame, level: Any, ends: Array) -> None:
    style = STYLES.get(kind, STYLES["no pooling"])
    options: dict[str, Any] = {"color": style.color, "linestyle": style.linestyle}
    heights = frame["intercept"][level] + frame["slope"][level] * ends
    axes.plot(ends, heights, linewidth=1.8, label=kind, **options)
