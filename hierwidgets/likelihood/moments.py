"""Where to start a large Gaussian fit: variances by moments, at the price of one look at the data.

With residuals r of y on X, each column z of Z and ``n = z'z``,

    E sum (z'r)^2 / n = sum over s of v_s sum |Z_s'z|^2 / n + J sigma^2,
    E r'r             = sum over s of v_s |Z_s|^2           + (n - p) sigma^2,

one equation for each coefficient that varies and one for the residual, linear in the variances
(Henderson 1953, Biometrics 9(2), method 1; what X takes from Z is left out). A search that starts
there is spared the way.
"""

from typing import Any

import numpy as np
import scipy

from hierwidgets.base.arrays import Array, Index

from .cross_products import Products

__all__ = ["first_theta"]

_LEAST, _MOST = 0.03, 10.0  # of an sd, relative to the residual sd
_UNKNOWN = 0.1  # where the moments say that there is no variance


def first_theta(P: Products) -> Array:
    """Theta (m,) with independent coefficients, whose variances have these moments."""
    lay, template = P.lay, P.lay.design.template
    kinds = [_kinds(P, 0, 0), np.zeros(0, dtype=np.intp)]
    sizes = np.cumsum([0, *(term.k for term in lay.design.terms)])
    if lay.q2:
        kinds[1] = np.concatenate([_kinds(P, t, sizes[t]) for t in range(1, len(lay.design.terms))])
    v = _variances(P, kinds, int(sizes[-1]))
    sd = np.sqrt(np.maximum(v[:-1], 0.0) / v[-1]) if v[-1] > 0 else np.zeros(len(v) - 1)
    sd = np.where(sd > 0, np.clip(sd, _LEAST, _MOST), _UNKNOWN)
    at = [sizes[t] + row for t, row in zip(template.term, template.rows, strict=True)]
    theta: Array = template.start() * sd[np.array(at)]
    return theta


def _kinds(P: Products, t: int, first: int) -> Index:
    """Which coefficient each column of a term belongs to, counted from `first`."""
    term = P.lay.design.terms[t]
    return first + np.tile(np.arange(term.k), term.J)


def _variances(P: Products, kinds: list[Index], c: int) -> Array:
    """The solution (c + 1,) of the equations, the residual variance last."""
    one, two = (scipy.sparse.csr_array(np.eye(c)[kind]) for kind in kinds)
    k = P.G00.shape[1]
    n0 = np.einsum("jkk->jk", P.G00).ravel()
    n2 = P.G22.diagonal()
    G0, G02, G22 = np.square(P.G00).reshape(-1, k), _squared(P.G02), _squared(P.G22)
    within = np.zeros((len(n0), c))
    within[:, :k] = G0
    rows = np.vstack([within + _dense(G02 @ two), _dense(G02.T @ one) + _dense(G22 @ two)])
    n, kind = np.concatenate([n0, n2]), np.concatenate(kinds)
    score = np.concatenate([P.G0x[:, -1], P.G2x[:, -1]])
    seen = n > 0
    weight = np.divide(1.0, n, out=np.zeros_like(n), where=seen)
    equations = np.zeros((c + 1, c + 1))
    known = np.zeros(c + 1)
    for i in range(c):
        own = kind == i
        equations[i, :c] = weight[own] @ rows[own]
        equations[i, c] = seen[own].sum()
        equations[c, i] = n[own].sum()
        known[i] = weight[own] @ score[own] ** 2
    equations[c, c] = P.n - len(P.R)
    known[c] = P.Gxx[-1, -1]
    solution: Array = np.linalg.lstsq(equations, known, rcond=None)[0].astype(np.float64)
    return solution


def _squared(G: Any) -> Any:
    return G.power(2) if scipy.sparse.issparse(G) else np.square(G)


def _dense(product: Any) -> Array:
    return product.toarray() if scipy.sparse.issparse(product) else np.asarray(product)
