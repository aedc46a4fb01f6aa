"""The effect of a group-level predictor without a browser: traits, marks, texts, errors, the end.

Its marks are held to the frames of `numbers.effect`, which have tests of their own.
"""

import asyncio

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from scipy.special import expit
from support.effect_models import X, invented
from support.page import click, status_line

import hierwidgets as hw
from hierwidgets.errors import DataError
from hierwidgets.widgets import CompetitivenessEffect, competitiveness_effect
from hierwidgets.widgets.numbers.effect import frames as numbers
from hierwidgets.widgets.numbers.effect import kept, moved
from hierwidgets.widgets.numbers.effect.moved import held_at, slope_position
from hierwidgets.widgets.numbers.effect.setting import thinned
from hierwidgets.widgets.parts.instrument import owned_widgets


@pytest.fixture
def shown(uk):
    instrument = CompetitivenessEffect(uk, X, low=0.5, high=0.8)
    yield instrument
    instrument.close()


def pick(frame, quantity):
    return frame[frame["quantity"] == quantity]


# --- what it accepts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"lo": 0.5}, TypeError, "does not know 'lo'; its keywords are with_predictor, sigma"),
        ({"sigma": 0.0}, traitlets.TraitError, "sigma must be from 0.01 to 5; 0.0 was given"),
        ({"slope": 99.0}, traitlets.TraitError, "slope must be from"),
        ({"low": 0.1}, traitlets.TraitError, "low must be from 0.351 to 0.8854; 0.1 was given"),
        ({"high": float("nan")}, traitlets.TraitError, "nan was given"),
        ({"target": "all"}, traitlets.TraitError, "'typical', 'average', 'new'"),
        ({"level": 0.5}, traitlets.TraitError, "0.8, 0.9, 0.95"),
        (
            {"quantity": "first difference"},
            traitlets.TraitError,
            "'probability', 'marginal effect'",
        ),
        ({"selected": "District 1"}, traitlets.TraitError, "one of the 253 levels of district_id"),
        ({"without": 3}, hw.DataError, "without must be a fit or a posterior; a int is not"),
    ],
)
def test_wrong_keywords_and_values_are_refused(uk, keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        CompetitivenessEffect(uk, X, **keywords)
    assert set(_instances) == before


def test_a_model_without_the_predictor_is_checked(uk, plain):
    with pytest.raises(hw.DataError, match=f"without still holds '{X}'"):
        CompetitivenessEffect(uk, X, without=uk)
    finland = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    with pytest.raises(hw.DataError, match="without has other levels of 'district_id'"):
        CompetitivenessEffect(uk, X, without=finland)
    instrument = CompetitivenessEffect(uk, X, without=plain, with_predictor=False)
    assert instrument.sigma == plain.theta[0]
    instrument.close()


def test_sigma_and_slope_stay_where_there_is_nothing_to_move(several):
    instrument = CompetitivenessEffect(several, X)
    assert (instrument.sigma, instrument.slope) == (None, None)
    with pytest.raises(traitlets.TraitError, match="sigma can be moved for a fit with one"):
        instrument.sigma = 1.0
    assert instrument.controls["Snap to the fit"].layout.display == "none"
    instrument.close()


@pytest.mark.parametrize(
    ("formula", "position"),
    [("y ~ x + x2 + (1 | g)", 1), ("y ~ x * x2 + (1 | g)", None), ("y ~ log(x) + (1 | g)", None)],
)
def test_only_a_plain_coefficient_can_be_moved(formula, position):
    fit = hw.glmer(formula, invented())
    assert slope_position(fit, "x") == position
    instrument = CompetitivenessEffect(fit, "x")
    assert (instrument.slope is None) == (position is None)
    assert instrument.sigma == fit.theta[0]
    instrument.close()


# --- the traits ---------------------------------------------------------------------------


def test_the_switch_shrinks_points_to_the_mean_or_to_the_curve(shown, uk, plain):
    assert "With district competitiveness: σ of district = 0.60" in shown.status
    row = shown.facets[0]
    with_it = numbers.unit_frame(shown.setting)["estimate"]
    np.testing.assert_array_equal(row.heights, with_it)
    assert np.ptp(row.line.y) > 0.3
    shown.controls["district competitiveness in the model"].value = False
    assert "Without district competitiveness: σ of district = 0.71" in shown.status
    assert "shown estimates has slope 0.175. In the model with it: A typical" in shown.status
    assert shown.sigma == pytest.approx(plain.theta[0], rel=1e-6)
    wanted = plain.predict(shown.setting.units)["estimate"]
    np.testing.assert_allclose(row.heights, wanted, rtol=1e-5)
    np.testing.assert_allclose(row.line.y, expit(plain.beta[0]), rtol=1e-5)
    assert shown.controls["γ₁, slope"].layout.display == "none"
    shown.with_predictor = True
    assert shown.controls["district competitiveness in the model"].value
    assert (shown.sigma, shown.slope) == (uk.theta[0], uk.beta[1])
    assert shown.controls["γ₁, slope"].layout.display is None


def test_sigma_and_slope_move_points_and_line(shown, uk):
    shown.controls["σ, spread"].value = 1.5
    shown.controls["γ₁, slope"].value = 2.0
    assert (shown.sigma, shown.slope) == (1.5, 2.0)
    held = held_at(uk, 1.5, {1: 2.0})
    row = shown.facets[0]
    units = numbers.unit_frame(shown.setting, held)
    np.testing.assert_allclose(row.heights, units["estimate"], rtol=1e-12)
    line = numbers.line_frame(shown.setting, held)
    np.testing.assert_allclose(row.line.y.ravel(), line["estimate"], rtol=1e-12)
    assert not row.band.visible
    through = np.polyfit(units["x"], units["estimate"], 1)
    np.testing.assert_allclose(row.through_points.y, np.polyval(through, row.through_points.x))
    assert f"log-likelihood {uk.loglik - held.loglik:.2f} below the fit's" in shown.status
    shown.controls["Snap to the fit"].click()
    assert (shown.sigma, shown.slope) == (uk.theta[0], uk.beta[1])
    assert row.band.visible
    assert "below the fit's" not in shown.status


def test_low_and_high_move_the_marks_and_the_numbers(shown, uk):
    shown.table.is_open = True
    shown.controls["low value"].value = 0.4
    shown.high = 0.7
    assert (shown.low, shown.controls["high value"].value) == (0.4, 0.7)
    options = {"re_formula": "~0", "interval": 0.9}
    change = hw.comparisons(uk, {X: [0.4, 0.7]}, pd.DataFrame({X: [0.4]}), **options).iloc[0]
    line = next(row for row in shown.table.rows if row[0] == "change")
    limits = f"{change['conf_low']:.3f} to {change['conf_high']:.3f}"
    assert line == ["change", "0.4 to 0.7", "", f"{change['estimate']:.3f}", limits]
    short = f"+{change['estimate']:.2f} [{change['conf_low']:.2f}, {change['conf_high']:.2f}]"
    assert f"0.4 to 0.7: {short}" in shown.status
    mark = shown.curves.marks[0]
    np.testing.assert_array_equal(mark.x, [0.4, 0.7])
    wanted = uk.predict(pd.DataFrame({X: [0.4, 0.7]}), re_formula="~0")["estimate"]
    np.testing.assert_allclose(mark.y, wanted, atol=1e-4)  # straight between 61 points
    np.testing.assert_allclose(shown.facets[0].guides.x[[0, 3]], [0.4, 0.7])


def test_low_and_high_do_not_cross(shown):
    shown.low = 0.85
    assert (shown.low, shown.high) == (0.85, 0.855)
    shown.high = 0.6
    assert (shown.low, shown.high) == (0.595, 0.6)
    first, last = shown.setting.x_range
    shown.low = last
    assert first < shown.low < shown.high == last
    shown.high = first
    assert shown.low == first < shown.high
    assert not status_line(shown).problem


def test_low_above_high_is_refused(uk):
    with pytest.raises(DataError, match=r"low must be below high; 0\.8 and 0\.5 were given"):
        CompetitivenessEffect(uk, X, low=0.8, high=0.5)


def test_everything_follows_the_slope(shown):
    fitted = shown.quantities["estimate"].to_numpy()
    shown.slope = -1.5
    held = moved.held_at(shown.setting.model, shown.sigma, {1: -1.5})
    wanted = held.predict(pd.DataFrame({X: [shown.low, shown.high]}), re_formula="~0")["estimate"]
    np.testing.assert_allclose(shown.curves.marked()[0][1], wanted, atol=1e-3)
    quantities = shown.quantities
    np.testing.assert_allclose(quantities["estimate"][:2], wanted)
    assert quantities[["conf_low", "conf_high"]].isna().all(axis=None)
    change = wanted[1] - wanted[0]
    assert f"{shown.low:g} to {shown.high:g}: −{abs(change):.2f}. Slopes" in shown.status
    assert f"one-step {change / (shown.high - shown.low):.3f}" in shown.status
    assert not shown.curves.bands[0].visible
    shown.snap()
    np.testing.assert_allclose(shown.quantities["estimate"], fitted)
    assert shown.curves.bands[0].visible


def test_straight_lines_stay_probabilities(shown):
    for slope in (9.0, -1.9):
        shown.slope = slope
        y = shown.facets[0].through_points.y
        assert y.min() >= -1e-12
        assert y.max() <= 1 + 1e-12


def test_the_switch_keeps_what_was_moved(shown):
    switch = shown.controls["district competitiveness in the model"]
    fitted = shown.sigma
    switch.value = False
    assert shown.sigma != fitted  # it follows the fit without
    switch.value = True
    assert shown.sigma == fitted
    shown.sigma, shown.slope = 2.0, 1.0
    switch.value = False
    switch.value = True
    assert (shown.sigma, shown.slope) == (2.0, 1.0)


def test_menus_choose_quantity_target_and_level(several):
    instrument = CompetitivenessEffect(several, X, low=0.3, high=0.8)
    instrument.table.is_open = True
    instrument.controls["Show"].value = "difference of marginal effects"
    instrument.controls["Target"].value = "new"
    instrument.controls["Interval"].value = 0.8
    at = np.linspace(*instrument.setting.x_range, kept.POINTS)
    curve = numbers.curve_frame(
        instrument.setting, "difference of marginal effects", at, target="new", level=0.8
    )
    picture = instrument.curves
    assert [c.visible for c in picture.curves] == [False, False, True]
    np.testing.assert_array_equal(picture.curves[2].y, curve["estimate"])
    np.testing.assert_array_equal(picture.bands[2].y[: len(at)], curve["conf_low"])
    np.testing.assert_array_equal(picture.bands[2].y[len(at) :], curve["conf_high"][::-1])
    assert instrument.table.columns[-1] == "80% interval"
    frame = numbers.quantity_frame(instrument.setting, 0.3, 0.8, target="new", level=0.8)
    pd.testing.assert_frame_equal(instrument.quantities, frame)
    assert [row[3] for row in instrument.table.rows] == [f"{v:.3f}" for v in frame["estimate"]]
    instrument.quantity = "probability"
    assert [c.visible for c in picture.curves] == [True, True, False]
    instrument.close()


def test_averages_say_how_many_draws_they_use(draws):
    instrument = CompetitivenessEffect(draws, X, average_draws=100, target="average")
    assert instrument.status.endswith("From 100 of 10,000 draws.")
    assert thinned(draws, 100).draws.beta.shape[:2] == (4, 25)
    instrument.target = "typical"
    assert "draws." not in instrument.status
    instrument.close()


def test_draws_of_one_country_show_without_sliders_for_sigma():
    post, plain = hw.load_posterior("uk_competitiveness"), hw.load_posterior("uk")
    instrument = CompetitivenessEffect(post, X, without=plain, low=0.5, high=0.8)
    assert not {"σ, spread", "γ₁, slope"} & set(instrument.controls)
    frame = numbers.unit_frame(instrument.setting)
    np.testing.assert_array_equal(instrument.facets[0].heights, frame["estimate"])
    assert "(posterior mean)" in instrument.status
    instrument.with_predictor = False
    wanted = plain.predict(instrument.setting.units)["estimate"]
    np.testing.assert_array_equal(instrument.facets[0].heights, wanted)
    instrument.close()


def test_in_a_drag_the_changes_follow_each_step(shown):
    async def drag():
        for low in (0.45, 0.6):
            shown.low = low
            change = pick(shown.quantities, "change").iloc[0]
            assert f"{low:g} to 0.8: +{change['estimate']:.2f} [" in shown.status
            assert f"one-step {shown.slopes['slope']['one-step']:.3f}." in shown.status
            assert not shown.waiting

    asyncio.run(drag())
    assert shown.table.rows[0][1] == "0.5"  # a closed table is filled when it opens
    shown.table.is_open = True
    assert shown.table.rows[0][1] == "0.6"


@pytest.mark.parametrize("target", ["typical", "average"])
def test_a_drag_previews_and_the_table_follows(shown, monkeypatch, target):
    shown.target, shown.table.is_open = target, True
    asked = []
    exact = shown._kept.quantities
    monkeypatch.setattr(
        shown._kept, "quantities", lambda *a, **k: (asked.append(a[:2]), exact(*a, **k))[1]
    )

    async def drag():
        for low in np.linspace(0.4, 0.6, 11):
            shown.low = low
            assert shown.curves.marks[0].x[0] == low
        assert asked == []
        await asyncio.sleep(4 * competitiveness_effect.SETTLE)

    asyncio.run(drag())
    assert asked == [(0.6, 0.8)]
    assert "0.6 to 0.8" in shown.status


def test_closing_forgets_what_is_still_to_come(uk):
    before = set(_instances)

    async def close_while_waiting():
        instrument = CompetitivenessEffect(uk, X, target="average")
        instrument.low = 0.4
        assert instrument.waiting
        instrument.close()
        assert not instrument.waiting
        await asyncio.sleep(2 * competitiveness_effect.SETTLE)

    asyncio.run(close_while_waiting())
    assert set(_instances) == before


def click_at(shown, x, y):
    """A click in the upper picture at (x, y)."""
    row = shown.facets[0]
    share = [
        (value - scale.min) / (scale.max - scale.min) for value, scale in ((x, row.x), (y, row.y))
    ]
    click(shown, row.name, *share)


def test_the_menu_and_a_click_pick_a_unit(shown):
    shown.controls["district"].index = 3
    assert shown.selected == shown.setting.levels[2]
    assert shown.facets[0].ring.visible
    frame = numbers.unit_frame(shown.setting).iloc[10]
    click_at(shown, frame["x"], frame["raw"])
    assert shown.selected == frame["level"]
    assert shown.controls["district"].index == 11
    assert (
        f"{frame['level']}: district competitiveness {frame['x']:.3f}, n = {frame['n']:g}"
        in shown.status
    )
    np.testing.assert_array_equal(shown.facets[0].ring.y, [frame["raw"], frame["estimate"]])
    shown.controls["district"].index = 0
    assert shown.selected is None
    assert not shown.facets[0].ring.visible
    click_at(shown, 0.37, 0.9)  # nothing is near
    assert shown.selected is None
    click_at(shown, frame["x"], frame["estimate"])
    assert shown.selected == frame["level"]


def test_moving_rebuilds_nothing(shown):
    before = {id(widget) for widget in owned_widgets(shown)}
    for share in np.linspace(0, 1, 7):
        shown.sigma, shown.slope = 0.1 + share, 1 + share
        shown.low = 0.4 + 0.1 * share
    shown.with_predictor, shown.quantity, shown.target = False, "marginal effect", "average"
    assert {id(widget) for widget in owned_widgets(shown)} == before


def test_tables_are_filled_when_opened(shown):
    at_first = shown.points_table.rows
    shown.sigma = 3.0
    assert shown.points_table.rows == at_first
    shown.points_table.is_open = True
    assert shown.points_table.rows != at_first
    assert shown.points_table.rows[0][-1] == f"{shown.facets[0].heights[0]:.3f}"
    assert [row[0] for row in shown.table.rows[-3:]] == [
        "slope, raw", "slope, two-step", "slope, one-step",
    ]  # fmt: skip
    assert [row[3] for row in shown.table.rows[-3:]] == ["0.625", "0.175", "0.789"]


def test_pictures_have_a_text_that_follows(shown):
    before = dict(shown.text_alternatives)
    assert set(before) == {"hw-facets-0", "hw-effect"}
    assert "estimates 0.10 to 0.56" in before["hw-facets-0"]
    assert "0.187 at 0.5 and 0.424 at 0.8" in before["hw-effect"]
    shown.sigma, shown.low = 2.0, 0.4
    assert all(shown.text_alternatives[name] != text for name, text in before.items())


def test_an_error_while_drawing_shows_in_the_status(shown, monkeypatch):
    def fail(*_, **__):
        raise hw.FitError("the modes did not settle")

    with monkeypatch.context() as patch:
        patch.setattr(moved, "held_at", fail)
        shown.sigma = 1.0
    assert shown.status == "This could not be drawn: the modes did not settle"
    shown.sigma = 1.1
    assert shown.status.startswith("With district competitiveness: σ of district = 1.10")


def test_the_text_is_short_and_the_same_each_time(shown):
    assert repr(shown) == (
        "CompetitivenessEffect(with_predictor=True, sigma=0.598, slope=3.87, low=0.5, high=0.8, "
        "target='typical', level=0.9, quantity='probability', selected=None)"
    )


def test_closing_frees_every_widget_and_observer(uk):
    before = set(_instances)
    instrument = CompetitivenessEffect(uk, X, selected="District 319")
    slider = instrument.controls["σ, spread"]
    instrument.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert instrument.sigma == uk.theta[0]


# --- a user's own data --------------------------------------------------------------------


@pytest.mark.parametrize("J", [2, 3, 300])
def test_few_and_many_units(J):
    data = invented(J=J, n=20)
    instrument = CompetitivenessEffect(hw.glmer("y ~ x + (1 | g)", data), "x")
    assert not status_line(instrument).problem, instrument.status
    assert len(instrument.facets[0].heights) == J
    for target in ("average", "new"):
        instrument.target = target
        assert not status_line(instrument).problem, instrument.status
    instrument.with_predictor = False
    assert not status_line(instrument).problem, instrument.status
    instrument.close()


@pytest.mark.parametrize("kind", ["numbers", "categories", "strings"])
def test_odd_names_and_labels(kind):
    data = invented().rename(columns={"g": "unit no.", "region": "the region", "y": "said yes?"})
    data["odd name"] *= 1000
    if kind == "categories":
        for name in ("unit no.", "the region", "rule"):
            data[name] = data[name].astype("category")
    if kind == "strings":
        data["unit no."] = [f"a <b> & {u}" for u in data["unit no."]]
    text = "`said yes?` ~ `odd name` * rule + (1 | `unit no.`) + (1 + `odd name` | `the region`)"
    data["odd name"] /= 1000
    instrument = CompetitivenessEffect(hw.glmer(text, data), "odd name")
    assert instrument.setting.facet_names == tuple("abcde")
    assert instrument.setting.compare == "rule"
    for name in ("target", "quantity"):
        for value in {"target": ("average", "new"), "quantity": numbers.QUANTITIES}[name]:
            setattr(instrument, name, value)
            assert not status_line(instrument).problem, instrument.status
    instrument.with_predictor = False
    instrument.selected = instrument.setting.levels[0]
    assert not status_line(instrument).problem, instrument.status
    assert type(instrument.selected) is type(instrument.setting.levels[0])
    instrument.close()


def test_nested_groups_and_predictors_of_any_size():
    data = invented()
    for scale in (1e-4, 1e5):
        data["wealth"] = data["x"] * scale
        data["within"] = data["g"] // 5
        fit = hw.glmer("y ~ wealth + (1 | region/within)", data.assign(wealth=data["x"]))
        instrument = CompetitivenessEffect(fit, "wealth")
        assert instrument.setting.unit.group == "region:within"
        instrument.close()


def test_a_singular_fit_starts_at_the_smallest_sigma():
    data = pd.DataFrame({"g": np.repeat(np.arange(6), 10), "y": [1, 0, 0, 0, 1] * 12})
    data["x"] = data["g"] ** 1.5
    fit = hw.glmer("y ~ x + (1 | g)", data)
    assert fit.singular
    instrument = CompetitivenessEffect(fit, "x")
    assert instrument.sigma == 0.01
    assert not status_line(instrument).problem
    instrument.close()


def test_it_speaks_the_words_it_is_given():
    line = hw.glmer(f"contacted ~ {X} + (1 | district_id)", hw.load("uk"), event="Contacted")
    shown = CompetitivenessEffect(line, X, words={"level": "seat", "predictor": "closeness"})
    assert {"seat", "closeness in the model"} <= set(shown.controls)
    assert "With closeness: σ of seat" in shown.status
    assert "A typical seat, closeness" in shown.status
    assert shown.points_table.columns[:2] == ["seat", "closeness"]
    said = [shown.status, *shown.text_alternatives.values(), *shown.controls]
    assert not any("_" in text for text in said)
    shown.close()
