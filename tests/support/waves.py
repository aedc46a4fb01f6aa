"""Twenty countries over three survey waves, with the year as the wave's other name."""

from functools import cache

import numpy as np
import pandas as pd

import hierwidgets as hw

KINDS = {
    "logit": lambda data, bars: hw.glmer(f"b ~ x + {bars}", data),
    "poisson": lambda data, bars: hw.glmer(f"n ~ x + {bars}", data, "poisson"),
    "reml": lambda data, bars: hw.lmer(f"z ~ x + {bars}", data),
    "ml": lambda data, bars: hw.lmer(f"z ~ x + {bars}", data, reml=False),
}
SHIFTS = {  # of the wave, 0 1 2: (shift, scale)
    "year": (2018.0, 1.0),
    "far": (1e4, 1.0),
    "farthest": (1e6, 1.0),
    "large": (0.0, 1e6),
    "small": (0.0, 1e-6),
    "both": (1e6, 1e3),
}


@cache
def waves(seed=8):
    """0/1 b, counts n and numbers z; levels and slopes differ between countries."""
    rng = np.random.default_rng(seed)
    country, wave = np.repeat(np.arange(20), 30), np.tile([0, 1, 2], 200)
    u = rng.normal(size=(20, 2))
    eta = 0.2 + 0.1 * wave + 0.7 * u[country, 0] + 0.35 * u[country, 1] * wave
    z = eta + rng.normal(size=600)
    return pd.DataFrame(
        {
            "country": country,
            "town": np.repeat(np.arange(100), 6),
            "wave": wave,
            "x": wave.astype(float),
            "b": (rng.random(600) < 1 / (1 + np.exp(-eta))).astype(int),
            "n": np.random.default_rng(seed).poisson(np.exp(eta)),
            "z": z,
        }
    )


def moved(data, shift, scale):
    return data.assign(x=(data["wave"] + shift) * scale)
