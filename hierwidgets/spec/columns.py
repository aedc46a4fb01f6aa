"""Model columns: the bar-free parts of a formula, through formulaic."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FormulaError, NewLevelError

from .expressions import FUNCTIONS
from .formula import Bar, Formula, coded, named
from .frames import numeric, show
from .levels import as_levels, kind
from .reading import as_written, stand_in, standing_in

if TYPE_CHECKING:
    from formulaic import ModelSpec

__all__ = ["Columns", "LeftOut", "matrices", "variables"]


_CONTEXT: dict[str, Any] = {
    name: getattr(np, name)
    for name in ("abs", "sqrt", "sin", "cos", "tan", "log1p", "expm1")
    if name in FUNCTIONS
} | {"I": lambda x: x}


_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Columns left out of a model because others determine them.

    Attributes
    ----------
    names : tuple of str
    kept, out : tuple of int
        Positions of the columns kept and of those left out, in the full matrix.
    combination : (kept, out) float
        What the columns left out are of those kept, in every row of the data.
    """

    names: tuple[str, ...]
    kept: tuple[int, ...]
    out: tuple[int, ...]
    combination: Array

    def reduce(self, values: Array) -> Array:
        """The columns kept of a full matrix (n, k), where the others are still determined."""
        kept, out = values[:, list(self.kept)], values[:, list(self.out)]
        size = np.abs(out) + np.abs(kept) @ np.abs(self.combination)
        odd = np.abs(out - kept @ self.combination) > _SAME * (1.0 + size)
        if odd.any():
            row, column = np.argwhere(odd)[0]
            raise DataError(
                f"row {row} of newdata asks for the coefficient of {self.names[column]!r}, which "
                "was left out of the fit because the data cannot tell it (collinear='drop'): such "
                "a row has no prediction; remove it"
            )
        return np.ascontiguousarray(kept)


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
        The levels of each text, boolean or categorical column in use, and of whatever is
        within ``C(...)``.
    needs :
        The data columns in use.
    left_out :
        Columns of the recipe that are not in the model, None where all are.
    booleans :
        Those of `seen` that are 0 and 1 in the matrix, and not columns of levels.
    """

    spec: "ModelSpec | None"
    names: tuple[str, ...]
    seen: Mapping[str, frozenset[Any]]
    needs: frozenset[str] = frozenset()
    left_out: LeftOut | None = None
    booleans: frozenset[str] = frozenset()

    def matrix(self, data: pd.DataFrame) -> Array:
        """The (n, k) matrix of these columns for `data`."""
        if self.spec is None:
            return np.ones((len(data), 1))
        data = data.copy(deep=False)
        for column, levels in self.seen.items():
            meant = as_levels(data[column], levels)
            if meant.dtype == bool and column not in self.booleans:
                meant = meant.astype(object)
            data[column] = meant
        for column in variables(self) - set(self.seen):
            data[column] = data[column].infer_objects()
            numeric(data[column], f"{column!r} in the new data")
        matrix = _encode(self.spec, _computable(data, self.needs, frozenset(self.seen)))
        values = np.ascontiguousarray(matrix, dtype=np.float64)
        if self.left_out is not None:
            values = self.left_out.reduce(values)
        _check_finite(values, self.names)
        return values


def _encode(spec: "ModelSpec", data: pd.DataFrame) -> Any:
    """formulaic's matrix; its warning about an unseen level of ``C(x)`` is an error here."""
    from formulaic.errors import DataMismatchWarning, FormulaicError

    with warnings.catch_warnings(), np.errstate(all="ignore"):  # _check_finite sees to the rest
        warnings.simplefilter("error", DataMismatchWarning)
        try:
            return spec.get_model_matrix(data, context=_CONTEXT, na_action="ignore")
        except DataMismatchWarning as warning:
            new = str(warning).partition("{")[2].partition("}")[0]
            raise NewLevelError(f"the new data hold a level the fit has not seen: {new}") from None
        except FormulaicError as error:
            raise DataError(
                f"the predictors cannot be computed from the new data: {_why(error)}"
            ) from None


def _why(error: Exception) -> str:
    lines = str(error.__cause__ or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _computable(data: pd.DataFrame, needs: frozenset[str], levels: frozenset[str]) -> pd.DataFrame:
    """The needed columns in dtypes that neither overflow nor hold levels that do not occur.

    Numbers become float64 (the square of 20 is -112 in int8), but for those whose `levels` are
    coded; text becomes objects. A column under a word of Python is there by its stand-in.
    """
    made = {c: _one_computable(data[c], c in levels) for c in sorted(needs)}
    return pd.DataFrame(made | {stand_in(c): made[c] for c in made}, index=data.index)


def _one_computable(values: pd.Series, levels: bool) -> pd.Series:
    types = pd.api.types
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.remove_unused_categories()
    if types.is_bool_dtype(values.dtype):
        return values.astype(bool)
    if types.is_numeric_dtype(values.dtype):
        return values if levels else values.astype(np.float64)
    return values.astype(object) if types.is_string_dtype(values.dtype) else values


def variables(columns: Columns) -> set[str]:
    """The data columns that a recipe needs."""
    return set(columns.needs)


def _columns(part: str, frame: pd.DataFrame) -> tuple[Columns, Array]:
    """The recipe of a bar-free formula part, and its (n, k) matrix."""
    if part == "1":
        return Columns(None, ("Intercept",), {}), np.ones((len(frame), 1))
    from formulaic import Formula as Recipe

    needs, levels = named(part), coded(part)
    _check_names(needs, levels, frame)
    data = _computable(frame, needs, levels)
    try:
        with np.errstate(all="ignore"):
            matrix = Recipe(standing_in(part)).get_model_matrix(
                data, context=_CONTEXT, na_action="ignore"
            )
        values = np.ascontiguousarray(matrix, dtype=np.float64)
    except Exception as error:  # formulaic wraps whatever a transform raises
        raise FormulaError(
            f"the terms {part!r} cannot be computed from the data: {_why(error)}"
        ) from None
    spec = matrix.model_spec
    seen = {
        c: frozenset(frame[c].unique())
        for c in sorted(needs)
        if c in levels or _is_factor(frame[c].dtype)
    }
    for column in seen:
        _check_levels(column, seen[column], column in levels)
    names = tuple(as_written(str(name), needs) for name in spec.column_names)
    _check_finite(values, names)
    booleans = frozenset(c for c in seen if data[c].dtype == bool)
    return Columns(spec, names, seen, needs, booleans=booleans), values


def _is_factor(dtype: Any) -> bool:
    types = pd.api.types
    return types.is_bool_dtype(dtype) or not types.is_numeric_dtype(dtype)


def _check_names(needs: frozenset[str], levels: frozenset[str], frame: pd.DataFrame) -> None:
    if "Intercept" in needs:
        raise FormulaError(
            "a predictor cannot be called 'Intercept', the name of the constant; rename the column"
        )
    for column in sorted(needs - levels):
        values = frame[column]
        if kind(values) in ("dates", "times") and not isinstance(values.dtype, pd.CategoricalDtype):
            of = "" if values.dtype.kind in "mM" else f" of {kind(values)}"
            raise FormulaError(
                f"the predictor {column!r} is {values.dtype}{of}: make a number of it first, such "
                f"as the years or days since a date, or write C({column}) for a level of each"
            )


def _check_levels(column: str, levels: frozenset[Any], asked: bool) -> None:
    if len(levels) == 1:
        raise FormulaError(f"the predictor {column!r} is {show(levels)} in every row")
    if asked:  # by C(column)
        return
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
