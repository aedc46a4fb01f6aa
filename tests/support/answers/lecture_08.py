"""Lecture 08: what is estimated and what drawn, down the levels, another coding, an election."""

import math

import numpy as np
import pandas as pd
from scipy import integrate, special, stats

from support.answers import Answers

expit = special.expit


def rate(delta, pr, comp, election, district):
    gamma0 = delta[0] + delta[1] * pr + election[0]
    gamma1 = delta[2] + delta[3] * pr + election[1]
    return expit(gamma0 + gamma1 * comp + district)


def rate_by_cases(delta, pr, comp, election, district):
    d00, d01, d10, d11 = delta
    height, slope = (d00 + d01, d10 + d11) if pr == 1 else (d00, d10)
    alpha = height + election[0] + (slope + election[1]) * comp + district
    return 1 / (1 + math.exp(-alpha))


def rate_by_matrix(delta, pr, comp, election, district):
    gamma = np.reshape(delta, (2, 2)) @ [1, pr] + np.asarray(election)
    return expit(gamma @ [1, comp] + district)


def without(place):
    """The rate with one delta left out."""

    def answer(delta, *rest):
        return rate([0 if i == place else d for i, d in enumerate(delta)], *rest)

    return answer


def recoded(beta):
    return [beta[0] + beta[2], -beta[2], beta[1] + beta[3], -beta[3]]


def recoded_by_matrix(beta):
    return np.array([[1, 0, 1, 0], [0, 0, -1, 0], [0, 1, 0, 1], [0, 0, 0, -1]]) @ beta


def recoded_by_lines(beta):
    b0, b1, b2, b3 = beta
    pr, smd = (b0, b1), (b0 + b2, b1 + b3)
    return pd.Series([smd[0], pr[0] - smd[0], smd[1], pr[1] - smd[1]])


def election(delta, sds, pr, comp, rng):
    gamma0 = rng.normal(delta[0] + delta[1] * pr, sds[0])
    gamma1 = rng.normal(delta[2] + delta[3] * pr, sds[1])
    return rng.normal(gamma0 + gamma1 * comp, sds[2])


def election_backwards(delta, sds, pr, comp, rng):
    """The districts' own parts first, then the slope, then the height."""
    own = sds[2] * rng.standard_normal(len(comp))
    gamma1 = delta[2] + delta[3] * pr + sds[1] * rng.standard_normal()
    gamma0 = delta[0] + delta[1] * pr + sds[0] * rng.standard_normal()
    return gamma0 + gamma1 * np.asarray(comp) + own


def election_by_loop(delta, sds, pr, comp, rng):
    gamma0 = rng.normal(delta[0] + delta[1] * pr, sds[0])
    gamma1 = rng.normal(delta[2] + delta[3] * pr, sds[1])
    return [rng.normal(gamma0 + gamma1 * c, sds[2]) for c in comp]


def election_jointly(delta, sds, pr, comp, rng):
    mean = [delta[0] + delta[1] * pr, delta[2] + delta[3] * pr]
    gamma = rng.multivariate_normal(mean, np.diag([sds[0] ** 2, sds[1] ** 2]))
    return gamma[0] + gamma[1] * comp + rng.normal(0, sds[2], size=len(comp))


def election_of_districts(delta, sds, pr, comp, rng):
    """A gamma_0 and a gamma_1 for every district: the lecture's most common slip."""
    gamma0 = rng.normal(delta[0] + delta[1] * pr, sds[0], size=len(comp))
    gamma1 = rng.normal(delta[2] + delta[3] * pr, sds[1], size=len(comp))
    return rng.normal(gamma0 + gamma1 * comp, sds[2])


def outside(sd):
    return 2 * stats.norm.cdf(-np.log(99) / sd)


