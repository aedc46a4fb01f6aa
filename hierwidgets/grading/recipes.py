"""Other data from the same model, for students who get data of their own.

A recipe draws the data of one assignment anew from the model that its lecture fits: new effects,
new outcomes, in the same districts with the same respondents. Not all that can be drawn can be
asked about: where a question would lose its answer the recipe gives None, and the next draw is
taken. What each recipe asks of its data is its `rule`, in words.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, expit, normal_quantile
from hierwidgets.data.datasets import load
from hierwidgets.effects.comparisons import comparisons
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.pooling import partial_pooling
from hierwidgets.model import glmer

__all__ = ["RECIPES", "Drawn", "Recipe"]

OUTCOMES = np.array(["Not Contacted", "Contacted"])


@dataclass(frozen=True, slots=True)
class Drawn:
    """Data of one student.

    Attributes
    ----------
    files
        What stands beside the notebook, by name.
    facts
        What a person needs who reads the student's words: estimates of these data.
    """

    files: Mapping[str, bytes]
    facts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the data of an assignment are drawn anew.

    Attributes
    ----------
    draw
        Data from a generator, or None where a question would lose its answer.
    words
        What the student is told about the data, at the top of the notebook.
    rule
        What the data must satisfy, in words.
    given, own
        How the notebook reads the lecture's data, and how it reads the student's; both empty
        where the files beside the notebook are all that differs.
    """

    draw: Callable[[np.random.Generator, Mapping[str, bytes]], Drawn | None]
    words: str
    rule: str
    given: str = ""
    own: str = ""


def _survey(name: str) -> pd.DataFrame:
    """A data set of the lectures with its outcome as 0 and 1 in the column y."""
    data = load(name)
    return data.assign(y=(data["contacted"] == OUTCOMES[1]).astype(int))


def _csv(data: pd.DataFrame) -> bytes:
    """The data as they are shipped: the outcome in words."""
    words = data.assign(contacted=OUTCOMES[data["y"].to_numpy()]).drop(columns="y")
    return words.to_csv(index=False, lineterminator="\n").encode()


@cache
def _generating(name: str, formula: str) -> tuple[pd.DataFrame, Fit]:
    """A survey, and the model of the lecture fitted to it."""
    data = _survey(name)
    return data, glmer(formula, data, family="binomial")


def _again(name: str, formula: str, generator: np.random.Generator) -> pd.DataFrame:
    """The survey with new effects and new outcomes."""
    data, fit = _generating(name, formula)
    return data.assign(y=fit.simulate(1, generator)[0].astype(int))


# --- assignment 1: Finland ---

FINLAND = "y ~ 1 + (1 | district_id)"
HIGHEST, SECOND = "District 309", "District 308"


def _finland(generator: np.random.Generator, given: Mapping[str, bytes]) -> Drawn | None:
    data = _again("finland", FINLAND, generator)
    table = data.groupby("district_id")["y"].agg(y="sum", n="size")
    rates = (table["y"] / table["n"]).sort_values(ascending=False)
    apart = rates[HIGHEST] - rates[SECOND]
    if list(rates.index[:2]) != [HIGHEST, SECOND] or not 0 < apart < 0.15 or rates.iloc[-1] == 0:
        return None
    if rates[SECOND] == rates.iloc[2]:
        return None
    fit, exact = (glmer(FINLAND, data, family="binomial", n_agq=k) for k in (1, 25))
    mu, sigma = float(fit.fixef.iloc[0]), float(fit.theta[0])
    off = max(abs(mu - exact.fixef.iloc[0]), abs(sigma - exact.theta[0]))
    if not 0.15 < sigma < 0.7 or off > 0.01:
        return None
    modes = partial_pooling(fit).set_index("level")["estimate"]
    if modes[SECOND] < modes[HIGHEST] + 0.0005:
        return None
    facts = {"mu": mu, "sigma": sigma}
    for level in (HIGHEST, SECOND):
        number, mode = level.removeprefix("District "), modes[level]
        weight = 1 / (1 + 1 / (sigma**2 * table.loc[level, "n"] * mode * (1 - mode)))
        facts |= {f"y_{number}": table.loc[level, "y"], f"n_{number}": table.loc[level, "n"],
                  f"mode_{number}": mode, f"weight_{number}": weight}  # fmt: skip
    return Drawn({"finland.csv": _csv(data)}, facts)


