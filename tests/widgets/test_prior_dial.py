"""The prior dial without a browser: its traits, its marks, its words, new draws, the end."""

import asyncio
import time

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances

import hierwidgets as hw
from hierwidgets.priors import half_normal, uniform
from hierwidgets.widgets import PriorDial, prior_dial, reweighted_frame
from hierwidgets.widgets.numbers.prior_dial.weighted import Sample
from hierwidgets.widgets.parts.instrument import owned_widgets

SD = "sd Intercept | district_id"
X = "district_competitiveness"


@pytest.fixture(scope="module")
def finland():
    return hw.load_posterior("finland")


@pytest.fixture(scope="module")
def uk():
    return hw.load_posterior("uk_competitiveness")


@pytest.fixture
def dial(finland):
    instrument = PriorDial(finland)
    yield instrument
    instrument.close()


# --- what is refused ----------------------------------------------------------------------


def test_only_posteriors_are_taken():
    with pytest.raises(hw.DataError, match=r"takes a posterior, .* a DataFrame was given"):
        PriorDial(hw.load("finland"))
    model = hw.Model("contacted ~ 1 + (1 | district_id)", hw.load("finland"), "binomial",
                     event="Contacted")  # fmt: skip
    with pytest.raises(hw.DataError, match="these are from the prior"):
        PriorDial(model.sample_prior(50, seed=1))


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"sd_scal": 1.0}, TypeError, "does not know 'sd_scal'; its keywords are sd_shape, sd_sc"),
        ({"sd_shape": "normal"}, traitlets.TraitError, "sd_shape must be one of .'flat', 'half-n"),
        ({"sd_scale": 0.0}, traitlets.TraitError, "sd_scale must be from 0.05 to 25; 0 was given"),
        ({"coefficient_scale": float("nan")}, traitlets.TraitError, "nan was given"),
        ({"eta": 100}, traitlets.TraitError, "eta must be from 0.2 to 50; 100 was given"),
        ({"parameter": "sigma"}, traitlets.TraitError, "parameter must be one of .'Intercept'"),
        ({"quantity": "odds"}, traitlets.TraitError, "quantity must be one of .'share contacted"),
        ({"level": "District 1"}, traitlets.TraitError, "one of the 14 levels of district_id"),
    ],
)
def test_wrong_keywords_and_values_are_refused(finland, keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        PriorDial(finland, **keywords)
    assert set(_instances) == before


# --- the traits and the marks -------------------------------------------------------------


def test_it_starts_as_drawn_and_comes_back(dial):
    assert (dial.sd_shape, dial.sd_scale) == ("half-t, 3 df", 2.5)
    assert (dial.coefficient_shape, dial.coefficient_scale) == ("t, 3 df", 2.5)
    assert (dial.parameter, dial.level) == (SD, "District 309")
    at_first = dial.status
    assert at_first.endswith("As drawn: 10,000 draws.")
    np.testing.assert_allclose(dial.upper.lines["posterior"].y, dial.upper.lines["as drawn"].y)
    dial.sd_shape, dial.sd_scale, dial.coefficient_scale = "half-normal", 0.2, 1.0
    assert "By weights, worth " in dial.status
    dial.controls["Back to the priors as drawn"].click()
    assert dial.status == at_first
    assert (dial.sd_shape, dial.sd_scale, dial.coefficient_scale) == ("half-t, 3 df", 2.5, 2.5)


def test_controls_and_traits_move_each_other_and_the_picture(dial, finland):
    dial.controls["sds, prior"].value, dial.controls["sds, scale"].value = "half-normal", 0.3
    assert (dial.sd_shape, dial.sd_scale) == ("half-normal", 0.3)
    row = reweighted_frame(finland, hw.Priors(sd=half_normal(0.3))).set_index("parameter").loc[SD]
    bars, middles = dial.upper.bars, dial.upper.middles
    np.testing.assert_allclose(bars["posterior"].x, row[["conf_low", "conf_high"]].astype(float))
    np.testing.assert_allclose(bars["prior"].x, row[["prior_low", "prior_high"]].astype(float))
    np.testing.assert_allclose(middles["posterior"].x, [row["estimate"]])
    np.testing.assert_allclose(middles["as drawn"].x, [row["drawn"]])
    assert f"{SD}: mean {row['estimate']:.3f}, 90 % interval {row['conf_low']:.3f}" in dial.status
    assert dial.upper.lines["posterior"].y.argmax() < dial.upper.lines["as drawn"].y.argmax()
    before = dial.lower.middles["posterior"].x[0]
    dial.controls["sds, scale"].value = 0.1
    assert dial.lower.middles["posterior"].x[0] < before  # 309 is drawn to the others
    dial.sd_scale = 0.5
    assert dial.controls["sds, scale"].value == 0.5


def test_a_step_reads_only_what_it_changes(dial, monkeypatch):
    """The draws as they are, their order and their curve are those of the last step."""
    read = {"density": 0, "mean": 0}
    for name in ("density", "mean"):
        plain = getattr(Sample, name)

        def count(*given, plain=plain, name=name, **more):
            read[name] += 1
            return plain(*given, **more)

        monkeypatch.setattr(Sample, name, count)
    dial.sd_scale = 2.0
    assert read["mean"] == 2  # the posterior's, in two pictures; the prior is told by its median
    assert read["density"] == 3  # and of the lower one's prior, which is drawn
    drawn = dial.upper.lines["as drawn"].y
    dial.parameter = "Intercept"
    dial.parameter = SD
    np.testing.assert_array_equal(dial.upper.lines["as drawn"].y, drawn)


def test_a_flat_prior_has_no_scale_to_turn(dial):
    slider = dial.controls["sds, scale"]
    dial.sd_shape = "flat"
    assert slider.layout.visibility == "hidden"
    assert np.ptp(dial.upper.lines["prior"].y) == 0
    assert not dial.upper.bars["prior"].visible
    assert not dial.lower.lines["prior"].visible
    assert "No prior: one it is made of is flat" in dial.lower.caption.value
    dial.sd_shape = "exponential"
    assert slider.layout.visibility == "visible"
    assert dial.lower.lines["prior"].visible


def test_the_level_is_chosen_where_a_group_is_shown(dial):
    menu = dial.controls["district_id"]
    assert menu.layout.visibility == "visible"
    menu.index = 3
    assert f"in {dial.level}: mean" in dial.status
    assert dial.level in dial.lower.caption.value
    dial.controls["Below"].value = "Intercept"
    assert menu.layout.visibility == "hidden"
    assert dial.level == dial._levels[3]  # and is kept
    dial.controls["Above"].value = "Intercept"
    assert dial.status.count("Intercept: mean") == 1


def test_predictors_and_correlations_have_their_controls():
    dial = PriorDial(hw.load_posterior("rainey2015"))
    assert {"coefficients, prior", "coefficients, scale", "correlation, η"} <= set(dial.controls)
    assert dial.quantity.startswith("change in share contacted, district_competitiven")
    dial.parameter = f"corr Intercept, {X} | election_id"
    assert (dial.upper.lines["prior"].x[0], dial.upper.lines["prior"].x[-1]) == (-1, 1)
    dial.controls["correlation, η"].value = 4.0
    assert dial.eta == 4
    low, high = dial.upper.bars["posterior"].x
    was = dial.upper.bars["as drawn"].x
    assert high - low < was[1] - was[0]
    dial.close()


def test_a_prior_of_another_shape_is_kept_until_it_is_turned(finland):
    own = hw.Posterior(
        finland.design, finland.family, hw.Priors(sd=uniform(0, 100)), finland.draws
    )  # fmt: skip
    dial = PriorDial(own)
    assert dial.sd_shape == "as drawn"
    assert "as drawn" in dial.controls["sds, prior"].options
    assert dial.status.endswith("As drawn: 10,000 draws.")
    dial.sd_shape = "half-normal"  # reaches beyond 100: no draws there
    assert dial.status.endswith("Drawn anew under these priors: 4,000 draws.")
    dial.close()


def test_any_model_works():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"school": np.repeat(np.arange(12), 10)})
    data["score"] = rng.normal(size=12)[data["school"]] + rng.normal(size=120)
    post = hw.Model("score ~ 1 + (1 | school)", data).sample(
        seed=1, draws=500, method="importance", progress=False
    )
    dial = PriorDial(post)
    assert "expected score in " in dial.status
    dial.sd_shape, dial.sd_scale = "half-normal", 1.0
    assert "By weights" in dial.status
    dial.parameter = "sigma"
    assert dial.upper.lines["prior"].visible
    dial.close()


