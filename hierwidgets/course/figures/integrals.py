"""One district's integral, and a picture of how quadrature does it.

The integrand is the likelihood of y events in n trials times a normal prior of their log-odds,
h(alpha) = p^y (1 - p)^(n - y) N(alpha | mu, sigma^2) with p = logit^-1(alpha).
matplotlib is imported when a figure is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from hierwidgets.base.arrays import Array, expit
from hierwidgets.base.palette import INK, ORANGE, PURPLE
from hierwidgets.errors import DataError

from .base import blank_figure, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DistrictIntegral", "integrand_panels"]


_STEPS = 200
_NODES_WORTH_SEEING = 1e-12  # share of the area below which a node is not drawn


@dataclass(frozen=True, slots=True)
class DistrictIntegral:
    r"""The area under h(alpha), by Gauss-Hermite nodes around its peak.

    .. math:: \int h(\alpha)\,d\alpha \approx
              s \sum_{k=1}^{K} w_k\, e^{x_k^2/2}\, h(m + s x_k)

    with the mode m of h, the sd :math:`s = (-(\log h)''(m))^{-1/2}`, and nodes and weights of
    the rule for :math:`e^{-x^2/2}` (Liu & Pierce 1994, Biometrika 81(3); Pinheiro & Bates 1995,
    J. Comput. Graph. Stat. 4(1), section 2.4). One node is the Laplace approximation.

    Parameters
    ----------
    y, n
        Events and trials, 0 <= y <= n.
    mu, sigma
        Mean and sd of the normal prior on the log-odds scale; sigma above 0.

    Raises
    ------
    DataError
        If a number is outside its range.

    Examples
    --------
    >>> from hierwidgets.course.figures.integrals import DistrictIntegral
    >>> district = DistrictIntegral(10, 23, -1.37, 0.31)
    >>> round(district.mode, 3), round(district.sd, 3)
    (-1.002, 0.259)
    >>> round(district.log_area(1), 4), round(district.log_area(25), 4)
    (-18.0975, -18.0968)
    """

    y: float
    n: float
    mu: float
    sigma: float

    def __post_init__(self) -> None:
        if not np.isfinite([self.y, self.n, self.mu, self.sigma]).all():
            raise DataError("y, n, mu and sigma must be finite numbers")
        if not 0 <= self.y <= self.n:
            raise DataError(f"y={self.y} events in n={self.n} trials; y must lie between 0 and n")
        if not self.sigma > 0:
            raise DataError(f"sigma={self.sigma}; it must be above 0")

    def log_h(self, alpha: ArrayLike) -> Array:
        """The log of the integrand at alpha, in the shape of alpha."""
        alpha = np.asarray(alpha, dtype=np.float64)
        likelihood = self.y * alpha - self.n * np.logaddexp(0.0, alpha)
        standard = (alpha - self.mu) / self.sigma
        return likelihood - 0.5 * standard**2 - np.log(self.sigma * np.sqrt(2 * np.pi))

    @property
    def mode(self) -> float:
        """Where h is largest: bisection on the slope of log h, which only falls."""
        reach = self.sigma**2 * self.n  # the slope is 0 between mu - reach and mu + reach
        low, high = self.mu - reach, self.mu + reach
        for _ in range(_STEPS):
            middle = 0.5 * (low + high)
            slope = self.y - self.n * expit(middle) - (middle - self.mu) / self.sigma**2
            low, high = (middle, high) if slope > 0 else (low, middle)
        return 0.5 * (low + high)

    @property
    def sd(self) -> float:
        """The sd of the normal curve that touches h at its peak."""
        p = expit(self.mode)
        return float(1.0 / np.sqrt(self.n * p * (1 - p) + 1.0 / self.sigma**2))

    def nodes(self, n_agq: int) -> tuple[Array, Array]:
        """Where h is evaluated, (K,), and each node's share of the area, (K,)."""
        x, log_term = self._terms(n_agq)
        return self.mode + self.sd * x, np.exp(log_term - np.logaddexp.reduce(log_term))

    def log_area(self, n_agq: int) -> float:
        """The log of the area, by `n_agq` nodes."""
        return float(np.log(self.sd) + np.logaddexp.reduce(self._terms(n_agq)[1]))

    def _terms(self, n_agq: int) -> tuple[Array, Array]:
        x, w = np.polynomial.hermite_e.hermegauss(n_agq)
        return x, np.log(w) + 0.5 * x**2 + self.log_h(self.mode + self.sd * x)


def integrand_panels(districts: Mapping[str, DistrictIntegral], n_agq: int = 5) -> "Figure":
    """Integrand, normal approximation and nodes: one panel for each district.

    Curves are divided by the peak of the integrand, so that both reach 1. A node stands on the
    curve; its stem is drawn where it carries a visible share of the area.

    Examples
    --------
    >>> from hierwidgets.course.figures.integrals import DistrictIntegral, integrand_panels
    >>> figure = integrand_panels({"309": DistrictIntegral(10, 23, -1.37, 0.31)})
    >>> figure.axes[0].get_title()
    '309'
    """
    figure = blank_figure(4.2 * len(districts), 3.8)
    panels = figure.subplots(1, len(districts), sharey=True, squeeze=False)[0]
    for axes, (title, district) in zip(panels, districts.items(), strict=True):
        _panel(axes, district, n_agq)
        axes.set(title=title, xlabel="α, log-odds")
    panels[0].set_ylabel("height / height of the peak")
    legend_above(panels[0], ncols=3)
    return figure


def _panel(axes: "Axes", district: DistrictIntegral, n_agq: int) -> None:
    mode, sd = district.mode, district.sd
    alpha = np.linspace(mode - 4.2 * sd, mode + 4.2 * sd, 401)
    normal = np.exp(-0.5 * ((alpha - mode) / sd) ** 2)
    style: dict[str, Any] = {"color": PURPLE, "linestyle": "--"}
    axes.fill_between(alpha, _relative(district, alpha), color=ORANGE, alpha=0.15, linewidth=0)
    axes.plot(alpha, _relative(district, alpha), color=ORANGE, label="integrand")
    axes.plot(alpha, normal, label="normal curve at its peak", **style)
    at, share = district.nodes(n_agq)
    seen = share > _NODES_WORTH_SEEING
    tops = _relative(district, at[seen])
    axes.vlines(at[seen], 0, tops, color=INK, linewidth=0.8)
    axes.plot(at[seen], tops, "o", color=INK, markersize=5, label=f"{n_agq} nodes")
    axes.set_ylim(0, 1.08)
    axes.spines[["top", "right"]].set_visible(False)


def _relative(district: DistrictIntegral, alpha: Array) -> Array:
    return np.exp(district.log_h(alpha) - district.log_h(district.mode))