# --- assignment 2: simulated countries ---

COUNTRIES = {"finland": (-1.37, 0.31), "uk": (-0.87, 0.80), "alike": (-1.37, 0.08)}


def _countries(generator: np.random.Generator, given: Mapping[str, bytes]) -> Drawn:
    stored = np.load(io.BytesIO(given["draws.npz"]))
    arrays: dict[str, Any] = {}
    for name, (mu, sigma) in COUNTRIES.items():
        n = stored[f"{name}_n"]
        truth = expit(generator.normal(mu, sigma, stored[f"{name}_truth"].shape))
        arrays[f"{name}_truth"] = truth.astype(np.float32)
        arrays[f"{name}_y"] = generator.binomial(n, truth).astype(np.int16)
        arrays[f"{name}_n"] = n
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return Drawn({"draws.npz": file.getvalue()}, {})


# --- assignment 3: the United Kingdom with a predictor ---

PREDICTOR = "district_competitiveness"
UK = f"y ~ {PREDICTOR} + (1 | district_id)"


def _uk(generator: np.random.Generator, given: Mapping[str, bytes]) -> Drawn | None:
    data = _again("uk", UK, generator)
    fit = glmer(UK, data, family="binomial")
    exact = glmer(UK, data, family="binomial", n_agq=25)
    without = glmer("y ~ 1 + (1 | district_id)", data, family="binomial")
    if min(fit.theta[0], exact.theta[0], without.theta[0]) < 0.25:
        return None
    rise = comparisons(fit, {PREDICTOR: [0.5, 0.8]}, re_formula="~0", newdata=data.head(1)).iloc[0]
    x = data.groupby("district_id")[PREDICTOR].first()
    rates = partial_pooling(without).set_index("level")["estimate"].reindex(x.index)
    one, two = float(rise["estimate"]) / 0.3, float(np.polyfit(x, rates, 1)[0])
    if rise["conf_low"] < 0 or two > 0.45 * one:
        return None
    folds = pd.read_csv(io.BytesIO(given["folds.csv"]))["fold"].to_numpy()
    alike, by_district = _log_scores(data, folds)
    if by_district > alike - 0.01:
        return None
    facts = {
        "gamma0": exact.fixef.iloc[0], "gamma1": exact.fixef.iloc[1], "sigma": exact.theta[0],
        "one_step": one, "two_step": two, "difference": rise["estimate"],
        "conf_low": rise["conf_low"], "conf_high": rise["conf_high"],
    }  # fmt: skip
    return Drawn({"uk.csv": _csv(data)}, facts)


def _log_scores(data: pd.DataFrame, folds: Array) -> tuple[float, float]:
    """The log scores of complete and of no pooling for rows left out."""
    p = np.empty((2, len(data)))
    for k in np.unique(folds):
        train, test = data[folds != k], folds == k
        own = train.groupby("district_id")["y"].agg(["sum", "size"])
        own = own.reindex(data.loc[test, "district_id"]).fillna(0)
        p[0, test], p[1, test] = train["y"].mean(), (own["sum"] + 0.5) / (own["size"] + 1)
    alike, by_district = np.log(np.where(data["y"] == 1, p, 1 - p)).mean(axis=1)
    return float(alike), float(by_district)


# --- assignment 4: several countries ---

SEVERAL = f"y ~ {PREDICTOR} * electoral_rules + (1 | district_id) + (1 | election_id)"
COEFFICIENTS = ["b0", "b_comp", "b_smd", "b_inter"]
SLOPES = {"PR": np.array([0.0, 1, 0, 0]), "SMD": np.array([0.0, 1, 0, 1])}


