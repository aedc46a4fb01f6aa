"""The effect of a group-level predictor: points, curves, and the quantities of interest.

The numbers and words come from `numbers.effect`, the pictures from `panels.facets` and
`panels.curves`; the widget joins them.
"""

import dataclasses
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t

from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.widgets.numbers.effect import frames as numbers
from hierwidgets.widgets.numbers.effect import words
from hierwidgets.widgets.numbers.effect.kept import Kept
from hierwidgets.widgets.numbers.effect.moved import checked_without, movable, without_predictor
from hierwidgets.widgets.numbers.effect.setting import (
    TARGETS,
    Setting,
    a_step_apart,
    decimals,
    setting,
    starting_values,
)  # fmt: skip
from hierwidgets.widgets.numbers.words import Estimated, GivenWords, group_word, rate_name, shorter
from hierwidgets.widgets.panels.curves import STEPS, EffectPicture, effect_sliders
from hierwidgets.widgets.panels.facets import FacetRow, facets_legend, rows_of_facets
from hierwidgets.widgets.parts.choices import known_level, one_of
from hierwidgets.widgets.parts.controls import TextTable, button, menu, switch
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["CompetitivenessEffect"]

SETTLE = 0.15  # seconds after the last move until exact numbers replace the preview
LEVELS = (0.8, 0.9, 0.95)


