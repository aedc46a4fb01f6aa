"""Pooling comparison: three estimates of every level as three rows, joined by lines.

The numbers come from `numbers.comparison`, the words from `numbers.comparison_words`, the picture
from `panels.comparison`; the widget joins them.
"""

from collections.abc import Mapping
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t

from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers import comparison_words as told
from hierwidgets.widgets.numbers.comparison import Flags, compared, most_moved, named_fits
from hierwidgets.widgets.numbers.words import GivenWords, words_of
from hierwidgets.widgets.panels.comparison import CLASSES, SlopesPanel, comparison_legend
from hierwidgets.widgets.parts.choices import known_level, one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, menu
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["PoolingComparison"]

HIGHLIGHTS = ("none", "n range", "crossers")


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
        the levels that change places with another, or with the selected one; of very many those
        that pass most places.
    n_low, n_high
        The range of n; all levels if not given.
    selected
        The level to show in detail, or None.
    words
        What levels are called, `Words` or a mapping; by the names of the columns if not given.

    Attributes
    ----------
    shown, highlight, n_low, n_high, selected
        The state, to read, set or observe.
    status
        What the status line says.
    slopes
        The picture.

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
        words: GivenWords = None,
        **unknown: object,
    ) -> None:
        self._fits = named_fits(fits)
        self._words = {name: words_of(fit, words) for name, fit in self._fits.items()}
        self._wanted: dict[str, Any] = {}
        super().__init__(**unknown)
        self._start_at(shown=next(iter(self._fits)) if shown is None else shown)
        self._take_fit()
        self.observe(self._want, names=["n_low", "n_high", "selected"])
        self._start_at(n_low=n_low, n_high=n_high, highlight=highlight, selected=selected)
        self._build()
        self._connect()
        self._guarded(self._draw_all)

    # --- what changes with the fit alone ---

    def _take_fit(self) -> None:
        """The fit that is shown, compared; what was set before stays, as far as the fit has it."""
        self._found = compared(self._fits[self.shown], len(CLASSES), self._words[self.shown])
        self._levels = self._found.levels
        low, high = self._found.n_limits
        for name, end in (("n_low", low), ("n_high", high)):
            setattr(self, name, float(np.clip(self._wanted.get(name, end), low, high)))
        level = self._wanted.get("selected")
        self.selected = level if level in self._levels else None

    def _want(self, change: Any) -> None:
        """What is set, and not only fitted into what another model has, is remembered."""
        if self._quiet:
            return
        name, value = change["name"], change["new"]
        ends = dict(zip(("n_low", "n_high"), self._found.n_limits, strict=True))
        whole = value == ends.get(name)  # of `selected`: None
        if whole:
            self._wanted.pop(name, None)
        else:
            self._wanted[name] = value

    @t.validate("shown", "highlight")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        allowed = list(self._fits if name == "shown" else HIGHLIGHTS)
        return str(one_of(name, proposal["value"], allowed, ", ".join(map(repr, allowed))))

    @t.validate("n_low", "n_high")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        value = float(proposal["value"])
        return within(proposal["trait"].name, value, *self._found.n_limits, digits=6)

    @t.validate("selected")  # type: ignore[untyped-decorator]
    def _known_level(self, proposal: dict[str, Any]) -> object:
        return known_level("selected", proposal["value"], self._levels, self._found.group)

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        self._legend = ipywidgets.HTML()
        self.slopes = SlopesPanel()
        self._fit_menu.layout.display = None if len(self._fits) > 1 else "none"
        self._table.title = "Table of estimates and ranks"
        self._assemble(
            (self._fit_menu, self._level_menu, self._highlight_menu, self._low_slider,
             self._high_slider),
            (self._legend, self.slopes.figure),
        )  # fmt: skip

    def _build_controls(self) -> None:
        self._fit_menu = menu("Model", list(self._fits))
        self._level_menu = menu(self._found.words.level, ["none"])
        called = {words.levels for words in self._words.values()}
        many = called.pop() if len(called) == 1 else "levels"
        names = ("nothing", "n in a range", f"{many} that change places")
        self._highlight_menu = menu("Highlight", list(zip(names, HIGHLIGHTS, strict=True)))
        self._low_slider, self._high_slider = (
            NamedSlider(label=label) for label in ("n from", "n to")
        )

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("shown", self._fit_menu)
        self._bind("highlight", self._highlight_menu)
        self._bind("n_low", self._low_slider)
        self._bind("n_high", self._high_slider)
        self._level_menu.observe(lambda _: self._guarded(self._choose), names="index")
        for k, pair in enumerate(self.slopes.points):
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
        places = np.flatnonzero(self._found.classes == of_class)
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
        self.slopes.draw(self._found, told.outcome_name(self._found.fit))
        self._draw()
        self._table.columns = [self._found.words.level, *told.COLUMNS]
        self._table.rows = told.table_rows(self._found)

    def _draw_controls(self) -> None:
        self._level_menu.description = self._found.words.level
        self._level_menu.options = ["none", *map(str, self._levels)]
        low, high = self._found.n_limits
        whole = bool((self._found.columns["n"] % 1 == 0).all())
        for slider in (self._low_slider, self._high_slider):
            with slider.hold_sync():
                slider.min, slider.max = low, max(high, low + 1)
                slider.digits, slider.steps = (0, int(max(high - low, 1))) if whole else (3, 200)
        many = np.ptp(self._found.columns["target"]) > 1e-8
        self._legend.value = comparison_legend(self._found.class_names, bool(many))

    def _draw(self) -> None:
        """What is highlighted and selected."""
        if self._quiet:
            return
        place = None if self.selected is None else self._levels.index(self.selected)
        shown = self._highlighted(place)
        for slider in (self._low_slider, self._high_slider):
            slider.layout.display = None if self.highlight == "n range" else "none"
        self._level_menu.index = 0 if place is None else 1 + place
        self.slopes.mark(shown, place)
        self._report(shown, place)

    def _draw_table(self) -> None:
        if self._table.is_open:
            self._table.rows = told.table_rows(self._found)

    def _highlighted(self, place: int | None) -> Flags:
        n, crossed = self._found.columns["n"], self._found.crossed
        if self.highlight == "n range":
            return np.asarray((n >= self.n_low) & (n <= self.n_high))
        if self.highlight == "crossers":
            return np.asarray(most_moved(self._found) if place is None else crossed[place])
        return np.zeros(len(n), dtype=bool)

    def _report(self, shown: Flags, place: int | None) -> None:
        found = self._found
        marked = told.marked_text(
            found, shown, self.highlight, self.selected, self.n_low, self.n_high
        )
        about = told.whole_text(found) if place is None else told.level_text(found, place)
        self._say(f"{about} {marked}".strip(), hw_slopes=told.picture_text(found, marked))
