"""Lecture 09, fragile fits: meeting lines, flat likelihoods, chances of a zero, a prior by hand."""

from collections.abc import Callable
from functools import cache
from math import copysign, sqrt
from typing import Any

import numpy as np

from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]


# --- where the lines meet -----------------------------------------------------------------


def _meeting(sd0: float, sd1: float, corr: float) -> float:
    return -copysign(1.0, corr) * sd0 / sd1


MEETING = Exercise(
    name="09-meeting",
    expected=lambda: _meeting,
    atol=1e-6,
    inputs=((0.18, 0.2648, 1.0), (0.5, 1.0, -1.0), (2.0, 0.5, 1.0)),
    hints=(
        "With a correlation of 1, every election's deviations are `u * sd0` in height and "
        "`u * sd1` in slope, with one number u of its own.",
        "At competitiveness c the line is off by `u * (sd0 + sd1 * c)`. Where is that 0 for all u?",
        "`-corr * sd0 / sd1`, with corr 1 or -1.",
    ),
    right="One number per election in place of two: the lines are a fan with one hinge.",
    mistakes=(
        Mistake(
            lambda: lambda sd0, sd1, corr: corr * sd0 / sd1,
            "The sign: sd0 + sd1 * c has to be 0, so c has the other sign.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr: -corr * sd1 / sd0,
            "The two sds are exchanged. c multiplies the slope's.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr: -sd0 / sd1,
            "Right for a correlation of 1. With -1, height and slope go opposite ways.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr: sd0 / sd1,
            "Right for a correlation of -1. With 1, height and slope go the same way.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr: corr * sd1 / sd0,
            "The sign, and the two sds are exchanged: sd0 + corr * sd1 * c has to be 0.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr: -corr * (sd0 / sd1) ** 2,
            "The sds are not squared: lines are off by sds, not by variances.",
        ),
    ),
)


# --- how much better is 1 than 0? ---------------------------------------------------------


@cache
def _logliks() -> tuple[float, float]:
    data = load("rainey2015")
    free = glmer(SEVERAL_COUNTRIES, data, event="Contacted")
    bar = "(1 + district_competitiveness |"
    none = glmer(SEVERAL_COUNTRIES.replace(bar, bar + "|"), data, event="Contacted")
    return free.loglik, none.loglik


def _odds() -> float:
    one, zero = _logliks()
    return float(np.exp(one - zero))


ODDS = Exercise(
    name="09-odds",
    expected=_odds,
    atol=6e-3,
    hints=(
        "A log-likelihood is the logarithm of how probable the data were.",
        "Take the difference of the two log-likelihoods, then leave the logarithm.",
        "`np.exp(fit.loglik - uncorrelated.loglik)`.",
    ),
    right="A coin that lands heads once is worth a factor of 2. This is worth far less than that.",
    mistakes=(
        Mistake(
            lambda: _logliks()[0] - _logliks()[1],
            "This is the difference of the logarithms. How many *times* more probable is that?",
        ),
        Mistake(
            lambda: 2 * (_logliks()[0] - _logliks()[1]),
            "This is the difference of the logarithms, twice, as in a test. Leave the logarithm.",
        ),
        Mistake(
            lambda: _logliks()[0] / _logliks()[1],
            "This is the ratio of the logarithms. Subtract them, then leave the logarithm.",
        ),
        Mistake(
            lambda: _odds() - 1,
            "This is by how much more, as a share. How many *times* as probable is it?",
        ),
        Mistake(
            lambda: 100 * (_odds() - 1),
            "This is by how much more, in percent. How many *times* as probable is it?",
        ),
        Mistake(lambda: 1 / _odds(), "The other way round: how much more probable at 1 than at 0."),
        Mistake(
            lambda: _odds() ** 2,
            "The factor of 2 in front of a log-likelihood belongs to tests; leave it out here.",
        ),
    ),
)


# --- the chance of an estimate of 0 -------------------------------------------------------


def _chance(K: int, sigma2: float, v: float) -> float:
    """P(chi2_K < K v / (sigma2 + v)): the mean square is below the sampling variance."""
    from scipy.special import gammainc

    return float(gammainc(K / 2, K * v / (sigma2 + v) / 2))


def _chance_with_sd(K: int, sigma2: float, v: float) -> float:
    return _chance(K, sqrt(sigma2), v)


