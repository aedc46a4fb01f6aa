"""Lecture 02: from log-odds to rates, the prior's band, peaks, weights, witnesses."""

import math

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

import hierwidgets as hw
from support.answers import Answers

expit, logit = special.expit, special.logit


def peak_on_a_grid(mu, sigma, y, n):
    """The log-odds at the top of prior times likelihood, as the lecture finds it."""
    alpha = np.linspace(-4, 2, 601)
    prior = np.exp(-0.5 * ((alpha - mu) / sigma) ** 2)
    return alpha[(prior * np.exp(y * alpha - n * np.log1p(np.exp(alpha)))).argmax()]


def peak_by_root(mu, sigma, y, n):
    return optimize.brentq(lambda a: y - n * expit(a) - (a - mu) / sigma**2, -10, 10)


def pair(function):
    return function(10, 23), function(29, 179)


def answers():
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    n0 = 1 / (sigma**2 * expit(mu) * (1 - expit(mu)))

    def weighted(y, n, n0=n0):
        weight = n / (n + n0)
        return weight * logit(y / n) + (1 - weight) * mu

    def of_rates(y, n):
        weight = n / (n + n0)
        return weight * y / n + (1 - weight) * expit(mu)

    by_hand = pair(lambda y, n: expit(weighted(y, n)))
    edges = mu - 1.64 * sigma, mu + 1.64 * sigma
    witnesses = (logit(0.4) - mu) / sigma**2 / (10 / 23 - 0.4)
    return {
        "02-expit": Answers(
            right=(
                lambda alpha: 1 / (1 + np.exp(-alpha)),
                expit,
                lambda alpha: math.exp(alpha) / (1 + math.exp(alpha)),
                lambda alpha: 0.5 * (1 + math.tanh(alpha / 2)),
                stats.logistic.cdf,
            ),
            wrong=(
                (np.exp, "These are odds"),
                (lambda alpha: 1 / (1 + np.exp(alpha)), "the sign of alpha"),
                (lambda alpha: np.log(expit(alpha)), "the logarithm of the rate"),
                (lambda alpha: logit(0.3), "too small"),
                (stats.norm.cdf, "the inverse of another link"),
                (lambda alpha: 100 * expit(alpha), "percentage"),
                (lambda alpha: 1 + np.exp(-alpha), "This is one over the rate"),
                (lambda alpha: alpha, "too small"),
                (0.2, "A function is asked for"),
            ),
        ),
        "02-band": Answers(
            right=(
                tuple(expit(edges)),
                (0.13, 0.30),
                [0.132, 0.297],
                expit(stats.norm.ppf([0.05, 0.95], mu, sigma)),
                pd.Series({"low": 0.132, "high": 0.297}),
                tuple(expit([-1.37 - 1.64 * 0.31, -1.37 + 1.64 * 0.31])),
            ),
            wrong=(
                (
                    tuple(expit([mu - 1.96 * sigma, mu + 1.96 * sigma])),
                    "This is the middle 95 %, with 1.96",
                ),
                ((0.12, 0.32), "This is the middle 95 %, with 1.96"),
                (
                    tuple(expit([mu - sigma, mu + sigma])),
                    "This is one sigma to each side, about 68 %",
                ),
                (edges, "These are log-odds"),
                ((-1.88, -0.86), "These are log-odds"),
                ((13.2, 29.7), "percentage"),
                (
                    tuple(expit([mu - 1.64 * sigma**2, mu + 1.64 * sigma**2])),
                    "The variance was used",
                ),
                ((0.297, 0.132), "their order is not"),
                (tuple(np.exp(edges)), "These are odds"),
                (
                    tuple(expit([mu - 1.28 * sigma, mu + 1.28 * sigma])),
                    "This is the middle 80 %, with 1.28",
                ),
                ((0.15, 0.30), "the first is number 1, too large"),
            ),
        ),
        "02-peak": Answers(
            right=(
                expit(peak_on_a_grid(mu, sigma, 29, 179)),
                expit(peak_by_root(mu, sigma, 29, 179)),
                0.17,
                0.173,
                [0.1731],
                hw.partial_pooling(fit).set_index("level")["estimate"]["District 310"],
            ),
            wrong=(
                (peak_on_a_grid(mu, sigma, 29, 179), "peak in log-odds"),
                (29 / 179, "This is the raw rate, the peak of the likelihood alone"),
                (0.162, "This is the raw rate, the peak of the likelihood alone"),
                (expit(mu), "prior alone"),
                (0.268, "This is the peak of district 309"),
                (17.3, "percentage"),
                (by_hand[1], "too small"),
                (0.15, "too small"),
                (0.19, "too large"),
            ),
        ),
        "02-half": Answers(
            right=(n0, 64, 64.5, 65, 1 / (0.31**2 * 0.2 * 0.8), 1 / (0.31**2 * 0.2023 * 0.7977)),
            wrong=(
                (1 / (sigma * expit(mu) * (1 - expit(mu))), "sigma is not squared"),
                (1 / sigma**2, "This is 1 / sigma^2"),
                (1 / (sigma**2 * 10 / 23 * 13 / 23), "rate of 309"),
                (1 / n0, "one over the answer"),
                (2 * n0, "This is twice the answer"),
                (1 / (sigma**2 * 0.25), "rate of 0.5"),
                (100, "too large"),
                (23, "too small"),
            ),
        ),
        "02-by-hand": Answers(
            right=(
                by_hand,
                (0.25, 0.17),
                [0.254, 0.172],
                np.array([0.2535, 0.172]),
                {"309": 0.2535, "310": 0.172},
                pair(lambda y, n: expit(weighted(y, n, n0=64.5))),
                pair(lambda y, n: 1 / (1 + math.exp(-weighted(y, n, n0=65)))),
            ),
            wrong=(
                (pair(weighted), "These are log-odds"),
                (pair(of_rates), "Rates were averaged"),
                ((0.263, 0.173), "Rates were averaged"),
                (pair(lambda y, n: expit(peak_by_root(mu, sigma, y, n))), "exact peaks"),
                ((0.268, 0.173), "exact peaks"),
                ((10 / 23, 29 / 179), "raw rates"),
                ((0.365, 0.191), "The weights are exchanged"),
                ((25.4, 17.2), "percentage"),
                ((0.172, 0.254), "their order is not"),
                ((23 / (23 + n0), 179 / (179 + n0)), "These are the weights"),
                ((0.30, 0.17), "the first is number 1, too large"),
            ),
        ),
        "02-how-many": Answers(
            right=(
                witnesses,
                289,
                290,
                math.ceil(witnesses),
                optimize.brentq(
                    lambda n: peak_by_root(mu, sigma, n * 10 / 23, n) - logit(0.4), 30, 2000
                ),
                (logit(0.4) + 1.3717) / 0.31**2 / (10 / 23 - 0.4),
            ),
            wrong=(
                (witnesses * 10 / 23, "the number contacted"),
                (126, "the number contacted"),
                (witnesses * sigma, "sigma is not squared"),
                ((0.4 - mu) / sigma**2 / (10 / 23 - 0.4), "its log-odds belong"),
                (witnesses / 23, "how many times 23"),
                (witnesses - 23, "besides the 23"),
                (-witnesses, "The sign"),
                (500, "too large"),
                (100, "too small"),
            ),
        ),
    }
