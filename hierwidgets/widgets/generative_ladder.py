"""The generative ladder: the model of several countries to turn, from its rules to respondents.

The numbers come from `numbers.ladder`, the pictures from `panels.ladder`.
"""

from html import escape
from typing import Any

import ipywidgets
import numpy as np
import traitlets as t

from hierwidgets.base.arrays import Array
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.ladder import words
from hierwidgets.widgets.numbers.ladder.draws import (
    ELECTIONS,
    MOST_PEOPLE,
    draws,
    election,
    election_lines,
)
from hierwidgets.widgets.numbers.ladder.parameters import Parameters, rates_at, recoded
from hierwidgets.widgets.numbers.ladder.start import several_countries, start
from hierwidgets.widgets.panels.ladder import (
    PLACES,
    DistrictsPanel,
    ElectionsPanel,
    ladder_key,
    rule_looks,
)
from hierwidgets.widgets.parts.choices import one_of, within
from hierwidgets.widgets.parts.controls import NamedSlider, button, menu
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.parts.layout import small
from hierwidgets.widgets.parts.whole import follow_slider, whole_number

__all__ = ["GenerativeLadder"]

DELTAS = ("delta_00", "delta_01", "delta_10", "delta_11")
SPREADS = {
    "sd_intercept": "σγ0, elections' intercepts",
    "sd_slope": "σγ1, elections' slopes",
    "corr": "ρ, intercepts with slopes",
    "sd_district": "σα, districts",
}
LIMITS = {
    **dict.fromkeys(DELTAS, (-100.0, 100.0)), **dict.fromkeys(SPREADS, (0.0, 20.0)),
    "corr": (-1.0, 1.0),
}  # fmt: skip
ENDS = {  # of the sliders, which reach further where a value does
    **dict.fromkeys(DELTAS[:2], (-6.0, 6.0)), **dict.fromkeys(DELTAS[2:], (-10.0, 10.0)),
    "sd_intercept": (0.0, 2.0), "sd_slope": (0.0, 3.0), "corr": (-1.0, 1.0),
    "sd_district": (0.0, 2.0),
}  # fmt: skip
STEPS = {**dict.fromkeys(DELTAS[:2], 240), **dict.fromkeys(DELTAS[2:], 400), "sd_slope": 300}
SAME = 1e-9  # a slider as near as that stays where it is
SEEDS = 10_000


