"""The chain clinic without a browser: what it takes, traits, marks, texts, errors, the end.

Its marks are held to the frames of `numbers.chains`, which have tests of their own.
"""

import asyncio
import importlib
import sys

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from support.page import click, status_line

import hierwidgets as hw
from hierwidgets.posterior.convergence import array_statistics
from hierwidgets.widgets import ChainClinic, chain_clinic, printed_summary, stuck_chains
from hierwidgets.widgets.numbers import chains as numbers
from hierwidgets.widgets.panels.chains import LANE, MOST_ROWS
from hierwidgets.widgets.parts.instrument import owned_widgets

_, X, _, INTERACTION, _, _, SLOPE_SD, _ = printed_summary().index


@pytest.fixture(scope="module")
def post():
    return hw.load_posterior("rainey2015")


@pytest.fixture
def clinic(post):
    runs = {"page": printed_summary(), "ours": post, "bad": stuck_chains()}
    instrument = ChainClinic(runs)
    yield instrument
    instrument.close()


def fine(clinic):
    assert not status_line(clinic).problem, clinic.status
    return clinic.status


# --- what it takes ------------------------------------------------------------------------


def test_summaries_with_the_names_of_other_packages():
    names = {"rhat": "Rhat", "ess_bulk": "Bulk_ESS", "ess_tail": "Tail_ESS"}
    clinic = ChainClinic(printed_summary().rename(columns=names))
    assert clinic.judged["verdict"].eq("passes").sum() == 5
    clinic.close()


DRAWS = pd.DataFrame({"chain": [1] * 30 + [2] * 29, "draw": [*range(30), *range(29)], "a": 1.0})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "the run is a int; give a posterior"),
        ({}, "the clinic needs a run; the dict is empty"),
        ({1: printed_summary()}, "runs have names of text; 1 is none"),
        ({"a": None}, "run 'a' is a NoneType"),
        (printed_summary().drop(columns="ess_tail"), r"lacks the columns \['ess_tail'\]"),
        (printed_summary().iloc[:0], "needs one row for each parameter"),
        (printed_summary().assign(rhat="bad"), "must be numbers"),
        (DRAWS, "equally many in each"),
        (DRAWS.iloc[:30].drop(columns="a"), "needs a column for each parameter"),
        ({"a": np.zeros((1, 100))}, "1 chains of 100 draws"),
        ({"a": np.zeros((4, 19))}, "4 chains of 19 draws"),
        ({"a": np.zeros(100)}, r"one shape \(chains, draws\)"),
        ({"a": np.zeros((2, 30)), "b": np.zeros((2, 31))}, "one shape"),
        ({"a": [["x"] * 30] * 2}, "draws must be numbers"),
        ({"a": np.full((2, 30), np.nan)}, "draws of 'a' are not finite"),
    ],
)
def test_what_cannot_be_judged_is_refused(given, message):
    before = set(_instances)
    with pytest.raises(hw.DataError, match=message):
        ChainClinic(given)
    assert set(_instances) == before


def test_draws_need_arviz_and_a_summary_does_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "arviz", None)
    monkeypatch.setitem(sys.modules, "arviz_stats", None)
    monkeypatch.setitem(sys.modules, "arviz_stats.base", None)
    real = importlib.import_module
    monkeypatch.setattr(
        importlib,
        "import_module",
        lambda name, *a: (
            (_ for _ in ()).throw(ImportError(name)) if name.startswith("arviz") else real(name, *a)
        ),
    )
    before = set(_instances)
    message = r'need arviz-stats; install with: pip install "hierwidgets\[lab\]"'
    with pytest.raises(hw.MissingExtraError, match=message):
        ChainClinic(stuck_chains())
    assert set(_instances) == before
    clinic = ChainClinic(printed_summary())
    fine(clinic)
    clinic.close()


# --- traits -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("run", "theirs", "run must be one of 'page', 'ours', 'bad'; 'theirs' was given"),
        ("parameter", "mu", "parameter must be one of 'stuck', 'slow'; 'mu' was given"),
        ("ess", 500, "ess must be one of 400, 1000, 2000; 500 was given"),
        ("chains", (1,), "chains must be 2 or more of 1 to 4, to compare them; .1,. was given"),
        ("chains", (1, 5), "2 or more of 1 to 4"),
        ("chains", ("a", "b"), "2 or more of 1 to 4"),
        ("thin", 0, "thin must be from 1 to 50 for 1,000 draws a chain; 0 was given"),
        ("thin", 51, "thin must be from 1 to 50"),
    ],
)
def test_wrong_traits_say_what_is_allowed(clinic, trait, value, message):
    clinic.run = "bad"
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(clinic, trait, value)
    assert clinic.chains == ()
    runs = {"page": printed_summary(), "ours": printed_summary(), "bad": stuck_chains()}
    before = set(_instances)
    with pytest.raises(traitlets.TraitError, match=message):
        ChainClinic(runs, **{"run": "bad", trait: value})
    assert set(_instances) == before


