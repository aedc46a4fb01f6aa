"""Coefficients and effects v from their whitened coordinates xi, and derivatives back."""

import math

import numpy as np

from hierwidgets.base.arrays import Array

from .compiled import compiled
from .problem import Pieces, Whitening
from .triangular import backward, cholesky, cholesky_reverse, forward

__all__ = ["unwhiten", "unwhiten_reverse"]


@compiled
def unwhiten(w: Whitening, pieces: Pieces, xi: Array, inverses: Array, v: Array, C: Array) -> float:
    """v from xi: ``v = inv(P) r + inv(C') xi`` with ``P = C C'``; log |dv / dxi|.

    Given the covariances, P and inv(P) r are the precision and mean of coefficients and
    effects as far as the reference fit tells, so xi is close to N(0, I) whatever the
    covariances are. The map is a bijection at any reference: the posterior does not change.
    """
    logdet = 0.0
    for c in range(w.block.size - 1):
        a, b = w.block[c], w.block[c + 1]
        P = _precision(w, pieces, c, inverses)
        if not cholesky(P):
            return math.nan
        v[a:b] = backward(P, forward(P, w.r[a:b]) + xi[a:b])
        for i in range(b - a):
            logdet -= math.log(P[i, i])
            for j in range(i + 1):
                C[w.H_at[c] + i * (b - a) + j] = P[i, j]
    return logdet


@compiled
def unwhiten_reverse(
    w: Whitening, pieces: Pieces, v: Array, C: Array, v_bar: Array, xi_bar: Array,
    inverse_bar: Array,
) -> None:  # fmt: skip
    """Derivatives by xi and by the prior precisions, from those by v."""
    for c in range(w.block.size - 1):
        a, b = w.block[c], w.block[c + 1]
        d = b - a
        L = C[w.H_at[c] : w.H_at[c] + d * d].copy().reshape(d, d)
        by_xi = forward(L, v_bar[a:b])
        xi_bar[a:b] = by_xi
        if w.slot_at[c] == w.slot_at[c + 1]:
            continue
        first, second = forward(L, w.r[a:b]), backward(L, by_xi)
        L_bar = np.zeros((d, d))
        for i in range(d):
            for j in range(i + 1):
                L_bar[i, j] = -v[a + i] * by_xi[j] - second[i] * first[j]
            L_bar[i, i] -= 1.0 / L[i, i]
        P_bar = cholesky_reverse(L, L_bar)
        for s in range(w.slot_at[c], w.slot_at[c + 1]):
            t, at = w.slot_piece[s], w.slot[s] - a
            for i in range(pieces.sizes[t]):
                for j in range(pieces.sizes[t]):
                    inverse_bar[t, i, j] += P_bar[at + i, at + j]


@compiled
def _precision(w: Whitening, pieces: Pieces, c: int, inverses: Array) -> Array:
    """The precision of block c: information plus the prior precision of its levels."""
    a, d = w.block[c], w.block[c + 1] - w.block[c]
    P = w.H[w.H_at[c] : w.H_at[c] + d * d].copy().reshape(d, d)
    for s in range(w.slot_at[c], w.slot_at[c + 1]):
        t, at = w.slot_piece[s], w.slot[s] - a
        k = pieces.sizes[t]
        for i in range(k):
            for j in range(k):
                P[at + i, at + j] += inverses[t, i, j]
    return P
