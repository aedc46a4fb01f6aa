"""Poststratification as a student uses it: by mouse, by keyboard, typing.

A country of 360 cells in 40 districts, and a survey of 1,000. Every gesture is checked at both
ends: on the Python traits and on the page. Set HIERWIDGETS_PICTURES=1 to renew the picture in
lectures/images.
"""

import hands
import pytest
from hands import Open
from lab import LabServer, Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

WHOLE = "rgb(59, 125, 191)"
CODE = """
import hierwidgets as hw
from hierwidgets.course.models import POLL
from hierwidgets.course.studies.poststratification import country, survey
cells = country()
fit = hw.glmer(POLL, survey(cells, 1000, seed=1))
poll = hw.widgets.Poststrat(fit, cells)
poll
"""


@pytest.fixture
def country(run_again: Open) -> Notebook:
    return run_again("poststrat.ipynb", CODE)


def shown(notebook: Notebook) -> Locator:
    return hands.on_screen(notebook, "Poststrat", "poststratified 0", ".hw-rates path.dot")


def triangle(instrument: Locator) -> float:
    """Where the poststratified rate is on the screen, in pixels from the left."""
    dots = instrument.locator(f'.hw-rates path.dot[style*="stroke: {WHOLE}"]')
    box = dots.first.bounding_box()
    assert box is not None
    return float(box["x"])


def test_every_control_has_a_name(country: Notebook) -> None:
    poll = shown(country)
    expect(poll).to_match_aria_snapshot(
        """
        - combobox "Weights by"
        - slider "share of school"
        - spinbutton "share of school, typed": "0.427"
        - slider "share of training"
        - spinbutton "share of training, typed": "0.374"
        - slider "share of degree"
        - spinbutton "share of degree, typed": "0.199"
        - button "As the census"
        - button "As the sample"
        - status: /Poststratified to the census/
        - img /raw 0.404, modelled 0.405, poststratified 0.341 by the census/
        - group: Table of rates and shares
        """
    )
    expect(poll.get_by_role("slider")).to_have_count(3)
    assert hands.overflow(country) <= 0
    assert country.complaints == []


def test_shares_by_mouse_keys_and_typing(country: Notebook) -> None:
    poll = shown(country)
    start = triangle(poll)
    hands.drag(country, hands.slider(poll, "share of degree"), share=0.8)
    country.settles("0.7 < poll.shares[2] < 0.9", True)
    hands.shows(poll, "to your weights: 0.4")
    country.settles("round(sum(poll.shares), 9)", 1.0)
    school = f"{country.python('poll.shares[0]'):.3f}"
    expect(poll.get_by_role("spinbutton", name="share of school, typed")).to_have_value(school)
    assert triangle(poll) > start + 20
    hands.button(poll, "As the census").focus()
    country.page.keyboard.press("Enter")
    hands.shows(poll, "to the census: 0.341")
    assert triangle(poll) == pytest.approx(start, abs=1)
    hands.press(country, hands.slider(poll, "share of school"), "End")
    hands.shows(poll, "to your weights: 0.278")
    country.settles("poll.shares", [1.0, 0.0, 0.0])
    hands.button(poll, "As the census").click()
    hands.shows(poll, "to the census: 0.341")
    box = poll.get_by_role("spinbutton", name="share of degree, typed")
    box.fill("0.6")
    box.press("Enter")
    country.settles("poll.shares[2]", 0.6)
    hands.shows(poll, "to your weights: 0.407")
    hands.button(poll, "As the sample").click()
    hands.shows(poll, "The sample has these shares too.")
    assert country.complaints == []


def test_other_kinds_by_keyboard(country: Notebook) -> None:
    poll = shown(country)
    hands.press(country, hands.menu(poll, "Weights by"), "ArrowDown")
    country.settles("poll.by", "age")
    expect(poll.get_by_role("slider", name="share of 60+")).to_be_visible()
    expect(poll.locator(".hw-rates")).to_contain_text("18-34")
    hands.press(country, hands.slider(poll, "share of 60+"), "Home")
    hands.shows(poll, "to your weights: 0.30")
    poll.locator("summary", has_text="Table of rates").click()
    rows = poll.get_by_role("region", name="Table of rates").get_by_role("row")
    expect(rows).to_have_count(7)
    expect(rows.last).to_contain_text("60+0.0%32.4%47.6%")
    hands.press(country, hands.menu(poll, "Weights by"), "ArrowUp")
    hands.shows(poll, "to the census: 0.341")
    assert country.complaints == []


def test_an_error_shows_in_the_widget_and_closing_removes_it(country: Notebook) -> None:
    poll = shown(country)
    box = poll.get_by_role("spinbutton", name="share of degree, typed")
    with hands.broken(country, "poll.rates", "move"):
        box.fill("0.7")
        box.press("Enter")
        hands.shows(poll, "This could not be drawn: no luck")
    box.fill("0.6")
    box.press("Enter")
    hands.shows(poll, "to your weights: 0.407")
    hands.closes(country, "poll", poll)


@pytest.mark.slow
@pytest.mark.parametrize("theme", hands.THEMES)
def test_texts_stand_out_in_both_themes(open_notebook: Open, lab: LabServer, theme: str) -> None:
    with hands.in_theme(lab, theme):
        notebook = open_notebook("poststrat-theme.ipynb", CODE)
        notebook.run_all()
        poll = shown(notebook)
        colours = ("rgb(27, 158, 119)", "rgb(217, 95, 2)", WHOLE)
        dots = '.hw-rates path.dot[style*="stroke: {}"]'
        hands.stands_out(poll, [poll.locator(dots.format(colour)) for colour in colours])
        hands.keep_picture("poststrat", theme, notebook.portrait(poll))
