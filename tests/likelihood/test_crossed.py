"""Crossed terms with many levels: three ways to the same numbers, and lme4's.

Dense, by pattern with a dense factor, and by pattern in fronts are the same algebra: 1e-11 of the
value, 1e-8 of gradients (sums of thousands). Against lme4 (`reference/crossed.R`): the objective at
given parameters 1e-6 absolute for the Gaussian ones, 1e-5 for the Laplace one, whose modes
lme4 stops iterating at; the optimum 1e-6 in the criterion, theta 1e-4 (where the criterion is
flat that is what 1e-6 leaves); conditional modes and sds 1e-4.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.likelihood import blocks, fronts, gaussian, pattern
from hierwidgets.likelihood.laplace import conditional_modes, laplace

REFERENCE = Path(__file__).parents[1] / "reference"
CASES = json.loads((REFERENCE / "crossed.json").read_text())["cases"]
ROUTES = ["dense", "dense factor", "fronts"]
every_case = pytest.mark.parametrize("name", CASES)


@cache
def frame():
    return pd.read_csv(REFERENCE / "crossed" / "ratings.csv")


@cache
def model(name):
    case = CASES[name]
    family = "binomial" if case["kind"] == "liked" else "gaussian"
    return hw.Model(case["formula"], frame(), family)


def take(route, monkeypatch):
    """Let layouts take a route, whatever it costs."""
    monkeypatch.setattr(pattern, "FULL", 0.0 if route == "dense" else 1.1)
    monkeypatch.setattr(fronts, "_FRONT", 1e-9)
    monkeypatch.setattr(fronts, "dense_seconds", lambda q: np.inf if route == "fronts" else 0.0)


def ours(theta, names):
    """lme4's theta in the order of our terms: the one with more levels first, as here."""
    assert names == ["who", "what"]
    return np.asarray(theta)


def value(name, theta, beta):
    m = model(name)
    if m.family.name == "gaussian":
        P = gaussian.products(m.design)
        found = gaussian.evaluate(P, theta, CASES[name]["kind"] == "reml")
        return P.lay, found.value, found.gradient
    lay = blocks.layout(m.design)
    found = laplace(lay, m.family, theta, beta)
    return lay, found.neg2loglik - 2.0 * m.design.constant, found.gradient


@every_case
def test_three_routes_agree(name, monkeypatch):
    m = model(name)
    given = np.array(CASES[name]["given"])
    theta, beta = given[: m.design.template.m], np.array([0.1, 0.2])
    found = {}
    for route in ROUTES:
        take(route, monkeypatch)
        lay, objective, gradient = value(name, theta, beta)
        assert (lay.pattern is None) == (route == "dense")
        assert (lay.plan is not None) == (route == "fronts")
        if lay.plan is not None:
            assert len(lay.plan.below) > 1
        modes = conditional_modes(m.design, m.family, beta, theta)
        found[route] = objective, gradient, modes
    dense = found.pop("dense")
    for other in found.values():
        assert other[0] == pytest.approx(dense[0], rel=1e-11)
        assert other[1] == pytest.approx(dense[1], rel=1e-8, abs=1e-8)
        for a, b in zip(other[2].sd + other[2].b, dense[2].sd + dense[2].b, strict=True):
            assert a == pytest.approx(b, abs=1e-9)


@every_case
@pytest.mark.parametrize("route", ROUTES)
def test_objective_is_that_of_lme4(name, route, monkeypatch):
    take(route, monkeypatch)
    case, m = CASES[name], model(name)
    theta = ours(case["given"][: m.design.template.m], [t.group for t in m.design.terms])
    _, found, _ = value(name, theta, np.array([0.1, 0.2]))
    assert found == pytest.approx(case["objective"], abs=1e-5 if case["kind"] == "liked" else 1e-6)


@every_case
@pytest.mark.parametrize("route", ROUTES)
def test_optimum_is_that_of_lme4(name, route, monkeypatch):
    take(route, monkeypatch)
    case, m = CASES[name], model(name)
    fit = m.maximize(reml=case["kind"] == "reml")
    assert fit.converged
    assert -2.0 * fit.loglik == pytest.approx(case["neg2loglik"], abs=1e-6)
    assert fit.theta == pytest.approx(case["theta"], abs=1e-4)
    assert fit.beta == pytest.approx(case["beta"], abs=1e-4)
    what = fit.ranef.query("group == 'what' and term == 'Intercept'").set_index("level")
    first = [level for level in sorted(what.index, key=int)][:5]
    assert what["mode"][first].to_numpy() == pytest.approx(case["what"], abs=1e-4)


@pytest.mark.parametrize("kind", ["reml", "liked"])
def test_predictions_and_draws_do_not_depend_on_the_route(kind, monkeypatch):
    found = []
    for route in ROUTES:
        take(route, monkeypatch)
        fit = model(f"{kind} scalar").maximize()
        rows = frame().head(40)
        predicted = fit.predict(rows, interval=0.9)
        found.append((predicted[["estimate", "conf_low", "conf_high"]], fit.std_error))
    for other in found[1:]:
        assert other[0].to_numpy() == pytest.approx(found[0][0].to_numpy(), abs=1e-6)
        assert other[1].to_numpy() == pytest.approx(found[0][1].to_numpy(), rel=1e-4)


def test_the_order_of_levels_and_rows_does_not_matter():
    one = model("reml scalar").maximize()
    rng = np.random.default_rng(5)
    names = rng.permutation(150)
    shuffled = frame().sample(frac=1.0, random_state=3).assign(what=lambda d: names[d["what"]])
    other = hw.lmer("y ~ x + (1 | who) + (1 | what)", shuffled)
    assert other.loglik == pytest.approx(one.loglik, abs=1e-7)
    assert other.theta == pytest.approx(one.theta, abs=1e-5)


@pytest.mark.parametrize("threads", [0, 1.5, True, "two"])
def test_threads_are_a_whole_number(threads):
    with pytest.raises(hw.errors.DataError, match="threads="):
        model("reml scalar").maximize(threads=threads)


def test_threads_reach_the_linear_algebra(monkeypatch):
    import threadpoolctl

    seen = []
    real = threadpoolctl.threadpool_limits

    def noted(limits, user_api=None):
        seen.append((limits, user_api))
        return real(limits, user_api=user_api)

    monkeypatch.setattr(threadpoolctl, "threadpool_limits", noted)
    one, two = (model("reml scalar").maximize(threads=t) for t in (1, 2))
    assert {limits for limits, _ in seen} == {1, 2}
    assert two.loglik == pytest.approx(one.loglik, abs=1e-9)
