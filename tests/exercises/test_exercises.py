"""Checks and hints: right answers pass in every shape, slips get their own words, nothing raises.

Every exercise of every lecture is run through the same mill: its own expected answer must pass,
each of its typical mistakes must fail with its own message, and the output must be the same
every time and carry no ids, so that stored notebook outputs can be compared.
"""

import re
import sys

import numpy as np
import pandas as pd
import pytest

from hierwidgets import exercises
from hierwidgets.course.questions import EXERCISES
from hierwidgets.errors import DataError
from hierwidgets.exercises import Exercise, Hint, Mistake, check, hint, names, register

read_registry = exercises._registry.__wrapped__  # the entry points as they are now


def number(answer):
    return answer + 1


NUMBER = Exercise(
    "test-number",
    expected=lambda: 0.31,
    hints=("one", "two"),
    right="Well done.",
    proportion=True,
    mistakes=(Mistake(lambda: 0.31**2, "This is the variance; take the square root."),),
)
ARRAY = Exercise("test-array", expected=lambda: [1.0, 2.0, 3.0], hints=())
TEXT = Exercise("test-text", expected=lambda: frozenset({"309", "District 309"}), hints=())
SERIES = Exercise("test-series", expected=lambda: pd.Series({"a": 1.0, "b": 2.0}), hints=())
FRAME = Exercise(
    "test-frame",
    expected=lambda: pd.DataFrame(
        {"n": [3, 4], "kind": ["x", "y"]}, index=pd.Index(["a", "b"], name="level")
    ),
    hints=(),
)
FUNCTION = Exercise(
    "test-function",
    expected=lambda: number,
    hints=(),
    inputs=((1.0,), (2.0,)),
    properties=(("it grows", lambda f: f(10.0) > f(5.0)),),
    mistakes=(Mistake(lambda: lambda x: x + 2, "You added 2."),),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    known = dict(exercises._registry())
    monkeypatch.setattr(exercises, "_registry", lambda: known)
    register(NUMBER, ARRAY, TEXT, SERIES, FRAME, FUNCTION)


def message(name, answer):
    verdict = check(name, answer)
    assert not verdict
    assert repr(verdict).startswith("✗ Not yet. ")
    return verdict.message


@pytest.mark.parametrize("name", names())
class TestEveryLectureExercise:
    def test_its_own_answer_passes(self, name):
        verdict = check(name, exercises._find(name).expected())
        assert verdict, verdict
        assert verdict.message

    def test_its_mistakes_fail_with_their_own_words(self, name):
        for mistake in exercises._find(name).mistakes:
            assert message(name, mistake.value()) == mistake.message

    def test_nonsense_is_answered_in_words(self, name):
        for answer in [None, "x", object(), [], {}, np.nan, pd.DataFrame(), print, int, True, 1j]:
            assert message(name, answer)

    def test_hints_lead_step_by_step(self, name):
        steps = len(exercises._find(name).hints)
        assert steps >= 2
        shown = [hint(name, step) for step in range(1, steps + 1)]
        assert len({h.message for h in shown}) == steps
        assert all(isinstance(h, Hint) and h.steps == steps for h in shown)

    def test_output_is_fixed_and_has_no_ids(self, name):
        for answer in (..., "wrong", exercises._find(name).expected()):
            first, second = check(name, answer), check(name, answer)
            assert repr(first) == repr(second)
            assert first._repr_html_() == second._repr_html_()
            assert not re.search(r"\bid=|0x[0-9a-f]+", repr(first) + first._repr_html_())
            assert len(repr(first)) < 300


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("test-number", ...),
        ("test-array", (..., ...)),
        ("test-function", ...),
        ("test-function", lambda x: ...),
        ("test-function", lambda x: (..., 1)),
    ],
)
def test_three_dots_are_an_open_answer(name, answer):
    verdict = check(name, answer)
    assert not verdict
    assert verdict.status == "open"
    assert repr(verdict).startswith("○ No answer yet.")


@pytest.mark.parametrize(
    "answer",
    [0.31, 0.3105, np.float64(0.31), np.array(0.31), np.array([0.31]), [0.31], pd.Series([0.31])],
)
def test_a_number_in_any_wrapping(answer):
    verdict = check("test-number", answer)
    assert verdict
    assert repr(verdict) == "✓ Right. Well done."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.3115, "too large"),
        (0.3, "too small"),
        (0.0961, "take the square root"),
        (31, "percentage"),
        ("0.31", "this is a text"),
        ([0.31, 0.31], "these are 2 values"),
        (np.nan, "NaN"),
        (len, "parentheses"),
        (None, "return"),
        (True, "true or false"),
    ],
)
def test_a_wrong_number_gets_the_right_words(answer, words):
    assert words in message("test-number", answer)


