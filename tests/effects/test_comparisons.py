"""Comparisons and slopes: what they are, and what may be given.

Closed forms to 1e-8, relative. The posterior quantities of the several-countries model only bound
ours: the ML fit is singular and has no prior, so it must lie inside their 90 % intervals.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from support.crossed_groups import crossed, everything, grouped, joint_of
from support.stored_fits import fitted

import hierwidgets as hw
from hierwidgets.likelihood.joint_covariance import effect_rows
from hierwidgets.spec import rows as predict


@pytest.fixture(scope="module", name="crossed")
def crossed_fit():
    return crossed()


@pytest.fixture(scope="module")
def finland():
    return fitted("finland")


@pytest.fixture(scope="module")
def several():
    return fitted("rainey")


def test_a_difference_is_that_of_two_predictions(crossed):
    rows = grouped(1).head(40)
    found = hw.comparisons(crossed, {"arm": ["a", "c"]}, rows)
    hi, lo = (crossed.predict(rows.assign(arm=arm))["estimate"] for arm in "ca")
    assert found["estimate"].to_numpy() == pytest.approx((hi - lo).to_numpy(), rel=1e-12)
    assert list(found.columns) == [
        "term", "contrast", *rows.columns, "estimate", "std_error", "conf_low", "conf_high",
    ]  # fmt: skip
    assert set(found["contrast"]) == {"c - a"}


def test_averages_are_means_and_their_variance_counts_covariances(crossed):
    rows = grouped(1).head(60)
    each = hw.comparisons(crossed, {"x": [-1, 1]}, rows)
    overall = hw.comparisons(crossed, {"x": [-1, 1]}, rows, average=True)
    assert overall["estimate"].item() == pytest.approx(each["estimate"].mean(), rel=1e-12)
    assert list(overall.columns[:3]) == ["term", "contrast", "estimate"]
    by = hw.comparisons(crossed, {"x": [-1, 1]}, rows, by="g")
    expected = each.groupby("g")["estimate"].mean()
    assert by.set_index("g")["estimate"].to_dict() == pytest.approx(expected.to_dict(), rel=1e-12)
    two = hw.comparisons(crossed, {"x": [-1, 1]}, rows, by=["g", "arm"])
    assert len(two) == len(rows[["g", "arm"]].drop_duplicates())
    same = pd.concat([rows.head(1)] * 5)
    repeated = hw.comparisons(crossed, {"x": [-1, 1]}, same, average=True)
    alone = hw.comparisons(crossed, {"x": [-1, 1]}, rows.head(1))
    assert repeated["std_error"].item() == pytest.approx(alone["std_error"].item(), rel=1e-10)


def linear_combination(fit, rows, weights):
    """Estimate and standard error of ``sum of weights * mu``, from the dense joint matrix."""
    new = predict.rows_of(fit.design, rows, predict.kept_columns(fit.design, None), "error")
    eta = predict.linear_predictor(new, fit.beta, fit.modes.b)
    W = np.hstack([new.X, *(Z.toarray() for Z in effect_rows(fit.design, new))])
    mu, dmu = fit.family.link.inverse(eta)
    row = (weights * dmu) @ W
    return weights @ mu, np.sqrt(row @ joint_of(fit).matrix(everything(fit)) @ row)


def test_second_differences(crossed):
    row = pd.DataFrame({"x": [0.3], "arm": ["a"], "g": ["g03"], "h": ["h2"]})
    found = hw.comparisons(crossed, {"x": [-1, 1]}, row, across={"arm": ["a", "b"]})
    corners = pd.concat([row.assign(arm=arm, x=x) for arm in "ab" for x in (-1, 1)])
    estimate, se = linear_combination(crossed, corners, np.array([1.0, -1.0, -1.0, 1.0]))
    assert found["estimate"].item() == pytest.approx(estimate, rel=1e-10)
    assert found["std_error"].item() == pytest.approx(se, rel=1e-8)
    assert found["term"].item() == "x:arm"
    assert found["contrast"].item() == "(1 - -1):(b - a)"
    slope = hw.slopes(crossed, "x", row, across={"arm": ["a", "b"]})["estimate"].item()
    each = [hw.slopes(crossed, "x", row.assign(arm=arm))["estimate"].item() for arm in "ab"]
    assert slope == pytest.approx(each[1] - each[0], rel=1e-10)
    ratio = hw.comparisons(
        crossed, {"x": [-1, 1]}, row, across={"arm": ["a", "b"]}, comparison="ratio"
    )
    mu = crossed.predict(corners)["estimate"].to_numpy()
    assert ratio["estimate"].item() == pytest.approx(mu[3] / mu[2] / (mu[1] / mu[0]), rel=1e-10)


def test_cross_changes_variables_together(crossed):
    row = pd.DataFrame({"x": [0.3], "arm": ["a"], "g": ["g03"], "h": ["h2"]})
    change = {"x": [-1, 1], "arm": ["a", "b"]}
    together = hw.comparisons(crossed, change, row, cross=True)
    ends = pd.concat([row.assign(x=-1, arm="a"), row.assign(x=1, arm="b")])
    estimate, se = linear_combination(crossed, ends, np.array([-1.0, 1.0]))
    assert together[["estimate", "std_error"]].to_numpy()[0] == pytest.approx([estimate, se])
    apart = hw.comparisons(crossed, change, row)
    assert apart["term"].tolist() == ["x", "arm"]


def test_two_districts_compared(finland):
    change = {"district_id": ["District 312", "District 309"]}
    found = hw.comparisons(finland, change, pd.DataFrame({"row": [1]})).iloc[0]
    rows = pd.DataFrame({"district_id": ["District 312", "District 309"]})
    estimate, se = linear_combination(finland, rows, np.array([-1.0, 1.0]))
    assert [found["estimate"], found["std_error"]] == pytest.approx([estimate, se], rel=1e-8)
    fixed = hw.comparisons(finland, change, pd.DataFrame({"row": [1]}), conditional=True)
    assert fixed["std_error"].item() < 0.2 * se


def test_an_offset_goes_along():
    data = grouped(9, family="poisson").assign(exposure=lambda d: np.log(1 + d.index % 5))
    named = hw.glmer("y ~ x + (1 | g)", data, "poisson", offset="exposure")
    given = hw.glmer("y ~ x + (1 | g)", data, "poisson", offset=data["exposure"].to_numpy())
    expected = np.exp(named.predict(scale="link")["estimate"] - named.fixef["x"] * data["x"])
    expected *= np.expm1(named.fixef["x"])
    for fit in (named, given):
        found = hw.comparisons(fit, {"x": [0, 1]})["estimate"]
        assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-8)


def test_the_frame_given_stays_as_it_is(crossed):
    rows = grouped(1).head(5)
    before = rows.copy(deep=True)
    hw.comparisons(crossed, {"arm": ["a", "b"]}, rows)
    hw.slopes(crossed, "x", rows)
    pd.testing.assert_frame_equal(rows, before)


def test_several_countries_quantities_lie_in_the_posterior_intervals(several):
    at = pd.DataFrame({"district_competitiveness": [0.3, 0.8]})
    rules = {"electoral_rules": ["PR", "SMD"]}
    first = hw.comparisons(several, rules, at, re_formula="~0")["estimate"]
    assert -0.10 < first[0] < 0.15
    assert 0.14 < first[1] < 0.58
    x = "district_competitiveness"
    both = pd.DataFrame({x: [0.8, 0.8], "electoral_rules": ["PR", "SMD"]})
    effects = hw.slopes(several, x, both, re_formula="~0")
    assert -0.03 < effects["estimate"][0] < 0.55
    assert 0.65 < effects["estimate"][1] < 1.26
    second = hw.slopes(several, x, both.head(1), across=rules, re_formula="~0").iloc[0]
    assert 0.33 < second["estimate"] < 1.15
    assert second["conf_low"] > 0
    beta = several.fixef.to_numpy()
    by_hand = expit(beta @ [1, 0.8, 1, 0.8]) - expit(beta @ [1, 0.8, 0, 0])
    assert first[1] == pytest.approx(by_hand, rel=1e-12)


# --- bad calls ----------------------------------------------------------------------------

ROW = pd.DataFrame({"x": [0.1], "arm": ["a"], "g": ["g03"], "h": ["h2"]})
BAD = [
    (lambda f: hw.comparisons(f, "z", ROW), "'z' is not a predictor"),
    (lambda f: hw.comparisons(f, "y", ROW), "'y' is not a predictor"),
    (lambda f: hw.comparisons(f, {"arm": ["a", "d"]}, ROW), "'d', which the fit has not seen"),
    (lambda f: hw.comparisons(f, {"g": ["g03", "zz"]}, ROW), "'zz', which the fit has not seen"),
    (lambda f: hw.comparisons(f, {"x": ["low", "high"]}, ROW), "'low' is not one it can be"),
    (lambda f: hw.comparisons(f, {"x": [0, np.nan]}, ROW), "nan is not one it can be set to"),
    (lambda f: hw.comparisons(f, {"x": [1, 1]}, ROW), "between 1 and itself"),
    (lambda f: hw.comparisons(f, {"x": [0, 1, 2]}, ROW), "3 were given"),
    (lambda f: hw.comparisons(f, {"x": "two"}, ROW), "not 'two'"),
    (lambda f: hw.comparisons(f, {"x": 0}, ROW), "not 0"),
    (lambda f: hw.comparisons(f, {"arm": 1}, ROW), "'arm' holds levels"),
    (lambda f: hw.comparisons(f, {}, ROW), "variables is empty"),
    (lambda f: hw.comparisons(f, 7, ROW), "a int was given"),
    (lambda f: hw.comparisons(f, "x", ROW, interval=95), "interval=95; a confidence level"),
    (lambda f: hw.comparisons(f, "x", ROW, comparison="lift"), "comparison='lift'; choose"),
    (lambda f: hw.comparisons(f, "x", ROW, scale="odds"), "scale='odds'; choose"),
    (lambda f: hw.comparisons(f, "x", ROW, scale="link", comparison="ratio"), "is for scale="),
    (lambda f: hw.comparisons(f, "x", ROW, by="country"), "by='country': columns are"),
    (lambda f: hw.comparisons(f, "x", ROW, cross=True), "name at least two"),
    (lambda f: hw.comparisons(f, "x", ROW, across="x"), "'x' is already compared"),
    (lambda f: hw.comparisons(f, "x", ROW, across={"arm": ["a", "b"], "x": 1}), "takes one"),
    (lambda f: hw.comparisons(f, "x", ROW.drop(columns="h")), "'h' is not in the data"),
    (lambda f: hw.comparisons(f, "x", ROW.drop(columns="x")), "'x' is not in newdata"),
    (lambda f: hw.comparisons(f, "x", ROW.head(0)), "newdata has no rows"),
    (lambda f: hw.comparisons(f, "x", [1, 2]), "a list was given"),
    (lambda f: hw.comparisons(f, "x", ROW.assign(arm=None)), "of 1: {'arm': 1}"),
    (lambda f: hw.comparisons(f, "x", ROW.assign(x="a")), "'x' must be numbers in newdata"),
    (lambda f: hw.comparisons(f, "x", ROW.assign(term=1)), "already has the columns"),
    (lambda f: hw.comparisons(f, "x", ROW, re_formula="~ (1 | q)"), "names the group 'q'"),
    (lambda f: hw.comparisons(f, "x", ROW, new_levels="guess"), "new_levels='guess'"),
    (lambda f: hw.comparisons("fit", "x", ROW), "a str was given"),
    (lambda f: hw.slopes(f, "arm", ROW), "'arm' holds levels and has no slope"),
    (lambda f: hw.slopes(f, "g", ROW), "'g' holds levels and has no slope"),
    (lambda f: hw.slopes(f, "z", ROW), "'z' is not a predictor"),
    (lambda f: hw.slopes(f, {"x": 1}, ROW, interval=1.0), "interval=1.0; a confidence level"),
    (lambda f: hw.slopes(f, "x", ROW.assign(x=np.nan)), "of 1: {'x': 1}"),
    (lambda f: hw.slopes(f.predict(), "x", ROW), "a DataFrame was given"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_calls_say_what_was_given(crossed, call, message):
    with pytest.raises(hw.HierwidgetsError) as caught:
        call(crossed)
    assert message in str(caught.value)
