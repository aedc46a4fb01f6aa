"""A formula and a data frame, turned into the arrays a model is made of.

Rows of a binomial or Poisson model that agree in every predictor, group and offset carry
the same mean, so they are collapsed into one row with summed outcomes and trials. The
log-likelihood does not change; fitting 5,126 respondents costs what 567 districts cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula as FixedFormula
from formulaic import ModelSpec
from numpy.typing import NDArray

from . import covariance
from .errors import DataError, FormulaError, NewLevelError
from .families import Family
from .formula import FUNCTIONS, Bar, Formula

__all__ = ["Design", "NewRows", "Term", "build", "indicator"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_CONTEXT: dict[str, Any] = {
    name: getattr(np, name)
    for name in ("abs", "sqrt", "sin", "cos", "tan")
    if name in FUNCTIONS
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

    spec: ModelSpec | None
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
                    f"column {column!r} holds the level {_show(new)}, which the fit has not "
                    f"seen; it knows {_show(levels)}"
                )
        matrix = self.spec.get_model_matrix(data, context=_CONTEXT)
        return np.ascontiguousarray(matrix, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Term:
    """All coefficients that vary over one grouping factor.

    Attributes
    ----------
    group : str
        Its name, "district_id" or "a:b".
    factors : tuple of str
        The columns it is made of.
    levels : (J,) object
        Its values, in order.
    codes : (n,) int
        The level of each collapsed row.
    Z : (n, k) float
        The columns whose coefficients vary.
    names : tuple of str
        Their k names.
    blocks : tuple of tuple of int
        Columns within a block are correlated, columns of two blocks are not.
    recipes : tuple of Columns
        How to make Z for new data.
    """

    group: str
    factors: tuple[str, ...]
    levels: NDArray[Any]
    codes: Index
    Z: Array
    names: tuple[str, ...]
    blocks: tuple[tuple[int, ...], ...]
    recipes: tuple[Columns, ...]

    @property
    def k(self) -> int:
        """Coefficients per level."""
        return self.Z.shape[1]

    @property
    def J(self) -> int:
        """Number of levels."""
        return len(self.levels)


@dataclass(frozen=True, slots=True)
class NewRows:
    """New data as the model sees them: X (n, p), offset (n,), and per term codes and Z.

    A code of -1 marks a level the fit has not seen.
    """

    X: Array
    offset: Array
    codes: tuple[Index, ...]
    Z: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """The arrays of a model, rows collapsed and sorted by the first term's level.

    Attributes
    ----------
    formula : Formula
    data : DataFrame
        The columns in use, one row per observation, as given.
    y, trials : (n,) float
        Successes and trials (binomial), counts and rows (Poisson), outcomes and
        precision weights (Gaussian).
    X : (n, p) float
    offset : (n,) float
    terms : tuple of Term
        By decreasing number of levels, as lme4 orders them.
    rows : (nobs,) int
        The collapsed row of each observation.
    weights : (nobs,) float
        The prior weight of each observation.
    names : tuple of str
        The p names of the fixed coefficients.
    constant, saturated : float
        Counting constant, and the log-likelihood of a model that fits every
        observation exactly (without that constant).
    dropped : int
        Observations left out because a value was missing.
    """

    formula: Formula
    data: pd.DataFrame
    event: Any
    y: Array
    trials: Array
    X: Array
    offset: Array
    terms: tuple[Term, ...]
    rows: Index
    weights: Array
    names: tuple[str, ...]
    fixed: Columns
    offset_column: str | None
    constant: float
    saturated: float
    dropped: int

    @property
    def nobs(self) -> int:
        """Number of observations, before collapsing."""
        return len(self.rows)

    @property
    def template(self) -> covariance.Template:
        """Where theta goes."""
        return covariance.template([(term.k, term.blocks) for term in self.terms])

    def apply(
        self, newdata: pd.DataFrame, groups: Sequence[str] | None = None
    ) -> NewRows:
        """`newdata` through the recipes of this design; `groups` names the terms needed."""
        wanted = [t for t in self.terms if groups is None or t.group in groups]
        needed = set(self.fixed.seen) | _variables(self.fixed)
        for term in wanted:
            needed |= set(term.factors) | {
                v for r in term.recipes for v in _variables(r)
            }
        if self.offset_column is not None:
            needed.add(self.offset_column)
        frame = _frame(newdata, sorted(needed))
        _check_missing(frame, "raise")
        n = len(frame)
        codes = tuple(
            _recode(term, frame) if term in wanted else np.full(n, -1, np.intp)
            for term in self.terms
        )
        Z = tuple(
            np.hstack([r.matrix(frame) for r in term.recipes])
            if term in wanted
            else np.zeros((n, term.k))
            for term in self.terms
        )
        offset = np.zeros(n)
        if self.offset_column is not None:
            offset = _numeric(frame[self.offset_column], "offset")
        return NewRows(self.fixed.matrix(frame), offset, codes, Z)


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
        raise DataError(
            f"{name!r} has {int(values.isna().sum())} missing values; drop them first"
        )
    if event is None and (
        pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values)
    ):
        result = _numeric(values, str(name))
        if not np.isin(result, (0.0, 1.0)).all():
            raise DataError(
                f"{name!r} holds {_show(pd.unique(values))}, but a binomial response is 0 or 1; "
                f"name the event with event=..., or write p(successes, trials) ~ ..."
            )
        return result
    levels = list(pd.unique(values))
    if len(levels) > 2:
        raise DataError(
            f"{name!r} has the {len(levels)} levels {_show(levels)}; make it two"
        )
    if event is None:
        raise DataError(
            f"{name!r} has the levels {_show(levels)}; say which one counts as 1, "
            f"for example event={levels[-1]!r}"
        )
    known = levels
    if isinstance(values.dtype, pd.CategoricalDtype):
        known = list(dict.fromkeys([*levels, *values.cat.categories]))
    if event not in known:
        raise DataError(
            f"event={event!r} is not a level of {name!r}; its levels are {_show(known)}"
        )
    return (values == event).to_numpy(dtype=np.float64)


def build(
    formula: Formula,
    data: pd.DataFrame,
    family: Family,
    *,
    event: object | None = None,
    weights: str | Sequence[float] | None = None,
    offset: str | Sequence[float] | None = None,
    missing: str = "raise",
) -> Design:
    """The design of `formula` for `data`. `data` is not changed.

    Raises
    ------
    FormulaError
        A column is not there; predictors are collinear or constant.
    DataError
        Values are missing, infinite or of the wrong kind; the frame is empty; a grouping
        factor has one level.
    """
    frame, extra = _prepare(formula, data, weights, offset, missing)
    y, trials = _response(frame, formula, family, event)
    w = extra.get("weights", np.ones(len(frame)))
    _check_weights(w)
    terms = _grouping(formula.bars, frame)
    keep = _collapsible(family)
    if formula.plain and keep:
        rows, first = _collapse([*_keys(frame, formula, terms), extra.get("offset")])
        recipes = _matrices(formula, frame.iloc[first])
    else:
        recipes = _matrices(formula, frame)
        keys = [codes for _, _, codes in terms]
        if keep:
            for _, matrix in recipes.values():
                keys += [_factorize(matrix[:, j]) for j in range(matrix.shape[1])]
            rows, first = _collapse([*keys, extra.get("offset")])
        else:
            first = (
                np.argsort(keys[0], kind="stable") if keys else np.arange(len(frame))
            )
            rows = np.empty_like(first)
            rows[first] = np.arange(len(first))
        recipes = {
            bar: (columns, matrix[first]) for bar, (columns, matrix) in recipes.items()
        }
    fixed, X = recipes.pop(None)
    _check_rank(X, fixed.names)
    n = len(first)
    gaussian = family.name == "gaussian"
    return Design(
        formula=formula,
        data=frame,
        event=event,
        y=y[first] if gaussian else np.bincount(rows, weights=w * y, minlength=n),
        trials=w[first]
        if gaussian
        else np.bincount(rows, weights=w * trials, minlength=n),
        X=X,
        offset=extra["offset"][first] if "offset" in extra else np.zeros(n),
        terms=_terms(terms, recipes, first),
        rows=rows,
        weights=w,
        names=fixed.names,
        fixed=fixed,
        offset_column=offset if isinstance(offset, str) else None,
        constant=_constant(formula, family, y, trials, w),
        saturated=float(np.sum(w * family.saturated(y, trials))),
        dropped=len(data) - len(frame),
    )


# --- columns and their checks -------------------------------------------------------------


def _show(values: Any, most: int = 6) -> str:
    listed = sorted(map(str, values))
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(repr(v) for v in listed[:most]) + more


def as_frame(data: Any) -> pd.DataFrame:
    """`data` as a pandas frame; polars and other frames that can become one are taken too."""
    if isinstance(data, pd.DataFrame):
        return data
    if hasattr(data, "to_pandas"):
        frame = data.to_pandas()
        if isinstance(frame, pd.DataFrame):
            return frame
    if isinstance(data, Mapping):
        try:
            return pd.DataFrame(data)
        except ValueError as error:
            raise DataError(f"data cannot become a data frame: {error}") from None
    raise DataError(f"data must be a data frame; a {type(data).__name__} was given")


def _frame(
    data: Any, columns: Sequence[str], groups: Sequence[str] = ()
) -> pd.DataFrame:
    data = as_frame(data)
    have = list(data.columns)
    for column in columns:
        if column not in have:
            what = "grouping factor" if column in groups else "column"
            raise FormulaError(
                f"{what} {column!r} is not in the data; its columns are {have[:30]}"
            )
        if have.count(column) > 1:
            raise DataError(
                f"the data have {have.count(column)} columns named {column!r}"
            )
    if len(data) == 0:
        raise DataError("the data have no rows; a model needs some")
    return data[list(columns)].copy()


def _prepare(
    formula: Formula, data: Any, weights: Any, offset: Any, missing: str
) -> tuple[pd.DataFrame, dict[str, Array]]:
    """The columns in use without missing values, with weights and offset beside them."""
    if missing not in ("raise", "drop"):
        raise DataError(f"missing={missing!r} is not known; choose 'raise' or 'drop'")
    columns = [
        formula.response,
        *([formula.trials] if formula.trials else []),
        *formula.columns,
    ]
    given = {"weights": weights, "offset": offset}
    columns += [v for v in given.values() if isinstance(v, str)]
    groups = [name for bar in formula.bars for name in bar.factors]
    frame = _frame(data, list(dict.fromkeys(columns)), groups)
    arrays = {
        name: _beside(value, name, len(frame))
        for name, value in given.items()
        if value is not None and not isinstance(value, str)
    }
    keep = _check_missing(
        frame.assign(**{f"{n} (given)": a for n, a in arrays.items()}), missing
    )
    if not keep.all():
        frame, arrays = frame[keep], {name: a[keep] for name, a in arrays.items()}
        if len(frame) == 0:
            raise DataError("every row has a missing value; none is left to fit")
    _check_infinite(frame)
    for name, value in given.items():
        if isinstance(value, str):
            arrays[name] = _numeric(frame[value], name)
    return frame, arrays


def _beside(value: Any, name: str, n: int) -> Array:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be a column name or {n} numbers") from None
    if array.shape != (n,):
        raise DataError(f"{name} has shape {array.shape}, but the data have {n} rows")
    if np.isinf(array).any():
        raise DataError(f"{name} has infinite values")
    return array


def _check_missing(frame: pd.DataFrame, missing: str) -> NDArray[np.bool_]:
    holes = frame.isna()
    keep = ~holes.to_numpy().any(axis=1)
    if not keep.all() and missing == "raise":
        counts = {str(c): int(k) for c, k in holes.sum().items() if k}
        raise DataError(
            f"missing values in {len(keep) - int(keep.sum())} of {len(keep)} rows, by column: "
            f"{counts}; remove them, or pass missing='drop' to drop and count those rows"
        )
    return keep


def _check_infinite(frame: pd.DataFrame) -> None:
    for column in frame.columns:
        if pd.api.types.is_float_dtype(frame[column].dtype):
            infinite = int(np.isinf(frame[column].to_numpy(dtype=np.float64)).sum())
            if infinite:
                raise DataError(f"column {column!r} has {infinite} infinite values")


def _check_weights(w: Array) -> None:
    if (w < 0).any() or not (w > 0).any():
        raise DataError("weights must be 0 or larger, and some of them larger than 0")


def _numeric(values: pd.Series, name: str) -> Array:
    if not (
        pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
    ):
        raise DataError(
            f"{name} must be numbers, but {values.name!r} is {values.dtype}"
        )
    if pd.api.types.is_complex_dtype(values):
        raise DataError(f"{name} must be real numbers, but {values.name!r} is complex")
    return values.to_numpy(dtype=np.float64)


def _response(
    frame: pd.DataFrame, formula: Formula, family: Family, event: object | None
) -> tuple[Array, Array]:
    """Outcomes and trials of each observation."""
    values = frame[formula.response]
    if formula.trials is not None:
        if family.name != "binomial":
            raise FormulaError(
                f"p(successes, trials) is for binomial models, not {family.name}"
            )
        return _successes(values, frame[formula.trials])
    if family.name == "binomial":
        y = indicator(values, event)
    else:
        if event is not None:
            raise DataError(
                f"event={event!r} is for binomial models, not {family.name}"
            )
        y = _numeric(values, "the response")
    if family.name == "poisson" and ((y < 0).any() or (y != np.floor(y)).any()):
        raise DataError(
            f"{formula.response!r} must hold counts: whole numbers, 0 or larger"
        )
    return y, np.ones(len(y))


def _successes(successes: pd.Series, trials: pd.Series) -> tuple[Array, Array]:
    y, n = _numeric(successes, "successes"), _numeric(trials, "trials")
    if (y != np.floor(y)).any() or (n != np.floor(n)).any():
        raise DataError(f"p({successes.name}, {trials.name}) needs whole numbers")
    if (y < 0).any() or (n < 1).any() or (y > n).any():
        raise DataError(
            f"p({successes.name}, {trials.name}) needs 0 <= successes <= trials, 1 up"
        )
    return y, n


def _constant(
    formula: Formula, family: Family, y: Array, trials: Array, w: Array
) -> float:
    """The counting part of the log-likelihood; none for 0/1 rows."""
    if family.name == "binomial" and formula.trials is None:
        return 0.0
    return float(np.sum(w * family.counting(y, trials)))


# --- collapsing ---------------------------------------------------------------------------


def _collapsible(family: Family) -> bool:
    return family.name in ("binomial", "poisson")


def _factorize(values: Any) -> Index:
    codes, _ = pd.factorize(values)
    return codes.astype(np.intp, copy=False)


def _keys(
    frame: pd.DataFrame,
    formula: Formula,
    terms: list[tuple[tuple[str, ...], Any, Index]],
) -> list[Index]:
    """Codes that tell model rows apart, the first term's first."""
    done = {factors[0] for factors, _, _ in terms if len(factors) == 1}
    rest = [c for c in formula.columns if c not in done]
    return [codes for _, _, codes in terms] + [_factorize(frame[c]) for c in rest]


