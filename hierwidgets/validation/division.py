"""Which rows are held out together: folds made by chance, or as given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, Index
from hierwidgets.base.checks import check_whole
from hierwidgets.errors import DataError
from hierwidgets.spec.frames import in_order, numeric

__all__ = ["Division", "divide", "row_weights"]


@dataclass(frozen=True, slots=True)
class Division:
    """A division of the rows.

    Attributes
    ----------
    unit, fold : (n,) int
        Of each row: the unit of the standard errors, and the fold.
    labels : tuple
        What the folds are called: 1, 2 and so on, or as they were given.
    what : str
        In words, such as "5 folds of rows".
    """

    unit: Index
    fold: Index
    labels: tuple[Any, ...]
    what: str


def divide(
    frame: pd.DataFrame,
    folds: "int | str | Sequence[Any] | pd.Series[Any]",
    by: str | None,
    rng: np.random.Generator,
    cluster: str | None = None,
) -> Division:
    """The folds asked for: a number of them, a column, or one label for each row."""
    if cluster is None:
        return _division(frame, folds, by, rng)
    unit = _units(frame, cluster, "cluster")
    if len(set(unit.tolist())) < 2:
        raise DataError(f"cluster={cluster!r} has one level; standard errors need two or more")
    found = _division(frame, folds, by, rng)
    return replace(found, unit=unit, what=f"{found.what}, errors by {cluster}")


def _division(
    frame: pd.DataFrame,
    folds: "int | str | Sequence[Any] | pd.Series[Any]",
    by: str | None,
    rng: np.random.Generator,
) -> Division:
    unit = _units(frame, by, "by")
    if isinstance(folds, str) or (np.ndim(folds) > 0 and not isinstance(folds, dict)):
        return _given(frame, folds, by, unit)
    n = int(np.max(unit)) + 1
    what = "row" if by is None else f"level of {by!r}"
    K = check_whole(folds, "folds", 2, n, f"folds, at most one for each {what},")
    of_unit = np.empty(n, np.intp)
    of_unit[rng.permutation(n)] = np.arange(n) % K
    units = "rows" if by is None else f"levels of {by}"
    return Division(unit, of_unit[unit], tuple(range(1, K + 1)), f"{K} folds of {units}")


def _units(frame: pd.DataFrame, by: str | None, name: str) -> Index:
    if by is None:
        return np.arange(len(frame), dtype=np.intp)
    if by not in frame.columns:
        raise DataError(f"{name}={by!r} is not a column; columns are {list(frame.columns)}")
    if frame[by].isna().any():
        raise DataError(f"{name}={by!r} has {int(frame[by].isna().sum())} missing values")
    return pd.factorize(frame[by])[0].astype(np.intp)


def _given(frame: pd.DataFrame, folds: Any, by: str | None, unit: Index) -> Division:
    values, name = _beside(frame, folds, "folds")
    labels = pd.Series(values)
    if labels.isna().any():
        raise DataError(
            f"{name} has {int(labels.isna().sum())} missing labels; each row needs a fold"
        )
    if pd.api.types.infer_dtype(labels).startswith("mixed"):
        raise DataError(f"{name} has labels of several kinds; give all as numbers or all as text")
    fold, levels = pd.factorize(labels, sort=True)
    found = tuple(pd.Index(levels).tolist())
    if len(found) == 1:
        raise DataError(f"{name} puts every row into one fold, {found[0]!r}; none is left to fit")
    if by is not None:
        parts = pd.Series(fold).groupby(unit).nunique()
        if (parts > 1).any():
            raise DataError(
                f"{name} spreads {int((parts > 1).sum())} levels of {by!r} over several folds; "
                "leave out by=, or keep each level in one fold"
            )
    return Division(unit, fold.astype(np.intp), found, f"{len(found)} folds as given")


def row_weights(frame: pd.DataFrame, weights: Any) -> Array | None:
    """Prior weights of the rows, by column name or one for each row."""
    if weights is None:
        return None
    values, name = _beside(frame, weights, "weights")
    w = numeric(pd.Series(values, name=name), "weights")
    if not (np.isfinite(w).all() and (w > 0).all()):
        raise DataError(
            f"{name} must be larger than 0 in every row; leave rows without weight out of the data"
        )
    return w


def _beside(frame: pd.DataFrame, given: Any, name: str) -> tuple[Any, str]:
    """One value for each row, and how to call them."""
    if isinstance(given, str):
        if given not in frame.columns:
            raise DataError(f"{name}={given!r} is not a column; columns are {list(frame.columns)}")
        return frame[given].array, f"{name}={given!r}"
    values = in_order(given, frame.index, name)
    if np.ndim(values) != 1 or len(values) != len(frame):
        raise DataError(
            f"{name} has shape {np.shape(values)}, but the data have {len(frame)} rows; give one "
            "value for each row, or a column name"
        )
    return (values.array if isinstance(values, pd.Series) else values), name
