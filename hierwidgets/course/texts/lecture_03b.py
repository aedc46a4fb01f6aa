"""Lecture 03b: the joint top, areas by strips, Laplace and nodes, the hill, peak or mean, sigma."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy.stats import norm

from hierwidgets.base.arrays import Array

if TYPE_CHECKING:
    from hierwidgets.fit.fit import Fit

__all__ = [
    "CAPTIONS", "area", "averaged", "bends", "hand_and_package", "joint_top", "laplace_areas",
    "lens_errors", "nodes_needed", "peak_or_mean", "ridge", "tiny_errors", "tiny_fits",
    "tiny_truth",
]  # fmt: skip

CAPTIONS = {
    1: "**Figure 1.** The curve $h$, the *integrand* (solid, shaded), and the normal curve with "
    "the same peak and the same bend there (dashed). For 309 the two can hardly be told apart. "
    "With three people and a wide prior the true curve leans to the right. Dots: five places "
    "where $h$ is evaluated; we come to them below.",
    5: "**Figure 5.** Left: what the data and the fitted prior say about two districts. Right, "
    "much enlarged: the rate at the peak of α and the mean rate. The curve of 309 is wider and "
    "leans further to the right, which pulls its mean past that of 308.",
}


def joint_top(joint: pd.DataFrame) -> Markdown:
    """The joint density at smaller and smaller sigmas; columns sigma, range, density."""
    sigma, _, height = joint.to_numpy(dtype=float).T
    assert (np.diff(height) > 0).all()
    return Markdown(
        f"""
The smaller σ, the better: from {height[0]:.0f} at σ = {sigma[0]:g} to
{height[-1]:.0f} at σ = {sigma[-1]:g}, and on to infinity. Let every district have the
same rate; then all values of α sit in one spot, and a prior squeezed around that spot is as high as
you like. The maximum says *all districts are exactly alike*, whatever the data.

The recipe failed because it asked for the best-case α. But the α are not known and will not be
known. What we should ask is how probable the data are **without** knowing them.
"""
    )


def area(value: float, n: int) -> Markdown:
    """The area of district 309, and its logarithm."""
    return Markdown(
        f"For district 309 the area is {value:.3g}. That is tiny, as it should be: it is the "
        f"probability of precisely those {n} answers in that order. Only comparisons between "
        f"values of μ and σ matter, and its logarithm, {np.log(value):.3f}, is the number to work "
        "with."
    )


def laplace_areas(strips: float, laplace: float, three_exact: float, three: float) -> Markdown:
    """Log areas of 309 and of three people, by strips and by Laplace (X11)."""
    off = 100 * abs(np.expm1(laplace - strips))
    return Markdown(
        f"""
By strips, the log-area of 309 is {strips:.5f}; by Laplace {laplace:.5f}. The area itself is off by
{off:.2f} %. For the three people with the wide prior the error is
{100 * abs(np.expm1(three - three_exact)):.0f} %. Laplace is good when districts have many
respondents, and poorer when they have few. Finland is the easy case; Britain, below, is not.
"""
    )


def nodes_needed(table: pd.DataFrame) -> Markdown:
    """How many nodes reach one part in a million for 309."""
    enough = table.index[table["309: error in %"].abs() < 1e-4][0]
    assert enough == 5
    return Markdown(
        f"For 309 each added node buys a digit or so: {enough} nodes reach one part in a million, "
        "and one node is not bad. For the three people the errors start larger, two nodes help no "
        "more than one, and digits come slowly."
    )


def hand_and_package(running: pd.DataFrame) -> Markdown:
    """Estimates by hand against the package's, by number of nodes (S25, S29)."""
    values = running.to_numpy(dtype=float)
    assert np.abs(values[:, :2] - values[:, 2:]).max() < 1e-5
    assert values[0, :2].round(2).tolist() == [-1.37, 0.31]
    return Markdown(
        f"""
The by-hand estimates and those of the package agree to five digits at every number of nodes. The
package does what you just did, with better care for hard cases. With one node, Laplace, which is
also R's default, μ = {values[0, 0]:.2f} and σ = {values[0, 1]:.2f}: the numbers of
lectures 2 and 3.
"""
    )


