"""What of a notebook has to run for one of its cells: read, and run."""

import nbformat
import pytest
from support.paths import LECTURES

from hierwidgets.course.needed import needed_code
from hierwidgets.course.plan import COURSE
from hierwidgets.course.recordings import instruments_of


def test_figures_and_prints_are_left_out():
    code = needed_code(["import math\nx = [1, 2]", "print(x)\nshow = 3", "max(x)"])
    assert code == "x = [1, 2]\nmax(x)"


def test_a_part_that_is_changed_later_is_kept():
    code = needed_code(["x = {}\ny = 1", "x['a'] = y", "x.get('a')"])
    assert code == "x = {}\ny = 1\nx['a'] = y\nx.get('a')"


def test_a_loop_that_changes_what_it_goes_through_is_kept():
    cells = ["a, b = {}, {}", "for one in (a, b):\n    one['k'] = 2", "len(b)"]
    assert "one['k'] = 2" in needed_code(cells)


def test_what_is_bound_anew_is_not_needed_from_before():
    assert needed_code(["x = 1", "x = 2", "abs(x)"]) == "x = 2\nabs(x)"


def test_a_cell_without_an_expression_is_refused():
    with pytest.raises(ValueError, match="not an expression"):
        needed_code(["x = 1"])


def test_every_still_of_a_lecture_is_found_and_its_code_is_short():
    """Each makes its instrument with fewer lines than its notebook has before it."""
    for stop in COURSE:
        path = LECTURES / f"{stop.name}.ipynb"
        found = instruments_of(path)
        notebook = nbformat.read(path, as_version=4)
        stills = str(notebook).count('hw-still">')
        assert len(found) <= stills
        for i, one in enumerate(found):
            assert one.index == i
            assert one.code.splitlines()[-1].startswith(("hw.widgets.", "explorer"))
            assert "show(" not in one.code
