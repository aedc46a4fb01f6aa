"""Model columns of awkward data: dtypes, names, levels that do not occur.

Tolerance: none, since every pair of fits below sees the same numbers; predictions of the data
of the fit agree with its fitted means to 1e-12 (another order of summation).
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw


def data():
    rng = np.random.default_rng(11)
    n = 200
    g = rng.integers(0, 8, n)
    x = rng.integers(1, 12, n)
    eta = 0.1 * (x - 6) + rng.normal(size=8)[g]
    return pd.DataFrame(
        {
            "y": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int),
            "x": x,
            "kind": rng.choice(list("abc"), n),
            "g": g,
            "h": rng.integers(0, 4, n),
        }
    )


def fit(formula, frame):
    return hw.glmer(formula, frame)


def agrees(found, frame):
    return found.predict(frame)["estimate"].to_numpy() == pytest.approx(
        found.fitted.to_numpy(), abs=1e-12
    )


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "Int8", "float32", "Float64"])
@pytest.mark.parametrize("part", ["I(x**2) + x", "I(-x)", "I(x - 20)", "x:h"])
def test_small_numbers_do_not_overflow(kind, part):
    wide = data().assign(x=lambda d: d["x"] * 10)
    narrow = wide.assign(x=wide["x"].astype(kind), h=wide["h"].astype(kind))
    expected, found = (fit(f"y ~ {part} + (1 | g)", d) for d in (wide, narrow))
    assert found.loglik == expected.loglik
    assert agrees(expected, narrow)
    assert agrees(found, wide)


def test_powers_of_large_whole_numbers_do_not_overflow():
    small, large = data(), data().assign(x=lambda d: d["x"] * 10**6)
    expected, found = (fit("y ~ I(x**4) + (1 | g)", d) for d in (small, large))
    assert found.loglik == pytest.approx(expected.loglik, abs=1e-8)


@pytest.mark.parametrize(
    "name", ["C", "I", "log", "scale", "poly", "bs", "np", "contr", "x.y", "T"]
)
def test_a_predictor_may_be_called_what_a_function_is(name):
    renamed = data().rename(columns={"x": name})
    found = fit(f"y ~ {name} + (1 | g)", renamed)
    assert list(found.fixef.index) == ["Intercept", name]
    assert agrees(found, renamed)
    assert len(hw.slopes(found, name)) == 200


def test_a_name_in_backticks_goes_into_a_function():
    renamed = data().rename(columns={"x": "the x.y"})
    found = fit("y ~ scale(`the x.y`) + (1 | g)", renamed)
    assert found.loglik == fit("y ~ scale(x) + (1 | g)", data()).loglik
    assert agrees(found, renamed)


def test_levels_that_do_not_occur_are_no_columns():
    some = data().assign(kind=lambda d: pd.Categorical(d["kind"], categories=list("zcbaq")))
    found = fit("y ~ kind + (1 | g)", some)
    assert list(found.fixef.index) == ["Intercept", "kind[T.b]", "kind[T.a]"]
    assert agrees(found, some)
    assert agrees(found, data())
    with pytest.raises(hw.NewLevelError, match="level 'z', which the fit has not seen"):
        found.predict(some.head(1).assign(kind="z"))


def test_levels_may_come_in_another_dtype():
    found = fit("y ~ kind + (1 | g)", data())
    for kind in ("string", "category", pd.CategoricalDtype(list("qcba"))):
        other = data().assign(kind=data()["kind"].astype(kind))
        assert agrees(found, other)
        assert agrees(fit("y ~ kind + (1 | g)", other), data())


def test_coded_numbers_are_levels():
    found = fit("y ~ C(h) + (1 | g)", data())
    assert agrees(found, data().assign(h=lambda d: d["h"].astype(float)))
    with pytest.raises(hw.NewLevelError, match="column 'h' holds the level '7'"):
        found.predict(data().head(1).assign(h=7))
    compared = hw.comparisons(found, "h", average=True)
    assert compared["contrast"].tolist() == ["1 - 0", "2 - 0", "3 - 0"]
    with pytest.raises(hw.DataError, match="'h' holds levels and has no slope"):
        hw.slopes(found, "h")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": pd.date_range("2003-01-01", periods=200)}, "'x' is datetime64.*: make a number"),
        ({"x": pd.to_timedelta(range(200), unit="D")}, "'x' is timedelta64.*: make a number"),
    ],
)
def test_dates_are_no_numbers(change, words):
    with pytest.raises(hw.FormulaError, match=words):
        fit("y ~ x + (1 | g)", data().assign(**change))


def test_a_predictor_called_intercept_is_refused():
    with pytest.raises(hw.FormulaError, match="cannot be called 'Intercept'"):
        fit("y ~ Intercept + (1 | g)", data().rename(columns={"x": "Intercept"}))


def test_a_spline_beyond_its_knots_is_refused_in_words():
    found = fit("y ~ bs(x, df=4) + (1 | g)", data())
    with pytest.raises(hw.DataError, match=r"cannot be computed from the new data: .*bounds"):
        found.predict(data().head(2).assign(x=99))


def test_no_fixed_part_at_all():
    found = fit("y ~ 0 + (1 | g)", data())
    assert found.fixef.empty
    assert agrees(found, data())


def test_levels_of_crossed_groups_are_found_whatever_their_dtype():
    found = fit("y ~ x + (1 | g:h)", data())
    floats = data().assign(g=lambda d: d["g"].astype(float))
    assert agrees(found, floats)
    again = fit("y ~ x + (1 | g:h)", floats)
    assert agrees(again, data())
    assert again.ranef["level"].tolist() == found.ranef["level"].tolist()


def test_crossed_levels_that_read_alike_are_refused():
    alike = data().assign(
        a=lambda d: np.where(d["g"] < 4, "u:v", "u"), b=lambda d: np.where(d["h"] < 2, "w", "v:w")
    )
    with pytest.raises(hw.DataError, match=r"two levels of 'a:b' read 'u:v:w'"):
        fit("y ~ x + (1 | a:b)", alike)
