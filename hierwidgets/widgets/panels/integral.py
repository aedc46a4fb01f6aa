"""The pictures of the lens: an integrand with its nodes, its error, and the estimates."""

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import BROWN, COMPLETE, GREY, LIGHT_GREY, PARTIAL
from hierwidgets.widgets.numbers.integral import MOST_NODES, Lens
from hierwidgets.widgets.numbers.integral_words import TOLD, from_to
from hierwidgets.widgets.parts.charts import (
    figure,
    half_width,
    joined_segments,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.legend import legend

__all__ = ["ErrorPanel", "IntegrandPanel", "RunningPanel", "integral_key", "nodes_at"]

INTEGRAND, LAPLACE, NODES = PARTIAL, COMPLETE, BROWN
INK = "var(--jp-ui-font-color1)"
HIGHEST = 1.12  # of heights over the peak: what lies beyond is cut
ZERO, SWING = -0.37, 0.22  # of the differences below the curves: their line, and how far they go
FACTORS = np.multiply.outer(10.0 ** np.arange(7), [1.0, 2.0, 5.0]).ravel()
LEAST_ERROR, MOST_ERROR = -10.0, 2.0  # percent of the area, as powers of ten
ENDS = (0.2, MOST_NODES + 0.8)  # of the axis of nodes
LANE, TOP = 0.56, 0.8  # of a lane's height: the line, and the words above it


class IntegrandPanel:
    """Integrand, normal curve and nodes; `show` brings them to a state.

    Parameters
    ----------
    axis
        The name of the axis across.
    """

    def __init__(self, axis: str) -> None:
        self.place = bqplot.LinearScale(min=0.0, max=1.0, allow_padding=False)
        height = bqplot.LinearScale(min=ZERO - SWING, max=HIGHEST, allow_padding=False)
        scales = {"x": self.place, "y": height}
        self._area = bqplot.Lines(
            scales=scales, x=[0, 1], y=[0, 0], colors=[INTEGRAND], stroke_width=0, fill="inside",
            fill_colors=[INTEGRAND], fill_opacities=[0.15], close_path=True,
        )  # fmt: skip
        self._ground = _line(scales, LIGHT_GREY, "solid", 1)
        self.differences = {
            "laplace": _line(scales, LAPLACE, "dashed", 2.5),
            "quadrature": _line(scales, NODES, "dash_dotted", 2),
        }
        self._factor = bqplot.Label(
            scales=scales, x=np.zeros(1), y=np.array([ZERO + SWING]), text=np.array([""]),
            colors=[INK], default_size=11, font_weight="normal", x_offset=4, interactions={},
        )  # fmt: skip
        self.lines = {
            "integrand": _line(scales, INTEGRAND, "solid", 3),
            "laplace": _line(scales, LAPLACE, "dashed", 2.5),
            "quadrature": _line(scales, NODES, "dash_dotted", 2),
        }
        self._stems = _line(scales, NODES, "solid", 1)
        self.nodes = bqplot.Scatter(
            scales=scales, x=[], y=[], colors=[NODES], stroke=NODES, default_size=60,
            interactions={},
        )  # fmt: skip
        self.place_axis = bqplot.Axis(
            scale=self.place, grid_lines="none", label=axis, label_offset="30px", tick_format="~g"
        )
        up = upright(
            bqplot.Axis(
                scale=height, grid_lines="none", label="height over the peak", label_offset="44px",
                tick_values=np.array([0.0, 0.5, 1.0]), tick_format="~g",
            )
        )  # fmt: skip
        marks = [
            self._area, self._ground, self._stems, *self.lines.values(),
            *self.differences.values(), self.nodes, self._factor,
        ]  # fmt: skip
        self.figure = figure("hw-integrand", "300px", marks, [self.place_axis, up], bottom=42)

    def show(self, lens: Lens) -> None:
        """The curves of `lens`, and those of its nodes that are inside the picture."""
        low, high = float(lens.at[0]), float(lens.at[-1])
        if (self.place.min, self.place.max) != (low, high):
            with self.place.hold_sync():
                self.place.min, self.place.max = low, high
            self.place_axis.tick_values = round_ticks(low, high)
            put(
                self._ground,
                x=np.array([low, high, np.nan, low, high]),
                y=np.array([0.0, 0.0, np.nan, ZERO, ZERO]),
            )
        put(
            self._area,
            x=np.concatenate([lens.at, lens.at[[-1, 0]]]),
            y=np.concatenate([lens.integrand, np.zeros(2)]),
        )
        for name, line in self.lines.items():
            put(line, x=lens.at, y=np.clip(getattr(lens, name), 0.3 * ZERO, HIGHEST))
        several = len(lens.node_at) > 1  # with one node the curve is Laplace's
        self.lines["quadrature"].visible = self.differences["quadrature"].visible = several
        self._show_differences(lens)
        inside = (lens.node_at >= low) & (lens.node_at <= high)
        x, y = lens.node_at[inside], lens.node_height[inside]
        put(self._stems, x=joined_segments(x, x), y=joined_segments(0 * y, y))
        put(self.nodes, x=x, y=y)

    def _show_differences(self, lens: Lens) -> None:
        """Each curve less the integrand, as often as makes Laplace's fill its strip."""
        fits = FACTORS * float(np.abs(lens.laplace - lens.integrand).max()) <= SWING
        factor = FACTORS[fits][-1] if fits.any() else 1.0
        for name, line in self.differences.items():
            off = factor * (getattr(lens, name) - lens.integrand)
            put(line, x=lens.at, y=ZERO + np.clip(off, -SWING, SWING))
        times = "" if factor == 1 else f", × {factor:,.0f}"
        put(self._factor, x=lens.at[:1], text=np.array([f"curve less integrand{times}"]))


class ErrorPanel:
    """The error of one area against the number of nodes; `show` brings it to a state."""

    def __init__(self) -> None:
        up = bqplot.LinearScale(min=LEAST_ERROR - 0.6, max=MOST_ERROR + 0.6, allow_padding=False)
        scales = {"x": _nodes_scale(), "y": up}
        self.here = _line(scales, GREY, "solid", 1)
        self.line = _line(scales, NODES, "solid", 1.5)
        self.small, self.large = (
            bqplot.Scatter(
                scales=scales, x=[], y=[], colors=[NODES], stroke=NODES, marker=marker, fill=fill,
                default_size=36, stroke_width=1.5, interactions={},
            )
            for marker, fill in (("triangle-down", True), ("triangle-up", False))
        )  # fmt: skip
        names = {-9: "10⁻⁹", -6: "10⁻⁶", -3: "0.001", 0: "1"}  # of powers of ten
        side = upright(
            bqplot.Axis(
                scale=up, grid_lines="none", label="error of the area, %", label_offset="44px",
                tick_values=np.array(list(names), float), tick_labels=names,
            )
        )  # fmt: skip
        marks = [self.here, self.line, self.small, self.large]
        axes = [_across(scales["x"]), side]
        self.figure = half_width(figure("hw-error", "195px", marks, axes, bottom=42))
        self.figure.fig_margin = {**self.figure.fig_margin, "left": 62}

    def show(self, errors: Array, nodes: int) -> None:
        """Errors (MOST_NODES,) as shares of the area; one of arithmetic alone has no mark."""
        count = np.arange(1.0, len(errors) + 1)
        told = np.maximum(np.abs(errors), TOLD)
        power = np.minimum(np.log10(100 * told), MOST_ERROR)
        put(self.line, x=count, y=power)
        for mark, which in ((self.small, errors <= -TOLD), (self.large, errors >= TOLD)):
            put(mark, x=count[which], y=power[which])
        put(
            self.here,
            x=np.array([nodes, nodes], float), y=np.array([LEAST_ERROR - 0.6, MOST_ERROR + 0.6]),
        )  # fmt: skip


class RunningPanel:
    """The estimates against the number of nodes, in lanes; `show` marks one number.

    Parameters
    ----------
    running
        That of `running_frame`.
    lanes
        The columns shown, from above, and what they are called.
    """

    def __init__(self, running: pd.DataFrame, lanes: dict[str, str]) -> None:
        self._nodes = running["nodes"].to_numpy(float)
        values = np.array([running[column].to_numpy(float) for column in lanes])
        bottoms = np.arange(len(lanes))[::-1, None]
        self._heights = bottoms + 0.1 + LANE * np.array([_unit(lane) for lane in values])
        up = bqplot.LinearScale(min=0.0, max=float(len(lanes)), allow_padding=False)
        scales = {"x": _nodes_scale(), "y": up}
        gap = np.full((len(lanes), 1), np.nan)
        across = np.broadcast_to(self._nodes, values.shape)
        self.line = bqplot.Lines(
            scales=scales, x=np.hstack([across, gap]).ravel()[:-1],
            y=np.hstack([self._heights, gap]).ravel()[:-1], colors=[INTEGRAND], stroke_width=2,
        )  # fmt: skip
        self.here = _line(scales, GREY, "solid", 1)
        self.values = bqplot.Scatter(
            scales=scales, x=[], y=[], colors=[INTEGRAND], stroke=INTEGRAND, marker="diamond",
            default_size=60, interactions={},
        )  # fmt: skip
        self.words = bqplot.Label(
            scales=scales, x=np.full(len(lanes), ENDS[1]), y=bottoms[:, 0] + TOP,
            text=np.array([from_to(lane[np.isfinite(lane)]) for lane in values]), align="end",
            colors=[INK], default_size=11, font_weight="normal", apply_clip=False,
            interactions={},
        )  # fmt: skip
        names = dict(zip((bottoms[:, 0] + 0.1 + LANE / 2).tolist(), lanes.values(), strict=True))
        side = upright(
            bqplot.Axis(
                scale=up, grid_lines="none", tick_labels=names, tick_values=np.array(list(names)),
                tick_style={"font-size": "11px"},
            )
        )  # fmt: skip
        marks = [self.here, self.line, self.values, self.words]
        axes = [_across(scales["x"]), side]
        self.figure = half_width(figure("hw-running", "195px", marks, axes, bottom=42))

    def show(self, nodes: int) -> None:
        """A diamond on each line."""
        at = self._heights[:, nodes - 1]
        there = np.isfinite(at)
        put(self.values, x=np.full(there.sum(), float(nodes)), y=at[there])
        put(
            self.here,
            x=np.array([nodes, nodes], float), y=np.array([0.0, float(len(self._heights))]),
        )  # fmt: skip


def nodes_at(share: float) -> int:
    """The number of nodes at a share of the width of a lower picture.

    Examples
    --------
    >>> nodes_at(0.0), nodes_at(0.5), nodes_at(1.0)
    (1, 13, 25)
    """
    low, high = ENDS
    return int(np.clip(round(low + share * (high - low)), 1, MOST_NODES))


def _unit(lane: Array) -> Array:
    """Values between 0 and 1; of equal ones the middle."""
    low, high = np.nanmin(lane), np.nanmax(lane)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        return 0.5 + 0 * lane
    unit: Array = (lane - low) / (high - low)
    return unit


def _line(scales: dict[str, bqplot.Scale], color: str, style: str, width: float) -> bqplot.Lines:
    return bqplot.Lines(
        scales=scales, x=[], y=[], colors=[color], line_style=style, stroke_width=width
    )


def _nodes_scale() -> bqplot.LinearScale:
    return bqplot.LinearScale(min=ENDS[0], max=ENDS[1], allow_padding=False)


def _across(scale: bqplot.Scale) -> bqplot.Axis:
    return bqplot.Axis(
        scale=scale, grid_lines="none", label="nodes", label_offset="30px",
        tick_values=np.array([1.0, 5.0, 10.0, 15.0, 20.0, 25.0]), tick_format="~g",
    )  # fmt: skip


def integral_key() -> str:
    """The key of the pictures: dashes and shapes tell the layers apart without colour."""

    def line(color: str, dashes: str) -> str:
        return f'<path d="M0 8h30" stroke="{color}" stroke-width="3" stroke-dasharray="{dashes}"/>'

    dot = f'<path d="M15 8v8" stroke="{NODES}"/><circle cx="15" cy="6" r="4" fill="{NODES}"/>'
    down = f'<path d="M10 4h10l-5 8z" fill="{NODES}"/>'
    up = f'<path d="M10 12h10l-5 -8z" fill="none" stroke="{NODES}"/>'
    diamond = f'<path d="M15 1l6 7-6 7-6-7z" fill="{INTEGRAND}"/>'
    return legend(
        [
            ("integrand", line(INTEGRAND, "none")),
            ("normal curve of Laplace", line(LAPLACE, "8 4")),
            ("node", dot),
            ("curve of the nodes", line(NODES, "8 3 2 3")),
            ("area too small", down),
            ("too large", up),
            ("estimate", diamond),
        ],
        width=30,
    )
