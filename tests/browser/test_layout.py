"""Every instrument fits the screen: that of a laptop, and a narrow pane.

A laptop of 1366 x 768 pixels leaves 650 of height for a cell, which is 740 to 1,100 wide. There,
controls, pictures, key and status line are seen at once. In a pane of 400 pixels they stand under
each other. Nothing is cut off or runs into something else.

Set HIERWIDGETS_SHOTS to a folder to keep the screenshots, to be looked at.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import hands
import pytest
from instruments import ALL, SHOWN, ready
from lab import LIGHT, LabServer, Notebook, write_notebook
from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.browser

DARK = hands.THEMES[1]
LAPTOP = {"width": 1366, "height": 768}
CELL = 650  # pixels of height that it leaves for a cell
FACETS = """
several = hw.glmer(
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)",
    hw.load("rainey2015"), event="Contacted")
hw.widgets.CompetitivenessEffect(several, "district_competitiveness")
"""


@pytest.fixture(scope="module")
def opened(browser: Browser, lab: LabServer) -> Iterator[Notebook]:
    """Every instrument, run once for all widths and themes: no test here changes its state."""
    write_notebook(lab.root / "gallery.ipynb", ALL, *SHOWN.values())
    page = browser.new_page(viewport={"width": 1280, "height": 960})
    notebook = Notebook(page, lab, "gallery.ipynb")
    notebook.run_all()
    yield notebook
    notebook.shut_down()


@contextmanager
def in_theme(notebook: Notebook, lab: LabServer, theme: str) -> Iterator[None]:
    """An open page in this theme, as Lab's menu changes it, and afterwards in the light one."""
    with hands.in_theme(lab, theme):  # which also leaves the settings as they were
        try:
            notebook.page.evaluate(CHANGE_THEME, theme)
            notebook.page.wait_for_function(THEME_IS, arg=theme)
            yield
        finally:
            notebook.page.evaluate(CHANGE_THEME, LIGHT)
            notebook.page.wait_for_function(THEME_IS, arg=LIGHT)


def to_width(notebook: Notebook, width: int, height: int = 768) -> None:
    """Make the window so wide that cells have that width for their outputs."""
    for _ in range(20):
        now = notebook.page.evaluate(CELL_WIDTH)
        window = notebook.page.viewport_size
        assert window is not None
        wanted = window["width"] + width - now
        notebook.page.set_viewport_size({"width": wanted, "height": height})
        if now == width:
            break
        notebook.page.wait_for_timeout(200)  # until Lab has made room, it says the old width
    notebook.page.wait_for_function(f"Math.abs(({CELL_WIDTH})() - {width}) <= 1")


def at_rest(notebook: Notebook, instrument: Locator) -> None:
    """Its pictures have followed a new width, and so have the names on their axes."""
    instrument.evaluate("(node) => node.scrollIntoView({block: 'start'})")
    last = None
    while (now := instrument.evaluate(LOOKS)) != last:
        last = now
        notebook.page.wait_for_timeout(500)


def keep_shot(notebook: Notebook, instrument: Locator, name: str, width: int, theme: str) -> None:
    if folder := os.environ.get("HIERWIDGETS_SHOTS"):
        path = f"{folder}/{name}-{width}-{theme}.png"
        if width == LAPTOP["width"]:
            notebook.page.screenshot(path=path)
        else:
            instrument.screenshot(path=path)


@pytest.mark.parametrize("theme", hands.THEMES)
def test_controls_pictures_key_and_status_are_seen_at_once_on_a_laptop(
    opened: Notebook, lab: LabServer, theme: str
) -> None:
    notebook = opened
    with in_theme(notebook, lab, theme):
        for width in (740, 900, 1100):
            to_width(notebook, width)
            for name in SHOWN:
                instrument = ready(notebook, name)
                at_rest(notebook, instrument)
                keep_shot(notebook, instrument, name, width, theme)
                assert instrument.evaluate(LOWEST) <= CELL, (name, width)
                assert instrument.evaluate(BESIDE), (name, width)
                assert instrument.evaluate(FAULTS) == [], (name, width)
                assert instrument.evaluate(FAINT_ARROWS) == [], (name, width)
        notebook.page.set_viewport_size(LAPTOP)
        for name in SHOWN:
            instrument = ready(notebook, name)
            at_rest(notebook, instrument)
            keep_shot(notebook, instrument, name, LAPTOP["width"], theme)
            assert instrument.evaluate(OUT_OF_SIGHT) == [], name


