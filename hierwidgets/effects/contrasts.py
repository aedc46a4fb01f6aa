"""What a comparison compares: copies of rows with a predictor changed, signed and labelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FormulaError
from hierwidgets.spec.columns import variables
from hierwidgets.spec.design import Design

__all__ = [
    "COMPARISONS",
    "Contrast",
    "Point",
    "contrasts",
    "interacted",
    "is_numeric",
    "levels_of",
    "needed_columns",
    "slope",
    "used_columns",
]


_STEP = 1e-4  # of a numerical derivative, in sds of the predictor
COMPARISONS = {
    "difference": "{hi} - {lo}",
    "ratio": "{hi} / {lo}",
    "lnratio": "ln({hi} / {lo})",
    "lnor": "ln(odds({hi}) / odds({lo}))",
}


@dataclass(frozen=True, slots=True)
class Point:
    """One counterfactual copy of the rows: its sign, weights and changed columns."""

    sign: float
    columns: Mapping[str, Any]
    weight: Array | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """A signed set of points, with its labels."""

    term: str
    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """From `lo` to `hi` in one variable; values for each row, or one for all."""

    name: str
    lo: Any
    hi: Any
    low_label: str
    high_label: str
    label: str | None = None

    def text(self, comparison: str) -> str:
        if self.label is not None and comparison == "difference":
            return self.label
        return COMPARISONS[comparison].format(hi=self.high_label, lo=self.low_label)


def contrasts(
    design: Design, frame: pd.DataFrame, variables: Any, cross: bool, comparison: str
) -> list[Contrast]:
    """The contrasts that `variables` asks for, one at a time or all together (`cross`)."""
    if comparison not in COMPARISONS:
        raise DataError(f"comparison={comparison!r}; choose one of {list(COMPARISONS)}")
    changes = [_changes(design, frame, name, how) for name, how in _named(variables)]
    if cross and len(changes) < 2:
        raise DataError("cross=True changes several variables together; name at least two")
    sets = product(*changes) if cross else ((c,) for group in changes for c in group)
    return [
        Contrast(
            ", ".join(c.name for c in joined),
            ", ".join(c.text(comparison) for c in joined),
            (
                Point(1.0, {c.name: c.hi for c in joined}),
                Point(-1.0, {c.name: c.lo for c in joined}),
            ),
        )
        for joined in sets
    ]


def _named(variables: Any) -> list[tuple[str, Any]]:
    """Names and changes, None where there is only a name."""
    if isinstance(variables, str):
        return [(variables, None)]
    if isinstance(variables, Mapping):
        named = list(variables.items())
    elif isinstance(variables, Sequence):
        named = [(name, None) for name in variables]
    else:
        raise DataError(
            f"variables must be a name, names, or a mapping such as {{'x': [0, 1]}}; "
            f"a {type(variables).__name__} was given"
        )
    if not named:
        raise DataError("variables is empty; name at least one predictor")
    return named


def interacted(
    design: Design, frame: pd.DataFrame, contrasts: list[Contrast], across: Any
) -> list[Contrast]:
    """Each contrast at `hi` less the same at `lo` of one more variable."""
    named = _named(across)
    if len(named) != 1:
        raise DataError(f"across takes one variable; {[n for n, _ in named]} were given")
    out = []
    for change, contrast in product(_changes(design, frame, *named[0]), contrasts):
        if any(change.name in point.columns for point in contrast.points):
            raise DataError(f"{change.name!r} is already compared; across needs another variable")
        points = [
            Point(sign * p.sign, {**p.columns, change.name: value}, p.weight)
            for sign, value in ((1.0, change.hi), (-1.0, change.lo))
            for p in contrast.points
        ]
        term = f"{contrast.term}:{change.name}"
        label = f"({contrast.label}):({change.text('difference')})"
        out.append(Contrast(term, label, tuple(points)))
    return out


# --- changes of one variable --------------------------------------------------------------


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def _show(value: Any) -> str:
    return f"{value:g}" if _is_number(value) else str(value)


def _known(design: Design, name: str) -> pd.Series:
    """The column of a predictor, in the data of the fit."""
    known = [c for c in dict.fromkeys([*design.formula.columns, design.offset_column]) if c]
    if name not in known:
        raise FormulaError(f"{name!r} is not a predictor of this model; it has {known}")
    column: pd.Series = design.data[name]
    return column


def used_columns(design: Design, kept: list[NDArray[np.bool_]] | None = None) -> set[str]:
    """Columns that enter as predictors or offset; of group terms only those `kept`."""
    recipes = [design.fixed]
    for i, term in enumerate(design.terms):
        if kept is None or kept[i].any():
            recipes += term.recipes
    used = {name for recipe in recipes for name in variables(recipe)}
    offset = {design.offset_column} if design.offset_column else set()
    return (used | offset) & set(map(str, design.data.columns))


def needed_columns(design: Design, kept: list[NDArray[np.bool_]]) -> set[str]:
    """Columns that predictions need: those used, and the grouping factors of the terms `kept`."""
    terms = zip(design.terms, kept, strict=True)
    factors = {f for term, keep in terms if keep.any() for f in term.factors}
    return used_columns(design, kept) | factors


def is_numeric(design: Design, name: str) -> bool:
    """Whether a column of the model enters as a number, not as levels."""
    if name not in used_columns(design):
        return False  # a grouping factor
    column = design.data[name]
    recipes = [design.fixed, *(r for term in design.terms for r in term.recipes)]
    as_levels = any(name in r.seen for r in recipes) or pd.api.types.is_bool_dtype(column)
    return pd.api.types.is_numeric_dtype(column) and not as_levels


def levels_of(column: pd.Series) -> list[Any]:
    """The levels that occur, in the order in which the model codes them."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(column.unique())
        return [level for level in column.cat.categories if level in present]
    return sorted(column.unique())


