"""The Gaussian hierarchical model, exactly: coefficients and residual sd profiled out.

With ``y ~ N(X beta + Z b, sigma^2 / w)`` and ``b = sigma Lambda u`` the integral over u is
closed. What is left is a function of theta alone (Bates et al. 2015, J. Stat. Softw. 67(1),
eqs. 34 and 41):

    ML:    log|A| + n (1 + log(2 pi pwrss / n))
    REML:  log|A| + log|X' inv(V) X| + (n - p) (1 + log(2 pi pwrss / (n - p)))

All sums over rows are taken once, as cross-products; an evaluation then costs what the
levels cost, not what the rows cost. X is orthonormalised and y replaced by its residual on
X first, so that cross-products lose no digits.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.spec.design import Design, level_sums

from .blocks import (
    Layout,
    block_diagonal,
    diagonal_blocks,
    later_factor,
    layout,
    one_thread,
    symmetric_inverse,
)  # fmt: skip
from .coordinates import starting_factors, working
from .density import linear_predictor, split, theta_elements
from .existence import check_contrasts
from .laplace import Modes, effects_with_sds
from .optimum import covariance, lowest_minimum, search_unit

__all__ = ["Estimate", "Products", "evaluate", "maximize", "products"]

_FULL = 0.1  # share of filled elements from which a dense matrix is the faster one

_NO_RESIDUAL = "the model fits the data without error; there is no residual to model"
_NO_DIGITS = (
    "the sds of the groups are so large beside the residual sd that rounding leaves no digits of "
    "the likelihood"
)


@dataclass(frozen=True, slots=True)
class Products:
    """Cross-products of the weighted rows; 0 is the leading term, 2 the later ones.

    ``XY`` stands for the orthonormal columns of X and, last, the residual of y on them.

    Attributes
    ----------
    G00 : (J, k, k);  G02 : (J * k, q2) dense or sparse;  G22 : (q2, q2)
    G0x : (J * k, p + 1);  G2x : (q2, p + 1);  Gxx : (p + 1, p + 1)
    R : (p, p)
        ``X = Q R``.
    beta0 : (p,)
        Least squares of y on X.
    n : int
        Rows with positive weight.
    log_weights : float
        Sum of the logarithms of the weights.
    """

    lay: Layout
    G00: Array
    G02: Any
    G22: Array
    G0x: Array
    G2x: Array
    Gxx: Array
    R: Array
    beta0: Array
    n: int
    log_weights: float


@dataclass(frozen=True, slots=True)
class Eliminated:
    """What is left of the cross-products once the group effects are solved for.

    Attributes
    ----------
    logdet : float
        log|A|.
    Dinv : (J, k, k);  M : (J * k, q2) or None;  Sinv : (q2, q2) or None
        Of A in blocks, as in `blocks`.
    T : (q2, q2)
        ``Lambda2' (G22 - G02' Lambda0 inv(D) Lambda0' G02)``.
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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The profiled objective at theta, and what it found on the way."""

    value: float
    gradient: Array
    gamma: Array  # coefficients of Q
    pwrss: float
    XVX: Array
    u0: Array  # (J, k), in units of sigma
    u2: Array
    solved: Eliminated


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimates of a Gaussian model.

    Attributes
    ----------
    theta, beta : (m,), (p,)
    sigma : float
        Residual standard deviation (of a row with weight 1).
    neg2loglik : float
        ``-2 log L``, or the REML criterion.
    covariance : (m + p, m + p)
        Of (theta, beta); the two are uncorrelated.
    """

    theta: Array
    beta: Array
    sigma: float
    neg2loglik: float
    covariance: Array
    gradient: Array
    modes: Modes
    converged: bool
    message: str
    trace: Array


def products(design: Design) -> Products:
    """All sums over rows that the Gaussian likelihood needs."""
    lay = layout(design)
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
        G02, G22 = _cross(lay, z0, Z2)
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


def evaluate(P: Products, theta: Array, reml: bool, sigma: float | None = None) -> Evaluation:
    """The ML or REML objective and its exact gradient at theta (m,), profiled over beta.

    It is profiled over the residual sd too, unless `sigma` gives it.
    """
    p, template = len(P.R), P.lay.design.template
    factors = template.factors(theta)
    try:
        solved = _eliminate(P, factors)
        XVX = solved.K[:p, :p]
        chol: Any = scipy.linalg.cho_factor(XVX, lower=True) if p else None
    except np.linalg.LinAlgError:
        raise FitError(_NO_DIGITS) from None
    gamma = scipy.linalg.cho_solve(chol, solved.K[:p, p]) if p else np.zeros(0)
    pwrss = float(solved.K[p, p] - solved.K[:p, p] @ gamma)
    if not pwrss > 0:
        raise FitError(_NO_RESIDUAL)
    df = P.n - p if reml else P.n
    scale = pwrss / df if sigma is None else sigma**2
    value = solved.logdet + df * np.log(2 * np.pi * scale) + pwrss / scale - P.log_weights
    contrast = np.append(-gamma, 1.0)
    weights = -2.0 / scale * np.outer(contrast, contrast)
    if reml and p:
        value += 2.0 * float(np.log(np.diag(chol[0])).sum() + np.log(np.abs(np.diag(P.R))).sum())
        weights[:p, :p] -= 2.0 * scipy.linalg.cho_solve(chol, np.eye(p))
    full = _logdet_gradient(P, factors, solved)
    _add_quadratic(P, factors, solved, weights, full)
    return Evaluation(
        value=value,
        gradient=theta_elements(template, full),
        gamma=gamma,
        pwrss=pwrss,
        XVX=XVX,
        u0=(solved.x0 @ contrast).reshape(-1, factors[0].shape[0]),
        u2=solved.x2 @ contrast,
        solved=solved,
    )


