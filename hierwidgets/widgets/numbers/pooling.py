"""The numbers behind the pooling dial, as pure functions of a fit, sigma and mu."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.blocks import layout
from hierwidgets.likelihood.estimate import objective, profile_loglik
from hierwidgets.likelihood.laplace import conditional_modes
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

__all__ = [
    "Columns",
    "check_fit",
    "finite_number",
    "half_weight_size",
    "imagined_columns",
    "imagined_frame",
    "link_ends",
    "loglik_at",
    "loglik_near",
    "moved_furthest",
    "mu_range",
    "on_link",
    "pooling_columns",
    "pooling_frame",
    "profile_frame",
    "weight_at",
    "weight_curve",
]

IMAGINED = "imagined"  # the label of a level that is not in the data

Columns = dict[str, NDArray[Any]]


def pooling_frame(fit: Fit, sigma: float | None = None, mu: float | None = None) -> pd.DataFrame:
    r"""Raw and partially pooled rate of every level, had the group-level model this sigma and mu.

    Level j has :math:`y_j` events in :math:`n_j` trials. Its target :math:`t_j` is the mean over
    its trials of the linear predictor without the level's effect: :math:`\mu`, plus
    :math:`x\beta` where the model has predictors. The effect :math:`b_j` is the mode of its
    conditional density, so that with the score :math:`s_j` and the Fisher information
    :math:`I_j` of the level's own data at that mode

    .. math:: b_j = \sigma^2 s_j, \qquad
              t_j + b_j = \lambda_j z_j + (1 - \lambda_j)\, t_j, \qquad
              \lambda_j = \frac{\sigma^2}{\sigma^2 + v_j}, \quad v_j = 1 / I_j,

    where :math:`z_j = t_j + b_j + s_j / I_j` is the working response: what the level's own data
    say on the link scale. So lambda is the weight the level's own data carry, and the target has
    the rest. For a logit :math:`I_j = n_j p_j (1 - p_j)`.
    Source: Gelman & Hill (2007), section 12.2, equation 12.1, for the Gaussian model; the working
    response of McCullagh & Nelder (1989), section 2.5, carries it to other links.

    Parameters
    ----------
    fit
        A binomial fit with one grouping factor whose intercept varies, ``(1 | group)``.
    sigma
        Standard deviation of the levels' effects on the link scale; the fit's own if None.
    mu
        The intercept; the fit's own if None. Other coefficients stay as fitted.

    Returns
    -------
    DataFrame
        One row per level, in the fit's order: ``level``; ``n`` trials; ``raw`` = y/n, ``target``
        and ``estimate`` (probabilities, 0 to 1); ``weight`` (lambda, 0 to 1); and ``raw_link``,
        ``target_link``, ``estimate_link`` (link scale: log-odds for a logit). ``raw_link`` is
        minus or plus infinity where no or every trial is an event.

    Raises
    ------
    DataError
        If `fit` is something else, `sigma` is negative or one of the two is not finite.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.widgets import pooling_frame
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> frame = pooling_frame(fit).set_index("level")
    >>> frame.loc["District 309", ["raw", "target", "estimate", "weight"]].round(3).to_dict()
    {'raw': 0.435, 'target': 0.202, 'estimate': 0.268, 'weight': 0.303}
    """
    return pd.DataFrame(pooling_columns(fit, sigma, mu))


def pooling_columns(fit: Fit, sigma: float | None = None, mu: float | None = None) -> Columns:
    """The columns of `pooling_frame` as arrays: a redraw has no time to build a frame."""
    check_fit(fit)
    return _columns(fit, fit.design, _sigma(fit, sigma), _coefficients(fit, mu))


def _sigma(fit: Fit, sigma: float | None) -> float:
    return float(fit.theta[0]) if sigma is None else finite_number("sigma", sigma, least=0.0)


def _columns(fit: Fit, design: Design, sigma: float, beta: Array) -> Columns:
    """The columns of `pooling_frame` for the levels of this design."""
    family, codes, levels = fit.family, design.terms[0].codes, design.terms[0].levels
    eta = design.X @ beta + design.offset
    b = conditional_modes(design, family, beta, np.array([sigma])).b[0][:, 0]

    def by_level(values: Array) -> Array:
        return np.bincount(codes, values, minlength=len(levels)).astype(np.float64, copy=False)

    n, events = by_level(design.trials), by_level(design.y)
    target = by_level(design.trials * eta) / n
    information = by_level(family.derivatives(design.y, design.trials, eta + b[codes]).weight)
    return {
        "level": levels,
        "n": n,
        "raw": events / n,
        "target": family.link.inverse(target)[0],
        "estimate": family.link.inverse(target + b)[0],
        "weight": sigma**2 * information / (1.0 + sigma**2 * information),
        "raw_link": on_link(family, events / n),
        "target_link": target,
        "estimate_link": target + b,
    }


def imagined_frame(
    fit: Fit, y: float, n: float, sigma: float | None = None, mu: float | None = None
) -> pd.DataFrame:
    """What the model would say about one more level, with y events in n trials.

    Its target is the mean of the levels' targets on the link scale; with no predictor that is
    mu. The level is imagined after the fit: sigma, mu and the other levels stay as they are.

    Parameters
    ----------
    fit, sigma, mu
        As for `pooling_frame`.
    y, n
        Events and trials, ``0 <= y <= n`` and n above 0.

    Returns
    -------
    DataFrame
        One row with the columns of `pooling_frame`; ``level`` is "imagined".

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> imagined_frame(fit, 100, 230)[["raw", "estimate", "weight"]].round(3).to_dict("records")
    [{'raw': 0.435, 'estimate': 0.392, 'weight': 0.841}]
    """
    return pd.DataFrame(imagined_columns(fit, y, n, sigma, mu))


def imagined_columns(
    fit: Fit, y: float, n: float, sigma: float | None = None, mu: float | None = None
) -> Columns:
    """The columns of `imagined_frame` as arrays of one element."""
    check_fit(fit)
    n, y = finite_number("n", n, least=0.0), finite_number("y", y, least=0.0)
    if not 0 <= y <= n or n == 0:
        raise DataError(
            f"an imagined level has n > 0 trials and 0 to n events; {y:g} of {n:g} given"
        )
    design, term = fit.design, fit.design.terms[0]
    one = replace(
        term, levels=np.array([IMAGINED], dtype=object), codes=np.zeros(1, dtype=np.intp),
        Z=np.ones((1, 1)),
    )  # fmt: skip
    alone = replace(
        design, y=np.array([y]), trials=np.array([n]), X=np.zeros((1, design.X.shape[1])),
        offset=np.array([_middle(fit, mu)]), terms=(one,),
    )  # fmt: skip
    return _columns(fit, alone, _sigma(fit, sigma), _coefficients(fit, mu))


def half_weight_size(fit: Fit, sigma: float | None = None, mu: float | None = None) -> float:
    r"""The number of trials at which a level's own data carry half of the weight.

    .. math:: n_0 = \frac{1}{\sigma^2\, i(t)}, \qquad \lambda(n) = \frac{n}{n + n_0},

    with i(t) the Fisher information of one trial at the target t, the mean of the levels'
    targets on the link scale; :math:`i = p (1 - p)` for a logit. So the group-level model is
    worth n0 trials. Source: Gelman & Hill (2007), section 12.2, where n0 is the ratio of the
    variance within to that between the groups.

    Parameters
    ----------
    fit, sigma, mu
        As for `pooling_frame`.

    Returns
    -------
    float
        In trials; infinite where sigma is 0.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> round(half_weight_size(fit), 1)
    64.5
    """
    check_fit(fit)
    one, at = np.ones(1), np.array([_middle(fit, mu)])
    information = float(fit.family.derivatives(0.0 * one, one, at).weight[0])
    sigma = _sigma(fit, sigma)
    return 1.0 / (sigma**2 * information) if sigma > 0 else np.inf


def weight_curve(
    fit: Fit, n: ArrayLike, sigma: float | None = None, mu: float | None = None
) -> pd.DataFrame:
    """The weight n / (n + n0) of levels that lie near their target, by their number of trials.

    Parameters
    ----------
    fit, sigma, mu
        As for `pooling_frame`.
    n
        Numbers of trials, 0 or more.

    Returns
    -------
    DataFrame
        ``n`` and ``weight``, 0 to 1. The weights of `pooling_frame` take the information at each
        level's own estimate instead, and so lie a little off the curve.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> weight_curve(fit, [0, 23, 179])["weight"].round(3).tolist()
    [0.0, 0.263, 0.735]
    """
    sizes = np.asarray(n, dtype=np.float64)
    return pd.DataFrame({"n": sizes, "weight": weight_at(sizes, half_weight_size(fit, sigma, mu))})


def weight_at(n: Array, half: float) -> Array:
    """The weight n / (n + n0) at a given n0, that of `half_weight_size`."""
    return n / (n + half)


def _middle(fit: Fit, mu: float | None) -> float:
    """The mean over the levels of their targets on the link scale."""
    design, codes = fit.design, fit.design.terms[0].codes
    eta = design.X @ _coefficients(fit, mu) + design.offset
    total, n = np.bincount(codes, design.trials * eta), np.bincount(codes, design.trials)
    return float((total / n).mean())


def profile_frame(fit: Fit, sigma: ArrayLike) -> pd.DataFrame:
    r"""The profile log-likelihood of sigma: maximised over the coefficients at each sigma.

    .. math:: \ell_p(\sigma) = \max_\beta \log \int p(y \mid \beta, u, \sigma)\, \phi(u)\, du

    with the integral as in the fit: Laplace, or adaptive quadrature with the fit's `n_agq`
    (Bates et al. 2015, Journal of Statistical Software 67(1), for the profile in theta).

    Parameters
    ----------
    fit
        As for `pooling_frame`.
    sigma
        Values of the standard deviation, each above 0.

    Returns
    -------
    DataFrame
        ``sigma``, ``loglik``, and ``mu``, the intercept that maximises it there.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> profile_frame(fit, [fit.theta[0]]).round(2).to_dict("records")
    [{'sigma': 0.31, 'loglik': -552.26, 'mu': -1.37}]
    """
    check_fit(fit)
    rows, beta = [], fit.beta
    for value in np.atleast_1d(np.asarray(sigma, dtype=np.float64)):
        finite_number("sigma", value, least=0.0)
        loglik, beta = profile_loglik(
            fit.design, fit.family, np.array([value]), n_agq=fit.n_agq, beta0=beta
        )
        rows.append((value, loglik, beta[_intercept(fit)]))
    return pd.DataFrame(rows, columns=["sigma", "loglik", "mu"])


def loglik_at(fit: Fit, sigma: float, mu: float) -> float:
    """The log-likelihood at this sigma and mu, the other coefficients as fitted.

    The group effects are integrated out as in the fit; see `profile_frame`.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> round(loglik_at(fit, fit.theta[0], fit.fixef["Intercept"]) - fit.loglik, 6) + 0.0
    0.0
    """
    return loglik_near(fit, sigma, mu, None)


def loglik_near(fit: Fit, sigma: float, mu: float, effects: Array | None) -> float:
    """`loglik_at`, the modes of the levels' effects looked for from these on."""
    check_fit(fit)
    theta = np.array([finite_number("sigma", sigma, least=0.0)])
    evaluate = objective(layout(fit.design), fit.family, fit.n_agq)
    start = None if effects is None or sigma == 0 else (effects[:, None] / sigma, np.zeros(0))
    return -0.5 * evaluate(theta, _coefficients(fit, mu), start).neg2loglik + fit.design.constant


