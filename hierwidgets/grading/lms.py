"""Files that a school's system imports: Canvas, Moodle, Blackboard, with its own names of students.

The columns are those that the systems ask for. *Canvas* reads by position: Student, ID, SIS User
ID, SIS Login ID, Section, then assignments, whose names end with their number in brackets; a row of
points possible comes first. *Moodle* lets one choose how columns are matched, and finds a student
by username, ID number or email address. *Blackboard* finds the student by Username and the column
by the number behind the bar in its name, and works with tabs and UTF-16.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hierwidgets.errors import DataError

from .spreadsheets import plain_text, write_rows

__all__ = ["SYSTEMS", "Roster", "System", "lms_file", "lms_roster"]


@dataclass(frozen=True, slots=True)
class System:
    """What a school's system imports.

    Attributes
    ----------
    columns
        Those of the roster that are written, in this order.
    keys
        Those of them by which it finds a student; each student needs one.
    every
        Whether all columns are written, also those that the roster does not have.
    ending, separator, encoding
        Of the file.
    """

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    every: bool
    ending: str
    separator: str
    encoding: str


SYSTEMS: Mapping[str, System] = {
    "canvas": System(
        ("Student", "ID", "SIS User ID", "SIS Login ID", "Section"),
        ("SIS Login ID", "SIS User ID", "ID"), True, ".csv", ",", "utf-8",
    ),
    "moodle": System(
        ("First name", "Last name", "Surname", "Username", "ID number", "Email address"),
        ("Username", "ID number", "Email address"), False, ".csv", ",", "utf-8",
    ),
    "blackboard": System(
        ("Last Name", "First Name", "Username", "Student ID"),
        ("Username",), False, ".xls", "\t", "utf-16-le",
    ),
}  # fmt: skip
NAMES = {"Student", "First name", "Last name", "Surname", "Last Name", "First Name"}
OWN = "id"  # nbgrader's
SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+")


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is in the course, with the names that the school's system has for them.

    Attributes
    ----------
    table
        One row for each student, all of it text, empty where something is not known.
    name
        The file's name, for messages.
    """

    table: pd.DataFrame
    name: str


def lms_roster(path: Path) -> Roster:
    """Read a roster: a CSV file of one's own, or what the school's system exports.

    Commas, semicolons or tabs, UTF-8 or UTF-16 are told apart by looking. Everything stays text, so
    that numbers keep their leading zeros.

    Raises
    ------
    DataError
        If there is no such file, a column comes twice, or a spreadsheet has shortened a number.
    """
    if not path.is_file():
        raise DataError(f"there is no roster {path}; give the path of a CSV file with --roster")
    rows = list(_rows(path))
    if len(rows) < 2:
        raise DataError(f"{path.name} has no students; its first row names the columns")
    head = [name.strip() for name in rows[0]]
    if twice := sorted({name for name in head if name and head.count(name) > 1}):
        raise DataError(f"{path.name} has more than one column {', '.join(twice)}; keep one")
    full = [[cell.strip() for cell in row] + [""] * (len(head) - len(row)) for row in rows[1:]]
    table = pd.DataFrame([row[: len(head)] for row in full], columns=head, dtype=object)
    short = [cell for row in full for cell in row if SHORTENED.fullmatch(cell)]
    if short:
        raise DataError(
            f"{path.name} holds {short[0]}, a number that a spreadsheet has shortened; "
            "export the roster again and do not save it from there"
        )
    return Roster(table, path.name)


