"""Texts and captions of lecture 05, simulate and recover."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array
from hierwidgets.recovery import Recovery

__all__ = [
    "as_if", "bell_curve", "by_hand", "caption", "complete_wins", "coverage", "curse", "fixed",
    "halves", "one_line", "parameters", "same_twice", "two_countries",
]  # fmt: skip

_NO, _PARTIAL, _COMPLETE = "no_pooling", "partial_pooling", "complete_pooling"
_CAPTIONS = {
    1: "Four measures, three estimators, two hundred draws, with 90 % Monte Carlo bars. Dotted: no "
    "bias, and the 90 % that intervals promise.",
    2: "With σ = 0 complete pooling wins. With large and different groups no and partial pooling "
    "coincide. Two clusters change hardly anything.",
    3: "One made-up Finland. Each row is a district, ordered by its true rate (bar). The squares "
    "of complete pooling stand in one column. Circles scatter around the bars, far out in small "
    "districts; diamonds lie between.",
    4: "One draw. Each row is a group, ordered by its true intercept (bar). The error "
    "of an estimate is the line from the bar to its mark. Diamonds, partial pooling, are not "
    "always closer; but most of the longest lines belong to circles, and to small groups.",
    5: "A thousand draws: how often each value was estimated. Solid, the truth; dashed, "
    "the mean of the estimates. They lie on top of each other for all but the sd of the groups, "
    "which is the hardest: 24 groups are 24 values to learn a spread from.",
    6: "Fourteen districts held fixed, their answers redrawn 4,000 times. Left: the raw "
    "rates have no bias; partial pooling overrates low districts and underrates high ones. Right: "
    "its error is smaller all the same, except at the edge.",
    7: "The error of the three estimators as districts become more different, for "
    "districts of three sizes (14 districts, 60 draws of each, 90 % Monte Carlo bars). Complete "
    "pooling starts lowest and climbs; no pooling is flat; partial pooling follows whichever is "
    "better, at a small price.",
    8: "Britain once more: error by the size of the district. The smaller a district, "
    "the more it gains. No pooling would need more than ten respondents in each to come near.",
    9: "Filled: the true rates of 60 times 100 districts. Solid: no pooling, "
    "too spread out; dashed: partial pooling, in the first two panels a little narrower than the "
    "truth, as best guesses are. On the right the truth has two humps, and partial pooling, told "
    "to expect one, fills the gap.",
}


def caption(number: int) -> str:
    """The caption of a figure."""
    return f"**Figure {number}.** {_CAPTIONS[number]}"


def _cell(lab: Recovery, country: str, estimator: str, measure: str) -> tuple[float, float]:
    """One measure of the laboratory and its Monte Carlo error."""
    mine: Any = (country, estimator, measure)
    row = lab.table.set_index(["design", "estimator", "measure"]).loc[mine]
    return float(row["estimate"]), float(row["mc_error"])


def _agrees_with_the_long_run(lab: Recovery) -> None:
    """The laboratory against values of another, longer run, within 3.5 Monte Carlo errors."""
    known = {
        "Finland": (300, {"rmse": [0.053, 0.038, 0.049], "coverage": [0.88, 0.75]}),
        "Britain": (100, {"rmse": [0.306, 0.139, 0.158], "coverage": [0.43, 0.88]}),
    }
    for country, (reps, measures) in known.items():
        for measure, values in measures.items():
            for name, before in zip((_NO, _PARTIAL, _COMPLETE), values, strict=False):
                value, error = _cell(lab, country, name, measure)
                both = error * np.sqrt(1 + lab.reps / reps)
                rounding = 5e-4 if measure == "rmse" else 5e-3
                assert abs(value - before) < 3.5 * both + rounding


def two_countries(lab: Recovery) -> Markdown:
    """Who has the smallest error in Finland and in Britain, and what it is worth."""
    _agrees_with_the_long_run(lab)
    error = {c: [_cell(lab, c, e, "rmse")[0] for e in (_NO, _PARTIAL)] for c in lab.setups}
    best = {c: _cell(lab, c, _PARTIAL, "best")[0] for c in lab.setups}
    assert min(best.values()) > 0.5
    more = (error["Finland"][0] / error["Finland"][1]) ** 2
    return Markdown(f"""
