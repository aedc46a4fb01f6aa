"""Grade submissions one by one: rebuild, run apart, import the scores."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import nbformat

from hierwidgets.errors import DataError

from .cells import grade_id, is_test, rebuild
from .engine import error, run
from .folder import Course
from .sandbox import USUAL, Limits, SandboxError, why_not

__all__ = ["FLAGS", "Record", "grade", "grade_one", "records", "require_walls"]

FLAGS = {
    "ok": "graded as handed in",
    "repaired": "graded after mending: see the notes",
    "timeout": "stopped by a time limit: what it had finished counts",
    "crash": "Python ended, or a limit of memory, processes or output was passed: what came "
    "before counts",
    "tampered": "of an earlier version: changed what the tests relied on; grade it again",
    "unreadable": "no notebook that can be read: nothing is graded",
}
LARGEST = 20_000_000  # bytes of a submission
REBUILT, RECORDS = "rebuilt", "records"


@dataclass(frozen=True, slots=True)
class Record:
    """How the grading of one submission went.

    Attributes
    ----------
    student, assignment, flag
        `flag` is one of `FLAGS`.
    notes
        What was mended or found, in words.
    scores
        Points by test, as run; manual questions are not among them.
    digest
        Of the files handed in and of the course's; a run with the same digest is not repeated.
    isolated
        Whether network and course files were out of the answers' reach.
    """

    student: str
    assignment: str
    flag: str
    notes: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    digest: str = ""
    isolated: bool = False

    def save(self, course: Course) -> None:
        path = _record_path(course, self.assignment, self.student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def records(course: Course, assignment: str) -> list[Record]:
    """The records of all graded submissions, by student."""
    found = []
    for path in sorted((course.root / RECORDS / assignment).glob("*.json")):
        stored = json.loads(path.read_text(encoding="utf-8"))
        found.append(Record(**{**stored, "notes": tuple(stored["notes"])}))
    return found


def _record_path(course: Course, assignment: str, student: str) -> Path:
    return course.root / RECORDS / assignment / f"{student}.json"


def grade(
    course: Course, assignment: str, students: Iterable[str] = (), *,
    limits: Limits = USUAL, force: bool = False, progress: bool = True, jobs: int | None = None,
    walls: bool = True,
) -> list[Record]:  # fmt: skip
    """Grade every submission of an assignment, or those of some students.

    A submission that was graded before and has not changed is left alone, so an interrupted run
    goes on where it stopped. No submission can stop the others.

    Parameters
    ----------
    course, assignment, students
        Whose submissions; of all students if none is named.
    limits, force, progress
        What each may use; whether to grade again what is graded; whether to show a bar.
    jobs
        How many are run at the same time; as many as there are processors by default.
    walls
        False runs what students wrote in your own account, as you would run it.

    Returns
    -------
    list of Record
        Of the students asked for, in their order.

    Raises
    ------
    DataError
        For a student without a submission, or an assignment that has not been released.
    SandboxError
        If this system has no walls to run submissions behind.
    """
    from tqdm.auto import tqdm

    names = list(students) or course.students(assignment)
    if unknown := set(names) - set(course.students(assignment)):
        raise DataError(f"nothing in submitted/ from {', '.join(sorted(unknown))} for {assignment}")
    if not course.notebook("release", assignment).exists():
        raise DataError(f"{assignment} has not been released; run release {assignment} first")
    require_walls(walls)
    with (
        ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1) as pool,
        tqdm(total=len(names), unit="submission", disable=not progress) as bar,
    ):
        waiting = [
            pool.submit(grade_one, course, assignment, s, limits=limits, force=force, walls=walls)
            for s in names
        ]
        try:
            for done in as_completed(waiting):
                done.result()
                bar.update()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [done.result() for done in waiting]


def require_walls(walls: bool = True) -> None:
    """Refuse to run what students wrote where there are no walls, unless that is asked for."""
    if walls and (missing := why_not()):
        raise SandboxError(
            f"nothing was run, since answers could read and change all that you can: {missing}. "
            "Install bubblewrap, work on a machine that has it, or say --i-trust-them "
            "(walls=False) for students whose programs you would run yourself"
        )


def grade_one(
    course: Course, assignment: str, student: str, *,
    limits: Limits = USUAL, force: bool = False, walls: bool = True,
) -> Record:  # fmt: skip
    """Grade one submission and store its record; whatever goes wrong becomes a flag."""
    digest = _digest(course, assignment, student)
    path = _record_path(course, assignment, student)
    if path.exists() and not force:
        old = next(r for r in records(course, assignment) if r.student == student)
        if old.digest == digest:
            return old
    try:
        record = _graded(course, assignment, student, limits, digest, walls)
    except (DataError, OSError, ValueError, nbformat.reader.NotJSONError) as problem:
        record = Record(student, assignment, "unreadable", (str(problem)[:500],), digest=digest)
    except Exception as problem:  # of ours: the next submission is graded all the same
        words = f"grading failed, tell its authors: {type(problem).__name__}: {problem}"
        record = Record(student, assignment, "unreadable", (words[:500],), digest=digest)
    record.save(course)
    return record


def _graded(
    course: Course, assignment: str, student: str, limits: Limits, digest: str, walls: bool
) -> Record:
    submission, notes = _submitted(course, assignment, student)
    release, source = course.read("release", assignment), course.read("source", assignment)
    rebuilt = rebuild(release, source, submission)
    notes += rebuilt.notes
    flag, found = run_notebook(course, assignment, rebuilt.notebook, limits, walls=walls)
    if flag == "ok" and any("own:" not in note for note in notes):
        flag = "repaired"
    with _GRADEBOOK:
        _import(course, assignment, student, rebuilt.notebook)
    scores = {grade_id(c): _score(c) for c in rebuilt.notebook.cells if is_test(c)}
    return Record(student, assignment, flag, (*notes, *found), scores, digest, walls)


_GRADEBOOK = Lock()  # nbgrader works in the current directory, and its database has one writer


def _score(cell: Any) -> float:
    from nbgrader.utils import determine_grade

    return float(determine_grade(cell)[0] or 0)


def _submitted(course: Course, assignment: str, student: str) -> tuple[Any, tuple[str, ...]]:
    """The notebook a student handed in, whatever its name is, and what is odd about it."""
    right = course.notebook("submitted", assignment, student)
    found = sorted(right.parent.rglob("*.ipynb"), key=lambda p: (p != right, -p.stat().st_mtime))
    found = [p for p in found if ".ipynb_checkpoints" not in p.parts]
    if not found:
        names = ", ".join(sorted(p.name for p in right.parent.iterdir())) or "nothing"
        raise DataError(f"no notebook was handed in: {names}")
    notes: tuple[str, ...] = () if found[0] == right else (f"the file is called {found[0].name}",)
    if len(found) > 1:
        notes += (f"{len(found)} notebooks were handed in, {found[0].name} is graded",)
    size = found[0].stat().st_size
    if size > LARGEST:
        notes += (f"the file has {size / 1e6:.0f} MB; its outputs were dropped",)
    try:
        stored = json.loads(found[0].read_text(encoding="utf-8-sig", errors="strict"))
        return _plain(stored), notes
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DataError(f"{found[0].name} is not a notebook that can be read: {problem}") from None


def _plain(stored: Any) -> Any:
    """A notebook of any version without its outputs, as far as it can be read."""
    for cell in stored["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cell["source"] = "".join(cell["source"])
        cell.setdefault("metadata", {})
    notebook = nbformat.from_dict(stored)
    return nbformat.convert(notebook, 4) if stored.get("nbformat", 4) != 4 else notebook


def run_notebook(
    course: Course, assignment: str, notebook: Any, limits: Limits = USUAL,
    hidden: Iterable[Path] = (), walls: bool = True,
) -> tuple[str, tuple[str, ...]]:  # fmt: skip
    """Run a rebuilt notebook apart from everything and put its outputs in.

    Returns
    -------
    (str, tuple of str)
        A flag and notes. Cells that did not come to run hold an error, so they give no points.
    """
    source = course.read("source", assignment)
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        files = Path(place) / "files"
        files.mkdir()
        for path in course.extras("release", assignment):
            target = files / path.relative_to(course.root / "release" / assignment)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        ran = run(
            notebook, source, files, limits, walls=walls,
            hidden=[course.root, *_sources(), *hidden],
        )  # fmt: skip
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            reason = "; ".join(ran.notes) or "it was not run"
            cell.outputs = ran.outputs.get(index, [error("NotRun", reason)])
            cell.execution_count = None
    return ran.flag, tuple(ran.notes)


def _sources() -> list[Path]:
    """The package's own assignments, where it runs from a checkout."""
    return [Path(__file__).parents[2] / "lectures" / "assignments"]


