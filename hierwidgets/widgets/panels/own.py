"""One's own data before any model: the raw rate or mean of each group against its size."""

import bqplot
import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import COMPLETE, NO
from hierwidgets.widgets.numbers.pooling import Columns
from hierwidgets.widgets.parts.charts import (
    figure,
    level_tooltip,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.legend import legend

__all__ = ["RawPanel", "raw_key"]


class RawPanel:
    """Marks and figure of the panel; `show` brings them to some data, or to none.

    Attributes
    ----------
    points
        A circle for each group.
    overall
        The mean of all rows.
    """

    def __init__(self) -> None:
        self.size, self.value = bqplot.LogScale(), bqplot.LinearScale()
        scales = {"x": self.size, "y": self.value}
        self.points = bqplot.Scatter(
            scales=scales, x=[], y=[], names=[], display_names=False, marker="circle", fill=False,
            colors=[NO], stroke=NO, default_size=70, tooltip=level_tooltip(),
            interactions={"hover": "tooltip"},
        )  # fmt: skip
        self.overall = bqplot.Lines(
            scales=scales, x=[1, 10], y=[0, 0], colors=[COMPLETE], line_style="dotted",
            stroke_width=2.5, visible=False,
        )  # fmt: skip
        self.size_axis = bqplot.Axis(
            scale=self.size, grid_lines="none", label_offset="32px", tick_format="~g",
            tick_values=np.ones(1), label="rows in the group (log scale)",
        )  # fmt: skip
        self.value_axis = upright(
            bqplot.Axis(
                scale=self.value, grid_lines="none", label_offset="46px", tick_format="~g",
                tick_values=np.array([0.0, 1.0]),
            )
        )  # fmt: skip
        self.figure = figure(
            "hw-raw", "270px", [self.overall, self.points], [self.size_axis, self.value_axis],
            bottom=44,
        )  # fmt: skip

    def show(self, found: Columns | None, label: str, rows: str) -> None:
        """The columns of `group_columns`, or None; what the values are, and what is counted."""
        n = np.array([1.0, 10.0]) if found is None else found["n"]
        raw = np.array([0.0, 1.0]) if found is None else found["raw"]
        low, high = float(raw.min()), float(raw.max())
        air = 0.06 * (high - low or 1.0)
        with self.size.hold_sync():
            self.size.min, self.size.max = 0.8 * float(n.min()), 1.25 * float(n.max())
        with self.value.hold_sync():
            self.value.min, self.value.max = low - air, high + air
        self.value_axis.tick_values = _round_values(low, high)
        self.size_axis.tick_values = _ticks(float(n.min()), float(n.max()))
        self.size_axis.label = f"{rows} in the group (log scale)"
        self.value_axis.label = label
        self.overall.visible = found is not None
        if found is None:
            put(self.points, x=np.zeros(0), y=np.zeros(0))
            return
        mean = float(np.average(raw, weights=n))
        put(self.overall, x=np.array([self.size.min, self.size.max]), y=np.array([mean, mean]))
        names = np.array([str(level) for level in found["level"]])
        put(self.points, x=n, y=raw, names=names)


def _ticks(low: float, high: float) -> Array:
    """1, 2, 5, 10, ... from the smallest size to the largest; their own where none is between."""
    round_ones = np.array([d * 10.0**p for p in range(7) for d in (1, 2, 5)])
    inside = round_ones[(round_ones >= low) & (round_ones <= high)]
    if len(inside) > 7:
        inside = inside[np.log10(inside) % 1 < 1e-9]
    return inside if len(inside) > 1 else np.unique([low, high])


def _round_values(low: float, high: float) -> Array:
    """Some multiples of a round step, on the scale of the values, whatever that is."""
    if high <= low:
        return np.array([low])
    power = 10.0 ** np.floor(np.log10(high - low))
    return power * round_ticks(low / power, high / power)


def raw_key() -> str:
    """The key of the picture."""
    return legend([
        ("a group: its raw rate or mean",
         f'<circle cx="9" cy="8" r="5" fill="none" stroke="{NO}"/>'),
        ("all rows together",
         f'<path d="M0 8h18" stroke="{COMPLETE}" stroke-width="3" stroke-dasharray="2 2"/>'),
    ])  # fmt: skip
