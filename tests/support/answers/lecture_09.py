"""Lecture 09: where lines meet, odds, the chance of a zero, a prior by hand, another origin."""

from functools import cache
from math import copysign, log

import numpy as np
from scipy import optimize, special, stats

import hierwidgets as hw
from support.answers import Answers


def meeting(sd0, sd1, corr):
    return -corr * sd0 / sd1


def chance(K, sigma2, v):
    return stats.chi2.cdf(K * v / (sigma2 + v), df=K)


def chance_by_simulation(K, sigma2, v):
    y = np.random.default_rng(4).normal(0, np.sqrt(sigma2 + v), size=(10_000, K))
    return np.mean(np.mean(y**2, axis=1) < v)


def chance_by_two_steps(K, sigma2, v):
    rng = np.random.default_rng(5)
    a = rng.normal(0, np.sqrt(sigma2), size=(200_000, K))
    y = rng.normal(a, np.sqrt(v))
    return float((np.maximum(0, np.mean(y**2, axis=1) - v) == 0).mean())


def penalised(y, v, weight=1.0, step=0.001):
    grid = np.arange(step, 5, step)
    total = grid**2 + v
    loglik = -0.5 * len(y) * np.log(total) - 0.5 * np.sum(y**2) / total
    return grid[np.argmax(loglik + weight * np.log(grid))]


def penalised_by_search(y, v):
    def negative(sigma):
        return -np.sum(stats.norm.logpdf(y, 0, np.sqrt(sigma**2 + v))) - np.log(sigma)

    return optimize.minimize_scalar(negative, bounds=(1e-6, 10), method="bounded").x


def penalised_by_loop(y, v):
    best, top = None, -np.inf
    for i in range(1, 500):
        sigma = i / 100
        value = log(sigma)
        for one in y:
            value += -0.5 * log(sigma**2 + v) - 0.5 * one**2 / (sigma**2 + v)
        if value > top:
            best, top = sigma, value
    return best


def corr_at(sd0, sd1, rho, c):
    covariance = rho * sd0 * sd1 + c * sd1**2
    variance = sd0**2 + 2 * c * rho * sd0 * sd1 + c**2 * sd1**2
    return covariance / (np.sqrt(variance) * sd1)


def corr_by_matrix(sd0, sd1, rho, c):
    S = np.array([[sd0**2, rho * sd0 * sd1], [rho * sd0 * sd1, sd1**2]])
    A = np.array([[1, c], [0, 1]])
    moved = A @ S @ A.T
    return moved[0, 1] / np.sqrt(moved[0, 0] * moved[1, 1])


def corr_by_parts(sd0, sd1, rho, c):
    """In units of the slope's sd, and of the part of the height that is not the slope's."""
    height = rho * sd0 + c * sd1
    return height / np.hypot(height, sd0 * np.sqrt(1 - rho**2))


@cache
def logliks():
    data = hw.load("rainey2015")
    start = "contacted ~ electoral_rules * district_competitiveness + (1 | district_id)"
    bars = ("(1 + district_competitiveness | election_id)",
            "(1 + district_competitiveness || election_id)")  # fmt: skip
    return [hw.glmer(f"{start} + {bar}", data, event="Contacted").loglik for bar in bars]


