"""Lecture 06: unanimous districts, one respondent, equal patterns, Laplace's error."""

import numpy as np
from scipy import integrate, optimize, special

import hierwidgets as hw
from support.answers import Answers

expit, logit = special.expit, special.logit


def answers():
    uk = hw.load("uk")
    uk = uk.assign(contacted=(uk["contacted"] == "Contacted").astype(int))
    counts = uk.groupby("district_id")["contacted"].agg(y="sum", n="size")
    no = hw.no_pooling(uk, "contacted", "district_id")
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", uk)
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    rates = counts["y"] / counts["n"]

    def by_root(y, n, sd=sigma):
        return expit(optimize.brentq(lambda a: y - n * expit(a) - (a - mu) / sd**2, -10, 10))

    def by_grid(y, n):
        a = np.linspace(-6, 4, 100_001)
        return expit(a[(y * a - n * np.log1p(np.exp(a)) - 0.5 * ((a - mu) / sigma) ** 2).argmax()])

    def mean_rate(y):
        a = np.linspace(-6, 4, 20_001)
        h = np.exp(y * a - np.log1p(np.exp(a)) - 0.5 * ((a - mu) / sigma) ** 2)
        return np.sum(expit(a) * h) / np.sum(h)

    def h(a, y=1, n=1):
        return np.exp(y * a - n * np.log1p(np.exp(a)) - 0.5 * ((a - mu) / sigma) ** 2)

    def laplace(y, n):
        p = by_root(y, n)
        sd = (n * p * (1 - p) + 1 / sigma**2) ** -0.5
        return h(logit(p), y, n) * sd * np.sqrt(2 * np.pi)

    grid = np.linspace(mu - 8 * sigma, mu + 8 * sigma, 20_001)
    strips = np.sum(h(grid)) * (grid[1] - grid[0])
    quad = integrate.quad(h, mu - 8 * sigma, mu + 8 * sigma)[0]
    error = 100 * (laplace(1, 1) / strips - 1)
    pair = by_root(0, 1), by_root(1, 1)
    some = rates.between(0, 1, inclusive="neither")
    return {
        "06-zero-width": Answers(
            right=(
                (no["std_error"] == 0).sum(),
                140,
                140.0,
                rates.isin([0, 1]).sum(),
                sum(1 for y, n in counts.to_numpy() if y in (0, n)),
                [140],
            ),
            wrong=(
                (110, "These are the districts with a rate of 0"),
                (30, "These are the districts with a rate of 1"),
                ((counts["n"] == 1).sum(), "one respondent"),
                (some.sum(), "whose standard error is not zero"),
                (253, "all the districts"),
                (140 / 253, "This is the share"),
                (55, "This is the share, in percent"),
                ((no["std_error"] == 0), "these are 253 values"),
                (141, "too large"),
            ),
        ),
        "06-one": Answers(
            right=(
                pair,
                (by_grid(0, 1), by_grid(1, 1)),
                (0.27, 0.37),
                [0.271, 0.37],
                np.array([0.2705, 0.36996]),
                {"no": 0.2705, "yes": 0.37},
            ),
            wrong=(
                ((0, 1), "These are the raw rates"),
                ((expit(mu), expit(mu)), "the target of all districts"),
                (
                    (by_root(0, 1, sigma**0.5), by_root(1, 1, sigma**0.5)),
                    "sigma stands in its place",
                ),
                (pair[::-1], "The two are exchanged"),
                ((logit(pair[0]), logit(pair[1])), "These are log-odds"),
                ((27.05, 37.0), "percentage"),
                ((mean_rate(0), mean_rate(1)), "the means"),
                ((0.26, 0.39), "the first is number 1, too small"),
                (0.27, "2 numbers are asked for"),
            ),
        ),
        "06-distinct": Answers(
            right=(
                len(counts.drop_duplicates()),
                33,
                len(set(zip(counts["y"], counts["n"], strict=True))),
                counts.groupby(["y", "n"]).ngroups,
                hw.partial_pooling(fit)["estimate"].round(8).nunique(),
            ),
            wrong=(
                (253, "These are the districts"),
                (rates.round(10).nunique(), "the different raw rates"),
                (counts["n"].nunique(), "sizes n alone"),
                (counts["y"].nunique(), "counts y alone"),
                (counts["n"].nunique() * counts["y"].nunique(), "not every pair"),
                (34, "too large"),
                (30, "too small"),
            ),
        ),
        "06-laplace": Answers(
            right=(
                error,
                -0.23,
                -0.2265,
                100 * (laplace(1, 1) / quad - 1),
                [error],
                100 * (np.log(laplace(1, 1)) - np.log(quad)),
            ),
            wrong=(
                (-error, "The sign"),
                (0.23, "The sign"),
                (
                    100 * (laplace(0, 1) / integrate.quad(h, -8, 8, args=(0,))[0] - 1),
                    "This is the error for y = 0",
                ),
                (error / 100, "Give it in percent"),
                (100 + error, "whole ratio"),
                (laplace(1, 1) / quad, "whole ratio"),
                (np.log(quad), "too small"),
                (-0.3, "too small"),
            ),
        ),
    }
