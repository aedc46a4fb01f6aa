"""The student's copy of the lectures: the same pages without answers, to run and to write in.

``python -m hierwidgets.course student [FOLDER] [--from LECTURES]``
    Makes the copy, or brings it up to date. Without a name it is ``my-lectures``, which git
    ignores; the lectures are those in ``lectures``.

Notebooks come without outputs, and so without captions and texts that tell what a guess is about;
everything else comes as it is. What a student has written is never overwritten. A list in the copy
holds the hash of every file as it was written here: a file that still has it is replaced by its
newer version; beside any other the newer version goes under a name of its own, such as
``04-three-kinds-of-pooling-new.ipynb``. A file that is deleted or renamed comes anew.
"""

import contextlib
import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataError

__all__ = ["DEFAULT", "SETTINGS", "Done", "main", "make", "stripped"]

DEFAULT = "my-lectures"
SETTINGS = ".lab"
"""The folder of settings for JupyterLab, in the lectures and in the copy."""
INSTRUCTORS = "README.md"
"""The page for instructors, which the copy leaves out."""
MANIFEST = ".written.json"
PART = ".hierwidgets-part"
LANGUAGE = {
    "name": "python", "version": platform.python_version(), "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": sys.version_info.major},
    "pygments_lexer": f"ipython{sys.version_info.major}", "nbconvert_exporter": "python",
    "file_extension": ".py",
}  # fmt: skip
"""What a Python kernel says of its language."""


class Done(NamedTuple):
    """What one run has done, as paths below the copy, in order.

    Attributes
    ----------
    made, replaced : list of str
        Files that were not there; files that nobody had touched and that are newer now.
    beside : dict of str
        For each file of the student's own that has a newer version, where that version is.
    kept : list of str
        Files of the student's own without a newer version.
    gone : list of str
        Files written earlier that the lectures no longer have; they are left as they are.
    """

    made: list[str]
    replaced: list[str]
    beside: dict[str, str]
    kept: list[str]
    gone: list[str]


def stripped(notebook: bytes) -> bytes:
    """A notebook without outputs, counts of execution, and what folds an output.

    It names this Python as its kernel will: JupyterLab writes that in as soon as the kernel is up,
    and a notebook in which it changed something counts as not saved.

    Examples
    --------
    >>> cell = {"cell_type": "code", "execution_count": 3, "outputs": [1], "source": "x"}
    >>> json.loads(stripped(json.dumps({"cells": [cell]}).encode()))["cells"]
    [{'cell_type': 'code', 'execution_count': None, 'outputs': [], 'source': 'x'}]
    """
    content: dict[str, Any] = json.loads(notebook)
    about = content.setdefault("metadata", {})
    about.pop("widgets", None)
    about["language_info"] = LANGUAGE
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            cell.get("metadata", {}).get("jupyter", {}).pop("outputs_hidden", None)
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def contents(lectures: Path) -> Iterator[tuple[str, bytes]]:
    """What belongs into the copy: paths below it and what they hold.

    Of the assignments it is the guides and what has been released to students. The page for
    instructors stays behind.
    """
    for path in _files(lectures):
        place = path.relative_to(lectures)
        if place == Path(INSTRUCTORS):
            continue
        if place.parts[0] != "assignments":
            is_notebook = path.suffix == ".ipynb"
            yield place.as_posix(), _page(path) if is_notebook else path.read_bytes()
        elif len(place.parts) == 2 and path.suffix == ".md":
            yield place.as_posix(), path.read_bytes()
        elif place.parts[1] == "release" and len(place.parts) > 2:
            yield Path("assignments", *place.parts[2:]).as_posix(), path.read_bytes()


def _page(path: Path) -> bytes:
    try:
        return stripped(path.read_bytes())
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"'{path}' is no whole notebook ({error}): bring it back with git checkout {path}"
        ) from error


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name != SETTINGS and path.name.startswith((".", "_")):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif not path.is_dir():
            yield path


def make(folder: Path, lectures: Path) -> Done:
    """Make the student's copy in `folder`, or bring it up to date.

    Parameters
    ----------
    folder, lectures : Path
        Where the copy is or shall be, and what it is a copy of.

    Returns
    -------
    Done
        What was written where.

    Raises
    ------
    OSError
        With a sentence that says what stands in the way, and what to do.
    DataError
        If a lecture is no notebook.
    """
    _check_places(folder, lectures)
    wanted = dict(contents(lectures))
    with _in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            return _Copy(folder).update(wanted)


def _check_places(folder: Path, lectures: Path) -> None:
    if not lectures.is_dir() or not any(lectures.glob("*.ipynb")):
        raise FileNotFoundError(
            f"there are no lectures in '{lectures}': start this in the folder of the project, "
            "or say where they are with --from"
        )
    if folder.is_symlink() and not folder.exists():
        raise FileNotFoundError(f"'{folder}' is a link that leads nowhere: remove it")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(
            f"'{folder}' is a file, and the copy needs a folder: move the file, or name another "
            "place"
        )
    mine, theirs = folder.resolve(), lectures.resolve()
    if mine == theirs or mine in theirs.parents or theirs in mine.parents:
        raise FileExistsError(
            f"'{folder}' holds the lectures or lies in them: choose a folder beside '{lectures}'"
        )


