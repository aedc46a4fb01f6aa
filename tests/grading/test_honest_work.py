"""Honest work is never lost or accused: what students really do to a notebook.

Every case is a right submission to the small course with one thing done to it. All of the answers
must be in the rebuilt notebook; notes and the flag say no more than a person would accept.
"""

import base64
import copy
import re
from dataclasses import dataclass, field

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from support import graded_course as graded
from support import small_course as small
from support.answer_sheets import read, reference
from support.submissions import submissions

from hierwidgets.grading import Limits, feedback, grade, score_table
from hierwidgets.grading.cells import grade_id, without_hidden
from hierwidgets.grading.rebuilding import rebuild

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c"
        "63606060f80f0001040100b51c0c020000000049454e44ae426082"
    )
).decode()
WHY = small.RIGHT["q3-why"]
RATE, SPREAD = small.RIGHT["q1-rate"], small.RIGHT["q2-spread"]
STUB_RAISE = "raise NotImplementedError"
HELPER = "def share(y):\n    return sum(y) / len(y)"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course whose assignment is released."""
    return graded.released(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def given(course):
    return course.read("release", "T1")


def place_of(notebook, name):
    return next(k for k, cell in enumerate(notebook.cells) if grade_id(cell) == name)


def cell_of(notebook, name):
    return notebook.cells[place_of(notebook, name)]


def source_of(notebook, name):
    return cell_of(notebook, name).source


def blank(notebook, given, *names):
    """These answers as they were given out."""
    for name in names:
        cell_of(notebook, name).source = source_of(given, name)


def lose_metadata(cell):
    cell.metadata.clear()
    cell["id"] = f"lost-{abs(hash(cell.source))}"


@dataclass(frozen=True)
class Case:
    """One thing that is done to a right submission, and what must come of it."""

    do: object
    holds: dict = field(default_factory=dict)  # what answers must hold, where not as usual
    note: str = ""
    mended: bool = False
    kept: tuple = ()  # sources of cells that must stand in the rebuilt notebook


def below_the_stub(notebook, given):
    blank(notebook, given, "q3-why")
    notebook.cells.append(new_markdown_cell(WHY))


def above_the_stub(notebook, given):
    blank(notebook, given, "q3-why")
    notebook.cells.insert(place_of(notebook, "q3-why"), new_markdown_cell(WHY))


def lost_metadata(notebook, given):
    lose_metadata(cell_of(notebook, "q3-why"))


def lost_all_metadata(notebook, given):
    for cell in notebook.cells:
        lose_metadata(cell)


def in_the_question(notebook, given):
    blank(notebook, given, "q3-why")
    notebook.cells[place_of(notebook, "q3-why") - 1].source += f"\n\n{WHY}"


def in_code_cell_below(notebook, given):
    blank(notebook, given, "q3-why")
    notebook.cells.append(new_code_cell(WHY))


def in_comments_below(notebook, given):
    blank(notebook, given, "q3-why")
    notebook.cells.append(new_code_cell(f"# {WHY}"))


def in_raw_cell_below(notebook, given):
    blank(notebook, given, "q3-why")
    notebook.cells.append(new_raw_cell(WHY))


def elsewhere(notebook, given):
    blank(notebook, given, "q3-why")
    notebook.cells.insert(3, new_markdown_cell(WHY))


def more_below(notebook, given):
    notebook.cells.append(new_markdown_cell("And because of chance."))


def remark(notebook, given):
    notebook.cells.insert(3, new_markdown_cell("I took the mean."))


def to_code(notebook, given):
    cell = cell_of(notebook, "q3-why")
    cell.cell_type, cell.outputs, cell.execution_count = "code", [], None


def split_words(notebook, given):
    place = place_of(notebook, "q3-why")
    half = copy.deepcopy(notebook.cells[place])
    notebook.cells[place].source, half.source, half["id"] = "Because small samples", "vary.", "half"
    notebook.cells.insert(place + 1, half)


def split(notebook, name, at):
    """What Lab's command does: two cells with the same metadata, cut at a line."""
    place = place_of(notebook, name)
    half = copy.deepcopy(notebook.cells[place])
    lines = half.source.split("\n")
    notebook.cells[place].source = "\n".join(lines[:at]).rstrip("\n")
    half.source, half["id"] = "\n".join(lines[at:]).lstrip("\n"), "half"
    notebook.cells.insert(place + 1, half)


