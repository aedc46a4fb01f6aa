"""The generative ladder as a student uses it: drag, flip the coding, draw again, by keyboard alone.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import re
from itertools import pairwise

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

TYPICAL, ELECTION, DISTRICT, RESPONDENTS = (
    f"rgb({rgb})" for rgb in ("27, 158, 119", "217, 95, 2", "231, 41, 138", "128, 128, 128")
)
LADDER = """
import hierwidgets as hw
ladder = hw.widgets.GenerativeLadder(corr=-0.6, sd_intercept=0.5, sd_slope=1.0)
ladder
"""
PATHS = """(found) => [...found.querySelectorAll('.hw-pictures path.line')]
  .map((path) => path.getAttribute('d')).join(' ')"""


@pytest.fixture
def notebook(run_again: Open) -> Notebook:
    return run_again("generative-ladder.ipynb", LADDER)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(
        notebook, "GenerativeLadder", "^20 elections under SMD", ".hw-first-elections path.line"
    )


def curve(found: Locator, colour: str, picture: str) -> Locator:
    return found.locator(f'.{picture} path.line[style*="stroke: {colour}"]').first


def test_the_curves_follow_and_the_coding_leaves_them(notebook: Notebook) -> None:
    found = shown(notebook)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "Coding"
        - slider "δ00, intercept of SMD"
        - spinbutton "δ00, intercept of SMD, typed": "-3.09"
        - slider "δ01, what PR adds to it"
        - spinbutton "δ01, what PR adds to it, typed": "0.74"
        - slider "δ10, slope of SMD"
        - spinbutton "δ10, slope of SMD, typed": "4.27"
        - slider "δ11, what PR adds to it"
        - spinbutton "δ11, what PR adds to it, typed": "-3.07"
        - text: /With PR as 0, the same lines/
        - slider "σγ0, elections' intercepts"
        - spinbutton "σγ0, elections' intercepts, typed": "0.50"
        - slider "σγ1, elections' slopes"
        - spinbutton "σγ1, elections' slopes, typed": "1.00"
        - slider "ρ, intercepts with slopes"
        - spinbutton "ρ, intercepts with slopes, typed": "-0.60"
        - slider "σα, districts"
        - spinbutton "σα, districts, typed": "0.47"
        - slider "respondents per district"
        - spinbutton "respondents per district, typed": "8"
        - button "Draw again"
        - button "Reset to the fit"
        - status: /SMD. 90 % of elections have rates of.*PR.*Draw 1 .seed 1/
        - img /20 elections under SMD/
        - img /20 elections under PR/
        - img /One election under SMD/
        - img /One election under PR/
        - group: Table of what the setting implies
        """
    )
    before, said = found.evaluate(PATHS), found.locator(".hw-status").inner_text()
    hands.menu(found, "Coding").select_option("PR is 0 (software)")
    box = found.get_by_role("spinbutton", name="β0, intercept of PR, typed")
    expect(box).to_have_value("-2.35")
    expect(found.get_by_role("spinbutton", name="β3, what SMD adds")).to_have_value("3.07")
    assert found.evaluate(PATHS) == before
    assert found.locator(".hw-status").inner_text() == said
    hands.drag(notebook, hands.slider(found, "β0, intercept of PR"), share=0.7)
    notebook.settles("bool(2 < ladder.coefficients[0] < 2.9)", True)
    assert found.evaluate(PATHS) != before
    box.fill("7")
    box.press("Enter")
    expect(found.get_by_role("alert")).to_have_text(
        "β0, intercept of PR: a number from -6 to 6, please"
    )
    hands.button(found, "Reset to the fit").click()
    expect(box).to_have_value("-2.35")
    expect(found.get_by_role("spinbutton", name="ρ, intercepts")).to_have_value("1.00")
    with hands.broken(notebook, "hw.widgets.generative_ladder", "rates_at"):
        hands.press(notebook, hands.slider(found, "σα, districts"), "ArrowRight")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(notebook, hands.slider(found, "σα, districts"), "ArrowRight")
    hands.shows(found, "SMD: 90 % of elections")
    hands.closes(notebook, "ladder", found)
    assert notebook.complaints == []


def test_a_slider_moves_without_a_jump_and_the_button_draws_again(notebook: Notebook) -> None:
    found = shown(notebook)
    own = curve(found, ELECTION, "hw-first-districts")
    heights = []
    slider = hands.slider(found, "σγ1, elections' slopes")
    for _ in range(5):
        hands.press(notebook, slider, "ArrowRight")
        notebook.page.wait_for_timeout(150)
        box = own.bounding_box()
        assert box is not None
        heights.append(box["height"])
    steps = [abs(b - a) for a, b in pairwise(heights)]
    assert 0 < max(steps) < 4  # pixels
    before = found.evaluate(PATHS)
    hands.button(found, "Draw again").click()
    hands.shows(found, "Draw 2 (seed 2).")
    assert found.evaluate(PATHS) != before
    assert notebook.complaints == []


def test_by_keyboard_alone(notebook: Notebook) -> None:
    found = shown(notebook)
    hands.press(notebook, hands.menu(found, "Coding"), "ArrowDown")
    notebook.settles("ladder.zero", "PR")
    hands.press(notebook, hands.slider(found, "β1, slope of PR"), "ArrowRight", "ArrowRight")
    notebook.settles("bool(1.2 < ladder.coefficients[2] < 1.4)", True)
    hands.press(notebook, hands.slider(found, "ρ, intercepts"), "Home")
    hands.shows(found, "Elections are most alike at 0.50.")
    hands.press(notebook, hands.slider(found, "respondents per district"), "End")
    expect(found.get_by_role("img", name=re.compile("shares of 100 respondents"))).to_have_count(2)
    hands.press(notebook, hands.button(found, "Draw again"), "Enter", "Enter")
    hands.shows(found, "Draw 3 (seed 3).")
    found.locator("summary").focus()
    notebook.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(7)
    hands.press(notebook, hands.button(found, "Reset to the fit"), "Enter")
    expect(found.get_by_role("row", name="SMD at 0", exact=False).first).to_contain_text("0.044")
    assert notebook.python("(ladder.zero, ladder.people)") == ["PR", 100]
    assert notebook.complaints == []


@pytest.mark.parametrize("width", [400, 900, 1366])
def test_it_fits_the_screen(open_notebook: Open, width: int) -> None:
    notebook = open_notebook(f"generative-ladder-{width}.ipynb", LADDER, width=width)
    notebook.run_all()
    found = shown(notebook)
    assert hands.overflow(notebook) <= 0
    assert hands.cut_off(found) == []
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("generative-ladder-theme.ipynb", LADDER)
        notebook.run_all()
        found = shown(notebook)
        marks = [
            curve(found, colour, "hw-first-districts")
            for colour in (TYPICAL, ELECTION, DISTRICT, RESPONDENTS)
        ]
        texts = (*hands.TEXTS, ".hw-caption")
        hands.stands_out(found, marks, texts)
        hands.keep_picture("generative-ladder", theme, notebook.portrait(found))
