"""Estimates: laws that any maximum obeys, and Hessians by another route.

Tolerances
- the same maximum reached twice: estimates 1e-5, -2 log L 1e-7. The search ends where a Newton
  step would gain 1e-11 of -2 log L, whose curvature here is 1 or more: 5e-6.
- standard errors: 1e-4 relative between two ways to write one model (the same differences taken
  at points 1e-6 apart), and against the Hessian of a dense formula, differenced with its own step.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from support.core_cases import LINKS, RESPONSE, STRUCTURES, dense_laplace, frame, model
from support.stored_fits import STORED, fitted

import hierwidgets as hw
from hierwidgets.likelihood import blocks
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import WarmStart, fixed_only, objective, profile_loglik
from hierwidgets.spec.families import family

links = pytest.mark.parametrize(("kind", "link"), LINKS)
FORMULA = "p(s, n) ~ x + (1 + x | g)"


@cache
def fit(kind="binomial", link="logit", structure="scalar", n_agq=1):
    return model(kind, link, structure).maximize(n_agq)


def same(one, other, flip=1.0, shift=0.0):
    assert one.converged
    assert other.converged
    assert other.loglik + shift == pytest.approx(one.loglik, abs=1e-7)
    assert flip * other.beta == pytest.approx(one.beta, abs=1e-5)
    for a, b in zip(covariances(one), covariances(other), strict=True):
        assert a == pytest.approx(b, abs=1e-5)
    assert other.std_error.to_numpy() == pytest.approx(one.std_error.to_numpy(), rel=1e-4)


def covariances(found):
    factors = found.design.template.factors(found.theta)
    return [factor @ factor.T for factor in factors]


# --- the maximum is one -------------------------------------------------------------------------


@links
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_gradient_is_nil_and_nothing_near_is_higher(kind, link, structure):
    found = fit(kind, link, structure)
    assert found.converged, found.message
    x = np.concatenate([found.theta, found.beta])
    sd = np.sqrt(np.maximum(np.diag(found.covariance), 1e-6))
    m, lay = model(kind, link, structure), layout(found.design)
    from hierwidgets.likelihood.laplace import laplace

    assert np.abs(found.gradient * sd).max() < 1e-4
    rng, k = np.random.default_rng(0), len(found.theta)
    for size in (0.01, 0.3, 1.0):
        for _ in range(4):
            y = x + size * sd * rng.normal(size=len(x))
            near = laplace(lay, m.family, y[:k], y[k:]).neg2loglik - 2 * m.design.constant
            assert near >= -2 * found.loglik - 1e-8


@pytest.mark.parametrize("structure", ["slope", "crossed"])
def test_another_optimiser_on_the_dense_formula_ends_there(structure):
    found = fit(structure=structure)
    k = len(found.theta)

    def objective(x):
        return dense_laplace("binomial", "logit", structure, x[:k], x[k:])[0]

    start = np.concatenate([found.design.template.start() * 0.5, np.zeros(2)])
    other = optimize.minimize(objective, start, method="L-BFGS-B")
    assert -2 * found.loglik == pytest.approx(other.fun, abs=1e-6)


def test_finland_s_standard_error_by_the_hessian_of_a_plain_formula():
    """lme4's own, whose modes carry noise, is 1.2e-3 off."""
    found, data = fitted("finland"), hw.load("finland")
    y = (data["contacted"] == "Contacted").groupby(data["district_id"]).agg(["sum", "count"])
    s, n = y["sum"].to_numpy(float), y["count"].to_numpy(float)

    def objective(x):
        theta, beta = x
        u = np.zeros(len(s))
        for _ in range(60):
            p = 1 / (1 + np.exp(-(beta + theta * u)))
            A = 1 + theta**2 * n * p * (1 - p)
            u = u + (theta * (s - n * p) - u) / A
        loglik = s @ np.log(p) + (n - s) @ np.log1p(-p)
        return -2 * loglik + u @ u + np.log(A).sum()

    x, h = np.array([found.theta[0], found.beta[0]]), 1e-3
    E = h * np.eye(2)
    hessian = np.array(
        [[(objective(x + a + b) - objective(x + a - b) - objective(x - a + b)
           + objective(x - a - b)) / (4 * h * h) for b in E] for a in E]
    )  # fmt: skip
    expected = np.sqrt(2 * np.linalg.inv(hessian)[1, 1])
    assert found.std_error["Intercept"] == pytest.approx(expected, rel=1e-5)
    assert STORED["finland_tight"]["se"]["(Intercept)"] == pytest.approx(expected, rel=2e-3)


def test_sparse_and_dense_routes_end_in_one_place(monkeypatch):
    one = fit(structure="crossed slopes")
    monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    same(one, model("binomial", "logit", "crossed slopes").maximize())


