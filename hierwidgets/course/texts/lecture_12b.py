"""What lecture 12b says of the numbers it computes: calibration, and the shape of effects."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

if TYPE_CHECKING:
    from hierwidgets.recovery import Calibration

WORDS = {
    "Intercept": "intercept",
    "district_competitiveness": "competitiveness",
    "electoral_rules[T.SMD]": "SMD",
    "district_competitiveness:electoral_rules[T.SMD]": "competitiveness × SMD",
    "sd Intercept | district_id": "sd districts",
    "sd Intercept | election_id": "sd elections: height",
    "sd district_competitiveness | election_id": "sd elections: slope",
    "corr Intercept, district_competitiveness | election_id": "corr elections",
}
"""Of the parameters of both models, as lecture 10 has them."""


def figure_1(shares: pd.DataFrame) -> str:
    """The caption of Figure 1: which histograms are level."""
    low = np.mean(shares["mu alone"] < 0.1)
    assert low > 0.15
    return (
        f"**Figure 1.** Where the truth lies in its posterior, {len(shares)} times. Grey: what "
        "chance allows a bar, 95 times in a hundred. The right model is level, but for chance. The "
        "one that takes districts for alike is not: the truth lies far too often in its lower tail."
    )


def kept(shares: pd.DataFrame) -> Markdown:
    """How often 90 % intervals hold the truth, under the right model and the wrong one."""
    inside: Any = ((shares > 0.05) & (shares < 0.95)).mean()
    below, above = np.mean(shares["mu alone"] < 0.05), np.mean(shares["mu alone"] > 0.95)
    assert (abs(inside[["mu", "sigma"]] - 0.9) < 0.05).all()
    assert inside["mu alone"] < 0.85
    assert below > 2 * above
    return Markdown(f"""
The 90 % intervals of the right model hold the truth in {100 * inside["mu"]:.0f} % of the surveys
(μ) and {100 * inside["sigma"]:.0f} % (σ). Those that take all districts for alike hold μ in
{100 * inside["mu alone"]:.0f} %. They fail twice over. They are too narrow: that is the design
effect of lecture 12. And they are off target: the truth is below them in {100 * below:.0f} % of
the surveys and above in {100 * above:.0f} %, since the overall rate they rest on is the *average*
over districts and not the typical one (lecture 11).
""")


def figure_2(calibrated: "Calibration") -> str:
    """The caption of Figure 2: all paths inside."""
    assert calibrated.check().ok
    return (
        f"**Figure 2.** {len(calibrated.ranks)} surveys of Finland's districts, sampled in this "
        "notebook: the share of ranks up to each point, less what it should be. Grey: where all "
        "three paths stay together, 95 times in a hundred, if the draws are right. They do. The "
        "third quantity is the log-likelihood of the survey itself."
    )


def page_model(found: "Calibration") -> Markdown:
    """What the stored calibration of the several-countries model says."""
    table: Any = found.summary()
    worst = table["p"].idxmin()
    p = table.loc[worst, "p"]
    worth = found.runs["effective"]
    few = worth[worth < found.kept]
    assert len(few) == 1
    assert table["inside"].all()
    return Markdown(f"""
{len(found.ranks)} surveys, {len(table)} quantities, and no path outside. The most uneven is that
of *{WORDS.get(worst, worst)}*; a path like it comes by chance with a probability of {p:.2f},
and it is the worst of {len(table)}. (In one survey the draws were worth {few.iloc[0]:.0f}, fewer
than the {found.kept} that each truth is ranked among; in all others they were worth more.)
That is no proof that the sampler is right; it is one way of
being wrong that has been looked for and not found. And mind what was examined: the *method*, in a
world that obeys the model. Whether Finland obeys it is another question.
""")


def shapes(robust: pd.DataFrame, districts: int, british: pd.DataFrame) -> Markdown:
    """What the shape of the districts' distribution does to 309 and to the log-likelihood."""
    found: Any = robust
    loglik, rate = found["log-likelihood"], found["rate of 309"]["Finland"]
    drop = {c: np.ptp(loglik[c].to_numpy(float)) for c in ("Finland", "Great Britain")}
    assert drop["Finland"] < 0.5
    assert drop["Great Britain"] < 1
    assert rate["normal"] < rate["t, 2 degrees"]
    return Markdown(f"""
309 goes from {rate["normal"]:.3f} to {rate["t, 2 degrees"]:.3f}: pulled less, as it should be.
And which shape is right? The log-likelihoods differ by {drop["Finland"]:.1f} in Finland and by
{drop["Great Britain"]:.1f} in Britain at most. So small a difference is no evidence. {districts}
districts, or {len(british)} with {british["size"].mean():.0f} people each, **cannot show the
shape of a distribution they only glimpse**. So it is an assumption. It moves single estimates by
a point or two, and the average hardly at all; report it if a decision hangs on 309.
""")
