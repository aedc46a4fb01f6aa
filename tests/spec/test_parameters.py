"""The parameters of a model: their names in order, and their values from factors given by hand."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.spec.parameters import Point, parameters, value


def design(bars):
    rng = np.random.default_rng(1)
    y, x = rng.normal(size=(2, 40))
    g, h = np.repeat(list("abcdefgh"), 5), np.tile(list("uvwx"), 10)
    data = pd.DataFrame({"y": y, "x": x, "g": g, "h": h})
    model = hw.Model(f"y ~ x + {bars}", data)
    return model.design, model.family


@pytest.mark.parametrize(
    ("bars", "names"),
    [
        ("(1 | g)", ["sd Intercept | g"]),
        ("(1 + x | g)", ["sd Intercept | g", "sd x | g", "corr Intercept, x | g"]),
        ("(x || g)", ["sd Intercept | g", "sd x | g"]),
        ("(1 | h) + (0 + x | g)", ["sd x | g", "sd Intercept | h"]),
    ],
)
def test_names_in_the_order_of_a_summary(bars, names):
    found = [p.name for p in parameters(*design(bars))]
    assert found == ["Intercept", "x", *names, "sigma"]


def test_values_by_hand():
    factor = np.array([[2.0, 0.0], [3.0, 4.0]])  # sds 2 and 5, covariance 6
    at = Point((factor,), 1.5, np.array([0.1, -0.2]), 0.0)
    found = {p.name: value(p, at) for p in parameters(*design("(1 + x | g)"))}
    assert found == pytest.approx(
        {"Intercept": 0.1, "x": -0.2, "sd Intercept | g": 2.0, "sd x | g": 5.0,
         "corr Intercept, x | g": 0.6, "sigma": 1.5}
    )  # fmt: skip


def test_a_correlation_with_an_sd_of_0_has_no_value():
    at = Point((np.diag([2.0, 0.0]),), 1.0, np.zeros(2), 0.0)
    corr = next(p for p in parameters(*design("(1 + x | g)")) if p.kind == "corr")
    assert np.isnan(value(corr, at))
