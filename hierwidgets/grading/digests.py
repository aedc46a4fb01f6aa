"""What decides a grade, by question, so that only what has changed is run again.

A text of the assignment, a mark scheme, a model solution decide nothing. A test decides its own
question. What was handed in, the files given out and the cells that all questions share decide all.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from .cells import grade_id, is_answer, is_test, points, question
from .folder import Course

__all__ = ["SHARED", "changed", "digests", "former_digest"]

SHARED = "all questions"


def digests(course: Course, assignment: str, student: str) -> dict[str, str]:
    """A digest for each question, and one for what all questions share."""
    sums = {SHARED: sha256()}
    handed = course.notebook("submitted", assignment, student).parent
    for path in _files(handed):
        _add(sums[SHARED], str(path.relative_to(handed)).encode(), path.read_bytes())
    step, whose = course.given(assignment, student)
    given = course.notebook(step, assignment, whose).parent
    for path in course.extras(step, assignment, whose):
        _add(sums[SHARED], str(path.relative_to(given)).encode(), path.read_bytes())
    for cell in course.read("source", assignment).cells:
        if is_test(cell) or (is_answer(cell) and points(cell)):
            _add(_of(sums, cell), *_test(cell))
        elif cell.cell_type == "code" and not is_answer(cell):
            _add(sums[SHARED], cell.source.encode())
    for cell in course.read(step, assignment, whose).cells:
        if is_answer(cell):
            _add(_of(sums, cell), grade_id(cell).encode(), cell.source.encode())
    return {name: total.hexdigest() for name, total in sums.items()}


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> set[str]:
    """The questions of `new` whose points may differ from those of `old`."""
    if old.get(SHARED) != new[SHARED]:
        return set(new) - {SHARED}
    return {name for name in new if old.get(name) != new[name]}


def _of(sums: dict[str, Any], cell: Any) -> Any:
    return sums.setdefault(question(grade_id(cell)), sha256())


def _test(cell: Any) -> tuple[bytes, ...]:
    text = cell.source if is_test(cell) else ""  # the source of an answer is its solution
    return grade_id(cell).encode(), str(points(cell)).encode(), text.encode()


def _add(total: Any, *parts: bytes) -> None:
    for part in parts:
        total.update(f"{len(part)}:".encode() + part)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def former_digest(course: Course, assignment: str, student: str) -> str:
    """The one digest of records that were made before there was one for each question."""
    total = sha256()
    for folder in (
        course.notebook("submitted", assignment, student).parent,
        course.notebook("source", assignment).parent,
        course.root / "release" / assignment,
    ):
        for path in _files(folder):
            total.update(str(path.relative_to(folder)).encode())
            total.update(path.read_bytes())
    return total.hexdigest()
