"""What a sampler returns, and the way from its coordinates to the parameters of a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.spec.design import Design

from .kernels.problem import GAUSSIAN

if TYPE_CHECKING:
    from .chart import Chart

__all__ = ["Draws", "EffectsLike", "Pool", "single", "unpack"]

EffectsLike = Sequence[Array]
"""One array per term: a tuple, or `effects.Effects`, which draws them when they are wanted."""

_TOGETHER = 1000  # points


@dataclass(frozen=True, slots=True)
class Pool:
    """The weighted proposals that draws were taken from by importance sampling.

    Attributes
    ----------
    size : int
        Proposals.
    effective : float
        Draws that they are worth: ``1 / sum of squared weights`` (Kish 1965, Survey Sampling,
        section 11.7).
    k : float
        Shape of the tail of the weights, whose mean and error can be trusted below .7 (Vehtari,
        Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72)).
    largest : float
        The share of the largest weight.
    weight : (C, D)
        Of each draw: the variance of the mean of a quantity f with mean m is the mean of
        ``weight (f - m)^2``. Equal to 1 over the number of draws for independent ones.
    """

    size: int
    effective: float
    k: float
    largest: float
    weight: Array

    def __repr__(self) -> str:
        return f"Pool({self.size} proposals worth {self.effective:.0f} draws, k {self.k:.2f})"


@dataclass(frozen=True, slots=True)
class Draws:
    """What the sampler returns: parameters, effects and how it went, (chains, draws, ...).

    Numbers are kept to single precision, far below their Monte Carlo error, so that a saved
    file holds exactly what was in memory.

    Attributes
    ----------
    beta : (C, D, p)
    factors : tuple of (C, D, k, k)
        One per term: any F with ``F F'`` the covariance of its effects.
    sigma : (C, D)
        Residual sd of a Gaussian model, else 1.
    effects : sequence of (C, D, J, k)
        One per term.
    integrated : (term, column or columns) or None
        The effects that were integrated out and then drawn from their conditional
        distribution, with `seed` (`conditional`).
    seed : int
    divergent : (C, D) bool
    depth : (C, D) int
        Tree depth.
    energy : (C, D)
    seconds : float
    interrupted : bool
    pool : Pool or None
        Of importance sampling; None for chains.
    reason : str
        Why this sampler was taken, where there was a choice.
    """

    beta: Array
    factors: tuple[Array, ...]
    sigma: Array
    effects: EffectsLike
    integrated: tuple[int, ...] | None
    seed: int
    divergent: NDArray[np.bool_]
    depth: NDArray[np.int64]
    energy: Array
    seconds: float
    interrupted: bool
    pool: Pool | None = None
    reason: str = ""

    def __repr__(self) -> str:
        chains, draws = self.beta.shape[:2]
        return f"Draws({chains} chains of {draws}, {int(self.divergent.sum())} divergent)"


def single(values: Array) -> Array:
    """Rounded to what single precision can hold."""
    return values.astype(np.float32).astype(np.float64)


def unpack(
    design: Design, where: "Chart", x: Array
) -> tuple[Array, tuple[Array, ...], Array, tuple[Array, ...]]:
    """beta, factors, sigma and effects of points x (C, D, d)."""
    C, D, d = x.shape
    points = x.reshape(C * D, d)
    beta = np.empty((C * D, design.X.shape[1]))
    factors = [np.zeros((C * D, term.k, term.k)) for term in design.terms]
    effects = [np.zeros((C * D, term.J, term.k)) for term in design.terms]
    sigma = np.ones(C * D)
    for a in range(0, C * D, _TOGETHER):
        part = slice(a, a + _TOGETHER)
        _fill(where, points[part], beta[part], [F[part] for F in factors], sigma[part],
              [b[part] for b in effects])  # fmt: skip

    def shaped(values: NDArray[Any]) -> Array:
        return values.reshape(C, D, *values.shape[1:])

    return shaped(beta), tuple(map(shaped, factors)), shaped(sigma), tuple(map(shaped, effects))


def _fill(
    where: "Chart", x: Array, beta: Array, factors: list[Array], sigma: Array, effects: list[Array]
) -> None:
    """Parameters of points x (S, d), put in place."""
    from .density import located

    at = located(where.problem, x)
    p = beta.shape[1]
    if where.integrated is not None:
        _put(factors, where.integrated.term, where.integrated.columns, at.lead)
    place = p
    for piece, F in zip(where.pieces, at.factors, strict=True):
        J, k, columns = piece.levels, piece.size, np.array(piece.columns)
        _put(factors, piece.term, piece.columns, F)
        effects[piece.term][:, :, columns] = at.v[place : place + J * k].T.reshape(-1, J, k)
        place += J * k
    if p:
        beta[:] = np.linalg.solve(where.R, at.v[:p]).T
    if where.problem.data.family == GAUSSIAN:
        sigma[:] = at.sigma


def _put(factors: list[Array], term: int, columns: tuple[int, ...], F: Array) -> None:
    index = np.array(columns)
    factors[term][:, index[:, None], index] = np.moveaxis(F, 2, 0)
