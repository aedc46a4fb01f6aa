"""What lecture 11 says of the numbers it computes: quantities of interest."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course import page
from hierwidgets.course.studies import quantities
from hierwidgets.posterior.posterior import Posterior

COLUMNS = ["estimate", "conf_low", "conf_high"]


# --- core ---------------------------------------------------------------------------------


def first_difference(by_hand: pd.DataFrame) -> Markdown:
    """What the rules differ by in a safe and in a close district, and the order of the steps."""
    found: Any = by_hand
    close, safe = found.loc[(0.8, "SMD - PR")], found.loc[(0.3, "SMD - PR")]
    ends = found.loc[(0.8, "SMD")] - found.loc[(0.8, "PR")]
    assert abs(close["estimate"] - 0.38) < 0.02
    assert abs(safe["estimate"] - 0.02) < 0.01
    levels = found.loc[[(0.8, "PR"), (0.8, "SMD")], "estimate"]
    assert np.allclose(levels, [0.20, 0.58], atol=0.02)
    assert ends["conf_low"] > close["conf_low"] + 0.1
    return Markdown(f"""
Safe: {100 * safe["estimate"]:.0f} points ({100 * safe["conf_low"]:.0f} to
{100 * safe["conf_high"]:.0f}, 90 %). Close: **{100 * close["estimate"]:.0f} points**
({100 * close["conf_low"]:.0f} to {100 * close["conf_high"]:.0f}). This is a **first difference**.
Subtract draw by draw, *then* look for the ends: subtracting the ends of the two intervals gives
{ends["conf_low"]:.2f} to {ends["conf_high"]:.2f}, the interval of nothing.
""")


def figure_1(targets: pd.DataFrame) -> str:
    """The caption of Figure 1: which of the six intervals is short, which long."""
    width: Any = targets["conf_high"] - targets["conf_low"]
    assert width.idxmin() == "typical district of Canada"
    assert width.idxmax() == "a new district, a new election"
    short, long = (round(100 * width[name]) for name in (width.idxmin(), width.idxmax()))
    return (
        "**Figure 1.** Six probabilities, with 90 % intervals. Shortest, "
        f"{short} points: the typical district of an election that was observed. Longest, {long}: "
        "a new district of a new election. Whoever campaigns where nobody has polled needs the "
        "third or the fifth row; most papers give the second or the fourth."
    )


def figure_3(typical: float, average: float) -> str:
    """The caption of Figure 3: the typical district and the average."""
    assert typical < average < 0.5
    return (
        "**Figure 3.** The rates of the districts that the British fit imagines. The typical "
        "district (solid) splits them in halves; the average (dashed) is pulled to the right by "
        "the longer tail there. The share of all answers (dotted) also counts districts by their "
        "number of answers."
    )


def figure_2(curves: Mapping[str, pd.DataFrame]) -> str:
    """The caption of Figure 2: four curves."""
    difference = curves["first difference"]["estimate"].to_numpy(float)
    assert abs(difference[0]) < 0.05
    assert 0.4 < difference[-1] < 0.5
    return (
        "**Figure 2.** A typical district, medians and 90 % bands. Under SMD (solid) the "
        "probability rises steeply, under PR (dashed) little; the first difference grows from "
        "nothing to about 0.45."
    )


# --- optional: whose probability ----------------------------------------------------------


def page_tables(own: pd.DataFrame, typical: pd.DataFrame, at_90: pd.DataFrame) -> Markdown:
    """The page's two tables of predictions beside ours (S88, S89)."""
    parts = [
        page.check(
            "S88",
            rows=len(own),
            columns=1 + own.shape[1],  # the page's has the number of the row besides
            estimate=own["estimate"],
            conf_low=own["conf_low"],
            conf_high=own["conf_high"],
            district_competitiveness=own["district_competitiveness"],
        ),
        page.check(
            "S89",
            rows=len(typical),
            columns=1 + typical.shape[1],
            estimate=typical["estimate"],
            conf_low=typical["conf_low"],
            conf_high=typical["conf_high"],
            district_competitiveness=typical["district_competitiveness"],
        ),
    ]
    values: Any = pd.concat(parts)
    values = values[values["name"].isin(COLUMNS)]
    apart = (values["ours"] - values["page"].astype(float)).abs()
    assert apart[values["name"] == "estimate"].max() < 0.01
    keys = ["district_id", "election_id", "district_competitiveness", "electoral_rules"]
    distinct, n = len(own.drop_duplicates(keys)), len(own)
    first, usual, narrow = own.iloc[0], typical.iloc[0], at_90.iloc[0]
    return Markdown(f"""
The first row, district 7 in Canada: {first["estimate"]:.3f}. With `re_formula` naming the
election's effects alone, the same row gives {usual["estimate"]:.3f}: that is a district of this
election, as competitive as district 7, whose own effect is zero.

> *Page note.* Of the {len(values)} probabilities that the page shows in its two tables, ours
> differ by {apart.max():.3f} at most; its chains had not converged, but these sums of parameters
> were safe (lecture 10). Two things to know. The page's limits are **95 %** here, while its
> figures so far had 90 %: for district 7, {first["conf_low"]:.3f} to {first["conf_high"]:.3f}
> against {narrow["conf_low"]:.3f} to {narrow["conf_high"]:.3f}. And `estimate` is the *median* of
> the draws.
>
> The page predicts for all {n:,} respondents. But nothing in the model tells the respondents of a
> district apart: there are {distinct} different rows, some of them repeated dozens of times. Ask
> for the distinct rows, and the answer comes {n // distinct} times as fast.
""")


