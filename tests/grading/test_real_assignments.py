"""The four assignments as a course uses them: release, grade, report, from the command line.

Every wrong solution of the tables in ``wrong_answers_aN`` is handed in (several to a sheet), with
the reference, a blank sheet, typed-in numbers and what clumsy and hostile students do. The points
of every test, the flags and the file for the school's system are compared with what they must be.
"""

import html
import re
import shutil

import nbformat
import pandas as pd
import pytest
from support.answer_sheets import SOURCE, worth
from support.sandboxes import need_walls
from support.submissions import submissions

from hierwidgets.grading import open_course, records
from hierwidgets.grading.__main__ import main
from hierwidgets.grading.cells import HIDDEN, grade_id, is_answer, points, question, without_hidden
from hierwidgets.grading.reports import question_points

ASSIGNMENTS = sorted(p.name for p in SOURCE.iterdir())
LIMITS = ("--cell-seconds", "20", "--seconds", "240")


def hand_in(course, assignment, sheet):
    path = course.notebook("submitted", assignment, sheet.student)
    path.parent.mkdir(parents=True)
    text = sheet.notebook if isinstance(sheet.notebook, str) else nbformat.writes(sheet.notebook)
    (path.parent / (sheet.file or path.name)).write_text(text)


def read_by_a_person(course, assignment, student, share):
    """What an instructor does in the formgrader: points for every answer in words."""
    from nbgrader.api import Gradebook

    with Gradebook(course.gradebook) as book:
        for notebook in book.find_submission(assignment, student).notebooks:
            for mark in notebook.grades:
                if mark.needs_manual_grade:
                    mark.manual_score, mark.needs_manual_grade = share * mark.max_score, False
        book.db.commit()


def table_of(course, assignment):
    path = course.root / "reports" / f"{assignment}.csv"
    return pd.read_csv(path, na_values="waiting").set_index("student")


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_whole_cycle(assignment, tmp_path, capsys):
    need_walls()
    root = tmp_path / "course"
    run = ["--course", str(root)]
    assert main(["private", str(root)]) == 0
    assert main([*run, "release", assignment]) == 0
    course = open_course(root)
    source, release = course.read("source", assignment), course.read("release", assignment)
    sheets = submissions(assignment, source, release, [str(root), str(SOURCE.parent), ".."])
    for sheet in sheets:
        hand_in(course, assignment, sheet)

    assert main([*run, "grade", assignment, *LIMITS]) == 1  # some need a person's eyes
    said = capsys.readouterr().out
    each = worth(source)
    expected = {
        s.student: (s.flag, {n: each[n] * (n not in s.loses) for n in each}) for s in sheets
    }
    expected["corrupt"] = ("unreadable", {})
    found = {
        r.student: (r.flag, {n: v for n, v in r.scores.items() if n in each})
        for r in records(course, assignment)
    }
    odd = {student: (found.get(student), e) for student, e in expected.items()
           if found.get(student) != e}  # fmt: skip
    assert not odd
    assert set(found) == set(expected)
    for sheet in sheets:
        assert (f"{assignment} {sheet.student}: {sheet.flag}" in said) == (sheet.flag != "ok")

    assert main([*run, "report", assignment, "--feedback"]) == 0
    check_table(course, assignment, source, sheets)
    check_pages(course, assignment, source, sheets)
    read_by_a_person(course, assignment, "right", 1)
    assert main([*run, "report", assignment]) == 0
    best = table_of(course, assignment).loc["right"]
    assert best["score"] == best["max_score"] == sum(question_points(course, assignment).values())
    assert best["waiting"] == 0
    shutil.rmtree(root)


def check_table(course, assignment, source, sheets):
    """The file for the school's system: points by question, nothing lost, no zero for no answer."""
    table, most, each = (
        table_of(course, assignment),
        question_points(course, assignment),
        worth(source),
    )
    assert set(table.index) == {s.student for s in sheets}
    assert table.loc["corrupt", [*most, "score"]].isna().all()
    by_person = {question(grade_id(c)) for c in source.cells if is_answer(c) and points(c)}
    assert table.loc["right", "waiting"] == len(by_person)
    assert table.loc["right", "score"] != table.loc["right", "score"]  # it is not complete yet
    for sheet in sheets[:-1]:
        right = dict.fromkeys(most, 0.0)
        for name, value in each.items():
            right[question(name)] += value * (name not in sheet.loses)
        row = table.loc[sheet.student]
        found = row[list(most)].astype(float)
        assert row["waiting"] == found.isna().sum()
        assert set(found.index[found.isna()]) <= by_person
        assert found.fillna(pd.Series(right)).to_dict() == right, sheet.student
        assert row["so_far"] == sum(right.values())
        assert row["flag"] == sheet.flag


def check_pages(course, assignment, source, sheets):
    """Every readable submission has a page, and no page shows a line of a hidden test."""
    secret = {
        line.strip()
        for cell in source.cells for part in HIDDEN.findall(cell.source)
        for line in part.splitlines() if len(line.strip()) >= 25
    }  # fmt: skip
    assert len(secret) > 20
    public = "\n".join(without_hidden(cell.source) for cell in source.cells)
    for sheet in sheets[:-1]:
        page = course.notebook("feedback", assignment, sheet.student).with_suffix(".html")
        words = html.unescape(re.sub(r"<[^>]+>", "", page.read_text()))
        given = "\n".join(cell.source for cell in sheet.notebook.cells) + public
        assert not [line for line in secret if line in words and line not in given], sheet.student
