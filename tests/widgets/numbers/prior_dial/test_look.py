"""The dial's numbers against `Posterior.reweight` and against draws under the other priors.

Tolerances: `reweight` resamples, so means agree within a few of its Monte Carlo errors; new draws
within 4 joint errors of the mean.
"""

import numpy as np
import pytest

import hierwidgets as hw
from hierwidgets.priors import half_normal, normal, uniform
from hierwidgets.widgets import reweighted_frame
from hierwidgets.widgets.numbers.prior_dial import look as looks
from hierwidgets.widgets.numbers.prior_dial.anew import drawn_anew
from hierwidgets.widgets.numbers.prior_dial.quantities import in_level, of_parameters

NARROW = hw.Priors(sd=half_normal(0.3))


@pytest.fixture(scope="module")
def post():
    return hw.load_posterior("finland")


def test_the_frame_is_what_reweight_draws(post):
    frame = reweighted_frame(post, NARROW).set_index("parameter")
    moved = post.reweight(NARROW).summary(0.9)
    error = moved["std_error"] / 60
    assert (np.abs(frame["estimate"] - moved["estimate"]) < 4 * error).all()
    np.testing.assert_allclose(frame["conf_low"], moved["conf_low"], atol=0.02)
    np.testing.assert_allclose(frame["drawn"], post.summary()["estimate"])
    assert frame.attrs["k"] < 0.7
    assert 1000 < frame.attrs["worth"] < 10_000
    sd = frame.loc["sd Intercept | district_id"]
    assert sd["prior_high"] == pytest.approx(0.3 * 1.96, abs=0.001)


def test_new_draws_agree_with_weights(post):
    counted = []
    fresh = drawn_anew(post, NARROW, lambda done, more: counted.append((done, more)))
    assert sum(done for done, _ in counted) == sum(more for _, more in counted) > 4000
    assert fresh.priors == NARROW
    share = looks.weights_to(post, NARROW).share
    for quantity in [*of_parameters(post), in_level(post, "District 309")]:
        by_weights = looks.Base(post).sample(quantity).mean(share)
        drawn = quantity.of(fresh)
        error = drawn.std() * np.sqrt(1 / 2000 + 1 / 1000)  # worth no less, of either
        assert abs(drawn.mean() - by_weights) < 4 * error


def test_too_far_is_refused_by_the_frame_and_unsound():
    post = hw.load_posterior("uk_competitiveness")
    far = hw.Priors(coefficients=normal(0, 0.3))
    assert not looks.sound(looks.weights_to(post, far))
    with pytest.raises(hw.FitError, match="too far from that of the draws: Pareto k"):
        reweighted_frame(post, far)


def test_beyond_the_bounds_of_the_draws_nothing_is_sound(post):
    bounded = hw.Posterior(
        post.design, post.family, hw.Priors(sd=uniform(0, 100)), post.draws
    )  # fmt: skip
    weights = looks.weights_to(bounded, NARROW)
    assert weights.k == np.inf
    assert not looks.sound(weights)


def test_a_look_has_what_there_is(post):
    base = looks.Base(post)
    intercept, sd = of_parameters(post)
    share = looks.weights_to(post, NARROW).share
    found = looks.look(sd, base, (base, share), NARROW)
    assert set(found.curves) == set(found.summary) == {"prior", "as drawn", "posterior"}
    assert found.at[0] == 0
    for name in ("as drawn", "posterior"):
        assert np.trapezoid(found.curves[name], found.at) == pytest.approx(1, abs=0.01)
    assert found.summary["posterior"][0] < found.summary["as drawn"][0]
    alone = looks.look(intercept, base, None, NARROW)
    assert "posterior" not in alone.curves
    rate = looks.look(in_level(post, "District 309"), base, None, NARROW)
    assert (rate.at[0], rate.at[-1]) == (0, 1)
    assert rate.summary["prior"][0] == pytest.approx(0.5, abs=0.05)


def test_where_a_prior_is_flat_none_is_simulated():
    post = hw.load_posterior("uk_competitiveness")
    level = post.design.terms[0].levels[0]
    base = looks.Base(post)
    assert "prior" not in looks.look(in_level(post, level), base, None, hw.Priors()).curves
    coefficient = of_parameters(post)[1]
    found = looks.look(coefficient, base, None, hw.Priors())
    assert np.ptp(found.curves["prior"]) == 0
    assert np.isnan(found.summary["prior"]).all()
