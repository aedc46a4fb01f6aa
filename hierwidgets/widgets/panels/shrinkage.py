"""The picture of one level's shrinkage: prior, likelihood and posterior, and a bar under each."""

from typing import Any

import bqplot
import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import BROWN, COMPLETE, GREY, LIGHT_GREY, NO, PARTIAL
from hierwidgets.widgets.parts.charts import figure, round_ticks, upright
from hierwidgets.widgets.parts.legend import legend

__all__ = ["ShrinkagePanel", "shrinkage_key"]

DATA, POSTERIOR, PRIOR, PLUG_IN = NO, PARTIAL, COMPLETE, BROWN
ROWS = {  # the layers: where their bars are, below the curves, and in which colour
    "prior": (-0.06, PRIOR),
    "likelihood": (-0.13, DATA),
    "posterior": (-0.20, POSTERIOR),
    "plug-in posterior": (-0.27, PLUG_IN),
}
HIGHEST = 1.06  # of the axis up, on which the highest curve ends at 1


class ShrinkagePanel:
    """Marks and figure of the panel; `set_axes` and `show` bring them to a state."""

    def __init__(self) -> None:
        self.place = bqplot.LinearScale(allow_padding=False)
        height = bqplot.LinearScale(min=-0.31, max=HIGHEST, allow_padding=False)
        scales = {"x": self.place, "y": height}
        self.lines = {
            "plug-in posterior": _line(scales, "plug-in posterior", "dash_dotted", 2),
            "prior": _line(scales, "prior", "dashed", 2.5),
            "likelihood": _line(scales, "likelihood", "dotted", 3),
            "posterior": _line(scales, "posterior", "solid", 3),
        }
        self.bars = bqplot.Lines(scales=scales, x=[[0, 1]], y=[[0, 0]], stroke_width=3)
        self._ground = bqplot.Lines(
            scales=scales, x=[0, 1], y=[0, 0], colors=[LIGHT_GREY], stroke_width=1
        )
        self.modes, self.means = (
            bqplot.Scatter(
                scales=scales, x=[], y=[], marker=marker, fill=fill, default_size=area,
                stroke_width=2, interactions={},
            )
            for marker, fill, area in (("diamond", True, 80), ("circle", False, 90))
        )  # fmt: skip
        self.place_axis = bqplot.Axis(
            scale=self.place, grid_lines="none", label_offset="32px", tick_format="~g"
        )
        names = {at: name.removesuffix(" posterior") for name, (at, _) in ROWS.items()}
        self.row_axis = upright(  # with new ticks new labels are lost: it has all from the start
            bqplot.Axis(
                scale=height, grid_lines="none", tick_style={"font-size": "11px"},
                tick_labels=names, tick_values=np.zeros(1),
            )
        )  # fmt: skip
        marks = [self._ground, *self.lines.values(), self.bars, self.means, self.modes]
        axes = [self.place_axis, self.row_axis]
        self.figure = figure("hw-curves", "330px", marks, axes, bottom=44)

    def set_axes(self, limits: tuple[float, float], label: str, plug_in: bool) -> None:
        """Limits and name of the axis across, and whether the plug-in posterior has its row."""
        low, high = limits
        air = 0.012 * (high - low)  # a mark at an end is whole
        if (self.place.min, self.place.max) != (low - air, high + air):
            with self.place.hold_sync():
                self.place.min, self.place.max = low - air, high + air
            self.place_axis.tick_values = round_ticks(low, high, most=12)
            self.place_axis.label = label
            self._ground.x = [low, high]
        rows = [at for at, _ in ROWS.values()][: 4 if plug_in else 3]
        if len(rows) != len(self.row_axis.tick_values):
            self.row_axis.tick_values = np.array(rows)
            self.lines["plug-in posterior"].visible = plug_in

    def show(self, curves: dict[str, Array], summary: dict[str, list[Any]]) -> None:
        """The numbers of `shrinkage`."""
        self._draw_curves(curves)
        self._draw_bars(summary)

    def _draw_curves(self, curves: dict[str, Array]) -> None:
        """Each curve over the highest of all; what rises out of the picture at an end is cut."""
        at = curves["at"]
        low, high = at[0], at[-1]
        air = 0.01 * (high - low)
        inner = (at >= low + air) & (at <= high - air)
        names = [name for name in self.lines if name in curves]
        top = max(float(curves[name][inner].max()) for name in names)
        for name in names:
            with self.lines[name].hold_sync():
                self.lines[name].x = at
                self.lines[name].y = np.minimum(curves[name] / top, HIGHEST)

    def _draw_bars(self, summary: dict[str, list[Any]]) -> None:
        names = np.array(summary["curve"])
        rows = np.array([ROWS[name][0] for name in names])
        colors = np.array([ROWS[name][1] for name in names])
        low, high = np.array(summary["conf_low"]), np.array(summary["conf_high"])
        wide, ends = np.isfinite(low), (float(self.place.min), float(self.place.max))
        with self.bars.hold_sync():
            self.bars.colors = colors[wide].tolist()
            self.bars.x = np.clip(np.column_stack([low, high])[wide], *ends)
            self.bars.y = np.column_stack([rows, rows])[wide]
        for mark, column in ((self.modes, "mode"), (self.means, "mean")):
            values = np.array(summary[column])
            inside = (values >= ends[0]) & (values <= ends[1])
            with mark.hold_sync():
                mark.colors = colors[inside].tolist()
                mark.x, mark.y = values[inside], rows[inside]


def _line(scales: dict[str, bqplot.Scale], name: str, style: str, width: float) -> bqplot.Lines:
    return bqplot.Lines(
        scales=scales, x=[0, 1], y=[0, 0], colors=[ROWS[name][1]], line_style=style,
        stroke_width=width,
    )  # fmt: skip


def shrinkage_key(full_bayes: bool) -> str:
    """The key: dashes and shapes tell the layers apart without colour."""

    def line(name: str, dashes: str) -> str:
        return (
            f'<path d="M0 8h30" stroke="{ROWS[name][1]}" stroke-width="3" '
            f'stroke-dasharray="{dashes}"/>'
        )

    mean = (
        f'<path d="M0 8h30" stroke="{GREY}"/>'
        f'<circle cx="15" cy="8" r="5" fill="none" stroke="{GREY}"/>'
    )
    keys = [
        ("prior, averaged" if full_bayes else "prior N(μ, σ²)", line("prior", "8 4")),
        ("likelihood, area made 1", line("likelihood", "2 3")),
        ("posterior", line("posterior", "none")),
        ("mode", f'<path d="M15 1l6 7-6 7-6-7z" fill="{GREY}"/>'),
        ("mean, on its 90 % bar", mean),
    ]
    if full_bayes:
        keys.insert(3, ("plug-in posterior", line("plug-in posterior", "8 3 2 3")))
    return legend(keys, width=30)
