"""What can be looked at, against the predictions of the same posterior."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.priors import half_normal, normal
from hierwidgets.widgets.numbers.prior_dial import quantities

X = "district_competitiveness"


@pytest.fixture(scope="module")
def finland():
    return hw.load_posterior("finland")


@pytest.fixture(scope="module")
def several():
    return hw.load_posterior("rainey2015")


def test_parameters_are_those_of_the_summary(several):
    found = quantities.of_parameters(several)
    means = [one.of(several).mean() for one in found]
    np.testing.assert_allclose(means, several.summary()["estimate"])
    assert [one.name for one in found] == list(several.names)
    assert {one.bounds for one in found} == {(-np.inf, np.inf), (0.0, np.inf), (-1.0, 1.0)}


def test_the_level_that_priors_matter_to(finland):
    assert quantities.first_level(finland) == "District 309"
    assert quantities.first_level(hw.load_posterior("finland", effects=False)) is None


def test_the_probability_in_a_level_is_the_prediction(several):
    level = several.design.terms[0].levels[3]
    one = quantities.in_level(several, level)
    people = several.design.data.query("district_id == @level").head(1)
    drawn = several.epred_draws(people)["epred"].to_numpy()
    np.testing.assert_allclose(one.of(several), drawn)
    assert one.bounds == (0.0, 1.0)
    assert one.name == f"share contacted in {level}"


def test_people_of_a_level_are_averaged():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 15), "z": rng.normal(size=90)})
    data["y"] = (rng.random(90) < 0.4).astype(int)
    post = hw.Model("y ~ z + (1 | g)", data, "binomial").sample(
        seed=1, draws=100, method="importance", progress=False
    )
    own = data[data["g"] == "b"]
    drawn = post.epred_draws(own)["epred"].to_numpy().reshape(len(own), -1).mean(axis=0)
    np.testing.assert_allclose(quantities.in_level(post, "b").of(post), drawn)


def test_the_change_with_a_predictor(several):
    found = quantities.changes(several)
    assert [one.name.split(", ")[-1] for one in found] == ["PR", "SMD"]
    pair = several.design.data.iloc[[0, 0]].assign(
        **{X: [0.54, 0.88], "electoral_rules": ["SMD", "SMD"]}
    )
    eta = several.linear_predictor(pair, re_formula="~0")
    rate = several.family.link.inverse(eta)[0]
    smd = next(one for one in found if "SMD" in one.name)
    assert "0.54 to 0.88" in smd.name
    np.testing.assert_allclose(smd.of(several), rate[1] - rate[0])


def test_a_model_without_predictors_has_no_change(finland):
    assert quantities.changes(finland) == []


def test_draws_from_the_prior_are_of_one_level_each(several):
    assert quantities.prior_draws(several, hw.Priors()) is None  # flat coefficients
    priors = hw.Priors(coefficients=normal(0, 1), sd=half_normal(1))
    drawn = quantities.prior_draws(several, priors)
    assert [b.shape[2] for b in drawn.draws.effects] == [1, 1]
    sd = drawn.parameters[..., list(drawn.names).index("sd Intercept | district_id")]
    assert sd.mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.05)
    level = several.design.terms[0].levels[-1]
    rates = quantities.in_level(several, level).of(drawn)
    assert 0 < rates.min() < 0.01
    assert 0.99 < rates.max() <= 1
