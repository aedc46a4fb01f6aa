"""Prior times likelihood without a browser: its traits, its marks, its words, errors, the end."""

import time

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances

import hierwidgets as hw
from hierwidgets.widgets import (
    PriorTimesLikelihood,
    prior_times_likelihood,
    shrinkage_curves,
    shrinkage_frame,
)
from hierwidgets.widgets.parts.instrument import owned_widgets

X = "district_competitiveness"


@pytest.fixture(scope="module")
def finland():
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")


@pytest.fixture(scope="module")
def uk():
    return hw.glmer(f"contacted ~ {X} + (1 | district_id)", hw.load("uk"), event="Contacted")


@pytest.fixture
def shown(finland):
    instrument = PriorTimesLikelihood(finland)
    yield instrument
    instrument.close()


# --- what is refused ----------------------------------------------------------------------


def test_other_fits_are_refused_with_the_reason(finland):
    with pytest.raises(hw.DataError, match="a DataFrame was given"):
        PriorTimesLikelihood(hw.load("finland"))
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 25), "y": rng.poisson(2, 200)})
    with pytest.raises(hw.DataError, match="this fit is poisson"):
        PriorTimesLikelihood(hw.glmer("y ~ 1 + (1 | g)", data, family="poisson"))


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"sigm": 1.0}, TypeError, "does not know 'sigm'; its keywords are level, mu"),
        ({"level": "District 1"}, traitlets.TraitError, "one of the 14 levels of district_id"),
        ({"sigma": 0.0}, traitlets.TraitError, "sigma must be from 0.01 to 5; 0 was given"),
        ({"mu": float("nan")}, traitlets.TraitError, "nan was given"),
        ({"n": 2000}, traitlets.TraitError, "n must be from 1 to 358; 2000 was given"),
        ({"y": 24}, traitlets.TraitError, "y must be from 0 to 23; 24 was given"),
        ({"multiplier": 20}, traitlets.TraitError, "multiplier must be from 0.25 to 16"),
        ({"scale": "odds"}, traitlets.TraitError, "'probability', 'logit'"),
    ],
)
def test_wrong_keywords_and_values_are_refused(finland, keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        PriorTimesLikelihood(finland, **keywords)
    assert set(_instances) == before


# --- the traits and the marks -------------------------------------------------------------


def test_it_starts_at_the_data_and_the_fit_and_comes_back(shown, finland):
    fitted = (float(finland.fixef["Intercept"]), float(finland.theta[0]))
    assert (shown.level, shown.y, shown.n) == ("District 309", 10, 23)
    assert (shown.mu, shown.sigma, shown.multiplier) == (*fitted, 1)
    shown.mu, shown.sigma, shown.n, shown.multiplier = 0, 2, 5, 4
    assert shown.y == 5  # it never exceeds n
    shown.controls["Back to data and fit"].click()
    assert (shown.mu, shown.sigma, shown.n, shown.y) == (*fitted, 23, 10)
    assert shown.status.startswith("District 309: y = 10, n = 23, raw rate 0.435. Posterior: mode ")


def test_sliders_and_traits_move_each_other_and_the_curves(shown, finland):
    shown.controls["μ, prior centre"].value, shown.controls["σ, prior spread"].value = -1.0, 0.8
    shown.controls["n, respondents"].value, shown.controls["y, contacted"].value = 40, 30
    shown.controls["both times"].value, shown.controls["Scale"].value = 2.0, "logit"
    state = {"mu": -1.0, "sigma": 0.8, "n": 40, "y": 30, "multiplier": 2.0, "scale": "logit"}
    assert {name: getattr(shown, name) for name in state} == state
    curves = shrinkage_curves(finland, "District 309", **state)
    frame = shrinkage_frame(finland, "District 309", **state)
    inner = curves["at"].between(-4 + 0.07, 3 - 0.07)  # the axis reaches one beyond logit .75
    top = curves.loc[inner, ["prior", "likelihood", "posterior"]].max(axis=None)
    for name in ("prior", "likelihood", "posterior"):
        np.testing.assert_array_equal(shown.curves.lines[name].x, curves["at"])
        np.testing.assert_allclose(shown.curves.lines[name].y, np.minimum(curves[name] / top, 1.06))
    np.testing.assert_allclose(shown.curves.modes.x, frame["mode"])
    np.testing.assert_allclose(shown.curves.means.x, frame["mean"].dropna())
    np.testing.assert_allclose(shown.curves.bars.x, frame[["conf_low", "conf_high"]].dropna())
    shown.sigma = 0.5
    assert shown.controls["σ, prior spread"].value == 0.5


def test_the_worth_of_a_narrow_prior_is_written_in_full(shown):
    assert shown.status.endswith(
        "own data carry 30% of the weight, the prior is worth 64.5 respondents."
    )
    shown.sigma = 0.01
    assert shown.status.endswith("0% of the weight, the prior is worth 62,000 respondents.")


def test_a_new_level_brings_its_counts(shown):
    shown.multiplier = 4
    shown.controls["district"].label = "District 310"
    assert (shown.level, shown.y, shown.n) == ("District 310", 29, 179)
    assert shown.controls["y, contacted"].max == 179
    assert shown.multiplier == 4
    assert "(29 and 179, × 4)" in shown.status


def test_the_switch_adds_the_plug_in_posterior(shown, finland):
    assert not shown.curves.lines["plug-in posterior"].visible
    assert len(shown.curves.row_axis.tick_values) == 3
    shown.controls["full Bayes: average over μ, σ"].value = True
    assert shown.full_bayes
    assert shown.curves.lines["plug-in posterior"].visible
    assert [shown.curves.row_axis.tick_labels[at] for at in shown.curves.row_axis.tick_values] == [
        "prior", "likelihood", "posterior", "plug-in",
    ]  # fmt: skip
    frame = shrinkage_frame(finland, "District 309", full_bayes=True).set_index("curve")
    np.testing.assert_allclose(shown.curves.modes.x, frame["mode"])
    assert f"Full Bayes posterior: mode {frame.loc['posterior', 'mode']:.3f}" in shown.status
    assert "Plug-in posterior: mode 0.262" in shown.status
    before = shown.curves.lines["posterior"].y.copy()
    shown.mu = -0.5  # moves the plug-in alone
    np.testing.assert_allclose(shown.curves.lines["posterior"].y.max() > 0, True)
    after = shrinkage_frame(finland, "District 309", full_bayes=True, mu=-0.5).set_index("curve")
    assert after.loc["posterior", "mode"] == frame.loc["posterior", "mode"]
    assert after.loc["plug-in posterior", "mode"] > frame.loc["plug-in posterior", "mode"]
    assert len(before) > 0
    shown.controls["full Bayes: average over μ, σ"].value = False
    assert not shown.curves.lines["plug-in posterior"].visible


def test_the_ends_of_the_axis_have_room_for_a_mark(finland):
    shown = PriorTimesLikelihood(finland, n=5, y=0)
    assert shown.curves.place.min < 0 < 1 < shown.curves.place.max
    assert shown.curves.modes.x[1] == 0
    shown.scale = "logit"  # the raw logit is minus infinity
    assert len(shown.curves.modes.x) == 2
    shown.close()


def test_the_centre_is_called_intercept_where_predictors_move_it(shown, uk):
    other = PriorTimesLikelihood(uk)
    assert "μ, prior centre" in shown.controls
    assert "μ, intercept" in other.controls
    other.close()


def test_any_frame_works():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"school": np.repeat([3, 1, 2, 7], [4, 30, 20, 50])})
    data["passed"] = rng.random(len(data)) < 0.4
    fit = hw.glmer("passed ~ 1 + (1 | school)", data)
    shown = PriorTimesLikelihood(fit, 7, sigma=0.5)
    own = data.loc[data["school"] == 7, "passed"]
    assert (shown.y, shown.n) == (own.sum(), 50)
    assert shown.status.startswith(f"7: y = {own.sum()}, n = 50")
    shown.close()


