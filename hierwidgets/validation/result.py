"""The table of a cross-validation: means, their errors, and what they say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, Index
from hierwidgets.base.tables import NotedTable

from .division import Division

__all__ = ["CrossValidation", "report"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CrossValidation(NotedTable):
    """How well models predicted what was held out.

    Attributes
    ----------
    table : DataFrame
        Index: models, the best first. Columns: ``log_score`` (mean per observation),
        ``std_error``, ``difference`` (to the best) and ``std_error_difference``.
    folds : DataFrame
        ``fold model n log_score``: the mean within each fold.
    scores : DataFrame
        The log score of each observation, one column per model, its ``fold`` and, where weights
        were given, its ``weight``.
    notes : tuple of str
    """

    table: pd.DataFrame
    folds: pd.DataFrame
    scores: pd.DataFrame
    notes: tuple[str, ...]
    caption: ClassVar[str] = "Cross-validated log scores"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        head = ["model", "log score", "std. error", "difference", "std. error of difference"]
        rows = [
            [str(name), *(f"{x:.4f}" for x in row.to_list())] for name, row in self.table.iterrows()
        ]
        return head, rows


def report(
    scores: pd.DataFrame,
    division: Division,
    counts: Array | None,
    index: pd.Index,
    doubts: list[str],
) -> CrossValidation:
    """What the log scores (n, models) say; `counts` (n,) are rows that each stands for."""
    each = {name: _mean(scores[name], counts) for name in scores}
    means = pd.Series(each, dtype=float).sort_values(ascending=False, kind="stable")
    best, unit = scores[means.index[0]], division.unit
    gaps = {name: scores[name] - best for name in means.index}
    table = pd.DataFrame(
        {
            "log_score": means,
            "std_error": [_error(scores[name], unit, counts) for name in means.index],
            "difference": [_mean(gaps[name], counts) for name in means.index],
            "std_error_difference": [_error(gaps[name], unit, counts) for name in means.index],
        }
    )
    notes = tuple(_notes(table, division, counts, doubts))
    called = [division.labels[k] for k in division.fold]
    by_fold = _by_fold(scores, division, counts)
    return CrossValidation(table, by_fold, scores.set_axis(index).assign(fold=called), notes)


def _by_fold(scores: pd.DataFrame, division: Division, counts: Array | None) -> pd.DataFrame:
    """``fold model n log_score``, the mean within each fold."""
    rows = []
    for k, label in enumerate(division.labels):
        inside = division.fold == k
        own = None if counts is None else counts[inside]
        rows += [
            (label, name, int(inside.sum()), _mean(scores[name][inside], own))
            for name in sorted(map(str, scores))
        ]
    return pd.DataFrame(rows, columns=["fold", "model", "n", "log_score"])


def _notes(
    table: pd.DataFrame, division: Division, counts: Array | None, doubts: list[str]
) -> Iterator[str]:
    """How to read the table."""
    each = "" if counts is None else ", weighted"
    yield f"{division.what}; mean log score per observation{each}, higher is better."
    yield "Folds share their training data, so that the standard errors are approximate."
    near = table.index[1:][table["difference"][1:] > -2 * table["std_error_difference"][1:]]
    if len(near):
        names = ", ".join(map(str, near))
        yield f"Not told apart from {table.index[0]} (two standard errors): {names}."
    if doubts:
        yield (
            f"Draws of some folds are not to be trusted, {len(doubts)} complaints; the first: "
            f"{doubts[0]}. Ask for more with sampling=..."
        )


def _mean(values: "pd.Series[float]", counts: Array | None) -> float:
    return float(values.mean() if counts is None else np.average(values, weights=counts))


def _error(values: "pd.Series[float]", unit: Index, counts: Array | None) -> float:
    """Standard error of a mean over observations that come in units."""
    if not np.isfinite(values).all():
        return float("nan")
    w = np.ones(len(values)) if counts is None else counts
    gap = np.bincount(unit, w * (values - _mean(values, counts)).to_numpy())
    G = len(gap)
    return float(np.sqrt(G / (G - 1) * np.sum(gap**2)) / w.sum())
