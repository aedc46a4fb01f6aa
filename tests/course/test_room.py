"""What JupyterLab is started with: the copy's settings, its first page, the reader's options."""

import json
import os
import sys
from pathlib import Path

import pytest
from support.paths import LECTURES

from hierwidgets.course import room, student

SETTINGS = LECTURES / student.SETTINGS


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    student.make(tmp_path / "my copy", LECTURES)
    return tmp_path / "my copy"


def test_settings_are_whole_and_name_no_place() -> None:
    files = [path for path in SETTINGS.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [
        "course.json",
        "default-37a8.jupyterlab-workspace",
        "default_setting_overrides.json",
        "kernel.json",
        "page_config.json",
    ]
    for path in files:
        assert json.loads(path.read_text())
        assert '"/' not in path.read_text()


def test_the_environment_puts_the_course_first(copy: Path) -> None:
    settings = copy / student.SETTINGS
    alone = room.environment(copy, {"A": "1"})
    assert alone == {
        "A": "1",
        "JUPYTER_CONFIG_PATH": str(settings),
        "JUPYTER_PATH": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
    }
    both = room.environment(copy, {"JUPYTER_CONFIG_PATH": "own"})
    assert both["JUPYTER_CONFIG_PATH"] == f"{settings}{os.pathsep}own"


def test_it_opens_the_first_page_and_later_what_was_open(copy: Path) -> None:
    first = "--LabApp.default_url=/lab/tree/00-map-and-notation.ipynb"
    (copy / "00-map-and-notation-new.ipynb").write_text("{}")
    assert room.options(copy)[:2] == [f"--ServerApp.root_dir={copy}", first]
    (workspace,) = (copy / room.WORKSPACE).iterdir()
    kept = json.loads(workspace.read_text())
    kept["data"]["notebook:04-three-kinds-of-pooling.ipynb"] = {}
    workspace.write_text(json.dumps(kept))
    assert first not in room.options(copy)


@pytest.mark.parametrize(
    ("arguments", "folder", "rest"),
    [
        ([], "my-lectures", []),
        (["--no-browser", "x"], "my-lectures", ["--no-browser", "x"]),
        (["my own", "--no-browser"], "my own", ["--no-browser"]),
    ],
)
def test_the_command_makes_the_copy_and_starts_lab(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    folder: str,
    rest: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lectures").symlink_to(LECTURES)
    started: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *all_of_it: started.append(all_of_it) or 0)
    assert room.main(arguments) == 0
    ((program, command, environment),) = started
    assert (program, command[:3]) == (sys.executable, [sys.executable, "-m", "jupyterlab"])
    assert command[3] == f"--ServerApp.root_dir={tmp_path / folder}"
    assert command[len(command) - len(rest) :] == rest
    assert environment["JUPYTER_CONFIG_PATH"].startswith(str(tmp_path / folder / ".lab"))
    assert (tmp_path / folder / "00-map-and-notation.ipynb").is_file()


def test_a_place_that_will_not_do_is_said_and_nothing_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lectures").symlink_to(LECTURES)
    (tmp_path / "a file").write_text("")
    monkeypatch.delattr(os, "execve")
    assert room.main(["a file"]) == 1
    assert "'a file' is a file, and the copy needs a folder" in capsys.readouterr().out
