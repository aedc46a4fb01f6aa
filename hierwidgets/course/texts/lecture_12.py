"""What lecture 12 says of the numbers it computes: which pooling, and how much."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

import hierwidgets as hw

if TYPE_CHECKING:
    from hierwidgets.fit.fit import Fit
    from hierwidgets.posterior.loo import Loo
    from hierwidgets.validation.result import CrossValidation

COIN = np.log(0.5)


def _gap(
    rows: "CrossValidation", better: str, other: str, district: Any = None
) -> tuple[float, float]:
    """Mean difference of two models' scores and its standard error, over districts or rows."""
    gap = rows.scores[better] - rows.scores[other]
    off = gap - gap.mean()
    units = off if district is None else off.groupby(np.asarray(district)).sum()
    return float(gap.mean()), float(np.sqrt((units**2).sum()) / len(gap))


# --- core ---------------------------------------------------------------------------------


def figure_1(rows: "CrossValidation") -> str:
    """The caption of Figure 1: the order, and who is clearly behind."""
    best = "partial pooling, x"
    assert list(rows.table.index) == [best, "partial pooling", "complete pooling", "no pooling"]
    z: Any = (rows.table["difference"] / rows.table["std_error_difference"]).abs()
    assert z["partial pooling"] < 2 < z["complete pooling"] < z["no pooling"]
    return (
        "**Figure 1.** Britain; x is competitiveness. The mean difference to the best model, with "
        "two standard errors to either side; grey: within each fold. No pooling is last, complete "
        "pooling behind; partial pooling without x holds zero."
    )


def partial_or_complete(rows: "CrossValidation", district: Any) -> Markdown:
    """What the gain of partial on complete pooling is worth, by either error."""
    gain, alone = _gap(rows, "partial pooling", "complete pooling")
    _, together = _gap(rows, "partial pooling", "complete pooling", district)
    none = _gap(rows, "partial pooling", "no pooling", district)
    assert gain > 2 * alone
    assert gain < 1.7 * together
    assert none[0] > 3 * none[1]
    return Markdown(f"""
Partial pooling gains {gain:.3f} an answer. Taking {len(rows.scores)} answers as independent, the
error is {alone:.4f}, the gain {gain / alone:.1f} errors: "significant". By district it is
{together:.4f}, the gain {gain / together:.1f}. **These data cannot tell.** (Against no pooling:
{none[0] / none[1]:.1f} errors, clear.)
""")


def new_districts(hidden: "CrossValidation") -> Markdown:
    """What helps where whole districts were hidden."""
    t: Any = hidden.table
    assert abs(t.loc["no pooling", "log_score"] - COIN) < 1e-9
    plain = t.loc["partial pooling", "log_score"] - t.loc["complete pooling", "log_score"]
    line = t.loc["partial pooling, x", "log_score"] - t.loc["x alone", "log_score"]
    ratio = (
        -t.loc["partial pooling", "difference"] / t.loc["partial pooling", "std_error_difference"]
    )
    assert max(abs(plain), abs(line)) < 0.003
    assert 1.9 < ratio < 2.2
    return Markdown(f"""
Nothing: it knows what complete pooling knows (they differ by {abs(plain):.4f}); no pooling tosses
the coin. Competitiveness probably helps, by {ratio:.1f} errors, and with it pooling adds
{abs(line):.4f}. Pooling pays for districts that have **some** answers.
""")


def silence(rows: "CrossValidation", hidden: "CrossValidation", district: Any) -> Markdown:
    """The list of what the data of this course say, and where they cannot."""
    partial, x = "partial pooling", "partial pooling, x"
    none, complete, known = (
        mean / error
        for mean, error in (
            _gap(rows, partial, "no pooling", district),
            _gap(rows, partial, "complete pooling", district),
            _gap(rows, x, partial, district),
        )
    )
    new: Any = hidden.table.loc[partial]
    assert none > 3 > 2 > known > complete
    unseen = -new["difference"] / new["std_error_difference"]
    no = "**cannot tell**"
    helps = f"for new districts, probably ({unseen:.1f}); for known ones {no} ({known:.1f})"
    rules = f"under SMD, yes; under PR {no} (lecture 11)"
    return Markdown(f"""
| question | Finland | Britain | five elections |
|---|---|---|---|
| Partial pooling nearer to truths than none? | yes (lecture 5) | yes, by far (lecture 5) | – |
| … better for predicting answers? | {no} | yes ({none:.1f} errors) | – |
| … better than complete pooling? | {no} | {no} ({complete:.1f}) | – |
| How much to pool? | a wide range does | about as estimated | **prior decides** (lecture 10) |
| Does competitiveness help? | none to try | {helps} | {rules} |
| Are the effects normal? (12b) | {no} | {no} | {no} |
| Do slopes vary between elections? | – | – | {no} (lecture 9) |

Half of it is open. Where the data are silent, an assumption speaks. Say which.
""")


