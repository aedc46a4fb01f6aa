"""Texts and captions of lecture 06, many tiny groups."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course import page
from hierwidgets.fit.fit import Fit
from hierwidgets.recovery import Setup

__all__ = [
    "better_intervals", "britain", "by_hand", "caption", "certain", "expected", "fitted",
    "intervals", "laplace", "made_up", "nodes", "one_sign", "one_value", "patterns",
    "several_kinds", "simple", "stopped_early",
]  # fmt: skip

_CAPTIONS = {
    1: "Each disc stands for the districts with n people of whom y were contacted, and carries "
    "their number. White discs are unanimous.",
    2: "The 90 % intervals of all districts, lowest rate first. Crosses have no width.",
    3: "Every pattern: an arrow from its raw rate (circle) to its estimate (diamond). Marks grow "
    "with the number of districts.",
    4: "The 90 % intervals of all districts, without pooling (Wilson) and with partial pooling.",
    5: "The log-likelihood of σ. Laplace's top (thin line) is too far left.",
    6: "Every answer is a circle: below, those not contacted; above, those contacted. "
    "Columns stand in the order of the contact rate: first only noes, at the end only yeses. With "
    "253 columns neither names nor single districts can be made out.",
    7: "A random twenty of the 253, with raw rates, 90 % Wald intervals and the number "
    "of people. Dots at 0 and at 1 seem to have no interval at all. They have one: its width is "
    "zero.",
    8: "The slopegraph of 253 districts, the three largest named. From the wide top "
    "row, with dots at 0, ⅓, ½, ⅔ and 1 that each stand for many districts, all is drawn into a "
    "narrow band; large districts resist.",
}


def caption(number: int) -> str:
    """The caption of a figure."""
    return f"**Figure {number}.** {_CAPTIONS[number]}"


def britain(tidy: pd.DataFrame, tally: pd.DataFrame) -> Markdown:
    """The sizes of the data."""
    page.check(
        "S50",
        rows=len(tidy),
        columns=tidy.shape[1],
        contacted=tidy["contacted"],
        district_competitiveness=tidy["district_competitiveness"],
    )
    sizes = tidy["district_id"].value_counts()
    single = int(tally.loc[tally["n"] == 1, "groups"].sum())
    assert single == (sizes == 1).sum() == 57
    assert sizes.size == tally["groups"].sum() == 253
    return Markdown(f"""
{len(tidy)} people in {sizes.size} districts, {len(tidy) / sizes.size:.1f} on average and at most
{sizes.max()}; {single} districts have a single respondent. All of it stands in {len(tally)} discs.
""")


def certain(no: pd.DataFrame) -> Markdown:
    """Districts with a standard error of zero, which is not knowledge (S52)."""
    shown = no[["level", "n", "estimate", "std_error"]]
    page.check(
        "S52",
        rows=len(shown),
        columns=shown.shape[1],
        estimate=shown["estimate"],
        n=shown["n"],
        std_error=shown["std_error"],
    )
    zero, one, flat = no["estimate"] == 0, no["estimate"] == 1, no["std_error"] == 0
    assert [int(v.sum()) for v in (zero, one, flat)] == [110, 30, 140]
    small = (no.loc[flat, "n"] <= 2).mean()
    assert small > 0.5
    return Markdown(f"""
{zero.sum()} districts have a rate of 0, {one.sum()} a rate of 1: {flat.mean():.0%} have a standard
error of 0. They are not the best known; {small:.0%} of them have one or two respondents. The
formula should hold the true π, gets $\\hat\\pi = 0$, and concludes that nothing can vary.
""")


def fitted(fit: Fit, overall: float) -> Markdown:
    """The fit of Britain, which the page prints too (S56)."""
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    printed = page.check(
        "S56",
        mu=mu,
        std_error=fit.std_error["Intercept"],
        sigma=sigma,
        residual=1.0,  # fixed for answers of yes or no
        nobs=fit.nobs,
        groups=len(fit.ranef),
        aic=fit.aic,
        dic=fit.dic,
        deviance=fit.conditional_deviance,
    )
    different = printed[printed["verdict"] != "agrees"]
    assert set(different["name"]) == {"dic", "deviance"}
    low, high = fit.confint(0.9, progress=False).iloc[1][["conf_low", "conf_high"]]
    assert sigma > 2 * 0.31
    assert expit(mu) < overall
    return Markdown(f"""
