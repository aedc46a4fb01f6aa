"""The two functions against scipy.stats, 1e-12."""

import numpy as np
import pytest
from scipy import stats

from hierwidgets.base.arrays import expit, normal_quantile


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_normal_quantile(level):
    assert normal_quantile(level) == pytest.approx(stats.norm.ppf((1 + level) / 2), rel=1e-12)


def test_expit_neither_overflows_nor_loses_small_values():
    eta = np.array([-800.0, -30.0, 0.0, 1.5, 800.0])
    expected = stats.logistic.cdf(eta)
    assert expit(eta) == pytest.approx(expected, rel=1e-12)
