"""Families and links against scipy.stats and finite differences.

Tolerances: log densities 1e-12 relative, both sides in closed form; central differences with a
step of 1e-5 leave an error of 1e-10 times the third derivative plus rounding of 1e-11 times the
value: 1e-6 relative to the scale of the rows, which counts up to 20.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import hierwidgets as hw
from hierwidgets.families import family

ALL = [
    ("binomial", "logit"), ("binomial", "probit"), ("binomial", "cloglog"), ("poisson", "log"),
    ("gaussian", "identity"),
]  # fmt: skip
each = pytest.mark.parametrize(("name", "link"), ALL)
STEP = 1e-5


def density(name, y, n, mu):
    if name == "binomial":
        return stats.binom.logpmf(y, n, mu)
    if name == "poisson":
        return stats.poisson.logpmf(y, mu)
    return stats.norm.logpdf(y, mu) + 0.5 * np.log(2 * np.pi)


@each
@settings(max_examples=60, deadline=None)
@given(eta=st.floats(-2.5, 2.5), n=st.integers(1, 20), share=st.floats(0, 1))
def test_log_density_and_derivatives(name, link, eta, n, share):
    f = family(name, link)
    y = np.array([float(round(share * n))])
    trials = np.array([float(n if name == "binomial" else 1)])
    at = f.derivatives(y, trials, np.array([eta]))
    mu = f.link.inverse(np.array([eta]))[0]
    assert at.loglik + f.counting(y, trials) == pytest.approx(
        density(name, y, n, mu), rel=1e-9, abs=1e-10
    )
    assert f.loglik(y, trials, np.array([eta])) == pytest.approx(at.loglik, rel=1e-13)
    up, down = (f.derivatives(y, trials, np.array([eta + h])) for h in (STEP, -STEP))
    close = {"rel": 1e-6, "abs": 1e-6 * n}
    assert at.score == pytest.approx((up.loglik - down.loglik) / (2 * STEP), **close)
    assert at.information == pytest.approx((down.score - up.score) / (2 * STEP), **close)
    assert at.weight_slope == pytest.approx((up.weight - down.weight) / (2 * STEP), **close)


@pytest.mark.parametrize(("name", "link"), ALL[:4])
@pytest.mark.parametrize("eta", [-1.7, 0.0, 1.2])
def test_information_by_summing_over_outcomes(name, link, eta):
    """The score has mean 0; its variance, and the mean observed information, are the weight."""
    f, n = family(name, link), 6.0 if name == "binomial" else 1.0
    y = np.arange(7.0 if name == "binomial" else 80.0)
    p = np.exp(density(name, y, n, f.link.inverse(np.array([eta]))[0]))
    at = f.derivatives(y, np.full_like(y, n), np.full_like(y, eta))
    assert p @ at.score == pytest.approx(0, abs=1e-12)
    assert p @ at.score**2 == pytest.approx(at.weight[0], rel=1e-11)
    assert p @ at.information == pytest.approx(at.weight[0], rel=1e-11)
    if eta:  # at 0 a symmetric link's two kinds of information agree
        assert f.canonical == np.allclose(at.information, at.weight, rtol=1e-12)


@each
def test_forward_undoes_inverse(name, link):
    eta = np.linspace(-3, 1.5, 19)
    lk = family(name, link).link
    mu, dmu = lk.inverse(eta)
    assert lk.forward(mu) == pytest.approx(eta, rel=1e-12, abs=1e-12)
    slope = (lk.inverse(eta + STEP)[0] - lk.inverse(eta - STEP)[0]) / (2 * STEP)
    assert dmu == pytest.approx(slope, rel=1e-8)


@pytest.mark.parametrize(("name", "link"), ALL[:4])
@pytest.mark.parametrize("eta", [-745.0, -40.0, -9.0, 5.0, 20.0])
def test_far_out_everything_stays_finite(name, link, eta):
    f, y = family(name, link), np.array([0.0, 1.0])
    at = f.derivatives(y, np.ones(2), np.full(2, eta))
    assert all(np.isfinite(part).all() for part in at)
    assert (at.weight >= 0).all()
    assert (at.information >= -1e-12).all()  # the log density is concave in eta


def test_tails_keep_their_digits():
    """log(1 - p) where p rounds to 1: -eta (logit), and the asymptote of Mills (probit)."""
    y, n, eta = np.zeros(1), np.ones(1), np.array([40.0])
    assert family("binomial").loglik(y, n, eta) == pytest.approx([-40.0], rel=1e-15)
    assert family("binomial", "probit").loglik(y, n, eta) == pytest.approx(
        stats.norm.logsf(40.0), rel=1e-13
    )
    assert family("binomial", "cloglog").loglik(np.ones(1), n, -eta) == pytest.approx([-40.0])


@each
def test_no_mean_beats_the_saturated_one(name, link):
    f = family(name, link)
    y, n = np.array([0.0, 2.0, 5.0]), np.full(3, 5.0 if name == "binomial" else 1.0)
    best = f.saturated(y, n)
    grid = np.linspace(-30, 12, 4001)
    found = np.array([f.loglik(np.full_like(grid, a), np.full_like(grid, b), grid).max()
                      for a, b in zip(y, n, strict=True)])  # fmt: skip
    assert (found <= best + 1e-12).all()
    assert found == pytest.approx(best, abs=1e-3)  # the grid's spacing is 0.01


@each
def test_draws_have_mean_and_variance(name, link):
    """Within five standard errors of 40,000 draws."""
    f, rng, n = family(name, link), np.random.default_rng(1), 4.0
    y = f.sample(rng, np.full(40_000, 0.3), np.full(40_000, n))
    mean, var = {
        "binomial": (1.2, 0.84), "poisson": (1.2, 1.2), "gaussian": (0.3, 1 / n),
    }[name]  # fmt: skip
    assert y.mean() == pytest.approx(mean, abs=5 * np.sqrt(var / 40_000))
    assert y.var() == pytest.approx(var, rel=0.06)


def test_repr_names_the_link():
    assert repr(family("binomial", "probit").link) == "Link(probit)"


@pytest.mark.parametrize(
    ("name", "link", "words"),
    [
        ("bernoulli", None, ["'bernoulli'", "binomial", "gaussian", "poisson"]),
        (3, None, ["3", "binomial"]),
        (None, None, ["None", "binomial"]),
        ("binomial", "log", ["'log'", "logit", "probit", "cloglog"]),
        ("gaussian", "log", ["'log'", "gaussian", "identity"]),
        ("poisson", ["log"], ["poisson", "log"]),
    ],
)
def test_what_is_not_known(name, link, words):
    with pytest.raises(hw.FormulaError) as caught:
        family(name, link)
    assert all(word in str(caught.value) for word in words)
