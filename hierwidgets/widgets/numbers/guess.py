"""The numbers and words behind the guess: one level, its three estimates, and the reasons."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import expit, normal_quantile
from hierwidgets.errors import DataError
from hierwidgets.fit.pooling import no_pooling
from hierwidgets.model import glmer
from hierwidgets.spec.frames import as_frame, indicator

from .pooling import moved_furthest, pooling_frame
from .words import Words, place_of

__all__ = ["Case", "Reason", "guess_frame", "reasons", "the_case", "verdict"]


@dataclass(frozen=True, slots=True)
class Case:
    """One level, the frame it stands in, and the group-level model.

    Attributes
    ----------
    frame : DataFrame
        That of `guess_frame`.
    place : int
        The level's row.
    mu, sigma : float
        Centre and spread of the levels on the logit scale.
    row : Series
        The level's own row of the frame.
    """

    frame: pd.DataFrame
    place: int
    mu: float
    sigma: float
    row: "pd.Series[Any]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", self.frame.iloc[self.place])

    @property
    def band(self) -> tuple[float, float]:
        """Between which rates the model expects the middle 90 % of the levels."""
        reach = normal_quantile(0.9) * self.sigma
        low, high = expit(np.array([self.mu - reach, self.mu + reach]))
        return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Reason:
    """A short name for a button, and what it opens."""

    name: str
    text: str


def guess_frame(
    data: pd.DataFrame, outcome: str, group: str, *, event: object | None = None
) -> pd.DataFrame:
    r"""Raw, partially pooled and overall rate of every level, from one hierarchical model.

    .. math:: \hat\pi_j = y_j / n_j, \qquad \tilde\pi_j = \text{logit}^{-1}(\hat\mu + \tilde b_j),
              \qquad \hat\pi = \sum_j y_j / \sum_j n_j

    with the conditional modes of ``y ~ 1 + (1 | group)``, Laplace approximation; see
    `pooling_frame`, which also defines the weight.

    Parameters
    ----------
    data, outcome, group, event
        As in :func:`hierwidgets.no_pooling`.

    Returns
    -------
    DataFrame
        One row per level, in the order of `no_pooling`: ``level``; ``n`` and ``events`` (counts);
        ``raw``, ``partial``, ``overall`` (rates); ``weight`` of the level's own answers (0 to 1);
        ``conf_low``, ``conf_high`` and ``method``: the 90 % interval of the raw rate, Wald's, or
        Wilson's where Wald's has no width. ``attrs`` holds ``mu`` and ``sigma`` (logit scale).

    Raises
    ------
    DataError, FitError
        What `no_pooling` and `glmer` refuse, and data with one level.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> frame = guess_frame(hw.load("finland"), "contacted", "district_id", event="Contacted")
    >>> row = frame.set_index("level").loc["District 309"]
    >>> row[["raw", "partial", "overall"]].astype(float).round(3).to_dict()
    {'raw': 0.435, 'partial': 0.268, 'overall': 0.207}
    """
    wald = no_pooling(data, outcome, group, event=event)
    wilson = no_pooling(data, outcome, group, event=event, method="wilson")
    if len(wald) < 2:
        raise DataError(f"{group!r} has one level; pooling needs at least two")
    fit = _fit(as_frame(data), outcome, group, event, list(wald["level"]))
    pooled = pooling_frame(fit)
    events = (wald["n"] * wald["estimate"]).round().astype(int)
    wide = (wald["conf_high"] > wald["conf_low"]).to_numpy()
    frame = pd.DataFrame(
        {
            "level": wald["level"],
            "n": wald["n"],
            "events": events,
            "raw": wald["estimate"],
            "partial": pooled["estimate"],
            "overall": events.sum() / wald["n"].sum(),
            "weight": pooled["weight"],
            "conf_low": np.where(wide, wald["conf_low"], wilson["conf_low"]),
            "conf_high": np.where(wide, wald["conf_high"], wilson["conf_high"]),
            "method": np.where(wide, "Wald", "Wilson"),
        }
    )
    frame.attrs.update(mu=float(fit.fixef["Intercept"]), sigma=float(fit.theta[0]))
    return frame


def _fit(
    data: pd.DataFrame, outcome: str, group: str, event: object | None, levels: list[Any]
) -> Any:
    """The model on columns with plain names, its levels numbered as `no_pooling` orders them."""
    codes = {level: code for code, level in enumerate(levels)}
    plain = pd.DataFrame(
        {
            "y": indicator(data[outcome], event),
            "j": data[group].astype(object).map(codes).to_numpy(dtype=np.intp),
        }
    )
    return glmer("y ~ 1 + (1 | j)", plain, family="binomial")


def the_case(frame: pd.DataFrame, level: object | None = None) -> Case:
    """The level asked for; without one, that which partial pooling moves furthest.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> frame = guess_frame(hw.load("finland"), "contacted", "district_id", event="Contacted")
    >>> the_case(frame).row["level"]
    'District 309'
    """
    if level is None:
        place = moved_furthest(frame["raw"].to_numpy(), frame["partial"].to_numpy())
    else:
        place = place_of(level, list(frame["level"]))
    return Case(frame, place, frame.attrs["mu"], frame.attrs["sigma"])


def reasons(case: Case, words: Words) -> tuple[Reason, Reason, Reason, Reason]:
    """Why the partially pooled rate is where it is: size, rank, similarity, weight."""
    return _size(case, words), _rank(case), _similarity(case, words), _weight(case, words)


def _size(case: Case, words: Words) -> Reason:
    row, sizes = case.row, case.frame["n"]
    text = (
        f"{row['level']} has {_answers(row['n'])}; the median of the {len(sizes)} {words.levels} "
        f"is {sizes.median():g}. The raw rate is uncertain: its 90 % {row['method']} interval, the "
        f"line drawn through it, goes from {row['conf_low']:.3f} to {row['conf_high']:.3f}."
    )
    return Reason("How many answers?", text)


def _rank(case: Case) -> Reason:
    raw, own = case.frame["raw"].to_numpy(), case.row["raw"]
    below, above, many = int((raw < own).sum()), int((raw > own).sum()), len(raw)
    if (below == 0) == (above == 0):
        text = f"{below} of the {many - 1} other raw rates are lower and {above} are higher."
    elif above == 0:
        text = (
            f"None of the {many} raw rates is higher. The highest of many uncertain numbers is "
            "more often too high than too low: luck helped it to the top."
        )
    else:
        text = (
            f"None of the {many} raw rates is lower. The lowest of many uncertain numbers is "
            "more often too low than too high: bad luck helped it to the bottom."
        )
    return Reason("Where among the others?", f"{text} The strokes are the other raw rates.")


def _similarity(case: Case, words: Words) -> Reason:
    low, high = case.band
    own = case.row["raw"]
    where = "inside" if low <= own <= high else "outside"
    text = (
        f"The {words.levels} differ, but they are similar. The model finds a centre of "
        f"{float(expit(case.mu)):.3f} and a spread of σ = {case.sigma:.3g} on the logit scale, so "
        f"it expects 90 % of all {words.levels} between {low:.3f} and {high:.3f}, the band. The "
        f"raw rate {own:.3f} lies {where}."
    )
    return Reason("How similar are they?", text)


def _weight(case: Case, words: Words) -> Reason:
    weight, n = 100 * case.row["weight"], case.row["n"]
    text = (
        f"The model weighs two sources on the logit scale. The {_answers(n)} of this {words.level} "
        f"{'carries' if n == 1 else 'carry'} {weight:.0f} % of the weight; what the other "
        f"{words.levels} say about it carries {100 - weight:.0f} %. The dashed line is the way the "
        "rate went."
    )
    return Reason("Who is heard how much?", text)


def verdict(case: Case, guess: float) -> str:
    """The four numbers, and how far guess and model went from the raw to the overall rate.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> frame = guess_frame(hw.load("finland"), "contacted", "district_id", event="Contacted")
    >>> print(verdict(the_case(frame), 0.3))
    Your guess 0.300; raw rate 0.435, partial pooling 0.268, overall rate 0.207. From the raw \
rate you went 59 % of the way to the overall rate; the model went 73 %.
    """
    row = case.row
    numbers = (
        f"Your guess {guess:.3f}; raw rate {row['raw']:.3f}, partial pooling "
        f"{row['partial']:.3f}, overall rate {row['overall']:.3f}."
    )
    way = row["raw"] - row["overall"]
    if abs(way) < 5e-4:
        return f"{numbers} Raw and overall rate are the same: there is nowhere to go."
    yours, models = (row["raw"] - guess) / way, (row["raw"] - row["partial"]) / way
    return f"{numbers} {_yours(yours)}; the model went {100 * models:.0f} %."


def _yours(share: float) -> str:
    if share < -0.005:
        return "From the raw rate you went away from the overall rate"
    if share > 1.005:
        return "From the raw rate you went past the overall rate"
    return (
        f"From the raw rate you went {100 * max(share, 0.0):.0f} % of the way to the overall rate"
    )


def _answers(n: int) -> str:
    return f"{n} answer{'' if n == 1 else 's'}"
