"""Lecture 11: first and second differences, an average, from where a difference is clear."""

import numpy as np
import pandas as pd
from scipy import integrate, special, stats

import hierwidgets as hw
from hierwidgets.data.shipped import shipped_coefficients
from support.answers import Answers

expit = special.expit


def summary(draws, level=0.9):
    return np.quantile(draws, [0.5, (1 - level) / 2, (1 + level) / 2])


def answers():
    b0, bx, bsmd, both = shipped_coefficients("rainey2015").reshape(-1, 4).T

    def probability(x, smd):
        return expit(b0 + bx * x + bsmd * smd + both * x * smd)

    def slope(x, smd):
        p = probability(x, smd)
        return p * (1 - p) * (bx + both * smd)

    def rise(x, smd, step=1e-5):
        return (probability(x + step, smd) - probability(x - step, smd)) / (2 * step)

    def first(x):
        return probability(x, 1) - probability(x, 0)

    def by_hand(draws):
        ordered = sorted(draws)
        return [ordered[int(len(ordered) * p)] for p in (0.5, 0.05, 0.95)]

    ends = first(0.6).mean() + 1.64 * first(0.6).std() * np.array([-1, 1])
    second = first(0.9) - first(0.4)
    finland = hw.load("finland")
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted")
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    x, w = np.polynomial.hermite_e.hermegauss(41)
    average = np.sum(w * expit(mu + sigma * x)) / np.sum(w)
    xs = np.round(np.arange(0.24, 0.931, 0.01), 2)
    lower = np.array([np.quantile(slope(v, 1) - slope(v, 0), 0.05) for v in xs])
    own = np.array([np.quantile(slope(v, 1), 0.05) for v in xs])
    return {
        "11-first-difference": Answers(
            right=(
                summary(first(0.6)),
                (0.204, -0.069, 0.488),
                [0.2036, -0.0687, 0.4876],
                by_hand(first(0.6)),
                np.percentile(first(0.6), [50, 5, 95]),
                (np.median(first(0.6)), *np.quantile(first(0.6), [0.05, 0.95])),
                pd.Series({"estimate": 0.2036, "conf_low": -0.0687, "conf_high": 0.4876}),
            ),
            wrong=(
                ([first(0.6).mean(), *summary(first(0.6))[1:]], "the median was asked for"),
                ((0.2034, -0.0687, 0.4876), "the median was asked for"),
                (-summary(first(0.6))[[0, 2, 1]], "The other way round"),
                (summary(probability(0.6, 1)) - summary(probability(0.6, 0)), "draw by draw"),
                (summary(first(0.6), 0.95), "95 % interval"),
                (np.sort(summary(first(0.6))), "give the median first"),
                (summary(probability(0.6, 1)), "one rule alone"),
                (100 * summary(first(0.6)), "percentage"),
                (summary(first(0.8)), "at another competitiveness"),
                (summary(first(0.6))[1:], "3 numbers are asked for, and this has 2"),
                ((0.204, -0.069, 0.6), "the first is number 3, too large"),
                ((0.20, -0.07, 0.49), "so few decimals"),
                ((first(0.6).mean(), *ends), "numbers differ"),
            ),
        ),
        "11-average": Answers(
            right=(
                average,
                0.2069,
                round(average, 4),
                integrate.quad(lambda z: expit(mu + sigma * z) * stats.norm.pdf(z), -8, 8)[0],
                expit(np.random.default_rng(6).normal(mu, sigma, 4_000_000)).mean(),
                np.average(expit(mu + sigma * x), weights=w),
            ),
            wrong=(
                (expit(mu), "the typical district"),
                ((finland["contacted"] == "Contacted").mean(), "the share of all answers"),
                (0.2072, "the share of all answers"),
                (0.21, "so few decimals"),
                (20.69, "percentage"),
                (np.average(expit(mu + sigma**2 * x), weights=w), "The variance"),
                (mu, "This is the mean of the log-odds"),
                (0.2986, "too large"),
                (0.15, "too small"),
            ),
        ),
        "11-second-difference": Answers(
            right=(
                summary(second),
                (0.366, 0.062, 0.556),
                [0.37, 0.06, 0.56],
                by_hand(second),
                np.percentile(second, [50, 5, 95]),
                {"median": 0.366, "low": 0.062, "high": 0.556},
            ),
            wrong=(
                ([second.mean(), *summary(second)[1:]], "the median was asked for"),
                (summary(first(0.9)), "the first difference at 0.9"),
                (summary(first(0.9)) - summary(first(0.4)), "Subtract draws, then summarise"),
                (-summary(second)[[0, 2, 1]], "The sign"),
                (summary(first(0.4)), "the first difference at 0.4"),
                (summary(second, 0.95), "95 % interval"),
                (np.sort(summary(second)), "give the median first"),
                (summary(probability(0.9, 1) - probability(0.4, 1)), "one rule alone"),
                (100 * summary(second), "percentage"),
                ((0.366, 0.062, 0.7), "the first is number 3, too large"),
            ),
        ),
        "11-where": Answers(
            right=(
                next(v for v in xs if np.quantile(slope(v, 1) - slope(v, 0), 0.05) > 0),
                0.26,
                xs[lower > 0][0],
                xs[np.argmax(lower > 0)],
                min(v for v in xs if np.quantile(rise(v, 1) - rise(v, 0), 0.05) > 0),
            ),
            wrong=(
                (xs[own > 0][0], "the effect under SMD is clear"),
                (0.24, "the effect under SMD is clear"),
                (2, "a place in the list"),
                (xs[lower > 0][-1], "the largest"),
                (xs[lower > 0], "A single number is asked for"),
                (0.3, "too large"),
                (0.25, "too small"),
                (
                    next(v for v in xs if np.quantile(first(v), 0.05) > 0),
                    "first difference",
                ),
                (np.nan, "The answer is NaN, not a number"),
            ),
        ),
    }