def test_arrays_by_position():
    assert check("test-array", (1, 2, 3))
    assert check("test-array", pd.Series([1, 2, 3], index=["x", "y", "z"]))
    assert "order" in message("test-array", [3, 2, 1])
    assert "3 numbers are asked for, and this has 2" in message("test-array", [1, 2])
    assert check("test-array", {"a": 1, "b": 2, "c": 3})
    assert "1 of 3 numbers differ; the first is number 2, too large." in message(
        "test-array", [1, 5, 3]
    )
    assert "1 of 3 numbers differ; the first is number 2, NaN." in message(
        "test-array", [1, np.nan, 3]
    )
    assert "this is a list" in message("test-array", ["a", "b", "c"])


def test_texts_without_case_and_spaces():
    for answer in (" district 309 ", "309", 309, np.int64(309)):
        assert check("test-text", answer)
    assert "It is not '308'" in message("test-text", 308)
    assert "this is a list" in message("test-text", ["309"])


def test_series_by_label():
    for answer in (
        pd.Series({"b": 2.0, "a": 1.0}),
        {"b": 2, "a": 1},
        [1, 2],
        pd.DataFrame({"rate": {"a": 1.0, "b": 2.0}}),
        pd.Series([2.0, 1.0], index=pd.CategoricalIndex(["b", "a"])),
    ):
        assert check("test-series", answer)
    assert "the first is that of 'b', too small." in message("test-series", {"a": 1, "b": 1})
    assert "1 labels are missing, such as 'b'" in message("test-series", {"a": 1})
    assert "too many, such as 'c'" in message("test-series", {"a": 1, "b": 2, "c": 3})
    assert "more than once" in message("test-series", pd.Series([1, 2], index=["a", "a"]))
    assert "order" in message("test-series", [2, 1])
    assert "these are not" in message("test-series", {"a": "1", "b": "2"})


def test_frames_by_label_and_column():
    right = FRAME.expected()
    for answer in (right, right.iloc[::-1], right.reset_index(), right.assign(more=1)):
        assert check("test-frame", answer)
    assert "no column 'kind'" in message("test-frame", right[["n"]])
    assert "In column 'n': 1 of 2" in message("test-frame", right.assign(n=[3, 5]))
    assert "In column 'kind'" in message("test-frame", right.assign(kind=["x", "z"]))
    assert "such as 'b'" in message("test-frame", right.iloc[:1])
    assert "DataFrame" in message("test-frame", [3, 4])


def test_functions_are_compared_on_their_inputs():
    assert check("test-function", number)
    assert message("test-function", lambda x: x + 2) == "You added 2."
    assert "For the arguments `(2.0)`: The number is too small." in message(
        "test-function", lambda x: 2
    )
    assert "nothing (None)" in message("test-function", lambda x: None)
    assert "without parentheses" in message("test-function", 2.0)


def test_a_property_counts_besides_the_inputs():
    assert "this should hold too: it grows" in message(
        "test-function", lambda x: x + 1 if x < 3 else 0
    )
    assert "it stopped with KeyError" in message("test-function", lambda x: {1.0: 2.0, 2.0: 3.0}[x])


def test_an_exception_inside_a_function_is_told_in_words():
    told = message("test-function", lambda x: {}["y"])
    assert told == "The function stopped with KeyError ('y') for the arguments `(1.0)`."
    assert "TypeError" in message("test-function", lambda x, y: x)


def test_a_function_cannot_spoil_the_inputs():
    data = [3.0, 1.0, 2.0]
    register(Exercise("test-median", lambda: np.median, hints=(), inputs=((data,),)))

    def clumsy(values):
        middle = sorted(values)[1]
        values.clear()
        return middle

    assert check("test-median", clumsy)
    assert check("test-median", clumsy)
    assert data == [3.0, 1.0, 2.0]


def test_markup_in_an_answer_stays_text():
    shown = check("test-text", "<b>309</b>")._repr_html_()
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown


