"""The upper picture of the effect: points and lines in a facet each, and its key."""

from typing import Any

import bqplot
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import LIGHT_GREY, NO, PARTIAL, PINK
from hierwidgets.widgets.numbers.effect.setting import Setting, facet_titles, facet_values
from hierwidgets.widgets.numbers.words import shorter
from hierwidgets.widgets.parts.charts import (
    figure,
    joined_segments,
    level_tooltip,
    nearest,
    outlines,
    plot_size,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.legend import legend

from .curves import CURVES, DASHES

__all__ = ["FacetRow", "facets_legend", "rows_of_facets"]

RAW, POINTS, SHOWN = NO, PARTIAL, PINK
PER_ROW, MOST_ROWS = 5, 6
_GAP = 0.14  # between facets, in widths of a facet
TILT = -25  # degrees of facets' titles, which so have room beside each other
_LONGEST = 20  # characters of a facet's title


def rows_of_facets(count: int) -> list[NDArray[np.intp]]:
    """Which facets stand in each row, at most `PER_ROW` in a row and `MOST_ROWS` rows."""
    shown = np.arange(min(count, PER_ROW * MOST_ROWS), dtype=np.intp)
    return [shown[i : i + PER_ROW] for i in range(0, len(shown), PER_ROW)]


class FacetRow:
    """Facets side by side in one figure: points, lines with bands, and two guides.

    Where raw rates stand beside them, many pooled points are one path (`crowd`), which is quick to
    redraw while a slider moves them.

    Several facets share one horizontal scale: facet i of the row fills i to 1 beyond a gap, and
    the axis names the predictor's values. A lone facet has the predictor's own scale, and raw
    rates where there are no facets at all.

    Parameters
    ----------
    name
        The figure's class.
    facets
        Positions of the facets shown.
    setting
        Units, facets and predictor.

    Attributes
    ----------
    figure
        To be shown.
    units
        The places of the units shown.
    at, heights
        Where their points are.
    x, y
        The scales.
    points, crowd, raw
        The points: pooled, the same as one path, and raw.
    line, dashed, band
        Of the facets; dashed lines for the first of two values compared.
    guides, ring, through_raw, through_points
        Lines at two values, circles around the selected unit, lines through raw and pooled points.
    """

    def __init__(self, name: str, facets: NDArray[np.intp], setting: Setting) -> None:
        self.facets, self.name = facets, name
        self._range, raw = setting.x_range, setting.facet is None
        self.units = np.flatnonzero(np.isin(setting.facet_of, facets))
        column = np.searchsorted(facets, setting.facet_of[self.units])
        self.at = self._place(setting.x[self.units], column)
        self.x, self.y = self._scale(), bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        scales = {"x": self.x, "y": self.y}
        values = facet_values(setting)
        self._dashed = np.array([_is_dashed(values[k]) for k in facets])
        self._build_lines(scales, [CURVES[values[k] or 0] for k in facets], raw)
        names = np.array([str(level) for level in setting.levels])[self.units]
        self._build_points(scales, names, raw)
        titles = facet_titles(setting)
        label = shorter(setting.words.predictor, 60)
        self.figure = self._picture([titles[k] for k in facets], label)

    def _scale(self) -> bqplot.LinearScale:
        several = len(self.facets) > 1
        low, high = (0.0, (len(self.facets) - 1) * (1 + _GAP) + 1) if several else self._range
        air = 0.03 * (1.0 if several else high - low)
        return bqplot.LinearScale(min=low - air, max=high + air, allow_padding=False)

    def _place(self, x: Array, column: NDArray[np.intp]) -> Array:
        if len(self.facets) == 1:
            return np.asarray(x, dtype=np.float64)
        low, high = self._range
        return column * (1 + _GAP) + (x - low) / (high - low)

    def _build_lines(self, scales: dict[str, bqplot.Scale], colors: list[str], raw: bool) -> None:
        blank = np.zeros((len(self.facets), 2))
        self.guides = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[LIGHT_GREY], stroke_width=1, line_style="dashed"
        )
        self.band = bqplot.Lines(
            scales=scales, x=blank, y=blank, colors=colors, fill="inside", fill_colors=colors,
            fill_opacities=[0.25] * len(colors), stroke_width=0,
            close_path=True,
        )  # fmt: skip
        self.line, self.dashed = (
            bqplot.Lines(
                scales=scales, x=[0.0, 1.0], y=[0.0, 0.0], stroke_width=3, line_style=style,
                colors=[colors[i] for i in np.flatnonzero(mine)] or colors,
                visible=bool(mine.any()),
            )
            for style, mine in (("solid", ~self._dashed), ("dashed", self._dashed))
        )  # fmt: skip
        straight = {"scales": scales, "x": [0.0, 1.0], "y": [0.0, 0.0], "visible": raw}
        self.through_raw = bqplot.Lines(
            **straight, colors=[RAW], stroke_width=2, line_style="dotted"
        )
        self.through_points = bqplot.Lines(
            **straight, colors=[SHOWN], stroke_width=2.5, line_style="dashed"
        )

    def _build_points(
        self, scales: dict[str, bqplot.Scale], names: NDArray[Any], raw: bool
    ) -> None:
        many = len(self.units) > 60
        look = {
            "scales": scales, "x": self.at, "y": self.at, "names": names, "display_names": False,
            "tooltip": level_tooltip(), "interactions": {"hover": "tooltip"},
        }  # fmt: skip
        self.raw = bqplot.Scatter(
            **look, marker="circle", colors=[RAW], stroke=RAW, fill=False,
            default_size=36 if many else 70, visible=raw,
        )  # fmt: skip
        self.points = bqplot.Scatter(
            **look, marker="diamond", colors=[POINTS], stroke=POINTS,
            default_size=(18 if raw else 12) if many else 45,
            default_opacities=[0.8 if raw else 0.55],
        )  # fmt: skip
        self.crowded = raw and many
        self.crowd = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[POINTS], stroke_width=1.5, opacities=[0.8],
            fill="inside", fill_colors=[POINTS], fill_opacities=[0.8],
        )  # fmt: skip
        if self.crowded:
            self.points.x = self.points.y = np.array([])
        self.ring = bqplot.Scatter(
            scales=scales, x=[0, 0], y=[0, 0], colors=[LIGHT_GREY], fill=False, stroke=LIGHT_GREY,
            stroke_width=2, default_size=220, interactions={}, visible=False,
        )  # fmt: skip

    def _picture(self, titles: list[str], label: str) -> bqplot.Figure:
        places, texts = self._ticks()
        bottom = bqplot.Axis(
            scale=self.x, grid_lines="none", tick_values=places, tick_labels=texts or None,
            tick_format="~g", label=label, label_offset="32px",
        )  # fmt: skip
        self.axis = upright(
            bqplot.Axis(scale=self.y, grid_lines="none", label_offset="46px", tick_format="~g")
        )
        axes, several = [bottom, self.axis], len(self.facets) > 1
        if several:
            centres = np.arange(len(titles)) * (1 + _GAP) + 0.5
            short = [t if len(t) <= _LONGEST else f"{t[: _LONGEST - 1]}…" for t in titles]
            axes.append(
                bqplot.Axis(
                    scale=self.x, side="top", grid_lines="none", tick_values=centres,
                    tick_labels=_keyed(centres, short), tick_rotate=TILT,
                    tick_style={"font-size": "11px", "translate": "0 -18px"},  # it turns inwards
                )
            )  # fmt: skip
        marks = [
            self.ring, self.guides, self.band, self.raw, self.points, self.crowd,
            self.through_raw, self.through_points, self.line, self.dashed,
        ]  # fmt: skip
        drawn = figure(self.name, "262px" if several else "290px", marks, axes, bottom=44)
        drawn.fig_margin = {**drawn.fig_margin, "top": 64 if several else 8}
        return drawn

    def _ticks(self) -> tuple[Array, dict[float | int, str]]:
        """Where the predictor's values are named; in facets each at its own place."""
        low, high = self._range
        values = round_ticks(low, high, most=7 if len(self.facets) == 1 else 4)
        if len(self.facets) == 1:
            return values, {}
        columns = np.repeat(np.arange(len(self.facets)), len(values))
        places = self._place(np.tile(values, len(self.facets)), columns).round(6)
        return places, _keyed(places, [f"{v:g}" for v in np.tile(values, len(self.facets))])

    # --- what changes ---

    def draw_raw(self, units: pd.DataFrame) -> None:
        """The raw rates, and the straight line through those of all rows; they stay."""
        self.raw.y = units["raw"].to_numpy()[self.units]
        self._put_straight(self.through_raw, units, "raw")

    def _put_straight(self, mark: bqplot.Lines, units: pd.DataFrame, column: str) -> None:
        """The straight line through points, as far as it is a probability."""
        slope, start = np.polyfit(units["x"], units[column], 1)
        ends = np.array(self._range)
        if slope:
            ends = np.clip(ends, *sorted([-start / slope, (1.0 - start) / slope]))
        put(mark, x=ends, y=start + slope * ends)

    def limits(self, low: float, high: float, label: str) -> None:
        """New limits of the vertical axis."""
        with self.y.hold_sync():
            self.y.min, self.y.max = low, high
        self.axis.tick_values, self.axis.label = round_ticks(low, high), label

    def draw_points(self, y: Array) -> None:
        """Put the point of each unit of this row at its pooled probability."""
        self.heights = y
        if self.crowded:
            x, y = outlines("diamond", self.points.default_size, self.at, y, self._per_pixel())
            put(self.crowd, x=x, y=y)
        else:
            put(self.points, y=y)

    def pick(self, x: float, y: float) -> int | None:
        """The unit drawn near shares (x, y) of the plot, or None."""
        low, high = self.x.min, self.x.max
        point = low + x * (high - low), self.y.min + y * (self.y.max - self.y.min)
        heights = [self.heights, np.asarray(self.raw.y)] if self.raw.visible else [self.heights]
        at = np.tile(self.at, len(heights))
        found = nearest(at, np.concatenate(heights), point, self._per_pixel(), most=12.0)
        return None if found is None else int(self.units[found % len(self.units)])

    def _per_pixel(self) -> tuple[float, float]:
        width, height = plot_size(self.figure)
        return (self.x.max - self.x.min) / width, (self.y.max - self.y.min) / height

    def draw_line(self, line: pd.DataFrame, titles: tuple[str, ...]) -> None:
        """Lines and bands of the facets; without limits the bands vanish."""
        K = len(titles)
        x, y = (line[c].to_numpy().reshape(K, -1)[self.facets] for c in ("x", "estimate"))
        at = self._place(x, np.arange(len(self.facets))[:, None])
        banded = "conf_low" in line
        if banded:
            low, high = (line[c].to_numpy().reshape(K, -1)[self.facets]
                         for c in ("conf_low", "conf_high"))  # fmt: skip
            with self.band.hold_sync():
                self.band.x, self.band.y = _outline(at, at), _outline(low, high)
        self.band.visible = banded
        for mark, mine in ((self.line, ~self._dashed), (self.dashed, self._dashed)):
            if mark.visible:
                put(mark, x=at[mine], y=y[mine])

    def draw_guides(self, low: float, high: float) -> None:
        """Dashed verticals at two values of the predictor."""
        columns = np.tile(np.arange(len(self.facets)), 2)
        at = self._place(np.repeat([low, high], len(self.facets)), columns)
        with self.guides.hold_sync():
            self.guides.x = joined_segments(at, at)
            self.guides.y = joined_segments(np.full(len(at), 0.0), np.full(len(at), 1.0))

    def draw_ring(self, unit: int | None, units: pd.DataFrame) -> None:
        """Circles around a unit's points, if it is in this row; and the line through them all."""
        if self.through_points.visible:
            self._put_straight(self.through_points, units, "estimate")
        found = np.flatnonzero(self.units == unit) if unit is not None else np.array([], int)
        self.ring.visible = found.size > 0
        if found.size:
            shown = ["raw", "estimate"] if self.raw.visible else ["estimate", "estimate"]
            with self.ring.hold_sync():
                self.ring.x = np.full(2, self.at[found[0]])
                self.ring.y = units[shown].to_numpy(np.float64)[unit]


