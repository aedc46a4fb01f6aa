"""One recording of an instrument: its state, what changes at each place, and how true that is."""

import gzip
import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets
from ipywidgets.embed import dependency_state

from hierwidgets.errors import DataError
from hierwidgets.widgets.parts.controls import StatusLine, TextTable
from hierwidgets.widgets.parts.instrument import Instrument, owned_widgets

from .axes import Axis, Plan
from .capture import Moves, Place, at_rest, grid, moved
from .check import Truth, truth
from .pixels import units_of
from .plans import plan_of
from .series import packed
from .tracks import Names, Pool, tracks_of

__all__ = ["Recording", "fingerprint", "names_of", "record"]

MOST_PIXELS = 0.5  # that interpolation may be off
MOST_DIGITS = 2.0  # units of the last printed digit, in words
FINEST_STRIDE = 5
# places at which a recording is held against the instrument: beside a lattice, most of them between
# recorded ones, and where there is none
TRIED, TRIED_RECORDED = 200, 100
SEED = 309


@dataclass(frozen=True, slots=True)
class Recording:
    """All that a page needs to play an instrument.

    Attributes
    ----------
    header
        State, axes, tracks: what JSON can hold.
    stream
        The series, one after the other.
    truth
        How far the recording is from the instrument, at random places.
    """

    header: dict[str, Any]
    stream: bytes
    truth: Truth

    def about(self) -> dict[str, Any]:
        """What is in it, for a page's index and for people."""
        axes = self.header["axes"]
        return {
            "instrument": self.header["instrument"],
            "recorded": [axis["name"] for axis in axes],
            "positions": [len(axis["values"]) for axis in axes],
            "places": [len(axis["nodes"]) for axis in axes],
            "pixels": round(self.truth.pixels, 3),
            "digits": self.truth.digits,
            "others": f"{self.truth.others} of {self.truth.places}",
        }

    def to_bytes(self) -> bytes:
        """The recording as a file, compressed; the same recording gives the same bytes."""
        head = json.dumps(self.header, ensure_ascii=False, separators=(",", ":")).encode()
        return gzip.compress(
            len(head).to_bytes(4, "little") + head + self.stream, compresslevel=9, mtime=0
        )


def record(instrument: Instrument) -> Recording | None:
    """Move the recorded controls of an instrument through all their places.

    Parameters
    ----------
    instrument
        As the page shows it.

    Returns
    -------
    Recording or None
        None for an instrument of which nothing is recorded.

    Raises
    ------
    DataError
        If a lattice as fine as allowed is still more than half a pixel off between its places.
    """
    plan = plan_of(instrument)
    if plan is None:
        return None
    state, names = _state(instrument)
    kept: dict[Place, Any] = {}
    tried = TRIED if any(axis.stride > 1 for axis in plan.axes) else TRIED_RECORDED
    while True:
        with at_rest(instrument):
            moves = _moves(instrument, plan, kept)
        found = _packed(instrument, plan, moves, state, names)
        with at_rest(instrument):
            checked = truth(instrument, plan, found.to_bytes(), names, tried, SEED)
        found = replace(found, truth=checked)
        if checked.pixels <= MOST_PIXELS and checked.digits <= MOST_DIGITS:
            return found
        finer = _finer(plan)
        if finer is None:
            raise DataError(
                f"{type(instrument).__name__}: between recorded places the recording is off by "
                f"{checked.pixels:.2f} pixels and {checked.digits:.1f} units of a last digit; at "
                f"most {MOST_PIXELS} and {MOST_DIGITS} are allowed, with no lattice finer than "
                f"every {FINEST_STRIDE}th step. Record all steps of this axis."
            )
        plan = finer


def _finer(plan: Plan) -> Plan | None:
    """The same plan with twice as many positions on its lattice."""
    if not any(axis.stride > FINEST_STRIDE for axis in plan.axes):
        return None
    axes = tuple(replace(a, stride=a.stride // 2) if a.stride > 1 else a for a in plan.axes)
    return replace(plan, axes=axes)


def _moves(instrument: Instrument, plan: Plan, kept: dict[Place, Any]) -> Moves:
    """What is seen on the grid, and along the lattice with all else at its start."""
    places = [*grid(plan), *_line(plan)]
    new = moved(instrument, plan, [p for p in dict.fromkeys(places) if p not in kept])
    for i, place in enumerate(new.places):
        kept[place] = {key: values[i] for key, values in new.changed.items()}
    keys = {key: None for seen in kept.values() for key in seen}
    start = {key: getattr(*key) for key in keys}
    return Moves(places, {key: [kept[p].get(key, start[key]) for p in places] for key in keys})


def _line(plan: Plan) -> list[Place]:
    lattice = next((i for i, axis in enumerate(plan.axes) if axis.stride > 1), None)
    if lattice is None:
        return []
    start = [axis.start for axis in plan.axes]
    return [
        (*start[:lattice], at, *start[lattice + 1 :])
        for at in range(len(plan.axes[lattice].values))
    ]


def _packed(
    instrument: Instrument, plan: Plan, moves: Moves, state: dict[str, Any], names: Names
) -> Recording:
    pool = Pool(plan)
    tracks = tracks_of(moves, pool, units_of(instrument, moves), names)
    series, stream = [], []
    for one in pool.series:
        order, data = packed(one.values)
        series.append(
            {"over": one.over, "whole": one.whole, "edge": one.edge, "wide": one.wide,
             "order": order, "size": len(data)}
        )  # fmt: skip
        stream.append(data)
    header = {
        "instrument": type(instrument).__name__,
        "root": names[instrument],
        "status": names[_only(instrument, StatusLine)],
        "table": names[_only(instrument, TextTable)],
        "axes": [_axis(axis, names) for axis in plan.axes],
        "buttons": [{"model": names[button], "to": to} for button, to in plan.buttons],
        "ordered": plan.ordered,
        "apart": plan.apart,
        "state": state,
        "tracks": tracks,
        "series": series,
    }
    return Recording(header, b"".join(stream), Truth(0.0, 0.0, 0, 0))


def _axis(axis: Axis, names: Names) -> dict[str, Any]:
    return {
        "name": axis.name, "model": names[axis.control], "trait": axis.trait,
        "values": axis.values, "along": [float(f"{a:.12g}") for a in axis.along],
        "nodes": axis.nodes, "support": axis.support if axis.stride > 1 else axis.nodes,
        "start": axis.start,
    }  # fmt: skip


def fingerprint(instrument: Instrument) -> str:
    """The same for two instruments that show the same and stand at the same place."""
    state, _ = _state(instrument)
    text = json.dumps([type(instrument).__name__, state], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def names_of(instrument: Instrument) -> Names:
    """Short names of an instrument's widgets, the same in every kernel."""
    return {widget: f"w{i}" for i, widget in enumerate(owned_widgets(instrument))}


def _only(instrument: Instrument, kind: type[ipywidgets.Widget]) -> ipywidgets.Widget:
    return next(w for w in owned_widgets(instrument) if isinstance(w, kind))


def _state(instrument: Instrument) -> tuple[dict[str, Any], Names]:
    """The state of every widget as html-manager has it, and the short names it goes by here.

    The same instrument has the same names in every kernel.
    """
    found = dependency_state([instrument], drop_defaults=False)
    names = names_of(instrument)
    text = json.dumps(found)
    for widget, name in names.items():
        text = text.replace(widget.model_id, name)
    state = json.loads(text)
    for one in state.values():
        if "clickable" in one["state"]:
            one["state"]["clickable"] = []  # a click on a picture is not recorded
    return {name: state[name] for name in sorted(state)}, names
