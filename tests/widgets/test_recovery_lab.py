"""The recovery lab without a browser: its state, its pictures, its runs, its end.

All comparisons with `simulate_and_recover` are exact: same seed, same numbers, to the last bit.
"""

import asyncio

import numpy as np
import pandas as pd
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from support.page import status_line
from support.recovered import NEVER, recover

import hierwidgets as hw
from hierwidgets.recovery import Setup, repeat
from hierwidgets.widgets import RecoveryLab, judged_frame, recovery_lab, truth_frame
from hierwidgets.widgets.numbers.recovery import ESTIMATORS
from hierwidgets.widgets.panels.recovery import MOST_HEADS
from hierwidgets.widgets.parts.instrument import owned_widgets
from hierwidgets.widgets.recovery_lab import FEWEST, MOST


@pytest.fixture
def lab():
    lab = RecoveryLab()
    yield lab
    lab.close()


# --- what the lab accepts -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"j": 3}, TypeError, "does not know 'j'; its keywords are n, J, mu"),
        ({"n": "france"}, traitlets.TraitError, "n must be 'finland', 'uk' or a whole number"),
        ({"n": 0}, traitlets.TraitError, "n must be a whole number from 1 to 200; 0 was given"),
        ({"n": 2.5}, traitlets.TraitError, "2.5 was given"),
        ({"J": 1}, traitlets.TraitError, "J must be a whole number from 2 to 300; 1 was given"),
        ({"J": True}, traitlets.TraitError, "True was given"),
        ({"mu": 9}, traitlets.TraitError, "mu must be from -5 to 5; 9 was given"),
        ({"sigma": float("nan")}, traitlets.TraitError, "sigma must be from 0 to 3; nan"),
        ({"shape": "flat"}, traitlets.TraitError, "'normal', 't', 'two clusters', 'skewed'"),
        ({"reps": 5}, traitlets.TraitError, "reps must be a whole number from 10 to 2000"),
        ({"seed": -1}, traitlets.TraitError, "seed must be a whole number from 0 to 9999"),
        ({"show": "none"}, traitlets.TraitError, "show must be one of"),
    ],
)
def test_wrong_keywords_and_values_are_refused(keywords, error, says):
    before = set(_instances)
    with pytest.raises(error, match=says):
        RecoveryLab(**keywords)
    assert set(_instances) == before


def test_a_country_brings_its_number_of_groups():
    for n, J in (("finland", 14), ("uk", 253), (30, 14)):
        lab = RecoveryLab(n=n)
        assert (lab.n, lab.J) == (n, J)
        lab.close()
    lab = RecoveryLab(n="uk", J=np.int64(20))
    assert lab.design.sizes == Setup(n="uk", J=20).sizes
    lab.close()


# --- one draw -----------------------------------------------------------------------------


def test_the_picture_is_the_first_repetition(lab):
    frame = truth_frame(recover(lab.design, reps=1, seed=1))
    np.testing.assert_array_equal(lab.arrows.truth.y[0::3], frame["truth"])
    for shafts, heads, name in zip(lab.arrows.shafts, lab.arrows.heads, ESTIMATORS, strict=True):
        np.testing.assert_array_equal(heads.y, frame[name])
        np.testing.assert_array_equal(shafts.y[0::3], frame["truth"])
        np.testing.assert_array_equal(shafts.y[1::3], frame[name])
        np.testing.assert_array_equal(shafts.x[0::3], heads.x)
    judged = judged_frame(lab.result).set_index(["measure", "estimator"])["estimate"]
    for measure, panel in lab.measures.items():
        found = [dot.x[0] for dot in panel.dots]
        np.testing.assert_array_equal(found, judged[measure][list(ESTIMATORS)])
        assert all(len(bar.x) == 0 for bar in panel.bars)


