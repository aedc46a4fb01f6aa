"""Effects that wait: the digits of those drawn at once, and no work or memory before.

Everything is compared bit by bit: when the effects are drawn must not show in any number.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import hierwidgets as hw
from hierwidgets.sampling import effects as module
from hierwidgets.sampling.conditional import draw_levels
from hierwidgets.sampling.effects import Effects, sampled, single_effects

SLOPES = "contacted ~ 1 + (1 + district_competitiveness | district_id)"


@pytest.fixture(scope="module", params=["stored", "pairs"])
def post(request):
    """One effect a level integrated out, and two."""
    if request.param == "stored":
        return hw.load_posterior("finland")
    model = hw.Model(SLOPES, hw.load("uk"), "binomial", event="Contacted")
    return model.sample(draws=100, seed=1, method="importance", progress=False)


def anew(post):
    """The same effects, not drawn yet."""
    d = post.draws
    given = d.beta, d.factors, d.sigma, sampled(d), d.integrated, d.seed
    return Effects(post.design, post.family, *given)


def test_they_are_those_drawn_at_once(post):
    d = post.draws
    at_once = draw_levels(
        post.design, post.family, d.beta, d.factors, d.sigma, sampled(d), d.integrated, d.seed
    )
    waiting = anew(post)
    assert len(waiting) == len(at_once) == len(waiting[:])
    for ours, theirs, held in zip(waiting, at_once, waiting.single(), strict=True):
        assert ours.dtype == np.float64
        assert held.dtype == np.float32
        assert np.array_equal(ours, theirs)
        assert np.ptp(ours) > 0


def test_they_are_drawn_once_and_not_before_they_are_wanted(post, monkeypatch):
    calls = []

    def counted(*given):
        calls.append(1)
        return draw_levels(*given)

    ranef, coef = post.ranef, post.coef
    monkeypatch.setattr(module, "draw_levels", counted)
    fresh = replace(post, draws=replace(post.draws, effects=anew(post)))
    assert "not drawn" in repr(fresh.draws.effects)
    assert fresh.summary().equals(post.summary())
    assert fresh.vcov.equals(post.vcov)
    assert calls == []
    assert fresh.ranef.equals(ranef)
    assert fresh.coef.equals(coef)
    assert calls == [1]
    assert "not drawn" not in repr(fresh.draws.effects)


def test_a_copy_of_them_can_be_changed_without_harm(post):
    first = post.draws.effects[0]
    first[:] = 0.0
    assert np.ptp(post.draws.effects[0]) > 0


def test_they_travel_to_another_process_before_and_after_they_are_drawn(post):
    waiting = anew(post)
    there = pickle.loads(pickle.dumps(waiting))
    assert np.array_equal(there[0], waiting[0])
    assert np.array_equal(pickle.loads(pickle.dumps(waiting))[0], waiting[0])


def test_draws_that_hold_plain_arrays_give_those():
    post = hw.load_posterior("rainey2015", effects=False)
    assert not isinstance(post.draws.effects, Effects)
    assert sampled(post.draws) is post.draws.effects
    assert single_effects(post.draws.effects, 0) is post.draws.effects[0]
