"""No, partial and complete pooling side by side: estimates, ranks and who overtakes whom."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..results import Fit
from ._pooling import pooling_frame

__all__ = ["comparison_frame", "crossing_pairs", "n_classes", "named_fits"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DIGITS = 8  # estimates closer than this are equal but for rounding


def comparison_frame(fit: Fit) -> pd.DataFrame:
    r"""The three estimates of every level, and its rank under no and under partial pooling.

    .. math:: \hat\pi^{no}_j = y_j / n_j, \qquad
              \hat\pi^{complete} = \sum_j y_j \Big/ \sum_j n_j,

    and the partial pooling estimate of `pooling_frame`, whose target
    :math:`g^{-1}(\mu)` is not the complete pooling rate: a mean on the link scale counts the
    levels almost equally and is carried back through a curve, the overall rate counts the trials.
    Source: Gelman & Hill (2007), section 12.2.

    Parameters
    ----------
    fit
        A binomial fit with one grouping factor whose intercept varies, ``(1 | group)``.

    Returns
    -------
    DataFrame
        One row per level, in the fit's order: ``level``, ``n``; the rates ``no_pooling``,
        ``partial_pooling``, ``complete_pooling`` and ``target`` (0 to 1); ``rank_no`` and
        ``rank_partial``, 1 for the highest rate, with the mean rank where levels are equal;
        ``rank_change``, places gained by partial pooling; ``crossings``, the number of levels
        that stand on the other side of it after partial pooling (ties never count).

    Raises
    ------
    DataError
        If `fit` is something else.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.widgets import comparison_frame
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> frame = comparison_frame(fit).set_index("level")
    >>> frame.loc["District 309", ["rank_no", "rank_partial", "crossings"]].astype(int).tolist()
    [1, 2, 1]
    """
    pooled = pooling_frame(fit)
    raw, estimate = pooled["raw"].round(DIGITS), pooled["estimate"].round(DIGITS)
    ranks = (values.rank(ascending=False) for values in (raw, estimate))
    rank_no, rank_partial = ranks
    overall = float(np.average(pooled["raw"], weights=pooled["n"]))
    return pd.DataFrame(
        {
            "level": pooled["level"],
            "n": pooled["n"],
            "no_pooling": pooled["raw"],
            "partial_pooling": pooled["estimate"],
            "complete_pooling": overall,
            "target": pooled["target"],
            "rank_no": rank_no,
            "rank_partial": rank_partial,
            "rank_change": rank_no - rank_partial,
            "crossings": _crossed(raw.to_numpy(), estimate.to_numpy()).sum(axis=1),
        }
    )


def crossing_pairs(fit: Fit) -> pd.DataFrame:
    """The pairs of levels that change places between no and partial pooling.

    Parameters
    ----------
    fit
        As for `comparison_frame`.

    Returns
    -------
    DataFrame
        ``upper``, the level with the higher raw rate, and ``lower``, which has the higher
        partial pooling estimate; the highest raw rates first.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> crossing_pairs(fit).iloc[0].tolist()
    ['District 309', 'District 308']
    """
    frame = comparison_frame(fit)
    order = frame["no_pooling"].round(DIGITS).sort_values(ascending=False, kind="stable").index
    ordered = frame.loc[order]
    upper, lower = np.nonzero(np.triu(crossed_with_each(ordered)))
    levels = ordered["level"].to_numpy()
    return pd.DataFrame({"upper": levels[upper], "lower": levels[lower]})


def crossed_with_each(frame: pd.DataFrame) -> Flags:
    """For every two rows of a `comparison_frame`: whether they change places."""
    columns = (frame[name].round(DIGITS) for name in ("no_pooling", "partial_pooling"))
    return _crossed(*(column.to_numpy() for column in columns))


def _crossed(before: Floats, after: Floats) -> Flags:
    def above(values: Floats) -> Floats:
        return np.sign(values[:, None] - values)

    return np.asarray(above(before) * above(after) < 0)


def n_classes(n: Floats, most: int = 3) -> tuple[NDArray[np.intp], list[str]]:
    """A class for each size: a few of about equally many levels, and what they are called.

    Parameters
    ----------
    n : (J,)
        Trials of each level.
    most
        At most so many classes.

    Returns
    -------
    classes : (J,) int
        0 for the smallest levels.
    names : list of str
        One per class that occurs: ``"n = 1"``, ``"n = 2 to 3"``.

    Examples
    --------
    >>> classes, names = n_classes(np.array([1.0, 1, 2, 3, 3, 10]))
    >>> classes.tolist(), names
    ([0, 0, 1, 1, 1, 2], ['n = 1', 'n = 2 to 3', 'n = 10'])
    """
    sizes = np.unique(n)
    edges = sizes[1:]  # a class of its own for each
    if len(sizes) > most:
        cuts = np.quantile(n, np.arange(1, most) / most, method="higher")
        edges = np.unique(sizes[np.minimum(np.searchsorted(sizes, cuts, "right"), len(sizes) - 1)])
    codes = np.searchsorted(edges, n, side="right")
    used, classes = np.unique(codes, return_inverse=True)
    parts = (n[codes == code] for code in used)
    return np.asarray(classes), [_span(float(part.min()), float(part.max())) for part in parts]


def _span(low: float, high: float) -> str:
    return f"n = {low:g}" if low == high else f"n = {low:g} to {high:g}"


def named_fits(fits: Fit | Mapping[str, Fit]) -> dict[str, Fit]:
    """One fit under the name of its formula, or the fits under the names given.

    Raises
    ------
    DataError
        No fit, a name that is no text, or a fit that has other groups than a single scalar one.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> list(named_fits({"Finland": fit}))
    ['Finland']
    """
    found: dict[Any, Fit] = dict(fits) if isinstance(fits, Mapping) else {_name(fits): fits}
    if not found:
        raise DataError("give a fit, or a dict of named fits; an empty dict was given")
    for name, fit in found.items():
        if not isinstance(name, str) or not name:
            raise DataError(f"the names of the fits must be texts; {name!r} was given")
        pooling_frame(fit)  # which refuses what cannot be shown
    return found


def _name(fit: object) -> str:
    return str(fit.design.formula) if isinstance(fit, Fit) else "fit"
