"""The recovery lab: make a truth, simulate data from it, and see which estimator finds it.

The numbers come from `hierwidgets.recovery` and `_recovery`; the widget draws them, and carries
out many repetitions in small pieces between which the notebook stays awake.
"""

import asyncio
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t
from numpy.typing import NDArray

from hierwidgets.errors import FitError
from hierwidgets.recovery import SHAPES, Recovery, Setup, run
from hierwidgets.widgets.numbers.recovery import (
    ESTIMATORS,
    JUDGED,
    LEVEL,
    first_repetition,
    judged_columns,
    truth_columns,
)
from hierwidgets.widgets.panels.recovery import NAMES, TITLES, Arrows, legend, panel_class, panels
from hierwidgets.widgets.parts.charts import WIDTH
from hierwidgets.widgets.parts.controls import NamedSlider, ProgressBar
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.whole import follow_slider, whole_number

__all__ = ["RecoveryLab"]

Columns = dict[str, NDArray[Any]]

PATTERNS = {"finland": 14, "uk": 253}
MOST_GROUPS, MOST_PEOPLE = 300, 200
FEWEST, MOST = 10, 2000  # repetitions
SLICE = 0.025  # seconds of work before the notebook gets its turn
PAUSE = 0.002  # seconds it gets at least
BETWEEN = 0.2  # seconds between two pictures of a run
_NO_GROUPS = {name: np.array([]) for name in ("group", "n", "truth", *ESTIMATORS)}
RESTART = 0.25  # seconds a slider has to rest before a run begins again


