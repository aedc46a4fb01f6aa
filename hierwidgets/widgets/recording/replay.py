"""A recording played, as the page plays it: `lectures/.book/player/src/recording.js` does the same.

At a recorded place every value is the one that was recorded, numbers of pictures to an eighth of
a pixel. Between two recorded positions of a lattice numbers are those of the polynomial through
the six nearest; words are those of the nearest position, with their numbers between.
"""

import gzip
import json
from functools import cache
from typing import Any

import numpy as np

from hierwidgets.base.arrays import Array

from .series import Whole, unpacked
from .tracks import GROUPED

__all__ = ["NEAREST", "Replay", "places", "weights"]

NEAREST = 6  # recorded positions that a number between them rests on


def weights(along: Array, nodes: Array, support: Array, at: int) -> list[tuple[float, int]]:
    """Shares and places of the recorded positions that one rests on (Lagrange's polynomial).

    Parameters
    ----------
    along
        Where every position of the axis is.
    nodes
        The places of the recorded ones.
    support
        Of these the places on which others rest.
    at
        The place of the position that is wanted.
    """
    if at in nodes:
        return [(1.0, at)]
    found = int(np.searchsorted(support, at))
    first = min(max(found - NEAREST // 2, 0), max(len(support) - NEAREST, 0))
    return _lagrange(along, [int(place) for place in support[first : first + NEAREST]], at)


def _lagrange(along: Array, used: list[int], at: int) -> list[tuple[float, int]]:
    rests = []
    for one in used:
        others = [along[other] for other in used if other != one]
        share = np.prod([(along[at] - x) / (along[one] - x) for x in others])
        rests.append((float(share), one))
    return rests


def _beside(free: list[bool], support: Array, at: int) -> list[int]:
    """Up to six free positions in a row, nearest to one between two of which one is free."""
    right = int(np.searchsorted(support, at))
    start = [k for k in (right - 1, right) if free[k]]
    if not start:
        return []
    low, high = start[0], start[-1]
    while high - low + 1 < NEAREST:
        more = [k for k in (low - 1, high + 1) if 0 <= k < len(free) and free[k]]
        if not more:
            break
        nearer = min(more, key=lambda k: abs(int(support[k]) - at))
        low, high = min(low, nearer), max(high, nearer)
    return list(range(low, high + 1))


class Replay:
    """A recording, unpacked.

    Parameters
    ----------
    data
        What `Recording.to_bytes` gives.

    Attributes
    ----------
    header : dict
        State, axes, tracks and the rest of the recording.
    """

    def __init__(self, data: bytes) -> None:
        plain = gzip.decompress(data)
        size = int.from_bytes(plain[:4], "little")
        self.header: dict[str, Any] = json.loads(plain[4 : 4 + size])
        self._axes: list[tuple[Array, Array, Array]] = [
            (np.array(axis["along"]), np.array(axis["nodes"]), np.array(axis["support"]))
            for axis in self.header["axes"]
        ]
        self._rests = cache(lambda axis, at: weights(*self._axes[axis], at=at))
        self._nearest = cache(lambda axis, at: int(np.argmin(np.abs(self._axes[axis][1] - at))))
        self._series: list[tuple[list[int], bool, Whole]] = []
        self._edges = [one["edge"] for one in self.header["series"]]
        at = 4 + size
        for one in self.header["series"]:
            lengths = [len(self._axes[a][0 if one["whole"] else 1]) for a in one["over"]]
            lengths += [one["wide"]] if one["wide"] else []
            values = unpacked(one["order"], plain[at : at + one["size"]], tuple(lengths))
            self._series.append((one["over"], one["whole"], values))
            at += one["size"]

    def frame(self, place: tuple[int, ...]) -> dict[tuple[str, str], Any]:
        """What changes, by model and trait: an array, a number, or a text of JSON."""
        return {
            (track["model"], track["trait"]): self._value(track, place)
            for track in self.header["tracks"]
        }

    def _value(self, track: dict[str, Any], place: tuple[int, ...]) -> Any:
        if track["kind"] == "text":
            return self._text(track, place)
        shape = track["shapes"][self._near(track["shape"], place)]
        count = int(np.prod(shape))
        out = np.full(count, np.nan)
        if "wide" in track:
            row = self._at([track["base"][0], track["wide"]], place)
            out = np.asarray(row, dtype=float)[:count]
        for k in range(0 if "wide" in track else count):
            if track["base"][k] is None:
                continue
            gap = track["gaps"].get(str(k))
            if gap is None or not self._near(gap, place):
                out[k] = self._between([track["base"][k], track["series"][k]], place)
        out = out * track["step"]
        if track["log"]:
            out = 10.0**out
        return float(out[0]) if track["kind"] == "number" else out.reshape(shape)

    def _text(self, track: dict[str, Any], place: tuple[int, ...]) -> str:
        which = self._near(track["template"], place)
        parts = track["templates"][which]
        text = parts[0]
        for (digits, decimals), after in zip(track["slots"][which], parts[1:], strict=True):
            code = self._near(decimals, place)
            text += _printed(self._number(digits, decimals, place), code) + after
        return text

    def _number(self, digits: list[int], decimals: list[int], place: tuple[int, ...]) -> float:
        """A printed number; between recorded positions its neighbours may have other decimals."""
        used = self._used(digits, place) or self._used(decimals, place)
        if used is None:
            return float(self._near(digits, place)) / 10.0 ** places(self._near(decimals, place))[0]
        total = 0.0
        for share, at in used:
            value, code = self._at(digits, at), self._at(decimals, at)
            total += share * value / 10.0 ** places(code)[0]
        return total

    def _used(
        self, ref: list[int], place: tuple[int, ...]
    ) -> list[tuple[float, tuple[int, ...]]] | None:
        """The recorded places that a series rests on here, where they are several."""
        if ref[1] < 0 or self._series[ref[1]][1]:
            return None
        for axis in self._series[ref[1]][0]:
            rests = self._rests(axis, place[axis])
            if len(rests) > 1:
                return [(s, (*place[:axis], at, *place[axis + 1 :])) for s, at in rests]
        return None

    def _between(self, ref: list[Any], place: tuple[int, ...]) -> float:
        used = self._used(ref, place)
        if used is None:
            return float(self._at(ref, place))
        edge = self._edges[ref[1]]
        if edge is not None:
            return self._to_edge(ref, place, ref[0] + edge)
        return float(sum(share * self._at(ref, at) for share, at in used))

    def _to_edge(self, ref: list[Any], place: tuple[int, ...], edge: float) -> float:
        """What is held at an edge rests on the positions that are not, and ends at the edge."""
        over = self._series[ref[1]][0]
        axis = next(a for a in over if len(self._axes[a][1]) < len(self._axes[a][0]))
        along, _, support = self._axes[axis]
        at = place[axis]

        def value(k: int) -> float:
            return float(self._at(ref, (*place[:axis], int(support[k]), *place[axis + 1 :])))

        used = _beside([value(k) != edge for k in range(len(support))], support, at)
        if not used:
            return edge
        rests = _lagrange(along, [int(support[k]) for k in used], at)
        total = sum(share * value(k) for (share, _), k in zip(rests, used, strict=True))
        return max(total, edge) if value(used[0]) > edge else min(total, edge)

    def _near(self, ref: list[int], place: tuple[int, ...]) -> int:
        return int(self._at(ref, place))

    def _at(self, ref: list[Any], place: tuple[int, ...]) -> Any:
        """Base and series at the nearest recorded place."""
        if ref[1] < 0:
            return ref[0]
        over, whole, values = self._series[ref[1]]
        index = tuple(place[a] if whole else self._nearest(a, place[a]) for a in over)
        return ref[0] + values[index]


def places(code: int) -> tuple[int, bool]:
    """Decimals, below 0 for zeros before the point, and whether thousands have commas."""
    half = GROUPED // 2
    return (code + half) % GROUPED - half, code > half


def _printed(value: float, code: int) -> str:
    decimals, grouped = places(code)
    if decimals <= 0:
        return f"{round(value / 10**-decimals) * 10**-decimals:{',' if grouped else ''}}"
    rounded = round(value + (1e-9 if value > 0 else -1e-9), decimals)  # not half to even
    return f"{rounded + 0.0:.{decimals}f}"
