"""Log scores of outcomes whose linear predictor is not known exactly.

    log of the average of p(y | eta + e),    e ~ N(0, variance)

where e is the effect of levels that a model has not seen; for draws from a posterior, also
averaged over the draws (Gelman, Hwang & Vehtari 2014, Stat. Comput. 24(6), eq. 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from hierwidgets.base.arrays import Array, Index
from hierwidgets.likelihood.quadrature import nodes
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.sampling import sampler
from hierwidgets.sampling.priors import Priors
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import Design, NewRows
from hierwidgets.spec.families import Family

__all__ = ["Observations", "drawn_log_score", "log_score", "sampled_score"]


_NODES = 101
_CHUNK = 2_000_000  # numbers of one block


@dataclass(frozen=True, slots=True)
class Observations:
    """Rows of the data, with what was observed there: responses y and trials (n,).

    `weights` (n,) are prior weights, None where all are 1.
    """

    frame: pd.DataFrame
    y: Array
    trials: Array
    weights: Array | None = None

    def take(self, rows: Index) -> "Observations":
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return Observations(self.frame.iloc[rows], self.y[rows], self.trials[rows], weights)

    def residual_sd(self, family: Family, sigma: float | Array) -> float | Array:
        """The residual sd of each row; `sigma` is that of a row of weight 1.

        Where `sigma` has several values, they are those of draws, and the rows come first: (n, S).
        """
        if self.weights is None or family.name != "gaussian":
            return sigma
        root = np.sqrt(self.weights)
        return sigma / (root[:, None] if np.ndim(sigma) else root)


def log_score(
    family: Family, y: Array, trials: Array, eta: Array, variance: Array, sigma: float | Array
) -> Array:
    """``log of the average of p(y | eta + e)`` over ``e ~ N(0, variance)``, (n,).

    Examples
    --------
    >>> from hierwidgets.spec.families import family
    >>> one = np.ones(1)
    >>> log_score(family("binomial"), one, one, 0 * one, 4 * one, 1.0).round(6)
    array([-0.693147])
    """
    if family.name == "gaussian":
        total = sigma**2 + variance
        return -0.5 * (np.log(2 * np.pi * total) + (y - eta) ** 2 / total)
    x, log_weight = nodes(_NODES if np.any(variance) else 1)
    shifted = eta[:, None] + np.sqrt(2.0 * variance)[:, None] * x
    loglik = family.loglik(y[:, None], trials[:, None], shifted) + (log_weight - x**2)
    top = loglik.max(axis=1)
    average = np.log(np.exp(loglik - top[:, None]).sum(axis=1)) + top - 0.5 * np.log(np.pi)
    result: Array = average + family.counting(y, trials)
    return result


def drawn_log_score(post: Posterior, held: Observations, new_levels: str = "sample") -> Array:
    """Log of the average of p(y | draw) over the draws of a posterior, (n,).

    Parameters
    ----------
    held :
        Rows the posterior has not seen.
    new_levels :
        "sample" averages over the effect of an unseen level, draw by draw; "population" takes
        it to be 0.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> row = pd.DataFrame({"district_id": ["Nowhere"]})
    >>> one = np.ones(1)
    >>> drawn_log_score(hw.load_posterior("finland"), Observations(row, one, one)).round(2)
    array([-1.56])
    """
    everything = prediction.kept_columns(post.design, None)
    new = prediction.rows_of(post.design, held.frame, everything, "population")
    S = post.draws.sigma.size
    sigma = post.draws.sigma.reshape(-1)
    out = np.empty(len(held.y))
    unseen = np.any([codes < 0 for codes in new.codes], axis=0)
    known = ~unseen if new_levels == "sample" else np.ones(len(held.y), bool)
    for rows, width in ((np.flatnonzero(known), 1), (np.flatnonzero(~known), _NODES)):
        step = max(1, _CHUNK // (S * width))
        for a in range(0, len(rows), step):
            part = rows[a : a + step]
            few = new.take(part)
            eta = post.predictor(few, held.frame.iloc[part], everything, "population")
            variance = _variance(post, few) if width > 1 else np.zeros_like(eta)
            own = np.broadcast_to(held.take(part).residual_sd(post.family, sigma), eta.shape)
            by_draw = log_score(
                post.family, np.repeat(held.y[part], S), np.repeat(held.trials[part], S),
                eta.ravel(), variance.ravel(), own.ravel(),
            )  # fmt: skip
            out[part] = scipy.special.logsumexp(by_draw.reshape(len(part), S), axis=1) - np.log(S)
    return out


def _variance(post: Posterior, new: NewRows) -> Array:
    """``z Sigma z'`` of unseen levels, summed over terms, (n, S)."""
    out = np.zeros((len(new.X), post.draws.sigma.size))
    for codes, Z, factors in zip(new.codes, new.Z, post.draws.factors, strict=True):
        k = Z.shape[1]
        zl = np.einsum("ik,skl->isl", Z, factors.reshape(-1, k, k))
        out += np.where(codes[:, None] < 0, (zl**2).sum(axis=2), 0.0)
    return out


def sampled_score(
    design: Design, family: Family, priors: Priors, held: Observations, new_levels: str, seed: int,
    how: Mapping[str, Any],
) -> tuple[Array, list[str]]:  # fmt: skip
    """`drawn_log_score` of rows held out, of draws made for `design`; what is wrong with these."""
    drawn = sampler.sample(design, family, priors, seed=seed, progress=False, **how)
    if drawn.interrupted:
        raise KeyboardInterrupt
    post = Posterior(design, family, priors, drawn)
    doubts = [what for what, _ in post.diagnose().problems]
    return drawn_log_score(post, held, new_levels), doubts
