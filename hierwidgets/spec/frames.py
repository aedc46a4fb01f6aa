"""Data frames as models need them: checked, complete, with a numeric response.

Nothing here changes the frame it is given.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FormulaError

from .families import Family
from .formula import Formula
from .habits import about_column

__all__ = [
    "as_frame",
    "check_missing",
    "check_weights",
    "in_order",
    "indicator",
    "numeric",
    "prepare",
    "response",
    "select",
    "show",
    "tried",
]

_LARGEST = 1e100  # its square, times many rows, can still be computed with


def indicator(values: pd.Series, event: object | None = None) -> Array:
    """A two-valued response as 0 and 1, (n,) float.

    Parameters
    ----------
    values :
        0/1 or booleans; or text or categories of two levels, with `event` given.
    event :
        The level that counts as 1.

    Raises
    ------
    DataError
        For missing values, more than two levels, or an event level that is not there.

    Examples
    --------
    >>> indicator(pd.Series(["yes", "no", "yes"]), event="yes")
    array([1., 0., 1.])
    """
    name = values.name if values.name is not None else "the response"
    if values.isna().any():
        raise DataError(f"{name!r} has {int(values.isna().sum())} missing values; drop them first")
    if values.dtype == object:
        values = values.infer_objects()  # 0/1 and booleans that once stood beside a None
    if event is None and (
        pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values)
    ):
        result = numeric(values, str(name))
        if not np.isin(result, (0.0, 1.0)).all():
            raise DataError(
                f"{name!r} holds {show(pd.unique(values))}, but a binomial response is 0 or 1; "
                f"name the event with event=..., or write p(successes, trials) ~ ..."
            )
        return result
    levels = list(pd.unique(values))
    if len(levels) > 2:
        raise DataError(f"{name!r} has the {len(levels)} levels {show(levels)}; make it two")
    if event is None:
        raise DataError(
            f"{name!r} has the levels {show(levels)}; say which one counts as 1, "
            f"for example event={levels[-1]!r}"
        )
    known = levels
    if isinstance(values.dtype, pd.CategoricalDtype):
        known = list(dict.fromkeys([*levels, *values.cat.categories]))
    if event not in known:
        raise DataError(f"event={event!r} is not a level of {name!r}; its levels are {show(known)}")
    return np.asarray(values == event, dtype=np.float64)


def show(values: Any, most: int = 6) -> str:
    listed = sorted(map(str, values))
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(repr(v) for v in listed[:most]) + more


def as_frame(data: Any) -> pd.DataFrame:
    """`data` as a pandas frame; polars and other frames that can become one are taken too."""
    if isinstance(data, pd.DataFrame):
        return data
    if hasattr(data, "to_pandas"):
        try:
            frame = data.to_pandas()
        except ImportError:  # polars' way leads through pyarrow, which need not be there
            frame = pd.DataFrame(data.to_dict(as_series=False))
        if isinstance(frame, pd.DataFrame):
            return frame
    if isinstance(data, Mapping):
        try:
            return pd.DataFrame(data)
        except ValueError as error:
            raise DataError(f"data cannot become a data frame: {error}") from None
    raise DataError(f"data must be a data frame; a {type(data).__name__} was given")


def select(data: Any, columns: Sequence[str], groups: Sequence[str] = ()) -> pd.DataFrame:
    data = as_frame(data)
    have = list(data.columns)
    for column in columns:
        if column not in have:
            what = "grouping factor" if column in groups else "column"
            meant = about_column(column, have)
            raise FormulaError(
                f"{what} {column!r} is not in the data{meant}; its columns are {have[:30]}"
            )
        if have.count(column) > 1:
            raise DataError(f"the data have {have.count(column)} columns named {column!r}")
    if len(data) == 0:
        raise DataError("the data have no rows; a model needs some")
    chosen: pd.DataFrame = data[list(columns)].copy()
    for name, dtype in chosen.dtypes.items():
        if pd.api.types.is_complex_dtype(dtype):
            raise DataError(f"column {name!r} is complex; give real numbers")
        if hasattr(dtype, "pyarrow_dtype"):
            chosen[name] = _without_arrow(chosen[name])
    return chosen


def _without_arrow(values: pd.Series) -> pd.Series:
    """Arrow's dictionaries as categories and its decimals as floats: pandas' own can be computed
    with."""
    stored = str(getattr(values.dtype, "pyarrow_dtype", ""))
    if stored.startswith("dictionary"):
        return values.astype("category")
    if stored.startswith("decimal"):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return pd.Series(numbers, index=values.index, name=values.name)
    return values


def prepare(
    formula: Formula, data: Any, weights: Any, offset: Any, missing: str
) -> tuple[pd.DataFrame, dict[str, Array]]:
    """The columns in use without missing values, with weights and offset beside them."""
    if missing not in ("raise", "drop"):
        raise DataError(f"missing={missing!r} is not known; choose 'raise' or 'drop'")
    columns = [
        formula.response,
        *([formula.trials] if isinstance(formula.trials, str) else []),
        *formula.columns,
    ]
    given = {"weights": weights, "offset": offset}
    columns += [v for v in given.values() if isinstance(v, str)]
    groups = [name for bar in formula.bars for name in bar.factors]
    frame = select(data, list(dict.fromkeys(columns)), groups)
    arrays = {
        name: _beside(value, name, frame.index)
        for name, value in given.items()
        if value is not None and not isinstance(value, str)
    }
    keep = check_missing(frame.assign(**{f"{n} (given)": a for n, a in arrays.items()}), missing)
    if not keep.all():
        frame, arrays = frame[keep], {name: a[keep] for name, a in arrays.items()}
        if len(frame) == 0:
            raise DataError("every row has a missing value; none is left to fit")
    _check_infinite(frame)
    for name, value in given.items():
        if isinstance(value, str):
            arrays[name] = numeric(frame[value], name)
    return frame, arrays


def in_order(values: Any, index: pd.Index, name: str, whose: str = "the data") -> Any:
    """`values` in the order of `index`: a Series by its own index, anything else by position.

    Raises
    ------
    DataError
        The index of a Series is another.
    """
    if not isinstance(values, pd.Series) or values.index.equals(index):
        return values
    if len(values) == len(index) and values.index.is_unique and index.is_unique:
        aligned = values.reindex(index)
        if index.isin(values.index).all():
            return aligned
    raise DataError(
        f"{name} is a Series with another index ({_ends(values.index)}) than {whose} "
        f"({_ends(index)}), so which value belongs to which row cannot be told; give it the same "
        f"index, or {name}.to_numpy() to go by position"
    )


def _ends(index: pd.Index) -> str:
    if len(index) == 0:
        return "no rows"
    return f"{len(index)} rows from {index[0]!r} to {index[-1]!r}"


def _beside(value: Any, name: str, index: pd.Index) -> Array:
    n = len(index)
    value = in_order(value, index, name)
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be a column name or {n} numbers") from None
    if array.shape != (n,):
        raise DataError(f"{name} has shape {array.shape}, but the data have {n} rows")
    if np.isinf(array).any():
        raise DataError(f"{name} has infinite values")
    _check_range(array[~np.isnan(array)], name)
    return array


def check_missing(frame: pd.DataFrame, missing: str, new: bool = False) -> NDArray[np.bool_]:
    holes = frame.isna()
    keep: NDArray[np.bool_] = np.asarray(~holes.to_numpy().any(axis=1))
    if not keep.all() and missing == "raise":
        counts = {str(c): int(k) for c, k in holes.sum().items() if k}
        also = ", or pass missing='drop' to drop and count those rows"
        if new:
            also = "; predict passes them through with missing='keep'"
        where = " of newdata" if new else ""
        raise DataError(
            f"missing values in {len(keep) - int(keep.sum())} of {len(keep)} rows{where}, by "
            f"column: {counts}; remove them{also}"
        )
    return keep


def tried(
    formula: Formula, frame: pd.DataFrame, arrays: dict[str, Array]
) -> tuple[pd.DataFrame, dict[str, Array]]:
    """The rows that have trials: no successes out of none say nothing, and are left out."""
    if not isinstance(formula.trials, str):
        return frame, arrays
    zero = (frame[[formula.response, formula.trials]] == 0).to_numpy(dtype=bool)
    empty: NDArray[np.bool_] = np.asarray(zero.all(axis=1))
    if not empty.any():
        return frame, arrays
    if empty.all():
        raise DataError(f"{formula.trials!r} is 0 in every row; there is nothing to fit")
    return frame[~empty], {name: a[~empty] for name, a in arrays.items()}


def _check_infinite(frame: pd.DataFrame) -> None:
    for column in frame.columns:
        if pd.api.types.is_float_dtype(frame[column].dtype):
            infinite = int(np.isinf(frame[column].to_numpy(dtype=np.float64)).sum())
            if infinite:
                raise DataError(f"column {column!r} has {infinite} infinite values")
        if pd.api.types.is_numeric_dtype(frame[column].dtype):
            _check_range(frame[column].to_numpy(dtype=np.float64), f"column {column!r}")


def _check_range(values: Array, name: str) -> None:
    """Refuse numbers whose squares are out of the range of floating point."""
    reach = float(np.abs(values).max(initial=0.0))
    if reach > _LARGEST or 0 < reach < 1 / _LARGEST:
        raise DataError(
            f"values of the size {reach:.3g} in {name} cannot be computed with; rescale them"
        )


def check_weights(w: Array) -> None:
    if (w < 0).any() or not (w > 0).any():
        raise DataError("weights must be 0 or larger, and some of them larger than 0")


def numeric(values: pd.Series, name: str) -> Array:
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
        raise DataError(f"{name} must be numbers, but {values.name!r} is {values.dtype}")
    if pd.api.types.is_complex_dtype(values):
        raise DataError(f"{name} must be real numbers, but {values.name!r} is complex")
    return np.asarray(values, dtype=np.float64)


def response(
    frame: pd.DataFrame, formula: Formula, family: Family, event: object | None
) -> tuple[Array, Array]:
    """Outcomes and trials of each observation."""
    values = frame[formula.response]
    if formula.trials is not None:
        if family.name != "binomial":
            raise FormulaError(f"p(successes, trials) is for binomial models, not {family.name}")
        if event is not None:
            raise DataError(
                f"event={event!r} is for a response of two levels; p(successes, trials) has none"
            )
        if isinstance(formula.trials, int):
            trials = pd.Series(formula.trials, index=frame.index, name=formula.trials)
        else:
            trials = frame[formula.trials]
        return _successes(values, trials)
    if family.name == "binomial":
        y = indicator(values, event)
    else:
        if event is not None:
            raise DataError(f"event={event!r} is for binomial models, not {family.name}")
        y = numeric(values, "the response")
    if family.name == "poisson" and ((y < 0).any() or (y != np.floor(y)).any()):
        raise DataError(f"{formula.response!r} must hold counts: whole numbers, 0 or larger")
    return y, np.ones(len(y))


def _successes(successes: pd.Series, trials: pd.Series) -> tuple[Array, Array]:
    y, n = numeric(successes, "successes"), numeric(trials, "trials")
    if (y != np.floor(y)).any() or (n != np.floor(n)).any():
        raise DataError(f"p({successes.name}, {trials.name}) needs whole numbers")
    wrong = np.flatnonzero((y < 0) | (y > n))
    if wrong.size:
        i = wrong[0]
        raise DataError(
            f"p({successes.name}, {trials.name}) needs 0 <= successes <= trials; {wrong.size} rows "
            f"have others, the first {y[i]:g} of {n[i]:g}"
        )
    return y, n
