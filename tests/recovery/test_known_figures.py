"""Many repetitions of known designs, against what is known of them.

Against an independent program's figures for the same designs, which have Monte Carlo errors of
their own (300 and 100 repetitions) and are rounded: within 3.5 combined errors plus the rounding.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.recoveries import FINLAND, assert_near, judged, recover

from hierwidgets.recovery import Setup


def agrees(value, error, before, spread, reps, digits):
    """Two simulations of the same: `before` is rounded and of `reps` repetitions."""
    both = np.hypot(error, spread / np.sqrt(reps))
    assert abs(value - before) < 3.5 * both + 0.5 * 10.0**-digits, (value, before, both)


def check_before(result, reps, figures):
    design = next(iter(result.setups))
    done = result.reps_done[design]
    errors, values = judged(result, "mc_error"), judged(result)
    for (estimator, measure), (before, digits) in figures.items():
        error = errors[design, estimator, measure]
        agrees(
            values[design, estimator, measure], error, before, error * np.sqrt(done), reps, digits
        )


@pytest.mark.slow
def test_finland_s_figures():
    result = recover(FINLAND, reps=2000, keep=0, n_agq=25)
    figures = {
        ("no_pooling", "rmse"): (0.053, 3),
        ("partial_pooling", "rmse"): (0.038, 3),
        ("complete_pooling", "rmse"): (0.049, 3),
        ("partial_pooling", "best"): (0.84, 2),
        ("no_pooling", "coverage"): (0.88, 2),
        ("partial_pooling", "coverage"): (0.75, 2),
        ("no_pooling", "bias_of_largest"): (0.076, 3),
        ("partial_pooling", "bias_of_largest"): (-0.005, 3),
    }
    check_before(result, 300, figures)
    zero = result.parameters.set_index("parameter").loc["sigma"]
    spread = np.sqrt(zero["zero"] * (1 - zero["zero"]))
    agrees(zero["zero"], zero["zero_mc_error"], 0.08, spread, 300, 2)


@cache
def uk(n_agq):
    setup = Setup(n="uk", mu=-0.8682, sigma=0.8036, name="uk")
    return recover(setup, reps=500, keep=500, n_agq=n_agq)


@pytest.mark.slow
def test_the_uk_s_figures():
    figures = {
        ("no_pooling", "rmse"): (0.306, 3),
        ("partial_pooling", "rmse"): (0.139, 3),
        ("complete_pooling", "rmse"): (0.158, 3),
        ("partial_pooling", "best"): (0.99, 2),
        ("no_pooling", "coverage"): (0.43, 2),
        ("partial_pooling", "coverage"): (0.88, 2),
    }
    check_before(uk(25), 100, figures)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "before"), [("no_pooling", 0.585), ("partial_pooling", 0.029)]
)
def test_the_uk_s_largest(estimator, before):
    """The other program took one of the groups that tie, which has a larger error of its own."""
    draws = uk(25).draws
    raw = draws[draws["estimator"] == "no_pooling"].set_index(["rep", "group"])["estimate"]
    one = raw.groupby("rep").idxmax()
    at = draws[draws["estimator"] == estimator].set_index(["rep", "group"]).loc[one]
    spread = (at["estimate"] - at["truth"]).std()
    value, error = (
        judged(uk(25), what)["uk", estimator, "bias_of_largest"]
        for what in ("estimate", "mc_error")
    )
    agrees(value, error, before, spread, 100, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("n_agq", "before"), [(25, 0.815), (1, 0.724)])
def test_the_uk_s_sigma(n_agq, before):
    row = uk(n_agq).parameters.set_index("parameter").loc["sigma"]
    agrees(row["estimate"], row["mc_error"], before, row["sd"], 100, 3)


@pytest.mark.slow
def test_laplace_is_too_small_on_the_same_draws():
    both = [uk(n_agq).estimates["sigma"] for n_agq in (1, 25)]
    gap = both[0] - both[1]
    assert gap.mean() + 4.5 * gap.sem() < 0
    assert (uk(1).draws["truth"] == uk(25).draws["truth"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["binomial", "gaussian"])
def test_with_many_large_groups_every_parameter_and_interval_is_right(family):
    """Biases of order 1 / J and 1 / n are below the Monte Carlo error here."""
    setup = Setup(n=60, J=150, mu=-0.4, sigma=0.6, beta=0.5, family=family, name="large")
    result = recover(setup, reps=150, keep=0, n_agq=5 if family == "binomial" else 1)
    for _, row in result.parameters.iterrows():
        slack = 0.01 * setup.sigma if row["parameter"] == "sigma" else 0.0  # (p + 1) / (2 J)
        assert abs(row["estimate"] - row["truth"]) < 4.5 * row["mc_error"] + slack
    assert_near(result, "partial_pooling", "coverage_full", 0.9)


@pytest.mark.slow
def test_monte_carlo_errors_are_the_spread_between_runs():
    setup = Setup(n=6, J=10, sigma=0.5, family="gaussian", name="g")
    runs = [recover(setup, reps=40, keep=0, seed=s) for s in range(60)]
    values = pd.DataFrame([judged(r)["g"] for r in runs])
    errors = pd.DataFrame([judged(r, "mc_error")["g"] for r in runs])
    ratio = values.var() / (errors**2).mean()
    low, high = stats.chi2.ppf([5e-5, 1 - 5e-5], 59) / 59
    measured = ratio.drop(index="best", level="measure")
    assert measured.between(low, high).all(), measured
