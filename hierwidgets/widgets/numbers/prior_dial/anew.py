"""Draws under other priors, where weights do not reach."""

from hierwidgets.base.progress import Count
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.sampling import sampler
from hierwidgets.sampling.priors import Priors

__all__ = ["drawn_anew"]

_CHAINS, _TUNE, _DRAWS, _SEED = 4, 1000, 1000, 1


def drawn_anew(post: Posterior, priors: Priors, count: Count) -> Posterior:
    """The same model's posterior under other priors, by importance sampling, always from one seed.

    `count` is told how many proposals are done, and how many more are to do.

    Raises
    ------
    FitError
        These draws would not be sound either.
    """
    drawn = sampler.sample(
        post.design, post.family, priors, chains=_CHAINS, tune=_TUNE, draws=_DRAWS, seed=_SEED,
        method="importance", progress=count,
    )  # fmt: skip
    return Posterior(post.design, post.family, priors, drawn)
