"""The numbers the page prints, one frozen record each, to hold ours against.

*The page* is the web lecture in R that the lectures rebuild. ``hierwidgets/course/data/page.csv``
holds every number it prints: by item (``S28`` is the table of the first fit), by name within the
item, and by label where there are several. A record knows how exactly it was printed, and so how
far another number may be from it: half a unit of its last digit. Where the page and a well
converged computation differ by more, the record names the cause, one of `CAUSES`.

`check` compares the numbers of one item with ours and raises an error if one of them differs
without a known cause, or agrees where a difference is on record.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import numpy as np
import pandas as pd

from hierwidgets.errors import DataError

__all__ = ["CAUSES", "Printed", "check", "items", "number", "numbers", "paired"]

CAUSES: Mapping[str, str] = {
    "stopped early": "lme4's default optimiser stopped short of the top",
    "at the edge": "a standard error of a singular fit, which depends on where a search ends",
    "rounded twice": "to one decimal first, and then to a whole number",
    "not converged": "the page's chains had not converged, so its draws are not ours",
    "misprint": "no computation from the data can give it",
    "another machine": "a time, which depends on the machine",
}
_MAY_AGREE = ("not converged", "another machine")  # by luck; the others differ by their nature
_SLACK = 1e-9  # of floating point, added to half a unit of the last digit
_CUT = "…"

Values: TypeAlias = "float | Sequence[float] | Mapping[str, float] | pd.Series[float]"


@dataclass(frozen=True, slots=True)
class Printed:
    """One number as the page prints it.

    Attributes
    ----------
    item, name, label
        Where it stands: ``"S14"``, ``"estimate"``, ``"312"``. A lone number has the label ``""``;
        the first, second, ... of a row without labels have ``"1"``, ``"2"``, ...
    text
        As printed. A text that ends in an ellipsis is cut off: more digits may have followed.
    cause
        Why ours differs, a key of `CAUSES`; empty if it does not.

    Examples
    --------
    >>> from hierwidgets.course.page.printed import Printed
    >>> mu = Printed("S28", "mu", "", "-1.37")
    >>> mu.value, mu.digits, mu.tolerance
    (-1.37, 2, 0.005)
    >>> mu.agrees(-1.3717), mu.agrees(-1.3782)
    (True, False)
    """

    item: str
    name: str
    label: str
    text: str
    cause: str = ""

    @property
    def value(self) -> float:
        """The number itself."""
        return float(self.text.removesuffix(_CUT))

    @property
    def digits(self) -> int:
        """How many digits stand after the decimal point."""
        return len(self.text.removesuffix(_CUT).partition(".")[2])

    @property
    def tolerance(self) -> float:
        """Half a unit of the last digit printed."""
        return 0.5 * 10.0**-self.digits

    def agrees(self, ours: float) -> bool:
        """Whether `ours`, printed as the page prints, could be this number."""
        off = ours - self.value
        cut = self.text.endswith(_CUT) and 0 <= off * np.sign(self.value or 1) < 2 * self.tolerance
        return bool(abs(off) <= self.tolerance + _SLACK or cut)

    def verdict(self, ours: float) -> str:
        """``"agrees"``, the cause of the difference, or ``"unexplained"``.

        A number that agrees although its cause forbids it is unexplained, too.
        """
        if self.agrees(ours):
            return "agrees" if not self.cause or self.cause in _MAY_AGREE else "unexplained"
        return self.cause or "unexplained"


def items() -> tuple[str, ...]:
    """The items of the page that print numbers, in its order.

    Examples
    --------
    >>> from hierwidgets.course import page
    >>> page.items()[:4]
    ('S7', 'S9', 'S14', 'S15')
    """
    return tuple(dict.fromkeys(record.item for record in _records()))


def numbers(item: str, name: str | None = None) -> tuple[Printed, ...]:
    """The numbers of an item, or those of one name in it.

    Raises
    ------
    DataError
        If there is no such item, or no such name in it; the message lists what there is.

    Examples
    --------
    >>> from hierwidgets.course import page
    >>> [printed.text for printed in page.numbers("S58", "estimate")][:3]
    ['0.000', '0.271', '0.320']
    """
    of_item = [record for record in _records() if record.item == item]
    if not of_item:
        raise DataError(f"the page prints no numbers in {item!r}; it does in {', '.join(items())}")
    if name is None:
        return tuple(of_item)
    chosen = tuple(record for record in of_item if record.name == name)
    if not chosen:
        known = ", ".join(dict.fromkeys(record.name for record in of_item))
        raise DataError(f"item {item} has no number {name!r}; it has {known}")
    return chosen


def number(item: str, name: str, label: str = "") -> Printed:
    """One number of the page.

    Raises
    ------
    DataError
        If there is no such item, name or label; the message lists what there is.

    Examples
    --------
    >>> from hierwidgets.course import page
    >>> page.number("S28", "mu").text
    '-1.37'
    >>> page.number("S18", "estimate", "309").cause
    'misprint'
    """
    chosen = {record.label: record for record in numbers(item, name)}
    if label not in chosen:
        known = ", ".join(map(repr, chosen))
        raise DataError(f"{name} of item {item} has no label {label!r}; it has {known}")
    return chosen[label]


def check(item: str, **ours: Values) -> pd.DataFrame:
    """Compare numbers of one item with ours.

    Parameters
    ----------
    item
        Such as ``"S28"``.
    ours
        By name as in `numbers`: one number, or several. A Series or mapping is matched by label
        if the page's labels are among its own; anything else, and numbers that have only places
        on the page, by position. There may be more of ours than the page shows.

    Returns
    -------
    DataFrame
        One row per number: item, name, label, page (as printed), ours, tolerance, verdict. The
        verdict is ``"agrees"`` or one of `CAUSES`.

    Raises
    ------
    DataError
        If a number differs and no cause is on record, or agrees although it should not; and for
        names the item does not have, and too few numbers.

    Examples
    --------
    >>> from hierwidgets.course import page
    >>> page.check("S28", mu=-1.3717, dic=1069.47)[["name", "page", "ours", "verdict"]]
      name   page       ours        verdict
    0   mu  -1.37    -1.3717         agrees
    1  dic   1070  1069.4700  rounded twice
    """
    rows = [
        (record.item, record.name, record.label, record.text, value, record.tolerance,
         record.verdict(value))
        for name, values in ours.items()
        for record, value in _paired(numbers(item, name), values)
    ]  # fmt: skip
    columns = ["item", "name", "label", "page", "ours", "tolerance", "verdict"]
    table = pd.DataFrame(rows, columns=columns)
    bad = table[table["verdict"] == "unexplained"]
    if len(bad):
        first = bad.iloc[0]
        raise DataError(
            f"{len(bad)} of {len(table)} numbers are unexplained; the first is {first['name']} "
            f"{first['label']} of {item}: the page prints {first['page']}, ours is "
            f"{first['ours']:.6g}. {_ADVICE}"
        )
    return table


def paired(item: str, name: str, ours: Values) -> dict[str, float]:
    """The numbers of ours that belong to the page's, by the page's labels; as in `check`.

    Examples
    --------
    >>> from hierwidgets.course import page
    >>> page.paired("S67", "estimate", {"district_competitiveness": 3.87, "Intercept": -3.41})
    {'Intercept': -3.41, 'district_competitiveness': 3.87}
    """
    return {record.label: value for record, value in _paired(numbers(item, name), ours)}


_ADVICE = "Compute it again, or record the cause in hierwidgets/course/data/page.csv."


def _paired(records: Sequence[Printed], values: object) -> list[tuple[Printed, float]]:
    labels = [record.label for record in records]
    found = _by_label(values, labels)
    if found is None:
        found = list(np.atleast_1d(np.asarray(values, dtype=float)))
    if len(found) < len(records):
        where = f"{records[0].name} of {records[0].item}"
        raise DataError(f"the page prints {len(records)} numbers as {where}; {len(found)} given")
    return [(record, float(value)) for record, value in zip(records, found, strict=False)]


def _by_label(values: object, labels: list[str]) -> list[float] | None:
    """The values in the order of the labels, or None if they have no such labels."""
    places = [str(place) for place in range(1, len(labels) + 1)]
    if not isinstance(values, pd.Series | Mapping) or labels in ([""], places):
        return None
    own = {str(key): float(value) for key, value in values.items()}
    missing = [label for label in labels if label not in own]
    if missing:
        raise DataError(f"the page has the label {missing[0]!r}; ours are {list(own)[:6]} ...")
    return [own[label] for label in labels]


@cache
def _records() -> tuple[Printed, ...]:
    text = files("hierwidgets.course.data").joinpath("page.csv").read_text(encoding="utf-8")
    return tuple(record for row in csv.DictReader(text.splitlines()) for record in _expand(row))


def _expand(row: Mapping[str, str]) -> list[Printed]:
    """The records of one row: labels and texts are separated by semicolons."""
    labels, texts = row["labels"].split(";"), row["printed"].split(";")
    differs = labels if row["differs"] == "*" else row["differs"].split(";")
    return [
        Printed(row["item"], row["name"], label, text, row["cause"] if label in differs else "")
        for label, text in zip(labels, texts, strict=True)
    ]
