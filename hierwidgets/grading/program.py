"""What the tests' process runs: the tests and given cells of an assignment, and their names."""

import ast
import symtable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .cells import grade_id, is_answer, is_test

__all__ = ["Step", "steps", "unseen"]


@dataclass(frozen=True, slots=True)
class Step:
    """A test of the course or a cell that it gives out, with what the tests' process needs.

    Attributes
    ----------
    name, code, test
        The cell's name, its source with hidden parts, and whether it gives points.
    hidden
        Whether it has a hidden part.
    defined
        The names of answers that it uses.
    shared
        Variables of the course that it binds anew, which the answers are to see.
    binds, owned
        What a given cell binds; the names that are the answers' own where a test stands.
    """

    name: str
    code: str
    test: bool
    hidden: bool = False
    defined: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()


def steps(source: Any) -> list[Step]:
    """What the tests' process runs, from the source of the assignment."""
    made, owner = [], dict[str, str]()
    for cell in source.cells:
        if cell.cell_type != "code":
            continue
        bound, used = _names(cell.source)
        if is_answer(cell):  # what it imports is no answer
            owner.update(dict.fromkeys(bound - _imported(cell.source), "answer"))
        elif not is_test(cell):
            owner.update(dict.fromkeys(bound, "course"))
            made.append(Step(grade_id(cell), cell.source, test=False, binds=tuple(sorted(bound))))
        else:
            made.append(Step(
                grade_id(cell), cell.source, test=True, hidden="BEGIN HIDDEN" in cell.source,
                defined=tuple(sorted(n for n in used if owner.get(n) == "answer")),
                shared=tuple(sorted(n for n in bound if owner.get(n) == "course")),
                owned=tuple(sorted(n for n, whose in owner.items() if whose == "answer")),
            ))  # fmt: skip
    return made


def unseen(code: str) -> str:
    """A given cell without the instrument that it ends in, which no test looks at.

    Making one costs more than all tests of an assignment.
    """
    with suppress(SyntaxError, ValueError):
        match ast.parse(code).body:
            case [*_, ast.Expr(value=ast.Call(func=func)) as last]:
                alone = not last.col_offset  # nothing else stands on its line
                if alone and ast.unparse(func).startswith("hw.widgets."):
                    return "\n".join(code.splitlines()[: last.lineno - 1])
    return code


def _names(code: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds or changes at its top, and all that it mentions."""
    try:
        tree = ast.parse(code)
        table = symtable.symtable(code, "<cell>", "exec")
    except (SyntaxError, ValueError):  # commands of IPython
        lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
        return _names("\n".join(lines)) if len(lines) < len(code.splitlines()) else (set(), set())
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            inner: ast.expr = node
            while isinstance(inner, ast.Subscript | ast.Attribute):
                inner = inner.value
            bound |= {inner.id} if isinstance(inner, ast.Name) else set()
    return bound, {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _imported(code: str) -> set[str]:
    with suppress(SyntaxError, ValueError):
        table = symtable.symtable(code, "<cell>", "exec")
        return {s.get_name() for s in table.get_symbols() if s.is_imported()}
    return set()
