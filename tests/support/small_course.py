"""A course directory with one small assignment, and submissions to it, for tests of grading."""

import copy
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

CONFIG = """
from pathlib import Path

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "small"
c.CourseDirectory.root = str(Path(__file__).parent)
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.GenerateFeedback.preprocessors = [
    "hierwidgets.grading.plugins.LeaveOutMarkersCells",
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.AssignLatePenalties.plugin_class = "hierwidgets.grading.plugins.LatePolicy"
"""
SETUP = "import numpy as np\n\nfrom hierwidgets.exercises import Exercise, require"
RATE = '''def rate(y):
    """The share of ones."""
    ### BEGIN SOLUTION
    return float(np.mean(np.asarray(y)))
    ### END SOLUTION'''
SPREAD = '''def spread(y):
    """The standard error of the share of ones."""
    ### BEGIN SOLUTION
    share = rate(y)
    return (share * (1 - share) / len(y)) ** 0.5
    ### END SOLUTION'''
RATE_SHOWN = "assert abs(rate([0, 1, 1, 1]) - 0.75) < 1e-9, 'three of four are 0.75'"
RATE_HIDDEN = """# on lists you have not seen
### BEGIN HIDDEN TESTS
for n in (1, 2, 7):
    y = [1] * (n - 1) + [0]
    assert np.isclose(rate(y), (n - 1) / n), f"the rate of {n} answers"
### END HIDDEN TESTS"""
SPREAD_HIDDEN = """assert callable(spread)
### BEGIN HIDDEN TESTS
require(
    Exercise("small-spread", expected=lambda: lambda y: (np.mean(y) * (1 - np.mean(y)) / len(y)) ** 0.5,
             inputs=(([0, 1, 1],), ([1, 0, 0, 0],)), hints=()),
    spread,
)
### END HIDDEN TESTS"""  # noqa: E501


def marked(cell: Any, name: str, points: float = 0, solution: bool = False) -> Any:
    """The cell with nbgrader's metadata: an answer, a test, or both (graded by a person)."""
    grade = points > 0
    cell.metadata["nbgrader"] = {
        "schema_version": 3, "grade_id": name, "grade": grade, "solution": solution,
        "locked": not solution, "task": False, **({"points": points} if grade else {}),
    }  # fmt: skip
    cell["id"] = name
    return cell


def source() -> Any:
    """The assignment with its solutions and hidden tests: 6 points by tests, 2 by a person."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Small"),
            marked(new_code_cell(SETUP), "setup"),
            new_markdown_cell("## Question 1 (3 points)"),
            marked(new_code_cell(RATE), "q1-rate", solution=True),
            marked(new_code_cell(RATE_SHOWN), "q1-shown", 1),
            marked(new_code_cell(RATE_HIDDEN), "q1-hidden", 2),
            new_markdown_cell("## Question 2 (3 points)"),
            marked(new_code_cell(SPREAD), "q2-spread", solution=True),
            marked(new_code_cell(SPREAD_HIDDEN), "q2-hidden", 3),
            new_markdown_cell("## Question 3 (2 points)"),
            marked(new_markdown_cell("=== BEGIN MARK SCHEME ===\nsays why\n"
                                     "=== END MARK SCHEME ==="),
                   "q3-why", 2, solution=True),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )  # fmt: skip


def make_course(root: Path) -> Path:
    """The course directory."""
    folder = root / "source" / "T1"
    folder.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    nbformat.write(source(), folder / "T1-small.ipynb")
    (folder / "numbers.csv").write_text("y\n0\n1\n")
    return root


RIGHT = {
    "q1-rate": "def rate(y):\n    return sum(y) / len(y)",
    "q2-spread": "def spread(y):\n    p = rate(y)\n    return np.sqrt(p * (1 - p) / len(y))",
    "q3-why": "Because small samples vary more.",
}


def answered(release: Any, answers: Mapping[str, str]) -> Any:
    """The student copy with these answers."""
    notebook = copy.deepcopy(release)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell.source = answers[name]
    return notebook


def hand_in(root: Path, student: str, notebook: Any, name: str = "T1-small.ipynb") -> Path:
    """Put a notebook (or a text) where nbgrader expects what students hand in."""
    folder = root / "submitted" / student / "T1"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / name
    path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook))
    return path
