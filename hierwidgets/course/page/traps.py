"""Where a careful reader of the page stumbles, X1 to X42: what stands there, and what holds.

Numbers in the texts are computed from the data and the fits (`facts`), or are the page's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from hierwidgets.base.arrays import expit, normal_quantile
from hierwidgets.course.plan import COURSE
from hierwidgets.data.datasets import load
from hierwidgets.effects.comparisons import comparisons
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.pooling import no_pooling, partial_pooling

from . import printed
from .fits import fitted, stopped, tidy

__all__ = ["Trap", "facts", "markdown", "traps"]

Facts = Mapping[str, float | str]

_INTEGRAL = "03b-the-integral"  # beside the numbered lectures


@dataclass(frozen=True, slots=True)
class Trap:
    """A place where a careful reader of the page stumbles.

    Attributes
    ----------
    item
        ``"X1"`` to ``"X42"``.
    where
        The items of the page it concerns.
    lecture
        The first two characters of the lecture that treats it.
    title
        What is wrong, in a few words.
    text
        What stands there and what holds, in a few sentences.
    """

    item: str
    where: tuple[str, ...]
    lecture: str
    title: str
    text: str

    @property
    def link(self) -> str:
        """The file of the lecture."""
        names = [stop.name for stop in COURSE] + [_INTEGRAL]
        (name,) = (n for n in names if n.split("-")[0] == self.lecture)
        return f"{name}.ipynb"


# --- what the texts need ------------------------------------------------------------------


def _population(fit: Fit) -> float:
    """The mean rate over all districts the model imagines: pi averaged over N(mu, sigma^2)."""
    x, w = hermegauss(41)
    eta = fit.beta[0] + fit.theta[0] * x
    return float(np.sum(w * expit(eta)) / np.sum(w))


def _finland() -> dict[str, float | str]:
    fit, raw = fitted("finland"), no_pooling(tidy("finland"), "contacted", "district_id")
    own = raw.astype({"level": str}).set_index("level")
    peak = partial_pooling(fit).astype({"level": str}).set_index("level")["estimate"]
    mean = fit.conditional_means().astype({"level": str}).set_index("level")["response"]
    variance = fit.ranef["sd"] ** 2
    passed = [f"{a}/{b}" for i, a in enumerate(peak.index) for b in peak.index[i + 1 :]
              if peak[a] > peak[b]]  # fmt: skip
    low, high = own.loc["309", ["conf_low", "conf_high"]]
    return {
        "raw_309": own.loc["309", "estimate"], "n_309": own.loc["309", "n"],
        "low_309": low, "high_309": high,
        "peak_308": peak["308"], "peak_309": peak["309"],
        "mean_308": mean["308"], "mean_309": mean["309"],
        "variance_low": variance.min(), "variance_high": variance.max(),
        "passed": ", ".join(passed), "passed_count": len(passed),
        "dic": fit.dic, "deviance": fit.conditional_deviance,
        "p_d": fit.dic - fit.conditional_deviance,
        "centre_finland": expit(fit.beta[0]),
        "overall_finland": tidy("finland")["contacted"].mean(),
    }  # fmt: skip


def _uk() -> dict[str, float | str]:
    data, plain, with_x = tidy("uk"), fitted("uk"), fitted("uk_competitiveness")
    raw = no_pooling(data, "contacted", "district_id")
    zero, one = raw["estimate"].eq(0).sum(), raw["estimate"].eq(1).sum()
    x = data.groupby("district_id", observed=True)["district_competitiveness"].first()
    shrunken = partial_pooling(plain).set_index("level")["estimate"]
    rise = comparisons(
        with_x, {"district_competitiveness": [0.5, 0.8]}, average=True, re_formula="~0"
    )["estimate"].item()
    return {
        "zero": zero, "one": one, "flat": raw["std_error"].eq(0).sum(), "districts": len(raw),
        "single": raw["n"].eq(1).sum(),
        "values_of_x": data.groupby("district_id", observed=True)["district_competitiveness"]
        .nunique().max(),
        "centre_uk": expit(plain.beta[0]), "overall_uk": data["contacted"].mean(),
        "population_uk": _population(plain),
        "slope_two_step": np.polyfit(x, shrunken[x.index], 1)[0],
        "slope_raw": np.polyfit(x, raw.set_index("level")["estimate"][x.index], 1)[0],
        "slope_model": rise / 0.3, "holes": 2 * len(raw),
    }  # fmt: skip


def _countries() -> dict[str, float | str]:
    top, data = fitted("rainey2015"), load("rainey2015")
    b0, b_x, b_rule, b_both = top.fixef
    elections = data["election_id"].drop_duplicates()
    return {
        "elections": len(elections),
        "countries": elections.str.replace(r" \d+$", "", regex=True).nunique(),
        "individual": len(load("rainey2015_individual").columns) - len(data.columns),
        "d00": b0 + b_rule, "d01": -b_rule, "d10": b_x + b_both, "d11": -b_both,
        "corr": top.varcorr["corr"].iloc[-1], "corr_stopped": stopped("rainey2015")
        .varcorr["corr"].iloc[-1],
        "singular": "is" if top.singular else "is not",
        "singular_stopped": "is" if stopped("rainey2015").singular else "is not",
        "rows": len(data), "distinct": len(data.drop(columns="contacted").drop_duplicates()),
        "rhat": max(one.value for one in printed.numbers("S85", "rhat")),
        "tail": min(one.value for one in printed.numbers("S85", "ess_tail")),
        "printed_twice": len(printed.numbers("S86")),
    }  # fmt: skip


@cache
def facts() -> Facts:
    """The numbers in the texts, computed.

    Examples
    --------
    >>> from hierwidgets.course.page.traps import facts
    >>> round(facts()["raw_309"], 3), facts()["flat"]
    (0.435, 140)
    """
    found = _finland() | _uk() | _countries() | {"z": normal_quantile(0.9), "latent": np.pi**2 / 3}
    return MappingProxyType(
        {name: getattr(v, "item", lambda v=v: v)() for name, v in found.items()}
    )


# --- the texts ----------------------------------------------------------------------------

# item | where | lecture | title | text
_TEXTS = """
X1|S18|02|A rate that cannot be|The page gives district 309 a rate of 0.40. \
It is 10 of {n_309:.0f}, {raw_309:.3f}; with {n_309:.0f} people nothing rounds to 0.40.
X2|S18|02|Two slips of the pen|"Turnout" stands where contact is meant, and a sentence has lost \
its verb. Neither touches a number.
X3|S25 S26 S27 S79 S80|03|lmer is named, glmer is run|Headings speak of lmer, which is for normal \
outcomes. Every model of the page answers yes or no and is fitted by glmer.
X4|S4|00|x for an outcome|The opening lines call the outcome x and use f for two densities; later \
x is a predictor. We write y for outcomes throughout.
X5|S11 S21|00|Whose π?|Person i gets a rate with the index j and nothing says which j. It is the \
district person i lives in: j[i].
X6|S22 S46|00|Centre at μ, or at zero|Once the effects are drawn around μ, once around 0 with the \
centre among the fixed terms. One model, two ways to write it; the second needs an intercept.
X7|S46 S67|07|Whose x?|The formula gives x the index of a person. Within each British district \
there is {values_of_x:.0f} value of competitiveness: it belongs to the district, x with index j.
X8|S15 S53|01|1.64 of what?|The bars reach 1.64 standard errors and no level is named. The normal \
quantile {z:.4f} makes it 90 %.
X9|S52 S53|06|Standard errors of zero|{zero} British districts have a rate of 0 and {one} of 1, so \
{flat} of {districts} get a standard error of 0; {single} have one respondent. A Wald interval of \
no width says that the method broke, not that the rate is known.
X10|S16 S51 S53|01|Labels for 253 columns|A number over each bar reads well for 14 districts and \
not for {districts}. Sort, sample or count patterns instead.
X11|S25|03|A footnote without text|"Exact" carries a footnote that says nothing. MCMC is exact in \
the limit of many draws and for a model with priors; glmer approximates an integral, which more \
nodes mend.
X12|S30|03|Estimates as if known|Taking the estimated μ and σ as a prior is empirical Bayes. \
Intervals that forget how uncertain both are come out too short; lecture 5 counts by how much.
X13|S31 S35 S36 S37|03b|Peaks are not means|By the peak 308 leads 309, {peak_308:.4f} to \
{peak_309:.4f}; by the mean 309 leads, {mean_309:.4f} to {mean_308:.4f}. The data do not tell the \
two apart.
X14|S31|03|Variances promised, not shown|The output mentions conditional variances. They run from \
{variance_low:.4f} to {variance_high:.4f}, and without them an effect has no error.
X15|S28 S56 S67 S82|03|Residual 1.00|For answers of yes or no there is no residual sd; the 1 is a \
placeholder. On the latent scale the logistic distribution has the variance π²/3 = {latent:.2f}.
X16|S28 S56 S67 S82|03|Two deviances and a DIC|"Deviance" is conditional on the effects, \
{deviance:.1f} for Finland, and not -2 log L. The DIC made of it, {dic:.2f}, implies \
{p_d:.1f} parameters. A negative number of parameters is no basis for a choice.
X17|S35|04|The order changes|Pooling swaps {passed_count} pairs of districts ({passed}). That is \
no error: a precise rate keeps more of its distance from the centre than a vague one.
X18|S37|03|The other function's name|A comment speaks of comparisons(); the call is predictions().
X19|S36 S57|03|Order of appearance|unique() returns districts as the data have them, not as the \
levels are ordered. Values are safe only beside their labels.
X20|S39|04|Holes by stacking|The stacked frame has no n and no standard error for the hierarchical \
rows, because one of the two tables never had them.
X21|S40 S44 S59|04|Lines that guess their direction|The slopegraph leaves it to ggplot in which \
order points are joined. In Python say it: sort by kind, then draw.
X22|S41|04|First, first and first|All three kinds of pooling carry the number 1. There are three.
X23|S41 S42|04|Pulled toward what?|Not toward the overall rates ({overall_finland:.4f} in Finland, \
{overall_uk:.4f} in Britain) but toward the typical district, {centre_finland:.4f} and \
{centre_uk:.4f}. The logistic curve bends, and large districts weigh more in an overall rate.
X24|S45 S47 S49 S72|05|Four empty places|A key thing without a text, a figure that does not \
follow, and two announced exercises with nothing under them. Lectures 2, 4 and 5 fill the gaps.
X25|S60|07|Predictors of what?|Parameters are not random by nature. What gets predictors is the \
centre of the district effects.
X26|S65|07|A line through shrunken points|Regressing pooled estimates on competitiveness gives a \
slope of {slope_two_step:.3f}; raw rates give {slope_raw:.2f}, and the model that holds the \
predictor {slope_model:.2f} between 0.5 and 0.8. What was pulled to one centre has lost its slope.
X27|S70|07|Holes by stacking, again|Competitiveness is missing in {holes:.0f} rows of the stacked \
frame: only one of the three tables had the column.
X28|S73 S78|08|Countries or elections?|There are {countries} countries and {elections} elections; \
Portugal voted twice. The grouping factor is the election, so K = {elections}.
X29|S74 S80|08|Covariates in the formula only|The equation has person-level covariates, the code \
and its data have none. The article's data do; lecture 11 uses seven of them.
X30|S76 S77|08|Proportional here, SMD there|The equations code the rule as PR = 1, the program \
takes PR as its reference. Same model, other letters: δ₀₀ = {d00:.2f}, δ₀₁ = {d01:.2f}, \
δ₁₀ = {d10:.2f}, δ₁₁ = {d11:.2f}. The means of line S76 also lack their k.
X31|S79|09|A sentence that stops|The model is "too big or complex", for what is not said. For a \
fast and reliable fit, one supposes; it is the {elections} elections that make it hard.
X32|S82|09|A correlation of 1|Printed as 1.00 it is the edge of what is possible. At the top it is \
{corr:.4f} and the fit {singular} singular; where lme4 stops by default it is {corr_stopped:.5f} \
and the fit {singular_stopped}. Standard errors there change in the second decimal with the stop.
X33|S81 S85|10|No problems for Stan?|The printed table says otherwise: R-hats up to {rhat:.2f}, \
and as few as {tail:.0f} effective draws in a tail.
X34|S83|10|Priors nobody mentioned|No prior is stated, so brms chose: flat coefficients, a \
Student t for the sds. With {elections} elections that is part of the answer.
X35|S83|10|Rows that repeat|The model sees {rows} answers but only {distinct} different districts. \
Counts per district give the same posterior for a fraction of the work; the log-likelihood moves \
by a constant.
X36|S85 S86|10|One table, twice|print() and summary() show the same {printed_twice} numbers. \
Twice printed is not twice checked.
X37|S88|11|95 % here, 90 % there|The predictions come with 95 % intervals and with medians, while \
all figures before them had 90 %.
X38|S89|11|What is typical?|A district effect of zero is one district, not the average of many \
and not a new one. In Britain: {centre_uk:.3f} for the typical district, {population_uk:.3f} for \
the average over districts.
X39|S87 S90|11|A grid of {rows} rows|Predictions are made for every respondent, {distinct} \
different ones over and over; and the line's width is set by an argument that ggplot has retired.
X40|S3|12|Packages that rest|modelsummary and tidybayes are loaded and never called.
X41|S7 S50|12|A column that is not there|The help pages of finland and uk list election_id. The \
data have district_id and no election.
X42|S28 S45|12|An older version|Earlier notes of the course print other output. Two remarks of \
theirs are right: 309 is the smallest sample, and its new estimate, {peak_309:.3f}, lies just \
inside its old interval, {low_309:.3f} to {high_309:.3f}. Versions are not to be mixed.
"""


@cache
def traps() -> tuple[Trap, ...]:
    """The places X1 to X42, in order.

    Examples
    --------
    >>> from hierwidgets.course.page.traps import traps
    >>> traps()[0].text
    'The page gives district 309 a rate of 0.40. It is 10 of 23, 0.435; with 23 people nothing \
rounds to 0.40.'
    """
    found = []
    for line in _TEXTS.strip().splitlines():
        item, where, lecture, title, text = (part.format(**facts()) for part in line.split("|"))
        found.append(Trap(item, tuple(where.split()), lecture, title, text))
    return tuple(found)


def markdown() -> str:
    """The list as a Markdown table, with links to the lectures."""
    lines = ["| | on the page | what stands there, and what holds | lecture |", "|---|---|---|---|"]
    for trap in traps():
        where = ", ".join(trap.where)
        said = f"**{trap.title}.** {trap.text}".replace("|", "\\|").replace("?.**", "?**")
        link = f"[{trap.lecture.lstrip('0')}]({trap.link})"
        lines.append(f"| {trap.item} | {where} | {said} | {link} |")
    return "\n".join(lines)
