"""The start by moments: where it is known what they are.

Tolerance 1e-10 for the closed form of a balanced layout; in a simulation the moments are within a
tenth of the truth, four of their standard errors.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.likelihood import gaussian
from hierwidgets.likelihood.moments import first_theta


def test_balanced_levels_give_the_analysis_of_variance():
    rng = np.random.default_rng(1)
    J, n = 150, 6
    g = np.repeat(np.arange(J), n)
    y = rng.normal(0.0, 0.8, J)[g] + rng.normal(size=J * n)
    model = hw.Model("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": g}), "gaussian")
    r = y - y.mean()
    means = r.reshape(J, n).mean(axis=1)
    total, between = r @ r, n * means @ means
    # n J v + J s2 = between; n J v + (n J - 1) s2 = total
    s2 = (total - between) / (n * J - 1 - J)
    v = (between - J * s2) / (n * J)
    found = first_theta(gaussian.products(model.design))
    assert found == pytest.approx([np.sqrt(v / s2)], rel=1e-10)


def test_crossed_terms_and_slopes_near_the_truth():
    rng = np.random.default_rng(7)
    n, J, q = 40_000, 800, 500
    g, h, x = rng.integers(0, J, n), rng.integers(0, q, n), rng.normal(size=n)
    y = (
        rng.normal(0.0, 0.5, J)[g] + rng.normal(0.0, 0.3, J)[g] * x
        + rng.normal(0.0, 0.9, q)[h] + rng.normal(0.0, 1.1, n)
    )  # fmt: skip
    frame = pd.DataFrame({"y": y, "x": x, "g": g, "h": h})
    model = hw.Model("y ~ x + (1 + x | g) + (1 | h)", frame, "gaussian")
    found = first_theta(gaussian.products(model.design))
    assert found[[0, 2, 3]] == pytest.approx(np.array([0.5, 0.3, 0.9]) / 1.1, rel=0.1)
    assert found[1] == 0.0


def test_no_variance_starts_small_and_ends_at_nothing():
    rng = np.random.default_rng(2)
    n = 6_000
    frame = pd.DataFrame(
        {"y": rng.normal(size=n), "g": rng.integers(0, 300, n), "h": rng.integers(0, 200, n)}
    )
    fit = hw.lmer("y ~ 1 + (1 | g) + (1 | h)", frame)
    assert fit.converged
    assert (fit.theta < 0.12).all()
