"""Every number of the page has one of ours beside it, and every difference its proven cause.

Tolerances: agreement is half a unit of the page's last digit (`page`). Our formulas at lme4's
stopping points against what lme4 reports there: 2e-6 relative for -2 log L (its UK fits keep
weights one step behind, see test_page_models), 2e-3 for deviances. Means of draws may differ from
the page's by four times their joint Monte Carlo error and half a unit.
"""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.course_facts import TO_COME, items, page_hashes, prose_hashes
from support.paths import LECTURES, REFERENCE

from hierwidgets.course.page import fits, printed
from hierwidgets.course.page import text as page_text
from hierwidgets.course.page import traps as page_traps
from hierwidgets.course.page import values as page_values
from hierwidgets.course.page.figures import distances, distances_drawn
from hierwidgets.course.studies import boundary
from hierwidgets.errors import DataError

FITS = json.loads((REFERENCE / "seed_lme4.json").read_text())
NAMES = {"finland": "finland", "uk": "uk0", "uk_competitiveness": "uk1", "rainey2015": "rainey"}
# standard errors at a singular fit, and what is made of them
ON_THE_BOUNDARY = {"std_error", "z", "p"}


@pytest.fixture(scope="module")
def table():
    return page_values.table()


def test_every_number_of_the_page_has_ours_beside_it(table):
    records = [(r.item, r.name, r.label) for item in printed.items() for r in printed.numbers(item)]
    found = list(table[["item", "name", "label"]].itertuples(index=False, name=None))
    assert sorted(found) == sorted(records)
    assert np.isfinite(table["ours"]).all()


def test_no_difference_is_unexplained(table):
    causes = {
        "agrees",
        "stopped early",
        "at the edge",
        "rounded twice",
        "misprint",
        "not converged",
    }
    assert set(table["verdict"]) <= causes | {"another machine"}
    assert table.loc[table["verdict"] == "another machine", "item"].to_list() == ["S84"]
    differ = table[table["verdict"] != "agrees"]
    recorded = [printed.number(*key).cause for key in differ[["item", "name", "label"]].to_numpy()]
    assert differ["verdict"].to_list() == recorded
    assert (table["verdict"] == "agrees").sum() > 500


@pytest.mark.parametrize(
    ("item", "name", "wrong"),
    [("S28", "mu", -1.36), ("S56", "sigma", 0.80), ("S82", "corr", 0.9), ("S88", "rows", 567)],
)
def test_another_number_is_unexplained(item, name, wrong):
    """The check can fail: a value that is off has no cause on record."""
    values = page_values.ours(item)
    printed.check(item, **values)
    with pytest.raises(DataError, match="unexplained"):
        printed.check(item, **values | {name: wrong})


def test_no_number_of_the_page_is_typed_in():
    """Ours are computed: the module holds no literal with two digits that the page prints."""
    tree = ast.parse(Path(page_values.__file__).read_text(encoding="utf-8"))
    numbers = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    typed = {abs(v) for v in numbers if isinstance(v, float)}
    assert typed <= {0.5, 1e-5, 0.025, 0.95, 0.975}
    whole = {v for v in numbers if isinstance(v, int) and not isinstance(v, bool)}
    call = set(page_values._CALL.values())  # what the page asks of brms
    assert whole <= call | {-1, 0, 1, 2, 60}


# --- causes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_stopping_points_are_those_of_lme4(name):
    s, (theta, beta) = FITS[NAMES[name]], fits.stops()[name]
    assert theta == pytest.approx(np.array(s["theta"], ndmin=1), rel=1e-10)
    assert beta == pytest.approx(np.array(list(s["fixef"].values())), rel=1e-10)
    fit = fits.stopped(name)
    assert -2 * fit.loglik == pytest.approx(s["m2ll"], rel=5e-6 if name.startswith("uk") else 2e-6)
    assert fit.conditional_deviance == pytest.approx(s["deviance_cond"], abs=2e-3)
    assert fit.singular == s["singular"]
    assert fit.loglik <= fits.fitted(name).loglik + 1e-9


def test_stopping_early_explains_what_it_is_said_to_explain(table):
    early = page_values.where_it_stops(table)
    assert early["explains"].all()
    assert len(early) == 31
    edge = table[table["verdict"] == "at the edge"]
    assert set(edge["item"]) == {"S82"}
    assert set(edge["name"]) == ON_THE_BOUNDARY
    assert len(edge) == 6