def answers():
    one, zero = logliks()
    odds = np.exp(one - zero)
    return {
        "09-meeting": Answers(
            right=(
                meeting,
                lambda sd0, sd1, corr: -sd0 / sd1 if corr > 0 else sd0 / sd1,
                lambda sd0, sd1, corr: optimize.brentq(lambda c: sd0 + corr * sd1 * c, -99, 99),
                lambda sd0, sd1, corr: -sd0 / (corr * sd1),
                lambda sd0, sd1, corr: -copysign(sd0 / sd1, corr),
            ),
            wrong=(
                (lambda sd0, sd1, corr: corr * sd0 / sd1, "The sign"),
                (lambda sd0, sd1, corr: -corr * sd1 / sd0, "The two sds are exchanged"),
                (lambda sd0, sd1, corr: -sd0 / sd1, "Right for a correlation of 1"),
                (lambda sd0, sd1, corr: sd0 / sd1, "Right for a correlation of -1"),
                (lambda sd0, sd1, corr: -corr * sd0**2 / sd1**2, "not squared"),
                (lambda sd0, sd1, corr: corr * sd1 / sd0, "exchanged"),
                (lambda sd0, sd1, corr: -corr * sd0 * sd1, "too large"),
                (lambda sd0, sd1, corr: 0.0, "too large"),
            ),
        ),
        "09-odds": Answers(
            right=(odds, 1.16, 1.161, [odds], 1.2, np.array(odds)),
            wrong=(
                (one - zero, "difference of the logarithms"),
                (0.15, "difference of the logarithms"),
                (1 / odds, "The other way round"),
                (0.86, "The other way round"),
                (odds**2, "belongs to tests"),
                (2 * (one - zero), "difference of the logarithms, twice"),
                (one / zero, "ratio of the logarithms"),
                (16, "This is by how much more, in percent"),
                (odds - 1, "by how much more"),
                (1.5, "too large"),
                (1.1, "too small"),
            ),
        ),
        "09-chance": Answers(
            right=(
                chance,
                chance_by_simulation,
                chance_by_two_steps,
                lambda K, s, v: 1 - stats.chi2.sf(K * v / (s + v), K),
                lambda K, s, v: special.gammainc(K / 2, K * v / (s + v) / 2),
            ),
            wrong=(
                (lambda K, s, v: chance(K, np.sqrt(s), v), "already a variance"),
                (lambda K, s, v: 1 - chance(K, s, v), "*above* 0"),
                (lambda K, s, v: stats.chi2.cdf(K * v / (s + v), K - 1), "K degrees of freedom"),
                (lambda K, s, v: stats.chi2.cdf(K, K), "sigma2 is missing"),
                (
                    lambda K, s, v: stats.chi2.cdf(v / (s + v), K),
                    "The sum of squares is below K times v",
                ),
                (lambda K, s, v: chance(K, v, s), "exchanged"),
                (lambda K, s, v: stats.chi2.cdf(K * v / s, K), "sigma2 + v"),
                (lambda K, s, v: stats.norm.cdf(-1), "too small"),
                (lambda K, s, v: 100 * chance(K, s, v), "percentage"),
            ),
        ),
        "09-penalised": Answers(
            right=(
                penalised,
                penalised_by_search,
                penalised_by_loop,
                lambda y, v: penalised(y, v, step=0.01),
            ),
            wrong=(
                (lambda y, v: np.sqrt(max(0, np.mean(y**2) - v)), "the likelihood alone"),
                (lambda y, v: penalised(y, v, weight=0), "the likelihood alone"),
                (lambda y, v: penalised(y, v) ** 2, "sigma squared"),
                (lambda y, v: penalised(y, v, weight=2), "log(sigma) once"),
                (lambda y, v: penalised(y, v, weight=len(y)), "too large"),
                (lambda y, v: np.std(y), "too small"),
                (lambda y, v: penalised(y, v**2), "v is a variance"),
                (lambda y, v: penalised(y, v, step=0.1), "For the arguments"),
                (lambda y, v: 0.0, "too small"),
            ),
        ),
        "09-origin": Answers(
            right=(corr_at, corr_by_matrix, corr_by_parts),
            wrong=(
                (lambda sd0, sd1, rho, c: rho, "c is missing"),
                (
                    lambda sd0, sd1, rho, c: (
                        (rho * sd0 * sd1 + c * sd1**2) / np.sqrt(sd0**2 + c**2 * sd1**2) / sd1
                    ),
                    "a third part",
                ),
                (lambda sd0, sd1, rho, c: corr_at(sd0, sd1, rho, -c), "The sign of c"),
                (
                    lambda sd0, sd1, rho, c: rho * sd0 * sd1 + c * sd1**2,
                    "This is the covariance",
                ),
                (
                    lambda sd0, sd1, rho, c: (rho * sd0 * sd1 + c * sd1**2) / (sd0 * sd1),
                    "the sd of the height at c",
                ),
                (
                    lambda sd0, sd1, rho, c: (
                        (rho * sd0 * sd1 + c * sd1**2)
                        / (sd0**2 + 2 * c * rho * sd0 * sd1 + c**2 * sd1**2)
                        / sd1
                    ),
                    "square root",
                ),
                (lambda sd0, sd1, rho, c: corr_at(sd1, sd0, rho, c), "exchanged"),
                (lambda sd0, sd1, rho, c: corr_at(sd0, sd1, rho, 0.7 * c), "too small"),
            ),
        ),
    }
