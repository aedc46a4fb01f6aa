"""Levels are compared by what they mean, whatever type they come in.

Tolerances: predictions from columns of another type are the same numbers (1e-12).
"""

import datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.spec.levels import kind, label, level_codes

WHOLE = ("int8", "int64", "uint16", "Int64", "float32", "float64", "Float64", "object", "category")
TEXT = ("str", "string", "object text", "category text")
BOOLEAN = ("bool", "boolean", "object", "category", "int64", "float64", "object text", "str")


def cast(values, how):
    """A column of the same meaning in another type."""
    values = pd.Series(list(values))
    if how == "object":
        return values.astype(object)
    if how.endswith(" text"):
        return values.astype(str).astype(how.removesuffix(" text"))
    return values.astype(how)


@cache
def frame():
    rng = np.random.default_rng(70)
    n = 240
    d = pd.DataFrame({"g": np.repeat(np.arange(1, 7), 40), "x": rng.normal(size=n).round(3),
                      "t": rng.random(n) < 0.5, "f": np.tile([10, 20, 30], 80)})  # fmt: skip
    d["day"] = pd.Timestamp("2020-02-28") + pd.to_timedelta(d["g"], unit="D")
    d["y"] = 0.5 * d["g"] + d["x"] + d["t"] + 0.1 * d["f"] + rng.normal(size=n)
    return d


def estimates(fit, **columns):
    new = pd.DataFrame({"x": [0.1, 0.2, 0.3, 0.4], **columns})
    return fit.predict(new, new_levels="population")["estimate"].to_numpy()


# --- grouping factors -------------------------------------------------------------------------


@pytest.mark.parametrize("fitted", [*WHOLE, *TEXT])
def test_ids_of_any_type_are_the_same_levels(fitted):
    data, asked = frame(), [3, 1, 6, 1]
    right = estimates(hw.lmer("y ~ x + (1 | g)", data), g=asked)
    assert len(set(right.round(6))) == 4
    fit = hw.lmer("y ~ x + (1 | g)", data.assign(g=cast(data["g"], fitted)))
    for given in (*WHOLE, *TEXT):
        assert estimates(fit, g=cast(asked, given)) == pytest.approx(right, abs=1e-12), given


@pytest.mark.parametrize("fitted", ["bool", "object", "category", "boolean", "str", "int64"])
def test_boolean_ids(fitted):
    data, asked = frame(), [True, False, False, True]
    right = estimates(hw.lmer("y ~ x + (1 | t)", data), t=asked)
    fit = hw.lmer("y ~ x + (1 | t)", data.assign(t=cast(data["t"], fitted)))
    for given in BOOLEAN:
        if fitted == "str" and given in ("int64", "float64"):  # "True" and 1 are not compared
            continue
        if fitted == "int64" and given in ("str", "object text"):
            continue
        assert estimates(fit, t=cast(asked, given)) == pytest.approx(right, abs=1e-12), given


@pytest.mark.parametrize("fitted", ["datetime64[ns]", "date", "period", "text"])
def test_dates_as_ids(fitted):
    data = frame()

    def written(days, how):
        days = pd.Series(pd.to_datetime(days))
        return {"date": days.dt.date, "period": days.dt.to_period("D"),
                "text": days.dt.strftime("%Y-%m-%d")}.get(how, days)  # fmt: skip

    asked = ["2020-03-01", "2020-02-29", "2020-03-01", "2020-03-04"]
    right = estimates(hw.lmer("y ~ x + (1 | g)", data), g=[2, 1, 2, 5])
    fit = hw.lmer("y ~ x + (1 | day)", data.assign(day=written(data["day"], fitted)))
    for given in ("datetime64[ns]", "date", "period", "text"):
        got = estimates(fit, day=written(asked, given))
        assert got == pytest.approx(right, abs=1e-9), given


def test_interactions_of_factors_too():
    data = frame()
    fit = hw.lmer("y ~ x + (1 | g:t)", data)
    right = estimates(fit, g=[1, 2, 3, 3], t=[True, False, True, False])
    for g, t in [("str", "str"), ("float64", "int64"), ("category text", "object")]:
        got = estimates(fit, g=cast([1, 2, 3, 3], g), t=cast([True, False, True, False], t))
        assert got == pytest.approx(right, abs=1e-12), (g, t)


def test_a_type_that_cannot_be_compared_is_said():
    data = frame()
    padded = hw.lmer("y ~ x + (1 | g)", data.assign(g=data["g"].map("{:02d}".format)))
    for fit, g in [
        (padded, [1, 2, 3, 4]),
        (hw.lmer("y ~ x + (1 | g)", data), pd.to_datetime(["2020-01-01"] * 4)),
        (hw.lmer("y ~ x + (1 | g)", data), [True, False, True, True]),
    ]:
        for how in ("population", "sample", "error"):
            with pytest.raises(hw.DataError, match=r"holds .* in newdata and .* convert one"):
                fit.predict(pd.DataFrame({"x": 0.0, "g": g}), new_levels=how)


@pytest.mark.parametrize("new", ["new", "7.5", "nan", 7, 7.5])
def test_what_means_no_level_is_new(new):
    fit = hw.lmer("y ~ x + (1 | g)", frame())
    rows = pd.DataFrame({"x": [0.0], "g": [new]})
    with pytest.raises(hw.NewLevelError, match=f"holds the g '{new}'"):
        fit.predict(rows)
    found = fit.predict(rows, new_levels="population")["estimate"][0]
    assert found == pytest.approx(fit.fixef["Intercept"], abs=1e-12)


# --- predictors -------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["y ~ x + t + (1 | g)", "y ~ x * t + (1 + t | g)",
                                     "y ~ x + C(t) + (1 | g)"])  # fmt: skip
@pytest.mark.parametrize("fitted", ["bool", "object", "boolean", "category"])
def test_boolean_predictors(formula, fitted):
    data, asked = frame(), [True, False, False, True]
    right = estimates(hw.lmer(formula, data), g=[1, 2, 3, 4], t=asked)
    fit = hw.lmer(formula, data.assign(t=cast(data["t"], fitted)))
    for given in BOOLEAN:
        got = estimates(fit, g=[1, 2, 3, 4], t=cast(asked, given))
        assert got == pytest.approx(right, abs=1e-8 if "|" in formula else 1e-12), given
    for odd in (2, 0.5, "yes", -1):
        with pytest.raises(hw.NewLevelError, match="it knows 'False', 'True'"):
            fit.predict(pd.DataFrame({"x": [0.0], "g": [1], "t": [odd]}))


@pytest.mark.parametrize("fitted", [*WHOLE[:4], "float64", *TEXT])
def test_factors_of_numbers_and_text(fitted):
    data, asked = frame(), [30, 10, 20, 10]
    right = estimates(hw.lmer("y ~ x + C(f) + (1 | g)", data), g=[1, 2, 3, 4], f=asked)
    fit = hw.lmer("y ~ x + C(f) + (1 | g)", data.assign(f=cast(data["f"], fitted)))
    for given in (*WHOLE, *TEXT):
        got = estimates(fit, g=[1, 2, 3, 4], f=cast(asked, given))
        assert got == pytest.approx(right, abs=1e-12), given


@pytest.mark.parametrize("how", [
    lambda d: d.dt.date, lambda d: d, lambda d: d.dt.to_period("D"), lambda d: d.astype(object),
    lambda d: d - d.min(), lambda d: d.dt.tz_localize("UTC"), lambda d: d.dt.time,
])  # fmt: skip
def test_dates_and_times_are_no_predictors(how):
    data = frame().assign(day=how(frame()["day"]))
    with pytest.raises(hw.FormulaError, match=r"'day' is .*: make a number of it first"):
        hw.lmer("y ~ x + day + (1 | g)", data)


def test_dates_as_levels_when_asked():
    data = frame()
    data = data.assign(day=data["day"].dt.date, k=np.tile(list("abcd"), 60))
    fit = hw.lmer("y ~ x + C(day) + (1 | k)", data)
    by_number = hw.lmer("y ~ x + C(g) + (1 | k)", data)
    assert fit.loglik == pytest.approx(by_number.loglik, abs=1e-8)
    got = estimates(
        fit, k=list("abca"), day=["2020-03-01", "2020-02-29", "2020-03-01", "2020-03-04"]
    )
    assert got == pytest.approx(estimates(by_number, k=list("abca"), g=[2, 1, 2, 5]), abs=1e-8)


# --- Arrow ------------------------------------------------------------------------------------


def test_arrow_columns():
    arrow = pytest.importorskip("pyarrow")
    data = frame()
    data = data.assign(h=data["f"].map({10: "a", 20: "b", 30: "c"}))
    plain = hw.lmer("y ~ x + h + (1 | g)", data)
    text, whole = arrow.string(), arrow.int64()

    def column(values, kind, dictionary=False):
        made = arrow.array(list(values), kind)
        return pd.arrays.ArrowExtensionArray(made.dictionary_encode() if dictionary else made)

    for h, g, x in [
        ((text, True), (whole,), (arrow.float64(),)),
        ((text,), (whole, True), (arrow.float32(),)),
        ((arrow.large_string(), True), (text,), (arrow.float64(),)),
    ]:
        made = data.assign(
            h=column(data["h"], *h),
            g=column(data["g"].astype(str) if text in g else data["g"], *g),
            x=column(data["x"], *x),
        )
        fit = hw.lmer("y ~ x + h + (1 | g)", made)
        assert fit.loglik == pytest.approx(plain.loglik, abs=1e-4)
        got = fit.predict(made.head(50)[["x", "h", "g"]])["estimate"].to_numpy()
        assert got == pytest.approx(plain.predict(data.head(50))["estimate"].to_numpy(), abs=1e-5)


# --- pieces -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "what"), [
    ([1, 2], "numbers"), ([1.5], "numbers"), (["a"], "text"), ([True], "booleans"),
    ([datetime.date(2020, 1, 1)], "dates"), ([pd.Timestamp("2020")], "dates"),
    ([pd.Interval(0, 1)], "values"), (pd.Series([1, 2], dtype="category"), "numbers"),
])  # fmt: skip
def test_kinds(values, what):
    assert kind(values) == what


@pytest.mark.parametrize(("value", "text"), [
    (4.0, "4"), (4.5, "4.5"), (np.int8(4), "4"), (True, "True"), ("4.0", "4.0"),
    (datetime.date(2020, 1, 2), "2020-01-02"), (pd.Timestamp("2020-01-02"), "2020-01-02"),
    (pd.Timestamp("2020-01-02 03:00"), "2020-01-02 03:00:00"),
])  # fmt: skip
def test_labels(value, text):
    assert label(value) == text


def test_intervals_by_value_and_as_text():
    bins = pd.cut(pd.Series([1, 5, 9]), [0, 3, 6, 10])
    levels = np.asarray(bins.cat.categories, dtype=object)
    assert level_codes(bins, levels).tolist() == [0, 1, 2]
    assert level_codes(bins.astype(str), levels).tolist() == [0, 1, 2]
