"""What the columns of a data frame hold, and which of them a model is to take."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.widgets.numbers.pooling import Columns

__all__ = [
    "LEVELS",
    "NUMBERS",
    "ONE",
    "TWO",
    "Choice",
    "events_of",
    "group_columns",
    "kind_of",
    "likely_event",
    "listed",
    "values_of",
    "varies_within",
]  # fmt: skip

TWO, NUMBERS, LEVELS, ONE = "two values", "numbers", "levels", "one value"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which columns a model takes.

    Attributes
    ----------
    outcome, group : str or None
        Columns, or None while they are not chosen.
    event : object
        The value of an outcome of two values that counts as 1.
    predictor : str or None
    drop : bool
        Whether rows with missing values are left out.
    """

    outcome: str | None = None
    group: str | None = None
    event: object = None
    predictor: str | None = None
    drop: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that are chosen, each once."""
        named = [self.outcome, self.group, self.predictor]
        return list(dict.fromkeys(name for name in named if name is not None))


def values_of(column: "pd.Series[Any]") -> list[Any]:
    """The different values of a column, in their order; categories in that of the categories.

    Examples
    --------
    >>> values_of(pd.Series(["no", "yes", "no", None]))
    ['no', 'yes']
    """
    found = column.dropna()
    if isinstance(found.dtype, pd.CategoricalDtype):
        return [one for one in found.cat.categories if (found == one).any()]
    unique = list(pd.unique(found))
    try:
        return sorted(unique)
    except TypeError:  # numbers and texts in one column
        return sorted(unique, key=str)


def kind_of(column: "pd.Series[Any]") -> str:
    """What a column holds: two values, numbers, levels, or one value (or none).

    Examples
    --------
    >>> kind_of(pd.Series([0, 1, 1])), kind_of(pd.Series([1.5, 2, 3])), kind_of(pd.Series(["a"]))
    ('two values', 'numbers', 'one value')
    """
    values = values_of(column)
    if len(values) < 2:
        return ONE
    if len(values) == 2:
        return TWO
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    return NUMBERS if numeric else LEVELS


def events_of(frame: pd.DataFrame, outcome: str | None) -> list[Any]:
    """The values one of which is the event; none where the outcome has not two."""
    if outcome is None or kind_of(frame[outcome]) != TWO:
        return []
    return values_of(frame[outcome])


def likely_event(events: list[Any]) -> Any:
    """The larger of two numbers; of two texts the one that is not a no.

    Examples
    --------
    >>> likely_event([0, 1]), likely_event(["Contacted", "Not Contacted"])
    (1, 'Contacted')
    """
    if len(events) != 2:
        return None
    first, second = (str(event).strip().lower() for event in events)
    if second.startswith(("no", "un", "false", "never")) and not first.startswith(("no", "un")):
        return events[0]
    return events[1]


def listed(values: list[Any], most: int = 4) -> str:
    """Some values in words: "a, b, c and 9 more".

    Examples
    --------
    >>> listed([1, 2, 3]), listed(list("abcdefg"))
    ('1, 2, 3', 'a, b, c, d and 3 more')
    """
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(map(_plain, values[:most])) + more


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def varies_within(frame: pd.DataFrame, column: str, group: str) -> bool:
    """Whether a column has more than one value in some group.

    Examples
    --------
    >>> frame = pd.DataFrame({"g": ["a", "a", "b"], "x": [1, 1, 2], "y": [0, 1, 1]})
    >>> varies_within(frame, "x", "g"), varies_within(frame, "y", "g")
    (False, True)
    """
    return bool((frame.groupby(group, observed=True)[column].nunique() > 1).any())


def group_columns(frame: pd.DataFrame, choice: Choice) -> Columns:
    """For each group its number of rows and its raw rate or mean, as arrays.

    Returns
    -------
    dict
        ``level``, ``n``, ``raw``; rows in which outcome or group is missing do not count.

    Examples
    --------
    >>> frame = pd.DataFrame({"g": ["a", "a", "b"], "y": ["no", "yes", "yes"]})
    >>> found = group_columns(frame, Choice("y", "g", event="yes"))
    >>> found["n"].tolist(), found["raw"].tolist()
    ([2.0, 1.0], [0.5, 1.0])
    """
    rows = frame[[choice.outcome, choice.group]].dropna()
    y = rows[choice.outcome]
    values = (y == choice.event) if kind_of(frame[str(choice.outcome)]) == TWO else y
    by = values.astype(float).groupby(rows[choice.group], observed=True)
    raw, n = by.mean(), by.size()
    return {
        "level": raw.index.astype(object).to_numpy(),
        "n": n.to_numpy(dtype=np.float64),
        "raw": raw.to_numpy(dtype=np.float64),
    }
