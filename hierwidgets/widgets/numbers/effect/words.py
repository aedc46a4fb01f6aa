"""What the effect of a predictor says in words: status, text alternatives and tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.widgets.numbers.pooling import pooling_columns
from hierwidgets.widgets.numbers.words import Estimated, rate_name

from .setting import Setting, thinned

__all__ = [
    "curves_text", "effect_text", "fit_text", "point_rows", "quantity_label", "quantity_rows",
    "row_text", "slope_rows", "target_names", "unit_text",
]  # fmt: skip


def unit_text(row: dict[Any, Any], setting: Setting, digits: int) -> str:
    """One unit: its predictor, its n, its raw and its partially pooled rate."""
    where = f" in {row['facet']}" if setting.facet is not None else ""
    return (
        f"{row['level']}{where}: {setting.words.predictor} {row['x']:.{digits}f}, "
        f"n = {row['n']:g}, raw {row['raw']:.3f}, pooled {row['estimate']:.3f}."
    )


def fit_text(setting: Setting, model: Estimated, with_predictor: bool, behind: float | None) -> str:
    """Spread and weight of a model; how far its log-likelihood is behind the fit's, if moved."""
    name = f"{'With' if with_predictor else 'Without'} {setting.words.predictor}"
    text = f"{name}: σ of {setting.words.level} = {_unit_sd(setting, model):.2f}"
    if not isinstance(model, Fit):
        return f"{text} (posterior mean)."
    if not isinstance(setting.model, Fit):
        text += " (maximum likelihood)"
    if setting.facet is None:
        weight = pooling_columns(model)["weight"].mean()
        text += f", so own data carry a weight of {weight:.0%} on average"
    if behind is not None:
        text += f"; log-likelihood {behind:.2f} below the fit's"
    return f"{text}."


def _unit_sd(setting: Setting, model: Estimated) -> float:
    if isinstance(model, Fit) and len(model.theta) == 1:
        return abs(float(model.theta[0]))  # its one parameter; a table takes time to make
    table = model.varcorr
    row = table[(table["group"] == setting.unit.group) & (table["term"] == "Intercept")].iloc[0]
    return float(row["sd"] if isinstance(model, Fit) else row["estimate"])


def effect_text(
    setting: Setting, frame: pd.DataFrame, slopes: "pd.Series[float] | None", target: str
) -> str:
    """Change from low to high, and the three slopes where there are any."""
    rows = frame.to_dict("records")
    changes = [row for row in rows if row["quantity"] in ("change", "second difference")]
    who = {"typical": "A typical", "average": "The average", "new": "A new"}[target]
    text = f"{who} {setting.words.level}, {setting.words.predictor} {changes[0]['at']}: "
    text += "; ".join(map(_change_text, changes))
    if slopes is not None:
        text += ". Slopes: " + ", ".join(f"{kind} {value:.3f}" for kind, value in slopes.items())
    return f"{text}.{_thinned_text(setting, target)}"


def _change_text(row: dict[Any, Any]) -> str:
    series = "" if row["series"] == "all" else f"{row['series']} "
    sign = "+" if row["estimate"] >= 0 else "−"
    change = f"{series}{sign}{abs(row['estimate']):.2f}"
    if not np.isfinite(row["conf_low"]):
        return change
    return f"{change} [{row['conf_low']:.2f}, {row['conf_high']:.2f}]"


def _thinned_text(setting: Setting, target: str) -> str:
    if target != "average" or not isinstance(setting.model, Posterior):
        return ""
    used = thinned(setting.model, setting.average_draws).draws.sigma.size
    return f" From {used:,} of {setting.model.draws.sigma.size:,} draws."


def quantity_rows(frame: pd.DataFrame) -> list[list[str]]:
    """quantity, at, for, estimate, interval."""
    return [
        [
            row["quantity"],
            row["at"],
            "" if row["series"] == "all" else row["series"],
            f"{row['estimate']:.3f}",
            f"{row['conf_low']:.3f} to {row['conf_high']:.3f}" if np.isfinite(row["conf_low"])
            else "–",
        ]
        for row in frame.to_dict("records")
    ]  # fmt: skip


def slope_rows(slopes: "pd.Series[float]", low: float, high: float) -> list[list[str]]:
    """The three slopes in the columns of `quantity_rows`."""
    where = {"one-step": f"{min(low, high):g} to {max(low, high):g}"}
    return [
        [f"slope, {kind}", where.get(str(kind), "all"), "", f"{value:.3f}", ""]
        for kind, value in slopes.items()
    ]


def point_rows(units: pd.DataFrame, setting: Setting, digits: int) -> list[list[str]]:
    """A row of texts for each unit."""
    rows = units[["level", "facet", "x", "n", "raw", "estimate"]].to_numpy()
    return [
        [str(level), *([str(facet)] if setting.facet is not None else []), f"{x:.{digits}f}",
         f"{n:g}", f"{raw:.3f}", f"{estimate:.3f}"]
        for level, facet, x, n, raw, estimate in rows
    ]  # fmt: skip


def row_text(
    setting: Setting, facets: NDArray[np.intp], heights: Array, said: str, hidden: str
) -> str:
    """A row of facets in words: what is said of the model, and of facets that are not drawn."""
    titles = ", ".join(setting.facet_names[k] for k in facets)
    inside = f", facets {titles}" if setting.facet is not None else ""
    span = f"{np.min(heights):.2f} to {np.max(heights):.2f}"
    points = f"{len(setting.levels)} {setting.words.levels} against {setting.words.predictor}"
    return f"{points}{inside}: estimates {span}. {said}{hidden}"


def curves_text(
    setting: Setting, quantity: str, target: str, marked: dict[int, tuple[Array, Array]]
) -> str:
    """The curves in words: where they are at the two values, by the place of the series."""
    names = [*setting.series, "difference"]
    marks = [
        f"{names[i]} {y[0]:.3f} at {x[0]:g} and {y[1]:.3f} at {x[1]:g}"
        for i, (x, y) in marked.items()
        if i < len(names)
    ]
    return f"{quantity} against {setting.words.predictor}, {target}: {'; '.join(marks)}."


def target_names(setting: Setting, targets: Sequence[str]) -> list[tuple[str, str]]:
    """What a menu says of each target, and the target."""
    names = {
        "typical": "typical: no group effects",
        "average": f"average over {len(setting.levels)} {setting.words.levels}",
        "new": f"a new {setting.words.level}",
    }
    return [(names[target], target) for target in targets]


def quantity_label(setting: Setting, quantity: str) -> str:
    """A quantity of interest beside its axis."""
    if quantity == "probability":
        return rate_name(setting.model)
    return "difference of ME" if quantity == "difference of marginal effects" else quantity
