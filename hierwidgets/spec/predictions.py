"""What is asked of a prediction, and the rows that it is asked for."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_level, check_names
from hierwidgets.errors import DataError

from .design import Design, NewRows
from .families import Family
from .frames import as_frame, numeric
from .responses import observed_trials
from .rows import kept_columns, rows_of

__all__ = ["Prepared", "Request", "prepare"]

_ADDED = ("estimate", "std_error", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of `predict`, checked; `Fit.predict` says what they mean."""

    scale: str
    re_formula: str | None
    new_levels: str
    interval: float | None
    interval_of: str
    missing: str

    def __post_init__(self) -> None:
        choices = {
            "scale": ("response", "link"),
            "interval_of": ("mean", "observation"),
            "missing": ("raise", "keep"),
        }
        for name, (one, other) in choices.items():
            if getattr(self, name) not in (one, other):
                raise DataError(f"{name}={getattr(self, name)!r}; choose {one!r} or {other!r}")
        if self.interval is not None:
            check_level(self.interval, "interval")
        if self.interval_of == "observation":
            if self.interval is None:
                raise DataError("interval_of='observation' needs a level, such as interval=0.9")
            if self.scale == "link":
                raise DataError("an observation is on the scale of the response; leave out scale")

    @property
    def columns(self) -> tuple[str, ...]:
        """What a prediction adds."""
        return _ADDED[:1] if self.interval is None else _ADDED


class Prepared(NamedTuple):
    """Rows to predict.

    `frame` are all of them, and `whole` (n,) those without missing values; the rest speaks of
    these: `new`, the columns `kept` of each term, and the `size` of a new observation, its
    trials or its weight.
    """

    frame: pd.DataFrame
    whole: NDArray[np.bool_]
    new: NewRows | None
    kept: list[NDArray[np.bool_]]
    size: Array

    @property
    def rows(self) -> pd.DataFrame:
        """The rows without missing values."""
        return self.frame[self.whole]

    def beside(self, columns: dict[str, Array]) -> pd.DataFrame:
        """All rows with `columns`, which are missing where something needed is."""
        out = self.frame.copy(deep=False)
        for name, values in columns.items():
            column = np.full(len(self.whole), np.nan)
            column[self.whole] = values
            out[name] = column
        return out


def prepare(
    design: Design, family: Family, newdata: pd.DataFrame | None, request: Request
) -> Prepared:
    """The rows of `newdata`, or of the data of the fit, as the model sees them."""
    kept = kept_columns(design, request.re_formula)
    frame = design.data if newdata is None else as_frame(newdata)
    check_names(frame.columns, request.columns, newdata is not None)
    whole: NDArray[np.bool_] = np.ones(len(frame), bool)
    observation = request.interval_of == "observation"
    if newdata is not None and request.missing == "keep":
        needed = design.needed(
            [t.group for t, k in zip(design.terms, kept, strict=True) if k.any()]
        )
        needed |= _of_observation(design, family) if observation else set()
        have = [c for c in frame.columns if c in needed]
        whole = np.asarray(~frame[have].isna().to_numpy().any(axis=1))
        if len(frame) and not whole.any():
            return Prepared(frame, whole, None, kept, np.ones(0))
    rows = None if newdata is None else frame[whole]
    new = rows_of(design, rows, kept, request.new_levels)
    size = _size(design, family, rows) if observation else np.ones(len(new.X))
    return Prepared(frame, whole, new, kept, size)


def _of_observation(design: Design, family: Family) -> set[str]:
    """The column that a new observation needs beside the predictors."""
    column = design.weights_column if family.name == "gaussian" else design.formula.trials
    return {column} if isinstance(column, str) else set()


def _size(design: Design, family: Family, rows: pd.DataFrame | None) -> Array:
    """Trials of a binomial observation, weight of a Gaussian one; 1 for counts."""
    gaussian = family.name == "gaussian"
    if rows is None:
        return design.weights if gaussian else observed_trials(design)
    if gaussian and design.weights_column is None and not (design.weights == 1).all():
        raise DataError(
            "the weights of this fit were given as numbers, which new rows do not carry; fit again "
            "with the name of a column"
        )
    for column in _of_observation(design, family):
        if column not in rows.columns:
            what = "weight" if gaussian else "number of trials"
            raise DataError(f"a new observation needs its {what}: newdata has no column {column!r}")
        size = numeric(rows[column].infer_objects(), f"{column!r} in the new data")
        if not (size >= 0).all() or (not gaussian and (size != np.floor(size)).any()):
            whole = "" if gaussian else "whole numbers, "
            raise DataError(f"{column!r} in the new data must hold {whole}0 or larger")
        return size
    trials = design.formula.trials
    return np.full(len(rows), float(trials) if isinstance(trials, int) else 1.0)
