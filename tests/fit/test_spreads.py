"""The likelihood over the three spreads of a pair, and a fit with them held.

References: scipy's BFGS on the core's deviance at given spreads, with differences for gradients;
models that are nested in the pair (no correlation, no slopes), fitted by themselves; lme4's stored
fit. Where two searches meet, 1e-3 of log-likelihood, as neighbours of a map are searched to 3e-3 of
-2 log L; between the points of a line 0.04, which a map does not show.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize
from support import effect_models

import hierwidgets as hw
from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.errors import DataError
from hierwidgets.fit.spreads import paired_groups, spread_profile, with_spreads
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective

X = "district_competitiveness"
LME4 = json.loads((Path(__file__).parents[1] / "reference/seed_lme4.json").read_text())


@pytest.fixture(scope="module")
def fit():
    return effect_models.several()


@pytest.fixture(scope="module")
def found(fit):
    return spread_profile(fit, "election_id")


def best(fit, first, sd, corr):
    """The log-likelihood at three spreads, by scipy over the sd of districts and coefficients."""
    evaluate = objective(layout(fit.design), fit.family, 1)
    pair = [first, corr * sd, np.sqrt(1 - corr**2) * sd]
    start = np.concatenate([fit.theta[:1], fit.beta])
    reached = optimize.minimize(
        lambda x: evaluate(np.array([x[0], *pair]), x[1:], None).neg2loglik, start, method="BFGS"
    )
    return -0.5 * reached.fun + fit.design.constant


def test_values_are_those_of_scipy(fit, found):
    for i, j, k in [(16, 0, 0), (8, 12, 60), (10, 6, 40), (5, 3, 20), (0, 4, 45), (12, 1, 100)]:
        spreads = found.first[i, j, k], found.sds[i], found.corrs[j]
        if found.drop[i, j, k] > -8:
            expected = best(fit, *spreads) - fit.loglik
            assert found.drop[i, j, k] == pytest.approx(expected, abs=0.04), spreads


def test_the_maximum_is_the_fit_and_the_ends_are_far_down(found):
    assert -0.05 < found.drop.max() < 0.02
    assert found.drop[-1].max() < -3.5
    assert found.drop[:, :, -1].max() < -1
    assert (np.diff(found.first, axis=2) >= 0).all()
    assert (found.corrs[0], found.corrs[-1], found.sds[0]) == (-1, 1, 0)
    assert np.ptp(found.drop[0], axis=0).max() == 0  # no slopes, no correlation


@pytest.mark.parametrize(
    ("bar", "spreads"),
    [
        (f"(1 + {X} || election_id)", lambda sd: (sd[1], sd[2], 0.0)),
        ("(1 | election_id)", lambda sd: (sd[1], 0.0, 0.0)),
        (f"(0 + {X} | election_id)", lambda sd: (0.0, sd[1], 0.0)),
    ],
)
def test_held_there_it_is_the_smaller_model(fit, bar, spreads):
    formula = SEVERAL_COUNTRIES.replace(f"(1 + {X} | election_id)", bar)
    smaller = hw.glmer(formula, hw.load("rainey2015"), event="Contacted")
    held = with_spreads(fit, "election_id", *spreads(smaller.varcorr["sd"].to_numpy()))
    assert held.loglik == pytest.approx(smaller.loglik, abs=1e-4)
    np.testing.assert_allclose(held.beta, smaller.beta, atol=2e-3)


def test_held_where_lme4_is_it_has_lme4s_deviance(fit):
    """The fit "rainey" stops early, "rainey_tight" at the top."""
    for name in ("rainey", "rainey_tight"):
        _, first, b, c = LME4[name]["theta"]
        sd = float(np.hypot(b, c))
        held = with_spreads(fit, "election_id", first, sd, b / sd)
        assert -2 * held.loglik <= LME4[name]["m2ll"] + 1e-5
        assert -2 * held.loglik == pytest.approx(LME4[name]["m2ll"], abs=2e-3)


def test_only_pairs_with_an_intercept_are_taken(fit):
    assert paired_groups(fit) == ["election_id"]
    with pytest.raises(DataError, match=r"'district_id' has no intercept and slope .* for \['el"):
        spread_profile(fit, "district_id")
    swapped = hw.glmer(f"contacted ~ (0 + {X} | election_id)", hw.load("rainey2015"),
                       event="Contacted")  # fmt: skip
    assert paired_groups(swapped) == []
