"""theta, Lambda, sds and correlations.

Tolerances: 1e-12 for what is a handful of products; 1e-7 for correlations recovered where an sd
or a conditional sd nears 0, since 1 - r^2 loses half of the digits.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierwidgets.covariance import cholesky_from_sd_corr, sd_corr, template

element = st.floats(-3, 3).map(lambda v: round(v, 3))


@settings(max_examples=80, deadline=None)
@given(k=st.integers(1, 4), values=st.lists(element, min_size=10, max_size=10))
def test_sd_and_corr_there_and_back(k, values):
    """Lambda and the Lambda of its sds and correlations have the same covariance."""
    L = np.zeros((k, k))
    L[np.tril_indices(k)] = values[: k * (k + 1) // 2]
    sd, corr = sd_corr(L)
    assert sd == pytest.approx(np.sqrt((L**2).sum(axis=1)), abs=1e-12)
    again = cholesky_from_sd_corr(sd, np.where(np.isnan(corr), 0.0, corr))
    assert again @ again.T == pytest.approx(L @ L.T, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(values=st.lists(element, min_size=5, max_size=5))
def test_canonical_keeps_the_covariance(values):
    t = template([(1, [[0]]), (2, [[0, 1]]), (1, [[0]])])
    theta = np.array(values)
    made = t.canonical(theta)
    assert (made[t.diagonal] >= 0).all()
    for before, after in zip(t.factors(theta), t.factors(made), strict=True):
        assert after @ after.T == pytest.approx(before @ before.T, abs=1e-12)
    assert t.canonical(made) == pytest.approx(made)
    assert theta.tolist() == values  # not changed in place


def test_order_is_column_by_column():
    """As lme4's theta: a 3 x 3 factor is filled by columns."""
    L = template([(3, [[0, 1, 2]])]).factors(np.arange(1.0, 7.0))[0]
    assert L.tolist() == [[1, 0, 0], [2, 4, 0], [3, 5, 6]]


def test_blocks_are_apart():
    t = template([(3, [[0], [1, 2]])])
    assert t.m == 4
    L = t.factors(np.array([1.0, 2.0, 3.0, 4.0]))[0]
    assert L.tolist() == [[1, 0, 0], [0, 2, 0], [0, 3, 4]]
    assert t.start().tolist() == [1, 1, 0, 1]


def test_on_the_boundary():
    corr = np.array([[1.0, 1.0], [1.0, 1.0]])
    L = cholesky_from_sd_corr(np.array([2.0, 3.0]), corr)
    assert L.tolist() == [[2, 0], [3, 0]]
    sd, back = sd_corr(L)
    assert sd.tolist() == [2, 3]
    assert back == pytest.approx(corr)
    none = cholesky_from_sd_corr(np.array([0.0, 3.0]), np.eye(2))
    assert none.tolist() == [[0, 0], [0, 3]]


def test_correlation_with_what_does_not_vary_is_not_defined():
    sd, corr = sd_corr(np.array([[0.0, 0.0], [0.5, 1.0]]))
    assert sd[0] == 0
    assert np.isnan(corr[0, 1])
    assert corr[1, 1] == 1


def test_tiny_rounding_never_leaves_minus_one_to_one():
    L = np.array([[0.1, 0.0], [0.3, 1e-18]])
    assert abs(sd_corr(L)[1]).max() <= 1.0
