"""The two pictures of the recovery lab: arrows from the truth, and a panel for each measure."""

from typing import Any

import bqplot
import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import COMPLETE, GREY, NO, PARTIAL
from hierwidgets.widgets.numbers.recovery import ESTIMATORS, JUDGED, LEVEL
from hierwidgets.widgets.numbers.recovery_words import NAMES, TITLES
from hierwidgets.widgets.parts.charts import (
    figure,
    half_width,
    joined_segments,
    level_tooltip,
    outlines,
    plot_size,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.legend import legend

__all__ = ["Arrows", "Panel", "panel_class", "panels", "recovery_legend"]


COLOURS = (NO, PARTIAL, COMPLETE)
MARKERS = ("circle", "diamond", "square")
FILLED = (False, True, False)
ENDS = {"coverage": (0.0, 1.0), "rmse": (0.0, np.inf)}  # of what a measure can be
MOST_HEADS, AREA, SMALL_AREA = 60, 40, 14  # groups with a point each; square pixels of a head


class Arrows:
    """One draw: the true probability of every group, and an arrow to each of its estimates.

    The heads are points that tell their group and value; of more groups than `MOST_HEADS`, where
    a mouse could not hit one, all arrows of an estimator are one path, which is quick to redraw.
    """

    def __init__(self) -> None:
        self.place = bqplot.LinearScale(allow_padding=False)
        self.value = bqplot.LinearScale(allow_padding=False)
        scales = {"x": self.place, "y": self.value}
        self.truth = bqplot.Lines(scales=scales, x=[], y=[], colors=[GREY], stroke_width=2.5)
        self.shafts = [
            bqplot.Lines(
                scales=scales, x=[], y=[], colors=[colour], stroke_width=1.2, opacities=[0.8]
            )
            for colour in COLOURS
        ]
        self.heads = [
            bqplot.Scatter(
                scales=scales, x=[], y=[], display_names=False, marker=marker, colors=[colour],
                stroke=colour, fill=filled, default_size=AREA, tooltip=level_tooltip(),
                interactions={"hover": "tooltip"},
            )
            for colour, marker, filled in zip(COLOURS, MARKERS, FILLED, strict=True)
        ]  # fmt: skip
        self.crowds = [
            bqplot.Lines(
                scales=scales, x=[], y=[], colors=[colour], stroke_width=1.2,
                fill="inside" if filled else "none", fill_colors=[colour], fill_opacities=[1.0],
            )
            for colour, filled in zip(COLOURS, FILLED, strict=True)
        ]  # fmt: skip
        self.place_axis = bqplot.Axis(
            scale=self.place, grid_lines="none", tick_format="d", label_offset="32px",
            label="groups, by increasing truth",
        )  # fmt: skip
        self.value_axis = upright(
            bqplot.Axis(
                scale=self.value, grid_lines="none", label_offset="46px", tick_format="~g",
                label="probability",
            )
        )  # fmt: skip
        no, partial, complete = self.crowds  # the flat one below, the one looked for on top
        marks = [self.truth, *self.shafts, *self.heads, complete, no, partial]
        axes = [self.place_axis, self.value_axis]
        self.figure = figure("hw-arrows", "270px", marks, axes, bottom=42)

    def draw(self, columns: dict[str, NDArray[Any]], show: str) -> None:
        """Bring the marks to the groups of a `truth_frame`; no groups leave them empty."""
        truth, J = columns["truth"], len(columns["truth"])
        at, sizes = np.arange(1.0, J + 1), zip(columns["group"], columns["n"], strict=True)
        names = np.array([f"group {group}, n = {n}" for group, n in sizes])
        if J:
            self._set_limits(np.stack([columns[name] for name in ("truth", *ESTIMATORS)]), J)
        put(self.truth, x=joined_segments(at - 0.4, at + 0.4), y=joined_segments(truth, truth))
        for i, name in enumerate(ESTIMATORS):
            x = at + (0.22 * (i - 1) if show == "all" else 0.0)
            self._draw_few(i, x, truth, columns[name], names)
            self._draw_crowd(i, x, truth, columns[name])
            for layer in (self.shafts, self.heads, self.crowds):
                layer[i].visible = show in ("all", name)

    def _draw_few(
        self, i: int, x: Array, truth: Array, found: Array, names: NDArray[np.str_]
    ) -> None:
        if len(x) > MOST_HEADS:
            x, truth, found, names = x[:0], truth[:0], found[:0], names[:0]
        put(self.shafts[i], x=joined_segments(x, x), y=joined_segments(truth, found))
        put(self.heads[i], x=x, y=found, names=names)

    def _draw_crowd(self, i: int, x: Array, truth: Array, found: Array) -> None:
        if len(x) <= MOST_HEADS:
            put(self.crowds[i], x=np.array([]), y=np.array([]))
            return
        xs, ys = outlines(MARKERS[i], SMALL_AREA, x, found, self._per_pixel())
        put(
            self.crowds[i],
            x=np.concatenate([joined_segments(x, x), [np.nan], xs]),
            y=np.concatenate([joined_segments(truth, found), [np.nan], ys]),
        )

    def _per_pixel(self) -> tuple[float, float]:
        width, height = plot_size(self.figure)
        return (
            (self.place.max - self.place.min) / width, (self.value.max - self.value.min) / height
        )  # fmt: skip

    def _set_limits(self, values: Array, J: int) -> None:
        low, high = np.floor(10 * values.min()) / 10, np.ceil(10 * values.max()) / 10
        air = 0.03 * (high - low)
        with self.value.hold_sync():
            self.value.min, self.value.max = float(low - air), float(high + air)
        self.value_axis.tick_values = round_ticks(low, high, most=6)
        with self.place.hold_sync():
            self.place.min, self.place.max = 0.3, J + 0.7
        self.place_axis.tick_values = np.arange(1.0, J + 1) if J <= 20 else round_ticks(1, J)


class Panel:
    """One measure: a row for each estimator with its interval, and where the measure should be."""

    def __init__(self, measure: str) -> None:
        self.goal = LEVEL if measure == "coverage" else 0.0
        self._ends = ENDS.get(measure, (-np.inf, np.inf))
        self.value = bqplot.LinearScale(allow_padding=False)
        row = bqplot.LinearScale(min=-0.6, max=2.6, allow_padding=False)
        scales = {"x": self.value, "y": row}
        goal = bqplot.Lines(
            scales=scales, x=[self.goal] * 2, y=[-0.6, 2.6], colors=[GREY],
            line_style="dashed", stroke_width=1.5,
        )  # fmt: skip
        self.bars = [
            bqplot.Lines(scales=scales, x=[], y=[], colors=[colour], stroke_width=3)
            for colour in COLOURS
        ]
        self.dots = [
            bqplot.Scatter(
                scales=scales, x=[], y=[], marker=marker, colors=[colour], stroke=colour,
                fill=filled, default_size=70, tooltip=_tooltip(), names=np.array([name]),
                interactions={"hover": "tooltip"}, display_names=False,
            )
            for colour, marker, filled, name in zip(
                COLOURS, MARKERS, FILLED, NAMES.values(), strict=True
            )
        ]  # fmt: skip
        self.axis = bqplot.Axis(
            scale=self.value, grid_lines="none", tick_format="~g", label=TITLES[measure],
            label_offset="30px",
        )  # fmt: skip
        rows = upright(
            bqplot.Axis(
                scale=row, grid_lines="none", tick_values=np.array([2.0, 1.0, 0.0]),
                tick_labels={2: "no", 1: "partial", 0: "complete"}, tick_format="d",
            )
        )  # fmt: skip
        marks = [goal, *self.bars, *self.dots]
        self.figure = half_width(
            figure(panel_class(measure), "116px", marks, [self.axis, rows], bottom=40)
        )
        self.figure.fig_margin = {**self.figure.fig_margin, "left": 66}

    def draw(self, estimate: Array, low: Array, high: Array) -> None:
        """Bring the marks to an estimate and its interval for each of the estimators."""
        low, high = np.clip(low, *self._ends), np.clip(high, *self._ends)
        self._set_limits(np.concatenate([estimate, low, high]))
        for i, (bar, dot) in enumerate(zip(self.bars, self.dots, strict=True)):
            interval, there = np.array([low[i], high[i]]), np.isfinite(estimate[i : i + 1])
            if not np.isfinite(interval).all():
                interval = np.array([])
            put(bar, x=interval, y=np.full(len(interval), 2.0 - i))
            put(dot, x=estimate[i : i + 1][there], y=np.array([2.0 - i])[there])

    def _set_limits(self, values: Array) -> None:
        """The values and the goal, from one round number to another, and no less than .02 wide.

        So the axis stands still while the values move a little, and they are seen to move.
        """
        finite = np.append(values[np.isfinite(values)], self.goal)
        low, high = float(finite.min()), float(finite.max())
        wide = max(0.0, 0.01 - (high - low) / 2)
        ticks = round_ticks(low - wide, high + wide, most=5)
        step = ticks[1] - ticks[0]
        low, high = step * np.floor((low - wide) / step), step * np.ceil((high + wide) / step)
        low, high = max(low, self._ends[0]), min(high, self._ends[1])
        air = 0.05 * (high - low)  # the radius of a point
        with self.value.hold_sync():
            self.value.min, self.value.max = float(low - air), float(high + air)
        put(self.axis, tick_values=step * np.arange(round(low / step), round(high / step) + 1))


def panel_class(measure: str) -> str:
    """The class of a panel's figure, by which its text alternative finds it."""
    return "hw-" + measure.replace("_", "-")


def panels() -> dict[str, Panel]:
    """A panel for each measure."""
    return {measure: Panel(measure) for measure in JUDGED}


def _tooltip() -> bqplot.Tooltip:
    return bqplot.Tooltip(fields=["name", "x"], labels=["estimator", "value"], formats=["", ".4f"])


def recovery_legend() -> str:
    """The key of all pictures; shapes tell the estimators apart without colour."""
    line = '<path d="M0 {y}h18" stroke="{c}" stroke-width="{w}"{more}/>'
    shapes = (
        '<circle cx="9" cy="8" r="5" fill="none" stroke="{c}"/>',
        '<path d="M9 1l5 7-5 7-5-7z" fill="{c}"/>',
        '<path d="M4 3h10v10H4z" fill="none" stroke="{c}"/>',
    )
    keys = [("truth", line.format(y=8, c=GREY, w=2.5, more=""))]
    keys += [
        (name, shape.format(c=colour))
        for name, shape, colour in zip(NAMES.values(), shapes, COLOURS, strict=True)
    ]
    bar = line.format(y=8, c=GREY, w=3.5, more="")
    keys.append(("interval of simulation error, 90 %", bar))
    dashes = ' stroke-dasharray="5 3"'
    keys.append(("where it should be", line.format(y=8, c=GREY, w=1.5, more=dashes)))
    return legend(keys)
