"""Models of every family and structure that the sampler meets, on one small data frame."""

import numpy as np
import pandas as pd

import hierwidgets as hw

FAMILIES = [
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("gaussian", "identity"),
]
STRUCTURES = {
    "scalar": "(1 | g)",
    "slope": "(1 + x | g)",
    "three": "(1 + x + z | g)",
    "uncorrelated": "(1 + x || g)",
    "nested": "(1 | h/g)",
    "crossed": "(1 | g) + (1 + x | h)",
    "no intercept": "(0 + x | g) + (1 | h)",
}


def frame(family: str, seed: int = 1, n: int = 240) -> pd.DataFrame:
    """Data with two crossed factors of 12 and 4 levels."""
    rng = np.random.default_rng(seed)
    g, h = np.arange(n) % 12, rng.integers(0, 4, n)
    x, z = rng.normal(1.0, 1.0, n), rng.normal(0.0, 1.0, n)
    eta = -0.4 + 0.3 * x + rng.normal(0, 0.5, 12)[g] + rng.normal(0, 0.4, 4)[h]
    y = {
        "binomial": lambda: (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        "poisson": lambda: rng.poisson(np.exp(eta)).astype(float),
        "gaussian": lambda: eta + rng.normal(0, 0.7, n),
    }[family]()
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": g.astype(str), "h": h.astype(str)})


def model(bars: str, family: str = "binomial", link: str | None = None, **more) -> hw.Model:
    return hw.Model(f"y ~ x + {bars}", frame(family, **more), family, link=link)
