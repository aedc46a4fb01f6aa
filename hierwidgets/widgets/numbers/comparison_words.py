"""What the pooling comparison says: status, text alternative, table and the name of its axis."""

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit

from .comparison import Compared, Flags, n_span
from .words import rate_name

__all__ = [
    "COLUMNS", "level_text", "marked_text", "outcome_name", "picture_text", "table_rows",
    "whole_text",
]  # fmt: skip

COLUMNS = (
    "n", "no", "partial", "complete", "rank, no", "rank, partial", "places gained",
    "changes places with",
)  # fmt: skip


def outcome_name(fit: Fit) -> str:
    """What is estimated of every level."""
    if fit.family.name == "binomial":
        return rate_name(fit)
    return f"mean of {fit.design.formula.response}"


def whole_text(found: Compared) -> str:
    """How many pairs change places, and where the two kinds of pooling pull."""
    c, count = found.columns, len(found.frame)
    overall = _span(c["complete_pooling"], found.digits + 1)
    return (
        f"{_crossings(found):,} of {count * (count - 1) // 2:,} pairs of {found.words.levels} "
        f"change places between no and partial pooling. Complete pooling gives all {overall}; "
        f"partial pooling pulls toward {_span(c['target'], found.digits + 1)}."
    )


def level_text(found: Compared, place: int) -> str:
    """One level: its estimates, its ranks and with whom it changes places."""
    row = {name: values[place] for name, values in found.columns.items()}
    no, partial, complete = (
        f"{row[name]:.{found.digits}f}"
        for name in ("no_pooling", "partial_pooling", "complete_pooling")
    )
    others = [str(found.columns["level"][i]) for i in np.flatnonzero(found.crossed[place])]
    whom = f"{len(others)} others" if len(others) > 4 else ", ".join(others) or "none"
    return (
        f"{row['level']}: n = {row['n']:g}; no pooling {no}, rank {row['rank_no']:g}; partial "
        f"{partial}, rank {row['rank_partial']:g} of {len(found.frame)}; complete {complete}. "
        f"It changes places with {whom}."
    )


def marked_text(
    found: Compared, shown: Flags, highlight: str, selected: object, n_low: float, n_high: float
) -> str:
    """What is highlighted."""
    if highlight == "none":
        return ""
    count = int(shown.sum())
    crossers = int(found.crossed.any(axis=1).sum())
    if highlight == "crossers" and selected is None and count < crossers:
        least = np.abs(found.columns["rank_change"])[shown].min()
        return (
            f"Highlighted: of the {crossers} that change places with another the {count} that "
            f"gain or lose most, {least:g} places or more."
        )
    if highlight == "crossers":
        whom = "another" if selected is None else str(selected)
        those = "the one that changes" if count == 1 else f"the {count} that change"
        return f"Highlighted: {those} places with {whom}."
    moves = np.abs(found.columns["partial_pooling"] - found.columns["no_pooling"])[shown]
    far = f"; they move by {moves.mean():.{found.digits}f} on average" if count else ""
    return f"Highlighted: {count} with {n_span(n_low, n_high)}{far}."


def picture_text(found: Compared, marked: str) -> str:
    """The picture in words."""
    c, count, digits = found.columns, len(found.frame), found.digits
    return (
        f"{count} {found.words.levels} as lines over three rows. Complete "
        f"pooling: {_span(c['complete_pooling'], digits)} for all. Partial pooling: "
        f"{_span(c['partial_pooling'], digits)}, pulled toward {_span(c['target'], digits)}. No "
        f"pooling: {_span(c['no_pooling'], digits)}. {_crossings(found)} of "
        f"{count * (count - 1) // 2} pairs change places. {marked}".strip()
    )


def _crossings(found: Compared) -> int:
    return int(found.crossed.sum()) // 2


def _span(values: Array, digits: int) -> str:
    low, high = f"{values.min():.{digits}f}", f"{values.max():.{digits}f}"
    return low if low == high else f"{low} to {high}"


def table_rows(found: Compared) -> list[list[str]]:
    """A row of texts for each level, the largest changes of rank first."""
    size = found.frame["rank_change"].abs()
    ordered = found.frame.assign(size=size).sort_values(
        ["size", "rank_no"], ascending=[False, True]
    )
    estimates = ["no_pooling", "partial_pooling", "complete_pooling"]
    texts = {"level": ordered["level"].map(str), "n": ordered["n"].map("{:g}".format)}
    texts |= {name: ordered[name].map(f"{{:.{found.digits}f}}".format) for name in estimates}
    texts |= {name: ordered[name].map("{:g}".format) for name in ("rank_no", "rank_partial")}
    texts["rank_change"] = ordered["rank_change"].map("{:+g}".format)
    texts["crossings"] = ordered["crossings"].map(str)
    return [list(row) for row in pd.DataFrame(texts).to_numpy()]
