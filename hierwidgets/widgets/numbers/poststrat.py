"""Poststratification with weights to turn: the raw rate, the model's, and the population's.

The draws of each kind of people are computed once; other shares of the kinds are other weights of
the same draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array, Index, normal_quantile
from hierwidgets.base.checks import check_level
from hierwidgets.effects.poststratification import average_draws, counted, described
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec.responses import observed_trials

from .words import Estimated

__all__ = [
    "MOST",
    "Kinds",
    "estimates",
    "groupings",
    "kinds",
    "normalised",
    "poststrat_frame",
    "turned",
]

FEWEST, MOST = 2, 6  # kinds of people, each with a slider
MOST_CELLS = 600  # whose estimates are kept one by one
DIGITS = 4  # of shares that are turned


@dataclass(frozen=True, slots=True)
class Kinds:
    """The population in kinds of people, by one column of its cells.

    Attributes
    ----------
    by : str
        The column.
    names : tuple
        Its K values.
    census, sample : (K,)
        Shares of the population and of the respondents.
    draws : (K, S)
        Draws of each kind's rate, its cells weighted as in the population.
    raw : (4,)
        The respondents' rate, its standard error and the ends of its interval.
    modelled : (4,)
        The same of the model's rates, averaged over the respondents.
    cells : (C,)
        The estimates of single cells, evenly picked where they are more than 600.
    kind : (C,) int
        The kind of each of those.
    size : int
        How many cells there are.
    respondents : float
    level : float
    """

    by: str
    names: tuple[Any, ...]
    census: Array
    sample: Array
    draws: Array
    raw: Array
    modelled: Array
    cells: Array
    kind: Index
    size: int
    respondents: float
    level: float


def poststrat_frame(
    model: Estimated,
    cells: pd.DataFrame,
    weight: str = "n",
    by: str | None = None,
    shares: Sequence[float] | None = None,
    *,
    level: float = 0.9,
    new_levels: str = "error",
) -> pd.DataFrame:
    r"""Raw, modelled and poststratified rate, and those of each kind of people.

    .. math:: \hat\theta = \sum_k w_k \frac{\sum_{j \in k} N_j \hat\theta_j}{\sum_{j \in k} N_j}

    with the shares w of the kinds k: those of the census, or others (`hw.poststratify` has the
    sources). Within a kind, cells keep the weights of the census.

    Parameters
    ----------
    model
        A binomial fit or posterior.
    cells, weight, level, new_levels
        As in `hw.poststratify`.
    by
        The column whose 2 to 6 values are the kinds; the first that will do if not given.
    shares
        Of the kinds, in their order; only their proportions count.

    Returns
    -------
    DataFrame
        ``of share census estimate std_error conf_low conf_high``: the rows "raw" (as if drawn at
        random: no groups in its error), "modelled" (averaged over respondents), "poststratified",
        and one for each kind.

    Examples
    --------
    >>> import hierwidgets as hw, pandas as pd
    >>> fit = hw.glmer("contacted ~ electoral_rules + (1 | district_id)", hw.load("rainey2015"),
    ...                event="Contacted")
    >>> cells = fit.design.data[["electoral_rules", "district_id"]].drop_duplicates().assign(n=1)
    >>> found = poststrat_frame(fit, cells, shares=[0.5, 0.5])
    >>> found[["of", "share", "estimate"]].round(2)
                   of  share  estimate
    0             raw    NaN      0.27
    1        modelled    NaN      0.27
    2  poststratified    NaN      0.31
    3             SMD    0.5      0.42
    4              PR    0.5      0.20
    """
    found = kinds(model, cells, weight, by, level, new_levels)
    return estimates(found, found.census if shares is None else normalised(found, shares))


def groupings(model: Estimated, cells: pd.DataFrame, weight: str) -> list[str]:
    """The columns of the cells that the model knows and that make 2 to 6 kinds."""
    formula = model.design.formula
    known = set(model.design.data.columns) - {weight, formula.response, formula.trials}
    return [
        str(name)
        for name in cells.columns
        if name in known and FEWEST <= cells[name].nunique() <= MOST
    ]


def kinds(
    model: Estimated,
    cells: pd.DataFrame,
    weight: str = "n",
    by: str | None = None,
    level: float = 0.9,
    new_levels: str = "error",
) -> Kinds:
    """All that does not depend on the shares; `poststrat_frame` says of what."""
    _check(model)
    check_level(level)
    frame, counts = counted(cells, weight)
    names, kind = _of(model, frame, weight, by)
    people = np.bincount(kind, counts, minlength=len(names))
    if not (people > 0).all():
        empty = names[int(np.argmin(people))]
        raise DataError(f"nobody of the population has the kind {empty!r}; leave its cells out")
    by = str(by) if by is not None else groupings(model, frame, weight)[0]
    of_kind = scipy.sparse.csr_array(
        (counts / people[kind], (kind, np.arange(len(frame)))), (len(names), len(frame))
    )
    shown = np.linspace(0, len(frame) - 1, min(len(frame), MOST_CELLS)).round().astype(np.intp)
    single = scipy.sparse.eye_array(len(frame), format="csr")[shown]
    every = scipy.sparse.vstack([of_kind, single], format="csr")
    drawn = average_draws(model, frame, every, new_levels=new_levels)
    trials = observed_trials(model.design)
    sample = np.bincount(_codes(model.design.data[by], names), trials, minlength=len(names))
    return Kinds(
        by, names, people / people.sum(), sample / sample.sum(), drawn[: len(names)],
        _raw(model, level), _modelled(model, trials, level), drawn[len(names) :].mean(axis=1),
        kind[shown], len(frame), float(trials.sum()), level,
    )  # fmt: skip


def estimates(found: Kinds, shares: Array) -> pd.DataFrame:
    """The table of `poststrat_frame` at shares that add up to 1."""
    whole = shares @ found.draws
    rows = described(np.vstack([whole, found.draws]), found.level)
    above = np.column_stack([found.raw, found.modelled])
    table = {
        name: np.concatenate([above[i], values]) for i, (name, values) in enumerate(rows.items())
    }
    blank = [np.nan] * 3
    labels = {
        "of": ["raw", "modelled", "poststratified", *map(str, found.names)],
        "share": [*blank, *shares],
        "census": [*blank, *found.census],
    }
    return pd.DataFrame(labels | table)


def normalised(found: Kinds, shares: Any) -> Array:
    """Shares as given, made to add up to 1.

    Raises
    ------
    DataError
        Not one number, 0 or larger, for each kind, or nothing but zeros.
    """
    try:
        values = np.asarray(shares, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    fine = values.shape == (len(found.names),) and np.isfinite(values).all()
    if not fine or (values < 0).any() or not values.sum() > 0:
        listed = ", ".join(map(repr, found.names))
        raise DataError(
            f"shares must be {len(found.names)} numbers, one for each of {listed}, 0 or larger "
            f"and not all 0; {shares!r} was given"
        )
    whole = values.sum()
    return values if abs(whole - 1.0) < 1e-9 else np.asarray(values / whole)


def turned(found: Kinds, shares: Array, k: int, share: float) -> Array:
    """Shares with the k-th turned to `share`, and the others in their proportions in the rest.

    They are rounded to four digits, and add up to 1. Where all others are 0, they come back in
    the proportions of the census.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> census = SimpleNamespace(census=np.array([0.5, 0.3, 0.2]))
    >>> turned(census, np.array([0.5, 0.3, 0.2]), 2, 0.6).tolist()
    [0.25, 0.15, 0.6]
    """
    others = np.arange(len(shares)) != k
    weights = np.where(others, shares, 0.0)
    if not weights.sum() > 0:
        weights = np.where(others, found.census, 0.0)
    out: Array = np.round(weights / weights.sum() * (1.0 - share), DIGITS)
    out[k] = np.round(share, DIGITS)
    largest = int(np.argmax(np.where(others, out, -1.0)))
    out[largest] = np.round(max(1.0 - (out.sum() - out[largest]), 0.0), DIGITS)
    return out


# --- what is given --------------------------------------------------------------------------


def _check(model: Any) -> None:
    if not isinstance(model, Fit | Posterior):
        raise DataError(f"the model must be a fit or a posterior; a {type(model).__name__} is not")
    if model.family.name != "binomial":
        raise DataError(f"the model must be binomial, for rates; this one is {model.family.name}")


def _of(
    model: Estimated, frame: pd.DataFrame, weight: str, by: str | None
) -> tuple[tuple[Any, ...], Index]:
    """The kinds, and that of each cell."""
    possible = groupings(model, frame, weight)
    if not possible:
        raise DataError(
            f"no column of the cells that the model knows has {FEWEST} to {MOST} values to weight "
            f"by; columns are {list(frame.columns)[:30]}"
        )
    by = possible[0] if by is None else by
    if by not in possible:
        raise DataError(f"by={by!r}; columns with {FEWEST} to {MOST} values are {possible}")
    values = frame[by]
    there = set(values)
    if isinstance(values.dtype, pd.CategoricalDtype):
        names = tuple(v for v in values.cat.categories if v in there)
    else:
        names = tuple(pd.unique(values))
    return names, _codes(values, names)


def _codes(values: pd.Series, names: tuple[Any, ...]) -> Index:
    """The place of each value among the names; a DataError where it has none."""
    codes = pd.Index(names).get_indexer(pd.Index(values))
    if (codes < 0).any():
        strange = values.iloc[int(np.argmax(codes < 0))]
        raise DataError(f"respondents of the kind {strange!r} are in no cell; add such cells")
    return codes.astype(np.intp)


def _raw(model: Estimated, level: float) -> Array:
    design = model.design
    n = design.trials.sum()
    p = design.y.sum() / n
    se = np.sqrt(p * (1 - p) / n)
    reach = normal_quantile(level) * se
    return np.array([p, se, p - reach, p + reach])


def _modelled(model: Estimated, trials: NDArray[np.float64], level: float) -> Array:
    """The model's rates where the respondents are; equal rows once."""
    rows, first, where = np.unique(model.design.rows, return_index=True, return_inverse=True)
    weights = np.bincount(where, trials, minlength=len(rows))
    one = model.design.data.iloc[first].reset_index(drop=True)
    drawn = average_draws(model, one, (weights / weights.sum())[None, :])
    return np.array([values.item() for values in described(drawn, level).values()])
