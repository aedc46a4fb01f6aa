"""Repetitions in this process or on an executor, in an order that does not matter.

Each repetition has a stream of random numbers of its own, spawned from the seed by design and
number (numpy's SeedSequence), so that its result depends on nothing else.
"""

import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hierwidgets.base.checks import check_level, check_whole
from hierwidgets.base.executors import (
    LostError,
    RootSeed,
    carried_out,
    check_executor,
    chunk_size,
    progress_bar,
    root_seed,
    spawned,
    work,
)
from hierwidgets.errors import FitWarning, FormulaError
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective

from .repeat import Plan, Record, prepare, repeat
from .result import Recovery
from .setup import Setup, as_setups

__all__ = ["run", "simulate_and_recover"]

Designs = Setup | Mapping[str, Any] | Sequence[Setup | Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Task:
    """`count` repetitions of one design from `first` on; `root` spawns a stream for each."""

    name: str
    plan: Plan
    root: np.random.SeedSequence
    first: int
    count: int
    keep: int


Done = tuple[Task, list[Record]]


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked for, cut into tasks; `nothing` is its result before any is done."""

    nothing: Recovery
    tasks: tuple[Task, ...]

    @property
    def total(self) -> int:
        """Repetitions asked for, of all designs."""
        return self.nothing.reps * len(self.nothing.setups)

    def result(self, done: Sequence[Done]) -> Recovery:
        """What the tasks that are done amount to."""
        records: dict[str, dict[int, Record]] = {name: {} for name in self.nothing.setups}
        for task, found in done:
            records[task.name].update(enumerate(found, start=task.first))
        return replace(self.nothing, records=records)


def simulate_and_recover(
    designs: Designs,
    *,
    reps: int = 100,
    seed: RootSeed,
    n_agq: int = 1,
    level: float = 0.9,
    keep: int = 1,
    executor: Executor | None = None,
    chunk: int | None = None,
    progress: bool = True,
) -> Recovery:
    r"""How well no, partial and complete pooling recover a known truth.

    Each repetition draws new group effects and new data from a `Setup`, estimates every group in
    three ways, and compares with the truth: the probability :math:`\pi_j` of a binomial design,
    the intercept :math:`\alpha_j` of a Gaussian one.

    .. math::
        \mathrm{RMSE} = \sqrt{\frac{1}{RJ} \sum_{r=1}^{R} \sum_{j=1}^{J}
            (\hat\pi_{rj} - \pi_{rj})^2}, \qquad
        \mathrm{coverage} = \frac{1}{RJ} \sum_{r,j}
            1\{\mathrm{low}_{rj} \le \pi_{rj} \le \mathrm{high}_{rj}\}

    with Monte Carlo errors from the variation between repetitions (Morris, White & Crowther
    2019, Stat. Med. 38(11)).

    - No pooling: :math:`y_j / n_j` with the Wald interval; in a Gaussian design least squares
      with an intercept for each group, one slope and one residual sd.
    - Partial pooling: the conditional mode of a hierarchical model, by maximum likelihood
      (Gaussian: REML), with the empirical Bayes interval
      :math:`\mathrm{logit}^{-1}(\tilde\eta_j \pm z\,\mathrm{sd}_j)`: :math:`\mathrm{sd}_j` is
      the conditional sd and takes the estimated parameters for the true ones.
    - Complete pooling: the same model without group effects. With a predictor its estimates
      differ between groups in a binomial design.

    Parameters
    ----------
    designs
        A `hw.recovery.Setup`, a dict of its arguments, a list of either, or a dict that gives
        each a name.
    reps
        Repetitions of each design.
    seed
        A whole number, a sequence of them, or a numpy SeedSequence. Repetition r of the i-th
        design has its own stream: the result depends neither on the executor nor on `chunk`, and
        more repetitions begin with the same ones.
    n_agq
        Quadrature points per group for the binomial designs; 1 is the Laplace approximation,
        whose sigma is too small in tiny groups.
    level
        Of the intervals.
    keep
        The first so many repetitions of each design are kept group by group, for `draws`.
    executor
        Any `concurrent.futures.Executor`: of processes, threads, or of a Dask cluster
        (``client.get_executor()``). None computes here. It is not shut down.
    chunk
        Repetitions in a task. None: 1 here, and 5 to 50 on an executor.
    progress
        Whether to show a progress bar.

    Returns
    -------
    Recovery
        ``table``, ``parameters``, ``by_size``, ``estimates``, ``draws``, ``reps_done``,
        ``failures``. Interrupting the run (Ctrl-C, or the stop button of a notebook) cancels
        what is pending and returns what is done; ``stopped`` says so. The same holds for an
        executor that breaks midway. Repetitions that cannot be fitted are left out and counted
        in a warning.

    Raises
    ------
    DataError
        An argument is not what it should be.
    FitError
        `n_agq` is out of range; the executor failed before anything was done.
    FormulaError
        `n_agq` above 1 where every design is Gaussian.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> finland = hw.recovery.Setup(n="finland", mu=-1.37, sigma=0.31)
    >>> result = hw.simulate_and_recover(finland, reps=20, seed=1, progress=False)
    >>> table = result.table.set_index(["estimator", "measure"])["estimate"]
    >>> bool(table["partial_pooling", "rmse"] < table["no_pooling", "rmse"])
    True
    >>> result.reps_done.to_dict()
    {'finland sizes, 14 groups, mu=-1.37, sigma=0.31': 20}
    """
    job = _job(designs, reps, seed, n_agq, level, keep, executor, chunk)
    with progress_bar("simulate and recover", job.total, progress) as show:
        done, why = carried_out(perform, job.tasks, executor, show)
    result = job.result(done)
    if why:
        result = _stopped(result, why)
    for text in _remarks(result):
        warnings.warn(FitWarning(text), stacklevel=2)
    return result


def run(
    designs: Designs,
    *,
    reps: int = 100,
    seed: RootSeed,
    n_agq: int = 1,
    level: float = 0.9,
    keep: int = 1,
    executor: Executor | None = None,
    chunk: int | None = None,
) -> Generator[Recovery, None, None]:
    """The same as `simulate_and_recover`, step by step: an iterator over the results so far.

    Without an executor a step is `chunk` repetitions. With one, a step comes when tasks are
    done, and at least five times a second, so that whoever iterates can look for a stop
    button. Closing the iterator cancels what is pending. Arguments are checked at once.

    Yields
    ------
    Recovery
        Complete in itself: it does not change when more is done. The last one has everything,
        or says in ``stopped`` why not.

    Examples
    --------
    >>> from hierwidgets.recovery import Setup, run
    >>> steps = run(Setup(n=20, J=8), reps=6, seed=1, chunk=2)
    >>> [int(result.reps_done.sum()) for result in steps]
    [2, 4, 6]
    """
    job = _job(designs, reps, seed, n_agq, level, keep, executor, chunk)
    return _steps(job, executor)


def _steps(job: Job, executor: Executor | None) -> Generator[Recovery, None, None]:
    done: list[Done] = []
    try:
        with closing(work(perform, job.tasks, executor)) as steps:
            for more in steps:
                done += more
                yield job.result(done)
    except LostError as error:
        yield _stopped(job.result(done), error.reason(bool(done)))


def perform(task: Task) -> list[Record]:
    """A task, wherever it is carried out."""
    return repeat(task.plan, spawned(task.root, task.first, task.count), task.keep)


# --- what is to be said -------------------------------------------------------------------


def _stopped(result: Recovery, why: str) -> Recovery:
    done, total = int(result.reps_done.sum()), result.reps * len(result.setups)
    return replace(result, stopped=f"{why}: {done} of {total} repetitions are done, and kept")


def _remarks(result: Recovery) -> Iterator[str]:
    if result.stopped:
        yield result.stopped
    failures, done = result.failures, int(result.reps_done.sum())
    if len(failures):
        yield (
            f"{len(failures)} of {done} repetitions could not be fitted and are left out; the "
            f"first: {failures['message'][0]}"
        )
    if unsettled := int(result.unsettled.sum()):
        yield f"{unsettled} of {done} fits did not converge; they are kept"


# --- the plan -----------------------------------------------------------------------------


def _job(
    designs: Designs,
    reps: int,
    seed: RootSeed,
    n_agq: int,
    level: float,
    keep: int,
    executor: Executor | None,
    chunk: int | None,
) -> Job:
    setups = as_setups(designs)
    reps, keep = check_whole(reps, "reps", 1), check_whole(keep, "keep", 0)
    check_level(level)
    check_executor(executor)
    _check_nodes(setups, n_agq)
    chunk = chunk_size(chunk, reps * len(setups), executor)
    tasks: list[list[Task]] = []
    root = root_seed(seed)
    for (name, setup), own in zip(setups.items(), root.spawn(len(setups)), strict=True):
        x, streams = own.spawn(2)
        drawn = (0,) if setup.beta is None else tuple(x.generate_state(4).tolist())
        plan = Plan(setup, n_agq, float(level), drawn)
        tasks.append(_cut(name, plan, streams, reps, chunk, keep))
    # the designs take turns, so that a run cut short has as much of each
    turns = tuple(task for turn in zip(*tasks, strict=True) for task in turn)
    nothing = Recovery(setups, reps, float(level), n_agq, "", {name: {} for name in setups})
    return Job(nothing, turns)


def _cut(
    name: str, plan: Plan, root: np.random.SeedSequence, reps: int, chunk: int, keep: int
) -> list[Task]:
    return [
        Task(name, plan, root, first, min(chunk, reps - first), max(keep - first, 0))
        for first in range(0, reps, chunk)
    ]


def _check_nodes(setups: Mapping[str, Setup], n_agq: int) -> None:
    binary = [setup for setup in setups.values() if setup.family == "binomial"]
    if binary:
        made = prepare(binary[0], (0,))
        objective(layout(made.design), made.family, n_agq)
    elif n_agq != 1:
        raise FormulaError(
            f"n_agq={n_agq!r}: a Gaussian model is integrated exactly; leave n_agq at 1"
        )