def _collapse(keys: Sequence[Any]) -> tuple[Index, Index]:
    """Which collapsed row each row falls in, and the first row of each collapsed one."""
    arrays = [
        k if k.dtype.kind == "i" else _factorize(k) for k in keys if k is not None
    ]
    if not arrays:
        arrays = [np.zeros(1, np.intp)]
    key, size = arrays[0].astype(np.int64), int(arrays[0].max()) + 1
    for codes in arrays[1:]:
        width = int(codes.max()) + 1
        if size * width > 2**62:
            key, uniques = pd.factorize(key, sort=True)
            size = len(uniques)
        key = key * width + codes
        size *= width
    rows, uniques = pd.factorize(key, sort=True)
    first = np.empty(len(uniques), np.intp)
    first[rows[::-1]] = np.arange(len(rows))[::-1]
    return rows.astype(np.intp, copy=False), first


# --- model matrices -----------------------------------------------------------------------


def _variables(columns: Columns) -> set[str]:
    if columns.spec is None:
        return set()
    return (
        {str(v) for v in columns.spec.required_variables} - FUNCTIONS - {"np", "contr"}
    )


def _columns(part: str, frame: pd.DataFrame) -> tuple[Columns, Array]:
    """The recipe of a bar-free formula part, and its (n, k) matrix."""
    if part == "1":
        return Columns(None, ("Intercept",), {}), np.ones((len(frame), 1))
    try:
        matrix = FixedFormula(part).get_model_matrix(frame, context=_CONTEXT)
    except Exception as error:  # formulaic wraps whatever a transform raises
        why = str(error.__cause__ or error).strip().splitlines() or [
            type(error).__name__
        ]
        raise FormulaError(
            f"the terms {part!r} cannot be computed from the data: {why[0]}"
        ) from None
    spec = matrix.model_spec
    seen = {
        str(v): frozenset(frame[v].unique())
        for v in spec.required_variables
        if v in frame.columns and not pd.api.types.is_numeric_dtype(frame[v].dtype)
    }
    values = np.ascontiguousarray(matrix, dtype=np.float64)
    names = tuple(map(str, spec.column_names))
    bad = [
        name
        for name, ok in zip(names, np.isfinite(values).all(axis=0), strict=True)
        if not ok
    ]
    if bad:
        raise DataError(
            f"the model columns {bad} are not finite; check what they are made of"
        )
    return Columns(spec, names, seen), values


