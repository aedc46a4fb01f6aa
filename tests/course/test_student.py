"""The student's copy: no answers in it, and nothing that a student has written is lost."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import nbformat.v4 as v4
import pytest
from support.notebooks import cells_of
from support.paths import LECTURES, ROOT

from hierwidgets.course import student
from hierwidgets.course.student import main, make
from hierwidgets.errors import DataError

DIAL = "04-dial.ipynb"
NEW, SECOND = "04-dial-new.ipynb", "04-dial-new-2.ipynb"


def write_lecture(folder: Path, text: str) -> None:
    told = v4.new_output("display_data", {"text/markdown": "The answer is 4."})
    cells = [
        v4.new_markdown_cell(text, id="first"),
        v4.new_code_cell("2 + 2", id="second", execution_count=7, outputs=[told]),
    ]
    cells[1].metadata["jupyter"] = {"outputs_hidden": True, "source_hidden": True}
    nbformat.write(v4.new_notebook(cells=cells, metadata={"widgets": {}}), folder / DIAL)


@pytest.fixture
def lectures(tmp_path: Path) -> Path:
    """One lecture, a picture, settings, and assignments of which one is released."""
    folder = tmp_path / "course of ours" / "lectures"
    for name, content in {
        "images/a.png": b"\x89PNG\r\n\x00",
        "glossary.md": b"words\r\n",
        "README.md": b"for instructors",
        ".lab/labconfig/page_config.json": b"{}",
        ".ipynb_checkpoints/x.ipynb": b"",
        "_build/x.html": b"",
        "assignments/student-guide.md": b"how to",
        "assignments/nbgrader_config.py": b"c",
        "assignments/source/A1/A1.ipynb": b"solutions",
        "assignments/release/A1/A1.ipynb": b"as released",
        "assignments/release/A1/draws.csv": b"1,2",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write_lecture(folder, "version 1")
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "a folder of mine"


def first_cell(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder, but for the copy's own list."""
    own = {student.MANIFEST, ".lock"}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in own
    }


# What is in it


def test_notebooks_come_without_outputs_and_the_rest_as_it_is(lectures: Path, copy: Path) -> None:
    done = make(copy, lectures)
    assert (
        sorted(files(copy))
        == sorted(done.made)
        == [
            ".lab/labconfig/page_config.json",
            DIAL,
            "assignments/A1/A1.ipynb",
            "assignments/A1/draws.csv",
            "assignments/student-guide.md",
            "glossary.md",
            "images/a.png",
        ]
    )
    for name in ("glossary.md", "images/a.png"):
        assert (copy / name).read_bytes() == (lectures / name).read_bytes()
    assert (copy / "assignments/A1/A1.ipynb").read_bytes() == b"as released"
    notebook = nbformat.read(copy / DIAL, as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells] == ["first", "second"]
    code = notebook.cells[1]
    assert (code.source, code.outputs, code.execution_count) == ("2 + 2", [], None)
    assert code.metadata == {"jupyter": {"source_hidden": True}}
    assert "widgets" not in notebook.metadata
    # Apart from these tests: once it is imported, widgets speak through it.
    code = "import json, ipykernel.ipkernel as k; print(json.dumps(k.IPythonKernel.language_info))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert notebook.metadata.language_info == json.loads(told)


def test_every_lecture_loses_its_answers_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path / "copy", LECTURES)
    names = sorted(path.name for path in LECTURES.glob("*.ipynb"))
    assert names == sorted(path.name for path in (tmp_path / "copy").glob("*.ipynb"))
    for name in names:
        notebook = nbformat.read(tmp_path / "copy" / name, as_version=4)
        nbformat.validate(notebook)
        ours = cells_of(LECTURES / name)
        assert [cell.source for cell in notebook.cells] == [cell.source for cell in ours]
        assert [cell.id for cell in notebook.cells] == [cell.id for cell in ours]
        assert not any(
            cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells
        )
    assert not list((tmp_path / "copy").rglob("source"))


def test_git_ignores_the_copy(tmp_path: Path) -> None:
    done = subprocess.run(["git", "check-ignore", student.DEFAULT], cwd=ROOT, capture_output=True)
    if (ROOT / ".git").exists():
        assert done.returncode == 0
    assert student.DEFAULT in (ROOT / ".gitignore").read_text().splitlines()


