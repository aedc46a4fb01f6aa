"""What lecture 8 tells with numbers: elections, the two codings, simulated elections, priors."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course import page
from hierwidgets.course.models import SEVERAL_COUNTRIES
from hierwidgets.data.datasets import load
from hierwidgets.fit.fit import Fit
from hierwidgets.model import glmer

__all__ = [
    "CAPTIONS",
    "by_hand",
    "codings",
    "drift",
    "extremes",
    "fan",
    "five",
    "mirror",
    "page_notes",
    "people",
    "simulated",
    "steps",
    "traps",
]

CAPTIONS = {
    1: "**Figure 1.** Share contacted against competitiveness, a circle for each district; "
    "larger, more people asked. Canada and Britain: clouds that drift upward. Finland and "
    "Portugal: a few large circles with no drift to swear to.",
    2: "**Figure 2.** The model as a graph. Grey boxes: observed. Dashed: drawn, once for each "
    "unit of their frame. Shaded: estimated. An arrow reads *is used to make*.",
    3: "**Figure 3.** Fitted curves. Dotted: the election's own. Solid (SMD) and dashed (PR): "
    "the mean of its rule.",
    4: "**Figure 4.** The same two lines twice, on the log-odds scale. Left, PR is coded 1: the "
    "numbers start from the SMD line (dot), and the arrow is what PR adds at competitiveness "
    "0. Right, SMD is coded 1: they start from the PR line, and the arrow points the other "
    "way. The lines do not move; the names do.",
    5: "**Figure 5.** One election, made in four steps. 1: the curve of its rule (solid, since "
    "the rule is SMD). 2: the election draws its own curve (dotted). 3: each of its 40 "
    "districts draws a probability around that curve (dots). 4: eight people in each answer, "
    "and all that a survey sees is these shares (diamonds).",
    6: "**Figure 6.** What three priors predict for the contact rate of a district before any "
    "data. Left, the article's: nearly all draws are at 0 or at 1. Middle: a bowl, with much "
    "of its mass at the two ends. Right: mild priors; every rate is possible, and none is "
    "favoured much. Mind the vertical axes, which differ.",
}


# --- the data -----------------------------------------------------------------------------


def five(rainey: pd.DataFrame, elections: pd.DataFrame) -> Markdown:
    """What the rows are, and that the groups at the top are five."""
    countries = rainey["election_id"].str.replace(r" \d+$", "", regex=True).nunique()
    small = rainey.groupby("district_id").size()
    assert (countries, len(elections), len(small)) == (4, 5, 567)
    british = small[small.index.str.startswith(("Canada", "Great Britain"))]
    return Markdown(f"""
{len(rainey):,} people, {len(small)} districts. `SMD`, *single-member districts*: one seat, the
first past the post gets it. `PR`, *proportional representation*: many seats, shared by votes.
Canada and Britain have {len(british)} districts with {british.mean():.1f} people each, Finland and
Portugal {len(small) - len(british)} with {small.drop(british.index).mean():.0f}. Portugal voted
twice: {countries} countries, but **K = {len(elections)} elections**, and that small number will
matter most.
""")


def drift(rainey: pd.DataFrame, districts: pd.DataFrame) -> Markdown:
    """Slopes of straight lines under each rule, and the circle that tilts one."""
    assert rainey.groupby("district_id")["district_competitiveness"].nunique().max() == 1
    slopes = {
        str(rule): np.polyfit(part["district_competitiveness"], part["y"], 1)[0]
        for rule, part in rainey.groupby("electoral_rules")
    }
    assert slopes["PR"] < 0 < slopes["SMD"]
    outlier = districts.query("election_id == 'Portugal 2005'").nlargest(1, "n").iloc[0]
    return Markdown(f"""
A straight line through the people of the SMD elections climbs by {slopes["SMD"] / 10:.3f} for each
tenth of competitiveness; under PR it falls by {-slopes["PR"] / 10:.3f}, and one circle of
{outlier["n"]} people at {outlier["rate"]:.2f} tilts it.
""")


def page_notes(elections: pd.DataFrame) -> Markdown:
    """How many rows, columns and groups the page has (S78), and what its heading calls them."""
    raw = load("rainey2015")
    verdicts = page.check(
        "S78",
        rows=raw.shape[0],
        columns=raw.shape[1],
        district_competitiveness=raw["district_competitiveness"],
    )
    assert (verdicts["verdict"] == "agrees").all()
    words = ["Canada", "Canada; District 7", "Contacted", "SMD"]
    assert raw.iloc[0].drop("district_competitiveness").to_list() == words
    return Markdown(f"""
> *Page note.* The page's heading speaks of several **countries**. There are 4 countries
> and {len(elections)} **elections**: Portugal voted in 2002 and in 2005. The size of the data,
> {raw.shape[0]:,} by {raw.shape[1]}, and the values that the page shows agree with ours.
""")


# --- the fit ------------------------------------------------------------------------------


def mirror(fit: Fit) -> Markdown:
    """By how much Canada and Britain are off the mean of their rule."""
    modes = fit.ranef[fit.ranef["group"] == "election_id"]
    dev = modes.pivot(index="level", columns="term", values="mode")
    canada, britain = dev.loc["Canada"], dev.loc["Great Britain"]
    slope = "district_competitiveness"
    assert canada["Intercept"] > 0 > britain["Intercept"]
    return Markdown(f"""
