"""The prior of one level, averaged over what all other levels say about mu and sigma."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierwidgets.base.arrays import Array
from hierwidgets.errors import DataError
from hierwidgets.fit.fit import Fit

from .pooling import check_fit, pooling_frame

__all__ = ["AveragedPrior", "averaged_prior"]


SCALE_MU, FREEDOM, SCALE_SIGMA = 2.5, 3, 5.0  # of the two priors
LARGEST_SIGMA, REACH = 25.0, 120.0  # the grid's ends, in units of the link scale
SIGMAS = 64
MOST_PLACES = 6000
TINY = 1e-300
NEGLIGIBLE = 1e-10  # pairs (mu, sigma) with less posterior weight than this are dropped


@dataclass(frozen=True, slots=True)
class AveragedPrior:
    """The posterior of (mu, sigma) on a grid, and what each level contributes to it.

    Attributes
    ----------
    places : (A,) float
        Values a of a level's intercept mu + b_j, close together in the middle.
    width : (A,) float
        The piece of the axis each stands for.
    sigma : (S,) float
        Nodes of sigma.
    mu : (M,) float
        Nodes of mu, a part of the places.
    kernels : tuple of S (A, M) arrays
        Mass of N(mu, sigma^2) on each place.
    log_prior : (S, M) float
        Log prior mass of each pair.
    log_marginal : (S, M, J) float
        Log marginal likelihood of each level at each pair.
    """

    places: Array
    width: Array
    sigma: Array
    mu: Array
    kernels: tuple[Array, ...]
    log_prior: Array
    log_marginal: Array

    def weights(self, without: int | None = None) -> Array:
        """Posterior mass (S, M) of the pairs, given all levels or all but one."""
        log = self.log_prior + self.log_marginal.sum(axis=2)
        if without is not None:
            log = log - self.log_marginal[:, :, without]
        mass = np.exp(log - log.max())
        return np.asarray(mass / mass.sum(), dtype=np.float64)

    def mean_sigma(self, without: int | None = None) -> float:
        """Posterior mean of sigma."""
        return float(self.weights(without).sum(axis=1) @ self.sigma)

    def without(self, index: int, offset: float = 0.0) -> Callable[[Array], Array]:
        """Log prior density of level `index` on the link scale, given all the other levels.

        `offset` is what predictors add to the level's intercept.
        """
        from scipy.interpolate import CubicSpline  # slow to load, and only one widget needs it

        mass = self.weights(index)
        parts = (kernel @ row for kernel, row in zip(self.kernels, mass, strict=True))
        density = np.sum(list(parts), axis=0) / self.width
        spline = CubicSpline(self.places, np.log(np.maximum(density, TINY)))
        low, high = self.places[0], self.places[-1]

        def log_density(alpha: Array) -> Array:
            return np.asarray(spline(np.clip(alpha - offset, low, high)), dtype=np.float64)

        return log_density


def averaged_prior(fit: Fit) -> AveragedPrior:
    r"""Integrate over (mu, sigma) instead of plugging in one value of each: full Bayes on a grid.

    .. math:: p(\alpha_j \mid y_{-j}) = \int N(\alpha_j \mid t_j, \sigma^2)\,
              p(\mu, \sigma \mid y_{-j})\, d\mu\, d\sigma, \qquad
              p(\mu, \sigma \mid y_{-j}) \propto p(\mu)\, p(\sigma)
              \prod_{k \neq j} \int \prod_i p(y_i \mid a)\, N(a \mid \mu, \sigma^2)\, da .

    The priors: sigma half-Cauchy with scale 5, cut at 25 (Gelman 2006, Bayesian Analysis 1(3),
    recommends this family); the mean of the linear predictor over the observations is Student t
    with 3 degrees of freedom, location 0 and scale 2.5, the default of `hw.Priors` for the
    intercept. Other coefficients stay as fitted.

    The integrals over a are trapezoid sums on places that are half a likelihood's width apart
    in the middle; the nodes of mu are some of these places, so that the sums have the right
    limit as sigma goes to 0. Sigma has 64 Gauss-Legendre nodes.

    Parameters
    ----------
    fit
        A binomial fit with one grouping factor whose intercept varies, ``(1 | group)``.

    Raises
    ------
    DataError
        If `fit` is something else, or so large that the grid would be too fine; averaging then
        changes nothing that can be seen.

    Examples
    --------
    >>> import hierwidgets as hw
    >>> fit = hw.glmer("contacted ~ 1 + (1 | district_id)", hw.load("finland"),
    ...                family="binomial", event="Contacted")
    >>> round(averaged_prior(fit).mean_sigma(), 2)
    0.39
    """
    check_fit(fit)
    added = fit.design.X @ fit.beta + fit.design.offset - fit.fixef["Intercept"]
    places, width, stride = _places(fit, added)
    sigma, log_sigma = _sigma_nodes(max(float(fit.theta[0]), 0.3))
    mu = places[::stride]
    log_mu = _log_prior_mu(mu + _centre(fit)) + np.log(stride * width[::stride])
    likelihood, top = _likelihoods(fit, added, places)

    def at(sigmas: slice, mus: slice) -> AveragedPrior:
        kernels = tuple(_kernel(places, width, mu[mus], s) for s in sigma[sigmas])
        marginal = np.stack([np.maximum(k.T @ likelihood, TINY) for k in kernels])
        return AveragedPrior(
            places, width, sigma[sigmas], mu[mus], kernels,
            log_sigma[sigmas, None] + log_mu[mus], np.log(marginal) + top,
        )  # fmt: skip

    coarse = np.flatnonzero(_matters(at(slice(None, None, 4), slice(None, None, 4))).any(axis=0))
    near = slice(max(4 * (coarse[0] - 1), 0), 4 * (coarse[-1] + 1) + 1)
    return _pruned(at(slice(None), near))


def _places(fit: Fit, added: Array) -> tuple[Array, Array, int]:
    """Places c + w sinh(s) with s even, their widths, and the stride to the nodes of mu."""
    frame = pooling_frame(fit)
    term, family = fit.design.terms[0], fit.family
    rows = frame["estimate_link"].to_numpy()[term.codes]
    rows = rows + added - _by_level(fit, fit.design.trials * added)[term.codes]
    weight = family.derivatives(fit.design.y, fit.design.trials, rows).weight
    information = np.bincount(term.codes, weight, minlength=term.J)
    centre = frame["estimate_link"] - frame["target_link"] + fit.fixef["Intercept"]
    middle, spread = float(np.median(centre)), float(np.ptp(centre))
    step = 0.5 / np.sqrt(information.max())
    precision = np.linalg.pinv(fit.vcov.to_numpy())
    at = list(fit.design.names).index("Intercept")
    wanted = 0.5 / np.sqrt(precision[at, at])  # of mu: other coefficients are held
    scale = max(spread, 0.5)
    fine = min(step, wanted, 0.1) / scale
    count = 1 + 2 * int(np.ceil(np.arcsinh(REACH / scale) / fine))
    if count > MOST_PLACES:
        raise DataError(
            "full Bayes needs too fine a grid here: some levels have so many trials that mu and "
            "sigma hardly matter for them; use the plug-in prior"
        )
    s = np.linspace(-1, 1, count) * np.arcsinh(REACH / scale)
    slope = scale * np.cosh(s) * (s[1] - s[0])
    return middle + scale * np.sinh(s), slope, max(1, int(wanted / (fine * scale)))


def _by_level(fit: Fit, values: Array) -> Array:
    """Means over the trials of each level, of values already times the trials."""
    term = fit.design.terms[0]
    total = np.bincount(term.codes, fit.design.trials, minlength=term.J)
    return np.asarray(np.bincount(term.codes, values, minlength=term.J) / total, np.float64)


def _sigma_nodes(typical: float) -> tuple[Array, Array]:
    """Nodes sigma = typical t / (1 - t), even in t, and their log prior masses."""
    end = LARGEST_SIGMA / (typical + LARGEST_SIGMA)
    x, w = np.polynomial.legendre.leggauss(SIGMAS)
    t = 0.5 * end * (x + 1)
    sigma = typical * t / (1 - t)
    mass = 0.5 * end * w * typical / (1 - t) ** 2
    return sigma, np.log(mass) - np.log1p((sigma / SCALE_SIGMA) ** 2)


def _log_prior_mu(centred: Array) -> Array:
    square = (centred / SCALE_MU) ** 2
    return np.asarray(-0.5 * (FREEDOM + 1) * np.log1p(square / FREEDOM), dtype=np.float64)


def _centre(fit: Fit) -> float:
    """What the predictors add to the intercept for an average observation."""
    design = fit.design
    fixed = design.X @ fit.beta - fit.fixef["Intercept"]
    return float(fixed[design.rows].mean())


def _likelihoods(fit: Fit, added: Array, places: Array) -> tuple[Array, Array]:
    """Likelihood (A, J) of each level at each place of its intercept, and its log top (J,)."""
    design, codes = fit.design, fit.design.terms[0].codes
    log = np.zeros((design.terms[0].J, len(places)))
    for start in range(0, len(codes), 500):
        part = slice(start, start + 500)
        eta = places + added[part, None]
        rows = fit.family.loglik(design.y[part, None], design.trials[part, None], eta)
        np.add.at(log, codes[part], rows)
    top = log.max(axis=1)
    return np.exp(log - top[:, None]).T, top


def _kernel(places: Array, width: Array, mu: Array, sigma: float) -> Array:
    mass: Any = np.exp(-0.5 * ((places[:, None] - mu) / sigma) ** 2) * width[:, None]
    return np.asarray(mass / mass.sum(axis=0), dtype=np.float64)


def _matters(whole: AveragedPrior) -> NDArray[np.bool_]:
    """Which pairs (S, M) have weight, given all levels or given all but any one."""
    log = whole.log_prior + whole.log_marginal.sum(axis=2)
    most = log - log.max()
    for level in range(whole.log_marginal.shape[2]):
        this = log - whole.log_marginal[:, :, level]
        most = np.maximum(most, this - this.max())
    return np.asarray(most > np.log(NEGLIGIBLE))


def _pruned(whole: AveragedPrior) -> AveragedPrior:
    """Without the nodes of mu and of sigma that do not matter."""
    keep = _matters(whole)
    rows, columns = np.any(keep, axis=1, keepdims=False), keep.any(axis=0)
    kernels = tuple(k[:, columns] for k, used in zip(whole.kernels, rows, strict=True) if used)
    return AveragedPrior(
        whole.places, whole.width, whole.sigma[rows], whole.mu[columns], kernels,
        whole.log_prior[rows][:, columns], whole.log_marginal[rows][:, columns],
    )  # fmt: skip
