"""Types of ids and factors, times calls of marginaleffects: our own numbers, or our own error.

A cell fits a model whose group `g` and factor `f` are of one type, and asks through marginaleffects
what `predict`, `comparisons` and `slopes` answer too. Where the package differentiates
automatically both sides are the same formulas: rtol 1e-8; slopes take differences: 1e-5 (see
`test_marginaleffects`).
"""

import datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw

me = pytest.importorskip("marginaleffects")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

pytestmark = pytest.mark.filterwarnings("ignore:.*get_categories:DeprecationWarning")

WORDS = ["ash", "elm", "fir", "oak", "yew", "zeb"]
LEVELS = {
    "whole numbers": [1, 2, 3, 4, 5, 6],
    "large whole numbers": [312, -5, 10**9, 0, 44, 7],
    "numbers": [0.5, 1.0, 2.0, 3.5, 4.0, 9.0],
    "text": WORDS,
    "text of numbers": ["1", "2", "3", "10", "11", "04"],
    "categories": pd.Categorical(WORDS, WORDS[::-1]),
    "categories of numbers": pd.Categorical([1, 2, 3, 4, 5, 6], [6, 1, 5, 2, 4, 3, 9]),
    "nullable whole numbers": pd.array([3, 1, 2, 6, 5, 4], dtype="Int64"),
    "nullable text": pd.array(WORDS, dtype="string"),
    "arrow text": pd.array(WORDS, dtype=pd.ArrowDtype(pa.string())),
    "small whole numbers": np.array([1, 2, 3, 4, 5, 6], dtype="uint8"),
    "booleans": [False, True],
    "nullable booleans": pd.array([True, False], dtype="boolean"),
    "zero and one": [0, 1],
    "dates": [datetime.date(2020, 1, 1 + i) for i in range(6)],
}
AS_FACTOR = {name: "C(f)" for name, levels in LEVELS.items() if "numbers" in name} | {
    "zero and one": "C(f)", "text of numbers": "f",
}  # fmt: skip
CELLS = [(kind, role) for kind in LEVELS for role in "gf" if (kind, role) != ("dates", "f")]


@cache
def data_of(kind):
    rng = np.random.default_rng(5)
    n = 240
    levels = pd.Series(LEVELS[kind])
    at = rng.integers(0, len(levels), n)
    which = rng.integers(0, min(3, len(levels)), n)
    x = rng.normal(size=n)
    y = x + np.linspace(-1, 2, len(levels))[at] + 0.7 * which + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x": x})
    data["g"], data["f"] = levels.iloc[at].array, levels.iloc[which].array
    return data


@cache
def fit_of(kind, role):
    """Ids (`role` "g"), or a factor of that type beside groups of text."""
    data = data_of(kind)
    if role == "g":
        return data, hw.lmer("y ~ x + (1 + x | g)", data)
    data = data.assign(g=np.array(list("abcdefgh"))[np.arange(len(data)) % 8])
    return data, hw.lmer(f"y ~ x * {AS_FACTOR.get(kind, 'f')} + (1 | g)", data)


def frame(result):
    return pd.DataFrame(result.to_dict(as_series=False))


def agree(theirs, ours, rel=1e-8):
    theirs = frame(theirs)
    for column in ("estimate", "std_error"):
        want = ours[column].to_numpy()
        np.testing.assert_allclose(theirs[column].to_numpy(float), want, rtol=rel, atol=1e-12)


def rows_of(data):
    """Some rows, in another order, without all the levels."""
    rows = data.drop(columns="y").iloc[[50, 3, 77, 3, 120, 10, 200, 9]]
    return rows[rows["g"] != rows["g"].iloc[0]].reset_index(drop=True)


def distinct(column):
    levels = column.drop_duplicates()
    return list(levels.cat.as_ordered().sort_values() if levels.dtype == "category" else
                levels.sort_values())  # fmt: skip


def predictions(model, fit, data, role):
    agree(me.predictions(model), fit.predict(interval=0.9))
    rows = rows_of(data)
    agree(me.predictions(model, newdata=rows), fit.predict(rows, interval=0.9))
    try:
        given = pl.from_pandas(rows)
    except (TypeError, pa.ArrowInvalid):  # polars takes no such column
        return
    agree(me.predictions(model, newdata=given), fit.predict(rows, interval=0.9))


def grid(model, fit, data, role):
    levels = distinct(data[role])
    at = pd.DataFrame({"x": 0.5, "g": data["g"].iloc[0], "f": data["f"].iloc[0], role: levels})
    constant = {"x": 0.5, ("f" if role == "g" else "g"): data["f" if role == "g" else "g"].iloc[0]}
    if role == "g":
        constant.pop("f")
    ours = fit.predict(at, interval=0.9)
    agree(me.predictions(model, newdata=me.datagrid(**constant, **{role: levels})), ours)
    every = me.datagrid(model, **constant, **{role: lambda column: column.unique().sort()})
    agree(me.predictions(model, newdata=every), ours)
    balanced = me.datagrid(model, grid_type="balanced")
    assert balanced.height >= len(levels)
    assert np.isfinite(frame(me.predictions(model, newdata=balanced))["estimate"]).all()
    assert np.isfinite(frame(me.predictions(model, newdata="balanced"))["estimate"]).all()
    assert len(frame(me.predictions(model, newdata="mean"))) == 1


def averages(model, fit, data, role):
    whole = fit.predict(interval=0.9)["estimate"]
    assert frame(me.avg_predictions(model))["estimate"].item() == pytest.approx(whole.mean())
    by = frame(me.avg_predictions(model, by=role)).set_index(role)["estimate"]
    means = whole.groupby(data[role].astype(object)).mean()
    for level, mean in means.items():
        label = level if level in by.index else str(level)
        assert by[label] == pytest.approx(mean)


