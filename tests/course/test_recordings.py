"""The command that records instruments: what it makes again, keeps and writes."""

import json

import nbformat
import pytest
from nbformat import v4

from hierwidgets.course import recordings
from hierwidgets.errors import DataError
from hierwidgets.widgets.recording.replay import Replay

GAME = "Guess309(guess=None, revealed=False, opened=())"


def notebook(path, text=GAME):
    still = {"text/html": '<div class="hw-still"></div>', "text/plain": text}
    cells = [
        v4.new_code_cell("import hierwidgets as hw"),
        v4.new_code_cell("1 / 0"),  # a line that is not needed does not run
        v4.new_code_cell(
            "hw.widgets.Guess309()", outputs=[v4.new_output("display_data", data=still)]
        ),
    ]
    nbformat.write(v4.new_notebook(cells=cells), path)


def test_an_instrument_is_made_again_by_the_lines_it_needs(tmp_path):
    notebook(tmp_path / "game.ipynb")
    (shown,) = recordings.instruments_of(tmp_path / "game.ipynb")
    assert (shown.name, shown.code) == (
        "game-0", "import hierwidgets as hw\nhw.widgets.Guess309()"
    )  # fmt: skip
    made = recordings.made_again(shown)
    assert repr(made) == GAME
    made.close()


def test_an_output_that_is_not_what_its_code_makes_is_an_error(tmp_path):
    notebook(tmp_path / "game.ipynb", GAME.replace("None", "0.5"))
    (shown,) = recordings.instruments_of(tmp_path / "game.ipynb")
    with pytest.raises(DataError, match="Run it afresh"):
        recordings.made_again(shown)


@pytest.mark.slow
def test_a_folder_is_recorded_once_and_kept(tmp_path):
    lectures, out, kept = (tmp_path / name for name in ("lectures", "out", "kept"))
    lectures.mkdir()
    notebook(lectures / "one.ipynb")
    notebook(lectures / "two.ipynb")
    index = recordings.make(lectures, out, kept, workers=1)
    assert list(index) == ["one-0", "two-0"]
    assert len(list(kept.glob("*.bin"))) == 1
    assert json.loads((out / "index.json").read_text(encoding="utf-8")) == index
    data = (out / "one-0.bin").read_bytes()
    assert Replay(data).header["instrument"] == "Guess309"
    assert len(data) == index["one-0"]["bytes"] <= recordings.MOST_BYTES
    before = next(kept.glob("*.bin")).stat().st_mtime_ns
    recordings.make(lectures, tmp_path / "again", kept, workers=1)
    assert next(kept.glob("*.bin")).stat().st_mtime_ns == before
    assert (tmp_path / "again" / "two-0.bin").read_bytes() == data
