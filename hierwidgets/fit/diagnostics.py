"""What a fit says about its data: fitted values, residuals, shares of variance, exact means."""

import numpy as np
import pandas as pd
import scipy

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_whole
from hierwidgets.errors import DataError, FitError
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import fixed_only
from hierwidgets.likelihood.quadrature import nodes
from hierwidgets.spec.responses import observed, observed_trials

from .record import FitRecord

__all__ = ["conditional_means", "design_effect", "fitted", "icc", "r2", "residuals"]


_LATENT = {"logit": np.pi**2 / 3, "probit": 1.0, "cloglog": np.pi**2 / 6}
_METHODS = {
    "gaussian": ("residual",),
    "binomial": ("latent", "delta"),
    "poisson": ("lognormal", "delta", "trigamma"),
}
_NODES = 31


def fitted(fit: FitRecord) -> pd.Series:
    """Means at the conditional modes, one per observation."""
    mu = fit.family.link.inverse(fit.modes.eta)[0][fit.design.rows]
    return pd.Series(mu, index=fit.design.data.index, name="fitted")


def residuals(fit: FitRecord, kind: str) -> pd.Series:
    """Residuals at the conditional modes, one per observation."""
    kinds = {"response": _response, "pearson": _pearson, "deviance": _deviance}
    if kind not in kinds:
        raise DataError(f"kind={kind!r} is not known; choose one of {list(kinds)}")
    y, trials = observed(fit.design, fit.family), observed_trials(fit.design)
    eta = fit.modes.eta[fit.design.rows]
    values = kinds[kind](fit, y, trials, eta)
    return pd.Series(values, index=fit.design.data.index, name=kind)


def _response(fit: FitRecord, y: Array, trials: Array, eta: Array) -> Array:
    difference: Array = y / trials - fit.family.link.inverse(eta)[0]
    return difference


def _pearson(fit: FitRecord, y: Array, trials: Array, eta: Array) -> Array:
    """Score over root information: (y - mu) / sd, also where mu rounds to 1."""
    weights = fit.design.weights
    if fit.family.name == "gaussian":
        return _response(fit, y, trials, eta) * np.sqrt(weights * trials)
    at = fit.family.derivatives(y, trials, eta)
    scaled: Array = at.score * np.sqrt(weights / at.weight)
    return scaled


def _deviance(fit: FitRecord, y: Array, trials: Array, eta: Array) -> Array:
    """sign(y - mu) sqrt(2 w (saturated - loglik)): McCullagh & Nelder (1989), section 2.4."""
    family = fit.family
    if family.name == "gaussian":
        return _pearson(fit, y, trials, eta)
    gap = family.saturated(y, trials) - family.loglik(y, trials, eta)
    size = np.sqrt(2.0 * fit.design.weights * np.maximum(gap, 0.0))
    signed: Array = np.sign(_response(fit, y, trials, eta)) * size
    return signed


# --- shares of variance -------------------------------------------------------------------


def icc(fit: FitRecord) -> pd.Series:
    """Share of the variance that lies between the levels of each group."""
    variances = _variances(fit)
    between = sum(variances.values())
    total = between + _own_variance(fit, between, _METHODS[fit.family.name][0])
    groups = list(variances)
    return pd.Series([variances[g] / total for g in groups], index=groups, name="icc")


def r2(fit: FitRecord, method: str | None = None) -> pd.Series:
    """Shares of the variance explained by the predictors, and by predictors and groups."""
    able = _METHODS[fit.family.name]
    if method is not None and method not in able:
        raise DataError(
            f"method={method!r} is not one for a {fit.family.name} model; choose one of "
            f"{list(able)}, or None for the first"
        )
    fixed = float(np.var(fit.design.X[fit.design.rows] @ fit.beta, ddof=1))
    between = sum(_variances(fit).values())
    total = fixed + between + _own_variance(fit, between, method or able[0])
    shares = {"marginal": fixed / total, "conditional": (fixed + between) / total}
    return pd.Series(shares, name="r2")


def _variances(fit: FitRecord) -> dict[str, float]:
    """``z Sigma z'`` of each group's effects, averaged over the observations."""
    out: dict[str, float] = {}
    sizes = np.bincount(fit.design.rows, minlength=len(fit.design.y))
    for term, L in zip(fit.design.terms, fit.design.template.factors(fit.theta), strict=True):
        effect = fit.sigma * term.Z @ L
        variance = float(np.average((effect**2).sum(axis=1), weights=sizes))
        out[term.group] = out.get(term.group, 0.0) + variance
    return out


def _own_variance(fit: FitRecord, between: float, method: str) -> float:
    """The variance within a level, on the scale of the linear predictor.

    By Nakagawa, Johnson & Schielzeth (2017), table 2; "delta" is the variance of one outcome of
    average mean, over the squared slope of the inverse link there.
    """
    if method == "residual":
        return fit.sigma**2
    if method == "latent":
        return _LATENT[fit.family.link.name]
    mean = _average_mean(fit, between)
    if method == "lognormal":
        return float(np.log1p(1.0 / mean))
    if method == "trigamma":
        return float(scipy.special.polygamma(1, mean))
    slope = fit.family.link.inverse(fit.family.link.forward(np.array([mean])))[1]
    variance = mean if fit.family.name == "poisson" else mean * (1.0 - mean)
    return float(variance / slope[0] ** 2)


