"""Where crossed terms meet, once for a design: the nonzeros of B and of the Schur complement.

Rows of one level of the leading term bring the later columns that they touch together. With few
columns a level, ``B' inv(D) B`` is a sum over pairs of them: the pairs and their place in S
depend on the design alone, so that an evaluation is a few passes over plain arrays, and
nothing as large as J x q2 or as the filled S stands anywhere.

A *place* is a level with a column that it touches; places are sorted by level, then column.
S is kept twice: its lower triangle, which is what is summed and factorised, and in full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from hierwidgets.base.arrays import Array, Index
from hierwidgets.spec.design import Term

__all__ = ["Pattern", "pattern"]

FULL = 0.1  # share of filled elements of B from which dense products are the faster ones
MOST_PAIRS = 60_000_000
_SCRATCH = 8_000_000  # numbers of a table that finds places


@dataclass(frozen=True, slots=True)
class Pattern:
    """The nonzeros of B (J * k, q2) and S (q2, q2), and how the one makes the other.

    Attributes
    ----------
    k, q2 : int
        Coefficients of the leading term; columns of the later ones.
    level, column : (N,)
        Of each place.
    touched : (n, width)
        The places of the columns that a row touches.
    order : (N,)
        Places by column; pair by pair, the first of two is that of `order`.
    ends : (N + 1,)
        Where the pairs of each place of `order` begin.
    second : (P,)
        The other place of a pair: of the same level, its column no larger.
    at : (P,)
        Where the lower triangle of S has the two columns.
    indptr, indices : (q2 + 1,), (E,)
        S in full, by rows, in order.
    lower : (L,)
        The elements of the lower triangle among the E.
    expand, mirror : (E,)
        Of each element, its place in the lower triangle, and that of its transpose in full.
    rows : tuple over later terms of (k_t, ...) int
        Of each term and coefficient, the elements of its rows in S, level after level.
    runs : tuple over later terms of (N_t, k_t) int
        The places of one level and one level of a later term.
    flat : (N * k,), (N * k,), (J * k + 1,)
        B row by row: which of its (N, k) elements, in which columns; where rows begin.
    corner : (L,), (L,)
        Rows and columns of the lower triangle's elements.
    met : (n, width, width)
        Where the lower triangle has the columns of a row, two by two.
    """

    k: int
    q2: int
    level: Index
    column: Index
    touched: Index
    order: Index
    ends: Index
    second: Any
    at: Index
    indptr: Index
    indices: Index
    lower: Index
    expand: Index
    mirror: Index
    rows: tuple[Index, ...]
    runs: tuple[Index, ...]
    flat: tuple[Index, Index, Index]
    corner: tuple[Index, Index]
    met: Index

    def gather(self, values: Array) -> Array:
        """Sums (N,) over rows of values (n, width) of the columns that a row touches."""
        return _sums(self.touched.ravel(), values.ravel(), len(self.level))

    def squares(self, values: Array, weight: Array) -> Array:
        """The lower triangle (L,) of ``Z2' W Z2``, for the rows' values (n, width) there."""
        out = np.zeros(len(self.lower))
        width = values.shape[1]
        for a in range(width):
            heavy = weight * values[:, a]
            for b in range(a, width):
                out += np.bincount(self.met[:, a, b], heavy * values[:, b], len(out))
        return out

    def between(self, left: Array, right: Array) -> Array:
        """The lower triangle (L,) of ``left' right`` for two B's (N, k) whose product is
        symmetric."""
        count = np.diff(self.ends)
        values = np.zeros(len(self.at))
        for a, b in zip(left.T, right.T, strict=True):
            values += np.repeat(a[self.order], count) * b[self.second]
        return _sums(self.at, values, len(self.lower))

    def through(self, inverse: Array, B: Array) -> Array:
        """``B inv(S)`` at the places of B, (N, k): `inverse` (L,) is inv(S) where S is not 0."""
        size = len(self.level)
        W = scipy.sparse.csr_array((inverse[self.at], self.second, self.ends), shape=(size, size))
        own = inverse[self.at[self.ends[1:] - 1]]  # a place with itself is the last of its pairs
        out = np.empty_like(B)
        by_column = W @ B - own[:, None] * B[self.order]
        out[self.order] = by_column
        result: Array = out + W.T @ B[self.order]
        return result

    def by_level(self, left: Array, right: Array, J: int) -> Array:
        """Sums over the places of a level of the products of two (N, k): (J, k, k)."""
        out = np.empty((J, self.k, self.k))
        for a in range(self.k):
            for b in range(self.k):
                out[:, a, b] = np.bincount(self.level, left[:, a] * right[:, b], J)
        return out

    @property
    def own(self) -> Index:
        """The diagonal of S among the elements of its lower triangle."""
        return np.flatnonzero(self.corner[0] == self.corner[1])

    def matrix(self, B: Array) -> Any:
        """B (N, k) as a sparse (J * k, q2) array."""
        picked, columns, indptr = self.flat
        shape = (len(indptr) - 1, self.q2)
        return scipy.sparse.csr_array((B.ravel()[picked], columns, indptr), shape=shape)

    def full(self, lower: Array) -> Any:
        """S as a sparse (q2, q2) array from its lower triangle (L,)."""
        shape = (self.q2, self.q2)
        return scipy.sparse.csr_array((lower[self.expand], self.indices, self.indptr), shape=shape)

    def times_later(self, B: Array, factors: Sequence[Array]) -> Array:
        """``B Lambda2`` (N, k) for the factors of the later terms."""
        out = np.empty_like(B)
        for run, L in zip(self.runs, factors, strict=True):
            out[run] = B[run] * L[0, 0] if L.size == 1 else np.einsum("nca,cd->nda", B[run], L)
        return out

    def later_times(self, factors: Sequence[Array], S: Array) -> Array:
        """``Lambda2' S`` for S given in full by its elements (E,)."""
        out = np.empty_like(S)
        for row, L in zip(self.rows, factors, strict=True):
            out[row] = S[row] * L[0, 0] if L.size == 1 else np.einsum("ce,cd->de", S[row], L)
        return out

    def diagonal(self, terms: Sequence[Term], lower: Array) -> list[Array]:
        """The diagonal blocks (J, k, k) of the later terms from a lower triangle (L,)."""
        S, out, at = self.full(lower), [], 0
        for term in terms:
            index = at + np.arange(term.J * term.k).reshape(term.J, term.k)
            rows = np.broadcast_to(index[:, :, None], (term.J, term.k, term.k)).ravel()
            columns = np.broadcast_to(index[:, None, :], (term.J, term.k, term.k)).ravel()
            out.append(np.asarray(S[rows, columns]).reshape(term.J, term.k, term.k))
            at += term.J * term.k
        return out


