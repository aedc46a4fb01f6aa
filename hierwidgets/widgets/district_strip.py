"""The district strip: every answer, every rate, every interval, and what is wrong with some.

The numbers and the words come from `numbers.strip`, the pictures from `panels.strip`.
"""

from typing import Any

import bqplot
import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t

from hierwidgets.spec.frames import as_frame
from hierwidgets.widgets.numbers.strip import (
    SORTS,
    faults_text,
    people_frame,
    strip_frame,
    table_rows,
)
from hierwidgets.widgets.numbers.words import GivenWords, share_name, words_for
from hierwidgets.widgets.panels.strip import MOST_LABELS, SizesPanel, StripPanel, View, strip_key
from hierwidgets.widgets.parts.choices import known_level, one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, menu, switch
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.layout import small
from hierwidgets.widgets.parts.whole import Whole, follow_slider

__all__ = ["DistrictStrip"]


LEVELS = {"80 %": 0.8, "90 %": 0.9, "95 %": 0.95}
METHODS = {"Wald": "wald", "Wilson": "wilson", "Jeffreys": "jeffreys", "Clopper-Pearson": "exact"}
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
    words
        What levels, events and trials are called, `Words` or a mapping; by the names of the
        columns if not given.

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
        words: GivenWords = None,
        **unknown: object,
    ) -> None:
        self._data, self._outcome, self._group, self._event = as_frame(data), outcome, group, event
        self._words = words_for(words, str(group), str(outcome))
        self._known: dict[tuple[float, str], pd.DataFrame] = {}
        self._in_order: dict[tuple[float, str, str], pd.DataFrame] = {}
        self._drawn: pd.DataFrame | None = None
        self._listed, self._faults = False, ""
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
        """Levels, limits and people: everything that depends on the data alone."""
        widest = self._frame(0.95, "wald")
        self._levels = list(widest["level"])
        self._range = (
            min(-0.09, float(widest["conf_low"].min())) - 0.02,
            max(1.09, float(widest["conf_high"].max())) + 0.02,
        )
        self._people = people_frame(self._data, self._outcome, self._group, event=self._event)

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
        return float(one_of("level", proposal["value"], list(LEVELS.values())))

    @t.validate("method")  # type: ignore[untyped-decorator]
    def _known_method(self, proposal: dict[str, Any]) -> str:
        return str(one_of("method", proposal["value"], list(METHODS.values())))

    @t.validate("sort")  # type: ignore[untyped-decorator]
    def _known_sort(self, proposal: dict[str, Any]) -> str:
        return str(one_of("sort", proposal["value"], list(SORTS)))

    @t.validate("shown", "first")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> int:
        name, value, count = proposal["trait"].name, int(proposal["value"]), len(self._levels)
        low = min(FEWEST, count) if name == "shown" else 1
        return int(within(name, value, low, count, digits=9))

    @t.validate("selected")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        return known_level("selected", proposal["value"], self._levels, self._group)

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        controls: list[ipywidgets.DOMWidget] = [
            self._level_menu, self._method_menu, self._interval_menu, self._sort_menu, self._n_box
        ]  # fmt: skip
        rate = share_name(str(self._outcome), self._event)
        self.strip = StripPanel(self._levels, self._people, self._range, rate)
        self.sizes: SizesPanel | None = None
        if len(self._levels) > MOST_LABELS:
            controls += [self._shown_slider, self._first_slider]
            n = self._frame(self.level, self.method)["n"]
            self.sizes = SizesPanel(self.strip.place, float(n.max()))
        pictures = [ipywidgets.HTML(strip_key()), self.strip.figure]
        if self.sizes is not None:
            pictures.append(self.sizes.figure)
        self._table.title = f"Table of the {len(self._levels)} rates"
        self._table.columns = [self._words.level, "n", self._words.event, "rate", "from", "to"]
        self._assemble(controls, pictures)

    def _build_controls(self) -> None:
        count = len(self._levels)
        levels = ["none", *map(str, self._levels)]
        self._interval_menu = small(menu("Interval", list(LEVELS.items()), self.level))
        self._method_menu = menu("Method", list(METHODS.items()), self.method)
        self._sort_menu = small(menu("Sort by", list(SORTS), self.sort))
        self._level_menu = menu(self._words.level, levels)
        self._n_box = small(switch("Show n", self.show_n))
        fewest = min(FEWEST, count)
        self._shown_slider = NamedSlider(
            label=f"{self._words.levels} in view", value=self.shown, min=fewest, max=count,
            steps=max(count - fewest, 1), digits=0,
        )  # fmt: skip
        self._first_slider = NamedSlider(label="first in view", value=self.first, min=1, digits=0)

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("level", self._interval_menu)
        self._bind("method", self._method_menu)
        self._bind("sort", self._sort_menu)
        self._bind("show_n", self._n_box)
        follow_slider(self, "shown", self._shown_slider)
        follow_slider(self, "first", self._first_slider)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        for mark in (self.strip.rates, self.strip.widthless):
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
        """The rates in their order; each kind is sorted once."""
        state, keys = (self.level, self.method, self.sort), SORTS[self.sort]
        if state not in self._in_order:
            frame = self._frame(self.level, self.method)
            if keys:
                frame = frame.sort_values(keys, kind="stable", ignore_index=True)
            self._in_order[state] = frame
        return self._in_order[state]

    def _place_of_selected(self, frame: pd.DataFrame) -> int | None:
        if self.selected is None:
            return None
        return list(frame["level"]).index(self.selected)

    def _bring_into_view(self) -> None:
        place, view = self._place_of_selected(self._sorted()), self._view()
        if place is not None and place not in view.places:
            last = len(self._levels) - self.shown
            self.first = 1 + int(np.clip(place - self.shown // 2, 0, last))

    def _view(self) -> View:
        """The levels in view, which is always full."""
        return View(min(self.first - 1, len(self._levels) - self.shown), self.shown)

    def _draw(self) -> None:
        """Bring every mark to the present state; marks that do not change send nothing."""
        frame = self._sorted()
        self._draw_view(frame)
        if frame is not self._drawn:
            self._draw_rates(frame)
            self._drawn, self._listed = frame, False
        if self.sizes is not None:
            self.sizes.figure.layout.display = None if self.show_n else "none"
        self._draw_selected(frame)
        self._report(frame)
        if not self._listed and (self._table.is_open or not self._table.rows):
            self._table.rows, self._listed = table_rows(frame), True

    def _draw_rates(self, frame: pd.DataFrame) -> None:
        """What the view does not change."""
        self.strip.show(frame)
        self._faults = faults_text(frame)
        if self.sizes is not None:
            self.sizes.show(frame["n"].to_numpy(dtype=np.float64))

    def _draw_view(self, frame: pd.DataFrame) -> None:
        view, count = self._view(), len(self._levels)
        self.strip.look(view)
        with self._first_slider.hold_sync():
            self._first_slider.max = max(count - self.shown + 1, 2)
            self._first_slider.steps = max(count - self.shown, 1)
        self._first_slider.layout.display = None if self.shown < count else "none"
        seen = "" if self.shown == count else f"{view.start + 1} to {view.start + self.shown} of "
        everything = f"{seen}{count} {self._words.levels}, sorted by {self.sort}"
        self.strip.write(view, everything, self.show_n)

    def _draw_selected(self, frame: pd.DataFrame) -> None:
        place = self._place_of_selected(frame)
        self._level_menu.index = 0 if place is None else 1 + self._levels.index(self.selected)
        self.strip.select(frame, place)

    # --- in words ---

    def _kind(self) -> str:
        method = next(name for name, value in METHODS.items() if value == self.method)
        return f"{100 * self.level:.0f} % {method}"

    def _report(self, frame: pd.DataFrame) -> None:
        place = self._place_of_selected(frame)
        kind = f"{self._kind()} intervals. "
        start = kind if place is None else self._about(frame.loc[[place]].iloc[0])
        estimate, n = frame["estimate"], frame["n"]
        view, faults = self._view(), self._faults
        last = view.start + view.shown
        part = "" if view.shown == len(frame) else f" In view: {view.start + 1} to {last}."
        text = (
            f"{len(frame)} {self._words.levels}, sorted by {self.sort}: rates "
            f"{estimate.min():.2f} to {estimate.max():.2f} with {self._kind()} intervals, "
            f"{n.min()} to {n.max()} {self._words.trials} each. {faults}{part}"
        )
        pictures = {"hw_strip": text}
        if self.sizes is not None:
            pictures["hw_sizes"] = (
                f"Number of {self._words.trials} in each {self._words.level}: "
                f"{n.min()} to {n.max()}."
            )
        self._say(start + faults + part, **pictures)

    def _about(self, row: "pd.Series[Any]") -> str:
        return (
            f"{row['level']}: {row['events']} of {row['n']}, rate {row['estimate']:.3f}; its "
            f"{self._kind()} interval goes from {row['conf_low']:.3f} to {row['conf_high']:.3f}. "
        )
