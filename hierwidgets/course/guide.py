"""The page for instructors, ``lectures/README.md``: its tables are computed from the notebooks.

``python -m hierwidgets.course path --write`` writes it.
"""

from itertools import groupby
from pathlib import Path
from typing import Any

from .path import CORE, OPTIONAL, SHORT, WORDS_A_MINUTE, Section, class_table, sections

__all__ = ["instructors_page", "write"]

_OPENING = """\
# For instructors

*Written by `python -m hierwidgets.course path --write` from the notebooks; change those, or
`hierwidgets/course/guide.py`, and run it again.*

Every section of a lecture is marked *core* or *optional* in its heading. The core is what a class
walks through together: question, bet, picture, idea, an exercise or two, an instrument. The rest is
for the curious and for those who prepare; nothing in a core needs it. Minutes of reading are words
(prose, computed texts and captions; no formulas, tables or code) at {speed} a minute. What is left
of the 75 is for bets, dragging, exercises and talk.

Let the class commit itself at every **Guess first** before the next cell runs. Each lecture starts
with its data; nothing has to be kept from one to the next.

## Six classes of 75 minutes
"""
_SHORT = """\
## Three hours: two classes of 90 minutes

The first class makes the case for partial pooling, the second reads a fit and tries the promise.
Lecture 04 goes before 03 here. Start with the story of lecture 00 if there is time.
"""
_BESIDE = """\
## Beside the classes

Whole notebooks that are optional, for projects, for a seventh class, or to look things up:
"""


def _stem(folder: Path, number: str) -> str:
    return next(iter(sorted(folder.glob(f"{number}-*.ipynb")))).name


def _named(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def _classes(folder: Path) -> str:
    head = "| class | lectures | words | minutes of reading | lines of code | widgets | exercises |"
    rows = [head, "|---|---|---:|---:|---:|---|---|"]
    for row in class_table(folder):
        widgets = _named([f"`{name}`" for name in dict.fromkeys(row["widgets"])])
        figures = f"{row['words']:,} | {row['minutes']} | {row['lines']}"
        numbers = ", ".join(row["lectures"])
        exercises = _named([f"`{name}`" for name in row["exercises"]])
        rows.append(f"| {row['class']} | {numbers} | {figures} | {widgets} | {exercises} |")
    return "\n".join(rows)


def _walk(folder: Path, row: dict[str, Any]) -> str:
    """The sections of a class, lecture by lecture: what to walk through, and what to skip."""
    parts = [f"### Class {row['class']}"]
    for number in row["lectures"]:
        if not list(folder.glob(f"{number}-*.ipynb")):
            continue
        name = _stem(folder, number)
        found = sections(folder / name)[1:]
        heads = [s for s in found if s.title and not s.title.startswith("Your turn")]
        core = "; ".join(s.title for s in heads if s.path == CORE)
        skip = "; ".join(s.title for s in heads if s.path == OPTIONAL)
        parts.append(f"**[{number}]({name})** {core or 'nothing is marked yet'}\n\n*Skip:* {skip}")
    return "\n\n".join(parts)


def _short(every: list[Section], folder: Path) -> str:
    parts = []
    for number in SHORT:
        mine = [section for section in every if section.short == number]
        words = sum(section.words for section in mine)
        parts.append(
            f"**Class {number}**: {words:,} words, {round(words / WORDS_A_MINUTE)} minutes of "
            f"reading, {sum(section.lines for section in mine)} lines of code.\n"
        )
        for lecture, found in groupby(mine, key=lambda s: s.lecture):
            titles = "; ".join(section.title for section in found)
            parts.append(f"- [{lecture}]({_stem(folder, lecture)}): {titles}")
        parts.append("")
    return "\n".join(parts)


def _beside(folder: Path) -> str:
    import nbformat

    numbers = {name for row in class_table(folder) for name in row["lectures"]}
    rows = []
    for path in sorted(folder.glob("*.ipynb")):
        if path.stem.split("-")[0] in numbers:
            continue
        first = nbformat.read(path, as_version=4).cells[0].source
        rows.append(f"- [{first.splitlines()[0].lstrip('# ')}]({path.name})")
    return "\n".join(rows)


def instructors_page(folder: Path) -> str:
    """The page as Markdown.

    Parameters
    ----------
    folder : Path
        The folder of the lectures.
    """
    numbers = [name for row in class_table(folder) for name in row["lectures"]]
    files = [path for name in numbers for path in sorted(folder.glob(f"{name}-*.ipynb"))]
    every = [section for path in files for section in sections(path)]
    walks = [_walk(folder, row) for row in class_table(folder)]
    parts = [_OPENING.format(speed=WORDS_A_MINUTE), _classes(folder), *walks]
    parts += [_SHORT, _short(every, folder), _BESIDE, _beside(folder)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def write(folder: Path = Path("lectures")) -> int:
    """Write the page into the folder; returns the exit code of the command line."""
    (folder / "README.md").write_text(instructors_page(folder), encoding="utf-8")
    return 0
