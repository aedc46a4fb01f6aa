"""Pictures of many small groups: every group is counted once, marks stand at its numbers.

Counts are compared with pandas' crosstab, positions read back from matplotlib's artists exactly.
"""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from scipy.special import expit

import hierwidgets as hw
from hierwidgets.base.palette import DARK_GREEN, DARK_ORANGE
from hierwidgets.course.figures.tallies import (
    patterns,
    patterns_moved,
    patterns_tallied,
    profiles,
    ranked_intervals,
)
from hierwidgets.errors import DataError


@pytest.fixture(scope="module")
def uk():
    data = hw.load("uk")
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", data, event="Contacted")
    no = hw.no_pooling(data, "contacted", "district_id", event="Contacted")
    return data, fit, no, hw.partial_pooling(fit)


def test_patterns_count_every_district_once(uk):
    data, _, no, partial = uk
    found = patterns(no, partial.sample(frac=1, random_state=2))
    contacted = (data["contacted"] == "Contacted").groupby(data["district_id"])
    counts = contacted.agg(y="sum", n="size")
    table = counts.value_counts()
    assert len(found) == len(table) == 33
    assert found["groups"].sum() == 253
    for row in found.itertuples():
        assert table[row.y, row.n] == row.groups


def test_the_estimate_of_a_pattern_is_that_of_each_of_its_groups(uk):
    _, fit, no, partial = uk
    found = patterns(no, partial)
    wide = no.assign(y=(no["n"] * no["estimate"]).round(), pooled=partial["estimate"])
    spread = wide.groupby(["n", "y"])["pooled"].agg(["min", "max"])
    np.testing.assert_allclose(spread["max"], spread["min"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found["estimate"], spread["min"], rtol=0, atol=1e-10)
    alpha = np.log(found["estimate"] / (1 - found["estimate"]))
    score = found["y"] - found["n"] * expit(alpha)
    score -= (alpha - fit.fixef["Intercept"]) / fit.theta[0] ** 2
    np.testing.assert_allclose(score, 0, atol=1e-6)


def test_discs_carry_their_number_and_grow_with_it(uk):
    _, _, no, partial = uk
    found = patterns(no, partial)
    axes = patterns_tallied(found).axes[0]
    assert [t.get_text() for t in axes.texts] == [str(g) for g in found["groups"]]
    certain = (found["y"] == 0) | (found["y"] == found["n"])
    drawn = axes.collections[1]
    np.testing.assert_array_equal(drawn.get_offsets(), found.loc[certain, ["n", "y"]])
    order = np.argsort(found.loc[certain, "groups"], kind="stable")
    assert np.all(np.diff(drawn.get_sizes()[order]) >= 0)


def test_arrows_lead_from_raw_to_pooled(uk):
    _, _, no, partial = uk
    found = patterns(no, partial)
    axes = patterns_moved(found, 0.3).axes[0]
    arrows = [t for t in axes.texts if t.arrow_patch is not None]
    assert [t.xy[1] for t in arrows] == list(found["estimate"])
    assert [t.xyann[1] for t in arrows] == list(found["raw"])
    places = np.array([t.xy[0] for t in arrows])
    assert [t.xyann[0] for t in arrows] == list(places)
    np.testing.assert_array_equal(places.round(), found["n"])
    assert np.diff(np.sort(places)).min() > 0.05  # no two on one vertical
    assert axes.lines[0].get_ydata()[0] == 0.3
    assert not patterns_moved(found).axes[0].lines


def test_intervals_are_ranked_and_those_without_width_are_crosses(uk):
    _, _, no, _ = uk
    wilson = hw.no_pooling(uk[0], "contacted", "district_id", event="Contacted", method="wilson")
    wald, other = ranked_intervals({"Wald": no, "Wilson": wilson}).axes
    lines, dots, crosses = wald.collections
    assert len(lines.get_segments()) + len(crosses.get_offsets()) == 253
    assert len(crosses.get_offsets()) == 140
    assert len(dots.get_offsets()) == 113
    assert len(other.collections[0].get_segments()) == 253
    assert np.all(np.diff(np.asarray(other.collections[1].get_offsets())[:, 1]) >= 0)


def test_each_kind_of_pooling_keeps_its_colour_in_ranked_intervals(uk):
    _, _, no, partial = uk
    panels = ranked_intervals({"no pooling, Wald": no, "partial pooling": partial}).axes
    drawn = [tuple(axes.collections[1].get_facecolor()[0]) for axes in panels]
    assert drawn == [to_rgba(DARK_GREEN), to_rgba(DARK_ORANGE)]


def test_profiles_mark_their_tops():
    sigma = np.array([0.5, 0.7, 0.9])
    low = pd.DataFrame({"sigma": sigma, "loglik": [-2.0, -3.0, -4.0]})
    high = pd.DataFrame({"sigma": sigma, "loglik": [-3.0, -1.0, -2.0]})
    axes = profiles({"Laplace": low, "25 nodes": high}).axes[0]
    dashed, first, solid, second = axes.lines
    assert [dashed.get_linestyle(), solid.get_linestyle()] == ["--", "-"]
    assert [first.get_xdata()[0], second.get_xdata()[0]] == [0.5, 0.7]
    assert [list(first.get_ydata()), list(second.get_ydata())] == [[-4, -2], [-4, -1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: patterns(f, f.drop(columns="estimate")), "'estimate' is not a column"),
        (lambda f: patterns(f, f.iloc[1:]), "no row for the level 'a'"),
        (patterns_tallied, "'y' is not a column"),
        (patterns_moved, "'raw' is not a column"),
        (lambda f: ranked_intervals({"x": f}), "'conf_low' is not a column"),
    ],
)
def test_what_is_missing_is_named(call, message):
    frame = pd.DataFrame({"level": ["a", "b"], "n": [1, 2], "estimate": [0.0, 0.5]})
    with pytest.raises(DataError, match=message):
        call(frame)
