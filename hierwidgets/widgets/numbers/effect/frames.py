"""The numbers behind the effect of a group-level predictor, as pure functions of a `Setting`.

They are those of `predict`, `comparisons` and `slopes` at the rows the setting keeps.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hierwidgets.base.arrays import Array
from hierwidgets.effects.comparisons import comparisons, slopes
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.words import Estimated

from .setting import Setting, bar_text, line_rows, model_for, options_of, rows_at

__all__ = [
    "QUANTITIES", "change_frame", "curve_frame", "difference_name", "line_frame",
    "quantities_of", "quantity_frame", "slope_frame", "unit_frame",
]  # fmt: skip


QUANTITIES = (
    "probability", "first difference", "marginal effect", "difference of marginal effects",
)  # fmt: skip
_NUMBERS = ["estimate", "conf_low", "conf_high"]


def curve_frame(
    setting: Setting, quantity: str, at: ArrayLike, *, target: str = "typical",
    level: float | None = 0.9,
) -> pd.DataFrame:  # fmt: skip
    """A quantity of interest at values of the predictor.

    Parameters
    ----------
    quantity
        ``"probability"`` of the event; ``"first difference"`` between the two values compared;
        ``"marginal effect"`` of the predictor; ``"difference of marginal effects"``.
    at
        Values of the predictor, rising.
    target
        ``"typical"``: every group effect 0. ``"average"``: over the units, each with its own
        effects. ``"new"``: a unit and a facet that nobody has seen.
    level
        Of the intervals; None for estimates alone, which are computed much sooner.

    Returns
    -------
    DataFrame
        ``x series estimate conf_low conf_high``, the last two NaN where there is no interval: the
        average probability of a fit never has one.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> from hierwidgets.widgets.numbers.effect.setting import setting
    >>> found = setting(fit, "district_competitiveness")
    >>> curve_frame(found, "probability", [0.5, 0.8])["estimate"].round(2).to_list()
    [0.19, 0.42]
    """
    at, options = np.asarray(at, dtype=np.float64), options_of(target)
    if quantity not in QUANTITIES:
        raise DataError(f"quantity={quantity!r}; choose one of {list(QUANTITIES)}")
    if setting.compare is None and "difference" in quantity:
        raise DataError(f"{quantity!r} needs a predictor with two values to compare")
    by = [setting.predictor] if target == "average" else None
    if quantity == "probability":
        return _labelled(setting.series, at, _probability(setting, target, at, level))
    model = model_for(setting, target)
    options |= {"interval": level}
    if quantity == "marginal effect":
        if by and setting.compare is not None:
            by = [setting.compare, *by]
        rows = rows_at(setting, target, at)
        return _labelled(
            setting.series, at, slopes(model, setting.predictor, rows, by=by, **options)
        )
    rows, change = (
        rows_at(setting, target, at, series=False),
        {str(setting.compare): list(setting.pair)},
    )
    if quantity == "first difference":
        found = comparisons(model, change, rows, by=by, **options)
    else:
        found = slopes(model, setting.predictor, rows, across=change, by=by, **options)
    return _labelled((difference_name(setting),), at, found)


def difference_name(setting: Setting) -> str:
    """What the series compared are called together."""
    low, high = setting.series
    return f"{high} − {low}"


def _labelled(series: tuple[str, ...], at: Array, numbers: pd.DataFrame) -> pd.DataFrame:
    labels = {"x": np.tile(at, len(series)), "series": np.repeat(series, len(at))}
    return pd.DataFrame(labels | _numbers(numbers))


def _numbers(found: pd.DataFrame) -> dict[str, Array]:
    """Estimate and limits, which are NaN if none were asked for."""
    nothing = np.full(len(found), np.nan)
    return {n: found[n].to_numpy() if n in found else nothing for n in _NUMBERS}


def _probability(setting: Setting, target: str, at: Array, level: float | None) -> pd.DataFrame:
    model, rows, options = (
        model_for(setting, target),
        rows_at(setting, target, at),
        options_of(target),
    )
    if target != "average":
        return model.predict(rows, interval=level, **options)
    shape = (len(rows) // len(setting.units), len(setting.units))
    if isinstance(model, Fit):
        mean = model.predict(rows)["estimate"].to_numpy().reshape(shape).mean(axis=1)
        return pd.DataFrame({"estimate": mean, "conf_low": np.nan, "conf_high": np.nan})
    mu = model.family.link.inverse(model.linear_predictor(rows))[0]
    draws = mu.reshape(*shape, -1).mean(axis=1)
    if level is None:
        return pd.DataFrame({"estimate": np.median(draws, axis=1)})
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return pd.DataFrame({"estimate": np.median(draws, axis=1), "conf_low": low, "conf_high": high})


def quantity_frame(
    setting: Setting, low: float, high: float, *, target: str = "typical",
    level: float | None = 0.9,
) -> pd.DataFrame:  # fmt: skip
    """Every quantity of interest at two values of the predictor.

    Parameters
    ----------
    low, high
        The two values.
    target, level
        As in `curve_frame`.

    Returns
    -------
    DataFrame
        ``quantity at series estimate conf_low conf_high``; `at` is a value of the predictor or,
        for "change" and "second difference", the two as ``"low to high"``.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> from hierwidgets.widgets.numbers.effect.setting import setting
    >>> found = quantity_frame(setting(fit, "district_competitiveness"), 0.5, 0.8)
    >>> found.drop(columns="series").round(2)
              quantity          at  estimate  conf_low  conf_high
    0      probability         0.5      0.19      0.14       0.24
    1      probability         0.8      0.42      0.36       0.49
    2           change  0.5 to 0.8      0.24      0.15       0.33
    3  marginal effect         0.5      0.59      0.44       0.74
    4  marginal effect         0.8      0.95      0.53       1.36
    """
    at = np.sort(np.array([low, high], dtype=np.float64))

    def curve(quantity: str) -> pd.DataFrame:
        return curve_frame(setting, quantity, at, target=target, level=level)

    changes = change_frame(setting, low, high, target=target, level=level)
    return quantities_of(setting, changes, curve)


def quantities_of(
    setting: Setting, changes: pd.DataFrame, curve: Callable[[str], pd.DataFrame]
) -> pd.DataFrame:
    """`quantity_frame` from its `change_frame` and the `curve_frame` of each quantity."""
    compared = setting.compare is not None
    first = changes["quantity"] == "change"
    parts = [_named("probability", curve), changes[first]]
    if compared:
        parts += [_named("first difference", curve), changes[~first]]
    parts.append(_named("marginal effect", curve))
    if compared:
        parts.append(_named("difference of marginal effects", curve))
    return pd.concat(parts, ignore_index=True)


def change_frame(
    setting: Setting, low: float, high: float, *, target: str = "typical",
    level: float | None = 0.9,
) -> pd.DataFrame:  # fmt: skip
    """The rows "change" and "second difference" of `quantity_frame`, which are soon computed."""
    if low == high:
        raise DataError(f"both values of {setting.predictor!r} are {low:g}; give two")
    both = (False, True) if setting.compare is not None else (False,)
    parts = [_change(setting, low, high, target, level, across=across) for across in both]
    return pd.concat(parts, ignore_index=True)


def _named(quantity: str, curve: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    found = curve(quantity)
    named = found.drop(columns="x")
    named.insert(0, "at", [f"{x:g}" for x in found["x"]])
    named.insert(0, "quantity", quantity)
    return named


def _change(
    setting: Setting, low: float, high: float, target: str, level: float | None,
    across: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """From low to high: of the probability, or of the first difference."""
    options = options_of(target) | {"interval": level}
    rows = rows_at(setting, target, np.array([low]), series=not across)
    if across:
        options["across"] = {str(setting.compare): list(setting.pair)}
    if target == "average":
        grouped = setting.compare is not None and not across
        options |= {"by": setting.compare} if grouped else {"average": True}
    model = model_for(setting, target)
    found = comparisons(model, {setting.predictor: [low, high]}, rows, **options)
    names = (difference_name(setting),) if across else setting.series
    numbers = _numbers(found)
    labels = {"quantity": "second difference" if across else "change", "at": f"{low:g} to {high:g}"}
    return pd.DataFrame({**labels, "series": list(names), **numbers})


# --- points, lines and their slopes -------------------------------------------------------


def unit_frame(setting: Setting, model: Estimated | None = None) -> pd.DataFrame:
    """Raw and partially pooled probability of every unit.

    Parameters
    ----------
    model
        Another model of the same data, such as one without the predictor.

    Returns
    -------
    DataFrame
        ``level facet x n raw estimate``. ``n`` counts trials, ``raw`` is y/n. ``estimate`` is
        that of `predict`, predictors that vary within units at their middle.
    """
    design, model = setting.model.design, setting.model if model is None else model
    codes, J = setting.unit.codes, setting.unit.J
    n = np.bincount(codes, design.trials, minlength=J)
    return pd.DataFrame(
        {
            "level": setting.unit.levels,
            "facet": np.array(setting.facet_names, dtype=object)[setting.facet_of],
            "x": setting.x,
            "n": n,
            "raw": np.bincount(codes, design.y, minlength=J) / n,
            "estimate": model.predict(setting.units)["estimate"].to_numpy(),
        }
    )


def line_frame(
    setting: Setting,
    model: Estimated | None = None,
    *,
    level: float = 0.9,
    points: int = 41,
) -> pd.DataFrame:
    """The line of each facet: a unit whose own effect is 0, over the facet's own units.

    Returns
    -------
    DataFrame
        ``facet x estimate conf_low conf_high``, `points` rows for each facet.
    """
    model = setting.model if model is None else model
    rows = line_rows(setting, points)
    found = model.predict(rows, re_formula=_facet_formula(setting, model), interval=level)
    facet = np.repeat(np.array(setting.facet_names, dtype=object), points)
    labels = {"facet": facet, "x": rows[setting.predictor].to_numpy()}
    return pd.DataFrame(labels | {n: found[n].to_numpy() for n in _NUMBERS})


def _facet_formula(setting: Setting, model: Estimated) -> str:
    if setting.facet is None:
        return "~0"
    bars = [b for b in model.design.formula.bars if b.factors == setting.facet.factors]
    return "~ " + " + ".join(bar_text(b.lhs, b.factors) for b in bars) if bars else "~0"


def slope_frame(
    setting: Setting,
    without: Estimated,
    low: float,
    high: float,
    *,
    units: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Slopes on the probability scale: two through points, one from the model.

    ``"raw"``: least squares through the raw rates. ``"two-step"``: through the estimates of a
    model without the predictor, which have been pulled towards its mean, so that their slope is
    too small. ``"one-step"``: of the typical unit in the model with the predictor, from `low` to
    `high`. Every unit counts once.

    Parameters
    ----------
    units
        ``unit_frame(setting, without)``, if it is at hand.

    Returns
    -------
    DataFrame
        ``slope intercept`` by ``kind``; the intercept of "one-step" is that of its chord.
    """
    frame = unit_frame(setting, without) if units is None else units
    lines = {kind: np.polyfit(frame["x"], frame[y], 1)
             for kind, y in (("raw", "raw"), ("two-step", "estimate"))}  # fmt: skip
    ends = np.array([low, high], dtype=np.float64)
    rows = setting.typical.iloc[[0, 0]].reset_index(drop=True).assign(**{setting.predictor: ends})
    lines["one-step"] = np.polyfit(
        ends, setting.model.predict(rows, re_formula="~0")["estimate"], 1
    )
    kinds = pd.Index(lines, name="kind")
    return pd.DataFrame(np.array(list(lines.values())), index=kinds, columns=["slope", "intercept"])