@contextlib.contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Say what an error of the file system means here; ours say it already."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        own = Path.home() / DEFAULT
        raise type(error)(
            f"'{error.filename or folder}' cannot be written ({error.strerror}): name a folder of "
            f"your own, such as '{own}' (with make lab: COPY='{own}')"
        ) from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One run at a time; what an earlier one left half-written is removed."""
    with (folder / ".lock").open("a") as lock:
        with contextlib.suppress(ImportError):  # no such module on Windows
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.rglob(f".*{PART}"):
            left.unlink()
        yield


def _hash(name: str, content: bytes) -> str:
    """The hash of a file; of a notebook's cells alone, for to open it changes the rest."""
    if name.endswith(".ipynb"):
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            cells = [_written(cell) for cell in json.loads(content)["cells"]]
            content = json.dumps(cells, sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


def _written(cell: dict[str, Any]) -> dict[str, Any]:
    """What somebody has written, run or pasted in a cell; not how JupyterLab shows it."""
    told = {key: cell["metadata"].get(key) for key in ("hierwidgets", "nbgrader", "tags")}
    rest = [cell.get("attachments") or {}, cell.get("outputs") or []]
    return {"type": cell["cell_type"], "source": "".join(cell["source"]), **told, "rest": rest}


class _Copy:
    """The copy on disk, with the list of what was written there.

    The list has a hash for each path, and a second one while that path is being replaced: whichever
    of the two an interrupted run has left is known.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written, writing = self._read()
        for name, new in writing.items():
            if self._now(name) == new:
                self.written[name] = new

    def _read(self) -> tuple[dict[str, str], dict[str, str]]:
        """The list; an unreadable one is as none, and then every file counts as the student's."""
        try:
            listed = json.loads((self.folder / MANIFEST).read_bytes())
            return dict(listed["written"]), dict(listed["writing"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return {}, {}

    def _note(self, writing: dict[str, str]) -> None:
        text = json.dumps({"written": self.written, "writing": writing}, indent=1, sort_keys=True)
        self._put(MANIFEST, text.encode())

    def _now(self, name: str) -> str:
        """The hash of what is on disk, "" if nothing is; a link or a folder has none of ours."""
        path = self.folder / name
        if path.is_symlink() or path.is_dir():
            return "no file of ours"
        return _hash(name, path.read_bytes()) if path.exists() else ""

    def update(self, wanted: dict[str, bytes]) -> Done:
        for name in wanted:
            self._check_folders(name)
        known = {name for name in self.written if self._now(name) == self.written[name]}
        gone = sorted(known - set(wanted) - self._newer_names(wanted))
        done = Done([], [], {}, [], gone)
        plan = self._plan(wanted, done)
        if plan:
            self._note({name: _hash(name, content) for name, content in plan.items()})
        for name, content in plan.items():
            if self._now(name) in ("", self.written.get(name)):  # it may just have been saved
                self._put(name, content)
                self.written[name] = _hash(name, content)
        self._note({})
        return done

    def _plan(self, wanted: dict[str, bytes], done: Done) -> dict[str, bytes]:
        """What to write where, and `done` filled with the account of it."""
        plan: dict[str, bytes] = {}
        for name, content in wanted.items():
            new, now = _hash(name, content), self._now(name)
            if now == new:
                self.written[name] = new
            elif now in ("", self.written.get(name)):
                plan[name] = content
                (done.replaced if now else done.made).append(name)
            elif name.startswith(SETTINGS) or self.written.get(name) == new:
                done.kept.append(name)
            else:
                places = [place for place in _names_beside(name) if place not in wanted]
                had = [place for place in places if self.written.get(place) == new]
                there = [place for place in had if self._now(place)]
                if had and not there:  # seen and removed
                    done.kept.append(name)
                    continue
                free = (p for p in places if self._now(p) in ("", self.written.get(p)))
                done.beside[name] = there[0] if there else next(free)
                if not there:
                    plan[done.beside[name]] = content
        return plan

    def _newer_names(self, wanted: dict[str, bytes]) -> set[str]:
        return {place for name in wanted for place in _names_beside(name)}

    def _check_folders(self, name: str) -> None:
        """Nothing is written through a link inside the copy, or where a file is in the way."""
        for parent in list((self.folder / name).relative_to(self.folder).parents)[:-1]:
            path = self.folder / parent
            if path.is_symlink():
                raise NotADirectoryError(
                    f"'{path}' is a link, and nothing is written through it: remove it"
                )
            if path.exists() and not path.is_dir():
                raise NotADirectoryError(
                    f"'{path}' is a file, and a folder belongs there: give the file another name"
                )

    def _put(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}{PART}")
        try:
            part.write_bytes(content)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def _names_beside(name: str) -> list[str]:
    path = Path(name)
    ends = ["-new", *(f"-new-{i}" for i in range(2, 100))]
    return [path.with_name(path.stem + end + path.suffix).as_posix() for end in ends]


def told(folder: Path, done: Done) -> list[str]:
    """What a run has done, in sentences."""
    made, replaced = len(done.made), len(done.replaced)
    lines = []
    if made:
        lines.append(f"{folder}: {made} {_files_word(made)} written")
    if replaced:
        lines.append(f"{folder}: {replaced} {_files_word(replaced)} replaced by newer versions")
    for name, place in done.beside.items():
        lines.append(f"{folder}: {name} is as you left it; the newer version is {place}")
    for name in done.gone:
        lines.append(f"{folder}: {name} is no longer among the lectures; delete it if you like")
    return lines or [f"{folder} is up to date"]


def _files_word(number: int) -> str:
    return "file" if number == 1 else "files"


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m hierwidgets.course student")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(DEFAULT))
    parser.add_argument("--from", dest="lectures", type=Path, default=Path("lectures"))
    options = parser.parse_args(arguments)
    folder = options.folder.expanduser()
    try:
        done = make(folder, options.lectures)
    except (OSError, DataError) as error:
        print(error)
        return 1
    print("\n".join(told(folder, done)))
    return 0
