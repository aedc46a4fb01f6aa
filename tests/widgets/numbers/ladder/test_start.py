"""Where the ladder starts: against the fit's own numbers and predictions (1e-12)."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.widgets.numbers.ladder import start as starts
from hierwidgets.widgets.numbers.ladder.parameters import rates_at
from hierwidgets.widgets.numbers.ladder.start import several_countries, start

X = "district_competitiveness"


def test_without_a_fit_it_is_the_courses():
    assert starts.FORMULA == SEVERAL_COUNTRIES
    assert several_countries() is several_countries()


def test_estimates_and_places_are_those_of_the_fit():
    fit, data = several_countries(), hw.load("rainey2015")
    found = start(fit)
    assert found.rules == ("SMD", "PR")
    for rule, ends in zip(found.rules, found.ends, strict=True):
        mine = data.loc[data["electoral_rules"] == rule, X]
        assert ends == (mine.min(), mine.max())
    sds = fit.varcorr.dropna(subset="sd").set_index(["group", "term"])["sd"]
    parameters = found.parameters
    assert parameters.sd_district == sds["district_id", "Intercept"]
    assert parameters.sd_intercept == sds["election_id", "Intercept"]
    assert parameters.sd_slope == sds["election_id", X]
    assert parameters.corr == fit.varcorr["corr"].dropna().item()


def test_typical_curves_are_the_fits_predictions():
    fit, x = several_countries(), np.linspace(0, 1, 9)
    found = start(fit)
    for second, rule in enumerate(found.rules):
        rows = pd.DataFrame({X: x, "electoral_rules": rule})
        wanted = fit.predict(rows, re_formula="~0")["estimate"]
        got = rates_at(found.parameters, bool(second), x).typical
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("formula", [
    "y ~ kind * x + (1 + x || school) + (1 | klass)",
    "y ~ x + kind + x:kind + (1 | klass) + (1 + x | school)",
])  # fmt: skip
def test_other_names_and_another_order_do(formula):
    rng = np.random.default_rng(9)
    school, klass = np.repeat(np.arange(8), 60), np.repeat(np.arange(48), 10)
    x, kind = rng.random(48)[klass], np.where(school % 2, "old", "new")
    eta = -1 + x + 0.5 * rng.normal(size=8)[school] + 0.5 * rng.normal(size=48)[klass]
    y = (rng.random(480) < 1 / (1 + np.exp(-eta))).astype(int)
    data = pd.DataFrame({"y": y, "x": x, "kind": kind, "school": school, "klass": klass})
    fit = hw.glmer(formula, data)
    found, at = start(fit), np.linspace(0, 1, 5)
    assert found.rules == ("old", "new")
    for second, rule in enumerate(found.rules):
        wanted = fit.predict(pd.DataFrame({"x": at, "kind": rule}), re_formula="~0")["estimate"]
        got = rates_at(found.parameters, bool(second), at).typical
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)
    assert -1 <= found.parameters.corr <= 1
    if "||" in formula:
        assert found.parameters.corr == 0
