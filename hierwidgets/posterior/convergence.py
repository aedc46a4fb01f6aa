r"""Whether chains have converged, in numbers and in words.

The numbers are ArviZ's: R-hat by ranks and folded ranks, bulk and tail effective sample size
(Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, Bayesian Anal. 16(2)), and the energy
fraction of missing information (Betancourt 2016, arXiv:1604.00695).
"""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.base.platform import how_to_get
from hierwidgets.errors import DataError, MissingExtraError

__all__ = ["THRESHOLDS", "Diagnosis", "diagnose", "low_effective", "statistics"]


THRESHOLDS = pd.DataFrame(
    [
        ("rhat", "at most", 1.01, "chains agree (Vehtari et al. 2021)"),
        ("ess", "at least", 400, "enough to trust the other numbers (Vehtari et al. 2021)"),
        ("ess_to_publish", "at least", 1000, "what the draws shipped with this package have"),
        ("ess_of_course", "above", 2000, "the course's own rule, with R-hat below 1.01"),
        ("divergences", "at most", 0, "no region was skipped (Betancourt 2017)"),
        ("at_max_depth", "at most", 0.01, "share of draws cut short by the largest tree"),
        ("bfmi", "at least", 0.3, "energy explored (Betancourt 2016)"),
    ],
    columns=["statistic", "wanted", "value", "why"],
).set_index("statistic")
"""The one table of thresholds."""

_NAMES = {"Rhat": "rhat", "Bulk_ESS": "ess_bulk", "Tail_ESS": "ess_tail", "r_hat": "rhat"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with a set of draws, and what to do.

    Attributes
    ----------
    ok : bool
    problems : tuple of (str, str)
        What is wrong, and what to do about it.
    notes : tuple of str
    fine : str
        What is said if nothing is wrong.
    """

    problems: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    fine: str = "No problem found: the draws can be used."

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __str__(self) -> str:
        found = [f"{what}\n  -> {do}" for what, do in self.problems]
        return "\n".join([*(found or [self.fine]), *self.notes])

    __repr__ = __str__


def array_statistics() -> Any:
    """ArviZ's statistics of arrays, of either generation (0.x, 1.x)."""
    import warnings

    try:
        return importlib.import_module("arviz_stats.base").array_stats
    except ImportError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            import arviz
    except ImportError:
        raise MissingExtraError(
            f"convergence statistics need arviz-stats; {how_to_get('hierwidgets[lab]')}"
        ) from None
    return arviz


def statistics(values: Array) -> pd.DataFrame:
    """rhat, ess_bulk and ess_tail of quantities (C, D, m): one row each."""
    az = array_statistics()
    rows = []
    for i in range(values.shape[2]):
        x = np.ascontiguousarray(values[..., i])
        tail = {} if hasattr(az, "InferenceData") else {"prob": (0.05, 0.95)}
        rows.append(
            (
                float(az.rhat(x, method="rank")),
                float(az.ess(x, method="bulk")),
                float(az.ess(x, method="tail", **tail)),
            )
        )
    return pd.DataFrame(rows, columns=["rhat", "ess_bulk", "ess_tail"])


def diagnose(table: pd.DataFrame) -> Diagnosis:
    """Judge a table of R-hats and effective sample sizes, whoever made it.

    Parameters
    ----------
    table :
        One row per parameter, named by the index; columns rhat, ess_bulk, ess_tail, or as brms
        prints them: Rhat, Bulk_ESS, Tail_ESS.

    Examples
    --------
    >>> page = pd.DataFrame(
    ...     {"Rhat": [1.05, 1.0], "Bulk_ESS": [126, 2798], "Tail_ESS": [35, 4956]},
    ...     index=["competitiveness:SMD", "Intercept"])
    >>> print(diagnose(page))
    R-hat is above 1.01 for 1 of 2 parameters; the largest is 1.05 (competitiveness:SMD): \
the chains do not agree on one distribution
      -> use none of these numbers; give the sampler more tuning, or another parameterisation
    The effective sample size is below 400 for 1 of 2 parameters; the smallest is 35 \
(competitiveness:SMD): the figures of these rows are guesses
      -> draw more, after mending what is named above
    """
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"table must be a data frame; a {type(table).__name__} was given")
    table = table.rename(columns=_NAMES)
    lacking = [c for c in ("rhat", "ess_bulk", "ess_tail") if c not in table.columns]
    if lacking:
        raise DataError(
            f"the table lacks the columns {lacking}; it needs rhat, ess_bulk and ess_tail, or "
            "Rhat, Bulk_ESS and Tail_ESS"
        )
    return Diagnosis(tuple(_problems(table)))


