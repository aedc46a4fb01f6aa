"""What lecture 10 says of the numbers it computes: full Bayes and its diagnostics."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

import hierwidgets as hw
from hierwidgets.base.arrays import Array
from hierwidgets.course import page
from hierwidgets.fit.fit import Fit
from hierwidgets.posterior.posterior import Posterior

SLOPES = "sd district_competitiveness | election_id"
INTERACTION = "district_competitiveness:electoral_rules[T.SMD]"


def _worst_ess(printed: pd.DataFrame) -> "pd.Series[float]":
    return printed[["ess_bulk", "ess_tail"]].min(axis=1)


# --- core ---------------------------------------------------------------------------------


def figure_1(printed: pd.DataFrame) -> str:
    """The caption of Figure 1: which rows fail."""
    assert int((printed["rhat"] > 1.01).sum()) == 3
    assert set(printed.index[printed["rhat"] > 1.01]) >= {SLOPES, INTERACTION}
    return (
        "**Figure 1.** The page's run against the limits (dotted: a stricter 2,000). Dots pass, "
        "crosses fail: three rows, in every column."
    )


def verdict(printed: pd.DataFrame, short: Mapping[str, str]) -> Markdown:
    """Which rows of the page's table fail, and that it is printed twice (S81, S85, S86)."""
    ok = (printed["rhat"] <= 1.01) & (_worst_ess(printed) >= 400)
    failing = [short[name] for name in printed.index[~ok]]
    assert len(failing) == 3
    twice = [[(one.name, one.text) for one in page.numbers(item)] for item in ("S85", "S86")]
    assert twice[0] == twice[1]
    return Markdown(f"""
They are **{", ".join(failing)}**: the question of the whole study and what it hangs on.

> *Page note.* The text says that Stan "would have no problems". It had: the last columns say so.
> The table is printed twice, all {len(twice[1])} numbers the same; that is not twice checked.
""")


def row_by_row(printed: pd.DataFrame, posterior: Posterior) -> Markdown:
    """The converged run beside the page's, in its own Monte Carlo errors (S81, S85, S86)."""
    ours = posterior.summary()
    given = ours.loc[printed.index]
    page.check(
        "S85",
        estimate=given["estimate"],
        std_error=given["std_error"],
        conf_low=given["conf_low"],
        conf_high=given["conf_high"],
        rhat=given["rhat"],
        ess_bulk=given["ess_bulk"],
        ess_tail=given["ess_tail"],
    )
    page.check(
        "S86",
        estimate=given["estimate"],
        std_error=given["std_error"],
        conf_low=given["conf_low"],
        conf_high=given["conf_high"],
        rhat=given["rhat"],
        ess_bulk=given["ess_bulk"],
        ess_tail=given["ess_tail"],
    )
    assert ours["rhat"].max() < 1.01
    assert posterior.diagnose().ok
    off = (printed["estimate"] - given["estimate"]).abs()
    error = np.hypot(
        printed["std_error"] / np.sqrt(printed["ess_bulk"]),
        given["std_error"] / np.sqrt(given["ess_bulk"]),
    )
    assert (off < 2 * error + 0.005).all()
    low: Any = {"page": printed.loc[INTERACTION], "ours": given.loc[INTERACTION]}
    return Markdown(f"""
R-hats of at most {ours["rhat"].max():.3f}, effective sizes of {_worst_ess(ours).min():,.0f} or
more: *this* table I would sign. The page's means lie within two Monte Carlo errors of it, by
**luck**; nothing in its table could have told it so. Its interval of the interaction begins at
{low["page"]["conf_low"]:.2f}, ours at {low["ours"]["conf_low"]:.2f}: the side of zero hung on
{low["page"]["ess_tail"]:.0f} draws.
""")


# --- optional: what was asked of Stan -----------------------------------------------------


def asked(rainey: pd.DataFrame) -> Markdown:
    """The call's settings and the priors it does not name (S83, S84, S85, S86)."""
    minutes = page.number("S84", "minutes")
    kept = 10 * (4000 - 2000)
    groups: Any = rainey[["district_id", "election_id"]].nunique()
    page.check("S85", draws=kept, nobs=len(rainey))
    page.check("S85", chains=10, iter=4000, warmup=2000, thin=1, groups=groups)
    page.check("S86", chains=10, iter=4000, warmup=2000, thin=1, draws=kept)
    page.check("S86", nobs=len(rainey), groups=groups)
    return Markdown(f"""
These are brms's defaults. Flat for the coefficients, and for every sd half of a Student t with 3
degrees of freedom and scale 2.5: most of its mass below 4, a long tail above. (*lkj(1)* is flat
over correlations.) With 567 districts nobody will notice that prior. With **five** elections it
is part of the answer, and we measure how much at the end.

> *Page note.* The page states no priors, and no setting of the sampler but these. It reports
> {minutes.text} minutes on ten cores for {kept:,.0f} kept draws, and remembers that in 2012 the
> same took hours or days with JAGS. A time depends on the machine; we do not check it.
""")


