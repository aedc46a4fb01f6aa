"""Lateness: days, dates with zones, times of handing in, and penalties that follow the marks."""

import os
from datetime import UTC, datetime

import pytest
from support import graded_course as graded

from hierwidgets.errors import DataError
from hierwidgets.grading import grade, score_table
from hierwidgets.grading.late import days_late, due_date, penalty, write_time

POLICY = """
c.LatePolicy.timezone = "Europe/Helsinki"
c.LatePolicy.due = {"T1": "2026-10-09 23:59"}
c.LatePolicy.per_day = 25
c.LatePolicy.grace_minutes = 30
"""


@pytest.fixture
def course(tmp_path):
    return graded.released(tmp_path, POLICY)


def handed_in_at(course, student, text, answers=graded.RIGHT):
    graded.hand_in(course, student, answers)
    course.notebook("submitted", "T1", student).with_name("timestamp.txt").write_text(text)


@pytest.mark.parametrize(
    ("minutes", "days"), [(0, 0), (30, 0), (31, 1), (24 * 60, 1), (24 * 60 + 1, 2)]
)
def test_days_begin_at_the_due_date_and_grace_forgives(minutes, days):
    assert days_late(60 * minutes, grace_minutes=30) == days


def test_a_penalty_is_never_more_than_the_score_or_the_cap():
    assert penalty(8, 1, per_day=25, unit="percent") == 2
    assert penalty(8, 9, per_day=25, unit="percent") == 8
    assert penalty(8, 9, per_day=25, unit="percent", most=50) == 4
    assert penalty(8, 3, per_day=5, unit="points") == 8
    assert penalty(8, 3, per_day=1, unit="points", most=2) == 2
    assert penalty(0, 3, per_day=1, unit="points") == 0


def test_due_dates_know_their_zone_and_summer_time():
    assert due_date("2026-10-09 23:59", "Europe/Helsinki") == datetime(2026, 10, 9, 20, 59)
    assert due_date("2026-12-09 23:59", "Europe/Helsinki") == datetime(2026, 12, 9, 21, 59)
    assert due_date("2026-12-09 23:59 Asia/Tokyo", "") == datetime(2026, 12, 9, 14, 59)
    assert due_date("2026-12-09T23:59+01:00", "") == datetime(2026, 12, 9, 22, 59)
    for text, zone in (("9 December", "UTC"), ("2026-12-09 23:59", ""), ("2026-12-09", "Nowhere")):
        with pytest.raises(DataError, match="cannot be read; write it as"):
            due_date(text, zone)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-10-10 06:59:00 UTC", "06:59"),
        ("2026-10-10 06:59:00.123456 Europe/Helsinki", "03:59"),
        ("2026-10-10 06:59:00 +0200", "04:59"),
        ("2026-10-10T06:59:00+02:00", "04:59"),
        ("2026-10-10 06:59:00", "06:59"),  # nbgrader's own is UTC
        ("2026-10-10 06:59:00 EEST\r\n", "03:59"),  # letters that no zone has: the policy's
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_of_handing_in(course, tmp_path, text, utc):
    handed_in_at(course, "ann", text)
    notes = write_time(course, "T1", "ann", tmp_path)
    if utc is None:
        assert "cannot be read" in notes[0]
        assert not (tmp_path / "timestamp.txt").exists()
    else:
        assert notes == ()
        assert (tmp_path / "timestamp.txt").read_text() == f"2026-10-10 {utc}:00 UTC\n"


def test_file_times_count_only_where_the_policy_says_so(tmp_path):
    for more, told in (("", False), ("c.LatePolicy.file_times = True\n", True)):
        folder = tmp_path / str(told)
        folder.mkdir()
        course = graded.open_course(graded.small.make_course(folder))
        (course.root / "nbgrader_config.py").open("a").write(POLICY + more)
        path = graded.small.hand_in(course.root, "ann", "{}")
        moment = datetime(2026, 10, 10, 7, tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        assert write_time(course, "T1", "ann", folder) == ()
        assert (folder / "timestamp.txt").exists() == told
    assert (folder / "timestamp.txt").read_text() == "2026-10-10 07:00:00 UTC\n"


def test_a_percentage_follows_the_marks_given_since(course, monkeypatch):
    graded.pretended(monkeypatch)
    handed_in_at(course, "ann", "2026-10-10 00:20:00 Europe/Helsinki")  # within the grace
    handed_in_at(course, "bo", "2026-10-10 03:00:00 Europe/Helsinki")
    graded.hand_in(course, "cy", graded.RIGHT)  # nobody knows when
    grade(course, "T1", progress=False)
    before = score_table(course, "T1").set_index("student")
    assert before["penalty"].tolist() == [0, 1.5, 0]
    assert before.loc["bo", "so_far"] == 4.5
    graded.mark(course, "bo", "q3-why", 2)
    after = score_table(course, "T1").set_index("student")
    assert after.loc["bo", ["score", "penalty"]].tolist() == [6, 2]  # a quarter of 8


def test_the_date_set_in_the_formgrader_counts_without_one_of_the_policy(course, monkeypatch):
    from nbgrader.api import Gradebook

    graded.pretended(monkeypatch)
    path = course.root / "nbgrader_config.py"
    path.write_text(path.read_text() + "c.LatePolicy.due = {}\n")
    handed_in_at(course, "ann", "2026-10-10 07:00:00 UTC", graded.UNSAID)
    with Gradebook(course.gradebook) as book:
        book.find_assignment("T1").duedate = datetime(2026, 10, 8)
        book.db.commit()
    grade(course, "T1", progress=False)
    assert score_table(course, "T1")["score"].tolist() == [6 - 6 * 0.75]
