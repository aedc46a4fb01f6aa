"""Lecture 12: the log score, a paired difference, an intraclass correlation, a survey's worth."""

import math

import numpy as np
import pandas as pd
from scipy import special, stats

import hierwidgets as hw
from support.answers import Answers

expit = special.expit
NULL = "contacted ~ 1 + (1 | district_id)"


def log_score(y, p):
    return np.mean(np.where(y == 1, np.log(p), np.log(1 - p)))


def log_score_by_loop(y, p):
    total = 0.0
    for answer, chance in zip(y, p, strict=True):
        total += math.log(chance if answer == 1 else 1 - chance)
    return total / len(y)


def paired_scores():
    models = {
        "no pooling": "no pooling",
        "complete pooling": "complete pooling",
        "partial pooling": NULL,
        "partial pooling, x": "contacted ~ 1 + district_competitiveness + (1 | district_id)",
    }
    uk = hw.load("uk")
    return hw.cross_validate(models, uk, folds=10, seed=1, event="Contacted", progress=False).scores


def answers():
    scores = paired_scores()
    partial, complete = scores["partial pooling"], scores["complete pooling"]
    gap = partial - complete
    n = len(gap)
    district = hw.load("uk")["district_id"].to_numpy()
    sums = (gap - gap.mean()).groupby(district).sum()
    pair = gap.mean(), np.sqrt((sums**2).sum()) / n
    by_loop = math.sqrt(
        sum((gap[district == name] - gap.mean()).sum() ** 2 for name in np.unique(district))
    )
    drawn = np.random.default_rng(3).multinomial(253, np.full(253, 1 / 253), size=20_000)
    totals, sizes = gap.groupby(district).sum(), gap.groupby(district).size()
    bootstrap = (drawn @ totals.to_numpy() / (drawn @ sizes.to_numpy())).std()
    apart = [
        math.sqrt((((kind - kind.mean()).groupby(district).sum()) ** 2).sum()) / n
        for kind in (partial, complete)
    ]
    fit = hw.glmer(NULL, hw.load("uk"), event="Contacted", n_agq=25)
    home = hw.glmer(NULL, hw.load("finland"), event="Contacted", n_agq=25)
    x, w = np.polynomial.hermite_e.hermegauss(41)

    def rates_of(fit):
        return expit(fit.fixef["Intercept"] + fit.theta[0] * x)

    def icc(fit):
        rates = rates_of(fit)
        m = np.sum(w * rates) / np.sum(w)
        return np.sum(w * (rates - m) ** 2) / np.sum(w) / (m * (1 - m))

    mean = np.average(rates_of(fit), weights=w)
    variance = np.average((rates_of(fit) - mean) ** 2, weights=w)
    draws = expit(
        fit.fixef["Intercept"] + fit.theta[0] * np.random.default_rng(7).normal(size=1_000_000)
    )
    simulated = draws.var() / (draws.mean() * (1 - draws.mean()))
    finland = hw.load("finland")
    laplace = hw.glmer(NULL, finland, event="Contacted")
    effect = laplace.design_effect().loc["Intercept", "design_effect"]
    worth = len(finland) / effect
    return {
        "12-log-score": Answers(
            right=(
                log_score,
                log_score_by_loop,
                lambda y, p: np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)),
                lambda y, p: stats.bernoulli.logpmf(y, p).mean(),
                lambda y, p: np.log(np.abs(1 - y - p)).mean(),
            ),
            wrong=(
                (lambda y, p: np.mean(y * np.log(p)), "The noes count, too"),
                (lambda y, p: len(y) * log_score(y, p), "Take the mean"),
                (lambda y, p: -np.mean((y - p) ** 2), "Brier score"),
                (lambda y, p: np.mean((y - p) ** 2), "Brier score"),
                (lambda y, p: -log_score(y, p), "The sign"),
                (lambda y, p: np.exp(log_score(y, p)), "Leave the logarithm"),
                (lambda y, p: log_score(1 - y, p), "exchanged"),
                (lambda y, p: np.mean(np.log(p)), "Every answer"),
                (
                    lambda y, p: np.log(np.where(y == 1, p, 1 - p).mean()),
                    "mean of the logarithms",
                ),
                (lambda y, p: np.where(y == 1, np.log(p), np.log(1 - p)), "A single number"),
            ),
        ),
        "12-paired": Answers(
            right=(
                pair,
                (0.012, 0.008),
                (0.0122, 0.0080),
                [gap.mean(), by_loop / n],
                np.array([partial.mean() - complete.mean(), pair[1] * math.sqrt(253 / 252)]),
                (gap.mean(), bootstrap),
                pd.Series({"gap": 0.01216, "error": 0.00797}),
            ),
            wrong=(
                ((gap.mean(), gap.std() / np.sqrt(n)), "sum the deviations by district first"),
                ((0.012, 0.0054), "took the answers as independent"),
                (
                    (gap.mean(), np.hypot(partial.std(), complete.std()) / np.sqrt(n)),
                    "the two means as independent",
                ),
                ((gap.mean(), np.hypot(*apart)), "the two means as independent"),
                ((-gap.mean(), pair[1]), "The sign"),
                ((gap.mean(), gap.std()), "the sd of the differences"),
                ((gap.sum(), pair[1] * n), "These are sums over the answers"),
                ((gap.median(), pair[1]), "The first number is the median; the mean was asked for"),
                ((gap.mean(), pair[1] ** 2), "The error is squared"),
                (gap.mean(), "2 numbers are asked for"),
            ),
        ),
        "12-icc": Answers(
            right=(
                icc(fit),
                0.114,
                0.11,
                variance / (mean * (1 - mean)),
                simulated,
            ),
            wrong=(
                (fit.icc()["district_id"], "the latent one"),
                (0.16, "the latent one"),
                (variance, "now divide"),
                (icc(home), "That is Finland"),
                (math.sqrt(icc(fit)), "This is a root, a ratio of sds"),
                (variance / (mean * (1 - mean) + variance), "counted twice"),
                (11.4, "percentage"),
                (fit.theta[0] ** 2, "variance of the log-odds"),
                (0.2, "too large"),
                (0.05, "too small"),
            ),
        ),
        "12-worth": Answers(
            right=(worth, 434, 434.3, round(worth), [worth], math.ceil(worth)),
            wrong=(
                (len(finland) / math.sqrt(effect), "Do not take its root"),
                (len(finland) * effect, "Divide: dependent answers say less"),
                (effect, "the design effect, or one over it"),
                (len(finland), "all the answers"),
                (len(finland) - worth, "This is what is lost"),
                (worth / len(finland), "one over it"),
                (14, "too small"),
                (500, "too large"),
            ),
        ),
    }
