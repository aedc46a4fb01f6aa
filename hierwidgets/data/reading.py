"""Data of one's own: CSV, Excel, Stata and SPSS files as data frames that models take."""

import csv
import os
import re
from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from hierwidgets.base.platform import how_to_get
from hierwidgets.errors import DataError, MissingExtraError

__all__ = ["ENDINGS", "read", "read_bytes"]

SEPARATORS = (",", ";", "\t", "|")
_WITH_COMMA = re.compile(r"-?\d+,\d+")


def read(path: str | os.PathLike[str], *, sheet: str | int = 0) -> pd.DataFrame:
    """A data file as a data frame: CSV, Excel, Stata or SPSS, by the ending of its name.

    Parameters
    ----------
    path
        The file. ``.csv``, ``.tsv``, ``.tab`` and ``.txt`` hold text, separated by commas,
        semicolons, tabs or bars, whichever fits; ``.xlsx`` and ``.xlsm`` are Excel's, ``.dta``
        Stata's, ``.sav``, ``.zsav`` and ``.por`` those of SPSS.
    sheet
        Of an Excel file: the name of the sheet, or its place from 0.

    Returns
    -------
    DataFrame
        A row for each row of the file. Text columns have the dtype ``object``, as those of
        :func:`hierwidgets.load`. A column whose values all have labels, as Stata and SPSS keep
        them, holds the labels as categories in the order of the values; one in which only some
        have a label keeps its numbers. Values declared as missing are missing.
        ``frame.attrs["labels"]`` has what the file says of its columns, by name.

    Raises
    ------
    DataError
        For a file that is not there, is empty, has another ending or cannot be read.
    MissingExtraError
        Where the extra ``lab`` is not installed, which brings what reads Excel, Stata and SPSS.

    Notes
    -----
    A text file is taken for UTF-8, with or without a mark, or for UTF-16 with one; else for
    Windows' Western European encoding. Where numbers are written with a comma, 0,5, and nowhere
    with a point, the comma is a decimal one.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import hierwidgets as hw
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "votes.csv"
    ...     _ = path.write_text("district;voted;share\\nA;yes;0,5\\nB;no;0,25\\n")
    ...     hw.read(path)
      district voted  share
    0        A   yes   0.50
    1        B    no   0.25
    """
    if not isinstance(path, str | os.PathLike):
        raise DataError(f"path must be the name of a file; a {type(path).__name__} was given")
    file = Path(path).expanduser()
    reader = _reader(file)
    _check_there(file)
    try:
        frame = reader(file, sheet)
    except (DataError, MissingExtraError):
        raise
    except Exception as error:  # a damaged file: what readers raise has no common base
        raise DataError(
            f"{file.name} could not be read as {_KINDS[file.suffix.lower()][0]}: {error}. Open it "
            "in the program it comes from and save it as CSV"
        ) from error
    return _in_order(frame, file.name)


def read_bytes(name: str, content: bytes) -> pd.DataFrame:
    """What `read` makes of a file with this name and content, such as one that was uploaded.

    Examples
    --------
    >>> read_bytes("a.csv", b"g,y\\n1,0\\n").to_dict("list")
    {'g': [1], 'y': [0]}
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / Path(name).name
        file.write_bytes(content)
        return read(file)


def _reader(file: Path) -> Callable[[Path, str | int], pd.DataFrame]:
    ending = file.suffix.lower()
    if ending not in _KINDS:
        more = ": open it in Excel and save it as .xlsx" if ending == ".xls" else ""
        raise DataError(
            f"{file.name} ends in {ending or 'nothing'}; what can be read ends in "
            f"{', '.join(ENDINGS)}{more}"
        )
    kind, needed, reader = _KINDS[ending]
    if needed and find_spec(needed) is None:
        raise MissingExtraError(
            f"reading {kind} files needs {needed}; {how_to_get('hierwidgets[lab]')}"
        )
    return reader


def _check_there(file: Path) -> None:
    if file.is_dir():
        raise DataError(f"{file} is a folder; name a file in it")
    if not file.is_file():
        folder = file.parent
        if not folder.is_dir():
            raise DataError(f"there is no folder {str(folder)!r}; you are in {Path.cwd()}")
        near = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in _KINDS)
        there = f"the data files there are {', '.join(near[:8])}" if near else "it has no data file"
        raise DataError(f"there is no file {file.name!r} in {folder.resolve()}; {there}")
    if file.stat().st_size == 0:
        raise DataError(f"{file.name} is empty; save it once more with a row of names and the data")


def _in_order(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Plain names, text as objects, and at least a row and a column."""
    labels = dict(frame.attrs.get("labels", {}))
    named = [str(column).strip() for column in frame.columns]
    nameless = [f"Unnamed: {i}" for i in range(len(named))]
    frame = frame.set_axis(
        ["row_id" if old == nameless[0] and i == 0 else old for i, old in enumerate(named)], axis=1
    )
    empty = [c for c in frame.columns if c in nameless and frame[c].isna().all()]
    frame = frame.drop(columns=empty).dropna(how="all").reset_index(drop=True)
    if frame.empty:
        raise DataError(
            f"{name} has no rows below its names {list(frame.columns)}; a first row of names and "
            "one row for each observation are needed"
        )
    text = [c for c in frame if pd.api.types.is_string_dtype(frame[c].dtype)]
    frame = frame.astype(dict.fromkeys(text, object))
    frame.attrs = {"labels": labels}
    return frame


