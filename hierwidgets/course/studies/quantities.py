r"""Quantities of interest from draws: averages over imagined groups, other priors, the article.

`population_draws` averages the probability over groups that nobody has seen. `prior_weights`
says how much each draw would count under another prior of the sds, `weighted` summarises draws
that count differently. `rule_curves` are the quantities over competitiveness. `article` holds
what the article of 2015 shows, `beside_article` puts ours beside it.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.spec import rows as prediction

from .store import stored_table

__all__ = [
    "article",
    "article_curves",
    "beside_article",
    "population_draws",
    "prior_weights",
    "rule_curves",
    "weighted",
]


_NODES = 21
_STEP = 1e-3  # of the differences that make a slope
QUANTITIES = (
    "probability",
    "marginal effect",
    "first difference",
    "difference of marginal effects",
)


# --- averages over imagined groups ---------------------------------------------------------


def population_draws(post: Posterior, newdata: pd.DataFrame) -> Array:
    r"""The probability of each row, averaged over all groups the model imagines: draws (n, S).

    .. math:: \int \mathrm{logit}^{-1}\bigl(x\beta + \sqrt{v}\,t\bigr)\,\phi(t)\,dt,
              \qquad v = \sum_t z_t' \Sigma_t z_t

    for every draw of beta and of the covariances Sigma, by Gauss-Hermite quadrature: the group
    effects of a row add up to one normal variable (Zeger, Liang & Albert 1988, Biometrics 44(4)).

    Parameters
    ----------
    post
        Draws of a model with a binomial outcome.
    newdata
        The predictors; grouping factors are not asked for.

    Examples
    --------
    >>> import hierwidgets as hw, pandas as pd
    >>> from hierwidgets.course.studies.quantities import population_draws
    >>> post = hw.load_posterior("uk")
    >>> draws = population_draws(post, pd.DataFrame(index=[0]))
    >>> typical = post.predict(pd.DataFrame(index=[0]), re_formula="~0")["estimate"]
    >>> bool(np.median(draws) > typical.item())
    True
    """
    kept = [np.zeros(term.k, dtype=bool) for term in post.design.terms]
    new = prediction.rows_of(post.design, newdata, kept, "population")
    beta = post.draws.beta.reshape(-1, post.draws.beta.shape[-1])
    mean = new.X @ beta.T + new.offset[:, None]
    variance = np.zeros_like(mean)
    for Z, factor in zip(_columns(post, newdata), post.draws.factors, strict=True):
        spread = np.einsum("nk,skl->nsl", Z, factor.reshape(-1, *factor.shape[-2:]))
        variance += np.einsum("nsl,nsl->ns", spread, spread)
    x, w = hermegauss(_NODES)
    rate = np.zeros_like(mean)
    for node, weight in zip(x, w / w.sum(), strict=True):
        rate += weight * post.family.link.inverse(mean + np.sqrt(variance) * node)[0]
    return rate


def _columns(post: Posterior, newdata: pd.DataFrame) -> list[Array]:
    """What each group term multiplies its effects with: 1, or a column of the data."""
    out = []
    for term in post.design.terms:
        values = [
            np.ones(len(newdata)) if name == "Intercept" else newdata[name].to_numpy(float)
            for name in term.names
        ]
        out.append(np.column_stack(values))
    return out


# --- other priors ---------------------------------------------------------------------------


def prior_weights(post: Posterior) -> Array:
    r"""How much each draw counts if rstanarm's prior of the sds takes the place of brms's: (S,).

    rstanarm's `decov` prior with its defaults (Goodrich et al., rstanarm's vignette on priors):
    the sds of a term with k coefficients are :math:`\tau\sqrt{k\,p_i}` with tau exponential(1)
    and p uniform on the simplex. For k = 1 that is an exponential sd; for k = 2, with
    :math:`r^2 = \sigma_0^2 + \sigma_1^2`, the density is proportional to
    :math:`e^{-r/\sqrt 2}\,\sigma_0\sigma_1 / r^3`. The correlation has the same prior in both. The
    weights are the ratio to brms's half Student t (3 degrees of freedom, scale 2.5), and add up
    to 1 (importance sampling; Gelman et al. 2013, Bayesian Data Analysis, section 10.4).

    Parameters
    ----------
    post
        Draws of the several-countries model with brms's default priors.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.course.studies.quantities import prior_weights
    >>> weights = prior_weights(hw.load_posterior("finland"))
    >>> round(float(weights.sum()), 6)
    1.0
    """
    log_ratio = np.zeros(post.draws.sigma.size)
    for factor in post.draws.factors:
        L = factor.reshape(-1, *factor.shape[-2:])
        sds = np.sqrt(np.einsum("skl,skl->sk", L, L))
        log_ratio += _decov(sds) - _half_t(sds)
    weights = np.exp(log_ratio - log_ratio.max())
    scaled: Array = weights / weights.sum()
    return scaled


def _decov(sds: Array) -> Array:
    """Log density of the sds of one term (S, k), up to a constant."""
    if sds.shape[1] > 2:
        raise DataError(f"the term has {sds.shape[1]} coefficients; the density is for 1 or 2")
    if sds.shape[1] == 1:
        alone: Array = -sds[:, 0]
        return alone
    r = np.hypot(sds[:, 0], sds[:, 1])
    both: Array = -r / np.sqrt(2) + np.log(sds).sum(axis=1) - 3 * np.log(r)
    return both


def _half_t(sds: Array) -> Array:
    total: Array = (-2 * np.log1p((sds / 2.5) ** 2 / 3)).sum(axis=1)
    return total


def weighted(values: Array, weights: Array | None = None, level: float = 0.9) -> pd.DataFrame:
    """Median and central interval of draws (m, S) that count by `weights` (S,).

    Returns
    -------
    DataFrame
        ``estimate conf_low conf_high``, a row for each row of `values`.

    Examples
    --------
    >>> from hierwidgets.course.studies.quantities import weighted
    >>> weighted(np.array([[1.0, 2.0, 3.0]]), np.array([0.98, 0.01, 0.01])).iloc[0].to_list()
    [1.0, 1.0, 1.0]
    """
    values, wanted = np.atleast_2d(values), [0.5, (1 - level) / 2, (1 + level) / 2]
    columns = ["estimate", "conf_low", "conf_high"]
    if weights is None:
        return pd.DataFrame(np.quantile(values, wanted, axis=1).T, columns=columns)
    rows = []
    for row in values:
        order = np.argsort(row)
        places = np.searchsorted(np.cumsum(weights[order]), wanted)
        rows.append(row[order[np.minimum(places, len(row) - 1)]])
    return pd.DataFrame(rows, columns=columns)


# --- the article ---------------------------------------------------------------------------


def article() -> pd.DataFrame:
    """What can be read off Figures 1 to 4 of the article, to about .05.

    Rainey, Carlisle. 2015. "Strategic Mobilization." *Electoral Studies* 37: 86-98.

    Returns
    -------
    DataFrame
        ``figure quantity rules competitiveness value``; no rules where both are compared.

    Examples
    --------
    >>> from hierwidgets.course.studies.quantities import article
    >>> article().groupby("figure").size().to_dict()
    {1: 5, 2: 3, 3: 3, 4: 1}
    """
    return stored_table("article", ["article"]).fillna({"rules": ""})


def article_curves(post: Posterior, at: Array, target: str = "typical") -> dict[str, pd.DataFrame]:
    """The four quantities of the article over competitiveness, at the medians of the covariates.

    Parameters
    ----------
    post
        ``hw.load_posterior("rainey2015_individual")``.
    at
        Values of competitiveness.
    target
        "typical": district and election effects 0. "population": averaged over them.

    Returns
    -------
    dict
        By quantity: ``x series estimate conf_low conf_high``, medians and 90 % intervals.
    """
    if target not in ("typical", "population"):
        raise DataError(f"target={target!r}; choose 'typical' or 'population'")
    return _curves(lambda x, smd: _rate(post, x, smd, target), at)


def rule_curves(post: Posterior, at: Array) -> dict[str, pd.DataFrame]:
    """The same four quantities by the page's model, for a typical district: all effects 0.

    Parameters
    ----------
    post
        ``hw.load_posterior("rainey2015")``, or draws of the same formula.
    at
        Values of competitiveness.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.course.studies.quantities import rule_curves
    >>> found = rule_curves(hw.load_posterior("rainey2015"), [0.8])
    >>> found["first difference"]["estimate"].round(2).to_list()
    [0.37]
    """

    def rate(x: Array, smd: int) -> Array:
        rows = pd.DataFrame({"district_competitiveness": x})
        rows["electoral_rules"] = ("PR", "SMD")[smd]
        eta = post.linear_predictor(rows, re_formula="~0")
        return post.family.link.inverse(eta)[0]

    return _curves(rate, at)


def _curves(rate: Callable[[Array, int], Array], at: Array) -> dict[str, pd.DataFrame]:
    at = np.asarray(at, dtype=float)
    found: dict[str, pd.DataFrame] = {}
    for name, by_series in _draws(rate, at).items():
        parts = [
            weighted(values).assign(x=at, series=series) for series, values in by_series.items()
        ]
        columns = ["x", "series", "estimate", "conf_low", "conf_high"]
        found[name] = pd.concat(parts, ignore_index=True)[columns]
    return found


def _draws(by_rule: Callable[[Array, int], Array], at: Array) -> dict[str, dict[str, Array]]:
    rate = {rules: by_rule(at, smd) for smd, rules in enumerate(("PR", "SMD"))}
    slope = {
        rules: (by_rule(at + _STEP, smd) - by_rule(at - _STEP, smd)) / (2 * _STEP)
        for smd, rules in enumerate(("PR", "SMD"))
    }
    return {
        "probability": rate,
        "marginal effect": slope,
        "first difference": {"": rate["SMD"] - rate["PR"]},
        "difference of marginal effects": {"": slope["SMD"] - slope["PR"]},
    }


def _rate(post: Posterior, at: Array, smd: int, target: str) -> Array:
    outcome, own = "contacted", {"competitiveness", "smd", "district", "election"}
    rest = [c for c in post.design.data.columns if c not in own | {outcome}]
    rows = pd.DataFrame({"competitiveness": at, "smd": smd}).assign(**dict.fromkeys(rest, 0.0))
    if target == "population":
        return population_draws(post, rows)
    eta = post.linear_predictor(rows, re_formula="~0")
    return post.family.link.inverse(eta)[0]


def beside_article(post: Posterior) -> pd.DataFrame:
    """`article` with ours, for the typical district and averaged over imagined ones.

    Returns
    -------
    DataFrame
        The columns of `article`, then ``typical`` and ``population``: medians.
    """
    wanted = article()
    at = np.sort(wanted["competitiveness"].unique())
    for target in ("typical", "population"):
        curves = pd.concat(article_curves(post, at, target), names=["quantity"])
        found = curves.reset_index("quantity").set_index(["quantity", "series", "x"])["estimate"]
        keys = zip(wanted["quantity"], wanted["rules"], wanted["competitiveness"], strict=True)
        wanted[target] = [found[key] for key in keys]
    return wanted