Partial pooling takes the typical error in Finland from {error["Finland"][0]:.3f} to
{error["Finland"][1]:.3f}, and is best in {best["Finland"]:.0%} of the draws; in Britain from
{error["Britain"][0]:.2f} to {error["Britain"][1]:.2f}, and in {best["Britain"]:.0%}. To match it
without pooling, ask {more:.1f} times as many people in every Finnish district.
""")


def curse(lab: Recovery, top: pd.DataFrame, kept: pd.DataFrame) -> Markdown:
    """How far the largest raw rate of a draw is off."""
    error = top[[_NO, _PARTIAL]].sub(top["truth"], axis=0)
    raw, pooled = error[_NO].mean(), error[_PARTIAL].mean()
    is_top = (top["truth"] == kept["truth"].groupby("rep").max().to_numpy()).mean()
    assert abs(raw - _cell(lab, "Finland", _NO, "bias_of_largest")[0]) < 1e-3
    assert abs(raw - 0.076) < 3.5 * np.sqrt(2) * error[_NO].sem() + 5e-4
    assert abs(pooled) < 0.2 * raw + 0.002
    return Markdown(f"""
The largest raw rate is too high by {raw:.3f} on average, and in {(error[_NO] > 0).mean():.0%} of
the draws. Its district is truly the highest in {is_top:.0%}. Partial pooling's estimate *of the
same district* is off by {pooled:+.3f}: it expects luck, and takes it out.
""")


def coverage(lab: Recovery, by_draw: pd.DataFrame) -> Markdown:
    """Why the intervals of partial pooling hold the truth too rarely in Finland."""
    sigma, held = by_draw["sigma"], by_draw["coverage"]
    zero, none = (sigma < 1e-4).mean(), held[sigma < 1e-4].mean()
    value, error = _cell(lab, "Finland", _PARTIAL, "coverage")
    wide = _cell(lab, "Finland", _PARTIAL, "coverage_full")[0]
    british = _cell(lab, "Britain", _PARTIAL, "coverage")[0]
    assert none < 0.05
    assert 0.04 < zero < 0.14
    assert value < wide < 0.9
    assert value < british < 0.9
    return Markdown(f"""
Finland: {value:.2f} ± {error:.2f}, not .90. Fourteen districts say little about σ. In {zero:.0%} of
the draws it comes out **zero**: the intervals have no width, and hold the truth in {none:.0%}.
Britain, with 253 districts, has {british:.2f}. Counting what is not known of μ and σ, as
`hw.partial_pooling` does, brings Finland to {wide:.2f}; full Bayes (lecture 10) is the remedy.
""")


def by_hand(rmse: Array) -> Markdown:
    """The loop over made-up Finlands."""
    kinds = ["no pooling", "partial pooling", "complete pooling"]
    listed = ", ".join(f"{kind} {value:.3f}" for kind, value in zip(kinds, rmse, strict=True))
    assert rmse.argmin() == 1
    return Markdown(f"""
RMSE over a hundred made-up Finlands, by hand: {listed}. The bare loop is all there is to it. For
more draws, two countries, and the Monte Carlo errors, the package did the bookkeeping above.
""")


def one_line(frame: pd.DataFrame) -> Markdown:
    """One draw of 24 intercepts: who came closer in how many groups."""
    error = frame[[_NO, _PARTIAL]].sub(frame["truth"], axis=0)
    closer = int((error[_PARTIAL].abs() < error[_NO].abs()).sum())
    rmse = np.sqrt((error**2).mean())
    assert len(frame) / 2 < closer < len(frame)
    assert rmse[_PARTIAL] < rmse[_NO]
    return Markdown(f"""
Partial pooling is closer in {closer} of {len(frame)} groups: more than half, far from all. Its
typical error is {rmse[_PARTIAL]:.2f} against
{rmse[_NO]:.2f}. It loses where a group really is unusual and its data said so, and
wins a lot where a small group's data were misleading. You cannot tell the two apart while
estimating. That is why averages over many draws must decide.
""")


def parameters(table: pd.DataFrame) -> Markdown:
    """Which of four parameters are recovered, and why one is not quite."""
    ratio = table["bias / error"].abs()
    bias = float(table["bias"]["sigma_alpha"])
    assert ratio.drop("sigma_alpha").max() < 3.5
    assert ratio["sigma_alpha"] > 3
    assert bias < 0
    return Markdown(f"""
