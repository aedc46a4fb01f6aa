"""Lecture 03: the table of a fit, how well sigma is known, effects, rates, labels, the plug-in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy.stats import chi2

from hierwidgets.base.arrays import expit
from hierwidgets.course import page
from hierwidgets.course.figures.integrals import DistrictIntegral

if TYPE_CHECKING:
    from hierwidgets.fit.fit import Fit
    from hierwidgets.recovery import Recovery

__all__ = [
    "boundary", "conditional_sds", "dic", "effects", "figure_4", "lmer_slip", "log_odds",
    "marginaleffects_rates", "moves", "pasted", "plug_in_coverage", "predicted", "rates",
    "residual", "sigma_interval", "table", "two_deviances",
]  # fmt: skip


def _fit_page(fit: "Fit") -> tuple[int, int]:
    """How many of the page's numbers of this table are ours, of how many."""
    mu = fit.fixef["Intercept"]
    printed = page.check(
        "S28",
        mu=mu,
        std_error=fit.std_error["Intercept"],
        sigma=fit.theta[0],
        residual=1.0,  # no estimate: fixed for answers of yes or no
        nobs=fit.nobs,
        groups=len(fit.ranef),
        aic=fit.aic,
        dic=fit.dic,
        deviance=fit.conditional_deviance,
    )
    page.check("S29", mu=mu, sigma=fit.theta[0])
    return int((printed["verdict"] == "agrees").sum()), len(printed)


def table(fit: "Fit") -> Markdown:
    """What ``arm::display`` prints of the fit, and how its first lines are read (S28, S29)."""
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    ours, of = _fit_page(fit)
    twice = round(round(fit.dic, 1))  # arm rounds twice
    assert f"{twice}" == page.number("S28", "dic").text
    assert (ours, of) == (8, 9)
    low, middle, high = (float(expit(mu + k * sigma)) for k in (-1, 0, 1))
    return Markdown(
        f"""
R's `arm::display(fit)` lays the same numbers out like this:

```text
glmer(formula = contacted ~ (1 | district_id), data = tidy, family = binomial)
coef.est  coef.se
   {mu:.2f}     {fit.std_error["Intercept"]:.2f}

Error terms:
 Groups      Name        Std.Dev.
 district_id (Intercept) {sigma:.2f}
 Residual                1.00
---
number of obs: {fit.nobs}, groups: district_id, {len(fit.ranef)}
AIC = {fit.aic:.1f}, DIC = {twice}
deviance = {fit.conditional_deviance:.1f}
```

**coef.est** is μ, **Std.Dev.** is σ. In rates, the centre is {middle:.2f}, and two thirds of all
districts lie between {low:.2f} and {high:.2f}, if the model is right. **Residual 1.00** is a
placeholder, no estimate. Leave the DIC alone.
"""
    )


def sigma_interval(fit: "Fit", frames: Mapping[str, pd.DataFrame]) -> Markdown:
    """The 90 % interval of sigma, and the districts' rates at its ends."""
    interval = fit.confint(0.9, progress=False).iloc[1]
    low_end, high_end = interval["conf_low"], interval["conf_high"]
    ends = [frame["estimate"].agg(["min", "max"]).tolist() for frame in frames.values()]
    apart = [f"{low:.2f} to {high:.2f}" for low, high in ends]
    assert fit.confint(0.95, progress=False)["conf_low"].iloc[1] == 0
    assert apart == ["0.20 to 0.22", "0.15 to 0.27", "0.12 to 0.34"]
    return Markdown(
        f"""
The 90 % interval runs from {low_end:.2f} to {high_end:.2f}: {len(fit.ranef)} districts are
few to learn an sd from. The rates run from {apart[0]} at one end, from {apart[2]} at the other.
"""
    )


def boundary(fit: "Fit", counts: pd.DataFrame) -> Markdown:
    """How the data speak against an sd of zero, with the boundary counted."""
    y, n = float(counts["y"].sum()), float(counts["n"].sum())
    drop = fit.loglik - (y * np.log(y / n) + (n - y) * np.log(1 - y / n))
    alike = 0.5 * float(chi2.sf(2 * drop, df=1))  # Self & Liang (1987), case 5
    assert abs(2 * drop - 3.64) < 0.03
    assert abs(alike - 0.028) < 0.001
    low95 = fit.confint(0.95, progress=False)["conf_low"].iloc[1]
    return Markdown(
        f"""
At 95 % the lower end is {low95:.0f}. Are the districts perhaps all alike? At σ = 0 the
log-likelihood is {drop:.2f} below its top. The usual rule draws its line at {1.96**2 / 2:.2f} for
95 %, and at the very edge that line is too low: an sd cannot be estimated below 0, so if districts
were all alike, chance alone would put the end this deep with probability {alike:.3f}, half of what
the rule assumes. So the data do speak against σ = 0, as lecture 1's staircase did, and say little
about which σ it is.
"""
    )


