"""Texts and captions of lecture 04, three kinds of pooling."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course import page
from hierwidgets.fit.fit import Fit
from hierwidgets.widgets.numbers.pooling import pooling_frame, profile_frame

__all__ = [
    "average", "caption", "complete", "crossings", "dial", "order", "six_groups", "slowest",
    "spellings", "spread", "stacking", "typical", "weighted", "without_ones",
]  # fmt: skip

_CAPTIONS = {
    1: "Above, each district on its own; below, the hierarchical model. All lines lean inward, "
    "the outer ones most, and some cross.",
    2: "Strong: the districts that change places. In each pair the larger one moves less.",
    3: "Read upward, the districts fan out: less and less is borrowed.",
    4: "Every district's estimate as σ grows. By share of the way, the two largest go first. Near "
    "the fitted σ (dashed) 309 is just passing 308.",
    5: "Equal steps to the left and to the right of μ become unequal steps in rates: "
    "the upper one is the larger. The curve lies above its tangent, so averages of rates lie above "
    "the rate at the average.",
    6: "Six groups, from two rows to forty. Dotted: one line for all, the same in every "
    "panel. Solid: each group its own intercept. Dashed: partial pooling, between the two. In the "
    "large groups it lies on the group's own line; in the small ones, if they are unusual, it "
    "is held back.",
    7: "The same by hand: one line per row of the wide table, kind by kind.",
}


def caption(number: int) -> str:
    """The caption of a figure."""
    return f"**Figure {number}.** {_CAPTIONS[number]}"


def crossings(fit: Fit, rates: pd.DataFrame, swaps: list[tuple[str, str]]) -> Markdown:
    """Pairs of districts that changed places, a row each, and why they did.

    `rates` has a row for each district: n, weight, raw and pooled.
    """
    frame = pooling_frame(fit).set_index("level")
    weight, raw = rates["weight"], rates["raw"]
    assert np.allclose(frame["weight"], weight[frame.index], atol=1e-6)
    pairs = [("316", "310"), ("305", "310"), ("317", "304"), ("309", "308")]  # the further first
    assert {frozenset(pair) for pair in swaps} == {frozenset(pair) for pair in pairs}
    centre, moved = expit(fit.fixef["Intercept"]), (rates["pooled"] - raw).abs()
    assert raw[["305", "310", "316"]].max() < centre < raw[["304", "317", "308", "309"]].min()
    for far, near in pairs:
        assert abs(raw[far] - centre) > abs(raw[near] - centre)
        assert weight[near] > weight[far]
        assert moved[near] < moved[far]
    assert weight["306"] < weight["308"]  # the less precise, which is pulled less far
    assert moved["306"] < moved["308"] / 2
    rows = "\n".join(f"| {_move(rates, far)} | {_move(rates, near)} |" for far, near in pairs)
    return Markdown(f"""
| further out | people | weight | rate | overtaken by | people | weight | rate |
|---|---:|---:|---|---|---:|---:|---|
{rows}