For μ, β and $\\sigma_y$ the bias is within what chance allows. For $\\sigma_\\alpha$ it
is {bias:+.3f}, {ratio["sigma_alpha"]:.0f} Monte Carlo errors: small,
and real. The variance was estimated without
bias, unless it came out negative and was set to zero; but the *root* of an unbiased estimate is
too small on average, because the root bends. Nothing is wrong with the code. A check like this
one is how you find out either way: had we divided by `len(y)` in place of the degrees of freedom,
the row of $\\sigma_y$ would have told us.
""")


def same_twice(hand: pd.DataFrame, package: Recovery) -> Markdown:
    """By hand and by the package: equal within Monte Carlo error."""
    rows = package.table.query("measure == 'rmse'").set_index("estimator")
    theirs = rows[["estimate", "mc_error"]]
    both = (theirs["mc_error"] ** 2 + hand["mc_error"] ** 2) ** 0.5
    apart = (theirs["estimate"] - hand["rmse"]).abs() / both
    assert (apart < 4).all()
    assert theirs["estimate"].idxmin() == _PARTIAL
    assert hand["rmse"].idxmax() == _COMPLETE
    lines = "\n".join(
        f"| {name.replace('_', ' ')} | {hand['rmse'][name]:.3f} ± {hand['mc_error'][name]:.3f} "
        f"| {theirs['estimate'][name]:.3f} ± {theirs['mc_error'][name]:.3f} |"
        for name in hand.index
    )
    return Markdown(f"""
| RMSE ± MC error | by hand, 1000 draws | package, 200 draws |
|---|---|---|
{lines}

They agree: the largest difference is {apart.max():.1f} of its Monte
Carlo errors. Five times fewer draws, errors about twice as large. Partial pooling has the smallest
error, and complete pooling the largest: the groups differ, and it looks away.
""")


def fixed(frame: pd.DataFrame) -> Markdown:
    """Bias district by district, and whether it pays."""
    loss = frame["rmse pooled"] - frame["rmse raw"]
    worse, edge = int((loss > 0).sum()), frame.iloc[int(loss.to_numpy().argmax())]
    assert (frame["raw"] - frame["truth"]).abs().max() < 0.006
    assert np.corrcoef(frame["truth"], frame["pooled"] - frame["truth"])[0, 1] < -0.7
    assert 1 <= worse < 7
    return Markdown(f"""
District by district, partial pooling **is** biased, toward the centre, and it is worth it: error
is bias *and* scatter, and the scatter shrinks by more than the bias adds. In {worse} of the 14
districts it does not pay, most clearly where the true rate is {edge["truth"]:.2f} and n =
{edge["n"]:.0f}. The district that really is far from the others pays for the rest. If you must be
right about *that one* district, and know in advance that it is special, then a model that calls it
a draw like the others is the wrong model.
""")


def as_if(held: Array, lab: Recovery) -> Markdown:
    """Intervals with the true mu and sigma keep what they promise."""
    oracle = float(held.mean())
    value, error = _cell(lab, "Finland", _PARTIAL, "coverage")
    assert abs(oracle - 0.9) < 0.01
    return Markdown(f"""
With the true μ and σ the intervals hold the truth in {oracle:.1%} of cases: nothing is wrong with
their shape. With estimated ones it is {value:.2f} ± {error:.2f}. The "as if" did it, and the table
above showed how: when σ is by chance estimated too small, the districts look alike, every estimate
is pulled to the centre, and every interval is too short.

(Lecture 3 made the same experiment with five times as many draws. Its figures are not these to the
last digit: the Monte Carlo errors say how far two such runs may lie apart.) Adding a standard error
for σ does not go all the way: when σ is estimated as zero, a standard error at zero does not tell
how large it might be. The remedy is to average over all values of σ that the data allow.
""")


def complete_wins(rmse: pd.DataFrame) -> Markdown:
    """For which sigma and sizes complete pooling has the smaller error, and by how much."""
    wide = rmse.pivot(index=["panel", "sigma"], columns="estimator", values="rmse")
    ahead = wide[_PARTIAL] - wide[_COMPLETE]

    def lost(size: int) -> float:
        losing = ahead.loc[f"{size} respondents each"]
        return float(losing[losing > 0].index.max())

    most_lost, most_gained = ahead.max(), -ahead.min()
    assert ahead.loc[("5 respondents each", 0.0)] > 0
    assert ahead.loc[("100 respondents each", 0.4)] < 0
    assert most_lost < most_gained
    assert (wide[_PARTIAL] < wide[_NO]).all()
    return Markdown(f"""