σ = {sigma:.2f}, more than twice Finland's. One district tells nothing about σ; 253 together do: its
90 % interval reaches from {low:.2f} to {high:.2f}. Rates one σ below and above the typical
{expit(mu):.2f} are {expit(mu - sigma):.2f} and {expit(mu + sigma):.2f}.
""")


def patterns(found: pd.DataFrame, fit: Fit) -> Markdown:
    """How far one answer moves an estimate, and which pattern ends highest."""
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    at = found.set_index(["y", "n"])["estimate"]
    best, second = (row for _, row in found.nlargest(2, "estimate").iterrows())
    centre = float(expit(mu))
    worth = 1 / (sigma**2 * centre * (1 - centre))
    assert best["raw"] == 1
    assert second["raw"] < 1
    assert len(found) == 33
    assert abs(1 / (1 + worth) - 0.1) < 0.01
    return Markdown(f"""
Nobody asked would be at {centre:.2f}; one no leads to {at.loc[(0, 1)]:.2f}, one yes to
{at.loc[(1, 1)]:.2f}. The prior (what the other districts say) is worth about {worth:.0f} people, so
one answer counts for a tenth. {second["y"]:.0f} yeses of {second["n"]:.0f} overtake every unanimous
district but the {best["y"]:.0f} of {best["n"]:.0f}.
""")


def intervals(wilson: pd.DataFrame, partial: pd.DataFrame) -> Markdown:
    """How much shorter intervals become by partial pooling."""
    before, after = (frame["conf_high"] - frame["conf_low"] for frame in (wilson, partial))
    assert round(before.median(), 2) == 0.59
    assert after.median() < before.median()
    return Markdown(f"""
The median width falls from {before.median():.2f} to {after.median():.2f}: still wide. Borrowing
helps, and three answers remain three answers.
""")


def laplace(fit: Fit, exact: Fit) -> Markdown:
    """What quadrature changes (S56)."""
    first, last = fit.theta[0], exact.theta[0]
    assert abs(first - 0.7145) < 1e-4
    assert abs(last - 0.8036) < 1e-4
    mu, mu_exact = fit.fixef["Intercept"], exact.fixef["Intercept"]
    heavier = _weight(3, mu_exact, last) / _weight(3, mu, first) - 1
    return Markdown(f"""
With 25 points for each area (quadrature; in R `nAGQ = 25`) σ is {last:.2f}, not {first:.2f}, and
three answers weigh {heavier:.0%} more. **Rule of thumb:** yes or no, fewer than ten in a group: use
quadrature.
""")


def _weight(size: int, mu: float, sigma: float) -> float:
    """The weight of a district's own answers at the typical rate."""
    rate = float(expit(mu))
    return float(size / (size + 1 / (sigma**2 * rate * (1 - rate))))


def expected(table: pd.DataFrame, exact: Fit, sizes: Array) -> Markdown:
    """How many unanimous districts two models expect, and how many there are."""
    none = table["without a yes"]
    spread = table["give or take"]
    seen = none["there are"]
    away = (seen - none["complete pooling"]) / spread["complete pooling"]
    close = (seen - none["partial pooling"]) / spread["partial pooling"]
    assert seen == 110
    assert abs(close) < 1 < away < 2.5
    z, w = np.polynomial.hermite_e.hermegauss(60)
    rates = expit(exact.fixef["Intercept"] + exact.theta[0] * z)
    better = float(((w / w.sum()) @ (1 - rates[:, None]) ** sizes).sum())
    assert none["partial pooling"] < better < seen
    return Markdown(f"""
There are {seen:.0f} districts without a single yes. The model expects {none["partial pooling"]:.0f}
± {spread["partial pooling"]:.0f} ({better:.0f} with quadrature's μ and σ): nothing to worry about.
Complete pooling expects {none["complete pooling"]:.0f} ± {spread["complete pooling"]:.0f}, and is
{away:.1f} sd away.

Two cautions. μ and σ were fitted to these same answers, so agreement is the least to be expected: a
check like this one can speak against a model, hardly for it. And it sees one feature only. Complete
pooling nearly passes, though σ's interval lies well away from zero: with three people a zero is
common however districts differ. Choose the feature you will use the model for.
""")


