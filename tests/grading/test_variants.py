"""Data of one's own: whose they are, what they keep to, and that a right answer stays right.

For every assignment the reference solution is run on the data of five students, and of 200 in
``make test-long``: it must get every point, whoever the student is.
"""

import copy
import io
import json
import shutil
import stat

import nbformat
import numpy as np
import pandas as pd
import pytest
from support.answer_sheets import SOURCE, blank, failures, read, reference, worth
from support.small_course import answered, make_course

import hierwidgets as hw
from hierwidgets.errors import DataError
from hierwidgets.grading import Course, grade, open_course, records, release
from hierwidgets.grading.__main__ import main
from hierwidgets.grading.rebuilding import rebuild
from hierwidgets.grading.recipes import RECIPES
from hierwidgets.grading.variants import (
    KEY,
    belongs_to,
    draw,
    own_notebook,
    owners,
    read_roster,
    release_variants,
)

ASSIGNMENTS = sorted(p.name for p in SOURCE.iterdir())
MANY = 200
TABLES = {"A1": ("finland", "finland.csv"), "A3": ("uk", "uk.csv"),
          "A4": ("rainey2015", "rainey2015.csv")}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with the four assignments and a secret that does not change."""
    root = tmp_path_factory.mktemp("own") / "course"
    shutil.copytree(SOURCE.parent, root, ignore=shutil.ignore_patterns("variants*", "release"))
    (root / KEY).write_text("17" * 32 + "\n")
    return open_course(root)


@pytest.fixture(scope="module")
def given(course):
    """A1 as it was given to ann and bo."""
    release(course, "A1")
    release_variants(course, "A1", ["ann", "bo"], progress=False)
    return {s: course.read("variants", "A1", s) for s in ("ann", "bo")}


def sheet(course, assignment, student, folder):
    """The assignment with its tests as it is graded for a student, beside the student's data."""
    for path in course.extras("source", assignment):
        shutil.copy(path, folder)
    for name, content in draw(course, assignment, student).files.items():
        (folder / name).write_bytes(content)
    return own_notebook(read(assignment), RECIPES[assignment], "mark")


def students(assignment):
    """Five of each assignment in the ordinary runs, 200 in the long one."""
    slow = [] if assignment == "A1" else [pytest.mark.slow]
    for k in range(MANY):
        marks = slow if k < 5 else [pytest.mark.long]
        yield pytest.param(assignment, f"student-{k}", marks=marks, id=f"{assignment}-{k}")


@pytest.mark.parametrize(("assignment", "student"), [p for a in ASSIGNMENTS for p in students(a)])
def test_the_reference_gets_every_point_on_anybodys_data(course, assignment, student, tmp_path):
    notebook = sheet(course, assignment, student, tmp_path)
    assert failures(notebook, {}, given=True, folder=tmp_path) == {}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_points_are_those_of_the_original(course, assignment, tmp_path):
    notebook = sheet(course, assignment, "ann", tmp_path)
    assert worth(notebook) == worth(read(assignment))
    assert set(failures(notebook, blank(notebook), folder=tmp_path)) == set(worth(notebook))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_nothing_but_data_and_their_description_differs(course, assignment, tmp_path):
    own, original = sheet(course, assignment, "ann", tmp_path), read(assignment)
    changed = [k for k, (a, b) in enumerate(zip(own.cells, original.cells, strict=True)) if a != b]
    assert changed == ([0, 1] if RECIPES[assignment].given else [0])
    assert "Your data are your own" in own.cells[0].source
    assert [c.metadata for c in own.cells] == [c.metadata for c in original.cells]


@pytest.mark.parametrize("assignment", TABLES)
def test_same_districts_same_respondents_other_answers(course, assignment):
    name, file = TABLES[assignment]
    ann, bo = (
        pd.read_csv(io.BytesIO(draw(course, assignment, student).files[file]))
        for student in ("ann", "bo")
    )
    original = hw.load(name)
    assert list(ann.columns) == list(original.columns)
    rest = [c for c in original.columns if c != "contacted"]
    for column in rest:
        assert ann[column].tolist() == original[column].tolist() == bo[column].tolist()
    assert set(ann["contacted"]) == {"Contacted", "Not Contacted"}
    for other in (bo, original):
        assert 0.1 < (ann["contacted"].to_numpy() != other["contacted"].to_numpy()).mean() < 0.6


