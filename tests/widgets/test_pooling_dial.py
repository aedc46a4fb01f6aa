"""The widgets without a browser: their frames to the digit, their traits, their end.

Tolerances: conditional modes at given parameters agree with lme4's at rtol 1e-6. Its conditional
variances do at 1e-5 only: lme4 takes them from the last but one step of its mode search, which
stops at 1e-7 (they miss 1/(I + 1/sigma^2) at its own modes by up to 4e-6; ours are held to that
formula at 1e-12). Score equations hold to 1e-6, the step at which the mode search stops. No
pooling is reached at sigma = infinity, so at 100 it is compared at 1e-3.
"""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from scipy import stats
from scipy.special import expit, logit
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.widgets import (
    PoolingDial,
    half_weight_size,
    imagined_frame,
    loglik_at,
    pooling_dial,
    pooling_frame,
    profile_frame,
    weight_curve,
)
from hierwidgets.widgets.parts.instrument import owned_widgets

LME4 = json.loads((REFERENCE / "seed_lme4.json").read_text())
FORMULAS = {
    "finland": ("finland", "contacted ~ 1 + (1 | district_id)"),
    "uk0": ("uk", "contacted ~ 1 + (1 | district_id)"),
    "uk1": ("uk", "contacted ~ district_competitiveness + (1 | district_id)"),
}


def fitted(name, **options):
    data, formula = FORMULAS[name]
    return hw.glmer(formula, hw.load(data), family="binomial", event="Contacted", **options)


@pytest.fixture(scope="module")
def fits():
    return {name: fitted(name) for name in FORMULAS}


@pytest.fixture
def dial(fits):
    dial = PoolingDial(fits["finland"])
    yield dial
    dial.close()


# --- the frame ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_modes_and_weights_are_those_of_lme4(fits, name):
    reference = LME4[f"{name}_tight"]
    sigma = float(np.ravel(reference["theta"])[0])
    effects = reference["ranef"]["district_id"]
    fit = fits[name]
    if name == "uk1":  # the dial turns the intercept alone; compare at the other coefficient
        fit = with_coefficients(fit, list(reference["fixef"].values()))
    frame = pooling_frame(fit, sigma, reference["fixef"]["(Intercept)"])
    frame = frame.set_index(frame["level"].str.replace("District ", ""))
    frame = frame.loc[effects["levels"]]
    modes = np.ravel(effects["modes"])
    variance = np.ravel(effects["postVar"])
    np.testing.assert_allclose(frame["estimate_link"] - frame["target_link"], modes, rtol=1e-6)
    np.testing.assert_allclose(frame["weight"], 1 - variance / sigma**2, rtol=1e-5)


def with_coefficients(fit, beta):
    return dataclasses.replace(fit, beta=np.array(beta))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("sigma", [0.05, 0.6, 4.0])
def test_estimates_solve_the_score_equation_and_weights_average(fits, name, sigma):
    frame = pooling_frame(fits[name], sigma)
    n, b = frame["n"], frame["estimate_link"] - frame["target_link"]
    p = expit(frame["estimate_link"])
    score = n * frame["raw"] - n * p
    np.testing.assert_allclose(score, b / sigma**2, atol=1e-6)
    v = 1 / (n * p * (1 - p))
    weight = sigma**2 / (sigma**2 + v)
    np.testing.assert_allclose(frame["weight"], weight, rtol=1e-12)
    working = frame["estimate_link"] + score * v
    average = weight * working + (1 - weight) * frame["target_link"]
    np.testing.assert_allclose(frame["estimate_link"], average, atol=1e-6)
    np.testing.assert_allclose(frame["estimate"], p, rtol=1e-12)


def test_counts_and_raw_rates_come_from_the_data(fits):
    data = hw.load("uk")
    by_hand = data.assign(y=data["contacted"].eq("Contacted")).groupby("district_id")["y"]
    frame = pooling_frame(fits["uk0"]).set_index("level")
    pd.testing.assert_series_equal(frame["n"], by_hand.size().astype(float), check_names=False)
    pd.testing.assert_series_equal(frame["raw"], by_hand.mean(), check_names=False)
    assert (frame.loc[frame["raw"].eq(0), "raw_link"] == -np.inf).all()
    assert (frame.loc[frame["raw"].eq(1), "raw_link"] == np.inf).all()
    inside = frame["raw"].between(0, 1, inclusive="neither")
    np.testing.assert_allclose(frame.loc[inside, "raw_link"], logit(frame.loc[inside, "raw"]))


