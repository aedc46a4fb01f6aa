"""Priors on the dial: what the draws had, what turning makes of it, densities against scipy's.

Tolerances: densities and quantiles are the same formulas, so they agree to rounding.
"""

import numpy as np
import pytest
from scipy import integrate, stats

import hierwidgets as hw
from hierwidgets.priors import (
    exponential,
    flat,
    gamma,
    half_cauchy,
    half_normal,
    lkj,
    normal,
    student_t,
    uniform,
)
from hierwidgets.spec.parameters import parameters
from hierwidgets.widgets.numbers.prior_dial import shapes


@pytest.fixture(scope="module")
def post():
    return hw.load_posterior("rainey2015", effects=False)


def drawn_under(post, **priors):
    return hw.Posterior(post.design, post.family, hw.Priors(**priors), post.draws)


@pytest.mark.parametrize(
    ("priors", "shape", "scale"),
    [
        ({}, "half-t, 3 df", 2.5),
        ({"sd": half_normal(0.5)}, "half-normal", 0.5),
        ({"sd": half_cauchy(5)}, "half-Cauchy", 5.0),
        ({"sd": exponential(4)}, "exponential", 0.25),
        ({"sd": gamma(2, 0.5)}, "gamma, 0 at 0", 2.0),
        ({"sd": flat()}, "flat", 2.5),
        ({"sd": uniform(0, 100)}, "as drawn", 2.5),
        ({"sd": half_normal(1000)}, "as drawn", 2.5),
        ({"sd": half_normal(1), "by_name": {"sd Intercept | district_id": flat()}},
         "half-normal", 1.0),
    ],
)  # fmt: skip
def test_it_starts_at_the_prior_of_the_draws(post, priors, shape, scale):
    found = shapes.start(drawn_under(post, **priors))
    assert (found.sd_shape, found.sd_scale) == (shape, pytest.approx(scale))


def test_coefficients_and_correlation_start_there_too(post):
    own = drawn_under(post, coefficients=normal(0, 2), corr=lkj(3))
    assert shapes.start(own)[2:] == ("normal", 2.0, 3.0)
    shifted = drawn_under(post, coefficients=normal(1, 2))
    assert shapes.start(shifted).coefficient_shape == "as drawn"


@pytest.mark.parametrize("shape", shapes.SHAPES["sd"])
def test_a_turned_shape_is_read_back(post, shape):
    start = shapes.start(post)
    turned = start._replace(sd_shape=shape, sd_scale=0.7)
    priors = shapes.priors_of(post, turned, start)
    again = shapes.start(hw.Posterior(post.design, post.family, priors, post.draws))
    assert again.sd_shape == shape
    assert shape == "flat" or again.sd_scale == pytest.approx(0.7)
    assert priors.coefficients == post.priors.coefficients


def test_what_is_not_turned_stays_as_it_was(post):
    start = shapes.start(post)
    assert shapes.priors_of(post, start, start) is post.priors
    assert shapes.priors_of(post, start._replace(eta=4.0), start).corr == lkj(4)
    named = {"sd Intercept | election_id": half_normal(3)}
    own = drawn_under(post, by_name=named)
    turned = shapes.priors_of(own, start._replace(sd_scale=0.5), start)
    assert dict(turned.by_name) == named
    assert turned.sd == student_t(3, 0, 0.5)


def test_without_predictors_the_intercept_is_turned():
    post = hw.load_posterior("finland", effects=False)
    start = shapes.start(post)
    priors = shapes.priors_of(post, start._replace(coefficient_scale=1.0), start)
    assert priors.intercept == student_t(3, 0, 1)
    assert priors.coefficients == flat()


@pytest.mark.parametrize(
    ("prior", "scipy"),
    [
        (half_normal(0.7), stats.halfnorm(scale=0.7)),
        (half_cauchy(2), stats.halfcauchy(scale=2)),
        (exponential(3), stats.expon(scale=1 / 3)),
        (gamma(2, 4), stats.gamma(2, scale=0.25)),
        (uniform(0, 5), stats.uniform(0, 5)),
    ],
)
def test_density_and_quantiles_of_an_sd(prior, scipy):
    at = np.linspace(0.01, 4, 50)
    np.testing.assert_allclose(shapes.prior_density(prior, at, True), scipy.pdf(at))
    p = np.array([0.05, 0.5, 0.95])
    np.testing.assert_allclose(shapes.prior_quantiles(prior, p, True), scipy.ppf(p))
    assert shapes.prior_density(prior, np.array([-1.0]), True)[0] == 0


def test_density_of_a_coefficient_and_of_none():
    at = np.linspace(-3, 3, 7)
    prior = student_t(3, 0.5, 2)
    np.testing.assert_allclose(
        shapes.prior_density(prior, at, False), stats.t(3, 0.5, 2).pdf(at)
    )  # fmt: skip
    assert np.trapezoid(shapes.prior_density(flat(), at, False), at) == pytest.approx(1)
    assert np.isnan(shapes.prior_quantiles(flat(), np.array([0.5]), False)).all()


@pytest.mark.parametrize("eta", [0.4, 1.0, 6.0])
def test_the_margin_of_a_correlation(eta):
    one = lkj(eta)
    area, _ = integrate.quad(lambda r: shapes.prior_density(one, np.array([r]), False)[0], -1, 1)
    assert area == pytest.approx(1, abs=1e-3)
    low, high = shapes.prior_quantiles(one, np.array([0.05, 0.95]), False)
    inside, _ = integrate.quad(
        lambda r: shapes.prior_density(one, np.array([r]), False)[0], low, high
    )
    assert inside == pytest.approx(0.9, abs=1e-3)


def test_the_prior_of_each_parameter(post):
    priors = hw.Priors(sd=half_normal(2), coefficients=normal(0, 3), corr=lkj(2))
    found = {
        p.name: shapes.parameter_prior(post, priors, p)
        for p in parameters(post.design, post.family)
    }
    assert found["Intercept"] is None  # it is the centred one that has the prior
    assert found["district_competitiveness"] == normal(0, 3)
    assert found["sd Intercept | district_id"] == half_normal(2)
    assert found["corr Intercept, district_competitiveness | election_id"] == lkj(2)
