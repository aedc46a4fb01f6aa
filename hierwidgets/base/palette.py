"""Every colour and line style of figures and instruments, by what it means.

The hues are ColorBrewer's Dark2, which colour-blind readers can tell apart; no meaning is by
colour alone, so each kind of estimate has a marker and a line style too.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = [
    "BLUES", "BROWN", "COMPLETE", "FADED", "GREEN", "GREY", "GRID", "INK", "LIGHT_GREY", "NO",
    "ORANGE", "PARTIAL", "PINK", "PURPLE", "STYLES", "Style",
]  # fmt: skip

GREEN, ORANGE, PURPLE = "#1b9e77", "#d95f02", "#7570b3"
PINK, BROWN = "#e7298a", "#a6761d"
INK, GREY, FADED = "#333333", "#808080", "#999999"
LIGHT_GREY, GRID = "#8c8c8c", "#dddddd"  # of guides, of lines behind all marks
BLUES = ("#5a9bd4", "#3b7dbf", "#2f5fa5")  # from little to much

NO, PARTIAL, COMPLETE = GREEN, ORANGE, PURPLE  # of the three kinds of pooling


class Style(NamedTuple):
    """How one kind of estimate looks: colour, marker and line style."""

    color: str
    marker: str
    linestyle: Literal["-", "--", ":"]


STYLES: Mapping[str, Style] = {
    "no pooling": Style(NO, "o", "-"),
    "partial pooling": Style(PARTIAL, "D", "--"),
    "complete pooling": Style(COMPLETE, "s", ":"),
}
