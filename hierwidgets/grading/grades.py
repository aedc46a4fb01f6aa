"""Grade submissions one by one: rebuild, run apart, import the scores."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from hierwidgets.errors import DataError

from .cells import grade_id, is_test, points, question
from .digests import changed, digests, former_digest
from .folder import Course
from .late import write_time
from .marking import kept_from_students, show_markers
from .marks import kept_marks, same_work
from .rebuilding import raised
from .runner import error
from .sandbox import USUAL, Limits, isolation, run_limited
from .submissions import read_submission
from .variants import belongs_to

__all__ = ["FLAGS", "Record", "grade", "grade_one", "records"]

FLAGS = {
    "ok": "graded as handed in",
    "repaired": "graded after mending: see the notes",
    "timeout": "stopped by a time limit: what it had finished counts",
    "crash": "Python ended, or a limit of memory, processes or output was passed: what came "
    "before counts",
    "tampered": "changed what the tests rely on: the tests concerned give no points; look at it",
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
    progress: bool = True,
) -> list[Record]:  # fmt: skip
    """Grade every submission of an assignment, or those of some students.

    A submission that was graded before and has not changed is left alone, so an interrupted run
    goes on where it stopped. No submission can stop the others. What a person has marked stays
    marked unless the student's answer changed.

    Parameters
    ----------
    course, assignment, students
        What to grade; without names of students, everybody.
    questions
        Such as "Q3": only their points are taken anew, because their tests have changed, and all
        others stay as they are. A submission that is new or was handed in again is graded whole.
    limits, force, progress
        Of time and memory; also what has not changed; with a bar.

    Returns
    -------
    list of Record
        Of the students asked for, in their order.
    """
    from tqdm.auto import tqdm

    names = list(students) or course.students(assignment)
    if unknown := set(names) - set(course.students(assignment)):
        raise DataError(f"nothing in submitted/ from {', '.join(sorted(unknown))} for {assignment}")
    if not course.notebook("release", assignment).exists():
        raise DataError(f"{assignment} has not been released; run release {assignment} first")
    only = _known_questions(course, assignment, questions)
    done = []
    with tqdm(names, unit="submission", disable=not progress) as bar:
        for student in bar:
            bar.set_postfix_str(student)
            done.append(
                grade_one(course, assignment, student, questions=only, limits=limits, force=force)
            )
    if kept_from_students(course):
        for record in done:
            show_markers(course, assignment, record.student, record.flag, record.notes)
    return done


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
) -> Record:  # fmt: skip
    """Grade one submission and store its record; errors of ours become a flag, too."""
    now, old = digests(course, assignment, student), None
    path = _record_path(course, assignment, student)
    if path.exists():
        old = _stored(path)
        if not force and not _outdated(course, old, now, questions):
            return old
    try:
        record = _graded(
            course, assignment, student, limits, now, old if questions else None, questions
        )
    except (DataError, OSError, ValueError, nbformat.reader.NotJSONError) as problem:
        record = Record(student, assignment, "unreadable", (str(problem)[:500],), digests=now)
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
) -> Record:  # fmt: skip
    """Rebuild, run and import; with an old record, only the points of some questions are new."""
    step, whose = course.given(assignment, student)
    given, source = course.read(step, assignment, whose), course.read("source", assignment)
    rebuilt = read_submission(course, assignment, student, given, source)
    owner = belongs_to(course, assignment, rebuilt.submission)
    notes = rebuilt.notes
    if owner not in ("", student):
        notes += (f"this is the copy that was given to {owner}; graded on the data of {student}",)
    flag, found = run_notebook(course, assignment, rebuilt.notebook, limits, student=student)
    if flag == "ok" and (rebuilt.mended or owner not in ("", student)):
        flag = "repaired"
    former = course.notebook(REBUILT, assignment, student)
    part = old is not None and _restore(rebuilt.notebook, former, questions)
    found += _import(course, assignment, student, rebuilt.notebook)
    scores = {grade_id(c): _score(c) for c in rebuilt.notebook.cells if is_test(c)}
    record = Record(
        student, assignment, flag, (*notes, *found, *raised(rebuilt.notebook)), scores,
        isolated=isolation(), digests=now,
    )  # fmt: skip
    return _joined(old, record, questions) if old is not None and part else record


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
    hidden: Iterable[Path] = (), student: str = "",
) -> tuple[str, tuple[str, ...]]:  # fmt: skip
    """Run a rebuilt notebook apart from everything and put its outputs in.

    Beside it stand the files that the student was given.

    Returns
    -------
    (str, tuple of str)
        A flag and notes. Cells that did not come to run hold an error, so they give no points.
    """
    request = json.dumps({"notebook": notebook, "cell_seconds": limits.cell_seconds})
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        folder = Path(place) / "work"
        folder.mkdir()
        step, whose = course.given(assignment, student)
        for path in course.extras(step, assignment, whose):
            target = folder / path.relative_to(course.notebook(step, assignment, whose).parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        outcome = run_limited(
            lambda fd: [sys.executable, "-m", f"{__package__}.runner", str(fd)],
            request, folder, limits, [course.root, *_sources(), *hidden], _environment(place),
        )  # fmt: skip
    return _read(notebook, outcome.lines, outcome.stopped, outcome.log)


def _sources() -> list[Path]:
    """The package's own assignments, where it runs from a checkout."""
    return [Path(__file__).parents[2] / "lectures" / "assignments"]


