"""The group effects of a Gaussian model, eliminated from its cross-products.

The leading term goes level by level, the later ones with the Schur complement that is left; where
few of their columns meet, its nonzeros alone are touched (`pattern`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from hierwidgets.base.arrays import Array

from . import schur
from .blocks import Layout, block_diagonal, diagonal_blocks, later_factor
from .cross_products import Products
from .fronts import Factor

__all__ = ["Eliminated", "add_quadratic", "eliminate", "inverse_blocks", "logdet_gradient"]


@dataclass(frozen=True, slots=True)
class Eliminated:
    """What is left of the cross-products once the group effects are solved for.

    Attributes
    ----------
    logdet : float
        log|A|.
    Dinv : (J, k, k);  M : (J * k, q2) or None;  Sinv : (q2, q2) or None
        Of A in blocks, as in `blocks`; with a pattern, inv(S) is (L,), at its elements.
    T : (q2, q2)
        ``Lambda2' (G22 - G02' Lambda0 inv(D) Lambda0' G02)``; with a pattern the transpose of
        that, at its elements (E,).
    x0, x2 : (J * k, p + 1) and (q2, p + 1)
        ``inv(A) Lambda' Z' XY``: the effects that each column of XY would have.
    K : (p + 1, p + 1)
        ``XY' inv(V) XY``, in units of sigma.
    """

    logdet: float
    Dinv: Array
    M: Any
    Sinv: Array | None
    T: Array
    x0: Array
    x2: Array
    K: Array
    places: Array | None = None  # M at the places of a pattern


def _left(small: Array, matrix: Any, k: int) -> Any:
    """``kron(I, small) @ matrix`` for one (k, k), or block_diag for (J, k, k)."""
    if not scipy.sparse.issparse(matrix):
        blocks = matrix.reshape(-1, k, matrix.shape[1])
        return (small @ blocks).reshape(matrix.shape)
    J = matrix.shape[0] // k
    return block_diagonal(np.broadcast_to(small, (J, k, k))) @ matrix


def _right(lay: Layout, matrix: Any, factors: list[Array]) -> Any:
    """``matrix @ Lambda2``; `matrix` has one column per later effect."""
    if scipy.sparse.issparse(matrix):
        return matrix @ later_factor(lay, factors)
    out, at = np.empty_like(matrix), 0
    for t, L in zip(lay.design.terms[1:], factors, strict=True):
        size = t.J * t.k
        part = matrix[:, at : at + size]
        out[:, at : at + size] = (part.reshape(-1, t.J, t.k) @ L).reshape(-1, size)
        at += size
    return out


def eliminate(P: Products, factors: list[Array]) -> Eliminated:
    """Solve for the group effects: the leading term by level, then the later ones."""
    lay, p, (L0, *later) = P.lay, len(P.R), factors
    k = L0.shape[0]
    D = np.eye(k) + L0.T @ P.G00 @ L0
    Dinv: Array = 1.0 / D if k == 1 else np.linalg.inv(D).astype(np.float64, copy=False)
    logdet = float(np.log(D).sum()) if k == 1 else float(np.linalg.slogdet(D)[1].sum())
    r0 = _left(L0.T, P.G0x, k)
    x0 = _left(Dinv, r0, k)
    if not lay.q2:
        K = P.Gxx - r0.T @ x0
        return Eliminated(logdet, Dinv, None, None, np.zeros((0, 0)), x0, np.zeros((0, p + 1)), K)
    remove = _dense_rest if lay.pattern is None else _rest_on_pattern
    places, M, T, factor = remove(P, Dinv, factors)
    r2 = _right(lay, P.G2x.T, later).T
    x2 = factor.solve(r2 - M.T @ r0)
    x0 = x0 - M @ x2
    K = P.Gxx - r0.T @ x0 - r2.T @ x2
    logdet += factor.logdet
    return Eliminated(logdet, Dinv, M, factor.inverse(last=True), T, x0, x2, K, places)


def _dense_rest(
    P: Products, Dinv: Array, factors: list[Array]
) -> tuple[None, Any, Array, schur.Dense]:
    """M, T and the Schur complement of the later terms, as full matrices."""
    lay, (L0, *later) = P.lay, factors
    k = len(L0)
    L0G02 = _left(L0.T, P.G02, k)  # Lambda0' G02
    M = _left(Dinv, _right(lay, L0G02, later), k)
    H = M.T @ L0G02
    T = _right(lay, P.G22.T, later).T - (H.toarray() if scipy.sparse.issparse(H) else H)
    S = _right(lay, T, later)
    S.flat[:: lay.q2 + 1] += 1.0
    return None, M, T, schur.dense(S)


def _rest_on_pattern(
    P: Products, Dinv: Array, factors: list[Array]
) -> tuple[Array, Any, Array, schur.Scattered | Factor]:
    """The same, its nonzeros alone."""
    met, (L0, *later) = P.lay.pattern, factors
    assert met is not None
    assert P.places is not None
    assert P.corner is not None
    B = P.places @ L0
    own = _by_block(Dinv[met.level], B)
    left = P.corner - met.between(B, own)
    T = met.later_times(later, left[met.expand])[met.mirror]
    S = met.later_times(later, T)[met.lower]
    S[met.own] += 1.0
    M = met.times_later(own, later)
    return M, met.matrix(M), T, schur.on_pattern(met, P.lay.plan, S)


def _by_block(blocks: Array, vectors: Array) -> Array:
    """(N, k, k) blocks times (N, k) vectors."""
    if blocks.shape[1] == 1:
        return blocks[:, :, 0] * vectors
    products: Array = np.einsum("nkl,nl->nk", blocks, vectors)
    return products


def inverse_blocks(P: Products, solved: Eliminated) -> tuple[Array, list[Array]]:
    """The diagonal blocks of inv(A): (J, k, k) per term, the leading term's apart."""
    if solved.Sinv is None:
        return solved.Dinv, []
    M = solved.M if solved.places is None else solved.places
    return diagonal_blocks(P.lay, solved.Dinv, M, solved.Sinv)


