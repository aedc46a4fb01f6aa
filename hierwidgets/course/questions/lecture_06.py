"""Lecture 06, many tiny groups: zero width, one respondent, equal patterns, Laplace's error."""

from functools import cache

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course.models import DISTRICTS
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.fit.fit import Fit
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]


@cache
def _data() -> pd.DataFrame:
    uk = load("uk")
    return uk.assign(contacted=(uk["contacted"] == "Contacted").astype(int))


@cache
def _counts() -> pd.DataFrame:
    return pd.DataFrame(_data().groupby("district_id")["contacted"].agg(y="sum", n="size"))


@cache
def _fit() -> Fit:
    return glmer(DISTRICTS, _data())


def _mu() -> float:
    return float(_fit().fixef["Intercept"])


def _sigma() -> float:
    return float(_fit().theta[0])


def _none() -> int:
    return int((_counts()["y"] == 0).sum())


def _all() -> int:
    return int((_counts()["y"] == _counts()["n"]).sum())


def _certain_share() -> float:
    return (_none() + _all()) / len(_counts())


ZERO_WIDTH = Exercise(
    name="06-zero-width",
    expected=lambda: _none() + _all(),
    atol=0.1,
    hints=(
        "A Wald standard error is zero when the estimated rate is 0, and in one more case.",
        "The frame `no` has a column `std_error`. Count the zeros in it.",
        '`(no["std_error"] == 0).sum()`.',
    ),
    right="More than half of all districts claim to be certain, most of them after two answers.",
    mistakes=(
        Mistake(_none, "These are the districts with a rate of 0. A rate of 1 is as bad."),
        Mistake(_all, "These are the districts with a rate of 1. A rate of 0 is as bad."),
        Mistake(
            lambda: int((_counts()["n"] == 1).sum()),
            "These are the districts with one respondent. Others can be unanimous, too.",
        ),
        Mistake(
            lambda: len(_counts()) - _none() - _all(),
            "These are the districts whose standard error is not zero.",
        ),
        Mistake(lambda: len(_counts()), "These are all the districts."),
        Mistake(_certain_share, "This is the share. Give the number of districts."),
        Mistake(lambda: 100 * _certain_share(), "This is the share, in percent. Give the number."),
    ),
)


def _rate(y: int, n: int, mu: float, sigma: float) -> float:
    alpha = mu
    for _ in range(60):
        p = float(expit(alpha))
        alpha += (y - n * p - (alpha - mu) / sigma**2) / (n * p * (1 - p) + 1 / sigma**2)
    return float(expit(alpha))


def _one_respondent(sigma: float) -> tuple[float, float]:
    return _rate(0, 1, _mu(), sigma), _rate(1, 1, _mu(), sigma)


