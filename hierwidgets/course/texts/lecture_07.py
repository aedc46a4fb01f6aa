"""What lecture 7 tells with numbers: a target that is a line, and what it does to the estimates."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy.stats import chi2

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course import page
from hierwidgets.fit.fit import Fit
from hierwidgets.fit.likelihood_ratio import compare
from hierwidgets.fit.pooling import partial_pooling

__all__ = [
    "CAPTIONS",
    "chance",
    "effect",
    "estimates",
    "holes",
    "join",
    "likelihood",
    "middle_row",
    "nodes",
    "once",
    "people",
    "persons",
    "pull",
    "recovered",
    "two_slopes",
    "within",
]

CAPTIONS = {
    1: "**Figure 1.** Estimates without the predictor, over competitiveness; larger circles, "
    "more people. The same answers give the same estimate, hence rows. A line through them "
    "rises, a little.",
    2: "**Figure 2.** All estimates (small diamonds), and for 25 districts the way from raw rate "
    "(circle) to estimate. Left, toward a horizontal line. Right, toward a target that rises.",
    3: "**Figure 3.** The curve of the typical district with its 90 % interval (shaded), which "
    "is for the *curve*: many districts lie outside.",
    4: "**Figure 4.** The estimates of the model with the predictor. They follow the solid curve "
    "of the typical district, with some spread: what is left of the districts' own answers. "
    "The dash-dotted line is the slope of the two steps; the dashed one goes through the raw "
    "rates.",
    5: "**Figure 5.** Twelve of the sixty districts, people as dots, each district with its own "
    "line: nearly all fall. Diamonds are the means of all sixty districts: they rise.",
    6: "**Figure 6.** Slopes estimated in a hundred made-up Britains, in three ways. Solid: the "
    "mean slope of the line through the true rates; dashed: the mean estimate. Two steps are "
    "precise and wrong: the true slope lies outside the whole heap.",
    7: "**Figure 7.** The slopegraph with the predictor. The middle row is wider and smoother "
    "than in the last lecture: districts with the same answers no longer share one estimate, "
    "because they have targets of their own.",
}
STOP_GAMMA, STOP_SIGMA = (-3.404228424, 3.870488484), 0.597388025  # where R stops

Parts = tuple[Array, Array, Array]  # y, n and x of the districts
Modes = Callable[[Array, Array, Array, float], tuple[Array, Array]]
Areas = Callable[[Array, Array, Array, float], Array]


# --- the two steps ------------------------------------------------------------------------


def once(tidy: pd.DataFrame, districts: pd.DataFrame) -> Markdown:
    """How many people and districts, and that a district has one value (S61, S62)."""
    page.check(
        "S61",
        rows=len(tidy),
        columns=tidy.shape[1],
        contacted=tidy["contacted"],
        district_competitiveness=tidy["district_competitiveness"],
    )
    page.check(
        "S62",
        rows=len(districts),
        columns=districts.shape[1],
        district_competitiveness=districts["district_competitiveness"],
    )
    by_district = tidy.groupby("district_id", observed=True)["district_competitiveness"]
    assert by_district.nunique().max() == 1
    x = districts["district_competitiveness"]
    return Markdown(f"""
{len(tidy)} people, but the same district, the same value: competitiveness is a property of a
district, and there are {len(districts)}. It reaches from {x.min():.2f} to {x.max():.2f}.
""")


def join(w_comp: pd.DataFrame) -> Markdown:
    """The table of estimates joined with that of districts (S63)."""
    found = page.check(
        "S63",
        rows=len(w_comp),
        columns=w_comp.shape[1],
        estimate=w_comp["estimate"],
        district_competitiveness=w_comp["district_competitiveness"],
    )
    assert w_comp.notna().all().all()
    off = int((found["verdict"] != "agrees").sum())
    return Markdown(f"""
{len(w_comp)} rows, no holes: every district found its partner (`validate="1:1"` would have
complained of one that occurs twice). Of the page's {len(found)} numbers of this table {off} differ
in the last digit, because R's fit stops early, as the last lecture showed.
""")


def two_slopes(districts: pd.DataFrame) -> Markdown:
    """The line through shrunken rates beside that through raw ones."""
    slope, raw = (np.polyfit(districts["x"], districts[c], 1)[0] for c in ("shrunken", "raw"))
    assert [round(slope, 3), round(raw, 2)] == [0.175, 0.63]
    return Markdown(f"""
