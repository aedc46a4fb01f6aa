"""SlopeShrinkage without a browser: its state, its marks, its words, the end.

Marks are compared with the numbers they stand for, exactly.
"""

import time

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

import hierwidgets as hw
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
from hierwidgets.widgets import SlopeShrinkage, slope_frame, slope_shrinkage
from hierwidgets.widgets.numbers.pairs.pooled import Spread, ellipse, prepare


@pytest.fixture(scope="module")
def fit():
    return hw.glmer(REGIONS, regions.survey()[0])


@pytest.fixture
def points(fit):
    made = SlopeShrinkage(fit)
    yield made
    made.close()


def middles(mark):
    """The middle of each diamond of a path: (J, 2)."""
    xs, ys = (np.append(values, np.nan).reshape(-1, 6)[:, :4] for values in (mark.x, mark.y))
    return np.column_stack([xs.mean(axis=1), ys.mean(axis=1)])


def test_it_starts_at_the_fit(points, fit):
    frame = slope_frame(fit)
    pooled = frame[["intercept", "slope"]].to_numpy()
    np.testing.assert_allclose(middles(points.pairs.pooled), pooled, atol=1e-6)
    own = frame[["own_intercept", "own_slope"]].dropna().to_numpy()
    np.testing.assert_array_equal(np.column_stack([points.pairs.own.x, points.pairs.own.y]), own)
    assert points.status.startswith("At the fit: sd of intercepts 0.87, sd of slopes 0.38, corr")
    assert points.status.endswith("2 of 120 have no line of their own; 4 own lines lie outside "
                                  "the picture.")  # fmt: skip
    assert points.pairs.centre.x[0] == fit.fixef["Intercept"]
    assert "_id" not in points.status


def test_marks_follow_the_sliders(points, fit):
    for name, value in (("sd of intercepts", 0.4), ("sd of slopes", 0.9), ("correlation", -0.9)):
        points.controls[name].value = value
    assert (points.sd_intercept, points.sd_slope, points.corr) == (0.4, 0.9, -0.9)
    frame = slope_frame(fit, 0.4, 0.9, -0.9)
    pooled = frame[["intercept", "slope"]].to_numpy()
    np.testing.assert_allclose(middles(points.pairs.pooled), pooled, atol=1e-6)
    x, y = (np.append(v, np.nan).reshape(-1, 3) for v in (points.pairs.segments.x,
                                                          points.pairs.segments.y))  # fmt: skip
    has = frame["own_slope"].notna().to_numpy()
    np.testing.assert_allclose(np.column_stack([x[:, 1], y[:, 1]]), pooled[has], atol=1e-6)
    for level, mark in points.pairs.ellipses.items():
        outline = ellipse(prepare(fit), Spread(0.4, 0.9, -0.9), level)
        np.testing.assert_array_equal([mark.x, mark.y], outline)
    assert "The ellipse is thin: regions keep" in points.status
    assert "taken for a flat slope" in points.status
    points.corr = 0.9
    assert "taken for a steep slope" in points.status
    points.controls["Snap to the fit"].click()
    assert points.status.startswith("At the fit: ")
    assert points.controls["correlation"].value == pytest.approx(0.533, abs=1e-3)


def test_a_group_is_highlighted_from_the_menu_by_click_and_by_name(points):
    points.controls["Highlight"].index = 16
    assert points.selected == "R016"
    assert "R016 (n = 30): own intercept " in points.status
    assert "R016" in points.text_alternatives["hw-pairs"]
    assert points.pairs.ring.visible
    assert len(points.pairs.ring.x) == len(points.pairs.chosen.x) == 2
    panel = points.pairs
    row = int(np.argmax(panel.pairs[:, 1]))
    x, y = panel.pairs[row]
    share = (x - panel.x.min) / (panel.x.max - panel.x.min)
    up = (y - panel.y.min) / (panel.y.max - panel.y.min)
    points._status._handle_custom_msg({"place": "hw-pairs", "x": share, "y": up}, [])
    assert points.selected == points._groups.levels[row]
    points._status._handle_custom_msg({"place": "hw-pairs", "x": 0.0, "y": 0.0}, [])
    assert points.selected == points._groups.levels[row]  # nothing is near
    lone = points._groups.levels[int(np.flatnonzero(np.isnan(points._groups.own[:, 0]))[0])]
    points.selected = lone
    assert "no line of its own, partial pooling" in points.status
    assert len(panel.ring.x) == 1
    points.controls["Highlight"].index = 0
    assert points.selected is None
    assert not panel.ring.visible


def test_sds_of_nothing_and_edges_are_said(points):
    points.sd_slope = 0.0
    assert "With an sd of 0 all slopes are one" in points.status
    points.sd_slope = 0.4
    points.corr = 1.0
    assert "correlation 1.00" in points.status
    assert "and 0% across it" in points.status


def test_the_table_has_both_lines(points):
    points.table.is_open = True
    assert len(points.table.rows) == 120
    assert points.table.columns[0] == "region"
    assert sum(row[2] == "none" for row in points.table.rows) == 2


def test_a_gaussian_fit_of_few_groups():
    rng = np.random.default_rng(4)
    x = np.tile(np.arange(6.0), 5)
    y = 1 + x * np.repeat(rng.normal(size=5), 6) + rng.normal(size=30)
    data = pd.DataFrame({"y": y, "x": x, "class": np.repeat(list("abcde"), 6)})
    data = data.rename(columns={"class": "klass"})
    made = SlopeShrinkage(hw.lmer("y ~ x + (1 + x | klass)", data), selected="c")
    assert "c (n = 6): own intercept" in made.status
    made.close()


def test_a_step_is_quick():
    made = SlopeShrinkage(hw.glmer(REGIONS, regions.survey(regions=200)[0]))
    start = time.process_time()
    for corr in np.linspace(-1, 1, 30):
        made.corr = corr
    assert (time.process_time() - start) / 30 < 0.020  # 3 ms on an idle machine
    made.close()


def test_an_error_while_drawing_shows_in_the_status(points, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(slope_shrinkage, "pooled", fail)
        points.corr = 0.31
    assert points.status == "This could not be drawn: no luck"
    points.corr = 0.32
    assert points.status.startswith("Sd of intercepts")


def test_nothing_is_left_behind(fit):
    before = set(_instances)
    made = SlopeShrinkage(fit, selected="R001")
    made.close()
    assert set(_instances) == before
    with pytest.raises(hw.DataError, match="corr must be from -1 to 1; 2 was given"):
        SlopeShrinkage(fit, corr=2)
    assert set(_instances) == before
