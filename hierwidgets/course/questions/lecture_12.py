"""Lecture 12, which pooling: log scores, a paired difference, an intraclass correlation, a size."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course.models import COMPETITIVENESS, DISTRICTS
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.fit.fit import Fit
from hierwidgets.model import glmer
from hierwidgets.validation.folds import cross_validate
from hierwidgets.validation.result import CrossValidation

__all__ = ["EXERCISES"]


# --- the log score ------------------------------------------------------------------------


def _log_score(y: Any, p: Any) -> float:
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    return float(np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def _only_yes(y: Any, p: Any) -> float:
    return float(np.mean(np.asarray(y) * np.log(np.asarray(p, dtype=float))))


def _summed(y: Any, p: Any) -> float:
    return _log_score(y, p) * len(np.asarray(y))


def _brier(y: Any, p: Any) -> float:
    return -float(np.mean((np.asarray(y, dtype=float) - np.asarray(p, dtype=float)) ** 2))


def _arithmetic(y: Any, p: Any) -> float:
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    return float(np.log(np.mean(y * p + (1 - y) * (1 - p))))


def _honest(function: Callable[..., object]) -> bool:
    """The expected score is highest if p is the truth."""
    y = np.repeat([1, 0], [3, 7])
    scores = [float(function(y, np.full(10, p))) for p in (0.2, 0.3, 0.4)]  # type: ignore[arg-type]
    return scores[1] > max(scores[0], scores[2])


SCORE = Exercise(
    name="12-log-score",
    expected=lambda: _log_score,
    atol=1e-6,
    inputs=(
        (np.array([1, 0, 0]), np.array([0.5, 0.2, 0.9])),
        (np.array([1, 1, 0, 0, 0]), np.array([0.3, 0.3, 0.3, 0.3, 0.3])),
        (np.array([0]), np.array([0.01])),
    ),
    properties=(("to say the truth scores best", _honest),),
    hints=(
        "Where the answer is 1, the score is the logarithm of p. And where it is 0?",
        "Then the event that happened had the probability 1 - p.",
        "`np.mean(np.where(y == 1, np.log(p), np.log(1 - p)))`.",
    ),
    right="Zero would be certainty that was right. A coin scores log(1/2), about -0.69.",
    mistakes=(
        Mistake(lambda: _only_yes, "The noes count, too: they were predicted with 1 - p."),
        Mistake(lambda: _summed, "Take the mean, not the sum."),
        Mistake(lambda: _brier, "These are squared distances (the Brier score). Take logarithms."),
        Mistake(
            lambda: lambda y, p: -_brier(y, p),
            "These are squared distances (the Brier score). Take logarithms.",
        ),
        Mistake(
            lambda: lambda y, p: -_log_score(y, p),
            "The sign: the logarithm of a probability is negative.",
        ),
        Mistake(
            lambda: lambda y, p: np.exp(_log_score(y, p)),
            "The exponential was taken at the end. Leave the logarithm as it is.",
        ),
        Mistake(
            lambda: lambda y, p: _log_score(1 - np.asarray(y), p),
            "The two are exchanged: p is the probability of a 1.",
        ),
        Mistake(
            lambda: lambda y, p: float(np.mean(np.log(p))),
            "Every answer is taken for a yes. Where it is 0, the probability was 1 - p.",
        ),
        Mistake(lambda: _arithmetic, "Take the mean of the logarithms, not a logarithm of a mean."),
    ),
)


# --- a paired difference ------------------------------------------------------------------


@cache
def _uk_rows() -> CrossValidation:
    models = {
        "no pooling": "no pooling",
        "complete pooling": "complete pooling",
        "partial pooling": DISTRICTS,
        "partial pooling, x": COMPETITIVENESS,
    }
    return cross_validate(models, load("uk"), folds=10, seed=1, event="Contacted", progress=False)


def _differences() -> "pd.Series[float]":
    return _uk_rows().scores["partial pooling"] - _uk_rows().scores["complete pooling"]


def _error(values: "pd.Series[float]", together: bool = True) -> float:
    """Standard error of a mean: over the sums of districts, or as if answers were independent."""
    off = values - values.mean()
    units = off.groupby(load("uk")["district_id"]).sum() if together else off
    return float(np.sqrt((units**2).sum())) / len(values)


def _gap(together: bool = True, paired: bool = True) -> Array:
    gap = _differences()
    if paired:
        return np.array([gap.mean(), _error(gap, together)])
    scores = _uk_rows().scores
    a, b = (_error(scores[f"{kind} pooling"], together) for kind in ("partial", "complete"))
    return np.array([gap.mean(), np.hypot(a, b)])


_AS_INDEPENDENT = (
    "You took the two means as independent. Both models find the same answers hard; the "
    "difference is known far better than either mean."
)

PAIRED = Exercise(
    name="12-paired",
    expected=_gap,
    atol=3e-4,
    hints=(
        "Both models were asked the same questions. Subtract answer by answer first. Then ask "
        "what was drawn independently: answers, or districts?",
        "`gap = scores['partial pooling'] - scores['complete pooling']`; "
        "`off = (gap - gap.mean()).groupby(uk['district_id']).sum()`, one number per district.",
        "`(gap.mean(), np.sqrt((off**2).sum()) / len(gap))`.",
    ),
    right="One and a half standard errors: these data cannot tell the two apart.",
    mistakes=(
        Mistake(
            lambda: _gap(together=False),
            "You took the answers as independent. Those of one district go up and down together: "
            "sum the deviations by district first.",
        ),
        Mistake(lambda: _gap(paired=False), _AS_INDEPENDENT),
        Mistake(lambda: _gap(together=False, paired=False), _AS_INDEPENDENT),
        Mistake(lambda: -_gap() * [1, -1], "The sign: partial pooling less complete pooling."),
        Mistake(
            lambda: [_gap()[0], _differences().std()],
            "That is the sd of the differences. The mean of n of them has a smaller error.",
        ),
        Mistake(
            lambda: _gap() * [1, _gap()[1]],
            "The mean is right. The error is squared: take its root.",
        ),
        Mistake(
            lambda: _gap() * len(_uk_rows().scores),
            "These are sums over the answers. Take the mean and its error.",
        ),
        Mistake(
            lambda: (_differences().median(), _gap()[1]),
            "The error is right. The first number is the median; the mean was asked for.",
        ),
    ),
)


# --- intraclass correlation ---------------------------------------------------------------


@cache
def _fit(name: str) -> Fit:
    return glmer(DISTRICTS, load(name), event="Contacted", n_agq=25)


def _moments(name: str) -> tuple[float, float]:
    """Mean and variance of the rates of imagined districts."""
    fit = _fit(name)
    x, w = hermegauss(41)
    rate = expit(fit.beta[0] + fit.theta[0] * x)
    mean = float(np.sum(w * rate) / np.sum(w))
    return mean, float(np.sum(w * (rate - mean) ** 2) / np.sum(w))


def _response_icc(name: str = "uk") -> float:
    mean, variance = _moments(name)
    return variance / (mean * (1 - mean))


ICC = Exercise(
    name="12-icc",
    expected=_response_icc,
    atol=1e-3,
    proportion=True,
    hints=(
        "Two people of the same district. What makes their answers correlate is the spread of the "
        "districts' rates.",
        "Covariance: the variance of the rates. Variance of one answer: m (1 - m), with m the "
        "mean rate.",
        "`rates = expit(mu + sigma * x)`, `m = np.sum(w * rates) / np.sum(w)`, then "
        "`np.sum(w * (rates - m)**2) / np.sum(w) / (m * (1 - m))`.",
    ),
    right="Smaller than on the latent scale: a yes or no hides most of what is behind it.",
    mistakes=(
        Mistake(
            lambda: float(_fit("uk").icc()["district_id"]),
            "This is the latent one, with π²/3. Here the variances are those of rates and answers.",
        ),
        Mistake(lambda: _moments("uk")[1], "The variance of the rates; now divide by m (1 - m)."),
        Mistake(lambda: _response_icc("finland"), "That is Finland. Britain was asked for."),
        Mistake(
            lambda: _response_icc() ** 0.5,
            "This is a root, a ratio of sds. An intraclass correlation is a ratio of variances.",
        ),
        Mistake(
            lambda: _response_icc() / (1 + _response_icc()),
            "The variance of the rates is counted twice: it is in m (1 - m) already.",
        ),
        Mistake(
            lambda: float(_fit("uk").theta[0]) ** 2,
            "This is the variance of the log-odds. Take that of the rates, over m (1 - m).",
        ),
    ),
)


# --- what the survey is worth -------------------------------------------------------------


def _design_effect() -> float:
    return float(_laplace().design_effect().loc["Intercept", "design_effect"])  # type: ignore[arg-type]


@cache
def _laplace() -> Fit:
    return glmer(DISTRICTS, load("finland"), event="Contacted")


WORTH = Exercise(
    name="12-worth",
    expected=lambda: len(load("finland")) / _design_effect(),
    atol=3.0,
    hints=(
        "A design effect of 2 would say: worth half as many independent answers.",
        "The number of answers, divided by the design effect of the intercept.",
        "`len(hw.load('finland')) / finland.design_effect().loc['Intercept', 'design_effect']`.",
    ),
    right="Answers from the same district repeat each other, a little. A thousand of them add up.",
    mistakes=(
        Mistake(
            lambda: len(load("finland")) / _design_effect() ** 0.5,
            "The design effect is a ratio of variances already. Do not take its root.",
        ),
        Mistake(
            lambda: len(load("finland")) * _design_effect(), "Divide: dependent answers say less."
        ),
        Mistake(
            _design_effect, "This is the design effect, or one over it: divide the answers by it."
        ),
        Mistake(
            lambda: len(load("finland")), "These are all the answers. How many are they worth?"
        ),
        Mistake(
            lambda: len(load("finland")) * (1 - 1 / _design_effect()),
            "This is what is lost. Asked for is what is left.",
        ),
    ),
)

EXERCISES = (SCORE, PAIRED, ICC, WORTH)
