"""Poststratification: turn the shares of a population, and see what its rate becomes.

The numbers come from `numbers.poststrat`, the words from `numbers.poststrat_words`, the picture
from `panels.poststrat`; the widget joins them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.widgets.numbers import poststrat_words as words
from hierwidgets.widgets.numbers.poststrat import (
    MOST,
    Kinds,
    estimates,
    groupings,
    kinds,
    normalised,
    turned,
)
from hierwidgets.widgets.numbers.words import Estimated, rate_name, shorter
from hierwidgets.widgets.panels.poststrat import RatesPanel, rates_legend
from hierwidgets.widgets.parts.choices import one_of
from hierwidgets.widgets.parts.controls import NamedSlider, button, menu
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.layout import small

__all__ = ["Poststrat"]


class Poststrat(Instrument):
    """From a survey to a population whose shares are turned by hand.

    Above, three rates on one axis: the raw one, the model's averaged over the respondents, and
    the model's averaged over the population. Below, each kind of people with its cells. A slider
    for each kind turns its share; the others keep their proportions in what is left.

    Parameters
    ----------
    model
        A binomial fit, or draws from a posterior.
    cells, weight, level, new_levels
        The population, cell by cell, as in `hw.poststratify`.
    by
        The column whose values are the kinds, 2 to 6 of them; the first that will do if not given.
    shares
        Of the kinds, in their order; those of the census if not given.

    Attributes
    ----------
    by, shares
        The state, to read, set or observe.
    status
        What the status line says.
    rates
        The picture.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ electoral_rules + (1 | district_id)", hw.load("rainey2015"),
    ...                event="Contacted")
    >>> cells = fit.design.data[["electoral_rules", "district_id"]].drop_duplicates().assign(n=1)
    >>> shown = Poststrat(fit, cells)
    >>> shown.shares = (0.5, 0.5)
    >>> shown.frame.loc[2, "estimate"].round(2).item()
    0.31
    >>> shown.close()
    """

    state_names = ("by", "shares")

    by = t.Unicode()
    shares = t.Any()

    _quiet = False

    def __init__(
        self,
        model: Estimated,
        cells: pd.DataFrame,
        weight: str = "n",
        *,
        by: str | None = None,
        shares: Sequence[float] | None = None,
        level: float = 0.9,
        new_levels: str = "error",
        **unknown: object,
    ) -> None:
        first = kinds(model, cells, weight, by, level, new_levels)
        super().__init__(**unknown)
        self._model, self._possible = model, groupings(model, cells, weight)
        self._make = partial(kinds, model, cells, weight, level=level, new_levels=new_levels)
        self._made = {first.by: first}
        self._kept: dict[str, tuple[float, ...]] = {}
        self.by = first.by
        self.shares = self._census
        self._start_at(shares=shares)
        self._build()
        self._connect()
        self._guarded(self._draw_all)

    # --- to read ---

    @property
    def frame(self) -> pd.DataFrame:
        """The numbers shown; see `poststrat_frame`."""
        return estimates(self._found, self._weights)

    @property
    def _found(self) -> Kinds:
        """The kinds shown; each column's are made once."""
        if self.by not in self._made:
            self._made[self.by] = self._make(by=self.by)
        return self._made[self.by]

    @property
    def _census(self) -> tuple[float, ...]:
        return tuple(map(float, self._found.census))

    @property
    def _weights(self) -> Array:
        return np.array(self.shares)

    # --- what the traits may be ---

    @t.validate("by")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> str:
        return str(one_of("by", proposal["value"], self._possible))

    @t.validate("shares")  # type: ignore[untyped-decorator]
    def _add_up(self, proposal: dict[str, Any]) -> tuple[float, ...]:
        try:
            return tuple(map(float, normalised(self._found, proposal["value"])))
        except DataError as error:
            raise t.TraitError(str(error)) from None

    # --- the parts, built once ---

    def _build(self) -> None:
        self._by_menu = menu("Weights by", self._possible, self.by)
        self._sliders = [NamedSlider(min=0.0, max=1.0, steps=200) for _ in range(MOST)]
        self._census_button = small(button("As the census", "The shares of the population"))
        self._sample_button = small(button("As the sample", "The shares of the respondents"))
        self.rates = RatesPanel()
        self._table.title = "Table of rates and shares"
        level = f"{self._found.level:.0%} interval"
        self._table.columns = ["of", *words.COLUMNS, level]
        self._assemble(
            (self._by_menu, *self._sliders, self._census_button, self._sample_button),
            (ipywidgets.HTML(rates_legend()), self.rates.figure),
        )

    def _connect(self) -> None:
        self._bind("by", self._by_menu)
        for k, slider in enumerate(self._sliders):
            slider.observe(lambda _, k=k: self._guarded(lambda: self._turn(k)), names="value")
        self._census_button.on_click(lambda _: self._guarded(lambda: self._set(self._census)))
        self._sample_button.on_click(
            lambda _: self._guarded(lambda: self._set(tuple(map(float, self._found.sample))))
        )
        self.observe(self._other_kinds, names="by")
        self._redraw_on(self._draw, "shares")
        self._table.observe(lambda _: self._guarded(self._draw_table), names="is_open")

    # --- what changes ---

    def _set(self, shares: tuple[float, ...]) -> None:
        self.shares = shares

    def _turn(self, k: int) -> None:
        if not self._quiet:
            found = turned(self._found, self._weights, k, self._sliders[k].value)
            self.shares = tuple(map(float, found))

    def _other_kinds(self, change: dict[str, Any]) -> None:
        """Another column: its shares as they were left, at first those of the census."""
        self._kept[change["old"]] = self.shares
        self._quiet = True
        try:
            self.shares = self._kept.get(self.by, self._census)
        finally:
            self._quiet = False
        self._guarded(self._draw_all)

    def _draw_all(self) -> None:
        """Everything, for other kinds."""
        self._quiet = True
        try:
            for k, slider in enumerate(self._sliders):
                mine = k < len(self._found.names)
                slider.layout.display = None if mine else "none"
                slider.label = f"share of {shorter(str(self._found.names[k]), 24)}" if mine else ""
        finally:
            self._quiet = False
        self.rates.draw(self._found, self.frame, rate_name(self._model))
        self._draw()

    def _draw(self) -> None:
        """What the shares move."""
        if self._quiet:
            return
        self._quiet = True  # sliders that follow turn nothing
        try:
            for slider, share in zip(self._sliders, self.shares, strict=False):
                slider.value = share
        finally:
            self._quiet = False
        table = self.frame
        self.rates.move(table.iloc[2:3])
        weights, found = self._weights, self._found
        self._say(
            words.status_text(found, weights, table),
            hw_rates=words.picture_text(found, weights, table, rate_name(self._model)),
        )
        if self._table.is_open or not self._table.rows:
            self._table.rows = words.table_rows(found, table)

    def _draw_table(self) -> None:
        if self._table.is_open:
            self._table.rows = words.table_rows(self._found, self.frame)