def _sums(places: Index, values: Array, size: int) -> Array:
    return np.bincount(places, values, size).astype(np.float64, copy=False)


def pattern(terms: Sequence[Term], columns: Index, q2: int) -> Pattern | None:
    """The pattern of a design, or None where it is so full that dense products are faster.

    Parameters
    ----------
    terms :
        All group terms, the leading one first.
    columns : (n, width)
        The later columns that each row touches.
    """
    first, later = terms[0], terms[1:]
    key = first.codes[:, None].astype(np.int64) * q2 + columns
    places, touched = np.unique(key, return_inverse=True)
    level, column = (part.astype(np.intp, copy=False) for part in np.divmod(places, q2))
    starts = np.searchsorted(level, np.arange(first.J + 1))
    count = np.diff(starts)
    pairs = int((count * (count + 1) // 2).sum())
    if len(places) > FULL * first.J * q2 or pairs > MOST_PAIRS:
        return None
    order = np.argsort(column, kind="stable")
    begins = starts[level[order]]
    ends = np.concatenate([[0], np.cumsum(order - begins + 1)])
    second = np.arange(ends[-1]) - np.repeat(ends[:-1] - begins, np.diff(ends))
    indptr, indices = _schur(level, column, first.J, q2)
    row = np.repeat(np.arange(q2), np.diff(indptr))
    lower = np.flatnonzero(indices <= row)
    ordinal = np.cumsum(indices <= row) - 1
    mirror = _mirror(indptr, indices, q2)
    expand = np.where(indices <= row, ordinal, ordinal[mirror])
    at = _find(indptr, indices, ordinal, column, order, ends, second)
    touched = touched.reshape(columns.shape)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    high = np.maximum(touched[:, :, None], touched[:, None, :])
    low = np.minimum(touched[:, :, None], touched[:, None, :])
    met = at[ends[rank[high]] + low - starts[first.codes][:, None, None]]
    return Pattern(
        first.k, q2, level, column, touched, order, ends, second.astype(np.int32), at,
        indptr, indices, lower, expand, mirror, _term_rows(later, indptr),
        _term_runs(later, column), _flat(level, column, starts, first.k),
        (row[lower], indices[lower]), met,
    )  # fmt: skip


def _schur(level: Index, column: Index, J: int, q2: int) -> tuple[Index, Index]:
    ones = np.ones(len(level), dtype=np.int32)
    B = scipy.sparse.csr_array((ones, (level, column)), shape=(J, q2))
    S = (B.T @ B).tocsr()
    S.sort_indices()
    return S.indptr.astype(np.intp), S.indices.astype(np.intp)


def _mirror(indptr: Index, indices: Index, q2: int) -> Index:
    E = len(indices)
    numbered = scipy.sparse.csr_array((np.arange(E), indices, indptr), shape=(q2, q2))
    turned = numbered.tocsc()
    turned.sort_indices()
    result: Index = turned.data.astype(np.intp)
    return result


def _find(
    indptr: Index, indices: Index, ordinal: Index, column: Index, order: Index, ends: Index,
    second: Index,
) -> Index:  # fmt: skip
    """Where the lower triangle has the columns of each pair, some columns at a time."""
    q2, sorted_columns = len(indptr) - 1, column[order]
    at = np.empty(len(second), dtype=np.intp)
    step = max(1, _SCRATCH // q2)
    table = np.zeros((step, q2), dtype=np.intp)
    for a in range(0, q2, step):
        b = min(a + step, q2)
        own = slice(indptr[a], indptr[b])
        rows = np.repeat(np.arange(b - a), np.diff(indptr[a : b + 1]))
        table[rows, indices[own]] = ordinal[own]
        lo, hi = np.searchsorted(sorted_columns, [a, b])
        part = slice(ends[lo], ends[hi])
        mine = np.repeat(sorted_columns[lo:hi] - a, np.diff(ends[lo : hi + 1]))
        at[part] = table[mine, column[second[part]]]
    return at


def _term_rows(later: Sequence[Term], indptr: Index) -> tuple[Index, ...]:
    out, at = [], 0
    for term in later:
        rows = []
        for c in range(term.k):
            mine = at + c + np.arange(term.J) * term.k
            count = indptr[mine + 1] - indptr[mine]
            ends = np.cumsum(count)
            rows.append(np.arange(ends[-1]) + np.repeat(indptr[mine] - (ends - count), count))
        out.append(np.stack(rows))
        at += term.J * term.k
    return tuple(out)


def _term_runs(later: Sequence[Term], column: Index) -> tuple[Index, ...]:
    out, at = [], 0
    for term in later:
        end = at + term.J * term.k
        out.append(np.flatnonzero((column >= at) & (column < end)).reshape(-1, term.k))
        at = end
    return tuple(out)


def _flat(level: Index, column: Index, starts: Index, k: int) -> tuple[Index, Index, Index]:
    """Elements of (N, k), row by row of a (J * k, q2) array: which, their columns, indptr."""
    count = np.diff(starts)
    indptr = np.concatenate([[0], np.cumsum(np.repeat(count, k))])
    inside = np.arange(len(level)) - starts[level]
    where = np.empty(len(level) * k, dtype=np.intp)
    for a in range(k):
        where[indptr[level * k + a] + inside] = np.arange(len(level)) * k + a
    return where, column[where // k], indptr
