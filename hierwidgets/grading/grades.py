"""Grade submissions one by one: rebuild, run apart, import the scores."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import nbformat

from hierwidgets.base.executors import LostError, check_executor, progress_bar, work
from hierwidgets.errors import DataError, HierwidgetsError

from .cells import grade_id, is_test, points, question
from .digests import changed, digests, former_digest
from .engine import error, run
from .folder import Course
from .late import write_time
from .marking import kept_from_students, show_markers
from .marks import kept_marks, same_work
from .rebuilding import raised
from .sandbox import USUAL, Limits, SandboxError, why_not
from .submissions import read_submission
from .variants import belongs_to, source_for

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
        Of the files handed in and of the course's, in records of former versions.
    isolated
        Whether network and course files were out of the answers' reach.
    digests
        By question, of what decides its points; what has not changed is not run again.
    """

    student: str
    assignment: str
    flag: str
    notes: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    digest: str = ""
    isolated: bool = False
    digests: dict[str, str] = field(default_factory=dict)

    def save(self, course: Course) -> None:
        path = _record_path(course, self.assignment, self.student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def records(course: Course, assignment: str) -> list[Record]:
    """The records of all graded submissions, by student."""
    return [_stored(path) for path in sorted((course.root / RECORDS / assignment).glob("*.json"))]


def _stored(path: Path) -> Record:
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Record(**{**stored, "notes": tuple(stored["notes"])})


def _record_path(course: Course, assignment: str, student: str) -> Path:
    return course.root / RECORDS / assignment / f"{student}.json"


def grade(
    course: Course, assignment: str, students: Iterable[str] = (), *,
    questions: Iterable[str] = (), limits: Limits = USUAL, force: bool = False,
    progress: bool = True, jobs: int | None = None, executor: Executor | None = None,
    walls: bool = True,
) -> list[Record]:  # fmt: skip
    """Grade every submission of an assignment, or those of some students.

    A submission that was graded before and has not changed is left alone, so an interrupted run
    goes on where it stopped. No submission can stop the others. What a person has marked stays
    marked unless the student's answer changed.

    Parameters
    ----------
    course, assignment, students
        Whose submissions; of all students if none is named.
    questions
        Such as "Q3": only their points are taken anew, because their tests have changed, and all
        others stay as they are. A submission that is new or was handed in again is graded whole.
    limits, force, progress
        What each may use; whether to grade again what is graded; whether to show a bar.
    jobs
        How many are run at the same time; as many as there are processors by default.
    executor
        Any `concurrent.futures.Executor` in place of `jobs`, such as that of a Dask cluster
        (``client.get_executor()``) whose machines have the course under the same path and walls
        of their own. It is not shut down.
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
    HierwidgetsError
        If the executor failed; what was graded stays, and a new run goes on from there.
    """
    check_executor(executor)
    names = list(students) or course.students(assignment)
    if unknown := set(names) - set(course.students(assignment)):
        raise DataError(f"nothing in submitted/ from {', '.join(sorted(unknown))} for {assignment}")
    if not course.notebook("release", assignment).exists():
        raise DataError(f"{assignment} has not been released; run release {assignment} first")
    only = _known_questions(course, assignment, questions)
    require_walls(walls)
    one = partial(_one, course, assignment, questions=only, limits=limits, force=force, walls=walls)
    found: dict[str, Record] = {}
    try:
        with ExitStack() as stack:
            if executor is None:
                threads = ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1)
                executor = stack.enter_context(threads)
            show = stack.enter_context(progress_bar("grade", len(names), progress))
            steps = stack.enter_context(closing(work(one, names, executor)))
            for name, (record,) in (some for more in steps for some in more):
                found[name] = record
                show(1)
    except LostError as error:
        raise HierwidgetsError(
            f"the executor failed ({error}); {len(found)} of {len(names)} submissions are graded "
            "and stay so: check the executor, and grade again to go on from there"
        ) from error
    records_now = [found[name] for name in names]
    if kept_from_students(course):
        for record in records_now:
            show_markers(course, assignment, record.student, record.flag, record.notes)
    return records_now


def _one(course: Course, assignment: str, student: str, **how: Any) -> list[Record]:
    return [grade_one(course, assignment, student, **how)]


def require_walls(walls: bool = True) -> None:
    """Refuse to run what students wrote where there are no walls, unless that is asked for."""
    if walls and (missing := why_not()):
        raise SandboxError(
            f"nothing was run, since answers could read and change all that you can: {missing}. "
            "Install bubblewrap, work on a machine that has it, or say --i-trust-them "
            "(walls=False) for students whose programs you would run yourself"
        )


def _known_questions(course: Course, assignment: str, questions: Iterable[str]) -> frozenset[str]:
    known = [question(grade_id(c)) for c in course.read("source", assignment).cells if points(c)]
    asked = frozenset(name.upper() for name in questions)
    if asked - set(known):
        raise DataError(
            f"{assignment} has no question {', '.join(sorted(asked - set(known)))}; "
            f"it has {', '.join(dict.fromkeys(known))}"
        )
    return asked


