"""The key of an instrument's pictures: a row of small drawings, each with a name.

The style sheet lays it out and `still_legend` draws it again for the still.
"""

from collections.abc import Iterable
from html import escape

__all__ = ["legend"]


def legend(keys: Iterable[tuple[str, str]], width: int = 18) -> str:
    """Pairs of a name and its shapes (SVG, so many pixels wide and 16 high) as HTML.

    Examples
    --------
    >>> legend([("raw rate", '<circle cx="9" cy="8" r="5"/>')])[:29]
    '<div class="hw-legend"><span>'
    """
    svg = f'<svg width="{width}" height="16" stroke-width="2" aria-hidden="true">'
    spans = (f"<span>{svg}{shapes}</svg>{escape(name)}</span>" for name, shapes in keys)
    return f'<div class="hw-legend">{"".join(spans)}</div>'
