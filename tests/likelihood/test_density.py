"""The joint density: against scipy.stats, finite differences and the conditional modes.

Tolerances: the value 1e-12 relative (closed forms); gradients 1e-6, from central differences with
steps of 1e-5 of a value of order 100 (rounding 1e-9 over the step, truncation 1e-10); at the modes
the gradient is below 1e-5, since the search for them stops at a gain of 1e-15.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hierwidgets import Model
from hierwidgets.likelihood.density import joint, linear_predictor, split
from hierwidgets.likelihood.laplace import conditional_modes

FORMULAS = ["y ~ x + (1 | g)", "y ~ x + (1 + x | g) + (1 | h)", "y ~ x + (x || g)"]
FAMILIES = [("binomial", "logit"), ("binomial", "cloglog"), ("poisson", None), ("gaussian", None)]


def frame(family):
    rng = np.random.default_rng(3)
    x, g, h = rng.normal(size=60), np.repeat(list("abcdef"), 10), np.tile(list("uvw"), 20)
    y = {
        "binomial": rng.integers(0, 2, 60),
        "poisson": rng.poisson(2, 60),
        "gaussian": rng.normal(size=60),
    }[family]
    return pd.DataFrame({"y": y, "x": x.round(1), "g": g, "h": h, "known": rng.normal(size=60)})


def point(design, seed=4):
    rng = np.random.default_rng(seed)
    q = sum(t.J * t.k for t in design.terms)
    theta = rng.uniform(0.3, 1.0, design.template.m)
    return rng.normal(size=design.X.shape[1]), theta, rng.normal(size=q)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_gradient_is_the_finite_difference(formula, family, link):
    model = Model(formula, frame(family), family, link=link, offset="known")
    at = point(model.design)
    found = joint(model.design, model.family, *at)
    for i, name in enumerate(("beta", "theta", "u")):
        numeric = np.empty(len(at[i]))
        for j in range(len(at[i])):
            h = np.zeros(len(at[i]))
            h[j] = 1e-5
            up, down = ([*at[:i], at[i] + s * h, *at[i + 1 :]] for s in (1, -1))
            rise = joint(model.design, model.family, *up).value
            rise -= joint(model.design, model.family, *down).value
            numeric[j] = rise / 2e-5
        assert getattr(found, name) == pytest.approx(numeric, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_value_is_a_sum_of_densities_over_the_rows_given(family):
    data = frame(family)
    model = Model("y ~ x + (1 + x | g) + (1 | h)", data, family)
    beta, theta, u = point(model.design)
    eta = np.full(60, beta[0]) + beta[1] * data["x"]
    for term, part, L in zip(
        model.design.terms,
        split(model.design.terms, u),
        model.design.template.factors(theta),
        strict=True,
    ):
        b = pd.DataFrame(part @ L.T, index=term.levels).loc[data[term.group]].to_numpy()
        eta += b[:, 0] + (b[:, 1] * data["x"] if term.k == 2 else 0)
    if family == "binomial":
        expected = stats.bernoulli.logpmf(data["y"], 1 / (1 + np.exp(-eta))).sum()
    else:
        expected = stats.poisson.logpmf(data["y"], np.exp(eta)).sum()
    expected += stats.norm.logpdf(u).sum()
    assert joint(model.design, model.family, beta, theta, u).value == pytest.approx(
        expected, rel=1e-12
    )


def test_linear_predictor_row_by_row():
    data = frame("gaussian")
    design = Model("y ~ x + (1 | g)", data, "gaussian").design
    effects = [np.arange(6.0)[:, None]]
    eta = linear_predictor(design, np.array([1.0, 2.0]), effects)[design.rows]
    by_hand = 1 + 2 * data["x"] + data["g"].map(dict(zip("abcdef", range(6), strict=True)))
    assert eta == pytest.approx(by_hand.to_numpy(), abs=1e-14)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize(("family", "link"), FAMILIES)
def test_the_conditional_mode_is_its_top(formula, family, link):
    model = Model(formula, frame(family), family, link=link)
    beta, theta, _ = point(model.design)
    modes = conditional_modes(model.design, model.family, beta, theta)
    u = np.concatenate([part.ravel() for part in modes.u])
    top = joint(model.design, model.family, beta, theta, u)
    assert np.abs(top.u).max() < 1e-5
    rng = np.random.default_rng(6)
    for _ in range(20):
        other = u + 0.1 * rng.normal(size=len(u))
        assert joint(model.design, model.family, beta, theta, other).value < top.value