def test_the_table_is_filled_when_it_is_opened(shown, finland):
    at_first = shown.table.rows
    shown.sigma = 1.0
    assert shown.table.rows == at_first
    shown.table.is_open = True
    row = shrinkage_frame(finland, "District 309", sigma=1.0).set_index("curve").loc["posterior"]
    columns = ("mode", "mean", "conf_low", "conf_high")
    assert shown.table.rows[2] == ["posterior", *(f"{row[c]:.3f}" for c in columns)]
    assert shown.table.rows[1] == ["likelihood", "0.435", "–", "–", "–"]


def test_pictures_have_a_text_that_follows(shown):
    before = shown.text_alternatives["hw-curves"]
    assert before.startswith("Curves of District 309 on the probability scale.")
    assert "highest at the raw rate 0.435" in before
    shown.sigma = 1.0
    assert "normal with mu -1.37 and sigma 1" in shown.text_alternatives["hw-curves"]


def test_an_error_while_drawing_shows_in_the_status(shown, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(prior_times_likelihood, "shrinkage", fail)
        shown.sigma = 1.0
    assert shown.status == "This could not be drawn: no luck"
    shown.sigma = 1.1
    assert shown.status.startswith("District 309: y = 10")


def test_253_levels_are_redrawn_quickly(uk):
    shown = PriorTimesLikelihood(uk)
    sigmas = np.geomspace(0.05, 4, 30)
    start = time.perf_counter()
    for sigma in sigmas:
        shown.sigma = sigma
    assert (time.perf_counter() - start) / 30 < 0.030  # 4 ms on an idle machine
    shown.close()


def test_the_text_is_short_and_the_same_each_time(shown):
    assert repr(shown) == (
        "PriorTimesLikelihood(level='District 309', mu=-1.37, sigma=0.31, n=23, y=10, "
        "multiplier=1, scale='probability', full_bayes=False)"
    )


def test_nothing_is_rebuilt_and_closing_frees_everything(finland):
    before = set(_instances)
    shown = PriorTimesLikelihood(finland)
    widgets = {id(widget) for widget in owned_widgets(shown)}
    shown.full_bayes, shown.level, shown.scale = True, "District 304", "logit"
    shown.multiplier, shown.n = 0.25, 3
    assert {id(widget) for widget in owned_widgets(shown)} == widgets
    slider = shown.controls["σ, prior spread"]
    shown.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert shown.sigma == pytest.approx(0.31, abs=0.01)


def test_it_speaks_the_words_it_is_given(finland):
    words = {"level": "riding", "event": "called", "trials": "voters"}
    shown = PriorTimesLikelihood(finland, words=words)
    assert {"riding", "n, voters", "y, called"} <= set(shown.controls)
    assert shown.status.endswith("the prior is worth 64.5 voters.")
    shown.close()
