"""The response of a design, and fits to another one.

A mean of refits is compared within 4.5 Monte Carlo standard errors (one false alarm in 1e5). A
refit of a fit's own response must end at the same place: the search is the same, so 1e-12.
"""

import numpy as np
import pandas as pd
import pytest
from support.structure_fits import EVERY, fitted

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError
from hierwidgets.spec import responses


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


def test_refits_recover_the_truth():
    fit = fitted("linear")
    slopes = [fit.refit(y).fixef["x"] for y in fit.simulate(60, seed=6)]
    assert abs(np.mean(slopes) - fit.fixef["x"]) < 4.5 * np.std(slopes) / np.sqrt(60)


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
