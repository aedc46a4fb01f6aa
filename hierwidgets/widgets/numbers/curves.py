"""Functions of a linear predictor, such as log densities, on grids that find them by themselves.

A curve may be far narrower than the axis it is shown on, or far from its middle: its grid zooms
in. It is carried to the probability scale with the derivative of the inverse link.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.spec.families import Family

__all__ = ["TINY", "Curve", "LogDensity", "curve_of", "describe", "on_one_axis", "top"]

LogDensity = Callable[[Array], Array]

MASS = 0.9  # of the bars, equal-tailed
POINTS = 1501  # of the grid on which a curve is normalised
DEPTH = 35.0  # it ends where the density is exp(-DEPTH) of its top
TINY = 1e-300  # instead of 0, where a logarithm is taken or a division made


class Curve(NamedTuple):
    """A function of the linear predictor on a grid that covers all of it, its top at 1."""

    at: Array
    height: Array


def curve_of(log_density: LogDensity, low: float, high: float) -> Curve:
    """The function on a grid from where it begins to where it ends, found by zooming in."""
    for count in (201, 201, 201, 201, 201, POINTS):
        at = np.linspace(low, high, count)
        log = log_density(at)
        log = log - log.max()
        inside = np.flatnonzero(log > -DEPTH)
        first, last = max(inside[0] - 1, 0), min(inside[-1] + 1, count - 1)
        if count == POINTS or 2 * (last - first) > count:
            break
        low, high = at[first], at[last]
    if count != POINTS:
        at = np.linspace(at[first], at[last], POINTS)
        log = log_density(at)
        log = log - log.max()
    return Curve(at, np.exp(log))


def describe(family: Family, curve: Curve, scale: str) -> tuple[float, float, float, float]:
    """Mode, mean, and the ends of the interval, on `scale`."""
    at, height = curve
    share = np.concatenate([[0.0], np.cumsum(0.5 * (height[1:] + height[:-1]))])
    share /= share[-1]
    low, high = np.interp([(1 - MASS) / 2, (1 + MASS) / 2], share, at)
    log = np.log(np.maximum(height, TINY))
    if scale != "probability":
        return top(at, log), float(height @ at / height.sum()), float(low), float(high)
    p, slope = family.link.inverse(at)
    mode = top(at, log - np.log(np.maximum(slope, TINY)))
    places = family.link.inverse(np.array([mode, low, high]))[0]
    return float(places[0]), float(height @ p / height.sum()), float(places[1]), float(places[2])


def top(at: Array, log: Array) -> float:
    """Where a function on an even grid is highest: the top of the parabola through three."""
    i = int(np.argmax(log))
    if i in (0, len(at) - 1):
        return float(at[i])
    left, middle, right = log[i - 1 : i + 2]
    bend = left - 2 * middle + right
    move = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(at[i] + move * (at[1] - at[0]))


def on_one_axis(
    family: Family, found: dict[str, Curve], scale: str, shown: tuple[float, float]
) -> dict[str, Array]:
    """The curves with area 1 on places they share: even ones, and some from each curve."""
    on_axis = {name: _on_axis(family, name, curve, scale) for name, curve in found.items()}
    low, high = (0.0, 1.0) if scale == "probability" else shown
    wide = [at[:: POINTS // 75] for at, _ in on_axis.values()]
    at = np.unique(np.concatenate([np.linspace(low, high, 161), *wide]))
    at = at[(at >= low) & (at <= high)]
    curves = {"at": at}
    for name, (own, density) in on_axis.items():
        beyond = None if name == "likelihood" else 0.0  # it may be highest at 0 or 1
        curves[name] = np.interp(at, own, density, left=beyond, right=beyond)
    return curves


def _on_axis(family: Family, name: str, curve: Curve, scale: str) -> tuple[Array, Array]:
    """A density with its area of 1, and its Jacobian; a likelihood has none."""
    at, height = curve
    if scale != "probability":
        return at, height / np.trapezoid(height, at)
    p, slope = family.link.inverse(at)
    if name == "likelihood":
        return p, height / np.trapezoid(height, p)
    return p, height / np.trapezoid(height, at) / np.maximum(slope, TINY)
