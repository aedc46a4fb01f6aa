"""The joint log density of outcomes and standardised group effects.

With ``u ~ N(0, I)``, ``b = Lambda(theta) u`` and ``eta = X beta + offset + Z b``,

    log p(y, u | beta, theta) = sum_i log p(y_i | eta_i) - |u|^2 / 2 - (q / 2) log(2 pi).

Maximum likelihood integrates u out of it (`marginal`); a sampler draws from it. The
notation is that of Bates et al. (2015), J. Stat. Softw. 67(1), section 2.
"""

from typing import NamedTuple

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

__all__ = ["Joint", "joint", "linear_predictor", "split"]


class Joint(NamedTuple):
    """Joint log density (counting constant included) and its gradient."""

    value: float
    beta: Array  # (p,)
    theta: Array  # (m,)
    u: Array  # (q,)


def split(design: Design, u: Array) -> list[Array]:
    """The flat vector u (q,) as one (J, k) array per term."""
    out, at = [], 0
    for term in design.terms:
        size = term.J * term.k
        out.append(u[at : at + size].reshape(term.J, term.k))
        at += size
    return out


def linear_predictor(design: Design, beta: Array, effects: list[Array]) -> Array:
    """eta (n,) for coefficients beta (p,) and group effects b, one (J, k) per term."""
    eta = design.X @ beta + design.offset
    for term, b in zip(design.terms, effects, strict=True):
        eta += np.einsum("ij,ij->i", term.Z, b[term.codes])
    return eta


def joint(design: Design, family: Family, beta: Array, theta: Array, u: Array) -> Joint:
    """Joint log density of the outcomes and u, with its gradient.

    Parameters
    ----------
    beta, theta, u :
        (p,), (m,) and (q,): coefficients, covariance factors, standardised effects.

    Notes
    -----
    For a Gaussian family the residual sd is taken as 1.
    """
    template = design.template
    factors = template.factors(theta)
    parts = split(design, u)
    eta = linear_predictor(
        design, beta, [part @ L.T for part, L in zip(parts, factors, strict=True)]
    )
    d = family.derivatives(design.y, design.trials, eta)
    value = d.loglik.sum() + design.constant - 0.5 * (u @ u) - 0.5 * u.size * np.log(2 * np.pi)
    grad_u, grad_L = [], []
    for term, part, L in zip(design.terms, parts, factors, strict=True):
        pulled = np.zeros((term.J, term.k))
        np.add.at(pulled, term.codes, term.Z * d.score[:, None])
        grad_u.append((pulled @ L - part).ravel())
        grad_L.append(pulled.T @ part)
    theta_grad = np.array(
        [
            grad_L[t][r, c]
            for t, r, c in zip(template.term, template.rows, template.cols, strict=True)
        ]
    )
    return Joint(float(value), design.X.T @ d.score, theta_grad, np.concatenate(grad_u))
