"""Pictures of surveys: what is drawn is what was given, read back from matplotlib's artists."""

import numpy as np
import pandas as pd

from hierwidgets.course.figures.surveys import interval_levels, likelihood, promise, sorted_luck


def test_the_top_of_a_likelihood_is_one_and_named():
    grid = np.linspace(0.001, 0.999, 999)
    axes = likelihood(grid, 10 * np.log(grid) + 13 * np.log(1 - grid)).axes[0]
    curve, top = axes.lines
    assert curve.get_ydata().max() == 1
    assert list(top.get_xdata()) == [grid[434]] * 2
    assert axes.texts[0].get_text() == " 0.435"


def test_longer_intervals_are_thinner():
    frame = pd.DataFrame({"level": ["a", "b"], "estimate": [0.4, 0.5]})
    frames = {f"{k}": frame.assign(conf_low=0.4 - k, conf_high=0.5 + k) for k in (0.1, 0.2)}
    axes = interval_levels(frames).axes[0]
    first, second = axes.collections
    assert first.get_linewidths()[0] > second.get_linewidths()[0]
    assert [segment[:, 1].tolist() for segment in second.get_segments()] == [[0.2, 0.7]] * 2


def test_the_promise_is_a_line_at_nine_tenths():
    truth = np.array([0.1, 0.5])
    axes = promise(truth, truth * 0 + 0.8, truth * 0 + 0.91).axes[0]
    values = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert values == {"Wilson": [0.91, 0.91], "Wald": [0.8, 0.8], "the promise: 0.90": [0.9, 0.9]}


def test_luck_is_sorted_as_the_estimates_are():
    real, pretended = np.array([0.3, 0.1, 0.2]), np.array([[0.2, 0.1, 0.25], [0.1, 0.3, 0.2]])
    axes = sorted_luck(real, pretended).axes[0]
    assert [list(line.get_ydata()) for line in axes.lines[:3]] == [
        [0.1, 0.2, 0.25], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3],
    ]  # fmt: skip
    assert "2 pretended Finlands" in axes.get_legend().get_texts()[1].get_text()
