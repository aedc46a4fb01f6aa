"""The integrals of the marginal likelihood, one per level, as pure functions of a fit and a sd.

Level j has rows i with linear predictor ``eta_i + z_i b``, and an effect b of sd sigma. With
``b = sigma u``,

    L_j = int exp(g_j(u)) du / sqrt(2 pi),
    g_j(u) = sum_i log p(y_i | eta_i + sigma z_i u) - u^2 / 2.

The counting constant is left out, as in the lectures. Everything is computed in u, which is kind
to the arithmetic at any sigma, and shown on the scale of the linear predictor.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit
from hierwidgets.likelihood.blocks import Layout, layout
from hierwidgets.likelihood.laplace import solve_modes
from hierwidgets.likelihood.quadrature import nodes as rule
from hierwidgets.spec.design import Design
from hierwidgets.spec.families import Family

from .pooling import finite_number
from .words import place_of

__all__ = [
    "MOST_NODES",
    "Integrands",
    "Lens",
    "alone",
    "check_integral",
    "integral_frame",
    "integrands",
    "lens",
    "sigma_range",
    "worst_first",
]

MOST_NODES = 25
STRIPS = 240  # of the reference: more change nothing that arithmetic can tell
DEPTH = 45.0  # the reference ends where the integrand is exp(-DEPTH) of its top
REACH = 4.3  # sds of the normal curve that are shown
SEEN = 1e-4  # of its top: where the integrand ends to the eye
POINTS = 181  # of the curves that are shown
SMALLEST_SIGMA, LARGEST_SIGMA = 0.01, 5.0


class Integrands(NamedTuple):
    """The functions g_j of all levels of a design, and the normal curve at the top of each.

    Attributes
    ----------
    lay, family, eta, scale
        What `log_height` needs; (n,) the linear predictor without the effects, and ``sigma z``.
    mode, tau, top : (J,)
        Where g_j is highest, the sd of the normal curve with its bend there, and its value there.
    """

    lay: Layout
    family: Family
    eta: Array
    scale: Array
    mode: Array
    tau: Array
    top: Array

    def log_height(self, u: Array) -> Array:
        """g_j at places (J, P): (J, P)."""
        design = self.lay.design
        eta = self.eta[:, None] + self.scale[:, None] * self.lay.spread(u)
        loglik = self.family.loglik(design.y[:, None], design.trials[:, None], eta)
        return self.lay.sum(loglik) - 0.5 * u**2

    def by_nodes(self, count: int) -> Array:
        """log L_j by adaptive Gauss-Hermite quadrature: (J,)."""
        x, log_weight = rule(count)
        places = self.mode[:, None] + np.sqrt(2.0) * self.tau[:, None] * x
        terms = log_weight + self.log_height(places)
        total: Array = np.log(self.tau) - 0.5 * np.log(np.pi) + np.logaddexp.reduce(terms, axis=1)
        return total

    def by_strips(self) -> Array:
        """log L_j by thin strips from where the integrand begins to where it ends: (J,).

        The trapezium rule: on a smooth curve that ends at both sides its error falls faster than
        any power of the width of a strip.
        """
        left, right = self.ends(DEPTH)
        u = left[:, None] + (right - left)[:, None] * np.linspace(0.0, 1.0, STRIPS + 1)
        height = np.exp(self.log_height(u) - self.top[:, None])
        width = (right - left) / STRIPS
        area: Array = self.top + np.log(width * height.sum(axis=1)) - 0.5 * np.log(2 * np.pi)
        return area

    def ends(self, depth: float) -> tuple[Array, Array]:
        """Where g_j has fallen by `depth` or more to either side of its top, and not far beyond.

        It bends at least as much as ``-u^2 / 2``, whatever the data: no end is further away than
        ``sqrt(2 depth)``.
        """
        most = np.sqrt(2.0 * depth)
        away = self.tau[:, None] * np.array([-1.0, 1.0])
        while True:
            fallen = self.top[:, None] - self.log_height(self.mode[:, None] + away)
            short = (fallen < depth) & (np.abs(away) < most)
            if not short.any():
                break
            away = np.where(short, np.clip(1.3 * away, -most, most), away)
        return self.mode + away[:, 0], self.mode + away[:, 1]


class Lens(NamedTuple):
    """What the lens shows of one level.

    Attributes
    ----------
    at : (P,)
        Places on the scale of the linear predictor.
    integrand, laplace, quadrature : (P,)
        Heights, over the top of the integrand: itself, the normal curve of Laplace, and the
        normal curve times a polynomial that goes through the nodes and has the area they give.
    node_at, node_height : (K,)
    exact : float
        The log of the area, by strips.
    log_areas : (MOST_NODES,)
        The same by 1, 2, ... nodes.
    """

    at: Array
    integrand: Array
    laplace: Array
    quadrature: Array
    node_at: Array
    node_height: Array
    exact: float
    log_areas: Array


def integral_frame(fit: Fit, level: object = None, sigma: float | None = None) -> pd.DataFrame:
    r"""One level's part of the log-likelihood by 1 to 25 nodes, and how far each is off.

    .. math:: L_j = \int \prod_i p(y_i \mid \eta_i + z_i b)\; N(b \mid 0, \sigma^2)\, db

    at the fit's coefficients, by adaptive Gauss-Hermite quadrature as in the fit (Pinheiro &
    Bates 1995, J. Comput. Graph. Stat. 4(1), section 2.4), held against 240 strips from where
    the integrand begins to where it ends. The counting constant is left out.

    Parameters
    ----------
    fit
        A binomial or Poisson fit with one group term of one coefficient, ``(1 | group)``.
    level
        One of its levels; if None, the one with the largest error of one node.
    sigma
        Standard deviation of the levels' effects, above 0; the fit's own if None.

    Returns
    -------
    DataFrame
        ``nodes``, 1 (Laplace) to 25; ``log_area``; ``exact``, by strips; and ``error``, the share
        by which the area is too large (above 0) or too small.

    Raises
    ------
    DataError
        Another kind of fit, an unknown level, sigma not above 0.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> from hierwidgets.widgets import integral_frame
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> frame = integral_frame(fit, "District 309").set_index("nodes")
    >>> frame.loc[[1, 3, 5], "log_area"].round(4).tolist()
    [-18.104, -18.1034, -18.1033]
    >>> float(frame["error"].abs()[5].round(7))
    6e-07
    """
    check_integral(fit)
    term = fit.design.terms[0]
    index = worst_first(fit)[0]
    if level is not None:
        index = place_of(level, list(term.levels), f" of {term.group}")
    sd = float(fit.theta[0]) if sigma is None else finite_number("sigma", sigma, above=0.0)
    one = integrands(alone(fit.design, index), fit.family, fit.beta, sd)
    areas = np.array([one.by_nodes(count)[0] for count in range(1, MOST_NODES + 1)])
    exact = float(one.by_strips()[0])
    return pd.DataFrame(
        {
            "nodes": np.arange(1, MOST_NODES + 1), "log_area": areas, "exact": exact,
            "error": np.expm1(areas - exact),
        }
    )  # fmt: skip


def integrands(design: Design, family: Family, beta: Array, sigma: float) -> Integrands:
    """The functions to be integrated at these parameters, each with its top."""
    lay = layout(design)
    theta = np.array([sigma])
    s = solve_modes(lay, family, theta, beta)
    scale = s.blocks.scaled.zl0[:, 0]
    tau = 1.0 / np.sqrt(1.0 + lay.sum(s.d.weight * scale**2))
    top = lay.sum(s.d.loglik) - 0.5 * s.u0[:, 0] ** 2
    return Integrands(lay, family, s.base, scale, s.u0[:, 0], tau, top)


def alone(design: Design, index: int) -> Design:
    """The design of one level."""
    term = design.terms[0]
    rows = term.codes == index
    one = replace(
        term, levels=term.levels[index : index + 1], codes=term.codes[rows] * 0, Z=term.Z[rows]
    )
    return replace(
        design, y=design.y[rows], trials=design.trials[rows], X=design.X[rows],
        offset=design.offset[rows], terms=(one,),
    )  # fmt: skip


def lens(one: Integrands, sigma: float, count: int) -> Lens:
    """What is shown of a level, for a design that has it `alone`."""
    mode, tau, centre = float(one.mode[0]), float(one.tau[0]), middle(one)
    left, right = one.ends(-np.log(SEEN))
    u = np.linspace(
        min(mode - REACH * tau, float(left[0])), max(mode + REACH * tau, float(right[0])), POINTS
    )
    x, log_weight = rule(count)
    x = np.sqrt(2.0) * x
    height = np.exp(one.log_height(np.concatenate([u, mode + tau * x])[None])[0] - one.top[0])
    curve, at_nodes = height[:POINTS], height[POINTS:]
    off = (u - mode) / tau
    return Lens(
        at=centre + sigma * u,
        integrand=curve,
        laplace=np.exp(-0.5 * off**2),
        quadrature=_through(x, log_weight, at_nodes, off),
        node_at=centre + sigma * (mode + tau * x),
        node_height=at_nodes,
        exact=float(one.by_strips()[0]),
        log_areas=np.array([one.by_nodes(k)[0] for k in range(1, MOST_NODES + 1)]),
    )


def _through(x: Array, log_weight: Array, height: Array, off: Array) -> Array:
    """The normal curve times a polynomial through the nodes, at places in sds off the mode.

    Its coefficients in Hermite functions are sums over the nodes, of which the first is the
    area: on polynomials of so low a degree the rule is exact (Abramowitz & Stegun 1964, 22.2).
    """
    share = np.exp(log_weight + 0.25 * x**2) * height / np.sqrt(np.pi)
    before, now = np.zeros(len(x)), np.exp(-0.25 * x**2)
    shown_before, shown = np.zeros(len(off)), np.exp(-0.25 * off**2)
    total = np.zeros(len(off))
    for degree in range(len(x)):
        total += (share @ now) * shown
        up, down = 1.0 / np.sqrt(degree + 1.0), np.sqrt(degree)
        before, now = now, (x * now - down * before) * up
        shown_before, shown = shown, (off * shown - down * shown_before) * up
    return total * np.exp(-0.25 * off**2)


def middle(one: Integrands) -> float:
    """Where an effect of 0 stands: a level's mean linear predictor, or 0 for a slope."""
    design = one.lay.design
    if design.terms[0].names != ("Intercept",):
        return 0.0
    return float(design.trials @ one.eta / design.trials.sum())


