r"""The likelihood of all rows at many points at once, with the levels of one piece integrated out.

Given everything else the levels of one piece are independent. The standardised effects u of a
level have the density ``exp(g(u))``, ``g(u) = sum of loglik of its rows - u'u / 2``; its integral
is a sum over nodes around the mode, as in `likelihood.quadrature.adaptive`; for two effects over
the product of two rules, turned by the Cholesky factor of the information. For a Gaussian outcome
g is quadratic and the integral has a closed form.

Arrays have the points last, (rows, S) or (levels, S): numpy's loops run along them.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import sparse

from hierwidgets.base.arrays import Array, Index
from hierwidgets.spec.families import Family

from .kernels.problem import Integrated
from .row_likelihood import RowLikelihood, row_likelihood

__all__ = [
    "Outcomes", "conditional", "direct", "integrated", "log_joint", "outcomes", "scaled",
]  # fmt: skip

_STEPS = 100
_FARTHEST = 5.0  # that a step moves a linear predictor
_CLOSE = 3e-3  # Newton's method squares the error, and nodes need not be exactly at the mode
_LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The rows of a problem and the levels that they belong to.

    Attributes
    ----------
    y, trials : (n, 1)
    rows : RowLikelihood
    gaussian : bool
    Z : (k, n, 1)
        Columns of the integrated piece.
    codes : (n,)
        The level of each row.
    sums : sparse (J, n)
        Sums over the rows of each level.
    begin : (k, J, 1)
        Where the search for the modes begins.
    node, log_weight : (K, k), (K,)
    """

    y: Array
    trials: Array
    rows: RowLikelihood
    gaussian: bool
    Z: Array
    codes: Index
    sums: Any
    begin: Array
    node: Array
    log_weight: Array


def outcomes(y: Array, trials: Array, family: Family, lead: Integrated) -> Outcomes:
    """The rows of a problem, whose integrated piece is `lead`."""
    J = len(lead.starts) - 1
    k = lead.z.size // len(y)
    Z = lead.z.reshape(-1, k).T[:, :, None] if k else np.zeros((0, 0, 1))
    codes = np.repeat(np.arange(J), np.diff(lead.starts))
    sums = sparse.csr_array(
        (np.ones(len(codes)), np.arange(len(codes)), lead.starts), shape=(J, len(codes))
    )
    node = np.array(list(product(lead.node, repeat=k))).reshape(len(lead.node) ** k, k)
    log_weight = np.array([sum(part) for part in product(lead.log_weight, repeat=k)])
    begin = lead.begin.reshape(J, k).T[:, :, None]
    return Outcomes(
        y[:, None], trials[:, None], row_likelihood(family), family.name == "gaussian", Z, codes,
        sums, begin, node, log_weight,
    )  # fmt: skip


def direct(rows: Outcomes, base: Array, sigma: Array) -> Array:
    """Log-likelihood of all rows at linear predictors base (n, S), given all effects: (S,)."""
    if not rows.gaussian:
        return np.asarray(rows.rows.loglik(rows.y, rows.trials, base).sum(axis=0))
    precision = rows.trials / sigma**2
    value = -0.5 * (precision * (rows.y - base) ** 2).sum(axis=0)
    return np.asarray(value + _normal_constant(rows.trials, sigma))


def integrated(rows: Outcomes, base: Array, factor: Array, sigma: Array) -> Array:
    """Log-likelihood of all rows with the piece of covariance ``factor factor'`` integrated out.

    Parameters
    ----------
    base : (n, S)
        Linear predictors without its effects.
    factor : (k, k, S)
        Lower triangles.
    """
    k, zl = len(rows.Z), scaled(rows, factor)
    if rows.gaussian:
        return _closed_form(rows, base, zl, sigma)
    u = _modes(rows, base, zl)
    expected = rows.rows.slopes(rows.y, rows.trials, _predictor(rows, base, zl, u))[2]
    root = _root(_information(rows, zl, expected))
    step = np.sqrt(2.0) * _inverse_upper(root)  # (k, k, J, S): u = mode + step x
    top, total = np.full(u.shape[1:], -np.inf), np.zeros(u.shape[1:])
    for x, log_weight in zip(rows.node, rows.log_weight, strict=True):
        at = u + np.einsum("abjs,b->ajs", step, x)
        term = log_weight + log_joint(rows, base, zl, at)
        higher = np.maximum(top, term)
        total = total * np.exp(top - higher) + np.exp(term - higher)
        top = higher
    scale = sum(np.log(root[a, a]) for a in range(k))
    value = top + np.log(total) - scale - 0.5 * k * np.log(np.pi)
    return np.asarray(value.sum(axis=0))


def scaled(rows: Outcomes, factor: Array) -> Array:
    """``Z F`` (k, n, S): what multiplies standardised effects."""
    k = len(rows.Z)
    return np.stack([sum(rows.Z[b] * factor[b, a] for b in range(a, k)) for a in range(k)])


def conditional(rows: Outcomes, base: Array, zl: Array, sigma: Array) -> tuple[Array, Array]:
    """Where each level's g peaks (k, J, S), and the inverse transpose of the Cholesky factor of its
    observed information there (k, k, J, S)."""
    if rows.gaussian:
        precision = np.broadcast_to(rows.trials / sigma**2, base.shape)
        root = _root(_information(rows, zl, precision))
        pull = np.stack([rows.sums @ (z * precision * (rows.y - base)) for z in zl])
        return _backward(root, _forward(root, pull)), _inverse_upper(root)
    u = _modes(rows, base, zl)
    information = rows.rows.slopes(rows.y, rows.trials, _predictor(rows, base, zl, u))[1]
    return u, _inverse_upper(_root(_information(rows, zl, information)))


