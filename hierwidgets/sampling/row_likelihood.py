"""The log-likelihood of rows and its derivatives by the linear predictor, as fast as numpy can.

The formulas are those of `spec.families`; for the logit link they are written with the few
functions that processors take several numbers of at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.spec.families import Family

__all__ = ["RowLikelihood", "row_likelihood"]

_LARGE = 700.0  # exp overflows soon after


@dataclass(frozen=True, slots=True)
class RowLikelihood:
    """Functions of outcomes, trials and linear predictors, which broadcast.

    Attributes
    ----------
    loglik :
        Without the counting constant.
    slopes :
        Score, observed information, expected information.
    """

    loglik: Callable[[Array, Array, Array], Array]
    slopes: Callable[[Array, Array, Array], tuple[Array, Array, Array]]


def row_likelihood(family: Family) -> RowLikelihood:
    """The functions of a family and its link."""
    if (family.name, family.link.name) == ("binomial", "logit"):
        return RowLikelihood(_logit_loglik, _logit_slopes)

    def slopes(y: Array, trials: Array, eta: Array) -> tuple[Array, Array, Array]:
        d = family.derivatives(*np.broadcast_arrays(y, trials, eta))
        return d.score, d.information, d.weight

    return RowLikelihood(family.loglik, slopes)


def _logit_loglik(y: Array, trials: Array, eta: Array) -> Array:
    softplus = np.log1p(np.exp(np.minimum(eta, _LARGE)))
    if eta.max(initial=0.0) > _LARGE:
        softplus = np.maximum(softplus, eta)
    return y * eta - trials * softplus


def _logit_slopes(y: Array, trials: Array, eta: Array) -> tuple[Array, Array, Array]:
    e = np.exp(-np.abs(eta))
    small = 1.0 / (1.0 + e)
    p = np.where(eta > 0, small, e * small)
    weight = trials * e * small**2
    return y - trials * p, weight, weight