class GenerativeLadder(Instrument):
    """The model of several countries, from the top down: rules, elections, districts, people.

    Upper pictures: under each rule the typical curve of contact against competitiveness, the
    middle 90 % of elections, and 20 that are drawn. Lower pictures: the first of those, with the
    rates of its 40 districts and the shares that respondents there give.

    Parameters
    ----------
    fit
        Where the ladder starts: a fit of ``y ~ x * rule + (1 | district) + (1 + x | election)``
        with x from 0 to 1 and two rules. Without it, the one of the several-countries model.
    delta_00, delta_01, delta_10, delta_11
        Intercept, what the second rule adds to it, slope, and what the second rule adds to that,
        with the first rule (SMD, in the course) coded 0.
    sd_intercept, sd_slope, corr
        Standard deviations of elections' intercepts and slopes, and their correlation.
    sd_district
        Standard deviation of districts around the line of their election.
    zero
        The rule that the sliders have as 0. The curves do not depend on it.
    people
        Respondents in each district, 1 to 100.
    seed
        Of what is drawn. It stays while anything else is turned.

    Attributes
    ----------
    delta_00, ..., sd_district, zero, people, seed
        The state, to read, set or observe.
    coefficients
        The four coefficients as the sliders show them, with the rule `zero` coded 0.
    count
        How many draws there were so far.
    rules
        Names of the two rules.
    status
        What the status line says.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> ladder = hw.widgets.GenerativeLadder()
    >>> ladder.coefficients.round(2).tolist()
    [-3.09, 0.74, 4.27, -3.07]
    >>> ladder.zero = "PR"
    >>> ladder.coefficients.round(2).tolist()
    [-2.35, -0.74, 1.21, 3.07]
    >>> ladder.close()
    """

    state_names = (*DELTAS, *SPREADS, "zero", "people", "seed")

    delta_00 = t.Float(0.0)
    delta_01 = t.Float(0.0)
    delta_10 = t.Float(0.0)
    delta_11 = t.Float(0.0)
    sd_intercept = t.Float(0.0)
    sd_slope = t.Float(0.0)
    corr = t.Float(0.0)
    sd_district = t.Float(0.0)
    zero = t.Unicode()
    people = t.Any(8)
    seed = t.Any(1)
    count = t.Int(1)

    _quiet = False

    def __init__(
        self,
        fit: Fit | None = None,
        *,
        delta_00: float | None = None,
        delta_01: float | None = None,
        delta_10: float | None = None,
        delta_11: float | None = None,
        sd_intercept: float | None = None,
        sd_slope: float | None = None,
        corr: float | None = None,
        sd_district: float | None = None,
        zero: str | None = None,
        people: int | None = None,
        seed: int | None = None,
        **unknown: object,
    ) -> None:
        found = start(several_countries() if fit is None else fit)
        super().__init__(**unknown)
        self._start, self.rules = found, found.rules
        self.zero = self.rules[0]
        self.reset()
        self._start_at(
            delta_00=delta_00, delta_01=delta_01, delta_10=delta_10, delta_11=delta_11,
            sd_intercept=sd_intercept, sd_slope=sd_slope, corr=corr, sd_district=sd_district,
            zero=zero, people=people, seed=seed,
        )  # fmt: skip
        self._drawn = draws(self.seed)
        self._build()
        self._connect()
        self._guarded(self._draw)

    def reset(self) -> None:
        """Coefficients and spreads of the fit; the coding, the people and the draw stay."""
        self._set(**self._start.parameters._asdict())

    def draw_again(self) -> None:
        """Other elections, districts and respondents, by the next seed."""
        self.seed = (self.seed + 1) % SEEDS

    @property
    def parameters(self) -> Parameters:
        """The eight numbers of the model, with the first rule coded 0."""
        return Parameters(*(getattr(self, name) for name in Parameters._fields))

    @property
    def coefficients(self) -> Array:
        """Intercept, its change, slope, its change, with the rule `zero` coded 0."""
        first = self.parameters.coefficients
        return np.array(recoded(first) if self._second else first)

    @property
    def _second(self) -> bool:
        """Whether the second rule is the one coded 0."""
        return bool(self.zero == self.rules[1])

    # --- the state ---

    @t.validate(*LIMITS)  # type: ignore[untyped-decorator]
    def _within(self, proposal: dict[str, Any]) -> float:
        name = proposal["trait"].name
        return within(name, float(proposal["value"]), *LIMITS[name])

    @t.validate("zero")  # type: ignore[untyped-decorator]
    def _known(self, proposal: dict[str, Any]) -> str:
        return str(one_of("zero", proposal["value"], self.rules))

    @t.validate("people", "seed")  # type: ignore[untyped-decorator]
    def _whole(self, proposal: dict[str, Any]) -> int:
        name = proposal["trait"].name
        limits = (1, MOST_PEOPLE) if name == "people" else (0, SEEDS - 1)
        return whole_number(name, proposal["value"], *limits)

    def _set(self, **values: float) -> None:
        """Several parts of the state at once, before anything is drawn."""
        self._quiet = True
        try:
            for name, value in values.items():
                setattr(self, name, value)
        finally:
            self._quiet = False

    # --- the parts, built once ---

    def _build(self) -> None:
        self._build_controls()
        looks = zip(self.rules, rule_looks(self.rules), strict=True)
        places = [
            ("hw-" + place, *look) for place, look in zip(("first", "second"), looks, strict=True)
        ]
        self.elections = [
            ElectionsPanel(f"{place}-elections", rule, look) for place, rule, look in places
        ]
        self.districts = [
            DistrictsPanel(f"{place}-districts", rule, look) for place, rule, look in places
        ]
        self._table.title = "Table of what the setting implies"
        self._table.columns = words.COLUMNS
        sliders = list(self._sliders.values())
        rows = [[panel.figure for panel in row] for row in (self.elections, self.districts)]
        self._assemble(
            (self._coding_menu, *sliders[:4], self._coding, *sliders[4:], self._people_slider,
             self._again_button, self._reset_button),
            (ipywidgets.HTML(ladder_key(self.rules)), *rows),
        )  # fmt: skip

    def _build_controls(self) -> None:
        labels = words.coefficient_names(self.rules, self._second)
        named = {**dict(zip(DELTAS, labels, strict=True)), **SPREADS}
        self._sliders = {
            name: NamedSlider(
                label=label, value=getattr(self, name), min=ENDS[name][0], max=ENDS[name][1],
                steps=STEPS.get(name, 200), digits=2,
            )
            for name, label in named.items()
        }  # fmt: skip
        self._people_slider = NamedSlider(
            label="respondents per district", value=self.people, min=1, max=MOST_PEOPLE,
            steps=MOST_PEOPLE - 1, digits=0,
        )  # fmt: skip
        self._coding_menu = menu("Coding", words.codings(self.rules), self.zero)
        self._again_button = small(button("Draw again", "Other elections from the same numbers"))
        self._reset_button = small(button("Reset to the fit", "The estimates of the fit"))
        self._coding = ipywidgets.HTML()

    # --- what changes ---

    def _connect(self) -> None:
        self._bind("zero", self._coding_menu)
        for name in DELTAS:
            self._sliders[name].observe(lambda _: self._guarded(self._take), names="value")
        for name in SPREADS:
            self._bind(name, self._sliders[name])
        follow_slider(self, "people", self._people_slider)
        self._again_button.on_click(lambda _: self._guarded(self.draw_again))
        self._reset_button.on_click(lambda _: self._guarded(self._reset_and_draw))
        self._redraw_on(self._draw_anew, "seed")
        self._redraw_on(self._draw, *DELTAS, *SPREADS, "zero", "people")
        self._table.observe(lambda _: self._guarded(self._draw), names="is_open")

    def _take(self) -> None:
        """The coefficients from their sliders, in the coding these have."""
        if self._quiet:
            return
        shown = np.array([self._sliders[name].value for name in DELTAS])
        was = self.coefficients
        moved = np.abs(shown - was) > SAME
        if moved.any():
            now = np.where(moved, shown, was).tolist()
            first = recoded(now) if self._second else now
            self._set(**dict(zip(DELTAS, first, strict=True)))
            self._draw()

    def _reset_and_draw(self) -> None:
        self.reset()
        self._draw()

    def _draw_anew(self) -> None:
        self._drawn = draws(self.seed)
        self.count += 1
        self._draw()

    def _draw(self) -> None:
        """Bring every mark to the present state."""
        if self._quiet:
            return
        self._show_controls()
        parameters, pictures = self.parameters, {}
        for rule, name in enumerate(self.rules):
            second, place = bool(rule), ("first", "second")[rule]
            rates = rates_at(parameters, second, PLACES)
            lines = election_lines(parameters, second, self._drawn.elections[rule])
            ends = self._start.ends[rule]
            found = election(parameters, second, self._drawn, ends, self.people)
            self.elections[rule].show(rates, lines)
            self.districts[rule].show(rates.typical, lines[0], found)
            pictures[f"hw_{place}_elections"] = words.elections_words(
                parameters, name, second, ELECTIONS
            )
            pictures[f"hw_{place}_districts"] = words.election_words(name, found, self.people)
        implied = words.implied_text(parameters, self.rules, self._start.ends)
        self._say(f"{implied} Draw {self.count} (seed {self.seed}).", **pictures)
        if self._table.is_open or not self._table.rows:
            self._table.rows = words.rows(parameters, self.rules)

    def _show_controls(self) -> None:
        """Names and values of the coefficients in the present coding; what the other says."""
        now = self.coefficients
        labels = words.coefficient_names(self.rules, self._second)
        self._quiet = True
        for name, label, value in zip(DELTAS, labels, now, strict=True):
            self._show_one(self._sliders[name], name, float(value))
            self._sliders[name].label = label
        self._quiet = False
        for name in SPREADS:
            self._show_one(self._sliders[name], name, getattr(self, name))
        other = words.coding_text(recoded(now.tolist()), self.rules, self._second)
        self._coding.value = f'<div class="hw-caption">{escape(other)}</div>'

    def _show_one(self, slider: NamedSlider, name: str, value: float) -> None:
        """The slider at a value, which its ends make room for."""
        with slider.hold_sync():
            low, high = min(ENDS[name][0], value), max(ENDS[name][1], value)
            if (slider.min, slider.max) != (low, high):
                slider.min, slider.max = low, high
            if abs(slider.value - value) > SAME:
                slider.value = value
