"""What differs in a page of a browser: nothing can be installed there, and no thread begins."""

import os
import tomllib

import numpy as np
import pytest
from support.paths import ROOT

from hierwidgets.base import platform
from hierwidgets.sampling import predictors


@pytest.fixture
def in_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "IN_BROWSER", True)


def test_elsewhere_pip_is_named():
    assert 'pip install "polars<2"' in platform.how_to_get("polars<2")


def test_a_python_without_numba_is_told_so(monkeypatch: pytest.MonkeyPatch):
    assert "pip install" in platform.how_to_get("hierwidgets[bayes]")
    monkeypatch.setattr(platform, "WITHOUT_NUMBA", (3, 11))
    told = platform.how_to_get("hierwidgets[bayes]")
    assert told == "they have no version for this Python yet: take Python 3.10 or older"
    assert "pip install" in platform.how_to_get("hierwidgets[lab]")


def test_it_is_the_python_from_which_the_extra_is_empty():
    bayes = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    newest = ".".join(map(str, platform.WITHOUT_NUMBA))
    for name in ("nutpie", "numba"):
        (line,) = [line for line in bayes["bayes"] if line.startswith(name)]
        assert line.endswith(f"; python_version < '{newest}'")


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