Read it from the left. At σ = 0 complete pooling is right and partial pooling pays for having to
find that out. With 5 respondents each, complete pooling is still ahead at σ =
{lost(5):g}; with 25, at {lost(25):g}; with 100, at {lost(100):g}
(on this grid; where the lines nearly touch, 60 draws may not tell. Do not judge it by whether bars
overlap: each is of one line, and all three estimators met the same draws). Complete pooling wins
when districts differ **less than their noise lets you see**: when σ is small against
$1/\\sqrt{{n\\pi(1-\\pi)}}$, the standard error of one district's log-odds, and there are too few
districts to learn σ well.

Now compare the stakes. Where partial pooling loses to complete pooling, it loses at most
{most_lost:.3f}; where it wins, it wins up to {most_gained:.3f}. And against no pooling it wins
everywhere here; at the right edge of the right panel the two become one, because large districts
that differ a lot need nobody's help.
""")


def bell_curve(found: pd.DataFrame, by_place: pd.DataFrame) -> Markdown:
    """What a wrong shape of the districts' distribution harms, and what it does not."""
    rmse, extreme = found["rmse"], by_place["beyond 2 sd"]
    assert (rmse - rmse["normal"]).abs().max() < 0.01
    assert (found["coverage"] - 0.9).abs().max() < 0.035
    assert (rmse < found["rmse, no pooling"]).all()
    assert extreme["t"] < extreme["normal"] < 0.75
    return Markdown(f"""
Averages hardly notice. RMSE is {rmse["normal"]:.3f}, {rmse["t"]:.3f} and
{rmse["two clusters"]:.3f}, always well below no pooling; coverage over all districts
stays near 90 %. The gain from pooling does not hang on the bell curve: the weights need only a
centre and a spread.

What suffers is what averages hide.

- **The shape.** Estimates pulled toward one centre look like one hump (Figure 9). Never read the
  histogram of estimated effects as evidence that effects are normal: the model made it so.
- **The outliers.** The last table splits coverage by how far a district truly lies from μ. Even
  with normal effects, the few beyond two sd are covered in only {extreme["normal"]:.0%} of cases;
  with the *t* distribution, which has more of them and further out, in {extreme["t"]:.0%}. The
  promise of 90 % is kept **over districts like these**, not for each of them.
- **σ** with the *t* is {found["mean σ"]["t"]:.2f} on average where the true sd is 0.8: the fit
  describes the bulk and takes the rare extremes for noise.

If the districts you care about are the extreme ones, the shape matters. Lecture 12b comes back to
this with effects that may be heavy-tailed.
""")


def halves(scores: pd.DataFrame, splits: Sequence[int]) -> Markdown:
    """How well half of the answers predict the other half, by country and kind of pooling."""
    rmse = scores.groupby("country")[["no", "partial", "complete"]].mean() ** 0.5
    better = (scores["partial"] < scores["no"]).groupby(scores["country"]).mean()
    ahead = (scores["partial"] < scores["complete"]).groupby(scores["country"]).mean()
    finland, britain = rmse.loc["Finland"], rmse.loc["Britain"]
    assert (rmse["partial"] < rmse[["no", "complete"]].min(axis=1)).all()
    assert 0.4 < better["Finland"] < 0.75
    assert better["Britain"] > 0.95
    return Markdown(f"""
Over {len(splits)} splits the held-out rates of Finland's districts are missed by
{finland["no"]:.3f} without pooling, {finland["partial"]:.3f} with partial and
{finland["complete"]:.3f} with complete pooling; partial beats no pooling in
{better["Finland"]:.0%} of the splits. In Britain: {britain["no"]:.2f}, {britain["partial"]:.3f}
and {britain["complete"]:.3f}, better than no pooling in {better["Britain"]:.0%}, than complete
pooling in {ahead["Britain"]:.0%}.

The order is that of the made-up data, the distances are smaller, and they must be: the held-out
rate is not the truth but a noisy reading of it, and its noise is the same for all three. The noise
adds its own square to every error, and no estimate can get below it. Note also what a share of
splits is *not*: the splits cut the same people again and again, so {len(splits)} of them are not
{len(splits)} surveys. They say that in Britain the verdict does not hang on the cut, and that in
Finland, with half of the people, it partly does. How far it would hold in another survey they do
not say.
""")
