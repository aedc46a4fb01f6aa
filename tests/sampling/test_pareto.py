"""Smoothed weights against ArviZ's. k within .03: releases differ by one in the tail's length."""

import numpy as np
import pytest

from hierwidgets.sampling.pareto import smoothed


def test_weights_and_k_are_those_of_arviz() -> None:
    az = pytest.importorskip("arviz_stats.base").array_stats
    trial, _ = az.psislw(np.linspace(0.0, 1.0, 100))
    sign = 1.0 if trial[0] < trial[-1] else -1.0
    for seed in range(4):
        x = np.random.default_rng(seed).standard_t(5, 4000)
        log_ratio = 3 * np.log1p(x**2 / 5) - x**2 / (10 if seed % 2 else 18)
        found = smoothed(log_ratio)
        log_weight, k = az.psislw(sign * log_ratio)
        assert found.k == pytest.approx(float(k), abs=0.03)
        assert found.share == pytest.approx(np.exp(log_weight), abs=0.05 * found.share.max())


def test_worth_of_weights() -> None:
    assert smoothed(np.zeros(1000)).effective == pytest.approx(1000)
    lone = np.r_[50.0, np.random.default_rng(1).standard_normal(2000)]
    assert smoothed(lone).k > 0.7
    assert smoothed(np.full(100, -np.inf)).k == np.inf
    one = np.full(1000, -np.inf)
    one[7] = 0.0
    assert smoothed(one).k == np.inf
    one[:500] = 0.0
    assert smoothed(one).k == -np.inf
    assert smoothed(one).effective == pytest.approx(500)


def test_draws_of_one_weight_at_the_tail_s_end_stay_alike() -> None:
    rng = np.random.default_rng(3)
    log_ratio = np.round(rng.standard_exponential(4000), 1)  # many are equal
    found = smoothed(log_ratio)
    cut = np.sort(log_ratio)[-int(3 * np.sqrt(4000)) - 1]
    assert np.sum(log_ratio == cut) > 10
    np.testing.assert_allclose(np.ptp(found.share[log_ratio == cut]), 0.0, atol=1e-18)
    order = rng.permutation(4000)
    again = smoothed(log_ratio[order])
    assert again.k == pytest.approx(found.k, rel=1e-12)
    np.testing.assert_allclose(np.sort(again.share), np.sort(found.share), rtol=1e-12)
