"""Degrees of freedom of a Gaussian fit's coefficients (Satterthwaite 1946, Biometrics 2(6)).

The variance of an estimated contrast ``l' beta`` is itself estimated,

    v(theta) = sigma(theta)^2 l' inv(X' inv(V) X) l,

and t, the contrast over its standard error, is compared with a t distribution whose df make a
scaled chi-square of the same mean and variance as ``v`` (Giesbrecht & Burns 1985, Biometrics
41(2); Kuznetsova, Brockhoff & Christensen 2017, J. Stat. Softw. 82(13)):

    df = 2 v^2 / Var(v)

Var(v) is by the delta method over (theta, sigma), with twice the inverse Hessian of the ML or
REML criterion. Written in theta and ``tau = log(sigma / sigma(theta))``, which the criterion
does not couple at its minimum, the inverse falls into the covariance of theta and
``1 / (2 n)`` (REML: n - p), so that

    Var(v) = v' Cov(theta) v' + 2 v^2 / n,    v' = dv / dtheta.

The derivatives are taken in working coordinates (`coordinates`), where a predictor's origin and
unit do not matter.
"""

from dataclasses import replace

import numpy as np
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.likelihood.coordinates import working
from hierwidgets.likelihood.gaussian import Products, evaluate, products
from hierwidgets.likelihood.threads import blas_threads

from .record import FitRecord

__all__ = ["degrees_of_freedom"]


_STEP = 1e-3  # of the differences, in standard errors of theta


def degrees_of_freedom(fit: FitRecord, contrasts: Array | None = None) -> Array:
    """Satterthwaite's degrees of freedom of contrasts of a Gaussian fit's coefficients: (r,).

    Parameters
    ----------
    contrasts : (r, p)
        One a row; None for the coefficients themselves.

    Examples
    --------
    Of a mean of 6 groups of equal size, 6 - 1:

    >>> import hierwidgets as hw
    >>> data = {"g": list("abcdef") * 2, "y": [1, 3, 2, 5, 4, 6, 2, 3, 3, 4, 5, 7]}
    >>> degrees_of_freedom(hw.lmer("y ~ 1 + (1 | g)", data)).round(4)
    array([5.])
    """
    own, m = working(fit.design), len(fit.theta)
    P, p = products(replace(fit.design, terms=own.design.terms)), len(fit.beta)
    inward = own.inward[:m, :m]
    theta, covariance = inward @ fit.theta, inward @ fit.covariance[:m, :m] @ inward.T
    rows = np.eye(p) if contrasts is None else contrasts
    n = P.n - p if fit.reml else P.n
    variance = np.zeros(len(rows))
    with blas_threads(P.lay.q2):
        v = _variances(P, theta, fit.reml, rows)
        for step in _STEP * _directions(covariance).T:
            ends = [_variances(P, theta + way * step, fit.reml, rows) for way in (1, -1)]
            variance += ((ends[0] - ends[1]) / (2 * _STEP)) ** 2
    result: Array = 2.0 * v**2 / (variance + 2.0 * v**2 / n)
    return result


def _variances(P: Products, theta: Array, reml: bool, contrasts: Array) -> Array:
    """Variances (r,) of the contrasts, the residual sd profiled out."""
    if not len(contrasts):
        return np.zeros(0)
    at = evaluate(P, theta, reml)
    chol = np.linalg.cholesky(at.XVX)
    pulled = scipy.linalg.solve_triangular(P.R, contrasts.T, trans="T")
    half = scipy.linalg.solve_triangular(chol, pulled, lower=True)
    result: Array = at.pwrss / (P.n - len(P.R) if reml else P.n) * (half**2).sum(axis=0)
    return result


def _directions(covariance: Array) -> Array:
    """Columns whose outer products sum to the covariance, (m, m)."""
    error = np.sqrt(np.diag(covariance))
    error = np.where(error > 0, error, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(error, error))
    result: Array = error[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))
    return result
