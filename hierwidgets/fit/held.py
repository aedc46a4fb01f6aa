"""What is minimised when one parameter is held: ``-2 log L`` over all the others.

To hold an sd or a correlation, the columns of its term are put in an order in which it is an
element (or a simple function of three) of the Cholesky factor; the likelihood does not depend
on that order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.density import theta_elements
from hierwidgets.likelihood.estimate import WarmStart, objective
from hierwidgets.likelihood.gaussian import evaluate, products
from hierwidgets.likelihood.optimum import search_unit
from hierwidgets.spec.covariance import cholesky_from_sd_corr, sd_corr
from hierwidgets.spec.design import Design, Term, level_sums
from hierwidgets.spec.families import Family
from hierwidgets.spec.parameters import Parameter, Point

__all__ = ["Held", "held"]

Deviance = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True, slots=True)
class Held:
    """What is minimised when a parameter is held.

    Attributes
    ----------
    deviance : c -> (x (d,) -> (neg2loglik, gradient (d,)))
    start : (d,)
        x at the estimate.
    scale : (d, d)
        The scale of a search over x.
    """

    deviance: Callable[[float], Deviance]
    start: Array
    scale: Array


def held(
    parameter: Parameter, design: Design, family: Family, n_agq: int, at: Point, spread: Array
) -> Held:
    """The problem with `parameter` held.

    Parameters
    ----------
    spread : (p, p)
        Covariance of the coefficients: the scale of a search over them.
    """
    gaussian = family.name == "gaussian"
    if gaussian and parameter.kind == "coefficient":
        return _held_gaussian_coefficient(parameter, design, family, at)
    if parameter.kind in ("sd", "corr"):
        design, at, parameter = _put_first(parameter, design, at)
    template = design.template
    absolute = theta_elements(template, at.factors)
    rest = [np.log(at.sigma)] if gaussian else at.beta
    psi = np.concatenate([absolute, rest])
    scale = np.zeros((len(psi), len(psi)))
    m = template.m
    scale[:m, :m] = np.diag(_theta_scale(design, family, at))
    if gaussian:
        scale[m, m] = 0.5 / np.sqrt(design.nobs)
    elif len(spread):
        scale[m:, m:] = np.linalg.cholesky(spread + 1e-12 * np.diag(np.diag(spread)))
    full = _gaussian(design) if gaussian else _generalised(design, family, n_agq)
    if parameter.kind == "corr":
        return _hold_correlation(full, parameter, design, psi, scale)
    return _hold_element(full, _position(parameter, design), psi, scale)


def _theta_scale(design: Design, family: Family, at: Point) -> Array:
    """A unit for each factor element, from the information its levels have."""
    if family.name == "gaussian":
        weight = design.trials / at.sigma**2
    else:
        eta = design.X @ at.beta + design.offset
        weight = family.derivatives(design.y, design.trials, eta).weight
    template, out = design.template, []
    for t, r in zip(template.term, template.rows, strict=True):
        term = design.terms[t]
        sd = max(float(np.linalg.norm(at.factors[t][r])), 0.2 * at.sigma / term.size(r))
        information = level_sums(term, weight * term.Z[:, r] ** 2)
        out.append(search_unit(sd, information))
    return np.array(out)


def _position(parameter: Parameter, design: Design) -> int:
    """Where a held sd, coefficient or sigma stands in psi."""
    template = design.template
    if parameter.kind == "sigma":
        return template.m
    if parameter.kind == "coefficient":
        return template.m + parameter.i
    hit = (template.term == parameter.term) & (template.rows == parameter.i) & template.diagonal
    return int(np.flatnonzero(hit)[0])


def _put_first(parameter: Parameter, design: Design, at: Point) -> tuple[Design, Point, Parameter]:
    """The same model with the parameter's columns first in their block."""
    t, term = parameter.term, design.terms[parameter.term]
    block = next(b for b in term.blocks if parameter.i in b)
    lead = [parameter.i] + ([parameter.j] if parameter.kind == "corr" else [])
    order = np.arange(term.k)
    order[list(block)] = lead + [i for i in block if i not in lead]
    moved: Term = replace(
        term, Z=np.ascontiguousarray(term.Z[:, order]), names=tuple(term.names[i] for i in order)
    )
    terms, factors = list(design.terms), list(at.factors)
    terms[t] = moved
    sd, corr = sd_corr(factors[t][order])
    factors[t] = cholesky_from_sd_corr(sd, np.nan_to_num(corr))
    first = replace(parameter, i=block[0], j=block[1] if parameter.kind == "corr" else -1)
    return replace(design, terms=tuple(terms)), replace(at, factors=tuple(factors)), first


