"""The stored lectures, cell by cell: what is in a cell, and a test for each of them."""

from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from support.course_facts import BESIDE, PLAN, TO_COME, items
from support.paths import LECTURES

WIDGET = "application/vnd.jupyter.widget-view+json"
STILL = '<div class="hw-still">'  # what a stored notebook has in place of a widget

EXISTING = [name for name in PLAN if (LECTURES / f"{name}.ipynb").exists()]
OPTIONAL = [name for name in BESIDE if (LECTURES / f"{name}.ipynb").exists()]
DRAFT = pytest.mark.xfail(reason="the lecture is still to come", strict=False)


def or_draft(stem: str, value: object) -> Any:
    """A test's argument, with leave to fail if the lecture is still to come."""
    return pytest.param(value, id=stem, marks=DRAFT if stem in TO_COME else ())


every_lecture = pytest.mark.parametrize("name", [or_draft(name, name) for name in EXISTING])
every_told = pytest.mark.parametrize("name", [or_draft(n, n) for n in (*EXISTING, *OPTIONAL)])
every_notebook = pytest.mark.parametrize(
    "path", [or_draft(path.stem, path) for path in sorted(LECTURES.glob("*.ipynb"))]
)


@cache
def cells_of(path: Path) -> list[Any]:
    return nbformat.read(path, as_version=4).cells


def cells(name: str) -> list[Any]:
    return cells_of(LECTURES / f"{name}.ipynb")


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def outputs(cell: Any, kind: str) -> list[str]:
    """The outputs of one kind that a code cell stores."""
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [found[kind] for found in data if kind in found]


def written(cell: Any) -> str:
    """What a reader reads in a cell: its Markdown, or the Markdown it displays."""
    texts = [cell.source] if cell.cell_type == "markdown" else outputs(cell, "text/markdown")
    return "\n\n".join(texts)


def has_widget(cell: Any) -> bool:
    stills = [text for text in outputs(cell, "text/html") if STILL in "".join(text)]
    return bool(outputs(cell, WIDGET) or stills)


def has_figure(cell: Any) -> bool:
    return bool(outputs(cell, "image/png"))


def due(name: str) -> list[str]:
    """The items a lecture is planned to teach."""
    return [item for item, lecture in items().items() if name.startswith(lecture)]
