"""What the boundary explorer says: of the maximum, of what the likelihood can tell, of surveys."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .elections import Tally
from .hill import LEVELS, Hill, Look, Place, reach_of

__all__ = [
    "at", "known_words", "map_words", "plural", "rows", "shares_words", "surveys_words",
    "top_words", "truth_words",
]  # fmt: skip

EDGE = 1e-3  # of the range of sds, of a correlation: nearer than that is at the edge
RANGE = (-1.0, 1.0)


def plural(group: str) -> str:
    """Groups in words: the name of a factor without what makes it a column.

    Examples
    --------
    >>> plural("election_id"), plural("country"), plural("school:class")
    ('elections', 'countries', 'schools by class')
    """
    first, *others = (part.removesuffix("_id").replace("_", " ") for part in group.split(":"))
    many = (
        f"{first[:-1]}ies" if first.endswith("y") and first[-2:-1] not in "aeiou" else f"{first}s"
    )
    return " by ".join([many, *others])


def at(place: Place) -> str:
    """A place in words.

    Examples
    --------
    >>> at(Place(0.2648, 1.0))
    'an sd of 0.26 and a correlation of 1.00'
    """
    return f"an sd of {place.sd:.2f} and a correlation of {_signed(place.corr)}"


def edge_words(of: Hill, place: Place) -> str:
    """Which edge a place is at, or none.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> edge_words(SimpleNamespace(largest=2.0), Place(0.3, -1.0))
    'at the edge, where every slope follows from the height'
    """
    if place.sd < EDGE * of.largest:
        return "at the edge, where slopes do not differ and a correlation means nothing"
    if abs(place.corr) > 1 - EDGE:
        return "at the edge, where every slope follows from the height"
    return "off the edge"


def top_words(of: Hill, found: Look, penalty: str, cost: float) -> str:
    """Where the maximum is."""
    where = f"{at(found.top)}: {edge_words(of, found.top)}"
    if penalty == "none":
        return f"The likelihood is highest at {where}."
    return f"Under the penalty the maximum is near {where}; it costs {cost:.2f} of log-likelihood."


def known_words(of: Hill, plain: Look) -> str:
    """Whether the likelihood, without a penalty, can tell the two apart from their edges."""
    low, high, least, most = reach_of(plain, 0.9)
    many = f"{of.levels} {plural(of.group)}"
    if (least, most) == RANGE:
        corr = f"Of the correlation {many} tell nothing: all from −1 to 1 are in the 90 % region."
    elif least == -1 or most == 1:
        corr = (
            f"{many} tell the correlation roughly: the 90 % region goes from {_signed(least)} "
            f"to {_signed(most)}, up to the edge."
        )
    else:
        corr = (
            f"{many} can tell the correlation from its edges: the 90 % region goes from "
            f"{_signed(least)} to {_signed(most)}."
        )
    if low == 0:
        return f"{corr} Sds from 0, slopes that do not differ, to {high:.1f} are in it too."
    return f"{corr} That slopes differ is told: sds from {low:.2f} to {high:.1f} are in it."


def truth_words(place: Place, drop: float) -> str:
    """How well the truth to try agrees with the data.

    Examples
    --------
    >>> truth_words(Place(1.0, 0.0), -1.503)
    'The truth to try, an sd of 1.00 and a correlation of 0.00, is at best 1.5 lower, inside the \
90 % region.'
    """
    inside = [level for level in LEVELS if drop > np.log(1 - level)]
    where = (
        f"inside the {inside[0]:.0%} region".replace("%", " %") if inside else "outside all regions"
    )
    lower = "at the top" if drop > -0.05 else f"at best {-drop:.1f} lower"
    return f"The truth to try, {at(place)}, is {lower}, {where}."


def surveys_words(of: Hill, tallies: Sequence[Tally], running: bool) -> str:
    """What became of the surveys made up."""
    many = plural(of.group)
    if not any(one.fitted + one.failed for one in tallies):
        sizes = f"{tallies[0].groups} to {tallies[-1].groups} {many}"
        return f"{'Making' if running else 'Run makes'} up surveys of {sizes} from it."
    parts = [f"{one.singular} of {one.fitted} with {one.groups}" for one in tallies if one.fitted]
    failed = sum(one.failed for one in tallies)
    without = f" {failed} could not be fitted." if failed else ""
    return (
        f"Singular fits {'so far' if running else 'from it'}: {', '.join(parts)} {many}.{without}"
    )


def map_words(of: Hill, found: Look, plain: Look, penalty: str) -> str:
    """The text alternative of the map."""
    what = "likelihood" if penalty == "none" else "likelihood with the penalty"
    texts = [
        f"Map of the {what} over the sd of the slopes, from 0 to {of.largest:g}, and their "
        f"correlation with the heights. Maximum at {at(found.top)}, {edge_words(of, found.top)}."
    ]
    for level in LEVELS:
        low, high, least, most = reach_of(found, level)
        texts.append(
            f"{100 * level:.0f} % region: sds from {low:.2f} to {high:.2f}, correlations from "
            f"{_signed(least)} to {_signed(most)}."
        )
    if penalty != "none":
        texts.append(f"Maximum without the penalty at {at(plain.top)}.")
    return " ".join(texts)


def shares_words(of: Hill, shares: pd.DataFrame) -> str:
    """The text alternative of the picture of shares."""
    many, columns = plural(of.group), ["groups", "n", "estimate", "conf_low", "conf_high"]
    if shares.empty:
        return f"Share of singular fits by the number of {many}: no surveys yet."
    texts = [
        f"{groups} {many}: {100 * share:.0f} % of {n}, 90 % interval {100 * low:.0f} to "
        f"{100 * high:.0f} %"
        for groups, n, share, low, high in zip(*(shares[name] for name in columns), strict=True)
    ]
    return f"Share of singular fits. {'; '.join(texts)}."


def rows(
    plain: Look, found: Look, penalty: str, cost: float, truth: tuple[Place, float]
) -> list[list[str]]:
    """Of the table: places, then regions."""
    places = [("maximum of the likelihood", plain.top, 0.0), ("truth to try", *truth)]
    if penalty != "none":
        places.insert(1, ("maximum under the penalty", found.top, -cost))
    cells = [[name, f"{p.sd:.3f}", _signed(p.corr), _signed(drop)] for name, p, drop in places]
    for level in LEVELS:
        low, high, least, most = reach_of(found, level)
        cells.append(
            [f"{100 * level:.0f} % region", f"{low:.2f} to {high:.2f}",
             f"{_signed(least)} to {_signed(most)}", _signed(float(np.log(1 - level)))]
        )  # fmt: skip
    return cells


def _signed(value: float) -> str:
    """Two decimals, a minus sign, and no minus before zero."""
    return f"{value if abs(value) >= 0.005 else 0.0:.2f}".replace("-", "−")
