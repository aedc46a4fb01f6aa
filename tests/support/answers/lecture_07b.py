"""Lecture 07b: what a height says of a slope, pooling two numbers, the correlation at another x."""

import math

import numpy as np
import pandas as pd

from support.answers import Answers


def pool(own, V, centre, Sigma):
    return centre + Sigma @ np.linalg.inv(Sigma + V) @ (own - centre)


def pool_by_precision(own, V, centre, Sigma):
    of_data, of_others = np.linalg.inv(V), np.linalg.inv(Sigma)
    return np.linalg.inv(of_data + of_others) @ (of_data @ own + of_others @ centre)


def pool_as_series(own, V, centre, Sigma):
    weight = np.linalg.solve(Sigma + V, Sigma).T
    return pd.Series(weight @ own + (np.eye(2) - weight) @ centre)


def pool_by_the_rows(own, V, centre, Sigma):
    """The conditional mean from the joint covariance of truth and estimate."""
    joint = np.block([[Sigma, Sigma], [Sigma, Sigma + V]])
    return list(centre + joint[:2, 2:] @ np.linalg.inv(joint[2:, 2:]) @ (own - centre))


def variance(sd0, sd1, corr, c):
    return sd0**2 + 2 * c * corr * sd0 * sd1 + c**2 * sd1**2


def at(sd0, sd1, corr, c):
    return (corr * sd0 * sd1 + c * sd1**2) / (math.sqrt(variance(sd0, sd1, corr, c)) * sd1)


def at_by_matrix(sd0, sd1, corr, c):
    Sigma = np.array([[sd0**2, corr * sd0 * sd1], [corr * sd0 * sd1, sd1**2]])
    T = np.array([[1, c], [0, 1]])
    new = T @ Sigma @ T.T
    return new[0, 1] / np.sqrt(new[0, 0] * new[1, 1])


def at_by_slopes(sd0, sd1, corr, c):
    """Heights as a multiple of the slope and a rest."""
    multiple = corr * sd0 / sd1 + c
    rest = sd0 * np.sqrt(1 - corr**2)
    return multiple * sd1 / np.hypot(multiple * sd1, rest)


def answers():
    return {
        "07b-expected": Answers(
            right=(0.6 * 0.35 / 0.8, 0.26, np.array(0.168 / 0.64), pd.Series([0.2625])),
            wrong=(
                (0.6 * 0.8 / 0.35, "The two sds have changed places"),
                (0.6, "counts in sds"),
                (0.35 / 0.8, "rho is missing"),
                (0.168, "This is the covariance"),
                (0.21, "one sd above its mean"),
                (-0.2625, "The sign"),
                (0.5125, "how far above the mean slope"),
                (0, "only if the correlation were 0"),
            ),
        ),
        "07b-pool": Answers(
            right=(pool, pool_by_precision, pool_as_series, pool_by_the_rows),
            wrong=(
                (lambda own, V, c, S: pool(own, S, c, V), "The weights are exchanged"),
                (
                    lambda own, V, c, S: c + np.diag(S) / (np.diag(S) + np.diag(V)) * (own - c),
                    "Each coefficient is pooled by itself",
                ),
                (lambda own, V, c, S: pool(own, V, c, S) - c, "add the centre"),
                (lambda own, V, c, S: pool(own, V, 0 * c, S), "This pools towards 0"),
                (
                    lambda own, V, c, S: c + np.linalg.inv(S + V) @ S @ (own - c),
                    "The order of matrices counts",
                ),
                (lambda own, V, c, S: c + S / (S + V) @ (own - c), "`np.linalg.inv`"),
                (lambda own, V, c, S: c + S @ np.linalg.inv(S + V) @ own, "multiplies the dist"),
                (lambda own, V, c, S: own, "This is no pooling"),
                (lambda own, V, c, S: c, "This is complete pooling"),
            ),
        ),
        "07b-corr-at": Answers(
            right=(at, at_by_matrix, at_by_slopes),
            wrong=(
                (lambda sd0, sd1, r, c: at(sd0, sd1, r, -c), "The sign of c"),
                (lambda sd0, sd1, r, c: r * sd0 * sd1 + c * sd1**2, "This is the covariance"),
                (
                    lambda sd0, sd1, r, c: (r * sd0 + c * sd1) / math.hypot(sd0, c * sd1),
                    "twice the covariance",
                ),
                (
                    lambda sd0, sd1, r, c: r * sd0 / math.sqrt(variance(sd0, sd1, r, c)),
                    "The slope varies along with itself",
                ),
                (lambda sd0, sd1, r, c: r + c * sd1 / sd0, "sd of the new height"),
                (lambda sd0, sd1, r, c: r, "The correlation does change"),
                (
                    lambda sd0, sd1, r, c: (r * sd0 + c * sd1) / variance(sd0, sd1, r, c),
                    "a square root is missing",
                ),
            ),
        ),
    }
