"""Predictions of draws: effects of new levels, and new observations.

Tolerances: a sd from 4,000 draws is within 4 of its standard errors, sd / sqrt(8000).
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.posterior import prediction

BOTH = pd.DataFrame({"person": [99], "item": [99]})


@cache
def crossed():
    """Draws of two crossed groups of effects, of sd 1 each, about 0."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame(
        {"person": np.repeat(np.arange(1, 21), 10), "item": np.tile(range(1, 11), 20)}
    )
    model = hw.Model("y ~ 1 + (1 | person) + (1 | item)", data.assign(y=rng.normal(size=200)))
    priors = hw.Priors(intercept="normal(0, 1e-6)", sd="normal(1, 1e-6)", sigma="normal(0.5, 1e-6)")
    return model.sample_prior(4000, seed=3, priors=priors)


def epred(post, rows, **options):
    long = post.epred_draws(rows, new_levels="sample", **options)
    return long["epred"].to_numpy().reshape(len(rows), -1)


@pytest.mark.parametrize("typed", [int, float, str])
def test_new_levels_of_two_factors_are_independent(typed):
    """Effects of sd 1 each: their sum has sd 1.41, not 2."""
    post = crossed()
    draws = epred(post, BOTH.astype(typed))[0]
    assert np.std(draws) == pytest.approx(np.sqrt(2), abs=4 * 2 / np.sqrt(8000))
    found = post.predict(BOTH.astype(typed), new_levels="sample", interval=0.9)
    assert found["std_error"][0] == pytest.approx(np.std(draws, ddof=1), rel=1e-10)
    own = [epred(post, BOTH, re_formula=f"~ (1 | {g})")[0] for g in ("person", "item")]
    assert abs(np.corrcoef(*own)[0, 1]) < 4 / np.sqrt(4000)


def test_a_new_level_has_one_effect_everywhere():
    post = crossed()
    rows = pd.DataFrame({"person": [99, 98, 99, 1], "item": [1, 99, 2, 98]})
    draws = epred(post, rows)
    flat = post.draws.effects
    item = next(t for t, term in enumerate(post.design.terms) if term.group == "item")
    b = flat[item].reshape(-1, flat[item].shape[2])
    assert draws[0] - b[:, 0] == pytest.approx(draws[2] - b[:, 1], abs=1e-12)
    back = epred(post, rows.iloc[::-1])[::-1]
    assert np.array_equal(draws, back)
    assert np.array_equal(draws[:, ::7], epred(post, rows, thin=7))
    for i in range(4):
        assert np.array_equal(draws[[i]], epred(post, rows.iloc[[i]]))


@pytest.mark.parametrize("interval_of", ["mean", "observation"])
def test_blocks_and_the_order_of_rows_and_columns_change_nothing(monkeypatch, interval_of):
    post = crossed()
    rows = pd.DataFrame({"person": [99, 98, 99, 1, 2], "item": [1, 99, 99, 98, 3]})
    how = {"new_levels": "sample", "interval": 0.9, "interval_of": interval_of}
    whole = post.predict(rows, **how)
    order = [3, 1, 0, 4, 2]
    shuffled = post.predict(rows[["item", "person"]].iloc[order], **how)
    pd.testing.assert_frame_equal(shuffled[whole.columns].sort_index(), whole, rtol=1e-12)
    monkeypatch.setattr(prediction, "_CHUNK", 1)
    pd.testing.assert_frame_equal(post.predict(rows, **how), whole, rtol=1e-12)


def test_blocks_of_draws_do_not_start_again():
    """Comparisons go through the draws in blocks; each draw has an effect of its own."""
    post = crossed()
    rows = pd.DataFrame({"person": [99], "item": [98], "z": [0]})
    kept = [np.ones(term.k, bool) for term in post.design.terms]
    new = post.design.apply(rows)
    eta = post.predictor(new, rows, kept, "sample")
    parts = [post.predictor(new, rows, kept, "sample", pick=slice(a, a + 500))
             for a in range(0, 4000, 500)]  # fmt: skip
    assert np.array_equal(np.concatenate(parts, axis=1), eta)
    assert len(np.unique(eta)) == 4000


