"""Guess first: one level's rate, guessed before the three estimates are shown.

The numbers and the words come from `_guess`; the widget only draws them.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import bqplot
import ipywidgets
import numpy as np
import pandas as pd
import traitlets as t

from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError
from hierwidgets.widgets.numbers.guess import Case, guess_frame, reasons, the_case, verdict
from hierwidgets.widgets.parts.charts import WIDTH, figure, joined_segments, round_ticks, upright
from hierwidgets.widgets.parts.controls import Chips, NamedSlider
from hierwidgets.widgets.parts.instrument import Instrument

__all__ = ["Guess309"]

GUESS, RAW, POOLED, OVERALL, OTHERS = "#e7298a", "#1b9e77", "#d95f02", "#7570b3", "#808080"
ROWS = ("your guess", "raw rate", "partial pooling", "overall rate")  # from top to bottom
HEIGHT = {"guess": 3.0, "raw": 2.0, "partial": 1.0, "overall": 0.0}  # of those rows
SIZE, RANK, SIMILARITY, WEIGHT = range(4)  # the reasons, in the order of `reasons`


class Guess309(Instrument):
    """Guess the rate of one level; then see what no, partial and complete pooling say.

    Parameters
    ----------
    data, outcome, group, event
        As in :func:`hierwidgets.no_pooling`. Without `data`: the districts of Finland.
    level
        The level of `group` to guess. For Finland district 309; for other data, if not given,
        the level that partial pooling moves furthest.
    guess
        A number from 0 to 1, or None while there is no guess.
    revealed
        Whether the numbers are shown; it needs a guess.
    opened
        Which reasons are open, by their places, 0 to 3.

    Attributes
    ----------
    guess, revealed, opened
        The state, to read, set or observe. Once the numbers are shown the guess stays.
    status
        What the status line says.

    Examples
    --------
    >>> from hierwidgets.widgets import Guess309
    >>> game = Guess309()
    >>> game.guess = 0.3
    >>> game.revealed = True
    >>> print(game.status)
    Your guess 0.300; raw rate 0.435, partial pooling 0.268, overall rate 0.207. From the raw \
