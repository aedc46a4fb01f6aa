"""Grading: what a submission is rebuilt to, what a grade survives, what the answers cannot reach.

The small course of `small_course` has 6 points by tests and 2 by a person.
"""

import copy
import html
import json
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nbformat
import pytest
from support import graded_course as graded
from support import small_course as small
from support.sandboxes import need_walls

from hierwidgets.errors import DataError, HierwidgetsError
from hierwidgets.grading import (
    FLAGS,
    Limits,
    check,
    copy_course,
    feedback,
    grade,
    open_course,
    records,
    release,
    score_table,
)
from hierwidgets.grading.__main__ import main
from hierwidgets.grading.cells import question, without_hidden
from hierwidgets.grading.rebuilding import rebuild
from hierwidgets.grading.reports import picture, question_points, summary, write_csv

QUICK = Limits(seconds=60, cell_seconds=5, megabytes=1500)
FULL = {"q1-shown": 1.0, "q1-hidden": 2.0, "q2-hidden": 3.0}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course whose assignment is released."""
    return graded.released(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def given(course):
    return course.read("release", "T1")


def answer_of(notebook, name):
    (cell,) = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name]
    return cell.source


def words_of(page):
    """The text of a page, without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text()))


# --- the student copy ---


def test_release_has_neither_solutions_nor_hidden_tests(course, given):
    text = nbformat.writes(given)
    for secret in (
        "np.mean(np.asarray(y))",
        "answers you have not",
        "rate of {n}",
        "BEGIN",
        "says why",
    ):
        assert secret not in text
    assert "three of four are 0.75" in text
    assert (course.root / "release" / "T1" / "numbers.csv").exists()


def test_a_leak_is_refused(tmp_path):
    root = small.make_course(tmp_path)
    path = root / "source" / "T1" / "T1-small.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\n\nThe answer: `return float(np.mean(np.asarray(y)))`"
    extra = path.parent / "note.txt"
    nbformat.write(notebook, path)
    with pytest.raises(DataError, match="give away: a line of q1-rate"):
        release(open_course(root), "T1")
    nbformat.write(small.source(), path)
    extra.write_text('assert np.isclose(rate(y), (n - 1) / n), f"the rate of {n} answers"')
    with pytest.raises(DataError, match="give away: a line of q1-hidden"):
        release(open_course(root), "T1")
    assert not (root / "release" / "T1").exists()


def test_not_a_course_directory(tmp_path):
    with pytest.raises(DataError, match="not a course directory"):
        open_course(tmp_path)


def test_private_copy_has_nobody_s_work(course, tmp_path):
    small.hand_in(course.root, "someone", copy.deepcopy(course.read("release", "T1")))
    made = copy_course(course, tmp_path / "mine")
    assert sorted(p.name for p in made.root.iterdir()) == ["nbgrader_config.py", "source"]
    with pytest.raises(DataError, match="not empty"):
        copy_course(course, made.root)


# --- rebuilding ---


def rebuilt(course, given, change):
    notebook = small.answered(given, small.RIGHT)
    notebook = change(notebook) or notebook
    return rebuild(given, course.read("source", "T1"), notebook)


def no_change(notebook):
    return None


def delete_test(notebook):
    del notebook.cells[5]


def edit_test(notebook):
    notebook.cells[5].source = "assert True"


def duplicate_answer(notebook):
    stub = copy.deepcopy(notebook.cells[3])
    stub.source = "def rate(y):\n    raise NotImplementedError"
    notebook.cells.insert(3, stub)


def strip_names(notebook):
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)


def strip_names_and_ids(notebook):
    strip_names(notebook)
    for cell in notebook.cells:
        cell["id"] = f"new-{id(cell)}"


def to_markdown(notebook):
    cell = notebook.cells[3]
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def reorder(notebook):
    notebook.cells.reverse()


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (no_change, None),
        (delete_test, "q1-hidden: had been deleted, put back"),
        (edit_test, "q1-hidden: had been edited, put back"),
        (duplicate_answer, "q1-rate: 2 copies, the last changed one counts"),
        (strip_names, "q1-rate: lost its name, found by its id"),
        (strip_names_and_ids, "q1-rate: lost its name, found by what it defines"),
        (to_markdown, "q1-rate: had become a markdown cell"),
        (reorder, None),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_clumsy_edits_cost_nothing(course, given, change, note):
    result = rebuilt(course, given, change)
    for name in ("q1-rate", "q2-spread"):
        assert answer_of(result.notebook, name) == small.RIGHT[name]
    assert answer_of(result.notebook, "q1-hidden") == small.RATE_HIDDEN
    assert note is None or note in result.notes
    if note is None:
        assert result.notes == ()


def test_a_missing_answer_is_the_stub(course, given):
    def forget(notebook):
        del notebook.cells[7]

    result = rebuilt(course, given, forget)
    assert answer_of(result.notebook, "q2-spread") == answer_of(given, "q2-spread")
    assert "q2-spread: missing, counted as not answered" in result.notes


