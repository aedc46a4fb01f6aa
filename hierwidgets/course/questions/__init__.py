"""The exercises of the lectures, one module for a lecture, each with a tuple ``EXERCISES``.

What an exercise expects is computed here from the data with a few lines of NumPy, apart from the
estimators the package offers. `hierwidgets.exercises` finds them by an entry point.
"""

from . import (
    lecture_00,
    lecture_01,
    lecture_02,
    lecture_03,
    lecture_04,
    lecture_05,
    lecture_06,
    lecture_07,
    lecture_08,
    lecture_09,
    lecture_10,
    lecture_11,
    lecture_12,
    lecture_a,
)

EXERCISES = tuple(
    exercise
    for lecture in (
        lecture_00,
        lecture_01,
        lecture_02,
        lecture_03,
        lecture_04,
        lecture_05,
        lecture_06,
        lecture_07,
        lecture_08,
        lecture_09,
        lecture_10,
        lecture_11,
        lecture_12,
        lecture_a,
    )
    for exercise in lecture.EXERCISES
)
