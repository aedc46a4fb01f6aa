"""Lecture 00, the notation: from words to symbols, from symbols to code, and back to words."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import expit
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]

WORDS = Exercise(
    name="00-words",
    expected=lambda: "B",
    hints=(
        "A rate belongs to a district. Which district is meant here: number 7, or another one?",
        "j[7] is the number of the district in which person 7 lives. Put it where pi wants a "
        "district.",
    ),
    right="Read it from the inside: person 7, the person's district j[7], that district's rate.",
    mistakes=(
        Mistake(lambda: "A", "A is the rate of district number 7. Person 7 may live elsewhere."),
        Mistake(lambda: "C", "C asks for the district of a rate. j needs a person in brackets."),
        Mistake(lambda: "D", "D has the number and the index exchanged: 7 is not a list."),
    ),
)


def _by_person(pi: Sequence[float], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(pi, dtype=float)[np.asarray(j)]


def _padded(values: Sequence[float], count: int) -> NDArray[np.float64]:
    """As many of the values as there are persons, again from the start if there are too few."""
    return np.resize(np.asarray(values, dtype=float), count)


def _ignores_j(pi: Sequence[float], j: Sequence[int]) -> NDArray[np.float64]:
    return _padded(pi, len(j))


def _from_one(pi: Sequence[float], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(pi, dtype=float)[np.asarray(j) - 1]


def _numbers(pi: Sequence[float], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(j, dtype=float)


def _by_district(pi: Sequence[float], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(pi, dtype=float)


def _moves_with_persons(function: Callable[..., object]) -> bool:
    pi, j = [0.2, 0.5, 0.9], [2, 0, 0, 1]
    there = np.asarray(function(pi, j), dtype=float)
    back = np.asarray(function(pi, j[::-1]), dtype=float)
    return bool(np.allclose(there, back[::-1]))


BY_PERSON = Exercise(
    name="00-by-person",
    expected=lambda: _by_person,
    atol=1e-9,
    inputs=(
        ([0.1, 0.4], [0, 0, 1]),
        ([0.3, 0.2, 0.7], [2, 1, 2, 0, 2]),
        ([0.25], [0, 0]),
    ),
    properties=(("turning the persons around turns the answer around", _moves_with_persons),),
    hints=(
        "You need one number per person: the rate that stands at the place j says.",
        "numpy takes a whole list of places at once: `array[list_of_places]`.",
        "`np.asarray(pi)[j]`, since pi may come as a list and j counts from 0.",
    ),
    right="The bracket of the formula is the bracket of the code.",
    mistakes=(
        Mistake(
            lambda: _ignores_j,
            "This lines up rates and persons one by one. Look up each person's district first.",
        ),
        Mistake(lambda: _from_one, "j counts from 0 here, as Python does: nothing to take off."),
        Mistake(lambda: _numbers, "These are the districts' numbers, not their rates."),
        Mistake(lambda: _by_district, "This is one rate per district. Give one per person."),
    ),
)


def _two_steps(gamma: Sequence[float], k: Sequence[int], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(gamma, dtype=float)[np.asarray(k)[np.asarray(j)]]


def _one_step(gamma: Sequence[float], k: Sequence[int], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(gamma, dtype=float)[np.asarray(k)]


def _skips_k(gamma: Sequence[float], k: Sequence[int], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(gamma, dtype=float)[np.asarray(j)]


def _elections(gamma: Sequence[float], k: Sequence[int], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(k, dtype=float)[np.asarray(j)]


def _inside_out(gamma: Sequence[float], k: Sequence[int], j: Sequence[int]) -> NDArray[np.float64]:
    return np.asarray(gamma, dtype=float)[np.asarray(j)[np.asarray(k)]]


def _one_value_each(function: Callable[..., object]) -> bool:
    found = np.asarray(function([1.0, 2.0], [0, 1, 1], [0] * 5 + [2] * 4), dtype=float)
    return bool(found.shape == (9,))


TWO_STEPS = Exercise(
    name="00-two-steps",
    expected=lambda: _two_steps,
    atol=1e-9,
    inputs=(
        ([-2.0, -1.0, 4.0], [0, 0, 1], [0, 1, 1, 2, 2]),
        ([5.0, 6.0, 7.0, 8.0], [2, 0, 1, 0], [3, 0, 1, 2, 2, 0]),
    ),
    properties=(("there is one value for each person", _one_value_each),),
    hints=(
        "Read the index from the inside: first the person's district, then that district's "
        "election.",
        "`k[j]` is the election of every person. What remains is one more pair of brackets.",
        "`np.asarray(gamma)[np.asarray(k)[j]]`.",
    ),
    right="Three levels, two lookups. With more levels nothing new happens.",
    mistakes=(
        Mistake(lambda: _one_step, "This has one value per district: j is missing."),
        Mistake(lambda: _skips_k, "This takes the district's number for the election's: use k."),
        Mistake(lambda: _elections, "These are the elections' numbers. Look up gamma there."),
        Mistake(lambda: _inside_out, "j and k the other way round: j is the inner one."),
    ),
)


def _rate(log_odds: float) -> float:
    return float(expit(log_odds))


SPELLING = Exercise(
    name="00-spelling",
    expected=lambda: (-1.0, _rate(-1.0)),
    atol=5e-4,
    hints=(
        "The effect says how far the district lies from the typical one. Which sum is alpha?",
        "alpha = mu + b. The rate is its inverse logit, 1 / (1 + exp(-alpha)).",
        "alpha is -1.4 + 0.4; `1 / (1 + np.exp(1.0))` is the rate.",
    ),
    right="Add first, transform last. The effect alone is neither a log-odds nor a rate.",
    mistakes=(
        Mistake(
            lambda: (0.4, _rate(0.4)),
            "0.4 is the effect b, the distance from the typical district. Add mu.",
        ),
        Mistake(
            lambda: (-1.8, _rate(-1.8)),
            "The effect is positive: the district lies above the typical one.",
        ),
        Mistake(
            lambda: (-1.0, _rate(-1.4) + _rate(0.4)),
            "alpha is right. For the rate, add first and transform last.",
        ),
        Mistake(
            lambda: (-1.0, _rate(1.0)),
            "alpha is right. The rate is that for -alpha: it is 1 / (1 + exp(-alpha)).",
        ),
        Mistake(
            lambda: (-1.0, np.exp(-1.0)), "alpha is right. The second number is odds, not a rate."
        ),
        Mistake(
            lambda: (-1.4, _rate(-1.4)), "This is the typical district. Add the effect of this one."
        ),
        Mistake(
            lambda: (-1.0, 100 * _rate(-1.0)),
            "alpha is right. The rate is in percent: give a proportion.",
        ),
        Mistake(lambda: (_rate(-1.0), -1.0), "The two are exchanged: alpha first, then the rate."),
    ),
)

SYMBOLS = Exercise(
    name="00-symbols",
    expected=lambda: "C",
    hints=(
        "What stands to the left of the ~ is drawn. Whose is it: a person's or a district's?",
        "The mean of the bell curve has x_j in it, so it differs from district to district.",
    ),
    right="A model of a parameter looks like a model of data: a mean with a predictor, a spread.",
    mistakes=(
        Mistake(lambda: "A", "A is about persons. The index j says that districts are drawn."),
        Mistake(
            lambda: "B",
            "B leaves out the spread: with sigma above 0, equal x_j need not mean equal alpha_j.",
        ),
        Mistake(lambda: "D", "D has x_j drawn. It stands to the right of the ~: it is given."),
    ),
)

EXERCISES = (WORDS, BY_PERSON, TWO_STEPS, SPELLING, SYMBOLS)
