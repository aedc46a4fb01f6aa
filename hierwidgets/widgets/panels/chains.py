"""The pictures of the chain clinic: chains in lanes, and statistics against their limits."""

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import BLUES, BROWN, GREY, ORANGE, PINK, PURPLE
from hierwidgets.widgets.numbers import chains as numbers
from hierwidgets.widgets.numbers.words import shorter
from hierwidgets.widgets.parts.charts import (
    MARGIN,
    figure,
    half_width,
    joined_segments,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.legend import legend

__all__ = ["LANE", "MOST_ROWS", "Ranks", "StatisticsPicture", "Traces", "chains_legend"]


# passing and failing also differ in being hollow or filled
PASSES, FAILS, SELECTED = PURPLE, ORANGE, PINK
CHAINS, EXPECTED, LIMIT = BLUES[1], BROWN, GREY
STATISTICS = {"rhat": "square", "ess_bulk": "circle", "ess_tail": "triangle-up"}  # and markers
INK = "var(--jp-ui-font-color1)"
BINS = 20  # of the histograms of ranks
LANE = 0.86  # of a lane's height that is used
MOST_ROWS = 12  # of the picture of statistics
_RHAT, _ESS = (0.0, 0.44), (0.56, 1.0)  # shares of the width
_HIGHEST_RHAT = 2.0


class Lanes:
    """One figure with a lane for each chain: a line in it, and one to compare it with.

    Attributes
    ----------
    figure
        To be shown.
    line, expected
        Of all lanes, one path each.
    labels
        The numbers of the chains.
    """

    def __init__(self, name: str, height: str, label: str) -> None:
        self._across = bqplot.LinearScale(min=0, max=1, allow_padding=False)
        self._up = bqplot.LinearScale(min=-1, max=0, allow_padding=False)
        scales = {"x": self._across, "y": self._up}
        self.line = bqplot.Lines(scales=scales, x=[], y=[], colors=[CHAINS], stroke_width=0.9)
        self.expected = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[EXPECTED], stroke_width=2, line_style="dashed"
        )
        self.labels = _texts(scales, "end", -8, 4)
        self._bottom = bqplot.Axis(
            scale=self._across, grid_lines="none", label=label, label_offset="32px",
            tick_values=np.array([]), tick_format="~g",
        )  # fmt: skip
        self._side = upright(
            bqplot.Axis(
                scale=self._up, grid_lines="none", label="chain", label_offset="34px", num_ticks=0
            )
        )
        marks, axes = [self.line, self.expected, self.labels], [self._bottom, self._side]
        self.figure = half_width(figure(name, height, marks, axes, bottom=44))
        self.figure.fig_margin = {**self.figure.fig_margin, "left": 50, "right": 22}

    def _lanes(self, chains: tuple[int, ...], high: float, label: str | None = None) -> None:
        """One lane for each of these chains, from 0 to `high` across."""
        self._across.max, self._up.min = high, -float(len(chains)) - 0.04
        put(
            self.labels, x=np.zeros(len(chains)), y=LANE / 2 - 1 - np.arange(len(chains)),
            text=np.array([str(chain) for chain in chains]),
        )  # fmt: skip
        if label is not None:
            with self._bottom.hold_sync():
                self._bottom.label = label
                put(self._bottom, tick_values=round_ticks(0.0, high, most=6))

    def _draw_lines(self, x: Array, y: Array, at: float) -> None:
        """Lines (C, P) with y from 0 to 1, and the height to compare them with."""
        bottom = -1.0 - np.arange(len(y))
        ends = np.array([self._across.min, self._across.max])
        for mark, xs, ys in (
            (self.line, x, bottom[:, None] + LANE * y),
            (self.expected, np.broadcast_to(ends, (len(y), 2)),
             np.broadcast_to((bottom + LANE * at)[:, None], (len(y), 2))),
        ):  # fmt: skip
            put(mark, x=_one_path(xs), y=_one_path(ys))

    def clear(self) -> None:
        """Nothing, where there are no draws."""
        for mark in (self.line, self.expected):
            with mark.hold_sync():
                mark.x, mark.y = np.array([]), np.array([])


class Traces(Lanes):
    """Draws in their order, every lane from the smallest draw to the largest of all chains."""

    def __init__(self, height: str) -> None:
        super().__init__("hw-traces", height, "draw")

    def draw(self, values: Array, chains: tuple[int, ...]) -> None:
        """Draws (C, D); the first of the chains have a lane and a number each."""
        low, high = float(values.min()), float(values.max())
        wide = high - low if high > low else 1.0
        frame = numbers.trace_frame(values[: len(chains)])
        x, y = (frame[c].to_numpy(np.float64).reshape(len(chains), -1) for c in ("draw", "value"))
        label = f"draw; from {low:.3g} to {high:.3g}"
        self._lanes(chains, float(values.shape[1]), label)
        self._draw_lines(x, (y - low) / wide, float((np.median(values) - low) / wide))


