"""Lecture 02: the bet, rows and columns, two voices, pseudo-respondents, the total of errors."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array, expit
from hierwidgets.course import page

if TYPE_CHECKING:
    from hierwidgets.fit.fit import Fit

__all__ = [
    "bet", "curve", "exact_shares", "in_full", "kept_districts", "likelihood_peak",
    "movers", "page_note", "product", "rows_and_columns", "squared_errors", "worth",
]  # fmt: skip


def _rates(frame: pd.DataFrame) -> "pd.Series[float]":
    return frame.set_index("level")["estimate"]


def _of_309(frame: pd.DataFrame, *columns: str) -> list[float]:
    """Cells of the row of 309."""
    return [float(frame[column]["309"]) for column in columns]


def bet(counts: pd.DataFrame) -> Markdown:
    """What the survey says of 309, and nothing else."""
    rates = counts["y"] / counts["n"]
    assert rates.idxmax() == "309"
    assert counts["n"].idxmin() == "309"
    y, n = _of_309(counts, "y", "n")
    return Markdown(
        f"In 309, {y:.0f} of {n:.0f} people said that a party had contacted them: "
        f"{rates['309']:.3f}, the highest of {len(rates)} rates, from the smallest sample."
    )


def page_note(counts: pd.DataFrame) -> Markdown:
    """The page's rate of 309 against the data (S18)."""
    y, n = (int(value) for value in _of_309(counts, "y", "n"))
    printed = page.number("S18", "estimate", "309")
    impossible = not any(printed.agrees(k / n) for k in range(n + 1))
    assert impossible
    assert page.check("S18", estimate={"309": y / n})["verdict"].item() == "misprint"
    return Markdown(
        f"""
> *Page note.* The page speaks of a *turnout* rate of {printed.text} for 309, in a sentence that
> has lost a word. It is the contact rate, and it is {y}/{n} = {y / n:.3f};
> {"no" if impossible else "some"} number of people out of {n} gives {printed.text}.
"""
    )


def rows_and_columns(truth: Array, survey: Array) -> Markdown:
    """The share of truths below 10/23 given that estimate; the last column is 309's."""
    like_ours = np.isclose(survey[:, -1], 10 / 23)
    lower = (truth[like_ours, -1] < 10 / 23).mean()
    assert abs((survey - truth)[:, -1].mean()) < 0.002
    assert lower > 0.9
    return Markdown(
        f"""
In {100 * lower:.0f} % of them. Both of you are right, about different things.

- *Fix the truth and repeat the survey* (a row): the errors cancel. That is "unbiased".
- *Fix the estimate and ask for the truth* (a column): that is our situation, and the truth is
  {truth[like_ours, -1].mean():.2f} on average. Very high estimates come more often from middling
  districts with luck than from extreme ones without.
"""
    )


def curve(mu: float, sigma: float) -> Markdown:
    """The fitted curve in rates."""
    low, middle, high = (float(expit(mu + k * sigma)) for k in (-1, 0, 1))
    return Markdown(
        f"For Finland μ = {mu:.2f} and σ = {sigma:.2f}: a rate of {middle:.2f}, and one σ to "
        f"either side {low:.2f} and {high:.2f}. The dots spread wider: noise is added."
    )


def likelihood_peak(alpha: Array, likelihood: Array) -> Markdown:
    """Where the likelihood of 10 in 23 peaks, in log-odds and as a rate."""
    peak = float(alpha[likelihood.argmax()])
    assert abs(peak - np.log(10 / 13)) < 6e-4
    return Markdown(
        f"It peaks at α = {peak:.3f}, the logarithm of the odds 10 : 13, and that is a rate of "
        f"{float(expit(peak)):.3f}: maximum likelihood does not care on which scale you look for "
        "the maximum."
    )