@pytest.mark.parametrize("theme", [LIGHT, pytest.param(DARK, marks=pytest.mark.slow)])
def test_in_a_narrow_pane_nothing_is_cut_off_or_overlaps(
    opened: Notebook, lab: LabServer, theme: str
) -> None:
    notebook = opened
    with in_theme(notebook, lab, theme):
        to_width(notebook, 400, 1500)  # bqplot follows a new width only where it is seen
        for name in SHOWN:
            instrument = ready(notebook, name)
            at_rest(notebook, instrument)
            keep_shot(notebook, instrument, name, 400, theme)
            assert not instrument.evaluate(BESIDE), name
            assert instrument.evaluate(FAULTS) == [], name
        assert hands.overflow(notebook) <= 0


@pytest.fixture(scope="module")
def facets(browser: Browser, lab: LabServer) -> Iterator[Notebook]:
    write_notebook(lab.root / "facets.ipynb", "import hierwidgets as hw\n" + FACETS)
    notebook = Notebook(
        browser.new_page(viewport={"width": 1280, "height": 960}), lab, "facets.ipynb"
    )
    notebook.run_all()
    yield notebook
    notebook.shut_down()


@pytest.mark.parametrize("width", [400, 740])
def test_facets_fit(facets: Notebook, width: int) -> None:
    notebook = facets
    to_width(notebook, width, 1500)
    instrument = ready(notebook, "CompetitivenessEffect")
    at_rest(notebook, instrument)
    keep_shot(notebook, instrument, "Facets", width, LIGHT)
    if width > 700:
        assert instrument.evaluate(LOWEST) <= CELL
    assert instrument.evaluate(FAULTS) == []


def test_a_finger_moves_and_picks_at_390_pixels(browser: Browser, lab: LabServer) -> None:
    """On a telephone: nothing is cut off, a slider follows a finger, a tap picks a district."""
    write_notebook(lab.root / "touch.ipynb", ALL, "dial = hw.widgets.PoolingDial(one)\ndial")
    phone = browser.new_context(has_touch=True, viewport={"width": 390, "height": 1500})
    notebook = Notebook(phone.new_page(), lab, "touch.ipynb")
    notebook.run_all()
    dial = ready(notebook, "PoolingDial")
    at_rest(notebook, dial)
    keep_shot(notebook, dial, "PoolingDial", 390, LIGHT)
    assert dial.evaluate(FAULTS) == []
    track = hands.slider(dial, "σ, spread").bounding_box()
    assert track is not None
    assert track["height"] >= 24  # what WCAG 2.2 asks of a target
    y = track["y"] + track["height"] / 2
    notebook.page.touchscreen.tap(track["x"] + 0.9 * track["width"], y)
    hands.shows(dial, re.compile(r"σ = [23]\."))
    dial.locator('.hw-estimates path.dot[style*="stroke: rgb(27, 158, 119)"]').last.tap()
    hands.shows(dial, "309: n = 23")
    notebook.shut_down()
    phone.close()


CHANGE_THEME = "(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme})"
THEME_IS = "(theme) => document.body.dataset.jpThemeName === theme"
CELL_WIDTH = """() => document.querySelector('.hw-instrument')
  .closest('.jp-OutputArea-output').clientWidth"""
LOOKS = """(instrument) => [...instrument.querySelectorAll('svg.svg-figure, .bqplot svg')]
  .map((node) => node.getBoundingClientRect().width + node.innerHTML.length).join()"""
