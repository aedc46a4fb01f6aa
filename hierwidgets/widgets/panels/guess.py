"""The picture of the guess: a row each for the guess, the raw, the pooled and the overall rate."""

from collections.abc import Collection, Mapping
from typing import Any

import bqplot
import numpy as np

from hierwidgets.base.palette import COMPLETE, GREY, NO, PARTIAL, PINK
from hierwidgets.widgets.numbers.guess import Case
from hierwidgets.widgets.parts.charts import figure, joined_segments, round_ticks, upright

__all__ = ["ROWS", "GuessPanel"]

GUESS, RAW, POOLED, OVERALL, OTHERS = PINK, NO, PARTIAL, COMPLETE, GREY
ROWS = ("your guess", "raw rate", "partial pooling", "overall rate")  # from top to bottom
HEIGHT = {"guess": 3.0, "raw": 2.0, "partial": 1.0, "overall": 0.0}  # of those rows
SIZE, RANK, SIMILARITY, WEIGHT = range(4)  # the reasons, in the order of `reasons`


class GuessPanel:
    """Marks and figure of the panel; `show` and `explain` bring them to a state.

    Parameters
    ----------
    outcome
        What the rates are rates of.
    """

    def __init__(self, rate_name: str) -> None:
        rate = bqplot.LinearScale(min=-0.02, max=1.02, allow_padding=False)
        place = bqplot.LinearScale(min=-0.6, max=3.6, allow_padding=False)
        scales = {"x": rate, "y": place}
        self.points = {
            "guess": _point(scales, "triangle-up", GUESS),
            "raw": _point(scales, "circle", RAW),
            "partial": _point(scales, "diamond", POOLED),
            "overall": _point(scales, "square", OVERALL),
        }
        self.others = _line(scales, OTHERS, 1.5, 0.8, "solid")
        self.interval = _line(scales, RAW, 2.5, 1.0, "solid")
        self.band = _line(scales, POOLED, 14.0, 0.35, "solid")
        self.pull = _line(scales, OTHERS, 2.0, 1.0, "dashed")
        across = bqplot.Axis(
            scale=rate, label=rate_name, tick_values=round_ticks(0.0, 1.0),
            tick_format="~g", grid_lines="none", label_offset="32px",
        )  # fmt: skip
        names = _rows(place, "left", dict(zip(HEIGHT.values(), ROWS, strict=True)))
        self.numbers = _rows(place, "right", dict.fromkeys(HEIGHT.values(), " "))
        lines = [self.band, self.others, self.pull, self.interval]
        self.figure = figure(
            "hw-guess", "210px", [*lines, *reversed(self.points.values())],
            [across, names, self.numbers], bottom=44,
        )  # fmt: skip
        self.figure.fig_margin = {"top": 8, "left": 118, "right": 62, "bottom": 44}

    def show(self, values: Mapping[str, float | None]) -> None:
        """A point and a number in each row; None is hidden."""
        for name, value in values.items():
            with self.points[name].hold_sync():
                self.points[name].x = [] if value is None else [value]
                self.points[name].y = [] if value is None else [HEIGHT[name]]
        self.numbers.tick_labels = {
            int(HEIGHT[name]): " " if value is None else f"{value:.3f}"
            for name, value in values.items()
        }

    def explain(self, case: Case, opened: Collection[int]) -> None:
        """The mark of each reason that is open, by its place; the others are empty."""
        row, raw, partial = case.row, HEIGHT["raw"], HEIGHT["partial"]
        others = np.delete(case.frame["raw"].to_numpy(), case.place)
        foot, head = np.full(len(others), raw - 0.3), np.full(len(others), raw + 0.3)
        strokes = joined_segments(others, others), joined_segments(foot, head)
        drawn = {
            SIZE: (self.interval, [row["conf_low"], row["conf_high"]], [raw, raw]),
            RANK: (self.others, *strokes),
            SIMILARITY: (self.band, list(case.band), [partial, partial]),
            WEIGHT: (self.pull, [row["raw"], row["partial"]], [raw, partial]),
        }
        for place, (mark, x, y) in drawn.items():
            with mark.hold_sync():
                mark.x, mark.y = (x, y) if place in opened else ([], [])


def _point(scales: dict[str, bqplot.Scale], marker: str, color: str) -> bqplot.Scatter:
    return bqplot.Scatter(
        scales=scales, x=[], y=[], marker=marker, colors=[color], stroke=color,
        default_size=110, display_names=False, interactions={},
    )  # fmt: skip


def _line(
    scales: dict[str, bqplot.Scale], color: str, width: float, opacity: float, style: str
) -> bqplot.Lines:
    return bqplot.Lines(
        scales=scales, x=[], y=[], colors=[color], stroke_width=width, opacities=[opacity],
        line_style=style,
    )  # fmt: skip


def _rows(place: bqplot.Scale, side: str, names: Mapping[float, str]) -> bqplot.Axis:
    heights: Any = {int(at): name for at, name in names.items()}
    return upright(
        bqplot.Axis(
            scale=place, grid_lines="none", side=side, tick_labels=heights,
            tick_values=np.array(list(names)),
        )
    )  # fmt: skip