# --- new draws ----------------------------------------------------------------------------


def test_beyond_the_weights_new_draws_are_taken(uk):
    dial = PriorDial(uk)
    dial.parameter = X
    dial.coefficient_shape, dial.coefficient_scale = "normal", 0.3
    assert dial.status.endswith("Drawn anew under these priors: 4,000 draws.")
    assert dial.upper.middles["posterior"].x[0] < 1 < dial.upper.middles["as drawn"].x[0]
    dial.coefficient_scale = 0.32
    assert dial.status.split(". ")[-1].startswith("By weights, worth 3,")
    assert "of 4,000 new draws" in dial.status
    dial.snap()
    dial.sd_scale = 2.4  # near the first draws, which are used again
    assert "of 10,000 draws" in dial.status
    dial.close()


def test_in_a_notebook_they_come_at_rest_and_off_the_drag(uk):
    dial = PriorDial(uk, coefficient_shape="normal")
    dial.parameter = X

    async def notebook():
        dial.coefficient_scale = 0.3
        assert dial.waiting
        assert "Too far from the draws (Pareto k " in dial.status
        assert dial.status.endswith("New draws are taken when you let go.")
        assert not dial.upper.lines["posterior"].visible  # nothing wrong is shown
        assert "mean" not in dial.status
        await until(lambda: dial.drawing)
        assert dial.status.endswith("Drawing anew …")
        assert dial.controls["new draws"].layout.visibility == "visible"
        dial.table.is_open = True  # no reason to begin again
        assert dial.drawing
        await until(lambda: not dial.drawing)

    asyncio.run(notebook())
    assert dial.controls["new draws"].done == dial.controls["new draws"].total > 4000
    assert dial.controls["new draws"].layout.visibility == "hidden"
    assert dial.status.endswith("Drawn anew under these priors: 4,000 draws.")
    assert dial.upper.lines["posterior"].visible
    dial.close()


