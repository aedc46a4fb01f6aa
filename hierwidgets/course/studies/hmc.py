r"""Hamiltonian Monte Carlo in a page, a funnel to lose it in, and stored runs of both.

The sampler is the textbook one: a fixed step, a fixed number of leapfrog steps, unit masses
(Neal 2011, Handbook of MCMC, chapter 5). It is for looking at, not for use; `Model.sample` is for
use. Its target is the smallest hierarchical model there is,

    y_k ~ N(a_k, s_k^2),   a_k ~ N(0, sigma^2),   sigma ~ half-normal(2),

with known s_k. The integral over the a_k has a closed form, ``y_k ~ N(0, sigma^2 + s_k^2)``, so
that what a sampler ought to find is known (`exact_log_sigma`).

    python -m hierwidgets.course.studies.hmc [NAME ...]

writes ``hierwidgets/course/data/NAME.csv`` for each of

    funnel    four chains of the centred and of the non-centred form
    priors    the several-countries model under five priors of its sds: medians and 90 % intervals
              (needs the extra bayes)
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.course.models import COMPETITIVENESS, SEVERAL_COUNTRIES
from hierwidgets.data.datasets import load
from hierwidgets.errors import DataError, FitError
from hierwidgets.model import Model, glmer
from hierwidgets.sampling.priors import Priors

from .store import stored_table, write_tables

__all__ = [
    "FORMS", "PRIORS", "Chain", "centred", "election_slopes", "exact_log_sigma", "hmc",
    "non_centred", "run", "stored",
]  # fmt: skip

Target = Callable[[Array], tuple[float, Array]]

FORMS = ("centred", "non-centred")
PRIOR_SD = 2.0  # of the half-normal prior of sigma
PRIORS = {
    "brms default": "student_t(3, 0, 2.5)",
    "half-Cauchy(5)": "half_cauchy(5)",
    "uniform(0, 100)": "uniform(0, 100)",
    "half-normal(2)": "half_normal(2)",
    "half-normal(0.5)": "half_normal(0.5)",
}
"""Priors of the two sds between elections, by name; the rest as brms has it."""

_LOST = 1000.0  # an energy error beyond which a path has diverged, as in Stan


# --- the sampler --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain: draws (D, d), whether a proposal diverged (D,), and the share accepted."""

    draws: Array
    divergent: NDArray[np.bool_]
    accepted: float


def hmc(
    target: Target, start: Array, *, step: float, steps: int, draws: int, rng: np.random.Generator
) -> Chain:
    """Draws by Hamiltonian Monte Carlo with a fixed step and unit masses.

    Parameters
    ----------
    target
        ``x (d,) -> (log density, gradient (d,))``.
    start
        (d,).
    step, steps
        Size and number of the leapfrog steps of one proposal.

    Examples
    --------
    >>> import numpy as np
    >>> from hierwidgets.course.studies.hmc import hmc
    >>> chain = hmc(lambda x: (-0.5 * x @ x, -x), np.zeros(2), step=0.3, steps=8, draws=500,
    ...             rng=np.random.default_rng(1))
    >>> chain.draws.shape, bool(abs(chain.draws.std() - 1) < 0.1), int(chain.divergent.sum())
    ((500, 2), True, 0)
    """
    x = np.asarray(start, dtype=np.float64)
    value, gradient = target(x)
    out, divergent, accepted = np.empty((draws, len(x))), np.zeros(draws, bool), 0
    for i in range(draws):
        momentum = rng.standard_normal(len(x))
        energy = -value + 0.5 * momentum @ momentum
        with np.errstate(all="ignore"):
            new, new_value, new_gradient, new_momentum = _path(
                target, x, gradient, momentum, step, steps
            )
            rise = -new_value + 0.5 * new_momentum @ new_momentum - energy
        divergent[i] = not rise < _LOST
        if np.log(rng.random()) < -rise:
            x, value, gradient, accepted = new, new_value, new_gradient, accepted + 1
        out[i] = x
    return Chain(out, divergent, accepted / draws)


def _path(
    target: Target, x: Array, gradient: Array, momentum: Array, step: float, steps: int
) -> tuple[Array, float, Array, Array]:
    """The end of a leapfrog path: place, log density, gradient, momentum."""
    value = -np.inf
    for _ in range(steps):
        momentum = momentum + 0.5 * step * gradient
        x = x + step * momentum
        value, gradient = target(x)
        momentum = momentum + 0.5 * step * gradient
        if not np.isfinite(value) or np.abs(x).max() > 1e6:
            return x, -np.inf, gradient, np.zeros(len(x))
    return x, value, gradient, momentum


# --- the funnel ---------------------------------------------------------------------------


@cache
def _election_slopes() -> pd.DataFrame:
    rows = []
    for name, part in load("rainey2015").groupby("election_id"):
        fit = glmer(COMPETITIVENESS, part, event="Contacted")
        rows.append(
            (name, part["electoral_rules"].iloc[0], fit.fixef.iloc[1], fit.std_error.iloc[1])
        )
    frame = pd.DataFrame(rows, columns=["election_id", "electoral_rules", "slope", "std_error"])
    frame["deviation"] = frame["slope"] - frame.groupby("electoral_rules")["slope"].transform(
        "mean"
    )
    return frame


def election_slopes() -> pd.DataFrame:
    """Slopes of the five elections, each fitted alone, and how they deviate from their rule's mean.

    Examples
    --------
    >>> from hierwidgets.course.studies.hmc import election_slopes
    >>> election_slopes()[["deviation", "std_error"]].round(2).iloc[0].to_list()
    [0.47, 0.83]
    """
    return _election_slopes().copy()


