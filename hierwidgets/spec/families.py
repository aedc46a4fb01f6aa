"""Outcome distributions and their links, as frozen records of plain functions.

Every family here has a log-likelihood that depends on a row's outcomes only through
their sum `y` and their number `trials`, so equal rows can be collapsed without loss:

- binomial: ``y log p + (trials - y) log(1 - p)``
- poisson: ``y log mu - trials mu``

Functions take the linear predictor `eta`, not the mean: at ``eta = 40`` the mean is 1.0
in floating point and ``log(1 - p)`` would be lost. The formulas for score and weight are
McCullagh & Nelder (1989), Generalized Linear Models, section 2.5.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy

from hierwidgets.base.arrays import Array, expit
from hierwidgets.errors import FormulaError

__all__ = ["LARGEST_COUNT", "Derivatives", "Family", "Link", "family"]


_LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
LARGEST_COUNT = 1e12  # the largest mean for which numpy's counts are used
_TINY = np.finfo(float).tiny


class Derivatives(NamedTuple):
    """Derivatives of the log-likelihood with respect to `eta`; all of shape (n,)."""

    loglik: Array
    score: Array  # first derivative
    weight: Array  # expected negative second derivative (Fisher information)
    weight_slope: Array  # derivative of `weight` with respect to eta
    information: Array  # observed negative second derivative; `weight` if the link is canonical


@dataclass(frozen=True, slots=True)
class Link:
    """A link function: ``forward(mu) = eta`` and ``inverse(eta) = (mu, d mu / d eta)``."""

    name: str
    forward: Callable[[Array], Array]
    inverse: Callable[[Array], tuple[Array, Array]]

    def __repr__(self) -> str:
        return f"Link({self.name})"


@dataclass(frozen=True, slots=True)
class Family:
    """An outcome distribution with its link.

    Attributes
    ----------
    name, link :
        "binomial", "poisson" or "gaussian", and the `Link`.
    derivatives :
        ``(y, trials, eta) -> Derivatives``, each argument of shape (n,).
    loglik :
        ``(y, trials, eta) -> (n,)``, without the counting constant.
    counting :
        ``(y, trials) -> (n,)``: the part of the log-likelihood free of `eta`.
    saturated :
        ``(y, trials) -> (n,)``: the largest value `loglik` can take for that row.
    sample :
        ``(rng, mu, trials) -> (n,)`` outcomes drawn with mean ``trials * mu``.

    Examples
    --------
    >>> import numpy as np
    >>> binomial = family("binomial")
    >>> mu, dmu = binomial.link.inverse(np.array([0.0]))
    >>> float(mu[0]), float(dmu[0])
    (0.5, 0.25)
    """

    name: str
    link: Link
    derivatives: Callable[[Array, Array, Array], Derivatives]
    loglik: Callable[[Array, Array, Array], Array]
    counting: Callable[[Array, Array], Array]
    saturated: Callable[[Array, Array], Array]
    sample: Callable[[np.random.Generator, Array, Array], Array]

    @property
    def canonical(self) -> bool:
        """Whether observed and expected information agree."""
        return (self.name, self.link.name) in {
            ("binomial", "logit"),
            ("poisson", "log"),
            ("gaussian", "identity"),
        }

    def __repr__(self) -> str:
        return f"Family({self.name}, link={self.link.name})"


# --- links --------------------------------------------------------------------------------


# Functions with names, so that a fit can be pickled; scipy loads its parts when first asked for.


def _logit(mu: Array) -> Array:
    eta: Array = scipy.special.logit(mu)
    return eta


def _probit(mu: Array) -> Array:
    eta: Array = scipy.special.ndtri(mu)
    return eta


def _cloglog(mu: Array) -> Array:
    return np.log(-np.log1p(-mu))


def _identity(mu: Array) -> Array:
    return mu


def _inverse_identity(eta: Array) -> tuple[Array, Array]:
    return eta, np.ones_like(eta)


def _inverse_logit(eta: Array) -> tuple[Array, Array]:
    mu = expit(eta)
    return mu, mu * expit(-eta)


def _inverse_probit(eta: Array) -> tuple[Array, Array]:
    return scipy.special.ndtr(eta), np.exp(-0.5 * eta**2 - _LOG_SQRT_2PI)


def _inverse_cloglog(eta: Array) -> tuple[Array, Array]:
    t = np.exp(np.minimum(eta, 700.0))
    return -np.expm1(-t), np.exp(np.minimum(eta, 700.0) - t)


def _inverse_log(eta: Array) -> tuple[Array, Array]:
    mu = np.exp(np.minimum(eta, 700.0))
    return mu, mu


_LINKS = {
    "logit": Link("logit", _logit, _inverse_logit),
    "probit": Link("probit", _probit, _inverse_probit),
    "cloglog": Link("cloglog", _cloglog, _inverse_cloglog),
    "log": Link("log", np.log, _inverse_log),
    "identity": Link("identity", _identity, _inverse_identity),
}


# --- binomial -----------------------------------------------------------------------------
# With a = d log p / d eta and b = -d log(1 - p) / d eta, for any link:
#   score = y a - (n - y) b,   expected information = n a b.


def _logit_derivatives(y: Array, n: Array, eta: Array) -> Derivatives:
    p, q = expit(eta), expit(-eta)
    weight = n * p * q
    loglik = y * eta + n * scipy.special.log_expit(-eta)
    return Derivatives(loglik, y - n * p, weight, weight * (q - p), weight)


def _probit_derivatives(y: Array, n: Array, eta: Array) -> Derivatives:
    log_p, log_q = scipy.special.log_ndtr(eta), scipy.special.log_ndtr(-eta)
    log_density = -0.5 * eta**2 - _LOG_SQRT_2PI
    a, b = np.exp(log_density - log_p), np.exp(log_density - log_q)
    weight = n * a * b
    observed = y * a * (eta + a) + (n - y) * b * (b - eta)
    loglik = y * log_p + (n - y) * log_q
    return Derivatives(loglik, y * a - (n - y) * b, weight, weight * (b - a - 2 * eta), observed)


def _cloglog_derivatives(y: Array, n: Array, eta: Array) -> Derivatives:
    t = np.exp(np.minimum(eta, 700.0))
    inside = np.clip(t, 1e-300, 700.0)
    a = np.where(t > 700.0, 0.0, inside / np.expm1(inside))  # t / expm1(t), from 1 down to 0
    weight = n * a * t
    observed = -y * a * (1.0 - t - a) + (n - y) * t
    loglik = y * _log_cloglog_p(eta, t) - (n - y) * t
    return Derivatives(loglik, y * a - (n - y) * t, weight, weight * (2.0 - t - a), observed)


def _log_cloglog_p(eta: Array, t: Array) -> Array:
    """log(1 - exp(-t)), with t = exp(eta), where t may be too small to represent."""
    small = t < 1e-8
    return np.where(small, eta - 0.5 * t, np.log(-np.expm1(-np.where(small, 1.0, t))))


def _binomial_counting(y: Array, n: Array) -> Array:
    ways: Array = (
        scipy.special.gammaln(n + 1)
        - scipy.special.gammaln(y + 1)
        - scipy.special.gammaln(n - y + 1)
    )
    return ways


def _binomial_saturated(y: Array, n: Array) -> Array:
    rate = y / np.maximum(n, _TINY)
    best: Array = scipy.special.xlogy(y, rate) + scipy.special.xlog1py(n - y, -rate)
    return best


def _binomial_sample(rng: np.random.Generator, mu: Array, n: Array) -> Array:
    return rng.binomial(n.astype(np.int64), mu).astype(np.float64)


# --- poisson ------------------------------------------------------------------------------


def _poisson_derivatives(y: Array, n: Array, eta: Array) -> Derivatives:
    mean = n * np.exp(np.minimum(eta, 700.0))
    return Derivatives(y * eta - mean, y - mean, mean, mean, mean)


def _poisson_saturated(y: Array, n: Array) -> Array:
    best: Array = scipy.special.xlogy(y, y / np.maximum(n, _TINY)) - y
    return best


def _poisson_sample(rng: np.random.Generator, mu: Array, n: Array) -> Array:
    """Counts. From a mean of about 3e13 numpy's have too large a variance (half as much again at
    1e16), and from 9e18 there are none: above LARGEST_COUNT they are normal, whose skewness is
    wrong by less than a millionth."""
    mean = n * mu
    large = mean > LARGEST_COUNT
    counts = rng.poisson(np.where(large, 0.0, mean)).astype(np.float64)
    if large.any():
        z = rng.standard_normal(int(large.sum()))
        counts[large] = np.rint(mean[large] + np.sqrt(mean[large]) * z)
    return counts


# --- gaussian -----------------------------------------------------------------------------
# Up to the residual variance, which the Gaussian model integrates or profiles itself.


def _gaussian_derivatives(y: Array, n: Array, eta: Array) -> Derivatives:
    residual = y - eta
    return Derivatives(-0.5 * n * residual**2, n * residual, n, np.zeros_like(n), n)


def _gaussian_sample(rng: np.random.Generator, mu: Array, n: Array) -> Array:
    return rng.normal(mu, 1.0 / np.sqrt(n))


def _zeros(y: Array, n: Array) -> Array:
    return np.zeros_like(y)


def _poisson_counting(y: Array, n: Array) -> Array:
    factorials: Array = scipy.special.gammaln(y + 1)
    return -factorials


def _make(
    name: str,
    link: str,
    derivatives: Callable[[Array, Array, Array], Derivatives],
    loglik: Callable[[Array, Array, Array], Array],
) -> Family:
    counting, saturated, sample = {
        "binomial": (_binomial_counting, _binomial_saturated, _binomial_sample),
        "poisson": (_poisson_counting, _poisson_saturated, _poisson_sample),
        "gaussian": (_zeros, _zeros, _gaussian_sample),
    }[name]
    return Family(name, _LINKS[link], derivatives, loglik, counting, saturated, sample)


def _logit_loglik(y: Array, n: Array, eta: Array) -> Array:
    loglik: Array = y * eta + n * scipy.special.log_expit(-eta)
    return loglik


def _probit_loglik(y: Array, n: Array, eta: Array) -> Array:
    loglik: Array = y * scipy.special.log_ndtr(eta) + (n - y) * scipy.special.log_ndtr(-eta)
    return loglik


def _cloglog_loglik(y: Array, n: Array, eta: Array) -> Array:
    t = np.exp(np.minimum(eta, 700.0))
    return y * _log_cloglog_p(eta, t) - (n - y) * t


def _poisson_loglik(y: Array, n: Array, eta: Array) -> Array:
    return y * eta - n * np.exp(np.minimum(eta, 700.0))


def _gaussian_loglik(y: Array, n: Array, eta: Array) -> Array:
    return -0.5 * n * (y - eta) ** 2


_FAMILIES = {
    ("binomial", "logit"): _make("binomial", "logit", _logit_derivatives, _logit_loglik),
    ("binomial", "probit"): _make("binomial", "probit", _probit_derivatives, _probit_loglik),
    ("binomial", "cloglog"): _make("binomial", "cloglog", _cloglog_derivatives, _cloglog_loglik),
    ("poisson", "log"): _make("poisson", "log", _poisson_derivatives, _poisson_loglik),
    ("gaussian", "identity"): _make(
        "gaussian", "identity", _gaussian_derivatives, _gaussian_loglik
    ),
}
_CANONICAL = {"binomial": "logit", "poisson": "log", "gaussian": "identity"}


def family(name: str, link: str | None = None) -> Family:
    """The family called `name`, with its canonical link unless `link` names another.

    Parameters
    ----------
    name :
        "binomial", "poisson" or "gaussian".
    link :
        binomial: "logit", "probit", "cloglog"; poisson: "log"; gaussian: "identity".

    Raises
    ------
    FormulaError
        For a family or link that is not in that list.

    Examples
    --------
    >>> family("binomial", "probit")
    Family(binomial, link=probit)
    """
    if not isinstance(name, str) or name not in _CANONICAL:
        raise FormulaError(f"family {name!r} is not known; choose one of {sorted(_CANONICAL)}")
    key = (name, _CANONICAL[name] if link is None else str(link))
    if key not in _FAMILIES:
        allowed = sorted(lk for fam, lk in _FAMILIES if fam == name)
        raise FormulaError(f"link {link!r} is not available for {name}; choose one of {allowed}")
    return _FAMILIES[key]