def test_the_verdict_is_in_words_and_symbol_and_colours_no_text():
    for answer in (0.31, 0.5, ...):
        shown = check("test-number", answer)._repr_html_()
        assert re.search(r"<strong>[✓✗○] (Right|Not yet|No answer yet)\.</strong>", shown)
        assert not re.search(r"[^-]color:|background", shown)  # the theme's own text colours


def test_unknown_names_get_near_matches():
    with pytest.raises(DataError, match="'test-nomber'; did you mean one of 'test-number'"):
        check("test-nomber", 1)
    with pytest.raises(DataError, match="there is no exercise 7"):
        hint(7)


def test_steps_out_of_range_are_refused():
    for step in (0, 3, "1", None):
        with pytest.raises(DataError, match="'test-number' has hints 1 to 2"):
            hint("test-number", step)
    assert repr(hint("test-number", 2)) == "Hint 2 of 2. two"


def test_a_taken_name_adds_nothing():
    with pytest.raises(DataError, match="'test-number' exists"):
        register(Exercise("test-new", lambda: 1, hints=()), NUMBER)
    assert "test-new" not in names()


def test_the_course_s_exercises_are_there():
    offered = [exercise.name for exercise in EXERCISES]
    assert len(set(offered)) == len(offered)
    assert set(offered) <= set(names())
    assert list(names()) == sorted(names())


def install(folder, monkeypatch, questions):
    """A package of somebody else, as pip would leave it, with this module of questions."""
    record = folder / "other_course-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: other-course\nVersion: 1.0\n")
    point = "[hierwidgets.exercises]\nz-other = other_questions:EXERCISES\n"
    (record / "entry_points.txt").write_text(point)
    (folder / "other_questions.py").write_text(questions)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "other_questions", raising=False)


ONE = """
from hierwidgets.exercises import Exercise
EXERCISES = (Exercise({name!r}, expected=lambda: 1, hints=()),)
"""


def test_another_package_s_exercises_come_in_by_its_entry_point(monkeypatch, tmp_path):
    install(tmp_path, monkeypatch, ONE.format(name="other-one"))
    assert set(read_registry()) == {"other-one", *(exercise.name for exercise in EXERCISES)}


@pytest.mark.parametrize(
    ("questions", "why"),
    [
        ("import missing_module", "ModuleNotFoundError: No module named 'missing_module'"),
        ("QUESTIONS = ()", "AttributeError: module 'other_questions' has no attribute 'EXERCISES'"),
        ("EXERCISES = (3,)", "AttributeError: 'int' object has no attribute 'name'"),
        (ONE.format(name="01-interval"), "DataError: an exercise named '01-interval' exists"),
    ],
)
def test_a_package_whose_exercises_cannot_be_added_is_named(monkeypatch, tmp_path, questions, why):
    install(tmp_path, monkeypatch, questions)
    with pytest.raises(DataError) as caught:
        read_registry()
    told = str(caught.value)
    assert told.startswith("the package 'other-course' offers exercises at 'other_questions:EXER")
    assert why in told
    assert told.endswith("mend, update or uninstall it")


def test_a_rounded_answer_is_right_unless_a_slip_rounds_to_the_same():
    close = Exercise(
        "test-close", lambda: 0.3117, hints=(), atol=1e-5,
        mistakes=(Mistake(lambda: 0.3099, "By Laplace."),),
    )  # fmt: skip
    register(close)
    assert check("test-close", 0.312)
    assert check("test-close", 0.3117)
    assert "cannot be told from a common slip" in message("test-close", 0.31)
    assert message("test-close", 0.310) != "By Laplace."  # Python drops the zero: 0.31
    assert message("test-close", 0.3099) == "By Laplace."


def test_a_slip_is_known_with_the_quantile_as_in_the_text():
    assert "with 1.96" in message("01-sample-size", 1.96**2 * 10 / 23 * 13 / 23 / 0.05**2)
    assert "whole interval" in message("01-sample-size", 1.64**2 * 10 / 23 * 13 / 23 / 0.025**2)


def test_a_slip_near_what_is_right_is_not_seen_in_other_numbers():
    register(
        Exercise(
            "test-near", lambda: 1069.47, hints=(), atol=0.02,
            mistakes=(Mistake(lambda: 1070.0, "Twice rounded."),
                      Mistake(lambda: 1200.0, "Far away.")),
        )
    )  # fmt: skip
    assert message("test-near", 1070) == "Twice rounded."
    assert message("test-near", 1071) == "The number is too large."
    assert message("test-near", 1199) == "Far away."


