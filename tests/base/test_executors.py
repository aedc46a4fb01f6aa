"""Tasks on executors: lost workers are replaced, nothing waits in memory, poison is named."""

import os
import signal
import subprocess
import sys
import tracemalloc
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from support.tasks import falls_always, falls_once, squares

import hierwidgets as hw
from hierwidgets.base.executors import LostError, carried_out, root_seed, spawned, work


def everything(perform, tasks, executor):
    done, why = carried_out(perform, tasks, executor, lambda n: None)
    assert why == ""
    return dict(done)


SPAWN = get_context("spawn")


def test_a_lost_process_is_replaced_and_its_tasks_are_done_again(tmp_path):
    for task in (3, 11):
        (tmp_path / str(task)).touch()
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        found = everything(partial(falls_once, tmp_path), range(20), pool)
    assert not list(tmp_path.iterdir())
    assert found == {task: [task**2] for task in range(20)}


def test_a_task_that_kills_every_worker_ends_the_run():
    with (
        ProcessPoolExecutor(1, mp_context=SPAWN) as pool,
        pytest.raises(LostError, match=r"BrokenProcessPool.*4 times"),
    ):
        list(work(falls_always, [3], pool))


def test_an_error_of_the_task_itself_is_not_tried_again():
    calls = []

    def wrong(task):
        calls.append(task)
        raise ZeroDivisionError("no")

    with ThreadPoolExecutor(1) as pool, pytest.raises(LostError, match=r"^ZeroDivisionError: no$"):
        list(work(wrong, [1], pool))
    assert calls == [1]


class KilledWorker(Exception):
    """What Dask says when a worker died with a task several times."""


class Falling(Executor):
    """Loses the first `falls` of its tasks as a cluster does."""

    def __init__(self, falls):
        self.falls, self.asked = falls, 0

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.asked += 1
        if self.asked <= self.falls:
            future.set_exception(KilledWorker("gone"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_what_a_cluster_loses_is_sent_again():
    cluster = Falling(7)
    assert everything(squares, range(10), cluster) == {task: [task**2] for task in range(10)}
    assert cluster.asked == 17


class Counting(Executor):
    """Does each task at once and tells how many were taken before the first was asked for."""

    def __init__(self):
        self.given = []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        future.set_result(fn(*args, **kwargs))
        self.given.append(future)
        return future


def test_tasks_are_taken_as_there_is_room():
    taken = []

    def tasks():
        for task in range(1000):
            taken.append(task)
            yield task

    steps = work(squares, tasks(), Counting())
    next(steps)
    assert len(taken) == 256


def test_memory_stays_flat_over_many_repetitions():
    """Nothing is kept of 100,000 repetitions but what they came to: here, nothing."""
    rounds, tasks = [], range(0, 100_000, 50)
    with ThreadPoolExecutor(1) as pool:
        tracemalloc.start()
        try:
            for more in work(lambda first: [np.zeros(100)] * 50, iter(tasks), pool):
                rounds.append(len(more))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert sum(rounds) == 2000
    assert peak < 10e6  # 80 MB are handed over in all


def test_children_are_those_that_a_seed_spawns():
    root = root_seed([7, 8])
    own = [child.generate_state(3) for child in spawned(root, 5, 3)]
    assert np.array_equal(own, [c.generate_state(3) for c in root_seed([7, 8]).spawn(8)[5:]])


# --- what is built on it --------------------------------------------------------------------


def finland():
    return hw.load("finland")


@pytest.fixture(scope="module")
def cluster():
    """Two workers of a cluster on this machine, as an executor."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as local,
        Client(local) as client,
    ):
        yield client.get_executor()


def test_cross_validation_does_not_depend_on_the_executor(cluster):
    models = {
        "no": "no pooling",
        "complete": "complete pooling",
        "partial": "contacted ~ (1 | district_id)",
    }
    given = {"folds": 4, "seed": 1, "event": "Contacted", "progress": False}
    here = hw.cross_validate(models, finland(), **given)
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        for executor in (pool, cluster):
            found = hw.cross_validate(models, finland(), executor=executor, **given)
            assert found.scores.equals(here.scores)
            assert found.table.equals(here.table)


def test_cross_validation_of_posteriors_does_not_depend_on_it(cluster):
    data = hw.load("finland")
    post = hw.Model("contacted ~ (1 | district_id)", data, "binomial", event="Contacted").sample(
        seed=1, draws=100, progress=False
    )
    given = {"folds": 2, "seed": 1, "sampling": {"draws": 100}, "progress": False}
    here = hw.cross_validate({"post": post}, data, **given)
    found = hw.cross_validate({"post": post}, data, executor=cluster, **given)
    assert found.scores.equals(here.scores)


def test_the_bootstrap_does_not_depend_on_the_executor(cluster):
    fit = hw.glmer("contacted ~ (1 | district_id)", finland(), event="Contacted")
    given = {"draws": 30, "seed": 2, "progress": False}
    here = fit.confint(method="bootstrap", **given)
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        for executor in (pool, cluster):
            assert fit.confint(method="bootstrap", executor=executor, **given).equals(here)


@pytest.mark.parametrize("method", ["bootstrap", "wald"])
def test_what_is_no_executor_is_refused(method):
    fit = hw.glmer("contacted ~ (1 | district_id)", finland(), event="Contacted")
    with pytest.raises(hw.DataError, match=r"executor=4 is not a concurrent\.futures\.Executor"):
        fit.confint(method=method, executor=4)
    with pytest.raises(hw.DataError, match=r"executor=4 is not"):
        hw.cross_validate({"a": "complete pooling"}, finland(), executor=4)


def test_a_fold_that_cannot_be_fitted_is_named_on_an_executor():
    data = finland().head(12).assign(x=range(12))
    models = {"steep": "contacted ~ x + x"}
    with ThreadPoolExecutor(1) as pool, pytest.raises(hw.HierwidgetsError) as here:
        hw.cross_validate(models, data, folds=2, seed=1, executor=pool, progress=False)
    with pytest.raises(type(here.value)) as there:
        hw.cross_validate(models, data, folds=2, seed=1, progress=False)
    assert str(here.value) == str(there.value)


@pytest.mark.slow
def test_a_worker_of_a_cluster_that_dies_is_replaced():
    """A process of a local cluster is killed in the midst of a run; the result is the same."""
    from distributed import Client, LocalCluster

    setup = hw.recovery.Setup(n="finland", mu=-1.37, sigma=0.31)
    here = hw.simulate_and_recover(setup, reps=200, seed=1, progress=False)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local,
        Client(local) as client,
    ):
        executor = client.get_executor()
        pids = list(client.run(os.getpid).values())
        steps = hw.recovery.run(setup, reps=200, seed=1, executor=executor)
        next(steps)
        os.kill(pids[0], signal.SIGKILL)
        *_, found = steps
    assert found.table.equals(here.table)


def test_the_package_is_imported_where_there_are_no_processes():
    """As in a browser, whose Python has no multiprocessing."""
    code = """
import sys
sys.modules["concurrent.futures.process"] = sys.modules["_multiprocessing"] = None
import hierwidgets as hw
print(len([getattr(hw, name) for name in hw.__all__]) > 20)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
