"""Around a fit on the boundary: profiles, maps, the prior that keeps off it.

References: closed forms (the binomial model without groups), nested models (a profile can fall no
lower than the model with the parameter's partner at 0), and brute force over a grid. Where two
optimisers meet, 1e-4 of log-likelihood; both stop below 1e-6.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.models import DISTRICTS, SEVERAL_COUNTRIES
from hierwidgets.errors import DataError
from hierwidgets.fit.boundary import penalised, profile_curve, surface
from hierwidgets.likelihood.estimate import profile_loglik

SLOPES = "district_competitiveness | election_id"


@pytest.fixture(scope="module")
def data():
    return hw.load("rainey2015")


@pytest.fixture(scope="module")
def fit(data):
    return hw.glmer(SEVERAL_COUNTRIES, data, event="Contacted")


@pytest.fixture(scope="module")
def uncorrelated(data):
    formula = SEVERAL_COUNTRIES.replace(
        "(1 + district_competitiveness |", "(1 + district_competitiveness ||"
    )
    return hw.glmer(formula, data, event="Contacted")


@pytest.fixture(scope="module")
def heights(data):
    formula = SEVERAL_COUNTRIES.replace("(1 + district_competitiveness |", "(1 |")
    return hw.glmer(formula, data, event="Contacted")


@pytest.fixture(scope="module")
def finland():
    return hw.glmer(DISTRICTS, hw.load("finland"), event="Contacted")


# --- profiles and maps --------------------------------------------------------------------


def test_a_profile_ends_at_complete_pooling(finland):
    y = (hw.load("finland")["contacted"] == "Contacted").to_numpy()
    p = y.mean()
    pooled = np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    curve = profile_curve(finland, "sd Intercept | district_id", [0.0, 0.2])
    assert curve["drop"][0] == pytest.approx(pooled - finland.loglik, abs=1e-6)
    assert curve["value"].to_list() == [0.0, 0.2]


def test_the_profile_of_the_correlation_meets_its_nested_models(fit, uncorrelated, heights):
    values = np.linspace(-1, 1, 9)
    drop = profile_curve(fit, f"corr Intercept, {SLOPES}", values).set_index("value")["drop"]
    assert drop[1.0] == pytest.approx(0, abs=1e-4)
    assert drop[0.0] == pytest.approx(uncorrelated.loglik - fit.loglik, abs=1e-4)
    # with the slopes' sd at 0 the correlation means nothing: no lower than heights alone
    assert drop.min() >= heights.loglik - fit.loglik - 1e-4
    assert (np.diff(drop) >= -1e-4).all()


def test_the_map_agrees_with_profiles(fit, heights, uncorrelated):
    sds = [0.02, 0.26, 0.5, 1.0]
    table = surface(fit, "election_id", sds, [-1.0, 0.0, 1.0])
    assert (table["drop"] < 1e-6).all()
    best = table.groupby("sd")["drop"].max()
    curve = profile_curve(fit, f"sd {SLOPES}", sds).set_index("value")["drop"]
    # its correlation is free, so the profile is no lower; at a coarse grid's ends it is reached
    assert (curve >= best - 1e-4).all()
    np.testing.assert_allclose(curve[[0.26, 1.0]], best[[0.26, 1.0]], atol=1e-3)
    zero = table[table["corr"] == 0].set_index("sd")["drop"]
    alone = profile_curve(uncorrelated, f"sd {SLOPES}", [0.5])["drop"][0]
    assert zero[0.5] == pytest.approx(alone + uncorrelated.loglik - fit.loglik, abs=1e-4)


def test_a_map_finds_both_tops_at_a_correlation_of_minus_one(fit):
    """Brute force over the first sd, in the model with the others at their best."""
    sd = 0.35
    first = [0.0, 0.02, 0.3, 0.5, 0.55, 0.6, 0.65, 0.7, 0.9]
    by_hand = max(
        profile_loglik(fit.design, fit.family, np.array([0.47, s, -sd, 0.0]), 1, fit.beta)[0]
        for s in first
    )
    found = surface(fit, "election_id", [sd], [-1.0])["drop"][0]
    assert found >= by_hand - fit.loglik
    assert found == pytest.approx(by_hand - fit.loglik, abs=0.03)  # the grid's step


# --- off the boundary ---------------------------------------------------------------------


def test_penalised_is_the_top_of_likelihood_times_sd(finland):
    grid = np.arange(0.2, 0.6, 0.002)
    curve = profile_curve(finland, "sd Intercept | district_id", grid)
    for rate in (0.0, 3.0):
        top = grid[(curve["drop"] + np.log(grid) - rate * grid).argmax()]
        found = penalised(finland, rate=rate)
        assert found.theta[0] == pytest.approx(top, abs=0.002)
        assert found.converged


def test_penalised_is_the_best_point_nearby(fit):
    """loglik + log det(Sigma) / 2, evaluated apart from the optimiser, is lower all around."""
    found = penalised(fit, ["election_id"], rate=0.1)

    def criterion(theta):
        loglik, _ = profile_loglik(fit.design, fit.family, theta, 1, found.beta)
        factor = fit.design.template.factors(theta)[1]
        sds = np.sqrt((factor**2).sum(axis=1))
        return loglik + 0.5 * np.log(np.linalg.det(factor @ factor.T)) - 0.1 * sds.sum()

    top = criterion(found.theta)
    for i in range(4):
        for step in (-0.05, 0.05):
            moved = found.theta.copy()
            moved[i] += step
            assert criterion(moved) < top
    assert not found.singular
    assert found.loglik < fit.loglik


def test_penalised_standard_errors_are_those_of_its_curvature(finland):
    found = penalised(finland)
    design, family = finland.design, finland.family

    def criterion(t, b):
        return profile_loglik(design, family, np.array([t]), 1, None, {0: b})[0] + np.log(t)

    t, b, h = found.theta[0], found.beta[0], 1e-3
    H = np.empty((2, 2))
    H[0, 0] = (criterion(t + h, b) - 2 * criterion(t, b) + criterion(t - h, b)) / h**2
    H[1, 1] = (criterion(t, b + h) - 2 * criterion(t, b) + criterion(t, b - h)) / h**2
    H[0, 1] = H[1, 0] = (
        criterion(t + h, b + h) - criterion(t + h, b - h)
        - criterion(t - h, b + h) + criterion(t - h, b - h)
    ) / (4 * h**2)  # fmt: skip
    # differences of size 1e-3 carry an error of about 1e-4, relative
    np.testing.assert_allclose(found.covariance, np.linalg.inv(-H), rtol=2e-3, atol=1e-6)


def test_only_named_groups_get_the_prior(uncorrelated):
    one, both = penalised(uncorrelated, ["election_id"]), penalised(uncorrelated)
    assert both.varcorr["sd"][0] > one.varcorr["sd"][0]
    assert one.varcorr["sd"][0] == pytest.approx(uncorrelated.varcorr["sd"][0], abs=0.01)
    assert (one.varcorr["sd"][1:] > uncorrelated.varcorr["sd"][1:]).all()


def test_errors_say_what_is_allowed(fit, finland):
    with pytest.raises(DataError, match="'sd x' is not a parameter of this fit"):
        profile_curve(fit, "sd x", [0.1])
    with pytest.raises(DataError, match="does not have two correlated coefficients"):
        surface(finland, "district_id", [0.1], [0.0])
    with pytest.raises(DataError, match="'g' is not a grouping factor"):
        penalised(fit, ["g"])
    with pytest.raises(DataError, match="rate=-1 must be a number, 0 or larger"):
        penalised(fit, rate=-1)
    gaussian = hw.lmer(
        "y ~ 1 + (1 | g)", pd.DataFrame({"y": [1.0, 2, 4, 3, 5, 7], "g": list("aabbcc")})
    )
    with pytest.raises(DataError, match="for binomial and Poisson"):
        penalised(gaussian)