def _matrices(
    formula: Formula, frame: pd.DataFrame
) -> dict[Bar | None, tuple[Columns, Array]]:
    """Recipe and matrix of the fixed part (key None) and of each bar."""
    parts: dict[Bar | None, str] = {None: formula.fixed} | {
        bar: bar.lhs for bar in formula.bars
    }
    made = {part: _columns(part, frame) for part in dict.fromkeys(parts.values())}
    return {bar: made[part] for bar, part in parts.items()}


def _check_rank(X: Array, names: tuple[str, ...]) -> None:
    """Refuse fixed columns that others determine, and say which."""
    if X.shape[1] == 0:
        return
    scale = np.linalg.norm(X, axis=0)
    if (scale == 0).any():
        raise FormulaError(
            f"the predictor {names[int(np.argmin(scale))]!r} is 0 in every row"
        )
    R = np.linalg.qr(X / scale, mode="r")
    weak = np.flatnonzero(np.abs(np.diag(R)) < 1e-9)
    if weak.size:
        raise FormulaError(
            f"the predictor {names[int(weak[0])]!r} is constant or a combination of the others; "
            f"leave it out (columns: {list(names)})"
        )
    if X.shape[1] > X.shape[0]:
        raise FormulaError(
            f"{X.shape[1]} coefficients cannot be told apart by {len(X)} rows"
        )


