"""Gaps of series on a grid, filled by the shortest way: carrying the values, axis after axis."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

from hierwidgets.widgets.recording.series import depends_on
from hierwidgets.widgets.recording.tracks import Pool


def sources(gap):
    """Of each place of a line the known one before it, or else the first after it."""
    known = np.flatnonzero(~gap)
    if known.size == 0:
        return np.arange(len(gap))
    return known[np.maximum(np.searchsorted(known, np.arange(len(gap)), side="right") - 1, 0)]


def by_values(grid, gap):
    """The best of all orders of axes, the values carried themselves."""
    found = []
    for order in permutations(range(grid.ndim)):
        values, left = grid, gap
        for axis in order:
            at = np.apply_along_axis(sources, axis, left)
            values, left = (np.take_along_axis(one, at, axis) for one in (values, left))
        found.append(values)
    return min(found, key=lambda values: len(depends_on(values)[0]))


@pytest.mark.parametrize("seed", range(20))
def test_gaps_are_filled_as_by_carrying_values(seed):
    rng = np.random.default_rng(seed)
    shape = (4, 3, 2)
    axes = [SimpleNamespace(nodes=range(length), stride=1) for length in shape]
    of_one_axis = np.moveaxis(np.arange(shape[seed % 3]).reshape(-1, 1, 1), 0, seed % 3)
    grid, gap = np.broadcast_to(of_one_axis, shape), rng.random(shape) < 0.6
    pool = Pool(SimpleNamespace(axes=axes))
    for values in (grid, grid + 10):  # the second time from what is kept
        filled = pool.filled(values.ravel(), gap.ravel()).reshape(shape)
        np.testing.assert_array_equal(filled, by_values(values, gap))
        np.testing.assert_array_equal(filled[~gap], values[~gap])