def test_own_cells_are_told_and_kept_in_their_place(course, given):
    def add(notebook):
        notebook.cells.insert(2, nbformat.v4.new_code_cell("helper = 1"))

    result = rebuilt(course, given, add)
    (own,) = [cell for cell in result.notebook.cells if "helper" in cell.source]
    assert result.notebook.cells.index(own) == 2
    assert "nbgrader" not in own.metadata
    assert result.notes == ("1 code cell of the student's own: kept and run in place",)
    assert not result.mended


def test_questions_and_hidden_parts():
    assert question("q12-anything") == "Q12"
    assert question("setup") == "other"
    assert without_hidden(small.RATE_HIDDEN) == "# on lists you have not seen\n"


# --- the cycle ---


def test_a_cycle_with_a_right_and_a_clumsy_submission(course, given, tmp_path):
    for old in (course.root / "submitted").glob("*"):
        old.rename(tmp_path / old.name)
    right = small.answered(given, small.RIGHT)
    small.hand_in(course.root, "ann", right)
    strip_names(right)
    small.hand_in(course.root, "bo", right, "T1-small (1).ipynb")
    small.hand_in(course.root, "cy", "{not a notebook")
    done = grade(course, "T1", limits=QUICK, progress=False)
    assert [(r.student, r.flag) for r in done] == [
        ("ann", "ok"), ("bo", "repaired"), ("cy", "unreadable"),
    ]  # fmt: skip
    assert [r.scores for r in done] == [FULL, FULL, {}]
    assert "the file is called T1-small (1).ipynb" in done[1].notes
    table = score_table(course, "T1").set_index("student")
    assert table.loc[["ann", "bo"], "so_far"].tolist() == [6.0, 6.0]
    assert table["score"].isna().all()  # nobody is marked to the end
    assert table["waiting"].tolist() == [1, 1, 0]
    assert table.loc["cy"].isna().sum() == 6  # no zero for what could not be read
    worth = question_points(course, "T1")
    assert worth == {"Q1": 3.0, "Q2": 3.0, "Q3": 2.0}
    words = summary(table.reset_index(), worth)
    assert "Q3: 2 waiting" in words
    assert "unreadable (no notebook" in words
    write_csv(table.reset_index(), tmp_path / "t.csv")
    assert (
        (tmp_path / "t.csv")
        .read_text()
        .splitlines()[1]
        .startswith("ann,3,3,waiting,waiting,6,8,0,1,ok")
    )
    picture(table, worth, tmp_path / "t.png")
    assert (tmp_path / "t.png").stat().st_size > 5000
    # nothing is graded twice unless it changed
    stamp = course.notebook("autograded", "T1", "ann").stat().st_mtime_ns
    assert grade(course, "T1", limits=QUICK, progress=False) == done
    assert course.notebook("autograded", "T1", "ann").stat().st_mtime_ns == stamp
    pages = feedback(course, "T1")
    assert len(pages) == 2
    assert "np.isclose(rate" not in words_of(pages[0])
    assert "three of four" in words_of(pages[0])
    assert "np.isclose(rate" in words_of(feedback(course, "T1", hidden_tests=True)[0])


def test_another_executor_gives_the_same_grades(course):
    """What the cycle left is graded again by a process that others could stand in for."""
    before = records(course, "T1")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        done = grade(course, "T1", limits=QUICK, force=True, executor=pool, progress=False)
    assert [(r.student, r.flag, r.scores) for r in done] == [
        (r.student, r.flag, r.scores) for r in before
    ]
    with pytest.raises(DataError, match="executor=3 is not"):
        grade(course, "T1", executor=3, progress=False)
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(HierwidgetsError, match="0 of 3 submissions are graded and stay so"):
        grade(course, "T1", force=True, executor=pool, progress=False)


def test_grading_what_is_not_there(course):
    with pytest.raises(DataError, match="nothing in submitted/ from nobody"):
        grade(course, "T1", ["nobody"], progress=False)


def test_command_line_says_what_is_wrong(tmp_path, capsys):
    assert main(["--course", str(tmp_path), "check"]) == 2
    assert "not a course directory" in capsys.readouterr().err


@pytest.mark.slow
def test_check_on_a_good_and_a_bad_source(tmp_path):
    root = small.make_course(tmp_path)
    found = check(open_course(root), "T1", QUICK)
    assert all(f.good for f in found), found
    assert not (root / "gradebook.db").exists()
    path = root / "source" / "T1" / "T1-small.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[4].source = "assert True"  # points for nothing
    notebook.cells[7].source = notebook.cells[7].source.replace("** 0.5", "** 0.25")  # wrong
    notebook.cells[2].source = "## Question 1 (4 points)"  # does not add up
    nbformat.write(notebook, path)
    found = check(open_course(root), "T1", QUICK)
    assert [f.good for f in found] == [False, False, True, False, True]
    assert "q2-hidden" in found[0].seen
    assert "q1-shown" in found[1].seen
    assert "Q1: 3 (stated 4)" in found[3].seen


