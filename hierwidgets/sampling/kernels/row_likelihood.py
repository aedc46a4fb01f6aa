"""The log-likelihood of one row and its derivatives by the linear predictor, per family."""

import math

from .compiled import compiled
from .problem import CLOGLOG, LOGIT, POISSON, PROBIT

__all__ = ["LOG_SQRT_2PI", "curvature", "score", "slope"]

LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
_SQRT_HALF = math.sqrt(0.5)


@compiled
def _log_ndtr(x: float) -> float:
    if x > -20.0:
        return math.log(0.5 * math.erfc(-x * _SQRT_HALF))
    s = 1.0 / (x * x)
    series = 1.0 - s * (1.0 - 3.0 * s * (1.0 - 5.0 * s * (1.0 - 7.0 * s * (1.0 - 9.0 * s))))
    return -0.5 * x * x - math.log(-x) - LOG_SQRT_2PI + math.log(series)


@compiled
def score(family: int, y: float, n: float, eta: float) -> tuple[float, float]:
    """Log-likelihood of a row without constants, and its derivative."""
    if family == LOGIT:
        e = math.exp(-abs(eta))
        small = 1.0 / (1.0 + e)
        p = small if eta > 0 else e * small
        return y * eta - n * (max(eta, 0.0) + math.log(1.0 + e)), y - n * p
    if family == POISSON:
        mean = n * math.exp(min(eta, 700.0))
        return y * eta - mean, y - mean
    if family == PROBIT:
        log_p, log_q = _log_ndtr(eta), _log_ndtr(-eta)
        base = -0.5 * eta * eta - LOG_SQRT_2PI
        slope = y * math.exp(base - log_p) - (n - y) * math.exp(base - log_q)
        return y * log_p + (n - y) * log_q, slope
    if family == CLOGLOG:
        t = math.exp(min(eta, 700.0))
        a = 1.0 if t < 1e-300 else t / math.expm1(min(t, 700.0))
        log_p = eta - 0.5 * t if t < 1e-8 else math.log(-math.expm1(-t))
        return y * log_p - (n - y) * t, y * a - (n - y) * t
    residual = y - eta
    return -0.5 * n * residual * residual, n * residual


@compiled
def curvature(family: int, y: float, n: float, eta: float) -> tuple[float, float, float]:
    """Expected information, its derivative, and the observed information of a row."""
    if family == LOGIT:
        e = math.exp(-abs(eta))
        small = 1.0 / (1.0 + e)
        weight = n * e * small * small
        tilt = (e - 1.0) * small if eta > 0 else (1.0 - e) * small
        return weight, weight * tilt, weight
    if family == POISSON:
        mean = n * math.exp(min(eta, 700.0))
        return mean, mean, mean
    if family == PROBIT:
        base = -0.5 * eta * eta - LOG_SQRT_2PI
        a = math.exp(base - _log_ndtr(eta))
        b = math.exp(base - _log_ndtr(-eta))
        weight = n * a * b
        observed = y * a * (eta + a) + (n - y) * b * (b - eta)
        return weight, weight * (b - a - 2.0 * eta), observed
    if family == CLOGLOG:
        t = math.exp(min(eta, 700.0))
        a = 1.0 if t < 1e-300 else t / math.expm1(min(t, 700.0))
        weight = n * a * t
        observed = -y * a * (1.0 - t - a) + (n - y) * t
        return weight, weight * (2.0 - t - a), observed
    return n, 0.0, n


@compiled
def slope(family: int, y: float, n: float, eta: float) -> tuple[float, float]:
    """First derivative and observed information of a row."""
    if family == LOGIT:
        e = math.exp(-abs(eta))
        small = 1.0 / (1.0 + e)
        return y - n * (small if eta > 0 else e * small), n * e * small * small
    s = score(family, y, n, eta)[1]
    return s, curvature(family, y, n, eta)[2]
