"""How an answer differs from what is expected, in words that do not give it away.

`mismatch` is the whole interface: None if the answer agrees, otherwise one or two sentences.
Numbers agree within an absolute tolerance, or, where that is asked for, if they are what is
expected, rounded to the decimals they are given with; Series and DataFrames label by label in any
order (309 is the label "309"), texts without regard to case and outer spaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["mismatch", "times_hundred"]


def mismatch(
    answer: object, expected: object, atol: float, *, rtol: float = 0.0, rounded: bool = False
) -> str | None:
    """What is wrong with `answer`, in words; None if it agrees with `expected`.

    Parameters
    ----------
    answer
        Whatever was given.
    expected
        A number, a text or a frozenset of accepted texts, an array or sequence, a Series or a
        DataFrame.
    atol, rtol
        Absolute tolerance of numbers, and relative to what is expected; the larger one holds.
    rounded
        Whether a number also agrees if it is the expected one rounded to its own decimals,
        if these are not too few.

    Examples
    --------
    >>> from hierwidgets.exercises.answers import mismatch
    >>> mismatch(0.43, 10 / 23, 1e-3, rounded=True) is None
    True
    >>> mismatch(0.4348, 10 / 23, 1e-3) is None
    True
    >>> mismatch("0.4", 10 / 23, 1e-3)
    'A single number is asked for, and this is a text.'
    """
    allowed = _Tolerance(atol, rtol, rounded)
    if isinstance(expected, str | frozenset):
        return _text(answer, expected)
    if isinstance(expected, pd.DataFrame):
        return _frame(answer, expected, allowed)
    if isinstance(expected, pd.Series):
        return _series(answer, expected, allowed)
    if isinstance(expected, Real):
        return _number(answer, float(expected), allowed)
    return _array(answer, np.asarray(expected, dtype=float), allowed)


@dataclass(frozen=True, slots=True)
class _Tolerance:
    atol: float
    rtol: float
    rounded: bool

    def wrong(
        self, values: NDArray[np.float64], expected: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Which of the values, of any shape, do not agree."""
        within = np.maximum(self.atol, self.rtol * np.abs(np.nan_to_num(expected)))
        if self.rounded:
            halves = [_half_unit(value) for value in values.ravel().tolist()]
            within = np.maximum(within, np.reshape(halves, values.shape))
        return ~np.isclose(values, expected, rtol=0, atol=within, equal_nan=True)


def _half_unit(value: float) -> float:
    """Half a unit of the last decimal of a number.

    It has two digits at least, so .4 stands for .40; from .02 on, two decimals are enough.
    """
    if value == 0 or not np.isfinite(value):
        return 0.0
    digits, _, power = repr(value).partition("e")
    decimals = len(digits.partition(".")[2].rstrip("0")) - int(power or 0)
    least = 2 if 0.02 <= abs(value) < 1 else 1 - int(np.floor(np.log10(abs(value))))
    return (0.5 + 1e-6) * float(10.0 ** -max(decimals, least, 0))


def times_hundred(expected: object) -> object:
    """The expected numbers as percentages, to recognise an answer given in percent.

    Examples
    --------
    >>> from hierwidgets.exercises.answers import times_hundred
    >>> times_hundred(0.25)
    25.0
    """
    if isinstance(expected, Real | pd.Series | pd.DataFrame):
        return expected * 100
    return np.asarray(expected, dtype=float) * 100


def _number(answer: object, expected: float, allowed: _Tolerance) -> str | None:
    if isinstance(answer, bool | np.bool_ | str) or not _is_numeric(answer):
        return f"A single number is asked for, and this is {_kind(answer)}."
    values = np.asarray(answer, dtype=float).ravel()
    if values.size != 1:
        return f"A single number is asked for, and these are {values.size} values."
    value = float(values[0])
    if np.isnan(value):
        return _NAN
    if not allowed.wrong(np.array([value]), np.array([expected])).any():
        return None
    return f"The number is too {'small' if value < expected else 'large'}."


def _text(answer: object, expected: str | frozenset[str]) -> str | None:
    accepted = {expected} if isinstance(expected, str) else expected
    if not isinstance(answer, str | int | np.integer) or isinstance(answer, bool):
        return f"A text is asked for, and this is {_kind(answer)}."
    if str(answer).strip().casefold() in {text.casefold() for text in accepted}:
        return None
    return f"It is not {str(answer).strip()[:40]!r}."


def _array(answer: object, expected: NDArray[np.float64], allowed: _Tolerance) -> str | None:
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if not _is_numeric(answer):
        return f"A list of {expected.size} numbers is asked for, and this is {_kind(answer)}."
    values = np.asarray(answer, dtype=float)
    if values.size != expected.size:
        return f"{expected.size} numbers are asked for, and this has {values.size}."
    wrong = allowed.wrong(values.ravel(), expected.ravel())
    if not wrong.any():
        return None
    if not allowed.wrong(np.sort(values.ravel()), np.sort(expected.ravel())).any():
        return "The values are right, their order is not."
    first = int(np.flatnonzero(wrong)[0])
    where = (
        f"the first is number {first + 1}{_side(values.ravel()[first], expected.ravel()[first])}"
    )
    return f"{int(wrong.sum())} of {wrong.size} numbers differ; {where}."


