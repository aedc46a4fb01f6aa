"""What a release needs: notes for this version, and distributions that work alone."""

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from support.paths import PACKAGE, ROOT
from tools import version

MOST_BYTES = 3_000_000  # of the wheel
ABSOLUTE = re.compile(r"^https?://|^#|^mailto:")
OURS = re.compile(
    r"^https://(?:github\.com/hierwidgets/hierwidgets/blob"
    r"|raw\.githubusercontent\.com/hierwidgets/hierwidgets)/main/([^#]+)"
)


def test_the_changelog_speaks_of_this_version() -> None:
    assert len(version.notes().splitlines()) >= 5


def test_the_release_workflow_runs_what_is_here() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = "\n".join(step["run"] for step in steps if "run" in step)
    for script in ("tests/tools/version.py", "tests/tools/wheel_alone.py"):
        assert script in commands
        assert (ROOT / script).is_file()


def test_a_release_is_tried_on_every_python_that_ci_tests() -> None:
    tested, tried = (
        yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())["jobs"][job]
        for name, job in (("ci.yml", "test"), ("release.yml", "alone"))
    )
    assert tried["strategy"]["matrix"]["python"] == tested["strategy"]["matrix"]["python"]


def test_citation_agrees_with_the_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version.version()
    assert citation["license"] == "MIT"
    assert citation["references"][0]["doi"] == "10.1016/j.electstud.2014.10.008"
    fields = {"abstract", "authors", "date-released", "keywords", "repository-code", "title", "url"}
    assert fields <= citation.keys()
    heading = f"## {version.version()} ({citation['date-released']})"
    assert heading in (ROOT / "CHANGELOG.md").read_text().splitlines()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution, and the wheel that is built from it alone."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (source,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return source, wheel


def ours() -> set[str]:
    """The files of the package."""
    found = (p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {path.relative_to(ROOT).as_posix() for path in found}


@pytest.mark.slow
def test_the_wheel_has_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    names = zipfile.ZipFile(built[1]).namelist()
    about = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    assert any(name.endswith("LICENSE-crdata.md") for name in about)
    assert set(names) - about == ours()
    assert built[1].stat().st_size < MOST_BYTES


@pytest.mark.slow
def test_the_source_has_what_a_wheel_is_built_from(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as opened:
        names = {member.name.partition("/")[2] for member in opened if member.isfile()}
    about = {"CHANGELOG.md", "CITATION.cff", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    assert names - {".gitignore"} == ours() | about


@pytest.mark.slow
def test_links_of_the_readme_are_whole_on_the_package_index(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
        text = email.message_from_bytes(wheel.read(name)).get_payload()
    links = re.findall(r"\]\(([^)\s]+)\)", str(text))
    assert len(links) > 60
    assert [link for link in links if not ABSOLUTE.match(link)] == []
    inside = [found[1] for link in links if (found := OURS.match(link))]
    assert len(inside) > 50
    assert [path for path in inside if not (ROOT / path).exists()] == []


@pytest.mark.slow
def test_both_work_alone(built: tuple[Path, Path]) -> None:
    alone = [sys.executable, str(ROOT / "tests" / "tools" / "wheel_alone.py"), *map(str, built)]
    done = subprocess.run(alone, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
