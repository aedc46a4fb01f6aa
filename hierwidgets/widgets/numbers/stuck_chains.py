"""Runs to practise on: what a page printed of a run that failed, and chains made to fail."""

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.data.datasets import failed_summary

__all__ = ["printed_summary", "stuck_chains"]


def printed_summary() -> pd.DataFrame:
    """The summary that the lecture page prints of its several-countries model: it failed.

    The page fits ``contacted ~ district_competitiveness * electoral_rules + (1 | district_id) +
    (1 + district_competitiveness | election_id)`` with brms, 10 chains of 4000 iterations, half
    of them warmup; the rows have the names that `hierwidgets.load_posterior` gives our draws of
    the same model. Numbers as printed: two decimals, whole effective sample sizes.

    Returns
    -------
    DataFrame
        Columns as in `Posterior.summary`: estimate, std_error, conf_low, conf_high (95 %), rhat,
        ess_bulk, ess_tail.

    Examples
    --------
    >>> printed_summary().loc["district_competitiveness", ["rhat", "ess_tail"]].tolist()
    [1.04, 118.0]
    """
    return failed_summary()


def stuck_chains(seed: int = 1, chains: int = 4, draws: int = 1000) -> dict[str, Array]:
    r"""Simulated chains that do not mix, to see what trouble looks like.

    Both parameters are autoregressions, :math:`x_t = \rho x_{t-1} + \sqrt{1 - \rho^2}\, e_t`
    with standard normal :math:`e_t` and :math:`x_0`, so that every chain has mean 0 and sd 1 in
    the long run:

    - ``slow``: :math:`\rho = .99`. All chains head for the same distribution and have not seen
      all of it.
    - ``stuck``: :math:`\rho = .5`, and the last chain sits 2.5 higher, as in a second mode that
      it never leaves.

    Parameters
    ----------
    seed
        Of numpy's default generator.
    chains, draws
        How many, 2 and 20 or more.

    Returns
    -------
    dict of str to (chains, draws)

    Examples
    --------
    >>> {name: values.shape for name, values in stuck_chains().items()}
    {'stuck': (4, 1000), 'slow': (4, 1000)}
    """
    rng = np.random.default_rng(seed)
    stuck = _autoregression(rng, chains, draws, 0.5)
    stuck[-1] += 2.5
    return {"stuck": stuck, "slow": _autoregression(rng, chains, draws, 0.99)}


def _autoregression(rng: np.random.Generator, chains: int, draws: int, rho: float) -> Array:
    x = rng.standard_normal((chains, draws))
    for t in range(1, draws):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * x[:, t]
    return x
