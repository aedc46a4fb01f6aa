"""The recovery lab: make a truth, simulate data from it, and see which estimator finds it.

The numbers come from `hierwidgets.recovery` and `numbers.recovery`, the words from
`numbers.recovery_words`, the pictures from `panels.recovery`; the widget joins them, and carries
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
import pandas as pd
import traitlets as t

from hierwidgets.errors import FitError
from hierwidgets.recovery import SHAPES, Recovery, Setup, run
from hierwidgets.widgets.numbers import recovery_words as words
from hierwidgets.widgets.numbers.recovery import (
    ESTIMATORS,
    JUDGED,
    LEVEL,
    NO_GROUPS,
    Columns,
    first_repetition,
    judged_columns,
    truth_columns,
)
from hierwidgets.widgets.panels.recovery import Arrows, panel_class, panels, recovery_legend
from hierwidgets.widgets.parts.choices import one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, ProgressBar, button, menu
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.layout import small
from hierwidgets.widgets.parts.whole import follow_slider, whole_number

__all__ = ["RecoveryLab"]

PATTERNS = {"finland": 14, "uk": 253}
MOST_GROUPS, MOST_PEOPLE = 300, 200
FEWEST, MOST = 10, 2000  # repetitions
SLICE = 0.025  # seconds of work before the notebook gets its turn
PAUSE = 0.002  # seconds it gets at least
BETWEEN = 0.2  # seconds between two pictures of a run
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
    arrows, measures
        The picture of one draw, and those of many by measure.

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
    _truths: Columns = NO_GROUPS
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
        return within(name, value, *((-5.0, 5.0) if name == "mu" else (0.0, 3.0)))

    @t.validate("shape", "show")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> str:
        name = proposal["trait"].name
        allowed = tuple(SHAPES) if name == "shape" else ("all", *ESTIMATORS)
        return str(one_of(name, proposal["value"], allowed))

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
        done = words.done(self.result)
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
            if now < until or words.done(self._result) == self.reps:
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
        self.arrows, self.measures = Arrows(), panels()
        lower = [panel.figure for panel in self.measures.values()]
        self._table.title = "Table of the measures, Monte Carlo errors in brackets"
        self._table.columns = ["", *words.NAMES.values()]
        key = ipywidgets.HTML(recovery_legend())
        self._assemble(
            (self._show_menu, self._shape_menu, self._sizes_menu, self._n_slider, self._J_slider,
             self._sigma_slider, self._mu_slider, self._reps_slider, self._seed_slider,
             self._run_button, self._stop_button, self._seed_button, self._bar),
            (key, self.arrows.figure, lower[:2], lower[2:]),
        )  # fmt: skip

    def _build_controls(self) -> None:
        people = self.n if isinstance(self.n, int) else 30

        def slider(label: str, value: float, low: float, high: float, **more: Any) -> NamedSlider:
            return NamedSlider(label=label, value=value, min=low, max=high, **more)

        self._n_slider = slider(
            "n per group", people, 1, MOST_PEOPLE, steps=MOST_PEOPLE - 1, digits=0
        )
        self._J_slider = slider("groups, J", self.J, 2, MOST_GROUPS, steps=298, digits=0)
        self._mu_slider = slider("μ, mean log-odds", self.mu, -5, 5, digits=2)
        self._sigma_slider = slider("σ, spread", self.sigma, 0, 3, steps=300, digits=2)
        self._reps_slider = slider("repetitions", self.reps, FEWEST, MOST, steps=199, digits=0)
        self._seed_slider = slider("seed", self.seed, 0, 9999, steps=9999, digits=0)
        self._sizes_menu = menu(
            "Group sizes", [("all equal", "equal"), ("Finland's", "finland"), ("UK's", "uk")],
            self._pattern(),
        )  # fmt: skip
        self._shape_menu = menu("Shape of effects", list(SHAPES), self.shape)
        arrows = [("all three", "all"), *((name, key) for key, name in words.NAMES.items())]
        self._show_menu = menu("Arrows", arrows, self.show)
        self._run_button, self._stop_button, self._seed_button = (
            small(button(name, what))
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
        """From the menu; a country comes with its number of groups, unless that was set."""
        chosen = self._sizes_menu.value
        if chosen == self._pattern():
            return
        untouched = self.J in (14, PATTERNS.get(self._pattern()))
        with self.hold_trait_notifications():
            self.n = round(self._n_slider.value) if chosen == "equal" else chosen
            if untouched:
                self.J = PATTERNS.get(chosen, self.J)

    def _take_n(self) -> None:
        if isinstance(self.n, int):
            self.n = round(self._n_slider.value)
            self._n_slider.value = float(self.n)

    def _show_sizes(self) -> None:
        self._sizes_menu.value = self._pattern()
        self._n_slider.layout.display = None if isinstance(self.n, int) else "none"
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
            self._truths, self._failure = NO_GROUPS, str(error)
        self._drawn = key
        self._draw_arrows()
        if was_running:
            self._begin(after=RESTART)
        self._draw_measures()

    def _draw_arrows(self) -> None:
        self.arrows.draw(self._truths, self.show)

    def _draw_measures(self) -> None:
        found = judged_columns(self.result)
        shape = (len(JUDGED), len(ESTIMATORS))
        values = (found[c].reshape(shape) for c in ("estimate", "low", "high"))
        for name, *one in zip(JUDGED, *values, strict=True):
            self.measures[name].draw(*one)
        self._bar.total, self._bar.done = self.reps, words.done(self.result)
        self._report(found)
        if self._table.is_open or not self._table.rows:
            self._table.rows = words.table_rows(pd.DataFrame(found))

    # --- what it says ---

    def _report(self, found: Columns) -> None:
        judged, done = words.measured_texts(found), words.done(self.result)
        if self.running:
            text = words.progress_text(self.result, self.reps)
        elif done > 1:
            text = words.measures_text(self.result, judged, self.reps)
        elif self._failure:
            text = f"This draw has no estimates: {self._failure}."
        else:
            text = words.draw_text(self._truths, judged, self.seed)
        drawn = "No estimates to show." if self._failure else words.arrows_text(self._truths)
        pictures = {
            panel_class(name).replace("-", "_"): words.panel_text(name, judged, done)
            for name in JUDGED
        }
        self._say(text, hw_arrows=drawn, **pictures)


def _raise(error: Exception) -> None:
    raise error