def test_sliders_menus_and_traits_move_each_other(lab):
    lab.controls["σ, spread"].value = 1.5
    lab.controls["groups, J"].value = 20.4
    assert (lab.sigma, lab.J, lab.controls["groups, J"].value) == (1.5, 20, 20.0)
    assert len(lab.arrows.heads[0].x) == 20
    lab.controls["Group sizes"].value = "uk"
    assert (lab.n, lab.J, lab.controls["groups, J"].value) == ("uk", 20, 20.0)  # as it was set
    lab.J = 253
    assert lab.controls["n per group"].layout.display == "none"
    lab.controls["Group sizes"].value = "equal"
    assert (lab.n, lab.J) == (30, 253)
    lab.n, lab.J = "finland", 14
    lab.controls["Group sizes"].value = "uk"
    assert (lab.n, lab.J) == ("uk", 253)  # nobody has set it: it goes with the sizes
    lab.controls["Group sizes"].value = "equal"
    assert lab.controls["n per group"].layout.display is None
    lab.controls["n per group"].value = 41.0
    assert lab.n == 41
    lab.n = 7
    assert lab.controls["n per group"].value == 7.0
    lab.n = "finland"
    assert lab.controls["Group sizes"].value == "finland"
    lab.controls["Shape of effects"].value = "skewed"
    lab.controls["New seed"].click()
    assert (lab.shape, lab.seed, lab.controls["seed"].value) == ("skewed", 2, 2.0)
    expected = truth_frame(recover(lab.design, reps=1, seed=2))
    np.testing.assert_array_equal(
        lab.arrows.crowds[1].y[1 : 3 * 253 : 3], expected["partial_pooling"]
    )


def test_the_arrows_of_many_groups_are_one_path_for_each_estimator(lab):
    lab.n, lab.J = 20, MOST_HEADS
    assert [len(mark.x) for mark in lab.arrows.heads] == [MOST_HEADS] * 3
    assert [len(mark.x) for mark in lab.arrows.crowds] == [0] * 3
    lab.J = J = MOST_HEADS + 1
    few = (*lab.arrows.heads, *lab.arrows.shafts)
    assert [len(mark.x) for mark in few] == [0] * 6
    frame = truth_frame(recover(lab.design, reps=1, seed=1))
    for mark, name, corners in zip(lab.arrows.crowds, ESTIMATORS, (6, 4, 4), strict=True):
        np.testing.assert_array_equal(mark.y[: 3 * J : 3], frame["truth"])
        np.testing.assert_array_equal(mark.y[1 : 3 * J : 3], frame[name])
        heads = np.append(mark.y[3 * J :], np.nan).reshape(J, corners + 2)
        np.testing.assert_array_equal(heads[:, 0], heads[:, corners])  # closed
        np.testing.assert_allclose(heads[:, :corners].mean(axis=1), frame[name], atol=1e-15)
        assert np.isnan(heads[:, -1]).all()
    lab.show = "no_pooling"
    assert [mark.visible for mark in lab.arrows.crowds] == [True, False, False]


def test_a_menu_that_changes_two_things_draws_once(lab, monkeypatch):
    drawn = []
    original = recovery_lab.first_repetition
    monkeypatch.setattr(
        recovery_lab, "first_repetition", lambda *key: drawn.append(key) or original(*key)
    )
    lab.controls["Group sizes"].value = "uk"
    assert len(drawn) == 1


def test_show_hides_the_others_and_centres_the_one(lab):
    lab.show = "partial_pooling"
    assert [mark.visible for mark in lab.arrows.heads] == [False, True, False]
    assert [mark.visible for mark in lab.arrows.shafts] == [False, True, False]
    np.testing.assert_array_equal(lab.arrows.heads[1].x, np.arange(1, 15))


def test_changes_rebuild_nothing(lab):
    before = {id(widget) for widget in owned_widgets(lab)}
    lab.sigma, lab.n, lab.J, lab.show = 1.0, "uk", 100, "no_pooling"
    lab.run()
    assert {id(widget) for widget in owned_widgets(lab)} == before


def test_a_draw_without_a_fit_says_so_and_the_next_one_recovers(lab):
    lab.n, lab.J, lab.mu, lab.sigma = NEVER.n, NEVER.J, NEVER.mu, NEVER.sigma
    assert lab.status.startswith("This draw has no estimates: the model cannot be fitted")
    assert "take another seed, or more or larger groups" in lab.status
    assert all(len(mark.x) == 0 for mark in lab.arrows.heads)
    assert all(len(dot.x) == 0 for panel in lab.measures.values() for dot in panel.dots)
    lab.show = "no_pooling"
    lab.mu, lab.n, lab.seed = 0.0, 50, 3
    assert lab.status.startswith("One draw of 2 groups, seed 3.")
    assert len(lab.arrows.heads[0].x) == 2


