"""Lecture 01, Finland without pooling: rates, likelihood, intervals, sample sizes, Wilson."""

from collections.abc import Callable
from math import comb, log

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hierwidgets.base.arrays import normal_quantile
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]

_Z90 = normal_quantile(0.90)
_Z95 = normal_quantile(0.95)
_Z80 = normal_quantile(0.80)


def _contacted() -> "pd.Series[float]":
    """1 or 0 per respondent, labelled by the district's number."""
    finland = load("finland")
    number = finland["district_id"].str.removeprefix("District ")
    contacted = (finland["contacted"] == "Contacted").astype(float)
    return pd.Series(contacted.to_numpy(), index=pd.Index(number, name="district_id"))


def _rates() -> "pd.Series[float]":
    return _contacted().groupby(level=0).mean()


def _one(district: str) -> tuple[float, int]:
    """The rate of a district and its number of respondents."""
    contacted = _contacted()
    values = contacted[contacted.index == district]
    return float(values.mean()), len(values)


RATES = Exercise(
    name="01-rates",
    expected=_rates,
    proportion=True,
    hints=(
        "One number per district: which pandas method splits a table by district?",
        "The mean of a column of zeros and ones is the share of ones.",
        'The shape is `tidy.groupby("district_id", observed=True)["contacted"]`, and then a mean.',
    ),
    right="A proportion is the mean of an indicator, so one `groupby` and one `mean` are enough.",
    mistakes=(
        Mistake(
            lambda: 1 - _rates(), "These are the shares of those who were not contacted: 1 - rate."
        ),
        Mistake(
            lambda: _contacted().groupby(level=0).sum(),
            "These are counts of contacted respondents. Divide each by its district's n.",
        ),
        Mistake(
            lambda: _contacted().groupby(level=0).size(),
            "These are the numbers of respondents, not the shares contacted.",
        ),
        Mistake(
            lambda: _contacted().groupby(level=0).std(),
            "These are standard deviations. The rate is the mean.",
        ),
    ),
)


def _log_likelihood(pi: float, y: ArrayLike) -> float:
    values = np.asarray(y, dtype=float)
    return float(np.sum(values * np.log(pi) + (1 - values) * np.log(1 - pi)))


def _likelihood_alone(pi: float, y: ArrayLike) -> float:
    return float(np.exp(_log_likelihood(pi, y)))


def _ones_only(pi: float, y: ArrayLike) -> float:
    return float(np.sum(np.asarray(y, dtype=float)) * np.log(pi))


def _mean_log_likelihood(pi: float, y: ArrayLike) -> float:
    return _log_likelihood(pi, y) / np.size(y)


def _negative(pi: float, y: ArrayLike) -> float:
    return -_log_likelihood(pi, y)


def _ones_and_zeros_exchanged(pi: float, y: ArrayLike) -> float:
    return _log_likelihood(1 - pi, y)


def _base_ten(pi: float, y: ArrayLike) -> float:
    return _log_likelihood(pi, y) / float(np.log(10))


def _of_a_count(pi: float, y: ArrayLike) -> float:
    ones = int(np.sum(np.asarray(y)))
    return _log_likelihood(pi, y) + log(comb(np.size(y), ones))


def _deviance(pi: float, y: ArrayLike) -> float:
    return -2 * _log_likelihood(pi, y)


def _peaks_at_the_mean(function: Callable[..., object]) -> bool:
    y = np.repeat([1.0, 0.0], [10, 13])
    grid = np.arange(1, 100) / 100
    values = [float(function(float(pi), y)) for pi in grid]  # type: ignore[arg-type]
    return bool(abs(grid[int(np.argmax(values))] - y.mean()) <= 0.005)


