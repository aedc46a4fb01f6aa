"""The likelihood of all rows, with the levels of one scalar group term integrated out."""

import math

import numpy as np

from hierwidgets.base.arrays import Array

from .compiled import compiled
from .logit_levels import logit_levels
from .problem import GAUSSIAN, LOGIT, Data, Integrated
from .row_likelihood import LOG_SQRT_2PI, curvature, score, slope

__all__ = ["likelihood"]


@compiled
def likelihood(
    data: Data, lead: Integrated, base: Array, sd: float, sigma: float, by_row: Array
) -> tuple[float, float, float]:
    """Log-likelihood, and its derivatives by log sd (integrated) and log sigma."""
    if not lead.coordinates:
        value, by_sigma = _direct(data, base, by_row, 1.0 / sigma**2)
        return value, 0.0, by_sigma
    if data.family == GAUSSIAN:
        value, by_sd, by_sigma = _gaussian_levels(data, lead, base, sd, by_row, 1.0 / sigma**2)
        return value, by_sd * sd, by_sigma
    if data.family == LOGIT:
        value, by_sd = logit_levels(
            data.y, data.trials, lead.z, base, lead.starts, sd, lead.begin, lead.node,
            lead.log_weight, by_row,
        )  # fmt: skip
        return value, by_sd * sd, 0.0
    value, by_sd = _quadrature_levels(data, lead, base, sd, by_row)
    return value, by_sd * sd, 0.0


@compiled
def _direct(data: Data, base: Array, grad: Array, inv2: float) -> tuple[float, float]:
    """Rows given all effects; the second value is d / d log sigma of a Gaussian model."""
    value, by_sigma = 0.0, 0.0
    for i in range(base.size):
        n = data.trials[i] * inv2
        ll, s = score(data.family, data.y[i], n, base[i])
        value += ll
        grad[i] = s
        if data.family == GAUSSIAN and n > 0:
            value += 0.5 * math.log(n) - LOG_SQRT_2PI
            by_sigma += -2.0 * ll - 1.0
    return value, by_sigma


@compiled
def _gaussian_levels(
    data: Data, lead: Integrated, base: Array, sd: float, grad: Array, inv2: float
) -> tuple[float, float, float]:
    """A scalar group term of a Gaussian model integrated in closed form."""
    value, by_sd, by_sigma = 0.0, 0.0, 0.0
    for j in range(lead.starts.size - 1):
        A, pull = 1.0, 0.0
        for i in range(lead.starts[j], lead.starts[j + 1]):
            n, zl = data.trials[i] * inv2, lead.z[i] * sd
            A += n * zl * zl
            pull += n * zl * (data.y[i] - base[i])
        u = pull / A
        value += -0.5 * math.log(A) - 0.5 * u * u
        for i in range(lead.starts[j], lead.starts[j + 1]):
            n, z = data.trials[i] * inv2, lead.z[i]
            rest = data.y[i] - base[i] - z * sd * u
            square = rest * rest + z * z * sd * sd / A
            grad[i] = n * rest
            by_sd += n * z * (rest * u - z * sd / A)
            if n > 0:
                value += -0.5 * n * rest * rest + 0.5 * math.log(n) - LOG_SQRT_2PI
                by_sigma += n * square - 1.0
    return value, by_sd, by_sigma


@compiled
def _mode(data: Data, lead: Integrated, base: Array, sd: float, a: int, b: int, u: float) -> float:
    """The maximum of a level's ``sum loglik - u^2 / 2``, which is concave: Newton steps,
    and a bisection where a step leaves the interval known to hold it."""
    low, high = -math.inf, math.inf
    for _ in range(200):
        rise, info = -u, 1.0
        for i in range(a, b):
            zl = lead.z[i] * sd
            s, observed = slope(data.family, data.y[i], data.trials[i], base[i] + zl * u)
            rise += zl * s
            info += zl * zl * observed
        if rise > 0:
            low = u
        else:
            high = u
        new = u + rise / info
        if not low <= new <= high:
            new = u + math.copysign(1.0 + abs(u), rise)
            if low < new < high:
                u = new
                continue
            new = 0.5 * (low + high)
        if abs(new - u) < 1e-4:  # and so the error of `new` is below 1e-8
            return new
        u = new
    return u


