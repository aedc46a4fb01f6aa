"""Responses drawn from a model, in the order and the coding of the observations."""

from collections.abc import Iterator

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import Seed, check_seed
from hierwidgets.errors import DataError
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family
from hierwidgets.spec.responses import observed_trials

from .density import linear_predictor

__all__ = ["draws"]


def draws(
    design: Design,
    family: Family,
    theta: Array,
    beta: Array,
    sigma: float,
    n: int,
    seed: Seed,
    effects: list[Array] | None = None,
) -> Iterator[Array]:
    """`n` responses (nobs,), each from its own stream of random numbers.

    Parameters
    ----------
    effects :
        Group effects b to condition on, one (J, k) per term; None draws new ones from
        ``N(0, sigma^2 Lambda Lambda')`` for every response.
    """
    factors = design.template.factors(theta)
    trials = observed_trials(design)
    precision = design.weights if family.name == "gaussian" else trials
    root = check_seed(seed)
    for _ in range(n):
        (rng,) = root.spawn(1)
        b = effects
        if b is None:
            b = [
                sigma * rng.standard_normal((term.J, term.k)) @ L.T
                for term, L in zip(design.terms, factors, strict=True)
            ]
        eta = linear_predictor(design, beta, b)[design.rows]
        if not np.isfinite(eta).all():
            raise DataError(
                "the linear predictor of a draw is not finite, so no response can be drawn; give "
                "tighter priors, or rescale the predictors"
            )
        if family.name == "gaussian":
            noise = np.zeros(design.nobs)
            np.divide(sigma, np.sqrt(precision), out=noise, where=precision > 0)
            yield eta + noise * rng.standard_normal(design.nobs)
        else:
            yield family.sample(rng, family.link.inverse(eta)[0], trials)
