"""Surveys made up from a place of the hill, with more groups than there are, and how many fits of
them are singular.

The whole survey is taken several times, with groups of its own each time. Every survey has its
own random numbers, from the seed, the number of groups and its place in the row: whatever is
computed first, the same surveys come.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.progress import Count
from hierwidgets.errors import FitError
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.pooling import no_pooling
from hierwidgets.fit.spreads import with_spreads
from hierwidgets.spec.design import Design

from .hill import Hill

__all__ = [
    "Outcome",
    "Tally",
    "count_up",
    "larger",
    "made_up",
    "shares",
    "sizes",
    "tally",
    "truth_at",
]

TIMES = (1, 2, 4, 10)
MOST = 50  # groups, unless there are more to begin with
LEVEL = 0.9

Outcome = tuple[int, bool | None]  # groups, whether the fit is singular; None: it has none


@dataclass(frozen=True, slots=True)
class Tally:
    """Of the surveys of one size: how many were fitted, are singular, could not be fitted."""

    groups: int
    fitted: int
    singular: int
    failed: int


def sizes(levels: int) -> tuple[int, ...]:
    """Numbers of groups: one, two, four and ten times as many as there are, up to `MOST`.

    Examples
    --------
    >>> sizes(5), sizes(14), sizes(80)
    ((5, 10, 20, 50), (14, 28), (80,))
    """
    return tuple(levels * k for k in TIMES if k == 1 or levels * k <= MOST)


def truth_at(fit: Fit, of: Hill, height: float, sd: float, corr: float) -> Fit:
    """The fit with sds of heights and slopes and correlation held there, all else at its best."""
    return with_spreads(fit, of.group, height, sd, corr)


def larger(design: Design, times: int) -> Design:
    """The rows of a design several times, each time with levels of their own in every group."""
    if times == 1:
        return design
    n, copies = len(design.y), range(times)
    terms = tuple(
        replace(
            term,
            levels=np.array(
                [f"{level} ({i + 1})" for i in copies for level in term.levels], object
            ),
            codes=np.concatenate([term.codes + i * term.J for i in copies]),
            Z=np.tile(term.Z, (times, 1)),
        )
        for term in design.terms
    )
    return replace(
        design,
        data=pd.concat([design.data] * times, ignore_index=True),
        y=np.tile(design.y, times), trials=np.tile(design.trials, times),
        X=np.tile(design.X, (times, 1)), offset=np.tile(design.offset, times), terms=terms,
        rows=np.concatenate([design.rows + i * n for i in copies]),
        weights=np.tile(design.weights, times), constant=times * design.constant,
        saturated=times * design.saturated,
    )  # fmt: skip


def made_up(truth: Fit, levels: int, surveys: int, seed: int) -> Iterator[Outcome]:
    """Surveys in turn of every size, each simulated and fitted."""
    models = {
        levels * k: replace(truth, design=larger(truth.design, k))
        for k in TIMES
        if levels * k in sizes(levels)
    }
    for i in range(surveys):
        for groups, model in models.items():
            rng = np.random.default_rng([seed, groups, i])
            yield groups, _singular(model, model.simulate(1, rng)[0])


def _singular(model: Fit, y: Array) -> bool | None:
    """Whether the fit to a survey is singular; None where everybody of a kind answers alike."""
    from threadpoolctl import threadpool_limits

    try:
        with threadpool_limits(1, user_api="blas"):  # several wait for each other, spinning
            return model.refit(y).singular
    except FitError:
        return None


def count_up(
    fit: Fit, of: Hill, at: tuple[float, float, float], surveys: int, seed: int,
    found: list[Outcome], count: Count,
) -> list[Outcome]:  # fmt: skip
    """Put the outcomes of surveys made up at a place to those `found`, one by one."""
    count(0, surveys * len(sizes(of.levels)))
    for one in made_up(truth_at(fit, of, *at), of.levels, surveys, seed):
        found.append(one)
        count(1, 0)
    return found


def tally(outcomes: list[Outcome], levels: int) -> list[Tally]:
    """Outcomes counted by the number of groups.

    Examples
    --------
    >>> tally([(5, True), (10, False), (5, None)], 5)[0]
    Tally(groups=5, fitted=1, singular=1, failed=1)
    """
    counts = Counter(outcomes)
    return [
        Tally(k, counts[k, True] + counts[k, False], counts[k, True], counts[k, None])
        for k in sizes(levels)
    ]


def shares(tallies: list[Tally]) -> pd.DataFrame:
    """The share of singular fits with Wilson's 90 % interval: ``groups n estimate conf_low ...``.

    Only of sizes that have fits.

    Examples
    --------
    >>> shares([Tally(5, 4, 4, 0), Tally(10, 0, 0, 0)])[["groups", "estimate"]]
       groups  estimate
    0       5       1.0
    """
    rows = [one for one in tallies if one.fitted]
    each = pd.DataFrame(
        {
            "groups": np.repeat([t.groups for t in rows], [t.fitted for t in rows]).astype(int),
            "singular": [i < t.singular for t in rows for i in range(t.fitted)],
        }
    )
    if not rows:
        return each.rename(columns={"singular": "estimate"})
    found = no_pooling(each, "singular", "groups", level=LEVEL, method="wilson")
    return found.rename(columns={"level": "groups"})
