"""What is done with a fit, against lme4: intervals, predictions, simulations, cross-validation."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

import hierwidgets as hw

from . import peers
from .cases import CASES
from .report import Report

CASE = "uk1"


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a given size, and how many times faster than lme4 it has to be."""

    title: str
    request: str
    size: int
    least: float
    ours: Callable[[hw.Fit, pd.DataFrame, int], object]


def _cross_validate(_: hw.Fit, frame: pd.DataFrame, folds: int) -> object:
    given = {"one predictor": CASES[CASE].formula}
    return hw.cross_validate(given, frame, folds=folds, seed=1, event="Contacted", progress=False)


TASKS = (
    Task("profile intervals, all parameters", "profile", 0, 10.0,
         lambda fit, _, n: fit.confint(method="profile", progress=False)),
    Task("bootstrap intervals, 100 samples", "bootstrap", 100, 10.0,
         lambda fit, _, n: fit.confint(
             method="bootstrap", draws=n, seed=1, progress=False)),
    Task("predictions with intervals (lme4: bootMer, 100 samples)", "predict", 100, 100.0,
         lambda fit, frame, n: fit.predict(frame, interval=0.9)),
    Task("1,000 simulations", "simulate", 1000, 1.0, lambda fit, _, n: fit.simulate(n, seed=1)),
    Task("cross-validation, ten folds (lme4: a loop)", "cross_validate", 10, 5.0, _cross_validate),
)  # fmt: skip


def main(report: Report, r: peers.Peer | None, rounds: int = 3) -> None:
    """Time each task on one fit, the two taking turns."""
    case = CASES[CASE]
    frame = hw.load(case.data)
    fit = case.fit(frame)
    here = r is not None and bool(r.versions.get("lme4"))
    rows = [("task", "hierwidgets", "lme4", "ratio", "target")]
    for task in TASKS:
        task.ours(fit, frame, task.size)  # what is loaded on first use is not timed
        ours, theirs = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            task.ours(fit, frame, task.size)
            ours.append(time.perf_counter() - start)
            if here:
                assert r is not None
                request = f"{task.request}:{task.size}"
                theirs += r.ask(request, case.data, 1, 0, case.formula)["seconds"]
        seconds = statistics.median(ours)
        report.took(task.title, seconds)
        ratio = statistics.median(theirs) / seconds if theirs else None
        reached = None if ratio is None else ratio >= task.least
        report.judge(reached, f"{task.title}: {task.least:g} times faster than lme4")
        rows.append(
            (
                task.title, f"{seconds:.3g} s",
                f"{statistics.median(theirs):.3g} s" if theirs else "not here",
                "" if ratio is None else f"{ratio:.1f}x", f"{task.least:g}x",
            )
        )  # fmt: skip
    report.table(f"On a fit ({case.title}): median of {rounds}", rows)
