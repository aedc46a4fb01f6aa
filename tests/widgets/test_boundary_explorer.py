"""The boundary explorer without a browser: its traits, its marks, its words, a run, the end.

Marks are compared with the numbers they stand for, exactly.
"""

import asyncio
import time

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances
from support import effect_models

import hierwidgets as hw
from hierwidgets.widgets import BoundaryExplorer, boundary_explorer
from hierwidgets.widgets.numbers.boundary.hill import cost, hill, look
from hierwidgets.widgets.parts.instrument import owned_widgets


@pytest.fixture(scope="module")
def several():
    return effect_models.several()


@pytest.fixture(scope="module")
def small():
    """Six schools of eight classes, whose slopes differ."""
    rng = np.random.default_rng(5)
    school = np.repeat(np.arange(6), 8)
    x = rng.uniform(-1, 1, 48)
    eta = 0.3 + (0.8 * rng.normal(size=6))[school] + (0.5 + rng.normal(size=6))[school] * x
    passed = rng.binomial(20, 1 / (1 + np.exp(-eta)))
    data = pd.DataFrame({"passed": passed, "n": 20, "x": x, "school": school})
    return hw.glmer("p(passed, n) ~ x + (1 + x | school)", data)


@pytest.fixture(scope="module")
def shared(several):
    made = BoundaryExplorer(several)
    yield made
    made.close()


@pytest.fixture
def explorer(shared):
    shared.penalty, shared.strength = "none", 1.0
    shared.sd, shared.corr, shared.height = 1.0, 0.0, 0.5
    return shared


@pytest.fixture
def schools(small):
    made = BoundaryExplorer(small, surveys=5, sd=0.5, corr=0.0)
    yield made
    made.close()


# --- the map ------------------------------------------------------------------------------


def test_it_starts_at_the_edge_without_a_penalty(several):
    made = BoundaryExplorer(several)
    assert made.penalty == "none"
    assert (made.sd, made.corr) == pytest.approx((0.265, 1.0), abs=1e-3)
    assert made.status.startswith(
        "The likelihood is highest at an sd of 0.26 and a correlation of 1.00: at the edge, "
    )
    assert "5 elections tell nothing" in made.status
    assert "_id" not in made.status
    assert not made.map.without.visible
    assert made.controls["strength of the penalty"].layout.visibility == "hidden"
    made.close()


def test_a_penalty_moves_the_maximum_and_the_regions(explorer, several):
    explorer.controls["Penalty"].value = "Wishart"
    explorer.controls["strength of the penalty"].value = 0.7
    assert (explorer.penalty, explorer.strength) == ("Wishart", 0.7)
    of = hill(several)
    found = look(of, "Wishart", 0.7)
    (x,), (y,) = explorer.map.dots["top"].x, explorer.map.dots["top"].y
    assert (x, y) == (found.top.sd, found.top.corr)
    for mark, region in zip(explorer.map.regions.values(), found.regions, strict=True):
        np.testing.assert_array_equal(mark.x, region[0])
        np.testing.assert_array_equal(mark.y, region[1])
    assert explorer.map.without.visible
    assert f"it costs {cost(of, 'Wishart', 0.7):.2f} of log-likelihood" in explorer.status
    assert explorer.controls["strength of the penalty"].layout.visibility == "visible"
    assert "Maximum without the penalty at an sd of 0.26" in explorer.text_alternatives["hw-hill"]


def test_the_truth_follows_sliders_clicks_and_the_button(explorer):
    explorer.controls["true correlation"].value = -0.5
    assert explorer.map.dots["truth"].y[0] == explorer.corr == -0.5
    assert "The truth to try, an sd of 1.00 and a correlation of −0.50" in explorer.status
    click = {"place": "hw-hill", "x": 0.5, "y": 0.5}
    explorer._status._handle_custom_msg(click, [])
    assert (explorer.sd, explorer.corr) == pytest.approx((explorer._hill.largest / 2, 0.0))
    explorer._status._handle_custom_msg({**click, "x": 0.0, "y": 1.0}, [])
    assert (explorer.sd, explorer.corr) == (0.0, 1.0)  # air around the map is the edge
    explorer.penalty = "LKJ"
    explorer.controls["Truth to the maximum"].click()
    assert explorer.sd == pytest.approx(explorer.map.dots["top"].x[0])
    assert explorer.corr == pytest.approx(explorer.map.dots["top"].y[0])


