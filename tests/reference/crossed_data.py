"""The data of crossed.R: 2,000 ratings by 200 people of 150 things, a few of which are popular.

Run in tests/reference: ``python crossed_data.py``; writes crossed/ratings.csv.
"""

from pathlib import Path

import numpy as np
import pandas as pd


def ratings() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n, people, things = 2_000, 200, 150
    share = 1.0 / np.arange(1, things + 1)
    who = rng.integers(0, people, n)
    what = rng.choice(things, n, p=share / share.sum())
    x = rng.normal(size=n).round(3)
    eta = 0.3 * x + rng.normal(0.0, 0.5, people)[who] + rng.normal(0.0, 0.7, things)[what]
    eta += x * (rng.normal(0.0, 0.4, people)[who] + rng.normal(0.0, 0.4, things)[what])
    y = (3.5 + eta + rng.normal(size=n)).round(4)
    liked = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    return pd.DataFrame({"y": y, "liked": liked, "x": x, "who": who, "what": what})


if __name__ == "__main__":
    ratings().to_csv(Path(__file__).parent / "crossed" / "ratings.csv", index=False)