def test_a_summary_has_no_chains(clinic):
    with pytest.raises(traitlets.TraitError, match="a summary has no chains to choose"):
        clinic.chains = (1, 2)


def test_unknown_keywords_are_refused():
    with pytest.raises(TypeError, match="does not know 'thinning'; its keywords are run, param"):
        ChainClinic(printed_summary(), thinning=3)


def test_chains_are_sorted_and_all_is_empty(clinic):
    clinic.run = "bad"
    clinic.chains = [3, 1, 3]
    assert clinic.chains == (1, 3)
    clinic.chains = (4, 3, 2, 1)
    assert clinic.chains == ()


# --- the widget ---------------------------------------------------------------------------


def test_a_summary_shows_verdicts_and_says_that_there_are_no_draws(clinic):
    assert clinic.lanes.layout.visibility == "hidden"
    assert clinic.controls["thin, keep 1 in"].layout.display == "none"
    assert len(clinic.traces.line.x) == 0
    clinic.parameter = INTERACTION
    assert clinic.status == (
        f"{INTERACTION}: R-hat 1.05 is above 1.01; bulk ESS 126, tail ESS 35 are below 400. A "
        "printed summary: there are no draws to look at. 5 of 8 parameters pass. R-hat is above "
        "1.01 for 3, effective sample sizes are below 400 for 3: use none of these numbers; tune "
        "longer, or write the model another way."
    )
    assert set(clinic.text_alternatives) == {"hw-statistics"}
    assert len(clinic.table.rows) == 8
    assert clinic.table.rows[3] == [
        INTERACTION, "1.05", "126", "35",
        "R-hat 1.05 is above 1.01; bulk ESS 126, tail ESS 35 are below 400",
    ]  # fmt: skip


def boxes(clinic):
    named = {name: box for name, box in clinic.controls.items() if name.startswith("chain ")}
    return [named[f"chain {number}"] for number in range(1, len(named) + 1)]


def lanes(mark, count):
    return np.append(mark.x, np.nan).reshape(count, -1)[:, :-1], np.append(
        mark.y, np.nan
    ).reshape(count, -1)[:, :-1]  # fmt: skip


def test_lanes_hold_the_draws_and_their_ranks(clinic):
    clinic.run, clinic.parameter = "bad", "stuck"
    draws = stuck_chains()["stuck"]
    low, high = draws.min(), draws.max()
    frame = numbers.trace_frame(draws)
    x, y = lanes(clinic.traces.line, 4)
    np.testing.assert_array_equal(x.ravel(), frame["draw"])
    back = (y - (-1.0 - np.arange(4))[:, None]) / LANE * (high - low) + low
    np.testing.assert_allclose(back.ravel(), frame["value"], atol=1e-12)
    _, middle = lanes(clinic.traces.expected, 4)
    share = (np.median(draws) - low) / (high - low)
    np.testing.assert_allclose(middle[:, 0], -1.0 - np.arange(4) + LANE * share)
    counts = numbers.rank_frame(draws)["count"].to_numpy().reshape(4, 20)
    _, up = lanes(clinic.ranks.line, 4)
    heights = (up - (-1.0 - np.arange(4))[:, None])[:, 1:-1:2] / LANE
    np.testing.assert_allclose(heights / heights[0, 0], counts / counts[0, 0], rtol=1e-10)
    assert clinic.ranks.labels.text.tolist() == ["1", "2", "3", "4"]
    assert fine(clinic).startswith("stuck: R-hat 1.")
    assert "4 chains of 1,000 draws; for the mean, one draw in" in clinic.status
    away = (draws[3].mean() - draws[:3].mean()) / draws[:3].std()
    assert f"Chain 4 lies {away:.1f} sd higher than the others." in clinic.status


