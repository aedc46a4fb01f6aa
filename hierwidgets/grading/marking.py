"""What a person who marks sees beside the answers: the mark scheme, our flag and our notes.

They are cells of the autograded notebook, where nbgrader's formgrader shows them. They name nobody,
so anonymous marking stays anonymous, and `plugins.LeaveOutMarkersCells` keeps them out of students'
pages. A course whose configuration does not name that class gets none of them: its formgrader would
put them on the pages it makes.
"""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat

from .cells import grade_id, is_answer, points
from .folder import Course

__all__ = ["for_students", "kept_from_students", "show_markers"]

KEEPER = "LeaveOutMarkersCells"
SCHEME = re.compile(r"BEGIN MARK SCHEME[^\n]*\n(.*?)\n?[^\n]*END MARK SCHEME", re.DOTALL)
SHORTEST = 3  # a name of fewer letters stands in many words that name nobody
ONLY = "*For whoever marks; it is not on the student's page.*"


def kept_from_students(course: Course) -> bool:
    """Whether the course's configuration keeps the marker's cells off the students' pages."""
    stages = course.config().get("GenerateFeedback", {}).get("preprocessors", [])
    if hasattr(stages, "get_value"):  # a configuration that appends to nbgrader's own list
        stages = stages.get_value([])
    names = [stage if isinstance(stage, str) else stage.__name__ for stage in stages]
    return any(name.rpartition(".")[2] == KEEPER for name in names)


def for_students(cells: Iterable[Any]) -> list[Any]:
    """The cells without those for the marker."""
    return [cell for cell in cells if cell.metadata.get("hierwidgets", {}).get("for") != "marker"]


def show_markers(
    course: Course, assignment: str, student: str, flag: str, notes: Iterable[str]
) -> None:
    """Put flag, notes and mark schemes into the autograded notebook, in place of older ones.

    Parameters
    ----------
    course, assignment, student
        Whose notebook it is; it is left alone where there is none.
    flag, notes
        Of the record. Names of the student and of the files handed in are taken out of the notes.
    """
    path = course.notebook("autograded", assignment, student)
    if not path.exists():
        return
    notebook: Any = nbformat.read(path, as_version=4)
    before = list(notebook.cells)
    schemes = _schemes(course, assignment)
    cells = []
    if top := _top(flag, [_without_names(course, assignment, student, note) for note in notes]):
        cells.append(_cell("top", top))
    for cell in for_students(before):
        if grade_id(cell) in schemes:
            words = f"**Mark scheme of `{grade_id(cell)}`**\n\n{schemes[grade_id(cell)]}"
            cells.append(_cell(grade_id(cell), words))
        cells.append(cell)
    if cells != before:
        notebook.cells = cells
        notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
        _write(notebook, path)


def _schemes(course: Course, assignment: str) -> dict[str, str]:
    """The mark schemes of the answers that a person marks, by the cell's name."""
    found = {
        grade_id(cell): SCHEME.search(cell.source)
        for cell in course.read("source", assignment).cells
        if is_answer(cell) and points(cell)
    }
    return {name: scheme[1].strip() for name, scheme in found.items() if scheme}


def _top(flag: str, notes: list[str]) -> str:
    if flag == "ok" and not notes:
        return ""
    return "\n".join([f"**Flag: {flag}**", "", *(f"- {note}" for note in notes)])


def _cell(name: str, words: str) -> Any:
    quoted = "\n".join(f"> {line}".rstrip() for line in f"{ONLY}\n\n{words}".splitlines())
    cell = nbformat.v4.new_markdown_cell(quoted, metadata={"hierwidgets": {"for": "marker"}})
    cell["id"] = re.sub(r"[^\w-]", "-", f"for-marker-{name}", flags=re.ASCII)[:64]
    return cell


def _without_names(course: Course, assignment: str, student: str, note: str) -> str:
    """A note without students' names, and without file names, in which names often stand."""
    own = course.notebook("submitted", assignment, student)
    handed = [p.name for p in own.parent.rglob("*")] if own.parent.is_dir() else []
    names = {name for name in handed if name != own.name}
    names |= {Path(name).stem for name in names} - {own.stem}
    for name in sorted(names, key=len, reverse=True):
        note = _without(name, "[a file's name]", note)
    note = _without(student, "[the student]", note)
    others = [name for name in course.students(assignment) if len(name) >= SHORTEST]
    for name in sorted(others, key=len, reverse=True):
        note = _without(name, "[another student]", note)
    return note


def _without(name: str, instead: str, note: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, note)


def _write(notebook: Any, path: Path) -> None:
    """Write over a file that nbgrader made read-only, and leave it read-only."""
    mode = path.stat().st_mode
    os.chmod(path, mode | stat.S_IWUSR)
    nbformat.write(notebook, path)
    os.chmod(path, mode)
