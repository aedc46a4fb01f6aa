"""Confidence intervals of a fit's parameters: Wald, profile likelihood, parametric bootstrap.

- Wald: estimate plus or minus normal quantile times standard error. For coefficients only: the
  likelihood of an sd is skewed and may end at 0, where no standard error is of use.
- Profile: see `profiles`. It asks how far the likelihood falls, and follows its skewness.
- Bootstrap: responses drawn from the fitted model (new group effects each time), the model
  fitted to each, and the quantiles of the estimates (Davison & Hinkley 1997, Bootstrap Methods
  and their Application, section 5.3.1).
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, normal_quantile
from hierwidgets.base.checks import Seed, check_level, check_whole
from hierwidgets.base.executors import carried_out, check_executor, chunk_size, progress_bar
from hierwidgets.base.progress import with_progress
from hierwidgets.errors import DataError, FitError, FitWarning
from hierwidgets.likelihood import estimate, gaussian
from hierwidgets.likelihood.simulation import draws
from hierwidgets.spec.design import Design
from hierwidgets.spec.parameters import Parameter, Point, parameters, value
from hierwidgets.spec.responses import with_response

from .profiles import interval
from .record import FitRecord

__all__ = ["confint", "estimates"]


_METHODS = ("wald", "profile", "bootstrap")


def confint(
    fit: FitRecord,
    level: float,
    method: str,
    wanted: str | Sequence[str] | None,
    n: int,
    seed: Seed,
    executor: Executor | None,
    progress: bool,
) -> pd.DataFrame:
    """The intervals `Fit.confint` gives."""
    check_level(level)
    check_executor(executor)
    if method not in _METHODS:
        raise DataError(f"method={method!r} is not known; choose one of {list(_METHODS)}")
    chosen = _chosen(fit, method, wanted)
    if method == "bootstrap":
        return _bootstrap(fit, chosen, level, n, seed, executor, progress)
    limits = _wald if method == "wald" else _profile
    at, low, high = limits(fit, chosen, level, progress)
    return _frame(chosen, at, low, high, level, method)


def _chosen(fit: FitRecord, method: str, wanted: str | Sequence[str] | None) -> list[Parameter]:
    every = {p.name: p for p in parameters(fit.design, fit.family)}
    if wanted is None:
        return [p for p in every.values() if method != "wald" or p.kind == "coefficient"]
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if not names:
        raise DataError("parameters is empty; name some, or leave it out for all of them")
    for name in names:
        if name not in every:
            raise DataError(f"{name!r} is not a parameter of this fit; it has {list(every)}")
        if method == "wald" and every[name].kind != "coefficient":
            raise DataError(
                f"{name!r} has no Wald interval: its likelihood is skewed and may end at a "
                "boundary; use method='profile' or 'bootstrap'"
            )
    return [every[name] for name in names]


def _frame(
    chosen: Sequence[Parameter],
    at: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    level: float,
    method: str,
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "term": [p.name for p in chosen],
            "estimate": list(at),
            "conf_low": list(low),
            "conf_high": list(high),
        }
    )
    frame.attrs.update(level=level, method=method)
    return frame


def _point(design: Design, theta: Array, beta: Array, sigma: float, neg2loglik: float) -> Point:
    """Estimates in the units a reader sees."""
    factors = tuple(sigma * L for L in design.template.factors(theta))
    return Point(factors, sigma, beta, neg2loglik)


def estimates(fit: FitRecord) -> Point:
    """Estimates of a fit in the units a reader sees."""
    return _point(fit.design, fit.theta, fit.beta, fit.sigma, -2.0 * fit.loglik)


# --- Wald and profile ---------------------------------------------------------------------


def _wald(
    fit: FitRecord, chosen: Sequence[Parameter], level: float, progress: bool
) -> tuple[Array, Array, Array]:
    names = [p.name for p in chosen]
    at, se = fit.fixef[names].to_numpy(), fit.std_error[names].to_numpy()
    z = normal_quantile(level)
    return at, at - z * se, at + z * se


def _profile(
    fit: FitRecord, chosen: Sequence[Parameter], level: float, progress: bool
) -> tuple[Array, Array, Array]:
    at, spread = _maximum(fit)
    ends = [
        interval(p, fit.design, fit.family, fit.n_agq, at, spread, normal_quantile(level))
        for p in with_progress(chosen, len(chosen), "profile", progress)
    ]
    own = estimates(fit)
    low, high = np.array(ends).reshape(-1, 2).T
    return np.array([value(p, own) for p in chosen]), low, high


def _maximum(fit: FitRecord) -> tuple[Point, Array]:
    """The maximum likelihood point, and the covariance of its coefficients."""
    if not fit.reml:
        return estimates(fit), fit.vcov.to_numpy()
    found = gaussian.maximize(fit.design, reml=False)
    m = len(found.theta)
    at = _point(fit.design, found.theta, found.beta, found.sigma, found.neg2loglik)
    return at, found.covariance[m:, m:]


# --- bootstrap ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replicates:
    """What became of the draws of a bootstrap.

    Attributes
    ----------
    values : list of list of float
        Estimates from each draw that could be fitted, in the order asked for.
    failed : list of str
        Why the others could not.
    unsettled : int
        Fits that did not converge; their estimates are kept.
    stopped : str
        Why not all were done; empty if they were.
    """

    values: list[list[float]]
    failed: list[str]
    unsettled: int
    stopped: str


def _bootstrap(
    fit: FitRecord, chosen: Sequence[Parameter], level: float, n: int, seed: Seed,
    executor: Executor | None, progress: bool,
) -> pd.DataFrame:  # fmt: skip
    n = check_whole(n, "draws", 20)
    found = _replicates(fit, chosen, n, seed, executor, progress)
    for text in _remarks(found, n):
        warnings.warn(FitWarning(text), stacklevel=4)
    if len(found.values) < 2:
        raise FitError(f"{len(found.values)} draws could be fitted; an interval needs more")
    tail = (1 - level) / 2
    low, high = np.nanquantile(np.array(found.values), [tail, 1 - tail], axis=0)
    at = estimates(fit)
    frame = _frame(chosen, [value(p, at) for p in chosen], low, high, level, "bootstrap")
    frame.attrs.update(draws=len(found.values), failed=len(found.failed), unsettled=found.unsettled)
    return frame


def _remarks(found: Replicates, n: int) -> Iterator[str]:
    if found.stopped:
        yield f"{found.stopped}: the intervals are from {len(found.values)} of {n} draws"
    if found.failed:
        yield (
            f"{len(found.failed)} of {len(found.failed) + len(found.values)} draws could not be "
            f"fitted and are left out; the first: {found.failed[0]}"
        )
    if found.unsettled:
        yield f"{found.unsettled} of {len(found.values)} fits did not converge; they are kept"


@dataclass(frozen=True, slots=True)
class Responses:
    """Some of the responses that were drawn, and the number of the first."""

    first: int
    drawn: tuple[Array, ...]


Refit = tuple[list[float], bool] | str
"""Estimates and whether they converged; or why there are none."""


def _replicates(
    fit: FitRecord, chosen: Sequence[Parameter], n: int, seed: Seed,
    executor: Executor | None, progress: bool,
) -> Replicates:  # fmt: skip
    chunk = chunk_size(None, n, executor)
    responses = draws(fit.design, fit.family, fit.theta, fit.beta, fit.sigma, n, seed)
    tasks = (Responses(i, tuple(islice(responses, chunk))) for i in range(0, n, chunk))
    refit = partial(_refits, fit, chosen)
    with progress_bar("bootstrap", n, progress) as show:
        done, why = carried_out(refit, tasks, executor, show)
    found = [one for _, some in sorted(done, key=lambda one: one[0].first) for one in some]
    good = [one for one in found if not isinstance(one, str)]
    return Replicates(
        [at for at, _ in good],
        [one for one in found if isinstance(one, str)],
        sum(not converged for _, converged in good),
        why,
    )


def _refits(fit: FitRecord, chosen: Sequence[Parameter], task: Responses) -> list[Refit]:
    """The fits of a task, wherever it is carried out."""
    out: list[Refit] = []
    for y in task.drawn:
        try:
            at, converged = _refitted(fit, y)
        except FitError as error:
            out.append(str(error))
        else:
            out.append(([value(p, at) for p in chosen], converged))
    return out


def _refitted(fit: FitRecord, y: Array) -> tuple[Point, bool]:
    design = with_response(fit.design, fit.family, y)
    found: estimate.Estimate | gaussian.Estimate
    if fit.family.name == "gaussian":
        found = gaussian.maximize(design, fit.reml)
        sigma = found.sigma
    else:
        found, sigma = estimate.maximize(design, fit.family, fit.n_agq), 1.0
    return _point(design, found.theta, found.beta, sigma, found.neg2loglik), found.converged
