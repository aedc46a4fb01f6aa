"""What differs in a page of a browser: nothing can be installed there, and no thread begins."""

import os

import numpy as np
import pytest

from hierwidgets.base import platform
from hierwidgets.sampling import predictors


@pytest.fixture
def in_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "IN_BROWSER", True)


def test_elsewhere_pip_is_named():
    assert 'pip install "polars<2"' in platform.how_to_get("polars<2")


@pytest.mark.usefixtures("in_browser")
def test_in_the_browser_pip_is_not():
    told = platform.how_to_get("polars<2")
    assert "pip" not in told
    assert "Binder" in told


def test_threads_are_as_many_as_asked_for_or_as_there_are():
    assert platform.thread_count(5) == 5
    assert platform.thread_count(None) == os.cpu_count()


@pytest.mark.usefixtures("in_browser")
def test_in_the_browser_no_thread_is_begun(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(predictors, "ThreadPoolExecutor", None)
    seen = []
    codes = np.array([0, 1, 2, 0])
    predictors.each_level(codes, 3, 4, lambda j, rows: seen.append((j, rows.tolist())))
    assert seen == [(0, [0, 3]), (1, [1]), (2, [2])]
