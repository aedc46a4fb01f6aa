"""The matrix ``A = I + Lambda' Z' W Z Lambda`` in blocks, and what the likelihood asks of it.

The group term with the most levels comes first. Its own block D is block-diagonal, one
k x k block per level, so it is eliminated at the cost of one pass over the rows; what is
left is the small Schur complement S of the other terms:

    A = [[D, B], [B', C]],    S = C - B' inv(D) B,    log|A| = log|D| + log|S|.

The idea is that of MixedModels.jl (Bates 2025). With one group term there is no S at all.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array, Index
from hierwidgets.spec.covariance import Template
from hierwidgets.spec.design import Design

from . import schur
from .fronts import Factor, Plan, plan
from .pattern import Pattern, pattern

__all__ = [
    "Blocks",
    "Layout",
    "Scaled",
    "block_diagonal",
    "diagonal_blocks",
    "factorize",
    "later_factor",
    "layout",
    "row_dot",
    "scale",
]


DENSE_LIMIT = 200_000  # largest n * q2 kept as a dense matrix


@dataclass(frozen=True, slots=True)
class Layout:
    """What depends on the design alone.

    Attributes
    ----------
    starts : (J,) int
        The first row of each level of the leading term.
    columns : tuple of (n, k) int
        For each later term, the columns of the remainder that its rows touch.
    Z2 : (n, q2) array, sparse array or None
        The later terms' columns, side by side; None where there is no later term.
    template : Template
        Where theta goes.
    single : bool
        Whether each level of the leading term has one row, so that sums over it are nothing.
    pattern : Pattern or None
        Where the later terms meet, for a large design whose levels touch few of their columns.
    plan : Plan or None
        How S is factorised there; None where a dense factor costs less.
    """

    design: Design
    starts: Index
    columns: tuple[Index, ...]
    Z2: Any
    q2: int
    template: Template
    single: bool
    pattern: Pattern | None = None
    plan: Plan | None = None

    @property
    def sparse(self) -> bool:
        return self.Z2 is not None and scipy.sparse.issparse(self.Z2)

    def sum(self, values: Array) -> Array:
        """Sums of (n, ...) rows over the levels of the leading term: (J, ...)."""
        return values if self.single else np.add.reduceat(values, self.starts, axis=0)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """(J, ...) values of the leading term's levels, at its rows: (n, ...)."""
        return values if self.single else values[self.design.terms[0].codes]


