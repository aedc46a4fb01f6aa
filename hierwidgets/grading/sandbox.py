"""Run a command away from the network, the course's files and other work, within limits."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

__all__ = ["USUAL", "Limits", "Outcome", "isolation", "run_limited"]

STEP = 0.1  # seconds between two looks at a process tree
MOST_LINES = 64_000_000  # characters that one run may report


@dataclass(frozen=True, slots=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    seconds
        Wall time of the whole notebook.
    cell_seconds
        Wall time of one cell, after which it is interrupted and the next one runs.
    megabytes
        Memory of all its processes together.
    processes
        How many processes and threads it may have at once.
    """

    seconds: float = 300.0
    cell_seconds: float = 60.0
    megabytes: float = 2048.0
    processes: int = 100


@dataclass(slots=True)
class Outcome:
    """What came back: the lines reported, and why the run was stopped (empty if it ended)."""

    lines: list[str] = field(default_factory=list)
    stopped: str = ""
    log: str = ""


USUAL = Limits()


@cache
def isolation() -> bool:
    """Whether this system lets an ordinary user make namespaces of its own (Linux)."""
    if shutil.which("unshare") is None or sys.platform != "linux":
        return False
    probe = ["unshare", *_NAMESPACES, "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(probe, capture_output=True, timeout=20).returncode == 0


_NAMESPACES = ("--user", "--map-root-user", "--net", "--pid", "--fork", "--mount", "--mount-proc",
               "--kill-child")  # fmt: skip
# An empty folder is laid over every path that answers must not read; loopback is the kernel's.
_HIDE = """
for path; do [ "$path" = -- ] && { shift; break; }; mount -t tmpfs none "$path" || exit 97; shift
done
"$PYTHON" -c "$LOOPBACK" || exit 98
exec "$@"
"""
# Kernel and client talk over the interface lo, which is down at first. This sets its flags
# IFF_UP | IFF_RUNNING by SIOCSIFFLAGS.
_LOOPBACK = (
    "import fcntl, socket, struct; fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "
    "0x8914, struct.pack('16sh14x', b'lo', 0x41))"
)


def _command(command: list[str], hidden: list[Path]) -> tuple[list[str], dict[str, str]]:
    """The command within namespaces where there are any, and additions to its environment."""
    if not isolation():
        return command, {}
    paths = [str(path) for path in hidden if path.is_dir()]
    wrapped = ["unshare", *_NAMESPACES, "sh", "-c", _HIDE, "sh", *paths, "--", *command]
    return wrapped, {"PYTHON": sys.executable, "LOOPBACK": _LOOPBACK}


def run_limited(
    command: Callable[[int], list[str]], request: str, folder: Path, limits: Limits,
    hidden: list[Path], environment: dict[str, str],
) -> Outcome:  # fmt: skip
    """Run a command in `folder`, watch its process tree, and collect the lines it reports.

    Parameters
    ----------
    command
        Makes the command from the file descriptor it is to report to.
    request
        What it reads from its standard input.
    folder
        Where it runs; a folder made for it alone.
    limits
        What it may use; a run beyond them is killed with all its children.
    hidden
        Folders it must not see, where the system allows that.
    environment
        All of its environment variables.
    """
    outcome, (reader, writer) = Outcome(), os.pipe()
    parts, more = _command(command(writer), hidden)
    log = folder.parent / "log.txt"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            parts, cwd=folder, env={**environment, **more}, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=stderr, pass_fds=(writer,), start_new_session=True,
        )  # fmt: skip
    os.close(writer)
    with _ended(process), os.fdopen(reader, "rb", buffering=0) as pipe:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(request.encode())
            process.stdin.close()
        outcome.stopped = _watch(process, pipe.fileno(), outcome, limits)
    outcome.log = log.read_text(errors="replace")[-2000:]
    return outcome


def _watch(process: "subprocess.Popen[bytes]", pipe: int, outcome: Outcome, limits: Limits) -> str:
    deadline, rest, size = time.monotonic() + limits.seconds, b"", 0
    while True:
        if select.select([pipe], [], [], STEP)[0]:
            data = os.read(pipe, 1 << 20)
            if not data:
                outcome.lines += [rest.decode(errors="replace")] if rest else []
                return ""
            size += len(data)
            *whole, rest = (rest + data).split(b"\n")
            outcome.lines += [line.decode(errors="replace") for line in whole]
        if size > MOST_LINES:
            return "output"
        if time.monotonic() > deadline:
            return "time"
        if why := _over(process.pid, limits):
            return why


def _over(pid: int, limits: Limits) -> str:
    """Which limit the process tree is over; empty if none."""
    import psutil

    count, memory = 0, 0
    try:
        root = psutil.Process(pid)
        for one in [root, *root.children(recursive=True)]:
            try:
                count += one.num_threads()
                memory += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return ""
    if count > limits.processes:
        return "processes"
    return "memory" if memory > limits.megabytes * 1e6 else ""


@contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """However the block ends, nothing of the process tree is left."""
    import psutil

    try:
        yield
    finally:
        for _ in range(20):  # a tree that keeps forking is cut again and again
            try:
                children = psutil.Process(process.pid).children(recursive=True)
            except psutil.NoSuchProcess:
                children = []
            for child in children:
                _kill(child.pid)
            if not children:
                break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
