"""Run a cell again, and the instruments that its last run made are closed.

ipywidgets keeps every widget until it is closed, and so with every run of a cell a kernel would
hold one instrument more, with all its marks and the fit behind it. IPython keeps it too.
"""

import sys
from typing import Any
from weakref import WeakSet

__all__ = ["close_earlier"]

_made: dict[str, tuple[str, WeakSet[Any]]] = {}  # by cell: the run, and what it made


def close_earlier(instrument: Any) -> None:
    """Note that this instrument was made by the cell that runs; close those of its earlier runs."""
    cell, run = _now()
    if not cell:
        return
    last, made = _made.get(cell, ("", WeakSet()))
    if last != run:
        for old in list(made):
            old.close()
            _forget(old)
        made = WeakSet()
    made.add(instrument)
    _made[cell] = run, made


def _forget(instrument: Any) -> None:
    """Take it out of what IPython keeps of every displayed result: ``Out[n]`` and ``_n``."""
    shell = _shell()
    for kept in (shell.user_ns.get("Out", {}), shell.user_ns, shell.user_ns_hidden):
        for key in [key for key, value in kept.items() if value is instrument]:
            if isinstance(key, int) or key.strip("_").isdigit():
                del kept[key]


def _shell() -> Any:
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def _now() -> tuple[str, str]:
    """The cell that runs (its id in JupyterLab, elsewhere its code) and this run of it."""
    try:
        message = _shell().get_parent()
        cell = message.get("metadata", {}).get("cellId") or message["content"]["code"]
        return str(cell), str(message["header"]["msg_id"])
    except (AttributeError, KeyError, TypeError, LookupError):
        return "", ""  # not in a notebook
