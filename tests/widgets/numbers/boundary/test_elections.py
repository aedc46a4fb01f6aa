"""Surveys made up from a place of the hill.

References: the same survey put together as a data frame (`more_elections`), fits by hand from the
same random numbers, Wilson's interval as roots of its quadratic. Equal to 1e-8, as nothing but the
order of sums differs.
"""

import numpy as np
import pytest
from support import effect_models

import hierwidgets as hw
from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.course.studies.boundary import more_elections, stored
from hierwidgets.fit.spreads import with_spreads
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective
from hierwidgets.widgets.numbers.boundary.elections import (
    Tally,
    larger,
    made_up,
    shares,
    sizes,
    tally,
)


@pytest.fixture(scope="module")
def fit():
    return effect_models.several()


def test_more_of_the_survey_is_the_survey_put_together_as_a_frame(fit):
    three = larger(fit.design, 3)
    frame = more_elections(hw.load("rainey2015"), 3)
    built = hw.Model(SEVERAL_COUNTRIES, frame, "binomial", event="Contacted").maximize()
    assert [term.J for term in three.terms] == [term.J for term in built.design.terms]
    assert three.nobs == built.nobs
    values = [
        objective(layout(design), fit.family, 1)(built.theta, fit.beta, None).neg2loglik
        for design in (three, built.design)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-10)
    assert three.terms[1].levels[5] == f"{fit.design.terms[1].levels[0]} (2)"
    assert (np.diff(three.terms[0].codes) >= 0).all()  # sorted, as the integrals need it


def test_surveys_have_random_numbers_of_their_own(fit):
    truth = with_spreads(fit, "election_id", 0.5, 1.0, 0.0)
    many = made_up(truth, 5, 2, seed=3)
    first = [next(many) for _ in range(2)]
    assert [groups for groups, _ in first] == [5, 10]
    assert next(made_up(truth, 5, 50, seed=3)) == first[0]
    y = truth.simulate(1, np.random.default_rng([3, 5, 0]))[0]
    assert truth.refit(y).singular == first[0][1]


@pytest.mark.slow
def test_the_share_is_that_of_the_stored_study(fit):
    """Both shares are of surveys: four standard errors."""
    truth = with_spreads(fit, "election_id", 0.5, 1.0, 0.0)
    truth.theta[0] = 0.5  # sd of districts, as in the study
    study = stored("singular").query("elections == 5")["singular"].mean()
    few = [next(made_up(truth, 5, 1, seed)) for seed in range(60)]
    share = np.mean([singular for _, singular in few])
    assert abs(share - study) < 4 * np.sqrt(study * (1 - study) / 60)


def test_shares_have_wilsons_interval():
    found = shares([Tally(5, 20, 18, 1), Tally(10, 0, 0, 2), Tally(20, 20, 5, 0)])
    assert found["groups"].to_list() == [5, 20]
    np.testing.assert_allclose(found["estimate"], [0.9, 0.25])
    z2 = 1.6448536269514722**2
    for row in found.itertuples():
        for end in (row.conf_low, row.conf_high):
            assert (row.estimate - end) ** 2 == pytest.approx(z2 * end * (1 - end) / 20)
    assert shares([Tally(5, 0, 0, 0)]).empty


def test_outcomes_are_counted_by_size():
    found = tally([(5, True), (5, False), (10, None), (5, True)], 5)
    assert found[:2] == [Tally(5, 3, 2, 0), Tally(10, 0, 0, 1)]
    assert [one.groups for one in found] == list(sizes(5)) == [5, 10, 20, 50]