LIKELIHOOD = Exercise(
    name="01-likelihood",
    expected=lambda: _log_likelihood,
    inputs=(
        (0.5, [1, 0]),
        (0.2, [0, 0, 0, 1]),
        (0.9, [1, 1, 1]),
        (0.01, [0] * 40),
        (0.435, [1] * 10 + [0] * 13),
    ),
    properties=(("on a grid, its largest value is at the mean of y", _peaks_at_the_mean),),
    hints=(
        "A respondent with y = 1 has probability pi, one with y = 0 has probability 1 - pi.",
        "Independent respondents: probabilities multiply, so their logarithms add.",
        "`np.sum(y * np.log(pi) + (1 - y) * np.log(1 - pi))`, with `y = np.asarray(y)` before.",
    ),
    right="Each respondent adds one logarithm. The sum is largest at the share of ones.",
    mistakes=(
        Mistake(
            lambda: _likelihood_alone, "This is the likelihood itself. Take its logarithm: a sum."
        ),
        Mistake(
            lambda: _ones_only,
            "Only the contacted respondents are in the sum. The others add log(1 - pi) each.",
        ),
        Mistake(lambda: _negative, "The sign is turned around: this is minus the log-likelihood."),
        Mistake(lambda: _mean_log_likelihood, "This is the mean over respondents. Take the sum."),
        Mistake(
            lambda: _ones_and_zeros_exchanged,
            "The two logarithms are exchanged: y = 1 goes with log(pi), y = 0 with log(1 - pi).",
        ),
        Mistake(lambda: _base_ten, "This is in logarithms to base 10. Take the natural logarithm."),
        Mistake(
            lambda: _of_a_count,
            "The number of ways to pick the ones is included. Our data are single answers in a "
            "known order: leave it out.",
        ),
        Mistake(lambda: _deviance, "This is the deviance, minus twice the log-likelihood."),
    ),
)


def _ends(centre: float, half: float) -> tuple[float, float]:
    return centre - half, centre + half


def _wald_ends(district: str, quantile: float) -> tuple[float, float]:
    rate, n = _one(district)
    return _ends(rate, quantile * np.sqrt(rate * (1 - rate) / n))


def _forgot_the_root() -> tuple[float, float]:
    rate, n = _one("312")
    return _ends(rate, _Z90 * rate * (1 - rate) / n)


def _forgot_n() -> tuple[float, float]:
    rate, _ = _one("312")
    return _ends(rate, _Z90 * np.sqrt(rate * (1 - rate)))


def _forgot_the_quantile() -> tuple[float, float]:
    rate, n = _one("312")
    return _ends(rate, np.sqrt(rate * (1 - rate) / n))


def _estimate_and_error() -> tuple[float, float]:
    rate, n = _one("312")
    return rate, float(np.sqrt(rate * (1 - rate) / n))


INTERVAL = Exercise(
    name="01-interval",
    expected=lambda: _wald_ends("312", _Z90),
    proportion=True,
    hints=(
        "You need three numbers: the rate, its standard error, and how many of them to go out.",
        "The standard error is `sqrt(rate * (1 - rate) / n)` with the n of district 312.",
        "Rate minus and plus 1.64 standard errors, as a pair `(low, high)`.",
    ),
    right="Its lower end is close to zero: with so few contacted, the interval is nearly cut off.",
    mistakes=(
        Mistake(
            lambda: _wald_ends("312", _Z95),
            "This is the 95 % interval, with 1.96. For 90 % the quantile is 1.64.",
        ),
        Mistake(
            lambda: _wald_ends("312", _Z80),
            "This is the 80 % interval, with 1.28. For 90 %, 5 % are left out at each end: 1.64.",
        ),
        Mistake(
            _forgot_the_root,
            "This uses the squared standard error. Take the square root of rate (1 - rate) / n.",
        ),
        Mistake(
            _forgot_n,
            "This uses the standard deviation of one answer. The standard error of the rate "
            "divides it by sqrt(n).",
        ),
        Mistake(
            _forgot_the_quantile,
            "This goes one standard error out, about 68 %. For 90 % multiply by 1.64.",
        ),
        Mistake(
            lambda: _wald_ends("309", _Z90),
            "This is the interval of district 309. Asked for is district 312.",
        ),
        Mistake(
            lambda: _wilson(5, 58),
            "This is the Wilson interval, which comes later. Take the estimate and its error.",
        ),
        Mistake(
            _estimate_and_error,
            "This is the estimate and its standard error. Give the two ends of the interval.",
        ),
    ),
)


def _needed(quantile: float, half: float) -> float:
    rate, _ = _one("309")
    return float(quantile**2 * rate * (1 - rate) / half**2)


