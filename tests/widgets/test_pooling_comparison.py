"""The pooling comparison without a browser: traits, marks, texts, errors, the end.

Its marks are held to `comparison_frame`, whose numbers have tests of their own.
"""

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from support import compared_fits
from support.compared_fits import FORMULAS, normal_data
from support.page import status_line

import hierwidgets as hw
from hierwidgets.widgets import PoolingComparison, comparison_frame, pooling_comparison
from hierwidgets.widgets.numbers.comparison import n_classes
from hierwidgets.widgets.panels.comparison import BEHIND, FEW
from hierwidgets.widgets.parts.instrument import owned_widgets


@pytest.fixture(scope="module")
def fits():
    return compared_fits.fits()


@pytest.fixture
def shown(fits):
    instrument = PoolingComparison(fits)
    yield instrument
    instrument.close()


def fine(instrument):
    assert not status_line(instrument).problem, instrument.status
    return instrument.status


# --- wrong input --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda fits: 3, "needs a fit with one .* a int was given"),
        (lambda fits: {}, "an empty dict was given"),
        (lambda fits: {1: fits["UK"]}, "names of the fits must be texts; 1 was given"),
        (lambda fits: {"a": None}, "a NoneType was given"),
        (lambda fits: hw.lmer("y ~ 1 + (x | g)", normal_data()), "vary Intercept, x by g"),
        (lambda fits: hw.lmer("y ~ 1 + (1 | g) + (1 | w)", normal_data()), "Intercept by w"),
    ],
)
def test_what_cannot_be_compared_is_refused(fits, make, message):
    before = set(_instances)
    with pytest.raises(hw.DataError, match=message):
        PoolingComparison(make(fits))
    assert set(_instances) == before


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("shown", "France", "shown must be one of 'Finland', 'UK', 'UK with x'; 'France'"),
        ("highlight", "all", "highlight must be one of 'none', 'n range', 'crossers'; 'all'"),
        ("n_low", 3, "n_low must be from 23 to 179; 3 was given"),
        ("n_high", 180, "n_high must be from 23 to 179; 180 was given"),
        ("selected", "District 1", "one of the 14 levels of district_id .* 'District 1'"),
    ],
)
def test_wrong_traits_say_what_is_allowed(shown, fits, trait, value, message):
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(shown, trait, value)
    before = set(_instances)
    with pytest.raises(traitlets.TraitError, match=message):
        PoolingComparison(fits, **{trait: value})
    assert set(_instances) == before


def test_unknown_keywords_are_refused(fits):
    with pytest.raises(TypeError, match=r"does not know 'hilight'; its keywords are shown"):
        PoolingComparison(fits, hilight="crossers")


# --- the widget ---------------------------------------------------------------------------


def places(shown, row):
    """Values and levels of one row of points, 1 partial and 2 no pooling, of all classes."""
    marks = [pair[row - 1] for pair in shown.slopes.points]
    values = np.concatenate([mark.x for mark in marks])
    names = np.concatenate([np.array(mark.names, dtype=str) for mark in marks])
    return pd.Series(values, index=names)


@pytest.mark.parametrize("name", FORMULAS)
def test_points_and_lines_are_the_frame(shown, fits, name):
    shown.shown = name
    frame = comparison_frame(fits[name]).set_index("level")
    for row, column in ((1, "partial_pooling"), (2, "no_pooling")):
        found = places(shown, row)
        assert len(found) == len(frame)
        pd.testing.assert_series_equal(found[frame.index], frame[column], check_names=False)
    paths = np.concatenate([[*mark.x, np.nan] for mark in shown.slopes.lines if len(mark.x)])
    order = np.argsort(n_classes(frame["n"].to_numpy())[0], kind="stable")
    columns = ["complete_pooling", "partial_pooling", "no_pooling"]
    np.testing.assert_array_equal(paths.reshape(-1, 4)[:, :3], frame[columns].to_numpy()[order])
    assert shown.slopes.square.x.tolist() == [frame["complete_pooling"].iloc[0]]
    assert len(shown.slopes.targets.x) == (1 if name != "UK with x" else 253)
    fine(shown)


def test_equal_rates_of_many_levels_are_stacked_apart(shown):
    shown.shown = "UK"
    for row in (1, 2):
        spots = np.column_stack([shown.slopes.x[row], shown.slopes.y[row].round(6)])
        assert len(np.unique(spots.round(9), axis=0)) == 253
    assert shown.slopes.y.min() > -0.5
    assert shown.slopes.y[1].min() > 0.5


