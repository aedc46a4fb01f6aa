"""A JupyterLab with the lectures in it, a browser, and notebooks open in the two."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from instruments import ALL, SHOWN
from lab import LIGHT, LabServer, Notebook, lab_server, write_notebook
from playwright.sync_api import Browser, Page
from support.paths import LECTURES, SETTINGS


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A server on a copy of the lectures, so that no test changes a committed notebook.

    Its kernels are what a student's are: forks of one process that has imported everything.
    """
    root = tmp_path_factory.mktemp("lab") / "lectures"
    shutil.copytree(LECTURES, root, ignore=shutil.ignore_patterns(".ipynb_checkpoints", ".*"))
    with ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:  # for this server alone
            patch.setenv("JUPYTER_PATH", str(SETTINGS))
            server = running.enter_context(lab_server(root, tmp_path_factory.mktemp("state")))
        yield server


@pytest.fixture(scope="session")
def desk(browser: Browser) -> Page:
    """A page that stays open: loading Lab takes several times as long as opening a notebook."""
    return browser.new_page()


@pytest.fixture
def open_notebook(
    browser: Browser, lab: LabServer, desk: Page
) -> Iterator[Callable[..., Notebook]]:
    """``open_notebook(name)`` opens a lecture, ``open_notebook(name, code)`` writes one first."""
    opened: list[Notebook] = []

    def open_one(name: str, code: str | None = None, width: int = 1280) -> Notebook:
        if code is not None:
            write_notebook(lab.root / name, code)
        page = desk if lab.theme == LIGHT and not opened else browser.new_page()
        page.set_viewport_size({"width": width, "height": 960})
        opened.append(Notebook(page, lab, name))
        return opened[-1]

    yield open_one
    for notebook in opened:
        if notebook.page is desk:
            notebook.leave()
        else:
            notebook.shut_down()


@pytest.fixture
def gallery(lab: LabServer, open_notebook: Callable[..., Notebook]) -> Callable[..., Notebook]:
    """``gallery(width)`` opens a notebook with every instrument and runs it."""

    def open_all(width: int = 1280) -> Notebook:
        write_notebook(lab.root / "gallery.ipynb", ALL, *SHOWN.values())
        notebook = open_notebook("gallery.ipynb", width=width)
        notebook.run_all()
        return notebook

    return open_all


@pytest.fixture(scope="module")
def run_again(browser: Browser, lab: LabServer) -> Iterator[Callable[..., Notebook]]:
    """``run_again(name, code)`` opens a notebook once in a module, and runs it anew each time.

    Opening a page and starting a kernel takes several times as long as making a widget again.
    """
    opened: dict[str, Notebook] = {}

    def run(name: str, code: str) -> Notebook:
        if name not in opened:
            write_notebook(lab.root / name, code)
            page = browser.new_page(viewport={"width": 1280, "height": 960})
            opened[name] = Notebook(page, lab, name)
        opened[name].complaints.clear()
        opened[name].run_all()
        return opened[name]

    yield run
    for notebook in opened.values():
        notebook.shut_down()
