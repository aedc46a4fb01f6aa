"""Lines of groups as points: turn how groups differ, and watch intercepts and slopes pool together.

The numbers come from `numbers.pairs`, the picture from `panels.pairs`.
"""

from typing import Any

import ipywidgets
import numpy as np
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.pairs import words
from hierwidgets.widgets.numbers.pairs.pooled import (
    LEVELS,
    Groups,
    Spread,
    ellipse,
    pooled,
    prepare,
)
from hierwidgets.widgets.panels.pairs import PairsPanel, pairs_legend
from hierwidgets.widgets.parts.choices import known_level, within
from hierwidgets.widgets.parts.controls import NamedSlider, button, menu
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["SlopeShrinkage"]

MARGINS = (0.02, 0.98)  # shares of the own lines between which the picture reaches
OWN_SDS = 2.6  # of the fit, that it reaches from the centre at least


class SlopeShrinkage(Instrument):
    """The intercept and the slope of every group, on their own and partially pooled.

    A group is a point: its intercept across, its slope upwards. Ellipses show how groups differ
    under the sds and the correlation of the sliders; the centre is held at the fit.

    Parameters
    ----------
    fit
        A fit with one ``(1 + x | group)``, of any family.
    sd_intercept, sd_slope, corr
        How groups differ; the fit's own values if not given.
    selected
        The group to show in detail, or None.

    Attributes
    ----------
    sd_intercept, sd_slope, corr, selected
        The state, to read, set or observe.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + district_competitiveness"
    ...                " + (1 + district_competitiveness | election_id)",
    ...                hw.load("rainey2015"), event="Contacted")
    >>> points = SlopeShrinkage(fit, corr=-0.9)
    >>> points.selected = "Canada"
    >>> points
    SlopeShrinkage(sd_intercept=1, sd_slope=2.15, corr=-0.9, selected='Canada')
    >>> points.close()
    """

    state_names = ("sd_intercept", "sd_slope", "corr", "selected")

    sd_intercept = t.Float(0.0)
    sd_slope = t.Float(0.0)
    corr = t.Float(0.0)
    selected = t.Any(None, allow_none=True)

    _quiet = False

    def __init__(
        self,
        fit: Fit,
        *,
        sd_intercept: float | None = None,
        sd_slope: float | None = None,
        corr: float | None = None,
        selected: object = None,
        **unknown: object,
    ) -> None:
        groups = prepare(fit)
        super().__init__(**unknown)
        self._groups = groups
        self._most = _largest(groups)
        self.snap()
        self._start_at(sd_intercept=sd_intercept, sd_slope=sd_slope, corr=corr, selected=selected)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def snap(self) -> None:
        """Set both sds and the correlation to those of the fit."""
        self._quiet = True
        self.sd_intercept, self.sd_slope, self.corr = self._groups.fitted
        self._quiet = False

    # --- the state ---

    @t.validate("sd_intercept", "sd_slope", "corr")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name = proposal["trait"].name
        low, high = (-1.0, 1.0) if name == "corr" else (0.0, self._most[name == "sd_slope"])
        return within(name, float(proposal["value"]), low, high)

    @t.validate("selected")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        groups = self._groups
        return known_level("selected", proposal["value"], groups.levels, groups.group)

    # --- the parts, built once ---

    def _build(self) -> None:
        groups = self._groups
        names = list(map(str, groups.levels))
        self.pairs = PairsPanel(groups.own, names, groups.centre, _limits(groups), groups.slope)
        made = {
            "sd_intercept": ("sd of intercepts", 0.0, self._most[0]),
            "sd_slope": ("sd of slopes", 0.0, self._most[1]),
            "corr": ("correlation", -1.0, 1.0),
        }
        self._sliders = {
            name: NamedSlider(label=label, value=getattr(self, name), min=low, max=high, digits=2)
            for name, (label, low, high) in made.items()
        }
        self._level_menu = menu("Highlight", ["none", *names])
        self._button = button("Snap to the fit", "Set both sds and the correlation to the fit's")
        self._table.title = f"Table of the {len(names)} lines"
        self._table.columns = [
            groups.group, "n", "own intercept", "own slope", "pooled intercept", "pooled slope",
        ]  # fmt: skip
        self._assemble(
            (self._level_menu, *self._sliders.values(), self._button),
            (ipywidgets.HTML(pairs_legend()), self.pairs.figure),
        )

    # --- what changes ---

    def _connect(self) -> None:
        for name, slider in self._sliders.items():
            self._bind(name, slider)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self._button.on_click(lambda _: self._guarded(self._press_snap))
        self._on_place("hw-pairs", self._pick)
        self._redraw_on(self._draw, *self.state_names)
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _choose(self) -> None:
        index = self._level_menu.index
        self.selected = self._groups.levels[index - 1] if index else None

    def _press_snap(self) -> None:
        self.snap()
        self._draw()

    def _pick(self, x: float, y: float) -> None:
        row = self.pairs.pick(x, y)
        if row is not None:
            self.selected = self._groups.levels[row]

    def _draw(self) -> None:
        """Bring every mark to the present state."""
        if self._quiet:
            return
        groups = self._groups
        spread = Spread(self.sd_intercept, self.sd_slope, self.corr)
        lines = pooled(groups, spread)
        row = None if self.selected is None else groups.levels.index(self.selected)
        self._level_menu.index = 0 if row is None else 1 + row
        self.pairs.show(lines, {level: ellipse(groups, spread, level) for level in LEVELS}, row)
        who = "" if row is None else words.group_words(groups, lines, row)
        said = [
            words.spread_words(spread, spread == groups.fitted),
            who or words.moved_words(groups, lines),
            words.thin_words(groups, lines, spread),
            words.without_words(groups, self.pairs.outside),
        ]
        picture = f"{words.picture_words(groups, lines, spread)} {who}".rstrip()
        self._say(" ".join(filter(None, said)), hw_pairs=picture)
        if self._table.is_open or not self._table.rows:
            self._table.rows = words.rows(groups, lines)


def _largest(groups: Groups) -> tuple[float, float]:
    """The largest sd of each slider: three times the fit's, or what the own lines suggest."""
    middle = [np.nan, np.nan]
    if groups.without < len(groups.levels):
        quarters = np.nanquantile(groups.own, [0.25, 0.75], axis=0)
        middle = (quarters[1] - quarters[0]) / 1.349  # of a normal distribution's sd
    most = [
        float(np.nanmax([3 * sd, 1.5 * own, 1e-3]))
        for sd, own in zip(groups.fitted[:2], middle, strict=True)
    ]
    return _rounded_up(most[0]), _rounded_up(most[1])


def _rounded_up(value: float) -> float:
    """With two digits that count."""
    step = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(f"{np.ceil(value / step) * step:.2g}")


def _limits(groups: Groups) -> Array:
    """The picture holds nearly all own lines and the ellipse of the fit: (2, 2)."""
    sds = np.maximum(groups.fitted[:2], np.array(_largest(groups)) / 20)
    low, high = groups.centre - OWN_SDS * sds, groups.centre + OWN_SDS * sds
    if groups.without < len(groups.levels):
        ends = np.nanquantile(groups.own, MARGINS, axis=0)
        low, high = np.minimum(low, ends[0]), np.maximum(high, ends[1])
    air = 0.05 * (high - low)
    return np.stack([low - air, high + air], axis=1)
