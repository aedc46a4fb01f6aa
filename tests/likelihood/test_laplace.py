"""The Laplace approximation: lme4's stored objective, dense matrices, finite differences.

Tolerances
- lme4's converged fits 1e-7 (house rule 1e-6): its modes are converged to 1e-10 of the penalised
  deviance. Its default fits stop the modes at 1e-7 (tolPwrss), which leaves its objective too
  high, by up to 5e-6 of the value where districts have three rows: 1e-5, and never below ours.
- dense matrices 1e-9: the same quantity by another route; modes stop when a step would gain
  1e-15, which is 3e-8 in u, and log|A| follows by its first power.
- differences 1e-6: central, step 1e-5, of values near 300 (rounding 1e-9 of a slope).
"""

import numpy as np
import pytest
from support.core_cases import (
    LINKS,
    STRUCTURES,
    dense,
    dense_laplace,
    frame,
    log_density,
    mean,
    model,
    point,
    slope_of,
)
from support.stored_fits import DEFAULT, EVERY, STORED, parameters
from support.stored_fits import model as stored_model

import hierwidgets as hw
from hierwidgets.likelihood import blocks
from hierwidgets.likelihood.laplace import conditional_modes, laplace

links = pytest.mark.parametrize(("family", "link"), LINKS)
structures = pytest.mark.parametrize("structure", STRUCTURES)
storage = pytest.mark.parametrize("sparse", [False, True])


def value(m, theta, beta, start=None):
    found = laplace(blocks.layout(m.design), m.family, theta, beta, start)
    return found.neg2loglik - 2 * m.design.constant


@pytest.mark.parametrize("name", [n for n in EVERY if "agq" not in n])
def test_objective_at_lme4_s_parameters(name):
    ours = value(stored_model(name), *parameters(name))
    assert ours == pytest.approx(STORED[name]["m2ll"], rel=1e-5 if name in DEFAULT else 1e-7)
    assert ours <= STORED[name]["m2ll"] + 1e-8


@links
@structures
@storage
def test_value_is_that_of_dense_matrices(family, link, structure, sparse, monkeypatch):
    if sparse:
        monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    for seed in range(2):
        theta, beta = point(structure, seed)
        expected = dense_laplace(family, link, structure, theta, beta)[0]
        ours = value(model(family, link, structure), theta, beta)
        assert ours == pytest.approx(expected, rel=1e-9)


@links
@structures
@storage
def test_gradient_is_the_difference_of_values(family, link, structure, sparse, monkeypatch):
    if sparse:
        monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    m = model(family, link, structure)
    theta, beta = point(structure)
    lay, k = blocks.layout(m.design), len(theta)
    at = laplace(lay, m.family, theta, beta)

    def f(x):
        return laplace(lay, m.family, x[:k], x[k:], (at.u0, at.u2)).neg2loglik

    numeric = slope_of(f, np.concatenate([theta, beta]))
    assert at.gradient == pytest.approx(numeric, rel=1e-6, abs=1e-6 * np.abs(numeric).max())


@links
@structures
def test_modes_and_conditional_sds_by_dense_matrices(family, link, structure):
    """u solves the score equation; sds of b are roots of the diagonal of Lambda inv(A) Lambda'."""
    m = model(family, link, structure)
    theta, beta = point(structure)
    _, u, A = dense_laplace(family, link, structure, theta, beta)
    found = conditional_modes(m.design, m.family, beta, theta)
    assert np.concatenate([part.ravel() for part in found.u]) == pytest.approx(u, abs=1e-7)
    inverse, at = np.linalg.inv(A), 0
    for b, sd, ut, L in zip(
        found.b, found.sd, found.u, m.design.template.factors(theta), strict=True
    ):
        assert b == pytest.approx(ut @ L.T, abs=1e-14)
        J, k = sd.shape
        for j in range(J):
            own = slice(at + j * k, at + (j + 1) * k)
            variance = np.diag(L @ inverse[own, own] @ L.T)
            assert sd[j] == pytest.approx(np.sqrt(variance), rel=1e-6)
        at += J * k


def test_eta_at_the_modes_is_that_of_the_rows():
    m = model("binomial", "logit", "three")
    theta, beta = point("three")
    _, u, _ = dense_laplace("binomial", "logit", "three", theta, beta)
    eta = beta[0] + beta[1] * frame()["x"] + dense("three", theta) @ u
    found = conditional_modes(m.design, m.family, beta, theta)
    assert found.eta[m.design.rows] == pytest.approx(eta.to_numpy(), abs=1e-7)


@pytest.mark.parametrize("structure", ["slope", "crossed slopes"])
def test_sign_of_a_column_of_Lambda_does_not_matter(structure):
    """theta's diagonal has no bound: the objective is even in it."""
    m = model("binomial", "logit", structure)
    theta, beta = point(structure)
    mirrored = theta.copy()
    mirrored[:2] *= -1
    assert value(m, mirrored, beta) == pytest.approx(value(m, theta, beta), rel=1e-13)


@links
def test_without_group_effects_it_is_the_plain_likelihood(family, link):
    m = model(family, link, "crossed")
    _, beta = point("crossed")
    mu = mean(link, beta[0] + beta[1] * frame()["x"])[0]
    plain = log_density(family, frame(), mu).sum()
    assert value(m, np.zeros(2), beta) == pytest.approx(-2 * plain, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_modes_are_found_from_anywhere(scale):
    m = model("binomial", "logit", "crossed")
    theta, beta = point("crossed")
    lay = blocks.layout(m.design)
    rng = np.random.default_rng(1)
    start = scale * rng.normal(size=(9, 1)), scale * rng.normal(size=5)
    plain = laplace(lay, m.family, theta, beta)
    found = laplace(lay, m.family, theta, beta, start)
    assert found.neg2loglik == pytest.approx(plain.neg2loglik, rel=1e-9)
    assert found.u0 == pytest.approx(plain.u0, abs=1e-6)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_parameters_out_of_all_bounds_say_so():
    m = model("poisson", "log", "scalar")
    with pytest.raises(hw.FitError, match="rescale the predictors"):
        laplace(blocks.layout(m.design), m.family, np.array([1.0]), np.array([np.inf, 1.0]))
