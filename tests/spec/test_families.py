"""Families and links: likelihoods against scipy.stats, derivatives against finite differences.

Tolerances: log densities 1e-12 relative, both sides are closed forms in double precision; central
differences with steps of 1e-5 carry an error of 1e-10 from truncation and 1e-10 from rounding,
so derivatives are compared to 1e-7 of their size.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hierwidgets.errors import FormulaError
from hierwidgets.spec.families import family

ALL = [
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("gaussian", "identity"),
]
every_family = pytest.mark.parametrize(("name", "link"), ALL)


def rows(name, eta):
    """Outcomes and trials beside a linear predictor."""
    rng = np.random.default_rng(1)
    trials = np.ones_like(eta)
    if name == "binomial":
        trials = rng.integers(1, 9, eta.shape).astype(float)
        return rng.binomial(trials.astype(int), 0.4).astype(float), trials
    if name == "poisson":
        return rng.poisson(2.0, eta.shape).astype(float), trials
    return rng.normal(size=eta.shape), trials


def inside(name, link):
    """Linear predictors where scipy's formula for the mean still has all its digits."""
    return np.linspace(-3, 1.5 if link == "cloglog" else 3, 25)


@every_family
def test_log_likelihood_is_the_density(name, link):
    fam, eta = family(name, link), inside(name, link)
    y, n = rows(name, eta)
    mu, _ = fam.link.inverse(eta)
    density = {
        "binomial": lambda: stats.binom.logpmf(y, n, mu),
        "poisson": lambda: stats.poisson.logpmf(y, mu),
        "gaussian": lambda: stats.norm.logpdf(y, mu) - stats.norm.logpdf(0),
    }[name]()
    ours = fam.loglik(y, n, eta) + fam.counting(y, n)
    assert ours == pytest.approx(density, rel=1e-11, abs=1e-12)
    assert fam.derivatives(y, n, eta).loglik == pytest.approx(fam.loglik(y, n, eta), rel=1e-14)


@every_family
def test_derivatives_are_finite_differences(name, link):
    fam, eta, h = family(name, link), inside(name, link), 1e-5
    y, n = rows(name, eta)
    d = fam.derivatives(y, n, eta)

    def slope(of):
        return (of(eta + h) - of(eta - h)) / (2 * h)

    def close(ours, of):
        assert ours == pytest.approx(slope(of), rel=1e-7, abs=1e-7)

    close(d.score, lambda e: fam.loglik(y, n, e))
    close(-d.information, lambda e: fam.derivatives(y, n, e).score)
    close(d.weight_slope, lambda e: fam.derivatives(y, n, e).weight)
    close(fam.link.inverse(eta)[1], lambda e: fam.link.inverse(e)[0])


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_weight_is_the_expected_information(link):
    fam, eta = family("binomial", link), inside("binomial", link)
    one, none = np.ones_like(eta), np.zeros_like(eta)
    p, _ = fam.link.inverse(eta)
    expected = p * fam.derivatives(one, one, eta).information
    expected += (1 - p) * fam.derivatives(none, one, eta).information
    assert fam.derivatives(one, one, eta).weight == pytest.approx(expected, rel=1e-10)


@every_family
def test_canonical_means_observed_is_expected(name, link):
    fam, eta = family(name, link), inside(name, link)
    d = fam.derivatives(*rows(name, eta), eta)
    assert np.allclose(d.information, d.weight, rtol=1e-12) == fam.canonical


@every_family
def test_link_and_inverse(name, link):
    fam, eta = family(name, link), inside(name, link)
    assert fam.link.forward(fam.link.inverse(eta)[0]) == pytest.approx(eta, abs=1e-12)


@every_family
def test_the_saturated_row_is_the_best(name, link):
    fam = family(name, link)
    y, n = np.array([1.0, 3.0, 2.0]), np.array([4.0, 5.0, 3.0])
    best = fam.saturated(y, n)
    grid = np.linspace(-6, 6, 4801)[:, None]
    assert (fam.loglik(y, n, grid) <= best + 1e-12).all()
    if name == "gaussian":
        assert (best == 0).all()
    else:
        at_rate = fam.loglik(y, n, fam.link.forward(y / n))
        assert best == pytest.approx(at_rate, rel=1e-12)


