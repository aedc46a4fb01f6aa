"""What all instruments share, in JupyterLab: no kernel, a lost kernel, code, keys, names, room.

The exported page and the notebook without a kernel come from `lectures.refresh`, as the committed
lectures do. Set HIERWIDGETS_SHOTS to a folder to keep a picture of every instrument in both
themes and at both widths, to be looked at.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import hands
import pytest
from hands import Open
from instruments import SHOWN, ready
from lab import LabServer, Notebook, write_notebook
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, Page, expect

from hierwidgets.course import notebooks

pytestmark = pytest.mark.browser

DIAL = """
import hierwidgets as hw
fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
dial = hw.widgets.PoolingDial(fit, selected="District 309")
dial
"""
# --- no kernel ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook with a dial, stored as the lectures are: run, and cleaned."""
    path = tmp_path_factory.mktemp("stored") / "stored.ipynb"
    write_notebook(path, DIAL)
    notebooks.refresh(path)
    return path


def test_a_second_refresh_gives_the_same_file(stored: Path) -> None:
    first = stored.read_bytes()
    notebooks.refresh(stored)
    assert stored.read_bytes() == first
    assert b"widget-view" not in first


def test_an_exported_page_shows_picture_and_table(browser: Browser, stored: Path) -> None:
    text, _ = HTMLExporter().from_filename(str(stored))
    page = browser.new_page()
    page.route("**/*", lambda route: route.abort())  # no network: the page has all it needs
    page.set_content(text, wait_until="domcontentloaded")
    still_is_shown(page)
    page.close()


def still_is_shown(page: Page) -> None:
    picture = page.get_by_role("img", name=re.compile("14 districts: raw rates"))
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") >= 700
    expect(page.get_by_text("District 309: n = 23, raw 0.435, pooled 0.268")).to_be_visible()
    page.get_by_text("Table of the 14 estimates").click()
    row = page.get_by_role("row", name="District 309")
    expect(row).to_have_text(re.compile(r"District 309\s*23\s*0.435\s*0.268\s*0.202\s*0.303"))
    expect(row).to_be_visible()


def test_lab_without_a_kernel_shows_picture_and_table(
    browser: Browser, lab: LabServer, stored: Path
) -> None:
    (lab.root / "stored.ipynb").write_bytes(stored.read_bytes())
    page = browser.new_page(viewport={"width": 1280, "height": 960})
    page.goto(lab.url("stored.ipynb").replace("/tree/stored.ipynb", ""))
    page.wait_for_function("window.jupyterapp?.commands.hasCommand('docmanager:open')")
    page.evaluate(OPEN_WITHOUT_KERNEL, "stored.ipynb")
    expect(page.locator(".jp-Notebook .hw-still")).to_be_visible()
    assert page.evaluate(KERNEL) == [None]
    still_is_shown(page)
    assert page.get_by_text("Error displaying widget").count() == 0
    page.close()


OPEN_WITHOUT_KERNEL = """(path) => jupyterapp.commands.execute('docmanager:open', {
  path, factory: 'Notebook', kernelPreference: {shouldStart: false, autoStartDefault: false},
})"""
KERNEL = """() => [...jupyterapp.shell.widgets('main')].map((panel) =>
  panel.context?.sessionContext.session?.kernel?.id ?? null)"""


# --- a kernel that comes and goes ---------------------------------------------------------------


@pytest.fixture
def notebook(run_again: Open) -> Notebook:
    return run_again("shared-dial.ipynb", DIAL)


def dial(notebook: Notebook) -> Locator:
    found = notebook.widget("PoolingDial")
    expect(found.get_by_role("img", name=re.compile("14 districts"))).to_be_visible()
    return found


def press(notebook: Notebook, *keys: str) -> None:
    dial(notebook).get_by_role("slider", name="σ, spread").focus()
    for key in keys:
        notebook.page.keyboard.press(key)


def test_the_state_survives_save_and_reload(notebook: Notebook) -> None:
    press(notebook, "PageUp", "PageUp")
    hands.shows(dial(notebook), "σ = 1.07,")
    moved = notebook.python("dial.sigma")
    page = notebook.page
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    hands.shows(dial(notebook), "σ = 1.07,")
    expect(dial(notebook).get_by_role("spinbutton").first).to_have_value(f"{moved:.3f}")
    press(notebook, "ArrowRight")
    hands.shows(dial(notebook), "σ = 1.08,")
    assert notebook.python("dial.sigma") > moved


def test_a_restarted_kernel_is_told_and_a_new_run_works(notebook: Notebook) -> None:
    before = dial(notebook)
    notebook.restart()
    hands.shows(before, "The kernel behind this has stopped or was restarted.")
    notebook.run_all()
    hands.shows(dial(notebook), "σ = 0.31")
    press(notebook, "ArrowRight")
    hands.shows(dial(notebook), "σ = 0.312")


def test_a_dropped_connection_comes_back(notebook: Notebook) -> None:
    hands.shows(dial(notebook), "σ = 0.31")
    notebook.page.evaluate(DROP)
    press(notebook, "ArrowRight")
    expect(dial(notebook).locator(".hw-status")).to_contain_text("σ = 0.312", timeout=30_000)
    notebook.settles("dial.sigma < 0.33 and dial.sigma > 0.31", True)


