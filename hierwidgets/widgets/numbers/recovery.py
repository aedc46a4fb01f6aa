"""The numbers behind the recovery lab: one draw group by group, and many draws judged."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.base.arrays import normal_quantile
from hierwidgets.errors import DataError, FitError
from hierwidgets.recovery import Recovery, Setup, run
from hierwidgets.recovery.repeat import ESTIMATORS

__all__ = [
    "ESTIMATORS", "JUDGED", "LEVEL", "NO_GROUPS", "Columns", "first_repetition", "judged_columns",
    "judged_frame", "truth_columns", "truth_frame",
]  # fmt: skip


JUDGED = ("rmse", "bias", "coverage", "bias_of_largest")
LEVEL = 0.9  # of all intervals
Columns = dict[str, NDArray[Any]]
NO_GROUPS: Columns = {name: np.array([]) for name in ("group", "n", "truth", *ESTIMATORS)}
_Z = normal_quantile(LEVEL)  # the half width of an interval in mc_errors


def first_repetition(setup: Setup, seed: int) -> Recovery:
    """The first repetition of a run, with its groups: the one draw that is shown.

    Examples
    --------
    >>> from hierwidgets.recovery import Setup
    >>> first_repetition(Setup(n=20, J=8), seed=1).reps_done.sum()
    np.int64(1)
    """
    *_, result = run(setup, reps=1, seed=seed, level=LEVEL)
    return result


def truth_frame(result: Recovery) -> pd.DataFrame:
    r"""Truth and three estimates of every group in the first repetition, by increasing truth.

    The truth of group j is :math:`\pi_j = \mathrm{logit}^{-1}(\mu + \sigma e_j)`; see
    `hierwidgets.recovery.Setup` for the effects :math:`e_j` and
    `hierwidgets.simulate_and_recover` for the estimators.

    Parameters
    ----------
    result
        Of one design, with the groups of its first repetition (``keep`` of 1 or more).

    Returns
    -------
    DataFrame
        One row per group: ``group`` (its number, from 0), ``n``, ``truth``, ``no_pooling``,
        ``partial_pooling``, ``complete_pooling`` (probabilities). Groups of equal truth stay in
        the order of their numbers.

    Raises
    ------
    DataError
        The groups of the first repetition were not kept, or there are several designs.
    FitError
        The hierarchical model could not be fitted to it.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> result = hw.simulate_and_recover({"n": 20, "J": 3}, reps=1, seed=1, progress=False)
    >>> truth_frame(result).round(3)
       group   n  truth  no_pooling  partial_pooling  complete_pooling
    0      0  20  0.250        0.25            0.265              0.55
    1      1  20  0.381        0.40            0.410              0.55
    2      2  20  0.773        1.00            0.979              0.55
    """
    return pd.DataFrame(truth_columns(result))


def truth_columns(result: Recovery) -> Columns:
    """The columns of `truth_frame`."""
    _check_one("truth_frame", result)
    ((name, setup),) = result.setups.items()
    record = result.records[name].get(0)
    if record is not None and record.failure:
        raise FitError(
            f"the model cannot be fitted to this draw ({record.failure}); take another seed, or "
            "more or larger groups"
        )
    if record is None or record.groups is None:
        raise DataError("truth_frame needs the groups of the first repetition: keep=1 or more")
    truth, rows = record.groups[0], record.groups[1:].reshape(len(ESTIMATORS), 3, -1)
    order = np.argsort(truth, kind="stable")
    columns = {"group": order, "n": np.array(setup.sizes)[order], "truth": truth[order]}
    estimates = dict(zip(ESTIMATORS, rows[:, 0, order], strict=True))
    return {**columns, **estimates}


def judged_frame(result: Recovery) -> pd.DataFrame:
    """How well each estimator did over the repetitions there are, with Monte Carlo error.

    Parameters
    ----------
    result
        Of one design.

    Returns
    -------
    DataFrame
        12 rows, by measure and estimator: ``measure`` (rmse, bias, coverage, bias_of_largest),
        ``estimator``, ``estimate``, ``mc_error`` as in `Recovery.table`, and ``low``, ``high``:
        the estimate plus and minus 1.645 of its errors, a 90 % interval (both are nan after one
        repetition).

    Examples
    --------
    >>> import hierwidgets as hw
    >>> result = hw.simulate_and_recover({"n": 20, "J": 8}, reps=20, seed=1, progress=False)
    >>> judged_frame(result)[["estimator", "estimate", "mc_error"]].round(3).head(3)
              estimator  estimate  mc_error
    0        no_pooling     0.104     0.005
    1   partial_pooling     0.097     0.005
    2  complete_pooling     0.193     0.008
    """
    return pd.DataFrame(judged_columns(result))


def judged_columns(result: Recovery) -> Columns:
    """The columns of `judged_frame`, which take a tenth of the time without the frame."""
    _check_one("judged_frame", result)
    names, *numbers = result.measured(next(iter(result.setups)))
    places = [names.index(measure) for measure in JUDGED]
    estimate, error = (values[:, places].T.ravel() for values in numbers)
    return {
        "measure": np.repeat(JUDGED, len(ESTIMATORS)).astype(object),
        "estimator": np.tile(ESTIMATORS, len(JUDGED)).astype(object),
        "estimate": estimate,
        "mc_error": error,
        "low": estimate - _Z * error,
        "high": estimate + _Z * error,
    }


def _check_one(what: str, result: Recovery) -> None:
    if len(result.setups) != 1:
        raise DataError(f"{what} needs a result of one design; this has {len(result.setups)}")
