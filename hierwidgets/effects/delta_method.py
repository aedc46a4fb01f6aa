"""Comparisons and slopes of a fit: estimates at the modes, standard errors by the delta method.

The gradient of the estimates with respect to eta, times the joint covariance of coefficients and
group effects (`likelihood.joint_covariance`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from hierwidgets.base.arrays import Array, normal_quantile
from hierwidgets.base.checks import check_seed
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.joint_covariance import (
    Functionals,
    JointCovariance,
    effect_rows,
    joint_covariance,
    spread,
)
from hierwidgets.spec import rows as prediction

from . import several
from .contrasts import Point
from .quantity import Quantity, transform

__all__ = ["FirstOrder", "columns", "first_order"]

MOST = 2000  # answers compared at once

Parts = list[list[tuple[Point, Array, Array]]]


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """Answers of a fit with their derivatives, of which linear combinations are answers again.

    Attributes
    ----------
    estimate : (r,)
    known : Functionals
        Derivatives by coefficients and by the effects of levels that the fit knows.
    unseen : tuple of sparse (r, levels * k)
        By those of other levels, in units of sigma; one for each term that has any.
    """

    estimate: Array
    known: Functionals
    unseen: tuple[Any, ...]

    def change(self, after: "FirstOrder", weights: Any) -> "FirstOrder":
        """Weighted sums, by a sparse (q, r), of what `after` answers more at the same rows."""

        def more(before: tuple[Any, ...], then: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(weights @ (b - a) for a, b in zip(before, then, strict=True))

        (fixed,) = more((self.known.fixed,), (after.known.fixed,))
        known = Functionals(fixed, more(self.known.effects, after.known.effects))
        (estimate,) = more((self.estimate,), (after.estimate,))
        return FirstOrder(estimate, known, more(self.unseen, after.unseen))

    def limits(self, fit: Fit, level: float) -> dict[str, Array]:
        """estimate, std_error, conf_low and conf_high of differences."""
        se = self.standard_errors(fit)
        limits = _limits(self.estimate, se, normal_quantile(level), "difference")
        return {"estimate": self.estimate} | limits

    def standard_errors(self, fit: Fit, conditional: bool = False) -> Array:
        """Standard errors (r,); `conditional` as in `comparisons`."""
        if conditional:
            fixed = self.known.fixed
            variance = np.einsum("ij,jk,ik->i", fixed, fit.vcov.to_numpy(), fixed)
        else:
            variance = _known(fit).variance(self.known)
        for effects in self.unseen:
            own = np.asarray(effects.multiply(effects).sum(axis=1)).reshape(-1)
            variance = variance + fit.sigma**2 * own
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def first_order(fit: Fit, quantity: Quantity) -> FirstOrder:
    """The answers of a quantity and their derivatives; of a ratio those of its logarithm."""
    eta = prediction.linear_predictor(quantity.new, fit.beta, fit.modes.b)
    parts = _parts(fit, quantity, eta)
    estimate = _estimate(parts, quantity.request.comparison)
    return _derived(fit, quantity, estimate, _gradient(parts, quantity))


def columns(fit: Fit, quantity: Quantity) -> dict[str, Array]:
    """estimate (and std_error, conf_low, conf_high) of the answers, contrast after contrast."""
    request = quantity.request
    eta = prediction.linear_predictor(quantity.new, fit.beta, fit.modes.b)
    parts = _parts(fit, quantity, eta)
    estimate = _estimate(parts, request.comparison)
    if request.interval is None:
        return {"estimate": estimate}
    gradient = _gradient(parts, quantity)
    if request.adjust == "max-t":
        return _simultaneous(fit, quantity, estimate, gradient, request.interval)
    se = _derived(fit, quantity, estimate, gradient).standard_errors(fit, request.conditional)
    z = normal_quantile(request.interval)
    found = {"estimate": estimate} | _limits(estimate, se, z, request.comparison)
    if request.adjust == "holm":
        found["p_value"] = several.holm(_ratios(estimate, se, request.comparison))
    return found


def _simultaneous(
    fit: Fit, quantity: Quantity, estimate: Array, gradient: Any, level: float
) -> dict[str, Array]:
    """Intervals that hold all at once, and p values of the largest of all ratios."""
    request = quantity.request
    matrix = _covariance(fit, quantity, gradient)
    se = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    largest = several.largest_ratios(matrix, check_seed(request.seed))
    z = float(np.quantile(largest, level))
    found = {"estimate": estimate} | _limits(estimate, se, z, request.comparison)
    found["p_value"] = several.exceeded(largest, _ratios(estimate, se, request.comparison))
    return found


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


def _ratios(estimate: Array, se: Array, comparison: str) -> Array:
    """Estimates, of a ratio its logarithm, over their standard errors; 0 for 0 / 0."""
    value = np.log(estimate) if comparison == "ratio" else estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(value == 0, 0.0, np.abs(value) / se))


def _limits(estimate: Array, se: Array, z: float, comparison: str) -> dict[str, Array]:
    """std_error, conf_low and conf_high, z errors wide; those of a ratio on the log scale."""
    if comparison != "ratio":
        return {"std_error": se, "conf_low": estimate - z * se, "conf_high": estimate + z * se}
    return {
        "std_error": estimate * se,
        "conf_low": np.exp(np.log(estimate) - z * se),
        "conf_high": np.exp(np.log(estimate) + z * se),
    }


def _derived(fit: Fit, quantity: Quantity, estimate: Array, gradient: Any) -> FirstOrder:
    """Answers whose derivatives by the linear predictor are `gradient` (answers, rows)."""
    unseen = quantity.request.new_levels == "sample"
    return FirstOrder(
        estimate,
        _functionals(fit, quantity, gradient),
        tuple(_unseen(fit, quantity, gradient)) if unseen else (),
    )


def _covariance(fit: Fit, quantity: Quantity, gradient: Any) -> Array:
    """Covariance matrix (answers, answers) of the same functionals."""
    new, request = quantity.new, quantity.request
    if gradient.shape[0] > MOST:
        raise DataError(
            f"adjust='max-t' is for at most {MOST} answers at once; these are {gradient.shape[0]}: "
            "average them, or give fewer rows"
        )
    if request.conditional:
        fixed = gradient @ new.X
        matrix: Array = fixed @ fit.vcov.to_numpy() @ fixed.T
    else:
        matrix = _known(fit).matrix(_functionals(fit, quantity, gradient))
    if request.new_levels == "sample":
        for effects in _unseen(fit, quantity, gradient):
            matrix = matrix + fit.sigma**2 * (effects @ effects.T).toarray()
    return matrix


def _known(fit: Fit) -> JointCovariance:
    return joint_covariance(fit.design, fit.family, fit.theta, fit.beta, fit.covariance, fit.sigma)


def _functionals(fit: Fit, quantity: Quantity, gradient: Any) -> Functionals:
    effects = tuple(gradient @ Z for Z in effect_rows(fit.design, quantity.new))
    return Functionals(gradient @ quantity.new.X, effects)


def _unseen(fit: Fit, quantity: Quantity, gradient: Any) -> Iterator[Any]:
    """Per term, what unseen levels add, in units of sigma: ``b = Lambda u`` each, u standard."""
    new, stacked = quantity.new, quantity.stacked
    factors = fit.design.template.factors(fit.theta)
    for term, codes, Z, L in zip(fit.design.terms, new.codes, new.Z, factors, strict=True):
        strange = (codes < 0) & Z.any(axis=1)
        if not strange.any():
            continue
        names = prediction.labels(stacked.loc[strange], term.factors)
        level, unique = pd.factorize(names)
        yield gradient[:, np.flatnonzero(strange)] @ spread(level, Z[strange] @ L, len(unique))