# How far below its top the last of what a student has to see at once ends.
LOWEST = """(instrument) => Math.max(...[...instrument.querySelectorAll(
    '.hw-controls > *, .hw-pictures > *, .hw-legend, .hw-status, .bqplot')]
  .filter((node) => node.checkVisibility())
  .map((node) => node.getBoundingClientRect().bottom)) - instrument.getBoundingClientRect().top"""
BESIDE = """(instrument) => instrument.querySelector('.hw-pictures').getBoundingClientRect().left
  >= instrument.querySelector('.hw-controls').getBoundingClientRect().right"""
# Menus whose arrow is not drawn in the colour of their text.
FAINT_ARROWS = """(instrument) => [...instrument.querySelectorAll('.widget-dropdown > select')]
  .filter((node) => !getComputedStyle(node).backgroundImage.includes(getComputedStyle(node).color))
  .map((node) => getComputedStyle(node).backgroundImage)"""
OUT_OF_SIGHT = """(instrument) => {
  const pane = instrument.closest('.jp-WindowedPanel-outer, .jp-Notebook').getBoundingClientRect();
  return [...instrument.querySelectorAll('.hw-controls > *, .hw-legend, .hw-status, .bqplot')]
    .filter((node) => node.checkVisibility()).filter((node) => {
      const box = node.getBoundingClientRect();
      return box.top < pane.top - 1 || box.bottom > pane.bottom + 1;
    }).map((node) => node.className);
}"""
# What is cut off, does not fit in its control, or lies over something else.
FAULTS = """(instrument) => {
  const faults = [];
  const seen = (node) => node.checkVisibility({visibilityProperty: true})
    && node.getBoundingClientRect().width > 0;
  const all = (places) => [...instrument.querySelectorAll(places)].filter(seen);
  const over = (a, b, by = 1) => a.left < b.right - by && b.left < a.right - by
    && a.top < b.bottom - by && b.top < a.bottom - by;
  const box = (node) => node.getBoundingClientRect();
  const pane = box(instrument.closest('.jp-OutputArea-output'));
  const parts = all('.hw-controls > *, .hw-pictures > :not(.widget-box), .bqplot, .hw-code');
  const apart = parts.filter((node) => !parts.some((other) => other !== node
    && node.contains(other)));
  apart.forEach((one, i) => apart.slice(i + 1).forEach((other) => {
    if (over(box(one), box(other))) faults.push(['over', one.className, other.className]);
  }));
  for (const node of all('input, select, button, label, .widget-label, .hw-status, .hw-legend span,'
    + ' .hw-slider span, summary, .bqplot')) {
    const { left, right } = box(node);
    if (left < pane.left - 1 || right > pane.right + 1)
      faults.push(['cut off', node.className || node.tagName, node.textContent.slice(0, 40)]);
    if (node.matches('button, label, .widget-label, .hw-status, span')
      && node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline')
      faults.push(['too long', node.textContent.slice(0, 40)]);
  }
  const pen = document.createElement('canvas').getContext('2d');
  for (const node of all('select')) {
    pen.font = getComputedStyle(node).font;
    const text = node.selectedOptions[0].text;
    if (pen.measureText(text).width + 22 > node.clientWidth) faults.push(['too long', text]);
  }
  for (const picture of all('.bqplot')) {
    const frame = box(picture);
    const texts = [...picture.querySelectorAll('text')].filter(seen)
      .filter((node) => node.textContent.trim());
    for (const node of texts) {
      const { left, right, top, bottom } = box(node);
      if (left < frame.left - 1 || right > frame.right + 1 || top < frame.top - 1
        || bottom > frame.bottom + 1) faults.push(['text cut off', node.textContent]);
    }
    const turned = (node) => /rotate\\((?!0)/.test(node.getAttribute('transform') ?? '');
    const straight = texts.filter((node) => !turned(node)).map((node) => [node, box(node)]);
    straight.forEach(([one, a], i) => straight.slice(i + 1).forEach(([other, b]) => {
      if (over(a, b, 1.5)) faults.push(['names overlap', one.textContent, other.textContent]);
    }));
  }
  return faults;
}"""
