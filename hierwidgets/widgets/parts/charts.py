"""Pieces of bqplot figures that several instruments share."""

from typing import Any

import bqplot
import numpy as np

from hierwidgets.base.arrays import Array

__all__ = [
    "WIDTH", "diamonds", "figure", "half_width", "joined_segments", "level_tooltip", "nearest",
    "outlines", "plot_size", "put", "round_ticks", "upright",
]  # fmt: skip


# Widths are those of a laptop's pane: the row a figure stands in gives it more or less.
WIDTH, HALF = "560px", "276px"
MARGIN = {"top": 8, "left": 62, "right": 16}

_SIX = np.linspace(0.0, 2 * np.pi, 7)  # corners make a circle of few pixels
# Corners (x, then y) of each marker and, for an area of 1, how far they are from its middle.
_OUTLINES = {
    "circle": (np.stack([np.sin(_SIX), np.cos(_SIX)]), 0.62),
    "diamond": (np.array([[-0.577, 0.0, 0.577, 0.0, -0.577], [0.0, 1.0, 0.0, -1.0, 0.0]]), 0.931),
    "square": (np.array([[-1.0, 1.0, 1.0, -1.0, -1.0], [1.0, 1.0, -1.0, -1.0, 1.0]]), 0.5),
}


def figure(
    name: str, height: str, marks: list[bqplot.Mark], axes: list[bqplot.Axis], bottom: int
) -> bqplot.Figure:
    """A figure, as wide as its row; by its class `name` its text alternative finds it."""
    drawn = bqplot.Figure(
        marks=marks, axes=axes, display_toolbar=False, background_style={"fill": "none"},
        layout={"width": WIDTH, "flex": "1 1 240px", "min_width": "0", "height": height},
        fig_margin={**MARGIN, "bottom": bottom},
    )  # fmt: skip
    drawn.add_class(name)
    return drawn


def half_width(drawn: bqplot.Figure) -> bqplot.Figure:
    """The figure at half the width, to stand beside another."""
    drawn.layout.width, drawn.layout.flex = HALF, "1 1 190px"
    drawn.fig_margin = {**drawn.fig_margin, "left": 54, "right": 12}
    return drawn


def upright(axis: bqplot.Axis) -> bqplot.Axis:
    """The axis, made vertical."""
    axis.orientation = "vertical"  # as a keyword it raises a deprecation warning in traitlets
    return axis


def level_tooltip() -> bqplot.Tooltip:
    """Name and value of the point under the mouse."""
    return bqplot.Tooltip(fields=["name", "y"], labels=["level", "value"], formats=["", ".3f"])


def joined_segments(start: Array, end: Array) -> Array:
    """Segments as one line: start, end and a gap for each level; one path is quick to draw."""
    return np.column_stack([start, end, np.full(len(start), np.nan)]).ravel()[:-1]


def diamonds(middle: Array, half: float | Array, across: bool = False) -> Array:
    """One coordinate of diamonds as one line, each closed, with a gap between; `half` to a corner.

    Of the corners in order, left and right are off the middle in x (`across`), the others in y.
    """
    turn = np.array([-1.0, 0.0, 1.0, 0.0, -1.0]) if across else np.array([0.0, 1.0, 0.0, -1.0, 0.0])
    corners = np.asarray(middle)[:, None] + np.multiply.outer(
        np.broadcast_to(half, len(middle)), turn
    )
    return np.column_stack([corners, np.full(len(corners), np.nan)]).ravel()[:-1]


def outlines(
    marker: str, area: float, x: Array, y: Array, per_pixel: tuple[float, float]
) -> tuple[Array, Array]:
    """Markers as one line, each closed, with a gap between: as `Scatter` draws them, but quick.

    `area` is that of each in square pixels, `per_pixel` what a pixel is worth in x and y.
    """
    turns, size = _OUTLINES[marker]
    across, up = np.sqrt(area) * size * turns * np.array(per_pixel)[:, None]
    gap = np.full((len(x), 1), np.nan)
    xs, ys = (
        np.hstack([middle[:, None] + corners, gap]).ravel()[:-1]
        for middle, corners in ((np.asarray(x), across), (np.asarray(y), up))
    )
    return xs, ys


def plot_size(drawn: bqplot.Figure) -> tuple[float, float]:
    """Width and height in pixels of what the axes enclose, in the pane of a laptop."""
    margin = drawn.fig_margin
    width, height = (
        float(getattr(drawn.layout, n).removesuffix("px")) for n in ("width", "height")
    )
    return width - margin["left"] - margin["right"], height - margin["top"] - margin["bottom"]


def put(mark: bqplot.Mark, **arrays: Any) -> None:
    """Assign new arrays to a mark in one message; those that are the same send nothing.

    Comparing them is left to traits elsewhere, but to these a gap (nan) is always something new.
    """
    with mark.hold_sync():
        for name, values in arrays.items():
            if not _same(getattr(mark, name), values):
                setattr(mark, name, values)


def _same(old: Any, new: Any) -> bool:
    old, new = np.asarray(old), np.asarray(new)
    numbers = old.dtype.kind == new.dtype.kind == "f"
    return old.dtype.kind == new.dtype.kind and np.array_equal(old, new, equal_nan=numbers)


def nearest(
    x: Array, y: Array, point: tuple[float, float], per_pixel: tuple[float, float],
    most: float = 30.0,
) -> int | None:  # fmt: skip
    """The row whose (x, y) is nearest to a point, if that is at most so many pixels away."""
    away = np.hypot((x - point[0]) / per_pixel[0], (y - point[1]) / per_pixel[1])
    best = int(np.argmin(away))
    return best if away[best] <= most else None


def round_ticks(low: float, high: float, most: int = 7) -> Array:
    """At most so many tick marks, at multiples of a round step."""
    steps = (digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5))
    step = next(s for s in steps if np.floor(high / s) - np.ceil(low / s) < most)
    return step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