rate you went 59 % of the way to the overall rate; the model went 73 %.
    >>> game
    Guess309(guess=0.3, revealed=True, opened=())
    >>> game.close()
    """

    state_names = ("guess", "revealed", "opened")

    guess = t.Float(None, allow_none=True)
    revealed = t.Bool(False)
    opened = t.Tuple()

    def __init__(
        self,
        data: pd.DataFrame | None = None,
        *,
        outcome: str | None = None,
        group: str | None = None,
        event: object | None = None,
        level: object | None = None,
        guess: float | None = None,
        revealed: bool = False,
        opened: Sequence[int] = (),
        **unknown: object,
    ) -> None:
        self._prepare(data, outcome, group, event, level)
        places = _places(opened)
        super().__init__(**unknown)
        self._start_at(guess=guess, revealed=revealed, opened=places)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def start_again(self) -> None:
        """Hide the numbers and forget the guess."""
        self.revealed = False
        self.opened = ()
        self.guess = None

    # --- what never changes ---

    def _prepare(
        self,
        data: pd.DataFrame | None,
        outcome: str | None,
        group: str | None,
        event: object | None,
        level: object | None,
    ) -> None:
        if data is None:
            if outcome is not None or group is not None or event is not None:
                raise DataError("outcome, group and event are columns of data; give data as well")
            data, outcome, group, event = load("finland"), "contacted", "district_id", "Contacted"
            level = "District 309" if level is None else level
        elif outcome is None or group is None:
            raise DataError("name the columns of your data: outcome=..., group=...")
        self._group = str(group)
        self._outcome = str(outcome) if event is None else f"{outcome} = {event}"
        self._case: Case = the_case(guess_frame(data, outcome, group, event=event), level)
        self._reasons = reasons(self._case)

    @t.validate("guess")  # type: ignore[untyped-decorator]
    def _possible(self, proposal: dict[str, Any]) -> float | None:
        value = proposal["value"]
        if self.revealed and value != self.guess:
            raise t.TraitError("the numbers are shown: start again to make another guess")
        if value is not None and not 0 <= value <= 1:
            raise t.TraitError(f"guess must be from 0 to 1; {value:g} was given")
        return None if value is None else float(value)

    @t.validate("revealed")  # type: ignore[untyped-decorator]
    def _guessed_first(self, proposal: dict[str, Any]) -> bool:
        if proposal["value"] and self.guess is None:
            raise t.TraitError("make a guess first: set guess to a number from 0 to 1")
        return bool(proposal["value"])

    @t.validate("opened")  # type: ignore[untyped-decorator]
    def _known_reasons(self, proposal: dict[str, Any]) -> tuple[int, ...]:
        value = proposal["value"]
        if not set(value) <= set(range(len(self._reasons))):
            raise t.TraitError(f"opened holds places of reasons, 0 to 3; {value!r} was given")
        return tuple(sorted({int(place) for place in value}))

    # --- the parts, built once ---

    def _build(self) -> None:
        self._slider = NamedSlider(label="your guess", value=0, steps=100, digits=2)
        self._reveal = ipywidgets.Button(
            description="Reveal", tooltip="Show the three estimates; a guess comes first"
        )
        self._again = ipywidgets.Button(
            description="Start again", tooltip="Hide the numbers and make another guess"
        )
        self._chips = Chips(label="Reasons")
        drawn = self._build_line()
        self._table.title = "Table of the numbers"
        self._table.columns = ["", "rate"]
        self._assemble(
            ipywidgets.HTML(self._question()), self._slider,
            ipywidgets.HBox([self._reveal, self._again]), drawn, self._chips, width=WIDTH,
        )  # fmt: skip

    def _question(self) -> str:
        row, many = self._case.row, len(self._case.frame)
        level, group, outcome = map(escape, (str(row["level"]), self._group, self._outcome))
        return (
            f'<div class="hw-question"><b>{level}</b>, one of {many} levels of {group}: the answer '
            f"was <i>{outcome}</i> for {row['events']} of {row['n']}. If everybody there had "
            "been asked, what would the rate be?</div>"
        )

    def _build_line(self) -> bqplot.Figure:
        rate = bqplot.LinearScale(min=-0.02, max=1.02, allow_padding=False)
        place = bqplot.LinearScale(min=-0.6, max=3.6, allow_padding=False)
        scales = {"x": rate, "y": place}

        def point(marker: str, color: str, **more: Any) -> bqplot.Scatter:
            return bqplot.Scatter(
                scales=scales, x=[], y=[], marker=marker, colors=[color], stroke=color,
                default_size=110, display_names=False, interactions={}, **more,
            )  # fmt: skip

        def line(color: str, width: float, opacity: float, style: str) -> bqplot.Lines:
            return bqplot.Lines(
                scales=scales, x=[], y=[], colors=[color], stroke_width=width,
                opacities=[opacity], line_style=style,
            )  # fmt: skip

        self._guess_point = point("triangle-up", GUESS)
        self._raw_point = point("circle", RAW)
        self._pooled_point = point("diamond", POOLED)
        self._overall_point = point("square", OVERALL)
        self._other_rates = line(OTHERS, 1.5, 0.8, "solid")
        self._interval = line(RAW, 2.5, 1.0, "solid")
        self._band = line(POOLED, 14.0, 0.35, "solid")
        self._pull = line(OTHERS, 2.0, 1.0, "dashed")
        heights = np.array([3.0, 2.0, 1.0, 0.0])
        across = bqplot.Axis(
            scale=rate, label=f"Pr({self._outcome})", tick_values=round_ticks(0.0, 1.0),
            tick_format="~g", grid_lines="none", label_offset="32px",
        )  # fmt: skip
        names = upright(
            bqplot.Axis(
                scale=place, grid_lines="none", tick_values=heights,
                tick_labels={int(at): name for at, name in zip(heights, ROWS, strict=True)},
            )
        )  # fmt: skip
        self._numbers = upright(
            bqplot.Axis(
                scale=place, grid_lines="none", side="right", tick_values=heights,
                tick_labels={int(at): " " for at in heights},
            )
        )  # fmt: skip
        drawn = figure(
            "hw-guess", "210px",
            [self._band, self._other_rates, self._pull, self._interval, self._overall_point,
             self._pooled_point, self._raw_point, self._guess_point],
            [across, names, self._numbers], bottom=44,
        )  # fmt: skip
        drawn.fig_margin = {"top": 8, "left": 118, "right": 62, "bottom": 44}
        return drawn

    # --- what changes ---

    def _connect(self) -> None:
        self._slider.observe(lambda _: self._guarded(self._take), names="value")
        self._reveal.on_click(lambda _: self._guarded(self._show))
        self._again.on_click(lambda _: self._guarded(self.start_again))
        self._chips.observe(lambda _: self._guarded(self._open), names="opened")
        self._redraw_on(self._draw, *self.state_names)

    def _take(self) -> None:
        """The slider's value is a guess once it has been moved, and until the numbers are shown."""
        if not self.revealed and (self._slider.value or self.guess is not None):
            self.guess = self._slider.value

    def _show(self) -> None:
        self.revealed = True

    def _open(self) -> None:
        self.opened = tuple(self._chips.opened)

    def _draw(self) -> None:
        """Bring every mark to the present state; until the reveal no estimate leaves the kernel."""
        shown = self.revealed
        self._slider.value = 0.0 if self.guess is None else self.guess
        self._slider.layout.display = "none" if shown else None
        self._reveal.disabled = shown or self.guess is None
        self._reveal.button_style = "" if self._reveal.disabled else "primary"
        self._again.disabled = self.guess is None
        self._draw_points(shown)
        self._draw_reasons(self.opened if shown else ())
        with self._chips.hold_sync():
            self._chips.names = [reason.name for reason in self._reasons] if shown else []
            self._chips.texts = [reason.text for reason in self._reasons] if shown else []
            self._chips.opened = list(self.opened) if shown else []
        self._report()

    def _values(self) -> dict[str, float | None]:
        """What may be seen now, by row; None is hidden."""
        row = self._case.row
        hidden = dict.fromkeys(("raw", "partial", "overall"))
        estimates = {name: float(row[name]) for name in hidden} if self.revealed else hidden
        return {"guess": self.guess, **estimates}

    def _draw_points(self, shown: bool) -> None:
        values = self._values()
        marks = (self._guess_point, self._raw_point, self._pooled_point, self._overall_point)
        for mark, (name, value) in zip(marks, values.items(), strict=True):
            with mark.hold_sync():
                mark.x = [] if value is None else [value]
                mark.y = [] if value is None else [HEIGHT[name]]
        self._numbers.tick_labels = {
            int(HEIGHT[name]): " " if value is None else f"{value:.3f}"
            for name, value in values.items()
        }

    def _draw_reasons(self, opened: tuple[int, ...]) -> None:
        row, raw = self._case.row, HEIGHT["raw"]
        others = np.delete(self._case.frame["raw"].to_numpy(), self._case.place)
        foot, head = np.full(len(others), raw - 0.3), np.full(len(others), raw + 0.3)
        drawn = {
            SIZE: (self._interval, [row["conf_low"], row["conf_high"]], [raw, raw]),
            RANK: (
                self._other_rates, joined_segments(others, others), joined_segments(foot, head)
            ),
            SIMILARITY: (self._band, list(self._case.band), [HEIGHT["partial"]] * 2),
            WEIGHT: (self._pull, [row["raw"], row["partial"]], [raw, HEIGHT["partial"]]),
        }  # fmt: skip
        for place, (mark, x, y) in drawn.items():
            with mark.hold_sync():
                mark.x, mark.y = (x, y) if place in opened else ([], [])

    def _report(self) -> None:
        if self.guess is None:
            text = "Move the slider or type a number: your guess comes first."
        elif not self.revealed:
            text = f"Your guess is {self.guess:.3f}. Change it, or reveal the estimates."
        else:
            text = verdict(self._case, self.guess)
        opened = [self._reasons[place].text for place in self.opened if self.revealed]
        self._say(text, hw_guess=" ".join([text, *opened]))
        values = zip(ROWS, self._values().values(), strict=True)
        self._table.rows = [[n, "hidden" if v is None else f"{v:.3f}"] for n, v in values]


def _places(opened: object) -> tuple[Any, ...]:
    if not isinstance(opened, Iterable):
        raise DataError(f"opened holds places of reasons, such as (0, 2); {opened!r} was given")
    return tuple(opened)
