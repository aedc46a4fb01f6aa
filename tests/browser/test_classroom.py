"""What happens in a classroom: two lectures at once, a kernel restarted while a hand is dragging.

A reloaded tab, a dropped connection and lost messages are in `test_shared`, an interrupted sampler
in `test_sampling`.
"""

import re

import pytest
from hands import Open
from lab import Notebook
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

DIAL = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
dial = hw.widgets.PoolingDial(fit)
dial
"""
RUN = "void jupyterapp.commands.execute('notebook:run-all-cells')"
KERNEL = "() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.id"
STOPPED = "The kernel behind this has stopped or was restarted."


def dial_of(notebook: Notebook) -> Locator:
    dial = notebook.widget("PoolingDial").first
    expect(dial.get_by_role("img", name=re.compile("districts"))).to_be_visible()
    dial.scroll_into_view_if_needed()
    return dial


def status(dial: Locator) -> Locator:
    return dial.locator(".hw-status")


def test_two_lectures_at_once(open_notebook: Open) -> None:
    """Both run to their ends side by side, and each widget answers its own kernel."""
    first = open_notebook("00-map-and-notation.ipynb")
    second = open_notebook("02-the-309-problem.ipynb")
    for notebook in (first, second):
        notebook.page.evaluate(RUN)
    dial, game = dial_of(first), second.widget("Guess309").first
    game.scroll_into_view_if_needed()
    assert first.page.evaluate(KERNEL) != second.page.evaluate(KERNEL)
    for notebook, widget, name in ((first, dial, "σ, spread"), (second, game, "your guess")):
        expect(status(widget)).not_to_be_empty()  # the text comes from the kernel
        before = status(widget).inner_text()
        widget.get_by_role("slider", name=name).focus()
        notebook.page.keyboard.press("PageUp")
        expect(status(widget)).not_to_have_text(before)
    for notebook in (first, second):
        assert notebook.complaints == []
        notebook.run_all()  # and once more, whole


def test_a_restart_while_dragging_is_told_and_a_new_run_works(open_notebook: Open) -> None:
    notebook = open_notebook("restarted.ipynb", DIAL)
    notebook.run_all()
    dial = dial_of(notebook)
    box = dial.get_by_role("slider", name="σ, spread").bounding_box()
    assert box is not None
    mouse, y = notebook.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * 0.6, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.7, y, steps=10)
    expect(status(dial)).not_to_contain_text("σ = 0.31")  # the drag has begun
    notebook.restart()
    mouse.move(box["x"] + box["width"] * 0.9, y, steps=10)
    mouse.up()
    expect(status(dial)).to_contain_text(STOPPED)

    notebook.run_all()
    dial = dial_of(notebook)
    expect(status(dial)).to_contain_text("σ = 0.31")
    dial.get_by_role("slider", name="σ, spread").focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(status(dial)).to_contain_text("σ = 0.312")
    notebook.settles("0.31 < dial.sigma < 0.33", True)
