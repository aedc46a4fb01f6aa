"""Cells of an assignment: what they are, and a submission rebuilt from the release."""

import ast
import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = [
    "HIDDEN",
    "Rebuilt",
    "grade_id",
    "is_answer",
    "is_test",
    "points",
    "question",
    "rebuild",
    "without_hidden",
]

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
HIDDEN = re.compile(rf"[ \t]*{BEGIN}.*?{END}[^\n]*\n?", re.DOTALL)


def _role(cell: Any) -> dict[str, Any]:
    return dict(cell.metadata.get("nbgrader", {}))


def grade_id(cell: Any) -> str:
    """nbgrader's name of the cell; empty where it has none."""
    return str(_role(cell).get("grade_id") or "")


def is_answer(cell: Any) -> bool:
    """Whether the student writes in it."""
    return bool(_role(cell).get("solution"))


def is_test(cell: Any) -> bool:
    """Whether it is run to give points."""
    return bool(_role(cell).get("grade")) and not is_answer(cell)


def points(cell: Any) -> float:
    """The points it can give; 0 for a cell that gives none."""
    return float(_role(cell).get("points") or 0) if _role(cell).get("grade") else 0.0


def question(name: str) -> str:
    """The question a cell belongs to: ``"Q2"`` for a cell named ``q2-wald-one``."""
    match = re.match(r"q(\d+)", name)
    return f"Q{match[1]}" if match else "other"


def without_hidden(source: str) -> str:
    """A test without its hidden part."""
    return HIDDEN.sub("", source)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A submission on the release notebook, and what was mended on the way."""

    notebook: Any
    notes: tuple[str, ...]


def rebuild(release: Any, source: Any, submission: Any) -> Rebuilt:
    """The release notebook with its full tests and only the student's answers.

    Tests, texts and their order come from the course, so what a student deleted, duplicated,
    renamed or edited elsewhere cannot matter. An answer is looked for by nbgrader's cell name,
    then by the notebook's cell id, then by what it defines.

    Parameters
    ----------
    release, source, submission
        Notebooks: what students got, what it was made from, what came back.

    Returns
    -------
    Rebuilt
        Outputs are empty; no argument is changed.
    """
    notebook, notes = copy.deepcopy(release), _foreign(release, submission)
    full = {grade_id(cell): cell.source for cell in source.cells if is_test(cell)}
    for cell in notebook.cells:
        if is_answer(cell):
            cell.source, note = _answer(cell, submission.cells)
            notes += note
        elif is_test(cell):
            cell.source = full[grade_id(cell)]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return Rebuilt(notebook, tuple(notes))


def _answer(stub: Any, cells: Iterable[Any]) -> tuple[str, list[str]]:
    """The source of an answer, and what had to be mended to find it."""
    name, ways = grade_id(stub), _ways(stub, list(cells))
    how, found = next(((how, found) for how, found in ways if found), ("", []))
    if not found:
        return stub.source, [f"{name}: missing, counted as not answered"]
    notes = [f"{name}: {how}"] if how else []
    if len(found) > 1:
        notes.append(f"{name}: {len(found)} copies, the last changed one counts")
        found = [cell for cell in found if cell.source.strip() != stub.source.strip()] or found
    if found[-1].cell_type != stub.cell_type:
        notes.append(f"{name}: had become a {found[-1].cell_type} cell")
    return found[-1].source, notes


def _ways(stub: Any, cells: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """The cells that may hold the answer, by ever weaker signs."""
    yield "", [cell for cell in cells if grade_id(cell) == grade_id(stub)]
    bare = [cell for cell in cells if not grade_id(cell)]
    same = [cell for cell in bare if cell.get("id") == stub.get("id")] if "id" in stub else []
    yield "lost its name, found by its id", same
    yield "lost its name, found by what it defines", [c for c in bare if _same_names(c, stub)]


def _same_names(cell: Any, stub: Any) -> bool:
    names = _defined(stub.source) if stub.cell_type == "code" else set()
    return bool(names) and names <= _defined(cell.source)


def _defined(source: str) -> set[str]:
    """The functions and variables a source defines at its top."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return set(re.findall(r"^(?:def|class) +(\w+)", source, re.MULTILINE))
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    targets = (target for node in body if isinstance(node, ast.Assign) for target in node.targets)
    return names | {target.id for target in targets if isinstance(target, ast.Name)}


def _foreign(release: Any, submission: Any) -> list[str]:
    """What in a submission is neither an answer nor as it was given out."""
    given = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
    seen: dict[str, list[Any]] = {}
    for cell in submission.cells:
        seen.setdefault(grade_id(cell), []).append(cell)
    notes = []
    for name, cell in given.items():
        if is_answer(cell):
            continue
        if name not in seen:
            notes.append(f"{name}: had been deleted, put back")
        elif any(other.source.strip() != cell.source.strip() for other in seen[name]):
            notes.append(f"{name}: had been edited, put back")
        elif len(seen[name]) > 1:
            notes.append(f"{name}: had been duplicated")
    texts = {cell.source.strip() for cell in release.cells}
    own = [c for c in seen.get("", []) if c.cell_type == "code" and c.source.strip() not in texts]
    own = [cell for cell in own if cell.source.strip()]
    if own:
        notes.append(f"{len(own)} code cells of the student's own: not part of the graded answers")
    return notes
