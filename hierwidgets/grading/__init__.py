"""Graded assignments: check, release, grade, report, over plain nbgrader.

``python -m hierwidgets.grading check | release | grade | report | similar`` works on a course
directory (``lectures/assignments`` here). nbgrader itself keeps working beside it: the gradebook,
manual grading and export are its own. What this adds is safety: every submission is rebuilt from
the released notebook with what the student wrote; answers run in one process and the tests in
another, behind walls that leave neither the course's files nor the network, within limits. With a
roster, every student gets data of their own, and is graded on them.

It needs nbgrader: ``pip install "hierwidgets[grading]"``.
"""

from importlib.util import find_spec

from hierwidgets.errors import MissingExtraError

if find_spec("nbgrader") is None:
    raise MissingExtraError('Grading needs nbgrader: run pip install "hierwidgets[grading]".')

from .checks import Finding, check, release
from .feedback import feedback
from .folder import Course, copy_course, open_course
from .grades import FLAGS, Record, grade, records
from .lms import lms_file, lms_roster
from .reports import pass_rates, score_table
from .sandbox import Limits, isolation
from .similarity import similar
from .variants import read_roster, release_variants

__all__ = [
    "FLAGS",
    "Course",
    "Finding",
    "Limits",
    "Record",
    "check",
    "copy_course",
    "feedback",
    "grade",
    "isolation",
    "lms_file",
    "lms_roster",
    "open_course",
    "pass_rates",
    "read_roster",
    "records",
    "release",
    "release_variants",
    "score_table",
    "similar",
]
