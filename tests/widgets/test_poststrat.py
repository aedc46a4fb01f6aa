"""The instrument of poststratification without a browser: traits, marks, texts, the end.

Its numbers are held to `hw.poststratify` in `numbers/test_poststrat.py`.
"""

import numpy as np
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances

import hierwidgets as hw
from hierwidgets.course.models import POLL
from hierwidgets.course.studies.poststratification import country, survey
from hierwidgets.widgets import Poststrat


@pytest.fixture(scope="module")
def cells():
    return country()


@pytest.fixture(scope="module")
def fit(cells):
    return hw.glmer(POLL, survey(cells, 1000, seed=1))


@pytest.fixture
def shown(fit, cells):
    instrument = Poststrat(fit, cells)
    yield instrument
    instrument.close()


def slider(instrument, name):
    return instrument.controls[f"share of {name}"]


def test_it_starts_at_the_census(shown, fit, cells):
    whole = hw.poststratify(fit, cells).iloc[0]
    for column in ("estimate", "conf_low", "conf_high"):
        assert shown.frame.loc[2, column] == pytest.approx(whole[column], rel=1e-12)
    assert shown.rates.points["whole"].x == pytest.approx([whole["estimate"]])
    assert shown.rates.guide.x == pytest.approx([whole["estimate"]] * 2)
    ends = [whole["conf_low"], whole["conf_high"]]
    assert shown.rates.intervals["whole"].x[:2] == pytest.approx(ends)
    assert "Poststratified to the census: 0.341 [0.313, 0.369]. Raw 0.404" in shown.status
    assert "The sample has degree 43%, the population has 20%." in shown.status
    visible = [s for s in shown._sliders if s.layout.display is None]
    assert [s.label for s in visible] == ["share of school", "share of training", "share of degree"]
    assert [s.value for s in visible] == pytest.approx(shown.shares)


def test_a_slider_takes_from_the_others_in_their_proportions(shown):
    school, training, _ = shown.shares
    slider(shown, "degree").value = 0.6
    assert shown.shares[2] == 0.6
    assert shown.shares[0] / shown.shares[1] == pytest.approx(school / training, abs=2e-3)
    assert sum(shown.shares) == pytest.approx(1.0, abs=1e-12)
    assert slider(shown, "school").value == shown.shares[0]
    assert "Poststratified to your weights: 0.407" in shown.status
    assert shown.rates.points["whole"].x[0] == shown.frame.loc[2, "estimate"]


def test_all_of_one_kind_is_that_kind_and_there_is_a_way_back(shown):
    census = shown.shares
    slider(shown, "degree").value = 1.0
    assert shown.shares == (0.0, 0.0, 1.0)
    assert shown.frame.loc[2, "estimate"] == pytest.approx(shown.frame.loc[5, "estimate"])
    slider(shown, "degree").value = 0.4
    assert shown.shares[0] / shown.shares[1] == pytest.approx(census[0] / census[1], abs=2e-3)
    shown.controls["As the census"].click()
    assert shown.shares == census
    assert "to the census" in shown.status


def test_the_sample_s_shares_bring_the_rate_near_to_what_was_modelled(shown):
    shown.controls["As the sample"].click()
    assert shown.shares == pytest.approx((0.212, 0.356, 0.432))
    table = shown.frame.set_index("of")["estimate"]
    away = abs(table["poststratified"] - table["modelled"])
    assert away < 0.5 * abs(shown._made["education"].census @ table.iloc[3:] - table["modelled"])
    assert "The sample has these shares too." in shown.status


def test_other_kinds_have_sliders_of_their_own_and_remember_their_shares(shown):
    slider(shown, "degree").value = 0.6
    left = shown.shares
    shown.controls["Weights by"].value = "age"
    assert shown.by == "age"
    assert [s.label for s in shown._sliders[:3]] == [
        "share of 18-34", "share of 35-59", "share of 60+"
    ]  # fmt: skip
    assert "to the census" in shown.status
    assert len(shown.rates.points["kinds"].x) == 3
    shown.by = "education"
    assert shown.shares == left
    assert slider(shown, "degree").value == 0.6


def test_marks_stand_in_rows_and_words_say_what_they_show(shown):
    rates, table = shown.rates, shown.frame
    heights = [rates.points[name].y[0] for name in ("raw", "modelled", "whole", "kinds")]
    assert heights == sorted(heights, reverse=True)
    assert rates.points["kinds"].x == pytest.approx(table["estimate"].iloc[3:])
    assert list(rates.rows.tick_labels.values()) == list(table["of"])
    assert len(rates.cells.x) == 360
    assert rates.rate.min < rates.cells.x.min() < rates.cells.x.max() < rates.rate.max
    text = shown.text_alternatives["hw-rates"]
    assert "raw 0.404, modelled 0.405, poststratified 0.341 by the census" in text
    assert "by education: school 0.278, training 0.341, degree 0.474; 360 cells" in text


def test_the_table_has_shares_and_intervals(shown):
    shown.table.is_open = True
    slider(shown, "degree").value = 0.6
    rows = {row[0]: row[1:] for row in shown.table.rows}
    assert rows["degree"] == ["60.0%", "19.9%", "43.2%", "0.474", "0.435 to 0.512"]
    assert rows["raw"] == ["", "", "", "0.404", "0.378 to 0.430"]
    assert shown.table.columns[-1] == "90% interval"


def test_state_as_code(shown, fit, cells):
    slider(shown, "degree").value = 0.6
    code = shown.as_code()
    assert code.startswith("hw.widgets.Poststrat(")
    assert code.endswith(f"shares={shown.shares!r})")
    shown.by = "age"
    again = Poststrat(fit, cells, by="age", shares=(2, 1, 1))
    assert again.shares == (0.5, 0.25, 0.25)
    again.close()


def test_a_posterior_will_do():
    post = hw.load_posterior("rainey2015")
    cells = hw.load("rainey2015")[
        ["district_id", "election_id", "electoral_rules", "district_competitiveness"]
    ].drop_duplicates("district_id")
    instrument = Poststrat(post, cells.assign(n=1), by="electoral_rules", level=0.8)
    whole = hw.poststratify(post, cells.assign(n=1), level=0.8)
    assert instrument.frame.loc[2, "conf_low"] == pytest.approx(whole["conf_low"].item(), rel=1e-9)
    assert instrument._possible == ["election_id", "electoral_rules"]
    instrument.close()


def test_an_error_shows_in_the_status_line(shown, monkeypatch):
    def broken(*_):
        raise ValueError("no luck")

    monkeypatch.setattr(shown.rates, "move", broken)
    slider(shown, "degree").value = 0.6
    assert shown.status == "This could not be drawn: no luck"


def test_wrong_shares_leave_the_state_alone_and_closing_leaves_nothing(fit, cells):
    before = set(_instances)
    instrument = Poststrat(fit, cells)
    census = instrument.shares
    with pytest.raises(traitlets.TraitError, match="3 numbers, one for each of 'school'"):
        instrument.shares = (0.5, 0.5)
    assert instrument.shares == census
    instrument.close()
    assert set(_instances) == before
    with pytest.raises(traitlets.TraitError, match="not all 0"):
        Poststrat(fit, cells, shares=(0, 0, 0))
    assert set(_instances) == before


def test_shares_from_numpy_are_taken(shown):
    shown.shares = np.array([2.0, 1.0, 1.0])
    assert shown.shares == (0.5, 0.25, 0.25)