def better_intervals(kinds: Mapping[str, pd.DataFrame]) -> Markdown:
    """What Wald's intervals claim, and how wide honest ones are (S53)."""
    wald, wilson = kinds["Wald"], kinds["Wilson"]
    flat = wald["std_error"] == 0
    z = (wald["conf_high"] - wald["estimate"]) / wald["std_error"].where(~flat)
    page.check("S53", multiplier=z[~flat].mean())
    outside = ((wald["conf_low"] < 0) | (wald["conf_high"] > 1)) & ~flat
    width = (wilson["conf_high"] - wilson["conf_low"]).median()
    return Markdown(f"""
Of the {int((~flat).sum())} Wald intervals that do have a width, {int(outside.sum())} contain
impossible rates, below 0 or above 1. Wilson's stay inside, and their honest median width is
{width:.2f}. That is the whole message of no pooling in Britain: *about each district taken alone
we know next to nothing.* The cure is not a better interval. It is more information, and the only
place to get it is the other districts.

> *Page note.* The page draws the left panel of Figure 2 over the jittered answers, with bars of
> ± 1.64 standard errors; that they are 90 % intervals is not said. It shows the first 23 rows of
> the table of raw rates: 23 rates of 0, with 23 standard errors of 0. Take it literally: in
> district {wald.iloc[0]["level"]} one person was asked, said no, and now we know, **without any
> error**, that parties contact nobody there.
""")


def simple(no: pd.DataFrame, complete: pd.DataFrame) -> Markdown:
    """How much of the spread of raw rates is noise."""
    own, every = no[["level", "estimate"]], complete[["level", "estimate"]]
    page.check("S54", rows=len(own), columns=own.shape[1], estimate=own["estimate"])
    page.check("S55", rows=len(every), columns=every.shape[1], estimate=every["estimate"])
    variance = complete["estimate"] * (1 - complete["estimate"]) / no["n"]
    noise, seen = variance.mean() ** 0.5, no["estimate"].std()
    assert seen > noise
    return Markdown(f"""
One answer has no information about districts, the other almost nothing but noise. How much of the
spread is noise? If all districts had the same rate, raw rates from samples of these sizes would
still vary with an sd of {noise:.2f}. They do vary with an sd of {seen:.2f}: somewhat more. That
"somewhat more" is what the hierarchical model has to work with.
""")


def stopped_early(rows: Mapping[str, Mapping[str, float]]) -> Markdown:
    """Why two numbers of the page are not ours: its optimiser stopped a little early (S56)."""
    stop, best = rows["where R stops"], rows["the top"]
    assert page.number("S56", "deviance").agrees(stop["deviance"])
    assert page.number("S56", "dic").agrees(stop["DIC"])
    assert 0 < best["logLik"] - stop["logLik"] < 1e-4
    return Markdown(f"""
> *Page note.* The page's deviance is {page.number("S56", "deviance").text} and its DIC
> {page.number("S56", "dic").text}; at the top of the likelihood they are {best["deviance"]:.1f} and
> {best["DIC"]:.0f}. R's optimiser, with its default settings, stops a little before the top. There
> the log-likelihood is lower by less than a ten-thousandth, which is nothing; σ is
> {stop["σ"]:.4f} in place of {best["σ"]:.4f}, which is nothing either. But the conditional
> deviance measures the fit of all 253 modes, and is sensitive to σ. Evaluated where R stops, our
> formulas give the page's numbers to the last digit (first row). The model is the same, the data
> are the same, the formulas are the same; one program walked a few steps further. In R,
> `glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9))` walks them, too.

Differences of this kind are no reason for alarm and none for loosening anything. Compare the
log-likelihoods at both points, in the fifth decimal if need be: the higher one is right.
""")


def one_value(partial: pd.DataFrame, stopped: Array) -> Markdown:
    """The same few estimates again and again, and the page's last digits (S57)."""
    estimate = partial["estimate"]
    columns = partial[["level", "estimate"]].shape[1]
    rows = page.check("S57", rows=len(partial), columns=columns, estimate=estimate)
    by_value = rows[rows["name"] == "estimate"]
    for record in page.numbers("S57", "estimate"):
        assert record.agrees(stopped[int(record.label) - 1])
    off = int((by_value["verdict"] != "agrees").sum())
    return Markdown(f"""
Look at the column. The same few values come again and again: every district where the one
person asked said no has
{estimate[0]:.3f}, and every one where two said no
{estimate[1]:.3f}.

> *Page note.* Of the ten values the page shows, {off} differ from ours by one in the third decimal
> ({by_value["page"].iloc[1]} against {by_value["ours"].iloc[1]:.4f}), because R stopped early; at
> its stopping point all ten come out as printed.
""")


def by_hand(found: Array, partial: pd.DataFrame) -> Markdown:
    """All 253 estimates by Newton's method, equal to the package's."""
    assert np.allclose(found, partial["estimate"], atol=1e-6)
    distinct = int(partial["estimate"].round(8).nunique())
    assert distinct == 33
    return Markdown(f"""
By hand and by the package, all 253 agree; {distinct} of them are different.
""")


