"""Tables that take long to make: read from the package, written by the command that makes them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import pandas as pd

from hierwidgets.errors import DataError

__all__ = ["stored_table", "write_tables"]

_FOLDER = files("hierwidgets.course.data")


def stored_table(name: str, known: Sequence[str]) -> pd.DataFrame:
    """A copy of the stored table of that name, one of the known ones."""
    if name not in known:
        raise DataError(f"there is no table {name!r}; there are {list(known)}")
    return _read(name).copy()


@cache
def _read(name: str) -> pd.DataFrame:
    with as_file(_FOLDER.joinpath(f"{name}.csv")) as path:
        return pd.read_csv(path)


def write_tables(names: Sequence[str], makers: Mapping[str, Callable[[], pd.DataFrame]]) -> int:
    """Make the tables named, or all, and store them; the command line of the modules that do."""
    for name in names or makers:
        table = makers[name]()
        table.to_csv(Path(str(_FOLDER)) / f"{name}.csv", index=False)
        print(f"{name}: {len(table)} rows")
    return 0