def _logit(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def _mean_rate(y: int) -> float:
    alpha = np.linspace(_mu() - 10 * _sigma(), _mu() + 10 * _sigma(), 4001)
    return float(np.average(expit(alpha), weights=np.exp(_log_h(alpha, y, 1))))


ONE = Exercise(
    name="06-one",
    expected=lambda: _one_respondent(_sigma()),
    atol=5e-4,
    proportion=True,
    hints=(
        "The estimate is the mode of likelihood times prior: where its slope is zero.",
        "Solve y - n * expit(alpha) - (alpha - mu) / sigma**2 = 0 for alpha, with y = 0, n = 1, "
        "and then with y = 1, n = 1.",
        "`brentq(lambda a: y - n * expit(a) - (a - mu) / sigma**2, -10, 10)` gives alpha; `expit` "
        "gives the rate.",
    ),
    right="One answer moves the estimate by a few points either way: it is one answer.",
    mistakes=(
        Mistake(lambda: (0.0, 1.0), "These are the raw rates. The model does not believe them."),
        Mistake(
            lambda: (expit(_mu()), expit(_mu())),
            "This is the target of all districts. The one answer counts a little, too.",
        ),
        Mistake(
            lambda: _one_respondent(_sigma() ** 0.5),
            "The variance of the prior is sigma**2, and here sigma stands in its place.",
        ),
        Mistake(
            lambda: (_rate(1, 1, _mu(), _sigma()), _rate(0, 1, _mu(), _sigma())),
            "The two are exchanged: the first is for the district that said no.",
        ),
        Mistake(
            lambda: (_logit(_one_respondent(_sigma())[0]), _logit(_one_respondent(_sigma())[1])),
            "These are log-odds. Give both as rates.",
        ),
        Mistake(
            lambda: (_mean_rate(0), _mean_rate(1)),
            "These are the means of the two distributions. Asked for are their peaks.",
        ),
    ),
)

DISTINCT = Exercise(
    name="06-distinct",
    expected=lambda: len(_counts().drop_duplicates()),
    atol=0.1,
    hints=(
        "What does the model know of a district? Two numbers.",
        "Districts with the same y and the same n get the same estimate. Count the pairs.",
        "`counts.drop_duplicates()` keeps one row of each pair.",
    ),
    right="253 districts, and the model can tell only so many apart: y and n are all it sees.",
    mistakes=(
        Mistake(lambda: len(_counts()), "These are the districts. Many share one estimate."),
        Mistake(
            lambda: len((_counts()["y"] / _counts()["n"]).round(10).unique()),
            "These are the different raw rates. 0 of 1 and 0 of 5 are the same rate and get "
            "different estimates.",
        ),
        Mistake(lambda: _counts()["n"].nunique(), "These are the different sizes n alone."),
        Mistake(lambda: _counts()["y"].nunique(), "These are the different counts y alone."),
        Mistake(
            lambda: _counts()["n"].nunique() * _counts()["y"].nunique(),
            "Sizes times counts is too many: not every pair occurs.",
        ),
    ),
)


def _log_h(alpha: Array, y: int, n: int) -> Array:
    standard = (alpha - _mu()) / _sigma()
    return y * alpha - n * np.log1p(np.exp(alpha)) - 0.5 * standard**2


def _laplace_error(y: int, n: int) -> float:
    """Percent by which Laplace's area lies above the true one (negative: below)."""
    alpha = np.linspace(_mu() - 10 * _sigma(), _mu() + 10 * _sigma(), 40001)
    h = np.exp(_log_h(alpha, y, n))
    area = float(h.sum() * (alpha[1] - alpha[0]))
    p = _rate(y, n, _mu(), _sigma())
    mode = float(np.log(p / (1 - p)))
    sd = (n * p * (1 - p) + 1 / _sigma() ** 2) ** -0.5
    laplace = float(np.exp(_log_h(np.array([mode]), y, n))[0] * sd * np.sqrt(2 * np.pi))
    return 100 * (laplace / area - 1)


LAPLACE = Exercise(
    name="06-laplace",
    expected=lambda: _laplace_error(1, 1),
    atol=0.005,
    hints=(
        "Take lecture 3b's two areas of one district, with y = 1 and n = 1: by strips, and by "
        "Laplace.",
        "The function `log_area` above gives the logarithm of either: with 1 node, and with 25. "
        "The difference of two logarithms is the logarithm of the ratio.",
        "`100 * (np.exp(log_area(1, 1, mu, sigma, 1) - log_area(1, 1, mu, sigma, 25)) - 1)`.",
    ),
    right="A fifth of a percent, too small. It looks harmless, and there are 253 of them.",
    mistakes=(
        Mistake(lambda: -_laplace_error(1, 1), "The sign: is Laplace's area too large or small?"),
        Mistake(lambda: _laplace_error(0, 1), "This is the error for y = 0."),
        Mistake(
            lambda: _laplace_error(1, 1) / 100,
            "This is the share. Give it in percent.",
        ),
        Mistake(
            lambda: 100 + _laplace_error(1, 1),
            "This is the whole ratio in percent. Asked for is by how much it is off: take off 100.",
        ),
        Mistake(
            lambda: 1 + _laplace_error(1, 1) / 100,
            "This is the whole ratio of the two areas. Take off 1 and give it in percent.",
        ),
    ),
)

EXERCISES = (ZERO_WIDTH, ONE, DISTINCT, LAPLACE)