def _rows(path: Path) -> list[list[str]]:
    stored = path.read_bytes()
    encoding = "utf-16" if stored[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = stored.decode(encoding)
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not in UTF-8; save it as CSV UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return [row for row in rows if any(cell.strip() for cell in row)]


def lms_file(
    table: pd.DataFrame, system: str, roster: Roster, folder: Path, assignment: str,
    column: str = "",
) -> tuple[Path, list[str]]:  # fmt: skip
    """Write the file that a school's system imports.

    Only complete scores are in it: who waits for a mark, could not be read, or handed in nothing
    has no row, and the import changes nothing for them.

    Parameters
    ----------
    table
        What `score_table` gives.
    system
        One of `SYSTEMS`.
    roster
        Who is in the course. Students are found by its column ``id``, as in nbgrader's own lists,
        or else by the one of the system's columns that holds most names of folders in
        ``submitted/``.
    folder, assignment
        Where the file goes, and its name's beginning.
    column
        The system's name of the assignment; without it, the assignment's.

    Returns
    -------
    (Path, list of str)
        The file, and in words who is not in it.
    """
    kind = SYSTEMS[system]
    key = _key(kind, roster, table)
    people = _people(roster, key)
    done = table[table["score"].notna()]
    scores = dict(zip(done["student"], done["score"].astype(float), strict=True))
    head = [c for c in kind.columns if kind.every or c in roster.table.columns]
    rows = [
        [*_ids(kind, person, head, roster, student), f"{scores[student]:g}"]
        for student, person in people.items()
        if student in scores
    ]
    most = f"{float(table['max_score'].max()):g}" if len(table) else "0"
    title = [*head, column or assignment]
    top = [["    Points Possible", *[""] * (len(head) - 1), most]] if system == "canvas" else []
    path = folder / f"{assignment}-{system}{kind.ending}"
    write_rows(path, [title, *top, *rows], kind.separator, kind.encoding)
    said = [f"{len(rows)} students in {path.name}, found by the roster's column {key}"]
    return path, said + _left_out(table, set(people), roster)


def _key(kind: System, roster: Roster, table: pd.DataFrame) -> str:
    """The column of the roster that holds the names of the students' folders."""
    if OWN in roster.table.columns:
        return OWN
    handed = set(table["student"])
    known = [c for c in kind.keys if c in roster.table.columns]
    found = {c: len(handed & set(roster.table[c])) for c in known}
    if not found or not max(found.values()):
        raise DataError(
            f"{roster.name} has no column that names the students as submitted/ does; its columns "
            f"are {', '.join(roster.table.columns)}. Add one called {OWN}, "
            "with the folders' names"
        )
    return max(found, key=lambda c: found[c])


def _people(roster: Roster, key: str) -> dict[str, "pd.Series[str]"]:
    """The rows of the roster by student; rows without a name, such as points possible, are none."""
    people: dict[str, pd.Series[str]] = {}
    for _, row in roster.table.iterrows():
        student = str(row[key])
        if student in people:
            raise DataError(f"{roster.name} names {student} twice in {key}; keep one row")
        if student:
            people[student] = row
    return people


def _ids(
    kind: System, person: "pd.Series[str]", head: list[str], roster: Roster, student: str
) -> list[str]:
    """A student's names in the system. None of them can become a formula in a spreadsheet."""
    if not any(person.get(name) for name in kind.keys):
        raise DataError(
            f"{roster.name} has no {' or '.join(kind.keys)} for {student}; one is needed"
        )
    found = []
    for name in head:
        text = str(person.get(name, ""))
        if plain_text(text) != text and name not in NAMES:
            raise DataError(
                f"{roster.name}: {name} of {student} is {text!r}; that begins a formula and is no "
                "name in the school's system. Correct it in the roster"
            )
        found.append(plain_text(text))
    return found


def _left_out(table: pd.DataFrame, known: set[str], roster: Roster) -> list[str]:
    """Who is not in the file, and why, in words."""
    handed = set(table["student"])
    lists = {
        f"not in {roster.name}": handed - known,
        "in the roster, nothing handed in": known - handed,
        "still to be marked by a person": set(table.loc[table["waiting"] > 0, "student"]),
        "could not be read": set(table.loc[table["flag"] == "unreadable", "student"]),
    }
    return [f"left out, {why}: {', '.join(sorted(who))}" for why, who in lists.items() if who]
