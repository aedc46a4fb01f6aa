"""Rows with two crossed groups, a fit of them, and the joint covariance of a fit, dense."""

import itertools
from functools import cache

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit

import hierwidgets as hw
from hierwidgets.likelihood.joint_covariance import Functionals, joint_covariance


def grouped(seed, groups=30, size=20, family="binomial", other=6):
    """Rows with a numeric x, a text arm, two crossed grouping factors and a response."""
    rng = np.random.default_rng(seed)
    n = groups * size
    g, h = np.repeat(np.arange(groups), size), rng.integers(0, other, n)
    x = rng.normal(size=n)
    arm = rng.choice(["a", "b", "c"], n)
    b = rng.normal(size=(groups, 2)) @ np.array([[0.6, 0.2], [0.0, 0.4]])
    eta = -0.3 + 0.5 * x + 0.4 * (arm == "b") + b[g, 0] + b[g, 1] * x
    eta += 0.5 * rng.normal(size=other)[h]
    draw = {
        "binomial": lambda: rng.binomial(1, expit(eta)),
        "poisson": lambda: rng.poisson(np.exp(0.5 * eta)),
        "gaussian": lambda: eta + rng.normal(size=n),
    }
    names = {"x": x, "arm": arm, "g": [f"g{i:02d}" for i in g], "h": [f"h{i}" for i in h]}
    return pd.DataFrame({"y": draw[family](), **names})


@cache
def crossed():
    """A binomial fit of x, arm, their interaction, and both groups."""
    return hw.glmer("y ~ x * arm + (1 + x | g) + (1 | h)", grouped(1))


def everything(fit):
    """The joint covariance of (beta, b), dense."""
    p, sizes = len(fit.beta), [t.J * t.k for t in fit.design.terms]
    q = sum(sizes)
    unit = sparse.eye_array(p + q, format="csc")
    at = p + np.concatenate([[0], np.cumsum(sizes)])
    effects = tuple(unit[:, a:b].tocsr() for a, b in itertools.pairwise(at))
    return Functionals(np.vstack([np.eye(p), np.zeros((q, p))]), effects)


def joint_of(fit, covariance=None):
    covariance = fit.covariance if covariance is None else covariance
    return joint_covariance(fit.design, fit.family, fit.theta, fit.beta, covariance, fit.sigma)
