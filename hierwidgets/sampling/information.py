r"""The information of the data on coefficients and sampled effects, in blocks.

Near a reference fit the log-likelihood of coefficients and effects v is quadratic,
``-v'Hv / 2 + r'v`` with ``H = G' inv(V) G`` and ``r = G' inv(V) response``: G (n, length of v)
has the columns of coefficients and effects, and V is the variance of the working response once
the integrated effects are out, ``1 / weight + variance z z'`` within a level.
"""

from dataclasses import dataclass

import numpy as np

from hierwidgets.base.arrays import Array, Index

from .kernels.problem import Data, Integrated, Pieces, Whitening

__all__ = ["WorkingResponse", "whitening"]


@dataclass(frozen=True, slots=True)
class WorkingResponse:
    """The reference fit's quadratic log-likelihood of the rows, in the order of the problem.

    Attributes
    ----------
    weight, response : (n,)
        Information of the linear predictor and the working response.
    lead : Integrated
    variance : (k,)
        Of the integrated effects.
    """

    weight: Array
    response: Array
    lead: Integrated
    variance: Array

    def weigh(self, columns: Array) -> Array:
        """``inv(V) columns``."""
        W = self.weight[:, None] * columns
        if not self.lead.coordinates:
            return W
        z, codes = self.lead.z, self._codes()
        if z.ndim > 1:
            return W - self._pulled(W, codes)
        gain = self.variance[0] / (1.0 + self.variance[0] * self._information(codes))
        pulled = np.add.reduceat(W * z[:, None], self.lead.starts[:-1], axis=0)
        back = (gain[:, None] * pulled)[codes] * z[:, None]
        return W - self.weight[:, None] * back

    def _pulled(self, W: Array, codes: Index) -> Array:
        """What the levels' effects take away from ``weight * columns``, W."""
        z, starts = self.lead.z, self.lead.starts[:-1]
        outer = z[:, :, None] * (self.weight[:, None] * z)[:, None, :]
        A = np.add.reduceat(outer, starts, axis=0) + np.diag(1.0 / self.variance)
        pulled = np.add.reduceat(z[:, :, None] * W[:, None, :], starts, axis=0)
        back = np.linalg.solve(A, pulled)[codes]
        return np.asarray(self.weight[:, None] * np.einsum("nk,nkm->nm", z, back))

    def inflation(self) -> Array:
        """By how much the integrated effects blur a row."""
        if not self.lead.coordinates:
            return np.ones(len(self.response))
        codes = self._codes()
        variance = float(self.variance.mean())
        return np.asarray(1.0 + variance * self._information(codes)[codes], dtype=np.float64)

    def _codes(self) -> Index:
        starts = self.lead.starts
        return np.repeat(np.arange(len(starts) - 1), np.diff(starts))

    def _information(self, codes: Index) -> Array:
        """Of the rows of each level on its effect."""
        J = len(self.lead.starts) - 1
        square = self.lead.z**2 if self.lead.z.ndim == 1 else (self.lead.z**2).sum(axis=1)
        return np.bincount(codes, self.weight * square, J).astype(np.float64)


def whitening(data: Data, pieces: Pieces, working: WorkingResponse, limit: int) -> Whitening:
    """Blocks, slots, and the information of each block: one block of up to `limit` numbers,
    beyond that one of coefficients and one for each level."""
    p = data.Q.shape[1]
    slot_piece = np.repeat(np.arange(len(pieces.sizes)), pieces.levels)
    ends = p + np.cumsum(pieces.sizes[slot_piece])
    slot = np.concatenate([[p], ends])[:-1]
    size = int(ends[-1]) if len(slot) else p
    if size <= limit or not len(slot):
        block, slot_at = ([0, size], [0, len(slot)]) if size else ([0], [0])
        H, r = _jointly(data, pieces, working, size)
    else:
        block, slot_at = [*slot, size], list(range(len(slot) + 1))
        if p:
            block, slot_at = [0, *block], [0, *slot_at]
        H, r = _by_level(data, pieces, working, size)
    squares = np.diff(block) ** 2
    return Whitening(
        np.array(block, np.intp),
        np.array(slot, np.intp),
        np.array(slot_piece, np.intp),
        np.array(slot_at, np.intp),
        np.concatenate([np.zeros(0), *[h.ravel() for h in H]]),
        np.concatenate([[0], np.cumsum(squares)]).astype(np.intp),
        r,
    )


def _jointly(
    data: Data, pieces: Pieces, working: WorkingResponse, size: int
) -> tuple[list[Array], Array]:
    """H and r of all numbers of v together."""
    G = np.zeros((len(data.y), size))
    at, column = data.Q.shape[1], 0
    G[:, :at] = data.Q
    line = np.arange(len(G))
    for codes, k, J in zip(data.codes, pieces.sizes, pieces.levels, strict=True):
        for m in range(k):
            G[line, at + codes * k + m] = data.Z[:, column + m]
        at, column = at + J * k, column + k
    V = working.weigh(G)
    return [G.T @ V] if size else [], V.T @ working.response


def _by_level(
    data: Data, pieces: Pieces, working: WorkingResponse, size: int
) -> tuple[list[Array], Array]:
    """H and r of the coefficients, and of every level given the coefficients."""
    at, column = data.Q.shape[1], 0
    H: list[Array] = []
    r, rest = np.zeros(size), working.response
    if at:
        VQ = working.weigh(data.Q)
        H = [data.Q.T @ VQ]
        r[:at] = VQ.T @ working.response
        rest = rest - data.Q @ np.linalg.solve(H[0], r[:at])
    blur = working.inflation()[:, None]
    for codes, k, J in zip(data.codes, pieces.sizes, pieces.levels, strict=True):
        Z = data.Z[:, column : column + k]
        V = Z * working.weight[:, None] / blur
        every, pulled = np.zeros((J, k, k)), np.zeros((J, k))
        np.add.at(every, codes, Z[:, :, None] * V[:, None, :])
        np.add.at(pulled, codes, V * rest[:, None])
        H += list(every)
        r[at : at + J * k] = pulled.ravel()
        at, column = at + J * k, column + k
    return H, r
