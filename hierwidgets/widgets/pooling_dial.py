"""The pooling dial: turn sigma and mu, and watch every level glide between no and complete pooling.

The numbers come from `_pooling`; the widget only draws them.
"""

from typing import Any

import bqplot
import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t
from numpy.typing import NDArray

from ..errors import DataError
from ..results import Fit
from ._base import Instrument
from ._charts import WIDTH, figure, joined_segments, level_tooltip, round_ticks, upright
from ._parts import NamedSlider, NumberBox
from ._pooling import (
    check_fit,
    half_weight_size,
    imagined_frame,
    loglik_at,
    pooling_frame,
    profile_frame,
    weight_curve,
)
from ._weight_panel import IMAGINED, POOLED, RAW, TARGET, WeightPanel

__all__ = ["PoolingDial"]

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]  # those of `pooling_frame`, in the order of the picture

SMALLEST_SIGMA, LARGEST_SIGMA = 0.01, 5.0  # near complete pooling, near no pooling
MOST_LABELS = 40  # more levels than this, and the axis names none
MOST_TRIALS = 100_000  # of an imagined level
GREY = "#808080"
HALF = "368px"  # the width of a figure with another beside it


class PoolingDial(Instrument):
    """Raw and partially pooled estimates of every level, with sigma and mu to turn.

    Parameters
    ----------
    fit
        A binomial fit with one ``(1 | group)``; see `pooling_frame` for the numbers shown.
    sigma, mu
        Where the dial starts; the fit's own values if not given.
    scale
        ``"probability"``, or the name of the fit's link, usually ``"logit"``.
    selected
        The level to show in detail, or None.
    imagined
        One more level as a pair (y, n): y events in n trials; or None. It does not change the
        fit.

    Attributes
    ----------
    sigma, mu, scale, selected, imagined
        The state, to read, set or observe.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> dial = PoolingDial(fit)
    >>> dial.sigma, dial.selected = 5, "District 309"
    >>> dial
    PoolingDial(sigma=5, mu=-1.37, scale='probability', selected='District 309')
    >>> dial.close()
    """

    state_names = ("sigma", "mu", "scale", "selected", "imagined")

    sigma = t.Float()
    mu = t.Float()
    scale = t.Unicode("probability")
    selected = t.Any(None, allow_none=True)
    imagined = t.Any(None, allow_none=True)

    _typing = False

    def __init__(
        self,
        fit: Fit,
        *,
        sigma: float | None = None,
        mu: float | None = None,
        scale: str = "probability",
        selected: object = None,
        imagined: tuple[float, float] | None = None,
        **unknown: object,
    ) -> None:
        check_fit(fit)
        super().__init__(**unknown)
        self._fit = fit
        self._prepare()
        self.snap()
        self._start_at(sigma=sigma, mu=mu, scale=scale, selected=selected, imagined=imagined)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def snap(self) -> None:
        """Set sigma and mu to the maximum likelihood fit (sigma to .01 where that is 0)."""
        self.sigma = max(float(self._fit.theta[0]), self._sigma_range[0])
        self.mu = float(self._fit.fixef["Intercept"])

    # --- what never changes ---

    def _prepare(self) -> None:
        """Limits, order and profile: everything that depends on the fit alone."""
        fitted = float(self._fit.theta[0])
        frame = pooling_frame(self._fit)
        self._group = self._fit.design.terms[0].group
        self._levels = list(frame["level"])
        rounded = frame.assign(target_link=frame["target_link"].round(8))  # equal but for rounding
        self._order = rounded.sort_values(["target_link", "raw", "n"]).index.to_numpy()
        self._sigma_range = (SMALLEST_SIGMA, max(LARGEST_SIGMA, 2 * fitted))
        self._link_range = _link_range(frame)
        self._mu_range = _mu_range(self._fit, frame, self._link_range)
        grid = np.geomspace(*self._sigma_range, 41)
        ticks = [fitted] if fitted > grid[0] else []
        self._profile = profile_frame(self._fit, np.sort(np.append(grid, ticks)))

    @property
    def _scales(self) -> tuple[str, str]:
        return "probability", self._fit.family.link.name

    @t.validate("sigma", "mu")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name = proposal["trait"].name
        low, high = self._sigma_range if name == "sigma" else self._mu_range
        value = float(proposal["value"])
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:.4g} to {high:.4g}; {value:g} was given")
        return value

    @t.validate("scale")  # type: ignore[untyped-decorator]
    def _known_scale(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in self._scales:
            raise t.TraitError(f"scale must be one of {self._scales}; {proposal['value']!r} given")
        return str(proposal["value"])

    @t.validate("selected")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        value = proposal["value"]
        if value is not None and value not in self._levels:
            some = ", ".join(map(repr, self._levels[:3]))
            raise t.TraitError(
                f"selected must be None or one of the {len(self._levels)} levels of "
                f"{self._group} ({some}, ...); {value!r} was given"
            )
        return value

    @t.validate("imagined")  # type: ignore[untyped-decorator]
    def _possible(self, proposal: dict[str, Any]) -> tuple[float, float] | None:
        value = proposal["value"]
        if value is None:
            return None
        try:
            y, n = map(float, value)
        except (TypeError, ValueError):
            y = n = np.nan
        if not (0 <= y <= n and 0 < n <= MOST_TRIALS):
            raise t.TraitError(
                f"imagined must be None or (y, n): n trials, more than 0 and at most "
                f"{MOST_TRIALS}, and y events, from 0 to n; {value!r} was given"
            )
        return y, n

    def __repr__(self) -> str:
        text = super().__repr__()
        return text if self.imagined else text.replace(", imagined=None", "")

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        upper = self._build_estimates()
        frame = pooling_frame(self._fit)
        self._weights = WeightPanel(frame, lambda row: self._guarded(lambda: self._pick_row(row)))
        lower = ipywidgets.HBox([_half(self._build_profile()), _half(self._weights.figure)])
        legend = ipywidgets.HTML(_legend(not np.isfinite(frame["raw_link"]).all()))
        row = ipywidgets.HBox([self._level_menu, self._scale_menu, self._button])
        more = ipywidgets.HBox([self._y_box, self._n_box])
        self._table.title = f"Table of the {len(self._levels)} estimates"
        self._table.columns = [self._group, "n", "raw", "pooled", "target", "own weight"]
        self._assemble(
            self._sigma_slider, self._mu_slider, row, more, legend, upper, lower,
            width=WIDTH,
        )  # fmt: skip

    def _build_controls(self) -> None:
        low, high = self._sigma_range
        self._sigma_slider = NamedSlider(
            label="σ, spread", value=self.sigma, min=low, max=high, log=True, steps=200
        )
        low, high = self._mu_range
        self._mu_slider = NamedSlider(label="μ, centre", value=self.mu, min=low, max=high)
        self._level_menu = ipywidgets.Dropdown(
            description=self._group, options=["none", *map(str, self._levels)], index=0,
            layout={"width": "330px"}, style={"description_width": "9.5em"},
        )  # fmt: skip
        self._scale_menu = ipywidgets.Dropdown(
            description="Scale", options=self._scales, value=self.scale,
            layout={"width": "180px"}, style={"description_width": "initial"},
        )  # fmt: skip
        self._button = ipywidgets.Button(
            description="Snap to the fit", tooltip="Set σ and μ to their maximum likelihood values"
        )

        self._y_box, self._n_box = (
            NumberBox(label=name, min=low, max=MOST_TRIALS, whole=True)
            for name, low in (("imagine one more level: events y", 0), ("of trials n", 1))
        )
        self._show_boxes()

    def _build_estimates(self) -> bqplot.Figure:
        count = len(self._levels)
        size = 45 if count <= MOST_LABELS else 16
        place = self._place = bqplot.LinearScale(min=-0.8, max=count - 0.2)
        self._value = bqplot.LinearScale(allow_padding=False)
        scales = {"x": place, "y": self._value}
        at = np.arange(count, dtype=np.float64)
        names = self._names = np.array([str(self._levels[i]) for i in self._order])
        self._target = bqplot.Lines(
            scales=scales, x=at, y=at, colors=[TARGET], line_style="dashed", stroke_width=2.5
        )
        self._segments = bqplot.Lines(
            scales=scales, x=[], y=[], colors=["#8c8c8c"], stroke_width=1, opacities=[0.7]
        )
        self._raw, self._below, self._above, self._pooled = (
            bqplot.Scatter(
                scales=scales, x=at, y=at, names=names, display_names=False, marker=marker,
                colors=[color], stroke=color, fill=fill, default_size=area, tooltip=level_tooltip(),
                interactions={"hover": "tooltip", "click": "select"},
                selected_style={}, unselected_style={},
            )
            for color, marker, fill, area in (
                (RAW, "circle", False, 2 * size),
                (RAW, "triangle-down", False, 2 * size),
                (RAW, "triangle-up", False, 2 * size),
                (POOLED, "diamond", True, size),
            )
        )  # fmt: skip
        self._ring = bqplot.Scatter(
            scales=scales, x=[0, 0], y=[0, 0], colors=["#808080"], fill=False, stroke="#808080",
            stroke_width=2, default_size=300, interactions={}, visible=False,
        )  # fmt: skip
        self._extra_line = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[IMAGINED], stroke_width=1.5
        )
        self._extra_raw, self._extra_pooled = (
            bqplot.Scatter(
                scales=scales, x=[0], y=[0], marker="square", colors=[IMAGINED], stroke=IMAGINED,
                fill=fill, default_size=max(70, size), interactions={}, visible=False,
            )
            for fill in (False, True)
        )  # fmt: skip
        self._labelled = count <= MOST_LABELS
        labels = dict(enumerate([*names, "imagined"])) if self._labelled else {}
        self._place_axis = bqplot.Axis(
            scale=place, grid_lines="none", tick_rotate=-35 if labels else 0,
            tick_values=at if labels else np.array([]), tick_labels=labels or None,
            tick_style={"text-anchor": "end"} if labels else {"display": "none"},
            label_offset="24px",
            label="" if labels else f"{count} levels of {self._group}, by target and raw rate",
        )  # fmt: skip
        self._value_axis = upright(
            bqplot.Axis(scale=self._value, grid_lines="none", label_offset="46px", tick_format="~g")
        )
        return figure(
            "hw-estimates", "300px" if labels else "270px",
            [self._ring, self._target, self._segments, self._raw, self._below, self._above,
             self._pooled, self._extra_line, self._extra_raw, self._extra_pooled],
            [self._place_axis, self._value_axis], bottom=72 if labels else 40,
        )  # fmt: skip

    def _build_profile(self) -> bqplot.Figure:
        best = float(self._profile["loglik"].max())
        floor = max(float(self._profile["loglik"].min()), best - 12.0)
        low, high = self._sigma_range
        scales = {
            "x": bqplot.LogScale(min=low, max=high),
            "y": bqplot.LinearScale(min=floor - 0.3, max=best + 1.0, allow_padding=False),
        }
        curve = bqplot.Lines(
            scales=scales, x=self._profile["sigma"].to_numpy(),
            y=self._profile["loglik"].to_numpy(), colors=["#808080"], stroke_width=2,
        )  # fmt: skip
        tick = bqplot.Lines(
            scales=scales, x=[max(float(self._fit.theta[0]), low)] * 2, y=[floor - 0.3, best],
            colors=[TARGET], line_style="dashed", stroke_width=2.5,
        )  # fmt: skip
        self._bottom = floor - 5.0  # under the axis, where the figure clips it
        self._here = bqplot.Lines(
            scales=scales, x=[low, low], y=[self._bottom, floor], colors=[POOLED],
            stroke_width=2, marker="diamond", marker_size=60,
        )  # fmt: skip
        ticks = [v for v in (0.01, 0.1, 1.0, 10.0) if low <= v <= high]
        axes = [
            bqplot.Axis(
                scale=scales["x"], label="σ (log scale)", tick_values=np.array(ticks),
                tick_format="~g", grid_lines="none", label_offset="32px",
            ),
            upright(
                bqplot.Axis(
                    scale=scales["y"], label="log-likelihood", tick_format="~g",
                    tick_values=round_ticks(floor, best + 1.0, most=4),
                    grid_lines="none", label_offset="52px",
                )
            ),
        ]  # fmt: skip
        return figure("hw-profile", "170px", [curve, tick, self._here], axes, bottom=44)

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("sigma", self._sigma_slider)
        self._bind("mu", self._mu_slider)
        self._bind("scale", self._scale_menu)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        self.observe(lambda _: self._guarded(self._show_boxes), names="imagined")
        for box in (self._y_box, self._n_box):
            box.observe(lambda _: self._guarded(self._imagine), names="value")
        self._button.on_click(lambda _: self._guarded(self.snap))
        for mark in (self._raw, self._below, self._above, self._pooled):
            mark.on_element_click(
                lambda mark, event: self._guarded(lambda: self._pick(mark, event))
            )
        self._redraw_on(self._draw, *self.state_names)
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _choose(self) -> None:
        index = self._level_menu.index
        self.selected = self._levels[index - 1] if index else None

    def _pick(self, mark: bqplot.Scatter, event: dict[str, Any]) -> None:
        place = int(mark.x[event["data"]["index"]])
        self._pick_row(int(self._order[place]))

    def _pick_row(self, row: int) -> None:
        self.selected = self._levels[row]

    def _show_boxes(self) -> None:
        """The boxes show the trait, unless it is they that have just set it."""
        if self._typing:
            return
        self._typing = True
        y, n = self.imagined or (None, None)
        self._y_box.value, self._n_box.value = y, n
        self._typing = False

    def _imagine(self) -> None:
        """The two boxes as a level; a level that cannot be is taken away, and the reason said."""
        if self._typing:
            return
        pair = self._y_box.value, self._n_box.value
        self._typing = True
        try:
            self.imagined = None if None in pair else pair
        except t.TraitError:
            self.imagined = None
            raise DataError(
                f"{pair[0]:g} events cannot be in {pair[1]:g} trials: y is at most n"
            ) from None
        finally:
            self._typing = False

    def _draw(self) -> None:
        """Bring every mark to the present state; marks that do not change send nothing."""
        frame = pooling_frame(self._fit, self.sigma, self.mu)
        shown = {str(name): column.to_numpy()[self._order] for name, column in frame.items()}
        loglik = loglik_at(self._fit, self.sigma, self.mu)
        extra = self._extra_level()
        # Nothing is sent before all is computed: messages in one burst are drawn in one frame.
        self._draw_estimates(shown, extra)
        self._draw_profile(loglik)
        self._draw_weights(frame["weight"].to_numpy(), extra)
        self._report(shown, loglik, extra)
        if self._table.is_open or not self._table.rows:
            self._table.rows = _table_rows(shown) + ([] if extra is None else _table_rows(extra))

    def _extra_level(self) -> Columns | None:
        if self.imagined is None:
            return None
        y, n = self.imagined
        frame = imagined_frame(self._fit, y, n, self.sigma, self.mu)
        return {str(name): column.to_numpy() for name, column in frame.items()}

    def _draw_weights(self, weights: Floats, extra: Columns | None) -> None:
        self._weights.make_room(None if extra is None else extra["n"][0])
        curve = weight_curve(self._fit, self._weights.sizes, self.sigma, self.mu)["weight"]
        selected = None if self.selected is None else self._levels.index(self.selected)
        point = None if extra is None else (extra["n"][0], extra["weight"][0])
        self._weights.show(weights, curve.to_numpy(), selected, point)

    def _draw_estimates(self, frame: Columns, extra: Columns | None) -> None:
        suffix = "" if self.scale == "probability" else "_link"
        raw, target, pooled = (frame[name + suffix] for name in ("raw", "target", "estimate"))
        low, high = self._limits(frame, extra)
        if (self._value.min, self._value.max) != (low, high):
            self._draw_raw(raw, low, high)
        shown = np.clip(raw, *_edges(low, high))
        self._pooled.y = pooled
        self._target.y = target
        self._segments.y = joined_segments(shown, pooled)
        self._draw_ring(shown, pooled)
        self._draw_extra(extra, suffix)

    def _draw_extra(self, extra: Columns | None, suffix: str) -> None:
        """The imagined level to the right of the others, with a gap, and the axis as long."""
        count, gap = len(self._levels), 0.02 * len(self._levels)
        place = count + gap if count > MOST_LABELS else count
        marks = (self._extra_raw, self._extra_pooled)
        for mark in marks:
            mark.visible = extra is not None
        self._place.max = count - 0.2 if extra is None else place + 0.8 + gap
        if self._labelled:
            ticks = count if extra is None else count + 1
            self._place_axis.tick_values = np.arange(ticks, dtype=np.float64)
        if extra is None:
            self._extra_line.x = self._extra_line.y = []
            return
        ends = np.clip(extra["raw" + suffix][0], *_edges(self._value.min, self._value.max))
        ends = [float(ends), float(extra["estimate" + suffix][0])]
        for mark, y in zip(marks, ends, strict=True):
            with mark.hold_sync():
                mark.x, mark.y = [place], [y]
        with self._extra_line.hold_sync():
            self._extra_line.x, self._extra_line.y = [place, place], ends

    def _draw_raw(self, raw: Floats, low: float, high: float) -> None:
        """New axis limits, and raw rates that have no finite place on them at its edge."""
        at, finite = np.arange(len(raw), dtype=np.float64), np.isfinite(raw)
        shown = np.clip(raw, *_edges(low, high))
        with self._value.hold_sync():
            self._value.min, self._value.max = low, high
        self._value_axis.tick_values = round_ticks(low, high)
        rate = _rate_name(self._fit)
        self._value_axis.label = rate if self.scale == "probability" else f"{self.scale} {rate}"
        self._segments.x = joined_segments(at, at)
        layers = ((self._raw, finite), (self._below, raw == -np.inf), (self._above, raw == np.inf))
        for mark, keep in layers:
            with mark.hold_sync():
                mark.x, mark.y, mark.names = at[keep], shown[keep], self._names[keep]

    def _draw_ring(self, shown: Floats, pooled: Floats) -> None:
        place = self._place_of_selected()
        self._level_menu.index = 0 if place is None else 1 + self._levels.index(self.selected)
        self._ring.visible = place is not None
        if place is not None:
            with self._ring.hold_sync():
                self._ring.x, self._ring.y = [place, place], [shown[place], pooled[place]]

    def _place_of_selected(self) -> int | None:
        if self.selected is None:
            return None
        return int(np.flatnonzero(self._order == self._levels.index(self.selected))[0])

    def _limits(self, frame: Columns, extra: Columns | None) -> tuple[float, float]:
        low, high = self._link_range
        if extra is not None:
            values = np.append(extra["raw_link"], extra["estimate_link"])
            values = values[np.isfinite(values)]
            low, high = min(low, values.min() - 0.4), max(high, values.max() + 0.4)
        if self.scale != "probability":
            return float(low), float(high)
        raw = (
            frame["raw_link"] if extra is None else np.append(frame["raw_link"], extra["raw_link"])
        )
        if not np.isfinite(raw).all():
            return -0.03, 1.03
        low, high = self._fit.family.link.inverse(np.array([low, high]))[0]
        return float(low), float(high)

    def _draw_profile(self, loglik: float) -> None:
        """A stem from the axis to the present log-likelihood; below the axis there is none."""
        with self._here.hold_sync():
            self._here.x = [self.sigma, self.sigma]
            self._here.y = [self._bottom, loglik]

    def _report(self, frame: Columns, loglik: float, extra: Columns | None) -> None:
        place = self._place_of_selected()
        where = self._where(frame) if place is None else self._about(frame, place)
        one_more = "" if extra is None else f" {self._about(extra, 0)}"
        best = float(self._profile["loglik"].max())
        fit = f"Log-likelihood {loglik:.2f}, {max(best - loglik, 0):.2f} below the best possible."
        pooled, raw, weight = frame["estimate"], frame["raw"], frame["weight"]
        half = half_weight_size(self._fit, self.sigma, self.mu)
        self._say(
            f"{where}{one_more} {fit}",
            hw_estimates=f"{len(raw)} levels of {self._group}: raw rates {_span(raw)}, partial "
            f"pooling estimates {_span(pooled)}, targets {_span(frame['target'])}.{one_more}",
            hw_profile=f"Profile log-likelihood of sigma: highest, {best:.2f}, at sigma "
            f"{float(self._fit.theta[0]):.2f}; {loglik:.2f} at the current sigma "
            f"{self.sigma:.3g} and mu {self.mu:.3g}.",
            hw_weights=f"Weight of a level's own data, {_span(weight)}, against its n, "
            f"{frame['n'].min():g} to {frame['n'].max():g}. The curve n / (n + {half:.3g}) passes "
            f"one half at n = {half:.3g}.{one_more}",
        )

    def _where(self, frame: Columns) -> str:
        weight = frame["weight"]
        return (
            f"σ = {self.sigma:.3g}, μ = {self.mu:.3g}. Own data carry a weight of "
            f"{weight.mean():.0%} on average, {weight.min():.0%} to {weight.max():.0%}; half where "
            f"n = {half_weight_size(self._fit, self.sigma, self.mu):.3g}."
        )

    def _about(self, frame: Columns, place: int) -> str:
        row = {name: values[place] for name, values in frame.items()}
        return (
            f"{row['level']}: n = {row['n']:g}, raw {row['raw']:.3f}, pooled "
            f"{row['estimate']:.3f}, target {row['target']:.3f}; its own data carry "
            f"{row['weight']:.0%} of the weight at σ = {self.sigma:.3g}, μ = {self.mu:.3g}."
        )