<details>
<summary>And from 0.5 to 0.8?</summary>

The slope is {slope:.3f}: {100 * 0.3 * slope:.0f} percentage points. The line through the *raw*
rates has {raw:.3f}, more than three times as steep. Which should we believe?

</details>
""")


# --- the line in the model ----------------------------------------------------------------


def _weight(model: Fit, districts: pd.DataFrame) -> float:
    """The mean weight of a district's own answers."""
    spread = model.varcorr["sd"].iloc[0] ** 2
    rate = partial_pooling(model).set_index("level")["estimate"][districts.index]
    return float((spread / (spread + 1 / (districts["n"] * rate * (1 - rate)))).mean())


def pull(plain: Fit, fit: Fit, districts: pd.DataFrame) -> Markdown:
    """What the predictor does to sigma and to the weights."""
    old, new = plain.varcorr["sd"].iloc[0], fit.varcorr["sd"].iloc[0]
    before, after = _weight(plain, districts), _weight(fit, districts)
    assert [round(old, 2), round(new, 2)] == [0.71, 0.60]
    assert after < before
    return Markdown(f"""
σ falls from {old:.2f} to {new:.2f}: competitiveness accounts for about {1 - (new / old) ** 2:.0%}
of the variance between districts. A smaller σ pulls harder: the mean weight of a district's own
answers falls from {before:.2f} to {after:.2f}. But each is pulled to a place of its own.
""")


def effect(fit: Fit, plain: Fit, districts: pd.DataFrame, change: pd.DataFrame) -> Markdown:
    """Three slopes, and why one of them is too flat."""
    gamma0, gamma1 = fit.fixef
    low, high = (float(expit(np.array(gamma0 + gamma1 * value))) for value in (0.5, 0.8))
    slope, raw = (np.polyfit(districts["x"], districts[c], 1)[0] for c in ("shrunken", "raw"))
    one_step = (high - low) / 0.3
    assert abs(change["estimate"].iloc[0] - (high - low)) < 1e-9
    assert abs(one_step - 0.79) < 0.005
    ends = 100 * change[["conf_low", "conf_high"]].iloc[0]
    return Markdown(f"""
From {low:.2f} to {high:.2f}: {100 * (high - low):.0f} percentage points, with a 90 % interval from
{ends.iloc[0]:.0f} to {ends.iloc[1]:.0f}. Three slopes are on the table:

| | slope | from 0.5 to 0.8 |
|---|---|---|
| two steps: line through the shrunken rates | {slope:.3f} | {100 * 0.3 * slope:.0f} points |
| line through the raw rates | {raw:.3f} | {100 * 0.3 * raw:.0f} points |
| one step: the model with the predictor | {one_step:.3f} | {100 * (high - low):.0f} points |

The two-step slope is {slope / raw:.2f} of the raw one. A shrunken rate keeps its weight
({_weight(plain, districts):.2f} on average) of its distance from the centre, and so, about, does a
line. **Shrinkage attenuates whatever you regress the estimates on.**
""")


def nodes(spreads: Mapping[tuple[str, int], Mapping[str, float]]) -> Markdown:
    """Laplace against 25 nodes, without and with the predictor."""
    without, with_x = spreads["without", 25], spreads["with the predictor", 25]
    assert abs(with_x["σ"] - 0.6695) < 1e-4
    assert abs(with_x["logLik"] + 460.0659) < 1e-4
    return Markdown(f"""
With 25 nodes σ falls from {without["σ"]:.2f} to {with_x["σ"]:.2f}: Laplace is too low in both, as
lecture 6 taught.
""")


