"""Lecture 01: rates, a log-likelihood, Wald and Wilson intervals, a sample size."""

import math

import numpy as np
import pandas as pd
from scipy import stats

import hierwidgets as hw
from support.answers import Answers

RATE, N = 10 / 23, 23


def counts():
    """Contacted and asked, labelled by the district's number."""
    finland = hw.load("finland")
    number = finland["district_id"].str.removeprefix("District ")
    contacted = (finland["contacted"] == "Contacted").astype(int)
    return contacted.groupby(number).agg(["sum", "size"])


def by_loop(pi, y):
    total = 0.0
    for one in y:
        total += math.log(pi) if one == 1 else math.log(1 - pi)
    return total


def wald(y, n, z):
    half = z * math.sqrt(y / n * (1 - y / n) / n)
    return y / n - half, y / n + half


def wilson(y, n, z=1.64):
    rate = y / n
    centre = rate + z**2 / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)


def wilson_by_roots(y, n):
    """The rates at which the score test just keeps: a quadratic equation."""
    z2 = stats.norm.ppf(0.95) ** 2
    return np.sort(np.roots([n + z2, -(2 * y + z2), y * y / n]).real)


def wilson_of_scipy(y, n):
    found = stats.binomtest(int(y), int(n)).proportion_ci(0.90, method="wilson")
    return found.low, found.high


def undivided(y, n, z=1.64):
    low, high = wilson(y, n, z)
    return low * (1 + z**2 / n), high * (1 + z**2 / n)


def answers():
    table = counts()
    rates = table["sum"] / table["size"]
    needed = 1.64**2 * RATE * (1 - RATE) / 0.05**2
    binary = np.asarray
    return {
        "01-rates": Answers(
            right=(
                rates,
                rates.round(2),
                rates.round(3),
                rates.to_dict(),
                rates.sort_values(),
                rates.rename(index=int),
                rates.to_frame("rate"),
                list(rates),
            ),
            wrong=(
                (1 - rates, "not contacted"),
                ((1 - rates).round(2), "not contacted"),
                (table["sum"], "counts of contacted respondents"),
                (table["size"], "numbers of respondents"),
                (100 * rates, "percentage"),
                (rates.drop("309"), "1 labels are missing, such as '309'"),
                (rates.rename(index=lambda k: f"District {k}"), "14 labels are missing"),
                (list(rates.sort_values()), "their order is not"),
                (rates.mean(), "14 numbers are asked for, and this has 1"),
                (rates * 0 + rates.mean(), "14 of 14 values differ; the first is that of '304'"),
                (rates.round(1), "values differ"),
            ),
        ),
        "01-likelihood": Answers(
            right=(
                lambda pi, y: np.sum(np.where(np.asarray(y) == 1, np.log(pi), np.log(1 - pi))),
                by_loop,
                lambda pi, y: stats.bernoulli.logpmf(y, pi).sum(),
                lambda pi, y: sum(y) * np.log(pi) + (len(y) - sum(y)) * np.log(1 - pi),
                lambda pi, y: np.log(pi ** np.sum(y) * (1 - pi) ** (len(y) - np.sum(y))),
            ),
            wrong=(
                (lambda pi, y: np.prod(np.where(binary(y) == 1, pi, 1 - pi)), "its logarithm"),
                (lambda pi, y: np.sum(y) * np.log(pi), "Only the contacted"),
                (lambda pi, y: -by_loop(pi, y), "minus the log-likelihood"),
                (lambda pi, y: by_loop(pi, y) / len(y), "Take the sum"),
                (lambda pi, y: by_loop(1 - pi, y), "exchanged"),
                (lambda pi, y: by_loop(pi, y) / np.log(10), "natural logarithm"),
                (
                    lambda pi, y: stats.binom.logpmf(np.sum(y), len(y), pi),
                    "known order",
                ),
                (
                    lambda pi, y: -2 * by_loop(pi, y),
                    "This is the deviance, minus twice the log-likelihood",
                ),
                (lambda pi, y: y * np.log(pi) + (1 - y) * np.log(1 - pi), "TypeError"),
                (
                    lambda pi, y: np.where(binary(y) == 1, np.log(pi), np.log(1 - pi)),
                    "A single number is asked for",
                ),
            ),
        ),
        "01-interval": Answers(
            right=(
                wald(5, 58, 1.64),
                wald(5, 58, 1.6449),
                (0.03, 0.15),
                [0.026, 0.147],
                np.array([0.0256, 0.1468]),
                pd.Series({"conf_low": 0.0256, "conf_high": 0.147}),
                {"low": 0.026, "high": 0.147},
            ),
            wrong=(
                (wald(5, 58, 1.96), "95 % interval"),
                ((0.014, 0.158), "95 % interval"),
                (wald(5, 58, 1.28), "80 % interval"),
                (wald(5, 58, 1), "one standard error out"),
                ((0.05, 0.12), "one standard error out"),
                (wald(10, 23, 1.64), "This is the interval of district 309"),
                ((0.26, 0.60), "This is the interval of district 309"),
                ((2.6, 14.7), "percentage"),
                ((0.147, 0.026), "their order is not"),
                (wilson(5, 58), "This is the Wilson interval, which comes later"),
                ((0.0862, 0.0368), "estimate and its standard error"),
                ((0.086 - 1.64 * 0.281, 0.086 + 1.64 * 0.281), "divides it by sqrt(n)"),
                (
                    (0.0862 - 1.64 * 0.0862 * 0.9138 / 58, 0.0862 + 1.64 * 0.0862 * 0.9138 / 58),
                    "squared standard error",
                ),
            ),
        ),
        "01-sample-size": Answers(
            right=(
                needed,
                265,
                266,
                math.ceil(needed),
                265.26,
                np.array([266]),
                1.6449**2 * 98.299,
            ),
            wrong=(
                (1.96**2 * RATE * (1 - RATE) / 0.05**2, "with 1.96"),
                (378, "with 1.96"),
                (1.64**2 * RATE * (1 - RATE) / 0.025**2, "whole interval"),
                (1061, "whole interval"),
                (math.sqrt(needed), "square root of the answer"),
                (98.3, "The quantile is missing"),
                (1.64**2 * 0.25 / 0.05**2, "rate of 0.5"),
                (1.64 * RATE * (1 - RATE) / 0.05**2, "is squared"),
                (needed - 23, "besides the 23"),
                (300, "too large"),
                (200, "too small"),
            ),
        ),
        "01-wilson": Answers(
            right=(wilson, lambda y, n: wilson(y, n, 1.6449), wilson_by_roots, wilson_of_scipy),
            wrong=(
                (lambda y, n: wald(y, n, 1.64), "Wald interval"),
                (lambda y, n: wilson(y, n, 1.96), "This is for 95 %, with 1.96"),
                (lambda y, n: wilson(y, n, 1.28), "This is for 80 %, with 1.28"),
                (undivided, "still have to be divided"),
                (lambda y, n: wilson(y, n)[::-1], "their order is not"),
                (lambda y, n: wilson(y, n)[0], "2 numbers are asked for, and this has 1"),
                (
                    lambda y, n: stats.beta.ppf([0.05, 0.95], y + 0.5, n - y + 0.5),
                    "numbers differ",
                ),
                (lambda y, n: wald(y + 2, n + 4, 1.64), "the first is number"),
                (
                    lambda y, n: tuple(np.clip(wald(y, n, 1.64), 0, 1)),
                    "Wald interval",
                ),
            ),
        ),
    }
