"""How time grows with rows, groups and terms: a table and a picture."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import hierwidgets as hw

from . import cases, fresh
from .report import Report

ONE_TERM = "y ~ x + (1 | g)"
ROWS = (1_000, 10_000, 100_000, 1_000_000)
GROUPS = (10, 100, 1_000, 10_000, 100_000)
TERMS = (1, 2, 3, 4, 5)
LEVELS = (100, 1_000, 5_000, 10_000, 20_000)
LEVELS_GIB, MOST_BERNOULLI = 24.0, 5_000
KINDS = {  # Okabe and Ito's colours, told apart by marker and label too
    "Bernoulli, all predictor values distinct": ("#D55E00", "o", "binomial", None),
    "Gaussian": ("#0072B2", "s", "gaussian", None),
    "Bernoulli, five predictor patterns": ("#009E73", "^", "binomial", 5),
}
TITLES = {
    "rows": ("200 groups", "rows"),
    "groups": ("200,000 rows", "groups"),
    "terms": ("20,000 rows, 100 levels", "crossed terms"),
    "levels": ("200,000 ratings by 25,000 people, Zipf", "levels of the second factor"),
}


@dataclass(frozen=True, slots=True)
class Curve:
    """Seconds at each size, for one kind of data in one panel."""

    panel: str
    kind: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]


def main(report: Report, picture: Path | None) -> None:
    """Measure the sweep, print it, and draw it where a path is given."""
    curves = [
        *_sweep("rows", ROWS),
        *_sweep("groups", GROUPS),
        *_sweep("terms", TERMS),
        *_sweep("levels", LEVELS),
    ]
    for panel, (fixed, label) in TITLES.items():
        drawn = [curve for curve in curves if curve.panel == panel]
        head = (
            f"{label} ({fixed})",
            *(f"{size:,}" for size in max((c.sizes for c in drawn), key=len)),
        )
        rows = [
            (c.kind, *(f"{s:.3g} s" for s in c.seconds), *[""] * (len(head) - 1 - len(c.seconds)))
            for c in drawn
        ]
        report.table(f"How time grows with {label}", [head, *rows])
        for c in drawn:
            for size, seconds in zip(c.sizes, c.seconds, strict=True):
                report.took(f"{c.kind}, {size:,} {label}", seconds)
    gib = fresh.peak_bytes() / 2**30
    report.text(f"Peak memory of all that, 20,000 levels included: {gib:.2f} GiB.")
    report.judge(gib < LEVELS_GIB, f"20,000 levels of the second factor: within {LEVELS_GIB:g} GiB")
    if picture is not None:
        draw(curves, picture)


def _sweep(panel: str, sizes: tuple[int, ...]) -> list[Curve]:
    """Bernoulli models have fewer levels at the most: each value takes several factors."""
    few = tuple(size for size in sizes if panel != "levels" or size <= MOST_BERNOULLI)
    own = {kind: sizes if KINDS[kind][2] == "gaussian" else few for kind in KINDS}
    return [
        Curve(panel, kind, own[kind], tuple(_seconds(panel, size, kind) for size in own[kind]))
        for kind in KINDS
        if panel not in ("terms", "levels") or KINDS[kind][3] is None
    ]


def _seconds(panel: str, size: int, kind: str) -> float:
    """The least seconds from formula and data frame to the fit, of five where that is quick.

    The least, not the median: what grows with the data is not what other programs take.
    """
    _, _, family, patterns = KINDS[kind]
    if panel == "terms":
        formula = "y ~ x + " + " + ".join(f"(1 | g{i})" for i in range(size))
        frame = cases.many_terms(20_000, 100, size, family)
    elif panel == "levels":
        formula, frame = cases.RATINGS, cases.ratings(200_000, 25_000, size, family)
    else:
        formula = ONE_TERM
        rows, groups = (size, 200) if panel == "rows" else (200_000, size)
        frame = cases.grouped(rows, groups, family, patterns)
    fit: Callable[[str, pd.DataFrame], hw.Fit] = hw.lmer if family == "gaussian" else hw.glmer
    times: list[float] = []
    while len(times) < 5 and sum(times) < 2.0:
        start = time.perf_counter()
        fit(formula, frame)
        times.append(time.perf_counter() - start)
    return min(times)


def draw(curves: list[Curve], path: Path) -> None:
    """Four panels on one scale of seconds; the lines are named in the middle one."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(1, 4, figsize=(13.5, 4.2), sharey=True, layout="constrained")
    for axis, (panel, (fixed, label)) in zip(axes, TITLES.items(), strict=True):
        drawn = [curve for curve in curves if curve.panel == panel]
        for curve in drawn:
            color, marker, _, _ = KINDS[curve.kind]
            axis.plot(curve.sizes, curve.seconds, color=color, marker=marker, linewidth=2)
        if panel == "groups":
            _name(axis, drawn)
        axis.set(yscale="log", xlabel=label)
        axis.set_title(f"more {label}\n({fixed})", loc="left", fontsize=10)
        axis.grid(axis="y", color="0.88")
        axis.set_axisbelow(True)
        if panel == "terms":
            axis.set_xticks(TERMS)
        else:
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    axes[0].set_ylabel("from formula and data frame to the fit")
    axes[0].yaxis.set_major_formatter(lambda s, _: f"{s:g} s" if s >= 1 else f"{1e3 * s:g} ms")
    _guide(axes[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _name(axis: Any, drawn: list[Curve]) -> None:
    """The kind of data of each line, at its flat beginning: below the lowest, above the others."""
    lowest = min(drawn, key=lambda curve: curve.seconds[0])
    for curve in drawn:
        below = curve is lowest
        at = (curve.sizes[0], min(curve.seconds[:4]) if below else max(curve.seconds[:4]))
        axis.annotate(
            curve.kind,
            at,
            (-4, -9 if below else 8),
            textcoords="offset points",
            va="top" if below else "bottom",
            color=KINDS[curve.kind][0],
        )


def _guide(axis: Any) -> None:
    """A dotted line of slope 1 above the others: ten times the rows, ten times the time."""
    per_row = [np.divide(line.get_ydata(), line.get_xdata())[1:].max() for line in axis.lines]
    high = 2.5 * max(per_row)
    ends = np.array([ROWS[0], ROWS[-2]], dtype=np.float64)
    axis.plot(ends, high * ends, color="0.35", linestyle=":", linewidth=1.2)
    axis.annotate(
        "ten times the rows,\nten times the time",
        (ends[0], high * ends[-1]),
        color="0.3",
        fontsize=8.5,
        ha="left",
        va="bottom",
    )
