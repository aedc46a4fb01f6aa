"""The numbers of the district strip: rates, intervals, order, answers.

Intervals are held to statsmodels' `proportion_confint`, which computes them from the same
published formulas by other code, at rtol 1e-9.
"""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import hierwidgets as hw
from hierwidgets.widgets import people_frame, strip_frame

NAMES = {"wald": "normal", "wilson": "wilson", "jeffreys": "jeffreys", "exact": "beta"}
COUNTRIES = ("finland", "uk")


@pytest.fixture(scope="module")
def data():
    return {name: hw.load(name) for name in COUNTRIES}


def counts(data):
    """Answers and events of every district, by name."""
    events = data["contacted"].eq("Contacted").groupby(data["district_id"])
    return events.agg(n="size", events="sum")


def frame_of(data, **options):
    return strip_frame(data, "contacted", "district_id", event="Contacted", **options)


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_intervals_are_those_of_statsmodels(data, country, method, level):
    frame = frame_of(data[country], level=level, method=method).set_index("level")
    wanted = counts(data[country]).loc[frame.index]
    np.testing.assert_array_equal(frame[["n", "events"]], wanted)
    np.testing.assert_allclose(frame["estimate"], wanted["events"] / wanted["n"], rtol=1e-12)
    low, high = proportion_confint(*wanted[["events", "n"]].T.to_numpy(), 1 - level, NAMES[method])
    if method == "wald":  # statsmodels cuts it at 0 and 1; it is drawn as the formula gives it
        np.testing.assert_array_equal(frame["outside"], (frame["conf_low"] < 0)
                                      | (frame["conf_high"] > 1))  # fmt: skip
        frame[["conf_low", "conf_high"]] = frame[["conf_low", "conf_high"]].clip(0, 1)
    if method == "jeffreys":  # Brown, Cai and DasGupta reach 0 and 1 where all answers are the same
        low = np.where(wanted["events"] == 0, 0.0, low)
        high = np.where(wanted["events"] == wanted["n"], 1.0, high)
    np.testing.assert_allclose(frame["conf_low"], low, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(frame["conf_high"], high, rtol=1e-9, atol=1e-12)


def test_zero_width_is_where_all_answers_are_the_same(data):
    found = counts(data["uk"])
    same = found["events"].eq(0) | found["events"].eq(found["n"])
    assert same.sum() == 140
    for method, many in {"wald": 140, "wilson": 0, "jeffreys": 0, "exact": 0}.items():
        frame = frame_of(data["uk"], method=method).set_index("level")
        assert frame["zero_width"].sum() == many
        if many:
            np.testing.assert_array_equal(frame["zero_width"], same.loc[frame.index])
    assert not frame_of(data["finland"])["zero_width"].any()


@pytest.mark.parametrize(
    ("sort", "keys"), [("rate", ["estimate", "n"]), ("n", ["n", "estimate"]), ("name", ["level"])]
)
def test_the_order_is_what_was_asked_for(data, sort, keys):
    frame = frame_of(data["uk"], sort=sort)
    pairs = list(frame[keys].itertuples(index=False, name=None))
    assert pairs == sorted(pairs)


def test_every_answer_has_its_place(data):
    people = people_frame(data["finland"], "contacted", "district_id", event="Contacted")
    wanted = data["finland"]["contacted"].eq("Contacted")
    assert (people["level"] == data["finland"]["district_id"]).all()
    np.testing.assert_array_equal(people["y"].round(), wanted)
    assert people["shift"].between(-0.36, 0.36).all()
    assert (people["y"] - wanted).abs().max() <= 0.06
    again = people_frame(data["finland"], "contacted", "district_id", event="Contacted")
    pd.testing.assert_frame_equal(people, again)


def test_of_very_many_answers_a_sample_is_drawn():
    many = pd.DataFrame({"g": np.repeat(["a", "b"], 5000), "y": np.tile([0, 1], 5000)})
    people = people_frame(many, "y", "g")
    assert len(people) == 6000
    assert set(people["level"]) == {"a", "b"}


def test_frames_refuse_unknown_orders(data):
    with pytest.raises(hw.DataError, match="sort must be one of"):
        frame_of(data["finland"], sort="size")
