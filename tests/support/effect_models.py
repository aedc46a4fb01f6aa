"""Models with a predictor of the groups: the course's, and of invented data."""

from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit

import hierwidgets as hw

X = "district_competitiveness"
SEVERAL = (
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id) "
    "+ (1 + district_competitiveness | election_id)"
)


@cache
def uk() -> hw.Fit:
    return hw.glmer(f"contacted ~ {X} + (1 | district_id)", hw.load("uk"), event="Contacted")


@cache
def plain() -> hw.Fit:
    return hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("uk"), event="Contacted")


@cache
def several() -> hw.Fit:
    return hw.glmer(SEVERAL, hw.load("rainey2015"), event="Contacted")


@cache
def draws() -> hw.Posterior:
    return hw.load_posterior("rainey2015")


def invented(J: int = 40, n: int = 12, seed: int = 4) -> pd.DataFrame:
    """Units with a predictor each, within five regions."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(J), n)
    x, z = rng.uniform(0.5, 2.0, J), rng.normal(size=J * n)
    region = np.array(list("abcde"))[unit % 5]
    b = rng.normal(0, 1.0, J)
    data = pd.DataFrame({"g": unit, "x": x[unit], "x2": rng.normal(size=J)[unit], "z": z})
    data["region"], data["odd name"] = region, data["x"]
    data["rule"] = np.where(np.isin(region, ["a", "b"]), "old", "new")
    data["y"] = (rng.random(J * n) < expit(-1 + x[unit] + b[unit])).astype(int)
    return data
