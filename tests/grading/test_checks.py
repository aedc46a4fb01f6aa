"""A release is made apart and put in place only when it is good."""

import nbformat
import pytest
from support import graded_course as graded
from support import small_course as small

from hierwidgets.errors import DataError
from hierwidgets.grading import Limits, grade, release
from hierwidgets.grading.cells import grade_id
from hierwidgets.grading.submissions import read_submission

QUICK = Limits(seconds=60, cell_seconds=5, megabytes=1500)


@pytest.fixture
def course(tmp_path):
    """A course whose assignment is released."""
    return graded.released(tmp_path)


def change(course, do):
    """Do something to the source."""
    path = course.notebook("source", "T1")
    notebook = nbformat.read(path, as_version=4)
    do({grade_id(cell): cell for cell in notebook.cells if grade_id(cell)})
    nbformat.write(notebook, path)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_was_given_out_stays_if_the_new_release_is_refused(course):
    before = contents(course.root / "release")
    small.hand_in(course.root, "ann", small.answered(course.read("release", "T1"), small.RIGHT))
    (record,) = grade(course, "T1", limits=QUICK, progress=False)
    assert record.flag == "ok"

    def rename(cells):
        cells["q1-shown"].metadata.nbgrader.grade_id = "q1-seen"

    change(course, rename)
    with pytest.raises(DataError, match="what was given out before stays: Cannot add or remove"):
        release(course, "T1")
    assert contents(course.root / "release") == before

    def leak(cells):
        cells["q1-seen"].metadata.nbgrader.grade_id = "q1-shown"
        cells["setup"].source += "\n# return float(np.mean(np.asarray(y)))"

    change(course, leak)
    with pytest.raises(DataError, match="would give away: a line of q1-rate"):
        release(course, "T1")
    assert contents(course.root / "release") == before
    (again,) = grade(course, "T1", force=True, limits=QUICK, progress=False)
    assert again.scores == record.scores
    assert [p for p in course.root.iterdir() if p.name.startswith(".release")] == []


def test_a_release_made_again_is_the_same(course):
    before = contents(course.root / "release")
    release(course, "T1")
    assert contents(course.root / "release") == before
    assert course.given_before("T1") == []


def test_work_on_a_former_release_is_read_for_what_it_is(course):
    first = course.read("release", "T1")
    words = "Write here, in two sentences."

    def reword(cells):
        cells["q1-rate"].source = cells["q1-rate"].source.replace("share of ones", "rate")
        cells["setup"].source += "\nimport pandas as pd"

    change(course, reword)
    release(course, "T1")
    assert course.given_before("T1") == [first]
    for given in (first, course.read("release", "T1")):
        notebook = small.answered(given, {"q3-why": words})
        small.hand_in(course.root, "ann", notebook)
        found = read_submission(
            course, "T1", "ann", course.read("release", "T1"), course.read("source", "T1")
        )
        assert (found.answered, found.notes) == (("q3-why",), ())
    change(course, lambda cells: cells["setup"].__setitem__("source", small.SETUP))
    release(course, "T1")
    assert len(course.given_before("T1")) == 2
