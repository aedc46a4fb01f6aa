r"""The log posterior density at many points x at once, in NumPy: what needs no compiler.

`kernels.problem` draws what a point is; `kernels.log_posterior` is the same density, one point at
a time and with its gradient. Points are (S, d); inside, they stand last, and rows are worked on in
blocks of `CACHE` numbers, small enough for a processor's cache and large enough for NumPy's calls
not to count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from hierwidgets.base.arrays import Array, Index
from hierwidgets.spec.families import Family

from .kernels import problem as codes
from .kernels.problem import Bends, Pieces, PriorCodes, Problem, Whitening
from .marginal import Outcomes, direct, integrated, outcomes

__all__ = ["Density", "Point", "by_differences", "density", "located", "log_density"]

FARTHEST = 100.0  # log sds and z beyond this overflow
CACHE = 120_000
_STEP = 1e-4
_TOGETHER = 2_000_000  # numbers of the precisions that are factored together


@dataclass(frozen=True, slots=True)
class Density:
    """A problem, and what of it does not depend on the point.

    Attributes
    ----------
    problem : Problem
    rows : Outcomes
    Z : sparse (n, effects)
        The columns of sampled effects in v.
    """

    problem: Problem
    rows: Outcomes
    Z: Any

    def __repr__(self) -> str:
        return f"Density({len(self.rows.y)} rows)"


@dataclass(frozen=True, slots=True)
class Point:
    """What points x stand for, with the points last.

    Attributes
    ----------
    lead : (k, k, S)
        The factor of the covariance of the integrated piece; (0, 0, S) where there is none.
    factors : tuple of (k, k, S)
        Of the sampled pieces.
    sigma : (S,)
    v : (length of v, S)
        Coefficients of Q, and effects.
    log_jacobian : (S,)
        ``log |d (log sds, z, log sigma, v) / d x|``.
    straight : (d, S)
        x with log sds and z in the place of their bent coordinates.
    """

    lead: Array
    factors: tuple[Array, ...]
    sigma: Array
    v: Array
    log_jacobian: Array
    straight: Array

    def __repr__(self) -> str:
        return f"Point({len(self.sigma)} points)"


def density(problem: Problem, family: Family) -> Density:
    """What `log_density` needs of a problem."""
    data, pieces = problem.data, problem.pieces
    n = len(data.y)
    columns, values, at, first = [], [], 0, 0
    for level, k, J in zip(data.codes, pieces.sizes, pieces.levels, strict=True):
        columns.append(at + level[:, None] * k + np.arange(k))
        values.append(data.Z[:, first : first + k])
        at, first = at + J * k, first + k
    Z = None
    if values:
        wide = np.hstack(values)
        where = (np.repeat(np.arange(n), wide.shape[1]), np.hstack(columns).ravel())
        Z = sparse.csr_array((wide.ravel(), where), shape=(n, at))
    return Density(problem, outcomes(data.y, data.trials, family, problem.integrated), Z)


def log_density(of: Density, x: Array) -> Array:
    """Log posterior density at points x (S, d), up to a constant; -inf where it overflows."""
    size = max(len(of.problem.whitening.H), 1)
    step = max(1, min(2000, _TOGETHER // size))
    with np.errstate(all="ignore"):
        parts = [_log_density(of, x[a : a + step]) for a in range(0, len(x), step)]
    value = np.concatenate([np.zeros(0), *parts])
    return np.where(np.isfinite(value), value, -np.inf)


def by_differences(of: Density) -> Callable[[Array], tuple[float, Array]]:
    """The log density and its gradient at one point, by central differences."""

    def evaluate(x: Array) -> tuple[float, Array]:
        steps = _STEP * np.eye(len(x))
        found = log_density(of, np.vstack([x, x + steps, x - steps]))
        up, down = found[1:].reshape(2, len(x))
        return float(found[0]), (up - down) / (2.0 * _STEP)

    return evaluate


def located(problem: Problem, x: Array) -> Point:
    """What points x (S, d) stand for."""
    q, bent = problem, np.ascontiguousarray(x.T)
    straight, log_slope = _straight(q.bends, bent)
    at = q.integrated.coordinates
    k = {0: 0, 1: 1, 3: 2}[at]
    lead = _factor(straight[:at], k)
    factors = []
    for k in q.pieces.sizes:
        factors.append(_factor(straight[at : at + k * (k + 1) // 2], k))
        at += k * (k + 1) // 2
    sigma = np.ones(len(x))
    if q.data.family == codes.GAUSSIAN:
        sigma = np.exp(straight[at])
    v, log_scale = _unwhitened(q.whitening, factors, straight[len(bent) - len(q.whitening.r) :])
    return Point(lead, tuple(factors), sigma, v, log_slope + log_scale, straight)


def _log_density(of: Density, x: Array) -> Array:
    q = of.problem
    where = located(q, x)
    value = where.log_jacobian + _log_prior(q, where)
    covariances = where.straight[: x.shape[1] - len(q.whitening.r)]
    near = (np.abs(covariances) < FARTHEST).all(axis=0) & np.isfinite(where.v).all(axis=0)
    value[~near] = -np.inf
    able = np.flatnonzero(near & np.isfinite(value))
    step = max(8, CACHE // max(len(q.data.y), 1))
    for a in range(0, len(able), step):
        part = able[a : a + step]
        value[part] += _log_likelihood(of, where, part)
    return value


def _log_likelihood(of: Density, where: Point, part: Index) -> Array:
    data = of.problem.data
    v, p = where.v[:, part], data.Q.shape[1]
    base = data.Q @ v[:p] + data.offset[:, None]
    if of.Z is not None:
        base += of.Z @ v[p:]
    if not len(where.lead):
        return direct(of.rows, base, where.sigma[part])
    return integrated(of.rows, base, where.lead[..., part], where.sigma[part])


# --- coordinates --------------------------------------------------------------------------


def _straight(bends: Bends, x: Array) -> tuple[Array, Array]:
    """Log sds and z in the place of bent coordinates (`kernels.bending`); log of the slopes."""
    out = x.copy()
    bent = x[bends.at]
    by = np.where(bent > 0.0, bends.by[:, 1:], bends.by[:, :1])
    square = by * bent**2
    out[bends.at] = bends.centre[:, None] + bent * np.sqrt(1.0 + square)
    slope = (1.0 + 2.0 * square) / np.sqrt(1.0 + square)
    return out, np.log(slope).sum(axis=0)


def _factor(x: Array, k: int) -> Array:
    """Factors (k, k, S) of covariances from k log sds and partial correlations tanh(z)."""
    L = np.zeros((k, k, x.shape[1]))
    at = k
    for i in range(k):
        rest = np.exp(x[i])
        for j in range(i):
            L[i, j] = np.tanh(x[at]) * rest
            rest = rest * np.exp(_log_sech(x[at]))
            at += 1
        L[i, i] = rest
    return L


def _log_sech(z: Array) -> Array:
    a = np.abs(z)
    return np.log(2.0) - a - np.log1p(np.exp(-2.0 * a))


def _precision_of(factor: Array) -> Array:
    """``inv(F F')`` (k, k, S) of lower triangles F."""
    k = len(factor)
    G = np.zeros_like(factor)
    for j in range(k):
        G[j, j] = 1.0 / factor[j, j]
        for i in range(j + 1, k):
            G[i, j] = -(factor[i, j:i] * G[j:i, j]).sum(axis=0) / factor[i, i]
    return np.einsum("mis,mjs->ijs", G, G)


def _unwhitened(w: Whitening, factors: list[Array], xi: Array) -> tuple[Array, Array]:
    """v from xi (`kernels.whitening`), and log |dv / dxi|."""
    v, logdet = np.empty_like(xi), np.zeros(xi.shape[1])
    precisions = [_precision_of(F) for F in factors]
    for c in range(len(w.block) - 1):
        a, b = w.block[c], w.block[c + 1]
        d = b - a
        P = np.repeat(w.H[w.H_at[c] : w.H_at[c + 1]].reshape(d, d, 1), xi.shape[1], axis=2)
        for s in range(w.slot_at[c], w.slot_at[c + 1]):
            own = precisions[w.slot_piece[s]]
            at, k = w.slot[s] - a, len(own)
            P[at : at + k, at : at + k] += own
        C = _cholesky(P)
        pulled = _forward(C, np.repeat(w.r[a:b, None], xi.shape[1], axis=1))
        v[a:b] = _backward(C, pulled + xi[a:b])
        logdet -= np.log(np.einsum("iis->is", C)).sum(axis=0)
    return v, logdet


def _cholesky(P: Array) -> Array:
    """``P = C C'`` in place, (d, d, S); NaN where P is not positive definite."""
    d = len(P)
    for j in range(d):
        P[j:, j] -= np.einsum("ims,ms->is", P[j:, :j], P[j, :j])
        P[j, j] = np.sqrt(P[j, j])
        P[j + 1 :, j] /= P[j, j]
        P[:j, j] = 0.0
    return P


def _forward(C: Array, b: Array) -> Array:
    """inv(C) b, in place of b (d, S)."""
    for i in range(len(C)):
        b[i] = (b[i] - np.einsum("ms,ms->s", C[i, :i], b[:i])) / C[i, i]
    return b


def _backward(C: Array, b: Array) -> Array:
    """inv(C') b, in place of b (d, S)."""
    for i in reversed(range(len(C))):
        b[i] = (b[i] - np.einsum("ms,ms->s", C[i + 1 :, i], b[i + 1 :])) / C[i, i]
    return b


# --- priors -------------------------------------------------------------------------------


def _log_prior(q: Problem, where: Point) -> Array:
    """Of sds, correlations, coefficients and sampled effects."""
    priors, straight, at = q.priors, where.straight, q.integrated.coordinates
    value = np.zeros(len(where.sigma))
    if at:
        value += _covariance_prior(priors, 0, priors.lead_eta, straight[:at], len(where.lead))
    for t, k in enumerate(q.pieces.sizes):
        own = straight[at : at + k * (k + 1) // 2]
        value += _covariance_prior(priors, 1 + t, priors.eta[t], own, k)
        at += len(own)
    if q.data.family == codes.GAUSSIAN:
        value += _sd_prior(priors.sigma_kind, priors.sigma_par, straight[at])
    p = q.data.Q.shape[1]
    for own, kind, par in zip(priors.combination, priors.kind, priors.par, strict=True):
        value += log_prior(kind, par, own @ where.v[:p])
    return value + _effects_prior(q.pieces, where.factors, where.v[p:])


def _covariance_prior(priors: PriorCodes, row: int, eta: float, x: Array, k: int) -> Array:
    """Of log sds and z (`kernels.covariances`)."""
    value = np.zeros(x.shape[1])
    for i in range(k):
        value += _sd_prior(priors.sd_kind[row, i], priors.sd_par[row, i], x[i])
    at = k
    for i in range(1, k):
        for j in range(i):
            value += (2.0 * (eta - 1.0) + (k - j)) * _log_sech(x[at])
            at += 1
    return value


def _effects_prior(pieces: Pieces, factors: tuple[Array, ...], effects: Array) -> Array:
    """log N(c | 0, F F') of sampled effects, without 2 pi."""
    value, at = np.zeros(effects.shape[1]), 0
    for F, J in zip(factors, pieces.levels, strict=True):
        k = len(F)
        own = effects[at : at + J * k].reshape(J, k, -1).swapaxes(0, 1).copy()
        for i in range(k):
            own[i] = (own[i] - np.einsum("ms,mjs->js", F[i, :i], own[:i])) / F[i, i]
            value -= J * np.log(F[i, i])
        value -= 0.5 * np.einsum("ijs,ijs->s", own, own)
        at += J * k
    return value


def _sd_prior(kind: int, par: Array, log_sd: Array) -> Array:
    """Log prior density of log sd, from the prior of the sd."""
    return log_prior(kind, par, np.exp(log_sd)) + log_sd


def log_prior(kind: int, par: Array, x: Array) -> Array:
    """A log prior density without its constant (`kernels.prior_densities`)."""
    a, b, c = par
    if kind == codes.NORMAL:
        return -0.5 * ((x - a) / b) ** 2
    if kind == codes.STUDENT_T:
        return np.asarray(-0.5 * (a + 1.0) * np.log1p(((x - b) / c) ** 2 / a))
    if kind == codes.EXPONENTIAL:
        return -a * x
    if kind == codes.GAMMA:
        return np.where(x > 0.0, (a - 1.0) * np.log(np.maximum(x, 1e-300)) - b * x, -np.inf)
    if kind == codes.UNIFORM:
        return np.where((x < a) | (x > b), -np.inf, 0.0)
    return np.zeros_like(x)
