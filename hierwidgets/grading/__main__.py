"""The command line: ``python -m hierwidgets.grading check | release | grade | report``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hierwidgets.errors import HierwidgetsError

from . import (
    Course,
    Limits,
    check,
    copy_course,
    feedback,
    grade,
    isolation,
    open_course,
    release,
    score_table,
)
from .reports import picture, question_points, summary, write_csv


def parser() -> argparse.ArgumentParser:
    """The four commands, and ``private`` for a copy that holds other tests."""
    top = argparse.ArgumentParser(prog="python -m hierwidgets.grading", description=__doc__)
    top.add_argument("--course", help="the course directory (default: lectures/assignments)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words in (
        ("check", "is the assignment fit to be given out?"),
        ("release", "make the student copies in release/"),
        ("grade", "grade what is in submitted/; goes on where it stopped"),
        ("report", "a CSV file, a class summary with a picture, feedback pages"),
    ):
        one = commands.add_parser(name, help=words, description=words)
        one.add_argument("assignments", nargs="*", help="their names (default: all)")
        one.add_argument("--course", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if name in ("check", "grade"):
            one.add_argument("--seconds", type=float, default=300, help="for a whole notebook")
            one.add_argument("--cell-seconds", type=float, default=60, help="for one cell")
            one.add_argument("--megabytes", type=float, default=2048, help="memory of one student")
        if name == "grade":
            one.add_argument("--student", action="append", default=[], help="only this one")
            one.add_argument("--jobs", type=int, help="how many at a time (default: processors)")
            one.add_argument("--i-trust-them", action="store_true", help="run without walls what "
                             "students wrote: it can do all that you can do")  # fmt: skip
            one.add_argument("--force", action="store_true", help="grade again what is graded")
        if name == "report":
            one.add_argument("--feedback", action="store_true", help="write feedback pages, too")
            one.add_argument("--hidden-tests", action="store_true", help="show them in feedback")
    private = commands.add_parser("private", help="copy the course to a folder of your own")
    private.add_argument("folder", type=Path)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if all is well, 1 if something needs a person, 2 for wrong use."""
    options = parser().parse_args(arguments)
    try:
        return _commands()[options.command](options)
    except HierwidgetsError as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return 2


def _commands() -> dict[str, Callable[[argparse.Namespace], int]]:
    return {
        "check": _check, "release": _release, "grade": _grade, "report": _report,
        "private": _private,
    }  # fmt: skip


def _course_and_names(options: argparse.Namespace) -> tuple[Course, list[str]]:
    course = open_course(options.course)
    return course, options.assignments or course.assignments()


def _limits(options: argparse.Namespace) -> Limits:
    return Limits(options.seconds, options.cell_seconds, options.megabytes)


def _check(options: argparse.Namespace) -> int:
    course, names = _course_and_names(options)
    bad = 0
    for name in names:
        print(name, flush=True)
        walls = isolation()  # what is run here is the course's own
        for finding in check(course, name, _limits(options), walls=walls):
            print(f"  {finding}", flush=True)
            bad += not finding.good
    return int(bad > 0)


def _release(options: argparse.Namespace) -> int:
    course, names = _course_and_names(options)
    for name in names:
        print(f"{name}: {release(course, name)}")
    return 0


def _grade(options: argparse.Namespace) -> int:
    course, names = _course_and_names(options)
    odd = 0
    for name in names:
        if not options.student and not course.students(name):
            continue
        for record in grade(
            course, name, options.student, limits=_limits(options), force=options.force,
            jobs=options.jobs, walls=not options.i_trust_them,
        ):  # fmt: skip
            if record.flag != "ok":
                odd += 1
                print(f"{name} {record.student}: {record.flag}; {'; '.join(record.notes)}")
    return int(odd > 0)


def _report(options: argparse.Namespace) -> int:
    course, names = _course_and_names(options)
    for name in names:
        table = score_table(course, name)
        if table.empty:
            continue
        worth, folder = question_points(course, name), course.root / "reports"
        write_csv(table, folder / f"{name}.csv")
        picture(table, worth, folder / f"{name}.png")
        print(f"{name}\n{summary(table, worth)}")
        print(f"written: {folder / name}.csv and .png")
        if options.feedback:
            pages = feedback(course, name, hidden_tests=options.hidden_tests)
            print(f"{len(pages)} feedback pages in {course.root / 'feedback'}")
    return 0


def _private(options: argparse.Namespace) -> int:
    made = copy_course(open_course(options.course), options.folder)
    print(f"{made.root}: keep it out of public places, and name it with --course")
    return 0


if __name__ == "__main__":
    sys.exit(main())
