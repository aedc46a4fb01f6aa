"""Where the parts of an instrument stand: controls beside its pictures, or above them.

One rule serves every instrument. Controls come first: menus and switches, then what is turned,
then buttons, and the status line last, so that it stands next to what is dragged. Pictures stand
to their right, where the pane leaves room for both, and below them elsewhere; the style sheet says
how much that is. What an instrument says at length, its code and its tables, comes under both.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypeVar

import bqplot
import ipywidgets

__all__ = ["Shown", "bench", "small"]

Shown: TypeAlias = ipywidgets.DOMWidget | Sequence[bqplot.Figure]
Control = TypeVar("Control", bound=ipywidgets.DOMWidget)


def bench(controls: Iterable[ipywidgets.DOMWidget], pictures: Iterable[Shown]) -> ipywidgets.Box:
    """Controls and pictures side by side; a sequence of figures is a row of them."""
    columns = []
    for name, parts in (("hw-controls", controls), ("hw-pictures", map(_row, pictures))):
        columns.append(ipywidgets.Box(tuple(parts)))
        columns[-1].add_class(name)
    whole = ipywidgets.Box(tuple(columns))
    whole.add_class("hw-bench")
    return whole


def _row(shown: Shown) -> ipywidgets.DOMWidget:
    """Figures in a row of their own, in which they grow and break as there is room."""
    if isinstance(shown, bqplot.Figure):
        return ipywidgets.HBox((shown,))
    return shown if isinstance(shown, ipywidgets.DOMWidget) else ipywidgets.HBox(tuple(shown))


def small(control: Control) -> Control:
    """The control, to share its row with another where there is no room for two large ones."""
    control.add_class("hw-small")
    return control