def test_pictures_have_a_text_that_follows(lab):
    before = dict(lab.text_alternatives)
    assert set(before) == {"hw-arrows", "hw-rmse", "hw-bias", "hw-coverage", "hw-bias-of-largest"}
    lab.sigma = 2.0
    assert all(lab.text_alternatives[name] != text for name, text in before.items())
    lab.reps = 20
    lab.run()
    assert "RMSE over 20 repetitions, plus or minus one" in lab.text_alternatives["hw-rmse"]


# --- many ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        {"n": "finland", "reps": 25, "seed": 7},
        {"n": 3, "J": 8, "mu": 0.5, "sigma": 1.2, "shape": "two clusters", "reps": 25},
        {"n": "uk", "J": 40, "shape": "t", "reps": 12, "seed": 9999},
    ],
)
def test_a_run_gives_what_simulate_and_recover_gives(state):
    lab = RecoveryLab(**state)
    lab.run()
    setup = Setup(n=lab.n, J=lab.J, mu=lab.mu, sigma=lab.sigma, shape=lab.shape)
    expected = recover(setup, reps=lab.reps, seed=lab.seed)
    pd.testing.assert_frame_equal(lab.result.table, expected.table, check_exact=True)
    pd.testing.assert_frame_equal(lab.result.draws, expected.draws, check_exact=True)
    judged = judged_frame(expected).set_index(["measure", "estimator"])
    for measure, panel in lab.measures.items():
        for i, name in enumerate(ESTIMATORS):
            row = judged.loc[(measure, name)]
            assert panel.dots[i].x[0] == row["estimate"]
            np.testing.assert_array_equal(panel.bars[i].x, row[["low", "high"]])
    assert not lab.running
    lab.close()


async def ended(lab, seconds=30):
    for _ in range(int(seconds / 0.01)):
        if not lab.running:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the run did not end")


async def until_done(lab, least):
    while int(lab.result.reps_done.sum()) < least:
        await asyncio.sleep(0.005)


def test_in_a_loop_a_run_leaves_time_for_others_and_ends(lab):
    async def notebook():
        lab.reps = 60
        lab.run()
        assert lab.running
        assert not lab.controls["Stop"].disabled
        waits, last = [], asyncio.get_running_loop().time()
        while lab.running:
            await asyncio.sleep(0)
            now = asyncio.get_running_loop().time()
            waits.append(now - last)
            last = now
        return waits

    waits = asyncio.run(notebook())
    assert len(waits) > 5  # the loop turned while the run went on
    expected = recover(lab.design, reps=60, seed=1)
    pd.testing.assert_frame_equal(lab.result.table, expected.table, check_exact=True)
    assert lab.status.startswith("The figures rest on 60 of 60 repetitions.")
    assert (lab.controls["repetitions done"].done, lab.controls["repetitions done"].total) == (
        60,
        60,
    )
    assert lab.controls["Stop"].disabled


def test_stop_keeps_what_is_done_and_says_how_much(lab):
    async def notebook():
        lab.reps = MOST
        lab.controls["Run"].click()
        await until_done(lab, 15)
        lab.controls["Stop"].click()
        done = int(lab.result.reps_done.sum())
        await asyncio.sleep(0.1)
        assert int(lab.result.reps_done.sum()) == done  # it has really ended
        return done

    done = asyncio.run(notebook())
    assert 15 <= done < MOST
    assert not lab.running
    assert lab.status.startswith(f"Stopped. The figures rest on {done} of {MOST} repetitions.")
    assert lab.result.stopped == f"stopped: {done} of {MOST} repetitions are done, and kept"
    expected = recover(lab.design, reps=done, seed=1)
    pd.testing.assert_frame_equal(lab.result.table, expected.table, check_exact=True)


