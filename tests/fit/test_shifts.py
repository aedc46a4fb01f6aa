"""Intervals of what does not depend on where a predictor's zero is.

Profiles of the slope, of its sd and of sigma; bootstraps of scalar effects, which are drawn with
the same numbers wherever the predictor is. A draw of correlated effects is another one, of the
same distribution: there `Fit.refit` is what does not change (`tests/likelihood`). Tolerances:
limits are found to 1e-6 of a standard error where both searches have their digits, 1e-3 of a limit.
"""

from functools import cache

import numpy as np
import pytest
from support.waves import KINDS, SHIFTS, moved, waves

import hierwidgets as hw
from hierwidgets.fit.boundary import penalised, profile_curve

every_shift = pytest.mark.parametrize("shift", ["year", "farthest", "large", "both"])


@cache
def fitted(kind, shift=None, bars="(x | country)"):
    data = waves() if shift is None else moved(waves(), *SHIFTS[shift])
    return KINDS[kind](data, bars)


@cache
def limits(kind, shift=None):
    names = ["x", "sd x | country", *(["sigma"] if kind in ("ml", "reml") else [])]
    found = fitted(kind, shift).confint(0.9, parameters=names, progress=False)
    return found[["conf_low", "conf_high"]].to_numpy()


@every_shift
@pytest.mark.parametrize("kind", KINDS)
def test_profiles_do_not_change(kind, shift):
    found = limits(kind, shift).copy()
    found[:2] *= SHIFTS[shift][1]
    assert found == pytest.approx(limits(kind), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_profile_of_a_year_has_its_limits(kind):
    """Those of the intercept and of its correlation are far out, and in order."""
    found = fitted(kind, "year").confint(0.9, progress=False)
    assert np.isfinite(found[["conf_low", "conf_high"]].to_numpy()).all()
    assert (found["conf_low"] <= found["estimate"] + 1e-9).all()
    assert (found["estimate"] <= found["conf_high"] + 1e-9).all()


@every_shift
@pytest.mark.parametrize("kind", ["logit", "reml"])
def test_a_bootstrap_does_not_change(kind, shift):
    scale, found = SHIFTS[shift][1], []
    for at in (None, shift):
        table = fitted(kind, at, "(1 | country)").confint(
            0.9, method="bootstrap", parameters=["x", "sd Intercept | country"], draws=40,
            seed=3, progress=False,
        )  # fmt: skip
        found.append(table[["conf_low", "conf_high"]].to_numpy())
    assert found[1][0] * scale == pytest.approx(found[0][0], rel=1e-3, abs=1e-4)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-3, abs=1e-4)


@every_shift
def test_a_profile_curve_and_a_penalised_fit_do_not_change(shift):
    here, there, scale = fitted("logit"), fitted("logit", shift), SHIFTS[shift][1]
    sds = np.array([0.2, 0.6, 1.0])
    curves = [
        profile_curve(fit, "sd x | country", values)["drop"].to_numpy()
        for fit, values in ((here, sds), (there, sds / scale))
    ]
    assert curves[1] == pytest.approx(curves[0], abs=1e-4)
    ours, theirs = penalised(there), penalised(here)
    assert ours.loglik == pytest.approx(theirs.loglik, abs=1e-5)
    assert ours.fixef["x"] * scale == pytest.approx(theirs.fixef["x"], rel=1e-4)


def test_two_tops_and_the_higher_one_is_found():
    """(x || g) with x far from 0: an intercept that varies can stand in for a slope that does."""
    rng = np.random.default_rng(1)
    from hierwidgets.likelihood.gaussian import evaluate, products
    from hierwidgets.likelihood.optimum import minimize

    for _ in range(10):
        g = np.repeat(np.arange(6), 20)
        data = waves().iloc[:120].assign(g=g, x=rng.normal(size=120) + 4)
        slopes = rng.normal(size=6)[g] * (data["x"] - 4)
        data["z"] = slopes + rng.normal(size=120)
        fit = hw.lmer("z ~ x + (x || g)", data, reml=False)
        P = products(fit.design)

        def at(theta, P=P):
            found = evaluate(P, theta, False)
            return found.value, found.gradient

        for start in ([2.0, 0.1], [0.1, 2.0], [5.0, 5.0], [0.1, 0.1]):
            other = minimize(at, np.array(start), 0.3 * np.eye(2))
            assert -0.5 * other.value <= fit.loglik + 1e-6
