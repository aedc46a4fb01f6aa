"""Values as plain data and back: what answers and tests may hand each other.

A `Writer` turns a value into JSON and pieces of bytes, a `Reader` makes it anew from exact
built-in types, arrays and frames. No class and no code crosses, so nothing that comes out of a
`Reader` can lie about being equal. What cannot be handed over becomes an `Unsendable`, which says
so when it is used.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping, Set
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["PlainError", "Reader", "Unsendable", "Writer", "restore"]

DEEPEST = 60  # containers within containers
LONGEST = 5_000_000  # elements of something that has no bytes of its own, such as a range
KINDS = "biufcSUmM"  # of numpy's dtypes
EXTENSIONS = ("Int", "UInt", "Float", "boolean", "string", "str")
BITS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
CONSTANTS: dict[str, Any] = {"NaT": pd.NaT, "NA": pd.NA, "Ellipsis": ...}

Node = Any  # what JSON can say


class PlainError(Exception):
    """A value that cannot be handed over, or data that are none."""


class Unsendable:
    """Stands for a value of an answer that is no plain data; every use says so."""

    __slots__ = ("_words",)

    def __init__(self, kind: str) -> None:
        self._words = (
            f"the answer holds {kind}, which tests cannot look at: numbers, texts, lists, "
            "arrays, data frames and functions can be tested"
        )

    def __repr__(self) -> str:
        return "<what tests cannot look at>"

    def __getattr__(self, name: str) -> Any:
        raise TypeError(self._words)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError(self._words)

    __bool__ = __len__ = __iter__ = __getitem__ = __contains__ = __float__ = __int__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __abs__ = __neg__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __array__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Writer:
    """Values to plain data; `pieces` are the bytes of the arrays among them.

    Parameters
    ----------
    remember
        Gives a function that is handed over a number, under which the other side calls it.
    strict
        Whether what cannot be handed over is an error; otherwise it is named.
    """

    def __init__(
        self, remember: Callable[[Callable[..., Any]], list[Any]] | None = None, *,
        strict: bool = False,
    ) -> None:  # fmt: skip
        self.remember, self.strict, self.pieces = remember, strict, list[bytes]()

    def write(self, value: Any, depth: int = 0) -> Node:
        """The value as JSON can say it."""
        if value is None or value is True or value is False or type(value) in (float, str):
            return value
        if depth > DEEPEST:
            raise PlainError(f"containers more than {DEEPEST} deep, or one within itself")
        for kinds, way in _WAYS:
            if isinstance(value, kinds):
                return way(self, value, depth + 1)
        if callable(value) and self.remember is not None and not isinstance(value, type):
            return ["function", *self.remember(value)]
        return self.other(f"{type(value).__module__}.{type(value).__qualname__}")

    def other(self, kind: str) -> Node:
        if self.strict:
            raise PlainError(f"{kind} cannot be handed to an answer")
        return ["other", kind[:200]]

    def bytes_of(self, data: bytes) -> int:
        self.pieces.append(data)
        return len(self.pieces) - 1

    def all(self, values: Any, depth: int) -> list[Node]:
        return [self.write(value, depth) for value in values]

    def whole(self, value: int, depth: int) -> Node:
        if abs(value) >= 10**4000:
            raise PlainError("a whole number of more than 4,000 digits")
        return int(value)

    def scalar(self, value: Any, depth: int) -> Node:
        return self.array(np.asarray(value), depth, "scalar")

    def array(self, value: Any, depth: int, tag: str = "array") -> Node:
        value = np.asarray(value)
        if value.dtype.kind == "O":
            return ["objects", list(value.shape), self.all(value.ravel().tolist(), depth)]
        if value.dtype.kind not in KINDS:
            return self.other(f"an array of {value.dtype}")
        plain = value.astype(value.dtype.newbyteorder("="), copy=False)
        data = np.ascontiguousarray(plain).tobytes()
        return [tag, plain.dtype.str, list(value.shape), self.bytes_of(data)]

    def column(self, values: Any, depth: int) -> Node:
        """The values of a Series or an index, whatever pandas keeps them in."""
        kind = values.dtype
        if isinstance(kind, np.dtype):
            return self.array(values.to_numpy(), depth)
        if isinstance(kind, pd.CategoricalDtype):
            codes = values.cat.codes if isinstance(values, pd.Series) else values.codes
            return ["categories", self.array(codes, depth), self.index(kind.categories, depth),
                    bool(kind.ordered)]  # fmt: skip
        if isinstance(kind, pd.DatetimeTZDtype):
            naive = values.dt if isinstance(values, pd.Series) else values
            stamps = naive.tz_convert("UTC")
            stamps = stamps.dt if isinstance(stamps, pd.Series) else stamps
            return ["instants", str(kind.tz), self.array(stamps.tz_localize(None), depth)]
        missing = values.isna()
        cells = [None if gone else v for v, gone in zip(values, missing, strict=True)]
        if str(kind).startswith(EXTENSIONS):
            return ["extension", str(kind), self.all(cells, depth)]
        return ["inferred", self.all(list(values), depth)]

    def index(self, value: Any, depth: int) -> Node:
        names = self.all(list(value.names), depth)
        if isinstance(value, pd.MultiIndex):
            levels = [value.get_level_values(k) for k in range(value.nlevels)]
            return ["multiindex", [self.column(level, depth) for level in levels], names]
        if isinstance(value, pd.RangeIndex):
            return ["rangeindex", value.start, value.stop, value.step, names]
        return ["index", self.column(value, depth), names]

    def series(self, value: Any, depth: int) -> Node:
        return ["series", self.column(value, depth), self.index(value.index, depth),
                self.write(value.name, depth)]  # fmt: skip

    def frame(self, value: Any, depth: int) -> Node:
        columns = [self.column(value.iloc[:, k], depth) for k in range(value.shape[1])]
        return ["frame", columns, self.index(value.columns, depth), self.index(value.index, depth)]

    def mapping(self, value: Any, depth: int) -> Node:
        return ["dict", [[self.write(k, depth), self.write(v, depth)] for k, v in value.items()]]

    def generator(self, value: Any, depth: int) -> Node:
        bits = value.bit_generator
        return ["generator", type(bits).__name__, self.write(dict(bits.state), depth)]

    def old_generator(self, value: Any, depth: int) -> Node:
        return ["randomstate", self.write(value.get_state(legacy=False), depth)]

    def iterator(self, value: Any, depth: int) -> Node:
        taken = list(islice(value, LONGEST + 1))
        if len(taken) > LONGEST:
            raise PlainError("an iterator without an end")
        return ["iterator", self.all(taken, depth)]


def _pairs(tag: str) -> Callable[[Writer, Any, int], Node]:
    return lambda writer, value, depth: [tag, writer.all(list(value), depth)]


# In this order: a numpy float is a float, a Timestamp a datetime, a bool an int.
_WAYS: tuple[tuple[Any, Callable[[Writer, Any, int], Node]], ...] = (
    (type(pd.NaT), lambda w, v, d: ["constant", "NaT"]),
    (type(pd.NA), lambda w, v, d: ["constant", "NA"]),
    (type(...), lambda w, v, d: ["constant", "Ellipsis"]),
    (np.generic, Writer.scalar),
    (np.ndarray, Writer.array),
    (bool, lambda w, v, d: bool(v)),
    (int, Writer.whole),
    (float, lambda w, v, d: float(v)),
    (str, lambda w, v, d: str.__str__(v)),
    (complex, lambda w, v, d: ["complex", v.real, v.imag]),
    (bytes | bytearray, lambda w, v, d: ["bytes", w.bytes_of(bytes(v))]),
    (pd.DataFrame, Writer.frame),
    (pd.Series, Writer.series),
    (pd.Index, lambda w, v, d: ["pandas", w.index(v, d)]),
    (pd.api.extensions.ExtensionArray, lambda w, v, d: ["values", w.column(pd.Series(v), d)]),
    (pd.Interval, lambda w, v, d: ["interval", w.write(v.left, d), w.write(v.right, d), v.closed]),
    (pd.Timestamp, lambda w, v, d: ["timestamp", v.isoformat()]),
    (pd.Timedelta, lambda w, v, d: ["timedelta", v.isoformat()]),
    (datetime.datetime, lambda w, v, d: ["datetime", v.isoformat()]),
    (datetime.date, lambda w, v, d: ["date", v.isoformat()]),
    (datetime.timedelta, lambda w, v, d: ["seconds", v.total_seconds()]),
    (slice, lambda w, v, d: ["slice", w.all([v.start, v.stop, v.step], d)]),
    (range, lambda w, v, d: ["range", v.start, v.stop, v.step]),
    (list, _pairs("list")),
    (tuple, _pairs("tuple")),
    (frozenset, _pairs("frozenset")),
    (set, _pairs("set")),
    (Mapping, Writer.mapping),
    (Set, _pairs("set")),
    (np.random.Generator, Writer.generator),
    (np.random.RandomState, Writer.old_generator),
    (type({}.values()), _pairs("list")),
    (Iterator, Writer.iterator),
)  # fmt: skip


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
