"""The repository itself: its notebooks, pins, workflow and what must not be in it."""

import configparser
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import yaml

from hierwidgets import lectures

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "lectures").glob("*.ipynb"))
TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".ipynb", ".yml", ".yaml", ".js", ".css", ".R", ""}
# In pieces, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(" + "|".join(["work", "root", "tmp", "home"]) + r")/[\w.-]+"
)
REGISTRIES = ["files.python" + "hosted.org", "pypi" + ".org", "registry.npm" + "js.org"]


def tracked() -> list[Path]:
    """The files git tracks; every file, where there is no git."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    names = done.stdout.splitlines() if done.returncode == 0 else []
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_no_machine_paths_and_no_registry_hosts() -> None:
    for path in tracked():
        if path.suffix not in TEXT:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        assert not MACHINE_PATH.search(text), f"{path.name}: {MACHINE_PATH.search(text)}"
        assert not [host for host in REGISTRIES if host in text], path.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_hold_one_complete_run(path: Path) -> None:
    assert lectures.problems(nbformat.read(path, as_version=4)) == []


def test_there_are_lectures() -> None:
    assert NOTEBOOKS


def test_stripped_and_stale_notebooks_are_found() -> None:
    path = NOTEBOOKS[0]
    stripped = nbformat.read(path, as_version=4)
    for cell in stripped.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
    assert lectures.problems(stripped)
    swapped = nbformat.read(path, as_version=4)
    code = [c for c in swapped.cells if c.cell_type == "code" and c.source.strip()]
    code[0].execution_count, code[1].execution_count = 2, 1
    assert len(lectures.problems(swapped)) == 2


def test_cleaning_keeps_outputs_and_is_stable() -> None:
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    before = [c.get("outputs") for c in notebook.cells if c.cell_type == "code"]
    once = nbformat.writes(lectures.clean(notebook))
    assert nbformat.writes(lectures.clean(notebook)) == once
    assert before == [c.get("outputs") for c in notebook.cells if c.cell_type == "code"]


def test_sanitize_rules_are_read_as_written() -> None:
    parser = configparser.RawConfigParser()
    text = (ROOT / "tests" / "sanitize.cfg").read_text()
    parser.read_string(text)
    assert "\r" not in text
    assert set(parser.sections()) == {"memory-address", "cell-file", "progress-clock", "styler-id"}
    for section in parser.sections():
        re.compile(parser.get(section, "regex"))
        assert parser.get(section, "replace").strip(), "an empty replacement is dropped silently"


def test_sanitize_leaves_numbers_alone() -> None:
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "tests" / "sanitize.cfg")
    text = "estimate 0.4348 (0.1034) n = 23, Figure(14 districts)"
    for section in parser.sections():
        assert re.sub(parser.get(section, "regex"), "X", text) == text


def pins() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(
                r'([a-z0-9-]+)==([^\s;]+)( ; python_version == "3\.1[123]".*)?', line
            )
            assert match, line
            found.setdefault(match[1], []).append(match[2])
    return found


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        asked += extra
    names = {re.split(r"[<>=!\[ ;]", a)[0].lower() for a in asked} - {"hierwidgets"}
    assert names <= set(pins())


def test_this_environment_is_the_pinned_one() -> None:
    """Every installed distribution that has a pin is at a pinned version."""
    pinned = pins()
    drifted = {
        d.name: (d.version, pinned[key])
        for d in metadata.distributions()
        if (key := re.sub(r"[-_.]+", "-", d.name).lower()) in pinned
        and d.version not in pinned[key]
    }
    drifted.pop("pip", None)
    drifted.pop("setuptools", None)
    assert not drifted


def test_readme_commands_are_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    asked = set(
        re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    )
    assert {"lab", "test"} <= asked
    for target in asked:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_readme_pictures_and_links_are_there() -> None:
    readme = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_workflow_runs_what_ci_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1] == "bash .ci/run"
    script = (ROOT / ".ci" / "run").read_text()
    calls = re.findall(r"^make ([a-z-]+)", script, re.MULTILINE)
    assert calls == ["test", "test-slow"]
    assert "HIERWIDGETS_REQUIRE_BROWSER=1" in script


def test_repository_address_is_one_setting() -> None:
    """Only pyproject.toml spells the address; the README's copy must agree with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    address = project["urls"]["Repository"]
    for found in re.findall(
        r"https://github\.com/[\w.-]+/[\w.-]+", (ROOT / "README.md").read_text()
    ):
        assert found.removesuffix(".git") == address