def typical_and_average(mu: float, sigma: float, typical: float, average: float) -> Markdown:
    """Why the average over districts is not the typical district (X38)."""
    assert round(typical, 3) == 0.299
    assert round(average, 3) == 0.317
    rates = expit(mu + sigma * np.random.default_rng(11).normal(size=100_000))
    return Markdown(f"""
Typical {typical:.3f}, average {average:.3f}. Below one half the logistic curve bends upward, so a
district that lies above the centre gains more in rate than one that lies equally far below loses.
The typical district is the *median* district ({100 * np.mean(rates > typical):.0f} % of the
imagined ones lie above it); the average is what you need for "how many people in the country".
`re_formula="~0"`, in R `re_formula = NA`, gives the typical one, whatever a paper may call it.
""")


def last_figure(points: pd.DataFrame, line: pd.DataFrame, rows: int) -> Markdown:
    """How to read the page's last figure (S90, X39)."""
    usual = line.set_index("district_id")["estimate"]
    spread: Any = points["rate"] - points["district_id"].map(usual)
    spread = spread.groupby(points["election_id"]).std()
    tiny = points[points["election_id"] == "Great Britain"]["n"].median()
    return Markdown(f"""
How to read it. A line is what the *predictor* says, a circle's distance from it what the
*district* says. In Great Britain the circles hug the line (standard deviation
{spread["Great Britain"]:.2f}): with a median of {tiny:.0f} people per district, few could leave
it. In Finland districts have many answers, and go where these lead ({spread["Finland"]:.2f}).

> *Page note.* The page plots {rows:,} points, one upon the other, and the line from as many rows;
> and it sets the line's width with `size`, which ggplot2 has retired in favour of `linewidth`.
""")


# --- optional: slopes and their differences -----------------------------------------------


def how_steep(effects: pd.DataFrame, second: pd.DataFrame, steeper: pd.DataFrame) -> Markdown:
    """Marginal effects, their difference, and the second difference."""
    me: Any = effects.set_index(["electoral_rules", "district_competitiveness"])["estimate"]
    gap: Any = steeper.iloc[1]
    grows: Any = second.iloc[0]
    pr, smd = me[("PR", 0.8)], me[("SMD", 0.8)]
    assert abs(pr - 0.19) < 0.02
    assert abs(smd - 1.00) < 0.04
    assert abs(gap["estimate"] - 0.79) < 0.06
    assert gap["conf_low"] > 0
    return Markdown(f"""
In the close district one tenth more competitiveness goes with about {10 * smd:.0f} percentage
points more contact under SMD, and with {10 * pr:.0f} under PR. The slopes differ by
{gap["estimate"]:.2f}, {gap["conf_low"]:.2f} to {gap["conf_high"]:.2f}: the whole interval is
above zero. And the first difference grows by {grows["estimate"]:.2f} from the safe to the close
district, {grows["conf_low"]:.2f} to {grows["conf_high"]:.2f}.
""")


