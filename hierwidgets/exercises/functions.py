"""How a function given as an answer differs from what is expected: it is called and looked at.

`first_difference` and `broken_property` say it in words, None if all is well. A function that stops
or still holds the three dots raises one of the two exceptions.
"""

import copy
from collections.abc import Callable

import numpy as np
import pandas as pd

from .answers import mismatch
from .exercise import Exercise

__all__ = [
    "CallError", "OpenError", "agrees", "broken_property", "first_difference", "is_open",
]  # fmt: skip


class OpenError(Exception):
    """The function still returns the three dots."""


class CallError(Exception):
    """The function stopped with an exception; the message says so in words."""


def first_difference(
    answer: Callable[..., object],
    reference: Callable[..., object],
    exercise: Exercise,
    rtol: float = 0.0,
) -> str | None:
    """The first of the exercise's inputs on which two functions differ, and how, in words."""
    if exercise.up_to_constant:
        for first, second in zip(exercise.inputs[::2], exercise.inputs[1::2], strict=True):
            right = _step(reference, first, second)
            if problem := mismatch(_step(answer, first, second), right, exercise.atol, rtol=rtol):
                return f"Between the arguments {_show(first)} and {_show(second)}: {problem}"
        return None
    for arguments in exercise.inputs:
        result, right = _call(answer, arguments), reference(*copy.deepcopy(arguments))
        if problem := mismatch(result, right, exercise.atol, rtol=rtol):
            return f"For the arguments {_show(arguments)}: {problem}"
    return None


def _step(
    function: Callable[..., object], first: tuple[object, ...], second: tuple[object, ...]
) -> object:
    """How much the function differs between two inputs; what is no number stays as it is."""
    low, high = _call(function, first), _call(function, second)
    try:
        return float(high) - float(low)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return high


def _call(function: Callable[..., object], arguments: tuple[object, ...]) -> object:
    try:
        result = function(*copy.deepcopy(arguments))
    except Exception as error:  # whatever a student's function raises is told in words
        name, text = type(error).__name__, str(error).strip()[:200]
        raise CallError(
            f"The function stopped with {name} ({text}) for the arguments {_show(arguments)}."
        ) from error
    if is_open(result):
        raise OpenError
    return result


def is_open(answer: object) -> bool:
    """Whether an answer is the three dots, or has them inside."""
    return answer is ... or (isinstance(answer, tuple | list) and any(v is ... for v in answer))


def agrees(
    answer: object,
    other: object,
    exercise: Exercise,
    rtol: float = 0.0,
) -> bool:
    """Whether two are functions that do the same; one that stops at some input does not."""
    if not callable(answer) or not callable(other):
        return False
    try:
        return first_difference(answer, other, exercise, rtol) is None
    except CallError:
        return False


def broken_property(exercise: Exercise, answer: Callable[..., object]) -> str | None:
    """The first property of the exercise that a function does not have, in words."""

    def asked(*arguments: object) -> object:
        result = answer(*arguments)
        if is_open(result):
            raise OpenError
        return result

    for words, holds in exercise.properties:
        try:
            kept = holds(asked)
        except OpenError:
            raise
        except Exception as error:  # as above: the test calls the student's function
            return f"While testing that {words}, it stopped with {type(error).__name__}: {error}"
        if not kept:
            begin = (
                "The values asked for are right, but this should hold too"
                if exercise.inputs
                else "This should hold, and does not"
            )
            return f"{begin}: {words}."
    return None


def _show(arguments: tuple[object, ...]) -> str:
    text = ", ".join(_short(argument) for argument in arguments)
    return f"`({text})`"


def _short(value: object) -> str:
    if isinstance(value, pd.DataFrame):
        return f"a table of {len(value)} rows"
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return f"an array of {' by '.join(map(str, value.shape))} numbers"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
