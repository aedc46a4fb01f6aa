"""What is true in a simulation: sizes of the groups, parameters, shape of the effects."""

import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np

from hierwidgets.base.arrays import Array
from hierwidgets.base.checks import check_whole
from hierwidgets.data import datasets
from hierwidgets.errors import DataError

__all__ = ["SHAPES", "Setup", "as_setups"]


_T_DF = 4
_APART = 0.9  # of sigma: distance of each cluster's centre from mu
_PATTERNS = ("finland", "uk")
_FAMILIES = ("binomial", "gaussian")


def _normal(rng: np.random.Generator, J: int) -> Array:
    return rng.standard_normal(J)


def _heavy(rng: np.random.Generator, J: int) -> Array:
    drawn: Array = rng.standard_t(_T_DF, J) / np.sqrt(_T_DF / (_T_DF - 2))
    return drawn


def _clusters(rng: np.random.Generator, J: int) -> Array:
    centre = np.where(rng.random(J) < 0.5, -_APART, _APART)
    drawn: Array = centre + np.sqrt(1.0 - _APART**2) * rng.standard_normal(J)
    return drawn


def _skewed(rng: np.random.Generator, J: int) -> Array:
    return rng.standard_exponential(J) - 1.0


SHAPES: Mapping[str, Callable[[np.random.Generator, int], Array]] = {
    "normal": _normal,
    "t": _heavy,
    "two clusters": _clusters,
    "skewed": _skewed,
}
"""Draws of J effects with mean 0 and sd 1, by the name of their shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    r"""What is true in a simulation.

    .. math:: \alpha_j = \mu + \sigma e_j, \qquad \mathrm{E}(e_j) = 0,\ \mathrm{sd}(e_j) = 1

    and then, for ``family="binomial"`` and ``family="gaussian"``,

    .. math::
        y_j \sim \mathrm{Binomial}(n_j, \pi_j), \quad
        \pi_j = \mathrm{logit}^{-1}(\alpha_j + \beta x_j)
        \qquad\text{or}\qquad
        y_i \sim N(\alpha_{j[i]} + \beta x_i, \sigma_e^2).

    What the estimators are judged by is :math:`\pi_j`, a probability, in the binomial case and
    :math:`\alpha_j` in the Gaussian one.

    Parameters
    ----------
    n
        Observations per group: a whole number (the same for all), a sequence with one for each
        group, or "finland" or "uk" for the respondents per district of those data.
    J
        Number of groups. Needed for an equal n. For a pattern, None is that of the data (14
        or 253); any other number takes evenly spaced quantiles of their sizes.
    mu, sigma
        Mean and sd of the group intercepts, on the scale of the linear predictor.
    beta
        Slope of a standard normal predictor, drawn once and then held fixed; None leaves the
        predictor out. In the binomial model it is a group-level one, x_j, the same for all
        rows of a group; in the Gaussian model each row has its own x_i.
    residual_sd
        :math:`\sigma_e` of the Gaussian model.
    family
        "binomial" or "gaussian".
    shape
        Of the effects e_j: "normal"; "t" with 4 degrees of freedom; "two clusters", half the
        groups each around ±0.9; "skewed", an exponential. All have mean 0 and sd 1, so that
        sigma is their sd whatever the shape.
    name
        What results are labelled with; None makes a label from the rest.

    Raises
    ------
    DataError
        A value is not what it should be; there is nothing left to estimate the residual sd by.

    Examples
    --------
    >>> from hierwidgets.recovery import Setup
    >>> Setup(n="finland", mu=-1.37, sigma=0.31).label
    'finland sizes, 14 groups, mu=-1.37, sigma=0.31'
    >>> Setup(n="uk", J=5, sigma=1).sizes
    (1, 2, 3, 4, 5)
    """

    n: int | str | Sequence[int]
    J: int | None = None
    mu: float = 0.0
    sigma: float = 1.0
    beta: float | None = None
    residual_sd: float = 1.0
    family: str = "binomial"
    shape: str = "normal"
    name: str | None = None

    def __post_init__(self) -> None:
        _check_numbers(self)
        for field, allowed in (("family", _FAMILIES), ("shape", tuple(SHAPES))):
            if getattr(self, field) not in allowed:
                given = getattr(self, field)
                raise DataError(f"{field}={given!r} is not known; choose one of {list(allowed)}")
        if self.name is not None and (not isinstance(self.name, str) or not self.name):
            raise DataError(f"name={self.name!r}; a design's name is text, or None for a label")
        object.__setattr__(self, "n", _observations(self.n))
        _check_groups(self)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Observations of each group."""
        if isinstance(self.n, str):
            return _pattern(self.n, self.J)
        if isinstance(self.n, int):
            return (self.n,) * (self.J or 0)
        return tuple(self.n)

    @property
    def label(self) -> str:
        """`name`, or what tells this design from others."""
        if self.name is not None:
            return self.name
        if isinstance(self.n, str):
            sizes = f"{self.n} sizes"
        else:
            least, most = min(self.sizes), max(self.sizes)
            sizes = f"n={least}" + (f" to {most}" if most > least else "")
        parts = [sizes, f"{len(self.sizes)} groups", f"mu={self.mu:g}", f"sigma={self.sigma:g}"]
        parts += [] if self.beta is None else [f"beta={self.beta:g}"]
        parts += [f"residual_sd={self.residual_sd:g}"] if self.family == "gaussian" else []
        parts += [] if self.shape == "normal" else [self.shape]
        return ", ".join(parts)