def _is_dashed(value: int | None) -> bool:
    """Whether the line of the first or second value compared is dashed."""
    return value is not None and DASHES[value] == "dashed"


def _keyed(places: NDArray[Any], texts: list[str]) -> dict[float | int, str]:
    """Keys as the browser writes numbers: 1 and not 1.0."""
    keys = [int(p) if float(p).is_integer() else float(p) for p in places]
    return dict(zip(keys, texts, strict=True))


def _outline(low: Array, high: Array) -> Array:
    """Once round each band: (K, P) twice to (K, 2 P)."""
    return np.concatenate([low, high[:, ::-1]], axis=1)


def facets_legend(setting: Setting) -> str:
    """The key; shapes and dashes tell the layers apart without colour."""
    raw = setting.facet is None
    stroke = '<path d="M0 8h18" stroke="{}" stroke-width="3" stroke-dasharray="{}"/>'
    keys = [("partial pooling", f'<path d="M9 2l4 6-4 6-4-6z" fill="{POINTS}"/>')]
    if raw:
        keys.insert(0, ("raw rate", f'<circle cx="9" cy="8" r="5" fill="none" stroke="{RAW}"/>'))
    named = sorted({i for i in facet_values(setting) if i is not None})
    keys += [
        (f"model, {setting.series[i]}", stroke.format(CURVES[i], "6 3" if _is_dashed(i) else ""))
        for i in named
    ]
    if not named:
        keys.append(("model", stroke.format(CURVES[0], "")))
    if raw:
        keys += [
            ("straight line through raw rates", stroke.format(RAW, "2 3")),
            ("through the estimates", stroke.format(SHOWN, "6 3")),
        ]
    keys += [
        ("interval", f'<path d="M0 2h18v12h-18z" fill="{CURVES[0]}" fill-opacity="0.25"/>'),
        ("low and high", f'<path d="M9 0v16" stroke="{LIGHT_GREY}" stroke-dasharray="5 3"/>'),
    ]
    return legend(keys)
