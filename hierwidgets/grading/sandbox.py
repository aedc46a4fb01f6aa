"""Run a process behind walls: no network, none of the course's files or other work, within limits.

The walls are bubblewrap's, a program that Flatpak is built on: name spaces of the kernel's in
which little is mounted, and that read-only. What is there is a list of what Python needs; what is
not on it does not exist inside.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from hierwidgets.errors import HierwidgetsError

from .readiness import FONTS, ready

__all__ = ["USUAL", "Limits", "SandboxError", "Sandboxed", "Stopped", "isolation", "why_not"]

LOOK = 0.25  # seconds between two looks at a process tree
TIMES = 20  # that a tree which keeps growing is cut
POLITE = 1.0  # seconds within which a process may end by itself
ROOM = 256_000_000  # bytes of each folder in memory that can be written to
FIRST, OTHERS = 1_610_000_000, 10_000_000  # numbers of users that nobody has
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    seconds
        Wall time of all cells together, and again of all tests.
    cell_seconds
        Wall time of one cell or one test, after which it is interrupted and the next one runs.
    megabytes
        Memory of all its processes together.
    processes
        How many processes and threads it may have at once.
    """

    seconds: float = 300.0
    cell_seconds: float = 60.0
    megabytes: float = 2048.0
    processes: int = 100


USUAL = Limits()


class SandboxError(HierwidgetsError):
    """There are no walls, or nothing starts within them."""


class Stopped(Exception):
    """The time of all cells together is over."""


# --- the walls ---


def isolation() -> bool:
    """Whether this system lets us put walls around a process (Linux with bubblewrap)."""
    return not why_not()


@cache
def why_not() -> str:
    """What is missing for walls, in words; empty if nothing is."""
    if sys.platform != "linux":
        return f"walls need Linux; this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "the program bwrap is not installed (Debian, Ubuntu: apt install bubblewrap)"
    probe = walled([sys.executable, "-c", "import numpy"], None, [])
    done = subprocess.run(probe, capture_output=True, timeout=60, text=True)
    return "" if not done.returncode else f"bwrap does not work here: {done.stderr.strip()[-300:]}"


_NUMBERS = count(os.getpid() * 1000)


def as_root() -> bool:
    return os.geteuid() == 0


def walled(command: list[str], given: Path | None, hidden: Iterable[Path]) -> list[str]:
    """The command behind bubblewrap's walls.

    Run by root, it becomes a user inside whom nobody else is, so that it can neither read what is
    root's nor meet another; run by anybody else, it keeps its number, loses every privilege and
    gets no new name spaces.
    """
    paths = _readable()
    parts = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
             "--unshare-cgroup-try", "--die-with-parent", "--new-session",
             "--cap-drop", "ALL"]  # fmt: skip
    change: list[str] = []
    if as_root():
        parts += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        number = FIRST + next(_NUMBERS) % OTHERS
        change = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups",
                  "--no-new-privs", "--inh-caps=-all", "--"]  # fmt: skip
    else:
        parts += ["--unshare-user", "--disable-userns"]
    parts += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/dev/shm", "/tmp", "/sitting"):
        parts += ["--perms", "1777", "--size", str(ROOM), "--tmpfs", folder]
    made = {Path("/"), Path("/dev"), Path("/tmp"), Path("/sitting")}
    for parent in sorted({parent for path in paths for parent in path.parents} - made):
        parts += ["--perms", "0755", "--dir", str(parent)]
    for path in paths:
        parts += ["--ro-bind", str(path), str(path)]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        if (link := Path("/", name)).is_symlink():
            parts += ["--symlink", str(link.readlink()), str(link)]
    for place in hidden:  # only what lies within something that is there
        if place.is_dir() and any(p != place and p in place.parents for p in paths):
            parts += ["--tmpfs", str(place), "--remount-ro", str(place)]
    parts += ["--perms", "1777", "--dir", "/sitting/work"]
    if given is not None:
        parts += ["--ro-bind", str(given), "/sitting/given"]
        parts += ["--ro-bind", str(given.parent / FONTS), f"/sitting/{FONTS}"]
    parts += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/sitting/work"]
    return [*parts, "--", *change, *command]


