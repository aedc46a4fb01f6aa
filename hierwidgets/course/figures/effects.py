"""Pictures of quantities of interest: curves with bands, rates of imagined groups, two intervals.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.palette import (
    BLACK,
    BROWN,
    COMPLETE,
    DENSITY,
    GREEN,
    HATCH,
    INK,
    ORANGE,
    PURPLE,
    RULES,
    SECOND_OTHER,
    Style,
)

from .base import blank_figure, legend_above, require_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["imagined_rates", "named_intervals", "quantity_panels"]


_LOOKS = {name: (look.color, look.linestyle) for name, look in RULES.items()} | {"": (BROWN, "-")}
_UNITS = {
    "probability": "probability",
    "first difference": "probability, SMD less PR",
    "marginal effect": "slope, per unit",
    "difference of marginal effects": "slope, SMD less PR",
}
_OTHERS = ((INK, "-."), (SECOND_OTHER, ":"))
_KINDS = (Style(ORANGE, "D", "-"), Style(PURPLE, "o", "--"), Style(GREEN, "s", ":"))
_OF_RULES = {**RULES, "SMD less PR": Style(BROWN, "D", "-")}


def quantity_panels(
    curves: Mapping[str, pd.DataFrame],
    marks: pd.DataFrame | None = None,
    *,
    label: str = "district competitiveness",
    seen: tuple[float, float] | None = None,
) -> "Figure":
    """A panel for each quantity: medians as lines, intervals as bands, a line at zero.

    Parameters
    ----------
    curves
        By title: ``x series estimate conf_low conf_high``; an empty series is the only one.
    marks
        Values from elsewhere, drawn as crosses: ``quantity`` (a title), ``x``, ``value``.
    label
        Of the horizontal axis.
    seen
        The range of x in the data; what lies outside is hatched.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.effects import quantity_panels
    >>> frame = pd.DataFrame({"x": [0.0, 1.0], "series": "", "estimate": [0.1, 0.2],
    ...                       "conf_low": [0.0, 0.1], "conf_high": [0.2, 0.3]})
    >>> [axes.get_title(loc="left") for axes in quantity_panels({"first difference": frame}).axes]
    ['first difference']
    """
    for title, frame in curves.items():
        require_columns(frame, "x", "series", "estimate", "conf_low", "conf_high", of=title)
    rows = -(-len(curves) // 2)
    figure = blank_figure(8.2 if len(curves) > 1 else 5.0, 2.9 * rows + 0.3)
    panels = figure.subplots(rows, min(len(curves), 2), squeeze=False).ravel()
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)  # room for words between panels
    for axes, (title, frame) in zip(panels, curves.items(), strict=False):
        _curves(axes, frame)
        axes.set_title(title, loc="left", size=10)
        if frame["conf_low"].min() < 0:
            axes.axhline(0, color=INK, lw=0.8)
        if marks is not None:
            mine = marks[marks["quantity"] == title]
            axes.plot(
                mine["x"],
                mine["value"],
                "x",
                color=BLACK,
                ms=8,
                mew=1.8,
                zorder=5,
                clip_on=False,
            )
        _shade(axes, frame["x"].to_numpy(float), seen)
        axes.set_xlabel(label)
        axes.set_ylabel(_UNITS.get(title, ""))
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(curves) :]:
        axes.set_visible(False)
    several = [axes for axes in panels if len(axes.get_legend_handles_labels()[1]) > 1]
    if several:
        legend_above(several[0], ncols=4)
    return figure


def _curves(axes: "Axes", frame: pd.DataFrame) -> None:
    names = list(dict.fromkeys(frame["series"]))
    others = iter(_OTHERS)
    for name in names:
        color, dashes = _LOOKS[name] if name in _LOOKS else next(others)
        part = frame[frame["series"] == name]
        axes.fill_between(
            part["x"], part["conf_low"], part["conf_high"], color=color, alpha=0.16, lw=0
        )
        axes.plot(part["x"], part["estimate"], dashes, color=color, lw=2.2, label=name or None)


def _shade(axes: "Axes", x: Array, seen: tuple[float, float] | None) -> None:
    """Grey where there are no data."""
    low, high = float(x.min()), float(x.max())
    axes.set_xlim(low, high)
    if seen is not None:
        for start, end in ((low, seen[0]), (seen[1], high)):
            if end > start:
                axes.axvspan(start, end, facecolor="none", edgecolor=HATCH, hatch="///", lw=0)


def imagined_rates(mu: float, sigma: float, marks: Mapping[str, float]) -> "Figure":
    """The density of the rates of groups drawn from N(mu, sigma^2) in log-odds, and named rates.

    Examples
    --------
    >>> from hierwidgets.course.figures.effects import imagined_rates
    >>> len(imagined_rates(-0.85, 0.71, {"typical": 0.30, "average": 0.32}).axes)
    1
    """
    figure = blank_figure(7.4, 3.0)
    axes = figure.add_subplot(xlabel="rate", ylabel="density of districts")
    rate = np.linspace(0.002, 0.998, 600)
    alpha = np.log(rate / (1 - rate))
    density = np.exp(-0.5 * ((alpha - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    density = density / (rate * (1 - rate))
    axes.fill_between(rate, density, color=DENSITY, lw=0)
    axes.plot(rate, density, color=INK, lw=1.5)
    looks = ((ORANGE, "-"), (INK, "--"), (COMPLETE, ":"))
    for (name, value), (color, dashes) in zip(marks.items(), looks, strict=False):
        text = f"{name}: {value:.3f}"
        axes.axvline(value, color=color, ls=dashes, lw=2.2, label=text)
    axes.set(xlim=(0, 0.85), ylim=(0, None), yticks=[])
    axes.legend(frameon=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def named_intervals(frame: pd.DataFrame, label: str, at: float | None = None) -> "Figure":
    """Estimates with intervals, a row each, in two styles if the frame has a column ``kind``.

    Parameters
    ----------
    frame
        ``name estimate conf_low conf_high`` and, if wanted, ``kind`` with at most three values;
        an electoral rule, and ``SMD less PR``, keep their own style. An empty name belongs to
        the row above.
    label
        Of the horizontal axis.
    at
        Where a vertical line stands.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.effects import named_intervals
    >>> frame = pd.DataFrame({"name": ["a", "b"], "estimate": [1.0, 2.0],
    ...                       "conf_low": [0.0, 1.0], "conf_high": [2.0, 3.0]})
    >>> [t.get_text() for t in named_intervals(frame, "effect").axes[0].get_yticklabels()]
    ['a', 'b']
    """
    require_columns(frame, "name", "estimate", "conf_low", "conf_high", of="the frame")
    figure = blank_figure(7.6, 0.9 + 0.42 * len(frame))
    axes = figure.add_subplot()
    kinds = list(dict.fromkeys(frame["kind"])) if "kind" in frame else [""]
    for kind, other in zip(kinds, _KINDS, strict=False):
        color, marker, line = _OF_RULES.get(kind, other)
        mine = np.flatnonzero(frame["kind"] == kind) if kind else np.arange(len(frame))
        part = frame.iloc[mine]
        spans = axes.hlines(mine, part["conf_low"], part["conf_high"], color=color, lw=2)
        spans.set_linestyle(line)
        axes.plot(part["estimate"], mine, marker, color=color, label=kind or None)
    if at is not None:
        axes.axvline(at, color=INK, lw=0.8)
    named = np.flatnonzero(frame["name"] != "")
    names = [name.replace(" - ", " \N{MINUS SIGN} ") for name in frame["name"].iloc[named]]
    axes.set_yticks(named, names)
    axes.set_ylim(len(frame) - 0.5, -0.6)
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    if kinds != [""] and len(kinds) < len(frame):  # else each row says its kind itself
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure
