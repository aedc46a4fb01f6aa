"""The generative ladder without a browser: its traits, its marks, its words, the end."""

import time

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from scipy.special import expit, logit
from scipy.stats import norm
from support.page import listen

import hierwidgets as hw
from hierwidgets.widgets import GenerativeLadder, generative_ladder
from hierwidgets.widgets.numbers.ladder.start import several_countries
from hierwidgets.widgets.parts.instrument import owned_widgets

DELTAS = ("delta_00", "delta_01", "delta_10", "delta_11")
X = np.linspace(0, 1, 41)


@pytest.fixture
def ladder():
    instrument = GenerativeLadder()
    yield instrument
    instrument.close()


def arrays(ladder):
    """All that is drawn."""
    return {
        (name, i): (np.array(mark.x, dtype=float), np.array(mark.y, dtype=float))
        for name, figure in ladder.figures.items()
        for i, mark in enumerate(figure.marks)
    }


def drawn_curves(panel):
    """The curve of each election of a rule (20, 41)."""
    return np.append(panel.others.y, np.nan).reshape(20, 42)[:, :41]


def equal(one, other):
    return all(
        np.array_equal(a, b, equal_nan=True)
        for key in one
        for a, b in zip(one[key], other[key], strict=True)
    )


# --- the start and the way back -----------------------------------------------------------


def test_it_starts_at_the_fit_and_comes_back(ladder):
    fit = several_countries()
    b0, b1, b2, b3 = fit.fixef
    np.testing.assert_allclose(ladder.coefficients, [b0 + b2, -b2, b1 + b3, -b3], atol=1e-12)
    assert ladder.corr == pytest.approx(1)
    said, drawn = ladder.status, arrays(ladder)
    ladder.delta_00, ladder.sd_slope, ladder.corr, ladder.people = -1.0, 1.5, -0.5, 30
    assert not equal(arrays(ladder), drawn)
    ladder.controls["Reset to the fit"].click()
    assert ladder.people == 30  # set by the student, and no estimate
    ladder.people = 8
    assert ladder.status == said
    assert equal(arrays(ladder), drawn)


def test_a_fit_of_ones_own_is_where_it_starts():
    fit = hw.glmer(
        "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
        " + (1 + district_competitiveness || election_id)",
        hw.load("rainey2015"), event="Contacted",
    )  # fmt: skip
    ladder = GenerativeLadder(fit, people=20)
    assert ladder.corr == 0
    assert ladder.sd_district == fit.varcorr.set_index("group")["sd"]["district_id"]
    ladder.close()


# --- the coding ---------------------------------------------------------------------------


def test_the_coding_changes_the_coefficients_and_no_curve(ladder):
    b0, b1, b2, b3 = several_countries().fixef
    before, said = arrays(ladder), ladder.status
    ladder.controls["Coding"].value = "PR"
    assert ladder.zero == "PR"
    np.testing.assert_allclose(ladder.coefficients, [b0, b2, b1, b3], rtol=0, atol=1e-12)
    assert equal(arrays(ladder), before)  # to the last bit
    assert ladder.status == said
    controls = ladder.controls
    assert controls["β0, intercept of PR"].value == pytest.approx(b0, abs=1e-9)
    assert controls["β2, what SMD adds to it"].value == pytest.approx(b2, abs=1e-9)
    assert controls["β1, slope of PR"].value == pytest.approx(b1, abs=1e-9)
    assert controls["β3, what SMD adds to it"].value == pytest.approx(b3, abs=1e-9)
    other = ladder._coding.value.replace("\N{NO-BREAK SPACE}", " ")
    assert "With SMD as 0, the same lines: δ00 −3.09, δ01 0.74" in other
    ladder.zero = "SMD"
    assert "δ11, what PR adds to it" in ladder.controls