class Ranks(Lanes):
    """Histograms of the ranks of each chain's draws, and what agreeing chains show."""

    def __init__(self, height: str) -> None:
        super().__init__("hw-ranks", height, "rank of the draw, low to high")

    def draw(self, values: Array, chains: tuple[int, ...]) -> None:
        """Draws (C, D); the first of the chains have a lane and a number each."""
        frame = numbers.rank_frame(values, BINS)
        counts = frame["count"].to_numpy(np.float64).reshape(len(values), BINS)[: len(chains)]
        expected = float(frame["expected"].iloc[0])
        top = max(float(counts.max()), 2 * expected)
        edges = np.repeat(np.arange(BINS + 1.0), 2) / BINS
        heights = np.pad(np.repeat(counts / top, 2, axis=1), ((0, 0), (1, 1)))
        self._lanes(chains, 1.0)
        self._draw_lines(np.broadcast_to(edges, heights.shape), heights, expected / top)


def _texts(scales: dict[str, bqplot.Scale], align: str, right: int, down: int) -> bqplot.Label:
    """Texts beside the plot: an axis loses new labels that come together with new ticks."""
    return bqplot.Label(
        scales=scales, x=np.array([]), y=np.array([]), text=np.array([]), align=align,
        colors=[INK], default_size=11, font_weight="normal", apply_clip=False,
        x_offset=right, y_offset=down, interactions={},
    )  # fmt: skip


def _one_path(rows: Array) -> Array:
    """Rows one after the other, with a gap between: one path is quick to draw."""
    gaps = np.full((len(rows), 1), np.nan)
    return np.concatenate([rows, gaps], axis=1).ravel()[:-1]


class StatisticsPicture:
    """R-hat, and bulk and tail effective sample size, of each parameter against their limits.

    Attributes
    ----------
    figure
        To be shown.
    marks
        Points by statistic and whether they pass.
    limits, row, names
        The thresholds, the line through the parameter that is selected, and the names.
    shown : list of str
        The parameters that have a row.
    """

    def __init__(self, name: str, rows: int) -> None:
        x = bqplot.LinearScale(min=-0.02, max=1.02, allow_padding=False)
        self._up = bqplot.LinearScale(min=-1, max=0, allow_padding=False)
        scales = {"x": x, "y": self._up}
        self.limits = bqplot.Lines(scales=scales, x=[], y=[], colors=[LIMIT], stroke_width=2)
        self.row = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[SELECTED], stroke_width=4, opacities=[0.6]
        )
        self.marks = {
            (name, ok): bqplot.Scatter(
                scales=scales, x=[], y=[], marker=marker,
                colors=[PASSES if ok else FAILS], stroke=PASSES if ok else FAILS,
                fill=not ok, stroke_width=1.5, default_size=60, interactions={},
            )
            for name, marker in STATISTICS.items()
            for ok in (True, False)
        }  # fmt: skip
        self._grid = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[GREY], stroke_width=1, opacities=[0.35]
        )
        self._values, self.names = _texts(scales, "middle", 0, 14), _texts(scales, "end", -8, 4)
        above = bqplot.Axis(
            scale=x, side="top", grid_lines="none", tick_values=np.array([0.22, 0.78]),
            tick_labels={0.22: "R-hat", 0.78: "effective sample size"},
        )  # fmt: skip
        height = f"{56 + 20 * min(rows, MOST_ROWS)}px"
        marks = [
            self._grid, self.row, self.limits, *self.marks.values(), self._values, self.names,
        ]  # fmt: skip
        self.figure = figure(name, height, marks, [above], bottom=26)
        self.figure.fig_margin = {**MARGIN, "left": 124, "top": 26, "bottom": 26}
        self.shown: list[str] = []

    def draw(self, judged: pd.DataFrame, ess: float) -> None:
        """Every parameter of a judged table, or the worst of many."""
        table = _worst(judged)
        self.shown = list(table.index)
        self._up.min = -float(len(table))
        middle = -0.5 - np.arange(len(table), dtype=np.float64)
        high_rhat = float(np.clip(np.nanmax([*table["rhat"], 1.05]) * 1.01, 1.06, _HIGHEST_RHAT))
        sizes = table[["ess_bulk", "ess_tail"]].to_numpy(np.float64)
        span = (
            min(10.0, float(np.nanmin([10.0, *sizes.ravel()]))),
            max(10_000.0, float(np.nanmax([ess, *sizes.ravel()]))),
        )
        self._draw_axes(middle, high_rhat, span)
        at = np.array([_rhat_place(1.01, high_rhat), _ess_place(ess, span)])
        with self.limits.hold_sync():
            self.limits.x = joined_segments(at, at)
            self.limits.y = joined_segments(np.full(2, -float(len(table))), np.zeros(2))
        self._draw_points(table, middle, high_rhat, span)

    def _draw_points(
        self, table: pd.DataFrame, middle: Array, high: float, span: tuple[float, float]
    ) -> None:
        layers = (
            ("rhat", _rhat_place(table["rhat"].to_numpy(np.float64), high), 0.0),
            ("ess_bulk", _ess_place(table["ess_bulk"].to_numpy(np.float64), span), 0.16),
            ("ess_tail", _ess_place(table["ess_tail"].to_numpy(np.float64), span), -0.16),
        )
        for name, x, up in layers:
            for ok in (True, False):
                mine, mark = (table[f"{name}_ok"] == ok).to_numpy(), self.marks[name, ok]
                with mark.hold_sync():
                    mark.x, mark.y = x[mine], (middle + up)[mine]

    def _draw_axes(self, middle: Array, high: float, span: tuple[float, float]) -> None:
        rhats = [v for v in (1.0, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0) if v <= high]
        rhats = _apart(rhats, 0.24 * (high - 1))
        sizes = [10.0**k for k in range(int(np.floor(np.log10(span[0]))), 7)]
        sizes = [v for v in sizes if span[0] <= v <= span[1]]
        at = np.concatenate([_rhat_place(np.array(rhats), high), _ess_place(np.array(sizes), span)])
        bottom = np.full(len(at), self._up.min)
        with self._grid.hold_sync():
            self._grid.x = joined_segments(at, at)
            self._grid.y = joined_segments(bottom, np.zeros(len(at)))
        with self._values.hold_sync():
            self._values.x, self._values.y = at, bottom
            self._values.text = np.array(
                [*(f"{v:g}" for v in rhats), *(f"{v:,.0f}" for v in sizes)]
            )
        with self.names.hold_sync():
            self.names.x, self.names.y = np.full(len(middle), -0.02), middle
            self.names.text = np.array([shorter(name, 19) for name in self.shown])

    def select(self, parameter: str) -> None:
        """A line through the row of that parameter."""
        found = self.shown.index(parameter) if parameter in self.shown else None
        y = np.array([]) if found is None else np.full(2, -0.5 - found)
        put(self.row, x=np.array([-0.02, 1.02])[: len(y)], y=y)

    def pick(self, up: float) -> str | None:
        """The parameter at a share of the height, from below."""
        row = int((1 - up) * len(self.shown))
        return self.shown[row] if 0 <= row < len(self.shown) else None


