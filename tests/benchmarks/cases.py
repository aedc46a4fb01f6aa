"""The models that are timed, and the data simulated for the large ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

import hierwidgets as hw

SEVERAL = (
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A model of one of the lectures' data sets; `title` is what the table calls it."""

    title: str
    data: str
    formula: str

    def fit(self, frame: pd.DataFrame) -> hw.Fit:
        """From formula and data frame to the fit."""
        return hw.glmer(self.formula, frame, "binomial", event="Contacted")

    def model(self, frame: pd.DataFrame) -> hw.Model:
        """The model with its design built."""
        return hw.Model(self.formula, frame, "binomial", event="Contacted")


CASES = {
    "finland": Case("Finland", "finland", "contacted ~ 1 + (1 | district_id)"),
    "uk0": Case("UK", "uk", "contacted ~ 1 + (1 | district_id)"),
    "uk1": Case(
        "UK, one predictor", "uk", "contacted ~ district_competitiveness + (1 | district_id)"
    ),
    "several": Case("several countries", "rainey2015", SEVERAL),
}
CROSSED = "y ~ x + (1 | a) + (1 | b) + (1 | c)"
CROSSED_ROWS, CROSSED_LEVELS = 73_421, {"a": 2_972, "b": 1_128, "c": 14}
RATINGS = "y ~ x + (1 | person) + (1 | item)"
SLOPES = "y ~ a + b + c + (1 + a + b + c | g)"
MILLION = "y ~ x + (1 | g)"


def crossed(seed: int = 73_421) -> pd.DataFrame:
    """A Gaussian outcome with three crossed scalar terms."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.integers(0, 2, CROSSED_ROWS)})
    y = 3.0 + 0.1 * frame["x"] + rng.normal(0.0, 1.2, CROSSED_ROWS)
    for (name, levels), sd in zip(CROSSED_LEVELS.items(), (0.33, 0.5, 0.1), strict=True):
        frame[name] = rng.integers(0, levels, CROSSED_ROWS)
        y += rng.normal(0.0, sd, levels)[frame[name]]
    return frame.assign(y=y)


def ratings(
    rows: int = 200_000,
    people: int = 6_040,
    items: int = 3_706,
    family: str = "gaussian",
    seed: int = 7,
) -> pd.DataFrame:
    """Ratings of items by people; the share of an item is one over its rank (Zipf)."""
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, items + 1)
    person, item = rng.integers(0, people, rows), rng.choice(items, rows, p=share / share.sum())
    x = rng.normal(size=rows)
    eta = 0.1 * x + rng.normal(0.0, 0.4, people)[person] + rng.normal(0.0, 0.6, items)[item]
    return pd.DataFrame({"y": _outcome(rng, eta, family), "x": x, "person": person, "item": item})


def slopes(rows: int = 50_000, groups: int = 1_000, seed: int = 7) -> pd.DataFrame:
    """A Gaussian outcome whose intercept and three slopes vary by group, all correlated."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["a", "b", "c"])
    g = rng.integers(0, groups, rows)
    root = np.tril(np.full((4, 4), 0.15)) + np.diag([0.4, 0.3, 0.2, 0.1])
    effects = rng.normal(size=(groups, 4)) @ root.T
    X = np.column_stack([np.ones(rows), frame])
    y = X @ [1.0, 0.5, -0.3, 0.2] + np.einsum("ij,ij->i", X, effects[g]) + rng.normal(size=rows)
    return frame.assign(g=g, y=y)


def grouped(
    rows: int, groups: int, family: str, patterns: int | None = None, seed: int = 1
) -> pd.DataFrame:
    """One scalar group term and one predictor of `patterns` values (None: all distinct)."""
    rng = np.random.default_rng(seed)
    x = rng.random(rows) if patterns is None else rng.integers(0, patterns, rows) / (patterns - 1)
    g = rng.integers(0, groups, rows)
    eta = -0.5 + 0.8 * x + rng.normal(0.0, 0.7, groups)[g]
    return pd.DataFrame({"y": _outcome(rng, eta, family), "x": x, "g": g})


def many_terms(rows: int, levels: int, terms: int, family: str, seed: int = 2) -> pd.DataFrame:
    """Crossed scalar terms g0, g1, ... of `levels` levels each."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.random(rows)})
    eta = -0.5 + 0.8 * frame["x"].to_numpy()
    for i in range(terms):
        g = rng.integers(0, levels, rows)
        frame[f"g{i}"] = g
        eta = eta + rng.normal(0.0, 0.5, levels)[g]
    return frame.assign(y=_outcome(rng, eta, family))


def _outcome(rng: np.random.Generator, eta: np.ndarray, family: str) -> np.ndarray:
    if family == "gaussian":
        return eta + rng.normal(size=len(eta))
    return (rng.random(len(eta)) < 1.0 / (1.0 + np.exp(-eta))).astype(np.int64)
