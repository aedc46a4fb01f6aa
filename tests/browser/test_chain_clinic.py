"""The chain clinic as a student uses it: good and bad draws, and a table without draws.

Every gesture is checked at both ends: on the Python traits and on what the page shows. Set
HIERWIDGETS_PICTURES=1 to renew the picture in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

CHAINS, PASSES, FAILS = "rgb(59, 125, 191)", "rgb(117, 112, 179)", "rgb(217, 95, 2)"
BAD = """
import hierwidgets as hw
clinic = hw.widgets.ChainClinic(hw.widgets.stuck_chains())
clinic
"""
GOOD = """
import hierwidgets as hw
clinic = hw.widgets.ChainClinic({"Finland": hw.load_posterior("finland"),
                                 "UK": hw.load_posterior("uk_competitiveness")})
clinic
"""
ALL = """
import hierwidgets as hw
clinic = hw.widgets.ChainClinic({"as printed": hw.widgets.printed_summary(),
                                 "ours": hw.load_posterior("rainey2015"),
                                 "stuck": hw.widgets.stuck_chains()})
clinic
"""


@pytest.fixture
def bad(run_again: Open) -> Notebook:
    return run_again("clinic-bad.ipynb", BAD)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(notebook, "ChainClinic", "Statistics of", ".hw-statistics path.dot")


def points(found: Locator, colour: str = "") -> Locator:
    """Points of the statistics: of all, or those drawn in that colour."""
    return found.locator(f'.hw-statistics path.dot[style*="stroke: {colour}"]')


def lanes(found: Locator, figure: str) -> int:
    """Number of lanes drawn: pieces of the one path of the draws or of their ranks."""
    path = found.locator(f'.{figure} path.line[style*="stroke: {CHAINS}"]').first
    return (path.get_attribute("d") or "").count("M")


def test_every_control_has_a_name_and_its_keys(bad: Notebook) -> None:
    found = shown(bad)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "Parameter"
        - combobox "Rule"
        - checkbox "chain 1" [checked]
        - checkbox "chain 2" [checked]
        - checkbox "chain 3" [checked]
        - checkbox "chain 4" [checked]
        - slider "thin, keep 1 in"
        - spinbutton "thin, keep 1 in, typed": "1"
        - status: /stuck. R-hat 1.\\d+ is above 1.01/
        - img /Traces of stuck, a lane for each of 4 chains/
        - img /Ranks of stuck, a lane for each of 4 chains/
        - img /Statistics of 2 parameters/
        - group: Table of statistics and verdicts
        """
    )
    hands.press(bad, hands.menu(found, "Parameter"), "ArrowDown")
    hands.shows(found, "slow: R-hat")
    bad.settles("clinic.parameter", "slow")
    hands.press(bad, hands.slider(found, "thin, keep 1 in"), "ArrowRight", "ArrowRight")
    hands.shows(found, "4 chains of 334 draws")
    bad.settles("clinic.thin", 3)
    hands.press(bad, hands.menu(found, "Rule"), "ArrowDown", "ArrowDown")
    bad.settles("clinic.ess", 2000)
    hands.shows(found, "2,000")
    assert bad.complaints == []


def test_leaving_the_stuck_chain_out_by_key_mends_the_statistics(bad: Notebook) -> None:
    found = shown(bad)
    assert lanes(found, "hw-traces") == lanes(found, "hw-ranks") == 4
    failing = points(found, FAILS).count()
    assert (
        failing == points(found).count() == 6
    )  # a square, a circle and a triangle for each parameter
    found.get_by_role("checkbox", name="chain 4").focus()
    bad.page.keyboard.press("Space")
    bad.settles("clinic.chains", [1, 2, 3])
    hands.shows(found, "stuck: R-hat 1.00")
    assert lanes(found, "hw-traces") == lanes(found, "hw-ranks") == 3
    expect(points(found, PASSES)).to_have_count(3)
    expect(points(found, FAILS)).to_have_count(3)
    found.get_by_role("checkbox", name="chain 1").uncheck()
    bad.settles("clinic.chains", [2, 3])
    found.get_by_role("checkbox", name="chain 2").click()
    hands.shows(found, "two chains or more have to stay, to be compared")
    expect(found.get_by_role("checkbox", name="chain 2")).to_be_checked()
    assert bad.python("clinic.chains") == [2, 3]
    assert bad.complaints == []


