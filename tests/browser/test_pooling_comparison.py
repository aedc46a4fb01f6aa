"""The pooling comparison as a student uses it: by mouse, by keyboard, on small and large data.

Every gesture is checked at both ends: on the Python traits and on what the page shows. Set
HIERWIDGETS_PICTURES=1 to renew the picture in lectures/images.
"""

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

NO, PARTIAL, COMPLETE, MARKED = (
    f"rgb({rgb})" for rgb in ("27, 158, 119", "217, 95, 2", "117, 112, 179", "231, 41, 138")
)
FINLAND = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
shown = hw.widgets.PoolingComparison(fit)
shown
"""
BOTH = """
import hierwidgets as hw
x = "district_competitiveness"
fits = {
    name: hw.glmer(f"contacted ~ {fixed} + (1 | district_id)", hw.load(data), event="Contacted")
    for name, data, fixed in (("Finland", "finland", 1), ("UK", "uk", 1), ("UK with x", "uk", x))
}
shown = hw.widgets.PoolingComparison(fits)
shown
"""


@pytest.fixture
def finland(run_again: Open) -> Notebook:
    return run_again("comparison-finland.ipynb", FINLAND)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(notebook, "PoolingComparison", "districts", ".hw-slopes path.dot")


def points(found: Locator, colour: str) -> Locator:
    return found.locator(f'.hw-slopes path.dot[style*="stroke: {colour}"]')


def heights(dots: Locator) -> list[float]:
    middle = "paths => paths.map(p => (r => r.top + r.height / 2)(p.getBoundingClientRect()))"
    return list(dots.evaluate_all(middle))


def test_rows_are_named_and_stand_in_their_order(finland: Notebook) -> None:
    found = shown(finland)
    axes = found.locator(".hw-slopes g.axis")
    rows = axes.filter(has_text="pooling").locator(".tick text")
    assert sorted(rows.all_text_contents()) == ["complete", "no", "partial"]
    names = {row.text_content(): row.bounding_box() for row in rows.all()}
    assert names["no"]["y"] < names["partial"]["y"] < names["complete"]["y"]  # as in the figures
    assert len(heights(points(found, NO))) == len(heights(points(found, PARTIAL))) == 14
    assert max(heights(points(found, NO))) < min(heights(points(found, PARTIAL)))
    for name, colour in (("partial", PARTIAL), ("no", NO)):
        middle = names[name]["y"] + names[name]["height"] / 2
        assert all(abs(y - middle) < 4 for y in heights(points(found, colour))), name
    assert finland.complaints == []


def test_every_control_has_a_name_and_its_keys(finland: Notebook) -> None:
    found = shown(finland)
    expect(found).to_match_aria_snapshot(
        """
        - combobox "district"
        - combobox "Highlight"
        - status: /4 of 91 pairs of districts change places between no and partial pooling/
        - img /14 districts as lines over three rows. Complete pooling. 0.207 for all/
        - group: Table of estimates and ranks
        """
    )
    hands.press(finland, hands.menu(found, "district"), "ArrowDown")
    hands.shows(found, "District 304: n = 153")
    finland.settles("shown.selected", "District 304")
    hands.press(finland, hands.menu(found, "district"), "ArrowUp")
    hands.shows(found, "4 of 91 pairs")
    hands.press(finland, hands.menu(found, "Highlight"), "ArrowDown")
    hands.shows(found, "Highlighted: 14 with n = 23 to 179")
    finland.settles("shown.highlight", "n range")
    hands.press(finland, hands.slider(found, "n to"), "Home")
    hands.shows(found, "Highlighted: 1 with n = 23; they move by")
    finland.settles("[shown.n_low, shown.n_high]", [23, 23])
    hands.press(finland, hands.slider(found, "n to"), "ArrowRight", "ArrowRight")
    finland.settles("shown.n_high", 25)
    hands.press(finland, hands.menu(found, "Highlight"), "ArrowDown")
    hands.shows(found, "Highlighted: the 7 that change places with another.")
    expect(hands.slider(found, "n to")).to_have_count(0)
    assert finland.complaints == []


def test_points_are_clicked_and_the_range_dragged(finland: Notebook) -> None:
    found = shown(finland)
    ring = found.locator(f'.hw-slopes path.dot[style*="stroke: {MARKED}"]')
    expect(ring).to_have_count(0)
    hands.menu(found, "Highlight").select_option("districts that change places")
    rightmost = "paths => paths.map(p => p.getBoundingClientRect().left)"
    lefts = points(found, NO).evaluate_all(rightmost)
    points(found, NO).nth(lefts.index(max(lefts))).click()
    hands.shows(
        found, "District 309: n = 23; no pooling 0.435, rank 1; partial 0.268, rank 2 of 14"
    )
    hands.shows(found, "It changes places with District 308.")
    finland.settles("shown.selected", "District 309")
    expect(hands.menu(found, "district")).to_have_value("District 309")
    expect(ring).to_have_count(2)
    hands.menu(found, "Highlight").select_option("n in a range")
    hands.drag(finland, hands.slider(found, "n from"), share=0.5)
    finland.settles("95 < shown.n_low < 107", True)
    box = found.get_by_role("spinbutton", name="n to, typed")
    box.fill("160")
    box.press("Enter")
    finland.settles("shown.n_high", 160)
    box.fill("500")
    box.press("Enter")
    expect(found.get_by_role("alert")).to_have_text("n to: a number from 23 to 179, please")
    assert finland.python("shown.n_high") == 160
    assert finland.complaints == []


def test_the_table_opens_by_key_and_an_error_shows(finland: Notebook) -> None:
    found = shown(finland)
    found.locator("summary").focus()
    finland.page.keyboard.press("Enter")
    expect(found.get_by_role("row")).to_have_count(15)
    expect(found.get_by_role("row", name="District 310")).to_have_text(
        "District 3101790.1620.1730.2071012-22"
    )
    with hands.broken(finland, "shown", "_report"):
        hands.press(finland, hands.menu(found, "district"), "ArrowDown")
        hands.shows(found, "This could not be drawn: no luck")
    hands.press(finland, hands.menu(found, "district"), "ArrowDown")
    hands.shows(found, "District 305: n = 40")
    hands.closes(finland, "shown", found)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 700])
def test_another_model_with_253_districts(open_notebook: Open, width: int) -> None:
    notebook = open_notebook("comparison-uk.ipynb", BOTH, width=width)
    notebook.run_all()
    found = shown(notebook)
    hands.press(notebook, hands.menu(found, "Model"), "ArrowDown")
    hands.shows(found, "1,049 of 31,878 pairs of districts change places")
    hands.shows(found, "Complete pooling gives all 0.3201; partial pooling pulls toward 0.2986.")
    expect(points(found, NO)).to_have_count(253)
    hands.press(notebook, hands.menu(found, "Model"), "ArrowDown")
    hands.shows(found, "partial pooling pulls toward 0.1")
    expect(hands.menu(found, "district").locator("option")).to_have_count(254)
    hands.menu(found, "district").select_option("District 319")
    hands.shows(found, "District 319: n = 1")
    assert notebook.python("[shown.shown, shown.selected]") == ["UK with x", "District 319"]
    assert hands.overflow(notebook) <= 0
    assert hands.cut_off(found) == []
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("comparison-theme.ipynb", FINLAND)
        notebook.run_all()
        found = shown(notebook)
        found.locator("text=Highlight").first.wait_for()
        notebook.execute("shown.highlight, shown.selected = 'crossers', 'District 309'")
        hands.shows(found, "Highlighted: the one that changes places with District 309.")
        hands.stands_out(found, [points(found, colour) for colour in (NO, PARTIAL, MARKED)])
        hands.keep_picture("pooling-comparison", theme, notebook.portrait(found))