def _import(course: Course, assignment: str, student: str, notebook: Any) -> None:
    """Let nbgrader read the scores from the notebook that was run; it runs nothing itself."""
    target = course.notebook(REBUILT, assignment, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    for stamp in course.notebook("submitted", assignment, student).parent.glob("timestamp.txt"):
        shutil.copy(stamp, target.parent)
    settings: dict[str, dict[str, Any]] = {
        "CourseDirectory": {"submitted_directory": REBUILT},
        "Execute": {"enabled": False}, "ClearOutput": {"enabled": False},
    }  # fmt: skip
    with course.nbgrader(**settings) as api:
        result = api.autograde(assignment, student, force=True, create=True)
    if not result["success"]:
        why = (result.get("error") or result.get("log") or "").strip()[-400:]
        raise DataError(f"nbgrader could not take the scores: {why}")


def _digest(course: Course, assignment: str, student: str) -> str:
    """Of everything that decides a grade: the submission, the source, the released files."""
    sums = sha256()
    places = [
        course.notebook("submitted", assignment, student).parent,
        course.notebook("source", assignment).parent, course.root / "release" / assignment,
    ]  # fmt: skip
    for place in places:
        for path in sorted(p for p in place.rglob("*") if p.is_file()):
            sums.update(str(path.relative_to(place)).encode())
            sums.update(path.read_bytes())
    return sums.hexdigest()
