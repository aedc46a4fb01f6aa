"""SlopeShrinkage as a student uses it: turn, click, highlight, snap back, and by keyboard alone.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

OWN, CENTRE, RING = (f"rgb({rgb})" for rgb in ("27, 158, 119", "117, 112, 179", "128, 128, 128"))
REGIONS = """
import hierwidgets as hw
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
fit = hw.glmer(REGIONS, regions.survey()[0])
points = hw.widgets.SlopeShrinkage(fit, corr=-0.9, selected="R016")
points
"""


@pytest.fixture
def regions(run_again: Open) -> Notebook:
    return run_again("slope-shrinkage.ipynb", REGIONS)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(
        notebook, "SlopeShrinkage", "^Intercept across and slope", ".hw-pairs path.line"
    )


def test_the_correlation_is_dragged_and_a_click_highlights(regions: Notebook) -> None:
    found = shown(regions)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "Highlight"
        - slider "sd of intercepts"
        - spinbutton "sd of intercepts, typed": "0.87"
        - slider "sd of slopes"
        - spinbutton "sd of slopes, typed": "0.38"
        - slider "correlation"
        - spinbutton "correlation, typed": "-0.90"
        - button "Snap to the fit"
        - status: /R016 \\(n = 30\\).*The ellipse is thin/
        - img /Intercept across and slope in decades upwards of 120 regions/
        - group: Table of the 120 lines
        """
    )
    hands.drag(regions, hands.slider(found, "correlation"), share=0.95)
    regions.settles("points.corr > 0.8", True)
    hands.shows(found, "taken for a steep slope")
    plot = found.locator(".hw-pairs .plotarea_background")
    box = plot.bounding_box()
    assert box is not None
    share = regions.python(
        "[(points.pairs.own.x[0] - points.pairs.x.min) / (points.pairs.x.max - points.pairs.x.min),"
        " (points.pairs.own.y[0] - points.pairs.y.min) / (points.pairs.y.max - points.pairs.y.min)]"
    )
    at = {"x": share[0] * box["width"], "y": (1 - share[1]) * box["height"]}
    plot.click(position=at, force=True)
    regions.settles("points.selected == points.pairs.own.names[0]", True)
    field = found.get_by_role("spinbutton", name="correlation, typed")
    field.fill("7")
    field.press("Enter")
    expect(found.get_by_role("alert")).to_have_text("correlation: a number from -1 to 1, please")
    hands.button(found, "Snap to the fit").click()
    hands.shows(found, "At the fit: ")
    with hands.broken(regions, "hw.widgets.slope_shrinkage", "pooled"):
        hands.press(regions, hands.slider(found, "correlation"), "ArrowRight")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(regions, hands.slider(found, "correlation"), "ArrowRight")
    hands.shows(found, "Sd of intercepts 0.87")
    hands.closes(regions, "points", found)
    assert regions.complaints == []


def test_by_keyboard_alone(regions: Notebook) -> None:
    found = shown(regions)
    hands.press(regions, hands.menu(found, "Highlight"), "Home")
    hands.shows(found, "Half of the regions move by more than")
    hands.press(regions, hands.slider(found, "sd of slopes"), "Home")
    hands.shows(found, "With an sd of 0 all slopes are one")
    hands.press(regions, hands.button(found, "Snap to the fit"), "Enter")
    hands.shows(found, "At the fit: sd of intercepts 0.87, sd of slopes 0.38, correlation 0.53")
    hands.press(regions, hands.slider(found, "correlation"), "End")
    hands.shows(found, "correlation 1.00")
    found.locator("summary").focus()
    regions.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(121)
    assert regions.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("slope-shrinkage-theme.ipynb", REGIONS)
        notebook.run_all()
        found = shown(notebook)
        marks = [
            found.locator(f'.hw-pairs path.dot[style*="{kind}: {colour}"]').first
            for kind, colour in (("stroke", OWN), ("fill", CENTRE), ("stroke", RING))
        ]
        hands.stands_out(found, marks, (".hw-status", ".tick text", ".hw-legend span", "summary"))
        hands.keep_picture("slope-shrinkage", theme, notebook.portrait(found))
