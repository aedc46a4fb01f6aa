"""The numbers of the pooling dial: frames of every level to the digit, and one more level.

Tolerances: conditional modes at given parameters agree with lme4's at rtol 1e-6. Its conditional
variances do at 1e-5 only: lme4 takes them from the last but one step of its mode search, which
stops at 1e-7 (they miss 1/(I + 1/sigma^2) at its own modes by up to 4e-6; ours are held to that
formula at 1e-12). Score equations hold to 1e-6, the step at which the mode search stops. No
pooling is reached at sigma = infinity, so at 100 it is compared at 1e-3.
"""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.widgets import (
    half_weight_size,
    imagined_frame,
    loglik_at,
    pooling_frame,
    profile_frame,
    weight_curve,
)
from hierwidgets.widgets.numbers.pooling import loglik_near, pooling_columns

LME4 = json.loads((REFERENCE / "seed_lme4.json").read_text())
FORMULAS = {
    "finland": ("finland", "contacted ~ 1 + (1 | district_id)"),
    "uk0": ("uk", "contacted ~ 1 + (1 | district_id)"),
    "uk1": ("uk", "contacted ~ district_competitiveness + (1 | district_id)"),
}


def fitted(name, **options):
    data, formula = FORMULAS[name]
    return hw.glmer(formula, hw.load(data), family="binomial", event="Contacted", **options)


@pytest.fixture(scope="module")
def fits():
    return {name: fitted(name) for name in FORMULAS}


# --- the frame ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_modes_and_weights_are_those_of_lme4(fits, name):
    reference = LME4[f"{name}_tight"]
    sigma = float(np.ravel(reference["theta"])[0])
    effects = reference["ranef"]["district_id"]
    fit = fits[name]
    if name == "uk1":  # the dial turns the intercept alone; compare at the other coefficient
        fit = with_coefficients(fit, list(reference["fixef"].values()))
    frame = pooling_frame(fit, sigma, reference["fixef"]["(Intercept)"])
    frame = frame.set_index(frame["level"].str.replace("District ", ""))
    frame = frame.loc[effects["levels"]]
    modes = np.ravel(effects["modes"])
    variance = np.ravel(effects["postVar"])
    np.testing.assert_allclose(frame["estimate_link"] - frame["target_link"], modes, rtol=1e-6)
    np.testing.assert_allclose(frame["weight"], 1 - variance / sigma**2, rtol=1e-5)


def with_coefficients(fit, beta):
    return dataclasses.replace(fit, beta=np.array(beta))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("sigma", [0.05, 0.6, 4.0])
def test_estimates_solve_the_score_equation_and_weights_average(fits, name, sigma):
    frame = pooling_frame(fits[name], sigma)
    n, b = frame["n"], frame["estimate_link"] - frame["target_link"]
    p = expit(frame["estimate_link"])
    score = n * frame["raw"] - n * p
    np.testing.assert_allclose(score, b / sigma**2, atol=1e-6)
    v = 1 / (n * p * (1 - p))
    weight = sigma**2 / (sigma**2 + v)
    np.testing.assert_allclose(frame["weight"], weight, rtol=1e-12)
    working = frame["estimate_link"] + score * v
    average = weight * working + (1 - weight) * frame["target_link"]
    np.testing.assert_allclose(frame["estimate_link"], average, atol=1e-6)
    np.testing.assert_allclose(frame["estimate"], p, rtol=1e-12)


def test_counts_and_raw_rates_come_from_the_data(fits):
    data = hw.load("uk")
    by_hand = data.assign(y=data["contacted"].eq("Contacted")).groupby("district_id")["y"]
    frame = pooling_frame(fits["uk0"]).set_index("level")
    pd.testing.assert_series_equal(frame["n"], by_hand.size().astype(float), check_names=False)
    pd.testing.assert_series_equal(frame["raw"], by_hand.mean(), check_names=False)
    assert (frame.loc[frame["raw"].eq(0), "raw_link"] == -np.inf).all()
    assert (frame.loc[frame["raw"].eq(1), "raw_link"] == np.inf).all()
    inside = frame["raw"].between(0, 1, inclusive="neither")
    np.testing.assert_allclose(frame.loc[inside, "raw_link"], logit(frame.loc[inside, "raw"]))


