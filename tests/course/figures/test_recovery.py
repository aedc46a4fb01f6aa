"""Pictures of simulations: marks stand at the numbers of the result.

Positions are read back from matplotlib's artists and compared exactly.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.base.palette import STYLES
from hierwidgets.course.figures.recovery import (
    error_lines,
    fixed_districts,
    judged,
    one_draw,
    recovered,
    shape_histograms,
)
from hierwidgets.errors import DataError
from hierwidgets.recovery import Setup
from hierwidgets.widgets import truth_frame


@pytest.fixture(scope="module")
def result():
    designs = [Setup(n=[5, 9, 20, 40], name="uneven"), Setup(n=20, J=8, name="even")]
    return hw.simulate_and_recover(designs, reps=6, seed=3, keep=2, progress=False)


def test_one_draw_has_a_row_per_group_by_increasing_truth(result):
    frame = pd.DataFrame(
        {
            "n": [9, 5, 7],
            "truth": [0.6, 0.2, 0.4],
            "no_pooling": [0.7, 0.1, 0.5],
            "complete_pooling": [0.4, 0.4, 0.4],
        }
    )
    axes = one_draw(frame, "rate").axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["5", "7", "9"]
    dots = {c.get_label(): np.asarray(c.get_offsets()) for c in axes.collections}
    np.testing.assert_array_equal(dots["truth"][:, 0], [0.2, 0.4, 0.6])
    np.testing.assert_array_equal(dots["no pooling"][:, 0], [0.1, 0.5, 0.7])
    assert "partial pooling" not in dots
    segments = np.array(axes.collections[0].get_segments())
    np.testing.assert_array_equal(segments[:, :, 0], [[0.2, 0.1], [0.4, 0.5], [0.6, 0.7]])


def test_one_draw_takes_the_lab_s_frame():
    one = hw.simulate_and_recover(Setup(n=20, J=8), reps=1, seed=1, progress=False)
    axes = one_draw(truth_frame(one)).axes[0]
    assert len(axes.get_yticks()) == 8
    assert axes.get_xlabel() == "probability"


def test_parameters_are_marked_at_truth_and_mean():
    found = pd.DataFrame({"mu": [0.9, 1.1, 1.3], "sigma": [0.4, 0.5, 0.3]})
    figure = recovered(found, {"sigma": 0.45, "mu": 1.0}, {"mu": "μ"})
    assert [axes.get_xlabel() for axes in figure.axes] == ["sigma", "μ"]
    marks = [line.get_xdata()[0] for line in figure.axes[1].lines]
    np.testing.assert_allclose(marks, [1.0, 1.1])
    of_pooling = {style.color for style in STYLES.values()}
    assert figure.axes[0].lines[0].get_color() not in of_pooling  # the truth is no estimate
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 3
    assert figure.axes[0].get_xlim() != figure.axes[1].get_xlim()
    shared = recovered(found, {"sigma": 0.45, "mu": 1.0}, share=True).axes
    assert shared[0].get_xlim() == shared[1].get_xlim()


def test_measures_stand_where_the_table_has_them(result):
    figure = judged(result)
    cells = result.table.set_index(["design", "estimator", "measure"])["estimate"]
    measures = ["rmse", "bias", "coverage", "bias_of_largest"]
    names = ["no_pooling", "partial_pooling", "complete_pooling"]
    panels = iter(figure.axes)
    for design in ("uneven", "even"):
        for measure in measures:
            drawn = [bars.lines[0].get_xdata()[0] for bars in next(panels).containers]
            np.testing.assert_array_equal(drawn, [cells[design, n, measure] for n in names])
    first = figure.axes[0]
    assert [t.get_text() for t in first.get_yticklabels()] == [n.replace("_", " ") for n in names]
    assert first.get_title(loc="left") == "uneven"
    assert first.yaxis_inverted()
    assert figure.axes[2].lines[0].get_xdata()[0] == result.level
    assert [axes.get_xlabel() for axes in figure.axes[4:6]] == ["RMSE", "bias"]


def test_error_lines_run_along_x(result):
    uneven = result.by_size.query("design == 'uneven'").sample(frac=1, random_state=1)
    axes = error_lines(uneven, "n", xlabel="people", log=True).axes[0]
    assert axes.get_xlabel() == "people"
    assert axes.get_xscale() == "log"
    own = result.by_size.query("design == 'uneven' and estimator == 'no_pooling'")
    np.testing.assert_array_equal(axes.containers[0].lines[0].get_xdata(), [5, 9, 20, 40])
    np.testing.assert_array_equal(axes.containers[0].lines[0].get_ydata(), own["rmse"])
    panels = error_lines(result.by_size, "n", "design").axes
    assert [axes.get_title() for axes in panels] == ["uneven", "even"]


def test_histograms_hold_every_group_once(result):
    figure = shape_histograms(result.draws, np.linspace(0, 1, 11))
    assert [axes.get_title() for axes in figure.axes] == ["uneven", "even"]
    heights = [bar.get_height() for bar in figure.axes[0].patches[:10]]
    assert sum(heights) == pytest.approx(1.0)
    truth = result.draws.query("design == 'uneven' and estimator == 'no_pooling'")["truth"]
    counts = np.histogram(truth, np.linspace(0, 1, 11))[0]
    np.testing.assert_allclose(heights, counts / counts.sum())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: one_draw(pd.DataFrame({"n": [1]})), "'truth' is not a column"),
        (lambda: one_draw(pd.DataFrame({"n": [1], "truth": [0.1]})), "no estimate to draw"),
        (lambda: recovered(pd.DataFrame({"a": [1.0]}), {"b": 1.0}), "'b' is not a column"),
        (lambda: error_lines(pd.DataFrame({"n": [1]}), "n"), "'estimator' is not a column"),
        (
            lambda: shape_histograms(pd.DataFrame({"design": ["a"]}), np.arange(3.0)),
            "'estimator' is not a column",
        ),
    ],
)
def test_what_is_missing_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_fixed_districts_show_bias_and_error_of_each():
    frame = pd.DataFrame({"truth": [0.1, 0.4], "raw": [0.1, 0.41], "pooled": [0.15, 0.35]})
    frame = frame.assign(**{"rmse raw": [0.06, 0.08], "rmse pooled": [0.05, 0.07]})
    bias, rmse = fixed_districts(frame).axes
    own, pooled = (np.asarray(dots.get_offsets()) for dots in bias.collections)
    np.testing.assert_allclose(own[:, 1], [0, 0.01], rtol=1e-12)
    np.testing.assert_allclose(pooled[:, 1], [0.05, -0.05], rtol=1e-12)
    np.testing.assert_array_equal(rmse.collections[0].get_offsets(), frame[["truth", "rmse raw"]])
    assert rmse.get_ylim()[0] == 0
    with pytest.raises(DataError, match="'pooled' is not a column"):
        fixed_districts(frame.drop(columns="pooled"))
