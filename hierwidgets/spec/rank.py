"""Fixed columns that others determine: refused in words, or left out on request, as lme4 does.

The usual cause is an empty cell: no row has these levels of two factors that ``a*b`` crosses.
"""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FormulaError

from .columns import Columns, LeftOut

__all__ = ["check_rank", "full_rank"]

_WEAK = 1e-9  # of a column's length, outside the span of those before it


def full_rank(
    fixed: Columns, X: Array, frame: pd.DataFrame, collinear: str
) -> tuple[Columns, Array]:
    """Columns that can be told apart, and their matrix.

    Parameters
    ----------
    fixed, X :
        The recipe, and its (n, p) matrix.
    frame :
        The data, to name empty cells.
    collinear :
        "raise", or "drop" to leave out each column that those before it determine.

    Raises
    ------
    FormulaError
        Columns are collinear, and are not to be left out.
    """
    if collinear not in ("raise", "drop"):
        raise DataError(f"collinear={collinear!r} is not known; choose 'raise' or 'drop'")
    if collinear == "drop" and (out := _determined(X)):
        kept = [i for i in range(X.shape[1]) if i not in out]
        combination = np.asarray(
            np.linalg.lstsq(X[:, kept], X[:, out], rcond=None)[0], dtype=np.float64
        )
        names = tuple(fixed.names[i] for i in out)
        left_out = LeftOut(names, tuple(kept), tuple(out), combination)
        fixed = replace(fixed, names=tuple(fixed.names[i] for i in kept), left_out=left_out)
        X = X[:, kept]
    try:
        check_rank(X, fixed.names)
    except FormulaError:
        if told := _empty_cell(fixed, frame):
            raise FormulaError(told) from None
        raise
    return fixed, X


def check_rank(X: Array, names: tuple[str, ...]) -> None:
    """Refuse fixed columns that others determine, and say which."""
    if X.shape[1] == 0:
        return
    drop = "leave it out, or pass collinear='drop' to have such columns left out"
    if (zero := ~X.any(axis=0)).any():
        raise FormulaError(
            f"the predictor {names[int(np.argmax(zero))]!r} is 0 in every row; {drop}"
        )
    if out := _determined(X, most=1):
        if X.shape[1] > X.shape[0] and out[0] >= X.shape[0]:
            raise FormulaError(f"{X.shape[1]} coefficients cannot be told apart by {len(X)} rows")
        raise FormulaError(
            f"the predictor {names[out[0]]!r} is constant or a combination of the others; {drop} "
            f"(columns: {list(names)})"
        )


def _determined(X: Array, most: int | None = None) -> list[int]:
    """The columns within the span of those before them, at most so many of them."""
    out: list[int] = []
    kept = list(range(X.shape[1]))
    length = np.linalg.norm(X, axis=0)
    scaled = X / np.where(length > 0, length, 1.0)
    while kept and (most is None or len(out) < most):
        R = np.linalg.qr(scaled[:, kept], mode="r")
        inside = np.abs(np.diag(R)) < _WEAK
        weak = [*np.flatnonzero(inside), *range(len(R), len(kept))]
        if not weak:
            break
        out.append(kept.pop(int(weak[0])))
    return out


def _empty_cell(fixed: Columns, frame: pd.DataFrame) -> str:
    """What to do about factors that are crossed and have a cell without rows; "" if none has."""
    spec = fixed.spec
    for term in [] if spec is None else spec.terms:
        crossed = [c for c in map(_column, term.factors) if c in fixed.seen]
        if len(crossed) > 1 and (cell := _first_empty(frame[crossed])):
            where = " and ".join(f"{c} = {v!r}" for c, v in zip(crossed, cell, strict=True))
            one = " + ':' + ".join(f"data[{c!r}].astype(str)" for c in crossed)
            name = "_".join(crossed)
            return (
                f"no row has {where}: that cell of {':'.join(crossed)!r} is empty, so its "
                "coefficient cannot be told. Make one factor of the cells there are, "
                f"data[{name!r}] = {one}, and write {name} in place of {' * '.join(crossed)}; or "
                "pass collinear='drop' to leave such columns out, as lme4 does"
            )
    return ""


def _column(factor: Any) -> str:
    """The data column of a factor such as ``a`` or ``C(a)``; "" for any other."""
    text = str(factor.expr)
    inner = text.removeprefix("C(").removesuffix(")").partition(",")[0]
    return (inner if text.startswith("C(") else text).strip("` ")


def _first_empty(values: pd.DataFrame) -> tuple[Any, ...]:
    """The first combination of levels without a row; () if there is none."""
    have = set(values.drop_duplicates().itertuples(index=False, name=None))
    levels = [sorted(values[c].unique(), key=str) for c in values]
    if np.prod([len(each) for each in levels]) > 1e6:
        return ()
    return next((cell for cell in product(*levels) if cell not in have), ())
