"""How finely each number of a picture has to be kept, so that nobody sees a difference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bqplot
import ipywidgets
import numpy as np

from hierwidgets.widgets.parts.charts import plot_size
from hierwidgets.widgets.parts.instrument import Instrument, owned_widgets

from .capture import Key, Moves

__all__ = ["SHARE", "Unit", "units_of"]

SHARE = 4  # units in a pixel
_WIDEST = 640 / 560  # a figure on the page against its width in a laptop's pane


@dataclass(frozen=True, slots=True)
class Unit:
    """What a track counts in: `step` of the value, or of its common logarithm."""

    step: float
    log: bool = False

    def forth(self, values: Any) -> Any:
        """Values on the scale that is counted on."""
        return np.log10(values) if self.log else values


def units_of(instrument: Instrument, moves: Moves) -> Callable[[Key], Unit]:
    """A quarter of a pixel for the marks of each figure, and finer for the limits of scales.

    A limit moves every mark of its figure, at most by as much as it moves itself.
    """
    held = list(owned_widgets(instrument))
    # by mark: what a pixel is worth in x and y
    pixels: dict[ipywidgets.Widget, dict[str, float]] = {}
    logs: dict[ipywidgets.Widget, set[str]] = {}
    scales: dict[ipywidgets.Widget, float] = {}
    for figure in (one for one in held if isinstance(one, bqplot.Figure)):
        across, up = plot_size(figure)
        for mark in figure.marks:
            for name, count in (("x", across * _WIDEST), ("y", up)):
                scale = mark.scales.get(name)
                if scale is None:
                    continue
                worth = _range(scale, moves) / count
                pixels.setdefault(mark, {})[name] = worth
                scales[scale] = min(worth, scales.get(scale, np.inf))
                if isinstance(scale, bqplot.LogScale):
                    logs.setdefault(mark, set()).add(name)

    def unit(key: Key) -> Unit:
        widget, trait = key
        if isinstance(widget, bqplot.Scale):
            return Unit(_short(scales[widget] / SHARE / 8))
        worth = pixels.get(widget, {}).get(trait)
        if worth is None:
            return Unit(1e-6)
        return Unit(_short(worth / SHARE), trait in logs.get(widget, ()))

    return unit


def _range(scale: bqplot.Scale, moves: Moves) -> float:
    """The least that a scale ever spans, in its own or in the common logarithm's units."""
    count = max(map(len, moves.changed.values()), default=1)
    low, high = (
        np.array(moves.changed.get((scale, end), [getattr(scale, end)] * count), dtype=float)
        for end in ("min", "max")
    )
    if isinstance(scale, bqplot.LogScale):
        low, high = np.log10(low), np.log10(high)
    return float(np.abs(high - low).min())


def _short(step: float) -> float:
    return float(f"{step:.4g}")
