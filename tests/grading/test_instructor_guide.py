"""The instructor's guide, word for word: its commands in a fresh clone and a fresh environment.

The one thing that a reader does by hand, putting a submission in its place, is done here between
"give out" and "collect". Commands of plain nbgrader at the guide's end are run, too.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.answer_sheets import read, reference
from support.paths import ROOT
from support.small_course import answered

from hierwidgets.grading.__main__ import parser

GUIDE = ROOT / "lectures" / "assignments" / "instructor-guide.md"
STUDENTS = ("ann", "bo")
ADDRESS = "https://github.com/hierwidgets/hierwidgets"


def commands() -> list[str]:
    """The blocks of commands, in their order."""
    return re.findall(r"^```\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_guide_names_every_command(capsys):
    text = "\n".join(commands())
    assert ADDRESS in text
    for name in ("private", "check", "release", "grade", "report", "similar"):
        assert re.search(rf"grading {name}\b", text), name
        with pytest.raises(SystemExit):
            parser().parse_args([name, "--help"])
    known = capsys.readouterr().out
    told = re.findall(r"`(--[a-z-]+)", GUIDE.read_text())
    assert len(told) >= 5
    assert [option for option in told if option not in known] == []


def a_repository(folder: Path) -> None:
    """The files of this checkout as they are now, as a repository that can be cloned."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    own = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for words in (["init", "-q"], ["add", "-A"], [*own, "commit", "-qm", "now"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def hand_in(course: Path) -> None:
    """The students' own copies with the reference's answers, where the guide says they belong."""
    for student in STUDENTS:
        (given,) = (course / "variants" / student / "A1").glob("*.ipynb")
        notebook = answered(nbformat.read(given, as_version=4), reference(read("A1")))
        folder = course / "submitted" / student / "A1"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / given.name)


@pytest.mark.slow
def test_the_guide_word_for_word(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone, so there is nothing to clone")
    a_repository(tmp_path / "repository")
    blocks = commands()
    place = next(k for k, block in enumerate(blocks) if "grading grade" in block)
    own = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    own |= {
        "PATH": f"{Path(sys.executable).parent}:{own['PATH']}", "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path / 'repository'}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }  # fmt: skip
    before = "\n".join(blocks[:place])
    after = f"cd hierwidgets\n{_aliases(before)}\n" + "\n".join(blocks[place:])
    course = tmp_path / "my-course"
    for k, part in enumerate((before, after)):
        script = f"set -e\nshopt -s expand_aliases\n{part}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=own, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        assert "BAD" not in done.stdout
        if k == 0:
            assert done.stdout.count("  ok ") == 5  # what check asks
            hand_in(course)
    with (course / "reports" / "A1.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = ("student", "score", "max_score", "waiting", "flag")
    found = [tuple(row[name] for name in columns) for row in rows]
    assert found == [(student, "26", "30", "0", "ok") for student in STUDENTS]  # no words
    assert (course / "reports" / "A1-canvas.csv").read_text().splitlines() == [
        "Student,ID,SIS User ID,SIS Login ID,Section,The 309 problem (4711)",
        "    Points Possible,,,,,30",
        '"Example, Ann",101,,ann,Group 1,26',
        '"Sample, Bo",102,,bo,Group 1,26',
    ]
    with (course / "reports" / "nbgrader.csv").open() as file:
        rows = sorted((r["student_id"], r["score"], r["max_score"]) for r in csv.DictReader(file))
    assert rows == [(student, "26.0", "30.0") for student in STUDENTS]
    assert "Nothing stands out" in (course / "similarity" / "A1.html").read_text()
    assert list((course / "feedback" / "ann" / "A1").glob("*.html"))


def _aliases(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("alias "))
