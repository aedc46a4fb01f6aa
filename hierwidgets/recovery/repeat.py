"""One repetition: draw effects and outcomes, estimate in three ways, compare with the truth.

Everything here can be sent to another process: functions at the top of a module, frozen
records of numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import scipy.special

from hierwidgets.base.arrays import Array, Index, normal_quantile
from hierwidgets.errors import FitError
from hierwidgets.likelihood import estimate, gaussian
from hierwidgets.likelihood.prediction import standard_errors
from hierwidgets.spec import design as designs
from hierwidgets.spec import families, formula, responses
from hierwidgets.spec import rows as predict
from hierwidgets.spec.design import Design, NewRows
from hierwidgets.spec.families import Family

from .setup import SHAPES, Setup

__all__ = ["ESTIMATORS", "MEASURES", "PARAMETERS", "Plan", "Record", "repeat"]


ESTIMATORS = ("no_pooling", "partial_pooling", "complete_pooling")
MEASURES = ("mse", "bias", "coverage", "coverage_full", "width", "bias_of_largest")
PARAMETERS = ("mu", "sigma", "beta", "residual_sd")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one design's repetitions have in common; small enough to send with each task.

    Attributes
    ----------
    setup : Setup
    n_agq : int
    level : float
    x_seed : tuple of int
        Of the predictor.
    """

    setup: Setup
    n_agq: int
    level: float
    x_seed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What came of one repetition.

    Attributes
    ----------
    measures : (3, 6)
        By estimator and measure: means over the groups.
    by_size : (3, s, 2)
        Mean squared error and mean error over the groups of each size, sizes increasing.
    parameters : (4,)
        Estimates of mu, sigma, beta, residual_sd by the hierarchical model; nan where the
        model has none.
    converged : bool
    failure : str
        Why it could not be fitted; empty if it could. The numbers are nan then.
    groups : (10, J) or None
        Truth, then estimate and limits of each estimator.
    """

    measures: Array
    by_size: Array
    parameters: Array
    converged: bool
    failure: str
    groups: Array | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The arrays of a design, made once and used by every repetition.

    `design` has one row per group (binomial) or per observation (Gaussian), groups in order.
    """

    family: Family
    design: Design
    typical: NewRows  # what is estimated, a row per group
    sizes: Array
    codes: Index
    x: Array
    size_codes: Index
    size_counts: Array


# --- what repetitions share ---------------------------------------------------------------


@lru_cache(maxsize=64)
def prepare(setup: Setup, x_seed: tuple[int, ...]) -> Prepared:
    """The design of a setup; kept, since every task of a process asks for it."""
    binary = setup.family == "binomial"
    sizes = np.array(setup.sizes, dtype=np.float64)
    J = len(sizes)
    codes = np.arange(J) if binary else np.repeat(np.arange(J), sizes.astype(int))
    x = np.zeros(len(codes))
    if setup.beta is not None:
        x = np.random.default_rng(x_seed).standard_normal(len(codes))
    frame = pd.DataFrame({"group": codes, "x": x, "y": 0.0, "n": sizes[codes]})
    family = families.family(setup.family)
    fixed = "1" if setup.beta is None else "1 + x"
    response = "p(y, n)" if binary else "y"
    design = designs.build(formula.parse(f"{response} ~ {fixed} + (1 | group)"), frame, family)
    typical = pd.DataFrame({"group": np.arange(J), "x": x if binary else np.zeros(J)})
    _, size_codes = np.unique(sizes, return_inverse=True)
    return Prepared(
        family, design, design.apply(typical), sizes, codes, x, size_codes,
        np.bincount(size_codes).astype(np.float64),
    )  # fmt: skip


# --- one repetition -----------------------------------------------------------------------


def repeat(plan: Plan, seeds: Sequence[np.random.SeedSequence], keep: int) -> list[Record]:
    """The repetitions of `seeds`, each from its own stream; the first `keep` with their groups."""
    made = prepare(plan.setup, plan.x_seed)
    return [once(plan, made, seed, i < keep) for i, seed in enumerate(seeds)]


def once(plan: Plan, made: Prepared, seed: np.random.SeedSequence, keep: bool) -> Record:
    """One repetition; a fit that is not possible is recorded, not raised."""
    truth, y = draw(plan.setup, made, np.random.default_rng(seed))
    try:
        partial, full, parameters, converged = _partial(plan, made, y)
    except FitError as error:
        return _failed(made, str(error))
    simple = _binary if made.family.name == "binomial" else _linear
    no, complete = simple(made, y, plan.level)
    rows = np.stack([no, partial, complete])  # (3, estimate and limits, J)
    covered_full = np.array([np.nan, np.mean((full[0] <= truth) & (truth <= full[1])), np.nan])
    return Record(
        measures=_measures(truth, rows, covered_full),
        by_size=_by_size(made, rows[:, 0] - truth),
        parameters=parameters,
        converged=converged,
        failure="",
        groups=np.vstack([truth, rows.reshape(9, -1)]) if keep else None,
    )


def draw(setup: Setup, made: Prepared, rng: np.random.Generator) -> tuple[Array, Array]:
    """The truth of each group (J,), and outcomes: successes (J,) or numbers (N,)."""
    alpha = setup.mu + setup.sigma * SHAPES[setup.shape](rng, len(made.sizes))
    eta = alpha[made.codes] + (setup.beta or 0.0) * made.x
    if made.family.name == "binomial":
        truth = made.family.link.inverse(eta)[0]
        return truth, rng.binomial(made.sizes.astype(np.int64), truth).astype(np.float64)
    return alpha, eta + setup.residual_sd * rng.standard_normal(len(eta))


