"""Comparisons and slopes of a posterior, computed draw by draw.

The estimate is the median of the draws, the interval their quantiles: no delta method, and no
symmetry assumed.
"""

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec import rows as prediction

from .quantity import Quantity, transform

__all__ = ["columns", "drawn", "summarised"]


_CHUNK = 4_000_000  # numbers of one block of predictions


def columns(post: Posterior, quantity: Quantity) -> dict[str, Array]:
    """estimate (and std_error, conf_low, conf_high) of the answers, contrast after contrast."""
    return summarised(drawn(post, quantity), quantity.request.interval)


def drawn(post: Posterior, quantity: Quantity) -> Array:
    """The answers (r, draws), contrast after contrast."""
    request, rows = quantity.request, quantity.stacked
    kept = prediction.kept_columns(post.design, request.re_formula)
    size = post.draws.sigma.size
    step = max(1, _CHUNK // len(rows))
    parts = []
    for a in range(0, size, step):
        pick = slice(a, min(a + step, size))
        eta = post.predictor(quantity.new, rows, kept, request.new_levels, pick=pick)
        mu = eta if request.scale == "link" else post.family.link.inverse(eta)[0]
        parts.append(_answers(mu, quantity))
    return np.concatenate(parts, axis=1)


def summarised(values: Array, interval: float | None) -> dict[str, Array]:
    """Median (and sd and quantiles) of answers (r, draws)."""
    out = {"estimate": np.median(values, axis=1)}
    if interval is not None:
        tails = [(1 - interval) / 2, (1 + interval) / 2]
        low, high = np.quantile(values, tails, axis=1)
        out |= {"std_error": values.std(axis=1, ddof=1), "conf_low": low, "conf_high": high}
    return out


def _answers(mu: Array, quantity: Quantity) -> Array:
    """Every contrast at some of the draws: (answers, draws)."""
    weights, comparison = quantity.weights, quantity.request.comparison
    mu = mu.reshape(-1, weights.shape[1], mu.shape[1])
    out, at = [], 0
    for contrast in quantity.contrasts:
        total = np.zeros((weights.shape[0], mu.shape[2]))
        for point in contrast.points:
            here = mu[at] if point.weight is None else np.asarray(point.weight)[:, None] * mu[at]
            total += point.sign * transform(comparison, weights @ here)[0]
            at += 1
        out.append(np.exp(total) if comparison == "ratio" else total)
    return np.concatenate(out)
