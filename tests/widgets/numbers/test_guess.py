"""The numbers and the words of the guess: the three estimates, the reasons, the verdict.

The partially pooled estimates are held to lme4's stored modes at rtol 1e-4 on the logit scale
(lme4's default optimiser stops at about that distance from the maximum; the stored fit used here
is the well converged one), and the other rates to counts made with pandas, exactly.
"""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.widgets import guess_frame
from hierwidgets.widgets.numbers.guess import reasons, the_case, verdict
from hierwidgets.widgets.numbers.words import words_for

LME4 = json.loads((REFERENCE / "seed_lme4.json").read_text())

COUNTRIES = ("finland", "uk")
WORDS = words_for(None, "district_id", "contacted")


@pytest.fixture(scope="module")
def frames():
    return {
        name: guess_frame(hw.load(name), "contacted", "district_id", event="Contacted")
        for name in COUNTRIES
    }


# --- the frame ----------------------------------------------------------------------------


@pytest.mark.parametrize("country", COUNTRIES)
def test_estimates_are_counts_and_the_modes_of_lme4(frames, country):
    data, frame = hw.load(country), frames[country].set_index("level")
    by_hand = data["contacted"].eq("Contacted").groupby(data["district_id"])
    by_hand = by_hand.agg(n="size", events="sum", raw="mean").loc[frame.index]
    np.testing.assert_array_equal(frame[["n", "events"]], by_hand[["n", "events"]])
    np.testing.assert_allclose(frame["raw"], by_hand["raw"], rtol=1e-12)
    overall = by_hand["events"].sum() / by_hand["n"].sum()
    np.testing.assert_allclose(frame["overall"], overall, rtol=1e-12)
    reference = LME4[{"finland": "finland", "uk": "uk0"}[country] + "_tight"]
    effects = reference["ranef"]["district_id"]
    modes = pd.Series(np.ravel(effects["modes"]), [f"District {v}" for v in effects["levels"]])
    wanted = reference["fixef"]["(Intercept)"] + modes.loc[frame.index]
    np.testing.assert_allclose(frame["partial"], expit(wanted), rtol=1e-4)
    assert frame.attrs["mu"] == pytest.approx(reference["fixef"]["(Intercept)"], abs=1e-4)
    assert frame.attrs["sigma"] == pytest.approx(float(np.ravel(reference["theta"])[0]), rel=1e-3)


def test_the_interval_is_walds_or_wilsons_where_that_has_no_width(frames):
    frame = frames["uk"]
    counts = frame[["events", "n"]].T.to_numpy()
    wilson = np.array(proportion_confint(*counts, 0.1, "wilson"))
    same = (frame["events"] % frame["n"] == 0).to_numpy()
    assert (frame["method"].eq("Wilson") == same).all()
    found = frame[["conf_low", "conf_high"]].to_numpy().T
    np.testing.assert_allclose(found[:, same], wilson[:, same], rtol=1e-9, atol=1e-12)
    half = norm.ppf(0.95) * np.sqrt(frame["raw"] * (1 - frame["raw"]) / frame["n"])
    np.testing.assert_allclose(found[1, ~same], (frame["raw"] + half)[~same], rtol=1e-9)


def test_the_band_holds_the_middle_90_percent_of_levels(frames):
    case = the_case(frames["finland"])
    draws = np.random.default_rng(1).normal(case.mu, case.sigma, size=200_000)
    np.testing.assert_allclose(case.band, expit(np.quantile(draws, [0.05, 0.95])), atol=2e-3)


# --- the words ----------------------------------------------------------------------------


def test_reasons_state_the_numbers(frames):
    size, rank, similarity, weight = reasons(the_case(frames["finland"], "District 309"), WORDS)
    assert "has 23 answers; the median of the 14 districts is 63" in size.text
    assert "Wald interval, the line drawn through it, goes from 0.265 to 0.605" in size.text
    assert "None of the 14 raw rates is higher" in rank.text
    assert "between 0.132 and 0.297, the band. The raw rate 0.435 lies outside" in similarity.text
    assert "carry 30 % of the weight" in weight.text
    assert "carries 70 %" in weight.text


def test_reasons_fit_the_level(frames):
    lowest = frames["finland"].sort_values("raw")["level"].iloc[0]
    assert (
        "None of the 14 raw rates is lower"
        in reasons(the_case(frames["finland"], lowest), WORDS)[1].text
    )
    middle = reasons(the_case(frames["finland"], "District 317"), WORDS)
    assert "of the 13 other raw rates are lower and" in middle[1].text
    assert middle[2].text.endswith("lies inside.")
    one = frames["uk"].query("n == 1")["level"].iloc[0]
    assert f"{one} has 1 answer;" in reasons(the_case(frames["uk"], one), WORDS)[0].text
    assert (
        "The 1 answer of this district carries"
        in reasons(the_case(frames["uk"], one), WORDS)[3].text
    )


@pytest.mark.parametrize(
    ("guess", "says"),
    [
        (
            0.3,
            "From the raw rate you went 59 % of the way to the overall rate; the model went 73 %.",
        ),
        (0.435, "you went 0 % of the way"),
        (0.1, "you went past the overall rate; the model"),
        (0.7, "you went away from the overall rate; the model"),
    ],
)
def test_the_verdict_compares_two_ways(frames, guess, says):
    assert says in verdict(the_case(frames["finland"], "District 309"), guess)


def test_a_raw_rate_at_the_overall_rate_has_nowhere_to_go():
    data = pd.DataFrame({"g": np.repeat(list("abc"), 20)})
    data["y"] = np.tile([1, 0, 0, 0], 15)
    data.loc[20:24, "y"], data.loc[40:44, "y"] = 1, 0
    frame = guess_frame(data, "y", "g")
    frame.loc[0, "overall"] = frame.loc[0, "raw"]
    assert "there is nowhere to go" in verdict(the_case(frame, "a"), 0.3)
