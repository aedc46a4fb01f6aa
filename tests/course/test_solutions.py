"""The folded solutions of the lectures solve the exercises, and the open ones ask for an answer.

Each lecture runs once with every exercise cell (tag ``exercise``) replaced by the code of the
solution that follows it (a Markdown cell with the tag ``solution``) and its own check.
"""

import copy
import re

import nbformat
import pytest
from nbclient import NotebookClient
from support.paths import LECTURES, SETTINGS

# The gallery shows every widget once more and asks nothing: the questions stand in the lectures,
# beside the argument they belong to. `test_lectures` holds what it must have in their place.
WITHOUT_EXERCISES = {"widgets", "your-own-data"}

LECTURES = [
    path for path in sorted((LECTURES).glob("*.ipynb")) if path.stem not in WITHOUT_EXERCISES
]

LONG = (
    "03",
    "05",
    "06",
    "07",
    "08",
    "09",
    "10",
    "11",
    "12",
    "13",
    "A-",
)  # slow tests; nbval runs all
RUNS = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem[:2] in LONG else [])
    for path in LECTURES
]


@pytest.fixture(autouse=True)
def _kernels_of_a_copy(monkeypatch):
    """What a student's are: forks of one process that has imported everything."""
    monkeypatch.setenv("JUPYTER_PATH", str(SETTINGS))


def tagged(cell, tag):
    return tag in cell.metadata.get("tags", [])


def exercises_of(notebook):
    """Pairs of positions: the exercise cell and the solution cell right after it."""
    found = [i for i, cell in enumerate(notebook.cells) if tagged(cell, "exercise")]
    assert all(tagged(notebook.cells[i + 1], "solution") for i in found)
    return found


def solved(notebook):
    notebook = copy.deepcopy(notebook)
    for i in exercises_of(notebook):
        (solution,) = re.findall(r"```python\n(.*?)```", notebook.cells[i + 1].source, re.DOTALL)
        check = notebook.cells[i].source.splitlines()[-1]
        assert check.startswith("hw.exercises.check(")
        notebook.cells[i].source = f"{solution}\n{check}"
    return notebook


@pytest.mark.parametrize("path", RUNS)
def test_solutions_are_right(path):
    notebook = solved(nbformat.read(path, as_version=4))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": path.parent}}).execute()
    verdicts = [notebook.cells[i].outputs[-1]["data"]["text/plain"] for i in exercises_of(notebook)]
    assert len(verdicts) >= 3
    assert [verdict[:8] for verdict in verdicts] == ["✓ Right."] * len(verdicts), verdicts


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_stored_exercises_are_open(path):
    notebook = nbformat.read(path, as_version=4)
    for i in exercises_of(notebook):
        assert notebook.cells[i].outputs[-1]["data"]["text/plain"].startswith("○ No answer yet.")
