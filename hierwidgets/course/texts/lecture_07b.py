"""Lecture 07b: what its figures show, and what 120 regions say of each other."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.course.studies.regions import CROSSED, TRUTH, spread_of
from hierwidgets.fit.fit import Fit

__all__ = ["crossed", "curves", "errors", "pairs", "sizes", "spread", "zeros"]


def curves(lines: pd.DataFrame, people: pd.DataFrame) -> str:
    """The caption of Figure 1, and who has no curve."""
    without = lines.loc[lines["own_slope"].isna(), "level"]
    alone = len(without)
    assert alone > 0
    for region in without:
        of = people[people["region"] == region].groupby("contacted")["age"]
        assert of.min()[1] >= of.max()[0] or of.max()[1] <= of.min()[0]
    wild = lines["own_slope"].abs().max()
    assert wild > 4
    return (
        f"**Figure 1.** The curve of each region. Left, from its own {lines['n'].iloc[0]:g} "
        f"answers: a thicket, with a cliff or two (the steepest has a slope of {wild:.1f} per "
        f"decade) and without {alone} regions, where all who were contacted are at least as "
        "old, or at least as young, as all who were not: the steeper their curve, the better. "
        "Right, partially pooled: all regions have a curve, and no cliff is left. The dashed curve "
        "is the centre."
    )


def spread(fit: Fit) -> Markdown:
    """The spread of regions in words."""
    sd0, sd1, corr = spread_of(fit)
    assert 0.3 < corr < 0.8
    mean = fit.fixef["decades"]
    return Markdown(
        f"""A typical region's log-odds at 50 lie {sd0:.2f} from the mean, and slopes have an sd of
{sd1:.2f} around a mean of {mean:.2f}: there are regions where the line falls. The correlation of
{corr:.2f} says that where people of 50 are contacted more often than elsewhere, contact tends to
grow faster with age. The truth, which a real survey would not tell: {TRUTH.sd_height:.2f},
{TRUTH.sd_slope:.2f} and {TRUTH.corr:.2f}."""
    )


def pairs(fit: Fit, lines: pd.DataFrame, free: pd.DataFrame, region: str) -> str:
    """The caption of Figure 2: a region whose intercept moves away from the centre.

    Parameters
    ----------
    lines, free
        Partial pooling at the fit, and with a correlation of 0.
    """
    centre = fit.fixef.to_numpy()
    one, other = (frame.set_index("level").to_dict("index")[region] for frame in (lines, free))
    own = [float(one["own_intercept"]), float(one["own_slope"])]
    now, without = [float(one["intercept"]), float(one["slope"])], float(other["intercept"])
    assert now[0] < own[0] < without < centre[0]
    assert own[1] < now[1] < centre[1]
    return (
        f"**Figure 2.** Each region as a point: circles are its own line, diamonds partial "
        f"pooling; ellipses hold 50 and 90 % of the regions the model expects. {region}: its slope "
        f"goes from {_minus(own[1])} to {_minus(now[1])}, towards the centre at "
        f"{_minus(centre[1])}. But its intercept goes from {_minus(own[0])} to "
        f"{_minus(now[0])}, *away* from the centre at {_minus(centre[0])}: a low slope "
        f"speaks for a low height. Without the correlation it would go to "
        f"{_minus(without)}."
    )


def errors(lines: pd.DataFrame, truth: pd.DataFrame) -> Markdown:
    """How far own and partially pooled lines are from the truth, in the middle."""
    real = truth.set_index("region").loc[lines["level"]].reset_index(drop=True)
    height, slope = (
        [np.nanmedian((lines[name] - real[of]).abs()) for name in (f"own_{column}", column)]
        for of, column in (("height", "intercept"), ("slope", "slope"))
    )
    assert slope[1] < slope[0]
    assert height[1] < height[0]
    return Markdown(
        f"""We made these regions, so we can look. Half of the own slopes miss the truth by more
than {slope[0]:.2f}, half of the partially pooled ones by more than {slope[1]:.2f}; for heights it
is {height[0]:.2f} and {height[1]:.2f}. The largest errors shrink far more: the worst own slope is
off by {(lines["own_slope"] - real["slope"]).abs().max():.1f}, the worst pooled one by
{(lines["slope"] - real["slope"]).abs().max():.1f}."""
    )


def zeros(fits: Mapping[int, Fit]) -> str:
    """The caption of Figure 3: the correlation moves with the zero, the model does not."""
    spreads = {age: spread_of(fit) for age, fit in fits.items()}
    logliks = [fit.loglik for fit in fits.values()]
    assert np.ptp(logliks) < 1e-4
    assert np.ptp([one[1] for one in spreads.values()]) < 1e-3
    (sd0, sd1, corr), at_zero = spreads[50], spreads[0]
    none = 50 - 10 * corr * sd0 / sd1
    assert corr > 0.3
    assert at_zero[2] < -0.8
    return (
        f"**Figure 3.** One survey, one model, three zeros. The log-likelihood is "
        f"{_minus(logliks[0], 1)} each time, the sd of slopes {sd1:.2f}, and the curves are the "
        f"same. The correlation is {_minus(corr)} for heights at 50, {_minus(spreads[38][2])} at "
        f"38 and {_minus(at_zero[2])} at 0, an age nobody in the survey has: that far out, a steep "
        f"line must have come from below. Regions differ least near age {none:.0f}, where the "
        "correlation is 0."
    )


def sizes(table: pd.DataFrame) -> str:
    """The caption of Figure 4: how well a correlation is learnt from so many regions."""
    by = table.groupby("regions")
    sd, edge, count = by["corr"].std(), by["singular"].mean(), by.size()
    assert sd[5] > 2 * sd[20] > 4 * sd[120]
    assert edge[120] == 0
    few = table[(table["regions"] == 5) & table["singular"]]
    assert (few["corr"].abs() > 1 - 1e-4).mean() > 0.5
    most = table.loc[table["regions"] == 120, "corr"].quantile([0.05, 0.95]).to_numpy()
    return (
        f"**Figure 4.** {count[5]} surveys of 5, of 20 and of 120 regions, all drawn with a "
        f"correlation of {TRUTH.corr:.1f}; a row is scaled by itself. With 5 regions "
        f"{edge[5]:.0%} of the fits are at an edge, most of them at a correlation of 1 or −1, and "
        f"the estimates have an sd of {sd[5]:.2f}: they say next to nothing. With 20 it is "
        f"{edge[20]:.0%} and {sd[20]:.2f}, with 120 none and {sd[120]:.2f}. Even then the middle "
        f"90 % of the estimates reach from {most[0]:.2f} to {most[1]:.2f}."
    )


def crossed(fit: Fit) -> Markdown:
    """Two crossed spreads beside their truth."""
    sds = fit.varcorr.set_index("group")["sd"]
    assert sds["item"] > sds["region"]
    return Markdown(
        f"""The sd of regions comes out at {sds["region"]:.2f} (truth {CROSSED[0]:.2f}), that of
items at {sds["item"]:.2f} (truth {CROSSED[1]:.2f}), and the second rests on 12 items only. A
question that is hard to say yes to is hard in every region; leave `(1 | item)` out, and the
answers of 40 regions to one item would count as independent."""
    )


def _minus(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
