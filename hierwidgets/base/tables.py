"""Small tables as plain text and as HTML that a screen reader can read out."""

from collections.abc import Sequence
from html import escape
from typing import ClassVar

__all__ = ["NotedTable", "html_table", "p_value", "text_table"]

Rows = Sequence[Sequence[str]]


def text_table(head: Sequence[str], rows: Rows) -> list[str]:
    """Lines with aligned columns: the first to the left, numbers to the right.

    Examples
    --------
    >>> print("\\n".join(text_table(["term", "sd"], [["Intercept", "0.31"], ["x", "12.04"]])))
    term          sd
    Intercept   0.31
    x          12.04
    """
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def html_table(caption: str, head: Sequence[str], rows: Rows) -> str:
    """A table with a caption, column headings and row headings (the first cells).

    Examples
    --------
    >>> html_table("Fits", ["fit", "AIC"], [["a < b", "1.0"]])[:33]
    '<table><caption>Fits</caption><th'
    """
    titles = "".join(f'<th scope="col">{escape(h)}</th>' for h in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    )


def p_value(p: float) -> str:
    """A p value to three decimals, "< 0.001" below them.

    Examples
    --------
    >>> p_value(0.0123), p_value(2e-5)
    ('0.012', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


class NotedTable:
    """A result that prints as a table with notes below it, and shows as one in a notebook."""

    __slots__ = ()
    caption: ClassVar[str]
    notes: tuple[str, ...]

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        """Column headings, and rows of text."""
        raise NotImplementedError

    def __str__(self) -> str:
        return "\n".join([*text_table(*self._cells()), *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return html_table(self.caption, *self._cells()) + notes
