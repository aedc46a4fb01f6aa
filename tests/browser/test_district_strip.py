"""The district strip as a student uses it: by mouse, by keyboard, on 14 and on 253 districts.

Set HIERWIDGETS_PICTURES=1 to renew its picture in lectures/images.
"""

import re

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

RATE, NO_WIDTH = "rgb(27, 158, 119)", "rgb(217, 95, 2)"
MAKE = """
import hierwidgets as hw
strip = hw.widgets.DistrictStrip(hw.load({name!r}), "contacted", "district_id", "Contacted")
strip
"""


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(notebook, "DistrictStrip", "districts", ".hw-strip path.dot")


def points(strip: Locator, colour: str) -> Locator:
    return strip.locator(f'.hw-strip path.dot[style*="stroke: {colour}"]')


def names(strip: Locator) -> list[str]:
    written = strip.locator(".hw-strip .tick text").all_text_contents()
    return [text for text in written if text.startswith("District")]


def test_fourteen_districts_by_mouse_and_by_keyboard(open_notebook: Open) -> None:
    notebook = open_notebook("strip-finland.ipynb", MAKE.format(name="finland"))
    notebook.run_all()
    strip = shown(notebook)
    expect(strip).to_match_aria_snapshot(
        """
        - combobox "district"
        - combobox "Method"
        - combobox "Interval"
        - combobox "Sort by"
        - checkbox "Show n" [checked]
        - status: /90 % Wald intervals. None of the 14 intervals has zero width/
        - img /14 districts, sorted by rate. rates 0.09 to 0.43 with 90 % Wald/
        - group: Table of the 14 rates
        """
    )
    assert names(strip)[-1] == "District 309"
    assert len(names(strip)) == 14
    hands.press(notebook, hands.menu(strip, "Method"), "ArrowDown")
    hands.press(notebook, hands.menu(strip, "Interval"), "ArrowDown")
    hands.shows(strip, "95 % Wilson intervals")
    notebook.settles("[strip.method, strip.level]", ["wilson", 0.95])
    picture = strip.get_by_role("img", name=re.compile("with 95 % Wilson intervals"))
    expect(picture).to_be_visible()

    points(strip, RATE).last.click()
    hands.shows(strip, "District 309: 10 of 23, rate 0.435; its 95 % Wilson interval")
    assert notebook.python("strip.selected") == "District 309"
    hands.press(notebook, hands.menu(strip, "Sort by"), "ArrowDown")
    notebook.settles("strip.sort", "n")
    expect(strip.locator(".hw-strip .tick text").filter(has_text="District").first).to_have_text(
        "District 309"
    )

    above = strip.locator(".hw-strip .tick text").filter(has_text=re.compile("^179$"))
    expect(above).to_have_count(1)
    box = strip.get_by_role("checkbox", name="Show n")
    box.focus()
    notebook.page.keyboard.press("Space")
    expect(above).to_have_count(0)
    assert notebook.python("strip.show_n") is False

    strip.locator("summary").focus()
    notebook.page.keyboard.press("Enter")
    row = strip.get_by_role("row", name="District 309")
    expect(row).to_have_text("District 30923100.4350.2560.632")
    hands.menu(strip, "Method").select_option("Clopper-Pearson")
    expect(row).to_have_text("District 30923100.4350.2320.655")
    check_errors_and_the_end(notebook, strip)
    assert notebook.complaints == []


def check_errors_and_the_end(notebook: Notebook, strip: Locator) -> None:
    """An error of a callback is where a student looks, and the next redraw removes it."""
    with hands.broken(notebook, "strip", "_sorted"):
        hands.menu(strip, "Interval").select_option("80 %")
        hands.shows(strip, "This could not be drawn: no luck")
    hands.menu(strip, "Interval").select_option("90 %")
    hands.shows(strip, "District 309: 10 of 23")
    hands.closes(notebook, "strip", strip)


def test_253_districts_in_a_narrow_pane(open_notebook: Open) -> None:
    notebook = open_notebook("strip-uk.ipynb", MAKE.format(name="uk"), width=700)
    notebook.run_all()
    strip = shown(notebook)
    assert hands.overflow(notebook) <= 0
    assert hands.cut_off(strip) == []
    hands.shows(strip, "140 of the 253 intervals have zero width")
    assert (points(strip, RATE).count(), points(strip, NO_WIDTH).count()) == (113, 140)
    assert names(strip) == []

    hands.menu(strip, "Method").select_option("Jeffreys")
    hands.shows(strip, "None of the 253 intervals has zero width")
    expect(points(strip, NO_WIDTH)).to_have_count(0)
    expect(points(strip, RATE)).to_have_count(253)
    hands.menu(strip, "Method").select_option("Wald")

    box = strip.get_by_role("spinbutton", name="districts in view, typed")
    box.fill("20")
    box.press("Enter")
    hands.shows(strip, "In view: 1 to 20")
    expect(strip.locator(".hw-strip .tick text").filter(has_text="District")).to_have_count(20)
    before = names(strip)
    hands.drag(notebook, hands.slider(strip, "first in view"), share=1.0)
    hands.shows(strip, "In view: 234 to 253")
    notebook.settles("strip.first", 234)
    hands.press(notebook, hands.slider(strip, "first in view"), "ArrowLeft")
    hands.shows(strip, "In view: 233 to 252")
    assert not set(names(strip)) & set(before)
    box.fill("1000")
    box.press("Enter")
    expect(strip.get_by_role("alert")).to_have_text(
        "districts in view: a number from 5 to 253, please"
    )
    assert notebook.python("strip.shown") == 20
    assert notebook.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("strip-theme.ipynb", MAKE.format(name="finland"))
        notebook.run_all()
        strip = shown(notebook)
        hands.stands_out(strip, [points(strip, RATE)])
        hands.keep_picture("district-strip", theme, notebook.portrait(strip))