def test_the_target_follows_the_predictor_and_mu(fits):
    fit, data = fits["uk1"], hw.load("uk")
    x = data.groupby("district_id")["district_competitiveness"].mean()
    frame = pooling_frame(fit, mu=-2.0).set_index("level")
    line = -2.0 + fit.fixef["district_competitiveness"] * x
    np.testing.assert_allclose(frame["target_link"], line.loc[frame.index], rtol=1e-10)
    np.testing.assert_allclose(frame["target"], expit(line.loc[frame.index]), rtol=1e-10)


def test_a_predictor_within_levels_gives_the_mean_over_trials():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 30), "x": rng.normal(size=180)})
    data["y"] = (rng.random(180) < expit(data["x"])).astype(int)
    fit = hw.glmer("y ~ x + (1 | g)", data)
    frame = pooling_frame(fit, sigma=0.5).set_index("level")
    line = fit.fixef["Intercept"] + fit.fixef["x"] * data.groupby("g")["x"].mean()
    np.testing.assert_allclose(frame["target_link"], line, rtol=1e-10)
    b = (frame["estimate_link"] - frame["target_link"]).loc[data["g"]].to_numpy()
    p = expit(fit.fixef["Intercept"] + fit.fixef["x"] * data["x"] + b)
    score = (data["y"] - p).groupby(data["g"]).sum()
    np.testing.assert_allclose(score, (frame["estimate_link"] - line) / 0.25, atol=1e-6)


def test_other_links_satisfy_their_own_score_equation():
    data, formula = FORMULAS["finland"]
    fit = hw.glmer(formula, hw.load(data), event="Contacted", link="probit")
    frame = pooling_frame(fit, sigma=0.3)
    eta, y = frame["estimate_link"], frame["n"] * frame["raw"]
    density = stats.norm.pdf(eta)
    up, down = density / stats.norm.cdf(eta), density / stats.norm.cdf(-eta)
    score = y * up - (frame["n"] - y) * down
    np.testing.assert_allclose(score, (eta - frame["target_link"]) / 0.3**2, atol=1e-6)
    information = frame["n"] * up * down
    np.testing.assert_allclose(frame["weight"], 0.09 / (0.09 + 1 / information), rtol=1e-9)


def test_limits_are_complete_and_no_pooling(fits):
    complete = pooling_frame(fits["finland"], sigma=0.0)
    np.testing.assert_array_equal(complete["estimate"], complete["target"])
    np.testing.assert_array_equal(complete["weight"], 0.0)
    separate = pooling_frame(fits["finland"], sigma=100.0)
    np.testing.assert_allclose(separate["estimate"], separate["raw"], atol=1e-3)
    np.testing.assert_allclose(separate["weight"], 1.0, atol=1e-3)


@pytest.mark.parametrize("n_agq", [1, 9])
def test_the_profile_peaks_at_the_fit(n_agq):
    fit = fitted("finland", n_agq=n_agq)
    sigma = np.append(np.geomspace(0.05, 2, 9), fit.theta[0])
    profile = profile_frame(fit, sigma)
    assert profile["loglik"].iloc[-1] == pytest.approx(fit.loglik, abs=1e-6)
    assert (profile["loglik"] <= fit.loglik + 1e-6).all()
    for row in profile.itertuples():
        assert loglik_at(fit, row.sigma, row.mu) == pytest.approx(row.loglik, abs=1e-8)
        assert loglik_at(fit, row.sigma, row.mu + 0.2) < row.loglik


def test_the_profile_is_the_integral_by_brute_force():
    fit = fitted("finland", n_agq=25)
    y, n = fit.design.y, fit.design.trials
    sigma, mu = 0.5, -1.3
    b, step = np.linspace(-6, 6, 4001, retstep=True)
    rows = y[:, None] * (mu + b) - n[:, None] * np.logaddexp(0, mu + b)
    integral = np.exp(rows + stats.norm.logpdf(b, scale=sigma)).sum(axis=1) * step
    assert loglik_at(fit, sigma, mu) == pytest.approx(np.log(integral).sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sigma": -1}, "sigma must be a finite number of 0 or more; -1 was given"),
        ({"sigma": "big"}, "'big' was given"),
        ({"mu": np.nan}, "mu must be a finite number; nan was given"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(fits, given, says):
    with pytest.raises(hw.DataError, match=says):
        pooling_frame(fits["finland"], **given)


# --- what a dial accepts ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "family", "says"),
    [
        ("y ~ x + (1 | g)", "poisson", "this fit is poisson"),
        ("y ~ x + (1 + x | g)", "binomial", "in this fit vary Intercept, x by g"),
        ("y ~ x + (1 | g) + (1 | h)", "binomial", "Intercept by g; Intercept by h"),
        ("y ~ 0 + x + (1 | g)", "binomial", "this fit has .'x'."),
    ],
)
def test_other_fits_are_refused_with_the_reason(formula, family, says):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 25), "h": np.tile(list("uvwxy"), 40)})
    data["x"] = rng.normal(size=200)
    data["y"] = (rng.random(200) < 0.4).astype(int)
    with pytest.raises(hw.DataError, match=says):
        PoolingDial(hw.Model(formula, data, family).maximize())


