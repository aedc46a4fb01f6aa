r"""The model ``(1 | group)`` with everything on a grid: other shapes, fixed sigmas, calibration.

For one group term the log-odds of a level are one number alpha, so that any question can be
answered by adding up over a fine grid of alpha:

.. math:: \int \pi^{y}(1-\pi)^{n-y}\, f(\alpha \mid \mu, \sigma)\, d\alpha,
          \qquad \pi = \mathrm{logit}^{-1}(\alpha).

That is slow and simple, and works for shapes f other than the normal (`fit_shape`), for a sigma
that is set and not estimated (`scores_by_sigma`), and for a posterior without a sampler
(`calibrate_on_grid`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, lgamma, log, pi

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array, expit
from hierwidgets.errors import DataError

__all__ = ["ShapeFit", "calibrate_on_grid", "fit_shape", "scores_by_sigma"]


_FINE = np.linspace(-9.0, 7.0, 1601)  # log-odds of a level
_COARSE = np.linspace(-8.0, 6.0, 701)
_SMALLEST = 0.04  # sigma; two steps of the coarse grid, where sums are exact to eight digits


def _log_likelihood(y: Array, n: Array, alpha: Array) -> Array:
    """The logarithm of pi^y (1 - pi)^(n - y) on the grid: (J, A)."""
    return np.asarray(y[:, None] * alpha - n[:, None] * np.logaddexp(0.0, alpha))


def _shape(mu: Array, sigma: Array, df: float, alpha: Array) -> Array:
    """The density of alpha (G, A) at pairs of mu and sigma (G,): normal, or t with df."""
    z = (alpha - mu[:, None]) / sigma[:, None]
    if df == inf:
        logs = -0.5 * z**2 - 0.5 * log(2 * pi)
    else:
        constant = lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * log(df * pi)
        logs = constant - (df + 1) / 2 * np.log1p(z**2 / df)
    return np.asarray(np.exp(logs) / sigma[:, None])


def _log_areas(y: Array, n: Array, density: Array, alpha: Array) -> Array:
    """The logarithm of each level's integral at each pair: (J, G)."""
    logs = _log_likelihood(y, n, alpha)
    top = logs.max(axis=1, keepdims=True)
    area = np.exp(logs - top) @ density.T * (alpha[1] - alpha[0])
    return np.asarray(np.log(np.maximum(area, 1e-300)) + top)


def _mean_rates(y: Array, n: Array, density: Array, alpha: Array) -> Array:
    """The expected rate of each level given its answers, at one pair (1, A): (J,)."""
    logs = _log_likelihood(y, n, alpha)
    weight = np.exp(logs - logs.max(axis=1, keepdims=True)) * density
    return np.asarray(weight @ expit(alpha) / weight.sum(axis=1))


# --- another shape ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShapeFit:
    """Maximum likelihood with effects of a given shape.

    Attributes
    ----------
    df
        Degrees of freedom of the t distribution; infinite for the normal.
    mu, sigma
        Centre and scale (for the normal: its sd).
    loglik
        The log-likelihood, of single answers.
    rates
        The expected rate of each level given its answers and (mu, sigma), in the order given.
    """

    df: float
    mu: float
    sigma: float
    loglik: float
    rates: Array


