"""The study of singular fits: optimisers, simulated surveys, stored results.

References: our own maximum, and lme4's stored values. Where two optimisers meet, 1e-4 of
log-likelihood; both stop below 1e-6.
"""

import json

import numpy as np
import pandas as pd
import pytest
from support.paths import REFERENCE

import hierwidgets as hw
from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.course.studies import boundary
from hierwidgets.course.studies.boundary import more_elections, search, singular_fits, stored
from hierwidgets.errors import DataError

LME4 = REFERENCE / "seed_lme4.json"


@pytest.fixture(scope="module")
def data():
    return hw.load("rainey2015")


@pytest.fixture(scope="module")
def fit(data):
    return hw.glmer(SEVERAL_COUNTRIES, data, event="Contacted")


def test_a_search_reaches_the_top_or_reports_a_lower_place(fit):
    found = search(fit, "BFGS, differences")
    assert found["loglik"] == pytest.approx(fit.loglik, abs=1e-4)
    assert found["singular"]
    assert found["corr"] == pytest.approx(1.0, abs=1e-3)
    assert (stored("searches")["loglik"] <= fit.loglik + 1e-6).all()


def test_more_elections_are_copies_under_new_names(data):
    large = more_elections(data, 3)
    assert large["election_id"].nunique() == 15
    assert large["district_id"].nunique() == 3 * 567
    assert (large.groupby("election_id").size() == np.repeat([670, 1086, 756, 759, 1855], 3)).all()
    assert large.groupby("district_id")["election_id"].nunique().max() == 1
    assert data["election_id"].nunique() == 5


def test_simulated_surveys_have_the_truth_they_claim(fit):
    few = singular_fits(elections=5, draws=3, seed=1)
    pd.testing.assert_frame_equal(few, singular_fits(elections=5, draws=3, seed=1))
    assert few["truth"].to_numpy() == pytest.approx(fit.beta[-1])
    first = stored("singular").query("elections == 5").head(2).reset_index(drop=True)
    again = singular_fits(elections=5, draws=2, seed=5)
    # streams are spawned one per survey, so that the first two do not depend on how many follow
    pd.testing.assert_frame_equal(first, again.round(4), atol=1e-3)


def test_the_stored_study_finds_what_it_was_made_from():
    study = stored("singular")
    assert study.groupby("elections").size().to_dict() == {5: 400, 10: 400, 20: 300, 50: 200}
    many = study[study["elections"] == 50]
    off = many["interaction"] - many["truth"]
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(many))
    assert abs(many["sd_slope"].median() - boundary.TRUTH[3]) < 0.1
    edge = study["corr"].abs() > 1 - 1e-4
    assert (edge == study["singular"]).mean() > 0.99


def test_stored_lme4_values_are_the_reference():
    reference = json.loads(LME4.read_text())
    table = stored("lme4_rainey2015")
    for name, key in (("lme4, default", "rainey"), ("lme4, patient", "rainey_tight")):
        mine = table[table["optimiser"] == name].set_index("quantity")["value"]
        there = reference[key]
        assert mine["estimate"].to_list() == list(there["fixef"].values())
        assert mine["std_error"].to_list() == list(there["se"].values())
        assert mine["loglik"] == there["logLik"]
        assert bool(mine["singular"]) == there["singular"]
        spreads = [row["sdcor"] for row in there["varcorr"]]
        assert [*mine["sd"], mine["corr"]] == spreads


def test_errors_say_what_is_allowed(fit):
    with pytest.raises(DataError, match="there is no table 'x'"):
        stored("x")
    with pytest.raises(DataError, match="must be 5, 10, 15"):
        singular_fits(7, 1, 1)
    with pytest.raises(DataError, match="times=0; give a whole number, 1 or larger"):
        more_elections(hw.load("rainey2015"), 0)
    with pytest.raises(DataError, match="'Newton' is not known"):
        search(fit, "Newton")
