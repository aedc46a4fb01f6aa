"""Everything that Sphinx reads, gathered in one folder from the repository.

A page of ``lectures/.book/pages`` may hold a line such as ``<!-- from: README.md, From R to
Python -->``: the section of that file under that heading comes in its place, or, without a
heading, the whole file but its title. With ``, table`` after the heading it is the table alone.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from .. import student
from . import assignment, reference
from .anchors import local, without_mark
from .links import REPOSITORY
from .notebook import Page, page

__all__ = ["gather", "section"]

SETTINGS = ".book"
"""The folder of the book's settings, in the lectures."""
_FROM = re.compile(r"^<!-- from: ([\w./-]+)(?:, (.+?)(, table)?)? -->$", re.MULTILINE)
_TERM = re.compile(r"^- \*\*(.+?)\*\* \((\[[^\]]*\]\([^)]*\))\): (.+)$")
_TITLE = re.compile(r"\A\s*# [^\n]*\n")
_OUTSIDE = re.compile(r"(\]\()(?:\.\./)*((?:CONTRIBUTING|CHANGELOG|LICENSE|hierwidgets/)[^)\s]*)")


def gather(lectures: Path, to: Path) -> dict[str, Page]:
    """Write the sources of the book into a folder.

    Parameters
    ----------
    lectures : Path
        The folder of the lectures, in the repository.
    to : Path
        Where the sources go; what is there of an earlier run is replaced.

    Returns
    -------
    dict of Page
        The notebooks of the book by the names of their files.

    Raises
    ------
    FileNotFoundError
        If there are no lectures, or a page names a file that is not there.
    """
    import nbformat

    paths = sorted(lectures.glob("*.ipynb"))
    if not paths or not (lectures / SETTINGS / "pages").is_dir():
        raise FileNotFoundError(
            f"'{lectures}' holds no lectures with a book: start this in the folder of the project"
        )
    shutil.rmtree(to, ignore_errors=True)
    found: dict[str, Page] = {}
    for path in paths:
        made = found[path.stem] = page(path)
        _write(to / path.name, nbformat.writes(made.notebook))
        for picture in made.pictures:
            _write(to / picture.name, picture.content)
        _write(to / "_static" / "notebooks" / path.name, student.stripped(path.read_bytes()))
    for name, text in _texts(lectures):
        _write(to / name, text)
    for name in ("images", f"{SETTINGS}/_static"):
        target = "_static" if name.endswith("_static") else name
        shutil.copytree(lectures / name, to / target, dirs_exist_ok=True)
    for name in ("LICENSE", "CITATION.cff", "binder/requirements.txt"):
        shutil.copy(lectures.parent / name, to / "_static")
    return found


def _texts(lectures: Path) -> Iterator[tuple[str, str]]:
    """Pages that are no notebooks: names below the sources, and what they hold."""
    for path in sorted((lectures / SETTINGS / "pages").rglob("*.md")):
        name = path.relative_to(lectures / SETTINGS / "pages").as_posix()
        yield name, _filled(path.read_text(encoding="utf-8"), lectures.parent)
    yield "glossary.md", _glossary((lectures / "glossary.md").read_text(encoding="utf-8"))
    folder = lectures / "assignments"
    for path in sorted(folder.glob("*guide.md")):
        yield f"assignments/{path.name}", _outside(path.read_text(encoding="utf-8"))
    for path in sorted(folder.glob("source/A*/*.ipynb")):
        yield f"assignments/{path.stem}.md", assignment.text(path)
    yield from reference.pages().items()


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _filled(text: str, root: Path) -> str:
    def brought(found: re.Match[str]) -> str:
        path = root / found[1]
        whole = path.read_text(encoding="utf-8")
        part = section(whole, found[2], path.name) if found[2] else _TITLE.sub("", whole, count=1)
        if found[3]:
            part = "\n".join(line for line in part.splitlines() if line.startswith("|"))
        return _outside(local(part)).strip()

    return without_mark(_FROM.sub(brought, text))


def section(text: str, heading: str, name: str = "the text") -> str:
    """What stands below a heading of second level, down to the next.

    Examples
    --------
    >>> section("# A\\n\\n## B\\n\\nWords.\\n\\n## C\\n", "B").strip()
    'Words.'
    """
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if found is None:
        raise FileNotFoundError(f"{name} has no section '{heading}', which the book wants")
    return found[1]


def _outside(text: str) -> str:
    """Links to files that are no pages lead to the repository."""
    return _OUTSIDE.sub(rf"\1{REPOSITORY}/blob/main/\2", text)


def _glossary(text: str) -> str:
    """The list of words as a glossary of Sphinx, whose terms the search finds."""
    head: list[str] = []
    terms: list[str] = []
    for line in text.splitlines():
        if entry := _TERM.match(line):
            terms += [entry[1], f"  {entry[3]} ({entry[2]})", ""]
        elif not terms:
            head.append(line)
        elif line.strip():
            raise ValueError(f"the glossary has a line that is no entry: {line[:60]!r}")
    return "\n".join([*head, ":::{glossary}", *terms, ":::", ""])
