"""The model behind the effect, changed: sigma and slope held, the predictor left out.

A fit held at its own values is the fit, to the tolerance of its optimum; a held likelihood is a
maximum, and its points are those of `unit_frame` and `line_frame` at rtol 1e-12. Models refitted
without the predictor have the log-likelihood of the formula written out, at 1e-6.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from support.effect_models import X, invented

import hierwidgets as hw
from hierwidgets.widgets import loglik_at
from hierwidgets.widgets.numbers.effect import frames as numbers
from hierwidgets.widgets.numbers.effect.moved import (
    held_at,
    movable,
    prepared,
    without_predictor,
)
from hierwidgets.widgets.numbers.effect.setting import decimals, setting

# --- sigma and slope moved ----------------------------------------------------------------


def test_a_fit_held_at_its_own_values_is_the_fit(uk):
    held = held_at(uk, uk.theta[0], {1: uk.beta[1]})
    assert held.loglik == pytest.approx(uk.loglik, abs=1e-7)
    np.testing.assert_allclose(held.beta, uk.beta, atol=1e-4)
    np.testing.assert_allclose(held.modes.b[0], uk.modes.b[0], atol=1e-4)


@pytest.mark.parametrize(("sigma", "slope"), [(0.2, 3.0), (1.5, -1.0), (0.6, 8.0)])
def test_what_is_not_held_maximises_the_likelihood(uk, sigma, slope):
    held = held_at(uk, sigma, {1: slope})
    assert (held.theta[0], held.beta[1]) == (sigma, slope)
    assert held.loglik == pytest.approx(loglik_at(held, sigma, held.beta[0]), abs=1e-8)
    for step in (-0.05, 0.05):
        assert loglik_at(held, sigma, held.beta[0] + step) < held.loglik
    found = setting(uk, X)
    points, line = prepared(found, held, points=7).estimates(held)
    np.testing.assert_allclose(points, numbers.unit_frame(found, held)["estimate"], rtol=1e-12)
    wanted = numbers.line_frame(found, held, points=7)["estimate"]
    np.testing.assert_allclose(line, wanted, rtol=1e-12)


# --- the model without the predictor ------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "without", "name"),
    [
        ("y ~ x + z + (1 | g)", "y ~ z + (1 | g)", "x"),
        ("y ~ x * rule + (1 | g) + (1 | region)", "y ~ rule + (1 | g) + (1 | region)", "x"),
        ("y ~ x + x2 + (1 | region/g)", "y ~ x2 + (1 | region/g)", "x"),
        ("y ~ poly(x, 2):z + I(x**2) + z + (1 | g)", "y ~ z + (1 | g)", "x"),
        ("y ~ 0 + x + rule + (1 | g)", "y ~ 0 + rule + (1 | g)", "x"),
        ("y ~ `odd name` + C(rule) + (1 | g)", "y ~ C(rule) + (1 | g)", "odd name"),
        ("y ~ log(`odd name`) + z + (1 | g)", "y ~ z + (1 | g)", "odd name"),
    ],
)
def test_every_term_with_the_predictor_is_left_out(formula, without, name):
    data = invented()
    found = without_predictor(hw.glmer(formula, data), name)
    wanted = hw.glmer(without, data)
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)
    assert set(found.fixef.index) == set(wanted.fixef.index)


def test_slopes_that_vary_are_left_out_with_it(several):
    found = without_predictor(several, X)
    wanted = hw.glmer(
        "contacted ~ electoral_rules + (1 | district_id) + (1 | election_id)",
        hw.load("rainey2015"), event="Contacted",
    )  # fmt: skip
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)


def test_trials_weights_offset_link_and_quadrature_stay():
    data = invented()
    data["w"], data["o"] = 2, 0.1 * data["z"]
    given = {"weights": data["w"], "offset": "o", "link": "probit", "n_agq": 5}
    found = without_predictor(hw.glmer("y ~ x + (1 | g)", data, **given), "x")
    wanted = hw.glmer("y ~ 1 + (1 | g)", data, **given)
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)
    given["offset"] = data["o"].to_numpy()
    found = without_predictor(hw.glmer("y ~ x + (1 | g)", data, **given), "x")
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)
    counts = data.groupby(["g", "x"], as_index=False).agg(s=("y", "sum"), n=("y", "size"))
    found = without_predictor(hw.glmer("p(s, n) ~ x + (1 | g)", counts), "x")
    wanted = hw.glmer("p(s, n) ~ 1 + (1 | g)", counts)
    assert found.loglik == pytest.approx(wanted.loglik, abs=1e-6)


# --- what is looked over once -------------------------------------------------------------


def test_sigma_and_slope_have_room_around_the_fit(uk, plain):
    found = movable(setting(uk, X), plain)
    assert found.limits("sigma") == (0.01, 5.0)
    low, high = found.limits("slope")
    assert (low + high) / 2 == pytest.approx(uk.beta[1])
    assert high - low == pytest.approx(2 * max(4 * uk.std_error[X], 1.5 * abs(uk.beta[1])))
    assert not found.is_moved(True, uk.theta[0], uk.beta[1])
    assert found.is_moved(True, uk.theta[0], 0.0)
    assert not found.is_moved(False, found.plain.theta[0], 0.0)  # it has no slope


@pytest.mark.parametrize("scale", [1e-4, 1e5])
def test_decimals_tell_a_hundredth_of_a_range_apart(scale):
    wanted = max(0, 2 - int(np.floor(np.log10(0.75 * scale))))
    assert decimals((0.5 * scale, 2 * scale)) == wanted


def test_the_setting_is_frozen(uk):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setting(uk, X).predictor = "other"


@pytest.mark.parametrize(
    ("bars", "left"),
    [
        ("(x || g)", "(1 | `g`)"),
        ("(h * x || g)", "(1 | `g`) + (0 + h | `g`)"),
        ("diag(h * x | g)", "diag(1 + h | `g`)"),
        ("(1 | g*h)", "(1 | `g`) + (1 | `h`) + (1 | `g`:`h`)"),
    ],
)
def test_group_terms_of_every_kind_without_a_predictor(bars: str, left: str) -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"x": rng.normal(size=240), "g": np.arange(240) % 12})
    frame["h"], frame["y"] = np.repeat(["p", "q", "r"], 80), rng.integers(0, 2, 240)
    frame["class"] = frame["x"] ** 2
    fit = hw.glmer(f"y ~ x * h + log(`class`) + {bars}", frame)
    assert without_predictor(fit, "x").design.formula.text == (
        f"`y` ~ 1 + h + log(`class`) + {left}"
    )