# What a student has written


def test_a_second_run_changes_nothing(lectures: Path, copy: Path) -> None:
    make(copy, lectures)
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*.ipynb")}
    assert make(copy, lectures) == ([], [], {}, [], [])
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*.ipynb")} == before


def test_what_nobody_touched_becomes_the_newer_version(lectures: Path, copy: Path) -> None:
    make(copy, lectures)
    write_lecture(lectures, "version 2")
    assert make(copy, lectures).replaced == [DIAL]
    assert first_cell(copy / DIAL) == "version 2"


def test_the_newer_version_goes_beside_what_was_touched(lectures: Path, copy: Path) -> None:
    make(copy, lectures)
    write_lecture(copy, "my answer")
    mine = (copy / DIAL).read_bytes()
    assert make(copy, lectures).kept == [DIAL]
    write_lecture(lectures, "version 2")
    assert make(copy, lectures).beside == {DIAL: NEW}
    assert (copy / DIAL).read_bytes() == mine
    assert first_cell(copy / NEW) == "version 2"
    write_lecture(lectures, "version 3")  # the one beside it is not touched: replaced
    assert make(copy, lectures).beside == {DIAL: NEW}
    assert first_cell(copy / NEW) == "version 3"
    assert not (copy / SECOND).exists()


def test_to_open_a_notebook_is_not_to_write_in_it(lectures: Path, copy: Path) -> None:
    """JupyterLab saves what it knows of the kernel and how cells are shown; to run is to write."""
    make(copy, lectures)
    opened = nbformat.read(copy / DIAL, as_version=4)
    opened.metadata["language_info"] = {"name": "python", "version": "3.12.1"}
    opened.cells[1].metadata["collapsed"] = True
    nbformat.write(opened, copy / DIAL)
    write_lecture(lectures, "version 2")
    assert make(copy, lectures).replaced == [DIAL]
    assert first_cell(copy / DIAL) == "version 2"
    ran = nbformat.read(copy / DIAL, as_version=4)
    ran.cells[1].outputs = [v4.new_output("stream", text="4")]
    nbformat.write(ran, copy / DIAL)
    write_lecture(lectures, "version 3")
    assert make(copy, lectures).beside == {DIAL: NEW}


@pytest.mark.parametrize("how", ["source", "attachment", "cell", "order", "no notebook", "bytes"])
def test_whatever_is_written_in_a_notebook_counts(lectures: Path, copy: Path, how: str) -> None:
    make(copy, lectures)
    path = copy / DIAL
    notebook = nbformat.read(path, as_version=4)
    if how == "source":
        notebook.cells[1].source += "\n"
    elif how == "attachment":
        notebook.cells[0]["attachments"] = {"a.png": {"image/png": "aaaa"}}
    elif how == "cell":
        notebook.cells.append(v4.new_raw_cell("mine"))
    elif how == "order":
        notebook.cells.reverse()
    nbformat.write(notebook, path)
    if how == "no notebook":
        path.write_text("[1, 2]")
    elif how == "bytes":
        path.write_bytes(b"\xff" + path.read_bytes())
    mine = path.read_bytes()
    write_lecture(lectures, "version 2")
    assert make(copy, lectures).beside == {DIAL: NEW}
    assert path.read_bytes() == mine


def test_a_touched_one_beside_is_not_overwritten_either(lectures: Path, copy: Path) -> None:
    make(copy, lectures)
    write_lecture(copy, "my answer")
    write_lecture(lectures, "version 2")
    make(copy, lectures)
    (copy / NEW).write_text("mine too")
    assert make(copy, lectures).beside == {DIAL: NEW}  # version 2 is there already
    write_lecture(lectures, "version 3")
    assert make(copy, lectures).beside == {DIAL: SECOND}
    assert (copy / NEW).read_text() == "mine too"
    assert first_cell(copy / SECOND) == "version 3"


def test_an_own_file_in_the_way_is_not_overwritten(lectures: Path, copy: Path) -> None:
    """Neither one that was there before the copy, nor one whose name the newer version would take,
    nor anything when the list is lost."""
    copy.mkdir()
    (copy / DIAL).write_text("mine")
    (copy / NEW).write_text("mine too")
    assert make(copy, lectures).beside == {DIAL: SECOND}
    (copy / student.MANIFEST).write_text("{ broken")
    (copy / "glossary.md").write_text("my words")
    assert make(copy, lectures).beside["glossary.md"] == "glossary-new.md"
    own = {DIAL: "mine", NEW: "mine too", "glossary.md": "my words"}
    assert {name: (copy / name).read_text() for name in own} == own


