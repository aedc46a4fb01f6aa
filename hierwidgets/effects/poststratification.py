"""From a fit to a population: averages of the cells' expected outcomes, weighted by their counts.

A survey says how the people of a cell answer; a census says how many they are (Gelman & Little
1997, Survey Methodology 23(2); Park, Gelman & Bafumi 2004, Political Analysis 12(4)):

    theta = sum_j N_j theta_j / sum_j N_j,    theta_j = inverse link(eta_j)

over the cells j of the population, or of a part of it. It is computed draw by draw, so that what
is uncertain for many cells at once stays so in their average.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import scipy

from hierwidgets.base.arrays import Array, Index
from hierwidgets.base.checks import Seed, check_level, check_seed, check_whole
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.joint_covariance import effect_rows, joint_covariance, spread
from hierwidgets.likelihood.joint_draws import joint_draws
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import NewRows
from hierwidgets.spec.frames import as_frame, numeric

__all__ = ["average_draws", "counted", "described", "poststratify"]

_ANSWERS = ("n", "estimate", "std_error", "conf_low", "conf_high")
_CHUNK = 4_000_000  # numbers of one block of predictions


def poststratify(
    fit: Fit | Posterior,
    cells: pd.DataFrame,
    weight: str = "n",
    by: str | Sequence[str] | None = None,
    level: float = 0.9,
    *,
    re_formula: str | None = None,
    new_levels: str = "error",
    draws: int = 4000,
    seed: Seed = 0,
) -> pd.DataFrame:
    r"""The expected outcome of a population, from the estimates of its cells.

    .. math:: \hat\theta = \frac{\sum_j N_j \hat\theta_j}{\sum_j N_j}

    Parameters
    ----------
    fit
        A fit: then coefficients and group effects are drawn together from their joint normal
        approximation. Or a posterior: then its own draws are used, as in
        `Posterior.epred_draws`.
    cells
        One row per cell: the model's predictors and grouping factors, and how many people the
        cell has in the population.
    weight
        The column of these counts; shares do as well. A cell of weight 0 counts nothing.
    by
        Columns of `cells`: an answer for each of their values instead of one for all.
    level
        Confidence level of the intervals.
    re_formula, new_levels
        As in `Fit.predict`. A cell of a group that the survey did not reach needs
        "population" (effect 0) or, more honest, "sample" (effect unknown, with the fitted sd).
    draws, seed
        For a fit: how many draws, an even number, in pairs of opposite sign; and where their
        random numbers start. With 4,000 draws a standard error is right to about 1 %.

    Returns
    -------
    DataFrame
        The columns of `by`, then ``n`` (the population, the sum of the weights), ``estimate``
        (the mean of the draws, so that parts add up to their whole), ``std_error`` (their sd),
        ``conf_low`` and ``conf_high`` (their quantiles).

    Raises
    ------
    DataError
        No such column; weights missing, negative or not numbers; a part without people.
    FormulaError, NewLevelError
        A predictor is not in `cells`; a group that the fit has not seen.

    Notes
    -----
    The interval knows what the model does not know: coefficients, group effects and, for a fit,
    to first order the sds of the groups (Kass & Steffey 1989). Counts are taken as known, and
    the people of a cell who answered as like those who did not. At a singular fit the collapsed
    direction counts as known, so intervals are too short there.

    References
    ----------
    Gelman & Little (1997), Survey Methodology 23(2), 127-135. Park, Gelman & Bafumi (2004),
    Political Analysis 12(4), 375-385.

    Examples
    --------
    >>> import hierwidgets as hw, pandas as pd
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    >>> cells = pd.DataFrame({"district_id": ["District 309", "District 308"], "n": [1000, 3000]})
    >>> poststratify(fit, cells).round(2)
          n  estimate  std_error  conf_low  conf_high
    0  4000      0.27       0.04      0.21       0.34
    """
    _check_fit(fit)
    check_level(level)
    frame, counts = counted(cells, weight)
    labels, codes = _parts(frame, by)
    people: Array = np.bincount(codes, counts, minlength=len(labels)).astype(np.float64)
    _check_people(labels, people, weight)
    shares = scipy.sparse.csr_array(
        (counts / people[codes], (codes, np.arange(len(frame)))), (len(labels), len(frame))
    )
    values = average_draws(fit, frame, shares, re_formula, new_levels, draws, seed)
    whole = bool((counts == np.floor(counts)).all())
    found = {"n": people.astype(np.int64) if whole else people} | described(values, level)
    return labels.assign(**found)


# --- averages of cells ----------------------------------------------------------------------


def average_draws(
    fit: Fit | Posterior,
    cells: pd.DataFrame,
    shares: Any,
    re_formula: str | None = None,
    new_levels: str = "error",
    draws: int = 4000,
    seed: Seed = 0,
) -> Array:
    """Draws of weighted averages of the cells' expected outcomes: (averages, draws).

    Parameters
    ----------
    shares : (averages, cells), dense or sparse
        The weights; each row adds up to 1.
    """
    _check_fit(fit)
    kept = prediction.kept_columns(fit.design, re_formula)
    new = prediction.rows_of(fit.design, cells, kept, new_levels)
    sample = new_levels == "sample"
    predictor: Callable[..., Array]
    if isinstance(fit, Posterior):
        size = fit.draws.sigma.size
        predictor = partial(fit.predictor, new, cells, kept, new_levels, seed=0)
    else:
        size = check_whole(draws, "draws", least=2)
        if size % 2:
            raise DataError(f"draws={draws!r}; they come in pairs, so give an even number")
        predictor = _of_fit(fit, new, cells if sample else None, size, check_seed(seed))
    step = max(1, _CHUNK // len(cells))
    pieces = [slice(a, min(a + step, size)) for a in range(0, size, step)]
    inverse = fit.family.link.inverse
    return np.concatenate([shares @ inverse(predictor(pick=p))[0] for p in pieces], axis=1)


def _of_fit(
    fit: Fit, new: NewRows, strange: pd.DataFrame | None, size: int, rng: np.random.Generator
) -> Callable[..., Array]:
    """A function of `pick`: those draws of the cells' linear predictor, (cells, picked).

    `strange` are the cells, if levels that the fit has not seen get an effect drawn at random.
    """
    known = joint_covariance(fit.design, fit.family, fit.theta, fit.beta, fit.covariance, fit.sigma)
    beta, effects = joint_draws(known, len(fit.beta), size, rng)
    centre = prediction.linear_predictor(new, fit.beta, fit.modes.b)
    pairs = list(zip(effect_rows(fit.design, new), effects, strict=True))
    if strange is not None:
        for rows in _unseen_rows(fit, new, strange):
            half = rng.standard_normal((rows.shape[1], size // 2))
            pairs.append((rows, fit.sigma * np.hstack([half, -half])))

    def predictor(pick: slice) -> Array:
        eta: Array = centre[:, None] + new.X @ beta[:, pick]
        for Z, b in pairs:
            eta += Z @ b[:, pick]
        return eta

    return predictor


def _unseen_rows(fit: Fit, new: NewRows, cells: pd.DataFrame) -> Iterator[Any]:
    """Per term with unseen levels, the rows (cells, levels * k) of their standard effects u."""
    factors = fit.design.template.factors(fit.theta)
    for term, codes, Z, L in zip(fit.design.terms, new.codes, new.Z, factors, strict=True):
        strange = (codes < 0) & Z.any(axis=1)
        if strange.any():
            names = prediction.labels(cells.loc[strange], term.factors)
            level, unique = pd.factorize(names)
            at = np.zeros(len(cells), dtype=np.intp)
            at[strange] = level
            yield spread(at, np.where(strange[:, None], Z @ L, 0.0), len(unique))


def described(values: Array, level: float) -> dict[str, Array]:
    """estimate, std_error, conf_low and conf_high of draws (answers, draws)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return {
        "estimate": values.mean(axis=1),
        "std_error": values.std(axis=1, ddof=1),
        "conf_low": low,
        "conf_high": high,
    }