@pytest.mark.parametrize(("name", "letter"), [
    ("intercept", "β0"), ("adds to the intercept", "β2"), ("slope", "β1"),
    ("adds to the slope", "β3"),
])  # fmt: skip
def test_in_the_softwares_coding_its_coefficients_are_turned(ladder, name, letter):
    ladder.zero = "PR"
    slider = next(c for label, c in ladder.controls.items() if label.startswith(letter))
    others = {label: c.value for label, c in ladder.controls.items()
              if label.startswith("β") and c is not slider}  # fmt: skip
    smd, pr = (panel.typical.y.copy() for panel in ladder.elections)
    was = slider.value
    slider.value = was + 0.5
    moved = [
        logit(panel.typical.y) - logit(old)
        for panel, old in zip(ladder.elections, (smd, pr), strict=True)
    ]
    shape = X if "slope" in name else np.ones(41)
    np.testing.assert_allclose(moved[0], 0.5 * shape, atol=1e-10)  # SMD has both parts
    np.testing.assert_allclose(moved[1], 0 if "adds" in name else 0.5 * shape, atol=1e-10)
    assert slider.value == was + 0.5
    assert {label: ladder.controls[label].value for label in others} == others


def test_a_slider_makes_room_for_a_coefficient_beyond_its_ends(ladder):
    ladder.delta_00, ladder.delta_01 = 5.0, 4.0
    ladder.zero = "PR"
    slider = ladder.controls["β0, intercept of PR"]
    assert (slider.value, slider.min, slider.max) == (9, -6, 9)
    ladder.zero = "SMD"
    slider = ladder.controls["δ00, intercept of SMD"]
    assert (slider.value, slider.min, slider.max) == (5, -6, 6)
    ladder.sd_slope = 4.5
    assert ladder.controls["σγ1, elections' slopes"].max == 4.5


# --- what is drawn ------------------------------------------------------------------------


def test_curves_bands_and_dots_are_those_of_the_model(ladder):
    ladder.sd_intercept, ladder.sd_slope, ladder.corr, ladder.sd_district = 0.5, 1.2, -0.7, 0.0
    d = [getattr(ladder, name) for name in DELTAS]
    for pr, (upper, lower) in enumerate(zip(ladder.elections, ladder.districts, strict=True)):
        middle = d[0] + d[1] * pr + (d[2] + d[3] * pr) * X
        np.testing.assert_allclose(upper.typical.y, expit(middle), atol=1e-12)
        np.testing.assert_allclose(lower.typical.y, upper.typical.y)
        sd = np.sqrt(0.25 + 2 * -0.7 * 0.5 * 1.2 * X + 1.44 * X**2)
        ends = [expit(norm.ppf(share, middle, sd)) for share in (0.05, 0.95)]
        np.testing.assert_allclose(upper.band.y, np.append(ends[0], ends[1][::-1]), atol=1e-12)
        np.testing.assert_array_equal(drawn_curves(upper)[0], upper.own.y)
        np.testing.assert_array_equal(lower.own.y, upper.own.y)
        found = lower.shown  # no district lies off its election's line here
        slope, intercept = np.polyfit(X, logit(upper.own.y), 1)
        np.testing.assert_allclose(
            logit(found.rate), intercept + slope * found.competitiveness, atol=1e-8
        )
        assert np.isin(8 * found.share, range(9)).all()
        heights = np.array(lower.respondents.y)
        middles = np.nanmean(np.append(heights, np.nan).reshape(40, -1)[:, :4], axis=1)
        np.testing.assert_allclose(middles, found.share, atol=1e-9)


def test_draws_stay_while_a_slider_moves_and_go_on_the_button(ladder):
    ladder.sd_intercept, ladder.corr = 0.5, 0.0
    before = logit(drawn_curves(ladder.elections[0])[:, 0])
    middle = ladder.delta_00
    ladder.controls["σγ0, elections' intercepts"].value = 1.0
    after = logit(drawn_curves(ladder.elections[0])[:, 0])
    np.testing.assert_allclose(after - middle, 2 * (before - middle), atol=1e-10)
    places = ladder.districts[0].shown.competitiveness
    assert ladder.status.endswith("Draw 1 (seed 1).")
    ladder.controls["Draw again"].click()
    assert ladder.status.endswith("Draw 2 (seed 2).")
    assert not np.isclose(ladder.districts[0].shown.competitiveness, places).any()
    again = GenerativeLadder(sd_intercept=1.0, corr=0.0, seed=2)
    assert equal(arrays(again), arrays(ladder))
    again.close()