def layout(design: Design, like: Layout | None = None) -> Layout:
    """The layout of a design whose rows are sorted by the first term's level.

    `like` is that of the same rows and levels with other values, whose pattern serves again.
    """
    first, *later = design.terms
    starts = np.searchsorted(first.codes, np.arange(first.J)).astype(np.intp)
    columns, at = [], 0
    for term in later:
        columns.append(at + term.codes[:, None] * term.k + np.arange(term.k))
        at += term.J * term.k
    n = len(design.y)
    template, single = design.template, n == first.J
    if not later:
        return Layout(design, starts, (), None, 0, template, single)
    cols = np.hstack(columns)
    vals = np.hstack([term.Z for term in later])
    Z2: Any = scipy.sparse.csr_array(
        (
            vals.ravel(),
            cols.ravel(),
            np.arange(0, n * cols.shape[1] + 1, cols.shape[1]),
        ),
        shape=(n, at),
    )
    if n * at <= DENSE_LIMIT:
        return Layout(design, starts, tuple(columns), Z2.toarray(), at, template, single)
    if like is None:
        found = pattern(design.terms, cols, at)
        made = None if found is None else plan(found.indptr, found.indices, found.lower)
    else:
        found, made = like.pattern, like.plan
    return Layout(design, starts, tuple(columns), Z2, at, template, single, found, made)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Rows of Z Lambda: the leading term (n, k), and the later ones (n, q2) or None."""

    lay: Layout
    factors: list[Array]
    zl0: Array
    ZL2: Any

    def effect(self, u0: Array, u2: Array) -> Array:
        """``Z Lambda u`` (n,)."""
        eta = row_dot(self.zl0, self.lay.spread(u0))
        if self.ZL2 is not None:
            eta = eta + self.ZL2 @ u2
        return eta

    def pull(self, values: Array) -> tuple[Array, Array]:
        """``Lambda' Z' values`` for values (n,), in two parts."""
        lead = self.lay.sum(self.zl0 * values[:, None])
        return lead, np.zeros(0) if self.ZL2 is None else np.asarray(self.ZL2.T @ values)


def scale(lay: Layout, factors: list[Array]) -> Scaled:
    """Z Lambda for factors Lambda, one (k, k) per term."""
    zl0 = lay.design.terms[0].Z @ factors[0]
    if lay.Z2 is None:
        return Scaled(lay, factors, zl0, None)
    if lay.sparse:
        ZL2 = _on_pattern(lay, lay.Z2 @ later_factor(lay, factors[1:]))
        return Scaled(lay, factors, zl0, ZL2)
    ZL2, at = np.empty_like(lay.Z2), 0
    for term, L in zip(lay.design.terms[1:], factors[1:], strict=True):
        size = term.J * term.k
        part = lay.Z2[:, at : at + size]
        if term.k == 1:
            ZL2[:, at : at + size] = part * L[0, 0]
        else:
            ZL2[:, at : at + size] = (part.reshape(-1, term.J, term.k) @ L).reshape(-1, size)
        at += size
    return Scaled(lay, factors, zl0, ZL2)


def row_dot(a: Array, b: Array) -> Array:
    """Dot products of the rows of two (n, k) arrays: (n,)."""
    if a.shape[1] == 1:
        return a[:, 0] * b[:, 0]
    dots: Array = np.einsum("ij,ij->i", a, b)
    return dots


@dataclass(frozen=True, slots=True)
class Blocks:
    """A factorised, at given factors and weights.

    Attributes
    ----------
    scaled : Scaled
        Rows of Z Lambda.
    Dinv : (J, k, k)
        Inverse of the leading block.
    M : (J * k, q2)
        ``inv(D) B``.
    S : the Schur complement, factorised, or None.
    logdet : float
    places : (N, k) or None
        M at the places of the pattern, where there is one.
    """

    scaled: Scaled
    Dinv: Array
    M: Any
    S: schur.Dense | Factor | None
    logdet: float
    places: Array | None = None

    @property
    def lay(self) -> Layout:
        return self.scaled.lay

    def solve(self, g0: Array, g2: Array) -> tuple[Array, Array]:
        """``inv(A) g`` for g in two parts, (J, k) and (q2,)."""
        t0 = _apply(self.Dinv, g0)
        if self.S is None:
            return t0, g2
        x2 = self.S.solve(g2 - self.M.T @ g0.ravel())
        return t0 - (self.M @ x2).reshape(t0.shape), x2

    def rows(self) -> tuple[Array, Any]:
        """``inv(A) (Z Lambda)_i'`` of each row i, where the row itself is not zero.

        Returns the leading part (n, k), and the later terms' part as (n, q2), or as an
        (n, sum k) array of the columns each row touches when the remainder is sparse.
        """
        zl0, ZL2 = self.scaled.zl0, self.scaled.ZL2
        lead = _apply(self.lay.spread(self.Dinv), zl0)
        if self.S is None:
            return lead, None
        if self.places is not None:
            return _rows_on_pattern(self, lead)
        if self.lay.sparse:
            return _sparse_rows(self, lead)
        k = lead.shape[1]
        M = self.lay.spread(self.M.reshape(-1, k, self.lay.q2))
        if k == 1:
            R = ZL2 - M[:, 0] * zl0
            x2 = R @ self.S.inverse()
            return lead - np.einsum("ij,ij->i", M[:, 0], x2)[:, None], x2
        R = ZL2 - np.einsum("ikq,ik->iq", M, zl0)
        x2 = R @ self.S.inverse()
        return lead - np.einsum("ikq,iq->ik", M, x2), x2

    def leverage(self, lead: Array, later: Any) -> Array:
        """(n,) the diagonal of ``Z Lambda inv(A) Lambda' Z'``, from the result of `rows`."""
        h = row_dot(self.scaled.zl0, lead)
        if later is None:
            return h
        if self.lay.sparse:
            return h + row_dot(self.scaled.ZL2.data.reshape(later.shape), later)
        return h + row_dot(self.scaled.ZL2, later)

    def inverse_diagonal(self) -> tuple[Array, list[Array]]:
        """The diagonal blocks of inv(A): (J, k, k) per term, the leading term's apart."""
        if self.S is None:
            return self.Dinv, []
        M = self.M if self.places is None else self.places
        return diagonal_blocks(self.lay, self.Dinv, M, self.S.inverse())


def diagonal_blocks(lay: Layout, Dinv: Array, M: Any, Sinv: Array) -> tuple[Array, list[Array]]:
    """The diagonal blocks of inv(A) from ``inv(D)``, ``M = inv(D) B`` and ``inv(S)``.

    With a pattern, M (N, k) and inv(S) (L,) are those at its elements.
    """
    if lay.pattern is not None:
        own = lay.pattern.by_level(lay.pattern.through(Sinv, M), M, len(Dinv))
        return Dinv + own, lay.pattern.diagonal(lay.design.terms[1:], Sinv)
    J, k, _ = Dinv.shape
    later, at = [], 0
    for term in lay.design.terms[1:]:
        index = at + np.arange(term.J * term.k).reshape(term.J, term.k)
        later.append(Sinv[index[:, :, None], index[:, None, :]])
        at += term.J * term.k
    return Dinv + _quadratic(M, Sinv, J, k), later


