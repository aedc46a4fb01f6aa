"""Adaptive Gauss-Hermite quadrature for a model with one scalar group term.

For each level j the integral over its effect u is a sum over nodes placed at the
conditional mode and scaled by the conditional sd (Pinheiro & Bates 1995, J. Comput. Graph.
Stat. 4(1), section 2.4; Liu & Pierce 1994, Biometrika 81(3)):

    log I_j = log tau_j - log(pi) / 2 + log sum_k w_k exp(x_k^2 + g_j(u_j + sqrt(2) tau_j x_k)),
    g_j(u) = sum_i log p(y_i | u) - u^2 / 2.

One node is the Laplace approximation. The gradient differentiates the sum as it stands,
moving nodes included, so that it is exact at any number of nodes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.spec.families import Family

from .blocks import Layout
from .laplace import State, Value, solve_modes

__all__ = ["adaptive", "nodes"]


@lru_cache(maxsize=32)
def nodes(n_agq: int) -> tuple[Array, Array]:
    """Nodes x (n_agq,) and ``log w + x^2`` (n_agq,) of the Gauss-Hermite rule.

    Examples
    --------
    >>> x, log_weight = nodes(3)
    >>> bool(np.isclose(np.sum(np.exp(log_weight - x**2)), np.sqrt(np.pi)))
    True
    """
    x, w = np.polynomial.hermite.hermgauss(n_agq)
    return x, np.log(w) + x**2


@dataclass(frozen=True, slots=True)
class Integral:
    """The per-level integrals at given parameters.

    Attributes
    ----------
    log : (J,)
        log I_j.
    u : (J, K)
        Nodes.
    weight : (J, K)
        The share of each node in its level's sum: posterior weights of u.
    score : (n, K)
        Scores of the rows at the nodes.
    """

    log: Array
    u: Array
    weight: Array
    score: Array


def integrate(lay: Layout, family: Family, s: State, tau: Array, n_agq: int) -> Integral:
    """The integrals of all levels, for conditional modes in `s` and scales tau (J,)."""
    x, log_weight = nodes(n_agq)
    design = lay.design
    zl = s.blocks.scaled.zl0[:, 0]
    u = s.u0 + np.sqrt(2.0) * tau[:, None] * x
    eta = s.base[:, None] + zl[:, None] * lay.spread(u)
    d = family.derivatives(design.y[:, None], design.trials[:, None], eta)
    terms = log_weight + lay.sum(d.loglik) - 0.5 * u**2
    top = terms.max(axis=1, keepdims=True)
    share = np.exp(terms - top)
    total = share.sum(axis=1, keepdims=True)
    log = np.log(tau) - 0.5 * np.log(np.pi) + (top + np.log(total))[:, 0]
    return Integral(log, u, share / total, d.score)


def adaptive(
    lay: Layout,
    family: Family,
    theta: Array,
    beta: Array,
    n_agq: int,
    start: tuple[Array, Array] | None = None,
) -> Value:
    """``-2 log L`` by `n_agq` nodes per level, and its gradient, as `laplace.laplace`."""
    s = solve_modes(lay, family, theta, beta, start)
    design, d = lay.design, s.d
    term = design.terms[0]
    z, spread = term.Z[:, 0], lay.spread
    zl = s.blocks.scaled.zl0[:, 0]
    A = 1.0 + lay.sum(d.weight * zl**2)
    tau = 1.0 / np.sqrt(A)
    at = integrate(lay, family, s, tau, n_agq)
    pull = lay.sum(at.score * zl[:, None]) - at.u  # d g_j / d u at the nodes
    x, _ = nodes(n_agq)
    by_scale = np.einsum("jk,jk->j", at.weight, pull * x)
    c1 = -0.5 * (1.0 + np.sqrt(2.0) * tau * by_scale) / A
    bent = d.weight_slope * zl**2
    c3 = np.einsum("jk,jk->j", at.weight, pull) + c1 * lay.sum(bent * zl)
    c3 = c3 / (1.0 + lay.sum(d.information * zl**2))
    r = spread(c1) * bent - spread(c3) * zl * d.information
    share = spread(at.weight)
    mean_score = np.einsum("ik,ik->i", share, at.score)
    mean_score_u = np.einsum("ik,ik->i", share * at.score, spread(at.u))
    by_theta = mean_score_u + r * spread(s.u0)[:, 0] + 2.0 * spread(c1) * d.weight * zl
    by_theta += spread(c3) * d.score
    gradient = -2.0 * np.concatenate([[z @ by_theta], design.X.T @ (mean_score + r)])
    return Value(-2.0 * float(at.log.sum()), gradient, s.u0, s.u2)
