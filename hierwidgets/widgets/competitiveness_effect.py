"""The effect of a group-level predictor: points, curves, and the quantities of interest.

The numbers come from `_effect`, the pictures from `_facets`; the widget joins them.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec.columns import variables
from hierwidgets.widgets.numbers.effect import frames as numbers
from hierwidgets.widgets.numbers.effect import words
from hierwidgets.widgets.numbers.effect.moved import (
    held_at,
    prepared,
    slope_position,
    without_predictor,
)
from hierwidgets.widgets.numbers.effect.setting import TARGETS, Estimated, Setting, setting
from hierwidgets.widgets.panels.facets import CURVES, EffectPicture, FacetRow, rows_of_facets
from hierwidgets.widgets.parts.charts import WIDTH
from hierwidgets.widgets.parts.controls import NamedSlider, TextTable
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["CompetitivenessEffect"]


SMALLEST_SIGMA, LARGEST_SIGMA = 0.01, 5.0
STEPS = 100  # of the two sliders of the predictor
SETTLE = 0.15  # seconds after the last move until exact numbers replace the preview
POINTS_OF_CURVE, FEWER_POINTS = 61, 11  # the fewer where each point averages over units
LEVELS = (0.8, 0.9, 0.95)
TARGET_TEXTS = {
    "typical": "typical: no group effects",
    "average": "average over the units",
    "new": "a new unit",
}


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

    Attributes
    ----------
    with_predictor
        Whether the upper picture shows the model with or without the predictor.
    sigma, slope
        The sd of the units' effects and the coefficient of the predictor in the upper picture;
        the fit's own until moved. None where they cannot be moved (facets, draws).
    low, high
        Two values of the predictor at which quantities of interest are computed.
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

    state_names = (
        "with_predictor", "sigma", "slope", "low", "high", "target", "level", "quantity",
        "selected",
    )  # fmt: skip

    with_predictor = t.Bool(True)
    sigma = t.Float(None, allow_none=True)
    slope = t.Float(None, allow_none=True)
    low = t.Float()
    high = t.Float()
    target = t.Unicode("typical")
    level = t.Float(0.9)
    quantity = t.Unicode("probability")
    selected = t.Any(None, allow_none=True)

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
        **unknown: object,
    ) -> None:
        found = setting(model, predictor, compare, average_draws)
        given = without is not None
        plain = _checked_without(found, without) if given else None
        super().__init__(**unknown)
        self._setting = found
        self._plain = without_predictor(model, predictor) if plain is None else plain
        self._prepare()
        self._start_at(with_predictor=with_predictor)
        self.snap()
        self._start_at(
            sigma=sigma, slope=slope, low=low, high=high, target=target, level=level,
            quantity=quantity, selected=selected,
        )  # fmt: skip
        self._build()
        self._connect()
        self._guarded(self._draw_all)

    # --- to read ---

    @property
    def quantities(self) -> pd.DataFrame:
        """The quantities of interest at `low` and `high`; see `quantity_frame`."""
        return numbers.quantity_frame(
            self._setting, self.low, self.high, target=self.target, level=self.level
        )

    @property
    def slopes(self) -> pd.DataFrame:
        """Raw, two-step and one-step slope; see `slope_frame`."""
        units = self._units_of(self._plain)
        return numbers.slope_frame(self._setting, self._plain, self.low, self.high, units=units)

    def snap(self) -> None:
        """Set sigma and slope back to the maximum likelihood fit (sigma to .01 where that is 0)."""
        if self._fits is not None:
            self.sigma = self._fitted_sigma
        if self._slope_at is not None:
            self.slope = self._fitted_slope

    @property
    def _shown(self) -> Estimated:
        """The model of the upper picture."""
        return self._setting.model if self.with_predictor else self._plain

    @property
    def _fitted_sigma(self) -> float:
        assert self._fits is not None
        return max(float(self._fits[0 if self.with_predictor else 1].theta[0]), SMALLEST_SIGMA)

    # --- what never changes ---

    def _prepare(self) -> None:
        s = self._setting
        self._levels = list(s.unit.levels)
        self._names = np.array([str(level) for level in self._levels])
        self._fits, self._slope_at = _movable(s, self._plain), None
        if self._fits is not None:
            self._slope_at = slope_position(self._fits[0], s.predictor)
            fitted = max(float(fit.theta[0]) for fit in self._fits)
            self._sigma_range = (SMALLEST_SIGMA, max(LARGEST_SIGMA, 2 * fitted))
            if self._slope_at is not None:
                self._fitted_slope = slope = float(self._fits[0].beta[self._slope_at])
                reach = 4 * float(self._fits[0].std_error.iloc[self._slope_at])
                reach = max(reach, 1.5 * abs(slope))
                self._slope_range = (slope - reach, slope + reach)
        self._range = (float(s.x.min()), float(s.x.max()))
        self._digits = _digits(self._range)
        self.low, self.high = _starting_values(s.x, self._digits)
        self._cache: dict[object, Any] = {}
        self._said = {"top": "", "effect": ""}
        self._pending: asyncio.TimerHandle | None = None

    def _once(self, key: object, make: Callable[[], Any]) -> Any:
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    @t.validate("sigma", "slope", "low", "high")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float | None:
        name, value = proposal["trait"].name, proposal["value"]
        if name in ("low", "high"):
            low, high = self._range
        elif self._fits is not None if name == "sigma" else self._slope_at is not None:
            low, high = self._sigma_range if name == "sigma" else self._slope_range
        elif value is None:
            return None
        else:
            raise t.TraitError(
                f"{name} can be moved for a fit with one (1 | group) and a plain coefficient of "
                f"{self._setting.predictor!r}; {value!r} was given"
            )
        if value is None or not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:.4g} to {high:.4g}; {value!r} was given")
        return float(value)

    @t.validate("target", "level", "quantity")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> object:
        name, value = proposal["trait"].name, proposal["value"]
        allowed = {"target": TARGETS, "level": LEVELS, "quantity": self._quantities}[name]
        if value not in allowed:
            raise t.TraitError(f"{name} must be one of {allowed}; {value!r} was given")
        return value

    @t.validate("selected")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        value = proposal["value"]
        if value is not None and value not in self._levels:
            some = ", ".join(map(repr, self._levels[:3]))
            raise t.TraitError(
                f"selected must be None or one of the {len(self._levels)} levels of "
                f"{self._setting.unit.group} ({some}, ...); {value!r} was given"
            )
        return value

    @property
    def _quantities(self) -> tuple[str, ...]:
        if self._setting.compare is not None:
            return numbers.QUANTITIES
        return tuple(q for q in numbers.QUANTITIES if "difference" not in q)

    # --- the parts, built once ---

    def _build(self) -> None:
        s = self._setting
        self._build_controls()
        colors = self._line_colors()
        label = words.shorter(s.predictor, 60)
        self._rows = [
            FacetRow(
                f"hw-facets-{i}", facets, s.facet_of, self._titles(), colors, s.x, self._names,
                label, raw=s.facet is None,
            )
            for i, facets in enumerate(rows_of_facets(len(s.facet_names)))
        ]  # fmt: skip
        self._picture = EffectPicture(self._range, label)
        self._table.title = "Table of the quantities of interest"
        self._points_table = TextTable(
            title=f"Table of the {len(self._levels)} estimates",
            columns=[s.unit.group, *([s.facet.group] if s.facet else []), s.predictor, "n", "raw",
                     "pooled"],
        )  # fmt: skip
        top = ipywidgets.HBox([self._switch, self._level_menu, self._button])
        menus = ipywidgets.HBox([self._quantity_menu, self._target_menu, self._interval_menu])
        self._assemble(
            top, *self._movers, ipywidgets.HTML(words.legend(s, self._facet_values())),
            *(row.figure for row in self._rows), self._low_slider, self._high_slider, menus,
            self._picture.figure, self._points_table, width=WIDTH,
        )  # fmt: skip

    def _build_controls(self) -> None:
        s = self._setting
        sliders = {"steps": STEPS, "digits": self._digits}
        self._low_slider, self._high_slider = (
            NamedSlider(
                label=f"{name} value", value=getattr(self, name),
                min=self._range[0], max=self._range[1], **sliders,
            )
            for name in ("low", "high")
        )  # fmt: skip
        self._movers: list[NamedSlider] = []
        if self._fits is not None:
            low, high = self._sigma_range
            self._movers.append(
                NamedSlider(label="σ, spread", value=self.sigma, min=low, max=high, log=True)
            )
        if self._slope_at is not None:
            low, high = self._slope_range
            self._movers.append(
                NamedSlider(
                    label="γ₁, slope", value=self.slope, min=low, max=high,
                    digits=_digits(self._slope_range),
                )
            )  # fmt: skip
        self._switch = ipywidgets.Checkbox(
            value=self.with_predictor, description=f"{words.shorter(s.predictor, 28)} in the model",
            indent=False, layout={"width": "310px"},
        )  # fmt: skip
        self._level_menu = _menu(s.unit.group, ["none", *self._names], "270px")
        self._button = ipywidgets.Button(
            description="Snap to the fit", tooltip="Set σ and γ₁ to their maximum likelihood values"
        )
        self._button.layout.display = None if self._fits is not None else "none"
        self._quantity_menu = _menu("Show", list(self._quantities), "270px", self.quantity)
        texts = TARGET_TEXTS | {"average": f"average over {len(self._levels)} units"}
        self._target_menu = _menu(
            "Target", [(texts[name], name) for name in TARGETS], "270px", self.target
        )
        self._interval_menu = _menu(
            "Interval", [(f"{level:.0%}", level) for level in LEVELS], "150px", self.level
        )

    def _facet_values(self) -> list[int | None]:
        """Which of the two values compared each facet has, None where it is neither."""
        s = self._setting
        if s.compare is None or s.facet is None:
            return [None] * len(s.facet_names)
        values = s.model.design.data[s.compare].to_numpy()
        codes = s.facet.codes[s.model.design.rows]
        inside = [set(values[codes == k]) for k in range(len(s.facet_names))]
        return [s.pair.index(next(iter(v))) if len(v) == 1 else None for v in inside]

    def _line_colors(self) -> list[str]:
        return [CURVES[i or 0] for i in self._facet_values()]

    def _titles(self) -> tuple[str, ...]:
        s = self._setting
        pairs = zip(s.facet_names, self._facet_values(), strict=True)
        return tuple(name if i is None else f"{name} ({s.pair[i]})" for name, i in pairs)

    def _connect(self) -> None:
        for name, slider in zip(("sigma", "slope"), self._movers, strict=False):
            self._bind(name, slider)
        for name, control in (
            ("low", self._low_slider), ("high", self._high_slider), ("target", self._target_menu),
            ("level", self._interval_menu), ("quantity", self._quantity_menu),
            ("with_predictor", self._switch),
        ):  # fmt: skip
            self._bind(name, control)
        self.observe(lambda _: self._guarded(self.snap), names="with_predictor")
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self._button.on_click(lambda _: self._guarded(self.snap))
        for row in self._rows:
            self._on_place(row.name, partial(self._pick, row))
        self._redraw_on(self._draw_top, "with_predictor", "sigma", "slope", "level", "selected")
        self._redraw_on(self._draw_curves, "target", "level", "quantity")
        self._redraw_on(self._move, "low", "high")
        self._points_table.observe(lambda _: self._guarded(self._draw_top), names="is_open")
        self._table.observe(lambda _: self._guarded(self._settle), names="is_open")

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
        s, low, high = self._setting, -0.045, 1.045
        units = self._units_of(s.model)
        if s.facet is not None:
            line = self._line_of(s.model)
            high = min(1.045, 1.06 * float(max(units["estimate"].max(), line["conf_high"].max())))
        for row in self._rows:
            row.raw.y = units["raw"].to_numpy()[row.units]
            row.limits(low, high, words.rate_name(s.model))
            ends = np.array(self._range)
            row.through_raw.x = row.through_points.x = ends
            row.through_raw.y = np.polyval(np.polyfit(units["x"], units["raw"], 1), ends)

    def _units_of(self, model: Estimated) -> pd.DataFrame:
        found: pd.DataFrame = self._once(
            ("units", model is self._plain), lambda: numbers.unit_frame(self._setting, model)
        )
        return found

    def _line_of(self, model: Estimated) -> pd.DataFrame:
        found: pd.DataFrame = self._once(
            ("line", model is self._plain, self.level),
            lambda: numbers.line_frame(self._setting, model, level=self.level),
        )
        return found

    def _at_hand(self) -> tuple[Estimated, pd.DataFrame, pd.DataFrame]:
        """The model of the upper picture as its sliders have it, its points and its line."""
        model = self._shown
        if not self._moved:
            return model, self._units_of(model), self._line_of(model)
        moved = self._moved_fit()
        rows = self._once(("rows", model is self._plain), lambda: prepared(self._setting, moved))
        points, line = rows.estimates(moved)
        x = self._line_of(model)["x"]
        units = self._units_of(model).assign(estimate=points)
        return moved, units, pd.DataFrame({"x": x, "estimate": line})

    def _moved_fit(self) -> Fit:
        assert self._fits is not None
        assert self.sigma is not None
        held = {}
        if self.with_predictor and self._slope_at is not None and self.slope is not None:
            held = {self._slope_at: self.slope}
        return held_at(self._fits[0 if self.with_predictor else 1], self.sigma, held)

    @property
    def _moved(self) -> bool:
        """Whether sigma or slope is not where the fit has it."""
        if self._fits is None:
            return False
        steep = self.with_predictor and self._slope_at is not None
        return self.sigma != self._fitted_sigma or (steep and self.slope != self._fitted_slope)

    def _draw_top(self) -> None:
        model, units, line = self._at_hand()
        y = units["estimate"].to_numpy()
        place = None if self.selected is None else self._levels.index(self.selected)
        for row in self._rows:
            row.draw_line(line, self._setting.facet_names)
            row.draw_points(y[row.units])
            row.draw_ring(place, units)
        self._level_menu.index = 0 if place is None else place + 1
        for slider in self._movers[1:]:
            slider.layout.display = None if self.with_predictor else "none"
        self._said["top"] = self._top_text(model, units, place)
        self._report()
        if self._points_table.is_open or not self._points_table.rows:
            self._points_table.rows = words.point_rows(units, self._setting, self._digits)

    def _top_text(self, model: Estimated, units: pd.DataFrame, place: int | None) -> str:
        s = self._setting
        behind = None
        if self._fits is not None and self._moved and isinstance(model, Fit):
            behind = self._fits[0 if self.with_predictor else 1].loglik - model.loglik
        text = words.fit_text(s, model, self.with_predictor, behind)
        if place is not None:
            return f"{words.unit_text(units.iloc[place].to_dict(), s, self._digits)} {text}"
        if s.facet is None:
            slope = np.polyfit(units["x"], units["estimate"], 1)[0]
            text += f" A straight line through the shown estimates has slope {slope:.3f}."
        return text

    # --- the lower picture and the quantities ---

    def _draw_curves(self) -> None:
        self._picture.draw_curves(
            self._curves(), 2 if "difference" in self.quantity else 0, self._quantity_label()
        )
        self._draw_values()
        self._settle()

    def _curves(self) -> pd.DataFrame:
        count = FEWER_POINTS if self.target == "average" else POINTS_OF_CURVE
        at = np.linspace(*self._range, count)
        found: pd.DataFrame = self._once(
            (self.quantity, self.target, self.level),
            lambda: numbers.curve_frame(
                self._setting, self.quantity, at, target=self.target, level=self.level
            ),
        )
        return found

    def _quantity_label(self) -> str:
        if self.quantity == "probability":
            return words.rate_name(self._setting.model)
        return {"difference of marginal effects": "difference of ME"}.get(
            self.quantity, self.quantity
        )

    @property
    def _soon(self) -> bool:
        """Whether the changes are computed within a frame or two."""
        return isinstance(self._setting.model, Fit) and self.target != "average"

    def _move(self) -> None:
        """While a slider moves: marks and, if they are soon computed, changes; the rest later."""
        self._draw_values()
        self._forget_pending()
        if self._soon:
            self._say_changes()
            if not self._table.is_open:
                return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no notebook: nothing else would call
            self._settle()
        else:
            self._pending = loop.call_later(SETTLE, lambda: self._guarded(self._settle))

    def _forget_pending(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def _draw_values(self) -> None:
        self._picture.draw_marks(self.low, self.high)
        for row in self._rows:
            row.draw_guides(self.low, self.high)

    def _settle(self) -> None:
        """The exact changes from low to high, and all quantities of interest in the table."""
        self._forget_pending()
        self._say_changes()
        if self._table.is_open or not self._table.rows:
            self._fill_table()

    def _say_changes(self) -> None:
        s = self._setting
        changes = numbers.change_frame(s, self.low, self.high, target=self.target, level=self.level)
        self._said["effect"] = words.effect_text(
            s, changes, self._slopes_shown(changes), self.target
        )
        self._report()

    def _slopes_shown(self, changes: pd.DataFrame) -> "pd.Series[float] | None":
        """Those of `slopes`; only the one-step slope moves, and the change may be its rise."""
        if self._setting.facet is not None:
            return None
        if self._setting.compare is not None or self.target != "typical":
            return self.slopes["slope"]
        found: pd.Series[float] = self._once("slopes", lambda: self.slopes["slope"]).copy()
        found["one-step"] = changes["estimate"].iloc[0] / (self.high - self.low)
        return found

    def _fill_table(self) -> None:
        rows = []
        if self._setting.facet is None:
            rows = words.slope_rows(self.slopes["slope"], self.low, self.high)
        self._table.columns = ["quantity", "at", "for", "estimate", f"{self.level:.0%} interval"]
        self._table.rows = [*words.quantity_rows(self.quantities), *rows]

    def _report(self) -> None:
        s = self._setting
        points = f"{len(self._levels)} levels of {s.unit.group} against {s.predictor}"
        hidden = len(s.facet_names) - sum(len(row.facets) for row in self._rows)
        more = f" {hidden} more facets are not drawn." if hidden else ""
        with_it = "" if self.with_predictor else "In the model with it: "
        pictures = {}
        for row in self._rows:
            titles = ", ".join(s.facet_names[k] for k in row.facets)
            inside = f", facets {titles}" if s.facet is not None else ""
            span = f"{np.min(row.heights):.2f} to {np.max(row.heights):.2f}"
            key = row.name.replace("-", "_")
            pictures[key] = f"{points}{inside}: estimates {span}. {self._said['top']}{more}"
        marks = [
            f"{name} {mark.y[0]:.3f} at {mark.x[0]:g} and {mark.y[1]:.3f} at {mark.x[1]:g}"
            for name, mark in zip([*s.series, "difference"], self._picture.marks, strict=False)
            if mark.visible
        ]
        self._say(
            f"{self._said['top']} {with_it}{self._said['effect']}{more}",
            hw_effect=f"{self.quantity} against {s.predictor}, {self.target}: {'; '.join(marks)}.",
            **pictures,
        )

    def close(self) -> None:
        """Free everything, and forget what was still to be computed."""
        if getattr(self, "_pending", None) is not None:
            self._forget_pending()
        super().close()


# --- pieces -------------------------------------------------------------------------------


def _checked_without(found: Setting, without: object) -> Estimated:
    """A model the user gives as the one without the predictor."""
    if not isinstance(without, Fit | Posterior):
        raise DataError(f"without must be a fit or a posterior; a {type(without).__name__} is not")
    design = without.design
    named = {v for r in [design.fixed, *(r for x in design.terms for r in x.recipes)]
             for v in variables(r)}  # fmt: skip
    if found.predictor in named:
        raise DataError(f"without still holds {found.predictor!r}; fit the model without it")
    same = [x for x in design.terms if x.factors == found.unit.factors]
    if not same or list(same[0].levels) != list(found.unit.levels):
        raise DataError(f"without has other levels of {found.unit.group!r}; use the same data")
    return without


def _movable(found: Setting, plain: Estimated) -> tuple[Fit, Fit] | None:
    """The models with and without the predictor, if sigma can be moved in both."""
    if found.facet is None and isinstance(found.model, Fit) and isinstance(plain, Fit):
        return found.model, plain
    return None


def _digits(limits: tuple[float, float]) -> int:
    """Decimals that tell a hundredth of the range apart."""
    return int(np.clip(2 - np.floor(np.log10((limits[1] - limits[0]) / 2)), 0, 12))


def _starting_values(x: Array, digits: int) -> tuple[float, float]:
    low, high = (float(v) for v in np.quantile(x, [0.1, 0.9]).round(max(digits - 1, 0)))
    inside = x.min() <= low < high <= x.max()
    return (low, high) if inside else (float(x.min()), float(x.max()))


def _menu(name: str, options: list[Any], width: str, value: Any = None) -> ipywidgets.Dropdown:
    start = {"index": 0} if value is None else {"value": value}
    return ipywidgets.Dropdown(
        description=words.shorter(name, 26), options=options, layout={"width": width},
        style={"description_width": "initial"}, **start,
    )  # fmt: skip
