"""Is an assignment fit to be given out? Five questions, answered by running it."""

import re
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from hierwidgets.errors import DataError

from .cells import HIDDEN, grade_id, is_answer, is_test, points, question
from .folder import BEFORE, Course, copy_course
from .grades import run_notebook
from .rebuilding import rebuild
from .sandbox import USUAL, Limits

__all__ = ["Finding", "check", "release"]

SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)[ \t]*### END SOLUTION", re.DOTALL)
MARKS = (
    *(f"### {end} {what}" for end in ("BEGIN", "END") for what in ("SOLUTION", "HIDDEN TESTS")),
    *(f"=== {end} MARK SCHEME ===" for end in ("BEGIN", "END")),
)
STATED = re.compile(r"^#+ *(?:Question|Q)\s*(\d+)[^\n]*\((\d+) points?\)", re.MULTILINE)
SHORT = 12  # lines shorter than this are common to many programs


@dataclass(frozen=True, slots=True)
class Finding:
    """One of the questions, whether the answer is good, and what was seen."""

    name: str
    good: bool
    seen: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.good else 'BAD '} {self.name}: {self.seen}"


def release(course: Course, assignment: str) -> Path:
    """Make the student copy with nbgrader, and refuse it if anything secret is in it.

    It is made apart from the course first and put in place only when it is good. What was given
    out before goes to ``given_before/``, so that work on it is still read for what it is.

    Returns
    -------
    Path
        The folder of the student copy.

    Raises
    ------
    DataError
        If nbgrader refuses the source or the copy gives away a solution or a hidden test. What
        was given out before is then as it was.
    """
    with tempfile.TemporaryDirectory(prefix="releasing-") as place:
        trial = copy_course(course, Path(place) / "course")
        if why := _generate(trial, assignment):
            raise DataError(f"nbgrader could not make the release of {assignment}: {why}")
        if leaks := _leaks(trial, assignment):
            raise DataError(
                f"{assignment} was not released, it would give away: {'; '.join(leaks)}"
            )
    with tempfile.TemporaryDirectory(prefix=".release-", dir=course.root) as place:
        made = Path(place) / assignment
        if why := _generate(course, assignment, Path(place).name):
            graded = "Cannot add or remove" in why
            advice = ". Once work has been graded, its cells keep their names: undo that" * graded
            raise DataError(
                f"{assignment} was not released, what was given out before stays: {why}{advice}"
            )
        return _put_in_place(course, assignment, made)


def _generate(course: Course, assignment: str, folder: str = "release") -> str:
    """Let nbgrader make the student copy in a folder of the course; why it could not, if so."""
    with course.nbgrader(CourseDirectory={"release_directory": folder}) as api:
        result = api.generate_assignment(assignment, force=True, create=True)
    if result["success"]:
        return ""
    log = "\n".join(str(result.get(part) or "") for part in ("log", "error")).strip()
    said = re.findall(r"^\s*(?:\w+\.)*\w+(?:Error|Exception): (.+)", log, re.MULTILINE)
    return str(said[0]) if said else log[-600:]


def _put_in_place(course: Course, assignment: str, made: Path) -> Path:
    """Exchange the student copy for a new one; the old one is kept if it differs."""
    folder = course.notebook("release", assignment).parent
    if folder.exists() and _contents(folder) == _contents(made):
        return folder
    if folder.exists():
        kept = course.root / BEFORE / assignment
        kept.mkdir(parents=True, exist_ok=True)
        folder.rename(kept / str(1 + len(list(kept.iterdir()))))
    folder.parent.mkdir(parents=True, exist_ok=True)
    made.rename(folder)
    return folder


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def check(
    course: Course, assignment: str, limits: Limits = USUAL, *, walls: bool = True
) -> list[Finding]:
    """Answer the questions on a copy, so that gradebook and release stay as they are.

    The source must run without an error, with all points; an empty answer must fail every test;
    nothing secret may be in the release; the points of the cells must add up to those that the
    headings state; and this environment must be the one of the lectures.
    """
    with tempfile.TemporaryDirectory(prefix="checking-") as place:
        copy = copy_course(course, Path(place) / "course")
        if why := _generate(copy, assignment):
            return [Finding("nbgrader makes a release", False, why)]
        return [
            _source_passes(copy, assignment, limits, walls),
            _release_fails(copy, assignment, limits, walls),
            _nothing_leaks(copy, assignment),
            _points_add_up(copy, assignment),
            environment(),
        ]


