"""Log prior densities and their derivatives."""

import math

import numpy as np

from hierwidgets.base.arrays import Array

from .compiled import compiled
from .problem import EXPONENTIAL, GAMMA, NORMAL, STUDENT_T, UNIFORM, Pieces, PriorCodes

__all__ = ["coefficient_prior", "effects_prior", "sd_prior"]


@compiled
def _prior(kind: int, par: Array, x: float) -> tuple[float, float]:
    """A log prior density without its constant, and its derivative."""
    a, b, c = par[0], par[1], par[2]
    if kind == NORMAL:
        t = (x - a) / b
        return -0.5 * t * t, -t / b
    if kind == STUDENT_T:
        t = (x - b) / c
        return -0.5 * (a + 1.0) * math.log1p(t * t / a), -(a + 1.0) * t / (a + t * t) / c
    if kind == EXPONENTIAL:
        return -a * x, -a
    if kind == GAMMA:
        if x <= 0.0:
            return -math.inf, 0.0
        return (a - 1.0) * math.log(x) - b * x, (a - 1.0) / x - b
    if kind == UNIFORM and (x < a or x > b):
        return -math.inf, 0.0
    return 0.0, 0.0


@compiled
def sd_prior(kind: int, par: Array, log_sd: float) -> tuple[float, float]:
    """Log prior density of log sd, from the prior of the sd, and its derivative."""
    sd = math.exp(log_sd)
    value, slope = _prior(kind, par, sd)
    return value + log_sd, slope * sd + 1.0


@compiled
def coefficient_prior(priors: PriorCodes, v: Array, v_bar: Array) -> float:
    """Log prior of the coefficients of Q; their derivatives are added to v_bar."""
    value, p = 0.0, priors.combination.shape[1]
    for m in range(priors.kind.size):
        own = priors.combination[m]
        lp, slope = _prior(priors.kind[m], priors.par[m], np.sum(own * v[:p]))
        value += lp
        v_bar[:p] += slope * own
    return value


@compiled
def effects_prior(
    pieces: Pieces, at: int, v: Array, factors: Array, inverses: Array, v_bar: Array,
    inverse_bar: Array,
) -> float:  # fmt: skip
    """log N(c | 0, Sigma) of every sampled effect, without 2 pi; the first is v[at]."""
    value = 0.0
    for t in range(pieces.sizes.size):
        k = pieces.sizes[t]
        for i in range(k):
            value -= pieces.levels[t] * math.log(factors[t, i, i])
        for _ in range(pieces.levels[t]):
            for i in range(k):
                for j in range(k):
                    product = v[at + i] * v[at + j]
                    value -= 0.5 * inverses[t, i, j] * product
                    v_bar[at + i] -= inverses[t, i, j] * v[at + j]
                    inverse_bar[t, i, j] -= 0.5 * product
            at += k
    return value
