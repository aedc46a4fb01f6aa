"""The numbers behind the district strip: raw answers, rates and intervals of every level."""

from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.errors import DataError
from hierwidgets.fit.pooling import no_pooling
from hierwidgets.spec.frames import as_frame, indicator

__all__ = ["SORTS", "faults_text", "people_frame", "strip_frame", "table_rows"]

SORTS = {"rate": ["estimate", "n"], "n": ["n", "estimate"], "name": []}


def strip_frame(
    data: pd.DataFrame, outcome: str, group: str, *, event: object | None = None,
    level: float = 0.9, method: str = "wald", sort: str = "rate",
) -> pd.DataFrame:  # fmt: skip
    r"""Rate and interval of every level from its own rows, in the order of the picture.

    The numbers are those of :func:`hierwidgets.no_pooling`. A Wald interval

    .. math:: \hat\pi_j \pm z \sqrt{\hat\pi_j (1 - \hat\pi_j) / n_j}

    has no width where all answers of a level are the same, and can leave [0, 1]: the two faults
    are marked (Brown, Cai and DasGupta 2001, Statistical Science 16(2), section 2).

    Parameters
    ----------
    data, outcome, group, event, level, method
        As in :func:`hierwidgets.no_pooling`.
    sort
        ``"rate"``: from the lowest rate to the highest, equal ones by size. ``"n"``: from the
        smallest level to the largest, equal ones by rate. ``"name"``: as `no_pooling` gives them.

    Returns
    -------
    DataFrame
        One row per level: ``level``; ``n`` and ``events`` (counts); ``estimate``, ``std_error``,
        ``conf_low``, ``conf_high`` (rates); ``zero_width`` and ``outside``, whether the interval
        has no width and whether it leaves [0, 1].

    Raises
    ------
    DataError
        What `no_pooling` refuses, and an unknown `sort`.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"g": ["a"] * 4 + ["b"] * 5, "y": [0, 0, 1, 1, 0, 0, 0, 0, 0]})
    >>> strip_frame(data, "y", "g")[["level", "n", "events", "estimate", "zero_width"]]
      level  n  events  estimate  zero_width
    0     b  5       0       0.0        True
    1     a  4       2       0.5       False
    """
    if sort not in SORTS:
        raise DataError(f"sort must be one of {list(SORTS)}; {sort!r} was given")
    frame = no_pooling(data, outcome, group, event=event, level=level, method=method)
    low, high = frame["conf_low"], frame["conf_high"]
    frame.insert(2, "events", (frame["n"] * frame["estimate"]).round().astype(int))
    frame["zero_width"] = high <= low
    frame["outside"] = (low < 0) | (high > 1)
    if SORTS[sort]:
        frame = frame.sort_values(SORTS[sort], kind="stable", ignore_index=True)
    return frame


def people_frame(
    data: pd.DataFrame, outcome: str, group: str, *, event: object | None = None,
    seed: int = 1, most: int = 6000,
) -> pd.DataFrame:  # fmt: skip
    """A place for every row of the data near 0 or 1, moved a little so that crowds show.

    Parameters
    ----------
    data, outcome, group, event
        As in :func:`hierwidgets.no_pooling`.
    seed
        Seed of the moves: up to .36 of a column to either side, and up to .06 up or down.
    most
        With more rows than this, a random sample of so many is kept.

    Returns
    -------
    DataFrame
        ``level``, ``shift`` (columns, -.36 to .36) and ``y`` (the answer, 0 or 1, moved), in the
        order of the data.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"g": ["a", "a", "b"], "y": [0, 1, 1]})
    >>> people_frame(data, "y", "g")["y"].round().tolist()
    [0.0, 1.0, 1.0]
    """
    data = as_frame(data)
    values = indicator(data[outcome], event)
    rng = np.random.default_rng(seed)
    shift = rng.uniform(-1.0, 1.0, size=(2, len(data)))
    people: dict[str, Any] = {
        "level": data[group].astype(object).to_numpy(),
        "shift": 0.36 * shift[0],
        "y": values + 0.06 * shift[1],
    }
    frame = pd.DataFrame(people)
    if len(frame) <= most:
        return frame
    kept = np.sort(rng.choice(len(frame), size=most, replace=False))
    return frame.iloc[kept].reset_index(drop=True)


def faults_text(frame: pd.DataFrame) -> str:
    """How many intervals of a `strip_frame` have no width or leave [0, 1], in words."""
    gone, outside, many = int(frame["zero_width"].sum()), int(frame["outside"].sum()), len(frame)
    if not gone:
        text = f"None of the {many} intervals has zero width."
    else:
        have = "has" if gone == 1 else "have"
        all_same = "all answers there are the same"
        text = f"{gone} of the {many} intervals {have} zero width: {all_same}."
    if outside:
        text += f" {outside} {'reaches' if outside == 1 else 'reach'} below 0 or above 1."
    return text


def table_rows(frame: pd.DataFrame) -> list[list[str]]:
    """A row of texts for each level of a `strip_frame`: its name, counts, rate and interval."""
    columns = frame[["level", "n", "events", "estimate", "conf_low", "conf_high"]]
    return [
        [str(level), str(n), str(events), *(f"{value:.3f}" for value in values)]
        for level, n, events, *values in columns.itertuples(index=False)
    ]
