"""Predictions by hand, from the fit's own readers.

Tolerances: sums of fixed coefficients and modes 1e-12.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.core_cases import frame, mean

import hierwidgets as hw

FORMULA = "p(s, n) ~ x + (1 + x | g) + (1 | h)"


@cache
def fitted(formula=FORMULA, **options):
    return hw.glmer(formula, frame(), **options)


def modes(fit):
    table = fit.ranef
    return {(r.group, r.term, r.level): r.mode for r in table.itertuples()}


def by_hand(fit, data, keep=(("g", "Intercept"), ("g", "x"), ("h", "Intercept"))):
    """eta of each row, from labels alone; a level that is not there has effect 0."""
    found = modes(fit)
    eta = []
    for _, row in data.iterrows():
        value = fit.fixef["Intercept"] + fit.fixef["x"] * row["x"]
        for group, term in keep:
            size = 1.0 if term == "Intercept" else row["x"]
            value += size * found.get((group, term, row[group]), 0.0)
        eta.append(value)
    return np.array(eta)


def new_rows(seed=1, rows=25):
    return frame().sample(rows, random_state=seed)[["h", "x", "g"]]


# --- point predictions ------------------------------------------------------------------------


def test_labels_travel_with_values():
    fit, data = fitted(), new_rows()
    found = fit.predict(data, scale="link")
    assert list(found.columns) == ["h", "x", "g", "estimate"]
    pd.testing.assert_frame_equal(found[["h", "x", "g"]], data)
    assert found["estimate"].to_numpy() == pytest.approx(by_hand(fit, data), abs=1e-12)


@pytest.mark.parametrize("seed", [2, 3])
def test_the_order_of_new_rows_does_not_matter(seed):
    fit, data = fitted(), new_rows()
    shuffled = data.sample(frac=1, random_state=seed)
    one = fit.predict(data, interval=0.9)
    other = fit.predict(shuffled, interval=0.9)
    pd.testing.assert_frame_equal(one, other.loc[one.index], rtol=1e-10)


def test_one_row_at_a_time_and_all_together():
    fit, data = fitted(), new_rows(rows=6)
    each = pd.concat([fit.predict(data.iloc[[i]], interval=0.8) for i in range(6)])
    pd.testing.assert_frame_equal(each, fit.predict(data, interval=0.8), rtol=1e-10)


def test_without_new_data_the_rows_of_the_fit():
    fit = fitted()
    found = fit.predict(interval=0.9)
    again = fit.predict(frame()[["x", "g", "h"]], interval=0.9)
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        assert found[column].to_numpy() == pytest.approx(again[column].to_numpy(), rel=1e-10)
    assert found["estimate"].to_numpy() == pytest.approx(fit.fitted.to_numpy(), rel=1e-12)


@pytest.mark.parametrize(
    ("re_formula", "keep"),
    [
        (None, [("g", "Intercept"), ("g", "x"), ("h", "Intercept")]),
        ("~0", []),
        ("~ 0", []),
        ("NA", []),
        ("~ (1 | h)", [("h", "Intercept")]),
        ("~(1 + x | g)", [("g", "Intercept"), ("g", "x")]),
        ("~ (1 | g)", [("g", "Intercept")]),
        ("~ (0 + x | g)", [("g", "x")]),
        ("~ (x | g) + (1 | h)", [("g", "Intercept"), ("g", "x"), ("h", "Intercept")]),
    ],
)
def test_group_effects_kept(re_formula, keep):
    fit, data = fitted(), new_rows()
    found = fit.predict(data, scale="link", re_formula=re_formula)["estimate"]
    assert found.to_numpy() == pytest.approx(by_hand(fit, data, keep), abs=1e-12)
    at_home = fit.predict(scale="link", re_formula=re_formula)["estimate"]
    assert at_home.to_numpy() == pytest.approx(by_hand(fit, frame(), keep), abs=1e-12)


def test_a_group_that_is_left_out_is_not_asked_for():
    fit = fitted()
    found = fit.predict(pd.DataFrame({"x": [0.0, 1.0]}), scale="link", re_formula="~0")
    assert found["estimate"].tolist() == pytest.approx(
        [fit.fixef["Intercept"], fit.fixef["Intercept"] + fit.fixef["x"]]
    )
    assert list(fit.predict(new_rows().drop(columns="h"), re_formula="~(1|g)").columns) == [
        "x", "g", "estimate",
    ]  # fmt: skip


def test_scales():
    fit, data = fitted(link="cloglog"), new_rows()
    eta = fit.predict(data, scale="link", interval=0.9)
    mu = fit.predict(data, interval=0.9)
    for column in ("estimate", "conf_low", "conf_high"):
        assert mu[column].to_numpy() == pytest.approx(mean("cloglog", eta[column].to_numpy())[0])
    slope = mean("cloglog", eta["estimate"].to_numpy())[1]
    assert mu["std_error"].to_numpy() == pytest.approx(slope * eta["std_error"].to_numpy())


# --- new levels -------------------------------------------------------------------------------


def test_a_new_level_is_an_error_that_names_it():
    fit, data = fitted(), new_rows(rows=3).assign(g=["0", "mars", "1"])
    with pytest.raises(hw.NewLevelError, match=r"the g 'mars'.*new_levels='population'"):
        fit.predict(data)
    assert len(fit.predict(data, re_formula="~(1|h)")) == 3


def test_a_new_level_at_the_population():
    fit = fitted()
    data = pd.concat([new_rows(rows=2).assign(g="mars"), new_rows(rows=2)])
    found = fit.predict(data, scale="link", new_levels="population")["estimate"]
    assert found.to_numpy() == pytest.approx(by_hand(fit, data), abs=1e-12)
    sampled = fit.predict(data, scale="link", new_levels="sample")["estimate"]
    assert sampled.to_numpy() == pytest.approx(found.to_numpy())


# --- Gaussian, offset, weights ------------------------------------------------------------------


def test_gaussian_predictions():
    fit = hw.lmer("x ~ w + (1 | g)", frame())
    data = frame()[["w", "g"]]
    found = modes(fit)
    expected = [
        fit.fixef["Intercept"] + fit.fixef["w"] * r.w + found["g", "Intercept", r.g]
        for r in data.itertuples()
    ]
    assert fit.predict(data)["estimate"].to_numpy() == pytest.approx(np.array(expected), abs=1e-12)
    link, response = (fit.predict(data, scale=s, interval=0.9) for s in ("link", "response"))
    pd.testing.assert_frame_equal(link, response)


def test_an_offset_column_is_read_from_new_data():
    data = frame().assign(known=np.linspace(-1, 1, len(frame())))
    fit = hw.glmer("p(s, n) ~ x + (1 | g)", data, offset="known")
    base = fit.predict(data.assign(known=0.0), scale="link")["estimate"]
    moved = fit.predict(data.assign(known=0.7), scale="link")["estimate"]
    assert (moved - base).to_numpy() == pytest.approx(0.7)
    with pytest.raises(hw.FormulaError, match="'known' is not in the data"):
        fit.predict(frame())


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"scale": "logit"}, hw.DataError, "scale='logit'; choose 'response' or 'link'"),
        ({"interval": 90}, hw.DataError, "interval=90; a confidence level lies between 0 and 1"),
        ({"interval": 1.0}, hw.DataError, "between 0 and 1"),
        ({"new_levels": "skip"}, hw.DataError, "'error', 'population' or 'sample'"),
        ({"re_formula": "~ (1 | herd)"}, hw.FormulaError, r"'herd'; the model has \['g', 'h'\]"),
        ({"re_formula": "~ (1 + x | h)"}, hw.FormulaError, "'x' within 'h'"),
        ({"re_formula": "~ x"}, hw.FormulaError, "neither '~0' nor a sum of group terms"),
        ({"re_formula": 0}, hw.FormulaError, "re_formula is None or text"),
        ({"newdata": 3}, hw.DataError, "data frame; a int was given"),
        ({"newdata": pd.DataFrame({"x": [1.0]})}, hw.FormulaError, "'g' is not in the data"),
        ({"newdata": new_rows().iloc[:0]}, hw.DataError, "no rows"),
        ({"newdata": new_rows().assign(x=np.nan)}, hw.DataError, "missing values in 25 of 25"),
        ({"newdata": new_rows().assign(estimate=1)}, hw.DataError, r"already has.*'estimate'"),
    ],
)
def test_refused(options, error, words):
    with pytest.raises(error, match=words):
        fitted().predict(**options)


def test_a_new_level_of_a_predictor_is_not_taken_for_the_reference():
    fit = hw.glmer("y ~ h + (1 | g)", frame())
    data = frame().head(2)[["g"]].assign(h=["0", "mars"])
    with pytest.raises(hw.NewLevelError, match=r"'mars'.*it knows '0', '1'"):
        fit.predict(data)


def test_new_data_stay_as_they_are():
    data = new_rows()
    before = data.copy(deep=True)
    fitted().predict(data, interval=0.9, new_levels="sample")
    pd.testing.assert_frame_equal(data, before)


# --- what applied work asks of it -----------------------------------------------------------------


def test_an_offset_of_numbers_is_not_forgotten_for_new_rows():
    data = frame()
    found = hw.glmer("y ~ x + (1 | g)", data, offset=np.linspace(-1, 1, len(data)))
    assert found.predict()["estimate"].to_numpy() == pytest.approx(found.fitted.to_numpy())
    for ask in (lambda: found.predict(data), lambda: hw.comparisons(found, "x", data)):
        with pytest.raises(hw.DataError, match="offset of this fit was given as numbers"):
            ask()
    named = hw.glmer("y ~ x + (1 | g)", data.assign(o=np.linspace(-1, 1, len(data))), offset="o")
    assert hw.comparisons(found, "x", average=True)["estimate"].to_numpy() == pytest.approx(
        hw.comparisons(named, "x", average=True)["estimate"].to_numpy()
    )


def test_re_formula_takes_predictors_of_levels_and_minus_one():
    data = frame().assign(kind=lambda d: np.where(np.arange(len(d)) % 3 == 0, "p", "q"))
    found = hw.glmer("y ~ x + kind + (1 + kind | g)", data)
    whole = found.predict(re_formula="~ (kind | g)")["estimate"]
    pd.testing.assert_series_equal(whole, found.predict()["estimate"])
    without = [found.predict(re_formula=f"~ ({lhs} | g)") for lhs in ("kind - 1", "0 + kind")]
    pd.testing.assert_frame_equal(*without)
    assert not np.allclose(without[0]["estimate"], whole)
    with pytest.raises(hw.FormulaError, match="neither '~0' nor a sum of group terms"):
        found.predict(re_formula="")