class CompetitivenessEffect(Instrument):
    """How the probability of every unit follows a group-level predictor.

    Parameters
    ----------
    model
        A binomial fit, or draws from a posterior, with ``(1 | unit)`` alone or with one coarser
        grouping factor such as ``(1 + x | election)``, which then gets a facet for each level.
    predictor
        A numeric column with one value for each unit.
    compare
        A predictor with two values, such as the electoral rules; found if not given.
    without
        The same model without the predictor; refitted by maximum likelihood if not given.
    average_draws
        At most so many draws of a posterior for averages over units.
    with_predictor, sigma, slope, low, high, target, level, quantity, selected
        Where the instrument starts; see Attributes.
    words
        What units and predictor are called, `Words` or a mapping.

    Attributes
    ----------
    with_predictor
        Whether the upper picture shows the model with or without the predictor.
    sigma, slope
        The sd of the units' effects and the coefficient of the predictor in both pictures;
        the fit's own until moved. None where they cannot be moved (facets, draws).
    low, high
        Two values of the predictor at which quantities of interest are computed, in their order.
    target
        ``"typical"`` (all group effects 0), ``"average"`` over the units, or a ``"new"`` unit.
    level
        Of the intervals: 0.8, 0.9 or 0.95.
    quantity
        What the lower picture shows; see `curve_frame`.
    selected
        The unit to show in detail, or None.
    status
        What the status line says.
    setting : Setting
        Units, facets and predictor of the model.
    facets, curves
        The upper picture, a row of facets each, and the lower one.
    points_table
        The table of the points of the upper picture.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ district_competitiveness + (1 | district_id)",
    ...                hw.load("uk"), event="Contacted")
    >>> shown = CompetitivenessEffect(fit, "district_competitiveness", low=0.5, high=0.8)
    >>> shown.quantities.loc[2, ["quantity", "at", "estimate"]].to_list()[:2]
    ['change', '0.5 to 0.8']
    >>> shown.slopes["slope"].round(3).to_dict()
    {'raw': 0.625, 'two-step': 0.175, 'one-step': 0.789}
    >>> shown.close()
    """

    state_names = ("with_predictor", "sigma", "slope", "low", "high", "target", "level", "quantity",
                   "selected")  # fmt: skip

    with_predictor = t.Bool(True)
    sigma = t.Float(None, allow_none=True)
    slope = t.Float(None, allow_none=True)
    low = t.Float()
    high = t.Float()
    target = t.Unicode("typical")
    level = t.Float(0.9)
    quantity = t.Unicode("probability")
    selected = t.Any(None, allow_none=True)

    _curves_of: Setting | None = None  # what the lower picture shows

    def __init__(
        self,
        model: Fit | Posterior,
        predictor: str,
        *,
        compare: str | None = None,
        without: Estimated | None = None,
        average_draws: int = 500,
        with_predictor: bool | None = None,
        sigma: float | None = None,
        slope: float | None = None,
        low: float | None = None,
        high: float | None = None,
        target: str | None = None,
        level: float | None = None,
        quantity: str | None = None,
        selected: object = None,
        words: GivenWords = None,
        **unknown: object,
    ) -> None:
        found = setting(model, predictor, compare, average_draws, words)
        plain = None if without is None else checked_without(found, without)
        super().__init__(**unknown)
        self.setting, self._shown, self._levels = found, found, found.levels
        plain = without_predictor(model, predictor) if plain is None else plain
        self._movable = movable(found, plain)
        self._kept = Kept(found, plain, self._movable)
        self._digits = decimals(found.x_range)
        self._said = {"top": "", "effect": ""}
        self._later = self._at_rest(self._settle, SETTLE)
        self.low, self.high = starting_values(found.x)
        self._start_at(with_predictor=with_predictor)
        self.snap()
        self._start_at(
            sigma=sigma, slope=slope, low=low, high=high, target=target, level=level,
            quantity=quantity, selected=selected,
        )  # fmt: skip
        if self.low >= self.high:
            self.close()
            raise DataError(f"low must be below high; {self.low:g} and {self.high:g} were given")
        self._build()
        self._connect()
        self._guarded(self._draw_all)

    # --- to read ---

    @property
    def quantities(self) -> pd.DataFrame:
        """The quantities of interest at `low` and `high`; see `quantity_frame`.

        Where sigma or slope was moved they are those of the model as moved, without intervals.
        """
        return self._kept.quantities(self.low, self.high, self.target, self.level, self._moved)

    @property
    def slopes(self) -> pd.DataFrame:
        """Raw, two-step and one-step slope; see `slope_frame`."""
        return self._kept.slopes(self.low, self.high, self._shown)

    @property
    def _moved(self) -> Setting | None:
        """What is shown in place of the fit: its parameters are held by hand, without intervals."""
        return None if self._shown is self.setting else self._shown

    @property
    def moved(self) -> bool:
        """Whether sigma or slope is not where the fit has it."""
        found = self._movable
        return found is not None and found.is_moved(self.with_predictor, self.sigma, self.slope)

    def snap(self) -> None:
        """Set sigma and slope back to the maximum likelihood fit (sigma to .01 where that is 0)."""
        if self._movable is not None:
            self.sigma = self._movable.sigma(self.with_predictor)
            if self._movable.slope is not None:
                self.slope = self._movable.slope

    # --- what the traits may be ---

    @t.validate("sigma", "slope", "low", "high")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float | None:
        name, value = proposal["trait"].name, proposal["value"]
        limits = self._limits(name)
        if limits is None and value is None:
            return None
        if limits is None:
            raise t.TraitError(
                f"{name} can be moved for a fit with one (1 | group) and a plain coefficient of "
                f"{self.setting.predictor!r}; {value!r} was given"
            )
        low, high = limits
        if value is None or not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:.4g} to {high:.4g}; {value!r} was given")
        return float(value)

    def _limits(self, name: str) -> tuple[float, float] | None:
        if name in ("low", "high"):
            return self.setting.x_range
        return None if self._movable is None else self._movable.limits(name)

    @t.validate("target", "level", "quantity")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> object:
        name = proposal["trait"].name
        allowed = {"target": TARGETS, "level": LEVELS, "quantity": self._quantities}[name]
        return one_of(name, proposal["value"], allowed)

    @t.validate("selected")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        return known_level("selected", proposal["value"], self._levels, self.setting.unit.group)

    @property
    def _quantities(self) -> tuple[str, ...]:
        if self.setting.compare is not None:
            return numbers.QUANTITIES
        return tuple(q for q in numbers.QUANTITIES if "difference" not in q)

    # --- the parts, built once ---

    def _build(self) -> None:
        s = self.setting
        self._build_controls()
        self.facets = [
            FacetRow(f"hw-facets-{i}", facets, s)
            for i, facets in enumerate(rows_of_facets(len(s.facet_names)))
        ]
        self.curves = EffectPicture(s.x_range, shorter(s.words.predictor, 60))
        self._table.title = "Table of the quantities of interest"
        self.points_table = TextTable(
            title=f"Table of the {len(self._levels)} estimates",
            columns=[s.words.level, *([group_word(s.facet.group)] if s.facet else []),
                     s.words.predictor, "n", "raw",
                     "pooled"],
        )  # fmt: skip
        self._assemble(
            (self._level_menu, self._quantity_menu, self._target_menu, self._interval_menu,
             self._switch, *self._movers, self._low_slider, self._high_slider, self._button),
            (ipywidgets.HTML(facets_legend(s)), *(row.figure for row in self.facets),
             self.curves.figure),
            self.points_table,
        )  # fmt: skip

    def _build_controls(self) -> None:
        s, names = self.setting, [str(level) for level in self._levels]
        ends = {name: limits for name in self.state_names[1:5] if (limits := self._limits(name))}
        sliders = effect_sliders({name: getattr(self, name) for name in ends}, ends)
        self._low_slider, self._high_slider = sliders.pop("low"), sliders.pop("high")
        self._movers = list(sliders.values())
        self._switch = switch(f"{shorter(s.words.predictor, 28)} in the model", self.with_predictor)
        self._level_menu = menu(shorter(s.words.level, 26), ["none", *names])
        self._button = button("Snap to the fit", "Set σ and γ₁ to their maximum likelihood values")
        self._button.layout.display = "none" if self._movable is None else None
        self._quantity_menu = menu("Show", list(self._quantities), self.quantity)
        self._target_menu = menu("Target", words.target_names(s, TARGETS), self.target)
        self._interval_menu = menu("Interval", [(f"{p:.0%}", p) for p in LEVELS], self.level)

    def _connect(self) -> None:
        for name, slider in zip(("sigma", "slope"), self._movers, strict=False):
            self._bind(name, slider)
        for name, control in (
            ("low", self._low_slider), ("high", self._high_slider), ("target", self._target_menu),
            ("level", self._interval_menu), ("quantity", self._quantity_menu),
            ("with_predictor", self._switch),
        ):  # fmt: skip
            self._bind(name, control)
        self.observe(lambda _: self._guarded(self._follow_fit), names="with_predictor")
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self._button.on_click(lambda _: self._guarded(self.snap))
        for row in self.facets:
            self._on_place(row.name, partial(self._pick, row))
        self._redraw_on(self._draw_model, "with_predictor", "sigma", "slope")
        self._redraw_on(self._draw_top, "level", "selected")
        self._redraw_on(self._draw_curves, "target", "level", "quantity")
        self.observe(lambda change: self._guarded(partial(self._push, change["name"])),
                     names=["low", "high"])  # fmt: skip
        self.points_table.observe(lambda _: self._guarded(self._draw_top), names="is_open")
        self._table.observe(lambda _: self._guarded(self._settle), names="is_open")

    def _push(self, moved: str) -> None:
        """One of the two values takes the other along: they stay a step apart, in their order."""
        if self.low < self.high:
            self._move()
            return
        self.low, self.high = a_step_apart(self.low, self.high, moved, self.setting.x_range, STEPS)

    def _follow_fit(self) -> None:
        """A sigma that nobody has moved goes with the model that is shown."""
        found = self._movable
        if found is not None and self.sigma == found.sigma(not self.with_predictor):
            self.sigma = found.sigma(self.with_predictor)

    def _choose(self) -> None:
        index = self._level_menu.index
        self.selected = self._levels[index - 1] if index else None

    def _pick(self, row: FacetRow, x: float, y: float) -> None:
        unit = row.pick(x, y)
        if unit is not None:
            self.selected = self._levels[unit]

    # --- the upper picture ---

    def _draw_all(self) -> None:
        self._draw_scale()
        self._draw_top()
        self._draw_curves()

    def _draw_scale(self) -> None:
        s, high = self.setting, 1.045
        units = self._kept.units(True)
        if s.facet is not None:
            line = self._kept.line(True, self.level)
            high = min(high, 1.06 * float(max(units["estimate"].max(), line["conf_high"].max())))
        for row in self.facets:
            row.draw_raw(units)
            row.limits(-0.045, high, rate_name(s.model))

    def _draw_model(self) -> None:
        """Both pictures, of a model that has moved; what takes longer once it is at rest."""
        before = self._shown
        self._draw_top()
        if self._shown is before:
            return
        if self._soon:
            self._draw_lower()
        else:
            self._later.ask()

    def _draw_top(self) -> None:
        model, units, line = self._kept.moved(
            self.with_predictor, self.sigma, self.slope, self.level
        )
        self._shown = self.setting
        if self.with_predictor and model is not self.setting.model:
            self._shown = dataclasses.replace(self.setting, model=model)
        y = units["estimate"].to_numpy()
        place = None if self.selected is None else self._levels.index(self.selected)
        for row in self.facets:
            row.draw_line(line, self.setting.facet_names)
            row.draw_points(y[row.units])
            row.draw_ring(place, units)
        self._level_menu.index = 0 if place is None else place + 1
        for slider in self._movers[1:]:
            slider.layout.display = None if self.with_predictor else "none"
        self._said["top"] = self._top_text(model, units, place)
        self._report()
        if self.points_table.is_open or not self.points_table.rows:
            self.points_table.rows = words.point_rows(units, self.setting, self._digits)

    def _top_text(self, model: Estimated, units: pd.DataFrame, place: int | None) -> str:
        s, behind = self.setting, None
        if self._movable is not None and self.moved and isinstance(model, Fit):
            behind = self._movable.model(self.with_predictor).loglik - model.loglik
        text = words.fit_text(s, model, self.with_predictor, behind)
        if place is not None:
            return f"{words.unit_text(units.iloc[place].to_dict(), s, self._digits)} {text}"
        if s.facet is None:
            slope = np.polyfit(units["x"], units["estimate"], 1)[0]
            text += f" A straight line through the shown estimates has slope {slope:.3f}."
        return text

    # --- the lower picture and the quantities ---

    def _draw_curves(self) -> None:
        self._draw_lower()
        self._settle()

    def _draw_lower(self) -> None:
        """The curves, their marks, and the changes in words."""
        first = 2 if "difference" in self.quantity else 0
        label = words.quantity_label(self.setting, self.quantity)
        curve = self._kept.curve(self.quantity, self.target, self.level, self._moved)
        self.curves.draw_curves(curve, first, label)
        self._curves_of = self._shown
        self._draw_values()
        self._say_changes()

    @property
    def _soon(self) -> bool:
        """Whether the changes are computed within a frame or two."""
        return isinstance(self.setting.model, Fit) and self.target != "average"

    def _move(self) -> None:
        """While a slider moves: marks and, if they are soon computed, changes; the rest later."""
        self._draw_values()
        self._later.forget()
        if self._soon:
            self._say_changes()
        if self._table.is_open or not self._soon:
            self._later.ask()

    def _draw_values(self) -> None:
        self.curves.draw_marks(self.low, self.high)
        for row in self.facets:
            row.draw_guides(self.low, self.high)

    def _settle(self) -> None:
        """The exact changes from low to high, and all quantities of interest in the table."""
        self._later.forget()
        if self._curves_of is self._shown:
            self._say_changes()
        else:
            self._draw_lower()
        if self._table.is_open or not self._table.rows:
            self._fill_table()

    def _say_changes(self) -> None:
        s = self._shown
        changes = self._kept.changes(self.low, self.high, self.target, self.level, self._moved)
        slopes = self._kept.shown_slopes(changes, self.low, self.high, self.target, s)
        self._said["effect"] = words.effect_text(s, changes, slopes, self.target)
        self._report()

    def _fill_table(self) -> None:
        own = self.setting.facet is None
        rows = words.slope_rows(self.slopes["slope"], self.low, self.high) if own else []
        self._table.columns = ["quantity", "at", "for", "estimate", f"{self.level:.0%} interval"]
        self._table.rows = [*words.quantity_rows(self.quantities), *rows]

    def _report(self) -> None:
        s, top = self.setting, self._said["top"]
        hidden = len(s.facet_names) - sum(len(row.facets) for row in self.facets)
        more = f" {hidden} more facets are not drawn." if hidden else ""
        with_it = "" if self.with_predictor else "In the model with it: "
        pictures = {
            row.name.replace("-", "_"): words.row_text(s, row.facets, row.heights, top, more)
            for row in self.facets
        }
        curves = words.curves_text(s, self.quantity, self.target, self.curves.marked())
        self._say(f"{top} {with_it}{self._said['effect']}{more}", hw_effect=curves, **pictures)