# --- grouping -----------------------------------------------------------------------------


def _grouping(
    bars: Sequence[Bar], frame: pd.DataFrame
) -> list[tuple[tuple[str, ...], NDArray[Any], Index]]:
    """Factors, levels and codes of each grouping, by decreasing number of levels."""
    found = []
    for factors in dict.fromkeys(bar.factors for bar in bars):
        codes, levels = _levels(frame, factors)
        if len(levels) < 2:
            raise DataError(
                f"the grouping factor {':'.join(factors)!r} has one level ({levels[0]!r}); "
                "effects that vary over it need two or more"
            )
        found.append((factors, levels, codes))
    return sorted(found, key=lambda item: -len(item[1]))


def _levels(frame: pd.DataFrame, factors: Sequence[str]) -> tuple[Index, NDArray[Any]]:
    parts = [_one_factor(frame[f]) for f in factors]
    if len(parts) == 1:
        return parts[0]
    key = parts[0][0].astype(np.int64)
    for codes, levels in parts[1:]:
        key = key * len(levels) + codes
    rows, uniques = pd.factorize(key, sort=True)
    labels = []
    for value in uniques:
        names = []
        for _, levels in reversed(parts):
            names.append(str(levels[value % len(levels)]))
            value //= len(levels)
        labels.append(":".join(reversed(names)))
    return rows.astype(np.intp, copy=False), np.array(labels, dtype=object)


