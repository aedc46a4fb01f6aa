"""The pooling dial without a browser: its traits, its marks, its words, its end."""

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from support.page import click, status_line

import hierwidgets as hw
from hierwidgets.widgets import (
    PoolingDial,
    imagined_frame,
    loglik_at,
    pooling_dial,
    pooling_frame,
)
from hierwidgets.widgets.numbers.pooling import half_weight_size
from hierwidgets.widgets.numbers.words import three_digits
from hierwidgets.widgets.parts.instrument import owned_widgets

Y, N = "imagine one more district: y contacted", "of n respondents"
FORMULAS = {
    "finland": ("finland", "contacted ~ 1 + (1 | district_id)"),
    "uk0": ("uk", "contacted ~ 1 + (1 | district_id)"),
}


@pytest.fixture(scope="module")
def fits():
    return {
        name: hw.glmer(formula, hw.load(data), event="Contacted")
        for name, (data, formula) in FORMULAS.items()
    }


@pytest.fixture
def dial(fits):
    dial = PoolingDial(fits["finland"])
    yield dial
    dial.close()


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
    return dial.estimates.pooled.y[0::6]


def click_estimate(dial, x, y):
    """A click in the upper picture at (x, y)."""
    panel = dial.estimates
    across, up = (
        (value - scale.min) / (scale.max - scale.min)
        for value, scale in ((x, panel.place), (y, panel.value))
    )
    click(dial, "hw-estimates", across, up)


# --- the traits ---------------------------------------------------------------------------


def test_the_dial_starts_at_the_fit_and_snaps_back(dial, fits):
    fit = fits["finland"]
    assert (dial.sigma, dial.mu) == (fit.theta[0], fit.fixef["Intercept"])
    dial.sigma, dial.mu = 2.0, -1.0
    dial.controls["Snap to the fit"].click()
    assert (dial.sigma, dial.mu) == (fit.theta[0], fit.fixef["Intercept"])


def test_sliders_and_traits_move_each_other_and_the_points(dial, fits):
    dial.controls["σ, spread"].value = 1.5
    dial.controls["μ, centre"].value = -1.0
    assert (dial.sigma, dial.mu) == (1.5, -1.0)
    frame = pooling_frame(fits["finland"], 1.5, -1.0).set_index("level").loc[dial.estimates.names]
    panel = dial.estimates
    np.testing.assert_array_equal(pooled_points(dial), frame["estimate"])
    np.testing.assert_array_equal(panel.target.y, frame["target"])
    np.testing.assert_array_equal(panel.raw.y, frame["raw"])
    np.testing.assert_array_equal(panel.segments.y[0::3], frame["raw"])
    np.testing.assert_array_equal(panel.segments.y[1::3], frame["estimate"])
    np.testing.assert_array_equal(dial.profile.here.x, [1.5, 1.5])
    assert dial.profile.here.y[1] == loglik_at(fits["finland"], 1.5, -1.0)
    dial.sigma = 0.7
    assert dial.controls["σ, spread"].value == 0.7


def test_dragging_rebuilds_nothing(dial):
    before = {id(widget) for widget in owned_widgets(dial)}
    for sigma in np.geomspace(0.01, 5, 25):
        dial.sigma = sigma
    dial.scale, dial.selected = "logit", "District 309"
    assert {id(widget) for widget in owned_widgets(dial)} == before


def test_levels_are_ordered_by_raw_rate(dial):
    raw = dial.estimates.raw
    assert (np.diff(raw.y) >= 0).all()
    assert raw.names[-1] == "District 309"


def test_infinite_raw_logits_sit_at_the_edge_with_their_own_marker(fits):
    dial = PoolingDial(fits["uk0"])
    raw = pooling_frame(fits["uk0"])["raw"]
    panel = dial.estimates
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
    dial.controls["district"].index = 6
    assert dial.selected == "District 309"
    ring = dial.estimates.ring
    assert ring.visible
    assert ring.y.tolist() == [dial.estimates.raw.y[-1], pooled_points(dial)[-1]]
    assert "District 309: n = 23, raw 0.435, pooled 0.268, target 0.202" in dial.status
    assert "30% of the weight" in dial.status
    click_estimate(dial, 0, dial.estimates.raw.y[0])
    assert dial.selected == "District 312"
    assert dial.controls["district"].label == "District 312"
    dial.controls["district"].index = 0
    assert dial.selected is None
    assert not ring.visible
    click_estimate(dial, 0, pooled_points(dial)[0] + 0.003)
    assert dial.selected == "District 312"
    click_estimate(dial, 0, 0.42)  # nothing is near
    assert dial.selected == "District 312"


