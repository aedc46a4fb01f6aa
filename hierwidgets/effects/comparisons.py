"""First differences, second differences and marginal effects, with intervals.

A quantity of interest compares expected outcomes between values of a predictor, everything
else of a row held where it is (King, Tomz & Wittenberg 2000, Am. J. Polit. Sci. 44(2)):

    first difference     mu(hi) - mu(lo)
    second difference    [mu(hi, b) - mu(lo, b)] - [mu(hi, a) - mu(lo, a)]
    marginal effect      d mu / d x

for each row of `newdata`, or averaged over rows. Every one of them is

    estimate_g = F( sum_c s_c T( sum_i w_gi a_ci mu_ci ) ),    mu_ci = inverse link(eta_ci)

over counterfactual copies c of the rows i; `comparison` is the choice of T and F. Standard
errors are by the delta method: the gradient with respect to eta times the joint covariance
of coefficients and group effects (`joint_covariance`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FormulaError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.joint_covariance import (
    Functionals,
    effect_rows,
    joint_covariance,
    spread,
)
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec import rows as prediction
from hierwidgets.spec.design import Design, NewRows

from . import by_draw
from . import contrasts as asked
from .contrasts import Contrast, Point

__all__ = ["comparisons", "slopes"]


_ADDED = ("term", "contrast", "estimate", "std_error", "conf_low", "conf_high")


def comparisons(
    fit: Fit | Posterior,
    variables: str | Sequence[str] | Mapping[str, Any],
    newdata: pd.DataFrame | None = None,
    *,
    cross: bool = False,
    across: str | Mapping[str, Any] | None = None,
    comparison: str = "difference",
    by: str | Sequence[str] | None = None,
    average: bool = False,
    re_formula: str | None = None,
    new_levels: str = "error",
    interval: float | None = 0.9,
    conditional: bool = False,
    scale: str = "response",
) -> pd.DataFrame:
    r"""First and second differences of the expected outcome.

    .. math:: \hat\mu_i(x = \text{hi}) - \hat\mu_i(x = \text{lo})

    Parameters
    ----------
    fit
        A fit, or a posterior: then draw by draw, the estimate their median, the interval their
        quantiles.
    variables
        What changes, one contrast at a time. A mapping names the change of each variable:
        ``[lo, hi]``; for numbers also a step such as ``1`` (half of it to either side of the
        row's own value), ``"sd"``, ``"iqr"`` or ``"minmax"`` of the data of the fit; for text
        and categories also ``"reference"`` (every level against the first) or ``"pairwise"``.
        A name alone means 1, or True against False, 1 against 0, or "reference".
    newdata
        Rows at which to compare; None for the data of the fit. A variable whose `lo` and `hi`
        are given need not be a column.
    cross
        Change all variables together instead of one after the other.
    across
        One more variable, written as in `variables`: the second difference, that is, how much
        the comparison differs between its two values.
    comparison
        "difference"; "ratio", its logarithm "lnratio", or the log odds ratio "lnor".
    by, average
        Average over the rows that agree in the columns `by`, or over all rows. The ratio of
        an average is the ratio of the averages.
    re_formula, new_levels
        As in `Fit.predict`: None keeps every group effect and "~0" none; for an unseen level
        "error", "population" (effect 0) or "sample" (effect unknown, 0 at best guess).
    interval
        Level of the intervals, or None for estimates alone.
    conditional
        Take the group effects as known at their modes; only the coefficients are uncertain.
    scale
        "response" (probability, expected count) or "link".

    Returns
    -------
    DataFrame
        ``term``, ``contrast``, the columns of `newdata` (or those of `by`, or none),
        ``estimate``, ``std_error``, ``conf_low``, ``conf_high``. Intervals are symmetric,
        except that of a ratio, which is made on the log scale.

    Raises
    ------
    FormulaError
        A variable that is not a predictor of the model; a column that is not in `newdata`.
    DataError, NewLevelError
        Values, levels or arguments that cannot be used.

    Notes
    -----
    Standard errors are by the delta method with the joint covariance of coefficients and
    group effects (Kass & Steffey 1989). At a singular fit the collapsed direction counts as
    known, so intervals are too short there.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> found = hw.comparisons(fit, {"district_competitiveness": [0.5, 0.9]}, average=True,
    ...                        re_formula="~0")
    >>> found["contrast"].item()
    '0.9 - 0.5'
    >>> found[["estimate", "std_error", "conf_low", "conf_high"]].round(3)
       estimate  std_error  conf_low  conf_high
    0     0.333       0.08     0.201      0.465
    """
    design = _design(fit)
    frame = _rows(design, newdata)
    contrasts = asked.contrasts(design, frame, variables, cross, comparison)
    if across is not None:
        contrasts = asked.interacted(design, frame, contrasts, across)
    request = _Request(
        comparison, scale, by, average, re_formula, new_levels, interval, conditional
    )
    return _answer(fit, frame, newdata is None, contrasts, request)


def slopes(
    fit: Fit | Posterior,
    variable: str | Sequence[str],
    newdata: pd.DataFrame | None = None,
    *,
    across: str | Mapping[str, Any] | None = None,
    by: str | Sequence[str] | None = None,
    average: bool = False,
    re_formula: str | None = None,
    new_levels: str = "error",
    interval: float | None = 0.9,
    conditional: bool = False,
    scale: str = "response",
) -> pd.DataFrame:
    r"""Marginal effects of numeric predictors.

    .. math:: \frac{\partial \hat\mu_i}{\partial x_i}

    by differences through three points 1e-4 sd apart, centred on the row's value (at the
    edges of the data: to the inside, since a spline has no outside).

    Parameters
    ----------
    fit, newdata, by, average, re_formula, new_levels, interval, conditional, scale
        As in `comparisons`.
    variable
        Name of a numeric predictor, or several.
    across
        A variable, written as in `comparisons`: how much the marginal effect differs between
        its two values.

    Returns
    -------
    DataFrame
        As `comparisons`; the contrast is ``dY/dX``.

    Raises
    ------
    FormulaError
        A variable that is not a predictor of the model.
    DataError
        A predictor that is not numeric: use `comparisons`.

    Examples
    --------
    >>> import hierwidgets as hw, pandas as pd
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> at = pd.DataFrame({"district_competitiveness": [0.5, 0.9]})
    >>> hw.slopes(fit, "district_competitiveness", at, re_formula="~0")["estimate"].round(2)
    0    0.59
    1    0.97
    Name: estimate, dtype: float64
    """
    design = _design(fit)
    frame = _rows(design, newdata)
    names = [variable] if isinstance(variable, str) else list(variable)
    contrasts = [asked.slope(design, frame, name) for name in names]
    if across is not None:
        contrasts = asked.interacted(design, frame, contrasts, across)
    request = _Request(
        "difference", scale, by, average, re_formula, new_levels, interval, conditional
    )
    return _answer(fit, frame, newdata is None, contrasts, request)


# --- what is asked ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Request:
    """The arguments that say how to answer, checked."""

    comparison: str
    scale: str
    by: str | Sequence[str] | None
    average: bool
    re_formula: str | None
    new_levels: str
    interval: float | None
    conditional: bool

    def __post_init__(self) -> None:
        if self.scale not in ("response", "link"):
            raise DataError(f"scale={self.scale!r}; choose 'response' or 'link'")
        if self.scale == "link" and self.comparison != "difference":
            raise DataError(f"comparison={self.comparison!r} is for scale='response'")
        level = self.interval
        if level is not None and not (isinstance(level, float | int) and 0 < level < 1):
            raise DataError(f"interval={level!r} is not a level between 0 and 1, such as 0.9")


def _design(fit: Fit | Posterior) -> Design:
    if not isinstance(fit, Fit | Posterior):
        raise DataError(
            f"the first argument must be a fit or a posterior; a {type(fit).__name__} was given"
        )
    return fit.design


def _rows(design: Design, newdata: pd.DataFrame | None) -> pd.DataFrame:
    if newdata is None:
        return design.data
    frame = prediction.as_frame(newdata)
    if len(frame) == 0:
        raise DataError("newdata has no rows; give at least one")
    return frame


# --- answers ------------------------------------------------------------------------------


def _answer(
    fit: Fit | Posterior,
    frame: pd.DataFrame,
    own_data: bool,
    contrasts: list[Contrast],
    request: _Request,
) -> pd.DataFrame:
    labels, weights = _groups(frame, request)
    clash = [c for c in _ADDED if c in labels.columns]
    if clash:
        raise DataError(f"newdata already has the columns {clash}; rename them")
    points = [p for contrast in contrasts for p in contrast.points]
    stacked = pd.concat([frame.assign(**p.columns) for p in points], ignore_index=True)
    new = _new_rows(fit, stacked, len(frame), own_data, request)
    if isinstance(fit, Posterior):
        if request.conditional:
            raise DataError("conditional=True is for fits; draws carry the effects' uncertainty")
        columns = by_draw.columns(fit, stacked, new, contrasts, weights, request, _transform)
    else:
        columns = _at_modes(fit, stacked, new, contrasts, weights, request)
    parts = []
    for i, contrast in enumerate(contrasts):
        part = slice(i * len(labels), (i + 1) * len(labels))
        own = {name: values[part] for name, values in columns.items()}
        named = labels.reset_index(drop=True).assign(**own)
        named.insert(0, "contrast", contrast.label)
        named.insert(0, "term", contrast.term)
        parts.append(named)
    return pd.concat(parts, ignore_index=True)


def _at_modes(
    fit: Fit,
    stacked: pd.DataFrame,
    new: NewRows,
    contrasts: list[Contrast],
    weights: Any,
    request: _Request,
) -> dict[str, Array]:
    """Estimates at the conditional modes, intervals by the delta method."""
    eta = prediction.linear_predictor(new, fit.beta, fit.modes.b)
    quantity = _Quantity(fit, tuple(contrasts), weights, request)
    columns = {"estimate": quantity.estimate(eta)}
    if request.interval is not None:
        se = _standard_errors(fit, stacked, new, quantity.gradient(eta), request)
        columns |= quantity.limits(columns["estimate"], se, request.interval)
    return columns


def _groups(frame: pd.DataFrame, request: _Request) -> tuple[pd.DataFrame, Any]:
    """What labels an answer, and the weights (answers, rows) that average the rows."""
    n = len(frame)
    if request.by is None and not request.average:
        return frame, scipy.sparse.eye_array(n, format="csr")
    if request.by is None:
        return pd.DataFrame(index=[0]), scipy.sparse.csr_array(np.full((1, n), 1.0 / n))
    by = [request.by] if isinstance(request.by, str) else list(request.by)
    absent = [c for c in by if c not in frame.columns]
    if absent or not by:
        raise FormulaError(f"by={request.by!r}: columns are {list(frame.columns)[:30]}")
    codes = frame.groupby(by, sort=True, observed=True, dropna=False).ngroup().to_numpy()
    labels = frame[by].iloc[np.unique(codes, return_index=True)[1]]
    size = np.bincount(codes)
    return labels, scipy.sparse.csr_array(
        (1.0 / size[codes], (codes, np.arange(n))), (len(size), n)
    )


def _new_rows(
    fit: Fit | Posterior, stacked: pd.DataFrame, rows: int, own_data: bool, request: _Request
) -> NewRows:
    """The counterfactual copies of `rows`; those of the data of the fit carry its offset along."""
    design = fit.design
    kept = prediction.kept_columns(design, request.re_formula)
    _check_complete(design, stacked, rows, kept)
    offset = None
    if own_data and design.offset_column is None:
        offset = np.tile(design.offset[design.rows], len(stacked) // rows)
    new = prediction.rows_of(design, stacked, kept, request.new_levels, offset)
    if not np.isfinite(new.X).all():
        raise DataError("a predictor is not finite at the values compared; choose other values")
    return new


def _check_complete(
    design: Design, stacked: pd.DataFrame, rows: int, kept: list[NDArray[np.bool_]]
) -> None:
    """Missing values, counted in the rows that were given."""
    terms = zip(design.terms, kept, strict=True)
    factors = {f for term, keep in terms if keep.any() for f in term.factors}
    needed = asked.used_columns(design, kept) | factors
    holes = stacked[[c for c in stacked.columns if c in needed]].isna()
    where = {c: int(np.unique(np.flatnonzero(holes[c]) % rows).size) for c in holes.columns}
    found = {c: count for c, count in where.items() if count}
    if found:
        raise DataError(
            f"newdata has missing values; rows by column, of {rows}: {found}; remove them"
        )


@dataclass(frozen=True, slots=True)
class _Quantity:
    """All contrasts as one function of eta, (points * rows,) -> (contrasts * answers,)."""

    fit: Fit
    contrasts: tuple[Contrast, ...]
    weights: Any
    request: _Request

    def _mean(self, eta: Array) -> tuple[Array, Array]:
        if self.request.scale == "link":
            return eta, np.ones_like(eta)
        return self.fit.family.link.inverse(eta)

    def _parts(self, eta: Array) -> list[list[tuple[Point, Array, Array]]]:
        """Per contrast and point: the point, its averages, and their weights times dmu/deta."""
        mu, dmu = (v.reshape(-1, self.weights.shape[1]) for v in self._mean(eta))
        out, at = [], 0
        for contrast in self.contrasts:
            part = []
            for point in contrast.points:
                a = 1.0 if point.weight is None else point.weight
                part.append((point, self.weights @ (a * mu[at]), a * dmu[at]))
                at += 1
            out.append(part)
        return out

    def estimate(self, eta: Array) -> Array:
        """The estimates."""
        how = self.request.comparison
        sums = [
            sum(point.sign * _transform(how, mean)[0] for point, mean, _ in part)
            for part in self._parts(eta)
        ]
        joined = np.concatenate(sums)
        return np.exp(joined) if how == "ratio" else joined

    def gradient(self, eta: Array) -> Any:
        """Derivative of the estimates (of the logarithm, for a ratio) by eta, sparse."""
        how, blocks = self.request.comparison, []
        for part in self._parts(eta):
            pieces = [
                scipy.sparse.diags_array(point.sign * _transform(how, mean)[1])
                @ self.weights
                @ scipy.sparse.diags_array(slope)
                for point, mean, slope in part
            ]
            blocks.append(scipy.sparse.hstack(pieces, format="csr"))
        return scipy.sparse.block_diag(blocks, format="csr")

    def limits(self, estimate: Array, se: Array, level: float) -> dict[str, Array]:
        """std_error, conf_low and conf_high."""
        if self.request.comparison != "ratio":
            return prediction.link_interval(estimate, se, level)
        made = prediction.link_interval(np.log(estimate), se, level)
        return {
            "std_error": estimate * se,
            "conf_low": np.exp(made["conf_low"]),
            "conf_high": np.exp(made["conf_high"]),
        }


def _transform(how: str, mean: Array) -> tuple[Array, Array]:
    """T and its derivative."""
    if how == "difference":
        return mean, np.ones_like(mean)
    if (mean <= 0).any() or (how == "lnor" and (mean >= 1).any()):
        space = "between 0 and 1" if how == "lnor" else "above 0"
        raise DataError(f"comparison={how!r} needs expected outcomes {space}")
    if how == "lnor":
        return np.log(mean) - np.log1p(-mean), 1.0 / (mean * (1.0 - mean))
    return np.log(mean), 1.0 / mean


def _standard_errors(
    fit: Fit, stacked: pd.DataFrame, new: NewRows, gradient: Any, request: _Request
) -> Array:
    """Standard errors of functionals (answers, rows) of the linear predictor."""
    fixed = gradient @ new.X
    if request.conditional:
        variance = np.einsum("ij,jk,ik->i", fixed, fit.vcov.to_numpy(), fixed)
    else:
        effects = tuple(gradient @ Z for Z in effect_rows(fit.design, new))
        known = joint_covariance(
            fit.design, fit.family, fit.theta, fit.beta, fit.covariance, fit.sigma
        )
        variance = known.variance(Functionals(fixed, effects))
    if request.new_levels == "sample":
        variance = variance + fit.sigma**2 * _unseen(fit, stacked, new, gradient)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def _unseen(fit: Fit, stacked: pd.DataFrame, new: NewRows, gradient: Any) -> Array:
    """Variance, in units of sigma^2, from effects of unseen levels: ``b = Lambda u`` each."""
    out = np.zeros(gradient.shape[0])
    factors = fit.design.template.factors(fit.theta)
    for term, codes, Z, L in zip(fit.design.terms, new.codes, new.Z, factors, strict=True):
        strange = (codes < 0) & Z.any(axis=1)
        if not strange.any():
            continue
        names = stacked.loc[strange, list(term.factors)].astype(str).agg(":".join, axis=1)
        level, unique = pd.factorize(names)
        effects = gradient[:, np.flatnonzero(strange)] @ spread(level, Z[strange] @ L, len(unique))
        out += np.asarray(effects.multiply(effects).sum(axis=1)).reshape(-1)
    return out
