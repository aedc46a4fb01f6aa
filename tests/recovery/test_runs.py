"""Repetitions here and on executors: equal seeds give the same to the last bit, stops are kept."""

import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import tqdm.auto
from support.recoveries import FINLAND, LINEAR, SMALL, Idle, assert_same, recover, three_designs

from hierwidgets.base import executors
from hierwidgets.errors import DataError, FitError, FitWarning, FormulaError
from hierwidgets.recovery import run, runs


def test_the_seed_decides():
    a, b = recover(SMALL, reps=4), recover(SMALL, reps=4)
    assert_same(a, b)
    other = recover(SMALL, reps=4, seed=2)
    assert (a.estimates["mu"] != other.estimates["mu"]).all()


def test_more_repetitions_begin_with_the_same():
    few, many = recover([SMALL, LINEAR], reps=4), recover([SMALL, LINEAR], reps=9)
    pd.testing.assert_frame_equal(
        few.estimates, many.estimates.query("rep < 4").reset_index(drop=True), check_exact=True
    )


def test_a_seed_sequence_may_have_spawned_before():
    root = np.random.SeedSequence(7)
    first = recover(SMALL, reps=3, seed=root)
    root.spawn(2)
    assert_same(first, recover(SMALL, reps=3, seed=root))
    assert_same(first, recover(SMALL, reps=3, seed=7))
    assert recover(SMALL, reps=3, seed=[1, 2]).reps_done["small"] == 3


@pytest.mark.parametrize("chunk", [3, 100])
def test_chunks_do_not_matter(chunk):
    assert_same(
        three_designs(), recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, chunk=chunk)
    )


def test_threads_give_the_same():
    with ThreadPoolExecutor(2) as pool:
        found = recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, executor=pool)
    assert_same(three_designs(), found)