def grade_one(
    course: Course, assignment: str, student: str, *,
    questions: frozenset[str] = frozenset(), limits: Limits = USUAL, force: bool = False,
    walls: bool = True,
) -> Record:  # fmt: skip
    """Grade one submission and store its record; whatever goes wrong becomes a flag."""
    now, old = digests(course, assignment, student), None
    path = _record_path(course, assignment, student)
    if path.exists():
        old = _stored(path)
        if not force and not _outdated(course, old, now, questions):
            return old
    try:
        record = _graded(
            course, assignment, student, limits, now, old if questions else None, questions, walls
        )
    except (DataError, OSError, ValueError, nbformat.reader.NotJSONError) as problem:
        record = Record(student, assignment, "unreadable", (str(problem)[:500],), digests=now)
    except Exception as problem:  # of ours: the next submission is graded all the same
        words = f"grading failed, tell its authors: {type(problem).__name__}: {problem}"
        record = Record(student, assignment, "unreadable", (words[:500],), digests=now)
    record.save(course)
    return record


def _outdated(
    course: Course, old: Record, now: Mapping[str, str], questions: frozenset[str]
) -> bool:
    """Whether something that decides the points has changed since a record was made."""
    if not old.digests:
        return old.digest != former_digest(course, old.assignment, old.student)
    different = changed(old.digests, now)
    return bool(different & questions if questions else different)


def _graded(
    course: Course, assignment: str, student: str, limits: Limits, now: dict[str, str],
    old: Record | None = None, questions: frozenset[str] = frozenset(),
    walls: bool = True,
) -> Record:  # fmt: skip
    """Rebuild, run and import; with an old record, only the points of some questions are new."""
    step, whose = course.given(assignment, student)
    given, source = course.read(step, assignment, whose), source_for(course, assignment, student)
    rebuilt = read_submission(course, assignment, student, given, source)
    owner = belongs_to(course, assignment, rebuilt.submission)
    notes = rebuilt.notes
    if owner not in ("", student):
        notes += (f"this is the copy that was given to {owner}; graded on the data of {student}",)
    flag, found = run_notebook(
        course, assignment, rebuilt.notebook, limits, student=student, walls=walls
    )
    if flag == "ok" and (rebuilt.mended or owner not in ("", student)):
        flag = "repaired"
    former = course.notebook(REBUILT, assignment, student)
    part = old is not None and _restore(rebuilt.notebook, former, questions)
    with _GRADEBOOK:
        found += _import(course, assignment, student, rebuilt.notebook)
    scores = {grade_id(c): _score(c) for c in rebuilt.notebook.cells if is_test(c)}
    record = Record(
        student, assignment, flag, (*notes, *found, *raised(rebuilt.notebook)), scores,
        isolated=walls, digests=now,
    )  # fmt: skip
    return _joined(old, record, questions) if old is not None and part else record


_GRADEBOOK = Lock()  # nbgrader works in the current directory, and its database has one writer


def _restore(notebook: Any, former: Path, questions: frozenset[str]) -> bool:
    """Give the tests of all other questions the outcome they had, if it is the same work."""
    if not former.exists():
        return False
    before: Any = nbformat.read(former, as_version=4)
    if not same_work(before, notebook):
        return False
    outcomes = {grade_id(cell): cell for cell in before.cells if is_test(cell)}
    for cell in notebook.cells:
        if is_test(cell) and question(grade_id(cell)) not in questions:
            if grade_id(cell) not in outcomes:
                return False
            cell.outputs = outcomes[grade_id(cell)].outputs
            cell.execution_count = outcomes[grade_id(cell)].execution_count
    return True


def _joined(old: Record, new: Record, questions: frozenset[str]) -> Record:
    """The record of a run from which only some questions count: what was found before stays."""
    renewed = {name: new.digests[name] for name in questions & new.digests.keys()}
    return replace(
        new,
        flag=new.flag if old.flag in ("ok", "repaired") else old.flag,
        notes=tuple(dict.fromkeys((*old.notes, *new.notes))),
        digests={**old.digests, **renewed},
    )


def _score(cell: Any) -> float:
    from nbgrader.utils import determine_grade

    return float(determine_grade(cell)[0] or 0)


def run_notebook(
    course: Course, assignment: str, notebook: Any, limits: Limits = USUAL,
    hidden: Iterable[Path] = (), student: str = "", walls: bool = True,
) -> tuple[str, tuple[str, ...]]:  # fmt: skip
    """Run a rebuilt notebook apart from everything and put its outputs in.

    Beside it stand the files that the student was given.

    Returns
    -------
    (str, tuple of str)
        A flag and notes. Cells that did not come to run hold an error, so they give no points.
    """
    source = source_for(course, assignment, student)
    step, whose = course.given(assignment, student)
    given = course.notebook(step, assignment, whose).parent
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        files = Path(place) / "files"
        files.mkdir()
        for path in course.extras(step, assignment, whose):
            target = files / path.relative_to(given)
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


def _import(course: Course, assignment: str, student: str, notebook: Any) -> tuple[str, ...]:
    """Let nbgrader read the scores from the notebook that was run; it runs nothing itself."""
    target = course.notebook(REBUILT, assignment, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    notes = write_time(course, assignment, student, target.parent)
    settings: dict[str, dict[str, Any]] = {
        "CourseDirectory": {"submitted_directory": REBUILT},
        "Execute": {"enabled": False}, "ClearOutput": {"enabled": False},
    }  # fmt: skip
    with (
        course.nbgrader(**settings) as api,
        kept_marks(course, api, assignment, student, notebook),
    ):
        result = api.autograde(assignment, student, force=True, create=True)
    if not result["success"]:
        why = (result.get("error") or result.get("log") or "").strip()[-400:]
        raise DataError(f"nbgrader could not take the scores: {why}")
    return notes
