"""Plain data to values: the other half of `plain`."""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .plain import (
    BITS,
    CONSTANTS,
    DEEPEST,
    EXTENSIONS,
    KINDS,
    LONGEST,
    Node,
    PlainError,
    Unsendable,
    Writer,
)

__all__ = ["Reader", "restore"]


class Reader:
    """Plain data to values of exact types; anything odd raises `PlainError`.

    Parameters
    ----------
    pieces
        The bytes that came with the data.
    recall
        Makes a callable of a number and a name.
    told
        Whether an `Unsendable` says which kind the other side calls it.
    """

    def __init__(
        self, pieces: list[bytes], recall: Callable[[int, str], Any] | None = None, *,
        told: bool = True,
    ) -> None:  # fmt: skip
        self.pieces, self.recall, self.told = pieces, recall, told

    def read(self, node: Node, depth: int = 0) -> Any:
        """The value that the node describes."""
        try:
            return self._read(node, depth)
        except PlainError:
            raise
        except Exception as problem:
            raise PlainError(f"no plain data: {type(problem).__name__}") from None

    def _read(self, node: Node, depth: int) -> Any:
        if depth > DEEPEST + 2:
            raise PlainError("too deep")
        if not isinstance(node, list):
            if isinstance(node, dict):
                raise PlainError("no plain data")
            return node
        tag, *rest = node
        way = getattr(self, f"_{tag}") if tag in _TAGS else None
        if way is None:
            raise PlainError("no plain data")
        return way(depth + 1, *rest)

    def _items(self, depth: int, values: list[Node]) -> list[Any]:
        if type(values) is not list:
            raise PlainError("no list")
        return [self._read(value, depth) for value in values]

    def _list(self, depth: int, values: list[Node]) -> list[Any]:
        return self._items(depth, values)

    def _tuple(self, depth: int, values: list[Node]) -> tuple[Any, ...]:
        return tuple(self._items(depth, values))

    def _set(self, depth: int, values: list[Node]) -> set[Any]:
        return set(self._items(depth, values))

    def _frozenset(self, depth: int, values: list[Node]) -> frozenset[Any]:
        return frozenset(self._items(depth, values))

    def _iterator(self, depth: int, values: list[Node]) -> Any:
        return iter(self._items(depth, values))

    def _dict(self, depth: int, pairs: list[Node]) -> dict[Any, Any]:
        return {self._read(k, depth): self._read(v, depth) for k, v in pairs}

    def _constant(self, depth: int, name: str) -> Any:
        return CONSTANTS[name]

    def _complex(self, depth: int, real: float, imag: float) -> complex:
        return complex(real, imag)

    def _bytes(self, depth: int, piece: int) -> bytes:
        return self._piece(piece)

    def _slice(self, depth: int, parts: list[Node]) -> slice:
        return slice(*self._items(depth, parts))

    def _range(self, depth: int, *ends: int) -> range:
        return _bounded(range(*map(_exact_int, ends)))

    def _piece(self, number: int) -> bytes:
        if type(number) is not int or not 0 <= number < len(self.pieces):
            raise PlainError("no such piece")
        return self.pieces[number]

    def _array(self, depth: int, dtype: str, shape: list[int], piece: int) -> Any:
        """An array as large as its bytes, whatever its shape claims."""
        kind, data = np.dtype(str(dtype)), self._piece(piece)
        if kind.kind not in KINDS:
            raise PlainError("no array of plain numbers or texts")
        size = 1
        for length in shape:
            size *= _exact_int(length)
        if size * kind.itemsize != len(data) or (not kind.itemsize and size > LONGEST):
            raise PlainError("an array that is not as large as it says")
        if not kind.itemsize:
            return np.zeros(shape, dtype=kind)
        return np.frombuffer(data, dtype=kind).reshape(shape).copy()

    def _scalar(self, depth: int, dtype: str, shape: list[int], piece: int) -> Any:
        return self._array(depth, dtype, [], piece)[()]

    def _objects(self, depth: int, shape: list[int], values: list[Node]) -> Any:
        made = np.empty(len(values), dtype=object)
        for k, value in enumerate(self._items(depth, values)):
            made[k] = value
        return made.reshape(shape)

    # --- pandas ---

    def _inferred(self, depth: int, values: list[Node]) -> Any:
        """Intervals or periods, of which pandas finds the dtype."""
        return pd.Index(self._items(depth, values))

    def _categories(self, depth: int, codes: Node, categories: Node, ordered: bool) -> Any:
        return pd.Categorical.from_codes(
            self._read(codes, depth), self._read(categories, depth), ordered=ordered is True
        )

    def _instants(self, depth: int, zone: str, stamps: Node) -> Any:
        return pd.DatetimeIndex(self._read(stamps, depth)).tz_localize("UTC").tz_convert(str(zone))

    def _extension(self, depth: int, dtype: str, values: list[Node]) -> Any:
        if not str(dtype).startswith(EXTENSIONS):
            raise PlainError("no dtype of pandas")
        made: Any = pd.array
        return made(self._items(depth, values), dtype=str(dtype))

    def _index(self, depth: int, column: Node, names: list[Node]) -> Any:
        return _labels(self._read(column, depth)).rename(self._items(depth, names)[0])

    def _rangeindex(self, depth: int, start: int, stop: int, step: int, names: list[Node]) -> Any:
        return pd.RangeIndex(
            self._range(depth, start, stop, step), name=self._items(depth, names)[0]
        )

    def _multiindex(self, depth: int, columns: list[Node], names: list[Node]) -> Any:
        return pd.MultiIndex.from_arrays(
            self._items(depth, columns), names=self._items(depth, names)
        )

    def _pandas(self, depth: int, index: Node) -> Any:
        return self._read(index, depth)

    def _values(self, depth: int, column: Node) -> Any:
        return pd.Series(self._read(column, depth)).array

    def _series(self, depth: int, column: Node, index: Node, name: Node) -> Any:
        values, labels = self._read(column, depth), self._read(index, depth)
        if len(values) != len(labels):
            raise PlainError("a Series whose index does not fit")
        return pd.Series(values, index=labels, name=self._read(name, depth), dtype=_kept(values))

    def _frame(self, depth: int, columns: list[Node], labels: Node, index: Node) -> Any:
        parts, rows = self._items(depth, columns), self._read(index, depth)
        if any(len(part) != len(rows) for part in parts):
            raise PlainError("a frame whose columns differ in length")
        series = [pd.Series(part, index=rows, dtype=_kept(part)) for part in parts]
        made = pd.DataFrame(dict(enumerate(series)), index=rows)
        made.columns = self._read(labels, depth)
        return made

    def _interval(self, depth: int, left: Node, right: Node, closed: Any) -> Any:
        return pd.Interval(self._read(left, depth), self._read(right, depth), closed=closed)

    def _timestamp(self, depth: int, text: str) -> Any:
        return pd.Timestamp(str(text))

    def _timedelta(self, depth: int, text: str) -> Any:
        return pd.Timedelta(str(text))

    def _datetime(self, depth: int, text: str) -> Any:
        return datetime.datetime.fromisoformat(text)

    def _date(self, depth: int, text: str) -> Any:
        return datetime.date.fromisoformat(text)

    def _seconds(self, depth: int, value: float) -> Any:
        return datetime.timedelta(seconds=value)

    # --- what is more than data ---

    def _generator(self, depth: int, bits: str, state: Node) -> Any:
        if bits not in BITS:
            raise PlainError("no bit generator of numpy")
        made = np.random.Generator(getattr(np.random, bits)())
        made.bit_generator.state = self._read(state, depth)
        return made

    def _randomstate(self, depth: int, state: Node) -> Any:
        made = np.random.RandomState()
        made.set_state(self._read(state, depth))
        return made

    def _function(self, depth: int, number: int, name: str) -> Any:
        if self.recall is None:
            raise PlainError("no function is expected here")
        return self.recall(_exact_int(number), str(name)[:100])

    def _other(self, depth: int, kind: str) -> Unsendable:
        return Unsendable(str(kind)[:200] if self.told else "something")


