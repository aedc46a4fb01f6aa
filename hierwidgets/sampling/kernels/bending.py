"""Log sds and partial correlations from their bent coordinates, and derivatives back.

A coordinate x of an sd or correlation is bent: it stands for ``log sd (or z) = centre +
x sqrt(1 + a x^2)``, close to x near the centre and to sqrt(a) x^2 far from it, which turns the
exponential tails that a posterior has in log sd and z (an sd may be 0, a correlation 1; half-t
priors reach far) into normal ones. The bend a differs between the two tails.
"""

import math

from hierwidgets.base.arrays import Array

from .compiled import compiled
from .problem import Bends

__all__ = ["natural", "natural_reverse"]


@compiled
def natural(bends: Bends, x: Array) -> Array:
    """x with log sds and z in the place of their bent coordinates."""
    out = x.copy()
    for m in range(bends.at.size):
        s = x[bends.at[m]]
        a = bends.by[m, 1 if s > 0.0 else 0]
        out[bends.at[m]] = bends.centre[m] + s * math.sqrt(1.0 + a * s * s)
    return out


@compiled
def natural_reverse(bends: Bends, x: Array, grad: Array) -> float:
    """The log Jacobian of `natural`; `grad` is led back to x, the Jacobian's added."""
    value = 0.0
    for m in range(bends.at.size):
        i = bends.at[m]
        a = bends.by[m, 1 if x[i] > 0.0 else 0]
        s2 = a * x[i] * x[i]
        slope = (1.0 + 2.0 * s2) / math.sqrt(1.0 + s2)
        value += math.log(slope)
        grad[i] = grad[i] * slope + a * x[i] * (4.0 / (1.0 + 2.0 * s2) - 1.0 / (1.0 + s2))
    return value
