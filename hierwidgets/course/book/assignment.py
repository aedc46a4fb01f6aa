"""The text of an assignment as students get it: questions, what to write, what is checked.

Only what is named here is taken over: prose, code that is given, the head of what is to be written,
and the first line of each check. Solutions, mark schemes and tests stay behind, the visible ones
too, for they are of use only where they run.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .anchors import without_mark

__all__ = ["text"]

_SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION[ \t]*$", re.M | re.S
)
_LEFT = re.compile(r"(?:BEGIN|END) (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_STOP = 'raise NotImplementedError("your answer goes here")'


def text(path: Path) -> str:
    """The student's text of an assignment, in MyST.

    Parameters
    ----------
    path : Path
        The source, with its solutions and tests.

    Returns
    -------
    str
        Without the output of any cell.

    Raises
    ------
    ValueError
        If a mark of a solution or a hidden test is left in it.
    """
    import nbformat

    parts: list[str] = []
    checks: list[str] = []
    for cell in nbformat.read(path, as_version=4).cells:
        told = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and told.get("grade") and not told.get("solution"):
            checks.append(_check(cell))
            continue
        parts += _listed(checks)
        checks = []
        parts.append(_part(cell, told))
    whole = "\n\n".join(part for part in [*parts, *_listed(checks)] if part) + "\n"
    if left := _LEFT.search(whole):
        raise ValueError(f"{path.name}: '{left[0]}' would be shown to students")
    return whole


def _part(cell: Any, told: dict[str, Any]) -> str:
    if cell.cell_type != "code":
        return "*Your words go here.*" if told.get("solution") else without_mark(cell.source)
    source = _SOLUTION.sub(rf"\1{_STOP}", cell.source) if told.get("solution") else cell.source
    return f"```python\n{source.strip()}\n```"


def _check(cell: Any) -> str:
    """What a check asks for: its first line, which says its points."""
    first: str = cell.source.split("\n", 1)[0]
    return first.lstrip("# ").strip() if first.startswith("#") else ""


def _listed(checks: list[str]) -> Iterator[str]:
    lines = [f"- {check}" for check in checks if check]
    if lines:
        yield "**Checked:**\n\n" + "\n".join(lines)