def test_the_countries_of_assignment_2_are_made_anew(course):
    ann, bo = (np.load(io.BytesIO(draw(course, "A2", s).files["draws.npz"])) for s in ("ann", "bo"))
    original = np.load(SOURCE / "A2" / "draws.npz")
    for name in original.files:
        assert ann[name].shape == original[name].shape
        assert ann[name].dtype == original[name].dtype
        same = [np.array_equal(ann[name], other[name]) for other in (bo, original)]
        assert same == [name.endswith("_n")] * 2


def test_the_draws_of_assignment_4_are_moved_not_made_up(course):
    own = pd.read_csv(io.BytesIO(draw(course, "A4", "ann").files["draws.csv"]))
    original = pd.read_csv(SOURCE / "A4" / "draws.csv")
    columns = ["b0", "b_comp", "b_smd", "b_inter"]
    apart = own[columns] - original[columns]
    assert (apart.std() < 2e-5).all()
    assert (apart.mean().abs() > 0.01).all()
    ratio = own["sd_district"] / original["sd_district"]
    assert np.allclose(ratio, ratio.mean(), atol=1e-4)


def test_finland_keeps_its_question(course):
    """309 first, 308 second, and the two change places at the mode, for whomever it is drawn."""
    for student in ("ann", "bo", "cy"):
        facts = draw(course, "A1", student).facts
        rate = {k: facts[f"y_{k}"] / facts[f"n_{k}"] for k in (309, 308)}
        assert rate[308] < rate[309] < rate[308] + 0.15
        assert facts["mode_308"] > facts["mode_309"]
        assert facts["weight_308"] > facts["weight_309"]
        assert (facts["n_309"], facts["n_308"]) == (23, 86)


# --- whose data they are ---


def test_data_depend_on_secret_and_student_alone(course, tmp_path):
    first = draw(course, "A1", "ann").files
    assert draw(course, "A1", "ann").files == first
    assert draw(course, "A1", "bo").files != first
    other = Course(tmp_path)
    (tmp_path / "source" / "A1").mkdir(parents=True)
    shutil.copy(course.notebook("source", "A1"), tmp_path / "source" / "A1")
    assert draw(other, "A1", "ann").files != first  # with a secret of its own, made just now
    again = draw(other, "A1", "ann").files
    assert draw(other, "A1", "ann").files == again
    key = tmp_path / KEY
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.write_text(course.root.joinpath(KEY).read_text())
    assert draw(other, "A1", "ann").files == first
    key.write_text("short")
    with pytest.raises(DataError, match="does not hold a secret"):
        draw(other, "A1", "ann")


def test_the_secret_is_in_nothing_that_is_given_out(course, given):
    secret = (course.root / KEY).read_text().strip()
    for place in ("release", "variants", "source"):
        for path in (course.root / place).rglob("*"):
            assert path.name != KEY
            assert path.is_dir() or secret.encode() not in path.read_bytes()


def test_a_copy_says_what_the_release_says_and_reads_its_own_file(course, given):
    original = course.read("release", "A1")
    for student, notebook in given.items():
        assert 'pd.read_csv("finland.csv")' in notebook.cells[1].source
        assert notebook.cells[2:] == original.cells[2:]
        assert belongs_to(course, "A1", notebook) == student
    assert belongs_to(course, "A1", original) == ""
    assert 'hw.load("finland")' in original.cells[1].source
    assert original.metadata.get("hierwidgets") is None
    files = [course.root / "variants" / s / "A1" / "finland.csv" for s in given]
    assert files[0].read_bytes() != files[1].read_bytes()


def test_a_second_release_gives_the_same(course, given):
    def content():
        return {p: p.read_bytes() for p in (course.root / "variants").rglob("*") if p.is_file()}

    before = content()
    release_variants(course, "A1", ["bo"], progress=False)
    assert content() == before
    assert owners(course, "A1") == ["ann", "bo"]
    table = pd.read_csv(course.root / "variants" / "A1.csv").set_index("student")
    assert list(table.index) == ["ann", "bo"]
    assert table.loc["ann", "weight_309"] != table.loc["bo", "weight_309"]


