"""An IPython shell without a kernel: runs cells and keeps what they show, within limits."""

import base64
import io
import json
import os
import resource
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

__all__ = ["OutOfTime", "Shell", "limited", "prepare"]

GIVEN = "given"  # the folder with the assignment's files, copied to where cells run
FONTS = "matplotlib"  # the folder with a list of fonts that was made before
LARGEST_FILE = 100_000_000  # bytes of one file
MOST_TEXT = 20_000  # characters of one stream that are kept
MOST_OUTPUTS = 50  # outputs of one cell that are kept
MOST_DATA = 2_000_000  # characters of one picture or table


def prepare(megabytes: int, processes: int) -> None:
    """Limits that cannot be raised again, and a copy of the assignment's files to work in."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    most = processes + 50  # the parent ends who passes its own number; this one ends nobody
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    space = (megabytes + 6000) * 1_000_000  # reserved, of which most is never used
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails with words instead
    given = Path("..") / GIVEN
    for path in sorted(given.rglob("*")):
        own = path.relative_to(given)
        if path.is_dir():
            own.mkdir(exist_ok=True)
        else:
            shutil.copyfile(path, own)
    fonts, place = Path("..") / FONTS, Path(os.environ.get("MPLCONFIGDIR", Path("..") / FONTS))
    if fonts.is_dir() and not place.exists():  # it may be written to, as the original may not
        shutil.copytree(fonts, place)


class OutOfTime(BaseException):
    """Raised in code that has run for too long; no ``except Exception`` keeps it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `OutOfTime` in the block after so long; end the process if that does not help.

    The second clock counts processor time and needs no Python to go off, so it also ends a
    computation that never comes back from C.
    """

    def late(*_: Any) -> None:
        raise OutOfTime(f"no end after {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    signal.setitimer(signal.ITIMER_PROF, seconds + 2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Stream(io.TextIOBase):
    """What a cell prints, as far as a person would read it."""

    encoding = "utf-8"

    def __init__(self, name: str, shown: "Shown") -> None:
        self.name, self.shown = name, shown

    def write(self, text: str) -> int:
        self.shown.text(self.name, text)
        return len(text)

    def isatty(self) -> bool:
        return False


class Shown(list[dict[str, Any]]):
    """The outputs of a cell in nbformat's words."""

    def text(self, name: str, text: str) -> None:
        last = self[-1] if self else {}
        if last.get("output_type") != "stream" or last.get("name") != name:
            last = {"output_type": "stream", "name": name, "text": ""}
            self.keep(last)
        room = MOST_TEXT - len(last["text"])
        if room > 0:
            cut = "\n[the rest is cut off]" if len(text) > room else ""
            last["text"] += text[:room] + cut

    def keep(self, output: dict[str, Any]) -> None:
        if len(self) < MOST_OUTPUTS:
            self.append(output)

    def data(self, kind: str, data: dict[str, Any], metadata: Any, **more: Any) -> None:
        plain = {
            name: base64.b64encode(v).decode() if isinstance(v, bytes) else v
            for name, v in data.items()
        }
        if len(json.dumps(plain, default=str)) > MOST_DATA:
            plain = {"text/plain": "[a very large output was left out]"}
        self.keep({"output_type": kind, "data": plain, "metadata": metadata or {}, **more})


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    """Puts what is displayed among the outputs of the cell."""

    def publish(self, data: Any, metadata: Any = None, **_: Any) -> None:
        self.shell.shown.data("display_data", data, metadata)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.shown.clear()


class _Hook(DisplayHook):  # type: ignore[misc]
    """Puts the value of a cell's last line among its outputs."""

    def write_output_prompt(self) -> None:
        """A notebook numbers its cells itself."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.shell.shown.data("execute_result", format_dict, md_dict, execution_count=None)

    def finish_displayhook(self) -> None:
        """Nothing is left to write."""

    def quiet(self) -> bool:
        return self.semicolon_at_end_of_expression(self.shell.code)


class Shell(InteractiveShell):  # type: ignore[misc]
    """Runs one cell after the other; what goes wrong in one is an output of it."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.colors = "nocolor"
        self.shown, self.code = Shown(), ""
        super().__init__(
            config=config, user_ns={"__name__": "__main__"}, display_pub_class=_Publisher,
            displayhook_class=_Hook,
        )  # fmt: skip
        self.display_formatter.active_types = self.display_formatter.format_types

    def enable_gui(self, gui: Any = None) -> None:
        """Pictures stand in the notebook; there is no window."""

    def ask_exit(self) -> None:
        """A notebook goes on after ``exit()``, with the next cell."""

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        name = getattr(etype, "__name__", str(etype))
        self.shown.keep({
            "output_type": "error", "ename": name[:200], "evalue": str(evalue)[:2000],
            "traceback": [str(line)[:4000] for line in stb][-20:],
        })  # fmt: skip

    def cell(self, code: str, seconds: float) -> tuple[list[dict[str, Any]], bool]:
        """Run a cell: what it showed, and whether it was interrupted."""
        self.code, self.shown = code, (shown := Shown())
        streams, late = (sys.stdout, sys.stderr), False
        sys.stdout, sys.stderr = _Stream("stdout", shown), _Stream("stderr", shown)
        try:
            with limited(seconds):
                found = self.run_cell(code, store_history=False)
            problem = found.error_in_exec or found.error_before_exec
            late = isinstance(problem, OutOfTime)
            if problem is not None and not any(o["output_type"] == "error" for o in shown):
                self._showtraceback(type(problem), problem, [repr(problem)])
        except OutOfTime:
            late = True
        except BaseException as problem:  # of IPython's own, or that a cell gave it
            self._showtraceback(type(problem), "", [type(problem).__name__])
        finally:
            sys.stdout, sys.stderr = streams
        return shown, late
