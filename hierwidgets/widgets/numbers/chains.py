"""The numbers behind the chain clinic: statistics, traces, ranks, verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.posterior.convergence import THRESHOLDS, statistics
from hierwidgets.posterior.posterior import Posterior

__all__ = [
    "ESS_LIMITS",
    "RHAT",
    "Run",
    "as_runs",
    "judged_table",
    "rank_frame",
    "remark",
    "run_table",
    "trace_frame",
    "verdict",
]


_LIMITS = THRESHOLDS["value"].astype(float)
RHAT = float(_LIMITS["rhat"])
ESS_LIMITS = tuple(int(_LIMITS[name]) for name in ("ess", "ess_to_publish", "ess_of_course"))
"""To go on; what is shipped with this package; the course's rule, which is above and not at."""
STATISTICS = ("rhat", "ess_bulk", "ess_tail")
_NAMES = {"Rhat": "rhat", "r_hat": "rhat", "Bulk_ESS": "ess_bulk", "Tail_ESS": "ess_tail"}
_SLACK = 1e-9  # R-hat may be 1.01 but for rounding, as in `diagnose`
FEWEST_DRAWS = 20  # of a chain: split in halves, and the halves ranked


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
    draws: Array | None
    summary: pd.DataFrame | None


# --- what is shown ------------------------------------------------------------------------


def as_runs(given: object) -> dict[str, Run]:
    """Runs by name, from a posterior, a frame, arrays of draws, or a dict that names several.

    A frame is a summary (one row per parameter; columns rhat, ess_bulk, ess_tail), or draws (a
    row each; columns chain and draw, and one per parameter).

    Raises
    ------
    DataError
        It is something else; draws are not finite numbers (chains, draws), fewer than 2 chains
        or than 20 draws each; the summary lacks a column.

    Examples
    --------
    >>> from hierwidgets.widgets import printed_summary, stuck_chains
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
        drawn = {"chain", "draw"} <= set(given.columns)
        return _from_draws(given, what) if drawn else _from_summary(given, what)
    if isinstance(given, Mapping) and _is_arrays(given):
        return _from_arrays(given, what)
    raise DataError(
        f"{what} is a {type(given).__name__}; give a posterior, a data frame with the columns "
        "rhat, ess_bulk and ess_tail, one with the columns chain, draw and the parameters, or a "
        "dict of arrays (chains, draws) by parameter"
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


def _from_draws(frame: pd.DataFrame, what: str) -> Run:
    names = [name for name in frame.columns if name not in ("chain", "draw")]
    sizes = frame.groupby("chain")["draw"].nunique()
    if not names or frame.duplicated(["chain", "draw"]).any() or sizes.nunique() != 1:
        raise DataError(
            f"{what} needs a column for each parameter and one row for each draw of each chain, "
            "equally many in each"
        )
    ordered = frame.sort_values(["chain", "draw"], kind="stable")
    shape = (len(sizes), int(sizes.iloc[0]))
    return _from_arrays({n: ordered[n].to_numpy().reshape(shape) for n in names}, what)


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


def _checked(names: tuple[str, ...], draws: Array, what: str) -> Run:
    C, D = draws.shape[:2]
    if C < 2 or D < FEWEST_DRAWS:
        raise DataError(
            f"{what} has {C} chains of {D} draws; to compare chains give 2 or more of "
            f"{FEWEST_DRAWS} draws or more"
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
        `posterior.convergence.statistics` on the draws kept; of a printed summary as printed.

    Examples
    --------
    >>> from hierwidgets.widgets import stuck_chains
    >>> (run,) = as_runs(stuck_chains()).values()
    >>> run_table(run)["rhat"].round(2).to_dict()
    {'stuck': 1.41, 'slow': 1.32}
    """
    if run.draws is None:
        assert run.summary is not None
        return run.summary.copy()
    with np.errstate(divide="ignore", invalid="ignore"):  # of draws that never move
        table = statistics(kept(run.draws, chains, thin))
    return table.set_axis(list(run.parameters))


def kept(draws: Array, chains: tuple[int, ...], thin: int) -> Array:
    """The chosen chains of (C, D, ...), and every `thin`-th draw of them."""
    chosen = draws[[chain - 1 for chain in chains]] if chains else draws
    return chosen[:, ::thin]