def test_the_saturated_row_at_the_ends():
    binomial, poisson = family("binomial"), family("poisson")
    assert binomial.saturated(np.array([0.0, 4.0]), np.array([4.0, 4.0])).tolist() == [0.0, 0.0]
    assert poisson.saturated(np.zeros(1), np.ones(1)).tolist() == [0.0]


@every_family
@pytest.mark.parametrize("far", [-800.0, -60.0, -40.0, 40.0, 800.0])
def test_far_out_nothing_is_lost(name, link, far):
    fam, eta = family(name, link), np.array([far])
    for y in (np.zeros(1), np.ones(1)):
        d = fam.derivatives(y, np.ones(1), eta)
        if name == "poisson" and far > 700:  # no mean that large is representable
            continue
        assert all(np.isfinite(part).all() for part in d), d
        assert (d.weight >= 0).all()


def test_log_probabilities_in_the_tails():
    zero, one = np.zeros(1), np.ones(1)
    assert family("binomial").loglik(zero, one, np.array([40.0]))[0] == pytest.approx(
        -40, rel=1e-12
    )
    probit = family("binomial", "probit").loglik(zero, one, np.array([40.0]))[0]
    assert probit == pytest.approx(stats.norm.logsf(40.0), rel=1e-12)
    cloglog = family("binomial", "cloglog").loglik(one, one, np.array([-40.0]))[0]
    assert cloglog == pytest.approx(-40.0, rel=1e-12)


@every_family
def test_swapping_the_outcome_flips_a_symmetric_link(name, link):
    if name != "binomial":
        return
    fam, eta = family(name, link), inside(name, link)
    y, n = rows(name, eta)
    same = np.allclose(fam.loglik(y, n, eta), fam.loglik(n - y, n, -eta), rtol=1e-12)
    assert same == (link != "cloglog")


@every_family
def test_samples_have_the_mean_and_the_sd(name, link):
    fam, draws = family(name, link), 40_000
    n = np.full(draws, 3.0)
    mu = np.full(draws, 0.3)
    y = fam.sample(np.random.default_rng(5), mu, n)
    mean, sd = {
        "binomial": (0.9, np.sqrt(3 * 0.21)),
        "poisson": (0.9, np.sqrt(0.9)),
        "gaussian": (0.3, np.sqrt(1 / 3)),
    }[name]
    assert y.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(draws))
    assert y.std() == pytest.approx(sd, rel=0.02)  # 4 standard errors of an sd of 40,000 draws


@pytest.mark.parametrize("name", ["bernoulli", "", None, 3, ["binomial"]])
def test_unknown_family(name):
    with pytest.raises(FormulaError, match="is not known; choose one of"):
        family(name)


@pytest.mark.parametrize(("name", "link"), [("binomial", "log"), ("poisson", ["logit"])])
def test_unknown_link(name, link):
    with pytest.raises(FormulaError, match=f"is not available for {name}; choose one of"):
        family(name, link)


def test_names():
    assert repr(family("binomial")) == "Family(binomial, link=logit)"
    assert repr(family("poisson").link) == "Link(log)"
    assert family("gaussian").link.name == "identity"


@pytest.mark.parametrize(("name", "link"), ALL[:4])
@settings(max_examples=60, deadline=None)
@given(eta=st.floats(-2.5, 1.5), n=st.integers(1, 12))
def test_information_by_summing_over_outcomes(name, link, eta, n):
    """The score has mean 0; its variance, and the mean observed information, are the weight."""
    fam, n = family(name, link), float(n if name == "binomial" else 1)
    y = np.arange(n + 1 if name == "binomial" else 90.0)
    at = fam.derivatives(y, np.full_like(y, n), np.full_like(y, eta))
    p = np.exp(at.loglik + fam.counting(y, np.full_like(y, n)))
    assert p.sum() == pytest.approx(1, rel=1e-11)
    assert p @ at.score == pytest.approx(0, abs=1e-10)
    assert p @ at.score**2 == pytest.approx(at.weight[0], rel=1e-10)
    assert p @ at.information == pytest.approx(at.weight[0], rel=1e-10)