def _check_numbers(setup: Setup) -> None:
    rules = {
        "mu": (-np.inf, False),
        "sigma": (0.0, True),
        "beta": (-np.inf, False),
        "residual_sd": (0.0, False),
    }
    for field, (least, equal) in rules.items():
        value = getattr(setup, field)
        if field == "beta" and value is None:
            continue
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not np.isfinite(value):
            raise DataError(f"{field}={value!r} is not a number")
        if value < least or (value == least and not equal):
            raise DataError(f"{field}={value!r}; it must be {'0 or ' if equal else ''}above 0")


def _check_groups(setup: Setup) -> None:
    J, n = setup.J, setup.n
    if J is not None:
        check_whole(J, "J", 2, what="groups")
    if isinstance(n, int) and J is None:
        raise DataError(f"n={n!r} is the size of every group; say how many there are with J")
    if isinstance(n, tuple) and J is not None and len(n) != J:
        raise DataError(f"n holds {len(n)} sizes and J={J}; leave J out, or make them agree")
    least = len(setup.sizes) + 1 + (setup.beta is not None)
    if setup.family == "gaussian" and sum(setup.sizes) < least:
        raise DataError(
            f"{sum(setup.sizes)} observations in {len(setup.sizes)} groups leave none to estimate "
            f"the residual sd by; a Gaussian design like this needs {least} or more"
        )


def _observations(n: Any) -> int | str | tuple[int, ...]:
    """The sizes as they were given, checked: a number, the name of a pattern, a tuple."""
    if isinstance(n, str):
        if n in _PATTERNS:
            return n
        raise DataError(
            f"n={n!r} is not a pattern of sizes; the patterns are {list(_PATTERNS)}. Give a "
            "whole number for equal sizes, or a sequence with the size of each group"
        )
    if isinstance(n, numbers.Real):
        return check_whole(n, "n", 1, what="observations")
    try:
        given = tuple(n)
    except TypeError:
        raise DataError(
            f"n={n!r}; give a whole number, a sequence of them, or one of {list(_PATTERNS)}"
        ) from None
    if len(given) < 2:
        raise DataError(f"n holds {len(given)} sizes; a design needs two groups or more")
    return tuple(
        check_whole(size, f"n[{j}]", 1, what="observations") for j, size in enumerate(given)
    )


@cache
def _pattern(name: str, J: int | None) -> tuple[int, ...]:
    """Sizes of a country's districts, in increasing order."""
    sizes = np.sort(datasets.load(name)["district_id"].value_counts().to_numpy())
    at = (np.arange(J or len(sizes)) + 0.5) / (J or len(sizes))
    picked = np.quantile(sizes, at, method="inverted_cdf")
    return tuple(int(size) for size in picked)


# --- several ------------------------------------------------------------------------------


def as_setups(designs: Any) -> dict[str, Setup]:
    """Setups by label, from one, a sequence, or a mapping from names to them."""
    if isinstance(designs, Setup):
        return {designs.label: designs}
    if isinstance(designs, Mapping):
        values = list(designs.values())
        if not values or not all(isinstance(v, Setup | Mapping) for v in values):
            made = _one(designs)
            return {made.label: made}
        return {_name(key): _one(value) for key, value in designs.items()}
    if isinstance(designs, str) or not isinstance(designs, Sequence) or not designs:
        raise DataError(
            f"designs={designs!r}; give a Setup, a list of them, or a dict of name: Setup"
        )
    setups = [_one(value) for value in designs]
    labels = [setup.label for setup in setups]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise DataError(f"several designs are labelled {twice[0]!r}; tell them apart by name=...")
    return dict(zip(labels, setups, strict=True))


def _name(key: Any) -> str:
    if not isinstance(key, str) or not key:
        raise DataError(f"a design is named {key!r}; names are text")
    return key


def _one(value: Any) -> Setup:
    if isinstance(value, Setup):
        return value
    if not isinstance(value, Mapping):
        raise DataError(f"{value!r} is not a design; give a Setup, or a dict of its arguments")
    known = [field.name for field in fields(Setup)]
    if unknown := [key for key in value if key not in known]:
        raise DataError(f"a design has no {unknown[0]!r}; it has {known}")
    if "n" not in value:
        raise DataError("a design needs n, the observations per group")
    return Setup(**value)
