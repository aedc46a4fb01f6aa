"""Simulation-based calibration: is a posterior right, on average over the prior?"""

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.checks import check_level, check_whole
from hierwidgets.base.executors import (
    RootSeed,
    carried_out,
    check_executor,
    chunk_size,
    progress_bar,
    root_seed,
    spawned,
)
from hierwidgets.errors import DataError, FitError, FitWarning
from hierwidgets.model import Model
from hierwidgets.sampling import sampler
from hierwidgets.sampling.priors import Priors, settled
from hierwidgets.sampling.settings import settings
from hierwidgets.spec.parameters import parameters

from .rank_result import Calibration
from .ranks import LOGLIK, RankPlan, RankRecord, ranked

__all__ = ["calibrate"]

_DEFAULT_PRIORS = Priors()


@dataclass(frozen=True, slots=True)
class RankTask:
    """Repetitions `first`, `first + 1`, ... of a plan."""

    plan: RankPlan
    root: np.random.SeedSequence
    first: int
    count: int


def calibrate(
    model: Model,
    repetitions: int = 200,
    *,
    seed: RootSeed,
    priors: Priors = _DEFAULT_PRIORS,
    kept: int = 99,
    level: float = 0.95,
    sampling: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
    progress: bool = True,
) -> Calibration:
    r"""Whether a posterior holds what it promises, by simulation from its own prior.

    Each repetition draws parameters and group effects from the prior, then responses from these,
    samples the posterior, and counts how many of its draws lie below the truth:

    .. math::
        \theta \sim p(\theta), \quad y \sim p(y \mid \theta), \quad
        \theta_1, \dots, \theta_L \sim p(\theta \mid y), \quad
        r = \#\{l : \theta_l < \theta\}

    If the draws are from the posterior, r is 0, 1, ... or L, each equally likely (Talts,
    Betancourt, Simpson, Vehtari & Gelman 2018, arXiv:1804.06788). Besides every parameter, the
    log-likelihood is ranked, which tells a posterior from one that forgets part of the data
    (Modrák et al. 2023, Bayesian Anal., doi:10.1214/23-BA1404).

    Parameters
    ----------
    model
        Its rows, predictors and groups are taken; its response is replaced.
    repetitions
        Data sets.
    seed
        A whole number, a sequence of them, or a numpy SeedSequence. Each repetition has a stream
        of its own: the result depends neither on the executor nor on `chunk`, and more
        repetitions begin with the same ones.
    priors
        Proper ones, the same for all data sets: defaults that look at the response are those of
        the response there is. brms's default for coefficients is flat: give them another.
    kept
        Draws among which a truth is ranked, evenly spaced among all.
    level
        Of the band around even ranks, for all parameters together.
    sampling
        Arguments of `Model.sample`; unless told, ``method="auto"`` and 4 chains of 250 draws
        after 500 of tuning.
    executor
        Any `concurrent.futures.Executor`: of processes, threads, or of a Dask cluster
        (``client.get_executor()``). None computes here. It is not shut down.
    chunk
        Repetitions in a task. None: 1 here, and 5 to 50 on an executor.
    progress
        Whether to show a progress bar.

    Returns
    -------
    Calibration
        ``ranks``, ``truths``, ``summary()``, ``path()`` with its band, ``check()`` in words.
        Interrupting the run cancels what is pending and returns what is done; ``stopped`` says
        so. The same holds for an executor that breaks midway. Repetitions that cannot be sampled
        are left out, and `check` counts them.

    Raises
    ------
    DataError
        A prior is flat; an argument is not what it should be.
    FitError
        No repetition could be sampled; the executor failed before anything was done.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> data = pd.DataFrame({"y": 0.0, "g": np.arange(40) % 8})
    >>> model = hw.Model("y ~ 1 + (1 | g)", data)
    >>> priors = hw.Priors(intercept="normal(0, 1)", sd="normal(0, 1)", sigma="normal(0, 1)")
    >>> found = hw.calibrate(model, 10, seed=1, priors=priors, progress=False)
    >>> found.check().ok
    True
    >>> list(found.ranks)
    ['Intercept', 'sd Intercept | g', 'sigma', 'log-likelihood']
    """
    repetitions = check_whole(repetitions, "repetitions", 1)
    check_level(level)
    check_executor(executor)
    plan = _plan(model, priors, kept, sampling, executor)
    chunk = chunk_size(chunk, repetitions, executor)
    root = root_seed(seed)
    tasks = [
        RankTask(plan, root, first, min(chunk, repetitions - first))
        for first in range(0, repetitions, chunk)
    ]
    with progress_bar("calibrate", repetitions, progress) as show:
        done, why = carried_out(perform, tasks, executor, show)
    records = {task.first + i: one for task, found in done for i, one in enumerate(found)}
    if why:
        why = f"{why}: {len(records)} of {repetitions} repetitions are done, and kept"
        warnings.warn(FitWarning(why), stacklevel=2)
    return _result(model, plan, repetitions, float(level), records, why)


def perform(task: RankTask) -> list[RankRecord]:
    """A task, wherever it is carried out."""
    return ranked(task.plan, spawned(task.root, task.first, task.count))


def _plan(
    model: Model,
    priors: Priors,
    kept: int,
    sampling: Mapping[str, Any] | None,
    executor: Executor | None,
) -> RankPlan:
    if not isinstance(model, Model):
        raise DataError(f"model must be a hw.Model; a {type(model).__name__} was given")
    if not isinstance(priors, Priors):
        raise DataError(f"priors must be a hw.Priors; a {type(priors).__name__} was given")
    design, family = model.design, model.family
    if family.name != "gaussian" and not (design.weights == 1).all():
        raise DataError(
            "the model has prior weights, with which no responses can be drawn; give a row for "
            "each observation, or trials as in 'p(successes, trials) ~ ...'"
        )
    cores = None if executor is None else 1
    own = settings(sampling, "seed and priors are those of calibrate", draws=250, cores=cores)
    kept = check_whole(kept, "kept", 1, own["chains"] * own["draws"], "draws, of those made,")
    fixed = settled(priors, design, family)
    sampler.sample_prior(design, family, fixed, 4, 0)
    return RankPlan(design, family, fixed, kept, own)


def _result(
    model: Model, plan: RankPlan, repetitions: int, level: float,
    records: Mapping[int, RankRecord], why: str,
) -> Calibration:  # fmt: skip
    good = {number: one for number, one in sorted(records.items()) if not one.failure}
    failures = {number: one.failure for number, one in sorted(records.items()) if one.failure}
    if not good:
        raise FitError(
            f"none of {len(records)} repetitions could be sampled; the first: "
            f"{next(iter(failures.values()))}"
        )
    names = [*(p.name for p in parameters(plan.design, plan.family)), LOGLIK]
    numbers = pd.Index(good, name="repetition")

    def table(rows: Sequence[Any]) -> pd.DataFrame:
        return pd.DataFrame(np.array(rows), index=numbers, columns=names)

    return Calibration(
        model.formula,
        repetitions,
        plan.kept,
        level,
        table([one.rank for one in good.values()]),
        table([one.truth for one in good.values()]),
        pd.DataFrame(
            [(one.method, one.effective) for one in good.values()],
            index=numbers,
            columns=["method", "effective"],
        ),
        pd.Series(failures, name="failure", dtype=object),
        why,
    )