# --- laws -------------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", ["scalar", "slope", "crossed"])
@pytest.mark.parametrize("link", ["logit", "probit"])
def test_swapping_successes_and_failures_flips_the_coefficients(link, structure):
    data = frame().assign(s=frame()["n"] - frame()["s"])
    other = hw.glmer(f"p(s, n) ~ x + {STRUCTURES[structure][0]}", data, link=link)
    same(fit("binomial", link, structure), other, flip=-1.0)


def test_cloglog_is_not_symmetric():
    data = frame().assign(s=frame()["n"] - frame()["s"])
    other = hw.glmer("p(s, n) ~ x + (1 | g)", data, link="cloglog")
    assert abs(other.loglik - fit("binomial", "cloglog").loglik) > 0.01


def test_binomial_rows_are_bernoulli_rows_up_to_the_counting_constant():
    data = frame()
    rows = data.loc[data.index.repeat(data["n"])].copy()
    order = rows.groupby(level=0).cumcount()
    rows["y"] = (order < rows["s"]).astype(int)
    single = hw.glmer("y ~ x + (1 + x | g)", rows)
    constant = stats.binom.logpmf(data["s"], data["n"], 0.5) - data["n"] * np.log(0.5)
    same(hw.glmer(FORMULA, data), single, shift=constant.sum())
    assert single.nobs == data["n"].sum()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_and_names_of_levels_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    names = {str(level): f"level {new}" for level, new in enumerate(rng.permutation(9))}
    data = frame().sample(frac=1, random_state=seed)
    data = data.assign(g=data["g"].map(names))
    one, other = hw.glmer(FORMULA, frame()), hw.glmer(FORMULA, data)
    same(one, other)
    table = one.ranef.assign(level=one.ranef["level"].map(names))
    both = table.merge(other.ranef, on=["group", "term", "level"], validate="1:1")
    assert len(both) == 18
    assert both["mode_x"].to_numpy() == pytest.approx(both["mode_y"].to_numpy(), abs=1e-5)
    assert both["sd_x"].to_numpy() == pytest.approx(both["sd_y"].to_numpy(), abs=1e-5)


@links
def test_a_weight_is_so_many_rows(kind, link):
    data = frame().assign(times=np.arange(len(frame())) % 3)
    repeated = data.loc[data.index.repeat(data["times"])]
    formula = f"{RESPONSE[kind]} ~ x + (1 | g)"
    one = hw.glmer(formula, data, kind, link=link, weights="times")
    same(one, hw.glmer(formula, repeated, kind, link=link))
    beside = hw.glmer(formula, data, kind, link=link, weights=data["times"].to_numpy())
    same(one, beside)


@links
def test_an_offset_moves_what_it_is_added_to(kind, link):
    """An offset of c + d x is taken back by the coefficients."""
    formula = f"{RESPONSE[kind]} ~ x + (1 | g)"
    data = frame().assign(known=0.4 - 0.9 * frame()["x"])
    one, other = fit(kind, link), hw.glmer(formula, data, kind, link=link, offset="known")
    assert other.loglik == pytest.approx(one.loglik, abs=1e-7)
    assert other.beta == pytest.approx(one.beta - [0.4, -0.9], abs=1e-5)
    assert other.theta == pytest.approx(one.theta, abs=1e-5)


def test_units_of_a_predictor():
    scaled = hw.glmer(FORMULA, frame().assign(x=1000 * frame()["x"]))
    one = hw.glmer(FORMULA, frame())
    assert scaled.loglik == pytest.approx(one.loglik, abs=1e-7)
    assert scaled.beta * [1, 1000] == pytest.approx(one.beta, abs=1e-5)
    unit = np.diag([1.0, 1000.0])
    assert unit @ covariances(scaled)[0] @ unit == pytest.approx(covariances(one)[0], abs=1e-5)


def test_a_level_without_rows_does_not_count():
    data = frame().assign(g=pd.Categorical(frame()["g"], categories=[*"012345678", "none"]))
    same(hw.glmer(FORMULA, frame()), hw.glmer(FORMULA, data))


def test_more_nodes_come_to_rest():
    found = [fit(n_agq=n).loglik for n in (9, 15, 25)]
    assert np.ptp(found) < 1e-5


def test_one_node_is_laplace():
    same(fit(), hw.glmer("p(s, n) ~ x + (1 | g)", frame(), n_agq=1))


# --- without groups, and along the way ----------------------------------------------------------


