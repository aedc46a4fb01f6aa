"""Fits of the several-countries model, on the boundary of what a covariance can be.

`hierwidgets.fit.boundary` draws the likelihood around such a fit and pulls it off the boundary.
Here is what takes too long for a lecture, and so is kept in stored tables:

    python -m hierwidgets.course.studies.boundary [NAME ...]

writes ``hierwidgets/course/data/NAME.csv`` for each of

    searches    where general optimisers of SciPy stop on the several-countries model
    singular    fits to simulated surveys of 5, 10, 20 and 50 elections
    surface     the log-likelihood of that model over (sd of the slope, correlation)

The rows "lme4, ..." of ``lme4_rainey2015.csv`` come from R (lme4 1.1-31) and are not made here.
"""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_whole
from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError
from hierwidgets.fit.boundary import correlated_term, surface
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import fixed_only, objective
from hierwidgets.model import Model
from hierwidgets.spec.covariance import sd_corr

from .store import stored_table, write_tables

__all__ = ["more_elections", "search", "singular_fits", "stored"]


TRUTH = (0.5, 0.5, 0.0, 1.0)
"""theta from which `singular_fits` simulates: sds .5 of districts, .5 and 1 of elections."""


# --- optimisers ---------------------------------------------------------------------------

_METHODS = {
    "BFGS, differences": ("BFGS", {}),
    "L-BFGS-B, differences": ("L-BFGS-B", {}),
    "Nelder-Mead": ("Nelder-Mead", {}),
    "Nelder-Mead, patient": (
        "Nelder-Mead",
        {"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-7, "fatol": 1e-9, "adaptive": True},
    ),
    "Powell": ("Powell", {}),
}


def search(fit: Fit, method: str) -> dict[str, object]:
    """Where one of SciPy's optimisers stops, from standard starting values.

    It sees values of ``-2 log L`` only, as lme4's optimisers do, and starts at sds of 1 without
    correlation and at the coefficients of complete pooling.

    Parameters
    ----------
    method
        "BFGS, differences", "L-BFGS-B, differences", "Nelder-Mead", "Nelder-Mead, patient" or
        "Powell".
    """
    from scipy import optimize

    if method not in _METHODS:
        raise DataError(f"{method!r} is not known; choose one of {list(_METHODS)}")
    name, options = _METHODS[method]
    design, template, m = fit.design, fit.design.template, fit.design.template.m
    evaluate = objective(layout(design), fit.family, fit.n_agq)
    x0 = np.concatenate([template.start(), fixed_only(design, fit.family)])
    bounds = [(0.0, None) if d else (None, None) for d in template.diagonal]
    bounds += [(None, None)] * len(fit.beta)
    found: Any = optimize.minimize(
        lambda x: evaluate(x[:m], x[m:], None).neg2loglik, x0, method=name, options=options,
        bounds=None if name == "BFGS" else bounds,
    )  # fmt: skip
    theta = template.canonical(np.asarray(found.x[:m]))
    loglik = -0.5 * float(found.fun) + design.constant
    return _report(fit, method, theta, np.asarray(found.x[m:]), loglik, int(found.nfev))


def _report(
    fit: Fit, name: str, theta: Array, beta: Array, loglik: float, evaluations: int
) -> dict[str, object]:
    term = correlated_term(fit, "election_id")
    sd, corr = sd_corr(fit.design.template.factors(theta)[term])
    at = replace(fit, theta=theta)
    return {
        "optimiser": name, "evaluations": evaluations, "loglik": loglik,
        "interaction": float(beta[-1]), "sd_intercept": float(sd[0]), "sd_slope": float(sd[1]),
        "corr": float(corr[1, 0]), "singular": at.singular,
    }  # fmt: skip


def _fitted(data: pd.DataFrame) -> Fit:
    return Model(SEVERAL_COUNTRIES, data, "binomial", event="Contacted").maximize()


def _searches() -> pd.DataFrame:
    fit = _fitted(load("rainey2015"))
    return pd.DataFrame([search(fit, method) for method in _METHODS]).round(6)


def _surface() -> pd.DataFrame:
    fit = _fitted(load("rainey2015"))
    sds = [0.01, 0.04, *np.arange(0.1, 1.61, 0.1).round(2)]
    return surface(fit, "election_id", sds, np.linspace(-1, 1, 21).round(2).tolist()).round(4)


# --- simulated surveys --------------------------------------------------------------------


def more_elections(data: pd.DataFrame, times: int) -> pd.DataFrame:
    """The survey's design with every election `times` times, its districts under new labels.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> more_elections(hw.load("rainey2015"), 4)["election_id"].nunique()
    20
    """
    copies = [
        data.assign(
            election_id=data["election_id"] + f" ({i + 1})",
            district_id=data["district_id"] + f" ({i + 1})",
        )
        for i in range(check_whole(times, "times", least=1))
    ]
    return pd.concat(copies, ignore_index=True)


def singular_fits(elections: int, draws: int, seed: int) -> pd.DataFrame:
    """Fits of the several-countries model to surveys simulated from a truth off the boundary.

    The truth has the coefficients of the fit to the data, and `TRUTH`: sds of 0.5 and 1 between
    elections, uncorrelated.

    Parameters
    ----------
    elections
        A multiple of five: copies of the designs of the five elections.
    draws, seed
        Number of surveys; where their random numbers start.

    Returns
    -------
    DataFrame
        ``elections singular sd_intercept sd_slope corr interaction std_error truth``, a row per
        survey.
    """
    if elections % 5 or elections < 5:
        raise DataError(f"elections={elections!r} must be 5, 10, 15, ...")
    data = load("rainey2015")
    fit = _fitted(data)
    large = more_elections(data, elections // 5)
    design = _fitted(large)
    truth = replace(design, theta=np.array(TRUTH), beta=fit.beta)
    rows = []
    for y in truth.simulate(draws, seed):
        found = design.refit(y)
        sd = found.varcorr.query("group == 'election_id'")
        rows.append(
            {
                "elections": elections, "singular": found.singular,
                "sd_intercept": sd["sd"].iloc[0], "sd_slope": sd["sd"].iloc[1],
                "corr": sd["corr"].iloc[2], "interaction": found.beta[-1],
                "std_error": found.std_error.iloc[-1], "truth": fit.beta[-1],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _singular() -> pd.DataFrame:
    sizes = {5: 400, 10: 400, 20: 300, 50: 200}
    parts = [singular_fits(k, draws, seed=k) for k, draws in sizes.items()]
    return pd.concat(parts, ignore_index=True).round(4)


# --- stored tables ------------------------------------------------------------------------

_MAKERS = {"searches": _searches, "singular": _singular, "surface": _surface}


def stored(name: str) -> pd.DataFrame:
    """A stored table: "searches", "singular", "surface" (see the module) or "lme4_rainey2015".

    Examples
    --------
    >>> stored("lme4_rainey2015").query("quantity == 'loglik'")["value"].round(3).to_list()
    [-2782.157, -2782.157]
    """
    return stored_table(name, [*_MAKERS, "lme4_rainey2015"])


if __name__ == "__main__":
    sys.exit(write_tables(sys.argv[1:], _MAKERS))
