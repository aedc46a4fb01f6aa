"""Binder builds what is tested: its pins, repo2docker's reading of its files, its badge.

The slow test makes the environment from those very files, starts the server as Binder does and
runs the first lecture in a browser. It prints how large the environment is and how long it takes.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.paths import ROOT
from tools import binder

from hierwidgets.course import room, student

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BADGE = re.compile(r"\(https://mybinder\.org/v2/gh/[\w.-]+/[\w.-]+/HEAD\?urlpath=([^)]+)\)")


def written() -> dict[str, str]:
    lines = (ROOT / "binder" / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def badge_path() -> str:
    """What the README's badge opens, below the server's root."""
    (found,) = BADGE.findall((ROOT / "README.md").read_text())
    return urllib.parse.unquote(found).removeprefix("lab/tree/")


def test_pins_are_the_tested_ones() -> None:
    """No pin of Binder differs from constraints.txt for Binder's Python."""
    tested = binder.pins(binder.python_of_binder())
    assert {name: (v, tested.get(name)) for name, v in written().items()
            if tested.get(name) != v} == {}  # fmt: skip


def test_nothing_is_missing_and_nothing_is_too_much() -> None:
    """Exactly what the extra `lab` needs; on another Python than Binder's, what both need."""
    names, needed = set(written()), binder.needed()
    if "{}.{}".format(*sys.version_info) == binder.python_of_binder():
        assert names == needed
    else:
        only_here = {"overrides"}  # of older Pythons
        assert needed - names <= only_here
    assert not names & {"pytest", "nbval", "ruff", "mypy", "nbgrader", "playwright", "distributed"}


def test_the_badge_opens_a_lecture_of_the_students_copy() -> None:
    folder, name = badge_path().split("/")
    assert (folder, name) == (student.DEFAULT, "00-map-and-notation.ipynb")
    assert (ROOT / "lectures" / name).is_file()
    built = (ROOT / "binder" / "postBuild").read_text().splitlines()
    assert built[-1] == "python -m hierwidgets.course student"


def test_binder_opens_the_same_quiet_room(tmp_path: Path) -> None:
    """Its start gives what `make lab` gives, whatever else is set."""
    own = {"PATH": os.environ["PATH"], "JUPYTER_CONFIG_PATH": "own"}
    command = ["bash", str(ROOT / "binder" / "start"), "env"]
    done = subprocess.run(
        command, cwd=tmp_path, env=own, capture_output=True, text=True, check=True
    )
    given = dict(line.split("=", 1) for line in done.stdout.splitlines())
    wanted = room.environment(tmp_path / student.DEFAULT, own)
    assert {name: given[name] for name in wanted} == wanted


def test_repo2docker_finds_python_and_scripts(tmp_path: Path) -> None:
    """repo2docker's own reading of the files, without Docker."""
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [
        sys.executable,
        "-m",
        "repo2docker",
        "--no-build",
        "--no-run",
        "--debug",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-2000:]
    assert f"environment for python={binder.python_of_binder()}" in text, text[-2000:]
    assert re.search(r'pip install --no-cache-dir -r "?binder/requirements\.txt', text)
    assert "RUN ./binder/postBuild" in text
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in text


SAMPLED = """(lambda post: [post.method, post.diagnose().ok])(
    hw.Model('contacted ~ 1 + (1 | district_id)', hw.load('finland'), 'binomial',
             event='Contacted').sample(seed=1, progress=False))"""


def test_what_sampling_needs_is_there() -> None:
    """NumPy, SciPy and the statistics of draws; no compiler, and no library of chains."""
    names = set(written())
    assert names >= {"numpy", "scipy", "pandas", "threadpoolctl", "tqdm", "arviz-stats"}
    assert not names & {"nutpie", "numba", "llvmlite", "arviz"}


def python_of_binder() -> str | None:
    """An interpreter of Binder's Python on this machine."""
    version = binder.python_of_binder()
    places = [Path(sys.executable), *Path.home().glob(f".pyenv/versions/{version}*/bin/python3")]
    named = shutil.which(f"python{version}")
    for place in [*places, *([Path(named)] if named else [])]:
        probe = [
            str(place),
            "-c",
            "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])",
        ]
        done = subprocess.run(probe, capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() == version:
            return str(place)
    return None


@pytest.mark.slow
@pytest.mark.browser
def test_a_fresh_binder_runs_the_first_lecture(
    tmp_path: Path, browser: "Browser", monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab import Notebook, lab_server

    python = python_of_binder()
    if python is None:
        pytest.skip(f"there is no Python {binder.python_of_binder()} on this machine")
    home = tmp_path / "home"  # what Binder calls $HOME: the repository's files and no others
    home.mkdir()
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, home / name)
    env = tmp_path / "env"
    subprocess.run([python, "-m", "venv", str(env)], check=True)
    own = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    own["PATH"] = f"{env / 'bin'}:{own['PATH']}"
    begun = time.monotonic()
    for command in (
        [f"{env}/bin/pip", "install", "-q", "--no-cache-dir", "-r", "binder/requirements.txt"],
        ["bash", "binder/postBuild"],
    ):
        done = subprocess.run(command, cwd=home, env=own, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    built = time.monotonic() - begun
    check = subprocess.run([f"{env}/bin/pip", "check"], env=own, capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
    size = sum(f.stat().st_size for f in env.rglob("*") if f.is_file() and not f.is_symlink())
    state = tmp_path / "state"
    state.mkdir()
    begun = time.monotonic()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with lab_server(home, state, env / "bin" / "python") as server:
        started = time.monotonic() - begun
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        notebook = Notebook(page, server, badge_path())
        notebook.run_all(seconds=120)
        assert notebook.python("hw.__file__").startswith(str(env))
        assert notebook.widget("PoolingDial").count() >= 1
        assert notebook.python(SAMPLED) == ["importance", True]
        notebook.shut_down()
    print(f"\nBinder: built in {built:.0f} s, {size / 1e6:.0f} MB, server up in {started:.1f} s")
