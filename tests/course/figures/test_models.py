"""The several-countries model in pictures: what is drawn is what was given."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw
from hierwidgets.course.figures.models import (
    SEVERAL_COUNTRIES_GRAPH,
    Line,
    coding_panels,
    election_panels,
    generative_steps,
    model_graph,
    rate_histograms,
)
from hierwidgets.errors import DataError


@pytest.fixture(scope="module")
def districts():
    data = hw.load("rainey2015").assign(y=lambda d: (d["contacted"] == "Contacted").astype(int))
    place = ["election_id", "district_id", "district_competitiveness", "electoral_rules"]
    return data.groupby(place, as_index=False).agg(rate=("y", "mean"), n=("y", "size"))


def test_graph_shows_every_node_and_arrow():
    axes = model_graph().axes[0]
    written = {text.get_text() for text in axes.texts}
    assert {node.label for node in SEVERAL_COUNTRIES_GRAPH.nodes.values()} <= written
    assert {plate.label for plate in SEVERAL_COUNTRIES_GRAPH.plates} <= written
    kinds = [type(patch).__name__ for patch in axes.patches]
    assert kinds.count("FancyArrowPatch") == len(SEVERAL_COUNTRIES_GRAPH.arrows)
    observed = sum(node.kind == "data" for node in SEVERAL_COUNTRIES_GRAPH.nodes.values())
    assert kinds.count("Rectangle") == observed


def test_graph_says_what_the_model_says(districts):
    """Parameters stand outside all frames; everything else in the frame of its index."""
    elections, units, people = SEVERAL_COUNTRIES_GRAPH.plates
    assert f"{districts['election_id'].nunique()}" in elections.label
    assert f"{len(districts)}" in units.label
    assert f"{districts['n'].sum()}" in people.label
    inside = {
        name: [
            plate.left < node.x < plate.right and plate.bottom < node.y < plate.top
            for plate in SEVERAL_COUNTRIES_GRAPH.plates
        ]
        for name, node in SEVERAL_COUNTRIES_GRAPH.nodes.items()
    }
    for name, node in SEVERAL_COUNTRIES_GRAPH.nodes.items():
        assert (node.kind == "parameter") == (not any(inside[name])), name
    assert inside["rules"] == inside["gamma"] == [True, False, False]
    assert inside["comp"] == inside["alpha"] == [True, True, False]
    assert inside["y"] == [True, True, True]


def test_an_arrow_needs_both_ends():
    graph = SEVERAL_COUNTRIES_GRAPH._replace(arrows=(("alpha", "x"),))
    with pytest.raises(DataError, match="an arrow names 'x'"):
        model_graph(graph)


def test_panels_hold_their_own_districts(districts):
    lines = districts[["election_id", "district_competitiveness"]].assign(estimate=0.3)
    figure = election_panels(districts.sample(frac=1, random_state=3), [Line("flat", lines)])
    assert [axes.get_title() for axes in figure.axes] == [
        "Canada (SMD)",
        "Finland (PR)",
        "Great Britain (SMD)",
        "Portugal 2002 (PR)",
        "Portugal 2005 (PR)",
    ]
    finland = districts[districts["election_id"] == "Finland"]
    circles = np.asarray(figure.axes[1].collections[0].get_offsets())
    wanted = finland[["district_competitiveness", "rate"]].to_numpy()
    np.testing.assert_allclose(circles[np.lexsort(circles.T)], wanted[np.lexsort(wanted.T)])
    assert len(figure.axes[0].lines[0].get_xdata()) == 267
    low, high = figure.axes[0].get_xlim()
    assert low < districts["district_competitiveness"].min() - 0.03
    assert high > districts["district_competitiveness"].max() + 0.03


def test_a_curve_of_a_rule_looks_like_its_rule(districts):
    lines = districts[["election_id", "district_competitiveness"]].assign(estimate=0.3)
    own, typical = Line("own", lines), Line("typical,", lines, of_rule=True)
    figure = election_panels(districts, [own, typical])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["own", "typical, SMD", "typical, PR"]
    looks = [axes.lines[1].get_linestyle() for axes in figure.axes]
    assert looks == ["-", "--", "-", "--", "--"]
    assert {axes.lines[0].get_linestyle() for axes in figure.axes} == {":"}
    with pytest.raises(DataError, match="'electoral_rules' is not a column"):
        election_panels(districts.drop(columns="electoral_rules"), [typical])


def test_both_codings_draw_the_same_lines():
    beta = np.array([-2.3, 1.2, -0.7, 3.1])
    delta = np.array([beta[0] + beta[2], -beta[2], beta[1] + beta[3], -beta[3]])
    left, right = coding_panels(delta, beta, at=0.0).axes
    first = {tuple(line.get_ydata()) for line in left.lines if len(line.get_xdata()) == 2}
    second = {tuple(line.get_ydata()) for line in right.lines if len(line.get_xdata()) == 2}
    np.testing.assert_allclose(sorted(first), sorted(second))
    assert left.lines[-1].get_ydata()[0] == delta[0]
    assert right.lines[-1].get_ydata()[0] == beta[0]


def test_steps_add_one_thing_each():
    made = pd.DataFrame({"comp": [0.4, 0.8], "alpha": [0.0, 1.0], "n": [4, 5], "y": [1, 3]})
    panels = generative_steps(made, (-2.0, 2.0), (-1.0, 1.0)).axes
    assert [len(axes.lines) for axes in panels] == [1, 2, 2, 2]
    np.testing.assert_allclose(panels[2].collections[0].get_offsets()[:, 1], [0.5, 0.7310585786])
    np.testing.assert_allclose(panels[3].collections[0].get_offsets()[:, 1], [0.25, 0.6])
    with pytest.raises(DataError, match="'alpha' is not a column"):
        generative_steps(made.drop(columns="alpha"), (0, 1), (0, 1))


def test_histograms_show_shares():
    axes = rate_histograms({"a": np.array([0.1, 0.11, 0.9, 1.0])}, bins=10).axes[0]
    heights = [patch.get_height() for patch in axes.patches]
    np.testing.assert_allclose(heights, [0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0.5])
    with pytest.raises(DataError, match="no rates were given"):
        rate_histograms({})
