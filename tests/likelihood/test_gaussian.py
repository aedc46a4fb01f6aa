"""The Gaussian likelihood against the dense multivariate normal density.

Tolerances: 1e-10 relative, closed forms by two routes with matrices of 60 rows; gradients against
central differences 2e-6 (steps of 1e-5); the optimum may not lie above what scipy's minimiser finds
for the dense formula by more than 1e-8, the rounding of that formula. Conditional sds 1e-7: near 0
they are roots of a difference.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from hierwidgets import Model, lmer
from hierwidgets.errors import FitError
from hierwidgets.likelihood import blocks, gaussian

FORMULAS = [
    "y ~ x + (1 | g)",
    "y ~ x + (1 + x | g)",
    "y ~ x + (1 | g) + (1 | h)",
    "y ~ x + (1 + x | g) + (1 + x | h)",
    "y ~ x + (x || g) + (1 | h/g)",
    "y ~ 0 + (1 | g)",
]
every_structure = pytest.mark.parametrize("formula", FORMULAS)
both = pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
EXTRAS = [{}, {"weights": "w"}, {"offset": "known"}, {"weights": "w", "offset": "known"}]


@cache
def frame():
    rng = np.random.default_rng(31)
    n = 60
    g, h = rng.integers(0, 7, n), rng.integers(0, 4, n)
    x = rng.normal(size=n)
    y = 2 + x + rng.normal(size=7)[g] + 0.7 * rng.normal(size=4)[h] * x + rng.normal(size=n)
    return pd.DataFrame(
        {"y": y, "x": x, "g": g, "h": h, "w": rng.uniform(0.5, 3, n), "known": rng.normal(size=n)}
    )


def dense(design, theta, sigma):
    """Mean-free pieces of y ~ N(X beta + offset, V), in the order of the design's rows."""
    V = np.diag(sigma**2 / design.trials)
    for term, L in zip(design.terms, design.template.factors(theta), strict=True):
        same = term.codes[:, None] == term.codes[None, :]
        V += sigma**2 * same * (term.Z @ L @ L.T @ term.Z.T)
    return V


def dense_objective(design, theta, reml):
    """-2 log L profiled over beta and sigma, from multivariate normal densities."""
    X, r = design.X, design.y - design.offset
    n, p = X.shape
    V1 = dense(design, theta, 1.0)
    W = np.linalg.inv(V1)
    beta = np.linalg.solve(X.T @ W @ X, X.T @ W @ r) if p else np.zeros(0)
    e = r - X @ beta
    df = n - p if reml else n
    sigma = np.sqrt(e @ W @ e / df)
    V = sigma**2 * V1
    if not reml:
        return -2 * stats.multivariate_normal.logpdf(e, cov=V), beta, sigma
    # the density of any n - p orthonormal residual contrasts, put into X'X form (Harville 1974):
    # its log differs by log|X'X| / 2, which lme4 leaves out
    K = np.linalg.svd(X)[0][:, p:] if p else np.eye(n)
    value = -2 * stats.multivariate_normal.logpdf(K.T @ r, cov=K.T @ V @ K)
    return value + (np.linalg.slogdet(X.T @ X)[1] if p else 0.0), beta, sigma


def theta_of(design, seed=0):
    theta = np.random.default_rng(seed).uniform(0.2, 1.3, design.template.m)
    return np.where(design.template.diagonal, theta, theta - 0.7)


@every_structure
@both
@pytest.mark.parametrize("extra", EXTRAS, ids=["plain", "weights", "offset", "both"])
def test_the_objective_is_the_normal_density(formula, reml, extra):
    design = Model(formula, frame(), **extra).design
    theta = theta_of(design)
    found = gaussian.evaluate(gaussian.products(design), theta, reml)
    expected, _, _ = dense_objective(design, theta, reml)
    assert found.value == pytest.approx(expected, rel=1e-10)


@every_structure
def test_a_given_sigma(formula):
    design = Model(formula, frame(), weights="w").design
    theta, sigma = theta_of(design), 1.7
    found = gaussian.evaluate(gaussian.products(design), theta, False, sigma)
    _, beta, _ = dense_objective(design, theta, False)
    e = design.y - design.X @ beta
    V = dense(design, theta, sigma)
    expected = -2 * stats.multivariate_normal.logpdf(e, cov=V)
    assert found.value == pytest.approx(expected, rel=1e-10)