def test_thinning_by_mouse_and_typing(bad: Notebook) -> None:
    found = shown(bad)
    hands.drag(bad, hands.slider(found, "thin, keep 1 in"), share=0.5)
    bad.settles("20 < clinic.thin < 30", True)
    box = found.get_by_role("spinbutton", name="thin, keep 1 in, typed")
    box.fill("5")
    box.press("Enter")
    bad.settles("clinic.thin", 5)
    hands.shows(found, "4 chains of 200 draws")
    hands.shows(found, "parameters")  # the others are judged when the slider rests
    box.fill("1000")
    box.press("Enter")
    expect(found.get_by_role("alert")).to_have_text(re.compile("a number from 1 to 50, please"))
    assert bad.python("clinic.thin") == 5


def test_a_click_on_a_row_chooses_its_parameter(bad: Notebook) -> None:
    found = shown(bad)
    row = points(found).evaluate_all(
        "paths => Math.max(...paths.map(p => p.getBoundingClientRect().top))"
    )
    plot = found.locator(".hw-statistics svg").first.bounding_box()
    bad.page.mouse.click(plot["x"] + plot["width"] / 2 + 60, row)
    hands.shows(found, "slow: R-hat")
    bad.settles("clinic.parameter", "slow")
    expect(hands.menu(found, "Parameter")).to_have_value("slow")


def test_the_table_opens_by_key_and_an_error_shows(bad: Notebook) -> None:
    found = shown(bad)
    found.locator("summary").focus()
    bad.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(3)
    expect(found.get_by_role("row", name="stuck")).to_contain_text("is above 1.01")
    with hands.broken(bad, "clinic", "_values"):
        hands.press(bad, hands.menu(found, "Parameter"), "ArrowDown")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(bad, hands.menu(found, "Parameter"), "ArrowUp")
    hands.shows(found, "stuck: R-hat")
    hands.closes(bad, "clinic", found)


def test_good_draws_of_finland_and_the_uk_pass(open_notebook: Open) -> None:
    notebook = open_notebook("clinic-good.ipynb", GOOD)
    notebook.run_all()
    found = shown(notebook)
    hands.shows(found, "Intercept: R-hat 1.00")
    hands.shows(found, "it passes")
    hands.shows(found, "4 chains of 2,500 draws")
    expect(points(found, FAILS)).to_have_count(0)
    hands.press(notebook, hands.menu(found, "Run"), "ArrowDown")
    notebook.settles("clinic.run", "UK")
    expect(points(found, PASSES)).to_have_count(9)
    hands.menu(found, "Parameter").select_option("district_competitiveness")
    hands.shows(found, "district_competitiveness: R-hat 1.00")
    assert hands.overflow(notebook) <= 0
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 700])
def test_a_printed_table_has_verdicts_and_no_draws(open_notebook: Open, width: int) -> None:
    notebook = open_notebook("clinic-all.ipynb", ALL, width=width)
    notebook.run_all()
    found = shown(notebook)
    hands.shows(found, "Intercept: R-hat 1.01, bulk ESS 2,798")
    hands.shows(found, "A printed summary: there are no draws to look at.")
    hands.shows(
        found, "5 of 8 parameters pass. R-hat is above 1.01 for 3, effective sample sizes are"
    )
    expect(found.get_by_role("img", name=re.compile("Traces of"))).to_have_count(0)
    expect(found.get_by_role("checkbox")).to_have_count(0)
    expect(points(found, FAILS)).to_have_count(9)
    found.locator("summary").click()
    row = found.get_by_role("row", name="sd district_competitiveness | election_id")
    expect(row).to_contain_text("R-hat 1.04 is above 1.01; bulk ESS 173, tail ESS 49 are below 400")
    found.locator("summary").click()
    hands.menu(found, "Run").select_option("ours")
    hands.shows(found, "4 chains of 2,500 draws")
    expect(points(found, FAILS)).to_have_count(0)
    assert lanes(found, "hw-traces") == 4
    assert hands.overflow(notebook) <= 0
    assert hands.cut_off(found) == []
    hands.menu(found, "Run").select_option("stuck")
    hands.shows(found, "stuck: R-hat")
    hands.menu(found, "Run").select_option("as printed")
    hands.shows(found, "there are no draws to look at")
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("clinic-theme.ipynb", BAD)
        notebook.run_all()
        found = shown(notebook)
        line = found.locator(f'.hw-traces path.line[style*="stroke: {CHAINS}"]')
        hands.stands_out(found, [points(found, FAILS), line])
        hands.keep_picture("chain-clinic", theme, notebook.portrait(found))