def several_kinds(comb: pd.DataFrame, order: list[str], fit: Fit) -> Markdown:
    """The three kinds stacked, and what their variances are not (S58)."""
    places = comb["kind"].map({kind: i for i, kind in enumerate(order)}).astype(int)
    in_order = comb.assign(place=places).sort_values(["level", "place"])
    page.check("S58", rows=len(comb), columns=comb.shape[1], estimate=in_order["estimate"])
    x, w = np.polynomial.hermite_e.hermegauss(60)
    rates, w = expit(fit.fixef["Intercept"] + fit.theta[0] * x), w / w.sum()
    true_variance = float(w @ rates**2 - (w @ rates) ** 2)
    variance = comb.groupby("kind", observed=True)["estimate"].var()
    partial, raw = variance["partial pooling"], variance["no pooling"]
    assert partial < true_variance < raw
    return Markdown(f"""
{len(comb)} rows, three times 253. (The page's values agree but for R's last digits, as above.) The
variances are {variance["complete pooling"]:.4f}, {partial:.4f} and {raw:.4f}: of the variance of
the raw rates, the estimates of partial pooling keep {partial / raw:.0%}. The true rates vary more
than that: with the fitted μ and σ, {true_variance / raw:.0%} (lecture 4: the spread of the
estimates is not the estimate of the spread).
""")


def one_sign(errors: pd.DataFrame) -> Markdown:
    """Laplace's errors all have one sign and grow with sigma (S56)."""
    whole = errors["whole log-likelihood"]
    assert (errors < 0).all(axis=None)
    assert whole.is_monotonic_decreasing
    return Markdown(f"""
Each district's error is small. But **all have the same sign**: Laplace's area is too small for
every one of them, so 253 small errors add up and do not cancel. And they **grow with σ**: the
wider the prior, the less normal the curve. At σ = 0.5 the log-likelihood is
{-whole[0.5]:.2f} too low, at σ = 1 it is
{-whole[1.0]:.2f} too low. An error that punishes large σ more than
small σ moves the top of the likelihood: toward a σ that is too small.
""")


def nodes(rows: Mapping[int, Mapping[str, float]]) -> Markdown:
    """Estimates by the number of nodes (S56)."""
    first, last = rows[1], rows[25]
    assert abs(last["logLik"] + 467.9520) < 1e-4
    assert abs(last["μ"] + 0.8682) < 1e-4
    share = last["σ"] / first["σ"] - 1
    weights = {n: [_weight(n, row["μ"], row["σ"]) for row in (first, last)] for n in (1, 3, 5)}
    heavier = {n: after / before - 1 for n, (before, after) in weights.items()}
    return Markdown(f"""
(In R: `glmer(..., nAGQ = 25)`.) With enough nodes σ is {last["σ"]:.2f} in place of
{first["σ"]:.2f}, {share:.0%} more; five nodes would do. In Finland the same step changed σ from
0.310 to 0.312. The weight of a district's own answers rises by {heavier[1]:.0%} for one person, by
{heavier[3]:.0%} for three and by {heavier[5]:.0%} for five. The estimates move by little all the
same, for these weights are small: 0 of 1 goes from {first["0 of 1"]:.3f} to
{last["0 of 1"]:.3f}, 5 of 5 from {first["5 of 5"]:.3f} to {last["5 of 5"]:.3f}.
""")


def made_up(sigmas: Any, truth: Setup) -> Markdown:
    """Which of two approximations finds a known sigma, over made-up Britains (S56)."""
    from scipy.stats import norm

    better, worse = sigmas["9 nodes"], sigmas["Laplace"]
    away = abs(better.mean() - truth.sigma) / better.sem()
    gap = worse - better
    assert away < 3
    assert abs(worse.mean() - truth.sigma) > 5 * worse.sem()
    for found, before in [(better, 0.815), (worse, 0.724)]:
        assert abs(found.mean() - before) < 3.5 * np.sqrt(2) * found.sem()
    assert gap.mean() + 4 * gap.sem() < 0
    return Markdown(f"""
Means over two hundred draws; `sem` is the Monte Carlo error. The truth is 0.80. With nine nodes the
mean is {better.mean():.2f} ± {better.sem():.2f}, {away:.1f} Monte Carlo
errors off, which chance does one time in {1 / (2 * norm.sf(away)):.0f}; with Laplace it is
{worse.mean():.2f} ± {worse.sem():.2f}. On the
same data Laplace is lower by {-gap.mean():.3f} ± {gap.sem():.3f}, in {(gap < 0).mean():.0%} of the
draws. A single estimate scatters by {better.std():.2f} either way, so the bias is about
{-gap.mean() / better.std():.1f} standard errors: not a disaster, but one that does not
go away with more districts, and costs a keyword to remove.

Look whether σ still moves between 9 and 25 nodes. Or use full Bayes (lecture 10), which has no such
approximation.
""")
