"""Pooling comparison: three estimates of every level as three rows, joined by lines.

The numbers come from `_comparison`; the widget only draws them.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import bqplot
import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.comparison import (
    comparison_frame,
    crossed_with_each,
    n_classes,
    n_span,
    named_fits,
)
from hierwidgets.widgets.numbers.words import rate_name
from hierwidgets.widgets.parts.charts import WIDTH, figure, round_ticks, upright
from hierwidgets.widgets.parts.controls import NamedSlider
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["PoolingComparison"]

Flags = NDArray[np.bool_]

# ColorBrewer Dark2, colour-blind safe: kinds of pooling look alike in all pictures.
NO, PARTIAL, COMPLETE = "#1b9e77", "#d95f02", "#7570b3"
MARKED, TARGET = "#e7298a", "#a6761d"
# From few trials to many, lines get darker and wider, and points another shape.
CLASSES = (
    ("#5a9bd4", 0.8, "circle"),
    ("#3b7dbf", 1.4, "square"),
    ("#2f5fa5", 2.2, "diamond"),
)
ROWS = {0: "no", 1: "partial", 2: "complete"}
HIGHLIGHTS = ("none", "n range", "crossers")
MOST_APART = 40  # more levels than this, and equal rates are stacked
# opacity of lines: of few levels, of many, of what is not highlighted
FEW, MANY, BEHIND = 0.75, 0.35, 0.25


class PoolingComparison(Instrument):
    """No, partial and complete pooling of every level, and the ranks they change.

    Parameters
    ----------
    fits
        A fit with one ``(1 | group)``, or a dict of such fits by name to choose from; see
        `comparison_frame` for the numbers shown.
    shown
        The name of the fit to show first.
    highlight
        ``"none"``; ``"n range"``, the levels with n from `n_low` to `n_high`; ``"crossers"``,
        the levels that change places with another, or with the selected one.
    n_low, n_high
        The range of n; all levels if not given.
    selected
        The level to show in detail, or None.

    Attributes
    ----------
    shown, highlight, n_low, n_high, selected
        The state, to read, set or observe.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> compared = PoolingComparison({"Finland": fit}, highlight="crossers")
    >>> compared.selected = "District 309"
    >>> compared
    PoolingComparison(shown='Finland', highlight='crossers', n_low=23, n_high=179, selected='District 309')
    >>> compared.close()
    """  # noqa: E501

    state_names = ("shown", "highlight", "n_low", "n_high", "selected")

    shown = t.Unicode()
    highlight = t.Unicode("none")
    n_low = t.Float()
    n_high = t.Float()
    selected = t.Any(None, allow_none=True)

    _quiet = False

    def __init__(
        self,
        fits: Fit | Mapping[str, Fit],
        *,
        shown: str | None = None,
        highlight: str = "none",
        n_low: float | None = None,
        n_high: float | None = None,
        selected: object = None,
        **unknown: object,
    ) -> None:
        self._fits = named_fits(fits)
        super().__init__(**unknown)
        self._start_at(shown=next(iter(self._fits)) if shown is None else shown)
        self._take_fit()
        self._start_at(n_low=n_low, n_high=n_high, highlight=highlight, selected=selected)
        self._build()
        self._connect()
        self._guarded(self._draw_all)

    # --- what changes with the fit alone ---

    def _take_fit(self) -> None:
        """The frame of the fit that is shown; a level it does not have is no longer selected."""
        self._fit = self._fits[self.shown]
        self._frame = comparison_frame(self._fit)
        self._group = self._fit.design.terms[0].group
        self._levels = list(self._frame["level"])
        self._crossed = crossed_with_each(self._frame)
        n = self._frame["n"].to_numpy()
        self._n_limits = float(n.min()), float(n.max())
        self._classes, self._class_names = n_classes(n, len(CLASSES))
        self._columns = {str(c): v.to_numpy() for c, v in self._frame.items()}
        self._x, self._y = _vertices(self._frame)
        self._digits = _digits(self._fit, self._x)
        self.n_low, self.n_high = self._n_limits
        if self.selected not in self._levels:
            self.selected = None

    @t.validate("shown")  # type: ignore[untyped-decorator]
    def _known_fit(self, proposal: dict[str, Any]) -> str:
        return _one_of("shown", proposal["value"], self._fits)

    @t.validate("highlight")  # type: ignore[untyped-decorator]
    def _known_highlight(self, proposal: dict[str, Any]) -> str:
        return _one_of("highlight", proposal["value"], HIGHLIGHTS)

    @t.validate("n_low", "n_high")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, float(proposal["value"])
        low, high = self._n_limits
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}; {value:g} was given")
        return value

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

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        self._legend = ipywidgets.HTML()
        menus = [self._fit_menu, self._level_menu, self._highlight_menu]
        self._fit_menu.layout.display = None if len(self._fits) > 1 else "none"
        self._table.title = "Table of estimates and ranks"
        self._assemble(
            ipywidgets.HBox(menus, layout={"flex_flow": "row wrap"}),
            self._low_slider, self._high_slider, self._legend, self._build_picture(),
            width=WIDTH,
        )  # fmt: skip

    def _build_controls(self) -> None:
        def menu(label: str, options: Iterable[Any], width: str) -> ipywidgets.Dropdown:
            return ipywidgets.Dropdown(
                description=label, options=list(options), layout={"width": width},
                style={"description_width": "initial"},
            )  # fmt: skip

        self._fit_menu = menu("Model", self._fits, "230px")
        self._level_menu = menu("Level", ["none"], "230px")
        names = ("nothing", "n in a range", "levels that change places")
        self._highlight_menu = menu("Highlight", zip(names, HIGHLIGHTS, strict=True), "260px")
        self._low_slider, self._high_slider = (
            NamedSlider(label=label) for label in ("n from", "n to")
        )

    def _build_picture(self) -> bqplot.Figure:
        self._rate = bqplot.LinearScale(allow_padding=False)
        scales = {
            "x": self._rate,
            "y": bqplot.LinearScale(min=-0.5, max=2.5, allow_padding=False),
        }

        def line(color: str, style: str, width: float) -> bqplot.Lines:
            return bqplot.Lines(
                scales=scales, x=[], y=[], colors=[color], line_style=style, stroke_width=width,
                opacities=[FEW],
            )  # fmt: skip

        def point(color: str, marker: str, **options: Any) -> bqplot.Scatter:
            return bqplot.Scatter(
                scales=scales, x=[], y=[], marker=marker, colors=[color], **options
            )

        still: dict[str, Any] = {"interactions": {}}
        self._lines = [line(color, "solid", width) for color, width, _ in CLASSES]
        self._marked, self._chosen = line(MARKED, "solid", 2), line(MARKED, "solid", 4)
        self._overall, self._toward = line(COMPLETE, "dashed", 1.5), line(TARGET, "dotted", 2)
        self._square = point(COMPLETE, "square", default_size=90, **still)
        self._targets = point(TARGET, "triangle-down", default_size=60, **still)
        self._ring = point(MARKED, "circle", fill=False, stroke_width=2, default_size=220, **still)
        self._points = [
            (point(PARTIAL, marker, **_touch()), point(NO, marker, **_touch()))
            for *_, marker in CLASSES
        ]
        self._rate_axis = bqplot.Axis(
            scale=self._rate, grid_lines="none", label_offset="32px", tick_format="~g"
        )
        row_axis = upright(
            bqplot.Axis(
                scale=scales["y"], grid_lines="none", tick_values=np.array(list(ROWS)),
                tick_labels=ROWS, tick_format="d", label="pooling", label_offset="58px",
            )
        )  # fmt: skip
        marks = [
            *self._lines, self._overall, self._toward, self._marked, self._chosen, self._square,
            self._targets, *sum(self._points, ()), self._ring,
        ]  # fmt: skip
        return figure("hw-slopes", "360px", marks, [self._rate_axis, row_axis], bottom=44)

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("shown", self._fit_menu)
        self._bind("highlight", self._highlight_menu)
        self._bind("n_low", self._low_slider)
        self._bind("n_high", self._high_slider)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        for k, pair in enumerate(self._points):
            for mark in pair:
                mark.on_element_click(
                    lambda _, event, k=k: self._guarded(lambda: self._pick(k, event))
                )
        self.observe(lambda _: self._guarded(self._new_fit), names="shown")
        self.observe(lambda change: self._guarded(lambda: self._push(change["name"])),
                     names=["n_low", "n_high"])  # fmt: skip
        self._redraw_on(self._draw, "highlight", "selected")
        self._table.observe(lambda _: self._guarded(self._draw_table), names="is_open")

    def _choose(self) -> None:
        index = self._level_menu.index
        if not self._quiet and index is not None:
            self.selected = self._levels[index - 1] if index else None

    def _pick(self, of_class: int, event: dict[str, Any]) -> None:
        places = np.flatnonzero(self._classes == of_class)
        self.selected = self._levels[places[event["data"]["index"]]]

    def _push(self, moved: str) -> None:
        """One end of the range takes the other along where they would cross."""
        if self.n_low > self.n_high and not self._quiet:
            self.set_trait("n_high" if moved == "n_low" else "n_low", getattr(self, moved))
        else:
            self._draw()

    def _new_fit(self) -> None:
        self._quiet = True
        try:
            self._take_fit()
        finally:
            self._quiet = False
        self._draw_all()

    def _draw_all(self) -> None:
        """Everything, for another fit."""
        self._quiet = True  # new options would choose a level
        try:
            self._draw_controls()
        finally:
            self._quiet = False
        self._draw_axis()
        self._draw_lines()
        self._draw_points()
        self._draw()
        self._table.columns = [
            self._group, "n", "no", "partial", "complete", "rank, no", "rank, partial",
            "places gained", "changes places with",
        ]  # fmt: skip
        self._table.rows = _table_rows(self._frame, self._digits)

    def _draw_controls(self) -> None:
        self._level_menu.options = ["none", *map(str, self._levels)]
        low, high = self._n_limits
        whole = bool((self._columns["n"] % 1 == 0).all())
        for slider in (self._low_slider, self._high_slider):
            with slider.hold_sync():
                slider.min, slider.max = low, max(high, low + 1)
                slider.digits, slider.steps = (0, int(max(high - low, 1))) if whole else (3, 200)
        target = self._columns["target"]
        self._legend.value = _legend(self._class_names, np.ptp(target) > 1e-8)

    def _draw_axis(self) -> None:
        low, high = float(self._x.min()), float(self._x.max())
        low, high = (
            min(low, self._columns["target"].min()),
            max(high, self._columns["target"].max()),
        )
        air = 0.04 * max(high - low, 0.01)
        with self._rate.hold_sync():
            self._rate.min, self._rate.max = low - air, high + air
        self._rate_axis.tick_values = round_ticks(low - air, high + air, most=12)
        self._rate_axis.label = _outcome_name(self._fit)

    def _draw_lines(self) -> None:
        """The lines of all levels, a mark for each class of n; and where they are pulled."""
        for k, mark in enumerate(self._lines):
            part = np.flatnonzero(self._classes == k)
            with mark.hold_sync():
                mark.x, mark.y = _path(self._x[:, part]), _path(self._y[:, part])
        overall = self._columns["complete_pooling"][:1]
        targets = np.unique(self._columns["target"].round(8))
        for mark, at in ((self._overall, overall), (self._toward, targets)):
            with mark.hold_sync():
                mark.x, mark.y = (list(at) * 2, [-0.5, 2.35]) if len(at) == 1 else ([], [])
        self._targets.default_size = 60 if len(targets) <= MOST_APART else 20
        for mark, at, row in ((self._square, overall, 2.0), (self._targets, targets, 2.35)):
            with mark.hold_sync():
                mark.x, mark.y = at, np.full(len(at), row)

    def _draw_points(self) -> None:
        """Partial and no pooling of each class, a mark each."""
        area = 60 if len(self._levels) <= MOST_APART else 18
        names = np.array([str(level) for level in self._levels])
        for k, pair in enumerate(self._points):
            of_class = np.flatnonzero(self._classes == k)
            for row, mark in enumerate(pair, start=1):
                with mark.hold_sync():
                    mark.default_size, mark.names = area, names[of_class]
                    mark.x, mark.y = self._x[row, of_class], self._y[row, of_class]

    def _draw(self) -> None:
        """What is highlighted and selected; the rest moves into the background."""
        if self._quiet:
            return
        shown, place = self._highlighted(), self._place_of_selected()
        for slider in (self._low_slider, self._high_slider):
            slider.layout.display = None if self.highlight == "n range" else "none"
        self._level_menu.index = 0 if place is None else 1 + place
        with self._marked.hold_sync():
            self._marked.x, self._marked.y = _path(self._x[:, shown]), _path(self._y[:, shown])
        one = [] if place is None else [place]
        for mark, first in ((self._chosen, 0), (self._ring, 1)):
            with mark.hold_sync():
                mark.x, mark.y = self._x[first:, one].ravel(), self._y[first:, one].ravel()
        back = bool(shown.any()) or place is not None
        before = FEW if len(self._levels) <= MOST_APART else MANY
        for line in self._lines:
            line.opacities = [BEHIND if back else before]
        self._report(shown, place)

    def _draw_table(self) -> None:
        if self._table.is_open:
            self._table.rows = _table_rows(self._frame, self._digits)

    def _place_of_selected(self) -> int | None:
        return None if self.selected is None else self._levels.index(self.selected)

    def _highlighted(self) -> Flags:
        place, n = self._place_of_selected(), self._columns["n"]
        if self.highlight == "n range":
            return np.asarray((n >= self.n_low) & (n <= self.n_high))
        if self.highlight == "crossers":
            return np.asarray(self._crossed.any(axis=1) if place is None else self._crossed[place])
        return np.zeros(len(n), dtype=bool)

    def _report(self, shown: Flags, place: int | None) -> None:
        c, count, marked = self._columns, len(self._levels), self._about_marked(shown, place)
        crossings = int(self._crossed.sum()) // 2
        self._say(
            f"{self._whole() if place is None else self._about(place)} {marked}".strip(),
            hw_slopes=f"{count} levels of {self._group} as lines over three rows. Complete "
            f"pooling: {self._span(c['complete_pooling'])} for all. Partial pooling: "
            f"{self._span(c['partial_pooling'])}, pulled toward {self._span(c['target'])}. No "
            f"pooling: {self._span(c['no_pooling'])}. {crossings} of {count * (count - 1) // 2} "
            f"pairs change places. {marked}".strip(),
        )

    def _whole(self) -> str:
        c, count = self._columns, len(self._levels)
        pairs, crossings = count * (count - 1) // 2, int(self._crossed.sum()) // 2
        overall = self._span(c["complete_pooling"], 1)
        return (
            f"{crossings:,} of {pairs:,} pairs of {self._group} change places between no and "
            f"partial pooling. Complete pooling gives all {overall}; partial pooling pulls toward "
            f"{self._span(c['target'], 1)}."
        )

    def _about(self, place: int) -> str:
        row = {name: values[place] for name, values in self._columns.items()}
        no, partial, complete = (
            f"{row[name]:.{self._digits}f}"
            for name in ("no_pooling", "partial_pooling", "complete_pooling")
        )
        others = [str(self._levels[i]) for i in np.flatnonzero(self._crossed[place])]
        whom = f"{len(others)} others" if len(others) > 4 else ", ".join(others) or "none"
        return (
            f"{row['level']}: n = {row['n']:g}; no pooling {no}, rank {row['rank_no']:g}; partial "
            f"{partial}, rank {row['rank_partial']:g} of {len(self._levels)}; complete {complete}. "
            f"It changes places with {whom}."
        )

    def _about_marked(self, shown: Flags, place: int | None) -> str:
        if self.highlight == "none":
            return ""
        count = int(shown.sum())
        if self.highlight == "crossers":
            whom = "another" if place is None else str(self.selected)
            those = "the one that changes" if count == 1 else f"the {count} that change"
            return f"Highlighted: {those} places with {whom}."
        moves = np.abs(self._columns["partial_pooling"] - self._columns["no_pooling"])[shown]
        far = f"; they move by {moves.mean():.{self._digits}f} on average" if count else ""
        return f"Highlighted: {count} with {n_span(self.n_low, self.n_high)}{far}."

    def _span(self, values: Array, more: int = 0) -> str:
        digits = self._digits + more
        low, high = f"{values.min():.{digits}f}", f"{values.max():.{digits}f}"
        return low if low == high else f"{low} to {high}"


def _one_of(name: str, value: object, allowed: Collection[str]) -> str:
    if value not in allowed:
        names = ", ".join(map(repr, allowed))
        raise t.TraitError(f"{name} must be one of {names}; {value!r} was given")
    return str(value)


def _vertices(frame: pd.DataFrame) -> tuple[Array, Array]:
    """Places (3, J) of complete, partial and no pooling; equal rates of many are stacked."""
    columns = ["complete_pooling", "partial_pooling", "no_pooling"]
    x = frame[columns].to_numpy().T
    y = np.repeat([[2.0], [1.0], [0.0]], len(frame), axis=1)
    if len(frame) > MOST_APART:
        for row in (1, 2):
            under = frame.groupby(frame[columns[row]].round(8))["n"]
            rank = under.rank(method="first", ascending=False) - 1
            y[row] -= rank * min(0.03, 0.42 / max(rank.max(), 1))
    return x, y


def _path(values: Array) -> Array:
    """The columns of (3, K) one after the other, with a gap between."""
    gaps = np.full((1, values.shape[1]), np.nan)
    return np.concatenate([values, gaps]).T.ravel()[:-1]


def _padded(values: Array, width: int) -> Array:
    return np.concatenate([values, np.full(width - len(values), np.nan)])


def _digits(fit: Fit, values: Array) -> int:
    """Decimals that tell a thousandth of the spread apart; three for rates."""
    if fit.family.name == "binomial":
        return 3
    spread = float(np.ptp(values)) or abs(float(values.flat[0])) or 1.0
    return int(np.clip(2 - np.floor(np.log10(spread)), 0, 12))


def _outcome_name(fit: Fit) -> str:
    return (
        rate_name(fit)
        if fit.family.name == "binomial"
        else f"mean of {fit.design.formula.response}"
    )


def _touch() -> dict[str, Any]:
    """What a point does under the mouse."""
    shown = bqplot.Tooltip(fields=["name", "x"], labels=["level", "value"], formats=["", ".4~g"])
    return {
        "display_names": False, "tooltip": shown, "selected_style": {}, "unselected_style": {},
        "interactions": {"hover": "tooltip", "click": "select"},
    }  # fmt: skip


def _table_rows(frame: pd.DataFrame, digits: int) -> list[list[str]]:
    """The largest changes of rank first."""
    size = frame["rank_change"].abs()
    ordered = frame.assign(size=size).sort_values(["size", "rank_no"], ascending=[False, True])
    estimates = ["no_pooling", "partial_pooling", "complete_pooling"]
    texts = {"level": ordered["level"].map(str), "n": ordered["n"].map("{:g}".format)}
    texts |= {name: ordered[name].map(f"{{:.{digits}f}}".format) for name in estimates}
    texts |= {name: ordered[name].map("{:g}".format) for name in ("rank_no", "rank_partial")}
    texts["rank_change"] = ordered["rank_change"].map("{:+g}".format)
    texts["crossings"] = ordered["crossings"].map(str)
    return [list(row) for row in pd.DataFrame(texts).to_numpy()]


def _legend(classes: list[str], many_targets: bool) -> str:
    """The key; shapes, widths and dashes tell the layers apart without colour."""
    shapes = {
        "circle": '<circle cx="15" cy="8" r="5" fill="{0}"/>',
        "square": '<rect x="10" y="3" width="10" height="10" fill="{0}"/>',
        "diamond": '<path d="M15 1l6 7-6 7-6-7z" fill="{0}"/>',
    }
    across = '<path d="M0 8h30" stroke="{0}" stroke-width="{1}"/>'
    upright = '<path d="M15 0v16" stroke="{0}" stroke-width="2" stroke-dasharray="{1}"/>'
    keys = [
        (name, across.format(color, width) + shapes[shape].format(color))
        for name, (color, width, shape) in zip(classes, CLASSES, strict=False)
    ]
    triangle = f'<path d="M10 3h10l-5 9z" fill="{TARGET}"/>'
    pulled = "target of partial pooling" + (", one for each level" if many_targets else "")
    ring = f'<circle cx="15" cy="8" r="6" fill="none" stroke="{MARKED}"/>'
    keys += [
        ("complete pooling", upright.format(COMPLETE, "4 2") + shapes["square"].format(COMPLETE)),
        (pulled, ("" if many_targets else upright.format(TARGET, "2 2")) + triangle),
        ("highlighted; selected in a ring", across.format(MARKED, 3) + ring),
    ]
    spans = (
        f'<span><svg width="30" height="16" stroke-width="2" aria-hidden="true">{shape}</svg>'
        f"{name}</span>"
        for name, shape in keys
    )
    return f'<div class="hw-legend">{"".join(spans)}</div>'
