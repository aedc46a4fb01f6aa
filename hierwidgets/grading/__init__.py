"""Graded assignments: check, release, grade, report, over plain nbgrader.

``python -m hierwidgets.grading check | release | grade | report`` works on a course directory
(``lectures/assignments`` here). nbgrader itself keeps working beside it: the gradebook, manual
grading and export are its own. What this adds is safety: every submission is rebuilt from the
released notebook with the student's answers; these run in one process and the tests in another,
behind walls that leave neither the course's files nor the network, within limits.

It needs nbgrader: ``pip install "hierwidgets[grading]"``.
"""

from importlib.util import find_spec

from hierwidgets.errors import MissingExtraError

if find_spec("nbgrader") is None:
    raise MissingExtraError('Grading needs nbgrader: run pip install "hierwidgets[grading]".')

from .checks import Finding, check, release
from .folder import Course, copy_course, open_course
from .grades import FLAGS, Record, grade, records
from .reports import feedback, score_table
from .sandbox import Limits, isolation

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
    "open_course",
    "records",
    "release",
    "score_table",
]
