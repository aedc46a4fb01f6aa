r"""The distribution of a new observation: that of its mean, and its own about the mean.

The linear predictor of a new row is taken as normal about its estimate, with its standard error.
A Gaussian observation is then normal too, its variance the sum of both. A count has

.. math:: P(Y \le k) = \int F(k;\, \mu(\hat\eta + s z))\, \phi(z)\, dz,

F the binomial or Poisson distribution; a quantile is the smallest k where this reaches its level.
The integral is taken by the trapezoid rule.
"""

import numpy as np
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.spec.families import Family
from hierwidgets.spec.rows import link_interval

__all__ = ["observation_interval"]

_NODES = np.linspace(-5.0, 5.0, 201)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()
_CHUNK = 10_000  # rows at a time


def observation_interval(
    family: Family, eta: Array, se: Array, sigma: float, size: Array, level: float
) -> dict[str, Array]:
    """Expected observation, sd and quantiles of new observations.

    Parameters
    ----------
    eta, se : (n,)
        Linear predictor and its standard error.
    size : (n,)
        Trials of a binomial observation, weight of a Gaussian one, 1 for counts.
    level :
        Of the interval, in whose tails the probability is the same.

    Returns
    -------
    dict
        estimate, std_error, conf_low, conf_high, each (n,).
    """
    if family.name == "gaussian":
        with np.errstate(divide="ignore"):  # a weight of 0: an observation that may be anything
            sd = np.sqrt(se**2 + sigma**2 / size)
        return {"estimate": eta} | link_interval(eta, sd, level)
    parts = [
        _counts(family, eta[a : a + _CHUNK], se[a : a + _CHUNK], size[a : a + _CHUNK], level)
        for a in range(0, len(eta), _CHUNK)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _counts(family: Family, eta: Array, se: Array, size: Array, level: float) -> dict[str, Array]:
    mu = family.link.inverse(eta[:, None] + se[:, None] * _NODES)[0]
    mean = size[:, None] * mu
    within = mean * (1 - mu) if family.name == "binomial" else mean
    expected = mean @ _WEIGHTS
    with np.errstate(over="ignore"):  # the sd of what has no bound
        variance = within @ _WEIGHTS + ((mean - expected[:, None]) ** 2) @ _WEIGHTS
    tail = (1 - level) / 2
    return {
        "estimate": size * family.link.inverse(eta)[0],
        "std_error": np.sqrt(variance),
        "conf_low": _quantile(family, mu, size, tail),
        "conf_high": _quantile(family, mu, size, 1 - tail),
    }


def _quantile(family: Family, mu: Array, size: Array, level: float) -> Array:
    """The smallest count k (n,) with P(Y <= k) >= level, by bisection."""
    trials = size.astype(np.int64)[:, None]
    low, high = np.full(len(mu), -1.0), size.astype(np.float64)
    if family.name == "poisson":
        largest = mu.max(axis=1)
        high = np.ceil(largest + 10 * np.sqrt(largest) + 20)
    while True:
        middle = np.floor(low + (high - low) / 2)
        open_ = (middle > low) & (middle < high)
        if not open_.any():
            return high
        k = middle[:, None]
        below = (
            scipy.special.bdtr(k, trials, mu)
            if family.name == "binomial"
            else scipy.special.pdtr(k, mu)
        ) @ _WEIGHTS
        enough = below >= level
        high = np.where(open_ & enough, middle, high)
        low = np.where(open_ & ~enough, middle, low)
