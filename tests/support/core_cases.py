"""Small simulated data, and the likelihood of each structure written out with dense matrices."""

from functools import cache

import numpy as np
import pandas as pd
from scipy import stats

import hierwidgets as hw

LINKS = (("binomial", "logit"), ("binomial", "probit"), ("binomial", "cloglog"), ("poisson", "log"))
# formula, and by decreasing number of levels: columns that vary, grouping columns, theta's places
LOWER = ((0, 0), (1, 0), (1, 1))
STRUCTURES = {
    "scalar": ("(1 | g)", [(("1",), ("g",), ((0, 0),))]),
    "slope": ("(1 + x | g)", [(("1", "x"), ("g",), LOWER)]),
    "uncorrelated": ("(1 + x || g)", [(("1", "x"), ("g",), ((0, 0), (1, 1)))]),
    "crossed": ("(1 | g) + (1 | h)", [(("1",), ("g",), ((0, 0),)), (("1",), ("h",), ((0, 0),))]),
    "crossed slopes": (
        "(1 + x | h) + (1 + x | g)",
        [(("1", "x"), ("g",), LOWER), (("1", "x"), ("h",), LOWER)],
    ),
    "nested": ("(1 | a/b)", [(("1",), ("a", "b"), ((0, 0),)), (("1",), ("a",), ((0, 0),))]),
    "three": (
        "(1 | h) + (x || a) + (1 + x | g)",
        [
            (("1", "x"), ("g",), LOWER),
            (("1",), ("h",), ((0, 0),)),
            (("1", "x"), ("a",), ((0, 0), (1, 1))),
        ],
    ),
}
RESPONSE = {"binomial": "p(s, n)", "poisson": "count"}


@cache
def frame(rows=90, seed=7):
    """Successes s of n trials, 0/1 y, counts, predictors x and w, groups g, h and a/b."""
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "x": rng.normal(size=rows).round(2),
            "w": rng.choice([0.0, 1.0], rows),
            "g": rng.permutation(np.arange(rows) % 9).astype(str),
            "h": rng.permutation(np.arange(rows) % 5).astype(str),
            "a": (np.arange(rows) % 3).astype(str),
            "b": (np.arange(rows) // 3 % 4).astype(str),
            "n": rng.integers(1, 6, rows),
        }
    )
    bump = dict(zip("012345678", rng.normal(0, 0.8, 9), strict=True))
    other = dict(zip("01234", rng.normal(0, 0.5, 5), strict=True))
    eta = -0.3 + 0.6 * made["x"] + made["g"].map(bump) + made["h"].map(other)
    p = 1 / (1 + np.exp(-eta))
    return made.assign(
        s=rng.binomial(made["n"], p), y=rng.binomial(1, p), count=rng.poisson(np.exp(eta))
    )


@cache
def model(family, link, structure, fixed="x"):
    formula = f"{RESPONSE[family]} ~ {fixed} + {STRUCTURES[structure][0]}"
    return hw.Model(formula, frame(), family, link=link)


def point(structure, seed=0, p=2):
    """theta (m,) and beta (p,) away from any optimum, the diagonal of Lambda positive."""
    rng = np.random.default_rng(seed)
    places = [place for _, _, where in STRUCTURES[structure][1] for place in where]
    theta = [rng.uniform(0.4, 1.1) if i == j else rng.normal(0, 0.4) for i, j in places]
    return np.array(theta), rng.normal(0, 0.5, p)


def dense(structure, theta, data=None):
    """Z Lambda (rows, q), written out from the frame."""
    data = frame() if data is None else data
    parts, at = [], 0
    for columns, factors, places in STRUCTURES[structure][1]:
        Lambda = np.zeros((len(columns), len(columns)))
        for place in places:
            Lambda[place] = theta[at]
            at += 1
        key = data[list(factors)].agg(":".join, axis=1)
        member = pd.get_dummies(key).sort_index(axis=1).to_numpy(float)
        values = np.column_stack([np.ones(len(data)) if c == "1" else data[c] for c in columns])
        rows = (member[:, :, None] * (values @ Lambda)[:, None, :]).reshape(len(data), -1)
        parts.append(rows)
    return np.hstack(parts)


def mean(link, eta):
    """mu and d mu / d eta."""
    if link == "logit":
        mu = 1 / (1 + np.exp(-eta))
        return mu, mu * (1 - mu)
    if link == "probit":
        return stats.norm.cdf(eta), stats.norm.pdf(eta)
    if link == "cloglog":
        return 1 - np.exp(-np.exp(eta)), np.exp(eta - np.exp(eta))
    return np.exp(eta), np.exp(eta)


def log_density(family, data, mu):
    if family == "binomial":
        return stats.binom.logpmf(data["s"], data["n"], mu)
    return stats.poisson.logpmf(data["count"], mu)


def dense_laplace(family, link, structure, theta, beta, data=None):
    """-2 log L by Laplace with dense matrices, and the mode: Fisher scoring by the textbook."""
    data = frame() if data is None else data
    ZL, X = dense(structure, theta, data), np.column_stack([np.ones(len(data)), data["x"]])
    y, n = (data["s"], data["n"]) if family == "binomial" else (data["count"], 1.0)
    u = np.zeros(ZL.shape[1])

    def penalised(u):
        return log_density(family, data, mean(link, X @ beta + ZL @ u)[0]).sum() - u @ u / 2

    for _ in range(300):
        mu, slope = mean(link, X @ beta + ZL @ u)
        variance = mu * (1 - mu) if family == "binomial" else mu
        W = np.asarray(n * slope**2 / variance)
        A = np.eye(len(u)) + ZL.T @ (W[:, None] * ZL)
        score = np.asarray((y - n * mu) * slope / variance)
        step = np.linalg.solve(A, ZL.T @ score - u)
        while np.abs(step).max() > 1e-6 and not penalised(u + step) > penalised(u):
            step = step / 2
        u = u + step
        if np.abs(step).max() < 1e-13:
            break
    else:
        raise AssertionError("Fisher scoring did not settle")
    sign, logdet = np.linalg.slogdet(A)
    assert sign == 1
    return -2 * log_density(family, data, mu).sum() + u @ u + logdet, u, A


def slope_of(f, x, step=1e-5):
    """Central differences of f, one per element of x."""
    out = []
    for i in range(len(x)):
        h = np.zeros(len(x))
        h[i] = step
        out.append((f(x + h) - f(x - h)) / (2 * step))
    return np.array(out)
