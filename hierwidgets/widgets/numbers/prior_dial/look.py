"""One quantity under two priors: its prior, its posterior as drawn, and that by weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError, FitError
from hierwidgets.posterior.posterior import Posterior
from hierwidgets.sampling.pareto import K_LIMIT, Weights, smoothed
from hierwidgets.sampling.priors import Priors
from hierwidgets.sampling.reweighting import log_prior_ratio

from .quantities import Quantity, of_parameters, prior_draws
from .shapes import parameter_prior, prior_density, prior_quantiles
from .weighted import MASS, Sample, sample

__all__ = [
    "FEWEST", "POINTS", "Base", "Look", "Summary", "limits", "look", "reweighted_frame", "sound",
    "weights_to",
]  # fmt: skip

POINTS = 201  # of a curve
FEWEST = 400.0  # draws that weights must be worth, for the ends of an interval

Numbers = tuple[float, float, float]
Summary = Mapping[str, Numbers]


@dataclass(frozen=True, slots=True)
class Base:
    """Draws to weigh, and what was read off them so far."""

    post: Posterior
    samples: dict[str, Sample] = field(default_factory=dict)
    plain: dict[str, tuple[tuple[float, float], Array, Numbers]] = field(default_factory=dict)

    def sample(self, quantity: Quantity) -> Sample:
        """The draws of a quantity, put in order once."""
        if quantity.name not in self.samples:
            drawn = quantity.of(self.post)
            self.samples[quantity.name] = sample(np.asarray(drawn), quantity.bounds)
        return self.samples[quantity.name]

    def unweighted(self, quantity: Quantity, at: Array) -> tuple[Array, Numbers]:
        """Density, and mean and interval, of the draws as they are, while the places stay."""
        ends, known = (float(at[0]), float(at[-1])), self.plain.get(quantity.name)
        if known is None or known[0] != ends:
            one, size = self.sample(quantity), self.post.draws.sigma.size
            known = (ends, *_read(one, np.full(size, 1.0 / size), at))
            self.plain[quantity.name] = known
        return known[1:]


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture of one quantity shows.

    Attributes
    ----------
    at : (m,)
        Places on the axis.
    curves : mapping
        The density (m,) of "prior", "as drawn" and "posterior", as far as there is one.
    summary : mapping
        Mean and ends of the 90 % interval of each; of a prior the median in place of the mean.
    """

    at: Array
    curves: Mapping[str, Array]
    summary: Summary


def weights_to(base: Posterior, priors: Priors) -> Weights:
    """The weights that turn draws into draws under other priors.

    Their k is infinite where the other priors reach beyond the bounds of those drawn under.
    """
    size = base.draws.sigma.size
    try:
        return smoothed(log_prior_ratio(base.design, base.family, base.draws, base.priors, priors))
    except DataError:
        return Weights(np.full(size, 1.0 / size), np.inf)


def sound(weights: Weights) -> bool:
    """Whether numbers by these weights can be trusted."""
    return bool(weights.k < K_LIMIT)


def limits(quantity: Quantity, samples: Sequence[Sample]) -> tuple[float, float]:
    """Where an axis begins and ends: all of a bounded quantity, else what draws need, and air."""
    low, high = quantity.bounds
    whole = quantity.parameter is not None or low == 0
    if whole and np.isfinite(low) and np.isfinite(high):
        return low, high
    ends = np.array([one.x[[len(one.x) // 500, -1 - len(one.x) // 500]] for one in samples])
    first, last = min(0.0, float(ends[:, 0].min())), max(0.0, float(ends[:, 1].max()))
    air = 0.25 * (last - first)
    return max(low, first - air), min(high, last + air)


def look(
    quantity: Quantity, drawn: Base, weighed: tuple[Base, Array] | None, priors: Priors
) -> Look:
    """A quantity under the priors as drawn and under `priors`.

    Parameters
    ----------
    drawn :
        The draws there were at first.
    weighed :
        The draws that are weighted, and their shares; None where there are no sound ones.
    """
    samples = [base.sample(quantity) for base in (drawn, *(weighed or ())[:1])]
    at = np.linspace(*limits(quantity, samples), POINTS)
    curves, summary = {}, {}
    believed = _prior(drawn.post, priors, quantity, at)
    if believed is not None:
        curves["prior"], summary["prior"] = believed
    curves["as drawn"], summary["as drawn"] = drawn.unweighted(quantity, at)
    if weighed is not None:
        curves["posterior"], summary["posterior"] = _read(samples[1], weighed[1], at)
    return Look(at, curves, summary)


def _read(one: Sample, share: Array, at: Array) -> tuple[Array, Numbers]:
    """Density at places, mean and interval under shares."""
    low, high = one.interval(share)
    return one.density(share, at), (one.mean(share), low, high)


def _prior(
    post: Posterior, priors: Priors, quantity: Quantity, at: Array
) -> tuple[Array, Numbers] | None:
    """Density, median and interval of a quantity's prior; None where it is not proper."""
    shares = np.array([0.5, (1 - MASS) / 2, (1 + MASS) / 2])
    if quantity.parameter is not None:
        prior = parameter_prior(post, priors, quantity.parameter)
        if prior is not None:
            middle, low, high = prior_quantiles(prior, shares, quantity.positive)
            return prior_density(prior, at, quantity.positive), (middle, low, high)
    simulated = prior_draws(post, priors)
    if simulated is None:
        return None
    found = sample(quantity.of(simulated), quantity.bounds)
    share = np.full(len(found.x), 1.0 / len(found.x))
    middle, low, high = found.quantiles(share, shares)
    return found.density(share, at, narrower=2.0), (float(middle), float(low), float(high))


def reweighted_frame(post: Posterior, priors: Priors) -> pd.DataFrame:
    """Every parameter under its prior, as drawn, and under other priors: what the dial shows.

    Returns
    -------
    DataFrame
        parameter; prior_low, prior_high; drawn, drawn_low, drawn_high; estimate, conf_low,
        conf_high. Estimates are posterior means, intervals of 90 %. `attrs` has k of the weights
        and the number of draws they are worth.

    Raises
    ------
    FitError
        The posterior under `priors` is too far from that of the draws.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.priors import half_normal
    >>> post = hw.load_posterior("finland")
    >>> found = reweighted_frame(post, hw.Priors(sd=half_normal(0.2)))
    >>> found.loc[1, ["drawn", "estimate"]].astype(float).round(2).tolist()
    [0.39, 0.24]
    """
    weights = weights_to(post, priors)
    if not sound(weights):
        raise FitError(
            f"the posterior under these priors is too far from that of the draws: Pareto k of the "
            f"weights is {weights.k:.2f}, not below {K_LIMIT}; sample again, with priors=..."
        )
    base = Base(post)
    rows = []
    for quantity in of_parameters(post):
        summary = look(quantity, base, (base, weights.share), priors).summary
        prior = summary.get("prior", (np.nan,) * 3)
        rows.append((quantity.name, *prior[1:], *summary["as drawn"], *summary["posterior"]))
    columns = [
        "parameter", "prior_low", "prior_high", "drawn", "drawn_low", "drawn_high", "estimate",
        "conf_low", "conf_high",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs = {"k": weights.k, "worth": weights.effective}
    return frame
