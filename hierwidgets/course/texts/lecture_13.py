"""Lecture 13: who answered, the national rate, districts, many surveys, what weights cannot do."""

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.course.studies.poststratification import (
    AGES,
    ANSWERS,
    EAGER,
    EDUCATIONS,
    INSIDE,
    SPREAD,
    TYPICAL,
)
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.poststrat import estimates, kinds, turned

__all__ = [
    "by_share", "districts", "many", "national", "raw_rate", "still_wrong", "the_country",
    "who_answered",
]  # fmt: skip

_NAMES = ("raw", "modelled", "poststratified")


def the_country(cells: pd.DataFrame) -> Markdown:
    """How many cells and people there are."""
    districts = cells.groupby("district")["n"].sum()
    assert len(cells) == len(districts) * 9
    assert (TYPICAL, SPREAD) == (-1.9, 0.5)
    assert list(EDUCATIONS.values()) == [0.0, 0.5, 1.1]
    assert list(AGES.values()) == [0.0, 0.4, 0.8]
    return Markdown(
        f"{len(districts)} districts times three times three are {len(cells)} cells, with "
        f"{cells['n'].sum() / 1e6:.1f} million people. The smallest district has "
        f"{districts.min() / 1e3:.0f} thousand of them, the largest {districts.max() / 1e3:.0f}."
    )


def who_answered(poll: pd.DataFrame, cells: pd.DataFrame) -> Markdown:
    """The shares of each education in the country and in the sample."""
    country = cells.groupby("education")["n"].sum() / cells["n"].sum()
    sample = poll.groupby("education")["respondents"].sum() / poll["respondents"].sum()
    assert (ANSWERS["degree"], ANSWERS["school"], EAGER["35-59"]) == (0.32, 0.08, 1.0)
    assert sample["degree"] > 2 * country["degree"]
    assert sample["school"] < country["school"] / 1.9
    few = poll.groupby("district")["respondents"].sum()
    rows = "\n".join(
        f"| {kind} | {country[kind]:.0%} | {sample[kind]:.0%} |"
        for kind in ("school", "training", "degree")
    )
    return Markdown(
        f"""
| education | of the country | of the sample |
|---|---|---|
{rows}

Respondents per district: from {few.min():.0f} to {few.max():.0f}. {len(cells) - len(poll)} of the
{len(cells)} cells have none at all.
"""
    )


def raw_rate(raw: float, truth: float, n: int) -> Markdown:
    """The raw rate against the truth, in standard errors."""
    se = np.sqrt(raw * (1 - raw) / n)
    gap = (raw - truth) / se
    assert gap > 5
    return Markdown(
        f"Raw: {raw:.3f}. The country: {truth:.3f}. The sample is {100 * (raw - truth):.0f} points "
        f"too high, {gap:.1f} of its standard errors of {se:.3f}. A larger sample would not help: "
        "it would be more certain of the wrong number."
    )


def national(found: pd.DataFrame, by_hand: float, truth: float) -> Markdown:
    """The poststratified rate and its interval; why it is not the sum at the modes."""
    row = found.iloc[0]
    assert row["conf_low"] < truth < row["conf_high"]
    assert by_hand < row["estimate"]
    return Markdown(
        f"Poststratified: {row['estimate']:.3f}, 90 % interval {row['conf_low']:.3f} to "
        f"{row['conf_high']:.3f}; the truth, {truth:.3f}, is inside. By hand we got {by_hand:.3f}, "
        "at the best guess of every coefficient and district. `hw.poststratify` draws 4,000 sets "
        "of them, takes the country's rate in each, and averages: the average over a bent curve "
        "is not the curve at the average. Its interval holds all that is uncertain *together*: "
        "cells share coefficients and err together, so their errors do not cancel as those of "
        "strangers would."
    )


