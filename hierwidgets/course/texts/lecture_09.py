"""What lecture 9 tells with numbers: the edge, the plain around it, and what remedies change."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy.special import ndtr
from scipy.stats import chi2, t

from hierwidgets.base.arrays import Array
from hierwidgets.course import page
from hierwidgets.course.studies.boundary import stored
from hierwidgets.data.datasets import load
from hierwidgets.fit.boundary import penalised, profile_curve
from hierwidgets.fit.fit import Fit

__all__ = [
    "CAPTIONS",
    "answers",
    "chances",
    "few",
    "hinge",
    "less",
    "optimisers",
    "page_note",
    "pairs",
    "plain",
    "posterior",
    "priors",
    "profile",
    "shares",
    "standard_errors",
]

CAPTIONS = {
    1: "**Figure 1.** Profiles. Diamonds: the estimates. Grey line: the fall that puts a value "
    "outside a 90 % interval. Left, nothing from -1 to 1 is excluded; right, nothing from 0 "
    "to somewhat above 1.",
    2: "**Figure 2.** The log-likelihood, less its maximum. Diamond: the estimate, on the upper "
    "edge. Shaded: the 90 % region, with every correlation. There is no peak to speak of.",
    3: "**Figure 3.** The interaction from eight analyses, with 90 % intervals. Widest: full "
    "Bayes, which counts all uncertainty about the spreads.",
    4: "**Figure 4.** The five fitted lines, drawn on to the left, far beyond the data (shaded). "
    "Solid: SMD. Dashed: PR. The lines of each rule meet exactly above the dotted mark, at a "
    "competitiveness below zero, which cannot exist. Each rule's elections form a fan with "
    "one hinge.",
    5: "**Figure 5.** Each election fitted alone: height and slope of its line, with 90 % "
    "ellipses. Circles, solid: SMD. Squares, dashed: PR. Left: heights far outside the data; "
    "whoever guesses the slope too steep must guess the height too low, and the ellipses are "
    "needles. Right: heights in the middle of the data are known well; slopes are not.",
    6: "**Figure 6.** The profile log-likelihood of the slopes' sd in the uncorrelated model "
    "(solid), and the same plus log σ (dashed), each less its maximum. The prior pulls the "
    "curve down at the left edge, and the top moves to the right. (Here the prior is on this "
    "sd alone; the table below has it on the intercepts' sd as well, and another top.)",
    7: "**Figure 7.** Posterior distributions under full Bayes; dashed, the maximum likelihood "
    "estimates. Left: the sd of the slopes has its bulk well to the right of the estimate, "
    "with a long tail. Right: the correlation is spread over all of its range with hardly a "
    "preference, and the estimate stands at its very end.",
    8: "**Figure 8.** Estimated correlations in simulated surveys with K = 5, 10, 20 and 50 "
    "elections; the truth is 0. Hatched bars at the two ends: the share of fits at exactly -1 "
    "or 1. With five elections nearly all fits end there, on one side or the other; with "
    "fifty, a quarter, and the rest gather around the middle.",
}


# --- the fit and its edge -----------------------------------------------------------------


def page_note(fit: Fit) -> Markdown:
    """The page's numbers of this fit (S82), and those that differ."""
    z = fit.fixef / fit.std_error
    names = [f"sd {row.term} | {row.group}" for row in fit.varcorr.itertuples()]
    spreads = fit.varcorr.assign(name=names)
    ours = page.check(
        "S82",
        estimate=fit.fixef,
        std_error=fit.std_error,
        z=z,
        p=2 * ndtr(-np.abs(z)),
        sd=spreads[spreads["other"].isna()].set_index("name")["sd"],
        corr=fit.varcorr["corr"].iloc[-1],
        residual=fit.sigma,
        nobs=fit.nobs,
        groups=load("rainey2015")[["district_id", "election_id"]].nunique().astype(float),
        aic=fit.aic,
        dic=fit.dic,
        deviance=fit.conditional_deviance,
    )
    differ = ours[ours["verdict"] != "agrees"]
    listed = ", ".join(f"{row.page} (ours {row.ours:.3f})" for row in differ.itertuples())
    assert set(differ["verdict"]) == {"stopped early", "at the edge"}
    return Markdown(f"""
> *Page note.* The page prints {len(ours)} numbers of this fit, and we compared each.
> {len(ours) - len(differ)} agree to the last digit. The others are {listed}. The
> differences are small, and they hang on *where exactly* a search ends, and on how its surroundings
> are measured there.
""")