# --- new observations -------------------------------------------------------------------------


def test_observations_are_replicated_responses():
    """Their sd adds the residual's to that of the mean."""
    post = crossed()
    rows = pd.DataFrame({"person": [1, 99], "item": [2, 99]})
    how = {"new_levels": "sample", "interval": 0.9}
    mean, new = (post.predict(rows, **how, interval_of=o) for o in ("mean", "observation"))
    assert new["estimate"].tolist() == mean["estimate"].tolist()
    sigma = np.sqrt(np.mean(post.draws.sigma**2))
    expected = np.sqrt(mean["std_error"] ** 2 + sigma**2)
    assert (new["std_error"] / expected - 1).abs().max() < 4 / np.sqrt(8000)


def test_counts_out_of_trials():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "n": 12})
    data["s"] = rng.binomial(12, 0.3, 60)
    post = hw.Model("p(s, n) ~ 1 + (1 | g)", data, "binomial").sample_prior(
        4000, seed=1, priors=hw.Priors(intercept="normal(-1, 0.5)", sd="normal(0, 0.5)")
    )
    rows = pd.DataFrame({"g": ["a", "a", "b"], "n": [5, 40, 1]})
    found = post.predict(rows, interval=0.9, interval_of="observation")
    p = post.predict(rows)["estimate"]
    assert found["estimate"].to_numpy() == pytest.approx((p * rows["n"]).to_numpy(), rel=1e-12)
    y = rng.binomial(40, epred(post, rows)[1])
    assert found["std_error"][1] == pytest.approx(y.std(), rel=0.06)
    assert found["conf_low"][1] == pytest.approx(np.quantile(y, 0.05), abs=1)
    assert found["conf_high"][1] == pytest.approx(np.quantile(y, 0.95), abs=2)
    assert set(found.loc[2, ["conf_low", "conf_high"]]) == {0.0, 1.0}


def test_missing_rows_pass_through():
    post = crossed()
    rows = pd.DataFrame({"person": [1, None, 2, 3], "item": [1, 2, np.nan, 3]}, index=[7, 7, 8, 9])
    found = post.predict(rows, interval=0.9, missing="keep")
    whole = post.predict(rows.iloc[[0, 3]], interval=0.9)
    added = ["estimate", "std_error", "conf_low", "conf_high"]
    assert found[added].isna().all(axis=1).tolist() == [False, True, True, False]
    pd.testing.assert_frame_equal(found.iloc[[0, 3]], whole)
    with pytest.raises(hw.DataError, match="missing='keep'"):
        post.predict(rows)


# --- counts from priors -----------------------------------------------------------------------


@cache
def counts():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(np.arange(6), 20)})
    return hw.Model("y ~ 1 + (1 | g)", data.assign(y=rng.poisson(3, 120)), "poisson")


@pytest.mark.filterwarnings("ignore::hierwidgets.errors.FitWarning")
def test_prior_draws_of_counts_never_fail():
    """Default priors expect counts beyond what numpy draws, for some of 40 seeds."""
    large = 0
    for seed in range(40):
        prior = counts().sample_prior(1000, seed=seed)
        y = prior.simulate(1000, seed=seed)
        assert np.isfinite(y).all()
        assert (y >= 0).all()
        large += y.max() > 1e18
        for statistic in ("mean", "sd", "max", "zeros"):
            found = prior.predictive_check(statistic, by="g", n=50, seed=seed)
            assert np.isfinite(found.to_numpy(float)).all()
    assert large > 5


def test_absurd_counts_are_said():
    prior = counts().sample_prior(200, seed=1, priors=hw.Priors(intercept="normal(0, 300)"))
    with pytest.warns(hw.FitWarning, match="of 200 responses hold counts above 1e.12.*tighter"):
        prior.simulate(200, seed=1)
    with pytest.warns(hw.FitWarning, match="of 500 responses"):
        found = prior.predictive_check("sd")
    assert np.isfinite(found.to_numpy(float)).all()
