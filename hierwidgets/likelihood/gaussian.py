"""The Gaussian hierarchical model, exactly: coefficients and residual sd profiled out.

With ``y ~ N(X beta + Z b, sigma^2 / w)`` and ``b = sigma Lambda u`` the integral over u is
closed. What is left is a function of theta alone (Bates et al. 2015, J. Stat. Softw. 67(1),
eqs. 34 and 41):

    ML:    log|A| + n (1 + log(2 pi pwrss / n))
    REML:  log|A| + log|X' inv(V) X| + (n - p) (1 + log(2 pi pwrss / (n - p)))
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.spec.design import Design, level_sums

from .coordinates import starting_factors, working
from .cross_products import Products, products
from .density import linear_predictor, split, theta_elements
from .elimination import (
    Eliminated,
    add_quadratic,
    eliminate,
    inverse_blocks,
    logdet_gradient,
)  # fmt: skip
from .existence import check_contrasts
from .laplace import Modes, effects_with_sds
from .moments import first_theta
from .optimum import covariance, lowest_minimum, search_unit
from .schur import SMALL
from .threads import blas_threads

__all__ = ["Estimate", "Products", "evaluate", "maximize", "products"]

_NO_RESIDUAL = "the model fits the data without error; there is no residual to model"
_NO_DIGITS = (
    "the sds of the groups are so large beside the residual sd that rounding leaves no digits of "
    "the likelihood"
)


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


def evaluate(P: Products, theta: Array, reml: bool, sigma: float | None = None) -> Evaluation:
    """The ML or REML objective and its exact gradient at theta (m,), profiled over beta.

    It is profiled over the residual sd too, unless `sigma` gives it.
    """
    p, template = len(P.R), P.lay.design.template
    factors = template.factors(theta)
    try:
        solved = eliminate(P, factors)
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
    full = logdet_gradient(P, factors, solved)
    add_quadratic(P, factors, solved, weights, full)
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


def maximize(design: Design, reml: bool = True, threads: int = 1) -> Estimate:
    """REML (or ML) estimates of a Gaussian model; `threads` of the BLAS for large ones.

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
    large = P.lay.q2 >= SMALL
    theta = first_theta(P) if large else template.start()
    units = _units(design, theta)

    latest: Evaluation | None = None

    def value_and_gradient(theta: Array) -> tuple[float, Array]:
        nonlocal latest
        latest = None  # an evaluation may be large: never two of them
        latest = evaluate(P, theta, reml)
        return latest.value, latest.gradient

    with blas_threads(P.lay.q2, threads):
        found = lowest_minimum(
            value_and_gradient, starting_factors(design, theta), np.diag(units), dear=large
        )
    inner = template.canonical(found.x)
    sign = np.where(inner == found.x, 1.0, -1.0)
    if latest is None or not np.array_equal(found.trace[-1, :-1], inner):
        with blas_threads(P.lay.q2, threads):
            latest = evaluate(P, inner, reml)
    at = latest
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


def _units(design: Design, theta: Array) -> Array:
    """The unit to search each element of theta in, (m,): one sd of its term at that theta."""
    template = design.template
    sds = [float(np.sqrt(np.square(L).sum() / len(L))) for L in template.factors(theta)]
    units = [
        search_unit(sd, level_sums(term, design.trials))
        for term, sd in zip(design.terms, sds, strict=True)
    ]
    return np.array(units)[template.term]


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
    lead, later = inverse_blocks(P, solved)
    u = [at.u0, *split(design.terms[1:], at.u2)]
    b, sd = effects_with_sds(factors, u, [lead, *later])
    return Modes(u, b, [sigma * part for part in sd], linear_predictor(design, beta, b))