def _chance_above(K: int, sigma2: float, v: float) -> float:
    return 1 - _chance(K, sigma2, v)


def _chance_one_less(K: int, sigma2: float, v: float) -> float:
    from scipy.special import gammainc

    return float(gammainc((K - 1) / 2, K * v / (sigma2 + v) / 2))


def _chance_without_truth(K: int, sigma2: float, v: float) -> float:
    return _chance(K, 0.0, v)


def _chance_of_v(K: int, sigma2: float, v: float) -> float:
    from scipy.special import gammainc

    return float(gammainc(K / 2, v / (sigma2 + v) / 2))


def _chance_exchanged(K: int, sigma2: float, v: float) -> float:
    return _chance(K, v, sigma2)


def _chance_without_noise(K: int, sigma2: float, v: float) -> float:
    return _chance(K, sigma2 - v, v)


def _falls_with_more_groups(function: Callable[..., object]) -> bool:
    values = [float(function(K, 1.0, 1.0)) for K in (3, 5, 10, 30)]  # type: ignore[arg-type]
    return values == sorted(values, reverse=True)


CHANCE = Exercise(
    name="09-chance",
    expected=lambda: _chance,
    atol=0.015,  # three standard errors of 10,000 simulations
    proportion=True,
    inputs=((5, 1.0, 1.0), (5, 0.25, 1.0), (20, 0.5, 1.0)),
    properties=(("more groups make a 0 rarer", _falls_with_more_groups),),
    hints=(
        "The estimate is 0 when the mean of the squares is below v. What is the distribution of "
        "the sum of squares?",
        "Each y has variance sigma2 + v, so the sum of squares is (sigma2 + v) times a chi-squared "
        "variable with K degrees of freedom.",
        "`chi2.cdf(K * v / (sigma2 + v), df=K)`.",
    ),
    right="A zero is no proof of no differences. With five groups it is a common accident.",
    mistakes=(
        Mistake(lambda: _chance_with_sd, "sigma2 is already a variance: do not take its root."),
        Mistake(lambda: _chance_above, "This is the chance of an estimate *above* 0."),
        Mistake(
            lambda: _chance_one_less,
            "The mean is known to be 0 here, so nothing is lost to it: K degrees of freedom.",
        ),
        Mistake(
            lambda: _chance_without_truth,
            "sigma2 is missing: this is the chance where groups do not differ.",
        ),
        Mistake(lambda: _chance_of_v, "The sum of squares is below K times v."),
        Mistake(lambda: _chance_exchanged, "sigma2 and v are exchanged."),
        Mistake(lambda: _chance_without_noise, "The variance of each y is sigma2 + v."),
    ),
)


# --- a prior by hand ----------------------------------------------------------------------


def _root(y: Any, v: float, weight: float = 1.0) -> float:
    """sd maximising  sum log N(y | 0, s + v) + weight log sqrt(s),  by the positive root for s."""
    values = np.asarray(y, dtype=float)
    K, S = len(values), float(np.sum(values**2))
    a, b, c = weight - K, S - K * v + 2 * weight * v, weight * v**2
    return sqrt((-b - sqrt(b * b - 4 * a * c)) / (2 * a))


def _plain(y: Any, v: float) -> float:
    return sqrt(max(0.0, float(np.mean(np.asarray(y) ** 2)) - v))


def _variance(y: Any, v: float) -> float:
    return _root(y, v) ** 2


def _twice(y: Any, v: float) -> float:
    return _root(y, v, 2.0)


def _noise_squared(y: Any, v: float) -> float:
    return _root(y, v**2)


def _never_zero(function: Callable[..., object]) -> bool:
    rng = np.random.default_rng(9)
    return all(
        float(function(rng.normal(0, 0.5, size=5), 1.0)) > 0.05  # type: ignore[arg-type]
        for _ in range(20)
    )


