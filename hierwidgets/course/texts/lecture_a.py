"""What the appendix says of the page's numbers held against ours."""

from typing import Any

import pandas as pd
from IPython.display import Markdown

from hierwidgets.course import page
from hierwidgets.course.models import MODELS
from hierwidgets.course.page import fits, text, traps, values

_STAN = ["S84", "S85", "S86", "S88", "S89"]


def causes(table: pd.DataFrame) -> Markdown:
    """How many numbers agree, and for what causes the others do not."""
    counts = table["verdict"].value_counts()
    differ = table[table["verdict"] != "agrees"]
    reproducible = table[~table["item"].isin(_STAN)]
    off = int((reproducible["verdict"] != "agrees").sum())
    assert "unexplained" not in counts
    left_out = sum(len(page.numbers(item)) for item in page.items()) - len(table)
    more = f" ({left_out} more need the extra `bayes`, which is not installed.)" if left_out else ""
    listed = "\n".join(
        f"- **{cause}** ({counts.get(cause, 0)}): {page.CAUSES[cause]}." for cause in page.CAUSES
    )
    return Markdown(f"""
{len(table)} numbers.{more} {counts["agrees"]} agree, {len(differ)} do not, and each of these has
a cause on record. Leave out what came from Stan, and {off} of {len(reproducible)} are off. The
causes:

{listed}

A difference without one of these causes, or an agreement where a difference is on record, is an
error: the cell above would have stopped.
""")


def figure_1() -> str:
    """The caption of Figure 1."""
    return (
        "**Figure 1.** Every number of the page, item by item: how far ours lies from it, in units "
        "of the last digit printed; logarithmic beyond one unit. In the shaded band they agree. "
        "(Two grey dots outside belong to a number that is cut off in the output, 0.22…, and may "
        "go on.) Down to S82 nearly all agree; what Stan drew, from S85 on, is another matter."
    )


def rounded_twice() -> Markdown:
    """Three DICs of the page, ours rounded twice."""
    named = {"S28": "finland", "S67": "uk_competitiveness", "S82": "rainey2015"}
    dics = {item: fits.fitted(name).dic for item, name in named.items()}
    for item, dic in dics.items():
        assert str(round(round(dic, 1))) == page.number(item, "dic").text
    again = "; ".join(
        f"{dic:.2f} becomes {round(dic, 1):.1f} becomes {round(round(dic, 1))}"
        for dic in dics.values()
    )
    return Markdown(f"""
Three of the page's four DICs follow from ours by this rule: {again}. For two of them one rounding
would have done. The fourth, in S56, has another cause, and it is the next one.
""")


def at_the_edge(table: pd.DataFrame, early: pd.DataFrame) -> Markdown:
    """What comes out at R's stop, and the six numbers that do not."""
    rest = table[table["verdict"] == "at the edge"]
    gains = [fits.fitted(name).loglik - fits.stopped(name).loglik for name in MODELS]
    assert min(gains) >= 0
    assert early["explains"].all()
    assert set(rest["item"]) == {"S82"}
    assert set(rest["name"]) == {"std_error", "z", "p"}
    return Markdown(f"""
All {len(early)} come out, with every digit. And how much higher did R have to climb? Its
log-likelihood is short of the top by {max(gains):.1g} at most. Next to nothing; but a digit on
the edge of rounding needs no more.

### At the edge

{len(rest)} more numbers are off by a unit or two and do *not* come out at R's stop, so they have
a cause of their own. All are **standard errors** of the several-countries model, and the z and p
made of them. There the fit is singular (X32). A standard error is the curvature at the top, and
lme4 measures it by small differences around the point where it stopped, at the edge of what is
possible. Two runs of one and the same version of lme4 show what that is worth. The *patient* one
was told to search on until nothing moves (terms have R's names):
""")


def in_its_own_errors(printed: pd.DataFrame, converged: Any, table: pd.DataFrame) -> Markdown:
    """The page's means in units of their Monte Carlo errors, and its predictions."""
    error: Any = printed["std_error"] / printed["ess_bulk"] ** 0.5
    apart: Any = (printed["estimate"] - converged).abs()
    units = apart / error
    rounding = page.number("S85", "estimate", "Intercept").tolerance
    beyond = (apart - rounding).clip(lower=0) / error
    worst, large = units.idxmax(), error.idxmax()
    draws = table[table["item"].isin(["S85", "S88", "S89"]) & (table["verdict"] != "agrees")]
    shown = table[table["item"].isin(["S88", "S89"]) & (table["name"] == "estimate")]
    off: Any = (shown["ours"] - shown["page"].astype(float)).abs()
    asked = {"chains", "iter", "warmup", "thin", "draws"}
    settings = [one for one in page.numbers("S85") if one.name in asked]
    assert units.max() < 4
    assert off.max() < 0.01
    return Markdown(f"""
The largest is {units.max():.1f} errors, at `{worst}`. It is no more than rounding: that mean is
known so well that half a unit of its last printed digit makes {rounding / error[worst]:.1f}
errors. Take rounding off, and no mean is further away than {beyond.max():.1f} errors, which is
what luck allows.

So the means agree? Look at the errors themselves. For `{large}` one error is {error[large]:.2f}:
not even the first decimal of its mean is settled. This is why the page's run counts as *not
converged* as a whole (lecture 10 reads its last columns), and why all {len(draws)} numbers of it
that are off carry that cause. The R-hats and effective sizes among them describe a run, not the
posterior.

Predictions fare much better than parameters: those of S88 and S89 differ from ours by at most
{off.max():.3f}. What the chains could not tell apart, the slope of a country and its interaction,
adds up to the same probabilities.

{len(settings)} of the numbers of S85 are no results at all: chains, iterations, warmup, thinning
and draws repeat what the call asks for, and agree by arithmetic. And the one time the page
prints, {page.number("S84", "minutes").text} minutes, is that of its machine; ours needed
{values.ours("S84")["minutes"]:.1f} for its draws.
""")


def every_number(table: pd.DataFrame) -> Markdown:
    """Every number of the page beside ours, folded by item."""
    return Markdown(text.listed(table))


def every_trap() -> Markdown:
    """Every trap of the page, with the lecture that treats it."""
    return Markdown(traps.markdown())
