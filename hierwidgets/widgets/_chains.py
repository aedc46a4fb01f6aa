"""The numbers behind the chain clinic: statistics, traces, ranks, verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..convergence import THRESHOLDS, diagnose, statistics
from ..errors import DataError
from ..posterior import Posterior

__all__ = [
    "ESS_LIMITS",
    "RHAT",
    "Run",
    "as_runs",
    "judged_table",
    "printed_summary",
    "rank_frame",
    "run_table",
    "stuck_chains",
    "trace_frame",
    "verdict",
]

Floats = NDArray[np.float64]

RHAT = float(THRESHOLDS.at["rhat", "value"])  # type: ignore[arg-type]
ESS_LIMITS = (int(THRESHOLDS.at["ess", "value"]), 2000)  # type: ignore[call-overload]
STATISTICS = ("rhat", "ess_bulk", "ess_tail")
_NAMES = {"Rhat": "rhat", "r_hat": "rhat", "Bulk_ESS": "ess_bulk", "Tail_ESS": "ess_tail"}
_SLACK = 1e-9  # R-hat may be 1.01 but for rounding, as in `diagnose`
_FEWEST_DRAWS = 20  # of a chain: split in halves, and the halves ranked


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One set of chains, or the printed summary of one.

    Attributes
    ----------
    parameters : tuple of str
    draws : (C, D, m) or None
        Chains, draws, parameters; None where only the summary is known.
    summary : DataFrame or None
        rhat, ess_bulk, ess_tail by parameter, where there are no draws.
    """

    parameters: tuple[str, ...]
    draws: Floats | None
    summary: pd.DataFrame | None


# --- what is shown ------------------------------------------------------------------------


def as_runs(given: object) -> dict[str, Run]:
    """Runs by name, from a posterior, a summary, arrays of draws, or a dict that names several.

    Raises
    ------
    DataError
        It is something else; draws are not finite numbers (chains, draws), fewer than 2 chains
        or than 20 draws each; the summary lacks a column.

    Examples
    --------
    >>> runs = as_runs({"as on the page": printed_summary(), "stuck": stuck_chains()})
    >>> {name: len(run.parameters) for name, run in runs.items()}
    {'as on the page': 8, 'stuck': 2}
    """
    if isinstance(given, Mapping) and not _is_arrays(given):
        if not given:
            raise DataError("the clinic needs a run; the dict is empty")
        if wrong := [name for name in given if not isinstance(name, str) or not name]:
            raise DataError(f"runs have names of text; {wrong[0]!r} is none")
        return {name: _one_run(run, f"run {name!r}") for name, run in given.items()}
    name = "summary" if isinstance(given, pd.DataFrame) else "draws"
    return {name: _one_run(given, "the run")}


def _is_arrays(given: Mapping[Any, Any]) -> bool:
    kinds = (np.ndarray, list, tuple)
    return bool(given) and all(isinstance(value, kinds) for value in given.values())


def _one_run(given: object, what: str) -> Run:
    if isinstance(given, Posterior):
        return _checked(tuple(given.names), given.parameters.astype(np.float64), what)
    if isinstance(given, pd.DataFrame):
        return _from_summary(given, what)
    if isinstance(given, Mapping) and _is_arrays(given):
        return _from_arrays(given, what)
    raise DataError(
        f"{what} is a {type(given).__name__}; give a posterior, a data frame with the columns "
        "rhat, ess_bulk and ess_tail, or a dict of arrays (chains, draws) by parameter"
    )


def _from_summary(frame: pd.DataFrame, what: str) -> Run:
    frame = frame.rename(columns=_NAMES)
    if lacking := [name for name in STATISTICS if name not in frame.columns]:
        raise DataError(
            f"{what} lacks the columns {lacking}; it needs rhat, ess_bulk and ess_tail, or as brms "
            "prints them Rhat, Bulk_ESS and Tail_ESS"
        )
    names = tuple(map(str, frame.index))
    if not names or len(set(names)) < len(names):
        raise DataError(f"{what} needs one row for each parameter, each with its own name")
    try:
        table = frame[list(STATISTICS)].astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: rhat, ess_bulk and ess_tail must be numbers ({error})") from None
    return Run(names, None, table.set_axis(list(names)))


