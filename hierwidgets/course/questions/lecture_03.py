"""Lecture 03, fitting: the integral, its maximum, arm's DIC, modes, an interval, a mean."""

from collections.abc import Callable
from functools import cache
from math import comb, log

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import expit, normal_quantile
from hierwidgets.course.models import DISTRICTS
from hierwidgets.data.datasets import load
from hierwidgets.exercises import Exercise, Mistake
from hierwidgets.fit.fit import Fit
from hierwidgets.model import glmer

__all__ = ["EXERCISES"]

_Z90 = normal_quantile(0.90)
_Z95 = normal_quantile(0.95)


@cache
def _fit(n_agq: int = 1) -> Fit:
    finland = load("finland")
    number = finland["district_id"].str.removeprefix("District ")
    data = finland.assign(district_id=number)
    return glmer(DISTRICTS, data, event="Contacted", n_agq=n_agq)


def _grid(mu: float, sigma: float) -> tuple[NDArray[np.float64], float]:
    alpha = np.linspace(mu - 8 * sigma, mu + 8 * sigma, 4001)
    return alpha, float(alpha[1] - alpha[0])


def _log_h(
    alpha: NDArray[np.float64], y: float, n: float, mu: float, sigma: float
) -> NDArray[np.float64]:
    likelihood = y * alpha - n * np.logaddexp(0.0, alpha)
    constant = np.log(sigma * np.sqrt(2 * np.pi))
    return np.asarray(likelihood - 0.5 * ((alpha - mu) / sigma) ** 2 - constant)


def _log_marginal(y: float, n: float, mu: float, sigma: float) -> float:
    alpha, step = _grid(mu, sigma)
    return float(np.log(np.sum(np.exp(_log_h(alpha, y, n, mu, sigma))) * step))


def _no_step(y: float, n: float, mu: float, sigma: float) -> float:
    return _log_marginal(y, n, mu, sigma) - float(np.log(_grid(mu, sigma)[1]))


def _no_constant(y: float, n: float, mu: float, sigma: float) -> float:
    return _log_marginal(y, n, mu, sigma) + float(np.log(sigma * np.sqrt(2 * np.pi)))


def _not_logged(y: float, n: float, mu: float, sigma: float) -> float:
    return float(np.exp(_log_marginal(y, n, mu, sigma)))


def _missed_peak(y: float, n: float, mu: float, sigma: float) -> float:
    """The integral by adaptive quadrature from -inf to inf, which may step over the peak."""
    from scipy.integrate import quad

    def h(alpha: float) -> float:
        return float(np.exp(_log_h(np.array(alpha), y, n, mu, sigma)))

    with np.errstate(all="ignore"):
        return float(np.log(quad(h, -np.inf, np.inf)[0]))


def _with_ways(y: float, n: float, mu: float, sigma: float) -> float:
    return _log_marginal(y, n, mu, sigma) + log(comb(round(n), round(y)))


def _at_mu(y: float, n: float, mu: float, sigma: float) -> float:
    return float(y * mu - n * np.logaddexp(0.0, mu))


def _sigma_squared(y: float, n: float, mu: float, sigma: float) -> float:
    return _log_marginal(y, n, mu, sigma**2)


def _exchanged(y: float, n: float, mu: float, sigma: float) -> float:
    return _log_marginal(n - y, n, mu, sigma)


def _negative(y: float, n: float, mu: float, sigma: float) -> float:
    return -_log_marginal(y, n, mu, sigma)


def _adds_to_one(function: Callable[..., object]) -> bool:
    logs = [float(function(y, 5, -0.8, 0.9)) for y in range(6)]  # type: ignore[arg-type]
    return bool(abs(np.dot([comb(5, y) for y in range(6)], np.exp(logs)) - 1) < 1e-3)


def _falls_back(function: Callable[..., object]) -> bool:
    tight = float(function(3, 10, -1.0, 1e-3))  # type: ignore[arg-type]
    return bool(abs(tight - _at_mu(3, 10, -1.0, 1e-3)) < 1e-2)