def logdet_gradient(P: Products, factors: list[Array], solved: Eliminated) -> list[Array]:
    """d log|A| / d Lambda of each term, (k, k): twice ``(inv(A) Lambda' Z'Z)'`` by level."""
    lay = P.lay
    L0 = factors[0]
    k = L0.shape[0]
    own = solved.Dinv @ (L0.T @ P.G00)  # (J, k, k): [c, r]
    lead = own.sum(axis=0)
    M, Sinv = solved.M, solved.Sinv
    if Sinv is None:
        return [2.0 * lead.T]
    if solved.places is not None:
        return _logdet_gradient_on_pattern(P, factors, solved, lead)
    # M Sinv (M' Lambda0' G00 - Lambda2' G20), summed over levels
    N = _left(P.G00 @ L0, M, k) - _right(lay, P.G02, factors[1:])
    MS = M @ Sinv
    if scipy.sparse.issparse(N):
        N = N.tocoo()
        picked = MS.reshape(-1, k, lay.q2)
        for c in range(k):
            values = picked[N.row // k, c, N.col] * N.data
            lead[c] += np.bincount(N.row % k, weights=values, minlength=k)
    else:
        lead += np.einsum("jcq,jrq->cr", MS.reshape(-1, k, lay.q2), N.reshape(-1, k, lay.q2))
    out, at = [2.0 * lead.T], 0
    for term in lay.design.terms[1:]:
        size = term.J * term.k
        rows = Sinv[at : at + size].reshape(term.J, term.k, -1)
        cols = solved.T[:, at : at + size].reshape(-1, term.J, term.k)
        out.append(2.0 * np.einsum("jcq,qjr->rc", rows, cols))
        at += size
    return out


def _logdet_gradient_on_pattern(
    P: Products, factors: list[Array], solved: Eliminated, lead: Array
) -> list[Array]:
    met, M, Sinv = P.lay.pattern, solved.places, solved.Sinv
    assert met is not None
    assert M is not None
    assert P.places is not None
    assert Sinv is not None
    L0, *later = factors
    N = _by_block((P.G00 @ L0)[met.level], M) - met.times_later(P.places, later)
    out = [2.0 * (lead + met.through(Sinv, M).T @ N).T]
    whole = Sinv[met.expand]
    return out + [2.0 * solved.T[rows] @ whole[rows].T for rows in met.rows]


def add_quadratic(
    P: Products, factors: list[Array], solved: Eliminated, weights: Array, full: list[Array]
) -> None:
    """Add ``sum over levels of E W x'`` with ``E = Z'(XY - Z Lambda x)`` to each (k, k)."""
    lay, k, x0, x2 = P.lay, factors[0].shape[0], solved.x0, solved.x2
    b0 = _left(factors[0], x0, k)
    E0 = P.G0x - (P.G00 @ b0.reshape(-1, k, b0.shape[1])).reshape(b0.shape)
    if lay.q2:
        b2 = _right(lay, x2.T, [L.T for L in factors[1:]]).T
        E0 = E0 - P.G02 @ b2
        E2 = P.G2x - P.G02.T @ b0 - P.G22 @ b2
    full[0] += np.einsum(
        "jra,ab,jcb->rc", E0.reshape(-1, k, E0.shape[1]), weights, x0.reshape(-1, k, x0.shape[1])
    )
    at = 0
    for i, term in enumerate(lay.design.terms[1:], start=1):
        part = slice(at, at + term.J * term.k)
        shape = (term.J, term.k, -1)
        full[i] += np.einsum(
            "jra,ab,jcb->rc", E2[part].reshape(shape), weights, x2[part].reshape(shape)
        )
        at += term.J * term.k
