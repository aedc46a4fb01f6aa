"""The boundary explorer: how flat a likelihood is at its edge, and how often fits end there.

The numbers come from `numbers.boundary`, the pictures from `panels.hill`. Surveys are made up
beside the notebook, which stays awake.
"""

import time
from functools import partial
from typing import Any

import ipywidgets
import traitlets as t

from hierwidgets.errors import DataError, HierwidgetsError
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.spreads import paired_groups
from hierwidgets.widgets.numbers.boundary import words
from hierwidgets.widgets.numbers.boundary.elections import (
    Outcome,
    count_up,
    shares,
    sizes,
    tally,
)
from hierwidgets.widgets.numbers.boundary.hill import (
    PENALTIES,
    STRENGTHS,
    Place,
    best_height,
    cost,
    drop_at,
    hill,
    look,
)
from hierwidgets.widgets.panels.hill import HillMap, SingularShares, hill_legend
from hierwidgets.widgets.parts.aside import Aside
from hierwidgets.widgets.parts.choices import one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, ProgressBar, button, menu
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.layout import small
from hierwidgets.widgets.parts.whole import follow_slider, whole_number

__all__ = ["BoundaryExplorer"]

MENU = [
    ("none", "none"), ("Wishart: sds, correlation", "Wishart"), ("gamma: sds", "gamma"),
    ("LKJ: correlation", "LKJ"),
]  # fmt: skip
WHOLE = {"surveys": (5, 200), "seed": (0, 9999)}
BETWEEN = 0.2  # seconds between two pictures of a run


