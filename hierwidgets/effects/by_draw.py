"""Comparisons and slopes from draws: the quantity of `effects`, computed draw by draw.

The estimate is the median of the draws, the interval their quantiles: no delta method, and no
symmetry assumed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import NewRows

from .contrasts import Contrast

__all__ = ["columns"]


_CHUNK = 4_000_000  # numbers of one block of predictions


def columns(
    post: Posterior,
    stacked: pd.DataFrame,
    new: NewRows,
    contrasts: list[Contrast],
    weights: Any,
    request: Any,
    transform: Callable[[str, Array], tuple[Array, Array]],
) -> dict[str, Array]:
    """estimate (and std_error, conf_low, conf_high) of the answers, contrast after contrast.

    Parameters
    ----------
    stacked, new :
        The counterfactual rows, point after point.
    weights : sparse (answers, rows)
        What averages the rows of one point.
    transform :
        T of a mean, as in `effects`.
    """
    kept = prediction.kept_columns(post.design, request.re_formula)
    size = post.draws.sigma.size
    step = max(1, _CHUNK // len(stacked))
    parts = []
    for a in range(0, size, step):
        pick = slice(a, min(a + step, size))
        eta = post.predictor(new, stacked, kept, request.new_levels, pick=pick)
        mu = eta if request.scale == "link" else post.family.link.inverse(eta)[0]
        parts.append(_answers(mu, contrasts, weights, request.comparison, transform))
    values = np.concatenate(parts, axis=1)
    out = {"estimate": np.median(values, axis=1)}
    if request.interval is not None:
        tails = [(1 - request.interval) / 2, (1 + request.interval) / 2]
        low, high = np.quantile(values, tails, axis=1)
        out |= {"std_error": values.std(axis=1, ddof=1), "conf_low": low, "conf_high": high}
    return out


def _answers(
    mu: Array,
    contrasts: list[Contrast],
    weights: Any,
    how: str,
    transform: Callable[[str, Array], tuple[Array, Array]],
) -> Array:
    """Every contrast at some of the draws: (answers, draws)."""
    mu = mu.reshape(-1, weights.shape[1], mu.shape[1])
    out, at = [], 0
    for contrast in contrasts:
        total = np.zeros((weights.shape[0], mu.shape[2]))
        for point in contrast.points:
            here = mu[at] if point.weight is None else np.asarray(point.weight)[:, None] * mu[at]
            total += point.sign * transform(how, weights @ here)[0]
            at += 1
        out.append(np.exp(total) if how == "ratio" else total)
    return np.concatenate(out)
