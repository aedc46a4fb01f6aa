"""The page's data as it prepares them, and its four models: at the top, and where lme4 stops.

The stopping points of lme4's default optimiser (lme4 1.1-31, R 4.2.2) are stored in
``hierwidgets/course/data/lme4_stops.csv``.
"""

import csv
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.course.models import MODELS
from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.likelihood.optimum import covariance, difference
from hierwidgets.model import Model

__all__ = ["fitted", "stopped", "stops", "tidy"]


def tidy(name: str) -> pd.DataFrame:
    """The data of a country as the page prepares them: an indicator, districts by their rate.

    Parameters
    ----------
    name
        "finland" or "uk".

    Examples
    --------
    >>> from hierwidgets.course.page.fits import tidy
    >>> tidy("finland")["district_id"].cat.categories[-2:].to_list()
    ['308', '309']
    """
    return _tidied(name).copy()


@cache
def _tidied(name: str) -> pd.DataFrame:
    data = load(name)
    data["contacted"] = (data["contacted"] == "Contacted").astype(int)
    district = data["district_id"].str.removeprefix("District ")
    order = data["contacted"].groupby(district).mean().sort_values(kind="stable").index
    data["district_id"] = pd.Categorical(district, categories=list(order), ordered=True)
    return data


@cache
def fitted(name: str) -> Fit:
    """One of the `MODELS` of the page at its maximum (Laplace, as the page's)."""
    if name not in MODELS:
        raise DataError(f"there is no model {name!r}; there are {list(MODELS)}")
    formula, data = MODELS[name]
    if data == "rainey2015":
        return Model(formula, load(data), "binomial", event="Contacted").maximize()
    return Model(formula, tidy(data), "binomial").maximize()


@cache
def stops() -> Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Where lme4's default optimiser stops: theta and beta, by model."""
    text = files("hierwidgets.course.data").joinpath("lme4_stops.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row["model"]: (
                np.array(row["theta"].split(";"), dtype=float),
                np.array(row["beta"].split(";"), dtype=float),
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


@cache
def stopped(name: str) -> Fit:
    """Our formulas at the point where lme4's default optimiser stops.

    Everything is evaluated there: log-likelihood, modes of the group effects, Hessian.

    Examples
    --------
    >>> from hierwidgets.course.page.fits import fitted, stopped
    >>> bool(stopped("uk").loglik < fitted("uk").loglik)
    True
    """
    top, (theta, beta) = fitted(name), stops()[name]
    evaluate = objective(layout(top.design), top.family, 1)
    m = len(theta)

    def gradient(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return evaluate(x[:m], x[m:], None).gradient

    at = np.concatenate([theta, beta])
    return replace(
        top,
        theta=theta,
        beta=beta,
        loglik=-0.5 * evaluate(theta, beta, None).neg2loglik + top.design.constant,
        gradient=gradient(at),
        covariance=covariance(difference(gradient, at, 1e-5)),
        modes=conditional_modes(top.design, top.family, beta, theta),
    )