def _several(generator: np.random.Generator, given: Mapping[str, bytes]) -> Drawn | None:
    data, (_, original) = (
        _again("rainey2015", SEVERAL, generator),
        _generating("rainey2015", SEVERAL),
    )
    fit = glmer(SEVERAL, data, family="binomial")
    if fit.theta.min() < 0.05:
        return None
    draws = pd.read_csv(io.BytesIO(given["draws.csv"]))
    draws[COEFFICIENTS] += (fit.fixef - original.fixef).to_numpy()
    draws["sd_district"] *= fit.theta[0] / original.theta[0]
    for rules, slope in SLOPES.items():
        at, sd = slope @ fit.fixef.to_numpy(), (slope @ fit.vcov.to_numpy() @ slope) ** 0.5
        by_fit = abs(at) > normal_quantile(0.95) * sd
        low, high = np.quantile(draws[COEFFICIENTS] @ slope, [0.05, 0.95])
        if {bool(by_fit), bool(low > 0 or high < 0)} != {rules == "SMD"}:
            return None
    facts = {name: float(draws[name].median()) for name in (*COEFFICIENTS, "sd_district")}
    for c in (0.3, 0.8):
        pr, smd = (expit(draws[COEFFICIENTS].to_numpy() @ [1, c, s, c * s]) for s in (0, 1))
        up, down = draws["b_comp"] + draws["b_inter"], draws["b_comp"]
        both = {"first": smd - pr, "second": smd * (1 - smd) * up - pr * (1 - pr) * down}
        for what, values in both.items():
            names = (f"{what}_{c}", f"{what}_{c}_low", f"{what}_{c}_high")
            facts |= dict(zip(names, np.quantile(values, [0.5, 0.05, 0.95]), strict=True))
    files = {"rainey2015.csv": _csv(data), "draws.csv": _table(draws)}
    return Drawn(files, facts)


def _table(draws: pd.DataFrame) -> bytes:
    return draws.to_csv(index=False, float_format="%.5f", lineterminator="\n").encode()


RECIPES: Mapping[str, Recipe] = {
    "A1": Recipe(
        _finland,
        "They were simulated from the model of lecture 03 as it is fitted to Finland: the same "
        "districts and respondents, other effects, other answers. Numbers that the lectures print "
        "are Finland's own; yours differ.",
        "309 has the highest rate and 308 the second highest, less than .15 apart and no other at "
        "their rates; every district has somebody who was contacted; sigma lies between .15 and .7 "
        "and is no boundary; Laplace's approximation and quadrature agree within .01; at the mode "
        "308 ends above 309.",
        'hw.load("finland")',
        'pd.read_csv("finland.csv")',
    ),
    "A2": Recipe(
        _countries,
        "The countries in `draws.npz` were simulated for you alone, with the truths, sizes and "
        "numbers of repetitions of the lectures.",
        "Every draw is taken: over so many repetitions the errors of the three estimators are "
        "those of the truths, far within what the checks allow for.",
    ),
    "A3": Recipe(
        _uk,
        "They were simulated from the model of lecture 07 as it is fitted to the United Kingdom: "
        "the same districts and respondents, other effects, other answers. Numbers that the "
        "lectures print are the original's; yours differ.",
        "No sigma is below .25; the first difference between .5 and .8 is clear of zero; the "
        "two-step slope is less than .45 of the one-step slope; for rows left out the district's "
        "own rate forecasts worse than the rate of all, by .01 or more.",
        'hw.load("uk")',
        'pd.read_csv("uk.csv")',
    ),
    "A4": Recipe(
        _several,
        "They were simulated from the lecture's model as it is fitted to the five elections: the "
        "same districts and respondents, other effects, other answers. `draws.csv` holds the draws "
        "of the original's converged run, moved as a whole by the difference between a fit to your "
        "data and a fit to the original, which is what another survey does to a posterior in "
        "large samples. Numbers of the page are the original's; yours differ.",
        "No standard deviation is estimated at zero; at a competitiveness of .8 the marginal "
        "effect is clear of zero under SMD and not under PR, by a fit and by the draws.",
        'hw.load("rainey2015")',
        'pd.read_csv("rainey2015.csv")',
    ),
}  # fmt: skip