def test_standard_errors_on_the_boundary_depend_on_the_stop():
    """lme4 itself prints the page's .81 and 1.03, or .82 and 1.04, by where its search ends."""
    lme4 = boundary.stored("lme4_rainey2015").query("quantity == 'std_error'")
    by_run = lme4.pivot(index="term", columns="optimiser", values="value")
    for record in printed.numbers("S82", "std_error"):
        name = record.label.replace("Intercept", "(Intercept)").replace("[T.SMD]", "SMD")
        assert record.agrees(by_run.loc[name, "lme4, patient"])
        ours = fits.fitted("rainey2015").std_error[record.label]
        assert ours == pytest.approx(by_run.loc[name, "lme4, default"], rel=2e-2)


def test_the_page_s_z_follow_from_its_own_standard_errors():
    def of(name):
        return {one.label: one for one in printed.numbers("S82", name)}

    estimate, error, z, p = (of(name) for name in ("estimate", "std_error", "z", "p"))
    for label in z:
        b = abs(estimate[label].value) + np.array([-0.005, 0.005])
        se = error[label].value + np.array([0.005, -0.005])
        low, high = b / se
        assert low - 0.005 <= abs(z[label].value) <= high + 0.005
        tails = [2 * page_values.NormalDist().cdf(-v) for v in (high, low)]
        assert tails[0] - 0.005 <= p[label].value <= tails[1] + 0.005


def test_rounding_twice_gives_the_page_s_dic():
    (twice,) = [
        r for i in printed.items() for r in printed.numbers(i) if r.cause == "rounded twice"
    ]
    ours = page_values.ours(twice.item)[twice.name]
    assert not twice.agrees(ours)
    assert twice.value == round(round(ours, 1))


def test_the_misprint_is_impossible():
    (record,) = [r for i in printed.items() for r in printed.numbers(i) if r.cause == "misprint"]
    n = int((fits.tidy("finland")["district_id"] == record.label).sum())
    assert n == 23
    assert not any(record.agrees(k / n) for k in range(n + 1))


def test_the_page_s_chains_are_off_by_no_more_than_their_error(table):
    ours = page_values.ours("S85")
    error = {one.label: one.value for one in printed.numbers("S85", "std_error")}
    size = {one.label: one.value for one in printed.numbers("S85", "ess_bulk")}
    for one in printed.numbers("S85", "estimate"):
        mcse = error[one.label] / np.sqrt(size[one.label])
        own = ours["std_error"][one.label] / np.sqrt(ours["ess_bulk"][one.label])
        assert abs(one.value - ours["estimate"][one.label]) < 4 * np.hypot(mcse, own) + 0.005
    failed = [one for one in printed.numbers("S85", "rhat") if one.value > 1.01]
    assert len(failed) == 3
    assert ours["rhat"].max() < 1.01
    assert ours["ess_bulk"].min() > 1000
    shown = table[table["item"].isin(["S88", "S89"]) & (table["name"] == "estimate")]
    off = (shown["ours"] - shown["page"].astype(float)).abs()
    assert off.max() < 0.01


def test_settings_are_those_brms_reports():
    found = page_values.settings(10, 4000)
    assert (printed.check("S85", **found)["verdict"] == "agrees").all()
    assert page_values.settings(4, 1000)["draws"] == 2000


def test_without_the_extra_the_rest_is_compared(monkeypatch):
    def missing(_):
        raise page_values.MissingExtraError("no arviz")

    monkeypatch.setattr(page_values.convergence, "statistics", missing)
    page_values._draws_summary.cache_clear()
    try:
        found = page_values.table(["S85"])
    finally:
        page_values._draws_summary.cache_clear()
    left_out = {one.name for one in printed.numbers("S85")} - set(found["name"])
    assert left_out == {"rhat", "ess_bulk", "ess_tail"}


def test_unknown_names_are_refused():
    with pytest.raises(DataError, match="prints no numbers in 'S1'"):
        page_values.ours("S1")
    with pytest.raises(DataError, match="there are \\['finland'"):
        fits.fitted("sweden")


# --- the list ---------------------------------------------------------------------------------


