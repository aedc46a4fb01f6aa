"""The dial's picture of shrinkage by size: each level's weight against its number of trials."""

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import COMPLETE, GREY, NO, PARTIAL, PINK
from hierwidgets.widgets.parts.charts import (
    diamonds,
    figure,
    half_width,
    nearest,
    plot_size,
    round_ticks,
    upright,
)

__all__ = ["IMAGINED", "POOLED", "RAW", "TARGET", "WeightPanel"]

Point = tuple[float, float] | None  # size and weight

RAW, POOLED, TARGET, IMAGINED = NO, PARTIAL, COMPLETE, PINK
LOWEST, HIGHEST = -0.05, 1.05  # of the axis of weights
HALF_WIDTH, HALF_HEIGHT = 0.013, 0.05  # of a diamond, as a share of the axes
WIDE = 50.0  # sizes that differ by more than this factor are drawn on a log scale


class WeightPanel:
    """Marks and figure of the panel; `show` brings them to a state.

    Levels of one size, rate and target lie on each other, so each place is drawn once. All points
    are one path, which is quick to redraw.

    Parameters
    ----------
    frame
        That of `pooling_frame`.
    trials
        What is counted by n.
    """

    def __init__(self, frame: pd.DataFrame, trials: str) -> None:
        self._name = f"n, {trials}"
        self._sizes = frame["n"].to_numpy()
        self._rows = _rows_by_place(frame)
        self._first = np.array([rows[0] for rows in self._rows])
        self._last = -1
        self._log = self._sizes.max() > WIDE * self._sizes.min()
        self._build()

    @property
    def sizes(self) -> Array:
        """Where the curve is computed: over the whole axis, from its start to its end."""
        low, high = self.size.min, self.size.max
        return np.geomspace(low, high, 60) if self._log else np.linspace(low, high, 60)

    def show(
        self, weights: Array, curve: Array, selected: int | None, imagined: Point = None
    ) -> None:
        """The weights by row, those of `sizes`, the row to ring, and one more (n, weight)."""
        self._weights = weights[self._first]
        self.points.y = diamonds(self._weights, HALF_HEIGHT)
        with self.curve.hold_sync():
            self.curve.x, self.curve.y = self.sizes, curve
        self._put(self.extra, imagined)
        self._put(
            self.ring, None if selected is None else (self._sizes[selected], weights[selected])
        )

    def make_room(self, size: float | None) -> None:
        """Stretch the axis, so that it reaches a level of this size, or no further than needed."""
        sizes = self._sizes if size is None else np.append(self._sizes, size)
        low, high = (sizes.min() / 1.3, sizes.max() * 1.3) if self._log else (0, 1.06 * sizes.max())
        if (self.size.min, self.size.max) == (low, high):
            return
        with self.size.hold_sync():
            self.size.min, self.size.max = float(low), float(high)
        self._axis.tick_values = _powers(low, high) if self._log else round_ticks(0.0, high, 6)
        ends = self._along(np.array([low, high]))
        half = HALF_WIDTH * (ends[1] - ends[0])
        middle = diamonds(self._along(self._sizes[self._first]), half, across=True)
        self.points.x = 10.0**middle if self._log else middle

    def pick(self, x: float, y: float) -> int | None:
        """The row of a level drawn near shares (x, y) of the plot, or None.

        Another pick of the same place gives the next of the levels that share it.
        """
        low, high = self._along(np.array([self.size.min, self.size.max]))
        width, height = plot_size(self.figure)
        point = low + x * (high - low), LOWEST + y * (HIGHEST - LOWEST)
        unit = (high - low) / width, (HIGHEST - LOWEST) / height
        place = nearest(self._along(self._sizes[self._first]), self._weights, point, unit)
        if place is None:
            return None
        rows = self._rows[place]
        after = rows.index(self._last) + 1 if self._last in rows else 0
        self._last = rows[after % len(rows)]
        return self._last

    def _along(self, sizes: Array) -> Array:
        """Sizes on the axis: their logarithms where it is logarithmic."""
        return np.log10(sizes) if self._log else sizes

    def _put(self, mark: bqplot.Scatter, point: Point) -> None:
        mark.visible = point is not None
        if point is not None:
            with mark.hold_sync():
                mark.x, mark.y = [point[0]], [point[1]]

    def _build(self) -> None:
        self.size = bqplot.LogScale() if self._log else bqplot.LinearScale(allow_padding=False)
        scales = {
            "x": self.size, "y": bqplot.LinearScale(min=LOWEST, max=HIGHEST, allow_padding=False)
        }  # fmt: skip
        self.curve = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[GREY], stroke_width=2, line_style="dash_dotted"
        )
        self.points = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[POOLED], stroke_width=1, fill="inside",
            fill_colors=[POOLED], fill_opacities=[1.0],
        )  # fmt: skip
        self.extra = bqplot.Scatter(
            scales=scales, x=[1], y=[0], marker="square", colors=[IMAGINED], stroke=IMAGINED,
            default_size=70, interactions={}, visible=False,
        )  # fmt: skip
        self.ring = bqplot.Scatter(
            scales=scales, x=[1], y=[0], colors=[GREY], fill=False, stroke=GREY,
            stroke_width=2, default_size=260, interactions={}, visible=False,
        )  # fmt: skip
        self._axis = bqplot.Axis(
            scale=self.size, label=f"{self._name}{' (log scale)' if self._log else ''}",
            tick_format="~g", grid_lines="none", label_offset="32px",
        )  # fmt: skip
        weight = upright(
            bqplot.Axis(
                scale=scales["y"], label="own weight", tick_values=np.array([0, 0.5, 1.0]),
                tick_format="~g", grid_lines="none", label_offset="40px",
            )
        )  # fmt: skip
        self.figure = half_width(
            figure(
                "hw-weights", "170px", [self.ring, self.curve, self.points, self.extra],
                [self._axis, weight], bottom=44,
            )
        )  # fmt: skip
        self.make_room(None)


def _rows_by_place(frame: pd.DataFrame) -> list[list[int]]:
    """The rows of each place on the picture; equal sizes, rates and targets share one."""
    keys = [frame["n"], frame["raw"].round(12), frame["target_link"].round(8)]
    groups = frame.reset_index(drop=True).groupby([key.to_numpy() for key in keys]).indices
    return [sorted(map(int, rows)) for rows in groups.values()]


def _powers(low: float, high: float) -> Array:
    return 10.0 ** np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