@every_structure
@both
@pytest.mark.parametrize("limit", [blocks.DENSE_LIMIT, 0], ids=["dense", "sparse"])
def test_gradient_is_the_finite_difference(formula, reml, limit, monkeypatch):
    monkeypatch.setattr(blocks, "DENSE_LIMIT", limit)
    design = Model(formula, frame(), weights="w").design
    P, theta = gaussian.products(design), theta_of(design, 1)

    def value(theta):
        return gaussian.evaluate(P, theta, reml).value

    numeric = np.array([(value(theta + h) - value(theta - h)) / 2e-5
                        for h in 1e-5 * np.eye(len(theta))])  # fmt: skip
    found = gaussian.evaluate(P, theta, reml)
    assert found.gradient == pytest.approx(numeric, rel=2e-6, abs=2e-6 * np.abs(numeric).max())


@every_structure
@both
def test_the_optimum_is_that_of_the_dense_formula(formula, reml):
    fit = lmer(formula, frame(), reml=reml, weights="w", offset="known")
    design = fit.design
    value, beta, sigma = dense_objective(design, fit.theta, reml)
    assert -2 * fit.loglik == pytest.approx(value, rel=1e-10)
    assert fit.beta == pytest.approx(beta, rel=1e-8, abs=1e-10)
    assert fit.sigma == pytest.approx(sigma, rel=1e-10)
    assert fit.converged, fit.message
    found = optimize.minimize(
        lambda theta: dense_objective(design, theta, reml)[0],
        fit.theta + 0.05 * design.template.diagonal,
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-10, "maxfev": 400},
    )
    assert value <= found.fun + 1e-8


@every_structure
@both
def test_standard_errors_and_modes_are_those_of_generalised_least_squares(formula, reml):
    fit = lmer(formula, frame(), reml=reml, weights="w")
    d = fit.design
    V = dense(d, fit.theta, fit.sigma)
    W = np.linalg.inv(V)
    if d.X.shape[1]:
        assert fit.vcov.to_numpy() == pytest.approx(np.linalg.inv(d.X.T @ W @ d.X), rel=1e-8)
    e = W @ (d.y - d.X @ fit.beta)
    for term, L, b, sd in zip(
        d.terms, d.template.factors(fit.theta), fit.modes.b, fit.modes.sd, strict=True
    ):
        G = fit.sigma**2 * L @ L.T
        for j in range(term.J):
            C = G @ (term.Z * (term.codes == j)[:, None]).T  # covariance of b_j with y
            assert b[j] == pytest.approx(C @ e, abs=1e-8)
            assert sd[j] == pytest.approx(np.sqrt(np.diag(G - C @ W @ C.T)), abs=1e-7)


def test_a_prior_weight_of_two_is_not_two_rows_but_half_the_variance():
    data = frame().assign(w=2.0)
    plain, weighted = lmer(FORMULAS[0], data), lmer(FORMULAS[0], data, weights="w")
    assert weighted.sigma == pytest.approx(plain.sigma * np.sqrt(2), rel=1e-6)
    assert weighted.fixef.to_dict() == pytest.approx(plain.fixef.to_dict(), rel=1e-6)


def test_a_weight_of_zero_leaves_a_row_out():
    data = frame().assign(w=[0.0] * 5 + [1.0] * 55)
    some, rest = lmer(FORMULAS[0], data, weights="w"), lmer(FORMULAS[0], data.iloc[5:])
    assert some.loglik == pytest.approx(rest.loglik, rel=1e-10)
    assert some.fixef.to_dict() == pytest.approx(rest.fixef.to_dict(), rel=1e-6)


def test_digits_survive_a_large_mean():
    data = frame()
    near, far = lmer(FORMULAS[0], data), lmer(FORMULAS[0], data.assign(y=data["y"] + 1e8))
    assert far.sigma == pytest.approx(near.sigma, rel=1e-5)  # y itself keeps 8 digits
    assert far.fixef["x"] == pytest.approx(near.fixef["x"], rel=1e-5)


def test_no_residual_to_model():
    data = frame().assign(z=range(60))
    with pytest.raises(FitError, match="60 effects for 60 rows"):
        lmer("y ~ x + (1 | z)", data)
    with pytest.raises(FitError, match="2 rows cannot fit 2 coefficients"):
        lmer("y ~ x + (1 | z)", data.head(2))
    with pytest.raises(FitError, match="without error"):
        lmer("y ~ x + (1 | g)", data.assign(y=3.0))