_TAGS_WORDS = """
    inferred list tuple set frozenset iterator dict constant complex bytes slice range array
    scalar objects categories instants extension index rangeindex multiindex pandas
    values series frame interval timestamp timedelta datetime date seconds generator
    randomstate function other
"""
_TAGS = frozenset(_TAGS_WORDS.split())


def _kept(values: Any) -> Any:
    """The dtype of objects, which pandas would take for texts; None leaves it as it is."""
    return object if isinstance(values, np.ndarray) and values.dtype == object else None


def _labels(values: Any) -> Any:
    return pd.Index(values, dtype=_kept(values))


def _exact_int(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise PlainError("no whole number")
    return value


def _bounded(value: range) -> range:
    try:
        length = len(value)
    except OverflowError:
        length = LONGEST + 1
    if length > LONGEST:
        raise PlainError("a range of too many numbers")
    return value


def restore(old: Any, new: Any, *, contents: bool) -> bool:
    """Bring an argument to the state in which the answer left it; whether more than a generator.

    Parameters
    ----------
    old, new
        The argument as it was handed over, and its value afterwards.
    contents
        False leaves everything but the states of generators alone.
    """
    if isinstance(old, np.random.Generator) and isinstance(new, np.random.Generator):
        old.bit_generator.state = new.bit_generator.state
        return False
    if isinstance(old, np.random.RandomState) and isinstance(new, np.random.RandomState):
        old.set_state(new.get_state())
        return False
    if isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new):
        found = [restore(a, b, contents=contents) for a, b in zip(old, new, strict=True)]
        return any(found)
    if not isinstance(old, list | dict | set | np.ndarray | pd.Series | pd.DataFrame):
        return False
    if type(old) is not type(new) or (
        Writer().write(old) == Writer().write(new) and _same(old, new)
    ):
        return False
    if contents:
        _overwrite(old, new)
    return True


def _same(one: Any, other: Any) -> bool:
    first, second = Writer(), Writer()
    return bool(first.write(one) == second.write(other) and first.pieces == second.pieces)


def _overwrite(old: Any, new: Any) -> None:
    if isinstance(old, list):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
    elif isinstance(old, np.ndarray):
        old[...] = new
    else:
        old.__init__(new)