def split_between(notebook, given):
    cell_of(notebook, "q1-rate").source = f"{HELPER}\n\n\ndef rate(y):\n    return share(y)"
    split(notebook, "q1-rate", 3)


def split_within(notebook, given):
    split(notebook, "q2-spread", 2)


def raise_above(notebook, given):
    first, *rest = RATE.split("\n")
    cell_of(notebook, "q1-rate").source = "\n".join([first, f"    {STUB_RAISE}", *rest])


def raise_on_top(notebook, given):
    cell_of(notebook, "q1-rate").source = f"{STUB_RAISE}\n\n{RATE}"


def raise_below(notebook, given):
    cell_of(notebook, "q1-rate").source = f"{RATE}\n    {STUB_RAISE}"


def stub_below(notebook, given):
    cell_of(notebook, "q1-rate").source = f"{RATE}\n\n{source_of(given, 'q1-rate')}"


def code_in_new_cell(notebook, given):
    blank(notebook, given, "q1-rate")
    notebook.cells.insert(place_of(notebook, "q1-rate") + 1, new_code_cell(RATE))


def code_in_new_cell_above(notebook, given):
    blank(notebook, given, "q1-rate")
    notebook.cells.insert(2, new_code_cell(RATE))


def code_at_the_end(notebook, given):
    blank(notebook, given, "q1-rate")
    notebook.cells.append(new_code_cell(f"%%time\n{RATE}"))


def code_in_markdown(notebook, given):
    blank(notebook, given, "q1-rate")
    text = f"My answer:\n\n```python\n{RATE}\n```\n"
    notebook.cells.insert(place_of(notebook, "q1-rate") + 1, new_markdown_cell(text))


def code_in_raw(notebook, given):
    blank(notebook, given, "q1-rate")
    notebook.cells.insert(place_of(notebook, "q1-rate") + 1, new_raw_cell(RATE))


def code_in_test(notebook, given):
    blank(notebook, given, "q1-rate")
    cell = cell_of(notebook, "q1-shown")
    cell.source = f"{RATE}\n\n{cell.source}"


def remark_in_test(notebook, given):
    cell_of(notebook, "q1-shown").source += "\n# I do not see why this is tested here"


def code_in_other_answer(notebook, given):
    blank(notebook, given, "q2-spread")
    cell_of(notebook, "q1-rate").source += f"\n\n\n{SPREAD}"


def code_in_setup(notebook, given):
    cell_of(notebook, "setup").source += "\nimport statistics"


def an_own_helper(notebook, given):
    notebook.cells.insert(place_of(notebook, "q1-rate"), new_code_cell(HELPER))
    cell_of(notebook, "q1-rate").source = "def rate(y):\n    return share(y)"


def an_own_helper_below(notebook, given):
    notebook.cells.insert(place_of(notebook, "q2-spread") + 1, new_code_cell(HELPER))
    cell_of(notebook, "q2-spread").source = SPREAD.replace("rate(y)", "share(y)")


def empty_cells(notebook, given):
    notebook.cells[2:2] = [new_code_cell(""), new_markdown_cell("  \n")]


def windows_lines(notebook, given):
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "\r\n")


def other_spaces(notebook, given):
    for cell in notebook.cells:
        cell.source = "\n".join(line + "  " for line in cell.source.split("\n")) + "\n\n"


def laid_out_anew(notebook, given):
    cell = cell_of(notebook, "q1-shown")
    cell.source = cell.source.replace("'", '"').replace(" < ", "<")


def magics(notebook, given):
    cell = cell_of(notebook, "q1-rate")
    cell.source = f"%matplotlib inline\n%load_ext autoreload\n!true\n{cell.source}"


def raise_with_magics(notebook, given):
    cell_of(notebook, "q1-rate").source = f"%matplotlib inline\n{STUB_RAISE}\n{RATE}"


