"""Lecture 07: a two-step slope, the integral with a predictor, a target, an effect, a test."""

import numpy as np
import pandas as pd
from scipy import integrate, special, stats

import hierwidgets as hw
from support.answers import Answers

expit, logit = special.expit, special.logit


def by_strips(y, n, x, gamma0, gamma1, sigma, *, reach=8, power=1):
    mu, sd = gamma0 + gamma1 * x, sigma**power
    alpha = np.linspace(mu - reach * sd, mu + reach * sd, 4001)
    prior = -0.5 * ((alpha - mu) / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))
    log_h = y * alpha - n * np.log1p(np.exp(alpha)) + prior
    return np.log(np.sum(np.exp(log_h)) * (alpha[1] - alpha[0]))


def by_quad(y, n, x, gamma0, gamma1, sigma):
    mu = gamma0 + gamma1 * x
    area, _ = integrate.quad(
        lambda a: expit(a) ** y * expit(-a) ** (n - y) * stats.norm.pdf(a, mu, sigma),
        mu - 8 * sigma, mu + 8 * sigma,
    )  # fmt: skip
    return np.log(area)


def by_endless_quad(y, n, x, gamma0, gamma1, sigma):
    mu = gamma0 + gamma1 * x
    area, _ = integrate.quad(
        lambda a: expit(a) ** y * expit(-a) ** (n - y) * stats.norm.pdf(a, mu, sigma),
        -np.inf, np.inf,
    )  # fmt: skip
    return np.log(area)


def by_nodes(y, n, x, gamma0, gamma1, sigma):
    z, w = np.polynomial.hermite_e.hermegauss(60)
    p = expit(gamma0 + gamma1 * x + sigma * z)
    return np.log(np.sum(w * p**y * (1 - p) ** (n - y)) / np.sum(w))


def with_ways(y, n, x, gamma0, gamma1, sigma):
    """Of the count, not of single answers in their order: no parameter is in the difference."""
    return by_strips(y, n, x, gamma0, gamma1, sigma) + np.log(special.comb(n, y))


