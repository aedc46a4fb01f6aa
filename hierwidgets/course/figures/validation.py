"""Pictures of comparisons of models: cross-validated scores, a score over sigma, ranks.

matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from math import comb
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hierwidgets.base.palette import CHANCE, DARK_ORANGE, INK, OTHER, PALE, SCORE, STYLES, Style
from hierwidgets.recovery import Calibration
from hierwidgets.validation.result import CrossValidation

from .base import blank_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["bakeoff", "chance_range", "over_sigma", "rank_histograms", "rank_paths"]


def bakeoff(results: Mapping[str, CrossValidation]) -> "Figure":
    """How much worse each model predicts than the best, one panel per comparison.

    A pale dot is the mean difference within a fold, the large mark the mean over all rows, with
    two standard errors to either side. Marks and colours are those of the kinds of pooling where
    the model's name begins with one.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.course.figures.validation import bakeoff
    >>> models = {"no pooling": "no pooling", "partial pooling": "contacted ~ (1 | district_id)"}
    >>> found = hw.cross_validate(models, hw.load("uk"), folds=5, seed=1, event="Contacted",
    ...                           progress=False)
    >>> [t.get_text() for t in bakeoff({"rows": found}).axes[0].get_yticklabels()]
    ['partial pooling', 'no pooling']
    """
    figure = blank_figure(8.4, 1.0 + 0.5 * max(len(found.table) for found in results.values()))
    panels = figure.subplots(1, len(results), squeeze=False)[0]
    for axes, (title, found) in zip(panels, results.items(), strict=True):
        _one_bakeoff(axes, found)
        axes.set_title(title, loc="left", size=10)
    return figure


def _one_bakeoff(axes: "Axes", found: CrossValidation) -> None:
    best = found.table.index[0]
    wide = found.folds.pivot(index="fold", columns="model", values="log_score")
    for place, (name, row) in enumerate(found.table.iterrows()):
        within = wide[str(name)] - wide[str(best)]
        if name != best:
            axes.plot(within, np.full(len(within), place), "o", color=PALE, ms=4,
                      zorder=3, mec=INK, mew=0.5)  # fmt: skip
        style, error = _style(str(name)), 2 * row["std_error_difference"]
        axes.hlines(place, row["difference"] - error, row["difference"] + error,
                    color=style.color, lw=2.4)  # fmt: skip
        axes.plot(row["difference"], place, style.marker, color=style.color, ms=9)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(range(len(found.table)), list(found.table.index))
    axes.set_ylim(len(found.table) - 0.5, -0.5)
    axes.set_xlabel(f"← worse     log score less that of {best}     better →")
    axes.spines[["top", "right"]].set_visible(False)


def _style(name: str) -> Style:
    for kind, style in STYLES.items():
        if name.startswith(kind):
            return style if name == kind else Style(style.color, "P", style.linestyle)
    return Style(OTHER, "^", "-")


def over_sigma(frames: Mapping[str, tuple[pd.DataFrame, float]]) -> "Figure":
    """The log score of rows held out, and the log-likelihood of all rows, over sigma.

    Each less its highest value, on a scale that the panels of a row share: flat looks flat.

    Parameters
    ----------
    frames
        By title: ``sigma log_score loglik`` (`grid.scores_by_sigma`), and the estimated sigma.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.validation import over_sigma
    >>> frame = pd.DataFrame({"sigma": [0.1, 1.0], "log_score": [-0.6, -0.7],
    ...                       "loglik": [-9.0, -8.0]})
    >>> [axes.get_title(loc="left") for axes in over_sigma({"here": (frame, 0.5)}).axes]
    ['here', '']
    """
    figure = blank_figure(8.4, 4.6)
    panels = figure.subplots(2, len(frames), squeeze=False, sharex="col", sharey="row")
    for column, (title, (frame, estimate)) in enumerate(frames.items()):
        top, bottom = panels[0, column], panels[1, column]
        for axes, name, color in ((top, "log_score", SCORE), (bottom, "loglik", INK)):
            axes.plot(frame["sigma"], frame[name] - frame[name].max(), "o-", color=color, ms=4)
        top.set_title(title, loc="left", size=10)
        for axes in (top, bottom):
            axes.axvline(estimate, color=STYLES["partial pooling"].color, ls="--", lw=1.5)
            axes.set_xscale("log")
            axes.spines[["top", "right"]].set_visible(False)
        ticks = [0.05, 0.1, 0.2, 0.5, 1, 2]
        bottom.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        bottom.minorticks_off()
        bottom.set_xlabel("σ, set by hand (log scale)")
    panels[0, 0].set_ylabel("log score of rows held\nout, less the best")
    panels[1, 0].set_ylabel("log-likelihood of all\nrows, less the best")
    return figure


def rank_histograms(shares: Mapping[str, "pd.Series[float]"], bins: int = 10) -> "Figure":
    """Histograms of values that should be uniform on 0 to 1, with the range chance allows.

    The grey band holds the count of one bin with a probability of about 95 %.

    Examples
    --------
    >>> import pandas as pd
    >>> from hierwidgets.course.figures.validation import rank_histograms
    >>> figure = rank_histograms({"μ": pd.Series([0.1, 0.6, 0.9])}, bins=3)
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['μ']
    """
    many = min(len(shares), 3)
    rows = -(-len(shares) // many)
    figure = blank_figure(8.4, 2.3 * rows + 0.2)
    panels = figure.subplots(rows, many, squeeze=False, sharey=True).ravel()
    for axes, (title, values) in zip(panels, shares.items(), strict=False):
        low, high = chance_range(len(values), bins)
        axes.axhspan(low, high, color=CHANCE, lw=0)
        axes.axhline(len(values) / bins, color=INK, lw=0.8)
        axes.hist(values, bins=bins, range=(0, 1), color=SCORE, edgecolor="white", alpha=0.85)
        axes.set_title(title, loc="left", size=9)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.label_outer()
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(shares) :]:
        axes.set_visible(False)
    figure.supxlabel("share of the posterior below the truth", size=10)
    figure.supylabel(f"surveys, of {len(next(iter(shares.values())))}", size=10)
    return figure


def rank_paths(found: Calibration, words: Mapping[str, str] | None = None) -> "Figure":
    """Whether ranks of truths are even: their path less the diagonal, with its band, by parameter.

    Inside the grey band all paths stay together, if draws are right, with the probability that
    `found` was asked for; a path that leaves it is drawn in the other colour.

    Parameters
    ----------
    words
        What to write for a parameter in place of its name.

    Examples
    --------
    >>> from hierwidgets.course.figures.validation import rank_paths
    >>> from hierwidgets.course.studies import ranks
    >>> [axes.get_title(loc="left") for axes in rank_paths(ranks.stored("gaussian")).axes[:2]]
    ['Intercept', 'x']
    """
    path, inside = found.path(), found.summary()["inside"]
    names = [str(name) for name in found.ranks]
    many = min(len(names), 3)
    rows = -(-len(names) // many)
    figure = blank_figure(8.4, 1.9 * rows + 0.4)
    panels = figure.subplots(rows, many, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, name in zip(panels, names, strict=False):
        own = path[path["parameter"] == name]
        axes.fill_between(own["share"], own["conf_low"], own["conf_high"], color=CHANCE, lw=0)
        axes.axhline(0, color=INK, lw=0.8)
        color = SCORE if inside.loc[name] else DARK_ORANGE
        axes.step(own["share"], own["difference"], where="post", color=color, lw=1.5)
        axes.set_title(
            "\n".join(wrap((words or {}).get(name, name.replace(":", ": ")), 30)),
            loc="left",
            size=9,
        )
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.label_outer()
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("share of the posterior below the truth", size=10)
    figure.supylabel("share of surveys with less,\nless what it should be", size=10)
    return figure


def chance_range(n: int, bins: int) -> tuple[int, int]:
    """The 2.5 % and 97.5 % quantiles of a bin's count: binomial with n and 1 / bins."""
    p = 1 / bins
    total = np.cumsum([comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])
    return int(np.searchsorted(total, 0.025)), int(np.searchsorted(total, 0.975))
