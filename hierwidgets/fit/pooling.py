"""No, complete and partial pooling, as frames with one row per level of the grouping factor.

No pooling estimates every level from its own rows alone. Complete pooling gives every level
the overall rate. Partial pooling is what a hierarchical model does in between.
All three return the same columns: ``level n estimate std_error conf_low conf_high``.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, normal_quantile
from hierwidgets.base.checks import check_level
from hierwidgets.errors import DataError
from hierwidgets.spec.frames import as_frame, indicator

from .fit import Fit

__all__ = ["complete_pooling", "no_pooling", "partial_pooling"]


def no_pooling(
    data: pd.DataFrame,
    outcome: str,
    group: str,
    *,
    event: object | None = None,
    level: float = 0.9,
    method: str = "wald",
) -> pd.DataFrame:
    r"""The proportion within each level, from that level's own rows alone.

    .. math:: \hat\pi_j = y_j / n_j, \qquad
              \widehat{\mathrm{SE}}_j = \sqrt{\hat\pi_j (1 - \hat\pi_j) / n_j}

    Parameters
    ----------
    data
        One row per observation.
    outcome
        The column with the binary outcome.
    group
        The column with the grouping factor.
    event
        The value of `outcome` that counts as 1; needed for text and categories.
    level
        Confidence level, between 0 and 1. The normal quantile is the exact one: 1.6449 for
        0.9, where a rounded 1.64 is often seen.
    method
        ``"wald"``: estimate plus or minus quantile times standard error, not clipped to [0, 1].
        ``"wilson"``: the score interval (Wilson 1927).
        ``"jeffreys"``: equal-tailed posterior interval under Beta(1/2, 1/2), with the lower end
        0 when y = 0 and the upper end 1 when y = n (Brown, Cai and DasGupta 2001, section 3.1).
        ``"exact"``: Clopper and Pearson (1934).

    Returns
    -------
    DataFrame
        ``level n estimate std_error conf_low conf_high``, one row per level that occurs, in
        category order for a categorical `group` and in sorted order otherwise. The standard
        error is the same for all methods.

    Raises
    ------
    DataError
        Unknown column, missing values, an empty frame, an unknown method, a level outside
        (0, 1), a two-level text outcome without `event`.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.fit.pooling import no_pooling
    >>> data = pd.DataFrame({"g": ["a"] * 4 + ["b"] * 5, "y": [0, 0, 1, 1, 0, 0, 0, 0, 1]})
    >>> no_pooling(data, "y", "g").round(3)
      level  n  estimate  std_error  conf_low  conf_high
    0     a  4       0.5      0.250     0.089      0.911
    1     b  5       0.2      0.179    -0.094      0.494
    """
    counts = _counts(data, outcome, group, event)
    return _frame(counts, counts["y"], counts["n"], level, method)


def complete_pooling(
    data: pd.DataFrame,
    outcome: str,
    group: str,
    *,
    event: object | None = None,
    level: float = 0.9,
    method: str = "wald",
) -> pd.DataFrame:
    r"""The overall proportion, repeated for every level.

    .. math:: \hat\pi = \sum_j y_j / \sum_j n_j

    Parameters, errors and columns are those of :func:`no_pooling`. ``n`` is still the level's
    own number of rows; estimate, standard error and interval are those of the overall
    proportion, from all rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.fit.pooling import complete_pooling
    >>> data = pd.DataFrame({"g": ["a"] * 4 + ["b"] * 5, "y": [0, 0, 1, 1, 0, 0, 0, 0, 1]})
    >>> complete_pooling(data, "y", "g", method="wilson").round(3)
      level  n  estimate  std_error  conf_low  conf_high
    0     a  4     0.333      0.157     0.142      0.602
    1     b  5     0.333      0.157     0.142      0.602
    """
    counts = _counts(data, outcome, group, event)
    overall = counts.assign(y=counts["y"].sum(), n=counts["n"].sum())
    return _frame(counts, overall["y"], overall["n"], level, method)


def partial_pooling(fit: Fit, level: float = 0.9) -> pd.DataFrame:
    r"""The rate of each level at its conditional mode, from a hierarchical model.

    .. math:: \tilde\pi_j = g^{-1}\bigl(x_j \hat\beta + \tilde b_j\bigr)

    with the inverse link :math:`g^{-1}` and the conditional mode :math:`\tilde b_j` of the level's
    effect given the estimated parameters (Bates et al. 2015, Journal of Statistical Software
    67(1), section 4.2).

    Parameters
    ----------
    fit
        A fit with a single group term, ``(1 | group)``; predictors constant within a level.
    level
        Confidence level, between 0 and 1. The interval is that of ``fit.predict``: symmetric on
        the link scale, and it includes the uncertainty of the estimated parameters.

    Returns
    -------
    DataFrame
        The columns and the row order of :func:`no_pooling`. For a binomial fit ``n`` is the
        number of trials, otherwise of rows. ``std_error`` is on the scale of the estimate, by
        the delta method.

    Raises
    ------
    DataError
        Another structure of groups, a prediction that varies within a level, a level outside
        (0, 1).

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.fit.pooling import partial_pooling
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    >>> frame = partial_pooling(fit).set_index("level")
    >>> frame.loc["District 309", ["n", "estimate"]].round(3).to_dict()
    {'n': 23.0, 'estimate': 0.268}
    """
    check_level(level)
    if not isinstance(fit, Fit):
        raise DataError(f"partial_pooling takes a fit; {type(fit).__name__} was given")
    group = _only_group(fit)
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    predicted = fit.predict(interval=level)
    by_level = predicted[columns].groupby(_labels(predicted[group]), observed=True, sort=True)
    spread = by_level.max() - by_level.min()
    if (spread["estimate"] > 1e-9).any():
        raise DataError(
            f"the prediction varies within a level of {group!r}: a predictor is not constant "
            "there; use fit.predict(newdata) with one row per level"
        )
    frame = by_level.mean().reset_index()
    frame.insert(1, "n", frame["level"].astype(object).map(_sizes(fit)).astype(int))
    return frame


def _only_group(fit: Fit) -> str:
    terms = fit.design.terms
    if len(terms) == 1 and terms[0].names == ("Intercept",) and len(terms[0].factors) == 1:
        return terms[0].factors[0]
    given = ", ".join(f"({' + '.join(term.names)} | {term.group})" for term in terms)
    raise DataError(f"one group term (1 | group) is needed, and the fit has {given}")


def _sizes(fit: Fit) -> dict[object, float]:
    """Trials per level of a binomial fit, rows per level of any other."""
    term, rows = fit.design.terms[0], fit.design.rows
    if fit.family.name == "binomial":
        counts = np.bincount(term.codes, fit.design.trials, minlength=term.J)
    else:
        counts = np.bincount(term.codes[rows], np.ones(len(rows)), minlength=term.J)
    return dict(zip(term.levels, counts, strict=True))


def _counts(data: pd.DataFrame, outcome: str, group: str, event: object | None) -> pd.DataFrame:
    """Events ``y`` and rows ``n`` per level, in level order."""
    data = as_frame(data)
    _check_columns(data, outcome, group)
    events = pd.Series(indicator(data[outcome], event))
    labels = _labels(data[group].reset_index(drop=True))
    counts = events.groupby(labels, observed=True, sort=True)
    return counts.agg(y="sum", n="size").reset_index()


def _labels(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
    return values.rename("level")


def _check_columns(data: pd.DataFrame, outcome: str, group: str) -> None:
    for column in (outcome, group):
        if column not in data.columns:
            raise DataError(f"{column!r} is not a column; columns are {list(data.columns)}")
        if (many := list(data.columns).count(column)) > 1:
            raise DataError(f"the data have {many} columns named {column!r}")
    if data.empty:
        raise DataError("the data have no rows; at least one row is needed")
    missing = int(data[group].isna().sum())
    if missing:
        raise DataError(
            f"grouping factor {group!r} has {missing} missing values; drop those rows first, "
            f"for example with data.dropna(subset=[{group!r}])"
        )


def _frame(
    counts: pd.DataFrame,
    events: "pd.Series[float]",
    trials: "pd.Series[int]",
    level: float,
    method: str,
) -> pd.DataFrame:
    y, n = np.asarray(events, dtype=float), np.asarray(trials, dtype=float)
    low, high = _interval(y, n, level, method)
    estimate = y / n
    return pd.DataFrame(
        {
            "level": counts["level"],
            "n": counts["n"],
            "estimate": estimate,
            "std_error": np.sqrt(estimate * (1 - estimate) / n),
            "conf_low": low,
            "conf_high": high,
        }
    )


def _interval(y: Array, n: Array, level: float, method: str) -> tuple[Array, Array]:
    if method not in _METHODS:
        raise DataError(f"method {method!r} is unknown; the methods are {list(_METHODS)}")
    check_level(level)
    return _METHODS[method](y, n, level)


def _wald(y: Array, n: Array, level: float) -> tuple[Array, Array]:
    p = y / n
    half = normal_quantile(level) * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


def _wilson(y: Array, n: Array, level: float) -> tuple[Array, Array]:
    """The proportions that a score test does not reject; roots of (p - pi)^2 = z^2 pi(1-pi)/n."""
    p, z = y / n, normal_quantile(level)
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return np.where(y == 0, 0.0, low), np.where(y == n, 1.0, high)


def _jeffreys(y: Array, n: Array, level: float) -> tuple[Array, Array]:
    return _beta_quantiles(y, n, level, (y + 0.5, n - y + 0.5), (y + 0.5, n - y + 0.5))


def _exact(y: Array, n: Array, level: float) -> tuple[Array, Array]:
    # A shape of 0 belongs to the ends y = 0 and y = n, which _beta_quantiles sets itself.
    low, high = (np.maximum(y, 0.5), n - y + 1), (y + 1, np.maximum(n - y, 0.5))
    return _beta_quantiles(y, n, level, low, high)


def _beta_quantiles(
    y: Array, n: Array, level: float, low: tuple[Array, Array], high: tuple[Array, Array]
) -> tuple[Array, Array]:
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    lower = np.where(y == 0, 0.0, betaincinv(*low, tail))
    upper = np.where(y == n, 1.0, betaincinv(*high, 1 - tail))
    return lower, upper


_METHODS: dict[str, Callable[[Array, Array, float], tuple[Array, Array]]] = {
    "wald": _wald,
    "wilson": _wilson,
    "jeffreys": _jeffreys,
    "exact": _exact,
}