def pasted_twice(notebook, given):
    cell = copy.deepcopy(cell_of(notebook, "q1-rate"))
    cell["id"] = "again"
    notebook.cells.append(cell)


def an_older_try(notebook, given):
    place = place_of(notebook, "q1-rate")
    old = copy.deepcopy(notebook.cells[place])
    old.source, old["id"] = "def rate(y):\n    return y[0]", "old"
    notebook.cells.insert(place, old)


def a_broken_try(notebook, given):
    place = place_of(notebook, "q1-rate")
    broken = copy.deepcopy(notebook.cells[place])
    broken.source, broken["id"] = "def rate(y)\n    return y[0]", "broken"
    notebook.cells.insert(place + 1, broken)


def picture(notebook, given):
    cell = cell_of(notebook, "q3-why")
    cell.source += "\n\n![image.png](attachment:image.png)"
    cell["attachments"] = {"image.png": {"image/png": PIXEL}}


def picture_below(notebook, given):
    notebook.cells.append(new_markdown_cell("<img src='attachment:my pic (1).png' width=9>"))
    notebook.cells[-1]["attachments"] = {"my pic (1).png": {"image/png": PIXEL}}


def two_pictures_of_one_name(notebook, given):
    picture(notebook, given)
    other = base64.b64encode(b"another").decode()
    notebook.cells.append(new_markdown_cell("![](attachment:image.png)"))
    notebook.cells[-1]["attachments"] = {"image.png": {"image/png": other}}


def picture_that_the_text_lost(notebook, given):
    blank(notebook, given, "q3-why")
    cell_of(notebook, "q3-why")["attachments"] = {"a.png": {"image/png": PIXEL}}


def picture_in_a_remark(notebook, given):
    notebook.cells.insert(3, new_markdown_cell("See ![](attachment:a.png)"))
    notebook.cells[3]["attachments"] = {"a.png": {"image/png": PIXEL, 'x" onerror="': "AA"}}


def picture_without_data(notebook, given):
    cell_of(notebook, "q3-why").source += "\n\n![image.png](attachment:image.png)"


