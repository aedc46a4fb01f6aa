"""What the instrument says of a spread; the numbers in it are those of `pooled`."""

import numpy as np
import pytest

import hierwidgets as hw
from hierwidgets.course.models import REGIONS
from hierwidgets.course.studies import regions
from hierwidgets.widgets.numbers.pairs import words
from hierwidgets.widgets.numbers.pairs.pooled import Spread, kept, moved, pooled, prepare


@pytest.fixture(scope="module")
def groups():
    return prepare(hw.glmer(REGIONS, regions.survey()[0]))


def test_a_thin_ellipse_is_explained(groups):
    for corr, kind in ((0.9, "steep"), (-0.9, "flat")):
        spread = Spread(0.8, 0.35, corr)
        lines = pooled(groups, spread)
        along, across = kept(groups, lines, spread)
        said = words.thin_words(groups, lines, spread)
        assert f"{along:.0%} of their distance" in said
        assert f"{across:.0%} across it" in said
        assert said.endswith(f"a high intercept is taken for a {kind} slope.")
    round_one = Spread(0.8, 0.35, 0.2)
    assert words.thin_words(groups, pooled(groups, round_one), round_one).startswith(
        "The regions keep"
    )
    flat = Spread(0.8, 0.0, 0.2)
    assert "all slopes are one" in words.thin_words(groups, pooled(groups, flat), flat)


def test_how_far_and_who(groups):
    lines = pooled(groups, groups.fitted)
    intercept, slope = moved(groups, lines)
    said = words.moved_words(groups, lines)
    assert f"more than {intercept:.2f} in the intercept, half by more than {slope:.2f}" in said
    assert words.without_words(groups, 0) == "2 of 120 have no line of their own."
    assert words.without_words(groups, 3).endswith("own; 3 own lines lie outside the picture.")
    lone = int(np.flatnonzero(np.isnan(groups.own[:, 0]))[0])
    assert "no line of its own, partial pooling intercept" in words.group_words(groups, lines, lone)
    assert words.group_words(groups, lines, 0).startswith("R001 (n = 30): own intercept ")
    assert words.rows(groups, lines)[lone][2:4] == ["none", "none"]
    assert "lean upwards to the right" in words.picture_words(groups, lines, groups.fitted)
    assert "120 regions" in words.picture_words(groups, lines, groups.fitted)
