"""The gradebook: whole or not there, also with two commands at once and without alembic."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from support import small_course as small

from hierwidgets.errors import DataError
from hierwidgets.grading import open_course, release
from hierwidgets.grading.gradebook import make_gradebook, one_at_a_time

RELEASE = """
import sys
from hierwidgets.grading import open_course, release
release(open_course(sys.argv[1]), "T1")
"""


def version(path):
    with closing(sqlite3.connect(path)) as book:
        return book.execute("SELECT version_num FROM alembic_version").fetchall()


@pytest.mark.slow
def test_two_releases_at_once_both_succeed(tmp_path):
    root = small.make_course(tmp_path)
    running = [
        subprocess.Popen([sys.executable, "-c", RELEASE, root], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert len(version(root / "gradebook.db")) == 1
    assert sorted(p.name for p in root.iterdir() if "gradebook" in p.name) == ["gradebook.db"]


def test_without_alembic_nothing_is_left_and_the_error_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "gradebook.db"
    with pytest.raises(DataError, match="alembic"):
        make_gradebook(f"sqlite:///{path}", "small")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_gradebook_left_without_its_version_is_mended(tmp_path):
    course = open_course(small.make_course(tmp_path))
    release(course, "T1")
    path = course.root / "gradebook.db"
    (before,) = version(path)
    with closing(sqlite3.connect(path)) as book, book:
        book.execute("DROP TABLE alembic_version")
    release(course, "T1")
    assert version(path) == [before]


def test_a_second_command_waits_and_then_says_why_it_ends(tmp_path):
    with (
        one_at_a_time(tmp_path),
        pytest.raises(DataError, match="another command"),
        one_at_a_time(tmp_path, patience=0.2),
    ):
        pass
    with one_at_a_time(tmp_path, patience=0.2):
        pass
