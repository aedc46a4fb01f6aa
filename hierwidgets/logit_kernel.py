r"""One level of a logit model with a single row, integrated quickly: the common case, compiled.

The formulas are those of `quadrature.adaptive`. What is quick is their arithmetic. With
:math:`t = e^\eta` at the mode and nodes symmetric about it, one exponential serves two nodes, and
a term relative to the mode,

.. math:: w_m \exp(-\hat u d_m - d_m^2 / 2 + y z \sigma d_m)
          \left(\frac{1 + t}{1 + t e^{z \sigma d_m}}\right)^n,

needs no logarithm: n is a whole number, and its power a few products.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["LARGEST", "integrated", "mode"]

Array = NDArray[np.float64]

compiled = njit(cache=True, nogil=True, error_model="numpy")
LARGEST = 1000.0  # trials; far below it no power here overflows
_SAFE = 30.0  # and so do linear predictors within it


@compiled
def mode(y: float, n: float, base: float, zl: float, u: float) -> float:
    """The maximum of ``y eta - n log(1 + exp eta) - u^2 / 2`` with ``eta = base + zl u``.

    Halley's method in the concave function's slope, within the interval known to hold the root.
    """
    low, high = -math.inf, math.inf
    for _ in range(200):
        p = 1.0 / (1.0 + math.exp(-base - zl * u))
        slope = zl * (y - n * p) - u
        info = n * p * (1.0 - p) * zl * zl
        bent = info * (1.0 - 2.0 * p) * zl
        info += 1.0
        if slope > 0:
            low = u
        else:
            high = u
        below = 2.0 * info * info + slope * bent
        step = 2.0 * slope * info / below if below > info * info else slope / info
        new = u + step
        if not low <= new <= high:
            new = u + math.copysign(1.0 + abs(u), slope)
            if low < new < high:
                u = new
                continue
            new = 0.5 * (low + high)
        if abs(new - u) < 1e-4:
            return new
        u = new
    return u


@compiled
def _power(x: float, n: int) -> float:
    out = 1.0
    while n > 0:
        if n & 1:
            out *= x
        x *= x
        n >>= 1
    return out


@compiled
def integrated(
    y: float, n: float, z: float, sd: float, base: float, start: float, node: Array, weight: Array
) -> tuple[float, float, float, bool]:
    """Log integral of one level, and its derivatives by its linear predictor and by the sd.

    Parameters
    ----------
    y, n, z :
        Events, trials (a whole number up to `LARGEST`) and the group term's column.
    base :
        The linear predictor without the level's effect.
    start :
        Where the search for the mode begins, in units of the sd.
    node, weight : (K,)
        Gauss-Hermite nodes from lowest to highest, K odd, and weights times ``exp(node^2)``.

    Returns
    -------
    value, by_base, by_sd : float
    safe : bool
        False where the arithmetic could overflow: the other numbers mean nothing then.
    """
    zl = z * sd
    u = mode(y, n, base, zl, start)
    eta = base + zl * u
    if not abs(eta) < _SAFE:
        return 0.0, 0.0, 0.0, False
    t = math.exp(eta)
    p = t / (1.0 + t)
    w = n * p * (1.0 - p)
    A = 1.0 + w * zl * zl
    c = math.sqrt(2.0 / A)
    K, middle = node.size, node.size // 2
    if abs(zl) * c * node[K - 1] > _SAFE or abs(y * zl - u) * c * node[K - 1] > 300.0:
        return 0.0, 0.0, 0.0, False
    s = y - n * p
    total = weight[middle]
    score, score_u, moment, moment_x = s * total, s * total * u, (zl * s - u) * total, 0.0
    whole, linear, tilt = int(n), (y * zl - u) * c, zl * c
    for m in range(middle):
        x = node[K - 1 - m]
        side, tall = math.exp(linear * x), math.exp(tilt * x)
        flat = weight[m] * math.exp(-0.5 * c * c * x * x)
        for sign in range(2):
            if sign == 1:
                x, side, tall = -x, 1.0 / side, 1.0 / tall
            tm = t * tall
            here = flat * side * _power((1.0 + t) / (1.0 + tm), whole)
            sm, um = y - n * tm / (1.0 + tm), u + c * x
            pull = zl * sm - um
            total += here
            score += here * sm
            score_u += here * sm * um
            moment += here * pull
            moment_x += here * pull * x
    score, score_u, moment, moment_x = (
        score / total, score_u / total, moment / total, moment_x / total
    )  # fmt: skip
    value = -0.5 * (math.log(math.pi * A) + u * u) + y * eta + math.log(total) - n * (
        max(eta, 0.0) + math.log1p(math.exp(-abs(eta)))
    )  # fmt: skip
    dw = w * (1.0 - 2.0 * p)
    c1 = -0.5 * (1.0 + c * moment_x) / A
    c3 = (moment + c1 * dw * zl * zl * zl) / A
    r = c1 * dw * zl * zl - c3 * zl * w
    by_sd = z * (score_u + r * u + 2.0 * c1 * w * zl + c3 * s)
    return value, score + r, by_sd, True
