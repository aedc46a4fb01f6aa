"""The picture of one quantity's prior and posterior, and of the posterior as it was drawn."""

from html import escape

import bqplot
import ipywidgets
import numpy as np

from hierwidgets.base.palette import COMPLETE, GREY, LIGHT_GREY, PARTIAL
from hierwidgets.widgets.numbers.prior_dial.look import Look
from hierwidgets.widgets.parts.charts import figure, put, round_ticks, upright
from hierwidgets.widgets.parts.legend import legend

__all__ = ["BeliefPanel", "belief_key"]

DRAWN, POSTERIOR, PRIOR = GREY, PARTIAL, COMPLETE
ROWS = {  # the layers: where their bars are, below the curves, and in which colour
    "prior": (-0.10, PRIOR),
    "as drawn": (-0.23, DRAWN),
    "posterior": (-0.36, POSTERIOR),
}
BARS = {"prior": ("square", 2), "as drawn": ("circle", 3), "posterior": ("diamond", 4)}
HIGHEST = 1.06  # of the axis up, on which the highest posterior ends at 1


class BeliefPanel:
    """Marks and figure of the panel; `show` brings them to a state.

    Parameters
    ----------
    name
        The figure's class, by which its text alternative finds it.
    """

    def __init__(self, name: str) -> None:
        self.place = bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        height = bqplot.LinearScale(min=-0.45, max=HIGHEST, allow_padding=False)
        scales = {"x": self.place, "y": height}
        dashes = {"as drawn": ("dotted", 2.5), "prior": ("dashed", 2.5), "posterior": ("solid", 3)}
        self.lines, self.bars, self.middles = {}, {}, {}
        for key, (style, width) in dashes.items():
            (at, color), (marker, thick) = ROWS[key], BARS[key]
            self.lines[key] = bqplot.Lines(
                scales=scales, x=[0, 1], y=[0, 0], colors=[color], line_style=style,
                stroke_width=width,
            )  # fmt: skip
            self.bars[key] = bqplot.Lines(
                scales=scales, x=[0, 1], y=[at, at], colors=[color], stroke_width=thick
            )
            self.middles[key] = bqplot.Scatter(
                scales=scales, x=[], y=[], colors=[color], stroke=color, marker=marker,
                fill=False, default_size=80, stroke_width=2, interactions={},
            )  # fmt: skip
        self._ground = bqplot.Lines(
            scales=scales, x=[0, 1], y=[0, 0], colors=[LIGHT_GREY], stroke_width=1
        )
        self.place_axis = bqplot.Axis(scale=self.place, grid_lines="none", tick_format="~g")
        names = {at: key for key, (at, _) in ROWS.items()}
        row_axis = upright(
            bqplot.Axis(
                scale=height, grid_lines="none", tick_style={"font-size": "11px"},
                tick_labels=names, tick_values=np.array(list(names)),
            )
        )  # fmt: skip
        marks = [
            self._ground, *self.lines.values(), *self.bars.values(), *self.middles.values(),
        ]  # fmt: skip
        self.figure = figure(name, "190px", marks, [self.place_axis, row_axis], bottom=26)
        self.caption = ipywidgets.HTML()  # a line that breaks, as the name of an axis does not

    def show(self, look: Look, name: str) -> None:
        """The numbers of `look`; what a curve has above the picture is cut."""
        flat = "" if "prior" in look.summary else ". No prior: one it is made of is flat"
        self.caption.value = f'<div class="hw-caption">{escape(name)}{flat}</div>'
        low, high = float(look.at[0]), float(look.at[-1])
        air = 0.012 * (high - low)  # a mark at an end is whole
        if (self.place.min, self.place.max) != (low - air, high + air):
            with self.place.hold_sync():
                self.place.min, self.place.max = low - air, high + air
            self.place_axis.tick_values = round_ticks(low, high, most=7)
            put(self._ground, x=np.array([low, high]))
        top = max(float(curve.max()) for key, curve in look.curves.items() if key != "prior")
        for key, line in self.lines.items():
            line.visible = key in look.curves
            if line.visible:
                put(line, x=look.at, y=np.minimum(look.curves[key] / top, HIGHEST))
            self._show_bar(key, look.summary.get(key, (np.nan,) * 3), (low, high))

    def _show_bar(self, key: str, summary: tuple[float, ...], ends: tuple[float, float]) -> None:
        """The interval, cut at the ends of the axis, and its middle if that is on it."""
        middle, *bar = summary
        self.bars[key].visible = bool(np.isfinite(middle) and bar[0] < ends[1])
        if self.bars[key].visible:
            put(self.bars[key], x=np.clip(bar, *ends))
        there = bool(ends[0] <= middle <= ends[1])
        put(
            self.middles[key],
            x=np.array([middle] if there else []),
            y=np.array([ROWS[key][0]] if there else []),
        )


def belief_key() -> str:
    """The key of both pictures: dashes tell the layers apart without colour."""

    def line(key: str, dashes: str) -> str:
        return (
            f'<path d="M0 8h30" stroke="{ROWS[key][1]}" stroke-width="3" '
            f'stroke-dasharray="{dashes}"/>'
        )

    mean = (
        f'<path d="M0 8h30" stroke="{GREY}"/>'
        f'<circle cx="15" cy="8" r="5" fill="none" stroke="{GREY}"/>'
    )
    keys = [
        ("prior", line("prior", "8 4")),
        ("posterior as drawn", line("as drawn", "2 3")),
        ("posterior under this prior", line("posterior", "none")),
        ("mean (prior: median), 90 % bar", mean),
    ]
    return legend(keys, width=30)
