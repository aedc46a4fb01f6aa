"""The distribution of a new observation.

Tolerances: Gaussian intervals by hand 1e-12; quantiles of counts within one count of those of
400,000 draws of the mixture, sds within 4 of their standard errors; coverage of an interval of
level .9 over 4,000 new observations at least .9 less 4 standard errors (.019), and no more than
.9 plus that and the probability of one count.
"""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import hierwidgets as hw
from hierwidgets.likelihood.predictive import observation_interval
from hierwidgets.spec.families import family


@pytest.mark.parametrize(("name", "size"), [("poisson", 1), ("binomial", 40), ("binomial", 1),
                                            ("binomial", 0)])  # fmt: skip
@pytest.mark.parametrize(("eta", "se"), [(-2.0, 0.3), (0.5, 0.05), (2.0, 1.0), (3.0, 0.0)])
def test_quantiles_of_counts(name, size, eta, se):
    chosen, rng = family(name), np.random.default_rng(1)
    found = observation_interval(
        chosen, np.array([eta]), np.array([se]), 1.0, np.array([float(size)]), 0.9
    )
    mu = chosen.link.inverse(eta + se * rng.standard_normal(400_000))[0]
    y = chosen.sample(rng, mu, np.full(len(mu), float(size)))
    assert found["conf_low"][0] == pytest.approx(np.quantile(y, 0.05), abs=1)
    assert found["conf_high"][0] == pytest.approx(np.quantile(y, 0.95), abs=1)
    spread = np.std((y - y.mean()) ** 2) / np.sqrt(len(y))
    assert found["std_error"][0] ** 2 == pytest.approx(y.var(), abs=4 * spread + 1e-12)


def test_without_uncertainty_they_are_those_of_the_family():
    eta, zero, one = np.linspace(-3, 20, 24), np.zeros(24), np.ones(24)
    found = observation_interval(family("poisson"), eta, zero, 1.0, one, 0.8)
    law = scipy.stats.poisson(np.exp(eta))
    assert found["conf_low"].tolist() == law.ppf(0.1).tolist()
    assert found["conf_high"].tolist() == law.ppf(0.9).tolist()
    found = observation_interval(family("binomial"), eta, zero, 1.0, 40 * one, 0.8)
    law = scipy.stats.binom(40, 1 / (1 + np.exp(-eta)))
    assert found["conf_low"].tolist() == law.ppf(0.1).tolist()
    assert found["conf_high"].tolist() == law.ppf(0.9).tolist()


def test_a_mean_beyond_measure_is_answered():
    found = observation_interval(
        family("poisson"), np.array([60.0, 690.0]), np.array([0.1, 20.0]), 1.0, np.ones(2), 0.9
    )
    assert (found["conf_low"] < found["conf_high"]).all()
    assert np.log(found["conf_low"][0]) == pytest.approx(60 - 1.645 * 0.1, abs=0.01)


