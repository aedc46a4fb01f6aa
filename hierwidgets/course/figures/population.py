"""Pictures of a population: its rate by the share of one kind, and districts against the truth."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hierwidgets.base.palette import INK, LIGHT_GREY, NO, PARTIAL, POSTSTRATIFIED
from hierwidgets.errors import DataError
from hierwidgets.widgets.numbers.poststrat import estimates, kinds, turned
from hierwidgets.widgets.numbers.words import Estimated

from .base import blank_figure, require_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["districts_against_truth", "rate_by_share"]

_THREE = {
    "raw": (NO, "o"),
    "modelled": (PARTIAL, "D"),
    "poststratified": (POSTSTRATIFIED, "^"),
}


def rate_by_share(model: Estimated, cells: pd.DataFrame, by: str, kind: str) -> "Figure":
    """The poststratified rate over the share of one kind, the others in their proportions.

    Parameters
    ----------
    model, cells
        As in `hw.poststratify`; the counts are in the column ``n``.
    by, kind
        The column, and the value whose share goes from 0 to 1.
    """
    found = kinds(model, cells, by=by)
    if kind not in found.names:
        raise DataError(f"kind={kind!r}; {by} has the values {list(found.names)}")
    k = found.names.index(kind)
    shares = np.linspace(0.0, 1.0, 51)
    rows = pd.concat(
        estimates(found, turned(found, found.census, k, s)).iloc[[2]] for s in shares
    )  # fmt: skip
    figure = blank_figure(7.2, 3.6)
    axes = figure.add_subplot(
        xlabel=f"share of {kind} in the population", ylabel="rate in the population"
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.fill_between(
        shares, rows["conf_low"], rows["conf_high"], color=POSTSTRATIFIED, alpha=0.2, linewidth=0
    )
    axes.plot(shares, rows["estimate"], color=POSTSTRATIFIED, label="poststratified")
    whole = estimates(found, found.census).iloc[2]
    axes.plot(
        [found.census[k]], [whole["estimate"]], "^", color=POSTSTRATIFIED, markersize=10,
        label=f"at the census, {found.census[k]:.0%}",
    )  # fmt: skip
    axes.plot(
        [found.sample[k]], [found.raw[0]], "o", color=NO, markersize=8,
        label=f"raw, the sample has {found.sample[k]:.0%}",
    )  # fmt: skip
    axes.legend(frameon=False, loc="upper left")
    return figure


def districts_against_truth(rates: pd.DataFrame) -> "Figure":
    """Three estimates of every district over its true rate, a panel each; areas are respondents.

    Parameters
    ----------
    rates
        As from `studies.poststratification.district_rates`.
    """
    require_columns(rates, "truth", "respondents", *_THREE)
    figure = blank_figure(8.6, 3.3)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    ends = (
        min(0.0, float(rates[list(_THREE)].min().min())), float(rates[list(_THREE)].max().max())
    )  # fmt: skip
    for axes, (name, (color, marker)) in zip(panels, _THREE.items(), strict=True):
        axes.plot(ends, ends, color=LIGHT_GREY, linewidth=1, zorder=1)
        axes.scatter(
            rates["truth"], rates[name], s=10 + 1.6 * rates["respondents"], marker=marker,
            facecolors="none", edgecolors=color, zorder=2,
        )  # fmt: skip
        axes.set_title(name, fontsize=11, color=INK)
        axes.set_xlabel("true rate")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("estimate")
    return figure
