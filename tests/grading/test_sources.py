"""What students type: compared, read as Python, joined and freed of what the stub left."""

import pytest

from hierwidgets.grading.sources import (
    added,
    as_code,
    defined,
    definitions,
    is_prose,
    join_code,
    readable,
    same,
    same_code,
    tidy,
    unfilled,
    wanted,
    without_stub,
)

STUB = '''def best(name):
    """The best."""
    raise NotImplementedError("your answer goes here")


def _half(x):
    raise NotImplementedError("your answer goes here")


# my_guess = ...  (which?)
raise NotImplementedError("your answer goes here")'''


def test_white_space_is_no_difference():
    assert tidy("\ufeffa\r\nb\rc") == "a\nb\nc"
    assert tidy("e\u0301") == "\u00e9"
    assert tidy("\ud800") == "?"  # what no file can hold
    assert same("a  b\r\n", "a b")
    assert not same("a b", "ab")
    assert same_code("f( 'x',)", 'f("x")')
    assert not same_code("f('x')  # my answer", "f('x')")
    assert not same_code("f('x')", "f('y')")


def test_what_a_source_defines():
    source = "%matplotlib inline\nimport numpy as np\nx, y = 1, 2\nif x:\n    def f(): z = 1\n!ls"
    assert defined(source) == {"np", "x", "y", "f"}
    assert defined("%%time\nx = 1") == {"x"}
    assert defined("def f(x)\n    return") == {"f"}
    assert not readable("def f(x)\n    return")
    assert wanted(STUB) == {"best", "my_guess"}
    assert definitions("a = 1\n\n@cache\ndef f():\n    pass\n\nb = 2", {"f"}) == (
        "@cache\ndef f():\n    pass"
    )


def test_words_in_a_code_cell():
    assert is_prose("The smaller the sample the more it varies.")
    assert is_prose("# The smaller the sample, the more it varies")
    assert is_prose('"""The smaller the sample, the more it varies."""')
    for code in ("x = 1", "1 / 0", "def f(x)\n    return the smaller of these two", "# x", ""):
        assert not is_prose(code)
    assert as_code("Mine:\n\n```python\nx = 1\n```\nand\n```\ny = 2\n```") == "x = 1\n\ny = 2"


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], ""),
        (["x = 1"], "x = 1"),
        (["x = 1", "y = 2"], "x = 1\n\ny = 2"),
        (["x = 1", "x = 2"], "x = 2"),
        (["def f():\n    a = 1", "    return a"], "def f():\n    a = 1\n    return a"),
        (["def f(\n    a):", "    return a"], "def f(\n    a):\n    return a"),
        (["x = 1", "x = ("], "x = 1"),
        (["def f():\n    return 1", "def f()\n    return 2"], "def f():\n    return 1"),
        (["%%time\nx = 1", "y = 2"], "x = 1\n\ny = 2"),
    ],
)
def test_pieces_are_joined(parts, whole):
    assert join_code(parts) == whole


def test_what_the_stub_left_is_taken_out_and_nothing_else():
    line = 'raise NotImplementedError("your answer goes here")'
    answer = "def best(name):\n    return 1\n\nmy_guess = 2"
    assert without_stub(f"{line}\n{answer}", STUB) == answer
    assert without_stub(answer.replace("    return", f"    {line}\n    return"), STUB) == answer
    assert without_stub(f"{answer}\n\n\n{STUB}", STUB).startswith(answer)
    assert 'def best(name):\n    """' not in without_stub(f"{answer}\n\n\n{STUB}", STUB)
    for kept in (
        f"{answer}\n{line}",
        answer.replace("return 1", "raise ValueError(1)\n    1"),
        STUB,
    ):
        assert without_stub(kept, STUB) == (kept if kept != STUB else STUB)
    assert unfilled(answer, STUB) == set()
    assert unfilled(answer.split("\n\n")[0], STUB) == {"my_guess"}
    assert unfilled(STUB, STUB) == {"best", "my_guess"}


def test_lines_that_were_added():
    assert added("a\nb\n", "a\r\n  x\r\n  y\r\nb") == "x\ny"
    assert added("a b", "a  b") == ""
    assert added("", "x\n" * 5000) == "x\n" * 5000
