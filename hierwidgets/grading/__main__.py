"""The command line: ``python -m hierwidgets.grading check | release | grade | report | ...``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hierwidgets.errors import DataError, HierwidgetsError

from . import (
    Course,
    Limits,
    check,
    copy_course,
    feedback,
    grade,
    isolation,
    lms_file,
    lms_roster,
    open_course,
    pass_rates,
    release,
    score_table,
)
from .folder import VARIANTS
from .lms import SYSTEMS
from .marking import kept_from_students
from .reports import picture, question_points, summary, write_csv
from .similarity import graded, similar
from .variants import owners, read_roster, release_variants


def parser() -> argparse.ArgumentParser:
    """The commands, and ``private`` for a copy that holds other tests."""
    top = argparse.ArgumentParser(prog="python -m hierwidgets.grading", description=__doc__)
    top.add_argument("--course", help="the course directory (default: lectures/assignments)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words in (
        ("check", "is the assignment fit to be given out?"),
        ("release", "make the student copies in release/"),
        ("grade", "grade what is in submitted/; goes on where it stopped"),
        ("report", "a CSV file, a class summary with a picture, feedback pages"),
        ("similar", "which answers resemble each other: a reason to look, not a verdict"),
    ):
        one = commands.add_parser(name, help=words, description=words)
        one.add_argument("assignments", nargs="*", help="their names (default: all)")
        one.add_argument("--course", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if name in ("check", "grade"):
            one.add_argument("--seconds", type=float, default=300, help="for a whole notebook")
            one.add_argument("--cell-seconds", type=float, default=60, help="for one cell")
            one.add_argument("--megabytes", type=float, default=2048, help="memory of one student")
        if name == "release":
            one.add_argument("--roster", type=Path, help="a CSV file with a column id: every "
                             "student in it gets data of their own, in variants/")  # fmt: skip
        if name == "grade":
            one.add_argument("--student", action="append", default=[], help="only this one")
            one.add_argument("--question", action="append", default=[],
                             help="only its points, such as Q3; all others stay")  # fmt: skip
            one.add_argument("--jobs", type=int, help="how many at a time (default: processors)")
            one.add_argument("--i-trust-them", action="store_true", help="run without walls what "
                             "students wrote: it can do all that you can do")  # fmt: skip
            one.add_argument("--force", action="store_true", help="grade again what is graded")
        if name == "report":
            one.add_argument("--feedback", action="store_true", help="write feedback pages, too")
            one.add_argument("--hidden-tests", action="store_true", help="show them in feedback")
            one.add_argument("--lms", choices=SYSTEMS, help="a file that this system imports")
            one.add_argument("--roster", type=Path, help="who is in the course, for --lms")
            one.add_argument("--column", default="", help="the assignment's name in the system")
        if name == "similar":
            one.add_argument("--known", type=Path, nargs="+", default=[],
                             help="files or folders with code that anybody may use")  # fmt: skip
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
        "similar": _similar,
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
    students = read_roster(options.roster) if options.roster else []
    for name in names:
        print(f"{name}: {release(course, name)}")
        if students or owners(course, name):
            made = release_variants(course, name, students)
            print(f"{name}: {len(made)} copies with data of one's own in {course.root / VARIANTS}")
    return 0


def _grade(options: argparse.Namespace) -> int:
    course, names = _course_and_names(options)
    if not kept_from_students(course):
        print("nbgrader_config.py does not keep cells for markers off students' pages, so there "
              "are none: no mark schemes, no notes. See the instructor's guide.")  # fmt: skip
    odd = 0
    for name in names:
        if not options.student and not course.students(name):
            continue
        for record in grade(
            course, name, options.student, questions=options.question,
            limits=_limits(options), force=options.force,
            jobs=options.jobs, walls=not options.i_trust_them,
        ):  # fmt: skip
            if record.flag != "ok":
                odd += 1
                print(f"{name} {record.student}: {record.flag}; {'; '.join(record.notes)}")
    return int(odd > 0)


def _report(options: argparse.Namespace) -> int:
    course, names = _course_and_names(options)
    if bool(options.lms) != bool(options.roster):
        raise DataError("--lms and --roster belong together: the file needs the students' names "
                        "in the school's system")  # fmt: skip
    roster = lms_roster(options.roster) if options.lms else None
    for name in names:
        table = score_table(course, name)
        if table.empty:
            continue
        worth, tests = question_points(course, name), pass_rates(course, name)
        folder = course.root / "reports"
        write_csv(table, folder / f"{name}.csv")
        write_csv(tests, folder / f"{name}-tests.csv")
        picture(table, worth, folder / f"{name}.png")
        print(f"{name}\n{summary(table, worth, tests)}")
        print(f"written: {folder / name}.csv, -tests.csv and .png")
        if roster is not None:
            _, said = lms_file(table, options.lms, roster, folder, name, options.column)
            print("\n".join(said))
        if options.feedback:
            pages = feedback(course, name, hidden_tests=options.hidden_tests)
            print(f"{len(pages)} feedback pages in {course.root / 'feedback'}")
    return 0


def _similar(options: argparse.Namespace) -> int:
    course, names = _course_and_names(options)
    for name in names:
        if not options.assignments and not graded(course, name):
            continue
        page, pairs = similar(course, name, options.known)
        print(f"{name}: {len(pairs)} pairs of answers to look at, no verdicts: {page}")
    return 0


def _private(options: argparse.Namespace) -> int:
    made = copy_course(open_course(options.course), options.folder)
    print(f"{made.root}: keep it out of public places, and name it with --course")
    return 0


if __name__ == "__main__":
    sys.exit(main())
