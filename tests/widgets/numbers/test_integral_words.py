"""What the lens says, held against the numbers it says it of."""

import numpy as np
import pandas as pd
import pytest
from support.core_cases import frame
from support.stored_fits import fitted

import hierwidgets as hw
from hierwidgets.widgets import running_frame
from hierwidgets.widgets.numbers import integral_words as words


def test_outcomes_of_a_level():
    assert words.data_words(fitted("finland"), 10.0, 23.0) == "10 of 23 contacted"
    counts = hw.glmer("p(s, n) ~ 1 + (1 | g)", frame())
    assert words.data_words(counts, 12_000.0, 20_000.0) == "12,000 of 20,000"
    poisson = hw.glmer("count ~ 1 + (1 | g)", frame(), "poisson")
    assert words.data_words(poisson, 12.0, 6.0) == "12 counted"
    assert words.axis_name(poisson) == "α, logarithm of the mean"
    probit = hw.glmer("p(s, n) ~ 1 + (1 | g)", frame(), link="probit")
    assert words.axis_name(probit) == "α, probit"


@pytest.mark.parametrize("nodes", [1, 2, 25])
def test_estimates_are_those_of_the_frame(nodes):
    running = running_frame(fitted("uk0"))
    said = words.fitted_words(running, nodes, "Intercept")
    row = running.iloc[nodes - 1]
    assert f"σ = {row['sd']:.3f}, μ = −{-row['Intercept']:.3f}" in said
    assert said.endswith(f"−2 log L = {row['neg2loglik']:.3f}.")


def test_a_missing_fit_is_said():
    running = running_frame(fitted("finland"), 2)
    running.loc[1, ["sd", "Intercept", "neg2loglik"]] = np.nan
    assert words.fitted_words(running, 2, "Intercept") == "With 2 nodes there is no fit."


def test_without_an_intercept_the_coefficient_has_its_name():
    running = pd.DataFrame({"nodes": [1], "sd": [0.5], "x": [1.25], "neg2loglik": [10.0]})
    said = words.fitted_words(running, 1, "x")
    assert said == "Fitted with 1 node (Laplace): σ = 0.500, x = 1.250, −2 log L = 10.000."


def test_equal_values_have_three_decimals():
    assert words.from_to(np.array([0.5, 0.5])) == "0.500 throughout"
    assert words.decimals(np.array([0.0, 1e-9])) == 3
