"""Covariances of the sampled pieces from log sds and partial correlations, and back."""

import math

import numpy as np

from hierwidgets.base.arrays import Array

from .compiled import compiled
from .prior_densities import sd_prior
from .problem import Pieces, PriorCodes
from .triangular import inverse_lower

__all__ = ["covariances", "covariances_reverse"]


@compiled
def covariances(pieces: Pieces, at: int, x: Array, factors: Array, inverses: Array) -> None:
    """Factor and inverse covariance of every piece; the first piece begins at x[at]."""
    for t in range(pieces.sizes.size):
        k = pieces.sizes[t]
        factor = _factor(k, x[at : at + k * (k + 1) // 2])
        G = inverse_lower(factor)
        factors[t, :k, :k] = factor
        inverses[t, :k, :k] = _times(G.T, G)
        at += k * (k + 1) // 2


@compiled
def covariances_reverse(
    pieces: Pieces, priors: PriorCodes, at: int, x: Array, factors: Array, inverses: Array,
    inverse_bar: Array, grad: Array,
) -> float:  # fmt: skip
    """Priors of the covariances, and everything's derivative by their coordinates.

    ``d inv(Sigma) = -inv(Sigma) dSigma inv(Sigma)`` and ``Sigma = F F'``; and the effects'
    prior has ``-J log|F|``.
    """
    value = 0.0
    for t in range(pieces.sizes.size):
        k = pieces.sizes[t]
        size = k * (k + 1) // 2
        F, S, bar = factors[t, :k, :k], inverses[t, :k, :k], inverse_bar[t, :k, :k]
        F_bar = -_times(_times(S, bar + bar.T), _times(S, F))
        for i in range(k):
            F_bar[i, i] -= pieces.levels[t] / F[i, i]
        value += _covariance(priors, t, k, x[at : at + size], F, F_bar, grad[at : at + size])
        at += size
    return value


@compiled
def _factor(k: int, x: Array) -> Array:
    """The Cholesky factor of a piece's covariance from its k log sds and numbers z."""
    factor = _correlation_factor(x[k:], k)
    for i in range(k):
        for j in range(i + 1):
            factor[i, j] *= math.exp(x[i])
    return factor


@compiled
def _correlation_factor(z: Array, k: int) -> Array:
    """Cholesky factor of a correlation matrix from partial correlations tanh(z)."""
    L = np.zeros((k, k))
    L[0, 0] = 1.0
    at = 0
    for i in range(1, k):
        rest = 1.0
        for j in range(i):
            L[i, j] = math.tanh(z[at]) * rest
            rest *= math.exp(_log_sech(z[at]))
            at += 1
        L[i, i] = rest
    return L


@compiled
def _log_sech(z: float) -> float:
    a = abs(z)
    return math.log(2.0) - a - math.log1p(math.exp(-2.0 * a))


@compiled
def _covariance(
    priors: PriorCodes, t: int, k: int, x: Array, factor: Array, factor_bar: Array, grad: Array
) -> float:
    """Log prior of a piece's covariance in its coordinates x; `grad` gets all derivatives.

    Parameters
    ----------
    factor_bar :
        The derivative of the rest of the log density by `factor`.
    """
    value = 0.0
    for i in range(k):
        lp, slope = sd_prior(priors.sd_kind[1 + t, i], priors.sd_par[1 + t, i], x[i])
        value += lp
        grad[i] += slope
        for j in range(i + 1):
            grad[i] += factor_bar[i, j] * factor[i, j]
    return value + _partial(k, priors.eta[t], x, factor, factor_bar, grad)


@compiled
def _partial(k: int, eta: float, x: Array, factor: Array, bar: Array, grad: Array) -> float:
    """The density of the correlations in z = x[k:], and the chain rule from factor to z.

    With w = tanh(z) in column j of k (from 0), ``det R = prod (1 - w^2)`` and
    ``|d R / d z| = prod (1 - w^2)^((k - j) / 2)`` (Lewandowski et al. 2009, eq. 11, times
    dw / dz).
    """
    value, at = 0.0, k
    for i in range(1, k):
        for j in range(i):
            w = math.tanh(x[at])
            power = 2.0 * (eta - 1.0) + (k - j)
            value += power * _log_sech(x[at])
            slope = -power * w
            slope += bar[i, j] * math.exp(x[i] + _rest(x, k, i, j)) * (1.0 - w * w)
            for m in range(j + 1, i + 1):
                slope -= bar[i, m] * factor[i, m] * w
            grad[at] += slope
            at += 1
    return value


@compiled
def _rest(x: Array, k: int, i: int, j: int) -> float:
    """log of what earlier partial correlations leave of row i's scale, before column j."""
    start = k + i * (i - 1) // 2
    rest = 0.0
    for m in range(j):
        rest += _log_sech(x[start + m])
    return rest


@compiled
def _times(A: Array, B: Array) -> Array:
    """A B for small matrices."""
    out = np.zeros((A.shape[0], B.shape[1]))
    for i in range(A.shape[0]):
        for m in range(A.shape[1]):
            for j in range(B.shape[1]):
                out[i, j] += A[i, m] * B[m, j]
    return out
