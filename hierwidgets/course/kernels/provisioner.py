"""How Jupyter gets a kernel that is a fork of `mother`."""

import asyncio
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Lock
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

__all__ = ["Forked", "SharedProvisioner", "begin"]

_BEGIN = "import sys; from hierwidgets.course.kernels import mother; mother.main(int(sys.argv[1]))"
_LAUNCHER = ["-m", "ipykernel_launcher"]
_PATIENCE = 60.0  # seconds until a mother has imported everything, on a busy machine
_PACKAGE = Path(__file__).parents[2]
_LOCK = Lock()
_POSSIBLE = hasattr(os, "pidfd_open") and hasattr(os, "fork")


class Forked:
    """A kernel that is somebody else's child, seen as `subprocess.Popen` shows a process."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:
            self._handle, self.returncode = -1, 1

    def poll(self) -> int | None:
        """None while it runs."""
        return self._until(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        if self._until(timeout) is None:
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0.0)
        return self.returncode or 0

    def _until(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            look = select.poll()  # which takes handles of any number
            look.register(self._handle, select.POLLIN)
            if look.poll(None if seconds is None else 1000 * seconds):
                os.close(self._handle)
                self.returncode = 0  # how it ended is its parent's to know
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Mother:
    """The other end of a `mother`; it ends with this process, and its kernels with it."""

    def __init__(self) -> None:
        self.born, self.forks, self.failed = _newest(), 0, False
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(_PATIENCE)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _BEGIN, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.answers = self.channel.makefile("rb")

    def fork(self, request: dict[str, Any]) -> Forked:
        """A kernel; one that did not answer in time is asked no more, for it may answer later."""
        try:
            self.channel.sendall(json.dumps(request).encode() + b"\n")
            forked = Forked(int(self.answers.readline()))
        except (OSError, ValueError):
            self.failed = True
            if not self.forks:  # its own kernels would end with it
                self.process.kill()
            raise
        self.forks += 1
        return forked

    def end(self) -> None:
        """Hang up: it ends, and its kernels after it."""
        self.answers.close()
        self.channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=3)

    def retire(self) -> None:
        """Let it end with the last of its kernels."""
        with contextlib.suppress(OSError):
            self.channel.sendall(b"null\n")

    @property
    def fresh(self) -> bool:
        """Whether it runs, and with the package as it stands now."""
        return not self.failed and self.process.poll() is None and self.born == _newest()


_mothers: list[Mother] = []


@atexit.register
def _hang_up() -> None:
    while _mothers:
        _mothers.pop().end()


def _newest() -> float:
    """When a file of the package was last changed."""
    return max(path.stat().st_mtime for path in _PACKAGE.rglob("*.py"))


def begin() -> None:
    """Let a mother import everything, before the first kernel is asked for; it is not waited for.

    On a system that has no forks or no handles of processes, nothing is done.
    """
    if _POSSIBLE:
        with _LOCK, contextlib.suppress(OSError):
            _mother()


def _fork(request: dict[str, Any]) -> Forked:
    with _LOCK:
        return _mother().fork(request)


def _mother() -> Mother:
    """The one that has the package as it stands now."""
    if not (_mothers and _mothers[-1].fresh):
        for old in tuple(_mothers):
            if old.process.poll() is None:
                old.retire()
            else:
                _mothers.remove(old)
                old.end()
        _mothers.append(Mother())
    return _mothers[-1]


class SharedProvisioner(LocalProvisioner):
    """Starts a kernel as a fork of a process that has imported everything.

    It does what `LocalProvisioner` does wherever that cannot be: on a system without handles of
    processes, for another command than that of IPython's kernel, or when the fork fails.
    """

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork; the arguments are those of `LocalProvisioner`."""
        where = cmd.index(_LAUNCHER[1]) if _LAUNCHER[1] in cmd else 0
        usual = cmd[0] == sys.executable and cmd[1 : where + 1] == _LAUNCHER
        if not (usual and _POSSIBLE):
            return await super().launch_kernel(cmd, **kwargs)
        env = dict(kwargs.get("env") or os.environ)
        cwd = kwargs.get("cwd")
        request = {"argv": cmd[where:], "env": env, "cwd": str(cwd) if cwd else None}
        forked = None
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            forked = await asyncio.get_running_loop().run_in_executor(None, _fork, request)
        if forked is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process = forked  # type: ignore[assignment] # all of Popen that is used
        self.pid = self.pgid = forked.pid
        self.cwd = cwd or Path.cwd()
        return self.connection_info
