"""Simulated responses and refits.

Moments of draws are compared within 4.5 Monte Carlo standard errors (one false alarm in 1e5).
A refit of a fit's own response must end at the same place: the search is the same, so 1e-12.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from support.paths import STRUCTURES

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError
from hierwidgets.spec import responses


@cache
def frame(name):
    return pd.read_csv(STRUCTURES / f"{name}.csv")


@cache
def fitted(name):
    b, g, c = frame("binary"), frame("gaussian"), frame("counts")
    makers = {
        "finland": lambda: hw.glmer(
            "contacted ~ (1 | district_id)", hw.load("finland"), event="Contacted"
        ),
        "binary": lambda: hw.glmer("y_slopes ~ x + (1 + x | g)", b, n_agq=1),
        "probit": lambda: hw.glmer("y_probit_scalar ~ x + (1 | g)", b, link="probit", n_agq=5),
        "trials": lambda: hw.glmer("p(y_trials, trials) ~ x + (1 | g) + (1 | h)", b),
        "weighted_binary": lambda: hw.glmer("y_scalar ~ x + (1 | g)", b, weights="w"),
        "array_weights": lambda: hw.glmer("y_scalar ~ z + (1 | g)", b, weights=b["w"].tolist()),
        "counts": lambda: hw.glmer("y_offset ~ x + (1 | g)", c, "poisson", offset="log_exposure"),
        "linear": lambda: hw.lmer("y_crossed ~ x + (1 | g) + (1 | h)", g),
        "weighted": lambda: hw.lmer("y_weights ~ x + (1 | g)", g, weights="w", reml=False),
    }
    return makers[name]()


EVERY = [
    "finland", "binary", "probit", "trials", "weighted_binary", "array_weights", "counts", "linear",
    "weighted",
]  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_refit_of_the_own_response_is_the_fit(name):
    fit = fitted(name)
    again = fit.refit(responses.observed(fit.design, fit.family))
    assert again.loglik == pytest.approx(fit.loglik, rel=1e-12)
    assert again.beta == pytest.approx(fit.beta, rel=1e-10)
    assert again.theta == pytest.approx(fit.theta, rel=1e-10)
    assert again.conditional_deviance == pytest.approx(fit.conditional_deviance, rel=1e-10)
    assert (again.n_agq, again.reml, again.nobs) == (fit.n_agq, fit.reml, fit.nobs)


@pytest.mark.parametrize("name", EVERY)
def test_refit_is_what_a_fit_of_new_data_is(name):
    fit = fitted(name)
    y = fit.simulate(1, seed=8)[0]
    again = fit.refit(y)
    design = fit.design
    data = design.data.assign(**{design.formula.response: y})
    more = {"offset": design.offset_column, "weights": design.weights.tolist()}
    model = hw.Model(design.formula.text, data, fit.family.name, link=fit.family.link.name, **more)
    fresh = model.maximize(fit.n_agq, fit.reml)
    assert again.loglik == pytest.approx(fresh.loglik, rel=1e-11)
    assert again.beta == pytest.approx(fresh.beta, abs=1e-7)
    assert again.conditional_deviance == pytest.approx(fresh.conditional_deviance, rel=1e-7)


def test_refit_leaves_the_fit_alone():
    fit = fitted("finland")
    before = (fit.design.y.copy(), fit.design.data.copy(), fit.beta.copy())
    fit.refit(fit.simulate(1, seed=1)[0])
    assert (fit.design.y == before[0]).all()
    pd.testing.assert_frame_equal(fit.design.data, before[1])
    assert (fit.beta == before[2]).all()


def test_refit_takes_text_as_the_fit_did():
    fit = fitted("finland")
    swapped = hw.load("finland")["contacted"].map(
        {"Contacted": "Not Contacted", "Not Contacted": "Contacted"}
    )
    assert fit.refit(swapped).fixef["Intercept"] == pytest.approx(-fit.fixef["Intercept"], abs=1e-6)


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


def test_refits_recover_the_truth():
    fit = fitted("linear")
    slopes = [fit.refit(y).fixef["x"] for y in fit.simulate(60, seed=6)]
    assert abs(np.mean(slopes) - fit.fixef["x"]) < 4.5 * np.std(slopes) / np.sqrt(60)


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


def ones(n):
    return np.ones(n)


@pytest.mark.parametrize(
    ("name", "y", "message"),
    [
        ("finland", ones(3), r"y has shape \(3,\).*each of the 1086 observations"),
        ("finland", np.ones((2, 1086)), r"y has shape \(2, 1086\)"),
        ("finland", np.r_[np.nan, np.ones(1085)], "y has 1 missing values"),
        ("finland", np.r_[2.0, np.ones(1085)], "a binomial response is 0 or 1"),
        ("finland", np.array(["a", "b"] * 543), "event='Contacted' is not a level of 'y'"),
        ("trials", ones(600) * 9, "9 successes out of [0-9]+ trials in row 0"),
        ("trials", ones(600) * 0.5, "y must hold successes"),
        ("counts", -ones(400), "y must hold counts"),
        ("linear", np.r_[np.inf, np.ones(359)], "y has 1 infinite values"),
        ("linear", np.array(["a"] * 360), "y must be numbers"),
    ],
)
def test_bad_refit(name, y, message):
    with pytest.raises(DataError, match=message):
        fitted(name).refit(y)


def test_refit_without_events_says_so():
    with pytest.raises(FitError, match="is 0 in every row"):
        fitted("finland").refit(np.zeros(1086))
