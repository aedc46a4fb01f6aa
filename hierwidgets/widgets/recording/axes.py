"""Which controls of an instrument are recorded, and where each may stand.

An axis is a control with the positions a reader can bring it to. All positions of an axis are
recorded, or, where it says so, a lattice of them between which numbers are interpolated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np

from hierwidgets.widgets.parts.controls import NamedSlider

__all__ = [
    "Axis", "Plan", "go_by_controls", "menu_axis", "slider_axis", "slider_values", "switch_axis",
]  # fmt: skip

STRIDE = 12  # steps of a slider from one recorded position of a lattice to the next, at first


@dataclass(frozen=True, slots=True)
class Axis:
    """One control that is recorded.

    Attributes
    ----------
    name
        What the page calls it.
    control, trait
        The widget that a reader moves, and its trait that moves.
    values
        The positions, in their order; those of a slider rise.
    start
        The place among `values` where the instrument stands.
    stride
        Of a lattice: so many positions further the next is recorded. 1: all are.
    log
        Whether positions are evenly spaced in the logarithm.
    """

    name: str
    control: ipywidgets.Widget
    trait: str
    values: tuple[Any, ...]
    start: int
    stride: int = 1
    log: bool = False

    @property
    def support(self) -> tuple[int, ...]:
        """The places of the positions on which others rest: every so manieth, and both ends.

        Next to the ends there is one more, where interpolation is worst. None is near another: the
        rounding of two neighbours would be taken for a slope.
        """
        last, near = len(self.values) - 1, self.stride // 3
        inner = range(self.stride, last - self.stride // 2, self.stride)
        return tuple(sorted({0, near, *inner, last - near, last}))

    @property
    def nodes(self) -> tuple[int, ...]:
        """The places of the positions that are recorded: those and the start; or all."""
        if self.stride == 1:
            return tuple(range(len(self.values)))
        return tuple(sorted({*self.support, self.start}))

    @property
    def along(self) -> list[float]:
        """Where each position is, for interpolation between them."""
        if not all(isinstance(value, int | float) for value in self.values):
            return [float(i) for i in range(len(self.values))]
        return [float(np.log(v)) if self.log else float(v) for v in self.values]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is recorded of an instrument.

    Attributes
    ----------
    axes
        The controls; the first is the main one.
    go
        Brings the instrument to one value for each axis.
    buttons
        Buttons that lead to a position: for each its widget, and the places of axes by name.
    ordered
        Names of two sliders of which the first stays below the second, or at most on it: the one
        that is moved takes the other along.
    apart
        How many places apart those two stay: 1 below, 0 at most on it.
    """

    axes: tuple[Axis, ...]
    go: Callable[[Sequence[Any]], None]
    buttons: tuple[tuple[ipywidgets.Widget, dict[str, int]], ...] = ()
    ordered: tuple[str, str] | None = None
    apart: int = 0

    def possible(self, place: Sequence[int]) -> bool:
        """Whether a place keeps the order of the two sliders that have one."""
        if self.ordered is None:
            return True
        at = dict(zip((axis.name for axis in self.axes), place, strict=True))
        low, high = self.ordered
        return at[low] + self.apart <= at[high]


def slider_values(slider: NamedSlider) -> tuple[float, ...]:
    """Every value a slider's steps lead to, as its front end computes them, rising."""
    share = np.arange(slider.steps + 1) / slider.steps
    if slider.log:
        values = slider.min * (slider.max / slider.min) ** share
    else:
        values = slider.min + (slider.max - slider.min) * share
    inner = {round(float(v), slider.digits) for v in values[1:-1]}
    inner = {v for v in inner if slider.min < v < slider.max}
    return tuple(sorted({*inner, float(slider.min), float(slider.max)}))


def slider_axis(
    name: str,
    slider: NamedSlider,
    lattice: bool = False,
    also: float | None = None,
    steps: int | None = None,
) -> Axis:
    """A slider's steps, the value at which it stands, and one more to which a button leads.

    With `steps` the slider gets so many, fewer than it had.
    """
    here = float(slider.value)
    if steps is not None:
        slider.steps = steps
    values = tuple(sorted({*slider_values(slider), here, here if also is None else also}))
    stride = STRIDE if lattice else 1
    return Axis(name, slider, "value", values, values.index(here), stride, bool(slider.log))


def menu_axis(name: str, menu: ipywidgets.Dropdown) -> Axis:
    """A menu's options, by their places."""
    return Axis(name, menu, "index", tuple(range(len(menu.options))), int(menu.index))


def switch_axis(name: str, box: ipywidgets.Checkbox) -> Axis:
    """A box to tick: off, then on."""
    return Axis(name, box, "value", (False, True), int(box.value))


def go_by_controls(axes: Sequence[Axis]) -> Callable[[Sequence[Any]], None]:
    """Each control set to its value, in turn, as a reader would."""

    def go(values: Sequence[Any]) -> None:
        for axis, value in zip(axes, values, strict=True):
            setattr(axis.control, axis.trait, value)

    return go