def _limit(name: str) -> float:
    return float(THRESHOLDS.loc[name, "value"])  # type: ignore[arg-type]


def _problems(table: pd.DataFrame) -> list[tuple[str, str]]:
    found = []
    rhat = table["rhat"].to_numpy(dtype=float)
    high = ~(rhat <= _limit("rhat") + 1e-9)
    if high.any():
        worst = int(np.nanargmax(np.where(np.isnan(rhat), np.inf, rhat)))
        found.append(
            (
                f"R-hat is above {_limit('rhat'):g} for {high.sum()} of {len(table)} parameters; "
                f"the largest is {rhat[worst]:.3g} ({table.index[worst]}): the chains do not "
                "agree on one distribution",
                "use none of these numbers; give the sampler more tuning, or another "
                "parameterisation",
            )
        )
    return found + low_effective(table, bool(found))


def low_effective(table: pd.DataFrame, first: bool = False) -> list[tuple[str, str]]:
    """Whether effective sample sizes are too small; `first` if something else is to be mended."""
    least = table[["ess_bulk", "ess_tail"]].min(axis=1).to_numpy(dtype=float)
    low = ~(least >= _limit("ess"))
    if not low.any():
        return []
    worst = int(np.nanargmin(np.where(np.isnan(least), -np.inf, least)))
    return [
        (
            f"The effective sample size is below {_limit('ess'):g} for {low.sum()} of "
            f"{len(table)} parameters; the smallest is {least[worst]:.0f} "
            f"({table.index[worst]}): the figures of these rows are guesses",
            "draw more, after mending what is named above" if first else "draw more",
        )
    ]


def judge(
    table: pd.DataFrame, divergent: NDArray[np.bool_], depth: NDArray[np.int64], energy: Array
) -> Diagnosis:
    """`diagnose` with what the sampler itself reports: (C, D) each."""
    from hierwidgets.sampling.nuts import MAX_DEPTH

    found = _problems(table)
    if divergent.any():
        found.insert(
            0,
            (
                f"{int(divergent.sum())} of {divergent.size} draws diverged: the sampler could "
                "not follow the posterior where it bends sharply, so part of it is missing",
                "raise target_accept towards 0.99; if they stay, a prior is too wide for the data",
            ),
        )
    cut = float((depth >= MAX_DEPTH).mean())
    if cut > _limit("at_max_depth"):
        found.append(
            (
                f"{cut:.0%} of the draws reached the largest tree (depth {MAX_DEPTH}): slow, "
                "not wrong",
                "tune longer, or rescale the predictors",
            )
        )
    lowest = min(bfmi(e) for e in energy)
    if not lowest >= _limit("bfmi"):
        found.append(
            (
                f"The energy statistic BFMI is {lowest:.2f}, below {_limit('bfmi'):g}: the tails "
                "of the posterior are explored slowly",
                "tune longer; give sds a prior with lighter tails",
            )
        )
    least = float(table[["ess_bulk", "ess_tail"]].to_numpy().min())
    note = f"Largest R-hat {table['rhat'].max():.3f}, smallest effective sample size {least:.0f}."
    return Diagnosis(tuple(found), (note,))


def bfmi(energy: Array) -> float:
    """The energy fraction of missing information of one chain (D,).

    >>> rng = np.random.default_rng(1)
    >>> bool(1.5 < bfmi(rng.standard_normal(1000)) < 2.5)
    True
    """
    spread = float(np.var(energy))
    return float(np.mean(np.diff(energy) ** 2)) / spread if spread > 0 else np.nan
