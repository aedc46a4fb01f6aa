"""Where a profile has risen far enough, for functions whose limits are known."""

import numpy as np
import pytest

from hierwidgets.errors import FitError
from hierwidgets.fit import profiles


def test_a_side_that_never_falls_is_infinite():
    """With few one-sided outcomes the likelihood of the intercept levels off on one side."""
    whole_line = (-np.inf, np.inf)
    low, high = profiles.limits(lambda c: 3 * np.tanh(c) ** 2, 0.0, 0.0, 1.0, 2.0, whole_line)
    assert (low, high) == (-np.inf, np.inf)


def test_a_higher_likelihood_elsewhere_is_not_hidden():
    with pytest.raises(FitError, match="higher than the fit's"):
        profiles.limits(lambda c: (c - 2) ** 2 - 4, 0.0, 0.0, 1.0, 1.6, (-np.inf, np.inf))
