"""Guess first, without a browser: what is hidden, what is shown, errors, the end."""

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from support.page import status_line

import hierwidgets as hw
from hierwidgets.widgets import Guess309, guess309, guess_frame
from hierwidgets.widgets.numbers.guess import the_case
from hierwidgets.widgets.parts.instrument import owned_widgets


@pytest.fixture(scope="module")
def case():
    return the_case(guess_frame(hw.load("finland"), "contacted", "district_id", event="Contacted"))


@pytest.fixture
def game():
    game = Guess309()
    yield game
    game.close()


# --- guess first --------------------------------------------------------------------------


def test_nothing_can_be_seen_before_a_guess(game):
    assert game.controls["Reveal"].disabled
    with pytest.raises(traitlets.TraitError, match="make a guess first"):
        game.revealed = True
    with pytest.raises(traitlets.TraitError, match="make a guess first"):
        Guess309(revealed=True)
    assert game.status == "Move the slider or type a number: your guess comes first."


def everything_sent(game):
    """All that the page has been told, as text."""
    states = [widget.get_state() for widget in owned_widgets(game)]
    return repr([{k: v for k, v in state.items() if not k.startswith("_")} for state in states])


def test_no_estimate_leaves_the_kernel_before_the_reveal(game, case):
    row = case.row
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


def test_the_slider_makes_the_guess_and_the_button_shows(game, case):
    game.controls["your guess"].value = 0.25
    assert game.guess == 0.25
    assert not game.controls["Reveal"].disabled
    assert game.rates.points["guess"].x.tolist() == [0.25]
    assert len(game.rates.points["partial"].x) == 0
    game.controls["Reveal"].click()
    assert game.revealed
    row = case.row
    for name in ("raw", "partial", "overall"):
        assert game.rates.points[name].x.tolist() == [row[name]]
    assert game.controls["your guess"].layout.display == "none"
    labels = {0: "0.207", 1: "0.268", 2: "0.435", 3: "0.250"}
    assert game.rates.numbers.tick_labels == labels


def test_a_guess_stays_once_the_numbers_are_shown(game):
    game.guess, game.revealed = 0.3, True
    with pytest.raises(traitlets.TraitError, match="start again to make another guess"):
        game.guess = 0.27
    game.controls["your guess"].value = 0.27  # a message that was under way
    assert game.guess == 0.3
    game.controls["Start again"].click()
    assert (game.guess, game.revealed, game.opened) == (None, False, ())
    assert len(game.rates.points["raw"].x) == 0
    assert game.controls["Reasons"].names == []
    game.guess = 0.27


def test_reasons_open_after_the_reveal_and_draw_what_they_say(game, case):
    game.guess, game.revealed = 0.3, True
    assert game.controls["Reasons"].names[0] == "How many answers?"
    game.controls["Reasons"].opened = [0, 3]
    assert game.opened == (0, 3)
    row = case.row
    assert game.rates.interval.x.tolist() == [row["conf_low"], row["conf_high"]]
    assert game.rates.pull.x.tolist() == [row["raw"], row["partial"]]
    assert (len(game.rates.band.x), len(game.rates.others.x)) == (0, 0)
    game.opened = (1, 2)
    assert len(game.rates.interval.x) == 0
    np.testing.assert_allclose(game.rates.band.x, case.band)
    assert len(game.rates.others.x) == 3 * 13 - 1
    assert "None of the 14 raw rates is higher" in game.text_alternatives["hw-guess"]


def test_the_table_hides_and_shows(game):
    hidden = [["your guess", "hidden"], ["raw rate", "hidden"]]
    assert game.table.rows[:2] == hidden
    game.guess = 0.3
    assert game.table.rows[:2] == [["your guess", "0.300"], ["raw rate", "hidden"]]
    game.revealed = True
    assert game.table.rows[1:] == [
        ["raw rate", "0.435"], ["partial pooling", "0.268"], ["overall rate", "0.207"],
    ]  # fmt: skip


# --- what it accepts ----------------------------------------------------------------------


def question(game):
    return next(w.value for w in owned_widgets(game) if isinstance(w, ipywidgets.HTML))


def test_any_frame_works():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"school": np.repeat(["north", "south", "east", "west"], [5, 30, 40, 50])})
    rate = data["school"].map({"north": 0.9, "south": 0.3, "east": 0.5, "west": 0.4})
    data["passed"] = np.where(rng.random(len(data)) < rate, "yes", "no")
    before = data.copy()
    game = Guess309(data, outcome="passed", group="school", event="yes")
    # the level that moves furthest
    assert "<b>north</b>, one of 4 schools" in question(game)
    assert "<i>passed = yes</i>" in question(game)
    game.close()
    pd.testing.assert_frame_equal(data, before)


def test_names_of_columns_and_levels_are_shown_as_text():
    data = pd.DataFrame({"<b>": np.repeat(["a & b", "c"], 10), "y": [0, 1, 1, 0, 0] * 4})
    game = Guess309(data, outcome="y", group="<b>", level="a & b")
    assert "<b>a &amp; b</b>, one of 2 levels of &lt;b&gt;" in question(game)
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
    assert status_line(game).problem


def test_nothing_is_rebuilt_and_closing_frees_everything():
    before = set(_instances)
    game = Guess309()
    widgets = {id(widget) for widget in owned_widgets(game)}
    game.guess, game.revealed = 0.2, True
    game.opened = (0, 1, 2, 3)
    game.start_again()
    assert {id(widget) for widget in owned_widgets(game)} == widgets
    slider = game.controls["your guess"]
    game.close()
    assert set(_instances) == before
    slider.value = 0.4
    assert game.guess is None