# --- optional -----------------------------------------------------------------------------


def five_divisions(five: pd.DataFrame) -> Markdown:
    """What the scores of five divisions are worth, against a coin."""
    reference = {
        "no pooling": -0.673, "complete pooling": -0.628, "partial pooling": -0.615,
        "partial pooling, x": -0.608,
    }  # fmt: skip
    mean: Any = five["mean"]
    assert all(abs(mean[name] - value) < 0.0025 for name, value in reference.items())
    gain = mean["partial pooling"] - mean["complete pooling"]
    return Markdown(f"""
The order stays. No pooling is hardly above the coin at {COIN:.3f}. All differences look tiny:
partial gains {gain:.3f} on complete. That is the nature of yes and no. Nobody can predict a
single answer well, and knowing the overall rate was worth {mean["complete pooling"] - COIN:.3f}
over the coin.
""")


def figure_2(found: "CrossValidation") -> str:
    """The caption of Figure 2: three models that overlap."""
    behind = found.table.iloc[1:]
    assert (behind["difference"].abs() < 2 * behind["std_error_difference"]).all()
    return (
        "**Figure 2.** Finland. Both intervals hold zero, and in some folds either rival beats "
        "partial pooling. Mind the horizontal scale: it is a fraction of that of Figure 1."
    )


def finland(five: pd.DataFrame, data: pd.DataFrame) -> Markdown:
    """That the three poolings cannot be told apart in Finland, and what that does not mean."""
    reference = {"no pooling": -0.510, "complete pooling": -0.511, "partial pooling": -0.509}
    mean: Any = five["mean"]
    assert all(abs(mean[name] - value) < 0.0015 for name, value in reference.items())
    people = len(data) / data["district_id"].nunique()
    return Markdown(f"""
Between the best and the worst lie {mean.max() - mean.min():.4f}. **These data cannot tell the
three apart**, and no further digit would help. Does pooling not matter in Finland, then?
*Predicting single answers* is a blunt instrument: with {people:.0f} people per district all three
estimates are decent, and the noise of a yes or no drowns their differences. For the question of
lecture 5, how close the fourteen estimates come to the fourteen truths, partial pooling won by a
wide margin. Choose the examination by the question; and where it has no answer, say so.
""")


def flat(curve: pd.DataFrame) -> "pd.Index[float]":
    """The values of sigma whose score is within a thousandth of the best."""
    score: Any = curve.set_index("sigma")["log_score"]
    return pd.Index(score[score > score.max() - 0.001].index)


def figure_4(curves: Mapping[str, tuple[pd.DataFrame, float]]) -> str:
    """The caption of Figure 4: a peak, and a plain."""
    fall = {k: np.ptp(frame["log_score"].to_numpy(float)) for k, (frame, _) in curves.items()}
    assert fall["Great Britain"] > 1.5 * fall["Finland"]
    return (
        "**Figure 4.** Above: the log score of hidden respondents if σ is set by hand, less the "
        "best of its country. Below: the same for the log-likelihood of all of them. Dashed: the "
        "maximum likelihood estimate. Britain has a peak, in both rows at nearly the same σ. In "
        "Finland the upper curve is all but flat: for prediction it hardly matters what σ is."
    )


def best_sigma(curves: Mapping[str, tuple[pd.DataFrame, float]]) -> Markdown:
    """Where hidden answers are predicted best, beside maximum likelihood."""
    frames: dict[str, Any] = {name: frame for name, (frame, _) in curves.items()}
    best = {k: frame.loc[frame["log_score"].idxmax(), "sigma"] for k, frame in frames.items()}
    britain, near = curves["Great Britain"][1], flat(curves["Finland"][0])
    assert 0.5 <= best["Great Britain"] <= 1.0
    assert near.max() > 3 * near.min()
    return Markdown(f"""
Britain: hidden answers are predicted best near σ = {best["Great Britain"]:g}, and maximum
likelihood says {britain:.2f}. They need not agree so well, but it is no accident either: the
marginal likelihood of lecture 3b is itself a kind of prediction, of each district before it is
seen.

Finland: from σ = {near.min():g} to σ = {near.max():g} the score moves by less than a thousandth.
Whoever pools a bit more or less than the estimate loses nothing that could be measured.
""")


def two_ends(fit: "Fit", curve: pd.DataFrame, answers: int) -> Markdown:
    """How far 309 moves over the values of sigma that predict equally well."""
    near = flat(curve)
    ends: list[Any] = [
        hw.widgets.pooling_frame(fit, sigma).set_index("level").loc["District 309", "estimate"]
        for sigma in (near.min(), near.max())
    ]
    low, high = ends
    assert high - low > 0.1
    return Markdown(f"""
From {low:.3f} to {high:.3f}: {100 * (high - low):.0f} points. So the choice matters, to 309. Yet
it leaves no trace in the score, for only 23 answers in {answers:,} come from there. An
examination of single answers is mostly an examination of the large districts.
""")