def test_the_table_has_places_and_regions(explorer):
    explorer.penalty = "gamma"
    explorer.table.is_open = True
    names = [row[0] for row in explorer.table.rows]
    assert names[:3] == ["maximum of the likelihood", "maximum under the penalty", "truth to try"]
    assert names[3:] == ["50 % region", "90 % region", "95 % region"]
    assert explorer.table.rows[0][1:] == ["0.265", "1.00", "0.00"]
    explorer.table.is_open = False


def test_a_step_is_quick(explorer):
    explorer.penalty = "Wishart"
    start = time.process_time()
    for strength in np.linspace(0.1, 2, 30):
        explorer.strength = strength
    assert (time.process_time() - start) / 30 < 0.030  # 4 ms on an idle machine


def test_an_error_while_drawing_shows_in_the_status(explorer, monkeypatch):
    def fail(*_):
        raise ValueError("no luck")

    explorer.penalty = "Wishart"
    with monkeypatch.context() as patch:
        patch.setattr(boundary_explorer, "look", fail)
        explorer.strength = 0.31
    assert explorer.status == "This could not be drawn: no luck"
    explorer.strength = 0.32
    assert explorer.status.startswith("Under the penalty")


# --- surveys made up ----------------------------------------------------------------------


def test_a_run_counts_singular_fits(schools, small):
    assert "Run makes up surveys of 6 to 24 schools from it." in schools.status
    assert len(schools.shares.dots.x) == 0
    schools.run()
    assert not schools.running
    assert "Singular fits from it: " in schools.status
    assert list(schools.shares.dots.x) == [0, 1, 2]
    text = schools.text_alternatives["hw-shares"]
    assert text.startswith("Share of singular fits. 6 schools: ")
    again = BoundaryExplorer(small, surveys=5, sd=0.5, corr=0.0)
    again.run()
    assert again.text_alternatives["hw-shares"] == text  # the same seed, the same surveys
    again.close()
    schools.sd = 0.6
    assert len(schools.shares.dots.x) == 0  # they came from another truth
    assert "Run makes up" in schools.status


def test_in_a_notebook_it_runs_aside_and_keeps_what_is_done(schools):
    async def notebook():
        schools.surveys = 200
        start = time.monotonic()
        schools.run()
        assert time.monotonic() - start < 1  # it returned, long before the surveys are there
        assert schools.running
        assert schools.controls["Run"].disabled
        await until(lambda: len(schools._outcomes) > 6)
        schools.strength = 0.5  # the map goes on working
        schools.controls["Stop"].click()
        assert not schools.running

    asyncio.run(notebook())
    assert "Singular fits from it: " in schools.status
    assert 0 < schools.controls["surveys done"].done < 600
    assert schools.controls["Stop"].disabled


def test_another_truth_ends_a_run(schools):
    async def notebook():
        schools.run()
        await until(lambda: schools._outcomes)
        schools.corr = -0.5
        assert not schools.running
        await asyncio.sleep(0.3)
        assert schools._outcomes == []

    asyncio.run(notebook())


async def until(happened):
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


# --- the end ------------------------------------------------------------------------------


def test_the_text_is_short_and_the_same_each_time(explorer):
    assert repr(explorer) == (
        "BoundaryExplorer(penalty='none', strength=1, sd=1, corr=0, height=0.5, surveys=30, seed=1)"
    )


def test_nothing_is_rebuilt_and_closing_frees_everything(small):
    before = set(_instances)
    made = BoundaryExplorer(small)
    widgets = {id(widget) for widget in owned_widgets(made)}
    made.penalty, made.strength, made.sd, made.corr = "Wishart", 0.4, 0.3, 0.2
    assert {id(widget) for widget in owned_widgets(made)} == widgets
    made.close()
    assert set(_instances) == before
