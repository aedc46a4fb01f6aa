"""Which of the files that were handed in is graded: by what is in them, not by their names."""

import base64
import copy
import gzip
import io
import json
import os
import random
import tarfile
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from support import graded_course as graded
from support import small_course as small

from hierwidgets.errors import DataError
from hierwidgets.grading.cells import grade_id
from hierwidgets.grading.notebook_files import File, read_notebook
from hierwidgets.grading.rebuilding import rebuild
from hierwidgets.grading.submissions import read_submission

NAME = "T1-small.ipynb"
CHECKPOINT = ".ipynb_checkpoints/T1-small-checkpoint.ipynb"
APPLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(60)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course whose assignment is released."""
    return graded.released(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def given(course):
    return course.read("release", "T1")


@pytest.fixture(scope="module")
def right(given):
    return small.answered(given, small.RIGHT)


def read(course, files, student="ann"):
    """What the files, by name, are read as; each was changed an hour after the one before."""
    folder = course.root / "submitted" / student / "T1"
    for old in sorted(folder.rglob("*"), reverse=True):
        old.unlink() if old.is_file() or old.is_symlink() else old.rmdir()
    for hour, (name, data) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else text_of(data).encode())
        os.utime(path, (1e9, 1e9 + 3600 * hour))
    return read_submission(
        course, "T1", student, course.read("release", "T1"), course.read("source", "T1")
    )


def text_of(notebook):
    return notebook if isinstance(notebook, str) else nbformat.writes(notebook)


def zipped(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data if isinstance(data, bytes) else text_of(data))
    return made.getvalue()


def tarred(files):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, notebook in files.items():
            data = text_of(notebook).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def answers(rebuilt):
    found = {grade_id(cell): cell.source for cell in rebuilt.notebook.cells}
    return {name: found[name] for name in small.RIGHT}


def as_version_3(notebook):
    """The same in a format of 2014, which has sheets, headings and inputs."""
    cells = []
    for cell in json.loads(text_of(notebook))["cells"]:
        made = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
        code = cell["cell_type"] == "code"
        made["input" if code else "source"] = cell["source"]
        cells.append(made | ({"outputs": [], "language": "python"} if code else {}))
    cells[0] = {"cell_type": "heading", "level": 1, "source": ["Small"], "metadata": {}}
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]})


def as_version_5(notebook):
    stored = json.loads(text_of(notebook))
    return json.dumps(stored | {"nbformat": 5, "nbformat_minor": 0})


def without_metadata(notebook):
    """A notebook of which an editor has kept the texts alone, and each in one piece."""
    cells = [{"cell_type": c.cell_type, "source": c.source} for c in notebook.cells]
    return json.dumps({"cells": cells})


def with_huge_outputs(notebook):
    large = copy.deepcopy(notebook)
    output = nbformat.v4.new_output("stream", text="x" * 30_000_000)
    next(cell for cell in large.cells if cell.cell_type == "code").outputs.append(output)
    return text_of(large)


PACKED = {
    "as expected": lambda nb: {NAME: nb},
    "renamed": lambda nb: {"a (1).ipynb": nb},
    "a text's ending": lambda nb: {f"{NAME}.txt": nb},
    "a data ending": lambda nb: {"T1-small.json": nb},
    "capital letters": lambda nb: {"T1-SMALL.IPYNB": nb},
    "no ending": lambda nb: {"T1-small": nb},
    "a foreign name": lambda nb: {"Übung ñ 日本.ipynb": nb},
    "in a folder": lambda nb: {f"T1/T1/{NAME}": nb},
    "a zip archive": lambda nb: {"T1.zip": zipped({f"T1/{NAME}": nb, "T1/numbers.csv": "y"})},
    "an archive of a Mac": lambda nb: {
        "T1.zip": zipped({f"T1/{NAME}": nb, f"__MACOSX/T1/._{NAME}": APPLE})},
    "what a Mac leaves": lambda nb: {NAME: nb, f"._{NAME}": APPLE, ".DS_Store": b"\0\0\0\1Bud1"},
    "an archive in an archive": lambda nb: {"all.zip": zipped({"T1.zip": zipped({NAME: nb})})},
    "a tar archive": lambda nb: {"T1.tar.gz": tarred({f"T1/{NAME}": nb})},
    "compressed": lambda nb: {f"{NAME}.gz": gzip.compress(text_of(nb).encode())},
    "a checkpoint beside it": lambda nb: {
        NAME: nb, CHECKPOINT: small.answered(nb, {"q3-why": "?"})},
    "twice the same": lambda nb: {NAME: nb, "T1-small (1).ipynb": nb},
    "UTF-16": lambda nb: {NAME: text_of(nb).encode("utf-16")},
    "UTF-16 without a mark": lambda nb: {NAME: text_of(nb).encode("utf-16-le")},
    "UTF-32": lambda nb: {NAME: text_of(nb).encode("utf-32")},
    "a byte order mark": lambda nb: {NAME: text_of(nb).encode("utf-8-sig")},
    "Windows line ends": lambda nb: {NAME: text_of(nb).replace("\n", "\r\n").encode()},
    "format 3": lambda nb: {NAME: as_version_3(nb)},
    "format 5": lambda nb: {NAME: as_version_5(nb)},
    "texts alone": lambda nb: {NAME: without_metadata(nb)},
    "30 MB of output": lambda nb: {NAME: with_huge_outputs(nb)},
}  # fmt: skip
SAYS = {"format 5": "format 5", "texts alone": "found by what it defines"}
MENDED = {"texts alone"}


@pytest.mark.parametrize("name", PACKED)
def test_names_and_wrappings_do_not_matter(course, right, name):
    result = read(course, PACKED[name](right))
    assert answers(result) == small.RIGHT
    assert result.mended == (name in MENDED), result.notes
    notes = [note for note in result.notes if "the file is called" not in note]
    assert any(SAYS[name] in note for note in notes) if name in SAYS else notes == []


def test_an_untouched_original_beside_the_work(course, given, right):
    for files in ({"T1-small-Copy1.ipynb": right, NAME: given},
                  {NAME: given, "T1-small-Copy1.ipynb": right}):  # fmt: skip
        result = read(course, files)
        assert answers(result) == small.RIGHT
        assert f"{NAME}: as given out, so T1-small-Copy1.ipynb is graded" in result.notes
        assert not result.mended


def test_of_several_that_were_worked_on_the_last_counts_and_a_note_says_so(course, given, right):
    draft = small.answered(given, {"q1-rate": "def rate(y):\n    return 0.5"})
    result = read(course, {NAME: draft, "final.ipynb": right})
    assert answers(result) == small.RIGHT
    (note,) = [note for note in result.notes if "is graded" in note]
    assert "final.ipynb (3 answers" in note
    assert "was changed last" in note
    assert f"{NAME} (1 answers" in note
    assert result.mended
    result = read(course, {"final.ipynb": right, NAME: draft})
    assert answers(result)["q1-rate"] == "def rate(y):\n    return 0.5"
    assert any("final.ipynb (3 answers" in note for note in result.notes)
    together = zipped({NAME: draft, "final.ipynb": right})  # of the same minute
    result = read(course, {"all.zip": together})
    assert answers(result) == small.RIGHT
    assert any("the most answers" in note for note in result.notes)


def test_a_checkpoint_is_graded_if_nothing_else_was_worked_on(course, given, right):
    for files in ({CHECKPOINT: right}, {CHECKPOINT: right, NAME: given}):
        result = read(course, files)
        assert answers(result) == small.RIGHT
        assert any("a copy that JupyterLab kept" in note for note in result.notes)
        assert result.mended


def test_a_blank_sheet_among_copies_is_a_blank_sheet(course, given):
    result = read(course, {NAME: given, "T1-small-Copy1.ipynb": given})
    assert (result.answered, result.mended) == ((), False)


def test_what_lies_beside_the_notebook_is_told(course, given, right):
    files = {NAME: right, "essay.pdf": b"%PDF-1.7 ...", "numbers.csv": "y\n0\n1\n"}
    result = read(course, files)
    assert result.notes == ("also handed in, for a person to look at: essay.pdf (a PDF document)",)
    assert not result.mended
    files[NAME] = small.answered(given, {"q1-rate": small.RIGHT["q1-rate"]})
    assert read(course, files).mended  # the missing answers may stand in it


def test_pictures_beside_the_notebook_are_put_in(course, given):
    words = "Because ![a plot](./my%20plot.png) and ![](lost.png)"
    notebook = small.answered(given, small.RIGHT | {"q3-why": words})
    result = read(course, {NAME: notebook, "my plot.png": PNG})
    (cell,) = [cell for cell in result.notebook.cells if grade_id(cell) == "q3-why"]
    assert cell.source == "Because ![a plot](attachment:my-plot.png) and ![](lost.png)"
    assert base64.b64decode(cell.attachments["my-plot.png"]["image/png"]) == PNG
    assert "a picture named lost.png was not handed in" in result.notes


OTHER = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
UNREADABLE = {
    "nothing": ({}, "no notebook was handed in: nothing"),
    "an empty file": ({NAME: ""}, f"{NAME} is an empty file; ask the student"),
    "a web page": ({"T1.html": "<!DOCTYPE html><html></html>"}, "T1.html is a web page; ask"),
    "a document": ({"T1.pdf": b"%PDF-1.4"}, "T1.pdf is a PDF document; ask the student"),
    "a script": ({"T1.py": "def rate(y): return 1"}, "T1.py is a text; ask the student"),
    "a trailing comma": ({NAME: '{"cells": [],}'}, "it is damaged .*; ask the student to open"),
    "an unfinished merge": (
        {NAME: '{"cells": [\n<<<<<<< HEAD\n]}'}, "it has marks of an unfinished merge; ask"),
    "no cells": ({NAME: '{"cells": {}}'}, f"{NAME} has no cells, so it is no notebook; ask"),
    "a list": ({NAME: '["cell_type", "cells"]'}, f"{NAME} is no notebook; ask the student"),
    "depth": ({NAME: '{"cells": ' + "[" * 100_000}, "it is damaged"),
    "a damaged archive": ({"T1.zip": b"PK\x03\x04 nothing"}, "an archive that cannot be opened"),
    "another notebook": (
        {NAME: new_notebook(cells=[new_code_cell("1 + 1")])},
        "is no notebook of this assignment: none of its cells was given out; ask"),
    "another assignment": (
        {NAME: new_notebook(cells=[small.marked(new_code_cell("1"), f"x{k}") for k in (1, 2)])},
        "is no notebook of this assignment: its cells are named x1, x2; ask"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_says_what_to_do(course, name):
    files, words = UNREADABLE[name]
    (course.root / "submitted" / "ann" / "T1").mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match=words):
        read(course, files)


def test_a_damaged_file_beside_a_good_one_is_told(course, right):
    result = read(course, {NAME: right, "T1-small (1).ipynb": text_of(right)[:-200]})
    assert answers(result) == small.RIGHT
    assert any("T1-small (1).ipynb is not a notebook that can be read" in n for n in result.notes)


JUNK = (
    None, 0, True, 1e308, "", "\ud800", [], [[]], {}, {"a": 1}, ["a", 1, None], "def f(:", '"""',
    "%%bash\nls", "![x](attachment:a.png)", {"a.png": "x"}, {"a.png": {"image/png": ["AA", "AA"]}},
    {"grade_id": "q1-hidden"},
)  # fmt: skip
KEYS = ("id", "metadata", "source", "attachments", "cell_type", "nbgrader", "grade_id", "level")


