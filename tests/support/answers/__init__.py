"""Answers to the exercises of the lectures, right and wrong, with the words a wrong one must get.

One module a lecture, each with a function `answers` that gives a table: the exercise's name and its
`Answers`. They are written apart from `hierwidgets.course.questions`, as a student would: from the
data, with rounded numbers, in other containers, by other formulas, loops and simulations.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module


@dataclass(frozen=True)
class Answers:
    """Right answers in several forms; wrong ones, each with words that its verdict must hold."""

    right: tuple[object, ...]
    wrong: tuple[tuple[object, str], ...]


def lecture_of(name: str) -> str:
    """The lecture of an exercise: what stands before the first hyphen of its name."""
    return name.partition("-")[0].lower()


@cache
def table_of(lecture: str) -> dict[str, Answers]:
    return import_module(f"support.answers.lecture_{lecture}").answers()
