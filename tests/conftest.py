"""What all tests share: the browser, whether a machine may do without one, what is left out."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tools.deadline import pytest_runtest_setup as pytest_runtest_setup

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
SWITCH = "HIERWIDGETS_REQUIRE_BROWSER"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked long are run where they are asked for by that word, and nowhere else."""
    if "long" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: collections of garbage need not look through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Chromium's path. Without one a test is skipped, or fails where a browser is required."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    message = "no Chromium on the path; install it with: apt-get install chromium"
    if os.environ.get(SWITCH):
        pytest.fail(f"{SWITCH} is set and there is {message}")
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser(browser_path: str) -> "Iterator[Browser]":
    """Chromium, one in a process: Playwright's plain interface cannot be started twice."""
    from lab import chromium

    with chromium(browser_path) as running:
        yield running