def fit_shape(y: Sequence[float], n: Sequence[float], df: float = inf) -> ShapeFit:
    """Estimate mu and sigma where the levels' log-odds are normal, or t with `df` degrees.

    Parameters
    ----------
    y, n
        Events and answers of each level.
    df
        Infinite for the normal distribution; a small number for long tails.

    Examples
    --------
    >>> from hierwidgets.course.studies.grid import fit_shape
    >>> fit = fit_shape([1, 9, 4, 18], [20, 20, 10, 20])
    >>> bool(fit.rates[0] > 1 / 20), bool(fit.rates[3] < 18 / 20)
    (True, True)
    """
    from scipy.optimize import minimize

    events, answers = _counts(y, n)
    if not df > 0:
        raise DataError(f"df={df!r}; give a positive number, or infinity for the normal")

    kinds, times = np.unique(np.column_stack([events, answers]), axis=0, return_counts=True)

    def minus(point: Array) -> float:
        sigma = _SMALLEST + np.exp(point[1])
        density = _shape(point[:1], np.array([sigma]), df, _FINE)
        return -float(times @ _log_areas(kinds[:, 0], kinds[:, 1], density, _FINE)[:, 0])

    overall = (events.sum() + 0.5) / (answers.sum() + 1)
    start = np.array([np.log(overall / (1 - overall)), -1.0])
    options = {"xatol": 1e-7, "fatol": 1e-9}
    found = minimize(minus, start, method="Nelder-Mead", options=options)
    mu, sigma = float(found.x[0]), _SMALLEST + float(np.exp(found.x[1]))
    density = _shape(np.array([mu]), np.array([sigma]), df, _FINE)
    rates = _mean_rates(events, answers, density, _FINE)
    return ShapeFit(df, mu, sigma, -float(found.fun), rates)


def _counts(y: Sequence[float], n: Sequence[float]) -> tuple[Array, Array]:
    events, answers = np.asarray(y, dtype=float), np.asarray(n, dtype=float)
    if events.shape != answers.shape or events.ndim != 1 or not (events <= answers).all():
        raise DataError("y and n are two equally long lists, with no y above its n")
    return events, answers


# --- how much pooling ------------------------------------------------------------------------


def scores_by_sigma(
    data: pd.DataFrame,
    outcome: str,
    group: str,
    sigmas: Sequence[float],
    *,
    folds: int = 10,
    seed: int = 1,
) -> pd.DataFrame:
    """The cross-validated log score if sigma is set, from almost complete to almost no pooling.

    For each sigma and each fold, mu is estimated from the rows left; a row held out is predicted
    by its level's expected rate given the level's rows left.

    Parameters
    ----------
    data, outcome, group
        One row per answer; `outcome` 0 or 1.
    sigmas
        At least .04.
    folds, seed
        As in `hierwidgets.cross_validate`.

    Returns
    -------
    DataFrame
        ``sigma log_score loglik``: the mean log score of rows held out, and the log-likelihood of
        all rows at the best mu.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.studies.grid import scores_by_sigma
    >>> data = pd.DataFrame({"g": list("aaaabbbb"), "y": [0, 0, 0, 1, 1, 1, 1, 0]})
    >>> scores_by_sigma(data, "y", "g", [0.1, 1.0], folds=4)["sigma"].to_list()
    [0.1, 1.0]
    """
    y = data[outcome].to_numpy(float)
    code, levels = pd.factorize(data[group])
    chosen = np.asarray(sigmas, dtype=float)
    if (chosen < _SMALLEST).any():
        raise DataError(f"sigmas below {_SMALLEST} are too small for the grid: {chosen.min():g}")
    fold = np.random.default_rng(seed).permutation(len(y)) % folds
    overall = np.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5))
    mus = overall + np.linspace(-1.5, 1.5, 76)
    rows = []
    for sigma in chosen:
        density = _shape(mus, np.full(len(mus), sigma), inf, _COARSE)
        score = [_held_out(y, code, fold == k, density, len(levels)) for k in range(folds)]
        everything = np.ones(len(y), dtype=bool)
        totals = _totals(y, code, everything, len(levels))
        loglik = _log_areas(*totals, density, _COARSE).sum(axis=0).max()
        rows.append((float(sigma), float(np.concatenate(score).mean()), float(loglik)))
    return pd.DataFrame(rows, columns=["sigma", "log_score", "loglik"])


def _totals(
    y: Array, code: NDArray[np.intp], use: NDArray[np.bool_], levels: int
) -> tuple[Array, Array]:
    events = np.bincount(code[use], y[use], levels).astype(float)
    return events, np.bincount(code[use], minlength=levels).astype(float)


