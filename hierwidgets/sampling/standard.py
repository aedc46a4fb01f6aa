"""Distributions around 0 with scale 1: density, shares below and above, quantiles.

The functions of `scipy.special` that `scipy.stats` rests on. A distribution of the latter is made
anew for each prior, which takes a millisecond: too long where a prior is dragged.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

__all__ = ["EXPONENTIAL", "NORMAL", "UNIFORM", "Standard", "gamma", "student_t"]

Function = Callable[[Any], Any]


class Standard(NamedTuple):
    """Functions of one or many numbers.

    Attributes
    ----------
    log_density
        Of a number, which may lie outside of what is possible: then minus infinity.
    below, above
        How much of the distribution lies below a number, and above it.
    quantiles
        Below which lies so much of it.
    """

    log_density: Function
    below: Function
    above: Function
    quantiles: Function


def _within(low: float, high: float, inside: Function) -> Function:
    """A log density that is `inside` between two bounds."""

    def log_density(x: Any) -> Any:
        there = (x >= low) & (x <= high)
        return np.where(there, inside(np.where(there, x, 1.0)), -np.inf)

    return log_density


NORMAL = Standard(
    lambda x: -0.5 * x**2 - 0.5 * np.log(2 * np.pi),
    special.ndtr, lambda x: special.ndtr(-x), special.ndtri,
)  # fmt: skip
EXPONENTIAL = Standard(
    _within(0.0, np.inf, lambda x: -x),
    lambda x: -special.expm1(-np.maximum(x, 0.0)),
    lambda x: np.exp(-np.maximum(x, 0.0)),
    lambda p: -special.log1p(-p),
)
UNIFORM = Standard(
    _within(0.0, 1.0, lambda x: 0.0 * x),
    lambda x: np.clip(x, 0.0, 1.0),
    lambda x: 1.0 - np.clip(x, 0.0, 1.0),
    lambda p: p,
)


def student_t(df: float) -> Standard:
    """Student's t."""
    constant = -special.betaln(0.5 * df, 0.5) - 0.5 * np.log(df)
    return Standard(
        lambda x: constant - 0.5 * (df + 1) * np.log1p(x**2 / df),
        lambda x: special.stdtr(df, x),
        lambda x: special.stdtr(df, -x),
        lambda p: np.where(np.equal(p, 0.0), -np.inf, special.stdtrit(df, p)),  # it says +inf at 0
    )


def gamma(shape: float) -> Standard:
    """The gamma distribution."""
    return Standard(
        _within(0.0, np.inf, lambda x: special.xlogy(shape - 1, x) - x - special.gammaln(shape)),
        lambda x: special.gammainc(shape, np.maximum(x, 0.0)),
        lambda x: special.gammaincc(shape, np.maximum(x, 0.0)),
        lambda p: special.gammaincinv(shape, p),
    )