def test_a_deleted_file_comes_anew_and_a_deleted_one_beside_does_not(
    lectures: Path, copy: Path
) -> None:
    make(copy, lectures)
    write_lecture(copy, "my answer")
    write_lecture(lectures, "version 2")
    make(copy, lectures)
    (copy / NEW).unlink()
    assert make(copy, lectures) == ([], [], {}, [DIAL], [])
    (copy / DIAL).unlink()
    assert make(copy, lectures).made == [DIAL]
    assert first_cell(copy / DIAL) == "version 2"


def test_settings_are_never_put_beside(lectures: Path, copy: Path) -> None:
    """JupyterLab writes in its settings itself."""
    make(copy, lectures)
    place = ".lab/labconfig/page_config.json"
    (copy / place).write_text("mine")
    (lectures / place).write_text("newer")
    done = make(copy, lectures)
    assert (done.kept, done.beside) == ([place], {})
    assert (copy / place).read_text() == "mine"


def test_what_the_lectures_no_longer_have_stays(lectures: Path, copy: Path) -> None:
    make(copy, lectures)
    (lectures / "glossary.md").unlink()
    assert make(copy, lectures).gone == ["glossary.md"]
    assert (copy / "glossary.md").exists()


# Interrupted


class Killed(BaseException):
    pass


@pytest.mark.parametrize("fatal", range(1, 11))
@pytest.mark.parametrize("before", [True, False])
def test_an_interrupted_run_leaves_nothing_half_written(
    lectures: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, fatal: int, before: bool
) -> None:
    """Killed at each rename in turn, before or after it; the next run mends everything."""
    make(copy, lectures)
    (copy / "glossary.md").write_text("my words")
    old = files(copy)
    write_lecture(lectures, "version 2")
    for name in ("images/a.png", "images/b.png", "glossary.md"):
        (lectures / name).write_text("newer")
    whole = dict(student.contents(lectures))
    renames, replace = [], os.replace

    def killed(part: Path, path: Path) -> None:
        renames.append(path)
        if len(renames) == fatal and before:
            raise Killed
        replace(part, path)
        if len(renames) == fatal:
            raise Killed

    monkeypatch.setattr(os, "replace", killed)
    with contextmanager(expect_killed)(fatal <= 6):
        make(copy, lectures)
    monkeypatch.undo()
    for name, content in files(copy).items():
        assert content in (old.get(name), whole.get(name.replace("-new", ""))), name
    make(copy, lectures)
    assert files(copy) == {**whole, "glossary.md": b"my words", "glossary-new.md": b"newer"}
    assert make(copy, lectures) == ([], [], {"glossary.md": "glossary-new.md"}, [], [])


def expect_killed(is_killed: bool) -> Iterator[None]:
    if is_killed:
        with pytest.raises(Killed):
            yield
    else:
        yield


def test_a_part_left_by_a_killed_process_is_removed(lectures: Path, copy: Path) -> None:
    make(copy, lectures)
    (copy / "images" / f".a.png{student.PART}").write_text("half")
    make(copy, lectures)
    assert not list(copy.rglob(f"*{student.PART}"))


# Places


def test_a_link_in_place_of_a_file_is_the_students(lectures: Path, copy: Path) -> None:
    make(copy, lectures)
    elsewhere = copy.parent / "elsewhere.md"
    elsewhere.write_text("precious")
    (copy / "glossary.md").unlink()
    (copy / "glossary.md").symlink_to(elsewhere)
    assert make(copy, lectures).kept == ["glossary.md"]
    (lectures / "glossary.md").write_text("newer")
    assert make(copy, lectures).beside == {"glossary.md": "glossary-new.md"}
    assert elsewhere.read_text() == "precious"


def test_nothing_is_written_through_a_linked_folder(lectures: Path, copy: Path) -> None:
    elsewhere = copy.parent / "elsewhere"
    elsewhere.mkdir()
    copy.mkdir()
    (copy / "images").symlink_to(elsewhere)
    with pytest.raises(NotADirectoryError, match="images' is a link, and nothing is written"):
        make(copy, lectures)
    assert not list(elsewhere.iterdir())


