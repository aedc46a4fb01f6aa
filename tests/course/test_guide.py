"""The page for instructors is what the notebooks say."""

import re
from pathlib import Path

from support.paths import LECTURES

from hierwidgets.course.guide import instructors_page, write
from hierwidgets.course.path import CLASSES, class_table


def test_the_committed_page_is_what_the_command_writes():
    committed = (LECTURES / "README.md").read_text(encoding="utf-8")
    assert committed == instructors_page(LECTURES), "run: python -m hierwidgets.course path --write"


def test_each_class_has_its_row_and_its_walk():
    page = instructors_page(LECTURES)
    rows = re.findall(r"^\| (\d) \| ([\d, ]+) \| ([\d,]+) \|", page, re.MULTILINE)
    assert [row[0] for row in rows] == [str(k + 1) for k in range(len(CLASSES))]
    words = [int(row[2].replace(",", "")) for row in rows]
    assert words == [row["words"] for row in class_table(LECTURES)]
    assert [f"### Class {k + 1}\n" in page for k in range(len(CLASSES))] == [True] * len(CLASSES)


def test_every_notebook_is_linked_and_every_link_leads_somewhere():
    linked = set(re.findall(r"\]\(([^)]+)\)", instructors_page(LECTURES)))
    assert {path.name for path in LECTURES.glob("*.ipynb")} <= linked
    assert all((LECTURES / name).exists() for name in linked)


def test_it_is_written_into_the_folder(tmp_path: Path):
    assert write(tmp_path) == 0
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# For instructors")
    assert "## Three hours: two classes of 90 minutes" in page
