"""Satterthwaite's degrees of freedom against lmerTest, and where they are whole numbers.

lmerTest differences the criterion itself, twice, and starts from lme4's optimum: it agrees to
1e-4 (1e-3 where an sd is 0). In balanced designs the exact F tests give the right number, and ours
is as good as the differenced Hessian of the fit: 2e-5.
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.paths import REFERENCE
from support.structure_fits import frame

import hierwidgets as hw
from hierwidgets.fit.satterthwaite import degrees_of_freedom

STORED = json.loads((REFERENCE / "summaries.json").read_text())["tested"]
NAMES = {"(Intercept)": "Intercept", "zb": "z[T.b]", "zc": "z[T.c]"}


def called(s):
    return f"{s['formula']} {'REML' if s['REML'] else 'ML'}"


@pytest.mark.parametrize("s", STORED, ids=called)
def test_lmertest(s):
    fit = hw.lmer(
        s["formula"], frame("gaussian"), reml=s["REML"], weights=s.get("weights"),
        offset=s.get("offset"),
    )  # fmt: skip
    table = fit.summary(detail=True).coefficients
    assert list(table) == ["estimate", "std_error", "df", "t", "p"]
    table = table.loc[[NAMES.get(name, name) for name in s["names"]]]
    assert table["df"].tolist() == pytest.approx(s["df"], rel=1e-3 if s["singular"] else 1e-4)
    for column in ("estimate", "std_error", "t"):
        assert table[column].tolist() == pytest.approx(s[column], rel=1e-5)
    assert table["p"].tolist() == pytest.approx(s["p"], rel=2e-3)


# --- balanced designs: the df of the exact F tests ---


@cache
def balanced(seed=5, J=9, m=4, c=3):
    """J persons, each m times under each of c conditions; treated or not by person."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        [(j, k, i) for j in range(J) for k in range(c) for i in range(m)],
        columns=["g", "k", "i"],
    )
    gk = data["g"] * c + data["k"]
    effects = 2 * rng.normal(size=J)[data["g"]] + 1.5 * rng.normal(size=J * c)[gk]
    x = data["k"] - 1.0
    return data.assign(
        gk=gk, x=x, arm=(data["g"] % 3 == 0).astype(float),
        y=effects + 0.5 * x + rng.normal(size=len(data)),
        lines=2 * rng.normal(size=J)[data["g"]] + rng.normal(size=J)[data["g"]] * x
        + rng.normal(size=len(data)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "df"),
    [
        ("y ~ 1 + (1 | g)", [8]),
        ("y ~ arm + (1 | g)", [7, 7]),
        ("y ~ x + (1 | g)", [8, 9 * 12 - 9 - 1]),
        ("y ~ 1 + (1 | g) + (1 | gk)", [8]),
        ("y ~ x + (1 | g) + (1 | gk)", [8, 17]),
        ("y ~ x + arm + (1 | g) + (1 | gk)", [7, 17, 7]),
        ("lines ~ x + (1 + x | g)", [8, 8]),
        ("lines ~ x + (1 + x || g)", [8, 8]),
    ],
)
def test_balanced(formula, df):
    fit = hw.lmer(formula, balanced())
    assert not fit.singular
    assert degrees_of_freedom(fit).tolist() == pytest.approx(df, rel=2e-5)


def test_without_a_group_effect_they_are_those_of_least_squares():
    fit = hw.lmer("y_flat ~ x + (1 | g)", frame("gaussian"))
    assert fit.singular
    assert degrees_of_freedom(fit).tolist() == pytest.approx([358, 358], rel=1e-6)


# --- laws ---


def test_contrasts():
    fit = hw.lmer("y_factor ~ z + x + (1 | g)", frame("gaussian"))
    every = degrees_of_freedom(fit)
    some = np.array([[0, 1, -1, 0], [0, 0, 2.5, 0], [0, 0, -1, 0]], float)
    found = degrees_of_freedom(fit, some)
    assert found[1:] == pytest.approx(every[[2, 2]])
    releveled = frame("gaussian").assign(
        z=frame("gaussian")["z"].map({"b": "1", "a": "2", "c": "3"})
    )
    other = hw.lmer("y_factor ~ z + x + (1 | g)", releveled)
    assert found[0] == pytest.approx(degrees_of_freedom(other)[2], rel=1e-5)
    assert degrees_of_freedom(fit, np.zeros((0, 4))).tolist() == []


@pytest.mark.parametrize("a", [1e-3, 1e3])
@pytest.mark.parametrize("shift", [0.0, 3.0, -100.0, 2018.0, 1e5])
def test_shift_and_scale_of_predictor_and_outcome(a, shift):
    """A shift changes the intercept's, which is another quantity, and nothing else's."""
    data = frame("gaussian")
    moved = data.assign(x=a * (data["x"] + shift), y_slopes=7 * data["y_slopes"] / a)
    fit, other = (hw.lmer("y_slopes ~ x + (1 + x | g)", d) for d in (data, moved))
    # the intercept of the moved fit is the mean at x = -shift
    expected = degrees_of_freedom(fit, np.array([[1.0, -shift], [0.0, 1.0]]))
    assert degrees_of_freedom(other).tolist() == pytest.approx(expected.tolist(), rel=1e-3)


def test_p_is_that_of_t():
    table = hw.lmer("y_nested ~ x + (1 | a/b)", frame("gaussian")).summary(True).coefficients
    assert table["p"].to_numpy() == pytest.approx(2 * stats.t.sf(np.abs(table["t"]), table["df"]))


def test_print():
    text = str(hw.lmer("y_slopes ~ x + (1 + x | g)", frame("gaussian")).summary(detail=True))
    assert "(0.28)  df =   23.2  t =  -2.09  p = 0.048" in text
    assert "z =" not in text


@pytest.mark.slow
def test_p_values_are_uniform_with_few_groups():
    """600 data sets of 6 groups: below .05 in 5 % by t, in 8 % or more by the normal."""
    rng = np.random.default_rng(12)
    g, n = np.repeat(np.arange(6), 5), 600
    x = (g % 2).astype(float)
    p, normal = [], []
    for _ in range(n):
        data = {"g": g, "x": x, "y": 2 * rng.normal(size=6)[g] + rng.normal(size=30)}
        row = hw.lmer("y ~ x + (1 | g)", pd.DataFrame(data)).summary(True).coefficients.loc["x"]
        p.append(row["p"])
        normal.append(2 * stats.norm.sf(abs(row["t"])))
    assert abs(np.mean(np.array(p) < 0.05) - 0.05) < 3.5 * np.sqrt(0.05 * 0.95 / n)
    assert np.mean(np.array(normal) < 0.05) > 0.08
