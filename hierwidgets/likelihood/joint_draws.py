"""Draws from the joint Gaussian approximation to coefficients and group effects.

The moments are those of `joint_covariance`: with ``R R = C``, the covariance of (theta, beta), z
standard normal and ``u ~ N(0, inv(A))``,

    (beta, b) = estimates + T R z + sigma Lambda u.

A is eliminated as it is factorised (`blocks`): ``u2 ~ N(0, inv(S))`` for the later terms, and for
the leading term, given those, ``u0 ~ N(-M u2, inv(D))``.
"""

import numpy as np

from hierwidgets.base.arrays import Array

from .joint_covariance import JointCovariance

__all__ = ["joint_draws"]


def joint_draws(
    known: JointCovariance, p: int, count: int, rng: np.random.Generator
) -> tuple[Array, tuple[Array, ...]]:
    """Deviations from the estimates: of beta (p, count), and of b (J * k, count) per term.

    They come in pairs of opposite sign, so that their mean is 0 and that of a linear function of
    them its value at the estimates (antithetic variates; Hammersley & Morton 1956, Math. Proc.
    Camb. Philos. Soc. 52(3)).

    Parameters
    ----------
    p
        Number of coefficients.
    count
        An even number.
    """
    half = count // 2
    common = _root(known.covariance) @ rng.standard_normal((len(known.covariance), half))
    beta = common[len(common) - p :]
    effects = []
    for slope, L, u in zip(known.slopes, known.factors, _scaled(known, half, rng), strict=True):
        own = np.einsum("ab,jbs->jas", L, u.reshape(-1, len(L), half)).reshape(-1, half)
        effects.append(slope @ common + known.sigma * own)
    return _both(beta), tuple(map(_both, effects))


def _scaled(known: JointCovariance, half: int, rng: np.random.Generator) -> list[Array]:
    """Draws of u ~ N(0, inv(A)), (J * k, half) per term."""
    blocks = known.blocks
    J, k, _ = blocks.Dinv.shape
    z = rng.standard_normal((J, k, half))
    lead = (np.linalg.cholesky(blocks.Dinv) @ z).reshape(J * k, half)
    if blocks.S is None:
        return [lead]
    z2 = rng.standard_normal((blocks.lay.q2, half))
    later = blocks.S.half(z2)
    sizes = [len(slope) for slope in known.slopes[1:]]
    return [lead - blocks.M @ later, *np.split(later, np.cumsum(sizes)[:-1])]


def _root(covariance: Array) -> Array:
    """The symmetric root, unique also where the covariance is singular, as at a boundary."""
    values, vectors = np.linalg.eigh(covariance)
    root: Array = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root


def _both(draws: Array) -> Array:
    return np.hstack([draws, -draws])