def factorize(scaled: Scaled, weight: Array) -> Blocks:
    """A and its factor for weights (n,)."""
    lay = scaled.lay
    Dinv, logdet = _invert(_leading(lay, scaled.zl0, weight))
    if scaled.ZL2 is None:
        return Blocks(scaled, Dinv, None, None, logdet)
    if lay.pattern is not None:
        return _on_places(scaled, weight, Dinv, logdet)
    M, S = (_sparse_rest if lay.sparse else _dense_rest)(scaled, weight, Dinv)
    S.flat[:: lay.q2 + 1] += 1.0
    factor = schur.dense(S)
    return Blocks(scaled, Dinv, M, factor, logdet + factor.logdet)


def _on_places(scaled: Scaled, weight: Array, Dinv: Array, logdet: float) -> Blocks:
    """A factorised where few columns meet in a level: nothing but the nonzeros is touched."""
    lay, zl0 = scaled.lay, scaled.zl0
    assert lay.pattern is not None
    met = lay.pattern
    values = scaled.ZL2.data.reshape(met.touched.shape)
    heavy = values * weight[:, None]
    B = np.stack([met.gather(heavy * z[:, None]) for z in zl0.T], axis=1)
    M = _apply(Dinv[met.level], B)
    S = met.squares(values, weight) - met.between(B, M)
    S[met.own] += 1.0
    factor = schur.on_pattern(met, lay.plan, S)
    return Blocks(scaled, Dinv, met.matrix(M), factor, logdet + factor.logdet, M)


def _leading(lay: Layout, zl0: Array, weight: Array) -> Array:
    k = zl0.shape[1]
    if k == 1:
        return 1.0 + lay.sum(weight * zl0[:, 0] ** 2)[:, None, None]
    outer = (weight[:, None] * zl0)[:, :, None] * zl0[:, None, :]
    return np.eye(k) + lay.sum(outer)


def _invert(D: Array) -> tuple[Array, float]:
    """Inverses of (J, k, k) blocks, and the log-determinant of all of them."""
    if D.shape[1] == 1:
        return 1.0 / D, float(np.log(D).sum())
    chol = np.linalg.cholesky(D)
    inverse: Array = np.linalg.inv(D).astype(np.float64, copy=False)
    return inverse, 2.0 * float(np.log(np.einsum("jkk->jk", chol)).sum())


def _apply(blocks: Array, vectors: Array) -> Array:
    """(J, k, k) blocks times (J, k) vectors."""
    if blocks.shape[1] == 1:
        return blocks[:, :, 0] * vectors
    products: Array = np.einsum("jkl,jl->jk", blocks, vectors)
    return products


def block_diagonal(blocks: Array) -> Any:
    """(J, k, k) blocks as one (J k, J k) sparse array."""
    J, k, _ = blocks.shape
    index = np.arange(J + 1)
    whole = scipy.sparse.bsr_array((blocks, index[:-1], index), shape=(J * k, J * k))
    return whole.tocsr()


def later_factor(lay: Layout, factors: list[Array]) -> Any:
    """The later terms' Lambda, (q2, q2) sparse; `factors` without the leading term's."""
    parts: list[Any] = [
        block_diagonal(np.broadcast_to(L, (t.J, t.k, t.k)))
        for t, L in zip(lay.design.terms[1:], factors, strict=True)
    ]
    return scipy.sparse.block_diag(parts, format="csr")


def _dense_rest(scaled: Scaled, weight: Array, Dinv: Array) -> tuple[Array, Array]:
    lay, zl0, ZL2 = scaled.lay, scaled.zl0, scaled.ZL2
    WZ = weight[:, None] * ZL2
    if zl0.shape[1] == 1:
        B = lay.sum(WZ * zl0)
        M = B * Dinv[:, :, 0]
    else:
        stacked = np.stack([lay.sum(WZ * zl0[:, a, None]) for a in range(zl0.shape[1])], axis=1)
        M = np.einsum("jkl,jlq->jkq", Dinv, stacked).reshape(-1, lay.q2)
        B = stacked.reshape(-1, lay.q2)
    return M, ZL2.T @ WZ - B.T @ M