def test_processes_give_the_same():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = recover([FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, executor=pool, chunk=4)
    assert_same(three_designs(), found)


def on_dask(processes):
    from distributed import Client, LocalCluster

    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=processes, dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        return recover(
            [FINLAND, SMALL, LINEAR], reps=10, keep=10, n_agq=3, executor=client.get_executor()
        )


def test_a_dask_cluster_gives_the_same():
    assert_same(three_designs(), on_dask(processes=False))


@pytest.mark.slow
def test_a_dask_cluster_of_processes_gives_the_same():
    assert_same(three_designs(), on_dask(processes=True))


# --- progress, stopping, failing ----------------------------------------------------------


def test_run_hands_over_what_there_is():
    steps = list(run([SMALL, LINEAR], reps=5, seed=1, chunk=2))
    assert [list(r.reps_done) for r in steps] == [[2, 0], [2, 2], [4, 2], [4, 4], [5, 4], [5, 5]]
    assert_same(steps[-1], recover([SMALL, LINEAR], reps=5))
    first = steps[0].table
    assert first.query("design == 'small'")["estimate"].notna().all()
    assert first.query("design == 'linear'")["estimate"].isna().all()
    assert "2 of 5 repetitions" in repr(steps[0])
    assert not steps[-1].stopped


def test_run_on_an_executor_ends_with_everything():
    with ThreadPoolExecutor(2) as pool:
        *_, last = run([SMALL, LINEAR], reps=5, seed=1, executor=pool, chunk=1)
    assert_same(last, recover([SMALL, LINEAR], reps=5))


def test_run_comes_back_while_nothing_happens_and_closes_cleanly():
    idle = Idle(able=1)
    steps = run(SMALL, reps=6, seed=1, executor=idle, chunk=2)
    counts = [next(steps).reps_done["small"] for _ in range(3)]
    assert counts == [2, 2, 2]
    steps.close()
    assert [future.cancelled() for future in idle.futures] == [False, True, True]


def test_run_checks_its_arguments_at_once():
    with pytest.raises(DataError, match="reps=0"):
        run(SMALL, reps=0, seed=1)


def interrupt_at(monkeypatch, n):
    calls, done = [], runs.perform

    def perform(task):
        calls.append(task)
        if len(calls) > n:
            raise KeyboardInterrupt
        return done(task)

    monkeypatch.setattr(runs, "perform", perform)


def test_an_interrupt_keeps_what_is_done(monkeypatch):
    whole = recover([SMALL, LINEAR], reps=9)
    interrupt_at(monkeypatch, 7)
    with pytest.warns(FitWarning, match="interrupted: 7 of 18 repetitions are done, and kept"):
        result = recover([SMALL, LINEAR], reps=9)
    assert result.reps_done.to_dict() == {"small": 4, "linear": 3}
    assert result.stopped.startswith("interrupted")
    assert "interrupted: 7 of 18" in repr(result)
    expected = whole.estimates.query("rep < 3 or (rep == 3 and design == 'small')")
    pd.testing.assert_frame_equal(
        result.estimates, expected.reset_index(drop=True), check_exact=True
    )


def test_an_interrupt_before_anything_is_done_is_an_interrupt(monkeypatch):
    interrupt_at(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        recover(SMALL, reps=3)


def test_an_interrupt_cancels_what_is_pending(monkeypatch):
    idle, waits, wait = Idle(able=2), [], executors.wait

    def interrupted(*args, **kwargs):
        waits.append(1)
        if len(waits) > 1:
            raise KeyboardInterrupt
        return wait(*args, **kwargs)

    monkeypatch.setattr(executors, "wait", interrupted)
    with pytest.warns(FitWarning, match="interrupted: 4 of 8"):
        result = recover(SMALL, reps=8, executor=idle, chunk=2)
    assert result.reps_done["small"] == 4
    assert [future.cancelled() for future in idle.futures] == [False, False, True, True]


def test_an_interrupt_that_reaches_a_worker_first():
    idle = Idle(able=1, error=KeyboardInterrupt())
    with pytest.warns(FitWarning, match="interrupted: 2 of 6"):
        assert recover(SMALL, reps=6, executor=idle, chunk=2).reps_done["small"] == 2


def test_an_executor_that_breaks_midway_keeps_what_is_done():
    idle = Idle(able=2, error=OSError("the disk is full"))
    with pytest.warns(FitWarning, match=r"failed \(OSError: the disk is full\): 4 of 6"):
        result = recover(SMALL, reps=6, executor=idle, chunk=2)
    assert result.reps_done["small"] == 4
    *_, last = run(SMALL, reps=6, seed=1, executor=Idle(2, OSError("x")), chunk=2)
    assert last.reps_done["small"] == 4
    assert "OSError" in last.stopped


def test_an_executor_that_never_worked():
    with pytest.raises(FitError, match="failed before any repetition was done"):
        recover(SMALL, reps=6, executor=Idle(0, OSError("x")))
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(FitError, match="cannot schedule new futures after shutdown"):
        recover(SMALL, reps=6, executor=pool)


def test_the_bar_moves(monkeypatch, capsys):
    bars = []

    class Bar(tqdm.auto.tqdm):
        def close(self):
            if self not in bars:
                bars.append(self)
            super().close()

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    recover([SMALL, LINEAR], reps=3, progress=True)
    assert [(bar.total, bar.n, bar.disable) for bar in bars[:1]] == [(6, 6, True)]
    assert "simulate and recover" in capsys.readouterr().err
    recover(SMALL, reps=3)
    assert not capsys.readouterr().err


def test_a_good_run_is_quiet_and_can_be_stored():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = recover(SMALL, reps=3)
    assert_same(result, pickle.loads(pickle.dumps(result)))
    assert result.draws["rep"].unique().tolist() == [0]
    assert recover(SMALL, reps=3, keep=0).draws.empty
    assert recover(SMALL, reps=3, keep=2, chunk=2).draws["rep"].nunique() == 2


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"reps": 0}, DataError, "reps=0; give a whole number, 1 or larger"),
        ({"reps": 2.0}, DataError, "reps=2.0"),
        ({"keep": -1}, DataError, "keep=-1; give a whole number, 0 or larger"),
        ({"chunk": 0}, DataError, "chunk=0"),
        ({"level": 90}, DataError, "level=90; a confidence level lies between 0 and 1"),
        ({"seed": None}, DataError, "seed=None is not a seed"),
        ({"seed": -1}, DataError, "seed=-1 is not a seed"),
        ({"seed": "x"}, DataError, "seed='x' is not a seed"),
        ({"executor": 4}, DataError, "executor=4 is not a concurrent.futures.Executor"),
        ({"n_agq": 0}, FitError, "n_agq=0 is not a number of quadrature points"),
        ({"designs": LINEAR, "n_agq": 5}, FormulaError, "a Gaussian model is integrated exactly"),
    ],
)
def test_bad_arguments(given, error, message):
    with pytest.raises(error, match=message):
        recover(given.pop("designs", SMALL), **given)
