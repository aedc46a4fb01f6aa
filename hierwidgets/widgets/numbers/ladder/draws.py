"""Elections, districts and respondents, drawn from the top of the ladder down.

What is drawn are standard normal and uniform numbers, once; the parameters turn them into rates,
so that a picture of them moves without a jump while a parameter is turned.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hierwidgets.base.arrays import Array, expit

from .parameters import Parameters, rule_line

__all__ = ["DISTRICTS", "ELECTIONS", "MOST_PEOPLE", "Draws", "Election", "draws", "election",
           "election_lines"]  # fmt: skip

ELECTIONS = 20  # of each rule
DISTRICTS = 40  # of the one election of each rule that is shown whole
MOST_PEOPLE = 100  # respondents in each


@dataclass(frozen=True, slots=True)
class Draws:
    """What does not depend on the parameters, for the first rule and for the second.

    Attributes
    ----------
    elections : (2, K, 2)
        Standard normal, for the intercept and the slope of each election.
    places : (2, J)
        Uniform, for the competitiveness of each district of the first election.
    districts : (2, J)
        Standard normal, for how far it lies off its election's line.
    respondents : (2, J, n)
        Uniform: a respondent was contacted where this is below the district's rate.
    """

    elections: Array
    places: Array
    districts: Array
    respondents: Array


class Election(NamedTuple):
    """Districts of one election (J,): competitiveness, rate, and the share of respondents."""

    competitiveness: Array
    rate: Array
    share: Array


def draws(seed: int) -> Draws:
    """All that is drawn, from one seed."""
    rng = np.random.default_rng(seed)
    return Draws(
        rng.standard_normal((2, ELECTIONS, 2)),
        rng.random((2, DISTRICTS)),
        rng.standard_normal((2, DISTRICTS)),
        rng.random((2, DISTRICTS, MOST_PEOPLE)),
    )


def election_lines(parameters: Parameters, second: bool, normal: Array) -> Array:
    """Intercept and slope of each election's line (K, 2), from standard normal numbers (K, 2)."""
    corr = parameters.corr
    along = corr * normal[:, 0] + np.sqrt(max(1 - corr**2, 0.0)) * normal[:, 1]
    spread = np.column_stack([parameters.sd_intercept * normal[:, 0], parameters.sd_slope * along])
    return np.array(rule_line(parameters, second)) + spread


def election(
    parameters: Parameters, second: bool, drawn: Draws, ends: tuple[float, float], people: int
) -> Election:
    """The first election of a rule whole; its districts lie between `ends`.

    Examples
    --------
    >>> flat = Parameters(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    >>> found = election(flat, False, draws(1), (0.2, 0.9), 100)
    >>> set(found.rate.tolist()), bool(abs(found.share.mean() - 0.5) < 0.02)
    ({0.5}, True)
    """
    rule = int(second)
    (intercept, slope), *_ = election_lines(parameters, second, drawn.elections[rule, :1])
    x = ends[0] + (ends[1] - ends[0]) * drawn.places[rule]
    rate = expit(intercept + slope * x + parameters.sd_district * drawn.districts[rule])
    contacted = drawn.respondents[rule, :, :people] < rate[:, None]
    return Election(x, rate, contacted.mean(axis=1))
