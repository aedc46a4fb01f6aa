"""Pictures of the hill: marks stand where the numbers say, read back from matplotlib's artists."""

import numpy as np
import pandas as pd

from hierwidgets.course.figures.hill import (
    by_nodes,
    curves_of_rate,
    from_above,
    peak_and_mean,
    ridge,
)  # fmt: skip


def test_the_diamond_stands_at_the_top_of_the_grid():
    mus, sigmas = np.linspace(-2, 0, 5), np.linspace(0.1, 0.9, 9)
    drop = 9 * ((mus + 1.5) ** 2 + (sigmas[:, None] - 0.4) ** 2)
    axes = from_above(mus, sigmas, drop - drop.min()).axes[0]
    (diamond,) = axes.lines
    assert (diamond.get_xdata()[0], diamond.get_ydata()[0]) == (-1.5, sigmas[3])


def test_nodes_and_their_last_value():
    frame = pd.DataFrame({"μ": [-1.0, -1.1], "σ": [0.3, 0.4]}, index=[1, 25])
    for axes, name in zip(by_nodes(frame).axes, frame, strict=True):
        level, path = axes.lines
        assert set(level.get_ydata()) == {frame[name][25]}
        assert np.array_equal(path.get_ydata(), frame[name])


def test_the_lines_of_the_ridge_are_those_of_the_intervals():
    axes = ridge(pd.Series([-3.0, 0.0, -1.0], index=[0.1, 0.3, 0.6])).axes[0]
    drops = {line.get_label(): line.get_ydata()[0] for line in axes.lines[1:]}
    assert drops == {"90 %": -(1.64**2) / 2, "95 %": -(1.96**2) / 2}


def normal(alpha, mean, sd):
    weight = np.exp(-0.5 * ((alpha - mean) / sd) ** 2)
    return weight / weight.sum()


def test_the_mean_is_that_of_the_rate():
    alpha = np.linspace(-3, 1, 801)
    weights = {"a": normal(alpha, -1, 0.2), "b": normal(alpha, -1, 0.4)}
    _, summary = peak_and_mean(alpha, weights, {"a": 0.2689, "b": 0.2690}).axes
    for line, level in zip(summary.lines, weights, strict=True):
        assert line.get_xdata()[1] == weights[level] @ (1 / (1 + np.exp(-alpha)))
        assert line.get_xdata()[0] == {"a": 0.2689, "b": 0.2690}[level]
    assert summary.lines[1].get_xdata()[1] > summary.lines[0].get_xdata()[1]


def test_densities_have_area_one_in_rates():
    alpha = np.linspace(-4, 2, 2001)
    axes = curves_of_rate(alpha, {"one": normal(alpha, -1, 0.3), "two": alpha * 0 + 1}, 0.4).axes[0]
    line = axes.lines[0]
    rate, density = line.get_xdata(), line.get_ydata()
    assert abs(np.sum(density[:-1] * np.diff(rate)) - 1) < 2e-3  # strips of 0.003 in log-odds
    assert [line.get_label() for line in axes.lines[:3]] == ["one", "two", "raw rate"]
