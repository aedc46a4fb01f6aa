"""What the chain clinic says of a parameter and its draws, and the rows of its table."""

from typing import Any

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array

from .chains import remark

__all__ = ["draws_text", "parameter_text", "table_rows"]


def parameter_text(name: str, row: "pd.Series[Any]", exact: bool) -> str:
    """One row of a `judged_table`: its statistics if it passes, else what fails.

    `exact` statistics are computed, others printed by somebody.
    """
    said = row["verdict"]
    if said == "passes":
        sizes = f"bulk ESS {row['ess_bulk']:,.0f}, tail ESS {row['ess_tail']:,.0f}"
        said = f"R-hat {_rhat(row['rhat'], exact)}, {sizes}; it passes"
    return f"{name}: {said}."


def _rhat(value: float, exact: bool) -> str:
    """Three decimals; of a printed value no zero that may not have been printed."""
    text = f"{value:.3f}"
    return text if exact else text.removesuffix("0")


def draws_text(row: "pd.Series[Any]", values: Array, chains: tuple[int, ...], lanes: int) -> str:
    """How many draws (C, D) there are and count; which chain lies apart, and which has no lane."""
    C, D = values.shape
    text = f"{C} chains of {D:,} draws"
    if np.isfinite(row["ess_bulk"]) and row["ess_bulk"] > 0:
        share = C * D / row["ess_bulk"]
        every = "all count" if share < 1.05 else f"one draw in {share:.3g} counts"
        text += f"; for the mean, {every}"
    away = "" if row["rhat_ok"] else f" {remark(values, chains)}"
    hidden = f" {C - lanes} chains have no lane." if lanes < C else ""
    return f"{text}.{away}{hidden}".rstrip()


def table_rows(judged: pd.DataFrame, exact: bool) -> list[list[str]]:
    """A row of texts for each parameter of a `judged_table`."""
    return [
        [str(name), _rhat(row["rhat"], exact), f"{row['ess_bulk']:,.0f}",
         f"{row['ess_tail']:,.0f}", row["verdict"]]
        for name, row in judged.iterrows()
    ]  # fmt: skip
