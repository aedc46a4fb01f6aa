"""Every colour and line style of figures and instruments, by what it means.

The hues are ColorBrewer's Dark2, which colour-blind readers can tell apart; no meaning is by
colour alone, so each kind of estimate has a marker and a line style too.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = [
    "BAND", "BARS", "BLACK", "BLUES", "BROWN", "CHANCE", "COMPLETE", "DARK_GREEN",
    "DARK_ORANGE", "DARK_PURPLE", "DATA_SETS", "DENSITY", "FADED", "GREEN", "GREY", "GRID",
    "HATCH", "INK", "LIGHT_GREEN", "LIGHT_GREY", "LIGHT_ORANGE", "NO", "OBSERVED", "ORANGE",
    "OTHER", "PALE", "PARTIAL", "PINK", "POSTSTRATIFIED", "PURPLE", "RIM", "RULES", "SCORE",
    "SECOND_OTHER", "STILL_GRID", "STYLES", "THREAD", "TRUTHS", "VERDICTS", "Style",
]  # fmt: skip

GREEN, ORANGE, PURPLE = "#1b9e77", "#d95f02", "#7570b3"
PINK, BROWN = "#e7298a", "#a6761d"
INK, GREY, FADED = "#333333", "#808080", "#999999"
LIGHT_GREY, STILL_GRID = "#8c8c8c", "#dddddd"  # of guides, of lines behind all marks
BLUES = ("#5493cc", "#3b7dbf", "#3467ad")  # from little to much

NO, PARTIAL, COMPLETE = GREEN, ORANGE, PURPLE  # of the three kinds of pooling
POSTSTRATIFIED = BLUES[1]  # of a population, whose cells a model estimates


class Style(NamedTuple):
    """How a kind of estimate, or of election, looks: colour, marker and line style."""

    color: str
    marker: str
    linestyle: Literal["-", "--", ":"]


STYLES: Mapping[str, Style] = {
    "no pooling": Style(NO, "o", "-"),
    "partial pooling": Style(PARTIAL, "D", "--"),
    "complete pooling": Style(COMPLETE, "s", ":"),
}

RULES: Mapping[str, Style] = {"SMD": Style(GREEN, "o", "-"), "PR": Style(PURPLE, "s", "--")}
"""Of the electoral rules: the two hues that lie farthest apart for every eye."""

# --- of the still figures -----------------------------------------------------------------

DARK_GREEN, DARK_ORANGE, DARK_PURPLE = "#0d5c45", "#a34700", "#5d58a0"  # of words and small marks
LIGHT_GREEN, LIGHT_ORANGE = "#9ad0bd", "#fde3cf"  # of intervals and areas
SCORE = "#1f4e79"  # of what belongs to no kind of pooling: scores, ranks
DATA_SETS = ("#6baed6", "#3182bd", "#08519c")  # Finland, Great Britain, several countries

BLACK, OTHER, RIM, SECOND_OTHER = "#000000", "#4d4d4d", "#555555", "#666666"  # of points and lines
HATCH, THREAD, PALE = "#a6a6a6", "#bbbbbb", "#bdbdbd"
TRUTHS, BARS, OBSERVED = "#cccccc", "#d9d9d9", "#dddddd"  # of filled shapes
DENSITY, CHANCE, BAND, GRID = "#e3e3e3", "#e6e6e6", "#eeeeee", "#f2f2f2"  # of backgrounds

VERDICTS: Mapping[str, str] = {
    "agrees": LIGHT_GREY,
    "stopped early": "#b35806",
    "at the edge": PURPLE,
    "rounded twice": SCORE,
    "misprint": "#c51b7d",
    "not converged": "#35978f",
    "another machine": "#222222",
    "unexplained": "#d7191c",
}
"""On a number of ours beside the page's."""