def by_share(fit: Fit, cells: pd.DataFrame) -> str:
    """Caption of the rate by the share of degrees; how much of the gap they account for."""
    found = kinds(fit, cells, by="education")
    k = found.names.index("degree")
    shares = turned(found, found.census, k, found.sample[k])
    at_census, at_sample = (
        estimates(found, weights)["estimate"].iloc[2] for weights in (found.census, shares)
    )
    raw = found.raw[0]
    assert at_census < at_sample < raw
    return (
        "**Figure 1.** The rate the country would have with other shares of degrees, and its 90 % "
        f"interval. At the census it is {at_census:.3f}, with as many degrees as in the sample "
        f"{at_sample:.3f}. The rest of the way to the raw {raw:.3f} is age, the mix of the other "
        "two, and who answered in which district."
    )


def _errors(rates: pd.DataFrame) -> dict[str, float]:
    return {name: float(np.sqrt(((rates[name] - rates["truth"]) ** 2).mean())) for name in _NAMES}


def districts(rates: pd.DataFrame) -> str:
    """Caption of the districts: root mean squared errors of three estimates."""
    errors = _errors(rates)
    assert errors["raw"] > errors["modelled"] > errors["poststratified"]
    pooled = errors["raw"] - errors["modelled"]
    weighted = errors["modelled"] - errors["poststratified"]
    assert pooled > weighted
    worst = rates.iloc[int((rates["raw"] - rates["truth"]).abs().argmax())]
    return (
        f"**Figure 2.** The {len(rates)} districts: estimate against truth, right on the line; "
        f"larger marks have more respondents. Root mean squared errors: raw {errors['raw']:.3f}, "
        f"modelled {errors['modelled']:.3f}, poststratified {errors['poststratified']:.3f}. The "
        f"model takes away {pooled:.3f}, mostly noise; the weights another {weighted:.3f}, "
        f"mostly tilt. Farthest off, raw, is {worst['district']}: {worst['raw']:.2f} from "
        f"{worst['respondents']:.0f} respondents, in truth {worst['truth']:.2f}."
    )


def _held(table: pd.DataFrame, low: str, high: str, truth: float) -> float:
    return float(((table[low] <= truth) & (truth <= table[high])).mean())


def many(table: pd.DataFrame, truth: float) -> Markdown:
    """What many surveys find: averages, coverage and its Monte Carlo error, districts."""
    alike = table[table["inside"] == 1.0]
    count = len(alike)
    held = _held(alike, "low", "high", truth)
    error = np.sqrt(held * (1 - held) / count)
    assert abs(held - 0.9) < 2 * error
    raw = _held(alike, "raw_low", "raw_high", truth)
    assert raw < 0.01
    rmse = alike[[f"rmse_{name}" for name in _NAMES]].mean()
    assert (alike["rmse_poststratified"] < alike["rmse_raw"]).all()
    return Markdown(
        f"""
| {count} surveys, truth {truth:.3f} | raw | modelled | poststratified |
|---|---|---|---|
| national rate, on average | {alike["raw"].mean():.3f} | {alike["modelled"].mean():.3f} \
| {alike["poststratified"].mean():.3f} |
| error of districts (RMSE), on average | {rmse.iloc[0]:.3f} | {rmse.iloc[1]:.3f} \
| {rmse.iloc[2]:.3f} |

The 90 % interval of the poststratified rate holds the truth in {held:.1%} of the surveys, within
two of its Monte Carlo errors ({100 * error:.1f} points) of what it says. The raw interval does in
{raw:.1%}. The error of districts is smaller poststratified than raw in every single survey.
"""
    )


def still_wrong(table: pd.DataFrame, truth: float) -> Markdown:
    """The same where the contacted of a cell answer more often."""
    inside = table[table["inside"] == INSIDE]
    assert INSIDE == 1.3
    held = _held(inside, "low", "high", truth)
    off = inside["poststratified"].mean() - truth
    assert held < 0.1
    assert off > 0.04
    width = (inside["high"] - inside["low"]).mean()
    other = table[table["inside"] == 1.0]
    assert width < 1.1 * (other["high"] - other["low"]).mean()
    return Markdown(
        f"Again {len(inside)} surveys. Raw {inside['raw'].mean():.3f} on average, poststratified "
        f"{inside['poststratified'].mean():.3f}: still {100 * off:.0f} points too high. The "
        f"intervals, hardly wider than before, hold the truth in {held:.0%} of the surveys, and "
        "nothing in the data says so. An interval counts what the model knows that it does not "
        "know, and no more."
    )