def hinge(lines: pd.DataFrame, meeting: float, sds: tuple[float, float]) -> Markdown:
    """Where the lines of one rule meet."""
    by_rule = lines.groupby("rules")[["intercept", "slope"]]
    at = by_rule.first() - by_rule.last()
    assert np.abs(at["intercept"] + meeting * at["slope"]).max() < 1e-4
    assert abs(meeting + sds[0] / sds[1]) < 1e-12
    return Markdown(f"""
They meet at {meeting:.2f}, to four digits. Nobody believes in that hinge. It is as if somebody had
asked five elections for two numbers each and written down one.
""")


# --- how high the hill is -----------------------------------------------------------------


def profile(fit: Fit, rho: pd.DataFrame, slopes: str) -> Markdown:
    """How little the likelihood excludes: of the correlation nothing, of the sd not much."""
    parameters = [f"corr Intercept, {slopes}", f"sd {slopes}"]
    limits = fit.confint(0.9, parameters=parameters, progress=False).set_index("term")
    assert limits.iloc[0][["conf_low", "conf_high"]].tolist() == [-1, 1]
    low, top = limits.iloc[1][["conf_low", "conf_high"]]
    assert low == 0
    return Markdown(f"""
By {-rho["drop"].min():.2f} in all. The interval of ρ is [-1, 1], **everything a correlation can
be**: 1.00 is the highest point of a plain. The sd of the slopes lies between 0 and {top:.2f}; its
estimate, {fit.varcorr["sd"].iloc[2]:.2f}, does not say that slopes hardly differ.
""")


def plain() -> Markdown:
    """How much of the map lies within the 90 % region."""
    surface = stored("surface")
    inside = surface[surface["drop"] > np.log(1 - 0.9)]
    return Markdown(f"""
The shaded region of Figure 2 holds {len(inside) / len(surface):.0%} of the map, sds up to
{inside["sd"].max():.1f} and correlations from {inside["corr"].min():g} to {inside["corr"].max():g}.
(The left end of the profile of ρ is perfectly level: with a clearly negative ρ the best sd of the
slopes is zero, and then ρ means nothing.) On such a plain, where the highest point lies is an
accident. That is fragility: not a bug in the climb, but a hill that is none.
""")


