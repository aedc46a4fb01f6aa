"""What a student sees on opening a lecture: the page, its contents, and nothing that disturbs."""

import json
import os
import secrets
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import (
    EXECUTE,
    KERNEL_CONNECTED,
    OPEN,
    SHUT_DOWN,
    LabServer,
    free_port,
    lab_server,
    started,
)
from playwright.sync_api import Browser, Page, expect
from support.paths import ROOT

pytestmark = pytest.mark.browser

GRADING = ("Nbgrader", "Validate", "Create Assignment", "Formgrader", "Assignment List")
NEWS = """async () => {
  const name = '@jupyterlab/apputils-extension:notification';
  const found = await jupyterapp.serviceManager.settings.fetch(name);
  const setting = (key) => found.schema.properties[key].default;
  return [setting('fetchNews'), setting('checkForUpdates')];
}"""
OUTPUTS = """() => jupyterapp.shell.currentWidget.context.model.toJSON().cells
  .flatMap((cell) => cell.outputs ?? []).length"""
FIRST, FOURTH = "00-map-and-notation.ipynb", "04-three-kinds-of-pooling.ipynb"


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """`make lab` as the Makefile has it, for a student who has no settings of their own."""
    state = tmp_path_factory.mktemp("state")
    copy = tmp_path_factory.mktemp("home of a student") / "my lectures"
    running = LabServer(free_port(), secrets.token_hex(16), copy, state / "settings")
    command = [
        *(sys.executable, "-m", "hierwidgets.course", "lab", str(copy), "--no-browser"),
        *(f"--ServerApp.port={running.port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={running.token}", "--LabApp.expose_app_in_browser=True"),
    ]
    with started(running, command, state, ROOT):
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, server: LabServer) -> Iterator[Page]:
    """The address that opens in the student's browser, on a small laptop."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.goto(f"http://127.0.0.1:{server.port}/?token={server.token}")
    page.wait_for_function(KERNEL_CONNECTED, arg=FIRST, timeout=120_000)
    yield page
    page.evaluate(SHUT_DOWN)
    page.close()


def test_kernels_share_what_they_import(page: Page, server: LabServer) -> None:
    address = f"http://127.0.0.1:{server.port}/api/kernelspecs?token={server.token}"
    with urllib.request.urlopen(address) as answer:
        (found,) = json.load(answer)["kernelspecs"].values()
    provisioner = found["spec"]["metadata"]["kernel_provisioner"]["provisioner_name"]
    assert provisioner == "hierwidgets-shared"
    asked = "import sys; print('hierwidgets.course.figures.pooling' in sys.modules)"
    assert page.evaluate(EXECUTE, asked) == {"text": "True\n", "error": ""}


def test_the_first_lecture_is_open_and_the_next_is_a_link_away(page: Page) -> None:
    notebook = page.locator(".jp-NotebookPanel:visible")
    expect(notebook.get_by_role("heading", name="A story, a map and a notation")).to_be_visible()
    page.evaluate(OPEN, FOURTH)
    page.wait_for_function(KERNEL_CONNECTED, arg=FOURTH, timeout=60_000)
    expect(notebook.get_by_role("heading", name="Three kinds of pooling")).to_be_visible()


def test_no_answer_is_there_before_it_is_asked_for(page: Page) -> None:
    assert page.evaluate(OUTPUTS) == 0
    expect(page.locator(".jp-NotebookPanel:visible .jp-OutputArea-child")).to_have_count(0)


def test_a_page_that_was_only_opened_is_as_it_was_saved(page: Page) -> None:
    page.evaluate(OPEN, FIRST)
    page.wait_for_function(KERNEL_CONNECTED, arg=FIRST, timeout=60_000)
    page.wait_for_function(KNOWS_ITS_LANGUAGE)
    assert page.evaluate(UNSAVED) == []


# Written into the notebook when the kernel has told it.
KNOWS_ITS_LANGUAGE = """() => [...jupyterapp.shell.widgets('main')].every((panel) =>
  panel.context.sessionContext.session?.kernel?.status === 'idle'
  && panel.context.model.getMetadata('language_info')?.version)"""
UNSAVED = """() => [...jupyterapp.shell.widgets('main')]
  .filter((panel) => panel.context.model.dirty).map((panel) => panel.context.path)"""


def test_contents_are_open_and_files_are_folded(page: Page) -> None:
    contents = page.locator("#table-of-contents")
    expect(contents).to_be_visible()
    expect(contents.get_by_text("What to remember")).to_be_visible()
    expect(page.locator("#filebrowser")).to_be_hidden()
    expect(page.locator("#jp-left-stack")).to_be_visible()
    box = page.locator(".jp-NotebookPanel:visible .jp-Notebook").bounding_box()
    assert box is not None
    assert box["width"] >= 900  # an instrument needs 740


def test_names_of_files_are_whole_where_they_are_unfolded(page: Page) -> None:
    page.evaluate("() => jupyterapp.shell.activateById('filebrowser')")
    names = page.locator("#filebrowser .jp-DirListing-itemText")
    expect(names.filter(has_text="10-full-bayes-and-diagnostics.ipynb")).to_be_visible()
    cut = names.evaluate_all("(all) => all.filter((n) => n.scrollWidth > n.clientWidth)"
                             ".map((n) => n.textContent)")  # fmt: skip
    assert cut == []
    page.evaluate("() => jupyterapp.shell.activateById('table-of-contents')")


def test_nothing_of_grading_and_no_news(page: Page) -> None:
    for word in GRADING:
        expect(page.get_by_text(word, exact=True)).to_have_count(0)
    assert page.evaluate(NEWS) == ["false", False]
    expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)
    if folder := os.environ.get("HIERWIDGETS_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "quiet-room.png")


def test_without_the_settings_there_would_be_grading(
    browser: Browser, server: LabServer, tmp_path: Path
) -> None:
    """The words looked for above are those that an instructor's JupyterLab shows."""
    with lab_server(server.root, tmp_path) as plain:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(plain.url(FOURTH))
        page.wait_for_function(KERNEL_CONNECTED, arg=FOURTH, timeout=120_000)
        for word in ("Nbgrader", "Validate"):
            expect(page.get_by_text(word, exact=True).first).to_be_visible()
        expect(page.locator("#table-of-contents")).to_be_hidden()
        page.evaluate(SHUT_DOWN)
        page.close()
