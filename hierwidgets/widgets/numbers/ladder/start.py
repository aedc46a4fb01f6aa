"""Where the ladder starts: the estimates of a fit of the several-countries model."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.model import glmer
from hierwidgets.widgets.numbers.effect.setting import Setting, setting

from .parameters import Parameters, recoded

__all__ = ["Start", "several_countries", "start"]

FORMULA = (
    "contacted ~ district_competitiveness * electoral_rules + (1 | district_id)"
    " + (1 + district_competitiveness | election_id)"
)


@dataclass(frozen=True, slots=True)
class Start:
    """What a fit gives.

    Attributes
    ----------
    parameters
        Its estimates, with the first of the rules coded 0.
    rules
        The two rules' names: the one that software codes 1, and its reference.
    ends
        The least and the most competitive district of each.
    """

    parameters: Parameters
    rules: tuple[str, str]
    ends: tuple[tuple[float, float], tuple[float, float]]


@cache
def several_countries() -> Fit:
    """The course's fit, made when it is first asked for."""
    return glmer(FORMULA, load("rainey2015"), event="Contacted")


def start(fit: Fit) -> Start:
    """Estimates, rules and places of the districts of a fit.

    Raises
    ------
    DataError
        The fit is of another model.

    Examples
    --------
    >>> found = start(several_countries())
    >>> found.rules, [round(value, 2) for value in found.parameters]
    (('SMD', 'PR'), [-3.09, 0.74, 4.27, -3.07, 0.18, 0.26, 1.0, 0.47])
    """
    predictor = _predictor(fit)
    found = setting(fit, predictor)
    beta = _coefficients(fit, found)
    reference, other = map(str, found.pair)
    sds = fit.varcorr[fit.varcorr["other"].isna()].set_index(["group", "term"])["sd"]
    corr = fit.varcorr["corr"].dropna()
    unit, whole = found.unit.group, str(found.facet and found.facet.group)
    parameters = Parameters(
        *recoded(beta), float(sds[whole, "Intercept"]), float(sds[whole, predictor]),
        float(corr.iloc[0]) if len(corr) else 0.0, float(sds[unit, "Intercept"]),
    )  # fmt: skip
    return Start(parameters, (other, reference), (_ends(found, 1), _ends(found, 0)))


def _predictor(fit: object) -> str:
    """The column whose slope varies between elections."""
    wanted = (
        "the ladder needs a binomial fit of y ~ x * rule + (1 | district) + (1 + x | election), "
        "where rule holds two texts"
    )
    if not isinstance(fit, Fit):
        raise DataError(f"{wanted}; a {type(fit).__name__} was given")
    if (fit.family.name, fit.family.link.name) != ("binomial", "logit"):
        raise DataError(f"{wanted}; this one is {fit.family.name} with link {fit.family.link.name}")
    lines = [term for term in fit.design.terms if term.k == 2 and "Intercept" in term.names]
    if len(lines) != 1 or len(fit.design.terms) != 2 or len(fit.fixef) != 4:
        raise DataError(f"{wanted}; this one is {fit.design.formula}")
    return next(name for name in lines[0].names if name != "Intercept")


def _coefficients(fit: Fit, found: Setting) -> list[float]:
    """Intercept, its change, slope, its change, by the reference that the fit has."""
    rule, x = found.compare, found.predictor
    change = "" if not found.pair else f"{rule}[T.{found.pair[1]}]"
    both = {f"{x}:{change}", f"{change}:{x}"} & set(fit.fixef.index)
    if change not in fit.fixef.index or not both:
        raise DataError(
            f"the ladder needs {x} * rule, where rule holds two texts; the coefficients of this "
            f"fit are {list(fit.fixef.index)}"
        )
    x_low, x_high = found.x_range
    if x_low < 0 or x_high > 1:
        raise DataError(
            f"the ladder's axis goes from 0 to 1; {x!r} goes from {x_low:.4g} to {x_high:.4g}: "
            "put it on that scale and fit again"
        )
    return [float(fit.fixef[name]) for name in ("Intercept", change, x, both.pop())]


def _ends(found: Setting, value: int) -> tuple[float, float]:
    """The range of the predictor among the units of a rule."""
    units: pd.DataFrame = found.units
    mine = units.loc[units[found.compare] == found.pair[value], found.predictor].to_numpy()
    return float(np.min(mine)), float(np.max(mine))
