"""The linear predictor of coefficients and sampled effects, and its transpose."""

from hierwidgets.base.arrays import Array

from .compiled import compiled
from .problem import Data, Pieces

__all__ = ["linear_predictor", "transpose"]


@compiled
def linear_predictor(data: Data, pieces: Pieces, v: Array) -> Array:
    """Linear predictor without the integrated effects."""
    p = data.Q.shape[1]
    base = data.offset.copy()
    for i in range(base.size):
        for m in range(p):
            base[i] += data.Q[i, m] * v[m]
    at, column = p, 0
    for t in range(pieces.sizes.size):
        k = pieces.sizes[t]
        for i in range(base.size):
            start = at + data.codes[t, i] * k
            for m in range(k):
                base[i] += data.Z[i, column + m] * v[start + m]
        at += pieces.levels[t] * k
        column += k
    return base


@compiled
def transpose(data: Data, pieces: Pieces, by_row: Array, v_bar: Array) -> None:
    """The transpose of `linear_predictor`: derivatives by v from those by the predictor."""
    p = data.Q.shape[1]
    for i in range(by_row.size):
        for m in range(p):
            v_bar[m] += data.Q[i, m] * by_row[i]
    at, column = p, 0
    for t in range(pieces.sizes.size):
        k = pieces.sizes[t]
        for i in range(by_row.size):
            start = at + data.codes[t, i] * k
            for m in range(k):
                v_bar[start + m] += data.Z[i, column + m] * by_row[i]
        at += pieces.levels[t] * k
        column += k
