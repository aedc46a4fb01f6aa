"""The strip's pictures: every answer, every rate with its interval, and the sizes of the levels."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import GREY, NO, PARTIAL, PURPLE
from hierwidgets.widgets.numbers.words import shorter
from hierwidgets.widgets.parts.charts import (
    figure,
    joined_segments,
    level_tooltip,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.legend import legend

__all__ = ["MOST_LABELS", "SizesPanel", "StripPanel", "View", "strip_key"]

PEOPLE, RATE, NO_WIDTH, SIZES = GREY, NO, PARTIAL, PURPLE
MOST_LABELS = 30  # more levels than this in view, and names and sizes are not written
LONGEST_NAME = 14


class View(NamedTuple):
    """The levels in view: the place of the first of them, from 0, and how many they are."""

    start: int
    shown: int

    @property
    def labelled(self) -> bool:
        """Whether there is room for names and sizes."""
        return self.shown <= MOST_LABELS

    @property
    def places(self) -> Array:
        """Where the levels in view are on the axis."""
        return np.arange(self.start, self.start + self.shown, dtype=np.float64)


class StripPanel:
    """Marks and figure of the strip; `look`, `write` and `show` bring them to a state.

    Parameters
    ----------
    levels
        All of them.
    people
        That of `people_frame`.
    limits
        Of the axis of rates.
    rate
        What the rates are rates of.
    """

    def __init__(
        self,
        levels: Sequence[Any],
        people: pd.DataFrame,
        limits: tuple[float, float],
        rate: str,
    ) -> None:
        self._codes = {level: code for code, level in enumerate(levels)}
        self._people = people["level"].map(self._codes).to_numpy(dtype=np.intp)
        self._shift = people["shift"].to_numpy()
        self.place = bqplot.LinearScale(allow_padding=False)
        up = bqplot.LinearScale(min=limits[0], max=limits[1], allow_padding=False)
        marks = self._build_marks({"x": self.place, "y": up}, people["y"].to_numpy())
        self.names = bqplot.Axis(
            scale=self.place, grid_lines="none", label_offset="24px",
            tick_style={"text-anchor": "end"}, tick_values=np.zeros(1),
        )  # fmt: skip
        self.sizes = bqplot.Axis(
            scale=self.place, grid_lines="none", side="top", tick_values=np.zeros(1)
        )
        rates = upright(
            bqplot.Axis(
                scale=up, grid_lines="none", label_offset="46px", tick_format="~g",
                tick_values=round_ticks(0.0, 1.0), label=rate,
            )
        )  # fmt: skip
        self.figure = figure("hw-strip", "330px", marks, [self.names, self.sizes, rates], bottom=74)
        # The same with names and without: bqplot draws all anew .3 s after a margin has changed.
        self.figure.fig_margin = dict(self.figure.fig_margin, top=24)

    def _build_marks(self, scales: dict[str, bqplot.Scale], y: Array) -> list[bqplot.Mark]:
        levels = len(self._codes)
        size = 40 if levels <= MOST_LABELS else 14
        edges = bqplot.Lines(
            scales=scales, x=[-1.0, levels], y=[[0.0, 0.0], [1.0, 1.0]], colors=[GREY],
            stroke_width=1, opacities=[0.5], line_style="dotted",
        )  # fmt: skip
        self.people = bqplot.Lines(
            scales=scales, x=[], y=joined_segments(y - 0.003, y + 0.003), colors=[PEOPLE],
            stroke_width=3, opacities=[0.75],
        )  # fmt: skip
        self.intervals = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[RATE], stroke_width=1.5 if size < 40 else 2.5
        )
        self.rates, self.widthless = (
            bqplot.Scatter(
                scales=scales, x=[], y=[], names=[], display_names=False, marker=marker,
                colors=[color], stroke=color, default_size=size, tooltip=level_tooltip(),
                interactions={"hover": "tooltip", "click": "select"},
                selected_style={}, unselected_style={},
            )
            for marker, color in (("circle", RATE), ("square", NO_WIDTH))
        )  # fmt: skip
        self.ring = bqplot.Scatter(
            scales=scales, x=[0], y=[0], colors=[GREY], fill=False, stroke=GREY,
            stroke_width=2, default_size=300, interactions={}, visible=False,
        )  # fmt: skip
        return [edges, self.people, self.intervals, self.ring, self.rates, self.widthless]

    def look(self, view: View) -> None:
        """Bring these levels into view."""
        with self.place.hold_sync():
            air = 0.4 + 0.008 * view.shown  # half a column, and the radius of a point
            self.place.min, self.place.max = view.start - air, view.start + view.shown - 1 + air

    def write(self, view: View, otherwise: str, with_n: bool) -> None:
        """Names and sizes of the levels in view where there is room, `otherwise` this text.

        New labels are lost if they come together with new ticks, so the axes have the labels of
        all levels (see `show`), and only their ticks follow the view.
        """
        with self.names.hold_sync():
            self.names.tick_rotate = -35 if view.shown <= 15 else -60
            self.names.label = "" if view.labelled else otherwise
        for axis, written in ((self.names, True), (self.sizes, with_n)):
            _place_ticks(axis, view.places if written and view.labelled else None)

    def show(self, frame: pd.DataFrame) -> None:
        """Answers, rates and intervals, with the levels in the order of that `strip_frame`."""
        labels = (shorter(str(level), LONGEST_NAME) for level in frame["level"])
        self.names.tick_labels = dict(enumerate(labels))
        self.sizes.tick_labels = dict(enumerate(map(str, frame["n"])))
        at, y = np.arange(len(frame), dtype=np.float64), frame["estimate"].to_numpy()
        place = np.empty(len(frame))
        place[[self._codes[level] for level in frame["level"]]] = at
        people = place[self._people] + self._shift
        put(self.people, x=joined_segments(people, people))
        names, gone = np.array([str(v) for v in frame["level"]]), frame["zero_width"].to_numpy()
        low, high = frame["conf_low"].to_numpy(), frame["conf_high"].to_numpy()
        put(self.intervals, x=joined_segments(at, at), y=joined_segments(low, high))
        for mark, keep in ((self.rates, ~gone), (self.widthless, gone)):
            put(mark, x=at[keep], y=y[keep], names=names[keep])

    def select(self, frame: pd.DataFrame, place: int | None) -> None:
        """A ring around the rate at this place, or none."""
        self.ring.visible = place is not None
        if place is not None:
            with self.ring.hold_sync():
                self.ring.x, self.ring.y = [place], [frame.loc[place, "estimate"]]


class SizesPanel:
    """Sizes as stems under the strip, for where there is no room to write them.

    Parameters
    ----------
    place
        The strip's scale across.
    most
        The largest size.
    """

    def __init__(self, place: bqplot.Scale, most: float) -> None:
        up = bqplot.LinearScale(min=0.0, max=1.05 * most, allow_padding=False)
        self.stems = bqplot.Lines(
            scales={"x": place, "y": up}, x=[], y=[], colors=[SIZES], stroke_width=2
        )
        sizes = upright(
            bqplot.Axis(
                scale=up, grid_lines="none", label="n", label_offset="46px", tick_format="~g",
                tick_values=round_ticks(0.0, most, most=4),
            )
        )  # fmt: skip
        axes = [bqplot.Axis(scale=place, num_ticks=0, grid_lines="none"), sizes]
        self.figure = figure("hw-sizes", "90px", [self.stems], axes, bottom=8)

    def show(self, n: Array) -> None:
        """A stem for each size, in order."""
        at = np.arange(len(n), dtype=np.float64)
        put(self.stems, x=joined_segments(at, at), y=joined_segments(0 * n, n))


def _place_ticks(axis: bqplot.Axis, at: Array | None) -> None:
    with axis.hold_sync():
        axis.num_ticks = 0 if at is None else None
        if at is not None:
            axis.tick_values = at


def strip_key() -> str:
    """The key of the picture; shapes tell the layers apart without colour."""
    rate = f'<path d="M9 0v16" stroke="{RATE}"/><circle cx="9" cy="8" r="4" fill="{RATE}"/>'
    return legend(
        [
            ("one answer", f'<circle cx="9" cy="8" r="1.5" fill="{PEOPLE}"/>'),
            ("rate and interval", rate),
            ("rate whose interval has no width", f'<path d="M5 4h8v8h-8z" fill="{NO_WIDTH}"/>'),
            ("number of answers", '<text x="4" y="13" stroke="none" fill="currentColor">n</text>'),
        ]
    )
