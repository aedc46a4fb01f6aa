"""Quadrature inside, Laplace outside: for levels nested in levels.

In a nested design (districts within elections) the innermost effects are many, each with few
rows, which is where the Laplace approximation is biased; the outer effects are few, each
with many rows, where it is good. So the inner effect u of each level j is integrated by
adaptive Gauss-Hermite quadrature at given outer effects v, and the outer ones by Laplace:

    -2 log L = -2 sum_j log I_j(v) + |v|^2 + log|H|   at the v that minimises the first two,
    H = I + Lambda2' Z2' (E[info] - Var[score]) Z2 Lambda2,

expectation and variance over the quadrature's posterior weights of u (Louis 1982, J. R. Stat.
Soc. B 44(2), eq. 3.2, gives that form of the information when u is integrated out).
"""

from dataclasses import dataclass

import numpy as np

from hierwidgets.base.arrays import Array, Index
from hierwidgets.errors import FitError
from hierwidgets.spec.families import Family

from .blocks import Layout, Scaled, scale
from .laplace import Value
from .magnitudes import beyond_arithmetic
from .quadrature import nodes

__all__ = ["is_nested", "nested", "outer_value"]


_MOST_STEPS = 100
_STEP = 1e-3  # of the central differences, in units of each parameter's start
_DECREMENT = 1e-14
_NEAR_END = 1e-2


def is_nested(lay: Layout) -> bool:
    """Whether the leading term is scalar and each of its levels lies in one level of the rest."""
    first, *later = lay.design.terms
    if first.k != 1 or not later:
        return False
    return all((term.codes == term.codes[lay.starts][first.codes]).all() for term in later)


@dataclass(frozen=True, slots=True)
class Inner:
    """The inner integrals at given outer effects.

    Attributes
    ----------
    log : float
        Sum over levels of log I_j.
    score, information : (n,)
        Posterior means over u of each row's score, and of its observed information.
    spread : (J, K, K)
        Posterior covariance over u of each level's score in the K outer columns it touches.
    u : (J,)
        Inner modes.
    """

    log: float
    score: Array
    information: Array
    spread: Array
    u: Array


def nested(
    lay: Layout,
    family: Family,
    theta: Array,
    beta: Array,
    n_agq: int,
    start: tuple[Array, Array] | None = None,
) -> Value:
    """``-2 log L`` by `n_agq` inner nodes, and its gradient by central differences."""
    value, u, v = outer_value(lay, family, theta, beta, n_agq, start)
    x, m = np.concatenate([theta, beta]), len(theta)
    gradient = np.empty(len(x))
    sizes = _STEP * _units(lay, family, beta, len(theta))
    for i, h in enumerate(sizes):
        ends = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[i] += sign * h
            ends.append(outer_value(lay, family, moved[:m], moved[m:], n_agq, (u, v))[0])
        gradient[i] = (ends[0] - ends[1]) / (2 * h)
    return Value(value, gradient, u, v)


def _units(lay: Layout, family: Family, beta: Array, m: int) -> Array:
    """Rough standard errors to scale the differences by: (m + p,)."""
    design = lay.design
    d = family.derivatives(design.y, design.trials, design.X @ beta + design.offset)
    column = np.sqrt((d.weight[:, None] * design.X**2).sum(axis=0))
    return np.concatenate([0.3 / design.sizes, 1.0 / np.maximum(column, 1e-8)])


def outer_value(
    lay: Layout,
    family: Family,
    theta: Array,
    beta: Array,
    n_agq: int,
    start: tuple[Array, Array] | None = None,
) -> tuple[float, Array, Array]:
    """``-2 log L``, and the inner (J, 1) and outer (q2,) modes it was found at."""
    design = lay.design
    scaled = scale(lay, lay.template.factors(theta))
    base = design.X @ beta + design.offset
    cols = _columns(lay)
    local = _local(lay, scaled, cols)
    u, v = np.zeros(design.terms[0].J), np.zeros(lay.q2)
    if start is not None:
        u, v = start[0][:, 0], start[1]
    inner = _inner(lay, family, scaled, local, base, v, u, n_agq)
    value = inner.log - 0.5 * float(v @ v)
    for _ in range(_MOST_STEPS):
        H = _curvature(lay, local, cols, inner)
        g = _scatter(cols, lay.sum(local * inner.score[:, None]), lay.q2) - v
        step = np.linalg.solve(H, g)
        decrement = float(g @ step)
        if abs(decrement) < _DECREMENT * (1.0 + 1e-3 * abs(value)):
            sign, logdet = np.linalg.slogdet(H)
            if sign <= 0:
                raise FitError("the outer effects have no mode here; use n_agq=1")
            return -2.0 * value + float(logdet), inner.u[:, None], v
        size, old = 1.0, value
        while True:
            w = v + size * step
            inner = _inner(lay, family, scaled, local, base, w, inner.u, n_agq)
            value = inner.log - 0.5 * float(w @ w)
            # near the end the score decides: with few nodes the value's own top is beside it
            if value >= old - 1e-10 * abs(old) or size < 1e-6 or decrement < _NEAR_END:
                break
            size *= 0.5
        v = w
    raise FitError(
        f"the outer effects did not settle; use n_agq=1, or {beyond_arithmetic(lay.design)}"
    )