def _sparse_rest(scaled: Scaled, weight: Array, Dinv: Array) -> tuple[Any, Array]:
    """The same for a remainder too large to keep dense row by row; S itself is dense."""
    lay, zl0, ZL2 = scaled.lay, scaled.zl0, scaled.ZL2
    J, k, _ = Dinv.shape
    n = len(weight)
    codes = lay.design.terms[0].codes
    lead = scipy.sparse.csr_array(
        (zl0.ravel(), (codes[:, None] * k + np.arange(k)).ravel(), np.arange(0, n * k + 1, k)),
        shape=(n, J * k),
    )
    WZ = ZL2 * weight[:, None]
    B = (lead.T @ WZ).tocsr()
    M = block_diagonal(Dinv) @ B
    return M.tocsr(), (ZL2.T @ WZ - B.T @ M).toarray()


def _on_pattern(lay: Layout, ZL2: Any) -> Any:
    """ZL2 with exactly the columns each row touches, in order (zeros kept)."""
    cols = np.hstack(lay.columns)
    n, width = cols.shape
    rows = np.repeat(np.arange(n), width)
    values = np.asarray(ZL2[rows, cols.ravel()]).reshape(-1)
    return scipy.sparse.csr_array(
        (values, cols.ravel(), np.arange(0, n * width + 1, width)), shape=(n, lay.q2)
    )


def _sparse_rows(blocks: Blocks, lead: Array) -> tuple[Array, Array]:
    """`Blocks.rows` for the columns a row touches: by lookup in inv(S) and ``M inv(S)``."""
    lay, (J, k, _) = blocks.lay, blocks.Dinv.shape
    cols = np.hstack(lay.columns)
    later = np.empty(cols.shape)
    assert blocks.S is not None
    Sinv = blocks.S.inverse()
    ends = np.append(lay.starts[1:], len(lead))
    step = max(1, DENSE_LIMIT // max(lay.q2 * k, 1))
    for a in range(0, J, step):
        b = min(a + step, J)
        part = slice(lay.starts[a], ends[b - 1])
        M = blocks.M[a * k : b * k].toarray()
        P = M @ Sinv
        lead[part], later[part] = _looked_up(blocks, lead, cols, part, (a, b), M, P, Sinv)
    return lead, later


def _rows_on_pattern(blocks: Blocks, lead: Array) -> tuple[Array, Array]:
    """`Blocks.rows` where there is a pattern: all that is asked of inv(S) is on it."""
    lay, met, M, S = blocks.lay, blocks.lay.pattern, blocks.places, blocks.S
    assert met is not None
    assert M is not None
    assert S is not None
    Sinv = S.inverse()
    P, zl0 = met.through(Sinv, M), blocks.scaled.zl0
    values = blocks.scaled.ZL2.data.reshape(met.touched.shape)
    here = P[met.touched]  # (n, width, k)
    own = lay.spread(met.by_level(P, M, len(blocks.Dinv)))
    later = np.einsum("il,ilm->im", values, Sinv[met.met]) - np.einsum("ia,ima->im", zl0, here)
    moved = np.einsum("im,ima->ia", values, here) - np.einsum("iab,ib->ia", own, zl0)
    return lead - moved, later


def _looked_up(
    blocks: Blocks, lead: Array, cols: Index, part: slice, levels: tuple[int, int],
    M: Array, P: Array, Sinv: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Both parts of ``inv(A) (Z Lambda)_i'`` for the rows of some levels; ``P = M inv(S)``."""
    (a, b), k, cols = levels, lead.shape[1], cols[part]
    level = blocks.lay.design.terms[0].codes[part] - a
    zl0 = blocks.scaled.zl0[part]
    values = blocks.scaled.ZL2.data.reshape(-1, cols.shape[1])[part]
    shape = (b - a, k, -1)
    M, P = M.reshape(shape), P.reshape(shape)
    here = P[level[:, None, None], np.arange(k)[:, None], cols[:, None, :]]  # (rows, k, sum k)
    own = np.einsum("jaq,jbq->jab", P, M)[level]
    inverse = Sinv[cols[:, :, None], cols[:, None, :]]
    later = np.einsum("il,ilm->im", values, inverse) - np.einsum("ia,iam->im", zl0, here)
    moved = np.einsum("im,iam->ia", values, here) - np.einsum("iab,ib->ia", own, zl0)
    return lead[part] - moved, later


def _quadratic(M: Any, Sinv: Array, J: int, k: int) -> Array:
    """``M_j inv(S) M_j'`` for each level j: (J, k, k)."""
    if not scipy.sparse.issparse(M):
        M = M.reshape(J, k, -1)
        form: Array = np.einsum("jkq,jlq->jkl", M @ Sinv, M)
        return form
    out = np.empty((J, k, k))
    step = max(1, DENSE_LIMIT // max(Sinv.shape[0] * k, 1))
    for a in range(0, J, step):
        b = min(a + step, J)
        part = M[a * k : b * k].toarray()
        left = (part @ Sinv).reshape(b - a, k, -1)
        out[a:b] = np.einsum("jkq,jlq->jkl", left, part.reshape(b - a, k, -1))
    return out
