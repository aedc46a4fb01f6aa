"""Chain clinic: traces, ranks, R-hat and effective sample sizes, with a verdict in words.

The numbers come from `numbers.chains`, the words from `numbers.chain_words`, the pictures from
`panels.chains`; the widget joins them.
"""

from collections.abc import Collection, Iterable
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.posterior.convergence import array_statistics
from hierwidgets.widgets.numbers import chain_words as words
from hierwidgets.widgets.numbers import chains as numbers
from hierwidgets.widgets.numbers.words import shorter
from hierwidgets.widgets.panels.chains import Ranks, StatisticsPicture, Traces, chains_legend
from hierwidgets.widgets.parts.choices import one_of
from hierwidgets.widgets.parts.controls import NamedSlider, menu, switch
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.whole import Whole, follow_slider

__all__ = ["ChainClinic"]

MOST_THIN = 50
MOST_CHAINS = 10  # that get a box to switch them off, and a lane
LANES_HEIGHT = "250px"
SETTLE = 0.15  # seconds after the last move until the other parameters are judged anew
RULES = {
    400: "to go on: ESS ≥ 400",
    1000: "to hand on: ESS ≥ 1,000",
    2000: "the course's: ESS > 2,000",
}


class ChainClinic(Instrument):
    """Whether chains of draws can be trusted, parameter by parameter.

    Parameters
    ----------
    draws_or_summary
        A posterior; a data frame of draws (columns chain, draw, and one per parameter); a dict
        of arrays (chains, draws) by parameter; a summary as a data frame, one row per parameter,
        with rhat, ess_bulk and ess_tail (or Rhat, Bulk_ESS and Tail_ESS, as brms prints them),
        of which there are no draws to see; or a dict of several of these by name, to choose from.
    run
        The name of the run to show first.
    parameter
        The parameter whose draws are shown.
    chains
        Numbers of the chains to keep, from 1, two or more; all if not given.
    thin
        Every so manieth draw is kept.
    ess
        What effective sample sizes have to reach: 400 to go on, 1000 for draws to hand on, or
        2000, the course's rule, which also wants R-hat below 1.01; see `judged_table`.

    Attributes
    ----------
    run, parameter, chains, thin, ess
        The state, to read, set or observe.
    judged
        The statistics of every parameter and their verdicts, as a data frame.
    status
        What the status line says.
    traces, ranks, statistics
        The pictures; `lanes` is the box of the first two.

    Examples
    --------
    >>> from hierwidgets.widgets import printed_summary
    >>> clinic = ChainClinic(printed_summary(), parameter="district_competitiveness")
    >>> clinic.judged["verdict"].eq("passes").sum()
    np.int64(5)
    >>> clinic
    ChainClinic(run='summary', parameter='district_competitiveness', chains=(), thin=1, ess=400)
    >>> clinic.close()
    """

    state_names = ("run", "parameter", "chains", "thin", "ess")

    run = t.Unicode()
    parameter = t.Unicode()
    chains = t.Tuple()
    thin: int = Whole(1)
    ess = t.Int(numbers.ESS_LIMITS[0])

    _quiet = False

    def __init__(
        self,
        draws_or_summary: object,
        *,
        run: str | None = None,
        parameter: str | None = None,
        chains: Collection[int] | None = None,
        thin: int | None = None,
        ess: int | None = None,
        **unknown: object,
    ) -> None:
        if chains is not None and not isinstance(chains, Iterable):
            raise DataError(f"chains are several, such as (1, 2); {chains!r} was given")
        self._runs = numbers.as_runs(draws_or_summary)
        if any(one.draws is not None for one in self._runs.values()):
            array_statistics()  # says what is missing before there is a widget
        super().__init__(**unknown)
        self._later = self._at_rest(self._settle, SETTLE)
        self._wanted: dict[str, Any] = {"chains": (), "thin": 1}
        self.observe(self._want, names=["chains", "thin"])
        self._start_at(run=next(iter(self._runs)) if run is None else run)
        self._take_run()
        given = None if chains is None else tuple(chains)
        self._start_at(parameter=parameter, chains=given, thin=thin, ess=ess)
        self._judge()
        self._build()
        self._connect()
        self._guarded(self._draw_all)

    # --- to read ---

    @property
    def judged(self) -> pd.DataFrame:
        """The statistics of every parameter and their verdicts; see `judged_table`."""
        self._judge()
        return self._judged.copy()

    # --- what changes with the run alone ---

    def _take_run(self) -> None:
        """The run that is shown; of chains and thinning stays what it can have."""
        self._shown = self._runs[self.run]
        draws = self._shown.draws
        self._size = (0, 0) if draws is None else draws.shape[:2]
        self._most_thin = max(1, min(MOST_THIN, self._size[1] // numbers.FEWEST_DRAWS))
        self._cache: dict[tuple[int, ...], pd.DataFrame] = {}
        kept = tuple(c for c in self._wanted["chains"] if c <= self._size[0])
        self.chains = kept if len(kept) > 1 else ()
        self.thin = min(self._wanted["thin"], self._most_thin)
        if self.parameter not in self._shown.parameters:
            self.parameter = self._shown.parameters[0]

    def _want(self, change: Any) -> None:
        """What is set, and not only fitted into what another run has, is remembered."""
        if not self._quiet:
            self._wanted[change["name"]] = change["new"]

    @t.validate("run", "parameter", "ess")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> object:
        name = proposal["trait"].name
        allowed: Collection[Any] = self._runs if name == "run" else numbers.ESS_LIMITS
        if name == "parameter":
            allowed = self._shown.parameters
        some = ", ".join(map(repr, list(allowed)[:10]))
        more = f" and {len(allowed) - 10} more" if len(allowed) > 10 else ""
        return one_of(name, proposal["value"], allowed, f"{some}{more}")

    @t.validate("chains")  # type: ignore[untyped-decorator]
    def _kept_chains(self, proposal: dict[str, Any]) -> tuple[int, ...]:
        """Sorted; empty where all are kept."""
        value, many = tuple(proposal["value"]), self._size[0]
        if not value:
            return ()
        whole = all(isinstance(c, int | np.integer) and 1 <= c <= many for c in value)
        kept = tuple(sorted({int(c) for c in value})) if whole else ()
        if many == 0:
            raise t.TraitError(f"a summary has no chains to choose; {value!r} was given")
        if len(kept) < 2:
            raise t.TraitError(
                f"chains must be 2 or more of 1 to {many}, to compare them; {value!r} was given"
            )
        return () if len(kept) == many else kept

    @t.validate("thin")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> int:
        value = int(proposal["value"])
        if not 1 <= value <= self._most_thin:
            raise t.TraitError(
                f"thin must be from 1 to {self._most_thin} for {self._size[1]:,} draws a chain; "
                f"{value} was given"
            )
        return value

    @property
    def _numbers_of_chains(self) -> tuple[int, ...]:
        return self.chains or tuple(range(1, self._size[0] + 1))

    # --- the parts, built once ---

    def _build(self) -> None:
        runs = self._runs.values()
        chains = max([0, *(run.draws.shape[0] for run in runs if run.draws is not None)])
        rows = max(len(run.parameters) for run in runs)
        self._build_controls(chains)
        self.traces, self.ranks = Traces(LANES_HEIGHT), Ranks(LANES_HEIGHT)
        self.statistics = StatisticsPicture("hw-statistics", rows)
        self.lanes = ipywidgets.HBox([self.traces.figure, self.ranks.figure])
        self._table.title = "Table of statistics and verdicts"
        self._table.columns = ["parameter", "R-hat", "bulk ESS", "tail ESS", "verdict"]
        self._assemble(
            (self._run_menu, self._parameter_menu, self._rule_menu, self._chain_row,
             self._thin_slider),
            (ipywidgets.HTML(chains_legend()), self.lanes, self.statistics.figure),
        )  # fmt: skip

    def _build_controls(self, chains: int) -> None:
        self._run_menu = menu("Run", list(self._runs))
        self._run_menu.layout.display = None if len(self._runs) > 1 else "none"
        self._parameter_menu = menu("Parameter", ["none"])
        self._rule_menu = menu("Rule", [(text, n) for n, text in RULES.items()])
        self._boxes = [switch(f"chain {c + 1}", True) for c in range(min(chains, MOST_CHAINS))]
        self._chain_row = ipywidgets.HBox(self._boxes)
        self._thin_slider = NamedSlider(label="thin, keep 1 in", value=1, digits=0, min=1, max=2)

    def _connect(self) -> None:
        self._bind("run", self._run_menu)
        self._bind("ess", self._rule_menu)
        follow_slider(self, "thin", self._thin_slider)
        self._parameter_menu.observe(lambda _: self._guarded(self._choose), names="index")
        for box in self._boxes:
            box.observe(lambda _: self._guarded(self._switch), names="value")
        self._on_place("hw-statistics", self._pick)
        self.observe(lambda _: self._guarded(self._new_run), names="run")
        self._redraw_on(self._draw_parameter, "parameter")
        self._redraw_on(self._move, "chains", "thin")
        self._redraw_on(self._settle, "ess")

    def _choose(self) -> None:
        index = self._parameter_menu.index
        if not self._quiet and index is not None:
            self.parameter = self._shown.parameters[index]

    def _pick(self, x: float, y: float) -> None:
        found = self.statistics.pick(y)
        if found is not None:
            self.parameter = found

    def _switch(self) -> None:
        if self._quiet:
            return
        kept = tuple(c + 1 for c, box in enumerate(self._boxes[: self._size[0]]) if box.value)
        kept += tuple(range(len(self._boxes) + 1, self._size[0] + 1))
        try:
            if len(kept) < 2:
                if self.waiting:
                    self._settle()  # now, or it would soon take the place of the message
                raise DataError("two chains or more have to stay, to be compared")
            self.chains = kept
        finally:  # a box that must stay on goes on again
            self._show_boxes()

    def _show_boxes(self) -> None:
        was, self._quiet = self._quiet, True
        try:
            for c, box in enumerate(self._boxes):
                box.value = c + 1 in self._numbers_of_chains or c >= self._size[0]
                box.layout.display = None if c < self._size[0] else "none"
        finally:
            self._quiet = was

    # --- what changes ---

    def _new_run(self) -> None:
        self._quiet = True
        try:
            self._take_run()
        finally:
            self._quiet = False
        self._draw_all()

    def _draw_all(self) -> None:
        """Everything, for another run."""
        self._quiet = True  # new options would choose a parameter
        try:
            self._parameter_menu.options = [shorter(p, 60) for p in self._shown.parameters]
            with self._thin_slider.hold_sync():
                self._thin_slider.max = max(2, self._most_thin)
                self._thin_slider.steps = max(1, self._most_thin - 1)
            drawn = self._shown.draws is not None
            self._chain_row.layout.display = None if drawn else "none"
            self._thin_slider.layout.display = None if self._most_thin > 1 else "none"
            _fold(self.lanes, not drawn)
        finally:
            self._quiet = False
        self._show_boxes()
        self._draw_chains()
        self._settle()

    def _draw_parameter(self) -> None:
        if not self._quiet:
            self._draw_chains()
            self._report()

    def _move(self) -> None:
        """The draws at once, with the statistics of this parameter; the others when at rest."""
        if self._quiet:
            return
        self._show_boxes()
        self._draw_chains()
        self._later.ask()
        if self.waiting:
            self._report(waiting=True)

    def _settle(self) -> None:
        """Every parameter judged."""
        if self._quiet:
            return
        self._later.forget()
        self._judge()
        self.statistics.draw(self._judged, self.ess)
        self._table.rows = words.table_rows(self._judged, self._shown.draws is not None)
        self._report()

    def _judge(self) -> None:
        """The statistics once for each choice of chains and draws; the verdicts by the rule."""
        self._judged = numbers.judged_table(self._statistics_of(self._shown.parameters), self.ess)

    def _statistics_of(self, names: tuple[str, ...]) -> pd.DataFrame:
        run, kept = self._shown, self._cache.get((*self.chains, -self.thin))
        if run.draws is None or kept is not None:
            found = numbers.run_table(run) if kept is None else kept
            return found.loc[list(names)]
        places = [run.parameters.index(name) for name in names]
        part = numbers.Run(names, run.draws[..., places], None)
        table = numbers.run_table(part, self.chains, self.thin)
        if len(names) == len(run.parameters):
            self._cache[*self.chains, -self.thin] = table
        return table

    def _draw_chains(self) -> None:
        self._parameter_menu.index = self._shown.parameters.index(self.parameter)
        for picture in (self.traces, self.ranks):
            if self._shown.draws is None:
                picture.clear()
            else:
                picture.draw(self._values(), self._numbers_of_chains[:MOST_CHAINS])

    def _values(self) -> Array:
        """The draws of the parameter that are kept, (C, D)."""
        assert self._shown.draws is not None
        place = self._shown.parameters.index(self.parameter)
        return numbers.kept(self._shown.draws[..., place], self.chains, self.thin)

    def _report(self, waiting: bool = False) -> None:
        self.statistics.select(self.parameter)
        row = numbers.judged_table(self._statistics_of((self.parameter,)), self.ess).iloc[0]
        _, whole = numbers.verdict(self._judged, self.ess)
        whole = "Judging the other parameters." if waiting else whole
        about = words.parameter_text(self.parameter, row, self._shown.draws is not None)
        hidden = len(self._judged) - len(self.statistics.shown)
        more = f" The {hidden} best are not drawn." if hidden else ""
        pictures = {"hw_statistics": f"Statistics of {len(self._judged)} parameters. {whole}{more}"}
        if self._shown.draws is None:
            drawn = "A printed summary: there are no draws to look at."
        else:
            values = self._values()
            drawn = words.draws_text(row, values, self._numbers_of_chains, MOST_CHAINS)
            lanes = f"{self.parameter}, a lane for each of {len(values)} chains"
            pictures["hw_traces"] = f"Traces of {lanes}, {drawn}"
            pictures["hw_ranks"] = f"Ranks of {lanes}; dashed, what agreeing chains show. {about}"
        self._say(f"{about} {drawn} {whole}{more}", **pictures)


def _fold(box: ipywidgets.Box, folded: bool) -> None:
    """Out of sight; a figure without size would write errors to the browser's log."""
    box.layout.visibility, box.layout.overflow, box.layout.height = (
        ("hidden", "hidden", "0px") if folded else (None, None, None)
    )