def product(alpha: Array, prior: Array, likelihood: Array, partial: pd.DataFrame) -> Markdown:
    """Peak and width of prior times likelihood for 309, against the package's estimate."""
    posterior = prior * likelihood
    peak, package = float(alpha[posterior.argmax()]), _rates(partial)["309"]
    assert abs(expit(peak) - package) < 1e-4
    assert round(package, 3) == 0.268
    narrow, own, people = (_sd(alpha, curve) for curve in (posterior, prior, likelihood))
    assert narrow < own < people
    assert peak - alpha[prior.argmax()] < alpha[likelihood.argmax()] - peak
    return Markdown(
        f"""
Narrower (sd {narrow:.2f}) than even the prior ({own:.2f}): two voices know more than one. The peak,
α = {peak:.3f}, a rate of **{float(expit(peak)):.3f}** (`hw.partial_pooling(fit)`: {package:.3f}),
is nearer to the prior. The others speak more clearly about 309 than its own 23 people do.
"""
    )


def _sd(alpha: Array, curve: Array) -> float:
    """The sd of a curve over a grid, as if it were a density."""
    share = curve / curve.sum()
    return float(np.sqrt(share @ alpha**2 - (share @ alpha) ** 2))


def kept_districts(drawn: Array, kept: Array, alpha: Array, posterior: Array) -> Markdown:
    """Mean and sd of the districts kept, against those of prior times likelihood."""
    mean, sd = posterior @ alpha / posterior.sum(), _sd(alpha, posterior)
    assert abs(kept.mean() - mean) < 4 * sd / np.sqrt(len(kept))
    assert abs(kept.std() - sd) < 4 * sd / np.sqrt(2 * len(kept))
    return Markdown(
        f"""
Of {len(drawn):,} districts, {len(kept):,} are kept. Their α is {kept.mean():.3f} on average, with
an sd of {kept.std():.3f}. Prior times likelihood, computed without any drawing, has mean
{mean:.3f} and sd {sd:.3f}. Multiplying *is* keeping the districts that could have been ours.
"""
    )


def worth(fit: "Fit") -> Markdown:
    """Pseudo-respondents at the fitted sd, and at the ends of its 90 % interval."""
    centre = float(expit(fit.fixef["Intercept"]))
    least, most = fit.confint(0.9, progress=False).iloc[1][["conf_low", "conf_high"]]
    now, many, few = (1 / (s**2 * centre * (1 - centre)) for s in (fit.theta[0], least, most))
    assert round(now, 1) == 64.5
    return Markdown(
        f"""
About {now:.0f}: not more, because districts differ; not fewer, because they are similar. But σ, the
rate of exchange, is itself estimated: at the ends of what lecture 3 finds compatible with the data,
σ = {least:.2f} and σ = {most:.2f}, they are worth {many:.0f} or {few:.0f}.
"""
    )


def exact_shares(counts: pd.DataFrame, shares: pd.DataFrame, weights: pd.DataFrame) -> Markdown:
    """How the pencil's weights compare with the exact share of the way."""
    shortcut = (weights["pseudo-respondents"] - weights["exact"]).abs()
    three = ["309", "308", "310"]
    exact, peak = (shares[k][three] for k in ("exact share of the way", "π at the peak"))
    assert shortcut.max() < 0.006
    assert exact.round(2).tolist() == [0.33, 0.63, 0.71]
    assert abs(peak["309"] - 0.30) < 0.005
    off = (shares["exact share of the way"] - shares["pencil, π at the centre"]).abs()
    assert off.idxmax() == "312"
    rate, overall = weights["rate"]["309"], counts["y"].sum() / counts["n"].sum()
    gone = (rate - weights["exact"]["309"]) / (rate - overall)
    assert abs(gone - 0.73) < 0.005
    return Markdown(
        f"""
*Pseudo-respondents* taken at their word, that many people added to each district at the typical
rate, give {weights["pseudo-respondents"]["309"]:.3f} for 309; the exact peak is
{weights["exact"]["309"]:.3f}, and over all districts the shortcut misses by at most
{shortcut.max():.3f}.

The exact share needs no π. District 309, with {counts["n"]["309"]} people, keeps
{exact["309"]:.2f} of its distance from the centre, 308 keeps {exact["308"]:.2f}, 310 keeps
{exact["310"]:.2f}. For these three the pencil has the order right and the weights roughly. It is
worst, off by {off.max():.2f}, for {off.idxmax()}, which lies far out on the low side: there
π(1 - π) is smaller than at the centre, so each answer carries less than the pencil thinks. The
dial below shows the version with π at the peak ({peak["309"]:.2f} for 309).

One more number for the same move: after *Reveal* the game said that the model went {gone:.0%} of
the way, not {1 - exact["309"]:.0%}. It counts in rates, and to the overall rate in place of μ.
"""
    )