def _environment(place: str) -> dict[str, str]:
    """Few variables: the answers get no home, no configuration, no secrets of the instructor."""
    kept = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    own = {
        "HOME": f"{place}/home", "TMPDIR": place, "IPYTHONDIR": f"{place}/ipython",
        "JUPYTER_RUNTIME_DIR": f"{place}/runtime", "JUPYTER_CONFIG_DIR": f"{place}/config",
        "MPLCONFIGDIR": f"{place}/matplotlib", "NBGRADER_EXECUTION": "autograde",
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }  # fmt: skip
    return {name: os.environ[name] for name in kept if name in os.environ} | own


def _read(notebook: Any, lines: list[str], stopped: str, log: str) -> tuple[str, tuple[str, ...]]:
    """Put the reported outputs into the notebook; the flag and the notes."""
    flag, notes, ended, seen = "ok", [], False, set()
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        ended = ended or "end" in told
        if "index" not in told:
            continue
        cell = notebook.cells[told["index"]]
        cell.outputs = [nbformat.from_dict(output) for output in told["outputs"]]
        cell.execution_count = told["count"]
        seen.add(told["index"])
        if told["changed"]:
            flag = "tampered"
            notes.append(f"{grade_id(cell)}: {', '.join(told['changed'][:5])} had been changed")
        if told["dead"] and flag == "ok":
            flag = "crash"
            notes.append(f"Python ended in or before {grade_id(cell) or 'a cell'}")
        if flag == "ok" and _timed_out(cell):
            flag = "timeout"
            notes.append(f"{grade_id(cell)}: {cell.outputs[0].evalue}")
    if stopped or not ended:
        reason = _STOPPED.get(stopped, f"the run ended early: {log.strip()[-300:]}")
        flag = "tampered" if flag == "tampered" else "timeout" if stopped == "time" else "crash"
        notes.append(reason)
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "code" and index not in seen:
                cell.outputs = [error("NotRun", reason)]
    for cell in notebook.cells:
        if is_test(cell) and points(cell):
            _drop_warnings(cell)
    return flag, tuple(notes)


_STOPPED = {
    "time": "the time limit of the whole notebook was reached",
    "memory": "the memory limit was passed",
    "processes": "too many processes or threads were started",
    "output": "too much output",
}


def _timed_out(cell: Any) -> bool:
    return any(o.get("ename") == "CellTimeoutError" for o in cell.outputs)


def _drop_warnings(cell: Any) -> None:
    """nbgrader gives no points to a test with anything on stderr; a warning is no failure."""
    cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]


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
