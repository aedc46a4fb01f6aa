"""A in blocks against dense linear algebra.

Tolerance 1e-10: both sides are exact algebra on matrices of 30 to 60 columns whose condition is
below 1e3, so rounding leaves about 1e-13; `sparse` and `dense` follow different routes.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from hierwidgets import Model
from hierwidgets.likelihood import blocks, schur
from hierwidgets.likelihood.laplace import conditional_modes, laplace

FORMULAS = [
    "y ~ x + (1 | g)",
    "y ~ x + (1 + x | g)",
    "y ~ x + (1 | g) + (1 | h)",
    "y ~ x + (1 + x | g) + (1 | h)",
    "y ~ x + (1 | g) + (1 + x | h) + (1 | k)",
    "y ~ x + (1 + x | g) + (x || h)",
    "y ~ x + (1 | h/g)",
]
every_structure = pytest.mark.parametrize("formula", FORMULAS)
both_paths = pytest.mark.parametrize("limit", [blocks.DENSE_LIMIT, 0], ids=["dense", "sparse"])


def frame():
    rng = np.random.default_rng(8)
    n = 200
    return pd.DataFrame(
        {
            "y": rng.integers(0, 2, n),
            "x": rng.normal(size=n).round(1),
            "g": rng.integers(0, 12, n),
            "h": rng.integers(0, 5, n),
            "k": rng.integers(0, 3, n),
        }
    )


@cache
def model(formula):
    return Model(formula, frame(), "binomial")


@pytest.fixture
def made(formula, limit, monkeypatch):
    """Layout, blocks, weights and the dense Z Lambda of a structure."""
    monkeypatch.setattr(blocks, "DENSE_LIMIT", limit)
    design = model(formula).design
    rng = np.random.default_rng(9)
    lay = blocks.layout(design)
    assert lay.sparse == (limit == 0 and len(design.terms) > 1)
    factors = design.template.factors(rng.uniform(0.2, 1.2, design.template.m))
    weight = rng.uniform(0.05, 2.0, len(design.y))
    return lay, blocks.factorize(blocks.scale(lay, factors), weight), weight, dense(design, factors)


def dense(design, factors):
    parts = []
    for term, L in zip(design.terms, factors, strict=True):
        one = np.zeros((len(term.codes), term.J, term.k))
        one[np.arange(len(term.codes)), term.codes] = term.Z @ L
        parts.append(one.reshape(len(term.codes), -1))
    return np.hstack(parts)


def flat(lead, later):
    return np.concatenate([np.ravel(lead), np.ravel(later)])


@every_structure
@both_paths
def test_logdet_and_solve(made):
    lay, found, weight, ZL = made
    A = np.eye(ZL.shape[1]) + ZL.T @ (weight[:, None] * ZL)
    assert found.logdet == pytest.approx(np.linalg.slogdet(A)[1], rel=1e-12)
    g = np.random.default_rng(1).normal(size=len(A))
    first = lay.design.terms[0]
    cut = first.J * first.k
    x = flat(*found.solve(g[:cut].reshape(first.J, first.k), g[cut:]))
    assert x == pytest.approx(np.linalg.solve(A, g), abs=1e-10)


@every_structure
@both_paths
def test_effect_and_pull(made):
    lay, found, _, ZL = made
    rng = np.random.default_rng(2)
    first = lay.design.terms[0]
    u, v = rng.normal(size=ZL.shape[1]), rng.normal(size=len(ZL))
    cut = first.J * first.k
    effect = found.scaled.effect(u[:cut].reshape(first.J, first.k), u[cut:])
    assert effect == pytest.approx(ZL @ u, abs=1e-10)
    assert flat(*found.scaled.pull(v)) == pytest.approx(ZL.T @ v, abs=1e-10)


@every_structure
@both_paths
def test_rows_and_leverage(made):
    _, found, weight, ZL = made
    A = np.eye(ZL.shape[1]) + ZL.T @ (weight[:, None] * ZL)
    H = ZL @ np.linalg.solve(A, ZL.T)
    lead, later = found.rows()
    assert found.leverage(lead, later) == pytest.approx(np.diag(H), abs=1e-10)
    by_row = np.linalg.solve(A, ZL.T).T  # (n, q)
    first = found.lay.design.terms[0]
    cols = first.codes[:, None] * first.k + np.arange(first.k)
    assert lead == pytest.approx(np.take_along_axis(by_row, cols, axis=1), abs=1e-10)


@every_structure
@both_paths
def test_diagonal_blocks_of_the_inverse(made):
    lay, found, weight, ZL = made
    inverse = np.linalg.inv(np.eye(ZL.shape[1]) + ZL.T @ (weight[:, None] * ZL))
    lead, later = found.inverse_diagonal()
    at = 0
    for term, own in zip(lay.design.terms, [lead, *later], strict=True):
        assert own.shape == (term.J, term.k, term.k)
        for j in range(term.J):
            part = slice(at + j * term.k, at + (j + 1) * term.k)
            assert own[j] == pytest.approx(inverse[part, part], abs=1e-10)
        at += term.J * term.k


@every_structure
def test_dense_and_sparse_paths_agree(formula, monkeypatch):
    m = model(formula)
    rng = np.random.default_rng(5)
    theta, beta = rng.uniform(0.2, 1.0, m.design.template.m), np.array([0.2, -0.5])
    found = []
    for limit in (blocks.DENSE_LIMIT, 0):
        monkeypatch.setattr(blocks, "DENSE_LIMIT", limit)
        lay = blocks.layout(m.design)
        found.append((laplace(lay, m.family, theta, beta),
                      conditional_modes(m.design, m.family, beta, theta, lay=lay)))  # fmt: skip
    (a, one), (b, two) = found
    assert a.neg2loglik == pytest.approx(b.neg2loglik, rel=1e-12)
    assert a.gradient == pytest.approx(b.gradient, abs=1e-9)
    for p, q in zip(one.sd, two.sd, strict=True):
        assert p == pytest.approx(q, abs=1e-10)


@pytest.mark.parametrize("size", [3, schur.SMALL - 1, schur.SMALL, 150])
def test_symmetric_inverse(size):
    root = np.random.default_rng(0).normal(size=(size, size)) / np.sqrt(size)
    A = np.eye(size) + root @ root.T
    inverse = schur.symmetric_inverse(np.linalg.cholesky(A))
    assert inverse == pytest.approx(np.linalg.inv(A), abs=1e-10)
    assert (inverse == inverse.T).all() or size < schur.SMALL
    assert inverse == pytest.approx(inverse.T, abs=1e-15)


def test_one_row_per_level_needs_no_sums():
    data = frame().assign(g=range(200))
    lay = blocks.layout(Model("y ~ x + (1 | g)", data, "binomial").design)
    assert lay.single
    values = np.arange(200.0)
    assert lay.sum(values) is values
    assert lay.spread(values) is values