def stricter(printed: pd.DataFrame) -> Markdown:
    """How many rows pass the author's own rule."""
    strict = int(((printed["rhat"] < 1.01) & (_worst_ess(printed) > 2000)).sum())
    assert strict == 0
    return Markdown(f"""
The page's author, in his own course notes, asks for more: R-hat below 1.01 and sizes above 2,000.
By this rule, with 1.01 not below 1.01, {strict} of the {len(printed)} rows would pass. (A printed
1.01 may be a rounded 1.014. Divergences and tree depths, which Stan also reports, are not shown.)
""")


# --- optional: the smallest model with the same disease -----------------------------------


def three_alarms(chains: Array, by_hand: tuple[float, float], bad: pd.DataFrame) -> Markdown:
    """R-hat and effective size by hand, by ArviZ, and the divergences."""
    from hierwidgets.posterior.convergence import statistics

    rhat, ess = by_hand
    theirs: Any = statistics(chains[..., None]).iloc[0]
    assert abs(theirs["rhat"] - rhat) < 0.1
    assert 0.3 < theirs["ess_bulk"] / ess < 3
    return Markdown(f"""
For log σ, by hand: **R-hat {rhat:.2f}, effective size {ess:.0f}**, of {chains.size:,} draws.
ArviZ, the standard package for this, says {theirs["rhat"]:.2f} and {theirs["ess_bulk"]:.0f},
{theirs["ess_tail"]:.0f} in the tails. It works with the *ranks* of the draws, which makes it
proof against heavy tails, and takes the larger of two R-hats, one of them for the spread.

{int(bad["divergent"].sum())} of the {len(bad):,} proposals diverged. All three alarms ring.
""")


def left_out(
    grid: Array, exact: Array, bad: pd.DataFrame, good: pd.DataFrame, found: Mapping[str, Any]
) -> Markdown:
    """Quantiles of log sigma: exact, non-centred, centred; `found` has (R-hat, size) by form."""
    mass = np.cumsum(exact) * (grid[1] - grid[0])
    rows = {"exact": [float(grid[np.searchsorted(mass, q)]) for q in (0.05, 0.5, 0.95)]}
    for form, part in (("non-centred", good), ("centred", bad)):
        rhat, ess = found[form]
        diverged = int(part["divergent"].sum())
        name = f"{form} (R-hat {rhat:.2f}, effective size {ess:.0f}, {diverged} diverged)"
        rows[name] = part["log_sigma"].quantile([0.05, 0.5, 0.95]).to_list()
    missing = mass[np.searchsorted(grid, bad["log_sigma"].min())]
    assert found["non-centred"][0] < 1.01
    assert found["non-centred"][1] > 1000
    table = "\n".join(
        f"| {name} | {low:.2f} | {middle:.2f} | {high:.2f} |"
        for name, (low, middle, high) in rows.items()
    )
    return Markdown(f"""
| log σ | 5 % | median | 95 % |
|---|---|---|---|
{table}

The centred run never went below {bad["log_sigma"].min():.1f}: {missing:.0%} of the posterior it
has not seen at all. Its median is nearly right and its lower tail is fiction. That is how a
failed run lies: **not by noise, but by leaving something out.** More draws of the same kind would
not help.

The page's model has this funnel twice over, once for each sd between elections. brms writes it
non-centred, and still the tails were barely explored: with five elections the mouth of the funnel
is wide too.
""")


def cheaper(fits: Mapping[str, Fit], counts: pd.DataFrame) -> Markdown:
    """The constant between Bernoulli rows and binomial counts (X35)."""
    from scipy.special import gammaln

    yes, asked = counts["y"].to_numpy(), counts["n"].to_numpy()
    constant = np.sum(gammaln(asked + 1) - gammaln(yes + 1) - gammaln(asked - yes + 1))
    one, two = fits.values()
    assert abs(two.loglik - one.loglik - constant) < 1e-6
    assert np.allclose(one.fixef, two.fixef, atol=1e-8)
    return Markdown(f"""
The difference is {two.loglik - one.loglik:.4f}, and the constant {constant:.4f}: they agree. No
parameter is in it, so it cancels from every comparison of parameter values, from maximum
likelihood and from the posterior alike. Log-likelihoods and AICs of the two forms must not be
compared **with each other**. The gain is about {one.nobs / two.nobs:.0f} times less work per
evaluation. (This package collapses equal rows by itself, and gives you the log-likelihood of the
rows you passed.)
""")


