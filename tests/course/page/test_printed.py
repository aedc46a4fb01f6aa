"""The page's numbers: every one is there as printed, and a comparison says what it should."""

import numpy as np
import pandas as pd
import pytest
from support.course_facts import kinds, printed

import hierwidgets as hw
from hierwidgets.course.page import printed as page
from hierwidgets.errors import DataError
from hierwidgets.widgets import printed_summary

FITS = {
    "S28": hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted"),
    "S56": hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("uk"), event="Contacted"),
}


@pytest.mark.parametrize("item", printed())
def test_every_printed_number_is_a_record(item):
    """Against a list that was taken from the page by another way: no slip of a digit, no gap."""
    assert sorted(record.text for record in page.numbers(item)) == sorted(printed()[item])


def test_items_with_numbers_are_those_of_the_course():
    assert list(page.items()) == list(printed())
    numeric = {item for item, kind in kinds().items() if "N" in kind}
    assert numeric <= set(page.items())


def test_records_are_unique_and_their_causes_known():
    records = [record for item in page.items() for record in page.numbers(item)]
    keys = [(record.item, record.name, record.label) for record in records]
    assert len(set(keys)) == len(keys)
    assert {record.cause for record in records} == {"", *page.CAUSES}


def test_the_widgets_example_of_a_failed_run_is_the_page_s_table():
    """The widgets ship it apart: they know nothing of the course."""
    names = ("estimate", "std_error", "conf_low", "conf_high", "rhat", "ess_bulk", "ess_tail")
    columns = {
        name: {record.label: record.value for record in page.numbers("S85", name)} for name in names
    }
    wanted = pd.DataFrame(columns)
    pd.testing.assert_frame_equal(printed_summary(), wanted, check_exact=True)


@pytest.mark.parametrize("item", FITS)
def test_tables_of_two_fits(item):
    fit = FITS[item]
    found = page.check(
        item,
        mu=fit.fixef,
        std_error=fit.std_error,
        sigma=fit.theta[0],
        nobs=fit.nobs,
        groups=len(fit.ranef),
        aic=fit.aic,
        dic=fit.dic,
        deviance=fit.conditional_deviance,
    )
    assert len(found) == 8
    verdicts = set(found.loc[found["name"].isin(["dic", "deviance"]), "verdict"])
    assert verdicts == ({"rounded twice", "agrees"} if item == "S28" else {"stopped early"})
    rest = found[~found["name"].isin(["dic", "deviance"])]
    assert (rest["verdict"] == "agrees").all()


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("-1.37", (-1.3651, -1.3749), (-1.3649, -1.3751, 1.37)),
        ("1070", (1069.5, 1070.4), (1069.47, 1070.6)),
        ("0.22…", (0.2295, 0.22, 0.2154), (0.2301, 0.2149)),
        ("-0.22…", (-0.2295, -0.22, -0.2154), (-0.2301, -0.2149)),
        ("0", (0.0, 0.4), (0.6, 1.0)),
        ("1…", (1.0, 1.9), (2.0, 0.4)),
    ],
)
def test_agreement_is_half_a_unit_of_the_last_digit(text, inside, outside):
    record = page.Printed("S0", "value", "", text)
    assert all(record.agrees(value) for value in inside)
    assert not any(record.agrees(value) for value in outside)


def test_values_are_matched_by_label_or_by_place():
    ours = hw.partial_pooling(FITS["S28"])
    names = ours["level"].astype(str).str.removeprefix("District ")
    by_label = pd.Series(ours["estimate"].to_numpy(), index=names).sort_index()
    assert (page.check("S35", estimate=by_label)["verdict"] == "agrees").all()
    assert (page.check("S35", estimate=by_label.to_dict())["verdict"] == "agrees").all()
    in_order = by_label[[record.label for record in page.numbers("S35")]].to_numpy()
    assert (page.check("S35", estimate=in_order)["verdict"] == "agrees").all()
    with pytest.raises(DataError, match="unexplained"):
        page.check("S35", estimate=in_order[::-1])
    whole = hw.load("uk")["district_competitiveness"]
    whole.index = whole.index[::-1]  # its places count, not its index
    assert len(page.check("S50", district_competitiveness=whole)) == 8


def test_verdicts():
    assert page.number("S28", "dic").verdict(1069.47) == "rounded twice"
    assert page.number("S28", "dic").verdict(1070.1) == "unexplained"
    assert page.number("S28", "mu").verdict(-1.38) == "unexplained"
    unsure = page.number("S85", "rhat", "Intercept")
    assert [unsure.verdict(value) for value in (1.0, 1.01)] == ["not converged", "agrees"]


def test_what_is_wrong_is_said():
    with pytest.raises(DataError, match=r"S28: the page prints -1\.37, ours is -1\.4\."):
        page.check("S28", mu=-1.4)
    with pytest.raises(DataError, match="prints no numbers in 'S1'"):
        page.numbers("S1")
    with pytest.raises(DataError, match="it has mu, std_error"):
        page.check("S28", mean=-1.37)
    with pytest.raises(DataError, match="no label '318'; it has '312'"):
        page.number("S35", "estimate", "318")
    with pytest.raises(DataError, match="14 numbers as estimate of S35; 2 given"):
        page.check("S35", estimate=[0.151, 0.160])
    with pytest.raises(DataError, match="the page has the label '312'"):
        page.check("S35", estimate={"District 312": 0.151})
    with pytest.raises(DataError, match="unexplained"):
        page.check("S28", mu=np.nan)
