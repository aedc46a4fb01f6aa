"""The table of `page.values` in Markdown, and what each of its items shows."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

__all__ = ["TITLES", "listed"]

_LINES = """
S7|Finland: the data
S9|Finland: the data, tidied
S14|Finland: raw rates and their errors
S15|how far the bars reach
S18|the rate of 309
S28|Finland: the fit
S29|μ and σ in words
S31|fixed part and effects
S32|the fixed part again
S33|the effects again
S34|log-odds of the districts
S35|rates of the districts
S36|the same by predict()
S37|the same by predictions()
S39|raw and pooled, stacked
S50|Britain: the data, tidied
S52|Britain: raw rates and their errors
S53|how far the bars reach
S54|no pooling
S55|complete pooling
S56|Britain: the fit
S57|partial pooling
S58|three kinds, stacked
S61|Britain: the data again
S62|the districts, each once
S63|pooled rates joined with competitiveness
S67|the fit with competitiveness
S68|its rates
S70|three kinds, stacked again
S78|several countries: the data
S82|several countries: the fit
S84|the time Stan took
S85|the draws, summarised
S86|the draws, summarised again
S88|predictions for the districts
S89|predictions for typical districts
"""
TITLES: Mapping[str, str] = MappingProxyType(
    dict(line.split("|") for line in _LINES.strip().splitlines())
)
"""What stands in each item with numbers, in a few words."""


def listed(found: pd.DataFrame) -> str:
    """The table in Markdown, a folded part for each item; ours with two more digits than printed.

    Examples
    --------
    >>> from hierwidgets.course.page.text import listed
    >>> from hierwidgets.course.page.values import table
    >>> print(listed(table(["S18"])))
    <details>
    <summary>S18, the rate of 309: 1 number, <b>1 differs</b></summary>
    <BLANKLINE>
    | number | the page | ours | within | verdict |
    |---|---|---|---|---|
    | estimate 309 | 0.40 | 0.4348 | 0.005 | **misprint** |
    <BLANKLINE>
    </details>
    """
    return "\n\n".join(_folded(str(item), rows) for item, rows in found.groupby("item", sort=False))


def _folded(item: str, rows: pd.DataFrame) -> str:
    many, differ = len(rows), int((rows["verdict"] != "agrees").sum())
    count = f"{many} number{'s' * (many > 1)}"
    agree = "all agree" if many > 1 else "agrees"
    rest = f"<b>{differ} differ{'s' * (differ == 1)}</b>" if differ else agree
    lines = [_row(*row) for row in rows.drop(columns="item").itertuples(index=False)]
    head = "| number | the page | ours | within | verdict |\n|---|---|---|---|---|"
    summary = f"<summary>{item}, {TITLES[item]}: {count}, {rest}</summary>"
    return "\n".join(["<details>", summary, "", head, *lines, "", "</details>"])


def _row(name: str, label: str, printed: str, ours: float, tolerance: float, verdict: str) -> str:
    digits = len(printed.removesuffix("…").partition(".")[2])
    exact = digits == 0 and float(ours).is_integer()
    value = f"{ours:.{0 if exact else digits + 2}f}"
    said = verdict if verdict == "agrees" else f"**{verdict}**"
    text = f"{name} {label}".strip().replace("|", "\\|")
    return f"| {text} | {printed} | {value} | {tolerance:g} | {said} |"
