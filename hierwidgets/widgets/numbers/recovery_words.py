"""What the recovery lab says: status, text alternatives and table."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hierwidgets.recovery import Recovery

from .recovery import ESTIMATORS, LEVEL, Columns

__all__ = [
    "NAMES", "TITLES", "arrows_text", "done", "draw_text", "measured_texts", "measures_text",
    "panel_text", "progress_text", "table_rows",
]  # fmt: skip

NAMES = {name: name.replace("_", " ") for name in ESTIMATORS}
TITLES = {
    "rmse": "RMSE",
    "bias": "bias",
    "coverage": f"coverage of {LEVEL:.0%} intervals",
    "bias_of_largest": "bias of the largest raw rate",
}


def done(result: Recovery) -> int:
    """How many repetitions there are."""
    return sum(map(len, result.records.values()))


def measured_texts(found: Columns) -> dict[tuple[str, str], str]:
    """Estimate and Monte Carlo error by measure and estimator, of `judged_columns`."""
    columns = ("measure", "estimator", "estimate", "mc_error")
    rows = zip(*(found[name] for name in columns), strict=True)
    return {(measure, name): _with_error(*values) for measure, name, *values in rows}


def _with_error(value: float, error: float) -> str:
    return f"{value:.3f}" + ("" if np.isnan(error) else f" ± {error:.4f}")


def progress_text(result: Recovery, reps: int) -> str:
    """It changes only ten times in a run: a screen reader has to read it all."""
    if done(result) < 2:
        return f"{reps} repetitions are being carried out."
    tenth = 10 * done(result) // reps
    return f"{reps} repetitions are being carried out; {10 * tenth} % are done."


def draw_text(truths: Columns, judged: dict[tuple[str, str], str], seed: int) -> str:
    """One draw: its errors, and the group with the largest raw rate."""
    raw, truth = truths["no_pooling"], truths["truth"]
    largest = int(raw.argmax())
    return (
        f"One draw of {len(truth)} groups, seed {seed}. RMSE: {_rmse(judged)}. The largest raw "
        f"rate is {raw[largest]:.3f}; the truth there is {truth[largest]:.3f}."
    )


def measures_text(result: Recovery, judged: dict[tuple[str, str], str], reps: int) -> str:
    """Many draws: on how many the figures rest, and what came of them."""
    rest = f"The figures rest on {done(result)} of {reps} repetitions."
    if result.stopped:
        rest = f"Stopped. {rest}"
    count = len(result.failures)
    failed = f" {count} could not be fitted and are left out." if count else ""
    return (
        f"{rest} RMSE: {_rmse(judged)}. The largest raw rate is too high by "
        f"{judged['bias_of_largest', 'no_pooling']} on average.{failed}"
    )


def _rmse(judged: dict[tuple[str, str], str]) -> str:
    return ", ".join(f"{name} {judged['rmse', key]}" for key, name in NAMES.items())


def arrows_text(truths: Columns) -> str:
    """The picture of one draw in words."""
    truth = truths["truth"]
    spans = ", ".join(f"{name} {_span(truths[key])}" for key, name in NAMES.items())
    return (
        f"Truth and estimates of {len(truth)} groups: true probabilities {_span(truth)}; "
        f"estimates, {spans}."
    )


def _span(values: NDArray[Any]) -> str:
    return f"{values.min():.2f} to {values.max():.2f}"


def panel_text(measure: str, judged: dict[tuple[str, str], str], many: int) -> str:
    """The picture of one measure in words, over so many repetitions."""
    values = ", ".join(f"{NAMES[name]} {judged[measure, name]}" for name in ESTIMATORS)
    much = "repetition" if many == 1 else "repetitions, plus or minus one Monte Carlo error"
    return f"{TITLES[measure]} over {many} {much}: {values}."


def table_rows(frame: pd.DataFrame) -> list[list[str]]:
    """A row of texts for each measure of a `judged_frame`."""
    rows = []
    for name, part in frame.groupby("measure", sort=False):
        pairs = zip(part["estimate"], part["mc_error"], strict=True)
        errors = [f"{e:.3f}" + ("" if np.isnan(s) else f" ({s:.4f})") for e, s in pairs]
        rows.append([TITLES[str(name)], *errors])
    return rows
