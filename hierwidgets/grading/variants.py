"""Data of one's own: every student of a roster gets other data from the same model.

What a student gets is decided by a secret of the course and the student's id alone, so a second
release gives the same. The secret stands in the course directory, in ``variants.key``; it is made
at the first use and never in what is given out. The copies stand in ``variants/STUDENT/A1``.
"""

import copy
import csv
import hmac
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from hierwidgets.errors import DataError

from .folder import VARIANTS, Course
from .recipes import RECIPES, Drawn, Recipe

__all__ = ["belongs_to", "draw", "owners", "read_roster", "release_variants", "source_for"]

KEY = "variants.key"
MOST_DRAWS = 20_000  # the least willing recipe takes one draw in 200


def read_roster(path: Path) -> list[str]:
    """The ids of students in a CSV file: its column ``id``, as nbgrader's own import reads it.

    Raises
    ------
    DataError
        If there is no such file or column, no student, one twice, or an id that is no folder name.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"the roster {path} cannot be read as UTF-8 text: {problem}") from None
    rows = csv.DictReader(text.splitlines())
    columns = [name.strip() for name in rows.fieldnames or []]
    if "id" not in columns:
        raise DataError(
            f"the roster {path} has the columns {', '.join(columns) or 'none'}; it needs a first "
            "line with a column called id, and a line for each student"
        )
    rows.fieldnames = columns
    names = [name for row in rows if (name := (row["id"] or "").strip())]
    twice = sorted({name for name in names if names.count(name) > 1})
    bad = [name for name in names if not re.fullmatch(r"[^./\\][^/\\]*", name)]
    why = "has no student" if not names else ""
    why = f"has {', '.join(twice)} twice" if twice else f"has the ids {bad}" if bad else why
    if why:
        raise DataError(
            f"the roster {path} {why}; it needs one id for every student, which can be the name "
            "of a folder (no slash, no dot in front)"
        )
    return names


def _secret(course: Course) -> bytes:
    """The secret of the course, made at the first use, for the owner's eyes."""
    path = course.root / KEY
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
    text = path.read_text(encoding="ascii").strip()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise DataError(
            f"{path} does not hold a secret of 64 hexadecimal digits; put back the file that this "
            "course began with, or students get data other than those they have"
        )
    return bytes.fromhex(text)


def _keyed(course: Course, words: str) -> bytes:
    return hmac.digest(_secret(course), words.encode(), sha256)


def _recipe(assignment: str) -> Recipe:
    if assignment not in RECIPES:
        raise DataError(
            f"{assignment} has no model to draw data of one's own from; those that have are "
            f"{', '.join(RECIPES)}. Release it without a roster"
        )
    return RECIPES[assignment]


def draw(course: Course, assignment: str, student: str) -> Drawn:
    """The data of a student: the first draw in which every question has its answer.

    The draws are those of ``SeedSequence(HMAC-SHA256(secret, "A1/ann"), spawn_key=(k,))`` for k
    from 0 on; the recipe says which one can be asked about.
    """
    recipe, entropy = _recipe(assignment), _keyed(course, f"{assignment}/{student}")
    given = {path.name: path.read_bytes() for path in course.extras("source", assignment)}
    for k in range(MOST_DRAWS):
        seed = np.random.SeedSequence(int.from_bytes(entropy, "big"), spawn_key=(k,))
        if (drawn := recipe.draw(np.random.default_rng(seed), given)) is not None:
            return drawn
    raise DataError(f"none of {MOST_DRAWS} draws for {assignment} keeps to its rule: {recipe.rule}")


def own_notebook(notebook: Any, recipe: Recipe, mark: str) -> Any:
    """The notebook reading the student's data, saying so, and marked with whose it is."""
    made = copy.deepcopy(notebook)
    reads = [cell for cell in made.cells if recipe.given and recipe.given in cell.source]
    if recipe.given and (len(reads) != 1 or reads[0].source.count(recipe.given) != 1):
        raise DataError(
            f"the notebook must read its data once by {recipe.given}, so that it can be given "
            f"others; {len(reads)} cells do"
        )
    for cell in reads:
        cell.source = cell.source.replace(recipe.given, recipe.own)
    made.cells[0].source += (
        f"\n\n**Your data are your own.** {recipe.words} Keep the files that came with this "
        "notebook beside it."
    )
    made.metadata["hierwidgets"] = {"variant": mark}
    return made


def source_for(course: Course, assignment: str, student: str = "") -> Any:
    """The assignment's source, reading the data that a student was given."""
    source, recipe = course.read("source", assignment), RECIPES.get(assignment)
    if course.given(assignment, student)[0] != VARIANTS or recipe is None or not recipe.given:
        return source
    for cell in source.cells:
        cell.source = cell.source.replace(recipe.given, recipe.own)
    return source


def _mark(course: Course, assignment: str, student: str) -> str:
    return _keyed(course, f"whose is {assignment}/{student}").hex()[:16]


def owners(course: Course, assignment: str) -> list[str]:
    """Who has been given data of their own."""
    folders = (course.root / VARIANTS).glob(f"*/{assignment}")
    return sorted(folder.parent.name for folder in folders if folder.is_dir())


def belongs_to(course: Course, assignment: str, notebook: Any) -> str:
    """Whose copy a notebook is; empty where it carries nobody's mark."""
    mark = str(notebook.metadata.get("hierwidgets", {}).get("variant", ""))
    names = owners(course, assignment) if mark else []
    return next((s for s in names if hmac.compare_digest(_mark(course, assignment, s), mark)), "")


def release_variants(
    course: Course, assignment: str, students: Iterable[str] = (), *, progress: bool = True
) -> list[Path]:
    """Make a copy of the release for every student, each with data of their own.

    Those who have one already get it again, on the release as it is now, with the data they had.

    Parameters
    ----------
    course, assignment
        The course and an assignment that has been released.
    students
        Their ids, as `read_roster` gives them.
    progress
        Whether to show a bar.

    Returns
    -------
    list of Path
        The folders, by student. Beside them stands a table, ``variants/A1.csv``: what estimates
        the data of each student give, for whoever reads the answers in words.
    """
    from tqdm.auto import tqdm

    recipe, release = _recipe(assignment), course.read("release", assignment)
    names, made, facts = sorted({*students, *owners(course, assignment)}), [], []
    for student in tqdm(names, unit="student", disable=not progress):
        drawn = draw(course, assignment, student)
        notebook = own_notebook(release, recipe, _mark(course, assignment, student))
        made.append(_write(course, assignment, student, notebook, drawn))
        facts.append({"student": student, **{k: f"{v:.4g}" for k, v in drawn.facts.items()}})
    if facts:
        _tabulate(course.root / VARIANTS / f"{assignment}.csv", facts)
    return made


def _write(course: Course, assignment: str, student: str, notebook: Any, drawn: Drawn) -> Path:
    """The student's folder: whole, or as it was."""
    target = course.notebook(VARIANTS, assignment, student)
    folder, new = target.parent, target.parent.with_name(f".{assignment}-new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(course.notebook("release", assignment).parent, new)
    nbformat.write(notebook, new / target.name)
    for name, content in drawn.files.items():
        (new / name).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def _tabulate(path: Path, facts: Sequence[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(facts[0]))
        table.writeheader()
        table.writerows(facts)
