"""What `make quick` tests: what has changed, and a little of everything."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.paths import PACKAGE, ROOT
from tools import quick


def test_each_folder_of_tests_has_its_file() -> None:
    asked = {Path(name).parts[1] for name in quick.SMOKE if name.count("/") > 1}
    assert asked == {path.relative_to(ROOT / "tests").parts[0] for path in quick.test_files(ROOT)
                     if path.parent != ROOT / "tests"}  # fmt: skip
    assert all((ROOT / name).is_file() for name in quick.SMOKE)


def test_every_module_has_tests() -> None:
    """Its mirror, files that import it, its folder's, or the lecture that shows it."""
    modules = [p for p in PACKAGE.rglob("*.py") if p.name not in ("__init__.py", "__main__.py")]
    names = [path.relative_to(ROOT).as_posix() for path in modules]
    assert [name for name in names if quick.chosen([name], always=()) == [name]] == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with a package, its tests and a lecture."""
    for name, text in {
        "hierwidgets/__init__.py": "",
        "hierwidgets/fit/__init__.py": "",
        "hierwidgets/fit/record.py": "import math",
        "hierwidgets/fit/_hidden.py": "",
        "hierwidgets/fit/lonely.py": "",
        "hierwidgets/course/texts/lecture_07b.py": "",
        "lectures/07b-slopes.ipynb": "{}",
        "lectures/07-other.ipynb": "{}",
        "tests/fit/test_record.py": "",
        "tests/fit/test_hidden.py": "",
        "tests/fit/test_other.py": "def test():\n    from hierwidgets.fit import record",
        "tests/spec/test_far.py": "from support import above",
        "tests/support/below.py": "",
        "tests/support/above.py": "from support.below import anything",
        "tests/browser/test_record.py": "from support import below",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (["hierwidgets/fit/record.py"],
         ["tests/fit/test_record.py", "hierwidgets/fit/record.py", "tests/fit/test_other.py"]),
        (["hierwidgets/fit/_hidden.py"],
         ["tests/fit/test_hidden.py", "hierwidgets/fit/_hidden.py"]),
        (["hierwidgets/fit/lonely.py"],
         ["tests/fit/test_hidden.py", "tests/fit/test_other.py", "tests/fit/test_record.py",
          "hierwidgets/fit/lonely.py"]),
        (["hierwidgets/course/texts/lecture_07b.py"],
         ["hierwidgets/course/texts/lecture_07b.py", "lectures/07b-slopes.ipynb"]),
        (["lectures/07-other.ipynb"], ["lectures/07-other.ipynb"]),
        (["tests/support/below.py"], ["tests/spec/test_far.py"]),
        (["tests/browser/test_record.py", "README.md", "hierwidgets/gone.py"], []),
        (["hierwidgets/fit/lonely.py", "tests/spec/test_far.py"],
         ["tests/spec/test_far.py", "tests/fit/test_hidden.py", "tests/fit/test_other.py",
          "tests/fit/test_record.py", "hierwidgets/fit/lonely.py"]),
    ],
)  # fmt: skip
def test_the_nearest_first(small: Path, changed: list[str], found: list[str]) -> None:
    assert quick.chosen(changed, small, always=()) == found


def test_tests_that_are_late_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "test_two.py"
    path.write_text("import time\n\ndef test_one():\n    0\n\ndef test_two():\n    0\n")
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "tools.deadline",
        "-c",
        os.devnull,
    ]
    for until, said in ((time.time() - 1, "2 skipped"), (time.time() + 3600, "2 passed")):
        done = subprocess.run(
            [*command, str(path)], env={**env, "HIERWIDGETS_TESTS_UNTIL": str(until)},
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert said in done.stdout, done.stdout + done.stderr
