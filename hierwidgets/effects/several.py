"""Several answers at once: p values and intervals that allow for how many there are.

Holm (1979, Scand. J. Stat. 6(2)) needs the p values alone. The largest of the ratios of estimate to
standard error ("max-t"; Hothorn, Bretz & Westfall 2008, Biom. J. 50(3), section 3.1) uses their
correlations too, so that answers which rise and fall together count as few; its distribution, that
of the largest absolute value of correlated normal variables, is simulated.
"""

import numpy as np
import scipy.special

from hierwidgets.base.arrays import Array

__all__ = ["exceeded", "holm", "largest_ratios"]


_DRAWS = 200_000
_CHUNK = 4_000_000  # numbers drawn at once


def holm(ratios: Array) -> Array:
    """Two-sided p values, adjusted: the k-th smallest of m times m - k + 1, never decreasing.

    Examples
    --------
    >>> holm(np.array([3.0, 0.5, 2.0])).round(4).tolist()
    [0.0081, 0.6171, 0.091]
    """
    p = 2.0 * scipy.special.ndtr(-np.abs(ratios))
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    out = np.empty(len(p))
    out[order] = np.minimum(steps, 1.0)
    return out


def largest_ratios(covariance: Array, rng: np.random.Generator) -> Array:
    """Draws of the largest absolute ratio, were every true value 0: (200000,), sorted."""
    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    sure = se <= 1e-12 * max(float(se.max()), 1e-300)
    scaled = covariance / np.outer(np.where(sure, np.inf, se), np.where(sure, np.inf, se))
    values, vectors = np.linalg.eigh(scaled)
    kept = values > 1e-12 * max(float(values[-1]), 1e-300)
    root = (vectors[:, kept] * np.sqrt(values[kept])).T
    step = max(1, _CHUNK // len(se))
    parts = []
    for a in range(0, _DRAWS, step):
        normal = rng.standard_normal((min(step, _DRAWS - a), len(root)))
        parts.append(np.abs(normal @ root).max(axis=1))
    return np.sort(np.concatenate(parts))


def exceeded(largest: Array, ratios: Array) -> Array:
    """The share of the sorted draws that reach each ratio."""
    return 1.0 - np.searchsorted(largest, np.abs(ratios)) / len(largest)
