"""The process that kernels are forks of.

It imports what lectures import and forks a kernel for each request, until whoever holds the other
end of its socket is gone; then its kernels notice that it is, and end too. It never runs a line of
a notebook.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import random
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from .packing import fill_gaps

__all__ = ["become_a_kernel", "main", "prepare"]

_REST = 3.0  # seconds after a cell until free memory goes back
_LINE = 2**20  # bytes of a request at most: an environment and a command
_LIBRARIES = (
    "matplotlib_inline.backend_inline", "matplotlib.pyplot", "pandas", "scipy.optimize",
    "scipy.stats", "arviz_stats",
    # A kernel of IPython, and what it imports when it starts and at its first cell:
    "ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.debugger", "IPython.core.completer",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger",
    "IPython.core.oinspect", "IPython.extensions.storemagic", "encodings.idna",
    "encodings.latin_1", "faulthandler", "psutil", "sqlite3", "tornado.platform.asyncio",
    "tornado.queues",
)  # fmt: skip
_OWN = ("hierwidgets.course.figures", "hierwidgets.course.questions", "hierwidgets.course.texts",
        "hierwidgets.course.page", "hierwidgets.widgets.numbers")  # fmt: skip


def prepare() -> None:
    """Import what lectures use, draw and fit once, and make it ready to be shared.

    It is kept out of the garbage collector: a collection would write to every object, and so to
    every page that kernels share. Nothing that comes later is put between it (`packing`).
    """
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # read when ipykernel is imported
    with _without_jax():
        for name in _LIBRARIES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        _import_marginaleffects()
    import hierwidgets as hw

    sys.modules["pandas"].set_option("display.max_columns", 20)  # no terminal, as it thinks here
    for name in hw.__all__:
        getattr(hw, name)
    for name in hw.widgets.__all__:
        getattr(hw.widgets, name)
    for name in _OWN:
        package = importlib.import_module(name)
        for found in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{name}.{found.name}")
    _rehearse()
    fill_gaps()
    _note_files()
    gc.freeze()


@contextlib.contextmanager
def _without_jax() -> Iterator[None]:
    """As if jax were not installed, which takes 120 MiB of every kernel.

    marginaleffects looks for it when it is imported, to differentiate the models of some libraries;
    a fit of ours it never differentiates that way. Where jax is not found, finite differences do.
    ArviZ looks for it from Python 3.12 on, for NumPyro, and by a detour loads it.
    """
    if "jax" in sys.modules:
        yield
        return
    sys.modules["jax"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["jax"]


def _import_marginaleffects() -> None:
    """Import it with all its names."""
    with contextlib.suppress(ImportError):
        package = importlib.import_module("marginaleffects")
        importlib.import_module("marginaleffects.autodiff")
        for name in dir(package):
            getattr(package, name)


def _rehearse() -> None:
    """Fit, show and draw once: much is imported only then."""
    import hierwidgets as hw
    from hierwidgets.course.figures.base import blank_figure, png

    finland = hw.load("finland")
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted")
    hw.partial_pooling(fit).pivot_table(index="level", values="estimate").to_html()
    figure = blank_figure(4, 3)
    figure.add_subplot(title="$\\sigma$ and words", xlabel="x").plot([0, 1], [0, 1])
    png(figure)


def main(number: int) -> None:
    """Serve the socket of this number.

    A request is a line of JSON with ``argv``, ``env`` and ``cwd``, its answer a process's number;
    ``null`` asks it to end with the last of its kernels.
    """
    channel = socket.socket(fileno=number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the server's affair
    prepare()
    with channel.makefile("rb") as requests:
        while line := _next(channel, requests):
            asked = json.loads(line)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # BLAS's threads bear a fork
                child = os.fork()
            if not child:
                try:
                    os.close(number)
                    become_a_kernel(**asked)
                finally:
                    os._exit(1)
            channel.sendall(f"{child}\n".encode())


def _next(channel: socket.socket, requests: Any) -> bytes:
    """The next request; meanwhile kernels that have ended are buried. Nothing if it is over."""
    retired = False
    while True:
        alone = _bury()
        if retired and alone:
            return b""
        if not select.select([channel], [], [], 1.0)[0]:
            continue
        line = bytes(requests.readline(_LINE))
        if line.strip() != b"null":
            return line
        retired = True


def _bury() -> bool:
    """Take note of kernels that have ended; whether none is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def become_a_kernel(argv: list[str], env: dict[str, str], cwd: str | None) -> None:
    """What ``python -m ipykernel_launcher`` does, in a process that has imported everything."""
    import numpy as np

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(env)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())  # it ends when this one does
    time.tzset()
    if cwd:
        os.chdir(cwd)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    random.seed()
    np.random.seed()  # noqa: NPY002 - else every kernel's old-style numbers were the same
    sys.argv[:] = argv
    sys.path[:] = [place for place in sys.path if place and place != os.getcwd()]

    from ipykernel.kernelapp import IPKernelApp

    kernel = IPKernelApp.instance()
    with _modules_by_their_files():
        kernel.initialize()
    _give_back_at_rest(kernel.shell)
    kernel.start()
    os._exit(0)


def _give_back_at_rest(shell: Any) -> None:
    """Memory that cells have left free goes back when none has run for some seconds."""
    from hierwidgets.base.memory import give_back
    from hierwidgets.widgets.parts.later import Later

    later = Later(give_back, _REST)
    shell.events.register("post_run_cell", lambda _: later.ask())


@contextlib.contextmanager
def _modules_by_their_files() -> Iterator[None]:
    """A new kernel lists the files of all modules, for its debugger: hand it the list.

    Asking each module would write to it (a count of references): 13 MiB would be shared no more.
    """
    from ipykernel import ipkernel

    names = vars(ipkernel)
    names["sys"] = _Sys(_files)
    try:
        yield
    finally:
        names["sys"] = sys


class _Sys:
    """`sys`, but for its modules."""

    def __init__(self, modules: Mapping[str, "_File"]) -> None:
        self.modules = modules

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


class _File:
    """What is asked of a module: its file."""

    __slots__ = ("__file__",)

    def __init__(self, path: str) -> None:
        self.__file__ = path.encode().decode()  # a copy, beside the others


_files: dict[str, _File] = {}


def _note_files() -> None:
    """Put the files of all modules side by side."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    _files.update({name: _File(path) for name, path in files.items() if path})
