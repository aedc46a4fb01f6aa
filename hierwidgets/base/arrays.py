"""Arrays by name, and the two functions of the normal and the logistic distribution."""

import numpy as np
import scipy.special
from numpy.typing import ArrayLike, NDArray

__all__ = ["Array", "Index", "expit", "normal_quantile"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def normal_quantile(level: float) -> float:
    """How many sds the central `level` of a normal distribution reaches to each side.

    Examples
    --------
    >>> round(normal_quantile(0.9), 4)
    1.6449
    """
    return float(scipy.special.ndtri(0.5 + level / 2))


def expit(eta: ArrayLike) -> Array:
    """The inverse logit ``1 / (1 + exp(-eta))``, without overflow; a float for a number.

    Examples
    --------
    >>> float(expit(0.0))
    0.5
    """
    out: Array = scipy.special.expit(eta)
    return out
