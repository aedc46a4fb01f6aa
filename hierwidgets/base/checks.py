"""Checks of what many functions are given, in the same words everywhere."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from hierwidgets.errors import DataError

__all__ = ["Seed", "check_level", "check_names", "check_seed", "check_whole"]

Seed = int | Sequence[int] | np.random.SeedSequence | np.random.Generator | None


def check_level(level: Any, name: str = "level") -> None:
    """Refuse what is not a confidence level; `name` is what the caller calls it."""
    number = isinstance(level, (int, float, np.number)) and not isinstance(level, bool)
    if not number or not 0 < level < 1:
        raise DataError(f"{name}={level!r}; a confidence level lies between 0 and 1, such as 0.9")


def check_seed(seed: Seed) -> np.random.Generator:
    """A generator from a seed; None draws the seed from the operating system."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise DataError(
            f"seed={seed!r} is not a seed; pass a whole number, 0 or larger, or a numpy Generator"
        ) from None


def check_whole(value: Any, name: str, least: int, most: int | None = None, what: str = "") -> int:
    """A whole number within its limits, as an int; `what` it is, in words, for the message.

    Examples
    --------
    >>> check_whole(2.5, "folds", 2)
    Traceback (most recent call last):
    hierwidgets.errors.DataError: folds=2.5; give a whole number, 2 or larger
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        limits = f", {least} or larger" if most is None else f" from {least} to {most}"
        of = f" of {what}" if what else ""
        raise DataError(f"{name}={value!r}; give a whole number{of}{limits}")
    return int(value)


def check_names(columns: Collection[Any], own: Sequence[str], given: bool) -> None:
    """Refuse columns that are named as those a result adds; `given`: they are those of newdata.

    Examples
    --------
    >>> check_names(["x", "estimate"], ["estimate"], given=False)
    Traceback (most recent call last):
    hierwidgets.errors.DataError: the data already have the columns ['estimate'], which ...
    """
    if not (taken := [name for name in own if name in columns]):
        return
    if given:
        raise DataError(
            f"newdata already has the columns {taken}, which the result adds; rename them"
        )
    raise DataError(
        f"the data already have the columns {taken}, which the result adds; rename them there and "
        "fit again"
    )
