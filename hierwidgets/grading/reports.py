"""What comes out of grading: a table for the school's system, a class summary, feedback pages."""

import csv
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd

from .cells import grade_id, is_test, points, question, without_hidden
from .folder import Course
from .grades import FLAGS, Record, records

__all__ = ["feedback", "picture", "question_points", "score_table", "summary", "write_csv"]


def score_table(course: Course, assignment: str) -> pd.DataFrame:
    """Points by student and question, automatic and manual together.

    Returns
    -------
    DataFrame
        ``student``, a column for each question, ``score``, ``max_score``, ``waiting`` (questions
        that a person has still to read), ``flag``, ``notes``. A student whose submission could not
        be read has missing values and no zero.
    """
    from nbgrader.api import Gradebook, MissingEntry

    worth = question_points(course, assignment)
    rows = []
    with Gradebook(course.gradebook) as book:
        for record in records(course, assignment):
            try:
                submission = book.find_submission(assignment, record.student)
            except MissingEntry:
                submission = None
            rows.append(_row(record, submission, worth))
    columns = ["student", *worth, "score", "max_score", "waiting", "flag", "notes"]
    return pd.DataFrame(rows, columns=columns)


def question_points(course: Course, assignment: str) -> dict[str, float]:
    """The points of each question, in the order of the notebook."""
    sums: dict[str, float] = {}
    for cell in course.read("source", assignment).cells:
        if points(cell):
            name = question(grade_id(cell))
            sums[name] = sums.get(name, 0.0) + points(cell)
    return sums


def _row(record: Record, submission: Any, worth: dict[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "student": record.student, "max_score": sum(worth.values()), "flag": record.flag,
        "notes": "; ".join(record.notes),
    }  # fmt: skip
    if submission is None or record.flag == "unreadable":
        return {**row, **dict.fromkeys(worth, np.nan), "score": np.nan, "waiting": 0}
    by_question, waiting = dict.fromkeys(worth, 0.0), set()
    for notebook in submission.notebooks:
        for mark in notebook.grades:
            name = question(mark.name)
            by_question[name] += float(mark.score)
            if mark.needs_manual_grade:
                waiting.add(name)
    total = sum(by_question.values()) - float(submission.late_submission_penalty or 0)
    return {**row, **by_question, "score": max(total, 0.0), "waiting": len(waiting)}


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """The table as a file that spreadsheets and learning-management systems read.

    A note cannot become a formula there: a text that begins with =, +, - or @ gets an apostrophe.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(table.columns)
        for row in table.itertuples(index=False):
            out.writerow([_plain(value) for value in row])


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return "'" + value if value[:1] in ("=", "+", "-", "@") else value
    return "" if pd.isna(value) else f"{value:g}"


def summary(table: pd.DataFrame, worth: dict[str, float]) -> str:
    """The class in words: how many, what they got, what needs a person's eyes."""
    scored = table["score"].dropna()
    lines = [f"{len(table)} submissions"]
    if len(scored):
        lines.append(
            f"score: median {scored.median():g}, from {scored.min():g} to {scored.max():g} "
            f"of {sum(worth.values()):g}"
        )
    for name, most in worth.items():
        values = table[name].dropna()
        if len(values):
            lines.append(f"{name}: mean {values.mean():.1f} of {most:g}")
    for flag, words in FLAGS.items():
        who = table.loc[table["flag"] == flag, "student"]
        if len(who) and flag != "ok":
            lines.append(f"{flag} ({words}): {', '.join(who)}")
    waiting = int((table["waiting"] > 0).sum())
    if waiting:
        lines.append(f"{waiting} submissions wait for a person: nbgrader's formgrader shows them")
    return "\n".join(lines)


def picture(table: pd.DataFrame, worth: dict[str, float], path: Path) -> None:
    """A panel for each question: how many students got how many points."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    columns = min(3, len(worth))
    rows = -(-len(worth) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for k, (name, most) in enumerate(worth.items()):
        axes = figure.add_subplot(rows, columns, k + 1)
        values = table[name].dropna().to_numpy()
        edges = np.arange(-0.5, most + 1).tolist()
        axes.hist(values, bins=edges, color="#7570b3", rwidth=0.85)
        axes.set(title=f"{name} (of {most:g})", xlabel="points", ylabel="students",
                 xlim=(-0.7, most + 0.7), ylim=(0, max(1, len(values))))  # fmt: skip
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


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
    """
    names = [r.student for r in records(course, assignment) if r.flag != "unreadable"]
    shown = "feedback_tests"
    for student in names:
        origin = course.notebook("autograded", assignment, student)
        notebook: Any = nbformat.read(origin, as_version=4)
        if not hidden_tests:
            _strip(notebook)
        target = course.notebook(shown, assignment, student)
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
    with course.nbgrader(CourseDirectory={"autograded_directory": shown}) as api:
        for student in names:
            api.generate_feedback(assignment, student, force=True)
    pages = [course.notebook("feedback", assignment, s).with_suffix(".html") for s in names]
    return [page for page in pages if page.exists()]


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
