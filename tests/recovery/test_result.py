"""What repetitions amount to: the tables, from the draws that were kept and by what is left out.

A Monte Carlo error agrees with the jackknife's to 3 %, the delta method's own error at 60
repetitions.
"""

import numpy as np
import pytest
from support.recoveries import SMALL, judged, recover, three_designs

from hierwidgets.errors import FitWarning
from hierwidgets.recovery import Setup, repeat

ESTIMATORS = ("no_pooling", "partial_pooling", "complete_pooling")


def test_measures_are_what_the_draws_say():
    result = three_designs()
    table, draws = judged(result), result.draws
    draws["error"] = draws["estimate"] - draws["truth"]
    draws["square"] = draws["error"] ** 2
    draws["in"] = draws["truth"].between(draws["conf_low"], draws["conf_high"])
    draws["width"] = draws["conf_high"] - draws["conf_low"]
    means = draws.groupby(["design", "estimator"])[["square", "error", "in", "width"]].mean()
    by_rep = draws.groupby(["design", "rep", "estimator"])["square"].mean().unstack()
    best = by_rep.le(1.000001 * by_rep.min(axis=1), axis=0)[list(ESTIMATORS)]
    best = best.div(best.sum(axis=1), axis=0).groupby("design").mean()
    for (design, estimator), row in means.iterrows():
        assert table[design, estimator, "rmse"] == pytest.approx(np.sqrt(row["square"]))
        assert table[design, estimator, "bias"] == pytest.approx(row["error"])
        assert table[design, estimator, "coverage"] == pytest.approx(row["in"])
        assert table[design, estimator, "width"] == pytest.approx(row["width"])
        assert table[design, estimator, "best"] == pytest.approx(best.loc[design, estimator])


def test_the_largest_raw_estimate_and_its_ties():
    result = recover(Setup(n=2, J=30, sigma=0.5), reps=5, keep=5)
    draws, expected = result.draws, {name: [] for name in ESTIMATORS}
    for _, one in draws.groupby("rep"):
        raw = one[one["estimator"] == "no_pooling"].set_index("group")["estimate"]
        top = raw.index[raw == raw.max()]
        for name, part in one.groupby("estimator"):
            at = part.set_index("group").loc[top]
            expected[name].append((at["estimate"] - at["truth"]).mean())
    assert any(len(v) for v in expected.values())
    found = result.table.query("measure == 'bias_of_largest'").set_index("estimator")["estimate"]
    for name in ESTIMATORS:
        assert found[name] == pytest.approx(np.mean(expected[name]))


def test_errors_by_size_add_up_to_the_whole():
    result = three_designs()
    for (design, estimator), part in result.by_size.groupby(["design", "estimator"]):
        whole = np.sqrt(np.average(part["rmse"] ** 2, weights=part["groups"]))
        assert judged(result)[design, estimator, "rmse"] == pytest.approx(whole)
        whole = np.average(part["bias"], weights=part["groups"])
        assert judged(result)[design, estimator, "bias"] == pytest.approx(whole, abs=1e-12)
    finland = result.by_size.query("design == 'finland' and estimator == 'no_pooling'")
    assert list(finland["n"]) == sorted(set(Setup(n="finland").sizes))
    draws = result.draws.query("design == 'finland' and estimator == 'no_pooling'")
    square = ((draws["estimate"] - draws["truth"]) ** 2).groupby(draws["n"]).mean()
    assert finland["rmse"].to_numpy() ** 2 == pytest.approx(square.to_numpy())


def test_monte_carlo_errors_are_those_of_a_jackknife():
    result = recover(SMALL, reps=60, keep=60)
    draws = result.draws.query("estimator == 'partial_pooling'")
    square = ((draws["estimate"] - draws["truth"]) ** 2).groupby(draws["rep"]).mean().to_numpy()
    n = len(square)
    left = np.sqrt((square.sum() - square) / (n - 1))
    jackknife = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    found = judged(result, "mc_error")["small", "partial_pooling", "rmse"]
    assert found == pytest.approx(jackknife, rel=0.03)  # the delta method's own error at n = 60
    inside = draws["truth"].between(draws["conf_low"], draws["conf_high"])
    share = inside.groupby(draws["rep"]).mean()
    found = judged(result, "mc_error")["small", "partial_pooling", "coverage"]
    assert found == pytest.approx(share.sem())


def test_parameters_are_means_of_the_estimates():
    result = three_designs()
    table = result.parameters.set_index(["design", "parameter"])
    assert list(table.loc["finland"].index) == ["mu", "sigma"]
    assert list(table.loc["small"].index) == ["mu", "sigma", "beta"]
    assert list(table.loc["linear"].index) == ["mu", "sigma", "beta", "residual_sd"]
    for (design, parameter), row in table.iterrows():
        values = result.estimates.loc[result.estimates["design"] == design, parameter]
        assert row["estimate"] == pytest.approx(values.mean())
        assert row["mc_error"] == pytest.approx(values.sem())
        assert row["sd"] == pytest.approx(values.std())
        assert row["q95"] == pytest.approx(values.quantile(0.95))
        if parameter == "sigma":
            assert row["zero"] == pytest.approx((values < 1e-4).mean())
        else:
            assert np.isnan(row["zero"])
    assert table["zero"].max() > 0  # some repetition has an estimate of 0


def test_failures_are_counted_and_left_out():
    rare = Setup(n=2, J=3, mu=-2.5, sigma=0.2, name="rare")
    with pytest.warns(FitWarning, match="repetitions could not be fitted and are left out") as said:
        result = recover([rare, SMALL], reps=30, keep=30)
    failed = result.failures
    assert 0 < len(failed) < 30
    assert set(failed["design"]) == {"rare"}
    assert failed["message"].str.contains("0 in every row").any()
    assert f"{len(failed)} of 60" in str(said[0].message)
    assert result.reps_done.to_dict() == {"rare": 30, "small": 30}
    assert len(result.estimates.query("design == 'rare'")) == 30 - len(failed)
    assert f"30 of 30 repetitions, {len(failed)} failed" in repr(result)
    assert result.draws.query("design == 'rare'")["rep"].nunique() == 30 - len(failed)
    assert result.table["estimate"].notna().all()


def test_nothing_could_be_fitted():
    never = Setup(n=1, J=2, mu=-40.0, sigma=0.0)
    with pytest.warns(FitWarning, match="3 of 3 repetitions could not be fitted"):
        result = recover(never, reps=3)
    assert result.table["estimate"].isna().all()
    assert result.parameters["estimate"].isna().all()
    assert result.by_size["rmse"].isna().all()
    assert result.draws.empty
    assert "3 failed" in repr(result)


def test_one_repetition_has_no_monte_carlo_error():
    result = recover(SMALL, reps=1)
    assert result.table["estimate"].notna().all()
    assert result.table["mc_error"].isna().all()
    assert result.parameters["mc_error"].isna().all()


def test_fits_that_do_not_converge_are_counted_and_kept(monkeypatch):
    partial = repeat._partial
    monkeypatch.setattr(repeat, "_partial", lambda *given: (*partial(*given)[:3], False))
    with pytest.warns(FitWarning, match="4 of 4 fits did not converge; they are kept"):
        result = recover(SMALL, reps=4)
    assert result.unsettled["small"] == 4
    assert not result.estimates["converged"].any()
    assert result.table["estimate"].notna().all()