def test_after_the_last_seed_comes_the_first():
    ladder = GenerativeLadder(seed=9999)
    ladder.draw_again()
    assert ladder.seed == 0
    ladder.close()


def test_more_respondents_bring_shares_to_the_rates(ladder):
    def off():
        found = ladder.districts[0].shown
        return np.sqrt(np.mean((found.share - found.rate) ** 2))

    few = off()
    ladder.controls["respondents per district"].value = 100.0
    assert ladder.people == 100
    assert off() < 0.5 * few


# --- what it says, and the end ------------------------------------------------------------


def test_the_status_says_what_the_setting_implies(ladder):
    ladder.sd_intercept, ladder.sd_slope, ladder.corr = 0.6, 1.2, -1.0
    low, high = expit(norm.ppf([0.05, 0.95], ladder.delta_00, 0.6))
    assert f"SMD: 90 % of elections have rates of {low:.2f} to {high:.2f} at" in ladder.status
    assert "Elections are most alike at 0.50." in ladder.status
    ladder.corr = 0.5
    assert "most alike" not in ladder.status
    assert "respondents" in ladder.text_alternatives["hw-first-districts"]
    assert set(ladder.text_alternatives) == set(ladder.figures)


def test_the_table_is_filled_when_it_is_opened(ladder):
    at_first = ladder.table.rows
    assert [row[0] for row in at_first] == [
        f"{rule} at {x}" for rule in ("SMD", "PR") for x in ("0", "0.5", "1")
    ]
    ladder.sd_slope = 2.0
    assert ladder.table.rows == at_first
    ladder.table.is_open = True
    assert ladder.table.rows != at_first


def test_an_error_while_drawing_shows_in_the_status(ladder, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(generative_ladder, "rates_at", fail)
        ladder.sd_slope = 1.0
    assert ladder.status == "This could not be drawn: no luck"
    ladder.sd_slope = 1.1
    assert ladder.status.startswith("SMD: 90 %")


def test_a_slider_in_hand_is_not_moved_back(ladder, monkeypatch):
    """Nothing is sent to a slider whose own value was taken."""
    ladder.zero = "PR"
    slider = ladder.controls["β0, intercept of PR"]
    values = np.linspace(-2, 2, 37)
    for value in values:
        slider.value = value
        assert slider.value == value


def test_a_step_is_quick_and_one_message(ladder, monkeypatch):
    listen(ladder)
    start = time.process_time()
    for value in np.linspace(-3, -1, 40):
        ladder.controls["δ00, intercept of SMD"].value = value
    assert (time.process_time() - start) / 40 < 0.045  # 4 ms on an idle machine


def test_the_text_is_short_and_the_same_each_time(ladder):
    assert repr(ladder) == (
        "GenerativeLadder(delta_00=-3.09, delta_01=0.743, delta_10=4.27, delta_11=-3.07, "
        "sd_intercept=0.18, sd_slope=0.265, corr=1, sd_district=0.469, zero='SMD', people=8, "
        "seed=1)"
    )


def test_as_code_keeps_the_lines_in_either_coding(ladder):
    ladder.zero = "PR"
    ladder.controls["β0, intercept of PR"].value = -2.0
    again = eval(ladder.as_code(), {"hw": hw})
    assert equal(arrays(again), arrays(ladder))
    assert again.zero == "PR"
    again.close()


def test_nothing_is_rebuilt_and_closing_frees_everything():
    before = set(_instances)
    ladder = GenerativeLadder()
    widgets = {id(widget) for widget in owned_widgets(ladder)}
    ladder.zero, ladder.corr, ladder.seed, ladder.people = "PR", 0.0, 5, 20
    assert {id(widget) for widget in owned_widgets(ladder)} == widgets
    slider = ladder.controls["σα, districts"]
    ladder.close()
    assert set(_instances) == before
    slider.value = 1.5
    assert ladder.sd_district != 1.5
