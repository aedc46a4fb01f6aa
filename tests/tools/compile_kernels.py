"""Compile the sampler's kernels once, before several test processes would each do it.

numba keeps what it compiles beside the package; a second run takes seconds.
"""

import numpy as np
import pandas as pd

import hierwidgets as hw


def main() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": np.repeat(np.arange(6), 10), "x": rng.normal(size=60)})
    frame["y"] = (rng.random(60) < 0.4).astype(int)
    for formula in ("y ~ x + (1 | g)", "y ~ x + (1 + x | g)"):
        hw.Model(formula, frame).sample(
            chains=1, tune=50, draws=20, seed=1, method="nuts", progress=False
        )


if __name__ == "__main__":
    main()
