"""Pictures of pooling: marks stand where the numbers are, whatever order the frames come in.

Positions are read back from matplotlib's artists and compared exactly; least squares lines are
compared with numpy's to its rounding (rtol 1e-10).
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.base.palette import STYLES
from hierwidgets.course.figures.pooling import (
    _apart,
    bend,
    least_squares_lines,
    parallel_lines,
    pooling_paths,
    slopegraph,
    stacked,
)
from hierwidgets.errors import DataError


@pytest.fixture(scope="module")
def frames():
    finland = hw.load("finland")
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted")
    data = (finland, "contacted", "district_id")
    return {
        "no pooling": hw.no_pooling(*data, event="Contacted"),
        "partial pooling": hw.partial_pooling(fit),
        "complete pooling": hw.complete_pooling(*data, event="Contacted"),
    }


def test_rows_stand_in_the_order_of_their_variance(frames):
    long = stacked(frames)
    assert len(long) == 42
    assert list(long["kind"].cat.categories) == [
        "complete pooling",
        "partial pooling",
        "no pooling",
    ]
    variance = long.groupby("kind", observed=True)["estimate"].var()
    assert variance.is_monotonic_increasing
    axes = slopegraph(frames).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == list(long["kind"].cat.categories)


def test_lines_join_a_level_from_row_to_row(frames):
    shuffled = {kind: frame.sample(frac=1, random_state=4) for kind, frame in frames.items()}
    axes = slopegraph(shuffled).axes[0]
    by_kind = {kind: frame.set_index("level")["estimate"] for kind, frame in frames.items()}
    order = ["complete pooling", "partial pooling", "no pooling"]
    wanted = {
        tuple(by_kind[kind][level] for kind in order) for level in by_kind["no pooling"].index
    }
    joined = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert {tuple(line.get_xdata()) for line in joined} == wanted
    assert all(list(line.get_ydata()) == [0, 1, 2] for line in joined)


def test_points_keep_their_style_and_row(frames):
    axes = slopegraph(frames).axes[0]
    for height, (dots, kind) in enumerate(
        zip(axes.collections, ["complete pooling", "partial pooling", "no pooling"], strict=True)
    ):
        offsets = np.asarray(dots.get_offsets())
        assert set(offsets[:, 1]) == {height}
        np.testing.assert_allclose(np.sort(offsets[:, 0]), np.sort(frames[kind]["estimate"]))


def test_highlighted_lines_are_stronger(frames):
    axes = slopegraph(frames, highlight=["District 309"]).axes[0]
    widths = [line.get_linewidth() for line in axes.lines if len(line.get_xdata()) == 3]
    assert sorted(widths)[-2:] == [0.9, 1.8]
    bold = [t.get_text() for t in axes.texts if t.get_fontweight() == "bold"]
    assert bold == ["District 309"]


def test_labels_lie_apart_and_move_no_more_than_needed():
    places = np.array([0.0, 0.1, 0.11, 0.12, 0.5])
    moved = _apart(places, 0.05)
    assert np.diff(moved).min() >= 0.05 - 1e-12
    np.testing.assert_allclose(moved, [0.0, 0.06, 0.11, 0.16, 0.5])
    np.testing.assert_allclose(_apart(places, 0.001), places)


def test_many_levels_get_no_names():
    levels = pd.DataFrame({"level": range(60), "estimate": np.linspace(0, 1, 60)})
    same = levels.assign(estimate=0.5)
    both = {"no pooling": levels, "complete pooling": same}
    assert not slopegraph(both).axes[0].texts
    assert [t.get_text() for t in slopegraph(both, highlight=[7]).axes[0].texts] == ["7"]


def test_paths_are_drawn_against_sigma():
    sigma = [0.01, 0.3, 5.0]
    paths = pd.DataFrame(
        {"level": list("aaabbb"), "sigma": sigma * 2, "estimate": [2, 3, 4, 2, 1, 0]}
    )
    ends = {"no pooling": pd.DataFrame({"level": ["a", "b"], "estimate": [4, 0]})}
    axes = pooling_paths(paths.sample(frac=1, random_state=1), ends, sigma=0.3).axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), sigma)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [2, 3, 4])
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [2, 1, 0])
    assert list(axes.lines[2].get_xdata()) == [0.3, 0.3]
    names = axes.texts[1:]
    assert [t.get_text() for t in names] == ["b", "a"]
    threads = axes.lines[3:]
    assert [line.get_ydata()[0] for line in threads] == [0, 4]
    assert [line.get_ydata()[1] for line in threads] == [t.get_position()[1] for t in names]


def test_steps_in_log_odds_bend_into_rates():
    axes = bend(-1.4, 0.3).axes[0]
    curve, tangent, *steps = axes.lines
    assert np.all(curve.get_ydata() >= tangent.get_ydata() - 1e-12)
    rates = [line.get_ydata()[1] for line in steps]
    np.testing.assert_allclose(rates, 1 / (1 + np.exp([1.7, 1.4, 1.1])), rtol=1e-12)
    assert rates[2] - rates[1] > rates[1] - rates[0]


@pytest.fixture(scope="module")
def sloped():
    rng = np.random.default_rng(7)
    data = pd.DataFrame({"g": np.repeat(list("cab"), [4, 9, 6]), "x": rng.normal(size=19)})
    return data.assign(y=1 + 2 * data["x"] + rng.normal(size=19))


def test_least_squares_lines_are_those_of_dummies(sloped):
    lines = least_squares_lines(sloped, "x", "y", "g").set_index("level")
    X = np.column_stack([*(sloped["g"] == level for level in "abc"), sloped["x"]]).astype(float)
    found = np.linalg.lstsq(X, sloped["y"].to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(lines.loc[list("abc"), "intercept"], found[:3], rtol=1e-10)
    np.testing.assert_allclose(lines["slope"], found[3], rtol=1e-10)


def test_each_panel_has_its_own_points_and_lines(sloped):
    lines = least_squares_lines(sloped, "x", "y", "g")
    figure = parallel_lines(
        sloped, "x", "y", "g", {"no pooling": lines.sample(frac=1, random_state=2)}
    )
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["a (n = 9)", "b (n = 6)", "c (n = 4)"]
    for axes, level in zip(figure.axes, "abc", strict=True):
        mine = sloped[sloped["g"] == level]
        np.testing.assert_allclose(axes.collections[0].get_offsets(), mine[["x", "y"]])
        row = lines.set_index("level").loc[level]
        ends = np.asarray(axes.lines[0].get_xdata())
        np.testing.assert_allclose(
            axes.lines[0].get_ydata(), row["intercept"] + row["slope"] * ends
        )
        assert axes.lines[0].get_color() == STYLES["no pooling"].color


def test_errors_say_what_is_missing(frames, sloped):
    short = {**frames, "no pooling": frames["no pooling"].iloc[1:]}
    with pytest.raises(DataError, match="'no pooling' have no row for the level 'District 304'"):
        stacked(short)
    with pytest.raises(DataError, match="'nowhere' is not among the levels"):
        slopegraph(frames, highlight=["nowhere"])
    with pytest.raises(DataError, match="no estimates were given"):
        stacked({})
    with pytest.raises(DataError, match="have no column 'estimate'"):
        stacked({"no pooling": frames["no pooling"].drop(columns="estimate")})
    with pytest.raises(DataError, match="'z' is not a column"):
        parallel_lines(sloped, "z", "y", "g", {})
    with pytest.raises(DataError, match="does not vary within any level"):
        least_squares_lines(sloped.assign(x=1.0), "x", "y", "g")
