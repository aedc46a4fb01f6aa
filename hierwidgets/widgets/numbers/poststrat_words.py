"""What the instrument of poststratification says: status, text alternative, table."""

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array

from .poststrat import Kinds

__all__ = ["COLUMNS", "picture_text", "status_text", "table_rows"]

COLUMNS = ("share", "census", "in the sample", "estimate")
NEAR = 5e-4  # shares that differ by less are the same


def status_text(found: Kinds, shares: Array, table: pd.DataFrame) -> str:
    """The three rates, and the kind whose share in the sample is farthest off."""
    raw, modelled, whole = (_with_interval(row) for _, row in table.head(3).iterrows())
    k = int(np.argmax(np.abs(found.sample - shares)))
    against = "the weights say" if _turned(found, shares) else "the population has"
    off = (
        f"The sample has {found.names[k]} {found.sample[k]:.0%}, {against} {shares[k]:.0%}."
        if abs(found.sample[k] - shares[k]) >= 0.005
        else "The sample has these shares too."
    )
    return (
        f"Poststratified to {_weights(found, shares)}: {whole}. Raw {raw}, modelled as sampled "
        f"{modelled}. {off}"
    )


def picture_text(found: Kinds, shares: Array, table: pd.DataFrame, rate: str) -> str:
    """The picture in words."""
    raw, modelled, whole = (f"{value:.3f}" for value in table["estimate"].head(3))
    each = ", ".join(f"{row['of']} {row['estimate']:.3f}" for _, row in table.iloc[3:].iterrows())
    low, high = found.cells.min(), found.cells.max()
    some = f"{len(found.cells)} of " if len(found.cells) < found.size else ""
    return (
        f"{rate} on one axis, with {found.level:.0%} intervals: raw {raw}, modelled {modelled}, "
        f"poststratified {whole} by {_weights(found, shares)}. Below, by {found.by}: {each}; "
        f"{some}{found.size} cells from {low:.2f} to {high:.2f}."
    )


def table_rows(found: Kinds, table: pd.DataFrame) -> list[list[str]]:
    """The rows of the table, as texts; shares of kinds alone."""
    sample = [np.nan] * 3 + list(found.sample)
    return [
        [
            str(row["of"]),
            *("" if np.isnan(v) else f"{v:.1%}" for v in (row["share"], row["census"], share)),
            f"{row['estimate']:.3f}",
            f"{row['conf_low']:.3f} to {row['conf_high']:.3f}",
        ]
        for (_, row), share in zip(table.iterrows(), sample, strict=True)
    ]


def _turned(found: Kinds, shares: Array) -> bool:
    return bool(np.abs(shares - found.census).max() >= NEAR)


def _weights(found: Kinds, shares: Array) -> str:
    if _turned(found, shares):
        return "your weights"
    return "the census"


def _with_interval(row: "pd.Series[float]") -> str:
    return f"{row['estimate']:.3f} [{row['conf_low']:.3f}, {row['conf_high']:.3f}]"
