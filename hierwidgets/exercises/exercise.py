"""The record of an exercise, and of a typical wrong answer to it."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Exercise", "Mistake"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A typical wrong answer: the function that computes it, and what to tell its author."""

    value: Callable[[], object]
    message: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """One question: its name, what it expects, its hints, its tolerance.

    Parameters
    ----------
    name
        The lecture's number and a word, such as ``"01-interval"``.
    expected
        A function without arguments that computes the right answer: a number, an array, a
        Series or DataFrame (compared by label), a text, or a reference function.
    hints
        From a nudge to nearly the solution.
    right
        What to say to a right answer: one thing worth taking along.
    mistakes
        Typical wrong answers, tried in order.
    inputs
        For a function: the argument tuples on which it is compared with the reference.
    properties
        For a function: what must hold besides, as (words, test of the function) pairs.
    atol
        Absolute tolerance of numbers. `check` accepts rounded numbers besides, given with two
        digits or more, where no typical wrong answer rounds to the same.
    also
        Other right answers, such as those of another convention that the question leaves open.
    up_to_constant
        For a function, such as a log density: a constant may be added. Inputs come in pairs, and
        differences between the second and the first of a pair are compared.
    proportion
        True if a percentage (100 times the answer) deserves its own message.
    """

    name: str
    expected: Callable[[], object]
    hints: tuple[str, ...]
    right: str = ""
    mistakes: tuple[Mistake, ...] = ()
    inputs: tuple[tuple[object, ...], ...] = ()
    properties: tuple[tuple[str, Callable[[Callable[..., object]], bool]], ...] = ()
    atol: float = 1e-3
    proportion: bool = False
    also: tuple[Callable[[], object], ...] = ()
    up_to_constant: bool = False
