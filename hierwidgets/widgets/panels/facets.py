"""Two pictures: points and lines in a facet each, and a quantity of interest as curves."""

from typing import Any

import bqplot
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
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

__all__ = ["CURVES", "POINTS", "RAW", "SHOWN", "EffectPicture", "FacetRow", "rows_of_facets"]


RAW, POINTS, SHOWN = "#1b9e77", "#d95f02", "#e7298a"  # ColorBrewer Dark2, colour-blind safe
CURVES = ("#7570b3", "#1b9e77", "#a6761d")  # first value compared, second value, their difference
GREY = "#8c8c8c"
PER_ROW, MOST_ROWS = 5, 6
_GAP = 0.14  # between facets, in widths of a facet
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
    the axis names the predictor's values. A lone facet has the predictor's own scale.

    Parameters
    ----------
    name :
        The figure's class.
    facets, facet_of, titles, colors :
        Positions of the facets shown, the facet of each unit, and titles and line colours of all.
    x, names :
        The predictor and the name of each unit.
    label :
        Of the predictor's axis.
    raw :
        Whether raw rates are drawn too.
    """

    def __init__(
        self,
        name: str,
        facets: NDArray[np.intp],
        facet_of: NDArray[np.intp],
        titles: tuple[str, ...],
        colors: list[str],
        x: Array,
        names: NDArray[Any],
        label: str,
        raw: bool,
    ) -> None:
        self.facets, self.name = facets, name
        self._range = (float(x.min()), float(x.max()))
        self.units = np.flatnonzero(np.isin(facet_of, facets))
        self._column = np.searchsorted(facets, facet_of[self.units])
        at = self.at = self._place(x[self.units], self._column)
        width = (len(facets) - 1) * (1 + _GAP) + 1 if len(facets) > 1 else 0.0
        low, high = self._range if len(facets) == 1 else (0.0, width)
        air = 0.03 * ((high - low) if len(facets) == 1 else 1.0)
        self.y = bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        self._x = bqplot.LinearScale(min=low - air, max=high + air, allow_padding=False)
        self._build(at, names[self.units], [colors[k] for k in facets], raw)
        self.figure = self._picture([titles[k] for k in facets], label)

    def _place(self, x: Array, column: NDArray[np.intp]) -> Array:
        if len(self.facets) == 1:
            return np.asarray(x, dtype=np.float64)
        low, high = self._range
        return column * (1 + _GAP) + (x - low) / (high - low)

    def _build(self, at: Array, names: NDArray[Any], colors: list[str], raw: bool) -> None:
        scales, many = {"x": self._x, "y": self.y}, len(self.units) > 60
        blank = np.zeros((len(self.facets), 2))
        self.guides = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[GREY], stroke_width=1, line_style="dashed"
        )
        self.band = bqplot.Lines(
            scales=scales, x=blank, y=blank, colors=colors, fill="inside", fill_colors=colors,
            fill_opacities=[0.25] * len(colors), stroke_width=0,
            close_path=True,
        )  # fmt: skip
        self.line = bqplot.Lines(scales=scales, x=blank, y=blank, colors=colors, stroke_width=3)
        look = {
            "scales": scales, "x": at, "y": at, "names": names, "display_names": False,
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
            scales=scales, x=[0, 0], y=[0, 0], colors=[GREY], fill=False, stroke=GREY,
            stroke_width=2, default_size=220, interactions={}, visible=False,
        )  # fmt: skip
        straight = {"scales": scales, "x": [0.0, 1.0], "y": [0.0, 0.0], "visible": raw}
        self.through_raw = bqplot.Lines(
            **straight, colors=[RAW], stroke_width=2, line_style="dotted"
        )
        self.through_points = bqplot.Lines(
            **straight, colors=[SHOWN], stroke_width=2.5, line_style="dashed"
        )
        self._ends = np.array(self._range)

    def _picture(self, titles: list[str], label: str) -> bqplot.Figure:
        places, texts = self._ticks()
        bottom = bqplot.Axis(
            scale=self._x, grid_lines="none", tick_values=places, tick_labels=texts or None,
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
                    scale=self._x, side="top", grid_lines="none", tick_values=centres,
                    tick_labels=_keyed(centres, short), tick_style={"font-size": "11px"},
                )
            )  # fmt: skip
        marks = [
            self.ring, self.guides, self.band, self.raw, self.points, self.crowd,
            self.through_raw, self.through_points, self.line,
        ]  # fmt: skip
        drawn = figure(self.name, "250px" if several else "290px", marks, axes, bottom=44)
        drawn.fig_margin = {**drawn.fig_margin, "top": 28 if several else 8}
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
        low, high = self._x.min, self._x.max
        point = low + x * (high - low), self.y.min + y * (self.y.max - self.y.min)
        heights = [self.heights, np.asarray(self.raw.y)] if self.raw.visible else [self.heights]
        at = np.tile(self.at, len(heights))
        found = nearest(at, np.concatenate(heights), point, self._per_pixel(), most=12.0)
        return None if found is None else int(self.units[found % len(self.units)])

    def _per_pixel(self) -> tuple[float, float]:
        width, height = plot_size(self.figure)
        return (self._x.max - self._x.min) / width, (self.y.max - self.y.min) / height

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
        if not np.array_equal(self.line.x, at):
            self.line.x = at
        self.line.y = y

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
            through = np.polyfit(units["x"], units["estimate"], 1)
            self.through_points.y = np.polyval(through, self._ends)
        found = np.flatnonzero(self.units == unit) if unit is not None else np.array([], int)
        self.ring.visible = found.size > 0
        if found.size:
            shown = ["raw", "estimate"] if self.raw.visible else ["estimate", "estimate"]
            with self.ring.hold_sync():
                self.ring.x = np.full(2, self.at[found[0]])
                self.ring.y = units[shown].to_numpy(np.float64)[unit]


def _keyed(places: NDArray[Any], texts: list[str]) -> dict[float | int, str]:
    """Keys as the browser writes numbers: 1 and not 1.0."""
    keys = [int(p) if float(p).is_integer() else float(p) for p in places]
    return dict(zip(keys, texts, strict=True))


def _outline(low: Array, high: Array) -> Array:
    """Once round each band: (K, P) twice to (K, 2 P)."""
    return np.concatenate([low, high[:, ::-1]], axis=1)


class EffectPicture:
    """One quantity of interest against the predictor, with two values marked.

    Parameters
    ----------
    x_range : limits of the predictor
    label : its name
    """

    def __init__(self, x_range: tuple[float, float], label: str) -> None:
        air = 0.03 * (x_range[1] - x_range[0])
        self._x = bqplot.LinearScale(
            min=x_range[0] - air, max=x_range[1] + air, allow_padding=False
        )
        self._y = bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        scales = {"x": self._x, "y": self._y}
        self.zero = bqplot.Lines(
            scales=scales, x=[self._x.min, self._x.max], y=[0.0, 0.0], colors=[GREY],
            stroke_width=1, line_style="dotted",
        )  # fmt: skip
        dashes = ("solid", "dashed", "solid")
        self.bands = [
            bqplot.Lines(
                scales=scales, x=[0.0], y=[0.0], colors=[c], fill="inside", fill_colors=[c],
                fill_opacities=[0.22], stroke_width=0, close_path=True,
            )
            for c in CURVES
        ]  # fmt: skip
        self.curves = [
            bqplot.Lines(scales=scales, x=[0.0], y=[0.0], colors=[c], stroke_width=3, line_style=d)
            for c, d in zip(CURVES, dashes, strict=True)
        ]
        self.guides = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[GREY], stroke_width=1, line_style="dashed"
        )
        self.marks = [
            bqplot.Scatter(
                scales=scales, x=[0.0, 0.0], y=[0.0, 0.0], colors=[c], stroke=c, marker=m,
                default_size=90, interactions={}, visible=False,
            )
            for c, m in zip(CURVES, ("circle", "square", "diamond"), strict=True)
        ]  # fmt: skip
        self.axis = upright(
            bqplot.Axis(scale=self._y, grid_lines="none", label_offset="46px", tick_format="~g")
        )
        bottom = bqplot.Axis(
            scale=self._x, grid_lines="none", label=label, label_offset="32px",
            tick_values=round_ticks(*x_range), tick_format="~g",
        )  # fmt: skip
        marks = [*self.bands, self.zero, self.guides, *self.curves, *self.marks]
        self.figure = figure("hw-effect", "220px", marks, [bottom, self.axis], bottom=44)
        self._frames: dict[int, pd.DataFrame] = {}

    def draw_curves(self, frame: pd.DataFrame, first: int, label: str) -> None:
        """New curves: series i in the colour and dash of `first` + i; the others vanish."""
        series = list(dict.fromkeys(frame["series"]))
        self._frames = {first + i: frame[frame["series"] == name] for i, name in enumerate(series)}
        for i, (band, curve, mark) in enumerate(
            zip(self.bands, self.curves, self.marks, strict=True)
        ):
            band.visible = curve.visible = mark.visible = i in self._frames
            if i in self._frames:
                x, y, low, high = (self._frames[i][c].to_numpy()
                                   for c in ("x", "estimate", "conf_low", "conf_high"))  # fmt: skip
                band.visible = bool(np.isfinite(low).all())
                with curve.hold_sync():
                    curve.x, curve.y = x, y
                if band.visible:
                    with band.hold_sync():
                        band.x, band.y = np.r_[x, x[::-1]], np.r_[low, high[::-1]]
        numbers = frame[["estimate", "conf_low", "conf_high"]].to_numpy()
        self._limits(float(np.nanmin(numbers)), float(np.nanmax(numbers)), label)

    def _limits(self, low: float, high: float, label: str) -> None:
        low, high = min(low, 0.0), max(high, 0.0)
        air = 0.04 * ((high - low) or 1.0)
        with self._y.hold_sync():
            self._y.min, self._y.max = low - air, high + air
        self.axis.tick_values = round_ticks(low - air, high + air, most=6)
        self.axis.label = label

    def draw_marks(self, low: float, high: float) -> None:
        """Points where the curves are at two values of the predictor, and dashed verticals."""
        at = np.array([low, high])
        for i, frame in self._frames.items():
            with self.marks[i].hold_sync():
                self.marks[i].x = at
                self.marks[i].y = np.interp(at, frame["x"].to_numpy(), frame["estimate"].to_numpy())
        with self.guides.hold_sync():
            self.guides.x = joined_segments(at, at)
            self.guides.y = joined_segments(np.full(2, self._y.min), np.full(2, self._y.max))
