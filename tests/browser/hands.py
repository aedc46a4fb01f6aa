"""What a student's hands and eyes do with an instrument: find it, move it, read it."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from lab import LIGHT, LabServer, Notebook
from playwright.sync_api import Locator, expect
from support.paths import IMAGES

Open = Callable[..., Notebook]

THEMES = (LIGHT, "JupyterLab Dark")
TEXTS = (".hw-status", ".axislabel", ".tick text", ".hw-legend span", "summary")


def on_screen(notebook: Notebook, name: str, picture: str, drawn: str) -> Locator:
    """An instrument, once its picture has its text alternative and something is drawn in it.

    `picture` is a pattern of the text, `drawn` a selector of what is drawn.
    """
    found = notebook.widget(name)
    expect(found.get_by_role("img", name=re.compile(picture))).to_be_visible()
    expect(found.locator(drawn).first).to_be_attached()
    found.scroll_into_view_if_needed()
    return found


def slider(instrument: Locator, name: str) -> Locator:
    return instrument.get_by_role("slider", name=name)


def menu(instrument: Locator, name: str) -> Locator:
    return instrument.get_by_role("combobox", name=name)


def button(instrument: Locator, name: str) -> Locator:
    return instrument.get_by_role("button", name=name, exact=True)


def shows(instrument: Locator, text: str | re.Pattern[str], seconds: float = 30) -> None:
    expect(instrument.locator(".hw-status")).to_contain_text(text, timeout=1000 * seconds)


def drag(notebook: Notebook, control: Locator, share: float) -> None:
    """Take a slider's thumb with the mouse and pull it to a share of its track."""
    box = control.bounding_box()
    assert box is not None
    low, high = float(control.get_attribute("min") or 0), float(control.get_attribute("max") or 1)
    now = (float(control.input_value()) - low) / (high - low)
    y, thumb = box["y"] + box["height"] / 2, 16
    track = box["width"] - thumb
    mouse = notebook.page.mouse
    mouse.move(box["x"] + thumb / 2 + now * track, y)
    mouse.down()
    mouse.move(box["x"] + thumb / 2 + share * track, y, steps=20)
    mouse.up()


def press(notebook: Notebook, control: Locator, *keys: str) -> None:
    control.focus()
    for key in keys:
        notebook.page.keyboard.press(key)


@contextmanager
def in_theme(lab: LabServer, theme: str) -> Iterator[None]:
    """Lab in this theme, and afterwards in the light one again."""
    lab.use_theme(theme)
    try:
        yield
    finally:
        lab.use_theme(LIGHT)


@contextmanager
def broken(notebook: Notebook, owner: str, name: str) -> Iterator[None]:
    """Something an instrument calls fails meanwhile; `owner` is an expression in the kernel."""
    notebook.execute(
        "from unittest import mock\n"
        f"broken = mock.patch.object({owner}, {name!r}, side_effect=ValueError('no luck'))\n"
        "_ = broken.start()"
    )
    yield
    notebook.execute("_ = broken.stop()")


def closes(notebook: Notebook, variable: str, instrument: Locator) -> None:
    """Closed in the kernel, an instrument is gone from the page."""
    notebook.execute(f"{variable}.close()")
    expect(instrument).to_have_count(0)


def stands_out(instrument: Locator, marks: Iterable[Locator], texts: Iterable[str] = TEXTS) -> None:
    """Texts and marks have the contrast that WCAG 2.1 asks for: 4.5 and 3."""
    for place in texts:
        assert instrument.locator(place).first.evaluate(CONTRAST) >= 4.5, place
    for mark in marks:
        assert mark.first.evaluate(CONTRAST) >= 3, mark


def keep_picture(name: str, theme: str, picture: bytes) -> None:
    """Renew a picture in lectures/images, where HIERWIDGETS_PICTURES asks for it."""
    if os.environ.get("HIERWIDGETS_PICTURES") and theme == LIGHT:
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / f"{name}.png").write_bytes(picture)


def overflow(notebook: Notebook) -> int:
    """By how many pixels the notebook is wider than its pane."""
    return int(notebook.page.evaluate(OVERFLOW))


def cut_off(instrument: Locator) -> list[str]:
    """Which parts of an instrument reach out of it to the right."""
    return list(instrument.evaluate(CUT_OFF))


CONTRAST = """(node) => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const style = getComputedStyle(node);
  const paint = node instanceof SVGTextContentElement ? style.fill
    : node instanceof SVGElement ? style.stroke : style.color;
  let behind = node, ground;
  do {
    behind = behind.parentElement;
    ground = rgb(getComputedStyle(behind).backgroundColor);
  } while (ground.length === 4 && ground[3] === 0);
  const [a, b] = [light(rgb(paint)), light(ground)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""
OVERFLOW = """() => {
  const pane = document.querySelector('.jp-WindowedPanel-outer, .jp-Notebook');
  return pane.scrollWidth - pane.clientWidth;
}"""
CUT_OFF = """(node) => {
  const edge = node.parentElement.getBoundingClientRect().right + 1;
  return [...node.querySelectorAll("input, select, button, svg, .hw-status, .hw-legend span")]
    .filter((part) => part.getClientRects().length && part.getBoundingClientRect().right > edge)
    .map((part) => part.outerHTML.slice(0, 80));
}"""
