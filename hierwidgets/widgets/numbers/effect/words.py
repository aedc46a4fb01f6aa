"""What the effect of a predictor says in words: status, tables and the key of the picture."""

import html
from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.widgets.numbers.pooling import pooling_columns
from hierwidgets.widgets.panels.facets import CURVES, POINTS, RAW, SHOWN

from .setting import Estimated, Setting, thinned

__all__ = [
    "effect_text", "fit_text", "legend", "point_rows", "quantity_rows", "rate_name", "shorter",
    "slope_rows", "unit_text",
]  # fmt: skip


def rate_name(model: Estimated) -> str:
    """The name of the probability: "Pr(contacted = Contacted)" or "y / n"."""
    design = model.design
    if design.formula.trials is not None:
        return f"{design.formula.response} / {design.formula.trials}"
    return f"Pr({design.formula.response} = {1 if design.event is None else design.event})"


def shorter(name: str, most: int) -> str:
    """A name cut to at most so many characters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def unit_text(row: dict[Any, Any], setting: Setting, digits: int) -> str:
    """One unit: its predictor, its n, its raw and its partially pooled rate."""
    where = f" in {row['facet']}" if setting.facet is not None else ""
    return (
        f"{row['level']}{where}: {setting.predictor} {row['x']:.{digits}f}, n = {row['n']:g}, "
        f"raw {row['raw']:.3f}, pooled {row['estimate']:.3f}."
    )


def fit_text(setting: Setting, model: Estimated, with_predictor: bool, behind: float | None) -> str:
    """Spread and weight of a model; how far its log-likelihood is behind the fit's, if moved."""
    name = f"{'With' if with_predictor else 'Without'} {setting.predictor}"
    text = f"{name}: σ of {setting.unit.group} = {_unit_sd(setting, model):.2f}"
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
    changes = frame[frame["quantity"].isin(["change", "second difference"])]
    parts = [_change_text(row) for row in changes.to_dict("records")]
    who = {"typical": "Typical", "average": "Average", "new": "New"}[target]
    text = f"{who} {setting.unit.group}, {setting.predictor} {changes['at'].iloc[0]}: "
    text += "; ".join(parts)
    if slopes is not None:
        text += ". Slopes: " + ", ".join(f"{kind} {value:.3f}" for kind, value in slopes.items())
    return f"{text}.{_thinned_text(setting, target)}"


def _change_text(row: dict[Any, Any]) -> str:
    series = "" if row["series"] == "all" else f"{row['series']} "
    sign = "+" if row["estimate"] >= 0 else "−"
    interval = f"[{row['conf_low']:.2f}, {row['conf_high']:.2f}]"
    return f"{series}{sign}{abs(row['estimate']):.2f} {interval}"


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


def legend(setting: Setting, kinds: list[int | None]) -> str:
    """The key of the upper picture; shapes and dashes tell the layers apart without colour."""
    raw = setting.facet is None
    stroke = '<path d="M0 8h18" stroke="{}" stroke-width="3" stroke-dasharray="{}"/>'
    keys = [("partial pooling", f'<path d="M9 2l4 6-4 6-4-6z" fill="{POINTS}"/>')]
    if raw:
        keys.insert(0, ("raw rate", f'<circle cx="9" cy="8" r="5" fill="none" stroke="{RAW}"/>'))
    named = sorted({kind for kind in kinds if kind is not None})
    keys += [(f"model, {setting.series[i]}", stroke.format(CURVES[i], "")) for i in named]
    if not named:
        keys.append(("model", stroke.format(CURVES[0], "")))
    if raw:
        keys += [
            ("straight line through raw rates", stroke.format(RAW, "2 3")),
            ("through the estimates", stroke.format(SHOWN, "6 3")),
        ]
    spans = (
        f'<span><svg width="18" height="16" stroke-width="2" aria-hidden="true">{shape}</svg>'
        f"{html.escape(name)}</span>"
        for name, shape in keys
    )
    return f'<div class="hw-legend">{"".join(spans)}</div>'
