"""Columns named like those of results, and frames with any index.

A name is harmless where the numbers equal those of the same data under plain names; where a result
has a column of that name itself, the error says so and what to do. The index of a frame is a label
of its rows and nothing else: the same numbers, in the order given. Equality is exact but for sums
in another order, rtol 1e-9.
"""

import datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw

NAMES = (
    "self", "estimate", "term", "contrast", "std_error", "conf_low", "conf_high", "group", "rowid",
    "variable", "level", "index", "epred", "chain", "draw", "p", "fold", "frame", "observed",
)  # fmt: skip
PRIORS = hw.Priors(intercept="normal(0, 1)", coefficients="normal(0, 1)")
ROLES = {"predictor": "x", "group": "g", "response": "y", "factor": "f"}


@cache
def plain() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    g = np.repeat(list("abcdef"), 10)
    x, f = rng.normal(size=60), np.tile(["u", "v", "w"], 20)
    eta = 0.6 * x + 0.5 * (f == "v") + rng.normal(size=6)[np.repeat(np.arange(6), 10)]
    return pd.DataFrame(
        {"y": (rng.random(60) < 1 / (1 + np.exp(-eta))) + 0, "x": x, "g": g, "f": f}
    )


def formula(names):
    word = {plain: names.get(plain, plain) for plain in "yxgf"}
    return "{y} ~ {x} + {f} + (1 | {g})".format(**word)


@cache
def model_of(role, name):
    names = {ROLES[role]: name} if role else {}
    data = plain().rename(columns=names)
    return names, data, hw.Model(formula(names), data, "binomial")


@cache
def fit_of(role, name):
    names, data, model = model_of(role, name)
    return names, data, model.maximize()


@cache
def draws_of(role, name):
    names, data, model = model_of(role, name)
    return names, data, model.sample_prior(20, 3, PRIORS)


def on_fit(call):
    return lambda role, name: call(*fit_of(role, name))


def on_draws(call):
    return lambda role, name: call(*draws_of(role, name))


def on_both(name, call):
    return {f"{name} of a fit": on_fit(call), f"{name} of draws": on_draws(call)}


def some(data, names):
    """New rows: every column but the response."""
    return data.drop(columns=names.get("y", "y")).iloc[::7]


def numbers(frame, names=()):
    return frame[[c for c in frame.columns if c in names]].to_numpy(float)


RESULT = ("estimate", "std_error", "conf_low", "conf_high")


def called(names, plain):
    return names.get(plain, plain)


def through_marginaleffects(names, data, fit):
    marginaleffects = pytest.importorskip("marginaleffects")
    found = marginaleffects.predictions(hw.to_marginaleffects(fit)).to_dict(as_series=False)
    return np.column_stack([found["estimate"], found["std_error"]])


CALLS = {
    **on_both("predict", lambda n, d, m: numbers(m.predict(interval=0.9), RESULT)),
    **on_both("predict new rows", lambda n, d, m: numbers(
        m.predict(some(d, n), interval=0.5), RESULT)),
    **on_both("comparisons", lambda n, d, m: numbers(
        hw.comparisons(m, called(n, "x"), some(d, n)), RESULT)),
    **on_both("comparisons of the data", lambda n, d, m: numbers(
        hw.comparisons(m, called(n, "f")), RESULT)),
    **on_both("average comparison", lambda n, d, m: numbers(
        hw.comparisons(m, called(n, "f"), average=True), RESULT)),
    **on_both("comparisons by", lambda n, d, m: numbers(
        hw.comparisons(m, {called(n, "x"): [0, 1]}, by=called(n, "g")), RESULT)),
    **on_both("slopes", lambda n, d, m: numbers(
        hw.slopes(m, called(n, "x"), average=True, across=called(n, "f")), RESULT)),
    "epred_draws": on_draws(lambda n, d, m: numbers(m.epred_draws(), ["epred"])),
    "epred_draws of new rows": on_draws(lambda n, d, m: numbers(
        m.epred_draws(some(d, n)), ["epred"])),
    "predictive_check": on_draws(lambda n, d, m: numbers(
        m.predictive_check(by=called(n, "f"), n=20), ["replicated"])),
    "marginaleffects": on_fit(through_marginaleffects),
    "simulate": on_fit(lambda n, d, m: m.simulate(3, seed=1)),
    "refit": on_fit(lambda n, d, m: m.refit(m.simulate(1, seed=1)[0]).fixef.to_numpy()),
    "icc": on_fit(lambda n, d, m: m.icc().to_numpy()),
    "ranef": on_fit(lambda n, d, m: m.ranef["mode"].to_numpy()),
    "conditional_means": on_fit(lambda n, d, m: m.conditional_means()["mean"].to_numpy()),
    "design_effect": on_fit(lambda n, d, m: m.design_effect().to_numpy()),
    "confint": on_fit(lambda n, d, m: numbers(m.confint(method="wald"), RESULT)),
    "no_pooling": on_fit(lambda n, d, m: numbers(
        hw.no_pooling(d, called(n, "y"), called(n, "g")), RESULT)),
    "cross_validate": on_fit(lambda n, d, m: hw.cross_validate(
        {"one": formula(n), "two": "no pooling"}, d, 3, called(n, "g"), seed=2, progress=False,
    ).table["log_score"].to_numpy()),
}  # fmt: skip