@compiled
def _information(
    data: Data, lead: Integrated, base: Array, sd: float, a: int, b: int, u: float
) -> tuple[float, float, float]:
    """Expected and observed information of a level at u, its prior's 1 included, and the
    derivative of the first by u."""
    expected, observed, bent = 1.0, 1.0, 0.0
    for i in range(a, b):
        zl = lead.z[i] * sd
        w, dw, wo = curvature(data.family, data.y[i], data.trials[i], base[i] + zl * u)
        expected += w * zl * zl
        observed += wo * zl * zl
        bent += dw * zl * zl * zl
    return expected, observed, bent


@compiled
def _at_nodes(
    data: Data, lead: Integrated, base: Array, sd: float, a: int, b: int, u: Array,
    scores: Array, terms: Array, pull: Array,
) -> tuple[float, float]:  # fmt: skip
    """A level at the nodes u (K,): log of the largest term of the sum, and the sum over it.

    scores (K, rows), terms (K,), pull (K,) :
        Receive the scores of the rows, the terms' shares of the sum, and the derivatives of
        their logarithms by u.
    """
    top, total = -math.inf, 0.0
    for m in range(u.size):
        terms[m] = lead.log_weight[m] - 0.5 * u[m] * u[m]
        pull[m] = -u[m]
        for i in range(a, b):
            zl = lead.z[i] * sd
            ll, s = score(data.family, data.y[i], data.trials[i], base[i] + zl * u[m])
            terms[m] += ll
            scores[m, i - a] = s
            pull[m] += zl * s
        top = max(top, terms[m])
    for m in range(u.size):
        terms[m] = math.exp(terms[m] - top)
        total += terms[m]
    for m in range(u.size):
        terms[m] /= total
    return top, total


@compiled
def _quadrature_levels(
    data: Data, lead: Integrated, base: Array, sd: float, grad: Array
) -> tuple[float, float]:
    """A scalar group term integrated by adaptive quadrature: see `quadrature.adaptive`."""
    K, widest = lead.node.size, 0
    for j in range(lead.starts.size - 1):
        widest = max(widest, lead.starts[j + 1] - lead.starts[j])
    scores = np.empty((K, widest))
    terms, u, pull = np.empty(K), np.empty(K), np.empty(K)
    value, by_sd = 0.0, 0.0
    for j in range(lead.starts.size - 1):
        a, b = lead.starts[j], lead.starts[j + 1]
        mode = _mode(data, lead, base, sd, a, b, lead.begin[j])
        A, A_observed, bent = _information(data, lead, base, sd, a, b, mode)
        tau = 1.0 / math.sqrt(A)
        for m in range(K):
            u[m] = mode + math.sqrt(2.0) * tau * lead.node[m]
        top, total = _at_nodes(data, lead, base, sd, a, b, u, scores, terms, pull)
        value += math.log(tau) - 0.5 * math.log(math.pi) + top + math.log(total)
        by_scale, by_mode = 0.0, 0.0
        for m in range(K):
            by_scale += terms[m] * pull[m] * lead.node[m]
            by_mode += terms[m] * pull[m]
        c1 = -0.5 * (1.0 + math.sqrt(2.0) * tau * by_scale) / A
        c3 = (by_mode + c1 * bent) / A_observed
        for i in range(a, b):
            z, zl = lead.z[i], lead.z[i] * sd
            eta = base[i] + zl * mode
            w, dw, wo = curvature(data.family, data.y[i], data.trials[i], eta)
            s = score(data.family, data.y[i], data.trials[i], eta)[1]
            mean, mean_u = 0.0, 0.0
            for m in range(K):
                mean += terms[m] * scores[m, i - a]
                mean_u += terms[m] * scores[m, i - a] * u[m]
            r = c1 * dw * zl * zl - c3 * zl * wo
            grad[i] = mean + r
            by_sd += z * (mean_u + r * mode + 2.0 * c1 * w * zl + c3 * s)
    return value, by_sd
