"""What a class costs: 120 submissions of the first assignment, graded, and their feedback pages.

    python -m benchmarks.bench_grading [--students 120] [--jobs N]

The sheets are those of the tests (the reference, blank ones, every wrong solution), handed in again
and again. Processor time is that of the whole machine, which must be idle. Plain nbgrader's
autograde, which runs answers and tests together and in your own account, stands beside it.
"""

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
from support.answer_sheets import SOURCE
from support.submissions import submissions

from hierwidgets.grading import Course, copy_course, feedback, grade, open_course, release
from hierwidgets.grading.cells import grade_id, is_test

from .report import Report

ASSIGNMENT = "A1"
EACH = 8.0  # CPU-seconds of a submission
CLASS = 15 * 60.0  # seconds of 120 students on two processors
PAGES = 5 * 60.0  # seconds of 120 feedback pages
FOR_PEER = 3  # submissions


def spent() -> float:
    """Processor time of the whole machine: what ends behind walls is nobody's child."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def measured(found: dict[str, tuple[float, float]], name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), spent()
    yield
    found[name] = time.perf_counter() - wall, spent() - cpu


def hand_in(course: Course, students: int) -> None:
    source, given = course.read("source", ASSIGNMENT), course.read("release", ASSIGNMENT)
    names = [grade_id(cell) for cell in source.cells if is_test(cell)]
    sheets = [s for s in submissions(ASSIGNMENT, source, given, names) if s.flag == "ok"]
    for k in range(students):
        path = course.notebook("submitted", ASSIGNMENT, f"student{k:03d}")
        path.parent.mkdir(parents=True)
        nbformat.write(sheets[k % len(sheets)].notebook, path)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, judge; 1 if a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args([] if arguments is None else arguments)
    found: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory(prefix="class-") as place:
        course = copy_course(open_course(SOURCE.parent), Path(place) / "course")
        release(course, ASSIGNMENT)
        hand_in(course, options.students)
        with measured(found, "grade"):
            done = grade(course, ASSIGNMENT, jobs=options.jobs)
        odd = [r.student for r in done if r.flag not in ("ok", "repaired")]
        assert not odd, odd
        with measured(found, "feedback"):
            pages = feedback(course, ASSIGNMENT)
        assert len(pages) == options.students
        with measured(found, "nbgrader"), contextlib.redirect_stderr(io.StringIO()):
            for k in range(FOR_PEER):
                with course.nbgrader() as api:
                    api.autograde(ASSIGNMENT, f"student{k:03d}", force=True, create=True)
    return 0 if told(found, options.students, options.jobs) else 1


def told(found: dict[str, tuple[float, float]], students: int, jobs: int) -> bool:
    report, each = Report(), found["grade"][1] / students
    peer = found["nbgrader"][1] / FOR_PEER
    scale = 120 / students
    report.text(f"{students} submissions of {ASSIGNMENT}, {jobs} at a time.")
    rows = [("", "seconds", "CPU-seconds", "CPU-seconds each")]
    for name, count in (("grade", students), ("feedback", students), ("nbgrader", FOR_PEER)):
        wall, cpu = found[name]
        label = "nbgrader's autograde, one at a time" if name == "nbgrader" else name
        rows.append((label, f"{wall:.0f}", f"{cpu:.0f}", f"{cpu / count:.2f}"))
    report.table("A class", rows)
    report.text(f"Grading costs {each / peer:.2f} times what nbgrader's autograde does.")
    report.judge(each < EACH, f"a submission under {EACH:.0f} CPU-seconds")
    report.judge(scale * found["grade"][0] < CLASS, "120 students under 15 minutes")
    report.judge(scale * found["feedback"][0] < PAGES, "120 feedback pages under 5 minutes")
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