SAMPLE_SIZE = Exercise(
    name="01-sample-size",
    expected=lambda: _needed(_Z90, 0.05),
    atol=2.5,  # 1.64 and 1.6449 give 265 and 266, rounding up another
    hints=(
        "Write the half-width as a function of n, then solve for n.",
        "`1.64 * sqrt(rate * (1 - rate) / n) = 0.05`: square both sides.",
        "`n = 1.64**2 * rate * (1 - rate) / 0.05**2`, with the rate of district 309.",
    ),
    right="Half the width costs four times the respondents: n is under a square root.",
    mistakes=(
        Mistake(lambda: _needed(_Z95, 0.05), "This is for 95 %, with 1.96. Use 1.64 for 90 %."),
        Mistake(
            lambda: _needed(_Z90, 0.025),
            "This makes the whole interval 0.05 wide. Asked for is 0.05 to each side.",
        ),
        Mistake(
            lambda: np.sqrt(_needed(_Z90, 0.05)),
            "This is the square root of the answer: square both sides before you solve for n.",
        ),
        Mistake(
            lambda: _needed(1.0, 0.05),
            "The quantile is missing: a standard error of 0.05 is not yet a half-width of 0.05.",
        ),
        Mistake(
            lambda: 0.25 * (_Z90 / 0.05) ** 2,
            "This is for a rate of 0.5, the worst case. The rate of 309 is known: use it.",
        ),
        Mistake(
            lambda: _needed(_Z90**0.5, 0.05),
            "The quantile is squared, too, when both sides are.",
        ),
        Mistake(
            lambda: _needed(_Z90, 0.05) - 23,
            "These are those to ask besides the 23. Asked for is the whole number.",
        ),
    ),
)


def _wilson(y: float, n: float, quantile: float = _Z90) -> tuple[float, float]:
    rate, z2 = y / n, quantile**2
    half = quantile * np.sqrt(rate * (1 - rate) / n + z2 / (4 * n**2))
    low, high = _ends(rate + z2 / (2 * n), half)
    return low / (1 + z2 / n), high / (1 + z2 / n)


def _wald(y: float, n: float) -> tuple[float, float]:
    rate = y / n
    return _ends(rate, _Z90 * np.sqrt(rate * (1 - rate) / n))


def _wilson_undivided(y: float, n: float) -> tuple[float, float]:
    factor = 1 + _Z90**2 / n
    low, high = _wilson(y, n)
    return low * factor, high * factor


def _stays_inside(function: Callable[..., object]) -> bool:
    ends = np.array([function(y, n) for n in (1, 2, 7, 50) for y in range(n + 1)], dtype=float)
    return bool(((ends > -1e-9) & (ends < 1 + 1e-9)).all())


def _mirrors(function: Callable[..., object]) -> bool:
    low, high = np.transpose([np.asarray(function(y, 12), dtype=float) for y in range(13)])
    return bool(np.allclose(low, 1 - high[::-1], atol=1e-6))


WILSON = Exercise(
    name="01-wilson",
    expected=lambda: _wilson,
    atol=2e-3,  # 1.64 in place of 1.6449 moves an end by up to 0.0014
    inputs=((10, 23), (5, 58), (0, 4), (4, 4), (1, 1), (29, 179)),
    properties=(
        ("both ends lie between 0 and 1 for every y and n", _stays_inside),
        ("swapping contacted and not contacted mirrors the interval", _mirrors),
    ),
    hints=(
        "Translate the formula above piece by piece: a centre, a half-width, a common divisor.",
        "With `rate = y / n` and `z = 1.64`, the centre is `rate + z**2 / (2 * n)`, "
        "before the division by `1 + z**2 / n`.",
        "The half-width, before that same division, is "
        "`z * sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))`. Return `(low, high)`.",
    ),
    right="It never leaves the scale and never has width zero, not even with 0 of 4.",
    mistakes=(
        Mistake(lambda: _wald, "This is the Wald interval: for 0 of 4 it has width zero."),
        Mistake(lambda: lambda y, n: _wilson(y, n, _Z95), "This is for 95 %, with 1.96. Use 1.64."),
        Mistake(lambda: lambda y, n: _wilson(y, n, _Z80), "This is for 80 %, with 1.28. Use 1.64."),
        Mistake(
            lambda: _wilson_undivided,
            "Centre and half-width are right; both still have to be divided by 1 + z**2 / n.",
        ),
    ),
)

EXERCISES = (RATES, LIKELIHOOD, INTERVAL, SAMPLE_SIZE, WILSON)
