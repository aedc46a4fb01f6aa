"""Pictures of a predictor: points, lines and targets stand at the numbers of the models.

Positions are read back from matplotlib's artists and compared exactly.
"""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.figures.predictor import pulled_toward, scatter_with_lines
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


def test_estimates_lie_between_raw_rate_and_target(frame):
    flat = frame.assign(target=0.3)
    one, two = pulled_toward({"flat": flat, "line": frame}, "competitiveness").axes
    assert set(one.lines[0].get_ydata()) == {0.3}
    ordered = frame.sort_values("competitiveness", kind="stable")
    np.testing.assert_array_equal(two.lines[0].get_ydata(), ordered["target"])
    assert np.all(np.diff(two.lines[0].get_ydata()) >= 0)
    stems = np.array(two.collections[0].get_segments())
    np.testing.assert_array_equal(stems[:, :, 1], ordered[["raw", "estimate"]])
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
        (lambda f: pulled_toward({"a": f[["n", "raw"]]}, "n"), "'estimate' is not a column"),
    ],
)
def test_what_is_wrong_is_named(frame, call, message):
    with pytest.raises(DataError, match=message):
        call(frame)
