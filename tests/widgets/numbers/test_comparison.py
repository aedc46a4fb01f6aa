"""The numbers of the pooling comparison to the digit.

Raw rates and the overall rate are counts of the data and agree exactly. Partial pooling is held
to `hw.partial_pooling`, the package's other way to the same conditional modes, and to
`fit.predict` and `fit.coef`, at rtol 1e-10. Ranks and crossings are recomputed pair by pair in
loops. Numbers written out are the page's, to the digits it prints.
"""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import rankdata
from support import compared_fits
from support.compared_fits import FORMULAS, normal_data
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.widgets import comparison_frame, crossing_pairs
from hierwidgets.widgets.numbers.comparison import n_classes, named_fits

LME4 = json.loads((REFERENCE / "seed_lme4.json").read_text())


@pytest.fixture(scope="module")
def fits():
    return compared_fits.fits()


# --- the frame ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_the_three_estimates_are_those_of_the_package(fits, name):
    data = hw.load(FORMULAS[name][0])
    frame = comparison_frame(fits[name])
    raw = hw.no_pooling(data, "contacted", "district_id", event="Contacted")
    assert frame["level"].tolist() == raw["level"].tolist()
    np.testing.assert_array_equal(frame["n"], raw["n"])
    np.testing.assert_array_equal(frame["no_pooling"], raw["estimate"])
    partial = hw.partial_pooling(fits[name])
    np.testing.assert_allclose(frame["partial_pooling"], partial["estimate"], rtol=1e-10)
    overall = data["contacted"].eq("Contacted").mean()
    np.testing.assert_allclose(frame["complete_pooling"], overall, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "stored", "printed"), [("Finland", "finland", 0.2023), ("UK", "uk0", 0.2988)]
)
def test_partial_pooling_pulls_toward_mu_and_not_toward_the_overall_rate(
    fits, name, stored, printed
):
    """The printed targets come from lme4's default optimiser, which stops early for the UK."""
    early, tight = (expit(LME4[key]["fixef"]["(Intercept)"]) for key in (stored, f"{stored}_tight"))
    assert round(early, 4) == printed
    frame = comparison_frame(fits[name])
    # Finland's likelihood is so flat that lme4's tight mu, 3e-8 below the top, is 2e-5 off
    np.testing.assert_allclose(frame["target"], tight, rtol=5e-5)
    target = frame["target"].iloc[0]
    raw, partial = frame["no_pooling"], frame["partial_pooling"]
    np.testing.assert_array_equal(np.sign(partial - raw), np.sign(target - raw))


def test_a_level_between_target_and_overall_rate_moves_away_from_the_overall_rate():
    data = hw.load("uk")[["contacted", "district_id"]]
    answers = np.repeat(["Contacted", "Not Contacted"], [31, 69])
    more = pd.DataFrame({"contacted": answers, "district_id": "between"})
    assert set(data["contacted"]) == set(answers)
    both = pd.concat([data.astype(str), more], ignore_index=True)
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", both, event="Contacted")
    row = comparison_frame(fit).set_index("level").loc["between"]
    assert row["target"] < row["partial_pooling"] < row["no_pooling"] < row["complete_pooling"]


def test_finland_has_the_crossings_of_the_page(fits):
    pairs = crossing_pairs(fits["Finland"]).map(lambda level: level.removeprefix("District "))
    found = {frozenset(pair) for pair in pairs.to_numpy()}
    assert found == set(map(frozenset, [("305", "310"), ("304", "317"), ("316", "310"),
                                        ("308", "309")]))  # fmt: skip
    frame = comparison_frame(fits["Finland"]).set_index("level")
    assert frame.loc["District 309", ["rank_no", "rank_partial"]].tolist() == [1, 2]
    assert frame.loc["District 308", ["rank_no", "rank_partial"]].tolist() == [2, 1]
    assert frame.loc["District 310", "rank_change"] == -2
    assert round(frame.loc["District 309", "no_pooling"], 3) == 0.435
    assert round(frame.loc["District 309", "partial_pooling"], 3) == 0.268


@pytest.mark.parametrize("name", FORMULAS)
def test_ranks_and_crossings_pair_by_pair(fits, name):
    frame = comparison_frame(fits[name])
    raw, partial = (frame[c].round(8).tolist() for c in ("no_pooling", "partial_pooling"))
    np.testing.assert_array_equal(frame["rank_no"], rankdata([-v for v in raw]))
    np.testing.assert_array_equal(frame["rank_partial"], rankdata([-v for v in partial]))
    np.testing.assert_array_equal(frame["rank_change"], frame["rank_no"] - frame["rank_partial"])
    crossed = {
        (frame["level"][i], frame["level"][j])
        for i in range(len(raw))
        for j in range(len(raw))
        if raw[i] > raw[j] and partial[i] < partial[j]
    }
    found = crossing_pairs(fits[name])
    assert set(found.itertuples(index=False, name=None)) == crossed
    assert len(found) == len(crossed)
    members = pd.Series([level for pair in crossed for level in pair]).value_counts()
    wanted = frame["level"].map(members).fillna(0)
    np.testing.assert_array_equal(frame["crossings"], wanted)


