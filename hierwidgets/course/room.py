"""A quiet room to read in: JupyterLab on the student's copy, with the settings of the course.

``python -m hierwidgets.course lab [FOLDER] [OPTION ...]``
    Makes the copy or brings it up to date (`student`), and opens it. Options go to JupyterLab.

The settings lie in ``lectures/.lab`` and come with the copy: no news, no menus for grading, a list
of contents at the left. They hold for this JupyterLab alone; what a reader sets otherwise holds
in the copy from then on.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import student

__all__ = ["environment", "main", "options"]

WORKSPACE = Path(student.SETTINGS, "workspaces")


def environment(folder: Path, own: Mapping[str, str]) -> dict[str, str]:
    """The environment in which JupyterLab takes the settings of a copy.

    Parameters
    ----------
    folder : Path
        The copy.
    own : mapping
        The environment as it is; settings that stand there come after the course's.
    """
    settings = folder.resolve() / student.SETTINGS

    def first(name: str) -> str:
        return os.pathsep.join([str(settings), *filter(None, [own.get(name)])])

    return {
        **own,
        "JUPYTER_CONFIG_PATH": first("JUPYTER_CONFIG_PATH"),
        "JUPYTER_PATH": first("JUPYTER_PATH"),  # kernels that share what they import (`kernels`)
        "JUPYTERLAB_WORKSPACES_DIR": str(folder.resolve() / WORKSPACE),
    }


def options(folder: Path) -> list[str]:
    """What JupyterLab is told to open: the first page at first, then what was open last."""
    told = [f"--ServerApp.root_dir={folder.resolve()}"]
    pages = sorted((path.name for path in folder.glob("[0-9]*.ipynb")), key=len)
    kept = "".join(path.read_text("utf-8") for path in (folder / WORKSPACE).glob("default-*"))
    if pages and "notebook:" not in kept:
        first = min(pages, key=lambda name: name[:2])  # of two, the shorter: "-new" comes after
        told.append(f"--LabApp.default_url=/lab/tree/{first}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        told.append("--allow-root")  # Jupyter refuses unless told that this is meant
    return told


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code if JupyterLab cannot be started."""
    named = arguments[:1] if arguments and not arguments[0].startswith("-") else [student.DEFAULT]
    rest = arguments[1:] if arguments[:1] == named else arguments
    if code := student.main(named):
        return code
    folder = Path(named[0]).expanduser()
    command = [sys.executable, "-m", "jupyterlab", *options(folder), *rest]
    _compile_meanwhile()
    return os.execve(sys.executable, command, environment(folder, os.environ))


def _compile_meanwhile() -> None:
    """Import what kernels import, while JupyterLab starts: the first kernel waits less for it."""
    subprocess.Popen(
        [sys.executable, "-c", "from hierwidgets.course.kernels import mother; mother.prepare()"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