def made(name, seed, n=800):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"g": np.repeat(np.arange(40), n // 40), "x": rng.normal(size=n)})
    data["w"] = rng.uniform(0.5, 3, n)
    data["n"] = rng.integers(1, 30, n)
    effects = 0.6 * np.random.default_rng(9).normal(size=40)
    eta = 0.3 + 0.4 * data["x"] + effects[data["g"]]
    if name == "gaussian":
        data["y"] = eta + rng.normal(size=n) / np.sqrt(data["w"])
    elif name == "poisson":
        data["y"] = rng.poisson(np.exp(eta))
    else:
        data["y"] = rng.binomial(data["n"], 1 / (1 + np.exp(-eta)))
    return data


def fitted(name):
    data = made(name, 1)
    if name == "gaussian":
        return hw.lmer("y ~ x + (1 | g)", data, weights="w")
    left = "y" if name == "poisson" else "p(y, n)"
    return hw.glmer(f"{left} ~ x + (1 | g)", data, name)


@pytest.mark.parametrize("name", ["gaussian", "poisson", "binomial"])
def test_new_observations_are_covered(name):
    fit = fitted(name)
    new = pd.concat([made(name, seed) for seed in range(2, 7)], ignore_index=True)
    found = fit.predict(new.drop(columns="y"), interval=0.9, interval_of="observation")
    inside = (new["y"] >= found["conf_low"]) & (new["y"] <= found["conf_high"])
    discrete = 0.0 if name == "gaussian" else 0.07
    assert 0.881 < inside.mean() < 0.919 + discrete
    narrow = fit.predict(new.drop(columns="y"), interval=0.9)
    size = new["n"] if name == "binomial" else 1
    assert (found["std_error"] > narrow["std_error"] * size).all()
    assert found["estimate"].to_numpy() == pytest.approx((narrow["estimate"] * size).to_numpy())


def test_a_gaussian_observation_by_hand():
    fit = fitted("gaussian")
    mean = fit.predict(interval=0.8)
    found = fit.predict(interval=0.8, interval_of="observation")
    sd = np.sqrt(mean["std_error"] ** 2 + fit.sigma**2 / fit.design.weights)
    assert found["std_error"].to_numpy() == pytest.approx(sd.to_numpy(), rel=1e-12)
    z = scipy.stats.norm.ppf(0.9)
    assert found["conf_high"].to_numpy() == pytest.approx((mean["estimate"] + z * sd).to_numpy())
    new = fit.predict(fit.design.data, interval=0.8, interval_of="observation")
    assert new["std_error"].to_numpy() == pytest.approx(sd.to_numpy(), rel=1e-12)


def test_a_zero_or_one_is_either():
    data = made("poisson", 1)
    fit = hw.glmer("b ~ 1 + (1 | g)", data.assign(b=(data["y"] > 0).astype(int)))
    found = fit.predict(interval=0.9, interval_of="observation")
    assert set(found["conf_low"]) | set(found["conf_high"]) <= {0.0, 1.0}
    p = fit.predict()["estimate"]
    assert found["estimate"].to_numpy() == pytest.approx(p.to_numpy(), rel=1e-12)
    assert found["std_error"].to_numpy() == pytest.approx(np.sqrt(p * (1 - p)).to_numpy(), abs=0.03)


def test_what_new_observations_need():
    weights = made("gaussian", 1)["w"]
    by_number = hw.lmer("y ~ x + (1 | g)", made("gaussian", 1), weights=weights)
    how = {"interval": 0.9, "interval_of": "observation"}
    assert len(by_number.predict(**how)) == 800
    with pytest.raises(hw.DataError, match="weights of this fit were given as numbers"):
        by_number.predict(made("gaussian", 2), **how)
    for name, column in (("gaussian", "w"), ("binomial", "n")):
        with pytest.raises(hw.DataError, match=f"newdata has no column '{column}'"):
            fitted(name).predict(made(name, 2).drop(columns=column), **how)
        with pytest.raises(hw.DataError, match=r"must hold .*0 or larger"):
            fitted(name).predict(made(name, 2).assign(**{column: -1}), **how)
        assert fitted(name).predict(made(name, 2).drop(columns=column), interval=0.9).shape


# --- rows with missing values -----------------------------------------------------------------


@pytest.mark.parametrize("interval_of", ["mean", "observation"])
def test_missing_rows_pass_through(interval_of):
    fit = fitted("binomial")
    rows = made("binomial", 2).head(5)[["n", "x", "g"]].astype({"g": "Int64", "n": "Int64"})
    rows.loc[0, "x"], rows.loc[1, "g"], rows.loc[2, "n"] = np.nan, pd.NA, pd.NA
    rows["note"] = None
    rows.index = [3, 3, 4, 5, 6]
    how = {"interval": 0.9, "interval_of": interval_of}
    found = fit.predict(rows, missing="keep", **how)
    gone = [True, True, interval_of == "observation", False, False]
    added = ["estimate", "std_error", "conf_low", "conf_high"]
    for column in added:
        assert found[column].isna().tolist() == gone, column
    pd.testing.assert_frame_equal(found[["n", "x", "g", "note"]], rows)
    whole = fit.predict(rows[~np.array(gone)], **how)
    pd.testing.assert_frame_equal(found[~np.array(gone)], whole)
    pooled = fit.predict(rows, missing="keep", re_formula="~0")
    assert pooled["estimate"].isna().tolist() == [True, False, False, False, False]
    none = fit.predict(rows.head(2), missing="keep", **how)
    assert none[added].isna().all(axis=None)
    with pytest.raises(hw.DataError, match=r"missing values in .* rows of newdata"):
        fit.predict(rows, **how)