@links
def test_without_group_effects_it_is_a_generalised_linear_model(kind, link):
    """The score of the plain likelihood, by differences of scipy's densities, is nil."""
    design = model(kind, link, "scalar").design
    beta = fixed_only(design, family(kind, link))
    d = family(kind, link).derivatives(design.y, design.trials, design.X @ beta)
    information = (design.X * d.weight[:, None]).T @ design.X
    step = np.linalg.solve(information, design.X.T @ d.score)
    assert np.abs(step / np.sqrt(np.diag(np.linalg.inv(information)))).max() < 1e-3


def test_the_profile_touches_the_maximum():
    found = fit()
    m = model("binomial", "logit", "scalar")
    top, beta = profile_loglik(m.design, m.family, found.theta)
    assert top == pytest.approx(found.loglik, abs=1e-8)
    assert beta == pytest.approx(found.beta, abs=1e-5)
    for theta in (0.0, 0.3, 2.0):
        assert profile_loglik(m.design, m.family, np.array([theta]))[0] < top
    held, at = profile_loglik(m.design, m.family, found.theta, fixed={1: 0.0})
    assert at[1] == 0.0
    assert held < top


def test_a_warm_start_begins_at_the_last_modes_and_ends_at_the_same_value():
    found = fit()
    evaluate = objective(layout(found.design), found.family, 1)
    warm = WarmStart(evaluate)
    assert warm.modes is None
    for theta in (0.5 * found.theta, found.theta):
        value, cold = warm(theta, found.beta), evaluate(theta, found.beta, None)
        assert value.neg2loglik == pytest.approx(cold.neg2loglik, abs=1e-9)
        assert warm.modes == (value.u0, value.u2)


def test_the_trace_is_the_search():
    found = fit(structure="slope")
    assert found.trace.shape[1] == len(found.theta) + len(found.beta) + 1
    assert found.trace[:, -1].min() == pytest.approx(-2 * found.loglik, abs=1e-7)


def test_signs_of_theta_are_settled():
    for structure in STRUCTURES:
        found = fit(structure=structure)
        assert (found.theta[found.design.template.diagonal] >= 0).all()


# --- counts so large that rows know nearly everything ------------------------------------------


@pytest.mark.parametrize("log_mean", [3, 9, 14])
def test_large_counts(log_mean):
    """The verdict holds, and no point near by has a higher likelihood.

    The objective is a Laplace approximation written out for one group, its modes by Newton's
    method to the last digit; its own rounding is 1e-16 of a sum of 1e9, hence 1e-4.
    """
    rng = np.random.default_rng(5)
    g, x, b = rng.integers(0, 10, 300), rng.normal(size=300), 0.8 * rng.normal(size=10)
    y = rng.poisson(np.exp(log_mean + 0.3 * x + b[g])).astype(float)
    found = hw.glmer("y ~ x + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": g}), family="poisson")
    assert found.converged
    constant = special.gammaln(y + 1).sum()

    def neg2loglik(at):
        theta, *beta = at
        base, u = beta[0] + beta[1] * x, found.modes.u[0][:, 0].copy()
        for _ in range(50):
            mu = np.exp(base + theta * u[g])
            A = 1 + theta**2 * np.bincount(g, mu)
            u += (theta * np.bincount(g, y - mu) - u) / A
        eta = base + theta * u[g]
        value = -2 * (y @ eta - np.exp(eta).sum() - constant) + u @ u
        return value + np.log(1 + theta**2 * np.bincount(g, np.exp(eta))).sum()

    at = np.r_[found.theta, found.beta]
    assert -2 * found.loglik == pytest.approx(neg2loglik(at), abs=1e-4)
    near = optimize.minimize(
        neg2loglik, at, method="Nelder-Mead",
        options={"initial_simplex": at + np.vstack([np.zeros(3), np.diag([0.1, 0.2, 1e-3])])},
    )  # fmt: skip
    assert neg2loglik(at) <= near.fun + 1e-4


@pytest.mark.parametrize("times", [1, 100, 10000])
def test_many_trials_a_row(times):
    rng = np.random.default_rng(6)
    g, x, n = rng.integers(0, 10, 200), rng.normal(size=200), rng.integers(1, 9, 200) * times
    s = rng.binomial(n, special.expit(0.5 * x + rng.normal(size=10)[g]))
    found = hw.glmer("p(s, n) ~ x + (1 | g)", pd.DataFrame({"s": s, "n": n, "x": x, "g": g}))
    assert found.converged
    at_start = np.abs(found.gradient) * np.sqrt(np.diag(found.covariance))
    assert at_start.max() < 1e-3


def test_an_offset_that_drowns_the_data_gets_words():
    data = pd.DataFrame({"y": [0, 1] * 20, "g": [0, 0, 1, 1] * 10})
    with pytest.raises(hw.FitError, match="is it a logarithm"):
        hw.glmer("y ~ (1 | g)", data, offset=np.full(40, 1e3))
