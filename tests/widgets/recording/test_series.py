"""Whole numbers packed and unpacked: exactly. Nothing here has a tolerance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from hierwidgets.widgets.recording.series import depends_on, packed, unpacked

WHOLE = st.integers(-(2**31), 2**31)


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, array_shapes(min_dims=1, max_dims=3, max_side=6), elements=WHOLE))
def test_what_was_packed_is_unpacked(values):
    order, data = packed(values)
    assert np.array_equal(unpacked(order, data, values.shape), values)


@pytest.mark.parametrize("shape", [(800,), (800, 12)])
def test_a_smooth_series_takes_a_byte_a_place_or_less(shape):
    places = np.arange(np.prod(shape)).reshape(shape)
    values = np.round(3000 * np.tanh(places / 4000)).astype(np.int64)
    assert len(packed(values)[1]) <= values.size + 2


def test_a_series_is_kept_over_the_axes_it_depends_on():
    rows = np.arange(4)[:, None, None] * np.ones((1, 3, 2), dtype=np.int64)
    over, short = depends_on(rows)
    assert over == (0,)
    assert short.tolist() == [0, 1, 2, 3]
    both = rows + np.arange(2)
    assert depends_on(both)[0] == (0, 2)
    assert depends_on(np.full((2, 2), 7))[0] == ()
