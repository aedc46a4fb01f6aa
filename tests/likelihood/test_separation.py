"""Separated outcomes: no finite estimate exists, and the fit says so; near misses fit."""

import numpy as np
import pandas as pd
import pytest

import hierwidgets as hw


def rows(seed: int = 5, n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"g": rng.integers(0, 10, n), "x": rng.normal(size=n)})
    frame["y"] = (rng.random(n) < 0.4).astype(int)
    frame["level"] = rng.choice(["a", "b", "c"], n)
    return frame


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_complete_separation(link: str) -> None:
    frame = rows()
    frame["y"] = (frame["x"] > 0).astype(int)
    with pytest.raises(hw.FitError, match="separate the outcomes"):
        hw.glmer("y ~ x + (1 | g)", frame, link=link)


@pytest.mark.parametrize("value", [0, 1])
def test_a_level_without_exception(value: int) -> None:
    frame = rows()
    frame.loc[frame["level"] == "c", "y"] = value
    with pytest.raises(hw.FitError, match=r"'level\[T.c\]' grows without bound"):
        hw.glmer("y ~ level + (1 | g)", frame)


def test_a_level_without_counts() -> None:
    frame = rows()
    frame["y"] = np.where(frame["level"] == "c", 0, frame["y"] + 1)
    with pytest.raises(hw.FitError, match=r"'level\[T.c\]' grows without bound"):
        hw.glmer("y ~ level + (1 | g)", frame, family="poisson")


def test_one_exception_is_enough_to_fit() -> None:
    frame = rows()
    inside = frame.index[frame["level"] == "c"]
    frame.loc[inside, "y"] = 0
    frame.loc[inside[0], "y"] = 1
    fit = hw.glmer("y ~ level + (1 | g)", frame)
    assert fit.converged
    assert fit.std_error["level[T.c]"] < 3


def test_a_steep_but_overlapping_slope_fits() -> None:
    rng = np.random.default_rng(1)
    x = np.linspace(-40, 40, 400)
    frame = pd.DataFrame({"x": x, "g": np.arange(400) % 8})
    frame["y"] = (rng.random(400) < 1 / (1 + np.exp(-x))).astype(int)
    fit = hw.glmer("y ~ x + (1 | g)", frame)
    assert fit.converged
    assert abs(fit.fixef["x"] - 1) < 4 * fit.std_error["x"]


def test_rare_events_are_not_separation() -> None:
    frame = pd.DataFrame({"g": np.arange(60_000) % 20, "x": np.arange(60_000) % 2})
    frame["y"] = 0
    frame.loc[[3, 777, 4_141, 30_000, 44_444], "y"] = 1
    fit = hw.glmer("y ~ x + (1 | g)", frame)
    assert fit.converged
    assert fit.fixef["Intercept"] < -7
