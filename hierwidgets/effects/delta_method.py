"""Comparisons and slopes of a fit: estimates at the modes, standard errors by the delta method.

The gradient of the estimates with respect to eta, times the joint covariance of coefficients and
group effects (`likelihood.joint_covariance`).
"""

from typing import Any

import numpy as np
import pandas as pd
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.joint_covariance import (
    Functionals,
    effect_rows,
    joint_covariance,
    spread,
)
from hierwidgets.spec import rows as prediction

from .contrasts import Point
from .quantity import Quantity, transform

__all__ = ["columns"]

Parts = list[list[tuple[Point, Array, Array]]]


def columns(fit: Fit, quantity: Quantity) -> dict[str, Array]:
    """estimate (and std_error, conf_low, conf_high) of the answers, contrast after contrast."""
    request = quantity.request
    eta = prediction.linear_predictor(quantity.new, fit.beta, fit.modes.b)
    parts = _parts(fit, quantity, eta)
    estimate = _estimate(parts, request.comparison)
    if request.interval is None:
        return {"estimate": estimate}
    gradient = _gradient(parts, quantity)
    se = _standard_errors(fit, quantity, gradient)
    return {"estimate": estimate} | _limits(estimate, se, request.interval, request.comparison)


def _parts(fit: Fit, quantity: Quantity, eta: Array) -> Parts:
    """Per contrast and point: the point, its averages, and their weights times dmu/deta."""
    mu, dmu = eta, np.ones_like(eta)
    if quantity.request.scale == "response":
        mu, dmu = fit.family.link.inverse(eta)
    mu, dmu = (v.reshape(-1, quantity.weights.shape[1]) for v in (mu, dmu))
    out, at = [], 0
    for contrast in quantity.contrasts:
        part = []
        for point in contrast.points:
            a = 1.0 if point.weight is None else point.weight
            part.append((point, quantity.weights @ (a * mu[at]), a * dmu[at]))
            at += 1
        out.append(part)
    return out


def _estimate(parts: Parts, comparison: str) -> Array:
    sums = [
        sum(point.sign * transform(comparison, mean)[0] for point, mean, _ in part)
        for part in parts
    ]
    joined: Array = np.concatenate(sums)
    return np.exp(joined) if comparison == "ratio" else joined


def _gradient(parts: Parts, quantity: Quantity) -> Any:
    """Derivative of the estimates (of the logarithm, for a ratio) by eta, sparse."""
    blocks = []
    for part in parts:
        pieces = [
            scipy.sparse.diags_array(point.sign * transform(quantity.request.comparison, mean)[1])
            @ quantity.weights
            @ scipy.sparse.diags_array(slope)
            for point, mean, slope in part
        ]
        blocks.append(scipy.sparse.hstack(pieces, format="csr"))
    return scipy.sparse.block_diag(blocks, format="csr")


def _limits(estimate: Array, se: Array, level: float, comparison: str) -> dict[str, Array]:
    """std_error, conf_low and conf_high; those of a ratio are made on the log scale."""
    if comparison != "ratio":
        return prediction.link_interval(estimate, se, level)
    logs = prediction.link_interval(np.log(estimate), se, level)
    return {
        "std_error": estimate * se,
        "conf_low": np.exp(logs["conf_low"]),
        "conf_high": np.exp(logs["conf_high"]),
    }


def _standard_errors(fit: Fit, quantity: Quantity, gradient: Any) -> Array:
    """Standard errors of functionals (answers, rows) of the linear predictor."""
    new, request = quantity.new, quantity.request
    fixed = gradient @ new.X
    if request.conditional:
        variance = np.einsum("ij,jk,ik->i", fixed, fit.vcov.to_numpy(), fixed)
    else:
        effects = tuple(gradient @ Z for Z in effect_rows(fit.design, new))
        known = joint_covariance(
            fit.design, fit.family, fit.theta, fit.beta, fit.covariance, fit.sigma
        )
        variance = known.variance(Functionals(fixed, effects))
    if request.new_levels == "sample":
        variance = variance + fit.sigma**2 * _unseen(fit, quantity, gradient)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def _unseen(fit: Fit, quantity: Quantity, gradient: Any) -> Array:
    """Variance, in units of sigma^2, from effects of unseen levels: ``b = Lambda u`` each."""
    new, stacked = quantity.new, quantity.stacked
    out = np.zeros(gradient.shape[0])
    factors = fit.design.template.factors(fit.theta)
    for term, codes, Z, L in zip(fit.design.terms, new.codes, new.Z, factors, strict=True):
        strange = (codes < 0) & Z.any(axis=1)
        if not strange.any():
            continue
        names = stacked.loc[strange, list(term.factors)].astype(str).agg(":".join, axis=1)
        level, unique = pd.factorize(names)
        effects = gradient[:, np.flatnonzero(strange)] @ spread(level, Z[strange] @ L, len(unique))
        out += np.asarray(effects.multiply(effects).sum(axis=1)).reshape(-1)
    return out
