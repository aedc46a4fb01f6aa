"""The layers of the package, held by import-linter as `make lint` runs it; the size of its parts.

`[tool.importlinter]` in pyproject.toml says which folder stands above which. Each way round it is
tried here on a copy of the package: what is not caught there would not be caught in a change.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import PACKAGE, ROOT
from tools import architecture

import hierwidgets as hw

MOST_LINES, LONGEST_BODY = 450, 50
LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
# A package that is imported by name, and the folder that may.
BY_NAME = {"arviz_stats": "posterior"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the package in a folder, with that folder's configuration."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=root,
        env={**own, "COLUMNS": "300"},
        capture_output=True,
        text=True,
    )


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_the_package_keeps_its_layers() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


# What is written into which files, and how the complaint names it.
WRONG = {
    "upwards, in a function": (
        {"spec/formula.py": "def late():\n    from hierwidgets.fit import fit\n"},
        "hierwidgets.spec.formula -> hierwidgets.fit.fit",
    ),
    "upwards, for types alone": (
        {
            "base/checks.py": "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from ..spec import design\n"
        },
        "hierwidgets.base.checks -> hierwidgets.spec.design",
    ),
    "upwards, by way of the root": (
        {"likelihood/density.py": "import hierwidgets as hw\n"},
        "hierwidgets.likelihood.density -> hierwidgets (",
    ),
    "a circle of two files": (
        {
            "base/palette.py": "from . import progress\n",
            "base/progress.py": "from . import palette\n",
        },
        "No cycles are allowed in hierwidgets.base.",
    ),
    "a circle of two folders": (
        {
            "course/page/text.py": "from hierwidgets.course.studies import store\n",
            "course/studies/store.py": "from hierwidgets.course.page import text\n",
        },
        "No cycles are allowed in hierwidgets.course.",
    ),
    "a folder without a layer": (
        {"attic/__init__.py": ""},
        "- hierwidgets.attic",
    ),
    "the library and the course": (
        {"widgets/pooling_dial.py": "from hierwidgets.course import notebooks\n"},
        "hierwidgets.widgets.pooling_dial -> hierwidgets.course.notebooks",
    ),
    "the screen outside the widgets": (
        {"fit/pooling.py": "import bqplot\n"},
        "hierwidgets.fit.pooling -> bqplot",
    ),
    "an instrument in another": (
        {"widgets/guess309.py": "from . import pooling_dial\n"},
        "hierwidgets.widgets.guess309 -> hierwidgets.widgets.pooling_dial",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_import_is_named(case: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    copied = tmp_path / PACKAGE.name
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("*.csv", "*.npz", "__pycache__"))
    written, complaint = WRONG[case]
    for place, text in written.items():
        (copied / place).parent.mkdir(exist_ok=True)
        with (copied / place).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert complaint in done.stdout, done.stdout + done.stderr


def test_no_module_of_ours_is_imported_by_its_name() -> None:
    """import-linter reads import statements; a module named in a string would pass unseen.

    The mother of kernels imports what stands below it in advance, and nothing imports from her.
    """
    for path in set(MODULES) - {PACKAGE / "__init__.py", PACKAGE / "course/kernels/mother.py"}:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
                (target, *_) = node.args
                if getattr(target, "attr", "") == "__module__":
                    continue  # of something that has been imported
                assert isinstance(target, ast.Constant), f"{name(path)}:{node.lineno}"
                package = str(target.value).split(".")[0]
                assert BY_NAME.get(package) == name(path).split("/")[0], f"{name(path)}: {package}"
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                entry = re.fullmatch(r"hierwidgets(\.\w+)*:\w+", node.value)
                assert entry is None, f"{name(path)}:{node.lineno} names {node.value}"


def called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def test_modules_and_functions_can_be_read_at_once() -> None:
    lines, bodies = {}, {}
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        lines[name(path)] = len(text.splitlines())
        for function in functions(ast.parse(text)):
            bodies[f"{name(path)}: {function.name}"] = body_lines(function)
    assert {one: count for one, count in lines.items() if count > MOST_LINES} == {}
    assert {one: count for one, count in bodies.items() if count > LONGEST_BODY} == {}


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_folder_is_called_like_a_public_function() -> None:
    """Whoever imported such a folder would find it where the function should be."""
    folders = {path.parent.name for path in PACKAGE.rglob("__init__.py")}
    assert folders & {one for one in hw.__all__ if callable(getattr(hw, one))} == set()


def test_every_row_of_the_picture_has_room() -> None:
    """More folders in a layer than its band has places for, and none could be drawn."""
    found = architecture.layers()
    boxes = [box for layer in found for box in layer]
    architecture.fill(boxes)
    for _, row in architecture.rows_of(found, boxes):
        band = boxes[row[0]].band
        assert architecture.orders(band, len(row)), [boxes[i].label for i in row]