def test_the_target_follows_the_predictor_and_mu(fits):
    fit, data = fits["uk1"], hw.load("uk")
    x = data.groupby("district_id")["district_competitiveness"].mean()
    frame = pooling_frame(fit, mu=-2.0).set_index("level")
    line = -2.0 + fit.fixef["district_competitiveness"] * x
    np.testing.assert_allclose(frame["target_link"], line.loc[frame.index], rtol=1e-10)
    np.testing.assert_allclose(frame["target"], expit(line.loc[frame.index]), rtol=1e-10)


def test_a_predictor_within_levels_gives_the_mean_over_trials():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 30), "x": rng.normal(size=180)})
    data["y"] = (rng.random(180) < expit(data["x"])).astype(int)
    fit = hw.glmer("y ~ x + (1 | g)", data)
    frame = pooling_frame(fit, sigma=0.5).set_index("level")
    line = fit.fixef["Intercept"] + fit.fixef["x"] * data.groupby("g")["x"].mean()
    np.testing.assert_allclose(frame["target_link"], line, rtol=1e-10)
    b = (frame["estimate_link"] - frame["target_link"]).loc[data["g"]].to_numpy()
    p = expit(fit.fixef["Intercept"] + fit.fixef["x"] * data["x"] + b)
    score = (data["y"] - p).groupby(data["g"]).sum()
    np.testing.assert_allclose(score, (frame["estimate_link"] - line) / 0.25, atol=1e-6)


def test_other_links_satisfy_their_own_score_equation():
    data, formula = FORMULAS["finland"]
    fit = hw.glmer(formula, hw.load(data), event="Contacted", link="probit")
    frame = pooling_frame(fit, sigma=0.3)
    eta, y = frame["estimate_link"], frame["n"] * frame["raw"]
    density = stats.norm.pdf(eta)
    up, down = density / stats.norm.cdf(eta), density / stats.norm.cdf(-eta)
    score = y * up - (frame["n"] - y) * down
    np.testing.assert_allclose(score, (eta - frame["target_link"]) / 0.3**2, atol=1e-6)
    information = frame["n"] * up * down
    np.testing.assert_allclose(frame["weight"], 0.09 / (0.09 + 1 / information), rtol=1e-9)


def test_limits_are_complete_and_no_pooling(fits):
    complete = pooling_frame(fits["finland"], sigma=0.0)
    np.testing.assert_array_equal(complete["estimate"], complete["target"])
    np.testing.assert_array_equal(complete["weight"], 0.0)
    separate = pooling_frame(fits["finland"], sigma=100.0)
    np.testing.assert_allclose(separate["estimate"], separate["raw"], atol=1e-3)
    np.testing.assert_allclose(separate["weight"], 1.0, atol=1e-3)


@pytest.mark.parametrize("n_agq", [1, 9])
def test_the_profile_peaks_at_the_fit(n_agq):
    fit = fitted("finland", n_agq=n_agq)
    sigma = np.append(np.geomspace(0.05, 2, 9), fit.theta[0])
    profile = profile_frame(fit, sigma)
    assert profile["loglik"].iloc[-1] == pytest.approx(fit.loglik, abs=1e-6)
    assert (profile["loglik"] <= fit.loglik + 1e-6).all()
    for row in profile.itertuples():
        assert loglik_at(fit, row.sigma, row.mu) == pytest.approx(row.loglik, abs=1e-8)
        assert loglik_at(fit, row.sigma, row.mu + 0.2) < row.loglik


@pytest.mark.parametrize("n_agq", [1, 9])
def test_it_does_not_matter_where_the_modes_are_looked_for_from(n_agq):
    fit = fitted("finland", n_agq=n_agq)
    for sigma in (0.0, 0.01, 0.5, 5.0):
        columns = pooling_columns(fit, sigma, -1.2)
        modes = columns["estimate_link"] - columns["target_link"]
        for effects in (modes, 3.0 - modes):
            found = loglik_near(fit, sigma, -1.2, effects)
            assert found == pytest.approx(loglik_at(fit, sigma, -1.2), abs=1e-8)


