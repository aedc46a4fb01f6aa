"""Answers in the stored run are folded behind their question."""

import copy
from typing import Any

import nbformat
import nbformat.v4 as v4
from support.notebooks import STILL, WIDGET
from support.paths import LECTURES

from hierwidgets.course.notebooks import clean, fold

ASKS = "**Guess first.** How many?"


def code(*data: dict[str, Any], **metadata: Any) -> Any:
    outputs = [v4.new_output("display_data", one) for one in data]
    return v4.new_code_cell("x", outputs=outputs, metadata=metadata)


def folded(*cells: Any) -> list[bool]:
    own = [copy.deepcopy(cell) for cell in cells]
    for number, cell in enumerate(own):
        cell.id = f"cell-{number}"
    notebook = fold(v4.new_notebook(cells=own))
    shown = [cell.metadata.get("jupyter", {}) for cell in notebook.cells]
    return [bool(one.get("outputs_hidden")) for one in shown]


def test_what_follows_a_guess_is_folded_down_to_the_next_prose() -> None:
    prose, answer = v4.new_markdown_cell("Four."), code({"text/plain": "4"})
    ask = v4.new_markdown_cell(ASKS)
    assert folded(answer, ask, answer, code(), answer, prose, answer) == [
        *(False, False, True, False, True, False, False)
    ]


def test_a_computed_question_is_seen_and_its_answer_folded() -> None:
    answer = code({"text/plain": "4"})
    assert folded(code({"text/markdown": ASKS}), answer) == [False, True]
    again = code({"text/markdown": ASKS})
    assert folded(v4.new_markdown_cell(ASKS), again, answer) == [False, False, True]


def test_an_instrument_is_seen() -> None:
    ask = v4.new_markdown_cell(ASKS)
    assert folded(ask, code({"text/html": STILL}), code({WIDGET: {}})) == [False, False, False]


def test_a_cell_may_say_otherwise() -> None:
    ask, one = v4.new_markdown_cell(ASKS), {"text/plain": "4"}
    assert folded(code(one, hierwidgets={"answer": True})) == [True]
    assert folded(ask, code(one, hierwidgets={"answer": False})) == [False, False]


def test_folding_can_be_undone_and_keeps_what_else_is_there() -> None:
    answer = code({"text/plain": "4"}, jupyter={"outputs_hidden": True, "source_hidden": True})
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("Four."), answer])
    assert fold(notebook).cells[1].metadata == {"jupyter": {"source_hidden": True}}


def test_cleaned_lectures_keep_their_outputs_and_fold_answers() -> None:
    answers = 0
    for path in sorted(LECTURES.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        before = [cell.get("outputs") for cell in notebook.cells]
        shown = [cell.metadata.get("jupyter", {}) for cell in clean(notebook).cells]
        assert [cell.get("outputs") for cell in notebook.cells] == before
        answers += sum(bool(one.get("outputs_hidden")) for one in shown)
    assert answers >= 30
