"""What a release needs: notes for this version, and a wheel that works without the repository."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from support.paths import PACKAGE, ROOT
from tools import version


def test_the_changelog_speaks_of_this_version() -> None:
    assert len(version.notes().splitlines()) >= 5


def test_the_release_workflow_runs_what_is_here() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    commands = "\n".join(s["run"] for s in workflow["jobs"]["build"]["steps"] if "run" in s)
    for script in ("tests/tools/version.py", "tests/tools/wheel_alone.py"):
        assert script in commands
        assert (ROOT / script).is_file()


def test_citation_agrees_with_the_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version.version()
    assert citation["license"] == "MIT"
    assert citation["references"][0]["doi"] == "10.1016/j.electstud.2014.10.008"


@pytest.mark.slow
def test_the_wheel_works_alone(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("LICENSE-crdata.md") for name in names)
    ours = [p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert {path.relative_to(ROOT).as_posix() for path in ours} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "lectures/"))]
    alone = [sys.executable, str(ROOT / "tests" / "tools" / "wheel_alone.py"), str(wheel)]
    done = subprocess.run(alone, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
