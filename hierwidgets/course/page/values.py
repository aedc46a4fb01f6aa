"""Ours, for every number the page prints, computed from the data.

`page` holds what the page prints. This module computes the same numbers anew, item by item: from
the data, from our fits of the four models, and, for the page's last model, from the draws that
are shipped with the package. `table` puts the two side by side with a verdict for each.

Where R's default optimiser stopped short of the top, `where_it_stops` evaluates our own formulas
at its stopping point. If the page's number comes out there, that was the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
import pandas as pd

from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError, MissingExtraError
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.pooling import complete_pooling, no_pooling, partial_pooling
from hierwidgets.posterior import convergence
from hierwidgets.posterior.posterior import Posterior, load_posterior

from . import printed
from .fits import fitted, stopped, tidy

__all__ = ["ours", "settings", "table", "where_it_stops"]

Values = dict[str, printed.Values]
Stage = Callable[[str], Fit]

_ELECTIONS_ONLY = "~ (1 + district_competitiveness | election_id)"
_GRID = ["district_id", "election_id", "district_competitiveness", "electoral_rules"]
_CALL = {"chains": 10, "iter": 4000}  # what the page asks of brms (its call, not its output)


@cache
def _posterior() -> Posterior:
    return load_posterior("rainey2015")


# --- the page's frames --------------------------------------------------------------------


@cache
def _raw(name: str) -> pd.DataFrame:
    return no_pooling(tidy(name), "contacted", "district_id").astype({"level": str})


@cache
def _complete(name: str) -> pd.DataFrame:
    return complete_pooling(tidy(name), "contacted", "district_id")[["level", "estimate"]]


def _rates(fit: Fit) -> pd.DataFrame:
    """The estimates of the districts, in the order of their raw rates."""
    return partial_pooling(fit)[["level", "estimate"]].astype({"level": str})


def _districts() -> pd.DataFrame:
    """The British districts, each once, as they come in the data."""
    columns = ["district_id", "district_competitiveness"]
    return tidy("uk")[columns].drop_duplicates().astype({"district_id": str})


def _shape(frame: pd.DataFrame) -> Values:
    return {"rows": frame.shape[0], "columns": frame.shape[1]}


def _by_level(frame: pd.DataFrame, column: str) -> "pd.Series[float]":
    return frame.set_index("level")[column]


def _multiplier(name: str) -> float:
    """How many standard errors the 90 % interval of `no_pooling` reaches."""
    raw = _raw(name).query("std_error > 0")
    return float(((raw["conf_high"] - raw["estimate"]) / raw["std_error"]).mean())


# --- items: each a function of the fits' stage, top or stopping point --------------------------


def _display(fit: Fit) -> Values:
    """What arm::display prints of a fit, but for its coefficients."""
    return {
        "residual": fit.sigma,
        "nobs": fit.nobs,
        "aic": fit.aic,
        "dic": fit.dic,
        "deviance": fit.conditional_deviance,
    }


def _one_group(fit: Fit) -> Values:
    sd = float(fit.varcorr["sd"].iloc[0])
    return _display(fit) | {"sigma": sd, "groups": fit.ranef["level"].nunique()}


def _mu(fit: Fit) -> Values:
    return {"mu": float(fit.fixef["Intercept"])}


def _intercept_only(fit: Fit) -> Values:
    return _one_group(fit) | _mu(fit) | {"std_error": float(fit.std_error["Intercept"])}


def _effects(fit: Fit) -> "pd.Series[float]":
    return _by_level(fit.ranef.astype({"level": str}), "mode")


def _tidied(name: str) -> Values:
    data = tidy(name)
    wanted = [c for c in ("contacted", "district_competitiveness") if c in data]
    return _shape(data) | {c: data[c] for c in wanted}


def _first_estimates() -> Values:
    raw = _raw("finland")[["level", "estimate", "n", "std_error"]]
    return _shape(raw) | {c: _by_level(raw, c) for c in ("estimate", "n", "std_error")}


def _finland_stacked(fit: Fit) -> Values:
    raw = _raw("finland")[["level", "estimate", "n", "std_error"]]
    both = {"initial ML": raw, "hierarchical": _rates(fit)}
    long = pd.concat(both, names=["type"]).reset_index("type")
    first = long[long["type"] == "initial ML"]
    return _shape(long) | {c: _by_level(first, c) for c in ("estimate", "n", "std_error")}


def _labelled_rates(fit: Fit) -> Values:
    rates = _rates(fit)
    return _shape(rates) | {"estimate": _by_level(rates, "estimate")}


def _uk_raw() -> Values:
    raw = _raw("uk")[["level", "estimate", "n", "std_error"]]
    return _shape(raw) | {c: raw[c] for c in ("estimate", "n", "std_error")}


def _listed(frame: pd.DataFrame) -> Values:
    return _shape(frame) | {"estimate": frame["estimate"]}


def _stack_uk(partial: pd.DataFrame) -> pd.DataFrame:
    kinds = {"no": _raw("uk")[["level", "estimate"]], "partial": partial}
    kinds["complete"] = _complete("uk").astype({"level": str})
    return pd.concat(kinds, names=["type"]).reset_index("type")


def _uk_stacked(fit: Fit) -> Values:
    """By district, the three kinds in turn."""
    long = _stack_uk(_rates(fit))
    place = {level: i for i, level in enumerate(_raw("uk")["level"])}
    return _listed(long.sort_values("level", key=lambda v: v.map(place), kind="stable"))


def _uk_stacked_with_x(fit: Fit) -> Values:
    return _listed(_stack_uk(_uk_with_x(fit).rename(columns={"district_id": "level"})))


def _uk_joined(fit: Fit) -> Values:
    x = _districts().rename(columns={"district_id": "level"})
    joined = _rates(fit).merge(x, on="level", validate="1:1")
    return _listed(joined) | {"district_competitiveness": joined["district_competitiveness"]}


def _uk_with_x(fit: Fit) -> pd.DataFrame:
    rates = _by_level(_rates(fit), "estimate")
    districts = _districts()
    return districts.assign(estimate=districts["district_id"].map(rates))


def _uk_predictions(fit: Fit) -> Values:
    frame = _uk_with_x(fit)
    return _listed(frame) | {"district_competitiveness": frame["district_competitiveness"]}


def _uk_districts() -> Values:
    frame = _districts()
    return _shape(frame) | {"district_competitiveness": frame["district_competitiveness"]}


def _uk_slope(fit: Fit) -> Values:
    return _one_group(fit) | {"estimate": fit.fixef, "std_error": fit.std_error}


def _countries(fit: Fit) -> Values:
    z = fit.fixef / fit.std_error
    spread = fit.varcorr[fit.varcorr["other"].isna()]
    names = [f"sd {row.term} | {row.group}" for row in spread.itertuples()]
    tails = 2 * pd.Series([NormalDist().cdf(-abs(value)) for value in z], index=z.index)
    return _display(fit) | {
        "estimate": fit.fixef,
        "std_error": fit.std_error,
        "z": z,
        "p": tails,
        "sd": pd.Series(spread["sd"].to_numpy(), index=names),
        "corr": float(fit.varcorr["corr"].iloc[-1]),
        "groups": _groups(),
    }


def _groups() -> "pd.Series[float]":
    return load("rainey2015")[["district_id", "election_id"]].nunique().astype(float)


def settings(chains: int, iterations: int) -> dict[str, int]:
    """What brms reports of a run: half of the iterations are warmup, none is thinned away.

    Examples
    --------
    >>> from hierwidgets.course.page.values import settings
    >>> settings(4, 2000)["draws"]
    4000
    """
    warmup, thin = iterations // 2, 1
    draws = chains * (iterations - warmup) // thin
    return {"chains": chains, "iter": iterations, "warmup": warmup, "thin": thin, "draws": draws}


@cache
def _draws_summary() -> Values:
    """Mean, sd, 95 % interval of each parameter, and the statistics of convergence."""
    post = _posterior()
    values = post.parameters
    flat = values.reshape(-1, values.shape[2])
    ends = np.quantile(flat, [0.025, 0.975], axis=0)
    columns = {
        "estimate": flat.mean(axis=0),
        "std_error": flat.std(axis=0, ddof=1),
        "conf_low": ends[0],
        "conf_high": ends[1],
    }
    try:
        found = convergence.statistics(values)
        columns |= {str(name): found[name].to_numpy() for name in found}
    except MissingExtraError:  # the page's R-hats and effective sizes then stay uncompared
        pass
    return {key: pd.Series(column, index=list(post.names)) for key, column in columns.items()}


def _draws() -> Values:
    run = settings(_CALL["chains"], _CALL["iter"])
    return {**run, **_draws_summary(), "nobs": _posterior().nobs, "groups": _groups()}


def _predictions(re_formula: str | None) -> Values:
    grid = load("rainey2015")[_GRID]
    found = _posterior().predict(grid, re_formula=re_formula, interval=0.95)
    numbered = found.reset_index(names="rowid")  # R counts the rows, too
    columns = ("estimate", "conf_low", "conf_high", "district_competitiveness")
    return _shape(numbered) | {c: numbered[c] for c in columns}


def _survey() -> Values:
    data = load("rainey2015")
    return _shape(data) | {"district_competitiveness": data["district_competitiveness"]}


_ITEMS: Mapping[str, Callable[[Stage], Values]] = MappingProxyType(
    {
        "S7": lambda _: _shape(load("finland")),
        "S9": lambda _: _tidied("finland"),
        "S14": lambda _: _first_estimates(),
        "S15": lambda _: {"multiplier": _multiplier("finland")},
        "S18": lambda _: {"estimate": _by_level(_raw("finland"), "estimate")},
        "S28": lambda at: _intercept_only(at("finland")),
        "S29": lambda at: {k: _intercept_only(at("finland"))[k] for k in ("mu", "sigma")},
        "S31": lambda at: _mu(at("finland")) | {"effect": _effects(at("finland"))},
        "S32": lambda at: _mu(at("finland")),
        "S33": lambda at: {"effect": _effects(at("finland"))},
        "S34": lambda at: {"alpha": at("finland").fixef["Intercept"] + _effects(at("finland"))},
        "S35": lambda at: {"estimate": _by_level(_rates(at("finland")), "estimate")},
        "S36": lambda at: _labelled_rates(at("finland")),
        "S37": lambda at: _labelled_rates(at("finland")),
        "S39": lambda at: _finland_stacked(at("finland")),
        "S50": lambda _: _tidied("uk"),
        "S52": lambda _: _uk_raw(),
        "S53": lambda _: {"multiplier": _multiplier("uk")},
        "S54": lambda _: _listed(_raw("uk")[["level", "estimate"]]),
        "S55": lambda _: _listed(_complete("uk")),
        "S56": lambda at: _intercept_only(at("uk")),
        "S57": lambda at: _listed(_rates(at("uk"))),
        "S58": lambda at: _uk_stacked(at("uk")),
        "S61": lambda _: _tidied("uk"),
        "S62": lambda _: _uk_districts(),
        "S63": lambda at: _uk_joined(at("uk")),
        "S67": lambda at: _uk_slope(at("uk_competitiveness")),
        "S68": lambda at: _uk_predictions(at("uk_competitiveness")),
        "S70": lambda at: _uk_stacked_with_x(at("uk_competitiveness")),
        "S78": lambda _: _survey(),
        "S82": lambda at: _countries(at("rainey2015")),
        "S84": lambda _: {"minutes": _posterior().draws.seconds / 60},
        "S85": lambda _: _draws(),
        "S86": lambda _: _draws(),
        "S88": lambda _: _predictions(None),
        "S89": lambda _: _predictions(_ELECTIONS_ONLY),
    }
)


def ours(item: str, at: Stage = fitted) -> Values:
    """Our numbers for an item of the page, by the names of `page.numbers`.

    Parameters
    ----------
    item
        Such as ``"S28"``.
    at
        `fitted` for the top of the likelihood, `stopped` for where lme4 stops.

    Examples
    --------
    >>> from hierwidgets.course.page.values import ours
    >>> {name: round(value, 2) for name, value in ours("S29").items()}
    {'mu': -1.37, 'sigma': 0.31}
    """
    if item not in _ITEMS:
        raise DataError(f"the page prints no numbers in {item!r}; it does in {', '.join(_ITEMS)}")
    return _ITEMS[item](at)


def table(items: Sequence[str] | None = None, at: Stage = fitted) -> pd.DataFrame:
    """Every number of the page beside ours: item, name, label, page, ours, tolerance, verdict.

    Parameters
    ----------
    items
        Some of `page.items`; None for all. Numbers that need an extra which is not installed are
        left out.
    at
        As for `ours`. At the stopping points fewer numbers differ, and `page.check` objects to a
        recorded difference that is not there.

    Raises
    ------
    DataError
        If a difference has no cause on record; `page.check` says which.

    Examples
    --------
    >>> from hierwidgets.course.page.values import table
    >>> table(["S18"])[["page", "ours", "verdict"]].round(3).to_dict("records")
    [{'page': '0.40', 'ours': 0.435, 'verdict': 'misprint'}]
    """
    chosen = printed.items() if items is None else items
    found = [printed.check(item, **ours(item, at)) for item in chosen]
    return pd.concat(found, ignore_index=True)


def where_it_stops(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table` whose cause is "stopped early", with our number at the stopping point.

    Returns
    -------
    DataFrame
        item, name, label, page, ours, ``at_stop`` and ``explains``: whether that number, rounded
        as the page rounds, is the page's.

    Examples
    --------
    >>> from hierwidgets.course.page.values import table, where_it_stops
    >>> where_it_stops(table(["S56"]))[["name", "page", "at_stop", "explains"]].round(1)
           name   page  at_stop  explains
    0       dic    694    693.9      True
    1  deviance  815.8    815.8      True
    """
    early = found[found["verdict"] == "stopped early"].reset_index(drop=True)
    at_stop = []
    for (item, name), rows in early.groupby(["item", "name"], sort=False):
        values = printed.paired(str(item), str(name), ours(str(item), stopped)[str(name)])
        at_stop += [values[label] for label in rows["label"]]
    keys = zip(early["item"], early["name"], early["label"], at_stop, strict=True)
    explains = [printed.number(*key).agrees(value) for *key, value in keys]
    columns = ["item", "name", "label", "page", "ours", "at_stop", "explains"]
    return early.assign(at_stop=at_stop, explains=explains)[columns]
