"""Cholesky factors of small matrices, in place, and their derivatives.

The matrices are of a few numbers to a few dozen: loops beat LAPACK's calls, and give the same
bits on every machine.
"""

import math

import numpy as np

from hierwidgets.base.arrays import Array

from .compiled import compiled

__all__ = ["backward", "cholesky", "cholesky_reverse", "forward", "inverse_lower"]


@compiled
def inverse_lower(F: Array) -> Array:
    k = F.shape[0]
    G = np.zeros((k, k))
    for j in range(k):
        G[j, j] = 1.0 / F[j, j]
        for i in range(j + 1, k):
            total = 0.0
            for m in range(j, i):
                total += F[i, m] * G[m, j]
            G[i, j] = -total / F[i, i]
    return G


@compiled
def cholesky(P: Array) -> bool:
    """P = C C' in place (lower triangle); False where P is not positive definite."""
    d = P.shape[0]
    for j in range(d):
        for i in range(j, d):
            total = P[i, j]
            for m in range(j):
                total -= P[i, m] * P[j, m]
            if i == j:
                if not total > 0.0:
                    return False
                P[j, j] = math.sqrt(total)
            else:
                P[i, j] = total / P[j, j]
        for i in range(j):
            P[i, j] = 0.0
    return True


@compiled
def forward(C: Array, b: Array) -> Array:
    """inv(C) b."""
    out = b.copy()
    for i in range(b.size):
        for m in range(i):
            out[i] -= C[i, m] * out[m]
        out[i] /= C[i, i]
    return out


@compiled
def backward(C: Array, b: Array) -> Array:
    """inv(C') b."""
    out = b.copy()
    for i in range(b.size - 1, -1, -1):
        for m in range(i + 1, b.size):
            out[i] -= C[m, i] * out[m]
        out[i] /= C[i, i]
    return out


@compiled
def cholesky_reverse(C: Array, C_bar: Array) -> Array:
    """The derivative by P (symmetric) of what has derivative C_bar by its factor C.

    Murray (2016), arXiv:1602.07527, eq. 10: ``inv(C') Phi(C' C_bar) inv(C)``, made symmetric.
    """
    d = C.shape[0]
    M = np.zeros((d, d))
    for i in range(d):
        for j in range(i + 1):
            total = 0.0
            for m in range(i, d):
                total += C[m, i] * C_bar[m, j]
            M[i, j] = total if i > j else 0.5 * total
    for j in range(d):
        M[:, j] = backward(C, M[:, j])
    for i in range(d):
        M[i] = backward(C, M[i])
    return 0.5 * (M + M.T)