PENALISED = Exercise(
    name="09-penalised",
    expected=lambda: _root,
    atol=5.5e-3,  # a grid in steps of .01
    inputs=(
        (np.array([0.4, -0.6, 0.2, -0.9, 0.7]), 1.0),
        (np.array([2.0, -1.0, 0.5, -2.5, 1.5]), 1.0),
        (np.array([0.1, -0.1, 0.05, 0.02, -0.2]), 0.25),
    ),
    properties=(("the estimate is never 0", _never_zero),),
    hints=(
        "Compute the log-likelihood on a fine grid of sigma, add log(sigma), and take the top.",
        "The log-likelihood of one value is `-0.5 * np.log(sigma**2 + v) "
        "- 0.5 * y**2 / (sigma**2 + v)`; sum it over the y's.",
        "`grid = np.linspace(0.001, 5, 5000)`; then `grid[np.argmax(loglik + np.log(grid))]`.",
    ),
    right="One added logarithm, and the estimate cannot be 0: log 0 is minus infinity.",
    mistakes=(
        Mistake(lambda: _plain, "This is the top of the likelihood alone. Add log(sigma) before."),
        Mistake(lambda: _variance, "This is sigma squared. Return sigma."),
        Mistake(lambda: _twice, "log(sigma) once: the prior is proportional to sigma."),
        Mistake(lambda: _noise_squared, "v was squared: v is a variance already."),
    ),
)


# --- a correlation depends on the origin --------------------------------------------------


def _corr_at(sd0: float, sd1: float, rho: float, c: float) -> float:
    covariance = rho * sd0 * sd1 + c * sd1**2
    variance = sd0**2 + 2 * c * rho * sd0 * sd1 + c**2 * sd1**2
    return covariance / (sqrt(variance) * sd1)


def _no_cross_term(sd0: float, sd1: float, rho: float, c: float) -> float:
    return (rho * sd0 * sd1 + c * sd1**2) / (sqrt(sd0**2 + c**2 * sd1**2) * sd1)


def _covariance(sd0: float, sd1: float, rho: float, c: float) -> float:
    return rho * sd0 * sd1 + c * sd1**2


def _old_height(sd0: float, sd1: float, rho: float, c: float) -> float:
    return _covariance(sd0, sd1, rho, c) / (sd0 * sd1)


def _no_root(sd0: float, sd1: float, rho: float, c: float) -> float:
    return _corr_at(sd0, sd1, rho, c) / sqrt(sd0**2 + 2 * c * rho * sd0 * sd1 + c**2 * sd1**2)


def _one_stays_one(function: Callable[..., object]) -> bool:
    found = [float(function(0.2, 0.5, 1.0, c)) for c in (0.0, 0.5, 2.0)]  # type: ignore[arg-type]
    return bool(np.allclose(found, 1.0, atol=1e-6))


ORIGIN = Exercise(
    name="09-origin",
    expected=lambda: _corr_at,
    atol=1e-6,
    inputs=((0.5, 1.0, 0.0, 0.7), (0.65, 0.91, -0.03, 0.7), (1.0, 2.0, -0.9, 0.3)),
    properties=(
        ("a correlation of 1 stays 1 wherever the origin is to the right", _one_stays_one),
    ),
    hints=(
        "The height at c is gamma_0 + c * gamma_1. Write down its variance, and its covariance "
        "with gamma_1.",
        "Cov = rho * sd0 * sd1 + c * sd1**2; Var = sd0**2 + 2 * c * rho * sd0 * sd1 "
        "+ c**2 * sd1**2.",
        "`cov / (np.sqrt(var) * sd1)`.",
    ),
    right="A correlation of intercepts and slopes is a statement about where zero was put.",
    mistakes=(
        Mistake(
            lambda: lambda sd0, sd1, rho, c: rho, "Moving the origin changes it: c is missing."
        ),
        Mistake(
            lambda: _no_cross_term,
            "The variance of a sum has a third part, 2 * c * rho * sd0 * sd1: twice a covariance.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, rho, c: _corr_at(sd0, sd1, rho, -c),
            "The sign of c: the height at c is gamma_0 plus c times gamma_1.",
        ),
        Mistake(lambda: _covariance, "This is the covariance. Divide by both sds."),
        Mistake(lambda: _old_height, "Divide by the sd of the height at c, not by that at 0."),
        Mistake(lambda: _no_root, "The variance of the height was used: take its square root."),
        Mistake(
            lambda: lambda sd0, sd1, rho, c: _corr_at(sd1, sd0, rho, c),
            "The two sds are exchanged: sd1 is that of the slope.",
        ),
    ),
)

EXERCISES = (MEETING, ODDS, CHANCE, PENALISED, ORIGIN)
