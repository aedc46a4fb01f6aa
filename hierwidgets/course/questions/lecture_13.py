"""Lecture 13, poststratification: the weighted rate, its interval, non-response within a cell."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hierwidgets.base.arrays import Array
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]


def _numbers(*values: ArrayLike) -> list[Array]:
    return [np.asarray(v, dtype=np.float64) for v in values]


# --- the rate -----------------------------------------------------------------------------


def _rate(rates: ArrayLike, people: ArrayLike) -> float:
    theta, n = _numbers(rates, people)
    return float((n * theta).sum() / n.sum())


def _plain(rates: ArrayLike, people: ArrayLike) -> float:
    return float(_numbers(rates)[0].mean())


def _contacted(rates: ArrayLike, people: ArrayLike) -> float:
    theta, n = _numbers(rates, people)
    return float((n * theta).sum())


def _by_cells(rates: ArrayLike, people: ArrayLike) -> float:
    return _contacted(rates, people) / len(_numbers(people)[0])


def _squared(rates: ArrayLike, people: ArrayLike) -> float:
    theta, n = _numbers(rates, people)
    return float((n**2 * theta).sum() / (n**2).sum())


def _inverse(rates: ArrayLike, people: ArrayLike) -> float:
    theta, n = _numbers(rates, people)
    return float((theta / n).sum() / (1 / n).sum())


def _shares_do(function: Callable[..., Any]) -> bool:
    rates, people = np.array([0.1, 0.4]), np.array([30.0, 10.0])
    return bool(np.isclose(function(rates, people), function(rates, people / people.sum())))


RATE = Exercise(
    name="13-rate",
    expected=lambda: _rate,
    atol=1e-9,
    inputs=(
        (np.array([0.2, 0.35, 0.5]), np.array([600.0, 300.0, 100.0])),
        (np.array([0.9, 0.1]), np.array([1.0, 3.0])),
    ),
    properties=(("shares in place of counts give the same rate", _shares_do),),
    hints=(
        "Of all people, how many were contacted? And how many people are there?",
        "A cell of N people with rate θ has N θ contacted ones.",
        "`np.sum(people * rates) / np.sum(people)`, or `np.average(rates, weights=people)`.",
    ),
    right="The cells bring the rates, the census brings the weights. That is all there is to it.",
    mistakes=(
        Mistake(
            lambda: _plain, "This counts every cell alike. A cell counts as often as it has people."
        ),
        Mistake(
            lambda: _contacted,
            "This is how many were contacted. Divide by how many people there are.",
        ),
        Mistake(lambda: _by_cells, "Divide by the number of people, not by that of cells."),
        Mistake(lambda: _squared, "The counts enter twice, as squares. Each counts once."),
        Mistake(lambda: _inverse, "Small cells get the large weights. Weight by people."),
    ),
)


# --- its interval -------------------------------------------------------------------------

_TAILS = (0.05, 0.95)


def _interval(draws: ArrayLike, people: ArrayLike) -> tuple[float, float]:
    drawn, n = _numbers(draws, people)
    low, high = np.quantile(drawn @ (n / n.sum()), _TAILS)
    return float(low), float(high)


def _cell_by_cell(draws: ArrayLike, people: ArrayLike) -> tuple[float, float]:
    drawn, n = _numbers(draws, people)
    low, high = np.quantile(drawn, _TAILS, axis=0) @ (n / n.sum())
    return float(low), float(high)


def _alike(draws: ArrayLike, people: ArrayLike) -> tuple[float, float]:
    return _interval(draws, np.ones(len(_numbers(people)[0])))


def _independent(draws: ArrayLike, people: ArrayLike) -> tuple[float, float]:
    drawn, n = _numbers(draws, people)
    share = n / n.sum()
    reach = 1.6449 * np.sqrt((share**2 * drawn.var(axis=0, ddof=1)).sum())
    middle = float((drawn @ share).mean())
    return middle - float(reach), middle + float(reach)


def _of_95(draws: ArrayLike, people: ArrayLike) -> tuple[float, float]:
    drawn, n = _numbers(draws, people)
    low, high = np.quantile(drawn @ (n / n.sum()), (0.025, 0.975))
    return float(low), float(high)


def _of_80(draws: ArrayLike, people: ArrayLike) -> tuple[float, float]:
    drawn, n = _numbers(draws, people)
    low, high = np.quantile(drawn @ (n / n.sum()), (0.1, 0.9))
    return float(low), float(high)


def _made_up(seed: int) -> Array:
    """Draws (400, 4): cells that rise and fall together, and each on its own."""
    rng = np.random.default_rng(seed)
    eta = rng.normal(-1, 0.3, (400, 1)) + np.array([0.0, 0.4, 0.8, 1.2])
    drawn: Array = 1 / (1 + np.exp(-eta - rng.normal(0, 0.3, (400, 4))))
    return drawn


def _is_ordered(function: Callable[..., Any]) -> bool:
    low, high = function(_made_up(3), np.array([4.0, 3.0, 2.0, 1.0]))
    return bool(low < high)


INTERVAL = Exercise(
    name="13-interval",
    expected=lambda: _interval,
    atol=1e-6,
    inputs=(
        (_made_up(1), np.array([500.0, 300.0, 150.0, 50.0])),
        (_made_up(2), np.array([1.0, 1.0, 1.0, 7.0])),
    ),
    properties=(("the lower end comes first", _is_ordered),),
    hints=(
        "Every draw (row) is one possible country. What is its rate?",
        "`draws @ (people / people.sum())` has the rate of the country in every draw.",
        "Its ends are the quantiles .05 and .95 of these rates: `np.quantile(..., [.05, .95])`.",
    ),
    right="First average, then take quantiles: cells of one draw share their coefficients.",
    mistakes=(
        Mistake(
            lambda: _cell_by_cell,
            "These are the ends of the cells' intervals, averaged. Average within each draw first, "
            "and take the quantiles of those averages.",
        ),
        Mistake(lambda: _alike, "Weight the cells by their people."),
        Mistake(
            lambda: _independent,
            "This takes cells as independent. They share coefficients, and err together.",
        ),
        Mistake(lambda: _of_95, "This is the 95 % interval. For 90 %, leave 5 % out on each side."),
        Mistake(lambda: _of_80, "This leaves 10 % out on each side. For 90 % it is 5 %."),
    ),
)


# --- non-response within a cell -------------------------------------------------------------

_TRUE, _EAGER = 0.30, 1.5

INSIDE = Exercise(
    name="13-inside",
    expected=lambda: _EAGER * _TRUE / (_EAGER * _TRUE + 1 - _TRUE),
    atol=2e-3,
    proportion=True,
    hints=(
        "Take 1,000 people of the cell: 300 contacted, 700 not. Let 10 % of the others answer.",
        "Then 15 % of the contacted answer: 45 people, beside 70 others.",
        "The rate among respondents is 45 / (45 + 70), whatever share answers.",
    ),
    right="And no weight sees it: within a cell the survey is all that is known.",
    mistakes=(
        Mistake(
            lambda: _EAGER * _TRUE,
            "This is 1.5 times the rate. The respondents who were not contacted count too.",
        ),
        Mistake(lambda: _TRUE, "This is the true rate. The contacted answer more often."),
        Mistake(
            lambda: _TRUE / (_TRUE + _EAGER * (1 - _TRUE)),
            "Here the others answer more often. It is the contacted who do.",
        ),
        Mistake(
            lambda: _EAGER * _TRUE / (1 - _TRUE),
            "These are the odds. The rate is the contacted over all respondents.",
        ),
        Mistake(
            lambda: _EAGER * _TRUE / (_EAGER * _TRUE + 1 - _TRUE) - _TRUE,
            "This is by how much the rate is off. Asked for is the rate itself.",
        ),
    ),
)

EXERCISES = (RATE, INTERVAL, INSIDE)
