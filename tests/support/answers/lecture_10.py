"""Lecture 10: a verdict on any table, a Monte Carlo error, R-hat, new variables, a constant."""

import math

import numpy as np
import pandas as pd
from scipy import special, stats

from hierwidgets.course import page
from support.answers import Answers

COLUMNS = ["estimate", "std_error", "rhat", "ess_bulk", "ess_tail"]


def page_table():
    return pd.DataFrame(
        {name: {one.label: one.value for one in page.numbers("S85", name)} for name in COLUMNS}
    )


def conditions(printed, limit=1.01, size=400):
    sizes = (printed["ess_bulk"] >= size) & (printed["ess_tail"] >= size)
    return (printed["rhat"] <= limit) & sizes


def by_loop(printed):
    verdict = {}
    for name, row in printed.iterrows():
        good = row["rhat"] <= 1.01 and min(row["ess_bulk"], row["ess_tail"]) >= 400
        verdict[name] = 1 if good else 0
    return verdict


def by_where(printed):
    failed = (printed.rhat > 1.01) | (printed[["ess_bulk", "ess_tail"]] < 400).any(axis=1)
    return np.where(failed, 0, 1)


def by_query(printed):
    good = printed.query("rhat <= 1.01 and ess_bulk >= 400 and ess_tail >= 400").index
    return pd.Series(0, index=printed.index).mask(printed.index.isin(good), 1)


def rhat(draws):
    n = draws.shape[1] // 2
    halves = np.vstack([draws[:, :n], draws[:, n : 2 * n]])
    W = halves.var(axis=1, ddof=1).mean()
    return np.sqrt(((n - 1) / n * W + halves.mean(axis=1).var(ddof=1)) / W)


def rhat_by_loop(draws):
    halves = []
    for chain in draws:
        middle = len(chain) // 2
        halves += [chain[:middle], chain[middle:]]
    n = len(halves[0])
    within = np.mean([np.var(half, ddof=1) for half in halves])
    between = np.var([np.mean(half) for half in halves], ddof=1)
    return math.sqrt((n - 1) / n + between / within)


