"""The frames of the recovery lab to the digit.

All comparisons with `simulate_and_recover` are exact: same seed, same numbers, to the last bit.
"""

import numpy as np
import pytest
from scipy.special import expit
from support.recovered import NEVER, SMALL, recover

import hierwidgets as hw
from hierwidgets.recovery import SHAPES, Setup
from hierwidgets.widgets import judged_frame, truth_frame
from hierwidgets.widgets.numbers.recovery import ESTIMATORS, JUDGED


def test_the_frame_of_one_draw_is_that_of_simulate_and_recover():
    result = recover(SMALL, reps=3, seed=4)
    frame = truth_frame(result)
    draws = result.draws
    for estimator in ESTIMATORS:
        one = draws[draws["estimator"].eq(estimator)].set_index("group").loc[frame["group"]]
        np.testing.assert_array_equal(frame[estimator], one["estimate"])
        np.testing.assert_array_equal(frame["truth"], one["truth"])
        np.testing.assert_array_equal(frame["n"], one["n"])
    assert frame["truth"].is_monotonic_increasing
    assert list(frame["group"].sort_values()) == list(range(9))


def test_the_truth_comes_from_the_seed_as_documented():
    """Design 0 of seed 4, repetition 0: spawned streams, effects first."""
    own = np.random.SeedSequence(4).spawn(1)[0]
    rng = np.random.default_rng(own.spawn(2)[1].spawn(1)[0])
    truth = expit(-0.5 + 0.7 * SHAPES["normal"](rng, 9))
    frame = truth_frame(recover(SMALL, reps=1, seed=4)).sort_values("group")
    np.testing.assert_allclose(frame["truth"], truth, rtol=1e-14)
    y = rng.binomial(12, truth)
    np.testing.assert_allclose(frame["no_pooling"], y / 12, rtol=1e-14)
    np.testing.assert_allclose(frame["complete_pooling"], y.sum() / 108, rtol=1e-14)


def test_groups_of_equal_truth_stay_in_order():
    frame = truth_frame(recover(Setup(n="finland", sigma=0.0), reps=1, seed=1))
    assert frame["group"].tolist() == list(range(14))
    assert frame["n"].tolist() == list(Setup(n="finland").sizes)


def test_measures_are_means_over_the_draws():
    reps = 6
    result = recover(SMALL, reps=reps, seed=2, keep=reps)
    draws = result.draws
    error = draws["estimate"] - draws["truth"]
    inside = draws["truth"].between(draws["conf_low"], draws["conf_high"])
    draws = draws.assign(square=error**2, error=error, inside=inside.astype(float))
    by_rep = draws.groupby(["estimator", "rep"])[["square", "error", "inside"]].mean()
    frame = judged_frame(result).set_index(["measure", "estimator"])
    for estimator in ESTIMATORS:
        one = by_rep.loc[estimator]
        rmse = np.sqrt(one["square"].mean())
        spread = one.std(ddof=1) / np.sqrt(reps)
        expected = {
            "rmse": (rmse, spread["square"] / (2 * rmse)),
            "bias": (one["error"].mean(), spread["error"]),
            "coverage": (one["inside"].mean(), spread["inside"]),
        }
        for measure, values in expected.items():
            found = frame.loc[(measure, estimator), ["estimate", "mc_error"]]
            np.testing.assert_allclose(found, values, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(
        frame["high"] - frame["low"], 2 * 1.6448536269514722 * frame["mc_error"]
    )


def test_the_bias_of_the_largest_is_that_of_the_largest_raw_rate():
    result = recover(Setup(n="finland", mu=-1.37, sigma=0.31), reps=30, seed=5, keep=30)
    wide = result.draws.pivot(index=["rep", "group"], columns="estimator", values="estimate")
    truth = result.draws.drop_duplicates(["rep", "group"]).set_index(["rep", "group"])["truth"]
    errors = wide.sub(truth, axis=0)
    top = wide["no_pooling"].eq(wide["no_pooling"].groupby("rep").transform("max"))
    by_rep = errors[top].groupby("rep").mean()
    frame = judged_frame(result).query("measure == 'bias_of_largest'").set_index("estimator")
    np.testing.assert_allclose(frame["estimate"], by_rep.mean()[frame.index], rtol=1e-10)
    assert frame.loc["no_pooling", "low"] > 0  # the winner's curse


def test_one_repetition_has_no_monte_carlo_error():
    frame = judged_frame(recover(SMALL, reps=1, seed=1))
    assert frame[["mc_error", "low", "high"]].isna().all(axis=None)
    assert list(frame["measure"].unique()) == list(JUDGED)


def test_results_that_cannot_be_shown_are_refused():
    with pytest.raises(hw.DataError, match="keep=1 or more"):
        truth_frame(recover(SMALL, reps=1, seed=1, keep=0))
    two = recover([SMALL, Setup(n=3, J=4)], reps=1, seed=1)
    for frame in (truth_frame, judged_frame):
        with pytest.raises(hw.DataError, match="one design; this has 2"):
            frame(two)
    with pytest.warns(hw.FitWarning), pytest.raises(hw.FitError, match="take another seed"):
        truth_frame(recover(NEVER, reps=1, seed=1))
