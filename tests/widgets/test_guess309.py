"""Guess first, without a browser: the three estimates, the words, what is hidden, errors, the end.

The partially pooled estimates are held to lme4's stored modes at rtol 1e-4 on the logit scale
(lme4's default optimiser stops at about that distance from the maximum; the stored fit used here
is the well converged one), and the other rates to counts made with pandas, exactly.
"""

import json

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from scipy.special import expit
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.widgets import Guess309, guess309, guess_frame
from hierwidgets.widgets.numbers.guess import reasons, the_case, verdict
from hierwidgets.widgets.parts.instrument import owned_widgets

LME4 = json.loads((REFERENCE / "seed_lme4.json").read_text())

COUNTRIES = ("finland", "uk")


@pytest.fixture(scope="module")
def frames():
    return {
        name: guess_frame(hw.load(name), "contacted", "district_id", event="Contacted")
        for name in COUNTRIES
    }


@pytest.fixture
def game():
    game = Guess309()
    yield game
    game.close()


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
    size, rank, similarity, weight = reasons(the_case(frames["finland"], "District 309"))
    assert "has 23 answers; the median of the 14 levels is 63" in size.text
    assert "Wald interval, the line drawn through it, goes from 0.265 to 0.605" in size.text
    assert "None of the 14 raw rates is higher" in rank.text
    assert "between 0.132 and 0.297, the band. The raw rate 0.435 lies outside" in similarity.text
    assert "carry 30 % of the weight" in weight.text
    assert "carries 70 %" in weight.text


def test_reasons_fit_the_level(frames):
    lowest = frames["finland"].sort_values("raw")["level"].iloc[0]
    assert (
        "None of the 14 raw rates is lower" in reasons(the_case(frames["finland"], lowest))[1].text
    )
    middle = reasons(the_case(frames["finland"], "District 317"))
    assert "of the 13 other raw rates are lower and" in middle[1].text
    assert middle[2].text.endswith("lies inside.")
    one = frames["uk"].query("n == 1")["level"].iloc[0]
    assert f"{one} has 1 answer;" in reasons(the_case(frames["uk"], one))[0].text
    assert "The 1 answer of this level carries" in reasons(the_case(frames["uk"], one))[3].text


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


# --- guess first --------------------------------------------------------------------------


def test_nothing_can_be_seen_before_a_guess(game):
    assert game._reveal.disabled
    with pytest.raises(traitlets.TraitError, match="make a guess first"):
        game.revealed = True
    with pytest.raises(traitlets.TraitError, match="make a guess first"):
        Guess309(revealed=True)
    assert game.status == "Move the slider or type a number: your guess comes first."


def everything_sent(game):
    """All that the page has been told, as text."""
    states = [widget.get_state() for widget in owned_widgets(game)]
    return repr([{k: v for k, v in state.items() if not k.startswith("_")} for state in states])


def test_no_estimate_leaves_the_kernel_before_the_reveal(game):
    row = game._case.row
    game.guess = 0.31
    said = everything_sent(game)
    for name in ("raw", "partial", "overall"):
        assert f"{row[name]:.3f}" not in said
        assert repr(float(row[name])) not in said
    assert "median" not in said
    game.revealed = True
    said = everything_sent(game)
    for name in ("raw", "partial", "overall"):
        assert f"{row[name]:.3f}" in said


def test_the_slider_makes_the_guess_and_the_button_shows(game):
    game._slider.value = 0.25
    assert game.guess == 0.25
    assert not game._reveal.disabled
    assert game._guess_point.x.tolist() == [0.25]
    assert len(game._pooled_point.x) == 0
    game._reveal.click()
    assert game.revealed
    row = game._case.row
    marks = (game._raw_point, game._pooled_point, game._overall_point)
    shown = [float(mark.x[0]) for mark in marks]
    assert shown == [row["raw"], row["partial"], row["overall"]]
    assert game._slider.layout.display == "none"
    labels = {0: "0.207", 1: "0.268", 2: "0.435", 3: "0.250"}
    assert game._numbers.tick_labels == labels


def test_a_guess_stays_once_the_numbers_are_shown(game):
    game.guess, game.revealed = 0.3, True
    with pytest.raises(traitlets.TraitError, match="start again to make another guess"):
        game.guess = 0.27
    game._slider.value = 0.27  # a message that was under way
    assert game.guess == 0.3
    game._again.click()
    assert (game.guess, game.revealed, game.opened) == (None, False, ())
    assert len(game._raw_point.x) == 0
    assert game._chips.names == []
    game.guess = 0.27


