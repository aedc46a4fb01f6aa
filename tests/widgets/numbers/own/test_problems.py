"""Everything that can be wrong with a choice of columns is told in words, and what to do."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.widgets.numbers.own.columns import Choice
from hierwidgets.widgets.numbers.own.model import fit_of
from hierwidgets.widgets.numbers.own.problems import (
    after_the_fit,
    before_the_fit,
    refused,
    what_to_choose,
)

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame({
    "g": np.repeat(list("abcdef"), 20), "two": np.repeat(["p", "q"], 60), "row": np.arange(120),
    "y": RNG.integers(0, 2, 120), "vote": RNG.choice(["Left", "Right", "Green"], 120),
    "age": RNG.normal(50, 9, 120), "one": 1, "scale": RNG.integers(1, 6, 120),
    "close": np.repeat(np.linspace(0, 1, 6), 20),
})  # fmt: skip
FRAME["named"] = [f"n{i % 40}" for i in range(120)]
GAPS = FRAME.assign(
    y=FRAME["y"].where(FRAME["row"] > 2), g=FRAME["g"].where(FRAME["row"] != 5), void=np.nan
)


def told(choice, frame=FRAME):
    return " ".join(problem.text for problem in before_the_fit(frame, choice))


@pytest.mark.parametrize(
    ("choice", "words", "stops"),
    [
        (Choice("y", "g", 1), "", False),
        (Choice("one", "g"), "one has one value only, 1: there is nothing to explain", True),
        (Choice("vote", "g"), "vote has 3 values (Green, Left, Right). The outcome must have two,"
         " or be numbers. Make one of two first, for example data['is_Green'] = data['vote'] =="
         " 'Green'", True),
        (Choice("y", "g"), "Say which value of y counts: 0, 1.", True),
        (Choice("y", "one", 1), "one has one value only: pooling needs at least two groups", True),
        (Choice("y", "row", 1), "Each value of row has a single row", True),
        (Choice("y", "two", 1), "two has 2 groups: how far groups differ can hardly", False),
        (Choice("y", "g", 1, "g"), "g is chosen twice", True),
        (Choice("y", "g", 1, "one"), "one has one value only, 1, and explains nothing", True),
        (Choice("y", "g", 1, "named"), "named has 40 values (n0, n1, n10, n11 and 36 more): too",
         True),
        (Choice("y", "g", 1, "age"), "age differs within g: it is a predictor of rows", False),
        (Choice("y", "g", 1, "close"), "", False),
        (Choice("scale", "g"), "scale has the 5 values 1, 2, 3, 4, 5: they are taken as", False),
        (Choice("close", "g"), "close has one value within each g: it belongs to groups", True),
    ],
)  # fmt: skip
def test_a_choice_and_what_is_said_of_it(choice, words, stops):
    found = before_the_fit(FRAME, choice)
    assert words in told(choice)
    assert bool(found) == bool(words)
    assert any(problem.stops for problem in found) == stops
    if not stops:
        assert fit_of(FRAME, choice).converged


def test_missing_values_are_counted_and_stop_until_they_are_left_out():
    text = told(Choice("y", "g", 1), GAPS)
    assert text.startswith("4 of 120 rows miss a value (3 in y, 1 in g). Tick 'leave out rows")
    dropped = Choice("y", "g", 1, drop=True)
    left_out = "They are left out: the estimates speak for the 116 others."
    assert told(dropped, GAPS).startswith(
        f"4 of 120 rows miss a value (3 in y, 1 in g). {left_out}"
    )
    assert fit_of(GAPS, dropped).nobs == 116
    assert told(Choice("void", "g"), GAPS).startswith("Every row misses a value (120 in void")


def test_single_rows_are_counted():
    frame = pd.concat([FRAME, FRAME.head(1).assign(g="z")])
    assert "1 of 7 group has a single row: pooling will pull hard" in told(
        Choice("y", "g", 1), frame
    )


def test_what_is_to_be_chosen():
    assert what_to_choose(Choice()).startswith("Choose the outcome")
    assert what_to_choose(Choice("y")).startswith("Choose the group")
    assert before_the_fit(FRAME, Choice("y")) == []


def test_separation_has_its_name():
    frame = FRAME.assign(x=FRAME["y"] * 1.0)
    with pytest.raises(hw.FitError) as caught:
        fit_of(frame, Choice("y", "g", 1, "x"))
    problem = refused(caught.value)
    assert problem.stops
    assert problem.text.startswith("There is no fit, by separation: the predictors separate the")
    assert refused(hw.DataError("no")).text == "There is no fit: no."


def test_a_singular_fit_is_told():
    frame = pd.DataFrame({"g": list("aabbccdd"), "y": [0, 1] * 4})
    (problem,) = after_the_fit(fit_of(frame, Choice("y", "g", 1)))
    assert "The spread of g is estimated as 0: a singular fit." in problem.text
    assert after_the_fit(hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
                                  event="Contacted")) == []  # fmt: skip
