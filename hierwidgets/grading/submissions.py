"""Read what a student handed in, whatever it is called and however it was packed."""

import json
from typing import Any

import nbformat

from hierwidgets.errors import DataError

from .folder import Course

__all__ = ["submitted"]

LARGEST = 20_000_000  # bytes of a submission


def submitted(course: Course, assignment: str, student: str) -> tuple[Any, tuple[str, ...]]:
    """The notebook a student handed in, whatever its name is, and what is odd about it."""
    right = course.notebook("submitted", assignment, student)
    found = sorted(right.parent.rglob("*.ipynb"), key=lambda p: (p != right, -p.stat().st_mtime))
    found = [p for p in found if ".ipynb_checkpoints" not in p.parts]
    if not found:
        names = ", ".join(sorted(p.name for p in right.parent.iterdir())) or "nothing"
        raise DataError(f"no notebook was handed in: {names}")
    notes: tuple[str, ...] = () if found[0] == right else (f"the file is called {found[0].name}",)
    if len(found) > 1:
        notes += (f"{len(found)} notebooks were handed in, {found[0].name} is graded",)
    size = found[0].stat().st_size
    if size > LARGEST:
        notes += (f"the file has {size / 1e6:.0f} MB; its outputs were dropped",)
    try:
        stored = json.loads(found[0].read_text(encoding="utf-8-sig", errors="strict"))
        return _plain(stored), notes
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DataError(f"{found[0].name} is not a notebook that can be read: {problem}") from None


def _plain(stored: Any) -> Any:
    """A notebook of any version without its outputs, as far as it can be read."""
    for cell in stored["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cell["source"] = "".join(cell["source"])
        cell.setdefault("metadata", {})
    notebook = nbformat.from_dict(stored)
    return nbformat.convert(notebook, 4) if stored.get("nbformat", 4) != 4 else notebook