def _average_mean(fit: FitRecord, between: float) -> float:
    """The expected outcome, averaged over the observations and the distribution of effects."""
    design = fit.design
    eta = (design.X @ fit.beta + design.offset)[design.rows]
    if fit.family.name == "poisson":
        return float(np.mean(np.exp(eta + between / 2)))
    x, log_weight = nodes(_NODES)
    share = np.exp(log_weight - x**2) / np.sqrt(np.pi)
    mu = fit.family.link.inverse(eta[:, None] + np.sqrt(2.0 * between) * x)[0]
    return float(np.mean(mu @ share))


def design_effect(fit: FitRecord) -> pd.DataFrame:
    """Variance of each coefficient, relative to a model without group effects."""
    pooled = _pooled_errors(fit)
    frame = pd.DataFrame({"std_error": fit.std_error, "std_error_pooled": pooled})
    frame["design_effect"] = (frame["std_error"] / frame["std_error_pooled"]) ** 2
    return frame


def _pooled_errors(fit: FitRecord) -> Array:
    design, family = fit.design, fit.family
    X = design.X
    if family.name == "gaussian":
        root = np.sqrt(design.trials)
        Xw, yw = X * root[:, None], (design.y - design.offset) * root
        beta = np.linalg.lstsq(Xw, yw, rcond=None)[0]
        df = int((design.trials > 0).sum()) - X.shape[1]
        weight = design.trials * df / float(np.sum((yw - Xw @ beta) ** 2))
    else:
        eta = X @ fixed_only(design, family) + design.offset
        weight = family.derivatives(design.y, design.trials, eta).weight
    covariance = np.linalg.inv((X * weight[:, None]).T @ X)
    errors: Array = np.sqrt(np.diag(covariance))
    return errors


# --- conditional means --------------------------------------------------------------------


def conditional_means(fit: FitRecord, n_nodes: int) -> pd.DataFrame:
    """Conditional means and sds of a scalar term's effects, by quadrature."""
    n_nodes = check_whole(n_nodes, "n_nodes", 2, 100, "nodes")
    terms = fit.design.terms
    if len(terms) > 1 or terms[0].k > 1:
        found = ", ".join(f"({' + '.join(t.names)} | {t.group})" for t in terms)
        raise FitError(
            f"conditional means need one group term with one coefficient; the fit has {found}. "
            "fit.ranef has the conditional modes"
        )
    normal = fit.family.name == "gaussian"
    mean, sd, response = _gaussian_means(fit) if normal else _means(fit, n_nodes)
    return pd.DataFrame(
        {
            "group": terms[0].group,
            "term": terms[0].names[0],
            "level": terms[0].levels,
            "mean": mean,
            "sd": sd,
            "response": _by_level(fit, response),
        }
    )


def _gaussian_means(fit: FitRecord) -> tuple[Array, Array, Array]:
    """The conditional distribution is normal: its mean is the mode."""
    return fit.modes.b[0][:, 0], fit.modes.sd[0][:, 0], fit.modes.eta


def _means(fit: FitRecord, n_nodes: int) -> tuple[Array, Array, Array]:
    """Posterior means of ``b_j`` (J,), their sds, and of the mean of each row (n,).

    The weights of the nodes are those of the adaptive quadrature in `quadrature`.
    """
    design, family = fit.design, fit.family
    term, lay = design.terms[0], layout(design)
    x, log_weight = nodes(n_nodes)
    mode, scale = fit.modes.b[0], fit.modes.sd[0]
    if fit.theta[0] == 0:
        return mode[:, 0], scale[:, 0], family.link.inverse(fit.modes.eta)[0]
    b = mode + np.sqrt(2.0) * scale * x
    base = design.X @ fit.beta + design.offset
    eta = base[:, None] + term.Z * b[term.codes]
    loglik = lay.sum(family.loglik(design.y[:, None], design.trials[:, None], eta))
    log_share = log_weight + loglik - 0.5 * (b / fit.theta[0]) ** 2
    share = np.exp(log_share - log_share.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    mean = (share * b).sum(axis=1)
    sd = np.sqrt((share * (b - mean[:, None]) ** 2).sum(axis=1))
    return mean, sd, (share[term.codes] * family.link.inverse(eta)[0]).sum(axis=1)


def _by_level(fit: FitRecord, values: Array) -> Array:
    """Averages of the rows' values over the observations of each level."""
    term, rows = fit.design.terms[0], fit.design.rows
    total = np.bincount(term.codes[rows], values[rows], minlength=term.J)
    return total / np.bincount(term.codes[rows], minlength=term.J)