def test_the_folder_itself_may_be_a_link(lectures: Path, copy: Path) -> None:
    place = copy.parent / "disk"
    place.mkdir()
    copy.symlink_to(place)
    make(copy, lectures)
    assert (place / DIAL).is_file()
    place.rename(copy.parent / "away")
    with pytest.raises(FileNotFoundError, match="is a link that leads nowhere: remove it"):
        make(copy, lectures)


def test_files_and_folders_in_the_way(lectures: Path, copy: Path) -> None:
    copy.write_text("a file")
    with pytest.raises(NotADirectoryError, match="is a file, and the copy needs a folder"):
        make(copy, lectures)
    copy.unlink()
    (copy / DIAL).mkdir(parents=True)
    assert make(copy, lectures).beside == {DIAL: NEW}
    (copy / "images" / "a.png").unlink()
    (copy / "images").rmdir()
    (copy / "images").write_text("a file")
    with pytest.raises(NotADirectoryError, match="images' is a file, and a folder belongs there"):
        make(copy, lectures)


def test_the_copy_lies_beside_the_lectures(lectures: Path) -> None:
    for place in (lectures, lectures.parent, lectures / "mine"):
        with pytest.raises(FileExistsError, match="choose a folder beside"):
            make(place, lectures)
    assert not (lectures / "mine").exists()


def test_lectures_that_are_not_there_or_broken(lectures: Path, copy: Path) -> None:
    with pytest.raises(FileNotFoundError, match="start this in the folder of the project"):
        make(copy, lectures / "images")
    (lectures / DIAL).write_text("<<<<<<< HEAD")
    with pytest.raises(DataError, match=r"04-dial\.ipynb' is no whole notebook"):
        make(copy, lectures)
    assert not copy.exists()


@contextmanager
def nobody() -> Iterator[None]:
    """Without the rights of root, whom no permission holds back."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written(lectures: Path) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are open to one user alone
        place = Path(name)
        place.chmod(0o755)
        (place / "lectures").mkdir()
        write_lecture(place / "lectures", "version 1")
        closed = place / "closed"
        closed.mkdir(mode=0o555)
        for folder in (closed, closed / "new"):
            with nobody(), pytest.raises(PermissionError) as told:
                make(folder, place / "lectures")
            assert "cannot be written (Permission denied): name a folder of your own" in str(
                told.value
            )
        assert not list(closed.iterdir())


# The command


def test_the_command_says_what_it_did(
    lectures: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> list[str]:
        assert main([str(copy), "--from", str(lectures)]) == 0
        return capsys.readouterr().out.splitlines()

    assert said() == [f"{copy}: 7 files written"]
    assert said() == [f"{copy} is up to date"]
    write_lecture(copy, "mine")
    write_lecture(lectures, "version 2")
    (lectures / "glossary.md").unlink()
    (lectures / "images/a.png").write_text("newer")
    assert said() == [
        f"{copy}: 1 file replaced by newer versions",
        f"{copy}: {DIAL} is as you left it; the newer version is {NEW}",
        f"{copy}: glossary.md is no longer among the lectures; delete it if you like",
    ]
    assert main([str(lectures), "--from", str(lectures)]) == 1
    assert "choose a folder beside" in capsys.readouterr().out


def test_the_command_line(lectures: Path) -> None:
    command = [sys.executable, "-m", "hierwidgets.course", "student"]
    place = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, cwd=lectures.parent, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": place},
    )  # fmt: skip
    assert done.stdout == "my-lectures: 7 files written\n"
    assert json.loads((lectures.parent / "my-lectures" / DIAL).read_text())["cells"]


@pytest.mark.slow
@pytest.mark.parametrize("lecture", ["02", "04"])
def test_the_copy_runs_from_top_to_bottom(tmp_path: Path, lecture: str) -> None:
    """With every exercise unanswered, beside its own pictures and in the copy's own folder."""
    from nbclient import NotebookClient

    make(tmp_path, LECTURES)
    (path,) = tmp_path.glob(f"{lecture}-*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    stored = {cell.id: bool(cell.get("outputs")) for cell in cells_of(LECTURES / path.name)}
    assert {cell.id: bool(cell.outputs) for cell in code}.items() <= stored.items()
