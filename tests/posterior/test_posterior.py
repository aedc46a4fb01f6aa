"""Readers of a posterior, against the page's figures and plain arithmetic on the draws.

The shipped draws of the several-countries model stand for a run of the sampler: 10,000 draws
with effective sample sizes above 1,000. The reference posterior of that model was made with
another parameterisation of NUTS (4 chains of 3,000 draws): means must agree within 4 joint
Monte Carlo standard errors.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.data.shipped import SHIPPED
from hierwidgets.sampling import conditional
from hierwidgets.sampling.priors import Priors, half_cauchy, lkj, normal

# mean, Monte Carlo standard error and sd of the reference posterior
REFERENCE = {
    "Intercept": (-2.396, 0.021, 0.795),
    "district_competitiveness": (1.291, 0.032, 1.116),
    "electoral_rules[T.SMD]": (-0.702, 0.031, 1.065),
    "district_competitiveness:electoral_rules[T.SMD]": (3.076, 0.040, 1.514),
    "sd Intercept | district_id": (0.525, 0.002, 0.080),
    "sd Intercept | election_id": (0.642, 0.022, 0.587),
    "sd district_competitiveness | election_id": (0.913, 0.023, 0.726),
    "corr Intercept, district_competitiveness | election_id": (-0.063, 0.011, 0.568),
}


@pytest.fixture(scope="module")
def countries() -> hw.Posterior:
    return hw.load_posterior("rainey2015")


@pytest.fixture(scope="module")
def finland() -> hw.Posterior:
    return hw.load_posterior("finland")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_draws_have_converged(name) -> None:
    post = hw.load_posterior(name)
    summary = post.summary()
    assert post.diagnose().ok
    assert post.divergences == 0
    assert summary["rhat"].max() <= 1.01
    assert summary[["ess_bulk", "ess_tail"]].min().min() >= 1000


def test_several_countries_agree_with_the_reference(countries) -> None:
    summary = countries.summary()
    assert list(summary.index) == list(REFERENCE)
    mine = summary["std_error"] / np.sqrt(summary["ess_bulk"])
    for name, (mean, error, sd) in REFERENCE.items():
        joint = np.hypot(error, mine[name])
        assert abs(summary.loc[name, "estimate"] - mean) < 4 * joint, name
        assert summary.loc[name, "std_error"] == pytest.approx(sd, rel=0.15), name


def test_predictions_of_the_page(countries) -> None:
    """S88 and S89: the first rows, every figure within .02."""
    data = hw.load("rainey2015")
    found = countries.predict(data, interval=0.95)
    assert len(found) == 5126
    page = [(0.695, 0.465, 0.865), (0.312, 0.144, 0.560), (0.567, 0.324, 0.773)]
    got = found[["estimate", "conf_low", "conf_high"]].head(3).to_numpy()
    assert got == pytest.approx(np.array(page), abs=0.02)
    typical = countries.predict(
        data, interval=0.95, re_formula="~ (1 + district_competitiveness | election_id)"
    )
    page = [(0.660, 0.605, 0.711), (0.296, 0.227, 0.375), (0.606, 0.558, 0.653)]
    got = typical[["estimate", "conf_low", "conf_high"]].head(3).to_numpy()
    assert got == pytest.approx(np.array(page), abs=0.02)


def test_readers_are_arithmetic_on_the_draws(finland) -> None:
    beta = finland.draws.beta.reshape(-1)
    b = finland.draws.effects[0][..., 0].reshape(-1, 14)
    assert finland.fixef["Intercept"] == pytest.approx(beta.mean())
    assert finland.ranef["estimate"].to_numpy() == pytest.approx(b.mean(axis=0))
    assert finland.ranef["conf_low"].to_numpy() == pytest.approx(np.quantile(b, 0.025, axis=0))
    both = beta[:, None] + b
    assert finland.coef["estimate"].to_numpy() == pytest.approx(both.mean(axis=0))
    mu = 1 / (1 + np.exp(-both))
    rows = pd.DataFrame({"district_id": finland.design.terms[0].levels})
    found = finland.predict(rows, interval=0.9)
    assert found["estimate"].to_numpy() == pytest.approx(np.median(mu, axis=0))
    assert found["conf_high"].to_numpy() == pytest.approx(np.quantile(mu, 0.95, axis=0))
    assert list(finland.varcorr.columns[:3]) == ["group", "term", "other"]
    assert finland.varcorr["estimate"][0] == pytest.approx(finland.parameters[..., 1].mean())


def test_epred_draws_are_the_draws(finland) -> None:
    rows = pd.DataFrame({"district_id": finland.design.terms[0].levels[:2], "note": ["a", "b"]})
    long = finland.epred_draws(rows, thin=100)
    assert list(long.columns) == ["chain", "draw", "district_id", "note", "epred"]
    assert len(long) == 2 * 100
    one = long.iloc[130]
    assert (one["chain"], one["note"]) == (1, "b")
    eta = finland.draws.beta[1, one["draw"], 0] + finland.draws.effects[0][1, one["draw"], 1, 0]
    assert one["epred"] == pytest.approx(1 / (1 + np.exp(-eta)))


def test_unseen_levels(finland) -> None:
    rows = pd.DataFrame({"district_id": ["Nowhere", "Nowhere", "Elsewhere"]})
    with pytest.raises(hw.NewLevelError, match="Nowhere"):
        finland.predict(rows)
    typical = finland.predict(rows, new_levels="population", interval=0.9)
    drawn = finland.predict(rows, new_levels="sample", interval=0.9)
    assert (drawn["conf_high"] > typical["conf_high"] + 0.02).all()
    eta = finland.linear_predictor(rows, new_levels="sample")
    assert np.array_equal(eta[0], eta[1])
    assert (
        abs(
            np.corrcoef(eta[0] - finland.draws.beta.ravel(), eta[2] - finland.draws.beta.ravel())[
                0, 1
            ]
        )
        < 0.1
    )
    spread = np.std((eta[0] - finland.draws.beta.ravel()) / finland.draws.factors[0].ravel())
    assert spread == pytest.approx(1.0, abs=0.03)


def test_draws_are_shown_in_one_line(finland) -> None:
    assert repr(finland.draws) == "Draws(4 chains of 2500, 0 divergent)"


def test_simulated_responses_look_like_the_data(finland) -> None:
    y = finland.simulate(200, seed=1)
    assert set(np.unique(y)) == {0.0, 1.0}
    observed = (hw.load("finland")["contacted"] == "Contacted").mean()
    assert np.quantile(y.mean(axis=1), 0.01) < observed < np.quantile(y.mean(axis=1), 0.99)
    assert np.array_equal(y, finland.simulate(200, seed=1))
    fresh = finland.simulate(200, seed=1, condition=False)
    assert fresh.mean(axis=1).std() > y.mean(axis=1).std()


def test_predictive_checks_count_replications(finland) -> None:
    """By hand from `simulate`; and a model that lacks what the data have is found out."""
    y = hw.load("finland")["contacted"].eq("Contacted").to_numpy().astype(float)
    made = finland.simulate(300, seed=0)
    found = finland.predictive_check("mean", "district_id", n=300)
    assert list(found.columns) == [
        "district_id", "observed", "replicated", "conf_low", "conf_high", "p"
    ]  # fmt: skip
    rows = (hw.load("finland")["district_id"] == found["district_id"][3]).to_numpy()
    rates = made[:, rows].mean(axis=1)
    assert found["observed"][3] == pytest.approx(y[rows].mean())
    assert found["replicated"][3] == pytest.approx(rates.mean())
    assert found["conf_high"][3] == pytest.approx(np.quantile(rates, 0.95))
    tied = (rates == y[rows].mean()).mean()
    assert found["p"][3] == pytest.approx((rates > y[rows].mean()).mean() + tied / 2)
    assert finland.predictive_check(lambda y: y.sum(), n=50)["observed"][0] == y.sum()


def test_predictive_checks_find_a_model_out() -> None:
    """Counts with a third of structural zeros: a Poisson model makes too few zeros."""
    pytest.importorskip("nutpie")
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"y": rng.poisson(3.0, 90) * (rng.random(90) < 2 / 3),
                         "g": np.tile(list("abcdef"), 15)})  # fmt: skip
    post = hw.Model("y ~ (1 | g)", data, "poisson").sample(
        chains=2, tune=200, draws=200, seed=1, progress=False
    )
    assert post.predictive_check("zeros", n=200)["p"][0] < 0.01
    assert 0.1 < post.predictive_check("mean", n=200)["p"][0] < 0.9
    for bad, says in (
        ({"statistic": "median"}, "choose one of"),
        ({"by": "district"}, "not a column"),
        ({"statistic": lambda y: y}, "one finite number"),
        ({"interval": 90}, "interval=90; a confidence level"),
        ({"n": 0}, "whole number"),
    ):
        with pytest.raises(hw.DataError, match=says):
            post.predictive_check(**bad)


def test_a_file_holds_exactly_what_was_drawn(finland, tmp_path) -> None:
    finland.save(tmp_path / "finland.npz")
    again = hw.load_posterior(tmp_path / "finland.npz")
    assert np.array_equal(again.parameters, finland.parameters)
    assert np.array_equal(again.draws.effects[0], finland.draws.effects[0])
    assert again.design.formula.text == finland.design.formula.text
    assert again.priors.describe(again).equals(finland.priors.describe(finland))
    with pytest.raises(hw.DataError, match="no file"):
        hw.load_posterior(tmp_path / "other.npz")
    (tmp_path / "bad.npz").write_text("nothing")
    with pytest.raises(hw.DataError, match="not a file of draws"):
        hw.load_posterior(tmp_path / "bad.npz")


def test_files_keep_categories_weights_offset_and_priors(tmp_path) -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({
        "n": rng.poisson(3, 40), "x": rng.normal(size=40), "w": rng.integers(1, 3, 40),
        "g": pd.Categorical(np.tile(list("badc"), 10), categories=list("dcbae")),
    })  # fmt: skip
    model = hw.Model(
        "n ~ x + (1 + x | g)", data, "poisson", weights="w", offset=rng.normal(size=40)
    )
    priors = Priors(coefficients=normal(0, 1), corr=lkj(2), by_name={"sd x | g": half_cauchy(2)})
    prior = model.sample_prior(20, seed=1, priors=priors)
    prior.save(tmp_path / "p.npz")
    again = hw.load_posterior(tmp_path / "p.npz")
    assert again.kind == "prior"
    assert again.priors == priors
    for name in ("X", "y", "trials", "offset", "weights"):
        assert np.array_equal(getattr(again.design, name), getattr(model.design, name)), name
    assert np.array_equal(again.linear_predictor(), prior.linear_predictor())


def test_loo_against_refitting_by_importance_of_all_draws(finland) -> None:
    """Leave-one-out of single observations moves next to nothing; of whole districts it is the
    density of a new district, which plain importance weights give too."""
    rows, groups = finland.loo(), finland.loo("district_id")
    assert len(rows.pointwise) == 1086
    assert rows.unreliable == 0
    assert 5 < rows.p_loo < 14
    assert list(groups.pointwise["district_id"]) == list(finland.design.terms[0].levels)
    ll = conditional.level_integrals(
        finland.design, finland.family, finland.draws.beta, finland.draws.factors,
        finland.draws.sigma, finland.draws.effects, (0, 0),
    )  # fmt: skip
    plain = np.log(ll.shape[1]) - np.logaddexp.reduce(-ll, axis=1)
    assert groups.pointwise["elpd"].to_numpy() == pytest.approx(plain, abs=0.05)
    with pytest.raises(hw.DataError, match="without refitting"):
        finland.loo("election_id")


def test_the_page_is_told_to_have_not_converged() -> None:
    """S85."""
    page = pd.DataFrame(
        [(1.01, 2641, 4441), (1.01, 2851, 3648), (1.04, 173, 49), (1.01, 1752, 5597),
         (1.01, 2798, 4956), (1.04, 190, 118), (1.01, 2102, 1009), (1.05, 126, 35)],
        columns=["Rhat", "Bulk_ESS", "Tail_ESS"],
        index=["sd(Intercept)", "sd(Intercept) 2", "sd(comp)", "cor",
               "Intercept", "comp", "SMD", "comp:SMD"],
    )  # fmt: skip
    found = hw.diagnose(page)
    assert not found.ok
    assert "3 of 8 parameters; the largest is 1.05 (comp:SMD)" in str(found)
    assert "the smallest is 35 (comp:SMD)" in str(found)
    with pytest.raises(hw.DataError, match="Tail_ESS"):
        hw.diagnose(page[["Rhat"]])


def test_arviz_gets_every_draw(finland) -> None:
    pytest.importorskip("arviz")
    found = hw.to_arviz(finland)
    posterior = found["posterior"]
    assert np.array_equal(np.asarray(posterior["Intercept"]), finland.parameters[..., 0])
    assert posterior["effects district_id"].shape[2:] == (14, 1)
    assert int(np.asarray(found["sample_stats"]["diverging"]).sum()) == 0


def test_a_file_can_be_read_without_the_effects_that_were_integrated_out():
    whole, quick = hw.load_posterior("uk"), hw.load_posterior("uk", effects=False)
    assert np.array_equal(whole.parameters, quick.parameters)
    rows = pd.DataFrame(index=[0])
    typical = [p.predict(rows, re_formula="~0", interval=0.9) for p in (whole, quick)]
    pd.testing.assert_frame_equal(*typical)
    assert np.isnan(quick.draws.effects[0]).all()
    assert np.isfinite(whole.draws.effects[0]).all()
