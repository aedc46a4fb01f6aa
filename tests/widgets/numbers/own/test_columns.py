"""What columns hold."""

import numpy as np
import pandas as pd
import pytest

from hierwidgets.widgets.numbers.own.columns import (
    LEVELS,
    NUMBERS,
    ONE,
    TWO,
    Choice,
    events_of,
    group_columns,
    kind_of,
    likely_event,
    listed,
    values_of,
)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1, 1], TWO), ([1, 2, np.nan], TWO), (["a", "b", None], TWO), ([True, False], TWO),
        ([1, 2, 3], NUMBERS), ([0.5, 1.5, 2.5], NUMBERS), (["a", "b", "c"], LEVELS),
        ([1, 1], ONE), ([None, None], ONE), ([], ONE),
    ],
)  # fmt: skip
def test_kinds(values, kind):
    assert kind_of(pd.Series(values)) == kind


def test_categories_that_nobody_has_do_not_count():
    column = pd.Series(pd.Categorical(["yes", "no"], categories=["never", "no", "yes"]))
    assert kind_of(column) == TWO
    assert values_of(column) == ["no", "yes"]


def test_numbers_beside_texts_have_an_order():
    assert values_of(pd.Series(["b", 1, "a"], dtype=object)) == [1, "a", "b"]


@pytest.mark.parametrize(
    ("events", "event"),
    [
        ([0, 1], 1), ([1, 2], 2), (["no", "yes"], "yes"), (["Contacted", "Not Contacted"],
        "Contacted"), ([False, True], True), (["Labour", "Tory"], "Tory"), ([], None),
        (["unemployed", "employed"][::-1], "employed"),
    ],
)  # fmt: skip
def test_the_event_that_is_meant(events, event):
    assert likely_event(events) == event


def test_events_are_those_of_an_outcome_of_two_values():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
    assert events_of(frame, "a") == events_of(frame, None) == []
    assert events_of(frame, "b") == ["x", "y"]


def test_raw_rates_and_means_by_group_leave_missing_rows_out():
    frame = pd.DataFrame({
        "g": ["b", "a", "a", None, "a"], "y": ["no", "yes", "no", "yes", None],
        "z": [1.0, 2.0, 4.0, 9.0, np.nan],
    })  # fmt: skip
    rates = group_columns(frame, Choice("y", "g", "yes"))
    assert rates["level"].tolist() == ["a", "b"]
    assert rates["n"].tolist() == [2, 1]
    assert rates["raw"].tolist() == [0.5, 0.0]
    assert group_columns(frame, Choice("z", "g"))["raw"].tolist() == [3.0, 1.0]


def test_lists_are_short():
    assert listed([1.0, 2.5]) == "1, 2.5"
    assert listed(list("abcdef"), 2) == "a, b and 4 more"
