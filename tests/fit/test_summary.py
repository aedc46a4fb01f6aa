"""The printed form of a fit: the page's numbers, and tables a screen reader can read."""

import re
from functools import cache

import numpy as np
import pytest
from scipy import stats

import hierwidgets as hw
from hierwidgets.errors import DataError


@cache
def fitted():
    return hw.glmer(
        "contacted ~ district_competitiveness + (1 | district_id)", hw.load("uk"), event="Contacted"
    )


@cache
def slopes():
    rng = np.random.default_rng(4)
    g, x = np.repeat(np.arange(20), 15), rng.normal(size=300)
    y = 1200 + 300 * rng.normal(size=20)[g] + (40 + 15 * rng.normal(size=20)[g]) * x
    data = {"y": y + rng.normal(size=300), "x": x, "a<b": [f"g{i}" for i in g]}
    return hw.lmer("y ~ x + (1 + x | `a<b`)", data)


def test_text_is_that_of_display():
    lines = str(fitted().summary(detail=True)).splitlines()
    assert lines[2].split() == [
        "Intercept",
        "-3.41",
        "(0.66)",
        "z",
        "=",
        "-5.20",
        "p",
        "<",
        "0.001",
    ]
    assert lines[5].split() == ["group", "term", "sd", "corr"]
    assert lines[6].split() == ["district_id", "Intercept", "0.60"]
    assert lines[-2].startswith("AIC 927.2")
    assert "z =" not in str(fitted().summary())


def test_z_and_p():
    fit = fitted()
    table = fit.summary(detail=True).coefficients
    assert table["z"].to_numpy() == pytest.approx(fit.beta / fit.std_error.to_numpy())
    assert table["p"].to_numpy() == pytest.approx(2 * stats.norm.sf(np.abs(table["z"])))


def test_columns_stay_in_line_with_large_numbers():
    lines = str(slopes().summary()).splitlines()
    start = lines.index("") + 1
    ends = {re.search(r"\d\.\d\d", line).end() for line in lines[start + 1 : start + 4]}
    assert len(ends) == 1
    assert ends == {lines[start].index("sd") + 2}


def test_digits():
    fit = fitted()
    assert f"{fit.beta[0]:.5f}" in str(fit.summary(digits=5))
    for digits in (-1, 1.5, "two"):
        with pytest.raises(DataError, match=re.escape(f"digits={digits!r}")):
            fit.summary(digits=digits)


def test_html_has_captions_scopes_and_escapes():
    page = slopes().summary(detail=True)._repr_html_()
    assert page.count("<caption>") == 2
    assert page.count('scope="col"') == 6 + 4
    assert page.count('scope="row"') == 2 + 3
    assert "a&lt;b" in page
    assert "a<b" not in page
    corr = slopes().varcorr["corr"].dropna().iloc[0]
    assert f"<td>{corr:.2f}</td>" in page


def test_rows_left_out_are_counted():
    assert "dropped" not in str(slopes().summary())
    data = hw.load("uk")
    data.loc[3:5, "district_competitiveness"] = np.nan
    fit = hw.glmer(
        "contacted ~ district_competitiveness + (1 | district_id)", data, event="Contacted",
        missing="drop",
    )  # fmt: skip
    assert "3 rows with missing values were dropped" in str(fit.summary())


def test_what_went_wrong_is_said():
    data = {"g": list("abcd") * 10, "y": [0, 0, 0, 0, 1, 1, 1, 1] * 5}
    text = str(hw.glmer("y ~ (1 | g)", data).summary())
    assert "singular: the sd of Intercept over g is 0" in text
