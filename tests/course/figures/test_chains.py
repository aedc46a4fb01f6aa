"""Pictures of chains: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest

from hierwidgets.course.figures.chains import (
    against_exact,
    funnel_panels,
    ranks,
    statistic_rows,
    traces,
)
from hierwidgets.errors import DataError


def test_traces_keep_their_order_and_scale():
    run = np.array([[0.0, 1.0, 2.0], [4.0, 4.0, 0.0]])
    lines = traces({"run": run}, "x").axes[0].lines
    np.testing.assert_allclose(lines[0].get_ydata(), [0.0, 0.25, 0.5])
    np.testing.assert_allclose(lines[1].get_ydata(), [0.0, 0.0, -1.0])
    with pytest.raises(DataError, match="shape"):
        traces({"run": np.zeros(3)}, "x")


def test_ranks_are_counted_by_chain():
    run = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])
    axes = ranks({"run": run}, bins=2).axes[0]
    # bars are .3 high where as many ranks fall as expected: 2 of 4 draws in each of 2 bins
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], [0.6, 0, 0, 0.6])
    assert [bar.get_y() for bar in axes.patches] == [0, 0, -1, -1]


def test_diverged_proposals_stand_out():
    run = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 2.0, 3.0], "divergent": [0, 1, 0]})
    good, bad = funnel_panels({"run": run}, "a", "b").axes[0].collections
    np.testing.assert_array_equal(good.get_offsets(), [[0, 1], [2, 3]])
    np.testing.assert_array_equal(bad.get_offsets(), [[1, 2]])
    assert bad.get_label() == "diverged: 1"


def test_histograms_are_densities_under_the_curve():
    grid = np.linspace(0, 1, 11)
    axes = against_exact({"run": np.full(20, 0.5)}, grid, np.ones(11), "x").axes[0]
    area = sum(bar.get_height() * bar.get_width() for bar in axes.patches)
    assert area == pytest.approx(1)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), np.ones(11))


def test_failing_statistics_get_another_mark():
    table = pd.DataFrame({"rhat": [1.0, 1.01, 1.02], "ess": [400, 399, 5000]}, index=list("abc"))
    first, second = statistic_rows(table, {"rhat": [1.01], "ess": [400]}, {}).axes
    passing, failing = first.lines[:2]
    assert list(passing.get_ydata()) == [0, 1]
    assert (list(failing.get_ydata()), failing.get_marker()) == ([2], "X")
    assert list(second.lines[1].get_ydata()) == [1]
    assert [text.get_text() for text in first.get_yticklabels()] == ["a", "b", "c"]
