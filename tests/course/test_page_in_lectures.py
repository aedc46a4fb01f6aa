"""The page in the lectures: its numbers are compared with ours, its sentences are not copied.

Nothing is run here: nbval runs every cell, so an `assert` or a ``page.check`` that stands in one
has held.
"""

import ast
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from support.course_facts import (
    CODE,
    code_symbols,
    page_hashes,
    prose_hashes,
    source_hashes,
    windows,
)
from support.notebooks import (
    EXISTING,
    OPTIONAL,
    cells,
    cells_of,
    due,
    every_lecture,
    every_notebook,
    tags,
    written,
)

from hierwidgets import exercises
from hierwidgets.course import texts as course_texts
from hierwidgets.course.page import printed

SHOWING = (*EXISTING[1:], *OPTIONAL)  # the lectures whose comparisons count
NOT_REPRODUCIBLE = {("S84", "minutes")}  # a time on another machine: quoted, not asserted


# The page's numbers


def literals(tree: ast.AST) -> set[str]:
    """Numbers written in code, and texts, as text; numbers in their shortest form."""
    found: set[str] = set()
    for node in ast.walk(tree):
        negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        constant = node.operand if negative else node  # type: ignore[attr-defined]
        if not isinstance(constant, ast.Constant) or isinstance(constant.value, bool):
            continue
        if isinstance(constant.value, int | float):
            found.add(f"{-constant.value if negative else constant.value:g}")
        elif isinstance(constant.value, str):
            found.add(constant.value)
    return found