def test_a_click_on_the_logit_scale_picks_the_level_under_it(fits):
    dial = PoolingDial(fits["uk0"], scale="logit")
    above = dial.estimates.above
    place = int(above.x[3])
    click_estimate(dial, above.x[3], above.y[3])
    assert dial.selected == dial.estimates.names[place]
    assert pooling_frame(fits["uk0"]).set_index("level")["raw"][dial.selected] == 1
    dial.close()


def test_the_table_is_filled_when_it_is_opened(dial, fits):
    at_first = dial.table.rows
    dial.sigma = 3.0
    assert dial.table.rows == at_first
    dial.table.is_open = True
    frame = pooling_frame(fits["finland"], 3.0).set_index("level")
    row = frame.loc["District 309"]
    assert dial.table.rows[-1] == [
        "District 309", "23", *(f"{row[c]:.3f}" for c in ("raw", "estimate", "target", "weight")),
    ]  # fmt: skip


def test_pictures_have_a_text_that_follows(dial):
    before = dict(dial.text_alternatives)
    assert "raw rates 0.09 to 0.43" in before["hw-estimates"]
    dial.sigma = 0.05
    assert dial.text_alternatives["hw-estimates"] != before["hw-estimates"]
    assert "current sigma 0.05" in dial.text_alternatives["hw-profile"]


def test_an_error_while_drawing_shows_in_the_status(dial, monkeypatch):
    def fail(*_):
        raise hw.FitError("the modes did not settle")

    with monkeypatch.context() as patch:
        patch.setattr(pooling_dial, "pooling_columns", fail)
        dial.sigma = 1.0
    assert dial.status == "This could not be drawn: the modes did not settle"
    assert status_line(dial).problem
    dial.sigma = 1.1
    assert dial.status.startswith("σ = 1.1")
    assert not status_line(dial).problem


def test_the_text_is_short_and_the_same_each_time(dial):
    text = "PoolingDial(sigma=0.31, mu=-1.37, scale='probability', selected=None)"
    assert repr(dial) == text
    bundle = dial._repr_mimebundle_()
    assert bundle["text/plain"] == text
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == dial.model_id


def test_the_marker_of_sigma_is_never_lost(dial):
    for sigma in (0.01, 0.31, 5.0):
        dial.sigma = sigma
        here = dial.profile.here
        low, high = here.scales["y"].min, here.scales["y"].max
        assert low < here.y[1] < high
    assert here.marker == "triangle-down"  # the log-likelihood itself is off the picture
    dial.snap()
    assert here.marker == "diamond"


def test_the_interval_and_complete_pooling_are_shown(dial, fits):
    found = fits["finland"].confint(0.9, parameters="sd Intercept | district_id", progress=False)
    low, high = found.loc[0, ["conf_low", "conf_high"]]
    assert (dial.profile.interval.x[0], dial.profile.interval.x[1]) == (low, high)
    assert "90 % interval 0.09 to 0.58" in dial.text_alternatives["hw-profile"]
    data = hw.load("finland")
    rate = (data["contacted"] == "Contacted").mean()
    np.testing.assert_allclose(dial.estimates.overall.y, rate)
    dial.scale = "logit"
    np.testing.assert_allclose(dial.estimates.overall.y, np.log(rate / (1 - rate)))
    assert (dial.estimates.overall.line_style, dial.estimates.overall.marker) == (
        "dotted",
        "square",
    )


def test_numbers_are_written_out(dial):
    dial.sigma, dial.selected = 0.01, "District 309"
    assert "one half at n = 62,0" in dial.status or "one half at n = 61," in dial.status
    assert "e+" not in dial.status


def test_where_the_weight_is_one_half_is_told_of_ones_own_district_alone(fits):
    """Lecture 2 asks for it; a dial turned before then does not answer."""
    dial = PoolingDial(fits["finland"])
    size = half_weight_size(fits["finland"], dial.sigma, dial.mu)
    half = f"one half at n = {three_digits(size)}."
    everything = [dial.status, *dial.text_alternatives.values()]
    assert not any(three_digits(size) in text or "one half" in text for text in everything)
    dial.selected = "District 309"
    assert half in dial.status
    assert half in dial.text_alternatives["hw-weights"]
    dial.selected, dial.imagined = None, (1, 2)
    assert half in dial.status
    dial.close()


def test_closing_frees_every_widget_and_observer(fits):
    before = set(_instances)
    dial = PoolingDial(fits["finland"], selected="District 309")
    slider = dial.controls["σ, spread"]
    assert len(set(_instances) - before) > 20
    dial.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert dial.sigma == fits["finland"].theta[0]


