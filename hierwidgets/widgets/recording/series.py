"""Whole numbers over the places of several axes, packed into few bytes.

What is recorded changes little from one place to the next, so differences are kept. Differences
along one axis, or along two in turn, of any order up to two; each series has the ones that leave
least. They are written as bytes, seven bits each, small numbers of both signs first (LEB128 of the
zigzag code, as protocol buffers have it).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Series", "depends_on", "edge_of", "packed", "unpacked"]

Whole = NDArray[np.int64]
EDGE_SHARE = 0.05  # of all places, that stand at an edge


@dataclass(frozen=True, slots=True)
class Series:
    """One whole number for each place.

    Attributes
    ----------
    over
        The axes it depends on; it is the same along all others.
    values
        An axis of places for each of `over`.
    whole
        Whether it has every position of its axis, and not only the recorded ones.
    edge
        The value at which it is held, where what it shows goes on out of sight; None if it is not.
    wide
        How many numbers it has at each place, along one more axis of `values`; 0: one, and none.
    """

    over: tuple[int, ...]
    values: Whole
    whole: bool = False
    edge: int | None = None
    wide: int = 0


def depends_on(values: Whole) -> tuple[tuple[int, ...], Whole]:
    """The axes along which values change, and the values over those alone."""
    over = []
    for axis in range(values.ndim - 1, -1, -1):
        first = values.take([0], axis=axis)
        if (values == first).all():
            values = first.squeeze(axis)
        else:
            over.append(axis)
    return tuple(reversed(over)), values


def edge_of(values: Whole, along: int, steep: int) -> int | None:
    """The least or the largest value, if many places have it and others meet it steeply.

    Parameters
    ----------
    values
        Of a series over its axes.
    along
        The axis along which numbers are interpolated.
    steep
        A step onto the edge that is larger than this, from one place to the next, is a kink.
    """
    for edge in (int(values.min()), int(values.max())):
        at = values == edge
        if at.mean() < EDGE_SHARE:
            continue
        steps = np.abs(np.diff(values, axis=along))
        onto = np.diff(at.astype(np.int8), axis=along) != 0
        if onto.any() and steps[onto].max() > steep:
            return edge
    return None


def packed(values: Whole) -> tuple[list[int], bytes]:
    """The axes along which differences were taken, in turn, and the bytes that are left."""
    best: tuple[float, list[int], Whole] | None = None
    for order in _orders(values.ndim):
        left = values
        for axis in order:
            left = np.diff(left, axis=axis, prepend=0)
        cost = float(np.log2(1.0 + np.abs(left)).sum())
        if best is None or cost < best[0]:
            best = cost, order, left
    assert best is not None
    return best[1], _bytes(best[2].ravel())


def unpacked(order: list[int], data: bytes, shape: tuple[int, ...]) -> Whole:
    """The values again; see `packed`."""
    values = _numbers(data).reshape(shape)
    for axis in reversed(order):
        values = np.cumsum(values, axis=axis)
    return values


def _orders(axes: int) -> list[list[int]]:
    one = [[axis] for axis in range(axes)]
    twice = [[axis, axis] for axis in range(axes)]
    two = [[a, b] for a in range(axes) for b in range(a + 1, axes)]
    return [[], *one, *twice, *two]


def _bytes(values: Whole) -> bytes:
    left = np.where(values < 0, -2 * values - 1, 2 * values).astype(np.uint64)
    columns, going = [], np.ones(len(left), dtype=bool)
    present = []
    while going.any():
        rest = left >> np.uint64(7)
        more = (rest > 0) & going
        columns.append((left & np.uint64(127)) | (more.astype(np.uint64) << np.uint64(7)))
        present.append(going)
        left, going = rest, more
    if not columns:
        return b""
    table = np.stack(columns, axis=1).astype(np.uint8)
    return table[np.stack(present, axis=1)].tobytes()


def _numbers(data: bytes) -> Whole:
    raw = np.frombuffer(data, dtype=np.uint8)
    last = raw < 128
    number = np.concatenate([[0], np.cumsum(last)[:-1]]).astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    place = np.arange(len(raw)) - starts[number]
    parts = (raw & 127).astype(np.int64) << (7 * place)
    whole = np.zeros(int(last.sum()), dtype=np.int64)
    np.add.at(whole, number, parts)
    return np.where(whole & 1, -(whole + 1) // 2, whole // 2)
