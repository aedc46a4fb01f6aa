"""Separation: in some rows the predictors tell the outcome without exception.

Coefficients then have no finite estimate: there is a direction v of the coefficients with
``x'v >= 0`` wherever all trials succeed, ``x'v <= 0`` wherever none does and ``x'v = 0`` wherever
some do, not 0 everywhere, and the likelihood rises along it without end (Albert & Anderson 1984,
Biometrika 71(1)). For counts the rows with 0 have ``x'v <= 0`` and the others ``x'v = 0``.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .coordinates import Coordinates
from .optimum import Optimum

__all__ = ["check_separation"]

_EXTREME = 10.0  # from the median logit: a fitted probability within 5e-5 of its bound, or so
_BEYOND = 1e4  # as good as infinite
_NO_CURVATURE = 1e-6  # of -2 log L, as a share of what the same rows have at the mean
_MOST_LEVELS = 50  # of a column whose levels, and cells with others, are looked at
_INSIDE = 1e-6  # of an indicator: it is within the span of the columns
_SHARE = 0.05  # of the largest: what counts as a part of the direction


def check_separation(own: Coordinates, design: Design, family: Family, found: Optimum) -> None:
    """Refuse predictors that separate the outcomes, wholly or in some of the rows.

    Fitted means then reach their bounds and the likelihood flattens out. Both are looked for,
    since a flat likelihood alone may be collinearity, and fitted means near 0 alone may be right.

    Parameters
    ----------
    own :
        The working coordinates, in which `found` is; the words are about `design`.
    """
    X, m = own.design.X, len(own.M)
    gamma = found.x[m:]
    reach = _reach(family, X @ gamma + design.offset)
    if np.abs(reach - np.median(reach)).max() <= _EXTREME:
        return
    mean = design.y.sum() / design.trials.sum()
    start = np.full(len(design.y), float(family.link.forward(np.array([mean]))[0]))
    weight = family.derivatives(design.y, design.trials, start).weight
    size = np.sqrt(2.0 * (weight[:, None] * X**2).sum(axis=0))
    values, vectors = np.linalg.eigh(found.hessian[m:, m:] / np.outer(size, size))
    if values[0] < _NO_CURVATURE or not found.converged:
        told, direction = _explain(design, family)
        low, high = np.min(design.offset), np.max(design.offset)
        if direction is None and high - low > 2 * _EXTREME:
            raise FitError(
                f"offsets go from {low:.3g} to {high:.3g} on the link scale and tell the outcomes "
                "by themselves, so that no coefficient can be told: is it a logarithm?"
            )
        beta, flat = (np.linalg.solve(own.R, v) for v in (gamma, vectors[:, 0] / size))
        if direction is None:
            direction = flat * np.linalg.norm(design.X, axis=0)
        raise FitError(
            f"the predictors separate the outcomes: {told}, so {_growing(design, beta, direction)}"
            ". Leave out what tells the outcome, merge levels, or use a prior"
        )


def _reach(family: Family, eta: Array) -> Array:
    """How near fitted means are to their bounds (n,): their logits, or logarithms of counts."""
    if family.name != "binomial" or family.link.name == "logit":
        return np.clip(np.nan_to_num(eta, nan=_BEYOND), -_BEYOND, _BEYOND)
    mean = family.link.inverse(np.nan_to_num(eta, nan=_BEYOND))[0]
    with np.errstate(divide="ignore"):
        logits: Array = np.log(mean) - np.log1p(-mean)
    return np.clip(logits, -_BEYOND, _BEYOND)


def _growing(design: Design, beta: Array, direction: Array) -> str:
    """The coefficients that grow without bound, and where they are now."""
    growing = np.flatnonzero(np.abs(direction) > _SHARE * np.abs(direction).max())
    names = ", ".join(repr(design.names[i]) for i in growing)
    now = ", ".join(f"{beta[i]:.3g}" for i in growing)
    if len(growing) == 1:
        return f"the coefficient of {names} grows without bound (here {now})"
    return f"the coefficients of {names} grow without bound (here {now})"


def _explain(design: Design, family: Family) -> tuple[str, Array | None]:
    """Which rows tell the outcome, and a direction of coefficients (p,) that follows them.

    The direction is in units of the columns' lengths; None where no rows were found.
    """
    side = _side(design, family)
    for size in (1, 2):
        if cells := list(_cells(design, side, size)):
            rows = [
                f"{_outcome(design, side[mask][0])} in all {_observations(design, mask)} rows "
                f"with {where}"
                for where, mask, _ in cells
            ]
            more = f", and so on in {len(rows) - 3} more cells" if len(rows) > 3 else ""
            return "; ".join(rows[:3]) + more, np.sum([d for _, _, d in cells], axis=0)
    if line := _line(design, side):
        return line
    return "the predictors together tell the outcome of some rows without exception", None


def _outcome(design: Design, side: float) -> str:
    name = design.formula.response
    if design.formula.trials is not None:
        return f"{name!r} is 0" if side < 0 else f"{name!r} is {design.formula.trials}"
    if design.event is not None:
        return f"{name!r} is {'not ' if side < 0 else ''}{design.event!r}"
    return f"{name!r} is {0 if side < 0 else 1}"


def _observations(design: Design, rows: NDArray[np.bool_]) -> int:
    return int(rows[design.rows].sum())


def _side(design: Design, family: Family) -> Array:
    """(n,) -1 where no trial succeeds, 1 where all do, 0 where some do, nan where there is none."""
    side = np.where(design.y == 0, -1.0, 0.0)
    if family.name == "binomial":
        side = np.where(design.y == design.trials, 1.0, side)
    return np.where(design.trials > 0, side, np.nan)


def _cells(
    design: Design, side: Array, size: int
) -> Iterator[tuple[str, NDArray[np.bool_], Array]]:
    """Levels of `size` crossed columns whose rows have one outcome throughout.

    Their name, their rows, and the direction of coefficients that moves these rows alone.
    """
    columns = _levels(design)
    Q, R = np.linalg.qr(design.X)
    length = np.linalg.norm(design.X, axis=0)
    for names in combinations(columns, size):
        codes, cells = pd.factorize(pd.MultiIndex.from_arrays([columns[n] for n in names]))
        for k, cell in enumerate(cells):
            own = side[(codes == k) & ~np.isnan(side)]
            if not own.size or abs(own.sum()) < own.size:
                continue
            wanted = own[0] * (codes == k)
            inside = Q.T @ wanted
            if np.abs(wanted - Q @ inside).max() < _INSIDE:
                where = " and ".join(
                    f"{name} = {value.item() if isinstance(value, np.generic) else value!r}"
                    for name, value in zip(names, cell, strict=True)
                )
                yield where, codes == k, np.linalg.solve(R, inside) * length


def _levels(design: Design) -> dict[str, Any]:
    """The predictors of few values, one value for each model row."""
    first = np.unique(design.rows, return_index=True)[1]
    columns = {name: design.data[name].iloc[first] for name in sorted(design.fixed.needs)}
    return {
        name: values.to_numpy(dtype=object)
        for name, values in columns.items()
        if values.nunique() <= _MOST_LEVELS
    }


def _line(design: Design, side: Array) -> tuple[str, Array] | None:
    """A model column that has the outcomes on its two sides; the words and the direction."""
    for j, name in enumerate(design.names):
        x = design.X[:, j]
        for sign in (1.0, -1.0):
            below, above = x[sign * side <= 0], x[sign * side >= 0]
            if name != "Intercept" and below.size and above.size and below.max() <= above.min():
                low, high = _outcome(design, -sign), _outcome(design, sign)
                words = (
                    f"{low} wherever {name} < {above.min():.4g} and {high} wherever it is larger"
                )
                if (side == 0).any():
                    words = (
                        f"{name} tells the outcome of every row on either side of {above.min():.4g}"
                    )
                return words, np.asarray(np.arange(len(design.names)) == j, dtype=np.float64)
    return None
