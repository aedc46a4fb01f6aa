"""No, partial and complete pooling side by side: estimates, ranks and who overtakes whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.words import Words, words_of

__all__ = [
    "ESTIMATES", "Compared", "Flags", "check_comparable", "compared", "comparison_frame",
    "crossed_with_each", "crossing_pairs", "most_moved", "n_classes", "n_span", "named_fits",
]  # fmt: skip

Flags = NDArray[np.bool_]

ESTIMATES = ("complete_pooling", "partial_pooling", "no_pooling")
DIGITS = 8  # estimates closer than this are equal but for rounding


def comparison_frame(fit: Fit) -> pd.DataFrame:
    r"""The three estimates of every level, and its rank under no and under partial pooling.

    .. math:: \hat\pi^{no}_j = y_j / n_j, \qquad
              \hat\pi^{complete} = \sum_j y_j \Big/ \sum_j n_j, \qquad
              \hat\pi^{partial}_j = g^{-1}(t_j + b_j),

    with the link :math:`g`, the target :math:`t_j` (:math:`\mu`, plus the mean of
    :math:`x\beta` over the level's trials where there are predictors) and the conditional mode
    :math:`b_j` of the level's effect. The target's value :math:`g^{-1}(t_j)` is not the complete
    pooling rate: a mean on the link scale counts the levels almost equally and is carried back
    through a curve, the overall rate counts the trials. For a Gaussian or Poisson outcome the
    rates are means. Source: Gelman & Hill (2007), section 12.2.

    Parameters
    ----------
    fit
        A fit with one grouping factor whose intercept varies, ``(1 | group)``.

    Returns
    -------
    DataFrame
        One row per level, in the fit's order: ``level``, ``n`` (trials of a binomial fit, else
        rows); ``no_pooling``, ``partial_pooling``, ``complete_pooling`` and ``target`` on the
        scale of the outcome; ``rank_no`` and ``rank_partial``, 1 for the highest, with the mean
        rank where levels are equal; ``rank_change``, places gained by partial pooling;
        ``crossings``, the number of levels that stand on the other side of it after partial
        pooling (ties never count).

    Raises
    ------
    DataError
        If `fit` is something else, or a Poisson fit with an offset: its raw means have
        different exposures.

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
    check_comparable(fit)
    frame = _estimates(fit)
    raw, estimate = (frame[name].round(DIGITS) for name in ("no_pooling", "partial_pooling"))
    rank_no, rank_partial = (values.rank(ascending=False) for values in (raw, estimate))
    return frame.assign(
        rank_no=rank_no,
        rank_partial=rank_partial,
        rank_change=rank_no - rank_partial,
        crossings=_crossed(raw.to_numpy(), estimate.to_numpy()).sum(axis=1),
    )


def _estimates(fit: Fit) -> pd.DataFrame:
    design, inverse = fit.design, fit.family.link.inverse
    term, gaussian = design.terms[0], fit.family.name == "gaussian"

    def by_level(values: Array) -> Array:
        return np.bincount(term.codes, values, minlength=term.J).astype(np.float64, copy=False)

    # a Gaussian design holds values and their weights, the others sums and their trials
    weight, total = design.trials, design.y * (design.trials if gaussian else 1.0)
    target = by_level(weight * (design.X @ fit.beta + design.offset)) / by_level(weight)
    rows = np.bincount(term.codes[design.rows], minlength=term.J).astype(np.float64)
    return pd.DataFrame(
        {
            "level": term.levels,
            "n": by_level(weight) if fit.family.name == "binomial" else rows,
            "no_pooling": by_level(total) / by_level(weight),
            "partial_pooling": inverse(target + fit.modes.b[0][:, 0])[0],
            "complete_pooling": float(total.sum() / weight.sum()),
            "target": inverse(target)[0],
        }
    )


