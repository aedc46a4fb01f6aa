"""Rows and what belongs to them: Series by their index, rows without trials, missing ones.

Tolerances: the same rows in the same order give the same numbers (1e-12); another order of the
same rows the same log-likelihood (1e-8).
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw


def frame():
    rng = np.random.default_rng(81)
    n = 180
    d = pd.DataFrame({"g": np.repeat(list("abcdef"), 30), "x": rng.normal(size=n).round(2),
                      "w": rng.uniform(0.5, 2, n), "o": rng.normal(size=n).round(2),
                      "n": rng.integers(0, 5, n)}, index=np.arange(1000, 1000 + n))  # fmt: skip
    d["s"] = rng.binomial(d["n"], 0.4)
    d["k"] = rng.poisson(np.exp(0.3 * d["x"] + d["o"]))
    d["z"] = d["x"] + rng.normal(size=n)
    return d


CALLS = {
    "lmer": lambda d, **given: hw.lmer("z ~ x + (1 | g)", d, **given),
    "glmer": lambda d, **given: hw.glmer("k ~ x + (1 | g)", d, "poisson", **given),
    "Model": lambda d, **given: hw.Model("z ~ x + (1 | g)", d, **given).maximize(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("name", "column"), [("weights", "w"), ("offset", "o")])
def test_a_series_goes_by_its_index(call, name, column):
    d, fit = frame(), CALLS[call]
    right = fit(d, **{name: column}).fixef.to_numpy()
    for values in (d[column], d[column].sample(frac=1, random_state=1), d[column].to_numpy(),
                   d[column].tolist(), d[column].astype("Float64")):  # fmt: skip
        assert fit(d, **{name: values}).fixef.to_numpy() == pytest.approx(right, abs=1e-12)
    other = "weights is a|offset is a"
    for values in (d[column].reset_index(drop=True), d[column].head(50),
                   pd.concat([d[column], d[column].head(3)]),
                   d[column].set_axis(d["g"])):  # fmt: skip
        with pytest.raises(hw.DataError, match=f"({other}) Series with another index"):
            fit(d, **{name: values})


def test_repeated_labels_are_taken_where_they_are_those_of_the_data():
    d = frame().set_index("g", drop=False)
    by_name = CALLS["lmer"](d, weights="w")
    assert CALLS["lmer"](d, weights=d["w"]).loglik == pytest.approx(by_name.loglik, abs=1e-12)


def test_with_missing_rows_dropped():
    d = frame()
    d.loc[1003, "x"] = np.nan
    weights = d["w"].sample(frac=1, random_state=2)
    weights[1007] = np.nan
    fit = CALLS["lmer"](d, weights=weights, missing="drop")
    assert fit.design.dropped == 2
    assert fit.design.weights.tolist() == d["w"].drop([1003, 1007]).tolist()


@pytest.mark.parametrize("call", ["lmer", "glmer"])
def test_refit_goes_by_index_too(call):
    d = frame()
    fit = CALLS[call](d)
    y = pd.Series(fit.simulate(1, seed=3)[0], index=d.index)
    right = fit.refit(y.to_numpy()).loglik
    assert fit.refit(y).loglik == fit.refit(y.sample(frac=1, random_state=1)).loglik == right
    with pytest.raises(hw.DataError, match="y is a Series with another index"):
        fit.refit(y.reset_index(drop=True))


# --- trials -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_agq", [1, 7])
def test_rows_without_trials_are_left_out_and_counted(n_agq):
    d = frame()
    empty = int((d["n"] == 0).sum())
    assert empty > 10
    fit = hw.glmer("p(s, n) ~ x + (1 | g)", d, n_agq=n_agq, weights=d["w"].round(), offset="o")
    some = d[d["n"] > 0]
    right = hw.glmer("p(s, n) ~ x + (1 | g)", some, n_agq=n_agq, weights=some["w"].round(),
                     offset="o")  # fmt: skip
    assert fit.loglik == right.loglik
    assert fit.nobs == right.nobs == len(some)
    assert (fit.design.without_trials, right.design.without_trials) == (empty, 0)
    assert fit.design.dropped == 0
    assert f"{empty} rows with 0 trials were left out" in str(fit.summary())
    assert "0 trials" not in str(right.summary())
    assert fit.simulate(2, seed=1).shape == (2, len(some))
    assert len(fit.predict(d)) == len(d)


def test_impossible_trials_are_refused():
    d = frame()
    for change, words in [
        ({"s": d["n"] + 1}, r"180 rows have others, the first 1 of 0|have others, the first"),
        ({"n": -1, "s": 0}, "the first 0 of -1"),
        ({"n": 0, "s": 0}, "'n' is 0 in every row"),
    ]:
        with pytest.raises(hw.DataError, match=words):
            hw.glmer("p(s, n) ~ x + (1 | g)", d.assign(**change))
