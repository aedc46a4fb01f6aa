"""Lecture 01: shares, likelihood, standard errors, intervals, their promise, sorted luck."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array
from hierwidgets.course import page

if TYPE_CHECKING:
    from hierwidgets.fit.fit import Fit

__all__ = [
    "bend", "coverage", "few_people", "figure_6", "likelihood", "misses", "multiplier", "order",
    "page_table", "share", "staircase", "taste", "widths",
]  # fmt: skip


def share(finland: pd.DataFrame) -> Markdown:
    """How many answered, and how many of a hundred were contacted (S7)."""
    page.check("S7", rows=finland.shape[0], columns=finland.shape[1])
    contacted = (finland["contacted"] == "Contacted").mean()
    districts = finland["district_id"].nunique()
    return Markdown(
        f"{len(finland):,} people answered, in {districts} districts; we are not told which place "
        f"a number stands for. {100 * contacted:.1f} of a hundred were contacted. How far off was "
        "your guess?"
    )


def order(tidy: pd.DataFrame) -> Markdown:
    """The first and the last district in the order of rates, and the page's answers (S9)."""
    held = page.check("S9", rows=len(tidy), columns=tidy.shape[1], contacted=tidy["contacted"])
    rates = tidy.groupby("district_id", observed=True)["contacted"].mean()
    first, last = rates.index[0], rates.index[-1]
    return Markdown(
        f"District {first} comes first, with the lowest rate ({rates[first]:.3f}); {last} comes "
        f"last, with the highest ({rates[last]:.3f}). (The page shows the first {len(held) - 2} "
        "answers; they are the same.)"
    )


def likelihood(y: Array, grid: Array, log_likelihood: Array) -> Markdown:
    """The top of the likelihood on the grid, against the sample proportion."""
    best = float(grid[log_likelihood.argmax()])
    at_fifth = np.exp(log_likelihood[np.abs(grid - 0.2).argmin()] - log_likelihood.max())
    assert abs(best - y.mean()) <= 0.5001 * (grid[1] - grid[0])
    return Markdown(
        f"It peaks at {best:.3f}, and {int(y.sum())}/{len(y)} = {y.mean():.4f}: they differ by no "
        f"more than the grid is coarse. At 0.2 it is down to {at_fifth:.0%} of the peak."
    )


def page_table(by_hand: pd.DataFrame, estimates: pd.DataFrame) -> Markdown:
    """The table by hand against the package's and the page's (S14)."""
    agree = np.allclose(estimates[["n", "estimate", "std_error"]], by_hand)
    assert agree
    held = page.check(
        "S14",
        rows=len(by_hand),
        columns=by_hand.reset_index().shape[1],
        estimate=by_hand["estimate"],
        n=by_hand["n"],
        std_error=by_hand["std_error"],
    )
    assert (held["verdict"] == "agrees").all()
    claim, n = page.number("S18", "estimate", "309"), int(by_hand["n"]["309"])
    rate = float(by_hand["estimate"]["309"])
    assert not claim.agrees(rate)
    return Markdown(
        f"""
In every row, size, estimate and standard error agree with the table made by hand.

> *Page note.* The page prints {len(held)} numbers of this table, and all of them agree with ours to
> the last digit shown. It breaks off before the rate of 309, for which it later says {claim.text};
> the data say {round(rate * n)}/{n} = {rate:.3f}, and no share of {n} people is {claim.text}. Older
> notes on these data print other numbers in places; we compute everything from one file.
"""
    )


def bend(log_likelihood: Array, grid: Array, by_hand: pd.DataFrame) -> Markdown:
    """The standard error of 309 from the bend of its log-likelihood, and from the formula."""
    bends = np.gradient(np.gradient(log_likelihood, grid), grid)
    from_the_bend = 1 / np.sqrt(-bends[log_likelihood.argmax()])
    from_the_formula = float(by_hand["std_error"]["309"])
    assert abs(from_the_bend - from_the_formula) < 1e-3
    return Markdown(
        f"From the bend of the log-likelihood: {from_the_bend:.4f}. From the formula: "
        f"{from_the_formula:.4f}. This is how software finds standard errors for models that have "
        "no formula."
    )


def multiplier(z: float, z95: float) -> Markdown:
    """Where 1.64 comes from, and the page's number (S15, X8)."""
    printed = page.number("S15", "multiplier")
    page.check("S15", multiplier=z)
    return Markdown(
        f"""
That point is z = {z:.4f}, or {z:.2f} for short (in R, `qnorm(0.95)`). The more common 95 % interval
leaves out 2.5 % on each side and uses {z95:.2f}.

> *Page note.* The page multiplies by {printed.text} and does not say why. It is this number, cut
> off after two digits: its intervals are **90 %** intervals, and so are all intervals in these
> lectures unless they say otherwise. The package uses {z:.4f}; on this scale the difference cannot
> be seen.
"""
    )


def misses(estimates: pd.DataFrame) -> Markdown:
    """How many of the intervals should miss."""
    return Markdown(
        f"One or two: on average {0.1 * len(estimates):.1f} of {len(estimates)}. Ninety percent is "
        "a promise about the *method*; it is silent on which intervals are the unlucky ones."
    )


