"""Lecture 05, simulate and recover: draw, coverage, the largest estimate, enough repetitions."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hierwidgets.base.arrays import Array, expit, normal_quantile
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]


def _draw(seed: int, n: ArrayLike, mu: float, sigma: float) -> tuple[Array, Array]:
    sizes, rng = np.asarray(n), np.random.default_rng(seed)
    truth = expit(rng.normal(mu, sigma, size=len(sizes)))
    return truth, rng.binomial(sizes, truth).astype(np.float64)


_SIZES = np.array([58, 23, 179])


def _seed_decides(function: Callable[..., Any]) -> bool:
    first, second, third = (np.asarray(function(s, np.full(8, 50), 0.0, 1.0)) for s in (3, 3, 4))
    return bool(np.array_equal(first, second) and not np.array_equal(first, third))


def _is_a_pair(function: Callable[..., Any]) -> bool:
    return np.shape(function(1, _SIZES, -1.37, 0.31)) == (2, 3)


def _are_rates(function: Callable[..., Any]) -> bool:
    truth = np.asarray(function(1, _SIZES, -1.37, 0.0)[0], dtype=float)
    return bool(np.allclose(truth, expit(-1.37)))


def _are_counts(function: Callable[..., Any]) -> bool:
    sizes = np.arange(1, 41)
    y = np.asarray(function(2, sizes, 1.0, 0.5)[1], dtype=float)
    return bool(np.all((y == np.round(y)) & (y >= 0) & (y <= sizes)) and y.sum() > sizes.sum() / 3)


def _spread_is_sigma(function: Callable[..., Any]) -> bool:
    """Mean and sd of 4,000 log-odds within four standard errors."""
    truth = np.asarray(function(4, np.full(4000, 1), -0.87, 0.8)[0], dtype=float)
    alpha, error = np.log(truth / (1 - truth)), 0.8 / np.sqrt(4000)
    near = abs(alpha.mean() + 0.87) < 4 * error
    return bool(near and abs(alpha.std() - 0.8) < 4 * error / np.sqrt(2))


def _counts_follow_the_rates(function: Callable[..., Any]) -> bool:
    """Standardised by the binomial's mean and sd, 4,000 counts have mean 0 and variance 1."""
    truth, y = (np.asarray(v, dtype=float) for v in function(5, np.full(4000, 200), 0.3, 0.6))
    z = (y - 200 * truth) / np.sqrt(200 * truth * (1 - truth))
    return bool(abs(z.mean()) < 4 / np.sqrt(4000) and abs(z.var() - 1) < 4 * np.sqrt(2 / 4000))


DRAW = Exercise(
    name="05-draw",
    expected=lambda: _draw,
    properties=(
        ("the function returns a pair, each with one number per district", _is_a_pair),
        ("the first result is rates: with sigma = 0 all are expit(mu)", _are_rates),
        ("the second result is counts: whole numbers from 0 to n, not rates", _are_counts),
        (
            "each district has log-odds of its own, with mean mu and sd sigma (not its square)",
            _spread_is_sigma,
        ),
        (
            "a district's count is that of n people who say yes with its own rate",
            _counts_follow_the_rates,
        ),
        ("the same seed gives the same draw, and another seed another", _seed_decides),
    ),
    hints=(
        "Two steps, as in the model: the log-odds of the districts, then the answers.",
        "The log-odds: `rng.normal(mu, sigma, size=len(n))`. `expit` turns them into rates.",
        "The answers: `rng.binomial(n, truth)`, one count per district. Return `truth, y`.",
    ),
    right="You are nature now: you know what every district's rate is, and the estimators do not.",
)


# --- coverage -----------------------------------------------------------------------------


