"""Chain clinic: traces, ranks, R-hat and effective sample sizes, with a verdict in words.

The numbers come from `_chains`, the pictures from `_chain_pictures`; the widget joins them.
"""

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.posterior.convergence import array_statistics
from hierwidgets.widgets.numbers.effect.words import shorter
from hierwidgets.widgets.panels.chains import (
    EXPECTED,
    FAILS,
    PASSES,
    SELECTED,
    Lanes,
    StatisticsPicture,
)
from hierwidgets.widgets.parts.charts import WIDTH
from hierwidgets.widgets.parts.controls import NamedSlider
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.whole import Whole, follow_slider

from .numbers import chains as numbers

__all__ = ["ChainClinic"]

BINS = 20  # of the histograms of ranks
MOST_THIN = 50
MOST_CHAINS = 10  # that get a box to switch them off, and a lane
SETTLE = 0.15  # seconds after the last move until the other parameters are judged anew
RULES = {
    400: "to go on: R-hat ≤ 1.01, ESS ≥ 400",
    1000: "to hand on: R-hat ≤ 1.01, ESS ≥ 1,000",
    2000: "the course's: R-hat < 1.01, ESS > 2,000",
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
    _pending: asyncio.TimerHandle | None = None

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
        """The run that is shown, all its chains and draws."""
        self._shown = self._runs[self.run]
        draws = self._shown.draws
        self._size = (0, 0) if draws is None else draws.shape[:2]
        self._most_thin = max(1, min(MOST_THIN, self._size[1] // numbers.FEWEST_DRAWS))
        self._cache: dict[tuple[int, ...], pd.DataFrame] = {}
        self.chains, self.thin = (), 1
        if self.parameter not in self._shown.parameters:
            self.parameter = self._shown.parameters[0]

    @t.validate("run", "parameter", "ess")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> object:
        name, value = proposal["trait"].name, proposal["value"]
        allowed: Collection[Any] = self._runs if name == "run" else numbers.ESS_LIMITS
        if name == "parameter":
            allowed = self._shown.parameters
        if value not in allowed:
            some = ", ".join(map(repr, list(allowed)[:10]))
            more = f" and {len(allowed) - 10} more" if len(allowed) > 10 else ""
            raise t.TraitError(f"{name} must be one of {some}{more}; {value!r} was given")
        return value

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
        height = f"{90 + 42 * min(max(chains, 4), MOST_CHAINS)}px"
        self._trace = Lanes("hw-traces", height, "draw", "dashed")
        self._ranks = Lanes("hw-ranks", height, "rank of the draw, low to high", "dashed")
        self._statistics = StatisticsPicture("hw-statistics", rows)
        self._pair = ipywidgets.HBox([self._trace.figure, self._ranks.figure])
        self._table.title = "Table of statistics and verdicts"
        self._table.columns = ["parameter", "R-hat", "bulk ESS", "tail ESS", "verdict"]
        menus = ipywidgets.HBox([self._run_menu, self._parameter_menu, self._rule_menu])
        self._assemble(
            menus, self._chain_row, self._thin_slider, self._pair, ipywidgets.HTML(_legend()),
            self._statistics.figure, width=WIDTH,
        )  # fmt: skip

    def _build_controls(self, chains: int) -> None:
        self._run_menu = _menu("Run", list(self._runs), "170px")
        self._run_menu.layout.display = None if len(self._runs) > 1 else "none"
        self._parameter_menu = _menu("Parameter", ["none"], "240px")
        self._rule_menu = _menu("Rule", [(text, n) for n, text in RULES.items()], "314px")
        self._boxes = [
            ipywidgets.Checkbox(
                value=True, description=f"chain {c + 1}", indent=False, layout={"width": "84px"}
            )
            for c in range(min(chains, MOST_CHAINS))
        ]
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
        found = self._statistics.pick(y)
        if found is not None:
            self.parameter = found

    def _switch(self) -> None:
        if self._quiet:
            return
        kept = tuple(c + 1 for c, box in enumerate(self._boxes[: self._size[0]]) if box.value)
        kept += tuple(range(len(self._boxes) + 1, self._size[0] + 1))
        try:
            self.chains = kept or (0,)
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
            _fold(self._pair, not drawn)
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
        self._forget()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no notebook: nothing else would call
            self._settle()
        else:
            self._pending = loop.call_later(SETTLE, lambda: self._guarded(self._settle))
            self._report(waiting=True)

    def _forget(self) -> None:
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def _settle(self) -> None:
        """Every parameter judged."""
        if self._quiet:
            return
        self._forget()
        self._judge()
        self._statistics.draw(self._judged, self.ess)
        self._table.rows = _table_rows(self._judged, self._shown.draws is not None)
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
        if self._shown.draws is None:
            self._trace.clear()
            self._ranks.clear()
            return
        values = self._values()
        shown = self._numbers_of_chains[:MOST_CHAINS]
        low, high = float(values.min()), float(values.max())
        wide = high - low if high > low else 1.0
        frame = numbers.trace_frame(values[: len(shown)])
        x, y = (frame[c].to_numpy(np.float64).reshape(len(shown), -1) for c in ("draw", "value"))
        label = f"draw, from {low:.3g} to {high:.3g} in each lane"
        self._trace.lanes(shown, float(values.shape[1]), label)
        self._trace.draw(x, (y - low) / wide, float((np.median(values) - low) / wide))
        self._draw_ranks(values, shown)

    def _draw_ranks(self, values: Array, shown: tuple[int, ...]) -> None:
        frame = numbers.rank_frame(values, BINS)
        counts = frame["count"].to_numpy(np.float64).reshape(len(values), BINS)[: len(shown)]
        expected = float(frame["expected"].iloc[0])
        top = max(float(counts.max()), 2 * expected)
        edges = np.repeat(np.arange(BINS + 1.0), 2) / BINS
        heights = np.pad(np.repeat(counts / top, 2, axis=1), ((0, 0), (1, 1)))
        self._ranks.lanes(shown, 1.0)
        self._ranks.draw(np.broadcast_to(edges, heights.shape), heights, expected / top)

    def _values(self) -> Array:
        """The draws of the parameter that are kept, (C, D)."""
        assert self._shown.draws is not None
        place = self._shown.parameters.index(self.parameter)
        return numbers.kept(self._shown.draws[..., place], self.chains, self.thin)

    def _report(self, waiting: bool = False) -> None:
        self._statistics.select(self.parameter)
        row = numbers.judged_table(self._statistics_of((self.parameter,)), self.ess).iloc[0]
        _, whole = numbers.verdict(self._judged, self.ess)
        whole = "Judging the other parameters." if waiting else whole
        passes = row["verdict"] == "passes"
        exact = self._shown.draws is not None
        said = f"{_figures(row, exact)}; it passes" if passes else row["verdict"]
        about = f"{self.parameter}: {said}."
        drawn = "" if self._shown.draws is None else self._about_draws(row)
        hidden = len(self._judged) - len(self._statistics.shown)
        more = f" The {hidden} best are not drawn." if hidden else ""
        pictures = {"hw_statistics": f"Statistics of {len(self._judged)} parameters. {whole}{more}"}
        if drawn:
            lanes = f"{self.parameter}, a lane for each of {len(self._values())} chains"
            pictures["hw_traces"] = f"Traces of {lanes}, {drawn}"
            pictures["hw_ranks"] = f"Ranks of {lanes}; dashed, what agreeing chains show. {about}"
        else:
            drawn = "A printed summary: there are no draws to look at."
        self._say(f"{about} {drawn} {whole}{more}", **pictures)

    def _about_draws(self, row: "pd.Series[Any]") -> str:
        values = self._values()
        C, D = values.shape
        text = f"{C} chains of {D:,} draws"
        if np.isfinite(row["ess_bulk"]) and row["ess_bulk"] > 0:
            share = C * D / row["ess_bulk"]
            every = "all count" if share < 1.05 else f"one draw in {share:.3g} counts"
            text += f"; for the mean, {every}"
        away = "" if row["rhat_ok"] else f" {numbers.remark(values, self._numbers_of_chains)}"
        hidden = f" {C - MOST_CHAINS} chains have no lane." if C > MOST_CHAINS else ""
        return f"{text}.{away}{hidden}".rstrip()

    def close(self) -> None:
        """Free everything, and forget what was still to be computed."""
        self._forget()
        super().close()


def _fold(box: ipywidgets.Box, folded: bool) -> None:
    """Out of sight; a figure without size would write errors to the browser's log."""
    box.layout.visibility, box.layout.overflow, box.layout.height = (
        ("hidden", "hidden", "0px") if folded else (None, None, None)
    )


def _rhat(value: float, exact: bool) -> str:
    """Three decimals; of a printed value no zero that may not have been printed."""
    text = f"{value:.3f}"
    return text if exact else text.removesuffix("0")


def _figures(row: "pd.Series[Any]", exact: bool) -> str:
    return (
        f"R-hat {_rhat(row['rhat'], exact)}, bulk ESS {row['ess_bulk']:,.0f}, "
        f"tail ESS {row['ess_tail']:,.0f}"
    )


def _table_rows(judged: pd.DataFrame, exact: bool) -> list[list[str]]:
    return [
        [str(name), _rhat(row["rhat"], exact), f"{row['ess_bulk']:,.0f}",
         f"{row['ess_tail']:,.0f}", row["verdict"]]
        for name, row in judged.iterrows()
    ]  # fmt: skip


def _menu(name: str, options: list[Any], width: str) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(
        description=name, options=options, layout={"width": width},
        style={"description_width": "initial"},
    )  # fmt: skip


def _legend() -> str:
    """The key of the pictures; shape and filling tell the layers apart without colour."""
    circle, triangle = '<circle cx="9" cy="8" r="5"{}/>', '<path d="M9 2l6 11h-12z"{}/>'
    hollow = f' fill="none" stroke="{PASSES}" stroke-width="2"'
    filled = f' fill="{FAILS}"'
    keys = (
        ("R-hat, bulk ESS", circle.format(hollow)),
        ("tail ESS", triangle.format(hollow)),
        ("hollow: passes", circle.format(hollow)),
        ("filled: fails", circle.format(filled)),
        ("shown above", f'<path d="M0 8h18" stroke="{SELECTED}" stroke-width="3"/>'),
        (
            "dashed: median of all chains; even ranks; limits",
            f'<path d="M0 8h18" stroke="{EXPECTED}" stroke-width="2" stroke-dasharray="5 3"/>',
        ),
    )
    spans = (
        f'<span><svg width="18" height="16" aria-hidden="true">{shape}</svg>{name}</span>'
        for name, shape in keys
    )
    return f'<div class="hw-legend">{"".join(spans)}</div>'