def answers():
    sd = np.sqrt(1000)
    share = outside(sd)
    inside, _ = integrate.quad(stats.norm(0, sd).pdf, -np.log(99), np.log(99))
    draws = expit(np.random.default_rng(3).normal(0, sd, 10_000))
    return {
        "08-count": Answers(
            right=((8, 577), [8, 577], (4 + 3 + 1, 567 + 2 * 5), pd.Series([8, 577])),
            wrong=(
                ((7, 577), "the correlation rho is estimated too"),
                ((8, 572), "Each election draws two numbers"),
                ((8, 567), "The elections draw numbers as well"),
                ((577, 8), "The two are exchanged"),
                ((4, 577), "the spreads and the correlation"),
                ((8, 587), "the first is number 2, too large"),
                ((8, 5126 + 10), "not for each of the"),
                ((585, 577), "the first is number 1, too large"),
                (8, "2 numbers are asked for"),
            ),
        ),
        "08-rate": Answers(
            right=(rate, rate_by_cases, rate_by_matrix),
            wrong=(
                (lambda *a: special.logit(rate(*a)), "This is the log-odds"),
                (without(3), "delta[3] is missing"),
                (lambda d, pr, c, e, u: rate(d, pr, c, (e[0] + e[1], 0), u), "multiplied by comp"),
                (lambda d, pr, c, e, u: rate(d, 1 - pr, c, e, u), "The rules are exchanged"),
                (without(1), "delta[1] is missing"),
                (lambda d, pr, c, e, u: rate(d, pr, c, (0, 0), u), "The election's own two"),
                (lambda d, pr, c, e, u: rate(d, pr, c, e, 0), "The district's own"),
                (
                    lambda d, pr, c, e, u: rate([d[0], d[2], d[1], d[3]], pr, c, e, u),
                    "Mind the order",
                ),
                (lambda *a: np.exp(special.logit(rate(*a))), "These are odds"),
                (lambda d, pr, c, e, u: rate(d, pr, 0, e, u), "too small"),
            ),
        ),
        "08-recode": Answers(
            right=(recoded, recoded_by_matrix, recoded_by_lines, lambda b: tuple(recoded(b))),
            wrong=(
                (lambda b: -b, "Not all signs change"),
                (lambda b: [b[0], -b[2], b[1], -b[3]], "the line of the rule coded 0"),
                (lambda b: [b[0] + b[2], b[2], b[1] + b[3], b[3]], "have the other sign"),
                (lambda b: np.take(recoded(b), [0, 2, 1, 3]), "The order asked for"),
                (lambda b: b, "Nothing has changed"),
                (lambda b: [b[0], b[2], b[1], b[3]], "The order has changed"),
                (lambda b: recoded(b)[:3], "4 numbers are asked for"),
                (
                    lambda b: [b[0] - b[2], -b[2], b[1] - b[3], -b[3]],
                    "The line of SMD is that of PR plus the differences, beta[2]",
                ),
            ),
        ),
        "08-election": Answers(
            right=(election, election_backwards, election_by_loop, election_jointly),
            wrong=(
                (lambda d, s, pr, c, rng: election(d, s, 1 - pr, c, rng), "rules are exchanged"),
                (lambda d, s, pr, c, rng: election(d, s, pr, c * 0 + 1, rng), "multiplied by comp"),
                (lambda *a: expit(election(*a)), "These are rates"),
                (election_of_districts, "they move together"),
                (
                    lambda d, s, pr, c, rng: election(d, s, pr, c, np.random.default_rng()),
                    "comes from the generator rng",
                ),
                (
                    lambda d, s, pr, c, rng: election(d, s, pr, c, np.random.default_rng(1)),
                    "comes from the generator rng",
                ),
                (
                    lambda d, s, pr, c, rng: election(d, s, pr, c, np.random),
                    "comes from the generator rng",
                ),
                (
                    lambda d, s, pr, c, rng: election(d, [v**2 for v in s], pr, c, rng),
                    "the mean and the spread",
                ),
                (
                    lambda d, s, pr, c, rng: election(d, (s[0], s[1], 0), pr, c, rng),
                    "the mean and the spread",
                ),
                (
                    lambda d, s, pr, c, rng: d[0] + d[1] * pr + (d[2] + d[3] * pr) * c,
                    "another from another",
                ),
                (lambda d, s, pr, c, rng: election(d, s, pr, c[:1], rng)[0], "3 numbers"),
            ),
        ),
        "08-vague": Answers(
            right=(
                share,
                0.88,
                0.884,
                1 - inside,
                stats.norm.cdf(-np.log(99), 0, sd) + stats.norm.sf(np.log(99), 0, sd),
                np.mean((draws < 0.01) | (draws > 0.99)),
                0.885,
            ),
            wrong=(
                (outside(1000), "1000 is the variance"),
                (share / 2, "This is one tail"),
                (0.44, "This is one tail"),
                (1 - share, "between 0.01 and 0.99"),
                (88.4, "percentage"),
                (2 * stats.norm.cdf(-0.99 / sd), "The rate 0.99 stands"),
                (2 * stats.norm.cdf(-99 / sd), "logarithm"),
                (0.5, "too small"),
                (0.95, "too large"),
            ),
        ),
    }
