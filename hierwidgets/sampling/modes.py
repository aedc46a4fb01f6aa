r"""Where a log density peaks, looked for from several places, and a mixture that covers the peaks.

A peak that no search comes near would go unnoticed: the weights of draws around another one say
nothing of it. Searches therefore begin at the start of the chart, at random around it, and where
the prior of a coefficient or sd has its location, which is where a second peak comes from: data
that contradict a prior with heavy tails.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from hierwidgets.base.arrays import Array

from .chart import Chart
from .kernels import problem as codes
from .proposal import Mixture

__all__ = ["Peak", "around", "peaks"]

LogDensity = Callable[[Array], Array]

_STEP = 1e-4  # of gradients
_OF_A_SD = 0.05  # of second derivatives
_RANDOM = 4
_CLIMBS = 5
_SEARCH = {"maxiter": 100, "ftol": 1e-11, "gtol": 1e-4}
_FLAT = 1e-4  # curvature in coordinates that are about one posterior sd long
_SAME = 1.0  # squared distance, in sds
_LIGHT = 20.0  # peaks by so much lighter (log of the mass) than the heaviest are left out
_DF = 10.0


@dataclass(frozen=True, slots=True)
class Peak:
    """A maximum of a log density.

    Attributes
    ----------
    at : (d,)
    height : float
        Its logarithm there.
    root : (d, d)
        Lower Cholesky factor of the inverse of the negative second derivatives.
    flat : bool
        Whether the density hardly falls in some direction.
    log_mass : float
        Of the normal distribution that touches the density there.
    """

    at: Array
    height: float
    root: Array
    flat: bool
    log_mass: float

    def __repr__(self) -> str:
        return f"Peak(log mass {self.log_mass:.1f}{', flat' if self.flat else ''})"


def peaks(f: LogDensity, where: Chart, rng: np.random.Generator) -> list[Peak]:
    """The peaks found, the heaviest first; without those that are negligible."""
    d = len(where.start)
    starts = [where.start, *_at_priors(where)]
    starts += [where.start + 2.0 * rng.standard_normal(d) for _ in range(_RANDOM)]
    found: list[Peak] = []
    for start in starts:
        at = _climbed(f, start)
        if at is None or any(_near(peak, at) for peak in found):
            continue
        found.append(_peak(f, at))
    if not found:
        return []
    highest = max(peak.height for peak in found)
    found = [peak for peak in found if peak.height > highest - 2.0 * _LIGHT]
    found.sort(key=lambda peak: -peak.log_mass)
    return [peak for peak in found if peak.log_mass > found[0].log_mass - _LIGHT]


def around(found: list[Peak]) -> Mixture:
    """Two t distributions around each peak, one wider, which lets a fit become skewed."""
    mass = np.array([peak.log_mass for peak in found])
    share = np.maximum(np.exp(mass - mass.max()), 0.05)
    share = np.concatenate([0.7 * share, 0.3 * share]) / share.sum()
    root = np.array([peak.root for peak in found])
    return Mixture(
        share,
        np.array([peak.at for peak in found] * 2),
        np.concatenate([root, 1.5 * root]),
        np.full(len(share), _DF),
    )


def _climbed(f: LogDensity, start: Array) -> Array | None:
    """Uphill from `start`; None where there is no density."""
    steps = _STEP * np.eye(len(start))

    def value(x: Array) -> tuple[float, Array]:
        found = f(np.vstack([x, x + steps, x - steps]))
        if not np.isfinite(found).all():
            return np.inf, np.zeros_like(x)
        up, down = found[1:].reshape(2, len(x))
        return -float(found[0]), (down - up) / (2.0 * _STEP)

    at, fun = start, np.inf
    for _ in range(_CLIMBS):  # a search may end at the kink of a bend
        best = scipy.optimize.minimize(value, at, jac=True, method="L-BFGS-B", options=_SEARCH)
        if not np.isfinite(best.fun):
            return None
        gained, at, fun = fun - best.fun, best.x, best.fun
        if gained < 1e-6:
            break
    return at


def _near(peak: Peak, at: Array) -> bool:
    return bool(np.sum(np.linalg.solve(peak.root, at - peak.at) ** 2) < _SAME)


def _peak(f: LogDensity, at: Array) -> Peak:
    d = len(at)
    eye = _STEP * 10.0 * np.eye(d)
    value = f(np.vstack([at, at + eye, at - eye]))
    bent = (2.0 * value[0] - value[1 : d + 1] - value[d + 1 :]) / (_STEP * 10.0) ** 2
    with np.errstate(invalid="ignore"):
        h = np.clip(_OF_A_SD / np.sqrt(np.maximum(bent, 1.0)), 1e-4, _OF_A_SD)
    eye = np.diag(np.where(np.isfinite(h), h, 1e-3))
    i, j = np.triu_indices(d)
    both, apart = eye[i] + eye[j], eye[i] - eye[j]
    pp, mm, pm, mp = f(np.vstack([at + both, at - both, at + apart, at - apart])).reshape(4, -1)
    H = np.zeros((d, d))
    diagonal = i == j
    H[i, j] = H[j, i] = -np.where(diagonal, pp + mm - 2.0 * value[0], pp + mm - pm - mp) / (
        4.0 * np.diag(eye)[i] * np.diag(eye)[j]
    )
    if not np.isfinite(H).all():
        H = np.diag(np.where(np.isfinite(bent), np.maximum(bent, 1.0), 1e6))
    scale = np.sqrt(np.maximum(np.diag(H), 1.0))
    curvature, axes = np.linalg.eigh(H / np.outer(scale, scale))
    flat = bool(curvature[0] < _FLAT)
    curvature = np.maximum(curvature, 0.01)
    root = np.linalg.cholesky((axes / curvature) @ axes.T) / scale[:, None]
    log_mass = float(value[0] + np.log(np.diag(root)).sum())
    return Peak(at, float(value[0]), root, flat, log_mass)


def _at_priors(where: Chart) -> list[Array]:
    """Points at which one coefficient, or sd, is at the location of its prior."""
    q, out = where.problem, []
    priors, size = q.priors, len(q.whitening.r)
    from .density import located

    p = q.data.Q.shape[1]
    for own, kind, par in zip(priors.combination, priors.kind, priors.par, strict=True):
        if (location := _location(kind, par)) is None:
            continue
        x, tail = where.start.copy(), slice(len(where.start) - size, None)
        base = located(q, np.vstack([x, *(x + np.eye(len(x)))[tail]])).v[:p]
        slope = own @ (base[:, 1:] - base[:, :1])
        x[tail] += slope * (location - own @ base[:, 0]) / (slope @ slope)
        out.append(x)
    lead = min(q.integrated.coordinates, 2)  # its effects: of two, a number z follows
    places = [(0, i) for i in range(q.integrated.coordinates)]
    places += [(1 + t, i) for t, k in enumerate(q.pieces.sizes) for i in range(k * (k + 1) // 2)]
    for m, (row, i) in enumerate(places):
        if i >= (q.pieces.sizes[row - 1] if row else lead):
            continue
        location = _location(priors.sd_kind[row, i], priors.sd_par[row, i])
        if location is not None and location > 0:
            x = where.start.copy()
            y = np.log(location) - q.bends.centre[m]
            a = q.bends.by[m, 1 if y > 0 else 0]
            x[m] = np.sign(y) * np.sqrt(2.0 * y * y / (1.0 + np.sqrt(1.0 + 4.0 * a * y * y)))
            out.append(x)
    return out


def _location(kind: int, par: Array) -> float | None:
    if kind == codes.NORMAL:
        return float(par[0])
    return float(par[1]) if kind == codes.STUDENT_T else None
