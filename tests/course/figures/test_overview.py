"""The overview's pictures: what is joined to what, and that the map shows the course."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from support.course_facts import PLAN

from hierwidgets.course.figures import overview
from hierwidgets.course.plan import COURSE
from hierwidgets.errors import DataError


@pytest.fixture(autouse=True)
def no_figures_left():
    before = plt.get_fignums()
    yield
    assert plt.get_fignums() == before


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_the_map_shows_every_lecture_in_order():
    assert tuple(stop.name for stop in COURSE) == PLAN
    (axes,) = overview.course_map().axes
    numbers = [text for text in texts(axes) if text.isdigit()]
    assert numbers == [name[:2] for name in PLAN]
    assert {"A1", "A2", "A3", "A4"} <= set(texts(axes))


def test_stops_of_the_map_do_not_overlap():
    places = list(overview._places().values())
    gaps = [np.abs(np.subtract(a, b)) for i, a in enumerate(places) for b in places[:i]]
    assert all(across > 1.0 or down > 0.7 for across, down in gaps)


@pytest.mark.parametrize(("kind", "parameters"), [(0, 1), (1, 3), (2, 4)])
def test_each_model_graph_has_its_parameters(kind, parameters):
    axes = overview.model_graphs().axes[kind]
    assert len(axes.collections) == parameters
    assert sum(r"\phi" in text for text in texts(axes)) == (kind == 2)


def test_lines_join_persons_to_districts_to_elections():
    j, k = [1, 1, 2, 3], [1, 2, 2]
    (axes,) = overview.index_lines(j, k).axes
    lines = [np.array(line.get_xdata()) for line in axes.lines]
    persons, districts, elections = [0.125, 0.375, 0.625, 0.875], [1 / 6, 0.5, 5 / 6], [0.25, 0.75]
    joined = [(persons[i], districts[d - 1]) for i, d in enumerate(j)]
    joined += [(districts[d], elections[e - 1]) for d, e in enumerate(k)]
    np.testing.assert_allclose(lines, joined)
    with pytest.raises(DataError, match="k has the elections of districts 1 to 1"):
        overview.index_lines([1, 2], [1])


def test_sizes_stand_where_they_should():
    sizes = {"many": pd.Series([50, 60, 200]), "few": pd.Series([1, 1, 2, 9])}
    (axes,) = overview.sizes_of_groups(sizes).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["few", "many"]
    few, many = (np.asarray(c.get_offsets()) for c in axes.collections)
    np.testing.assert_allclose(few[:, 0], [1, 1, 2, 9], rtol=0.08)
    np.testing.assert_allclose(many[:, 0], [50, 60, 200], rtol=0.08)
    assert [line.get_xdata()[0] for line in axes.lines] == [1.5, 60]
