"""The band of ranks: small cases by counting all their outcomes, a larger one by simulation."""

from itertools import product

import numpy as np
import pytest

from hierwidgets.recovery.rank_band import band, p_value


def inside(ranks, L, low, high):
    share = np.cumsum(np.bincount(ranks, minlength=L + 1))[:L] / len(ranks)
    return bool(((low <= share) & (share <= high)).all())


@pytest.mark.parametrize(("n", "L"), [(2, 2), (5, 3), (4, 4), (3, 1)])
def test_the_probability_of_p_is_p(n, L):
    """P(p <= q) = q at every q that p can be: over all (L + 1)^n equally likely outcomes."""
    found = np.array([p_value(np.array(r), L) for r in product(range(L + 1), repeat=n)])
    for q in np.unique(found.round(9)):
        assert np.mean(found < q + 1e-7) == pytest.approx(q, abs=1e-7)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_band_holds_with_its_level_and_no_narrower_one_does(level):
    n, L = 5, 3
    low, high = band(n, L, level)
    outcomes = [np.array(r) for r in product(range(L + 1), repeat=n)]
    held = np.array([inside(r, L, low, high) for r in outcomes])
    assert held.mean() >= level
    p = np.array([p_value(r, L) for r in outcomes])
    assert p[held].min() > 1 - level - 1e-9
    assert p[~held].max() <= 1 - level + 1e-9


def test_the_band_by_simulation():
    """4,000 sets of 200 ranks: 95 % within three Monte Carlo errors, and a little above."""
    n, L, level = 200, 99, 0.95
    low, high = band(n, L, level)
    rng = np.random.default_rng(1)
    held = np.mean([inside(rng.integers(0, L + 1, n), L, low, high) for _ in range(4000)])
    assert level - 0.011 < held < level + 0.02


@pytest.mark.parametrize("rank", ["narrow", "wide", "low"])
def test_uneven_ranks_have_a_small_p(rank):
    u = np.random.default_rng(2).random(300)
    bent = {"narrow": np.round(99 * (0.5 - np.cos(np.pi * u) / 2)), "wide": 30 + 40 * u,
            "low": 80 * u}[rank]  # fmt: skip
    assert p_value(np.floor(99 * u).astype(int), 99) > 0.05
    assert p_value(bent.astype(int), 99) < 1e-3
