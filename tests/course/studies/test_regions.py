"""Surveys of many regions: drawn from what is stated, and fitted; the stored fits.

A share of simulations is held to four standard errors.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
from hierwidgets.course.studies.regions import TRUTH, crossed, spread_of, stored, survey


def test_lines_are_drawn_from_the_truth():
    people, lines = survey(regions=4000, people=2, seed=1)
    assert people["region"].nunique() == len(lines) == 4000
    found = lines[["height", "slope"]]
    se = 4 / np.sqrt(4000)
    assert found.mean().to_numpy() == pytest.approx(TRUTH[:2], abs=se)
    assert found.std().to_numpy() == pytest.approx(TRUTH[2:4], rel=se)
    assert found.corr().iloc[0, 1] == pytest.approx(TRUTH.corr, abs=se)


def test_answers_follow_the_lines():
    people, lines = survey(regions=6, people=4000, seed=2)
    assert people["age"].between(18, 82).all()
    pd.testing.assert_series_equal(people["decades"], (people["age"] - 50) / 10, check_names=False)
    fit = hw.glmer("contacted ~ region + region:decades - 1 + (1 | age)", people)
    own = fit.fixef.to_numpy()
    assert own[:6] == pytest.approx(lines["height"], abs=0.2)
    assert own[6:] == pytest.approx(lines["slope"], abs=0.1)


def test_a_survey_follows_from_its_seed():
    one, again, other = (survey(regions=5, seed=seed)[0] for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


def test_crossed_answers_are_one_of_each():
    answers = crossed()
    assert not answers.duplicated(["region", "item"]).any()
    assert answers.groupby("item").size().eq(40).all()


def test_the_stored_fits_are_those_the_command_makes():
    table = stored()
    assert table.groupby("regions").size().to_dict() == {5: 400, 20: 400, 120: 400}
    again = regions.surveys_fitted(20, 3, seed=20)
    first = table[table["regions"] == 20].head(3).reset_index(drop=True)
    pd.testing.assert_frame_equal(first, again.round(4), atol=1e-3)
    many = table[table["regions"] == 120]["corr"]
    assert many.mean() == pytest.approx(TRUTH.corr, abs=many.std() / 3)  # a little too high
    edge = table["corr"].isna() | (table["corr"].abs() > 1 - 1e-4)
    assert (edge == table["singular"]).mean() > 0.99


def test_the_spread_is_that_of_the_fit():
    fit = hw.glmer(REGIONS, survey()[0])
    assert fit.singular is False
    assert spread_of(fit) == pytest.approx([0.87, 0.38, 0.53], abs=0.006)
