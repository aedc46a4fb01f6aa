"""Lecture 04, three kinds of pooling: complete pooling, crossings, limits, the average district."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import expit
from hierwidgets.course.models import DISTRICTS
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.pooling import no_pooling
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]


@cache
def _data() -> pd.DataFrame:
    finland = load("finland")
    return pd.DataFrame(
        {
            "district_id": finland["district_id"].str.removeprefix("District "),
            "contacted": (finland["contacted"] == "Contacted").astype(int),
        }
    )


@cache
def _fit() -> Fit:
    return glmer(DISTRICTS, _data())


def _mu() -> float:
    return float(_fit().fixef["Intercept"])


def _raw() -> "pd.Series[float]":
    return no_pooling(_data(), "contacted", "district_id").set_index("level")["estimate"]


def _overall() -> float:
    return float(_data()["contacted"].mean())


def _constant(value: float) -> "pd.Series[float]":
    return pd.Series(value, index=_raw().index)


COMPLETE = Exercise(
    name="04-complete",
    expected=lambda: _constant(_overall()),
    atol=5e-4,
    proportion=True,
    hints=(
        "Complete pooling forgets the districts: everybody is in one sample.",
        "One number, the mean of `tidy['contacted']`, for each of the 14 labels.",
        '`pd.Series(tidy["contacted"].mean(), index=tidy["district_id"].cat.categories)`.',
    ),
    right="One number fourteen times: nothing can vary where nothing is allowed to.",
    mistakes=(
        Mistake(
            lambda: _constant(float(_raw().mean())),
            "This is the mean of the 14 rates, in which a small district counts like a large one. "
            "Every respondent should count once.",
        ),
        Mistake(
            lambda: _constant(float(expit(_mu()))),
            "This is the rate at mu, the value partial pooling pulls toward. It is another number.",
        ),
        Mistake(_raw, "These are the rates of no pooling: each district on its own."),
        Mistake(
            lambda: _constant(1 - _overall()),
            "This is the share of those who were not contacted: 1 - rate.",
        ),
        Mistake(lambda: _constant(_mu()), "These are log-odds, of the typical district."),
    ),
)


def _swaps(before: Sequence[float], after: Sequence[float]) -> int:
    pairs = combinations(range(len(before)), 2)
    return sum((before[a] - before[b]) * (after[a] - after[b]) < 0 for a, b in pairs)


def _twice(before: Sequence[float], after: Sequence[float]) -> int:
    return 2 * _swaps(before, after)


def _moved_ranks(before: Sequence[float], after: Sequence[float]) -> int:
    return int(np.sum(np.argsort(np.argsort(before)) != np.argsort(np.argsort(after))))


def _moved_average_ranks(before: Sequence[float], after: Sequence[float]) -> int:
    return int((pd.Series(before).rank() != pd.Series(after).rank()).sum())


def _kept(before: Sequence[float], after: Sequence[float]) -> int:
    pairs = combinations(range(len(before)), 2)
    return sum((before[a] - before[b]) * (after[a] - after[b]) > 0 for a, b in pairs)


def _neighbours(before: Sequence[float], after: Sequence[float]) -> int:
    order = np.argsort(before)
    sorted_after = np.asarray(after, dtype=float)[order]
    return int(np.sum(np.diff(sorted_after) < 0))


def _ties_too(before: Sequence[float], after: Sequence[float]) -> int:
    pairs = combinations(range(len(before)), 2)
    return sum((before[a] - before[b]) * (after[a] - after[b]) <= 0 for a, b in pairs)


def _none_without_change(function: Callable[..., object]) -> bool:
    values = [0.3, 0.1, 0.2]
    return function(values, values) == 0 and function(values, [0.2, 0.2, 0.2]) == 0


def _works_both_ways(function: Callable[..., object]) -> bool:
    a, b = [0.1, 0.4, 0.2, 0.3], [0.4, 0.1, 0.3, 0.2]
    return function(a, b) == function(b, a)


SWAPS = Exercise(
    name="04-swaps",
    expected=lambda: _swaps,
    atol=1e-9,
    inputs=(
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]),
        ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1]),
        ([0.4, 0.1, 0.3, 0.2], [0.1, 0.4, 0.2, 0.3]),
        ([0.1, 0.2, 0.3, 0.4], [0.2, 0.2, 0.2, 0.1]),
    ),
    properties=(
        ("there is no swap when nothing changes or everything becomes equal", _none_without_change),
        ("before and after can be exchanged", _works_both_ways),
    ),
    hints=(
        "Take every pair of positions once. When has the pair changed its order?",
        "A pair has swapped if its two differences, before and after, have opposite signs.",
        "`(before[a] - before[b]) * (after[a] - after[b]) < 0` for all pairs a < b; count them.",
    ),
    right="Two lines of a slopegraph cross exactly when this product is negative.",
    mistakes=(
        Mistake(lambda: _twice, "Every pair is counted twice: (a, b) and (b, a). Take a < b only."),
        Mistake(
            lambda: _moved_ranks,
            "These are the districts whose rank changed. Asked for are the pairs that crossed.",
        ),
        Mistake(
            lambda: _moved_average_ranks,
            "These are the districts whose rank changed. Asked for are the pairs that crossed.",
        ),
        Mistake(lambda: _kept, "These are the pairs that kept their order. Turn the sign around."),
        Mistake(
            lambda: _neighbours,
            "Only neighbours in the first order are compared. A line can cross several others.",
        ),
        Mistake(lambda: _ties_too, "A pair that ends tied has not swapped. Use < in place of <=."),
    ),
)


LIMITS = Exercise(
    name="04-limits",
    expected=lambda: (expit(_mu()), float(_raw()["309"])),
    atol=1e-3,
    proportion=True,
    hints=(
        "With sigma near 0 the prior is a spike. Where does it stand?",
        "With a huge sigma the prior is flat. Which estimate uses the likelihood alone?",
        "The first is the inverse logit of mu, the second the raw rate, 10 of 23.",
    ),
    right="A spike at mu wins over any data, and a flat prior says nothing at all.",
    mistakes=(
        Mistake(
            lambda: (_overall(), float(_raw()["309"])),
            "The second is right. With mu kept where it is, the first is not the overall rate: "
            "the spike stands at mu.",
        ),
        Mistake(
            lambda: (float(_raw()["309"]), expit(_mu())),
            "The two are exchanged: the first is for sigma near 0, a spike.",
        ),
        Mistake(
            lambda: (_mu(), float(_raw()["309"])), "The first is a log-odds. Give it as a rate."
        ),
        Mistake(lambda: (_mu(), float(np.log(10 / 13))), "These are log-odds. Give both as rates."),
        Mistake(
            lambda: (expit(_mu()), float(expit(_mu() + _fit().ranef["mode"][5]))),
            "The first is right. The second is the estimate with the fitted sigma: a huge one "
            "leaves the likelihood alone.",
        ),
    ),
)


def _average_district(sigma: float) -> float:
    x, w = np.polynomial.hermite_e.hermegauss(40)
    rates = expit(_mu() + sigma * x)
    return float(np.sum(w * rates) / np.sum(w))


AVERAGE = Exercise(
    name="04-average",
    expected=lambda: _average_district(float(_fit().theta[0])),
    atol=2e-4,
    proportion=True,
    hints=(
        "Imagine very many districts with alpha from N(mu, sigma^2). Average their rates.",
        "Simulation needs a lot of draws here; a grid of alpha with normal weights is exact.",
        "`w = np.exp(-0.5 * z**2)`, `np.sum(w * expit(mu + sigma * z)) / np.sum(w)`, with z a grid "
        "from -8 to 8.",
    ),
    right="The curve bends upward there, so large rates gain more than small ones lose.",
    mistakes=(
        Mistake(
            lambda: expit(_mu()),
            "This is the rate of the typical district, alpha = mu. Average over the districts.",
        ),
        Mistake(
            lambda: _average_district(float(_fit().theta[0]) ** 2),
            "The variance was used for the standard deviation.",
        ),
        Mistake(_overall, "This is the overall rate in the data. Use the model: mu and sigma."),
        Mistake(
            lambda: float(_raw().mean()),
            "This is the mean rate of the districts that were asked. Imagine very many others.",
        ),
        Mistake(_mu, "This is the mean of the log-odds. Make rates first, then average."),
    ),
)


def _intercept(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    own, prior = n / sigma_y**2, 1 / sigma_alpha**2
    return (own * (y_bar - beta * x_bar) + prior * mu) / (own + prior)


def _without_x(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    return _intercept(y_bar, 0.0, n, beta, mu, sigma_alpha, sigma_y)


def _sd_as_variance(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    return _intercept(y_bar, x_bar, n, beta, mu, sigma_alpha**0.5, sigma_y**0.5)


def _exchanged(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    own, prior = n / sigma_y**2, 1 / sigma_alpha**2
    return (prior * (y_bar - beta * x_bar) + own * mu) / (own + prior)


def _one_row(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    return _intercept(y_bar, x_bar, 1, beta, mu, sigma_alpha, sigma_y)


def _own_alone(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    return y_bar - beta * x_bar


def _mu_alone(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    return mu


def _wrong_sign(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    return _intercept(y_bar, x_bar, n, -beta, mu, sigma_alpha, sigma_y)


def _undivided(
    y_bar: float, x_bar: float, n: float, beta: float, mu: float, sigma_alpha: float, sigma_y: float
) -> float:
    return n / sigma_y**2 * (y_bar - beta * x_bar) + mu / sigma_alpha**2


def _reaches_both_ends(function: Callable[..., object]) -> bool:
    tight = float(function(5.0, 1.0, 8, 2.0, 1.0, 1e-6, 1.0))  # type: ignore[arg-type]
    loose = float(function(5.0, 1.0, 8, 2.0, 1.0, 1e6, 1.0))  # type: ignore[arg-type]
    return bool(abs(tight - 1.0) < 1e-6 and abs(loose - 3.0) < 1e-6)


INTERCEPT = Exercise(
    name="04-intercept",
    expected=lambda: _intercept,
    atol=1e-6,
    inputs=(
        (5.0, 1.0, 8, 2.0, 1.0, 0.7, 1.5),
        (2.0, -0.5, 1, 1.5, 3.0, 1.2, 1.2),
        (4.0, 0.0, 200, 0.3, 0.0, 2.0, 0.5),
    ),
    properties=(
        (
            "it is mu for a tiny sigma_alpha and y_bar - beta x_bar for a huge one",
            _reaches_both_ends,
        ),
    ),
    hints=(
        "It is a weighted mean of two numbers: what the level's own rows say, and mu.",
        "Its own rows say y_bar - beta * x_bar, with weight n / sigma_y**2. mu has the weight "
        "1 / sigma_alpha**2.",
        "`(own * (y_bar - beta * x_bar) + prior * mu) / (own + prior)`, with "
        "`own = n / sigma_y**2` and `prior = 1 / sigma_alpha**2`.",
    ),
    right="A precision is one over a variance, and partial pooling is a precision-weighted mean.",
    mistakes=(
        Mistake(lambda: _without_x, "The predictor is missing: use y_bar - beta * x_bar."),
        Mistake(lambda: _sd_as_variance, "Weights are one over a variance, not one over an sd."),
        Mistake(lambda: _exchanged, "The two weights are exchanged."),
        Mistake(
            lambda: _one_row,
            "The number of rows is missing: the mean of n rows has variance sigma_y**2 / n.",
        ),
        Mistake(lambda: _own_alone, "This is no pooling: mu has a weight as well."),
        Mistake(lambda: _mu_alone, "This is complete pooling: the level's own rows count as well."),
        Mistake(lambda: _wrong_sign, "The sign: beta * x_bar is taken off y_bar."),
        Mistake(lambda: _undivided, "The sum still has to be divided by the sum of the weights."),
    ),
)

EXERCISES = (COMPLETE, SWAPS, LIMITS, AVERAGE, INTERCEPT)
