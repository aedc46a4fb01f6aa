"""Minimising an objective that gives its gradient, and judging the point that is reached.

BFGS walks; Newton steps with a Hessian differenced from the exact gradient
finish. The Hessian serves three ends: the last digits, the verdict on convergence, and the
standard errors. An element of theta on the diagonal has no bound here: changing its sign
changes nothing, so the objective is smooth and even in it, and 0 is an ordinary point.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError

__all__ = [
    "Optimum",
    "bfgs_update",
    "covariance",
    "difference",
    "lowest_minimum",
    "minimize",
    "search_unit",
]

Objective = Callable[[Array], tuple[float, Array]]

_WALK_STEPS = 200
_WALK_END = 1e-9  # gain that is left when the walk hands over to Newton
_LONGEST = 20.0  # of a step in one coordinate, in units of the search
_ROUNDS = 8
_NEWTON_STEPS = 3  # with one Hessian
_NEAR = 1e-3  # a Hessian taken this close, in units of the search, serves for the optimum
_NEGATIVE = 1e-5
_DECREMENT = 1e-11  # of -2 log L: what another Newton step would gain
_DIFFERENCE = 1e-4
_LOWER = 1e-6  # a minimum that much lower is another one
_BESIDE = 0.5  # in units of the search
_FLAT = 1e-7  # curvature below this share of the largest counts as none


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    x : (d,)
        The point.
    value : float
        The objective there.
    gradient : (d,), hessian : (d, d)
        Its derivatives there.
    converged : bool
        Whether another Newton step would gain next to nothing and no direction leads down.
    message : str
        The verdict in words.
    trace : (evaluations, d + 1)
        Every point tried, and the objective there (last column).
    """

    x: Array
    value: float
    gradient: Array
    hessian: Array
    converged: bool
    message: str
    trace: Array


def minimize(
    objective: Objective,
    x: Array,
    scale: Array,
    *,
    step: float = _DIFFERENCE,
    dear: bool = False,
) -> Optimum:
    """The minimum of `objective`, starting from `x`.

    Parameters
    ----------
    objective :
        ``x (d,) -> (value, gradient (d,))``.
    scale :
        (d, d): the search runs over z with ``x = x0 + scale z``, z of order 1.
    step :
        Of the differences that make the Hessian, in units of z; larger for a gradient that
        is itself differenced.
    dear :
        Whether an evaluation takes so long that the Hessian is made of differences to one side:
        half as many, and an error of the order of `step` instead of its square.
    """
    x0 = x
    trace: list[Array] = []

    def traced(x: Array) -> tuple[float, Array]:
        value, gradient = objective(x)
        trace.append(np.append(x, value))
        return value, gradient

    def scaled(z: Array) -> tuple[float, Array]:
        value, gradient = traced(x0 + scale @ z)
        return value, scale.T @ gradient

    z, value, gradient = _walk(scaled, np.zeros(len(x)))
    for _ in range(_ROUNDS):
        at = z
        hessian = difference(lambda z: scaled(z)[1], z, step, gradient if dear else None)
        values, vectors = np.linalg.eigh(hessian)
        if values[0] < -_NEGATIVE * values[-1]:  # a saddle: leave it downhill
            z, value, gradient = _walk(scaled, z + 0.1 * vectors[:, 0])
            continue
        for k in range(_NEWTON_STEPS):
            newton, decrement = _newton(values, vectors, gradient)
            if decrement < _DECREMENT and k > 0:  # one step is worth its price in last digits
                break
            z, value, gradient = _descend(scaled, z, value, gradient, newton)
        if decrement < _DECREMENT and np.abs(z - at).max() < _NEAR:
            break
    _, decrement = _newton(values, vectors, gradient)
    converged = bool(decrement < 1e-6 and values[0] > -_NEGATIVE * values[-1])
    inverse = np.linalg.inv(scale)
    return Optimum(
        x0 + scale @ z,
        value,
        inverse.T @ gradient,
        inverse.T @ hessian @ inverse,
        converged,
        _verdict(converged, decrement, values),
        np.array(trace),
    )


def lowest_minimum(
    objective: Objective,
    starts: Sequence[Array],
    scale: Array,
    *,
    step: float = _DIFFERENCE,
    dear: bool = False,
) -> Optimum:
    """The lowest of the minima found from several starts; its trace has every point tried.

    A search that stops short of a minimum is taken up again beside where it stopped.
    """
    found = minimize(objective, starts[0], scale, step=step, dear=dear)
    traces = [found.trace]

    def look(x: Array) -> None:
        nonlocal found
        try:
            other = minimize(objective, x, scale, step=step, dear=dear)
        except FitError:  # too far out for the arithmetic
            return
        traces.append(other.trace)
        settled = other.converged and not found.converged and other.value < found.value + _LOWER
        if other.value < found.value - _LOWER or settled:
            found = other

    for x in starts[1:]:
        look(x)
    if not found.converged:
        look(found.x + scale @ np.full(len(found.x), _BESIDE))
    return replace(found, trace=np.vstack(traces))


