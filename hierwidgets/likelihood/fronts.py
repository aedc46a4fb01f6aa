"""Cholesky factors of a sparse symmetric matrix, and its inverse where the matrix is not 0.

Columns with much the same nonzeros are eliminated together in a dense *front*: its columns, and
the rows below that they touch (Duff & Reid 1983, ACM Trans. Math. Softw. 9(3)). BLAS then
does what there is to do. Going back from the last front to the first gives the inverse on the
same nonzeros, which is all that gradients and conditional sds ask for (Takahashi, Fagan & Chen
1973; Erisman & Tinney 1975, Commun. ACM 18(3)).

`plan` looks at the nonzeros alone, once for a design: an order that fills little, the fronts, and
whether all that costs less than one dense factor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from hierwidgets.base.arrays import Array, Index
from hierwidgets.errors import FitError

__all__ = ["Factor", "Plan", "dense_seconds", "plan"]

# Seconds, measured on one core; only their ratios matter.
_FLOP = 1 / 45e9  # of a dense factor and its inverse, by the cube of its columns
_MOVE = 20e-9  # to add one number of a front to the next
_FRONT = 200e-6  # for each front, whatever its size


def dense_seconds(size: int) -> float:
    """About how long a dense factor and its inverse take."""
    return _FLOP * size**3 + _MOVE * size**2


@dataclass(frozen=True, slots=True)
class Plan:
    """The order of elimination and the fronts, for a matrix with given nonzeros.

    Attributes
    ----------
    order : (q,)
        The column that is eliminated first, second, ...
    starts : (F + 1,)
        The first column of each front, in that order.
    below : tuple of (b,)
        The rows under each front's columns, in that order.
    parent : (F,)
        The front that a front's rest is added to; -1 at a root.
    inside : tuple of (b,)
        Where that front has these rows, among its columns and then its rows.
    offset : (F + 1,)
        Where each front's columns begin in one array of all.
    at : (L,)
        Where that array has each element of the lower triangle.
    seconds : float
        About how long a factor and its inverse take.
    """

    order: Index
    starts: Index
    below: tuple[Index, ...]
    parent: Index
    inside: tuple[Index, ...]
    offset: Index
    at: Index
    seconds: float

    def factor(self, values: Array) -> "Factor":
        """The factor of the matrix whose lower triangle has `values` (L,).

        Raises
        ------
        numpy.linalg.LinAlgError
            It is not positive definite.
        """
        flat = np.zeros(self.offset[-1])
        flat[self.at] = values
        rest: dict[int, list[tuple[Index, Array]]] = {}
        tops, bottoms, logdet = [], [], 0.0
        for f, below in enumerate(self.below):
            s, b = int(self.starts[f + 1] - self.starts[f]), len(below)
            panel = flat[self.offset[f] : self.offset[f + 1]].reshape((s + b, s), order="F")
            U = np.zeros((b, b), order="F")
            for inside, part in rest.pop(f, ()):
                cut = int(np.searchsorted(inside, s))
                near, far = inside[:cut, None], inside[cut:] - s
                panel.T[near, inside] += part.T[:cut]  # column by column, as they lie in memory
                U.T[far[:, None], far] += part.T[cut:, cut:]
            own = panel if not b else panel[:s]  # a root is factorised where it stands
            top, info = scipy.linalg.lapack.dpotrf(own, lower=1, clean=0, overwrite_a=1)
            if info:
                raise np.linalg.LinAlgError("the matrix is not positive definite")
            logdet += 2.0 * float(np.log(np.diag(top)).sum())
            bottom = np.asfortranarray(panel[s:])
            if b:
                bottom = scipy.linalg.blas.dtrsm(
                    1.0, top, bottom, side=1, lower=1, trans_a=1, overwrite_b=1
                )
                U = scipy.linalg.blas.dsyrk(-1.0, bottom, beta=1.0, c=U, lower=1, overwrite_c=1)
                rest.setdefault(int(self.parent[f]), []).append((self.inside[f], U))
            tops.append(top)
            bottoms.append(bottom)
        return Factor(self, tuple(tops), tuple(bottoms), logdet, flat)


@dataclass(frozen=True, slots=True)
class Factor:
    """``P A P' = L L'`` in fronts.

    Attributes
    ----------
    tops, bottoms : tuples of (s, s) and (b, s)
        L at the front's columns: their triangle, and the rows below.
    logdet : float
        log|A|.
    flat : (offset[-1],)
        The memory in which it was made.
    """

    plan: Plan
    tops: tuple[Array, ...]
    bottoms: tuple[Array, ...]
    logdet: float
    flat: Array

    def solve(self, rhs: Array) -> Array:
        """``inv(A) rhs`` for (q,) or (q, r)."""
        x = rhs[self.plan.order].reshape(len(rhs), -1)
        starts = self.plan.starts
        for f, (top, bottom) in enumerate(zip(self.tops, self.bottoms, strict=True)):
            own = slice(starts[f], starts[f + 1])
            x[own] = _triangle(top, x[own], 0)
            if len(bottom):
                x[self.plan.below[f]] -= bottom @ x[own]
        return self._back(x).reshape(rhs.shape)

    def half(self, z: Array) -> Array:
        """``P' inv(L') z`` (q,): of variance inv(A) where z is of variance I."""
        return self._back(z[self.plan.order].reshape(len(z), -1)).reshape(z.shape)

    def _back(self, x: Array) -> Array:
        """``P' inv(L') x``; x is overwritten."""
        starts = self.plan.starts
        for f in range(len(self.tops) - 1, -1, -1):
            own = slice(starts[f], starts[f + 1])
            if len(self.bottoms[f]):
                x[own] -= self.bottoms[f].T @ x[self.plan.below[f]]
            x[own] = _triangle(self.tops[f], x[own], 1)
        out = np.empty_like(x)
        out[self.plan.order] = x
        return out

    def inverse(self, *, last: bool = False) -> Array:
        """``inv(A)`` at the elements of the lower triangle that the plan knows: (L,).

        With `last` it is made in the factor's memory, and the factor is used up.
        """
        made = self.plan
        flat = self.flat if last else np.empty(made.offset[-1])
        children: list[list[int]] = [[] for _ in self.tops]
        for f, up in enumerate(made.parent):
            if up >= 0:
                children[up].append(f)
        waiting: dict[int, Array] = {}
        for f in range(len(self.tops) - 1, -1, -1):
            top, bottom = self.tops[f], self.bottoms[f]
            s, b = len(top), len(bottom)
            panel = flat[made.offset[f] : made.offset[f + 1]].reshape((s + b, s), order="F")
            if not b and not last:
                panel[:] = top
            whole = _inverted(top.copy(order="F") if b else panel)  # a root's: where it stands
            if b:  # top and bottom may lie in the same memory: first what needs them
                known = waiting.pop(f)
                Y = scipy.linalg.blas.dtrsm(1.0, top, bottom, side=1, lower=1)
                panel[s:] = under = -known @ Y
                panel[:s] = whole - Y.T @ under
                if children[f]:
                    whole = np.empty((s + b, s + b), order="F")
                    whole[:, :s], whole[:s, s:], whole[s:, s:] = panel, under.T, known
            if children[f]:
                for child in children[f]:
                    inside = made.inside[child]
                    waiting[child] = whole.T[inside[:, None], inside].T
        result: Array = flat[made.at]
        return result


def _triangle(top: Array, x: Array, transposed: int) -> Array:
    return np.asarray(scipy.linalg.blas.dtrsm(1.0, top, x, lower=1, trans_a=transposed))


def _inverted(top: Array) -> Array:
    """``inv(L L')``, in full; L is overwritten."""
    inverse, info = scipy.linalg.lapack.dpotri(top, lower=1, overwrite_c=1)
    if info:
        raise FitError("the group effects cannot be told apart; leave one of the group terms out")
    for a in range(0, len(inverse), 256):  # the upper triangle, without another matrix
        b = min(a + 256, len(inverse))
        inverse[a:b, b:] = inverse[b:, a:b].T
        block = np.tril(inverse[a:b, a:b])
        inverse[a:b, a:b] = block + np.tril(block, -1).T
    return np.asarray(inverse)


# --- from the nonzeros to the fronts -------------------------------------------------------


def plan(indptr: Index, indices: Index, lower: Index) -> Plan | None:
    """The cheapest plan for a symmetric matrix, or None where a dense factor costs less.

    Two orders are looked at. Columns with few nonzeros first suits terms whose levels are of
    very different size, as with ratings of few popular and many rare things; the order of
    Cuthill & McKee, reversed (scipy's), suits levels that meet their neighbours alone.

    Parameters
    ----------
    indptr, indices : (q + 1,), (E,)
        Nonzeros by row, in full.
    lower : (L,)
        Those of the lower triangle among the E.
    """
    q = len(indptr) - 1
    best, found = dense_seconds(q), None
    for order in _orders(indptr, indices):
        below = _eliminated(indptr, indices, order, best)
        if below is not None:
            fronts, seconds = _fronts(below, q)
            if seconds < best:
                best, found = seconds, (order, below, fronts)
    return None if found is None else _laid_out(*found, indptr, indices, lower, best)


def _orders(indptr: Index, indices: Index) -> list[Index]:
    q = len(indptr) - 1
    ones = np.ones(len(indices), dtype=np.int8)
    graph = scipy.sparse.csr_matrix((ones, indices, indptr), shape=(q, q))
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    near = reverse_cuthill_mckee(graph, symmetric_mode=True)
    return [np.argsort(np.diff(indptr), kind="stable"), near.astype(np.intp)]


def _eliminated(indptr: Index, indices: Index, order: Index, most: float) -> list[Index] | None:
    """The rows below each column, in the order, up to the first that touches all that are left.

    None once these alone would take more than `most` seconds.
    """
    q, seconds = len(order), 0.0
    place = np.empty(q, dtype=np.intp)
    place[order] = np.arange(q)
    children: list[list[int]] = [[] for _ in range(q)]
    below: list[Index] = []
    touched = np.zeros(q, dtype=bool)
    for j, column in enumerate(order):
        touched[place[indices[indptr[column] : indptr[column + 1]]]] = True
        for child in children[j]:
            touched[below[child]] = True
        rows = j + 1 + np.flatnonzero(touched[j + 1 :])
        touched[:] = False
        if len(rows) == q - 1 - j:
            break
        seconds += 3.0 * _FLOP * len(rows) ** 2
        if seconds > most:
            return None
        below.append(rows)
        if len(rows):
            children[rows[0]].append(j)
    return below


def _seconds(s: int, b: int) -> float:
    work = s**3 + 4.0 * s**2 * b + 3.0 * s * b**2
    return _FLOP * work + _MOVE * (2.0 * b**2 + (s + b) * s) + _FRONT


def _fronts(below: list[Index], q: int) -> tuple[list[list[int]], float]:
    """Columns put together as long as that saves time: each front's columns, last to first.

    A column that joins the front above it is filled up with zeros; alone it costs a front, which
    it may share with the columns under it.
    The first front is what is left at the end, as one dense front.
    """
    known = len(below)
    fronts, front_of, rest = [list(range(q - 1, known - 1, -1))], np.zeros(q, dtype=np.intp), [0]
    has_child = np.zeros(q, dtype=bool)
    has_child[[rows[0] for rows in below if len(rows)]] = True
    for c in range(known - 1, -1, -1):
        b = len(below[c])
        if b:
            up = int(front_of[below[c][0]])
            s, more = len(fronts[up]), rest[up]
            zeros = _seconds(s + 1, more) - _seconds(s, more) - 3.0 * _FLOP * b**2
            alone = (_FRONT + 2.0 * _MOVE * b**2) / (s if has_child[c] else 1)
            if fronts[up][-1] == below[c][0] and zeros <= alone:
                fronts[up].append(c)
                front_of[c] = up
                continue
        front_of[c] = len(fronts)
        fronts.append([c])
        rest.append(b)
    return fronts, sum(_seconds(len(own), b) for own, b in zip(fronts, rest, strict=True))


def _laid_out(
    order: Index, below: list[Index], fronts: list[list[int]],
    indptr: Index, indices: Index, lower: Index, seconds: float,
) -> Plan:  # fmt: skip
    """The plan with fronts in postorder, children before parents and next to them."""
    q = len(order)
    none = np.zeros(0, dtype=np.intp)
    rows = [below[own[0]] if own[0] < len(below) else none for own in fronts]
    front_of = np.empty(q, dtype=np.intp)
    for f, own in enumerate(fronts):
        front_of[own] = f
    parent = np.array([front_of[r[0]] if len(r) else -1 for r in rows])
    visit = _postorder(parent)
    moved = np.concatenate([fronts[f][::-1] for f in visit]).astype(np.intp)
    place = np.empty(q, dtype=np.intp)
    place[moved] = np.arange(q)
    rank = np.empty(len(fronts), dtype=np.intp)
    rank[visit] = np.arange(len(fronts))
    starts = np.concatenate([[0], np.cumsum([len(fronts[f]) for f in visit])])
    ordered = [np.sort(place[rows[f]]) for f in visit]
    up = np.array([rank[parent[f]] if parent[f] >= 0 else -1 for f in visit])
    inside = [
        _inside(r, starts[p], starts[p + 1], ordered[p]) if p >= 0 else r
        for r, p in zip(ordered, up, strict=True)
    ]
    size = np.diff(starts)
    offset = np.concatenate([[0], np.cumsum((size + [len(r) for r in ordered]) * size)])
    order = order[moved]
    at = _places(indptr, indices, lower, order, starts, ordered, offset)
    return Plan(order, starts, tuple(ordered), up, tuple(inside), offset, at, seconds)


def _postorder(parent: Index) -> list[int]:
    children: list[list[int]] = [[] for _ in parent]
    roots: list[int] = []
    for f, up in enumerate(parent):
        (children[up] if up >= 0 else roots).append(f)
    visit: list[int] = []
    stack = roots
    while stack:  # parents first, reversed at the end
        f = stack.pop()
        visit.append(f)
        stack.extend(children[f])
    return visit[::-1]


def _inside(rows: Index, start: int, end: int, below: Index) -> Index:
    """Where a front with columns from `start` to `end` and rows `below` has `rows`."""
    own = rows < end
    return np.where(own, rows - start, end - start + np.searchsorted(below, rows))


def _places(
    indptr: Index, indices: Index, lower: Index, order: Index,
    starts: Index, below: Sequence[Index], offset: Index,
) -> Index:  # fmt: skip
    """Where the fronts' columns have the elements of the lower triangle."""
    q = len(order)
    place = np.empty(q, dtype=np.intp)
    place[order] = np.arange(q)
    one = place[np.repeat(np.arange(q), np.diff(indptr))[lower]]
    other = place[indices[lower]]
    column, row = np.minimum(one, other), np.maximum(one, other)
    by_column = np.argsort(column, kind="stable")
    cuts = np.searchsorted(column[by_column], starts)
    at = np.empty(len(lower), dtype=np.intp)
    for f, rows in enumerate(below):
        mine = by_column[cuts[f] : cuts[f + 1]]
        s = starts[f + 1] - starts[f]
        inner = _inside(row[mine], starts[f], starts[f + 1], rows)
        at[mine] = offset[f] + (column[mine] - starts[f]) * (s + len(rows)) + inner
    return at
