"""The key of an instrument's picture, drawn again for its still.

A legend is a row of spans in HTML: a small SVG of circles, rectangles, paths and letters, then a
name. A notebook that is not trusted shows no SVG, so the still carries the key inside its picture.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LINE", "corners_of", "draw_legend", "keys_in", "legend_rows"]

LINE = 20.0  # pixels from one row of keys to the next
_LETTER, _GAP = 6.4, 26.0  # pixels: of a letter, on average and with air, and between two keys
_PART = re.compile(r"[A-Za-z]|-?\d*\.?\d+")

Key = tuple[str, float, ElementTree.Element]  # name, width of the drawing, drawing


def keys_in(legend: str) -> list[Key]:
    """The keys of a legend's HTML; none where it is no legend."""
    if 'class="hw-legend"' not in legend:
        return []
    keys = []
    for span in ElementTree.fromstring(legend).iter("span"):
        svg = span.find("svg")
        if svg is not None:
            keys.append(((svg.tail or "").strip(), float(svg.get("width", 18)), svg))
    return keys


def legend_rows(keys: list[Key], width: float) -> list[list[tuple[float, Key]]]:
    """Each key with its distance from the left, in rows no wider than that."""
    rows: list[list[tuple[float, Key]]] = []
    left = np.inf
    for key in keys:
        wide = key[1] + 5 + _LETTER * len(key[0])
        if left + wide > width:
            rows.append([])
            left = 8.0
        rows[-1].append((left, key))
        left += wide + _GAP
    return rows


def draw_legend(ax: "Axes", rows: list[list[tuple[float, Key]]], points: float) -> None:
    """Draw rows of keys on axes measured in pixels from the top left; `points` make one pixel."""
    for i, row in enumerate(rows):
        for left, (name, wide, svg) in row:
            top = LINE * i
            for shape in svg:
                _draw_shape(ax, shape, svg, np.array([left, top]), points)
            ax.text(left + wide + 5, top + 8, name, fontsize=8, va="center_baseline")


def _draw_shape(
    ax: "Axes", shape: ElementTree.Element, svg: ElementTree.Element, at: NDArray[np.float64],
    points: float,
) -> None:  # fmt: skip
    if shape.tag == "text":
        x, y = at + [float(shape.get(name, 0)) for name in "xy"]
        ax.text(x, y, shape.text or "", fontsize=8, va="baseline")
        return
    style: dict[str, Any] = {
        "edgecolor": shape.get("stroke", "none"),
        "facecolor": shape.get("fill", "black"),
        "alpha": float(shape.get("fill-opacity", 1)),
        "linewidth": float(shape.get("stroke-width", svg.get("stroke-width", 1))) * points,
    }
    if (dashes := shape.get("stroke-dasharray", "none")) not in ("", "none"):
        dash = [float(part) * points for part in re.split(r"[ ,]+", dashes)]
        style["linestyle"] = (0, tuple(dash))
    ax.add_patch(_patch(shape, at, style))


def _patch(shape: ElementTree.Element, at: NDArray[np.float64], style: dict[str, Any]) -> Any:
    from matplotlib.patches import Circle, PathPatch, Rectangle
    from matplotlib.path import Path

    def number(name: str) -> float:
        return float(shape.get(name, 0))

    if shape.tag == "circle":
        return Circle((number("cx") + at[0], number("cy") + at[1]), number("r"), **style)
    if shape.tag == "rect":
        corner = (number("x") + at[0], number("y") + at[1])
        return Rectangle(corner, number("width"), number("height"), **style)
    corners, closed = corners_of(shape.get("d", ""))
    if len(corners) < 3:
        style["facecolor"] = "none"
    ends = corners[:1] if closed else []
    return PathPatch(Path(np.array([*corners, *ends]) + at, closed=closed), **style)


def corners_of(path: str) -> tuple[list[NDArray[np.float64]], bool]:
    """The corners of an SVG path of one piece that has straight sides."""
    corners: list[NDArray[np.float64]] = []
    closed = False
    for letter, numbers in _commands(path):
        if letter in "zZ":
            closed = True
            continue
        pairs: list[tuple[float | None, float | None]]
        if letter in "hH":
            pairs = [(x, None) for x in numbers]
        elif letter in "vV":
            pairs = [(None, y) for y in numbers]
        else:
            pairs = list(zip(numbers[0::2], numbers[1::2], strict=True))
        for pair in pairs:
            here = corners[-1] if corners else np.zeros(2)
            still = np.zeros(2) if letter.islower() else here
            moved = np.array([s if v is None else v for v, s in zip(pair, still, strict=True)])
            corners.append(here + moved if letter.islower() else moved)
    return corners, closed


def _commands(path: str) -> Iterator[tuple[str, list[float]]]:
    letter, numbers = "", list[float]()
    for part in _PART.findall(path):
        if part.isalpha():
            if letter:
                yield letter, numbers
            letter, numbers = part, []
        else:
            numbers.append(float(part))
    if letter:
        yield letter, numbers