def _half(drawn: bqplot.Figure) -> bqplot.Figure:
    """The figure at half the width, to stand beside another."""
    drawn.layout.width = HALF
    drawn.fig_margin = {**drawn.fig_margin, "left": 66, "right": 12}
    return drawn


def _link_range(frame: pd.DataFrame) -> tuple[float, float]:
    """Limits of the link axis: every finite raw rate, estimate and target, and some air."""
    raw = frame.loc[np.isfinite(frame["raw_link"]), "raw_link"]
    values = np.concatenate([raw, frame["target_link"], frame["estimate_link"]])
    return float(values.min()) - 0.4, float(values.max()) + 0.4


def _mu_range(fit: Fit, frame: pd.DataFrame, limits: tuple[float, float]) -> tuple[float, float]:
    """How far mu can go before the mean target leaves the axis."""
    mu, middle = float(fit.fixef["Intercept"]), float(frame["target_link"].mean())
    return round(mu + limits[0] - middle, 2), round(mu + limits[1] - middle, 2)


def _edges(low: float, high: float) -> tuple[float, float]:
    air = 0.025 * (high - low)
    return low + air, high - air


def _span(values: Floats) -> str:
    return f"{np.min(values):.2f} to {np.max(values):.2f}"


def _table_rows(frame: Columns) -> list[list[str]]:
    numbers = zip(*(frame[name] for name in ("raw", "estimate", "target", "weight")), strict=True)
    return [
        [str(level), f"{n:g}", *(f"{value:.3f}" for value in values)]
        for level, n, values in zip(frame["level"], frame["n"], numbers, strict=True)
    ]


