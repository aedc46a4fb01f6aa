"""Simulated responses: their moments, within 4.5 Monte Carlo standard errors (one false alarm in
1e5), and the values they can take.
"""

import numpy as np
import pytest
from scipy.special import ndtri
from support.structure_fits import EVERY, fitted, frame

from hierwidgets.errors import DataError
from hierwidgets.spec import responses


def test_draws_are_reproducible_and_of_their_own():
    fit = fitted("finland")
    assert (fit.simulate(3, seed=5) == fit.simulate(3, seed=5)).all()
    assert (fit.simulate(3, seed=5)[:2] == fit.simulate(2, seed=5)).all()
    assert (fit.simulate(1, seed=5) != fit.simulate(1, seed=6)).any()
    assert (fit.simulate(1, seed=np.random.default_rng(5)) == fit.simulate(1, seed=5)).all()


@pytest.mark.parametrize("name", EVERY)
def test_conditional_draws_have_the_fitted_means(name):
    fit, n = fitted(name), 2000
    y = fit.simulate(n, seed=2, condition=True)
    trials = responses.observed_trials(fit.design)
    gap = y.mean(axis=0) / trials - fit.fitted.to_numpy()
    error = y.std(axis=0) / trials / np.sqrt(n)
    most = -ndtri(1e-6 / len(gap))  # of as many draws from a normal distribution
    assert np.abs(gap[error > 0] / error[error > 0]).max() < most
    # all rows together, a sharper look
    total = (y / trials).mean(axis=1)
    mean = fit.fitted.mean()
    assert abs(total.mean() - mean) < 4.5 * total.std() / np.sqrt(n)


def test_new_effects_have_the_fitted_covariance():
    """Gaussian outcomes of one draw: V = sigma^2 (I + Z Lambda Lambda' Z')."""
    fit, n = fitted("linear"), 4000
    y = fit.simulate(n, seed=3)
    residual = y - fit.predict(re_formula="~0")["estimate"].to_numpy()
    g, h = fit.design.data["g"].to_numpy(), fit.design.data["h"].to_numpy()
    sd = fit.varcorr.set_index("group")["sd"] ** 2
    pairs = [(0, 0)]
    pairs += [(0, next(i for i in range(1, 360) if (g[i] == g[0]) and (h[i] != h[0])))]
    pairs += [(0, next(i for i in range(1, 360) if (g[i] != g[0]) and (h[i] == h[0])))]
    pairs += [(0, next(i for i in range(1, 360) if (g[i] != g[0]) and (h[i] != h[0])))]
    expected = [sd["g"] + sd["h"] + sd["Residual"], sd["g"], sd["h"], 0.0]
    for (i, j), value in zip(pairs, expected, strict=True):
        product = residual[:, i] * residual[:, j]
        assert abs(product.mean() - value) < 4.5 * product.std() / np.sqrt(n)


def test_weights_divide_the_variance():
    fit, n = fitted("weighted"), 3000
    y = fit.simulate(n, seed=4, condition=True)
    w = fit.design.weights
    found = y.var(axis=0) * w / fit.sigma**2
    assert abs(found.mean() - 1) < 4.5 * np.sqrt(2 / (n * len(w)))


def test_values_are_possible():
    assert set(np.unique(fitted("finland").simulate(5, seed=1))) == {0.0, 1.0}
    trials = frame("binary")["trials"].to_numpy()
    y = fitted("trials").simulate(5, seed=1)
    assert ((y >= 0) & (y <= trials) & (y == np.floor(y))).all()
    y = fitted("counts").simulate(5, seed=1)
    assert ((y >= 0) & (y == np.floor(y))).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 0}, "n=0; give a whole number of responses"),
        ({"n": 2.0}, "n=2.0"),
        ({"n": 1, "seed": "x"}, "seed='x' is not a seed"),
        ({"n": 1, "condition": "modes"}, "condition='modes' is neither"),
    ],
)
def test_bad_simulate(given, message):
    with pytest.raises(DataError, match=message):
        fitted("finland").simulate(**given)
