"""Pictures of lines that differ: points and curves stand where the numbers say.

Positions are read back from matplotlib's artists and compared exactly.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hierwidgets.course.figures import slopes
from hierwidgets.errors import DataError

LINES = pd.DataFrame(
    {
        "level": list("abcd"), "own_intercept": [0.5, -1.0, np.nan, 0.0],
        "own_slope": [0.2, -0.3, np.nan, 0.9], "intercept": [0.3, -0.8, -0.4, 0.0],
        "slope": [0.1, -0.1, 0.2, 0.6],
    }
)  # fmt: skip


def test_curves_pass_the_rate_at_fifty():
    figure = slopes.curves(LINES, (-0.2, 0.1))
    own, pooled = figure.axes
    assert own.get_title() == "no pooling: 3 regions"
    assert pooled.get_title() == "partial pooling: 4 regions"
    at = int(np.flatnonzero(slopes.AGES == 50)[0])
    heights = [line.get_ydata()[at] for line in pooled.lines[:4]]
    np.testing.assert_allclose(heights, 1 / (1 + np.exp(-LINES["intercept"])))
    assert np.all(np.diff(own.lines[1].get_ydata()) < 0)  # a slope below 0


def test_points_and_ways_of_pairs():
    axes = slopes.pairs(LINES, (0.8, 0.4, 0.6), (-0.2, 0.1), marked="b").axes[0]
    own, now, centre = (np.asarray(one.get_offsets()) for one in axes.collections)
    np.testing.assert_array_equal(now, LINES[["intercept", "slope"]])
    np.testing.assert_array_equal(own[[0, 1, 3]], LINES.dropna()[["own_intercept", "own_slope"]])
    np.testing.assert_array_equal(centre, [[-0.2, 0.1]])
    half, most, *ways = axes.lines
    covariance = np.array([[0.64, 0.192], [0.192, 0.16]])
    for outline, share in ((half, 0.5), (most, 0.9)):
        away = outline.get_xydata() - [-0.2, 0.1]
        far = np.einsum("ij,jk,ik->i", away, np.linalg.inv(covariance), away)
        np.testing.assert_allclose(far, stats.chi2(2).ppf(share))
    np.testing.assert_array_equal(ways[1].get_xydata(), [[-1.0, -0.3], [-0.8, -0.1]])
    assert [text.get_text() for text in axes.texts] == ["b"]
    with pytest.raises(DataError, match="'q' is not one of the 4 levels"):
        slopes.pairs(LINES, (1, 1, 0), (0, 0), marked="q")


def test_heights_move_with_the_age():
    figure = slopes.zeros(LINES, {50: 0.5, 0: -0.9})
    now, zero = (np.asarray(axes.collections[0].get_offsets()) for axes in figure.axes)
    np.testing.assert_array_equal(now, LINES[["intercept", "slope"]])
    np.testing.assert_allclose(zero[:, 0], LINES["intercept"] - 5 * LINES["slope"])
    assert [axes.get_title() for axes in figure.axes] == ["correlation 0.50", "correlation −0.90"]


def test_correlations_at_the_edge_have_bars_of_their_own():
    corrs = [1.0, -1.0, 1.0, 0.3, 0.5, np.nan]
    table = pd.DataFrame({"regions": [5] * 4 + [20] * 2, "corr": corrs})
    few, more = slopes.corr_by_size(table, 0.6).axes
    assert [bar.get_height() for bar in few.patches[-2:]] == [1, 2]
    assert sum(bar.get_height() for bar in few.patches[:-2]) == 1
    assert sum(bar.get_height() for bar in more.patches) == 1
    assert more.get_ylabel() == "20 regions"
    with pytest.raises(DataError, match="'corr' is not a column"):
        slopes.corr_by_size(table[["regions"]], 0.6)
