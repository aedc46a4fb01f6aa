r"""The log posterior density at a point x (`problem` draws it), and its gradient.

Compiled by numba, without the interpreter lock, so that chains run side by side. The formulas
are those of `likelihood.density`, `likelihood.quadrature` and `priors`, which the tests compare
with; why these coordinates is explained in `chart`.

It is for what importance sampling leaves: more coordinates than `importance.MOST_COORDINATES`
(crossed factors of many levels, `(1 + x + z | g)` with many groups), weights that are not sound,
and whoever wants chains. These need hundreds of thousands of gradients, one at a time. Microseconds
of processor time for one, and for the value alone by `density`, which has no gradient; compiling
takes about 40 seconds, once:

    ==============================  ===========  ========  =====================  ================
    model                           coordinates  compiled  differences in NumPy   value in NumPy
    ==============================  ===========  ========  =====================  ================
    Finland                                   2        17                    419
    Great Britain                             2        42                    650
    several countries                        18       101                  4,398               749
    the same, 5,126 persons                  25       520                 62,551             1,192
    ==============================  ===========  ========  =====================  ================

NumPy's time for one point is that of its calls, so a gradient of its own would take a few times
that of the value, and hold the interpreter's lock against the other chains.

Derivatives are led back by hand, from the value to x: ``v_bar`` is the derivative of the log
density by v, and so on. numba is imported with this module, and only when somebody samples.
"""

import math

import numpy as np

from hierwidgets.base.arrays import Array

from .bending import natural, natural_reverse
from .compiled import compiled
from .covariances import covariances, covariances_reverse
from .levels import likelihood
from .predictor import linear_predictor, transpose
from .prior_densities import coefficient_prior, effects_prior, sd_prior
from .problem import GAUSSIAN, Problem
from .whitening import unwhiten, unwhiten_reverse

__all__ = ["log_density"]

FARTHEST = 100.0  # log sds and z beyond this overflow


@compiled
def log_density(q: Problem, x: Array, grad: Array) -> float:
    """Log posterior density at x, up to a constant; its gradient (d,) goes to `grad`."""
    straight = natural(q.bends, x)
    for i in range(x.size - q.whitening.r.size):
        if not abs(straight[i]) < FARTHEST:
            return -math.inf
    value = _log_density(q, straight, grad)
    return value + natural_reverse(q.bends, x, grad)


@compiled
def _log_density(q: Problem, x: Array, grad: Array) -> float:
    """`log_density` with log sds and z in the place of their bent coordinates."""
    lead, pieces, priors = q.integrated, q.pieces, q.priors
    T, d, p = pieces.sizes.size, q.whitening.r.size, q.data.Q.shape[1]
    at_sigma, xi = x.size - d - 1, x[x.size - d :]
    grad[:] = 0.0
    value, sd, sigma = 0.0, 0.0, 1.0
    if lead.coordinates:
        sd = math.exp(x[0])
        lp, grad[0] = sd_prior(priors.sd_kind[0, 0], priors.sd_par[0, 0], x[0])
        value += lp
    if q.data.family == GAUSSIAN:
        sigma = math.exp(x[at_sigma])
        lp, grad[at_sigma] = sd_prior(priors.sigma_kind, priors.sigma_par, x[at_sigma])
        value += lp
    factors = np.zeros((T, pieces.widest, pieces.widest))
    inverses, inverse_bar = np.zeros_like(factors), np.zeros_like(factors)
    covariances(pieces, lead.coordinates, x, factors, inverses)
    v, C, v_bar = np.empty(d), np.zeros(q.whitening.H.size), np.zeros(d)
    value += unwhiten(q.whitening, pieces, xi, inverses, v, C)
    if not math.isfinite(value):
        return -math.inf
    by_row = np.empty(q.data.y.size)
    base = linear_predictor(q.data, pieces, v)
    ll, by_sd, by_sigma = likelihood(q.data, lead, base, sd, sigma, by_row)
    value += ll
    transpose(q.data, pieces, by_row, v_bar)
    if lead.coordinates:
        grad[0] += by_sd
    if q.data.family == GAUSSIAN:
        grad[at_sigma] += by_sigma
    value += coefficient_prior(priors, v, v_bar)
    value += effects_prior(pieces, p, v, factors, inverses, v_bar, inverse_bar)
    unwhiten_reverse(q.whitening, pieces, v, C, v_bar, grad[x.size - d :], inverse_bar)
    value += covariances_reverse(
        pieces, priors, lead.coordinates, x, factors, inverses, inverse_bar, grad
    )
    return value if math.isfinite(value) else -math.inf
