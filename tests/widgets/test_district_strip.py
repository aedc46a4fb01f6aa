"""The district strip without a browser: its traits, its marks, its words, errors, the end."""

import time

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from support.page import click_point, status_line

import hierwidgets as hw
from hierwidgets.widgets import DistrictStrip, district_strip, strip_frame
from hierwidgets.widgets.parts.instrument import owned_widgets

COUNTRIES = ("finland", "uk")


@pytest.fixture(scope="module")
def data():
    return {name: hw.load(name) for name in COUNTRIES}


@pytest.fixture
def strip(data):
    strip = DistrictStrip(data["finland"], "contacted", "district_id", "Contacted")
    yield strip
    strip.close()


@pytest.fixture
def uk(data):
    strip = DistrictStrip(data["uk"], "contacted", "district_id", "Contacted")
    yield strip
    strip.close()


def frame_of(data, **options):
    return strip_frame(data, "contacted", "district_id", event="Contacted", **options)


def test_of_very_many_answers_a_sample_is_drawn():
    many = pd.DataFrame({"g": np.repeat(["a", "b"], 5000), "y": np.tile([0, 1], 5000)})
    strip = DistrictStrip(many, "y", "g")
    assert len(strip.strip.people.x) == 3 * 6000 - 1
    assert "None of the 2 intervals" in strip.status
    strip.close()


# --- what a strip accepts -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "event"),
    [
        ([0, 1, 1, 0, 1], None),
        ([False, True, True, False, True], None),
        (["no", "yes", "yes", "no", "yes"], "yes"),
    ],
)
def test_any_frame_works(answers, event):
    data = pd.DataFrame({"class": [7, 7, 7, 9, 9], "passed": answers})
    before = data.copy()
    strip = DistrictStrip(data, "passed", "class", event, method="exact", selected=7)
    assert strip.status.startswith("7: 2 of 3, rate 0.667; its 90 % Clopper-Pearson interval")
    assert strip.controls["class"].options == ("none", "7", "9")
    strip.close()
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("contacted", "district"), "'district'"),
        (("contact", "district_id"), "'contact'"),
        (("contacted", "district_id"), "event"),
        (("contacted", "district_id", "contacted"), "'contacted'"),
    ],
)
def test_wrong_columns_are_refused_with_the_reason(data, arguments, says):
    before = set(_instances)
    with pytest.raises(hw.DataError, match=says):
        DistrictStrip(data["finland"], *arguments)
    assert set(_instances) == before


