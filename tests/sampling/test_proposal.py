"""The mixture that is proposed from, and the points it is drawn with."""

import numpy as np
import pytest
from scipy import stats

from hierwidgets.sampling.proposal import Mixture, Points

SKEW = Mixture(
    np.array([0.7, 0.3]),
    np.array([[0.0, 1.0], [3.0, -1.0]]),
    np.array([[[1.0, 0.0], [0.6, 0.8]], [[0.5, 0.0], [0.0, 2.0]]]),
    np.array([10.0, 4.0]),
)


@pytest.mark.parametrize("even", [False, True])
def test_draws_have_the_density(even) -> None:
    """Of each component: share, and the distances, whose squares over 2 are of F(2, df)."""
    x = SKEW.sample(Points(np.random.default_rng(5), 4, even=even), 4096)
    log_part, squares = SKEW.parts(x)
    own = np.exp(log_part - SKEW.log_density(x))
    error = own.std(axis=1) / 64
    assert np.abs(own.mean(axis=1) - SKEW.share)[0] < 4 * error[0]
    for c, (share, df) in enumerate(zip(SKEW.share, SKEW.df, strict=True)):
        inside = squares[c] / 2 < stats.f(2, df).median()
        seen = (own[c] * inside).mean() / share
        assert abs(seen - 0.5) < 4 * (own[c] * inside).std() / 64 / share


def test_the_density_is_that_of_scipy() -> None:
    x = np.random.default_rng(6).normal(size=(20, 2)) * 3
    parts = [
        stats.multivariate_t(m, L @ L.T, df).pdf(x)
        for m, L, df in zip(SKEW.mean, SKEW.root, SKEW.df, strict=True)
    ]
    np.testing.assert_allclose(np.exp(SKEW.log_density(x)), SKEW.share @ np.array(parts))


def test_even_points_err_less_and_are_uniform() -> None:
    def means(even: bool) -> np.ndarray:
        return np.array([
            Points(np.random.default_rng(seed), 12, even=even).following(2048).mean(axis=0)
            for seed in range(20)
        ])  # fmt: skip

    independent, even = means(False).std(), means(True).std()
    assert abs(independent - np.sqrt(1 / 12 / 2048)) < 0.2 * independent
    assert even < 0.1 * independent
    # Of every coordinate each of 2048 equal intervals holds one point.
    u = Points(np.random.default_rng(8), 12, even=True).following(2048)
    held = np.sort((u * 2048).astype(int), axis=0)
    np.testing.assert_array_equal(held, np.broadcast_to(np.arange(2048)[:, None], held.shape))


def test_blocks_go_on_where_the_last_one_ended() -> None:
    def points() -> Points:
        return Points(np.random.default_rng(7), 3, even=True)

    one, two = points(), points()
    parts = [one.following(1024), one.following(1024)]
    np.testing.assert_array_equal(np.vstack(parts), two.following(2048))
    assert np.all((parts[0] > 0) & (parts[0] < 1))