def comparisons(model, fit, data, role):
    rows = rows_of(data)
    agree(me.comparisons(model, variables="x", newdata=rows), hw.comparisons(fit, "x", rows))
    agree(me.avg_comparisons(model, variables="x", by=role), hw.comparisons(fit, "x", by=role))
    for kind in ("reference", "pairwise"):
        ours = hw.comparisons(fit, {role: kind}, average=True)
        theirs = me.avg_comparisons(model, variables={role: kind})
        agree(theirs, ours)
    low, high = distinct(data[role])[:2]
    for pair in ([low, high], [high, low]):
        ours = hw.comparisons(fit, {role: pair}, rows)
        if isinstance(low, datetime.date):
            pair = [str(level) for level in pair]  # they make nothing of dates in a contrast
        agree(me.comparisons(model, variables={role: pair}, newdata=rows), ours)
    everything = frame(me.avg_comparisons(model))
    assert set(everything["term"]) == {"x", "g"} | ({"f"} if role == "f" else set())


def slopes(model, fit, data, role):
    rows = rows_of(data)
    theirs = me.slopes(model, variables="x", newdata=rows, eps_vcov=1e-6)
    agree(theirs, hw.slopes(fit, "x", rows), 1e-5)
    theirs = me.avg_slopes(model, variables="x", by=role, eps_vcov=1e-6)
    agree(theirs, hw.slopes(fit, "x", by=role), 1e-5)


def hypothesis(model, fit, data, role):
    low, high = distinct(data[role])[:2]
    row = data.drop(columns="y").iloc[[0]]
    rows = pd.concat([row, row], ignore_index=True)
    rows[role] = pd.Series([low, high]).astype(data[role].dtype)
    theirs = me.predictions(model, newdata=rows, hypothesis="b1 - b0 = 0")
    agree(theirs, hw.comparisons(fit, {role: [low, high]}, row), 1e-6)  # forward differences


CALLS = [predictions, grid, averages, comparisons, slopes, hypothesis]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize(("kind", "role"), CELLS)
def test_every_call_gives_our_own_numbers(kind, role, call):
    data, fit = fit_of(kind, role)
    call(hw.to_marginaleffects(fit), fit, data, role)


def other_types(levels):
    """The levels as other types hold them."""
    text = [str(level) for level in levels]
    yield "text", pl.Series(text)
    yield "an Enum of another order", pl.Series(text, dtype=pl.Enum(text[::-1]))
    yield "a Categorical", pl.Series(text[::-1], dtype=pl.Categorical).reverse()
    yield "positions", pl.Series(range(len(text)))
    yield "positions from one", pl.Series(range(1, len(text) + 1))
    yield "objects", pd.Series(list(levels), dtype=object)
    yield "a pandas category", pd.Series(pd.Categorical(text, text[::-1]))
    if not isinstance(levels[0], str) or levels[0].isdigit():
        yield "small whole numbers", pl.Series([1, 2], dtype=pl.Int8)
        yield "floats", pl.Series([1.0, 2.0])
        yield "booleans", pl.Series([True, False])
        yield "unsigned", pl.Series([2, 1], dtype=pl.UInt32)


@pytest.mark.parametrize(("kind", "role"), CELLS)
def test_levels_in_another_type_are_read_as_our_own_predict_reads_them(kind, role):
    """Or refused in our words; never by their place."""
    data, fit = fit_of(kind, role)
    model = hw.to_marginaleffects(fit)
    levels = distinct(data[role])
    first = data.drop(columns=["y", role]).iloc[[0]]
    for name, values in other_types(levels):
        rows = pd.concat([first] * len(values), ignore_index=True)
        rows[role] = values.to_list() if isinstance(values, pl.Series) else values.array
        if isinstance(values, pl.Series):
            given = pl.from_pandas(rows.drop(columns=role)).with_columns(values.alias(role))
        else:
            given = rows
        theirs, refused = None, None
        try:
            theirs = frame(me.predictions(model, newdata=given))["estimate"]
        except hw.DataError as error:
            refused = str(error)
        if theirs is None:
            assert role in refused, name
            continue
        by_text = dict(zip(map(str, levels), levels, strict=True))
        known = [by_text.get(value, value) for value in rows[role]]
        ours = fit.predict(rows.assign(**{role: pd.Series(known, dtype=object).infer_objects()}))
        np.testing.assert_allclose(theirs, ours["estimate"], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize(("kind", "role"), [c for c in CELLS if "boolean" not in c[0]])
def test_a_new_level_is_named(kind, role):
    data, fit = fit_of(kind, role)
    model = hw.to_marginaleffects(fit)
    known = data[role].iloc[0]
    new = datetime.date(1999, 9, 9) if kind == "dates" else "new" if isinstance(known, str) else 77
    rows = data.drop(columns="y").iloc[[0]].assign(**{role: [new]})
    calls = [
        lambda: me.predictions(model, newdata=rows),
        lambda: me.predictions(model, newdata=me.datagrid(model, **{role: [known, new]})),
        lambda: me.avg_predictions(model, newdata=rows),
        lambda: me.comparisons(model, variables="x", newdata=rows),
        lambda: (
            me.comparisons(model, variables={role: [str(known), str(new)]})
            if kind == "dates"
            else me.comparisons(model, variables={role: [known, new]})
        ),
        lambda: me.slopes(model, variables="x", newdata=rows),
    ]
    for call in calls:
        with pytest.raises(hw.NewLevelError, match=f"{new}.*levels of the fit alone"):
            call()