def test_what_is_no_frame_is_refused():
    with pytest.raises(hw.DataError, match="list"):
        DistrictStrip([0, 1], "y", "g")


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"methd": "wald"}, TypeError, "does not know 'methd'; its keywords are level, method"),
        ({"level": 0.99}, traitlets.TraitError, "level must be one of .0.8, 0.9, 0.95.; 0.99"),
        ({"method": "bayes"}, traitlets.TraitError, "'wald', 'wilson', 'jeffreys', 'exact'"),
        ({"sort": "size"}, traitlets.TraitError, "'rate', 'n', 'name'.; 'size' was given"),
        ({"selected": "District 1"}, traitlets.TraitError, "one of the 14 levels of district_id"),
        ({"shown": 2}, traitlets.TraitError, "shown must be from 5 to 14; 2 was given"),
        ({"shown": 10**400}, traitlets.TraitError, "shown must be from 5 to 14; 1000"),
        ({"first": 15}, traitlets.TraitError, "first must be from 1 to 14; 15 was given"),
    ],
)
def test_wrong_keywords_and_values_are_refused(data, keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        DistrictStrip(data["finland"], "contacted", "district_id", "Contacted", **keywords)
    assert set(_instances) == before


@pytest.mark.parametrize("value", [7, 7.0, np.int64(7), np.float32(7)])
def test_whole_numbers_of_every_kind_are_taken(data, value):
    strip = DistrictStrip(data["uk"], "contacted", "district_id", "Contacted", shown=value)
    assert (strip.shown, type(strip.shown), strip.controls["districts in view"].value) == (
        7,
        int,
        7,
    )


def test_what_is_typed_into_a_slider_is_rounded(data):
    strip = DistrictStrip(data["uk"], "contacted", "district_id", "Contacted")
    strip.controls["districts in view"].value = 7.6
    assert (strip.shown, strip.controls["districts in view"].value) == (8, 8)


# --- the traits and the marks -------------------------------------------------------------


def test_marks_show_the_frame(strip, data):
    strip.method, strip.level, strip.sort = "jeffreys", 0.95, "n"
    frame = frame_of(data["finland"], level=0.95, method="jeffreys", sort="n")
    np.testing.assert_array_equal(strip.strip.rates.y, frame["estimate"])
    np.testing.assert_array_equal(strip.strip.intervals.y[0::3], frame["conf_low"])
    np.testing.assert_array_equal(strip.strip.intervals.y[1::3], frame["conf_high"])
    np.testing.assert_array_equal(strip.strip.intervals.x[0::3], np.arange(14))
    assert strip.strip.rates.names.tolist() == frame["level"].tolist()
    assert list(strip.strip.sizes.tick_labels.values()) == frame["n"].astype(str).tolist()
    assert list(strip.strip.names.tick_labels.values()) == frame["level"].tolist()


def test_answers_stay_with_their_district(strip, data):
    strip.sort = "n"
    order = list(frame_of(data["finland"], sort="n")["level"])
    places = np.round(strip.strip.people.x[0::3]).astype(int)
    assert [order[place] for place in places] == data["finland"]["district_id"].tolist()


def test_controls_and_traits_move_each_other(strip):
    strip.controls["Method"].label = "Clopper-Pearson"
    strip.controls["Interval"].label = "80 %"
    strip.controls["Sort by"].value = "name"
    strip.controls["Show n"].value = False
    assert (strip.method, strip.level, strip.sort, strip.show_n) == ("exact", 0.8, "name", False)
    assert strip.strip.sizes.num_ticks == 0
    strip.level, strip.method, strip.show_n = 0.95, "wald", True
    assert (strip.controls["Interval"].label, strip.controls["Method"].label) == ("95 %", "Wald")
    assert strip.controls["Show n"].value
    assert strip.strip.sizes.num_ticks is None


def test_the_menu_and_a_click_pick_a_level(strip):
    strip.controls["district"].label = "District 309"
    assert strip.selected == "District 309"
    assert strip.strip.ring.visible
    assert strip.strip.ring.x.tolist() == [13]
    assert "10 of 23, rate 0.435; its 90 % Wald interval goes from 0.265 to 0.605" in strip.status
    click_point(strip.strip.rates, 0)
    assert strip.selected == "District 312"
    assert strip.controls["district"].label == "District 312"
    strip.controls["district"].index = 0
    assert strip.selected is None
    assert not strip.strip.ring.visible


def test_intervals_without_width_have_their_own_marker(uk, data):
    frame = frame_of(data["uk"])
    assert (len(uk.strip.rates.x), len(uk.strip.widthless.x)) == (113, 140)
    np.testing.assert_array_equal(uk.strip.widthless.x, np.flatnonzero(frame["zero_width"]))
    assert "140 of the 253 intervals have zero width: all answers there are the same" in uk.status
    assert "78 reach below 0 or above 1" in uk.status
    uk.method = "wilson"
    assert (len(uk.strip.rates.x), len(uk.strip.widthless.x)) == (253, 0)
    assert "None of the 253 intervals has zero width" in uk.status
    uk.method = "wald"
    click_point(uk.strip.widthless, 139)
    assert frame_of(data["uk"]).iloc[-1]["level"] == uk.selected
    assert "1.000" in uk.status


def test_many_levels_are_read_a_few_at_a_time(uk, data):
    frame = frame_of(data["uk"])
    assert (uk.shown, uk.strip.names.num_ticks) == (253, 0)
    assert uk.strip.names.label == "253 districts, sorted by rate"
    uk.shown, uk.first = 20, 101
    assert uk.strip.names.tick_values.tolist() == list(range(100, 120))
    assert uk.strip.place.min < 100 < 119 < uk.strip.place.max < 120
    assert uk.controls["first in view"].layout.display is None
    assert "In view: 101 to 120" in uk.status
    uk.first = 253  # the view stays full
    assert uk.strip.names.tick_values.tolist() == list(range(233, 253))
    uk.selected = frame["level"][3]
    assert uk.strip.names.tick_values[0] == 0
    assert uk.first == 1
    np.testing.assert_array_equal(uk.sizes.stems.y[1::3], frame["n"])
    uk.show_n = False
    assert uk.sizes.figure.layout.display == "none"


def test_the_still_names_levels_only_where_there_is_room(strip, uk, data):
    first, second = (instrument.picture().axes[1] for instrument in (strip, uk))  # 0: the legend
    names = [text.get_text() for text in first.get_xticklabels()]
    assert names == frame_of(data["finland"])["level"].tolist()
    assert list(second.get_xticks()) == []
    assert second.get_xlabel() == "253 districts, sorted by rate"


def test_the_table_follows_once_it_is_open(strip, data):
    strip.table.is_open = True
    strip.method = "wilson"
    row = frame_of(data["finland"], method="wilson").iloc[-1]
    values = [f"{row[column]:.3f}" for column in ("estimate", "conf_low", "conf_high")]
    assert strip.table.rows[-1] == ["District 309", "23", "10", *values]


def test_pictures_have_a_text_that_follows(strip):
    before = strip.text_alternatives["hw-strip"]
    assert before.startswith("14 districts, sorted by rate: rates 0.09 to 0.43")
    strip.method = "exact"
    assert "90 % Clopper-Pearson intervals" in strip.text_alternatives["hw-strip"]


def test_an_error_while_drawing_shows_in_the_status(strip, monkeypatch):
    def fail(*_, **__):
        raise hw.DataError("no such interval")

    with monkeypatch.context() as patch:
        patch.setattr(district_strip, "strip_frame", fail)
        strip.method = "wilson"
    assert strip.status == "This could not be drawn: no such interval"
    assert status_line(strip).problem
    strip.level = 0.8
    assert strip.status.startswith("80 % Wilson intervals.")


def test_nothing_is_rebuilt(uk, data):
    before = {id(widget) for widget in owned_widgets(uk)}
    for method in ("wilson", "jeffreys", "exact", "wald"):
        uk.method, uk.level = method, 0.8
    uk.sort, uk.selected, uk.shown, uk.first = "n", data["uk"]["district_id"][5], 12, 30
    assert {id(widget) for widget in owned_widgets(uk)} == before


def test_253_levels_are_redrawn_quickly(uk):
    uk.shown = 20
    start, uk.first = time.perf_counter(), 1
    for first in range(2, 32):
        uk.first = first
    assert (time.perf_counter() - start) / 30 < 0.030  # 5 ms on an idle machine


def test_the_text_is_short_and_the_same_each_time(strip):
    assert repr(strip) == (
        "DistrictStrip(level=0.9, method='wald', sort='rate', show_n=True, selected=None, "
        "shown=14, first=1)"
    )


def test_closing_frees_every_widget_and_observer(data):
    before = set(_instances)
    strip = DistrictStrip(data["uk"], "contacted", "district_id", "Contacted", shown=9)
    menu, slider = strip.controls["Method"], strip.controls["districts in view"]
    assert len(set(_instances) - before) > 20
    strip.close()
    assert set(_instances) == before
    menu.value, slider.value = "exact", 12
    assert (strip.method, strip.shown) == ("wald", 9)


def test_it_speaks_the_words_it_is_given():
    words = {"level": "county", "event": "called", "trials": "voters"}
    strip = DistrictStrip(hw.load("uk"), "contacted", "district_id", "Contacted", words=words)
    assert {"county", "counties in view"} <= set(strip.controls)
    assert strip.table.columns[:3] == ["county", "n", "called"]
    assert strip.strip.names.label == "253 counties, sorted by rate"
    assert "1 to 10 voters each" in strip.text_alternatives["hw-strip"]
    assert strip.text_alternatives["hw-sizes"].startswith("Number of voters in each county")
    strip.close()


def test_a_view_draws_no_rates_again(uk, monkeypatch):
    monkeypatch.setattr(uk.strip, "show", lambda frame: pytest.fail("drawn again"))
    before = uk.status
    uk.shown, uk.first = 20, 100
    assert uk.status != before
    assert "In view: 100 to 119." in uk.status


def test_a_view_moves_no_margin(uk):
    """bqplot would draw the whole figure once more, .3 s later."""
    margins = []
    for panel in (uk.strip, uk.sizes):
        panel.figure.observe(margins.append, names=["fig_margin", "padding_x", "padding_y"])
    uk.shown = 120
    uk.shown = 20
    uk.shown = len(uk._levels)
    assert margins == []


def test_a_table_opened_later_has_the_present_order(strip, data):
    strip.table.is_open = False
    strip.method, strip.sort = "wilson", "n"
    strip.selected = "District 309"
    strip.table.is_open = True
    wanted = frame_of(data["finland"], method="wilson", sort="n")
    assert strip.table.rows == district_strip.table_rows(wanted)