def _held_out(
    y: Array, code: NDArray[np.intp], out: NDArray[np.bool_], density: Array, levels: int
) -> Array:
    """The log scores of the rows held out."""
    events, answers = _totals(y, code, ~out, levels)
    best = int(_log_areas(events, answers, density, _COARSE).sum(axis=0).argmax())
    p = _mean_rates(events, answers, density[[best]], _COARSE)[code[out]]
    return np.asarray(np.where(y[out] == 1, np.log(p), np.log1p(-p)))


# --- calibration -----------------------------------------------------------------------------

_MU_CENTRE, _MU_SD, _SIGMA_SCALE = -1.4, 0.5, 0.3  # priors: normal; half-normal


def calibrate_on_grid(sizes: Sequence[int], reps: int = 300, seed: int = 1) -> pd.DataFrame:
    r"""Where the truth lies among its posterior, over and over: simulation-based calibration.

    Each repetition draws mu from N(-1.4, 0.5^2) and sigma from half-normal(0.3), then districts
    and answers, and computes the posterior on a grid. The value of the posterior's distribution
    function at the truth must be uniform between 0 and 1 (Cook, Gelman & Rubin 2006, J. Comput.
    Graph. Stat. 15(3); Talts et al. 2018, arXiv:1804.06788).

    Parameters
    ----------
    sizes
        Answers per level.
    reps, seed
        How many repetitions, and the seed of their draws.

    Returns
    -------
    DataFrame
        A row for each repetition: ``mu`` and ``sigma`` under the right model; ``mu alone``, for
        mu under a model that takes all levels to be alike (complete pooling).

    Examples
    --------
    >>> from hierwidgets.course.studies.grid import calibrate_on_grid
    >>> shares = calibrate_on_grid([20, 50, 80], reps=3)
    >>> bool(((shares > 0) & (shares < 1)).all(axis=None))
    True
    """
    answers, rng = np.asarray(sizes, dtype=float), np.random.default_rng(seed)
    mus, sigmas = np.linspace(-3.4, 0.6, 101), np.linspace(0.02, 1.22, 31)  # cells from 0
    pairs = np.array([(m, s) for m in mus for s in sigmas])
    alpha = _COARSE[100:-100]  # -6 to 4
    density = _shape(pairs[:, 0], pairs[:, 1], inf, alpha)
    prior_mu = -0.5 * ((mus - _MU_CENTRE) / _MU_SD) ** 2
    log_prior = prior_mu[:, None] - 0.5 * (sigmas / _SIGMA_SCALE) ** 2
    rows = []
    for _ in range(reps):
        mu, sigma, y = _world(answers, rng)
        loglik = _log_areas(y, answers, density, alpha).sum(axis=0).reshape(log_prior.shape)
        both = np.exp(loglik + log_prior - (loglik + log_prior).max())
        alike = y.sum() * mus - answers.sum() * np.logaddexp(0, mus) + prior_mu
        rows.append(
            (
                _below(mus, both.sum(axis=1), mu),
                _below(sigmas, both.sum(axis=0), sigma),
                _below(mus, np.exp(alike - alike.max()), mu),
            )
        )
    return pd.DataFrame(rows, columns=["mu", "sigma", "mu alone"])


def _world(answers: Array, rng: np.random.Generator) -> tuple[float, float, Array]:
    """mu and sigma from their priors, and the events of one survey."""
    mu, sigma = rng.normal(_MU_CENTRE, _MU_SD), abs(rng.normal(0, _SIGMA_SCALE))
    rate = expit(mu + sigma * rng.standard_normal(len(answers)))
    return mu, sigma, rng.binomial(answers.astype(int), rate).astype(float)


def _below(grid: Array, mass: Array, truth: float) -> float:
    """The share of the mass below the truth; each point stands for a cell around it."""
    half = (grid[1] - grid[0]) / 2
    edges = np.append(grid - half, grid[-1] + half)
    total = np.append(0.0, np.cumsum(mass)) / mass.sum()
    return float(np.interp(truth, edges, total))
