"""A country made up and surveys of it: drawn from what is stated; the stored surveys.

Shares and means of simulations are held to four standard errors.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

import hierwidgets as hw
from hierwidgets.course.models import POLL
from hierwidgets.course.studies import poststratification as study
from hierwidgets.course.studies.poststratification import (
    AGES,
    ANSWERS,
    EAGER,
    EDUCATIONS,
    INSIDE,
    SPREAD,
    TYPICAL,
    country,
    district_rates,
    polls,
    survey,
)


@pytest.fixture(scope="module")
def cells():
    return country()


def truth_of(cells):
    return np.average(cells["truth"], weights=cells["n"])


def test_rates_are_the_sum_of_their_parts(cells):
    eta = logit(cells["truth"])
    rest = eta - TYPICAL - cells["education"].map(EDUCATIONS) - cells["age"].map(AGES)
    effects = rest.groupby(cells["district"])
    assert effects.agg(np.ptp).max() < 1e-12
    assert effects.mean().std() == pytest.approx(SPREAD, rel=4 / np.sqrt(2 * 40))
    assert (cells["n"] > 0).all()
    assert cells.groupby("district")["n"].sum().between(19_000, 401_000).all()
    assert not cells.duplicated(["district", "education", "age"]).any()


def test_a_country_and_a_survey_follow_from_their_seeds(cells):
    pd.testing.assert_frame_equal(country(), cells)
    assert not country(14).equals(cells)
    pd.testing.assert_frame_equal(survey(cells, 100, 1), survey(cells, 100, 1))
    assert not survey(cells, 100, 1).equals(survey(cells, 100, 2))


def test_who_answers_and_what_they_say(cells):
    """In a large survey respondents of a cell are as many, and as often contacted, as stated."""
    size = 2_000_000
    for inside in (1.0, 3.0):
        found = cells.merge(survey(cells, size, 5, inside), how="left").fillna(0)
        answer = found["education"].map(ANSWERS) * found["age"].map(EAGER)
        yes, no = found["truth"] * inside, 1 - found["truth"]
        share = found["n"] * answer * (yes + no)
        share /= share.sum()
        away = (found["respondents"] - size * share) / np.sqrt(size * share)
        assert abs(away).max() < 4.5  # of 360
        assert found["respondents"].sum() == size
        rate = yes / (yes + no)
        spread = np.sqrt(found["respondents"] * rate * (1 - rate)).clip(1)
        away = (found["contacted"] - found["respondents"] * rate) / spread
        assert abs(away).max() < 4.5
        assert away.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * 360))


def test_three_estimates_of_each_district(cells):
    poll = survey(cells, 1000, seed=1)
    fit = hw.glmer(POLL, poll)
    rates = district_rates(fit, poll, cells).set_index("district")
    whole = hw.poststratify(fit, cells, by="district", new_levels="sample").set_index("district")
    assert rates["poststratified"].to_numpy() == pytest.approx(whole["estimate"], rel=1e-9)
    one = poll[poll["district"] == "district 07"]
    row = rates.loc["district 07"]
    assert row["raw"] == one["contacted"].sum() / one["respondents"].sum()
    sampled = hw.poststratify(fit, one, weight="respondents")["estimate"].item()
    assert row["modelled"] == pytest.approx(sampled, rel=1e-9)
    people = cells[cells["district"] == "district 07"]
    assert row["truth"] == pytest.approx(truth_of(people))
    few = district_rates(hw.glmer(POLL, survey(cells, 150, 1)), survey(cells, 150, 1), cells)
    assert few["raw"].isna().sum() == (few["respondents"] == 0).sum() > 0
    assert few["poststratified"].notna().all()


def test_the_stored_surveys_are_those_the_command_makes(cells):
    table = polls()
    assert table.groupby("inside").size().to_dict() == {1.0: 500, INSIDE: 500}
    for inside in (1.0, INSIDE):
        stored = table[table["inside"] == inside].iloc[[0, 6]]
        again = pd.DataFrame([study._judged(cells, int(s), inside) for s in stored["seed"]])
        pd.testing.assert_frame_equal(
            stored.reset_index(drop=True), again, atol=2e-4, rtol=0, check_dtype=False
        )


def test_what_the_lecture_says_of_many_surveys(cells):
    table, truth = polls(), truth_of(cells)
    held = ((table["low"] <= truth) & (truth <= table["high"])).groupby(table["inside"]).mean()
    assert abs(held[1.0] - 0.9) < 4 * np.sqrt(0.9 * 0.1 / 500)
    assert held[INSIDE] < 0.1
    alike = table[table["inside"] == 1.0]
    assert ((alike["raw_low"] <= truth) & (truth <= alike["raw_high"])).mean() < 0.01
    assert abs(alike["poststratified"].mean() - truth) < 0.1 * (alike["raw"].mean() - truth)
    assert (alike["rmse_poststratified"] < alike["rmse_raw"]).all()
