"""How long a student waits for the first instrument, in JupyterLab and a new browser each time.

The lectures are a student's copy, which holds no outputs; kernels are those of ``make lab``.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from lab import LabServer, Notebook, chromium, lab_server
from playwright.sync_api import Page

from hierwidgets.course import student

LECTURES = Path(__file__).parents[2] / "lectures"
TIMES = 5
PICTURE = ".hw-instrument .bqplot svg"
RUN_ALL = "void jupyterapp.commands.execute('notebook:run-all-cells')"
RUN_CELL = "void jupyterapp.commands.execute('notebook:run-cell')"
RUN_ALL_ABOVE = """async () => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const source = (cell) => cell.model.sharedModel.getSource();
  notebook.activeCellIndex =
    notebook.widgets.findIndex((cell) => source(cell).startsWith('hw.widgets.'));
  await jupyterapp.commands.execute('notebook:run-all-above');
}"""


def from_run_all(name: str) -> list[float]:
    """Seconds from Run All to the first picture of an instrument; the kernel is ready."""
    return _spans(name, lambda page: None, RUN_ALL)


def from_its_cell(name: str) -> list[float]:
    """Seconds from running the first instrument's cell to its picture; all above it has run."""
    return _spans(name, lambda page: page.evaluate(RUN_ALL_ABOVE), RUN_CELL)


def _spans(name: str, prepare: Callable[[Page], None], run: str) -> list[float]:
    spans = []
    with _lab() as server:
        for _ in range(TIMES):
            with _page() as page:
                notebook = Notebook(page, server, name)
                prepare(page)
                spans.append(_until_shown(page, run, time.perf_counter()))
                notebook.shut_down()
    return spans


def from_opening(name: str) -> tuple[list[float], list[float]]:
    """Seconds from a notebook's address to its kernel, and to its first instrument by Run All.

    Each of a server that has just begun to answer, so that its first kernel is waited for.
    """
    ready, shown = [], []
    for _ in range(TIMES):
        with _page() as page, _lab() as server:
            begun = time.perf_counter()
            notebook = Notebook(page, server, name)
            ready.append(time.perf_counter() - begun)
            shown.append(_until_shown(page, RUN_ALL, begun))
            notebook.shut_down()
    return ready, shown


def _until_shown(page: Page, run: str, begun: float) -> float:
    page.evaluate(run)
    page.locator(PICTURE).first.wait_for(timeout=60_000)
    return time.perf_counter() - begun


@contextmanager
def _lab() -> Iterator[LabServer]:
    """JupyterLab on a new copy of a student's."""
    with tempfile.TemporaryDirectory() as place:
        root, state = Path(place) / "lectures", Path(place) / "state"
        student.make(root, LECTURES)
        state.mkdir()
        with lab_server(root, state) as server:
            yield server


@contextmanager
def _page() -> Iterator[Page]:
    """A page in a new browser."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("no Chromium on the path; install it with: apt-get install chromium")
    with chromium(path) as browser:
        yield browser.new_page(viewport={"width": 1280, "height": 900})
