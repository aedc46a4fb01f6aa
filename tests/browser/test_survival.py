"""An instrument survives a saved notebook, an exported page, a second window, a lost message."""

import re
from pathlib import Path
from typing import Any

import hands
import nbformat
import pytest
from hands import Open
from lab import LabServer, Notebook, write_notebook
from nbclient import NotebookClient
from nbconvert import HTMLExporter, LatexExporter
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

DIAL = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
dial = hw.widgets.PoolingDial(fit)
dial
"""
STILL = re.compile("14 districts: raw rates")
DEAD = re.compile("model not found|Loading widget|Error displaying|has stopped or was restarted")


def still_alone(page: Page) -> None:
    """The still and its sentence are seen, and nothing else in the instrument's place."""
    expect(page.locator(".hw-still").get_by_role("img", name=STILL)).to_be_visible()
    expect(page.get_by_text("A still picture: run the cell, and it moves.")).to_be_visible()
    expect(page.locator(".hw-instrument:visible")).to_have_count(0)
    assert [found for found in page.get_by_text(DEAD).all() if found.is_visible()] == []


def shown_dial(notebook: Notebook) -> Locator:
    dial = notebook.widget("PoolingDial").first
    expect(dial.get_by_role("img", name=STILL)).to_be_visible()
    dial.scroll_into_view_if_needed()
    return dial


# --- a saved notebook -----------------------------------------------------------------------------


def save(page: Page) -> None:
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")


def test_where_the_instrument_lives_its_still_is_out_of_sight(run_again: Open) -> None:
    notebook = run_again("survival.ipynb", DIAL)
    shown_dial(notebook)
    expect(notebook.page.locator(".hw-still").first).to_be_hidden()


def test_a_saved_notebook_shows_the_still_without_its_kernel(
    browser: Browser, lab: LabServer, open_notebook: Open
) -> None:
    notebook = open_notebook("saved.ipynb", DIAL)
    notebook.run_all()
    shown_dial(notebook)
    save(notebook.page)
    notebook.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")

    again = open_notebook("saved.ipynb")  # trusted, with a kernel that knows nothing of it
    still_alone(again.page)
    again.page.wait_for_timeout(2000)  # as long as the page may look for the model
    still_alone(again.page)
    again.run_all()
    shown_dial(again)
    expect(again.page.locator(".hw-still").first).to_be_hidden()


def test_saved_widget_state_brings_no_dead_instrument(lab: LabServer, open_notebook: Open) -> None:
    (lab.root / "state.ipynb").write_text(nbformat.writes(executed()), encoding="utf-8")
    notebook = open_notebook("state.ipynb")
    notebook.page.evaluate(TRUST)
    notebook.page.wait_for_timeout(2000)
    still_alone(notebook.page)


TRUST = """() => jupyterapp.shell.currentWidget.content.widgets
  .forEach((cell) => { cell.model.trusted = true; })"""


# --- an exported page -----------------------------------------------------------------------------


