"""What comes out of grading: tables by student and by test, a class summary, a picture."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.palette import PURPLE, THREAD

from .cells import grade_id, is_test, points, question
from .folder import Course
from .grades import FLAGS, Record, records
from .late import renew_penalties
from .spreadsheets import plain_text, write_rows

__all__ = [
    "pass_rates",
    "picture",
    "question_points",
    "score_table",
    "summary",
    "write_csv",
]


def score_table(course: Course, assignment: str) -> pd.DataFrame:
    """Points by student and question, automatic and manual together.

    Late penalties are taken anew, as they depend on marks given since tests were run.

    Returns
    -------
    DataFrame
        ``student``, a column for each question, ``score``, ``so_far``, ``max_score``,
        ``penalty``, ``waiting`` (questions that a person has still to read), ``flag``, ``notes``.
        A question that waits is missing, and so is the score it belongs to; ``so_far`` is what all
        else gave. A student whose submission could not be read has missing values and no zero.
    """
    from nbgrader.api import Gradebook, MissingEntry

    worth = question_points(course, assignment)
    renew_penalties(course, assignment)
    rows = []
    with Gradebook(course.gradebook) as book:
        for record in records(course, assignment):
            try:
                submission = book.find_submission(assignment, record.student)
            except MissingEntry:
                submission = None
            rows.append(_row(record, submission, worth))
    columns = [
        "student", *worth, "score", "so_far", "max_score", "penalty", "waiting", "flag", "notes",
    ]  # fmt: skip
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
        unknown = dict.fromkeys((*worth, "score", "so_far", "penalty"), np.nan)
        return {**row, **unknown, "waiting": 0}
    by_question, waiting, total = dict.fromkeys(worth, 0.0), set(), 0.0
    for notebook in submission.notebooks:
        for mark in notebook.grades:
            name = question(mark.name)
            by_question[name] = by_question.get(name, 0.0) + float(mark.score)
            total += float(mark.score)
            if mark.needs_manual_grade:
                waiting.add(name)
    penalty = float(submission.late_submission_penalty or 0)
    so_far = max(total - penalty, 0.0)
    by_question |= dict.fromkeys(waiting, np.nan)
    score = np.nan if waiting else so_far
    numbers = {"score": score, "so_far": so_far, "penalty": penalty, "waiting": len(waiting)}
    return {**row, **by_question, **numbers}


def pass_rates(course: Course, assignment: str) -> pd.DataFrame:
    """How many students pass each test: what the class has understood, and which test is odd.

    Returns
    -------
    DataFrame
        ``test``, ``question``, ``points``, ``graded`` (students), ``passed`` (those with all its
        points, as it was run), ``share``.
    """
    graded = [r.scores for r in records(course, assignment) if r.scores]
    rows = []
    for cell in course.read("source", assignment).cells:
        if is_test(cell) and points(cell):
            name = grade_id(cell)
            given = [scores[name] for scores in graded if name in scores]
            passed = sum(score >= points(cell) for score in given)
            share = passed / len(given) if given else np.nan
            rows.append((name, question(name), points(cell), len(given), passed, share))
    columns = ["test", "question", "points", "graded", "passed", "share"]
    return pd.DataFrame(rows, columns=columns)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """The table as a file that spreadsheets and learning-management systems read.

    What a person has still to mark is the word "waiting", what is not known is empty. A note cannot
    become a formula: a text that begins with =, +, - or @ gets an apostrophe.
    """
    rows = [
        [_text(value, bool(row.get("waiting"))) for value in row.values()]
        for row in table.to_dict("records")
    ]
    write_rows(path, [[str(name) for name in table.columns], *rows])


def _text(value: Any, waiting: bool) -> str:
    if isinstance(value, str):
        return plain_text(value)
    if pd.isna(value):
        return "waiting" if waiting else ""
    return format(float(value), ".10g")


def summary(table: pd.DataFrame, worth: dict[str, float], tests: pd.DataFrame | None = None) -> str:
    """The class in words: how many, what they got, what needs a person's eyes.

    Medians and means are those of what is marked; what waits is counted beside them.
    """
    lines = [f"{len(table)} submissions"]
    scored = table["score"].dropna()
    if len(scored):
        lines.append(
            f"score: median {scored.median():g}, from {scored.min():g} to {scored.max():g} "
            f"of {sum(worth.values()):g} ({len(scored)} marked to the end)"
        )
    for name, most in worth.items():
        values, waiting = table[name].dropna(), int(_waits(table, name).sum())
        words = [f"mean {values.mean():.1f} of {most:g}"] if len(values) else []
        words += [f"{waiting} waiting"] if waiting else []
        if words:
            lines.append(f"{name}: {', '.join(words)}")
    for row in tests.to_dict("records") if tests is not None else ():
        if row["graded"]:
            passed = f"{row['share']:.0%} ({row['passed']} of {row['graded']})"
            lines.append(f"{row['test']}: passed by {passed}")
    late = table.loc[table["penalty"] > 0, "student"]
    if len(late):
        lines.append(f"late, with points off: {', '.join(late)}")
    for flag, words_of_flag in FLAGS.items():
        who = table.loc[table["flag"] == flag, "student"]
        if len(who) and flag != "ok":
            lines.append(f"{flag} ({words_of_flag}): {', '.join(who)}")
    left = int((table["waiting"] > 0).sum())
    if left:
        lines.append(f"{left} submissions wait for a person: nbgrader's formgrader shows them")
    return "\n".join(lines)


def _waits(table: pd.DataFrame, name: str) -> "pd.Series[bool]":
    """Whose answer to a question a person has still to read."""
    return table[name].isna() & (table["waiting"] > 0)


def picture(table: pd.DataFrame, worth: dict[str, float], path: Path) -> None:
    """A panel for each question: how many students got how many points, how many wait."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(3, len(worth))
    rows = -(-len(worth) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for k, (name, most) in enumerate(worth.items()):
        axes = figure.add_subplot(rows, columns, k + 1)
        _panel(axes, name, most, table[name].dropna(), int(_waits(table, name).sum()))
        axes.set_ylim(0, 1.1 * max(1, len(table)))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _panel(axes: Any, name: str, most: float, values: "pd.Series[float]", waiting: int) -> None:
    """Bars by points, and to the right of them, hatched, the answers that wait."""
    from matplotlib.ticker import MaxNLocator

    top = most
    if len(values):
        top = max(most, values.max())  # extra credit
        axes.hist(values, bins=np.arange(-0.5, top + 1.5), color=PURPLE, rwidth=0.85)
    ticks = MaxNLocator(nbins=5, integer=True).tick_values(0, top)
    ticks = [tick for tick in ticks if 0 <= tick <= top]
    labels = [f"{tick:g}" for tick in ticks]
    end = top + 0.7
    if waiting:
        place = top + max(1.5, 0.2 * top)
        axes.bar(place, waiting, width=0.85, color="none", edgecolor=THREAD, hatch="///")
        axes.text(place, waiting, f"{waiting}", ha="center", va="bottom")
        ticks, labels, end = [*ticks, place], [*labels, "waiting"], place + 0.9
    axes.set_xticks(ticks, labels)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(title=f"{name} (of {most:g})", xlabel="points", ylabel="students", xlim=(-0.7, end))
    axes.spines[["top", "right"]].set_visible(False)
