"""Which cells of the lectures are shown as stored, and with what."""

import json

import nbformat
import pytest
from support.paths import LECTURES

from hierwidgets.course.lite import kernel, stored


@pytest.fixture(scope="module")
def results():
    return json.loads(stored.made_elsewhere(LECTURES))


def sources(name: str) -> list[str]:
    cells = nbformat.read(LECTURES / f"{name}.ipynb", as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    ("name", "first", "number"),
    [("03-fitting-the-model", "from marginaleffects import", 2),
     ("11-quantities-of-interest", "import marginaleffects", 4)],
)  # fmt: skip
def test_the_cells_of_marginaleffects_and_those_that_use_them(results, name, first, number):
    kept = [source for source in sources(name) if kernel.key(source) in results]
    assert kept[0].startswith(first)
    assert len(kept) == number


def test_no_other_lecture_has_any(results):
    assert len(results) == 6


def test_results_are_whole_and_need_no_kernel(results):
    bundles = [output["data"] for outputs in results.values() for output in outputs]
    assert len(bundles) >= 4
    for data in bundles:
        assert data
        assert not any("widget" in kind for kind in data)
    assert sum("text/html" in data for data in bundles) == 3


def test_a_cell_with_a_magic_is_left_alone(tmp_path):
    cell = nbformat.v4.new_code_cell("%matplotlib inline")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "magic.ipynb")
    assert json.loads(stored.made_elsewhere(tmp_path)) == {}
