r"""Importance weights whose tail is smoothed, and what the tail says of them.

The largest weights are replaced by expected order statistics of a generalised Pareto distribution
fitted to them; its shape k says how many moments the weights have, and so whether their mean and
its error can be trusted (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72)). The fit is
Zhang & Stephens's (2009, Technometrics 51(3)), with k drawn a little towards 1/2.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from hierwidgets.base.arrays import Array

__all__ = ["K_LIMIT", "Weights", "smoothed"]

K_LIMIT = 0.7
_LEAST = 5  # of a tail that can be fitted
_PRIOR_DRAWS = 10.0  # that k = 1/2 counts for


@dataclass(frozen=True, slots=True)
class Weights:
    """Importance weights.

    Attributes
    ----------
    share : (S,)
        They sum to 1.
    k : float
        Shape of their tail; infinite where it cannot be fitted, -infinite where there is none.
    """

    share: Array
    k: float

    @property
    def effective(self) -> float:
        """The number of draws they are worth (Kish)."""
        return float(1.0 / np.sum(self.share**2))

    def __repr__(self) -> str:
        return f"Weights({len(self.share)} worth {self.effective:.0f}, k {self.k:.2f})"


def smoothed(log_ratio: Array) -> Weights:
    """The weights of S draws from the logarithms of their importance ratios.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.standard_t(5, 4000)
    >>> found = smoothed(-(x**2) / 2 + 3 * np.log1p(x**2 / 5))  # normal from t
    >>> bool(found.k < 0.5)
    True
    """
    if not np.isfinite(log_ratio).any():
        return Weights(np.full(len(log_ratio), 1.0 / len(log_ratio)), np.inf)
    lw = log_ratio - np.max(log_ratio)
    size = int(min(0.2 * len(lw), 3.0 * np.sqrt(len(lw))))
    place = len(lw) - size - 1
    cut = max(float(np.partition(lw, place)[place]), np.log(np.finfo(float).tiny))
    tail = np.flatnonzero(lw > cut)  # fewer than `size` where proposals drawn twice are at the cut
    tail = tail[np.argsort(lw[tail], kind="stable")]
    k = np.inf if len(tail) else -np.inf  # none: the largest are of one size
    if len(tail) >= _LEAST:
        excess = np.exp(lw[tail]) - np.exp(cut)
        k, sigma = _pareto(excess)
    if np.isfinite(k):
        p = (np.arange(len(tail)) + 0.5) / len(tail)
        lw = lw.copy()
        lw[tail] = np.minimum(np.log(np.exp(cut) + _quantile(p, k, sigma)), 0.0)
    return Weights(np.exp(lw - logsumexp(lw)), float(k))


def _pareto(x: Array) -> tuple[float, float]:
    """k and sigma of sorted excesses x."""
    n = len(x)
    m = 30 + int(np.sqrt(n))
    b = 1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))
    b = b / (3.0 * x[int(n / 4 + 0.5) - 1]) + 1.0 / x[-1]
    shape = np.log1p(-b[:, None] * x).mean(axis=1)
    profile = n * (np.log(-b / shape) - shape - 1.0)
    weight = 1.0 / np.exp(profile - profile[:, None]).sum(axis=1)
    keep = weight >= 10.0 * np.finfo(float).eps
    mean = float(np.sum(b[keep] * weight[keep]) / weight[keep].sum())
    k = float(np.log1p(-mean * x).mean())
    sigma = -k / mean
    return (n * k + _PRIOR_DRAWS * 0.5) / (n + _PRIOR_DRAWS), sigma


def _quantile(p: Array, k: float, sigma: float) -> Array:
    if abs(k) < 1e-12:
        return -sigma * np.log1p(-p)
    return np.asarray(sigma * np.expm1(-k * np.log1p(-p)) / k)
