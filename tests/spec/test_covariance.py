"""theta, Lambda, sds and correlations: exact algebra, compared to 1e-12 (rounding of a product)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierwidgets.spec.covariance import cholesky_from_sd_corr, sd_corr, template

TERMS = [(1, [[0]]), (3, [[0, 1, 2]]), (3, [[0, 2], [1]])]


def test_theta_runs_down_the_columns_of_each_block():
    t = template(TERMS)
    assert t.m == 1 + 6 + 4
    factors = t.factors(np.arange(1.0, t.m + 1))
    assert factors[0].tolist() == [[1]]
    assert factors[1].tolist() == [[2, 0, 0], [3, 5, 0], [4, 6, 7]]
    assert factors[2].tolist() == [[8, 0, 0], [0, 11, 0], [9, 0, 10]]
    assert t.diagonal.tolist() == [True] + [True, False, False, True, False, True] + [
        True, False, True, True,
    ]  # fmt: skip


def test_the_start_is_the_identity():
    t = template(TERMS)
    for factor, (k, _) in zip(t.factors(t.start()), TERMS, strict=True):
        assert (factor == np.eye(k)).all()


@pytest.mark.parametrize("seed", range(5))
def test_canonical_keeps_the_covariance_and_mends_the_signs(seed):
    t = template(TERMS)
    theta = np.random.default_rng(seed).normal(size=t.m)
    before = theta.copy()
    canonical = t.canonical(theta)
    assert (theta == before).all()
    assert (canonical[t.diagonal] >= 0).all()
    for a, b in zip(t.factors(theta), t.factors(canonical), strict=True):
        assert b @ b.T == pytest.approx(a @ a.T, abs=1e-12)
    assert (t.canonical(canonical) == canonical).all()


@pytest.mark.parametrize("seed", range(5))
def test_there_and_back(seed):
    rng = np.random.default_rng(seed)
    L = np.tril(rng.normal(size=(4, 4)))
    L[np.diag_indices(4)] = np.abs(np.diag(L))
    sd, corr = sd_corr(L)
    assert np.outer(sd, sd) * corr == pytest.approx(L @ L.T, abs=1e-12)
    assert cholesky_from_sd_corr(sd, corr) == pytest.approx(L, abs=1e-9)  # ill-conditioned corr


@pytest.mark.parametrize("rho", [-1.0, 1.0])
def test_correlations_at_the_end(rho):
    sd, corr = np.array([2.0, 3.0]), np.array([[1.0, rho], [rho, 1.0]])
    L = cholesky_from_sd_corr(sd, corr)
    assert L.tolist() == [[2.0, 0.0], [3.0 * rho, 0.0]]
    back_sd, back = sd_corr(L)
    assert back_sd.tolist() == [2.0, 3.0]
    assert back[0, 1] == rho


def test_no_correlation_with_what_does_not_vary():
    sd, corr = sd_corr(np.array([[0.0, 0.0], [0.0, 2.0]]))
    assert sd.tolist() == [0.0, 2.0]
    assert np.isnan(corr[0, 1])
    assert corr[1, 1] == 1.0


def test_a_zero_sd_makes_a_zero_row():
    corr = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert cholesky_from_sd_corr(np.array([0.0, 2.0]), corr)[0].tolist() == [0.0, 0.0]


@settings(max_examples=80, deadline=None)
@given(k=st.integers(1, 4), values=st.lists(st.floats(-3, 3), min_size=10, max_size=10))
def test_any_factor_and_that_of_its_sds_have_one_covariance(k, values):
    """On the boundary too; 1e-6, for 1 - r^2 loses half of the digits there."""
    L = np.zeros((k, k))
    L[np.tril_indices(k)] = np.round(values, 3)[: k * (k + 1) // 2]
    sd, corr = sd_corr(L)
    again = cholesky_from_sd_corr(sd, np.where(np.isnan(corr), 0.0, corr))
    assert again @ again.T == pytest.approx(L @ L.T, abs=1e-6)


def test_rounding_never_leaves_minus_one_to_one():
    assert abs(sd_corr(np.array([[0.1, 0.0], [0.3, 1e-18]]))[1]).max() <= 1.0