# --- text ---


def _read_text(file: Path, _sheet: str | int) -> pd.DataFrame:
    text = _decoded(file.read_bytes())
    if not text.strip():
        raise DataError(f"{file.name} is empty; save it once more with a row of names and the data")
    separator = _separator(text)
    options: dict[str, Any] = {"sep": separator, "skipinitialspace": True}
    frame = pd.read_csv(StringIO(text), **options)
    return pd.read_csv(StringIO(text), decimal=",", **options) if _commas(frame) else frame


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _separator(text: str) -> str:
    """The sign that cuts the first lines into the same number of cells, the most of them."""
    lines = [line for line in text.splitlines() if line.strip()][:20]
    best, most = ",", 1
    for sign in SEPARATORS:
        cells = [len(row) for row in csv.reader(lines, delimiter=sign)]
        if min(cells) == max(cells) and min(cells) > most:
            best, most = sign, min(cells)
    return best


def _commas(frame: pd.DataFrame) -> bool:
    """Whether numbers are written with a comma: then some column is text for it alone."""
    for column in frame:
        values = frame[column].dropna()
        if pd.api.types.is_numeric_dtype(values) or not len(values):
            continue
        texts = values.astype(str).str.strip()
        if texts.str.fullmatch(r"-?\d+(,\d+)?").all() and texts.str.contains(_WITH_COMMA).any():
            return not any(pd.api.types.is_float_dtype(frame[c].dropna()) and
                           (frame[c].dropna() % 1 != 0).any() for c in frame)  # fmt: skip
    return False


# --- programs ---


def _read_excel(file: Path, sheet: str | int) -> pd.DataFrame:
    with pd.ExcelFile(file, engine="openpyxl") as book:
        names = [str(name) for name in book.sheet_names]
        known = sheet in names if isinstance(sheet, str) else 0 <= sheet < len(names)
        if not known:
            raise DataError(f"{file.name} has the sheets {names}; {sheet!r} was given")
        return pd.read_excel(book, sheet_name=sheet)


def _read_stata(file: Path, _sheet: str | int) -> pd.DataFrame:
    import pyreadstat

    return _labelled(*pyreadstat.read_dta(str(file)))


def _read_spss(file: Path, _sheet: str | int) -> pd.DataFrame:
    import pyreadstat

    one = pyreadstat.read_por if file.suffix.lower() == ".por" else pyreadstat.read_sav
    return _labelled(*one(str(file)))


def _labelled(frame: pd.DataFrame, about: Any) -> pd.DataFrame:
    """Columns in which every value has a label, as categories in the order of the values."""
    frame = pd.DataFrame(frame)
    for column, known in about.variable_value_labels.items():
        values = frame[column]
        labels = _apart({value: str(label) for value, label in known.items()})
        if labels and set(values.dropna().unique()) <= set(labels):
            order = [labels[value] for value in sorted(labels)]
            frame[column] = pd.Categorical(values.map(labels), categories=order)
    said = about.column_names_to_labels
    frame.attrs = {"labels": {name: text for name, text in said.items() if text}}
    return frame


def _apart(labels: dict[Any, str]) -> dict[Any, str]:
    """Labels that two values share get the value behind them."""
    texts = list(labels.values())
    return {v: text if texts.count(text) == 1 else f"{text} ({v:g})" for v, text in labels.items()}


_KINDS: dict[str, tuple[str, str, Callable[[Path, str | int], pd.DataFrame]]] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), ("text", "", _read_text)),
    **dict.fromkeys((".xlsx", ".xlsm"), ("Excel", "openpyxl", _read_excel)),
    ".dta": ("Stata", "pyreadstat", _read_stata),
    **dict.fromkeys((".sav", ".zsav", ".por"), ("SPSS", "pyreadstat", _read_spss)),
}
ENDINGS = tuple(_KINDS)
