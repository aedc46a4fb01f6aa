"""The lectures without a server: every notebook is run in Chromium as a reader would run it.

What cells show is held against the stored lectures, by the rules of `tests/sanitize.cfg` and with
no tolerance: text, tables and words must agree to the letter. Pictures are left out, as for nbval.
Two notebooks are run by `make test-slow`, all of them by `make test-long`.
"""

import configparser
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import Notebook
from lite import LiteNotebook, LiteSite, build_site, served
from playwright.sync_api import Browser, expect
from support.paths import LECTURES

from hierwidgets.course.lite import binaries, kernel

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTEBOOKS = sorted(path.stem for path in LECTURES.glob("*.ipynb"))
QUICK = ("00-map-and-notation", "03-fitting-the-model")
RICH = ("text/html", "text/markdown")  # shown in place of plain text, which no reader then sees
OUTPUTS = """() => jupyterapp.shell.currentWidget.context.model.toJSON().cells
  .filter((cell) => cell.cell_type === 'code')
  .map((cell) => ({source: cell.source, outputs: cell.outputs}))"""
TO_THE_CELL = """async (code) => { // what is far from the window, Lab takes out of the page
  const shown = jupyterapp.shell.currentWidget.content;
  const source = (cell) => cell.model.sharedModel.getSource();
  shown.activeCellIndex = shown.widgets.findIndex((cell) => source(cell).includes(code));
  await shown.scrollToItem(shown.activeCellIndex, 'center');
}"""
CELL_TEXT = "1 + 1  # an answer of mine"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[LiteSite]:
    """The site as `make lite` builds it; without its binaries there is nothing to test.

    ``LITE_SITE`` names one that is built already: what is published is what was tested.
    """
    out = Path(os.environ.get("LITE_SITE") or tmp_path_factory.mktemp("site") / "lite").resolve()
    try:
        if not (out / "lab" / "index.html").exists():
            build_site(out, root)
    except binaries.Unavailable as error:
        pytest.skip(f"the browser's Python cannot be had here: {error}")
    with served(out) as serving:
        yield serving


@pytest.fixture
def opened(browser: Browser, site: LiteSite) -> Iterator[Any]:
    """``opened(name)`` opens a notebook of the site as a new reader."""
    context = browser.new_context(viewport={"width": 1280, "height": 960})

    def open_one(name: str) -> LiteNotebook:
        return LiteNotebook(context.new_page(), site, f"{name}.ipynb")

    yield open_one
    context.close()


def rules() -> list[tuple[re.Pattern[str], str]]:
    found = configparser.ConfigParser()
    found.read(LECTURES.parent / "tests" / "sanitize.cfg")
    return [(re.compile(found[name]["regex"]), found[name]["replace"]) for name in found.sections()]


def shown(outputs: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What a cell shows, without what differs between two runs of the same code."""
    parts = []
    for output in outputs:
        if output["output_type"] == "error":
            parts.append(("error", f"{output['ename']}: {output['evalue']}"))
        if output["output_type"] == "stream":
            parts.append((output["name"], output["text"]))
        data = output.get("data", {})
        kinds = [kind for kind in RICH if kind in data] or ["text/plain"]
        parts += [(kind, data[kind]) for kind in kinds if kind in data]
    texts = [(kind, text if isinstance(text, str) else "".join(text)) for kind, text in parts]
    for pattern, instead in rules():
        texts = [(kind, pattern.sub(instead, text)) for kind, text in texts]
    return texts


def differences(notebook: Notebook, name: str) -> list[str]:
    stored = nbformat.read(LECTURES / f"{name}.ipynb", as_version=4).cells
    stored = [cell for cell in stored if cell.cell_type == "code"]
    run = notebook.page.evaluate(OUTPUTS)
    elsewhere = stored_elsewhere()
    found = []
    for old, new in zip(stored, run, strict=True):
        assert old.source == new["source"]
        outputs = new["outputs"]
        if kernel.key(old.source) in elsewhere:
            why = outputs.pop(0)["data"]["text/markdown"]
            assert "does not run in a browser" in "".join(why)
        now, then = shown(outputs), shown(old.outputs)
        if now != then:
            found.append(f"{old.source[:60]!r}\n  there {now}\n  stored {then}")
    return found


def stored_elsewhere() -> dict[str, Any]:
    from hierwidgets.course.lite import stored

    return dict(json.loads(stored.made_elsewhere(LECTURES)))


def run_and_compare(notebook: Notebook, name: str, seconds: float = 600) -> None:
    notebook.run_all(seconds)
    assert differences(notebook, name) == []


@pytest.mark.parametrize("name", QUICK)
def test_a_notebook_shows_there_what_it_shows_elsewhere(opened, name):
    run_and_compare(opened(name), name)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name not in QUICK])
def test_every_notebook_shows_there_what_it_shows_elsewhere(opened, name):
    run_and_compare(opened(name), name)


def test_an_instrument_answers_the_keyboard(opened):
    notebook = opened("04-three-kinds-of-pooling")
    notebook.run_all(300)
    notebook.page.evaluate(TO_THE_CELL, "hw.widgets.PoolingDial(")
    dial = notebook.widget("PoolingDial").first
    status = dial.get_by_role("status").first  # its text comes from Python
    expect(status).to_contain_text("σ = 0.31")
    slider = dial.get_by_role("slider").first
    slider.focus()
    slider.press("PageUp")
    expect(status).not_to_contain_text("σ = 0.31")


def test_draws_come_without_a_compiler(opened):
    notebook = opened("00-map-and-notation")
    notebook.run_all(300)
    code = "hw.Model('contacted ~ 1 + (1 | district_id)', finland, 'binomial', event='Contacted')"
    draws = notebook.python(f"{code}.sample(seed=1).method")
    assert draws == "importance"


def test_the_page_says_what_it_waits_for_and_then_no_more(opened, browser, site):
    page = browser.new_page()
    page.goto(site.url("00-map-and-notation.ipynb"))
    bar = page.get_by_role("status").filter(has_text=re.compile("Python|Fetching|Importing"))
    expect(bar).to_be_visible(timeout=60_000)
    page.wait_for_function("document.querySelector('#lectures-waiting') === null", timeout=120_000)
    page.close()


def test_what_is_written_is_there_when_the_page_is_opened_again(opened, site):
    page = opened(QUICK[0]).page
    page.evaluate(
        """(text) => {
          const cells = jupyterapp.shell.currentWidget.content;
          cells.widgets[1].model.sharedModel.setSource(text);
          return jupyterapp.commands.execute('docmanager:save');
        }""",
        CELL_TEXT,
    )
    page.goto(site.url(f"{QUICK[0]}.ipynb"))
    expect(page.get_by_text(CELL_TEXT)).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        page.evaluate("void jupyterapp.commands.execute('docmanager:download')")
    assert CELL_TEXT in Path(download.value.path()).read_text()
