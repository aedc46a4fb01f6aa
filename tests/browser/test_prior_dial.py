"""The prior dial as a student uses it: drag, type, wait for new draws, and by keyboard alone.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

PRIOR, DRAWN, POSTERIOR = (
    f"rgb({rgb})" for rgb in ("117, 112, 179", "128, 128, 128", "217, 95, 2")
)
SD = "sd Intercept | district_id"
FINLAND = """
import hierwidgets as hw
dial = hw.widgets.PriorDial(hw.load_posterior("finland"))
dial
"""
UK = """
import hierwidgets as hw
dial = hw.widgets.PriorDial(
    hw.load_posterior("uk_competitiveness"), coefficient_shape="normal",
    parameter="district_competitiveness")
dial
"""
SEVERAL = """
import hierwidgets as hw
dial = hw.widgets.PriorDial(
    hw.load_posterior("rainey2015"), sd_scale=0.5, parameter="sd Intercept | election_id")
dial
"""


@pytest.fixture
def finland(run_again: Open) -> Notebook:
    return run_again("prior-dial-finland.ipynb", FINLAND)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(
        notebook, "PriorDial", "^Curves of (sd|district_comp)", ".hw-parameter path.line"
    )


def curve(found: Locator, colour: str, picture: str = "hw-parameter") -> Locator:
    return found.locator(f'.{picture} path.line[style*="stroke: {colour}"]').first


def mean(found: Locator, colour: str, picture: str = "hw-parameter") -> float:
    """Where a mean's circle is, in pixels from the left."""
    middle = "path => (r => r.left + r.width / 2)(path.getBoundingClientRect())"
    dots = found.locator(f'.{picture} path.dot[style*="stroke: {colour}"]')
    return float(dots.first.evaluate(middle))


