"""The picture of ranks: a panel for each quantity, its path and the band, the uneven in colour."""

from dataclasses import replace

import numpy as np
from matplotlib.colors import to_hex

from hierwidgets.base.palette import DARK_ORANGE, SCORE
from hierwidgets.course.figures.validation import rank_paths
from hierwidgets.course.studies import ranks


def test_paths_of_even_ranks() -> None:
    found = ranks.stored("gaussian")
    panels = rank_paths(found).axes
    path = found.path()
    for axes, name in zip(panels, found.ranks, strict=False):
        assert axes.get_title(loc="left").replace("\n", " ") == name
        (line,) = [one for one in axes.lines if len(one.get_xdata()) > 2]
        own = path[path["parameter"] == name]
        np.testing.assert_allclose(line.get_ydata(), own["difference"])
        assert to_hex(line.get_color()) == SCORE
    assert [axes.get_visible() for axes in panels] == [True] * 5 + [False]


def test_paths_are_named_in_words() -> None:
    panels = rank_paths(ranks.stored("gaussian"), {"Intercept": "the centre"}).axes
    assert [axes.get_title(loc="left") for axes in panels[:2]] == ["the centre", "x"]


def test_a_path_that_leaves_the_band_has_another_colour() -> None:
    found = ranks.stored("boundary")
    uneven = replace(found, ranks=found.ranks.assign(Intercept=found.ranks["Intercept"] // 2))
    colours = [to_hex(axes.lines[-1].get_color()) for axes in rank_paths(uneven).axes]
    assert colours == [DARK_ORANGE, SCORE, SCORE]