# --- the page's numbers -------------------------------------------------------------------


def _at(parts: Parts, modes: Modes, areas: Areas) -> tuple[Array, float, float]:
    """Modes, deviance and DIC where R stops."""
    y, n, x = parts
    centre = STOP_GAMMA[0] + STOP_GAMMA[1] * x
    mode, _ = modes(y, n, centre, STOP_SIGMA)
    deviance = float(-2 * np.sum(y * mode - n * np.log1p(np.exp(mode))))
    return mode, deviance, 2 * deviance + 2 * float(areas(y, n, centre, STOP_SIGMA).sum())


def likelihood(
    fit: Fit, by_hand: list[float], parts: Parts, modes: Modes, areas: Areas
) -> Markdown:
    """The fit by hand and by the package, and the page's numbers of it (S67)."""
    sigma = fit.varcorr["sd"].iloc[0]
    assert np.allclose(by_hand, [*fit.fixef, sigma, fit.loglik], atol=2e-5)
    printed = page.check(
        "S67",
        estimate=fit.fixef,
        std_error=fit.std_error,
        sigma=sigma,
        residual=1.0,  # fixed for answers of yes or no
        nobs=fit.nobs,
        groups=len(fit.ranef),
        aic=fit.aic,
        dic=fit.dic,
        deviance=fit.conditional_deviance,
    )
    differ = printed[printed["verdict"] != "agrees"]
    _, stopped_deviance, stopped_dic = _at(parts, modes, areas)
    assert page.number("S67", "deviance").agrees(stopped_deviance)
    assert page.number("S67", "dic").agrees(stopped_dic)
    assert page.number("S67", "estimate", "Intercept").agrees(STOP_GAMMA[0])
    listed = ", ".join(f"{r.page} (ours {r.ours:.4g})" for r in differ.itertuples())
    return Markdown(f"""
By hand and by the package: γ₀ = {by_hand[0]:.3f}, γ₁ = {by_hand[1]:.3f}, σ = {by_hand[2]:.3f},
log-likelihood {by_hand[3]:.3f}. They agree. In R:
`glmer(contacted ~ district_competitiveness + (1 | district_id), data = uk, family = binomial)`.

> *Page note.* Of the {len(printed)} numbers R prints for this model {len(differ)} differ from ours
> in the last digit: {listed}. The cause is known: R's default optimiser stops early. At its
> stopping point our formulas give the page's deviance, {stopped_deviance:.1f}, and DIC,
> {stopped_dic:.0f}.
""")


def estimates(
    found: pd.DataFrame, levels: "pd.Index[Any]", parts: Parts, modes: Modes, areas: Areas
) -> Markdown:
    """The page's eight estimates (S68), and ours where R stops."""
    printed = page.check(
        "S68",
        rows=len(found),
        columns=found.shape[1],
        district_competitiveness=found["district_competitiveness"],
        estimate=found["estimate"],
    )
    stopped = pd.Series(expit(_at(parts, modes, areas)[0]), index=levels)
    in_page_order = stopped[found["district_id"].astype(object)]
    for record in page.numbers("S68", "estimate"):
        assert record.agrees(in_page_order.iloc[int(record.label) - 1])
    off = int((printed["verdict"] != "agrees").sum())
    return Markdown(f"""
> *Page note.* Of the page's eight estimates {off} differ from ours by one in the last digit, and
> all eight come out as printed at R's stopping point.
""")


# --- chance, and whose x it is ------------------------------------------------------------


