"""The compiled posterior density, against differences and against the density spelled out.

Tolerances: values against independent formulas 1e-8 (rounding); gradients against central
differences of step 1e-5 5e-6 (their own error).
"""

import numpy as np
import pytest
from scipy import optimize, stats
from support.sampled_models import FAMILIES, STRUCTURES, model

import hierwidgets as hw
from hierwidgets.likelihood.density import joint
from hierwidgets.sampling.draws import unpack
from hierwidgets.sampling.priors import Priors, exponential, gamma, lkj, normal, resolve
from hierwidgets.spec.covariance import sd_corr

pytest.importorskip("nutpie")

from support.charts import charted, point

from hierwidgets.sampling.chart import Chart
from hierwidgets.sampling.kernels.levels import likelihood
from hierwidgets.sampling.kernels.log_posterior import log_density
from hierwidgets.sampling.kernels.predictor import linear_predictor


@pytest.mark.parametrize("joint_limit", [200, 0])
@pytest.mark.parametrize(("family", "link"), FAMILIES)
@pytest.mark.parametrize("bars", STRUCTURES.values(), ids=STRUCTURES.keys())
def test_gradient_is_the_finite_difference(bars, family, link, joint_limit) -> None:
    priors = Priors(coefficients=normal(0, 2), sd=gamma(2, 1), corr=lkj(2), sigma=exponential(1))
    c = charted(model(bars, family, link), priors, joint_limit=joint_limit)
    gradient, scratch = np.empty(len(c.start)), np.empty(len(c.start))
    for seed in (1, 2):
        x = point(c, seed)
        log_density(c.problem, x, gradient)
        for i in range(len(x)):
            e = np.zeros(len(x))
            e[i] = 1e-5
            up = log_density(c.problem, x + e, scratch)
            down = log_density(c.problem, x - e, scratch)
            slope = (up - down) / 2e-5
            assert abs(slope - gradient[i]) < 5e-6 * (1 + np.abs(gradient).max())


def spelled_out(m: hw.Model, priors: Priors, c: Chart, x: np.ndarray) -> float:
    """log p(y, b, parameters) from `density.joint` and scipy's densities, at a point of a chart
    that integrates nothing; parameters are beta, sds, correlations, log residual sd."""
    betas, factors, sigmas, effects = unpack(m.design, c, x[None, None])
    beta, sigma = betas[0, 0], sigmas[0, 0]
    found = resolve(priors, m.design, m.family)
    value, u, theta = 0.0, [], np.zeros(m.design.template.m)
    for t, term in enumerate(m.design.terms):
        sd, corr = sd_corr(factors[t][0, 0])
        value += sum(p.log_density(s, positive=True) for p, s in zip(found.sds[t], sd, strict=True))
        for block, eta in zip(term.blocks, found.corrs[t], strict=True):
            value += (eta - 1) * np.linalg.slogdet(corr[np.ix_(block, block)])[1]
        L = np.linalg.cholesky(factors[t][0, 0] @ factors[t][0, 0].T) / sigma
        u.append(np.linalg.solve(L, effects[t][0, 0].T).T / sigma)
        value -= term.J * np.linalg.slogdet(sigma * L)[1]
        here = m.design.template.term == t
        theta[here] = L[m.design.template.rows[here], m.design.template.cols[here]]
    for i, prior in enumerate(found.coefficients):
        value += prior.log_density(float(found.centre @ beta if i == found.intercept else beta[i]))
    if m.family.name == "gaussian":
        value += found.sigma.log_density(sigma, positive=True) + np.log(sigma)
        whole = np.concatenate([part.ravel() for part in u])
        eta = m.design.X @ beta + sum(
            np.einsum("ij,ij->i", term.Z, b[0, 0][term.codes])
            for term, b in zip(m.design.terms, effects, strict=True)
        )
        normals = stats.norm.logpdf(m.design.y, eta, sigma).sum()
        return value + normals + stats.norm.logpdf(whole).sum()
    return (
        value + joint(m.design, m.family, beta, theta, np.concatenate([p.ravel() for p in u])).value
    )


def log_jacobian(m: hw.Model, c: Chart, x: np.ndarray) -> float:
    """log |d (beta, sds, correlations, log sigma, b) / dx| by differences."""

    def natural(x: np.ndarray) -> np.ndarray:
        beta, factors, sigma, effects = unpack(m.design, c, x[None, None])
        out = [beta.ravel(), np.log(sigma).ravel() if m.family.name == "gaussian" else []]
        for t, term in enumerate(m.design.terms):
            sd, corr = sd_corr(factors[t][0, 0])
            out += [sd, effects[t].ravel()]
            out += [[corr[a, b]] for block in term.blocks for a in block for b in block if a > b]
        return np.concatenate(out)

    d, h = len(x), 1e-6
    J = np.column_stack([(natural(x + h * e) - natural(x - h * e)) / (2 * h) for e in np.eye(d)])
    return float(np.linalg.slogdet(J)[1])


@pytest.mark.parametrize("joint_limit", [200, 0])
@pytest.mark.parametrize("bars", ["(1 | g)", "(1 + x | h)", "(1 + x + z | h)", "(1 + x || h)"])
@pytest.mark.parametrize("family", ["binomial", "gaussian"])
def test_density_is_the_joint_density_with_its_jacobian(bars, family, joint_limit) -> None:
    """Up to one constant: differences between points agree. 2e-5: differences in the Jacobian."""
    m = model(bars, family)
    priors = Priors(coefficients=normal(0, 2), corr=lkj(3), sd=exponential(2))
    c = charted(m, priors, integrate=False, joint_limit=joint_limit)
    gaps = []
    for seed in (1, 2, 3):
        x = point(c, seed)
        value = log_density(c.problem, x, np.empty(len(x)))
        gaps.append(value - spelled_out(m, priors, c, x) - log_jacobian(m, c, x))
    assert np.ptp(gaps) < 2e-5


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_maximum_likelihood_is_the_mode_under_flat_priors(family) -> None:
    """The density without the Jacobian of the sd, under flat priors, is the likelihood."""
    m = model("(1 | g)", family)
    fit = m.maximize(n_agq=25)
    c = charted(m, Priors(intercept="flat()", sd="flat()"), n_nodes=25)
    q = c.problem

    def negative(sd_beta: np.ndarray) -> float:
        v = c.R @ sd_beta[1:]
        return -likelihood(
            q.data,
            q.integrated,
            linear_predictor(q.data, q.pieces, v),
            sd_beta[0],
            1.0,
            np.empty(len(q.data.y)),
        )[0]

    at = np.concatenate([[fit.varcorr["sd"][0]], fit.beta])
    assert -negative(at) + m.design.constant == pytest.approx(fit.loglik, abs=1e-8)
    best = optimize.minimize(
        negative, at + 0.1, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}
    )
    assert best.x == pytest.approx(at, abs=2e-4)