def _rate_name(fit: Fit) -> str:
    design = fit.design
    if design.formula.trials is not None:
        return f"{design.formula.response} / {design.formula.trials}"
    return f"Pr({design.formula.response} = {1 if design.event is None else design.event})"


def _legend(off_the_scale: bool) -> str:
    """The key of both pictures; shapes and dashes tell the layers apart without colour."""
    keys = [
        ("no pooling: raw rate", f'<circle cx="9" cy="8" r="5" fill="none" stroke="{RAW}"/>'),
        ("partial pooling", f'<path d="M9 1l5 7-5 7-5-7z" fill="{POOLED}"/>'),
        (
            "target (above), best σ (below)",
            f'<path d="M0 8h18" stroke="{TARGET}" stroke-width="3" stroke-dasharray="5 3"/>',
        ),
        ("weight n / (n + n₀)", f'<path d="M0 8h18" stroke="{GREY}" stroke-dasharray="6 2 2 2"/>'),
        ("imagined", f'<path d="M4 3h10v10h-10z" fill="{IMAGINED}"/>'),
    ]  # fmt: skip
    if off_the_scale:
        shape = f'<path d="M9 3l6 10H3z" fill="none" stroke="{RAW}"/>'
        keys.insert(1, ("raw rate 0 or 1: off the logit scale", shape))
    spans = (
        f'<span><svg width="18" height="16" stroke-width="2" aria-hidden="true">{shape}</svg>'
        f"{name}</span>"
        for name, shape in keys
    )
    return f'<div class="hw-legend">{"".join(spans)}</div>'
