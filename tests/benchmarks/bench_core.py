"""Speed of the fitting core against its peers, and against its own targets.

    PYTHONPATH=tests python -m benchmarks.bench_core [--quick] [--rounds N]
        [--markdown FILE] [--picture FILE] [--json FILE] [--against OLD.json]

All contenders take turns within a round, so that a busy machine is busy for each of them;
medians over all rounds are compared. Ends with 1 when a target is missed. Peers that are
not installed are reported as "not here", and targets that need them are not judged.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import hierwidgets as hw

from . import fresh, growth, large, peers, tasks
from .cases import CASES
from .report import Report, machine

LEAST = {  # how many times faster than each peer, from formula and data frame to the fit
    ("finland", "lme4"): 10.0,
    ("uk0", "lme4"): 10.0,
    ("uk1", "lme4"): 10.0,
    ("several", "lme4"): 40.0,
    ("several", "glmmTMB"): 10.0,
}
REPEAT = {"finland": 5, "uk0": 5, "uk1": 5, "several": 1}
ABSENT = "not here"
R_PEERS = ("lme4", "glmmTMB")


@dataclass(slots=True)
class Times:
    """Seconds of one contender on one model, and -2 log L where it ended."""

    seconds: list[float] = field(default_factory=list)
    neg2loglik: float = float("nan")

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def show(self) -> str:
        """Median and, in brackets, minimum."""
        if not self.seconds:
            return ABSENT
        return f"{_duration(self.median)} ({_duration(min(self.seconds))})"


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print, and say whether every target is met."""
    chosen = _options(arguments)
    report = Report()
    report.text(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = {data: hw.load(data) for data in {case.data for case in CASES.values()}}
        for data, frame in frames.items():
            frame.to_csv(folder / f"{data}.csv", index=False)
        r, gpboost = peers.r_peer(folder), peers.gpboost_peer(folder)
        report.text(_versions(r, gpboost) + " " + _first_call())
        _from_formula(report, frames, r, chosen.rounds)
        _on_design(report, frames, gpboost, chosen.rounds)
        tasks.main(report, None if chosen.quick else r)
        large.main(report, folder, None if chosen.quick else r, chosen.quick)
        for peer in (r, gpboost):
            if peer is not None:
                peer.close()
    if not chosen.quick:
        growth.main(report, chosen.picture)
    met = report.close()
    if chosen.json is not None:
        report.save(chosen.json)
    if chosen.against is not None:
        report.against(chosen.against)
    if chosen.markdown is not None:
        report.write(chosen.markdown)
    return int(not met)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench_core", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="without slow peers and the sweep")
    parser.add_argument("--rounds", type=int, default=7, help="times each contender takes a turn")
    parser.add_argument("--markdown", type=Path, help="write the report here (README.md)")
    parser.add_argument("--picture", type=Path, help="write the picture of the sweep here")
    parser.add_argument("--json", type=Path, help="write the seconds of everything here")
    parser.add_argument("--against", type=Path, help="say what got slower since this --json FILE")
    return parser.parse_args(arguments)


def _versions(*here: peers.Peer | None) -> str:
    found = {k: v for peer in here if peer is not None for k, v in peer.versions.items()}
    names = ("R", "BLAS of R", *R_PEERS, "GPBoost")
    return "Peers: " + ", ".join(f"{name} {found.get(name) or ABSENT}" for name in names) + "."


def _first_call() -> str:
    first = fresh.measure("first")
    return (
        f"In a new process the import takes {_duration(first['import'])} and the first fit "
        f"(Finland) {_duration(first['fit'])}; everything below is warm."
    )


def _has(peer: peers.Peer | None, package: str) -> bool:
    return peer is not None and bool(peer.versions.get(package))


# --- the models of the lectures -----------------------------------------------------------


def _ours(call: Callable[[], hw.Fit], repeat: int, into: Times) -> None:
    for _ in range(repeat):
        start = time.perf_counter()
        fit = call()
        into.seconds.append(time.perf_counter() - start)
        into.neg2loglik = -2.0 * fit.loglik


def _theirs(peer: peers.Peer, into: Times, *request: object) -> None:
    answer = peer.ask(*request)
    into.seconds += answer["seconds"]
    into.neg2loglik = answer["neg2loglik"]


def _from_formula(report: Report, frames: dict, r: peers.Peer | None, rounds: int) -> None:
    """From formula and data frame to the fit, against lme4 and glmmTMB."""
    rows = [("model", "rows", "hierwidgets", *(h for p in R_PEERS for h in (p, "ratio")))]
    gaps = []
    for name, case in CASES.items():
        found = _race_r(case, frames[case.data], r, rounds, REPEAT[name])
        ours, cells = found["hierwidgets"], []
        for package in R_PEERS:
            theirs = found[package]
            ratio = theirs.median / ours.median if theirs.seconds else None
            cells += [theirs.show(), _times(ratio)]
            if least := LEAST.get((name, package)):
                reached = None if ratio is None else ratio >= least
                report.judge(reached, f"{case.title}: {least:g} times faster than {package}")
            if theirs.seconds:
                gaps.append(ours.neg2loglik - theirs.neg2loglik)
        report.took(case.title, ours.median)
        rows.append((case.title, f"{len(frames[case.data]):,}", ours.show(), *cells))
    report.table("From formula and data frame to the fit: median (minimum)", rows)
    if gaps:
        report.text(
            "Where the fits end: ours minus theirs in -2 log L is between "
            f"{min(gaps):.1e} and {max(gaps):.1e} (negative: ours is the better optimum)."
        )


def _race_r(case, frame, r: peers.Peer | None, rounds: int, repeat: int) -> dict[str, Times]:  # type: ignore[no-untyped-def]
    found = {name: Times() for name in ("hierwidgets", *R_PEERS)}
    here = [name for name in R_PEERS if _has(r, name)]
    case.fit(frame)
    for name in here:
        r.ask(name, case.data, 1, 0, case.formula)
    for _ in range(rounds):
        _ours(lambda: case.fit(frame), 2 * repeat, found["hierwidgets"])
        for name in here:
            _theirs(r, found[name], name, case.data, min(repeat, 2), 0, case.formula)
    return found


def _on_design(report: Report, frames: dict, gpboost: peers.Peer | None, rounds: int) -> None:
    """`Model.maximize()` against GPBoost's `fit`, each on a model made beforehand."""
    rows = [("model", "Model.maximize()", "GPBoost fit", "ratio", "our -2 log L", "minus theirs")]
    for name in ("finland", "uk0", "uk1"):
        case, predictors = CASES[name], ["district_competitiveness"] * (name == "uk1")
        model, ours, theirs = case.model(frames[case.data]), Times(), Times()
        model.maximize()
        if gpboost is not None:
            gpboost.ask(case.data, 2, *predictors)
        for _ in range(3 * rounds):
            _ours(model.maximize, 5, ours)
            if gpboost is not None:
                _theirs(gpboost, theirs, case.data, 5, *predictors)
        ratio = theirs.median / ours.median if theirs.seconds else None
        report.took(f"{case.title}: maximize()", ours.median)
        reached = None if ratio is None else ratio > 1.0
        report.judge(reached, f"{case.title}: maximize() faster than GPBoost's fit")
        gap = f"{ours.neg2loglik - theirs.neg2loglik:.1e}" if theirs.seconds else ABSENT
        cells = (ours.show(), theirs.show(), _times(ratio), f"{ours.neg2loglik:.6f}", gap)
        rows.append((case.title, *cells))
    report.table("On a design that is built: median (minimum)", rows)


def _duration(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.1f}x"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