def test_turning_back_gives_up_the_new_draws(uk):
    dial = PriorDial(uk, coefficient_shape="normal")

    async def notebook():
        dial.coefficient_scale = 0.3
        await until(lambda: dial.drawing)
        dial.coefficient_scale = 2.5
        assert not dial.drawing
        assert not dial.waiting

    asyncio.run(notebook())
    assert "By weights, worth" in dial.status
    assert dial._fresh is None
    dial.close()


def test_where_none_are_sound_it_says_so(uk, monkeypatch):
    def fail(*_):
        raise hw.FitError("importance sampling is not sound here; take method='nuts'")

    monkeypatch.setattr(prior_dial, "drawn_anew", fail)
    dial = PriorDial(uk, coefficient_shape="normal", coefficient_scale=0.3)
    assert dial.status.endswith(
        "Under these priors no sound draws can be taken at once: turn them back a little."
    )
    assert "nuts" not in dial.status
    assert not dial.upper.lines["posterior"].visible
    dial.coefficient_scale = 2.5
    assert "By weights, worth" in dial.status
    dial.close()


async def until(happened):
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


# --- what it says, and the end ------------------------------------------------------------


def test_the_table_is_filled_when_it_is_opened(dial):
    at_first = dial.table.rows
    dial.sd_shape, dial.sd_scale = "half-normal", 0.5
    assert dial.table.rows == at_first
    dial.table.is_open = True
    assert dial.table.rows[1][:2] == [SD, "0.031 to 0.980"]
    assert dial.table.rows[1][2] == "0.387"
    assert float(dial.table.rows[1][4]) < 0.387


def test_pictures_have_a_text_that_follows(dial):
    assert set(dial.text_alternatives) == {"hw-parameter", "hw-quantity"}
    dial.sd_shape, dial.sd_scale = "half-normal", 0.5
    text = dial.text_alternatives["hw-parameter"]
    assert text.startswith(f"Curves of {SD}. Prior: median 0.337, 90 % interval 0.031 to 0.980.")
    assert text.endswith(
        "of the sds: half-normal, scale 0.5; of the intercept: t, 3 df, scale 2.5."
    )


def test_the_still_has_both_pictures_with_their_names(dial):
    picture = dial.picture()
    texts = [text.get_text() for ax in picture.axes for text in ax.texts]
    assert SD in texts
    assert "share contacted in District 309" in texts
    picture.canvas.draw()
    for ax in picture.axes[1:]:
        (name,) = (text for text in ax.texts if text.get_text() in (SD, dial._shown().name))
        highest = max(line.get_window_extent().y1 for line in ax.lines if len(line.get_xdata()) > 2)
        assert name.get_window_extent().y0 > highest  # no curve behind the name
    assert "As drawn: 10,000 draws." in dial.still()


def test_an_error_while_drawing_shows_in_the_status(dial, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(prior_dial, "look", fail)
        dial.sd_scale = 1.0
    assert dial.status == "This could not be drawn: no luck"
    dial.sd_scale = 1.1
    assert dial.status.startswith(f"{SD}: mean")


def test_10_000_draws_are_weighed_quickly():
    dial = PriorDial(hw.load_posterior("rainey2015"))
    start = time.process_time()
    for scale in np.geomspace(2.4, 0.8, 30):
        dial.sd_scale = scale
    assert (time.process_time() - start) / 30 < 0.030  # 10 ms on an idle machine
    dial.close()


def test_the_text_is_short_and_the_same_each_time(dial):
    assert repr(dial) == (
        "PriorDial(sd_shape='half-t, 3 df', sd_scale=2.5, coefficient_shape='t, 3 df', "
        f"coefficient_scale=2.5, eta=1, parameter='{SD}', "
        "quantity='share contacted in one district_id', level='District 309')"
    )


def test_nothing_is_rebuilt_and_closing_frees_everything(finland):
    before = set(_instances)
    dial = PriorDial(finland)
    widgets = {id(widget) for widget in owned_widgets(dial)}
    dial.sd_shape, dial.level, dial.quantity = "exponential", "District 304", "Intercept"
    dial.parameter = "Intercept"
    assert {id(widget) for widget in owned_widgets(dial)} == widgets
    slider = dial.controls["sds, scale"]
    dial.close()
    assert set(_instances) == before
    slider.value = 2.0
    assert dial.sd_scale == 2.5