def test_what_is_no_fit_is_refused():
    with pytest.raises(hw.DataError, match="a DataFrame was given"):
        PoolingDial(hw.load("finland"))


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"sigm": 1.0}, TypeError, "does not know 'sigm'; its keywords are sigma, mu"),
        ({"sigma": 0.0}, traitlets.TraitError, "sigma must be from 0.01 to 5; 0 was given"),
        ({"sigma": float("nan")}, traitlets.TraitError, "nan was given"),
        ({"mu": 40.0}, traitlets.TraitError, "mu must be from"),
        ({"scale": "odds"}, traitlets.TraitError, "'probability', 'logit'"),
        ({"selected": "District 1"}, traitlets.TraitError, "one of the 14 levels of district_id"),
    ],
)
def test_wrong_keywords_and_values_are_refused(fits, keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        PoolingDial(fits["finland"], **keywords)
    assert set(_instances) == before


def test_a_singular_fit_starts_at_the_smallest_sigma():
    data = pd.DataFrame({"g": np.repeat(list("abcd"), 10), "y": [1, 0, 0, 0, 1] * 8})
    fit = hw.glmer("y ~ 1 + (1 | g)", data)
    assert fit.singular
    dial = PoolingDial(fit)
    assert dial.sigma == 0.01
    assert "0.00 below the best" in dial.status
    dial.close()


def pooled_points(dial):
    """The middles of the diamonds: the corners at the sides are at their height."""
    return dial._estimates.pooled.y[0::6]


def click(dial, x, y):
    """What the page sends when the upper picture is clicked at (x, y)."""
    panel = dial._estimates
    share = [
        (value - scale.min) / (scale.max - scale.min)
        for value, scale in ((x, panel.place), (y, panel.value))
    ]
    message = {"place": "hw-estimates", "x": share[0], "y": share[1]}
    dial._status._handle_custom_msg(message, [])


# --- the traits ---------------------------------------------------------------------------


def test_the_dial_starts_at_the_fit_and_snaps_back(dial, fits):
    fit = fits["finland"]
    assert (dial.sigma, dial.mu) == (fit.theta[0], fit.fixef["Intercept"])
    dial.sigma, dial.mu = 2.0, -1.0
    dial._button.click()
    assert (dial.sigma, dial.mu) == (fit.theta[0], fit.fixef["Intercept"])


def test_sliders_and_traits_move_each_other_and_the_points(dial, fits):
    dial._sigma_slider.value = 1.5
    dial._mu_slider.value = -1.0
    assert (dial.sigma, dial.mu) == (1.5, -1.0)
    frame = pooling_frame(fits["finland"], 1.5, -1.0).iloc[dial._order]
    panel = dial._estimates
    np.testing.assert_array_equal(pooled_points(dial), frame["estimate"])
    np.testing.assert_array_equal(panel.target.y, frame["target"])
    np.testing.assert_array_equal(panel.raw.y, frame["raw"])
    np.testing.assert_array_equal(panel.segments.y[0::3], frame["raw"])
    np.testing.assert_array_equal(panel.segments.y[1::3], frame["estimate"])
    np.testing.assert_array_equal(dial._here.x, [1.5, 1.5])
    assert dial._here.y[1] == loglik_at(fits["finland"], 1.5, -1.0)
    dial.sigma = 0.7
    assert dial._sigma_slider.value == 0.7


def test_dragging_rebuilds_nothing(dial):
    before = {id(widget) for widget in owned_widgets(dial)}
    for sigma in np.geomspace(0.01, 5, 25):
        dial.sigma = sigma
    dial.scale, dial.selected = "logit", "District 309"
    assert {id(widget) for widget in owned_widgets(dial)} == before


def test_levels_are_ordered_by_raw_rate(dial):
    raw = dial._estimates.raw
    assert (np.diff(raw.y) >= 0).all()
    assert raw.names[-1] == "District 309"


def test_infinite_raw_logits_sit_at_the_edge_with_their_own_marker(fits):
    dial = PoolingDial(fits["uk0"])
    raw = pooling_frame(fits["uk0"])["raw"]
    panel = dial._estimates
    assert [len(mark.x) for mark in (panel.below, panel.raw, panel.above)] == [0, 253, 0]
    dial.scale = "logit"
    counts = [len(mark.x) for mark in (panel.below, panel.raw, panel.above)]
    inside = raw.between(0, 1, inclusive="neither")
    assert counts == [raw.eq(0).sum(), inside.sum(), raw.eq(1).sum()]
    assert np.isfinite(panel.raw.y).all()
    low, high = panel.value.min, panel.value.max
    pooled = pooled_points(dial)
    assert low < panel.below.y.max() < min(panel.raw.y.min(), pooled.min())
    assert max(panel.raw.y.max(), pooled.max()) < panel.above.y.min() < high
    dial.close()


def test_the_menu_and_a_click_pick_a_level(dial):
    dial._level_menu.index = 6
    assert dial.selected == "District 309"
    ring = dial._estimates.ring
    assert ring.visible
    assert ring.y.tolist() == [dial._estimates.raw.y[-1], pooled_points(dial)[-1]]
    assert "District 309: n = 23, raw 0.435, pooled 0.268, target 0.202" in dial.status
    assert "30% of the weight" in dial.status
    click(dial, 0, dial._estimates.raw.y[0])
    assert dial.selected == "District 312"
    assert dial._level_menu.label == "District 312"
    dial._level_menu.index = 0
    assert dial.selected is None
    assert not ring.visible
    click(dial, 0, pooled_points(dial)[0] + 0.003)
    assert dial.selected == "District 312"
    click(dial, 0, 0.42)  # nothing is near
    assert dial.selected == "District 312"


def test_a_click_on_the_logit_scale_picks_the_level_under_it(fits):
    dial = PoolingDial(fits["uk0"], scale="logit")
    above = dial._estimates.above
    place = int(above.x[3])
    click(dial, above.x[3], above.y[3])
    assert dial.selected == dial._levels[dial._order[place]]
    assert pooling_frame(fits["uk0"]).set_index("level")["raw"][dial.selected] == 1
    dial.close()


def test_the_table_is_filled_when_it_is_opened(dial, fits):
    at_first = dial._table.rows
    dial.sigma = 3.0
    assert dial._table.rows == at_first
    dial._table.is_open = True
    frame = pooling_frame(fits["finland"], 3.0).set_index("level")
    row = frame.loc["District 309"]
    assert dial._table.rows[-1] == [
        "District 309", "23", *(f"{row[c]:.3f}" for c in ("raw", "estimate", "target", "weight")),
    ]  # fmt: skip


def test_pictures_have_a_text_that_follows(dial):
    before = dict(dial._status.pictures)
    assert "raw rates 0.09 to 0.43" in before["hw-estimates"]
    dial.sigma = 0.05
    assert dial._status.pictures["hw-estimates"] != before["hw-estimates"]
    assert "current sigma 0.05" in dial._status.pictures["hw-profile"]


def test_an_error_while_drawing_shows_in_the_status(dial, monkeypatch):
    def fail(*_):
        raise hw.FitError("the modes did not settle")

    with monkeypatch.context() as patch:
        patch.setattr(pooling_dial, "pooling_columns", fail)
        dial.sigma = 1.0
    assert dial.status == "This could not be drawn: the modes did not settle"
    assert dial._status.problem
    dial.sigma = 1.1
    assert dial.status.startswith("σ = 1.1")
    assert not dial._status.problem


def test_the_text_is_short_and_the_same_each_time(dial):
    text = "PoolingDial(sigma=0.31, mu=-1.37, scale='probability', selected=None)"
    assert repr(dial) == text
    bundle = dial._repr_mimebundle_()
    assert bundle["text/plain"] == text
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == dial.model_id


def test_closing_frees_every_widget_and_observer(fits):
    before = set(_instances)
    dial = PoolingDial(fits["finland"], selected="District 309")
    slider = dial._sigma_slider
    assert len(set(_instances) - before) > 20
    dial.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert dial.sigma == fits["finland"].theta[0]


def test_without_the_extra_the_error_says_what_to_install():
    code = "import sys; sys.modules['bqplot'] = None; import hierwidgets as hw; hw.widgets"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == (
        "hierwidgets.errors.MissingExtraError: The widgets need bqplot: "
        'run pip install "hierwidgets[lab]".'
    )


def test_the_package_does_not_load_the_widgets_unasked():
    code = "import sys, hierwidgets; print('bqplot' in sys.modules, 'ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


# --- shrinkage by size, and one more level ------------------------------------------------


@pytest.mark.parametrize(("y", "n"), [(3, 9), (0, 40), (12, 12), (100, 230)])
@pytest.mark.parametrize("sigma", [0.2, 1.0])
def test_an_imagined_levels_mode_is_the_highest_point(fits, y, n, sigma):
    """The mode of b by brute force: the conditional density on a fine grid."""
    row = imagined_frame(fits["finland"], y, n, sigma, -1.2).iloc[0]
    b = np.linspace(-6, 6, 2_000_001)
    density = y * (-1.2 + b) - n * np.logaddexp(0, -1.2 + b) - b**2 / (2 * sigma**2)
    assert row["estimate_link"] == pytest.approx(-1.2 + b[density.argmax()], abs=1e-5)
    assert row["target_link"] == pytest.approx(-1.2, abs=1e-12)
    p = expit(row["estimate_link"])
    information = n * p * (1 - p)
    assert row["weight"] == pytest.approx(information / (information + 1 / sigma**2), rel=1e-9)
    assert (row["level"], row["n"], row["raw"]) == ("imagined", n, y / n)


def test_a_level_of_the_data_imagined_again_has_its_own_row(fits):
    frame = pooling_frame(fits["finland"]).set_index("level")
    row = frame.loc["District 309"]
    again = imagined_frame(fits["finland"], 10, 23).iloc[0]
    for name in ("estimate", "target", "weight", "raw_link"):
        assert again[name] == pytest.approx(row[name], rel=1e-9), name


def test_an_imagined_levels_target_is_the_mean_of_the_others(fits):
    frame = pooling_frame(fits["uk1"], 0.5, -2.0)
    row = imagined_frame(fits["uk1"], 2, 5, 0.5, -2.0).iloc[0]
    assert row["target_link"] == pytest.approx(frame["target_link"].mean(), abs=1e-10)


@pytest.mark.parametrize(
    ("y", "n", "says"),
    [(5, 3, "5 of 3 given"), (0, 0, "0 of 0 given"), (-1, 3, "y must be"), (1, "x", "n must be")],
)
def test_impossible_levels_are_refused(fits, y, n, says):
    with pytest.raises(hw.DataError, match=says):
        imagined_frame(fits["finland"], y, n)


@pytest.mark.parametrize("sigma", [0.05, 0.31, 2.0])
def test_half_the_weight_is_at_the_half_weight_size(fits, sigma):
    """A level that lies on its target, with that many trials, carries one half (closed form)."""
    fit, mu = fits["finland"], -1.1
    p = expit(mu)
    half = half_weight_size(fit, sigma, mu)
    assert half == pytest.approx(1 / (sigma**2 * p * (1 - p)), rel=1e-12)
    row = imagined_frame(fit, half * p, half, sigma, mu).iloc[0]
    assert row["estimate"] == pytest.approx(p, abs=1e-9)
    assert row["weight"] == pytest.approx(0.5, abs=1e-9)
    assert weight_curve(fit, [0, half, 3 * half], sigma, mu)["weight"].tolist() == pytest.approx(
        [0, 0.5, 0.75]
    )


def test_without_spread_own_data_carry_nothing(fits):
    assert half_weight_size(fits["finland"], 0.0) == np.inf
    assert weight_curve(fits["finland"], [0, 10, 1000], 0.0)["weight"].tolist() == [0, 0, 0]


def test_the_curve_is_the_weight_of_levels_on_their_target(fits):
    sizes = np.array([1.0, 7.0, 300.0])
    curve = weight_curve(fits["uk0"], sizes, 0.7, -0.5)["weight"]
    p = expit(-0.5)
    rows = [imagined_frame(fits["uk0"], n * p, n, 0.7, -0.5)["weight"].item() for n in sizes]
    np.testing.assert_allclose(curve, rows, rtol=1e-8)


def test_another_link_has_its_own_information():
    data, formula = FORMULAS["finland"]
    fit = hw.glmer(formula, hw.load(data), event="Contacted", link="probit")
    mu = fit.fixef["Intercept"]
    density, p = stats.norm.pdf(mu), stats.norm.cdf(mu)
    information = density**2 / (p * (1 - p))
    assert half_weight_size(fit, 0.4) == pytest.approx(1 / (0.16 * information), rel=1e-9)


def test_typed_counts_make_the_imagined_level(dial, fits):
    panel = dial._estimates
    end = panel.place.max
    dial._y_box.value = 3
    assert dial.imagined is None  # one number is not enough
    dial._n_box.value = 9
    assert dial.imagined == (3.0, 9.0)
    row = imagined_frame(fits["finland"], 3, 9).iloc[0]
    assert panel.extra_pooled.visible
    assert panel.extra_pooled.y.tolist() == [row["estimate"]]
    assert panel.extra_raw.y.tolist() == [3 / 9]
    assert panel.place.max > end
    assert dial._weights.extra.y.tolist() == [row["weight"]]
    assert "imagined: n = 9, raw 0.333" in dial.status
    assert "imagined: n = 9" in dial._status.pictures["hw-estimates"]
    dial._table.is_open = True
    assert dial._table.rows[-1][:2] == ["imagined", "9"]
    dial.sigma = 2.0
    row = imagined_frame(fits["finland"], 3, 9, 2.0).iloc[0]
    assert panel.extra_pooled.y.tolist() == [row["estimate"]]
    dial._n_box.value = None
    assert dial.imagined is None
    assert not panel.extra_pooled.visible
    assert panel.place.max == end


def test_more_events_than_trials_are_taken_away_with_the_reason(dial):
    dial._y_box.value, dial._n_box.value = 3, 9
    dial._y_box.value = 11
    assert dial.imagined is None
    assert dial.status == (
        "This could not be drawn: 11 events cannot be in 9 trials: y is at most n"
    )
    dial.imagined = (4, 20)
    assert (dial._y_box.value, dial._n_box.value) == (4, 20)
    assert not dial._status.problem


def test_a_click_in_the_weights_picks_the_level(dial):
    sizes = dial._weights._sizes
    row = dial._levels.index("District 309")
    weight = pooling_frame(dial._fit)["weight"][row]
    click_weight(dial, sizes[row], weight)
    assert dial.selected == "District 309"
    assert dial._weights.ring.x.tolist() == [23]
    assert dial._weights.ring.y.tolist() == [weight]
    click_weight(dial, sizes.max(), 0.02)  # nothing is near
    assert dial.selected == "District 309"


def test_levels_at_one_place_are_picked_in_turn(fits):
    dial = PoolingDial(fits["uk0"])
    frame = pooling_frame(fits["uk0"])
    alike = frame.index[(frame["n"] == 1) & (frame["raw"] == 0)].tolist()
    assert len(alike) > 1
    seen = set()
    for _ in alike:
        click_weight(dial, 1.0, frame["weight"][alike[0]])
        seen.add(dial.selected)
    assert len(seen) > 1
    dial.close()


def click_weight(dial, n, weight):
    """What the page sends when the picture of weights is clicked at (n, weight)."""
    scale = dial._weights._size
    x = (n - scale.min) / (scale.max - scale.min)
    message = {"place": "hw-weights", "x": x, "y": (weight + 0.05) / 1.1}
    dial._status._handle_custom_msg(message, [])


def test_sizes_far_apart_are_drawn_on_a_log_scale():
    rng = np.random.default_rng(8)
    sizes = np.array([2, 5, 20, 80, 300, 900])
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), sizes)})
    data["y"] = (rng.random(len(data)) < np.repeat(rng.uniform(0.2, 0.6, 6), sizes)).astype(int)
    dial = PoolingDial(hw.glmer("y ~ 1 + (1 | g)", data), sigma=0.5)
    panel = dial._weights
    middles = panel.points.x[1::6]
    np.testing.assert_allclose(sorted(middles), sizes)
    low, high = np.log10([panel._size.min, panel._size.max])
    message = {"place": "hw-weights", "x": (np.log10(300) - low) / (high - low)}
    message["y"] = (pooling_frame(dial._fit, 0.5)["weight"][4] + 0.05) / 1.1
    dial._status._handle_custom_msg(message, [])
    assert dial.selected == "e"
    dial.close()
