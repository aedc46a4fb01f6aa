"""The small course graded without running code: an answer that says "wrong" fails its tests.

What is tested with it is everything around a run: records, gradebook, reports, pages.
"""

import atexit
import copy
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from hierwidgets.grading import Course, grades, open_course, release
from hierwidgets.grading.cells import grade_id, is_answer, is_test, question
from support import small_course as small

RIGHT = dict(small.RIGHT)
SLOPPY = {**RIGHT, "q2-spread": "def spread(y):\n    return 0  # sloppy"}
WRONG = {**RIGHT, "q2-spread": "def spread(y):\n    return 0  # wrong"}
UNSAID = {name: text for name, text in RIGHT.items() if name != "q3-why"}


def pretended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a run that reads words in place of the engine; the list grows with every run.

    A test that says "strict" fails answers that say "sloppy", too.
    """
    runs: list[str] = []

    def run(course: Course, assignment: str, notebook: Any, *rest: Any, **more: Any) -> Any:
        runs.append(assignment)
        answers = {question(grade_id(c)): c.source for c in notebook.cells if is_answer(c)}
        for cell in notebook.cells:
            if is_test(cell):
                text = answers[question(grade_id(cell))]
                bad = "wrong" in text or ("sloppy" in text and "strict" in cell.source)
                told = nbformat.v4.new_output("error", ename="AssertionError", evalue="no")
                told["traceback"] = ["no"]
                cell.outputs, cell.execution_count = [told] if bad else [], 1
        return "ok", ()

    monkeypatch.setattr(grades, "run_notebook", run)
    return runs


@cache
def _given_out() -> Path:
    """The small course, released once in this process: nbgrader takes seconds for it."""
    place = tempfile.mkdtemp(prefix="small-course-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    course = open_course(small.make_course(Path(place)))
    release(course, "T1")
    return course.root


def released(root: Path, more: str = "") -> Course:
    """A small course with its student copy, gradebook included, that holds no path of its own.

    `more` is added to its configuration.
    """
    shutil.copytree(_given_out(), root, dirs_exist_ok=True)
    path = root / "nbgrader_config.py"
    path.write_text(path.read_text() + more)
    return open_course(root)


def hand_in(course: Course, student: str, answers: dict[str, str], name: str = "") -> None:
    """Hand in the student copy with these answers."""
    given = copy.deepcopy(course.read("release", "T1"))
    small.hand_in(course.root, student, small.answered(given, answers), name or "T1-small.ipynb")


def change_source(course: Course, name: str, text: str) -> None:
    """Replace the source of a cell of the assignment, by its name or its number."""
    path = course.notebook("source", "T1")
    notebook = nbformat.read(path, as_version=4)
    (cell,) = [c for k, c in enumerate(notebook.cells) if name in (grade_id(c), str(k))]
    cell.source = text
    nbformat.write(notebook, path)


def mark(course: Course, student: str, name: str, score: float, comment: str = "") -> None:
    """What a person does in the formgrader."""
    from nbgrader.api import Gradebook

    with Gradebook(course.gradebook) as book:
        found = book.find_grade(name, "T1-small", "T1", student)
        found.manual_score, found.needs_manual_grade = score, False
        if comment:
            book.find_comment(name, "T1-small", "T1", student).manual_comment = comment
        book.db.commit()


def marked(course: Course, student: str, name: str) -> tuple[float, bool, str | None]:
    """Score, whether it waits, and the comment."""
    from nbgrader.api import Gradebook

    with Gradebook(course.gradebook) as book:
        found = book.find_grade(name, "T1-small", "T1", student)
        comment = book.find_comment(name, "T1-small", "T1", student) if "why" in name else None
        said = comment.manual_comment if comment else None
        return float(found.score), bool(found.needs_manual_grade), said
