"""An instrument moved through all places of its axes, and what the page would be told at each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import bqplot
import ipywidgets
import traitlets

from hierwidgets.widgets.parts.controls import NamedSlider, StatusLine, TextTable
from hierwidgets.widgets.parts.instrument import Instrument, owned_widgets
from hierwidgets.widgets.parts.later import once

from .axes import Plan

__all__ = ["Key", "Moves", "Place", "at_rest", "moved"]

Key = tuple[ipywidgets.Widget, str]
Place = tuple[int, ...]

# what belongs to a page and its kernel, and not to what is shown
_OF_THE_PAGE = (
    (NamedSlider, "mover"), (StatusLine, "frames"), (StatusLine, "clickable"),
    (TextTable, "is_open"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moves:
    """What was seen.

    Attributes
    ----------
    places
        For each axis where it stood, by place among its values.
    changed
        For each widget and trait that ever changed, its value at every place.
    """

    places: list[Place]
    changed: dict[Key, list[Any]]

    def hidden(self, widget: ipywidgets.Widget, i: int) -> bool:
        """Whether a mark is not seen at the i-th place, and stands where it was left before."""
        if not isinstance(widget, bqplot.Mark):
            return False
        seen = self.changed.get((widget, "visible"))
        return not (widget.visible if seen is None else seen[i])


@contextmanager
def at_rest(instrument: Instrument) -> Iterator[None]:
    """No page listens meanwhile, which saves most of the time; and closed tables keep up."""
    held = list(owned_widgets(instrument))
    comms = [widget.comm for widget in held]
    was = instrument.table.is_open
    for widget in held:
        widget.comm = None
    instrument.table.is_open = True
    try:
        yield
    finally:
        instrument.table.is_open = was
        for widget, comm in zip(held, comms, strict=True):
            widget.comm = comm


def grid(plan: Plan) -> list[Place]:
    """Every recorded place: all nodes of each axis, the last axis moving fastest."""
    return list(product(*(axis.nodes for axis in plan.axes)))


def moved(instrument: Instrument, plan: Plan, places: list[Place]) -> Moves:
    """Go to each place, and note every synchronised trait that differs somewhere.

    Places are visited with the first axis moving fastest, which draws least.
    """
    held = list(owned_widgets(instrument))
    keys = [(w, n) for w in held for n in w.keys if not _left_out(w, n, plan)]
    known = set(keys)
    start = {key: getattr(*key) for key in keys}
    now: dict[Key, Any] = {}

    def note(change: dict[str, Any]) -> None:
        key = change["owner"], change["name"]
        if key in known:
            now[key] = change["new"]

    seen: dict[Place, dict[Key, Any]] = {}
    for widget in held:
        widget.observe(note, names=traitlets.All)
    try:
        for place in sorted(places, key=lambda one: one[::-1]):
            with once(instrument._put_off):
                plan.go([axis.values[at] for axis, at in zip(plan.axes, place, strict=True)])
            seen[place] = dict(now)
    finally:
        for widget in held:
            widget.unobserve(note, names=traitlets.All)
        plan.go([axis.values[axis.start] for axis in plan.axes])
    changed = {key: [seen[place].get(key, start[key]) for place in places] for key in now}
    return Moves(places, changed)


def _left_out(widget: ipywidgets.Widget, name: str, plan: Plan) -> bool:
    if any(widget is axis.control and name == axis.trait for axis in plan.axes):
        return True  # the page knows where its controls stand
    return any(isinstance(widget, kind) and name == trait for kind, trait in _OF_THE_PAGE)