def rhat_by_cutting(draws):
    chains, n = draws.shape
    halves = draws.reshape(2 * chains, n // 2)
    W, B = stats.tvar(halves, axis=1).mean(), n // 2 * stats.tvar(halves.mean(axis=1))
    return (((n // 2 - 1) * W + B) / (n // 2) / W) ** 0.5


def unsplit(draws, ddof=1):
    n = draws.shape[1]
    W = draws.var(axis=1, ddof=ddof).mean()
    return np.sqrt(((n - 1) / n * W + draws.mean(axis=1).var(ddof=ddof)) / W)


def log_density(z, log_sigma, y, s):
    sigma = np.exp(log_sigma)
    likelihood = -0.5 * np.sum(((y - sigma * z) / s) ** 2)
    return likelihood - 0.5 * np.sum(z**2) - 0.5 * (sigma / 2) ** 2 + log_sigma


def log_density_of_scipy(z, log_sigma, y, s):
    sigma = np.exp(log_sigma)
    parts = stats.norm.logpdf(y, sigma * z, s).sum() + stats.norm.logpdf(z).sum()
    return parts + stats.halfnorm.logpdf(sigma, scale=2) + log_sigma


def log_density_by_loop(z, log_sigma, y, s):
    sigma, total = math.exp(log_sigma), 7.0
    for k in range(len(z)):
        total -= 0.5 * ((y[k] - sigma * z[k]) / s[k]) ** 2 + 0.5 * z[k] ** 2
    return total - sigma**2 / 8 + log_sigma


def centred(z, log_sigma, y, s):
    sigma = np.exp(log_sigma)
    parts = -0.5 * np.sum(((y - z) / s) ** 2) - 0.5 * np.sum((z / sigma) ** 2)
    return parts - len(z) * log_sigma - 0.5 * (sigma / 2) ** 2 + log_sigma


def constant(y, n):
    return np.sum(special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1))


def constant_by_difference(y, n):
    return sum(
        stats.binom.logpmf(a, b, 0.3) - a * np.log(0.3) - (b - a) * np.log(0.7)
        for a, b in zip(y, n, strict=True)
    )


def answers():
    row = page_table().loc["district_competitiveness:electoral_rules[T.SMD]"]
    error = row["std_error"] / np.sqrt(row["ess_bulk"])
    return {
        "10-verdict": Answers(
            right=(
                conditions,
                lambda printed: conditions(printed).astype(int),
                by_loop,
                by_where,
                by_query,
                lambda printed: list(conditions(printed)),
            ),
            wrong=(
                (lambda printed: (printed["rhat"] <= 1.01).astype(int), "R-hat alone"),
                (lambda printed: printed["rhat"] <= 1.01, "R-hat alone"),
                (lambda printed: ~conditions(printed), "The other way round"),
                (
                    lambda t: (t["rhat"] <= 1.01) & (t["ess_bulk"] >= 400),
                    "The tail's size is missing",
                ),
                (
                    lambda t: (t["rhat"] <= 1.01) & (t["ess_tail"] >= 400),
                    "The bulk's size is missing",
                ),
                (
                    lambda t: (t["ess_bulk"] >= 400) & (t["ess_tail"] >= 400),
                    "the sizes alone",
                ),
                (
                    lambda t: (t["rhat"] <= 1.01) | (t["ess_bulk"] >= 400) | (t["ess_tail"] >= 400),
                    "not by `|`",
                ),
                (
                    lambda t: (t["rhat"] < 1.01) & (t["ess_bulk"] >= 400) & (t["ess_tail"] >= 400),
                    "an R-hat of 1.01 is good enough",
                ),
                (
                    lambda t: (t["rhat"] <= 1.01) & (t["ess_bulk"] > 400) & (t["ess_tail"] > 400),
                    "a size of 400 is enough",
                ),
                (
                    lambda t: (t["rhat"] < 1.01) & (t["ess_bulk"] > 2000) & (t["ess_tail"] > 2000),
                    "stricter limits",
                ),
                (lambda printed: conditions(page_table()), "whatever it is given"),
                (lambda printed: conditions(printed)[conditions(printed)], "labels are missing"),
                (conditions(page_table()), "A function is asked for"),
            ),
        ),
        "10-mcse": Answers(
            right=(error, 0.14, 0.1399, row["std_error"] * row["ess_bulk"] ** -0.5, [error]),
            wrong=(
                (row["std_error"] / np.sqrt(20_000), "not independent"),
                (row["std_error"] / row["ess_bulk"], "The square root is missing"),
                (row["std_error"] / np.sqrt(row["ess_tail"]), "belongs to quantiles"),
                (0.27, "belongs to quantiles"),
                (row["std_error"], "the posterior sd itself"),
                (1.64 * error, "The error itself"),
                (error**2, "This is squared"),
                (0.3, "too large"),
                (0.1, "too small"),
            ),
        ),
        "10-rhat": Answers(
            right=(rhat, rhat_by_loop, rhat_by_cutting),
            wrong=(
                (unsplit, "not cut in halves"),
                (lambda draws: rhat(draws) ** 2, "Take the square root"),
                (lambda draws: rhat(draws) - 1, "too small"),
                (
                    lambda draws: rhat_with(draws, lambda n, W, b: ((n - 1) / n * W + b / n) / W),
                    "already divided by n",
                ),
                (
                    lambda draws: rhat_with(draws, lambda n, W, b: ((n - 1) / n * W + n * b) / W),
                    "not times n",
                ),
                (lambda draws: rhat_with(draws, lambda n, W, b: b / W), "of W is missing"),
                (
                    lambda draws: rhat_with(
                        draws, lambda n, W, b: ((n - 1) / n * W + b) / W, ddof=0
                    ),
                    "Take variances with ddof=1; numpy's default is 0",
                ),
                (lambda draws: rhat(draws.T), "The answer is NaN"),
                (lambda draws: 1.0, "too small"),
            ),
        ),
        "10-noncentred": Answers(
            right=(
                log_density,
                log_density_of_scipy,
                log_density_by_loop,
                lambda z, t, y, s: log_density(z, t, y, s) - len(z) * np.log(2 * np.pi),
            ),
            wrong=(
                (centred, "This is the centred form"),
                (lambda z, t, y, s: log_density(z, t, y, s) - t, "the Jacobian"),
                (lambda z, t, y, s: log_density(z, t, y, s) - 2 * t, "plus log_sigma"),
                (
                    lambda z, t, y, s: log_density(z, t, y, s) + 0.5 * np.sum(z**2),
                    "The prior of z is missing",
                ),
                (
                    lambda z, t, y, s: log_density(z, t, y, s) + np.exp(2 * t) / 8,
                    "half-normal of sigma is missing",
                ),
                (
                    lambda z, t, y, s: log_density(z, t, y, s) - 3 * np.exp(2 * t) / 8,
                    "The sd of the half-normal",
                ),
                (lambda z, t, y, s: log_density(z, t, y, s**0.5), "s holds sds"),
                (lambda z, t, y, s: -log_density(z, t, y, s), "minus the log density"),
                (lambda z, t, y, s: np.exp(log_density(z, t, y, s)), "Give the logarithm"),
                (lambda z, t, y, s: log_density(z, np.exp(t), y, s), "The number is too small"),
            ),
        ),
        "10-constant": Answers(
            right=(
                constant,
                constant_by_difference,
                lambda y, n: np.log(special.comb(n, y)).sum(),
                lambda y, n: sum(
                    math.log(math.comb(int(b), int(a))) for a, b in zip(y, n, strict=True)
                ),
                lambda y, n: -np.sum(special.betaln(y + 1, n - y + 1) + np.log(n + 1)),
            ),
            wrong=(
                (lambda y, n: -constant(y, n), "The sign"),
                (lambda y, n: np.exp(constant(y, n)), "Give the logarithm"),
                (lambda y, n: special.gammaln(n + 1).sum(), "The orders among the yeses"),
                (
                    lambda y, n: np.sum(special.gammaln(n + 1) - special.gammaln(y + 1)),
                    "the noes cannot be told apart, too",
                ),
                (
                    lambda y, n: np.sum(
                        special.gammaln(n)
                        - special.gammaln(y + 1e-9)
                        - special.gammaln(n - y + 1e-9)
                    ),
                    "too small",
                ),
                (
                    lambda y, n: special.gammaln(n + 1) - special.gammaln(y + 1),
                    "A single number is asked for, and these are 3 values",
                ),
                (lambda y, n: constant(np.sum(y), np.sum(n)), "district by district"),
                (lambda y, n: np.sum(special.comb(n, y)), "sum of the numbers"),
            ),
        ),
    }


def rhat_with(draws, formula, ddof=1):
    n = draws.shape[1] // 2
    halves = np.vstack([draws[:, :n], draws[:, n : 2 * n]])
    W = halves.var(axis=1, ddof=ddof).mean()
    return np.sqrt(formula(n, W, halves.mean(axis=1).var(ddof=ddof)))