LOG_MARGINAL = Exercise(
    name="03-log-marginal",
    expected=lambda: _log_marginal,
    inputs=((10, 23, -1.37, 0.31), (29, 179, -1.37, 0.31), (0, 1, 0.0, 1.0), (0, 4, -0.85, 0.7)),
    properties=(
        (
            "the probabilities of all possible y, each times its number of ways, add up to 1",
            _adds_to_one,
        ),
        ("with sigma near 0 it is the log-likelihood at alpha = mu", _falls_back),
    ),
    hints=(
        "Make a fine grid of alpha from mu - 8 sigma to mu + 8 sigma, as above for district 309.",
        "At each point of the grid: likelihood times prior. Add them up, times the step, "
        "and take the logarithm of the sum.",
        "`np.log(np.sum(np.exp(log_h(alpha, y, n, mu, sigma))) * (alpha[1] - alpha[0]))`.",
    ),
    right="That is the whole marginal likelihood of one district; the rest is a sum of 14 of them.",
    mistakes=(
        Mistake(lambda: _not_logged, "This is the integral itself. Return its logarithm."),
        Mistake(
            lambda: _no_step,
            "The sum over the grid must be multiplied by the step: an area is height times width.",
        ),
        Mistake(
            lambda: _no_constant,
            "The prior's constant 1 / (sigma sqrt(2 pi)) is missing. It depends on sigma, so it "
            "matters for the maximum.",
        ),
        Mistake(
            lambda: _missed_peak,
            "Integrated from minus to plus infinity, a peak this narrow is missed by the program. "
            "Give it limits, such as mu - 8 sigma and mu + 8 sigma, or use a grid.",
        ),
        Mistake(
            lambda: _with_ways,
            "The number of ways to pick y of n is included. Our data are single answers in a "
            "known order: leave it out.",
        ),
        Mistake(
            lambda: _at_mu,
            "This is the log-likelihood at alpha = mu. Average the likelihood over the prior.",
        ),
        Mistake(lambda: _sigma_squared, "sigma was squared: it is the sd of the prior."),
        Mistake(lambda: _exchanged, "The y who said yes and the n - y who said no are exchanged."),
        Mistake(lambda: _negative, "The sign: this is minus the logarithm."),
    ),
)


def _estimates(n_agq: int) -> tuple[float, float]:
    fit = _fit(n_agq)
    return float(fit.fixef["Intercept"]), float(fit.theta[0])


ESTIMATES = Exercise(
    name="03-estimates",
    expected=lambda: _estimates(9),
    atol=5e-4,  # the search's own error is below 1e-5; one node is 1.7e-3 away
    hints=(
        "`maximise` takes the number of nodes.",
        "Call `maximise(9)`. Its second number is already sigma, not its logarithm.",
        "`my_estimates = maximise(9)`.",
    ),
    right="Nine nodes and twenty-five agree to five digits: the integral is as good as exact.",
    mistakes=(
        Mistake(lambda: _estimates(1), "These are the estimates by Laplace, one node. Use nine."),
        Mistake(
            lambda: (_estimates(9)[0], np.log(_estimates(9)[1])),
            "The second number is log(sigma). Take its exponential.",
        ),
        Mistake(
            lambda: (_estimates(9)[0], _estimates(9)[1] ** 2),
            "The second number is the variance. Asked for is the standard deviation.",
        ),
        Mistake(
            lambda: (float(expit(_estimates(9)[0])), _estimates(9)[1]),
            "The first number is on the probability scale. Give mu itself, the log-odds.",
        ),
    ),
)


def _dic() -> float:
    return 2 * _fit().conditional_deviance + 2 * _fit().loglik


def _effective() -> float:
    """The effective number of parameters that arm's DIC implies; it is negative."""
    return _fit().conditional_deviance + 2 * _fit().loglik


