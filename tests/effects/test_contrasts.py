"""What a comparison compares: the ways to change a variable, and the points of a slope.

Slopes against the chain rule to 1e-6, against small differences to 1e-5, at the edges of the data
against one-sided differences of third order to 1e-4, all relative.
"""

import numpy as np
import pandas as pd
import pytest
from support.crossed_groups import crossed, grouped

import hierwidgets as hw


@pytest.fixture(scope="module", name="crossed")
def crossed_fit():
    return crossed()


def test_ways_to_change_a_variable(crossed):
    rows = grouped(1).head(3)
    every = hw.comparisons(crossed, "arm", rows, interval=None)
    assert every["contrast"].drop_duplicates().tolist() == ["b - a", "c - a"]
    pairs = hw.comparisons(crossed, {"arm": "pairwise"}, rows, interval=None)
    assert pairs["contrast"].drop_duplicates().tolist() == ["b - a", "c - a", "c - b"]
    assert "std_error" not in every
    sd = crossed.design.data["x"].std()
    half = rows.assign(x=rows["x"] + sd / 2), rows.assign(x=rows["x"] - sd / 2)
    expected = crossed.predict(half[0])["estimate"] - crossed.predict(half[1])["estimate"]
    found = hw.comparisons(crossed, {"x": "sd"}, rows)["estimate"]
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12)
    low, high = np.percentile(crossed.design.data["x"], [25, 75])
    quartiles = hw.comparisons(crossed, {"x": "iqr"}, rows)["estimate"]
    given = hw.comparisons(crossed, {"x": [low, high]}, rows)["estimate"]
    assert quartiles.to_numpy() == pytest.approx(given.to_numpy(), rel=1e-12)


def test_slopes_obey_the_chain_rule(crossed):
    rows = grouped(1).head(50)
    found = hw.slopes(crossed, "x", rows)["estimate"].to_numpy()
    p = crossed.predict(rows)["estimate"].to_numpy()
    b = crossed.coef.query("group == 'g' and term == 'x'").set_index("level")["estimate"]
    arms = crossed.fixef.reindex([f"x:arm[T.{arm}]" for arm in rows["arm"]]).fillna(0.0)
    expected = p * (1 - p) * (b.loc[rows["g"]].to_numpy() + arms.to_numpy())
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_slope_is_the_limit_of_small_differences(crossed):
    rows = grouped(1).head(20)
    step = 1e-3
    small = hw.comparisons(crossed, {"x": step}, rows)
    slope = hw.slopes(crossed, "x", rows)
    for column in ("estimate", "std_error"):
        expected = slope[column].to_numpy()
        assert small[column].to_numpy() / step == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("term", ["bs(x, df=5)", "x + I(x**2)", "log(x)", "poly(x, 2)"])
def test_slopes_of_transformed_predictors_at_the_edges_of_the_data(term):
    data = grouped(8, family="gaussian")
    data["x"] = np.exp(data["x"] / 3)
    fit = hw.lmer(f"y ~ {term} + (1 | g)", data)
    x = np.sort(data["x"].to_numpy())[[0, 1, 300, -2, -1]]
    rows = pd.DataFrame({"x": x})
    found = hw.slopes(fit, "x", rows, re_formula="~0")["estimate"].to_numpy()
    h = 1e-3 * np.ptp(x)
    toward = np.where(x > x.mean(), -h, h)  # one-sided, third order, to the inside
    value = [
        fit.predict(rows.assign(x=x + k * toward), re_formula="~0")["estimate"].to_numpy()
        for k in range(4)
    ]
    weights = np.array([-11 / 6, 3, -3 / 2, 1 / 3])
    expected = sum(w * v for w, v in zip(weights, value, strict=True)) / toward
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max())