def figure_5(three: pd.DataFrame) -> str:
    """The caption of Figure 5: one interval clear of zero, two not."""
    low, high = three["conf_low"].to_numpy(float), three["conf_high"].to_numpy(float)
    assert low[0] < 0 < low[1]
    assert low[2] < 0 < high[2]
    return (
        "**Figure 5.** The trap. The interval of the slope under PR holds zero, that of the slope "
        "under SMD does not, and that of their difference does. One is clear, the other is not, "
        "and that they differ is not clear."
    )


def significant(three: pd.DataFrame) -> Markdown:
    """That a clear and an unclear effect are no evidence of a difference."""
    pr, smd, diff = (
        "{:.2f} [{:.2f}, {:.2f}]".format(*three[COLUMNS].iloc[i].to_list()) for i in range(3)
    )
    return Markdown(f"""
The slope under SMD, {smd}, is clear of zero. That under PR, {pr}, is not. And the difference,
{diff}, is not. "Not clear of zero" is not "zero". Nor does it help to look whether two intervals
overlap: intervals that overlap can belong to estimates that clearly differ. Whoever wants to say
that two slopes differ has to estimate **their difference**. *The difference between significant
and not significant is not itself statistically significant* (Gelman and Stern, 2006), and the
article behind these data quotes the sentence and does it right.
""")


# --- optional: without draws, other priors, the article -----------------------------------


def two_programs(agreed: pd.DataFrame, ours: pd.DataFrame, first: pd.DataFrame) -> Markdown:
    """Maximum likelihood by two programs, and beside the draws."""
    pairs = [(c, f"{c} (marginaleffects)") for c in ("estimate", "std_error")]
    off = max((agreed[a] - agreed[b]).abs().max() for a, b in pairs)
    assert off < 1e-4
    ml: Any = ours.set_index("district_competitiveness").loc[0.8]
    bayes: Any = first.set_index("district_competitiveness").loc[0.8]
    assert ml["conf_low"] > 0.1 > bayes["conf_low"]
    return Markdown(f"""
{len(agreed)} quantities, two programs: no estimate and no standard error differs by 0.0001. The
first difference in a close district is {ml["estimate"]:.2f} by maximum likelihood and
{bayes["estimate"]:.2f} from the draws. But look at the intervals: {ml["conf_low"]:.2f} to
{ml["conf_high"]:.2f} by maximum likelihood, {bayes["conf_low"]:.2f} to {bayes["conf_high"]:.2f}
from the draws. The fit is singular. It takes the spreads between elections at one point on the
edge, as if they were known (lecture 9); the draws average over all that they may be. The short
interval is a symptom, not a finding.
""")


_RSTANARM = {
    "SMD - PR": (0.38, 0.14, 0.58),
    "SMD": (0.58, 0.37, 0.77),
    "PR": (0.20, 0.11, 0.33),
    "slope SMD": (1.00, 0.65, 1.26),
    "slope PR": (0.19, -0.03, 0.55),
    "slopes, SMD - PR": (0.79, 0.33, 1.15),
}
"""Medians and 90 % intervals of a run of rstanarm itself."""


def figure_6(draws: Mapping[str, Array], weights: Array) -> str:
    """The caption of Figure 6: medians stay, intervals shrink."""
    values = np.array(list(draws.values()))
    old, new = quantities.weighted(values), quantities.weighted(values, weights)
    shorter = (new["conf_high"] - new["conf_low"]) < (old["conf_high"] - old["conf_low"])
    assert shorter.all()
    assert np.allclose(new.to_numpy(), [_RSTANARM[name] for name in draws], atol=0.035)
    return (
        "**Figure 6.** Six quantities in a close district under two priors of how elections "
        "differ, medians and 90 % intervals. The medians stay where they are. Under the prior that "
        "assumes less spread all intervals are shorter, and that of the first difference no longer "
        "touches zero."
    )