def _changes(design: Design, frame: pd.DataFrame, name: str, how: Any) -> list[_Change]:
    column = _known(design, name)
    if isinstance(how, list | tuple | np.ndarray | pd.Series):
        return [_pair(design, name, list(how))]
    if is_numeric(design, name):
        if how is None and set(pd.unique(column)) == {0, 1}:
            return [_pair(design, name, [0, 1])]
        return [_step(design, frame, name, how)]
    levels = levels_of(column)
    how = "reference" if how is None else how
    if how == "reference":
        pairs = [(levels[0], other) for other in levels[1:]]
    elif how == "pairwise":
        pairs = list(combinations(levels, 2))
    else:
        raise DataError(
            f"{name!r} holds levels; compare them by [from, to], 'reference' or 'pairwise', "
            f"not {how!r}"
        )
    return [_pair(design, name, list(pair)) for pair in pairs]


def _pair(design: Design, name: str, values: list[Any]) -> _Change:
    if len(values) != 2:
        raise DataError(f"{name!r} needs two values, [from, to]; {len(values)} were given")
    lo, hi = values
    if is_numeric(design, name):
        for value in values:
            if not (_is_number(value) and np.isfinite(value)):
                raise DataError(f"{name!r} is a number; {value!r} is not one it can be set to")
    if lo == hi:
        raise DataError(f"{name!r} is compared between {lo!r} and itself; give two values")
    return _Change(name, lo, hi, _show(lo), _show(hi))


def _step(design: Design, frame: pd.DataFrame, name: str, how: Any) -> _Change:
    """A change around each row's own value, or between two marks of the data."""
    data = _known(design, name).to_numpy(np.float64)
    marks = {"iqr": (25, 75, "Q1", "Q3"), "minmax": (0, 100, "Min", "Max")}
    if isinstance(how, str) and how in marks:
        low, high, low_label, high_label = marks[how]
        lo, hi = np.percentile(data, [low, high])
        return _Change(name, lo, hi, low_label, high_label)
    size = 1.0 if how is None else float(np.std(data, ddof=1)) if how == "sd" else how
    if not (_is_number(size) and np.isfinite(size) and size != 0):
        raise DataError(
            f"{name!r} is a number; change it by [from, to], a step, 'sd', 'iqr' or 'minmax', "
            f"not {how!r}"
        )
    x = _own(frame, name)
    amount = "sd" if how == "sd" else _show(size)
    return _Change(
        name,
        x - size / 2,
        x + size / 2,
        f"(x-{amount}/2)",
        f"(x+{amount}/2)",
        f"+{amount}" if how == "sd" else f"{size:+g}",
    )


def _own(frame: pd.DataFrame, name: str) -> Array:
    """A numeric column of the rows asked about."""
    if name not in frame.columns:
        raise FormulaError(
            f"column {name!r} is not in newdata; its columns are {list(frame.columns)[:30]}"
        )
    if not pd.api.types.is_numeric_dtype(frame[name]):
        raise DataError(f"{name!r} must be numbers in newdata, but it is {frame[name].dtype}")
    return frame[name].to_numpy(np.float64)


def slope(design: Design, frame: pd.DataFrame, name: str) -> Contrast:
    """The derivative of the parabola through three points, as weights of those points."""
    _known(design, name)
    if not is_numeric(design, name):
        raise DataError(f"{name!r} holds levels and has no slope; use comparisons")
    x, data = _own(frame, name), _known(design, name).to_numpy(np.float64)
    h = _STEP * (float(np.std(data)) or 1.0)
    inside = (x >= data.min()) & (x <= data.max())
    start = np.where(inside, np.clip(x - h, data.min(), data.max() - 2 * h), x - h)
    nodes = [start, start + h, start + 2 * h]
    points = []
    for i, node in enumerate(nodes):
        a, b = (other for j, other in enumerate(nodes) if j != i)
        weight = (2 * x - a - b) / ((node - a) * (node - b))
        points.append(Point(1.0, {name: node}, weight))
    return Contrast(name, "dY/dX", tuple(points))
