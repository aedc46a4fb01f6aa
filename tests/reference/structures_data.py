"""Simulated data for structures.R: python tests/reference/structures_data.py.

Three frames of one layout: predictors x (numbers) and z (a, b, c); crossed groups g, h and k;
b nested within a (its labels repeat from one a to the next); weights w; offset o. Each column
that starts with y holds a response simulated for the structure it is named after. The seed is
fixed and numbers are written with four decimals, so that the files are the same everywhere.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr

FOLDER = Path(__file__).parent / "structures"
SIZES = {"g": 24, "h": 10, "k": 6, "a": 8}


def layout(rng, n):
    """Predictors and groups, unbalanced."""
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.choice(list("abc"), n)})
    for name, size in SIZES.items():
        shares = rng.dirichlet(np.full(size, 8.0))
        frame[name] = [f"{name}{i:02d}" for i in rng.choice(size, n, p=shares)]
    frame["b"] = [f"b{i}" for i in rng.integers(1, 5, n)]
    frame["w"] = rng.integers(1, 6, n)
    frame["o"] = rng.uniform(-1, 1, n)
    return frame.round(4)


def effects(rng, frame, column, *sd, corr=0.0):
    """One draw per level and coefficient, looked up for each row: (n, k)."""
    codes, levels = pd.factorize(frame[column] if isinstance(column, str) else column)
    cov = np.diag(np.square(sd)).astype(float)
    if len(sd) == 2:
        cov[0, 1] = cov[1, 0] = corr * sd[0] * sd[1]
    return rng.multivariate_normal(np.zeros(len(sd)), cov, len(levels))[codes]


def predictors(rng, frame, size):
    """The linear predictor of each structure; `size` scales the group effects."""
    x, ab = frame["x"], frame["a"] + frame["b"]
    fixed = -0.4 + 0.7 * x
    g = effects(rng, frame, "g", size)[:, 0]
    h = effects(rng, frame, "h", 0.7 * size)[:, 0]
    k = effects(rng, frame, "k", 0.5 * size)[:, 0]
    a = effects(rng, frame, "a", 0.8 * size)[:, 0]
    b = effects(rng, ab, ab, 0.7 * size)[:, 0]
    slopes = effects(rng, frame, "g", size, 0.6 * size, corr=-0.5)
    apart = effects(rng, frame, "g", size, 0.5 * size)
    by_z = frame["z"].map({"a": 0.0, "b": 0.5, "c": -0.6})
    tilt = frame["z"].map({"a": 0.0, "b": -0.4, "c": 0.3})
    return {
        "scalar": fixed + g,
        "slopes": fixed + slopes[:, 0] + slopes[:, 1] * x,
        "apart": fixed + apart[:, 0] + apart[:, 1] * x,
        "nested": fixed + a + b,
        "crossed": fixed + g + h,
        "three": fixed + g + h + k,
        "both": fixed + slopes[:, 0] + slopes[:, 1] * x + h,
        "offset": fixed + g + frame["o"],
        "factor": fixed + g + by_z + tilt * x,
        "flat": fixed,
        "aligned": fixed + g * (1 + 0.3 * x),
    }


def gaussian(rng):
    frame = layout(rng, 360)
    for name, eta in predictors(rng, frame, 1.0).items():
        noise = rng.normal(size=len(frame))
        frame[f"y_{name}"] = eta + noise
        if name == "scalar":
            frame["y_weights"] = eta + noise / np.sqrt(frame["w"])
    # within each g the rows are made to differ more than chance would: its sd is estimated as 0
    noise = frame.pop("y_flat") - 0.7 * frame["x"]
    frame["y_flat"] = 0.7 * frame["x"] + noise - 0.9 * noise.groupby(frame["g"]).transform("mean")
    return frame.round(4)


def binary(rng):
    frame = layout(rng, 600)
    for name, eta in predictors(rng, frame, 1.1).items():
        frame[f"y_{name}"] = rng.binomial(1, expit(eta))
    eta = predictors(rng, frame, 0.8)
    for name in ("scalar", "crossed", "slopes"):
        frame[f"y_probit_{name}"] = rng.binomial(1, ndtr(eta[name]))
        frame[f"y_cloglog_{name}"] = rng.binomial(1, -np.expm1(-np.exp(eta[name])))
    frame["trials"] = rng.integers(1, 9, len(frame))
    frame["y_trials"] = rng.binomial(frame["trials"], expit(eta["crossed"]))
    return frame


def counts(rng):
    frame = layout(rng, 400)
    frame["exposure"] = rng.uniform(0.5, 4.0, len(frame)).round(4)
    frame["log_exposure"] = np.log(frame["exposure"]).round(12)
    for name, eta in predictors(rng, frame, 0.6).items():
        extra = frame["log_exposure"] if name == "offset" else 0.0
        eta = eta - frame["o"] if name == "offset" else eta
        frame[f"y_{name}"] = rng.poisson(np.exp(0.8 + eta + extra))
    return frame


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for seed, make in enumerate((gaussian, binary, counts), start=20260101):
        frame = make(np.random.default_rng(seed))
        frame.to_csv(FOLDER / f"{make.__name__}.csv", index=False, lineterminator="\n")
