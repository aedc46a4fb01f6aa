"""Fits to simulated data, one of each kind of response, weight and offset."""

from functools import cache

import pandas as pd

import hierwidgets as hw

from .paths import STRUCTURES


@cache
def frame(name):
    return pd.read_csv(STRUCTURES / f"{name}.csv")


@cache
def fitted(name):
    b, g, c = frame("binary"), frame("gaussian"), frame("counts")
    makers = {
        "finland": lambda: hw.glmer(
            "contacted ~ (1 | district_id)", hw.load("finland"), event="Contacted"
        ),
        "binary": lambda: hw.glmer("y_slopes ~ x + (1 + x | g)", b, n_agq=1),
        "probit": lambda: hw.glmer("y_probit_scalar ~ x + (1 | g)", b, link="probit", n_agq=5),
        "trials": lambda: hw.glmer("p(y_trials, trials) ~ x + (1 | g) + (1 | h)", b),
        "weighted_binary": lambda: hw.glmer("y_scalar ~ x + (1 | g)", b, weights="w"),
        "array_weights": lambda: hw.glmer("y_scalar ~ z + (1 | g)", b, weights=b["w"].tolist()),
        "counts": lambda: hw.glmer("y_offset ~ x + (1 | g)", c, "poisson", offset="log_exposure"),
        "linear": lambda: hw.lmer("y_crossed ~ x + (1 | g) + (1 | h)", g),
        "weighted": lambda: hw.lmer("y_weights ~ x + (1 | g)", g, weights="w", reml=False),
    }
    return makers[name]()


EVERY = [
    "finland", "binary", "probit", "trials", "weighted_binary", "array_weights", "counts", "linear",
    "weighted",
]  # fmt: skip