def test_leaving_a_chain_out_and_thinning(clinic):
    clinic.run, clinic.parameter = "bad", "stuck"
    assert clinic.judged["rhat"]["stuck"] > 1.3
    clinic.chains = (1, 2, 3)
    draws = stuck_chains()["stuck"][:3]
    az = array_statistics()
    assert clinic.judged["rhat"]["stuck"] == float(az.rhat(draws.copy(), method="rank"))
    assert clinic.judged["rhat"]["stuck"] < 1.01
    assert clinic.traces.labels.text.tolist() == ["1", "2", "3"]
    assert [box.value for box in boxes(clinic)] == [True, True, True, False]
    clinic.thin = 7
    kept = np.ascontiguousarray(draws[:, ::7])
    assert clinic.judged["ess_bulk"]["stuck"] == float(az.ess(kept, method="bulk"))
    assert f"3 chains of {kept.shape[1]} draws" in clinic.status
    for name in ("rhat", "ess_bulk", "ess_tail"):
        marks = clinic.statistics.marks
        assert marks[name, True].x.size + marks[name, False].x.size == 2


def test_a_box_switches_a_chain_off_and_the_last_two_stay_on(clinic):
    clinic.run = "bad"
    boxes(clinic)[3].value = False
    assert clinic.chains == (1, 2, 3)
    boxes(clinic)[0].value = False
    assert clinic.chains == (2, 3)
    boxes(clinic)[1].value = False
    assert clinic.chains == (2, 3)
    assert boxes(clinic)[1].value
    assert "two chains or more have to stay, to be compared" in clinic.status
    boxes(clinic)[0].value = True
    assert clinic.chains == (1, 2, 3)
    fine(clinic)


def test_another_run_keeps_what_was_set_as_far_as_it_can(clinic):
    clinic.run, clinic.thin, clinic.chains = "bad", 5, (1, 2)
    clinic.parameter = "slow"
    clinic.run = "page"  # a summary has no draws
    assert (clinic.chains, clinic.thin) == ((), 1)
    clinic.run = "ours"
    assert (clinic.chains, clinic.thin, clinic.parameter) == ((1, 2), 5, "Intercept")
    assert [box.value for box in boxes(clinic)] == [True, True, False, False]
    clinic.chains, clinic.thin = (), 1
    assert all(box.value for box in boxes(clinic))
    assert "All 8 parameters pass: these draws can be used." in fine(clinic)
    assert clinic.lanes.layout.visibility is None
    clinic.parameter = X
    clinic.run = "page"
    assert clinic.parameter == X
    assert f"{X}: R-hat 1.04 is above" in fine(clinic)
    assert clinic.controls["Parameter"].index == 1


def test_the_rule_changes_the_verdicts(clinic):
    clinic.ess = 2000
    assert "0 of 8 parameters pass" in clinic.status
    assert clinic.controls["Rule"].value == 2000
    clinic.controls["Rule"].value = 1000
    assert clinic.ess == 1000
    assert "5 of 8 parameters pass" in clinic.status


def test_points_stand_where_the_statistics_are(clinic):
    picture, judged = clinic.statistics, clinic.judged
    passing, failing = picture.marks["rhat", True], picture.marks["rhat", False]
    for name in ("rhat", "ess_bulk", "ess_tail"):
        assert (len(picture.marks[name, True].x), len(picture.marks[name, False].x)) == (5, 3)
    assert len({mark.marker for mark in picture.marks.values()}) == 3  # one for each statistic
    styles = [picture.limits.line_style, *(each.expected.line_style for each in
              (clinic.traces, clinic.ranks))]  # fmt: skip
    assert styles == ["solid", "dashed", "dashed"]
    high = max(1.06, judged["rhat"].max() * 1.01)
    rows = np.flatnonzero(~judged["rhat_ok"])
    wanted = 0.44 * (judged["rhat"].iloc[rows] - 1) / (high - 1)
    np.testing.assert_allclose(failing.x[:3], wanted, rtol=1e-12)
    np.testing.assert_allclose(failing.y[:3], -0.5 - rows)
    sizes = np.log10(judged["ess_bulk"].iloc[rows])
    bulk = picture.marks["ess_bulk", False]
    np.testing.assert_allclose(bulk.x, 0.56 + 0.44 * (sizes - 1) / 3, rtol=1e-12)
    limit = picture.limits.x
    assert failing.x.min() > limit[0] >= passing.x.max()
    assert picture.names.text.tolist()[0] == "Intercept"
    assert picture.row.y.tolist() == [-0.5, -0.5]


def test_a_click_on_a_row_and_the_menu_choose_a_parameter(clinic):
    click(clinic, "hw-statistics", 0.3, 1 - 3.5 / 8)
    assert clinic.parameter == INTERACTION
    assert clinic.controls["Parameter"].index == 3
    assert clinic.statistics.row.y.tolist() == [-3.5, -3.5]
    clinic.controls["Parameter"].index = 6
    assert clinic.parameter == SLOPE_SD


