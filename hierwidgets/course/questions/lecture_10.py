"""Lecture 10, full Bayes: a verdict, R-hat, Monte Carlo error, a constant, new variables."""

from collections.abc import Callable
from functools import cache
from math import lgamma, sqrt
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.course.page import printed
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]


# --- the verdict --------------------------------------------------------------------------


@cache
def _page_table() -> pd.DataFrame:
    columns = ["estimate", "std_error", "rhat", "ess_bulk", "ess_tail"]
    return pd.DataFrame(
        {name: {one.label: one.value for one in printed.numbers("S85", name)} for name in columns}
    )


def _altered_table() -> pd.DataFrame:
    """The page's rows with other statistics: every condition fails alone, and limits are met."""
    return _page_table().assign(
        rhat=[1.02, 1.00, 1.00, 1.01, 1.03, 1.00, 1.01, 1.00],
        ess_bulk=[900.0, 399.0, 900.0, 400.0, 150.0, 2500.0, 5000.0, 450.0],
        ess_tail=[900.0, 900.0, 399.0, 400.0, 90.0, 3000.0, 401.0, 410.0],
    )


def _conditions(table: pd.DataFrame, limit: float = 1.01, size: float = 400) -> pd.DataFrame:
    sizes = {name: table[name] >= size for name in ("ess_bulk", "ess_tail")}
    return pd.DataFrame({"rhat": table["rhat"] <= limit + 1e-9, **sizes})


def _passes(table: pd.DataFrame) -> "pd.Series[int]":
    return _conditions(table).all(axis=1).astype(int)


def _by(*names: str) -> Callable[[pd.DataFrame], "pd.Series[int]"]:
    """The verdict by some of the three conditions alone."""
    return lambda table: _conditions(table)[list(names)].all(axis=1).astype(int)


VERDICT = Exercise(
    name="10-verdict",
    expected=lambda: _passes,
    atol=1e-9,
    inputs=((_page_table(),), (_altered_table(),), (_page_table().iloc[2:5],)),
    hints=(
        "Three conditions, and a row passes if all of them hold: `(a) & (b) & (c)`.",
        "`printed['rhat'] <= 1.01` is a column of True and False.",
        "`return (printed['rhat'] <= 1.01) & (printed['ess_bulk'] >= 400) & "
        "(printed['ess_tail'] >= 400)`.",
    ),
    right="Three rows of the page's fail, and the row the study is about is the worst of them.",
    mistakes=(
        Mistake(
            lambda: lambda table: 1 - _passes(table),
            "The other way round: 1 for a row that passes.",
        ),
        Mistake(
            lambda: _by("rhat"),
            "This looks at R-hat alone. Chains that agree may still hold too few independent "
            "draws: both sizes count.",
        ),
        Mistake(
            lambda: _by("ess_bulk", "ess_tail"),
            "This looks at the sizes alone. Chains that disagree fail, however many draws: R-hat "
            "counts.",
        ),
        Mistake(lambda: _by("rhat", "ess_bulk"), "The tail's size is missing: both sizes count."),
        Mistake(lambda: _by("rhat", "ess_tail"), "The bulk's size is missing: both sizes count."),
        Mistake(
            lambda: lambda table: _conditions(table).any(axis=1).astype(int),
            "A row passes if *all* conditions hold: join them by `&`, not by `|`.",
        ),
        Mistake(
            lambda: lambda table: _conditions(table, limit=1.0).all(axis=1).astype(int),
            "The limits themselves pass: an R-hat of 1.01 is good enough.",
        ),
        Mistake(
            lambda: lambda table: _conditions(table, size=400.5).all(axis=1).astype(int),
            "The limits themselves pass: a size of 400 is enough.",
        ),
        Mistake(
            lambda: lambda table: _conditions(table, 1.0, 2000).all(axis=1).astype(int),
            "These are the author's stricter limits. Asked for are the usual ones, 1.01 and 400.",
        ),
        Mistake(
            lambda: lambda table: _passes(_page_table()),
            "This judges the page's table whatever it is given. Use the function's argument.",
        ),
    ),
)


# --- R-hat --------------------------------------------------------------------------------


def _rhat(draws: Any) -> float:
    """Split R-hat (Gelman et al. 2013, Bayesian Data Analysis, 3rd ed., section 11.4)."""
    x = np.asarray(draws, dtype=float)
    half = x.shape[1] // 2
    return _unsplit(np.vstack([x[:, :half], x[:, half : 2 * half]]))


def _unsplit(draws: Any) -> float:
    x = np.asarray(draws, dtype=float)
    n = x.shape[1]
    within = float(x.var(axis=1, ddof=1).mean())
    between = n * float(x.mean(axis=1).var(ddof=1))
    return sqrt(((n - 1) / n * within + between / n) / within)


def _squared(draws: Any) -> float:
    return _rhat(draws) ** 2


def _drift(seed: int = 3) -> Array:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4, 100)) + np.linspace(-1, 1, 100)


def _apart(seed: int = 4) -> Array:
    return np.random.default_rng(seed).normal(size=(3, 60)) + np.array([[0.0], [0.0], [2.0]])


def _unit_free(function: Callable[..., object]) -> bool:
    x = _apart(5)
    return abs(float(function(x)) - float(function(100 * x + 7))) < 1e-6  # type: ignore[arg-type]