@pytest.mark.slow
def test_every_student_is_graded_on_their_own_data(course, given):
    """Answers that are right for one's own data alone pass what is shown, for their owner only."""
    right = reference(read("A1"))
    facts = {s: draw(course, "A1", s).facts for s in given}
    typed = "def shrink(y, n, mu, sigma):\n    return {:.6f}"

    def submit(student, notebook):
        path = course.notebook("submitted", "A1", student)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)

    submit("ann", answered(given["ann"], right))
    submit("bo", answered(given["ann"], right))  # another student's copy
    submit("cy", answered(course.read("release", "A1"), right))  # not on the roster
    done = {r.student: r for r in grade(course, "A1", progress=False)}
    whole = worth(read("A1"))
    for student in ("ann", "bo", "cy"):
        assert {n: done[student].scores[n] for n in whole} == whole
    assert done["ann"].flag == done["cy"].flag == "ok"
    assert "this is the copy that was given to ann; graded on the data of bo" in done["bo"].notes
    shown = json.dumps(course.read("autograded", "A1", "ann").cells)
    mode = facts["ann"]["mode_309"]
    assert typed.format(np.log(mode / (1 - mode))) not in shown
    # other data, other grade: the run is repeated, and only for whose data they are
    stored = course.root / "variants" / "bo" / "A1" / "finland.csv"
    stored.write_bytes(stored.read_bytes() + b"\n")
    digests = {r.student: r.digests for r in records(course, "A1")}
    again = {r.student: r for r in grade(course, "A1", progress=False)}
    assert [s for s in digests if again[s].digests != digests[s]] == ["bo"]


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name\nann\n", "has the columns name; it needs"),
        ("", "has the columns none"),
        ("id\n", "has no student"),
        ("id,name\nann,A\nbo,B\nann,C\n", "has ann twice"),
        ("id\n../bo\n", r"has the ids \['../bo'\]"),
        ("id\n.hidden\n", "has the ids"),
    ],
)
def test_rosters_that_cannot_be_used(tmp_path, text, why):
    path = tmp_path / "students.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=why):
        read_roster(path)


def test_rosters_as_they_come(tmp_path):
    path = tmp_path / "students.csv"
    path.write_bytes("\ufeffid ,first_name\r\n ann,Ann\r\n\r\n007,Bo\r\nåsa,Å\r\n".encode())
    assert read_roster(path) == ["ann", "007", "åsa"]
    with pytest.raises(DataError, match="cannot be read"):
        read_roster(tmp_path / "none.csv")


def test_an_assignment_without_a_model(tmp_path, capsys):
    root = make_course(tmp_path / "course")
    roster = tmp_path / "students.csv"
    roster.write_text("id\nann\n")
    assert main(["--course", str(root), "release", "T1", "--roster", str(roster)]) == 2
    assert "T1 has no model to draw data of one's own from" in capsys.readouterr().err
    assert not (root / "variants").exists()


def test_a_notebook_that_reads_its_data_otherwise():
    changed = copy.deepcopy(read("A1"))
    changed.cells[1].source = changed.cells[1].source.replace("hw.load(", "hw.data.load(")
    with pytest.raises(DataError, match="must read its data once"):
        own_notebook(changed, RECIPES["A1"], "mark")


def test_the_command_line_takes_a_roster(tmp_path, capsys):
    root = tmp_path / "course"
    roster = tmp_path / "students.csv"
    roster.write_text("id,name\nann,Ann\nbo,Bo\n")
    assert main(["--course", str(SOURCE.parent), "private", str(root)]) == 0
    assert main(["--course", str(root), "release", "A1"]) == 0
    assert not (root / "variants").exists()
    assert not (root / KEY).exists()
    assert main(["--course", str(root), "release", "A1", "--roster", str(roster)]) == 0
    assert "2 copies with data of one's own" in capsys.readouterr().out
    given = open_course(root)
    assert owners(given, "A1") == ["ann", "bo"]
    notebook = rebuild(
        given.read("variants", "A1", "ann"), given.read("source", "A1"), given.read("source", "A1")
    ).notebook
    folder = given.notebook("variants", "A1", "ann").parent
    assert failures(notebook, {}, given=True, folder=folder) == {}