def _failed(made: Prepared, why: str) -> Record:
    return Record(
        np.full((len(ESTIMATORS), len(MEASURES)), np.nan),
        np.full((len(ESTIMATORS), len(made.size_counts), 2), np.nan),
        np.full(len(PARAMETERS), np.nan),
        False,
        why,
        None,
    )


# --- three estimators ---------------------------------------------------------------------


def _partial(plan: Plan, made: Prepared, y: Array) -> tuple[Array, Array, Array, bool]:
    """Partial pooling: estimate and limits (3, J), wider limits (2, J), parameters, converged.

    Limits are empirical Bayes, ``eta_j +- z sd_j`` with the conditional sd given the estimated
    parameters; the wider ones add the parameters' uncertainty, as `Fit.predict` does.
    """
    design = responses.with_response(made.design, made.family, y)
    found: estimate.Estimate | gaussian.Estimate
    if made.family.name == "gaussian":
        found = gaussian.maximize(design)
        sigma = found.sigma
    else:
        found = estimate.maximize(design, made.family, plan.n_agq)
        sigma = 1.0
    eta = predict.linear_predictor(made.typical, found.beta, found.modes.b)
    sd = found.modes.sd[0][:, 0]
    moved = standard_errors(
        design, made.family, made.typical, found.theta, found.beta, found.covariance,
        sigma=sigma,
        unknown=False, conditional=True,
    )  # fmt: skip
    z = normal_quantile(plan.level)
    wide = np.hypot(sd, moved)
    rows = np.stack([eta, eta - z * sd, eta + z * sd, eta - z * wide, eta + z * wide])
    rows = made.family.link.inverse(rows)[0]
    slope = found.beta[1] if len(found.beta) > 1 else np.nan
    residual = sigma if made.family.name == "gaussian" else np.nan
    parameters = np.array([found.beta[0], sigma * abs(found.theta[0]), slope, residual])
    return rows[:3], rows[3:], parameters, found.converged


def _binary(made: Prepared, y: Array, level: float) -> tuple[Array, Array]:
    """No and complete pooling of proportions, each estimate and Wald limits (3, J)."""
    z = normal_quantile(level)
    p = y / made.sizes
    half = z * np.sqrt(p * (1 - p) / made.sizes)
    no = np.stack([p, p - half, p + half])
    X = made.design.X
    if X.shape[1] == 1:
        rate, total = y.sum() / made.sizes.sum(), made.sizes.sum()
        half = z * np.sqrt(rate * (1 - rate) / total)
        return no, np.tile(np.array([[rate], [rate - half], [rate + half]]), len(y))
    beta = estimate.fixed_only(responses.with_response(made.design, made.family, y), made.family)
    eta = X @ beta
    inverse = made.family.link.inverse
    p = inverse(eta)[0]
    information = (X * (made.sizes * p * (1 - p))[:, None]).T @ X
    half = z * np.sqrt(np.einsum("ij,jk,ik->i", X, np.linalg.inv(information), X))
    return no, inverse(np.stack([eta, eta - half, eta + half]))[0]


def _linear(made: Prepared, y: Array, level: float) -> tuple[Array, Array]:
    """No and complete pooling by least squares, each estimate and t limits (3, J).

    No pooling: an intercept for each group, one slope, one residual sd. Complete pooling: one
    intercept for all.
    """
    n, J = made.sizes, len(made.sizes)
    codes, slope = made.codes, made.design.X.shape[1] > 1
    whole = np.zeros(len(codes), np.intp)
    no = _intercepts(y, made.x, codes, n, slope, level)
    complete = _intercepts(y, made.x, whole, np.array([n.sum()]), slope, level)
    return no, np.tile(complete, J)


def _intercepts(y: Array, x: Array, codes: Index, n: Array, slope: bool, level: float) -> Array:
    """Intercept and limits (3, J) of ``y = a_j + b x``, by sums within groups."""
    y_mean, x_mean = np.bincount(codes, y) / n, np.bincount(codes, x) / n
    y_within, x_within = y - y_mean[codes], x - x_mean[codes]
    sxx = float(x_within @ x_within)
    b = float(x_within @ y_within) / sxx if slope else 0.0
    df = len(y) - len(n) - slope
    residual = y_within - b * x_within
    variance = float(residual @ residual) / df
    error = np.sqrt(variance * (1.0 / n + (x_mean**2 / sxx if slope else 0.0)))
    half = scipy.special.stdtrit(df, 0.5 + level / 2) * error
    a = y_mean - b * x_mean
    return np.stack([a, a - half, a + half])


# --- judging ------------------------------------------------------------------------------


def _measures(truth: Array, rows: Array, covered_full: Array) -> Array:
    """(3, 6): see MEASURES. Groups that tie for the largest raw estimate share its place."""
    error = rows[:, 0] - truth
    covered = (rows[:, 1] <= truth) & (truth <= rows[:, 2])
    largest = rows[0, 0] == rows[0, 0].max()
    columns = [
        (error**2).mean(axis=1),
        error.mean(axis=1),
        covered.mean(axis=1),
        covered_full,
        (rows[:, 2] - rows[:, 1]).mean(axis=1),
        error[:, largest].mean(axis=1),
    ]
    return np.stack(columns, axis=1)


def _by_size(made: Prepared, error: Array) -> Array:
    """(3, s, 2): mean squared error and mean error over the groups of each size."""
    sums = [
        [np.bincount(made.size_codes, row**2), np.bincount(made.size_codes, row)] for row in error
    ]
    means: Array = np.array(sums) / made.size_counts
    return means.transpose(0, 2, 1)
