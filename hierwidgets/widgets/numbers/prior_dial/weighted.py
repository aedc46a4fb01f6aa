"""Draws with weights: their mean, interval and density, quick enough for every step of a drag."""

from dataclasses import dataclass

import numpy as np

from hierwidgets.base.arrays import Array, Index

__all__ = ["MASS", "Sample", "sample"]

MASS = 0.9  # of intervals, equal-tailed


@dataclass(frozen=True, slots=True)
class Sample:
    """Draws of one quantity, prepared for weights.

    Attributes
    ----------
    x : (S,)
        In order of size.
    order : (S,) int
        Which draw each is.
    bounds : (float, float)
        What the quantity can be.
    """

    x: Array
    order: Index
    bounds: tuple[float, float]

    def __repr__(self) -> str:
        return f"Sample({len(self.x)} draws, {self.x[0]:.3g} to {self.x[-1]:.3g})"

    def mean(self, share: Array) -> float:
        """The mean under shares (S,) that sum to 1."""
        return float(self.x @ share[self.order])

    def quantiles(self, share: Array, below: Array) -> Array:
        """Below which lie so much of the shares."""
        total = np.cumsum(share[self.order])
        place = np.searchsorted(total, below * total[-1])
        return np.asarray(self.x[np.minimum(place, len(self.x) - 1)])

    def interval(self, share: Array) -> tuple[float, float]:
        """Ends of the interval."""
        low, high = self.quantiles(share, np.array([(1 - MASS) / 2, (1 + MASS) / 2]))
        return float(low), float(high)

    def density(self, share: Array, at: Array, narrower: float = 1.0) -> Array:
        """The density at even places (m,), by a normal kernel, draws mirrored at the bounds.

        The kernel is Silverman's (1986, Density estimation, section 3.4.2), for as many draws as
        the weights are worth, and `narrower` than that for a curve with peaks at its ends.
        """
        own = share[self.order]
        quarters = self.quantiles(share, np.array([0.25, 0.75]))
        variance = float(own @ self.x**2) - float(own @ self.x) ** 2
        sd = np.sqrt(np.maximum(variance, 0.0))
        spread = min(sd, (quarters[1] - quarters[0]) / 1.34) or sd
        step = float(at[1] - at[0])
        width = max(0.9 / narrower * float(spread) * float(np.sum(own**2)) ** 0.2, 0.5 * step)
        reach = int(np.ceil(4 * width / step))
        heights = _counted(self.x, own, float(at[0]) - reach * step, step, len(at) + 2 * reach)
        for bound in self.bounds:
            if np.isfinite(bound):
                heights += _counted(
                    2 * bound - self.x, own, float(at[0]) - reach * step, step, len(heights)
                )
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
        smooth = np.convolve(heights, kernel / (kernel.sum() * step), "valid")
        return np.where((at < self.bounds[0]) | (at > self.bounds[1]), 0.0, smooth)


def _counted(x: Array, share: Array, low: float, step: float, count: int) -> Array:
    """Shares of draws at even places, each split between its two neighbours."""
    at = (x - low) / step
    inside = (at >= 0) & (at < count - 1)
    at, share = at[inside], share[inside]
    left = at.astype(np.intp)
    part = at - left
    below, above = share * (1 - part), share * part
    return np.asarray(
        np.bincount(left, below, count) + np.bincount(left + 1, above, count), dtype=np.float64
    )


def sample(x: Array, bounds: tuple[float, float]) -> Sample:
    """Draws (S,) of a quantity, put in order.

    Examples
    --------
    >>> found = sample(np.array([3.0, 1.0, 2.0, 4.0]), (0.0, np.inf))
    >>> found.mean(np.array([0.5, 0.0, 0.5, 0.0])), found.interval(np.full(4, 0.25))
    (2.5, (1.0, 4.0))
    """
    order = np.argsort(x, kind="stable")
    return Sample(x[order], order, bounds)
