"""Minimising an objective that gives its gradient, and judging the point that is reached.

L-BFGS (scipy) walks; Newton steps with a Hessian differenced from the exact gradient
finish. The Hessian serves three ends: the last digits, the verdict on convergence, and the
standard errors. An element of theta on the diagonal has no bound here: changing its sign
changes nothing, so the objective is smooth and even in it, and 0 is an ordinary point.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import FitError

__all__ = ["Optimum", "covariance", "minimize"]

Array = NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]

_NEWTON_STEPS = 12
_DECREMENT = 1e-9  # of -2 log L: what another Newton step would gain
_DIFFERENCE = 1e-4
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


def minimize(objective: Objective, x: Array, scale: Array) -> Optimum:
    """The minimum of `objective`, starting from `x`.

    Parameters
    ----------
    objective :
        ``x (d,) -> (value, gradient (d,))``.
    scale :
        (d, d): the search runs over z with ``x = x0 + scale z``, z of order 1.
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

    z = _walk(scaled, np.zeros(len(x)))
    value, gradient = scaled(z)
    escapes = 0
    for _ in range(_NEWTON_STEPS):
        hessian = difference(lambda z: scaled(z)[1], z)
        values, vectors = np.linalg.eigh(hessian)
        if values[0] < -1e-5 * values[-1] and escapes < 3:
            escapes += 1
            z = _walk(scaled, z + 0.1 * vectors[:, 0])
            value, gradient = scaled(z)
            continue
        step, decrement = _newton(values, vectors, gradient)
        if decrement < _DECREMENT:
            break
        z, value, gradient = _descend(scaled, z, value, gradient, step)
    _, decrement = _newton(values, vectors, gradient)
    converged = bool(decrement < 1e-6 and values[0] > -1e-5 * values[-1])
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


def _walk(objective: Objective, z: Array) -> Array:
    from scipy.optimize import minimize as scipy_minimize

    result = scipy_minimize(
        objective,
        z,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxcor": 20,
            "ftol": 1e-11,
            "gtol": 1e-4,
            "maxiter": 500,
            "maxfun": 2000,
        },
    )
    if not np.isfinite(result.fun):
        raise FitError(
            "the likelihood is not finite where the search went; rescale the predictors"
        )
    return np.asarray(result.x, dtype=np.float64)


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
    gradient: Callable[[Array], Array], z: Array, step: float = _DIFFERENCE
) -> Array:
    """The (d, d) Hessian by central differences of an exact gradient, symmetrised."""
    columns = []
    for i in range(len(z)):
        h = np.zeros(len(z))
        h[i] = step * max(1.0, abs(z[i]))
        columns.append((gradient(z + h) - gradient(z - h)) / (2 * h[i]))
    hessian = np.array(columns)
    return 0.5 * (hessian + hessian.T)


def _verdict(converged: bool, decrement: float, values: Array) -> str:
    if converged:
        return "converged: the gradient is nil and the curvature is positive"
    if values[0] <= -1e-5 * values[-1]:
        return "not converged: the likelihood still rises in one direction"
    return (
        f"not converged: another Newton step would change -2 log L by {decrement:.2g}"
    )


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