IN_Q3 = {"q3-why": WHY}
CASES = {
    "words below the stub": Case(below_the_stub, IN_Q3, "text of 1 other cell", True),
    "words above the stub": Case(above_the_stub, IN_Q3, "text of 1 other cell", True),
    "metadata lost": Case(lost_metadata, IN_Q3, "", True),
    "all metadata lost": Case(lost_all_metadata, IN_Q3, "found by what it defines", True),
    "words in the question's text": Case(in_the_question, IN_Q3, "text of 1 other cell", True),
    "words in a code cell": Case(in_code_cell_below, IN_Q3, "text of 1 other cell", True),
    "words in comments": Case(in_comments_below, IN_Q3, "text of 1 other cell", True),
    "words in a raw cell": Case(in_raw_cell_below, IN_Q3, "text of 1 other cell", True),
    "words somewhere else": Case(elsewhere, IN_Q3, "text of 1 other cell", True),
    "more words below": Case(more_below, {"q3-why": f"{WHY}\n\nAnd because of chance."}, "", True),
    "a remark": Case(remark, note="1 text cell of the student's own", kept=("I took the mean.",)),
    "words became code": Case(to_code, IN_Q3, "had become a code cell", True),
    "words split": Case(split_words, {"q3-why": "Because small samples\n\nvary."}, "joined", True),
    "split between functions": Case(
        split_between, {"q1-rate": f"{HELPER}\n\ndef rate(y):\n    return share(y)"}, "joined", True
    ),
    "split within a function": Case(split_within, {}, "joined", True),
    "raise left above": Case(raise_above, {}, "the stub had left", True),
    "raise left on top": Case(raise_on_top, {}, "the stub had left", True),
    "raise left below": Case(raise_below, {"q1-rate": f"{RATE}\n    {STUB_RAISE}"}),
    "stub left below": Case(stub_below, {}, "the stub had left", True),
    "code in a new cell": Case(code_in_new_cell, {}, "answered in 1 of the student's", True),
    "code above": Case(code_in_new_cell_above, {}, "answered in 1 of the student's", True),
    "code at the end": Case(code_at_the_end, {"q1-rate": f"%%time\n{RATE}"}, "answered in 1", True),
    "code in markdown": Case(code_in_markdown, {}, "answered in 1 of the student's", True),
    "code in raw": Case(code_in_raw, {}, "answered in 1 of the student's", True),
    "code in a test": Case(code_in_test, {}, "answered in 1 of the student's", True),
    "a remark in a test": Case(
        remark_in_test, note="q1-shown: had been edited, put back; what was added stands below it",
        kept=("I do not see why this is tested here",),
    ),
    "code in another answer": Case(
        code_in_other_answer, {"q1-rate": f"{RATE}\n\n\n{SPREAD}"}, "answered in q1-rate", True
    ),
    "code in the setup": Case(
        code_in_setup, {}, "setup: had been edited, put back; what was added stands below it",
        kept=("import statistics",),
    ),
    "an own helper": Case(
        an_own_helper, {"q1-rate": "def rate(y):\n    return share(y)"},
        "1 code cell of the student's own: kept and run in place", kept=(HELPER,),
    ),
    "empty cells": Case(empty_cells),
    "Windows line ends": Case(windows_lines),
    "other white space": Case(other_spaces, {
        n: "\n".join(line + "  " for line in t.split("\n")) + "\n\n" for n, t in small.RIGHT.items()
    }),
    "laid out anew": Case(laid_out_anew),
    "magics": Case(
        magics, {"q1-rate": f"%matplotlib inline\n%load_ext autoreload\n!true\n{RATE}"}
    ),
    "raise between magics": Case(
        raise_with_magics, {"q1-rate": f"%matplotlib inline\n{RATE}"}, "the stub had left", True
    ),
    "pasted twice": Case(pasted_twice, note="2 copies, the last changed one counts"),
    "an older try": Case(an_older_try, {}, "2 copies, the last changed one counts", True),
    "a broken try": Case(a_broken_try, {}, "2 copies", True),
    "a picture": Case(picture, {"q3-why": f"{WHY}\n\n![image.png](attachment:image.png)"}),
    "a picture below": Case(
        picture_below,
        {"q3-why": f"{WHY}\n\n![picture](attachment:my-pic-1-.png)"}, "text of 1 other cell", True,
    ),
    "two pictures": Case(
        two_pictures_of_one_name,
        {"q3-why": f"{WHY}\n\n![image.png](attachment:image.png)\n\n![](attachment:2-image.png)"},
        "text of 1 other cell", True,
    ),
    "a picture alone": Case(
        picture_that_the_text_lost, {"q3-why": "YOUR ANSWER HERE\n\n![a.png](attachment:a.png)"},
    ),
    "a picture in a remark": Case(
        picture_in_a_remark, note="1 text cell", kept=("See ![](attachment:a.png)",),
    ),
    "a picture that is not there": Case(
        picture_without_data,
        {"q3-why": f"{WHY}\n\n[picture image.png: not in the file, or over 10 MB]"},
        "a picture named image.png is not in the file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_students_do(course, given, name):
    case = CASES[name]
    notebook = small.answered(given, small.RIGHT)
    case.do(notebook, given)
    before = copy.deepcopy(notebook)
    result = rebuild(given, course.read("source", "T1"), notebook)
    assert notebook == before  # no argument is changed
    for answer, text in {**small.RIGHT, **case.holds}.items():
        assert source_of(result.notebook, answer) == text
    assert any(case.note in note for note in result.notes) or not case.note
    assert result.notes == () or case.note or case.mended
    assert result.mended == case.mended, result.notes
    for cell in result.notebook.cells:
        assert set(re.findall(r"attachment:([^)]*)", cell.source)) == set(
            cell.get("attachments", {})
        )
    sources = [cell.source for cell in result.notebook.cells if not grade_id(cell)]
    assert [text for text in case.kept if text not in sources] == []
    assert source_of(result.notebook, "q1-hidden") == small.RATE_HIDDEN
    nbformat.validate(result.notebook)
    names = [grade_id(cell) for cell in result.notebook.cells if grade_id(cell)]
    assert names == [grade_id(cell) for cell in given.cells if grade_id(cell)]


def test_a_blank_sheet_has_no_answers(course, given):
    result = rebuild(given, course.read("source", "T1"), given)
    assert (result.answered, result.own, result.notes, result.mended) == ((), 0, (), False)


def test_cells_without_end_are_cut_and_a_note_says_so(course, given):
    notebook = small.answered(given, small.RIGHT)
    notebook.cells += [new_code_cell(f"x = {k}") for k in range(1000)]
    notebook.cells.append(new_markdown_cell("x" * 10**6))
    result = rebuild(given, course.read("source", "T1"), notebook)
    assert len(result.notebook.cells) < 400
    assert any("more cells of the student's own were left out" in note for note in result.notes)


def without_solutions(source):
    """A student copy, made without nbgrader."""
    given = copy.deepcopy(source)
    for cell in given.cells:
        cell.source = without_hidden(cell.source)
        cell.source = re.sub(
            r"### BEGIN SOLUTION\n.*?### END SOLUTION", STUB_RAISE, cell.source, flags=re.DOTALL
        )
    return given


def test_a_figure_in_a_new_cell_goes_to_the_cell_that_a_person_marks():
    source = read("A2")
    given = without_solutions(source)
    notebook = copy.deepcopy(given)
    figure = "figure, axes = plt.subplots()\naxes.plot([1, 2])"
    place = place_of(notebook, "q6-figure") + 1
    notebook.cells[place:place] = [new_code_cell(figure), new_markdown_cell(WHY)]
    result = rebuild(given, source, notebook)
    assert source_of(result.notebook, "q6-figure") == figure
    assert source_of(result.notebook, "q6-words") == WHY
    assert result.answered == ("q6-figure", "q6-words")
    assert result.mended


@pytest.mark.parametrize("assignment", ["A1", "A2", "A3", "A4"])
def test_clumsy_sheets_of_the_assignments_hold_the_right_answers(assignment):
    """The slow tests grade them; here their answers in code are compared with the right ones."""
    source = read(assignment)
    given = without_solutions(source)
    right = reference(source)
    clumsy = {s.student: s for s in submissions(assignment, source, given, [])}
    for student in ("clumsy", "strewn", "split", "carried"):
        result = rebuild(given, source, clumsy[student].notebook)
        for name, text in right.items():
            found = source_of(result.notebook, name)
            assert [x for x in found.split("\n") if x] == [x for x in text.split("\n") if x], (
                student
            )
        assert result.mended == (clumsy[student].flag == "repaired"), result.notes


def handed_in(course, given, student, *changes):
    notebook = small.answered(given, small.RIGHT)
    for change in changes:
        change(notebook, given)
    small.hand_in(course.root, student, notebook, "anything.txt")


def a_cell_that_raises(notebook, given):
    notebook.cells.insert(place_of(notebook, "q1-rate") + 1, new_code_cell("1 / 0"))


@pytest.mark.slow
def test_graded_work_keeps_its_points_and_its_pictures(course, given):
    """From the file to the page: points, what waits for a person, and what a page shows."""
    handed_in(course, given, "ann", below_the_stub, picture_below, raise_above, an_own_helper_below)
    handed_in(course, given, "bo", picture_without_data, split_between, a_cell_that_raises)
    limits = Limits(seconds=300, cell_seconds=60, megabytes=1500)
    ann, bo = grade(course, "T1", ["ann", "bo"], limits=limits, progress=False)
    assert (ann.flag, bo.flag) == ("repaired", "repaired")
    assert sum(ann.scores.values()) == sum(bo.scores.values()) == 6
    assert "a cell of the student's own after q1-rate raised ZeroDivisionError" in bo.notes
    table = score_table(course, "T1").set_index("student")
    assert table.loc[["ann", "bo"], "waiting"].tolist() == [1, 1]
    pages = {page.parts[-3]: page.read_text() for page in feedback(course, "T1")}
    assert set(pages) == {"ann", "bo"}
    assert WHY in pages["ann"]
    assert PIXEL in pages["ann"]
    assert "[picture image.png: not in the file" in pages["bo"]