class BoundaryExplorer(Instrument):
    """The likelihood over the sd of slopes and their correlation with heights, for few groups.

    Above: a map of the likelihood, everything else at its best, with the regions of 50, 90 and
    95 %, the edge, and the maximum, with or without a penalty that keeps off the edge. Below: the
    share of singular fits among surveys made up from a place of the map, with more and more
    groups.

    Parameters
    ----------
    fit
        A binomial or Poisson fit with an intercept and a slope that vary together,
        ``(1 + x | group)``.
    group
        The grouping factor, where there are several such; None for the first.
    penalty
        ``"none"``, ``"Wishart"`` (sds and correlation), ``"gamma"`` (sds) or ``"LKJ"``
        (correlation).
    strength
        What the logarithm of the penalty is multiplied with: 1 for that of
        `hierwidgets.fit.boundary.penalised`, 0 for none.
    sd, corr, height
        The truth to try: sd of the slopes, correlation, and sd of the heights; the maximum of the
        likelihood to begin with. All else is at its best for them.
    surveys
        How many surveys of each size `run` makes up.
    seed
        Of their random numbers.

    Attributes
    ----------
    penalty, strength, sd, corr, height, surveys, seed
        The state, to read, set or observe.
    running
        Whether surveys are being made up.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 + district_competitiveness | election_id)",
    ...                hw.load("rainey2015"), event="Contacted")
    >>> explorer = BoundaryExplorer(fit)
    >>> explorer.penalty = "Wishart"
    >>> explorer.status[:33]
    'Under the penalty the maximum is '
    >>> explorer.close()
    """

    state_names = ("penalty", "strength", "sd", "corr", "height", "surveys", "seed")

    penalty = t.Unicode("none")
    strength = t.Float(1.0)
    sd = t.Float(0.0)
    corr = t.Float(0.0)
    height = t.Float(0.0)
    surveys = t.Any(30)
    seed = t.Any(1)
    running = t.Bool(False)

    _quiet = False
    _drawn = 0.0

    def __init__(
        self,
        fit: Fit,
        *,
        group: str | None = None,
        penalty: str | None = None,
        strength: float | None = None,
        sd: float | None = None,
        corr: float | None = None,
        height: float | None = None,
        surveys: int | None = None,
        seed: int | None = None,
        **unknown: object,
    ) -> None:
        _check(fit)
        super().__init__(**unknown)
        self._outcomes: list[Outcome] = []
        self._aside: Aside[list[Outcome]] = Aside(self._take, self._count)
        self._fit, self._hill = fit, self._prepared(fit, group)
        self._plain = look(self._hill, "none", 0.0)
        top = self._plain.top
        self._start_at(
            sd=min(top.sd, self._hill.largest) if sd is None else sd,
            corr=top.corr if corr is None else corr,
            height=min(self._hill.height, self._hill.highest) if height is None else height,
            penalty=penalty, strength=strength,
            surveys=surveys, seed=seed,
        )  # fmt: skip
        self._build()
        self._connect()
        self._guarded(self._draw)

    def run(self) -> None:
        """Make up surveys from the truth to try: in a notebook in the background."""
        self._forget()
        self._outcomes = []
        at = (self.height, self.sd, self.corr)
        self._aside.start(
            partial(_counted, self._fit, self._hill, at, self.surveys, self.seed, self._outcomes)
        )
        self.running = self._aside.running

    def stop(self) -> None:
        """End a run; what is done is kept."""
        if self.running:
            self._forget()
            self._guarded(self._draw)

    def close(self) -> None:
        """End a run and free the front end's and the kernel's memory."""
        if hasattr(self, "_aside"):
            self._aside.stop()
        super().close()

    # --- the state ---

    def _prepared(self, fit: Fit, group: str | None) -> Any:
        try:
            return hill(fit, group)
        except Exception:
            self.close()
            raise

    @t.validate("penalty")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> str:
        return str(one_of("penalty", proposal["value"], list(PENALTIES)))

    @t.validate("strength", "sd", "corr", "height")  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name = proposal["trait"].name
        limits = {
            "strength": STRENGTHS, "sd": (0.0, self._hill.largest), "corr": (-1.0, 1.0),
            "height": (0.0, self._hill.highest),
        }  # fmt: skip
        return within(name, float(proposal["value"]), *limits[name])

    @t.validate("surveys", "seed")  # type: ignore[untyped-decorator]
    def _whole(self, proposal: dict[str, Any]) -> int:
        name = proposal["trait"].name
        return whole_number(name, proposal["value"], *WHOLE[name])

    # --- the parts, built once ---

    def _build(self) -> None:
        many = words.plural(self._hill.group)
        self._build_controls()
        self.map = HillMap(self._hill.largest)
        self.shares = SingularShares(sizes(self._hill.levels), many)
        self._table.title = "Table of the maximum, the truth to try and the regions"
        self._table.columns = [
            "",
            "sd of the slopes",
            "correlation",
            "log-likelihood less maximum",
        ]
        self._assemble(
            (self._penalty_menu, self._sliders["strength"], self._sliders["sd"],
             self._sliders["corr"], self._sliders["height"], self._top_button,
             self._sliders["surveys"], self._sliders["seed"], self._run_button,
             self._stop_button, self._bar),
            (ipywidgets.HTML(hill_legend()), self.map.figure, self.shares.figure),
        )  # fmt: skip

    def _build_controls(self) -> None:
        self._penalty_menu = menu("Penalty", MENU, self.penalty)
        made = {
            "strength": ("strength of the penalty", *STRENGTHS, {"steps": 60, "digits": 2}),
            "sd": ("true sd of the slopes", 0.0, self._hill.largest, {"digits": 2}),
            "corr": ("true correlation", -1.0, 1.0, {"digits": 2}),
            "height": ("true sd of the heights", 0.0, self._hill.highest, {"digits": 2}),
            "surveys": ("surveys of each size", *WHOLE["surveys"], {"steps": 195, "digits": 0}),
            "seed": ("seed", *WHOLE["seed"], {"steps": 9999, "digits": 0}),
        }
        self._sliders = {
            name: NamedSlider(label=label, value=getattr(self, name), min=low, max=high, **more)
            for name, (label, low, high, more) in made.items()
        }
        self._top_button = button("Truth to the maximum", "Try the maximum of the map as the truth")
        self._run_button = small(button("Run", "Make up surveys from the truth, and fit them"))
        self._stop_button = small(button("Stop", "End the run and keep what is done"))
        self._stop_button.disabled = True
        self._bar = ProgressBar(label="surveys done", unit="surveys")

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("penalty", self._penalty_menu)
        for name in ("strength", "sd", "corr", "height"):
            self._bind(name, self._sliders[name])
        for name in WHOLE:
            follow_slider(self, name, self._sliders[name])
        self._on_place("hw-hill", self._pick)
        self._top_button.on_click(lambda _: self._guarded(self._to_the_top))
        self._run_button.on_click(lambda _: self._guarded(self._press_run))
        self._stop_button.on_click(lambda _: self._guarded(self.stop))
        self._redraw_on(self._draw, "penalty", "strength", "surveys")
        self._redraw_on(self._other_truth, "sd", "corr", "height", "seed")
        self._redraw_on(self._show_running, "running")
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _pick(self, x: float, y: float) -> None:
        sd, corr = self.map.place(x, y)
        self._move(min(max(sd, 0.0), self._hill.largest), min(max(corr, -1.0), 1.0), self.height)

    def _to_the_top(self) -> None:
        top = look(self._hill, self.penalty, self.strength).top
        height = best_height(self._hill, top, self.penalty, self.strength)
        self._move(min(top.sd, self._hill.largest), top.corr, min(height, self._hill.highest))

    def _move(self, sd: float, corr: float, height: float) -> None:
        """The truth to another place, which is drawn once."""
        self._quiet = True
        self.sd, self.corr, self.height = sd, corr, height
        self._quiet = False
        self._other_truth()

    def _other_truth(self) -> None:
        """What was made up came from another truth."""
        if self._quiet:
            return
        self._forget()
        self._outcomes = []
        self._draw()

    def _draw(self) -> None:
        """Bring every mark to the present state."""
        on = self.penalty != "none"
        found = look(self._hill, self.penalty, self.strength) if on else self._plain
        truth = Place(self.sd, self.corr)
        self._sliders["strength"].layout.visibility = "visible" if on else "hidden"
        self.map.show(found, self._plain, truth)
        tallies = tally(list(self._outcomes), self._hill.levels)
        if not (self.running or self._outcomes):
            self._show_done(0, self.surveys * len(tallies))
        counted = shares(tallies)
        self.shares.show(counted)
        given_up = cost(self._hill, self.penalty, self.strength)
        drop = drop_at(self._hill, self.sd, self.corr)
        self._say(
            " ".join([
                words.top_words(self._hill, found, self.penalty, given_up),
                words.known_words(self._hill, self._plain),
                words.truth_words(truth, drop),
                words.surveys_words(self._hill, tallies, self.running),
            ]),
            hw_hill=words.map_words(self._hill, found, self._plain, self.penalty),
            hw_shares=words.shares_words(self._hill, counted),
        )  # fmt: skip
        if self._table.is_open or not self._table.rows:
            self._table.rows = words.rows(self._plain, found, self.penalty, given_up, (truth, drop))

    # --- a run ---

    def _press_run(self) -> None:
        if not self.running:
            self.run()

    def _forget(self) -> None:
        self._aside.stop()
        self._outcomes = list(self._outcomes)  # the survey under way comes to nothing
        self.running = False

    def _show_done(self, done: int, total: int) -> None:
        with self._bar.hold_sync():
            self._bar.done, self._bar.total = done, total

    def _count(self, done: int, total: int) -> None:
        self._show_done(done, total)
        if time.monotonic() - self._drawn > BETWEEN:
            self._drawn = time.monotonic()
            self._guarded(self._draw)

    def _take(self, found: list[Outcome] | HierwidgetsError) -> None:
        self.running = False
        if isinstance(found, HierwidgetsError):
            self._guarded(partial(_raise, found))
            return
        self._show_done(len(found), len(found))
        self._guarded(self._draw)

    def _show_running(self) -> None:
        self._stop_button.disabled = not self.running
        self._run_button.disabled = self.running
        if self.running:
            self._draw()


def _raise(error: Exception) -> None:
    raise error


def _counted(*arguments: Any) -> list[Outcome]:
    return count_up(*arguments)


def _check(fit: object) -> None:
    if not isinstance(fit, Fit):
        raise DataError(
            f"this widget takes a fit, as hw.glmer gives; a {type(fit).__name__} was given"
        )
    if fit.family.name == "gaussian":
        raise DataError("this widget takes a binomial or Poisson fit; this one is Gaussian")
    if not paired_groups(fit):
        has = ", ".join(f"({' + '.join(one.names)} | {one.group})" for one in fit.design.terms)
        raise DataError(
            "this widget takes a fit with an intercept and a slope that vary together, "
            f"(1 + x | group); this one has {has}"
        )