def centred(y: Array, s: Array) -> Target:
    """The log density of (a_1, ..., a_K, log sigma), up to a constant."""
    K = len(y)

    def target(x: Array) -> tuple[float, Array]:
        a, log_sigma = x[:K], x[K]
        with np.errstate(all="ignore"):  # far out on a path that diverges
            sigma = np.exp(log_sigma)
            misfit, pull = (y - a) / s**2, a / sigma**2
            value = -0.5 * np.sum((y - a) * misfit) - 0.5 * np.sum(a * pull) - K * log_sigma
            value += -0.5 * (sigma / PRIOR_SD) ** 2 + log_sigma
            last = np.sum(a * pull) - K - (sigma / PRIOR_SD) ** 2 + 1.0
            return float(value), np.append(misfit - pull, last)

    return target


def non_centred(y: Array, s: Array) -> Target:
    """The log density of (z_1, ..., z_K, log sigma), with a = sigma z, up to a constant."""
    K = len(y)

    def target(x: Array) -> tuple[float, Array]:
        z, log_sigma = x[:K], x[K]
        with np.errstate(all="ignore"):  # far out on a path that diverges
            sigma = np.exp(log_sigma)
            misfit = (y - sigma * z) / s**2
            value = -0.5 * np.sum((y - sigma * z) * misfit) - 0.5 * np.sum(z * z)
            value += -0.5 * (sigma / PRIOR_SD) ** 2 + log_sigma
            last = sigma * np.sum(misfit * z) - (sigma / PRIOR_SD) ** 2 + 1.0
            return float(value), np.append(sigma * misfit - z, last)

    return target


def exact_log_sigma(y: Array, s: Array, grid: Array) -> Array:
    """The exact posterior density of log sigma on a grid, by its closed form."""
    sigma = np.exp(grid)[:, None]
    total = sigma**2 + s**2
    value = np.sum(-0.5 * np.log(total) - 0.5 * y**2 / total, axis=1)
    value += -0.5 * (np.exp(grid) / PRIOR_SD) ** 2 + grid
    density = np.exp(value - value.max())
    return density / (density.sum() * (grid[1] - grid[0]))


def run(
    form: str,
    *,
    step: float = 0.25,
    steps: int = 12,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 1,
) -> pd.DataFrame:
    """Chains of the election slopes' model in one of the two `FORMS`.

    Returns
    -------
    DataFrame
        ``form chain draw log_sigma effect divergent``; `effect` is the deviation of Canada.
    """
    if form not in FORMS:
        raise DataError(f"form={form!r}; choose 'centred' or 'non-centred'")
    frame = election_slopes()
    y, s = frame["deviation"].to_numpy(), frame["std_error"].to_numpy()
    target = centred(y, s) if form == "centred" else non_centred(y, s)
    parts = []
    for chain, rng in enumerate(np.random.default_rng(seed).spawn(chains), start=1):
        start = rng.uniform(-1, 1, size=len(y) + 1)
        kept = hmc(target, start, step=step, steps=steps, draws=draws + 200, rng=rng)
        x, bad = kept.draws[200:], kept.divergent[200:]
        first = x[:, 0] if form == "centred" else np.exp(x[:, -1]) * x[:, 0]
        part = pd.DataFrame({"form": form, "chain": chain, "draw": np.arange(1, draws + 1)})
        parts.append(part.assign(log_sigma=x[:, -1], effect=first, divergent=bad.astype(int)))
    return pd.concat(parts, ignore_index=True)


# --- stored tables ------------------------------------------------------------------------


def _funnel() -> pd.DataFrame:
    table = pd.concat([run(form) for form in FORMS], ignore_index=True)
    return table.round({"log_sigma": 3, "effect": 3})


def _priors() -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    model = Model(SEVERAL_COUNTRIES, load("rainey2015"), "binomial", event="Contacted")
    names = ["sd Intercept | election_id", "sd district_competitiveness | election_id"]
    for name, prior in PRIORS.items():
        post = model.sample(
            draws=2000, seed=11, priors=Priors(by_name=dict.fromkeys(names, prior)),
            method="nuts", target_accept=0.999, progress=False,
        )  # fmt: skip
        if not (verdict := post.diagnose()).ok:
            raise FitError(f"the draws under {name} are not to be stored:\n{verdict}")
        chosen = dict(zip(_QUANTITIES, (post.names[3], post.names[4], *names), strict=True))
        for quantity, parameter in chosen.items():
            draws = post.parameters[..., post.names.index(parameter)]
            rows.append({"prior": name, "quantity": quantity, **_described(draws)})
    return pd.DataFrame(rows).round(4)


_QUANTITIES = ("interaction", "sd_district", "sd_intercept", "sd_slope")


def _described(draws: Array) -> dict[str, float]:
    """Median, 90 % interval and share above 0 of draws (C, D); the error of the lower end is
    judged by how the chains differ in it."""
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    own = np.quantile(draws, 0.05, axis=1)
    return {
        "conf_low": float(low), "estimate": float(middle), "conf_high": float(high),
        "low_error": float(own.std(ddof=1) / np.sqrt(len(draws))),
        "positive": float((draws > 0).mean()),
    }  # fmt: skip


_MAKERS = {"funnel": _funnel, "priors": _priors}


def stored(name: str) -> pd.DataFrame:
    """A stored table: "funnel" or "priors" (see the module).

    Examples
    --------
    >>> from hierwidgets.course.studies.hmc import stored
    >>> stored("funnel").groupby("form").size().to_dict()
    {'centred': 4000, 'non-centred': 4000}
    """
    return stored_table(name, list(_MAKERS))


if __name__ == "__main__":
    sys.exit(write_tables(sys.argv[1:], _MAKERS))