def test_a_change_in_a_run_begins_it_again_with_the_new_design(lab):
    async def notebook():
        lab.reps = 30
        lab.run()
        await until_done(lab, 3)
        for sigma in (0.5, 0.6, 0.7):
            lab.sigma = sigma
            assert lab.running
        assert int(lab.result.reps_done.sum()) == 1  # nothing of the old design is left
        await ended(lab)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(notebook())
    expected = recover(Setup(n="finland", J=14, mu=-1.37, sigma=0.7), reps=30, seed=1)
    pd.testing.assert_frame_equal(lab.result.table, expected.table, check_exact=True)


def test_reps_changed_in_a_run_begin_it_again_and_later_only_the_text(lab):
    async def notebook():
        lab.reps = MOST
        lab.run()
        await until_done(lab, 3)
        lab.reps = 15
        await ended(lab)

    asyncio.run(notebook())
    assert lab.status.startswith("The figures rest on 15 of 15")
    lab.reps = 40
    assert lab.status.startswith("The figures rest on 15 of 40")
    assert (lab.controls["repetitions done"].done, lab.controls["repetitions done"].total) == (
        15,
        40,
    )


def test_another_draw_after_a_run_empties_the_figures(lab):
    lab.reps = FEWEST
    lab.run()
    assert len(lab.measures["rmse"].bars[0].x) == 2
    lab.seed = 8
    assert len(lab.measures["rmse"].bars[0].x) == 0
    assert lab.status.startswith("One draw of 14 groups, seed 8.")


def test_stopping_before_the_first_step_and_twice_does_no_harm(lab):
    async def notebook():
        lab.run()
        lab.stop()
        lab.stop()
        await asyncio.sleep(0.05)

    asyncio.run(notebook())
    assert not lab.running
    assert lab.status.startswith("One draw of 14 groups")


def test_an_interrupt_outside_a_notebook_keeps_what_is_done(lab, monkeypatch):
    calls = []
    original = repeat.once

    def once(*given):
        calls.append(1)
        if len(calls) == 12:
            raise KeyboardInterrupt
        return original(*given)

    monkeypatch.setattr(repeat, "once", once)
    lab.run()
    assert not lab.running
    assert "Stopped. The figures rest on 10 of 200 repetitions." in lab.status


def test_repetitions_that_cannot_be_fitted_are_counted(lab):
    lab.n, lab.J, lab.mu, lab.sigma, lab.reps = 2, 4, -2.0, 0.5, 40
    lab.run()
    failed = len(lab.result.failures)
    assert 0 < failed < 40
    assert f"{failed} could not be fitted and are left out" in lab.status


def test_an_error_in_a_run_shows_in_the_status(lab, monkeypatch):
    def fail(*_, **__):
        raise hw.FitError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(recovery_lab, "run", fail)
        lab.run()
    assert lab.status == "This could not be drawn: no luck"
    assert status_line(lab).problem
    assert not lab.running


# --- the rest -----------------------------------------------------------------------------


def test_the_table_is_filled_when_it_is_opened(lab):
    at_first = lab.table.rows
    assert [row[0] for row in at_first][:2] == ["RMSE", "bias"]
    lab.reps = 20
    lab.run()
    assert lab.table.rows == at_first
    lab.table.is_open = True
    rmse = judged_frame(lab.result).iloc[:3]
    assert lab.table.rows[0][1:] == [
        f"{e:.3f} ({m:.4f})" for e, m in rmse[["estimate", "mc_error"]].to_numpy()
    ]


def test_the_text_is_short_and_the_same_each_time(lab):
    assert repr(lab) == (
        "RecoveryLab(n='finland', J=14, mu=-1.37, sigma=0.31, shape='normal', reps=200, seed=1, "
        "show='all')"
    )


def test_closing_frees_every_widget_and_ends_a_run():
    before = set(_instances)

    async def notebook():
        lab = RecoveryLab(reps=MOST)
        slider = lab.controls["σ, spread"]
        lab.run()
        await until_done(lab, 2)
        lab.close()
        done = int(lab.result.reps_done.sum())
        slider.value = 2.0
        await asyncio.sleep(0.1)
        assert int(lab.result.reps_done.sum()) == done
        assert lab.sigma == 0.31
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(notebook())
    assert set(_instances) == before