def two_priors(draws: Mapping[str, Array], weights: Array) -> Markdown:
    """What a default of the software does to the interval of the first difference."""
    old, new = (
        "{:.2f} [{:.2f}, {:.2f}]".format(*quantities.weighted(draws["SMD - PR"], w).iloc[0])
        for w in (None, weights)
    )
    gap = quantities.weighted(draws["slopes, SMD - PR"], weights).iloc[0]
    return Markdown(f"""
The weighted draws are worth {1 / np.sum(weights**2):,.0f} equal ones, enough. The first
difference: {old} under brms's prior, {new} under rstanarm's. The difference of slopes becomes
{gap["estimate"]:.2f} [{gap["conf_low"]:.2f}, {gap["conf_high"]:.2f}]. (We checked: a run of
rstanarm itself gives the same numbers to two or three hundredths.)

Same data, same likelihood, same median. Whether "the interval excludes zero" depends on a default
of the software. With five elections, say what you assumed, and do not let the edge of an interval
decide.
""")


def against_article(
    individual: Posterior, beside: pd.DataFrame, rebuilt: Mapping[str, pd.DataFrame]
) -> Markdown:
    """Where the article's figures and ours agree, and two candidates where they do not (X29)."""
    off = (beside["typical"] - beside["value"]).abs()
    off_average = (beside["population"] - beside["value"]).abs()
    many, wide = len(beside), int((off > 0.05).sum())
    assert wide == 2
    assert off_average.max() < 0.05
    low, high, implied, slope, sd = _slopes(individual)
    first, gap = (
        rebuilt[name].query("conf_low > 0")["x"].min()
        for name in ("first difference", "difference of marginal effects")
    )
    observed = individual.design.data["competitiveness"]
    return Markdown(f"""
Of {many} values {many - wide} agree within the error of reading. So do the statements about
intervals: under PR the band of the marginal effect holds zero everywhere; the difference of
marginal effects is above zero from {gap:.2f} on (the article: about 0.3); the first difference
clears zero at {first:.2f} (about 0.85).

Two do not: the slope under SMD at 0.8, and the difference made of it, lie about {off.max():.2f}
above the article's. Why? Two candidates, and we can weigh both.

- **Other data.** The article fills in missing answers: ten imputed data sets (its text says
  five), a chain on each. Our file keeps complete cases only. The article's own curve, from
  {low:.2f} to {high:.2f}, implies a slope of {implied:.1f} in log-odds; ours has the median
  {slope:.1f} and a posterior sd of {sd:.1f}. The difference is {(slope - implied) / sd:.1f} sds,
  which other data can well make.
- **Another target.** The last column averages over districts and elections instead of taking the
  typical one. Averaging flattens, and *all* {many} values then agree, the largest distance being
  {off_average.max():.2f}.

Which of the two it was cannot be told from the printed figures. What the article concludes stands
with either, as a statement about differences: that what closeness goes with differs between the
rules is supported; that contact differs with closeness, or with the rule, each by itself, only in
part of the range. Look once more at the hatched margins, too: the article's end points, 0 and 1,
are where nobody was asked. The observed districts lie between {observed.min():.2f} and
{observed.max():.2f}.
""")


def _slopes(individual: Posterior) -> tuple[float, float, float, float, float]:
    """Ends of the article's SMD curve, the slope they imply; the median and sd of ours."""
    draws = individual.draws.beta.reshape(-1, len(individual.design.names))
    beta = dict(zip(individual.design.names, draws.T, strict=True))
    smd = beta["competitiveness"] + beta["competitiveness:smd"]
    printed = quantities.article()
    ends = printed[(printed["rules"] == "SMD") & (printed["figure"] == 1)]["value"].iloc[[0, -1]]
    low, high = ends.to_list()
    implied = float(np.log(high / (1 - high)) - np.log(low / (1 - low)))
    return low, high, implied, float(np.median(smd)), float(smd.std())
