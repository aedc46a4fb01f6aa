"""Python's packages as one archive, laid out as the file system of Pyodide.

A wheel is made to be unpacked once and compiled when first used; in a browser each visit is the
first. So the wheels are unpacked here, what only developers and compilers want is left out, and
modules are compiled by Pyodide itself. The archive is a plain tar, compressed once as a whole: the
browser undoes that in its own code, and each file is then a part of the one buffer.

hierwidgets keeps its sources, for ``??`` and for tracebacks; of the others the compiled form goes
in alone.
"""

import gzip
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import NamedTuple

from .binaries import Binaries, Unavailable

__all__ = ["SITE", "Image", "lay_out", "make", "standard_library", "translate"]

SITE = "lib/python3.12/site-packages"
"""Where packages are, below the root of Pyodide's file system."""
LIBRARIES = "usr/lib"
_SCRIPT = Path(__file__).with_name("static") / "translate.mjs"
_OURS = "hierwidgets"
_NOT_RUN = (
    "/tests/", "/test/", "/sample_data/", "/include/", ".data/data/", ".data/scripts/",
    "/django-stubs/", "/web_backend/", "/distutils/",
)  # fmt: skip
"""Parts of a path that nothing in a lecture imports or reads."""
_NOT_READ = (".map", ".pxd", ".pyx", ".h", ".hpp", ".c", ".cpp", ".f", ".a", ".lib")


class Image(NamedTuple):
    """The archive, and what the worker must know of it.

    Attributes
    ----------
    file : Path
        The compressed archive; its name holds its hash.
    size : int
        Bytes of the archive when it is unpacked.
    packages : list of str
        Names of the packages in it, as Pyodide's list has them.
    """

    file: Path
    size: int
    packages: list[str]


def wanted(name: str) -> bool:
    """Whether a file of a wheel is of use in the browser.

    Examples
    --------
    >>> [wanted(f"numpy/{name}") for name in ("linalg.py", "tests/test_linalg.py", "core.h")]
    [True, False, False]
    """
    if name.endswith("/"):
        return False
    stubs = name.endswith(".pyi") and not name.startswith("jedi/")
    hidden = any(part in f"/{name}" for part in _NOT_RUN)
    return not (stubs or hidden or name.endswith(_NOT_READ))


def lay_out(root: Path, wheels: list[Path], more: Mapping[str, bytes]) -> list[str]:
    """Unpack `wheels` below `root`, and write the files of `more`; the names of the packages."""
    names = []
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            place = root / (SITE if path.suffix == ".whl" else LIBRARIES)
            for entry in archive.namelist():
                if wanted(entry):
                    archive.extract(entry, place)
            for entry in archive.namelist():
                if entry.count("/") == 1 and entry.endswith(".dist-info/METADATA"):
                    names.append(HeaderParser().parsestr(archive.read(entry).decode())["Name"])
    for name, content in more.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return names


def own_wheel(project: Path, folder: Path) -> Path:
    """hierwidgets as it stands in `project`, as a wheel."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    done = subprocess.run([*build, str(folder), str(project)], capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"the wheel of hierwidgets cannot be built: {done.stderr.strip()}")
    return next(folder.glob(f"{_OURS}-*.whl"))


def translate(binaries: Binaries, root: Path, keep: str = f"{SITE}/{_OURS},home") -> None:
    """Compile the modules below `root`; sources go, but below `keep` they stay.

    Raises
    ------
    Unavailable
        If Node is not installed or a module cannot be compiled, with the words it failed with.
    """
    command = ["node", str(_SCRIPT), str(binaries.pyodide.resolve()), str(root.resolve()), keep]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unavailable("node, which compiles the modules, is not installed") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise Unavailable(f"the modules cannot be compiled: {said[-2000:]}")
    for source in root.rglob("*.py"):
        if source.with_suffix(".pyc").exists():
            source.unlink()


def standard_library(binaries: Binaries, scratch: Path) -> bytes:
    """Pyodide's zip of the standard library with compiled modules in place of sources."""
    root = scratch / "standard"
    with zipfile.ZipFile(binaries.pyodide / "python_stdlib.zip") as archive:
        archive.extractall(root)
    translate(binaries, root, "none")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), (2020, 1, 1, 0, 0, 0))
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _entries(root: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        content = path.read_bytes()
        entry = tarfile.TarInfo(path.relative_to(root).as_posix())
        entry.size = len(content)
        yield entry, content


def make(
    binaries: Binaries, project: Path, kernel: list[Path], more: Mapping[str, bytes], folder: Path
) -> Image:
    """The image of all packages, in `folder`.

    Parameters
    ----------
    binaries : Binaries
        Checked wheels.
    project : Path
        Where hierwidgets is.
    kernel : list of Path
        Wheels that JupyterLite's kernel brings.
    more : dict of bytes by str
        Further files, by their paths below the root.
    folder : Path
        Where the image goes; it is made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        own = own_wheel(project, Path(scratch))
        wheels = [*binaries.compiled, *binaries.pure, *kernel, own]
        names = lay_out(root, wheels, more)
        translate(binaries, root)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for entry, content in _entries(root):
                archive.addfile(entry, io.BytesIO(content))
        (folder / "python_stdlib.zip").write_bytes(standard_library(binaries, Path(scratch)))
    content = buffer.getvalue()
    packed = gzip.compress(content, 8, mtime=0)
    file = folder / f"packages-{hashlib.sha256(packed).hexdigest()[:16]}.bin"
    file.write_bytes(packed)
    for name in ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm"):
        shutil.copy(binaries.pyodide / name, folder)
    return Image(file, len(content), sorted(names))
