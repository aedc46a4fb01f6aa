"""A quadratic approximation of the log-likelihood at a reference fit, which makes the chart.

It changes how fast the sampler is, never what it converges to.
"""

from dataclasses import dataclass

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.errors import FitError
from hierwidgets.likelihood import estimate, gaussian
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

__all__ = ["Reference", "reference"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A quadratic approximation of the log-likelihood at a fit: all in the order of rows.

    Attributes
    ----------
    weight, response : (n,)
        Information of the linear predictor and the working response, offset taken off.
    sds : list of (k,)
        Sds of the effects, per term.
    sigma : float
        Residual sd of a Gaussian model, else 1.
    modes : list of (J, k)
        Standardised effects, per term.
    """

    weight: Array
    response: Array
    sds: list[Array]
    sigma: float
    modes: list[Array]


def reference(design: Design, family: Family) -> Reference:
    """The quadratic approximation at the maximum likelihood fit; where there is none, at
    smoothed outcomes."""
    try:
        if family.name == "gaussian":
            g = gaussian.maximize(design, reml=True)
            factors = design.template.factors(g.theta)
            return Reference(
                design.trials / g.sigma**2,
                design.y - design.offset,
                [g.sigma * np.sqrt((L**2).sum(axis=1)) for L in factors],
                g.sigma,
                g.modes.u,
            )
        m = estimate.maximize(design, family)
        eta, factors = m.modes.eta, design.template.factors(m.theta)
        sds, u = [np.sqrt((L**2).sum(axis=1)) for L in factors], m.modes.u
    except FitError:
        eta = _smoothed(design, family)
        sds = [np.full(t.k, 0.5) for t in design.terms]
        u = [np.zeros((t.J, t.k)) for t in design.terms]
        if family.name == "gaussian":
            sigma = max(float(np.std(design.y)), 1e-8)
            return Reference(design.trials / sigma**2, design.y - design.offset, sds, sigma, u)
    d = family.derivatives(design.y, design.trials, eta)
    weight = np.maximum(d.weight, 1e-8)
    return Reference(weight, eta + d.score / weight - design.offset, sds, 1.0, u)


def _smoothed(design: Design, family: Family) -> Array:
    if family.name == "binomial":
        return family.link.forward((design.y + 0.5) / (design.trials + 1.0))
    if family.name == "poisson":
        return family.link.forward((design.y + 0.5) / np.maximum(design.trials, 1e-8))
    return design.y.copy()
