"""Lecture 10, full Bayes: a verdict, R-hat, Monte Carlo error, a constant, new variables."""

from collections.abc import Callable
from functools import cache
from math import exp, lgamma, sqrt
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, normal_quantile
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
    right="Three rows of the page's table fail; the one the study is about is the worst of them.",
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
    return _unsplit(_halves(draws))


def _halves(draws: Any) -> Array:
    x = np.asarray(draws, dtype=float)
    half = x.shape[1] // 2
    return np.vstack([x[:, :half], x[:, half : 2 * half]])


def _unsplit(draws: Any) -> float:
    n, within, between = _spreads(draws)
    return sqrt(((n - 1) / n * within + between) / within)


def _spreads(chains: Any, ddof: int = 1) -> tuple[int, float, float]:
    """Draws in a chain, the mean variance within chains, the variance of their means."""
    x = np.asarray(chains, dtype=float)
    return x.shape[1], float(x.var(axis=1, ddof=ddof).mean()), float(x.mean(axis=1).var(ddof=ddof))


def _divided_again(draws: Any) -> float:
    n, within, between = _spreads(_halves(draws))
    return sqrt((n - 1) / n + between / n / within)


def _times_n(draws: Any) -> float:
    n, within, between = _spreads(_halves(draws))
    return sqrt((n - 1) / n + n * between / within)


def _between_alone(draws: Any) -> float:
    _, within, between = _spreads(_halves(draws))
    return sqrt(between / within)


def _population_variances(draws: Any) -> float:
    n, within, between = _spreads(_halves(draws), ddof=0)
    return sqrt((n - 1) / n + between / within)


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
        Mistake(
            lambda: _divided_again,
            "The variance of the chains' means is B / n, already divided by n.",
        ),
        Mistake(
            lambda: _times_n, "The variance of the chains' means goes in as it is, not times n."
        ),
        Mistake(
            lambda: _between_alone,
            "The part (n - 1) / n of W is missing from the numerator.",
        ),
        Mistake(
            lambda: _population_variances,
            "Take variances with ddof=1; numpy's default is 0.",
        ),
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
        Mistake(lambda: _row("std_error"), "This is the posterior sd itself. Divide it by a root."),
        Mistake(
            lambda: normal_quantile(0.90) * _row("std_error") / sqrt(_row("ess_bulk")),
            "This is the reach of a 90 % interval. The error itself is asked for.",
        ),
        Mistake(
            lambda: _row("std_error") ** 2 / _row("ess_bulk"),
            "This is squared: the variance of the mean. Take its root.",
        ),
    ),
)


# --- rows collapsed -----------------------------------------------------------------------


def _constant(y: Any, n: Any) -> float:
    pairs = zip(np.asarray(y).tolist(), np.asarray(n).tolist(), strict=True)
    return sum(lgamma(b + 1) - lgamma(a + 1) - lgamma(b - a + 1) for a, b in pairs)


def _all_orders(y: Any, n: Any) -> float:
    return sum(lgamma(b + 1) for b in np.asarray(n).tolist())


def _noes_in_order(y: Any, n: Any) -> float:
    return _all_orders(y, n) - _all_orders(n, y)


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
            lambda: _all_orders,
            "The orders among the yeses, and among the noes, cannot be told apart: divide by them.",
        ),
        Mistake(
            lambda: _noes_in_order,
            "The orders among the noes cannot be told apart, too: divide by (n - y)!.",
        ),
        Mistake(
            lambda: lambda y, n: _constant(np.array([np.sum(y)]), np.array([np.sum(n)])),
            "The sums are taken too early: count orders district by district.",
        ),
        Mistake(
            lambda: lambda y, n: sum(exp(_constant([a], [b])) for a, b in zip(y, n, strict=True)),
            "This is a sum of the numbers of orders. Take the logarithm of each first.",
        ),
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


def _jacobian_taken_off(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    return _log_density(z, log_sigma, y, s) - 2 * log_sigma


def _no_prior_of_z(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    return _log_density(z, log_sigma, y, s) + 0.5 * float(np.sum(np.asarray(z) ** 2))


def _no_prior_of_sigma(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    return _log_density(z, log_sigma, y, s) + exp(2 * log_sigma) / 8


def _unit_half_normal(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    return _log_density(z, log_sigma, y, s) - 3 * exp(2 * log_sigma) / 8


def _variances(z: Any, log_sigma: float, y: Any, s: Any) -> float:
    return _log_density(z, log_sigma, y, np.sqrt(s))


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
        Mistake(lambda: _jacobian_taken_off, "The sign of the Jacobian: plus log_sigma."),
        Mistake(lambda: _no_prior_of_z, "The prior of z is missing: every z_k is standard normal."),
        Mistake(lambda: _no_prior_of_sigma, "The half-normal of sigma is missing."),
        Mistake(lambda: _unit_half_normal, "The sd of the half-normal is 2: (sigma / 2)**2."),
        Mistake(lambda: _variances, "s holds sds, not variances: divide by s before squaring."),
        Mistake(
            lambda: lambda z, log_sigma, y, s: -_log_density(z, log_sigma, y, s),
            "The sign: this is minus the log density.",
        ),
        Mistake(
            lambda: lambda z, log_sigma, y, s: exp(_log_density(z, log_sigma, y, s)),
            "This is the density. Give the logarithm.",
        ),
    ),
)

EXERCISES = (VERDICT, RHAT, MCSE, CONSTANT, NONCENTRED)
