"""Pooling comparison: three estimates of every level as three rows, joined by lines.

The numbers come from `_comparison`; the widget only draws them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import bqplot
import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t
from numpy.typing import NDArray

from ..results import Fit
from ._base import Instrument
from ._charts import WIDTH, figure, rate_name, round_ticks, upright
from ._comparison import comparison_frame, crossed_with_each, n_classes, named_fits
from ._parts import NamedSlider

__all__ = ["PoolingComparison"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# ColorBrewer Dark2, colour-blind safe. From few trials to many: colour, shape, opacity of lines.
CLASSES = (
    ("#d95f02", "circle", 0.45),
    ("#1b9e77", "square", 0.65),
    ("#7570b3", "diamond", 0.9),
)
MARKED, OVERALL, TARGET = "#e7298a", "#808080", "#a6761d"
ROWS = {"no": 0.0, "partial": 1.0, "complete": 2.0}
HIGHLIGHTS = ("none", "n range", "crossers")
MOST_APART = 40  # more levels than this, and equal rates are stacked
BEHIND = 0.15  # opacity of what is not highlighted


class PoolingComparison(Instrument):
    """No, partial and complete pooling of every level, and the ranks they change.

    Parameters
    ----------
    fits
        A binomial fit with one ``(1 | group)``, or a dict of such fits by name to choose from;
        see `comparison_frame` for the numbers shown.
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
        menus = [self._level_menu, self._highlight_menu]
        if len(self._fits) > 1:
            menus.insert(0, self._fit_menu)
        self._table.title = "Table of estimates and ranks"
        self._assemble(
            ipywidgets.HBox(menus, layout={"flex_flow": "row wrap"}),
            self._range, self._legend, self._build_picture(),
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
            NamedSlider(label=label, layout={"width": "50%"}) for label in ("n from", "n to")
        )
        self._range = ipywidgets.HBox([self._low_slider, self._high_slider])

    def _build_picture(self) -> bqplot.Figure:
        self._rate = bqplot.LinearScale(allow_padding=False)
        scales = {
            "x": self._rate,
            "y": bqplot.LinearScale(min=-0.5, max=2.5, allow_padding=False),
        }

        def line(color: str, style: str, width: float) -> bqplot.Lines:
            return bqplot.Lines(
                scales=scales, x=[], y=[], colors=[color], line_style=style, stroke_width=width
            )

        def point(color: str, marker: str, **options: Any) -> bqplot.Scatter:
            return bqplot.Scatter(
                scales=scales, x=[], y=[], marker=marker, colors=[color], stroke=color, **options
            )

        still = {"interactions": {}}
        self._all = line(CLASSES[0][0], "solid", 1)
        self._marked, self._chosen = line(MARKED, "solid", 2), line(MARKED, "solid", 4)
        self._overall, self._toward = line(OVERALL, "dashed", 1.5), line(TARGET, "dotted", 2)
        self._square = point(OVERALL, "square", default_size=90, **still)
        self._targets = point(TARGET, "triangle-down", default_size=60, **still)
        self._ring = point(MARKED, "circle", fill=False, stroke_width=2, default_size=220, **still)
        self._points = [
            point(
                color, marker, display_names=False, tooltip=_tooltip(),
                interactions={"hover": "tooltip", "click": "select"},
                selected_style={}, unselected_style={},
            )
            for color, marker, _ in CLASSES
        ]  # fmt: skip
        rows = {at: name for name, at in ROWS.items()}
        self._rate_axis = bqplot.Axis(
            scale=self._rate, grid_lines="none", label_offset="32px", tick_format="~g"
        )
        row_axis = upright(
            bqplot.Axis(
                scale=scales["y"], grid_lines="none", tick_values=np.array(list(rows)),
                tick_labels=rows, label="pooling", label_offset="58px",
            )
        )  # fmt: skip
        marks = [
            self._all, self._overall, self._toward, self._marked, self._chosen, self._square,
            self._targets, *self._points, self._ring,
        ]  # fmt: skip
        return figure("hw-slopes", "360px", marks, [self._rate_axis, row_axis], bottom=44)

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("shown", self._fit_menu)
        self._bind("highlight", self._highlight_menu)
        self._bind("n_low", self._low_slider)
        self._bind("n_high", self._high_slider)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        for mark in self._points:
            mark.on_element_click(
                lambda mark, event: self._guarded(lambda: self._pick(mark, event))
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

    def _pick(self, mark: bqplot.Scatter, event: dict[str, Any]) -> None:
        of_class = np.flatnonzero(self._classes == self._points.index(mark))
        self.selected = self._levels[of_class[event["data"]["index"] % len(of_class)]]

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
        self._table.rows = _table_rows(self._frame)

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
        self._rate_axis.label = rate_name(self._fit)

    def _draw_lines(self) -> None:
        """The lines of all levels, a row of the mark for each class of n; and the two pulls."""
        parts = [np.flatnonzero(self._classes == k) for k in range(len(self._class_names))]
        paths = [(_path(self._x[:, part]), _path(self._y[:, part])) for part in parts]
        width = max(len(x) for x, _ in paths)
        with self._all.hold_sync():
            self._all.colors = [color for color, *_ in CLASSES[: len(parts)]]
            self._all.x = np.array([_padded(x, width) for x, _ in paths])
            self._all.y = np.array([_padded(y, width) for _, y in paths])
        overall = self._columns["complete_pooling"][0]
        targets = np.unique(self._columns["target"].round(8))
        for mark, at in ((self._overall, [overall]), (self._toward, targets)):
            with mark.hold_sync():
                mark.x, mark.y = (list(at) * 2, [-0.5, 2.4]) if len(at) == 1 else ([], [])
        for mark, at, row in ((self._square, [overall], 2.0), (self._targets, targets, 2.35)):
            with mark.hold_sync():
                mark.x, mark.y = np.array(at), np.full(len(at), row)

    def _draw_points(self) -> None:
        """No and partial pooling of each class; the same level twice in each mark."""
        area = 60 if len(self._levels) <= MOST_APART else 18
        names = np.array([str(level) for level in self._levels])
        for k, mark in enumerate(self._points):
            of_class = np.flatnonzero(self._classes == k)
            with mark.hold_sync():
                mark.default_size = area
                mark.x = self._x[1:, of_class].ravel()
                mark.y = self._y[1:, of_class].ravel()
                mark.names = np.tile(names[of_class], 2)

    def _draw(self) -> None:
        """What is highlighted and selected; the rest moves into the background."""
        if self._quiet:
            return
        shown, place = self._highlighted(), self._place_of_selected()
        self._range.layout.display = "flex" if self.highlight == "n range" else "none"
        self._level_menu.index = 0 if place is None else 1 + place
        with self._marked.hold_sync():
            self._marked.x, self._marked.y = _path(self._x[:, shown]), _path(self._y[:, shown])
        one = [] if place is None else [place]
        for mark, first in ((self._chosen, 0), (self._ring, 1)):
            with mark.hold_sync():
                mark.x, mark.y = self._x[first:, one].ravel(), self._y[first:, one].ravel()
        back = bool(shown.any()) or place is not None
        opacities = [BEHIND if back else o for *_, o in CLASSES[: len(self._class_names)]]
        if opacities != self._all.opacities:
            self._all.opacities = opacities
        self._report(shown, place)

    def _draw_table(self) -> None:
        if self._table.is_open:
            self._table.rows = _table_rows(self._frame)

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
        c, count = self._columns, len(self._levels)
        crossings = int(self._crossed.sum()) // 2
        where = self._whole() if place is None else self._about(place)
        marked = self._about_marked(shown, place)
        self._say(
            f"{where} {marked}",
            hw_slopes=f"{count} levels of {self._group} as lines over three rows. Complete "
            f"pooling: {c['complete_pooling'][0]:.3f} for all. Partial pooling: "
            f"{_span(c['partial_pooling'])}, pulled toward {_span(c['target'])}. No pooling: "
            f"{_span(c['no_pooling'])}. {crossings} of {count * (count - 1) // 2} pairs change "
            f"places. {marked}",
        )

    def _whole(self) -> str:
        c, count = self._columns, len(self._levels)
        pairs, crossings = count * (count - 1) // 2, int(self._crossed.sum()) // 2
        return (
            f"{crossings} of {pairs} pairs of {self._group} change places between no and partial "
            f"pooling. Complete pooling gives all {c['complete_pooling'][0]:.4f}; partial pooling "
            f"pulls toward {_span(c['target'], 4)}."
        )

    def _about(self, place: int) -> str:
        row = {name: values[place] for name, values in self._columns.items()}
        others = [str(self._levels[i]) for i in np.flatnonzero(self._crossed[place])]
        named = f" ({', '.join(others)})" if 0 < len(others) <= 4 else ""
        return (
            f"{row['level']}: n = {row['n']:g}; no pooling {row['no_pooling']:.3f}, rank "
            f"{row['rank_no']:g}; partial {row['partial_pooling']:.3f}, rank "
            f"{row['rank_partial']:g} of {len(self._levels)}; complete "
            f"{row['complete_pooling']:.3f}. It changes places with {len(others)}{named}."
        )

    def _about_marked(self, shown: Flags, place: int | None) -> str:
        if self.highlight == "none":
            return ""
        count = int(shown.sum())
        if self.highlight == "crossers":
            whom = "another" if place is None else str(self.selected)
            return f"Highlighted: the {count} that change places with {whom}."
        moves = np.abs(self._columns["partial_pooling"] - self._columns["no_pooling"])[shown]
        far = f"; they move by {moves.mean():.3f} on average" if count else ""
        return f"Highlighted: {count} with n from {self.n_low:g} to {self.n_high:g}{far}."


def _one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    if value not in allowed:
        names = ", ".join(map(repr, allowed))
        raise t.TraitError(f"{name} must be one of {names}; {value!r} was given")
    return str(value)


def _vertices(frame: pd.DataFrame) -> tuple[Floats, Floats]:
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


def _path(values: Floats) -> Floats:
    """The columns of (3, K) one after the other, with a gap between."""
    gaps = np.full((1, values.shape[1]), np.nan)
    return np.concatenate([values, gaps]).T.ravel()[:-1]


def _padded(values: Floats, width: int) -> Floats:
    return np.concatenate([values, np.full(width - len(values), np.nan)])


def _span(values: Floats, digits: int = 3) -> str:
    low, high = f"{values.min():.{digits}f}", f"{values.max():.{digits}f}"
    return low if low == high else f"{low} to {high}"


def _tooltip() -> bqplot.Tooltip:
    return bqplot.Tooltip(fields=["name", "x"], labels=["level", "rate"], formats=["", ".3f"])


def _table_rows(frame: pd.DataFrame) -> list[list[str]]:
    """The largest changes of rank first."""
    size = frame["rank_change"].abs()
    ordered = frame.assign(size=size).sort_values(["size", "rank_no"], ascending=[False, True])
    return [
        [
            str(row.level), f"{row.n:g}",
            *(f"{v:.3f}" for v in (row.no_pooling, row.partial_pooling, row.complete_pooling)),
            f"{row.rank_no:g}", f"{row.rank_partial:g}", f"{row.rank_change:+g}",
            f"{row.crossings}",
        ]
        for row in ordered.itertuples()
    ]  # fmt: skip


def _legend(classes: list[str], many_targets: bool) -> str:
    """The key; shapes and dashes tell the layers apart without colour."""
    shapes = {
        "circle": '<circle cx="15" cy="8" r="5" fill="{0}"/>',
        "square": '<rect x="10" y="3" width="10" height="10" fill="{0}"/>',
        "diamond": '<path d="M15 1l6 7-6 7-6-7z" fill="{0}"/>',
    }
    keys = [
        (name, shapes[shape].format(color))
        for name, (color, shape, _) in zip(classes, CLASSES, strict=False)
    ]
    line = '<path d="M15 0v16" stroke="{0}" stroke-width="2" stroke-dasharray="{1}"/>'
    triangle = f'<path d="M10 3h10l-5 9z" fill="{TARGET}"/>'
    pulled = "what partial pooling pulls toward" + (", by level" if many_targets else "")
    keys += [
        ("complete pooling rate", line.format(OVERALL, "4 2") + shapes["square"].format(OVERALL)),
        (pulled, (line.format(TARGET, "2 2") if not many_targets else "") + triangle),
        ("highlighted, selected with a ring", f'<path d="M0 8h30" stroke="{MARKED}" '
         f'stroke-width="3"/><circle cx="15" cy="8" r="6" fill="none" stroke="{MARKED}"/>'),
    ]  # fmt: skip
    spans = (
        f'<span><svg width="30" height="16" stroke-width="2" aria-hidden="true">{shape}</svg>'
        f"{name}</span>"
        for name, shape in keys
    )
    return f'<div class="hw-legend">{"".join(spans)}</div>'
