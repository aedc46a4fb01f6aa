"""A sparse factor in fronts against dense linear algebra.

Tolerance 1e-12: exact algebra on matrices of up to 400 columns whose condition is below 1e3.
"""

import numpy as np
import pytest
import scipy

from hierwidgets.likelihood import fronts


def meeting(q, share, seed):
    """Columns that meet in random levels."""
    B = scipy.sparse.random_array((q, q), density=share, rng=np.random.default_rng(seed))
    return B.T @ B


def rare_and_popular(q, seed):
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, q + 1)
    rows = rng.choice(q, 3 * q, p=share / share.sum())
    B = scipy.sparse.csr_array((np.ones(3 * q), (rng.integers(0, q, 3 * q), rows)), shape=(q, q))
    return B.T @ B


MATRICES = {
    "one column": scipy.sparse.eye_array(1),
    "no two meet": scipy.sparse.eye_array(30),
    "neighbours": scipy.sparse.diags_array([np.ones(99), np.ones(99)], offsets=[1, -1]),
    "few meet": meeting(60, 0.01, 1),
    "some meet": meeting(200, 0.01, 2),
    "many meet": meeting(300, 0.02, 3),
    "rare and popular": rare_and_popular(400, 4),
    "apart": scipy.sparse.block_diag([meeting(40, 0.05, s) for s in range(4)]),
}
FRONTS = {"one column": 1, "no two meet": 30, "neighbours": 20, "rare and popular": 20, "apart": 8}
each = pytest.mark.parametrize("name", MATRICES)


@pytest.fixture
def made(name, monkeypatch):
    """Dense matrix, its lower triangle's rows and columns, and its plan with small fronts."""
    S = (MATRICES[name] + 3.0 * scipy.sparse.eye_array(MATRICES[name].shape[0])).tocsr()
    S.sort_indices()
    monkeypatch.setattr(fronts, "_FRONT", 1e-9)
    monkeypatch.setattr(fronts, "dense_seconds", lambda q: np.inf)
    rows = np.repeat(np.arange(S.shape[0]), np.diff(S.indptr))
    lower = np.flatnonzero(S.indices <= rows)
    plan = fronts.plan(S.indptr.astype(np.int64), S.indices.astype(np.int64), lower)
    assert len(plan.below) >= FRONTS.get(name, 1)
    return S.toarray(), (rows[lower], S.indices[lower]), plan


@each
def test_determinant_and_solutions(made):
    S, corner, plan = made
    factor = plan.factor(S[corner])
    assert factor.logdet == pytest.approx(np.linalg.slogdet(S)[1], rel=1e-12)
    g = np.random.default_rng(0).normal(size=(len(S), 3))
    assert factor.solve(g) == pytest.approx(np.linalg.solve(S, g), abs=1e-12)
    assert factor.solve(g[:, 0]) == pytest.approx(np.linalg.solve(S, g[:, 0]), abs=1e-12)


@each
def test_half_a_solution_squares_to_the_inverse(made):
    S, corner, plan = made
    factor = plan.factor(S[corner])
    root = np.stack([factor.half(e) for e in np.eye(len(S))], axis=1)
    assert root @ root.T == pytest.approx(np.linalg.inv(S), abs=1e-12)


@each
def test_inverse_where_the_matrix_is_not_zero(made):
    S, corner, plan = made
    expected = np.linalg.inv(S)[corner]
    factor = plan.factor(S[corner])
    assert factor.inverse() == pytest.approx(expected, abs=1e-12)
    assert factor.inverse() == pytest.approx(expected, abs=1e-12)  # the factor is as it was
    assert factor.inverse(last=True) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["neighbours", "rare and popular"])
def test_every_column_is_in_one_front(made):
    S, _, plan = made
    assert sorted(plan.order) == list(range(len(S)))
    assert plan.starts[-1] == len(S)
    for f, below in enumerate(plan.below):
        assert (below >= plan.starts[f + 1]).all()
        assert (plan.parent[f] > f) if len(below) else (plan.parent[f] == -1)


@pytest.mark.parametrize("name", ["neighbours", "rare and popular"])
def test_a_matrix_without_a_factor(made):
    S, corner, plan = made
    values = np.where(corner[0] == corner[1], -1.0, S[corner])
    with pytest.raises(np.linalg.LinAlgError):
        plan.factor(values)


def planned(S):
    S = S.tocsr()
    S.sort_indices()
    rows = np.repeat(np.arange(S.shape[0]), np.diff(S.indptr))
    lower = np.flatnonzero(S.indices <= rows)
    return fronts.plan(S.indptr.astype(np.int64), S.indices.astype(np.int64), lower)


def test_dense_where_that_costs_less():
    assert planned(meeting(300, 0.2, 1) + scipy.sparse.eye_array(300)) is None


@pytest.mark.parametrize(
    "S",
    [
        scipy.sparse.diags_array([np.ones(4999)] * 2, offsets=[1, -1]),
        rare_and_popular(8000, 1),
    ],
    ids=["neighbours", "rare and popular"],
)
def test_sparse_where_that_costs_less(S):
    q = S.shape[0]
    found = planned(S + scipy.sparse.eye_array(q))
    assert found.seconds < fronts.dense_seconds(q)
    assert found.offset[-1] < q * q / 10  # numbers that are kept
