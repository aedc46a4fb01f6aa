"""First differences, second differences and marginal effects, with intervals.

A quantity of interest compares expected outcomes between values of a predictor, everything
else of a row held where it is (King, Tomz & Wittenberg 2000, Am. J. Polit. Sci. 44(2)):

    first difference     mu(hi) - mu(lo)
    second difference    [mu(hi, b) - mu(lo, b)] - [mu(hi, a) - mu(lo, a)]
    marginal effect      d mu / d x

for each row of `newdata`, or averaged over rows. What they have in common is in `quantity`; a fit
answers by the delta method (`delta_method`), a posterior draw by draw (`by_draw`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from hierwidgets.base.checks import Seed, check_names
from hierwidgets.errors import DataError, FormulaError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import Design, NewRows

from . import by_draw, delta_method
from . import contrasts as asked
from .contrasts import Contrast, Point
from .quantity import Quantity, Request

__all__ = ["comparisons", "slopes"]


_ADDED = ("term", "contrast", "estimate", "std_error", "conf_low", "conf_high")


def comparisons(
    fit: Fit | Posterior,
    variables: str | Sequence[str] | Mapping[str, Any],
    newdata: pd.DataFrame | None = None,
    *,
    cross: bool = False,
    across: str | Mapping[str, Any] | None = None,
    comparison: str = "difference",
    by: str | Sequence[str] | None = None,
    average: bool = False,
    re_formula: str | None = None,
    new_levels: str = "error",
    interval: float | None = 0.9,
    conditional: bool = False,
    scale: str = "response",
    adjust: str | None = None,
    seed: Seed = 0,
) -> pd.DataFrame:
    r"""First and second differences of the expected outcome.

    .. math:: \hat\mu_i(x = \text{hi}) - \hat\mu_i(x = \text{lo})

    Parameters
    ----------
    fit
        A fit, or a posterior: then draw by draw, the estimate their median, the interval their
        quantiles.
    variables
        What changes, one contrast at a time. A mapping names the change of each variable:
        ``[lo, hi]``; for numbers also a step such as ``1`` (half of it to either side of the
        row's own value), ``"sd"``, ``"iqr"`` or ``"minmax"`` of the data of the fit; for text
        and categories also ``"reference"`` (every level against the first) or ``"pairwise"``.
        A name alone means 1, or True against False, 1 against 0, or "reference".
    newdata
        Rows at which to compare; None for the data of the fit. A variable whose `lo` and `hi`
        are given need not be a column.
    cross
        Change all variables together instead of one after the other.
    across
        One more variable, written as in `variables`: the second difference, that is, how much
        the comparison differs between its two values.
    comparison
        "difference"; "ratio", its logarithm "lnratio", or the log odds ratio "lnor".
    by, average
        Average over the rows that agree in the columns `by`, or over all rows. The ratio of
        an average is the ratio of the averages.
    re_formula, new_levels
        As in `Fit.predict`: None keeps every group effect and "~0" none; for an unseen level
        "error", "population" (effect 0) or "sample" (effect unknown, 0 at best guess).
    interval
        Level of the intervals, or None for estimates alone.
    conditional
        Take the group effects as known at their modes; only the coefficients are uncertain.
    scale
        "response" (probability, expected count) or "link".
    adjust
        For several answers of a fit, taken together: "holm" adds p values adjusted by Holm's
        method and leaves each interval to its own answer; "max-t" makes intervals that hold all
        at once with probability `interval`, and the p values that belong to them.
    seed
        Of the 200,000 draws behind "max-t".

    Returns
    -------
    DataFrame
        ``term``, ``contrast``, the columns of `newdata` (or those of `by`, or none),
        ``estimate``, ``std_error``, ``conf_low``, ``conf_high``, and with `adjust` ``p_value``
        (of no difference; of a ratio of 1). Intervals are symmetric, except that of a ratio,
        which is made on the log scale.

    Raises
    ------
    FormulaError
        A variable that is not a predictor of the model; a column that is not in `newdata`.
    DataError, NewLevelError
        Values, levels or arguments that cannot be used.

    Notes
    -----
    Standard errors are by the delta method with the joint covariance of coefficients and
    group effects (Kass & Steffey 1989). At a singular fit the collapsed direction counts as
    known, so intervals are too short there.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> found = hw.comparisons(fit, {"district_competitiveness": [0.5, 0.9]}, average=True,
    ...                        re_formula="~0")
    >>> found["contrast"].item()
    '0.9 - 0.5'
    >>> found[["estimate", "std_error", "conf_low", "conf_high"]].round(3)
       estimate  std_error  conf_low  conf_high
    0     0.333       0.08     0.201      0.465
    """
    design = _design(fit)
    frame = _rows(design, newdata)
    contrasts = asked.contrasts(design, frame, variables, cross, comparison)
    if across is not None:
        contrasts = asked.interacted(design, frame, contrasts, across)
    request = Request(
        comparison, scale, by, average, re_formula, new_levels, interval, conditional, adjust, seed
    )
    return _answer(fit, frame, newdata is None, contrasts, request)


def slopes(
    fit: Fit | Posterior,
    variable: str | Sequence[str],
    newdata: pd.DataFrame | None = None,
    *,
    across: str | Mapping[str, Any] | None = None,
    by: str | Sequence[str] | None = None,
    average: bool = False,
    re_formula: str | None = None,
    new_levels: str = "error",
    interval: float | None = 0.9,
    conditional: bool = False,
    scale: str = "response",
    adjust: str | None = None,
    seed: Seed = 0,
) -> pd.DataFrame:
    r"""Marginal effects of numeric predictors.

    .. math:: \frac{\partial \hat\mu_i}{\partial x_i}

    by differences through three points 1e-4 sd apart, centred on the row's value (at the
    edges of the data: to the inside, since a spline has no outside).

    Parameters
    ----------
    fit, newdata, by, average, re_formula, new_levels, interval, conditional, scale, adjust, seed
        As in `comparisons`.
    variable
        Name of a numeric predictor, or several.
    across
        A variable, written as in `comparisons`: how much the marginal effect differs between
        its two values.

    Returns
    -------
    DataFrame
        As `comparisons`; the contrast is ``dY/dX``.

    Raises
    ------
    FormulaError
        A variable that is not a predictor of the model.
    DataError
        A predictor that is not numeric: use `comparisons`.

    Examples
    --------
    >>> import hierwidgets as hw, pandas as pd
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> at = pd.DataFrame({"district_competitiveness": [0.5, 0.9]})
    >>> hw.slopes(fit, "district_competitiveness", at, re_formula="~0")["estimate"].round(2)
    0    0.59
    1    0.97
    Name: estimate, dtype: float64
    """
    design = _design(fit)
    frame = _rows(design, newdata)
    names = [variable] if isinstance(variable, str) else list(variable)
    contrasts = [asked.slope(design, frame, name) for name in names]
    if across is not None:
        contrasts = asked.interacted(design, frame, contrasts, across)
    request = Request(
        "difference", scale, by, average, re_formula, new_levels, interval, conditional, adjust,
        seed,
    )  # fmt: skip
    return _answer(fit, frame, newdata is None, contrasts, request)


# --- what is asked ------------------------------------------------------------------------


def _design(fit: Fit | Posterior) -> Design:
    if not isinstance(fit, Fit | Posterior):
        raise DataError(
            f"the first argument must be a fit or a posterior; a {type(fit).__name__} was given"
        )
    return fit.design


def _rows(design: Design, newdata: pd.DataFrame | None) -> pd.DataFrame:
    frame = design.data if newdata is None else prediction.as_frame(newdata)
    if len(frame) == 0:
        raise DataError("newdata has no rows; give at least one")
    return frame.reset_index(drop=True)


# --- answers ------------------------------------------------------------------------------


def _answer(
    fit: Fit | Posterior,
    frame: pd.DataFrame,
    own_data: bool,
    contrasts: list[Contrast],
    request: Request,
) -> pd.DataFrame:
    labels, weights = _groups(frame, request)
    added = _ADDED if request.adjust is None else (*_ADDED, "p_value")
    check_names(labels.columns, added, not own_data)
    points = [p for contrast in contrasts for p in contrast.points]
    stacked = pd.concat([_changed(frame, p) for p in points], ignore_index=True)
    new = _new_rows(fit, stacked, len(frame), own_data, request)
    quantity = Quantity(stacked, new, tuple(contrasts), weights, request)
    if isinstance(fit, Fit):
        columns = delta_method.columns(fit, quantity)
    elif request.conditional:
        raise DataError("conditional=True is for fits; draws carry the effects' uncertainty")
    elif request.adjust is not None:
        raise DataError(f"adjust={request.adjust!r} is for fits; draws answer without a test")
    else:
        columns = by_draw.columns(fit, quantity)
    n = len(labels)
    parts = []
    for i, contrast in enumerate(contrasts):
        own = {name: values[i * n : (i + 1) * n] for name, values in columns.items()}
        named = labels.reset_index(drop=True).assign(**own)
        named.insert(0, "contrast", contrast.label)
        named.insert(0, "term", contrast.term)
        parts.append(named)
    return pd.concat(parts, ignore_index=True)


def _changed(frame: pd.DataFrame, point: Point) -> pd.DataFrame:
    """A counterfactual copy of the rows."""
    copy = frame.copy(deep=False)
    for name, values in point.columns.items():
        copy[name] = values
    return copy


def _groups(frame: pd.DataFrame, request: Request) -> tuple[pd.DataFrame, Any]:
    """What labels an answer, and the weights (answers, rows) that average the rows."""
    n = len(frame)
    if request.by is None and not request.average:
        return frame, scipy.sparse.eye_array(n, format="csr")
    if request.by is None:
        return pd.DataFrame(index=[0]), scipy.sparse.csr_array(np.full((1, n), 1.0 / n))
    by = [request.by] if isinstance(request.by, str) else list(request.by)
    absent = [c for c in by if c not in frame.columns]
    if absent or not by:
        raise FormulaError(f"by={request.by!r}: columns are {list(frame.columns)[:30]}")
    codes = frame.groupby(by, sort=True, observed=True, dropna=False).ngroup().to_numpy()
    labels = frame[by].iloc[np.unique(codes, return_index=True)[1]]
    size = np.bincount(codes)
    return labels, scipy.sparse.csr_array(
        (1.0 / size[codes], (codes, np.arange(n))), (len(size), n)
    )


def _new_rows(
    fit: Fit | Posterior, stacked: pd.DataFrame, rows: int, own_data: bool, request: Request
) -> NewRows:
    """The counterfactual copies of `rows`; those of the data of the fit carry its offset along."""
    design = fit.design
    kept = prediction.kept_columns(design, request.re_formula)
    _check_complete(design, stacked, rows, kept)
    offset = None
    if own_data and design.offset_column is None:
        offset = np.tile(design.offset[design.rows], len(stacked) // rows)
    new = prediction.rows_of(design, stacked, kept, request.new_levels, offset)
    if not np.isfinite(new.X).all():
        raise DataError("a predictor is not finite at the values compared; choose other values")
    return new


def _check_complete(
    design: Design, stacked: pd.DataFrame, rows: int, kept: list[NDArray[np.bool_]]
) -> None:
    """Missing values, counted in the rows that were given."""
    needed = asked.needed_columns(design, kept)
    holes = stacked[[c for c in stacked.columns if c in needed]].isna()
    where = {c: int(np.unique(np.flatnonzero(holes[c]) % rows).size) for c in holes.columns}
    found = {c: count for c, count in where.items() if count}
    if found:
        raise DataError(
            f"newdata has missing values; rows by column, of {rows}: {found}; remove them"
        )
