"""Lecture 02, the 309 problem: inverse logit, band, peak, half weight, by hand, how many more."""

from collections.abc import Callable
from functools import cache
from math import erfc, sqrt

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import expit, normal_quantile
from hierwidgets.course.models import DISTRICTS
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]

_Z90 = normal_quantile(0.90)
_Z95 = normal_quantile(0.95)
_Z80 = normal_quantile(0.80)


@cache
def _prior() -> tuple[float, float]:
    """mu and sigma of Finland, as the lecture takes them from the fit."""
    fit = glmer(DISTRICTS, load("finland"), event="Contacted")
    return float(fit.fixef["Intercept"]), float(fit.theta[0])


@cache
def _counts(district: str) -> tuple[int, int]:
    """Contacted and asked in a district."""
    finland = load("finland")
    mine = finland[finland["district_id"] == f"District {district}"]
    return int((mine["contacted"] == "Contacted").sum()), len(mine)


def _logit(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def _halves(function: Callable[..., object]) -> bool:
    ends = [float(function(sign * 0.7)) for sign in (-1, 1)]  # type: ignore[arg-type]
    return bool(abs(sum(ends) - 1) < 1e-6)


def _stays_between(function: Callable[..., object]) -> bool:
    values = np.array([function(a) for a in (-30.0, -5.0, 0.0, 5.0, 30.0)], dtype=float)
    return bool((np.diff(values) > 0).all() and values[0] >= 0 and values[-1] <= 1)


EXPIT = Exercise(
    name="02-expit",
    expected=lambda: expit,
    atol=1e-6,
    proportion=True,
    inputs=((0.0,), (-1.37,), (2.5,), (-4.0,)),
    properties=(
        ("alpha and -alpha give rates that add up to 1", _halves),
        ("it rises from 0 to 1", _stays_between),
    ),
    hints=(
        "Log-odds to odds first, then odds to rate.",
        "odds = exp(alpha), and a rate is odds / (1 + odds).",
        "`odds = np.exp(alpha)`, then `return odds / (1 + odds)`.",
    ),
    right="Three names for one function: inverse logit, plogis in R, expit in SciPy.",
    mistakes=(
        Mistake(lambda: np.exp, "These are odds. A rate is odds / (1 + odds)."),
        Mistake(
            lambda: lambda alpha: float(expit(-alpha)),
            "This is the rate of *not* being contacted: the sign of alpha is turned around.",
        ),
        Mistake(
            lambda: lambda alpha: 1 + np.exp(-alpha), "This is one over the rate. Turn it over."
        ),
        Mistake(lambda: lambda alpha: np.log(expit(alpha)), "This is the logarithm of the rate."),
        Mistake(
            lambda: lambda alpha: 0.5 * erfc(-alpha / sqrt(2)),
            "This is the normal curve's area, the inverse of another link (probit).",
        ),
    ),
)


def _band(quantile: float) -> tuple[float, float]:
    mu, sigma = _prior()
    low, high = expit([mu - quantile * sigma, mu + quantile * sigma])
    return float(low), float(high)


def _band_in_log_odds() -> tuple[float, float]:
    mu, sigma = _prior()
    return mu - _Z90 * sigma, mu + _Z90 * sigma


def _band_with_the_variance() -> tuple[float, float]:
    mu, sigma = _prior()
    low, high = expit([mu - _Z90 * sigma**2, mu + _Z90 * sigma**2])
    return float(low), float(high)


def _band_of_parts() -> tuple[float, float]:
    mu, sigma = _prior()
    centre, reach = float(expit(mu)), float(expit(_Z90 * sigma)) - 0.5
    return centre - reach, centre + reach


BAND = Exercise(
    name="02-band",
    expected=lambda: _band(_Z90),
    proportion=True,
    hints=(
        "Nobody was asked, so all that is known of the district is alpha ~ N(mu, sigma^2).",
        "The middle 90 % of a normal distribution reach 1.64 standard deviations to each side.",
        "`expit(mu - 1.64 * sigma), expit(mu + 1.64 * sigma)`.",
    ),
    right="This is what the other districts alone say about any district, 309 included.",
    mistakes=(
        Mistake(lambda: _band(_Z95), "This is the middle 95 %, with 1.96. Use 1.64 for 90 %."),
        Mistake(lambda: _band(1.0), "This is one sigma to each side, about 68 %. Use 1.64 sigma."),
        Mistake(lambda: _band(_Z80), "This is the middle 80 %, with 1.28. Use 1.64 for 90 %."),
        Mistake(
            lambda: tuple(np.exp(_band_in_log_odds())),
            "These are odds. A rate is odds / (1 + odds).",
        ),
        Mistake(_band_in_log_odds, "These are log-odds. Turn both ends into rates."),
        Mistake(_band_with_the_variance, "The variance was used. sigma is the standard deviation."),
        Mistake(
            _band_of_parts,
            "Parts were transformed one by one. Take the ends in log-odds, then transform each.",
        ),
    ),
)


def _peak(y: float, n: float) -> float:
    """The log-odds at which prior times likelihood is largest: bisection on the slope."""
    mu, sigma = _prior()
    low, high = mu - sigma**2 * n, mu + sigma**2 * n
    for _ in range(80):
        middle = 0.5 * (low + high)
        slope = y - n * float(expit(middle)) - (middle - mu) / sigma**2
        low, high = (middle, high) if slope > 0 else (low, middle)
    return 0.5 * (low + high)


PEAK = Exercise(
    name="02-peak",
    expected=lambda: float(expit(_peak(*_counts("310")))),
    proportion=True,
    hints=(
        "The same five lines as for 309, with the counts of district 310.",
        "Only the likelihood changes: 29 contacted of 179. The prior stays.",
        "`posterior = prior * np.exp(29 * alpha - 179 * np.log1p(np.exp(alpha)))`, and then "
        "`expit(alpha[posterior.argmax()])`.",
    ),
    right="It moved by a hundredth. With 179 answers a district has little need of the others.",
    mistakes=(
        Mistake(lambda: _peak(*_counts("310")), "This is the peak in log-odds. Make it a rate."),
        Mistake(
            lambda: _counts("310")[0] / _counts("310")[1],
            "This is the raw rate, the peak of the likelihood alone. Multiply by the prior.",
        ),
        Mistake(
            lambda: float(expit(_prior()[0])),
            "This is the peak of the prior alone. Multiply by the likelihood of 310.",
        ),
        Mistake(
            lambda: float(expit(_peak(*_counts("309")))),
            "This is the peak of district 309. Use the counts of 310.",
        ),
    ),
)


def _half() -> float:
    mu, sigma = _prior()
    rate = float(expit(mu))
    return 1 / (sigma**2 * rate * (1 - rate))


def _half_with(rate: float, power: int = 2) -> float:
    return 1 / (_prior()[1] ** power * rate * (1 - rate))


HALF = Exercise(
    name="02-half",
    expected=_half,
    atol=0.6,  # sigma = 0.31 and mu = -1.37 give 64.4, the centre's rate as 0.2 gives 65.0
    hints=(
        "The weight is n / (n + n0). When is that one half?",
        "It is one half at n = n0. So compute n0, with the rate at the centre, expit(mu).",
        "`rate = expit(mu)`, then `1 / (sigma**2 * rate * (1 - rate))`.",
    ),
    right="Smaller districts listen mostly to the others, larger ones mostly to themselves.",
    mistakes=(
        Mistake(
            lambda: _half_with(float(expit(_prior()[0])), power=1),
            "sigma is not squared. The formula has the variance, sigma ** 2.",
        ),
        Mistake(
            lambda: 1 / _prior()[1] ** 2,
            "This is 1 / sigma^2. Divide also by the rate times (1 - rate) at the centre.",
        ),
        Mistake(
            lambda: _half_with(10 / 23),
            "The rate of 309 was used. Take the rate at the centre, expit(mu).",
        ),
        Mistake(
            lambda: _prior()[1] ** 2 * float(expit(_prior()[0])) * (1 - float(expit(_prior()[0]))),
            "This is one over the answer.",
        ),
        Mistake(lambda: _half_with(0.5), "This is for a rate of 0.5. Take the centre, expit(mu)."),
        Mistake(lambda: 2 * _half(), "This is twice the answer: n / (n + n0) is 1/2 at n = n0."),
    ),
)


def _weight(district: str) -> float:
    n = _counts(district)[1]
    return n / (n + _half())


def _weighted(district: str, swapped: bool = False) -> float:
    """The weighted average of own log-odds and mu."""
    y, n = _counts(district)
    weight = 1 - _weight(district) if swapped else _weight(district)
    return weight * _logit(y / n) + (1 - weight) * _prior()[0]


def _pair(value: Callable[[str], float]) -> "pd.Series[float]":
    return pd.Series([value("309"), value("310")], index=["309", "310"])


def _rate_average(district: str) -> float:
    (y, n), weight = _counts(district), _weight(district)
    return weight * y / n + (1 - weight) * float(expit(_prior()[0]))


BY_HAND = Exercise(
    name="02-by-hand",
    expected=lambda: tuple(_pair(lambda district: float(expit(_weighted(district))))),
    atol=1e-3,
    proportion=True,
    hints=(
        "Three steps for each: its weight, the weighted average of two log-odds, back to a rate.",
        "309: weight 23 / (23 + 64.5), own log-odds log(10 / 13), centre mu.",
        "`w = 23 / (23 + 64.5)`, then `expit(w * np.log(10 / 13) + (1 - w) * mu)`; "
        "for 310 the numbers are 179 and log(29 / 150).",
    ),
    right="309 goes most of the way to the centre, 310 hardly moves; the exact peaks are near.",
    mistakes=(
        Mistake(
            lambda: tuple(_pair(lambda district: float(expit(_weighted(district, swapped=True))))),
            "The weights are exchanged: n / (n + n0) belongs to the district's own log-odds.",
        ),
        Mistake(
            lambda: tuple(_pair(_weighted)), "These are log-odds. Turn both into rates at the end."
        ),
        Mistake(
            lambda: tuple(_pair(_rate_average)),
            "Rates were averaged. The weighted average is taken of log-odds, and then made a rate.",
        ),
        Mistake(
            lambda: tuple(_pair(lambda district: float(expit(_peak(*_counts(district)))))),
            "These are the exact peaks. Asked for is the pencil version, with the weight.",
        ),
        Mistake(
            lambda: tuple(_pair(lambda district: _counts(district)[0] / _counts(district)[1])),
            "These are the raw rates. Pull them toward the centre.",
        ),
        Mistake(
            lambda: tuple(_pair(_weight)),
            "These are the weights. Use them to average each district's log-odds with mu.",
        ),
    ),
)


def _needed(goal: float) -> float:
    """The n at which a raw rate of 10/23 peaks at `goal`, from the balance of the two pulls."""
    mu, sigma = _prior()
    return (_logit(goal) - mu) / sigma**2 / (10 / 23 - goal)


HOW_MANY = Exercise(
    name="02-how-many",
    expected=lambda: _needed(0.4),
    atol=1.5,  # mu and sigma rounded to two digits move the answer by half a respondent
    hints=(
        "At the peak the two pulls are equal. You know everything in that equation except n.",
        "With y = n * 10 / 23 and pi = 0.4 it reads n * (10 / 23 - 0.4) = (alpha - mu) / sigma^2, "
        "where alpha is the log-odds of 0.4.",
        "`(np.log(0.4 / 0.6) - mu) / sigma**2 / (10 / 23 - 0.4)`.",
    ),
    right="A remarkable rate needs remarkably many witnesses before the model repeats it.",
    mistakes=(
        Mistake(
            lambda: _needed(0.4) * 10 / 23,
            "This is the number contacted, y. Asked for is n, the number of people asked.",
        ),
        Mistake(
            lambda: _needed(0.4) * _prior()[1],
            "sigma is not squared. The pull of the prior is (alpha - mu) / sigma**2.",
        ),
        Mistake(
            lambda: (0.4 - _prior()[0]) / _prior()[1] ** 2 / (10 / 23 - 0.4),
            "The rate 0.4 stands where its log-odds belong: alpha = log(0.4 / 0.6).",
        ),
        Mistake(
            lambda: _needed(0.4) / 23,
            "This is how many times 23. Asked for is the number of people itself.",
        ),
        Mistake(
            lambda: _needed(0.4) - 23,
            "These are those to ask besides the 23. Asked for is the whole number.",
        ),
        Mistake(lambda: -_needed(0.4), "The sign: a number of people is positive."),
    ),
)

EXERCISES = (EXPIT, BAND, PEAK, HALF, BY_HAND, HOW_MANY)