def _source_passes(course: Course, assignment: str, limits: Limits, walls: bool) -> Finding:
    name, source = "the source passes its tests", course.read("source", assignment)
    notebook = rebuild(course.read("release", assignment), source, source).notebook
    flag, notes = run_notebook(course, assignment, notebook, limits, walls=walls)
    failed = [grade_id(c) or f"cell {k}" for k, c in enumerate(notebook.cells) if _failed(c)]
    worth = sum(points(c) for c in notebook.cells if is_test(c))
    if failed or flag != "ok":
        return Finding(name, False, f"{flag}; failed: {', '.join(failed)} {' '.join(notes)}")
    return Finding(name, True, f"{worth:g} points by tests")


def _release_fails(course: Course, assignment: str, limits: Limits, walls: bool) -> Finding:
    name = "an empty answer gets no points"
    blank, source = course.read("release", assignment), course.read("source", assignment)
    notebook = rebuild(blank, source, blank).notebook
    run_notebook(course, assignment, notebook, limits, walls=walls)
    given = [grade_id(c) for c in notebook.cells if is_test(c) and points(c) and not _failed(c)]
    return Finding(name, not given, f"points for nothing: {', '.join(given)}" if given else "none")


def _failed(cell: Any) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _nothing_leaks(course: Course, assignment: str) -> Finding:
    leaks = _leaks(course, assignment)
    return Finding("the release gives nothing away", not leaks, "; ".join(leaks) or "nothing found")


def _leaks(course: Course, assignment: str) -> list[str]:
    """Marks, lines of solutions and lines of hidden tests that the release holds."""
    source, given = course.read("source", assignment), course.read("release", assignment)
    text = "\n".join(cell.source for cell in given.cells) + "\n" + str(given.metadata)
    for path in course.extras("release", assignment):
        text += "\n" + path.read_text(encoding="utf-8", errors="ignore")
    public = {line.strip() for cell in source.cells for line in _public(cell.source).splitlines()}
    found = [f"the mark {mark!r}" for mark in MARKS if mark in text]
    for cell in source.cells:
        for line in _secret_lines(cell.source) - public:
            if line in text:
                found.append(f"a line of {grade_id(cell)}: {line[:40]}")
    stored = [grade_id(c) for c in given.cells if c.get("outputs")]
    return found + [f"outputs of {name or 'a cell'}" for name in stored]


def _public(source: str) -> str:
    return SOLUTION.sub("", HIDDEN.sub("", source))


def _secret_lines(source: str) -> set[str]:
    parts = SOLUTION.findall(source) + HIDDEN.findall(source)
    lines = {line.strip() for part in parts for line in part.splitlines()}
    return {line for line in lines if len(line) >= SHORT and not line.startswith("#")}


def _points_add_up(course: Course, assignment: str) -> Finding:
    """The sums by question against those that the headings state, "## Question 2 (6 points)"."""
    source = course.read("source", assignment)
    text = "\n".join(cell.source for cell in source.cells if cell.cell_type == "markdown")
    stated = {f"Q{number}": float(worth) for number, worth in STATED.findall(text)}
    sums: dict[str, float] = {}
    for cell in source.cells:
        if points(cell):
            name = question(grade_id(cell))
            sums[name] = sums.get(name, 0.0) + points(cell)
    wrong = sorted(name for name in stated.keys() | sums if stated.get(name) != sums.get(name))
    seen = ", ".join(f"{n}: {sums.get(n, 0):g} (stated {stated.get(n, 0):g})" for n in wrong)
    unnamed = [c for c in source.cells if (is_answer(c) or points(c)) and not grade_id(c)]
    total = f"{sum(sums.values()):g} points in {len(sums)} questions"
    return Finding("the points add up", not wrong and not unnamed, seen or total)


def environment() -> Finding:
    """Is everything installed that the lectures need, at the versions this package was tested with?

    A grading environment without numpy gives every student 0 and says nothing.
    """
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in metadata.requires("hierwidgets") or []]
    missing, other = [], []
    for wish in wanted:
        if wish.marker and not any(wish.marker.evaluate({"extra": e}) for e in ("", "lab")):
            continue
        try:
            version = metadata.version(wish.name)
        except metadata.PackageNotFoundError:
            missing.append(wish.name)
            continue
        if not wish.specifier.contains(version, prereleases=True):
            other.append(f"{wish.name} {version} (wanted {wish.specifier})")
    seen = [f"missing: {', '.join(missing)}"] if missing else []
    seen += [f"other versions: {', '.join(other)}"] if other else []
    name = "this environment is the one of the lectures"
    return Finding(name, not seen, "; ".join(seen) or f"{len(wanted)} requirements looked at")