DIC = Exercise(
    name="03-dic",
    expected=_dic,
    atol=0.02,
    hints=(
        "Only two numbers of the fit are needed: the conditional deviance and the log-likelihood.",
        "pD is the conditional deviance minus (-2 log L), and DIC is the conditional deviance "
        "plus pD.",
        "`2 * fit.conditional_deviance + 2 * fit.loglik`.",
    ),
    right="Rounded to one decimal and then to none, it becomes the 1070 of the table.",
    mistakes=(
        Mistake(lambda: 1070.0, "1070 is what the table prints after two roundings. Compute it."),
        Mistake(lambda: _fit().aic, "This is AIC, -2 log L + 2k."),
        Mistake(lambda: _fit().bic, "This is BIC, -2 log L + k log n."),
        Mistake(
            lambda: -_dic() + _fit().conditional_deviance - 2 * _fit().loglik,
            "The two are exchanged: pD is added to the conditional deviance.",
        ),
        Mistake(lambda: _fit().conditional_deviance, "This is the conditional deviance alone."),
        Mistake(_effective, "This is pD, the part that arm adds. Asked for is DIC: deviance + pD."),
        Mistake(
            lambda: -2 * _fit().loglik,
            "This is -2 log L, the deviance with effects integrated out.",
        ),
    ),
)


def _modes() -> "pd.Series[float]":
    ranef = _fit().ranef
    return pd.Series(ranef["mode"].to_numpy(dtype=float), index=pd.Index(ranef["level"]))


def _rates(alpha: "pd.Series[float]") -> "pd.Series[float]":
    return pd.Series(expit(alpha.to_numpy()), index=alpha.index)


def _mu() -> float:
    return float(_fit().fixef["Intercept"])


PI_HAT = Exercise(
    name="03-pi-hat",
    expected=lambda: _rates(_mu() + _modes()),
    atol=5e-4,
    proportion=True,
    hints=(
        "A district's log-odds are the typical log-odds plus the district's own deviation.",
        "alpha = `fit.fixef['Intercept']` plus the modes in `fit.ranef`; then the inverse logit.",
        '`modes = fit.ranef.set_index("level")["mode"]`, then `1 / (1 + np.exp(-(mu + modes)))`.',
    ),
    right="Add on the log-odds scale first, transform last. The labels came along by themselves.",
    mistakes=(
        Mistake(lambda: _mu() + _modes(), "These are log-odds. Apply the inverse logit to them."),
        Mistake(
            lambda: _rates(_modes()),
            "These are the rates of the deviations alone. Add mu before you transform.",
        ),
        Mistake(_modes, "These are the deviations from mu on the log-odds scale."),
        Mistake(
            lambda: float(expit(_mu())) + _rates(_modes()) - 0.5,
            "Parts were transformed one by one and then added. Add first, transform once.",
        ),
        Mistake(
            lambda: float(expit(_mu())) + _modes(),
            "The sum of a rate and log-odds is neither. Add first, transform once.",
        ),
        Mistake(lambda: np.exp(_mu() + _modes()), "These are odds. A rate is odds / (1 + odds)."),
    ),
)


def _ends(quantile: float, power: int = 1) -> tuple[float, float]:
    ranef = _fit().ranef.set_index("level")
    centre = _mu() + float(ranef["mode"]["309"])
    reach = quantile * float(ranef["sd"]["309"]) ** power
    low, high = expit(np.array([centre - reach, centre + reach]))
    return float(low), float(high)


def _without_mu() -> tuple[float, float]:
    low, high = _logit_ends()
    ends = expit(np.array([low, high]) - _mu())
    return float(ends[0]), float(ends[1])


def _around_the_rate() -> tuple[float, float]:
    rate = float(_rates(_mu() + _modes())["309"])
    reach = _Z90 * float(_fit().ranef.set_index("level")["sd"]["309"])
    return rate - reach, rate + reach