def chance(plain: Fit, fit: Fit) -> Markdown:
    """The likelihood-ratio test of the predictor."""
    test = compare(plain, fit)
    square = 2 * (fit.loglik - plain.loglik)
    assert abs(test.chi_square - square) < 1e-9
    assert round(square, 1) == 16.6
    assert abs(test.p - chi2.sf(square, 1)) < 1e-12
    wald = fit.fixef.iloc[1] / fit.std_error.iloc[1]
    return Markdown(f"""
{square:.1f} on {test.df} degree of freedom: p is about {1e5 * test.p:.0f} in 100,000. The Wald
test, γ₁ over its standard error, {wald:.2f}, squared {wald**2:.1f}, says nearly the same. The AIC
falls by {plain.aic - fit.aic:.1f}. Chance is not a good explanation.

One caution. This p-value is for a number that may be positive or negative. When you test whether a
*σ* is zero, which cannot be negative, the same recipe gives a p about twice too large;
`hw.compare` knows the difference.
""")


def people(fit: Fit, rows: list[tuple[int, float, float]], x: Array) -> Markdown:
    """What a hundred times as many people in the same districts would teach about a slope."""
    errors = {times: (a, b) for times, a, b in rows}
    floor = fit.varcorr["sd"].iloc[0] / (np.sqrt(len(x)) * x.std())
    assert errors[100][1] > 4 * errors[100][0]
    assert abs(errors[10**6][1] - floor) < 0.01 * floor
    return Markdown(f"""
(The upper right figure is close to the fit's own {fit.std_error.iloc[1]:.2f}.) With a hundred times
the people, an ordinary logistic regression, `glm(contacted ~ district_competitiveness, binomial)`,
would claim an error of {errors[100][0]:.2f}. The hierarchical model says {errors[100][1]:.2f}, and
even with endless answers it would not get below {floor:.2f}:
$\\sigma / (\\sqrt{{J}}\\;\\text{{sd}}(x))$. There are {len(x)} values of x, each with a district
that deviates from the line for reasons of its own. To learn more about a predictor of districts,
**ask in more districts**.

Britain's districts are so small that the two errors hardly differ ({errors[1][0]:.2f} and
{errors[1][1]:.2f}). With large groups and a predictor of groups, forgetting the groups is one of
the commonest and gravest mistakes in practice.
""")


def within(mixed: Fit, apart: Fit, ordinary: float) -> Markdown:
    """A predictor of persons within districts and its mean between them."""
    inside, between = apart.fixef["from_mean"], apart.fixef["district_mean"]
    assert abs(inside + 1) < 3.5 * apart.std_error["from_mean"]
    assert abs(between - 2) < 3.5 * apart.std_error["district_mean"]
    assert inside < mixed.fixef["age"] < between
    return Markdown(f"""
One line for everybody has a slope of {ordinary:+.2f}. The hierarchical model with age alone finds
{mixed.fixef["age"]:+.2f}. With both, it finds {inside:+.2f} within districts and {between:+.2f}
between them, near the truths we put in (−1 and +2). To read what happens to persons off
what happens to districts is the *ecological fallacy*; the reverse has a name too, the
*individualistic* (or atomistic) fallacy. Write the j or the i under your x, and you will commit
neither by accident.
""")


def persons(fit: Fit, both: Fit) -> Markdown:
    """A predictor of persons beside one of districts, in Britain."""
    _, after, close = both.fixef.to_numpy(dtype=float)
    _, error_x, error = both.std_error.to_numpy(dtype=float)
    assert list(both.fixef.index)[1:] == ["competitiveness", "close_to_party"]
    before = fit.fixef["district_competitiveness"]
    old, new = fit.varcorr["sd"].iloc[0], both.varcorr["sd"].iloc[0]
    assert close > 2 * error
    assert abs(after - before) < 0.1 * error_x
    assert abs(new - old) < 0.02
    return Markdown(f"""
Two people of *one* district, one of them close to a party: their log-odds differ by {close:.2f}
(standard error {error:.2f}). Two *districts*, one of them a tenth more competitive: by
{after / 10:.2f}, and that number was {before / 10:.2f} before, since people close to a party live
in safe and in contested districts alike. σ hardly moves either ({old:.3f} and {new:.3f}): a
predictor of persons explains differences between districts only as far as the districts' people
differ in it. The two standard errors have different sources, too: that of $x_i$ rests on
{both.nobs} people, that of $x_j$ on {len(both.ranef)} districts.
""")


