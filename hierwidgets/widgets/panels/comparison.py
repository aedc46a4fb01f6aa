"""The picture of the pooling comparison: three rows of estimates, joined by a line per level."""

from typing import Any

import bqplot
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import BLUES, COMPLETE, NO, PARTIAL, PINK
from hierwidgets.widgets.numbers.comparison import ESTIMATES, Compared, Flags
from hierwidgets.widgets.parts.charts import figure, round_ticks, upright
from hierwidgets.widgets.parts.legend import legend

__all__ = ["BEHIND", "CLASSES", "FEW", "MANY", "SlopesPanel", "comparison_legend"]

MARKED, TARGET = PINK, COMPLETE
# From few trials to many, lines get darker and wider, and points another shape.
CLASSES = (
    (BLUES[0], 0.8, "circle"),
    (BLUES[1], 1.4, "square"),
    (BLUES[2], 2.2, "diamond"),
)
ROWS = {2: "no", 1: "partial", 0: "complete"}  # from top to bottom, as in the figures
FOOT = -0.38  # where the targets are, under the rows
MOST_APART = 40  # more levels than this, and equal rates are stacked
# opacity of lines: of few levels, of many, of what is not highlighted
FEW, MANY, BEHIND = 0.75, 0.35, 0.25


class SlopesPanel:
    """No, partial and complete pooling in a row each, and a line over them for every level.

    Attributes
    ----------
    figure
        To be shown.
    x, y : (3, J)
        Where complete, partial and no pooling of each level are.
    lines, points
        For each class of n: the lines of its levels; partial and no pooling of them.
    marked, chosen, ring
        What is highlighted, the one level that is selected, and the circles around its points.
    overall, square, toward, targets
        Complete pooling, and what partial pooling pulls toward, as a line and as points.
    """

    def __init__(self) -> None:
        self.rate = bqplot.LinearScale(allow_padding=False)
        self._scales = {
            "x": self.rate, "y": bqplot.LinearScale(min=-0.55, max=2.55, allow_padding=False)
        }  # fmt: skip
        self.lines = [self._line(color, "solid", width) for color, width, _ in CLASSES]
        self.marked, self.chosen = self._line(MARKED, "solid", 3), self._line(MARKED, "solid", 5)
        self.overall = self._line(COMPLETE, "dotted", 2)
        self.toward = self._line(TARGET, "dashed", 1.5)
        still: dict[str, Any] = {"interactions": {}}
        self.square = self._point(COMPLETE, "square", default_size=90, **still)
        self.targets = self._point(TARGET, "triangle-up", default_size=60, **still)
        self.ring = self._point(
            MARKED, "circle", fill=False, stroke_width=2, default_size=220, **still
        )
        self.points = [
            (self._point(PARTIAL, marker, **_touch()), self._point(NO, marker, **_touch()))
            for *_, marker in CLASSES
        ]
        self.axis = bqplot.Axis(
            scale=self.rate, grid_lines="none", label_offset="32px", tick_format="~g"
        )
        self.figure = self._figure()

    def _line(self, color: str, style: str, width: float) -> bqplot.Lines:
        return bqplot.Lines(
            scales=self._scales, x=[], y=[], colors=[color], line_style=style, stroke_width=width,
            opacities=[FEW],
        )  # fmt: skip

    def _point(self, color: str, marker: str, **options: Any) -> bqplot.Scatter:
        return bqplot.Scatter(
            scales=self._scales, x=[], y=[], marker=marker, colors=[color], **options
        )

    def _figure(self) -> bqplot.Figure:
        rows = upright(
            bqplot.Axis(
                scale=self._scales["y"], grid_lines="none", tick_values=np.array(list(ROWS)),
                tick_labels=ROWS, tick_format="d", label="pooling", label_offset="58px",
            )
        )  # fmt: skip
        marks = [
            *self.lines, self.overall, self.toward, self.marked, self.chosen, self.square,
            self.targets, *sum(self.points, ()), self.ring,
        ]  # fmt: skip
        drawn = figure("hw-slopes", "360px", marks, [self.axis, rows], bottom=44)
        drawn.fig_margin = {**drawn.fig_margin, "left": 76}
        return drawn

    # --- what changes ---

    def draw(self, found: Compared, label: str) -> None:
        """Everything, for another fit."""
        self.x, self.y = _vertices(found.frame)
        self._draw_axis(found.columns["target"], label)
        self._draw_lines(found)
        self._draw_points(found)

    def _draw_axis(self, target: Array, label: str) -> None:
        low, high = float(self.x.min()), float(self.x.max())
        low, high = min(low, target.min()), max(high, target.max())
        air = 0.04 * max(high - low, 0.01)
        with self.rate.hold_sync():
            self.rate.min, self.rate.max = low - air, high + air
        self.axis.tick_values = round_ticks(low - air, high + air, most=12)
        self.axis.label = label

    def _draw_lines(self, found: Compared) -> None:
        """The lines of all levels, a mark for each class of n; and where they are pulled."""
        for k, mark in enumerate(self.lines):
            part = np.flatnonzero(found.classes == k)
            with mark.hold_sync():
                mark.x, mark.y = _path(self.x[:, part]), _path(self.y[:, part])
        overall = found.columns["complete_pooling"][:1]
        targets = np.unique(found.columns["target"].round(8))
        for mark, at in ((self.overall, overall), (self.toward, targets)):
            with mark.hold_sync():
                mark.x, mark.y = (list(at) * 2, [FOOT, 2.5]) if len(at) == 1 else ([], [])
        self.targets.default_size = 60 if len(targets) <= MOST_APART else 20
        for mark, at, row in ((self.square, overall, 0.0), (self.targets, targets, FOOT)):
            with mark.hold_sync():
                mark.x, mark.y = at, np.full(len(at), row)

    def _draw_points(self, found: Compared) -> None:
        """Partial and no pooling of each class, a mark each."""
        area = 60 if len(found.frame) <= MOST_APART else 18
        names = np.array([str(level) for level in found.levels])
        for k, pair in enumerate(self.points):
            of_class = np.flatnonzero(found.classes == k)
            for row, mark in enumerate(pair, start=1):
                with mark.hold_sync():
                    mark.default_size, mark.names = area, names[of_class]
                    mark.x, mark.y = self.x[row, of_class], self.y[row, of_class]

    def mark(self, shown: Flags, place: int | None) -> None:
        """Highlight some levels and select one; the rest moves into the background."""
        with self.marked.hold_sync():
            self.marked.x, self.marked.y = _path(self.x[:, shown]), _path(self.y[:, shown])
        one = [] if place is None else [place]
        for mark, first in ((self.chosen, 0), (self.ring, 1)):
            with mark.hold_sync():
                mark.x, mark.y = self.x[first:, one].ravel(), self.y[first:, one].ravel()
        back = bool(shown.any()) or place is not None
        before = FEW if len(shown) <= MOST_APART else MANY
        for line in self.lines:
            line.opacities = [BEHIND if back else before]