def effects(fit: "Fit", counts: pd.DataFrame) -> Markdown:
    """The district effects: ours, by the curve's peak, and the page's (S31, S32, S33)."""
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    re = fit.ranef.set_index("level")["mode"]
    peak = _peaks(counts, mu, sigma)
    assert np.allclose(re, peak[re.index], atol=1e-6)
    held = page.check("S31", mu=mu, effect=re)
    page.check("S32", mu=mu)
    page.check("S33", effect=re)
    held = held[held["name"] == "effect"]
    different = held.loc[held["verdict"] != "agrees", "label"]
    stop = (-1.37171811, 0.30999900)  # where lme4 1.1-31 stops by default
    stopped = _peaks(counts, *stop)
    all_come_out = all(one.agrees(stopped[one.label]) for one in page.numbers("S31", "effect"))
    assert all_come_out
    lower = _log_areas(counts, mu, sigma) - _log_areas(counts, *stop)
    assert 0 <= lower < 1e-6
    return Markdown(
        f"""
> *Page note.* The page prints `fixef` as {page.number("S31", "mu").text} and all {len(held)}
> effects with four decimals; we compared each. {len(held) - len(different)} agree;
> {", ".join(different)} differ by one in the last digit. The reason is that lme4's search
> stopped at σ = {stop[1]:.6f}, a hair before the top (ours is {sigma:.6f}; the log-likelihood
> there is lower by less than a millionth). Put lme4's stopping point into the formula, and
> all {len(held)} of the page's numbers come out to the last digit.
"""
    )


def _districts(counts: pd.DataFrame, mu: float, sigma: float) -> "dict[str, DistrictIntegral]":
    return {
        str(level): DistrictIntegral(y, n, mu, sigma)
        for level, y, n in zip(counts.index, counts["y"], counts["n"], strict=True)
    }


def _peaks(counts: pd.DataFrame, mu: float, sigma: float) -> "pd.Series[float]":
    """The peak of each district's curve, as a distance from mu."""
    found = _districts(counts, mu, sigma)
    return pd.Series({level: district.mode - mu for level, district in found.items()})


def _log_areas(counts: pd.DataFrame, mu: float, sigma: float) -> float:
    """Laplace's marginal log-likelihood: the sum of the districts' log areas by one node."""
    return sum(district.log_area(1) for district in _districts(counts, mu, sigma).values())


def log_odds(alpha_hat: "pd.Series[float]") -> Markdown:
    """The districts' log-odds against the page's (S34)."""
    held = page.check("S34", alpha=alpha_hat)
    assert (held["verdict"] == "agrees").all()
    return Markdown(
        f"> *Page note.* All {len(held)} log-odds that the page prints agree with ours."
    )


def rates(pi_hat: "pd.Series[float]", counts: pd.DataFrame) -> Markdown:
    """The districts' rates, and the pair 308 and 309 (S35)."""
    held = page.check("S35", estimate=pi_hat)
    assert (held["verdict"] == "agrees").all()
    assert pi_hat["309"] < pi_hat["308"]
    raw = float(counts["y"]["309"]) / float(counts["n"]["309"])
    return Markdown(
        f"District 309, with the highest raw rate ({raw:.3f}), is now at {pi_hat['309']:.3f}, just "
        f"*below* 308 at {pi_hat['308']:.3f}. (All {len(held)} rates agree with the page's.)"
    )


def lmer_slip(linear: "Fit") -> Markdown:
    """What lmer assumes of answers of yes or no (X3)."""
    residual_sd = linear.varcorr["sd"].iloc[-1]
    return Markdown(
        f"""
The rates are close: a straight line is a fair picture of so flat a piece of the logistic curve.
But `lmer` has given each single answer a normal error with an sd of {residual_sd:.2f}, the same
everywhere, and its μ is a rate ({linear.fixef["Intercept"]:.2f}), not a log-odds. Nothing in it
keeps a rate above 0. It is called a *linear probability model*, and people use it knowingly. Do not
use it by a slip of one letter.
"""
    )


