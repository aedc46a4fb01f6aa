"""What the effect needs of a model: everything else is refused with the reason."""

import numpy as np
import pytest
from support.effect_models import X, invented

import hierwidgets as hw
from hierwidgets.widgets.numbers.effect.setting import facet_titles, facet_values, setting


@pytest.mark.parametrize(
    ("formula", "predictor", "says"),
    [
        ("y ~ x2 + (1 | g)", "x", "'x' is not a predictor of this model; it has .'x2'."),
        ("y ~ x + (1 | g)", "g", "'g' is not a predictor"),
        ("y ~ z + (1 | g)", "z", "'z' varies within the levels of 'g'"),
        ("y ~ rule + (1 | g)", "rule", "'rule' holds levels; the curve needs a numeric predictor"),
        ("y ~ x + (1 + z | g)", "x", "here vary Intercept, z by g"),
        ("y ~ x + (1 | g) + (1 + z | region)", "x", "Intercept, z by region"),
        ("y ~ x + (1 | g) + (1 | crossed)", "x", "Intercept by crossed"),
        ("y ~ x + (1 | g) + (1 | region) + (1 | rule)", "x", "one grouping factor that holds"),
    ],
)
def test_other_models_are_refused_with_the_reason(formula, predictor, says):
    data = invented()
    data["crossed"] = np.arange(len(data)) % 7
    fit = hw.glmer(formula, data)
    with pytest.raises((hw.DataError, hw.FormulaError), match=says):
        setting(fit, predictor)


def test_other_families_and_things_are_refused():
    data = invented()
    with pytest.raises(hw.DataError, match="this one is gaussian"):
        setting(hw.lmer("z ~ x + (1 | g)", data), "x")
    with pytest.raises(hw.DataError, match="a DataFrame was given"):
        setting(data, "x")


@pytest.mark.parametrize(
    ("compare", "says"),
    [
        ("nothing", "compare='nothing' is not another predictor; those are .'region'."),
        ("region", "compare='region' has 5 values; two can be compared"),
        ("x", "'x' is not another predictor"),
    ],
)
def test_what_cannot_be_compared_is_refused(compare, says):
    fit = hw.glmer("y ~ x + region + (1 | g)", invented())
    with pytest.raises((hw.DataError, hw.FormulaError), match=says):
        setting(fit, "x", compare=compare)


def test_facets_are_titled_with_the_value_that_all_of_them_has(several, uk):
    found = setting(several, X)
    assert facet_values(found) == [1, 0, 1, 0, 0]
    assert facet_titles(found)[:2] == ("Canada (SMD)", "Finland (PR)")
    alone = setting(uk, X)
    assert facet_titles(alone) == ("all",)
