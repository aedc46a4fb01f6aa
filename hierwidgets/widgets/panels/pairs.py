"""The picture of groups as points: intercept across, slope upwards, own lines and pooled ones."""

import bqplot
import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import COMPLETE, GREY, LIGHT_GREY, NO, PARTIAL
from hierwidgets.widgets.numbers.pairs.pooled import LEVELS
from hierwidgets.widgets.parts.charts import (
    figure,
    joined_segments,
    nearest,
    outlines,
    plot_size,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.legend import legend

__all__ = ["PairsPanel", "pairs_legend"]

DASHES = dict(zip(LEVELS, ("solid", "dashed"), strict=True))
AREA = 26.0  # of a pooled point, in square pixels
MANY = 150  # with more groups than that points are smaller


class PairsPanel:
    """Marks and figure; `show` brings them to a spread.

    Parameters
    ----------
    own : (J, 2)
        Intercept and slope of each group alone; nan where they do not exist.
    names : (J,)
        The groups' names.
    centre : (2,)
        Of all groups.
    limits : (2, 2)
        Least and largest intercept, least and largest slope of the picture.
    slope
        The predictor.
    """

    def __init__(
        self, own: Array, names: list[str], centre: Array, limits: Array, slope: str
    ) -> None:
        self._own = own
        self._area = AREA if len(own) <= MANY else AREA / 2
        self._has = ~np.isnan(own[:, 0])
        self.pairs = own
        self.x, self.y = (
            bqplot.LinearScale(min=float(low), max=float(high), allow_padding=False)
            for low, high in limits
        )
        scales = {"x": self.x, "y": self.y}
        self._build_marks(scales, [name for name, has in zip(names, self._has, strict=True) if has])
        self.centre = bqplot.Scatter(
            scales=scales, x=centre[:1], y=centre[1:], colors=[COMPLETE], stroke=COMPLETE,
            marker="square", default_size=120, interactions={},
        )  # fmt: skip
        axes = [
            bqplot.Axis(
                scale=self.x, grid_lines="none", tick_format="~g", label="intercept",
                tick_values=round_ticks(*limits[0]), label_offset="30px",
            ),
            upright(
                bqplot.Axis(
                    scale=self.y, grid_lines="none", tick_format="~g", label=f"slope in {slope}",
                    tick_values=round_ticks(*limits[1]), label_offset="44px",
                )
            ),
        ]  # fmt: skip
        marks = [
            *self.ellipses.values(), self.segments, self.own, self.pooled, self.chosen, self.ring,
            self.centre,
        ]  # fmt: skip
        self.figure = figure("hw-pairs", "400px", marks, axes, bottom=42)

    def _build_marks(self, scales: dict[str, bqplot.Scale], names: list[str]) -> None:
        self.ellipses = {
            level: bqplot.Lines(
                scales=scales, x=[], y=[], colors=[COMPLETE], line_style=DASHES[level],
                stroke_width=2,
            )
            for level in LEVELS
        }  # fmt: skip
        self.segments = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[LIGHT_GREY], stroke_width=1, opacities=[0.7]
        )
        self.own = bqplot.Scatter(
            scales=scales, x=self._own[self._has, 0], y=self._own[self._has, 1], colors=[NO],
            stroke=NO, fill=False, stroke_width=1.5, default_size=int(1.6 * self._area),
            names=np.array(names), display_names=False, interactions={"hover": "tooltip"},
            tooltip=bqplot.Tooltip(
                fields=["name", "x", "y"], labels=["own line of", "intercept", "slope"],
                formats=["", ".2f", ".2f"],
            ),
        )  # fmt: skip
        self.pooled = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[PARTIAL], stroke_width=1, fill="inside",
            fill_colors=[PARTIAL], fill_opacities=[1.0],
        )  # fmt: skip
        self.chosen = bqplot.Lines(scales=scales, x=[], y=[], colors=[GREY], stroke_width=3)
        self.ring = bqplot.Scatter(
            scales=scales, x=[0.0], y=[0.0], colors=[GREY], stroke=GREY, fill=False,
            stroke_width=2.5, default_size=260, interactions={}, visible=False,
        )  # fmt: skip

    @property
    def outside(self) -> int:
        """How many own lines lie outside the picture."""
        a, b = self._own[self._has].T
        inside = (a >= self.x.min) & (a <= self.x.max) & (b >= self.y.min) & (b <= self.y.max)
        return int((~inside).sum())

    def show(
        self, lines: Array, outlines_of: dict[float, tuple[Array, Array]], row: int | None
    ) -> None:
        """Partially pooled pairs (J, 2), an outline for each of `LEVELS`, the group chosen."""
        for level, (x, y) in outlines_of.items():
            put(self.ellipses[level], x=x, y=y)
        own, now = self._own[self._has], lines[self._has]
        x, y = (joined_segments(own[:, i], now[:, i]) for i in range(2))
        put(self.segments, x=x, y=y)
        x, y = outlines("diamond", self._area, lines[:, 0], lines[:, 1], self._per_pixel())
        put(self.pooled, x=x, y=y)
        self._choose(lines, row)
        self.pairs = lines

    def _choose(self, lines: Array, row: int | None) -> None:
        if row is None:
            self.ring.visible = False
            put(self.chosen, x=np.array([]), y=np.array([]))
            return
        pair = np.array([self._own[row], lines[row]])
        pair = pair[~np.isnan(pair[:, 0])]
        put(self.ring, x=pair[:, 0], y=pair[:, 1])
        put(self.chosen, x=pair[:, 0], y=pair[:, 1])
        self.ring.visible = True

    def pick(self, x: float, y: float) -> int | None:
        """The group drawn near shares (x, y) of the plot, or None."""
        point = (
            self.x.min + x * (self.x.max - self.x.min),
            self.y.min + y * (self.y.max - self.y.min),
        )
        both = np.vstack([np.where(self._has[:, None], self._own, self.pairs), self.pairs])
        found = nearest(both[:, 0], both[:, 1], point, self._per_pixel())
        return None if found is None else found % len(self._own)

    def _per_pixel(self) -> tuple[float, float]:
        width, height = plot_size(self.figure)
        return (self.x.max - self.x.min) / width, (self.y.max - self.y.min) / height


def pairs_legend() -> str:
    """The key: shapes and dashes tell the layers apart without colour."""
    ellipse = '<path d="M2 8l4 -5h16l4 5l-4 5h-16z" fill="none" stroke="{}" {}/>'
    keys = [
        ("own line: no pooling", f'<circle cx="14" cy="8" r="4" fill="none" stroke="{NO}"/>'),
        (
            "partial pooling, and its way",
            f'<path d="M0 8h20" stroke="{LIGHT_GREY}"/><path d="M21 1l5 7-5 7-5-7z" '
            f'fill="{PARTIAL}"/>',
        ),
        ("centre", f'<path d="M9 3h10v10H9z" fill="{COMPLETE}"/>'),
        ("holds half of the groups", ellipse.format(COMPLETE, "")),
        ("holds 90 %", ellipse.format(COMPLETE, 'stroke-dasharray="5 3"')),
    ]
    return legend(keys, width=28)
