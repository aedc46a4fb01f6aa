"""Lecture 08, several countries: count, climb the levels, recode, simulate, vague priors."""

from collections.abc import Callable
from functools import cache
from math import erfc, exp, log, sqrt

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]


# --- counting -----------------------------------------------------------------------------


@cache
def _data() -> pd.DataFrame:
    return load("rainey2015")


def _counted() -> tuple[int, int]:
    districts = int(_data()["district_id"].nunique())
    elections = int(_data()["election_id"].nunique())
    return 8, districts + 2 * elections


COUNT = Exercise(
    name="08-count",
    expected=_counted,
    atol=1e-9,
    hints=(
        "Estimated are the Greek letters without an index j or k. Drawn are those with one.",
        "Four deltas; how many standard deviations, how many correlations?",
        "Drawn: one alpha for each district, and a gamma_0 and a gamma_1 for each election.",
    ),
    right="Eight numbers govern hundreds: that is what a hierarchical model is for.",
    mistakes=(
        Mistake(
            lambda: (7, _counted()[1]),
            "The second is right. Count once more: the correlation rho is estimated too.",
        ),
        Mistake(
            lambda: (8, _counted()[1] - 5),
            "The first is right. Each election draws two numbers, an intercept and a slope.",
        ),
        Mistake(
            lambda: (8, _counted()[1] - 10),
            "The first is right. The elections draw numbers as well, two each.",
        ),
        Mistake(
            lambda: (4, _counted()[1]),
            "The second is right. Besides the deltas, the spreads and the correlation are "
            "estimated.",
        ),
        Mistake(
            lambda: (8, len(_data()) + 10),
            "The first is right. An alpha is drawn for each district, not for each of the persons.",
        ),
        Mistake(
            lambda: (_counted()[1], 8),
            "The two are exchanged: first what is estimated, then what is drawn.",
        ),
    ),
)


# --- one probability, level by level ------------------------------------------------------


