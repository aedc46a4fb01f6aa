"""The model behind the picture, changed: its sigma and slope moved, its predictor left out."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.estimate import profile_loglik
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.model import Model
from hierwidgets.spec.design import NewRows
from hierwidgets.spec.formula import named
from hierwidgets.spec.rows import kept_columns, linear_predictor, rows_of

from .setting import Estimated, Setting, bar_text, line_rows

__all__ = ["Prepared", "held_at", "prepared", "slope_position", "without_predictor"]


def slope_position(fit: Fit, predictor: str) -> int | None:
    """Which coefficient is the predictor's slope; None if it is not one plain coefficient."""
    terms = [t for t in _terms(fit.design.formula.fixed) if predictor in named(":".join(t))]
    plain = terms == [[f"`{predictor}`"]] and predictor in fit.design.names
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


# --- the same model without the predictor ------------------------------------------------


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
    terms = _terms(part)
    kept = [":".join(t) for t in terms if t != ["1"] and predictor not in named(":".join(t))]
    first = "1" if ["1"] in terms else "0"
    return " + ".join([first, *kept])


def _terms(part: str) -> list[list[str]]:
    """The factors of each term, names in backticks."""
    from formulaic import Formula as Recipe

    return [[_factor(f) for f in term.factors] for term in Recipe(part)]


def _factor(factor: Any) -> str:
    quoted = factor.eval_method.name == "LOOKUP"
    return f"`{factor.expr}`" if quoted else str(factor.expr)