def test_the_posterior_follows_the_prior(finland: Notebook) -> None:
    found = shown(finland)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "sds, prior"
        - slider "sds, scale"
        - spinbutton "sds, scale, typed": "2.500"
        - combobox "intercept, prior"
        - slider "intercept, scale"
        - spinbutton "intercept, scale, typed": "2.500"
        - combobox "Above"
        - combobox "Below"
        - combobox "district_id"
        - button "Back to the priors as drawn"
        - status: /sd Intercept . district_id. mean 0.387.*As drawn. 10,000 draws/
        - img /Curves of sd Intercept . district_id/
        - img /Curves of share contacted in District 309/
        - group: Table of the parameters
        """
    )
    start = mean(found, POSTERIOR), mean(found, POSTERIOR, "hw-quantity")
    hands.drag(finland, hands.slider(found, "sds, scale"), share=0.15)
    hands.shows(found, "By weights, worth")
    finland.settles("0.1 < dial.sd_scale < 0.15", True)
    hands.shows(found, "as drawn 0.387")
    assert mean(found, POSTERIOR) < start[0] - 30 < mean(found, DRAWN)
    assert mean(found, POSTERIOR, "hw-quantity") < start[1] - 5
    box = found.get_by_role("spinbutton", name="sds, scale, typed")
    box.fill("100")
    box.press("Enter")
    expect(found.get_by_role("alert")).to_have_text("sds, scale: a number from 0.05 to 25, please")
    hands.button(found, "Back to the priors as drawn").click()
    hands.shows(found, "As drawn: 10,000 draws.")
    assert abs(mean(found, POSTERIOR) - start[0]) < 1
    with hands.broken(finland, "hw.widgets.prior_dial", "look"):
        hands.press(finland, hands.slider(found, "sds, scale"), "ArrowRight")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(finland, hands.slider(found, "sds, scale"), "ArrowRight")
    hands.shows(found, f"{SD}: mean 0.38")
    hands.closes(finland, "dial", found)
    assert finland.complaints == []


def test_steps_that_outrun_the_kernel_are_skipped(finland: Notebook) -> None:
    """What is dragged past while the kernel computes is not computed; where the hand stops is."""
    found = shown(finland)
    finland.execute(
        "import time; seen = []\n"
        "dial.observe(lambda change: (seen.append(change.new), time.sleep(0.3)), 'sd_scale')"
    )
    control = hands.slider(found, "sds, scale")
    control.evaluate(
        "one => { one.moves = 0; one.addEventListener('input', () => { one.moves += 1; }); }"
    )
    hands.drag(finland, control, share=0.3)
    typed = found.get_by_role("spinbutton", name="sds, scale, typed")
    finland.settles("round(seen[-1], 3)", float(typed.input_value()))
    moves, computed = control.evaluate("one => one.moves"), finland.python("len(seen)")
    assert moves > 15
    assert computed < moves / 2
    assert finland.python("dial.waiting or dial.drawing") is False
    assert finland.complaints == []


def test_by_keyboard_alone(finland: Notebook) -> None:
    found = shown(finland)
    hands.press(finland, hands.menu(found, "sds, prior"), "ArrowUp")
    hands.shows(found, "By weights, worth")
    finland.settles("dial.sd_shape", "half-normal")
    hands.press(finland, hands.slider(found, "sds, scale"), "Home", "PageUp", "PageUp")
    finland.settles("0.1 < dial.sd_scale < 0.3", True)
    hands.press(finland, hands.menu(found, "district_id"), "ArrowDown")
    hands.shows(found, "in District 304: mean")
    hands.press(finland, hands.menu(found, "Below"), "ArrowDown")
    hands.shows(found, "Intercept: mean -1.3")
    expect(found.get_by_role("combobox", name="district_id")).to_be_hidden()
    hands.press(finland, hands.menu(found, "sds, prior"), "Home")
    expect(hands.slider(found, "sds, scale")).to_be_hidden()
    expect(found.get_by_role("img", name=re.compile("The prior is flat"))).to_be_visible()
    found.locator("summary").focus()
    finland.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(3)
    expect(found.get_by_role("row", name=SD)).to_contain_text("0.387")
    hands.press(finland, hands.button(found, "Back to the priors as drawn"), "Enter")
    hands.shows(found, "As drawn: 10,000 draws.")
    assert finland.complaints == []


def test_beyond_the_draws_new_ones_are_taken(open_notebook: Open) -> None:
    notebook = open_notebook("prior-dial-uk.ipynb", UK)
    notebook.run_all()
    found = shown(notebook)
    before = mean(found, POSTERIOR)
    hands.drag(notebook, hands.slider(found, "coefficients, scale"), share=0.25)
    expect(found.locator(".hw-status")).to_contain_text(
        re.compile("Too far from the draws|Drawn anew")
    )
    hands.shows(found, "Drawn anew under these priors: 4,000 draws.", seconds=60)
    assert mean(found, POSTERIOR) < before - 50 < mean(found, DRAWN)
    expect(found.get_by_role("progressbar", name="new draws")).to_be_hidden()
    hands.press(notebook, hands.slider(found, "coefficients, scale"), "ArrowRight")
    hands.shows(found, "of 4,000 new draws")
    assert notebook.complaints == []


@pytest.mark.parametrize("width", [400, 900, 1366])
def test_it_fits_the_screen(open_notebook: Open, width: int) -> None:
    notebook = open_notebook(f"prior-dial-{width}.ipynb", SEVERAL, width=width)
    notebook.run_all()
    found = shown(notebook)
    assert hands.overflow(notebook) <= 0
    assert hands.cut_off(found) == []
    table = found.locator("summary").bounding_box()
    top = found.bounding_box()
    assert table is not None
    assert top is not None
    if width >= 1366:  # a cell of 740 or more: controls, picture, key and status at once
        assert table["y"] + table["height"] - top["y"] <= 650
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("prior-dial-theme.ipynb", SEVERAL)
        notebook.run_all()
        found = shown(notebook)
        marks = [curve(found, colour) for colour in (PRIOR, DRAWN, POSTERIOR)]
        texts = (".hw-status", ".tick text", ".hw-legend span", ".hw-caption", "summary")
        hands.stands_out(found, marks, texts)
        hands.keep_picture("prior-dial", theme, notebook.portrait(found))