@cache
def expected(call):
    return CALLS[call]("", "")


@pytest.mark.filterwarnings("ignore:.*get_categories:DeprecationWarning")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("call", CALLS)
def test_names_are_harmless_or_the_error_names_them(call, role):
    refused = {}
    for name in NAMES:
        try:
            found = CALLS[call](role, name)
        except hw.DataError as error:
            refused[name] = str(error)
        else:
            np.testing.assert_allclose(found, expected(call), rtol=1e-9)
    for name, message in refused.items():
        assert repr(name) in message
        assert "rename" in message
    result = {*RESULT, "term", "contrast", "p_value", "chain", "draw", "epred", "elpd", "observed"}
    if call != "marginaleffects":
        assert set(refused) <= result | {"p"}


INDEXES = {
    "duplicated": lambda n: pd.Index(np.zeros(n, int)),
    "named as a column": lambda n: pd.Index(np.arange(n)[::-1], name="x"),
    "named as the group": lambda n: pd.Index(np.arange(n)[::-1], name="g"),
    "backwards": lambda n: pd.Index(np.arange(n)[::-1]),
    "of text": lambda n: pd.Index([f"r{i % 5}" for i in range(n)]),
    "of two levels": lambda n: pd.MultiIndex.from_arrays(
        [np.arange(n) % 2, np.arange(n) % 3], names=["g", "f"]
    ),
    "of dates": lambda n: pd.Index([datetime.date(2020, 1, 1 + i % 9) for i in range(n)]),
    "of times": lambda n: pd.date_range("2020-01-01", periods=n, freq="h"),
    "of intervals": lambda n: pd.interval_range(0, n),
}


@cache
def fit_with(index):
    data = plain().set_axis(INDEXES[index](60))
    model = hw.Model(formula({}), data, "binomial")
    return {}, data, model.maximize()


@cache
def draws_with(index):
    data = plain().set_axis(INDEXES[index](60))
    return {}, data, hw.Model(formula({}), data, "binomial").sample_prior(20, 3, PRIORS)


@pytest.mark.filterwarnings("ignore:.*get_categories:DeprecationWarning")
@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("call", CALLS)
def test_an_index_changes_no_number(monkeypatch, call, index):
    known = expected(call)
    monkeypatch.setitem(globals(), "fit_of", lambda role, name: fit_with(index))
    monkeypatch.setitem(globals(), "draws_of", lambda role, name: draws_with(index))
    np.testing.assert_allclose(CALLS[call]("", ""), known, rtol=1e-9)


@pytest.mark.parametrize("index", INDEXES)
def test_predictions_keep_the_index_of_the_rows(index):
    rows = some(plain(), {})
    rows = rows.set_axis(INDEXES[index](len(rows)))
    for model in (fit_of("", "")[2], draws_of("", "")[2]):
        pd.testing.assert_index_equal(model.predict(rows).index, rows.index)
