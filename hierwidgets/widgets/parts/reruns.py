"""Run a cell or a callback again, and the instruments that its last run left are closed.

ipywidgets keeps every widget until it is closed, and so with every run a kernel would hold one
instrument more, with all its marks and the fit behind it. IPython keeps it too.

A cell holds what its last run made or showed. An instrument that one cell makes and another one
shows therefore stays until both have run again. In a callback, as of a button or of ``interact``,
a line of code holds what it made for the last message, and its caller's line tells two uses of one
function apart.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

__all__ = ["made", "part_of_another", "shown"]

Held = dict[str, tuple[str, WeakSet[Any]]]  # by place: its last run, and what that holds

_cells: Held = {}
_lines: Held = {}
_PACKAGE = __name__.partition(".")[0]
_CALLERS = ("traitlets", "ipywidgets")  # of callbacks
_KERNEL = ("IPython", "ipykernel")  # runs cells and callbacks; a program of traitlets starts it
_within: list[bool] = []  # as deep as instruments are made inside of others


@contextmanager
def part_of_another() -> Iterator[None]:
    """An instrument that is made meanwhile belongs to another one, which closes it."""
    _within.append(True)
    try:
        yield
    finally:
        _within.pop()


def made(instrument: Any) -> None:
    """Note that this instrument is made now; what nothing holds any more is closed."""
    if _within:
        return
    cell, line, run = _now()
    dropped = _hold(_lines, line, run, instrument)
    if not cell or line.startswith("callback"):
        for old in dropped:
            _close(old)
    shown(instrument)


def shown(instrument: Any) -> None:
    """Note that the cell that runs makes or shows this instrument."""
    cell, _, run = _now()
    dropped = _hold(_cells, cell, run, instrument)
    for old in dropped:
        if not any(old in kept for _, kept in _cells.values()):
            _close(old)


def _hold(held: Held, place: str, run: str, instrument: Any) -> list[Any]:
    """Let a place hold an instrument; what its earlier run held, it holds no longer."""
    if not place:
        return []
    last, kept = held.get(place, (run, WeakSet()))
    dropped = []
    if last != run:
        dropped, kept = [old for old in kept if old is not instrument], WeakSet()
    kept.add(instrument)
    held[place] = run, kept
    return dropped


def _close(instrument: Any) -> None:
    """Close it, and take it out of what IPython keeps of results: ``Out[n]`` and ``_n``."""
    instrument.close()
    shell = _shell()
    for kept in (shell.user_ns.get("Out", {}), shell.user_ns, shell.user_ns_hidden):
        for key in [key for key, value in kept.items() if value is instrument]:
            if isinstance(key, int) or key.strip("_").isdigit():
                del kept[key]


def _shell() -> Any:
    return getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()


def _now() -> tuple[str, str, str]:
    """The cell that runs (its id in JupyterLab, elsewhere its code), the line, and the run."""
    try:
        message = _shell().get_parent()
        run = str(message["header"]["msg_id"])
    except (AttributeError, KeyError, TypeError, LookupError):
        return "", "", ""  # not in a notebook
    code = message.get("content", {}).get("code", "")
    cell = message.get("metadata", {}).get("cellId") or code
    return str(cell), _line(), run


def _line() -> str:
    """Where outside this package an instrument is made, and from where that was called."""
    places, owners = list[str](), set[str]()
    frame = sys._getframe(1)
    while frame.f_back is not None:
        owner = frame.f_globals.get("__name__", "").partition(".")[0]
        if owner in _KERNEL:
            break
        if owner != _PACKAGE:
            places.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            owners.add(owner)
        frame = frame.f_back
    kind = "callback" if owners.intersection(_CALLERS) else "code"
    return " from ".join([kind, *places[:2]])
