"""Every exercise of the lectures, tried with answers as students give them.

`support.answers` has them: right ones in three forms or more, which must all be accepted, and five
wrong ones or more, none of which may pass; each must be told what its author did wrong.
"""

import pytest
from support.answers import lecture_of, table_of

from hierwidgets.exercises import check, names

NAMES = names()

# A student's function may overflow or divide by zero on its way to a right answer.
pytestmark = pytest.mark.filterwarnings("ignore")


def answers_of(name):
    table = table_of(lecture_of(name))
    assert name in table, f"support/answers/lecture_{lecture_of(name)}.py has no answers to {name}"
    return table[name]


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_pass_in_every_form(name):
    right = answers_of(name).right
    assert len(right) >= 3
    verdicts = [check(name, answer) for answer in right]
    assert all(verdicts), [
        f"number {i}: {verdict}" for i, verdict in enumerate(verdicts) if not verdict
    ]


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_are_told_what_is_wrong(name):
    wrong = answers_of(name).wrong
    assert len(wrong) >= 5
    assert len({words for _, words in wrong}) >= 3
    assert all(len(words) >= len("The sign") for _, words in wrong)
    told = [(check(name, answer), words) for answer, words in wrong]
    assert not [words for verdict, words in told if verdict], "a wrong answer passed"
    assert [f"{words!r} is not in {v}" for v, words in told if words not in v.message] == []


@pytest.mark.parametrize("lecture", sorted({lecture_of(name) for name in NAMES}))
def test_there_are_no_answers_to_exercises_that_are_gone(lecture):
    assert set(table_of(lecture)) == {name for name in NAMES if lecture_of(name) == lecture}
