"""The levels of a factor, and which values mean the same level.

A level 4 comes back as 4.0 from a column that once had holes, as "4" from a file, as a category
of either; a date comes back as text. New values are compared with the levels of a fit by what
they mean:

- numbers by their value, also where they come as text ("4", "4.0");
- booleans with 0 and 1, and with the text "True" or "TRUE";
- dates, times and periods by their date and time, also as text;
- anything else by its text.

Values that cannot mean a level of the other type, such as a number beside dates, are refused.
"""

import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Index
from hierwidgets.errors import DataError, NewLevelError

from .frames import show

__all__ = ["as_levels", "kind", "label", "level_codes", "of_factor"]

_KINDS = {
    "boolean": "booleans",
    "string": "text",
    "integer": "numbers", "floating": "numbers", "mixed-integer-float": "numbers",
    "decimal": "numbers",
    "date": "dates", "datetime": "dates", "datetime64": "dates", "period": "dates",
    "time": "times", "timedelta": "times", "timedelta64": "times",
}  # fmt: skip


def kind(values: Any) -> str:
    """What values are, in words: "booleans", "numbers", "text", "dates", "times" or "values"."""
    if isinstance(getattr(values, "dtype", None), pd.CategoricalDtype):
        values = values.dtype.categories
    return _KINDS.get(pd.api.types.infer_dtype(values, skipna=True), "values")


def label(value: Any) -> str:
    """A value as text, one for each level: 4 and 4.0 are the same, a date and its midnight too."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime | np.datetime64):
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    return str(value)


def of_factor(values: pd.Series) -> tuple[Index, NDArray[Any]]:
    """Codes and levels: categories in their order, anything else sorted."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        codes = values.cat.codes.to_numpy().astype(np.intp)
        return codes, np.asarray(values.cat.categories, dtype=object)
    try:
        codes, levels = pd.factorize(values, sort=True)
    except TypeError:
        raise DataError(
            f"the values of {values.name!r} cannot be sorted into levels; make them text"
        ) from None
    return codes.astype(np.intp, copy=False), np.asarray(levels, dtype=object)


def level_codes(values: pd.Series, levels: Any) -> Index:
    """Which of `levels` each value means, -1 where none.

    Raises
    ------
    DataError
        Values of a type that cannot be compared with that of the levels.

    Examples
    --------
    >>> level_codes(pd.Series(["2", "1.0", "new"]), np.array([1, 2, 3], dtype=object))
    array([ 1,  0, -1])
    """
    codes, distinct = pd.factorize(values.to_numpy(dtype=object))
    known = np.asarray(levels, dtype=object)
    return np.asarray(_positions(distinct, known, str(values.name))[codes], np.intp)


def as_levels(values: pd.Series, levels: Any) -> pd.Series:
    """`values` written as the levels they mean; unchanged where they are those.

    Raises
    ------
    NewLevelError
        A value means none of them.
    """
    known = np.asarray(list(levels), dtype=object)
    codes = level_codes(values, known)
    if (codes < 0).any():
        new = dict.fromkeys(label(v) for v in values[codes < 0])
        raise NewLevelError(
            f"column {values.name!r} holds the level {show(new)}, which the fit has not seen; it "
            f"knows {show(known)}"
        )
    if kind(values) == kind(known) not in ("booleans", "dates"):
        return values
    return pd.Series(known[codes], index=values.index, name=values.name).infer_objects()


def _positions(distinct: NDArray[Any], levels: NDArray[Any], name: str) -> Index:
    given, fitted = kind(distinct), kind(levels)
    if given == fitted != "dates" or len(distinct) == 0:
        return pd.Index(levels).get_indexer(pd.Index(distinct))
    if {given, fitted} == {"text", "numbers"}:
        return _text_and_numbers(distinct, levels, name)
    if "text" in (given, fitted) or "values" in (given, fitted) or given == fitted:
        return _by_text(distinct, levels)
    zero_or_one = fitted == "booleans" or all(level in (0, 1) for level in levels)
    if {given, fitted} == {"booleans", "numbers"} and zero_or_one:
        return pd.Index(levels.astype(float)).get_indexer(pd.Index(distinct.astype(float)))
    raise _incomparable(distinct[0], given, levels[0], fitted, name)


def _incomparable(value: Any, given: str, level: Any, fitted: str, name: str) -> DataError:
    return DataError(
        f"{name!r} holds {given} such as {label(value)!r} in newdata and {fitted} such as "
        f"{label(level)!r} in the data of the fit: which are the same cannot be told; convert one"
    )


def _text_and_numbers(distinct: NDArray[Any], levels: NDArray[Any], name: str) -> Index:
    """Text as the number it spells; a number beside text levels by the way it is written."""
    known = pd.to_numeric(pd.Series(levels), errors="coerce")
    numbers = pd.to_numeric(pd.Series(distinct), errors="coerce")
    if kind(levels) == "numbers":
        return pd.Index(known).get_indexer(pd.Index(numbers.where(np.isfinite(numbers))))
    found = _by_text(distinct, levels)
    odd = np.flatnonzero((found < 0) & numbers.isin(known.dropna()).to_numpy())
    if odd.size:  # the level "01" and the number 1
        level = levels[int(np.argmax(known == numbers[odd[0]]))]
        raise _incomparable(distinct[odd[0]], "numbers", level, "text", name)
    return found


def _by_text(distinct: NDArray[Any], levels: NDArray[Any]) -> Index:
    """Matches of labels; text beside booleans in any case, beside dates as the date it spells."""
    what = {kind(distinct), kind(levels)}
    known, given = ([label(v) for v in values] for values in (levels, distinct))
    if "booleans" in what:
        known, given = [v.casefold() for v in known], [v.casefold() for v in given]
    if "dates" in what:
        known, given = [_date(v) for v in known], [_date(v) for v in given]
    index = pd.Index(known, dtype=object)
    if not index.is_unique:  # levels that differ in case alone, or are two spellings of a date
        known, given = list(map(label, levels)), list(map(label, distinct))
    index = pd.Index(known, dtype=object)
    return np.asarray(index.get_indexer(pd.Index(given, dtype=object)), np.intp)


def _date(text: str) -> str:
    """A date in one spelling; other text, and a period such as 2020Q1, as it is."""
    if len(text) < 8:
        return text
    try:
        return label(pd.Timestamp(text))
    except (ValueError, OverflowError):
        return text
