"""Test what has changed, and a little of everything, in under 90 seconds.

    python tests/tools/quick.py [--since REF] [--workers N] [--list]

Changed is what differs from where the branch left `main`, or from REF; files that git does not know
yet count. The nearest comes first: the test files that have changed and those that mirror changed
modules, with the modules' own doctests; the lectures that have changed, or whose texts have; one
file of each folder of the tests (`SMOKE`); then what else imports a changed module, or what tests
share. Tests that have not begun after 70 seconds are left out, and counted as skipped. Beside
them run ruff, the layers and mypy. Nothing slow, and no browser: `make test` has all.
"""

import argparse
import ast
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARKS = "not slow and not browser and not long"
BIN = Path(sys.executable).parent
SECONDS = 70  # until no more tests are begun

# Of each folder a file that goes through much of it in seconds.
SMOKE = (
    "tests/base/test_checks.py",
    "tests/course/test_path.py",
    "tests/data/test_shipped.py",
    "tests/effects/test_comparisons.py",
    "tests/exam/test_plain.py",
    "tests/exercises/test_exercises.py",
    "tests/fit/test_summary.py",
    "tests/grading/test_marking.py",
    "tests/likelihood/test_laws.py",
    "tests/posterior/test_files.py",
    "tests/recovery/test_setup.py",
    "tests/repository/test_public_names.py",
    "tests/sampling/test_conditional.py",
    "tests/spec/test_design.py",
    "tests/validation/test_folds.py",
    "tests/widgets/test_pooling_comparison.py",
    "tests/test_model.py",
)


