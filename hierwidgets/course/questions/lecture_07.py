"""Lecture 07, group-level predictors: target, integral, two-step slope, effect, test."""

from collections.abc import Callable
from functools import cache
from math import comb, log, pi, sqrt

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course.models import COMPETITIVENESS, DISTRICTS
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.likelihood_ratio import compare
from hierwidgets.fit.pooling import partial_pooling
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]


X = "district_competitiveness"


@cache
def _data() -> pd.DataFrame:
    uk = load("uk")
    return uk.assign(contacted=(uk["contacted"] == "Contacted").astype(int))


@cache
def _fit(predictor: bool) -> Fit:
    return glmer(COMPETITIVENESS if predictor else DISTRICTS, _data())


@cache
def _districts() -> pd.DataFrame:
    by_district = _data().groupby("district_id")
    return pd.DataFrame(
        {
            "x": by_district[X].first(),
            "raw": by_district["contacted"].mean(),
            "shrunken": partial_pooling(_fit(False)).set_index("level")["estimate"],
            "one_step": partial_pooling(_fit(True)).set_index("level")["estimate"],
        }
    )


def _line(x: float) -> float:
    """The log-odds that districts of competitiveness x are pulled toward."""
    gamma0, gamma1 = _fit(True).fixef
    return float(gamma0 + gamma1 * x)


def _mean_at() -> float:
    x, w = np.polynomial.hermite_e.hermegauss(41)
    return float(np.average(expit(_line(0.8) + _fit(True).theta[0] * x), weights=w))


TARGET = Exercise(
    name="07-target",
    expected=lambda: expit(_line(0.8)),
    atol=1e-3,
    proportion=True,
    hints=(
        "Nobody was asked, so there is no likelihood. What is left of the model?",
        "The prior's centre is gamma0 + gamma1 * 0.8, in log-odds.",
        "`expit(gamma0 + gamma1 * 0.8)`.",
    ),
    right="A district without a single answer gets an estimate, and not everybody's.",
    mistakes=(
        Mistake(lambda: _line(0.8), "This is a log-odds. Give it as a rate."),
        Mistake(
            lambda: expit(float(_fit(False).fixef["Intercept"])),
            "This is the target of the model without the predictor.",
        ),
        Mistake(
            lambda: expit(float(_fit(True).fixef["Intercept"])),
            "This is the target of a district of competitiveness 0: the slope is missing.",
        ),
        Mistake(
            lambda: expit(_line(1.0)), "This is the target at competitiveness 1. Take gamma1 * 0.8."
        ),
        Mistake(lambda: np.exp(_line(0.8)), "These are odds. A rate is odds / (1 + odds)."),
        Mistake(
            _mean_at,
            "This is the average over all districts that the model thinks possible there. The "
            "estimate is the rate on the line.",
        ),
    ),
)


def _log_area(y: int, n: int, mu: float, sigma: float) -> float:
    alpha = np.linspace(mu - 10 * sigma, mu + 10 * sigma, 8001)
    standard = (alpha - mu) / sigma
    log_h = y * alpha - n * np.logaddexp(0, alpha) - 0.5 * standard**2
    area = np.exp(log_h).sum() * (alpha[1] - alpha[0]) / (sigma * np.sqrt(2 * np.pi))
    return float(np.log(area))


