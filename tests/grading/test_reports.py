"""Tables, words and pictures of a graded class: what waits is told apart from 0."""

import math

import pandas as pd
import pytest
from support import graded_course as graded
from support import small_course as small

from hierwidgets.grading import grade, pass_rates, score_table
from hierwidgets.grading.__main__ import main
from hierwidgets.grading.reports import picture, question_points, summary, write_csv


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Four students: marked to the end, waiting, without an answer to Q3, unreadable."""
    made = graded.released(tmp_path_factory.mktemp("course"))
    with pytest.MonkeyPatch.context() as patch:
        graded.pretended(patch)
        graded.hand_in(made, "ann", graded.RIGHT)
        graded.hand_in(made, "bo", graded.WRONG)
        graded.hand_in(made, "di", graded.UNSAID)
        small.hand_in(made.root, "cy", "{not a notebook")
        grade(made, "T1", progress=False)
    graded.mark(made, "ann", "q3-why", 1.5)
    return made


@pytest.fixture(scope="module")
def table(course):
    return score_table(course, "T1").set_index("student")


def test_what_waits_is_missing_and_not_zero(table):
    assert table.loc["ann", ["Q3", "score", "so_far", "waiting"]].tolist() == [1.5, 7.5, 7.5, 0]
    waits = table.loc["bo"]
    assert math.isnan(waits["Q3"])
    assert math.isnan(waits["score"])
    assert (waits["so_far"], waits["waiting"], waits["max_score"]) == (3, 1, 8)
    assert table.loc["di", ["Q3", "score", "waiting"]].tolist() == [0, 6, 0]  # nothing to read
    unread = table.loc["cy"]
    assert unread[["Q1", "Q2", "Q3", "score", "so_far"]].isna().all()
    assert unread["waiting"] == 0


def test_means_are_those_of_what_is_marked(course, table):
    words = summary(table.reset_index(), question_points(course, "T1"), pass_rates(course, "T1"))
    assert "score: median 6.75, from 6 to 7.5 of 8 (2 marked to the end)" in words
    assert "Q3: mean 0.8 of 2, 1 waiting" in words
    assert "q2-hidden: passed by 67% (2 of 3)" in words
    assert "1 submissions wait for a person" in words


def test_the_share_that_passes_each_test(course):
    tests = pass_rates(course, "T1").set_index("test")
    assert tests["passed"].to_dict() == {"q1-shown": 3, "q1-hidden": 3, "q2-hidden": 2}
    assert tests["graded"].eq(3).all()
    assert tests["share"].round(3).tolist() == [1, 1, 0.667]
    assert tests.loc["q2-hidden", ["question", "points"]].tolist() == ["Q2", 3]


def test_the_file_says_waiting(table, tmp_path):
    path = tmp_path / "t.csv"
    frame = table.reset_index()
    frame.loc[frame["student"] == "ann", "notes"] = "=HYPERLINK()"
    write_csv(frame, path)
    lines = path.read_text().splitlines()
    assert lines[1] == "ann,3,3,1.5,7.5,7.5,8,0,0,ok,'=HYPERLINK()"
    assert lines[2].startswith("bo,3,0,waiting,waiting,3,8,0,1,ok")
    assert lines[3].startswith("cy,,,,,,8,,0,unreadable")
    assert pd.read_csv(path, na_values="waiting")["Q3"].dtype == float
    frame["notes"] = "größer"
    write_csv(frame, path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # for Excel


def test_the_picture_shows_who_waits(course, table, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    seen = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *rest, **more: seen.append(figure))
    picture(table.reset_index(), question_points(course, "T1"), tmp_path / "t.png")
    last = seen[0].axes[-1]
    labels = [label.get_text() for label in last.get_xticklabels()]
    assert labels[-1] == "waiting"
    hatched = [bar for bar in last.patches if bar.get_hatch()]
    assert [bar.get_height() for bar in hatched] == [1]
    counted = sum(bar.get_height() for bar in last.patches if not bar.get_hatch())
    assert counted == 2  # neither the one that waits nor the one that could not be read
    assert "waiting" not in [label.get_text() for label in seen[0].axes[0].get_xticklabels()]


def test_the_command_writes_files_for_the_school(course, tmp_path, capsys):
    roster = tmp_path / "students.csv"
    roster.write_text("id,ID\nann,7\ndi,8\nzoe,9\n")
    run = ["--course", str(course.root), "report", "T1"]
    assert main([*run, "--lms", "canvas", "--roster", str(roster)]) == 0
    said = capsys.readouterr().out
    assert "2 students in T1-canvas.csv" in said
    assert "left out, in the roster, nothing handed in: zoe" in said
    assert (course.root / "reports" / "T1-tests.csv").exists()
    assert main([*run, "--lms", "canvas"]) == 2
    assert "--roster" in capsys.readouterr().err
