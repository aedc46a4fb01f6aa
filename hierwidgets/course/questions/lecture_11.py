"""Lecture 11, quantities of interest: differences, an average, where a difference is clear."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course.models import DISTRICTS
from hierwidgets.data.datasets import load
from hierwidgets.data.shipped import shipped_coefficients
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]


@cache
def _beta() -> Array:
    """The stored draws of the four coefficients of the several-countries model, (4, S)."""
    return np.asarray(shipped_coefficients("rainey2015").reshape(-1, 4).T)


def _rate(x: float, smd: int) -> Array:
    b0, b_x, b_smd, b_both = _beta()
    return expit(b0 + b_x * x + b_smd * smd + b_both * x * smd)


def _slope(x: float, smd: int) -> Array:
    p, (_, b_x, _, b_both) = _rate(x, smd), _beta()
    return p * (1 - p) * (b_x + b_both * smd)


def _first(x: float) -> Array:
    return _rate(x, 1) - _rate(x, 0)


def _summary(draws: Array, level: float = 0.9) -> Array:
    return np.quantile(draws, [0.5, (1 - level) / 2, (1 + level) / 2])


def _of_quantiles(x: float) -> Array:
    """The difference of the ends, which is not the end of the difference."""
    return np.asarray(_summary(_rate(x, 1)) - _summary(_rate(x, 0)))


FIRST = Exercise(
    name="11-first-difference",
    expected=lambda: _summary(_first(0.6)),
    atol=1e-4,
    proportion=True,
    hints=(
        "Two probabilities for every draw, one under each rule. Subtract draw by draw.",
        "`probability(0.6, 1) - probability(0.6, 0)` holds ten thousand differences.",
        "`np.quantile(probability(0.6, 1) - probability(0.6, 0), [0.5, 0.05, 0.95])`.",
    ),
    right="Halfway between the safe and the close district, and zero is still inside.",
    mistakes=(
        Mistake(lambda: -_summary(_first(0.6))[[0, 2, 1]], "The other way round: SMD minus PR."),
        Mistake(
            lambda: [_first(0.6).mean(), *_summary(_first(0.6))[1:]],
            "The ends are right. The first number is the mean; the median was asked for.",
        ),
        Mistake(
            lambda: _of_quantiles(0.6),
            "You subtracted the ends of two intervals. Subtract draw by draw first, then look "
            "for the ends: the two probabilities move together.",
        ),
        Mistake(
            lambda: _summary(_first(0.6), 0.95),
            "This is the 95 % interval; 90 % leaves 0.05 below.",
        ),
        Mistake(
            lambda: np.sort(_summary(_first(0.6))), "The right numbers: give the median first."
        ),
        Mistake(
            lambda: _summary(_rate(0.6, 1)),
            "This is the probability under one rule alone. Subtract that under the other.",
        ),
        Mistake(
            lambda: _summary(_rate(0.6, 0)),
            "This is the probability under one rule alone. Subtract it from that under the other.",
        ),
        Mistake(
            lambda: _summary(_first(0.8)),
            "This is a first difference at another competitiveness, 0.8. Asked for is 0.6.",
        ),
        Mistake(
            lambda: _summary(_first(0.3)),
            "This is a first difference at another competitiveness, 0.3. Asked for is 0.6.",
        ),
    ),
)


# --- the average over districts -----------------------------------------------------------


@cache
def _finland() -> tuple[float, float]:
    fit = glmer(DISTRICTS, load("finland"), event="Contacted")
    return float(fit.fixef["Intercept"]), float(fit.theta[0])


def _typical() -> float:
    return float(expit(_finland()[0]))


def _average(power: int = 1) -> float:
    mu, sigma = _finland()
    x, w = hermegauss(41)
    return float(np.sum(w * expit(mu + sigma**power * x)) / np.sum(w))


AVERAGE = Exercise(
    name="11-average",
    expected=_average,
    atol=1.5e-4,
    proportion=True,
    hints=(
        "Imagine very many districts. What is the mean of their rates, not of their log-odds?",
        "Either draw four million values of N(mu, sigma) and average `expit` of them, or use the "
        "nodes and weights, as for Britain.",
        "`np.sum(w * expit(mu_finland + sigma_finland * x)) / np.sum(w)`.",
    ),
    right="A little above the typical district, and a little below the share of all answers.",
    mistakes=(
        Mistake(
            _typical,
            "This is the typical district: the centre, transformed. Transform first, then average.",
        ),
        Mistake(
            lambda: float(load("finland")["contacted"].eq("Contacted").mean()),
            "This is the share of all answers, in which large districts count more.",
        ),
        Mistake(
            lambda: _average(power=2), "The variance was used for the standard deviation, sigma."
        ),
        Mistake(
            lambda: _finland()[0],
            "This is the mean of the log-odds. Make rates first.",
        ),
    ),
)


# --- a second difference ------------------------------------------------------------------


def _second(low: float, high: float) -> Array:
    return _first(high) - _first(low)


SECOND = Exercise(
    name="11-second-difference",
    expected=lambda: _summary(_second(0.4, 0.9)),
    atol=1e-3,
    proportion=True,
    hints=(
        "A first difference at 0.9, a first difference at 0.4: how much larger is the one than "
        "the other, draw by draw?",
        "`(probability(0.9, 1) - probability(0.9, 0)) - (probability(0.4, 1) - probability(0.4, "
        "0))`.",
        "Then `np.quantile(..., [0.5, 0.05, 0.95])`.",
    ),
    right="This interval, and no pair of others, answers whether the rule matters more there.",
    mistakes=(
        Mistake(
            lambda: [_second(0.4, 0.9).mean(), *_summary(_second(0.4, 0.9))[1:]],
            "The ends are right. The first number is the mean; the median was asked for.",
        ),
        Mistake(
            lambda: _summary(_first(0.9)),
            "This is the first difference at 0.9. Subtract the one at 0.4, draw by draw.",
        ),
        Mistake(
            lambda: _summary(_first(0.9)) - _summary(_first(0.4)),
            "You subtracted summaries. Subtract draws, then summarise.",
        ),
        Mistake(
            lambda: -_summary(_second(0.4, 0.9))[[0, 2, 1]],
            "The sign: what there is at 0.9, less what there is at 0.4.",
        ),
        Mistake(
            lambda: _summary(_first(0.4)),
            "This is the first difference at 0.4. Subtract it from the one at 0.9, draw by draw.",
        ),
        Mistake(
            lambda: _summary(_second(0.4, 0.9), 0.95),
            "This is the 95 % interval; 90 % leaves 0.05 below.",
        ),
        Mistake(
            lambda: np.sort(_summary(_second(0.4, 0.9))),
            "The right numbers: give the median first.",
        ),
        Mistake(
            lambda: _summary(_rate(0.9, 1) - _rate(0.4, 1)),
            "This is the step from 0.4 to 0.9 under one rule alone. Subtract that under the other.",
        ),
    ),
)


# --- where the difference is clear ----------------------------------------------------------

GRID = np.round(np.arange(0.24, 0.931, 0.01), 2)


@cache
def _clear(draws_at: Callable[[float], Array]) -> Array:
    """The places of the grid at which the interval of the draws lies above zero."""
    return np.array([x for x in GRID if _summary(draws_at(x))[1] > 0])


def _slope_under_smd(x: float) -> Array:
    return _slope(x, 1)


def _slopes_apart(x: float) -> Array:
    return _slope(x, 1) - _slope(x, 0)


def _clear_from() -> float:
    return float(_clear(_slopes_apart)[0])


WHERE = Exercise(
    name="11-where",
    expected=_clear_from,
    atol=1e-6,
    hints=(
        "For every x on the grid: the lower end of the interval of the *difference* of the two "
        "marginal effects.",
        "`np.quantile(slope(x, 1) - slope(x, 0), 0.05)`, for each x of `xs`.",
        "`next(x for x in xs if np.quantile(slope(x, 1) - slope(x, 0), 0.05) > 0)`.",
    ),
    right="Below it one effect is clear, the other is not, and their difference is not.",
    mistakes=(
        Mistake(
            lambda: float(_clear(_slope_under_smd)[0]),
            "Here the effect under SMD is clear. But you were asked about the difference.",
        ),
        Mistake(
            lambda: float(np.flatnonzero(np.isclose(GRID, _clear_from()))[0]),
            "This is a place in the list. Give the x that stands there.",
        ),
        Mistake(
            lambda: float(_clear(_slopes_apart)[-1]),
            "This is the largest of them. Asked for is the smallest.",
        ),
        Mistake(
            lambda: float(_clear(_first)[0]),
            "From here on the first difference is clear, that of two probabilities. Asked for is "
            "the difference of the two slopes.",
        ),
    ),
)

EXERCISES = (FIRST, AVERAGE, SECOND, WHERE)