# --- simulation, and the holes of a join --------------------------------------------------


def recovered(made_up: pd.DataFrame, off: pd.DataFrame, gamma1: float) -> Markdown:
    """Three ways to a slope in a hundred made-up Britains."""
    z = (made_up["gamma1"] - gamma1).abs() / made_up["error"]
    held = float((z < 1.6449).mean())
    held_error = np.sqrt(held * (1 - held) / len(z))
    sem = float(off["raw"].std() / np.sqrt(len(off)))
    rmse = (off**2).mean() ** 0.5
    assert made_up["two steps"].max() < made_up["true"].mean()
    assert abs(off["raw"].mean()) < 4 * sem
    assert off["two steps"].mean() < -0.4
    assert 0.75 < held <= 1
    share = made_up["two steps"].mean() / made_up["true"].mean()
    return Markdown(f"""
The true slope is {made_up["true"].mean():.2f} on average. Two steps find
{made_up["two steps"].mean():.2f}, a share of {share:.2f}, and in not one of a hundred draws do they
come up to the truth. More districts would not help: it is bias, not noise.

The raw line and the model are both about right on average (errors of {off["raw"].mean():+.2f} and
{off["one step"].mean():+.2f}, with Monte Carlo errors of {sem:.2f}); their RMSE is
{rmse["raw"]:.2f} and {rmse["one step"]:.2f}. So for a single straight slope the raw rates do as
well. But the model gives the districts' estimates along with the slope, keeps rates between 0 and
1, and has an honest interval: in {held:.0%} ± {held_error:.0%} of the draws the 90 % interval of γ₁
holds the truth.
""")


def holes(comb: pd.DataFrame) -> Markdown:
    """What is missing when frames with different columns are stacked (S70)."""
    page.check("S70", rows=len(comb), columns=comb.shape[1], estimate=comb["estimate"])
    missing = comb["district_competitiveness"].isna()
    assert missing.sum() == 506
    assert comb.dropna()["type"].unique().tolist() == ["partial"]
    return Markdown(f"""
{len(comb)} rows and {comb.shape[1]} columns, as on the page, and {int(missing.sum())} holes:
competitiveness is missing (`NaN`, in R `NA`) wherever the frame that was stacked did not have it.
The holes are quiet until somebody asks for complete rows. `comb.dropna()`, or a model that drops
them by default, as R's do, keeps {len(comb.dropna())} rows and only one of the three kinds,
without a word.

Nothing is unknown here: a district's competitiveness does not depend on how we estimate its rate.
So take it from the table of districts, by label, for all kinds alike:
""")


def middle_row(
    mended: pd.DataFrame, shrunken: pd.DataFrame, found: pd.DataFrame, districts: pd.DataFrame
) -> Markdown:
    """How many different estimates there are without and with the predictor."""
    assert mended["district_competitiveness"].notna().all()
    assert len(mended) == 3 * len(districts)
    kinds = {"without": shrunken["estimate"], "with": found["estimate"]}
    counted = {name: values.round(8).nunique() for name, values in kinds.items()}
    spread = {name: values.var() for name, values in kinds.items()}
    alone = districts[(districts["n"] == 1) & (districts["raw"] == 0)]["one step"]
    return Markdown(f"""
Without the predictor there were {counted["without"]} different estimates, now there are
{counted["with"]}. The variance of the middle row has gone from {spread["without"]:.4f} to
{spread["with"]:.4f}, although every district is pulled harder: the targets themselves differ now.
And the {len(alone)} districts where the one person asked said no, all at
{shrunken["estimate"].iloc[0]:.3f} before? They reach from {alone.min():.2f} to {alone.max():.2f}.
""")
