"""Which answers resemble each other: copies in disguise are found, honest work is left alone."""

import html
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from support.answer_sheets import read, reference
from support.small_course import RIGHT, answered, make_course

from hierwidgets.errors import DataError
from hierwidgets.grading import open_course
from hierwidgets.grading.__main__ import main
from hierwidgets.grading.similarity import compare, read_answer, similar

# Five people who solved question 3 of assignment 1 by themselves.
HONEST = {
    "newton": """
def shrink(y, n, mu, sigma):
    a = mu
    for i in range(200):
        p = 1 / (1 + np.exp(-a))
        step = (y - n * p - (a - mu) / sigma**2) / (n * p * (1 - p) + 1 / sigma**2)
        a += max(-1, min(1, step))
    return a
""",
    "minimiser": """
def shrink(y, n, mu, sigma):
    def minus_h(a):
        return -(y * a - n * np.log1p(np.exp(a)) - (a - mu) ** 2 / (2 * sigma**2))
    result = optimize.minimize_scalar(minus_h, bracket=(mu - 1, mu + 1), tol=1e-10)
    return result.x
""",
    "bisection": """
def shrink(y, n, mu, sigma):
    low, high = mu - sigma**2 * n, mu + sigma**2 * n
    while high - low > 1e-9:
        middle = (low + high) / 2
        rate = special.expit(middle)
        if y - n * rate > (middle - mu) / sigma**2:
            low = middle
        else:
            high = middle
    return (low + high) / 2
""",
    "root": """
def shrink(y, n, mu, sigma):
    f = lambda a: y - n / (1 + np.exp(-a)) - (a - mu) / sigma**2
    return optimize.root_scalar(f, bracket=[-50, 50], method="brentq").root
""",
    "grid": """
def shrink(y, n, mu, sigma):
    alphas = np.linspace(mu - 10, mu + 10, 400001)
    h = y * alphas - n * np.logaddexp(0, alphas) - (alphas - mu) ** 2 / (2 * sigma ** 2)
    return alphas[h.argmax()]
""",
}
RENAMED = """
def shrink(successes, total, centre, spread):
    # my own way
    value = centre
    for step_number in range(200):
        prob = 1 / (1 + np.exp(-value))   # the rate
        move = (successes - total * prob - (value - centre) / spread**2) / (
            total * prob * (1 - prob) + 1 / spread**2)
        value += max(-1, min(1, move))
    return value
"""
SOLUTION = reference(read("A1"))["q3-shrink"]
STUB = 'def shrink(y, n, mu, sigma):\n    """The mode."""\n    raise NotImplementedError'
KNOWN = [read_answer(STUB), read_answer(SOLUTION)]


def pairs_of(sources, known=KNOWN):
    return compare({s: read_answer(text) for s, text in sources.items()}, known, "q3-shrink")


def test_people_who_worked_alone_do_not_stand_out():
    assert pairs_of(HONEST) == []


def test_other_names_comments_and_lines_hide_nothing():
    (pair,) = pairs_of({**HONEST, "zoe": RENAMED})
    assert (pair.first, pair.second, pair.others) == ("newton", "zoe", 0)
    assert pair.share == pytest.approx(1)
    assert pair.length > 60


def test_a_copy_with_a_part_rewritten_is_found_in_any_order():
    other = HONEST["newton"].replace("1 / (1 + np.exp(-a))", "special.expit(a)")
    first = pairs_of({**HONEST, "zoe": other})
    again = pairs_of({"zoe": other, **dict(reversed(HONEST.items()))})
    assert first == again
    assert [(p.first, p.second) for p in first] == [("newton", "zoe")]
    assert 0.5 < first[0].share < 1


def test_the_reference_solution_is_nobody_s():
    """Ten people with the answer that the course itself has in mind are not accused."""
    right = {f"s{k}": SOLUTION.replace("reach", f"reach{k}") for k in range(10)}
    assert pairs_of({**HONEST, **right}) == []
    assert len(pairs_of({**HONEST, **right}, KNOWN[:1])) == 45  # without it they would be


