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

__all__ = ["PlainError", "Unsendable", "Writer"]

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