def optimisers(fit: Fit, searches: pd.DataFrame) -> Markdown:
    """Who arrived, who sat down on the way, and what those found that arrived."""
    default = stored("lme4_rainey2015").query("optimiser == 'lme4, default'")
    told = default.groupby("quantity", sort=False)["value"].agg(list)
    singular = stored("lme4_rainey2015").query("quantity == 'singular'").set_index("optimiser")
    assert [bool(v) for v in singular["value"]] == [False, True]
    best = searches["loglik"].max()
    assert best - fit.loglik < 1e-5
    arrived = searches[best - searches["loglik"] < 1e-3]
    lost = searches[best - searches["loglik"] > 0.1].set_index("optimiser")
    missed = ", ".join(f"{name} by {best - row.loglik:.2f}" for name, row in lost.iterrows())
    return Markdown(f"""
Two different things go wrong here, and it pays to tell them apart.

**Not arriving.** {len(arrived)} of the {len(searches)} end at the same height, {best:.3f}. The rest
are *lower*: {missed}. Their "estimates" are places where somebody sat down. Powell's interaction,
{lost.loc["Powell", "interaction"]:.2f}, would make a fine headline. So the first check is always:
did the gradient vanish, and does another optimiser reach the same height? (`fit.converged` here
says {fit.converged}.)

**Arriving at an odd place.** All that did arrive found a correlation of 1, or a hair less. lme4's
default stops at {told["corr"][0]:.5f}, lower than the top by {best - told["loglik"][0]:.4f},
complains about its gradient, and answers `FALSE` to `isSingular()`. Told to be patient, it
walks the last hair, finds 1, and answers `TRUE`. Same data, same model, same hill; two different
warnings. **No optimiser can mend this**: the top of the hill *is* at the edge.

> *Page note.* That is also where the page's .27 comes from: at lme4's stopping point the slope's
> sd is {told["sd"][2]:.4f}, at the top {fit.varcorr["sd"].iloc[2]:.4f}. The words one gets (a
> singular fit, or a gradient too large) depend on the version and the settings.
""")


def standard_errors(fit: Fit, errors: pd.DataFrame) -> Markdown:
    """How far the standard errors of four programs lie apart at the edge."""
    spread = (errors.max(axis=1) / errors.min(axis=1) - 1).max()
    zs = (abs(fit.fixef.iloc[-1]) / errors.iloc[-1, :4]).to_numpy(dtype=float)
    assert spread < 0.02
    return Markdown(f"""
They differ by up to {100 * spread:.1f} %, and lme4's own two columns differ from each other
although their tops are the same to three decimals: it finds the curvature by small differences,
and at the edge these are noisy. Besides, one may or may not count that the spreads are estimates.
So the interaction's z is anything from {zs.min():.2f} to {zs.max():.2f}, and the page's 2.99 is
one more member of the family. **Do not lean on the third digit of a standard error at a
boundary.** And Figure 3 shows that the first digit is the one in danger.
""")


# --- why the edge -------------------------------------------------------------------------


def chances() -> Markdown:
    """How often the estimate of a spread is zero though the spread is not."""
    share = {K: chi2.cdf(K / 2, df=K) for K in (5, 20, 50)}
    assert share[5] > 0.2 > share[20] > share[50]
    return Markdown(f"""
<details>
<summary>How often, when differences are as large as the noise (σ² = v)?</summary>

In {share[5]:.0%} of studies with 5 groups, {share[20]:.1%} with 20, {share[50]:.2%} with 50.

</details>

**An estimate of zero is not evidence of zero.**
""")


def pairs(at_zero: pd.DataFrame) -> Markdown:
    """Seen minus noise for five pairs of height and slope, which is no covariance matrix."""
    found = at_zero[["height", "slope"]]
    deviations = found - found.groupby(at_zero["rules"]).transform("mean")
    S = deviations.T.to_numpy() @ deviations.to_numpy() / (len(found) - 2)
    mean = at_zero[["var_height", "cov", "var_slope"]].mean()
    noise = np.array([[mean["var_height"], mean["cov"]], [mean["cov"], mean["var_slope"]]])
    values = np.linalg.eigvalsh(S - noise)
    T = np.array([[1, 0.7], [0, 1]])
    middle, middle_noise = T @ S @ T.T, T @ noise @ T.T
    assert values[0] < 0 < values[1]
    assert S[1, 1] < noise[1, 1]
    assert middle[0, 0] > middle_noise[0, 0]
    return Markdown(f"""
What we see of the elections is what they **are** plus **noise**, and variances add: the variance of
the pairs we see should be that of the true pairs plus that of the noise. So subtract. Around the
mean of its rule, the slope varies with a variance of {S[1, 1]:.2f}; noise alone would make it
{noise[1, 1]:.2f}. The difference, {S[1, 1] - noise[1, 1]:.2f}, is the estimate of a **variance**,
and negative. For the heights at 0.7 it is {middle[0, 0]:.2f} less {middle_noise[0, 0]:.2f}, safely
positive: the elections do differ in how much contact there is.

For the two together, "seen minus noise" is a matrix. Its *eigenvalues* are the variances along the
longest and the shortest axis of the ellipse it stands for, and it is a covariance matrix only if
neither is negative. They are {values[0]:.2f} and {values[1]:.2f}. One direction has been used up by
noise. Maximum likelihood may not go below zero; it stops **at** zero, in that direction, and a
matrix with an eigenvalue of zero is a singular one. There you have your 1.00.

Note that moving the origin from 0 to 0.7 changes neither fit nor singularity. It is the same
matrix, seen from elsewhere.
""")


