"""The way through the course: which sections are core, and what a class of them costs.

A section begins with a heading whose text ends in "· core" or "· optional" and whose cell says
the same in its metadata, ``{"hierwidgets": {"path": "core"}}``. A heading below it without a mark
belongs to it. ``{"short": 1}`` or ``2`` beside it names the class of the three-hour version.

``python -m hierwidgets.course path`` prints the table of the classes, and with ``--write`` it
writes the page for instructors, ``lectures/README.md`` (`guide`).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["CLASSES", "CORE", "OPTIONAL", "SHORT", "Section", "class_table", "main", "sections"]

CORE, OPTIONAL = "core", "optional"
WORDS_A_MINUTE = 180
CLASSES: tuple[tuple[str, ...], ...] = (
    ("00", "01"),
    ("02", "03"),
    ("04", "05"),
    ("06", "07"),
    ("08", "09"),
    ("10", "11", "12"),
)
"""The lectures whose core fills each class of 75 minutes."""
SHORT = (1, 2)
"""The classes of 90 minutes of the three-hour version."""


class Section(NamedTuple):
    """One section of a lecture.

    Attributes
    ----------
    lecture, title : str
        The file's number, ``"03"``, and the heading without its mark.
    path : str
        ``"core"``, ``"optional"``, or ``""`` where the heading has no mark.
    short : int
        The class of the three-hour version it belongs to, 0 if to none.
    words : int
        Words on the rendered page: prose, computed texts and captions; no code, formula or table.
    lines : int
        Visible lines of code that are not empty.
    widgets : tuple of str
        Names of the instruments shown.
    exercises : tuple of str
        Names of the exercises asked.
    hidden : int
        Cells whose code is folded to a bar.
    """

    lecture: str
    title: str
    path: str
    short: int
    words: int
    lines: int
    widgets: tuple[str, ...]
    exercises: tuple[str, ...]
    hidden: int


_HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*$", re.MULTILINE)
_MARK = re.compile(rf"\s*·\s*({CORE}|{OPTIONAL})$")
_WIDGET = re.compile(r"\bhw\.widgets\.([A-Z]\w+)\(")
_EXERCISE = re.compile(r"exercises\.check\(\s*[\"']([\w-]+)")


def sections(path: Path) -> list[Section]:
    """The sections of a notebook in their order; what stands before the first is its title's.

    Parameters
    ----------
    path : Path
        A lecture.
    """
    return [section for section, _ in sections_with_cells(path)]


def sections_with_cells(path: Path) -> list[tuple[Section, list[Any]]]:
    """The same, each with its cells."""
    import nbformat

    found: list[tuple[Section, list[Any]]] = []
    mark, short = CORE, 0
    for cells in _parts(nbformat.read(path, as_version=4).cells):
        head = _heading(cells[0])
        title, own = "", ""
        if head:
            own = (_MARK.search(head[2]) or ("", ""))[1]
            title = _MARK.sub("", head[2])
        told = cells[0].metadata.get("hierwidgets", {})
        if head and len(head[1]) == 1:
            mark, short = own or CORE, 0  # a title belongs to what a class reads
        elif head and (own or len(head[1]) == 2):
            mark, short = own, int(told.get("short", 0))
        found.append((_section(path.stem.split("-")[0], title, mark, short, cells), cells))
    return found


def _heading(cell: Any) -> re.Match[str] | None:
    """The first heading of a cell of prose; a comment in a block of code is none."""
    if cell.cell_type != "markdown":
        return None
    return _HEADING.search(re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL))


def _parts(cells: Sequence[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for cell in cells:
        if part and _heading(cell):
            yield part
            part = []
        part.append(cell)
    if part:
        yield part


def _section(lecture: str, title: str, mark: str, short: int, cells: list[Any]) -> Section:
    code = [cell for cell in cells if cell.cell_type == "code"]
    visible = [c for c in code if not c.metadata.get("jupyter", {}).get("source_hidden")]
    source = "\n".join(cell.source for cell in code)
    return Section(
        lecture,
        title,
        mark,
        short,
        sum(map(_words, cells)),
        sum(bool(line.strip()) for cell in visible for line in cell.source.splitlines()),
        tuple(dict.fromkeys(_WIDGET.findall(source))),
        tuple(dict.fromkeys(_EXERCISE.findall(source))),
        len(code) - len(visible),
    )


def _words(cell: Any) -> int:
    if cell.cell_type == "markdown":
        return _count(cell.source)
    return sum(
        _count("".join(output["data"]["text/markdown"]))
        for output in cell.get("outputs", ())
        if "text/markdown" in output.get("data", {})
    )


def _count(markdown: str) -> int:
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", markdown, flags=re.DOTALL)
    text = re.sub(r"^\|.*$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"\$[^$\n]*\$|\]\([^)]*\)|<[^>\n]*>", " ", text)
    return len(re.findall(r"[^\W_]+(?:['’.,-][^\W_]+)*", text))


def class_table(folder: Path) -> list[dict[str, Any]]:
    """What the core of each class costs: lectures, sections, words, lines, minutes of reading.

    Parameters
    ----------
    folder : Path
        The folder of the lectures.

    Returns
    -------
    list of dict
        One for each of `CLASSES`, with ``class``, ``lectures``, ``sections``, ``words``,
        ``lines``, ``minutes`` (of reading at 180 words a minute), ``widgets``, ``exercises`` and
        ``skip`` (the optional sections).
    """
    table = []
    for number, lectures in enumerate(CLASSES, start=1):
        files = [path for name in lectures for path in sorted(folder.glob(f"{name}-*.ipynb"))]
        every = [section for path in files for section in sections(path)]
        core = [section for section in every if section.path == CORE]
        words = sum(section.words for section in core)
        table.append(
            {
                "class": number,
                "lectures": lectures,
                "sections": [section.title for section in core],
                "words": words,
                "lines": sum(section.lines for section in core),
                "minutes": round(words / WORDS_A_MINUTE),
                "widgets": [name for section in core for name in section.widgets],
                "exercises": [name for section in core for name in section.exercises],
                "skip": [section.title for section in every if section.path == OPTIONAL],
            }
        )
    return table


def main(folder: Path = Path("lectures")) -> int:
    """Print the table of the classes, as the command line does; returns the exit code."""
    for row in class_table(folder):
        print(
            f"class {row['class']} (lectures {', '.join(row['lectures'])}): {row['words']} words, "
            f"{row['minutes']} minutes of reading, {row['lines']} lines of code, "
            f"{len(row['widgets'])} widgets, {len(row['exercises'])} exercises"
        )
    return 0
