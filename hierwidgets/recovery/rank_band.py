r"""How far the ranks of uniform draws stray from evenness by chance.

Of n ranks from 0 to L, all equally likely, the number below i is binomial with probability
``z_i = i / (L + 1)``, and these numbers for i = 1, 2, ... are a Markov chain: those not yet below
fall into the next step each with probability ``(z_{i+1} - z_i) / (1 - z_i)``. So the probability
that a whole path stays within bounds is a sum that can be carried along (Säilynoja, Bürkner &
Vehtari 2022, Stat. Comput. 32:32, algorithm 2). The bounds at every i cut off the same tail.
"""

from functools import lru_cache

import numpy as np
import scipy.special

from hierwidgets.base.arrays import Array, Index

__all__ = ["band", "p_value"]

_STEPS = 40  # of bisection


def band(n: int, L: int, level: float) -> tuple[Array, Array]:
    """The shares of n ranks below 1, ..., L that a path keeps to with probability `level`.

    Returns
    -------
    low, high : (L,)
        Compare with ``i / (L + 1)``.

    Examples
    --------
    >>> low, high = band(100, 9, 0.95)
    >>> bool(low[4] < 0.5 < high[4])
    True
    """
    tail = _tails(n, L)
    low, high = np.log(1e-12), np.log(0.5)
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if _stays(n, L, tail >= np.exp(middle)) >= level:
            low = middle
        else:
            high = middle
    inside = tail >= np.exp(low)
    first, last = inside.argmax(axis=1), n - inside[:, ::-1].argmax(axis=1)
    return first / n, last / n


def p_value(ranks: Index, L: int) -> float:
    """The probability of ranks from 0 to L at least as uneven as these, (n,), by chance.

    Examples
    --------
    >>> round(p_value(np.arange(100) % 10, 9), 2)
    1.0
    >>> p_value(np.zeros(100, int), 9) < 1e-9
    True
    """
    n = len(ranks)
    below = np.cumsum(np.bincount(ranks, minlength=L + 1))[:L]
    tail = _tails(n, L)
    found = tail[np.arange(L), below].min()
    return float(1.0 - _stays(n, L, tail > found * (1 + 1e-9)))


@lru_cache(maxsize=8)
def _tails(n: int, L: int) -> Array:
    """The smaller tail of each number below each i, (L, n + 1): P(at most) or P(at least)."""
    z = np.arange(1, L + 1)[:, None] / (L + 1)
    k = np.arange(n + 1.0)
    at_most, more = scipy.special.bdtr(k, n, z), scipy.special.bdtrc(k, n, z)
    at_least = np.column_stack([np.ones(L), more[:, :-1]])
    return np.minimum(at_most, at_least)


def _stays(n: int, L: int, inside: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> float:
    """The probability that the numbers below 1, ..., L are `inside` (L, n + 1) all along."""
    log_factorial = scipy.special.gammaln(np.arange(n + 2.0) + 1.0)
    at, mass = np.array([0]), np.array([1.0])
    for i in range(L):
        to = np.flatnonzero(inside[i])
        more = to[None, :] - at[:, None]
        left = n - at[:, None]
        step = 1.0 / (L + 1 - i)
        gone = np.maximum(more, 0)
        log_choose = log_factorial[left] - log_factorial[gone] - log_factorial[left - gone]
        log_p = log_choose + gone * np.log(step) + (left - gone) * np.log1p(-step)
        mass = mass @ np.where(more >= 0, np.exp(log_p), 0.0)
        at = to
    return float(mass.sum())