def _from_arrays(given: Mapping[Any, Any], what: str) -> Run:
    try:
        arrays = [np.asarray(values, dtype=np.float64) for values in given.values()]
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: draws must be numbers (chains, draws); {error}") from None
    shapes = {values.shape for values in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 2:
        raise DataError(
            f"{what}: draws of every parameter have one shape (chains, draws); these have "
            f"{sorted(shapes)}"
        )
    return _checked(tuple(map(str, given)), np.stack(arrays, axis=-1), what)


def _checked(names: tuple[str, ...], draws: Floats, what: str) -> Run:
    C, D = draws.shape[:2]
    if C < 2 or D < _FEWEST_DRAWS:
        raise DataError(
            f"{what} has {C} chains of {D} draws; to compare chains give 2 or more of "
            f"{_FEWEST_DRAWS} draws or more"
        )
    if not np.isfinite(draws).all():
        bad = names[int(np.flatnonzero(~np.isfinite(draws).all(axis=(0, 1)))[0])]
        raise DataError(f"{what}: some draws of {bad!r} are not finite numbers")
    return Run(names, draws, None)


# --- statistics and verdicts --------------------------------------------------------------


def run_table(run: Run, chains: tuple[int, ...] = (), thin: int = 1) -> pd.DataFrame:
    """R-hat, bulk and tail effective sample size of every parameter of a run.

    Parameters
    ----------
    run
        One of `as_runs`.
    chains
        Numbers of the chains to compare, from 1; empty for all.
    thin
        Every so manieth draw is kept.

    Returns
    -------
    DataFrame
        Index: parameters. Columns: rhat, ess_bulk, ess_tail, those of
        `hierwidgets.convergence.statistics` on the draws kept; of a printed summary as printed.

    Examples
    --------
    >>> (run,) = as_runs(stuck_chains()).values()
    >>> run_table(run)["rhat"].round(2).to_dict()
    {'stuck': 1.73, 'slow': 1.18}
    """
    if run.draws is None:
        assert run.summary is not None
        return run.summary.copy()
    with np.errstate(divide="ignore", invalid="ignore"):  # of draws that never move
        table = statistics(kept(run.draws, chains, thin))
    return table.set_axis(list(run.parameters))


def kept(draws: Floats, chains: tuple[int, ...], thin: int) -> Floats:
    """The chosen chains of (C, D, ...), and every `thin`-th draw of them."""
    chosen = draws[[chain - 1 for chain in chains]] if chains else draws
    return chosen[:, ::thin]


def judged_table(table: pd.DataFrame, ess: float = ESS_LIMITS[0]) -> pd.DataFrame:
    """Every parameter against the thresholds, and in words.

    Parameters
    ----------
    table
        Columns rhat, ess_bulk, ess_tail.
    ess
        What effective sample sizes have to reach: 400 (Vehtari, Gelman, Simpson, Carpenter &
        Bürkner 2021, Bayesian Anal. 16(2)), or a stricter limit.

    Returns
    -------
    DataFrame
        The table with ``rhat_ok`` (at most 1.01), ``ess_bulk_ok``, ``ess_tail_ok`` and
        ``verdict``: "passes", or what fails. A statistic that is nan fails.

    Examples
    --------
    >>> judged_table(printed_summary())["verdict"].tolist()[1:3]
    ['R-hat 1.04 is above 1.01; bulk ESS 190, tail ESS 118 are below 400', 'passes']
    """
    out = table[list(STATISTICS)].copy()
    out["rhat_ok"] = out["rhat"] <= RHAT + _SLACK
    for name in ("ess_bulk", "ess_tail"):
        out[f"{name}_ok"] = out[name] >= ess
    out["verdict"] = [_row_verdict(*row, ess) for row in out.to_numpy()]
    return out


def _row_verdict(
    rhat: float, bulk: float, tail: float, rhat_ok: bool, bulk_ok: bool, tail_ok: bool, ess: float
) -> str:
    found = []
    if np.isnan(rhat):
        found.append("R-hat cannot be computed: the draws do not move")
    elif not rhat_ok:
        found.append(f"R-hat {_digits(rhat)} is above {RHAT:g}")
    sizes = [("bulk", bulk, bulk_ok), ("tail", tail, tail_ok)]
    low = [f"{name} ESS {value:.0f}" for name, value, ok in sizes if not ok]
    if low:
        found.append(f"{', '.join(low)} {'is' if len(low) == 1 else 'are'} below {ess:,.0f}")
    return "; ".join(found) or "passes"


def _digits(rhat: float) -> str:
    """Two decimals, or as many as show that 1.0104 is not 1.01."""
    return next(
        (text for text in (f"{rhat:.2f}", f"{rhat:.3f}") if float(text) > RHAT), f"{rhat:.4f}"
    )


def verdict(table: pd.DataFrame, ess: float = ESS_LIMITS[0]) -> tuple[bool, str]:
    """Whether all parameters pass, and what `hierwidgets.diagnose` says about them.

    With a stricter limit than its own, the sentence on effective sample sizes is ours.

    Examples
    --------
    >>> ok, text = verdict(printed_summary(), ess=2000)
    >>> ok
    False
    >>> text.split(". ")[-1]
    'The effective sample size is below 2,000 for 4 of 8 parameters; the smallest is 35 \
(district_competitiveness:electoral_rules[T.SMD]): draw more, after mending what is named above'
    """
    judged = judged_table(table, ess)
    if ess == ESS_LIMITS[0]:
        said = diagnose(table).problems
    else:
        said = diagnose(table.assign(ess_bulk=np.inf, ess_tail=np.inf)).problems
        said += tuple(_short_of(judged, ess, bool(said)))
    if not said:
        return True, "No problem found: the draws can be used."
    return False, ". ".join(f"{what}: {do}" if ":" not in what else f"{what}; {do}"
                            for what, do in said)  # fmt: skip


def _short_of(judged: pd.DataFrame, ess: float, mend: bool) -> list[tuple[str, str]]:
    low = ~(judged["ess_bulk_ok"] & judged["ess_tail_ok"])
    if not low.any():
        return []
    least = judged[["ess_bulk", "ess_tail"]].min(axis=1)
    what = (
        f"The effective sample size is below {ess:,.0f} for {low.sum()} of {len(judged)} "
        f"parameters; the smallest is {least.min():.0f} ({least.idxmin()})"
    )
    return [(what, "draw more, after mending what is named above" if mend else "draw more")]


# --- pictures -----------------------------------------------------------------------------


def trace_frame(values: ArrayLike, most: int = 600) -> pd.DataFrame:
    """Draws of one parameter in their order, few enough to draw, with no extreme lost.

    Up to `most` draws of a chain are all kept. Of longer chains, the draws are cut into at most
    ``most / 2`` bins of equal size, and of each bin the smallest and the largest draw are kept,
    in the order in which they came.

    Parameters
    ----------
    values
        (C, D).
    most
        Of points per chain.

    Returns
    -------
    DataFrame
        ``chain`` and ``draw`` (numbers from 1), ``value``; equally many rows for each chain.
        ``attrs["bin"]`` is the number of draws in a bin, 1 if all are kept.

    Examples
    --------
    >>> trace_frame([[3.0, 1, 2, 5, 4, 6]], most=4).to_dict("list")
    {'chain': [1, 1, 1, 1], 'draw': [1, 2, 5, 6], 'value': [3.0, 1.0, 4.0, 6.0]}
    """
    draws = _two_way(values)
    C, D = draws.shape
    width = 1 if most >= D else -(-D // (most // 2))
    at = np.tile(np.arange(D), (C, 1)) if width == 1 else _extremes(draws, width)
    frame = pd.DataFrame(
        {
            "chain": np.repeat(np.arange(1, C + 1), at.shape[1]),
            "draw": at.ravel() + 1,
            "value": np.take_along_axis(draws, at, axis=1).ravel(),
        }
    )
    frame.attrs["bin"] = width
    return frame


def _extremes(draws: Floats, width: int) -> NDArray[np.intp]:
    """Where the smallest and the largest draw of each bin are, (C, 2 * bins), in order."""
    C, D = draws.shape
    bins = -(-D // width)
    padded = np.pad(draws, ((0, 0), (0, bins * width - D)), mode="edge")
    cut = padded.reshape(C, bins, width)
    pair = np.sort(np.stack([cut.argmin(axis=2), cut.argmax(axis=2)], axis=2), axis=2)
    at = pair + width * np.arange(bins)[:, None]
    return np.minimum(at, D - 1).reshape(C, -1)


def rank_frame(values: ArrayLike, bins: int = 20) -> pd.DataFrame:
    """Histograms of the ranks of each chain's draws among those of all chains.

    If all chains draw from one distribution, each chain's ranks are uniform: every bar is about
    as high as ``expected``. Ties share their mean rank.
    Source: Vehtari et al. (2021), section 4.1.

    Parameters
    ----------
    values
        (C, D).
    bins
        Of each histogram, of equal width in ranks 1 to C D.

    Returns
    -------
    DataFrame
        One row per chain and bin: ``chain`` (from 1), ``bin`` (from 0), ``count``, ``expected``.

    Examples
    --------
    >>> rank_frame([[1.0, 2, 3, 4], [5, 6, 7, 8]], bins=2)["count"].tolist()
    [4, 0, 0, 4]
    """
    draws = _two_way(values)
    C, D = draws.shape
    rank = pd.Series(draws.ravel()).rank().to_numpy().reshape(C, D)
    place = np.minimum((rank - 0.5) / (C * D) * bins, bins - 1e-9).astype(int)
    counts = [np.bincount(row, minlength=bins) for row in place]
    return pd.DataFrame(
        {
            "chain": np.repeat(np.arange(1, C + 1), bins),
            "bin": np.tile(np.arange(bins), C),
            "count": np.concatenate(counts),
            "expected": D / bins,
        }
    )


def _two_way(values: ArrayLike) -> Floats:
    draws = np.asarray(values, dtype=np.float64)
    if draws.ndim != 2:
        raise DataError(f"draws have the shape (chains, draws); {draws.shape} was given")
    return draws


# --- examples -----------------------------------------------------------------------------


def printed_summary() -> pd.DataFrame:
    """The summary that the lecture page prints for its several-countries model: not to be used.

    The page fits ``contacted ~ district_competitiveness * electoral_rules + (1 | district_id) +
    (1 + district_competitiveness | election_id)`` with brms, 10 chains of 4000 iterations (half
    of them warmup), 20,000 draws; these are the rows of ``print(stan_fit)``, with the names that
    our posterior of the same model (``hw.load_posterior("rainey2015")``) has. Numbers as printed:
    two decimals, whole effective sample sizes.

    Returns
    -------
    DataFrame
        Columns as in `Posterior.summary`: estimate, std_error, conf_low, conf_high (95 %), rhat,
        ess_bulk, ess_tail.

    Examples
    --------
    >>> printed_summary().loc["district_competitiveness", "rhat"]
    np.float64(1.04)
    """
    rows = {
        "Intercept": (-2.39, 0.76, -3.88, -0.88, 1.01, 2798, 4956),
        "district_competitiveness": (1.41, 1.16, -0.69, 4.05, 1.04, 190, 118),
        "electoral_rules[T.SMD]": (-0.74, 1.02, -2.84, 1.25, 1.01, 2102, 1009),
        "district_competitiveness:electoral_rules[T.SMD]": (
            3.09, 1.57, 0.01, 6.58, 1.05, 126, 35,
        ),
        "sd Intercept | district_id": (0.52, 0.08, 0.38, 0.69, 1.01, 2641, 4441),
        "sd Intercept | election_id": (0.64, 0.51, 0.03, 1.97, 1.01, 2851, 3648),
        "sd district_competitiveness | election_id": (1.00, 0.91, 0.04, 3.28, 1.04, 173, 49),
        "corr Intercept, district_competitiveness | election_id": (
            -0.06, 0.57, -0.94, 0.95, 1.01, 1752, 5597,
        ),
    }  # fmt: skip
    columns = ["estimate", "std_error", "conf_low", "conf_high", *STATISTICS]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def stuck_chains(seed: int = 1, chains: int = 4, draws: int = 1000) -> dict[str, Floats]:
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


def _autoregression(rng: np.random.Generator, chains: int, draws: int, rho: float) -> Floats:
    x = rng.standard_normal((chains, draws))
    for t in range(1, draws):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * x[:, t]
    return x
