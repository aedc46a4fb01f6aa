"""Pictures of bets: marks stand where the numbers say, read back from matplotlib's artists."""

import numpy as np
import pandas as pd
import pytest

from hierwidgets.course.figures.bets import (
    districts_kept,
    logit_bridge,
    row_and_column,
    total_error,
)
from hierwidgets.errors import DataError

RNG = np.random.default_rng(7)
TRUTH = RNG.normal(0.22, 0.1, size=20_000).clip(0.01, 0.99)
SURVEY = RNG.binomial(23, TRUTH) / 23


def test_bars_are_the_means_of_the_row_and_of_the_column():
    axes = row_and_column(TRUTH, SURVEY, row=0.2, column=10 / 23).axes[0]
    bars = {line.get_marker(): line for line in axes.lines if line.get_marker() in ("|", "_")}
    in_row = np.abs(TRUTH - 0.2) < 0.008
    assert bars["|"].get_xdata() == [SURVEY[in_row].mean()]
    assert bars["|"].get_ydata() == [0.2]
    assert bars["_"].get_xdata() == [10 / 23]
    assert bars["_"].get_ydata() == [TRUTH[np.isclose(SURVEY, 10 / 23)].mean()]


def test_dots_are_the_first_surveys_each_in_one_colour():
    axes = row_and_column(TRUTH, SURVEY, row=0.2, column=10 / 23).axes[0]
    dots = np.vstack([dots.get_offsets() for dots in axes.collections])
    assert len({tuple(dots.get_facecolor()[0]) for dots in axes.collections}) == 3
    both = int((np.isclose(SURVEY, 10 / 23) & (np.abs(TRUTH - 0.2) < 0.008))[:4000].sum())
    assert len(dots) == 4000 + both
    assert set(dots[:, 1]) == set(TRUTH[:4000])


def test_surveys_that_do_not_exist_are_refused():
    with pytest.raises(DataError, match="no survey has the truth"):
        row_and_column(TRUTH, SURVEY, row=0.9, column=10 / 23)


def test_districts_stand_on_the_bridge():
    raw = np.array([0.1, 0.5])
    axes = logit_bridge(raw).axes[0]
    (points,) = [line for line in axes.lines if line.get_label() == "the districts, raw rates"]
    assert np.allclose(points.get_xdata(), [np.log(1 / 9), 0], atol=1e-12)
    assert np.array_equal(points.get_ydata(), raw)
    assert np.array_equal(axes.lines[0].get_ydata()[[200]], [0.5])


def test_the_line_over_the_bars_has_area_one():
    alpha = np.linspace(-3, 1, 401)
    product = np.exp(-0.5 * ((alpha + 1) / 0.3) ** 2)
    axes = districts_kept(RNG.normal(-1, 1, 500), RNG.normal(-1, 0.3, 500), alpha, product).axes[0]
    (line,) = axes.lines
    assert np.sum(line.get_ydata()) * 0.01 == pytest.approx(1, abs=1e-12)
    assert [text.get_text() for text in axes.get_legend().get_texts()][1] == "those with 10 of 23"


def test_errors_are_drawn_as_they_are_by_two_marks():
    table = pd.DataFrame({"a": [3.0, 3.1], "b": [2.0, 2.5]}, index=[0, 4])
    axes = total_error(table, raw="a", shrunken="b").axes[0]
    assert [line.get_label() for line in axes.lines] == ["a", "b"]
    assert [line.get_marker() for line in axes.lines] == ["o", "D"]
    for line, name in zip(axes.lines, table, strict=True):
        assert np.array_equal(line.get_ydata(), table[name])
    assert axes.get_ylim()[0] == 0
    with pytest.raises(DataError, match="'c' is not a column"):
        total_error(table, raw="a", shrunken="c")
