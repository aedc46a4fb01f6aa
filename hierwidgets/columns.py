"""Model columns: the bar-free parts of a formula, through formulaic."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import DataError, FormulaError, NewLevelError
from .formula import FUNCTIONS, Bar, Formula
from .frames import numeric, show

if TYPE_CHECKING:
    from formulaic import ModelSpec

__all__ = ["Columns", "check_rank", "matrices", "variables"]

Array = NDArray[np.float64]

_CONTEXT: dict[str, Any] = {
    name: getattr(np, name) for name in ("abs", "sqrt", "sin", "cos", "tan") if name in FUNCTIONS
} | {"I": lambda x: x}


@dataclass(frozen=True, slots=True)
class Columns:
    """A formulaic recipe for model columns, with the levels it has seen.

    Attributes
    ----------
    spec :
        The encoder's state, or None for a lone intercept.
    names :
        Column names, such as "Intercept" and "electoral_rules[T.SMD]".
    seen :
        The levels of each text or categorical column in use.
    """

    spec: "ModelSpec | None"
    names: tuple[str, ...]
    seen: Mapping[str, frozenset[Any]]

    def matrix(self, data: pd.DataFrame) -> Array:
        """The (n, k) matrix of these columns for `data`."""
        if self.spec is None:
            return np.ones((len(data), 1))
        for column, levels in self.seen.items():
            new = set(data[column].unique()) - levels
            if new:
                raise NewLevelError(
                    f"column {column!r} holds the level {show(new)}, which the fit has not "
                    f"seen; it knows {show(levels)}"
                )
        for column in variables(self) - set(self.seen):
            numeric(data[column], f"{column!r} in the new data")
        matrix = _encode(self.spec, data)
        values = np.ascontiguousarray(matrix, dtype=np.float64)
        _check_finite(values, self.names)
        return values


def _encode(spec: "ModelSpec", data: pd.DataFrame) -> Any:
    """formulaic's matrix; its warning about an unseen level of ``C(x)`` is an error here."""
    from formulaic.errors import DataMismatchWarning

    with warnings.catch_warnings(), np.errstate(all="ignore"):  # _check_finite sees to the rest
        warnings.simplefilter("error", DataMismatchWarning)
        try:
            return spec.get_model_matrix(data, context=_CONTEXT, na_action="ignore")
        except DataMismatchWarning as warning:
            new = str(warning).partition("{")[2].partition("}")[0]
            raise NewLevelError(f"the new data hold a level the fit has not seen: {new}") from None


def variables(columns: Columns) -> set[str]:
    if columns.spec is None:
        return set()
    return {str(v) for v in columns.spec.required_variables} - FUNCTIONS - {"np", "contr"}


def _columns(part: str, frame: pd.DataFrame) -> tuple[Columns, Array]:
    """The recipe of a bar-free formula part, and its (n, k) matrix."""
    if part == "1":
        return Columns(None, ("Intercept",), {}), np.ones((len(frame), 1))
    from formulaic import Formula as Recipe

    try:
        with np.errstate(all="ignore"):
            matrix = Recipe(part).get_model_matrix(frame, context=_CONTEXT, na_action="ignore")
    except Exception as error:  # formulaic wraps whatever a transform raises
        why = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
        raise FormulaError(
            f"the terms {part!r} cannot be computed from the data: {why[0]}"
        ) from None
    spec = matrix.model_spec
    seen = {
        str(v): frozenset(frame[v].unique())
        for v in spec.required_variables
        if v in frame.columns and not pd.api.types.is_numeric_dtype(frame[v].dtype)
    }
    for column, levels in seen.items():
        _check_levels(column, levels)
    values = np.ascontiguousarray(matrix, dtype=np.float64)
    names = tuple(map(str, spec.column_names))
    _check_finite(values, names)
    return Columns(spec, names, seen), values


def _check_levels(column: str, levels: frozenset[Any]) -> None:
    if len(levels) == 1:
        raise FormulaError(f"the predictor {column!r} is {show(levels)} in every row")
    odd = [v for v in levels if isinstance(v, Number) and not isinstance(v, (bool, np.bool_))]
    if odd:
        raise DataError(
            f"the predictor {column!r} holds numbers such as {odd[0]!r} but is no numeric column; "
            "make it one with pandas.to_numeric, or make it text"
        )


def _check_finite(values: Array, names: tuple[str, ...]) -> None:
    bad = [name for name, column in zip(names, values.T, strict=True)
           if not np.isfinite(column).all()]  # fmt: skip
    if bad:
        raise DataError(f"the model columns {bad} are not finite; check what they are made of")


def matrices(formula: Formula, frame: pd.DataFrame) -> dict[Bar | None, tuple[Columns, Array]]:
    """Recipe and matrix of the fixed part (key None) and of each bar."""
    parts: dict[Bar | None, str] = {None: formula.fixed} | {bar: bar.lhs for bar in formula.bars}
    made = {part: _columns(part, frame) for part in dict.fromkeys(parts.values())}
    return {bar: made[part] for bar, part in parts.items()}


def check_rank(X: Array, names: tuple[str, ...]) -> None:
    """Refuse fixed columns that others determine, and say which."""
    if X.shape[1] == 0:
        return
    scale = np.linalg.norm(X, axis=0)
    if (scale == 0).any():
        raise FormulaError(f"the predictor {names[int(np.argmin(scale))]!r} is 0 in every row")
    R = np.linalg.qr(X / scale, mode="r")
    weak = np.flatnonzero(np.abs(np.diag(R)) < 1e-9)
    if weak.size:
        raise FormulaError(
            f"the predictor {names[int(weak[0])]!r} is constant or a combination of the others; "
            f"leave it out (columns: {list(names)})"
        )
    if X.shape[1] > X.shape[0]:
        raise FormulaError(f"{X.shape[1]} coefficients cannot be told apart by {len(X)} rows")