def test_equal_counts_of_different_levels_never_cross(fits):
    frame = comparison_frame(fits["UK"])
    y = (frame["no_pooling"] * frame["n"]).round()
    same = frame.groupby([y, frame["n"]])[["rank_no", "rank_partial", "crossings"]]
    assert (same.nunique() == 1).all(axis=None)


def test_gaussian_means(fits):
    data = normal_data()
    fit = hw.lmer("y ~ 1 + (1 | g)", data)
    frame = comparison_frame(fit).set_index("level")
    means = data.groupby("g")["y"].mean()
    np.testing.assert_allclose(frame["no_pooling"], means, rtol=1e-12)
    np.testing.assert_allclose(frame["complete_pooling"], data["y"].mean(), rtol=1e-12)
    mu, sd = fit.fixef["Intercept"], fit.varcorr["sd"]
    weight = sd[0] ** 2 / (sd[0] ** 2 + sd[1] ** 2 / frame["n"])
    closed = weight * means + (1 - weight) * mu  # Gelman & Hill (2007), equation 12.1
    np.testing.assert_allclose(frame["partial_pooling"], closed, rtol=1e-9)
    assert frame["n"].tolist() == data.groupby("g").size().tolist()


def test_weighted_gaussian_means():
    data = normal_data()
    fit = hw.lmer("y ~ 1 + (1 | g)", data, weights="w")
    frame = comparison_frame(fit).set_index("level")
    total = data.assign(y=data["y"] * data["w"]).groupby("g")[["y", "w"]].sum()
    np.testing.assert_allclose(frame["no_pooling"], total["y"] / total["w"], rtol=1e-12)
    assert frame["n"].tolist() == data.groupby("g").size().tolist()


def test_mean_counts():
    data = normal_data()
    fit = hw.glmer("count ~ 1 + (1 | g)", data, family="poisson")
    frame = comparison_frame(fit).set_index("level")
    np.testing.assert_allclose(frame["no_pooling"], data.groupby("g")["count"].mean(), rtol=1e-12)
    np.testing.assert_allclose(frame["partial_pooling"], np.exp(fit.coef["estimate"]), rtol=1e-10)
    np.testing.assert_allclose(frame["complete_pooling"], data["count"].mean(), rtol=1e-12)


def test_a_predictor_within_levels_is_averaged_over_trials():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 30), "x": rng.normal(size=180)})
    data["y"] = (rng.random(180) < expit(data["x"])).astype(int)
    fit = hw.glmer("y ~ x + (1 | g)", data)
    frame = comparison_frame(fit).set_index("level")
    line = fit.fixef["Intercept"] + fit.fixef["x"] * data.groupby("g")["x"].mean()
    np.testing.assert_allclose(frame["target"], expit(line), rtol=1e-10)
    mode = fit.ranef.set_index("level")["mode"]
    np.testing.assert_allclose(frame["partial_pooling"], expit(line + mode), rtol=1e-10)


def test_inputs_stay_as_they_were(fits):
    before = fits["UK"].modes.b[0].copy()
    comparison_frame(fits["UK"])
    np.testing.assert_array_equal(fits["UK"].modes.b[0], before)


# --- classes of n -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "names"),
    [
        ([5, 5, 5], ["n = 5"]),
        ([1, 2], ["n = 1", "n = 2"]),
        ([1] * 50 + [2, 3, 4], ["n = 1", "n = 2 to 4"]),
        ([1, 2, 3, 4, 5, 6], ["n = 1 to 3", "n = 4 to 5", "n = 6"]),
    ],
)
def test_classes_cover_every_level_in_order(n, names):
    classes, found = n_classes(np.array(n, dtype=float))
    assert found == names
    assert (np.diff(classes[np.argsort(n, kind="stable")]) >= 0).all()
    assert set(classes) == set(range(len(names)))


def test_counts_of_unequal_exposure_are_refused():
    data = normal_data().assign(log_time=lambda d: np.log(d["w"]))
    fit = hw.glmer("count ~ 1 + (1 | g)", data, family="poisson", offset="log_time")
    with pytest.raises(hw.DataError, match="this fit has an offset"):
        comparison_frame(fit)


def test_names_of_fits_are_kept(fits):
    assert list(named_fits(fits)) == list(FORMULAS)
