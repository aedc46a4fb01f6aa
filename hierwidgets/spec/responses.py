"""The response of a design as its observations have it, and another one in its place.

Everything here is in the order and the coding of the observations: 0 and 1 for a binary
response, successes for trials, counts, numbers. A design has its rows collapsed and sorted;
`Design.rows` leads from one to the other.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError

from .design import Design, indicator
from .families import Family
from .frames import in_order

__all__ = ["observed", "observed_trials", "with_response"]


def observed_trials(design: Design) -> Array:
    """Trials of each observation (nobs,): 1 but for a response p(successes, trials)."""
    trials = design.formula.trials
    if not isinstance(trials, str):
        return np.full(design.nobs, 1.0 if trials is None else float(trials))
    return design.data[trials].to_numpy(dtype=np.float64)


def observed(design: Design, family: Family) -> Array:
    """The response of each observation (nobs,), as numbers: 0 and 1, successes, counts."""
    if family.name == "gaussian":
        return design.y[design.rows]
    values = design.data[design.formula.response]
    if family.name == "binomial" and design.formula.trials is None:
        return indicator(values, design.event)
    return values.to_numpy(dtype=np.float64)


def with_response(design: Design, family: Family, y: Any) -> Design:
    """The same design with another response (nobs,); nothing else is computed again.

    Raises
    ------
    DataError
        y has another length, missing values, or values the family does not allow.
    """
    values = _checked(design, family, y)
    data = design.data.copy(deep=False)
    data[design.formula.response] = values
    if family.name == "gaussian":
        collapsed = np.empty(len(design.y))
        collapsed[design.rows] = values
        return replace(design, y=collapsed, data=data)
    w, trials = design.weights, observed_trials(design)
    plain = family.name == "binomial" and design.formula.trials is None
    return replace(
        design,
        y=np.bincount(design.rows, w * values, minlength=len(design.y)).astype(np.float64),
        data=data,
        event=None,
        constant=0.0 if plain else float(np.sum(w * family.counting(values, trials))),
        saturated=float(np.sum(w * family.saturated(values, trials))),
    )


def _checked(design: Design, family: Family, y: Any) -> Array:
    """y as numbers (nobs,), each one possible."""
    name = design.formula.response
    array = np.asarray(in_order(y, design.data.index, "y", "the observations"))
    if array.shape != (design.nobs,):
        raise DataError(
            f"y has shape {array.shape}; a new {name!r} needs one value for each of the "
            f"{design.nobs} observations, in their order"
        )
    if pd.isna(array).any():
        raise DataError(f"y has {int(pd.isna(array).sum())} missing values; a refit needs all")
    if family.name == "binomial" and design.formula.trials is None:
        numbers = array.dtype.kind in "bif"
        return indicator(pd.Series(array, name="y"), None if numbers else design.event)
    if array.dtype.kind not in "bif":
        raise DataError(f"y must be numbers; {array.dtype} was given")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise DataError(f"y has {int((~np.isfinite(values)).sum())} infinite values")
    if family.name != "gaussian":
        _check_counts(design, family, values)
    return values


def _check_counts(design: Design, family: Family, values: Array) -> None:
    if (values < 0).any() or (values != np.floor(values)).any():
        what = "successes" if family.name == "binomial" else "counts"
        raise DataError(f"y must hold {what}: whole numbers, 0 or larger")
    trials = observed_trials(design)
    if family.name == "binomial" and (values > trials).any():
        i = int(np.argmax(values > trials))
        raise DataError(f"y has {values[i]:g} successes out of {trials[i]:g} trials in row {i}")
