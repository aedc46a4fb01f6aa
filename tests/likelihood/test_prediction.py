"""How sure predictions are: by dense matrices, by simulation.

Tolerances: standard errors against dense matrices 1e-5: the derivative of the modes is taken by
differences of step 1e-5 of modes converged to 3e-8, worth 3e-3 of a derivative whose part in the
variance is below a hundredth. Simulated intervals: three standard errors of the share that 4,000
draws have.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.core_cases import dense, dense_laplace, frame

import hierwidgets as hw
from hierwidgets.likelihood.prediction import standard_errors
from hierwidgets.spec.rows import rows_of


@cache
def fitted(formula="p(s, n) ~ x + (1 + x | g) + (1 | h)"):
    return hw.glmer(formula, frame())


def test_standard_errors_by_dense_matrices():
    """Kass & Steffey: variance of the effects plus the parameters' through the modes."""
    structure = "three"
    formula = "p(s, n) ~ x + (1 | h) + (x || a) + (1 + x | g)"
    fit = fitted(formula)
    theta, beta = np.maximum(fit.theta, 0.2), fit.beta  # away from the boundary
    design, rng = fit.design, np.random.default_rng(3)
    root = rng.normal(size=(len(theta) + 2, len(theta) + 2)) / 10
    covariance = root @ root.T
    kept = [np.ones(t.k, bool) for t in design.terms]
    new = rows_of(design, frame(), kept, "error")
    ours = standard_errors(design, fit.family, new, theta, beta, covariance, unknown=False)

    def eta(x):
        t, b = x[:-2], x[-2:]
        u = dense_laplace("binomial", "logit", structure, t, b)[1]
        return b[0] + b[1] * frame()["x"].to_numpy() + dense(structure, t) @ u

    x, step = np.concatenate([theta, beta]), 1e-4
    jacobian = np.column_stack(
        [(eta(x + step * e) - eta(x - step * e)) / (2 * step) for e in np.eye(len(x))]
    )
    ZL, A = dense(structure, theta), dense_laplace("binomial", "logit", structure, theta, beta)[2]
    variance = np.einsum("ij,jk,ik->i", ZL, np.linalg.inv(A), ZL)
    variance += np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    assert ours == pytest.approx(np.sqrt(variance), rel=1e-5)


def test_population_interval_is_that_of_the_coefficients():
    fit = fitted()
    data = pd.DataFrame({"x": [-1.0, 0.5]})
    found = fit.predict(data, scale="link", re_formula="~0", interval=0.95)
    X = np.column_stack([np.ones(2), data["x"]])
    se = np.sqrt(np.einsum("ij,jk,ik->i", X, fit.vcov.to_numpy(), X))
    assert found["std_error"].to_numpy() == pytest.approx(se, rel=1e-9)
    z = stats.norm.ppf(0.975)
    assert found["conf_low"].to_numpy() == pytest.approx(found["estimate"] - z * se, rel=1e-9)
    assert found["conf_high"].to_numpy() == pytest.approx(found["estimate"] + z * se, rel=1e-9)


def test_a_higher_level_makes_a_wider_interval():
    fit, data = fitted(), frame().sample(25, random_state=1)[["h", "x", "g"]]
    wide, narrow = (fit.predict(data, interval=level) for level in (0.99, 0.5))
    assert (wide["conf_low"] < narrow["conf_low"]).all()
    assert (narrow["conf_low"] < narrow["estimate"]).all()
    assert (narrow["estimate"] < narrow["conf_high"]).all()
    assert (narrow["conf_high"] < wide["conf_high"]).all()
    assert (wide["conf_high"] <= 1).all()
    assert (wide["conf_low"] >= 0).all()


def test_conditional_sds_alone_cover_simulated_effects():
    """Gaussian: given theta and beta the effects are normal, and 90 % means 90 %."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(800), 5)
    effect = rng.normal(0, 1, 800)
    data = pd.DataFrame({"y": 0.3 + effect[g] + rng.normal(0, 1, len(g)), "g": g})
    fit = hw.lmer("y ~ 1 + (1 | g)", data)
    found = fit.predict(pd.DataFrame({"g": np.arange(800)}), interval=0.9)
    inside = (found["conf_low"] < 0.3 + effect) & (0.3 + effect < found["conf_high"])
    assert inside.mean() == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / 800))


def test_a_sampled_level_adds_the_variance_of_a_new_effect():
    fit = fitted()
    data = pd.DataFrame({"x": [-1.0, 0.0, 2.0], "g": "mars", "h": "0"})
    L = fit.design.template.factors(fit.theta)[0]
    z = np.column_stack([np.ones(3), data["x"]])
    added = np.einsum("ij,jk,ik->i", z, L @ L.T, z)
    known = fit.predict(data, scale="link", new_levels="population", interval=0.9)
    drawn = fit.predict(data, scale="link", new_levels="sample", interval=0.9)
    gain = drawn["std_error"] ** 2 - known["std_error"] ** 2
    assert gain.to_numpy() == pytest.approx(added, rel=1e-9)
