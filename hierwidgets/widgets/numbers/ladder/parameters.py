"""The eight numbers of the several-countries model, and what they imply without any draw.

A district j of an election k, under a rule that is coded PR = 0 or 1, has the log-odds

    alpha_j = gamma_0k + gamma_1k comp_j + N(0, sd_district^2),
    (gamma_0k, gamma_1k) ~ N((delta_00 + delta_01 PR, delta_10 + delta_11 PR), Sigma),

where Sigma has the standard deviations sd_intercept and sd_slope and the correlation corr.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from hierwidgets.base.arrays import Array, expit, normal_quantile

__all__ = [
    "LOW", "MASS", "Parameters", "Rates", "closest", "ladder_frame", "line_sd", "rates_at",
    "recoded", "rule_line", "share_below",
]  # fmt: skip

MASS = 0.9  # of elections and districts between the ends that are shown
LOW = 0.2  # the rate below which districts are counted
PLACES = 400  # of competitiveness over which that share is averaged


class Parameters(NamedTuple):
    """Coefficients with the first rule coded 0, spreads of log-odds, and their correlation."""

    delta_00: float
    delta_01: float
    delta_10: float
    delta_11: float
    sd_intercept: float
    sd_slope: float
    corr: float
    sd_district: float

    @property
    def coefficients(self) -> tuple[float, float, float, float]:
        """The four deltas."""
        return self[:4]


class Rates(NamedTuple):
    """Rates at places on the axis (m,): the typical one, and the ends of the middle 90 %."""

    typical: Array
    election_low: Array
    election_high: Array
    district_low: Array
    district_high: Array


def recoded(coefficients: Sequence[float]) -> tuple[float, float, float, float]:
    """Intercept, its change, slope, its change, once the other rule is coded 0.

    The map is its own inverse: it takes the equations' deltas to the software's betas, and back.

    Examples
    --------
    >>> recoded((-3.0, 1.0, 4.0, -3.0))
    (-2.0, -1.0, 1.0, 3.0)
    >>> recoded(recoded((-3.0, 1.0, 4.0, -3.0)))
    (-3.0, 1.0, 4.0, -3.0)
    """
    intercept, intercept_change, slope, slope_change = coefficients
    return intercept + intercept_change, -intercept_change, slope + slope_change, -slope_change


def rule_line(parameters: Parameters, second: bool) -> tuple[float, float]:
    """Intercept and slope of the line that is typical for the first or the second rule."""
    first = parameters.coefficients
    line = recoded(first) if second else first
    return line[0], line[2]


def line_sd(parameters: Parameters, x: Array) -> Array:
    """How far elections' lines lie apart at x: the sd of gamma_0 + gamma_1 x."""
    one, other = parameters.sd_intercept, parameters.sd_slope * x
    return np.sqrt(np.maximum(one**2 + 2 * parameters.corr * one * other + other**2, 0.0))


def closest(parameters: Parameters) -> float | None:
    """Where elections' lines lie closest together, if that is between 0 and 1.

    Examples
    --------
    >>> closest(Parameters(-3.0, 1.0, 4.0, -3.0, 0.5, 1.0, -0.8, 0.5))
    0.4
    """
    if parameters.sd_slope == 0:
        return None
    at = -parameters.corr * parameters.sd_intercept / parameters.sd_slope
    return at if 0 < at < 1 else None


def rates_at(parameters: Parameters, second: bool, x: Array) -> Rates:
    """What the model says of elections and districts at x, under one rule.

    Quantiles of log-odds are those of rates, for the inverse logit keeps the order.
    """
    intercept, slope = rule_line(parameters, second)
    middle, elections = intercept + slope * x, line_sd(parameters, x)
    districts = np.hypot(elections, parameters.sd_district)
    reach = normal_quantile(MASS)
    ends = (middle + way * reach * sd for sd in (elections, districts) for way in (-1, 1))
    return Rates(expit(middle), *map(expit, ends))


def share_below(
    parameters: Parameters, second: bool, ends: tuple[float, float], rate: float = LOW
) -> float:
    """The share of districts below a rate, at competitiveness spread evenly between `ends`.

    Examples
    --------
    >>> flat = Parameters(0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.5)
    >>> share_below(flat, False, (0.2, 0.9), rate=0.5)
    0.5
    """
    x = ends[0] + (ends[1] - ends[0]) * (np.arange(PLACES) + 0.5) / PLACES
    intercept, slope = rule_line(parameters, second)
    sd = np.hypot(line_sd(parameters, x), parameters.sd_district)
    away = np.log(rate / (1 - rate)) - intercept - slope * x
    with np.errstate(divide="ignore", invalid="ignore"):  # without spread, below or not
        below = np.where(sd > 0, ndtr(away / sd), away > 0)
    return float(below.mean())


def ladder_frame(
    parameters: Parameters, rules: tuple[str, str], at: Sequence[float] = (0.0, 0.5, 1.0)
) -> pd.DataFrame:
    """What the parameters imply, one row for each rule and each competitiveness.

    Returns
    -------
    DataFrame
        rule, competitiveness, line_sd (log-odds), typical, election_low, election_high,
        district_low, district_high (rates; ends of the middle 90 %).

    Examples
    --------
    >>> found = ladder_frame(
    ...     Parameters(-3.0, 1.0, 4.0, -3.0, 0.5, 1.0, -0.8, 0.5), ("SMD", "PR"), [0.5])
    >>> found[["rule", "line_sd", "typical", "election_high"]].round(3).values.tolist()
    [['SMD', 0.316, 0.269, 0.382], ['PR', 0.316, 0.182, 0.273]]
    """
    x = np.asarray(at, dtype=np.float64)
    frames = []
    for second, rule in enumerate(rules):
        rates = rates_at(parameters, bool(second), x)
        named = {"rule": rule, "competitiveness": x, "line_sd": line_sd(parameters, x)}
        frames.append(pd.DataFrame(named | rates._asdict()))
    return pd.concat(frames, ignore_index=True)
