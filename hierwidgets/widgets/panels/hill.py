"""The map of a likelihood with its regions and its edge, and the shares of singular fits."""

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import COMPLETE, GREY, PARTIAL
from hierwidgets.widgets.numbers.boundary.hill import LEVELS, Look, Place
from hierwidgets.widgets.parts.charts import figure, joined_segments, put, round_ticks, upright
from hierwidgets.widgets.parts.legend import legend

__all__ = ["HillMap", "SingularShares", "hill_legend"]

DASHES = dict(zip(LEVELS, ("solid", "dashed", "dotted"), strict=True))
SHADES = dict(zip(LEVELS, (0.34, 0.2, 0.12), strict=True))  # each lies on the wider ones
AIR = 0.03  # of the range: a mark at the edge is whole
MARKERS = {
    "likelihood": ("circle", GREY),
    "top": ("diamond", PARTIAL),
    "truth": ("square", COMPLETE),
}


class HillMap:
    """Sd of the slopes across, correlation upwards; `show` brings the marks to a look.

    Parameters
    ----------
    largest
        The sd at the right end.
    """

    def __init__(self, largest: float) -> None:
        self.sd = bqplot.LinearScale(
            min=-AIR * largest, max=(1 + AIR) * largest, allow_padding=False
        )
        self.corr = bqplot.LinearScale(min=-1 - 2 * AIR, max=1 + 2 * AIR, allow_padding=False)
        scales = {"x": self.sd, "y": self.corr}
        self.regions = {
            level: bqplot.Lines(
                scales=scales, x=[], y=[], colors=[PARTIAL], line_style=DASHES[level],
                stroke_width=1.5, fill="inside", fill_colors=[PARTIAL],
                fill_opacities=[SHADES[level]],
            )
            for level in LEVELS
        }  # fmt: skip
        self.without = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[GREY], line_style="dashed", stroke_width=1.5
        )
        self.edge = bqplot.Lines(
            scales=scales, x=np.array([largest, 0, 0, largest]), y=np.array([1.0, 1, -1, -1]),
            colors=[GREY], stroke_width=4, opacities=[0.6],
        )  # fmt: skip
        self.dots = {
            key: bqplot.Scatter(
                scales=scales, x=[], y=[], colors=[color], stroke=color, marker=marker,
                fill=key == "top", default_size=110, stroke_width=2.5, interactions={},
            )
            for key, (marker, color) in MARKERS.items()
        }  # fmt: skip
        axes = [
            bqplot.Axis(
                scale=self.sd, grid_lines="none", tick_format="~g", label="sd of the slopes",
                tick_values=round_ticks(0, largest, most=6), label_offset="30px",
            ),
            upright(
                bqplot.Axis(
                    scale=self.corr, grid_lines="none", tick_format="~g", label="correlation",
                    tick_values=np.array([-1, -0.5, 0, 0.5, 1]), label_offset="44px",
                )
            ),
        ]  # fmt: skip
        marks = [*list(self.regions.values())[::-1], self.without, self.edge, *self.dots.values()]
        self.figure = figure("hw-hill", "300px", marks, axes, bottom=42)

    def show(self, found: Look, plain: Look, truth: Place) -> None:
        """The look of a hill, beside what it is without a penalty, and the truth to try."""
        for mark, (x, y) in zip(self.regions.values(), found.regions, strict=True):
            put(mark, x=x, y=y)
        other = found is not plain
        self.without.visible = other
        put(self.without, **dict(zip("xy", plain.regions[1], strict=True)))
        self.dots["likelihood"].visible = other
        places = {"likelihood": plain.top, "top": found.top, "truth": truth}
        for key, place in places.items():
            put(self.dots[key], x=np.array([place.sd]), y=np.array([place.corr]))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Sd and correlation at a place of the plot, given as shares of it."""
        return (
            float(self.sd.min + x * (self.sd.max - self.sd.min)),
            float(self.corr.min + y * (self.corr.max - self.corr.min)),
        )


class SingularShares:
    """The share of singular fits by the number of groups, with intervals of simulation error.

    Parameters
    ----------
    sizes
        Numbers of groups.
    many
        What the groups are called.
    """

    def __init__(self, sizes: tuple[int, ...], many: str) -> None:
        self._places = {size: float(i) for i, size in enumerate(sizes)}
        place = bqplot.LinearScale(min=-0.5, max=len(sizes) - 0.5, allow_padding=False)
        share = bqplot.LinearScale(min=-0.06, max=1.06, allow_padding=False)
        scales = {"x": place, "y": share}
        self.bars = bqplot.Lines(scales=scales, x=[], y=[], colors=[COMPLETE], stroke_width=3)
        self.dots = bqplot.Scatter(
            scales=scales, x=[], y=[], colors=[COMPLETE], stroke=COMPLETE, marker="square",
            fill=False, default_size=90, stroke_width=2, interactions={},
        )  # fmt: skip
        axes = [
            bqplot.Axis(
                scale=place, grid_lines="none", tick_format="d", label=f"{many} in a survey",
                tick_values=np.arange(len(sizes), dtype=float), label_offset="30px",
                tick_labels={i: str(size) for i, size in enumerate(sizes)},
            ),
            upright(
                bqplot.Axis(
                    scale=share, grid_lines="none", tick_format=".0%", label="singular fits",
                    tick_values=np.array([0.0, 0.5, 1.0]), label_offset="44px",
                )
            ),
        ]  # fmt: skip
        self.figure = figure("hw-shares", "150px", [self.bars, self.dots], axes, bottom=42)

    def show(self, shares: pd.DataFrame) -> None:
        """The rows of `elections.shares`; none leave the picture empty."""
        at: Array = np.array([self._places[size] for size in shares["groups"]], dtype=float)
        if not len(at):
            put(self.bars, x=np.array([]), y=np.array([]))
            put(self.dots, x=np.array([]), y=np.array([]))
            return
        low, high = (shares[end].to_numpy(dtype=float) for end in ("conf_low", "conf_high"))
        put(self.bars, x=joined_segments(at, at), y=joined_segments(low, high))
        put(self.dots, x=at, y=shares["estimate"].to_numpy(dtype=float))


def hill_legend() -> str:
    """The key of both pictures: dashes and shapes tell them apart without colour."""
    dashes = {"solid": "none", "dashed": "6 4", "dotted": "2 3"}
    keys = [
        (
            f"{100 * level:.0f} %",
            f'<path d="M1 2h26v12H1z" stroke="{PARTIAL}" stroke-dasharray="{dashes[style]}" '
            f'fill="none"/>',
        )
        for level, style in DASHES.items()
    ]
    shapes = {
        "maximum": f'<path d="M14 1l5 7-5 7-5-7z" fill="{PARTIAL}"/>',
        "without penalty": f'<path d="M0 8h28" stroke="{GREY}" stroke-dasharray="6 4"/>'
        f'<circle cx="14" cy="8" r="5" fill="none" stroke="{GREY}"/>',
        "truth to try, its fits": f'<path d="M9 3h10v10H9z" fill="none" stroke="{COMPLETE}"/>',
        "the edge": f'<path d="M0 8h28" stroke="{GREY}" stroke-width="4"/>',
    }
    return legend([*keys, *shapes.items()], width=28)
