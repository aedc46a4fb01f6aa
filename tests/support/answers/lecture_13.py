"""Lecture 13: the rate of a population, its interval, non-response within a cell."""

import numpy as np
import pandas as pd

from support.answers import Answers


def rate(rates, people):
    return np.average(rates, weights=people)


def rate_by_loop(rates, people):
    contacted = 0.0
    for theta, count in zip(rates, people, strict=True):
        contacted += theta * count
    return contacted / sum(people)


def rate_by_pandas(rates, people):
    cells = pd.DataFrame({"theta": rates, "n": people})
    return (cells["theta"] * cells["n"] / cells["n"].sum()).sum()


def interval(draws, people):
    return np.quantile(np.average(draws, axis=1, weights=people), [0.05, 0.95])


def interval_by_sums(draws, people):
    country = (np.asarray(draws) * people).sum(axis=1) / np.sum(people)
    return np.percentile(country, 5), np.percentile(country, 95)


def interval_by_loop(draws, people):
    countries = [rate_by_loop(row, people) for row in draws]
    return list(pd.Series(countries).quantile([0.05, 0.95]))


def answers():
    def by_cells(draws, people):
        return tuple(np.average(np.quantile(draws, [0.05, 0.95], axis=0), axis=1, weights=people))

    def apart(draws, people):
        share = np.asarray(people) / np.sum(people)
        se = np.sqrt(np.sum(share**2 * np.var(draws, axis=0, ddof=1)))
        middle = np.mean(draws @ share)
        return middle - 1.6449 * se, middle + 1.6449 * se

    def of(low, high):
        return lambda d, n: np.quantile(np.average(d, axis=1, weights=n), [low, high])

    return {
        "13-rate": Answers(
            right=(rate, rate_by_loop, rate_by_pandas),
            wrong=(
                (lambda r, n: np.mean(r), "counts every cell alike"),
                (lambda r, n: np.sum(r * n), "how many were contacted"),
                (lambda r, n: np.mean(r * n), "not by that of cells"),
                (lambda r, n: np.average(r, weights=n**2), "as squares"),
                (lambda r, n: np.average(r, weights=1 / n), "Small cells get the large weights"),
                (lambda r, n: np.sum(r * n) / np.sum(r), "too large"),
                (lambda r, n: r * n / np.sum(n), "A single number is asked for"),
            ),
        ),
        "13-interval": Answers(
            right=(interval, interval_by_sums, interval_by_loop),
            wrong=(
                (by_cells, "Average within each draw first"),
                (lambda d, n: tuple(np.quantile(d.mean(axis=1), [0.05, 0.95])), "by their people"),
                (apart, "takes cells as independent"),
                (of(0.025, 0.975), "the 95 % interval"),
                (of(0.1, 0.9), "10 % out on each side"),
                (lambda d, n: interval(d, n)[::-1], "their order is not"),
                (lambda d, n: np.average(d, axis=1, weights=n).mean(), "2 numbers are asked for"),
            ),
        ),
        "13-inside": Answers(
            right=(0.45 / 1.15, 45 / 115, 0.391, 0.39, np.float64(0.3913)),
            wrong=(
                (0.45, "1.5 times the rate"),
                (0.30, "the true rate"),
                (0.3 / (0.3 + 1.05), "the others answer more often"),
                (0.45 / 0.7, "These are the odds"),
                (0.45 / 1.15 - 0.3, "by how much the rate is off"),
                (0.34, "is too small"),
                (39.13, "looks like a percentage"),
            ),
        ),
    }
