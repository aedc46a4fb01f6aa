"""Lecture 00: the story of district 309, a country made up, a person looked up, the data."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from IPython.display import Markdown

from hierwidgets.base.arrays import Array
from hierwidgets.data.datasets import codebook

__all__ = [
    "dictionary",
    "made_up",
    "no_election",
    "person",
    "reveal",
    "sizes",
    "sizes_caption",
    "story",
]


def story(no: pd.DataFrame) -> Markdown:
    """What the survey says of 309 and of the country, before the bet."""
    frame = no.set_index("level")
    rate, n = frame["estimate"], frame["n"]
    second = rate.drop("309").max()
    assert rate.idxmax() == "309"
    assert n.idxmin() == "309"
    yes = int((rate * n).round().sum())
    return Markdown(
        f"**{round(rate['309'] * n['309'])} of its {n['309']} people** said yes: "
        f"{100 * rate['309']:.0f} %. In the whole country it is {100 * yes / n.sum():.0f} %, and "
        f"in the next district {100 * second:.0f} %."
    )


def reveal(frames: Mapping[str, pd.DataFrame]) -> Markdown:
    """What three kinds of pooling say of 309, and why."""
    raw, model, all_alike = (
        float(frame.set_index("level")["estimate"]["309"]) for frame in frames.values()
    )
    assert all_alike < model < raw
    return Markdown(
        f"""
Most people bet below the survey's number. So does the model: **{model:.3f}**, not {raw:.3f}, the
share of the 23, and not {all_alike:.3f}, that of all Finland. Three reasons: the highest of many
estimates is usually too high; this one comes from the smallest sample; and thirteen others say what
a Finnish district is like. We cannot ask everybody in 309. But we can make up countries whose truth
we know, and see which bets come closer (lecture 5).
"""
    )


def made_up(y: Array, pi: Array, district: Array) -> Markdown:
    """True rates of a made-up country, and what a survey would report of them."""
    seen = pd.Series(y).groupby(district).mean()
    assert seen.max() - seen.min() > pi.max() - pi.min()
    return Markdown(
        f"""
The first person of this made-up country says {"yes" if y[0] else "no"}; so do
{(y == y[0]).mean():.0%} of all {len(y)}. The true rates of its districts run from {pi.min():.2f} to
{pi.max():.2f}, and what a survey would report of them from {seen.min():.2f} to {seen.max():.2f}:
further apart, because luck is added to the differences that are real. To tell the two from one
another is what the model is for.
"""
    )


def person(
    i: int, everyone: pd.DataFrame, j: Array, k: Array, districts: "pd.Index[str]"
) -> Markdown:
    """Person i looked up by j[i], against the row of the table."""
    row, contacted = everyone.iloc[i], everyone["contacted"].eq("Contacted")
    assert row["district_id"] == districts[j[i]]
    rates = contacted.groupby(j).mean().to_numpy()
    return Markdown(
        f"""
Person {i:,} (counted from 0, as Python does) lives in {districts[j[i]]}, as the row above
says. There are {len(j):,} entries in `j`, one per person, and {len(k)} in `k`, one per
district. With the raw rates of the districts in an array `pi`, the rate that the model gives person
{i:,} is `pi[j[{i}]]` = {rates[j[i]]:.2f}; and `pi[j]`, all at once, is {len(rates[j]):,} numbers
long.
"""
    )


def dictionary(frames: Mapping[str, pd.DataFrame]) -> Markdown:
    """A table of columns for each data set, counted from the data (X41)."""
    parts = []
    for name, frame in frames.items():
        district = "District.Country" if "District.Country" in frame else "district_id"
        table = codebook(name)
        table["column"] = "`" + table["column"] + "`"
        rows = ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
        head = "| column | meaning | distinct | values |\n|---|---|---:|---|"
        size = f"{len(frame):,} persons in {frame[district].nunique()} districts"
        parts.append("\n".join([f"**`{name}`**: {size}\n", head, *rows]))
    return Markdown(
        "\n\n".join(parts)
        + f"""

The first two are parts of the third, one election each; the fourth has the same
{len(frames["rainey2015"]):,} persons in the same order, and what else they were asked. Districts
are anonymous: nobody tells us which real place a number stands for. No value is missing.
"""
    )


def no_election(frames: Mapping[str, pd.DataFrame]) -> Markdown:
    """A column that the help pages list and the files do not have (X41)."""
    columns = {name: list(frames[name].columns) for name in ("finland", "uk")}
    assert all("district_id" in c and "election_id" not in c for c in columns.values())
    named = (f"`{name}` has {', '.join(f'`{c}`' for c in cs)}" for name, cs in columns.items())
    return Markdown(
        f"""
> *Page note.* The help pages of *crdata* list a column `election_id` for the Finnish and the
> British data. There is none: {"; ".join(named)}. When a description and a file disagree, believe
> the file, and look at it first.
"""
    )


def sizes_caption(by_election: Mapping[str, "pd.Series[int]"]) -> str:
    """The caption of the figure of sizes, with the answer to its bet."""
    for name in ("Canada", "Great Britain"):
        (people,) = (n for election, n in by_election.items() if election.startswith(name))
        assert len(people) > 50
        assert people.between(1, 4).mean() > 0.5
    return (
        "**Figure 7.** Every circle is a district, placed by how many people were asked in it (on "
        "this scale equal steps multiply). Bars mark the middle district. Where districts elect "
        "one member, in Canada and Great Britain, there are many and in most of them one to four "
        "people were asked."
    )


def sizes(by_election: Mapping[str, "pd.Series[int]"]) -> Markdown:
    """Respondents in the middle district of Finland and of Britain, and British ones alone."""
    middle = {name: float(np.median(n)) for name, n in by_election.items()}
    alone = int((by_election["Great Britain"] == 1).sum())
    return Markdown(
        f"""
{middle["Finland"]:g} in the middle Finnish district, {middle["Great Britain"]:g} in the middle
British one. In {alone} British districts a single person was asked. What would you say about the
contact rate of such a district? That no survey can tell, or that it is either 0 or 1? A
hierarchical model has a better answer; lecture 6 is about such districts.
"""
    )
