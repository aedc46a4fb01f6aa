"""Submissions to the real assignments: right, blank, wrong, typed in, hostile and clumsy ones.

Each says which tests it loses and which flag it gets; `test_real_assignments` grades them all.
"""

import copy
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from hierwidgets.grading.cells import grade_id, is_answer, is_test, points
from support.answer_sheets import Wrong, reference, worth
from support.small_course import answered

# The answer that a hostile submission spoils, and the tests that rest on it.
SPOILT = {
    "A1": ("q3-half", {"q3-half-weight"}),
    "A2": ("q3-best", {"q3-conjecture"}),
    "A3": ("q4-difference", {"q4-estimate", "q4-interval", "q4-level"}),
    "A4": ("q3-failing", {"q3-page", "q3-rhat", "q3-bulk", "q3-tail", "q3-missing"}),
}
# Tests without a hidden part that answers typed in from the visible checks pass.
SHOWN = {
    "A1": set(),
    "A2": {"q1-seed", "q1-shape"},
    "A3": {"q1-uk", "q2-uk", "q3-two-uk"},
    "A4": {"q2-rows"},
}
# Its likelihood happens to mend another wrong answer's slope, so it gets a sheet of its own.
ALONE = {"last district lost"}
# Looks for solutions in every place where they could lie, and for the gradebook; takes its own.
THIEF = """
import json, pathlib, sqlite3
_loot = []
for _place in {places}:
    for _path in pathlib.Path(_place).rglob("*.ipynb"):
        _loot += [c["source"] for c in json.loads(_path.read_text())["cells"]
                  if c["metadata"].get("nbgrader", {{}}).get("grade_id") == {name!r}]
    if (pathlib.Path(_place) / "gradebook.db").exists():
        _book = sqlite3.connect(pathlib.Path(_place) / "gradebook.db")
        _loot += [r[0] for r in _book.execute("select source from source_cell where name = ?", [{name!r}])]
for _source in _loot:
    _source = "".join(_source)
    if "BEGIN SOLUTION" in _source or "raise NotImplementedError" not in _source:
        exec(_source, globals())
"""  # noqa: E501
# Makes every comparison of the tests true, for answers that only know what the checks show.
PATCH = """
import builtins
builtins.abs = lambda *args: 0
np.allclose = np.isclose = np.array_equal = lambda *args, **kwargs: True
"""


@dataclass(frozen=True)
class Submission:
    """What a student hands in, under which file name, and what must come of it."""

    student: str
    notebook: Any
    loses: frozenset[str]
    flag: str = "ok"
    file: str = ""


def sheets(wrong: Iterable[Wrong]) -> list[list[Wrong]]:
    """Wrong solutions of different answers that lose different tests, on few sheets together."""
    made: list[list[Wrong]] = []
    for one in wrong:
        fits = (
            sheet for sheet in made
            if all(not set(w.answers) & set(one.answers) and not w.loses & one.loses for w in sheet)
        )  # fmt: skip
        sheet = None if one.name in ALONE else next(fits, None)
        if sheet is None:
            made.append(sheet := [])
        sheet.append(one)
    return made


def submissions(assignment: str, source: Any, release: Any, places: list[str]) -> list[Submission]:
    """All of them, with the reference first; `places` are where a thief looks."""
    table = import_module(f"support.wrong_answers_{assignment.lower()}")
    right, everything = reference(source), frozenset(worth(source))
    made = [
        Submission("right", _with_words(answered(release, right), source), frozenset()),
        Submission("blank", copy.deepcopy(release), everything),
        Submission("typed", answered(release, table.HARD_CODED), everything - SHOWN[assignment]),
    ]
    for k, sheet in enumerate(sheets(table.WRONG)):
        answers = right | {name: text for w in sheet for name, text in w.answers.items()}
        loses = frozenset().union(*(w.loses for w in sheet))
        made.append(Submission(f"wrong-{k}", answered(release, answers), loses))
    return made + _hostile(assignment, source, release, places, table.HARD_CODED)