def movers(moves: pd.DataFrame) -> Markdown:
    """Who moves furthest, and why."""
    assert moves["rate moved"].abs().idxmax() == "309"
    assert moves["distance"].abs().idxmax() == "309"
    second, first = moves["rate moved"].abs().sort_values().iloc[-2:]
    assert second * 2 < first
    return Markdown(
        f"""
No. They give up about as large a share as 309, but of a smaller distance. 309 is both the
*smallest* district and the one *farthest from the centre*; the two multiply, and its rate moves by
{first:.2f}, more than twice as far as any other.
"""
    )


def squared_errors(table: pd.DataFrame, J: int, worst: float) -> Markdown:
    """Stein's total: smaller than that of the raw values, while a single one may lose (S30).

    `table` has a row for each distance of the truths; `worst` is the mean squared error of the
    value of a group far out among typical ones.
    """
    raw, stein = table["each by itself"], table["James and Stein"]
    assert (stein < raw).all()
    assert abs(raw - J).max() < 0.25
    assert abs(stein.iloc[0] - 2) < 0.1  # its expectation at 0, for every J of 3 or more
    assert worst > 1.5
    return Markdown(
        f"""
Each by itself, the total is about {J} wherever the truths lie. Shrunken, it is
{stein.iloc[0]:.1f} when all truths are 0 (in theory 2, for any number of groups from 3 on),
{stein.iloc[-1]:.1f} when they lie {table.index[-1]:g} away, and never above {J}. Nothing was
assumed about the truths, and no group knows anything about another.

The gain is in the **total**. Put one group at 4 and the others at 0: its own mean squared error is
{worst:.1f}, against 1 by itself. So a special district may lose by pooling while the fourteen
together win.
"""
    )


def in_full(no: pd.DataFrame, partial: pd.DataFrame, overall: float, n_0: float) -> Markdown:
    """The 309 problem in four points."""
    n, raw, low, high = _of_309(no.set_index("level"), "n", "estimate", "conf_low", "conf_high")
    new = _rates(partial)["309"]
    assert low < new < low + 0.01
    return Markdown(
        f"""
1. **The highest of many estimates is usually too high**, all the more if it comes from the
   smallest sample. 309 is both.
2. **That the estimator is unbiased does not help.** It is a statement about many surveys of one
   district. We have one survey and want to know about the district.
3. **The information to move it comes from the other districts**, through one assumption: they are
   different, but similar. Written down, it is a normal curve, and for each district this curve is
   a prior.
4. **How far it moves is for σ to say, and the data estimate σ.** With its {n:.0f} people against
   {n_0:.0f} pseudo-respondents, 309 gives up two thirds of its distance: from {raw:.3f} it
   goes to {new:.3f}, while the overall rate is {overall:.3f}. Nobody chose that number; but
   fourteen districts tell σ only roughly, and lecture 3 shows how far the answer moves with it.

The new estimate is no scandal to the old one. The 90 % interval of the raw rate was
{low:.3f} to {high:.3f}, and {new:.3f} lies just inside, at its lower end: the {n:.0f} answers
allow it, and the other thirteen districts recommend it.
"""
    )