def answers():
    uk = hw.load("uk")
    uk = uk.assign(contacted=(uk["contacted"] == "Contacted").astype(int))
    plain = hw.glmer("contacted ~ 1 + (1 | district_id)", uk)
    fit = hw.glmer("contacted ~ 1 + district_competitiveness + (1 | district_id)", uk)
    g0, g1 = fit.fixef
    groups = uk.groupby("district_id")
    x, raw = groups["district_competitiveness"].first(), groups["contacted"].mean()
    size = groups.size()
    shrunken = hw.partial_pooling(plain).set_index("level")["estimate"].loc[x.index]
    knowing = hw.partial_pooling(fit).set_index("level")["estimate"].loc[x.index]
    slope = np.polyfit(x, shrunken, 1)[0]
    high, low = expit(g0 + 0.8 * g1), expit(g0 + 0.5 * g1)
    square = 2 * (fit.loglik - plain.loglik)
    p = stats.chi2.sf(square, 1)
    by_hand = np.sum((x - x.mean()) * (shrunken - shrunken.mean())) / np.sum((x - x.mean()) ** 2)
    modes = fit.ranef["mode"].to_numpy()
    spread = fit.theta[0] * np.random.default_rng(1).normal(size=1_000_000)

    def rise(effects):
        return expit(g0 + 0.8 * g1 + effects) - expit(g0 + 0.5 * g1 + effects)

    points = pd.DataFrame({"district_competitiveness": [0.5, 0.8]})
    return {
        "07-two-step": Answers(
            right=(slope, 0.18, 0.175, stats.linregress(x, shrunken).slope, by_hand, [slope]),
            wrong=(
                (np.polyfit(x, raw, 1)[0], "through the raw rates"),
                (0.63, "through the raw rates"),
                (np.polyfit(x, knowing, 1)[0], "knows the predictor"),
                (0.77, "knows the predictor"),
                (np.polyfit(x, shrunken, 1)[1], "This is the intercept"),
                (np.polyfit(x, shrunken, 1), "these are 2 values"),
                (np.polyfit(shrunken, x, 1)[0], "exchanged"),
                (np.corrcoef(x, shrunken)[0, 1], "correlation"),
                (np.polyfit(x, logit(shrunken), 1)[0], "This line goes through log-odds"),
                (
                    np.polyfit(x, shrunken, 1, w=np.sqrt(size))[0],
                    "This line is weighted by the districts' sizes",
                ),
                (g1, "too large"),
                (0.1, "too small"),
            ),
        ),
        "07-marginal": Answers(
            right=(by_strips, by_quad, by_nodes, by_endless_quad, with_ways),
            wrong=(
                (lambda y, n, x, a, b, s: by_strips(y, n, 0, a, b, s), "gamma0 + gamma1 * x"),
                (lambda *a: np.exp(by_strips(*a)), "This is the integral itself"),
                (
                    lambda y, n, x, a, b, s: (
                        y * np.log(expit(a + b * x)) + (n - y) * np.log(expit(-a - b * x))
                    ),
                    "puts the district on the line",
                ),
                (lambda *a: by_strips(*a, power=2), "sigma was squared"),
                (
                    lambda y, n, x, a, b, s: (
                        by_strips(y, n, x, a, b, s) + np.log(s * np.sqrt(2 * np.pi))
                    ),
                    "The prior's constant",
                ),
                (
                    lambda y, n, x, a, b, s: by_strips(y, n, x, a, b, s) - np.log(16 * s / 4000),
                    "multiplied by the step",
                ),
                (lambda *a: by_strips(*a, reach=1), "too small"),
                (lambda *a: None, "nothing (None)"),
            ),
        ),
        "07-target": Answers(
            right=(
                high,
                0.42,
                0.424,
                1 / (1 + np.exp(-(g0 + 0.8 * g1))),
                fit.predict(points, re_formula="~0")["estimate"][1],
                np.array([0.4236]),
            ),
            wrong=(
                (g0 + 0.8 * g1, "This is a log-odds"),
                (expit(plain.fixef["Intercept"]), "without the predictor"),
                (0.3, "without the predictor"),
                (expit(g0), "competitiveness 0"),
                (42.4, "percentage"),
                (expit(g0 + g1), "competitiveness 1"),
                (np.exp(g0 + 0.8 * g1), "These are odds"),
                (expit(g0 + 0.8 * g1 + spread).mean(), "average over"),
                (0.5, "too large"),
            ),
        ),
        "07-effect": Answers(
            right=(
                high - low,
                0.237,
                0.2367,
                [high - low],
                np.diff(fit.predict(points, re_formula="~0")["estimate"])[0],
            ),
            wrong=(
                (0.3 * g1, "difference of log-odds"),
                (expit(0.3 * g1), "not the difference of two rates"),
                (low - high, "The sign"),
                (np.mean(rise(modes)), "districts there are"),
                (0.24, "so few decimals"),
                (0.2355, "districts there are"),
                (np.mean(rise(spread)), "thinks possible"),
                (high / low, "This is the ratio of the two rates"),
                (23.7, "percentage"),
                (0.3, "too large"),
                (high, "at 0.8 alone"),
            ),
        ),
        "07-test": Answers(
            right=(
                (square, 1e5 * p),
                (16.62, 4.57),
                (16.6, 4.6),
                [16.62, 4.567],
                np.array([square, 1e5 * (1 - stats.chi2.cdf(square, 1))]),
                (square, 1e5 * 2 * stats.norm.sf(np.sqrt(square))),
                pd.Series({"square": 16.62, "p": 4.57}),
            ),
            wrong=(
                ((square / 2, 1e5 * stats.chi2.sf(square / 2, 1)), "Twice the difference"),
                ((square, p), "100,000 times p"),
                ((-square, 1e5), "larger model's log-likelihood"),
                ((square, 1e5 * stats.chi2.sf(square, 2)), "one degree of freedom"),
                ((square, 1e5 * p / 2), "The p-value is not to be taken by half"),
                (
                    (square, 1e5 * (1 - p)),
                    "The second is of `cdf`, below the value; `sf` is above it",
                ),
                (
                    (square, 1e5 * stats.chi2.cdf(square, 1)),
                    "The second is of `cdf`, below the value; `sf` is above it",
                ),
                ((square, 100 * p), "100,000 times p"),
                ((1e5 * p, square), "their order is not"),
                ((np.sqrt(square), 1e5 * p), "the first is number 1, too small"),
            ),
        ),
    }