def key_of(dial):
    return dial._key.value


def test_typed_counts_make_the_imagined_level(dial, fits):
    panel = dial.estimates
    end = panel.place.max
    dial.controls[Y].value = 3
    assert dial.imagined is None  # one number is not enough
    assert ">imagined<" not in key_of(dial)
    dial.controls[N].value = 9
    assert dial.imagined == (3.0, 9.0)
    assert ">imagined<" in key_of(dial)
    row = imagined_frame(fits["finland"], 3, 9).iloc[0]
    assert panel.extra_pooled.visible
    assert panel.extra_pooled.y.tolist() == [row["estimate"]]
    assert panel.extra_raw.y.tolist() == [3 / 9]
    assert panel.place.max > end
    assert dial.weights.extra.y.tolist() == [row["weight"]]
    assert "imagined: n = 9, raw 0.333" in dial.status
    assert "imagined: n = 9" in dial.text_alternatives["hw-estimates"]
    dial.table.is_open = True
    assert dial.table.rows[-1][:2] == ["imagined", "9"]
    dial.sigma = 2.0
    row = imagined_frame(fits["finland"], 3, 9, 2.0).iloc[0]
    assert panel.extra_pooled.y.tolist() == [row["estimate"]]
    dial.controls[N].value = None
    assert dial.imagined is None
    assert not panel.extra_pooled.visible
    assert panel.place.max == end


def test_more_events_than_trials_are_taken_away_with_the_reason(dial):
    dial.controls[Y].value, dial.controls[N].value = 3, 9
    dial.controls[Y].value = 11
    assert dial.imagined is None
    assert dial.status == (
        "This could not be drawn: 11 contacted of 9 respondents cannot be: y is at most n"
    )
    dial.imagined = (4, 20)
    assert (dial.controls[Y].value, dial.controls[N].value) == (4, 20)
    assert not status_line(dial).problem


def test_a_click_in_the_weights_picks_the_level(dial, fits):
    frame = pooling_frame(fits["finland"]).set_index("level")
    n, weight = frame.loc["District 309", ["n", "weight"]]
    click_weight(dial, n, weight)
    assert dial.selected == "District 309"
    assert dial.weights.ring.x.tolist() == [23]
    assert dial.weights.ring.y.tolist() == [weight]
    click_weight(dial, frame["n"].max(), 0.02)  # nothing is near
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
    """A click in the picture of weights at (n, weight)."""
    scale = dial.weights.size
    x = (n - scale.min) / (scale.max - scale.min)
    click(dial, "hw-weights", x, (weight + 0.05) / 1.1)


def test_sizes_far_apart_are_drawn_on_a_log_scale():
    rng = np.random.default_rng(8)
    sizes = np.array([2, 5, 20, 80, 300, 900])
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), sizes)})
    data["y"] = (rng.random(len(data)) < np.repeat(rng.uniform(0.2, 0.6, 6), sizes)).astype(int)
    fit = hw.glmer("y ~ 1 + (1 | g)", data)
    dial = PoolingDial(fit, sigma=0.5)
    scale = dial.weights.size
    middles = dial.weights.points.x[1::6]
    np.testing.assert_allclose(sorted(middles), sizes)
    low, high = np.log10([scale.min, scale.max])
    weight = pooling_frame(fit, 0.5)["weight"][4]
    click(dial, "hw-weights", (np.log10(300) - low) / (high - low), (weight + 0.05) / 1.1)
    assert dial.selected == "e"
    dial.close()


def test_it_speaks_the_words_it_is_given(fits):
    words = hw.widgets.Words(level="riding", event="called", trials="voters")
    dial = PoolingDial(fits["finland"], words=words, imagined=(5, 9))
    assert {"riding", "imagine one more riding: y called", "of n voters"} <= set(dial.controls)
    assert dial.table.columns[0] == "riding"
    assert dial.text_alternatives["hw-estimates"].startswith("14 ridings: raw rates")
    assert "Weight of each riding's own data" in dial.text_alternatives["hw-weights"]
    assert dial.weights.figure.axes[0].label == "n, voters"
    assert (
        "words=hw.widgets.Words(level='riding', event='called', trials='voters'" in dial.as_code()
    )
    dial.close()


def test_no_word_has_an_underscore(fits):
    dial = PoolingDial(fits["finland"])
    said = [dial.status, *dial.text_alternatives.values(), *dial.controls, *dial.table.columns]
    assert not any("_" in text for text in said)
    assert "district" in dial.controls
    dial.close()