def _of_one_district() -> tuple[float, float]:
    """The Wald interval of lecture 1."""
    rate, reach = 10 / 23, _Z90 * (10 / 23 * 13 / 23 / 23) ** 0.5
    return rate - reach, rate + reach


def _around_mu() -> tuple[float, float]:
    fit = _fit()
    low, high = expit(_mu() + fit.theta[0] * _Z90 * np.array([-1.0, 1.0]))
    return float(low), float(high)


def _logit(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def _logit_ends() -> tuple[float, float]:
    low, high = _ends(_Z90)
    return _logit(low), _logit(high)


INTERVAL = Exercise(
    name="03-interval",
    expected=lambda: _ends(_Z90),
    atol=1e-3,
    proportion=True,
    hints=(
        "Work on the log-odds scale, where the normal approximation lives, and transform the ends.",
        "The centre is mu plus the mode of 309; the conditional sd is in the column `sd`.",
        "`expit(centre - 1.64 * sd), expit(centre + 1.64 * sd)`.",
    ),
    right="It is not symmetric around the estimate, and it cannot leave the scale from 0 to 1.",
    mistakes=(
        Mistake(
            lambda: _ends(_Z95),
            "This is for 95 %, with 1.96, or with sigma in place of the conditional sd, which is "
            "the same here by chance. Use 1.64 and `sd`.",
        ),
        Mistake(lambda: _ends(1.0), "This goes one conditional sd out. For 90 % multiply by 1.64."),
        Mistake(
            lambda: _ends(_Z90, power=2),
            "The conditional variance was used. Take its square root, the conditional sd.",
        ),
        Mistake(_without_mu, "mu is missing: the centre is mu plus the mode of 309."),
        Mistake(
            _around_the_rate,
            "The interval is put around the rate, but `sd` is one of log-odds. Go out in log-odds, "
            "then transform the ends.",
        ),
        Mistake(
            _of_one_district,
            "This is the Wald interval of 309 on its own. Use the mode and its conditional sd.",
        ),
        Mistake(_logit_ends, "These ends are log-odds. Apply the inverse logit to both."),
        Mistake(
            _around_mu,
            "This interval is centred at mu and uses sigma: it is the prior's, a district nobody "
            "was asked in. Use the mode and the conditional sd of 309.",
        ),
    ),
)


def _weights() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mu, sigma = _estimates(1)
    alpha, _ = _grid(mu, sigma)
    h = np.exp(_log_h(alpha, 10, 23, mu, sigma))
    return alpha, h / h.sum()


def _mean_rate() -> float:
    alpha, share = _weights()
    return float(share @ expit(alpha))


def _rate_of_mean() -> float:
    alpha, share = _weights()
    return float(expit(share @ alpha))


MEAN = Exercise(
    name="03-mean",
    expected=_mean_rate,
    atol=4e-4,
    proportion=True,
    hints=(
        "A mean is a weighted sum: each rate on the grid times how plausible it is.",
        "The weights are the integrand on the grid, divided by their sum.",
        "`np.sum(expit(alpha) * h) / np.sum(h)`, with "
        "`h = np.exp(log_h(alpha, 10, 23, mu, sigma))`.",
    ),
    right="The mean lies above the mode, because the distribution of the rate leans to the right.",
    mistakes=(
        Mistake(
            lambda: float(_rates(_mu() + _modes())["309"]),
            "This is the rate at the mode, which you know already. Asked for is the mean.",
        ),
        Mistake(
            _rate_of_mean,
            "This is the rate at the mean or median of alpha. Transform first, then take the mean.",
        ),
        Mistake(
            lambda: _logit(_rate_of_mean()),
            "This is the mean of the log-odds. Asked for is that of the rates.",
        ),
        Mistake(lambda: 10 / 23, "This is the raw rate of 309, without the other districts."),
    ),
)

EXERCISES = (LOG_MARGINAL, ESTIMATES, DIC, PI_HAT, INTERVAL, MEAN)
