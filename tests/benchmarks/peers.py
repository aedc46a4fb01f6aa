"""The peers, each in a process of its own that stays up, so that fits can be interleaved."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[1] / ".venv-bench"
GPBOOST = "gpboost==1.8.0"


class Peer:
    """A process that answers one line of JSON per request."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.versions: dict[str, str] = self._answer()

    def ask(self, *request: object) -> dict[str, Any]:
        """The answer to a request: seconds and neg2loglik."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, request)) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("ANSWER "):
                answer: dict[str, Any] = json.loads(line.removeprefix("ANSWER "))
                return answer
        self._errors.seek(0)
        raise RuntimeError(f"a peer ended early: {self._errors.read()[-2000:]}")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def r_peer(folder: Path) -> Peer | None:
    """lme4 and glmmTMB; None where Rscript is not here."""
    rscript = shutil.which("Rscript")
    return None if rscript is None else Peer([rscript, "--vanilla", HERE / "peers.R", folder])


def gpboost_peer(folder: Path) -> Peer | None:
    """GPBoost in an environment of its own, made the first time; None where that fails."""
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    check = [python, "-c", f"import gpboost as g; assert '=='+g.__version__ in {GPBOOST!r}"]
    if not python.exists() or subprocess.run(check, capture_output=True).returncode:
        print(f"installing {GPBOOST} into {ENVIRONMENT.name} (once)", flush=True)
        if not _install(python):
            return None
    return Peer([python, HERE / "peer_gpboost.py", folder])


def _install(python: Path) -> bool:
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", GPBOOST]
    for command in ([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], pip):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f"GPBoost cannot be installed: {done.stderr.strip()[-500:]}")
            return False
    return True
