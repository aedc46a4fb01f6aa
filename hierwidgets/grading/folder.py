"""A course directory as nbgrader knows it: where things are, and nbgrader's own converters."""

import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat

from hierwidgets.errors import DataError, MissingExtraError

from .gradebook import make_gradebook, one_at_a_time

__all__ = ["BEFORE", "VARIANTS", "Course", "copy_course", "open_course"]

CONFIG = "nbgrader_config.py"
BEFORE = "given_before"  # releases that later ones took the place of
VARIANTS = "variants"  # copies of the release with data of one's own, by student


@dataclass(frozen=True, slots=True)
class Course:
    """A folder with ``nbgrader_config.py`` and ``source/``; everything else is made in it."""

    root: Path

    def assignments(self) -> list[str]:
        """The names of the assignments that have a source."""
        folders = (self.root / "source").iterdir()
        return sorted(p.name for p in folders if any(p.glob("*.ipynb")))

    def notebook(self, step: str, assignment: str, student: str = "") -> Path:
        """Where the notebook of an assignment is or belongs: step "source", "release", ..."""
        name = self._source(assignment).name
        return self.root / step / student / assignment / name

    def _source(self, assignment: str) -> Path:
        found = sorted((self.root / "source" / assignment).glob("*.ipynb"))
        if len(found) != 1:
            raise DataError(
                f"an assignment has one notebook; source/{assignment} has {len(found)}. "
                f"Assignments here: {', '.join(self.assignments()) or 'none'}"
            )
        return found[0]

    def read(self, step: str, assignment: str, student: str = "") -> Any:
        """The notebook of a step, in the present version of the format."""
        return nbformat.read(self.notebook(step, assignment, student), as_version=4)

    def given(self, assignment: str, student: str = "") -> tuple[str, str]:
        """The step and student under which stands what a student was given.

        That is a copy with data of one's own where there is one, and the release otherwise.
        """
        own = bool(student) and self.notebook(VARIANTS, assignment, student).exists()
        return (VARIANTS, student) if own else ("release", "")

    def given_before(self, assignment: str) -> list[Any]:
        """The notebooks of former releases, the first one first."""
        folders = (self.root / BEFORE / assignment).glob("*")
        numbered = sorted((p for p in folders if p.name.isdigit()), key=lambda p: int(p.name))
        paths = (path for folder in numbered for path in sorted(folder.glob("*.ipynb")))
        return [nbformat.read(path, as_version=4) for path in paths]

    def extras(self, step: str, assignment: str, student: str = "") -> list[Path]:
        """The files that belong to an assignment besides its notebook."""
        folder = self.root / step / student / assignment
        return sorted(
            p for p in folder.rglob("*")
            if p.is_file() and p.suffix != ".ipynb" and "__pycache__" not in p.parts
        )  # fmt: skip

    def students(self, assignment: str) -> list[str]:
        """Who has handed something in."""
        folders = (self.root / "submitted").glob(f"*/{assignment}")
        return sorted(folder.parent.name for folder in folders if folder.is_dir())

    def config(self) -> Any:
        """The settings in the course's ``nbgrader_config.py``, by class name."""
        from traitlets.config.loader import PyFileConfigLoader

        return PyFileConfigLoader(CONFIG, path=str(self.root)).load_config()

    @contextmanager
    def nbgrader(self, **settings: Mapping[str, Any]) -> Iterator[Any]:
        """nbgrader's programming interface on this course; `settings` by class name.

        nbgrader works in the current directory, so this changes it for the block; and the path
        of commands. Another command on the same course waits meanwhile, so blocks do not stand
        within each other.
        """
        from nbgrader.apps.api import NbGraderAPI
        from traitlets.config import Config

        config = self.config()
        config.merge(Config({"CourseDirectory": {"root": str(self.root)}}))
        config.merge(Config({name: dict(values) for name, values in settings.items()}))
        logging.getLogger("traitlets").setLevel(logging.ERROR)
        before, path = Path.cwd(), os.environ.get("PATH", "")
        os.chdir(self.root)
        # nbgrader calls alembic by name, which an environment that is not activated hides.
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
        try:
            with one_at_a_time(self.root), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of its database layer
                api = NbGraderAPI(config=config)
                make_gradebook(api.coursedir.db_url, api.coursedir.course_id)
                yield api
        finally:
            os.chdir(before)
            os.environ["PATH"] = path

    @property
    def gradebook(self) -> str:
        """The address of the gradebook's database."""
        with self.nbgrader() as api:
            return str(api.coursedir.db_url)


def open_course(path: str | Path | None = None) -> Course:
    """The course directory at `path`; without one, ``lectures/assignments`` or the current one.

    Raises
    ------
    MissingExtraError
        If nbgrader is not installed.
    DataError
        If the folder is not a course directory.
    """
    if find_spec("nbgrader") is None:
        raise MissingExtraError('Grading needs nbgrader: run pip install "hierwidgets[grading]".')
    places = [Path(path)] if path is not None else [Path("lectures/assignments"), Path()]
    for place in places:
        if (place / CONFIG).is_file() and (place / "source").is_dir():
            return Course(place.resolve())
    raise DataError(
        f"{places[0]} is not a course directory: it needs {CONFIG} and a folder source/. "
        "Go to one, or name it with --course"
    )


def copy_course(course: Course, target: Path) -> Course:
    """A private copy of the configuration and the sources, without anybody's work."""
    if target.exists() and any(target.iterdir()):
        raise DataError(f"{target} is not empty; choose a new folder for the private copy")
    target.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, "source"):
        origin = course.root / name
        if origin.is_dir():
            shutil.copytree(origin, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(origin, target / name)
    return Course(target.resolve())