def _hits(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> Array:
    low, high, truth = (np.asarray(v, dtype=np.float64) for v in (low, high, truth))
    return ((low <= truth) & (truth <= high)).astype(np.float64)


def _coverage(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    per_draw = _hits(low, high, truth).mean(axis=1)
    return float(per_draw.mean()), float(per_draw.std(ddof=1) / np.sqrt(len(per_draw)))


def _as_if_independent(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    hits = _hits(low, high, truth)
    share = float(hits.mean())
    return share, float(np.sqrt(share * (1 - share) / hits.size))


def _spread(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    per_draw = _hits(low, high, truth).mean(axis=1)
    return float(per_draw.mean()), float(per_draw.std(ddof=1))


def _by_district(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    per_district = _hits(low, high, truth).mean(axis=0)
    return (
        float(per_district.mean()),
        float(per_district.std(ddof=1) / np.sqrt(len(per_district))),
    )


def _population_sd(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    per_draw = _hits(low, high, truth).mean(axis=1)
    return float(per_draw.mean()), float(per_draw.std() / np.sqrt(len(per_draw)))


def _missed(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    share, error = _coverage(low, high, truth)
    return 1 - share, error


def _squared_error(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    share, error = _coverage(low, high, truth)
    return share, error**2


_TRUTH = np.array([[0.2, 0.3, 0.4], [0.1, 0.5, 0.2], [0.3, 0.3, 0.9], [0.2, 0.6, 0.4]])
_LOW = np.array([[0.1, 0.1, 0.1], [0.2, 0.6, 0.3], [0.1, 0.2, 0.3], [0.1, 0.2, 0.5]])
_HIGH = np.array([[0.3, 0.5, 0.6], [0.4, 0.7, 0.5], [0.4, 0.5, 0.8], [0.3, 0.7, 0.7]])


def _always_covers(function: Callable[..., Any]) -> bool:
    truth = np.full((5, 4), 0.3)
    return bool(np.allclose(function(truth - 1, truth + 1, truth), (1.0, 0.0)))


COVERAGE = Exercise(
    name="05-coverage",
    expected=lambda: _coverage,
    atol=1e-6,
    inputs=((_LOW, _HIGH, _TRUTH), (_LOW[:2], _HIGH[:2], _TRUTH[:2])),
    properties=(("intervals that always hold the truth cover 1, with error 0", _always_covers),),
    hints=(
        "For each draw (row), the share of districts whose interval holds the truth.",
        "Coverage is the mean of these shares over the draws; its Monte Carlo error comes from "
        "how much the shares vary between draws.",
        "`share = np.mean((low <= truth) & (truth <= high), axis=1)`, then `share.mean()` and "
        "`share.std(ddof=1) / np.sqrt(len(share))`. Make arrays with `np.asarray` first.",
    ),
    right="Districts of one draw share one estimated mu and sigma: the draws are what is counted.",
    mistakes=(
        Mistake(
            lambda: _as_if_independent,
            "The error treats all districts of all draws as independent. Those of one draw share "
            "its estimated mu and sigma: use the share covered in each draw.",
        ),
        Mistake(lambda: _spread, "The sd between draws still has to be divided by their root."),
        Mistake(
            lambda: _by_district, "Average over the districts (axis=1) first, then over draws."
        ),
        Mistake(lambda: _population_sd, "Use the sd with ddof=1; numpy's default divides by R."),
        Mistake(lambda: _missed, "The error is right. The share is that of those not covered."),
        Mistake(lambda: _squared_error, "The error is squared: take its square root."),
    ),
)


# --- the largest --------------------------------------------------------------------------


def _curse(raw: ArrayLike, truth: ArrayLike) -> float:
    raw, truth = np.asarray(raw, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    at = np.arange(len(raw)), raw.argmax(axis=1)
    return float((raw[at] - truth[at]).mean())


def _largest_of_each(raw: ArrayLike, truth: ArrayLike) -> float:
    raw, truth = np.asarray(raw, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    return float((raw.max(axis=1) - truth.max(axis=1)).mean())


def _largest_error(raw: ArrayLike, truth: ArrayLike) -> float:
    return float(np.max(np.asarray(raw) - np.asarray(truth), axis=1).mean())


def _everywhere(raw: ArrayLike, truth: ArrayLike) -> float:
    return float((np.asarray(raw) - np.asarray(truth)).mean())


def _backwards(raw: ArrayLike, truth: ArrayLike) -> float:
    return -_curse(raw, truth)


def _no_truth(raw: ArrayLike, truth: ArrayLike) -> float:
    return float(np.max(np.asarray(raw), axis=1).mean())


def _truly_largest(raw: ArrayLike, truth: ArrayLike) -> float:
    return -_curse(truth, raw)


CURSE = Exercise(
    name="05-curse",
    expected=lambda: _curse,
    atol=1e-9,
    inputs=(
        (
            np.array([[0.2, 0.5, 0.4], [0.3, 0.2, 0.4]]),
            np.array([[0.25, 0.45, 0.1], [0.2, 0.35, 0.3]]),
        ),
        (
            np.array([[0.9, 0.1], [0.2, 0.6], [0.3, 0.2]]),
            np.array([[0.5, 0.6], [0.4, 0.3], [0.3, 0.5]]),
        ),
    ),
    hints=(
        "In each draw, find the district with the largest raw rate. What is its error?",
        "`raw.argmax(axis=1)` gives its position in every draw (row).",
        "`rows = np.arange(len(raw))`; then the mean of `raw[rows, top] - truth[rows, top]`.",
    ),
    right="Whoever is on top got there by being high or by being lucky, and usually by both.",
    mistakes=(
        Mistake(
            lambda: _largest_of_each,
            "The truth compared with is the largest truth. Take the truth of the same district.",
        ),
        Mistake(
            lambda: _largest_error,
            "This is the largest error. Asked for is the error of the largest estimate.",
        ),
        Mistake(lambda: _everywhere, "This is the error over all districts: almost no bias."),
        Mistake(lambda: _backwards, "The sign: estimate minus truth."),
        Mistake(lambda: _no_truth, "This is the largest estimate. The truth is missing."),
        Mistake(
            lambda: _truly_largest,
            "The district with the largest truth is looked up. Take the one with the largest "
            "estimate.",
        ),
    ),
)


# --- repetitions --------------------------------------------------------------------------

_SD, _WANTED = 0.20, 0.005

REPETITIONS = Exercise(
    name="05-repetitions",
    expected=lambda: (_SD / _WANTED) ** 2,
    atol=1.5,
    hints=(
        "The Monte Carlo error of a mean over R draws is sd / sqrt(R).",
        "Solve sd / sqrt(R) = 0.005 for R.",
        "R = (0.20 / 0.005) squared.",
    ),
    right="Half the error costs four times the computing: a square root is a hard master.",
    mistakes=(
        Mistake(lambda: _SD / _WANTED, "This is the root of the number. Square it."),
        Mistake(
            lambda: 0.9 * 0.1 / _WANTED**2,
            "This takes every draw for a single yes or no. A draw's share has an sd of 0.20.",
        ),
        Mistake(
            lambda: (_SD / _WANTED) ** 2 / 14,
            "The sd of 0.20 is already that of the share over 14 districts.",
        ),
        Mistake(lambda: _SD / _WANTED**2, "The sd is not squared: square the whole ratio."),
        Mistake(
            lambda: (normal_quantile(0.90) * _SD / _WANTED) ** 2,
            "This makes half a point the reach of a 90 % interval. It is the error, sd / sqrt(R).",
        ),
    ),
)

EXERCISES = (DRAW, COVERAGE, CURSE, REPETITIONS)