# Private, but no other way closes the socket as a network does. Done when Lab has noticed: what is
# sent into a closing socket is lost without a word, and how long it closes depends on the load.
DROP = """async () => {
  const kernel = jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const noticed = new Promise((done) => kernel.connectionStatusChanged.connect(
    (_, status) => status !== 'connected' && done()));
  kernel._ws.close();
  await noticed;
}"""


def test_messages_lost_on_the_way_are_made_up_for(notebook: Notebook) -> None:
    picture = dial(notebook).locator(".hw-estimates")
    notebook.execute(
        "dial._status.send, kept = (lambda *lost: None), dial._status.send\n"
        "dial.scale = 'logit'\n"
        "dial._status.send = kept"
    )
    expect(picture).not_to_contain_text("logit")
    notebook.execute("dial.sigma = 1.0")
    hands.shows(dial(notebook), "σ = 1,")
    expect(picture).to_contain_text("logit of share contacted")


def test_closing_frees_the_page(open_notebook: Open) -> None:
    notebook = open_notebook("shared-close.ipynb", DIAL)
    notebook.run_all()
    assert notebook.page.evaluate(COMMS) > 20
    notebook.execute("dial.close()")
    expect(notebook.widget("PoolingDial")).to_have_count(0)
    notebook.page.wait_for_function(f"({COMMS})() === 0")
    assert notebook.complaints == []


# Lab keeps a comm for every model it has, and for no other.
COMMS = """() =>
  jupyterapp.shell.currentWidget.context.sessionContext.session.kernel._comms.size"""


# --- as code ------------------------------------------------------------------------------------


def test_the_state_is_copied_as_code_that_runs(notebook: Notebook) -> None:
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(notebook, "PageUp")
    hands.shows(dial(notebook), "σ = 0.577")
    button = dial(notebook).get_by_role("button", name="Copy this state as code")
    button.focus()
    notebook.page.keyboard.press("Enter")
    line = dial(notebook).get_by_role("textbox", name="This state as code")
    code = "hw.widgets.PoolingDial(fit, sigma=0.577, selected='District 309')"
    expect(line).to_have_value(code)
    expect(dial(notebook).get_by_text("copied")).to_be_visible()
    assert notebook.page.evaluate("() => navigator.clipboard.readText()") == code
    assert notebook.python(f"repr({code}) == repr(dial)")


# --- every instrument: names, keys, room, themes ------------------------------------------------


NAMELESS = re.compile(
    r'^\s*- (?:slider|spinbutton|combobox|button|img|checkbox|radio|textbox)(?! ["/])', re.MULTILINE
)


def test_every_control_has_a_name_and_is_reached_by_tab(gallery: Callable[..., Notebook]) -> None:
    notebook = gallery()
    for name in SHOWN:
        instrument = ready(notebook, name)
        snapshot = instrument.aria_snapshot()
        assert NAMELESS.findall(snapshot) == [], name
        controls = instrument.evaluate(FOCUSABLE)
        assert len(controls) >= 3, name
        reached = walk_by_tab(notebook.page, instrument, len(controls))
        assert reached == controls, name
    assert notebook.complaints == []


# Controls of an instrument in order, each by its name; a table that is shut cannot be reached.
FOCUSABLE = """(instrument) => [...instrument.querySelectorAll(
    'input, select, button, summary, [tabindex="0"]')]
  .filter((node) => node.checkVisibility({visibilityProperty: true}) && !node.disabled
    && (node.type !== 'radio' || node.checked)
    && !node.closest('details:not([open]) > :not(summary)'))
  .map((node, i) => { node.dataset.place = i; return String(i); })"""


def walk_by_tab(page: Page, instrument: Locator, count: int) -> list[str]:
    instrument.locator('[data-place="0"]').focus()
    places = []
    for _ in range(count):
        places.append(page.evaluate("() => document.activeElement.dataset.place ?? 'elsewhere'"))
        page.keyboard.press("Tab")
    return places


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [700, 1280])
def test_nothing_is_cut_off(
    gallery: Callable[..., Notebook], lab: LabServer, width: int, theme: str
) -> None:
    lab.use_theme(f"JupyterLab {theme}")
    try:
        notebook = gallery(width)
        for name in SHOWN:
            instrument = ready(notebook, name)
            assert instrument.evaluate(CUT_OFF) == [], name
            if folder := os.environ.get("HIERWIDGETS_SHOTS"):
                instrument.screenshot(path=f"{folder}/{name}-{width}-{theme}.png")
        assert hands.overflow(notebook) <= 0
    finally:
        lab.use_theme("JupyterLab Light")


# What ends beyond the right end of the pane, and texts of controls that do not fit in them.
CUT_OFF = """(instrument) => {
  const right = instrument.closest('.jp-OutputArea-output').getBoundingClientRect().right + 1;
  const bad = [];
  for (const node of instrument.querySelectorAll('*')) {
    const box = node.getBoundingClientRect();
    if (!node.checkVisibility() || box.width === 0 || node.closest('.hw-table')) continue;
    if (node.closest('clipPath, defs, [clip-path]')) continue;
    if (box.right > right) bad.push([node.tagName, node.className?.baseVal ?? node.className]);
    if (node.matches('button, .widget-label') && node.scrollWidth > node.clientWidth + 1)
      bad.push(['text does not fit', node.textContent]);
  }
  return bad;
}"""
