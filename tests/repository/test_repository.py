"""The repository itself: its notebooks, pins, workflow and what must not be in it."""

import configparser
import copy
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbval.plugin import get_sanitize_patterns
from packaging.requirements import Requirement
from support.paths import PACKAGE, ROOT

from hierwidgets.course import notebooks

NOTEBOOKS = sorted((ROOT / "lectures").glob("*.ipynb"))
TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".ipynb", ".yml", ".yaml", ".js", ".css", ".R", ""}
# In pieces, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(" + "|".join(["work", "root", "tmp", "home"]) + r")/[\w.-]+"
)
REGISTRIES = ["files.python" + "hosted.org", "pypi" + ".org", "registry.npm" + "js.org"]

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


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
    assert notebooks.problems(nbformat.read(path, as_version=4)) == []


def test_there_are_lectures() -> None:
    assert NOTEBOOKS


def test_stripped_and_stale_notebooks_are_found() -> None:
    path = NOTEBOOKS[0]
    stripped = nbformat.read(path, as_version=4)
    for cell in stripped.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
    assert notebooks.problems(stripped)
    swapped = nbformat.read(path, as_version=4)
    code = [c for c in swapped.cells if c.cell_type == "code" and c.source.strip()]
    code[0].execution_count, code[1].execution_count = 2, 1
    assert len(notebooks.problems(swapped)) == 2


def outputs(notebook: Any) -> list[Any]:
    """The outputs of a notebook but for the ids of its widgets, copied."""
    stored = copy.deepcopy([c.outputs for c in notebook.cells if c.cell_type == "code"])
    for output in (o for cell in stored for o in cell):
        output.get("data", {}).get(WIDGET_VIEW, {}).pop("model_id", None)
    return stored


def test_cleaning_keeps_outputs_and_is_stable() -> None:
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    before = outputs(notebook)
    assert any(before), "there is something to keep"
    once = nbformat.writes(notebooks.clean(notebook))
    assert outputs(notebook) == before
    assert nbformat.writes(notebooks.clean(notebook)) == once


def rules() -> list[tuple[str, str]]:
    """What nbval itself reads in the sanitise file; a rule it cannot read it drops silently."""
    text = (ROOT / "tests" / "sanitize.cfg").read_bytes().decode()
    return list(get_sanitize_patterns(text))


def test_sanitize_rules_are_read_as_written() -> None:
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "tests" / "sanitize.cfg")
    written = [(parser[name]["regex"], parser[name]["replace"]) for name in parser.sections()]
    assert rules() == written
    assert all(replacement.strip() for _, replacement in written)


def test_sanitize_leaves_numbers_alone() -> None:
    text = "estimate 0.4348 (0.1034) n = 23, Figure(14 districts)"
    for pattern, _ in rules():
        assert re.sub(pattern, "X", text) == text


def plain(name: str) -> str:
    """A distribution's name as package indexes normalise it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """The pins that apply to the Python that runs."""
    found: dict[str, str] = {}
    here = 'python_version == "{}.{}"'.format(*sys.version_info)
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            marked = r'([a-z0-9-]+)==([^\s;]+)( ; python_version == "3\.1[1234]".*)?'
            match = re.fullmatch(marked, line)
            assert match, line
            if match[3] is None or here in match[3]:
                assert match[1] not in found, f"two pins of {match[1]} for {here}"
                found[match[1]] = match[2]
    return found


def asked() -> list[str]:
    """The requirements of the project itself, those of every extra included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *chain(*project["optional-dependencies"].values())]


def needed() -> dict[str, str]:
    """The installed distributions that the project needs, itself or through another."""
    found: dict[str, str] = {}
    waiting, seen = [Requirement(text) for text in asked()], set()
    while waiting:
        wish = waiting.pop()
        if (str(wish), name := plain(wish.name)) in seen or name == "hierwidgets":
            continue
        seen.add((str(wish), name))
        try:
            there = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of an extra that is not installed
        found[name] = there.version
        for line in map(Requirement, there.requires or []):
            if any(
                not line.marker or line.marker.evaluate({"extra": e}) for e in ["", *wish.extras]
            ):
                waiting.append(line)
    return found


def test_every_dependency_is_pinned() -> None:
    assert {plain(Requirement(text).name) for text in asked()} - {"hierwidgets"} <= set(pins())


def test_this_environment_is_the_pinned_one() -> None:
    """All that the project needs, indirectly too, is here at the version pinned for this Python."""
    pinned, here = pins(), needed()
    assert len(here) > 100
    assert {n: (v, pinned.get(n)) for n, v in here.items() if pinned.get(n) != v} == {}


def test_readme_commands_are_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    asked = set(
        re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    )
    assert {"lab", "test"} <= asked
    for target in asked:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_pictures_links_and_places_are_there(name: str) -> None:
    text = (ROOT / name).read_text()
    links = [one for one in re.findall(r"\]\(([^)#]+)\)", text) if not one.startswith("http")]
    places = re.findall(r"(?<![\w/])(?:tests|hierwidgets|lectures)/[\w./-]*\w", text)
    made_up = re.compile(r"NN|aN\b|\bname|test_name")  # where a new thing would go
    for place in links + [one for one in places if not made_up.search(one)]:
        assert (ROOT / place).exists(), place


def test_the_map_has_every_folder() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {path.parent for path in PACKAGE.rglob("__init__.py")} - {PACKAGE}
    for folder in folders - {PACKAGE / "widgets" / "numbers" / "effect"}:
        assert f"| `{folder.relative_to(PACKAGE).as_posix()}/` |" in text, folder


def test_workflow_runs_what_ci_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1] == "bash .ci/run"
    script = (ROOT / ".ci" / "run").read_text()
    calls = re.findall(r"^make ([a-z-]+)", script, re.MULTILINE)
    assert calls == ["test", "test-slow"]
    assert "HIERWIDGETS_REQUIRE_BROWSER=1" in script


def test_repository_address_is_one_setting() -> None:
    """Only pyproject.toml spells the address; every copy elsewhere must agree with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    address = project["urls"]["Repository"]
    owner_and_name = address.removeprefix("https://github.com/")
    for path in tracked():
        if path.suffix in {".md", ".cff", ".ipynb", ".yml"}:
            text = path.read_text()
            for found in re.findall(r"https://github\.com/(hierwidgets/[\w.-]+)", text):
                assert found.removesuffix(".git") == owner_and_name, path.name
            for found in re.findall(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/", text):
                assert found == owner_and_name, path.name
