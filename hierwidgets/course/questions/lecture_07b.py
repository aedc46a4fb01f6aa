"""Lecture 07b, varying slopes: what a height says of a slope, pooling by hand, another zero."""

from math import sqrt

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.course.studies.regions import TRUTH
from hierwidgets.exercises import Exercise, Mistake

__all__ = ["EXERCISES"]


# --- what a height says of a slope --------------------------------------------------------

_RATIO = TRUTH.sd_slope / TRUTH.sd_height

EXPECTED = Exercise(
    name="07b-expected",
    expected=lambda: TRUTH.corr * _RATIO,
    hints=(
        "The height is 1 above its mean. How many of its sds is that?",
        "A slope is expected to be rho times as many of its own sds above its mean.",
        "`0.6 * (1 / 0.8) * 0.35`.",
    ),
    right="One coefficient is pooled by what is known of the other: regression to the mean.",
    mistakes=(
        Mistake(lambda: TRUTH.corr / _RATIO, "The two sds have changed places."),
        Mistake(lambda: TRUTH.corr, "A correlation counts in sds; here both have units of theirs."),
        Mistake(lambda: _RATIO, "This would be so at a correlation of 1: rho is missing."),
        Mistake(
            lambda: TRUTH.corr * TRUTH.sd_height * TRUTH.sd_slope,
            "This is the covariance. Divide it by the squared sd of the heights.",
        ),
        Mistake(
            lambda: TRUTH.corr * TRUTH.sd_slope,
            "This is for a height one sd above its mean. Here it is 1 above, which is more.",
        ),
        Mistake(lambda: -TRUTH.corr * _RATIO, "The sign: rho is above 0."),
        Mistake(
            lambda: TRUTH.slope + TRUTH.corr * _RATIO,
            "This is the slope itself. Asked for is how far above the mean slope it is.",
        ),
        Mistake(
            lambda: 0.0,
            "The height would tell nothing of the slope only if the correlation were 0.",
        ),
    ),
)


# --- pooling two coefficients -------------------------------------------------------------


