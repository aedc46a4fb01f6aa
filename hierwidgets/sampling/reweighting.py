r"""Draws under other priors, without sampling again.

The posterior under other priors is the one there is times the ratio of the priors, so its draws
are those there are, taken in proportion to that ratio: exact as long as the two are not too far
apart, which the shape k of the tail of the ratios tells (`pareto`). Group effects go along: given
the parameters their distribution does not depend on the priors.
"""

from dataclasses import replace

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FitError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .density import log_prior
from .draws import Draws, Pool, single
from .effects import Effects, sampled
from .importance import drawn_weight, taken
from .pareto import K_LIMIT, smoothed
from .prior_codes import coded
from .priors import Prior, Priors, resolve

__all__ = ["log_prior_ratio", "reweighted"]


def reweighted(
    design: Design, family: Family, draws: Draws, old: Priors, new: Priors, worth: float, seed: int
) -> Draws:
    """Draws under the priors `new` from draws under `old`.

    Parameters
    ----------
    worth :
        Independent draws that chains are worth; not used where the draws have a pool.

    Raises
    ------
    FitError
        The two posteriors are too far apart.
    """
    log_ratio = log_prior_ratio(design, family, draws, old, new)
    weights = smoothed(log_ratio)
    if not weights.k < K_LIMIT:
        raise FitError(
            f"the posterior under these priors is too far from that of the draws: Pareto k of the "
            f"weights is {weights.k:.2f}, not below {K_LIMIT}; sample again, with priors=..."
        )
    total = draws.sigma.size
    pick = taken(weights.share, total, np.random.default_rng((seed, 9)))
    before = np.full(total, 1.0 / worth)
    if draws.pool is not None:
        before = draws.pool.weight.reshape(-1)
    weight = drawn_weight(weights.share[pick], before[pick])
    pool = Pool(
        total, float(1.0 / weight.mean()), weights.k, float(weights.share.max()),
        single(weight.reshape(draws.sigma.shape)),
    )  # fmt: skip
    moved = _picked(draws, pick)
    effects = Effects(
        design, family, moved.beta, moved.factors, moved.sigma, moved.effects, draws.integrated,
        draws.seed,
    )  # fmt: skip
    reason = f"reweighted to other priors; Pareto k {weights.k:.2f}, below {K_LIMIT}"
    return replace(moved, effects=effects, pool=pool, reason=reason)


def log_prior_ratio(
    design: Design, family: Family, draws: Draws, old: Priors, new: Priors
) -> Array:
    """Log of the prior density `new` over `old` of each draw, up to a constant, (C * D,)."""
    before, after = (resolve(priors, design, family) for priors in (old, new))
    for (name, was), (_, now) in zip(before.named(design), after.named(design), strict=True):
        _check_reach(name, was, now)
    value = np.zeros(draws.sigma.shape)
    for i, pair in enumerate(zip(before.coefficients, after.coefficients, strict=True)):
        own = draws.beta @ after.centre if i == after.intercept else draws.beta[..., i]
        value += _ratio(*pair, own)
    for t, (term, F) in enumerate(zip(design.terms, draws.factors, strict=True)):
        sd = np.sqrt((F**2).sum(axis=-1))
        for i, pair in enumerate(zip(before.sds[t], after.sds[t], strict=True)):
            value += _ratio(*pair, sd[..., i])
        etas = zip(before.corrs[t], after.corrs[t], strict=True)
        for block, (old_eta, eta) in zip(term.blocks, etas, strict=True):
            if old_eta != eta:
                index = np.array(block)
                own = F[..., index[:, None], index] / sd[..., index, None]
                value += 2.0 * (eta - old_eta) * np.linalg.slogdet(own)[1]
    if before.sigma is not None and after.sigma is not None:
        value += _ratio(before.sigma, after.sigma, draws.sigma)
    return np.asarray(value.reshape(-1))


def _check_reach(name: str, was: Prior, now: Prior) -> None:
    """A prior with bounds has no draws outside of them."""
    if was.kind != "uniform" or now == was:
        return
    if now.kind != "uniform" or not (
        was.parameters[0] <= now.parameters[0] and now.parameters[1] <= was.parameters[1]
    ):
        raise DataError(
            f"the prior of {name} was {was!r}, so there are no draws outside of it, where {now!r} "
            "reaches; sample again"
        )


def _ratio(was: Prior, now: Prior, x: Array) -> Array | float:
    """Log of one density over the other; nothing is computed for priors that stay."""
    if was == now:
        return 0.0
    return np.asarray(log_prior(*coded(now), x) - log_prior(*coded(was), x))


def _picked(draws: Draws, pick: Array) -> Draws:
    def of(values: Array) -> Array:
        return values.reshape(-1, *values.shape[2:])[pick].reshape(values.shape)

    return replace(
        draws,
        beta=of(draws.beta),
        factors=tuple(map(of, draws.factors)),
        sigma=of(draws.sigma),
        effects=tuple(map(of, sampled(draws))),
        divergent=np.zeros_like(draws.divergent),
        depth=np.zeros_like(draws.depth),
        energy=np.zeros_like(draws.energy),
    )
