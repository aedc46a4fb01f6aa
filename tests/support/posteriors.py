"""The five models whose posteriors are drawn at once, and moments of draws to compare them by."""

from typing import Any

import numpy as np
import pandas as pd

import hierwidgets as hw
from hierwidgets.course.studies import shipped_draws
from hierwidgets.posterior.convergence import statistics
from hierwidgets.posterior.weights import of_pool

MODELS = ("finland", "uk", "uk_competitiveness", "rainey2015", "rainey2015_individual", "slopes")
EDGES = (0.05, 0.95)


def described(name: str) -> tuple[hw.Model, hw.Priors]:
    """A model and its priors: one whose draws are shipped, or `slopes`."""
    return (slopes(), hw.Priors()) if name == "slopes" else shipped_draws.model(name)


def slopes() -> hw.Model:
    """Correlated intercepts and slopes of 200 groups of 20 rows."""
    rng = np.random.default_rng(5)
    group, x = np.repeat(np.arange(200), 20), rng.normal(size=4000)
    b = rng.multivariate_normal([0, 0], [[0.5, 0.15], [0.15, 0.3]], 200)[group]
    p = 1 / (1 + np.exp(0.3 - 0.5 * x - b[:, 0] - b[:, 1] * x))
    data = pd.DataFrame({"x": x, "g": group.astype(str), "y": (rng.random(4000) < p).astype(float)})
    return hw.Model("y ~ x + (1 + x | g)", data, "binomial")


def moments(post: hw.Posterior, by: dict[str, Any] | None = None) -> dict[str, Any]:
    """Of every parameter: mean, sd, the 5 and 95 % quantiles, and the error of each.

    The mean of ``(x - m)^2`` is compared for the sd, the share below an edge for a quantile; m and
    the edges are those of `by`, other draws, so that both sides estimate the same numbers.
    """
    x = post.parameters
    flat = x.reshape(-1, x.shape[2])
    centre = flat.mean(axis=0) if by is None else np.array(by["mean"])
    edges = np.quantile(flat, EDGES, axis=0) if by is None else np.array(by["edges"])
    found: dict[str, Any] = {"names": list(post.names), "edges": edges.tolist()}
    quantities = {"mean": x, "square": (x - centre) ** 2}
    quantities |= {
        f"below {level:.0%}": (x < edge).astype(float)
        for level, edge in zip(EDGES, edges, strict=True)
    }
    pool = post.draws.pool
    for name, values in quantities.items():
        table = statistics(values) if pool is None else of_pool(values, pool)
        spread = values.reshape(-1, x.shape[2]).std(axis=0)
        found[name] = values.mean(axis=(0, 1)).tolist()
        found[f"error of {name}"] = (spread / np.sqrt(table["ess_bulk"].to_numpy())).tolist()
    return found


def measured(posts: list[hw.Posterior]) -> float:
    """Effective draws, seen and not calculated: the variance of a quantity over that of its mean
    across runs with other seeds; the smallest over parameters and their 5 and 95 % quantiles."""
    x = np.stack([post.parameters.reshape(-1, len(post.names)) for post in posts])
    edges = np.quantile(x.reshape(-1, x.shape[2]), EDGES, axis=0)
    least = np.inf
    for values in (x, *((x < edge).astype(float) for edge in edges)):
        across = values.mean(axis=1).var(axis=0, ddof=1)
        least = min(least, float((values.var(axis=(0, 1)) / across).min()))
    return least


def gaps(post: hw.Posterior, long: dict[str, Any]) -> pd.DataFrame:
    """Differences from the `moments` of a long run, in joint Monte Carlo errors."""
    own = moments(post, by=long)
    assert own["names"] == long["names"]
    kinds = ("mean", "square", *(f"below {level:.0%}" for level in EDGES))
    return pd.DataFrame(
        {
            kind: (np.array(own[kind]) - np.array(long[kind]))
            / np.hypot(own[f"error of {kind}"], long[f"error of {kind}"])
            for kind in kinds
        },
        index=long["names"],
    )
