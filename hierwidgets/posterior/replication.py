r"""Whether data that a model would make look like the data there are.

Responses are replicated from draws of the parameters, and a statistic T of each is held against
that of the data (Gelman, Meng & Stern 1996, Stat. Sinica 6(4)). The share

    p = P(T(y_rep) > T(y)) + P(T(y_rep) = T(y)) / 2

is near 0 or 1 where the model cannot make such data; it is not uniform under the model, since the
data have been used twice, but nearer to one half.
"""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import Seed, check_level, check_names, check_seed, check_whole
from hierwidgets.errors import DataError, FitWarning
from hierwidgets.likelihood.simulation import draws
from hierwidgets.spec.families import LARGEST_COUNT
from hierwidgets.spec.responses import observed

from .record import PosteriorRecord, flat

__all__ = ["STATISTICS", "predictive_check", "replicate"]

Statistic = Callable[[Array], float]
_HUGE = 1e100


def _size(y: Array) -> float:
    """What to divide by so that squares and sums stay in the range of floating point."""
    return max(1.0, float(np.max(y)) / _HUGE)


def _mean(y: Array) -> float:
    size = _size(y)
    return float(np.mean(y / size)) * size


def _sd(y: Array) -> float:
    size = _size(y)
    return float(np.std(y / size)) * size


def _zeros(y: Array) -> float:
    return float(np.mean(y == 0))


STATISTICS: dict[str, Statistic] = {
    "mean": _mean, "sd": _sd, "min": np.min, "max": np.max, "zeros": _zeros,
}  # fmt: skip


def replicate(post: PosteriorRecord, n: int, seed: Seed, condition: bool) -> Array:
    """The responses (n, nobs) of `Posterior.simulate`."""
    n = check_whole(n, "n", 1, what="responses")
    rng = check_seed(seed)
    size = post.draws.sigma.size
    out = np.empty((n, post.design.nobs))
    effects = [flat(e) for e in post.draws.effects] if condition else []
    for i, s in enumerate(rng.choice(size, n, replace=n > size)):
        b = [e[s] for e in effects]
        if not condition:
            pairs = zip(post.design.terms, post.draws.factors, strict=True)
            b = [rng.standard_normal((t.J, t.k)) @ flat(F)[s].T for t, F in pairs]
        made = draws(
            post.design, post.family, post.design.template.start(), flat(post.draws.beta)[s],
            float(post.draws.sigma.ravel()[s]), 1, rng, b,
        )  # fmt: skip
        out[i] = next(made)
    if post.family.name == "poisson":
        _remark(out)
    return out


def _remark(counts: Array) -> None:
    """Warn of counts (n, nobs) that no data have."""
    absurd = int((counts.max(axis=1) > LARGEST_COUNT).sum())
    if absurd:
        text = (
            f"{absurd} of {len(counts)} responses hold counts above {LARGEST_COUNT:.0g}, up to "
            f"{counts.max():.1g}: draws of the parameters expect counts that no data have; give "
            "tighter priors, such as priors=hw.Priors(intercept='normal(0, 1)', sd='normal(0, 1)')"
        )
        warnings.warn(FitWarning(text), stacklevel=4)


def predictive_check(
    post: PosteriorRecord,
    statistic: str | Statistic,
    by: str | None,
    n: int,
    seed: Seed,
    interval: float,
    condition: bool,
) -> pd.DataFrame:
    """The table of `Posterior.predictive_check`."""
    measure = _measure(statistic)
    check_level(interval, "interval")
    labels, parts = _parts(post.design.data, by)
    check_names(
        labels.columns, ("observed", "replicated", "conf_low", "conf_high", "p"), given=False
    )
    replicated = replicate(post, n, seed, condition)
    y = observed(post.design, post.family)
    seen = np.array([_value(measure, y[rows]) for rows in parts])
    made = np.array([[_value(measure, one[rows]) for one in replicated] for rows in parts])
    tails = [(1 - interval) / 2, (1 + interval) / 2]
    low, high = np.quantile(made, tails, axis=1)
    return labels.assign(
        observed=seen,
        replicated=[_mean(values) for values in made],
        conf_low=low,
        conf_high=high,
        p=(made > seen[:, None]).mean(axis=1) + 0.5 * (made == seen[:, None]).mean(axis=1),
    )


def _measure(statistic: str | Statistic) -> Statistic:
    if callable(statistic):
        return statistic
    if statistic not in STATISTICS:
        raise DataError(
            f"statistic={statistic!r}; choose one of {list(STATISTICS)}, or give a function of the "
            "responses that returns a number"
        )
    return STATISTICS[statistic]


def _value(measure: Statistic, y: Array) -> float:
    found = np.asarray(measure(y.copy()), dtype=float)
    if found.ndim or not np.isfinite(found):
        raise DataError(f"the statistic must return one finite number; it returned {found}")
    return float(found)


def _parts(data: pd.DataFrame, by: str | None) -> tuple[pd.DataFrame, list[NDArray[np.intp]]]:
    """Labels, and the rows, of the parts of the data."""
    if by is None:
        return pd.DataFrame(index=[0]), [np.arange(len(data))]
    if by not in data.columns:
        raise DataError(f"by={by!r} is not a column the model uses; those are {list(data.columns)}")
    codes, levels = pd.factorize(data[by], sort=True)
    return pd.DataFrame({by: levels}), [np.flatnonzero(codes == j) for j in range(len(levels))]
