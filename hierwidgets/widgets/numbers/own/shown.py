"""What is shown of one's own data: raw values, the pictures that a model has, and the status."""

from collections.abc import Sequence

import pandas as pd

from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.pooling import Columns
from hierwidgets.widgets.numbers.words import Words, share_name

from .columns import NUMBERS, TWO, Choice, group_columns, kind_of, varies_within
from .model import is_rate, result_words
from .problems import Problem, can_be_fitted, what_to_choose

__all__ = ["picture_words", "raw_label", "raw_of", "raw_rows", "status_words", "views_of"]


def views_of(frame: pd.DataFrame, choice: Choice) -> list[str]:
    """The pictures that a model of this choice has, the data alone first.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> views_of(hw.load("finland"), Choice("contacted", "district_id", "Contacted"))
    ['data', 'dial', 'comparison']
    """
    if not can_be_fitted(frame, choice):
        return ["data"]
    if not is_rate(frame, choice):
        return ["data", "comparison"]
    effect = ["effect"] if _is_of_groups(frame, choice) else []
    return ["data", "dial", "comparison", *effect]


def _is_of_groups(frame: pd.DataFrame, choice: Choice) -> bool:
    """Whether there is a predictor, of numbers, with one value in each group."""
    if choice.predictor is None:
        return False
    rows = frame[choice.columns].dropna()
    column = rows[choice.predictor]
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    several = kind_of(column) in (TWO, NUMBERS)
    return numeric and several and not varies_within(rows, choice.predictor, str(choice.group))


def raw_of(frame: pd.DataFrame, choice: Choice) -> Columns | None:
    """`group_columns`, where there is something to draw, even if there can be no fit."""
    if what_to_choose(choice) or choice.outcome == choice.group:
        return None
    if kind_of(frame[str(choice.outcome)]) != NUMBERS and choice.event is None:
        return None
    found = group_columns(frame, choice)
    return found if len(found["n"]) else None


def raw_label(frame: pd.DataFrame, choice: Choice) -> str:
    """What the raw values are."""
    outcome = str(choice.outcome)
    return share_name(outcome, choice.event) if is_rate(frame, choice) else f"mean of {outcome}"


def raw_rows(found: Columns | None) -> list[list[str]]:
    """A row of texts for each group."""
    if found is None:
        return []
    return [
        [str(level), f"{n:g}", f"{raw:.3f}"]
        for level, n, raw in zip(found["level"], found["n"], found["raw"], strict=True)
    ]


def status_words(
    frame: pd.DataFrame | None, choice: Choice, fit: Fit | None, problems: Sequence[Problem],
    words: Words,
) -> str:  # fmt: skip
    """What came out, or the next thing to do; and every problem."""
    if frame is None:
        return "Choose a file: CSV, Excel, Stata or SPSS, a row of names and then the data."
    if fit is not None:
        text = result_words(fit, words)
    else:
        text = f"{len(frame):,} rows and {frame.shape[1]} columns. {what_to_choose(choice)}".strip()
        if can_be_fitted(frame, choice) and not any(problem.stops for problem in problems):
            text += " Press 'Fit the model'."
    return " ".join([text, *(problem.text for problem in problems)])


def picture_words(found: Columns | None, label: str, words: Words) -> str:
    """The picture of the raw values in words."""
    if found is None:
        return "An empty picture: no data are chosen yet, and so there is nothing to draw."
    n, raw = found["n"], found["raw"]
    return (
        f"{label} in {len(n)} {words.levels}, against their number of {words.trials}: "
        f"{raw.min():.3g} to {raw.max():.3g}, from {n.min():g} to {n.max():g} {words.trials}."
    )
