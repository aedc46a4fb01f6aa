"""Simulated data with factors, for double bars, diagonal terms and an empty cell.

    python double_bars_data.py

writes structures/factors.csv: 24 groups, each seen under three levels of f and two of h. The rows
with e = "low" and h = "q" are left out, so that this cell of e * h is empty.
"""

from pathlib import Path

import numpy as np
import pandas as pd

GROUPS, REPEATS = 24, 6

rng = np.random.default_rng(1405)
g, f, h, _ = (
    axis.ravel() for axis in np.meshgrid(range(GROUPS), range(3), range(2), range(REPEATS))
)
frame = pd.DataFrame({"g": g, "k": rng.integers(0, 8, len(g)), "f": f, "h": h})
frame["x"] = rng.normal(size=len(g)).round(3)
frame["e"] = rng.choice(["high", "low", "mid"], len(g))
sd = np.array([0.5, 1.0, 0.8])
corr = np.array([[1.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.0]])
levels = rng.multivariate_normal(np.zeros(3), corr * np.outer(sd, sd), GROUPS)
slope = 0.6 * rng.normal(size=GROUPS)
eta = (
    0.3 + 0.4 * (f == 1) - 0.3 * h + 0.5 * frame["x"]
    + levels[g, f] + slope[g] * frame["x"] + 0.4 * rng.normal(size=8)[frame["k"]]
)  # fmt: skip
frame["y"] = (eta + rng.normal(size=len(g))).round(4)
frame["b"] = (rng.random(len(g)) < 1 / (1 + np.exp(-eta))).astype(int)
frame["s"] = rng.binomial(40, 1 / (1 + np.exp(-eta / 2)))
frame["f"] = np.array(["ash", "birch", "cedar"])[f]
frame["h"] = np.array(["p", "q"])[h]
frame["g"] = [f"g{i:02d}" for i in g]
frame["k"] = [f"k{i}" for i in frame["k"]]
frame = frame[(frame["e"] != "low") | (frame["h"] != "q")]
frame.to_csv(Path(__file__).parent / "structures" / "factors.csv", index=False)
