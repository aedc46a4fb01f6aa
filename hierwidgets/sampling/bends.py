"""Where the coordinates of sds and correlations are bent, and by how much (`kernels.bending`)."""

from collections.abc import Callable

import numpy as np
import scipy

from hierwidgets.base.arrays import Array

from .kernels.problem import Bends, Problem
from .pieces import Piece
from .prior_codes import lkj_eta
from .priors import Resolved
from .reference import Reference

__all__ = ["Slopes", "bends", "centred_at_mode"]

Slopes = Callable[[Array], tuple[float, Array]]


def bends(known: Reference, priors: Resolved, lead: Piece | None, others: list[Piece]) -> Bends:
    """Which coordinates are bent; where their centres are looked for: log sds of the reference
    (none too small), and 0 for partial correlations; and by how much they are bent.

    A tail exp(-rate |log sd|) becomes normal with variance 1/2 where the bend is rate^-2: below,
    ``d sd`` has rate 1; above, J effects' densities have rate J and a half-t prior some more.
    Tails in z have the rate of LKJ's density, ``2 (eta - 1) + k - j`` in column j
    (`kernels.covariances`).
    """
    centre: list[float] = []
    by: list[tuple[float, float]] = []
    for piece in [lead, *others] if lead is not None else others:
        k = piece.size
        sds = known.sds[piece.term][list(piece.columns)]
        centre += list(np.log(np.maximum(sds, 0.1 * known.sigma)))
        centre += [0.0] * (piece.coordinates - k)
        by += [(1.0, (piece.levels + 3.0) ** -2)] * k
        power = 2.0 * (lkj_eta(priors, piece) - 1.0) + k
        by += [(max(power - j, 1.0) ** -2,) * 2 for i in range(1, k) for j in range(i)]
    at = np.arange(len(centre), dtype=np.intp)
    return Bends(at, np.array(centre), np.array(by).reshape(-1, 2))


def centred_at_mode(problem: Problem, start: Array, slopes: Callable[[Problem], Slopes]) -> Problem:
    """The problem with log sds centred at the mode of the density of unbent coordinates, near
    which their two tails meet.

    Rounded, so that the last bits of a search do not change the draws. Partial correlations are
    bent about 0.
    """
    at, centre, by = problem.bends
    straight = problem._replace(bends=Bends(at, centre, np.zeros_like(by)))

    evaluate = slopes(straight)

    def value(x: Array) -> tuple[float, Array]:
        found, gradient = evaluate(x)
        return (-found, -gradient) if np.isfinite(found) else (np.inf, np.zeros_like(x))

    best = scipy.optimize.minimize(
        value, start, jac=True, method="L-BFGS-B", options={"maxiter": 50}
    )
    moved = np.clip(best.x[at], -4.0, 4.0)
    is_sd = by[:, 0] != by[:, 1]
    usable = is_sd & np.isfinite(moved) & np.isfinite(best.fun)
    found = centre + np.where(usable, np.round(moved, 1), 0.0)
    return problem._replace(bends=Bends(at, found, by))