def executed() -> Any:
    """As ``nbconvert --execute`` does it: outputs and the state of every widget are stored."""
    cell = nbformat.v4.new_code_cell(DIAL.strip())
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    NotebookClient(notebook, timeout=120).execute()
    assert len(notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"])
    return notebook


def test_an_executed_page_shows_the_still(browser: Browser) -> None:
    text, _ = HTMLExporter().from_notebook_node(executed())
    page = browser.new_page()
    page.route("**/*", lambda route: route.abort())  # no network: the page has all it needs
    page.set_content(text, wait_until="domcontentloaded")
    still_alone(page)
    page.close()


def test_latex_gets_a_picture() -> None:
    with pytest.warns(UserWarning, match="widget-view.*is not able to be represented"):
        _, resources = LatexExporter().from_notebook_node(executed())
    (name,) = resources["outputs"]
    assert Path(name).suffix == ".png"
    assert resources["outputs"][name].startswith(b"\x89PNG")


# --- a second window, a second cell ---------------------------------------------------------------


def test_two_windows_agree(browser: Browser, lab: LabServer, open_notebook: Open) -> None:
    first = open_notebook("two.ipynb", DIAL)
    first.run_all()
    save(first.page)
    second = Notebook(browser.new_page(viewport={"width": 1280, "height": 960}), lab, "two.ipynb")
    dials = [shown_dial(notebook) for notebook in (first, second)]
    for mover, keys in ((first, ["PageUp"]), (second, ["Home"]), (first, ["PageUp", "PageUp"])):
        slider = hands.slider(shown_dial(mover), "σ, spread")
        hands.press(mover, slider, *keys)
        position, value = slider.input_value(), slider.get_attribute("aria-valuetext") or ""
        mover.settles("f'{dial.sigma:.3f}'", value)
        for dial in dials:
            expect(hands.slider(dial, "σ, spread")).to_have_value(position)
            box = dial.get_by_role("spinbutton", name="σ, spread, typed")
            expect(box).to_have_value(value)
            hands.shows(dial, f"σ = {float(value):.3g},")
    second.page.close()


def test_shown_by_another_cell_it_stays_when_its_own_runs_again(
    lab: LabServer, open_notebook: Open
) -> None:
    make = DIAL.strip().removesuffix("dial")
    write_notebook(lab.root / "cells.ipynb", make, "dial")
    notebook = open_notebook("cells.ipynb")
    notebook.run_all()
    dial = shown_dial(notebook)
    run_cell(notebook, 0)
    notebook.page.wait_for_timeout(500)
    hands.press(notebook, hands.slider(dial, "σ, spread"), "Home")
    hands.shows(dial, "σ = 0.01,")
    run_cell(notebook, 1)
    hands.shows(shown_dial(notebook), "σ = 0.31,")
    count = notebook.python(WIDGETS)
    for _ in range(3):
        run_cell(notebook, 0)
        run_cell(notebook, 1)
    assert notebook.python(WIDGETS) == count


WIDGETS = "len(__import__('ipywidgets').widgets.widget._instances)"


def run_cell(notebook: Notebook, place: int) -> None:
    notebook.page.evaluate(
        """async (place) => {
          jupyterapp.shell.currentWidget.content.activeCellIndex = place;
          await jupyterapp.commands.execute('notebook:run-cell');
        }""",
        place,
    )


def test_widgets_made_by_interact_do_not_pile_up(open_notebook: Open) -> None:
    code = DIAL.strip().removesuffix("dial = hw.widgets.PoolingDial(fit)\ndial") + (
        "from ipywidgets import IntSlider, interact\n"
        "@interact(k=IntSlider(1, 0, 9, description='k'))\n"
        "def shown(k):\n"
        "    return hw.widgets.PoolingDial(fit, sigma=k / 10 + 0.01)\n"
    )
    notebook = open_notebook("interact.ipynb", code)
    notebook.run_all()
    hands.shows(shown_dial(notebook), "σ = 0.11,")
    count = notebook.python(WIDGETS)
    for k in (2, 3, 4):
        notebook.execute(f"{SLIDER}.value = {k}")
    # A change by hand comes as a message of its own, outside any cell.
    thumb = notebook.page.locator(".widget-slider .noUi-handle, .widget-slider [role=slider]").first
    for k in (5, 6, 7):
        thumb.press("ArrowRight")
        hands.shows(notebook.widget("PoolingDial").last, f"σ = 0.{k}1,")
        expect(notebook.widget("PoolingDial")).to_have_count(1)
    assert notebook.python(WIDGETS) == count


def test_widgets_made_in_a_callback_do_not_pile_up(open_notebook: Open) -> None:
    """Of a button, as a reader writes one who shows a new instrument in the place of the last."""
    code = DIAL.strip().removesuffix("dial = hw.widgets.PoolingDial(fit)\ndial") + (
        "from IPython.display import clear_output, display\n"
        "from ipywidgets import Button, Output, VBox\n"
        "button, place, sigmas = Button(description='Another'), Output(), []\n"
        "def another(_):\n"
        "    sigmas.append(0.11 + len(sigmas) / 10)\n"
        "    with place:\n"
        "        clear_output(wait=True)\n"
        "        display(hw.widgets.PoolingDial(fit, sigma=sigmas[-1]))\n"
        "button.on_click(another)\n"
        "VBox([button, place])"
    )
    notebook = open_notebook("callback.ipynb", code)
    notebook.run_all()
    counts = []
    for k in (1, 2, 3, 4):
        notebook.page.get_by_role("button", name="Another").click()
        hands.shows(notebook.widget("PoolingDial").last, f"σ = 0.{k}1,")
        expect(notebook.widget("PoolingDial")).to_have_count(1)
        counts.append(notebook.python(WIDGETS))
    assert len(set(counts)) == 1, counts


SLIDER = (
    "next(w for w in __import__('ipywidgets').widgets.widget._instances.values()"
    " if type(w).__name__ == 'IntSlider')"
)


# --- a decimal comma ------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en-US", "de-DE", "fi-FI"])
def test_a_decimal_comma_is_a_decimal_or_refused(
    browser: Browser, lab: LabServer, locale: str
) -> None:
    write_notebook(lab.root / "comma.ipynb", DIAL)
    page = browser.new_context(locale=locale).new_page()
    page.set_viewport_size({"width": 1280, "height": 960})
    notebook = Notebook(page, lab, "comma.ipynb")
    notebook.run_all()
    dial = shown_dial(notebook)
    sigma = dial.get_by_role("spinbutton", name="σ, spread, typed")
    for text, value in (("0,5", 0.5), (",75", 0.75), ("1.25", 1.25)):
        retype(notebook, sigma, text)
        notebook.settles("dial.sigma", value)
    for text in ("1.234,5", "1,234.5", "0,1,2", "1 000", "abc", ""):
        retype(notebook, sigma, text)
        expect(dial.get_by_role("alert")).to_have_text("σ, spread: a number from 0.01 to 5, please")
        assert notebook.python("dial.sigma") == 1.25
    events = dial.get_by_role("spinbutton", name="imagine one more district: y contacted")
    trials = dial.get_by_role("spinbutton", name="of n respondents")
    retype(notebook, events, "2")
    retype(notebook, trials, "9")
    notebook.settles("dial.imagined", [2, 9])
    for text in ("1,234", "1.234,5", "2.5"):
        retype(notebook, trials, text)
        expect(
            dial.get_by_text("of n respondents: a whole number from 1 to 100000")
        ).to_be_visible()
        assert notebook.python("dial.imagined") == [2, 9]
    notebook.shut_down()
    page.context.close()


def retype(notebook: Notebook, box: Locator, text: str) -> None:
    """As a student does it, key by key."""
    box.focus()
    notebook.page.keyboard.press("Control+A")
    notebook.page.keyboard.press("Delete")
    notebook.page.keyboard.type(text)
    notebook.page.keyboard.press("Enter")


# --- a lost message -------------------------------------------------------------------------------

# What a page gets while it is busy loading is lost, and so is what it first says.
LOST = """
from unittest import mock
import hierwidgets as hw
from hierwidgets.widgets.parts.controls import StatusLine
from hierwidgets.widgets.parts.instrument import Instrument

heard, lost = Instrument._front_end_is_there, []

def deaf(self, message):
    if "frames" in message and len(lost) < 2:
        lost.append(message)
    else:
        heard(self, message)

Instrument._front_end_is_there = deaf
with mock.patch.object(StatusLine, "send_state"):
    shown = {}
shown
"""


@pytest.mark.parametrize(
    "made",
    [
        'hw.widgets.PoolingComparison(hw.glmer("contacted ~ 1 + (1 | district_id)", '
        'hw.load("finland"), event="Contacted"))',
        "hw.widgets.ChainClinic(hw.widgets.stuck_chains())",
    ],
    ids=["PoolingComparison", "ChainClinic"],
)
def test_a_status_line_is_not_blank_for_ever(open_notebook: Open, made: str) -> None:
    notebook = open_notebook("lost.ipynb", LOST.replace("{}", made))
    notebook.run_all()
    status = notebook.page.locator(".hw-instrument .hw-status")
    expect(status).to_have_text(re.compile(r"\w+.*\d"), timeout=20_000)
    assert notebook.python("len(lost)") == 2
    assert notebook.python("shown.status") == status.inner_text()


# The first frame is lost, which the page finds when the second comes: it asks for everything, and
# the kernel, which has something else to do first, answers with a value from before the move.
AWAY = """
import time
from unittest import mock
with mock.patch.object(dial._status, "send"):
    dial.sigma = 0.2
dial.sigma = 0.3
time.sleep(5)
"""
LEFT_ALONE = """(code) => {
  const {kernel} = jupyterapp.shell.currentWidget.context.sessionContext.session;
  kernel.requestExecute({code});
}"""


def test_a_late_answer_does_not_take_the_slider_back(run_again: Open) -> None:
    notebook = run_again("survival.ipynb", DIAL)
    dial = shown_dial(notebook)
    slider = hands.slider(dial, "σ, spread")
    notebook.page.evaluate(LEFT_ALONE, AWAY)
    hands.shows(dial, "σ = 0.3,")
    notebook.page.wait_for_timeout(500)
    hands.press(notebook, slider, "End")
    notebook.settles("dial.sigma", 5.0, seconds=20)
    hands.shows(dial, "σ = 5,")
    assert slider.get_attribute("aria-valuetext") == "5.000"