def places(stored):
    """Every place in a stored notebook."""
    keys = stored if isinstance(stored, dict) else range(len(stored)) if isinstance(stored, list) \
        else ()  # fmt: skip
    for key in keys:
        yield stored, key
        yield from places(stored[key])


def test_any_content_is_read_or_refused_in_words(course, given, right):
    """Notebooks with anything anywhere: what comes back can be stored, or an error says why not."""
    rng, whole = random.Random(20261), json.loads(text_of(right))
    source, refused = course.read("source", "T1"), 0
    for _ in range(300):
        stored = copy.deepcopy(whole)
        for _ in range(rng.randint(1, 6)):
            where, key = rng.choice(list(places(stored)))
            key = rng.choice(KEYS) if isinstance(where, dict) and rng.random() < 0.4 else key
            where[key] = copy.deepcopy(rng.choice(JUNK))
        try:
            notebook, _ = read_notebook(File("any", 0, json.dumps(stored).encode()))
        except DataError:
            refused += 1
            continue
        nbformat.validate(rebuild(given, source, notebook).notebook)
    assert 0 < refused < 100


def test_links_out_of_the_folder_are_not_followed(course, right, tmp_path):
    (tmp_path / "solution.ipynb").write_text(text_of(right))
    folder = course.root / "submitted" / "eve" / "T1"
    folder.mkdir(parents=True)
    (folder / NAME).symlink_to(tmp_path / "solution.ipynb")
    with pytest.raises(DataError, match="is a link to another place"):
        read_submission(course, "T1", "eve", course.read("release", "T1"),
                        course.read("source", "T1"))  # fmt: skip
