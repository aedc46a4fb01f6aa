"""Working coordinates: the same model, orthogonal columns, a linear map; and what follows.

A predictor's origin and unit say nothing about a model in which it varies with the constant:
likelihood, predictions, slopes and their errors stay as they are. Tolerances: products of
matrices 1e-10. A fit of a predictor that is a million standard deviations from 0 keeps ten digits
of its estimates; standard errors come from a differenced Hessian, 1e-4, and of predictions there
from sums of variances of 1e12 that leave 1: 1e-3.
"""

from functools import cache

import numpy as np
import pytest
from support.core_cases import STRUCTURES, model, point
from support.waves import KINDS, SHIFTS, moved, waves

import hierwidgets as hw
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.coordinates import working
from hierwidgets.likelihood.estimate import profile_loglik
from hierwidgets.likelihood.laplace import laplace

every_shift = pytest.mark.parametrize("shift", SHIFTS)
every_kind = pytest.mark.parametrize("kind", KINDS)


# --- the map ------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", STRUCTURES)
def test_columns_of_a_block_are_orthogonal_and_of_one_size(structure):
    design = model("binomial", "logit", structure).design
    own = working(design)
    n = len(design.X)
    assert pytest.approx(n * np.eye(2), abs=1e-9) == own.design.X.T @ own.design.X
    assert pytest.approx(design.X, abs=1e-12) == own.design.X @ own.R
    for term, inner, T in zip(design.terms, own.design.terms, own.T, strict=True):
        assert np.array_equal(T, np.tril(T))
        assert (np.diag(T) > 0).all()
        assert pytest.approx(inner.Z, abs=1e-10) == term.Z @ T
        for block in term.blocks:
            Z = inner.Z[:, list(block)]
            assert pytest.approx(n * np.eye(len(block)), abs=1e-9) == Z.T @ Z


@pytest.mark.parametrize("structure", STRUCTURES)
def test_likelihood_and_gradient_go_over_exactly(structure):
    m = model("binomial", "logit", structure)
    own = working(m.design)
    theta, beta = point(structure)
    inner = own.inward @ np.concatenate([theta, beta])
    here = laplace(layout(m.design), m.family, theta, beta)
    there = laplace(layout(own.design), m.family, *np.split(inner, [len(theta)]))
    assert there.neg2loglik == pytest.approx(here.neg2loglik, rel=1e-12)
    assert own.inward.T @ there.gradient == pytest.approx(here.gradient, abs=1e-7)
    assert own.outward @ inner == pytest.approx(np.concatenate([theta, beta]), abs=1e-12)
    factors = m.design.template.factors(theta)
    found = own.design.template.factors(inner[: len(theta)])
    for T, L, inside in zip(own.T, factors, found, strict=True):
        assert T @ inside == pytest.approx(L, abs=1e-12)


def test_collinear_columns_of_a_block_are_only_scaled():
    data = waves().assign(twice=lambda d: 2 * d["x"])
    design = hw.Model("z ~ x + (x + twice | country)", data).design
    T = working(design).T[0]
    assert np.array_equal(T, np.diag(np.diag(T)))
    assert hw.lmer("z ~ x + (x + twice | country)", data).loglik >= fitted("reml").loglik - 1e-6


# --- laws of shifts and scales ------------------------------------------------------------


@cache
def fitted(kind, shift=None, bars="(x | country)"):
    data = waves() if shift is None else moved(waves(), *SHIFTS[shift])
    return KINDS[kind](data, bars)


def same(there, here, scale=1.0, kind=""):
    unit = np.log(scale) if kind == "reml" else 0.0  # REML's density is of contrasts in that unit
    assert there.converged
    assert there.loglik + unit == pytest.approx(here.loglik, abs=1e-6)
    assert there.fixef["x"] * scale == pytest.approx(here.fixef["x"], rel=1e-5)
    assert there.std_error["x"] * scale == pytest.approx(here.std_error["x"], rel=1e-4)
    sds = [f.varcorr.query("term == 'x' and other.isna()")["sd"].iloc[0] for f in (there, here)]
    assert sds[0] * scale == pytest.approx(sds[1], rel=1e-4, abs=1e-6)


@every_shift
@every_kind
def test_the_fit_does_not_change(kind, shift):
    here, there = fitted(kind), fitted(kind, shift)
    same(there, here, SHIFTS[shift][1], kind)
    ours, theirs = (f.predict(scale="link", interval=0.9) for f in (there, here))
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        assert ours[column].to_numpy() == pytest.approx(theirs[column].to_numpy(), rel=1e-3)


@every_shift
@every_kind
def test_slopes_do_not_change(kind, shift):
    here, there = (hw.slopes(f, "x") for f in (fitted(kind), fitted(kind, shift)))
    scale = SHIFTS[shift][1]
    for column in ("estimate", "std_error"):
        found = there[column].to_numpy(dtype=float) * scale
        assert found == pytest.approx(here[column].to_numpy(dtype=float), rel=1e-3)


@every_shift
def test_quadrature_with_slopes_outside(shift):
    """The gradient is differenced there: the search stops within 1e-4."""
    scale = SHIFTS[shift][1]
    one, other = (
        hw.glmer("b ~ x + (1 | town) + (x | country)", data, n_agq=3)
        for data in (waves()[:300], moved(waves()[:300], *SHIFTS[shift]))
    )
    assert other.loglik == pytest.approx(one.loglik, abs=1e-4)
    assert other.fixef["x"] * scale == pytest.approx(one.fixef["x"], abs=1e-3)


@pytest.mark.parametrize("bars", ["(x | country) + (1 | town)", "(x | country) + (x | town)"])
@every_kind
def test_years_of_several_groups(kind, bars):
    same(fitted(kind, "year", bars), fitted(kind, None, bars))


@pytest.mark.parametrize("seed", range(30))
def test_thirty_surveys_by_wave_and_by_year(seed):
    data = waves(seed)
    for make in KINDS.values():
        same(make(moved(data, 2018.0, 1.0), "(x | country)"), make(data, "(x | country)"))


def test_the_survey_of_the_report():
    fit = fitted("logit", "year")
    assert fit.loglik == pytest.approx(-377.2098, abs=1e-4)
    assert fit.std_error["x"] == pytest.approx(0.170, abs=5e-4)
    assert fit.varcorr["sd"].iloc[1] == pytest.approx(0.556, abs=5e-4)


@every_kind
def test_a_refit_of_the_same_response_does_not_change(kind):
    """As in a parametric bootstrap."""
    y = fitted(kind).simulate(1, seed=5)[0]
    same(fitted(kind, "year").refit(y), fitted(kind).refit(y))


@pytest.mark.parametrize("shift", ["year", "farthest", "both"])
def test_a_profile_with_a_slope_held(shift):
    scale = SHIFTS[shift][1]
    here, there = fitted("logit"), fitted("logit", shift)
    held = [
        profile_loglik(f.design, f.family, f.theta, 1, f.beta, {1: slope})[0]
        for f, slope in ((here, 0.1), (there, 0.1 / scale))
    ]
    assert held[1] == pytest.approx(held[0], abs=1e-6)
    assert held[0] < here.loglik
