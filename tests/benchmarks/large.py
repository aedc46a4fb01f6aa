"""Large simulated data against lme4: one run of each, and where the two end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import hierwidgets as hw

from . import cases, fresh, peers
from .report import Report

MILLION_SECONDS, MILLION_GIB = 5.0, 2.0
ABOVE = {"gaussian": 1e-6, "binomial": 1e-3}  # of lme4's -2 log L, whose Laplace modes are rough


@dataclass(frozen=True, slots=True)
class Large:
    """A model of simulated data, and how many times faster than lme4 its fit has to be."""

    title: str
    name: str
    formula: str
    family: str
    least: float
    data: Callable[[], pd.DataFrame]

    def fit(self, frame: pd.DataFrame) -> hw.Fit:
        if self.family == "gaussian":
            return hw.lmer(self.formula, frame)
        return hw.glmer(self.formula, frame, self.family)


def _terms(count: int, family: str, least: float) -> Large:
    formula = "y ~ x + " + " + ".join(f"(1 | g{i})" for i in range(count))
    kind = "Gaussian" if family == "gaussian" else "Bernoulli"
    crossed = "one term" if count == 1 else f"{count} crossed terms"
    return Large(
        f"{kind}, {crossed} of 100 levels", f"terms_{family}_{count}", formula, family, least,
        lambda: cases.many_terms(20_000, 100, count, family, seed=7),
    )  # fmt: skip


LEVELS = " x ".join(f"{n:,}" for n in cases.CROSSED_LEVELS.values())
MODELS = (
    *(_terms(count, "binomial", 10.0) for count in (1, 2, 3, 5)),
    *(_terms(count, "gaussian", 5.0) for count in (3, 5)),
    Large("Gaussian, three slopes, 1,000 groups", "slopes", cases.SLOPES, "gaussian", 20.0,
          cases.slopes),
    Large(f"Gaussian, three crossed terms ({LEVELS})", "crossed", cases.CROSSED, "gaussian", 20.0,
          lambda: cases.crossed(7)),
    Large("Gaussian, ratings (6,040 x 3,706, Zipf)", "ratings", cases.RATINGS, "gaussian", 2.0,
          cases.ratings),
)  # fmt: skip


def main(report: Report, folder: Path, r: peers.Peer | None, quick: bool) -> None:
    """Time each model, ours then lme4's, and a million rows in time and memory."""
    here = r is not None and bool(r.versions.get("lme4"))
    rows = [("model", "rows", "hierwidgets", "lme4", "ratio", "target", "ours minus theirs")]
    for model in MODELS[-2:-1] if quick else MODELS:
        frame = model.data()
        seconds, neg2loglik = _ours(model, frame)
        report.took(model.title, seconds)
        cells = ["not here", "", f"{model.least:g}x", ""]
        if here:
            assert r is not None
            frame.to_csv(folder / f"{model.name}.csv", index=False)
            gaussian = int(model.family == "gaussian")
            answer = r.ask("lme4", model.name, 1, gaussian, model.formula)
            ratio, gap = answer["seconds"][0] / seconds, neg2loglik - answer["neg2loglik"]
            cells = [f"{answer['seconds'][0]:.3g} s", f"{ratio:.1f}x", cells[2], f"{gap:.1e}"]
            report.judge(ratio >= model.least, f"{model.title}: {model.least:g} times lme4's speed")
            most = ABOVE[model.family]
            report.judge(gap <= most, f"{model.title}: -2 log L at most {most:g} above lme4's")
        else:
            report.judge(None, f"{model.title}: {model.least:g} times lme4's speed")
        rows.append((model.title, f"{len(frame):,}", f"{seconds:.3g} s", *cells))
    report.table("Large simulated data against lme4", rows)
    _million(report)


def _ours(model: Large, frame: pd.DataFrame) -> tuple[float, float]:
    """The least seconds of three where that is quick, and -2 log L."""
    times: list[float] = []
    while len(times) < 3 and sum(times) < 2.0:
        start = time.perf_counter()
        fit = model.fit(frame)
        times.append(time.perf_counter() - start)
    return min(times), -2.0 * fit.loglik


def _million(report: Report) -> None:
    million = fresh.measure("million")
    report.took("a million rows", million["seconds"])
    report.judge(million["seconds"] < MILLION_SECONDS, f"a million rows: {MILLION_SECONDS:g} s")
    report.judge(million["gib"] < MILLION_GIB, f"a million rows: {MILLION_GIB:g} GiB")
    report.text(
        "A million Bernoulli rows, 50,000 groups, five predictor patterns: "
        f"{million['seconds']:.3g} s, {million['gib']:.2f} GiB at the most."
    )