def judged_table(table: pd.DataFrame, ess: int = ESS_LIMITS[0]) -> pd.DataFrame:
    """Every parameter against the thresholds, and in words.

    Parameters
    ----------
    table
        Columns rhat, ess_bulk, ess_tail.
    ess
        What effective sample sizes have to reach, one of `ESS_LIMITS`: 400 to go on (Vehtari,
        Gelman, Simpson, Carpenter & Bürkner 2021, Bayesian Anal. 16(2)), 1000 for draws to hand
        on; or 2000, the course's rule: they are to be above it, and R-hat below 1.01.

    Returns
    -------
    DataFrame
        The table with ``rhat_ok`` (at most 1.01), ``ess_bulk_ok``, ``ess_tail_ok`` and
        ``verdict``: "passes", or what fails. A statistic that is nan fails.

    Examples
    --------
    >>> from hierwidgets.widgets import printed_summary
    >>> judged_table(printed_summary())["verdict"].tolist()[1:3]
    ['R-hat 1.04 is above 1.01; bulk ESS 190, tail ESS 118 are below 400', 'passes']
    """
    if ess not in ESS_LIMITS:
        raise DataError(f"ess must be one of {list(ESS_LIMITS)}; {ess!r} was given")
    out = table[list(STATISTICS)].copy()
    strict = ess == ESS_LIMITS[-1]
    out["rhat_ok"] = out["rhat"] < RHAT - _SLACK if strict else out["rhat"] <= RHAT + _SLACK
    for name in ("ess_bulk", "ess_tail"):
        out[f"{name}_ok"] = out[name] > ess if strict else out[name] >= ess
    out["verdict"] = [_row_verdict(row, ess) for _, row in out.iterrows()]
    return out


def _row_verdict(row: "pd.Series[Any]", ess: int) -> str:
    strict, found = ess == ESS_LIMITS[-1], []
    if np.isnan(row["rhat"]):
        found.append("R-hat cannot be computed: the draws do not move")
    elif not row["rhat_ok"]:
        how = "not below" if strict else "above"
        found.append(f"R-hat {_digits(row['rhat'], strict)} is {how} {RHAT:g}")
    low = [
        f"{name} ESS {row[f'ess_{name}']:,.0f}"
        for name in ("bulk", "tail")
        if not row[f"ess_{name}_ok"]
    ]
    if low:
        how = "not above" if strict else "below"
        found.append(f"{', '.join(low)} {'is' if len(low) == 1 else 'are'} {how} {ess:,}")
    return "; ".join(found) or "passes"


def _digits(rhat: float, strict: bool = False) -> str:
    """Two decimals, or as many as show that 1.0104 is not 1.01."""
    texts = (f"{rhat:.2f}", f"{rhat:.3f}", f"{rhat:.4f}")
    return next((text for text in texts if float(text) > RHAT - strict * _SLACK), texts[-1])


def verdict(judged: pd.DataFrame, ess: int = ESS_LIMITS[0]) -> tuple[bool, str]:
    """Whether all parameters of a `judged_table` pass, and the whole in words.

    Examples
    --------
    >>> from hierwidgets.widgets import printed_summary
    >>> verdict(judged_table(printed_summary()))[1].split(": ")[0]
    '5 of 8 parameters pass. R-hat is above 1.01 for 3, effective sample sizes are below 400 for 3'
    >>> verdict(judged_table(printed_summary(), 2000), 2000)[0]
    False
    """
    strict, many = ess == ESS_LIMITS[-1], len(judged)
    rhat_ok, sizes_ok = judged["rhat_ok"], judged["ess_bulk_ok"] & judged["ess_tail_ok"]
    passing = int((rhat_ok & sizes_ok).sum())
    if passing == many:
        return True, f"All {many} parameters pass: these draws can be used."
    found = []
    if (bad := int((~rhat_ok).sum())) > 0:
        found.append(f"R-hat is {'not below' if strict else 'above'} {RHAT:g} for {bad}")
    if (low := int((~sizes_ok).sum())) > 0:
        found.append(
            f"effective sample sizes are {'not above' if strict else 'below'} {ess:,} for {low}"
        )
    do = "draw more" if rhat_ok.all() else (
        "use none of these numbers; tune longer, or write the model another way"
    )  # fmt: skip
    said = ", ".join(found)
    return False, f"{passing} of {many} parameters pass. {said[0].upper()}{said[1:]}: {do}."


def remark(draws: Array, chains: tuple[int, ...]) -> str:
    """Which chain lies furthest from the others, in sds of the draws of the others.

    Parameters
    ----------
    draws
        (C, D) of one parameter.
    chains
        The numbers of those C chains.

    Examples
    --------
    >>> from hierwidgets.widgets import stuck_chains
    >>> remark(stuck_chains()["stuck"], (1, 2, 3, 4))
    'Chain 4 lies 2.5 sd higher than the others.'
    """
    if len(draws) < 2:
        return ""
    away = []
    for c in range(len(draws)):
        others = np.delete(draws, c, axis=0)
        sd = float(others.std())
        away.append((draws[c].mean() - others.mean()) / sd if sd > 0 else 0.0)
    worst = int(np.argmax(np.abs(away)))
    if abs(away[worst]) < 0.05:
        return ""
    side = "higher" if away[worst] > 0 else "lower"
    return f"Chain {chains[worst]} lies {abs(away[worst]):.1f} sd {side} than the others."


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


def _extremes(draws: Array, width: int) -> NDArray[np.intp]:
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


def _two_way(values: ArrayLike) -> Array:
    draws = np.asarray(values, dtype=np.float64)
    if draws.ndim != 2:
        raise DataError(f"draws have the shape (chains, draws); {draws.shape} was given")
    return draws
