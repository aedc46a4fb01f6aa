"""The dial's picture of shrinkage by size: each level's weight against its number of trials."""

from collections.abc import Callable
from typing import Any

import bqplot
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._charts import figure, level_tooltip, round_ticks, upright

__all__ = ["IMAGINED", "POOLED", "RAW", "TARGET", "WeightPanel"]

Floats = NDArray[np.float64]
Point = tuple[float, float] | None  # size and weight

RAW, POOLED, TARGET = "#1b9e77", "#d95f02", "#7570b3"  # ColorBrewer Dark2, colour-blind safe
IMAGINED = "#e7298a"
WIDE = 50.0  # sizes that differ by more than this factor are drawn on a log scale


class WeightPanel:
    """Marks and figure of the panel; `show` brings them to a state.

    Levels of one size, rate and target lie on each other, so each place is drawn once; further
    clicks on a place choose its levels one after the other.

    Parameters
    ----------
    frame
        That of `pooling_frame`.
    on_choose
        Called with the row of the level that a click chooses.
    """

    def __init__(self, frame: pd.DataFrame, on_choose: Callable[[int], None]) -> None:
        self._sizes = frame["n"].to_numpy()
        self._rows = _rows_by_place(frame)
        self._first = np.array([rows[0] for rows in self._rows])
        self._on_choose, self._last = on_choose, -1
        self._log = self._sizes.max() > WIDE * self._sizes.min()
        self._build(frame)

    @property
    def sizes(self) -> Floats:
        """Where the curve is computed: over the whole axis, from its start to its end."""
        low, high = self._size.min, self._size.max
        return np.geomspace(low, high, 60) if self._log else np.linspace(low, high, 60)

    def show(
        self, weights: Floats, curve: Floats, selected: int | None, imagined: Point = None
    ) -> None:
        """The weights by row, those of `sizes`, the row to ring, and one more (n, weight)."""
        self._points.y = weights[self._first]
        with self._curve.hold_sync():
            self._curve.x, self._curve.y = self.sizes, curve
        self._put(self._extra, imagined)
        self._put(
            self._ring, None if selected is None else (self._sizes[selected], weights[selected])
        )

    def make_room(self, size: float | None) -> None:
        """Stretch the axis, so that it reaches a level of this size, or no further than needed."""
        sizes = self._sizes if size is None else np.append(self._sizes, size)
        low, high = (sizes.min() / 1.3, sizes.max() * 1.3) if self._log else (0, 1.06 * sizes.max())
        with self._size.hold_sync():
            self._size.min, self._size.max = float(low), float(high)
        self._axis.tick_values = _powers(low, high) if self._log else round_ticks(0.0, high, 6)

    def _put(self, mark: bqplot.Scatter, point: Point) -> None:
        mark.visible = point is not None
        if point is not None:
            with mark.hold_sync():
                mark.x, mark.y = [point[0]], [point[1]]

    def _build(self, frame: pd.DataFrame) -> None:
        self._size = bqplot.LogScale() if self._log else bqplot.LinearScale(allow_padding=False)
        scales = {
            "x": self._size, "y": bqplot.LinearScale(min=-0.05, max=1.05, allow_padding=False)
        }  # fmt: skip
        self._curve = bqplot.Lines(
            scales=scales, x=[], y=[], colors=["#808080"], stroke_width=2, line_style="dash_dotted"
        )
        named = level_tooltip()
        named.labels = ["level", "weight"]
        self._points = bqplot.Scatter(
            scales=scales, x=self._sizes[self._first], y=np.zeros(len(self._first)),
            names=np.array([_names(frame, rows) for rows in self._rows]), display_names=False,
            marker="diamond", colors=[POOLED], stroke=POOLED, default_size=40, tooltip=named,
            interactions={"hover": "tooltip", "click": "select"},
            selected_style={}, unselected_style={},
        )  # fmt: skip
        self._extra = bqplot.Scatter(
            scales=scales, x=[1], y=[0], marker="square", colors=[IMAGINED], stroke=IMAGINED,
            default_size=70, interactions={}, visible=False,
        )  # fmt: skip
        self._ring = bqplot.Scatter(
            scales=scales, x=[1], y=[0], colors=["#808080"], fill=False, stroke="#808080",
            stroke_width=2, default_size=260, interactions={}, visible=False,
        )  # fmt: skip
        self._points.on_element_click(self._choose)
        self._axis = bqplot.Axis(
            scale=self._size, label="n (log scale)" if self._log else "n", tick_format="~g",
            grid_lines="none", label_offset="32px",
        )  # fmt: skip
        weight = upright(
            bqplot.Axis(
                scale=scales["y"], label="own weight", tick_values=np.array([0, 0.5, 1.0]),
                tick_format="~g", grid_lines="none", label_offset="40px",
            )
        )  # fmt: skip
        self.make_room(None)
        self.figure = figure(
            "hw-weights", "170px", [self._ring, self._curve, self._points, self._extra],
            [self._axis, weight], bottom=44,
        )  # fmt: skip

    def _choose(self, mark: bqplot.Scatter, event: dict[str, Any]) -> None:
        rows = self._rows[event["data"]["index"]]
        after = rows.index(self._last) + 1 if self._last in rows else 0
        self._last = rows[after % len(rows)]
        self._on_choose(self._last)


def _rows_by_place(frame: pd.DataFrame) -> list[list[int]]:
    """The rows of each place on the picture; equal sizes, rates and targets share one."""
    keys = [frame["n"], frame["raw"].round(12), frame["target_link"].round(8)]
    groups = frame.reset_index(drop=True).groupby([key.to_numpy() for key in keys]).indices
    return [sorted(map(int, rows)) for rows in groups.values()]


def _names(frame: pd.DataFrame, rows: list[int]) -> str:
    first = str(frame["level"].iloc[rows[0]])
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} like it"


def _powers(low: float, high: float) -> Floats:
    return 10.0 ** np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
