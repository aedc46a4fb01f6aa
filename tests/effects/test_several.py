"""Several answers at once, against multcomp (`tests/reference/several.R`), algebra and simulation.

Both programs simulate or integrate numerically the distribution of the largest ratio: 200,000 draws
here leave 0.0007 of a probability and 0.003 of a quantile (one standard error each), multcomp's
integrals 0.001; tolerances are about four of these. Estimates and Holm's p values have the
tolerances of the fits, rtol 2e-3.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import hierwidgets as hw
from hierwidgets.effects import several
from tests.support.effect_models import draws, uk

STORED = json.loads((Path(__file__).parents[1] / "reference" / "several.json").read_text())
MODELS = {"gaussian": "y", "poisson": "k", "binomial": "z"}


@cache
def fit_of(family):
    model = hw.Model(f"{MODELS[family]} ~ arm + x + (1 | g)", pd.DataFrame(STORED["data"]), family)
    return model.maximize()


def pairs(family, **given):
    """The pairs of arms on the link scale, as multcomp compares them."""
    at = pd.DataFrame({"x": [0.0]})
    return hw.comparisons(
        fit_of(family), {"arm": "pairwise"}, at, re_formula="~0", scale="link", conditional=True,
        **given,
    )  # fmt: skip


@pytest.mark.parametrize("family", MODELS)
def test_holm_is_multcomp_s(family):
    found, stored = pairs(family, adjust="holm"), STORED["answers"][family]
    assert found["contrast"].tolist() == stored["contrast"]
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(found[column], stored[column], rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(found["p_value"], stored["holm"], rtol=0.02, atol=1e-3)
    alone = pairs(family)
    pd.testing.assert_frame_equal(found.drop(columns="p_value"), alone)


@pytest.mark.parametrize("family", MODELS)
def test_simultaneous_intervals_are_multcomp_s(family):
    found, stored = pairs(family, adjust="max-t"), STORED["answers"][family]
    np.testing.assert_allclose(found["p_value"], stored["single_step"], atol=5e-3)
    wide = (found["conf_high"] - found["conf_low"]) / 2 / found["std_error"]
    np.testing.assert_allclose(wide, stored["quantile"], atol=0.012)
    np.testing.assert_allclose(found["conf_low"], stored["conf_low"], atol=6e-3)


def test_one_answer_needs_no_adjustment():
    fit = fit_of("binomial")
    alone = hw.comparisons(fit, {"x": [0, 1]}, average=True)
    z = (alone["estimate"] / alone["std_error"]).item()
    for adjust in ("holm", "max-t"):
        found = hw.comparisons(fit, {"x": [0, 1]}, average=True, adjust=adjust)
        np.testing.assert_allclose(found["conf_low"], alone["conf_low"], rtol=0.01)
        assert found["p_value"].item() == pytest.approx(2 * stats.norm.sf(abs(z)), abs=3e-3)


def test_independent_answers_have_a_quantile_in_closed_form():
    largest = several.largest_ratios(np.diag([1.0, 4.0, 9.0, 0.25]), np.random.default_rng(1))
    exact = stats.norm.ppf(0.5 + 0.5 * 0.9 ** (1 / 4))
    assert np.quantile(largest, 0.9) == pytest.approx(exact, abs=0.012)
    p = several.exceeded(largest, np.array([0.0, 1.0, 2.0, 50.0]))
    np.testing.assert_allclose(p, 1 - (2 * stats.norm.cdf([0, 1, 2, 50]) - 1) ** 4, atol=4e-3)


def test_answers_that_are_one_and_the_same_count_once():
    scale = np.array([1.0, -2.0, 3.0, 0.0])
    largest = several.largest_ratios(np.outer(scale, scale), np.random.default_rng(1))
    assert np.quantile(largest, 0.9) == pytest.approx(stats.norm.ppf(0.95), abs=0.012)
    assert several.exceeded(largest, np.array([0.0, np.inf])).tolist() == [1.0, 0.0]


def test_holm_by_hand():
    p = np.array([0.01, 0.04, 0.03, 0.8])
    found = several.holm(stats.norm.isf(p / 2))
    np.testing.assert_allclose(found, [0.04, 0.09, 0.09, 0.8], rtol=1e-9)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("new_levels", ["population", "sample"])
@pytest.mark.parametrize("comparison", ["difference", "ratio"])
def test_the_errors_are_those_of_each_answer(comparison, new_levels, conditional):
    rows = pd.DataFrame({"x": [0.0, 0.5, 1.0, 1.0], "g": [1, 5, 99, 98], "arm": "b"})
    given = {
        "newdata": rows, "comparison": comparison, "new_levels": new_levels,
        "conditional": conditional,
    }  # fmt: skip
    fit = fit_of("poisson")
    alone = hw.comparisons(fit, {"arm": ["a", "c"]}, **given)
    found = hw.comparisons(fit, {"arm": ["a", "c"]}, adjust="max-t", **given)
    np.testing.assert_allclose(found["std_error"], alone["std_error"], rtol=1e-8)
    assert (found["conf_low"] <= alone["conf_low"] + 0.02).all()


def test_slopes_take_it_too():
    found = hw.slopes(fit_of("binomial"), "x", by="arm", adjust="holm")
    assert found.columns[-1] == "p_value"
    assert found["p_value"].between(0, 1).all()


def test_the_simultaneous_intervals_hold_together():
    """Estimates drawn from the covariance: all four intervals hold in 90 of 100 cases."""
    rng = np.random.default_rng(3)
    root = rng.normal(size=(4, 4))
    V = root @ root.T
    z = np.quantile(several.largest_ratios(V, rng), 0.9)
    made = rng.multivariate_normal(np.zeros(4), V, 40_000)
    held = (np.abs(made) <= z * np.sqrt(np.diag(V))).all(axis=1).mean()
    assert held == pytest.approx(0.9, abs=0.006)


def test_the_same_seed_gives_the_same_limits():
    first, again = pairs("binomial", adjust="max-t"), pairs("binomial", adjust="max-t")
    pd.testing.assert_frame_equal(first, again)
    other = pairs("binomial", adjust="max-t", seed=5)
    assert not first["conf_low"].equals(other["conf_low"])


def test_wrong_calls_say_what_is_allowed():
    x = "district_competitiveness"
    with pytest.raises(hw.DataError, match="adjust='tukey'; choose None, 'holm' or 'max-t'"):
        hw.comparisons(uk(), x, adjust="tukey")
    with pytest.raises(hw.DataError, match="adjust='holm' needs standard errors"):
        hw.comparisons(uk(), x, adjust="holm", interval=None)
    with pytest.raises(hw.DataError, match="adjust='holm' is for fits"):
        hw.comparisons(draws(), x, average=True, adjust="holm")
    with pytest.raises(hw.DataError, match="at most 2000 answers at once"):
        hw.comparisons(uk(), x, pd.DataFrame({x: np.linspace(0, 1, 2001)}), re_formula="~0",
                       adjust="max-t")  # fmt: skip
    with pytest.raises(hw.DataError, match="seed='one' is not a seed"):
        hw.comparisons(uk(), x, average=True, adjust="max-t", seed="one")
