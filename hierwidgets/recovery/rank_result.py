"""What the ranks of a calibration amount to: tables, a path with its band, words."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array, Index
from hierwidgets.posterior.convergence import Diagnosis

from .rank_band import band, p_value

__all__ = ["Calibration"]

_FEW = 100  # repetitions


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Calibration:
    """The ranks of true values among draws, over many data sets.

    Attributes
    ----------
    formula : str
    repetitions : int
        As many as were asked for.
    kept : int
        Draws that each truth was ranked among: ranks go from 0 to `kept`.
    level : float
        Of the band: if the draws are right, all paths keep to it with at least this probability.
    ranks : DataFrame
        One row per repetition that was sampled, indexed by its number; one column per parameter,
        and one for the log-likelihood.
    truths : DataFrame
        The true values, likewise.
    runs : DataFrame
        Likewise: method ("importance" or "nuts"), and effective, the independent draws that those
        of the worst parameter were worth, before thinning.
    failures : Series
        Why the others were not sampled, by number of the repetition.
    stopped : str
        Why the run ended early; empty if every repetition was carried out.
    """

    formula: str
    repetitions: int
    kept: int
    level: float
    ranks: pd.DataFrame
    truths: pd.DataFrame
    runs: pd.DataFrame
    failures: "pd.Series[str]"
    stopped: str = ""

    def __repr__(self) -> str:
        return (
            f"Calibration({self.formula}; {len(self.ranks)} of {self.repetitions} repetitions)\n"
            f"{self.check()}"
        )

    @property
    def shares(self) -> pd.DataFrame:
        """The share of the posterior below the truth, ``(rank + 1/2) / (kept + 1)``."""
        return (self.ranks + 0.5) / (self.kept + 1)

    def summary(self) -> pd.DataFrame:
        """How even the ranks of each parameter are.

        Returns
        -------
        DataFrame
            Index: parameters. Columns: mean and sd of the shares (0.5 and 0.289 if they are
            even), furthest (the largest distance of the path from evenness), p (the probability
            of a path as uneven by chance), inside (whether the path keeps to the band).
        """
        even = np.arange(1, self.kept + 1) / (self.kept + 1)
        rows = [
            (
                float(share.mean()),
                float(share.std(ddof=0)),
                float(np.abs(_path(rank, self.kept) - even).max()),
                p_value(rank, self.kept),
            )
            for share, rank in zip(self.shares.to_numpy().T, self.ranks.to_numpy().T, strict=True)
        ]
        columns = ["mean", "sd", "furthest", "p"]
        table = pd.DataFrame(rows, index=self.ranks.columns, columns=columns)
        return table.assign(inside=table["p"] > 1.0 - self._own_level)

    def path(self) -> pd.DataFrame:
        """What the picture shows: parameter, share, difference, conf_low, conf_high.

        The difference is the share of ranks below a rank, less what it is if ranks are even
        (Säilynoja, Bürkner & Vehtari 2022, Stat. Comput. 32:32); the limits are the band's.
        """
        even = np.arange(1, self.kept + 1) / (self.kept + 1)
        low, high = band(len(self.ranks), self.kept, self._own_level)
        parts = [
            pd.DataFrame(
                {
                    "parameter": name,
                    "share": even,
                    "difference": _path(self.ranks[name].to_numpy(), self.kept) - even,
                    "conf_low": low - even,
                    "conf_high": high - even,
                }
            )
            for name in self.ranks.columns
        ]
        return pd.concat(parts, ignore_index=True)

    def check(self) -> Diagnosis:
        """Whether the draws are what they should be, in words."""
        fine = "No problem found: all ranks are as even as chance allows."
        return Diagnosis(tuple(self._problems()), tuple(self._notes()), fine)

    @property
    def _own_level(self) -> float:
        """Of the band of one parameter: together they hold with `level` (Bonferroni)."""
        return 1.0 - (1.0 - self.level) / self.ranks.shape[1]

    def _problems(self) -> Iterator[tuple[str, str]]:
        table = self.summary()
        for name, row in table[~table["inside"]].iterrows():
            share = self.shares[str(name)].to_numpy()
            yield (
                f"The ranks of {name} leave the band (p = {row['p']:.1g}): {_shape(share)}",
                "do not use draws of this model; sample with another method, or with more tuning",
            )
        if len(self.failures):
            yield (
                f"{len(self.failures)} of {len(self.ranks) + len(self.failures)} repetitions could "
                f"not be sampled, and the others are no longer a fair sample; the first: "
                f"{self.failures.iloc[0]}",
                "give tighter priors, or another method in sampling={'method': ...}",
            )
        if short := int((self.runs["effective"] < self.kept).sum()):
            yield (
                f"In {short} repetitions the draws are worth fewer than the {self.kept} that the "
                "truth is ranked among",
                "ask for more draws with sampling={'draws': ...}, or keep fewer",
            )

    def _notes(self) -> Iterator[str]:
        if self.stopped:
            yield self.stopped
        n = len(self.ranks)
        low, high = band(n, self.kept, self._own_level)
        ways = ", ".join(
            f"{count} by {way}" for way, count in self.runs["method"].value_counts().items()
        )
        yield (
            f"{n} repetitions ({ways}), {self.ranks.shape[1]} quantities; a share of ranks may be "
            f"off by {float((high - low).max()) / 2:.2f} by chance."
        )
        if n < _FEW:
            yield "So few repetitions find gross faults alone."


def _path(rank: Index, kept: int) -> Array:
    """The share of ranks below 1, ..., kept."""
    return np.cumsum(np.bincount(rank, minlength=kept + 1))[:kept] / len(rank)


def _shape(share: Array) -> str:
    """What shares below the truth (n,) that are not even say of the draws."""
    n = len(share)
    off = (share.mean() - 0.5) * np.sqrt(12.0 * n)
    wide = (np.mean((share - 0.5) ** 2) - 1 / 12) * np.sqrt(180.0 * n)
    if abs(off) >= abs(wide):
        return f"draws are too {'low' if off > 0 else 'high'}"
    if wide > 0:
        return "truths lie too often outside nearly all draws, which are too close together"
    return "truths lie too often amid the draws, which are too far apart"
