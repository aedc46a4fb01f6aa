"""Whole numbers as traits, and as the floats of a slider."""

import numbers
from typing import Any

import traitlets as t

from .controls import NamedSlider
from .instrument import Instrument, given

__all__ = ["Whole", "follow_slider", "whole_number"]


class Whole(t.Int):  # type: ignore[misc]
    """A whole number: 7, 7.0 and numpy's own are; 7.5 is refused, and not cut to 7."""

    def validate(self, obj: Any, value: Any) -> Any:
        if isinstance(value, numbers.Integral):
            value = int(value)
        elif isinstance(value, numbers.Real) and float(value).is_integer():
            value = int(float(value))
        return super().validate(obj, value)


def whole_number(name: str, value: Any, low: int, high: int) -> int:
    """The value as an int, or a TraitError that says what is allowed."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise t.TraitError(
            f"{name} must be a whole number from {low} to {high}; {given(value)} was given"
        )
    return int(value)


def follow_slider(instrument: Instrument, name: str, slider: NamedSlider) -> None:
    """Keep a trait that holds a whole number and a slider equal; what is typed is rounded."""

    def show(_: object = None) -> None:
        slider.value = float(getattr(instrument, name))

    def take() -> None:
        setattr(instrument, name, round(slider.value))
        show()

    slider.observe(lambda _: instrument._guarded(take), names="value")
    instrument.observe(show, names=name)