def test_every_number_is_listed(table):
    assert list(page_text.TITLES) == list(printed.items())
    text = page_text.listed(table)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "the page" not in line]
    assert len(rows) == len(table)
    assert text.count("<details>") == text.count("</details>") == len(printed.items())
    assert sum("**" in row for row in rows) == (table["verdict"] != "agrees").sum()
    assert "| dic | 1070 | 1069.47 | 0.5 | **rounded twice** |" in rows
    assert "<summary>S29, μ and σ in words: 2 numbers, all agree</summary>" in text


# --- the picture ------------------------------------------------------------------------------


def test_every_number_is_drawn_where_it_lies(table):
    found = distances(table)
    row = found[(found["item"] == "S18")].iloc[0]
    assert row["units"] == pytest.approx((10 / 23 - 0.40) / 0.01)
    agree = found[(found["verdict"] == "agrees") & ~found["page"].str.endswith("…")]
    assert agree["units"].abs().max() <= 0.5 + 1e-6
    axes = distances_drawn(table).axes[0]
    drawn = sum(len(dots.get_offsets()) for dots in axes.collections)
    assert drawn == len(table)
    named = distances_drawn(table, page_text.TITLES).axes[0]
    assert named.get_yticklabels()[0].get_text() == "Finland: the data  S7"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "misprint (1)" in labels
    with pytest.raises(DataError, match="'verdict' is not a column"):
        distances(table.drop(columns="verdict"))


# --- traps ------------------------------------------------------------------------------------


def test_every_trap_is_there_with_its_lecture():
    traps = page_traps.traps()
    assert [t.item for t in traps] == [f"X{i}" for i in range(1, 43)]
    assert {t.item: t.lecture[:2] for t in traps} == {  # what stands in 3b is planned for 3
        item: lecture for item, lecture in items().items() if item.startswith("X")
    }
    for trap in traps:
        assert set(trap.where) <= set(items())
        assert (LECTURES / trap.link).exists() or trap.link.removesuffix(".ipynb") in TO_COME
        assert 8 <= len(trap.text.split()) <= 60, trap.item


def test_numbers_in_the_texts_are_computed_or_the_page_s():
    """What is typed with a decimal point stands on the page, or is a value asked for."""
    typed = re.findall(r"\d+\.\d+", page_traps._TEXTS)
    assert set(typed) <= {"0.40", "1.64", "1.00", "0.5", "0.8"}


def test_no_sentence_of_the_page_stands_in_the_traps():
    for trap in page_traps.traps():
        assert not prose_hashes(f"{trap.title}\n\n{trap.text}").keys() & page_hashes(), trap.item


REFERENCE = {  # of an independent computation in R 4.2.2 / lme4 1.1-31 and by quadrature
    "raw_309": 0.4348, "peak_308": 0.2690, "peak_309": 0.2682, "mean_308": 0.2696,
    "mean_309": 0.2703, "variance_low": 0.0272, "variance_high": 0.0670, "centre_finland": 0.2023,
    "overall_finland": 0.2072, "overall_uk": 0.3201, "low_309": 0.265,
    "zero": 110, "one": 30, "flat": 140, "single": 57, "passed_count": 4, "holes": 506,
    "slope_two_step": 0.175, "slope_raw": 0.63, "slope_model": 0.79, "population_uk": 0.317,
    "centre_uk": 0.299, "d00": -3.09, "d01": 0.74, "d10": 4.27, "d11": -3.07, "distinct": 567,
    "corr_stopped": 0.99995, "countries": 4, "elections": 5, "rhat": 1.05, "tail": 35,
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCE)
def test_facts_agree_with_the_reference(name):
    digits = len(f"{REFERENCE[name]}".partition(".")[2])
    assert page_traps.facts()[name] == pytest.approx(REFERENCE[name], abs=0.8 * 10.0**-digits)


def test_the_list_as_markdown():
    text = page_traps.markdown()
    assert text.count("\n") == 43
    assert "| X13 | S31, S35, S36, S37 | **Peaks are not means.** By the peak" in text


def test_whoever_changes_the_page_s_frame_changes_a_copy():
    frame = fits.tidy("finland")
    frame["contacted"] = 0
    assert fits.tidy("finland")["contacted"].sum() > 0
