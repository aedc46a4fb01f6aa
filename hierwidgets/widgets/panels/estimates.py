"""The dial's picture of the levels: raw rate, target and partial pooling estimate of each.

The raw rates stay where they are and are points; what glides is drawn as one path a layer, which
a browser redraws in a tenth of the time of as many points.
"""

import bqplot
import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import COMPLETE, GREY, LIGHT_GREY
from hierwidgets.spec.families import Family
from hierwidgets.widgets.numbers.pooling import Columns, link_ends, on_link
from hierwidgets.widgets.parts.charts import (
    diamonds,
    figure,
    joined_segments,
    level_tooltip,
    nearest,
    plot_size,
    round_ticks,
    upright,
)

from .weights import IMAGINED, POOLED, RAW, TARGET

__all__ = ["EstimatesPanel", "link_range"]

MOST_LABELS = 40  # more levels than this, and the axis names none


class EstimatesPanel:
    """Marks and figure of the panel; `show` brings them to a state.

    Parameters
    ----------
    columns
        Those of `pooling_columns` at the fit, in the order of the picture.
    family
        The fit's, for the axis of probabilities.
    levels, rate
        Name of the grouping factor, and of what the rates are rates of.
    """

    def __init__(self, columns: Columns, family: Family, levels: str, rate: str) -> None:
        self._family, self._rate = family, rate
        self.names = np.array([str(level) for level in columns["level"]])
        self.at = np.arange(len(self.names), dtype=np.float64)
        self.link_range = link_range(columns)
        overall = float(columns["n"] @ columns["raw"] / columns["n"].sum())
        self.overall_rate = {"": overall, "_link": float(on_link(family, overall))}
        self._build(levels)

    def show(
        self, columns: Columns, scale: str, selected: int | None, extra: Columns | None
    ) -> None:
        """Bring every mark to a state; marks that do not change send nothing.

        `columns` and `extra` are those of `pooling_columns`, `selected` a place on the axis.
        """
        suffix = "" if scale == "probability" else "_link"
        raw, target, pooled = (columns[name + suffix] for name in ("raw", "target", "estimate"))
        low, high = self._limits(columns, scale, extra)
        if (self.value.min, self.value.max) != (low, high):
            self._show_raw(raw, scale, low, high)
        shown = np.clip(raw, *_edges(low, high))
        self.target.y = target
        self.overall.y = np.full(2, self.overall_rate[suffix])
        self.pooled.y = diamonds(pooled, self._size[1] * (high - low))
        self.segments.y = joined_segments(shown, pooled)
        self._show_ring(selected, shown, pooled)
        self._show_extra(extra, suffix)
        self.heights = shown, pooled

    def pick(self, x: float, y: float) -> int | None:
        """The place on the axis of the level drawn near shares (x, y) of the plot, or None."""
        point = (
            self.place.min + x * (self.place.max - self.place.min),
            self.value.min + y * (self.value.max - self.value.min),
        )
        unit = self._per_pixel()
        found = nearest(np.tile(self.at, 2), np.concatenate(self.heights), point, unit)
        return None if found is None else found % len(self.at)

    def _per_pixel(self) -> tuple[float, float]:
        width, height = plot_size(self.figure)
        across = self.place.max - self.place.min
        return across / width, (self.value.max - self.value.min) / height

    # --- built once ---

    def _build(self, levels: str) -> None:
        count = len(self.names)
        self._labelled = count <= MOST_LABELS
        area = 45 if self._labelled else 16
        place = self.place = bqplot.LinearScale(min=-0.8, max=count - 0.2)
        self.value = bqplot.LinearScale(allow_padding=False)
        marks = self._build_marks({"x": place, "y": self.value}, area)
        self.figure = figure(
            "hw-estimates", "300px" if self._labelled else "270px", marks,
            [self._place_axis(levels), self._value_axis()], bottom=72 if self._labelled else 40,
        )  # fmt: skip
        width, height = plot_size(self.figure)
        half = np.sqrt(area) * 0.8  # pixels, from the middle of a diamond to its corners
        self._size = half * 0.75 / width * (place.max - place.min), half / height
        self.pooled.x = diamonds(self.at, self._size[0], across=True)

    def _build_marks(self, scales: dict[str, bqplot.Scale], area: int) -> list[bqplot.Mark]:
        """All marks, those that lie over the others last; `area` of a point in pixels."""
        self.target = bqplot.Lines(
            scales=scales, x=self.at, y=self.at, colors=[TARGET], line_style="dashed",
            stroke_width=2.5,
        )  # fmt: skip
        self.overall = bqplot.Lines(
            scales=scales, x=self.at[[0, -1]] + [-0.6, 0.6], y=[0.0, 0.0], colors=[COMPLETE],
            line_style="dotted", stroke_width=1.5, marker="square", marker_size=60,
        )  # fmt: skip
        self.segments = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[LIGHT_GREY], stroke_width=1, opacities=[0.7]
        )
        self.pooled = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[POOLED], stroke_width=1, fill="inside",
            fill_colors=[POOLED], fill_opacities=[1.0],
        )  # fmt: skip
        self.raw, self.below, self.above = (
            bqplot.Scatter(
                scales=scales, x=self.at, y=self.at, names=self.names, display_names=False,
                marker=marker, colors=[RAW], stroke=RAW, fill=False, default_size=2 * area,
                tooltip=level_tooltip(), interactions={"hover": "tooltip"},
            )
            for marker in ("circle", "triangle-down", "triangle-up")
        )  # fmt: skip
        self.ring = bqplot.Scatter(
            scales=scales, x=[0, 0], y=[0, 0], colors=[GREY], fill=False, stroke=GREY,
            stroke_width=2, default_size=300, interactions={}, visible=False,
        )  # fmt: skip
        self._build_extra(scales, max(70, area))
        points = [self.segments, self.raw, self.below, self.above, self.pooled]
        extra = [self.extra_line, self.extra_raw, self.extra_pooled]
        return [self.ring, self.overall, self.target, *points, *extra]

    def _build_extra(self, scales: dict[str, bqplot.Scale], area: int) -> None:
        self.extra_line = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[IMAGINED], stroke_width=1.5
        )
        self.extra_raw, self.extra_pooled = (
            bqplot.Scatter(
                scales=scales, x=[0], y=[0], marker="square", colors=[IMAGINED], stroke=IMAGINED,
                fill=fill, default_size=area, interactions={}, visible=False,
            )
            for fill in (False, True)
        )  # fmt: skip

    def _place_axis(self, levels: str) -> bqplot.Axis:
        count = len(self.names)
        labels = dict(enumerate([*self.names, "imagined"])) if self._labelled else {}
        self.place_axis = bqplot.Axis(
            scale=self.place, grid_lines="none", tick_rotate=-35 if labels else 0,
            tick_values=self.at if labels else np.array([]), tick_labels=labels or None,
            tick_style={"text-anchor": "end"} if labels else {"display": "none"},
            label_offset="24px",
            label="" if labels else f"{count} {levels}, by target and raw rate",
        )  # fmt: skip
        return self.place_axis

    def _value_axis(self) -> bqplot.Axis:
        self.value_axis = upright(
            bqplot.Axis(scale=self.value, grid_lines="none", label_offset="46px", tick_format="~g")
        )
        return self.value_axis

    # --- what changes ---

    def _show_raw(self, raw: Array, scale: str, low: float, high: float) -> None:
        """New axis limits, and raw rates that have no finite place on them at its edge."""
        finite, shown = np.isfinite(raw), np.clip(raw, *_edges(low, high))
        with self.value.hold_sync():
            self.value.min, self.value.max = low, high
        self.value_axis.tick_values = round_ticks(low, high)
        self.value_axis.label = self._rate if scale == "probability" else f"{scale} of {self._rate}"
        self.segments.x = joined_segments(self.at, self.at)
        layers = ((self.raw, finite), (self.below, raw == -np.inf), (self.above, raw == np.inf))
        for mark, keep in layers:
            with mark.hold_sync():
                mark.x, mark.y, mark.names = self.at[keep], shown[keep], self.names[keep]

    def _show_ring(self, selected: int | None, shown: Array, pooled: Array) -> None:
        self.ring.visible = selected is not None
        if selected is not None:
            with self.ring.hold_sync():
                self.ring.x, self.ring.y = [selected] * 2, [shown[selected], pooled[selected]]

    def _show_extra(self, extra: Columns | None, suffix: str) -> None:
        """The imagined level to the right of the others, with a gap, and the axis as long."""
        count, gap = len(self.names), 0.02 * len(self.names)
        place = count if self._labelled else count + gap
        marks = (self.extra_raw, self.extra_pooled)
        for mark in marks:
            mark.visible = extra is not None
        self.place.max = count - 0.2 if extra is None else place + 0.8 + gap
        if self._labelled:
            ticks = count if extra is None else count + 1
            self.place_axis.tick_values = np.arange(ticks, dtype=np.float64)
        if extra is None:
            self.extra_line.x = self.extra_line.y = []
            return
        raw = np.clip(extra["raw" + suffix][0], *_edges(self.value.min, self.value.max))
        ends = [float(raw), float(extra["estimate" + suffix][0])]
        for mark, y in zip(marks, ends, strict=True):
            with mark.hold_sync():
                mark.x, mark.y = [place], [y]
        with self.extra_line.hold_sync():
            self.extra_line.x, self.extra_line.y = [place, place], ends

    def _limits(self, columns: Columns, scale: str, extra: Columns | None) -> tuple[float, float]:
        low, high = self.link_range
        raw = columns["raw_link"]
        if extra is not None:
            values = np.append(extra["raw_link"], extra["estimate_link"])
            values = values[np.isfinite(values)]
            low, high = min(low, values.min() - 0.4), max(high, values.max() + 0.4)
            raw = np.append(raw, extra["raw_link"])
        if scale != "probability":
            return float(low), float(high)
        if not np.isfinite(raw).all():
            return -0.03, 1.03
        low, high = self._family.link.inverse(np.array([low, high]))[0]
        return float(low), float(high)


def link_range(columns: Columns) -> tuple[float, float]:
    """Limits of the link axis: every finite raw rate, estimate and target, and some air."""
    low, high = link_ends(columns)
    return low - 0.4, high + 0.4


def _edges(low: float, high: float) -> tuple[float, float]:
    air = 0.025 * (high - low)
    return low + air, high - air
