"""Files that spreadsheets open: no text becomes a formula, no letter is garbled."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["plain_text", "write_rows"]

MARK = "\ufeff"


def plain_text(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula.

    Examples
    --------
    >>> plain_text("=1+1"), plain_text("Ann")
    ("'=1+1", 'Ann')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_rows(
    path: Path, rows: Iterable[Sequence[str]], separator: str = ",", encoding: str = "utf-8"
) -> None:
    """Write rows of text as CSV, with the byte-order mark where Excel needs it.

    In UTF-8 that is where not all letters are English ones, in UTF-16 everywhere.
    """
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    content = text.getvalue()
    mark = "" if encoding == "utf-8" and content.isascii() else MARK
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((mark + content).encode(encoding))
