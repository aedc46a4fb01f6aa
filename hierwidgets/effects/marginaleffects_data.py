"""The data of a fit as `marginaleffects` may see them: with their values, and never cast to.

`marginaleffects` brings new rows, and the levels it compares, to the types of the model's columns.
From whole numbers to categories, and back, polars casts by position: the prediction for district 1
would be that of the second one. The columns here say of their type that it differs from no other,
so that nothing is cast; what a value means is decided where `Fit.predict` decides it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.spec.design import Design
from hierwidgets.spec.frames import show

from . import contrasts as asked

__all__ = ["ModelData", "labelled", "model_data", "plain", "variable_types"]


class _AnyType:
    """A type that is not among any types, and differs from none."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__


_ANY = _AnyType()


class _Column(pl.Series):
    """A column to which nothing is cast."""

    @property
    def dtype(self) -> Any:
        return _ANY

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.to_frame().to_series().to_numpy(), dtype=dtype)


class ModelData(pl.DataFrame):
    """A frame of columns to which nothing is cast."""

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _Column._from_pyseries(found._s) if isinstance(found, pl.Series) else found


def model_data(design: Design, names: Sequence[str]) -> ModelData:
    """The data of a fit: numbers and booleans as such, all else as categories in level order."""
    columns = {}
    for name in names:
        column = design.data[name]
        labels = labelled(column)
        if labels:
            text = column.astype(object).map(str).to_list()
            columns[name] = pl.Series(text, dtype=pl.Enum(list(labels)))
        else:
            kind = bool if pd.api.types.is_bool_dtype(column) else None
            columns[name] = pl.Series(column.to_numpy(dtype=kind))
    return ModelData(columns)


def labelled(column: pd.Series) -> dict[str, Any]:
    """The levels of a column by their text, in order; none if its values stay as they are."""
    types = pd.api.types
    if types.is_numeric_dtype(column) or types.is_bool_dtype(column):
        return {}
    levels = asked.levels_of(column)
    found = {str(level): level for level in levels}
    if len(found) < len(levels):
        raise DataError(
            f"two levels of {column.name!r} read the same ({show(levels)}); make them text that "
            "differs and fit again"
        )
    return found


def variable_types(design: Design, names: Sequence[str]) -> dict[str, str]:
    """What `marginaleffects` calls the kinds of columns; "character" has levels."""
    return {name: _variable_type(design, name) for name in names}


def _variable_type(design: Design, name: str) -> str:
    column = design.data[name]
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if not numeric or (name != design.formula.response and not asked.is_numeric(design, name)):
        return "character"
    if column.isin([0, 1]).all():
        return "binary"
    return "integer" if pd.api.types.is_integer_dtype(column) else "numeric"


def plain(rows: pl.DataFrame, labels: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as pandas has them, with levels in place of their labels."""
    frame = pd.DataFrame({name: _values(rows[name]) for name in rows.columns})
    for name, known in labels.items():
        if name in frame.columns and frame[name].dtype == object:
            frame[name] = pd.Series(
                [known.get(value, value) for value in frame[name]], dtype=object
            )
    return frame


def _values(column: pl.Series) -> Any:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.to_numpy()
    return pd.Series(column.to_list(), dtype=object)