def checked(tree: ast.AST) -> set[tuple[str, str]]:
    """The (item, name) pairs of every ``page.check("S28", mu=...)`` and ``page.number(...)``."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = ast.unparse(node.func)
        first = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        if called == "page.check":
            found |= {(first[0], keyword.arg) for keyword in node.keywords if keyword.arg}
        elif called == "page.number" and tuple(first[:2]) in NOT_REPRODUCIBLE:
            found.add(tuple(first[:2]))
    return found


def asserts_itself(cell: Any, record: printed.Printed) -> bool:
    """Whether a cell with the item's tag holds the number among what it asserts."""
    if record.item not in tags(cell):
        return False
    tree = ast.parse(cell.source)
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        return False
    return any(
        literal == record.text or record.agrees(_number(literal)) for literal in literals(tree)
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


@cache
def code_cells(name: str) -> list[Any]:
    return [c for c in cells(name) if c.cell_type == "code" and c.source.strip()]


@cache
def all_code() -> tuple[ast.AST, ...]:
    """The code of every lecture from 01 on, and of the texts it shows."""
    own = [ast.parse(c.source) for name in SHOWING for c in code_cells(name)]
    return (*own, *(function for found in shown_texts().values() for function in found))


@cache
def all_checked() -> frozenset[tuple[str, str]]:
    return frozenset().union(*map(checked, all_code()))


def used(tree: ast.AST) -> set[str]:
    """Names that a piece of code uses, those after a point included."""
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def reached(functions: dict[str, ast.FunctionDef], names: set[str]) -> set[str]:
    """The functions that stand behind names: these, and those that they use."""
    found = functions.keys() & names
    while more := {n for f in found for n in functions.keys() & used(functions[f])} - found:
        found |= more
    return set(found)


@cache
def shown_texts() -> dict[str, list[ast.FunctionDef]]:
    """The functions of ``course/texts`` that a lecture calls, by module."""
    texts = {}
    for path in sorted(Path(course_texts.__file__).parent.glob("lecture_*.py")):
        name = path.stem.removeprefix("lecture_").upper()
        lectures = [n for n in SHOWING if n.upper().split("-")[0] == name]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        names = set().union(*(used(ast.parse(c.source)) for n in lectures for c in code_cells(n)))
        texts[path.stem] = [functions[n] for n in sorted(reached(functions, names))]
    return texts


def text_asserts(function: ast.FunctionDef, record: printed.Printed) -> bool:
    """Whether a text whose docstring names the item holds the number among what it asserts."""
    if not re.search(rf"\b{record.item}\b", ast.get_docstring(function) or ""):
        return False
    if not any(isinstance(node, ast.Assert) for node in ast.walk(function)):
        return False
    return any(
        literal == record.text or record.agrees(_number(literal)) for literal in literals(function)
    )


def unasserted(item: str) -> list[str]:
    """The printed numbers of an item that no lecture from 01 on compares with ours."""
    missing = []
    for record in printed.numbers(item):
        if (item, record.name) in all_checked():
            continue
        found = any(asserts_itself(c, record) for name in SHOWING for c in code_cells(name))
        texts = (function for several in shown_texts().values() for function in several)
        if not (found or any(text_asserts(function, record) for function in texts)):
            missing.append(f"{record.name} {record.label} {record.text}")
    return missing


@every_lecture
def test_printed_numbers_are_asserted(name: str) -> None:
    """In each, ``page.check`` compares them; or a cell with the tag lists and asserts them."""
    asked = [item for item in due(name) if item in printed.items()]
    assert {item: unasserted(item) for item in asked if unasserted(item)} == {}


def test_a_number_that_is_only_mentioned_is_not_asserted() -> None:
    record = printed.number("S28", "mu")
    told = nbformat.v4.new_code_cell("x = -1.37", metadata={"tags": ["S28"]})
    untagged = nbformat.v4.new_code_cell("assert x == -1.37")
    other = nbformat.v4.new_code_cell("assert x == -1.4", metadata={"tags": ["S28"]})
    asserted = nbformat.v4.new_code_cell("assert x == -1.37", metadata={"tags": ["S28"]})
    assert [asserts_itself(c, record) for c in (told, untagged, other)] == [False] * 3
    assert asserts_itself(asserted, record)
    assert checked(ast.parse("page.check('S28', mu=m, **rest)")) == {("S28", "mu")}
    assert checked(ast.parse("page.number('S28', 'mu')")) == set()


def test_texts_count_where_a_lecture_shows_them() -> None:
    code = '''
def told(m):
    """The centre (S28)."""
    assert m == -1.37
    return inner(m)

def inner(m): return page.check("S29", sigma=m)
def other(m): return page.check("S30", sigma=m)
'''
    functions = {node.name: node for node in ast.parse(code).body}  # type: ignore[attr-defined]
    assert reached(functions, used(ast.parse("told.told(fit)"))) == {"told", "inner"}
    assert checked(functions["inner"]) == {("S29", "sigma")}
    assert text_asserts(functions["told"], printed.number("S28", "mu"))
    assert not text_asserts(functions["inner"], printed.number("S28", "mu"))


# The page's sentences


def code_in(cell: Any) -> list[str]:
    if cell.cell_type == "code":
        return [cell.source]
    return re.findall(r"```\w*\n(.*?)```", cell.source, re.DOTALL)


@every_notebook
def test_no_sentence_of_the_page_stands_in_the_prose(path: Path) -> None:
    stored = page_hashes()
    for cell in cells_of(path):
        found = prose_hashes(written(cell))
        assert {found[key] for key in found.keys() & stored} == set()


@every_notebook
def test_no_code_of_the_page_stands_in_the_lecture(path: Path) -> None:
    stored = page_hashes()
    for code in (code for cell in cells_of(path) for code in code_in(cell)):
        found = windows(code_symbols(code), CODE)
        assert {found[key] for key in found.keys() & stored} == set()


@pytest.mark.parametrize("name", exercises.names())
def test_no_sentence_of_the_page_stands_in_the_exercises(name: str) -> None:
    exercise = exercises._find(name)
    texts = [*exercise.hints, exercise.right, *(slip.message for slip in exercise.mistakes)]
    assert not prose_hashes("\n\n".join(texts)).keys() & page_hashes()


def test_a_copied_sentence_is_recognised() -> None:
    text = "A sentence of eight or more words, **as it may** stand.\n\nAnd that was all of it."
    stored = source_hashes(text)
    assert prose_hashes("Before it: a sentence of Eight or more words, as").keys() & stored
    assert prose_hashes("> Well, and that was all of it.").keys() & stored
    assert (
        not prose_hashes("A sentence of eight, or of more, words; and that was it.").keys() & stored
    )
    # from the page itself: where the first lecture would be tempted most
    assert prose_hashes("A scatterplot is a safe and potentially informative way").keys() & (
        page_hashes()
    )
