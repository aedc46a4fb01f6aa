"""Families of priors with one scale to turn, and where a model's own priors stand among them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.special import betaincinv, betaln

from hierwidgets.base.arrays import Array
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.sampling.density import log_prior
from hierwidgets.sampling.prior_codes import coded
from hierwidgets.sampling.priors import (
    Prior,
    Priors,
    exponential,
    flat,
    gamma,
    lkj,
    normal,
    resolve,
    student_t,
)
from hierwidgets.spec.design import Design
from hierwidgets.spec.parameters import Parameter

__all__ = [
    "ETAS", "OWN", "SCALES", "SHAPES", "Turned", "parameter_prior", "prior_density",
    "prior_quantiles", "priors_of", "start",
]  # fmt: skip

SCALES, ETAS = (0.05, 25.0), (0.2, 50.0)
OWN = "as drawn"
SHAPES: Mapping[str, tuple[str, ...]] = {
    "coefficient": ("flat", "normal", "t, 3 df", "Cauchy"),
    "sd": ("flat", "half-normal", "half-t, 3 df", "half-Cauchy", "exponential", "gamma, 0 at 0"),
}
FREEDOM = {"t, 3 df": 3.0, "half-t, 3 df": 3.0, "Cauchy": 1.0, "half-Cauchy": 1.0}


class Turned(NamedTuple):
    """Where the priors of a model are turned to.

    `sd_shape` and `coefficient_shape` are of `SHAPES`, or `OWN`: the prior of the draws.
    """

    sd_shape: str
    sd_scale: float
    coefficient_shape: str
    coefficient_scale: float
    eta: float


def start(post: Posterior) -> Turned:
    """Where the priors stand under which the draws were made.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> start(hw.load_posterior("finland"))
    Turned(sd_shape='half-t, 3 df', sd_scale=2.5, coefficient_shape='t, 3 df', \
coefficient_scale=2.5, eta=1.0)
    """
    found = resolve(replace(post.priors, by_name={}), post.design, post.family)
    slopes = [p for i, p in enumerate(found.coefficients) if i != found.intercept]
    coefficient = [*slopes, *found.coefficients, flat()][0]
    sds = [prior for own in found.sds for prior in own]
    eta = next((eta for etas in found.corrs for eta in etas), 1.0)
    return Turned(
        *_read(sds[0] if sds else flat(), "half-"), *_read(coefficient, ""),
        float(np.clip(eta, *ETAS)),
    )  # fmt: skip


def _read(prior: Prior, half: str) -> tuple[str, float]:
    """Shape and scale of a prior; one that no shape has is `OWN`."""
    a, scale = prior.parameters, 2.5
    shape = OWN
    if prior.kind == "flat":
        shape = "flat"
    elif prior.kind == "normal" and a[0] == 0:
        shape, scale = f"{half}normal", a[1]
    elif prior.kind == "student_t" and a[1] == 0 and a[0] in (1.0, 3.0):
        shape, scale = f"{half}{'Cauchy' if a[0] == 1 else 't, 3 df'}", a[2]
    elif prior.kind == "exponential" and half:
        shape, scale = "exponential", 1 / a[0]
    elif prior.kind == "gamma" and a[0] == 2 and half:
        shape, scale = "gamma, 0 at 0", 1 / a[1]
    if not SCALES[0] <= scale <= SCALES[1]:
        return OWN, 2.5
    return shape, scale


def shaped(shape: str, scale: float) -> Prior:
    """The prior of that shape and scale."""
    if shape == "flat":
        return flat()
    if shape in FREEDOM:
        return student_t(FREEDOM[shape], 0.0, scale)
    if shape == "exponential":
        return exponential(1 / scale)
    return gamma(2.0, 1 / scale) if shape.startswith("gamma") else normal(0.0, scale)


def priors_of(post: Posterior, turned: Turned, at_start: Turned) -> Priors:
    """The priors of a model, turned; what stands where it was at the start is as it was drawn.

    Without predictors it is the intercept whose prior is turned. Parameters with a prior of
    their own, by name, keep it.
    """
    changes: dict[str, Any] = {}
    if turned[:2] != at_start[:2] and turned.sd_shape != OWN:
        changes["sd"] = shaped(*turned[:2])
    if turned[2:4] != at_start[2:4] and turned.coefficient_shape != OWN:
        name = "coefficients" if has_slopes(post.design) else "intercept"
        changes[name] = shaped(*turned[2:4])
    if turned.eta != at_start.eta:
        changes["corr"] = lkj(turned.eta)
    return replace(post.priors, **changes) if changes else post.priors


def has_slopes(design: Design) -> bool:
    """Whether there is a coefficient besides the intercept."""
    return any(name != "Intercept" for name in design.names)


# --- the prior of one parameter -----------------------------------------------------------


def parameter_prior(post: Posterior, priors: Priors, parameter: Parameter) -> Prior | None:
    """The prior of one parameter; None where it is no single distribution we can write down.

    A correlation's is LKJ's margin, ``lkj(eta + (k - 2) / 2)`` of two columns, where k are
    correlated. The intercept of a centred design has none: it is the sum of several.
    """
    found = resolve(priors, post.design, post.family)
    if parameter.kind == "sigma":
        return found.sigma
    if parameter.kind == "sd":
        return found.sds[parameter.term][parameter.i]
    if parameter.kind == "corr":
        blocks = post.design.terms[parameter.term].blocks
        etas = found.corrs[parameter.term]
        own = next(n for n, block in enumerate(blocks) if parameter.i in block)
        return lkj(etas[own] + (len(blocks[own]) - 2) / 2)
    if parameter.i == found.intercept and np.count_nonzero(found.centre) > 1:
        return None
    return found.coefficients[parameter.i]


def prior_density(prior: Prior, at: Array, positive: bool) -> Array:
    """Its density at places (m,); a flat one is shared evenly by the places."""
    if prior.kind == "lkj":
        a = prior.parameters[0]
        log = (a - 1) * np.log(np.maximum(1 - at**2, 1e-12))
        return np.asarray(np.exp(log - betaln(a, a) - (2 * a - 1) * np.log(2)))
    if prior.kind == "flat":
        return np.full(len(at), 1 / (at[-1] - at[0]))
    code = coded(prior)
    own = 1.0  # where both know it, scipy's and the one without its constant
    if prior.kind == "uniform":
        own = float(np.nextafter(prior.parameters[1], prior.parameters[0]))
    constant = prior.log_density(own, positive) - float(log_prior(*code, np.array([own]))[0])
    with np.errstate(divide="ignore"):
        height = np.exp(log_prior(*code, at) + constant)
    return np.where(at >= 0, height, 0.0) if positive else np.asarray(height)


def prior_quantiles(prior: Prior, shares: Array, positive: bool) -> Array:
    """Its quantiles; NaN for a flat prior."""
    if prior.kind == "lkj":
        a = prior.parameters[0]
        return np.asarray(2 * betaincinv(a, a, shares) - 1)
    if not prior.proper:
        return np.full(len(shares), np.nan)
    return prior.quantiles(shares, positive)