def without_refitting(loos: "Mapping[str, Loo]", by_answer: "Loo") -> Markdown:
    """What leave-one-district-out says, and whether its weights can be trusted."""
    partial, line = loos["partial pooling"], loos["partial pooling, x"]
    gap = line.difference(partial)
    largest = max(one.pointwise["pareto_k"].max() for one in loos.values())
    single = by_answer.pointwise["pareto_k"].max()
    z = gap["elpd"] / gap["std_error"]
    assert largest < single < 0.7
    assert 1.5 < z < 2.3
    return Markdown(f"""
Over {len(line.pointwise)} districts the predictor gains {gap["elpd"]:.0f} with an error of
{gap["std_error"]:.1f}: {z:.1f} errors, the verdict of the ten folds, for two runs of the sampler.
Units are districts, so the error is honest as it stands. No k̂ is above
{np.ceil(10 * largest) / 10:.1f}; with single answers left out the largest is {single:.1f}, since
an answer that is alone in its district moves its effect a lot.
""")


def alike(
    latent: Mapping[str, float], answers: float, drawn: float, pairs: int, laplace: float
) -> Markdown:
    """Two intraclass correlations, and the one that pairs drawn from the fit have."""
    error = 1 / np.sqrt(pairs)
    assert abs(latent["Finland"] - 0.028) < 0.001
    assert abs(laplace - 0.134) < 0.001
    assert abs(latent["Great Britain"] - 0.164) < 0.001
    assert abs(drawn - answers) < 3 * error
    return Markdown(f"""
In Finland {latent["Finland"]:.3f} on the latent scale: of what moves a person toward contact,
three percent is the district. On the scale of answers it is about half of that, since a yes or no
hides most of the inclination behind it; the drawn pairs give {drawn:.4f}, and chance moves that
by {error:.4f} or so. In Britain the latent ICC is {latent["Great Britain"]:.3f} (and
{laplace:.3f} by the Laplace approximation, which understates σ where districts are tiny: lecture
6). When you read an ICC, ask which one it is.
""")


def cost(effect: pd.DataFrame, sizes: "pd.Series[int]", icc: float) -> Markdown:
    """The design effect of the fit beside that of the rule of thumb."""
    size = (sizes**2).sum() / sizes.sum()
    kish = 1 + (size - 1) * icc
    se, pooled, deff = map(float, effect.loc["Intercept"])
    assert abs(se - 0.118) < 0.001
    assert abs(pooled - 0.075) < 0.001
    assert abs(deff - 2.5) < 0.05
    return Markdown(f"""
The standard error of μ is {se:.3f}. Complete pooling, which takes all {sizes.sum():,} answers as
independent, claims {pooled:.3f}. Squared, the ratio is {deff:.2f}: the design effect. The rule of
thumb says {kish:.2f}, from an ICC of {icc:.3f} and {size:.0f} people per district. (It is about
another estimate, the overall rate, in which large districts count for more. Of the same order is
all that one can ask.) So the likeness that hardly helps to predict a person makes the standard
error more than half as large again.
""")


def column_that_is_not_there(finland: pd.DataFrame, uk: pd.DataFrame) -> Markdown:
    """Help pages against data (X41)."""
    assert "election_id" not in finland.columns
    assert "election_id" not in uk.columns
    return Markdown(f"""
**A column that is not there.** The help pages of the R package *crdata* list a column
`election_id` for the data of Finland and of the UK. The data have
{" and ".join(f"`{c}`" for c in finland.columns)} in Finland, and
{", ".join(f"`{c}`" for c in uk.columns)} in the UK. Believe the data;
`hierwidgets.data.datasets.codebook` is made from them.
""")


def versions(finland: pd.DataFrame) -> Markdown:
    """An older version of the page's course, and two remarks of it that hold (X42)."""
    raw = hw.no_pooling(finland, "contacted", "district_id", event="Contacted").set_index("level")
    own: Any = raw.loc["District 309"]
    model = hw.glmer("contacted ~ 1 + (1 | district_id)", finland, event="Contacted")
    pulled: Any = hw.partial_pooling(model).set_index("level").loc["District 309", "estimate"]
    assert raw["n"].idxmin() == "District 309"
    assert own["conf_low"] < pulled < own["conf_low"] + 0.01
    return Markdown(f"""
**Versions.** Notes of an earlier year of the same course show other output for Finland: another
centre, another spread, other data. Do not mix versions; a number belongs to the data and the
program that made it. Two remarks in those notes hold here as well: 309 is the smallest sample
({own["n"]:.0f} people), and its new estimate, {pulled:.3f}, lies just inside the interval of the
old one, {own["conf_low"]:.3f} to {own["conf_high"]:.3f}, at its very end. With that we are back
where lecture 2 began.
""")