def _one_factor(values: pd.Series) -> tuple[Index, NDArray[Any]]:
    """Codes and levels: categories in their order, anything else sorted."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        codes = values.cat.codes.to_numpy().astype(np.intp)
        return codes, np.asarray(values.cat.categories, dtype=object)
    try:
        codes, levels = pd.factorize(values, sort=True)
    except TypeError:
        raise DataError(
            f"the values of {values.name!r} are of several kinds; make them text"
        ) from None
    return codes.astype(np.intp, copy=False), np.asarray(levels, dtype=object)


def _terms(
    groupings: list[tuple[tuple[str, ...], NDArray[Any], Index]],
    recipes: Mapping[Bar | None, tuple[Columns, Array]],
    first: Index,
) -> tuple[Term, ...]:
    return tuple(
        _term(factors, levels, codes[first], recipes)
        for factors, levels, codes in groupings
    )


def _term(
    factors: tuple[str, ...],
    levels: NDArray[Any],
    codes: Index,
    recipes: Mapping[Bar | None, tuple[Columns, Array]],
) -> Term:
    """All bars over the same factors, merged; each bar is a block of its own."""
    names: list[str] = []
    blocks: list[tuple[int, ...]] = []
    used: list[Columns] = []
    Z: list[Array] = []
    for bar, (columns, matrix) in recipes.items():
        if bar is None or bar.factors != factors:
            continue
        if twice := set(names) & set(columns.names):
            raise FormulaError(
                f"{_show(twice)} varies over {':'.join(factors)!r} twice"
            )
        start = len(names)
        blocks += _blocks(bar, columns, start)
        names += columns.names
        used.append(columns)
        Z.append(matrix)
    return Term(
        ":".join(factors), factors, levels, codes, np.hstack(Z), tuple(names), tuple(blocks),
        tuple(used),
    )  # fmt: skip


def _blocks(bar: Bar, columns: Columns, start: int) -> list[tuple[int, ...]]:
    k = len(columns.names)
    if bar.correlated or columns.spec is None:
        return [tuple(range(start, start + k))]
    return [
        tuple(start + i for i in indices)
        for indices in columns.spec.term_indices.values()
        if indices
    ]


def _recode(term: Term, frame: pd.DataFrame) -> Index:
    """The code of each row's level, -1 where the fit has not seen it."""
    if len(term.factors) == 1:
        values = frame[term.factors[0]].astype(object)
    else:
        values = frame[term.factors[0]].astype(str)
        for f in term.factors[1:]:
            values = values + ":" + frame[f].astype(str)
    return pd.Index(term.levels).get_indexer(pd.Index(values)).astype(np.intp)
