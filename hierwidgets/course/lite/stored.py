"""Results of cells that cannot run in the browser, made elsewhere and kept for there.

marginaleffects wants a polars and a jax that are not compiled for the browser. A lecture's cell
that imports it, and every later cell that uses what such a cell defines, has its stored outputs put
into the image; `kernel` shows them in place of the error.
"""

import ast
import json
from pathlib import Path
from typing import Any

from .kernel import ELSEWHERE, PLACE, defined, key

__all__ = ["PLACE", "made_elsewhere"]

_SHOWN = ("text/markdown", "text/html", "text/plain", "image/png", "text/latex")


def made_elsewhere(lectures: Path) -> bytes:
    """The stored outputs of such cells in all notebooks of a folder, as JSON.

    The keys are those of :func:`hierwidgets.course.lite.kernel.key`.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(lectures.glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        absent: set[str] = set()
        for cell in cells:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and _needs(source, absent):
                absent |= defined(source) - _functions(source)
                found[key(source)] = [_plain(output) for output in cell["outputs"]]
    return json.dumps(found).encode()


def _needs(source: str, absent: set[str]) -> bool:
    """Whether a cell imports what is not there, or reads a name in `absent`.

    Examples
    --------
    >>> _needs("import polars as pl", set()), _needs("x = found + 1", {"found"})
    (True, True)
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # a magic of IPython
        return False
    imports = [node for node in nodes if isinstance(node, ast.Import)]
    imported = {alias.name for node in imports for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return bool({name.split(".")[0] for name in imported} & set(ELSEWHERE) or read & absent)


def _functions(source: str) -> set[str]:
    """Functions and classes of a cell, which are there even if what stands below them fails."""
    nodes = ast.parse(source).body
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _plain(output: dict[str, Any]) -> dict[str, Any]:
    """An output as plain text, Markdown, HTML or a picture: nothing that asks for a kernel."""
    if output["output_type"] == "stream":
        return {"data": {"text/plain": "".join(output["text"])}, "metadata": {}}
    data = {
        kind: value if isinstance(value, str) else "".join(value)
        for kind, value in output.get("data", {}).items()
        if kind in _SHOWN
    }
    return {"data": data, "metadata": output.get("metadata", {})}