def test_what_many_have_comes_last_and_says_so():
    ring = {f"r{k}": HONEST["bisection"] for k in range(4)}
    two = {"a": HONEST["grid"], "b": HONEST["grid"]}
    found = pairs_of({**ring, **two, "newton": HONEST["newton"]})
    assert [(p.first, p.second, p.others) for p in found[:1]] == [("a", "b", 0)]
    assert {p.others for p in found[1:]} == {2}
    assert len(found) == 1 + 6


def test_known_code_counts_for_nothing():
    lecture = read_answer("rest = 1\n" + HONEST["newton"])
    assert pairs_of({**HONEST, "zoe": RENAMED}, [*KNOWN, lecture]) == []


def test_no_python_is_read_all_the_same():
    broken = "def shrink(y n:\n    " + "total = y + n * 3 - 4 / other + 5 ** y - " * 3
    answers = {"a": broken, "b": broken.replace("total", "sum_"), "c": "", "d": "'''"}
    (pair,) = pairs_of(answers, [])
    assert (pair.first, pair.second) == ("a", "b")
    assert pairs_of({}) == []


def test_words():
    text = (
        "District 309 has few respondents: its weight is small and it moves far to the target; "
        "the information of 308 is larger, which is why it keeps more of its own distance."
    )
    answers = {
        "a": text,
        "b": "Well. " + text.upper(),
        "c": "Because small samples vary more, 309 is believed less than 308 is.",
    }
    read_all = {s: read_answer(words, "markdown") for s, words in answers.items()}
    (pair,) = compare(read_all, [read_answer("*Your answer goes here.*", "markdown")], "q6-words")
    assert (pair.first, pair.second) == ("a", "b")


# --- the page ---


@pytest.fixture
def course(tmp_path):
    """A small course in which four people were graded, by whatever graded them."""
    made = open_course(make_course(tmp_path / "course"))
    source = made.read("source", "T1")
    odd = (
        "def rate(y):  # <b>\n    count = 0\n    for one in y:\n        if one > 0:\n"
        "            count += 1\n    return count / max(len(y), 1)"
    )
    people = {
        "ann": odd, "bo": odd.replace("count", "ones"), "cy": RIGHT["q1-rate"],
        "di": "def rate(y):\n    return float(pd.Series(y).mean())",
    }  # fmt: skip
    for step, students in (("release", [""]), ("autograded", people)):
        for student in students:
            path = made.notebook(step, "T1", student)
            path.parent.mkdir(parents=True)
            answers = {"q1-rate": people[student], "q3-why": "Small."} if student else {}
            nbformat.write(answered(source, answers), path)
    return made


def test_the_page_and_the_table(course):
    page, pairs = similar(course, "T1")
    assert [(p.question, p.first, p.second) for p in pairs] == [("q1-rate", "ann", "bo")]
    text = page.read_text()
    assert "A reason to look, not a verdict" in text
    assert "4 submissions were compared; 1 pairs" in text
    parts = re.findall("<pre>(.*?)</pre>", text, re.DOTALL)
    shown = [html.unescape(re.sub("<[^>]+>", "", part)) for part in parts]
    assert shown == [course.read("autograded", "T1", s).cells[3].source for s in ("ann", "bo")]
    assert text.count("<mark>") == text.count("</mark>") == 2
    table = pd.read_csv(page.with_suffix(".csv"))
    assert table.to_dict("records") == [
        {"answer": "q1-rate", "first": "ann", "second": "bo", "share": 1.0,
         "tokens": pairs[0].length, "others": 0}
    ]  # fmt: skip


def test_the_command(course, tmp_path, capsys):
    run = ["--course", str(course.root), "similar"]
    assert main([*run, "T1"]) == 0
    assert "T1: 1 pairs of answers to look at, no verdicts" in capsys.readouterr().out
    lecture = tmp_path / "lecture.py"
    lecture.write_text(course.read("autograded", "T1", "ann").cells[3].source)
    assert main([*run, "--known", str(lecture)]) == 0
    assert "T1: 0 pairs" in capsys.readouterr().out
    assert main([*run, "T1", "--known", str(tmp_path / "none.py")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_nothing_to_compare(tmp_path):
    made = open_course(make_course(tmp_path / "course"))
    with pytest.raises(DataError, match="T1 has 0 graded submissions"):
        similar(made, "T1")
    assert main(["--course", str(made.root), "similar"]) == 0
    assert not Path(made.root / "similarity").exists()
