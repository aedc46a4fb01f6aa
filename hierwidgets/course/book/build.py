"""The command that makes the book.

``python -m hierwidgets.course book [--out FOLDER] [--work FOLDER] [--lectures FOLDER]``
    Writes the book into FOLDER (``site``); sources and Sphinx's memory stay in the work folder
    (``build/book``). What another command has put beside the pages, such as ``site/lite``, stays.
"""

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
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
        The command that writes recorded instruments, at work beside Sphinx; ``--out FOLDER`` and
        which half it makes, ``--only player`` or ``instruments``, are added to it.

    Returns
    -------
    int
        Sphinx's exit code, for which a warning is an error, or that of the recordings.

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
    html, made = work / "html", work / "instruments"
    for old in (html, made):
        shutil.rmtree(old, ignore_errors=True)
    if not recordings:
        code = _pages(sphinx, lectures, work, html)
    else:
        player = [*recordings, "--only", "player", "--out", str(source / "_static" / made.name)]
        subprocess.run(player, check=True)  # a page asks whether there is one
        with _meanwhile([*recordings, "--only", "instruments", "--out", str(made)]) as others:
            code = _pages(sphinx, lectures, work, html) or others.wait()
        if code == 0:
            shutil.copytree(made, html / "_static" / made.name, dirs_exist_ok=True)
    if code == 0:
        publish(html, out)
    return code


@contextlib.contextmanager
def _meanwhile(command: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A command at work; it is interrupted if it is not waited for."""
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


def _pages(sphinx: Callable[[Sequence[str]], int], lectures: Path, work: Path, html: Path) -> int:
    """Sphinx, from the sources in the work folder."""
    options = ["--builder", "html", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    folders = ["--conf-dir", str(lectures / SETTINGS), "--doctree-dir", str(work / "doctrees")]
    return sphinx([*options, *folders, str(work / "source"), str(html)])


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