def lens_errors(
    errors: pd.DataFrame, counts: pd.DataFrame, running: pd.DataFrame, in_lens: float
) -> Markdown:
    """Laplace's errors by district, a column for each sigma (X11)."""
    small, wide, n = errors.iloc[:, 0], errors.iloc[:, -1], counts["n"]
    sigma = running["σ by hand"].to_numpy(dtype=float)
    assert (errors < 0).all().all()
    assert errors.sum().is_monotonic_decreasing
    assert abs(np.expm1(small["309"]) - in_lens) < 1e-9
    first, then = str(small.idxmin()), str(wide.idxmin())
    return Markdown(
        f"""
They do not cancel: **all {len(small)} areas are too small**. In the likelihood that is little at
the fitted σ, {-small.sum():.3f} on the log scale, and more the wider the prior:
{-errors[1.0].sum():.2f} at σ = 1 and {-wide.sum():.2f} at σ = 3. So Laplace takes more away from a
large σ than from a small one, and its top lies a little too far to the left: that is why σ rises
in Figure 3, from {sigma[0]:.4f} to {sigma[-1]:.4f}.

Nor are the smallest districts the worst. At the fitted σ the largest error is that of {first}, with
{n[first]} answers: {100 * -np.expm1(small.min()):.2f} % of its area. With few answers $h$ is little
more than the prior, which is normal; with very many it is a likelihood so sharp that it is nearly
normal too. The trouble lies between the two, and a wide prior moves it toward the small districts:
at σ = 3 the worst is {then}, with {n[then]} answers, and {100 * -np.expm1(wide.min()):.1f} %.
"""
    )


def bends(se_mu: float, se_sigma: float, fit: "Fit") -> Markdown:
    """Standard errors from the bends of the hill (S28)."""
    se, sigma = fit.std_error["Intercept"], fit.theta[0]
    assert abs(se_mu - se) < 1e-3
    assert round(se, 2) == 0.12
    return Markdown(
        f"""
By hand, the standard error of μ is {se_mu:.3f}; `fit.std_error` says {se:.3f}. For σ the recipe
gives {se_sigma:.2f}, and so a 90 % interval from {sigma - 1.64 * se_sigma:.2f} to
{sigma + 1.64 * se_sigma:.2f}. It is symmetric, because the recipe cannot give anything else. The
hill of Figure 2 is not: its lines reach further up than down.
"""
    )


def ridge(path: pd.DataFrame, fit: "Fit") -> Markdown:
    """The profile interval of sigma by hand and by the package (S29)."""
    inside = path.index[path["height"] > -(1.64**2) / 2]
    low, high = fit.confint(0.9, progress=False).iloc[1][["conf_low", "conf_high"]]
    assert np.allclose([inside[0], inside[-1]], [low, high], atol=0.01)
    return Markdown(
        f"""
The ridge stays above the dotted line from σ = {inside[0]:.2f} to {inside[-1]:.2f}: that is the 90 %
interval. The package's `fit.confint(0.9)` gives {low:.2f} to {high:.2f}. On the left the ridge ends
{-path["height"].iloc[0]:.2f} below its top; [lecture 3](03-fitting-the-model.ipynb) says what that
means for σ = 0.
"""
    )


def peak_or_mean(
    fit: "Fit", peak: "pd.Series[float]", mean: "pd.Series[float]", n: int
) -> Markdown:
    """The rates of 308 and 309 at the peak, and on average (X13)."""
    package = fit.conditional_means().set_index("level")["response"]
    assert np.allclose(package[["308", "309"]], mean, atol=1e-4)
    assert peak.round(4).tolist() == [0.2690, 0.2682]
    assert mean.round(4).tolist() == [0.2696, 0.2703]
    return Markdown(
        f"""
By the peak, 308 leads: {peak["308"]:.4f} to {peak["309"]:.4f}. By the mean, 309 leads:
{mean["309"]:.4f} to {mean["308"]:.4f} (`fit.conditional_means()` says the same). With {n} people
the curve of 309 is wide, and the logistic curve bends, so there is more room above than below.
Neither order is *the* truth. A difference of a thousandth that changes its sign with the kind of
average means: these data cannot tell the two apart.
"""
    )


