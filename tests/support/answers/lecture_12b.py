"""Lecture 12b: a rank among draws, intervals that keep their word, areas of tails."""

import numpy as np
from scipy import integrate, stats

import hierwidgets as hw
from hierwidgets.course.studies import grid
from support.answers import Answers


def by_sum(draws, truth):
    return np.sum(draws < truth)


def by_loop(draws, truth):
    rank = 0
    for draw in draws:
        if draw < truth:
            rank += 1
    return rank


def kept(share, tail):
    return np.mean((share > tail) & (share < 1 - tail))


def answers():
    sizes = hw.load("finland")["district_id"].value_counts(sort=False).sort_index()
    shares = grid.calibrate_on_grid(sizes.to_numpy(), reps=300, seed=1)
    alone = shares["mu alone"]
    right = kept(alone, 0.1)
    t4, normal = stats.t(4), stats.norm()
    area = integrate.quad(t4.pdf, 3, np.inf)[0] / integrate.quad(normal.pdf, 3, np.inf)[0]
    return {
        "12b-rank": Answers(
            right=(
                by_sum,
                by_loop,
                lambda draws, truth: np.searchsorted(np.sort(draws), truth),
                lambda draws, truth: len(draws) * np.mean(draws < truth),
                lambda draws, truth: sorted([*draws, truth]).index(truth),
            ),
            wrong=(
                (lambda draws, truth: np.mean(draws < truth), "This is a share"),
                (lambda draws, truth: (draws > truth).sum(), "above the truth"),
                (lambda draws, truth: by_sum(draws, truth) + 1, "One too many"),
                (lambda draws, truth: draws[draws < truth].sum(), "added up"),
                (lambda draws, truth: np.searchsorted(draws, truth), "Sort the draws first"),
                (lambda draws, truth: draws < truth, "A single number"),
            ),
        ),
        "12b-kept": Answers(
            right=(
                right,
                round(right, 3),
                1 - np.mean(alone <= 0.1) - np.mean(alone >= 0.9),
                (np.abs(alone - 0.5) < 0.4).mean(),
                [right],
            ),
            wrong=(
                (kept(shares["mu"], 0.1), "the right model"),
                (kept(alone, 0.05), "90 % intervals"),
                (kept(alone, 0.2), "60 % intervals"),
                (np.mean(alone < 0.8), "has two ends"),
                (1 - right, "share that was missed"),
                (right * 300, "number of surveys"),
                (100 * right, "percentage"),
            ),
        ),
        "12b-tails": Answers(
            right=(
                t4.sf(3) / normal.sf(3),
                area,
                14.8,
                15,
                (1 - t4.cdf(3)) / (1 - normal.cdf(3)),
                (t4.cdf(-3) + t4.sf(3)) / (2 * normal.cdf(-3)),
            ),
            wrong=(
                (t4.pdf(3) / normal.pdf(3), "heights at 3"),
                (normal.sf(3) / t4.sf(3), "upside down"),
                (stats.t.sf(3, 2) / normal.sf(3), "2 degrees"),
                (t4.sf(2) / normal.sf(2), "two scales"),
                (2 * t4.sf(3), "not divided"),
                (2 * t4.sf(3) / normal.sf(3), "Two tails over one"),
                (40, "too large"),
            ),
        ),
    }
