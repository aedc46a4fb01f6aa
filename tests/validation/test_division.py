"""Folds and weights of the user's own.

No tolerance where the same folds must give the same scores; weighted and repeated rows agree as
far as two searches for one optimum do, 1e-6.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.structure_fits import frame

import hierwidgets as hw
from hierwidgets.errors import DataError, FitError
from hierwidgets.validation.division import divide
from hierwidgets.validation.scores import Observations, drawn_log_score

MODELS = {"a": "y_scalar ~ x + (1 | g)", "c": "complete pooling", "n": "no pooling"}


def validate(models, data, **more):
    return hw.cross_validate(models, data, **({"progress": False} | more))


def binary():
    return frame("binary").iloc[::-1].reset_index(drop=True)


# --- folds as given ---


def test_given_folds_are_those_that_are_held_out():
    """The folds of a seed, given again in any form, give the same scores."""
    data = binary()
    drawn = validate(MODELS, data, folds=4, seed=3)
    labels = drawn.scores["fold"]
    text = labels.map({1: "p", 2: "q", 3: "r", 4: "s"})
    forms = [
        labels, labels.tolist(), labels.to_numpy(), labels.sample(frac=1, random_state=1),
        text, text.astype("category"), pd.array(labels, dtype="Int64"), pd.array(text),
        pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(labels, "D")),
    ]  # fmt: skip
    for form in forms:
        found = validate(MODELS, data, folds=form, seed=9)
        pd.testing.assert_frame_equal(found.table, drawn.table)
        pd.testing.assert_frame_equal(found.scores[list(MODELS)], drawn.scores[list(MODELS)])
        assert found.folds["log_score"].tolist() == drawn.folds["log_score"].tolist()
        assert found.notes[0].startswith("4 folds as given;")
    named = validate(MODELS, data.assign(part=text), folds="part")
    pd.testing.assert_frame_equal(named.table, drawn.table)
    assert named.scores["fold"].tolist() == text.tolist()
    assert named.folds["fold"].unique().tolist() == ["p", "q", "r", "s"]


def test_folds_of_whole_groups():
    data = binary()
    by = validate(MODELS, data, folds=len(data["g"].unique()), by="g", seed=1)
    given = validate(MODELS, data, folds="g", by="g")
    pd.testing.assert_series_equal(by.table["log_score"], given.table["log_score"])
    pd.testing.assert_series_equal(by.table["std_error"], given.table["std_error"])


def test_a_series_goes_by_its_index():
    data = binary().set_index(pd.Index([f"r{i}" for i in range(len(binary()))]))
    labels = pd.Series(np.arange(len(data)) % 3, index=data.index)
    one = validate(MODELS, data, folds=labels)
    two = validate(MODELS, data, folds=labels.iloc[::-1])
    pd.testing.assert_frame_equal(one.scores, two.scores)
    with pytest.raises(DataError, match="folds is a Series with another index"):
        validate(MODELS, data, folds=labels.reset_index(drop=True))


@pytest.mark.parametrize(
    ("folds", "more", "message"),
    [
        ("county", {}, "folds='county' is not a column; columns are"),
        ([1, 2, 3], {}, r"folds has shape \(3,\), but the data have 6 rows"),
        (np.ones((6, 2)), {}, r"folds has shape \(6, 2\)"),
        ([1, 1, 1, 1, 1, 1], {}, "puts every row into one fold, 1; none is left"),
        ("one", {}, "folds='one' puts every row into one fold, 'same'"),
        ([1, 1, None, 2, 2, 2], {}, "folds has 1 missing labels; each row needs a fold"),
        ([1, "b", 1, "b", 1, "b"], {}, "folds has labels of several kinds"),
        ([1, 2, 1, 2, 1, 2], {"by": "g"}, "spreads 3 levels of 'g' over several folds"),
        (1.5, {}, r"folds=1\.5; give a whole number"),
        (True, {}, "folds=True; give a whole number"),
        (None, {}, "folds=None; give a whole number"),
        ({1: 2}, {}, r"folds=\{1: 2\}; give a whole number"),
    ],
)
def test_bad_folds(folds, more, message):
    data = pd.DataFrame({"g": list("aabbcc"), "one": "same"})
    with pytest.raises(DataError, match=message):
        divide(data, folds, more.get("by"), np.random.default_rng(1))


def test_a_given_fold_that_cannot_be_fitted_is_named():
    data = pd.DataFrame({"y": [1] + [0] * 29, "g": list("abc") * 10, "f": ["first"] + ["x"] * 29})
    with pytest.raises(FitError, match="model 'a', fold first: 'y' is 0 in every row"):
        validate({"a": "y ~ (1 | g)"}, data, folds="f")


# --- weights ---


def repeated(data, weights):
    return data.loc[data.index.repeat(weights)].reset_index(drop=True)


@pytest.mark.parametrize(
    ("name", "models", "more"),
    [
        ("binary", MODELS, {}),
        ("binary", {"r": "y_scalar ~ x", "s": "y_scalar ~ x + (1 + x | g)"}, {}),
        ("binary", {"t": "p(y_trials, trials) ~ x + (1 | h)", "c": "complete pooling"}, {}),
        ("counts", {"a": "y_scalar ~ x + (1 | g)", "r": "y_scalar ~ z"}, {"family": "poisson"}),
    ],
)
@pytest.mark.parametrize("folds", ["f", "g"])  # of rows, and of levels that are then unseen
def test_a_row_of_weight_w_is_w_rows(name, models, more, folds):
    data = frame(name).assign(f=np.arange(len(frame(name))) % 4, row=np.arange(len(frame(name))))
    weighted = validate(models, data, folds=folds, weights="w", **more)
    many = validate(models, repeated(data, data["w"]), folds=folds, by=None, **more)
    by_row = validate(models, repeated(data, data["w"]), folds=folds, by="row", **more)
    order = list(weighted.table.index)
    for column in ("log_score", "difference"):
        expected = many.table.loc[order, column]
        assert weighted.table[column].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
    for column in ("std_error", "std_error_difference"):
        expected = by_row.table.loc[order, column]
        assert weighted.table[column].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
    parts = weighted.folds.set_index(["fold", "model"])["log_score"]
    expected = many.folds.set_index(["fold", "model"])["log_score"]
    assert parts.to_numpy() == pytest.approx(expected.loc[parts.index].to_numpy(), abs=1e-6)
    assert weighted.scores["weight"].tolist() == data["w"].tolist()
    assert "per observation, weighted" in weighted.notes[0]


@pytest.mark.parametrize("groups", [True, False])
def test_a_gaussian_weight_divides_the_residual_variance(groups):
    data = frame("gaussian").assign(f=np.arange(len(frame("gaussian"))) % 3)
    formula = "y_weights ~ x + (1 | g)" if groups else "y_weights ~ x"
    found = validate({"a": formula}, data, folds="f", weights="w", family="gaussian")
    test = (data["f"] == 1).to_numpy()
    left, held = data[~test], data[test]
    if groups:
        fit = hw.lmer(formula, left, weights="w")
        eta, sigma = fit.predict(held)["estimate"], fit.sigma
    else:
        X = np.column_stack([np.ones(len(left)), left["x"]]) * np.sqrt(left[["w"]].to_numpy())
        y = (left["y_weights"] * np.sqrt(left["w"])).to_numpy()
        beta, squares, *_ = np.linalg.lstsq(X, y, rcond=None)
        eta, sigma = beta[0] + beta[1] * held["x"], np.sqrt(squares[0] / (len(left) - 2))
    expected = stats.norm.logpdf(held["y_weights"], eta, sigma / np.sqrt(held["w"]))
    assert found.scores.loc[test, "a"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert found.table.loc["a", "log_score"] == pytest.approx(found.scores["a"].mean())


def test_fits_with_weights_take_those_of_the_call():
    data = frame("binary")
    formula = MODELS["a"]
    fit = hw.glmer(formula, data, weights="w")
    by_fit = validate({"a": fit}, data, folds=3, seed=1, weights="w")
    by_text = validate({"a": formula}, data, folds=3, seed=1, weights=data["w"].to_numpy())
    pd.testing.assert_frame_equal(by_fit.scores, by_text.scores)
    shuffled = data["w"].sample(frac=1, random_state=2)
    by_index = validate({"a": formula}, data, folds=3, seed=1, weights=shuffled)
    pd.testing.assert_frame_equal(by_fit.scores, by_index.scores)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("county", "weights='county' is not a column"),
        ([1.0, 2.0], r"weights has shape \(2,\)"),
        ("z", "weights must be numbers"),
        (np.zeros(600), "weights must be larger than 0 in every row"),
        (np.r_[np.nan, np.ones(599)], "weights must be larger than 0 in every row"),
        (pd.Series(np.ones(600), index=range(1, 601)), "weights is a Series with another index"),
    ],
)
def test_bad_weights(weights, message):
    data = frame("binary")
    assert len(data) == 600
    with pytest.raises(DataError, match=message):
        validate(MODELS, data, folds=3, seed=1, weights=weights)


def test_a_weight_divides_the_variance_of_every_draw():
    """Rows of weight w, and the same rows without weights at sds that are divided beforehand."""
    data = frame("gaussian").iloc[:60]
    post = hw.Model("y_weights ~ x + (1 | k)", data, "gaussian", weights="w").sample(
        chains=2, tune=200, draws=100, seed=1, progress=False
    )
    y, one, w = data["y_weights"].to_numpy(), np.ones(60), data["w"].to_numpy(float)
    found = drawn_log_score(post, Observations(data, y, one, w))
    drawn = post.epred_draws(data.assign(row=range(60)))
    eta = drawn.pivot(index=["chain", "draw"], columns="row", values="epred").to_numpy()
    density = stats.norm.pdf(y, eta, post.draws.sigma.reshape(-1, 1) / np.sqrt(w))
    assert found == pytest.approx(np.log(density.mean(axis=0)), abs=1e-9)
