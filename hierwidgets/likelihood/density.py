"""The joint log density of outcomes and standardised group effects.

With ``u ~ N(0, I)``, ``b = Lambda(theta) u`` and ``eta = X beta + offset + Z b``,

    log p(y, u | beta, theta) = sum_i log p(y_i | eta_i) - |u|^2 / 2 - (q / 2) log(2 pi).

Maximum likelihood integrates u out of it (`laplace`, `quadrature`, `nested`, `gaussian`); a
sampler draws from it, under priors. Both compute it in forms of their own, made for that work:
`joint` says it once, plainly, and the tests hold the conditional modes of the one and the target
of the other against it. The notation is that of Bates et al. (2015), J. Stat. Softw. 67(1),
section 2.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.spec.covariance import Template
from hierwidgets.spec.design import Design, Term
from hierwidgets.spec.families import Family

__all__ = ["Joint", "joint", "linear_predictor", "split", "theta_elements"]


class Joint(NamedTuple):
    """Joint log density (counting constant included) and its gradient."""

    value: float
    beta: Array  # (p,)
    theta: Array  # (m,)
    u: Array  # (q,)


def split(terms: Sequence[Term], u: Array) -> list[Array]:
    """The flat vector u of some terms as one (J, k) array for each."""
    out, at = [], 0
    for term in terms:
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


def theta_elements(template: Template, matrices: Sequence[Array]) -> Array:
    """(m,) what stands where theta does, in one (k, k) matrix per term."""
    places = zip(template.term, template.rows, template.cols, strict=True)
    return np.array([matrices[t][r, c] for t, r, c in places])


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
    factors = design.template.factors(theta)
    parts = split(design.terms, u)
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
    by_theta = theta_elements(design.template, grad_L)
    return Joint(float(value), design.X.T @ d.score, by_theta, np.concatenate(grad_u))
