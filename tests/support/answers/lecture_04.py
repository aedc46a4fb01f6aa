"""Lecture 04: crossings, complete pooling, the average district, two ends, a weighted intercept."""

import numpy as np
import pandas as pd
from scipy import integrate, special, stats

import hierwidgets as hw
from support.answers import Answers

expit = special.expit


def by_loops(before, after):
    count = 0
    for a in range(len(before)):
        for b in range(a + 1, len(before)):
            if before[a] < before[b] and after[a] > after[b]:
                count += 1
            if before[a] > before[b] and after[a] < after[b]:
                count += 1
    return count


def by_matrix(before, after):
    first, second = (np.subtract.outer(v, v) for v in (before, after))
    return np.sum(first * second < 0) / 2


def by_signs(before, after):
    rows, columns = np.triu_indices(len(before), k=1)
    b, a = np.asarray(before), np.asarray(after)
    return np.sum(np.sign(b[rows] - b[columns]) * np.sign(a[rows] - a[columns]) == -1)


def ties_too(before, after):
    rows, columns = np.triu_indices(len(before), k=1)
    b, a = np.asarray(before), np.asarray(after)
    return np.sum((b[rows] - b[columns]) * (a[rows] - a[columns]) <= 0)


def moved(before, after):
    return np.sum(stats.rankdata(before) != stats.rankdata(after))


def intercept(y_bar, x_bar, n, beta, mu, sigma_alpha, sigma_y):
    weight = sigma_alpha**2 / (sigma_alpha**2 + sigma_y**2 / n)
    return weight * (y_bar - beta * x_bar) + (1 - weight) * mu


def as_on_the_page(y_bar, x_bar, n, beta, mu, sigma_alpha, sigma_y):
    top = n / sigma_y**2 * (y_bar - beta * x_bar) + mu / sigma_alpha**2
    return top / (n / sigma_y**2 + 1 / sigma_alpha**2)


def by_average(y_bar, x_bar, n, beta, mu, sigma_alpha, sigma_y):
    weights = [n / sigma_y**2, 1 / sigma_alpha**2]
    return np.average([y_bar - beta * x_bar, mu], weights=weights)


def answers():
    finland = hw.load("finland")
    number = finland["district_id"].str.removeprefix("District ")
    contacted = (finland["contacted"] == "Contacted").astype(int)
    raw = contacted.groupby(number).mean()
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted")
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    share = contacted.mean()
    complete = pd.Series(share, index=raw.index)
    z = np.linspace(-8, 8, 4001)
    w = np.exp(-0.5 * z**2)
    average = np.sum(w * expit(mu + sigma * z)) / np.sum(w)
    args = ("y_bar", "x_bar", "n", "beta", "mu", "sigma_alpha", "sigma_y")

    def changed(**new):
        """The right intercept with some arguments replaced by functions of all of them."""

        def answer(*values):
            given = dict(zip(args, values, strict=True))
            return intercept(**{**given, **{name: f(given) for name, f in new.items()}})

        return answer

    return {
        "04-swaps": Answers(
            right=(by_loops, by_matrix, by_signs),
            wrong=(
                (lambda before, after: 2 * by_loops(before, after), "counted twice"),
                (moved, "whose rank changed"),
                (ties_too, "has not swapped"),
                (
                    lambda before, after: np.sum(
                        np.diff(np.asarray(after)[np.argsort(before)]) < 0
                    ),
                    "Only neighbours",
                ),
                (
                    lambda b, a: len(b) * (len(b) - 1) / 2 - ties_too(b, a),
                    "kept their order",
                ),
                (lambda before, after: by_loops(before, before), "too small"),
                (lambda before, after: np.sum(np.asarray(before) > np.asarray(after)), "too small"),
                (lambda before, after: before - after, "TypeError"),
            ),
        ),
        "04-complete": Answers(
            right=(
                complete,
                complete.round(3),
                complete.round(4),
                complete.to_dict(),
                [share] * 14,
                complete.rename(index=int),
                np.full(14, 150 / 724),
            ),
            wrong=(
                (complete * 0 + raw.mean(), "the mean of the 14 rates"),
                (complete * 0 + expit(mu), "the rate at mu"),
                (raw, "rates of no pooling"),
                (raw.round(2), "rates of no pooling"),
                (complete.round(2), "so few decimals"),
                (1 - complete, "not contacted"),
                (complete * 100, "percentage"),
                (share, "14 numbers are asked for, and this has 1"),
                (complete * 0 + mu, "These are log-odds, of the typical district"),
                (complete.rename(index=lambda k: f"District {k}"), "14 labels are missing"),
                (complete + 0.05, "too large"),
            ),
        ),
        "04-limits": Answers(
            right=(
                (expit(mu), raw["309"]),
                (0.2, 0.43),
                [0.20, 0.435],
                (0.202, 10 / 23),
                np.array([0.2023, 0.4348]),
                {"small": 0.202, "large": 0.435},
            ),
            wrong=(
                ((share, 10 / 23), "not the overall rate"),
                ((0.207, 0.43), "not the overall rate"),
                ((0.21, 0.43), "not the overall rate"),
                ((10 / 23, expit(mu)), "The two are exchanged"),
                ((mu, 10 / 23), "The first is a log-odds"),
                ((mu, np.log(10 / 13)), "These are log-odds"),
                ((20.2, 43.5), "percentage"),
                ((0.2, 0.5), "the first is number 2, too large"),
                ((0.2, 0.268), "the fitted sigma"),
                ((0.2, 1.0), "the first is number 2, too large"),
                ((0.0, 0.43), "the first is number 1, too small"),
            ),
        ),
        "04-average": Answers(
            right=(
                average,
                0.2069,
                0.207,
                round(average, 4),
                0.20685,
                integrate.quad(lambda u: expit(mu + sigma * u) * stats.norm.pdf(u), -8, 8)[0],
                expit(np.random.default_rng(2).normal(mu, sigma, 4_000_000)).mean(),
            ),
            wrong=(
                (expit(mu), "typical district"),
                (0.2023, "typical district"),
                (0.21, "so few decimals"),
                (np.sum(w * expit(mu + sigma**2 * z)) / np.sum(w), "The variance"),
                (share, "the overall rate"),
                (raw.mean(), "districts that were asked"),
                (20.69, "percentage"),
                (mu, "This is the mean of the log-odds"),
                (0.25, "too large"),
            ),
        ),
        "04-intercept": Answers(
            right=(intercept, as_on_the_page, by_average),
            wrong=(
                (changed(x_bar=lambda a: 0), "The predictor is missing"),
                (changed(n=lambda a: 1), "The number of rows"),
                (
                    changed(
                        sigma_alpha=lambda a: a["sigma_alpha"] ** 0.5,
                        sigma_y=lambda a: a["sigma_y"] ** 0.5,
                    ),
                    "not one over an sd",
                ),
                (
                    lambda y, x, n, b, mu, sa, sy: intercept(mu, 0, n, 0, y - b * x, sa, sy),
                    "The two weights are exchanged",
                ),
                (lambda y, x, n, b, mu, sa, sy: y - b * x, "no pooling"),
                (lambda y, x, n, b, mu, sa, sy: mu, "complete pooling"),
                (changed(beta=lambda a: -a["beta"]), "The sign"),
                (
                    lambda y, x, n, b, mu, sa, sy: n / sy**2 * (y - b * x) + mu / sa**2,
                    "divided by the sum",
                ),
                (lambda *a: intercept(*a) + 0.1, "too large"),
            ),
        ),
    }
