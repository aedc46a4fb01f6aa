"""Cells of an assignment: what they are."""

import re
from typing import Any

__all__ = [
    "HIDDEN",
    "grade_id",
    "is_answer",
    "is_test",
    "points",
    "question",
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