def tea_leaves(printed: pd.DataFrame, draws: Array) -> Markdown:
    """What the page's interval of the interaction rests on, and what ours is."""
    row: Any = printed.loc[INTERACTION]
    low, high = np.quantile(draws, [0.05, 0.95])
    return Markdown(f"""
The differences sit where they hurt: in the sd of the slopes, and in the lower end of the
interaction's 95 % interval. Whoever writes "the interval excludes zero" on the strength of
{row["conf_low"]:.2f}, with {row["ess_tail"]:.0f} effective draws in the tail, is reading tea
leaves: chains that disagree have been known to agree on something false, as in Figure 5. At 90 %,
the level of these lectures, the interval is [{low:.2f}, {high:.2f}], and {np.mean(draws > 0):.1%}
of the draws are positive.
""")


# --- optional: replicated data ------------------------------------------------------------


def replicated(
    checks: pd.DataFrame, none_without: Sequence[float], spread_without: Sequence[float]
) -> Markdown:
    """Districts without a yes and the spread of rates, replicated; and without district effects."""
    none, spread = (dict(checks.iloc[i]) for i in range(2))
    few, many = np.quantile(none_without, [0.05, 0.95])
    low, high = np.quantile(spread_without, [0.05, 0.95])
    for one in (none, spread):
        assert one["conf_low"] <= one["observed"] <= one["conf_high"]
    assert np.mean(none_without) < none["replicated"]
    assert few < none["observed"] < many
    assert high < spread["observed"]
    return Markdown(f"""
{none["observed"]:.0f} districts have no yes at all; the model expects {none["replicated"]:.0f},
{none["conf_low"]:.0f} to {none["conf_high"]:.0f} in nine replications of ten. So many empty
districts are no sign of a special kind of district: few people were asked there. The rates spread
with an sd of {spread["observed"]:.3f}, replicated {spread["conf_low"]:.3f} to
{spread["conf_high"]:.3f}.

**Without** district effects there are fewer, {few:.0f} to {many:.0f}, and that would not have
told the two models apart. But the rates spread by {low:.3f} to {high:.3f}: too even. That check
it fails.

A check that is passed proves little. The same answers were used twice, to fit and to check, so
that misfits hide; and what the statistic does not look at is not examined.
""")


def figure_4() -> str:
    """The caption of Figure 4."""
    return (
        "**Figure 4.** Draws of log σ and of one election's deviation; crosses mark proposals that "
        "diverged. The posterior is a funnel: when σ is small, a must be near 0. Left: the sampler "
        "comes down as far as the neck and no further; that is where paths diverge. Right: it goes "
        "all the way down."
    )


# --- optional: a short cut ----------------------------------------------------------------


def figure_6() -> str:
    """The caption of Figure 6."""
    return (
        "**Figure 6.** Above: proposals from a wrong distribution (outline), the same with weights "
        "(bars), and the exact posterior (line). Below: each weight. Left: the weights are all "
        "small, and the bars follow the line. Right: few proposals come from the lower tail, and "
        "each of those must stand for hundreds; beyond the last of them the posterior is lost."
    )


def weights_tell(weighed: pd.DataFrame, grid: Array, exact: Array) -> Markdown:
    """What wide and narrow proposals are worth, and Pareto's k."""
    found: Any = weighed
    mass = np.cumsum(exact) * (grid[1] - grid[0])
    five_percent = float(grid[np.searchsorted(mass, 0.05)])
    wide, narrow = found["wide, with heavy tails"], found["too narrow"]
    assert abs(wide["5 %"] - five_percent) < 0.1
    assert narrow["5 %"] - five_percent > 0.5
    assert wide["k"] < 0.5
    assert narrow["k"] > 0.7
    return Markdown(f"""
Of the wide proposals 4,000 are worth {wide["worth"]:,.0f} draws, and their 5 % quantile is
{wide["5 %"]:.1f}, as it should be. Of the narrow ones they are worth {narrow["worth"]:,.0f}, and
the quantile is {narrow["5 %"]:.1f} in place of {five_percent:.1f}: again a run that lies by
**leaving something out**.

Here we know the truth. In general we do not, but the weights give themselves away. **Pareto's k**
is the shape of the tail of the largest weights. Below 0.5 the weights have a finite variance;
from 0.7 on, no sample of a reasonable size can be trusted (Vehtari and others 2024). Here:
{wide["k"]:.1f} and {narrow["k"]:.1f}. That one number is what R-hat is for chains.
""")