def _apart(values: list[float], least: float) -> list[float]:
    """Those of increasing values that are so far from the one kept before."""
    kept = values[:1]
    for value in values[1:]:
        if value - kept[-1] >= least:
            kept.append(value)
    return kept


def _rhat_place(rhat: float | Array, high: float) -> Array:
    share = (np.asarray(rhat, dtype=np.float64) - 1.0) / (high - 1.0)
    return _RHAT[0] + (_RHAT[1] - _RHAT[0]) * np.clip(np.nan_to_num(share, nan=1.0), 0, 1)


def _ess_place(ess: float | Array, span: tuple[float, float]) -> Array:
    low, high = np.log10(span[0]), np.log10(span[1])
    share = (np.log10(np.nan_to_num(np.maximum(ess, 1.0), nan=span[0])) - low) / (high - low)
    return np.asarray(_ESS[0] + (_ESS[1] - _ESS[0]) * np.clip(share, 0, 1))


def _worst(judged: pd.DataFrame) -> pd.DataFrame:
    """All rows, or the worst of too many, in their order."""
    if len(judged) <= MOST_ROWS:
        return judged
    bad = judged["rhat"].fillna(np.inf).rank() - judged[["ess_bulk", "ess_tail"]].min(axis=1).rank()
    return judged.loc[judged.index.isin(bad.nlargest(MOST_ROWS).index)]


def chains_legend() -> str:
    """The key of the pictures; shape and filling tell the layers apart without colour."""
    square, circle = '<path d="M4 3h10v10h-10z"{}/>', '<circle cx="9" cy="8" r="5"{}/>'
    triangle = '<path d="M9 2l6 11h-12z"{}/>'
    hollow = f' fill="none" stroke="{PASSES}" stroke-width="2"'
    filled = f' fill="{FAILS}"'
    dashed = f'<path d="M0 8h18" stroke="{EXPECTED}" stroke-width="2" stroke-dasharray="5 3"/>'
    keys = (
        ("what chains that agree show", dashed),
        ("R-hat", square.format(hollow)),
        ("bulk ESS", circle.format(hollow)),
        ("tail ESS", triangle.format(hollow)),
        ("filled: fails", square.format(filled) + triangle.format(filled)),
        ("limit", f'<path d="M9 0v16" stroke="{LIMIT}"/>'),
        ("shown above", f'<path d="M0 8h18" stroke="{SELECTED}" stroke-width="4"/>'),
    )
    return legend(keys)
