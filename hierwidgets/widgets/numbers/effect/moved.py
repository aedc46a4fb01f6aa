"""The model behind the picture, changed: its sigma and slope moved, its predictor left out."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.estimate import profile_loglik
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.model import Model
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec.columns import variables
from hierwidgets.spec.design import NewRows
from hierwidgets.spec.formula import named, terms
from hierwidgets.spec.rows import kept_columns, linear_predictor, rows_of
from hierwidgets.widgets.numbers.words import Estimated

from .setting import Setting, bar_text, line_rows

__all__ = [
    "Movable", "Prepared", "checked_without", "held_at", "movable", "prepared", "slope_position",
    "without_predictor",
]  # fmt: skip

SMALLEST_SIGMA, LARGEST_SIGMA = 0.01, 5.0


def slope_position(fit: Fit, predictor: str) -> int | None:
    """Which coefficient is the predictor's slope; None if it is not one plain coefficient."""
    within = [t for t in terms(fit.design.formula.fixed) if predictor in named(t)]
    plain = len(within) == 1 and within[0].strip("`") == predictor
    plain &= predictor in fit.design.names
    return fit.design.names.index(predictor) if plain else None


def held_at(fit: Fit, sigma: float, slopes: dict[int, float] | None = None) -> Fit:
    """The fit, had the units' effects this sd and coefficients these values.

    Coefficients that are not held are those that maximise the likelihood there.

    Parameters
    ----------
    fit
        With one ``(1 | group)``.
    sigma
        On the link scale, 0 or more.
    slopes
        Coefficients by position.
    """
    theta = np.array([sigma], dtype=np.float64)
    loglik, beta = profile_loglik(fit.design, fit.family, theta, fit.n_agq, fit.beta, slopes or {})
    modes = conditional_modes(fit.design, fit.family, beta, theta)
    return dataclasses.replace(fit, theta=theta, beta=beta, modes=modes, loglik=loglik)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The rows of `unit_frame` and `line_frame` as a fit sees them, to move its parameters fast."""

    units: NewRows
    line: NewRows

    def estimates(self, fit: Fit) -> tuple[Array, Array]:
        """Estimates of the units and of the line: those of `Fit.predict`."""
        parts = (linear_predictor(rows, fit.beta, fit.modes.b) for rows in (self.units, self.line))
        units, line = (fit.family.link.inverse(eta)[0] for eta in parts)
        return units, line


def prepared(setting: Setting, fit: Fit, points: int = 41) -> Prepared:
    """Rows of a fit without facets."""
    rows = line_rows(setting, points)
    units, line = (kept_columns(fit.design, r) for r in (None, "~0"))
    return Prepared(
        rows_of(fit.design, setting.units, units, "error"),
        rows_of(fit.design, rows, line, "error"),
    )


@dataclass(frozen=True, slots=True)
class Movable:
    """A fit with the predictor and one without, whose sigma, and the slope of the first, can move.

    Attributes
    ----------
    fit, plain : Fit
        With and without the predictor.
    slope_at : int or None
        Which coefficient of `fit` is the slope; None if it is not one plain coefficient.
    """

    fit: Fit
    plain: Fit
    slope_at: int | None

    def model(self, with_predictor: bool) -> Fit:
        """The one or the other."""
        return self.fit if with_predictor else self.plain

    def sigma(self, with_predictor: bool) -> float:
        """That of maximum likelihood, or `SMALLEST_SIGMA` where it is less."""
        return max(float(self.model(with_predictor).theta[0]), SMALLEST_SIGMA)

    @property
    def slope(self) -> float | None:
        """That of maximum likelihood; None if it cannot be moved."""
        return None if self.slope_at is None else float(self.fit.beta[self.slope_at])

    def limits(self, name: str) -> tuple[float, float] | None:
        """How far ``"sigma"`` or ``"slope"`` can be moved; None if it cannot."""
        if name == "sigma":
            fitted = max(float(fit.theta[0]) for fit in (self.fit, self.plain))
            return SMALLEST_SIGMA, max(LARGEST_SIGMA, 2 * fitted)
        if self.slope_at is None or self.slope is None:
            return None
        reach = 4 * float(self.fit.std_error.iloc[self.slope_at])
        reach = max(reach, 1.5 * abs(self.slope))
        return self.slope - reach, self.slope + reach

    def is_moved(self, with_predictor: bool, sigma: float | None, slope: float | None) -> bool:
        """Whether sigma or slope is not where the model has it."""
        steep = with_predictor and self.slope_at is not None
        return sigma != self.sigma(with_predictor) or (steep and slope != self.slope)

    def held(self, with_predictor: bool, sigma: float, slope: float | None) -> Fit:
        """The model, had it this sigma and, with the predictor, this slope."""
        slopes = {}
        if with_predictor and self.slope_at is not None and slope is not None:
            slopes = {self.slope_at: slope}
        return held_at(self.model(with_predictor), sigma, slopes)


def movable(setting: Setting, plain: Estimated) -> Movable | None:
    """The models with and without the predictor, if sigma can be moved in both."""
    model = setting.model
    if setting.facet is None and isinstance(model, Fit) and isinstance(plain, Fit):
        return Movable(model, plain, slope_position(model, setting.predictor))
    return None


# --- the same model without the predictor ------------------------------------------------


def checked_without(setting: Setting, without: object) -> Estimated:
    """A model that somebody gives as the one without the predictor."""
    if not isinstance(without, Fit | Posterior):
        raise DataError(f"without must be a fit or a posterior; a {type(without).__name__} is not")
    design = without.design
    recipes = [design.fixed, *(recipe for term in design.terms for recipe in term.recipes)]
    if any(setting.predictor in variables(recipe) for recipe in recipes):
        raise DataError(f"without still holds {setting.predictor!r}; fit the model without it")
    same = [term for term in design.terms if term.factors == setting.unit.factors]
    if not same or list(same[0].levels) != setting.levels:
        raise DataError(f"without has other levels of {setting.unit.group!r}; use the same data")
    return without


def without_predictor(model: Estimated, predictor: str) -> Fit:
    """The same model without a predictor, by maximum likelihood.

    Every term that names the predictor is left out: itself, what it interacts with, and slopes
    that vary over groups.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> round(float(without_predictor(fit, "district_competitiveness").theta[0]), 2)
    0.71
    """
    design = model.design
    formula = design.formula
    bars = [(_without(b.lhs, predictor), b) for b in formula.bars]
    kept = [bar_text(lhs, b.factors, b.correlated) for lhs, b in bars if lhs != "0"]
    left = f"`{formula.response}`"
    if formula.trials is not None:
        trials = formula.trials if isinstance(formula.trials, int) else f"`{formula.trials}`"
        left = f"p({left}, {trials})"
    right = " + ".join([_without(formula.fixed, predictor), *kept])
    offset: Any = design.offset_column
    if offset is None and design.offset.any():
        offset = design.offset[design.rows]
    weights: Any = None if (design.weights == 1).all() else design.weights
    return Model(
        f"{left} ~ {right}", design.data, model.family.name, link=model.family.link.name,
        event=design.event, weights=weights, offset=offset, collinear=design.collinear,
    ).maximize(model.n_agq if isinstance(model, Fit) else 1)  # fmt: skip


def _without(part: str, predictor: str) -> str:
    """A bar-free formula part without the terms that name the predictor; "0" if none is left."""
    parts = terms(part)
    kept = [term for term in parts if term != "1" and predictor not in named(term)]
    return " + ".join(["1" if "1" in parts else "0", *kept])