def at_once(quick: Posterior, posterior: Posterior) -> Markdown:
    """How near the draws at once are to the chains, and what their weights say."""
    pool = quick.draws.pool
    assert pool is not None
    assert quick.diagnose().ok
    one, two = quick.summary(), posterior.summary()
    errors = np.hypot(
        one["std_error"] / np.sqrt(one["ess_bulk"]), two["std_error"] / np.sqrt(two["ess_bulk"])
    )
    apart = ((one["estimate"] - two["estimate"]) / errors).abs().max()
    assert pool.k < 0.5
    assert apart < 4
    return Markdown(f"""
A few seconds on one or two cores. The two ways agree in every row to within {np.ceil(apart):.0f}
of their joint Monte Carlo errors. The proposals were worth about {pool.effective / pool.size:.0%}
of their number, k was {pool.k:.1f}, and no single one had more than
{np.ceil(1000 * pool.largest) / 1000:.1%} of all weight. `quick.diagnose()` says so in words.
There is no R-hat: no chains, nothing that could disagree.
""")


# --- optional: how much is the prior? -----------------------------------------------------


def figure_7() -> str:
    """The caption of Figure 7."""
    return (
        "**Figure 7.** The sd of the slopes between elections under five priors: posterior medians "
        "and 90 % intervals. The wider the prior, the longer the interval, upward above all. The "
        "three vague priors agree on the median to a tenth or two, and on the upper end not at all."
    )


def figure_8() -> str:
    """The caption of Figure 8."""
    return (
        "**Figure 8.** The interaction under the same five priors. The medians hardly move. The "
        "intervals are longer where the prior lets elections differ more; under the flattest the "
        "lower end comes near zero."
    )


def five_priors(under: pd.DataFrame) -> Markdown:
    """What moves with the prior of five elections' spread and what stays (X34)."""
    sd: Any = under.loc["sd_slope"]
    inter: Any = under.loc["interaction"]
    districts: Any = under.loc["sd_district", "estimate"]
    width = inter["conf_high"] - inter["conf_low"]
    lowest = inter.sort_values("conf_low").iloc[0]
    return Markdown(f"""
The sd of the districts does not notice: its median is {districts.mean():.2f} under all five, to
within {np.ptp(districts):.3f}. The upper end of the slopes' sd goes from
{sd["conf_high"].min():.2f} to {sd["conf_high"].max():.2f}, by the prior alone: five elections do
not overrule it.

The interaction's median stays between {inter["estimate"].min():.2f} and
{inter["estimate"].max():.2f}, while the width of its interval goes from {width.min():.1f} to
{width.max():.1f}. Under {lowest["name"]} the interval begins at {lowest["conf_low"]:.2f}, with a
Monte Carlo error of about {lowest["low_error"]:.2f}. The share of draws above zero goes from
{inter["positive"].min():.1%} to {inter["positive"].max():.1%}. So what the data say is *probably
positive, and about three*, under any of the five; how sure one may be, and how near to zero an
interval comes, is for the prior to say. An honest report gives both, and names the prior.
""")


def reweighted(
    moved: Mapping[str, Posterior], medians: Mapping[str, float], run_anew: "pd.Series[float]"
) -> Markdown:
    """How near weighted draws come to runs made anew."""
    furthest = max(abs(medians[name] - float(run_anew[name])) for name in medians)
    assert furthest < 0.06
    assert all(post.draws.pool is not None and post.draws.pool.k < 0.7 for post in moved.values())
    return Markdown(f"""
The weight of a draw is the new prior's density over the old one's. No likelihood is computed
again, and the medians agree with those of the long runs to within
{np.ceil(100 * furthest) / 100:.2f}. It works as long as the new posterior lies where there are
draws, and k says whether it does; beyond, sample again.
""")


def fourteen(table: pd.DataFrame) -> Markdown:
    """What the prior of sigma does in Finland, with fourteen districts."""
    fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"), event="Contacted")
    frame = hw.partial_pooling(fit).set_index("level")
    plug_in: Any = frame["estimate"]["District 309"]
    rate: Any = table["rate of 309"]
    sd: Any = table["mean of σ"]
    assert abs(sd["half-Cauchy(5)"] - 0.39) < 0.006
    assert abs(rate["half-Cauchy(5)"] - 0.290) < 0.002
    assert abs(rate["half-normal(0.25)"] - 0.261) < 0.002
    assert abs(rate["half-Cauchy(5)"] - rate["half-normal(2)"]) < 0.005
    assert abs(sd["half-Cauchy(5)"] - sd["half-normal(2)"]) < 0.01
    return Markdown(f"""
With fourteen districts the two vague priors agree to two decimals in the rate of 309 and nearly
so in σ, and one has to be as opinionated as half-normal(0.25) to matter. Note that full Bayes
with a vague prior puts 309 at {rate["half-Cauchy(5)"]:.3f}, *higher* than the plug-in estimate of
{plug_in:.3f}: averaging over σ includes large values of it, under which 309 is pulled down less.
Five groups, fourteen, 567: the prior of a spread fades as groups come in. It is **groups** that
count.
""")
