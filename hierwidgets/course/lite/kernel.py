"""In the browser: started with the notebook's kernel, before the first cell.

A cell that cannot run there shows what it has shown elsewhere, and says why. The lookup of a module
tries the notebook's own folder last, for that folder is a question to the page and back.
"""

import ast
import hashlib
import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["ELSEWHERE", "PLACE", "defined", "key", "start"]

ELSEWHERE = ("marginaleffects", "polars", "jax")
"""Modules that cells of the lectures import and that are not there."""
PLACE = "home/pyodide/.lectures/stored.json"
"""Where the stored outputs are, below the root of Pyodide's file system."""
_WHY = (
    "*{name}* does not run in a browser (it needs a newer polars, and jax, than are compiled for "
    "it). "
)
_RESULT = "This is what the cell has shown elsewhere, not a run of yours:"
_NO_RESULT = "There is no stored result of this cell, for you have changed it."
_WHERE = "To run it, open this lecture in JupyterLab or on Binder; its page has the buttons."


def key(source: str) -> str:
    """The name of a cell's stored outputs: a hash of its text.

    Examples
    --------
    >>> key("x = 1\\n") == key("x = 1")
    True
    """
    return hashlib.sha256(source.strip().encode()).hexdigest()[:16]


def defined(source: str) -> set[str]:
    """Names that a cell defines at its top level, by assignment, import, `def` or `class`.

    Examples
    --------
    >>> sorted(defined("from polars import col as c\\na, b = 1, 2\\ndef f(x): y = x"))
    ['a', 'b', 'c', 'f']
    """
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            names |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
    return names


class Elsewhere:
    """What is shown in place of an error whose cause is a module that is not there.

    Parameters
    ----------
    shell : InteractiveShell
        IPython's, whose cells are looked after.
    stored : dict
        Outputs by the `key` of their cells.
    """

    def __init__(self, shell: Any, stored: dict[str, list[dict[str, Any]]]) -> None:
        self._shell, self._stored = shell, stored
        self._source = ""
        self._absent: dict[str, str] = {}
        shell.events.register("pre_run_cell", self._begin)
        shell.set_custom_exc((ImportError, NameError), self._error)

    def _begin(self, info: Any) -> None:
        self._source = info.raw_cell

    def _error(
        self,
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
        tb_offset: int | None = None,
    ) -> None:
        module = self._module(error)
        if module:
            self._show(module)
            return
        lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset)
        shell._showtraceback(kind, error, lines)

    def _module(self, error: BaseException) -> str:
        """The module that `error` is about, "" if it is about something else."""
        name = getattr(error, "name", None) or ""
        if isinstance(error, NameError):
            return self._absent.get(name, "")
        root = name.split(".")[0]
        return root if isinstance(error, ModuleNotFoundError) and root in ELSEWHERE else ""

    def _show(self, module: str) -> None:
        from IPython.display import Markdown, display

        outputs = self._stored.get(key(self._source))
        names = defined(self._source) - set(self._shell.user_ns)
        self._absent |= dict.fromkeys(names, module)
        told = _NO_RESULT if outputs is None else _RESULT if outputs else ""
        display(Markdown(f"{_WHY.format(name=module)}{_WHERE} {told}".strip()))
        for output in outputs or []:
            display(output["data"], metadata=output["metadata"], raw=True)


def start(shell: Any, root: str = "/") -> None:
    """Look after the cells of `shell`; `root` is the root of the file system."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # its monitor is a thread, and none can be begun
    if "" in sys.path:
        sys.path.remove("")
        sys.path.append("")
    Elsewhere(shell, json.loads(Path(root, PLACE).read_text()))