def _generalised(design: Design, family: Family, n_agq: int) -> Deviance:
    """``psi = (factor elements, beta) -> -2 log L`` by Laplace or quadrature."""
    lay, m = layout(design), design.template.m
    evaluate_at = WarmStart(objective(lay, family, n_agq))

    def deviance(psi: Array) -> tuple[float, Array]:
        found = evaluate_at(psi[:m], psi[m:])
        return found.neg2loglik - 2.0 * design.constant, found.gradient

    return deviance


def _gaussian(design: Design) -> Deviance:
    """``psi = (factor elements, log sigma) -> -2 log L``, beta profiled out."""
    P, m = products(design), design.template.m

    def deviance(psi: Array) -> tuple[float, Array]:
        sigma = float(np.exp(psi[m]))
        theta = psi[:m] / sigma
        found = evaluate(P, theta, False, sigma)
        by_sigma = 2.0 * P.n - 2.0 * found.pwrss / sigma**2 - found.gradient @ theta
        return found.value, np.append(found.gradient / sigma, by_sigma)

    return deviance


def _held_gaussian_coefficient(
    parameter: Parameter, design: Design, family: Family, at: Point
) -> Held:
    """beta_i held: its column becomes part of the offset; sigma and the rest profile out."""
    column, X = design.X[:, parameter.i], np.delete(design.X, parameter.i, axis=1)

    def deviance(c: float) -> Deviance:
        P = products(replace(design, X=X, offset=design.offset + c * column))

        def at_theta(theta: Array) -> tuple[float, Array]:
            found = evaluate(P, theta, False)
            return found.value, found.gradient

        return at_theta

    theta = theta_elements(design.template, at.factors) / at.sigma
    return Held(deviance, theta, np.diag(_theta_scale(design, family, at) / at.sigma))


def _hold_element(full: Deviance, position: int, psi: Array, scale: Array) -> Held:
    """One element of psi held; sigma is held as its logarithm."""
    free = np.delete(np.arange(len(psi)), position)

    def deviance(c: float) -> Deviance:
        def at_free(x: Array) -> tuple[float, Array]:
            whole = np.empty(len(psi))
            whole[free], whole[position] = x, c
            neg2loglik, gradient = full(whole)
            return neg2loglik, gradient[free]

        return at_free

    return Held(deviance, psi[free], scale[np.ix_(free, free)])


def _hold_correlation(
    full: Deviance, parameter: Parameter, design: Design, psi: Array, scale: Array
) -> Held:
    """The correlation r of the first two columns held; their sds s are searched as log s.

    The three elements of the factor are ``s_1, r s_2, sqrt(1 - r^2) s_2``.
    """
    template = design.template
    own = template.term == parameter.term
    at = [
        int(np.flatnonzero(own & (template.rows == r) & (template.cols == c))[0])
        for r, c in [
            (parameter.i, parameter.i), (parameter.j, parameter.i), (parameter.j, parameter.j)
        ]
    ]  # fmt: skip
    free = np.delete(np.arange(len(psi)), at)
    sds = np.array([abs(psi[at[0]]), np.hypot(psi[at[1]], psi[at[2]])])

    def deviance(c: float) -> Deviance:
        root = np.sqrt(max(1.0 - c**2, 0.0))

        def at_free(x: Array) -> tuple[float, Array]:
            s = np.exp(x[:2])
            whole = np.empty(len(psi))
            whole[free], whole[at] = x[2:], [s[0], c * s[1], root * s[1]]
            neg2loglik, gradient = full(whole)
            g = gradient[at]
            by_log = [g[0] * s[0], (g[1] * c + g[2] * root) * s[1]]
            return neg2loglik, np.concatenate([by_log, gradient[free]])

        return at_free

    inner = np.zeros((len(free) + 2, len(free) + 2))
    inner[:2, :2] = 0.3 * np.eye(2)
    inner[2:, 2:] = scale[np.ix_(free, free)]
    return Held(deviance, np.concatenate([np.log(np.maximum(sds, 1e-3)), psi[free]]), inner)
