"""The matrix A in blocks, against A written out with dense matrices and numpy's inverse.

Tolerance 1e-10: inverses of well-conditioned matrices of order 40, once by blocks.
"""

import numpy as np
import pytest
from core_cases import STRUCTURES, dense, frame, model, point

from hierwidgets import blocks

structures = pytest.mark.parametrize("structure", STRUCTURES)
storage = pytest.mark.parametrize("sparse", [False, True])


@pytest.fixture
def case(structure, sparse, monkeypatch):
    """Blocks at random weights, and dense Z Lambda (collapsed rows), A."""
    if sparse:
        monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    design = model("binomial", "logit", structure).design
    theta, _ = point(structure)
    lay = blocks.layout(design)
    assert lay.sparse == (sparse and len(design.terms) > 1)
    first = np.array([np.flatnonzero(design.rows == i)[0] for i in range(len(design.y))])
    ZL = dense(structure, theta, frame().iloc[first])
    weight = np.random.default_rng(3).uniform(0.1, 2.0, len(design.y))
    found = blocks.factorize(blocks.scale(lay, design.template.factors(theta)), weight)
    return found, ZL, np.eye(ZL.shape[1]) + ZL.T @ (weight[:, None] * ZL)


def close(value):
    return pytest.approx(value, rel=1e-10, abs=1e-10)


@structures
@storage
def test_log_determinant(case):
    found, _, A = case
    assert found.logdet == close(np.linalg.slogdet(A)[1])


@structures
@storage
def test_solve(case):
    found, ZL, A = case
    g = np.random.default_rng(4).normal(size=len(A))
    J, k = found.Dinv.shape[:2]
    x0, x2 = found.solve(g[: J * k].reshape(J, k), g[J * k :])
    assert np.concatenate([x0.ravel(), x2]) == close(np.linalg.solve(A, g))


@structures
@storage
def test_effect_and_its_transpose(case):
    found, ZL, A = case
    rng = np.random.default_rng(5)
    u, r = rng.normal(size=len(A)), rng.normal(size=len(ZL))
    J, k = found.Dinv.shape[:2]
    assert found.scaled.effect(u[: J * k].reshape(J, k), u[J * k :]) == close(ZL @ u)
    lead, rest = found.scaled.pull(r)
    assert np.concatenate([lead.ravel(), rest]) == close(ZL.T @ r)


@structures
@storage
def test_leverage_and_rows(case):
    found, ZL, A = case
    lead, later = found.rows()
    solved = np.linalg.solve(A, ZL.T).T
    assert found.leverage(lead, later) == close(np.einsum("ij,ij->i", ZL, solved))
    touched = found.lay.design.terms[0].codes[:, None] * lead.shape[1] + np.arange(lead.shape[1])
    assert lead == close(np.take_along_axis(solved, touched, axis=1))
    if later is not None:
        rest = solved[:, found.Dinv.shape[0] * lead.shape[1] :]
        if found.lay.sparse:
            rest = np.take_along_axis(rest, np.hstack(found.lay.columns), axis=1)
        assert later == close(rest)


@structures
@storage
def test_diagonal_blocks_of_the_inverse(case):
    found, _, A = case
    lead, later = found.inverse_diagonal()
    inverse, at = np.linalg.inv(A), 0
    for part in [lead, *later]:
        J, k, _ = part.shape
        for j in range(J):
            own = slice(at + j * k, at + (j + 1) * k)
            assert part[j] == close(inverse[own, own])
        at += J * k
    assert at == len(A)


@pytest.mark.parametrize("size", [3, blocks.SMALL + 7])
def test_symmetric_inverse(size):
    """Both ways, numpy's for small and LAPACK's for large matrices."""
    M = np.random.default_rng(size).normal(size=(size, size))
    A = M @ M.T + size * np.eye(size)
    inverse = blocks.symmetric_inverse(np.linalg.cholesky(A))
    assert inverse == close(np.linalg.inv(A))
    assert np.array_equal(inverse, inverse.T)


def test_a_level_with_one_row_each_needs_no_sums():
    lay = blocks.layout(model("binomial", "logit", "scalar").design)
    assert not lay.single
    values = np.arange(float(len(lay.design.y)))
    expected = np.bincount(lay.design.terms[0].codes, weights=values)
    assert lay.sum(values) == close(expected)
    assert lay.spread(expected) == close(expected[lay.design.terms[0].codes])
