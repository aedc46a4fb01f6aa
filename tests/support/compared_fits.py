"""Fits whose levels are compared, and invented data of other families."""

from functools import cache

import numpy as np
import pandas as pd

import hierwidgets as hw

X = "district_competitiveness"
FORMULAS = {
    "Finland": ("finland", "contacted ~ 1 + (1 | district_id)"),
    "UK": ("uk", "contacted ~ 1 + (1 | district_id)"),
    "UK with x": ("uk", f"contacted ~ {X} + (1 | district_id)"),
}


@cache
def fit_of(name: str) -> hw.Fit:
    data, formula = FORMULAS[name]
    return hw.glmer(formula, hw.load(data), event="Contacted")


def fits() -> dict[str, hw.Fit]:
    return {name: fit_of(name) for name in FORMULAS}


def normal_data(J=6, n=12):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(J), n + 3 * np.arange(J))})
    data["x"] = rng.normal(size=len(data))
    data["y"] = 1000 + 40 * rng.normal(size=J)[data["g"]] + 60 * rng.normal(size=len(data))
    data["count"] = rng.poisson(np.exp(0.5 + 0.3 * (data["g"] % 3)))
    data["w"] = rng.integers(1, 4, size=len(data))
    return data
