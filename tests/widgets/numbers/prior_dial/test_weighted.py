"""Weighted draws against what can be said without weights, and against known densities.

Tolerance of densities: 0.02 of the top, some standard errors of a kernel estimate of 40,000 draws.
"""

import numpy as np
import pytest
from scipy import stats

from hierwidgets.widgets.numbers.prior_dial.weighted import sample

INF = np.inf


@pytest.fixture(scope="module")
def normals():
    return np.random.default_rng(1).standard_normal(40_000)


def test_even_weights_are_no_weights(normals):
    one = sample(normals, (-INF, INF))
    even = np.full(len(normals), 1 / len(normals))
    assert one.mean(even) == pytest.approx(normals.mean())
    np.testing.assert_allclose(one.interval(even), np.quantile(normals, [0.05, 0.95]), atol=1e-3)


def test_weights_turn_one_normal_into_another(normals):
    one = sample(normals, (-INF, INF))
    share = np.exp(0.5 * normals - 0.125)  # to mean 0.5
    share /= share.sum()
    assert one.mean(share) == pytest.approx(0.5, abs=0.02)
    at = np.linspace(-3, 4, 141)
    np.testing.assert_allclose(one.density(share, at), stats.norm(0.5).pdf(at), atol=0.02)


def test_a_density_does_not_leak_over_its_bound(normals):
    one = sample(np.abs(normals), (0.0, INF))
    even = np.full(len(normals), 1 / len(normals))
    at = np.linspace(0, 5, 201)
    found = one.density(even, at)
    assert np.trapezoid(found, at) == pytest.approx(1, abs=0.005)
    assert found[0] == pytest.approx(stats.halfnorm.pdf(0), abs=0.02)
    below = one.density(even, np.linspace(-1, 5, 241))
    assert (below[:40] == 0).all()


def test_a_window_shows_a_part_of_the_same_density(normals):
    one = sample(normals, (-INF, INF))
    even = np.full(len(normals), 1 / len(normals))
    whole, part = np.linspace(-4, 4, 801), np.linspace(0, 1, 101)
    np.testing.assert_allclose(
        one.density(even, part), one.density(even, whole)[400:501], atol=1e-3
    )  # fmt: skip


def test_all_weight_on_one_draw_is_a_spike():
    one = sample(np.array([3.0, 1.0, 2.0]), (-INF, INF))
    share = np.array([0.0, 1.0, 0.0])
    assert one.mean(share) == 1.0
    assert one.interval(share) == (1.0, 1.0)
    at = np.linspace(0, 4, 81)
    assert at[np.argmax(one.density(share, at))] == pytest.approx(1.0)