def test_the_range_of_n_highlights_its_levels(shown, fits):
    shown.highlight, shown.n_high = "n range", 41
    frame = comparison_frame(fits["Finland"])
    inside = frame["n"].between(23, 41)
    lines = np.append(shown.slopes.marked.x, np.nan).reshape(-1, 4)
    np.testing.assert_array_equal(lines[:, 2], frame["no_pooling"][inside])
    moves = (frame["no_pooling"] - frame["partial_pooling"]).abs()[inside]
    assert f"Highlighted: 4 with n = 23 to 41; they move by {moves.mean():.3f}" in shown.status
    assert {o for mark in shown.slopes.lines for o in mark.opacities} == {BEHIND}
    assert shown.controls["n from"].layout.display is None
    shown.highlight = "none"
    assert len(shown.slopes.marked.x) == 0
    assert {o for mark in shown.slopes.lines for o in mark.opacities} == {FEW}
    assert shown.controls["n from"].layout.display == "none"


def test_one_end_of_the_range_takes_the_other_along(shown):
    shown.highlight = "n range"
    shown.n_high = 50
    shown.n_low = 80
    assert (shown.n_low, shown.n_high) == (80, 80)
    shown.n_high = 60
    assert (shown.n_low, shown.n_high) == (60, 60)
    assert "Highlighted: 0 with n = 60." in shown.status


def test_crossers_are_all_or_those_of_one_level(shown):
    shown.highlight = "crossers"
    assert len(np.append(shown.slopes.marked.x, np.nan)) == 7 * 4
    assert "4 of 91 pairs" in shown.status
    assert "Complete pooling gives all 0.2072; partial pooling pulls toward 0.2023." in shown.status
    shown.selected = "District 310"
    assert len(np.append(shown.slopes.marked.x, np.nan)) == 2 * 4
    assert shown.status == (
        "District 310: n = 179; no pooling 0.162, rank 10; partial 0.173, rank 12 of 14; complete "
        "0.207. It changes places with District 305, District 316. Highlighted: the 2 that change "
        "places with District 310."
    )
    shown.selected = "District 306"
    assert "It changes places with none. Highlighted: the 0 that" in shown.status


def click(mark, index):
    mark._handle_custom_msgs(mark, {"event": "element_click", "data": {"index": index}})


def test_a_click_and_the_menu_select_a_level(shown):
    for pair in shown.slopes.points:
        for mark in pair:
            click(mark, len(mark.x) - 1)
            assert str(shown.selected) == mark.names[-1]
            assert mark.x[-1] in shown.slopes.ring.x
    shown.controls["district"].index = 6
    assert shown.selected == "District 309"
    assert shown.slopes.ring.x.round(3).tolist() == [0.268, 0.435]
    assert shown.slopes.ring.y.tolist() == [1, 2]  # no pooling on top, as in the figures
    shown.controls["district"].index = 0
    assert shown.selected is None
    assert len(shown.slopes.ring.x) == 0


def test_another_fit_keeps_what_was_set_as_far_as_it_has_it(shown):
    shown.shown, shown.selected = "UK", "District 319"
    shown.highlight, shown.n_low = "n range", 4
    shown.shown = "UK with x"
    assert shown.selected == "District 319"
    assert (shown.n_low, shown.n_high) == (4, 10)
    assert "District 319: n = 1" in shown.status
    assert shown.controls["district"].label == "District 319"
    shown.shown = "Finland"
    assert shown.selected is None
    assert (shown.n_low, shown.n_high) == (23, 179)
    assert shown.controls["district"].options[1] == "District 304"
    assert (shown.controls["n from"].min, shown.controls["n from"].max) == (23, 179)
    fine(shown)
    shown.shown = "UK"
    assert (shown.n_low, shown.n_high, shown.selected) == (4, 10, "District 319")


def test_the_smallest_groups_stay_lit_when_the_fit_changes(shown):
    shown.shown, shown.highlight, shown.n_high = "UK", "n range", 1
    shown.shown = "UK with x"
    assert (shown.n_low, shown.n_high) == (1, 1)


def test_of_many_that_change_places_few_are_highlighted(shown):
    shown.shown, shown.highlight = "UK", "crossers"
    assert "Highlighted: of the 194 that change places with another the 8 that" in shown.status
    assert "places or more." in shown.status
    ends = np.isnan(shown.slopes.marked.x).sum() + 1
    assert ends == 8


def test_the_table_lists_changes_of_rank_largest_first(shown):
    rows = shown.table.rows
    assert rows[0] == ["District 310", "179", "0.162", "0.173", "0.207", "10", "12", "-2", "2"]
    changes = [abs(float(row[7])) for row in rows]
    assert changes == sorted(changes, reverse=True)
    assert ["District 309", "23", "0.435", "0.268", "0.207", "1", "2", "-1", "1"] in rows
    assert len(rows) == 14
    shown.shown = "UK"
    assert len(shown.table.rows) == 253