# --- remedies -----------------------------------------------------------------------------


def less(table: pd.DataFrame) -> Markdown:
    """What five models that ask for less and less give up, and what that hides (S82)."""
    loglik = table["loglik"]
    assert loglik.round(3).to_dict() == {
        "correlated": -2782.157, "uncorrelated": -2782.306, "heights only": -2782.375,
        "slopes only": -2782.387, "no elections": -2813.892,
    }  # fmt: skip
    null = 0.5 * (0.5 * 1 + 0.5 * 2)  # half the mean of an even mixture, 1 and 2 df
    bought = loglik["correlated"] - loglik["heights only"]
    between, none = table["interaction"].iloc[:4].mean(), table["interaction"].iloc[4]
    return Markdown(f"""
From "heights only" to the full model, two more parameters buy {bought:.2f} of log-likelihood. (One
parameter that means nothing buys a half on average, in the interior. An sd cannot go below 0 and
buys less: for this pair about {null:.2f}, where slopes do not vary.) AIC, which charges 1 for
each, prefers "heights only". But "no elections" costs
{loglik["heights only"] - loglik["no elections"]:.1f}: that elections differ is beyond doubt. And
look at the interaction: about {between:.1f} in all four models that let elections differ, and
{none:.1f} in the one that does not.

So is "heights only" the answer? It has a price that the table does not show. Its standard error,
{table["std_error"]["heights only"]:.2f}, takes it as *known* that slopes do not vary within a
rule. Figure 1 says that they may. The interaction is a difference **between slopes of elections**;
a model that forbids them to vary counts 567 districts where it should count five elections.
Dropping what cannot be estimated makes the warning go away, not the uncertainty.
""")


def priors(fits: Mapping[str, Fit], priored: Mapping[str, Fit]) -> Markdown:
    """Where a prior that vanishes at the edge moves the estimates, and what that costs."""
    fit, p1, p2 = fits["correlated"], *priored.values()
    one = fits["heights only"]
    curve = profile_curve(one, "sd Intercept | election_id", np.linspace(0.2, 0.8, 61).tolist())
    by_hand = curve["value"][(curve["drop"] + np.log(curve["value"])).idxmax()]
    package = penalised(one, ["election_id"]).varcorr["sd"].iloc[1]
    assert abs(by_hand - package) < 0.01
    assert not p1.singular
    assert not p2.singular
    sd_free = fits["uncorrelated"].varcorr["sd"].iloc[2]
    return Markdown(f"""
(With one sd, by hand and package can be compared: in "heights only" the top of profile plus log σ,
on a grid in steps of 0.01, is at {by_hand:.2f}, and `penalised` finds {package:.3f}. They agree.)

Neither fit is singular any more. The slopes' sd of the uncorrelated model goes from {sd_free:.2f}
to {p1.varcorr["sd"].iloc[2]:.2f}, and in the correlated one the correlation from 1 to
{p2.varcorr["corr"].max():.2f}: from one side of the plain to the other, at a cost of
{fit.loglik - p2.loglik:.2f} of log-likelihood. That the sign could flip for so little says, once
more, that **nothing is known about ρ**. The interaction stays, and its standard error grows to
{p1.std_error.iloc[-1]:.2f} and {p2.std_error.iloc[-1]:.2f}, an honest movement.

One estimate has been moved to a more sensible place. But it is still *one* place on a plain.
""")


