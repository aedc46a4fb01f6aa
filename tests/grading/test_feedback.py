"""Pages for students: every one that can be made is made, and the others are named."""

import html
import re

import nbformat
import pytest
from support import graded_course as graded
from support import small_course as small

from hierwidgets.errors import DataError
from hierwidgets.grading import feedback, grade


@pytest.fixture
def course(tmp_path, monkeypatch):
    made = graded.released(tmp_path)
    graded.pretended(monkeypatch)
    graded.hand_in(made, "ann", graded.RIGHT)
    graded.hand_in(made, "bo", graded.WRONG)
    small.hand_in(made.root, "cy", "{not a notebook")
    grade(made, "T1", progress=False)
    return made


def words_of(page):
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text()))


def test_pages_say_what_is_not_marked_yet(course):
    graded.mark(course, "ann", "q3-why", 2, "Well said.")
    pages = {page.parts[-3]: words_of(page) for page in feedback(course, "T1")}
    assert set(pages) == {"ann", "bo"}  # nobody for what could not be read
    assert "Well said." in pages["ann"]
    assert "Not marked yet" not in pages["ann"]
    assert "Not marked yet: Q3." in pages["bo"]
    assert "(Score: " in pages["ann"]
    assert "Score: 2.0 / 2.0" in pages["ann"]
    assert "(so far: " in pages["bo"]
    assert "Written response (not marked, of 2.0)" in pages["bo"]
    assert "Not marked, of 2.0" in pages["bo"]
    assert "/ 2.0)" not in pages["bo"].split("Written response")[1].split("\n")[0]
    assert "AssertionError: no" in pages["bo"]
    for words in pages.values():
        assert "np.isclose(rate" not in words
        assert "on lists you have not seen" in words
    (shown, _) = feedback(course, "T1", hidden_tests=True)
    assert "np.isclose(rate" in words_of(shown)


def test_one_page_that_cannot_be_made_is_named_and_does_not_stop_the_others(course):
    broken = course.notebook("autograded", "T1", "ann")
    notebook = nbformat.read(broken, as_version=4)
    broken.chmod(0o644)
    notebook.cells[3].metadata["nbgrader"]["grade_id"] = "q1-nowhere"
    nbformat.write(notebook, broken)
    with pytest.raises(DataError, match="1 feedback pages are made; there is none for ann"):
        feedback(course, "T1")
    assert course.notebook("feedback", "T1", "bo").with_suffix(".html").exists()
    broken.unlink()
    with pytest.raises(DataError, match="grade T1 --force --student ann"):
        feedback(course, "T1")


def test_pages_of_all_students_come_from_one_converter(course, monkeypatch):
    """Reading the templates for every page anew took a good part of the time."""
    from nbgrader.converters import GenerateFeedback

    started = []
    start = GenerateFeedback.start
    monkeypatch.setattr(GenerateFeedback, "start", lambda self: (started.append(1), start(self)))
    assert len(feedback(course, "T1")) == 2
    assert len(started) == 1
