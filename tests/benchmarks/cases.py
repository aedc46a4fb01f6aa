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
