r"""What draws by importance sampling are worth, in numbers and in words.

Draws taken from a pool of weighted proposals look independent whatever the pool was worth. Their
effective size is therefore that of the weights: for a quantity f with posterior mean m and
shares w of the pool, ``var(f) / sum w^2 (f - m)^2`` (Owen 2013, Monte Carlo theory, methods and
examples, section 9.3), less what is lost by taking draws from it, and never more than the draws
themselves. There are no chains, so no R-hat.
"""

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.sampling.draws import Pool
from hierwidgets.sampling.pareto import K_LIMIT

from .convergence import Diagnosis, low_effective

__all__ = ["judge_pool", "of_pool"]

_HEAVY = 0.05  # share of one proposal


def of_pool(values: Array, pool: Pool) -> pd.DataFrame:
    """rhat (NaN), ess_bulk and ess_tail of quantities (C, D, m): one row each."""
    weight = pool.weight.reshape(-1)
    rows = []
    for x in values.reshape(len(weight), -1).T:
        tails = [_effective(x <= q, weight) for q in np.quantile(x, [0.05, 0.95])]
        rows.append((np.nan, _effective(x, weight), min(tails)))
    return pd.DataFrame(rows, columns=["rhat", "ess_bulk", "ess_tail"])


def _effective(x: Array, weight: Array) -> float:
    square = (x - x.mean()) ** 2
    if not square.any():
        return np.nan
    return float(min(len(x), square.mean() / (weight * square).mean()))


def judge_pool(table: pd.DataFrame, pool: Pool) -> Diagnosis:
    """What is wrong with draws from a pool, and what to do about it."""
    found = low_effective(table)
    if not pool.k < K_LIMIT:
        found.insert(
            0,
            (
                f"Pareto k of the weights is {pool.k:.2f}, not below {K_LIMIT}: a few proposals "
                "decide",
                "use none of these numbers; sample with method='nuts'",
            ),
        )
    if pool.largest > _HEAVY:
        found.append(
            (
                f"One proposal has {pool.largest:.0%} of all weight",
                "draw more, or sample with method='nuts'",
            )
        )
    notes = (
        f"{pool.size} proposals are worth {pool.effective:.0f} draws "
        f"({pool.effective / pool.size:.0%}); Pareto k {pool.k:.2f} (sound below {K_LIMIT}), "
        f"largest weight {pool.largest:.2%} of all.",
        "Draws from one pool are no chains: R-hat says nothing of them.",
    )
    return Diagnosis(tuple(found), notes)