class RecoveryLab(Instrument):
    """Simulate and recover: one draw as arrows from the truth, many draws as measures.

    Upper picture: the groups of one draw, by increasing truth, with an arrow from each group's
    true probability to its three estimates. Lower pictures: root mean squared error, bias,
    coverage and the bias in the group with the largest raw rate, over the repetitions there are,
    with Monte Carlo errors. `run` carries out more of them in the background; `stop` keeps what is
    done. The first repetition is the one draw above.

    Parameters
    ----------
    n
        People per group: a whole number, or the sizes of "finland" or "uk".
    J
        Number of groups; None takes 14, or as many as the country has. Sizes of a country are
        evenly spaced quantiles then, as in `hierwidgets.recovery.Setup`.
    mu, sigma
        Mean and sd of the groups' true log-odds.
    shape
        Of their distribution: "normal", "t", "two clusters", "skewed".
    reps
        Repetitions that `run` carries out.
    seed
        Of everything: the same seed gives the same figures as `simulate_and_recover`.
    show
        "all", or the one estimator whose arrows are drawn.

    Attributes
    ----------
    n, J, mu, sigma, shape, reps, seed, show
        The state, to read, set or observe.
    result : Recovery
        What the figures rest on, as `simulate_and_recover` returns it.
    design : Setup
        What is true, to hand to `simulate_and_recover`.
    running : bool
        Whether a run is under way. A change of the design during a run begins it again.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> lab = hw.widgets.RecoveryLab(n=25, J=10, reps=20)
    >>> lab.run()  # in a notebook it returns at once
    >>> lab.result.table.query("measure == 'rmse'").round(3)[["estimator", "estimate"]]
               estimator  estimate
    0         no_pooling     0.082
    6    partial_pooling     0.052
    13  complete_pooling     0.053
    >>> lab.close()
    """

    state_names = ("n", "J", "mu", "sigma", "shape", "reps", "seed", "show")

    n = t.Any("finland")
    J = t.Any(14)
    mu = t.Float(-1.37)
    sigma = t.Float(0.31)
    shape = t.Unicode("normal")
    reps = t.Any(200)
    seed = t.Any(1)
    show = t.Unicode("all")
    running = t.Bool(False)

    _task: "asyncio.Task[None] | None" = None
    _result: Recovery | None = None
    _drawn: tuple[Setup, int] | None = None
    _truths: Columns = _NO_GROUPS
    _failure = ""

    def __init__(
        self,
        *,
        n: int | str = "finland",
        J: int | None = None,
        mu: float | None = None,
        sigma: float | None = None,
        shape: str | None = None,
        reps: int | None = None,
        seed: int | None = None,
        show: str | None = None,
        **unknown: object,
    ) -> None:
        super().__init__(**unknown)
        self._start_at(n=n)
        J = PATTERNS.get(self.n, 14) if J is None else J
        self._start_at(J=J, mu=mu, sigma=sigma, shape=shape, reps=reps, seed=seed, show=show)
        self._build()
        self._connect()
        self._guarded(self._draw)

    # --- the state ---

    @property
    def design(self) -> Setup:
        """What is true."""
        return Setup(n=self.n, J=self.J, mu=self.mu, sigma=self.sigma, shape=self.shape)

    @property
    def result(self) -> Recovery:
        """What the figures rest on: the first repetition, or all that a run has done."""
        if self._result is None:
            self._result = first_repetition(self.design, self.seed)
        return self._result

    @t.validate("J", "reps", "seed")  # type: ignore[untyped-decorator]
    def _whole(self, proposal: dict[str, Any]) -> int:
        limits = {"J": (2, MOST_GROUPS), "reps": (FEWEST, MOST), "seed": (0, 9999)}
        name = proposal["trait"].name
        return whole_number(name, proposal["value"], *limits[name])

    @t.validate("n")  # type: ignore[untyped-decorator]
    def _sizes(self, proposal: dict[str, Any]) -> int | str:
        value = proposal["value"]
        if isinstance(value, str):
            if value in PATTERNS:
                return value
            raise t.TraitError(
                f"n must be 'finland', 'uk' or a whole number from 1 to {MOST_PEOPLE}; "
                f"{value!r} was given"
            )
        return whole_number("n", value, 1, MOST_PEOPLE)

    @t.validate("mu", "sigma")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name, value = proposal["trait"].name, float(proposal["value"])
        low, high = (-5.0, 5.0) if name == "mu" else (0.0, 3.0)
        if not low <= value <= high:
            raise t.TraitError(f"{name} must be from {low:g} to {high:g}; {value:g} was given")
        return value

    @t.validate("shape", "show")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        allowed = tuple(SHAPES) if name == "shape" else ("all", *ESTIMATORS)
        if value not in allowed:
            raise t.TraitError(f"{name} must be one of {allowed}; {value!r} was given")
        return str(value)

    # --- a run ---

    def run(self) -> None:
        """Carry out `reps` repetitions: in a notebook in the background, elsewhere at once."""
        self._end()
        self._begin()

    def stop(self) -> None:
        """End a run; the figures rest on what it has done."""
        if not self.running:
            return
        self._end()
        done = _done(self.result)
        why = f"stopped: {done} of {self.reps} repetitions are done, and kept"
        self._result = replace(self.result, reps=self.reps, stopped=why)
        self._guarded(self._draw_measures)

    def _begin(self, after: float = 0.0) -> None:
        self._result = None  # the first repetition, until there are more
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no notebook: nothing else waits for its turn
            self.running = True
            try:
                for _ in self._slices():
                    pass
            except KeyboardInterrupt:
                self.stop()
        else:
            self.running = True
            self._task = loop.create_task(self._in_slices(after))

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task, self.running = None, False

    async def _in_slices(self, after: float) -> None:
        await asyncio.sleep(after)
        with closing(self._slices()) as slices:
            for _ in slices:
                await asyncio.sleep(PAUSE)

    def _slices(self) -> Generator[None, None, None]:
        """The run in pieces of about `SLICE` seconds; an error in one of them is shown."""
        try:
            with closing(run(self.design, reps=self.reps, seed=self.seed, level=LEVEL)) as steps:
                yield from self._pieces(steps)
        except Exception as error:  # whatever it is, the student has to see it
            self._task, self.running = None, False
            self._guarded(partial(_raise, error))

    def _pieces(self, steps: Iterator[Recovery]) -> Generator[None, None, None]:
        shown = time.monotonic()
        until = shown + SLICE
        for self._result in steps:  # each at once: an interrupt within a slice loses none
            now = time.monotonic()
            if now < until or _done(self._result) == self.reps:
                continue
            if now - shown > BETWEEN:
                self._guarded(self._draw_measures)
                shown = time.monotonic()
            yield
            until = time.monotonic() + SLICE
        self._task, self.running = None, False
        self._guarded(self._draw_measures)

    def close(self) -> None:
        """End a run and free the front end's and the kernel's memory."""
        self._end()
        super().close()

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        self._arrows, self._panels = Arrows(), panels()
        half = {"width": WIDTH}
        rows = [
            ipywidgets.HBox(row, layout=half)
            for row in (
                [self._sizes_menu, self._n_slider],
                [self._J_slider, self._shape_menu],
                [self._mu_slider, self._sigma_slider],
                [self._reps_slider, self._seed_slider],
                [self._run_button, self._stop_button, self._seed_button, self._show_menu],
            )
        ]
        lower = [panel.figure for panel in self._panels.values()]
        pairs = [ipywidgets.HBox(pair, layout=half) for pair in (lower[:2], lower[2:])]
        self._table.title = "Table of the measures, Monte Carlo errors in brackets"
        self._table.columns = ["", *NAMES.values()]
        key = ipywidgets.HTML(legend())
        self._assemble(*rows, self._bar, key, self._arrows.figure, *pairs, width=WIDTH)

    def _build_controls(self) -> None:
        wide = {"width": "366px"}
        people = self.n if isinstance(self.n, int) else 30

        def slider(label: str, value: float, low: float, high: float, **more: Any) -> NamedSlider:
            return NamedSlider(label=label, value=value, min=low, max=high, layout=wide, **more)

        self._n_slider = slider(
            "n per group", people, 1, MOST_PEOPLE, steps=MOST_PEOPLE - 1, digits=0
        )
        self._J_slider = slider("groups, J", self.J, 2, MOST_GROUPS, steps=298, digits=0)
        self._mu_slider = slider("μ, mean log-odds", self.mu, -5, 5, digits=2)
        self._sigma_slider = slider("σ, spread", self.sigma, 0, 3, steps=300, digits=2)
        self._reps_slider = slider("repetitions", self.reps, FEWEST, MOST, steps=199, digits=0)
        self._seed_slider = slider("seed", self.seed, 0, 9999, steps=9999, digits=0)
        self._sizes_menu = _menu(
            "Group sizes", [("all equal", "equal"), ("Finland's", "finland"), ("UK's", "uk")],
            self._pattern(), "366px",
        )  # fmt: skip
        self._shape_menu = _menu("Shape of effects", list(SHAPES), self.shape, "366px")
        arrows = [("all three", "all"), *((name, key) for key, name in NAMES.items())]
        self._show_menu = _menu("Arrows", arrows, self.show, "250px", "4em")
        self._run_button, self._stop_button, self._seed_button = (
            ipywidgets.Button(description=name, tooltip=what, layout={"width": "110px"})
            for name, what in (
                ("Run", "Carry out the repetitions"),
                ("Stop", "End the run and keep what is done"),
                ("New seed", "Another truth and other data from the same design"),
            )
        )
        self._stop_button.disabled = True
        self._bar = ProgressBar(label="repetitions done", unit="repetitions")

    # --- what changes ---

    def _connect(self) -> None:
        for name in ("J", "reps", "seed"):
            follow_slider(self, name, getattr(self, f"_{name}_slider"))
        self._bind("mu", self._mu_slider)
        self._bind("sigma", self._sigma_slider)
        self._bind("shape", self._shape_menu)
        self._bind("show", self._show_menu)
        self._sizes_menu.observe(lambda _: self._guarded(self._choose_sizes), names="value")
        self._n_slider.observe(lambda _: self._guarded(self._take_n), names="value")
        self.observe(lambda _: self._show_sizes(), names="n")
        self._show_sizes()
        self._run_button.on_click(lambda _: self._guarded(self._press_run))
        self._stop_button.on_click(lambda _: self._guarded(self.stop))
        self._seed_button.on_click(lambda _: self._guarded(self._next_seed))
        self._redraw_on(self._draw, "n", "J", "mu", "sigma", "shape", "seed")
        self._redraw_on(self._draw_arrows, "show")
        self._redraw_on(self._change_reps, "reps")
        self._redraw_on(self._show_running, "running")
        self._table.observe(lambda _: self._guarded(self._draw_measures), names="is_open")

    def _pattern(self) -> str:
        return self.n if isinstance(self.n, str) else "equal"

    def _choose_sizes(self) -> None:
        """From the menu; a country comes with its number of groups."""
        chosen = self._sizes_menu.value
        if chosen == self._pattern():
            return
        with self.hold_trait_notifications():
            self.n = round(self._n_slider.value) if chosen == "equal" else chosen
            self.J = PATTERNS.get(chosen, self.J)

    def _take_n(self) -> None:
        if isinstance(self.n, int):
            self.n = round(self._n_slider.value)
            self._n_slider.value = float(self.n)

    def _show_sizes(self) -> None:
        self._sizes_menu.value = self._pattern()
        self._n_slider.layout.visibility = "visible" if isinstance(self.n, int) else "hidden"
        if isinstance(self.n, int):
            self._n_slider.value = float(self.n)

    def _press_run(self) -> None:
        if not self.running:
            self.run()

    def _next_seed(self) -> None:
        self.seed = (self.seed + 1) % 10_000

    def _change_reps(self) -> None:
        if self.running:
            self._again()
        else:
            self._draw_measures()

    def _again(self) -> None:
        self._end()
        self._begin(after=RESTART)

    def _show_running(self) -> None:
        self._stop_button.disabled = not self.running
        if self.running:
            self._draw_measures()

    def _draw(self) -> None:
        """A new design: its first draw, and what it says; a run begins again."""
        key = (self.design, self.seed)
        if key == self._drawn:
            return
        was_running = self.running
        self._end()
        self._drawn = None
        self._result = first_repetition(*key)
        try:
            self._truths, self._failure = truth_columns(self._result), ""
        except FitError as error:
            self._truths, self._failure = _NO_GROUPS, str(error)
        self._drawn = key
        self._draw_arrows()
        if was_running:
            self._begin(after=RESTART)
        self._draw_measures()

    def _draw_arrows(self) -> None:
        self._arrows.draw(self._truths, self.show)

    def _draw_measures(self) -> None:
        found = judged_columns(self.result)
        shape = (len(JUDGED), len(ESTIMATORS))
        values = (found[c].reshape(shape) for c in ("estimate", "low", "high"))
        for name, *one in zip(JUDGED, *values, strict=True):
            self._panels[name].draw(*one)
        self._bar.total, self._bar.done = self.reps, _done(self.result)
        self._report(found)
        if self._table.is_open or not self._table.rows:
            self._table.rows = _table_rows(pd.DataFrame(found))

    # --- what it says ---

    def _report(self, found: Columns) -> None:
        done = _done(self.result)
        columns = ("measure", "estimator", "estimate", "mc_error")
        rows = zip(*(found[name] for name in columns), strict=True)
        judged = {(measure, name): _with_error(*values) for measure, name, *values in rows}
        pictures = {panel_class(m).replace("-", "_"): _panel_text(m, judged, done) for m in JUDGED}
        text = self._progress_text(done) if self.running else self._text(judged, done)
        self._say(text, hw_arrows=self._arrows_text(), **pictures)

    def _progress_text(self, done: int) -> str:
        """It changes only ten times in a run: a screen reader has to read it all."""
        if done < 2:
            return f"{self.reps} repetitions are being carried out."
        tenth = 10 * done // self.reps
        return f"{self.reps} repetitions are being carried out; {10 * tenth} % are done."

    def _text(self, judged: dict[tuple[str, str], str], done: int) -> str:
        if done == 1 and self._failure:
            return f"This draw has no estimates: {self._failure}."
        rmse = ", ".join(f"{name} {judged['rmse', key]}" for key, name in NAMES.items())
        if done == 1:
            raw, truth = self._truths["no_pooling"], self._truths["truth"]
            largest = int(raw.argmax())
            return (
                f"One draw of {self.J} groups, seed {self.seed}. RMSE: {rmse}. The largest raw "
                f"rate is {raw[largest]:.3f}; the truth there is {truth[largest]:.3f}."
            )
        rest = f"The figures rest on {done} of {self.reps} repetitions."
        if self.result.stopped:
            rest = f"Stopped. {rest}"
        return (
            f"{rest} RMSE: {rmse}. The largest raw rate is too high by "
            f"{judged['bias_of_largest', 'no_pooling']} on average.{_failed(self.result)}"
        )

    def _arrows_text(self) -> str:
        if self._failure:
            return "No estimates to show."
        truth = self._truths["truth"]
        spans = ", ".join(f"{name} {_span(self._truths[key])}" for key, name in NAMES.items())
        return (
            f"Truth and estimates of {len(truth)} groups: true probabilities {_span(truth)}; "
            f"estimates, {spans}."
        )


