"""Marks that people gave, carried over when a submission is run again.

nbgrader lets every mark of a person's wait again after each run. Here it waits only if the
student's answer has changed since.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import nbformat

from .cells import grade_id, is_answer, is_test, question
from .folder import Course

__all__ = ["answers_by_question", "kept_marks", "same_work"]


def answers_by_question(notebook: Any) -> dict[str, list[Any]]:
    """What stands in the answers of each question, pictures too, line ends and blanks apart."""
    found: dict[str, list[Any]] = {}
    for cell in notebook.cells:
        if is_answer(cell):
            found.setdefault(question(grade_id(cell)), []).append(_content(cell))
    return found


def same_work(one: Any, other: Any) -> bool:
    """Whether two notebooks differ in texts and tests at most: the same answers, the same code."""
    return _work(one) == _work(other)


def _work(notebook: Any) -> list[Any]:
    return [
        _content(cell)
        for cell in notebook.cells
        if is_answer(cell) or (cell.cell_type == "code" and not is_test(cell))
    ]


def _content(cell: Any) -> tuple[str, list[str], Any]:
    lines = [line.rstrip() for line in cell.source.strip().splitlines()]
    return grade_id(cell), lines, cell.get("attachments", {})


@contextmanager
def kept_marks(
    course: Course, api: Any, assignment: str, student: str, notebook: Any
) -> Iterator[None]:
    """Around a run of nbgrader's: what a person has marked, and nobody has changed, stays marked.

    Parameters
    ----------
    course, api, assignment, student
        Where it is, with nbgrader's interface on the course.
    notebook
        What will be autograded. The gradebook learns its tests first, so that nbgrader does not put
        an older form of a mended test back.
    """
    from nbgrader.api import Gradebook, MissingEntry

    old = course.notebook("autograded", assignment, student)
    before = answers_by_question(nbformat.read(old, as_version=4)) if old.exists() else {}
    now = answers_by_question(notebook)
    marked: set[str] = set()
    with Gradebook(api.coursedir.db_url, api.coursedir.course_id) as book:
        _learn_tests(book, assignment, course, notebook)
        with suppress(MissingEntry):
            marked = {mark.name for mark in _marks(book, assignment, student) if _by_person(mark)}
    yield
    with Gradebook(api.coursedir.db_url, api.coursedir.course_id) as book:
        for mark in _marks(book, assignment, student) if marked else ():
            name = question(mark.name)
            if mark.name in marked and before.get(name) == now.get(name):
                mark.needs_manual_grade = False
        book.db.commit()


def _marks(book: Any, assignment: str, student: str) -> list[Any]:
    submission = book.find_submission(assignment, student)
    return [mark for notebook in submission.notebooks for mark in notebook.grades]


def _by_person(mark: Any) -> bool:
    return mark.manual_score is not None and not mark.needs_manual_grade


def _learn_tests(book: Any, assignment: str, course: Course, notebook: Any) -> None:
    from nbgrader.api import MissingEntry
    from nbgrader.utils import compute_checksum

    name = course.notebook("source", assignment).stem
    for cell in notebook.cells:
        if is_test(cell):
            try:
                known = book.find_source_cell(grade_id(cell), name, assignment)
            except MissingEntry:
                continue
            known.source, known.checksum = cell.source, compute_checksum(cell)
    book.db.commit()
