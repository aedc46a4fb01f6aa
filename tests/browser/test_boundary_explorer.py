"""The boundary explorer as a student uses it: turn, click, run, stop, and by keyboard alone.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

TOP, TRUTH, WITHOUT = (f"rgb({rgb})" for rgb in ("217, 95, 2", "117, 112, 179", "128, 128, 128"))
SEVERAL = """
import hierwidgets as hw
fit = hw.glmer(
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)",
    hw.load("rainey2015"), event="Contacted")
explorer = hw.widgets.BoundaryExplorer(fit, penalty="Wishart", sd=1.0, corr=0.0, height=0.5)
explorer
"""


@pytest.fixture
def several(run_again: Open) -> Notebook:
    return run_again("boundary-explorer.ipynb", SEVERAL)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(notebook, "BoundaryExplorer", "^Map of the like", ".hw-hill path.line")


def dot(found: Locator, colour: str) -> tuple[float, float]:
    """The middle of a mark of the map, in pixels."""
    mark = found.locator(f'.hw-hill path.dot[style*="stroke: {colour}"]').first
    box = mark.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_maximum_follows_the_penalty_and_the_truth_a_click(several: Notebook) -> None:
    found = shown(several)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "Penalty"
        - slider "strength of the penalty"
        - spinbutton "strength of the penalty, typed": "1.00"
        - slider "true sd of the slopes"
        - spinbutton "true sd of the slopes, typed": "1.00"
        - slider "true correlation"
        - spinbutton "true correlation, typed": "0.00"
        - slider "true sd of the heights"
        - spinbutton "true sd of the heights, typed": "0.50"
        - button "Truth to the maximum"
        - slider "surveys of each size"
        - spinbutton "surveys of each size, typed": "30"
        - slider "seed"
        - spinbutton "seed, typed": "1"
        - button "Run"
        - button "Stop" [disabled]
        - progressbar "surveys done"
        - status: /Under the penalty the maximum is near an sd of 0.62/
        - img /Map of the likelihood with the penalty/
        - img /Share of singular fits by the number of elections. no surveys yet/
        - group: Table of the maximum, the truth to try and the regions
        """
    )
    start = dot(found, TOP)
    hands.drag(several, hands.slider(found, "strength of the penalty"), share=0.1)
    several.settles("0.2 < explorer.strength < 0.4", True)
    hands.shows(found, "maximum is near an sd of 0.3")
    left, up = dot(found, TOP)
    assert left < start[0] - 20
    assert up < start[1] - 20
    plot = found.locator(".hw-hill .plotarea_background")
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": 0.25 * box["width"], "y": 0.75 * box["height"]}, force=True)
    several.settles("explorer.sd < 0.6 and explorer.corr < -0.4", True)
    hands.shows(found, "The truth to try, an sd of 0.5")
    field = found.get_by_role("spinbutton", name="true correlation, typed")
    field.fill("7")
    field.press("Enter")
    expect(found.get_by_role("alert")).to_have_text(
        "true correlation: a number from -1 to 1, please"
    )
    with hands.broken(several, "hw.widgets.boundary_explorer", "look"):
        hands.press(several, hands.slider(found, "strength of the penalty"), "ArrowRight")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(several, hands.slider(found, "strength of the penalty"), "ArrowRight")
    hands.shows(found, "Under the penalty the maximum")
    hands.closes(several, "explorer", found)
    assert several.complaints == []


def test_by_keyboard_alone(several: Notebook) -> None:
    found = shown(several)
    hands.press(several, hands.menu(found, "Penalty"), "Home")
    hands.shows(found, "The likelihood is highest at an sd of 0.26 and a correlation of 1.00")
    expect(hands.slider(found, "strength of the penalty")).to_be_hidden()
    hands.press(several, hands.button(found, "Truth to the maximum"), "Enter")
    several.settles("explorer.corr", 1.0)
    hands.press(several, hands.slider(found, "true correlation"), "Home")
    hands.shows(found, "a correlation of −1.00")
    found.locator("summary").focus()
    several.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(6)
    hands.press(several, hands.button(found, "Run"), "Enter")
    hands.shows(found, "Singular fits so far: ", seconds=60)
    hands.press(several, hands.menu(found, "Penalty"), "End")  # the map goes on working
    hands.shows(found, "Under the penalty the maximum is near an sd of 0.3")
    hands.press(several, hands.button(found, "Stop"), "Enter")
    hands.shows(found, re.compile(r"Singular fits from it: \d of \d with 5"))
    singular = re.compile("Share of singular fits. 5 el")
    expect(found.get_by_role("img", name=singular)).to_be_visible()
    assert several.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        few = SEVERAL.replace("height=0.5", "height=0.5, surveys=6")
        notebook = open_notebook("boundary-explorer-theme.ipynb", few)
        notebook.run_all()
        found = shown(notebook)
        hands.button(found, "Run").click()
        hands.shows(found, "Singular fits from it: ", seconds=120)
        marks = [
            found.locator(f'.hw-hill path.dot[style*="stroke: {colour}"]').first
            for colour in (TOP, TRUTH, WITHOUT)
        ]
        hands.stands_out(found, marks, (".hw-status", ".tick text", ".hw-legend span", "summary"))
        hands.keep_picture("boundary-explorer", theme, notebook.portrait(found))