def _log_marginal(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    return _log_area(y, n, gamma0 + gamma1 * x, sigma)


def _without_slope(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    return _log_area(y, n, gamma0, sigma)


def _not_logged(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    return float(np.exp(_log_marginal(y, n, x, gamma0, gamma1, sigma)))


def _on_the_line(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    p = expit(gamma0 + gamma1 * x)
    return float(y * np.log(p) + (n - y) * np.log(1 - p))


def _variance(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    return _log_area(y, n, gamma0 + gamma1 * x, sigma**2)


def _no_constant(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    return _log_marginal(y, n, x, gamma0, gamma1, sigma) + log(sigma * sqrt(2 * pi))


def _no_step(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    return _log_marginal(y, n, x, gamma0, gamma1, sigma) - log(16 * sigma / 4000)


def _of_a_count(y: int, n: int, x: float, gamma0: float, gamma1: float, sigma: float) -> float:
    return _log_marginal(y, n, x, gamma0, gamma1, sigma) + log(comb(n, y))


def _adds_to_one(function: Callable[..., object]) -> bool:
    logs = [float(function(y, 1, 0.6, -3.4, 3.9, 0.6)) for y in (0, 1)]  # type: ignore[arg-type]
    return bool(abs(np.exp(logs).sum() - 1) < 1e-3)


LOG_MARGINAL = Exercise(
    name="07-marginal",
    expected=lambda: _log_marginal,
    also=(lambda: _of_a_count,),
    atol=1e-4,
    inputs=(
        (0, 1, 0.45, -3.4, 3.9, 0.6),
        (3, 5, 0.8, -3.4, 3.9, 0.6),
        (7, 9, 0.6, -1.0, 0.5, 1.5),
    ),
    properties=(("the two results of one answer have probabilities that add to 1", _adds_to_one),),
    hints=(
        "It is lecture 3b's integral. Only the centre of the prior is new.",
        "Let `mu = gamma0 + gamma1 * x`, and go on as if mu were a number.",
        "A grid of alpha from mu - 8 sigma to mu + 8 sigma; `log_h = y * alpha - n * "
        "np.log1p(np.exp(alpha)) - 0.5 * ((alpha - mu) / sigma)**2 - np.log(sigma * np.sqrt(2 * "
        "np.pi))`; the log of the sum of `np.exp(log_h)` times the step.",
    ),
    right="One line has changed since lecture 3b: the mean of the prior depends on x.",
    mistakes=(
        Mistake(lambda: _without_slope, "The centre of the prior is gamma0 + gamma1 * x."),
        Mistake(lambda: _not_logged, "This is the integral itself. Return its logarithm."),
        Mistake(
            lambda: _on_the_line,
            "This puts the district on the line. Average over where it may lie around it.",
        ),
        Mistake(lambda: _variance, "sigma was squared: it is the sd of the prior."),
        Mistake(
            lambda: _no_constant,
            "The prior's constant 1 / (sigma sqrt(2 pi)) is missing. It depends on sigma, so it "
            "matters for the maximum.",
        ),
        Mistake(
            lambda: _no_step,
            "The sum over the grid must be multiplied by the step: an area is height times width.",
        ),
    ),
)


def _slope(column: str) -> float:
    districts = _districts()
    return float(np.polyfit(districts["x"], districts[column], 1)[0])


def _slope_of_log_odds() -> float:
    x, rate = (_districts()[name].to_numpy() for name in ("x", "shrunken"))
    return float(np.polyfit(x, np.log(rate / (1 - rate)), 1)[0])


def _weighted_slope() -> float:
    x, rate = (_districts()[name].to_numpy() for name in ("x", "shrunken"))
    sizes = _data().groupby("district_id").size().to_numpy()
    return float(np.polyfit(x, rate, 1, w=np.sqrt(sizes))[0])


TWO_STEP = Exercise(
    name="07-two-step",
    expected=lambda: _slope("shrunken"),
    atol=2e-3,
    hints=(
        "A straight line through the points of Figure 1: one point per district.",
        "`np.polyfit(x, y, 1)` returns slope and intercept, in this order.",
        '`np.polyfit(districts["x"], districts["shrunken"], 1)[0]`.',
    ),
    right="Ten points of competitiveness go with not even two points of contact, it seems.",
    mistakes=(
        Mistake(lambda: _slope("raw"), "This line goes through the raw rates."),
        Mistake(
            lambda: _slope("one_step"),
            "This line goes through the estimates of the model that knows the predictor.",
        ),
        Mistake(
            lambda: float(np.polyfit(_districts()["x"], _districts()["shrunken"], 1)[1]),
            "This is the intercept.",
        ),
        Mistake(
            lambda: float(np.polyfit(_districts()["shrunken"], _districts()["x"], 1)[0]),
            "The two are exchanged: x comes first in `np.polyfit(x, y, 1)`.",
        ),
        Mistake(
            lambda: float(np.corrcoef(_districts()["x"], _districts()["shrunken"])[0, 1]),
            "This is the correlation. Asked for is the slope.",
        ),
        Mistake(_slope_of_log_odds, "This line goes through log-odds. Take the rates, `shrunken`."),
        Mistake(
            _weighted_slope,
            "This line is weighted by the districts' sizes. The one of Figure 1 is not.",
        ),
    ),
)


def _over_districts(effects: Array, weights: Array | None = None) -> float:
    """The mean difference of rates between .8 and .5, for districts off the line."""
    return float(
        np.average(expit(_line(0.8) + effects) - expit(_line(0.5) + effects), weights=weights)
    )


def _over_imagined_districts() -> float:
    x, w = np.polynomial.hermite_e.hermegauss(41)
    return _over_districts(_fit(True).theta[0] * x, w)


EFFECT = Exercise(
    name="07-effect",
    expected=lambda: expit(_line(0.8)) - expit(_line(0.5)),
    atol=4e-4,
    proportion=True,
    hints=(
        "Two rates and their difference. A typical district lies on the line.",
        "The rate at x is `expit(gamma0 + gamma1 * x)`.",
        "`expit(gamma0 + gamma1 * 0.8) - expit(gamma0 + gamma1 * 0.5)`.",
    ),
    right="A first difference: in units that people understand.",
    mistakes=(
        Mistake(
            lambda: _line(0.8) - _line(0.5),
            "This is a difference of log-odds. Take the inverse logit of each first.",
        ),
        Mistake(
            lambda: expit(_line(0.8) - _line(0.5)),
            "The inverse logit of a difference is not the difference of two rates.",
        ),
        Mistake(
            lambda: expit(_line(0.5)) - expit(_line(0.8)), "The sign: from .5 *to* .8, please."
        ),
        Mistake(
            lambda: expit(_line(0.8)) / expit(_line(0.5)),
            "This is the ratio of the two rates. Asked for is their difference.",
        ),
        Mistake(lambda: expit(_line(0.8)), "This is the rate at 0.8 alone. Take off that at 0.5."),
        Mistake(
            lambda: _over_districts(_fit(True).ranef["mode"].to_numpy()),
            "This is the average over the districts there are, each with its own effect. Asked for "
            "is the typical district, which lies on the line.",
        ),
        Mistake(
            _over_imagined_districts,
            "This averages over districts with all effects that the model thinks possible. Asked "
            "for is the typical one, on the line.",
        ),
    ),
)


def _test() -> tuple[float, float]:
    found = compare(_fit(False), _fit(True))
    return found.chi_square, found.p


def _tail(square: float, df: int = 1) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(df, square))


TEST = Exercise(
    name="07-test",
    expected=lambda: (_test()[0], _test()[1] * 1e5),
    atol=0.05,
    hints=(
        "Twice the difference of the two log-likelihoods, larger model first.",
        "`chi2.sf(value, df=1)` is the probability of something larger, if the predictor is idle.",
        "`square = 2 * (fit.loglik - plain.loglik)`, and the pair is "
        "`(square, 1e5 * chi2.sf(square, 1))`.",
    ),
    right="Adding one number to the model raised the log-likelihood by more than eight.",
    mistakes=(
        Mistake(
            lambda: (_test()[0] / 2, 1e5 * _tail(_test()[0] / 2)),
            "Twice the difference, not the difference.",
        ),
        Mistake(lambda: (_test()[0], _test()[1]), "The second number should be 100,000 times p."),
        Mistake(
            lambda: (_test()[0], 1e5 * _tail(_test()[0], 2)),
            "The value is right. The larger model has one number more: one degree of freedom.",
        ),
        Mistake(
            lambda: (_test()[0], 5e4 * _test()[1]),
            "The value is right. The p-value is not to be taken by half: a slope is no spread at "
            "the edge.",
        ),
        Mistake(
            lambda: (_test()[0], 1e5 * (1 - _test()[1])),
            "The value is right. The second is of `cdf`, below the value; `sf` is above it.",
        ),
        Mistake(
            lambda: (-_test()[0], 1e5),
            "Take the larger model's log-likelihood minus the smaller's.",
        ),
    ),
)

EXERCISES = (TARGET, LOG_MARGINAL, TWO_STEP, EFFECT, TEST)
