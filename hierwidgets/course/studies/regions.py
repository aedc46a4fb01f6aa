"""Surveys of many regions, made up, where slopes can be learnt; and how many regions that takes.

Every region has a line of its own on the scale of log-odds:

    logit Pr(y_i = 1) = b0_j[i] + b1_j[i] x_i,    (b0_j, b1_j) ~ N(mu, Sigma),

where x is the age of a person in decades from 50, b0 the region's height there and b1 its slope.
`TRUTH` has mu and what Sigma is made of.

    python -m hierwidgets.course.studies.regions

fits surveys of 5, 20 and 120 regions and writes ``hierwidgets/course/data/slopes.csv``.
"""

import sys
from typing import NamedTuple

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.checks import check_whole
from hierwidgets.course.models import REGIONS
from hierwidgets.fit.fit import Fit
from hierwidgets.model import Model

from .store import stored_table, write_tables

__all__ = [
    "CROSSED",
    "TRUTH",
    "Truth",
    "crossed",
    "spread_of",
    "stored",
    "survey",
    "surveys_fitted",
]

YOUNGEST, OLDEST, ZERO = 18, 82, 50  # ages, and the one that x counts from
SIZES, REPEATS = (5, 20, 120), 400
CROSSED = (0.5, 1.0)  # sds of the regions and of the items of `crossed`
NONE = 1e-4  # an sd below it is one of 0, with which nothing correlates


class Truth(NamedTuple):
    """What the lines of regions are drawn from: means, sds and the correlation."""

    height: float
    slope: float
    sd_height: float
    sd_slope: float
    corr: float


TRUTH = Truth(height=-0.6, slope=0.25, sd_height=0.8, sd_slope=0.35, corr=0.6)


def survey(
    regions: int = 120, people: int = 30, truth: Truth = TRUTH, seed: int = 8
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One survey, and the lines of its regions.

    Parameters
    ----------
    regions, people
        How many regions, and how many are asked in each.
    truth
        What their lines are drawn from.
    seed
        Of the random numbers.

    Returns
    -------
    survey : DataFrame
        ``region age decades contacted``, a row for each person.
    lines : DataFrame
        ``region height slope``, a row for each region.

    Examples
    --------
    >>> people, lines = survey(regions=4, people=5)
    >>> people.shape, list(lines)
    ((20, 4), ['region', 'height', 'slope'])
    """
    regions = check_whole(regions, "regions", 2)
    people = check_whole(people, "people", 2)
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((regions, 2))
    height = truth.height + truth.sd_height * z[:, 0]
    along = truth.corr * z[:, 0] + np.sqrt(1 - truth.corr**2) * z[:, 1]
    slope = truth.slope + truth.sd_slope * along
    code = np.repeat(np.arange(regions), people)
    age = rng.integers(YOUNGEST, OLDEST + 1, size=regions * people)
    decades = (age - ZERO) / 10
    contacted = rng.random(len(age)) < expit(height[code] + slope[code] * decades)
    names = np.array([f"R{number:03d}" for number in range(1, regions + 1)])
    asked = pd.DataFrame(
        {
            "region": names[code], "age": age, "decades": decades,
            "contacted": contacted.astype(int),
        }
    )  # fmt: skip
    return asked, pd.DataFrame({"region": names, "height": height, "slope": slope})


def crossed(seed: int = 11) -> pd.DataFrame:
    """Answers of 40 regions to 12 items, one of each: ``region item yes``.

    A region's sd is 0.5, an item's 1.0, in log-odds.
    """
    rng = np.random.default_rng(seed)
    region, item = np.divmod(np.arange(40 * 12), 12)
    effects = [sd * rng.standard_normal(many) for sd, many in zip(CROSSED, (40, 12), strict=True)]
    eta = -0.5 + effects[0][region] + effects[1][item]
    yes = (rng.random(len(eta)) < expit(eta)).astype(int)
    names = [f"R{number:02d}" for number in region + 1], [f"item {number}" for number in item + 1]
    return pd.DataFrame({"region": names[0], "item": names[1], "yes": yes})


def surveys_fitted(regions: int, repeats: int, seed: int) -> pd.DataFrame:
    """Surveys of so many regions, each fitted: ``regions sd_height sd_slope corr singular``.

    Where an sd is estimated at 0 there is no correlation: nan.
    """
    rows = []
    for one in np.random.SeedSequence(seed).generate_state(repeats):
        data, _ = survey(regions, seed=int(one))
        fit = Model(REGIONS, data, "binomial").maximize()
        heights, slopes, corr = spread_of(fit)
        rows.append((regions, heights, slopes, corr, fit.singular))
    return pd.DataFrame(rows, columns=["regions", "sd_height", "sd_slope", "corr", "singular"])


def spread_of(fit: Fit) -> Array:
    """The sds of heights and of slopes, and their correlation, as `fit.varcorr` has them: (3,)."""
    table = fit.varcorr
    sds = table.loc[table["other"].isna(), "sd"].to_numpy(dtype=float)
    corr = table.loc[table["other"].notna(), "corr"].to_numpy(dtype=float)
    return np.array([*sds, *(corr if sds.min() > NONE else [np.nan])])


def stored() -> pd.DataFrame:
    """The fits of `surveys_fitted`, `REPEATS` of each of `SIZES`."""
    return stored_table("slopes", ["slopes"])


def _slopes() -> pd.DataFrame:
    parts = [surveys_fitted(size, REPEATS, seed=size) for size in SIZES]
    return pd.concat(parts, ignore_index=True).round(4)


if __name__ == "__main__":
    sys.exit(write_tables(sys.argv[1:], {"slopes": _slopes}))
