"""What changes at an instrument, as tracks: numbers by their grid of pixels, texts by their words.

A track tells the values of one trait of one widget at every place. Arrays of numbers are kept to
a quarter of a pixel, those of a single marker finer. Texts are templates with numbers in them, each
number kept as it is printed. Everything else is one of several values. All of them rest on series
of whole numbers, each stored once.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import bqplot
import ipywidgets
import numpy as np

from hierwidgets.errors import DataError
from hierwidgets.widgets.parts.controls import StatusLine, TextTable

from .axes import Plan
from .capture import Key, Moves
from .pixels import SHARE, Unit
from .series import Series, Whole, depends_on, edge_of

__all__ = ["COARSER", "GROUPED", "Names", "Pool", "Ref", "as_text", "cut", "tracks_of"]

Ref = list[int]  # a number and the place of the series that is added to it; -1: none
Track = dict[str, Any]
Column = np.ndarray[Any, Any]
Flags = np.ndarray[Any, Any]
Names = dict[ipywidgets.Widget, str]  # of widgets in a recording

_NUMBER = re.compile(r"-?\d{1,3}(?:,\d{3})+(?!\d|\.\d)|-?\d+(?:\.\d+)?")
GROUPED = 100  # added to the decimals of a whole number with commas between its thousands
COARSER = 2  # units of a long curve, which has many points for each pixel
FINER = 16  # parts of a unit of a marker, which is extrapolated on its way out of sight
_FEW = 2  # numbers of a track, which are a marker's
LONG = 40  # points of a curve that moves in each of them
_GAPS = 32  # of which is kept where they take their values from
_SIGNIFICANT = 3  # digits of a large whole number that ends in zeros
_READ = ((StatusLine, "text"), (StatusLine, "pictures"), (TextTable, "rows"))


class Pool:
    """The series of a recording, each once.

    Parameters
    ----------
    plan
        Its axes say which places there are.
    """

    def __init__(self, plan: Plan) -> None:
        self.series: list[Series] = []
        self._shape = tuple(len(axis.nodes) for axis in plan.axes)
        self._lattice = next((i for i, axis in enumerate(plan.axes) if axis.stride > 1), None)
        self._known: dict[tuple[tuple[int, ...], bool, bytes], int] = {}
        self._carried: dict[bytes, tuple[list[Whole], Whole]] = {}

    def wide(self, values: Whole) -> int | None:
        """The place of a series with several numbers at each place, (places, numbers).

        None where that does not serve: next to a lattice.
        """
        if self._lattice is not None:
            return None
        known = (-1,), False, values.tobytes()
        if known in self._known:
            return self._known[known]
        grid = values.reshape(*self._shape, values.shape[1])
        over, short = depends_on(grid)
        last = len(self._shape)
        if last not in over:
            return None
        self._known[known] = len(self.series)
        self.series.append(Series(over[:-1], short, wide=values.shape[1]))
        return self._known[known]

    def filled(self, column: Column, gap: Flags) -> Column:
        """Where there is no value, another one, so chosen that few axes matter."""
        if not gap.any():
            return column
        there = column[~gap]
        if there.size and (there == there[0]).all():
            return np.full_like(column, there[0])
        grid, line = self._taken_from(gap)
        best = min((column[at] for at in grid), key=lambda values: len(depends_on(values)[0]))
        return np.concatenate([best.ravel(), column[line]])

    def _taken_from(self, gap: Flags) -> tuple[list[Whole], Whole]:
        """From which places gaps can take their values, on the grid; and along the lattice.

        On the grid they are carried along one axis after the other, in every order of them.
        """
        key = gap.tobytes()
        if key not in self._carried:
            count = int(np.prod(self._shape))
            missing = gap[:count].reshape(self._shape)
            found: dict[bytes, Whole] = {}
            for order in permutations(range(len(self._shape))):
                at, left = np.arange(count).reshape(self._shape), missing
                for axis in order:
                    at, left = _carried(at, left, axis)
                found.setdefault(at.tobytes(), at)
            line, _ = _carried(np.arange(count, len(gap)), gap[count:], 0)
            if len(self._carried) == _GAPS:
                self._carried.pop(next(iter(self._carried)))
            self._carried[key] = list(found.values()), line
        return self._carried[key]

    def ref(self, values: Whole, finer: int = 1) -> Ref:
        """A place in the pool for values at all places of the grid, then along the lattice.

        They count in units, or in so many parts of one.
        """
        first, count = int(values[0]), int(np.prod(self._shape))
        values = values.astype(np.int64) - first
        over, short = depends_on(values[:count].reshape(self._shape))
        line, whole = values[count:], False
        if set(over) <= {self._lattice} and line.any():
            over, short, whole = (self._lattice,), line, True  # type: ignore[assignment]
        if not over:
            return [first, -1]
        key = over, whole, short.tobytes()
        if key not in self._known:
            self._known[key] = len(self.series)
            edge = None
            if self._lattice in over and not whole:
                edge = edge_of(short, over.index(self._lattice), SHARE * finer)
            self.series.append(Series(over, short, whole, edge))
        return [first, self._known[key]]


def tracks_of(moves: Moves, pool: Pool, units: Callable[[Key], Unit], names: Names) -> list[Track]:
    """A track for everything that moved; `names` are those of widgets in the recording."""
    tracks = []
    for key, values in moves.changed.items():
        widget, trait = key
        if _numeric(values) and isinstance(widget, bqplot.Mark):
            track = _numbers([np.asarray(v, dtype=float) for v in values], pool, units(key))
        elif _plain(values) and isinstance(widget, bqplot.Scale):
            track = _numbers([np.array([v], dtype=float) for v in values], pool, units(key))
            track["kind"] = "number"
        else:
            smooth = any(isinstance(widget, kind) and trait == name for kind, name in _READ)
            track = _texts([as_text(key, value) for value in values], pool, smooth)
        tracks.append({"model": names[widget], "trait": trait, **track})
    return tracks


def as_text(key: Key, value: Any) -> str:
    """A value as the message to the page would have it, as JSON; buffers in base64."""
    widget, name = key
    to_json = widget.trait_metadata(name, "to_json", widget._trait_to_json)
    return json.dumps(to_json(value, widget), default=_buffer, ensure_ascii=False)


def _buffer(value: Any) -> dict[str, str]:
    return {"base64": b64encode(bytes(value)).decode("ascii")}


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(v, np.ndarray) and v.dtype.kind in "fi" for v in values)


def _plain(values: Sequence[Any]) -> bool:
    return all(isinstance(v, float | int) and not isinstance(v, bool) for v in values)


# --- arrays of numbers ---


def _numbers(values: Sequence[np.ndarray[Any, Any]], pool: Pool, unit: Unit) -> Track:
    """Each element as a number of units, and the shape where it changes."""
    shapes = list(dict.fromkeys(value.shape for value in values))
    of_shape = np.array([shapes.index(value.shape) for value in values])
    most = max(int(np.prod(shape)) for shape in shapes)
    table = np.full((len(values), most), np.nan)
    present = np.zeros(table.shape, dtype=bool)
    for row, value in enumerate(values):
        table[row, : value.size], present[row, : value.size] = value.ravel(), True
    if np.isinf(table).any():
        raise DataError("an infinite number cannot be recorded; draw it at the edge, or as a gap")
    table = unit.forth(table)
    finer = FINER if most <= _FEW else 1
    step = unit.step / finer
    track: Track = {
        "kind": "array",
        "pixel": SHARE * unit.step,
        "step": step,
        "log": unit.log,
        "shapes": shapes,
    }
    track["shape"] = pool.ref(of_shape)
    base: list[float | None] = []
    refs: list[int] = []
    gaps: dict[int, Ref] = {}
    block = _block(table / unit.step / COARSER, present, pool)
    if block is not None:
        track |= {"step": unit.step * COARSER, "base": block[0], "wide": block[1]}
        return {**track, "series": [], "gaps": {}}
    for k in range(most):
        gap = np.isnan(table[:, k])
        if (gap & present[:, k]).any() and not (gap | ~present[:, k]).all():
            gaps[k] = pool.ref(gap.astype(np.int64))
        if gap.all():
            base.append(None)
            refs.append(-1)
            continue
        column = pool.filled(table[:, k], gap) / step
        base.append(round(float(column[0]), 3))
        refs.append(pool.ref(np.round(column - column[0] + 1e-7).astype(np.int64), finer)[1])
    return {**track, "base": base, "series": refs, "gaps": gaps}


def _carried(values: Column, gap: Flags, axis: int) -> tuple[Column, Flags]:
    """Gaps take the value before them along an axis, the first ones that after them."""
    values, gap = np.moveaxis(values, axis, 0).copy(), np.moveaxis(gap, axis, 0).copy()
    for turn in (1, -1):
        values, gap = values[::turn], gap[::turn]
        for i in range(1, len(values)):
            take = gap[i] & ~gap[i - 1]
            values[i] = np.where(take, values[i - 1], values[i])
            gap[i] = gap[i] & ~take
        values, gap = values[::turn], gap[::turn]
    return np.moveaxis(values, 0, axis), np.moveaxis(gap, 0, axis)


def _block(table: Column, present: Flags, pool: Pool) -> tuple[list[float], int] | None:
    """A long curve as one series: from one point to the next it changes little, too.

    Where it has fewer points than elsewhere the last one stands for the rest.
    """
    if table.shape[1] < LONG or (np.isnan(table) & present).any() or not present.any(axis=1).all():
        return None
    table, _ = _carried(table, ~present, 1)
    moves = np.round(table).astype(np.int64)
    if len({one.tobytes() for one in moves.T}) < LONG:
        return None
    place = pool.wide(moves - moves[0, 0])
    return None if place is None else ([float(moves[0, 0])], place)


# --- texts ---


def _texts(values: Sequence[str], pool: Pool, smooth: bool) -> Track:
    """Templates, which of them stands at each place, and the numbers between their parts."""
    apart = {one: cut(one) if smooth else ((one,), ()) for one in dict.fromkeys(values)}
    told = [apart[value] for value in values]
    templates = list(dict.fromkeys(parts for parts, _ in told))
    places = {parts: i for i, parts in enumerate(templates)}
    which = np.array([places[parts] for parts, _ in told])
    kept, slots = [], []
    for i, parts in enumerate(templates):
        here = which == i
        rows = [numbers if mine else None for (_, numbers), mine in zip(told, here, strict=True)]
        literal, of_template = _slots(parts, rows, here, pool)
        kept.append(literal)
        slots.append(of_template)
    return {
        "kind": "text", "smooth": smooth, "templates": kept, "template": pool.ref(which),
        "slots": slots,
    }  # fmt: skip


def _slots(
    parts: tuple[str, ...], rows: list[Any], here: np.ndarray[Any, Any], pool: Pool
) -> tuple[list[str], list[list[Ref]]]:
    """The numbers of a template; those that never change become part of its words."""
    literal, slots = [parts[0]], []
    for k, after in enumerate(parts[1:]):
        found = np.array([(0, 0) if row is None else row[k] for row in rows], dtype=np.int64)
        gone = ~here
        digits, decimals = (pool.filled(found[:, c], gone) for c in (0, 1))
        if np.ptp(digits[here]) == 0 and np.ptp(decimals[here]) == 0:
            literal[-1] += _printed(int(digits[here][0]), int(decimals[here][0])) + after
            continue
        slots.append([pool.ref(digits), pool.ref(decimals)])
        literal.append(after)
    return literal, slots


def cut(text: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """The words between the numbers of a text; and the numbers, as digits and decimals."""
    parts, numbers, end = [""], [], 0
    for found in _NUMBER.finditer(text):
        token = found.group()
        whole, _, decimals = token.partition(".")
        places = len(decimals)
        digits = int(token.replace(",", "").replace(".", ""))
        if not decimals:
            places = -_round_zeros(digits)
            digits //= 10**-places
        if "," in whole:
            places += GROUPED
        if _printed(digits, places) != token or abs(digits) > 2**31:
            continue  # such as 007: it stays among the words
        parts[-1] += text[end : found.start()]
        numbers.append((digits, places))
        parts.append("")
        end = found.end()
    parts[-1] += text[end:]
    return tuple(parts), tuple(numbers)


def _round_zeros(number: int) -> int:
    """Zeros at the end of a whole number that was rounded to three digits, as far as one sees."""
    bare = str(abs(number))
    after = len(bare) - _SIGNIFICANT
    return after if after > 0 and bare.endswith("0" * after) else 0


def _printed(digits: int, decimals: int) -> str:
    grouped, decimals = decimals > GROUPED / 2, (decimals + GROUPED // 2) % GROUPED - GROUPED // 2
    if decimals <= 0:
        return f"{digits * 10**-decimals:{',' if grouped else ''}}"
    sign, bare = "-" if digits < 0 else "", str(abs(digits))
    bare = bare.zfill(decimals + 1)
    return f"{sign}{bare[:-decimals]}.{bare[-decimals:]}"