def on_link(family: Family, rate: ArrayLike) -> Array:
    """Rates on the link scale, where 0 and 1 are infinite."""
    with np.errstate(divide="ignore"):
        return np.asarray(family.link.forward(np.asarray(rate)), dtype=np.float64)


def link_ends(columns: Columns) -> tuple[float, float]:
    """The lowest and the highest place of a finite raw rate, a target or an estimate (links)."""
    raw = columns["raw_link"][np.isfinite(columns["raw_link"])]
    values = np.concatenate([raw, columns["target_link"], columns["estimate_link"]])
    return float(values.min()), float(values.max())


def mu_range(fit: Fit, limits: tuple[float, float]) -> tuple[float, float]:
    """How far mu can go before the mean target leaves these limits of the link axis."""
    mu, middle = float(fit.fixef["Intercept"]), _middle(fit, None)
    return round(mu + limits[0] - middle, 2), round(mu + limits[1] - middle, 2)


def moved_furthest(raw: Array, estimate: Array) -> int:
    """The place of the level that partial pooling moves furthest; of equal ones the first."""
    return int(np.argmax(np.abs(estimate - raw).round(8)))


def _intercept(fit: Fit) -> int:
    return list(fit.design.names).index("Intercept")


def _coefficients(fit: Fit, mu: float | None) -> Array:
    beta = fit.beta.copy()
    if mu is not None:
        beta[_intercept(fit)] = finite_number("mu", mu)
    return beta


def finite_number(name: str, value: Any, above: float = -np.inf, least: float = -np.inf) -> float:
    """The value as a finite number in its limits, of which 0 is one, or none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number > above and number >= least):
        allowed = "a finite number"
        allowed += " above 0" if above == 0 else " of 0 or more" if least == 0 else ""
        raise DataError(f"{name} must be {allowed}; {value!r} was given")
    return number


def check_fit(fit: object) -> None:
    """Refuse what the dial cannot show, and say what it can."""
    wanted = "a binomial fit with one (1 | group), as hw.glmer('y ~ 1 + (1 | group)', data) gives"
    if not isinstance(fit, Fit):
        raise DataError(f"the dial needs {wanted}; a {type(fit).__name__} was given")
    if fit.family.name != "binomial":
        raise DataError(f"the dial needs {wanted}; this fit is {fit.family.name}")
    if len(fit.design.terms) != 1 or fit.design.terms[0].names != ("Intercept",):
        varying = "; ".join(f"{', '.join(v.names)} by {v.group}" for v in fit.design.terms)
        raise DataError(f"the dial needs {wanted}; in this fit vary {varying}")
    if "Intercept" not in fit.design.names:
        raise DataError(f"the dial turns the intercept; this fit has {list(fit.design.names)}")