def _normal_constant(trials: Array, sigma: Array) -> Array:
    """The part of normal log densities that does not depend on the mean, summed over rows."""
    known = trials[trials > 0]
    constant = 0.5 * (np.log(known).sum() - len(known) * _LOG_2PI)
    return np.asarray(constant - len(known) * np.log(sigma))


def _closed_form(rows: Outcomes, base: Array, zl: Array, sigma: Array) -> Array:
    """With ``r = y - base``, precisions w and ``A = I + zl' w zl`` of a level:
    ``-r'wr / 2 + b'inv(A)b / 2 - log|A| / 2``, where ``b = zl' w r``."""
    precision = rows.trials / sigma**2
    residual = rows.y - base
    pull = np.stack([rows.sums @ (z * precision * residual) for z in zl])
    root = _root(_information(rows, zl, np.broadcast_to(precision, base.shape)))
    half = _forward(root, pull)
    value = 0.5 * (half**2).sum(axis=(0, 1)) - 0.5 * (precision * residual**2).sum(axis=0)
    logdet = sum(np.log(root[a, a]).sum(axis=0) for a in range(len(zl)))
    return np.asarray(value - logdet + _normal_constant(rows.trials, sigma))


# --- levels at u (k, J, S) ----------------------------------------------------------------


def _predictor(rows: Outcomes, base: Array, zl: Array, u: Array) -> Array:
    eta = base
    for z, own in zip(zl, u, strict=True):
        eta = eta + z * own[rows.codes]
    return eta


def log_joint(rows: Outcomes, base: Array, zl: Array, u: Array) -> Array:
    """g at u, (J, S)."""
    loglik = rows.rows.loglik(rows.y, rows.trials, _predictor(rows, base, zl, u))
    return np.asarray(rows.sums @ loglik - 0.5 * (u**2).sum(axis=0))


def _information(rows: Outcomes, zl: Array, weight: Array) -> Array:
    """``I + zl' weight zl`` of each level, (k, k, J, S); its lower triangle."""
    k = len(zl)
    out = np.zeros((k, k, rows.sums.shape[0], zl.shape[2]))
    for a in range(k):
        for b in range(a + 1):
            out[a, b] = rows.sums @ (zl[a] * zl[b] * weight) + (a == b)
    return out


def _modes(rows: Outcomes, base: Array, zl: Array) -> Array:
    """Where each level's g peaks (k, J, S), by Newton steps, none too far, that are halved where
    they lead past the peak by more than they began before it; NaN at points where that does not
    end."""
    S = base.shape[1]
    out, left = np.full((len(zl), len(rows.begin[0]), S), np.nan), np.arange(S)
    u = np.repeat(rows.begin, S, axis=2)
    step, before = np.zeros_like(u), np.zeros(u.shape[1:])
    widest = np.stack([np.maximum.reduceat(np.abs(z), rows.sums.indptr[:-1]) for z in zl])
    for _ in range(_STEPS):
        eta = _predictor(rows, base, zl, u)
        score, information, _ = rows.rows.slopes(rows.y, rows.trials, eta)
        rise = np.stack([rows.sums @ (z * score) for z in zl]) - u
        past = ((step * rise).sum(axis=0) < -before) & (np.abs(step).max(axis=0) > _CLOSE)
        root = _root(_information(rows, zl, information))
        ahead = _backward(root, _forward(root, rise))
        ahead *= np.minimum(1.0, _FARTHEST / np.maximum((widest * np.abs(ahead)).sum(axis=0), 1.0))
        step = np.where(past, 0.5 * step, ahead)
        before = np.where(past, 0.5 * before, (ahead * rise).sum(axis=0))
        u = u + np.where(past, -step, step)
        ready = np.where(past, np.inf, np.abs(step)).max(axis=(0, 1), initial=0.0) < _CLOSE
        if ready.any():
            out[:, :, left[ready]] = u[:, :, ready]
            left = left[~ready]
            if not left.size:
                break
            base, zl, before = base[:, ~ready], zl[:, :, ~ready], before[:, ~ready]
            u, step, widest = u[:, :, ~ready], step[:, :, ~ready], widest[:, :, ~ready]
    return out


# --- triangles (k, k, J, S) of one or two effects -----------------------------------------


def _root(A: Array) -> Array:
    """Lower Cholesky factors."""
    k = len(A)
    L = np.zeros_like(A)
    for j in range(k):
        L[j, j] = np.sqrt(A[j, j] - (L[j, :j] ** 2).sum(axis=0))
        for i in range(j + 1, k):
            L[i, j] = (A[i, j] - (L[i, :j] * L[j, :j]).sum(axis=0)) / L[j, j]
    return L


def _forward(L: Array, b: Array) -> Array:
    """inv(L) b."""
    out = b.copy()
    for i in range(len(L)):
        out[i] = (out[i] - (L[i, :i] * out[:i]).sum(axis=0)) / L[i, i]
    return out


def _backward(L: Array, b: Array) -> Array:
    """inv(L') b."""
    out = b.copy()
    for i in reversed(range(len(L))):
        out[i] = (out[i] - (L[i + 1 :, i] * out[i + 1 :]).sum(axis=0)) / L[i, i]
    return out


def _inverse_upper(L: Array) -> Array:
    """inv(L')."""
    k = len(L)
    columns = [
        _backward(L, np.stack([np.full(L.shape[2:], float(i == j)) for i in range(k)]))
        for j in range(k)
    ]
    return np.stack(columns, axis=1)
