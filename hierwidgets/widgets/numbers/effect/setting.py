"""What is shown of the effect of a group-level predictor: units, facets, rows to predict.

A `Setting` says which grouping factor holds the points and which one the facets, and keeps the
rows at which quantities of interest are computed.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.effects.contrasts import is_numeric, levels_of, used_columns
from hierwidgets.errors import DataError, FormulaError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec.columns import variables
from hierwidgets.spec.design import Design, Term
from hierwidgets.widgets.numbers.words import Estimated, GivenWords, Words, spoken, words_for

__all__ = [
    "TARGETS", "Setting", "a_step_apart", "bar_text", "decimals", "facet_titles", "facet_values",
    "line_rows", "model_for", "options_of", "rows_at", "setting", "starting_values", "thinned",
]  # fmt: skip

TARGETS = ("typical", "average", "new")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is shown of a model.

    Attributes
    ----------
    model : Fit or Posterior
    predictor : str
        A numeric column with one value for each unit.
    unit, facet : Term
        The grouping factor of the points; the coarser one of the facets, or None.
    compare : str or None
        A predictor with two values, such as the electoral rules.
    pair : tuple
        Those values, in the order in which the model codes them.
    units : DataFrame
        One row per unit: its own columns, other predictors at their middle.
    facets : DataFrame
        One row per facet (one in all if there is no facet), made the same way.
    facet_of : (J,) int
        The facet of each unit.
    typical : DataFrame
        One row with every predictor at its middle: a number's median, a factor's mode.
    average_draws : int
        At most so many draws for averages over units.
    words : Words
        What units and predictor are called.
    """

    model: Estimated
    predictor: str
    unit: Term
    facet: Term | None
    compare: str | None
    pair: tuple[Any, ...]
    units: pd.DataFrame
    facets: pd.DataFrame
    facet_of: NDArray[np.intp]
    typical: pd.DataFrame
    average_draws: int
    words: Words

    @property
    def x(self) -> Array:
        """The predictor of each unit (J,)."""
        return self.units[self.predictor].to_numpy(np.float64)

    @property
    def x_range(self) -> tuple[float, float]:
        """The smallest and the largest of them."""
        return float(self.x.min()), float(self.x.max())

    @property
    def levels(self) -> list[Any]:
        """The units by name."""
        return list(self.unit.levels)

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the curves: the values compared, or one name for all."""
        if self.compare is None:
            return ("all",)
        numbers = is_numeric(self.model.design, self.compare)
        return tuple(f"{spoken(self.compare)} = {v:g}" if numbers else str(v) for v in self.pair)

    @property
    def facet_names(self) -> tuple[str, ...]:
        """Levels of the facets, as text."""
        return ("all",) if self.facet is None else tuple(map(str, self.facet.levels))


def setting(
    model: Estimated, predictor: str, compare: str | None = None, average_draws: int = 500,
    words: GivenWords = None,
) -> Setting:  # fmt: skip
    """Look a model over: what its points, facets and comparison are.

    Parameters
    ----------
    model
        A binomial fit or posterior with ``(1 | unit)``, alone or with one coarser grouping
        factor over which the intercept and the predictor's slope may vary.
    predictor
        A numeric column with one value for each unit.
    compare
        A predictor with two values; if None, the first there is that does not vary within
        facets (within units, where there are no facets).
    average_draws
        At most so many draws of a posterior for averages over units.
    words
        What units and predictor are called; by the names of the columns if not given.

    Raises
    ------
    DataError, FormulaError
        If the model or a name is something else.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> found = setting(fit, "district_competitiveness")
    >>> found.unit.group, found.facet, len(found.units)
    ('district_id', None, 253)
    """
    design = _checked(model, predictor)
    if type(average_draws) is not int or average_draws < 1:
        raise DataError(f"average_draws must be a whole number above 0; {average_draws!r} is not")
    unit = _unit(design, predictor)
    facet = _facet(design, unit, predictor)
    codes = unit.codes[design.rows]
    inside = np.zeros(design.nobs, np.intp) if facet is None else facet.codes[design.rows]
    first = np.unique(codes, return_index=True)[1]
    held, typical = inside if facet is not None else codes, _middle(design)
    chosen, pair = _compared(design, predictor, compare, held)
    return Setting(
        model, predictor, unit, facet, chosen, pair,
        units=_representatives(design, typical, codes, unit.factors),
        facets=_representatives(design, typical, inside, () if facet is None else facet.factors),
        facet_of=inside[first], typical=typical, average_draws=average_draws,
        words=words_for(words, unit.group, design.formula.response, predictor=predictor),
    )  # fmt: skip


# --- what a model must be -----------------------------------------------------------------


def _checked(model: object, predictor: str) -> Design:
    wanted = "a binomial fit or posterior, as hw.glmer('y ~ x + (1 | group)', data) gives"
    if not isinstance(model, Fit | Posterior):
        raise DataError(f"the effect needs {wanted}; a {type(model).__name__} was given")
    if model.family.name != "binomial":
        raise DataError(f"the effect needs {wanted}; this one is {model.family.name}")
    design = model.design
    fixed = sorted(variables(design.fixed))
    if predictor not in fixed:
        raise FormulaError(f"{predictor!r} is not a predictor of this model; it has {fixed}")
    if not is_numeric(design, predictor):
        raise DataError(f"{predictor!r} holds levels; the curve needs a numeric predictor")
    return design


def _unit(design: Design, predictor: str) -> Term:
    """The coarsest ``(1 | group)`` within whose levels the predictor does not vary."""
    x = design.data[predictor].to_numpy()
    alone = [term for term in design.terms if term.names == ("Intercept",)]
    if not alone:
        raise DataError(
            f"a group whose intercept alone varies is needed, (1 | group); here {_varying(design)}"
        )
    constant = [term for term in alone if _steady(x, term.codes[design.rows])]
    if not constant:
        raise DataError(
            f"{predictor!r} varies within the levels of {alone[0].group!r}; a predictor of the "
            "groups has one value for each"
        )
    return min(constant, key=lambda term: term.J)


def _facet(design: Design, unit: Term, predictor: str) -> Term | None:
    others = [term for term in design.terms if term is not unit]
    if not others:
        return None
    codes = unit.codes[design.rows]
    facet = others[0]
    varies = {name for recipe in facet.recipes for name in variables(recipe)}
    nested = _steady(facet.codes[design.rows], codes)
    if len(others) > 1 or not nested or not varies <= {predictor}:
        raise DataError(
            f"beside (1 | {unit.group}) there can be one grouping factor that holds whole levels "
            f"of it, with an intercept and the slope of {predictor!r}; here {_varying(design)}"
        )
    return facet


def _varying(design: Design) -> str:
    return "vary " + "; ".join(f"{', '.join(t.names)} by {t.group}" for t in design.terms)


def _steady(values: NDArray[Any], codes: NDArray[np.intp]) -> bool:
    """Whether values do not vary within groups."""
    first = np.unique(codes, return_index=True)[1]
    return bool((values[first][codes] == values).all())


def _compared(
    design: Design, predictor: str, compare: str | None, codes: NDArray[np.intp]
) -> tuple[str | None, tuple[Any, ...]]:
    fixed = [c for c in map(str, design.data.columns) if c in variables(design.fixed)]
    others = [name for name in fixed if name != predictor]
    if compare is None:
        two = [name for name in others if design.data[name].nunique() == 2]
        compare = next((n for n in two if _steady(design.data[n].to_numpy(), codes)), None)
        return (None, ()) if compare is None else (compare, _pair(design, compare))
    if compare not in others:
        raise FormulaError(f"compare={compare!r} is not another predictor; those are {others}")
    if (count := design.data[compare].nunique()) != 2:
        raise DataError(f"compare={compare!r} has {count} values; two can be compared")
    return compare, _pair(design, compare)


def _pair(design: Design, name: str) -> tuple[Any, ...]:
    return tuple(levels_of(design.data[name]))


# --- what is shown of it ------------------------------------------------------------------


def facet_values(setting: Setting) -> list[int | None]:
    """Which of the two values compared each facet has, None where it is neither."""
    if setting.compare is None or setting.facet is None:
        return [None] * len(setting.facet_names)
    design = setting.model.design
    values, codes = design.data[setting.compare].to_numpy(), setting.facet.codes[design.rows]
    inside = [set(values[codes == k]) for k in range(len(setting.facet_names))]
    return [setting.pair.index(next(iter(v))) if len(v) == 1 else None for v in inside]


def facet_titles(setting: Setting) -> tuple[str, ...]:
    """Names of the facets, with the value compared where a facet has only one."""
    pairs = zip(setting.facet_names, facet_values(setting), strict=True)
    return tuple(name if i is None else f"{name} ({setting.pair[i]})" for name, i in pairs)


def decimals(limits: tuple[float, float]) -> int:
    """Decimals that tell a hundredth of a range apart.

    Examples
    --------
    >>> decimals((0.35, 0.89)), decimals((35.0, 89.0))
    (3, 1)
    """
    return int(np.clip(2 - np.floor(np.log10((limits[1] - limits[0]) / 2)), 0, 12))


def starting_values(x: Array) -> tuple[float, float]:
    """Two round values of the predictor, with a tenth of the units below and above them."""
    digits = max(decimals((float(x.min()), float(x.max()))) - 1, 0)
    low, high = (float(v) for v in np.quantile(x, [0.1, 0.9]).round(digits))
    inside = x.min() <= low < high <= x.max()
    return (low, high) if inside else (float(x.min()), float(x.max()))


def a_step_apart(
    low: float, high: float, moved: str, limits: tuple[float, float], steps: int
) -> tuple[float, float]:
    """Two values in their order, of which `moved`, "low" or "high", takes the other along.

    Examples
    --------
    >>> a_step_apart(0.7, 0.5, "low", (0.0, 1.0), 100)
    (0.7, 0.71)
    >>> a_step_apart(1.0, 0.5, "low", (0.0, 1.0), 100)
    (0.99, 1.0)
    """
    (first, last), digits = limits, decimals(limits)
    step = max(round((last - first) / steps, digits), 10.0**-digits)
    if moved == "low":
        return min(low, last - step), min(round(low + step, digits), last)
    return max(round(high - step, digits), first), max(high, first + step)


# --- rows ---------------------------------------------------------------------------------


def _middle(design: Design) -> pd.DataFrame:
    """One row: the median of each number, the most frequent value of anything else."""
    data = design.data
    names = [c for c in data.columns if c in used_columns(design)]
    middle = {
        c: [data[c].median() if is_numeric(design, c) else data[c].mode().iloc[0]] for c in names
    }
    return pd.DataFrame(
        {
            c: pd.Series(v, dtype=None if is_numeric(design, c) else data[c].dtype)
            for c, v in middle.items()
        }
    )


def _representatives(
    design: Design, typical: pd.DataFrame, codes: NDArray[np.intp], factors: tuple[str, ...]
) -> pd.DataFrame:
    """A row per group: columns that do not vary within groups as they are, others typical."""
    first = np.unique(codes, return_index=True)[1]
    rows = design.data.iloc[first].reset_index(drop=True)
    names = list(dict.fromkeys([*typical.columns, *(f for t in design.terms for f in t.factors)]))
    out = rows[names].copy()
    for name in names:
        if not _steady(design.data[name].to_numpy(), codes):
            if name in typical:
                out[name] = typical[name].iloc[np.zeros(len(out), int)].to_numpy()
            elif name not in factors:
                out = out.drop(columns=name)
    return out


def _stranger(setting: Setting) -> pd.DataFrame:
    """The typical row in groups that nobody has seen."""
    data = setting.model.design.data
    factors = {f for term in setting.model.design.terms for f in term.factors}
    strange: dict[str, Any] = {f: _unheard(data[f]) for f in sorted(factors)}
    return setting.typical.assign(**strange)


def _unheard(column: pd.Series) -> object:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.max() + 1
    taken, name = set(column.astype(str)), "a new one"
    while name in taken:
        name += "'"
    return name


def rows_at(setting: Setting, target: str, at: Array, series: bool = True) -> pd.DataFrame:
    """Rows of the target at every value of the predictor, for each series in turn."""
    base = {"typical": setting.typical, "average": setting.units}.get(target)
    base = _stranger(setting) if base is None else base
    values = setting.pair if series and setting.pair else (None,)
    n, G = len(base), len(at)
    out = base.iloc[np.tile(np.arange(n), G * len(values))].reset_index(drop=True)
    out[setting.predictor] = np.tile(np.repeat(at, n), len(values))
    if setting.compare is not None and series:
        dtype = setting.model.design.data[setting.compare].dtype
        each = pd.Series(list(values), dtype=dtype)
        out[setting.compare] = each.iloc[np.repeat(np.arange(len(values)), n * G)].to_numpy()
        out[setting.compare] = out[setting.compare].astype(dtype)
    return out


def options_of(target: str) -> dict[str, Any]:
    if target not in TARGETS:
        raise DataError(f"target={target!r}; choose one of {list(TARGETS)}")
    return {"typical": {"re_formula": "~0"}, "average": {}, "new": {"new_levels": "sample"}}[target]


def thinned(post: Posterior, most: int) -> Posterior:
    """A posterior with every k-th draw of each chain, so that at most about `most` are left."""
    d = post.draws
    step = max(1, -(-d.sigma.size // most))
    kept: dict[str, Any] = {
        name: value[:, ::step]
        if isinstance(value, np.ndarray)
        else tuple(v[:, ::step] for v in value)
        for name in ("beta", "factors", "sigma", "effects", "divergent", "depth", "energy")
        for value in [getattr(d, name)]
    }
    if d.pool is not None:
        kept["pool"] = dataclasses.replace(d.pool, weight=d.pool.weight[:, ::step])
    return dataclasses.replace(post, draws=dataclasses.replace(d, **kept))


def model_for(setting: Setting, target: str) -> Estimated:
    if target == "average" and isinstance(setting.model, Posterior):
        return thinned(setting.model, setting.average_draws)
    return setting.model


def line_rows(setting: Setting, points: int) -> pd.DataFrame:
    """A row of each facet at `points` values of the predictor, over its own units."""
    K = len(setting.facet_names)
    ends = [setting.x[setting.facet_of == k] for k in range(K)]
    rows = setting.facets.iloc[np.repeat(np.arange(K), points)].reset_index(drop=True)
    x = np.concatenate([np.linspace(e.min(), e.max(), points) for e in ends])
    return rows.assign(**{setting.predictor: x})


def bar_text(lhs: str, factors: tuple[str, ...], correlated: bool = True) -> str:
    """A group term as a formula writes it."""
    group = ":".join(f"`{f}`" for f in factors)
    return f"{'' if correlated else 'diag'}({lhs} | {group})"