# --- hostile submissions ---

PATCHED = "np.isclose = lambda *a, **k: True\ndef rate(y): return 0.75"
HOSTILE = {
    # student: (answer to question 1, flag, points of the three tests)
    "endless": ("while True: pass", "timeout", (0, 0, 0)),
    "exits": ("import os\nos._exit(1)", "crash", (0, 0, 0)),
    # the limit of processes stops them, or that of time if it is quicker
    "forks": ("import os\nwhile True: os.fork()", "crash or timeout", (0, 0, 0)),
    "memory": ("hog = [bytearray(10**8) for _ in range(100)]", "crash", (0, 0, 0)),
    # what they change is their own: the visible test gets the number that it shows
    "patches numpy": (PATCHED, "ok", (1, 0, 0)),
    "patches python": ("import builtins\nbuiltins.abs = lambda x: 0", "ok", (0, 0, 0)),
    "patches checks": (
        "import hierwidgets.exercises as e\ne.require = lambda *a: None\ndef rate(y): return 0.75",
        "ok", (1, 0, 0),
    ),
    "patches the runner": (
        "get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)", "ok", (0, 0, 0),
    ),
    "rewrites tests": (
        "import ast\nclass T(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(T())",
        "ok", (0, 0, 0),
    ),
    "hides names": (
        "np = None\nrequire = print\nabs = 1\n" + small.RIGHT["q1-rate"], "ok", (1, 2, 3),
    ),
    "prints": ("print('x' * 30_000_000)\n" + small.RIGHT["q1-rate"], "ok", (1, 2, 3)),
    "asks": ("input('?')", "ok", (0, 0, 0)),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_submissions(course, given, name):
    answer, flag, scores = HOSTILE[name]
    student = name.replace(" ", "-")
    small.hand_in(course.root, student, small.answered(given, {**small.RIGHT, "q1-rate": answer}))
    small.hand_in(course.root, "good", small.answered(given, small.RIGHT))
    (record, good) = grade(course, "T1", [student, "good"], limits=QUICK, progress=False)
    assert record.flag in flag.split(" or "), record
    assert tuple(record.scores.values()) == scores, record
    assert {*flag.split(" or ")} <= {*FLAGS}
    assert (good.flag, good.scores) == ("ok", FULL)
    size = course.notebook("autograded", "T1", student).stat().st_size
    assert size < 100_000  # a flood of output does not get into the files


SPY = """
import json, os, pathlib, socket
def rate(y): return sum(y) / len(y)
root = pathlib.Path({root!r})
seen = [str(p) for p in root.rglob("*")]
seen += [p for p in ("gradebook.db", "../source") if pathlib.Path(p).exists()]
def reaches(address):
    try:
        socket.create_connection(address, timeout=2).close()
        return True
    except OSError:
        return False
processes = [p for p in os.listdir("/proc") if p.isdigit()]
print(json.dumps([seen, reaches(("127.0.0.1", {port})), len(processes), "SECRET" in os.environ]))
"""


@pytest.mark.slow
def test_answers_see_neither_course_nor_network(course, given, monkeypatch):
    need_walls()
    import socket

    monkeypatch.setenv("SECRET", "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()  # it does answer
        spy = SPY.format(root=str(course.root), port=port)
        small.hand_in(course.root, "spy", small.answered(given, {**small.RIGHT, "q1-rate": spy}))
        (record,) = grade(course, "T1", ["spy"], limits=QUICK, progress=False)
    assert record.isolated
    cell = next(c for c in course.read("autograded", "T1", "spy").cells if c.get("outputs"))
    seen, network, processes, secret = json.loads(cell.outputs[0]["text"])
    assert seen == []
    assert not network
    assert processes <= 8  # its own: bubblewrap's first, the runner, copies before tests
    assert not secret


@pytest.mark.slow
def test_an_interrupted_grading_goes_on(course, given, monkeypatch):
    from hierwidgets.grading import grades

    for student in ("one", "two"):
        small.hand_in(course.root, student, small.answered(given, small.RIGHT))
    whole = grades._graded

    def stop_at_two(course, assignment, student, *rest):
        if student == "two":
            raise KeyboardInterrupt
        return whole(course, assignment, student, *rest)

    monkeypatch.setattr(grades, "_graded", stop_at_two)
    with pytest.raises(KeyboardInterrupt):
        grade(course, "T1", ["one", "two"], limits=QUICK, progress=False)
    assert {r.student for r in records(course, "T1")} >= {"one"}
    monkeypatch.setattr(grades, "_graded", whole)
    done = grade(course, "T1", ["one", "two"], limits=QUICK, progress=False)
    assert [r.scores for r in done] == [FULL, FULL]


def test_reference_is_rebuilt_to_itself(course):
    source = course.read("source", "T1")
    again = rebuild(course.read("release", "T1"), source, source).notebook
    assert [c.source for c in again.cells][3:9] == [c.source for c in source.cells][3:9]
    assert Path(course.gradebook.removeprefix("sqlite:///")).exists()