def _pool(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    pair: Array = centre + Sigma @ np.linalg.solve(Sigma + V, own - centre)
    return pair


def _exchanged(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    return _pool(own, Sigma, centre, V)


def _each_alone(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    s, v = np.diag(Sigma), np.diag(V)
    return np.asarray(centre + s / (s + v) * (own - centre))


def _distance(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    return _pool(own, V, centre, Sigma) - centre


def _towards_zero(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    return _pool(own, V, np.zeros(2), Sigma)


def _other_order(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    return np.asarray(centre + np.linalg.solve(Sigma + V, Sigma @ (own - centre)))


def _elementwise(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    return np.asarray(centre + (Sigma / (Sigma + V)) @ (own - centre))


def _plus_own(own: Array, V: Array, centre: Array, Sigma: Array) -> Array:
    return np.asarray(centre + Sigma @ np.linalg.solve(Sigma + V, own))


_CENTRE = np.array([-0.6, 0.25])
_SPREAD = np.array([[0.64, 0.168], [0.168, 0.1225]])

POOL = Exercise(
    name="07b-pool",
    expected=lambda: _pool,
    atol=1e-6,
    inputs=(
        (np.array([0.9, -0.3]), np.array([[0.2, 0.03], [0.03, 0.06]]), _CENTRE, _SPREAD),
        (np.array([-2.0, 0.8]), np.array([[0.5, -0.1], [-0.1, 0.2]]), _CENTRE, _SPREAD),
        (np.array([1.0, 2.0]), np.eye(2), np.array([0.5, 0.5]), np.array([[1.0, -0.8], [-0.8, 1]])),
    ),
    hints=(
        "Start from the distance `own - centre`, which is a pair.",
        "Where a number was divided by a sum, a matrix is multiplied by the inverse of a sum.",
        "`centre + Sigma @ np.linalg.inv(Sigma + V) @ (own - centre)`.",
    ),
    right="Lecture 2's weight, in two dimensions: this is what every arrow in the picture does.",
    mistakes=(
        Mistake(
            lambda: _exchanged,
            "The weights are exchanged: with large errors V this would believe the region alone.",
        ),
        Mistake(
            lambda: _each_alone,
            "Each coefficient is pooled by itself. What lies off the diagonals counts too.",
        ),
        Mistake(lambda: _distance, "This is the distance from the centre: add the centre."),
        Mistake(lambda: _towards_zero, "This pools towards 0. The centre is what it goes towards."),
        Mistake(
            lambda: _other_order, "The order of matrices counts: Sigma stands before the inverse."
        ),
        Mistake(
            lambda: _elementwise,
            "`/` divides number by number. A matrix asks for the inverse, `np.linalg.inv`.",
        ),
        Mistake(lambda: _plus_own, "The matrix multiplies the distance, `own - centre`."),
        Mistake(lambda: lambda own, V, centre, Sigma: own, "This is no pooling at all."),
        Mistake(lambda: lambda own, V, centre, Sigma: centre, "This is complete pooling."),
    ),
)  # fmt: skip


# --- another zero -------------------------------------------------------------------------


def _height(sd0: float, sd1: float, corr: float, c: float) -> float:
    """The sd of heights at x = c."""
    return sqrt(sd0**2 + 2 * c * corr * sd0 * sd1 + (c * sd1) ** 2)


def _corr_at(sd0: float, sd1: float, corr: float, c: float) -> float:
    return (corr * sd0 + c * sd1) / _height(sd0, sd1, corr, c)


CORR_AT = Exercise(
    name="07b-corr-at",
    expected=lambda: _corr_at,
    atol=1e-6,
    inputs=((0.8, 0.35, 0.6, -5.0), (0.8, 0.35, 0.6, 2.0), (1.0, 0.5, -0.3, 1.5)),
    hints=(
        "The new height is the old one plus c times the slope. Its covariance with the slope has "
        "two parts.",
        "Covariance: `corr * sd0 * sd1 + c * sd1**2`. Now the sd of the new height.",
        "Its square is `sd0**2 + 2 * c * corr * sd0 * sd1 + c**2 * sd1**2`.",
    ),
    right="The same lines, another correlation: it belongs to the place where x is 0.",
    mistakes=(
        Mistake(
            lambda: lambda sd0, sd1, corr, c: _corr_at(sd0, sd1, corr, -c),
            "The sign of c: at x = c a line has the height of x = 0 plus c times its slope.",
        ),
        Mistake(
            lambda: (
                lambda sd0, sd1, corr, c: (
                    sd1 * _height(sd0, sd1, corr, c) * _corr_at(sd0, sd1, corr, c)
                )
            ),
            "This is the covariance. Divide it by both sds.",
        ),
        Mistake(
            lambda: (
                lambda sd0, sd1, corr, c: (corr * sd0 + c * sd1) / sqrt(sd0**2 + (c * sd1) ** 2)
            ),
            "The square of a sum: the sd of the new height needs twice the covariance.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr, c: corr * sd0 / _height(sd0, sd1, corr, c),
            "The slope varies along with itself: the covariance has a part c times its squared sd.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr, c: (corr * sd0 + c * sd1) / sd0,
            "Divide by the sd of the new height; sd0 is that of the old one.",
        ),
        Mistake(
            lambda: lambda sd0, sd1, corr, c: corr,
            "The correlation does change: at another x other regions are high.",
        ),
        Mistake(
            lambda: (
                lambda sd0, sd1, corr, c: _corr_at(sd0, sd1, corr, c) / _height(sd0, sd1, corr, c)
            ),
            "This divides by a squared sd: a square root is missing.",
        ),
    ),
)

EXERCISES = (EXPECTED, POOL, CORR_AT)
