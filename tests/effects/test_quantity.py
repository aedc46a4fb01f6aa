"""What is asked of a quantity of interest, and the transformations of its means."""

import numpy as np
import pytest
from support.crossed_groups import grouped

import hierwidgets as hw
from hierwidgets.effects.quantity import transform


@pytest.mark.parametrize("comparison", ["difference", "ratio", "lnratio", "lnor"])
def test_the_derivative_of_a_transformation_is_its_finite_difference(comparison):
    mean, h = np.array([0.1, 0.5, 0.8]), 1e-6
    up, down = (transform(comparison, mean + step)[0] for step in (h, -h))
    assert transform(comparison, mean)[1] == pytest.approx((up - down) / (2 * h), rel=1e-8)


def test_a_ratio_needs_positive_outcomes():
    fit = hw.lmer("y ~ x + (1 | g)", grouped(2, family="gaussian"))
    with pytest.raises(hw.DataError, match="needs expected outcomes above 0"):
        hw.comparisons(fit, {"x": [-5, 5]}, comparison="ratio")
    with pytest.raises(hw.DataError, match="between 0 and 1"):
        hw.comparisons(fit, {"x": [4, 5]}, comparison="lnor")