def _side(value: float, expected: float) -> str:
    """On which side of what is expected a wrong number lies."""
    if np.isnan(value) or np.isnan(expected):
        return ", NaN" if np.isnan(value) else ""
    return f", too {'small' if value < expected else 'large'}"


def _series(answer: object, expected: "pd.Series[float]", allowed: _Tolerance) -> str | None:
    if isinstance(answer, pd.DataFrame) and answer.shape[1] == 1:
        answer = answer.iloc[:, 0]
    if isinstance(answer, Mapping):
        answer = pd.Series(dict(answer))
    if not isinstance(answer, pd.Series):
        return _array(answer, np.asarray(expected, dtype=float), allowed)
    answer = answer.set_axis(_as_texts(answer.index, expected.index))
    problem = _labels(answer.index, expected.index)
    return problem or _values(answer, expected, allowed)


def _frame(answer: object, expected: pd.DataFrame, allowed: _Tolerance) -> str | None:
    if not isinstance(answer, pd.DataFrame):
        return f"A table (DataFrame) is asked for, and this is {_kind(answer)}."
    if expected.index.name in answer.columns:
        answer = answer.set_index(expected.index.name)
    absent = [column for column in expected.columns if column not in answer.columns]
    if absent:
        return f"The table has no column {absent[0]!r}; it has {[str(c) for c in answer.columns]}."
    answer = answer.set_axis(_as_texts(answer.index, expected.index))
    problem = _labels(answer.index, expected.index)
    if problem:
        return problem
    problems = ((c, _values(answer[c], expected[c], allowed)) for c in expected.columns)
    return next((f"In column {c!r}: {problem}" for c, problem in problems if problem), None)


def _as_texts(index: pd.Index, expected: pd.Index) -> pd.Index:
    """The labels as texts, if that makes them the labels expected."""
    texts = [str(label) for label in index]
    return pd.Index(texts, name=index.name) if set(texts) == set(expected) else index


def _labels(index: pd.Index, expected: pd.Index) -> str | None:
    if index.has_duplicates:
        return f"The label {index[index.duplicated()][0]!r} occurs more than once."
    absent = [label for label in expected if label not in index]
    extra = [label for label in index if label not in set(expected)]
    if absent:
        return f"{len(absent)} labels are missing, such as {str(absent[0])!r}."
    return f"{len(extra)} labels are too many, such as {str(extra[0])!r}." if extra else None


def _values(answer: pd.Series, expected: pd.Series, allowed: _Tolerance) -> str | None:
    """Two Series with the same labels, compared label by label."""
    given = pd.Series(list(answer), index=list(answer.index)).loc[list(expected.index)]
    numbers: tuple[NDArray[np.float64], ...] = ()
    if not pd.api.types.is_numeric_dtype(expected.dtype):
        wrong = given.to_numpy() != expected.to_numpy()
    elif not _is_numeric(given):
        return "numbers are asked for, and these are not."
    else:
        numbers = given.to_numpy(dtype=float), expected.to_numpy(dtype=float)
        wrong = allowed.wrong(*numbers)
    if not wrong.any():
        return None
    at = int(np.flatnonzero(wrong)[0])
    side = _side(numbers[0][at], numbers[1][at]) if numbers else ""
    first = f"the first is that of {str(expected.index[at])!r}{side}"
    return f"{int(wrong.sum())} of {wrong.size} values differ; {first}."


def _is_numeric(answer: object) -> bool:
    try:
        values = np.asarray(answer)
    except Exception:  # anything at all may be given as an answer
        return False
    if values.dtype.kind in "iuf" or (values.dtype.kind == "b" and values.ndim):
        return True  # a column of true and false counts as ones and zeros
    return values.dtype == object and all(
        isinstance(value, Real) and not isinstance(value, bool) for value in values.ravel()
    )


def _kind(answer: object) -> str:
    """What kind of thing an answer is, with the usual reason where there is one."""
    if callable(answer) and not isinstance(answer, type):
        return "a function; were the parentheses forgotten"
    kinds: list[tuple[type | tuple[type, ...], str]] = [
        (str, "a text"),
        ((bool, np.bool_), "true or false"),
        (pd.DataFrame, "a table"),
        (pd.Series, "a column with labels"),
        (np.ndarray, "an array"),
        ((list, tuple), "a list"),
        ((int, float, np.number), "a number"),
        (type(None), "nothing (None); a function without `return` gives that"),
    ]
    return next((w for kind, w in kinds if isinstance(answer, kind)), f"a {type(answer).__name__}")


_NAN = "The answer is NaN, not a number: some step divided 0 by 0 or met a missing value."