def _walk(objective: Objective, z: Array) -> tuple[Array, float, Array]:
    """BFGS with a backtracking line search (Nocedal & Wright 2006, algorithm 6.1).

    Where it ends, with the value and the gradient there.
    """
    value, gradient = objective(z)
    if not np.isfinite(value):
        raise FitError(
            "the likelihood is not finite at the start: values of the response, a predictor, the "
            "offset or the weights are too large or too small to compute with; rescale them"
        )
    inverse = 0.5 * np.eye(len(z))  # the search is scaled so that the curvature is about 2
    for _ in range(_WALK_STEPS):
        step = -inverse @ gradient
        slope = float(gradient @ step)
        if slope > -_WALK_END * (1e-3 * abs(value) + 1.0):
            break
        step *= min(1.0, _LONGEST / float(np.abs(step).max()))
        found = _line_search(objective, z, value, float(gradient @ step), step)
        if found is None:
            break
        size, new_value, new_gradient = found
        moved, turned = size * step, new_gradient - gradient
        z, value, gradient = z + moved, new_value, new_gradient
        inverse = bfgs_update(inverse, moved, turned)
    return z, value, gradient


def _line_search(
    objective: Objective, z: Array, value: float, slope: float, step: Array
) -> tuple[float, float, Array] | None:
    """The first step size that lowers the objective enough, by quadratic interpolation."""
    size = 1.0
    for _ in range(30):
        new_value, gradient = objective(z + size * step)
        if new_value <= value + 1e-4 * size * slope:
            return size, new_value, gradient
        if np.isfinite(new_value):
            bent = -0.5 * slope * size**2 / (new_value - value - slope * size)
            size = min(max(bent, 0.1 * size), 0.5 * size)
        else:
            size *= 0.1
    return None


def bfgs_update(inverse: Array, moved: Array, turned: Array) -> Array:
    """The BFGS update of the inverse Hessian; none where the curvature is not positive."""
    curvature = float(moved @ turned)
    if curvature <= 1e-10 * float(np.sqrt((moved @ moved) * (turned @ turned))):
        return inverse
    pushed = inverse @ turned
    outer = np.outer(moved, pushed)
    grown = (1.0 + float(turned @ pushed) / curvature) * np.outer(moved, moved)
    result: Array = inverse + (grown - outer - outer.T) / curvature
    return result


def _newton(values: Array, vectors: Array, gradient: Array) -> tuple[Array, float]:
    """Newton's step within the directions that curve up, and what it would gain."""
    coordinates = vectors.T @ gradient
    curved = values > _FLAT * max(values[-1], 1e-12)
    steps = np.where(curved, -coordinates / np.where(curved, values, 1.0), 0.0)
    return vectors @ steps, float(-0.5 * coordinates @ steps)


def _descend(
    objective: Objective, z: Array, value: float, gradient: Array, step: Array
) -> tuple[Array, float, Array]:
    for size in (1.0, 0.5, 0.25, 0.05):
        new_value, new_gradient = objective(z + size * step)
        if new_value <= value + 1e-10 * abs(value):
            return z + size * step, new_value, new_gradient
    return z, value, gradient


def difference(
    gradient: Callable[[Array], Array],
    z: Array,
    step: float = _DIFFERENCE,
    here: Array | None = None,
) -> Array:
    """The (d, d) Hessian by differences of an exact gradient, symmetrised.

    Central ones, or one-sided from the gradient at z where `here` gives it.
    """
    columns = []
    for i in range(len(z)):
        h = np.zeros(len(z))
        h[i] = step * max(1.0, abs(z[i]))
        if here is None:
            columns.append((gradient(z + h) - gradient(z - h)) / (2 * h[i]))
        else:
            columns.append((gradient(z + h) - here) / h[i])
    hessian = np.array(columns)
    symmetric: Array = 0.5 * (hessian + hessian.T)
    return symmetric


def _verdict(converged: bool, decrement: float, values: Array) -> str:
    if converged:
        return "converged: the gradient is nil and the curvature is positive"
    if values[0] <= -_NEGATIVE * values[-1]:
        return "not converged: the likelihood still rises in one direction"
    return f"not converged: another Newton step would change -2 log L by {decrement:.2g}"


def covariance(hessian: Array) -> Array:
    """Covariance of estimates from the Hessian of ``-2 log L``: twice its inverse.

    A direction in which the likelihood is flat (as in a singular fit) has no covariance; it
    is taken as fixed, and the rest is inverted.
    """
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-300))
    values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
    curved = values > 1e-8
    inverse = np.where(curved, 1.0 / np.where(curved, values, 1.0), 0.0)
    result: Array = 2.0 * ((vectors * inverse) @ vectors.T) / np.outer(scale, scale)
    return result


def search_unit(sd: float, weight: Array) -> float:
    """The unit to search a group sd in: ``-2 log L`` curves by about 2 per unit squared.

    Parameters
    ----------
    sd :
        A first estimate, relative to the residual sd in a Gaussian model.
    weight : (J,)
        The information each level has on its own effect.
    """
    reliability = sd**2 * weight / (1.0 + sd**2 * weight)
    return min(0.5, sd / float(np.sqrt(2.0 * np.sum(reliability**2)) + 1e-8))
