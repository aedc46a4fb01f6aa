"""The dial's picture of the fit: the profile log-likelihood of sigma, and where the dial stands."""

import bqplot
import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import GREY
from hierwidgets.widgets.parts.charts import figure, half_width, round_ticks, upright

from .weights import POOLED, TARGET

__all__ = ["ProfilePanel"]

DEEPEST = 12.0  # below the best log-likelihood: where the axis ends


class ProfilePanel:
    """Marks and figure of the panel; `show` brings them to a state.

    Parameters
    ----------
    profile
        That of `profile_frame`, from the dial's smallest sigma to its largest.
    fitted
        The fit's sigma.
    """

    def __init__(self, profile: pd.DataFrame, fitted: float) -> None:
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
            scales=scales, x=[max(fitted, low)] * 2, y=[floor - 0.3, best], colors=[TARGET],
            line_style="dashed", stroke_width=2.5,
        )  # fmt: skip
        self._bottom = floor - 5.0  # under the axis, where the figure clips it
        self.here = bqplot.Lines(
            scales=scales, x=[low, low], y=[self._bottom, floor], colors=[POOLED],
            stroke_width=2, marker="diamond", marker_size=60,
        )  # fmt: skip
        axes = _axes(scales, low, high, round_ticks(floor, best + 1.0, most=4))
        marks = [curve, tick, self.here]
        self.figure = half_width(figure("hw-profile", "170px", marks, axes, bottom=44))

    def show(self, sigma: float, loglik: float) -> None:
        """A stem from the axis to the present log-likelihood; below the axis there is none."""
        with self.here.hold_sync():
            self.here.x, self.here.y = [sigma, sigma], [self._bottom, loglik]


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
