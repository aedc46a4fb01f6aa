"""Run an assignment's tests on given answers, quickly and in this process; wrong answers; mutants.

The real thing, nbgrader in processes of their own, is what `test_grading` and the slow tests
run. Here the cells are executed one after another in one namespace, which takes a second.
"""

import ast
import contextlib
import copy
import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from hierwidgets.grading.cells import grade_id, is_answer, is_test, points
from support.paths import ROOT

SOURCE = ROOT / "lectures" / "assignments" / "source"


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong solution: what is wrong, the answers that differ, the tests it fails."""

    name: str
    what: str
    answers: Mapping[str, str] = field(hash=False)
    loses: frozenset[str]


def read(assignment: str) -> Any:
    """The source notebook, with solutions and hidden tests."""
    (path,) = (SOURCE / assignment).glob("*.ipynb")
    return nbformat.read(path, as_version=4)


def worth(notebook: Any) -> dict[str, float]:
    """The points of each test."""
    return {grade_id(c): points(c) for c in notebook.cells if is_test(c) and points(c)}


def reference(notebook: Any) -> dict[str, str]:
    """The answers of the source that are judged by tests: the reference solution."""
    code = [c for c in notebook.cells if is_answer(c) and c.cell_type == "code" and not points(c)]
    return {grade_id(c): c.source for c in code}


def swap(source: str, *pairs: tuple[str, str]) -> str:
    """The source with parts exchanged; each must be there."""
    for old, new in pairs:
        assert old in source, old
        source = source.replace(old, new)
    return source


def blank(notebook: Any) -> dict[str, str]:
    """Answers as they are given out: every function raises."""
    return {
        name: "\n\n".join(
            f"def {function.name}(*args, **kwargs):\n    raise NotImplementedError"
            for function in ast.parse(source).body
            if isinstance(function, ast.FunctionDef)
        )
        for name, source in reference(notebook).items()
    }


def failures(
    notebook: Any, answers: Mapping[str, str], *,
    only: str = "", given: bool = False, folder: Path | None = None,
) -> dict[str, BaseException]:  # fmt: skip
    """The tests that fail on these answers (the reference's where none is given), and why.

    `only` leaves out the tests of other questions: the prefix of a name, such as "q2-". With
    `given`, cells that are no tests are among what may fail. `folder` holds the files beside the
    notebook, the assignment's own without it.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    failed: dict[str, BaseException] = {}
    folder = folder or SOURCE / notebook.metadata.get("folder", "")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cell in notebook.cells:
            name = grade_id(cell)
            if cell.cell_type != "code" or (only and is_test(cell) and not name.startswith(only)):
                continue
            text = answers.get(name, cell.source) if is_answer(cell) else cell.source
            try:
                with contextlib.chdir(folder):
                    exec(compile(text, f"<{name}>", "exec"), space)
            except Exception as problem:
                failed[name] = problem
    tests = worth(notebook)
    return {name: problem for name, problem in failed.items() if given or name in tests}


# --- mutants ---

SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq,
    ast.Pow: ast.Mult,
}  # fmt: skip


class _Mutator(ast.NodeTransformer):
    """Changes the one place of a tree whose turn it is."""

    def __init__(self, turn: int) -> None:
        self.turn, self.place, self.said, self.line = turn, -1, "", 0

    def _mine(self, node: ast.expr) -> bool:
        self.place += 1
        if self.place == self.turn:
            self.line = node.lineno
        return self.place == self.turn

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) in SWAPS and self._mine(node):
            before = ast.unparse(node)
            node.op = SWAPS[type(node.op)]()
            self.said = f"{before} became {ast.unparse(node)}"
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if type(node.ops[0]) in SWAPS and self._mine(node):
            before = ast.unparse(node)
            node.ops = [SWAPS[type(node.ops[0])]()]
            self.said = f"{before} became {ast.unparse(node)}"
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.USub) and self._mine(node):
            self.said = f"{ast.unparse(node)} lost its minus"
            return node.operand
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        if number and self._mine(node):
            self.said = f"{node.value} became {node.value + 1}"
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every version of an answer with one operator, sign or number changed: (what, source).

    Default arguments stay as they are: what a default is, the question says.
    """
    tree = ast.parse(source)
    turn = 0
    while True:
        copied, mutator = copy.deepcopy(tree), _Mutator(turn)
        for function in ast.walk(copied):
            if isinstance(function, ast.FunctionDef):
                function.args.defaults, function.args.kw_defaults = [], []
        mutator.visit(copied)
        if not mutator.said:
            return
        for changed, first in zip(ast.walk(copied), ast.walk(tree), strict=False):
            if isinstance(changed, ast.FunctionDef) and isinstance(first, ast.FunctionDef):
                changed.args = first.args
        yield f"line {mutator.line}: {mutator.said}", ast.unparse(copied)
        turn += 1
