"""Coordinates in which the columns of a model are of one size and as orthogonal as it allows.

A predictor such as a year is nearly constant: coefficients of it and of the constant trade with
one another over thousands of times their own size, and a search in them stops on the way. Its
origin and unit say nothing about the model, so the search is made where they do not matter:

    X = Q R,                    beta = inv(R) gamma
    Z_t T_t with T_t lower-triangular, one block of correlated coefficients after the other:
    Z Lambda = (Z T)(inv(T) Lambda),    Lambda = T Lambda'

Q, and the columns of a block of Z T, are orthogonal with mean square 1. T keeps a factor
lower-triangular and the signs of its diagonal, also on the boundary, so (theta, beta) is a
*linear* function of its working counterpart: gradients, Hessians and covariances go over
exactly, and u is the same on both sides. Coefficients that are uncorrelated by the formula are
not mixed: there the origin of a predictor is part of the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.spec.covariance import Template
from hierwidgets.spec.design import Design, NewRows, Term

__all__ = ["Coordinates", "starting_factors", "working"]

_COLLINEAR = 1e-10  # of a column's size: what is left of it beside the others of its block


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A design in working coordinates, and the way there and back.

    Attributes
    ----------
    design : Design
        With X and Z in working coordinates.
    R : (p, p)
        Upper-triangular: ``X = Q R``.
    T : tuple of (k, k)
        One per term, lower-triangular.
    M : (m, m)
        ``theta = M theta'``.
    """

    design: Design
    R: Array
    T: tuple[Array, ...]
    M: Array

    @property
    def outward(self) -> Array:
        """(m + p, m + p): working (theta, beta) to those of the model."""
        return _beside(self.M, _inverse(self.R, lower=False))

    @property
    def inward(self) -> Array:
        """(m + p, m + p): (theta, beta) of the model to the working ones."""
        return _beside(_inverse(self.M, lower=True), self.R)

    def factors_inward(self, factors: Sequence[Array]) -> tuple[Array, ...]:
        """Factors Lambda of the model, in working coordinates."""
        return tuple(_inverse(T, lower=True) @ L for T, L in zip(self.T, factors, strict=True))

    def rows(self, new: NewRows) -> NewRows:
        """New rows in working coordinates."""
        Z = tuple(z @ T for z, T in zip(new.Z, self.T, strict=True))
        return replace(new, X=new.X @ _inverse(self.R, lower=False), Z=Z)


def working(design: Design) -> Coordinates:
    """The working coordinates of a design.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from hierwidgets.spec import design, families, formula
    >>> d = pd.DataFrame({"y": [0, 1, 1, 0], "year": [2018, 2019, 2018, 2019], "g": list("aabb")})
    >>> made = design.build(formula.parse("y ~ year + (year | g)"), d,
    ...                     families.family("binomial"))
    >>> at = working(made)
    >>> bool(np.allclose(at.design.X.T @ at.design.X, 4 * np.eye(2)))
    True
    >>> bool(np.allclose(at.design.terms[0].Z, made.terms[0].Z @ at.T[0]))
    True
    """
    Q, R = _orthonormal(design.X)
    taken = [_taken_apart(term) for term in design.terms]
    terms = tuple(replace(term, Z=Z) for term, (Z, _) in zip(design.terms, taken, strict=True))
    T = tuple(T for _, T in taken)
    return Coordinates(replace(design, X=Q, terms=terms), R, T, _elements(design.template, T))


def _elements(template: Template, T: Sequence[Array]) -> Array:
    """M (m, m): column c of Lambda is T times column c of Lambda'."""
    M = np.zeros((template.m, template.m))
    places = list(zip(template.term, template.rows, template.cols, strict=True))
    for i, (t, row, col) in enumerate(places):
        for j, (other, inner, its_col) in enumerate(places):
            if t == other and col == its_col:
                M[i, j] = T[t][row, inner]
    return M


def starting_factors(design: Design, theta: Array) -> list[Array]:
    """`theta`, and others to start a search from where the likelihood may have several tops.

    Uncorrelated coefficients of one group whose columns are not orthogonal can stand in for one
    another: an intercept that varies, or a slope of a predictor far from 0. Then each block in
    turn starts at a tenth, and all of them at three times.
    """
    template, starts = design.template, [theta]
    for t, term in enumerate(design.terms):
        if len(term.blocks) > 1:
            for block in term.blocks:
                own = (template.term == t) & np.isin(template.rows, block)
                starts.append(np.where(own, 0.1, 1.0) * theta)
    return starts if len(starts) == 1 else [*starts, 3.0 * theta]


def _orthonormal(X: Array) -> tuple[Array, Array]:
    """Q with columns of mean square 1, and R with a positive diagonal: ``X = Q R``.

    By Gram and Schmidt, each column twice (Giraud, Langou & Rozloznik 2005, Comput. Math. Appl.
    50(7)). LAPACK's threads cost more than these few columns are worth.
    """
    n, p = X.shape
    columns, R = np.ascontiguousarray(X.T, dtype=np.float64).copy(), np.zeros((p, p))
    for j, x in enumerate(columns):
        before = columns[:j]
        for _ in range(2):
            taken = np.einsum("in,n->i", before, x) / n
            x -= np.einsum("in,i->n", before, taken)
            R[:j, j] += taken
        R[j, j] = np.sqrt(np.einsum("n,n->", x, x) / n)
        x /= R[j, j] or 1.0
    return np.ascontiguousarray(columns.T), R


def _taken_apart(term: Term) -> tuple[Array, Array]:
    """A term's Z in working coordinates, and T."""
    Z, T = np.empty_like(term.Z), np.zeros((term.k, term.k))
    for block in term.blocks:
        at = np.array(block)
        size = np.array([term.size(i) for i in block])
        scaled, own = term.Z[:, at] / size, np.eye(len(at))
        Q, R = _orthonormal(scaled[:, ::-1])
        if np.diag(R).min() > _COLLINEAR:  # else there is no basis of as many columns
            scaled, own = Q[:, ::-1], _inverse(R[::-1, ::-1], lower=True)
        Z[:, at], T[np.ix_(at, at)] = scaled, own / size[:, None]
    return Z, T


def _beside(first: Array, second: Array) -> Array:
    """Two square matrices along the diagonal of one."""
    m, p = len(first), len(second)
    both = np.zeros((m + p, m + p))
    both[:m, :m], both[m:, m:] = first, second
    return both


def _inverse(triangle: Array, *, lower: bool) -> Array:
    """Of a small triangle; an upper one has nothing to pivot, and stays triangular."""
    upper = triangle.T if lower else triangle
    inverse: Array = np.linalg.inv(upper).astype(np.float64, copy=False)
    return inverse.T if lower else inverse
