"""Each group's own line: maximum likelihood from its rows alone, for all groups at once."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.fit.fit import Fit
from hierwidgets.spec.design import Term, level_sums

__all__ = ["exists", "own_lines"]

Look: TypeAlias = Callable[[Array], tuple[Array, Array]]  # lines to predictors and values

_STEPS, _HALVINGS = 200, 40
_CLOSE = 1e-16  # of the squared decrement: half of what is left of the log-likelihood


def exists(fit: Fit) -> NDArray[np.bool_]:
    """Whether each group's own line has a finite estimate: (J,) bool.

    It takes two values of the predictor. Answers of yes or no must overlap besides: if all who
    say yes stand on one side of all who say no, or at the same place as the last of them, the
    steeper the line, the better it fits (Albert & Anderson 1984, Biometrika 71). Of counts, two
    places must have some, or one that lies between others.
    """
    design, term = fit.design, fit.design.terms[0]
    x, y, n = term.Z[:, 1], design.y, design.trials
    low, high = _ends(term, x, n > 0)
    if fit.family.name == "gaussian":
        return low < high
    some_low, some_high = _ends(term, x, y > 0)
    if fit.family.name == "poisson":
        inside = (low < some_low) & (some_low < high)
        return (some_low < some_high) | inside
    no_low, no_high = _ends(term, x, y < n)
    both = np.isfinite(some_low) & np.isfinite(no_low)
    return both & (low < high) & (some_low < no_high) & (no_low < some_high)


def _ends(term: Term, x: Array, rows: NDArray[np.bool_]) -> tuple[Array, Array]:
    """The least and the largest x of some rows in each group; inf and -inf without any."""
    low, high = np.full(term.J, np.inf), np.full(term.J, -np.inf)
    np.minimum.at(low, term.codes[rows], x[rows])
    np.maximum.at(high, term.codes[rows], x[rows])
    return low, high


def own_lines(fit: Fit, base: Array, start: Array) -> Array:
    """Intercept and slope of each group from its own rows, nan where they do not exist: (J, 2).

    Newton's method with steps halved group by group, as far as it takes to gain.

    Parameters
    ----------
    fit
        A fit with one ``(1 + x | group)``.
    base : (n,)
        What the other predictors and an offset add, which is held.
    start : (2,)
        Where the search begins.

    Raises
    ------
    FitError
        If the search does not settle.
    """
    design, family, term = fit.design, fit.family, fit.design.terms[0]
    found = exists(fit)
    Z, codes = term.Z, term.codes
    lines = np.tile(start, (term.J, 1))

    def look(at: Array) -> tuple[Array, Array]:
        eta = base + (Z * at[codes]).sum(axis=1)
        return eta, level_sums(term, family.loglik(design.y, design.trials, eta))

    eta, value = look(lines)
    for _ in range(_STEPS):
        d = family.derivatives(design.y, design.trials, eta)
        gradient = np.stack([level_sums(term, d.score * z) for z in Z.T], axis=1)
        step = _solved(term, d.information, gradient)
        step[~found] = 0.0
        if np.all((gradient * step).sum(axis=1) < _CLOSE):
            lines[~found] = np.nan
            return lines
        eta, value = look(_upwards(lines, step, value, look))
    raise FitError("the own lines of the groups did not settle; measure the predictor in units "
                   "that bring it near 1")  # fmt: skip


def _solved(term: Term, weight: Array, gradient: Array) -> Array:
    """Newton's steps: two equations for each group."""
    x = term.Z[:, 1]
    a, b, c = (level_sums(term, weight * x**power) for power in (0, 1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        det = a * c - b**2
        steps: Array = np.stack(
            [
                (c * gradient[:, 0] - b * gradient[:, 1]) / det,
                (a * gradient[:, 1] - b * gradient[:, 0]) / det,
            ],
            axis=1,
        )
    return np.nan_to_num(steps, posinf=0.0, neginf=0.0)


def _upwards(lines: Array, step: Array, value: Array, look: Look) -> Array:
    """The lines after their steps, in place; each step halved until its group gains by it."""
    size = np.ones(len(lines))
    for _ in range(_HALVINGS):
        _, new = look(lines + size[:, None] * step)
        short = ~(new >= value - 1e-12 * np.abs(value))
        if not short.any():
            break
        size[short] /= 2
    lines += size[:, None] * step
    return lines
