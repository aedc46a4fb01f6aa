"""Instant checks and stepwise hints for the exercises of lectures and assignments.

``check(name, answer)`` says whether an answer is right and, when it is not, what went wrong if
the slip is a known one. ``hint(name, step=1)`` gives the first hint, ``step=2`` the second.
Neither keeps a score or remembers a call: the same call always gives the same output.

An exercise is a frozen record, `Exercise`. What it expects is a function, so the right answer
is computed from the data when it is asked for and never typed in. The records of the lectures
are the course's; whoever has some names them in the entry point group `hierwidgets.exercises`;
an assignment adds its own with `register`.
"""

import difflib
import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from hierwidgets.base.palette import GREEN, GREY, ORANGE, PURPLE
from hierwidgets.errors import DataError

from .answers import mismatch, times_hundred
from .exercise import Exercise, Mistake
from .functions import CallError, OpenError, agrees, broken_property, first_difference, is_open

__all__ = [
    "Exercise", "Hint", "Mistake", "Verdict", "check", "hint", "names", "register", "require",
]  # fmt: skip

_GROUP = "hierwidgets.exercises"  # of entry points, each a tuple of exercises
_OPEN = "Put your answer in place of the three dots and run the cell again."
_COARSE = (
    "That may be right, but with so few decimals it cannot be told from a common slip. Give more."
)
_NEAR = 0.01  # relative: 1.64 in place of 1.6449, squared
_APART = 0.03  # relative: a slip nearer to what is right is only known exactly
_PERCENT = "This looks like a percentage. Give a proportion, a number between 0 and 1."


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What `check` found: true or false as a bool, words and a symbol on the screen."""

    status: str
    message: str

    def __bool__(self) -> bool:
        return self.status == "right"

    def __repr__(self) -> str:
        return f"{_SYMBOLS[self.status]} {_WORDS[self.status]} {self.message}".rstrip()

    def _repr_html_(self) -> str:
        label = f"{_SYMBOLS[self.status]} {_WORDS[self.status]}"
        return _box(label, self.message, _COLOURS[self.status])


@dataclass(frozen=True, slots=True, repr=False)
class Hint:
    """One hint of an exercise: hint `step` of `steps`."""

    step: int
    steps: int
    message: str

    def __repr__(self) -> str:
        return f"Hint {self.step} of {self.steps}. {self.message}"

    def _repr_html_(self) -> str:
        return _box(f"Hint {self.step} of {self.steps}.", self.message, PURPLE)


_SYMBOLS = {"right": "✓", "wrong": "✗", "open": "○"}
_WORDS = {"right": "Right.", "wrong": "Not yet.", "open": "No answer yet."}
_COLOURS = {"right": GREEN, "wrong": ORANGE, "open": GREY}


def check(name: str, answer: object) -> Verdict:
    """Whether `answer` is right, as a `Verdict` that reads as words and counts as a bool.

    Parameters
    ----------
    name
        The exercise, such as ``"01-interval"``.
    answer
        A number, text, sequence, array, Series, DataFrame or function, as the exercise asks.
        Three dots (``...``), also inside a pair or returned by a function, stand for "not
        answered yet".

    Raises
    ------
    DataError
        For an unknown name; the message lists similar ones.

    Examples
    --------
    >>> from hierwidgets.exercises import check
    >>> check("01-interval", ...)
    ○ No answer yet. Put your answer in place of the three dots and run the cell again.
    >>> bool(check("01-interval", "about a third"))
    False
    """
    return _judge(_find(name), answer, rounded=True)


def _judge(exercise: Exercise, answer: object, *, rounded: bool) -> Verdict:
    try:
        problem = _OPEN if is_open(answer) else _problem(exercise, answer, rounded)
    except OpenError:
        problem = _OPEN
    if problem is _OPEN:
        return Verdict("open", _OPEN)
    return Verdict("right", exercise.right) if problem is None else Verdict("wrong", problem)


def require(exercise: str | Exercise, answer: object) -> None:
    """Print the verdict on a right answer; raise on any other, as a graded cell needs it.

    Parameters
    ----------
    exercise
        The name of a registered exercise, or an `Exercise` itself, which a hidden test makes on
        the spot and registers nowhere.
    answer
        As for `check`.

    Raises
    ------
    AssertionError
        With the verdict as its message, unless the answer is right.

    Examples
    --------
    >>> from hierwidgets.exercises import Exercise, require
    >>> third = Exercise("doc-third", expected=lambda: 1 / 3, hints=("One of three.",))
    >>> require(third, 0.333)
    ✓ Right.
    >>> require(third, 0.5)
    Traceback (most recent call last):
    AssertionError: ✗ Not yet. ...
    """
    found = exercise if isinstance(exercise, Exercise) else _find(exercise)
    verdict = _judge(found, answer, rounded=False)
    if verdict.status != "right":
        raise AssertionError(repr(verdict)) from None
    print(verdict)


def hint(name: str, step: int = 1) -> Hint:
    """Hint number `step` of an exercise, from a nudge to nearly the solution.

    Raises
    ------
    DataError
        For an unknown name, and for a step the exercise does not have.

    Examples
    --------
    >>> from hierwidgets.exercises import hint
    >>> hint("01-interval").step, hint("01-interval", step=2).step
    (1, 2)
    """
    hints = _find(name).hints
    if not isinstance(step, int) or not 1 <= step <= len(hints):
        raise DataError(f"exercise {name!r} has hints 1 to {len(hints)}; step is {step!r}")
    return Hint(step, len(hints), hints[step - 1])


def names() -> tuple[str, ...]:
    """The names of all exercises, sorted.

    Examples
    --------
    >>> from hierwidgets.exercises import names
    >>> "01-interval" in names()
    True
    """
    return tuple(sorted(_registry()))


def register(*exercises: Exercise) -> None:
    """Add exercises, as an assignment or another course does.

    Raises
    ------
    DataError
        If a name is taken; then nothing is added.

    Examples
    --------
    >>> from hierwidgets.exercises import Exercise, check, register
    >>> register(Exercise("doc-half", expected=lambda: 0.5, hints=("Half of 1.",)))
    >>> check("doc-half", 0.5)
    ✓ Right.
    """
    _add(_registry(), exercises)


def _add(registry: dict[str, Exercise], exercises: Iterable[Exercise]) -> None:
    added = {exercise.name: exercise for exercise in exercises}
    if taken := next((name for name in added if name in registry), None):
        raise DataError(f"an exercise named {taken!r} exists; choose another name")
    registry.update(added)


@cache
def _registry() -> dict[str, Exercise]:
    """Every exercise that an installed package offers, by name."""
    registry: dict[str, Exercise] = {}
    for point in sorted(entry_points(group=_GROUP)):
        try:
            _add(registry, point.load())
        except Exception as error:  # another package's module runs here: anything may go wrong
            owner = repr(point.dist.name) if point.dist else "of unknown name"
            raise DataError(
                f"the package {owner} offers exercises at {point.value!r}, which cannot be "
                f"added ({type(error).__name__}: {error}); mend, update or uninstall it"
            ) from error
    return registry


def _find(name: str) -> Exercise:
    registry = _registry()
    if isinstance(name, str) and name in registry:
        return registry[name]
    close = difflib.get_close_matches(str(name), registry, n=3, cutoff=0.4)
    listed = ", ".join(repr(known) for known in close)
    advice = f"did you mean one of {listed}?" if close else "hw.exercises.names() lists them all"
    raise DataError(f"there is no exercise {name!r}; {advice}")


def _problem(exercise: Exercise, answer: object, rounded: bool) -> str | None:
    """What is wrong with the answer, in words; None if nothing is."""
    expected = exercise.expected()
    if callable(expected):
        return _function_problem(exercise, expected, answer)
    rights = (expected, *(other() for other in exercise.also))
    if any(not mismatch(answer, right, exercise.atol) for right in rights):
        return None
    if rounded and any(not mismatch(answer, r, exercise.atol, rounded=True) for r in rights):
        slips = (mistake.value() for mistake in exercise.mistakes)
        unclear = any(not mismatch(answer, slip, exercise.atol, rounded=True) for slip in slips)
        return _COARSE if unclear else None
    if exercise.proportion and not mismatch(
        answer, times_hundred(expected), 100 * exercise.atol, rounded=rounded
    ):
        return _PERCENT
    problem = mismatch(answer, expected, exercise.atol, rounded=rounded)
    return _slip(exercise, answer, rounded) or problem


def _slip(exercise: Exercise, answer: object, rounded: bool) -> str | None:
    """The message of the typical wrong answer that this is, exactly or else nearly."""
    expected, atol = exercise.expected(), exercise.atol
    for rtol in (0.0, _NEAR):
        for mistake in exercise.mistakes:
            value = mistake.value()
            if rtol and not mismatch(value, expected, atol, rtol=_APART):
                continue
            if not mismatch(answer, value, atol, rtol=rtol, rounded=rounded):
                return mistake.message
    return None


def _function_problem(
    exercise: Exercise, reference: Callable[..., object], answer: object
) -> str | None:
    if not callable(answer):
        return "A function is asked for, not its result. Give its name alone, without parentheses."
    try:
        problem = first_difference(answer, reference, exercise)
    except CallError as error:
        return str(error)
    if problem is None or any(agrees(answer, other(), exercise) for other in exercise.also):
        return broken_property(exercise, answer)
    if exercise.proportion and agrees(answer, _hundredfold(reference), exercise):
        return _PERCENT
    for rtol in (0.0, _NEAR):
        for mistake in exercise.mistakes:
            wrong = mistake.value()
            if rtol and agrees(wrong, reference, exercise, _APART):
                continue
            if agrees(answer, wrong, exercise, rtol):
                return mistake.message
    return problem


def _hundredfold(function: Callable[..., object]) -> Callable[..., object]:
    return lambda *arguments: times_hundred(function(*arguments))


def _box(label: str, message: str, colour: str) -> str:
    """A paragraph with a bold label; the colour only repeats what the label says."""
    words = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(message, quote=False))
    style = f"border-left: 4px solid {colour}; padding: 0.4em 0.8em; margin: 0.4em 0;"
    return f'<div style="{style}"><strong>{html.escape(label)}</strong> {words}</div>'