def residual(fit: "Fit") -> Markdown:
    """Sigma beside the sd of the hidden score, and the share between districts (X15)."""
    sigma, hidden = fit.theta[0], np.pi / np.sqrt(3)
    share = sigma**2 / (sigma**2 + hidden**2)
    assert abs(share - fit.icc().iloc[0]) < 1e-9
    return Markdown(
        f"""
That is {hidden:.2f}, against σ = {sigma:.2f}. The share of the total variance that lies between
districts is σ² / (σ² + π²/3) = {share:.3f} (`fit.icc()` says {fit.icc().iloc[0]:.3f}). Knowing the
district tells you little about one person. It may still tell a party where to campaign.
"""
    )


def two_deviances(fit: "Fit", conditional: float) -> Markdown:
    """The conditional deviance by hand, and AIC from the marginal one (X16, S28)."""
    marginal = -2 * fit.loglik
    assert abs(conditional - fit.conditional_deviance) < 1e-4
    assert abs(marginal + 4 - fit.aic) < 1e-4
    return Markdown(
        f"""
The conditional deviance is the {fit.conditional_deviance:.1f} of the last line. The marginal one
plus 2·2 is AIC: {marginal:.1f} + 4 = {fit.aic:.1f}.
"""
    )


def dic(fit: "Fit") -> Markdown:
    """Where arm's DIC comes from, and what it implies (X16, S28)."""
    p_d = fit.conditional_deviance + 2 * fit.loglik
    assert f"{fit.dic:.2f}" == "1069.47"
    assert p_d < 0
    ours, of = _fit_page(fit)
    return Markdown(
        f"""
<details>
<summary>Does it follow?</summary>

The DIC is {fit.dic:.2f}. Rounded to a whole number that is {fit.dic:.0f}, and the table says
{round(round(fit.dic, 1))}. `arm` rounds twice: first to one decimal, {fit.dic:.1f}, and then the
half goes up. ({ours} of the page's {of} numbers of this table are ours to the last digit; this one
gets there by the detour.)

The digit is harmless. The number is not. It implies $p_D$ = {fit.conditional_deviance:.1f} -
{-2 * fit.loglik:.1f} = {p_d:.1f}: a model with **{p_d:.1f} parameters**, less than none, which
earns a reward for its complexity. The two deviances belong to different likelihoods and cannot be
subtracted in this way. Do not choose a model by this DIC. Lecture 12 does better, by predicting
people who were left out.

</details>
"""
    )


def conditional_sds(fit: "Fit", counts: pd.DataFrame) -> Markdown:
    """The conditional variances and how few intervals stay clear of zero (X14)."""
    re, sd = (fit.ranef.set_index("level")[name] for name in ("mode", "sd"))
    by_hand = {k: d.sd for k, d in _districts(counts, fit.fixef["Intercept"], fit.theta[0]).items()}
    variance, n = sd**2, counts["n"]
    assert np.allclose(sd, pd.Series(by_hand)[sd.index], atol=1e-6)
    assert [round(variance.min(), 4), round(variance.max(), 4)] == [0.0272, 0.0670]
    least, most = str(variance.idxmin()), str(variance.idxmax())
    clear = int((re.abs() > 1.64 * sd).sum())
    assert clear == 1
    return Markdown(
        f"""
As variances they run from {variance.min():.4f} (district {least}, {n[least]} people) to
{variance.max():.4f} (district {most}, {n[most]} people). Even the largest is below
σ² = {fit.theta[0] ** 2:.4f}, the variance you would have without asking anybody: every answer
helps. {clear} of the {len(re)} intervals stays clear of zero.
"""
    )


def pasted(frame: pd.DataFrame, pi_hat: "pd.Series[float]") -> Markdown:
    """How many rates stand beside the wrong district if labels are dropped (X19)."""
    right = (frame["pi_hat"].to_numpy() == pi_hat[frame["district_id"]].to_numpy()).sum()
    assert right == 0
    return Markdown(
        f"""
{right} of {len(frame)}. No error, no warning, and a table that looks fine: its first row gives
district {frame["district_id"][0]} the rate {frame["pi_hat"][0]:.3f}, which belongs to
{pi_hat.index[0]}. Two orders are in play, the order of appearance and the order of the levels (by
contact rate). Values that have lost their labels cannot tell which one they are in.
"""
    )