def averaged(
    rate: Array, curves: "dict[str, Array]", sigmas: Array, belief: Array, fit: "Fit"
) -> Markdown:
    """The rate of 309 by three curves, each adding up to 1, and the mean of sigma (X12)."""

    def mean(name: str) -> float:
        return float(np.sum(curves[name] * rate))

    def ends(name: str) -> str:
        low, high = np.interp([0.05, 0.95], np.cumsum(curves[name]), rate)
        return f"{low:.2f} and {high:.2f}"

    mean_sigma = float(belief.sum(axis=1) @ sigmas)
    assert np.allclose([mean("full"), mean("alike")], [0.290, 0.261], atol=0.005)
    assert abs(mean_sigma - 0.39) < 0.01
    return Markdown(
        f"""
With the plug-in, the rate of 309 is {mean("plug-in"):.3f} on average, 90 % between
{ends("plug-in")}. With full Bayes it is {mean("full"):.2f}, between {ends("full")}. The posterior
mean of σ is {mean_sigma:.2f}, above the {fit.theta[0]:.2f} of maximum likelihood: the hill has its
long slope on the right. So full Bayes pulls 309 *less*, and admits to more doubt.

It is not free of choices, though. Exchange the half-Cauchy for a prior that expects districts to
be alike, a half-normal with scale 0.25, and the mean rate of 309 becomes {mean("alike"):.2f}.
With {len(fit.ranef)} districts the data do not settle σ alone.
"""
    )


def tiny_errors(errors: pd.DataFrame, many: int) -> Markdown:
    """Laplace's errors in Britain by sigma: all of one sign, growing (S56)."""
    whole = errors["whole log-likelihood"]
    assert (errors < 0).all().all()
    assert whole.is_monotonic_decreasing
    return Markdown(
        f"""
Each district's error is small. But **all have the same sign**, so {many} small errors add up and do
not cancel. And they **grow with σ**: the wider the prior, the less normal the curve. At σ = 0.5 the
log-likelihood is {-whole[0.5]:.2f} too low, at σ = 1 it is {-whole[1.0]:.2f} too low. An error that
punishes large σ more than small σ moves the top of the likelihood: toward a σ that is too small.
"""
    )


def tiny_fits(table: pd.DataFrame) -> Markdown:
    """Britain's estimates by number of nodes (S56)."""
    first, last = table.loc[1], table.loc[25]
    assert abs(first["σ"] - 0.7145) < 1e-4
    assert abs(last["σ"] - 0.8036) < 1e-4
    assert abs(last["μ"] + 0.8682) < 1e-4
    return Markdown(
        f"""
(In R: `glmer(..., nAGQ = 25)`.) With enough nodes σ is {last["σ"]:.2f} in place of
{first["σ"]:.2f}, {last["σ"] / first["σ"] - 1:.0%} more; five nodes would do. In Finland the same
step changed σ in its third digit.
"""
    )


def tiny_truth(sigmas: pd.DataFrame, truth: float) -> Markdown:
    """Two estimators of a sigma that is known: means over made-up Britains (S56)."""
    nine, one = (sigmas[name].to_numpy(dtype=float) for name in ("9 nodes", "Laplace"))
    gap, draws = one - nine, np.sqrt(len(sigmas))
    error = {name: float(v.std(ddof=1) / draws) for name, v in (("nine", nine), ("one", one))}
    unlike = float(gap.std(ddof=1) / draws)
    away = float(abs(nine.mean() - truth)) / error["nine"]
    assert away < 3
    assert abs(one.mean() - truth) > 5 * error["one"]
    assert gap.mean() + 4 * unlike < 0
    odds = 1 / (2 * float(norm.sf(away)))
    return Markdown(
        f"""
Means over two hundred draws, with their Monte Carlo errors. The truth is {truth:.2f}. With nine
nodes the mean is {nine.mean():.2f} ± {error["nine"]:.2f}, {away:.1f} Monte Carlo errors off, which
chance does one time in {odds:.0f}; with Laplace it is {one.mean():.2f} ± {error["one"]:.2f}. On the
same data Laplace is lower by {-gap.mean():.3f} ± {unlike:.3f}, in {(gap < 0).mean():.0%} of the
draws. A single estimate scatters by {nine.std(ddof=1):.2f} either way, so the bias is about
{-gap.mean() / nine.std(ddof=1):.1f} standard errors: not a disaster, but one that does not go away
with more districts, and costs a keyword to remove.

**Rule of thumb.** Yes-or-no answers, fewer than about ten per group: use quadrature, and look
whether σ still moves between 9 and 25 nodes. Or use full Bayes (lecture 10), which has no such
approximation.
"""
    )