RHAT = Exercise(
    name="10-rhat",
    expected=lambda: _rhat,
    atol=1e-5,
    inputs=((_apart(),), (_drift(),), (np.random.default_rng(6).normal(size=(4, 50)),)),
    properties=(("it does not depend on the unit or the origin of the draws", _unit_free),),
    hints=(
        "First cut each chain in halves and stack them: twice as many chains of half the length.",
        "W is the mean of the variances within chains (ddof=1), B / n the variance of the chains' "
        "means (ddof=1).",
        "`np.sqrt(((n - 1) / n * W + B_over_n) / W)`, with n draws per half.",
    ),
    right="All of convergence testing is this comparison: between chains against within.",
    mistakes=(
        Mistake(
            lambda: _unsplit,
            "The chains were not cut in halves. A chain that drifts would pass unnoticed.",
        ),
        Mistake(lambda: _squared, "Take the square root: R-hat compares sds, not variances."),
    ),
)


# --- Monte Carlo error --------------------------------------------------------------------


def _row(name: str) -> float:
    return float(_page_table().loc["district_competitiveness:electoral_rules[T.SMD]", name])  # type: ignore[arg-type]


MCSE = Exercise(
    name="10-mcse",
    expected=lambda: _row("std_error") / sqrt(_row("ess_bulk")),
    atol=5e-4,
    hints=(
        "A mean of N independent draws has the standard error sd / sqrt(N). What takes N's place?",
        "The effective number of draws: the bulk ESS of that row.",
        "`row['std_error'] / np.sqrt(row['ess_bulk'])`.",
    ),
    right="So the first decimal is a guess, and the second is decoration.",
    mistakes=(
        Mistake(
            lambda: _row("std_error") / sqrt(20_000),
            "These draws are not independent: use the effective sample size, not their number.",
        ),
        Mistake(lambda: _row("std_error") / _row("ess_bulk"), "The square root is missing."),
        Mistake(
            lambda: _row("std_error") / sqrt(_row("ess_tail")),
            "The tail ESS belongs to quantiles. The mean is the business of the bulk.",
        ),
    ),
)


# --- rows collapsed -----------------------------------------------------------------------


def _constant(y: Any, n: Any) -> float:
    pairs = zip(np.asarray(y).tolist(), np.asarray(n).tolist(), strict=True)
    return sum(lgamma(b + 1) - lgamma(a + 1) - lgamma(b - a + 1) for a, b in pairs)


CONSTANT = Exercise(
    name="10-constant",
    expected=lambda: _constant,
    atol=1e-6,
    inputs=(
        (np.array([1, 0, 3]), np.array([2, 4, 5])),
        (np.array([0, 7]), np.array([1, 7])),
        (np.array([120]), np.array([370])),
    ),
    hints=(
        "In how many orders can y yeses and n - y noes come?",
        "n over y, the binomial coefficient. Take logarithms and add the districts.",
        "`np.sum(gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1))`.",
    ),
    right="It holds no parameter. Nothing that compares parameters can notice it.",
    mistakes=(
        Mistake(
            lambda: lambda y, n: -_constant(y, n),
            "The sign: the count has more orders than the single sequence, so it is more probable.",
        ),
        Mistake(lambda: lambda y, n: float(np.exp(_constant(y, n))), "Give the logarithm of it."),
    ),
)


# --- a change of variables ----------------------------------------------------------------


def _log_density(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    z, y, s = (np.asarray(v, dtype=float) for v in (z, y, s))
    sigma = float(np.exp(log_sigma))
    value = -0.5 * np.sum(((y - sigma * z) / s) ** 2) - 0.5 * np.sum(z**2)
    return float(value - 0.5 * (sigma / 2) ** 2 + log_sigma)


def _centred_by_mistake(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    z, y, s = (np.asarray(v, dtype=float) for v in (z, y, s))
    sigma = float(np.exp(log_sigma))
    value = -0.5 * np.sum(((y - z) / s) ** 2) - 0.5 * np.sum((z / sigma) ** 2)
    return float(value - len(z) * log_sigma - 0.5 * (sigma / 2) ** 2 + log_sigma)


def _without_jacobian(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    return _log_density(z, log_sigma, y, s) - log_sigma


_TWO, _THREE = np.array([0.4, -0.5]), np.array([1.0, 0.0, -1.0])

NONCENTRED = Exercise(
    name="10-noncentred",
    expected=lambda: _log_density,
    atol=1e-6,
    up_to_constant=True,
    inputs=(
        (np.array([0.5, -1.0]), -0.7, _TWO, np.array([0.8, 1.0])),
        (np.array([-0.3, 0.4]), 0.3, _TWO, np.array([0.8, 1.0])),
        (np.array([0.0, 2.0, 0.1]), 0.6, _THREE, np.array([1.0, 2.0, 0.5])),
        (np.array([0.7, -0.2, 1.1]), -1.1, _THREE, np.array([1.0, 2.0, 0.5])),
    ),
    hints=(
        "With a = sigma * z, what is y_k's distribution given z and sigma? And what is z_k's?",
        "y_k has mean sigma * z_k and sd s_k; every z_k is standard normal, whatever sigma is.",
        "`-0.5 * np.sum(((y - sigma * z) / s)**2) - 0.5 * np.sum(z**2) - 0.5 * (sigma / 2)**2 "
        "+ log_sigma`.",
    ),
    right="In these coordinates z and sigma are independent before the data: no funnel.",
    mistakes=(
        Mistake(
            lambda: _centred_by_mistake,
            "This is the centred form, with z in the place of a. Put sigma * z where a stood.",
        ),
        Mistake(
            lambda: _without_jacobian,
            "The prior is of sigma, the variable is log sigma: add log_sigma (the Jacobian).",
        ),
    ),
)

EXERCISES = (VERDICT, RHAT, MCSE, CONSTANT, NONCENTRED)