def test_the_picture_has_a_text_that_follows(shown):
    text = shown.text_alternatives["hw-slopes"]
    assert "14 districts as lines over three rows" in text
    assert "Partial pooling: 0.151 to 0.269, pulled toward 0.202. No pooling: 0.086 to" in text
    shown.shown = "UK with x"
    assert "253 districts" in shown.text_alternatives["hw-slopes"]
    assert "pulled toward 0.114 to 0.506" in shown.text_alternatives["hw-slopes"]


def test_moving_rebuilds_nothing(shown, fits):
    before = {id(widget) for widget in owned_widgets(shown)}
    for name in (*FORMULAS, "Finland"):
        shown.shown = name
        for shown.highlight in ("n range", "crossers", "none"):
            shown.selected = comparison_frame(fits[name])["level"][3]
        shown.n_low = shown.n_high
    assert {id(widget) for widget in owned_widgets(shown)} == before


def test_an_error_while_drawing_shows_in_the_status(shown, monkeypatch):
    def fail(*_):
        raise hw.DataError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(pooling_comparison, "compared", fail)
        shown.shown = "UK"
    assert shown.status == "This could not be drawn: no luck"
    shown.shown = "Finland"
    assert fine(shown).startswith("4 of 91")


def test_one_fit_hides_the_menu_of_fits_and_has_the_name_of_its_formula(fits):
    instrument = PoolingComparison(fits["Finland"], selected="District 309")
    assert instrument.controls["Model"].layout.display == "none"
    assert instrument.shown == FORMULAS["Finland"][1]
    assert repr(instrument).startswith(
        "PoolingComparison(shown='contacted ~ 1 + (1 | district_id)'"
    )
    instrument.close()


def test_closing_frees_every_widget_and_observer(fits):
    before = set(_instances)
    instrument = PoolingComparison(fits["Finland"])
    slider = instrument.controls["n from"]
    instrument.close()
    assert set(_instances) == before
    slider.value = 100
    assert instrument.n_low == 23


# --- a user's own data --------------------------------------------------------------------


@pytest.mark.parametrize("J", [2, 3, 60])
@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_own_data_of_other_families(J, family):
    data = normal_data(J=J)
    name = "y" if family == "gaussian" else "count"
    model = hw.Model(f"{name} ~ x + (1 | g)", data, family)
    instrument = PoolingComparison(model.maximize())
    fine(instrument)
    assert instrument.slopes.axis.label == f"mean of {name}"
    instrument.controls["level"].index = 1
    assert type(instrument.selected) in (int, np.int64)
    instrument.selected = 1
    assert instrument.status.startswith("1: n = 15; no pooling")
    instrument.highlight = "crossers"
    fine(instrument)
    if family == "gaussian":
        low = float(instrument.table.rows[0][2])
        assert 800 < low < 1200
        assert "e+" not in instrument.status
    instrument.close()


def test_proportions_and_odd_labels():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"the unit": [f"a <b> & {i}" for i in range(9)], "n": 5.0 + np.arange(9)})
    data["s"] = rng.binomial(data["n"].astype(int), 0.4)
    instrument = PoolingComparison(hw.glmer("p(s, n) ~ 1 + (1 | `the unit`)", data))
    fine(instrument)
    instrument.selected = "a <b> & 3"
    assert "a <b> & 3: n = 8" in instrument.status
    assert instrument.slopes.axis.label == "s / n"
    instrument.close()


def test_all_levels_alike_are_drawn():
    data = pd.DataFrame({"g": np.repeat(np.arange(5), 10), "y": [1, 0, 0, 0, 1] * 10})
    fit = hw.glmer("y ~ 1 + (1 | g)", data)
    assert fit.singular
    instrument = PoolingComparison(fit)
    assert fine(instrument).startswith("0 of 10 pairs")
    assert instrument.slopes.rate.min < 0.4 < instrument.slopes.rate.max
    instrument.highlight = "n range"
    fine(instrument)
    instrument.close()


def test_it_speaks_the_words_it_is_given(fits):
    shown = PoolingComparison(fits, words={"level": "riding"})
    assert shown.controls["riding"].options[0] == "none"
    assert "districts" not in f"{shown.status} {shown.text_alternatives}"
    assert "ridings change places" in shown.status
    assert shown.controls["Highlight"].options[2][0] == "ridings that change places"
    shown.close()