def _columns(lay: Layout) -> Index:
    """(J, K): the outer columns that the rows of each inner level touch."""
    return np.hstack([c[lay.starts] for c in lay.columns])


def _local(lay: Layout, scaled: Scaled, cols: Index) -> Array:
    """(n, K): rows of Z2 Lambda2 in those columns."""
    if lay.sparse:
        values: Array = scaled.ZL2.data.reshape(len(lay.design.y), -1)
        return values
    taken: Array = np.take_along_axis(scaled.ZL2, lay.spread(cols), axis=1)
    return taken


def _inner(
    lay: Layout,
    family: Family,
    scaled: Scaled,
    local: Array,
    base: Array,
    v: Array,
    u: Array,
    n_agq: int,
) -> Inner:
    design = lay.design
    eta0 = base + np.einsum("ij,ij->i", local, lay.spread(v[_columns(lay)]))
    zl = scaled.zl0[:, 0]
    u, A = _inner_modes(lay, family, zl, eta0, u)
    x, log_weight = nodes(n_agq)
    tau = 1.0 / np.sqrt(A)
    grid = u[:, None] + np.sqrt(2.0) * tau[:, None] * x
    d = family.derivatives(
        design.y[:, None], design.trials[:, None], eta0[:, None] + zl[:, None] * lay.spread(grid)
    )
    terms = log_weight + lay.sum(d.loglik) - 0.5 * grid**2
    top = terms.max(axis=1, keepdims=True)
    share = np.exp(terms - top)
    total = share.sum(axis=1, keepdims=True)
    log = np.log(tau) - 0.5 * np.log(np.pi) + (top + np.log(total))[:, 0]
    share /= total
    at_rows = lay.spread(share)
    by_level = lay.sum(d.score[:, :, None] * local[:, None, :])  # (J, nodes, K)
    mean = np.einsum("jk,jkc->jc", share, by_level)
    centred = by_level - mean[:, None, :]
    return Inner(
        float(log.sum()),
        np.einsum("ik,ik->i", at_rows, d.score),
        np.einsum("ik,ik->i", at_rows, d.information),
        np.einsum("jk,jkc,jkd->jcd", share, centred, centred),
        u,
    )


def _inner_modes(
    lay: Layout, family: Family, zl: Array, eta0: Array, u: Array
) -> tuple[Array, Array]:
    """The mode of each inner effect, by Newton's method, and the curvature there: (J,) each."""
    design = lay.design

    def look(u: Array) -> tuple[Array, Array, Array]:
        d = family.derivatives(design.y, design.trials, eta0 + zl * lay.spread(u))
        gradient = lay.sum(zl * d.score) - u
        return lay.sum(d.loglik) - 0.5 * u**2, gradient, 1.0 + lay.sum(zl**2 * d.information)

    value, g, A = look(u)
    for _ in range(_MOST_STEPS):
        step = g / A
        if float(np.max(g * step)) < 1e-18:
            return u, A
        size = np.ones_like(u)
        while True:
            new_value, new_g, new_A = look(u + size * step)
            worse = new_value < value - 1e-12 * np.abs(value)
            if not worse.any() or np.min(size) < 1e-8:
                break
            size = np.where(worse, 0.5 * size, size)
        u, value, g, A = u + size * step, new_value, new_g, new_A
    return u, A


def _curvature(lay: Layout, local: Array, cols: Index, inner: Inner) -> Array:
    """H (q2, q2)."""
    weighted = inner.information[:, None] * local
    blocks = lay.sum(weighted[:, :, None] * local[:, None, :]) - inner.spread
    q2, width = lay.q2, cols.shape[1]
    at = (cols[:, :, None] * q2 + cols[:, None, :]).reshape(-1)
    H = _sums(at, blocks, q2 * q2).reshape(q2, q2)
    if width:
        H.flat[:: q2 + 1] += 1.0
    return H


def _scatter(cols: Index, values: Array, q2: int) -> Array:
    return _sums(cols.reshape(-1), values, q2)


def _sums(at: Index, values: Array, size: int) -> Array:
    return np.bincount(at, weights=values.reshape(-1), minlength=size).astype(np.float64)
