"""The district strip: every answer, every rate, every interval, and what is wrong with some.

The numbers come from `_strip`; the widget only draws them.
"""

from typing import Any

import bqplot
import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t
from numpy.typing import NDArray

from hierwidgets.spec.frames import as_frame
from hierwidgets.widgets.numbers.strip import SORTS, people_frame, strip_frame
from hierwidgets.widgets.parts.charts import (
    WIDTH,
    figure,
    joined_segments,
    level_tooltip,
    put,
    round_ticks,
    upright,
)
from hierwidgets.widgets.parts.controls import NamedSlider
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.whole import Whole, follow_slider

__all__ = ["DistrictStrip"]


PEOPLE, RATE, NO_WIDTH = "#808080", "#1b9e77", "#d95f02"  # the latter from ColorBrewer Dark2
LEVELS = {"80 %": 0.8, "90 %": 0.9, "95 %": 0.95}
METHODS = {"Wald": "wald", "Wilson": "wilson", "Jeffreys": "jeffreys", "Clopper-Pearson": "exact"}
MOST_LABELS = 30  # more levels than this in view, and names and sizes are not written
FEWEST = 5  # levels in view


class DistrictStrip(Instrument):
    """Raw answers by level, with rates and intervals whose level and method can be changed.

    Parameters
    ----------
    data, outcome, group, event
        As in :func:`hierwidgets.no_pooling`: one row per answer.
    level
        Of the intervals: 0.8, 0.9 or 0.95.
    method
        ``"wald"``, ``"wilson"``, ``"jeffreys"`` or ``"exact"`` (Clopper-Pearson).
    sort
        ``"rate"``, ``"n"`` or ``"name"``.
    show_n
        Show the number of answers of each level.
    selected
        The level to show in detail, or None.
    shown, first
        How many levels are in view, and the place of the first of them, from 1. All, if not
        given; fewer make names and sizes readable where levels are many.

    Attributes
    ----------
    level, method, sort, show_n, selected, shown, first
        The state, to read, set or observe.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> strip = DistrictStrip(hw.load("finland"), "contacted", "district_id", "Contacted")
    >>> strip.method, strip.selected = "wilson", "District 309"
    >>> print(strip.status)
    District 309: 10 of 23, rate 0.435; its 90 % Wilson interval goes from 0.281 to 0.603. None of \
the 14 intervals has zero width.
    >>> strip.close()
    """

    state_names = ("level", "method", "sort", "show_n", "selected", "shown", "first")

    level = t.Float(0.9)
    method = t.Unicode("wald")
    sort = t.Unicode("rate")
    show_n = t.Bool(True)
    selected = t.Any(None, allow_none=True)
    shown: int = Whole()
    first: int = Whole(1)

    def __init__(
        self,
        data: pd.DataFrame,
        outcome: str,
        group: str,
        event: object | None = None,
        *,
        level: float = 0.9,
        method: str = "wald",
        sort: str = "rate",
        show_n: bool = True,
        selected: object = None,
        shown: int | None = None,
        first: int | None = None,
        **unknown: object,
    ) -> None:
        self._data, self._outcome, self._group, self._event = as_frame(data), outcome, group, event
        self._known: dict[tuple[float, str], pd.DataFrame] = {}
        self._prepare()
        super().__init__(**unknown)
        self.shown = len(self._levels)
        self._start_at(
            level=level, method=method, sort=sort, show_n=show_n, selected=selected,
            shown=shown, first=first,
        )  # fmt: skip
        self._build()
        self._connect()
        self._guarded(self._draw)

    # --- what never changes ---

    def _prepare(self) -> None:
        """Levels, people and limits: everything that depends on the data alone."""
        widest = self._frame(0.95, "wald")
        self._levels = list(widest["level"])
        self._range = (
            min(-0.09, float(widest["conf_low"].min())) - 0.02,
            max(1.09, float(widest["conf_high"].max())) + 0.02,
        )
        people = people_frame(self._data, self._outcome, self._group, event=self._event)
        codes = {level: code for code, level in enumerate(self._levels)}
        self._people_code = people["level"].map(codes).to_numpy(dtype=np.int64)
        self._people_shift = people["shift"].to_numpy()
        self._people_y = people["y"].to_numpy()

    def _frame(self, level: float, method: str) -> pd.DataFrame:
        """The rates with these intervals, by name; each kind is computed once."""
        if (level, method) not in self._known:
            self._known[level, method] = strip_frame(
                self._data, self._outcome, self._group, event=self._event,
                level=level, method=method, sort="name",
            )  # fmt: skip
        return self._known[level, method]

    @t.validate("level")  # type: ignore[untyped-decorator]
    def _known_confidence(self, proposal: dict[str, Any]) -> float:
        return float(_one_of("level", proposal["value"], list(LEVELS.values())))

    @t.validate("method")  # type: ignore[untyped-decorator]
    def _known_method(self, proposal: dict[str, Any]) -> str:
        return str(_one_of("method", proposal["value"], list(METHODS.values())))

    @t.validate("sort")  # type: ignore[untyped-decorator]
    def _known_sort(self, proposal: dict[str, Any]) -> str:
        return str(_one_of("sort", proposal["value"], list(SORTS)))

    @t.validate("shown", "first")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> int:
        name, value, count = proposal["trait"].name, int(proposal["value"]), len(self._levels)
        low = min(FEWEST, count) if name == "shown" else 1
        if not low <= value <= count:
            raise t.TraitError(f"{name} must be from {low} to {count}; {value} was given")
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
        strip = self._build_strip()
        parts: list[ipywidgets.DOMWidget] = [self._choices, self._level_row]
        if len(self._levels) > MOST_LABELS:
            parts += [self._shown_slider, self._first_slider]
        parts += [ipywidgets.HTML(_legend()), strip]
        self._sizes: bqplot.Figure | None = None
        if len(self._levels) > MOST_LABELS:
            self._sizes = self._build_sizes()
            parts.append(self._sizes)
        self._table.title = f"Table of the {len(self._levels)} rates"
        self._table.columns = [str(self._group), "n", "events", "rate", "from", "to"]
        self._assemble(*parts, width=WIDTH)

    def _build_controls(self) -> None:
        def menu(name: str, options: Any, value: Any, width: str) -> ipywidgets.Dropdown:
            return ipywidgets.Dropdown(
                description=name, options=options, value=value,
                layout={"width": width}, style={"description_width": "initial"},
            )  # fmt: skip

        count = len(self._levels)
        self._interval_menu = menu("Interval", list(LEVELS.items()), self.level, "150px")
        self._method_menu = menu("Method", list(METHODS.items()), self.method, "220px")
        self._sort_menu = menu("Sort by", list(SORTS), self.sort, "160px")
        self._level_menu = menu(
            str(self._group), ["none", *map(str, self._levels)], "none", "330px"
        )
        self._n_box = ipywidgets.Checkbox(
            description="Show n", value=self.show_n, indent=False, layout={"width": "120px"}
        )
        self._choices = ipywidgets.HBox([self._interval_menu, self._method_menu, self._sort_menu])
        self._level_row = ipywidgets.HBox([self._level_menu, self._n_box])
        fewest = min(FEWEST, count)
        self._shown_slider = NamedSlider(
            label="levels in view", value=self.shown, min=fewest, max=count,
            steps=max(count - fewest, 1), digits=0,
        )  # fmt: skip
        self._first_slider = NamedSlider(label="first in view", value=self.first, min=1, digits=0)

    def _build_strip(self) -> bqplot.Figure:
        low, high = self._range
        self._place = bqplot.LinearScale(allow_padding=False)
        scales = {"x": self._place, "y": bqplot.LinearScale(min=low, max=high, allow_padding=False)}
        size = 40 if len(self._levels) <= MOST_LABELS else 14
        edges = bqplot.Lines(
            scales=scales, x=[-1.0, len(self._levels)], y=[[0.0, 0.0], [1.0, 1.0]],
            colors=["#808080"], stroke_width=1, opacities=[0.5], line_style="dotted",
        )  # fmt: skip
        dots = joined_segments(self._people_y - 0.003, self._people_y + 0.003)
        self._people = bqplot.Lines(
            scales=scales, x=[], y=dots, colors=[PEOPLE], stroke_width=3, opacities=[0.75]
        )
        self._intervals = bqplot.Lines(
            scales=scales, x=[], y=[], colors=[RATE], stroke_width=1.5 if size < 40 else 2.5
        )
        self._rates, self._widthless = (
            bqplot.Scatter(
                scales=scales, x=[], y=[], names=[], display_names=False, marker=marker,
                colors=[color], stroke=color, default_size=area, tooltip=level_tooltip(),
                interactions={"hover": "tooltip", "click": "select"},
                selected_style={}, unselected_style={},
            )
            for marker, color, area in (("circle", RATE, size), ("square", NO_WIDTH, size))
        )  # fmt: skip
        self._ring = bqplot.Scatter(
            scales=scales, x=[0], y=[0], colors=["#808080"], fill=False, stroke="#808080",
            stroke_width=2, default_size=300, interactions={}, visible=False,
        )  # fmt: skip
        self._name_axis = bqplot.Axis(
            scale=self._place, grid_lines="none", label_offset="24px",
            tick_style={"text-anchor": "end"}, tick_values=np.zeros(1),
        )  # fmt: skip
        self._n_axis = bqplot.Axis(
            scale=self._place,
            grid_lines="none",
            side="top",
            tick_values=np.zeros(1),
        )
        rates = upright(
            bqplot.Axis(
                scale=scales["y"], grid_lines="none", label_offset="46px", tick_format="~g",
                tick_values=round_ticks(0.0, 1.0), label=self._rate_name(),
            )
        )  # fmt: skip
        drawn = figure(
            "hw-strip", "330px",
            [edges, self._people, self._intervals, self._ring, self._rates, self._widthless],
            [self._name_axis, self._n_axis, rates], bottom=74,
        )  # fmt: skip
        self._margin = dict(drawn.fig_margin, top=24)
        self._strip = drawn
        return drawn

    def _build_sizes(self) -> bqplot.Figure:
        """Sizes as stems, for where there is no room to write them."""
        most = float(self._frame(self.level, self.method)["n"].max())
        scales = {
            "x": self._place,
            "y": bqplot.LinearScale(min=0.0, max=1.05 * most, allow_padding=False),
        }
        self._stems = bqplot.Lines(scales=scales, x=[], y=[], colors=["#7570b3"], stroke_width=2)
        axes = [
            bqplot.Axis(scale=self._place, num_ticks=0, grid_lines="none"),
            upright(
                bqplot.Axis(
                    scale=scales["y"], grid_lines="none", label="n", label_offset="46px",
                    tick_format="~g", tick_values=round_ticks(0.0, most, most=4),
                )
            ),
        ]  # fmt: skip
        return figure("hw-sizes", "90px", [self._stems], axes, bottom=8)

    def _rate_name(self) -> str:
        event = 1 if self._event is None else self._event
        return f"Pr({self._outcome} = {event})"

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("level", self._interval_menu)
        self._bind("method", self._method_menu)
        self._bind("sort", self._sort_menu)
        self._bind("show_n", self._n_box)
        follow_slider(self, "shown", self._shown_slider)
        follow_slider(self, "first", self._first_slider)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        for mark in (self._rates, self._widthless):
            mark.on_element_click(
                lambda mark, event: self._guarded(lambda: self._pick(mark, event))
            )
        self.observe(lambda _: self._guarded(self._bring_into_view), names="selected")
        self._redraw_on(self._draw, *self.state_names)
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _choose(self) -> None:
        index = self._level_menu.index
        self.selected = self._levels[index - 1] if index else None

    def _pick(self, mark: bqplot.Scatter, event: dict[str, Any]) -> None:
        place = int(mark.x[event["data"]["index"]])
        self.selected = self._sorted().loc[place, "level"]

    def _sorted(self) -> pd.DataFrame:
        frame = self._frame(self.level, self.method)
        keys = SORTS[self.sort]
        return frame.sort_values(keys, kind="stable", ignore_index=True) if keys else frame

    def _place_of_selected(self, frame: pd.DataFrame) -> int | None:
        if self.selected is None:
            return None
        return list(frame["level"]).index(self.selected)

    def _bring_into_view(self) -> None:
        place = self._place_of_selected(self._sorted())
        start = self._start()
        if place is not None and not start <= place < start + self.shown:
            last = len(self._levels) - self.shown
            self.first = 1 + int(np.clip(place - self.shown // 2, 0, last))

    def _start(self) -> int:
        """The place of the first level in view, from 0; the view is always full."""
        return min(self.first - 1, len(self._levels) - self.shown)

    def _draw(self) -> None:
        """Bring every mark to the present state; marks that do not change send nothing."""
        frame = self._sorted()
        self._draw_view(frame)
        self._draw_people(frame)
        self._draw_rates(frame)
        self._draw_ring(frame)
        self._report(frame)
        if self._table.is_open or not self._table.rows:
            self._table.rows = _table_rows(frame)

    def _draw_view(self, frame: pd.DataFrame) -> None:
        start, count = self._start(), len(self._levels)
        with self._place.hold_sync():
            air = 0.4 + 0.008 * self.shown  # half a column, and the radius of a point
            self._place.min, self._place.max = start - air, start + self.shown - 1 + air
        with self._first_slider.hold_sync():
            self._first_slider.max = max(count - self.shown + 1, 2)
            self._first_slider.steps = max(count - self.shown, 1)
        self._first_slider.layout.display = None if self.shown < count else "none"
        self._write_names(frame, start)
        self._write_sizes(frame, start)

    def _write_names(self, frame: pd.DataFrame, start: int) -> None:
        """Names of the levels in view where there is room for them.

        New labels are lost if they come together with new ticks, so the axis has the labels of
        all levels, and only its ticks follow the view.
        """
        written, many = self.shown <= MOST_LABELS, len(frame)
        everything = f"{many} levels of {self._group}, sorted by {self.sort}"
        seen = "" if self.shown == many else f"{start + 1} to {start + self.shown} of "
        with self._name_axis.hold_sync():
            self._name_axis.tick_labels = dict(enumerate(map(_shortened, frame["level"])))
            self._name_axis.tick_rotate = -35 if self.shown <= 15 else -60
            self._name_axis.label = "" if written else seen + everything
        self._strip.fig_margin = {**self._margin, "bottom": 74 if written else 40}
        self._place_ticks(self._name_axis, start, written)

    def _write_sizes(self, frame: pd.DataFrame, start: int) -> None:
        self._n_axis.tick_labels = dict(enumerate(map(str, frame["n"])))
        self._place_ticks(self._n_axis, start, self.show_n and self.shown <= MOST_LABELS)
        if self._sizes is not None:
            self._sizes.layout.display = None if self.show_n else "none"

    def _place_ticks(self, axis: bqplot.Axis, start: int, written: bool) -> None:
        with axis.hold_sync():
            axis.num_ticks = None if written else 0
            if written:
                axis.tick_values = np.arange(start, start + self.shown, dtype=np.float64)

    def _draw_people(self, frame: pd.DataFrame) -> None:
        place = np.empty(len(frame))
        place[self._codes(frame)] = np.arange(len(frame))
        at = place[self._people_code] + self._people_shift
        put(self._people, x=joined_segments(at, at))

    def _codes(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        codes = {level: code for code, level in enumerate(self._levels)}
        return np.array([codes[level] for level in frame["level"]], dtype=np.int64)

    def _draw_rates(self, frame: pd.DataFrame) -> None:
        at, y = np.arange(len(frame), dtype=np.float64), frame["estimate"].to_numpy()
        names, gone = np.array([str(v) for v in frame["level"]]), frame["zero_width"].to_numpy()
        low, high = frame["conf_low"].to_numpy(), frame["conf_high"].to_numpy()
        put(self._intervals, x=joined_segments(at, at), y=joined_segments(low, high))
        for mark, keep in ((self._rates, ~gone), (self._widthless, gone)):
            put(mark, x=at[keep], y=y[keep], names=names[keep])
        if self._sizes is not None:
            n = frame["n"].to_numpy(dtype=np.float64)
            put(self._stems, x=joined_segments(at, at), y=joined_segments(0 * n, n))

    def _draw_ring(self, frame: pd.DataFrame) -> None:
        place = self._place_of_selected(frame)
        self._level_menu.index = 0 if place is None else 1 + self._levels.index(self.selected)
        self._ring.visible = place is not None
        if place is not None:
            with self._ring.hold_sync():
                self._ring.x, self._ring.y = [place], [frame.loc[place, "estimate"]]

    # --- in words ---

    def _kind(self) -> str:
        method = next(name for name, value in METHODS.items() if value == self.method)
        return f"{100 * self.level:.0f} % {method}"

    def _report(self, frame: pd.DataFrame) -> None:
        place = self._place_of_selected(frame)
        start = (
            f"{self._kind()} intervals. "
            if place is None
            else self._about(frame.loc[[place]].iloc[0])
        )
        estimate, n = frame["estimate"], frame["n"]
        seen = range(self._start() + 1, self._start() + self.shown + 1)
        part = "" if len(seen) == len(frame) else f" In view: {seen[0]} to {seen[-1]}."
        text = (
            f"{len(frame)} levels of {self._group}, sorted by {self.sort}: rates "
            f"{estimate.min():.2f} to {estimate.max():.2f} with {self._kind()} intervals, "
            f"{n.min()} to {n.max()} answers each. {_faults(frame)}{part}"
        )
        pictures = {"hw_strip": text}
        if self._sizes is not None:
            pictures["hw_sizes"] = f"Number of answers of each level: {n.min()} to {n.max()}."
        self._say(start + _faults(frame) + part, **pictures)

    def _about(self, row: "pd.Series[Any]") -> str:
        return (
            f"{row['level']}: {row['events']} of {row['n']}, rate {row['estimate']:.3f}; its "
            f"{self._kind()} interval goes from {row['conf_low']:.3f} to {row['conf_high']:.3f}. "
        )


def _faults(frame: pd.DataFrame) -> str:
    gone, outside, many = int(frame["zero_width"].sum()), int(frame["outside"].sum()), len(frame)
    if not gone:
        text = f"None of the {many} intervals has zero width."
    else:
        all_same = "all answers there are the same"
        text = f"{gone} of the {many} intervals {_have(gone)} zero width: {all_same}."
    if outside:
        text += f" {outside} {'reaches' if outside == 1 else 'reach'} below 0 or above 1."
    return text


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _one_of(name: str, value: object, allowed: list[Any]) -> Any:
    if value not in allowed:
        raise t.TraitError(f"{name} must be one of {allowed}; {value!r} was given")
    return value


def _shortened(level: object, most: int = 14) -> str:
    name = str(level)
    return name if len(name) <= most else name[: most - 1] + "…"


def _table_rows(frame: pd.DataFrame) -> list[list[str]]:
    columns = frame[["level", "n", "events", "estimate", "conf_low", "conf_high"]]
    return [
        [str(level), str(n), str(events), *(f"{value:.3f}" for value in values)]
        for level, n, events, *values in columns.itertuples(index=False)
    ]


def _legend() -> str:
    """The key of the picture; shapes tell the layers apart without colour."""
    keys = [
        ("one answer", f'<circle cx="9" cy="8" r="1.5" fill="{PEOPLE}"/>'),
        (
            "rate and interval",
            f'<path d="M9 0v16" stroke="{RATE}"/><circle cx="9" cy="8" r="4" fill="{RATE}"/>',
        ),
        ("rate whose interval has no width", f'<path d="M5 4h8v8h-8z" fill="{NO_WIDTH}"/>'),
        ("number of answers", '<text x="4" y="13" stroke="none" fill="currentColor">n</text>'),
    ]  # fmt: skip
    spans = (
        f'<span><svg width="18" height="16" stroke-width="2" aria-hidden="true">{shape}</svg>'
        f"{name}</span>"
        for name, shape in keys
    )
    return f'<div class="hw-legend">{"".join(spans)}</div>'
