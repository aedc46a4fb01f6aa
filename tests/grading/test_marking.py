"""What the marking page shows besides the answers, and where it must not be seen."""

import html
import re

import nbformat
import pytest
from support import graded_course as graded

from hierwidgets.grading import feedback, grade
from hierwidgets.grading.cells import grade_id
from hierwidgets.grading.marking import for_students, kept_from_students, show_markers

NAMED = "Zoe Smith - T1.ipynb"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    made = graded.released(tmp_path_factory.mktemp("course"))
    with pytest.MonkeyPatch.context() as patch:
        graded.pretended(patch)
        graded.hand_in(made, "ann", graded.RIGHT)
        graded.hand_in(made, "zsmith", graded.WRONG, NAMED)
        grade(made, "T1", progress=False)
    return made


def cells(course, student):
    return course.read("autograded", "T1", student).cells


def page_words(path):
    return html.unescape(re.sub(r"<[^>]+>", "", path.read_text()))


def test_the_mark_scheme_stands_before_the_answer(course):
    shown = cells(course, "ann")
    (place,) = [k for k, cell in enumerate(shown) if grade_id(cell) == "q3-why"]
    assert "says why" in shown[place - 1].source
    assert "MARK SCHEME" not in shown[place - 1].source
    assert shown[place].source == graded.RIGHT["q3-why"]
    given = nbformat.writes(course.read("release", "T1"))
    assert "says why" not in given


def test_flag_and_notes_stand_on_top_without_a_name(course):
    assert "Flag" not in cells(course, "ann")[0].source
    top = cells(course, "zsmith")[0].source
    assert "**Flag: ok**" in top
    assert "[a file's name]" in top
    show_markers(
        course, "T1", "zsmith", "crash", ["zsmith: Python ended in Zoe Smith - T1, as ann"]
    )
    top = cells(course, "zsmith")[0].source
    assert "- [the student]: Python ended in [a file's name], as [another student]" in top
    assert not re.search("smith|zoe", top, re.IGNORECASE)
    assert len(for_students(cells(course, "zsmith"))) == len(cells(course, "zsmith")) - 2


def test_the_same_cells_are_not_written_twice(course):
    path = course.notebook("autograded", "T1", "ann")
    before = path.read_bytes(), path.stat().st_mtime_ns
    show_markers(course, "T1", "ann", "ok", ())
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert path.stat().st_mode & 0o222 == 0  # read-only, as nbgrader made it


def test_a_new_mark_scheme_is_shown_without_running_anything(course, monkeypatch):
    runs = graded.pretended(monkeypatch)
    source = course.notebook("source", "T1").read_text()
    scheme = "=== BEGIN MARK SCHEME ===\nsays so twice\n=== END MARK SCHEME ==="
    graded.change_source(course, "q3-why", scheme)
    grade(course, "T1", progress=False)
    course.notebook("source", "T1").write_text(source)
    assert runs == []
    assert any("says so twice" in cell.source for cell in cells(course, "ann"))
    grade(course, "T1", progress=False)
    assert not any("says so twice" in cell.source for cell in cells(course, "ann"))


def test_students_pages_show_none_of_it_whoever_makes_them(course):
    ours = feedback(course, "T1")
    for page in ours:
        assert not re.search("says why|Flag:|whoever marks", page_words(page))
    with course.nbgrader() as api:  # the formgrader's own button
        assert api.generate_feedback("T1", force=True)["success"]
    for page in ours:
        words = page_words(page)
        assert "Because small samples vary more." in words
        assert not re.search("says why|Flag:|whoever marks", words)


def test_a_configuration_that_does_not_keep_them_gets_none(course, monkeypatch):
    graded.pretended(monkeypatch)
    path = course.root / "nbgrader_config.py"
    whole = path.read_text()
    assert kept_from_students(course)
    path.write_text(re.sub(r"c\.GenerateFeedback.*?\]\n", "", whole, flags=re.DOTALL))
    assert not kept_from_students(course)
    grade(course, "T1", force=True, progress=False)
    path.write_text(whole)
    assert len(for_students(cells(course, "ann"))) == len(cells(course, "ann"))
    path.write_text(f"{whole}c.GenerateFeedback.preprocessors = []\n")
    assert not kept_from_students(course)
    path.write_text(whole)
