"""Cells that cannot run in the browser: what is shown in their place, and what is not."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output
from tqdm import tqdm

from hierwidgets.course.lite import kernel

CELL = "import marginaleffects\nfound = marginaleffects.predictions()\nfound"
TABLE = {"data": {"text/plain": "the stored table"}, "metadata": {}}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """IPython where no module of marginaleffects is, with one stored result."""
    monkeypatch.setitem(sys.modules, "marginaleffects", None)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(tqdm, "monitor_interval", 10)
    place = tmp_path / kernel.PLACE
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({kernel.key(CELL): [TABLE], kernel.key("later = found"): []}))
    InteractiveShell.clear_instance()
    found = InteractiveShell.instance()
    kernel.start(found, str(tmp_path))
    yield found
    InteractiveShell.clear_instance()


def shown(shell: InteractiveShell, source: str) -> SimpleNamespace:
    """What a cell has displayed, its Markdown first, and the traceback it has written."""
    with capture_output() as caught:
        shell.run_cell(source)
    rich = [output for output in caught.outputs if isinstance(output, RichOutput)]
    bundles: list[dict[str, Any]] = [output.data for output in rich]
    told = [data["text/markdown"] for data in bundles if "text/markdown" in data]
    rest = [data for data in bundles if "text/markdown" not in data]
    return SimpleNamespace(told=" ".join(told), results=rest, error=caught.stdout + caught.stderr)


def test_a_cell_that_cannot_run_shows_its_stored_result_and_says_why(shell):
    here = shown(shell, CELL)
    assert here.results == [TABLE["data"]]
    assert "marginaleffects" in here.told
    assert "does not run in a browser" in here.told
    assert "not a run of yours" in here.told
    assert "pip" not in here.told
    assert not here.error


def test_cells_that_use_its_names_are_as_it_is(shell):
    shown(shell, CELL)
    here = shown(shell, "later = found")
    assert "marginaleffects" in here.told
    assert "shown elsewhere" not in here.told  # such a cell shows nothing anywhere
    assert "marginaleffects" in shown(shell, "later + 1").told  # and so on


def test_a_changed_cell_has_no_stored_result(shell):
    here = shown(shell, CELL + ".head()")
    assert not here.results
    assert "you have changed it" in here.told
    assert "Binder" in here.told


def test_other_errors_are_errors(shell):
    for source, words in (("import no_such_module", "no_such_module"), ("found", "NameError")):
        here = shown(shell, source)
        assert words in here.error
        assert not here.told


def test_a_name_given_by_hand_is_used(shell):
    shown(shell, CELL)
    assert not shown(shell, "found = 3\nassert found == 3").told


def test_progress_bars_begin_no_thread(shell):
    assert tqdm.monitor_interval == 0


def test_the_notebooks_folder_is_the_last_place_to_look(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/somewhere"])
    kernel.start(shell, str(tmp_path))
    assert sys.path == ["/somewhere", ""]