def _raise(error: Exception) -> None:
    raise error


def _done(result: Recovery) -> int:
    return sum(map(len, result.records.values()))


def _failed(result: Recovery) -> str:
    count = len(result.failures)
    return f" {count} could not be fitted and are left out." if count else ""


def _span(values: NDArray[Any]) -> str:
    return f"{values.min():.2f} to {values.max():.2f}"


def _with_error(value: float, error: float) -> str:
    return f"{value:.3f}" + ("" if np.isnan(error) else f" ± {error:.4f}")


def _panel_text(measure: str, judged: dict[tuple[str, str], str], done: int) -> str:
    values = ", ".join(f"{NAMES[name]} {judged[measure, name]}" for name in ESTIMATORS)
    much = "repetition" if done == 1 else "repetitions, plus or minus one Monte Carlo error"
    return f"{TITLES[measure]} over {done} {much}: {values}."


def _table_rows(frame: pd.DataFrame) -> list[list[str]]:
    rows = []
    for name, part in frame.groupby("measure", sort=False):
        pairs = zip(part["estimate"], part["mc_error"], strict=True)
        errors = [f"{e:.3f}" + ("" if np.isnan(s) else f" ({s:.4f})") for e, s in pairs]
        rows.append([TITLES[str(name)], *errors])
    return rows


def _menu(
    label: str, options: list[Any], value: str, width: str, room: str = "9.5em"
) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(
        description=label, options=options, value=value, layout={"width": width},
        style={"description_width": room},
    )  # fmt: skip
