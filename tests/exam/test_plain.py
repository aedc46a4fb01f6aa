"""Plain data: what goes over comes back as it was, and what is no plain data does not come back."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest

from hierwidgets.exam.plain import PlainError, Unsendable, Writer
from hierwidgets.exam.reader import Reader, restore

FRAME = pd.DataFrame(
    {
        "a": pd.Categorical(["x", "y", None], categories=["y", "x"], ordered=True),
        "b": pd.array([1, None, 3], dtype="Int64"),
        "c": pd.date_range("2020", periods=3, tz="Europe/Helsinki"),
        "d": [datetime.date(2020, 1, 1), None, {"q": 1}],
        "e": pd.to_timedelta([1, 2, 3], unit="D"),
        "f": pd.array(["a", None, "c"], dtype="string"),
        "g": [1 + 2j, 0, 1],
    },
    index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("c", 3)], names=["k", None]),
)
VALUES = [
    None, True, 3, 2**70, 0.1, -0.0, float("inf"), "Åland", "\ud800", b"ab", 1j, ..., range(5),
    [1, [2]], (1, "a"), {"a": [1], (1, 2): None}, {1, 2}, frozenset([3]), slice(1, None),
    np.float64(3), np.int32(4), np.bool_(True), np.str_("ab"), np.datetime64("2020-01-01"),
    np.zeros((0, 3)), np.arange(6.0).reshape(2, 3).T, np.arange(6)[::2], np.array([["a", "bc"]]),
    np.array([1, None, "x"], dtype=object), np.array([1.0, 2.0], dtype=">f8"), pd.NA, pd.NaT,
    pd.Timestamp("2020-01-01 10:00", tz="UTC"), datetime.timedelta(1.5), pd.Interval(1, 2), FRAME,
    pd.cut(pd.Series([1, 2, 3]), 2), pd.Series([1.5, 2], name=("a", "b"), index=[3.0, 4.0]),
    pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame(), pd.RangeIndex(3),
    pd.Series(["a", "b"], dtype=object), pd.Series(["a", "b"], dtype="str"),
]  # fmt: skip


def there(value):
    """What goes over the line for a value."""
    writer = Writer()
    return json.loads(json.dumps(writer.write(value))), writer.pieces


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_a_value_comes_back_as_it_was(value):
    node, pieces = there(value)
    again = Reader(pieces).read(node)
    assert there(again) == (node, pieces)
    assert type(again) is type(value)


def test_subclasses_come_back_as_what_they_are_made_of():
    class Yes(float):
        def __eq__(self, other):
            return True

        __hash__ = float.__hash__

    class View(np.ndarray):
        pass

    for value, kind in ((Yes(2), float), (np.zeros(2).view(View), np.ndarray)):
        assert type(Reader(there(value)[1]).read(there(value)[0])) is kind


@pytest.mark.parametrize(
    "node",
    [
        {"a": 1}, ["no such"], ["array", "O", [1], 0], ["array", "<f8", [10**12], 0],
        ["array", "<f8", [-1, -1], 0], ["array", "<U0", [10**12], 1], ["bytes", 7], ["bytes", -1],
        ["range", 0, 10**15, 1], ["rangeindex", 0, 10**15, 1, [None]], ["function", 1, "f"],
        ["extension", "object", [1]], ["generator", "Generator", {}], ["dict", [[["list", []], 1]]],
        ["frame", [["array", "<f8", [1], 0]], ["index", ["objects", [1], ["a"]], [None]],
         ["rangeindex", 0, 5, 1, [None]]], ["constant", "open"], ["_read", 1], ["list", 3], [],
    ],
)  # fmt: skip
def test_what_is_no_plain_data_is_refused(node):
    with pytest.raises(PlainError):
        Reader([b"12345678", b""]).read(node)


def test_too_deep_or_too_long():
    nested = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(PlainError, match="deep"):
        Writer().write(nested)
    with pytest.raises(PlainError, match="digits"):
        Writer().write(10**5000)


def test_what_cannot_be_looked_at_says_so():
    found = Reader([]).read(["other", "a figure"])
    assert isinstance(found, Unsendable)
    for use in (bool, float, list, lambda v: v == 1, lambda v: v.x, np.isfinite):
        with pytest.raises(TypeError, match="tests cannot look at"):
            use(found)
    with pytest.raises(PlainError, match="cannot be handed to an answer"):
        Writer(strict=True).write(object())


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_generator_goes_on_where_it_was(bits):
    rng = np.random.Generator(bits(3))
    node, pieces = there(rng)
    again = Reader(pieces).read(node)
    assert np.array_equal(again.random(5), rng.random(5))
    fresh = np.random.Generator(bits(3))
    assert restore(fresh, again, contents=False) is False
    assert fresh.random() == rng.random()


def test_changed_arguments_come_back():
    numbers, frame, kept = [1, 2], pd.DataFrame({"a": [1, 2]}), np.zeros(2)
    after = ([5], pd.DataFrame({"b": [3]}), np.zeros(2))
    assert restore((numbers, frame, kept), after, contents=False)
    assert numbers == [1, 2]
    assert restore((numbers, frame, kept), after, contents=True)
    assert numbers == [5]
    assert frame.equals(after[1])
    assert not restore((kept,), (np.zeros(2),), contents=True)
