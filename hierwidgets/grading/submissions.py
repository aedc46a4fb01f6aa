"""What a student handed in: which of the files is graded, whatever they are called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from time import localtime, strftime
from typing import Any

from hierwidgets.errors import DataError

from .cells import grade_id, is_answer
from .folder import Course
from .notebook_files import AGAIN, LARGEST, File, attach_pictures, kind_of, read_notebook, unpack
from .rebuilding import Rebuilt, rebuild

__all__ = ["read_submission"]

STAMP = "timestamp.txt"  # nbgrader's
FORMER = ".ipynb_checkpoints"  # the notebook as it was before it was saved last
JUNK = ("desktop.ini", "Thumbs.db")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A notebook that was handed in, and what it is rebuilt to."""

    file: File
    rebuilt: Rebuilt
    notes: tuple[str, ...]

    @property
    def answers(self) -> int:
        return len(self.rebuilt.answered)

    @property
    def worked_on(self) -> bool:
        return bool(self.answers or self.rebuilt.own)

    @property
    def former(self) -> bool:
        return FORMER in PurePosixPath(self.file.name).parts


@dataclass(frozen=True, slots=True)
class _Pile:
    """Everything that was handed in, by what it is."""

    notebooks: tuple[File, ...]
    others: tuple[tuple[File, str], ...]
    problems: tuple[str, ...]


def read_submission(
    course: Course, assignment: str, student: str, release: Any, source: Any
) -> Rebuilt:
    """Rebuild what a student handed in.

    What a file is decides its content, not its name: archives are looked into, and of several
    notebooks the one that was worked on is graded, of several of those the one that was changed
    last. The notes say what was chosen and what else there is.

    Parameters
    ----------
    course, assignment, student
        Whose work it is.
    release, source
        The notebook as given out and what it was made from.

    Raises
    ------
    DataError
        If there is no notebook of this assignment that can be read.
    """
    right = course.notebook("submitted", assignment, student)
    pile, earlier = _sort_out(right.parent), course.given_before(assignment)
    candidates = [_candidate(file, pile, release, source, earlier) for file in pile.notebooks]
    good = [c for c in candidates if isinstance(c, _Candidate)]
    problems = [*pile.problems, *(c for c in candidates if isinstance(c, str))]
    if not good:
        raise DataError(_nothing(pile, problems))
    chosen, choice, doubtful = _choose(good, right.name)
    notes = [*choice, *chosen.notes, *chosen.rebuilt.notes]
    if PurePosixPath(chosen.file.name).name != right.name:
        notes.append(f"the file is called {chosen.file.name}")
    others = _others(pile, course, assignment)
    if others:
        notes.append(f"also handed in, for a person to look at: {', '.join(others)}")
    whole = len(chosen.rebuilt.answered) == sum(is_answer(cell) for cell in release.cells)
    mended = chosen.rebuilt.mended or doubtful or (not whole and bool(others or problems))
    return replace(chosen.rebuilt, notes=(*notes, *problems), mended=mended)


def _sort_out(folder: Path) -> _Pile:
    """The files of a folder, those in archives too."""
    notebooks, others, problems = list[File](), list[tuple[File, str]](), list[str]()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            problems.append(f"{name} is a link to another place, which is not followed")
            continue
        if not path.is_file() or name == STAMP:
            continue
        size = path.stat().st_size
        if size > LARGEST:
            problems.append(f"{name} has {size / 1e6:.0f} MB, of at most {LARGEST / 1e6:.0f}; ask "
                            "the student to clear the outputs and hand it in again")  # fmt: skip
            continue
        try:
            for file in unpack(File(name, path.stat().st_mtime, path.read_bytes())):
                kind = kind_of(file.data)
                if not kind:
                    notebooks.append(file)
                else:
                    others.append((file, kind))
        except DataError as problem:
            problems.append(str(problem))
    return _Pile(tuple(notebooks), tuple(others), tuple(problems))


def _candidate(
    file: File, pile: _Pile, release: Any, source: Any, earlier: Sequence[Any]
) -> _Candidate | str:
    """A notebook of this assignment, or words on why it is none."""
    try:
        notebook, notes = read_notebook(file)
    except DataError as problem:
        return str(problem)
    pictures = {PurePosixPath(f.name).name: f.data for f, kind in pile.others if "picture" in kind}
    missing = attach_pictures(notebook, pictures)
    notes += [f"a picture named {name} was not handed in" for name in missing]
    rebuilt = rebuild(release, source, notebook, earlier)
    named = {grade_id(cell) for cell in release.cells}
    foreign = {grade_id(cell) for cell in notebook.cells} - named
    if len(foreign) > rebuilt.known or not (rebuilt.known or rebuilt.answered):
        what = f"its cells are named {', '.join(sorted(foreign)[:3])}" if foreign else \
            "none of its cells was given out"  # fmt: skip
        return f"{file.name} is no notebook of this assignment: {what}; ask the student for it"
    return _Candidate(file, rebuilt, tuple(notes))


def _choose(good: list[_Candidate], right: str) -> tuple[_Candidate, list[str], bool]:
    """The notebook that is graded, why, and whether a person might see it otherwise."""

    def order(one: _Candidate) -> tuple[Any, ...]:
        name = PurePosixPath(one.file.name).name
        return (not one.former, int(one.file.changed), one.answers, name == right, one.file.name)

    worked = sorted((c for c in good if c.worked_on), key=order)
    if not worked:
        return max(good, key=order), [], False
    chosen = worked[-1]
    rivals = [c for c in worked[:-1] if not c.former and _written(c) != _written(chosen)]
    blank = [c.file.name for c in good if not c.worked_on and not c.former]
    notes = [f"{', '.join(blank)}: as given out, so {chosen.file.name} is graded"] if blank else []
    if rivals:
        seen = "; ".join(f"{c.file.name} ({c.answers} answers, {_day(c)})" for c in rivals)
        last = int(chosen.file.changed) > int(rivals[-1].file.changed)
        why = "was changed last" if last else "has the most answers of those changed last"
        notes.append(f"{chosen.file.name} ({chosen.answers} answers, {_day(chosen)}) is graded, "
                     f"because it {why}; other notebooks that were worked on: {seen}")  # fmt: skip
    if chosen.former:
        notes.append(f"{chosen.file.name} is graded, a copy that JupyterLab kept by itself")
    return chosen, notes, bool(rivals) or chosen.former


def _written(one: _Candidate) -> list[str]:
    return [cell.source for cell in one.rebuilt.notebook.cells]


def _day(one: _Candidate) -> str:
    return strftime("%d %b %H:%M", localtime(one.file.changed))


def _others(pile: _Pile, course: Course, assignment: str) -> list[str]:
    """Files that may be part of an answer, with what they are."""
    given = {path.name for path in course.extras("release", assignment)}
    names = []
    for file, kind in pile.others:
        name = PurePosixPath(file.name).name
        if name not in given and name not in JUNK and name[0] != "." and kind != "a binary file":
            names.append(f"{file.name} ({kind})")
    return names


def _nothing(pile: _Pile, problems: Sequence[str]) -> str:
    """Words on a submission without a notebook of this assignment."""
    if problems:
        return "; ".join(problems)
    seen = ", ".join(f"{file.name} is {kind}" for file, kind in pile.others) or "nothing"
    return f"no notebook was handed in: {seen}; {AGAIN}"