def worst_first(fit: Fit) -> list[int]:
    """The levels' places, from the largest error of one node to the smallest, at the estimates."""
    every = integrands(fit.design, fit.family, fit.beta, float(fit.theta[0]))
    off = np.abs(every.by_nodes(1) - every.by_strips()).round(10)
    return [int(place) for place in np.argsort(-off, kind="stable")]


def sigma_range(fit: Fit) -> tuple[float, float]:
    """The smallest and the largest sd of the lens; that of a slope is by its column's size."""
    size = fit.design.terms[0].size(0)
    return SMALLEST_SIGMA / size, max(LARGEST_SIGMA / size, 2 * float(fit.theta[0]))


def check_integral(fit: object) -> None:
    """Refuse a fit whose likelihood is no product of integrals over one effect each."""
    wanted = (
        "a binomial or Poisson fit with one group term of one coefficient, as "
        "hw.glmer('y ~ 1 + (1 | group)', data) gives"
    )
    if not isinstance(fit, Fit):
        raise DataError(f"the lens needs {wanted}; a {type(fit).__name__} was given")
    if fit.family.name not in ("binomial", "poisson"):
        raise DataError(
            f"the lens needs {wanted}; this fit is {fit.family.name}, and its integral has a "
            "formula: no node is needed"
        )
    if len(fit.design.terms) != 1 or fit.design.terms[0].k != 1:
        varying = "; ".join(f"{', '.join(v.names)} by {v.group}" for v in fit.design.terms)
        raise DataError(
            f"the lens needs {wanted}: then every level has an integral of its own, over one "
            f"number; in this fit vary {varying}"
        )