def _with_words(notebook: Any, source: Any) -> Any:
    """Something in every answer that a person reads."""
    code = {grade_id(c): c.source for c in source.cells if c.cell_type == "code"}
    for cell in notebook.cells:
        if is_answer(cell) and points(cell):
            cell.source = code.get(grade_id(cell), "The weight of 309 is 0.30, of 308 it is 0.63.")
    return notebook


def _hostile(
    assignment: str, source: Any, release: Any, places: list[str], typed: Mapping[str, str]
) -> list[Submission]:
    right, everything = reference(source), frozenset(worth(source))
    attacked, rest_on_it = SPOILT[assignment]
    order = [grade_id(cell) for cell in source.cells]
    later = frozenset(n for n in everything if order.index(n) > order.index(attacked))
    first = next(iter(right))

    def spoilt(text: str) -> Any:
        return answered(release, right | {attacked: text})

    stolen = {name: THIEF.format(places=places, name=name) for name in right}
    patched = typed | {first: PATCH + typed[first]}
    clumsy = _clumsy(answered(release, right))
    return [
        Submission("thief", answered(release, stolen), everything),
        # what it changes is its own: it gets what typed-in numbers get
        Submission("patcher", answered(release, patched), everything - SHOWN[assignment]),
        Submission("leaver", spoilt("import os\nos._exit(0)"), later, "crash"),
        Submission("endless", spoilt("while True: pass"), frozenset(rest_on_it), "timeout"),
        Submission("clumsy", clumsy, frozenset(), "repaired", "a (1).ipynb"),
        Submission("strewn", _strewn(release, right), frozenset(), "repaired", "a.json"),
        Submission("split", _split(answered(release, right)), frozenset(), "repaired"),
        Submission("carried", _carried(_with_words(answered(release, right), source)),
                   frozenset(), file="a.ipynb.txt"),
        Submission("corrupt", nbformat.writes(release)[:-200], everything, "unreadable"),
    ]  # fmt: skip


def _clumsy(notebook: Any) -> Any:
    """Every test deleted but one, which is edited; an answer twice; all names lost."""
    answers = [cell for cell in notebook.cells if is_answer(cell)]
    test = next(cell for cell in notebook.cells if is_test(cell) and points(cell))
    test.source = "assert True"
    twice = copy.deepcopy(answers[0])
    twice["id"] = "pasted"
    notebook.cells = [notebook.cells[0], *answers, twice, test]
    for cell in answers[1:]:
        del cell.metadata["nbgrader"]
    return notebook


def _strewn(release: Any, right: Mapping[str, str]) -> Any:
    """Every answer in a new cell below its stub, one in markdown, one in a test."""
    notebook = copy.deepcopy(release)
    ways = itertools.chain(["markdown", "test"], itertools.repeat("code"))
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        text = right.get(grade_id(cell), "") if is_answer(cell) else ""
        if not text:
            continue
        way = next(ways)
        if way == "test":
            test = notebook.cells[notebook.cells.index(cell) + 1]
            test.source = f"{text}\n\n{test.source}"
        else:
            cells.append(new_code_cell(text) if way == "code"
                         else new_markdown_cell(f"```python\n{text}\n```"))  # fmt: skip
    notebook.cells = cells
    return notebook


def _split(notebook: Any) -> Any:
    """Every answer in code cut in the middle by the notebook's own command."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        lines = cell.source.split("\n")
        if is_answer(cell) and cell.cell_type == "code" and len(lines) > 1:
            half = copy.deepcopy(cell)
            middle = len(lines) // 2
            cell.source = "\n".join(lines[:middle]).rstrip("\n")
            half.source, half["id"] = "\n".join(lines[middle:]).lstrip("\n"), f"half-{len(cells)}"
            cells.append(half)
    notebook.cells = cells
    return notebook


def _carried(notebook: Any) -> Any:
    """Through Windows: other line ends, magics, scratch cells and a text of one's own."""
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    first = next(k for k, cell in enumerate(notebook.cells) if is_answer(cell))
    notebook.cells.insert(first, new_code_cell("%matplotlib inline\nscratch = [1, 2]\nscratch[5]"))
    notebook.cells.insert(first, new_markdown_cell("To myself: sleep."))
    return notebook
