"""A test is mended in the middle of the term: what is run again, and what stays as it was."""

import json
from dataclasses import asdict

import pytest
from support import graded_course as graded
from support import small_course as small

from hierwidgets.errors import DataError
from hierwidgets.grading import grade, records, score_table
from hierwidgets.grading.digests import SHARED, changed, digests, former_digest

STRICT = small.SPREAD_HIDDEN.replace("assert callable(spread)", "assert callable(spread)  # strict")


@pytest.fixture
def course(tmp_path):
    return graded.released(tmp_path)


def scores(course):
    return {record.student: record.scores for record in records(course, "T1")}


def test_only_what_decides_a_grade_is_run_again(course, monkeypatch):
    runs = graded.pretended(monkeypatch)
    graded.hand_in(course, "ann", graded.RIGHT)
    graded.hand_in(course, "bo", graded.SLOPPY)
    grade(course, "T1", progress=False)
    assert len(runs) == 2
    # neither texts nor a mark scheme nor a model solution decide anything
    graded.change_source(course, "0", "# Small, in other words")
    graded.change_source(
        course, "q3-why", "=== BEGIN MARK SCHEME ===\nsays more\n=== END MARK SCHEME ==="
    )
    graded.change_source(course, "q1-rate", small.RATE.replace("np.mean(np", "1 * np.mean(np"))
    grade(course, "T1", progress=False)
    assert len(runs) == 2
    graded.change_source(course, "q2-hidden", STRICT)
    grade(course, "T1", questions=["Q1"], progress=False)
    assert len(runs) == 2  # another question
    done = grade(course, "T1", questions=["q2"], progress=False)
    assert len(runs) == 4
    assert [record.scores["q2-hidden"] for record in done] == [3, 0]
    assert "# strict" in next(
        c.source for c in course.read("autograded", "T1", "bo").cells if "callable" in c.source
    )
    grade(course, "T1", progress=False)
    assert len(runs) == 4
    graded.hand_in(course, "bo", graded.RIGHT)
    assert grade(course, "T1", progress=False)[1].scores["q2-hidden"] == 3
    assert len(runs) == 5


def test_one_question_leaves_all_others_as_they_were(course, monkeypatch):
    """Also where their tests have changed in the meantime."""
    graded.pretended(monkeypatch)
    graded.hand_in(course, "bo", {**graded.SLOPPY, "q1-rate": "rate = sum  # sloppy"})
    grade(course, "T1", progress=False)
    before = scores(course)["bo"]
    graded.change_source(course, "q1-hidden", f"# strict\n{small.RATE_HIDDEN}")
    graded.change_source(course, "q2-hidden", STRICT)
    grade(course, "T1", questions=["Q2"], progress=False)
    assert scores(course)["bo"] == {**before, "q2-hidden": 0}
    assert score_table(course, "T1")["so_far"].tolist() == [3]
    grade(course, "T1", progress=False)  # the rest is still to be done
    assert scores(course)["bo"] == {**before, "q1-hidden": 0, "q2-hidden": 0}


def test_marks_and_comments_stay(course, monkeypatch):
    graded.pretended(monkeypatch)
    graded.hand_in(course, "ann", graded.RIGHT)
    graded.hand_in(course, "bo", graded.WRONG)
    grade(course, "T1", progress=False)
    assert graded.marked(course, "ann", "q3-why") == (0, True, None)
    graded.mark(course, "ann", "q3-why", 1.5, "Say why.")
    graded.mark(course, "bo", "q2-hidden", 2)  # a person gives points for a failed test
    graded.change_source(course, "q2-hidden", STRICT)
    grade(course, "T1", questions=["Q2"], progress=False)
    grade(course, "T1", force=True, progress=False)
    assert graded.marked(course, "ann", "q3-why") == (1.5, False, "Say why.")
    assert graded.marked(course, "bo", "q2-hidden") == (2, False, None)
    # another answer waits for another look; the old mark and comment are still there
    graded.hand_in(course, "ann", {**graded.RIGHT, "q3-why": "Because."})
    grade(course, "T1", progress=False)
    assert graded.marked(course, "ann", "q3-why") == (1.5, True, "Say why.")


def test_an_answer_handed_in_again_is_graded_whole(course, monkeypatch):
    graded.pretended(monkeypatch)
    graded.hand_in(course, "bo", graded.WRONG)
    grade(course, "T1", progress=False)
    graded.hand_in(course, "bo", {**graded.RIGHT, "q1-rate": "rate = 0  # wrong"})
    grade(course, "T1", questions=["Q2"], progress=False)
    assert scores(course)["bo"] == {"q1-shown": 0, "q1-hidden": 0, "q2-hidden": 3}


def test_a_question_that_is_not_there(course):
    graded.hand_in(course, "ann", graded.RIGHT)
    with pytest.raises(DataError, match="T1 has no question Q7; it has Q1, Q2, Q3"):
        grade(course, "T1", questions=["Q7"], progress=False)


def in_the_former_layout(course, student):
    """Make a record as it was before there was a digest for each question."""
    path = course.root / "records" / "T1" / f"{student}.json"
    stored = json.loads(path.read_text())
    del stored["digests"]
    stored["digest"] = former_digest(course, "T1", student)
    path.write_text(json.dumps(stored))


def test_a_course_begun_with_the_former_version_goes_on(course, monkeypatch):
    runs = graded.pretended(monkeypatch)
    graded.hand_in(course, "ann", graded.RIGHT)
    graded.hand_in(course, "bo", graded.SLOPPY)
    grade(course, "T1", progress=False)
    graded.mark(course, "ann", "q3-why", 2, "Good.")
    for student in ("ann", "bo"):
        in_the_former_layout(course, student)
    former = [asdict(record) for record in records(course, "T1")]
    grade(course, "T1", progress=False)
    assert len(runs) == 2  # nothing has changed, so nothing is run
    assert [asdict(record) for record in records(course, "T1")] == former
    assert score_table(course, "T1").set_index("student").loc["ann", "score"] == 8
    graded.change_source(course, "q2-hidden", STRICT)
    grade(course, "T1", questions=["Q2"], progress=False)
    assert len(runs) == 4
    assert scores(course)["bo"] == {"q1-shown": 1, "q1-hidden": 2, "q2-hidden": 0}
    assert graded.marked(course, "ann", "q3-why") == (2, False, "Good.")


def test_digests_by_question(course):
    graded.hand_in(course, "ann", graded.RIGHT)
    before = digests(course, "T1", "ann")
    assert set(before) == {SHARED, "Q1", "Q2", "Q3"}
    graded.change_source(course, "q2-hidden", STRICT)
    assert changed(before, digests(course, "T1", "ann")) == {"Q2"}
    graded.change_source(course, "setup", small.SETUP + "\nimport math")
    assert changed(before, digests(course, "T1", "ann")) == {"Q1", "Q2", "Q3"}
