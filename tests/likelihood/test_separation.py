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


# --- which rows, which coefficients ---------------------------------------------------------------

CELLS = {
    "the first level": (lambda d: d["level"] == "a", "level = 'a'"),
    "a middle level": (lambda d: d["level"] == "b", "level = 'b'"),
    "the last level": (lambda d: d["level"] == "c", "level = 'c'"),
}
NAMES = {
    ("level", "a"): "'Intercept', 'level[T.b]', 'level[T.c]'",
    ("level", "b"): "'level[T.b]'",
    ("level", "c"): "'level[T.c]'",
    ("0 + level", "a"): "'level[a]'",
    ("0 + level", "b"): "'level[b]'",
    ("0 + level", "c"): "'level[c]'",
    ('C(level, contr.treatment("b"))', "b"): "'Intercept', "
    "\"C(level, contr.treatment('b'))[T.a]\", \"C(level, contr.treatment('b'))[T.c]\"",
}


def told(formula: str, frame: pd.DataFrame, **options: object) -> str:
    with pytest.raises(hw.FitError) as error:
        hw.glmer(formula, frame, **options)  # type: ignore[arg-type]
    assert str(error.value).startswith("the predictors separate the outcomes: ")
    return str(error.value)


def shown(said: str) -> np.ndarray:
    """The values in "(here 1.2, -3)"."""
    return np.array([float(v) for v in said.partition("(here ")[2].partition(")")[0].split(", ")])


@pytest.mark.parametrize("kind", ["logit", "probit", "cloglog", "poisson"])
@pytest.mark.parametrize(("part", "level"), NAMES)
def test_a_level_of_any_coding(kind: str, part: str, level: str) -> None:
    """The rows by their level, whichever coding; the coefficients that they rest on."""
    frame = rows().assign(x=lambda d: d["x"].round(1))
    inside = frame["level"] == level
    options = {"family": "poisson"} if kind == "poisson" else {"link": kind}
    for value in (0,) if kind == "poisson" else (0, 1):
        y = np.where(inside, value, frame["y"] + (kind == "poisson"))
        said = told(f"y ~ {part} + x + (1 | g)", frame.assign(y=y), **options)
        assert f"'y' is {value} in all {inside.sum()} rows with level = {level!r}, so" in said
        assert f"{NAMES[part, level]} grow" in said
        assert (np.abs(shown(said)) > 2).all()


@pytest.mark.parametrize("a", ["a", "c"])
@pytest.mark.parametrize("b", ["p", "q"])
def test_a_cell_of_two_factors(a: str, b: str) -> None:
    frame = rows(n=400).assign(h=lambda d: np.where(d["x"] > 0, "p", "q"))
    inside = (frame["level"] == a) & (frame["h"] == b)
    frame["y"] = np.where(inside, 1, frame["y"])
    said = told("y ~ level * h + (1 | g)", frame)
    assert f"'y' is 1 in all {inside.sum()} rows with h = {b!r} and level = {a!r}" in said
    assert np.abs(shown(said)).min() > 2
    assert hw.glmer("y ~ level + h + (1 | g)", frame).converged  # no coefficient of that cell


@pytest.mark.parametrize("flip", [False, True])
def test_two_levels_at_once(flip: bool) -> None:
    frame = rows()
    frame.loc[frame["level"] == "a", "y"] = 0
    frame.loc[frame["level"] == "c", "y"] = int(flip)
    said = told("y ~ level + (1 | g)", frame)
    assert "level = 'a'" in said
    assert f"'y' is {int(flip)} in all" in said
    assert "level = 'c'" in said
    assert np.abs(shown(said)).min() > 2  # and no coefficient that stays where it is


@pytest.mark.parametrize("value", [False, True])
def test_a_boolean(value: bool) -> None:
    frame = rows().assign(on=lambda d: d["x"] > 0)
    frame.loc[frame["on"] == value, "y"] = 1
    assert f"'y' is 1 in all {(frame['on'] == value).sum()} rows with on = {value}" in told(
        "y ~ on + (1 | g)", frame
    )


@pytest.mark.parametrize("shift", [0.0, 2010.0, -5.0])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_line_in_any_unit(shift: float, unit: float, sign: int) -> None:
    """The slope is named with its value, in whatever unit; the intercept is not blamed."""
    frame = rows().assign(x=lambda d: unit * (shift + d["x"]))
    frame["y"] = (sign * (frame["x"] - unit * shift) > 0.3 * unit).astype(int)
    said = told("y ~ x + level + (1 | g)", frame)
    assert "so the coefficient of 'x' grows without bound" in said
    assert np.sign(shown(said)) == sign
    assert abs(shown(said)[0]) * unit > 10


def test_the_words_follow_the_response() -> None:
    frame = rows()
    frame["said"] = np.where((frame["y"] == 1) & (frame["level"] != "c"), "yes", "no")
    assert "'said' is not 'yes' in all" in told("said ~ level + (1 | g)", frame, event="yes")
    assert "'said' is 'no' in all" in told("said ~ level + (1 | g)", frame, event="no")
    counts = frame.assign(n=5, s=np.where(frame["level"] == "c", 5, 2))
    assert "'s' is n in all" in told("p(s, n) ~ level + (1 | g)", counts)
    assert "'s' is 5 in all" in told("p(s, 5) ~ level + (1 | g)", counts)


def test_predictors_that_tell_together() -> None:
    frame = rows().assign(w=lambda d: np.roll(d["x"], 7))
    frame["y"] = (frame["x"] + frame["w"] > 0.1).astype(int)
    said = told("y ~ x + w + (1 | g)", frame)
    assert "the predictors together tell the outcome" in said
    assert "'x', 'w' grow without bound" in said
