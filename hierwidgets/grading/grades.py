"""Grade submissions one by one: rebuild, run apart, import the scores."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat

from hierwidgets.errors import DataError

from .cells import grade_id, is_test, points
from .folder import Course
from .rebuilding import raised
from .runner import error
from .sandbox import USUAL, Limits, isolation, run_limited
from .submissions import read_submission

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
    limits: Limits = USUAL, force: bool = False, progress: bool = True,
) -> list[Record]:  # fmt: skip
    """Grade every submission of an assignment, or those of some students.

    A submission that was graded before and has not changed is left alone, so an interrupted run
    goes on where it stopped. No submission can stop the others.

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
    done = []
    with tqdm(names, unit="submission", disable=not progress) as bar:
        for student in bar:
            bar.set_postfix_str(student)
            done.append(grade_one(course, assignment, student, limits=limits, force=force))
    return done


def grade_one(
    course: Course, assignment: str, student: str, *,
    limits: Limits = USUAL, force: bool = False,
) -> Record:  # fmt: skip
    """Grade one submission and store its record; errors of ours become a flag, too."""
    digest, old = _digest(course, assignment, student), None
    path = _record_path(course, assignment, student)
    if path.exists() and not force:
        old = next(r for r in records(course, assignment) if r.student == student)
        if old.digest == digest:
            return old
    try:
        record = _graded(course, assignment, student, limits, digest)
    except (DataError, OSError, ValueError, nbformat.reader.NotJSONError) as problem:
        record = Record(student, assignment, "unreadable", (str(problem)[:500],), digest=digest)
    record.save(course)
    return record


def _graded(course: Course, assignment: str, student: str, limits: Limits, digest: str) -> Record:
    release, source = course.read("release", assignment), course.read("source", assignment)
    rebuilt = read_submission(course, assignment, student, release, source)
    flag, found = run_notebook(course, assignment, rebuilt.notebook, limits)
    if flag == "ok" and rebuilt.mended:
        flag = "repaired"
    _import(course, assignment, student, rebuilt.notebook)
    scores = {grade_id(c): _score(c) for c in rebuilt.notebook.cells if is_test(c)}
    notes = (*rebuilt.notes, *found, *raised(rebuilt.notebook))
    return Record(student, assignment, flag, notes, scores, digest, isolation())


def _score(cell: Any) -> float:
    from nbgrader.utils import determine_grade

    return float(determine_grade(cell)[0] or 0)


def run_notebook(
    course: Course, assignment: str, notebook: Any, limits: Limits = USUAL,
    hidden: Iterable[Path] = (),
) -> tuple[str, tuple[str, ...]]:  # fmt: skip
    """Run a rebuilt notebook apart from everything and put its outputs in.

    Returns
    -------
    (str, tuple of str)
        A flag and notes. Cells that did not come to run hold an error, so they give no points.
    """
    request = json.dumps({"notebook": notebook, "cell_seconds": limits.cell_seconds})
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        folder = Path(place) / "work"
        folder.mkdir()
        for path in course.extras("release", assignment):
            target = folder / path.relative_to(course.root / "release" / assignment)
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
