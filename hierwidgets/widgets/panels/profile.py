"""The dial's picture of the fit: the profile log-likelihood of sigma, and where the dial stands."""

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import GREY
from hierwidgets.widgets.parts.charts import figure, half_width, round_ticks, upright

from .weights import POOLED

__all__ = ["ProfilePanel"]

DEEPEST = 12.0  # below the best log-likelihood: where the axis ends


class ProfilePanel:
    """Marks and figure of the panel; `show` brings them to a state.

    Parameters
    ----------
    profile
        That of `profile_frame`, from the dial's smallest sigma to its largest.
    fitted, interval
        The fit's sigma, and the ends of its profile interval.
    """

    def __init__(self, profile: pd.DataFrame, fitted: float, interval: tuple[float, float]) -> None:
        best = float(profile["loglik"].max())
        floor = max(float(profile["loglik"].min()), best - DEEPEST)
        low, high = float(profile["sigma"].iloc[0]), float(profile["sigma"].iloc[-1])
        scales = {
            "x": bqplot.LogScale(min=low, max=high),
            "y": bqplot.LinearScale(min=floor - 0.3, max=best + 1.0, allow_padding=False),
        }
        curve = bqplot.Lines(
            scales=scales, x=profile["sigma"].to_numpy(), y=profile["loglik"].to_numpy(),
            colors=[GREY], stroke_width=2,
        )  # fmt: skip
        tick = bqplot.Lines(
            scales=scales, x=[max(fitted, low)] * 2, y=[floor - 0.3, best], colors=[GREY],
            stroke_width=1,
        )  # fmt: skip
        ends = np.clip(interval, low, high)
        self.interval = bqplot.Lines(
            scales=scales, x=[*ends, *ends[::-1]], y=np.repeat([floor - 0.3, best + 1.0], 2),
            colors=[GREY], stroke_width=0, fill="inside", fill_colors=[GREY],
            fill_opacities=[0.22], close_path=True,
        )  # fmt: skip
        self._bottom, self._floor = floor - 5.0, floor  # under the axis the figure clips a stem
        self.here = bqplot.Lines(
            scales=scales, x=[low, low], y=[self._bottom, floor], colors=[POOLED],
            stroke_width=2, marker="diamond", marker_size=60,
        )  # fmt: skip
        axes = _axes(scales, low, high, round_ticks(floor, best + 1.0, most=4))
        marks = [self.interval, curve, tick, self.here]
        self.figure = half_width(figure("hw-profile", "170px", marks, axes, bottom=44))

    def show(self, sigma: float, loglik: float) -> None:
        """A stem from the axis to the present log-likelihood; where that is lower, a sign down."""
        with self.here.hold_sync():
            self.here.marker = "diamond" if loglik >= self._floor else "triangle-down"
            self.here.x = [sigma, sigma]
            self.here.y = [self._bottom, max(loglik, self._floor)]


def _axes(
    scales: dict[str, bqplot.Scale], low: float, high: float, heights: Array
) -> list[bqplot.Axis]:
    ticks = [v for v in (0.01, 0.1, 1.0, 10.0) if low <= v <= high]
    across = bqplot.Axis(
        scale=scales["x"], label="σ (log scale)", tick_values=np.array(ticks), tick_format="~g",
        grid_lines="none", label_offset="32px",
    )  # fmt: skip
    up = bqplot.Axis(
        scale=scales["y"], label="log-likelihood", tick_format="~g", tick_values=heights,
        grid_lines="none", label_offset="44px",
    )  # fmt: skip
    return [across, upright(up)]
