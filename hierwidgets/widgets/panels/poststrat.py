"""The picture of poststratification: three rates above, kinds of people and cells below."""

from collections.abc import Mapping
from types import MappingProxyType

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import LIGHT_GREY, NO, PARTIAL, POSTSTRATIFIED
from hierwidgets.widgets.numbers.poststrat import MOST, Kinds
from hierwidgets.widgets.numbers.words import shorter
from hierwidgets.widgets.parts.charts import figure, joined_segments, put, round_ticks, upright
from hierwidgets.widgets.parts.legend import legend

__all__ = ["RatesPanel", "rates_legend"]

RAW, MODELLED, WHOLE = 8.0, 7.0, 6.0  # heights of the rows, the first kind at 4.7
FIRST, STEP = 4.7, 0.9
_GOLDEN = 0.618034  # spreads dots within a row without a pattern
LOOKS: Mapping[str, tuple[str, str, float]] = MappingProxyType(
    {
        "raw": (NO, "circle", 2.5),
        "modelled": (PARTIAL, "diamond", 1.8),
        "whole": (POSTSTRATIFIED, "triangle-up", 4.0),
        "kinds": (POSTSTRATIFIED, "square", 4.0),
    }
)


class RatesPanel:
    """Three rates in a row each, and below a row for each kind of people with its cells.

    Attributes
    ----------
    figure
        To be shown.
    points, intervals
        Of "raw", "modelled", "whole" (poststratified) and "kinds".
    cells
        The single cells.
    guide
        The line down from the poststratified rate.
    """

    def __init__(self) -> None:
        self.rate = bqplot.LinearScale(allow_padding=False)
        self._height = bqplot.LinearScale(min=0.0, max=8.6, allow_padding=False)
        scales = {"x": self.rate, "y": self._height}
        self.intervals = {
            name: bqplot.Lines(scales=scales, x=[], y=[], colors=[color], stroke_width=width)
            for name, (color, _, width) in LOOKS.items()
        }
        self.points = {
            name: bqplot.Scatter(
                scales=scales, x=[], y=[], colors=[color], stroke=color, marker=marker,
                default_size=70 if name == "kinds" else 160, interactions={},
            )
            for name, (color, marker, _) in LOOKS.items()
        }  # fmt: skip
        self.guide = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[POSTSTRATIFIED], line_style="dotted", stroke_width=2
        )
        self.cells = bqplot.Scatter(
            scales=scales, x=[], y=[], colors=[LIGHT_GREY], stroke=LIGHT_GREY, marker="circle",
            default_size=6, default_opacities=[0.6], interactions={},
        )  # fmt: skip
        self.axis = bqplot.Axis(
            scale=self.rate, grid_lines="none", label_offset="32px", tick_format="~g"
        )
        self.rows = upright(bqplot.Axis(scale=self._height, grid_lines="none", tick_format="~g"))
        marks = [self.cells, self.guide, *self.intervals.values(), *self.points.values()]
        self.figure = figure("hw-rates", "380px", marks, [self.axis, self.rows], bottom=44)
        self.figure.fig_margin = {**self.figure.fig_margin, "left": 104}

    # --- what changes ---

    def draw(self, found: Kinds, table: pd.DataFrame, label: str) -> None:
        """Everything that the shares do not move."""
        count = len(found.names)
        at: Array = FIRST - STEP * np.arange(float(count))
        self._draw_axes(found, table, label, at)
        rows = {
            "raw": (table.iloc[:1], np.array([RAW])),
            "modelled": (table.iloc[1:2], np.array([MODELLED])),
            "kinds": (table.iloc[3:], at),
        }
        for name, (part, heights) in rows.items():
            self._put(name, part, heights)
        spread = 0.5 * ((np.arange(len(found.cells)) * _GOLDEN) % 1.0) - 0.25
        put(self.cells, x=found.cells, y=at[found.kind] + spread)

    def _draw_axes(self, found: Kinds, table: pd.DataFrame, label: str, at: Array) -> None:
        low = min(table["conf_low"].min(), found.cells.min())
        high = max(table["conf_high"].max(), found.cells.max())
        air = 0.04 * max(high - low, 0.01)
        with self.rate.hold_sync():
            self.rate.min, self.rate.max = float(low - air), float(high + air)
        self.axis.tick_values = round_ticks(low - air, high + air, most=9)
        self.axis.label = label
        self._height.min = float(FIRST - STEP * (min(len(at), MOST) - 1) - 0.5)
        places = [RAW, MODELLED, WHOLE, *at.round(6)]
        names = ["raw", "modelled", "poststratified", *(shorter(str(n), 14) for n in found.names)]
        self.rows.tick_labels = {
            int(p) if float(p).is_integer() else float(p): n
            for p, n in zip(places, names, strict=True)
        }
        self.rows.tick_values = np.array(places)

    def move(self, whole: pd.DataFrame) -> None:
        """The poststratified rate, for other shares."""
        self._put("whole", whole, np.array([WHOLE]))
        x = whole["estimate"].to_numpy()[[0, 0]]
        put(self.guide, x=x, y=np.array([float(self._height.min), RAW + 0.4]))

    def _put(self, name: str, part: pd.DataFrame, heights: Array) -> None:
        low, middle, high = (part[c].to_numpy() for c in ("conf_low", "estimate", "conf_high"))
        put(self.points[name], x=middle, y=heights)
        put(self.intervals[name], x=joined_segments(low, high), y=joined_segments(heights, heights))


def rates_legend() -> str:
    """The key; shapes and widths tell the rates apart without colour."""
    line = '<path d="M0 8h30" stroke="{0}" stroke-width="{1}"/>'
    shapes = {
        "raw": '<circle cx="15" cy="8" r="5" fill="{0}"/>',
        "modelled": '<path d="M15 1l6 7-6 7-6-7z" fill="{0}"/>',
        "whole": '<path d="M9 13h12l-6-11z" fill="{0}"/>',
        "kinds": '<rect x="11" y="4" width="8" height="8" fill="{0}"/>',
    }
    names = {
        "raw": "raw", "modelled": "modelled, as sampled", "whole": "poststratified",
        "kinds": "one kind of people",
    }  # fmt: skip
    keys = [
        (names[name], (line + shape).format(LOOKS[name][0], LOOKS[name][2]))
        for name, shape in shapes.items()
    ]
    dot = f'<circle cx="15" cy="8" r="2" fill="{LIGHT_GREY}" stroke="{LIGHT_GREY}"/>'
    return legend([*keys, ("its cells", dot)], width=30)