def test_the_profile_is_the_integral_by_brute_force():
    fit = fitted("finland", n_agq=25)
    y, n = fit.design.y, fit.design.trials
    sigma, mu = 0.5, -1.3
    b, step = np.linspace(-6, 6, 4001, retstep=True)
    rows = y[:, None] * (mu + b) - n[:, None] * np.logaddexp(0, mu + b)
    integral = np.exp(rows + stats.norm.logpdf(b, scale=sigma)).sum(axis=1) * step
    assert loglik_at(fit, sigma, mu) == pytest.approx(np.log(integral).sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sigma": -1}, "sigma must be a finite number of 0 or more; -1 was given"),
        ({"sigma": "big"}, "'big' was given"),
        ({"mu": np.nan}, "mu must be a finite number; nan was given"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(fits, given, says):
    with pytest.raises(hw.DataError, match=says):
        pooling_frame(fits["finland"], **given)


# --- shrinkage by size, and one more level ------------------------------------------------


@pytest.mark.parametrize(("y", "n"), [(3, 9), (0, 40), (12, 12), (100, 230)])
@pytest.mark.parametrize("sigma", [0.2, 1.0])
def test_an_imagined_levels_mode_is_the_highest_point(fits, y, n, sigma):
    """The mode of b by brute force: the conditional density on a fine grid."""
    row = imagined_frame(fits["finland"], y, n, sigma, -1.2).iloc[0]
    b = np.linspace(-6, 6, 2_000_001)
    density = y * (-1.2 + b) - n * np.logaddexp(0, -1.2 + b) - b**2 / (2 * sigma**2)
    assert row["estimate_link"] == pytest.approx(-1.2 + b[density.argmax()], abs=1e-5)
    assert row["target_link"] == pytest.approx(-1.2, abs=1e-12)
    p = expit(row["estimate_link"])
    information = n * p * (1 - p)
    assert row["weight"] == pytest.approx(information / (information + 1 / sigma**2), rel=1e-9)
    assert (row["level"], row["n"], row["raw"]) == ("imagined", n, y / n)


def test_a_level_of_the_data_imagined_again_has_its_own_row(fits):
    frame = pooling_frame(fits["finland"]).set_index("level")
    row = frame.loc["District 309"]
    again = imagined_frame(fits["finland"], 10, 23).iloc[0]
    for name in ("estimate", "target", "weight", "raw_link"):
        assert again[name] == pytest.approx(row[name], rel=1e-9), name


def test_an_imagined_levels_target_is_the_mean_of_the_others(fits):
    frame = pooling_frame(fits["uk1"], 0.5, -2.0)
    row = imagined_frame(fits["uk1"], 2, 5, 0.5, -2.0).iloc[0]
    assert row["target_link"] == pytest.approx(frame["target_link"].mean(), abs=1e-10)


@pytest.mark.parametrize(
    ("y", "n", "says"),
    [(5, 3, "5 of 3 given"), (0, 0, "0 of 0 given"), (-1, 3, "y must be"), (1, "x", "n must be")],
)
def test_impossible_levels_are_refused(fits, y, n, says):
    with pytest.raises(hw.DataError, match=says):
        imagined_frame(fits["finland"], y, n)


@pytest.mark.parametrize("sigma", [0.05, 0.31, 2.0])
def test_half_the_weight_is_at_the_half_weight_size(fits, sigma):
    """A level that lies on its target, with that many trials, carries one half (closed form)."""
    fit, mu = fits["finland"], -1.1
    p = expit(mu)
    half = half_weight_size(fit, sigma, mu)
    assert half == pytest.approx(1 / (sigma**2 * p * (1 - p)), rel=1e-12)
    row = imagined_frame(fit, half * p, half, sigma, mu).iloc[0]
    assert row["estimate"] == pytest.approx(p, abs=1e-9)
    assert row["weight"] == pytest.approx(0.5, abs=1e-9)
    assert weight_curve(fit, [0, half, 3 * half], sigma, mu)["weight"].tolist() == pytest.approx(
        [0, 0.5, 0.75]
    )


def test_without_spread_own_data_carry_nothing(fits):
    assert half_weight_size(fits["finland"], 0.0) == np.inf
    assert weight_curve(fits["finland"], [0, 10, 1000], 0.0)["weight"].tolist() == [0, 0, 0]


def test_the_curve_is_the_weight_of_levels_on_their_target(fits):
    sizes = np.array([1.0, 7.0, 300.0])
    curve = weight_curve(fits["uk0"], sizes, 0.7, -0.5)["weight"]
    p = expit(-0.5)
    rows = [imagined_frame(fits["uk0"], n * p, n, 0.7, -0.5)["weight"].item() for n in sizes]
    np.testing.assert_allclose(curve, rows, rtol=1e-8)


def test_another_link_has_its_own_information():
    data, formula = FORMULAS["finland"]
    fit = hw.glmer(formula, hw.load(data), event="Contacted", link="probit")
    mu = fit.fixef["Intercept"]
    density, p = stats.norm.pdf(mu), stats.norm.cdf(mu)
    information = density**2 / (p * (1 - p))
    assert half_weight_size(fit, 0.4) == pytest.approx(1 / (0.16 * information), rel=1e-9)
