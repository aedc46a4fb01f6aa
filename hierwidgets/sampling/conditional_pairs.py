r"""Two effects of a level that were integrated out, drawn from their conditional distribution.

Given parameters and all other effects, the standardised effects u of one level have the density
``exp(g(u))``, ``g(u) = sum of loglik of its rows - u'u / 2`` (`marginal`), which is log-concave and
close to normal. For a Gaussian outcome it is normal, and drawn from. Else an independence
Metropolis chain of `_STEPS` proposals from a t distribution around its mode draws each: if no
weight exceeds c times the mean weight, the chain ends within ``(1 - 1 / c)^_STEPS`` of the density
(Mengersen & Tweedie 1996, Ann. Stat. 24(1), theorem 2.1), and c is below 2 as a rule.
"""

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .kernels.problem import Integrated
from .marginal import Outcomes, conditional, log_joint, outcomes, scaled
from .predictors import each_level, without

__all__ = ["draw_pairs"]

_STEPS = 20
_DF = 5.0


def draw_pairs(
    design: Design,
    family: Family,
    beta: Array,
    factors: tuple[Array, ...],
    sigma: Array,
    effects: tuple[Array, ...],
    others: tuple[Array | None, ...],
    integrated: tuple[int, ...],
    seed: int,
    cores: int | None,
) -> tuple[Array, ...]:
    """`effects` with the integrated columns drawn; `others` are those without them.

    Every level has its own stream of random numbers, made from `seed`.
    """
    t, *columns = integrated
    term = design.terms[t]
    index = np.array(columns)
    F = _factor(factors[t], index)
    spread = sigma.reshape(-1)
    whole = effects[t].copy()
    streams = np.random.SeedSequence((seed, 7)).spawn(term.J)

    def draw(j: int, rows: NDArray[np.intp]) -> None:
        base = without(design, rows, beta, others)
        lead = Integrated(
            3, term.Z[rows][:, columns], np.array([0, len(rows)]), np.zeros((1, 2)),
            np.zeros(1), np.zeros(1),
        )  # fmt: skip
        level = outcomes(design.y[rows], design.trials[rows], family, lead)
        u = _drawn(level, base, F, spread, np.random.default_rng(streams[j]))
        effect = np.einsum("abs,bs->sa", F, u).astype(np.float32)
        whole[..., j, columns] = effect.reshape(*sigma.shape, 2)

    each_level(term.codes, term.J, cores, draw)
    return (*effects[:t], whole, *effects[t + 1 :])


def _factor(F: Array, index: Array) -> Array:
    """Lower factors (2, 2, S) of the covariance of two columns, which may have no rank left."""
    first, second = F[..., index, :][..., index].reshape(-1, 2, 2).transpose(1, 2, 0)
    out = np.zeros((2, 2, first.shape[1]))
    out[0, 0] = np.sqrt((first**2).sum(axis=0))
    out[1, 0] = (first * second).sum(axis=0) / out[0, 0]
    out[1, 1] = np.sqrt(np.maximum((second**2).sum(axis=0) - out[1, 0] ** 2, 0.0))
    return out


def _drawn(level: Outcomes, base: Array, F: Array, sigma: Array, rng: np.random.Generator) -> Array:
    """One draw of u for each point, (2, S)."""
    zl = scaled(level, F)
    mode, step = conditional(level, base, zl, sigma)
    shape = mode.shape

    def proposed() -> tuple[Array, Array]:
        x = rng.standard_normal(shape)
        if not level.gaussian:
            x /= np.sqrt(rng.chisquare(_DF, shape[1:]) / _DF)
        return mode + np.einsum("abjs,bjs->ajs", step, x), (x**2).sum(axis=0)

    u, square = proposed()
    if level.gaussian:
        return u[:, 0]

    def log_weight(u: Array, square: Array) -> Array:
        return log_joint(level, base, zl, u) + 0.5 * (_DF + 2.0) * np.log1p(square / _DF)

    weight = log_weight(u, square)
    for _ in range(_STEPS):
        new, square = proposed()
        after = log_weight(new, square)
        taken = -rng.standard_exponential(shape[1:]) < after - weight
        u, weight = np.where(taken, new, u), np.where(taken, after, weight)
    return u[:, 0]