# --- what is given --------------------------------------------------------------------------


def _check_fit(fit: Any) -> None:
    if not isinstance(fit, Fit | Posterior):
        raise DataError(
            f"the first argument must be a fit or a posterior; a {type(fit).__name__} was given"
        )


def counted(cells: Any, weight: str) -> tuple[pd.DataFrame, Array]:
    """The cells as a frame, and how many people each has."""
    frame = as_frame(cells).reset_index(drop=True)
    have = list(frame.columns)
    if weight not in have:
        raise DataError(
            f"weight={weight!r} is not a column of the cells; give the one that holds their "
            f"counts; columns are {have[:30]}"
        )
    if len(frame) == 0:
        raise DataError("the cells have no rows; give at least one")
    if frame[weight].isna().any():
        raise DataError(
            f"{int(frame[weight].isna().sum())} of {len(frame)} cells have no weight: {weight!r} "
            "is missing there; write 0 for a cell without people"
        )
    counts = numeric(frame[weight].infer_objects(), "weights")
    if not np.isfinite(counts).all() or (counts < 0).any():
        worst = counts[~np.isfinite(counts) | (counts < 0)][0]
        raise DataError(f"weights must be finite and 0 or larger; {weight!r} holds {worst:g}")
    return frame, counts


def _parts(frame: pd.DataFrame, by: str | Sequence[str] | None) -> tuple[pd.DataFrame, Index]:
    """The labels of the parts of the population, and the part of each cell."""
    if by is None:
        return pd.DataFrame(index=[0]), np.zeros(len(frame), dtype=np.intp)
    names = [by] if isinstance(by, str) else list(by)
    if not names or any(name not in frame.columns for name in names):
        raise DataError(f"by={by!r}: columns of the cells are {list(frame.columns)[:30]}")
    if taken := [name for name in names if name in _ANSWERS]:
        raise DataError(f"by={by!r}: the result has a column {taken[0]!r} of its own; rename it")
    found = frame.groupby(names, sort=True, observed=True, dropna=False).ngroup()
    codes: Index = found.to_numpy().astype(np.intp)
    first = np.unique(codes, return_index=True)[1]
    return frame[names].iloc[first].reset_index(drop=True), codes


def _check_people(labels: pd.DataFrame, people: Array, weight: str) -> None:
    if (people > 0).all():
        return
    empty = labels[people <= 0]
    where = "" if labels.columns.empty else f" in {empty.iloc[0].to_dict()}"
    raise DataError(
        f"the weights {weight!r} add up to 0{where}: nobody to average over; leave such cells out"
    )
