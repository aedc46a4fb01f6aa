"""Adaptive quadrature: lme4's stored objective, brute-force integration, finite differences.

Tolerances
- lme4's objective at its own parameters 1e-9, both sides the same finite sum; lme4's modes are
  converged to 1e-10, and the sum depends on them the less the more nodes it has.
- 25 nodes against scipy's quad, which is asked for 1e-12: 1e-8, what is left between 25 nodes
  and the integral of at most eleven binomial rows.
- gradients by two formulas at modes converged to 3e-8: 1e-7.
- differences 1e-6, as in test_marginal.
"""

import numpy as np
import pytest
from scipy import integrate
from support.core_cases import LINKS, frame, log_density, mean, model, point, slope_of
from support.stored_fits import EVERY, STORED, n_agq, parameters
from support.stored_fits import model as stored_model

import hierwidgets as hw
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.laplace import laplace
from hierwidgets.likelihood.quadrature import adaptive, nodes

links = pytest.mark.parametrize(("family", "link"), LINKS)


@pytest.mark.parametrize("name", [n for n in EVERY if "agq" in n])
def test_objective_at_lme4_s_parameters(name):
    m = stored_model(name)
    found = adaptive(layout(m.design), m.family, *parameters(name), n_agq(name))
    assert found.neg2loglik == pytest.approx(STORED[name]["m2ll"], rel=1e-9)


@links
def test_one_node_is_laplace(family, link):
    """For a canonical link; elsewhere both scale by the expected information, and agree too."""
    m = model(family, link, "scalar")
    theta, beta = point("scalar")
    one = adaptive(layout(m.design), m.family, theta, beta, 1)
    other = laplace(layout(m.design), m.family, theta, beta)
    assert one.neg2loglik == pytest.approx(other.neg2loglik, rel=1e-13)
    assert one.gradient == pytest.approx(other.gradient, rel=1e-7, abs=1e-7)


def brute(family, link, theta, beta):
    """-2 log L by adaptive integration of the product of the rows' densities."""
    total = 0.0
    for _, rows in frame().groupby("g"):
        eta = (beta[0] + beta[1] * rows["x"]).to_numpy()

        def log_joint(u, rows=rows, eta=eta):
            mu = mean(link, eta + theta[0] * u)[0]
            return log_density(family, rows, mu).sum() - 0.5 * u**2 - 0.5 * np.log(2 * np.pi)

        top = max(log_joint(u) for u in np.linspace(-4, 4, 81))
        area, _ = integrate.quad(
            lambda u, f=log_joint, top=top: np.exp(f(u) - top),
            -7, 7, epsabs=1e-12, epsrel=1e-12, limit=200,
        )  # fmt: skip
        total += np.log(area) + top
    return -2 * total


@links
def test_25_nodes_are_the_integral(family, link):
    m = model(family, link, "scalar")
    theta, beta = point("scalar")
    found = adaptive(layout(m.design), m.family, theta, beta, 25).neg2loglik
    exact = brute(family, link, theta, beta)
    assert found - 2 * m.design.constant == pytest.approx(exact, rel=1e-8)


def test_error_shrinks_with_nodes():
    m = model("binomial", "logit", "scalar")
    theta, beta = np.array([2.0]), np.array([-1.0, 0.8])
    exact = brute("binomial", "logit", theta, beta)
    error = [
        abs(adaptive(layout(m.design), m.family, theta, beta, q).neg2loglik
            - 2 * m.design.constant - exact)
        for q in (1, 3, 7, 15)
    ]  # fmt: skip
    assert error[0] > error[1] > error[2] > error[3]


@links
@pytest.mark.parametrize("n", [1, 2, 3, 9, 25])
def test_gradient_is_the_difference_of_values(family, link, n):
    m = model(family, link, "scalar")
    theta, beta = point("scalar", seed=n)
    lay = layout(m.design)
    at = adaptive(lay, m.family, theta, beta, n)

    def f(x):
        return adaptive(lay, m.family, x[:1], x[1:], n, (at.u0, at.u2)).neg2loglik

    numeric = slope_of(f, np.concatenate([theta, beta]))
    assert at.gradient == pytest.approx(numeric, rel=1e-6, abs=1e-6 * np.abs(numeric).max())


def test_a_slope_without_an_intercept_is_a_scalar_term_too():
    m = hw.Model("y ~ 1 + (0 + x | g)", frame(), "binomial")
    lay, theta, beta = layout(m.design), np.array([0.8]), np.array([-0.2])
    total = 0.0
    for _, rows in frame().groupby("g"):
        x, y = rows["x"].to_numpy(), rows["y"].to_numpy()

        def joint(u, x=x, y=y):
            p = 1 / (1 + np.exp(-(beta[0] + theta[0] * x * u)))
            return np.prod(np.where(y == 1, p, 1 - p)) * np.exp(-0.5 * u**2)

        total += np.log(integrate.quad(joint, -9, 9, epsabs=0, epsrel=1e-12)[0])
        total -= 0.5 * np.log(2 * np.pi)
    found = adaptive(lay, m.family, theta, beta, 25).neg2loglik
    assert found == pytest.approx(-2 * total, rel=1e-8)


@pytest.mark.parametrize("n", [1, 2, 7, 40, 100])
def test_the_rule_integrates_polynomials(n):
    """Degree 2 n - 1 exactly: the moments of exp(-x^2)."""
    x, log_weight = nodes(n)
    weight = np.exp(log_weight - x**2)
    assert weight.sum() == pytest.approx(np.sqrt(np.pi), rel=1e-12)
    assert weight @ x == pytest.approx(0, abs=1e-12)
    if n > 1:
        assert weight @ x**2 == pytest.approx(np.sqrt(np.pi) / 2, rel=1e-12)
