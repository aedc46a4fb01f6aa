"""Draws of coefficients and group effects, against the dense joint covariance.

The mean to 1e-12, for draws come in pairs; the covariance to five Monte Carlo standard errors,
those of a normal distribution (Anderson 2003, An Introduction to Multivariate Statistical Analysis,
section 3.4.4).
"""

import numpy as np
import pytest
from support.crossed_groups import crossed, everything, grouped, joint_of

import hierwidgets as hw
from hierwidgets.likelihood.joint_draws import joint_draws

FITS = {
    "two crossed groups": crossed,
    "one group": lambda: hw.glmer("y ~ x + (1 | g)", grouped(3)),
    "correlated slopes": lambda: hw.glmer("y ~ x + (1 + x | g)", grouped(4)),
    "gaussian": lambda: hw.lmer("y ~ x + (1 + x | g) + (1 | h)", grouped(4, family="gaussian")),
}
SIZE = 20_000


def drawn(fit, size=SIZE, seed=1):
    beta, effects = joint_draws(joint_of(fit), len(fit.beta), size, np.random.default_rng(seed))
    return np.vstack([beta, *effects])


@pytest.mark.parametrize("name", FITS)
def test_moments_are_those_of_the_joint_covariance(name):
    fit = FITS[name]()
    draws = drawn(fit)
    assert draws.mean(axis=1) == pytest.approx(0.0, abs=1e-12)
    expected = joint_of(fit).matrix(everything(fit))
    half = draws[:, : SIZE // 2]
    found = half @ half.T / half.shape[1]
    variance = np.diag(expected)
    error = np.sqrt((np.outer(variance, variance) + expected**2) / half.shape[1])
    assert (np.abs(found - expected) < 5 * error + 1e-12).all()


def test_a_large_remainder_is_drawn_too(monkeypatch):
    """Kept sparse, the second term's columns give the same draws."""
    from hierwidgets.likelihood import blocks

    dense = drawn(crossed(), 100)
    monkeypatch.setattr(blocks, "DENSE_LIMIT", 10)
    assert drawn(crossed(), 100) == pytest.approx(dense, rel=1e-9, abs=1e-12)


def test_a_fit_on_the_boundary_is_drawn_without_its_effects():
    rng = np.random.default_rng(0)
    data = grouped(3).assign(y=rng.integers(0, 2, 600))
    fit = hw.glmer("y ~ x + (1 | g)", data)
    assert fit.singular
    draws = drawn(fit, 1000)
    assert np.isfinite(draws).all()
    assert np.abs(draws[2:]).max() < 1e-9  # theta is 0 up to rounding
    assert draws[:2].std(axis=1) == pytest.approx(fit.std_error, rel=0.1)
