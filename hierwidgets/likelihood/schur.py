"""The Schur complement of the later terms, factorised: dense, or sparse in fronts."""

from dataclasses import dataclass

import numpy as np
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError

from .fronts import Factor, Plan
from .pattern import Pattern

__all__ = ["SMALL", "Dense", "Scattered", "dense", "on_pattern", "symmetric_inverse"]

SMALL = 100


@dataclass(frozen=True, slots=True)
class Dense:
    """``S = L L'``, the lower triangle of `chol` (q2, q2)."""

    chol: Array

    @property
    def logdet(self) -> float:
        return 2.0 * float(np.log(np.diag(self.chol)).sum())

    def solve(self, rhs: Array) -> Array:
        """``inv(S) rhs`` for (q2,) or (q2, r)."""
        found: Array = scipy.linalg.lapack.dpotrs(self.chol, rhs, lower=1)[0]
        return found

    def half(self, z: Array) -> Array:
        """``inv(L') z``: of variance inv(S) where z is of variance I."""
        return np.asarray(
            scipy.linalg.solve_triangular(self.chol, z, lower=True, trans="T", check_finite=False)
        )

    def inverse(self, *, last: bool = False) -> Array:
        """``inv(S)``: (q2, q2). Nothing more is asked of the factor after the `last` time."""
        return symmetric_inverse(self.chol)


@dataclass(frozen=True, slots=True)
class Scattered(Dense):
    """The same for an S that is known by its nonzeros, and dense once it is factorised."""

    pattern: Pattern

    def inverse(self, *, last: bool = False) -> Array:
        """``inv(S)`` at the elements of the pattern's lower triangle: (L,).

        With `last` it is made in the factor's memory, and the factor is used up.
        """
        return _inverted(self.chol, last)[self.pattern.corner]


def dense(S: Array) -> Dense:
    """The factor of S (q2, q2), which is overwritten."""
    chol, minor = scipy.linalg.lapack.dpotrf(S, lower=1, clean=0, overwrite_a=1)
    if minor:
        raise np.linalg.LinAlgError(f"the leading minor of order {minor} is not positive")
    return Dense(chol)


def on_pattern(pattern: Pattern, plan: Plan | None, values: Array) -> Scattered | Factor:
    """The factor of S from its lower triangle (L,): by the plan, or dense where there is none."""
    if plan is not None:
        return plan.factor(values)
    S = np.zeros((pattern.q2, pattern.q2), order="F")
    S[pattern.corner] = values
    chol, info = scipy.linalg.lapack.dpotrf(S, lower=1, overwrite_a=1, clean=0)
    if info:
        raise np.linalg.LinAlgError("the Schur complement is not positive definite")
    return Scattered(chol, pattern)


def symmetric_inverse(chol: Array) -> Array:
    """The inverse of ``L L'`` from its lower factor L, itself exactly symmetric."""
    if len(chol) < SMALL:  # LAPACK's own routine wakes all threads even for ten columns
        half = np.linalg.inv(np.tril(chol))
        small: Array = half.T @ half
        return small
    lower = np.tril(_inverted(chol))
    full: Array = lower + np.tril(lower, -1).T
    return full


def _inverted(chol: Array, last: bool = False) -> Array:
    inverse, info = scipy.linalg.lapack.dpotri(chol, lower=1, overwrite_c=last)
    if info:
        raise FitError("the group effects cannot be told apart; leave one of the group terms out")
    return np.asarray(inverse)
