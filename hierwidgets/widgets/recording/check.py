"""A recording held against the instrument it was made from, at places between the recorded ones."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from hierwidgets.widgets.parts.instrument import Instrument

from .axes import Plan
from .capture import Place, moved
from .replay import Replay, places
from .tracks import Names, as_text, cut

__all__ = ["Truth", "truth"]

_NUMBERS = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Truth:
    """How far a recording is from its instrument.

    Attributes
    ----------
    pixels
        The largest distance of a mark or an axis's limit.
    digits
        The largest difference of a number in words, in units of its last printed digit.
    others
        At how many places a word, a shape or a choice was that of the nearest recorded place, and
        not the instrument's own.
    places
        How many were tried.
    """

    pixels: float
    digits: float
    others: int
    places: int


def truth(
    instrument: Instrument, plan: Plan, data: bytes, names: Names, tried: int, seed: int
) -> Truth:
    """Compare at random places, of which most lie between those of a lattice."""
    replay = Replay(data)
    rng = np.random.default_rng(seed)
    where = [place for _ in range(tried) if plan.possible(place := _random(plan, rng))]
    found = moved(instrument, plan, where)
    by_name = {(names[key[0]], key[1]): (key, values) for key, values in found.changed.items()}
    pixels, digits, others = 0.0, 0.0, set()
    for i, place in enumerate(where):
        frame = replay.frame(place)
        for track in replay.header["tracks"]:
            name = track["model"], track["trait"]
            if name not in by_name:
                continue
            key, values = by_name[name]
            if found.hidden(key[0], i):
                continue
            if track["kind"] == "text":
                apart = _digits(frame[name], as_text(key, values[i]))
                if np.isinf(apart) or (apart and not track["smooth"]):
                    others.add(place)
                else:
                    digits = max(digits, apart)
            else:
                pixels = max(pixels, _pixels(frame[name], values[i], track))
    return Truth(pixels, digits, len(others), len(where))


def _random(plan: Plan, rng: np.random.Generator) -> Place:
    return tuple(int(rng.integers(len(axis.values))) for axis in plan.axes)


def _pixels(one: Any, other: Any, track: dict[str, Any]) -> float:
    a, b = np.atleast_1d(one), np.atleast_1d(np.asarray(other, dtype=float))
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        return np.inf
    if track["log"]:
        a, b = np.log10(a), np.log10(b)
    return float(np.nanmax(np.abs(a - b), initial=0.0)) / track["pixel"]


def _digits(one: str, other: str) -> float:
    """Units of the last digit between two texts; infinite where their words differ."""
    if one == other:
        return 0.0
    if _NUMBERS.sub("", one) != _NUMBERS.sub("", other):
        return np.inf
    worst = 0.0
    for a, b in zip(_NUMBERS.findall(one), _NUMBERS.findall(other), strict=True):
        decimals = min(_decimals(t) for t in (a, b))
        apart = abs(float(a.replace(",", "")) - float(b.replace(",", "")))
        worst = max(worst, apart * 10.0**decimals)
    return worst


def _decimals(token: str) -> int:
    """Decimals of a printed number, below 0 where it ends in rounded zeros."""
    _, numbers = cut(token)
    return places(numbers[0][1])[0] if numbers else len(token.partition(".")[2])
