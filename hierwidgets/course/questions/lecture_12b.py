"""Lecture 12b, calibration and shapes: a rank, the intervals that keep their word, long tails."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.course.studies.grid import calibrate_on_grid
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]


# --- a rank -------------------------------------------------------------------------------


def _rank(draws: Any, truth: float) -> int:
    return int(np.sum(np.asarray(draws) < truth))


RANK = Exercise(
    name="12b-rank",
    expected=lambda: _rank,
    atol=1e-6,
    inputs=(
        (np.array([0.3, -1.2, 2.5, 0.8, 0.1]), 0.5),
        (np.array([4.0, 1.0, 3.0, 2.0]), 9.0),
        (np.array([0.2, 0.9, 0.4]), -1.0),
    ),
    hints=(
        "Compare every draw with the truth, and count.",
        "`draws < truth` is an array of true and false; true counts as 1.",
        "`np.sum(draws < truth)`.",
    ),
    right="From 0, all draws above, to the number of draws, all below: each equally likely.",
    mistakes=(
        Mistake(
            lambda: lambda draws, truth: np.mean(np.asarray(draws) < truth),
            "This is a share. The rank is a count.",
        ),
        Mistake(
            lambda: lambda draws, truth: np.sum(np.asarray(draws) > truth),
            "You counted the draws above the truth. Count those below.",
        ),
        Mistake(
            lambda: lambda draws, truth: _rank(draws, truth) + 1,
            "One too many: the lowest rank is 0, with no draw below the truth.",
        ),
        Mistake(
            lambda: lambda draws, truth: np.sum(np.asarray(draws)[np.asarray(draws) < truth]),
            "These draws are added up. Count them.",
        ),
        Mistake(
            lambda: lambda draws, truth: np.searchsorted(draws, truth),
            "`searchsorted` needs its values in order. Sort the draws first, or count.",
        ),
    ),
)


# --- intervals that keep their word -------------------------------------------------------


@cache
def _shares() -> pd.DataFrame:
    sizes = load("finland").groupby("district_id").size().to_list()
    return calibrate_on_grid(sizes, reps=300, seed=1)


def _kept(low: float = 0.1, high: float = 0.9, name: str = "mu alone") -> float:
    share = _shares()[name]
    return float(((share > low) & (share < high)).mean())


KEPT = Exercise(
    name="12b-kept",
    expected=_kept,
    atol=2e-3,
    proportion=True,
    hints=(
        "An 80 % interval leaves out a tenth of the posterior at either end.",
        "The truth is inside if the share of the posterior below it lies between 0.1 and 0.9.",
        "`np.mean((shares['mu alone'] > 0.1) & (shares['mu alone'] < 0.9))`.",
    ),
    right="Promised were 80 in a hundred. An interval that forgets groups does not keep its word.",
    mistakes=(
        Mistake(
            lambda: _kept(name="mu"), "This is the right model. Asked for is `mu alone`, the wrong."
        ),
        Mistake(lambda: _kept(name="sigma"), "This is σ. Asked for is `mu alone`."),
        Mistake(
            lambda: _kept(0.05, 0.95), "These are 90 % intervals. 80 % leave a tenth at either end."
        ),
        Mistake(
            lambda: _kept(0.2, 0.8), "These are 60 % intervals: a tenth belongs at either end."
        ),
        Mistake(lambda: _kept(0.0, 0.8), "An interval has two ends: leave a tenth out at either."),
        Mistake(lambda: 1 - _kept(), "This is the share that was missed."),
        Mistake(lambda: _kept() * len(_shares()), "This is the number of surveys. Give the share."),
    ),
)


# --- long tails ---------------------------------------------------------------------------


def _tails(df: float = 4, scales: float = 3.0) -> float:
    from scipy.stats import norm, t

    return float(t.sf(scales, df) / norm.sf(scales))


def _heights() -> float:
    from scipy.stats import norm, t

    return float(t.pdf(3, 4) / norm.pdf(3))


TAILS = Exercise(
    name="12b-tails",
    expected=_tails,
    atol=0.3,
    hints=(
        "Beyond a place, not at it: areas of tails, not heights of densities.",
        "`t.sf(3, 4)` is the area above 3 with 4 degrees; `norm.sf(3)` that of the normal.",
        "`t.sf(3, 4) / norm.sf(3)`: both tails of each, and the twos cancel.",
    ),
    right="What is a wonder under one shape is a surprise under the other, so it is pulled less.",
    mistakes=(
        Mistake(_heights, "These are the heights at 3. Take the areas beyond, `sf`."),
        Mistake(
            lambda: 1 / _tails(),
            "Less than once: upside down, or not divided. The area under the t comes first, over "
            "that under the normal.",
        ),
        Mistake(lambda: _tails(2), "This is with 2 degrees of freedom. Asked for are 4."),
        Mistake(lambda: _tails(4, 2.0), "This is beyond two scales. Asked for is beyond three."),
        Mistake(lambda: 2 * _tails(), "Two tails over one. Take both of each, or one of each."),
    ),
)

EXERCISES = (RANK, KEPT, TAILS)