def check_comparable(fit: object) -> None:
    """Refuse what has no three estimates of each level, and say what has."""
    wanted = "a fit with one (1 | group), as hw.glmer('y ~ 1 + (1 | group)', data) gives"
    if not isinstance(fit, Fit):
        raise DataError(f"the comparison needs {wanted}; a {type(fit).__name__} was given")
    if len(fit.design.terms) != 1 or fit.design.terms[0].names != ("Intercept",):
        varying = "; ".join(f"{', '.join(v.names)} by {v.group}" for v in fit.design.terms)
        raise DataError(f"the comparison needs {wanted}; in this fit vary {varying}")
    if fit.family.name == "poisson" and np.any(fit.design.offset != 0):
        raise DataError(
            "the comparison needs counts of equal exposure; this fit has an offset, so the raw "
            "means of its levels cannot be set beside its estimates"
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


def _crossed(before: Array, after: Array) -> Flags:
    def above(values: Array) -> Array:
        return np.sign(values[:, None] - values)

    return np.asarray(above(before) * above(after) < 0)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """What of the comparison a fit alone decides.

    Attributes
    ----------
    fit : Fit
    frame : DataFrame
        Its `comparison_frame`, a row for each of J levels.
    columns : dict of str to array
        The same column by column.
    crossed : (J, J) bool
        For every two levels: whether they change places.
    classes : (J,) int
        The class of n of each level; see `n_classes`.
    class_names : list of str
    digits : int
        Decimals that tell a thousandth of the spread of the estimates apart; three for rates.
    words : Words
        What its levels are called.
    """

    fit: Fit
    frame: pd.DataFrame
    columns: dict[str, NDArray[Any]]
    crossed: Flags
    classes: NDArray[np.intp]
    class_names: list[str]
    digits: int
    words: Words

    @property
    def group(self) -> str:
        """The grouping factor."""
        return self.fit.design.terms[0].group

    @property
    def levels(self) -> list[Any]:
        """Its levels, in the fit's order."""
        return list(self.frame["level"])

    @property
    def n_limits(self) -> tuple[float, float]:
        """The smallest and the largest n."""
        return float(self.columns["n"].min()), float(self.columns["n"].max())


def compared(fit: Fit, most: int = 3, words: Words | None = None) -> Compared:
    """A fit compared level by level, in at most so many classes of n, in these words.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> found = compared(fit)
    >>> found.group, found.n_limits, int(found.crossed.sum()) // 2
    ('district_id', (23.0, 179.0), 4)
    """
    frame = comparison_frame(fit)
    columns = {str(name): values.to_numpy() for name, values in frame.items()}
    classes, names = n_classes(columns["n"], most)
    crossed = crossed_with_each(frame)
    digits, words = _digits(fit, frame), words or words_of(fit)
    return Compared(fit, frame, columns, crossed, classes, names, digits, words)


def most_moved(found: Compared, most: int = 12) -> Flags:
    """The levels that change places with another; of more than so many, those that move furthest.

    How far is counted in places; a level that moves as far as the last of them is one too, but
    where that would be too many.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> int(most_moved(compared(fit)).sum()), int(most_moved(compared(fit), most=3).sum())
    (7, 1)
    """
    crossed = found.crossed.any(axis=1)
    if crossed.sum() <= most:
        return np.asarray(crossed)
    far = np.where(crossed, np.abs(found.columns["rank_change"]), 0.0)
    least = np.sort(far)[-most]
    tied, further = far >= least, far > least
    return np.asarray(further if tied.sum() > most and further.any() else tied)


def _digits(fit: Fit, frame: pd.DataFrame) -> int:
    if fit.family.name == "binomial":
        return 3
    values = frame[list(ESTIMATES)].to_numpy()
    spread = float(np.ptp(values)) or abs(float(values.flat[0])) or 1.0
    return int(np.clip(2 - np.floor(np.log10(spread)), 0, 12))


def n_classes(n: Array, most: int = 3) -> tuple[NDArray[np.intp], list[str]]:
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
        One per class that occurs: ``"n = 1 to 2"``, ``"n = 3"``.

    Examples
    --------
    >>> classes, names = n_classes(np.array([1.0, 1, 2, 3, 3, 10]))
    >>> classes.tolist(), names
    ([0, 0, 0, 1, 1, 2], ['n = 1 to 2', 'n = 3', 'n = 10'])
    """
    sizes = np.unique(n)
    edges = sizes[1:]  # a class of its own for each
    if len(sizes) > most:
        cuts = np.quantile(n, np.arange(1, most) / most, method="higher")
        edges = np.unique(sizes[np.minimum(np.searchsorted(sizes, cuts, "right"), len(sizes) - 1)])
    codes = np.searchsorted(edges, n, side="right")
    used, classes = np.unique(codes, return_inverse=True)
    parts = (n[codes == code] for code in used)
    return np.asarray(classes), [n_span(float(part.min()), float(part.max())) for part in parts]


def n_span(low: float, high: float) -> str:
    """A range of n in words."""
    return f"n = {low:g}" if low == high else f"n = {low:g} to {high:g}"


def named_fits(fits: Fit | Mapping[str, Fit]) -> dict[str, Fit]:
    """One fit under the name of its formula, or the fits under the names given.

    Raises
    ------
    DataError
        No fit, a name that is no text, or a fit that `comparison_frame` refuses.

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
        check_comparable(fit)
    return found


def _name(fit: object) -> str:
    return str(fit.design.formula) if isinstance(fit, Fit) else "fit"