{len(swaps)} of {len(rates) * (len(rates) - 1) // 2} pairs. Compare their weights.

**The rule:** of two districts on the same side of the centre, the further may be overtaken if it is
the less precise. So make no league table of schools or hospitals from raw rates.
""")


def _move(rates: pd.DataFrame, level: str) -> str:
    """Four cells of a table: the district, its people, its weight, from where to where."""
    n, weight, raw, pooled = (
        float(rates[column][level]) for column in ("n", "weight", "raw", "pooled")
    )
    return f"**{level}** | {n:.0f} | {weight:.2f} | {raw:.3f} → {pooled:.3f}"


def spread(kinds: pd.DataFrame, fit: Fit) -> Markdown:
    """The variance of three sets of estimates, and that of the rates the model believes in."""
    variance = kinds.groupby("kind", observed=True)["estimate"].var()
    assert list(variance.index) == ["complete pooling", "partial pooling", "no pooling"]
    assert len(kinds) == 42
    assert variance.is_monotonic_increasing
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    x, w = np.polynomial.hermite_e.hermegauss(60)
    rates, w = expit(mu + sigma * x), w / w.sum()
    true_variance = float(w @ rates**2 - (w @ rates) ** 2)
    raw, partial = variance["no pooling"], variance["partial pooling"]
    assert partial < true_variance < raw
    return Markdown(f"""
The estimates of partial pooling keep {partial / raw:.0%} of the raw rates' variance; true rates, by
our μ and σ, have {true_variance / raw:.0%} of it. Raw rates spread too much: luck is added. Partial
pooling's spread too little: each is the middle of what is possible. **The spread of the estimates
is not the estimate of the spread.** That is σ.
""")


def _ahead(fit: Fit, sigma: float, mu: float) -> float:
    """By how much the log-odds of 309 lie above those of 308."""
    frame = pooling_frame(fit, sigma, mu).set_index("level")["estimate_link"]
    return float(frame["309"] - frame["308"])


def _chance(fit: Fit, sigma: float, mu: float) -> float:
    """Pr(309 > 308) if mu and sigma were these: both conditional distributions taken as normal."""
    from scipy.stats import norm

    frame = pooling_frame(fit, sigma, mu).set_index("level")
    bend = frame["n"] * frame["estimate"] * (1 - frame["estimate"]) + 1 / sigma**2
    sd = (1 / bend["309"] + 1 / bend["308"]) ** 0.5
    return float(norm.cdf(_ahead(fit, sigma, mu) / sd))


def _at_the_ends(fit: Fit) -> tuple[Array, Array]:
    """The 90 % interval of sigma, and Pr(309 > 308) at its ends, with mu at its best for each."""
    ends = fit.confint(0.9, progress=False).iloc[1][["conf_low", "conf_high"]].to_numpy(float)
    best = profile_frame(fit, ends)["mu"]
    chances = [_chance(fit, sigma, mu) for sigma, mu in zip(ends, best, strict=True)]
    return ends, np.array(chances)


def _sigma_of_share(fit: Fit, level: str, column: str, share: float) -> float:
    """The sigma at which a district has come so far from mu to its own value."""
    from scipy.optimize import brentq

    own, target = (column.replace("estimate", name) for name in ("raw", "target"))

    def short(sigma: float) -> float:
        frame = pooling_frame(fit, sigma).set_index("level")
        now, end, start = (float(frame[name][level]) for name in (column, own, target))
        return (now - start) / (end - start) - share

    return float(brentq(short, 0.01, 10.0))


def slowest(fit: Fit) -> Markdown:
    """Which district needs the largest sigma to be nearly on its own: by rates, by log-odds."""
    levels = list(pooling_frame(fit)["level"])
    by_rate, by_link = (
        pd.Series({level: _sigma_of_share(fit, level, column, 0.9) for level in levels})
        for column in ("estimate", "estimate_link")
    )
    assert by_rate.idxmax() == "309"
    assert set(by_rate.nsmallest(2).index) == {"304", "310"}  # the two largest, as caption 4 says
    assert by_link.idxmax() == "315"
    assert by_link["309"] < by_link["315"]
    return Markdown(f"""
309, at σ = {by_rate["309"]:.2f}; but on the log-odds scale 315, at {by_link["315"]:.2f},
with nearly twice the people: close to 0 each answer tells less.
""")


def dial(fit: Fit, no: pd.DataFrame, overall: float) -> Markdown:
    """What stands at the two ends of the dial, and where 308 and 309 pass each other."""
    from scipy.optimize import brentq

    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    crossing = brentq(lambda s: _ahead(fit, s, mu), 0.1, 1.0)
    left = pooling_frame(fit, 1e-4).set_index("level")["estimate"]
    right = pooling_frame(fit, 1e4).set_index("level")["estimate"]
    raw = no.set_index("level")["estimate"]
    assert np.allclose(left, expit(mu), atol=1e-5)
    assert np.allclose(right, raw[right.index], atol=1e-5)
    settled = expit(profile_frame(fit, [0.001])["mu"].iloc[0])
    assert abs(settled - overall) < 1e-5
    (low, high), chances = _at_the_ends(fit)
    plug_in = _chance(fit, sigma, mu)
    assert low < crossing < high
    assert round(plug_in, 3) == 0.495
    assert chances[0] < plug_in < 0.5 < chances[1]
    side = "below" if crossing < sigma else "above"
    return Markdown(f"""
Left, every district is at {expit(mu):.3f}, the inverse logit of μ (the square is at
{overall:.3f}: there μ settles too); right is no pooling. 308 and 309
pass at σ = {crossing:.3f}, a hair {side} our {sigma:.3f}. With μ and σ taken as known, the chance
that 309's true rate is the higher is {plug_in:.3f}; at the ends of σ's 90 % interval, {low:.2f} and
{high:.2f}, it is {chances[0]:.2f} and {chances[1]:.2f}. **The data do not know the order.**
""")


def order(fit: Fit, chance: float, table: pd.DataFrame) -> Markdown:
    """What is known of the order of the districts, and what plugging in leaves out."""
    (low, high), chances = _at_the_ends(fit)
    assert abs(chance - _chance(fit, fit.theta[0], fit.fixef["Intercept"])) < 1e-3
    assert round(chance, 3) == 0.495
    first = table["first"]
    assert abs(first.sum() - 1) < 1e-9
    assert set(first.nlargest(2).index) == {"308", "309"}
    wide = int((table["rank, high"] - table["rank, low"]).max())
    return Markdown(f"""
Pr(309 > 308) = {chance:.3f}. Both have about the same chance to be the first of all,
{first["309"]:.2f} and {first["308"]:.2f}: 309 is a little behind, but less is known of it, and what
is uncertain can be at the top. Hardly any district has a rank of its own; the widest interval takes
in {wide + 1} of the {len(table)} places. A *list* of estimates looks like an order. It is not one.

All this takes μ and σ as known. With σ at the ends of its 90 % interval, {low:.2f} and {high:.2f},
and μ at its best for each, Pr(309 > 308) is {chances[0]:.2f} and {chances[1]:.2f}. To average over
all that the data allow is full Bayes (lecture 10).
""")


def complete(complete: pd.DataFrame, no: pd.DataFrame, contacted: "pd.Series[Any]") -> Markdown:
    """Complete pooling: most precise, and wrong for each if they differ."""
    assert np.allclose(complete["estimate"], contacted.mean())
    assert complete["std_error"].iloc[0] < no["std_error"].min()
    return Markdown(f"""
{complete["estimate"].iloc[0]:.4f} for each of {len(complete)} districts, with a standard error of
{complete["std_error"].iloc[0]:.4f}, smaller than that of any single district (the best has
{no["std_error"].min():.4f}). The most precise of the three estimates, and if districts differ, a
wrong one for each of them. Precision is not truth.
""")


def stacking(long: pd.DataFrame, districts: int) -> Markdown:
    """The page's stacked table, and where its holes come from (S39)."""
    first = long[long["type"] == "initial ML"].set_index("level")
    held = page.check(
        "S39",
        rows=len(long),
        columns=long.shape[1],
        estimate=first["estimate"],
        n=first["n"],
        std_error=first["std_error"],
    )
    assert (held["verdict"] == "agrees").all()
    assert long["n"].isna().sum() == long["std_error"].isna().sum() == 14
    return Markdown(f"""
{len(long)} rows: {districts} districts, twice; {long.shape[1]} columns. (The table shows the
first two and the last of each kind.) In the second half `n` and `std_error` are missing:
{long["n"].isna().sum()} holes each. Stacking invents nothing, so a column that one frame lacks is
left empty in its rows.

> *Page note.* The page's table has the same shape and the same holes (`NA`), and
> all {len(held)} numbers it shows agree with ours. Nothing is wrong with the
> districts: they still have respondents, and their new estimates have an uncertainty. The
> information was left behind when the second table was made. `hw.partial_pooling` brings it
> along, as the next table shows. Also, n has turned from 40 into 40.0: whole numbers with holes
> become decimals in pandas.
""")


def typical(mu: float, sigma: float, overall: float) -> Markdown:
    """The rate at mu and the overall rate are two numbers: first, because of the bend."""
    centre = expit(mu)
    assert [round(float(centre), 4), round(overall, 4)] == [0.2023, 0.2072]
    up, down = expit(mu + sigma) - centre, centre - expit(mu - sigma)
    assert up > down
    return Markdown(f"""
The model's centre is {centre:.4f}; the overall rate is {overall:.4f}. They are close, and they
are not the same. No rounding is to blame. Two things lie between them.

**First, a bend.** μ is the centre of the *log-odds*. The curve from log-odds to rates bends
upward in this region, so a district one σ above the centre gains more than a district one σ below
it loses: {up:.3f} against {down:.3f}. The
**average** rate of many districts therefore lies above the rate of the **typical** district. That
the average of a bent curve is not the curve at the average is called *Jensen's inequality*.
""")


def average(fit: Fit, no: pd.DataFrame, overall: float, uk: pd.DataFrame, uk_fit: Fit) -> Markdown:
    """The typical district, the average district and the average person."""
    mu, sigma = fit.fixef["Intercept"], fit.theta[0]
    x, w = np.polynomial.hermite_e.hermegauss(60)
    middle = float(np.sum(w * expit(mu + sigma * x)) / np.sum(w))
    centre, n, raw = float(expit(mu)), no.set_index("level")["n"], no["estimate"]
    uk_gap = (uk["contacted"] == "Contacted").mean() - expit(uk_fit.fixef["Intercept"])
    assert centre < middle < overall
    assert 0.01 < uk_gap < 0.1
    return Markdown(f"""
The average district has {middle:.4f}. So the bend explains
{100 * (middle - centre) / (overall - centre):.0f} % of the way from {centre:.4f} to
{overall:.4f}.

**Second, who is counted.** The overall rate counts *people*: 310, with {n["310"]} of them, counts
{n["310"] / n["309"]:.0f} times as much as 309. The model counts *districts*, though not quite
equally: a district's say in μ grows with n, but levels off, because beyond some n more people
tell us more about that district and nothing more about the others. Take the districts' raw rates
with equal weights and you get {raw.mean():.4f}; by people, {overall:.4f}. The model stands
between such weightings, on its own scale.

So: **typical district** {centre:.4f}, **average district** {middle:.4f}, **average person**
{overall:.4f}. Three questions, three answers. When σ is larger than in Finland, the gaps become
large too; in Britain (lecture 6) the first and the last differ in the second decimal.
""")


def spellings(table: pd.DataFrame) -> Markdown:
    """Two spellings of one model."""
    assert np.allclose(table["mu + b"], table["alpha"])
    assert round(table["b"]["308"], 2) == 0.37
    return Markdown("""
The last two columns agree. Nothing is gained or lost, and confusion
is easy: an "intercept of 0.37" for 308 is a deviation in one spelling and a log-odds in the
other.
""")


def without_ones(with_ones: Fit, without: Fit, own: pd.DataFrame) -> Markdown:
    """What happens to sigma and to small groups when the column of ones is taken away."""
    sd_with, sd_without = (model.varcorr["sd"].iloc[0] for model in (with_ones, without))
    coef = with_ones.coef.query("term == 'Intercept'").set_index("level")["estimate"]
    alone = own.set_index("level")["intercept"]
    left = without.ranef.set_index("level")["mode"]
    mu = with_ones.fixef["Intercept"]
    assert sd_without > 1.5 * sd_with
    assert 0 < left["C"] < alone["C"] < coef["C"] < mu
    return Markdown(f"""
The slope survives ({with_ones.fixef["x"]:.2f}; the truth is 1.5). But without the ones the groups
must reach from zero up to where the data are, and σ_α swells from {sd_with:.2f} to
{sd_without:.2f} to let them: no longer the spread *between* groups, but their distance from zero.
And small groups are then pulled toward **zero**, though weakly, with so large a spread. Look at
group C, five rows that lie a little below the others: on its own it has an intercept of
{alone["C"]:.2f}. With the ones it is drawn *up*, to {coef["C"]:.2f}, toward μ = {mu:.2f}. Without
them it is drawn *down*, to {left["C"]:.2f}.
""")


def weighted(by_hand: "pd.Series[float]", with_ones: Fit) -> Markdown:
    """Six intercepts by the formula, equal to the package's."""
    coef = with_ones.coef.query("term == 'Intercept'").set_index("level")["estimate"]
    assert np.allclose(by_hand, coef[by_hand.index], atol=1e-6)
    listed = ", ".join(f"{name} {value:.2f}" for name, value in by_hand.items())
    return Markdown(f"By hand and by `hw.lmer`, the six intercepts agree: {listed}.")


def six_groups(lines: dict[str, pd.DataFrame], truth: Array) -> Markdown:
    """Who came closest to six known intercepts in one draw."""
    kinds = {kind: frame.set_index("level")["intercept"] for kind, frame in lines.items()}
    error = {kind: float(np.abs(found - truth).mean()) for kind, found in kinds.items()}
    closest = min(error, key=lambda kind: error[kind])
    apart = (kinds["no pooling"] - kinds["complete pooling"]).abs()
    assert apart.idxmax() == "B"
    near = (kinds["no pooling"] - kinds["partial pooling"]).abs()
    assert near[["E", "F"]].max() < 0.15
    return Markdown(f"""
The lines differ most for group B: three rows that lie high, so its own line is high, the line for
all is low, and partial pooling stands in between. For E and F, with twenty rows and more, partial
and no pooling are all but one line.

Here the truth is known, so we may ask who came closest. The mean distance of the six intercepts
from the truth is {error["no pooling"]:.2f} without pooling, {error["complete pooling"]:.2f} with
complete and {error["partial pooling"]:.2f} with partial pooling. So {closest} wins
{"after all" if closest == "partial pooling" else "this time"}. But this is one draw, in which a
single lucky group decides. To learn who wins *on average*, and when, one has to do it a thousand
times. That is the next lecture.
""")
