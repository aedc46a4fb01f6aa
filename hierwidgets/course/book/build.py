"""The command that makes the book.

``python -m hierwidgets.course book [--out FOLDER] [--work FOLDER] [--lectures FOLDER]``
    Writes the book into FOLDER (``site``); sources and Sphinx's memory stay in the work folder
    (``build/book``). What another command has put beside the pages, such as ``site/lite``, stays.
"""

import argparse
import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ...errors import MissingExtraError
from .sources import SETTINGS, gather

__all__ = ["build", "main"]

KEPT = ("lite",)
"""What other commands write into the folder of the book."""
RECORDINGS = "recordings"
"""The command of the course that records instruments; the book is made without it, too."""


def build(lectures: Path, out: Path, work: Path, *, recordings: Sequence[str] | None = None) -> int:
    """Make the book.

    Parameters
    ----------
    lectures, out, work : Path
        The lectures; where the pages go; where sources and doctrees go.
    recordings : sequence of str, optional
        The command that writes recorded instruments; ``--out FOLDER`` is added to it.

    Returns
    -------
    int
        Sphinx's exit code; a warning counts as an error.

    Raises
    ------
    MissingExtraError
        If Sphinx is not installed.
    FileNotFoundError
        If the lectures are not there, or the styles of formulas were not fetched.
    """
    sphinx = _sphinx()
    source = work / "source"
    gather(lectures, source)
    fetched(lectures / SETTINGS, source / "_static")
    if recordings:
        folder = source / "_static" / "instruments"
        subprocess.run([*recordings, "--out", str(folder)], check=True)
    html = work / "html"
    shutil.rmtree(html, ignore_errors=True)
    options = ["--builder", "html", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    folders = ["--conf-dir", str(lectures / SETTINGS), "--doctree-dir", str(work / "doctrees")]
    code: int = sphinx([*options, *folders, str(source), str(html)])
    if code == 0:
        publish(html, out)
    return code


def _sphinx() -> Callable[[Sequence[str]], int]:
    try:
        from sphinx.cmd.build import build_main
    except ImportError as error:
        raise MissingExtraError(
            "the book needs Sphinx: make site installs it, or pip install 'hierwidgets[site]'"
        ) from error
    return build_main


def fetched(settings: Path, static: Path) -> None:
    """The style sheet and the fonts of formulas, which npm has fetched."""
    katex = settings / "node_modules" / "katex" / "dist"
    if not katex.is_dir():
        raise FileNotFoundError(
            f"'{katex}' is missing: make site fetches it, or npm install in '{settings}'"
        )
    (static / "katex" / "fonts").mkdir(parents=True)
    shutil.copy(katex / "katex.min.css", static / "katex")
    for font in sorted((katex / "fonts").glob("*.woff2")):
        shutil.copy(font, static / "katex" / "fonts")


def publish(html: Path, out: Path) -> None:
    """Put the pages where they belong; what others keep there stays.

    Parameters
    ----------
    html, out : Path
        New pages, and the folder whose old pages they replace.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        if old.name not in KEPT:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for new in sorted(html.iterdir()):
        if new.name not in (".buildinfo", "objects.inv.tmp"):
            shutil.move(str(new), str(out / new.name))
    (out / ".nojekyll").touch()  # GitHub Pages would leave out folders such as _static
    with contextlib.suppress(OSError):
        html.rmdir()


def main(arguments: Sequence[str], *, recordings: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hierwidgets.course book")
    parser.add_argument("--lectures", type=Path, default=Path("lectures"))
    parser.add_argument("--out", type=Path, default=Path("site"))
    parser.add_argument("--work", type=Path, default=Path("build/book"))
    given = parser.parse_args(arguments)
    try:
        return build(given.lectures, given.out, given.work, recordings=recordings)
    except (FileNotFoundError, MissingExtraError) as error:
        print(error, file=sys.stderr)
        return 1