def _rate(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    gamma0 = delta[0] + delta[1] * pr + election[0]
    gamma1 = delta[2] + delta[3] * pr + election[1]
    return float(expit(gamma0 + gamma1 * comp + district))


def _log_odds(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    p = _rate(delta, pr, comp, election, district)
    return log(p / (1 - p))


def _no_interaction(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return _rate(np.array([*delta[:3], 0.0]), pr, comp, election, district)


def _slope_not_multiplied(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return _rate(delta, pr, comp, (election[0] + election[1], 0.0), district)


def _flipped(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return _rate(delta, 1 - pr, comp, election, district)


def _no_height(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return _rate(np.array([delta[0], 0.0, *delta[2:]]), pr, comp, election, district)


def _no_election(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return _rate(delta, pr, comp, (0.0, 0.0), district)


def _no_district(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return _rate(delta, pr, comp, election, 0.0)


def _other_order(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return _rate(delta[[0, 2, 1, 3]], pr, comp, election, district)


def _odds(
    delta: Array, pr: float, comp: float, election: tuple[float, float], district: float
) -> float:
    return exp(_log_odds(delta, pr, comp, election, district))


RATE = Exercise(
    name="08-rate",
    expected=lambda: _rate,
    atol=1e-6,
    inputs=(
        (np.array([-3.0, 0.7, 4.3, -3.1]), 0, 0.74, (0.3, -0.2), 0.5),
        (np.array([-3.0, 0.7, 4.3, -3.1]), 1, 0.6, (-0.1, 0.4), -0.3),
        (np.array([0.0, 0.5, 1.0, 2.0]), 1, 0.25, (0.0, 0.0), 0.0),
    ),
    hints=(
        "Go down the levels: the rule gives two means, the election moves them, the district "
        "adds its own, and the inverse logit makes it a probability.",
        "`gamma0 = delta[0] + delta[1] * pr + election[0]`, and gamma1 likewise.",
        "`expit(gamma0 + gamma1 * comp + district)`.",
    ),
    right="Four levels, four lines. Everything else in the lecture is about these.",
    mistakes=(
        Mistake(
            lambda: _log_odds, "This is the log-odds. The inverse logit makes it a probability."
        ),
        Mistake(
            lambda: _no_interaction, "The rule changes the slope as well: delta[3] is missing."
        ),
        Mistake(
            lambda: _slope_not_multiplied,
            "The election's second number belongs to the slope: it is multiplied by comp.",
        ),
        Mistake(lambda: _flipped, "The rules are exchanged: pr is 1 for proportional rules."),
        Mistake(lambda: _no_height, "The rule changes the height as well: delta[1] is missing."),
        Mistake(lambda: _no_election, "The election's own two numbers are missing."),
        Mistake(lambda: _no_district, "The district's own number is missing."),
        Mistake(
            lambda: _other_order,
            "Mind the order: delta[1] changes the height, delta[2] is the slope.",
        ),
        Mistake(lambda: _odds, "These are odds. A probability is odds / (1 + odds)."),
    ),
)


# --- two codings --------------------------------------------------------------------------


@cache
def _beta() -> Array:
    return glmer(SEVERAL_COUNTRIES, _data(), event="Contacted").fixef.to_numpy()


def _recoded(beta: Array) -> Array:
    intercept, slope, smd, both = np.asarray(beta, dtype=float)
    return np.array([intercept + smd, -smd, slope + both, -both])


def _same_lines(function: Callable[..., object]) -> bool:
    """The lines of both rules, from either set of numbers, whatever the numbers."""
    for seed in range(3):
        beta = np.random.default_rng(seed).normal(size=4)
        d = np.asarray(function(beta), dtype=float)
        pr, smd = (d[0] + d[1], d[2] + d[3]), (d[0], d[2])
        if not np.allclose([*pr, *smd], [beta[0], beta[1], beta[0] + beta[2], beta[1] + beta[3]]):
            return False
    return True


RECODE = Exercise(
    name="08-recode",
    expected=lambda: _recoded,
    atol=1e-6,
    inputs=((np.array([-2.0, 1.0, -0.5, 3.0]),), (np.array([0.0, 0.0, 1.0, 0.0]),)),
    properties=(("both rules keep their line, whatever the four numbers are", _same_lines),),
    hints=(
        "Write down the line of each rule twice, once with the betas, once with the deltas.",
        "SMD: the intercept is beta[0] + beta[2] in one and delta_00 in the other.",
        "`[beta[0] + beta[2], -beta[2], beta[1] + beta[3], -beta[3]]`.",
    ),
    right="Two lines, two sets of names. No datum is needed to go from one to the other.",
    mistakes=(
        Mistake(
            lambda: lambda beta: -np.asarray(beta, dtype=float),
            "Not all signs change: the reference changes too, from one rule's line to the other's.",
        ),
        Mistake(
            lambda: lambda beta: np.array([beta[0], -beta[2], beta[1], -beta[3]]),
            "delta_00 and delta_10 are the line of the rule coded 0, which now is SMD.",
        ),
        Mistake(
            lambda: lambda beta: np.array([beta[0] + beta[2], beta[2], beta[1] + beta[3], beta[3]]),
            "The lines of SMD are right. From SMD to PR the differences have the other sign.",
        ),
        Mistake(
            lambda: lambda beta: _recoded(beta)[[0, 2, 1, 3]],
            "All four are there. The order asked for is delta_00, delta_01, delta_10, delta_11.",
        ),
        Mistake(lambda: lambda beta: beta, "Nothing has changed: these are the betas."),
        Mistake(
            lambda: lambda beta: np.asarray(beta, dtype=float)[[0, 2, 1, 3]],
            "The order has changed, the numbers have not: the rule coded 0 is another one now.",
        ),
        Mistake(
            lambda: (
                lambda beta: np.array([beta[0] - beta[2], -beta[2], beta[1] - beta[3], -beta[3]])
            ),
            "The line of SMD is that of PR plus the differences, beta[2] and beta[3].",
        ),
    ),
)


# --- simulate one election ----------------------------------------------------------------


def _election(
    delta: Array, sds: tuple[float, float, float], pr: float, comp: Array,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    gamma0 = rng.normal(delta[0] + delta[1] * pr, sds[0])
    gamma1 = rng.normal(delta[2] + delta[3] * pr, sds[1])
    return rng.normal(gamma0 + gamma1 * np.asarray(comp), sds[2])


def _draws(function: Callable[..., object]) -> Array:
    """(4000, 2): two districts of equal competitiveness in each of many elections."""
    delta, rng = np.array([-3.0, 0.7, 4.3, -3.1]), np.random.default_rng(77)
    return np.array(
        [function(delta, (0.5, 0.8, 0.6), 1, np.array([0.6, 0.6]), rng) for _ in range(4000)],
        dtype=float,
    )


def _spread_is_right(function: Callable[..., object]) -> bool:
    drawn = _draws(function)
    variance = 0.5**2 + 0.6**2 * 0.8**2 + 0.6**2
    mean = -3.0 + 0.7 + (4.3 - 3.1) * 0.6
    near = abs(drawn.mean() - mean) < 0.06
    return bool(near and abs(drawn.var() / variance - 1) < 0.08)


def _draws_from_rng(function: Callable[..., object]) -> bool:
    """The same generator gives the same election, another one another."""
    delta, comp = np.array([-3.0, 0.7, 4.3, -3.1]), np.linspace(0.3, 0.9, 5)
    first, again, other = (
        np.asarray(function(delta, (0.5, 0.8, 0.6), 0, comp, np.random.default_rng(seed)))
        for seed in (5, 5, 6)
    )
    return bool(np.array_equal(first, again) and not np.array_equal(first, other))


def _districts_share_an_election(function: Callable[..., object]) -> bool:
    between, own = 0.5**2 + 0.6**2 * 0.8**2, 0.6**2
    found = np.atleast_2d(np.corrcoef(_draws(function).T))[0, 1]
    return bool(abs(found - between / (between + own)) < 0.06)


def _election_flipped(
    delta: Array, sds: tuple[float, float, float], pr: float, comp: Array,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    return _election(delta, sds, 1 - pr, comp, rng)


def _election_flat(
    delta: Array, sds: tuple[float, float, float], pr: float, comp: Array,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    return _election(delta, sds, pr, np.ones(len(comp)), rng)


def _election_rates(
    delta: Array, sds: tuple[float, float, float], pr: float, comp: Array,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    return expit(_election(delta, sds, pr, comp, rng))


_NO_SPREAD = (1e-12, 1e-12, 1e-12)

ELECTION = Exercise(
    name="08-election",
    expected=lambda: _election,
    atol=1e-6,
    inputs=(
        (np.array([-3.0, 0.7, 4.3, -3.1]), _NO_SPREAD, 0, np.array([0.3, 0.6, 0.9]),
         np.random.default_rng(1)),
        (np.array([-3.0, 0.7, 4.3, -3.1]), _NO_SPREAD, 1, np.array([0.3, 0.6]),
         np.random.default_rng(2)),
    ),
    properties=(
        ("all that is drawn comes from the generator rng that is passed in, another from another",
         _draws_from_rng),
        ("over many elections the log-odds have the mean and the spread the model says",
         _spread_is_right),
        ("districts of one election share its gamma_0 and gamma_1: they move together",
         _districts_share_an_election),
    ),
    hints=(
        "From the top down: the rule's two means, one gamma_0 and one gamma_1 for the election, "
        "then an alpha for each district.",
        "`gamma0 = rng.normal(delta[0] + delta[1] * pr, sds[0])`; gamma1 likewise.",
        "`return rng.normal(gamma0 + gamma1 * comp, sds[2])`: as many numbers as comp has.",
    ),
    right="A model you can simulate is a model you have understood.",
    mistakes=(
        Mistake(lambda: _election_flipped, "The rules are exchanged: pr is 1 for PR."),
        Mistake(lambda: _election_flat, "gamma_1 has to be multiplied by comp."),
        Mistake(lambda: _election_rates, "These are rates. The log-odds alpha are asked for."),
    ),
)  # fmt: skip


# --- vague priors -------------------------------------------------------------------------


def _outside(sd: float) -> float:
    """P(rate < .01 or > .99) for a log-odds from N(0, sd^2): 2 (1 - Phi(log 99 / sd))."""
    return erfc(log(99) / (sd * sqrt(2)))


VAGUE = Exercise(
    name="08-vague",
    expected=lambda: _outside(sqrt(1000)),
    atol=0.01,  # three standard errors of 10,000 draws
    proportion=True,
    hints=(
        "On the log-odds scale the two limits are -log(99) and log(99), about 4.6.",
        "How much of a normal curve with this standard deviation lies beyond them?",
        "`2 * norm.cdf(-np.log(99) / np.sqrt(1000))`.",
    ),
    right="What is flat for the log-odds is a spike at 0 and a spike at 1 for the rate.",
    mistakes=(
        Mistake(
            lambda: _outside(1000.0),
            "1000 is the variance. The standard deviation is its square root.",
        ),
        Mistake(
            lambda: _outside(sqrt(1000)) / 2,
            "This is one tail. Rates below 0.01 and rates above 0.99 both count.",
        ),
        Mistake(
            lambda: 1 - _outside(sqrt(1000)),
            "This is the share between 0.01 and 0.99. Asked for is the share outside.",
        ),
        Mistake(
            lambda: erfc(99 / sqrt(2000)),
            "The odds of 0.99 stand where its log-odds belong: take the logarithm of 99.",
        ),
        Mistake(
            lambda: erfc(0.99 / sqrt(2000)),
            "The rate 0.99 stands where its log-odds belong, log(99).",
        ),
    ),
)

EXERCISES = (COUNT, RATE, RECODE, ELECTION, VAGUE)
