"""What of each instrument is recorded.

An instrument that is not named here is not recorded: its page shows the still. Each plan has the
controls that the lecture around the instrument asks its reader to move.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

from hierwidgets.widgets.chain_clinic import ChainClinic
from hierwidgets.widgets.competitiveness_effect import CompetitivenessEffect
from hierwidgets.widgets.district_strip import DistrictStrip
from hierwidgets.widgets.guess309 import Guess309
from hierwidgets.widgets.parts.controls import NamedSlider
from hierwidgets.widgets.parts.instrument import Instrument
from hierwidgets.widgets.pooling_comparison import PoolingComparison
from hierwidgets.widgets.pooling_dial import PoolingDial
from hierwidgets.widgets.prior_times_likelihood import PriorTimesLikelihood

from .axes import Axis, Plan, go_by_controls, menu_axis, slider_axis, switch_axis

__all__ = ["plan_of"]

MOST_LEVELS = 40  # that are recorded one by one
COARSE = 20  # steps of a slider of which every pair of positions takes long


def plan_of(instrument: Instrument) -> Plan | None:
    """The plan of an instrument as it stands, or None if it has none."""
    found = _PLANS.get(type(instrument))
    return None if found is None else found(instrument)


def _to(axes: Sequence[Axis], **values: float) -> dict[str, int]:
    """The places of some axes, by name, at which a control has these values."""
    return {axis.name: axis.values.index(values[axis.name]) for axis in axes if axis.name in values}


def _pooling_dial(dial: PoolingDial) -> Plan:
    """σ at every step, μ on a lattice; the button leads back to the fit."""
    was = dial.sigma, dial.mu
    dial.snap()
    fit = {"σ": dial.sigma, "μ": dial.mu}
    dial.sigma, dial.mu = was
    axes = (
        slider_axis("σ", dial._sigma_slider, also=fit["σ"]),
        slider_axis("μ", dial._mu_slider, also=fit["μ"], lattice=True),
    )
    return Plan(axes, go_by_controls(axes), buttons=((dial._button, _to(axes, **fit)),))


def _prior_times_likelihood(shown: PriorTimesLikelihood) -> Plan:
    """σ at every step, and how often the data are counted; the button leads back."""
    sigma, times = max(float(shown._fit.theta[0]), 0.01), shown._multiplier_slider
    axes = (
        slider_axis("σ", shown._sigma_slider, also=sigma),
        slider_axis("both times", times, also=1.0),
    )
    back = shown._button, _to(axes, **{"σ": sigma, "both times": 1.0})
    return Plan(axes, go_by_controls(axes), buttons=(back,))


def _pooling_comparison(shown: PoolingComparison) -> Plan:
    """What is highlighted: of few levels each selected one, of many each range of n; each fit."""
    highlight = menu_axis("Highlight", shown._highlight_menu)
    if len(shown._levels) <= MOST_LEVELS:
        axes = (menu_axis(shown._level_menu.description, shown._level_menu), highlight)
        return Plan(axes, go_by_controls(axes))
    low, high = shown._low_slider, shown._high_slider
    ends = slider_axis("n from", low), slider_axis("n to", high)
    axes = (*ends, highlight)
    if len(shown._fits) > 1 and len({_levels(fit) for fit in shown._fits.values()}) == 1:
        axes = (*axes, menu_axis("Model", shown._fit_menu))

    def go(values: Sequence[Any]) -> None:
        for axis, value in zip(axes[2:], values[2:], strict=True):
            setattr(axis.control, axis.trait, value)
        _set_ends(low, high, values[0], values[1])

    return Plan(axes, go, ordered=("n from", "n to"))


def _levels(fit: Any) -> tuple[object, ...]:
    return tuple(fit.design.terms[0].levels)


def _set_ends(low: NamedSlider, high: NamedSlider, first: float, last: float) -> None:
    """Both ends of a range, in a turn in which neither pushes the other; never in disorder."""
    if first <= last:
        turn = ((low, first), (high, last))
        for slider, value in turn if first < high.value else reversed(turn):
            slider.value = value


def _competitiveness_effect(shown: CompetitivenessEffect) -> Plan:
    """Where it can be moved, the slope, with the predictor and without; else the two values."""
    if len(shown._movers) == 2:
        slope = shown._movers[1]
        fitted = float(shown._movable.slope)  # type: ignore[union-attr, arg-type]
        moved = (
            slider_axis("γ₁", slope, also=fitted),
            switch_axis("predictor in the model", shown._switch),
        )
        back = shown._button, _to(moved, **{"γ₁": fitted})
        return Plan(moved, go_by_controls(moved), buttons=(back,))
    low, high = shown._low_slider, shown._high_slider
    axes = (
        slider_axis("low value", low, steps=COARSE), slider_axis("high value", high, steps=COARSE)
    )  # fmt: skip
    target = menu_axis("Target", shown._target_menu)

    def go(values: Sequence[Any]) -> None:
        shown._target_menu.index = values[2]
        if values[0] < values[1]:
            _set_ends(low, high, values[0], values[1])

    return Plan((*axes, target), go, ordered=("low value", "high value"), apart=1)


def _district_strip(strip: DistrictStrip) -> Plan:
    """The intervals' method and level and the order; of many levels, which are in view."""
    menus = [
        menu_axis("Method", strip._method_menu),
        menu_axis("Sort by", strip._sort_menu),
    ]
    if strip.sizes is not None:
        first = strip._first_slider
        axes = (slider_axis("first in view", first), *menus)
        return Plan(axes, go_by_controls(axes))
    axes = (
        menu_axis(strip._level_menu.description, strip._level_menu),
        *menus,
        menu_axis("Interval", strip._interval_menu),
        switch_axis("Show n", strip._n_box),
    )
    return Plan(axes, go_by_controls(axes))


def _guess309(game: Guess309) -> Plan:
    """A guess, the reveal, and each set of reasons; starting again forgets them."""
    guesses = slider_axis("your guess", game._slider)
    count = len(game._reasons)
    sets = [list(c) for k in range(count + 1) for c in combinations(range(count), k)]
    axes = (
        guesses,
        Axis("Reveal", game._reveal, "revealed", (False, True), int(game.revealed)),
        Axis("reasons", game._chips, "opened", tuple(sets), sets.index(list(game.opened))),
    )

    def go(values: Sequence[Any]) -> None:
        guess, revealed, opened = values
        if game.revealed != revealed or game.guess != (guess or None):
            game.start_again()
            game.guess = guess or None
            game.revealed = revealed and game.guess is not None
        game.opened = tuple(opened) if game.revealed else ()

    buttons = (
        (game._reveal, {"Reveal": 1}),
        (game._again, {"your guess": 0, "Reveal": 0, "reasons": 0}),
    )
    return Plan(axes, go, buttons=buttons)


def _chain_clinic(clinic: ChainClinic) -> Plan:
    """Every parameter of the run that is shown, under every rule."""
    axes = (
        menu_axis("Parameter", clinic._parameter_menu),
        menu_axis("Rule", clinic._rule_menu),
    )
    return Plan(axes, go_by_controls(axes))


_PLANS: dict[type[Instrument], Callable[[Any], Plan]] = {
    PoolingDial: _pooling_dial,
    PriorTimesLikelihood: _prior_times_likelihood,
    PoolingComparison: _pooling_comparison,
    CompetitivenessEffect: _competitiveness_effect,
    DistrictStrip: _district_strip,
    Guess309: _guess309,
    ChainClinic: _chain_clinic,
}