def _eliminate(P: Products, factors: list[Array]) -> Eliminated:
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
    L0G02 = _left(L0.T, P.G02, k)  # Lambda0' G02
    M = _left(Dinv, _right(lay, L0G02, later), k)
    H = M.T @ L0G02
    T = _right(lay, P.G22.T, later).T - (H.toarray() if scipy.sparse.issparse(H) else H)
    S = _right(lay, T, later)
    S.flat[:: lay.q2 + 1] += 1.0
    chol, lower = scipy.linalg.cho_factor(S, lower=True, check_finite=False)
    logdet += 2.0 * float(np.log(np.diag(chol)).sum())
    r2 = _right(lay, P.G2x.T, later).T
    x2 = scipy.linalg.cho_solve((chol, lower), r2 - M.T @ r0, check_finite=False)
    x0 = x0 - M @ x2
    K = P.Gxx - r0.T @ x0 - r2.T @ x2
    return Eliminated(logdet, Dinv, M, symmetric_inverse(chol), T, x0, x2, K)


def _logdet_gradient(P: Products, factors: list[Array], solved: Eliminated) -> list[Array]:
    """d log|A| / d Lambda of each term, (k, k): twice ``(inv(A) Lambda' Z'Z)'`` by level."""
    lay = P.lay
    L0 = factors[0]
    k = L0.shape[0]
    own = solved.Dinv @ (L0.T @ P.G00)  # (J, k, k): [c, r]
    lead = own.sum(axis=0)
    M, Sinv = solved.M, solved.Sinv
    if Sinv is None:
        return [2.0 * lead.T]
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


def _add_quadratic(
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


def maximize(design: Design, reml: bool = True) -> Estimate:
    """REML (or ML) estimates of a Gaussian model.

    Raises
    ------
    FitError
        There are no more rows than coefficients, or as many effects of one group as rows; by
        REML, the fixed part spans the effects of a group.
    """
    _check_rows(design)
    if reml:
        check_contrasts(design)
    own = working(design)
    P = products(replace(design, terms=own.design.terms))
    template = design.template
    units = np.array([search_unit(1.0, level_sums(term, design.trials)) for term in design.terms])

    def value_and_gradient(theta: Array) -> tuple[float, Array]:
        found = evaluate(P, theta, reml)
        return found.value, found.gradient

    starts = starting_factors(design, template.start())
    with one_thread(P.lay):
        found = lowest_minimum(value_and_gradient, starts, np.diag(units[template.term]))
    inner = template.canonical(found.x)
    sign = np.where(inner == found.x, 1.0, -1.0)
    at = evaluate(P, inner, reml)
    _check_residual(design, at)
    p = len(P.R)
    sigma = float(np.sqrt(at.pwrss / (P.n - p if reml else P.n)))
    theta = own.M @ inner
    beta = P.beta0 + (scipy.linalg.solve_triangular(P.R, at.gamma) if p else at.gamma)
    outward = own.M * sign
    return Estimate(
        theta=theta,
        beta=beta,
        sigma=sigma,
        neg2loglik=at.value,
        covariance=_covariance(P, at, sigma, outward @ covariance(found.hessian) @ outward.T),
        gradient=np.linalg.solve(own.M.T, at.gradient).astype(np.float64, copy=False),
        modes=_modes(design, P, theta, beta, at, sigma),
        converged=found.converged,
        message=found.message,
        trace=np.column_stack([found.trace[:, :-1] @ own.M.T, found.trace[:, -1]]),
    )


def _check_rows(design: Design) -> None:
    n = int((design.trials > 0).sum())
    if n <= design.X.shape[1]:
        raise FitError(f"{n} rows cannot fit {design.X.shape[1]} coefficients and a residual")
    for term in design.terms:
        most = term.J * max(map(len, term.blocks))
        if most >= n:
            raise FitError(
                f"{term.group!r} has {most} effects for {n} rows; the residual and "
                "the group effects cannot be told apart"
            )


def _check_residual(design: Design, at: Evaluation) -> None:
    """A residual of 1e-12 of the response is what rounding leaves of none."""
    if at.pwrss <= 1e-24 * float(design.trials @ design.y**2):
        raise FitError(_NO_RESIDUAL)


def _covariance(P: Products, at: Evaluation, sigma: float, of_theta: Array) -> Array:
    """Of (theta, beta): block-diagonal, since the expected information is."""
    m, p = len(of_theta), len(P.R)
    out = np.zeros((m + p, m + p))
    out[:m, :m] = of_theta
    if p:
        Rinv = scipy.linalg.solve_triangular(P.R, np.eye(p))
        out[m:, m:] = sigma**2 * Rinv @ np.linalg.inv(at.XVX) @ Rinv.T
    return out


def _modes(
    design: Design, P: Products, theta: Array, beta: Array, at: Evaluation, sigma: float
) -> Modes:
    """Conditional modes (here also means) of b, and their conditional sds."""
    factors, solved = design.template.factors(theta), at.solved
    later: list[Array] = []
    lead = solved.Dinv
    if solved.Sinv is not None:
        lead, later = diagonal_blocks(P.lay, solved.Dinv, solved.M, solved.Sinv)
    u = [at.u0, *split(design.terms[1:], at.u2)]
    b, sd = effects_with_sds(factors, u, [lead, *later])
    return Modes(u, b, [sigma * part for part in sd], linear_predictor(design, beta, b))
