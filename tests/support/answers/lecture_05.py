"""Lecture 05: nature's draws, the largest estimate, coverage, how many repetitions."""

import numpy as np
from scipy import special, stats

from support.answers import Answers

expit = special.expit


def draw(seed, n, mu, sigma):
    rng = np.random.default_rng(seed)
    truth = expit(rng.normal(mu, sigma, size=len(n)))
    return truth, rng.binomial(n, truth)


def by_district(seed, n, mu, sigma):
    rng, truth, y = np.random.default_rng(seed), [], []
    for size in n:
        truth.append(1 / (1 + np.exp(-rng.normal(mu, sigma))))
        y.append(rng.binomial(size, truth[-1]))
    return truth, y


def by_person(seed, n, mu, sigma):
    rng = np.random.default_rng(seed)
    truth = expit(mu + sigma * rng.standard_normal(len(n)))
    return truth, np.array([np.sum(rng.random(k) < p) for k, p in zip(n, truth, strict=True)])


def by_scipy(seed, n, mu, sigma):
    alpha = stats.norm.rvs(mu, sigma, size=len(n), random_state=seed)
    return expit(alpha), stats.binom.rvs(n, expit(alpha), random_state=seed + 1000)


def by_the_old_generator(seed, n, mu, sigma):
    rng = np.random.RandomState(seed)
    truth = expit(rng.normal(mu, sigma, len(n)))
    return truth, rng.binomial(n, truth)


def one_rate(seed, n, mu, sigma):
    rng = np.random.default_rng(seed)
    truth = np.full(len(n), expit(rng.normal(mu, sigma)))
    return truth, rng.binomial(n, truth)


def curse(raw, truth):
    rows = np.arange(len(raw))
    top = raw.argmax(axis=1)
    return np.mean(raw[rows, top] - truth[rows, top])


def curse_by_loop(raw, truth):
    errors = []
    for estimates, rates in zip(raw, truth, strict=True):
        top = list(estimates).index(max(estimates))
        errors.append(estimates[top] - rates[top])
    return sum(errors) / len(errors)


def curse_by_places(raw, truth):
    top = np.argmax(raw, axis=1)[:, None]
    return float((np.take_along_axis(np.asarray(raw) - np.asarray(truth), top, axis=1)).mean())


def hits(low, high, truth):
    return (low <= truth) & (truth <= high)


def coverage(low, high, truth):
    share = np.mean((low <= truth) & (truth <= high), axis=1)
    return share.mean(), share.std(ddof=1) / np.sqrt(len(share))


def coverage_by_loop(low, high, truth):
    shares = []
    for row in range(len(truth)):
        inside = [low[row][k] <= truth[row][k] <= high[row][k] for k in range(len(truth[row]))]
        shares.append(sum(inside) / len(inside))
    return np.mean(shares), stats.sem(shares)


def coverage_by_misses(low, high, truth):
    missed = (truth < low) | (truth > high)
    share = 1 - missed.mean(axis=1)
    return [share.mean(), np.sqrt(share.var(ddof=1) / share.size)]


def answers():
    def of_share(spread):
        return lambda *ends: (hits(*ends).mean(), spread(hits(*ends).mean(axis=1)))

    def seen(seed, n, mu, sigma):
        truth, y = draw(seed, n, mu, sigma)
        return truth, y / np.asarray(n)

    def unlinked(seed, n, mu, sigma):
        truth, y = draw(seed, n, mu, sigma)
        return np.log(truth / (1 - truth)), y

    return {
        "05-draw": Answers(
            right=(draw, by_district, by_person, by_scipy, by_the_old_generator),
            wrong=(
                (lambda s, n, m, g: draw(s, n, m, g**2), "sd sigma (not its square)"),
                (lambda s, n, m, g: draw(9, n, m, g), "the same seed"),
                (lambda s, n, m, g: draw(None, n, m, g), "the same seed"),
                (seen, "not rates"),
                (unlinked, "are expit(mu)"),
                (one_rate, "log-odds of its own"),
                (
                    lambda s, n, m, g: draw(s, n, m, g)[0],
                    "the function returns a pair, each with one number per",
                ),
                (lambda s, n, m, g: (draw(s, n, m, g)[0], draw(s + 1, n, m, g)[1]), "its own rate"),
                (lambda s, n, m, g: draw(s, n, m, g)[::-1], "the first result is rates"),
                (
                    lambda s, n, m, g: (draw(s, n, m, g)[0], n * draw(s, n, m, g)[0]),
                    "whole numbers from 0 to n, not rates",
                ),
                (lambda s, n, m, g: draw(s, n, 0, g), "are expit(mu)"),
            ),
        ),
        "05-curse": Answers(
            right=(curse, curse_by_loop, curse_by_places),
            wrong=(
                (lambda raw, truth: np.mean(raw.max(axis=1) - truth.max(axis=1)), "largest truth"),
                (lambda raw, truth: np.mean(np.max(raw - truth, axis=1)), "the largest error"),
                (lambda raw, truth: np.mean(raw - truth), "over all districts"),
                (lambda raw, truth: -curse(raw, truth), "The sign"),
                (lambda raw, truth: abs(raw - truth).mean(), "too large"),
                (lambda raw, truth: np.mean(raw.max(axis=1)), "The truth is missing"),
                (
                    lambda raw, truth: np.mean(
                        [r[t.argmax()] - t.max() for r, t in zip(raw, truth, strict=True)]
                    ),
                    "largest truth is looked up",
                ),
                (
                    lambda raw, truth: (raw - truth)[np.arange(len(raw)), raw.argmax(axis=1)],
                    "A single number is asked for",
                ),
                (lambda raw, truth: raw.max() - truth.flat[raw.argmax()], "too small"),
            ),
        ),
        "05-coverage": Answers(
            right=(coverage, coverage_by_loop, coverage_by_misses),
            wrong=(
                (
                    lambda *e: (
                        hits(*e).mean(),
                        np.sqrt(hits(*e).mean() * (1 - hits(*e).mean()) / hits(*e).size),
                    ),
                    "as independent",
                ),
                (of_share(lambda share: share.std(ddof=1)), "divided by their root"),
                (
                    of_share(lambda share: share.std() / np.sqrt(len(share))),
                    "Use the sd with ddof=1; numpy's default divides by R",
                ),
                (
                    lambda *e: (
                        hits(*e).mean(),
                        hits(*e).mean(axis=0).std(ddof=1) / np.sqrt(hits(*e).shape[1]),
                    ),
                    "Average over the districts (axis=1) first, then over draws",
                ),
                (lambda *e: (1 - coverage(*e)[0], coverage(*e)[1]), "not covered"),
                (lambda *e: coverage(*e)[0], "2 numbers are asked for, and this has 1"),
                (lambda *e: coverage(*e)[::-1], "their order is not"),
                (of_share(lambda share: share.var(ddof=1) / len(share)), "square root"),
                (lambda *e: (0.9, coverage(*e)[1]), "numbers differ"),
            ),
        ),
        "05-repetitions": Answers(
            right=(1600, (0.20 / 0.005) ** 2, (0.2 * 200) ** 2, np.array([1600.0]), 1601),
            wrong=(
                (40, "root of the number"),
                (3600, "a single yes or no"),
                (1600 / 14, "already that of the share"),
                (0.2 / 0.005**2, "The sd is not squared"),
                (1.64**2 * 1600, "a 90 % interval"),
                (0.25 / 0.005**2, "too large"),
                (800, "too small"),
                (1800, "too large"),
            ),
        ),
    }