def test_many_parameters_show_the_worst(post):
    rng = np.random.default_rng(4)
    arrays = {f"a{i}": rng.standard_normal((3, 60)) for i in range(MOST_ROWS + 5)}
    arrays["a7"][1] += 4
    clinic = ChainClinic(arrays)
    assert len(clinic.statistics.shown) == MOST_ROWS
    assert "a7" in clinic.statistics.shown
    assert "The 5 best are not drawn." in fine(clinic)
    assert len(clinic.table.rows) == MOST_ROWS + 5
    clinic.close()


def test_more_chains_than_lanes():
    rng = np.random.default_rng(4)
    clinic = ChainClinic({"a": rng.standard_normal((12, 40))})
    assert "2 chains have no lane." in fine(clinic)
    boxes(clinic)[0].value = False
    assert clinic.chains == tuple(range(2, 13))
    clinic.close()


def test_draws_that_never_move():
    clinic = ChainClinic({"a": np.zeros((2, 40)), "b": np.random.default_rng(1).random((2, 40))})
    assert "a: R-hat cannot be computed: the draws do not move" in fine(clinic)
    clinic.thin = 2
    fine(clinic)
    clinic.close()


def test_a_drag_redraws_at_once_and_judges_the_rest_when_it_stops(clinic, monkeypatch):
    clinic.run = "bad"
    judged = []
    exact = numbers.run_table
    monkeypatch.setattr(
        numbers, "run_table", lambda run, *a: (judged.append(run.parameters), exact(run, *a))[1]
    )

    async def drag():
        for thin in range(2, 8):
            clinic.thin = thin
            assert clinic.traces.line.x[-1] <= np.ceil(1000 / thin)
            assert f"4 chains of {-(-1000 // thin)} draws" in clinic.status
        assert set(judged) == {("stuck",)}
        await asyncio.sleep(4 * chain_clinic.SETTLE)

    asyncio.run(drag())
    assert judged[-1] == ("stuck", "slow") or ("stuck", "slow") in judged
    assert judged.count(("stuck", "slow")) == 1
    assert "Judging" not in clinic.status


def test_closing_forgets_what_is_still_to_come():
    before = set(_instances)

    async def close_while_waiting():
        clinic = ChainClinic(stuck_chains())
        clinic.thin = 3
        assert clinic.waiting
        clinic.close()
        assert not clinic.waiting
        await asyncio.sleep(2 * chain_clinic.SETTLE)

    asyncio.run(close_while_waiting())
    assert set(_instances) == before


def test_moving_rebuilds_nothing(clinic):
    before = {id(widget) for widget in owned_widgets(clinic)}
    for clinic.run in ("bad", "ours", "page", "bad"):
        clinic.parameter = clinic.judged.index[1]
        clinic.ess = 1000
    clinic.thin, clinic.chains = 4, (2, 3)
    assert {id(widget) for widget in owned_widgets(clinic)} == before


def test_pictures_have_texts_that_follow(clinic):
    clinic.run = "bad"
    texts = clinic.text_alternatives
    assert set(texts) == {"hw-traces", "hw-ranks", "hw-statistics"}
    assert "stuck, a lane for each of 4 chains" in texts["hw-traces"]
    clinic.parameter = "slow"
    assert "slow, a lane for each of 4 chains" in clinic.text_alternatives["hw-ranks"]
    assert "0 of 2 parameters pass" in clinic.text_alternatives["hw-statistics"]


def test_an_error_while_drawing_shows_in_the_status(clinic, monkeypatch):
    clinic.run = "bad"

    def fail(*_):
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(numbers, "rank_frame", fail)
        clinic.parameter = "slow"
    assert clinic.status == "This could not be drawn: no luck"
    clinic.thin = 2
    fine(clinic)


def test_the_text_is_short_and_the_same_each_time(clinic):
    clinic.run, clinic.chains, clinic.thin = "bad", (1, 2), 3
    assert repr(clinic) == (
        "ChainClinic(run='bad', parameter='stuck', chains=(1, 2), thin=3, ess=400)"
    )


def test_closing_frees_every_widget_and_observer():
    before = set(_instances)
    clinic = ChainClinic(stuck_chains())
    slider = clinic.controls["thin, keep 1 in"]
    clinic.close()
    assert set(_instances) == before
    slider.value = 9
    assert clinic.thin == 1
