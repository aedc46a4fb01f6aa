"""Pages for students: answers, points and comments, without what is the instructor's alone."""

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat

from hierwidgets.errors import DataError

from .cells import is_test, question, without_hidden
from .folder import Course
from .grades import records
from .late import renew_penalties
from .marking import for_students

__all__ = ["feedback"]

SHOWN = "feedback_tests"


def feedback(course: Course, assignment: str, *, hidden_tests: bool = False) -> list[Path]:
    """A page for each student with answers, points and comments.

    Parameters
    ----------
    course, assignment
        The course and the assignment's name.
    hidden_tests
        Whether pages show the hidden tests. Those of a test that will be used again should not.

    Returns
    -------
    list of Path
        The pages.

    Raises
    ------
    DataError
        If a page could not be made; it names the students, and the other pages are there.
    """
    renew_penalties(course, assignment)
    students = [r.student for r in records(course, assignment) if r.flag != "unreadable"]
    if not students:
        return []
    for old in (course.root / SHOWN).glob(f"*/{assignment}"):
        shutil.rmtree(old)
    waiting = _waiting(course, assignment)
    missing = []
    for student in students:
        origin = course.notebook("autograded", assignment, student)
        if not origin.exists():
            missing.append(student)
            continue
        target = course.notebook(SHOWN, assignment, student)
        target.parent.mkdir(parents=True, exist_ok=True)
        left = sorted({question(cell) for cell in waiting.get(student, [])})
        page = _page(nbformat.read(origin, as_version=4), hidden_tests, left)
        nbformat.write(page, target)
    pages, why = _convert(course, assignment, [s for s in students if s not in missing])
    for student, cells in waiting.items():
        if student in pages and pages[student].exists():
            _unmarked(pages[student], cells)
    lost = [*missing, *(s for s, page in pages.items() if not page.exists())]
    if lost:
        raise DataError(
            f"{len(students) - len(lost)} feedback pages are made; there is none for "
            f"{', '.join(lost)}: {why or 'nothing is graded'}. Grade them again with "
            f"grade {assignment} --force --student {lost[0]}"
        )
    return list(pages.values())


def _convert(course: Course, assignment: str, students: list[str]) -> tuple[dict[str, Path], str]:
    """All pages in one run of nbgrader's, which reads its templates once; and why some failed."""
    pages = {s: course.notebook("feedback", assignment, s).with_suffix(".html") for s in students}
    for page in pages.values():
        page.unlink(missing_ok=True)
    with course.nbgrader(CourseDirectory={"autograded_directory": SHOWN}) as api:
        result = api.generate_feedback(assignment, force=True)
    log = str(result.get("log", ""))
    errors = [line for line in log.splitlines() if re.match(r"\w*(Error|Exception)\b", line)]
    return pages, errors[-1][:300] if errors else ""


def _waiting(course: Course, assignment: str) -> dict[str, list[str]]:
    """The cells of each student that a person has still to read."""
    from nbgrader.api import Gradebook

    found: dict[str, list[str]] = {}
    with Gradebook(course.gradebook) as book:
        for submission in book.assignment_submissions(assignment):
            for notebook in submission.notebooks:
                names = [mark.name for mark in notebook.grades if mark.needs_manual_grade]
                if names:
                    found.setdefault(submission.student.id, []).extend(names)
    return found


def _unmarked(page: Path, cells: list[str]) -> None:
    """The page without the zeros that nbgrader shows for what nobody has marked."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"(<h4>[^<]*)\(Score: ", r"\1(so far: ", text, count=1)
    for cell in map(re.escape, cells):
        text = re.sub(rf'(href="#{cell}">[^<]*</a> \()Score: [\d.]+ / ', r"\1not marked, of ", text)
        text = re.sub(
            rf'(<a name="{cell}"></a>.*?)Score: [\d.]+ / ', r"\1Not marked, of ", text, count=1,
            flags=re.DOTALL,
        )  # fmt: skip
    page.write_text(text, encoding="utf-8")


def _page(notebook: Any, hidden_tests: bool, waiting: list[str]) -> Any:
    """The notebook as its student sees it."""
    notebook.cells = for_students(notebook.cells)
    if not hidden_tests:
        _strip(notebook)
    if waiting:
        words = (
            f"**Not marked yet: {', '.join(waiting)}.** A person has still to read what you wrote "
            "there, and the score above will change."
        )
        cell = nbformat.v4.new_markdown_cell(words, id="not-marked-yet")
        notebook.cells.insert(0, cell)
        notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    return notebook


def _strip(notebook: Any) -> None:
    """Tests without their hidden part, and their errors without the lines that show it."""
    for cell in notebook.cells:
        if not is_test(cell):
            continue
        cell.source = without_hidden(cell.source)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                words = re.sub(r"\x1b\[[0-9;]*m", "", f"{output.ename}: {output.evalue}")
                output.traceback = [words]
