"""What is minimised when one parameter is held: ``-2 log L`` over all the others.

To hold an sd or a correlation, the columns of its term are put in an order in which it is an
element (or a simple function of three) of the Cholesky factor; to hold a coefficient, its column
is put last. The likelihood does not depend on that order. The others are searched in working
coordinates (`coordinates`), where what is held is still one element: T is lower-triangular and R
upper-triangular.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag

from hierwidgets.base.arrays import Array
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.coordinates import Coordinates, working
from hierwidgets.likelihood.density import theta_elements
from hierwidgets.likelihood.estimate import WarmStart, coefficient_units, objective
from hierwidgets.likelihood.gaussian import evaluate, products
from hierwidgets.likelihood.optimum import search_unit
from hierwidgets.spec.covariance import Template
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


def held(parameter: Parameter, design: Design, family: Family, n_agq: int, at: Point) -> Held:
    """The problem with `parameter` held."""
    gaussian = family.name == "gaussian"
    if parameter.kind == "coefficient":
        design, at, parameter = _put_last(parameter, design, at)
    elif parameter.kind != "sigma":
        design, at, parameter = _put_first(parameter, design, at)
    own = working(design)
    inside = replace(
        at,
        factors=own.factors_inward(at.factors),
        beta=own.R @ at.beta,
    )
    if gaussian and parameter.kind == "coefficient":
        return _held_gaussian_coefficient(own, family, inside)
    psi = np.concatenate(
        [
            theta_elements(design.template, inside.factors),
            [np.log(at.sigma)] if gaussian else inside.beta,
        ]
    )
    scale = _scale(own.design, family, inside)
    full = _gaussian(own.design) if gaussian else _generalised(own.design, family, n_agq)
    if parameter.kind == "corr":
        return _hold_correlation(full, parameter, own, psi, scale)
    return _hold_element(full, *_position(parameter, own), psi, scale)


def _scale(design: Design, family: Family, at: Point) -> Array:
    """The scale of a search over psi."""
    own = np.diag(_theta_scale(design, family, at))
    if family.name == "gaussian":
        return block_diag(own, 0.5 / np.sqrt(design.nobs))
    eta = design.X @ at.beta + design.offset
    weight = family.derivatives(design.y, design.trials, eta).weight
    theta = theta_elements(design.template, at.factors)
    return block_diag(own, coefficient_units(layout(design), theta, weight))


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


def _position(parameter: Parameter, own: Coordinates) -> tuple[int, float]:
    """Where a held sd, coefficient or log sigma stands in psi, and its unit there."""
    template = own.design.template
    if parameter.kind == "sigma":
        return template.m, 1.0
    if parameter.kind == "coefficient":
        return template.m + parameter.i, float(own.R[-1, -1])
    hit = (template.term == parameter.term) & (template.rows == parameter.i) & template.diagonal
    return int(np.flatnonzero(hit)[0]), 1.0 / float(own.T[parameter.term][(parameter.i,) * 2])


def _put_last(parameter: Parameter, design: Design, at: Point) -> tuple[Design, Point, Parameter]:
    """The same model with the parameter's column last in X."""
    p = design.X.shape[1]
    order = np.append(np.delete(np.arange(p), parameter.i), parameter.i)
    moved = replace(design, X=design.X[:, order], names=tuple(design.names[i] for i in order))
    return moved, replace(at, beta=at.beta[order]), replace(parameter, i=p - 1)


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
    R: Array = np.linalg.qr(factors[t][order].T)[1]
    factors[t] = (R * np.where(np.diag(R) < 0, -1.0, 1.0)[:, None]).T
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


def _held_gaussian_coefficient(own: Coordinates, family: Family, at: Point) -> Held:
    """The last of beta held: its column becomes part of the offset; the rest profiles out."""
    design = own.design
    column, X = design.X[:, -1] * own.R[-1, -1], design.X[:, :-1]

    def deviance(c: float) -> Deviance:
        P = products(replace(design, X=X, offset=design.offset + c * column))

        def at_theta(theta: Array) -> tuple[float, Array]:
            found = evaluate(P, theta, False)
            return found.value, found.gradient

        return at_theta

    theta = theta_elements(design.template, at.factors) / at.sigma
    return Held(deviance, theta, np.diag(_theta_scale(design, family, at) / at.sigma))


def _hold_element(full: Deviance, position: int, unit: float, psi: Array, scale: Array) -> Held:
    """One element of psi held at `unit` times c; sigma is held as its logarithm."""
    free = np.delete(np.arange(len(psi)), position)

    def deviance(c: float) -> Deviance:
        def at_free(x: Array) -> tuple[float, Array]:
            whole = np.empty(len(psi))
            whole[free], whole[position] = x, c * unit
            neg2loglik, gradient = full(whole)
            return neg2loglik, gradient[free]

        return at_free

    return Held(deviance, psi[free], scale[np.ix_(free, free)])


def _hold_correlation(
    full: Deviance, parameter: Parameter, own: Coordinates, psi: Array, scale: Array
) -> Held:
    """The correlation r of the first two columns held; their sds s are searched as log s.

    The three elements of the factor are ``s_1, r s_2, sqrt(1 - r^2) s_2``; `inward` takes them
    to working coordinates.
    """
    i, j = parameter.i, parameter.j
    at = _three(own.design.template, parameter)
    free = np.delete(np.arange(len(psi)), at)
    T = own.T[parameter.term][np.ix_([i, j], [i, j])]
    inward = np.linalg.inv(block_diag(T, T[1, 1]))
    first = np.linalg.solve(inward, psi[at])
    least = 1e-3 * np.abs(np.diag(T))
    logs = np.log(np.maximum([abs(first[0]), np.hypot(first[1], first[2])], least))

    def slopes(c: float, logs: Array) -> Array:
        """The three elements, by the two sds: (3, 2); their sum over columns is their value."""
        s, root = np.exp(logs), np.sqrt(max(1.0 - c**2, 0.0))
        return inward @ np.array([[s[0], 0.0], [0.0, c * s[1]], [0.0, root * s[1]]])

    corr = first[1] / max(float(np.hypot(first[1], first[2])), 1e-300)
    bent = slopes(corr, logs) / np.diag(scale)[at][:, None]
    longest = np.linalg.cholesky(bent.T @ bent + np.eye(2) / 0.3**2)  # no step above 0.3

    def deviance(c: float) -> Deviance:
        def at_free(x: Array) -> tuple[float, Array]:
            by_log = slopes(c, x[:2])
            whole = np.empty(len(psi))
            whole[free], whole[at] = x[2:], by_log.sum(axis=1)
            neg2loglik, gradient = full(whole)
            return neg2loglik, np.concatenate([by_log.T @ gradient[at], gradient[free]])

        return at_free

    return Held(
        deviance,
        np.concatenate([logs, psi[free]]),
        block_diag(np.linalg.inv(longest).T, scale[np.ix_(free, free)]),
    )


def _three(template: Template, parameter: Parameter) -> list[int]:
    """Where theta has the elements of the factor of the first two columns of a block."""
    own = template.term == parameter.term
    places = [(parameter.i, parameter.i), (parameter.j, parameter.i), (parameter.j, parameter.j)]
    return [
        int(np.flatnonzero(own & (template.rows == r) & (template.cols == c))[0]) for r, c in places
    ]
