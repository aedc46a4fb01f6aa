"""nbgrader's gradebook: made whole or not at all, and used by one command at a time.

nbgrader makes the tables first and asks alembic for their version afterwards. A second command that
comes between the two, or a version that cannot be found out, ends in nbgrader's words about an old
database, and leaves a gradebook without a version, with which a second try goes through.
"""

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hierwidgets.errors import DataError

__all__ = ["make_gradebook", "one_at_a_time"]

LOCK = ".grading.lock"
PATIENCE = 600.0  # seconds
PREFIX = "sqlite:///"


def make_gradebook(address: str, course_id: str) -> None:
    """Make the gradebook if there is none, and mend one that was left without a version.

    Parameters
    ----------
    address
        The database's URL. Only files of SQLite are made here; other databases have their own ways.
    course_id
        nbgrader's name of the course.

    Raises
    ------
    DataError
        If the version of nbgrader's tables cannot be found out. Nothing is left behind.
    """
    path = Path(address.removeprefix(PREFIX))
    if not address.startswith(PREFIX) or not path.is_absolute() or not path.parent.is_dir():
        return
    if path.exists() and _tables(path):
        if "alembic_version" not in _tables(path):
            _add_version(path)
        return
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _new(begun, course_id)
        os.replace(begun, path)
    finally:
        begun.unlink(missing_ok=True)


def _new(path: Path, course_id: str) -> None:
    from nbgrader.api import Gradebook

    try:
        book = Gradebook(f"{PREFIX}{path}", course_id)
    except (OSError, ValueError) as problem:
        raise DataError(_no_version(problem)) from problem
    book.close()


def _tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as book:
        rows = book.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {str(name) for (name,) in rows}


def _add_version(path: Path) -> None:
    from nbgrader.api import get_alembic_version

    try:
        version = get_alembic_version()
    except (OSError, ValueError) as problem:
        raise DataError(_no_version(problem)) from problem
    with closing(sqlite3.connect(path)) as book, book:
        book.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        book.execute("INSERT INTO alembic_version (version_num) VALUES (?)", (version,))


def _no_version(problem: Exception) -> str:
    return (
        f"nbgrader's gradebook could not be made: {problem}. It asks the program alembic, which "
        "is installed with nbgrader; try again, or install nbgrader anew"
    )


@contextmanager
def one_at_a_time(root: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Wait until no other command works on the course, and keep others waiting meanwhile.

    Blocks of this do not stand within each other.

    Raises
    ------
    DataError
        If the other one has not ended after `patience` seconds.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    deadline = time.monotonic() + patience
    with (root / LOCK).open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DataError(
                        f"another command has been working on {root} for {patience:g} seconds; "
                        "wait for it or end it, then try again"
                    ) from None
                time.sleep(0.1)
        yield
