"""Fixed columns that others determine: which cell is empty, what is left out, what is predicted.

The log-likelihood of a model with columns left out is that of the model of its cells, to 1e-8.
"""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.spec.columns import LeftOut

CELLS = [(a, b) for a in ("k", "l", "m") for b in ("p", "q")]


def data(empty=(("l", "q"),), seed=3, n=360) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "g": np.arange(n) % 12,
            "a": rng.choice(list("klm"), n),
            "b": rng.choice(list("pq"), n),
            "x": rng.normal(size=n).round(3),
        }
    )
    eta = 0.5 * (frame["a"] == "l") - 0.4 * (frame["b"] == "q")
    eta += rng.normal(size=12)[frame["g"]]
    frame["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    frame["z"] = eta + rng.normal(size=n)
    inside = pd.Series(list(zip(frame["a"], frame["b"], strict=True)), index=frame.index)
    frame = frame[~inside.isin(list(empty))].reset_index(drop=True)
    return frame.assign(cell=frame["a"] + ":" + frame["b"])


def fit(formula, frame, **options):
    if formula.startswith("z"):
        return hw.lmer(formula, frame, reml=False, **options)
    return hw.glmer(formula, frame, **options)


@pytest.mark.parametrize("empty", CELLS)
@pytest.mark.parametrize("response", ["y", "z"])
def test_each_empty_cell_is_named_with_its_factor(empty, response):
    frame = data([empty])
    with pytest.raises(hw.FormulaError) as error:
        fit(f"{response} ~ a * b + x + (1 | g)", frame)
    said = str(error.value)
    assert f"no row has a = {empty[0]!r} and b = {empty[1]!r}" in said
    assert "data['a_b'] = data['a'].astype(str) + ':' + data['b'].astype(str)" in said
    assert "collinear='drop'" in said
    assert len(said) < 700


@pytest.mark.parametrize("empty", [*[[c] for c in CELLS], [CELLS[0], CELLS[5]]])
@pytest.mark.parametrize("response", ["y", "z"])
@pytest.mark.parametrize("crossed", ["a * b", "b * a", "a / b", "a:b", "a * C(b)", "0 + a * b"])
def test_left_out_it_is_the_model_of_the_cells(empty, response, crossed):
    frame = data(empty)
    cells = fit(f"{response} ~ cell + x + (1 | g)", frame)
    dropped = fit(f"{response} ~ {crossed} + x + (1 | g)", frame, collinear="drop")
    assert dropped.loglik == pytest.approx(cells.loglik, abs=1e-8)
    assert dropped.n_parameters == cells.n_parameters
    assert len(dropped.design.left_out) == len(empty)
    assert set(dropped.fixef.index).isdisjoint(dropped.design.left_out)
    assert dropped.design.left_out[0] in str(dropped.summary())
    assert dropped.predict()["estimate"].to_numpy() == pytest.approx(
        cells.predict()["estimate"].to_numpy(), abs=1e-5
    )
    new = frame[["a", "b", "x", "g", "cell"]].iloc[[50, 2, 111]]
    assert dropped.predict(new, interval=0.9)[["estimate", "conf_low"]].to_numpy() == (
        pytest.approx(cells.predict(new, interval=0.9)[["estimate", "conf_low"]].to_numpy(),
                      abs=1e-4))  # fmt: skip


def test_a_row_of_the_empty_cell_has_no_prediction():
    dropped = fit("y ~ a * b + (1 | g)", data(), collinear="drop")
    new = pd.DataFrame({"a": ["k", "l"], "b": "q", "g": 1})
    with pytest.raises(hw.DataError, match=r"row 1 of newdata asks for .*'a\[T.l\]:b\[T.q\]'"):
        dropped.predict(new)
    assert dropped.predict(new.head(1))["estimate"].between(0, 1).all()


def test_predictors_that_are_multiples():
    frame = data(()).assign(w=lambda d: 2 * d["x"] - 1, v=lambda d: d["x"] + (d["a"] == "l"))
    plain = fit("z ~ x + a + (1 | g)", frame)
    dropped = fit("z ~ x + w + a + v + (1 | g)", frame, collinear="drop")
    assert dropped.design.left_out == ("w", "v")
    assert dropped.fixef.to_numpy() == pytest.approx(plain.fixef.to_numpy())
    new = frame.iloc[[3, 4]]
    assert dropped.predict(new)["estimate"].to_numpy() == pytest.approx(
        plain.predict(new)["estimate"].to_numpy()
    )
    with pytest.raises(hw.DataError, match="'w', which was left out"):
        dropped.predict(new.assign(w=[0.0, 5.0]))


def test_nothing_is_left_out_without_need():
    kept = fit("y ~ a * b + (1 | g)", data(()), collinear="drop")
    assert kept.design.left_out == ()
    assert kept.fixef.to_dict() == fit("y ~ a * b + (1 | g)", data(())).fixef.to_dict()
    with pytest.raises(hw.DataError, match="collinear='yes'"):
        fit("y ~ a * b + (1 | g)", data(()), collinear="yes")


@pytest.mark.parametrize("others", ["", " + x", " * x"])
def test_a_cell_of_three_factors(others):
    frame = data(()).assign(c=lambda d: np.where(d.index % 2 == 0, "s", "t"))
    frame = frame[(frame["a"] != "m") | (frame["b"] != "p") | (frame["c"] != "t")]
    with pytest.raises(hw.FormulaError, match="a = 'm' and b = 'p' and c = 't'"):
        fit(f"z ~ a * b * c{others} + (1 | g)", frame)
    dropped = fit(f"z ~ a * b * c{others} + (1 | g)", frame, collinear="drop")
    cells = fit(f"z ~ cells{others} + (1 | g)", frame.assign(cells=frame["cell"] + frame["c"]))
    assert dropped.loglik == pytest.approx(cells.loglik, abs=1e-8)


def test_what_is_left_out_follows_a_model_around(tmp_path):
    frame = data()
    dropped = fit("y ~ a * b + (1 | g)", frame, collinear="drop")
    again = dropped.refit(dropped.simulate(1, seed=1).ravel())
    assert again.design.left_out == dropped.design.left_out
    found = hw.cross_validate({"crossed": dropped, "cells": "y ~ cell + (1 | g)"}, frame, folds=3,
                              seed=1, progress=False)  # fmt: skip
    assert found.table["log_score"].iloc[0] == pytest.approx(found.table["log_score"].iloc[1],
                                                             abs=1e-6)  # fmt: skip
    steps = hw.comparisons(dropped, {"b": ["p", "q"]}, frame[frame["a"] != "l"])
    assert np.isfinite(steps["estimate"]).all()
    with pytest.raises(hw.DataError, match="left out of the fit"):
        hw.comparisons(dropped, {"b": ["p", "q"]}, frame)
    prior = hw.Model("y ~ a * b + (1 | g)", frame, "binomial", collinear="drop").sample_prior(
        20, seed=1, priors=hw.Priors(coefficients="normal(0, 1)", intercept="normal(0, 1)")
    )
    prior.save(tmp_path / "prior.npz")
    assert hw.load_posterior(tmp_path / "prior.npz").design.left_out == dropped.design.left_out


def test_columns_at_random_by_the_algebra():
    """What is left out is a combination of what is kept, whatever determines it."""
    rng = np.random.default_rng(8)
    for k, (i, j) in enumerate(combinations(range(4), 2)):
        X = rng.normal(size=(30, 4))
        frame = pd.DataFrame(X, columns=list("rstu")).assign(g=np.arange(30) % 5)
        frame["v"] = (k + 1) * X[:, i] - 3 * X[:, j]
        frame["z"] = rng.normal(size=30)
        model = hw.Model("z ~ r + s + v + t + u + (1 | g)", frame, collinear="drop")
        left = model.design.fixed.left_out
        assert isinstance(left, LeftOut)
        full = frame.assign(one=1.0)[["one", "r", "s", "v", "t", "u"]].to_numpy()
        assert full[:, left.out] == pytest.approx(full[:, left.kept] @ left.combination)
