"""Pictures of a predictor: points, lines and targets stand at the numbers of the models.

Positions are read back from matplotlib's artists and compared exactly.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.base.palette import STYLES
from hierwidgets.course.figures.predictor import people_within, pulled_toward, scatter_with_lines
from hierwidgets.errors import DataError


@pytest.fixture(scope="module")
def frame():
    uk = hw.load("uk")
    formula = "contacted ~ 1 + district_competitiveness + (1 | district_id)"
    fit = hw.glmer(formula, uk, event="Contacted")
    districts = uk.drop_duplicates("district_id").set_index("district_id")
    no = hw.no_pooling(uk, "contacted", "district_id", event="Contacted").set_index("level")
    rows = districts.reset_index()
    target = fit.predict(rows, re_formula="~0")["estimate"].to_numpy()
    return pd.DataFrame(
        {
            "competitiveness": rows["district_competitiveness"],
            "n": no.loc[rows["district_id"], "n"].to_numpy(),
            "raw": no.loc[rows["district_id"], "estimate"].to_numpy(),
            "estimate": fit.predict(rows)["estimate"].to_numpy(),
            "target": target,
        }
    )


def test_points_and_lines_stand_where_they_belong(frame):
    lines = {"one": ([0.4, 0.8], [0.1, 0.5]), "two": (frame["competitiveness"], frame["raw"])}
    axes = scatter_with_lines(frame, "competitiveness", "estimate", lines, size="n").axes[0]
    offsets = np.asarray(axes.collections[0].get_offsets())
    np.testing.assert_array_equal(offsets, frame[["competitiveness", "estimate"]])
    assert [line.get_label() for line in axes.lines] == ["one", "two"]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0.1, 0.5])
    sizes = axes.collections[0].get_sizes()
    assert np.all(np.diff(sizes[np.argsort(frame["n"], kind="stable")]) >= 0)
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 2


def test_a_scatter_needs_no_lines(frame):
    axes = scatter_with_lines(frame, "competitiveness", "estimate").axes[0]
    assert not axes.lines
    assert axes.get_legend() is None


def test_a_band_lies_around_the_first_line(frame):
    line = {"one": ([0.4, 0.8], [0.2, 0.4])}
    band = pd.DataFrame({"conf_low": [0.1, 0.3], "conf_high": [0.3, 0.5]})
    figure = scatter_with_lines(
        frame, "competitiveness", "estimate", line, band=band, labels=("closeness", "rate"), top=0.6
    )
    axes = figure.axes[0]
    corners = {tuple(row) for row in axes.collections[1].get_paths()[0].vertices.round(6)}
    assert {(0.4, 0.1), (0.8, 0.3), (0.4, 0.3), (0.8, 0.5)} <= corners
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("closeness", "rate")
    assert axes.get_ylim() == (0.05, 0.6)


def test_people_stand_in_their_groups():
    rng = np.random.default_rng(2)
    people = pd.DataFrame({"g": np.repeat(np.arange(15), 4), "x": rng.normal(size=60)})
    people["y"] = people["g"] - 0.5 * people["x"]
    axes = people_within(people, "x", "y", "g", shown=12, label="age").axes[0]
    assert len(axes.lines) == 12
    for line in axes.lines:
        (low, high), (left, right) = line.get_xdata(), line.get_ydata()
        assert (right - left) / (high - low) == pytest.approx(-0.5)
    means = np.asarray(axes.collections[-1].get_offsets())
    np.testing.assert_allclose(means, people.groupby("g")[["x", "y"]].mean())
    assert axes.get_xlabel() == "age"
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 3
    assert not {line.get_color() for line in axes.lines} & {look.color for look in STYLES.values()}


def test_estimates_lie_between_raw_rate_and_target(frame):
    flat = frame.assign(target=0.3)
    one, two = pulled_toward({"flat": flat, "line": frame}, "competitiveness").axes
    assert set(one.lines[0].get_ydata()) == {0.3}
    ordered = frame.sort_values("competitiveness", kind="stable")
    np.testing.assert_array_equal(two.lines[0].get_ydata(), ordered["target"])
    assert np.all(np.diff(two.lines[0].get_ydata()) >= 0)
    stems = np.array(two.collections[0].get_segments())
    some = ordered.iloc[np.linspace(0, len(ordered) - 1, 25).round().astype(int)]
    np.testing.assert_array_equal(stems[:, :, 1], some[["raw", "estimate"]])
    points = [np.asarray(marks.get_offsets())[:, 1] for marks in two.collections[1:]]
    for drawn, wanted in zip(
        points, (ordered["estimate"], some["raw"], some["estimate"]), strict=True
    ):
        np.testing.assert_array_equal(drawn, wanted)
    assert [text.get_text() for text in two.figure.legends[0].get_texts()] == [
        "no pooling", "partial pooling", "target",
    ]  # fmt: skip
    between = (ordered["estimate"] - ordered["raw"]) * (ordered["estimate"] - ordered["target"])
    assert (between <= 1e-9).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: scatter_with_lines(f, "x", "estimate"), "'x' is not a column"),
        (lambda f: scatter_with_lines(f, "n", "raw", size="w"), "'w' is not a column"),
        (
            lambda f: scatter_with_lines(f, "n", "raw", {c: ([0], [0]) for c in "abcde"}),
            "5 lines are too many",
        ),
        (lambda f: pulled_toward({}, "n"), "no model was given"),
        (lambda f: people_within(f, "n", "raw", "g"), "'g' is not a column"),
        (lambda f: pulled_toward({"a": f[["n", "raw"]]}, "n"), "'estimate' is not a column"),
    ],
)
def test_what_is_wrong_is_named(frame, call, message):
    with pytest.raises(DataError, match=message):
        call(frame)
