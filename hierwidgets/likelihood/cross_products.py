"""Cross-products of a Gaussian model's rows: all that its likelihood asks of the data.

An evaluation then costs what the levels cost, not what the rows cost. X is orthonormalised and y
replaced by its residual on X first, so that cross-products lose no digits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.spec.design import Design

from .blocks import Layout, layout

__all__ = ["Products", "products"]

_FULL = 0.1  # share of filled elements from which a dense matrix is the faster one


@dataclass(frozen=True, slots=True)
class Products:
    """Cross-products of the weighted rows; 0 is the leading term, 2 the later ones.

    ``XY`` stands for the orthonormal columns of X and, last, the residual of y on them.

    Attributes
    ----------
    G00 : (J, k, k);  G02 : (J * k, q2) and G22 : (q2, q2), dense or sparse
    G0x : (J * k, p + 1);  G2x : (q2, p + 1);  Gxx : (p + 1, p + 1)
    R : (p, p)
        ``X = Q R``.
    beta0 : (p,)
        Least squares of y on X.
    n : int
        Rows with positive weight.
    log_weights : float
        Sum of the logarithms of the weights.
    places, corner : (N, k) and (L,), or None
        G02 and G22 at the elements of the layout's pattern, where there is one.
    """

    lay: Layout
    G00: Array
    G02: Any
    G22: Any
    G0x: Array
    G2x: Array
    Gxx: Array
    R: Array
    beta0: Array
    n: int
    log_weights: float
    places: Array | None = None
    corner: Array | None = None


def products(design: Design) -> Products:
    """All sums over rows that the Gaussian likelihood needs."""
    lay = layout(design)
    places = corner = None
    first = design.terms[0]
    root = np.sqrt(design.trials)
    Q, R, beta0, residual = _least_squares(design, root)
    XY = np.column_stack([Q, residual])
    z0 = first.Z * root[:, None]
    J, k = first.J, first.k
    G0x = lay.sum(z0[:, :, None] * XY[:, None, :]).reshape(J * k, -1)
    G00 = lay.sum(z0[:, :, None] * z0[:, None, :])
    if lay.Z2 is None:
        empty = np.zeros((0, 0))
        G02: Any = np.zeros((J * k, 0))
        G22, G2x = empty, np.zeros((0, XY.shape[1]))
    else:
        Z2 = _weighted(lay, root)
        if lay.pattern is None:
            G02, G22 = _cross(lay, z0, Z2)
        else:
            values = lay.Z2.data.reshape(lay.pattern.touched.shape) * root[:, None]
            places = np.stack([lay.pattern.gather(values * z[:, None]) for z in z0.T], axis=1)
            corner = lay.pattern.squares(values, np.ones(len(values)))
            G02, G22 = lay.pattern.matrix(places), lay.pattern.full(corner)
        G2x = np.asarray(Z2.T @ XY)
    positive = design.trials > 0
    return Products(
        lay=lay,
        G00=G00,
        G02=G02,
        G22=G22,
        G0x=G0x,
        G2x=G2x,
        Gxx=XY.T @ XY,
        R=R,
        beta0=beta0,
        n=int(positive.sum()),
        log_weights=float(np.log(design.trials[positive]).sum()),
        places=places,
        corner=corner,
    )


def _least_squares(design: Design, root: Array) -> tuple[Array, Array, Array, Array]:
    Xw, yw = design.X * root[:, None], (design.y - design.offset) * root
    if not Xw.shape[1]:
        return Xw, np.zeros((0, 0)), np.zeros(0), yw
    Q, R = np.linalg.qr(Xw)
    beta0 = scipy.linalg.solve_triangular(R, Q.T @ yw)
    residual = yw - Xw @ beta0
    return Q, R, beta0, residual - Q @ (Q.T @ residual)


def _weighted(lay: Layout, root: Array) -> Any:
    if lay.sparse:
        return scipy.sparse.diags_array(root, format="csr") @ lay.Z2
    return lay.Z2 * root[:, None]


def _cross(lay: Layout, z0: Array, Z2: Any) -> tuple[Any, Array]:
    n, k = z0.shape
    codes, J = lay.design.terms[0].codes, lay.design.terms[0].J
    if not lay.sparse:
        G02 = np.stack([lay.sum(z0[:, a, None] * Z2) for a in range(k)], axis=1)
        return G02.reshape(-1, lay.q2), Z2.T @ Z2
    lead = scipy.sparse.csr_array(
        (z0.ravel(), (codes[:, None] * k + np.arange(k)).ravel(), np.arange(0, n * k + 1, k)),
        shape=(n, J * k),
    )
    G02 = (lead.T @ Z2).tocsr()
    full = G02.nnz > _FULL * J * k * lay.q2
    return G02.toarray() if full else G02, (Z2.T @ Z2).toarray()