def test_reasons_open_after_the_reveal_and_draw_what_they_say(game):
    game.guess, game.revealed = 0.3, True
    assert game._chips.names[0] == "How many answers?"
    game._chips.opened = [0, 3]
    assert game.opened == (0, 3)
    row = game._case.row
    assert game._interval.x.tolist() == [row["conf_low"], row["conf_high"]]
    assert game._pull.x.tolist() == [row["raw"], row["partial"]]
    assert (len(game._band.x), len(game._other_rates.x)) == (0, 0)
    game.opened = (1, 2)
    assert len(game._interval.x) == 0
    np.testing.assert_allclose(game._band.x, game._case.band)
    assert len(game._other_rates.x) == 3 * 13 - 1
    assert "None of the 14 raw rates is higher" in game._status.pictures["hw-guess"]


def test_the_table_hides_and_shows(game):
    hidden = [["your guess", "hidden"], ["raw rate", "hidden"]]
    assert game._table.rows[:2] == hidden
    game.guess = 0.3
    assert game._table.rows[:2] == [["your guess", "0.300"], ["raw rate", "hidden"]]
    game.revealed = True
    assert game._table.rows[1:] == [
        ["raw rate", "0.435"], ["partial pooling", "0.268"], ["overall rate", "0.207"],
    ]  # fmt: skip


# --- what it accepts ----------------------------------------------------------------------


def test_any_frame_works():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"school": np.repeat(["north", "south", "east", "west"], [5, 30, 40, 50])})
    rate = data["school"].map({"north": 0.9, "south": 0.3, "east": 0.5, "west": 0.4})
    data["passed"] = np.where(rng.random(len(data)) < rate, "yes", "no")
    before = data.copy()
    game = Guess309(data, outcome="passed", group="school", event="yes")
    assert game._case.row["level"] == "north"  # that which moves furthest
    assert "<b>north</b>, one of 4 levels of school" in game._question()
    assert "<i>passed = yes</i>" in game._question()
    game.close()
    pd.testing.assert_frame_equal(data, before)


def test_names_of_columns_and_levels_are_shown_as_text():
    data = pd.DataFrame({"<b>": np.repeat(["a & b", "c"], 10), "y": [0, 1, 1, 0, 0] * 4})
    game = Guess309(data, outcome="y", group="<b>", level="a & b")
    assert "<b>a &amp; b</b>, one of 2 levels of &lt;b&gt;" in game._question()
    game.close()


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"outcome": "contacted"}, hw.DataError, "give data as well"),
        ({"data": "finland"}, hw.DataError, "name the columns of your data"),
        ({"level": "District 1"}, hw.DataError, "one of the 14 levels"),
        ({"guess": 1.2}, traitlets.TraitError, "guess must be from 0 to 1; 1.2 was given"),
        ({"guess": 0.2, "opened": [4]}, traitlets.TraitError, "0 to 3; .4,. was given"),
        ({"reveal": True}, TypeError, "does not know 'reveal'; its keywords are guess, revealed"),
    ],
)
def test_wrong_arguments_are_refused_with_the_reason(arguments, error, says):
    if "data" in arguments:
        arguments = {"data": hw.load(arguments["data"])}
    before = set(_instances)
    with pytest.raises(error, match=says):
        Guess309(**arguments)
    assert set(_instances) == before


def test_one_level_is_refused():
    data = pd.DataFrame({"g": ["a"] * 6, "y": [0, 1] * 3})
    with pytest.raises(hw.DataError, match="'g' has one level; pooling needs at least two"):
        Guess309(data, outcome="y", group="g")


def test_a_state_can_be_given_at_once():
    game = Guess309(guess=0.3, revealed=True, opened=(3, 0))
    assert repr(game) == "Guess309(guess=0.3, revealed=True, opened=(0, 3))"
    assert game.status.startswith("Your guess 0.300; raw rate 0.435")
    game.close()


def test_an_error_while_drawing_shows_in_the_status(game, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    game.guess = 0.3
    with monkeypatch.context() as patch:
        patch.setattr(guess309, "verdict", fail)
        game.revealed = True
    assert game.status == "This could not be drawn: no luck"
    assert game._status.problem


def test_nothing_is_rebuilt_and_closing_frees_everything():
    before = set(_instances)
    game = Guess309()
    widgets = {id(widget) for widget in owned_widgets(game)}
    game.guess, game.revealed = 0.2, True
    game.opened = (0, 1, 2, 3)
    game.start_again()
    assert {id(widget) for widget in owned_widgets(game)} == widgets
    slider = game._slider
    game.close()
    assert set(_instances) == before
    slider.value = 0.4
    assert game.guess is None
