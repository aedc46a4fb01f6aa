"""Facets, their points, lines and bands, are where `unit_frame` and `line_frame` have them."""

import numpy as np
import pytest
from support.effect_models import X, invented

import hierwidgets as hw
from hierwidgets.widgets import CompetitivenessEffect
from hierwidgets.widgets.numbers.effect import frames as numbers
from hierwidgets.widgets.panels.facets import rows_of_facets


@pytest.fixture
def shown(uk):
    instrument = CompetitivenessEffect(uk, X, low=0.5, high=0.8)
    yield instrument
    instrument.close()


def test_facets_show_points_lines_and_bands_in_place(draws):
    instrument = CompetitivenessEffect(draws, X, low=0.3, high=0.8)
    (row,) = instrument.facets
    found = instrument.setting
    units, line = numbers.unit_frame(found), numbers.line_frame(found)
    np.testing.assert_array_equal(row.heights, units["estimate"])
    drawn = np.empty((5, 41))
    drawn[~row._dashed], drawn[row._dashed] = row.line.y, row.dashed.y
    np.testing.assert_array_equal(drawn.ravel(), line["estimate"])
    assert len(row.line.y) == len(row.line.colors) == 2  # SMD; the other three are PR
    looks = {"solid": row.line, "dashed": row.dashed}
    assert {name: mark.line_style for name, mark in looks.items()} == {n: n for n in looks}
    np.testing.assert_array_equal(row.band.y[:, :41].ravel(), line["conf_low"])
    np.testing.assert_array_equal(row.band.y[:, :40:-1].ravel(), line["conf_high"])
    facet = np.floor(row.points.x / 1.14)
    np.testing.assert_array_equal(facet, found.facet_of)
    low, high = found.x.min(), found.x.max()
    np.testing.assert_allclose(row.points.x - 1.14 * facet, (found.x - low) / (high - low))
    instrument.selected = "Finland; District 309"
    place = instrument.setting.levels.index(instrument.selected)
    assert row.ring.y.tolist() == [units["estimate"][place]] * 2
    assert f"{instrument.selected} in {units['facet'][place]}: " in instrument.status
    instrument.close()


def test_many_pooled_points_beside_raw_rates_are_one_path(shown):
    row, J = shown.facets[0], len(shown.setting.levels)
    shown.sigma = 1.0
    assert len(row.points.x) == 0
    x, y = (np.append(v, np.nan).reshape(J, 6) for v in (row.crowd.x, row.crowd.y))
    np.testing.assert_allclose(x[:, :4].mean(axis=1), shown.setting.x)
    np.testing.assert_allclose(y[:, :4].mean(axis=1), row.heights)
    assert np.isnan(x[:, 5]).all()


def test_the_line_through_the_points_turns_with_sigma(shown):
    shown.with_predictor = False

    def slope():
        row = shown.facets[0]
        return np.diff(row.through_points.y)[0] / np.diff(row.through_points.x)[0]

    assert round(slope(), 3) == 0.175
    shown.sigma = 0.01
    assert 0 <= slope() < 0.001
    before = 0
    for sigma in (0.5, 1.0, 2.0, 5.0):
        shown.sigma = sigma
        assert slope() > before
        before = slope()


def test_many_facets_stand_in_rows_and_the_rest_is_counted():
    assert [len(row) for row in rows_of_facets(12)] == [5, 5, 2]
    data = invented(J=120, n=8)
    data["region"] = data["g"] % 33
    fit = hw.glmer("y ~ x + (1 | g) + (1 | region)", data)
    instrument = CompetitivenessEffect(fit, "x")
    assert [len(row.facets) for row in instrument.facets] == [5] * 6
    assert instrument.status.endswith("3 more facets are not drawn.")
    hidden = np.flatnonzero(instrument.setting.facet_of == 32)[0]
    instrument.selected = instrument.setting.levels[hidden]
    assert not any(row.ring.visible for row in instrument.facets)
    assert "in 32: x" in instrument.status
    instrument.close()