def posterior(sd: "pd.Series[float]", rho: "pd.Series[float]", estimate: float) -> Markdown:
    """What full Bayes says of the slopes' sd and of the correlation."""
    q = sd.quantile([0.05, 0.5, 0.95]).to_numpy()
    half, above = (rho.abs() < 0.5).mean(), (sd > estimate).mean()
    return Markdown(f"""
ρ has hardly a peak: half of its range, from -0.5 to 0.5, holds {half:.0%} of the draws. The slopes'
sd has a median of {q[1]:.2f} and a 90 % interval from {q[0]:.2f} to {q[2]:.2f}; {above:.0%} of the
draws lie above the maximum likelihood estimate. A maximum at the edge is not in the middle of
anything.
""")


def answers(table: pd.DataFrame, draws: Array) -> Markdown:
    """The interaction from eight analyses: where it lies, and how wide its intervals are."""
    found = table.set_index("name")
    width, low = found["conf_high"] - found["conf_low"], found["conf_low"]
    grow = width["full Bayes"] / width["heights only"] - 1
    assert (low > 0).all()
    assert width.idxmax() == "full Bayes"
    return Markdown(f"""
The interval of full Bayes is {grow:.0%} wider than that of "heights only" and begins at
{low["full Bayes"]:.2f}, not {low["correlated"]:.2f} ("correlated"). {(draws > 0).mean():.1%} of the
posterior draws are positive: the sign is likely, the *size* not well known. That is a fact about
five elections, not about software. **Ask which conclusions pass through the fragile part.** This
one does by its standard error, not by its estimate.
""")


# --- how often ----------------------------------------------------------------------------


def few(study: pd.DataFrame) -> Markdown:
    """How many of a few fits to simulated surveys of five elections are singular."""
    return Markdown(f"""
**{study["singular"].sum()} of {len(study)}** fits are singular, though the truth is not. Before
you run the next cell: what if there were ten elections like these, or twenty, or fifty?
""")


def shares(study: pd.DataFrame, b: pd.DataFrame) -> Markdown:
    """Singular fits, underestimated spreads and intervals that miss, by number of elections."""
    se = np.sqrt(b["covered"] * (1 - b["covered"]) / b["surveys"])
    wider = t.ppf(0.95, 3)
    by_t = (study.query("elections == 5")["off"] < wider).mean()
    assert b["covered"][5] + 2 * se[5] < 0.9 < b["covered"][50] + 2 * se[50]
    assert b["singular"].is_monotonic_decreasing
    return Markdown(f"""
With five elections {b["singular"][5]:.0%} of the fits are singular, with twenty still
{b["singular"][20]:.0%}, with fifty {b["singular"][50]:.0%}. **For this design a singular fit is the
rule**, and says next to nothing about the truth. The slopes' sd, truly 1, is estimated at
{b["median_sd_slope"][5]:.2f} in the median with five elections and at
{b["median_sd_slope"][50]:.2f} with fifty: maximum likelihood errs on the low side when groups are
few.

The last column is the one that should worry you. The Wald interval for the interaction claims to
cover the truth in 90 % of surveys. With five elections it does in {b["covered"][5]:.0%} (give or
take {se[5]:.0%}), with fifty in {b["covered"][50]:.0%}. Too small a spread makes too short an
interval. The z of three that the table showed so confidently belongs to an interval that keeps its
promise less often than it says. A rule of thumb from the days before computers helps: take the
multiplier not from the normal distribution, 1.64, but from Student's t with as many degrees of
freedom as there are elections left over, 5 - 2 = 3. That is {wider:.2f}, and covers the truth in
{by_t:.0%} of the same surveys, which errs on the safe side.
""")