def _vertices(frame: pd.DataFrame) -> tuple[Array, Array]:
    """Places (3, J) of complete, partial and no pooling; equal rates of many are stacked."""
    x = frame[list(ESTIMATES)].to_numpy().T
    y = np.repeat([[0.0], [1.0], [2.0]], len(frame), axis=1)
    if len(frame) > MOST_APART:
        for row, way in ((1, -1.0), (2, 1.0)):
            under = frame.groupby(frame[ESTIMATES[row]].round(8))["n"]
            rank = under.rank(method="first", ascending=False) - 1
            y[row] += way * rank * min(0.03, 0.42 / max(rank.max(), 1))
    return x, y


def _path(values: NDArray[Any]) -> Array:
    """The columns of (3, K) one after the other, with a gap between."""
    gaps = np.full((1, values.shape[1]), np.nan)
    return np.concatenate([values, gaps]).T.ravel()[:-1]


def _touch() -> dict[str, Any]:
    """What a point does under the mouse."""
    shown = bqplot.Tooltip(fields=["name", "x"], labels=["level", "value"], formats=["", ".4~g"])
    return {
        "display_names": False, "tooltip": shown, "selected_style": {}, "unselected_style": {},
        "interactions": {"hover": "tooltip", "click": "select"},
    }  # fmt: skip


def comparison_legend(classes: list[str], many_targets: bool) -> str:
    """The key; shapes, widths and dashes tell the layers apart without colour."""
    shapes = {
        "circle": '<circle cx="15" cy="8" r="5" fill="{0}"/>',
        "square": '<rect x="10" y="3" width="10" height="10" fill="{0}"/>',
        "diamond": '<path d="M15 1l6 7-6 7-6-7z" fill="{0}"/>',
    }
    across = '<path d="M0 8h30" stroke="{0}" stroke-width="{1}"/>'
    down = '<path d="M15 0v16" stroke="{0}" stroke-width="2" stroke-dasharray="{1}"/>'
    keys = [
        (name, across.format(color, width) + shapes[shape].format(color))
        for name, (color, width, shape) in zip(classes, CLASSES, strict=False)
    ]
    triangle = f'<path d="M10 12h10l-5-9z" fill="{TARGET}"/>'
    pulled = "target of partial pooling" + (", one for each level" if many_targets else "")
    ring = f'<circle cx="15" cy="8" r="6" fill="none" stroke="{MARKED}"/>'
    keys += [
        ("complete pooling", down.format(COMPLETE, "2 2") + shapes["square"].format(COMPLETE)),
        (pulled, ("" if many_targets else down.format(TARGET, "4 2")) + triangle),
        ("highlighted; selected in a ring", across.format(MARKED, 3) + ring),
    ]
    return legend(keys, width=30)