def widths(estimates: pd.DataFrame, british: int) -> Markdown:
    """The longest and the shortest interval, and what their lengths depend on (S16, X10)."""
    frame = estimates.set_index("level")
    width, size = frame["conf_high"] - frame["conf_low"], frame["n"]
    longest, shortest = str(width.idxmax()), str(width.idxmin())
    more = size[shortest] / size[longest]
    assert (longest, shortest) == ("309", "310")
    assert size["307"] > size["311"]
    assert width["307"] > width["311"]
    return Markdown(
        f"""
District {longest} has {size[longest]} respondents and an interval {width[longest]:.3f} wide.
District {shortest} has {size[shortest]}, and {width[shortest]:.3f}. With {more:.1f} times as many
people the interval is {width[longest] / width[shortest]:.1f} times narrower; if only n mattered it
would be √{more:.1f} = {np.sqrt(more):.1f} times. The rest comes from π(1 - π), which is largest at
one half: compare 307 (n = {size["307"]}, width {width["307"]:.3f}) with 311 (n = {size["311"]},
width {width["311"]:.3f}). More people, and yet the wider interval.

> *Page note.* Labels above bars work for {len(frame)} districts. With the {british} British
> districts of a later lecture they would be an unreadable smear; there we sort, sample and
> summarise instead.
"""
    )


def few_people(long: pd.DataFrame) -> Markdown:
    """Four intervals for nobody of four; `long` by level and method."""
    none = long.loc["none of 4"]
    low, high = (float(none[end]["wilson"]) for end in ("conf_low", "conf_high"))
    return Markdown(
        f"""
For 309 the four agree within a few hundredths. For 0 of 4 the Wald interval is a point, while
Wilson reaches from {low:.0f} to {high:.2f}: with four people asked, that is an honest answer.

Go back to [the strip](#Take-it-apart) and switch its *Method* from Wald to Wilson, with your eye on
315: bars move toward one half, and those of small districts and low rates most.
"""
    )


def figure_6(truth: Array, wald: Array, wilson: Array) -> str:
    """The caption of Figure 6: which interval keeps its promise."""
    assert np.mean(wald < 0.9) > 0.5
    assert max(wald[0], wald[-1]) < 0.3
    assert np.mean(wilson < 0.85) < 0.1
    assert 0 < truth[0] < truth[-1] < 1
    return (
        "**Figure 6.** What 90 % intervals from 23 people deliver. The Wald interval (solid) stays "
        "below its promise for most values of π and collapses toward both ends; Wilson (dashed) "
        "swings around it, seldom far below."
    )


def coverage(truth: Array, wald: Array, wilson: Array) -> Markdown:
    """How often two intervals from 23 people contain the truth, by the truth."""

    def at(values: Array, pi: float) -> float:
        return float(values[np.abs(truth - pi).argmin()])

    inner = (truth >= 0.1) & (truth <= 0.9)
    lowest = float(wilson[inner].min())
    assert wald.mean() < 0.9 < wilson.mean()
    return Markdown(
        f"""
At a true rate of 0.05 the Wald interval contains it with probability {at(wald, 0.05):.2f}, the
Wilson interval with {at(wilson, 0.05):.2f}; at 0.03 the figures are {at(wald, 0.03):.2f} and
{at(wilson, 0.03):.2f}. Averaged over all π they are {wald.mean():.2f} and {wilson.mean():.2f}.
Wilson keeps the promise on average and not at every rate: its lowest point between 0.1 and 0.9 is
{lowest:.2f}, at a rate of {truth[inner][wilson[inner].argmin()]:.2f}. The saw-teeth come from
counting: y moves in whole people, so neither curve can be flat.
"""
    )


def staircase(estimates: pd.DataFrame, pretend: Array) -> Markdown:
    """Sorted luck against the real range of estimates, and who is highest by luck (S17, X2)."""
    n, real = estimates["n"].to_numpy(), estimates["estimate"].to_numpy()
    gap, width = pretend.max(axis=1) - pretend.min(axis=1), real.max() - real.min()
    smallest = n <= np.sort(n)[3]
    lucky = smallest[pretend.argmax(axis=1)].mean()
    assert (gap < width).mean() > 0.98
    assert lucky > 2 * n[smallest].sum() / n.sum()
    return Markdown(
        f"""
By {gap.mean():.2f} on average. Ours is {width:.2f}, wider than in {np.sum(gap < width):,} of
{len(gap):,} pretended surveys. So luck alone hardly makes a staircase as steep, **and** yet a good
part of it is noise.

And the noise has a habit. In {100 * lucky:.0f} % of the pretended surveys the *highest* estimate
belongs to one of the four smallest districts, which hold only
{100 * n[smallest].sum() / n.sum():.0f} % of the people. Small samples go to extremes.
"""
    )


def taste(fit: "Fit", frames: Mapping[str, pd.DataFrame]) -> Markdown:
    """Who moves furthest, and how far the largest district goes."""
    old, new = (frame.set_index("level") for frame in frames.values())
    moved = str((new["estimate"] - old["estimate"]).abs().idxmax())
    before, after = float(old["estimate"]["310"]), float(new["estimate"]["310"])
    centre = fit.fixef["Intercept"]
    logit = [np.log(rate / (1 - rate)) - centre for rate in (before, after)]
    given_up = 1 - logit[1] / logit[0]
    assert moved == "309"
    assert 0.25 < given_up < 0.33
    return Markdown(
        f"""
District {moved} moves furthest, as in the story of lecture 0. District 310, with
{old["n"]["310"]} respondents, goes from {before:.3f} to {after:.3f}. That is not far, but it had
not far to go: it gives up {given_up:.0%} of its distance from the centre, in log-odds. How far a
district moves depends on how much its own answers weigh *and* on how far out it lies.
"""
    )
