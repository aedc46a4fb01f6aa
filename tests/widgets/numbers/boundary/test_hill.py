"""The hill under penalties, its maximum, its regions.

References: `fit.boundary.surface` and `penalised`, which search each place by themselves; scipy's
BFGS on the core's deviance plus the penalty. Log-likelihoods agree to 0.05, which a map does not
show (its kinks, where the best first sd jumps, are smoothed); places on a flat hill to 0.02.
"""

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path
from scipy import optimize
from support import effect_models

import hierwidgets as hw
from hierwidgets.errors import DataError
from hierwidgets.fit.boundary import penalised, surface
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective
from hierwidgets.widgets.numbers.boundary.hill import (
    LEVELS,
    PENALTIES,
    cost,
    drop_at,
    hill,
    look,
    penalised_frame,
    reach_of,
)


@pytest.fixture(scope="module")
def fit():
    return effect_models.several()


@pytest.fixture(scope="module")
def found(fit):
    return hill(fit)


def test_without_a_penalty_it_is_the_profile(fit, found):
    sds, corrs = [0.02, 0.1, 0.2, 0.5, 0.9, 1.5], [-0.97, -0.8, -0.3, 0.1, 0.9, 1.0]
    for row in surface(fit, "election_id", sds, corrs).itertuples():
        assert drop_at(found, row.sd, row.corr) == pytest.approx(row.drop, abs=0.05), row
    plain = look(found, "none", 1.0)
    assert (plain.top.sd, plain.top.corr) == pytest.approx((0.265, 1.0), abs=1e-3)
    assert plain.height.max() <= 0
    assert reach_of(plain, 0.9)[2:] == (-1, 1)


def test_the_matrix_penalty_is_the_one_of_the_core(fit, found):
    there = penalised(fit, ["election_id"])
    sd, corr = there.varcorr["sd"].iloc[2], there.varcorr["corr"].iloc[3]
    top = look(found, "Wishart", 1.0).top
    assert (top.sd, top.corr) == pytest.approx((sd, corr), abs=0.02)
    assert cost(found, "Wishart", 1.0) == pytest.approx(fit.loglik - there.loglik, abs=0.03)


@pytest.mark.parametrize(("penalty", "strength"), [("gamma", 0.6), ("LKJ", 1.0), ("Wishart", 0.4)])
def test_the_maximum_is_that_of_scipy(fit, found, penalty, strength):
    evaluate = objective(layout(fit.design), fit.family, 1)
    on_sds, on_corr = PENALTIES[penalty]

    def minus(x):
        s0, s1, r = np.exp(x[0]), np.exp(x[1]), np.tanh(x[2])
        theta = np.array([x[3], s0, r * s1, np.sqrt(1 - r**2) * s1])
        prior = on_sds * (x[0] + x[1]) + on_corr * np.log1p(-(r**2))
        return 0.5 * evaluate(theta, x[4:], None).neg2loglik - strength * prior

    starts = [np.array([np.log(0.3), np.log(0.4), z, fit.theta[0], *fit.beta]) for z in (-1, 0.3)]
    best = min((optimize.minimize(minus, x, method="BFGS") for x in starts), key=lambda m: m.fun)
    seen = look(found, penalty, strength)
    assert seen.best == pytest.approx(-best.fun + fit.design.constant - fit.loglik, abs=0.03)
    assert seen.top.sd == pytest.approx(np.exp(best.x[1]), abs=0.05)
    assert seen.top.corr == pytest.approx(np.tanh(best.x[2]), abs=0.12)


def test_regions_are_what_lies_less_deep(found):
    seen = look(found, "Wishart", 0.7)
    sd, corr = np.meshgrid(seen.sds, seen.corrs)
    for level, (x, y) in zip(LEVELS, seen.regions, strict=True):
        depth = -np.log(1 - level)
        inside = Path(np.column_stack([x, y])).contains_points(
            np.column_stack([sd.ravel(), corr.ravel()])
        )
        clear = np.abs(seen.height + depth).ravel() > 0.15
        interior = ((np.abs(corr) < 1) & (sd > 0) & (sd < found.largest)).ravel() & clear
        np.testing.assert_array_equal(inside[interior], (seen.height > -depth).ravel()[interior])


def test_a_penalty_of_no_strength_is_none(found):
    none = look(found, "none", 1.0)
    for penalty in ("Wishart", "gamma", "LKJ"):
        assert look(found, penalty, 0.0).top == none.top
        assert cost(found, penalty, 0.0) == 0
        np.testing.assert_array_equal(look(found, penalty, 0.0).height, none.height)


def test_penalties_forbid_their_edges(found):
    wide = penalised_frame(found, "Wishart", 1.0).pivot(index="corr", columns="sd", values="drop")
    assert wide.iloc[0].max() < -20
    assert wide[0.0].max() < -20
    ring = penalised_frame(found, "LKJ", 1.0).pivot(index="corr", columns="sd", values="drop")
    assert ring.iloc[[0, -1]].max(axis=None) < -20
    assert ring[0.0].max() > -1  # an sd of 0 is allowed


def test_unknown_groups_are_refused(fit):
    with pytest.raises(DataError, match=r"group='country' .* one of \['election_id'\]"):
        hill(fit, "country")


def test_a_predictor_far_from_0_is_refused_and_not_drawn_wrong():
    """In the middle of the data the same model has a map; the likelihood is the same one."""
    rng = np.random.default_rng(5)
    school, x = np.repeat(np.arange(6), 8), rng.uniform(-1, 1, 48)
    eta = 0.3 + (0.8 * rng.normal(size=6))[school] + (0.5 + rng.normal(size=6))[school] * x
    passed = rng.binomial(20, 1 / (1 + np.exp(-eta)))
    data = pd.DataFrame({"passed": passed, "n": 20, "x": x, "year": 2020 + x, "school": school})
    here = hw.glmer("p(passed, n) ~ x + (1 + x | school)", data)
    assert drop_at(hill(here), hill(here).top.sd, hill(here).top.corr) > -0.1
    there = hw.glmer("p(passed, n) ~ year + (1 + year | school)", data)
    assert there.loglik == pytest.approx(here.loglik, abs=1e-6)
    with pytest.raises(DataError, match=r"'year' lies so far from 0 .* of -1, .* middle"):
        hill(there)