def predicted(frame: pd.DataFrame, pi_hat: "pd.Series[float]") -> Markdown:
    """Rates by predict, district by district (S36)."""
    matched = frame.set_index("district_id")["estimate"]
    assert np.allclose(matched, pi_hat[matched.index], atol=1e-9)
    held = page.check("S36", rows=frame.shape[0], columns=frame.shape[1], estimate=matched)
    shown = int((held["name"] == "estimate").sum())
    return Markdown(
        f"""
Whatever order the question had, each rate sits beside its district. All {len(frame)} agree with
`pi_hat`, and the first {shown} with those the page shows. When you want all districts with their
intervals, in the order of the levels, `hw.partial_pooling(fit)` does it in one call; the fit's own
intervals also count the uncertainty about μ and σ.
"""
    )


def marginaleffects_rates(found: pd.DataFrame, pi_hat: "pd.Series[float]") -> Markdown:
    """Rates by marginaleffects (S37, X18)."""
    labelled = found.astype({"district_id": str}).set_index("district_id")["estimate"]
    assert np.allclose(labelled, pi_hat[labelled.index], atol=1e-9)
    page.check("S37", rows=found.shape[0], columns=found.shape[1], estimate=labelled)
    return Markdown(
        f"""
Its {len(found)} estimates agree with `predict`, district by district.

> *Page note.* A comment on the page speaks of `comparisons()` where the code calls
> `predictions()`. Both functions exist and answer different questions: `predictions` gives a rate
> for each row, `comparisons` the *difference* between two rates. Comparisons come in lecture 11.
"""
    )


def moves(no: pd.DataFrame, partial: pd.DataFrame) -> Markdown:
    """Which districts move most, and how much shorter the model's intervals are (S38)."""
    new, old = partial.set_index("level"), no.set_index("level")
    move = (new["estimate"] - old["estimate"]).abs().sort_values(ascending=False)
    width = (new["conf_high"] - new["conf_low"]) / (old["conf_high"] - old["conf_low"])
    assert move.index[:3].tolist() == ["309", "315", "312"]
    return Markdown(
        f"""
{", ".join(move.index[:3])}, by {", ".join(f"{value:.3f}" for value in move[:3])}. The model's
interval is shorter in {int((width < 1).sum())} of {len(width)} districts, with {width.mean():.0%}
of the width on average: borrowing buys precision.
"""
    )


def figure_4(as_if_known: pd.DataFrame, counted: pd.DataFrame) -> str:
    """The caption of Figure 4: what counting the uncertainty of mu and sigma adds."""
    wide = as_if_known.merge(counted, on="level", suffixes=(" plugged", ""))
    plugged = wide["conf_high plugged"] - wide["conf_low plugged"]
    assert len(wide) == len(counted)
    assert (wide["conf_high"] - wide["conf_low"] > plugged).all()
    return (
        "**Figure 4.** 90 % intervals of the model's rates: as if μ and σ were known (brown, "
        "dashed), and with their uncertainty counted as far as the bend of the likelihood can say "
        "(grey, solid). Each second bar is longer."
    )


def plug_in_coverage(check: "Recovery") -> Markdown:
    """How often plug-in intervals hold the truth where it is known (X12)."""
    frame = check.table.set_index(["estimator", "measure"])
    covered = frame.loc["partial_pooling"].loc[["coverage", "coverage_full"]]
    zero = check.parameters.set_index("parameter")["zero"]["sigma"]
    share, error = covered["estimate"], covered["mc_error"]
    assert abs(share["coverage"] - 0.75) < 3 * error["coverage"] + 0.005
    rmse = frame.xs("rmse", level="measure")["estimate"]
    assert rmse.idxmin() == "partial_pooling"
    return Markdown(
        f"""
The plug-in intervals hold the truth {100 * share["coverage"]:.0f} times in a hundred
(Monte Carlo error {100 * error["coverage"]:.0f}), not 90. In {100 * zero:.0f} % of the simulated
surveys σ is estimated as zero; then all districts are declared alike and the intervals have no
width at all. `fit.predict(interval=0.9)` adds the uncertainty of μ and σ, as far as the bend of the
likelihood can say, and keeps its word {100 * share["coverage_full"]:.0f} times in a hundred.
Better, and still short: a σ estimated as zero defeats it too. The estimates themselves remain the
best of the three kinds; it is the *intervals* that promise too much. Lecture 5 takes this
experiment apart, and lecture 10 takes the other road.
"""
    )