def _readable() -> list[Path]:
    """What a Python process needs: the system's programs, this Python, its packages, this one."""
    system = [Path("/usr"), *(p for p in map(Path, ("/bin", "/lib", "/lib64", "/sbin"))
                              if p.is_dir() and not p.is_symlink())]  # fmt: skip
    parts = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime")
    system += [Path("/etc", name) for name in parts]
    python = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]]
    packages = [Path(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    found: list[Path] = []
    for path in [*system, *python, *packages, PACKAGE]:
        if path.exists() and not any(p == path or p in path.parents for p in found):
            found.append(path)
    return found


# --- a process ---


class Sandboxed:
    """A process behind walls, with sockets to speak to it.

    Parameters
    ----------
    module
        What it runs: ``python -m hierwidgets.exam.<module>``.
    sockets
        How many connections it gets.
    files
        A folder whose files it gets to work on.
    limits
        What it may use; who is over is killed.
    hidden
        Folders it must not see.
    walls
        False runs it without walls.
    """

    def __init__(
        self, module: str, sockets: int, files: Path, limits: Limits, *,
        hidden: Iterable[Path] = (), walls: bool = True,
    ) -> None:  # fmt: skip
        self.limits, self.looked, self.stopped = limits, 0.0, ""
        self.runner, self.kept = 0, set[int]()
        self.place = tempfile.TemporaryDirectory(prefix="grading-")
        root = Path(self.place.name)
        pairs = [socket.socketpair() for _ in range(sockets)]
        self.ends = [pair[0] for pair in pairs]
        theirs = [pair[1].fileno() for pair in pairs]
        numbers = [int(limits.megabytes), limits.processes, *theirs]
        command = [sys.executable, "-m", f"hierwidgets.exam.{module}", *map(str, numbers)]
        given = root / "given"
        shutil.copytree(files, given) if files.is_dir() else given.mkdir()
        shutil.copytree(ready() / FONTS, root / FONTS)
        _open_to_all(root)
        folder = root / "work"
        folder.mkdir()
        with (root / "log.txt").open("wb") as log:
            self.process = subprocess.Popen(
                walled(command, given, hidden) if walls else command,
                cwd="/" if walls else folder, env=_environment(root, walls),
                stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=theirs,
                start_new_session=True,
            )  # fmt: skip
        for pair in pairs:
            pair[1].close()

    def log(self) -> str:
        """The end of what it wrote before it served."""
        path = Path(self.place.name) / "log.txt"
        return path.read_text(errors="replace")[-300:].strip() if path.exists() else ""

    def keep(self, *, start: bool = False) -> None:
        """Whatever is killed later, the processes that are there now stay, but for the runner.

        The runner, which is the last to be there at the start, runs what a student wrote.
        """
        tree = _tree(self.process.pid)
        if start and tree:
            self.runner = tree[-1]
        self.kept = {*tree} - {self.runner}

    def look(self) -> None:
        """Kill what is over its limits, at most every so often."""
        if time.monotonic() < self.looked + LOOK:
            return
        self.looked = time.monotonic()
        tree, most = _tree(self.process.pid), self.limits.megabytes * 1e6
        if sum(_threads(pid) for pid in tree) > self.limits.processes:
            self.stopped = "processes"
            self.fell()
        elif sum(map(_resident, tree)) > most:  # which counts what copies share for each of them
            memory = {pid: _own(pid) for pid in tree}
            if sum(memory.values()) > most:
                self.stopped = "memory"
                own = [pid for pid in tree if pid not in self.kept] or tree
                _kill(max(own, key=lambda pid: memory[pid]))

    def fell(self) -> None:
        """End all that is not kept, however fast it forks: first every one is stopped."""
        stopped = set[int]()
        for _ in range(10 * TIMES):
            late = {*_tree(self.process.pid)} - self.kept - stopped
            for pid in late:
                _kill(pid, signal.SIGSTOP)
            if not late:
                break
            stopped |= late
        for pid in stopped:
            _kill(pid)

    def end(self) -> None:
        """Whatever it does, nothing of it is left: no process, no file."""
        for end in self.ends:
            end.close()
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=POLITE)
        for _ in range(TIMES):  # a tree that keeps forking is cut again and again
            tree = _tree(self.process.pid)
            for pid in tree:
                _kill(pid)
            if not tree:
                break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=20)
        self.place.cleanup()


def _open_to_all(root: Path) -> None:
    """Let nobody's process read what lies in a folder of ours."""
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def _environment(root: Path, walls: bool) -> dict[str, str]:
    """Few variables: the answers get no home, no configuration, no secrets of the instructor."""
    kept = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    home = "/tmp" if walls else str(root)
    own = {
        "HOME": home, "TMPDIR": home, "IPYTHONDIR": f"{home}/ipython", "PYTHONPATH": _path(),
        "MPLCONFIGDIR": f"{home}/matplotlib", "NBGRADER_EXECUTION": "autograde",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_CACHE_DIR": f"{home}/numba",
    }  # fmt: skip
    return {name: os.environ[name] for name in kept if name in os.environ} | own


def _path() -> str:
    """Where this package is found, before any other copy of it."""
    return str(PACKAGE.parent)


def _tree(root: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    import psutil

    if not Path(f"/proc/{root}/task/{root}/children").exists():
        with suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(root).children(recursive=True)]
        return []
    found, open_ones = list[int](), [root]
    while open_ones:
        pid = open_ones.pop()
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                text = Path(f"/proc/{pid}/task/{thread}/children").read_text()
                open_ones += map(int, text.split())
        found += [pid] if pid != root else []
    return found


def _resident(pid: int) -> float:
    with suppress(OSError, ValueError, IndexError):
        return float(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    return 0.0


def _own(pid: int) -> float:
    """Bytes of a process; of those that copies share, its part."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) * 1024
    return _resident(pid)


def _threads(pid: int) -> int:
    with suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/task"))
    return 0


def _kill(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, how)