def git(*arguments: str) -> list[str]:
    """The lines that git answers; none where it cannot."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else []


def changed(since: str | None) -> list[str]:
    """Files that differ from a commit, without one from where the branch left `main`."""
    starts = [since] if since else ["origin/main", "main", "HEAD"]
    base = next((found[0] for name in starts if (found := git("merge-base", name, "HEAD"))), None)
    if base is None:
        raise SystemExit(f"git does not know {' or '.join(starts)}: give a commit with --since")
    return [
        *git("diff", "--name-only", "--no-renames", base),
        *git("ls-files", "--others", "--exclude-standard"),
    ]


@cache
def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever it does; of ``from a import b``, a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_files(root: Path) -> list[Path]:
    return [p for p in sorted((root / "tests").rglob("test_*.py")) if "browser" not in p.parts]


def mirror(root: Path, path: str) -> Path:
    """Where the tests of a module of the package are."""
    module = Path(path).relative_to("hierwidgets")
    return root / "tests" / module.parent / f"test_{module.stem.lstrip('_')}.py"


def dotted(path: str) -> str:
    """The name by which a file is imported; the folder `tests` is on the path itself."""
    parts = Path(path.removeprefix("tests/")).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def reached(root: Path, names: set[str]) -> set[str]:
    """These modules of `support` and `tools`, and those of the two that import them."""
    own = [p for folder in ("support", "tools") for p in (root / "tests" / folder).rglob("*.py")]
    asked = {dotted(str(p.relative_to(root))): imported(p) for p in own}
    while more := {n for n, wanted in asked.items() if wanted & names} - names:
        names = names | more
    return names


def chosen(paths: Iterable[str], root: Path = ROOT, always: Iterable[str] = SMOKE) -> list[str]:
    """Test files, modules with doctests and lectures for these changed files, the nearest first."""
    known = [path for path in paths if (root / path).is_file()]
    modules = [p for p in known if p.startswith("hierwidgets/") and p.endswith(".py")]
    shared = [p for p in known if p.startswith(("tests/support/", "tests/tools/"))]
    tests = {str(p.relative_to(root)): imported(p) for p in test_files(root)}
    near = [p for p in tests if p in known]
    for path in modules:
        near += [*_mirrors(root, path, tests), path]
    near += [p for p in known if Path(p).parent == Path("lectures") and p.endswith(".ipynb")]
    for path in modules:
        near += _lectures(root, path)
    # Every import from a folder is one of its __init__, too: those would be nearly all.
    names = {dotted(p) for p in modules if Path(p).name != "__init__.py"}
    names |= reached(root, {dotted(p) for p in shared if p.endswith(".py")})
    far = [name for name, wanted in tests.items() if wanted & names]
    return list(dict.fromkeys([*near, *always, *far]))


def _mirrors(root: Path, path: str, tests: dict[str, set[str]]) -> list[str]:
    """The tests of a module; if no file is made for it, nor imports it, those of its folder."""
    own = mirror(root, path).relative_to(root)
    if str(own) in tests:
        return [str(own)]
    if any(dotted(path) in wanted for wanted in tests.values()):
        return []
    return [name for name in tests if Path(name).parent == own.parent]


def _lectures(root: Path, path: str) -> list[str]:
    """The lecture that shows the texts of a module."""
    place = Path(path)
    if place.parent != Path("hierwidgets/course/texts"):
        return []
    number = place.stem.removeprefix("lecture_")
    number = number.upper() if number == "a" else number
    return [str(p.relative_to(root)) for p in (root / "lectures").glob(f"{number}-*.ipynb")]


class Run(threading.Thread):
    """Commands one after the other, beside other runs; what they say is told at their end."""

    def __init__(self, name: str, *commands: list[str], env: dict[str, str] | None = None) -> None:
        super().__init__(name=name)
        self.commands, self.env = commands, {**os.environ, **(env or {})}
        self.failed = False
        self.start()

    def run(self) -> None:
        begun, said = time.monotonic(), ""
        for command in self.commands:
            done = subprocess.run(
                command, cwd=ROOT, env=self.env, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            self.failed |= done.returncode not in (0, 5)  # 5: nothing but slow tests in there
            said += done.stdout
        verdict = "FAILED" if self.failed else "ok"
        told = said if self.failed else "".join(said.splitlines(keepends=True)[-1:])
        print(f"--- {self.name}: {verdict} ({time.monotonic() - begun:.0f} s)\n{told}", flush=True)


PYTEST = [sys.executable, "-m", "pytest", "-q"]


def tests(paths: list[str], workers: str) -> Run:
    """The tests of these files, begun in this order."""
    command = [*PYTEST, "-m", MARKS, "--doctest-modules", "-n", workers, "--dist", "loadfile"]
    return Run("tests", [*command, "--no-loadscope-reorder", *paths], env=_in_time())


def cells(lectures: list[str]) -> Run:
    """The cells of these lectures, in kernels as a student's copy has them."""
    check = [sys.executable, "-m", "hierwidgets.course", "check", *lectures]
    nbval = ["--nbval", "--nbval-sanitize-with", "tests/sanitize.cfg", "--nbval-cell-timeout=120"]
    settings = {"JUPYTER_PATH": str(ROOT / "lectures" / ".lab")}
    return Run("lectures", check, [*PYTEST, *nbval, *lectures], env={**_in_time(), **settings})


def checks() -> list[Run]:
    """Style, layers and types of everything."""
    ruff, layers, mypy = (str(BIN / name) for name in ("ruff", "lint-imports", "mypy"))
    style = [[ruff, "check", "."], [ruff, "format", "--check", "."]]
    return [
        Run("lint", *style, [layers, "--no-cache", "--no-logo"]),
        Run("types", [mypy, "hierwidgets"]),
    ]


def _in_time() -> dict[str, str]:
    place = os.pathsep.join([str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"HIERWIDGETS_TESTS_UNTIL": str(time.time() + SECONDS), "PYTHONPATH": place}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--since", help="the commit to compare with (where the branch left main)")
    parser.add_argument("--workers", default="2", help="processes that run tests (2)")
    parser.add_argument("--list", action="store_true", help="say what would be run, and stop")
    options = parser.parse_args()
    own = chosen(changed(options.since))
    print("in this order:", *own, sep="\n  ", flush=True)
    if options.list:
        return 0
    runs = [*checks(), tests([p for p in own if not p.endswith(".ipynb")], options.workers)]
    if lectures := [p for p in own if p.endswith(".ipynb")]:
        runs.append(cells(lectures))
    for run in runs:
        run.join()
    return int(any(run.failed for run in runs))


if __name__ == "__main__":
    sys.exit(main())