Canada's line lies {canada["Intercept"]:.2f} log-odds above the mean of its rule at competitiveness
0, **and** is steeper by {canada[slope]:.2f}. Britain is its mirror image
({britain["Intercept"]:.2f} and {britain[slope]:.2f}): between two elections, where else could a
mean lie?
""")


def by_hand(fit: Fit, rates: Array, districts: pd.DataFrame, rainey: pd.DataFrame) -> Markdown:
    """Rates by hand against `fit.predict`; 567 rows of counts against 5,126 rows of answers."""
    assert np.allclose(rates, fit.predict(districts)["estimate"], atol=1e-10)
    trials = districts.assign(contacted=(districts["rate"] * districts["n"]).round())
    short = glmer(SEVERAL_COUNTRIES.replace("contacted", "p(contacted, n)", 1), trials)
    assert np.abs(short.fixef.to_numpy() - fit.fixef.to_numpy()).max() < 1e-6
    return Markdown(f"""
The {len(rates)} rates by hand and `fit.predict` agree.

A remark for later. We just predicted {len(districts)} rows, not {len(rainey):,}. The model cannot
tell two people of one district apart, so it may as well see *y contacted out of n asked*. Fitted to
those {len(trials)} rows (the response is then written `p(contacted, n)`; in R
`cbind(contacted, n - contacted)`), the coefficients differ from the ones above by
less than a millionth. For maximum likelihood this
saves a little time; for the simulations of lecture 10 it saves a lot.
""")


def people(without: Fit, with_x: Fit) -> Markdown:
    """What becomes of four coefficients when seven covariates of persons come in."""
    assert with_x.fixef["competitiveness:smd"].round(1) == 3.4
    shared = without.fixef.index
    moved = (with_x.fixef[shared] - without.fixef).abs() / with_x.std_error[shared]
    largest = str(with_x.fixef.drop(shared).abs().idxmax())
    assert moved.max() < 1
    return Markdown(f"""
The people in the two columns are the same. What belongs to a person matters, most of all
{largest} ({with_x.fixef[largest]:.2f} log-odds from its lowest value to its highest). The four
coefficients we care about move too, the interaction from
{without.fixef["competitiveness:smd"]:.2f} to {with_x.fixef["competitiveness:smd"]:.2f}, but none by
more than {moved.max():.1f} of its standard error. And the right-hand column describes somebody in
particular, a person at the median of every covariate. We go on without these columns, as the page
does, and come back to the full model in lecture 11. (`||` in place of `|` leaves out one number,
ρ; the next lecture says which and why.)
""")


# --- which rule is zero -------------------------------------------------------------------


def codings(fit: Fit) -> Markdown:
    """The slopes of the two rules, read off four coefficients with SMD coded 1."""
    slope, difference = fit.fixef.iloc[1], fit.fixef.iloc[3]
    assert [round(slope, 2), round(slope + difference, 2)] == [1.21, 4.27]
    return Markdown(f"""
Both codings draw the same lines, but "the effect of competitiveness" is {slope:.2f} in one and
{slope + difference:.2f} in the other: the slope under PR, the slope under SMD. **With an
interaction there is no main effect**, only slopes at a value of the other part. And the
coefficient of the rule is the gap at competitiveness 0, where no district is.
""")


def traps(
    fit: Fit,
    delta: "pd.Series[Any]",
    std_error: Array,
    districts: pd.DataFrame,
    rainey: pd.DataFrame,
) -> Markdown:
    """A second fit with PR coded 1, and three ways to misread the two tables."""
    assert delta.round(2).tolist() == [-3.09, 0.74, 4.27, -3.07]
    refit = glmer(
        "contacted ~ pr * district_competitiveness + (1 | district_id)"
        " + (1 + district_competitiveness | election_id)",
        rainey.assign(pr=(rainey["electoral_rules"] == "PR").astype(int)),
        event="Contacted",
    )
    assert np.abs(refit.fixef.to_numpy() - delta.to_numpy()).max() < 1e-4
    assert np.abs(refit.std_error.to_numpy() - std_error).max() < 1e-3
    assert abs(refit.loglik - fit.loglik) < 1e-6
    z_pr, z_smd = fit.fixef.iloc[1] / fit.std_error.iloc[1], delta["δ10"] / std_error[2]
    x = districts["district_competitiveness"]
    lowest, pr_lowest = x.min(), x[districts["electoral_rules"] == "PR"].min()
    cross = -delta["δ01"] / delta["δ11"]
    return Markdown(f"""
Fit the model anew with a column `pr`, and the same four numbers come out, standard errors included,
with the same likelihood. Nothing was estimated twice.

Now read the table of δ's beside that of the β's, and see three traps:

- **"The effect of competitiveness"** is {fit.fixef.iloc[1]:.2f} with z = {z_pr:.1f} in one table
  and {delta["δ10"]:.2f} with z = {z_smd:.1f} in the other. One would be called insignificant, the
  other overwhelming. They answer different questions: the slope under PR, and the slope under SMD.
- **"The effect of the rule"**, δ01 = {delta["δ01"]:.2f}, is the gap at competitiveness **0**. No
  district is near 0: the lowest is at {lowest:.2f}, and under PR at {pr_lowest:.2f}. The arrow in
  Figure 4 stands where there are no data. Its sign even turns at {cross:.2f}, where the lines
  cross.
- **The interaction** only changes its sign, {fit.fixef.iloc[3]:.2f} and {delta["δ11"]:.2f}, and
  keeps its standard error, {std_error[3]:.2f}. So does the effect of the rule; but that one hangs
  on where competitiveness has its zero, and the interaction on nothing of the kind. Of the four
  numbers it is the one that means the same in both tables. (It is still a difference of log-odds.
  What to tell a reader are differences of rates, at competitiveness that occurs: lecture 11.)
""")


# --- elections made up --------------------------------------------------------------------


def steps(made: pd.DataFrame) -> Markdown:
    """From the districts' probabilities to the shares that a survey sees."""
    rates, shares = expit(made["alpha"].to_numpy()), made["y"] / made["n"]
    assert shares.max() - shares.min() > rates.max() - rates.min()
    return Markdown(f"""
From the first panel to the last the picture gets noisier, and an analysis has to walk the way
back, from right to left. The districts' probabilities lie between {rates.min():.2f} and
{rates.max():.2f}; the shares that are seen lie between {shares.min():.2f} and {shares.max():.2f}.
And note who is noisy: there are {len(made)} diamonds to find the dotted curve with, but only
**one** dotted curve to find the solid one with. For the rules' curves, an election is a single
observation.
""")


def fan(sd0: float, sd1: float, spread: pd.DataFrame, districts: pd.DataFrame) -> Markdown:
    """Where elections lie apart, for three correlations of height and slope."""
    x = spread.index.to_numpy(dtype=float)
    meet = sd0 / sd1
    near = districts["district_competitiveness"].between(meet - 0.1, meet + 0.1).mean()
    assert 0 < meet < 1
    assert np.allclose(spread["ρ = 1"], sd0 + sd1 * x)
    assert np.allclose(spread["ρ = -1"], np.abs(sd0 - sd1 * x))
    return Markdown(f"""
At competitiveness 0 the correlation changes nothing: elections lie apart by {sd0:.2f}, come what
may. To the right of it, ρ decides. With ρ = 1 a high line is a steep one, and the fan opens, to
{spread["ρ = 1"].iloc[-1]:.2f} at competitiveness 1. With ρ = -1 a high line is a flat one; all
elections of a rule would meet in a single point, at {meet:.2f}, and part again. That is no
corner of the picture: {near:.0%} of the districts lie within a tenth of it. A correlation sounds
like a footnote to two standard deviations. In this model it says *where* elections differ.

**Coding** did Your turn 1 for you, with the same map. Four numbers got new names and new values,
and no curve moved. The spreads did not even need new values: by how much an election is off
its rule's mean has nothing to do with which rule is called 0.
""")


def simulated(check: pd.DataFrame) -> Markdown:
    """Observed rates of the elections inside the range of simulated ones."""
    canada = check.loc["Canada"]
    assert check["contacted"].between(check["5 %"], check["95 %"]).all()
    return Markdown(f"""
All {len(check)} observed rates lie inside the range of 90 % of the
simulated ones. That is comforting and not much more. Canada's range,
{canada["5 %"]:.2f} to {canada["95 %"]:.2f}, is so wide because each simulated survey has a new
"Canada", another election under the same rule; a model so generous is hard to contradict.
""")


def extremes(drawn: Mapping[str, Array], answers: int) -> Markdown:
    """Shares of districts that a prior puts below 0.01 or above 0.99."""
    extreme = {name: np.mean((r < 0.01) | (r > 0.99)) for name, r in drawn.items()}
    assert extreme["the article's"] > 0.9 > extreme["a compromise"] > extreme["mild"]
    return Markdown(f"""
Under the article's priors, {extreme["the article's"]:.0%} of districts contact fewer than one
person in a hundred or more than ninety-nine. Nobody believes that; it is an opinion, and a violent
one, that entered by way of wanting none. The compromise says it of {extreme["a compromise"]:.0%}
of the districts, the mild priors of {extreme["mild"]:.1%}.

The reason is the bend of the inverse logit. From -4.6 to +4.6 log-odds, the rate goes from 1 % to
99 %. A standard deviation of {np.sqrt(1000):.0f} puts most of its mass outside. **Flat on one
scale is not flat on another**, and a prior has to be judged on the scale where you have knowledge.

Does it matter? For where the δ's lie, hardly: even five elections outweigh a prior as wide as that.
But {answers:,} answers do not make them sure, for the δ's describe elections, and of those there
are **five**. How widely the δ's may lie hangs on the spreads between elections, on whose prior it
does depend, and lecture 10 shows how much.
""")
