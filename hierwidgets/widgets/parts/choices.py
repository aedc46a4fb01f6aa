"""What a part of an instrument's state may be, checked in the same words for every instrument.

Each check gives the value back, or raises a `TraitError` that says what was given and what is
allowed: what a method under ``@t.validate`` needs.
"""

from collections.abc import Collection, Sequence
from typing import Any

import traitlets as t

__all__ = ["known_level", "one_of", "within"]


def one_of(name: str, value: Any, allowed: Collection[Any], listed: str | None = None) -> Any:
    """One of several choices; `listed` is how the message writes them, if not as they stand.

    Examples
    --------
    >>> one_of("sort", "age", ["name", "n"])
    Traceback (most recent call last):
    traitlets.traitlets.TraitError: sort must be one of ['name', 'n']; 'age' was given
    """
    if value not in allowed:
        raise t.TraitError(f"{name} must be one of {listed or allowed}; {value!r} was given")
    return value


def within(name: str, value: float, low: float, high: float, digits: int = 4) -> float:
    """A number from `low` to `high`, which the message rounds to significant digits.

    Examples
    --------
    >>> within("sigma", 9.0, 0.01, 5.0)
    Traceback (most recent call last):
    traitlets.traitlets.TraitError: sigma must be from 0.01 to 5; 9 was given
    """
    if not low <= value <= high:
        said = f"{value}" if isinstance(value, int) else f"{value:g}"
        limits = f"from {low:.{digits}g} to {high:.{digits}g}"
        raise t.TraitError(f"{name} must be {limits}; {said} was given")
    return value


def known_level(
    name: str, value: Any, levels: Sequence[Any], group: str, optional: bool = True
) -> Any:
    """One of the levels of a grouping factor, or None where that is `optional`."""
    if (value is not None or not optional) and value not in levels:
        some = ", ".join(map(repr, levels[:3]))
        raise t.TraitError(
            f"{name} must be {'None or ' if optional else ''}one of the {len(levels)} levels of "
            f"{group} ({some}, ...); {value!r} was given"
        )
    return value
