"""The one map between the ways to write a group term's covariance.

For a term with k coefficients per level, ``b = Lambda u`` with ``u ~ N(0, I)`` and Lambda
a k x k lower-triangular matrix (relative to the residual sd in a Gaussian model). `theta`
lists the free elements of the lower triangles, column by column, term after term, as in
Bates et al. (2015), J. Stat. Softw. 67(1), section 2.2. An uncorrelated term has several
`blocks`, and no element between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array

__all__ = ["Template", "cholesky_from_sd_corr", "sd_corr", "template"]


@dataclass(frozen=True, slots=True)
class Template:
    """Where each element of `theta` goes.

    Attributes
    ----------
    sizes : tuple of int
        The number k of coefficients of each term.
    rows, cols, term : (m,) int
        Element i of theta is ``Lambda[term[i]][rows[i], cols[i]]``.
    """

    sizes: tuple[int, ...]
    rows: NDArray[np.intp]
    cols: NDArray[np.intp]
    term: NDArray[np.intp]

    @property
    def m(self) -> int:
        """The length of theta."""
        return len(self.rows)

    @property
    def diagonal(self) -> NDArray[np.bool_]:
        """(m,) which elements of theta are diagonal, that is, sds or conditional sds."""
        return np.equal(self.rows, self.cols)

    def start(self) -> Array:
        """(m,) theta of the identity: unit sds, no correlation."""
        return self.diagonal.astype(np.float64)

    def factors(self, theta: Array) -> list[Array]:
        """One lower-triangular (k, k) Lambda for each term."""
        out = [np.zeros((k, k)) for k in self.sizes]
        for value, t, r, c in zip(theta, self.term, self.rows, self.cols, strict=True):
            out[t][r, c] = value
        return out

    def canonical(self, theta: Array) -> Array:
        """The equivalent theta whose diagonal is not negative.

        Flipping the sign of a column of Lambda leaves the covariance as it is.
        """
        theta = theta.copy()
        for i in np.flatnonzero(self.diagonal & (theta < 0)):
            column = (self.term == self.term[i]) & (self.cols == self.cols[i])
            theta[column] *= -1.0
        return theta


def template(terms: Sequence[tuple[int, Sequence[Sequence[int]]]]) -> Template:
    """The template of terms given as ``(k, blocks)``.

    Examples
    --------
    >>> t = template([(1, [[0]]), (2, [[0, 1]])])
    >>> t.m
    4
    >>> t.factors(t.start())[1]
    array([[1., 0.],
           [0., 1.]])
    """
    rows: list[int] = []
    cols: list[int] = []
    which: list[int] = []
    for t, (_, blocks) in enumerate(terms):
        for block in blocks:
            for j, col in enumerate(block):
                for row in block[j:]:
                    rows.append(row)
                    cols.append(col)
                    which.append(t)
    return Template(
        tuple(k for k, _ in terms),
        np.array(rows, np.intp),
        np.array(cols, np.intp),
        np.array(which, np.intp),
    )


def sd_corr(factor: Array) -> tuple[Array, Array]:
    """Standard deviations (k,) and correlations (k, k) of ``Lambda Lambda'``.

    A correlation with a coefficient whose sd is 0 is not defined: nan.

    Examples
    --------
    >>> sd, corr = sd_corr(np.array([[2.0, 0.0], [3.0, 4.0]]))
    >>> sd.tolist(), corr[0, 1].item()
    ([2.0, 5.0], 0.6)
    """
    covariance = factor @ factor.T
    sd = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        corr = covariance / np.outer(sd, sd)
    positive = sd > 0
    corr[np.ix_(positive, positive)] = np.clip(corr[np.ix_(positive, positive)], -1.0, 1.0)
    corr[~np.outer(positive, positive)] = np.nan
    np.fill_diagonal(corr, 1.0)
    return sd, corr


def cholesky_from_sd_corr(sd: Array, corr: Array) -> Array:
    """The lower-triangular Lambda with those sds (k,) and correlations (k, k).

    Works on the boundary too (correlation 1, sd 0), where a Cholesky routine fails.

    Examples
    --------
    >>> cholesky_from_sd_corr(np.array([2.0, 5.0]), np.array([[1.0, 0.6], [0.6, 1.0]]))
    array([[2., 0.],
           [3., 4.]])
    """
    k = len(sd)
    factor = np.zeros((k, k))
    for j in range(k):
        rest = corr[j, j] - factor[j, :j] @ factor[j, :j]
        factor[j, j] = np.sqrt(max(rest, 0.0))
        for i in range(j + 1, k):
            rest = corr[i, j] - factor[i, :j] @ factor[j, :j]
            factor[i, j] = rest / factor[j, j] if factor[j, j] > 0 else 0.0
    return sd[:, None] * factor
