"""Lecture 03: the integral, its maximum, DIC, rates, an interval, a mean."""

import math
from functools import cache

import numpy as np
import pandas as pd
from scipy import integrate, special

import hierwidgets as hw
from support.answers import Answers

expit = special.expit


def log_h(alpha, y, n, mu, sigma):
    prior = -0.5 * ((alpha - mu) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    return y * alpha - n * np.log1p(np.exp(alpha)) + prior


def by_strips(y, n, mu, sigma, *, points=4001, reach=8):
    alpha = np.linspace(mu - reach * sigma, mu + reach * sigma, points)
    return np.log(np.sum(np.exp(log_h(alpha, y, n, mu, sigma))) * (alpha[1] - alpha[0]))


def by_trapezoids(y, n, mu, sigma):
    alpha = np.linspace(mu - 10 * sigma, mu + 10 * sigma, 1000)
    return math.log(np.trapezoid(np.exp(log_h(alpha, y, n, mu, sigma)), alpha))


def by_quad(y, n, mu, sigma):
    ends = mu - 8 * sigma, mu + 8 * sigma
    return np.log(integrate.quad(lambda a: np.exp(log_h(a, y, n, mu, sigma)), *ends)[0])


def by_endless_quad(y, n, mu, sigma):
    return np.log(integrate.quad(lambda a: np.exp(log_h(a, y, n, mu, sigma)), -np.inf, np.inf)[0])


def by_nodes(y, n, mu, sigma):
    z, w = np.polynomial.hermite_e.hermegauss(80)
    alpha = mu + sigma * z
    likelihood = np.exp(y * alpha - n * np.log1p(np.exp(alpha)))
    return np.log(np.sum(w * likelihood) / np.sum(w))


def by_loop(y, n, mu, sigma):
    total, step = 0.0, sigma / 200
    for i in range(-1600, 1601):
        total += math.exp(log_h(mu + i * step, y, n, mu, sigma)) * step
    return math.log(total)


def no_constant(y, n, mu, sigma):
    return by_strips(y, n, mu, sigma) + np.log(sigma * np.sqrt(2 * np.pi))


def no_step(y, n, mu, sigma):
    return by_strips(y, n, mu, sigma) - np.log(16 * sigma / 4000)


@cache
def fitted(n_agq):
    finland = hw.load("finland")
    number = finland["district_id"].str.removeprefix("District ")
    data = finland.assign(district_id=number)
    return hw.glmer("contacted ~ 1 + (1 | district_id)", data, event="Contacted", n_agq=n_agq)


def answers():
    fit = fitted(1)
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    modes = fit.ranef.set_index("level")["mode"]
    sd = fit.ranef.set_index("level")["sd"]["309"]
    rates, centre = expit(mu + modes), mu + modes["309"]
    best = fitted(9).fixef["Intercept"], fitted(9).theta[0]
    alpha = np.linspace(-4, 2, 2001)
    h = np.exp(log_h(alpha, 10, 23, mu, sigma))
    mean = np.sum(h * expit(alpha)) / np.sum(h)
    dic = 2 * fit.conditional_deviance + 2 * fit.loglik
    draws = np.random.default_rng(1).choice(alpha, size=400_000, p=h / h.sum())

    def ends(z, spread=sd, middle=centre):
        return tuple(expit([middle - z * spread, middle + z * spread]))

    return {
        "03-log-marginal": Answers(
            right=(by_strips, by_trapezoids, by_quad, by_nodes, by_loop),
            wrong=(
                (lambda *a: np.exp(by_strips(*a)), "This is the integral itself"),
                (no_step, "multiplied by the step"),
                (no_constant, "The prior's constant"),
                (by_endless_quad, "Give it limits"),
                (
                    lambda y, n, mu, sigma: (
                        by_strips(y, n, mu, sigma) + math.log(math.comb(int(n), int(y)))
                    ),
                    "number of ways",
                ),
                (
                    lambda y, n, mu, sigma: y * mu - n * np.log1p(np.exp(mu)),
                    "at alpha = mu",
                ),
                (lambda y, n, mu, sigma: by_strips(y, n, mu, sigma**2), "sigma was squared"),
                (lambda y, n, mu, sigma: by_strips(n - y, n, mu, sigma), "exchanged"),
                (lambda *a: by_strips(*a, reach=1), "The number is too small"),
                (lambda *a: -by_strips(*a), "The sign"),
                (lambda *a: log_h(np.array([0.0, 1.0]), *a), "these are 2 values"),
            ),
        ),
        "03-estimates": Answers(
            right=(
                best,
                (-1.372, 0.312),
                (-1.3719, 0.3117),
                [-1.37190, 0.31172],
                pd.Series({"mu": -1.3719, "sigma": 0.3117}),
                (fitted(25).fixef["Intercept"], fitted(25).theta[0]),
            ),
            wrong=(
                ((mu, sigma), "by Laplace, one node"),
                ((-1.3717, 0.3101), "by Laplace, one node"),
                ((-1.37, 0.31), "so few decimals"),
                ((best[0], np.log(best[1])), "log(sigma)"),
                ((best[0], best[1] ** 2), "The second number is the variance"),
                ((expit(best[0]), best[1]), "probability scale"),
                ((best[1], best[0]), "their order is not"),
                ((-1.372, 0.35), "the first is number 2, too large"),
            ),
        ),
        "03-dic": Answers(
            right=(dic, 1069.47, round(dic, 2), np.array([dic]), fit.dic, 1069.5, 1069.4654),
            wrong=(
                (1070, "after two roundings"),
                (1071, "too large"),
                (fit.aic, "This is AIC"),
                (fit.bic, "This is BIC"),
                (fit.conditional_deviance, "conditional deviance alone"),
                (fit.conditional_deviance + 2 * fit.loglik, "This is pD"),
                (-2 * fit.loglik, "This is -2 log L"),
                (fit.conditional_deviance - 2 * fit.loglik, "too large"),
                (2 * -2 * fit.loglik - fit.conditional_deviance, "exchanged"),
            ),
        ),
        "03-pi-hat": Answers(
            right=(
                rates,
                rates.round(3),
                rates.round(2),
                rates.to_dict(),
                1 / (1 + np.exp(-(mu + modes))),
                fit.predict(pd.DataFrame({"district_id": modes.index})).set_index("district_id")[
                    "estimate"
                ],
                list(rates),
            ),
            wrong=(
                (mu + modes, "These are log-odds"),
                (expit(modes), "rates of the deviations alone"),
                (modes, "These are the deviations"),
                (expit(mu) + expit(modes) - 0.5, "transformed one by one"),
                (expit(mu) + modes, "a rate and log-odds"),
                (np.exp(mu + modes), "These are odds"),
                (100 * rates, "percentage"),
                (rates.drop("317"), "1 labels are missing"),
                (rates + 0.05, "the first is that of '304', too large"),
                (expit(mu), "14 numbers are asked for"),
            ),
        ),
        "03-interval": Answers(
            right=(
                ends(1.64),
                ends(1.6449),
                (0.19, 0.36),
                [0.193, 0.359],
                np.array([0.1932, 0.3594]),
                pd.Series({"conf_low": 0.193, "conf_high": 0.359}),
            ),
            wrong=(
                (ends(1.96), "This is for 95 %, with 1.96, or with sigma in place of the"),
                ((0.18, 0.38), "This is for 95 %, with 1.96, or with sigma in place of the"),
                (ends(1), "one conditional sd"),
                (ends(1.64, sd**2), "conditional variance"),
                ((centre - 1.64 * sd, centre + 1.64 * sd), "These ends are log-odds"),
                (ends(1.64, sigma, mu), "centred at mu"),
                ((0.13, 0.30), "centred at mu"),
                (ends(1.64, sd, modes["309"]), "mu is missing"),
                (
                    (rates["309"] - 1.64 * sd, rates["309"] + 1.64 * sd),
                    "around the rate",
                ),
                ((0.265, 0.605), "Wald interval"),
                ((0.359, 0.193), "their order is not"),
                ((19.3, 35.9), "percentage"),
                (ends(1.64, sigma), "sigma in place of"),
            ),
        ),
        "03-mean": Answers(
            right=(
                mean,
                0.2703,
                0.27,
                float(expit(draws).mean()),
                integrate.quad(lambda a: expit(a) * np.exp(log_h(a, 10, 23, mu, sigma)), -4, 2)[0]
                / integrate.quad(lambda a: np.exp(log_h(a, 10, 23, mu, sigma)), -4, 2)[0],
                np.average(expit(alpha), weights=h),
            ),
            wrong=(
                (rates["309"], "rate at the mode"),
                (0.268, "rate at the mode"),
                (expit(np.sum(h * alpha) / np.sum(h)), "mean or median of alpha"),
                (10 / 23, "This is the raw rate of 309, without the other districts"),
                (np.sum(h * alpha) / np.sum(h), "mean of the log-odds"),
                (expit(np.interp(0.5, h.cumsum() / h.sum(), alpha)), "mean or median of alpha"),
                (27.0, "percentage"),
                (np.sum(h * expit(alpha)), "too small"),
                (0.3, "too large"),
            ),
        ),
    }
