"""Sums over the pairs of columns that meet, against dense products.

Tolerance 1e-12: the same sums in another order.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from hierwidgets import Model
from hierwidgets.likelihood import blocks, pattern

FORMULAS = [
    "y ~ x + (1 | g) + (1 | h)",
    "y ~ x + (1 + x | g) + (1 | h)",
    "y ~ x + (1 | g) + (1 + x | h) + (1 | k)",
    "y ~ x + (1 + x | g) + (x || h) + (1 + x | k)",
]
each = pytest.mark.parametrize("formula", FORMULAS)


@cache
def model(formula):
    rng = np.random.default_rng(3)
    n = 250
    frame = pd.DataFrame({
        "y": rng.normal(size=n), "x": rng.normal(size=n), "g": rng.integers(0, 40, n),
        "h": rng.integers(0, 25, n), "k": rng.integers(0, 5, n),
    })  # fmt: skip
    return Model(formula, frame, "gaussian")


@pytest.fixture
def made(formula, monkeypatch):
    """Pattern, B with random values there (N, k) and dense (J * k, q2), and the terms."""
    monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    monkeypatch.setattr(pattern, "FULL", 1.1)
    design = model(formula).design
    met = blocks.layout(design).pattern
    places = np.random.default_rng(1).normal(size=(len(met.level), met.k))
    return met, places, met.matrix(places).toarray(), design.terms


def lower_of(met, S):
    return S[met.corner]


@each
def test_places_are_what_rows_touch(made):
    met, _, _, (first, *later) = made
    ones = np.ones(met.touched.shape)
    count = met.gather(ones)
    at = 0
    for term in later:
        for c in range(term.k):
            for i in range(0, len(first.codes), 17):
                place = (met.level == first.codes[i]) & (met.column == at + term.codes[i] * term.k + c)
                assert place.sum() == 1
                same = (first.codes == first.codes[i]) & (term.codes == term.codes[i])
                assert count[place] == same.sum()
        at += term.J * term.k


@each
def test_product_of_two(made):
    met, places, B, _ = made
    S = met.full(met.between(places, places)).toarray()
    assert S == pytest.approx(B.T @ B, abs=1e-12)
    assert met.full(met.between(places, places)).nnz == len(met.indices)
    assert lower_of(met, S) == pytest.approx(met.between(places, places), abs=0)


@each
def test_product_with_an_inverse(made):
    met, places, B, _ = made
    S = np.linalg.inv(B.T @ B + np.eye(met.q2))
    through = met.matrix(met.through(lower_of(met, S), places)).toarray()
    there = met.matrix(np.ones_like(places)).toarray() > 0
    assert through[there] == pytest.approx((B @ S)[there], abs=1e-12)


@each
def test_squares_of_the_rows(made):
    met, _, _, (_, *later) = made
    rng = np.random.default_rng(2)
    values, weight = rng.normal(size=met.touched.shape), rng.uniform(0.5, 2.0, len(met.touched))
    Z = np.zeros((len(weight), met.q2))
    columns = met.column[met.touched]
    np.put_along_axis(Z, columns, values, axis=1)
    assert met.full(met.squares(values, weight)).toarray() == pytest.approx(
        Z.T @ (weight[:, None] * Z), abs=1e-12
    )
    assert len(later) == len(met.runs)


@each
def test_factors_of_the_later_terms(made):
    met, places, B, (_, *later) = made
    rng = np.random.default_rng(4)
    factors = [np.tril(rng.normal(size=(t.k, t.k))) for t in later]
    L = np.zeros((met.q2, met.q2))
    at = 0
    for term, factor in zip(later, factors, strict=True):
        for _ in range(term.J):
            L[at : at + term.k, at : at + term.k] = factor
            at += term.k
    assert met.matrix(met.times_later(places, factors)).toarray() == pytest.approx(B @ L, abs=1e-12)
    S = met.between(places, places)[met.expand]
    left = met.later_times(factors, S)
    assert left[met.mirror] == pytest.approx(
        (L.T @ B.T @ B).T[np.repeat(np.arange(met.q2), np.diff(met.indptr)), met.indices], abs=1e-12
    )


@each
def test_blocks_on_the_diagonal(made):
    met, places, B, (first, *later) = made
    S = B.T @ B
    at = 0
    for term, found in zip(later, met.diagonal(later, lower_of(met, S)), strict=True):
        for j in range(term.J):
            part = slice(at + j * term.k, at + (j + 1) * term.k)
            assert found[j] == pytest.approx(S[part, part], abs=1e-12)
        at += term.J * term.k
    own = met.by_level(places, places, first.J)
    for j in range(first.J):
        part = B[j * met.k : (j + 1) * met.k]
        assert own[j] == pytest.approx(part @ part.T, abs=1e-12)


def test_none_where_levels_touch_most_columns(monkeypatch):
    monkeypatch.setattr(blocks, "DENSE_LIMIT", 0)
    design = model(FORMULAS[0]).design
    assert blocks.layout(design).pattern is None
    monkeypatch.setattr(pattern, "FULL", 1.1)
    assert blocks.layout(design).pattern is not None
    monkeypatch.setattr(pattern, "MOST_PAIRS", 10)
    assert blocks.layout(design).pattern is None
