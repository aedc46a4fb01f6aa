"""The lower picture of the effect: a quantity of interest as curves over the predictor."""

from typing import Any

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import BROWN, LIGHT_GREY, RULES
from hierwidgets.widgets.numbers.effect.setting import decimals
from hierwidgets.widgets.parts.charts import figure, joined_segments, put, round_ticks, upright
from hierwidgets.widgets.parts.controls import NamedSlider

__all__ = ["CURVES", "DASHES", "STEPS", "EffectPicture", "effect_sliders"]

STEPS = 100  # of the two sliders of the predictor
# the first value compared, the second, their difference; in the course the first is PR
CURVES = (RULES["PR"].color, RULES["SMD"].color, BROWN)
DASHES = ("dashed", "solid", "solid")  # as in the figures; of a lone curve all are solid
COLUMNS = ("x", "estimate", "conf_low", "conf_high")


def effect_sliders(
    values: dict[str, float], limits: dict[str, tuple[float, float]]
) -> dict[str, NamedSlider]:
    """Sliders of the two values of the predictor, and of what of the model can be moved."""
    looks: dict[str, dict[str, Any]] = {
        "low": {"label": "low value", "steps": STEPS},
        "high": {"label": "high value", "steps": STEPS},
        "sigma": {"label": "σ, spread", "log": True},
        "slope": {"label": "γ₁, slope"},
    }
    return {
        name: NamedSlider(
            value=values[name], min=ends[0], max=ends[1],
            digits=3 if name == "sigma" else decimals(ends), **looks[name],
        )
        for name, ends in limits.items()
    }  # fmt: skip


class EffectPicture:
    """One quantity of interest against the predictor, with two values marked.

    Parameters
    ----------
    x_range
        Limits of the predictor.
    label
        Its name.

    Attributes
    ----------
    figure
        To be shown.
    curves, bands, marks
        A curve, its band and its points for each value compared and for their difference.
    names
        Of the series that are shown, by their places among these.
    guides, zero
        Dashed lines at the two values, and a dotted one at 0.
    """

    def __init__(self, x_range: tuple[float, float], label: str) -> None:
        air = 0.03 * (x_range[1] - x_range[0])
        self._x = bqplot.LinearScale(
            min=x_range[0] - air, max=x_range[1] + air, allow_padding=False
        )
        self._y = bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        scales = {"x": self._x, "y": self._y}
        self.zero = bqplot.Lines(
            scales=scales, x=[self._x.min, self._x.max], y=[0.0, 0.0], colors=[LIGHT_GREY],
            stroke_width=1, line_style="dotted",
        )  # fmt: skip
        self._build_series(scales)
        self.guides = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[LIGHT_GREY], stroke_width=1, line_style="dashed"
        )
        self.axis = upright(
            bqplot.Axis(scale=self._y, grid_lines="none", label_offset="46px", tick_format="~g")
        )
        bottom = bqplot.Axis(
            scale=self._x, grid_lines="none", label=label, label_offset="32px",
            tick_values=round_ticks(*x_range), tick_format="~g",
        )  # fmt: skip
        marks = [*self.bands, self.zero, self.guides, *self.curves, *self.marks]
        self.figure = figure("hw-effect", "220px", marks, [bottom, self.axis], bottom=44)
        self._series: dict[int, dict[str, Array]] = {}
        self.names: dict[int, str] = {}

    def _build_series(self, scales: dict[str, bqplot.Scale]) -> None:
        """A band, a curve and marks for each value compared and for their difference."""
        self.bands = [
            bqplot.Lines(
                scales=scales, x=[0.0], y=[0.0], colors=[c], fill="inside", fill_colors=[c],
                fill_opacities=[0.22], stroke_width=0, close_path=True,
            )
            for c in CURVES
        ]  # fmt: skip
        self.curves = [
            bqplot.Lines(scales=scales, x=[0.0], y=[0.0], colors=[c], stroke_width=3, line_style=d)
            for c, d in zip(CURVES, DASHES, strict=True)
        ]
        self.marks = [
            bqplot.Scatter(
                scales=scales, x=[0.0, 0.0], y=[0.0, 0.0], colors=[c], stroke=c, marker=m,
                default_size=90, interactions={}, visible=False,
            )
            for c, m in zip(CURVES, ("square", "circle", "diamond"), strict=True)
        ]  # fmt: skip

    def draw_curves(self, frame: pd.DataFrame, first: int, label: str) -> None:
        """New curves: series i in the colour and dash of `first` + i; the others vanish."""
        names, numbers = frame["series"].to_numpy(), frame[list(COLUMNS)].to_numpy(np.float64)
        self.names = {first + i: name for i, name in enumerate(dict.fromkeys(names))}
        self._series = {
            i: dict(zip(COLUMNS, numbers[names == name].T, strict=True))
            for i, name in self.names.items()
        }
        for i, (band, curve, mark) in enumerate(
            zip(self.bands, self.curves, self.marks, strict=True)
        ):
            band.visible = curve.visible = mark.visible = i in self._series
            if i in self._series:
                x, y, low, high = self._series[i].values()
                band.visible = bool(np.isfinite(low).all())
                put(curve, x=x, y=y)
                curve.line_style = DASHES[i] if len(self._series) > 1 else "solid"
                if band.visible:
                    with band.hold_sync():
                        band.x, band.y = np.r_[x, x[::-1]], np.r_[low, high[::-1]]
        self._limits(float(np.nanmin(numbers[:, 1:])), float(np.nanmax(numbers[:, 1:])), label)

    def _limits(self, low: float, high: float, label: str) -> None:
        low, high = min(low, 0.0), max(high, 0.0)
        air = 0.04 * ((high - low) or 1.0)
        with self._y.hold_sync():
            self._y.min, self._y.max = low - air, high + air
        put(self.axis, tick_values=round_ticks(low - air, high + air, most=6))
        self.axis.label = label

    def draw_marks(self, low: float, high: float) -> None:
        """Points where the curves are at two values of the predictor, and dashed verticals."""
        at = np.array([low, high])
        for i, one in self._series.items():
            put(self.marks[i], x=at, y=np.interp(at, one["x"], one["estimate"]))
        ends = joined_segments(np.full(2, self._y.min), np.full(2, self._y.max))
        put(self.guides, x=joined_segments(at, at), y=ends)

    def marked(self) -> dict[int, tuple[Array, Array]]:
        """Where the marks are that are shown, by the place of their series."""
        return {i: (mark.x, mark.y) for i, mark in enumerate(self.marks) if mark.visible}
