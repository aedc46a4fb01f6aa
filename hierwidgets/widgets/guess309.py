"""Guess first: one level's rate, guessed before the three estimates are shown.

The numbers and the words come from `numbers.guess`, the picture from `panels.guess`.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import ipywidgets
import pandas as pd
import traitlets as t

from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError
from hierwidgets.widgets.numbers.guess import Case, guess_frame, reasons, the_case, verdict
from hierwidgets.widgets.numbers.words import GivenWords, event_name, share_name, words_for
from hierwidgets.widgets.panels.guess import ROWS, GuessPanel
from hierwidgets.widgets.parts.controls import Chips, NamedSlider, button
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.layout import small

__all__ = ["Guess309"]

FINLAND = {"outcome": "contacted", "group": "district_id", "event": "Contacted"}
DISTRICT = "District 309"  # of Finland: the case that gives the game its name


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
    words
        What levels are called, `Words` or a mapping; by the names of the columns if not given.

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
        words: GivenWords = None,
        **unknown: object,
    ) -> None:
        self._prepare(data, outcome, group, event, level, words)
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
        words: GivenWords,
    ) -> None:
        if data is None:
            if outcome is not None or group is not None or event is not None:
                raise DataError("outcome, group and event are columns of data; give data as well")
            data, level = load("finland"), DISTRICT if level is None else level
            outcome, group, event = FINLAND.values()
        elif outcome is None or group is None:
            raise DataError("name the columns of your data: outcome=..., group=...")
        self._words = words_for(words, str(group), str(outcome))
        self._event, self._rate = event_name(str(outcome), event), share_name(str(outcome), event)
        self._case: Case = the_case(guess_frame(data, outcome, group, event=event), level)
        self._reasons = reasons(self._case, self._words)

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
        self._reveal = small(button("Reveal", "Show the three estimates; a guess comes first"))
        self._again = small(button("Start again", "Hide the numbers and make another guess"))
        self._chips = Chips(label="Reasons")
        self.rates = GuessPanel(self._rate)
        self._table.title = "Table of the numbers"
        self._table.columns = ["", "rate"]
        self._assemble(
            (ipywidgets.HTML(self._question()), self._slider, self._reveal, self._again),
            (self.rates.figure, self._chips),
        )

    def _question(self) -> str:
        row, many = self._case.row, len(self._case.frame)
        level, event = escape(str(row["level"])), escape(self._event)
        levels, trials = escape(self._words.levels), escape(self._words.trials)
        return (
            f'<div class="hw-question"><b>{level}</b>, one of {many} {levels}: {row["events"]} of '
            f"{row['n']} {trials} count as <i>{event}</i>. If everybody there had "
            "been asked, what would the rate be?</div>"
        )

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
        self.rates.show(self._values())
        self.rates.explain(self._case, self.opened if shown else ())
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
