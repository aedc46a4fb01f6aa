"""Fits side by side: every number is the fit's own."""

import numpy as np
import pandas as pd
import pytest
from support.paths import STRUCTURES

import hierwidgets as hw
from hierwidgets.errors import DataError


@pytest.fixture(scope="module")
def fits():
    data = pd.read_csv(STRUCTURES / "gaussian.csv")
    return [
        hw.lmer("y_slopes ~ 1 + (1 | g)", data),
        hw.lmer("y_slopes ~ x + (1 + x | g)", data),
    ]


def test_numbers_are_those_of_the_fits(fits):
    found = hw.tables(fits[0], slopes=fits[1])
    assert list(found.table.columns) == ["(1)", "slopes"]
    assert list(found.table.index) == [
        "Intercept", "x", "sd Intercept | g", "sd x | g", "corr Intercept, x | g", "sigma",
        "nobs", "aic", "bic", "loglik",
    ]  # fmt: skip
    one, two = (found.table[c] for c in found.table)
    assert one.dropna().size == 7
    assert two["x"] == fits[1].fixef["x"]
    assert found.std_error.loc["x"].tolist()[1] == fits[1].std_error["x"]
    assert np.isnan(found.std_error.loc["x", "(1)"])
    varcorr = fits[1].varcorr
    sds = two[["sd Intercept | g", "sd x | g", "sigma"]].tolist()
    assert sds == pytest.approx(varcorr["sd"].dropna().tolist())
    assert two["corr Intercept, x | g"] == pytest.approx(varcorr["corr"].dropna().iloc[0])
    ends = [fits[1].nobs, fits[1].aic, fits[1].bic, fits[1].loglik]
    assert two[["nobs", "aic", "bic", "loglik"]].tolist() == ends


def test_text(fits):
    lines = str(hw.tables(*fits, digits=2)).splitlines()
    assert lines[0].split() == ["(1)", "(2)"]
    assert lines[1].startswith("Intercept")
    assert f"({fits[0].std_error['Intercept']:.2f})" in lines[2]
    assert not lines[2].strip().startswith("Intercept")
    assert lines[-1].split()[0] == "logLik"
    assert max(map(len, lines)) < 80


def test_html_reads_row_by_row(fits):
    page = hw.tables(**{"a <b>": fits[0]})._repr_html_()
    assert "<caption>Fits side by side" in page
    assert '<th scope="col">a &lt;b&gt;</th>' in page
    estimate, error = fits[0].fixef.iloc[0], fits[0].std_error.iloc[0]
    assert f"<td>{estimate:.3f} ({error:.3f})</td>" in page
    assert page.count("<tr>") == 1 + 1 + 1 + 1 + 4


def test_bad_calls(fits):
    with pytest.raises(DataError, match="at least one fit"):
        hw.tables()
    with pytest.raises(DataError, match=r"\(2\) is a list"):
        hw.tables(fits[0], fits)
    with pytest.raises(DataError, match="null is a NoneType"):
        hw.tables(null=None)
    with pytest.raises(DataError, match=r"digits=2\.5"):
        hw.tables(fits[0], digits=2.5)
