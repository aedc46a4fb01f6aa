"""What differs between an answer and what is expected; the words are tested with `check`."""

import numpy as np

from hierwidgets.exercises.answers import mismatch


def test_mismatch_treats_missing_as_equal_only_where_expected():
    assert mismatch([1, np.nan], [1, np.nan], 1e-3) is None
    assert mismatch([1, np.nan], [1, 2], 1e-3) is not None
