"""What repetitions amount to: tables with Monte Carlo errors, made from the records."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.base.tables import text_table

from .repeat import ESTIMATORS, MEASURES, PARAMETERS, Record
from .setup import Setup

__all__ = ["Recovery"]


_ZERO = 1e-4  # an sd below it counts as 0, as for a singular fit
_TIE = 1e-6  # where sigma is estimated as 0, partial and complete pooling agree so closely
_SHOWN = {
    "rmse": "RMSE",
    "bias": "bias",
    "coverage": "coverage",
    "bias_of_largest": "bias of largest",
    "best": "best",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recovery:
    """The results of a simulation. Frames are made when asked for.

    A Monte Carlo error (`mc_error`) is the standard error a figure has because the number of
    repetitions is finite (Morris, White & Crowther 2019, Stat. Med. 38(11), table 6). For a mean
    over repetitions it is their sd divided by the root of their number. It is nan for one.

    Attributes
    ----------
    setups : dict of str to Setup
    reps : int
        Repetitions asked for, of each design.
    level : float
        Of the intervals.
    n_agq : int
    stopped : str
        Why it ended early; empty if every repetition was carried out.
    records : dict of str to dict of int to Record
        By design and number of the repetition.
    """

    setups: dict[str, Setup]
    reps: int
    level: float
    n_agq: int
    stopped: str
    records: dict[str, dict[int, Record]]

    # --- how much there is ---

    @property
    def reps_done(self) -> "pd.Series[int]":
        """Repetitions carried out, by design; those that failed are among them."""
        return self._count({name: len(found) for name, found in self.records.items()}, "reps_done")

    @property
    def failures(self) -> pd.DataFrame:
        """Repetitions whose model could not be fitted: design, rep, message.

        They are left out of every table, for all estimators.
        """
        rows = [
            (name, rep, record.failure)
            for name, rep, record in self._everything()
            if record.failure
        ]
        return pd.DataFrame(rows, columns=["design", "rep", "message"])

    @property
    def unsettled(self) -> "pd.Series[int]":
        """Fits that did not converge, by design; their estimates are kept."""
        counts = {
            name: sum(not r.converged for r in self._fitted(name).values()) for name in self.setups
        }
        return self._count(counts, "unsettled")

    # --- tables ---

    @property
    def table(self) -> pd.DataFrame:
        """The estimators judged: design, estimator, measure, estimate, mc_error.

        Measures, each a mean over groups and then over repetitions:

        - ``rmse``: root of the mean squared error.
        - ``bias``: mean error.
        - ``coverage``: share of groups whose interval holds the truth. Partial pooling: the
          empirical Bayes interval, which takes the estimated parameters for the true ones.
        - ``coverage_full``: that of the interval which adds the parameters' uncertainty
          (partial pooling only; it is the interval of `Fit.predict`).
        - ``width``: of the interval behind ``coverage``.
        - ``bias_of_largest``: error in the group with the largest raw (no pooling) estimate.
          Groups that tie for it share its place.
        - ``best``: share of repetitions in which this estimator has the smallest RMSE; ties share.
        """
        parts = [self._judged(name) for name in self.setups]
        return pd.concat(parts, ignore_index=True)

    @property
    def parameters(self) -> pd.DataFrame:
        """What the hierarchical model recovers of the parameters.

        ``design parameter truth estimate mc_error sd q05 q50 q95 zero zero_mc_error``: mean,
        sd and quantiles over repetitions; ``zero`` is the share of repetitions in which the
        estimate of sigma is 0 (for sigma only).
        """
        rows = [row for name in self.setups for row in self._recovered(name)]
        columns = ["design", "parameter", "truth", "estimate", "mc_error", "sd"]
        columns += ["q05", "q50", "q95", "zero", "zero_mc_error"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def estimates(self) -> pd.DataFrame:
        """Estimates of each repetition: design, rep, mu, sigma, beta, residual_sd, converged."""
        rows = [
            (name, rep, *record.parameters.tolist(), record.converged)
            for name, rep, record in self._everything()
            if not record.failure
        ]
        return pd.DataFrame(rows, columns=["design", "rep", *PARAMETERS, "converged"])

    @property
    def by_size(self) -> pd.DataFrame:
        """The errors by size of the group: design, estimator, n, groups, rmse, mc_error, bias."""
        return pd.concat([self._sized(name) for name in self.setups], ignore_index=True)

    @property
    def draws(self) -> pd.DataFrame:
        """Every group of the repetitions that were kept.

        ``design rep group n truth estimator estimate conf_low conf_high``, one row per group and
        estimator.
        """
        parts = [
            _groups(name, rep, self.setups[name], record.groups)
            for name, rep, record in self._everything()
            if record.groups is not None
        ]
        columns = ["design", "rep", "group", "n", "truth", "estimator"]
        columns += ["estimate", "conf_low", "conf_high"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    # --- to read ---

    def __repr__(self) -> str:
        lines = []
        for name, part in self.table.groupby("design", sort=False):
            done, failed = len(self.records[str(name)]), self.failures["design"].eq(name).sum()
            note = f"{done} of {self.reps} repetitions" + (f", {failed} failed" if failed else "")
            lines += [f"{name}: {note}", *text_table(["", *_SHOWN.values()], _cells(part)), ""]
        lines.append(f"{self.level:.0%} intervals; Monte Carlo errors in brackets")
        if self.stopped:
            lines.append(self.stopped)
        return "\n".join(lines)

    # --- parts ---

    def _everything(self) -> Iterator[tuple[str, int, Record]]:
        for name in self.setups:
            for rep, record in sorted(self.records[name].items()):
                yield name, rep, record

    def _fitted(self, name: str) -> dict[int, Record]:
        found = sorted(self.records[name].items())
        return {rep: record for rep, record in found if not record.failure}

    def _stack(self, name: str, what: str, shape: tuple[int, ...]) -> Array:
        """One attribute of all fitted records, repetitions first; `shape` is of one."""
        values = [getattr(record, what) for record in self._fitted(name).values()]
        return np.array(values).reshape(len(values), *shape)

    def _count(self, counts: dict[str, int], what: str) -> "pd.Series[int]":
        index = pd.Index(list(self.setups), name="design")
        return pd.Series([counts[name] for name in self.setups], index=index, name=what, dtype=int)

    def measured(self, name: str) -> tuple[list[str], Array, Array]:
        """The measures of a design: their names, estimates and errors (estimators, measures)."""
        shape = (len(ESTIMATORS), len(MEASURES))
        values = self._stack(name, "measures", shape)
        mse = values[:, :, 0]
        least = mse <= (1 + _TIE) * mse.min(axis=1, keepdims=True)
        best = least / least.sum(axis=1, keepdims=True)
        estimate, error = _mean(np.concatenate([values, best[:, :, None]], axis=2))
        estimate[:, 0], error[:, 0] = _root(estimate[:, 0], error[:, 0])
        return ["rmse", *MEASURES[1:], "best"], estimate, error

    def _judged(self, name: str) -> pd.DataFrame:
        measures, estimate, error = self.measured(name)
        frame = pd.DataFrame(
            {
                "design": name,
                "estimator": np.repeat(ESTIMATORS, len(measures)),
                "measure": measures * len(ESTIMATORS),
                "estimate": estimate.ravel(),
                "mc_error": error.ravel(),
            }
        )
        only = (frame["measure"] != "coverage_full") | (frame["estimator"] == "partial_pooling")
        return frame[only]

    def _recovered(self, name: str) -> Iterator[tuple[object, ...]]:
        setup = self.setups[name]
        values = self._stack(name, "parameters", (len(PARAMETERS),))
        for parameter, column in zip(PARAMETERS, values.T, strict=True):
            if parameter == "beta" and setup.beta is None:
                continue
            if parameter == "residual_sd" and setup.family != "gaussian":
                continue
            mean, error = _mean(column)
            spread = float(column.std(ddof=1)) if len(column) > 1 else np.nan
            quantiles = np.quantile(column, [0.05, 0.5, 0.95]) if len(column) else [np.nan] * 3
            zero = (np.nan, np.nan)
            if parameter == "sigma":
                share = float(np.mean(column < _ZERO)) if len(column) else np.nan
                zero = (share, np.sqrt(share * (1 - share) / max(len(column), 1)))
            truth = getattr(setup, parameter)
            yield (name, parameter, truth, float(mean), float(error), spread, *quantiles, *zero)

    def _sized(self, name: str) -> pd.DataFrame:
        sizes, groups = np.unique(self.setups[name].sizes, return_counts=True)
        values = self._stack(name, "by_size", (len(ESTIMATORS), len(sizes), 2))
        estimate, error = _mean(values)
        rmse, rmse_error = _root(estimate[:, :, 0], error[:, :, 0])
        return pd.DataFrame(
            {
                "design": name,
                "estimator": np.repeat(ESTIMATORS, len(sizes)),
                "n": np.tile(sizes, len(ESTIMATORS)),
                "groups": np.tile(groups, len(ESTIMATORS)),
                "rmse": rmse.ravel(),
                "mc_error": rmse_error.ravel(),
                "bias": estimate[:, :, 1].ravel(),
            }
        )


def _mean(values: Array) -> tuple[Array, Array]:
    """Means over repetitions (the first axis), and their Monte Carlo errors."""
    reps = len(values)
    nothing = np.full(values.shape[1:], np.nan)
    mean = values.mean(axis=0) if reps else nothing
    error = values.std(axis=0, ddof=1) / np.sqrt(reps) if reps > 1 else nothing
    return np.array(mean), np.array(error)


def _root(mean: Array, error: Array) -> tuple[Array, Array]:
    """The root of a mean square, and its Monte Carlo error by the delta method."""
    root = np.sqrt(mean)
    return root, np.divide(error, 2 * root, out=np.zeros_like(root), where=root > 0)


def _groups(name: str, rep: int, setup: Setup, values: Array) -> pd.DataFrame:
    J = values.shape[1]
    rows = values[1:].reshape(len(ESTIMATORS), 3, J)
    return pd.DataFrame(
        {
            "design": name,
            "rep": rep,
            "group": np.tile(np.arange(J), len(ESTIMATORS)),
            "n": np.tile(setup.sizes, len(ESTIMATORS)),
            "truth": np.tile(values[0], len(ESTIMATORS)),
            "estimator": np.repeat(ESTIMATORS, J),
            "estimate": rows[:, 0].ravel(),
            "conf_low": rows[:, 1].ravel(),
            "conf_high": rows[:, 2].ravel(),
        }
    )


def _cells(part: pd.DataFrame) -> list[list[str]]:
    """A row of text per estimator: "0.053 (0.001)"."""
    at = part.set_index(["estimator", "measure"])[["estimate", "mc_error"]]
    rows = []
    for estimator in ESTIMATORS:
        pairs = at.loc[[(estimator, measure) for measure in _SHOWN]].to_numpy()
        texts = [f"{value:.3f} ({error:.3f})" for value, error in pairs]
        rows.append([estimator.replace("_", " "), *texts])
    return rows
