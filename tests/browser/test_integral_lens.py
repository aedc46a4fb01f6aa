"""The integral lens as a student uses it: drag, click, choose, and by keyboard alone.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

INTEGRAND, LAPLACE, NODES = (
    f"rgb({rgb})" for rgb in ("217, 95, 2", "117, 112, 179", "166, 118, 29")
)
FIT = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load({data!r}), event="Contacted")
lens = hw.widgets.IntegralLens(fit, {more})
lens
"""
FINLAND = FIT.format(data="finland", more='"District 309"')
UK = FIT.format(data="uk", more="nodes=4, sigma=3.0")


@pytest.fixture
def finland(run_again: Open) -> Notebook:
    return run_again("integral-lens-finland.ipynb", FINLAND)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(
        notebook, "IntegralLens", "^The integrand of District", ".hw-integrand path.line"
    )


def curve(found: Locator, colour: str, picture: str = "hw-integrand") -> Locator:
    return found.locator(f'.{picture} path.line[style*="stroke: {colour}"]')


def dots(found: Locator) -> int:
    return found.locator(".hw-integrand path.dot").count()


def test_nodes_and_sigma_move_the_pictures(finland: Notebook) -> None:
    found = shown(finland)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "district"
        - slider "nodes"
        - spinbutton "nodes, typed": "1"
        - slider "σ, sd of the districts"
        - spinbutton "σ, sd of the districts, typed": "0.310"
        - button "Back to the fit"
        - status: /District 309. 10 of 23 contacted. By 1 node .Laplace. at σ = 0.310/
        - img /The integrand of District 309/
        - img /The error of the area of District 309/
        - img /The estimates from 1 node to 25/
        - group: Table of the nodes
        """
    )
    assert dots(found) == 1
    expect(curve(found, NODES).nth(1)).to_be_hidden()
    hands.drag(finland, hands.slider(found, "nodes"), share=4 / 24)
    hands.shows(found, "By 5 nodes at σ = 0.310 its area is right to 6 digits")
    finland.settles("lens.nodes", 5)
    expect(found.locator(".hw-integrand path.dot")).to_have_count(5)
    hands.drag(finland, hands.slider(found, "σ, sd of the districts"), share=1.0)
    hands.shows(found, "at σ = 5.000")
    finland.settles("lens.sigma", 5)
    before = finland.python("lens.nodes")
    box = found.locator(".hw-running .plotarea_events").bounding_box()
    assert box is not None
    finland.page.mouse.click(box["x"] + box["width"] * 0.99, box["y"] + box["height"] / 2)
    hands.shows(found, "By 25 nodes")
    assert before == 5
    hands.button(found, "Back to the fit").click()
    hands.shows(found, "By 1 node (Laplace) at σ = 0.310")
    typed = found.get_by_role("spinbutton", name="nodes, typed")
    typed.fill("30")
    typed.press("Enter")
    expect(found.get_by_role("alert")).to_have_text("nodes: a number from 1 to 25, please")
    with hands.broken(finland, "hw.widgets.integral_lens", "integrands"):
        hands.press(finland, hands.slider(found, "nodes"), "ArrowRight")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(finland, hands.slider(found, "nodes"), "ArrowRight")
    hands.shows(found, "By 3 nodes")
    hands.closes(finland, "lens", found)
    assert finland.complaints == []


def test_by_keyboard_alone(finland: Notebook) -> None:
    found = shown(finland)
    hands.press(finland, hands.slider(found, "nodes"), "ArrowRight", "ArrowRight")
    hands.shows(found, "By 3 nodes")
    hands.press(finland, hands.slider(found, "nodes"), "End")
    hands.shows(found, "By 25 nodes at σ = 0.310 its area is right to 12 digits or more")
    hands.press(finland, hands.slider(found, "σ, sd of the districts"), "End")
    hands.shows(found, "at σ = 5.000")
    hands.press(finland, hands.menu(found, "district"), "Home")
    hands.shows(found, "District 308: 27 of 86 contacted")
    finland.settles("lens.level", "District 308")
    found.locator("summary").focus()
    finland.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(26)
    hands.press(finland, hands.button(found, "Back to the fit"), "Enter")
    hands.shows(found, "District 308: 27 of 86 contacted. By 1 node (Laplace) at σ = 0.310")
    assert finland.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("integral-lens-theme.ipynb", UK)
        notebook.run_all()
        found = shown(notebook)
        marks = [curve(found, colour).last for colour in (INTEGRAND, LAPLACE, NODES)]
        hands.stands_out(found, marks)
        hands.keep_picture("integral-lens", theme, notebook.portrait(found))
