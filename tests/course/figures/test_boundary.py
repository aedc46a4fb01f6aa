"""Pictures of fits on the boundary: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest

from hierwidgets.course.figures.boundary import (
    _apart,
    answer_rows,
    correlation_histograms,
    ellipse,
    extended_lines,
    likelihood_map,
    marked_histograms,
    pair_ellipses,
    profile_panels,
)
from hierwidgets.errors import DataError


def test_curves_have_their_top_marked():
    curve = pd.DataFrame({"value": [0.0, 1.0, 2.0], "drop": [-1.0, 0.0, -3.0]})
    other = curve.assign(drop=[-2.0, -1.0, 0.0])
    figure = profile_panels({"sd": {"a": curve, "b": other}}, 1.353)
    lines = figure.axes[0].lines
    np.testing.assert_array_equal(lines[0].get_ydata(), curve["drop"])
    assert (lines[1].get_xdata()[0], lines[1].get_ydata()[0]) == (1.0, 0.0)
    assert (lines[3].get_xdata()[0], lines[3].get_ydata()[0]) == (2.0, 0.0)
    assert lines[4].get_ydata()[0] == -1.353
    assert [t.get_text() for t in figure.axes[0].texts] == ["\N{MINUS SIGN}1.35"]
    with pytest.raises(DataError, match="no curves were given"):
        profile_panels({})


def test_the_shaded_region_is_that_of_two_parameters():
    """drop > log(1 - level), half the chi-squared quantile with 2 degrees of freedom."""
    sd, corr = np.meshgrid(np.linspace(0.1, 3, 59), np.linspace(-1, 1, 21))
    table = pd.DataFrame({"sd": sd.ravel(), "corr": corr.ravel()})
    figure = likelihood_map(table.assign(drop=-table["sd"]), (0.1, 1.0), 0.9)
    border = figure.axes[0].collections[1].get_paths()[0].vertices
    np.testing.assert_allclose(border[:, 0], 0.5 * 4.605170186, atol=1e-6)


def test_an_ellipse_holds_its_share():
    covariance = np.array([[0.7, -1.0], [-1.0, 1.5]])
    rng = np.random.default_rng(3)
    draws = rng.multivariate_normal([1.0, 2.0], covariance, size=20_000)
    border = ellipse(np.array([1.0, 2.0]), covariance, 0.9) - [1.0, 2.0]
    inverse = np.linalg.inv(covariance)
    size = np.einsum("ij,jk,ik->i", border, inverse, border)
    np.testing.assert_allclose(size, 4.605170186)
    off = draws - [1.0, 2.0]
    inside = np.einsum("ij,jk,ik->i", off, inverse, off) < size[0]
    assert abs(inside.mean() - 0.9) < 4 * np.sqrt(0.09 / 20_000)


def test_pairs_are_named_where_they_are():
    frame = pd.DataFrame(
        {
            "name": ["A", "B"], "rules": ["PR", "SMD"], "height": [0.0, 1.0], "slope": [1.0, 1.01],
            "var_height": [1.0, 1.0], "cov": [0.0, 0.2], "var_slope": [1.0, 1.0],
        }
    )  # fmt: skip
    axes = pair_ellipses({"at 0": frame}, ["height"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["A", "B"]
    assert axes.texts[0].xy == (0.0, 1.0)
    assert [line.get_marker() for line in axes.lines if len(line.get_xdata()) == 1] == ["s", "o"]


def test_lines_go_on_to_where_they_meet():
    lines = pd.DataFrame(
        {"name": ["A", "B"], "rules": ["PR", "PR"], "intercept": [0.0, 1.0], "slope": [1.0, 2.0]}
    )
    axes = extended_lines(lines, -1.0, (0.2, 0.9)).axes[0]
    first, second, mark = axes.lines
    at = [np.interp(-1.0, line.get_xdata(), line.get_ydata()) for line in (first, second)]
    assert at[0] == pytest.approx(at[1])
    assert mark.get_xdata()[0] == -1.0
    assert {text.get_text() for text in axes.texts} == {"data", "A", "B"}


def test_labels_keep_their_order_and_distance():
    np.testing.assert_allclose(_apart([1.0, 0.0, 0.05], 0.2), [1.0, 0.0, 0.2])


def test_rows_show_estimates_and_ends():
    frame = pd.DataFrame(
        {
            "name": ["a", "b"],
            "estimate": [1.0, 2.0],
            "conf_low": [0.0, 1.5],
            "conf_high": [2.0, 3.0],
        }
    )
    axes = answer_rows(frame, "effect").axes[0]
    ends = [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()]
    assert ends == [[0.0, 2.0], [1.5, 3.0]]
    assert [text.get_text() for text in axes.texts] == ["1.00", "2.00"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


def test_correlations_at_the_ends_stand_apart():
    frame = pd.DataFrame({"K": [5] * 8, "corr": [1, 1, 1, -1, 0.1, 0.2, -0.3, np.nan]})
    axes = correlation_histograms(frame, "K").axes[0]
    heights = {round(p.get_x() + p.get_width() / 2, 2): p.get_height() for p in axes.patches}
    assert heights[1.09] == pytest.approx(3 / 8)
    assert heights[-1.09] == pytest.approx(1 / 8)
    assert sum(heights.values()) == pytest.approx(7 / 8)


def test_marks_stand_where_told():
    axes = marked_histograms({"sd": np.array([0.1, 0.4, 0.5])}, {"sd": 0.2}).axes[0]
    assert axes.lines[0].get_xdata()[0] == 0.2
    assert not marked_histograms({"sd": np.array([0.1, 0.4])}, {}).axes[0].lines