def test_a_function_that_stops_later_on_is_told_what_is_wrong_first():
    register(
        Exercise(
            "test-later", lambda: number, hints=(), inputs=((1.0,), (0.0,)), proportion=True,
            mistakes=(Mistake(lambda: lambda x: x / 2, "Halved."),),
        )
    )  # fmt: skip
    assert "For the arguments `(1.0)`: The number is too small" in message(
        "test-later", lambda x: 0.5 / x
    )


def test_a_function_that_gives_percent_is_told_so():
    rate = Exercise(
        "test-rate", lambda: lambda x: x / 10, hints=(), inputs=((1.0,), (2.0,)), proportion=True
    )
    register(rate)
    assert "percentage" in message("test-rate", lambda x: 10 * x)


def test_other_right_functions():
    register(
        Exercise(
            "test-other", lambda: number, hints=(), inputs=((1.0,), (2.0,)),
            also=(lambda: lambda x: x + 7,), properties=(("it grows", lambda f: f(9) > f(1)),),
        )
    )  # fmt: skip
    assert check("test-other", lambda x: x + 7)
    assert "it grows" in message("test-other", lambda x: x + 7 if x < 3 else 0)
    assert not check("test-other", lambda x: x + 3)


def test_other_right_numbers_may_be_rounded():
    register(Exercise("test-sign", lambda: -2 / 3, hints=(), atol=1e-6, also=(lambda: 2 / 3,)))
    assert check("test-sign", 0.67)
    assert check("test-sign", -0.667)


def test_tables_are_named_by_their_size():
    table = pd.DataFrame({"x": [1.0, 2.0]})
    register(
        Exercise("test-table", lambda: len, hints=(), inputs=((table,),)),
        Exercise("test-matrix", lambda: np.sum, hints=(), inputs=((np.eye(3),),)),
    )
    assert "`(a table of 2 rows)`: The number is too small." in message("test-table", lambda t: 1)
    assert "`(an array of 3 by 3 numbers)`" in message("test-matrix", lambda t: 1)


def test_other_right_answers():
    register(Exercise("test-either", lambda: -2.0, hints=(), also=(lambda: 2.0,)))
    assert check("test-either", -2)
    assert check("test-either", 2)
    assert not check("test-either", 0)


def test_a_constant_may_be_added_where_only_differences_count():
    free = Exercise(
        "test-free", lambda: lambda x, c: c * x, hints=(), inputs=((1.0, 3.0), (2.0, 3.0)),
        up_to_constant=True,
    )  # fmt: skip
    register(free)
    assert check("test-free", lambda x, c: c * x + 7)
    assert "Between the arguments `(1.0, 3.0)` and `(2.0, 3.0)`: The number is too large" in (
        message("test-free", lambda x, c: 2 * c * x)
    )
    assert "nothing (None)" in message("test-free", lambda x, c: None)


def test_a_graded_check_takes_no_rounded_numbers():
    exercises.require("test-number", 0.3105)
    with pytest.raises(AssertionError):
        exercises.require(Exercise("strict", lambda: 10 / 23, hints=()), 0.43)


def drawn_by_turns(seed, n, mu, sigma):
    """District by district, an order of the draws that is not the solution's."""
    rng, truth, y = np.random.default_rng(seed), [], []
    for size in n:
        truth.append(1 / (1 + np.exp(-rng.normal(mu, sigma))))
        y.append(rng.binomial(size, truth[-1]))
    return truth, y


def test_draws_in_another_order_are_right():
    assert check("05-draw", drawn_by_turns)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda s, n, m, g: drawn_by_turns(s, n, m, g**2), "sd sigma"),
        (lambda s, n, m, g: drawn_by_turns(9, n, m, g), "same seed"),
        (lambda s, n, m, g: drawn_by_turns(s, n, m, g)[0], "pair"),
        (lambda s, n, m, g: (drawn_by_turns(s, n, m, g)[0],
                             np.array(drawn_by_turns(s, n, m, g)[1]) / n), "not rates"),
        (lambda s, n, m, g: (drawn_by_turns(s, n, m, g)[0],
                             drawn_by_turns(s + 1, n, m, g)[1]), "its own rate"),
        (lambda s, n, m, g: drawn_by_turns(s, n, m, 0.0), "log-odds of its own"),
    ],
)  # fmt: skip
def test_draws_that_are_not_from_the_model(wrong, words):
    assert words in message("05-draw", wrong)
